"""What the emulator shows of a record, in the words of each API; pure.

Field order and empty values follow recorded answers: absent text is ``""``, absent lists are
``[]``, and AutoSnapshotPolicyId is there only for what a policy made.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from snapkit.emulator.state import GroupRecord, RegionState, SnapshotRecord, Stage
from snapkit.model import DiskRole, Origin
from snapkit.vocabulary import CHINA

__all__ = [
    "FILTERS",
    "GROUP_FILTERS",
    "USAGES",
    "group_row",
    "group_state",
    "is_there",
    "old_row",
    "region_row",
    "row",
    "state",
]

POLICY = "asp-EXAMPLE1"
_OLD_WORDS = {
    "NORMAL": "normal",
    "CREATING": "creating",
    "ROLLBACKING": "rollbacking",
    "COPYING_FROM_REMOTE": "creating",
    "CHECKING_COPIED": "creating",
}
USAGES = {DiskRole.SYSTEM: "SYSTEM_DISK", DiskRole.DATA: "DATA_DISK"}
_GONE = (Stage.FAILED, Stage.DELETED)


def is_there(record: SnapshotRecord, now: float) -> bool:
    """Whether the vendor still lists *record*: what failed, ended or was deleted vanishes."""
    if record.expires_at is not None and record.expires_at <= now:
        return False
    if record.deleted_at is None and not record.fails:
        return True
    return record.stage(now) not in _GONE


def state(record: SnapshotRecord, now: float) -> str:
    """Return the status word of API 3.0."""
    if record.word is not None:
        return record.word.upper()
    stage = record.stage(now)
    if record.origin is Origin.COPY and stage is not Stage.COMPLETE:
        return "CHECKING_COPIED" if stage is Stage.USABLE else "COPYING_FROM_REMOTE"
    return "CREATING" if stage in (Stage.STARTED, Stage.CUT) else "NORMAL"


def row(record: SnapshotRecord, now: float) -> dict[str, Any]:
    """Return the item of SnapshotSet."""
    word = state(record, now)
    found: dict[str, Any] = {
        "SnapshotId": record.id,
        "SnapshotName": record.name or "未命名",
        "SnapshotState": word,
        "Percent": 100 if word == "NORMAL" else record.progress(now),
        "DiskId": _disk(record),
        "DiskSize": record.size_gib,
        "DiskUsage": USAGES.get(record.role, ""),
        "CreateTime": _naive(record.started_at),
        "DeadlineTime": "" if record.expires_at is None else _naive(record.expires_at),
        "IsPermanent": record.expires_at is None,
        "Encrypt": record.encrypted,
        "CopyFromRemote": record.origin is Origin.COPY,
        "CopyingToRegions": [],
        "Images": [
            {"ImageId": f"img-{record.id[-7:]}{number}", "ImageName": f"{record.name}-image"}
            for number in range(record.images)
        ],
        "ImageCount": record.images,
        "ShareReference": record.shares,
        "SnapshotType": "SHARED" if record.origin is Origin.SHARED else "PRIVATE",
        "TimeStartShare": "",
        "Placement": {
            "Zone": record.zone,
            "ProjectId": 0,
            "ProjectName": "",
            "CageId": "",
            "CdcId": "",
            "CdcName": "",
            "DedicatedClusterId": "",
        },
        "Tags": [{"Key": key, "Value": value} for key, value in record.tags.items()],
        "IsLocked": record.locked,
        "LatestModifyTime": _zoned(record.started_at),
        "SnapshotMode": "STANDARD_SNAPSHOT",
    }
    if record.origin is Origin.POLICY:
        found["AutoSnapshotPolicyId"] = POLICY
    return found | _own(record.row, str.isupper)


def old_row(record: SnapshotRecord, now: float) -> dict[str, Any]:
    """Return the item of snapshotSet in API 2.0."""
    word = state(record, now)
    return {
        "snapshotId": record.id,
        "storageId": _disk(record),
        "snapshotName": record.name or "未命名",
        "snapshotStatus": _OLD_WORDS.get(word, word.lower()),
        "projectId": 0,
        "percent": 100 if word == "NORMAL" else record.progress(now),
        "storageSize": record.size_gib,
        "createTime": _naive(record.started_at),
        "diskType": "root" if record.role is DiskRole.SYSTEM else "data",
    } | _own(record.row, str.islower)


def group_state(group: GroupRecord, region: RegionState, now: float) -> str:
    """Return the status word of a group."""
    if group.word is not None:
        return group.word.upper()
    members = [region.snapshots[one] for one in group.snapshot_ids if one in region.snapshots]
    creating = any(state(member, now) == "CREATING" for member in members)
    return "CREATING" if creating else "NORMAL"


def group_row(group: GroupRecord, region: RegionState, now: float) -> dict[str, Any]:
    """Return the item of SnapshotGroupSet."""
    members = [region.snapshots[one] for one in group.snapshot_ids if one in region.snapshots]
    word = group_state(group, region, now)
    return {
        "SnapshotGroupId": group.id,
        "SnapshotGroupName": group.name,
        "SnapshotGroupType": "NORMAL",
        "ContainRootSnapshot": any(member.role is DiskRole.SYSTEM for member in members),
        "SnapshotIdSet": list(group.snapshot_ids),
        "SnapshotGroupState": word,
        "Percent": 100
        if word == "NORMAL"
        else min((member.progress(now) for member in members), default=0),
        "CreateTime": _zoned(group.created_at),
        "ModifyTime": _zoned(group.created_at),
        "DeadlineTime": None,
        "IsPermanent": True,
        "Images": [],
        "ImageCount": 0,
        "AutoSnapshotPolicyId": None,
    } | _own(group.row, str.isupper)


def region_row(region: RegionState) -> dict[str, Any]:
    """Return the item of RegionSet."""
    return {
        "Region": region.id,
        "RegionName": region.name or region.id,
        "RegionState": "AVAILABLE" if region.open else "UNAVAILABLE",
        "RegionTypeMC": None,
        "LocationMC": None,
        "RegionNameMC": None,
        "RegionIdMC": None,
    }


Filter = Callable[[SnapshotRecord, Collection[str], float], bool]
FILTERS: Mapping[str, Filter] = {
    "snapshot-id": lambda record, values, _: record.id in values,
    "snapshot-name": lambda record, values, _: any(value in record.name for value in values),
    "snapshot-state": lambda record, values, now: state(record, now) in values,
    "disk-usage": lambda record, values, _: USAGES.get(record.role) in values,
    "disk-id": lambda record, values, _: _disk(record) in values,
    "project-id": lambda _record, values, _: "0" in values,
    "encrypt": lambda record, values, _: str(record.encrypted).upper() in values,
    "snapshot-type": lambda record, values, _: (
        ("SHARED_SNAPSHOT" if record.origin is Origin.SHARED else "PRIVATE_SNAPSHOT") in values
    ),
    "zone": lambda record, values, _: record.zone in values,
}
"""What each filter of DescribeSnapshots selects."""

GroupFilter = Callable[[GroupRecord, Collection[str], str], bool]
GROUP_FILTERS: Mapping[str, GroupFilter] = {
    "snapshot-group-id": lambda group, values, _: group.id in values,
    "snapshot-group-name": lambda group, values, _: group.name in values,
    "snapshot-group-state": lambda _group, values, word: word in values,
    "snapshot-id": lambda group, values, _: any(one in values for one in group.snapshot_ids),
}
"""What each filter of DescribeSnapshotGroups selects; the last argument is the state."""


def _disk(record: SnapshotRecord) -> str:
    return "" if record.origin is Origin.COPY else record.disk_id


def _own(fields: Mapping[str, Any], case: Callable[[str], bool]) -> dict[str, Any]:
    """Return those *fields* that are written in the case of this API."""
    return {name: value for name, value in fields.items() if case(name[:1])}


def _naive(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _zoned(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC).astimezone(CHINA)
    return moment.isoformat(timespec="seconds")
