"""How the emulated QingCloud shows its state: rows of snapshots and volumes."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs

from snapkit.emulator.state import Disk, RegionState, SnapshotRecord, Stage
from snapkit.model import DiskRole
from snapkit.vocabulary import mapping
from snapkit_qingcloud.signing import time_stamp

__all__ = [
    "OWNER",
    "RECYCLED",
    "Busy",
    "Chains",
    "View",
    "instance_row",
    "label_of",
    "tag_id_of",
    "volume_row",
    "words_of",
]

RECYCLED = 2 * 3600.0
"""So long a deleted snapshot is shown before it has ceased."""
_LONGEST_LABEL = 14
OWNER = "usr-EXAMPLE1"


@attrs.frozen(kw_only=True)
class Busy:
    """What a thing is between two states: ``status/transition``, for a while.

    Without a status before the slash, the thing keeps its own.
    """

    word: str
    since: float
    until: float

    def words(self, now: float, status: str) -> tuple[str, str] | None:
        """Return status and transition at *now*, None when it is over."""
        if not self.since <= now < self.until:
            return None
        forced, _, transition = self.word.partition("/")
        return forced or status, transition


NOT_BUSY: Mapping[str, Busy] = {}


def label_of(key: str, value: str) -> str:
    """Return the label that stands for a tag; labels have 14 characters at most."""
    return (f"{key}={value}" if value else key)[:_LONGEST_LABEL]


def tag_id_of(label: str) -> str:
    """Return the id of a label, the same each time."""
    return f"tag-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def resource_of(record: SnapshotRecord) -> dict[str, Any]:
    """Return what was snapshotted: a server stands for its system disk."""
    given = mapping(record.row.get("resource"))
    if given:
        return dict(given)
    system = record.role is DiskRole.SYSTEM and record.instance_id is not None
    return {
        "resource_id": record.instance_id if system else record.disk_id,
        "resource_name": "",
        "resource_type": "instance" if system else "volume",
    }


@attrs.define
class _Chain:
    points: int = 0
    total_mib: int = 0
    latest: float = 0.0


class Chains:
    """A region's snapshots in the order of the wire, and what their chains amount to.

    Built once and again only when snapshots have come or gone: a page must not cost a sort.
    """

    def __init__(self, region: RegionState) -> None:
        self.region = region
        self.order = [record.id for record in region.newest_first()]
        self._mark = self._now()
        self.chains: dict[str, _Chain] = {}
        self.heads: dict[str, str] = {}
        self.head_chains: set[str] = set()
        for snapshot_id in self.order:
            record = region.snapshots[snapshot_id]
            chain = self.chains.setdefault(record.root_id or record.id, _Chain())
            chain.points += 1
            chain.total_mib += stored_mib(record)
            chain.latest = max(chain.latest, record.started_at)
            if record.disk_id not in self.heads and record.deleted_at is None:
                self.heads[record.disk_id] = record.id
                self.head_chains.add(record.root_id or record.id)

    @property
    def current(self) -> bool:
        """Whether no snapshot has come or gone since."""
        return self._mark == self._now()

    def _now(self) -> tuple[int, str | None]:
        snapshots = self.region.snapshots
        return len(snapshots), next(reversed(snapshots), None)


def stored_mib(record: SnapshotRecord) -> int:
    """Return the space of one point; a full one shows the disk's whole size."""
    if record.stored_mib is not None:
        return record.stored_mib
    return record.size_gib * 1024 if record.full else 0


def words_of(
    record: SnapshotRecord, now: float, busy: Mapping[str, Busy] = NOT_BUSY
) -> tuple[str, str]:
    """Return ``status`` and ``transition_status``; a forced word is ``status/transition``."""
    if record.word is not None:
        status, _, transition = record.word.partition("/")
        return status, transition
    stage = record.stage(now)
    if stage is Stage.DELETED and record.deleted_at is not None:
        return ("deleted" if now - record.deleted_at < RECYCLED else "ceased"), ""
    if record.deleted_at is not None:
        return "available", "deleting"
    if stage is Stage.FAILED:
        return "ceased", ""
    usable = stage is Stage.COMPLETE or (stage is Stage.USABLE and not record.fails)
    if not usable:
        return "pending", "creating"
    under_way = busy[record.id].words(now, "available") if record.id in busy else None
    return under_way or ("available", "")


@attrs.frozen
class View:
    """A region's snapshots as they are shown at one moment."""

    FILTERS: ClassVar[Sequence[str]] = (
        "resource_id",
        "snapshot_type",
        "root_id",
        "snapshot_time",
        "snapshot_name",
        "search_word",
    )

    chains: Chains
    now: float
    busy: Mapping[str, Busy] = attrs.field(default=NOT_BUSY, kw_only=True)
    verbose: bool = attrs.field(kw_only=True)

    def record(self, snapshot_id: str) -> SnapshotRecord:
        """Return the state behind a row."""
        return self.chains.region.snapshots[snapshot_id]

    def status(self, snapshot_id: str) -> object:
        """Return the status word of the row; quick for what is long since available."""
        record = self.record(snapshot_id)
        if (
            record.word is None
            and record.deleted_at is None
            and not record.row
            and not record.fails
            and record.id not in self.busy
            and self.now - record.started_at >= record.pace.complete
        ):
            return "available"
        return record.row.get("status") or words_of(record, self.now, self.busy)[0]

    def fits(self, snapshot_id: str, single: Mapping[str, str], tags: Sequence[str] | None) -> bool:
        """Return whether a row fits the single filters and has one of the *tags*."""
        record = self.record(snapshot_id)
        shown: Mapping[str, object] = {
            "resource_id": resource_of(record)["resource_id"],
            "snapshot_type": str(record.row.get("snapshot_type", int(record.full))),
            "root_id": record.row.get("root_id", record.root_id or record.id),
            "snapshot_time": record.row.get("snapshot_time", time_stamp(record.started_at)),
            "snapshot_name": record.row.get("snapshot_name", record.name),
        }
        labels = {tag_id_of(label_of(key, value)) for key, value in record.tags.items()}
        return (
            all(single.get(name, value) == value for name, value in shown.items())
            and single.get("search_word", "") in f"{record.id} {shown['snapshot_name']}"
            and (tags is None or bool(labels.intersection(tags)))
        )

    def row(self, snapshot_id: str) -> dict[str, Any]:
        """Return the whole row; the record's own fields come last."""
        record = self.record(snapshot_id)
        status, transition = words_of(record, self.now, self.busy)
        finished = record.started_at + record.pace.usable
        at = record.started_at if status == "pending" else finished
        row: dict[str, Any] = {
            "snapshot_id": record.id,
            "snapshot_name": record.name,
            "description": record.description or None,
            "snapshot_type": int(record.full),
            "status": status,
            "transition_status": transition,
            "snapshot_time": time_stamp(record.started_at),
            "create_time": time_stamp(at),
            "status_time": time_stamp(self._changed(record, at)),
            "is_taken": int(self.now - record.started_at >= record.pace.cut),
            "is_head": int(self.chains.heads.get(record.disk_id) == record.id),
            "root_id": record.root_id or record.id,
            "parent_id": "self" if record.full else record.parent_id,
            "size": stored_mib(record),
            "virtual_size": record.size_gib * 1024,
            "resource": resource_of(record),
            "snapshot_repl_info": {record.zone: 2} if record.zone else {},
            "sub_code": 0,
            "tags": _tags(record),
            "owner": OWNER,
            "root_user_id": OWNER,
            "provider": "self",
            "visibility": "private",
            "resource_project_info": [],
        }
        if record.full:
            row |= self._chain(record)
        if self.verbose and row["resource"]["resource_type"] == "volume":
            row["snapshot_resource"] = {
                "size": record.size_gib,
                "volume_type": _volume_type(record.category),
                "architecture": "x86_64",
            }
        return row | record.row

    def _changed(self, record: SnapshotRecord, at: float) -> float:
        gone = record.deleted_at
        return gone if gone is not None and gone <= self.now else at

    def _chain(self, record: SnapshotRecord) -> dict[str, Any]:
        chain = self.chains.chains[record.root_id or record.id]
        return {
            "total_size": chain.total_mib,
            "total_count": chain.points,
            "lastest_snapshot_time": time_stamp(chain.latest),
            "head_chain": int((record.root_id or record.id) in self.chains.head_chains),
        }


def _tags(record: SnapshotRecord) -> list[dict[str, str]]:
    labels = [label_of(key, value) for key, value in record.tags.items()]
    return [{"tag_id": tag_id_of(label), "tag_name": label} for label in labels]


def _volume_type(category: str) -> int:
    return int(category) if category.isdigit() else 0


def volume_row(disk: Disk, now: float, busy: Mapping[str, Busy] = NOT_BUSY) -> dict[str, Any]:
    """Return the row of a data disk; a detached one has an instance of empty texts."""
    own = "in-use" if disk.instance_id else "available"
    under_way = busy[disk.id].words(now, own) if disk.id in busy else None
    status, transition = under_way or (own, "")
    return {
        "volume_id": disk.id,
        "volume_name": disk.name,
        "size": disk.size_gib,
        "status": status,
        "transition_status": transition,
        "volume_type": _volume_type(disk.category),
        "zone_id": disk.zone,
        "instance": {
            "instance_id": disk.instance_id or "",
            "instance_name": "",
            **({"device": "/dev/vdc"} if disk.instance_id else {}),
        },
        "tags": _labels_of_disk(disk),
        "owner": OWNER,
    }


def _labels_of_disk(disk: Disk) -> list[dict[str, str]]:
    labels = [label_of(key, value) for key, value in disk.tags.items()]
    return [{"tag_id": tag_id_of(label), "tag_name": label} for label in labels]


def instance_row(
    disks: Sequence[Disk], status: str, now: float, busy: Mapping[str, Busy] = NOT_BUSY
) -> dict[str, Any]:
    """Return the row of a server whose *disks* are given, the system disk first."""
    system = disks[0]
    instance_id = system.instance_id or ""
    under_way = busy[instance_id].words(now, status) if instance_id in busy else None
    shown, transition = under_way or (status, "")
    data = [disk.id for disk in disks if disk.role is DiskRole.DATA]
    return {
        "instance_id": instance_id,
        "instance_name": system.name,
        "status": shown,
        "transition_status": transition,
        "zone_id": system.zone,
        "volume_ids": data,
        "volumes": [{"volume_id": one, "device": "/dev/vdc"} for one in data],
        "extra": {"os_disk_size": system.size_gib},
        "tags": _labels_of_disk(system),
        "owner": OWNER,
    }
