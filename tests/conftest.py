"""Hypothesis: the same examples in each run, and no verdict by the clock.

New examples: `HYPOTHESIS_PROFILE=explore make test-unit`.
"""

import os

from hypothesis import HealthCheck, settings

from tests.realmodels import base_checkpoint, tiny_en_checkpoint

__all__ = ["base_checkpoint", "tiny_en_checkpoint"]

settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("explore", settings.get_profile("steady"), derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))
