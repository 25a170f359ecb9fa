"""What to make, change, restore, copy and delete: neutral values that drivers carry out."""

import enum
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from snapkit.errors import SnapkitError
from snapkit.model import DiskRole, Kind, Snapshot, SnapshotGroup, SnapshotKind, Tags

__all__ = [
    "MARKER_TAG",
    "Blocker",
    "Change",
    "Copied",
    "CopyOrder",
    "Disk",
    "DiskQuery",
    "GroupMade",
    "ItemResult",
    "MarkerPlace",
    "NewDisk",
    "NewGroup",
    "NewSnapshot",
    "Reason",
    "RollBack",
    "carries",
    "marked_name",
    "marker_of",
]


class MarkerPlace(enum.Enum):
    """How a provider lets a caller recognise its own request."""

    TOKEN = "client-token"  # noqa: S105 - the name of a way, not a secret
    """The API takes a client token: the same token gives the same snapshot."""
    TAG = "tag"
    """No token; a tag can be set in the same call."""
    NAME = "name"
    """No token and no tags; the name must carry the marker."""


NO_TAGS = Tags()
MARKER_TAG = "snapkit-key"
_MARK = "~"


def marker_of(key: str) -> str:
    """Return the short text that stands for the idempotency *key* in tags and names."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def marked_name(name: str | None, marker: str) -> str:
    """Return *name* with *marker* at its end."""
    return f"{name or 'snapkit'}{_MARK}{marker}"


def carries(made: Snapshot | SnapshotGroup, marker: str) -> bool:
    """Whether a snapshot or group was *made* with *marker*, in its tags or its name."""
    tagged = made.tags is not None and made.tags.get(MARKER_TAG) == marker
    return tagged or (made.name or "").endswith(f"{_MARK}{marker}")


@attrs.frozen(kw_only=True)
class NewSnapshot:
    """A snapshot to make of one disk.

    ``expires_at`` None keeps it until somebody deletes it. ``kind`` FULL asks for one that
    stands alone where the provider leaves the choice; UNKNOWN leaves it to the provider.
    ``token`` is the client token to send where there is one.
    """

    disk_id: str
    name: str | None = None
    description: str | None = None
    tags: Tags = NO_TAGS
    expires_at: datetime | None = None
    kind: SnapshotKind = SnapshotKind.UNKNOWN
    token: str = ""


@attrs.frozen(kw_only=True)
class NewGroup:
    """Snapshots to take together: of an instance's disks, or of the disks named.

    ``disk_ids`` and ``exclude_disk_ids`` exclude each other.
    """

    instance_id: str | None = None
    disk_ids: tuple[str, ...] = ()
    exclude_disk_ids: tuple[str, ...] = ()
    name: str | None = None
    description: str | None = None
    tags: Tags = NO_TAGS
    kind: SnapshotKind = SnapshotKind.UNKNOWN
    token: str = ""


@attrs.frozen(kw_only=True)
class GroupMade:
    """A group that was started: its id, or where groups are derived the ids of its members."""

    group_id: str | None = None
    snapshot_ids: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Change:
    """What to change about a snapshot or group; a field of None stays as it is.

    An empty ``name`` or ``description`` clears it where the provider can. ``permanent`` True
    takes the expiry away.
    """

    name: str | None = None
    description: str | None = None
    expires_at: datetime | None = None
    permanent: bool = False


@attrs.frozen(kw_only=True)
class Disk:
    """A disk as it is now: what can be snapshotted, rolled back or was restored.

    ``busy`` is whether it is attaching, being rolled back, or otherwise between two states.
    """

    id: str
    name: str | None = None
    role: DiskRole = DiskRole.UNKNOWN
    size_bytes: int | None = None
    raw_status: str | None = None
    busy: bool = False
    instance_id: str | None = None
    zone: str | None = None
    raw_category: str | None = None
    snapshot_id: str | None = None
    """The snapshot that it was made from, where the provider says."""
    raw: Mapping[str, Any] | None = attrs.field(default=None, repr=False, eq=False, hash=False)


@attrs.frozen(kw_only=True)
class DiskQuery:
    """Which disks: these ids, or all of one instance. Exactly one of the two is given."""

    ids: frozenset[str] | None = None
    instance_id: str | None = None


@attrs.frozen(kw_only=True)
class NewDisk:
    """A disk to make from a snapshot.

    ``size_bytes`` None takes the snapshot's size; ``raw_category`` is the provider's product
    name, None takes its default or the source's.
    """

    snapshot_id: str
    zone: str | None = None
    name: str | None = None
    size_bytes: int | None = None
    raw_category: str | None = None
    tags: Tags = NO_TAGS
    token: str = ""


@attrs.frozen(kw_only=True)
class RollBack:
    """A disk to put back to one of its own snapshots; all that is newer on it is lost."""

    snapshot_id: str
    disk_id: str


@attrs.frozen(kw_only=True)
class CopyOrder:
    """A snapshot to copy to other regions of the same provider."""

    snapshot_id: str
    regions: tuple[str, ...]
    name: str | None = None
    description: str | None = None
    expires_at: datetime | None = None
    tags: Tags = NO_TAGS
    token: str = ""


@attrs.frozen(kw_only=True)
class ItemResult:
    """How one item of a request ended; *error* None means that it worked."""

    id: str
    kind: Kind = Kind.SNAPSHOT
    error: SnapkitError | None = attrs.field(default=None, eq=False)
    absent: bool = False
    """It was not there, which is what a deletion wants."""

    @property
    def ok(self) -> bool:
        """Whether the item is as it was wanted."""
        return self.error is None


@attrs.frozen(kw_only=True)
class Copied:
    """How the copy to one region went: the new id there, or the error."""

    region: str
    snapshot_id: str | None = None
    error: SnapkitError | None = attrs.field(default=None, eq=False)


class Reason(enum.Enum):
    """Why a snapshot cannot be deleted, restored or rolled back now."""

    IMAGE = "used by an image"
    DISK = "used by a disk"
    SHARED = "shared with other accounts"
    LOCKED = "locked"
    COPYING = "being copied"
    BUSY = "between two states"
    DESCENDANTS = "others build on it"
    NOT_READY = "not ready"
    GONE = "deleted"
    COPY = "a copy, not taken from that disk"
    SYSTEM_DISK = "taken from a system disk"


@attrs.frozen(kw_only=True)
class Blocker:
    """One reason against an operation; *forced* is whether the caller may override it."""

    reason: Reason
    detail: str = ""
    names: tuple[str, ...] = ()
    """What stands in the way, by id."""
    forced: bool = False

    def __str__(self) -> str:
        named = f": {', '.join(self.names)}" if self.names else ""
        return f"{self.detail or self.reason.value}{named}"
