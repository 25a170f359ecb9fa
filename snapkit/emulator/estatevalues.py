"""Values in an estate file: times, spans, sizes, choices; each mistake told with its place."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import attrs

from snapkit.emulator.state import Pace
from snapkit.model import DiskRole, Origin
from snapkit.toml import Document, Keys, nearest

__all__ = ["Reader", "facts", "moment", "span"]

T = TypeVar("T")
LONGEST = 100 * 366 * 86400.0
"""The longest span, in seconds: a century."""
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_SPAN = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([smhdw])", re.ASCII)
_RELATIVE = re.compile(r"([+-]) ?(\S.*)")
_ABSOLUTE = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)
_YEARS = (
    datetime(1970, 1, 1, tzinfo=UTC).timestamp(),
    datetime(9000, 1, 1, tzinfo=UTC).timestamp(),
)
_LARGEST = 2**53
LARGEST_GIB = 1_000_000
SPAN_FORM = 'write seconds, or a text such as "90s", "15m", "2h", "3d", "1w"'
MOMENT_FORM = (
    'write "now", "-3d", "+2h" or a time with its zone, "2026-03-01T06:00:00Z", from 1970 on'
)


def span(value: object) -> float | None:
    """Return *value* in seconds: a number of them, or a text such as "15m"; None for others."""
    if isinstance(value, str):
        found = _SPAN.fullmatch(value.strip())
        value = float(found[1]) * _UNITS[found[2]] if found else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= LONGEST else None


def moment(value: object, now: float) -> float | None:
    """Return *value* in seconds since 1970: "now", "-3d", or a time with a zone; else None."""
    found: float | None = None
    if isinstance(value, datetime):
        found = None if value.tzinfo is None else value.timestamp()
    elif value == "now":
        return now
    elif isinstance(value, str):
        text = value.strip()
        relative = _RELATIVE.fullmatch(text)
        length = span(relative[2]) if relative else None
        if relative and length is not None:
            found = now - length if relative[1] == "-" else now + length
        elif _ABSOLUTE.fullmatch(text.upper()):
            found = _stamp(text.upper())
    return found if found is not None and _YEARS[0] <= found < _YEARS[1] else None


def _stamp(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


@attrs.frozen(kw_only=True)
class Reader:
    """One table of a document. Getters return *default* for what is missing or wrong.

    What is wrong becomes a problem of the document.
    """

    document: Document
    now: float
    at: Keys = ()
    table: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    def problem(self, name: str, message: str, hint: str | None = None) -> None:
        """Note that what stands under *name* is wrong."""
        self.document.problem((*self.at, name), message, hint)

    def inner(self, name: str) -> "Reader":
        """Return the table under *name*; an empty one if it is not there."""
        at = (*self.at, name)
        return attrs.evolve(self, at=at, table=self.document.table(*at))

    def each(self, name: str) -> Iterator["Reader"]:
        """Yield the tables of the list under *name*."""
        entries = self.typed(name, list, "a list of tables")
        for number, entry in enumerate(cast("list[Any]", entries or [])):
            at = (*self.at, name, str(number))
            if isinstance(entry, dict):
                yield attrs.evolve(self, at=at, table=cast("dict[str, Any]", entry))
            else:
                self.document.problem(at, f"entry {number + 1} of {name!r} is not a table")

    def typed(self, name: str, kind: Any, words: str) -> Any:
        """Return what is under *name*, None if it is missing or not of *kind*."""
        if self.table.get(name) is None:
            return None
        return self.document.typed((*self.at, name), kind, words)

    def text(self, name: str, default: str | None = None) -> str | None:
        """Return the text under *name*, which may be empty."""
        found = self.typed(name, str, "a text in quotes")
        return default if found is None else str(found)

    def texts(self, name: str) -> list[str] | None:
        """Return the list of texts under *name*."""
        return self.document.texts(*self.at, name) if name in self.table else None

    def flag(self, name: str, default: bool | None = None) -> bool | None:
        """Return True or False."""
        found = self.typed(name, bool, "true or false")
        return default if found is None else bool(found)

    def whole(self, name: str, least: int = 0, most: int = _LARGEST) -> int | None:
        """Return a whole number within bounds."""
        found = self.typed(name, int, "a whole number")
        if found is None or least <= found <= most:
            return cast("int | None", found)
        self.problem(name, f"{name!r} cannot be {found}", f"write {least} to {most}")
        return None

    def number(self, name: str) -> float | None:
        """Return a number above 0, at most a million."""
        return self.document.number(*self.at, name, least=0, most=1e6)

    def span(self, name: str, default: float = 0.0) -> float:
        """Return seconds."""
        given = self.typed(name, (str, int, float), "a number of seconds or a text in quotes")
        found = span(given)
        if given is not None and found is None:
            self.problem(name, f"{name!r} cannot be {given!r}", SPAN_FORM)
        return default if found is None else found

    def moment(self, name: str) -> float | None:
        """Return seconds since 1970."""
        given = self.typed(name, (str, datetime), "a time")
        found = moment(given, self.now)
        if given is not None and found is None:
            self.problem(name, f"{name!r} cannot be {str(given)!r}", MOMENT_FORM)
        return found

    def choice(self, name: str, choices: Mapping[str, T]) -> T | None:
        """Return the value that a text stands for."""
        given = self.text(name)
        if given is not None and given not in choices:
            self.problem(name, f"{name!r} cannot be {given!r}", nearest(given, choices))
        return choices.get(given) if given is not None else None

    def role(self, name: str) -> DiskRole | None:
        """Return what a disk is for."""
        return self.choice(name, _ROLES)

    def origin(self, name: str) -> Origin | None:
        """Return who made a snapshot."""
        return self.choice(name, _ORIGINS)

    def tags(self, name: str) -> dict[str, str] | None:
        """Return texts under texts."""
        if self.typed(name, dict, "a table of texts") is None:
            return None
        inner = self.inner(name)
        found = {key: inner.text(key) for key in inner.table}
        return {key: value for key, value in found.items() if value is not None}

    def row(self, name: str) -> dict[str, Any] | None:
        """Return a table of anything that JSON can say."""
        found = self.typed(name, dict, "a table")
        try:
            json.dumps(found, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            self.problem(name, f"{name!r} holds what JSON cannot say, such as a date")
            return None
        return cast("dict[str, Any] | None", found)

    def pace(self, name: str) -> Pace | None:
        """Return how long snapshots take."""
        if self.typed(name, dict, "a table") is None:
            return None
        inner, usual = self.inner(name), Pace()
        self.document.allow(*inner.at, names=("cut", "usable", "complete"))
        found = Pace(
            cut=inner.span("cut", usual.cut),
            usable=inner.span("usable", usual.usable),
            complete=inner.span("complete", usual.complete),
        )
        if not found.cut <= found.usable <= found.complete:
            self.problem(name, "a pace goes from 'cut' over 'usable' to 'complete'", _PACE_FORM)
        return found


_PACE_FORM = "write times that do not fall; what is left out is 1 s, 10 s and 60 s"
_ROLES = {one.value: one for one in DiskRole}
_ORIGINS = {one.value: one for one in Origin}
_GETTERS: Mapping[Any, Any] = {
    str: Reader.text,
    str | None: Reader.text,
    bool: Reader.flag,
    int: Reader.whole,
    int | None: Reader.whole,
    float: Reader.moment,
    float | None: Reader.moment,
    Pace: Reader.pace,
    DiskRole: Reader.role,
    Origin: Reader.origin,
    list[str]: Reader.texts,
    dict[str, str]: Reader.tags,
    dict[str, Any]: Reader.row,
}


def facts(
    reader: Reader, kind: type[Any], usual: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Return the fields of the attrs class *kind* that *reader*'s table gives, over *usual*.

    None if there is a problem: a key that is no field, a value that is wrong, or a field that
    is needed and is neither there nor usual.
    """
    before = len(reader.document.problems)
    fields = {field.name: field for field in attrs.fields(kind)}
    reader.document.allow(*reader.at, names=fields)
    given = {name: _get(reader, name, fields[name].type) for name in reader.table if name in fields}
    found = {**(usual or {}), **{name: one for name, one in given.items() if one is not None}}
    for name, field in fields.items():
        absent = name not in (usual or {}) and reader.table.get(name) in (None, "", [])
        if absent and field.default is attrs.NOTHING:
            reader.document.problem(reader.at, f"{name!r} is missing", f"write {name} = ...")
    if "instance_id" in found:
        found["instance_id"] = found["instance_id"] or None
    return found if len(reader.document.problems) == before else None


def _get(reader: Reader, name: str, kind: Any) -> Any:
    if name == "size_gib":
        return reader.whole(name, 1, LARGEST_GIB)
    return _GETTERS[kind](reader, name)
