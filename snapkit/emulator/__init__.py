"""A loopback cloud for demonstrations, tests and users' own continuous integration."""

from snapkit.emulator.dialect import Answer, Dialect, Request
from snapkit.emulator.server import Emulator, Fault, demo_world
from snapkit.emulator.state import World

__all__ = ["Answer", "Dialect", "Emulator", "Fault", "Request", "World", "demo_world"]
