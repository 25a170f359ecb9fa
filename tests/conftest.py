"""Shared set-up; nothing here leaves this machine."""

import os

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("snapkit.testing.contract")

# The same examples in every run, so that a change is judged by its own effect. To look for
# new ones: SNAPKIT_EXPLORE=1.
settings.register_profile("steady", derandomize=True)
settings.register_profile("explore", derandomize=False, max_examples=1000)
settings.load_profile("explore" if os.environ.get("SNAPKIT_EXPLORE") else "steady")
