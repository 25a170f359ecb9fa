"""Disks and tags in the emulator: CreateDisks, DescribeDisks, and the tag service."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from snapkit.emulator.state import Disk, SnapshotRecord
from snapkit.model import DiskRole
from snapkit.vocabulary import CHINA

from . import asked, wanted
from .acting import Params, new_id, normal
from .checks import Refusal
from .endpoints import SHORT_REGIONS
from .ledger import Scene
from .rendering import USAGES, is_there
from .wire import is_object

__all__ = ["DISK_ACTIONS", "TAG_ACTIONS"]

DISK_TYPES = frozenset(
    {"CLOUD_BASIC", "CLOUD_PREMIUM", "CLOUD_BSSD", "CLOUD_SSD", "CLOUD_HSSD", "CLOUD_TSSD"}
)
CHARGES = frozenset({"PREPAID", "POSTPAID_BY_HOUR", "CDCPAID"})
MOST_NAMED = 9
"""Names, and tags, in a call of the tag service; one document says 10."""
_NAME = re.compile(
    r"qcs::(?P<service>[a-z]+):(?P<region>[a-z0-9-]*):uin/\d*:(?P<kind>[a-z]+)/(?P<id>\S+)"
)

DiskFilter = Callable[[Scene, Disk], str]
_DISK_FILTERS: Mapping[str, DiskFilter] = {
    "instance-id": lambda _scene, disk: disk.instance_id or "",
    "disk-id": lambda _scene, disk: disk.id,
    "disk-name": lambda _scene, disk: disk.name,
    "disk-type": lambda _scene, disk: disk.category,
    "disk-usage": lambda _scene, disk: USAGES.get(disk.role, ""),
    "disk-state": lambda scene, disk: _state(scene, disk),
    "zone": lambda _scene, disk: disk.zone,
}


def create_disks(scene: Scene, params: Params) -> dict[str, Any]:
    """CreateDisks: the one action with a client token."""
    token = params.get("ClientToken")
    if token is None:
        return _new_disks(scene, params)
    if not 0 < len(token) <= 64 or not token.isascii():
        raise Refusal("InvalidParameterValue", "a ClientToken is 1 to 64 characters of ASCII")
    key = scene.account.key_id, scene.region.id, token
    known = scene.ledger.tokens.get(key)
    if known is None:
        known = params, _new_disks(scene, params)
        scene.ledger.tokens[key] = known
    if known[0] != params:
        raise Refusal("InvalidParameter.InvalidClientToken", "the token was used before")
    return dict(known[1])


def describe_disks(scene: Scene, params: Params) -> dict[str, Any]:
    """DescribeDisks: by ids, or by filters."""
    ids, filters = params.get("DiskIds"), asked.filters(params, _DISK_FILTERS)
    offset, limit = asked.window(params.get("Offset"), params.get("Limit"))
    backwards = asked.backwards(params)
    if ids and filters:
        raise Refusal("InvalidParameterValue", "DiskIds and Filters exclude each other")
    if ids and len(ids) > asked.LARGEST_PAGE:
        raise Refusal("InvalidParameterValue.LimitExceeded", "too many DiskIds")
    found = [
        disk
        for disk in scene.region.disks.values()
        if scene.sees(disk) and (not ids or disk.id in ids)
    ]
    for name, values in filters.items():
        found = [disk for disk in found if _DISK_FILTERS[name](scene, disk) in values]
    found = found[::-1] if backwards else found
    rows = [_row(scene, disk) for disk in found[offset : offset + limit]]
    return {"TotalCount": len(found), "DiskSet": rows}


def tag_resources(scene: Scene, params: Params) -> dict[str, Any]:
    """TagResources: names are believed, failures stand inside the success."""
    names = _names(params)
    tags = wanted.tag_pairs(wanted.required(params, "Tags")[0], "TagKey", "TagValue")
    _few(tags)

    def put(record: SnapshotRecord) -> str | None:
        changed = record.tags | tags
        if len(changed) > wanted.MOST_TAGS:
            return "LimitExceeded.ResourceAttachedTags"
        record.tags = changed
        return None

    return _each(scene, names, put)


def untag_resources(scene: Scene, params: Params) -> dict[str, Any]:
    """UnTagResources; a key that is not there is fine."""
    names = _names(params)
    keys = wanted.texts(params, "TagKeys")
    _few(keys)

    def take(record: SnapshotRecord) -> str | None:
        record.tags = {key: value for key, value in record.tags.items() if key not in keys}
        return None

    return _each(scene, names, take)


Action = Callable[[Scene, Params], dict[str, Any]]
DISK_ACTIONS: Mapping[str, Action] = {
    "CreateDisks": create_disks,
    "DescribeDisks": describe_disks,
}
TAG_ACTIONS: Mapping[str, Action] = {
    "TagResources": tag_resources,
    "UnTagResources": untag_resources,
}


def _new_disks(scene: Scene, params: Params) -> dict[str, Any]:
    placement, charge, kind = wanted.required(params, "Placement", "DiskChargeType", "DiskType")
    if not is_object(placement) or set(placement) != {"Zone"}:
        raise Refusal("InvalidParameter", "the Placement is not a Zone")
    zone, count = placement["Zone"], params.get("DiskCount", 1)
    if not isinstance(zone, str) or not zone.startswith(f"{scene.region.id}-"):
        raise Refusal("InvalidParameterValue", f"no zone {zone!r} in this region")
    if charge not in CHARGES or kind not in DISK_TYPES or not 1 <= count <= asked.LARGEST_PAGE:
        raise Refusal("InvalidParameterValue", "no such DiskChargeType, DiskType or DiskCount")
    if charge == "PREPAID":
        raise Refusal("MissingParameter", "PREPAID needs DiskChargePrepaid")
    name = params.get("DiskName", "")
    if len(name.encode()) > wanted.LONGEST_NAME:
        raise Refusal("InvalidParameter", "the DiskName is too long")
    size = _size(scene, params)
    tags = wanted.tag_pairs(params.get("Tags"))
    made = [
        Disk(
            id=new_id("disk-"),
            size_gib=size,
            category=kind,
            name=name or "未命名",
            zone=zone,
            tags=dict(tags),
        )
        for _ in range(count)
    ]
    scene.region.add(*made)
    scene.ledger.born |= {disk.id: scene.now for disk in made}
    return {"DiskIdSet": [disk.id for disk in made]}


def _size(scene: Scene, params: Params) -> int:
    """Return the size: that of the snapshot at least, and of a data disk's snapshot only."""
    size: int | None = params.get("DiskSize")
    if params.get("SnapshotId") is None:
        if size is None:
            raise Refusal("MissingParameter", "the DiskSize is missing")
        return size
    record = normal(scene, params["SnapshotId"])
    if record.role is DiskRole.SYSTEM:
        raise Refusal("InvalidSnapshot.NotSupported", "the snapshot is of a system disk")
    if size is not None and size < record.size_gib:
        raise Refusal("InvalidParameter.DiskSizeNotMatch", "the disk is smaller than the snapshot")
    return size or record.size_gib


def _state(scene: Scene, disk: Disk) -> str:
    if scene.ledger.rolling(disk.id):
        return "ROLLBACKING"
    return "ATTACHED" if disk.instance_id else "UNATTACHED"


def _row(scene: Scene, disk: Disk) -> dict[str, Any]:
    """Return the item of DiskSet; the list of instances is filled, as recorded."""
    state = _state(scene, disk)
    taken = [
        record
        for record in scene.region.snapshots.values()
        if record.disk_id == disk.id and is_there(record, scene.now)
    ]
    born = datetime.fromtimestamp(scene.ledger.born.get(disk.id, 1.6e9), CHINA)
    return {
        "DiskId": disk.id,
        "DiskName": disk.name,
        "DiskUsage": USAGES.get(disk.role, ""),
        "DiskType": disk.category,
        "DiskSize": disk.size_gib,
        "DiskState": state,
        "Attached": disk.instance_id is not None,
        "Portable": disk.role is DiskRole.DATA,
        "InstanceId": disk.instance_id or "",
        "InstanceIdList": [disk.instance_id] if disk.instance_id else [],
        "Placement": {"Zone": disk.zone, "ProjectId": 0},
        "SnapshotAbility": True,
        "SnapshotCount": len(taken),
        "Rollbacking": state == "ROLLBACKING",
        "RollbackPercent": 50 if state == "ROLLBACKING" else 100,
        "Encrypt": disk.encrypted,
        "Shareable": False,
        "Tags": [{"Key": key, "Value": value} for key, value in disk.tags.items()],
        "CreateTime": born.strftime("%Y-%m-%d %H:%M:%S"),
        "DeadlineTime": "",
    }


def _names(params: Params) -> list[re.Match[str]]:
    named = wanted.texts(params, "ResourceList")
    if len(named) > MOST_NAMED:
        raise Refusal("LimitExceeded.ResourceNumPerRequest", "too many resources")
    found = [_NAME.fullmatch(one) for one in named]
    if None in found:
        raise Refusal("InvalidParameterValue.ResourceDescriptionError", "not a six-part name")
    return [one for one in found if one is not None]


def _few(given: Any) -> None:
    if len(given) > MOST_NAMED:
        raise Refusal("LimitExceeded.TagNumPerRequest", "too many tags")


def _each(
    scene: Scene, names: list[re.Match[str]], act: Callable[[SnapshotRecord], str | None]
) -> dict[str, Any]:
    """Let *act* change each snapshot that is named rightly; a wrong name changes nothing."""
    failed: list[dict[str, str]] = []
    for name in names:
        place = scene.account.regions.get(SHORT_REGIONS.get(name["region"], name["region"]))
        denied = place is not None and place.denied
        code = "UnauthorizedOperation" if denied else None
        right = (name["service"], name["kind"]) == ("cvm", "snapshot")
        record = place.snapshots.get(name["id"]) if place is not None and right else None
        if record is not None and not denied:
            code = act(record)
        if code is not None:
            failed.append({"Resource": name[0], "Code": code, "Message": "the tag was not changed"})
    return {"FailedResources": failed}
