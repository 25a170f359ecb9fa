"""Disks in API 3.0: what to ask for, and values from the answer; pure."""

from collections.abc import Mapping
from typing import Any

from snapkit.paging import Cursor, Page
from snapkit.vocabulary import boolean, gib, mapping, text
from snapkit.writes import Disk, DiskQuery

from .wire import PAGING, Context, is_list, page_of, role_of

__all__ = ["disk_page", "disk_params", "parse_disk"]

_PASSING = frozenset({"ATTACHING", "DETACHING", "DUMPING", "EXPANDING", "ROLLBACKING"})


def disk_params(query: DiskQuery, cursor: Cursor | None, limit: int) -> dict[str, Any]:
    """Return the parameters of DescribeDisks; ids and filters exclude each other."""
    asked: dict[str, Any] = PAGING.request(cursor, limit)
    asked |= {"OrderField": "CREATE_TIME", "Order": "ASC"}
    if query.ids is not None:
        return asked | {"DiskIds": sorted(query.ids)}
    return asked | {"Filters": [{"Name": "instance-id", "Values": [query.instance_id]}]}


def disk_page(payload: Mapping[str, Any], cursor: Cursor | None, context: Context) -> Page[Disk]:
    """Return the page that an answer to DescribeDisks is."""
    return page_of(
        payload,
        field="DiskSet",
        key="DiskId",
        parse=parse_disk,
        context=context,
        counted=PAGING.counted(payload, cursor),
    )


def parse_disk(row: Mapping[str, Any], context: Context) -> Disk | None:
    """Return the disk that *row* describes, None if it has no id."""
    found = row.get("DiskId")
    if not isinstance(found, str) or not found or found.isspace():
        return None
    state = text(row.get("DiskState"))
    passing = state is not None and state.upper() in _PASSING
    return Disk(
        id=found,
        name=text(row.get("DiskName")),
        role=role_of(row.get("DiskUsage")),
        size_bytes=gib(row.get("DiskSize")),
        raw_status=state,
        busy=passing or boolean(row.get("Rollbacking")) is True,
        instance_id=_instance(row),
        zone=text(mapping(row.get("Placement")).get("Zone")),
        raw_category=text(row.get("DiskType")),
        raw=row if context.keep_raw else None,
    )


def _instance(row: Mapping[str, Any]) -> str | None:
    """Return the instance; the list is recorded to name it too, though documented as empty."""
    listed = row.get("InstanceIdList")
    others = [text(one) for one in listed] if is_list(listed) else []
    return text(row.get("InstanceId")) or next((one for one in others if one), None)
