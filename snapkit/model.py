"""The provider-neutral model: what a snapshot and a snapshot group are, whoever holds them.

Times are aware UTC datetimes, sizes are whole bytes, and None means that the provider does
not say: never zero, never an empty text.
"""

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Self
from urllib.parse import quote, unquote

import attrs

from snapkit.errors import QueryError

__all__ = [
    "Consistency",
    "DiskCategory",
    "DiskRole",
    "Kind",
    "Membership",
    "Origin",
    "Ref",
    "Region",
    "Snapshot",
    "SnapshotGroup",
    "SnapshotKind",
    "SnapshotStatus",
    "SourceDisk",
    "Tags",
    "Usage",
    "group_status",
]


class SnapshotStatus(enum.Enum):
    """What a caller may do next, not what the provider calls it."""

    CREATING = "creating"
    AVAILABLE = "available"
    RESTORING = "restoring"
    """A disk is being rolled back to it."""
    COPYING = "copying"
    """The data is still arriving from another region."""
    VERIFYING = "verifying"
    """A copy has arrived and is being checked."""
    SUSPENDED = "suspended"
    """Withheld by the provider, usually for unpaid bills."""
    DELETING = "deleting"
    DELETED = "deleted"
    RECYCLED = "recycled"
    """In the provider's recycle bin."""
    FAILED = "failed"
    DEGRADED = "degraded"
    """Groups only: a member is missing."""
    UNKNOWN = "unknown"
    """The provider said something this version does not know; see raw_status."""


class DiskRole(enum.Enum):
    """What a disk is used for."""

    SYSTEM = "system"
    DATA = "data"
    UNKNOWN = "unknown"


class DiskCategory(enum.Enum):
    """The performance class of a disk; raw_category has the provider's product name."""

    HDD = "hdd"
    HYBRID = "hybrid"
    """HDD with a flash cache, or entry-level flash without a promised rate."""
    SSD = "ssd"
    HIGH_SSD = "high-ssd"
    """Flash whose rate grows with size or can be bought."""
    EXTREME_SSD = "extreme-ssd"
    LOCAL = "local"
    UNKNOWN = "unknown"


class SnapshotKind(enum.Enum):
    """Whether a snapshot stands alone or builds on its parent."""

    FULL = "full"
    INCREMENTAL = "incremental"
    UNKNOWN = "unknown"


class Origin(enum.Enum):
    """Who or what made a snapshot."""

    MANUAL = "manual"
    POLICY = "policy"
    COPY = "copy"
    SHARED = "shared"
    UNKNOWN = "unknown"


class Consistency(enum.Enum):
    """What the provider promises about the members of a group."""

    CRASH = "crash"
    APPLICATION = "application"
    NONE = "none"
    UNKNOWN = "unknown"


class Membership(enum.Enum):
    """Whether the provider keeps the group, or snapkit inferred it."""

    NATIVE = "native"
    DERIVED = "derived"


class Kind(enum.Enum):
    """What a reference or a scope is about."""

    SNAPSHOT = "snapshot"
    GROUP = "group"


class Tags(Mapping[str, str]):
    """Tags in the provider's order, immutable and hashable; the last of equal keys wins."""

    __slots__ = ("_pairs",)
    _pairs: tuple[tuple[str, str], ...]

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._pairs = tuple(dict(pairs).items())

    def __getitem__(self, key: str) -> str:
        for name, value in self._pairs:
            if name == key:
                return value
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __hash__(self) -> int:
        return hash(frozenset(self._pairs))

    def __repr__(self) -> str:
        return f"Tags({dict(self._pairs)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Tags, (self._pairs,)


_REF = re.compile(
    r"(?P<provider>[a-z][a-z0-9_-]*):(?:(?P<account>[^@/:]*)@)?(?P<region>[^@/:]+)"
    r"/(?:(?P<group>group)/)?(?P<id>[^/]+)"
)


def _quoted(text: str) -> str:
    return quote(text, safe="-._~*", errors="surrogatepass")


def _unquoted(text: str) -> str:
    try:
        return unquote(text, errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise QueryError(f"cannot read the reference part {text!r}") from error


@attrs.frozen(order=True)
class Ref:
    """The address of a snapshot or group; prints as ``provider:account@region/id``.

    Without an account label the ``account@`` is left out; groups print as
    ``provider:region/group/id``. Characters that would be ambiguous are percent-encoded.
    """

    provider: str
    account: str
    region: str
    id: str
    kind: Kind = attrs.field(default=Kind.SNAPSHOT, order=lambda kind: kind.value)

    def __str__(self) -> str:
        account = f"{_quoted(self.account)}@" if self.account else ""
        group = "group/" if self.kind is Kind.GROUP else ""
        return f"{self.provider}:{account}{self.region}/{group}{_quoted(self.id)}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the reference that *text* is, or raise QueryError."""
        found = _REF.fullmatch(text)
        if found is None:
            raise QueryError(
                f"cannot read the reference {text!r}",
                hint="write provider:region/id, provider:account@region/id"
                " or provider:region/group/id",
            )
        return cls(
            provider=found["provider"],
            account=_unquoted(found["account"] or ""),
            region=found["region"],
            id=_unquoted(found["id"]),
            kind=Kind.GROUP if found["group"] else Kind.SNAPSHOT,
        )


@attrs.frozen(kw_only=True)
class SourceDisk:
    """The disk a snapshot was taken from; it may be gone by now."""

    id: str | None = None
    role: DiskRole = DiskRole.UNKNOWN
    category: DiskCategory = DiskCategory.UNKNOWN
    raw_category: str | None = None
    size_bytes: int | None = None
    instance_id: str | None = None
    zone: str | None = None


@attrs.frozen(kw_only=True)
class Usage:
    """What stands on a snapshot; each is a count, None when the provider does not say."""

    images: int | None = None
    disks: int | None = None
    shares: int | None = None


NOWHERE = SourceDisk()
UNSAID = Usage()


# A class with a slot for weak references cannot take an object of another class over (drafting).
@attrs.frozen(kw_only=True, weakref_slot=False)
class Snapshot:
    """One point-in-time copy of one disk.

    ``cut_at`` is the moment of the data, ``created_at`` when the provider says that the
    snapshot came into being, ``completed_at`` when it became complete. ``size_bytes`` is the
    smallest disk it restores to, ``stored_bytes`` what it occupies. ``restorable`` is
    whether a restore would work now, ``progress`` runs from 0 to 100. ``tags`` is None when
    the provider does not say and empty when there are none. ``raw`` is the provider's whole
    answer where it was asked for.
    """

    id: str
    provider: str
    account: str
    region: str
    name: str | None = None
    description: str | None = None
    status: SnapshotStatus
    raw_status: str | None
    status_reason: str | None = None
    restorable: bool | None = None
    progress: int | None = None
    created_at: datetime | None = None
    cut_at: datetime | None = None
    completed_at: datetime | None = None
    source: SourceDisk = NOWHERE
    size_bytes: int | None = None
    stored_bytes: int | None = None
    kind: SnapshotKind = SnapshotKind.UNKNOWN
    parent_id: str | None = None
    root_id: str | None = None
    origin: Origin = Origin.UNKNOWN
    expires_at: datetime | None = None
    encrypted: bool | None = None
    kms_key_id: str | None = None
    usage: Usage = UNSAID
    locked: bool | None = None
    group_id: str | None = None
    tags: Tags | None = None
    raw: Mapping[str, Any] | None = attrs.field(default=None, repr=False, eq=False, hash=False)

    @property
    def ref(self) -> Ref:
        """The address of this snapshot."""
        return Ref(self.provider, self.account, self.region, self.id)


@attrs.frozen(kw_only=True)
class SnapshotGroup:
    """Snapshots of several disks taken together.

    ``members`` are in the state that the provider gave with the group. ``membership`` tells
    a group that the provider keeps from one that snapkit inferred.
    """

    id: str
    provider: str
    account: str
    region: str
    name: str | None = None
    description: str | None = None
    status: SnapshotStatus
    raw_status: str | None
    progress: int | None = None
    created_at: datetime | None = None
    instance_id: str | None = None
    members: tuple[Snapshot, ...] = ()
    consistency: Consistency = Consistency.UNKNOWN
    membership: Membership = Membership.NATIVE
    tags: Tags | None = None
    raw: Mapping[str, Any] | None = attrs.field(default=None, repr=False, eq=False, hash=False)

    @property
    def ref(self) -> Ref:
        """The address of this group."""
        return Ref(self.provider, self.account, self.region, self.id, Kind.GROUP)

    @property
    def size_bytes(self) -> int | None:
        """The sum of the members' sizes, None when one or all of them are unknown."""
        sizes = [member.size_bytes for member in self.members]
        known = [size for size in sizes if size is not None]
        return sum(known) if known and len(known) == len(sizes) else None


@attrs.frozen(kw_only=True)
class Region:
    """A place where a provider keeps snapshots; *open* is whether it takes new ones."""

    provider: str
    id: str
    name: str | None = None
    open: bool | None = None


_WORST_FIRST = (
    SnapshotStatus.FAILED,
    SnapshotStatus.CREATING,
    SnapshotStatus.COPYING,
    SnapshotStatus.VERIFYING,
    SnapshotStatus.RESTORING,
    SnapshotStatus.SUSPENDED,
    SnapshotStatus.UNKNOWN,
    SnapshotStatus.AVAILABLE,
)
_GOING = {SnapshotStatus.DELETING, SnapshotStatus.DELETED, SnapshotStatus.RECYCLED}


def group_status(members: Iterable[SnapshotStatus], *, missing: bool = False) -> SnapshotStatus:
    """Return the status of a group from its *members*, where the provider gives none.

    Any failed member makes it failed, any creating one creating; one that is gone or
    *missing* makes it degraded, unless all of them are going.
    """
    found = set(members)
    if not found:
        return SnapshotStatus.DEGRADED if missing else SnapshotStatus.UNKNOWN
    for status in (SnapshotStatus.FAILED, SnapshotStatus.CREATING):
        if status in found:
            return status
    if found <= _GOING:
        return next(iter(found)) if len(found) == 1 else SnapshotStatus.DELETING
    if missing or found & _GOING:
        return SnapshotStatus.DEGRADED
    return next((status for status in _WORST_FIRST if status in found), SnapshotStatus.UNKNOWN)
