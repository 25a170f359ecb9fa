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
    Seed,
    StatusCase,
    open_directly,
    patient_clock,
)
from snapkit.testing.memory import DerivingDriver, MemoryDriver  # noqa: E402
from snapkit.testing.memory_cloud import MemoryHarness  # noqa: E402

__all__ = [
    "DerivingDriver",
    "DriverContract",
    "EmulatedHarness",
    "GroupSeed",
    "Harness",
    "MemoryDriver",
    "MemoryHarness",
    "Seed",
    "StatusCase",
    "Verdict",
    "open_directly",
    "patient_clock",
    "verdicts",
]
