"""The operations of the tree, and what its errors mean."""

import errno
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snapkit.credentials import Credentials
from snapkit.errors import Failure, SnapkitError
from snapkit.transport import Call, Moment
from snapkit_filesystem.tree import Facts, Tree, measured, regions

__all__ = ["FAILURES", "FilesystemApi"]

FAILURES: Mapping[str, Failure] = {
    "EACCES": Failure.PERMISSION,
    "EPERM": Failure.PERMISSION,
    "EROFS": Failure.PERMISSION,
    "EKEYEXPIRED": Failure.AUTHENTICATION,
    "ENOKEY": Failure.AUTHENTICATION,
    "EAGAIN": Failure.THROTTLED,
    "EIO": Failure.SERVER,
    "ESTALE": Failure.SERVER,
    "ETIMEDOUT": Failure.SERVER,
    "ENOSPC": Failure.QUOTA,
    "EDQUOT": Failure.QUOTA,
    "EMFILE": Failure.QUOTA,
    "ENOENT": Failure.NOT_FOUND,
    "ENOTDIR": Failure.NOT_FOUND,
    "EEXIST": Failure.IDEMPOTENCY,
    "ENOTSUP": Failure.INVALID,
    "ENAMETOOLONG": Failure.INVALID,
}


def code_of(error: OSError) -> str:
    """Return the system's word for *error*."""
    if error.errno == errno.ENOTSUP:  # On some systems the same number has two words.
        return "ENOTSUP"
    return errno.errorcode.get(error.errno or 0, "EUNKNOWN")


def explained(error: OSError) -> SnapkitError:
    """Return what *error* means, by its number and never by its text."""
    code = code_of(error)
    where = f": {error.filename}" if error.filename else ""
    said = f"{error.strerror or 'the file system failed'}{where}"
    return FAILURES.get(code, Failure.OTHER).error(said, code=code)


class FilesystemApi:
    """Performs calls on the directory that is the call's ``url``, as a ``Direct`` does."""

    tree: type[Tree] = Tree

    def perform(self, call: Call, credentials: Credentials, moment: Moment) -> Mapping[str, Any]:
        """Carry *call* out; nobody's keys are needed."""
        del credentials
        try:
            return self.act(call, moment.time)
        except OSError as error:
            raise explained(error) from error

    def act(self, call: Call, now: float) -> Mapping[str, Any]:
        """Carry *call* out at the time *now*; raises OSError."""
        root, params = Path(call.url), dict(call.params)
        if call.operation == "ListRegions":
            return {"rows": regions(root)}
        tree = self.tree(root / params.pop("region"))
        return OPERATIONS[call.operation](tree, now, **params)


def listed(
    tree: Tree,
    now: float,
    *,
    kind: str,
    after: str = "",
    size: int,
    ids: Sequence[str] | None = None,
    server: str | None = None,
) -> Mapping[str, Any]:
    """Return a page of names and facts, and the name to go on after."""
    del now
    found: list[tuple[str, Facts | None]] = []
    for name in tree.names(kind):
        if name <= after or (ids is not None and name not in ids):
            continue
        try:
            facts = tree.facts(kind, name)
        except FileNotFoundError:
            continue  # Deleted since the directory was read.
        if kind == "disks" and facts is not None:
            facts = described(tree, name, facts)
        if server is not None and (facts or {}).get("server") != server:
            continue
        if len(found) == size:
            return {"rows": found, "after": found[-1][0]}
        found.append((name, facts))
    return {"rows": found, "after": ""}


def described(tree: Tree, disk: str, facts: Facts) -> Facts:
    """Return the facts of a disk; its size is what it holds, unless they say otherwise."""
    return {"bytes": measured(tree.home("disks", disk) / "data"), **facts}


def written(moment: float) -> str:
    """Return *moment* (seconds since 1970) as the facts have it."""
    return datetime.fromtimestamp(moment, UTC).isoformat()


def created(
    tree: Tree, now: float, *, name: str, disk: str, order: str, facts: Facts
) -> Mapping[str, Any]:
    """Copy a disk to the snapshot *name*."""
    made = {**facts, "id": name, "disk": disk, "state": "complete", "made": written(now)}
    if not tree.home("snapshots", name).exists():
        source = described(tree, disk, tree.facts("disks", disk) or {})
        made |= {key: source[key] for key in ("bytes", "server", "role") if key in source}
    data = tree.home("disks", disk) / "data"
    tree.make("snapshots", name, {**made, "order": order}, source=data, fixed=True)
    return {"id": name}


def grouped(
    tree: Tree,
    now: float,
    *,
    name: str,
    members: Mapping[str, str],
    order: str,
    facts: Facts,
) -> Mapping[str, Any]:
    """Copy several disks; the group is claimed first, so that a second run goes on with it.

    *members* are the names of the snapshots by disk. What the first run chose counts.
    """
    for disk in members:
        tree.facts("disks", disk)
    wanted = {**facts, "id": name, "members": dict(members), "made": written(now), "order": order}
    group = tree.make("groups", name, wanted)
    for disk, snapshot in group["members"].items():
        shared = {"name": facts.get("name"), "group": name}
        created(tree, now, name=snapshot, disk=disk, order=order, facts=shared)
    return {"id": name}


def changed(tree: Tree, now: float, *, name: str, changes: Facts) -> Mapping[str, Any]:
    """Replace some facts of a snapshot."""
    del now
    tree.change("snapshots", name, changes)
    return {}


def tagged(
    tree: Tree, now: float, *, ids: Sequence[str], new: Facts, off: Sequence[str]
) -> Mapping[str, Any]:
    """Set the tags *new* and take those called *off* away; the others stay."""
    del now

    def act(name: str) -> None:
        facts = tree.facts("snapshots", name) or {}
        kept = {key: value for key, value in facts.get("tags", {}).items() if key not in off}
        tree.change("snapshots", name, {"tags": {**kept, **new}})

    return {"results": each(ids, act)}


def deleted(tree: Tree, now: float, *, ids: Sequence[str]) -> Mapping[str, Any]:
    """Delete snapshots, and say of each how that went."""
    del now
    return {"results": each(ids, lambda name: tree.remove("snapshots", name))}


def dissolved(tree: Tree, now: float, *, name: str, ids: Sequence[str]) -> Mapping[str, Any]:
    """Delete the members of a group, and the group when none is left."""
    results = deleted(tree, now, ids=ids)["results"]
    if all(code in (None, "ENOENT") for _, code in results):
        results += each([name], lambda group: tree.remove("groups", group))
    return {"results": results}


def restored(
    tree: Tree, now: float, *, name: str, snapshot: str, order: str, facts: Facts
) -> Mapping[str, Any]:
    """Copy a snapshot to the new disk *name*."""
    del now
    kept = tree.facts("snapshots", snapshot) or {}
    made = {"bytes": kept.get("bytes"), **facts, "id": name, "from": snapshot, "order": order}
    tree.make("disks", name, made, source=tree.home("snapshots", snapshot) / "data")
    return {"id": name}


def each(ids: Sequence[str], act: Callable[[str], None]) -> list[tuple[str, str | None]]:
    """Return the id and the system's word for what went wrong with it, None for nothing.

    What stops all of it is raised.
    """
    results: list[tuple[str, str | None]] = []
    for name in ids:
        try:
            act(name)
        except OSError as error:
            if FAILURES.get(code_of(error)) is Failure.SERVER:
                raise
            results.append((name, code_of(error)))
        else:
            results.append((name, None))
    return results


OPERATIONS: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "List": listed,
    "CreateSnapshot": created,
    "CreateGroup": grouped,
    "ChangeSnapshot": changed,
    "TagSnapshots": tagged,
    "DeleteSnapshots": deleted,
    "DeleteGroup": dissolved,
    "CreateDisk": restored,
}
