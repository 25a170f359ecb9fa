"""What the emulator knows beside the records: tokens, rollbacks, copies and shares on the way."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from snapkit.emulator.state import (
    AccountState,
    Disk,
    GroupRecord,
    RegionState,
    SnapshotRecord,
    Stage,
    World,
)

from .endpoints import SHORT_REGIONS

__all__ = ["Ledger", "Scene"]

ROLLBACK = 5.0
"""Seconds that a rollback takes."""


@attrs.define
class Ledger:
    """The memory of one emulated vendor."""

    tokens: dict[tuple[str, str, str], tuple[Mapping[str, Any], Mapping[str, Any]]] = attrs.field(
        factory=dict[tuple[str, str, str], tuple[Mapping[str, Any], Mapping[str, Any]]]
    )
    """First parameters and result of each client token of a key and region."""
    rollbacks: list[tuple[float, str, SnapshotRecord | GroupRecord]] = attrs.field(
        factory=list[tuple[float, str, SnapshotRecord | GroupRecord]]
    )
    """When each ends, the disk, and what it is put back to."""
    copies: dict[str, list[tuple[str, SnapshotRecord]]] = attrs.field(
        factory=dict[str, list[tuple[str, SnapshotRecord]]]
    )
    """The copies of each snapshot, with their regions."""
    shares: dict[str, set[str]] = attrs.field(factory=dict[str, set[str]])
    born: dict[str, float] = attrs.field(factory=dict[str, float])
    """When disks were made here."""

    def settle(self, now: float) -> None:
        """End the rollbacks whose time has come."""
        for end, _, record in self.rollbacks:
            if end <= now:
                record.word = None
        self.rollbacks = [one for one in self.rollbacks if one[0] > now]

    def rolling(self, disk_id: str) -> bool:
        """Whether the disk is being put back."""
        return any(disk == disk_id for _, disk, _ in self.rollbacks)

    def roll_back(self, disk_id: str, record: SnapshotRecord | GroupRecord, now: float) -> None:
        """Begin to put the disk back to *record*."""
        record.word = "ROLLBACKING"
        self.rollbacks.append((now + ROLLBACK, disk_id, record))

    def copying(self, snapshot_id: str, now: float) -> Iterator[str]:
        """Yield the regions to which the snapshot is being copied."""
        for region, record in self.copies.get(snapshot_id, ()):
            if record.stage(now) not in (Stage.COMPLETE, Stage.FAILED, Stage.DELETED):
                yield region

    def shared_with(self, record: SnapshotRecord) -> set[str]:
        """Return the accounts, invented ones for shares that were there before."""
        invented = {f"10000000{number:04d}" for number in range(record.shares)}
        return self.shares.setdefault(record.id, invented)


@attrs.frozen(kw_only=True)
class Scene:
    """One request: whose, where, and when."""

    world: World
    ledger: Ledger
    account: AccountState
    region: RegionState
    now: float

    def place(self, region: str) -> RegionState | None:
        """Return another of the account's regions, None if the vendor has no such region."""
        known = region in self.account.regions or region in SHORT_REGIONS.values()
        return self.account.region(region) if known else None

    def visible(self, born: float) -> bool:
        """Whether what was born then is listed yet: the world may have a lag."""
        lag: float = getattr(self.world, "lag", 0.0)
        return not lag or self.now - born >= lag

    def sees(self, disk: Disk) -> bool:
        """Whether *disk* is listed yet."""
        return self.visible(self.ledger.born.get(disk.id, float("-inf")))
