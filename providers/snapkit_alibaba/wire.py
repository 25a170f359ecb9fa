"""Between the wire and the model: tables, rows and request parameters; pure.

Whatever JSON the service sends gives a value or a SnapkitError. A row that cannot be named
is a sentence in ``troubles``. What error answers mean stands in ``failures``.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import attrs

from snapkit.drafting import draft_snapshot
from snapkit.errors import ProtocolError, UnsupportedError
from snapkit.model import (
    Consistency,
    DiskRole,
    Membership,
    Origin,
    Region,
    Snapshot,
    SnapshotGroup,
    SnapshotStatus,
    SourceDisk,
    Tags,
    Usage,
)
from snapkit.oddities import note_odd
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.vocabulary import (
    boolean,
    gib,
    integer,
    lookup,
    mapping,
    parse_time,
    percent,
    remembered,
    rows,
    text,
)
from snapkit.vocabulary import tags as tags_of
from snapkit.writes import Disk
from snapkit_alibaba.failures import PROVIDER, request_id_of

__all__ = [
    "Found",
    "entries_of",
    "found_in",
    "group_params",
    "hands_over",
    "parse_group",
    "parse_region",
    "parse_snapshot",
    "read_groups",
    "read_regions",
    "read_snapshots",
    "snapshot_params",
    "tags_in",
    "wants_nothing",
]

T = TypeVar("T", Snapshot, SnapshotGroup, Region, Disk)
CREATED_FROM = "acs:ecs:createFrom"
"""The tag of a group's member that names the server."""

STATUSES: Mapping[str, SnapshotStatus] = {
    "progressing": SnapshotStatus.CREATING,
    "accomplished": SnapshotStatus.AVAILABLE,
    "failed": SnapshotStatus.FAILED,
}
WORDS: Mapping[SnapshotStatus, str] = {status: word for word, status in STATUSES.items()}
ROLES: Mapping[str, DiskRole] = {"system": DiskRole.SYSTEM, "data": DiskRole.DATA}
ROLE_WORDS: Mapping[DiskRole, str] = {role: word for word, role in ROLES.items()}
ORIGINS: Mapping[str, Origin] = {
    "user": Origin.MANUAL,
    "auto": Origin.POLICY,
    "timer": Origin.POLICY,
    "copied": Origin.COPY,
}
_UNSAID = Usage()
USAGES: Mapping[str, Usage] = {
    "none": Usage(images=0, disks=0),
    "image": Usage(images=1, disks=0),
    "disk": Usage(images=0, disks=1),
    "image_disk": Usage(images=1, disks=1),
}
"""The service says whether, not how many: a 1 means at least one."""

_NO_TAGS = Tags()
_OLDEST = datetime(2009, 9, 10, tzinfo=UTC)
"""Alibaba Cloud's first day; an earlier bound excludes nothing."""
_MOST_STATUSES = 3


@attrs.frozen
class Found(Generic[T]):
    """The rows of one answer: understood ones, the ids of all, and what was wrong."""

    items: list[T]
    ids: list[str]
    troubles: list[str]


def parse_snapshot(
    row: Mapping[str, Any],
    account: str,
    region: str,
    keep_raw: bool = False,
    instance_id: str | None = None,
) -> Snapshot | None:
    """Return the snapshot of a row of DescribeSnapshots, None if it has no id.

    *instance_id* is the server that was asked for: rows do not name it.
    """
    get = row.get
    snapshot_id = text(get("SnapshotId"))
    if snapshot_id is None:
        return None
    created = parse_time(get("CreationTime"))
    source = _disk(get("SourceDiskId"), get("SourceDiskType"), get("SourceDiskSize"), instance_id)
    size = source.size_bytes
    if created is None or size is None:
        note_odd(PROVIDER, row, {"CreationTime": created, "SourceDiskSize": size})
    copied = get("SourceSnapshotId")
    draft = draft_snapshot(snapshot_id, PROVIDER, account, region)
    draft.name = text(get("SnapshotName"))
    draft.description = text(get("Description"))
    (
        draft.status,
        draft.raw_status,
        draft.restorable,
        draft.progress,
        draft.origin,
        draft.encrypted,
        draft.usage,
    ) = _words(
        get("Status"),
        get("Available"),
        get("Progress"),
        copied is not None and text(copied) is not None,
        get("SnapshotType"),
        get("Encrypted"),
        get("Usage"),
    )
    draft.created_at = draft.cut_at = created
    draft.source = source
    draft.size_bytes = size
    draft.expires_at = _expiry(created, get("RetentionDays"))
    draft.kms_key_id = text(get("KMSKeyId"))
    draft.tags = tags_in(get("Tags"))
    if keep_raw:
        draft.raw = row
    return draft.done()


@remembered
def _words(
    status: object,
    available: object,
    progress: object,
    copied: bool,
    kind: object,
    encrypted: object,
    usage: object,
) -> tuple[SnapshotStatus, str | None, bool | None, int | None, Origin, bool | None, Usage]:
    """Return what the words mean that are the same in most rows."""
    word = text(status)
    found = lookup(STATUSES, word, SnapshotStatus.UNKNOWN)
    return (
        found,
        word,
        _restorable(found, available),
        percent(progress),
        Origin.COPY if copied else lookup(ORIGINS, kind, Origin.UNKNOWN),
        boolean(encrypted),
        lookup(USAGES, usage, _UNSAID),
    )


@remembered
def _disk(disk_id: object, kind: object, size: object, instance_id: str | None) -> SourceDisk:
    return SourceDisk(
        id=text(disk_id),
        role=lookup(ROLES, kind, DiskRole.UNKNOWN),
        size_bytes=gib(size),
        instance_id=instance_id,
    )


def _restorable(status: SnapshotStatus, available: object) -> bool | None:
    """Return whether a disk can be made from it now: often long before it is complete."""
    if status is SnapshotStatus.FAILED:
        return False
    said = boolean(available)
    if said is not None:
        return said
    return None if status is SnapshotStatus.UNKNOWN else status is SnapshotStatus.AVAILABLE


def _expiry(created: datetime | None, days: object) -> datetime | None:
    if created is None or days is None:
        return None
    number = integer(days)
    if not number:
        return None
    try:
        return created + timedelta(days=number)
    except OverflowError:
        return None


def tags_in(value: object) -> Tags | None:
    """Return the tags, however they are wrapped and whichever pair of names they use."""
    if value is None:
        return None
    found = rows(value, "Tag")
    if not found:
        return _NO_TAGS
    return tags_of(
        [
            (row.get("TagKey", row.get("Key")), row.get("TagValue", row.get("Value")))
            for row in found
        ]
    )


def parse_group(
    row: Mapping[str, Any], *, account: str, region: str, keep_raw: bool = False
) -> SnapshotGroup | None:
    """Return the group of a row of DescribeSnapshotGroups, None if it has no id.

    Its members have no status, size, name or time: the service gives those only with the
    snapshots themselves.
    """
    group_id = text(row.get("SnapshotGroupId"))
    if group_id is None:
        return None
    word = text(row.get("Status"))
    instance = text(row.get("InstanceId"))
    members = [
        _member(inner, account=account, region=region, instance=instance)
        for inner in rows(row.get("Snapshots"), "Snapshot")
    ]
    return SnapshotGroup(
        id=group_id,
        provider=PROVIDER,
        account=account,
        region=region,
        name=text(row.get("Name")),
        description=text(row.get("Description")),
        status=lookup(STATUSES, word, SnapshotStatus.UNKNOWN),
        raw_status=word,
        created_at=parse_time(row.get("CreationTime")),
        instance_id=instance,
        members=tuple(member for member in members if member is not None),
        consistency=Consistency.CRASH,
        membership=Membership.NATIVE,
        tags=tags_in(row.get("Tags")),
        raw=row if keep_raw else None,
    )


def _member(
    row: Mapping[str, Any], *, account: str, region: str, instance: str | None
) -> Snapshot | None:
    snapshot_id = text(row.get("SnapshotId"))
    if snapshot_id is None:
        return None
    tags = tags_in(row.get("Tags"))
    return Snapshot(
        id=snapshot_id,
        provider=PROVIDER,
        account=account,
        region=region,
        status=SnapshotStatus.UNKNOWN,
        raw_status=None,
        restorable=boolean(row.get("Available")),
        progress=percent(row.get("Progress")),
        source=SourceDisk(
            id=text(row.get("SourceDiskId")),
            role=lookup(ROLES, row.get("SourceDiskType"), DiskRole.UNKNOWN),
            instance_id=instance or (tags.get(CREATED_FROM) if tags else None),
        ),
        tags=tags,
    )


def parse_region(row: Mapping[str, Any]) -> Region | None:
    """Return the region of a row of DescribeRegions, None if it has no id."""
    region_id = text(row.get("RegionId"))
    if region_id is None:
        return None
    word = text(row.get("Status"))
    return Region(
        provider=PROVIDER,
        id=region_id,
        name=text(row.get("LocalName")),
        open=None if word is None else word.strip().casefold() == "available",
    )


def read_snapshots(
    answer: Mapping[str, Any],
    *,
    account: str,
    region: str,
    keep_raw: bool = False,
    instance_id: str | None = None,
) -> Found[Snapshot]:
    """Return the snapshots of an answer to DescribeSnapshots."""

    def parse(row: Mapping[str, Any]) -> Snapshot | None:
        return parse_snapshot(row, account, region, keep_raw, instance_id)

    return found_in(entries_of(answer, "Snapshots", "Snapshot"), "SnapshotId", parse)


def read_groups(
    answer: Mapping[str, Any], *, account: str, region: str, keep_raw: bool = False
) -> Found[SnapshotGroup]:
    """Return the groups of an answer to DescribeSnapshotGroups."""
    entries = entries_of(answer, "SnapshotGroups", "SnapshotGroup")
    found = found_in(
        entries,
        "SnapshotGroupId",
        lambda row: parse_group(row, account=account, region=region, keep_raw=keep_raw),
    )
    return attrs.evolve(found, troubles=[*found.troubles, *_bad_members(entries)])


def _bad_members(entries: list[Any]) -> list[str]:
    return [
        f"group {row.get('SnapshotGroupId')!r} has a member without SnapshotId; it is left out"
        for row in rows(entries)
        for inner in rows(row.get("Snapshots"), "Snapshot")
        if text(inner.get("SnapshotId")) is None
    ]


def read_regions(answer: Mapping[str, Any]) -> list[Region]:
    """Return the regions of an answer to DescribeRegions."""
    return found_in(entries_of(answer, "Regions", "Region"), "RegionId", parse_region).items


def entries_of(answer: Mapping[str, Any], outer: str, inner: str) -> list[Any]:
    """Return the list of an answer, whatever is in it; raise ProtocolError if there is none.

    An empty list may come as null or ``{}``, a single row without its list. An answer that
    does not even name the list says nothing about what there is.
    """
    wrapper: Any = answer.get(outer, ...)
    listed: Any = mapping(wrapper).get(inner, wrapper)
    if listed is None or listed in ({}, ""):
        return []
    if type(listed) in (list, dict):
        return rows(listed) if type(listed) is dict else listed
    raise ProtocolError(
        f"the answer has no list {outer!r}",
        request_id=request_id_of(answer),
        hint="check the endpoint",
    )


def found_in(
    entries: list[Any], key: str, parse: Callable[[Mapping[str, Any]], T | None]
) -> Found[T]:
    """Return what *parse* makes of *entries*; it gives None for one without *key*."""
    parsed = [parse(mapping(row)) for row in entries]
    items = [item for item in parsed if item is not None]
    if len(items) == len(parsed):
        return Found(items, [item.id for item in items], [])
    pairs = list(zip(parsed, entries, strict=True))
    return Found(
        items,
        [f"?{_start(row)}" if item is None else item.id for item, row in pairs],
        [f"a row without {key} was left out: {_start(row)}" for item, row in pairs if item is None],
    )


def _start(row: object) -> str:
    shown = json.dumps(row, sort_keys=True, default=str)
    return shown if len(shown) <= 120 else f"{shown[:119]}…"


def hands_over(answer: Mapping[str, Any], arrived: int) -> bool:
    """Whether the first answer in token mode comes from a server that knows no tokens.

    Such a server ignores MaxResults, sends its ten rows and counts the rest; one with tokens
    may send a wrong count, and looking again by page number then finds nothing new.
    """
    total = integer(answer.get("TotalCount"))
    return text(answer.get("NextToken")) is None and total is not None and total > arrived


def wants_nothing(query: SnapshotQuery | GroupQuery) -> bool:
    """Whether a filter of *query* is an empty set: never send one, ``[]`` is a live filter."""
    names = ("ids", "disk_ids", "instance_ids", "statuses", "roles", "origins", "snapshot_ids")
    return any(getattr(query, name, None) == frozenset() for name in names)


def snapshot_params(query: SnapshotQuery, region: str) -> dict[str, str]:
    """Return the parameters of DescribeSnapshots that never lose a match of *query*.

    Left to the core: names and the end of the time range (unconfirmed), and tags, because
    the service looks at no more than 1000 resources with a tag and drops the others silently.
    Raises UnsupportedError for several servers: rows do not name theirs, so only one at a
    time can be asked for.
    """
    params = {"RegionId": region}
    if query.ids is not None:
        params["SnapshotIds"] = json.dumps(sorted(query.ids), separators=(",", ":"))
    if query.disk_ids is not None and len(query.disk_ids) == 1:
        (params["DiskId"],) = query.disk_ids
    instance_id = instance_of(query)
    if instance_id is not None:
        params["InstanceId"] = instance_id
    status = _only(query.statuses, WORDS)
    if status is not None:
        params["Status"] = status
    role = _only(query.roles, ROLE_WORDS)
    if role is not None:
        params["SourceDiskType"] = role
    origin = _only(query.origins, {Origin.MANUAL: "user"})
    if origin is not None:
        params["SnapshotType"] = origin
    if query.encrypted is True:
        params["Encrypted"] = "true"
    if query.created_after is not None and query.created_after > _OLDEST:
        params["Filter.1.Key"] = "CreationStartTime"
        params["Filter.1.Value"] = _minute_before(query.created_after)
    return params


def instance_of(query: SnapshotQuery) -> str | None:
    """Return the one server that *query* asks for, None for no such filter."""
    if query.instance_ids is None:
        return None
    if len(query.instance_ids) > 1:
        raise UnsupportedError(
            "alibaba cannot list the snapshots of several servers at once",
            provider=PROVIDER,
            operation="DescribeSnapshots",
            hint="its snapshots do not name their server: ask for one instance at a time",
        )
    return next(iter(query.instance_ids), None)


def _only(wanted: frozenset[Any] | None, words: Mapping[Any, str]) -> str | None:
    return words.get(next(iter(wanted))) if wanted is not None and len(wanted) == 1 else None


def _minute_before(moment: datetime) -> str:
    """Return *moment* in whole minutes, one minute less: whether the bound counts is not said."""
    return (moment.astimezone(UTC) - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%MZ")


def group_params(query: GroupQuery, region: str) -> dict[str, str]:
    """Return the parameters of DescribeSnapshotGroups that never lose a match of *query*."""
    params = {"RegionId": region}
    for number, group_id in enumerate(sorted(query.ids or ()), 1):
        params[f"SnapshotGroupId.{number}"] = group_id
    if query.instance_ids is not None and len(query.instance_ids) == 1:
        (params["InstanceId"],) = query.instance_ids
    words = sorted(WORDS[status] for status in query.statuses or () if status in WORDS)
    if query.statuses is not None and len(words) == len(query.statuses) <= _MOST_STATUSES:
        params |= {f"Status.{number}": word for number, word in enumerate(words, 1)}
    return params
