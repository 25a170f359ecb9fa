"""What proves an adapter: a contract to run, a harness to run it in, and a reference driver.

    from snapkit.testing import DriverContract

    class TestMyDriver(DriverContract):
        def make_harness(self):
            return MyHarness()

Shipped with snapkit for authors of adapters; nothing in snapkit imports it. Needs pytest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

pytest.register_assert_rewrite("snapkit.testing.contract")

if TYPE_CHECKING:
    from snapkit.testing.contract import DriverContract as DriverContract
    from snapkit.testing.contract import Verdict as Verdict
    from snapkit.testing.contract import verdicts as verdicts
    from snapkit.testing.emulated import EmulatedHarness as EmulatedHarness
    from snapkit.testing.harness import GroupSeed as GroupSeed
    from snapkit.testing.harness import Harness as Harness
    from snapkit.testing.harness import Lost as Lost
    from snapkit.testing.harness import Seed as Seed
    from snapkit.testing.harness import StatusCase as StatusCase
    from snapkit.testing.harness import open_directly as open_directly
    from snapkit.testing.harness import patient_clock as patient_clock
    from snapkit.testing.memory import DerivingDriver as DerivingDriver
    from snapkit.testing.memory import MemoryDriver as MemoryDriver
    from snapkit.testing.memory import TaggingDriver as TaggingDriver
    from snapkit.testing.memory_harness import MemoryHarness as MemoryHarness

# Read when they are asked for: pytest imports this package for its plugin in every run of
# every project on the machine, and most of them test no adapter.
_HOMES = {
    "contract": ("DriverContract", "Verdict", "verdicts"),
    "emulated": ("EmulatedHarness",),
    "harness": (
        "GroupSeed",
        "Harness",
        "Lost",
        "Seed",
        "StatusCase",
        "open_directly",
        "patient_clock",
    ),
    "memory": ("DerivingDriver", "MemoryDriver", "TaggingDriver"),
    "memory_harness": ("MemoryHarness",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

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


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'snapkit.testing' has no attribute {name!r}")
    found = getattr(import_module(f"snapkit.testing.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
