"""What the emulated clouds hold: neutral records with a clock, rendered by each dialect.

One :class:`World` has the accounts of all providers. Records say what was done and when; what
a cloud would show now follows from the world's clock, which tests can move.
"""

import enum
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import attrs

from snapkit.emulator.throttle import Throttle
from snapkit.model import DiskRole, Origin

__all__ = [
    "AccountState",
    "Disk",
    "EmulatedClock",
    "GroupRecord",
    "Pace",
    "RegionState",
    "SnapshotRecord",
    "Stage",
    "World",
]


@attrs.define
class EmulatedClock:
    """The clouds' time in seconds since 1970: it runs with *wall* and can be moved ahead.

    Resources live by ``now()``. Signatures are checked against ``wall``, so moving the clock
    makes no request stale.
    """

    wall: Callable[[], float] = time.time
    ahead: float = 0.0

    def now(self) -> float:
        """Return the clouds' present."""
        return self.wall() + self.ahead

    def advance(self, seconds: float) -> None:
        """Move the clouds' present *seconds* ahead."""
        self.ahead += seconds


@attrs.frozen(kw_only=True)
class Pace:
    """How long a new snapshot takes, in seconds after it was asked for."""

    cut: float = 1.0
    usable: float = 10.0
    complete: float = 60.0


class Stage(enum.Enum):
    """How far a snapshot has come, where its record does not force a word."""

    STARTED = "started"
    CUT = "cut"
    USABLE = "usable"
    COMPLETE = "complete"
    FAILED = "failed"
    DELETED = "deleted"


@attrs.define(kw_only=True)
class Disk:
    """A disk; *category* is the provider's own product name."""

    id: str
    size_gib: int
    role: DiskRole = DiskRole.DATA
    category: str = ""
    name: str = ""
    instance_id: str | None = None
    zone: str = ""
    encrypted: bool = False
    tags: dict[str, str] = attrs.field(factory=dict[str, str])


@attrs.define(kw_only=True)
class SnapshotRecord:
    """A snapshot as the provider keeps it; times are seconds since 1970, sizes as named.

    The facts of the disk are copied, because the disk may be gone. ``word`` forces the
    provider's status word (and with it what the dialect derives from that); ``row`` holds
    wire fields that replace what the dialect would render, for recorded rows and oddities.
    """

    id: str
    disk_id: str
    size_gib: int
    role: DiskRole = DiskRole.DATA
    instance_id: str | None = None
    zone: str = ""
    category: str = ""
    name: str = ""
    description: str = ""
    started_at: float
    pace: Pace = Pace()
    fails: bool = False
    """Whether it fails instead of becoming complete."""
    deleted_at: float | None = None
    expires_at: float | None = None
    stored_mib: int | None = None
    full: bool = True
    parent_id: str | None = None
    root_id: str | None = None
    origin: Origin = Origin.MANUAL
    source_snapshot_id: str | None = None
    source_region: str | None = None
    encrypted: bool = False
    kms_key_id: str = ""
    images: int = 0
    disks: int = 0
    shares: int = 0
    locked: bool = False
    tags: dict[str, str] = attrs.field(factory=dict[str, str])
    word: str | None = None
    row: dict[str, Any] = attrs.field(factory=dict[str, Any])

    def stage(self, now: float) -> Stage:
        """Return how far it has come at *now*."""
        if self.deleted_at is not None and now >= self.deleted_at:
            return Stage.DELETED
        age = now - self.started_at
        if age >= self.pace.complete:
            return Stage.FAILED if self.fails else Stage.COMPLETE
        if age >= self.pace.usable:
            return Stage.USABLE
        return Stage.CUT if age >= self.pace.cut else Stage.STARTED

    def progress(self, now: float) -> int:
        """Return 0 to 100; it stops where it fails."""
        if self.pace.complete <= 0 or self.stage(now) is Stage.COMPLETE:
            return 100
        share = max(0.0, min(1.0, (now - self.started_at) / self.pace.complete))
        return int(share * (60 if self.fails else 99))


@attrs.define(kw_only=True)
class GroupRecord:
    """Snapshots taken together, where the provider keeps groups."""

    id: str
    snapshot_ids: list[str]
    name: str = ""
    description: str = ""
    created_at: float
    instance_id: str | None = None
    tags: dict[str, str] = attrs.field(factory=dict[str, str])
    word: str | None = None
    row: dict[str, Any] = attrs.field(factory=dict[str, Any])


@attrs.define(kw_only=True)
class RegionState:
    """One region of one account; *denied* refuses every call about its snapshots."""

    id: str
    name: str = ""
    open: bool = True
    denied: bool = False
    disks: dict[str, Disk] = attrs.field(factory=dict[str, Disk])
    snapshots: dict[str, SnapshotRecord] = attrs.field(factory=dict[str, SnapshotRecord])
    groups: dict[str, GroupRecord] = attrs.field(factory=dict[str, GroupRecord])
    running: set[str] = attrs.field(factory=set[str])
    """Instances that are switched on, for clouds that refuse to roll back their disks."""

    def add(self, *records: Disk | SnapshotRecord | GroupRecord) -> None:
        """Put *records* in their places."""
        for record in records:
            if isinstance(record, Disk):
                self.disks[record.id] = record
            elif isinstance(record, SnapshotRecord):
                self.snapshots[record.id] = record
            else:
                self.groups[record.id] = record

    def newest_first(self) -> list[SnapshotRecord]:
        """Return all snapshots, the newest first and equal times by id."""
        return sorted(self.snapshots.values(), key=lambda one: (-one.started_at, one.id))


@attrs.define(kw_only=True)
class AccountState:
    """An access key with one provider, and what it owns."""

    provider: str
    key_id: str
    secret: str = attrs.field(repr=False)
    token: str | None = attrs.field(default=None, repr=False)
    label: str = ""
    regions: dict[str, RegionState] = attrs.field(factory=dict[str, RegionState])
    throttle: Throttle | None = None
    """The limit on its calls; None: there is none."""

    def region(self, region_id: str) -> RegionState:
        """Return the region, made empty at the first call."""
        if region_id not in self.regions:
            self.regions[region_id] = RegionState(id=region_id)
        return self.regions[region_id]


@attrs.define(kw_only=True)
class World:
    """Everything behind the wire. Hold ``lock`` while reading or changing it."""

    accounts: list[AccountState] = attrs.field(factory=list[AccountState])
    clock: EmulatedClock = attrs.field(factory=EmulatedClock)
    lock: threading.RLock = attrs.field(factory=threading.RLock, repr=False)
    lag: float = 0.0
    """Seconds of the clouds' time for which a new thing is not shown in listings yet."""
    pace: Pace = Pace()
    """How long snapshots take that are made from now on."""
    nonces: set[tuple[str, str]] = attrs.field(factory=set[tuple[str, str]], repr=False)

    def account(self, provider: str, key_id: str) -> AccountState | None:
        """Return the account with this key, or None."""
        return next(
            (one for one in self.accounts if (one.provider, one.key_id) == (provider, key_id)),
            None,
        )

    def of(self, provider: str) -> Iterator[AccountState]:
        """Yield the accounts with *provider*."""
        return (account for account in self.accounts if account.provider == provider)

    def become(self, other: "World") -> None:
        """Hold what *other* holds, with the same lock and clock; the clock goes to its time."""
        with self.lock:
            self.clock.ahead = other.clock.ahead
            for field in attrs.fields(World):
                if field.name not in ("clock", "lock"):
                    setattr(self, field.name, getattr(other, field.name))

    def first_use(self, provider: str, nonce: str) -> bool:
        """Return whether *nonce* is new, and remember it."""
        if (provider, nonce) in self.nonces:
            return False
        self.nonces.add((provider, nonce))
        return True
