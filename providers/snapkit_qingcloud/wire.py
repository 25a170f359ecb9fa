"""From QingCloud's words to neutral values and from a query to parameters; pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

from snapkit.drafting import draft_snapshot
from snapkit.errors import ProtocolError, Retry
from snapkit.model import (
    DiskCategory,
    DiskRole,
    Region,
    Snapshot,
    SnapshotKind,
    SnapshotStatus,
    SourceDisk,
    Tags,
)
from snapkit.oddities import note_odd
from snapkit.paging import Cursor, OffsetPaging, Page
from snapkit.query import SnapshotQuery
from snapkit.vocabulary import gib, mapping, mib, parse_time, remembered, rows, tags, text

__all__ = [
    "CATEGORIES",
    "PROVIDER",
    "REGION_OF_ZONE",
    "State",
    "list_of",
    "numbered",
    "parse_regions",
    "parse_snapshot",
    "parse_snapshots",
    "servers_of_row",
    "servers_of_volumes",
    "snapshot_params",
    "state_of",
]

PROVIDER = "qingcloud"
PAGING = OffsetPaging(offset="offset", size="limit", total="total_count")
LIVING = ("pending", "available", "suspended")
GONE = ("deleted", "ceased")

WORDS: Mapping[SnapshotStatus, tuple[str, ...]] = {
    SnapshotStatus.CREATING: ("pending",),
    SnapshotStatus.AVAILABLE: ("available",),
    SnapshotStatus.RESTORING: ("available",),
    SnapshotStatus.SUSPENDED: ("suspended",),
    SnapshotStatus.DELETING: ("available", "suspended"),
    SnapshotStatus.DELETED: GONE,
}
"""Under which words the provider keeps what is neutrally so; the others never occur here."""

CATEGORIES: Mapping[str, DiskCategory] = {
    "2": DiskCategory.HDD,
    "3": DiskCategory.SSD,
    "5": DiskCategory.SSD,
    "6": DiskCategory.HDD,
    "200": DiskCategory.SSD,
}
"""Products whose medium is known: high capacity, super high performance, NeonSAN, its HDD
kind and enterprise SSD. High performance (0), 10 and standard (100) do not say theirs."""

_ROLES: Mapping[object, DiskRole] = {"volume": DiskRole.DATA, "instance": DiskRole.SYSTEM}
_KINDS: Mapping[object, SnapshotKind] = {
    0: SnapshotKind.INCREMENTAL,
    "0": SnapshotKind.INCREMENTAL,
    1: SnapshotKind.FULL,
    "1": SnapshotKind.FULL,
}

REGION_OF_ZONE: Mapping[str, str] = {
    "pek3b": "pek3",
    "pek3c": "pek3",
    "pek3d": "pek3",
    "gd2a": "gd2",
    "gd2b": "gd2",
    "sh1a": "sh1",
    "sh1b": "sh1",
}
"""The public cloud's zones that share their snapshots, for servers that do not say so."""


class State(NamedTuple):
    """What both axes of a row's status amount to."""

    status: SnapshotStatus
    restorable: bool | None
    raw: str | None
    reason: str | None = None


def _table() -> dict[tuple[str, str], State]:
    creating = (SnapshotStatus.CREATING, False)
    available = (SnapshotStatus.AVAILABLE, True)
    suspended = (SnapshotStatus.SUSPENDED, False)
    deleting = (SnapshotStatus.DELETING, False)
    deleted = (SnapshotStatus.DELETED, False)
    return {
        ("pending", ""): State(*creating, "pending"),
        ("pending", "creating"): State(*creating, "pending/creating"),
        ("available", ""): State(*available, "available"),
        ("available", "suspending"): State(
            *available, "available/suspending", "about to be suspended for unpaid bills"
        ),
        ("available", "deleting"): State(*deleting, "available/deleting"),
        ("available", "applying"): State(SnapshotStatus.RESTORING, None, "available/applying"),
        ("suspended", ""): State(*suspended, "suspended", "suspended for unpaid bills"),
        ("suspended", "resuming"): State(
            *suspended, "suspended/resuming", "coming back from suspension"
        ),
        ("suspended", "deleting"): State(*deleting, "suspended/deleting"),
        ("deleted", ""): State(*deleted, "deleted"),
        ("deleted", "recovering"): State(*deleted, "deleted/recovering", "being recovered"),
        ("ceased", ""): State(*deleted, "ceased"),
    }


_STATES = _table()


def state_of(row: Mapping[str, Any]) -> State:
    """Return the state of *row*, from ``status`` and ``transition_status`` together."""
    return _state(row.get("status"), row.get("transition_status"))


def _state(status: object, transition: object) -> State:
    if isinstance(status, str) and (transition is None or isinstance(transition, str)):
        found = _STATES.get((status, transition or ""))
        if found is not None:
            return found
    return _unusual(text(status), text(transition))


def _unusual(status: str | None, transition: str | None) -> State:
    """Return the state for words in another case, or that nobody has described."""
    word, change = (status or "").strip().lower(), (transition or "").strip().lower()
    raw = f"{status or ''}/{transition}" if transition else status
    found = _STATES.get((word, change))
    if found is None and word != "available":
        found = _STATES.get((word, ""))
    if found is not None:
        return found._replace(raw=raw)
    reason = f"unknown transition {transition!r}" if (word, "") in _STATES else None
    return State(SnapshotStatus.UNKNOWN, None, raw, reason)


def snapshot_params(
    query: SnapshotQuery, cursor: Cursor | None, limit: int, *, living: bool = False
) -> dict[str, str]:
    """Return the parameters of DescribeSnapshots that ask for *query*, or for more than it.

    Only filters with a documented and exact meaning are used. Without *living* a query that
    names no status sends none: the server would leave out a row whose word is new. Ceased ones may
    come only when asked for by name.
    """
    params = {"verbose": "1"} | numbered("status", _status_words(query, living))
    params |= {name: str(value) for name, value in PAGING.request(cursor, limit).items()}
    if query.ids is not None:
        params |= numbered("snapshots", sorted(query.ids))
    resource = _only(query.disk_ids if query.disk_ids is not None else query.instance_ids)
    if resource is not None:
        params["resource_id"] = resource
    kind = _only(query.kinds)
    if kind in (SnapshotKind.FULL, SnapshotKind.INCREMENTAL):
        params["snapshot_type"] = "1" if kind is SnapshotKind.FULL else "0"
    return params


def _only(values: frozenset[Any] | None) -> Any:
    return next(iter(values)) if values is not None and len(values) == 1 else None


def _status_words(query: SnapshotQuery, living: bool) -> Sequence[str]:
    """Return the status words to ask for; none at all where a new word may be meant."""
    if query.statuses is None:
        if query.wants_deleted:
            return LIVING + GONE
        return LIVING if living else ()
    if SnapshotStatus.UNKNOWN in query.statuses:
        return ()
    wanted = {word for status in query.statuses for word in WORDS.get(status, ())}
    return tuple(word for word in LIVING + GONE if word in wanted)


def numbered(name: str, values: Iterable[str]) -> dict[str, str]:
    """Return a list as the API takes it: ``name.1``, ``name.2`` and so on."""
    return {f"{name}.{index}": value for index, value in enumerate(values, 1)}


def list_of(payload: Mapping[str, Any], name: str) -> list[Any]:
    """Return the list *name* of an answer; null is an empty one.

    Raises ProtocolError where there is none: a missing list is not an empty one.
    """
    value = payload.get(name)
    if _is_list(value):
        return value
    if isinstance(value, dict):
        return [value]
    if value == "" or (value is None and name in payload):
        return []
    raise ProtocolError(f"the answer has no list {name!r}", retry=Retry.NEVER)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def parse_snapshots(
    payload: Mapping[str, Any],
    cursor: Cursor | None,
    *,
    account: str,
    region: str,
    keep_raw: bool = False,
) -> Page[Snapshot]:
    """Return the page that *payload* is.

    Snapshots of databases and other products are left out of its items but not of its ids.
    """
    counted = PAGING.counted(payload, cursor)
    items: list[Snapshot] = []
    ids: list[str] = []
    troubles: list[str] = []
    for place, item in enumerate(list_of(payload, "snapshot_set"), counted["start"]):
        row = mapping(item)
        snapshot_id = text(row.get("snapshot_id"))
        if snapshot_id is None:
            # By what it holds, not by its place: the same page again has to look the same.
            ids.append(f"?{item!r}"[:200])
            troubles.append(f"the row at {place} has no snapshot_id")
            continue
        ids.append(snapshot_id)
        if _is_disk(mapping(row.get("resource")).get("resource_type")):
            items.append(parse_snapshot(row, snapshot_id, account, region, keep_raw))
    return Page(items=items, ids=ids, troubles=troubles, **counted)


def _is_disk(kind: object) -> bool:
    return not isinstance(kind, str) or not kind or kind in _ROLES or kind.lower() in _ROLES


def parse_snapshot(
    row: Mapping[str, Any], snapshot_id: str, account: str, region: str, keep_raw: bool = False
) -> Snapshot:
    """Return the snapshot *snapshot_id* that *row* describes; odd values become None."""
    get = row.get
    status, raw_status, reason, restorable, kind, taken = _words(
        get("status"), get("transition_status"), get("snapshot_type"), get("is_taken")
    )
    at, finished = parse_time(get("snapshot_time")), parse_time(get("create_time"))
    resource, details = mapping(get("resource")), mapping(get("snapshot_resource"))
    written = get("size")
    source = _source(
        resource.get("resource_id"),
        get("resource_id"),
        resource.get("resource_type"),
        details.get("volume_type"),
        details.get("size"),
        get("virtual_size"),
        written if kind is SnapshotKind.FULL else None,
    )
    parent, stored, size = text(get("parent_id")), mib(written), source.size_bytes
    if at is None or finished is None or stored is None or size is None:
        read = {"snapshot_time": at, "create_time": finished, "size": stored}
        note_odd(PROVIDER, row, read | {"virtual_size": size})
    draft = draft_snapshot(snapshot_id, PROVIDER, account, region)
    draft.name = text(get("snapshot_name"))
    draft.description = text(get("description"))
    draft.status = status
    draft.raw_status = raw_status
    draft.status_reason = reason
    draft.restorable = restorable
    draft.created_at = at or finished
    draft.cut_at = at if taken else None
    draft.completed_at = None if status is SnapshotStatus.CREATING else finished
    draft.source = source
    draft.size_bytes = size
    draft.stored_bytes = stored
    draft.kind = kind
    draft.parent_id = None if parent == "self" or parent == snapshot_id else parent
    draft.root_id = text(get("root_id"))
    draft.tags = _labels(get("tags"))
    if keep_raw:
        draft.raw = row
    return draft.done()


@remembered
def _words(
    status: object, transition: object, kind: object, taken: object
) -> tuple[SnapshotStatus, str | None, str | None, bool | None, SnapshotKind, bool]:
    """Return what the words mean; the last is whether the moment of the data is known."""
    state = _state(status, transition)
    known = taken is None or str(taken) != "0"
    return state.status, state.raw, state.reason, state.restorable, _kind(kind), known


def _kind(value: object) -> SnapshotKind:
    plain = isinstance(value, int | str) and not isinstance(value, bool)
    return _KINDS.get(value, SnapshotKind.UNKNOWN) if plain else SnapshotKind.UNKNOWN


@remembered
def _source(
    resource_id: object,
    row_id: object,
    kind: object,
    volume_type: object,
    volume_gib: object,
    virtual_mib: object,
    full_mib: object,
) -> SourceDisk:
    """Return the disk; an instance as resource is its system disk and carries its id.

    The size is that of the volume, else the snapshot's virtual size, else what a full one
    holds.
    """
    disk_id = text(resource_id) or text(row_id)
    role = _role(kind, disk_id)
    size = gib(volume_gib) if role is DiskRole.DATA else None
    size = size or mib(virtual_mib) or mib(full_mib)
    category = text(volume_type)
    return SourceDisk(
        id=disk_id,
        role=role,
        category=CATEGORIES.get(category or "", DiskCategory.UNKNOWN),
        raw_category=category,
        size_bytes=size or None,
        instance_id=disk_id if role is DiskRole.SYSTEM else None,
    )


def _role(kind: object, disk_id: str | None) -> DiskRole:
    if isinstance(kind, str) and kind:
        return _ROLES.get(kind.lower(), DiskRole.UNKNOWN)
    if disk_id is None:
        return DiskRole.UNKNOWN
    if disk_id.startswith("vol-"):
        return DiskRole.DATA
    return DiskRole.SYSTEM if disk_id.startswith("i-") else DiskRole.UNKNOWN


_NO_TAGS = Tags()


def _labels(value: Any) -> Tags | None:
    """Return the labels as tags without values; None where the server says nothing."""
    if not isinstance(value, list | dict):
        return None
    if not value:
        return _NO_TAGS
    return tags((label.get("tag_name"), "") for label in rows(value))


def servers_of_volumes(payload: Mapping[str, Any]) -> dict[str, str]:
    """Return which server each attached volume of a DescribeVolumes answer is attached to.

    A volume that several servers share has no one server, and is left out like a detached one.
    """
    found: dict[str, str] = {}
    for row in list_of(payload, "volume_set"):
        volume_id = text(mapping(row).get("volume_id"))
        servers = servers_of_row(mapping(row))
        if volume_id is not None and len(servers) == 1:
            found[volume_id] = servers.pop()
    return found


def servers_of_row(volume: Mapping[str, Any]) -> set[str]:
    """Return the servers that a row of DescribeVolumes is attached to."""
    attached = [*rows(volume.get("instance")), *rows(volume.get("instances"))]
    ids = {text(one.get("instance_id")) for one in attached}
    return {server for server in ids if server is not None}


def parse_regions(payload: Mapping[str, Any]) -> list[Region]:
    """Return the places whose snapshots are kept apart, from a DescribeZones answer.

    Zones of one region share their snapshots, so the region stands for them; it is open when
    one of its zones is active.
    """
    open_: dict[str, bool | None] = {}
    for row in list_of(payload, "zone_set"):
        zone, region = text(mapping(row).get("zone_id")), text(mapping(row).get("region_id"))
        if zone is None:
            continue
        place = region or REGION_OF_ZONE.get(zone, zone)
        word = text(mapping(row).get("status"))
        active = None if word is None else word.strip().lower() == "active"
        open_[place] = True if open_.get(place) or active else open_.get(place, active)
    return [Region(provider=PROVIDER, id=place, open=open_[place]) for place in open_]
