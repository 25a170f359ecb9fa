"""API 3.0 on the wire: tables, and values from answers; pure.

Nothing here raises on what a server may send but the SnapkitError that the answer means.
Words that both APIs share are looked up without regard to case, so the tables serve 2.0 too.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, TypeGuard, TypeVar

import attrs

from snapkit.answers import read_json, unknown_answer
from snapkit.drafting import draft_snapshot
from snapkit.driver import Connection
from snapkit.errors import (
    ConfigurationError,
    ProtocolError,
    Retry,
    SnapkitError,
)
from snapkit.http import HttpResponse
from snapkit.model import (
    DiskRole,
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
from snapkit.paging import Cursor, OffsetPaging, Page
from snapkit.vocabulary import (
    CHINA,
    boolean,
    gib,
    integer,
    lookup,
    mapping,
    parse_time,
    percent,
    remembered,
    tags,
    text,
)

from .failures import NOT_FAILURES, error_of, verdict_of

__all__ = [
    "PAGING",
    "PROVIDER",
    "RESTORABLE",
    "ROLES",
    "STATUSES",
    "Context",
    "context_of",
    "group_page",
    "is_list",
    "is_object",
    "page_of",
    "parse_group",
    "parse_offset",
    "parse_snapshot",
    "payload_of",
    "regions_of",
    "role_of",
    "snapshot_page",
    "status_of",
]

T = TypeVar("T")
PROVIDER = "tencent"

STATUSES: Mapping[str, SnapshotStatus] = {
    "normal": SnapshotStatus.AVAILABLE,
    "creating": SnapshotStatus.CREATING,
    "rollbacking": SnapshotStatus.RESTORING,
    "copying_from_remote": SnapshotStatus.COPYING,
    "checking_copied": SnapshotStatus.VERIFYING,
    "torecycle": SnapshotStatus.RECYCLED,
}
RESTORABLE: Mapping[SnapshotStatus, bool] = {
    SnapshotStatus.AVAILABLE: True,
    SnapshotStatus.CREATING: False,
    SnapshotStatus.COPYING: False,
    SnapshotStatus.VERIFYING: False,
    SnapshotStatus.RECYCLED: False,
}
"""A snapshot that is being rolled back to, or in an unknown state, is not listed: None."""
ROLES: Mapping[str, DiskRole] = {
    "system_disk": DiskRole.SYSTEM,
    "data_disk": DiskRole.DATA,
    "root": DiskRole.SYSTEM,
    "data": DiskRole.DATA,
}
PAGING = OffsetPaging(offset="Offset", size="Limit", total="TotalCount")
_STATUSES = {word.upper(): status for word, status in STATUSES.items()}
_ROLES = {word.upper(): role for word, role in ROLES.items()}
"""The spelling that is met most, which saves folding each word."""
_NO_TAGS = Tags()
_OFFSET = re.compile(r"([+-])(\d\d):?([0-5]\d)", re.ASCII)


@attrs.frozen(kw_only=True)
class Context:
    """What a row does not say: whose it is, where, and in which zone its times are."""

    account: str = ""
    region: str = ""
    zone: tzinfo = CHINA
    keep_raw: bool = False


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Whether *value* is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether *value* is a JSON list."""
    return isinstance(value, list)


def context_of(connection: Connection) -> Context:
    """Return the context of the rows that *connection* brings."""
    return Context(
        account=connection.account,
        region=connection.region,
        zone=parse_offset(connection.options.get("time-offset", "")),
        keep_raw=connection.keep_raw,
    )


def parse_offset(written: str) -> tzinfo:
    """Return the zone ``+08:00`` names, that of China for an empty text."""
    if not written:
        return CHINA
    found = _OFFSET.fullmatch(written.strip())
    span = timedelta(hours=int(found[2]), minutes=int(found[3])) if found else timedelta(days=1)
    if found is None or span >= timedelta(days=1):
        raise ConfigurationError(
            f"option 'time-offset' of {PROVIDER} cannot be {written!r}",
            hint="write an offset from UTC such as +08:00",
        )
    return timezone(-span if found[1] == "-" else span)


def status_of(word: object) -> SnapshotStatus:
    """Return what a status *word* of either API means, UNKNOWN for a new one."""
    if isinstance(word, str) and word in _STATUSES:
        return _STATUSES[word]
    return lookup(STATUSES, word, SnapshotStatus.UNKNOWN)


def role_of(word: object) -> DiskRole:
    """Return what a disk is used for in either API's *word*."""
    if isinstance(word, str) and word in _ROLES:
        return _ROLES[word]
    return lookup(ROLES, word, DiskRole.UNKNOWN)


def payload_of(response: HttpResponse, operation: str) -> Mapping[str, Any]:
    """Return what stands in ``Response``, or raise the error that stands there."""
    status = response.status
    envelope = read_json(response)
    payload = envelope.get("Response")
    if not is_object(payload):
        raise _no_envelope(status)
    problem = payload.get("Error")
    if problem is None:
        return payload
    code = text(mapping(problem).get("Code"))
    if code in NOT_FAILURES:
        return payload
    raise error_of(
        verdict_of(code or "", status),
        code=code,
        message=text(mapping(problem).get("Message")) or "an error without a message",
        request_id=text(payload.get("RequestId")),
        operation=operation,
    )


def snapshot_page(
    payload: Mapping[str, Any], cursor: Cursor | None, context: Context
) -> Page[Snapshot]:
    """Return the page that an answer to DescribeSnapshots is."""
    return page_of(
        payload,
        field="SnapshotSet",
        key="SnapshotId",
        parse=parse_snapshot,
        context=context,
        counted=PAGING.counted(payload, cursor),
    )


def group_page(
    payload: Mapping[str, Any], cursor: Cursor | None, context: Context
) -> Page[SnapshotGroup]:
    """Return the page that an answer to DescribeSnapshotGroups is."""
    return page_of(
        payload,
        field="SnapshotGroupSet",
        key="SnapshotGroupId",
        parse=parse_group,
        context=context,
        counted=PAGING.counted(payload, cursor),
    )


def page_of(
    payload: Mapping[str, Any],
    *,
    field: str,
    key: str,
    parse: Callable[[Mapping[str, Any], Context], T | None],
    context: Context,
    counted: Mapping[str, Any],
) -> Page[T]:
    """Return the page of the rows in *field*; one that *parse* gives None for is a trouble.

    Raises ProtocolError when there is no list where there must be one.
    """
    start, total = counted["start"], counted["total"]
    listed: list[Any] = []
    given: object = payload.get(field)
    if is_list(given):
        listed = given
    else:
        _check_absent(given, field, start=start, total=total)
    found = [parse(row, context) if is_object(row) else None for row in listed]
    items = [item for item in found if item is not None]
    troubles = [
        f"row {number} of {field} has no {key}"
        for number, item in enumerate(found, start + 1)
        if item is None
    ]
    if not listed and not start and total:
        troubles.append(f"the provider counts {total} rows but sent none")
    if not troubles:
        return Page(items=items, start=start, total=total)
    pairs = zip(found, listed, strict=True)
    ids = [f"unreadable: {row!r}" if item is None else row[key] for item, row in pairs]
    return Page(items=items, ids=ids, start=start, total=total, troubles=troubles)


def parse_snapshot(row: Mapping[str, Any], context: Context) -> Snapshot | None:
    """Return the snapshot that *row* describes, None if it has no id."""
    get = row.get
    found = get("SnapshotId")
    if not isinstance(found, str) or not found or found.isspace():
        return None
    made = parse_time(get("CreateTime"), context.zone)
    placement = get("Placement")
    zone = placement.get("Zone") if is_object(placement) else None
    source = _disk(get("DiskId"), get("DiskUsage"), get("DiskSize"), zone)
    size = source.size_bytes
    if made is None or size is None:
        note_odd(PROVIDER, row, {"CreateTime": made, "DiskSize": size})
    draft = draft_snapshot(found, PROVIDER, context.account, context.region)
    draft.name = text(get("SnapshotName"))
    (
        draft.status,
        draft.raw_status,
        draft.restorable,
        draft.progress,
        draft.origin,
        draft.encrypted,
        draft.usage,
        draft.locked,
    ) = _words(
        get("SnapshotState"),
        get("Percent"),
        get("CopyFromRemote"),
        get("SnapshotType"),
        get("AutoSnapshotPolicyId"),
        get("Encrypt"),
        get("ImageCount"),
        len(images) if is_list(images := get("Images")) else None,
        get("ShareReference"),
        get("IsLocked"),
    )
    draft.created_at = draft.cut_at = made
    draft.source = source
    draft.size_bytes = size
    draft.expires_at = _end(row, context.zone)
    draft.tags = _tags(get("Tags"))
    if context.keep_raw:
        draft.raw = row
    return draft.done()


def parse_group(row: Mapping[str, Any], context: Context) -> SnapshotGroup | None:
    """Return the group that *row* describes, its members by id only; None without an id."""
    found = row.get("SnapshotGroupId")
    if not isinstance(found, str) or not found or found.isspace():
        return None
    listed = row.get("SnapshotIdSet")
    members = [text(one) for one in listed] if is_list(listed) else []
    return SnapshotGroup(
        id=found,
        provider=PROVIDER,
        account=context.account,
        region=context.region,
        name=text(row.get("SnapshotGroupName")),
        status=status_of(row.get("SnapshotGroupState")),
        raw_status=text(row.get("SnapshotGroupState")),
        progress=percent(row.get("Percent")),
        created_at=parse_time(row.get("CreateTime"), context.zone),
        members=tuple(_member(one, found, context) for one in dict.fromkeys(members) if one),
        raw=row if context.keep_raw else None,
    )


def regions_of(payload: Mapping[str, Any]) -> list[Region]:
    """Return the regions in an answer to DescribeRegions."""
    listed = payload.get("RegionSet")
    if not is_list(listed):
        raise ProtocolError("the answer has no list of regions in 'RegionSet'")
    found = [(mapping(row), text(mapping(row).get("Region"))) for row in listed]
    return [
        Region(
            provider=PROVIDER,
            id=name,
            name=text(row.get("RegionName")),
            open=None
            if text(row.get("RegionState")) is None
            else row.get("RegionState") == "AVAILABLE",
        )
        for row, name in found
        if name
    ]


def _no_envelope(status: int) -> SnapkitError:
    return unknown_answer(
        status,
        f"HTTP {status} without an error that says more",
        otherwise=f"the answer (HTTP {status}) has no 'Response'",
        hint="check that the endpoint speaks API 3.0; for the old API say api=2.0",
    )


def _check_absent(listed: object, field: str, *, start: int, total: int | None) -> None:
    """Raise ProtocolError unless *listed*, which is no list, can only mean that none is left."""
    if listed is not None and listed != "":
        raise ProtocolError(f"{field!r} is not a list", retry=Retry.NEVER)
    if total is None:
        raise ProtocolError(f"the answer has neither {field!r} nor a count")
    if start < total:
        raise ProtocolError(f"{field!r} is missing although the provider counts {total} rows")


def _end(row: Mapping[str, Any], zone: tzinfo) -> datetime | None:
    """Return the deadline; a permanent snapshot has none even where one is written."""
    written = row.get("DeadlineTime")
    return parse_time(written, zone) if written and not boolean(row.get("IsPermanent")) else None


@remembered
def _words(
    state: object,
    progress: object,
    copied: object,
    kind: object,
    policy: object,
    encrypted: object,
    images: object,
    listed: int | None,
    shares: object,
    locked: object,
) -> tuple[
    SnapshotStatus, str | None, bool | None, int | None, Origin, bool | None, Usage, bool | None
]:
    """Return what the words and figures mean that are the same in most rows.

    Where there is no count of the *images*, *listed* is how many are named.
    """
    status, count = status_of(state), integer(images)
    return (
        status,
        text(state),
        RESTORABLE.get(status),
        percent(progress),
        _origin(copied, kind, policy),
        boolean(encrypted),
        Usage(images=listed if count is None else count, shares=integer(shares)),
        boolean(locked),
    )


@remembered
def _disk(disk_id: object, usage: object, size: object, zone: object) -> SourceDisk:
    return SourceDisk(id=text(disk_id), role=role_of(usage), size_bytes=gib(size), zone=text(zone))


def _origin(copied: object, kind: object, policy: object) -> Origin:
    if boolean(copied):
        return Origin.COPY
    if isinstance(kind, str) and kind.upper().startswith("SHARED"):
        return Origin.SHARED
    return Origin.POLICY if text(policy) else Origin.MANUAL


def _tags(value: object) -> Tags | None:
    if is_object(value):
        return tags(value.items())
    if not is_list(value):
        return None
    if not value:
        return _NO_TAGS
    return tags([(tag.get("Key"), tag.get("Value")) for tag in value if is_object(tag)])


def _member(snapshot_id: str, group_id: str, context: Context) -> Snapshot:
    return Snapshot(
        id=snapshot_id,
        provider=PROVIDER,
        account=context.account,
        region=context.region,
        status=SnapshotStatus.UNKNOWN,
        raw_status=None,
        group_id=group_id,
    )
