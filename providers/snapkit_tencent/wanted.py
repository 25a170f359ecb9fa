"""What a write to the emulator asks for: types and forms, strictly; pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .checks import Refusal
from .wire import is_list, is_object

__all__ = ["KINDS", "deadline", "name", "pairs", "required", "tag_pairs", "texts"]

LONGEST_NAME = 60
MOST_TAGS = 50
KINDS: Mapping[str, Mapping[str, type]] = {
    "CreateSnapshot": {"DiskId": str, "SnapshotName": str, "Deadline": str, "Tags": list},
    "CreateSnapshotGroup": {"DiskIds": list, "SnapshotGroupName": str, "Tags": list},
    "ModifySnapshotAttribute": {
        "SnapshotId": str,
        "SnapshotName": str,
        "IsPermanent": bool,
        "Deadline": str,
    },
    "DeleteSnapshots": {"SnapshotIds": list, "DeleteBindImages": bool},
    "DeleteSnapshotGroup": {
        "SnapshotGroupId": str,
        "SnapshotGroupIds": list,
        "DeleteBindImages": bool,
    },
    "ApplySnapshot": {
        "SnapshotId": str,
        "DiskId": str,
        "AutoStopInstance": bool,
        "AutoStartInstance": bool,
    },
    "ApplySnapshotGroup": {
        "SnapshotGroupId": str,
        "ApplyDisks": list,
        "AutoStopInstance": bool,
        "AutoStartInstance": bool,
    },
    "CopySnapshotCrossRegions": {
        "SnapshotId": str,
        "DestinationRegions": list,
        "SnapshotName": str,
    },
    "ModifySnapshotsSharePermission": {"SnapshotIds": list, "AccountIds": list, "Permission": str},
    "CreateDisks": {
        "Placement": dict,
        "DiskChargeType": str,
        "DiskType": str,
        "SnapshotId": str,
        "DiskSize": int,
        "DiskName": str,
        "DiskCount": int,
        "Tags": list,
        "ClientToken": str,
    },
    "DescribeDisks": {
        "DiskIds": list,
        "Filters": list,
        "Offset": int,
        "Limit": int,
        "Order": str,
        "OrderField": str,
    },
    "TagResources": {"ResourceList": list, "Tags": list},
    "UnTagResources": {"ResourceList": list, "TagKeys": list},
}
"""The parameters of each action and their types."""
_TEXT = re.compile(r"(?! )[\w +\-=.:/@()\[\],;><]+(?<! )")
_RESERVED = ("qcs:", "project", "项目")


def required(params: Mapping[str, Any], *names: str) -> list[Any]:
    """Return the values of *names*, all of which must be there and not empty."""
    for one in names:
        if params.get(one) in (None, "", []):
            raise Refusal("MissingParameter", f"the parameter `{one}` is missing")
    return [params[one] for one in names]


def texts(params: Mapping[str, Any], name: str, *, most: int = 100) -> list[str]:
    """Return the list *name* of texts without repetition, which must not be empty."""
    (values,) = required(params, name)
    if not all(isinstance(one, str) and one for one in values):
        raise Refusal("InvalidParameter", f"`{name}` holds what is not a text")
    if len(values) > most or len(set(values)) != len(values):
        raise Refusal("InvalidParameterValue.LimitExceeded", f"`{name}` is too long, or repeats")
    return list(values)


def pairs(value: object, first: str, second: str) -> list[tuple[str, str]]:
    """Return the list of objects of exactly these two texts."""
    listed: Sequence[Any] = value if is_list(value) else []
    for one in listed:
        fit = is_object(one) and set(one) == {first, second}
        if not fit or not all(isinstance(text, str) for text in one.values()):
            raise Refusal("InvalidParameter", f"an item is not a {first} and a {second}: {one!r}")
    return [(one[first], one[second]) for one in listed]


def tag_pairs(value: object, key: str = "Key", text: str = "Value") -> dict[str, str]:
    """Return the tags in *value*, of the documented form and number."""
    found = pairs(value, key, text)
    tags = dict(found)
    if len(tags) != len(found):
        raise Refusal("InvalidParameterValue", "a tag key repeats")
    if len(tags) > MOST_TAGS:
        raise Refusal("InvalidParameterValue.LimitExceeded", "too many Tags")
    for name, said in tags.items():
        if name.startswith(_RESERVED):
            raise Refusal("InvalidParameter.ReservedTagKey", f"{name!r} is reserved")
        if len(name) > 127 or not _TEXT.fullmatch(name):
            raise Refusal("InvalidParameterValue.TagKeyCharacterIllegal", f"no key: {name!r}")
        if len(said) > 255 or not _TEXT.fullmatch(said):
            raise Refusal("InvalidParameterValue", f"no value of a tag: {said!r}")
    return tags


def name(value: str | None, default: str) -> str:
    """Return the name, or *default* where none is given."""
    if value is None:
        return default
    if not value or len(value) > LONGEST_NAME:
        raise Refusal("InvalidParameterValue", "a name has 1 to 60 characters")
    return value


def deadline(value: str | None, now: float) -> float | None:
    """Return the end in seconds since 1970: ISO 8601 in UTC, a day ahead."""
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise Refusal("InvalidParameterValue", f"the Deadline is no time: {value!r}") from error
    if moment.utcoffset() != timedelta(0):
        raise Refusal("InvalidParameterValue", "the Deadline is not in UTC")
    if moment.timestamp() < now + 86400 - 1:
        raise Refusal("InvalidParameterValue", "the Deadline is less than a day ahead")
    return moment.timestamp()
