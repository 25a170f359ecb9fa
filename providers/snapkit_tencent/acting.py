"""Writes in the emulator: snapshots and groups, as strict as the vendor's documents."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from snapkit.emulator.state import Disk, GroupRecord, SnapshotRecord
from snapkit.model import DiskRole, Origin

from . import rendering, wanted
from .checks import Refusal
from .ledger import Scene

__all__ = ["ACTIONS", "Params", "new_id", "normal"]

Params = Mapping[str, Any]
UNNAMED = "未命名"
MOST_SHARES = 50


def create_snapshot(scene: Scene, params: Params) -> dict[str, Any]:
    """CreateSnapshot: there is no client token, so twice makes two."""
    (disk_id,) = wanted.required(params, "DiskId")
    disk = _quiet_disk(scene, disk_id)
    record = _taken(scene, disk, wanted.name(params.get("SnapshotName"), UNNAMED))
    record.tags = wanted.tag_pairs(params.get("Tags"))
    record.expires_at = wanted.deadline(params.get("Deadline"), scene.now)
    scene.region.add(record)
    return {"SnapshotId": record.id}


def create_group(scene: Scene, params: Params) -> dict[str, Any]:
    """CreateSnapshotGroup: disks of one instance."""
    disks = [_quiet_disk(scene, one) for one in wanted.texts(params, "DiskIds")]
    instances = {disk.instance_id for disk in disks}
    if None in instances:
        raise Refusal("ResourceUnavailable.NotSupported", "a disk is not attached")
    if len(instances) > 1:
        code = "UnsupportedOperation.SnapshotGroupDiskAttachMultiInstance"
        raise Refusal(code, "the disks are attached to several instances")
    name = wanted.name(params.get("SnapshotGroupName"), UNNAMED)
    tags = wanted.tag_pairs(params.get("Tags"))
    members = [_taken(scene, disk, f"{name}_{number}") for number, disk in enumerate(disks)]
    group = GroupRecord(
        id=new_id("csnap-"),
        snapshot_ids=[member.id for member in members],
        name=name,
        created_at=scene.now,
        instance_id=disks[0].instance_id,
        tags=tags,
    )
    scene.region.add(*members, group)
    return {"SnapshotGroupId": group.id}


def modify_snapshot(scene: Scene, params: Params) -> dict[str, Any]:
    """ModifySnapshotAttribute."""
    (snapshot_id,) = wanted.required(params, "SnapshotId")
    record = _snapshot_of(scene, snapshot_id)
    if set(params) == {"SnapshotId"}:
        raise Refusal("MissingParameter", "there is nothing to modify")
    if record.origin is Origin.SHARED:
        raise Refusal("UnsupportedOperation", "the snapshot belongs to somebody else")
    if "Deadline" in params and params.get("IsPermanent") is not False:
        raise Refusal("InvalidParameterValue", "a Deadline goes with IsPermanent false only")
    name = wanted.name(params.get("SnapshotName"), record.name)
    end = wanted.deadline(params.get("Deadline"), scene.now)
    record.name = name
    if "IsPermanent" in params:
        record.expires_at = end
    return {}


def delete_snapshots(scene: Scene, params: Params) -> dict[str, Any]:
    """DeleteSnapshots: all of them, or none."""
    records = [_snapshot_of(scene, one) for one in wanted.texts(params, "SnapshotIds")]
    _remove(scene, records, images=params.get("DeleteBindImages", False))
    return {}


def delete_group(scene: Scene, params: Params) -> dict[str, Any]:
    """DeleteSnapshotGroup: with the members."""
    several: list[str] = params.get("SnapshotGroupIds", [])
    single: str | None = params.get("SnapshotGroupId")
    ids: list[str] = sorted(set(several) | ({single} if single else set[str]()))
    if not ids:
        raise Refusal("MissingParameter", "the group is missing")
    groups = [_group_of(scene, one) for one in ids]
    there = scene.region.snapshots
    members = [there[one] for group in groups for one in group.snapshot_ids if one in there]
    living = [one for one in members if rendering.is_there(one, scene.now)]
    _remove(scene, living, images=params.get("DeleteBindImages", False))
    for group in groups:
        del scene.region.groups[group.id]
    return {}


def apply_snapshot(scene: Scene, params: Params) -> dict[str, Any]:
    """ApplySnapshot: onto the disk it was taken from."""
    snapshot_id, disk_id = wanted.required(params, "SnapshotId", "DiskId")
    record, disk = _fitting(scene, snapshot_id, disk_id, params)
    scene.ledger.roll_back(disk.id, record, scene.now)
    return {}


def apply_group(scene: Scene, params: Params) -> dict[str, Any]:
    """ApplySnapshotGroup: some or all of its members, on one instance."""
    group_id, listed = wanted.required(params, "SnapshotGroupId", "ApplyDisks")
    group = _group_of(scene, group_id)
    pairs = wanted.pairs(listed, "SnapshotId", "DiskId")
    if {one for one, _ in pairs} - set(group.snapshot_ids):
        raise Refusal("InvalidParameterValue", "a snapshot is not of this group")
    if rendering.group_state(group, scene.region, scene.now) != "NORMAL":
        raise Refusal("InvalidSnapshot.NotSupported", "the group is not NORMAL")
    found = [_fitting(scene, snapshot_id, disk_id, params) for snapshot_id, disk_id in pairs]
    if len({disk.instance_id for _, disk in found}) > 1:
        raise Refusal("InvalidParameterValue", "the disks are not on one instance")
    for record, disk in found:
        scene.ledger.roll_back(disk.id, record, scene.now)
        scene.ledger.roll_back(disk.id, group, scene.now)
    return {}


def copy_snapshot(scene: Scene, params: Params) -> dict[str, Any]:
    """CopySnapshotCrossRegions: what fails in one region is told inside the success."""
    (snapshot_id,) = wanted.required(params, "SnapshotId")
    regions = wanted.texts(params, "DestinationRegions")
    record = normal(scene, snapshot_id)
    if scene.region.id in regions:
        raise Refusal("InvalidParameterValue", "the snapshot is in that region")
    default = f"Copied {record.id} from {scene.region.id}"
    name = wanted.name(params.get("SnapshotName"), default)
    rows = [_copied(scene, record, region, name) for region in regions]
    return {"SnapshotCopyResultSet": rows}


def share_snapshots(scene: Scene, params: Params) -> dict[str, Any]:
    """ModifySnapshotsSharePermission: of data disks, not encrypted, with numbered accounts."""
    records = [_snapshot_of(scene, one) for one in wanted.texts(params, "SnapshotIds")]
    accounts = wanted.texts(params, "AccountIds", most=MOST_SHARES)
    (permission,) = wanted.required(params, "Permission")
    if permission not in ("SHARE", "CANCEL") or not all(one.isdigit() for one in accounts):
        raise Refusal("InvalidParameterValue", "no such Permission, or account")
    if any(one.encrypted or one.role is DiskRole.SYSTEM for one in records):
        raise Refusal("UnsupportedOperation", "only snapshots of plain data disks can be shared")
    for record in records:
        present = scene.ledger.shared_with(record)
        changed = present | set(accounts) if permission == "SHARE" else present - set(accounts)
        if len(changed) > MOST_SHARES:
            raise Refusal("LimitExceeded", "a snapshot can be shared with 50 accounts")
        scene.ledger.shares[record.id] = changed
        record.shares = len(changed)
    return {}


Action = Callable[[Scene, Params], dict[str, Any]]
ACTIONS: Mapping[str, Action] = {
    "CreateSnapshot": create_snapshot,
    "CreateSnapshotGroup": create_group,
    "ModifySnapshotAttribute": modify_snapshot,
    "DeleteSnapshots": delete_snapshots,
    "DeleteSnapshotGroup": delete_group,
    "ApplySnapshot": apply_snapshot,
    "ApplySnapshotGroup": apply_group,
    "CopySnapshotCrossRegions": copy_snapshot,
    "ModifySnapshotsSharePermission": share_snapshots,
}
"""What each action does."""


def new_id(prefix: str) -> str:
    """Return an id that nothing has."""
    return f"{prefix}{uuid.uuid4().hex[:8]}"


def _snapshot_of(scene: Scene, snapshot_id: str) -> SnapshotRecord:
    """Return the snapshot, which must be there; listing may lag behind."""
    record = scene.region.snapshots.get(snapshot_id)
    if record is None or not rendering.is_there(record, scene.now):
        raise Refusal("InvalidSnapshotId.NotFound", f"there is no snapshot {snapshot_id!r}")
    return record


def normal(scene: Scene, snapshot_id: str) -> SnapshotRecord:
    """Return the snapshot, which must be NORMAL."""
    record = _snapshot_of(scene, snapshot_id)
    if rendering.state(record, scene.now) != "NORMAL":
        raise Refusal("InvalidSnapshot.NotSupported", f"the snapshot {snapshot_id!r} is not NORMAL")
    return record


def _group_of(scene: Scene, group_id: str) -> GroupRecord:
    """Return the group, which must be there."""
    group = scene.region.groups.get(group_id)
    if group is None:
        raise Refusal("ResourceNotFound.NotFound", f"there is no group {group_id!r}")
    return group


def _whole_disk(scene: Scene, disk_id: str) -> Disk:
    """Return the disk, which must be there and not be put back just now."""
    disk = scene.region.disks.get(disk_id)
    if disk is None:
        raise Refusal("InvalidDiskId.NotFound", f"there is no disk {disk_id!r}")
    if scene.ledger.rolling(disk_id):
        raise Refusal("ResourceInUse.DiskRollbacking", f"the disk {disk_id!r} is rolling back")
    return disk


def _quiet_disk(scene: Scene, disk_id: str) -> Disk:
    """Return the disk, of which no snapshot may be on the way."""
    disk = _whole_disk(scene, disk_id)
    for record in scene.region.snapshots.values():
        if (
            record.disk_id == disk_id
            and record.origin is not Origin.COPY
            and rendering.is_there(record, scene.now)
            and rendering.state(record, scene.now) == "CREATING"
        ):
            raise Refusal("InvalidDisk.SnapshotCreating", f"{record.id} is still being made")
    return disk


def _taken(scene: Scene, disk: Disk, name: str) -> SnapshotRecord:
    return SnapshotRecord(
        id=new_id("snap-"),
        disk_id=disk.id,
        size_gib=disk.size_gib,
        role=disk.role,
        instance_id=disk.instance_id,
        zone=disk.zone,
        category=disk.category,
        name=name,
        started_at=scene.now,
        pace=scene.world.pace,
        encrypted=disk.encrypted,
    )


def _remove(scene: Scene, records: list[SnapshotRecord], *, images: bool) -> None:
    """Delete *records*, or raise what stands against one of them."""
    for record in records:
        state = rendering.state(record, scene.now)
        trouble = {
            "ResourceUnavailable.SnapshotCreating": state == "CREATING",
            "InvalidSnapshot.NotSupported": state != "NORMAL",
            "UnsupportedOperation.SnapHasShared": record.shares > 0,
            "UnsupportedOperation.SnapshotHasBindedImage": record.images > 0 and not images,
            "ResourceBusy": any(scene.ledger.copying(record.id, scene.now)),
            "UnsupportedOperation": record.locked or record.origin is Origin.SHARED,
        }
        code = next((code for code, true in trouble.items() if true), None)
        if code is not None:
            raise Refusal(code, f"the snapshot {record.id!r} cannot be deleted ({state})")
    for record in records:
        record.deleted_at = scene.now


def _fitting(
    scene: Scene, snapshot_id: str, disk_id: str, params: Params
) -> tuple[SnapshotRecord, Disk]:
    """Return snapshot and disk, if the one may be put back to the other now."""
    stop, start = params.get("AutoStopInstance", False), params.get("AutoStartInstance", False)
    if start and not stop:
        raise Refusal("InvalidParameterValue", "AutoStartInstance needs AutoStopInstance")
    disk = _whole_disk(scene, disk_id)
    record = normal(scene, snapshot_id)
    if record.origin in (Origin.COPY, Origin.SHARED) or record.disk_id != disk_id:
        raise Refusal("InvalidParameterValue", f"{snapshot_id} was not taken from {disk_id}")
    if disk.instance_id is not None and not stop:
        raise Refusal("UnsupportedOperation.InstanceNotStopped", "the instance is running")
    return record, disk


def _copied(scene: Scene, record: SnapshotRecord, region: str, name: str) -> dict[str, str]:
    place = scene.place(region)
    finance = {scene.region.id.endswith("-fsi"), region.endswith("-fsi")}
    trouble = {
        "UnsupportedRegion": place is None or len(finance) > 1,
        "AuthFailure.UnauthorizedOperation": place is not None and place.denied,
        "ResourceInUse.CopySnapshotConflict": region in scene.ledger.copying(record.id, scene.now),
    }
    code = next((code for code, true in trouble.items() if true), "Success")
    made = ""
    if code == "Success" and place is not None:
        copy = SnapshotRecord(
            id=new_id("snap-"),
            disk_id=record.disk_id,
            size_gib=record.size_gib,
            role=record.role,
            name=name,
            started_at=scene.now,
            encrypted=record.encrypted,
            origin=Origin.COPY,
            source_snapshot_id=record.id,
            source_region=scene.region.id,
        )
        place.add(copy)
        scene.ledger.copies.setdefault(record.id, []).append((region, copy))
        made = copy.id
    message = "" if code == "Success" else f"the copy to {region} was not started"
    return {"DestinationRegion": region, "SnapshotId": made, "Code": code, "Message": message}
