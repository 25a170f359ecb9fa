"""Acts that take more than one request, or whose failures have to be told apart."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from snapkit.errors import NotFoundError, SnapkitError, UnsupportedError
from snapkit.model import Kind, SnapshotGroup
from snapkit.retry import Safety
from snapkit.vocabulary import parse_time, rows
from snapkit.writes import Change, Copied, CopyOrder, ItemResult, RollBack
from snapkit_alibaba import writing
from snapkit_alibaba.failures import PROVIDER
from snapkit_alibaba.forms import STOPPED

__all__ = [
    "Caller",
    "change_snapshot",
    "copy",
    "delete_group",
    "delete_snapshot",
    "roll_back",
    "safety_of",
]

Caller = Callable[[str, Mapping[str, Any], Safety], Mapping[str, Any]]
"""Performs an operation with parameters, and says what sending it twice does."""

_RESETS = 10
"""Disks in one ResetDisks."""
_OVERRIDABLE = "SnapshotCreatedDisk"


def safety_of(params: Mapping[str, str]) -> Safety:
    """Return what sending *params* twice does: nothing where they hold a client token."""
    return Safety.TOKEN if "ClientToken" in params else Safety.ONCE


def change_snapshot(
    call: Caller, region: str, snapshot_id: str, change: Change, *, now: float
) -> None:
    """Change a snapshot; for an expiry it is looked at first, as days count from its creation.

    One whose point in time is not fixed yet counts as created now.
    """
    created = None if change.expires_at is None else _created(call, region, snapshot_id, now)
    params = writing.change_params(snapshot_id, change, region, created)
    if len(params) > 2:
        call("ModifySnapshotAttribute", params, Safety.REPEATABLE)


def _created(call: Caller, region: str, snapshot_id: str, now: float) -> float:
    params = {"RegionId": region, "SnapshotIds": json.dumps([snapshot_id])}
    answer = call("DescribeSnapshots", params, Safety.READ)
    for row in rows(answer.get("Snapshots"), "Snapshot"):
        if row.get("SnapshotId") == snapshot_id:
            moment = parse_time(row.get("CreationTime"))
            return now if moment is None else moment.timestamp()
    raise NotFoundError(
        f"there is no snapshot {snapshot_id!r}",
        provider=PROVIDER,
        region=region,
        operation="DescribeSnapshots",
    )


def delete_snapshot(call: Caller, region: str, snapshot_id: str, *, force: bool) -> ItemResult:
    """Delete one snapshot; that it is not there is what was wanted."""
    params = {"RegionId": region, "SnapshotId": snapshot_id}
    if force:
        params["Force"] = "true"
    try:
        call("DeleteSnapshot", params, Safety.REPEATABLE)
    except NotFoundError as error:
        if not _about_snapshots(error):
            raise
        return ItemResult(id=snapshot_id, absent=True)
    return ItemResult(id=snapshot_id)


def _about_snapshots(error: SnapkitError) -> bool:
    """Whether what was not found is the snapshot or group, and not the region or account."""
    return "Snapshot" in (error.code or "")


def delete_group(
    call: Caller, region: str, group: SnapshotGroup, *, force: bool
) -> list[ItemResult]:
    """Delete a group and say how the group and each member ended.

    Members that survive are named with what keeps them. *force* deletes those that only disks
    stand on, singly, because the group's operation has no such word. A group that is not
    there may have been deleted by a request whose answer was lost, so its members are then
    deleted one by one.
    """
    params = {"RegionId": region, "SnapshotGroupId": group.id}
    members = [member.id for member in group.members]
    try:
        answer = call("DeleteSnapshotGroup", params, Safety.REPEATABLE)
    except NotFoundError as error:
        if not _about_snapshots(error):
            raise
        gone = ItemResult(id=group.id, kind=Kind.GROUP, absent=True)
        return [gone, *(_one(call, region, one, force=force) for one in members)]
    ended = writing.read_progress("DeleteSnapshotGroup", answer, members)
    return [
        ItemResult(id=group.id, kind=Kind.GROUP),
        *(
            _one(call, region, item.id, force=True) if force and _forcible(item) else item
            for item in ended
        ),
    ]


def _forcible(item: ItemResult) -> bool:
    return item.error is not None and item.error.code == _OVERRIDABLE


def _one(call: Caller, region: str, snapshot_id: str, *, force: bool) -> ItemResult:
    try:
        return delete_snapshot(call, region, snapshot_id, force=force)
    except SnapkitError as error:
        return ItemResult(id=snapshot_id, error=error)


def roll_back(
    call: Caller, region: str, pairs: Sequence[RollBack], *, stop: bool, start: bool
) -> list[ItemResult]:
    """Put disks back; several go by tens, and failures inside a success are opened.

    What fails before anything was done raises; later it is told per item.
    """
    if stop or start:
        raise UnsupportedError(
            "alibaba cannot stop or start an instance around a rollback",
            provider=PROVIDER,
            operation="ResetDisk",
            hint=STOPPED,
        )
    if len(pairs) == 1:
        (pair,) = pairs
        params = {"RegionId": region, "DiskId": pair.disk_id, "SnapshotId": pair.snapshot_id}
        call("ResetDisk", params, Safety.ONCE)
        return [ItemResult(id=pair.snapshot_id)]
    ended: list[ItemResult] = []
    for first in range(0, len(pairs), _RESETS):
        some = pairs[first : first + _RESETS]
        names = [pair.snapshot_id for pair in some]
        try:
            answer = call("ResetDisks", writing.resets_params(some, region), Safety.ONCE)
        except SnapkitError as error:
            if not ended:
                raise
            ended += [ItemResult(id=name, error=error) for name in names]
        else:
            ended += writing.read_progress("ResetDisks", answer, names)
    return ended


def copy(call: Caller, region: str, order: CopyOrder, *, now: float) -> list[Copied]:
    """Start a copy to each region, and say for each the new id or what went wrong."""
    requests = [(one, writing.copy_params(order, one, region, now)) for one in order.regions]
    return [_copied(call, destination, params) for destination, params in requests]


def _copied(call: Caller, destination: str, params: Mapping[str, str]) -> Copied:
    try:
        answer = call("CopySnapshot", params, safety_of(params))
        return Copied(region=destination, snapshot_id=writing.made(answer, "SnapshotId"))
    except SnapkitError as error:
        return Copied(region=destination, error=error)
