"""Deleting several snapshots of which some may be gone, or in a state that forbids it."""

from collections.abc import Callable, Mapping, Sequence

from snapkit.errors import ConflictError, NotFoundError, SnapkitError
from snapkit.model import SnapshotStatus
from snapkit.writes import ItemResult

__all__ = ["delete"]

Send = Callable[[Sequence[str]], object]
Look = Callable[[Sequence[str]], Mapping[str, SnapshotStatus]]


def delete(ids: Sequence[str], send: Send, look: Look) -> list[ItemResult]:
    """Return how the deletion of each of *ids* ended, in their order.

    *send* deletes all of several or none. One that is gone, or going (a parent that took it
    along, an answer that was lost), is what was wanted; where another is refused, halves are
    tried until it stands alone. Whatever is not about single snapshots is raised, unless a
    part has been deleted before.
    """
    found: dict[str, ItemResult] = {}
    _delete(list(ids), send, look, found)
    return [found[one] for one in ids]


def _delete(ids: list[str], send: Send, look: Look, found: dict[str, ItemResult]) -> None:
    try:
        send(ids)
    except (NotFoundError, ConflictError) as error:
        states = look(ids)
        _settle(ids, states, found)
        left = [one for one in ids if one not in found]
        if len(ids) == 1 and left:
            absent = isinstance(error, NotFoundError) and left[0] not in states
            found[left[0]] = ItemResult(id=left[0], error=None if absent else error, absent=absent)
        elif left:
            halves = [left] if len(left) < len(ids) else _halves(left)
            for half in halves:
                _part(half, send, look, found)
        return
    found |= {one: ItemResult(id=one) for one in ids}


def _part(ids: list[str], send: Send, look: Look, found: dict[str, ItemResult]) -> None:
    try:
        _delete(ids, send, look, found)
    except SnapkitError as error:
        for one in ids:
            found.setdefault(one, ItemResult(id=one, error=error))


def _settle(
    ids: Sequence[str], states: Mapping[str, SnapshotStatus], found: dict[str, ItemResult]
) -> None:
    """Note those that are gone or going; one that is not shown may only be too new."""
    for one in ids:
        state = states.get(one)
        if state is SnapshotStatus.DELETED:
            found[one] = ItemResult(id=one, absent=True)
        elif state is SnapshotStatus.DELETING:
            found[one] = ItemResult(id=one)


def _halves(ids: list[str]) -> list[list[str]]:
    middle = len(ids) // 2
    return [ids[:middle], ids[middle:]]
