"""The emulated service makes, changes and deletes snapshots and groups."""

from collections.abc import Mapping, Sequence

from snapkit.emulator.state import Disk, GroupRecord, SnapshotRecord, Stage
from snapkit.model import Origin
from snapkit_alibaba.dialect_auth import Refusal, no
from snapkit_alibaba.dialect_desk import MOST_TAGS, Desk, Step, new_id
from snapkit_alibaba.dialect_rows import Row, gone, numbered

__all__ = ["STEPS", "outcome"]

MOST_MANUAL = 256
MOST_GROUPED = 16
MOST_GROUPED_GIB = 32 * 1024
MOST_TAGGED_AT_ONCE = 50
_ESSD = ("cloud_essd", "cloud_auto", "cloud_essd_entry", "")
"""Disks of no category count as ESSD."""
_NOT_SNAPSHOT = ("local", "ephemeral", "elastic_ephemeral")


def create_snapshot(desk: Desk) -> Row:
    """CreateSnapshot."""
    disk = desk.disk(desk.required("DiskId"))
    record = _taken(
        desk,
        disk,
        name=desk.name("SnapshotName", "InvalidSnapshotName.Malformed"),
        description=desk.description("Description", "InvalidDescription.Malformed"),
        tags=desk.tags(),
        retention=desk.retention(),
    )
    _check_disk(desk, disk)
    desk.region.add(record)
    return {"SnapshotId": record.id}


def create_group(desk: Desk) -> Row:
    """CreateSnapshotGroup."""
    name = desk.name("Name", "InvalidParameter.Name", snapshot=False)
    description = desk.description("Description", "InvalidParameter.Description", status=400)
    tags = desk.tags()
    disks = _grouped(desk)
    for disk in disks:
        if disk.category not in _ESSD:
            no(403, "DiskId.ValueNotSupported", "The specified parameter diskid is not supported.")
        _check_disk(desk, disk)
    group_id = new_id("ssg-")
    said = f"Created_from_{group_id}"
    records = [_taken(desk, disk, name=said, description=said, tags={}) for disk in disks]
    group = GroupRecord(
        id=group_id,
        snapshot_ids=[record.id for record in records],
        name=name,
        description=description,
        created_at=desk.now,
        instance_id=desk.form.get("InstanceId") or _common_instance(disks),
        tags=tags,
    )
    desk.region.add(*records, group)
    return {"SnapshotGroupId": group_id}


def _common_instance(disks: Sequence[Disk]) -> str | None:
    owners = {disk.instance_id for disk in disks}
    return owners.pop() if len(owners) == 1 else None


def _grouped(desk: Desk) -> list[Disk]:
    instance = desk.form.get("InstanceId")
    wanted = [value for _, value in sorted(numbered(desk.form, "DiskId").items())]
    excluded = set(numbered(desk.form, "ExcludeDiskId").values())
    if wanted and excluded:
        no(
            400,
            "InvalidParam.ExcludeDiskIdsAndDiskIds.Conflict",
            "The use of parameter 'ExcludeDiskIds' and 'DiskIds' at the same time is not"
            " supported.",
        )
    if not instance and not wanted:
        no(400, "MissingParamter.InstanceId", "The specified InstanceId should not be null.")
    disks = [desk.disk(one) for one in wanted] or _disks_of(desk, instance or "", excluded)
    if instance and any(disk.instance_id != instance for disk in disks):
        no(400, "InvalidParameter.DiskIds", "A specified disk is not attached to the instance.")
    if len(disks) > MOST_GROUPED:
        no(403, "NumberExceed.TooManyDisks", "The number of all disks in the request exceeds.")
    if sum(disk.size_gib for disk in disks) > MOST_GROUPED_GIB:
        no(403, "CapacityExceed.TooManyDisks", "The capacity of all disks in the request exceeds.")
    if len({disk.zone for disk in disks}) > 1:
        no(
            400,
            "InvalidDiskIds.NotInSameZone",
            "The specified disks are not in the same availability zone.",
        )
    return disks


def _disks_of(desk: Desk, instance: str, excluded: set[str]) -> list[Disk]:
    attached = [disk for disk in desk.region.disks.values() if disk.instance_id == instance]
    if not attached:
        no(404, "InvalidInstanceId.NotFound", "The specified InstanceId does not exist.")
    if excluded - {disk.id for disk in attached}:
        no(404, "InvalidDiskId.NotFound", "The specified DiskId does not exist.")
    disks = [disk for disk in attached if disk.id not in excluded]
    if not disks:
        no(403, "InvalidInstance.NoDisk", "There is no disk mounted on the instance.")
    return disks


def _check_disk(desk: Desk, disk: Disk) -> None:
    """Refuse a disk that cannot be snapshotted now."""
    if disk.category in _NOT_SNAPSHOT:
        no(403, "DiskCategory.OperationNotSupported", "The disk does not support snapshots.")
    if disk.id in desk.memory.unused:
        no(
            403,
            "IncorrectDiskStatus.NeverAttached",
            "The specified disk has never been attached to any instance.",
        )
    if desk.state_of(disk) not in ("In_use", "Available"):
        no(403, "IncorrectDiskStatus", "The current disk status does not support this operation.")
    own = [
        one
        for one in desk.region.snapshots.values()
        if one.disk_id == disk.id and one.origin is Origin.MANUAL and not gone(one, desk.now)
    ]
    running = [one for one in own if one.word is None and _unfinished(one, desk.now)]
    if disk.category not in _ESSD and running:
        no(403, "IncorrectDiskStatus.CreatingSnapshot", "A previous snapshot is in process.")
    if len(running) >= 10:
        no(403, "QuotaExceed.ConcurrentSnapshotQuota", "Too many snapshots are being created.")
    if len(own) >= MOST_MANUAL:
        no(403, "QuotaExceed.Snapshot", "The snapshot quota exceeds.")


def _unfinished(record: SnapshotRecord, now: float) -> bool:
    return record.stage(now) in (Stage.STARTED, Stage.CUT, Stage.USABLE)


def _taken(
    desk: Desk,
    disk: Disk,
    *,
    name: str,
    description: str,
    tags: Mapping[str, str],
    retention: float | None = None,
) -> SnapshotRecord:
    return SnapshotRecord(
        id=new_id("s-"),
        disk_id=disk.id,
        size_gib=disk.size_gib,
        role=disk.role,
        instance_id=disk.instance_id,
        zone=disk.zone,
        category=disk.category,
        name=name,
        description=description,
        started_at=desk.now,
        pace=desk.pace,
        expires_at=None if retention is None else desk.now + retention,
        encrypted=disk.encrypted,
        tags=dict(tags),
    )


def modify_snapshot(desk: Desk) -> Row:
    """ModifySnapshotAttribute."""
    record = desk.snapshot(desk.required("SnapshotId"))
    if not {"SnapshotName", "Description", "RetentionDays"} & desk.form.keys():
        no(400, "NoAttributeToModify", "No attribute to be modified in this request.")
    name = desk.name("SnapshotName", "InvalidSnapshotName.Malformed")
    description = desk.description("Description", "InvalidDescription.Malformed")
    retention = desk.retention()
    if retention is not None:
        end = record.started_at + retention
        if record.expires_at is not None and end < record.expires_at:
            no(
                400,
                "InvalidOperation.DecreaseRetentionDaysUnsupported",
                "The retention days can only be increased.",
            )
        record.expires_at = end
    if "SnapshotName" in desk.form:
        record.name = name
    if "Description" in desk.form:
        record.description = description
    return {}


def modify_group(desk: Desk) -> Row:
    """ModifySnapshotGroup."""
    group = desk.group(desk.required("SnapshotGroupId"))
    name = desk.name("Name", "InvalidParameter.Name", snapshot=False)
    description = desk.description("Description", "InvalidParameter.Description", status=400)
    if "Name" in desk.form:
        group.name = name
    if "Description" in desk.form:
        group.description = description
    return {}


def delete_snapshot(desk: Desk) -> Row:
    """DeleteSnapshot; creation that is still running is cancelled."""
    record = desk.snapshot(desk.required("SnapshotId"))
    _check_delete(desk, record, force=desk.flag("Force"))
    record.deleted_at = desk.now
    return {}


def _check_delete(desk: Desk, record: SnapshotRecord, *, force: bool) -> None:
    if record.images:
        no(403, "SnapshotCreatedImage", "The snapshot has been used to create images.")
    if record.disks and not force:
        no(403, "SnapshotCreatedDisk", "The snapshot has been used to create disks.")
    if record.shares:
        no(
            403,
            "InvalidOperation.DeleteSharedSnapshotUnsupported",
            "The snapshot is shared and cannot be deleted.",
        )
    if desk.locked(record):
        no(403, "InvalidOperation.SnapshotIsLocked", "The snapshot is locked.")


def delete_group(desk: Desk) -> Row:
    """DeleteSnapshotGroup: a success, with the members that survive inside."""
    group = desk.group(desk.required("SnapshotGroupId"))
    ended: list[Row] = []
    for record in desk.members(group.snapshot_ids):
        refused: Refusal | None = None
        try:
            _check_delete(desk, record, force=False)
            record.deleted_at = desk.now
        except Refusal as refusal:
            refused = refusal
        ended.append(outcome(refused, SnapshotId=record.id))
    del desk.region.groups[group.id]
    return {"OperationProgressSet": {"OperationProgress": ended}}


def outcome(refused: Refusal | None, **related: str) -> Row:
    """Return how one item ended, as a success that holds many shows it."""
    items = [{"Name": name, "Value": value} for name, value in related.items()]
    return {
        "OperationStatus": "Failed" if refused else "Success",
        "ErrorCode": refused.code if refused else "",
        "ErrorMsg": refused.message if refused else "",
        "RelatedItemSet": {"RelatedItem": items},
    }


def tag(desk: Desk) -> Row:
    """TagResources: all or none."""
    tags = desk.tags()
    if not tags:
        no(400, "MissingParameter.Tags", 'The input parameter "Tag" is not supplied.')
    kept = _tagged(desk)
    if any(len(own | tags) > MOST_TAGS for own in kept):
        no(403, "QuotaExceed.Tags", "The quota of tags on resource is beyond permitted range.")
    for own in kept:
        own.update(tags)
    return {}


def untag(desk: Desk) -> Row:
    """UntagResources: all or none."""
    keys = set(numbered(desk.form, "TagKey").values())
    everything = desk.flag("All")
    if everything == bool(keys):
        no(400, "MissingParameter.Tags", "Either TagKey or All is needed.")
    for own in _tagged(desk):
        for key in list(own) if everything else keys & own.keys():
            del own[key]
    return {}


def _tagged(desk: Desk) -> list[dict[str, str]]:
    kind = desk.required("ResourceType")
    ids = list(numbered(desk.form, "ResourceId").values())
    if not ids:
        no(400, "MissingParameter.ResourceId", 'The parameter "ResourceId" is not supplied.')
    if len(ids) > MOST_TAGGED_AT_ONCE:
        no(400, "NumberExceed.ResourceIds", "The ResourceIds parameter's number is exceed.")
    if kind not in ("snapshot", "snapshotgroup", "disk"):
        no(404, "InvalidResourceType.NotFound", "The ResourceType provided does not exist.")
    region = desk.region
    found = {
        "snapshot": {one.id: one.tags for one in desk.members(ids)},
        "snapshotgroup": {one: region.groups[one].tags for one in ids if one in region.groups},
        "disk": {one: region.disks[one].tags for one in ids if one in region.disks},
    }[kind]
    if len(found) < len(set(ids)):
        no(404, "InvalidResourceId.NotFound", "The specified ResourceIds are not found.")
    return list(found.values())


STEPS: Mapping[str, Step] = {
    "CreateSnapshot": create_snapshot,
    "CreateSnapshotGroup": create_group,
    "DeleteSnapshot": delete_snapshot,
    "DeleteSnapshotGroup": delete_group,
    "ModifySnapshotAttribute": modify_snapshot,
    "ModifySnapshotGroup": modify_group,
    "TagResources": tag,
    "UntagResources": untag,
}
