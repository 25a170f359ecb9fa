"""The provider's side of the wire, as far as the contract must steer it."""

import enum
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import attrs

from snapkit.client import Client
from snapkit.credentials import Credentials, StaticSource
from snapkit.driver import Capability, Connection, Driver
from snapkit.errors import Failure
from snapkit.http import Http
from snapkit.model import DiskRole, SnapshotStatus
from snapkit.transport import Clock, Transport

__all__ = [
    "GroupSeed",
    "Harness",
    "Lost",
    "Seed",
    "StatusCase",
    "many",
    "open_directly",
    "patient_clock",
]

MOMENT = datetime(2024, 2, 29, 20, 30, tzinfo=UTC)
"""When seeds were made unless they say otherwise; east of UTC+3:30 it is another month."""


class Lost(enum.Enum):
    """Where an answer is lost."""

    BEFORE = "before the request arrived"
    AFTER = "after the provider acted"
    MIDDLE = "in the middle of the answer"


@attrs.frozen(kw_only=True)
class StatusCase:
    """A line of an adapter's status table.

    *raw* is what ``raw_status`` must read. ``word`` is what goes over the wire when that is
    something else, and ``row`` other wire fields that belong to the case.
    """

    raw: str
    status: SnapshotStatus
    restorable: bool | None = None
    word: str | None = None
    row: Mapping[str, Any] = attrs.field(factory=dict[str, Any], hash=False)

    @property
    def sent(self) -> str:
        """The status word on the wire."""
        return self.raw if self.word is None else self.word


@attrs.frozen(kw_only=True)
class Seed:
    """A snapshot to put behind the wire.

    ``disk`` and ``server`` are numbers that the harness turns into ids. Without a ``status``
    it is ready. ``row`` has wire fields that replace what would be rendered.
    """

    disk: int = 1
    server: int = 1
    role: DiskRole = DiskRole.DATA
    size_gib: int = 40
    name: str = ""
    description: str = ""
    tags: Mapping[str, str] = attrs.field(factory=dict[str, str], hash=False)
    made_at: datetime = MOMENT
    encrypted: bool = False
    status: StatusCase | None = None
    row: Mapping[str, Any] = attrs.field(factory=dict[str, Any], hash=False)


@attrs.frozen(kw_only=True)
class GroupSeed:
    """A group to put behind the wire: one snapshot for each of *disks*, of one server.

    ``statuses`` are those of the members, in order; missing ones are ready. ``status`` is the
    word of the group itself, for providers that give one.
    """

    disks: Sequence[int] = (1, 2, 3)
    server: int = 1
    name: str = "nightly"
    description: str = ""
    tags: Mapping[str, str] = attrs.field(factory=dict[str, str], hash=False)
    made_at: datetime = MOMENT
    statuses: Sequence[StatusCase] = ()
    status: StatusCase | None = None

    def members(self) -> list[Seed]:
        """Return the snapshots that belong to it."""
        ready: list[StatusCase | None] = [None] * len(self.disks)
        statuses = [*self.statuses, *ready]
        return [
            Seed(
                disk=disk,
                server=self.server,
                name=self.name,
                made_at=self.made_at,
                status=status,
            )
            for disk, status in zip(self.disks, statuses, strict=False)
        ]


def many(count: int, start: int = 0) -> list[Seed]:
    """Return *count* seeds, each made a minute after the one before it."""
    return [
        Seed(disk=1 + number % 7, made_at=MOMENT + timedelta(minutes=number))
        for number in range(start, start + count)
    ]


class Harness(ABC):
    """One account in one region behind the wire, empty at first.

    A harness keeps the real wire: it must reach the driver by what the provider would send,
    not by patching the driver.
    """

    provider: str
    account: str
    region: str
    secret: str
    """The key's secret; the contract looks for it in everything that is shown."""
    statuses: Sequence[StatusCase] = ()
    """The adapter's status table, deleted words included where they are listed."""
    group_statuses: Sequence[StatusCase] = ()
    """The table for groups, empty where the provider gives groups no status."""
    future: StatusCase = StatusCase(raw="defrosting", status=SnapshotStatus.UNKNOWN)
    """A status that no version of the provider has yet."""
    unsaid: frozenset[str] = frozenset()
    """Fields of Snapshot about which the provider never says anything; ``source.zone`` is one
    of its disk, ``group.tags`` one of a group."""
    spoilt: Mapping[str, Any] | None = None
    """Wire fields of a row that nobody can read: one without an id."""
    smallest_page: int = 10
    """Ask for no fewer rows than this; a provider may round up smaller pages."""
    selects_servers: bool = True
    """Whether snapshots can be selected by server."""
    absent_id: str = "s-0000000000000000"
    """Looks like a snapshot's id, and is none."""
    absent_group_id: str = "g-0000000000000000"

    bad_names: Sequence[str] = ()
    """Names of snapshots that the provider documents as refused."""
    bad_group_names: Sequence[str] = ()
    most_tags: int | None = None
    """How many tags the provider takes, None where it does not say."""
    restore_zone: str | None = None
    """Where to restore to, for providers that must be told."""
    other_region: str = ""
    """Where to copy to."""
    clears_expiry: bool = True
    """Whether an expiry can be taken away again."""
    sizes_disks: bool = True
    """Whether a restored disk can be made larger than its snapshot."""
    stops: bool = False
    """Whether a rollback must be allowed to stop the server and start it again."""
    deletes_subtree: bool = False
    """Whether the provider deletes with a snapshot those that build on it."""
    lags: bool = False
    """Whether what is new can be hidden for a while; see ``lag``."""

    @abstractmethod
    def open(
        self, *, keep_raw: bool = False, secret: str | None = None, region: str | None = None
    ) -> Driver:
        """Return a driver for the account, with the right secret unless *secret* is given.

        Its clock must not sleep, and what it does not sleep must pass for the provider: see
        ``patient_clock``. *region* is another than the harness's own, for copies.
        """

    @abstractmethod
    def add(self, *seeds: Seed) -> list[str]:
        """Put snapshots behind the wire and return their ids."""

    @abstractmethod
    def add_group(self, seed: GroupSeed) -> list[str]:
        """Put a group and its snapshots behind the wire and return the snapshots' ids.

        Where groups are derived, only the snapshots.
        """

    @abstractmethod
    def remove(self, *ids: str) -> None:
        """Take snapshots away at once, without a trace."""

    @abstractmethod
    def refuse(self, failure: Failure, *, skip: int = 0) -> None:
        """Answer all requests with *failure* in the provider's words, after *skip* good ones."""

    @property
    @abstractmethod
    def requests(self) -> int:
        """How many requests have arrived."""

    def add_disks(self, *numbers: int, server: int = 1, size_gib: int = 40) -> list[str]:
        """Put data disks of one server behind the wire, if they are not there, and return ids.

        This and the following are for clauses about writing; a harness for an adapter that
        only reads needs none of them.
        """
        raise NotImplementedError

    def living(self) -> list[str]:
        """Return the ids of all snapshots that are really there, hidden or not, sorted."""
        raise NotImplementedError

    def disks_there(self) -> list[str]:
        """Return the ids of all disks that are really there, sorted."""
        raise NotImplementedError

    def sent(self, act: Capability) -> int:
        """How many requests for *act* have arrived, lost answers included."""
        raise NotImplementedError

    def lose(self, act: Capability, how: Lost, *, times: int = 1) -> None:
        """Lose the answers to the next requests for *act*."""
        raise NotImplementedError

    def lag(self, seconds: float) -> None:
        """From now on, list nothing that is younger than *seconds*."""
        raise NotImplementedError

    def advance(self, seconds: float) -> None:
        """Move the provider's clock ahead."""
        raise NotImplementedError

    def use_in_image(self, snapshot_id: str) -> None:
        """Make an image stand on a snapshot."""
        raise NotImplementedError

    def doom(self, snapshot_id: str) -> None:
        """Let a snapshot fail that is being made."""
        raise NotImplementedError

    def build_on(self, child: str, parent: str) -> None:
        """Make the snapshot *child* build on *parent*, of the same disk."""
        raise NotImplementedError

    def allowed_tags(self, tags: Mapping[str, str]) -> Mapping[str, str]:
        """Return *tags* in a form that the provider takes."""
        return tags

    def disk_id(self, number: int) -> str:
        """Return the id of disk *number*."""
        return f"d-{number:016d}"

    def server_id(self, number: int) -> str:
        """Return the id of server *number*."""
        return f"i-{number:016d}"

    def source_id(self, seed: Seed) -> str:
        """Return what the provider calls the disk of *seed*."""
        return self.disk_id(seed.disk)

    def kept_tags(self, tags: Mapping[str, str]) -> Mapping[str, str]:
        """Return *tags* as they come back from a provider that cannot keep them as they are."""
        return tags

    def client(
        self, *, keep_raw: bool = False, secret: str | None = None, region: str | None = None
    ) -> Client:
        """Return a client on a new driver."""
        if region is None:
            return Client(self.open(keep_raw=keep_raw, secret=secret))
        return Client(self.open(keep_raw=keep_raw, secret=secret, region=region))

    def says(self, field: str) -> bool:
        """Whether the provider ever says anything about *field*."""
        return field not in self.unsaid

    def close(self) -> None:
        """Release what the harness holds."""
        return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def patient_clock(advance: Callable[[float], None] | None = None) -> Clock:
    """Return a clock whose sleep takes no time; signatures still see the real time.

    *advance* is called with the seconds that were not slept, to let them pass elsewhere.
    """
    slept = 0.0

    def sleep(seconds: float) -> None:
        nonlocal slept
        slept += seconds
        if advance is not None:
            advance(seconds)

    return Clock(monotonic=lambda: time.monotonic() + slept, sleep=sleep)


def open_directly(
    driver: type[Driver],
    *,
    region: str,
    credentials: Credentials,
    account: str = "",
    endpoint: str | None = None,
    options: Mapping[str, str] | None = None,
    keep_raw: bool = False,
    http: Http | None = None,
    clock: Clock | None = None,
) -> Driver:
    """Return a *driver* that need not be installed, opened as the core opens it."""
    transport = Transport(
        provider=driver.name,
        account=account,
        region=region,
        credentials=StaticSource(credentials),
        http=http or Http(),
        rates=driver.rates,
        clock=clock or patient_clock(),
    )
    return driver(
        Connection(
            region=region,
            account=account,
            transport=transport,
            endpoint=endpoint,
            options=driver.checked_options(options or {}),
            keep_raw=keep_raw,
        )
    )
