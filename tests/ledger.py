"""A cloud in a dictionary that can be written to: counts what was sent, moves with a clock."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import attrs

from snapkit.client import Client
from snapkit.credentials import Credentials, EnvironmentNames, KeyNames
from snapkit.driver import Capability, Driver, Limits
from snapkit.errors import SnapkitError
from snapkit.model import (
    DiskRole,
    Kind,
    Origin,
    Snapshot,
    SnapshotGroup,
    SnapshotStatus,
    SourceDisk,
    Tags,
)
from snapkit.paging import Cursor, Page
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.testing.harness import open_directly
from snapkit.transport import Clock
from snapkit.writes import (
    Blocker,
    Change,
    Copied,
    CopyOrder,
    Disk,
    DiskQuery,
    GroupMade,
    ItemResult,
    MarkerPlace,
    NewDisk,
    NewGroup,
    NewSnapshot,
    RollBack,
)

GIB = 1024**3
BIRTH = 1_800_000_000.0


@attrs.define
class Time:
    """A clock that moves only when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = attrs.field(factory=list[float])
    lock: threading.Lock = attrs.field(factory=threading.Lock)
    on_sleep: Callable[[], None] | None = None

    def sleep(self, seconds: float) -> None:
        """Be *seconds* later at once."""
        with self.lock:
            self.now += seconds
            self.slept.append(seconds)
        if self.on_sleep is not None:
            self.on_sleep()

    def clock(self) -> Clock:
        """Return the clock for a client."""
        return Clock(
            wall=lambda: BIRTH + self.now,
            monotonic=lambda: self.now,
            sleep=self.sleep,
            uniform=lambda low, high: high,
        )


def snapshot(snapshot_id: str, **changes: Any) -> Snapshot:
    """Return a complete snapshot of disk d-1 with *changes*."""
    plain = Snapshot(
        id=snapshot_id,
        provider="ledger",
        account="",
        region="north",
        name=f"name of {snapshot_id}",
        status=SnapshotStatus.AVAILABLE,
        raw_status="fine",
        restorable=True,
        created_at=datetime(2026, 3, 1, 6, 0, tzinfo=UTC),
        size_bytes=40 * GIB,
        source=SourceDisk(id="d-1", role=DiskRole.DATA, instance_id="i-1", zone="north-a"),
        origin=Origin.MANUAL,
        tags=Tags(),
    )
    return attrs.evolve(plain, **changes)


@attrs.define
class Cloud:
    """What there is, what was sent, and what goes wrong."""

    time: Time = attrs.field(factory=Time)
    snapshots: dict[str, Snapshot] = attrs.field(factory=dict[str, Snapshot])
    groups: dict[str, tuple[SnapshotGroup, tuple[str, ...]]] = attrs.field(
        factory=dict[str, tuple[SnapshotGroup, tuple[str, ...]]]
    )
    disks: dict[str, Disk] = attrs.field(factory=dict[str, Disk])
    sent: list[tuple[str, Any]] = attrs.field(factory=list[tuple[str, Any]])
    looks: list[frozenset[str] | None] = attrs.field(factory=list[frozenset[str] | None])
    unsent: list[SnapkitError] = attrs.field(factory=list[SnapkitError])
    """Errors of the next writes, instead of acting."""
    lost: list[SnapkitError] = attrs.field(factory=list[SnapkitError])
    """Errors of the next writes, after acting."""
    blind: list[SnapkitError] = attrs.field(factory=list[SnapkitError])
    """Errors of the next looks."""
    refused: dict[str, SnapkitError] = attrs.field(factory=dict[str, SnapkitError])
    """Errors of single items."""
    against: dict[str, tuple[Blocker, ...]] = attrs.field(factory=dict[str, tuple[Blocker, ...]])
    born: dict[str, float] = attrs.field(factory=dict[str, float])
    """When a snapshot was started; those that are not in here are complete."""
    troubles: tuple[str, ...] = ()
    """About rows that cannot be read."""
    lag: float = 0.0
    failing: bool = False
    """Whether what is being made fails in the end."""
    tokens: dict[str, str] = attrs.field(factory=dict[str, str])

    def add(self, *rows: Snapshot) -> None:
        """Put *rows* into the cloud."""
        for row in rows:
            self.snapshots[row.id] = row

    def write(self, name: str, what: Any, act: Callable[[], Any]) -> Any:
        """Act once, remember it, and lose request or answer as ordered."""
        self.sent.append((name, what))
        if self.unsent:
            raise self.unsent.pop(0)
        done = act()
        if self.lost:
            raise self.lost.pop(0)
        return done

    def make(self, row: Snapshot, token: str) -> str:
        """Make *row* once for *token*, and return the id."""
        if token and token in self.tokens:
            return self.tokens[token]
        made = attrs.evolve(row, id=f"s-new-{len(self.born) + 1}")
        self.snapshots[made.id] = made
        self.born[made.id] = self.time.now
        if token:
            self.tokens[token] = made.id
        return made.id

    def seen(self, row: Snapshot) -> Snapshot | None:
        """Return *row* as it is now: cut after 1 s, usable after 10, complete after 60."""
        if row.id not in self.born:
            return row
        age = self.time.now - self.born[row.id]
        if age < self.lag:
            return None
        if age >= 60:
            if self.failing:
                return attrs.evolve(
                    row, status=SnapshotStatus.FAILED, raw_status="broken", restorable=False
                )
            return attrs.evolve(row, progress=100)
        return attrs.evolve(
            row,
            status=SnapshotStatus.CREATING,
            raw_status="making",
            restorable=age >= 10,
            progress=int(age / 60 * 100),
            cut_at=row.created_at if age >= 1 else None,
        )


class LedgerDriver(Driver):
    """Does everything, to the ``cloud`` of its class."""

    name = "ledger"
    title = "Ledger cloud"
    capabilities = frozenset(Capability) - {Capability.DERIVED_GROUPS}
    limits = Limits(page=100, ids=100, tag_ids=2, delete_ids=2)
    environment = EnvironmentNames(keys=(KeyNames("LEDGER_KEY", "LEDGER_SECRET"),))
    home_region = "north"
    cloud: ClassVar[Cloud] = Cloud()

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        del cursor, limit
        self.cloud.looks.append(query.ids)
        if self.cloud.blind:
            raise self.cloud.blind.pop(0)
        rows = [
            seen
            for one in self.cloud.snapshots.values()
            if (query.ids is None or one.id in query.ids)
            and one.region == self.connection.region
            and (seen := self.cloud.seen(one)) is not None
        ]
        return Page(items=rows, next=None, troubles=self.cloud.troubles)

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        del cursor, limit
        rows = [
            attrs.evolve(group, members=members)
            for group, ids in self.cloud.groups.values()
            if query.ids is None or group.id in query.ids
            if len(members := self._members(ids)) == len(ids)
        ]
        return Page(items=rows, next=None)

    def _members(self, ids: Sequence[str]) -> tuple[Snapshot, ...]:
        there = (self.cloud.snapshots[one] for one in ids if one in self.cloud.snapshots)
        return tuple(seen for one in there if (seen := self.cloud.seen(one)) is not None)

    def list_disks(self, query: DiskQuery, *, cursor: Cursor | None, limit: int) -> Page[Disk]:
        del cursor, limit
        rows = [
            disk
            for disk in self.cloud.disks.values()
            if (query.ids is None or disk.id in query.ids)
            and query.instance_id in (None, disk.instance_id)
        ]
        return Page(items=rows, next=None)

    def create_snapshot(self, new: NewSnapshot) -> str:
        row = self._row(new, new.disk_id)
        made: str = self.cloud.write("create", new, lambda: self.cloud.make(row, new.token))
        return made

    def _row(self, new: NewSnapshot | NewGroup, disk_id: str) -> Snapshot:
        return snapshot(
            "",
            name=new.name,
            description=new.description,
            tags=new.tags,
            region=self.connection.region,
            source=SourceDisk(id=disk_id, instance_id="i-1"),
            created_at=datetime.fromtimestamp(BIRTH + self.cloud.time.now, UTC),
        )

    def create_group(self, new: NewGroup) -> GroupMade:
        disks = new.disk_ids or tuple(
            disk.id
            for disk in self.cloud.disks.values()
            if disk.instance_id == new.instance_id and disk.id not in new.exclude_disk_ids
        )

        def act() -> GroupMade:
            if new.token and new.token in self.cloud.tokens:
                return GroupMade(group_id=self.cloud.tokens[new.token])
            ids = tuple(self.cloud.make(self._row(new, one), "") for one in disks)
            group = SnapshotGroup(
                id=f"g-new-{len(self.cloud.groups) + 1}",
                provider=self.name,
                account="",
                region=self.connection.region,
                name=new.name,
                status=SnapshotStatus.CREATING,
                raw_status=None,
                instance_id=new.instance_id,
                tags=new.tags,
            )
            self.cloud.groups[group.id] = (group, ids)
            if new.token:
                self.cloud.tokens[new.token] = group.id
            return GroupMade(group_id=group.id)

        made: GroupMade = self.cloud.write("create_group", new, act)
        return made

    def finish_snapshot(self, snapshot_id: str, new: NewSnapshot) -> None:
        self.cloud.sent.append(("finish", snapshot_id))

    def disks_named(self, name: str) -> list[Disk]:
        return [disk for disk in self.cloud.disks.values() if disk.name == name]

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        def act() -> None:
            row = self.cloud.snapshots[snapshot_id]
            name = row.name if change.name is None else change.name
            self.cloud.snapshots[snapshot_id] = attrs.evolve(row, name=name)

        self.cloud.write("change", (snapshot_id, change), act)

    def change_group(self, group_id: str, change: Change) -> None:
        self.cloud.write("change_group", (group_id, change), lambda: None)

    def tag(self, kind: Kind, ids: Sequence[str], tags: Tags) -> list[ItemResult]:
        self.cloud.write("tag", (kind, list(ids), dict(tags)), lambda: None)
        return self._results(ids, kind)

    def untag(self, kind: Kind, ids: Sequence[str], keys: Sequence[str]) -> list[ItemResult]:
        self.cloud.write("untag", (kind, list(ids), list(keys)), lambda: None)
        return self._results(ids, kind)

    def _results(self, ids: Sequence[str], kind: Kind = Kind.SNAPSHOT) -> list[ItemResult]:
        return [ItemResult(id=one, kind=kind, error=self.cloud.refused.get(one)) for one in ids]

    def delete_snapshots(self, ids: Sequence[str], *, force: bool) -> list[ItemResult]:
        def act() -> list[ItemResult]:
            gone = {one for one in ids if one not in self.cloud.snapshots}
            results = [
                ItemResult(id=one.id, absent=True) if one.id in gone and one.ok else one
                for one in self._results(ids)
            ]
            for result in results:
                if result.ok:
                    self.cloud.snapshots.pop(result.id, None)
            return results

        done: list[ItemResult] = self.cloud.write("delete", (list(ids), force), act)
        return done

    def delete_group(self, group: SnapshotGroup, *, force: bool) -> list[ItemResult]:
        def act() -> list[ItemResult]:
            if group.id not in self.cloud.groups:
                return [ItemResult(id=group.id, kind=Kind.GROUP, absent=True)]
            for member in group.members:
                self.cloud.snapshots.pop(member.id, None)
            self.cloud.groups.pop(group.id, None)
            return [
                *self._results([one.id for one in group.members]),
                ItemResult(id=group.id, kind=Kind.GROUP),
            ]

        done: list[ItemResult] = self.cloud.write("delete_group", (group.id, force), act)
        return done

    def create_disk(self, new: NewDisk) -> str:
        def act() -> str:
            if new.token and new.token in self.cloud.tokens:
                return self.cloud.tokens[new.token]
            made = f"d-new-{len(self.cloud.disks) + 1}"
            self.cloud.disks[made] = Disk(
                id=made, name=new.name, snapshot_id=new.snapshot_id, size_bytes=new.size_bytes
            )
            self.cloud.tokens[new.token] = made
            return made

        made: str = self.cloud.write("create_disk", new, act)
        return made

    def roll_back(
        self, pairs: Sequence[RollBack], *, group_id: str | None, stop: bool, start: bool
    ) -> list[ItemResult]:
        self.cloud.write("roll_back", (list(pairs), group_id, stop, start), lambda: None)
        return self._results([pair.snapshot_id for pair in pairs])

    def copy_snapshot(self, order: CopyOrder) -> list[Copied]:
        self.cloud.write("copy", order, lambda: None)
        return [
            Copied(region=one, error=error)
            if (error := self.cloud.refused.get(one))
            else Copied(region=one, snapshot_id=f"{order.snapshot_id}-{one}")
            for one in order.regions
        ]

    def share(self, ids: Sequence[str], accounts: Sequence[str], *, share: bool) -> None:
        self.cloud.write("share", (list(ids), list(accounts), share), lambda: None)

    def lock(self, snapshot_id: str, *, days: int | None) -> None:
        self.cloud.write("lock", (snapshot_id, days), lambda: None)

    def blockers(self, capability: Capability, snapshot: Snapshot) -> Sequence[Blocker]:
        return self.cloud.against.get(snapshot.id, ())


class TagDriver(LedgerDriver):
    """A provider without client tokens that can tag while it makes."""

    marker = MarkerPlace.TAG
    group_marker = MarkerPlace.NAME


class NameDriver(LedgerDriver):
    """A provider without client tokens and tags."""

    marker = MarkerPlace.NAME
    group_marker = MarkerPlace.NAME
    disk_marker = MarkerPlace.NAME


def driver_kind(cloud: Cloud, base: type[LedgerDriver] = LedgerDriver, **changes: Any) -> Any:
    """Return a driver class of its own over *cloud*, with *changes* to the class."""
    return type("OneLedgerDriver", (base,), {"cloud": cloud, **changes})


def client_over(
    cloud: Cloud, base: type[LedgerDriver] = LedgerDriver, *, region: str = "north", **changes: Any
) -> Client:
    """Return a client of *cloud*."""
    driver = open_directly(
        driver_kind(cloud, base, **changes),
        region=region,
        credentials=Credentials(key_id="key", secret="secret"),
        clock=cloud.time.clock(),
    )
    return Client(driver, monotonic=lambda: cloud.time.now)
