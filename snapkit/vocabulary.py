"""From a provider's words, numbers and times to neutral values; pure and forgiving.

Nothing here raises on what a server may send: a value that cannot be understood is None,
and the provider's own text stays in ``raw``.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

from snapkit.model import Tags

__all__ = [
    "CHINA",
    "GIB",
    "MIB",
    "boolean",
    "gib",
    "integer",
    "lookup",
    "mapping",
    "mib",
    "parse_time",
    "percent",
    "remembered",
    "rows",
    "tags",
    "text",
]

MIB = 1024**2
GIB = 1024**3
CHINA = timezone(timedelta(hours=8), "UTC+08:00")
"""China has had one time zone and no summer time since 1992; no zone database is needed."""
_LARGEST = 2**63
_TIME = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_DECIMAL = re.compile(r"\d{1,3}(?:\.\d{1,9})?", re.ASCII)

T = TypeVar("T")


def remembered(function: Callable[..., T]) -> Callable[..., T]:
    """Return *function* with a memory for its latest few thousand answers.

    For values that many rows share, such as a disk or a set of words: they are read once, and
    held once. Arguments that look alike but differ in type (1, True, "1") are kept apart, and
    what cannot be remembered (a list where a text should be) is read anew.
    """
    known = lru_cache(maxsize=4096, typed=True)(function)

    @wraps(function)
    def recall(*arguments: Any) -> T:
        try:
            return known(*arguments)
        except TypeError:
            return function(*arguments)

    return recall


def lookup(table: Mapping[str, T], word: object, default: T) -> T:
    """Return what *table* (keys in lower case) says of *word*, whatever its case."""
    return table.get(word.strip().casefold(), default) if isinstance(word, str) else default


def text(value: object) -> str | None:
    """Return *value* as text; None for null, blank and anything that is not a scalar."""
    if isinstance(value, str):
        return value if value and not value.isspace() else None
    if value is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def integer(value: object) -> int | None:
    """Return a whole number of zero or more from ``40``, ``"40"`` or ``40.0``, else None.

    Negative and absurd figures (2**63 and up) are what a broken server sends: None.
    """
    if type(value) is int:
        return value if 0 <= value < _LARGEST else None
    if isinstance(value, str):
        value = value.strip()
        if not (value.isascii() and value.isdigit() and len(value) < 20):
            return None
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not (math.isfinite(value) and value.is_integer()):
        return None
    return int(value) if 0 <= value < _LARGEST else None


def gib(value: object) -> int | None:
    """Return binary gigabytes as bytes."""
    return _units(value, GIB)


def mib(value: object) -> int | None:
    """Return binary megabytes as bytes."""
    return _units(value, MIB)


def _units(value: object, unit: int) -> int | None:
    number = integer(value)
    return None if number is None or number * unit >= _LARGEST else number * unit


def percent(value: object) -> int | None:
    """Return 0 to 100 from ``100``, ``"100"``, ``"100%"`` or ``"99.5%"`` (rounded down)."""
    if isinstance(value, str):
        value = value.strip().removesuffix("%")
        if not _DECIMAL.fullmatch(value):
            return None
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= 100 else None


def boolean(value: object) -> bool | None:
    """Return True or False from JSON booleans, 0 and 1, and their texts in any case."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().casefold())
    return {0: False, 1: True}.get(value) if isinstance(value, int) else None


def parse_time(value: object, zone: tzinfo = UTC) -> datetime | None:
    """Return an aware UTC time from a wire timestamp; a naive one is read in *zone*.

    Takes ISO 8601 with ``T`` or a blank, with or without seconds, fractions and offset. What
    is not a time of the calendar (empty, ``0000-00-00 00:00:00``, 30 February) is None.
    """
    if not isinstance(value, str):
        return None
    # The two plain forms of nearly every row need no regex and no conversion.
    try:
        plain = value[16:17] == ":" and value[7] == "-"
        if plain and len(value) == 20 and value[10] == "T" and value[19] == "Z":
            return datetime.fromisoformat(value)
        if plain and len(value) == 19 and value[10] in " T" and type(zone) is timezone:
            return datetime.fromisoformat(f"{value}Z") - zone.utcoffset(None)
        value = value.strip()
        if not _TIME.fullmatch(value):
            return None
        moment = datetime.fromisoformat(value)
        return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def mapping(value: object) -> Mapping[str, Any]:
    """Return *value* if it is an object, else an empty one."""
    found: Any = value
    return found if isinstance(value, dict) else {}


def rows(value: Any, inner: str | None = None) -> list[Mapping[str, Any]]:
    """Return the objects of a list, however a provider wraps it.

    Takes a bare list, ``{inner: [...]}``, a single object instead of a list, and null, an
    empty text or an empty object for none.
    """
    found: Any = value
    if inner is not None and isinstance(value, dict):
        found = found.get(inner, found or None)
    if isinstance(found, dict):
        return [cast("dict[str, Any]", found)] if found else []
    listed = cast("list[Any]", found) if isinstance(found, list) else []
    return [row for row in listed if isinstance(row, dict)]


def tags(pairs: Iterable[tuple[object, object]]) -> Tags:
    """Return the tags of *pairs*, leaving out those without a key; a missing value is ``""``.

    Equal tags are one object, because most snapshots carry the tags of a few servers.
    """
    return _tags(
        tuple([(key, text(value) or "") for key, value in pairs if isinstance(key, str) and key])
    )


_tags = lru_cache(maxsize=4096)(Tags)
