"""Clients whose pauses take no time, neither here nor in the emulated clouds."""

from collections.abc import Generator
from contextlib import closing, contextmanager

from snapkit.client import Client
from snapkit.http import Http
from snapkit.settings import Target, open_driver
from snapkit.transport import Clock


@contextmanager
def hurried(target: Target) -> Generator[Client]:
    """Give a client for *target*."""
    passed = [0.0]
    clock = Clock(monotonic=lambda: sum(passed), sleep=passed.append)
    with (
        closing(Http()) as http,
        Client(open_driver(target, http=http, clock=clock)) as client,
    ):
        yield client
