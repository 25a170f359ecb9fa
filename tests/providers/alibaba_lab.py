"""An emulated ECS account to try the writing half of the driver on."""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from snapkit.driver import Driver
from snapkit.emulator import Emulator, World
from snapkit.emulator.state import AccountState, Disk, RegionState
from snapkit.model import DiskRole, Kind, Snapshot, SnapshotGroup
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.settings import open_driver
from snapkit.transport import Clock
from snapkit.writes import (
    DiskQuery,
    ItemResult,
    NewGroup,
    NewSnapshot,
    RollBack,
)

__all__ = ["QUICK", "REGION", "ZONE", "Lab", "back", "group_of", "opened", "soon", "told"]

REGION = "cn-beijing"
ZONE = f"{REGION}-h"
QUICK = Clock(sleep=lambda _: None)


@attrs.define(kw_only=True)
class LiveRegion(RegionState):
    """A region that also says which instances run."""

    running: set[str] = attrs.field(factory=set[str])


@attrs.define(kw_only=True)
class SlowWorld(World):
    """A world whose listings lag behind, in seconds."""

    lag: float = 0.0


@attrs.frozen
class Lab:
    """An emulator with a region of two instances, and a driver for it."""

    emulator: Emulator
    driver: Driver
    region: LiveRegion

    @property
    def world(self) -> World:
        return self.emulator.world

    def of(self, region: str) -> Driver:
        target = next(one for one in self.emulator.targets("alibaba") if one.region == region)
        return open_driver(target, clock=QUICK)

    def advance(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    def look(self, snapshot_id: str, driver: Driver | None = None) -> Snapshot | None:
        query = SnapshotQuery(ids=frozenset({snapshot_id}))
        page = (driver or self.driver).list_snapshots(query, cursor=None, limit=100)
        return next(iter(page.items), None)

    def see(self, snapshot_id: str) -> Snapshot:
        found = self.look(snapshot_id)
        assert found is not None
        return found

    def group(self, group_id: str) -> SnapshotGroup | None:
        query = GroupQuery(ids=frozenset({group_id}))
        return next(iter(self.driver.list_groups(query, cursor=None, limit=100).items), None)

    def disk(self, disk_id: str) -> Any:
        page = self.driver.list_disks(DiskQuery(ids=frozenset({disk_id})), cursor=None, limit=100)
        return next(iter(page.items), None)

    def count(self) -> int:
        return len(self.region.snapshots)

    def made(self, disk_id: str = "d-1", **fields: Any) -> str:
        return self.driver.create_snapshot(NewSnapshot(disk_id=disk_id, **fields))

    def ready(self, disk_id: str = "d-1", **fields: Any) -> str:
        made = self.made(disk_id, **fields)
        self.advance(61)
        return made


@contextmanager
def opened() -> Generator[Lab]:
    """Yield a laboratory, closed afterwards."""
    account = AccountState(provider="alibaba", key_id="LTAIEXAMPLE", secret="EXAMPLE-secret")
    region = LiveRegion(id=REGION)
    account.regions[REGION] = region
    account.region("cn-shanghai")
    account.region("cn-denied").denied = True
    disk = Disk(id="d-1", size_gib=40, role=DiskRole.SYSTEM, instance_id="i-1", zone=ZONE)
    region.add(
        disk,
        attrs.evolve(disk, id="d-2", size_gib=100, role=DiskRole.DATA, category="cloud_essd"),
        attrs.evolve(disk, id="d-3", instance_id="i-2"),
        attrs.evolve(disk, id="d-4", instance_id="i-2", zone=f"{REGION}-g"),
        attrs.evolve(disk, id="d-old", instance_id="i-3", category="cloud_efficiency"),
        attrs.evolve(disk, id="d-local", instance_id="i-4", category="local"),
        attrs.evolve(disk, id="d-free", instance_id=None),
    )
    with Emulator(SlowWorld(accounts=[account])) as emulator:
        target = next(one for one in emulator.targets("alibaba") if one.region == REGION)
        driver = open_driver(target, clock=QUICK)
        yield Lab(emulator, driver, region)
        driver.close()


def soon(**time: float) -> datetime:
    return datetime.now(UTC) + timedelta(**time)


def group_of(lab: Lab) -> SnapshotGroup:
    group_id = lab.driver.create_group(NewGroup(instance_id="i-1")).group_id or ""
    lab.advance(61)
    group = lab.group(group_id)
    assert group is not None
    return group


def told(results: list[ItemResult]) -> list[tuple[str, Kind, str | None, bool]]:
    return [
        (one.id, one.kind, one.error.code if one.error else None, one.absent) for one in results
    ]


def back(lab: Lab, *pairs: RollBack, stop: bool = False) -> list[ItemResult]:
    return lab.driver.roll_back(pairs, group_id=None, stop=stop, start=False)
