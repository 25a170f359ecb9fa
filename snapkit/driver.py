"""What an adapter implements; applications use snapkit.Client instead.

An adapter is a class derived from :class:`Driver`. It is opened with a :class:`Connection`
for one account in one region, and answers one page per call. Loops, filtering, retry, rate
and completeness are the core's; an adapter that does them too does them twice.
"""

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import attrs

from snapkit.credentials import CredentialSource, EnvironmentNames
from snapkit.errors import ConfigurationError, UnsupportedError
from snapkit.model import Kind, Region, Snapshot, SnapshotGroup, Tags
from snapkit.paging import Cursor, Page
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.rate import Rate
from snapkit.rules import Rules
from snapkit.sources import KeyPlace, Role, Surroundings
from snapkit.transport import Transport
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

__all__ = ["SEAM", "Capability", "Connection", "Driver", "Limits", "Option"]

SEAM = 1
"""The version of this interface; it grows when an adapter must change."""


class Capability(enum.Enum):
    """What an adapter can do; asked before anything is sent."""

    GROUPS = "groups"
    """The provider keeps snapshot groups."""
    DERIVED_GROUPS = "derived groups"
    """Groups are inferred from the snapshots of one call."""
    REGIONS = "regions"
    """The provider lists its regions."""
    DISKS = "disks"
    """The disks of an instance can be listed."""
    CREATE = "create"
    CHOOSE_KIND = "choose full or incremental"
    CREATE_GROUP = "create group"
    RENAME = "rename"
    DESCRIBE = "describe"
    EXPIRE = "set or clear expiry"
    TAG = "tag"
    RENAME_GROUP = "rename group"
    DESCRIBE_GROUP = "describe group"
    TAG_GROUP = "tag group"
    DELETE = "delete"
    DELETE_GROUP = "delete group"
    RESTORE = "restore to a new disk"
    ROLL_BACK = "roll back in place"
    ROLL_BACK_GROUP = "roll back a group"
    COPY = "copy to another region"
    SHARE = "share"
    LOCK = "lock"


@attrs.frozen(kw_only=True)
class Limits:
    """How much fits in one request; None: the filter cannot be pushed down."""

    page: int = 100
    ids: int = 100
    disk_ids: int | None = None
    group_ids: int | None = None
    tag_ids: int = 50
    """Things that one call can tag."""
    delete_ids: int = 1
    """Snapshots that one call can delete."""


@attrs.frozen(kw_only=True)
class Option:
    """A choice a user has with one adapter; the first of *choices* is the default.

    Without choices any text is taken and the default is empty.
    """

    help: str
    choices: Sequence[str] = ()


@attrs.frozen(kw_only=True)
class Connection:
    """What the core hands an adapter: one account in one region, and the way there.

    ``endpoint`` is a checked URL without a trailing slash, or None for the provider's own;
    ``options`` has a value for each option that the driver declares; ``keep_raw`` asks for
    the provider's whole rows.
    """

    region: str
    account: str
    transport: Transport
    endpoint: str | None = None
    options: Mapping[str, str] = attrs.field(factory=dict[str, str])
    keep_raw: bool = False


class Driver(ABC):
    """One provider, as seen from one account in one region.

    The core guarantees: *limit* is within 1..limits.page; a ``Position`` cursor of an
    aligned listing starts at a multiple of *limit*; query fields hold no more values than
    ``limits`` allows; nothing is called that ``capabilities`` does not name.

    The adapter guarantees: every error is a SnapkitError, classified by the provider's code;
    an error is never an empty page; rows that cannot be read are named in ``Page.troubles``;
    an unknown status is ``UNKNOWN``; times are aware and sizes bytes.
    """

    seam: ClassVar[int] = 1
    """The version of this interface that the adapter is written for; 1 if it does not say."""
    name: ClassVar[str]
    """The word in targets and references, in lower case."""
    title: ClassVar[str]
    """The provider's product for people."""
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    refusals: ClassVar[Mapping[Capability, str]] = {}
    """Why a capability is missing, and where there is one the other way."""
    limits: ClassVar[Limits] = Limits()
    rates: ClassVar[Mapping[str, Rate]] = {}
    """Documented limits by operation; the entry ``""`` is for all others together."""
    environment: ClassVar[EnvironmentNames]
    """Where keys stand; without any names in ``keys`` the provider needs none."""
    credential_files: ClassVar[Sequence[str]] = ()
    """The files in which the vendor's own tools keep keys; ``~`` is the user's home."""
    options: ClassVar[Mapping[str, Option]] = {}
    home_region: ClassVar[str]
    """Where to ask what regions there are."""

    marker: ClassVar[MarkerPlace] = MarkerPlace.TOKEN
    """How a caller's snapshot can be recognised again after a lost answer."""
    group_marker: ClassVar[MarkerPlace] = MarkerPlace.TOKEN
    disk_marker: ClassVar[MarkerPlace] = MarkerPlace.TOKEN
    groups_by_instance: ClassVar[bool] = True
    """Whether a group can be asked for by instance; else by disks only."""
    rules: ClassVar[Rules] = Rules()
    """The provider's documented forms of names, descriptions and tags, checked before sending."""
    deletes_subtree: ClassVar[bool] = False
    """Whether deleting a snapshot deletes those that build on it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @abstractmethod
    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        """Return one page of at most *limit* rows.

        May return snapshots that do not match *query*: the client filters again. Must not
        leave out one that matches. Ids that are not there give an empty page, not an error.
        """

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        """Return one page of groups, under the same duties; for Capability.GROUPS."""
        del query, cursor, limit
        raise self.unsupported(Capability.GROUPS)

    def derive_groups(self, snapshots: Sequence[Snapshot]) -> list[SnapshotGroup]:
        """Return the groups inferred from all *snapshots* here; for DERIVED_GROUPS.

        A group must stand on more than an equal time; what is not certain is no group.
        """
        del snapshots
        raise self.unsupported(Capability.DERIVED_GROUPS)

    def list_regions(self) -> list[Region]:
        """Return the provider's regions, whatever region this is; for Capability.REGIONS."""
        raise self.unsupported(Capability.REGIONS)

    def list_disks(self, query: DiskQuery, *, cursor: Cursor | None, limit: int) -> Page[Disk]:
        """Return one page of disks; for Capability.DISKS."""
        del query, cursor, limit
        raise self.unsupported(Capability.DISKS)

    def create_snapshot(self, new: NewSnapshot) -> str:
        """Start a snapshot and return its id; for Capability.CREATE.

        Sends ``new.token`` where the API has a client token (Safety.TOKEN), else calls with
        Safety.ONCE so that nothing is sent twice. Name and tags carry a marker already.
        """
        del new
        raise self.unsupported(Capability.CREATE)

    def create_group(self, new: NewGroup) -> GroupMade:
        """Start a group and return its id, or the ids of its members where it is derived."""
        del new
        raise self.unsupported(Capability.CREATE_GROUP)

    def finish_snapshot(self, snapshot_id: str, new: NewSnapshot) -> None:
        """Set what the creating call could not (description, tags); nothing where it could.

        Called after each adoption too, so it must be fine to do twice.
        """
        del snapshot_id, new

    def disks_named(self, name: str) -> list[Disk]:
        """Return the disks called *name*; for providers whose ``disk_marker`` is NAME."""
        del name
        raise self.unsupported(Capability.DISKS)

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        """Rename, describe, set or clear the expiry; may be sent twice (Safety.REPEATABLE)."""
        del snapshot_id, change
        raise self.unsupported(Capability.RENAME)

    def change_group(self, group_id: str, change: Change) -> None:
        """Rename or describe a group; for Capability.RENAME_GROUP."""
        del group_id, change
        raise self.unsupported(Capability.RENAME_GROUP)

    def tag(self, kind: Kind, ids: Sequence[str], tags: Tags) -> list[ItemResult]:
        """Set *tags* on at most ``limits.tag_ids`` things; for Capability.TAG."""
        del kind, ids, tags
        raise self.unsupported(Capability.TAG)

    def untag(self, kind: Kind, ids: Sequence[str], keys: Sequence[str]) -> list[ItemResult]:
        """Take the tags with *keys* away; for Capability.TAG."""
        del kind, ids, keys
        raise self.unsupported(Capability.TAG)

    def delete_snapshots(self, ids: Sequence[str], *, force: bool) -> list[ItemResult]:
        """Delete at most ``limits.delete_ids`` snapshots and say how each ended.

        An id that is not there is ``absent``, not an error. A failure hidden in a success is
        opened. What fails as a whole raises.
        """
        del ids, force
        raise self.unsupported(Capability.DELETE)

    def delete_group(self, group: SnapshotGroup, *, force: bool) -> list[ItemResult]:
        """Delete a group with its members and say how each ended; for DELETE_GROUP."""
        del group, force
        raise self.unsupported(Capability.DELETE_GROUP)

    def create_disk(self, new: NewDisk) -> str:
        """Start a disk from a snapshot and return the disk's id; for Capability.RESTORE."""
        del new
        raise self.unsupported(Capability.RESTORE)

    def roll_back(
        self, pairs: Sequence[RollBack], *, group_id: str | None, stop: bool, start: bool
    ) -> list[ItemResult]:
        """Put disks back in place; never sent twice (Safety.ONCE); for Capability.ROLL_BACK.

        *stop* and *start* allow the provider to stop the instance before and start it after.
        """
        del pairs, group_id, stop, start
        raise self.unsupported(Capability.ROLL_BACK)

    def copy_snapshot(self, order: CopyOrder) -> list[Copied]:
        """Start copies and say how each region went; for Capability.COPY."""
        del order
        raise self.unsupported(Capability.COPY)

    def share(self, ids: Sequence[str], accounts: Sequence[str], *, share: bool) -> None:
        """Share snapshots with accounts, or stop sharing them; for Capability.SHARE."""
        del ids, accounts, share
        raise self.unsupported(Capability.SHARE)

    def lock(self, snapshot_id: str, *, days: int | None) -> None:
        """Lock against deletion for *days*, or with None unlock; for Capability.LOCK."""
        del snapshot_id, days
        raise self.unsupported(Capability.LOCK)

    def blockers(self, capability: Capability, snapshot: Snapshot) -> Sequence[Blocker]:
        """Return what only this provider knows to stand against *capability* on *snapshot*.

        *snapshot* comes from a get with its raw row.
        """
        del capability, snapshot
        return ()

    def close(self) -> None:
        """Release what the adapter itself holds. Calling it twice is fine."""
        return

    @classmethod
    def key_sources(cls) -> Sequence[KeyPlace]:
        """Return where to look for keys after the environment, in the vendor's own order."""
        return ()

    @classmethod
    def instance_source(cls, around: Surroundings) -> CredentialSource:
        """Return the credentials of this machine's own role; called only when asked for."""
        del around
        raise UnsupportedError(
            f"{cls.name} offers no credentials of the machine's own", provider=cls.name
        )

    @classmethod
    def assumed(cls, role: Role, base: CredentialSource, around: Surroundings) -> CredentialSource:
        """Return the credentials of *role*, taken on with those of *base* when first needed."""
        del role, base, around
        raise UnsupportedError(f"{cls.name} offers no roles to take on", provider=cls.name)

    @classmethod
    def unsupported(cls, capability: Capability) -> UnsupportedError:
        """Return the error that says why *capability* is missing."""
        return UnsupportedError(
            f"{cls.name} does not offer {capability.value}",
            provider=cls.name,
            hint=cls.refusals.get(capability),
        )

    @classmethod
    def checked_options(cls, given: Mapping[str, str]) -> dict[str, str]:
        """Return a value for every option, from *given* or the default.

        Raises ConfigurationError for an option or a choice that does not exist.
        """
        for name, value in given.items():
            option = cls.options.get(name)
            if option is None:
                raise ConfigurationError(
                    f"{cls.name} has no option {name!r}",
                    hint=f"known: {', '.join(sorted(cls.options)) or 'none'}",
                )
            if option.choices and value not in option.choices:
                raise ConfigurationError(
                    f"option {name!r} of {cls.name} cannot be {value!r}",
                    hint=f"choose from {', '.join(option.choices)}",
                )
        defaults = {
            name: option.choices[0] if option.choices else ""
            for name, option in cls.options.items()
        }
        return defaults | dict(given)
