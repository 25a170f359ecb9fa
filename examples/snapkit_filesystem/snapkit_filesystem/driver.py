"""The driver: one method for each operation."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from snapkit.credentials import EnvironmentNames
from snapkit.driver import Capability, Connection, Driver, Limits, Option
from snapkit.errors import ConfigurationError, Failure, SnapkitError
from snapkit.model import Kind, Region, Snapshot, SnapshotGroup, Tags
from snapkit.paging import Cursor, Page, Token
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.retry import Safety
from snapkit.rules import Rules, TextRule
from snapkit.transport import Call, Direct
from snapkit.writes import (
    Change,
    Disk,
    DiskQuery,
    GroupMade,
    ItemResult,
    NewDisk,
    NewGroup,
    NewSnapshot,
)
from snapkit_filesystem.api import FAILURES, FilesystemApi
from snapkit_filesystem.facts import parse_disk, parse_group, parse_snapshot

__all__ = ["FilesystemDriver"]

ROOT = "SNAPKIT_FILESYSTEM_ROOT"
_TEXT = TextRule(longest=255)


class FilesystemDriver(Driver):
    """Directories under one root, in regions."""

    seam = 1
    name = "filesystem"
    title = "Directories on a file server"
    refusals: ClassVar[Mapping[Capability, str]] = {
        Capability.DERIVED_GROUPS: "groups are kept as such",
        Capability.CHOOSE_KIND: "every copy is a full one; leave the choice away",
        Capability.EXPIRE: "nothing here deletes by date; delete it when the time has come",
        Capability.RENAME_GROUP: "a group keeps its name; rename its members",
        Capability.DESCRIBE_GROUP: "a group keeps its text; describe its members",
        Capability.TAG_GROUP: "a group keeps its tags; tag its members",
        Capability.ROLL_BACK: "restore to a new directory, and swap the two while nobody writes",
        Capability.ROLL_BACK_GROUP: "restore each member, and swap them while nobody writes",
        Capability.COPY: "copy the snapshot's directory with a tool that keeps links and modes",
        Capability.SHARE: "use the system's own permissions",
        Capability.LOCK: "use the system's own permissions",
    }
    capabilities = frozenset(Capability) - refusals.keys()
    limits = Limits(page=50, ids=50, group_ids=50, delete_ids=10)
    environment = EnvironmentNames(keys=(), regions=("SNAPKIT_FILESYSTEM_REGION",))
    options: ClassVar[Mapping[str, Option]] = {
        "root": Option(help=f"the directory that holds the regions; else {ROOT}")
    }
    home_region = "local"
    rules = Rules(name=_TEXT, group_name=_TEXT, disk_name=_TEXT)
    api: ClassVar[Direct] = FilesystemApi()

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.root = connection.options["root"] or os.environ.get(ROOT, "")
        if not Path(self.root).is_absolute():
            found = f"{self.root!r} is not" if self.root else "none is named"
            raise ConfigurationError(
                f"the root of {self.name} is an absolute path, {found}",
                hint=f"write {self.name}:REGION?root=/PATH or set {ROOT}",
            )

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        """Return one page; only ids are looked for here."""
        answer = self._list("snapshots", query.ids, cursor, limit)
        rows = {name: parse_snapshot(facts, self.connection) for name, facts in answer["rows"]}
        return Page(
            items=[one for name, one in rows.items() if one is not None and one.id == name],
            ids=list(rows),
            next=_following(answer),
            troubles=[
                f"the facts of snapshot {name} cannot be read"
                for name, one in rows.items()
                if one is None or one.id != name
            ],
        )

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        """Return one page; the core fills in the members."""
        answer = self._list("groups", query.ids, cursor, limit)
        rows = {name: parse_group(facts, self.connection) for name, facts in answer["rows"]}
        return Page(
            items=[one for one in rows.values() if one is not None],
            ids=list(rows),
            next=_following(answer),
            troubles=[
                f"the facts of group {n} cannot be read" for n, one in rows.items() if not one
            ],
        )

    def list_regions(self) -> list[Region]:
        """Return the directories under the root."""
        found = self._call("ListRegions", {})["rows"]
        return [Region(provider=self.name, id=name, open=True) for name in found]

    def list_disks(self, query: DiskQuery, *, cursor: Cursor | None, limit: int) -> Page[Disk]:
        """Return one page of disks."""
        answer = self._list("disks", query.ids, cursor, limit, server=query.instance_id)
        return Page(
            items=[parse_disk(name, facts or {}) for name, facts in answer["rows"]],
            next=_following(answer),
        )

    def create_snapshot(self, new: NewSnapshot) -> str:
        """Copy a disk; the token is the snapshot's name, so the same one makes one copy."""
        facts = {"name": new.name, "note": new.description, "tags": dict(new.tags)}
        order = _order(new.disk_id, facts)
        asked = {"name": f"s-{_digest(new.token)}", "disk": new.disk_id, "facts": facts}
        return str(self._call("CreateSnapshot", {**asked, "order": order}, Safety.TOKEN)["id"])

    def create_group(self, new: NewGroup) -> GroupMade:
        """Copy several disks under one name."""
        disks = new.disk_ids or self._disks_of(new.instance_id, new.exclude_disk_ids)
        facts = {"name": new.name, "note": new.description, "tags": dict(new.tags)}
        source = (new.instance_id, new.disk_ids, new.exclude_disk_ids)
        asked = {
            "name": f"g-{_digest(new.token)}",
            "members": {disk: f"s-{_digest(new.token, disk)}" for disk in disks},
            "order": _order(source, facts),
            "facts": {**facts, "server": new.instance_id},
        }
        return GroupMade(group_id=self._call("CreateGroup", asked, Safety.TOKEN)["id"])

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        """Rename or describe; an empty text clears."""
        given = {"name": change.name, "note": change.description}
        changes = {key: value for key, value in given.items() if value is not None}
        asked = {"name": snapshot_id, "changes": changes}
        self._call("ChangeSnapshot", asked, Safety.REPEATABLE)

    def tag(self, kind: Kind, ids: Sequence[str], tags: Tags) -> list[ItemResult]:
        """Set tags; the others stay."""
        asked = {"ids": ids, "new": dict(tags), "off": ()}
        return self._results(self._call("TagSnapshots", asked, Safety.REPEATABLE), kind)

    def untag(self, kind: Kind, ids: Sequence[str], keys: Sequence[str]) -> list[ItemResult]:
        """Take tags away."""
        asked = {"ids": ids, "new": {}, "off": keys}
        return self._results(self._call("TagSnapshots", asked, Safety.REPEATABLE), kind)

    def delete_snapshots(self, ids: Sequence[str], *, force: bool) -> list[ItemResult]:
        """Delete; what is not there is as it was wanted."""
        del force
        answer = self._call("DeleteSnapshots", {"ids": ids}, Safety.REPEATABLE)
        return self._results(answer, absent=True)

    def delete_group(self, group: SnapshotGroup, *, force: bool) -> list[ItemResult]:
        """Delete the members, and the group when none is left."""
        del force
        asked = {"name": group.id, "ids": [one.id for one in group.members]}
        return self._results(self._call("DeleteGroup", asked, Safety.REPEATABLE), absent=True)

    def create_disk(self, new: NewDisk) -> str:
        """Copy a snapshot to a new disk."""
        facts: dict[str, Any] = {"name": new.name}
        if new.size_bytes is not None:
            facts["bytes"] = new.size_bytes
        asked = {
            "name": f"d-{_digest(new.token)}",
            "snapshot": new.snapshot_id,
            "order": _order(new.snapshot_id, facts),
            "facts": facts,
        }
        return str(self._call("CreateDisk", asked, Safety.TOKEN)["id"])

    def _disks_of(self, server: str | None, left_out: Sequence[str]) -> list[str]:
        """Return the disks of *server* but those *left_out*; all pages of them."""
        found: list[str] = []
        cursor: Cursor | None = None
        while True:
            page = self.list_disks(
                DiskQuery(instance_id=server), cursor=cursor, limit=self.limits.page
            )
            found += [disk.id for disk in page.items if disk.id not in left_out]
            cursor = page.next
            if cursor is None:
                return found

    def _list(
        self,
        kind: str,
        ids: frozenset[str] | None,
        cursor: Cursor | None,
        limit: int,
        **more: Any,
    ) -> Mapping[str, Any]:
        after = cursor.value if isinstance(cursor, Token) else ""
        wanted = None if ids is None else sorted(ids)
        return self._call(
            "List", {"kind": kind, "ids": wanted, "after": after, "size": limit, **more}
        )

    def _call(
        self, operation: str, params: Mapping[str, Any], safety: Safety = Safety.READ
    ) -> Mapping[str, Any]:
        call = Call(
            operation=operation,
            url=self.root,
            params={"region": self.connection.region, **params},
            safety=safety,
        )
        return self.connection.transport.call(self.api, call)

    def _results(
        self, answer: Mapping[str, Any], kind: Kind = Kind.SNAPSHOT, *, absent: bool = False
    ) -> list[ItemResult]:
        """Open a success: one result for each thing, with the system's word for a failure."""
        return [
            ItemResult(id=name, kind=kind, absent=True)
            if absent and code == "ENOENT"
            else ItemResult(id=name, kind=kind, error=_refusal(code))
            for name, code in answer["results"]
        ]


def _refusal(code: str | None) -> SnapkitError | None:
    return None if code is None else FAILURES.get(code, Failure.OTHER).error("no", code=code)


def _following(answer: Mapping[str, Any]) -> Cursor | None:
    return Token(answer["after"]) if answer["after"] else None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _order(*parts: Any) -> str:
    """Return what two equal orders have in common."""
    return _digest(json.dumps(parts, sort_keys=True))
