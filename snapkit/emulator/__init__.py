"""A loopback cloud for demonstrations, tests and users' own continuous integration."""

from snapkit.emulator.dialect import Answer, Dialect, Request
from snapkit.emulator.estatefile import Estate, load_estate
from snapkit.emulator.export import exported
from snapkit.emulator.server import Emulator, Fault, demo_world
from snapkit.emulator.state import World
from snapkit.emulator.throttle import Throttle

__all__ = [
    "Answer",
    "Dialect",
    "Emulator",
    "Estate",
    "Fault",
    "Request",
    "Throttle",
    "World",
    "demo_world",
    "exported",
    "load_estate",
]
