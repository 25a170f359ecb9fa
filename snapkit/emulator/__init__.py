"""A loopback cloud for demonstrations, tests and users' own continuous integration."""

from snapkit.emulator.dialect import Answer, Dialect, Request
from snapkit.emulator.server import Emulator, Fault, demo_world
from snapkit.emulator.state import World
from snapkit.emulator.throttle import Throttle

__all__ = ["Answer", "Dialect", "Emulator", "Fault", "Request", "Throttle", "World", "demo_world"]
