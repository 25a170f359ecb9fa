"""The emulated service copies and locks snapshots, and makes and puts back disks."""

import json
from collections.abc import Mapping
from typing import Any

from snapkit.emulator.state import Disk, Pace, RegionState, SnapshotRecord, Stage
from snapkit.model import Origin
from snapkit_alibaba.dialect_auth import Refusal, no
from snapkit_alibaba.dialect_desk import DAY, Desk, Step, new_id
from snapkit_alibaba.dialect_rows import Row, gone, is_list, iso, numbered
from snapkit_alibaba.dialect_writes import outcome

__all__ = ["STEPS", "disk_rows"]

RESET = 5.0
"""Seconds that a rollback takes, and a new disk."""
COPYING = Pace(cut=1.0, usable=120.0, complete=120.0)
_MOST_RESETS = 10
_MOST_DISKS = 100


def create_disk(desk: Desk) -> Row:
    """CreateDisk from a snapshot."""
    zone = desk.required("ZoneId")
    if not zone.startswith(f"{desk.region.id}-"):
        no(404, "InvalidZoneId.NotFound", "The specified zone does not exist.")
    record = desk.snapshot(desk.required("SnapshotId"))
    name = desk.name("DiskName", "InvalidDiskName.Malformed", snapshot=False)
    desk.description("Description", "InvalidDescription.Malformed")
    size = desk.whole("Size", 1, 65536, "InvalidDiskSize.NotSupported")
    tags = desk.tags()
    if not desk.usable(record):
        no(403, "InvalidSnapshotId.NotReady", "The specified snapshot has not completed yet.")
    disk = Disk(
        id=new_id("d-"),
        size_gib=max(size or 0, record.size_gib),
        category=desk.form.get("DiskCategory", "cloud"),
        name=name,
        zone=zone,
        encrypted=record.encrypted,
        tags=tags,
    )
    desk.region.add(disk)
    record.disks += 1
    desk.memory.unused.add(disk.id)
    desk.memory.sources[disk.id] = record.id
    desk.memory.states[disk.id] = ("Creating", desk.now + RESET)
    return {"DiskId": disk.id, "OrderId": ""}


def reset_disk(desk: Desk) -> Row:
    """ResetDisk."""
    _reset(desk, desk.required("DiskId"), desk.required("SnapshotId"))
    return {}


def reset_disks(desk: Desk) -> Row:
    """ResetDisks: a success, with the disks that were refused inside."""
    disks = numbered(desk.form, "Disk", "DiskId")
    snapshots = numbered(desk.form, "Disk", "SnapshotId")
    if not disks or disks.keys() != snapshots.keys():
        no(400, "MissingParameter", "Each disk needs its DiskId and SnapshotId.")
    if len(disks) > _MOST_RESETS:
        no(400, "InvalidParameter", "The number of disks exceeds the limit.")
    ended: list[Row] = []
    for number, disk_id in sorted(disks.items()):
        refused: Refusal | None = None
        try:
            _reset(desk, disk_id, snapshots[number])
        except Refusal as refusal:
            refused = refusal
        ended.append(outcome(refused, DiskId=disk_id, SnapshotId=snapshots[number]))
    return {"OperationProgressSet": {"OperationProgress": ended}}


def _reset(desk: Desk, disk_id: str, snapshot_id: str) -> None:
    disk, record = desk.disk(disk_id), desk.snapshot(snapshot_id)
    if record.disk_id != disk.id or record.origin is Origin.COPY:
        no(403, "InvalidParameter.Mismatch", "The snapshot was not taken from that disk.")
    if desk.running(disk.instance_id):
        no(403, "IncorrectInstanceStatus", "The current status does not support this operation.")
    if desk.state_of(disk) == "ReIniting":
        no(403, "InvalidOperation.DiskResetInProgress", "The disk is being reset.")
    if not desk.usable(record):
        no(403, "InvalidSnapshotId.NotReady", "The specified snapshot has not completed yet.")
    desk.memory.states[disk.id] = ("ReIniting", desk.now + RESET)


def copy_snapshot(desk: Desk) -> Row:
    """CopySnapshot: the copy is a snapshot of the destination."""
    for field in ("DestinationSnapshotName", "DestinationSnapshotDescription"):
        if field not in desk.form:
            no(400, f"MissingParameter.{field}", f'The parameter "{field}" is not supplied.')
    record = desk.snapshot(desk.required("SnapshotId"))
    wanted = desk.required("DestinationRegionId")
    name = desk.form["DestinationSnapshotName"] and desk.name(
        "DestinationSnapshotName", "InvalidSnapshotName.Malformed"
    )
    description = desk.description("DestinationSnapshotDescription", "InvalidDescription.Malformed")
    tags, retention = desk.tags(), desk.retention()
    destination = desk.account.regions.get(wanted)
    if destination is None:
        no(404, "InvalidRegionId.NotFound", "The specified RegionId does not exist.")
    if destination is desk.region:
        no(
            400,
            "InvalidOperation.NotSupportCopyInSameRegion",
            "Copying inside a region is not supported.",
        )
    if destination.denied:
        no(
            403,
            "OperationDenied.NonCompliantDestinationRegion",
            "The destination is not compliant.",
        )
    if not desk.complete(record):
        no(403, "InvalidSnapshotId.NotReady", "The specified snapshot has not completed yet.")
    if _is_copying(destination, record.disk_id, desk.now):
        no(
            403,
            "InvalidOperation.UnfinishedCrossRegionCopy",
            "There are unfinished cross region copies of this disk.",
        )
    copied = SnapshotRecord(
        id=new_id("s-"),
        disk_id=record.disk_id,
        size_gib=record.size_gib,
        role=record.role,
        name=name,
        description=description,
        started_at=desk.now,
        pace=COPYING,
        expires_at=None if retention is None else desk.now + retention,
        origin=Origin.COPY,
        source_snapshot_id=record.id,
        source_region=desk.region.id,
        encrypted=record.encrypted,
        tags=tags,
    )
    destination.add(copied)
    return {"SnapshotId": copied.id}


def _is_copying(region: RegionState, disk_id: str, now: float) -> bool:
    return any(
        one.origin is Origin.COPY
        and one.disk_id == disk_id
        and one.word is None
        and not gone(one, now)
        and one.stage(now) not in (Stage.COMPLETE, Stage.FAILED)
        for one in region.snapshots.values()
    )


def lock(desk: Desk) -> Row:
    """LockSnapshot."""
    record = desk.snapshot(desk.required("SnapshotId"))
    for field in ("LockMode", "LockDuration", "CoolOffPeriod"):
        desk.required(field)
    if desk.form["LockMode"] != "compliance":
        no(400, "InvalidLockMode.Malformed", "The specified LockMode is not valid.")
    days = desk.whole("LockDuration", 1, 36500, "InvalidLockDuration.Malformed") or 0
    hours = desk.whole("CoolOffPeriod", 0, 72, "InvalidCoolOffPeriod.Malformed") or 0
    if record.shares:
        no(403, "InvalidOperation.LockSharedSnapshotUnsupported", "The snapshot is shared.")
    ends = desk.now + days * DAY
    if record.expires_at is not None and ends > record.expires_at:
        no(
            400,
            "InvalidLockDuration.ExceedRetentionDays",
            "The lock is longer than the retention of the snapshot.",
        )
    record.locked = True
    desk.memory.locks[record.id] = (desk.now + hours * 3600, ends)
    said = {
        "SnapshotId": record.id,
        "LockMode": "compliance",
        "LockStatus": "compliance-cooloff" if hours else "compliance",
        "LockDuration": days,
        "CoolOffPeriod": hours,
        "LockCreationTime": iso(desk.now),
        "LockExpiredTime": iso(ends),
    }
    return {"LockedSnapshotInfo": said}


def unlock(desk: Desk) -> Row:
    """UnlockSnapshot, which works in the cool-off only."""
    record = desk.snapshot(desk.required("SnapshotId"))
    cooled, _ = desk.memory.locks.get(record.id, (0.0, 0.0))
    if desk.locked(record) and desk.now >= cooled:
        no(403, "InvalidOperation.CoolOffPeriodExpired", "The cool-off period has expired.")
    record.locked = False
    return {}


def disk_rows(desk: Desk) -> list[Row]:
    """Return the disks that DescribeDisks finds, by id."""
    form = desk.form
    ids = _ids(form["DiskIds"]) if "DiskIds" in form else None
    rows = [
        _disk_row(desk, disk)
        for disk in sorted(desk.region.disks.values(), key=lambda one: one.id)
        if ids is None or disk.id in ids
    ]
    fields = {
        "InstanceId": "InstanceId",
        "DiskType": "Type",
        "Category": "Category",
        "Status": "Status",
        "SnapshotId": "SourceSnapshotId",
        "ZoneId": "ZoneId",
    }
    wanted = {
        field: form[name]
        for name, field in fields.items()
        if name in form and form[name].casefold() != "all"
    }
    return [row for row in rows if all(row[field] == value for field, value in wanted.items())]


def _ids(text: str) -> frozenset[str]:
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = None
    if not is_list(found) or len(found) > _MOST_DISKS:
        no(403, "InvalidDiskIds.Malformed", "The specified DiskIds are not valid.")
    return frozenset(str(one) for one in found)


def _disk_row(desk: Desk, disk: Disk) -> Row:
    return {
        "DiskId": disk.id,
        "DiskName": disk.name,
        "Description": "",
        "RegionId": desk.region.id,
        "ZoneId": disk.zone,
        "Type": disk.role.value,
        "Category": disk.category,
        "Size": disk.size_gib,
        "Status": desk.state_of(disk),
        "InstanceId": disk.instance_id or "",
        "Device": "/dev/xvda" if disk.instance_id else "",
        "SourceSnapshotId": desk.memory.sources.get(disk.id, ""),
        "Encrypted": disk.encrypted,
        "MultiAttach": "Disabled",
        "AttachedTime": "" if disk.id in desk.memory.unused else "2023-01-01T00:00:00Z",
        "ExpiredTime": "2999-09-08T16:00Z",
        "Tags": {
            "Tag": [{"TagKey": key, "TagValue": value} for key, value in disk.tags.items()],
        },
    }


STEPS: Mapping[str, Step] = {
    "CopySnapshot": copy_snapshot,
    "CreateDisk": create_disk,
    "LockSnapshot": lock,
    "ResetDisk": reset_disk,
    "ResetDisks": reset_disks,
    "UnlockSnapshot": unlock,
}
