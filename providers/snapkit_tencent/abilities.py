"""What this cloud can do, why it cannot do the rest, and what stands against one snapshot."""

from collections.abc import Mapping

from snapkit.driver import Capability
from snapkit.model import DiskRole, Origin, Snapshot, SnapshotStatus
from snapkit.vocabulary import mapping, text
from snapkit.writes import Blocker, Reason

from .wire import is_list

__all__ = ["CAPABILITIES", "LEGACY_REFUSALS", "NEEDS_NEW_API", "REFUSALS", "blockers"]

NEEDS_NEW_API = "API 2.0 has no such action; use api=3.0"
_READ_ONLY = "the retired API 2.0 is spoken for reading only; use api=3.0"
_NO_DESCRIPTION = "the API has no descriptions; use a tag"

REFUSALS: Mapping[Capability, str] = {
    Capability.DERIVED_GROUPS: "the provider keeps the groups itself, so none are inferred",
    Capability.CHOOSE_KIND: "the provider decides what a snapshot stores; leave the kind open",
    Capability.DESCRIBE: _NO_DESCRIPTION,
    Capability.RENAME_GROUP: "the API cannot change a group; rename its snapshots",
    Capability.DESCRIBE_GROUP: "the API has no descriptions; name the group when it is made",
    Capability.TAG_GROUP: (
        "the API shows no tags of groups, so they could not be checked; tag the group's snapshots"
    ),
    Capability.LOCK: "the API shows IsLocked but has no public action for it; use the console",
}
CAPABILITIES = frozenset(
    {
        Capability.GROUPS,
        Capability.REGIONS,
        Capability.DISKS,
        Capability.CREATE,
        Capability.CREATE_GROUP,
        Capability.RENAME,
        Capability.EXPIRE,
        Capability.TAG,
        Capability.DELETE,
        Capability.DELETE_GROUP,
        Capability.RESTORE,
        Capability.ROLL_BACK,
        Capability.ROLL_BACK_GROUP,
        Capability.COPY,
        Capability.SHARE,
    }
)
LEGACY_REFUSALS: Mapping[Capability, str] = dict.fromkeys(Capability, _READ_ONLY) | {
    Capability.GROUPS: NEEDS_NEW_API,
    Capability.DERIVED_GROUPS: NEEDS_NEW_API,
    Capability.REGIONS: NEEDS_NEW_API,
}

_NOT_YET = (SnapshotStatus.CREATING, SnapshotStatus.COPYING, SnapshotStatus.RECYCLED)
"""Not NORMAL, beyond what the core itself takes for busy; of a new word the server judges."""


def blockers(capability: Capability, snapshot: Snapshot) -> tuple[Blocker, ...]:
    """Return what the vendor's rules have against *capability* on *snapshot*."""
    if capability is Capability.DELETE:
        return _against_deletion(snapshot)
    if capability is Capability.RESTORE and snapshot.source.role is DiskRole.SYSTEM:
        detail = "taken from a system disk: make an image of it, or roll that disk back"
        return (Blocker(reason=Reason.SYSTEM_DISK, detail=detail),)
    if capability is Capability.SHARE and snapshot.source.role is DiskRole.SYSTEM:
        return (Blocker(reason=Reason.SYSTEM_DISK),)
    if capability in (Capability.ROLL_BACK, Capability.ROLL_BACK_GROUP):
        copied = snapshot.origin is Origin.COPY or snapshot.source.id is None
        return (Blocker(reason=Reason.COPY),) if copied else ()
    return ()


def _against_deletion(snapshot: Snapshot) -> tuple[Blocker, ...]:
    found: list[Blocker] = []
    regions = _copying_to(snapshot)
    if regions:
        found.append(Blocker(reason=Reason.COPYING, detail="being copied to", names=regions))
    if snapshot.status in _NOT_YET:
        detail = f"not NORMAL but {snapshot.raw_status}"
        found.append(Blocker(reason=Reason.NOT_READY, detail=detail))
    return tuple(found)


def _copying_to(snapshot: Snapshot) -> tuple[str, ...]:
    listed = mapping(snapshot.raw).get("CopyingToRegions")
    named = [text(one) for one in listed] if is_list(listed) else []
    return tuple(one for one in named if one)
