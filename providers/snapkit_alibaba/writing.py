"""What changing requests hold, and what their answers say; pure.

Days of retention are whole and rounded up: a snapshot never ends before it was asked to.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from snapkit.errors import ArgumentError, ProtocolError, UnsupportedError
from snapkit.model import Kind, Tags
from snapkit.vocabulary import GIB, rows, text
from snapkit.writes import (
    Change,
    CopyOrder,
    DiskQuery,
    ItemResult,
    NewDisk,
    NewGroup,
    NewSnapshot,
    RollBack,
)
from snapkit_alibaba.failures import PROVIDER, item_error, request_id_of

__all__ = [
    "change_params",
    "copy_params",
    "copy_token",
    "days_until",
    "disk_params",
    "disks_params",
    "group_change_params",
    "group_params",
    "lock_params",
    "made",
    "read_progress",
    "resets_params",
    "snapshot_params",
    "tag_params",
    "untag_params",
]

DAY = 86400.0
MOST_DAYS = 65536
_TYPES: Mapping[Kind, str] = {Kind.SNAPSHOT: "snapshot", Kind.GROUP: "snapshotgroup"}


def days_until(expires_at: datetime, start: float) -> int:
    """Return the whole days from *start* (seconds since 1970) that reach *expires_at*.

    Raises ArgumentError for a moment that is over, or beyond what the service counts.
    """
    days = math.ceil((expires_at.timestamp() - start) / DAY)
    if not 1 <= days <= MOST_DAYS:
        raise ArgumentError(
            f"the expiry {expires_at.isoformat()} is {days} days away,"
            f" allowed are 1 to {MOST_DAYS}",
            hint="without an expiry it is kept until somebody deletes it",
        )
    return days


def snapshot_params(new: NewSnapshot, region: str, now: float) -> dict[str, str]:
    """Return the parameters of CreateSnapshot; *now* in seconds since 1970."""
    params = {"RegionId": region, "DiskId": new.disk_id}
    params |= _given(SnapshotName=new.name, Description=new.description, ClientToken=new.token)
    if new.expires_at is not None:
        params["RetentionDays"] = str(days_until(new.expires_at, now))
    return params | _tags(new.tags)


def group_params(new: NewGroup, region: str) -> dict[str, str]:
    """Return the parameters of CreateSnapshotGroup.

    Raises ArgumentError for combinations that the service documents as refused. How many
    disks fit is left to the service, whose own pages disagree.
    """
    _check_choice(new)
    params = {"RegionId": region}
    params |= _given(
        InstanceId=new.instance_id,
        Name=new.name,
        Description=new.description,
        ClientToken=new.token,
    )
    params |= _numbered("DiskId", new.disk_ids)
    params |= _numbered("ExcludeDiskId", new.exclude_disk_ids)
    return params | _tags(new.tags)


def _check_choice(new: NewGroup) -> None:
    trouble = None
    if new.disk_ids and new.exclude_disk_ids:
        trouble = "a group cannot both name disks and exclude disks"
    elif new.exclude_disk_ids and not new.instance_id:
        trouble = "disks can be excluded only from those of an instance"
    elif not (new.disk_ids or new.instance_id):
        trouble = "a group needs an instance or disks"
    if trouble is not None:
        raise ArgumentError(trouble, provider=PROVIDER, hint="name an instance, or disks")


def change_params(
    snapshot_id: str, change: Change, region: str, created: float | None
) -> dict[str, str]:
    """Return the parameters of ModifySnapshotAttribute; two of them alone change nothing.

    *created* is when the snapshot was made, in seconds since 1970: days count from there.
    """
    if change.permanent:
        raise UnsupportedError(
            "alibaba cannot take the expiry of a snapshot away",
            provider=PROVIDER,
            operation="ModifySnapshotAttribute",
            hint=f"it can only grow: set one that is far away, up to {MOST_DAYS} days",
        )
    params = {"RegionId": region, "SnapshotId": snapshot_id}
    params |= _said(SnapshotName=change.name, Description=change.description)
    if change.expires_at is not None and created is not None:
        params["RetentionDays"] = str(days_until(change.expires_at, created))
    return params


def group_change_params(group_id: str, change: Change, region: str) -> dict[str, str]:
    """Return the parameters of ModifySnapshotGroup; two of them alone change nothing."""
    if change.expires_at is not None or change.permanent:
        raise UnsupportedError(
            "alibaba has no expiry of groups",
            provider=PROVIDER,
            operation="ModifySnapshotGroup",
            hint="set it on the members, one by one",
        )
    params = {"RegionId": region, "SnapshotGroupId": group_id}
    return params | _said(Name=change.name, Description=change.description)


def tag_params(kind: Kind, ids: Sequence[str], tags: Tags, region: str) -> dict[str, str]:
    """Return the parameters of TagResources."""
    return (
        {"RegionId": region, "ResourceType": _TYPES[kind]}
        | _numbered("ResourceId", ids)
        | (_tags(tags))
    )


def untag_params(
    kind: Kind, ids: Sequence[str], keys: Sequence[str], region: str
) -> dict[str, str]:
    """Return the parameters of UntagResources."""
    place = {"RegionId": region, "ResourceType": _TYPES[kind]}
    return place | _numbered("ResourceId", ids) | _numbered("TagKey", keys)


def disks_params(query: DiskQuery, region: str) -> dict[str, str]:
    """Return the parameters of DescribeDisks."""
    params = {"RegionId": region} | _given(InstanceId=query.instance_id)
    if query.ids is not None:
        params["DiskIds"] = json.dumps(sorted(query.ids), separators=(",", ":"))
    return params


def disk_params(new: NewDisk, region: str) -> dict[str, str]:
    """Return the parameters of CreateDisk; the size is rounded up to whole GiB."""
    if not new.zone:
        raise ArgumentError(
            "a new disk needs a zone", provider=PROVIDER, hint=f"such as '{region}-h'"
        )
    params = {"RegionId": region, "ZoneId": new.zone, "SnapshotId": new.snapshot_id}
    params |= _given(DiskName=new.name, DiskCategory=new.raw_category, ClientToken=new.token)
    if new.size_bytes is not None:
        params["Size"] = str(-(-new.size_bytes // GIB))
    return params | _tags(new.tags)


def resets_params(pairs: Sequence[RollBack], region: str) -> dict[str, str]:
    """Return the parameters of ResetDisks."""
    params = {"RegionId": region}
    for number, pair in enumerate(pairs, 1):
        params[f"Disk.{number}.DiskId"] = pair.disk_id
        params[f"Disk.{number}.SnapshotId"] = pair.snapshot_id
    return params


def copy_token(token: str, destination: str) -> str:
    """Return the client token for the copy to *destination*, none for no *token*.

    Each region needs its own, since one token stands for one set of parameters.
    """
    return hashlib.sha256(f"{token}\n{destination}".encode()).hexdigest() if token else ""


def copy_params(order: CopyOrder, destination: str, region: str, now: float) -> dict[str, str]:
    """Return the parameters of CopySnapshot; name and description are obligatory."""
    params = {
        "RegionId": region,
        "SnapshotId": order.snapshot_id,
        "DestinationRegionId": destination,
        "DestinationSnapshotName": order.name or "",
        "DestinationSnapshotDescription": order.description or "",
    }
    if order.expires_at is not None:
        params["RetentionDays"] = str(days_until(order.expires_at, now))
    return params | _given(ClientToken=copy_token(order.token, destination)) | _tags(order.tags)


def lock_params(snapshot_id: str, days: int | None, region: str, token: str) -> dict[str, str]:
    """Return the parameters of LockSnapshot, or with *days* None of UnlockSnapshot."""
    params = {"RegionId": region, "SnapshotId": snapshot_id, "ClientToken": token}
    if days is None:
        return params
    return params | {"LockMode": "compliance", "LockDuration": str(days), "CoolOffPeriod": "0"}


def made(answer: Mapping[str, Any], field: str) -> str:
    """Return the id in *answer*; without one nobody knows what was made."""
    found = text(answer.get(field))
    if found is None:
        raise ProtocolError(f"the answer has no {field}", request_id=request_id_of(answer))
    return found


def read_progress(
    operation: str, answer: Mapping[str, Any], wanted: Iterable[str]
) -> list[ItemResult]:
    """Return how each of the *wanted* snapshots ended, failures inside a success opened.

    One that the answer does not name went as the answer did. What it names beyond *wanted*
    is told too.
    """
    ended = {one: ItemResult(id=one) for one in wanted}
    for row in rows(answer.get("OperationProgressSet"), "OperationProgress"):
        for one in _related(row):
            ended[one] = _ended(operation, answer, row, one)
    return list(ended.values())


def _related(row: Mapping[str, Any]) -> list[str]:
    items = rows(row.get("RelatedItemSet"), "RelatedItem")
    named = ((item.get("Name"), text(item.get("Value"))) for item in items)
    return [value for name, value in named if name == "SnapshotId" and value is not None]


def _ended(
    operation: str, answer: Mapping[str, Any], row: Mapping[str, Any], one: str
) -> ItemResult:
    word, code = text(row.get("OperationStatus")), text(row.get("ErrorCode"))
    if (word or "").casefold() == "success" and code is None:
        return ItemResult(id=one)
    error = item_error(
        operation,
        code,
        text(row.get("ErrorMsg")) or f"{one} ended as {word!r}",
        request_id=request_id_of(answer),
    )
    return ItemResult(id=one, error=error)


def _given(**fields: str | None) -> dict[str, str]:
    """Return the fields that have a text."""
    return {name: value for name, value in fields.items() if value}


def _said(**fields: str | None) -> dict[str, str]:
    """Return the fields that are not None: an empty text is a value here."""
    return {name: value for name, value in fields.items() if value is not None}


def _numbered(name: str, values: Iterable[str]) -> dict[str, str]:
    return {f"{name}.{number}": value for number, value in enumerate(values, 1)}


def _tags(tags: Mapping[str, str]) -> dict[str, str]:
    params: dict[str, str] = {}
    for number, (key, value) in enumerate(tags.items(), 1):
        params[f"Tag.{number}.Key"] = key
        params[f"Tag.{number}.Value"] = value
    return params
