"""The writing half of the reference driver."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from snapkit.driver import Driver
from snapkit.errors import Failure, SnapkitError
from snapkit.model import Kind, SnapshotGroup, SnapshotKind, Tags
from snapkit.retry import Safety
from snapkit.rules import Rules, TextRule
from snapkit.testing.memory_account import written
from snapkit.vocabulary import GIB, rows, text
from snapkit.writes import (
    Change,
    Copied,
    CopyOrder,
    Disk,
    GroupMade,
    ItemResult,
    MarkerPlace,
    NewDisk,
    NewGroup,
    NewSnapshot,
    RollBack,
)

__all__ = ["FAILURES", "RULES", "MemoryWriter"]

Row = Mapping[str, Any]
FAILURES: Mapping[str, Failure] = {
    "bad_signature": Failure.AUTHENTICATION,
    "denied": Failure.PERMISSION,
    "slow_down": Failure.THROTTLED,
    "ill": Failure.SERVER,
    "bad_parameter": Failure.INVALID,
    "absent": Failure.NOT_FOUND,
    "in_use": Failure.CONFLICT,
    "token_used": Failure.IDEMPOTENCY,
}
RULES = Rules(
    name=TextRule(longest=40, forbidden_starts=("http://",)),
    group_name=TextRule(longest=40, forbidden_starts=("http://",)),
    tags=20,
)


class MemoryWriter(Driver):
    """Everything that changes something; reading is MemoryDriver's."""

    rules: ClassVar[Rules] = RULES
    keeps_groups: ClassVar[bool] = True

    @abstractmethod
    def call(self, operation: str, params: Mapping[str, Any], safety: Safety = Safety.READ) -> Row:
        """Return the answer to *operation*."""

    def create_snapshot(self, new: NewSnapshot) -> str:
        """Start CreateSnapshot and return the id."""
        asked = {
            "disk": new.disk_id,
            "title": new.name or "",
            "note": new.description or "",
            "labels": self.written_tags(new.tags),
            "until": self.until(new),
            "whole": new.kind is SnapshotKind.FULL,
        }
        return str(self.make("CreateSnapshot", asked, self.marker, new.token)["id"])

    def create_group(self, new: NewGroup) -> GroupMade:
        """Start CreateGroup and return the group's id, or those of its members."""
        asked = {
            "server": new.instance_id,
            "disks": list(new.disk_ids),
            "without": list(new.exclude_disk_ids),
            "title": new.name or "",
            "note": new.description or "",
            "labels": self.written_tags(new.tags),
            "loose": not self.keeps_groups,
        }
        answer = self.make("CreateGroup", asked, self.group_marker, new.token)
        members = tuple(str(one) for one in answer.get("members", ()))
        return GroupMade(group_id=text(answer.get("id")), snapshot_ids=members)

    def make(self, operation: str, asked: Row, place: MarkerPlace, token: str) -> Row:
        """Return the answer to a request that makes something: by token, or once."""
        if place is MarkerPlace.TOKEN:
            return self.call(operation, {**asked, "token": token}, Safety.TOKEN)
        return self.call(operation, asked, Safety.ONCE)

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        """Change what is given."""
        fields: dict[str, Any] = {"title": change.name, "note": change.description}
        asked = {name: value for name, value in fields.items() if value is not None}
        if change.permanent or change.expires_at is not None:
            asked["until"] = self.until(change)
        self.call("Change", {"id": snapshot_id, **asked}, Safety.REPEATABLE)

    def change_group(self, group_id: str, change: Change) -> None:
        """Change what is given; groups and snapshots share the operation."""
        self.change_snapshot(group_id, change)

    def tag(self, kind: Kind, ids: Sequence[str], tags: Tags) -> list[ItemResult]:
        """Set tags; the others stay."""
        return self.label(kind, ids, self.written_tags(tags), ())

    def untag(self, kind: Kind, ids: Sequence[str], keys: Sequence[str]) -> list[ItemResult]:
        """Take tags away."""
        return self.label(kind, ids, (), keys)

    def label(
        self, kind: Kind, ids: Sequence[str], labels: Sequence[Row], off: Sequence[str]
    ) -> list[ItemResult]:
        """Set and take away in one request."""
        asked = {"ids": list(ids), "labels": list(labels), "off": list(off)}
        answer = self.call("Label", asked, Safety.REPEATABLE)
        return [self.result(row, kind) for row in rows(answer.get("results"))]

    def delete_snapshots(self, ids: Sequence[str], *, force: bool) -> list[ItemResult]:
        """Delete, and open what failed inside the success."""
        asked = {"ids": list(ids), "force": force}
        answer = self.call("DeleteSnapshots", asked, Safety.REPEATABLE)
        return [self.deletion(row) for row in rows(answer.get("results"))]

    def delete_group(self, group: SnapshotGroup, *, force: bool) -> list[ItemResult]:
        """Delete a group with its members, or only the members of one that is derived."""
        if not self.keeps_groups:
            return self.delete_snapshots([one.id for one in group.members], force=force)
        asked = {"id": group.id, "force": force}
        answer = self.call("DeleteGroup", asked, Safety.REPEATABLE)
        return [self.deletion(row) for row in rows(answer.get("results"))]

    def create_disk(self, new: NewDisk) -> str:
        """Start CreateDisk and return the id."""
        size = None if new.size_bytes is None else -(-new.size_bytes // GIB)
        asked = {"snapshot": new.snapshot_id, "title": new.name or "", "gib": size}
        return str(self.make("CreateDisk", asked, self.disk_marker, new.token)["id"])

    def disks_named(self, name: str) -> list[Disk]:
        """Return the disks called *name*."""
        found = rows(self.call("FindDisks", {"title": name}).get("rows"))
        return [self.disk(row) for row in found]

    def roll_back(
        self, pairs: Sequence[RollBack], *, group_id: str | None, stop: bool, start: bool
    ) -> list[ItemResult]:
        """Put disks back, once."""
        del group_id, stop, start
        asked = {"pairs": [[pair.snapshot_id, pair.disk_id] for pair in pairs]}
        answer = self.call("RollBack", asked, Safety.ONCE)
        return [self.result(row) for row in rows(answer.get("results"))]

    def copy_snapshot(self, order: CopyOrder) -> list[Copied]:
        """Start copies to all regions in one request."""
        asked = {"id": order.snapshot_id, "regions": list(order.regions), "title": order.name}
        answer = self.call("Copy", {**asked, "token": order.token}, Safety.TOKEN)
        return [
            Copied(
                region=str(row["region"]), snapshot_id=text(row.get("id")), error=self.error(row)
            )
            for row in rows(answer.get("results"))
        ]

    def share(self, ids: Sequence[str], accounts: Sequence[str], *, share: bool) -> None:
        """Share, or stop sharing."""
        asked = {"ids": list(ids), "accounts": list(accounts), "share": share}
        self.call("Share", asked, Safety.REPEATABLE)

    def lock(self, snapshot_id: str, *, days: int | None) -> None:
        """Lock, or unlock."""
        self.call("Lock", {"id": snapshot_id, "days": days}, Safety.REPEATABLE)

    def disk(self, row: Row) -> Disk:
        """Return the disk that *row* is."""
        size = row.get("gib")
        return Disk(
            id=str(row["id"]),
            name=text(row.get("title")),
            size_bytes=size * GIB if isinstance(size, int) else None,
            instance_id=text(row.get("server")),
            snapshot_id=text(row.get("from")),
        )

    def deletion(self, row: Row) -> ItemResult:
        """Return how the deletion in *row* ended; that it was not there is what was wanted."""
        if row.get("code") == "absent":
            return ItemResult(id=str(row["id"]), absent=True)
        return self.result(row)

    def result(self, row: Row, kind: Kind = Kind.SNAPSHOT) -> ItemResult:
        """Return how the item in *row* ended."""
        return ItemResult(id=str(row["id"]), kind=kind, error=self.error(row))

    def error(self, row: Row) -> SnapkitError | None:
        """Return the failure that *row* hides inside a success."""
        code = text(row.get("code"))
        return None if code is None else FAILURES[code].error("no", code=code)

    def until(self, order: NewSnapshot | Change) -> str | None:
        """Return the expiry as the provider writes it."""
        return None if order.expires_at is None else written(order.expires_at.timestamp())

    def written_tags(self, tags: Tags) -> list[dict[str, str]]:
        """Return tags as the provider writes them."""
        return [{"key": key, "value": value} for key, value in tags.items()]
