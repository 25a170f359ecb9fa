"""What a request to the emulated QingCloud may ask: its parameters, checked."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from snapkit.emulator.state import AccountState

__all__ = ["REQUIRED", "Asked", "No", "cut", "sorted_out"]

LARGEST_PAGE = 100
LARGEST_LIST = 100

_COMMON = frozenset(
    [
        "action",
        "zone",
        "time_stamp",
        "access_key_id",
        "version",
        "signature_method",
        "signature_version",
        "signature",
        "expires",
        "req_id",
        "token",
        "owner",
        "project_id",
    ]
)
REQUIRED = (
    "action",
    "time_stamp",
    "access_key_id",
    "version",
    "signature_method",
    "signature_version",
    "signature",
)
_PAGED = frozenset(("offset", "limit"))
_NONE = frozenset[str]()

_SINGLE: Mapping[str, frozenset[str]] = {
    "DescribeSnapshots": _PAGED
    | frozenset(
        [
            "resource_id",
            "snapshot_type",
            "root_id",
            "snapshot_time",
            "snapshot_name",
            "search_word",
            "verbose",
            "is_manually",
        ]
    ),
    "DescribeVolumes": _PAGED | frozenset(("instance_id", "search_word", "volume_type", "verbose")),
    "DescribeInstances": _PAGED | frozenset(("search_word", "verbose", "is_cluster_node")),
    "DescribeTags": _PAGED | frozenset(("search_word", "verbose")),
    "DescribeJobs": _PAGED | frozenset(("job_action", "verbose")),
    "DescribeZones": _NONE,
    "CreateSnapshots": frozenset(
        ("snapshot_name", "is_full", "backstore_type", "scheduler_id", "service_params")
    ),
    "DeleteSnapshots": _NONE,
    "ApplySnapshots": _NONE,
    "CreateVolumeFromSnapshot": frozenset(("snapshot", "volume_name", "encryption", "cipher_alg")),
    "ModifySnapshotAttributes": frozenset(
        ("snapshot", "snapshot_name", "description", "scheduler_id")
    ),
    "AttachTags": _NONE,
    "DetachTags": _NONE,
    "CreateTag": frozenset(("tag_name", "color")),
    "StopInstances": frozenset(("force",)),
    "StartInstances": _NONE,
}
_LISTS: Mapping[str, frozenset[str]] = {
    "DescribeSnapshots": frozenset(("snapshots", "status", "tags")),
    "DescribeVolumes": frozenset(("volumes", "status", "tags")),
    "DescribeInstances": frozenset(("instances", "status", "tags", "instance_type")),
    "DescribeTags": frozenset(("tags",)),
    "DescribeJobs": frozenset(("jobs", "status")),
    "DescribeZones": frozenset(("zones", "status")),
    "CreateSnapshots": frozenset(("resources",)),
    "DeleteSnapshots": frozenset(("snapshots",)),
    "ApplySnapshots": frozenset(("snapshots",)),
    "StopInstances": frozenset(("instances",)),
    "StartInstances": frozenset(("instances",)),
}
_PAIRS: Mapping[str, str] = {
    "AttachTags": "resource_tag_pairs",
    "DetachTags": "resource_tag_pairs",
}
_PAIR_FIELDS = frozenset(("tag_id", "resource_type", "resource_id"))
_WORDS: Mapping[str, frozenset[str]] = {
    "DescribeSnapshots": frozenset(("pending", "available", "suspended", "deleted", "ceased")),
    "DescribeVolumes": frozenset(
        ("pending", "available", "in-use", "suspended", "deleted", "ceased")
    ),
    "DescribeInstances": frozenset(
        ("pending", "running", "stopped", "suspended", "terminated", "ceased")
    ),
    "DescribeJobs": frozenset(("pending", "working", "successful", "failed", "done with failure")),
    "DescribeZones": frozenset(("active", "faulty", "defunct")),
}
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)


class No(Exception):
    """A refusal on its way to the envelope."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@attrs.frozen
class Asked:
    """A request that was let in: who asks for what, and where."""

    account: AccountState
    action: str
    single: Mapping[str, str]
    lists: Mapping[str, Sequence[str]]
    pairs: Sequence[Mapping[str, str]] = ()

    def needs(self, name: str) -> str:
        """Return the single parameter *name*, or refuse."""
        value = self.single.get(name)
        if not value:
            raise No(1100, f"InvailidRequestFormat, parameter [{name}] is missing")
        return value

    def needs_list(self, name: str) -> list[str]:
        """Return the different values of the list *name*, or refuse."""
        values = list(dict.fromkeys(self.lists.get(name, ())))
        if not values or not all(values):
            raise No(1100, f"InvailidRequestFormat, parameter [{name}] is missing")
        return values

    def number(self, name: str, default: int) -> int:
        """Return the whole number *name*."""
        text = self.single.get(name)
        if text is None:
            return default
        if not _WHOLE.fullmatch(text):
            raise No(1100, f"InvailidRequestFormat, parameter [{name}] should be integer")
        return int(text)


def sorted_out(
    action: str, form: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, list[str]], list[dict[str, str]]]:
    """Return the action's own single parameters, lists and pairs; all others are refused."""
    single: dict[str, str] = {}
    lists: dict[str, dict[int, str]] = {}
    pairs: dict[int, dict[str, str]] = {}
    for name, value in form.items():
        base, dot, rest = name.partition(".")
        number, _, field = rest.partition(".")
        place = int(number) if _WHOLE.fullmatch(number) else 0
        if name in _SINGLE[action] or name == "zone":
            single[name] = value
        elif dot and place and rest == number and base in _LISTS.get(action, ()):
            lists.setdefault(base, {})[place] = value
        elif place and base == _PAIRS.get(action) and field in _PAIR_FIELDS:
            pairs.setdefault(place, {})[field] = value
        elif name not in _COMMON:
            raise No(1100, f"InvailidRequestFormat, unknown parameter [{name}]")
    found = {name: [values[index] for index in sorted(values)] for name, values in lists.items()}
    _check_lists(action, found, pairs)
    return single, found, [pairs[index] for index in sorted(pairs)]


def _check_lists(
    action: str, lists: Mapping[str, Sequence[str]], pairs: Mapping[int, Mapping[str, str]]
) -> None:
    for name, values in (*lists.items(), *((name, pairs) for name in _PAIRS.values())):
        if len(values) > LARGEST_LIST:
            raise No(1100, f"InvailidRequestFormat, parameter [{name}] has too many values")
    for word in lists.get("status", ()):
        if word not in _WORDS[action]:
            raise No(1100, f"InvailidRequestFormat, illegal status [{word}]")
    for pair in pairs.values():
        if _PAIR_FIELDS.symmetric_difference(pair):
            raise No(1100, "InvailidRequestFormat, illegal parameter [resource_tag_pairs]")


def cut(asked: Asked, found: list[Any]) -> list[Any]:
    """Return the page that is asked for: 20 rows without a limit, never more than 100."""
    offset, limit = asked.number("offset", 0), asked.number("limit", 20)
    if limit < 1:
        raise No(1100, "InvailidRequestFormat, illegal parameter [limit]")
    return found[offset : offset + min(limit, LARGEST_PAGE)]
