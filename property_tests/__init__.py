"""Properties that hold for random programs; above all, that every backend answers as the oracle does."""
