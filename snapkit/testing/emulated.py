"""A harness over the emulator, for an adapter that comes with a dialect."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from snapkit.credentials import Credentials
from snapkit.driver import Capability, Driver
from snapkit.emulator import Emulator, World
from snapkit.emulator.server import Fault, FaultKind
from snapkit.emulator.state import (
    AccountState,
    Disk,
    GroupRecord,
    RegionState,
    SnapshotRecord,
    Stage,
)
from snapkit.errors import Failure
from snapkit.http import Http
from snapkit.registry import dialect_class, driver_class
from snapkit.settings import Target, open_driver
from snapkit.testing.harness import GroupSeed, Harness, Lost, Seed, patient_clock

__all__ = ["EmulatedHarness"]

CUTS: Mapping[Lost, FaultKind] = {
    Lost.BEFORE: "cut-before",
    Lost.AFTER: "cut-after",
    Lost.MIDDLE: "cut-answer",
}


@attrs.define(kw_only=True)
class LaggingWorld(World):
    """A world whose listings run behind."""

    lag: float = 0.0
    """Seconds for which something new is not listed."""


class EmulatedHarness(Harness):
    """One account in one region of an emulated provider.

    Derive from it and fill in the class attributes: the status tables of Harness and the
    shape of the provider's ids. *options* are those of the target.
    """

    provider: str
    region: str
    account = "prod"
    secret = "canary-emulated-7d41e0"  # noqa: S105 - made up, to be looked for
    key_id = "snapkit-contract"
    category = ""
    """The product name of the disks."""
    zone = ""
    snapshot_prefix = "s-"
    group_prefix = "g-"
    disk_prefix = "d-"
    server_prefix = "i-"
    id_digits = 16
    lags = True
    operations: Mapping[Capability, str] = {}
    """The provider's operation for CREATE, CREATE_GROUP, DELETE, RESTORE and ROLL_BACK."""

    def __init__(self, **options: str) -> None:
        self.options = options
        self.place = RegionState(id=self.region, name=self.region)
        account = AccountState(
            provider=self.provider,
            key_id=self.key_id,
            secret=self.secret,
            label=self.account,
            regions={self.region: self.place},
        )
        if self.other_region:
            account.region(self.other_region)
        self.world = LaggingWorld(accounts=[account])
        self.emulator = Emulator(self.world)
        self.http = Http()
        self.made = 0
        self.absent_id = self.snapshot_prefix + "0" * self.id_digits
        self.absent_group_id = self.group_prefix + "0" * self.id_digits

    def open(
        self, *, keep_raw: bool = False, secret: str | None = None, region: str | None = None
    ) -> Driver:
        """Return a driver for the emulator's endpoint."""
        wanted = region or self.region
        (target,) = (one for one in self.emulator.targets(self.provider) if one.region == wanted)
        extra: Mapping[str, Any] = dialect_class(self.provider).target_options()
        target = attrs.evolve(target, **extra)
        target = attrs.evolve(target, options={**target.options, **self.options})
        if secret is not None:
            target = self.with_secret(target, secret)
        clock = patient_clock(self.advance)
        return open_driver(target, http=self.http, clock=clock, keep_raw=keep_raw)

    def with_secret(self, target: Target, secret: str) -> Target:
        """Return *target* with another secret."""
        return attrs.evolve(target, credentials=Credentials(key_id=self.key_id, secret=secret))

    def add(self, *seeds: Seed) -> list[str]:
        """Put snapshots into the emulated region."""
        with self.emulator.world.lock:
            records = [self.record(seed) for seed in seeds]
            self.place.add(*records, *(self.disk(seed) for seed in seeds))
        return [record.id for record in records]

    def add_disks(self, *numbers: int, server: int = 1, size_gib: int = 40) -> list[str]:
        """Put disks into the emulated region."""
        seeds = [Seed(disk=one, server=server, size_gib=size_gib) for one in numbers]
        with self.emulator.world.lock:
            self.place.add(*(self.disk(seed) for seed in seeds))
        return [self.disk_id(one) for one in numbers]

    def disk(self, seed: Seed) -> Disk:
        """Return the disk of *seed*."""
        return Disk(
            id=self.disk_id(seed.disk),
            size_gib=seed.size_gib,
            role=seed.role,
            category=self.category,
            instance_id=self.server_id(seed.server),
            zone=self.zone,
        )

    def record(self, seed: Seed) -> SnapshotRecord:
        """Return the record of *seed*."""
        case = seed.status
        return SnapshotRecord(
            id=self.new_id(self.snapshot_prefix),
            disk_id=self.disk_id(seed.disk),
            size_gib=seed.size_gib,
            role=seed.role,
            instance_id=self.server_id(seed.server),
            zone=self.zone,
            category=self.category,
            name=seed.name,
            description=seed.description,
            started_at=seconds(seed.made_at),
            encrypted=seed.encrypted,
            tags=dict(seed.tags),
            word=case.sent if case else None,
            row=dict(case.row if case else {}) | dict(seed.row),
        )

    def add_group(self, seed: GroupSeed) -> list[str]:
        """Put a group into the emulated region, or only its snapshots where it has none."""
        ids = self.add(*seed.members())
        if Capability.GROUPS in driver_class(self.provider).capabilities:
            record = GroupRecord(
                id=self.new_id(self.group_prefix),
                snapshot_ids=ids,
                name=seed.name,
                description=seed.description,
                created_at=seconds(seed.made_at),
                instance_id=self.server_id(seed.server),
                tags=dict(seed.tags),
                word=seed.status.sent if seed.status else None,
                row=dict(seed.status.row) if seed.status else {},
            )
            with self.emulator.world.lock:
                self.place.add(record)
        return ids

    def remove(self, *ids: str) -> None:
        """Take snapshots out of the emulated region."""
        with self.emulator.world.lock:
            for snapshot_id in ids:
                del self.place.snapshots[snapshot_id]

    def refuse(self, failure: Failure, *, skip: int = 0) -> None:
        """Let the emulator refuse."""
        fault = Fault(kind="refuse", failure=failure, times=None, skip=skip)
        self.emulator.faults[:] = [fault]

    @property
    def requests(self) -> int:
        """How many requests have arrived."""
        return len(self.emulator.log)

    def sent(self, act: Capability) -> int:
        """How many requests for *act* have arrived."""
        return sum(one.operation == self.operations[act] for one in self.emulator.log)

    def lose(self, act: Capability, how: Lost, *, times: int = 1) -> None:
        """Let the emulator cut connections."""
        fault = Fault(kind=CUTS[how], operation=self.operations[act], times=times)
        self.emulator.faults.append(fault)

    def lag(self, seconds: float) -> None:
        """Hide what is new, where the dialect knows how."""
        self.world.lag = seconds

    def advance(self, seconds: float) -> None:
        """Move the emulated clock."""
        self.emulator.world.clock.advance(seconds)

    def living(self) -> list[str]:
        """Return the ids of the snapshots there are."""
        world = self.emulator.world
        with world.lock:
            now = world.clock.now()
            kept = self.place.snapshots.values()
            return sorted(one.id for one in kept if one.stage(now) is not Stage.DELETED)

    def disks_there(self) -> list[str]:
        """Return the ids of the disks there are."""
        return sorted(self.place.disks)

    def use_in_image(self, snapshot_id: str) -> None:
        """Make an image stand on a snapshot."""
        self.place.snapshots[snapshot_id].images = 1

    def doom(self, snapshot_id: str) -> None:
        """Let a snapshot fail that is being made."""
        self.place.snapshots[snapshot_id].fails = True

    def build_on(self, child: str, parent: str) -> None:
        """Make *child* build on *parent*."""
        record = self.place.snapshots[child]
        record.parent_id, record.full = parent, False
        record.root_id = self.place.snapshots[parent].root_id or parent

    def disk_id(self, number: int) -> str:
        """Return the id of disk *number*."""
        return f"{self.disk_prefix}{number:0{self.id_digits}d}"

    def server_id(self, number: int) -> str:
        """Return the id of server *number*."""
        return f"{self.server_prefix}{number:0{self.id_digits}d}"

    def new_id(self, prefix: str) -> str:
        """Return an id that was not given out before."""
        self.made += 1
        return f"{prefix}{self.made:0{self.id_digits}d}"

    def close(self) -> None:
        """Stop the emulator."""
        self.http.close()
        self.emulator.close()


def seconds(moment: datetime) -> float:
    """Return *moment* in seconds since 1970."""
    return moment.timestamp()
