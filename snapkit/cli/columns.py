"""Columns by name: where a value is found, and how a person reads it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import Enum
from operator import attrgetter
from typing import Any, cast

import attrs

from snapkit.cli.inert import inert
from snapkit.errors import QueryError
from snapkit.model import Snapshot, SnapshotGroup, SourceDisk, Usage

__all__ = ["Column", "columns", "human", "known_columns", "size", "sort_rows", "sorting"]

_NESTED: Mapping[str, type[Any]] = {"source": SourceDisk, "usage": Usage}
_SHORT = {
    "created": "created_at",
    "cut": "cut_at",
    "completed": "completed_at",
    "expires": "expires_at",
    "size": "size_bytes",
    "stored": "stored_bytes",
    "disk": "source.id",
    "disk_size": "source.size_bytes",
    "role": "source.role",
    "category": "source.category",
    "instance": "source.instance_id",
    "zone": "source.zone",
    "group": "group_id",
    "parent": "parent_id",
    "root": "root_id",
}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@attrs.frozen
class Column:
    """One column; *path* is the name of the value in the model and in JSON."""

    path: str
    title: str

    @property
    def numeric(self) -> bool:
        """Whether its cells are read from the right."""
        return self.path.endswith(("size_bytes", "stored_bytes", "progress")) or (
            self.path.startswith("usage.") or self.path == "members"
        )

    def value(self, row: Any) -> Any:
        """Return the value as the model has it; members are counted."""
        found = attrgetter(self.path)(row)
        return len(found) if self.path == "members" else found

    def cell(self, row: Any) -> str:
        """Return the value for a person, harmless."""
        value = self.value(row)
        if self.path.endswith("_bytes") and value is not None:
            return size(value)
        return human(value)


def human(value: Any) -> str:
    """Return *value* as a person reads it, harmless; ``-`` for what is not said."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%MZ}"
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, str]", value)
        return ", ".join(inert(f"{key}={text}") for key, text in pairs.items()) or "-"
    return inert(str(value))


def size(count: int) -> str:
    """Return bytes in the largest unit of 1024 that leaves at least one: ``1.5 TiB``."""
    power = min(max(0, (count.bit_length() - 1) // 10), len(_UNITS) - 1)
    scaled = count / (1 << (10 * power))
    return f"{scaled:.{0 if scaled.is_integer() else 1}f} {_UNITS[power]}"


def known_columns(kind: type[Any]) -> tuple[str, ...]:
    """Return the paths of all columns of *kind*, in the model's order."""
    paths = ["ref"] if kind in (Snapshot, SnapshotGroup) else []
    for field in attrs.fields(kind):
        inner = _NESTED.get(field.name)
        if inner is not None:
            paths += [f"{field.name}.{one.name}" for one in attrs.fields(inner)]
        elif field.name != "raw":
            paths.append(field.name)
    return (*paths, "size_bytes") if kind is SnapshotGroup else tuple(paths)


def columns(kind: type[Any], names: Iterable[str]) -> list[Column]:
    """Return the columns called *names* (paths or short names), or raise QueryError."""
    return [_column(kind, name, "column") for name in names]


def sorting(kind: type[Any], text: str | None) -> list[tuple[Column, bool]]:
    """Return sort keys and whether each is descending, from ``size,-created``."""
    words = [word.strip() for word in text.split(",")] if text else []
    return [
        (_column(kind, word.removeprefix("-"), "sort key"), word.startswith("-")) for word in words
    ]


def sort_rows(rows: Sequence[Any], keys: Sequence[tuple[Column, bool]]) -> list[Any]:
    """Return *rows* in the order of *keys*; what is not said comes last in both directions."""
    ordered = list(rows)
    for column, descending in reversed(keys):
        said = [row for row in ordered if column.value(row) is not None]
        unsaid = [row for row in ordered if column.value(row) is None]
        said.sort(key=lambda row: _rank(column.value(row)), reverse=descending)
        ordered = said + unsaid
    return ordered


def _rank(value: Any) -> Any:
    return value if isinstance(value, int | datetime) else human(value)


def _column(kind: type[Any], name: str, what: str) -> Column:
    known = known_columns(kind)
    wanted = name.strip().lower().replace("-", "_")
    path = _SHORT.get(wanted, wanted) if wanted not in known else wanted
    if path not in known:
        short = [word for word, long in _SHORT.items() if long in known]
        near = get_close_matches(wanted, [*short, *known], 1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise QueryError(f"no {what} {name!r}", hint=f"{guess}known: {', '.join(known)}")
    titles = {long: word for word, long in _SHORT.items()}
    title = titles.get(path, path.removeprefix("usage.")).replace("source.", "")
    return Column(path, title.replace("_", " "))
