"""Clients of the emulated clouds on which nobody sleeps: a pause moves the clouds' clock."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import attrs

from snapkit.client import Client
from snapkit.emulator import Emulator, demo_world
from snapkit.emulator.state import RegionState
from snapkit.http import Http
from snapkit.retry import RetryPolicy
from snapkit.settings import open_driver
from snapkit.transport import Clock


@attrs.define
class Place:
    """One region of one provider on an emulator, furnished by its demonstration estate."""

    emulator: Emulator
    provider: str
    region: RegionState
    lag: float = 0.0
    slept: float = 0.0
    lock: threading.Lock = attrs.field(factory=threading.Lock)
    on_sleep: Callable[[], None] | None = None

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass in the clouds and nowhere else."""
        with self.lock:
            self.slept += seconds
            self.emulator.world.clock.advance(seconds)
        if self.on_sleep is not None:
            self.on_sleep()

    def clock(self) -> Clock:
        """Return the clock of a client here."""
        clock = Clock()
        return Clock(monotonic=lambda: clock.monotonic() + self.slept, sleep=self.sleep)

    def client(self) -> Client:
        """Return a new client, as another process would have it."""
        target = next(
            one
            for one in self.emulator.targets(self.provider)
            if one.region == self.region.id
            and next(self.emulator.world.of(self.provider)).label == one.account
        )
        policy = RetryPolicy(call_timeout=1e6)
        return Client(open_driver(target, http=Http(), clock=self.clock(), policy=policy))

    def server(self) -> str:
        """Return a server with several disks, none of which was snapshotted in a group."""
        counted: dict[str, int] = {}
        for disk in self.region.disks.values():
            if disk.instance_id:
                counted[disk.instance_id] = counted.get(disk.instance_id, 0) + 1
        return max(counted, key=lambda one: (counted[one], one))

    def disks(self, server: str) -> list[str]:
        """Return the disks of *server*."""
        return [one.id for one in self.region.disks.values() if one.instance_id == server]


@contextmanager
def furnished(provider: str, *, lag: float = 0.0) -> Generator[Place]:
    """Give a place with disks and without snapshots."""
    world = demo_world()
    world.lag = lag
    account = next(world.of(provider))
    region = next(one for one in account.regions.values() if not one.denied and len(one.disks) > 2)
    region.snapshots.clear()
    region.groups.clear()
    with Emulator(world) as emulator:
        yield Place(emulator, provider, region, lag)
