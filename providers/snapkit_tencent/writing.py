"""Writes of API 3.0: parameters from orders, results from answers; pure.

Sources: https://cloud.tencent.com/document/api/362/15648 (CreateSnapshot) and its sister pages,
https://cloud.tencent.com/document/api/651/72613 (TagResources).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from snapkit.errors import (
    ArgumentError,
    NotFoundError,
    ProtocolError,
    Retry,
    SnapkitError,
    UnsupportedError,
)
from snapkit.model import Kind, Tags
from snapkit.rules import Rules, TextRule
from snapkit.vocabulary import mapping, text
from snapkit.writes import (
    MARKER_TAG,
    Change,
    Copied,
    CopyOrder,
    ItemResult,
    NewDisk,
    NewGroup,
    NewSnapshot,
    RollBack,
)

from .failures import error_of, verdict_of
from .wire import is_list

__all__ = [
    "RULES",
    "TAGGED",
    "change_params",
    "copied_of",
    "copy_params",
    "disk_params",
    "group_params",
    "made_id",
    "resource_name",
    "roll_back_group_params",
    "roll_back_params",
    "share_params",
    "snapshot_params",
    "tag_list",
    "tag_params",
    "tag_results",
    "untag_params",
]

TAGGED = 9
"""Names, and tags, in one call of the tag service; documents say 9 here and 10 there."""
SOONEST_END = timedelta(days=1)
GIB = 1 << 30
_TAG_TEXT = r"(?! )[\w +\-=.:/@()\[\],;><]+(?<! )"
_TAG_WORDS = "takes letters, digits, inner blanks and + - = . _ : / @ ( ) [ ] , ; > < only"

RULES = Rules(
    # Bytes in one document, characters in another: what both refuse is refused here.
    name=TextRule(shortest=1, longest=60),
    group_name=TextRule(shortest=1, longest=60),
    disk_name=TextRule(shortest=1, longest=60),
    tag_key=TextRule(
        shortest=1,
        longest=127,
        pattern=r"(?!qcs:|project|项目)" + _TAG_TEXT,
        says=f"{_TAG_WORDS}, and must not begin with qcs:, project or 项目",
    ),
    tag_value=TextRule(shortest=1, longest=255, pattern=_TAG_TEXT, says=_TAG_WORDS),
    tags=50,
)


def snapshot_params(new: NewSnapshot, now: datetime) -> dict[str, Any]:
    """Return the parameters of CreateSnapshot; without a deadline it stays."""
    return _given(
        DiskId=new.disk_id,
        SnapshotName=new.name,
        Deadline=_deadline(new.expires_at, now),
        Tags=tag_list(new.tags),
    )


def group_params(new: NewGroup) -> dict[str, Any]:
    """Return the parameters of CreateSnapshotGroup, which takes disks only."""
    if not new.disk_ids:
        raise ArgumentError(
            "a snapshot group needs disks", hint="name the disks, all of one instance"
        )
    return _given(DiskIds=list(new.disk_ids), SnapshotGroupName=new.name, Tags=tag_list(new.tags))


def change_params(snapshot_id: str, change: Change, now: datetime) -> dict[str, Any]:
    """Return the parameters of ModifySnapshotAttribute; a deadline ends permanence."""
    if change.permanent and change.expires_at is not None:
        raise ArgumentError("a snapshot cannot be permanent and have an end")
    permanent = True if change.permanent else None if change.expires_at is None else False
    return _given(
        SnapshotId=snapshot_id,
        SnapshotName=change.name,
        IsPermanent=permanent,
        Deadline=_deadline(change.expires_at, now),
    )


def disk_params(new: NewDisk, *, zone: str, category: str) -> dict[str, Any]:
    """Return the parameters of CreateDisks: one disk, paid by the hour."""
    size = None if new.size_bytes is None else -(-new.size_bytes // GIB)
    return _given(
        Placement={"Zone": zone},
        DiskChargeType="POSTPAID_BY_HOUR",
        DiskType=category,
        SnapshotId=new.snapshot_id,
        DiskSize=size,
        DiskName=new.name,
        Tags=tag_list(new.tags),
        ClientToken=new.token or None,
    )


def roll_back_params(pair: RollBack, *, stop: bool, start: bool) -> dict[str, Any]:
    """Return the parameters of ApplySnapshot."""
    return {"SnapshotId": pair.snapshot_id, "DiskId": pair.disk_id} | _power(stop, start)


def roll_back_group_params(
    group_id: str, pairs: Sequence[RollBack], *, stop: bool, start: bool
) -> dict[str, Any]:
    """Return the parameters of ApplySnapshotGroup."""
    disks = [{"SnapshotId": pair.snapshot_id, "DiskId": pair.disk_id} for pair in pairs]
    return {"SnapshotGroupId": group_id, "ApplyDisks": disks} | _power(stop, start)


def copy_params(order: CopyOrder, region: str) -> dict[str, Any]:
    """Return the parameters of CopySnapshotCrossRegions.

    It has no place for tags, a description or an end, so an order with one is refused.
    """
    asked = {
        "tags": set(order.tags) - {MARKER_TAG},
        "a description": order.description,
        "an end": order.expires_at,
    }
    for what, value in asked.items():
        if value:
            raise UnsupportedError(
                f"a copy cannot be given {what}", hint="set tags and end when the copy is there"
            )
    if region in order.regions:
        raise ArgumentError(f"{region!r} is where the snapshot is", hint="copy to another region")
    return _given(
        SnapshotId=order.snapshot_id,
        DestinationRegions=list(order.regions),
        SnapshotName=order.name,
    )


def share_params(ids: Sequence[str], accounts: Sequence[str], *, share: bool) -> dict[str, Any]:
    """Return the parameters of ModifySnapshotsSharePermission."""
    permission = "SHARE" if share else "CANCEL"
    return {"SnapshotIds": list(ids), "AccountIds": list(accounts), "Permission": permission}


def resource_name(snapshot_id: str, region: str) -> str:
    """Return the tag service's name of a snapshot; its product is cvm, the owner may be empty."""
    return f"qcs::cvm:{region}:uin/:snapshot/{snapshot_id}"


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]] | None:
    """Return *tags* as the block storage API wants them, None for none."""
    return [{"Key": key, "Value": value} for key, value in tags.items()] or None


def tag_params(names: Sequence[str], tags: Tags) -> list[dict[str, Any]]:
    """Return the parameters of as many TagResources as *tags* need."""
    listed = [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
    return [{"ResourceList": list(names), "Tags": some} for some in _parts(listed)]


def untag_params(names: Sequence[str], keys: Sequence[str]) -> list[dict[str, Any]]:
    """Return the parameters of as many UnTagResources as *keys* need."""
    return [{"ResourceList": list(names), "TagKeys": some} for some in _parts(list(keys))]


def made_id(payload: Mapping[str, Any], field: str, operation: str) -> str:
    """Return the id, or the first of the ids, in *field*.

    Raises ProtocolError without one: the vendor says it may be null, and then nobody knows.
    """
    value = payload.get(field)
    found = text(value[0] if is_list(value) and value else value)
    if found is None:
        raise ProtocolError(
            f"the answer has no id in {field!r}",
            operation=operation,
            request_id=text(payload.get("RequestId")),
            retry=Retry.NEVER,
        )
    return found


def tag_results(
    ids: Sequence[str],
    there: Iterable[str],
    answers: Iterable[Mapping[str, Any]],
    operation: str,
) -> list[ItemResult]:
    """Return how each of *ids* fared, from the FailedResources inside the successes.

    One that is not *there* was not sent.
    """
    failed: dict[str, SnapkitError] = {
        one: NotFoundError(f"there is no snapshot {one!r}", operation=operation)
        for one in set(ids) - set(there)
    }
    for payload in answers:
        for row in _rows(payload.get("FailedResources")):
            error = _hidden(row, payload, operation)
            failed.setdefault((text(row.get("Resource")) or "").rpartition("/")[2], error)
    return [ItemResult(id=one, kind=Kind.SNAPSHOT, error=failed.get(one)) for one in ids]


def copied_of(payload: Mapping[str, Any], order: CopyOrder) -> list[Copied]:
    """Return how the copy to each region went; one that is not answered for is unknown."""
    found = {
        text(row.get("DestinationRegion")): row
        for row in _rows(payload.get("SnapshotCopyResultSet"))
    }
    return [_copied(region, found.get(region), payload) for region in order.regions]


def _copied(region: str, row: Mapping[str, Any] | None, payload: Mapping[str, Any]) -> Copied:
    operation = "CopySnapshotCrossRegions"
    if row is not None and row.get("Code") != "Success":
        return Copied(region=region, error=_hidden(row, payload, operation))
    made = text(row.get("SnapshotId")) if row is not None else None
    if made is not None:
        return Copied(region=region, snapshot_id=made)
    error = ProtocolError(
        f"the answer does not name the copy in {region!r}",
        operation=operation,
        request_id=text(payload.get("RequestId")),
        retry=Retry.NEVER,
    )
    return Copied(region=region, error=error)


def _hidden(row: Mapping[str, Any], payload: Mapping[str, Any], operation: str) -> SnapkitError:
    """Return the error that one item's code means."""
    code = text(row.get("Code"))
    return error_of(
        verdict_of(code or ""),
        code=code,
        message=text(row.get("Message")) or "an error without a message",
        request_id=text(payload.get("RequestId")),
        operation=operation,
    )


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [mapping(row) for row in value] if is_list(value) else []


def _given(**params: Any) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}


def _power(stop: bool, start: bool) -> dict[str, Any]:
    """Return the switches; the vendor starts only what it has stopped."""
    return {"AutoStopInstance": stop, "AutoStartInstance": stop and start}


def _deadline(end: datetime | None, now: datetime) -> str | None:
    """Return *end* in UTC; the vendor wants it a day ahead."""
    if end is None:
        return None
    if end < now + SOONEST_END:
        raise ArgumentError(
            f"the end {end.isoformat()} is less than a day ahead", hint="choose a later one"
        )
    return end.astimezone(UTC).isoformat(timespec="seconds")


def _parts(values: list[Any]) -> list[list[Any]]:
    return [values[start : start + TAGGED] for start in range(0, len(values), TAGGED)]
