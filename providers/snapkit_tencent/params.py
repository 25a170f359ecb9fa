"""From queries to the parameters of API 3.0; pure.

Pushed down is what the vendor documents to filter exactly, within the lengths it documents;
everything else is left to the core.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from snapkit.model import DiskRole, Origin, SnapshotStatus
from snapkit.paging import Cursor
from snapkit.query import GroupQuery, SnapshotQuery

from .wire import PAGING, STATUSES

__all__ = ["DISKS", "VALUES", "group_params", "snapshot_params"]

DISKS = 10
"""Documented limit of the filter disk-id."""
VALUES = 5
"""What other products of the vendor allow in one filter; CBS gives no figure."""
_USAGES = {DiskRole.SYSTEM: "SYSTEM_DISK", DiskRole.DATA: "DATA_DISK"}
_STATES = {status: word.upper() for word, status in STATUSES.items()}
_GROUP_STATES = {
    SnapshotStatus.AVAILABLE: "NORMAL",
    # A group that is NORMAL becomes degraded in the core when a member is missing.
    SnapshotStatus.DEGRADED: "NORMAL",
    SnapshotStatus.CREATING: "CREATING",
    SnapshotStatus.RESTORING: "ROLLBACKING",
}


def snapshot_params(query: SnapshotQuery, cursor: Cursor | None, limit: int) -> dict[str, Any]:
    """Return the parameters of DescribeSnapshots.

    Ids exclude filters, so what else the query wants of them is the core's to check.
    """
    params: dict[str, Any] = PAGING.request(cursor, limit)
    params |= {"OrderField": "CREATE_TIME", "Order": "ASC"}
    if query.ids is not None:
        return params | {"SnapshotIds": sorted(query.ids)}
    filters = {
        "disk-id": _at_most(DISKS, query.disk_ids),
        "disk-usage": _usages(query),
        "snapshot-state": _states(query.statuses, _STATES),
        "snapshot-type": ["SHARED_SNAPSHOT"] if query.origins == frozenset({Origin.SHARED}) else [],
    }
    return params | _filters(filters)


def group_params(query: GroupQuery, cursor: Cursor | None, limit: int) -> dict[str, Any]:
    """Return the parameters of DescribeSnapshotGroups."""
    filters = {
        "snapshot-group-id": _at_most(VALUES, query.ids),
        "snapshot-id": _at_most(VALUES, query.snapshot_ids),
        "snapshot-group-state": _states(query.statuses, _GROUP_STATES),
    }
    return PAGING.request(cursor, limit) | _filters(filters)


def _at_most(size: int, values: Iterable[str] | None) -> list[str]:
    """Return *values* for a filter, none if there are more than it takes."""
    listed = sorted(values or ())
    return listed if len(listed) <= size else []


def _usages(query: SnapshotQuery) -> list[str]:
    roles = query.roles or frozenset()
    return [_USAGES[role] for role in roles if role in _USAGES] if len(roles) == 1 else []


def _states(
    wanted: frozenset[SnapshotStatus] | None, words: Mapping[SnapshotStatus, str]
) -> list[str]:
    """Return the words for *wanted*; none when a word that we do not know would do too."""
    if wanted is None or SnapshotStatus.UNKNOWN in wanted:
        return []
    return _at_most(VALUES, {words[status] for status in wanted if status in words})


def _filters(filters: Mapping[str, list[str]]) -> dict[str, Any]:
    named = [{"Name": name, "Values": values} for name, values in filters.items() if values]
    return {"Filters": named} if named else {}
