"""The emulated QingCloud's writing actions: what each checks, changes and answers."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from snapkit.emulator.state import Disk, SnapshotRecord
from snapkit.model import DiskRole
from snapkit_qingcloud.annex import Annex, new_id
from snapkit_qingcloud.asked import Asked, No
from snapkit_qingcloud.rendering import label_of, tag_id_of, words_of
from snapkit_qingcloud.wire import REGION_OF_ZONE

__all__ = ["WRITES"]

Write: TypeAlias = Callable[[Asked, Annex, float], dict[str, Any]]

LONGEST_CHAIN = 30
MOST_CHAINS = 2
LONGEST_LABEL = 14
DELETING = 5.0
APPLYING = 8.0
CREATING = 8.0


def _create(asked: Asked, annex: Annex, now: float) -> dict[str, Any]:
    """Start a snapshot of each resource, all with one time and one name."""
    full = asked.number("is_full", 0)
    if full > 1:
        raise No(1100, "InvailidRequestFormat, illegal parameter [is_full]")
    disks = {one: annex.resource(one) for one in asked.needs_list("resources")}
    parents = {one: _parent(annex, one, disk, now, bool(full)) for one, disk in disks.items()}
    made: list[str] = []
    for one, disk in disks.items():
        record = _new_snapshot(disk, parents[one], now, asked.single.get("snapshot_name", ""))
        record.pace = annex.pace
        for other in _of_disk(annex, disk.id):
            other.row.pop("is_head", None)
        annex.region.add(record)
        made.append(record.id)
    job = annex.start("CreateSnapshots", made, now, annex.pace.usable)
    return {"snapshots": made, "job_id": job if len(made) == 1 else [job]}


def _parent(
    annex: Annex, resource: str, disk: Disk, now: float, full: bool
) -> SnapshotRecord | None:
    """Return what the disk's next snapshot builds on, None for a new chain; or refuse.

    A full chain is followed by a new one.
    """
    living = [one for one in _of_disk(annex, disk.id) if _lives(one, now)]
    for record in living:
        _, transition = words_of(record, now, annex.busy)
        if transition in ("creating", "applying"):
            raise No(1400, f"PermissionDenied, resource [{resource}] is [{transition}]")
    living.sort(key=lambda one: (one.row.get("is_head") == 1, one.started_at, one.id))
    head = living[-1] if living else None
    if head is not None and not full:
        root = _root(head)
        if sum(1 for one in living if _root(one) == root) < LONGEST_CHAIN:
            return head
    if len({_root(one) for one in living}) >= MOST_CHAINS:
        raise No(
            1400,
            f"PermissionDenied, you can create up to [{MOST_CHAINS}] snapshot chains"
            f" for resource [{resource}]",
        )
    return None


def _of_disk(annex: Annex, disk_id: str) -> list[SnapshotRecord]:
    return [one for one in annex.region.snapshots.values() if one.disk_id == disk_id]


def _lives(record: SnapshotRecord, now: float) -> bool:
    gone = words_of(record, now)[0] in ("deleted", "ceased")
    return record.deleted_at is None and not gone


def _root(record: SnapshotRecord) -> str:
    return record.root_id or record.id


def _new_snapshot(
    disk: Disk, parent: SnapshotRecord | None, now: float, name: str
) -> SnapshotRecord:
    return SnapshotRecord(
        id=new_id("ss"),
        disk_id=disk.id,
        size_gib=disk.size_gib,
        role=disk.role,
        instance_id=disk.instance_id,
        zone=disk.zone,
        category=disk.category,
        name=name,
        started_at=now,
        full=parent is None,
        parent_id=parent.id if parent else None,
        root_id=_root(parent) if parent else None,
        encrypted=disk.encrypted,
    )


def _delete(asked: Asked, annex: Annex, now: float) -> dict[str, Any]:
    """Delete snapshots with everything that builds on them, after a check of them all."""
    ids = asked.needs_list("snapshots")
    doomed = _subtrees(annex, [annex.snapshot(one, now) for one in ids])
    for record in doomed:
        _, transition = words_of(record, now, annex.busy)
        if transition == "creating":
            raise No(
                1400, f"PermissionDenied, [{record.id}] lease info not ready, please try later"
            )
        if transition not in ("", "suspending"):
            raise No(1400, f"PermissionDenied, snapshot [{record.id}] is [{transition}]")
    for record in doomed:
        record.word, record.deleted_at = None, now + DELETING
        record.row = {key: value for key, value in record.row.items() if key != "is_head"}
    annex.chains = None
    return {"job_id": annex.start("DeleteSnapshots", ids, now, DELETING)}


def _subtrees(annex: Annex, roots: Iterable[SnapshotRecord]) -> list[SnapshotRecord]:
    """Return *roots* and all that descends from them and is not deleted yet."""
    children: dict[str, list[SnapshotRecord]] = {}
    for record in annex.region.snapshots.values():
        if record.parent_id is not None and record.deleted_at is None:
            children.setdefault(record.parent_id, []).append(record)
    found: dict[str, SnapshotRecord] = {}
    todo = list(roots)
    while todo:
        record = todo.pop()
        if record.id not in found:
            found[record.id] = record
            todo += children.get(record.id, [])
    return list(found.values())


def _apply(asked: Asked, annex: Annex, now: float) -> dict[str, Any]:
    """Roll disks back to their own snapshots; a running server restarts."""
    ids = asked.needs_list("snapshots")
    records = [annex.ready(one, now) for one in ids]
    disks = [annex.region.disks.get(record.disk_id) for record in records]
    for record, disk in zip(records, disks, strict=True):
        if disk is None:
            raise No(2100, f"ResourceNotFound, resource [{record.disk_id}] not found")
    if len({record.disk_id for record in records}) < len(records):
        raise No(1100, "InvailidRequestFormat, two snapshots of one resource")
    for record, disk in zip(records, disks, strict=True):
        annex.occupy(record.id, "available/applying", now, APPLYING)
        for other in _of_disk(annex, record.disk_id):
            other.row["is_head"] = int(other is record)
        if disk is not None:
            annex.occupy(disk.id, "/applying", now, APPLYING)
            if disk.instance_id and disk.instance_id not in annex.stopped:
                annex.occupy(disk.instance_id, "/restarting", now, APPLYING)
    return {"job_id": annex.start("ApplySnapshots", ids, now, APPLYING)}


def _create_volume(asked: Asked, annex: Annex, now: float) -> dict[str, Any]:
    """Make a volume of the snapshot's size and type, in any zone of the region."""
    record = annex.ready(asked.needs("snapshot"), now)
    if record.role is not DiskRole.DATA:
        raise No(1100, f"InvailidRequestFormat, snapshot [{record.id}] is not of a volume")
    zone = asked.needs("zone")
    if zone == annex.region.id:
        zone = next((one for one in REGION_OF_ZONE if REGION_OF_ZONE[one] == zone), zone)
    disk = Disk(
        id=new_id("vol"),
        size_gib=record.size_gib,
        category=record.category,
        name=asked.single.get("volume_name", ""),
        zone=zone,
        encrypted=record.encrypted,
    )
    annex.region.add(disk)
    annex.occupy(disk.id, "pending/creating", now, CREATING)
    job = annex.start("CreateVolumeFromSnapshot", [disk.id], now, CREATING)
    return {"job_id": job, "volume_id": disk.id}


def _modify(asked: Asked, annex: Annex, now: float) -> dict[str, Any]:
    """Rename or describe; an empty text counts as not given."""
    record = annex.snapshot(asked.needs("snapshot"), now)
    record.name = asked.single.get("snapshot_name") or record.name
    record.description = asked.single.get("description") or record.description
    return {}


def _create_tag(asked: Asked, annex: Annex, now: float) -> dict[str, Any]:
    del now
    name = asked.needs("tag_name")
    if len(name) > LONGEST_LABEL:
        raise No(1100, "InvailidRequestFormat, illegal parameter [tag_name]")
    if tag_id_of(name) in annex.known_labels():
        raise No(2110, f"ResourceExists, tag [{name}] exists already")
    annex.labels.add(name)
    return {"tag_id": tag_id_of(name)}


def _attach(asked: Asked, annex: Annex, now: float) -> dict[str, Any]:
    for tags, name in _labelled(asked, annex, now):
        if name not in {label_of(key, value) for key, value in tags.items()}:
            tags[name] = ""
    return {}


def _detach(asked: Asked, annex: Annex, now: float) -> dict[str, Any]:
    found = _labelled(asked, annex, now)
    annex.labels |= {name for _, name in found}
    for tags, name in found:
        for key in [key for key, value in tags.items() if label_of(key, value) == name]:
            del tags[key]
    return {}


def _labelled(asked: Asked, annex: Annex, now: float) -> list[tuple[dict[str, str], str]]:
    """Return the tags of each thing to label and the label's name, or refuse them all."""
    if not asked.pairs:
        raise No(1100, "InvailidRequestFormat, parameter [resource_tag_pairs] is missing")
    known = annex.known_labels()
    found: list[tuple[dict[str, str], str]] = []
    for pair in asked.pairs:
        if pair["tag_id"] not in known:
            raise No(2100, f"ResourceNotFound, resource [{pair['tag_id']}] not found")
        tags = _tags_of(annex, pair["resource_type"], pair["resource_id"], now)
        found.append((tags, known[pair["tag_id"]]))
    return found


def _tags_of(annex: Annex, kind: str, one: str, now: float) -> dict[str, str]:
    if kind == "snapshot":
        return annex.snapshot(one, now).tags
    if kind not in ("volume", "instance") or (kind == "volume") != one.startswith("vol-"):
        raise No(1100, "InvailidRequestFormat, illegal parameter [resource_type]")
    return annex.resource(one).tags


def _stop(asked: Asked, annex: Annex, now: float) -> dict[str, Any]:
    annex.stopped |= set(_servers(asked, annex))
    return {"job_id": annex.start("StopInstances", asked.lists["instances"], now, 0.0)}


def _start(asked: Asked, annex: Annex, now: float) -> dict[str, Any]:
    annex.stopped -= set(_servers(asked, annex))
    return {"job_id": annex.start("StartInstances", asked.lists["instances"], now, 0.0)}


def _servers(asked: Asked, annex: Annex) -> list[str]:
    known = annex.servers()
    ids = asked.needs_list("instances")
    for one in ids:
        if one not in known:
            raise No(2100, f"ResourceNotFound, resource [{one}] not found")
    return ids


WRITES: Mapping[str, Write] = {
    "CreateSnapshots": _create,
    "DeleteSnapshots": _delete,
    "ApplySnapshots": _apply,
    "CreateVolumeFromSnapshot": _create_volume,
    "ModifySnapshotAttributes": _modify,
    "CreateTag": _create_tag,
    "AttachTags": _attach,
    "DetachTags": _detach,
    "StopInstances": _stop,
    "StartInstances": _start,
}
