"""Deletion item by item, over an action that deletes all or nothing."""

from collections.abc import Callable, Mapping, Sequence

from snapkit.errors import (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    Retry,
    SnapkitError,
    UnsupportedError,
)
from snapkit.model import Kind, Snapshot, SnapshotGroup, SnapshotStatus
from snapkit.writes import ItemResult

__all__ = ["delete_each", "delete_group"]

_ABOUT_ONE = (
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    UnsupportedError,
)
"""Refusals that may be about one of several, if they are the provider's (have its code)."""
_AMBIGUOUS = "InvalidSnapshot.NotSupported"


def delete_each(
    ids: Sequence[str],
    delete: Callable[[Sequence[str]], object],
    look: Callable[[Sequence[str]], Mapping[str, Snapshot]],
) -> list[ItemResult]:
    """Delete *ids* by as few calls of *delete* as possible and say how each ended.

    One missing id stops the whole batch, so it is then sent one by one: what *look* does not
    show may only be too new to be listed. What is about none of them in particular raises,
    and then nothing was deleted.
    """
    wanted = list(dict.fromkeys(ids))
    try:
        delete(wanted)
    except NotFoundError as error:
        if "Snapshot" not in (error.code or ""):
            look(wanted)  # raises where it is the region that is not found
        ended = _again(wanted, delete, look) if len(wanted) > 1 else _absent(wanted[0])
    except _ABOUT_ONE as error:
        if error.code is None:
            raise
        ended = _again(wanted, delete, look) if len(wanted) > 1 else _one(wanted[0], error, look)
    else:
        ended = {}
    return [ended.get(one, ItemResult(id=one)) for one in wanted]


def delete_group(
    group: SnapshotGroup, delete: Callable[[str], object], shows: Callable[[str], bool]
) -> list[ItemResult]:
    """Delete *group* and say how it and its members ended; all go, or none and it raises.

    What was not found may be a member instead, so a group that *shows* still is not absent.
    """
    try:
        delete(group.id)
    except NotFoundError:
        if shows(group.id):
            raise
        return [ItemResult(id=group.id, kind=Kind.GROUP, absent=True)]
    members = [ItemResult(id=member.id) for member in group.members]
    return [ItemResult(id=group.id, kind=Kind.GROUP), *members]


def _again(
    ids: Sequence[str],
    delete: Callable[[Sequence[str]], object],
    look: Callable[[Sequence[str]], Mapping[str, Snapshot]],
) -> dict[str, ItemResult]:
    """Delete one by one, so that each refusal finds its snapshot."""
    ended: dict[str, ItemResult] = {}
    for one in ids:
        try:
            delete([one])
        except NotFoundError:
            ended |= _absent(one)
        except SnapkitError as error:
            ended |= _one(one, error, look)
    return ended


def _absent(snapshot_id: str) -> dict[str, ItemResult]:
    return {snapshot_id: ItemResult(id=snapshot_id, absent=True)}


def _one(
    snapshot_id: str,
    error: SnapkitError,
    look: Callable[[Sequence[str]], Mapping[str, Snapshot]],
) -> dict[str, ItemResult]:
    """Return the result of a refusal; an ambiguous one is read with the snapshot's state."""
    if error.code == _AMBIGUOUS:
        error = _read_again(snapshot_id, error, look)
    return {snapshot_id: ItemResult(id=snapshot_id, error=error)}


def _read_again(
    snapshot_id: str,
    error: SnapkitError,
    look: Callable[[Sequence[str]], Mapping[str, Snapshot]],
) -> SnapkitError:
    """Return *error*, as a conflict if the snapshot is not ready: the code does not say which."""
    try:
        found = look([snapshot_id]).get(snapshot_id)
    except SnapkitError:
        return error
    if found is None or found.status is SnapshotStatus.AVAILABLE:
        return error
    return ConflictError(
        f"{error.message} (it is {found.raw_status!r})",
        code=error.code,
        request_id=error.request_id,
        retry=Retry.STATE,
        sent=error.sent,
        attempts=error.attempts,
        hint="wait until it is NORMAL",
    ).locate(
        provider=error.provider,
        account=error.account,
        region=error.region,
        operation=error.operation,
    )
