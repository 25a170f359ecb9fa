"""Deletion that is honest: first a plan that names what stands in the way, then the act."""

from collections.abc import Collection, Iterable, Mapping, Sequence

import attrs

from snapkit.errors import ConflictError, SnapkitError
from snapkit.model import Snapshot, SnapshotStatus
from snapkit.writes import Blocker, Reason

__all__ = ["DeletePlan", "PlannedDelete", "blockers", "descendants", "plan"]


@attrs.frozen(kw_only=True)
class PlannedDelete:
    """One snapshot to delete; *snapshot* is None when it is not there (any more).

    *deleted* is whether the provider still shows it, as deleted.
    """

    id: str
    snapshot: Snapshot | None
    blockers: tuple[Blocker, ...] = ()
    deleted: bool = False

    @property
    def absent(self) -> bool:
        """Whether there is nothing to delete."""
        return self.snapshot is None

    @property
    def hidden(self) -> bool:
        """Whether nothing is shown of it: it was never there, or is too new to be listed.

        Only the deletion itself can tell which, so it is sent.
        """
        return self.snapshot is None and not self.deleted


@attrs.frozen(kw_only=True)
class DeletePlan:
    """What a deletion would do.

    ``takes_along`` are snapshots that were not named but that the provider deletes with those
    that were, because they build on them; ``doubts`` are sentences about rows that could not
    be read, of which it cannot be told whether they go too.
    """

    items: tuple[PlannedDelete, ...]
    takes_along: tuple[Snapshot, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def ids(self) -> frozenset[str]:
        """Everything that goes, taken along or named."""
        named = [item.id for item in self.items]
        return frozenset([*named, *(snapshot.id for snapshot in self.takes_along)])

    def refusal(self, *, force: bool, cascade: bool) -> SnapkitError | None:
        """Return the error that says why the plan must not be carried out, None if it may.

        *force* overrides what the provider lets one override, *cascade* allows descendants to
        be taken along.
        """
        against = [
            f"{item.id} is {blocker}"
            for item in self.items
            for blocker in item.blockers
            if not (force and blocker.forced)
        ]
        against += [
            f"{snapshot.id}, which builds on it, is {blocker}"
            for snapshot in self.takes_along
            for blocker in blockers(snapshot)
            if not (force and blocker.forced)
        ]
        if self.doubts and not cascade:
            against.append(f"it cannot be told what else builds on it: {self.doubts[0]}")
        if self.takes_along and not cascade:
            names = ", ".join(snapshot.id for snapshot in self.takes_along)
            against.append(f"others build on it and would be deleted too: {names}")
        if not against:
            return None
        overridable = any(
            blocker.forced and not force for item in self.items for blocker in item.blockers
        )
        hints = (["force overrides a use by disks"] if overridable else []) + (
            ["cascade deletes the others too"] if self.takes_along and not cascade else []
        )
        return ConflictError("not deleted: " + "; ".join(against), hint=", ".join(hints) or None)


def blockers(snapshot: Snapshot) -> tuple[Blocker, ...]:
    """Return what the neutral model knows to stand against deleting *snapshot*."""
    usage = snapshot.usage
    facts = (
        (usage.images, Blocker(reason=Reason.IMAGE)),
        (usage.disks, Blocker(reason=Reason.DISK, forced=True)),
        (usage.shares, Blocker(reason=Reason.SHARED)),
        (snapshot.locked, Blocker(reason=Reason.LOCKED)),
        (
            snapshot.status in (SnapshotStatus.RESTORING, SnapshotStatus.VERIFYING),
            Blocker(reason=Reason.BUSY, detail=snapshot.status.value),
        ),
    )
    return tuple(blocker for true, blocker in facts if true)


def descendants(named: Iterable[str], snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Return the *snapshots* that build on one of *named*, directly or not, and are not named."""
    children: dict[str, list[Snapshot]] = {}
    for snapshot in snapshots:
        if snapshot.parent_id is not None:
            children.setdefault(snapshot.parent_id, []).append(snapshot)
    known, todo = set(named), list(named)
    found: list[Snapshot] = []
    while todo:
        for child in children.get(todo.pop(), []):
            if child.id not in known:
                known.add(child.id)
                todo.append(child.id)
                found.append(child)
    return found


def plan(
    ids: Sequence[str],
    found: Mapping[str, Snapshot],
    extra: Mapping[str, Sequence[Blocker]],
    takes_along: Sequence[Snapshot],
    doubts: Sequence[str] = (),
    deleted: Collection[str] = (),
) -> DeletePlan:
    """Return the plan for *ids*, of which *found* are there and *deleted* are shown as deleted.

    *extra* are the driver's blockers.
    """
    items = [
        PlannedDelete(
            id=one,
            snapshot=found.get(one),
            blockers=(*blockers(found[one]), *extra.get(one, ())) if one in found else (),
            deleted=one in deleted,
        )
        for one in dict.fromkeys(ids)
    ]
    return DeletePlan(items=tuple(items), takes_along=tuple(takes_along), doubts=tuple(doubts))


def children_first(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    """Return *snapshots* so that each comes before the one that it builds on."""
    by_id = {snapshot.id: snapshot for snapshot in snapshots}

    def depth(snapshot: Snapshot) -> int:
        count, seen = 0, {snapshot.id}
        while snapshot.parent_id in by_id and snapshot.parent_id not in seen:
            snapshot = by_id[snapshot.parent_id]
            seen.add(snapshot.id)
            count += 1
        return count

    return sorted(by_id.values(), key=depth, reverse=True)
