"""Disks as the service shows them, and what stands against using a snapshot; pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from snapkit.driver import Capability
from snapkit.model import DiskRole, Snapshot, SnapshotStatus
from snapkit.vocabulary import gib, lookup, mapping, rows, text
from snapkit.writes import Blocker, Disk, Reason
from snapkit_alibaba.wire import ROLES, Found, entries_of, found_in

__all__ = ["blockers", "parse_disk", "read_disks"]

_BUSY: Mapping[str, bool] = dict.fromkeys(
    ("attaching", "creating", "detaching", "reiniting", "re_initing"), True
)


def parse_disk(row: Mapping[str, Any], *, keep_raw: bool = False) -> Disk | None:
    """Return the disk of a row of DescribeDisks, None if it has no id.

    Its instance is blank with several attachments; the first of them is told then.
    """
    disk_id = text(row.get("DiskId"))
    if disk_id is None:
        return None
    word = text(row.get("Status"))
    return Disk(
        id=disk_id,
        name=text(row.get("DiskName")),
        role=lookup(ROLES, row.get("Type"), DiskRole.UNKNOWN),
        size_bytes=gib(row.get("Size")),
        raw_status=word,
        busy=lookup(_BUSY, word, False),
        instance_id=text(row.get("InstanceId")) or _attached_to(row),
        zone=text(row.get("ZoneId")),
        raw_category=text(row.get("Category")),
        snapshot_id=text(row.get("SourceSnapshotId")),
        raw=row if keep_raw else None,
    )


def _attached_to(row: Mapping[str, Any]) -> str | None:
    attachments = rows(row.get("Attachments"), "Attachment")
    named = (text(one.get("InstanceId")) for one in attachments)
    return next((one for one in named if one is not None), None)


def read_disks(answer: Mapping[str, Any], *, keep_raw: bool = False) -> Found[Disk]:
    """Return the disks of an answer to DescribeDisks."""
    entries = entries_of(answer, "Disks", "Disk")
    return found_in(entries, "DiskId", lambda row: parse_disk(row, keep_raw=keep_raw))


def blockers(capability: Capability, snapshot: Snapshot) -> Sequence[Blocker]:
    """Return what stands against *capability* beyond the snapshot's neutral state.

    Nothing about deleting: one that is still being made may be deleted, which cancels it.
    """
    category = text(mapping(snapshot.raw).get("Category"))
    archived = (category or "").casefold() == "archive"
    found: list[Blocker] = []
    if capability in (Capability.RESTORE, Capability.ROLL_BACK) and archived:
        found.append(Blocker(reason=Reason.NOT_READY, detail="archived"))
    # Usable is enough for a restore here, and not for a copy.
    usable = snapshot.restorable is True and snapshot.status is SnapshotStatus.CREATING
    if capability is Capability.COPY and usable:
        found.append(Blocker(reason=Reason.NOT_READY, detail="usable, but not complete yet"))
    return found
