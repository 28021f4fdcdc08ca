"""Benchmarks: the same work by stdnet and by hand-written code, in one run, as ratios. Run ``make bench``."""
