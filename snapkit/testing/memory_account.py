"""What the tiny cloud keeps, and what requests change in it.

It is as awkward as real ones: answers may succeed as a whole and fail in part, a new
snapshot may be invisible for a while, and a client token used for something else is refused.
"""

import inspect
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from snapkit.vocabulary import CHINA

__all__ = ["MemoryAccount", "Refused", "written"]

Row = Mapping[str, Any]
HOME = "m-1"
REGIONS = (HOME, "m-2")
PACE = 60.0
"""Seconds until a new snapshot is ready."""


class Refused(Exception):
    """The account says no; ``code`` is its word for that."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def written(moment: float) -> str:
    """Return *moment* (seconds since 1970) as the cloud writes it."""
    local = datetime.fromtimestamp(moment, UTC).astimezone(CHINA)
    return local.strftime("%Y-%m-%d %H:%M:%S")


class MemoryAccount:
    """Snapshots, groups and disks of one account; names that begin with ``_`` are not shown."""

    longest_title = 40
    most_labels = 20

    def __init__(self, *, subtree: bool = False) -> None:
        self.snapshots: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, dict[str, Any]] = {}
        self.disks: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, tuple[Any, dict[str, Any]]] = {}
        self.subtree = subtree
        """Whether deleting a snapshot deletes those that build on it."""
        self.ahead = 0.0
        self.lag = 0.0
        """Seconds for which something new is not listed."""

    def now(self) -> float:
        """Return the cloud's present, in seconds since 1970."""
        return time.time() + self.ahead

    def next_id(self, letter: str, kept: Mapping[str, Any]) -> str:
        """Return an id that nothing in *kept* has."""
        number = len(kept) + 1
        while (found := f"{letter}-{number:016d}") in kept:
            number += 1
        return found

    def shown(self, kept: Mapping[str, dict[str, Any]], region: str) -> dict[str, Row]:
        """Return what of *kept* is to be seen in *region* now, by id."""
        now = self.now()
        return {
            key: {name: value for name, value in row.items() if name[0] != "_"} | self.stage(row)
            for key, row in kept.items()
            if row.get("_region", HOME) == region and now - row.get("_began", 0.0) >= self.lag
        }

    def stage(self, row: Row) -> dict[str, str]:
        """Return the state of a snapshot that is being made, nothing for all others."""
        if row.get("state") != "making" or self.now() - row.get("_began", self.now()) < PACE:
            return {}
        return {"state": "broken" if row.get("_fails") else "ready"}

    def act(self, operation: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Carry *operation* out and return the answer; raises Refused."""
        method = getattr(self, operation, None)
        if method is None or operation[0].islower():
            raise Refused("bad_parameter")
        try:
            inspect.signature(method).bind(**asked)
        except TypeError as error:
            raise Refused("bad_parameter") from error
        token = asked.get("token")
        if token and token in self.tokens:
            before, given = self.tokens[token]
            if before != asked:
                raise Refused("token_used")
            return given
        answer: dict[str, Any] = method(**asked)
        if token:
            self.tokens[token] = (dict(asked), answer)
        return answer

    def CreateSnapshot(  # noqa: N802 - the names of operations
        self, *, region: str, disk: str, title: str, note: str, labels: Sequence[Row], **more: Any
    ) -> dict[str, Any]:
        """Start a snapshot of *disk*; *more*: ``until``, ``whole`` and ``token``."""
        if set(more) - {"until", "whole", "token"}:
            raise Refused("bad_parameter")
        self.check(title, labels)
        made = self.make(disk, region, title=title, note=note, labels=list(labels))
        self.snapshots[made]["until"] = more.get("until")
        return {"id": made}

    def CreateGroup(  # noqa: N802
        self,
        *,
        region: str,
        server: str | None,
        disks: Sequence[str],
        without: Sequence[str],
        title: str,
        note: str,
        labels: Sequence[Row],
        loose: bool,
        token: str | None = None,
    ) -> dict[str, Any]:
        """Start snapshots of several disks at once; *loose* ones make no group."""
        del token
        self.check(title, labels)
        here = [key for key, disk in self.disks.items() if disk["server"] == server]
        chosen = [one for one in disks or here if one not in without]
        if (disks and without) or not chosen or not set(chosen) <= set(self.disks):
            raise Refused("bad_parameter")
        now = self.now()
        moment = {"made": written(now), "_began": now}
        made = [self.make(one, region, title=title, **moment) for one in chosen]
        if loose:
            return {"members": made}
        group = self.next_id("g", self.groups)
        self.groups[group] = {
            "id": group,
            "title": title,
            "note": note,
            "server": self.disks[chosen[0]]["server"],
            "labels": list(labels),
            "members": made,
            **moment,
        }
        for one in made:
            self.snapshots[one]["group"] = group
        return {"id": group}

    def Change(self, *, region: str, id: str, **fields: Any) -> dict[str, Any]:  # noqa: N802, A002
        """Set ``title``, ``note`` or ``until`` of a snapshot or group."""
        del region
        row = self.thing(id)
        if set(fields) - {"title", "note", "until"}:
            raise Refused("bad_parameter")
        self.check(fields.get("title", ""), ())
        row.update(fields)
        return {}

    def Label(  # noqa: N802
        self, *, region: str, ids: Sequence[str], labels: Sequence[Row], off: Sequence[str]
    ) -> dict[str, Any]:
        """Set *labels* and take those with the keys *off* away, one result for each id."""
        del region
        gone = {*off, *(label["key"] for label in labels)}
        results: list[dict[str, Any]] = []
        for one in ids:
            row = self.snapshots.get(one) or self.groups.get(one)
            if row is not None:
                kept = [label for label in row.get("labels", ()) if label["key"] not in gone]
                row["labels"] = [*kept, *labels]
            results.append({"id": one} if row else {"id": one, "code": "absent"})
        return {"results": results}

    def DeleteSnapshots(  # noqa: N802
        self, *, region: str, ids: Sequence[str], force: bool
    ) -> dict[str, Any]:
        """Delete what may be deleted, and say for each how it ended."""
        del region
        return {"results": [self.deleted(one, force) for one in ids]}

    def DeleteGroup(self, *, region: str, id: str, force: bool) -> dict[str, Any]:  # noqa: N802, A002
        """Delete the members, and the group if none is left."""
        del region
        if id not in self.groups:
            raise Refused("absent")
        results = [self.deleted(one, force) for one in self.groups[id]["members"]]
        if not any(one.get("code") == "in_use" for one in results):
            del self.groups[id]
        return {"results": results}

    def CreateDisk(  # noqa: N802
        self, *, region: str, snapshot: str, title: str, gib: int | None, token: str | None = None
    ) -> dict[str, Any]:
        """Make a disk from a snapshot, no smaller than it."""
        del region, token
        row = self.thing(snapshot)
        if gib is not None and gib < row["gib"]:
            raise Refused("bad_parameter")
        made = self.next_id("d", self.disks)
        self.disks[made] = {
            "id": made,
            "title": title,
            "gib": gib or row["gib"],
            "server": None,
            "boot": False,
            "from": snapshot,
        }
        return {"id": made}

    def RollBack(self, *, region: str, pairs: Sequence[Sequence[str]]) -> dict[str, Any]:  # noqa: N802
        """Put disks back to their own snapshots."""
        del region
        for snapshot, disk in pairs:
            if self.thing(snapshot)["disk"] != disk:
                raise Refused("bad_parameter")
        return {"results": [{"id": snapshot} for snapshot, _ in pairs]}

    def Copy(  # noqa: N802
        self,
        *,
        region: str,
        id: str,  # noqa: A002
        regions: Sequence[str],
        title: str | None,
        token: str,
    ) -> dict[str, Any]:
        """Start copies, and say for each region how that went."""
        del region, token
        source = self.thing(id)
        results: list[dict[str, Any]] = []
        for place in regions:
            if place not in REGIONS:
                results.append({"region": place, "code": "bad_parameter"})
                continue
            made = self.next_id("s", self.snapshots)
            self.snapshots[made] = {
                **source,
                "id": made,
                "copied": True,
                "state": "making",
                "labels": [],
                "title": title or source["title"],
                "made": written(self.now()),
                "_region": place,
                "_began": self.now(),
            }
            results.append({"region": place, "id": made})
        return {"results": results}

    def Share(  # noqa: N802
        self, *, region: str, ids: Sequence[str], accounts: Sequence[str], share: bool
    ) -> dict[str, Any]:
        """Share snapshots, or stop that."""
        del region
        for one in ids:
            row = self.thing(one)
            found = set(row.get("_shared", ()))
            row["_shared"] = found | set(accounts) if share else found - set(accounts)
            row["shares"] = len(row["_shared"])
        return {}

    def Lock(self, *, region: str, id: str, days: int | None) -> dict[str, Any]:  # noqa: N802, A002
        """Lock a snapshot, or with None unlock it."""
        del region
        self.thing(id)["held"] = days is not None
        return {}

    def thing(self, name: str) -> dict[str, Any]:
        """Return the snapshot or group *name*; raises Refused."""
        row = self.snapshots.get(name) or self.groups.get(name)
        if row is None:
            raise Refused("absent")
        return row

    def check(self, title: str, labels: Sequence[Row]) -> None:
        """Refuse what is too long or too many."""
        if len(title) > self.longest_title or len(labels) > self.most_labels:
            raise Refused("bad_parameter")

    def make(self, disk: str, region: str, **facts: Any) -> str:
        """Start a snapshot of *disk* and return its id."""
        source = self.disks.get(disk)
        if source is None:
            raise Refused("absent")
        made = self.next_id("s", self.snapshots)
        self.snapshots[made] = {
            "id": made,
            "disk": disk,
            "server": source["server"],
            "boot": source["boot"],
            "gib": source["gib"],
            "state": "making",
            "made": written(self.now()),
            "note": "",
            "labels": [],
            "locked": False,
            "by": "request",
            "_region": region,
            "_began": self.now(),
            **facts,
        }
        return made

    def deleted(self, name: str, force: bool) -> dict[str, Any]:
        """Delete one snapshot, and where chains go together what builds on it."""
        row = self.snapshots.get(name)
        if row is None:
            return {"id": name, "code": "absent"}
        if row.get("images") or row.get("held") or (row.get("disks") and not force):
            return {"id": name, "code": "in_use"}
        for one in list(self.below(name)) if self.subtree else ():
            self.snapshots.pop(one, None)
        self.snapshots.pop(name, None)
        return {"id": name}

    def below(self, name: str) -> Iterable[str]:
        """Yield the ids of what builds on *name*."""
        for key, row in self.snapshots.items():
            if row.get("parent") == name:
                yield key
                yield from self.below(key)
