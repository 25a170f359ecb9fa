"""What a request to the emulator asks for, or what the vendor says of a wrong parameter."""

import re
from collections.abc import Mapping
from typing import Any

from .checks import Refusal
from .wanted import KINDS as WRITES
from .wire import is_list, is_object

__all__ = ["LARGEST_PAGE", "backwards", "filters", "nested", "old_list", "typed", "window"]

LARGEST_PAGE = 100
MOST_FILTERS = 10
MOST_VALUES: Mapping[str, int] = {"disk-id": 10}
MOST_OTHER_VALUES = 5
"""The vendor documents it for instances only; the emulator holds disks' filters to it too."""
_LISTS = re.compile(r"(?P<name>[A-Za-z]+)\.(?P<index>0|[1-9]\d*)(?:\.(?P<rest>.+))?", re.ASCII)
_KINDS: Mapping[str, Mapping[str, type]] = {
    "DescribeSnapshots": {
        "SnapshotIds": list,
        "Filters": list,
        "Offset": int,
        "Limit": int,
        "Order": str,
        "OrderField": str,
    },
    "DescribeSnapshotGroups": {"Filters": list, "Offset": int, "Limit": int},
    "DescribeRegions": {"Product": str},
    **WRITES,
}
_WORDS = {
    "disk-usage": {"SYSTEM_DISK", "DATA_DISK"},
    "snapshot-type": {"PRIVATE_SNAPSHOT", "SHARED_SNAPSHOT"},
    "encrypt": {"TRUE", "FALSE"},
}
"""Filters that take certain words only."""


def typed(action: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return *params* if *action* has them and they are of its types."""
    kinds = _KINDS[action]
    found: dict[str, Any] = {}
    for name, value in params.items():
        if name not in kinds:
            raise Refusal("UnknownParameter", f"the parameter `{name}` is not recognized")
        if value is None:
            continue
        if not isinstance(value, kinds[name]) or isinstance(value, bool) is not (
            kinds[name] is bool
        ):
            raise Refusal("InvalidParameter", f"the parameter `{name}` is of a wrong type")
        found[name] = value
    for name in ("SnapshotIds", "DiskIds"):
        if not all(isinstance(one, str) for one in found.get(name, ())):
            raise Refusal("InvalidParameter", f"the {name} are not texts")
    return found


def nested(flat: Mapping[str, str]) -> dict[str, Any]:
    """Return what ``Filters.0.Values.1=x`` and the like stand for; digits become numbers."""
    lists: dict[str, dict[int, dict[str, str]]] = {}
    found: dict[str, Any] = {}
    for name, value in flat.items():
        match = _LISTS.fullmatch(name)
        if match is None:
            counts = name.lower() in ("offset", "limit") and value.isdigit() and len(value) < 10
            found[name] = int(value) if counts else value
        else:
            items = lists.setdefault(match["name"], {})
            items.setdefault(int(match["index"]), {})[match["rest"] or ""] = value
    for name, items in lists.items():
        if sorted(items) != list(range(len(items))):
            raise Refusal("InvalidParameter", f"`{name}` does not count from 0", number=9003)
        ordered = [items[index] for index in range(len(items))]
        found[name] = [item[""] if "" in item else nested(item) for item in ordered]
    return found


def window(offset: object, limit: object) -> tuple[int, int]:
    """Return the offset and the page size, 0 and 20 by default."""
    start = 0 if offset is None else offset
    size = 20 if limit is None else limit
    if not isinstance(start, int) or start < 0:
        raise Refusal("InvalidParameterValue", "the offset must not be negative", number=9003)
    if not isinstance(size, int) or not 1 <= size <= LARGEST_PAGE:
        raise Refusal("InvalidParameterValue", "the limit must be 1 to 100", number=9003)
    return start, size


def backwards(params: Mapping[str, Any]) -> bool:
    """Return whether the newest is wanted first."""
    order, field = params.get("Order", "ASC"), params.get("OrderField", "CREATE_TIME")
    if order not in ("ASC", "DESC") or field != "CREATE_TIME":
        raise Refusal("InvalidParameterValue", "no such Order or OrderField")
    return bool(order == "DESC")


def filters(params: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the values of each filter, or raise what the vendor says of a wrong one."""
    given: list[Any] = params.get("Filters") or []
    if len(given) > MOST_FILTERS:
        raise Refusal("InvalidParameterValue.LimitExceeded", "too many Filters")
    return dict(_filter(item, known) for item in given)


def _filter(item: Any, known: Mapping[str, Any]) -> tuple[str, list[str]]:
    if not is_object(item) or set(item) != {"Name", "Values"} or item["Name"] not in known:
        raise Refusal("InvalidFilter", f"there is no such filter: {item!r}")
    name, values = item["Name"], item["Values"]
    if not is_list(values) or not all(isinstance(one, str) for one in values):
        raise Refusal("InvalidParameter", f"the values of {name} are not texts")
    if len(values) > MOST_VALUES.get(name, MOST_OTHER_VALUES):
        raise Refusal("InvalidParameterValue.LimitExceeded", f"too many values of {name}")
    words = _WORDS.get(name)
    if name.endswith("-state"):
        words = {one for one in values if one.isupper()}
    if words is not None and not set(values) <= words:
        raise Refusal("InvalidFilter", f"{name} takes no {values!r}")
    return name, values


def old_list(params: Mapping[str, Any], name: str) -> list[str] | None:
    """Return the list *name* of API 2.0, None if it is not given."""
    value = params.get(name)
    if value is None:
        return None
    if not is_list(value):
        raise Refusal("InvalidParameter", f"{name} is not a list", number=9003)
    if len(value) > LARGEST_PAGE:
        raise Refusal("InvalidParameter", f"too many {name}", number=9003)
    return value
