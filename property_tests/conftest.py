"""Hypothesis profiles: ``modest`` for every run, ``nightly`` (``HYPOTHESIS_PROFILE=nightly``) for many hours' worth."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "modest",
    max_examples=150,
    deadline=None,
    database=None,
    print_blob=True,
    report_multiple_bugs=False,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],  # to explain a failure takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
settings.register_profile("nightly", settings.get_profile("modest"), max_examples=20_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "modest"))
