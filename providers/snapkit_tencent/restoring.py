"""Back to a disk: where a new one goes, and rollbacks one by one."""

from collections.abc import Callable, Sequence

from snapkit.errors import ArgumentError, SnapkitError
from snapkit.model import Snapshot
from snapkit.writes import Disk, ItemResult, NewDisk, RollBack

__all__ = ["placed", "roll_back_each"]


def placed(
    new: NewDisk,
    source: Callable[[], Snapshot | None],
    disk: Callable[[str], Disk | None],
) -> tuple[str, str]:
    """Return the zone and the product of the disk to make.

    What *new* leaves open is that of the snapshot's *source* and its *disk*, which are looked
    at only then. Raises ArgumentError for what they do not tell: nothing is invented.
    """
    zone, category = new.zone, new.raw_category
    snapshot = None if zone and category else source()
    if snapshot is not None:
        zone = zone or snapshot.source.zone
        origin = disk(snapshot.source.id) if not category and snapshot.source.id else None
        category = category or (origin.raw_category if origin is not None else None)
    if not zone:
        raise ArgumentError(
            f"the zone of {new.snapshot_id!r} is not known", hint="name the zone of the new disk"
        )
    if not category:
        raise ArgumentError(
            f"the disk from which {new.snapshot_id!r} was taken is gone or not visible, so its"
            " product is not known",
            hint="name the category of the new disk, for example CLOUD_PREMIUM",
        )
    return zone, category


def roll_back_each(
    pairs: Sequence[RollBack], apply: Callable[[RollBack], object]
) -> list[ItemResult]:
    """Put each disk back and say how it went; of a single one the error is raised."""
    if len(pairs) == 1:
        apply(pairs[0])
        return [ItemResult(id=pairs[0].snapshot_id)]
    return [ItemResult(id=pair.snapshot_id, error=_tried(apply, pair)) for pair in pairs]


def _tried(apply: Callable[[RollBack], object], pair: RollBack) -> SnapkitError | None:
    try:
        apply(pair)
    except SnapkitError as error:
        return error
    return None
