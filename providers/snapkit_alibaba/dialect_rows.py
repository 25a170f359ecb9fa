"""What the emulated service holds, in its own fields, and its filters over them."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeGuard

from snapkit.emulator.state import GroupRecord, RegionState, SnapshotRecord, Stage
from snapkit.model import Origin
from snapkit.vocabulary import MIB, boolean, parse_time
from snapkit_alibaba.dialect_auth import no
from snapkit_alibaba.wire import CREATED_FROM

__all__ = [
    "Row",
    "gone",
    "group_filters",
    "group_row",
    "is_list",
    "iso",
    "listed",
    "numbered",
    "snapshot_filters",
    "snapshot_row",
    "tag_filters",
]

Row = dict[str, Any]
Filter = Callable[[SnapshotRecord, Row], bool]

DAY = 86400.0
WORDS = ("progressing", "accomplished", "failed")
_MOST_IDS = 100
_MOST_GROUPS = 10
_MOST_TAGS = 20
_TYPES: Mapping[Origin, str] = {Origin.POLICY: "auto", Origin.COPY: "copied"}


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Return whether *value* is a list, of anything."""
    return isinstance(value, list)


def iso(moment: float) -> str:
    """Return *moment* as the service writes it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def gone(record: SnapshotRecord, now: float) -> bool:
    """Whether *record* is no longer listed: deleted, or past its retention."""
    if record.deleted_at is None and record.expires_at is None:
        return False
    expired = record.expires_at is not None and now >= record.expires_at
    return expired or record.stage(now) is Stage.DELETED


def listed(record: SnapshotRecord, now: float, lag: float) -> bool:
    """Whether *record* shows in listings: it is not gone, and older than *lag* seconds."""
    return not gone(record, now) and (lag <= 0 or now - record.started_at >= lag)


def _word(record: SnapshotRecord, stage: Stage) -> str:
    if record.word is not None:
        return record.word
    by_stage = {Stage.COMPLETE: "accomplished", Stage.FAILED: "failed"}
    return by_stage.get(stage, "progressing")


def _available(record: SnapshotRecord, stage: Stage) -> bool:
    if record.word is not None:
        return record.word == "accomplished"
    return stage in (Stage.USABLE, Stage.COMPLETE)


def _progress(record: SnapshotRecord, word: str, now: float) -> str:
    return "100%" if word == "accomplished" else f"{min(record.progress(now), 99)}%"


def _usage(record: SnapshotRecord) -> str:
    used = [name for name in ("image", "disk") if getattr(record, f"{name}s")]
    return "_".join(used) or "none"


def snapshot_row(record: SnapshotRecord, region_id: str, now: float) -> Row:
    """Return *record* as DescribeSnapshots shows it at *now*."""
    stage = record.stage(now)
    word = _word(record, stage)
    created = "" if stage is Stage.STARTED and record.word is None else iso(record.started_at)
    row: Row = {
        "SnapshotId": record.id,
        "SnapshotName": record.name,
        "Description": record.description,
        "Status": word,
        "Available": _available(record, stage),
        "Progress": _progress(record, word, now),
        "RemainTime": _remaining(record, now) if word == "progressing" else 0,
        "CreationTime": created,
        "LastModifiedTime": created,
        "SourceDiskId": record.disk_id,
        "SourceDiskSize": record.size_gib,
        "SourceDiskType": record.role.value,
        "SourceStorageType": "disk",
        "Usage": _usage(record),
        "SnapshotType": _TYPES.get(record.origin, "user"),
        "Category": "standard",
        "Encrypted": record.encrypted,
        "KMSKeyId": record.kms_key_id,
        "InstantAccess": False,
        "RegionId": region_id,
        "SnapshotLinkId": f"sl-{record.disk_id.removeprefix('d-')}",
        "SnapshotSN": "",
        "ProductCode": "",
        "ResourceGroupId": "",
        "Tags": _tags(record.tags, "TagKey", "TagValue"),
    }
    if record.expires_at is not None:
        row["RetentionDays"] = math.ceil((record.expires_at - record.started_at) / DAY)
    if record.stored_mib is not None:
        row["FullSnapshotSizeInBytes"] = record.stored_mib * MIB
    if record.source_snapshot_id is not None:
        row["SourceSnapshotId"] = record.source_snapshot_id
        row["SourceRegionId"] = record.source_region or ""
    return row | record.row


def _remaining(record: SnapshotRecord, now: float) -> int:
    return max(0, int(record.started_at + record.pace.complete - now))


def _tags(tags: Mapping[str, str], key: str, value: str) -> Row:
    return {"Tag": [{key: name, value: said} for name, said in tags.items()]}


def group_row(group: GroupRecord, region: RegionState, now: float, lag: float = 0.0) -> Row:
    """Return *group* as DescribeSnapshotGroups shows it at *now*; deleted members are left out."""
    records = [region.snapshots[name] for name in group.snapshot_ids if name in region.snapshots]
    members = [record for record in records if listed(record, now, lag)]
    words = {_word(record, record.stage(now)) for record in members}
    derived = next((word for word in ("failed", "progressing") if word in words), "accomplished")
    row: Row = {
        "SnapshotGroupId": group.id,
        "Name": group.name,
        "Description": group.description,
        "Status": group.word or derived,
        "CreationTime": iso(group.created_at),
        "InstanceId": group.instance_id or "",
        "ResourceGroupId": "",
        "Tags": _tags(group.tags, "Key", "Value"),
        "Snapshots": {"Snapshot": [_member_row(record, now) for record in members]},
    }
    return row | group.row


def _member_row(record: SnapshotRecord, now: float) -> Row:
    stage = record.stage(now)
    system = {CREATED_FROM: record.instance_id} if record.instance_id else {}
    return {
        "SnapshotId": record.id,
        "SourceDiskId": record.disk_id,
        "SourceDiskType": record.role.value,
        "Progress": _progress(record, _word(record, stage), now),
        "Available": _available(record, stage),
        "InstantAccess": False,
        "InstantAccessRetentionDays": 0,
        "Tags": _tags(system, "Key", "Value"),
    }


def numbered(form: Mapping[str, str], name: str, inner: str = "") -> dict[int, str]:
    """Return the values of ``name.N`` or ``name.N.inner`` by their number."""
    found: dict[int, str] = {}
    for key, value in form.items():
        head, _, rest = key.partition(".")
        number, _, tail = rest.partition(".")
        if head == name and number.isdigit() and tail.casefold() == inner.casefold():
            found[int(number)] = value
    return found


def tag_filters(form: Mapping[str, str]) -> list[tuple[str, str | None]]:
    """Return the tags that are asked for; a value of None means any."""
    keys, values = numbered(form, "Tag", "Key"), numbered(form, "Tag", "Value")
    if len(keys) > _MOST_TAGS:
        no(400, "InvalidTagCount", "The specified tags are beyond the permitted range.")
    if values.keys() - keys.keys():
        no(400, "InvalidTag.Mismatch", "The specified Tag.n.Key and Tag.n.Value are not match.")
    if "" in keys.values():
        no(400, "InvalidTagKey.Malformed", "The specified Tag.n.Key is not valid.")
    return [(key, values.get(number)) for number, key in sorted(keys.items())]


def _word_of(
    form: Mapping[str, str], name: str, words: tuple[str, ...], code: str, status: int = 404
) -> str | None:
    """Return the value of an enumeration in lower case, None for all or none; refuse others."""
    value = form.get(name)
    if value is None or (value == "all" and "all" in words):
        return None
    if value.casefold() not in words:
        no(status, code, f"The specified {name} is not valid.")
    return value.casefold()


def snapshot_filters(form: Mapping[str, str]) -> list[Filter]:
    """Return what a record and its row have to fulfil; tags are apart."""
    return [*_id_filters(form), *_word_filters(form), *_time_filters(form)]


def _id_filters(form: Mapping[str, str]) -> Iterator[Filter]:
    ids = form.get("SnapshotIds")
    if ids is not None:
        wanted = _id_list(ids)
        yield lambda _, row: row["SnapshotId"] in wanted
    instance = form.get("InstanceId")
    if instance is not None:
        yield lambda record, _: record.instance_id == instance
    fields = {
        "DiskId": "SourceDiskId",
        "SnapshotLinkId": "SnapshotLinkId",
        "ResourceGroupId": "ResourceGroupId",
        "KMSKeyId": "KMSKeyId",
        "SnapshotName": "SnapshotName",
    }
    for name, field in fields.items():
        if name in form:
            yield _equals(field, form[name])


def _equals(field: str, wanted: str) -> Filter:
    return lambda _, row: row.get(field) == wanted


def _id_list(text: str) -> frozenset[str]:
    try:
        found: Any = json.loads(text)
    except ValueError:
        found = None
    if not is_list(found):
        no(403, "InvalidSnapshotIds.Malformed", "The specified snapshot ids are not an array.")
    ids = frozenset(str(name) for name in found)
    if len(ids) > _MOST_IDS:
        no(
            403,
            "InvalidSnapshotIds.Malformed",
            "The amount of specified snapshot Ids exceeds the limit.",
        )
    return ids


def _word_filters(form: Mapping[str, str]) -> Iterator[Filter]:
    enumerations = (
        ("Status", "Status", (*WORDS, "all"), "InvalidStatus.NotFound"),
        ("SnapshotType", "SnapshotType", ("auto", "user", "all"), "InvalidSnapshotType.NotFound"),
        ("SourceDiskType", "SourceDiskType", ("system", "data"), "InvalidSourceDiskType"),
        ("Usage", "Usage", ("image", "disk", "image_disk", "none"), "InvalidUsage"),
        (
            "Category",
            "Category",
            ("standard", "flash", "archive"),
            "InvalidSnapshotCategory.Malformed",
        ),
    )
    for name, field, words, code in enumerations:
        word = _word_of(form, name, words, code)
        if word is not None:
            yield _is_word(field, word)
    if _true(form, "Encrypted"):
        yield lambda _, row: bool(row.get("Encrypted"))


def _is_word(field: str, word: str) -> Filter:
    return lambda _, row: str(row.get(field, "")).casefold() == word


def _true(form: Mapping[str, str], name: str) -> bool:
    said = boolean(form.get(name, "false"))
    if said is None:
        no(400, "InvalidParameter", f"The specified {name} is not valid.")
    return said


def _time_filters(form: Mapping[str, str]) -> Iterator[Filter]:
    allowed = {1: "CreationStartTime", 2: "CreationEndTime"}
    values = numbered(form, "Filter", "Value")
    for number, key in numbered(form, "Filter", "Key").items():
        if allowed.get(number) != key:
            no(404, "InvalidFilterKey.NotFound", "The specified filter key is not found.")
        bound = parse_time(values.get(number))
        if bound is None:
            no(404, "InvalidFilterValue", "The specified filter value is not a time.")
        yield _since(bound) if number == 1 else _until(bound)


def _since(bound: datetime) -> Filter:
    def holds(_: SnapshotRecord, row: Row) -> bool:
        created = parse_time(row["CreationTime"])
        return created is not None and created >= bound

    return holds


def _until(bound: datetime) -> Filter:
    def holds(_: SnapshotRecord, row: Row) -> bool:
        created = parse_time(row["CreationTime"])
        return created is not None and created <= bound

    return holds


def group_filters(form: Mapping[str, str]) -> Callable[[GroupRecord, Row], bool]:
    """Return what a group and its row have to fulfil."""
    ids = frozenset(numbered(form, "SnapshotGroupId").values())
    words = frozenset(numbered(form, "Status").values())
    if len(ids) > _MOST_GROUPS:
        no(400, "InvalidParameter", "The amount of specified SnapshotGroupId exceeds the limit.")
    if words - set(WORDS):
        no(403, "InvalidStatus.ValueNotSupported", "The specified Status is not supported.")
    tags = tag_filters(form)
    fields = {"InstanceId": "InstanceId", "Name": "Name", "ResourceGroupId": "ResourceGroupId"}
    equal = {field: form[name] for name, field in fields.items() if name in form}

    def holds(group: GroupRecord, row: Row) -> bool:
        return (
            (not ids or row["SnapshotGroupId"] in ids)
            and (not words or row["Status"] in words)
            and all(row.get(field) == value for field, value in equal.items())
            and all(key in group.tags and value in (None, group.tags[key]) for key, value in tags)
        )

    return holds
