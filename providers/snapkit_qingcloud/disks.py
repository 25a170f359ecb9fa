"""Disks and servers: what can be snapshotted, was restored, or is rolled back."""

from collections.abc import Mapping, Sequence
from typing import Any

from snapkit.model import DiskRole
from snapkit.paging import Cursor, Page, Position
from snapkit.vocabulary import gib, integer, mapping, text
from snapkit.walking import walk
from snapkit.writes import Disk, DiskQuery
from snapkit_qingcloud.wire import list_of, numbered, servers_of_row
from snapkit_qingcloud.writing import Calling

__all__ = ["attached_to", "named", "one_page", "parse_system_disk", "parse_volume", "running"]

_GONE = ("deleted", "ceased", "terminated")
_LARGEST_PAGE = 100


def parse_volume(row: Mapping[str, Any], *, keep_raw: bool = False) -> Disk | None:
    """Return the data disk that *row* of DescribeVolumes is, None without an id or when gone.

    A disk that several servers share has no instance.
    """
    volume_id, status = text(row.get("volume_id")), text(row.get("status"))
    if volume_id is None or status in _GONE:
        return None
    servers = servers_of_row(row)
    return Disk(
        id=volume_id,
        name=text(row.get("volume_name")),
        role=DiskRole.DATA,
        size_bytes=gib(row.get("size")),
        raw_status=status,
        busy=status == "pending" or text(row.get("transition_status")) is not None,
        instance_id=servers.pop() if len(servers) == 1 else None,
        zone=text(row.get("zone_id")),
        raw_category=text(row.get("volume_type")),
        raw=row if keep_raw else None,
    )


def parse_system_disk(row: Mapping[str, Any], *, keep_raw: bool = False) -> Disk | None:
    """Return the system disk of *row* of DescribeInstances; it carries the server's id."""
    instance_id, status = text(row.get("instance_id")), text(row.get("status"))
    if instance_id is None or status in _GONE:
        return None
    return Disk(
        id=instance_id,
        name=text(row.get("instance_name")),
        role=DiskRole.SYSTEM,
        size_bytes=gib(mapping(row.get("extra")).get("os_disk_size")),
        raw_status=status,
        busy=status == "pending" or text(row.get("transition_status")) is not None,
        instance_id=instance_id,
        zone=text(row.get("zone_id")),
        raw=row if keep_raw else None,
    )


def one_page(
    call: Calling, query: DiskQuery, cursor: Cursor | None, limit: int, *, keep_raw: bool
) -> Page[Disk]:
    """Return one page of the servers' system disks and, counted on from them, of volumes."""
    start = cursor.start if isinstance(cursor, Position) else 0
    servers, volumes = _wanted(query)
    system = _servers(call, servers) if servers else []
    shown = system[start : start + limit]
    rest, total = _volumes(call, volumes, max(0, start - len(system)), limit - len(shown))
    rows = [(parse_system_disk(row, keep_raw=keep_raw), _name(row, "instance_id")) for row in shown]
    rows += [(parse_volume(row, keep_raw=keep_raw), _name(row, "volume_id")) for row in rest]
    return Page(
        items=[disk for disk, _ in rows if disk is not None],
        ids=[name for _, name in rows],
        start=start,
        total=None if total is None else total + len(system),
    )


def _name(row: Mapping[str, Any], key: str) -> str:
    """Return the id of *row*, or what it holds: the same page again has to look the same."""
    return text(row.get(key)) or f"?{row!r}"[:200]


def _wanted(query: DiskQuery) -> tuple[list[str], dict[str, str] | None]:
    """Return the servers whose system disks are meant, and the filter for volumes."""
    if query.instance_id is not None:
        return [query.instance_id], {"instance_id": query.instance_id}
    ids = sorted(query.ids or ())
    servers = [one for one in ids if one.startswith("i-")]
    volumes = [one for one in ids if not one.startswith("i-")]
    return servers, numbered("volumes", volumes) if volumes else None


def _servers(call: Calling, ids: Sequence[str]) -> list[Mapping[str, Any]]:
    # Servers of clusters are hidden without is_cluster_node, others are hidden with it.
    found: dict[str, Mapping[str, Any]] = {}
    for more in ({}, {"is_cluster_node": "1"}):
        left = [one for one in ids if one not in found]
        if not left:
            break
        params = numbered("instances", left) | {"offset": "0", "limit": str(len(left))}
        payload = call("DescribeInstances", params | more)
        rows = [mapping(row) for row in list_of(payload, "instance_set")]
        found |= {str(row.get("instance_id")): row for row in rows}
    return [found[one] for one in sorted(found)]


def _volumes(
    call: Calling, wanted: Mapping[str, str] | None, offset: int, limit: int
) -> tuple[list[Mapping[str, Any]], int | None]:
    """Return at most *limit* rows and how many there are; a limit of 0 is never sent."""
    if wanted is None:
        return [], 0
    page = {"offset": str(offset), "limit": str(max(1, limit))}
    payload = call("DescribeVolumes", dict(wanted) | page)
    found = [mapping(row) for row in list_of(payload, "volume_set")][:limit]
    return found, integer(payload.get("total_count"))


def named(call: Calling, name: str) -> list[Disk]:
    """Return the volumes with exactly this *name*; the server's search is a loose one."""

    def fetch(cursor: Cursor | None, limit: int) -> Page[Disk]:
        start = cursor.start if isinstance(cursor, Position) else 0
        found, total = _volumes(call, {"search_word": name}, start, limit)
        parsed = [parse_volume(row) for row in found]
        return Page(
            items=[disk for disk in parsed if disk is not None],
            ids=[text(row.get("volume_id")) or "" for row in found],
            start=start,
            total=total,
        )

    pages = walk(fetch, limit=_LARGEST_PAGE, key=_id)
    return [disk for page in pages for disk in page if disk.name == name]


def _id(disk: Disk) -> str:
    return disk.id


def attached_to(call: Calling, disk_ids: Sequence[str]) -> dict[str, set[str]]:
    """Return the servers that each of at most 100 disks is attached to; absent ones are left out.

    A system disk is its server.
    """
    found = {one: {one} for one in disk_ids if one.startswith("i-")}
    volumes = [one for one in disk_ids if one not in found]
    if volumes:
        rows, _ = _volumes(call, numbered("volumes", volumes), 0, len(volumes))
        living = [row for row in rows if text(row.get("status")) not in _GONE]
        found |= {str(row.get("volume_id")): servers_of_row(row) for row in living}
    return found


def running(call: Calling, instance_ids: Sequence[str]) -> list[str]:
    """Return those of the servers that are not known to be stopped, so would be restarted."""
    stopped = {
        row.get("instance_id")
        for row in _servers(call, instance_ids)
        if row.get("status") == "stopped" and not row.get("transition_status")
    }
    return [one for one in instance_ids if one not in stopped]
