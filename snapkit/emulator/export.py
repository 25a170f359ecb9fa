"""A world in the words of an estate file, so that it can be looked at, kept and loaded again."""

import enum
from datetime import UTC, datetime
from typing import Any

import attrs

from snapkit.emulator.state import Disk, GroupRecord, Pace, RegionState, SnapshotRecord, World
from snapkit.emulator.throttle import Throttle

__all__ = ["exported", "in_words", "record_in_words"]

_TIMES = frozenset({"started_at", "deleted_at", "expires_at", "created_at"})
_OF_THE_DISK = frozenset({"size_gib", "role", "instance_id", "zone", "category", "encrypted"})


def in_words(seconds: float) -> str:
    """Return a time in seconds since 1970 as RFC 3339 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def record_in_words(record: Disk | SnapshotRecord | GroupRecord) -> dict[str, Any]:
    """Return what an estate file says of *record*; fields that are as usual are left out."""
    found: dict[str, Any] = {}
    for field in attrs.fields(type(record)):
        value = getattr(record, field.name)
        copied = isinstance(record, SnapshotRecord) and field.name in _OF_THE_DISK
        if copied or not _is_usual(field, value):
            found[field.name] = _said(field.name, value)
    return found


def _is_usual(field: Any, value: Any) -> bool:
    if isinstance(value, dict):
        return not value
    return bool(value == field.default)


def _said(name: str, value: Any) -> Any:
    if name in _TIMES:
        return in_words(value)
    if name == "instance_id":
        return value or ""  # An absent one would be that of the disk.
    if isinstance(value, enum.Enum):
        return value.value
    return attrs.asdict(value) if isinstance(value, Pace) else value


def exported(world: World) -> dict[str, Any]:
    """Return *world* as an estate: what :func:`load_estate` makes the same world from.

    What is under way without standing in a record (roll-backs, client tokens) is left out.
    Hold the world's lock. Secrets are in it: they open nothing but an emulator.
    """
    return {
        "ahead": world.clock.ahead,
        "lag": world.lag,
        "pace": attrs.asdict(world.pace),
        "accounts": [
            {
                "provider": account.provider,
                "key_id": account.key_id,
                "secret": account.secret,
                **({"token": account.token} if account.token else {}),
                "label": account.label,
                **({"limit": _limit(account.throttle)} if account.throttle else {}),
                "regions": {name: _region(region) for name, region in account.regions.items()},
            }
            for account in world.accounts
        ],
    }


def _limit(throttle: Throttle) -> dict[str, Any]:
    names = ("per_second", "burst", "window", "regional", "by_operation")
    found = {name: getattr(throttle, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def _region(region: RegionState) -> dict[str, Any]:
    return {
        "name": region.name,
        "open": region.open,
        "denied": region.denied,
        "running": sorted(region.running),
        "disks": [record_in_words(one) for one in region.disks.values()],
        "snapshots": [record_in_words(one) for one in region.snapshots.values()],
        "groups": [record_in_words(one) for one in region.groups.values()],
    }
