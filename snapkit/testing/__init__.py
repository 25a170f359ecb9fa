"""What proves an adapter: a contract to run, a harness to run it in, and a reference driver.

    from snapkit.testing import DriverContract

    class TestMyDriver(DriverContract):
        def make_harness(self):
            return MyHarness()

Shipped with snapkit for authors of adapters; nothing in snapkit imports it. Needs pytest.
"""

import pytest

pytest.register_assert_rewrite("snapkit.testing.contract")

from snapkit.testing.contract import DriverContract, Verdict, verdicts  # noqa: E402
from snapkit.testing.emulated import EmulatedHarness  # noqa: E402
from snapkit.testing.harness import (  # noqa: E402
    GroupSeed,
    Harness,
    Lost,
    Seed,
    StatusCase,
    open_directly,
    patient_clock,
)
from snapkit.testing.memory import DerivingDriver, MemoryDriver, TaggingDriver  # noqa: E402
from snapkit.testing.memory_harness import MemoryHarness  # noqa: E402

__all__ = [
    "DerivingDriver",
    "DriverContract",
    "EmulatedHarness",
    "GroupSeed",
    "Harness",
    "Lost",
    "MemoryDriver",
    "MemoryHarness",
    "Seed",
    "StatusCase",
    "TaggingDriver",
    "Verdict",
    "open_directly",
    "patient_clock",
    "verdicts",
]
