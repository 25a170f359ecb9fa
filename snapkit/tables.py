"""Snapshots as Arrow tables, data frames and Parquet files; needs the extras arrow or pandas.

The schema is fixed: one column for each field of a snapshot, ``source.id`` as ``source_id``.
Times are UTC microseconds, sizes 64-bit bytes, tags a map, and what a provider does not say is
null. Nothing is imported before a function here is called.
"""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from enum import Enum
from importlib import import_module
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeAlias, cast
from urllib.parse import quote

import attrs

from snapkit.errors import ArgumentError, ConfigurationError
from snapkit.model import Snapshot

__all__ = ["COLUMNS", "SnapshotStream", "schema", "to_arrow", "to_pandas", "write_parquet"]

Arrow: TypeAlias = Any
"""A value of pyarrow, which has no types."""
BATCH_ROWS = 10_000
_LONGEST_NAME = 120

COLUMNS: Mapping[str, str] = {
    "ref": "text",
    "id": "text",
    "provider": "text",
    "account": "text",
    "region": "text",
    "name": "text",
    "description": "text",
    "status": "text",
    "raw_status": "text",
    "status_reason": "text",
    "restorable": "flag",
    "progress": "count",
    "created_at": "time",
    "cut_at": "time",
    "completed_at": "time",
    "source_id": "text",
    "source_role": "text",
    "source_category": "text",
    "source_raw_category": "text",
    "source_size_bytes": "count",
    "source_instance_id": "text",
    "source_zone": "text",
    "size_bytes": "count",
    "stored_bytes": "count",
    "kind": "text",
    "parent_id": "text",
    "root_id": "text",
    "origin": "text",
    "expires_at": "time",
    "encrypted": "flag",
    "kms_key_id": "text",
    "usage_images": "count",
    "usage_disks": "count",
    "usage_shares": "count",
    "locked": "flag",
    "group_id": "text",
    "tags": "map",
}
"""The columns and what they hold: text, flag, count (64-bit), time (UTC, microseconds), map."""
_ALWAYS = frozenset({"ref", "id", "provider", "account", "region", "status", "kind", "origin"})
_PARTITIONS = ("provider", "region")


def schema() -> Arrow:
    """Return the pyarrow schema of every table that is made here."""
    arrow = _arrow()
    types = {
        "text": arrow.string(),
        "flag": arrow.bool_(),
        "count": arrow.int64(),
        "time": arrow.timestamp("us", tz="UTC"),
        "map": arrow.map_(arrow.string(), arrow.string()),
    }
    return arrow.schema(
        [arrow.field(name, types[kind], name not in _ALWAYS) for name, kind in COLUMNS.items()]
    )


def to_arrow(snapshots: Iterable[Snapshot]) -> Arrow:
    """Return *snapshots* as a pyarrow.Table; an empty one has the schema too."""
    return _arrow().Table.from_batches(list(_batches(snapshots, BATCH_ROWS)), schema())


def to_pandas(snapshots: Iterable[Snapshot]) -> Any:
    """Return *snapshots* as a pandas.DataFrame of Arrow columns; each row's tags are a dict.

    Sizes stay whole numbers and unknown values stay unknown, as they would not in columns of
    NumPy.
    """
    pandas = _needed("pandas", "pandas")
    arrow = _arrow()

    def column(kind: Arrow) -> Any:
        return None if arrow.types.is_map(kind) else pandas.ArrowDtype(kind)

    return to_arrow(snapshots).to_pandas(types_mapper=column, maps_as_pydicts="strict")


def _some(_: Any, __: Any, rows: int) -> None:
    if rows < 1:
        raise ArgumentError(f"a batch cannot have {rows} rows", hint="give at least 1")


@attrs.define
class SnapshotStream:
    """Snapshots for whatever takes an Arrow stream: pyarrow, polars, duckdb and others.

    Rows are taken from *snapshots* while the stream is read, *batch_rows* at a time, so a
    listing of any length needs little memory. It can be read once. An error of the listing
    ends the stream with an error of the reader's library.
    """

    snapshots: Iterable[Snapshot]
    batch_rows: int = attrs.field(default=BATCH_ROWS, validator=_some)
    _read: bool = attrs.field(default=False, init=False)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the stream as a capsule, as the Arrow PyCapsule interface has it.

        It may be asked for more than once, as by a reader that looks at the schema first; the
        first that takes rows has them all.
        """
        self._check_unread()
        reader = _arrow().RecordBatchReader.from_batches(schema(), self._batches())
        return reader.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[Arrow]:
        self._check_unread()
        self._read = True
        yield from _batches(self.snapshots, self.batch_rows)

    def _check_unread(self) -> None:
        if self._read:
            raise ArgumentError("the stream has been read", hint="make one for each reader")


def write_parquet(
    snapshots: Iterable[Snapshot], directory: str | Path, *, day: date | None = None
) -> list[Path]:
    """Return the files that *snapshots* were written to under *directory*, sorted.

    There is one for each account under ``provider=P/region=R/date=D/``, where *day* is the day
    of the inventory, today in UTC without it. A second run on one day replaces the files of
    the accounts it has. Each is written under a temporary name, and all are renamed when all
    are whole: an error leaves what was there.
    """
    tree = _Tree(Path(directory), f"{day or datetime.now(UTC).date():%Y-%m-%d}")
    with tree:
        for snapshot in snapshots:
            tree.add(snapshot)
        return tree.finish()


@attrs.define
class _File:
    """One Parquet file that is being written; small ones are written in one go at the end."""

    path: Path
    temporary: Path
    rows: list[Snapshot] = attrs.field(factory=list[Snapshot])
    writer: Arrow = None

    def write(self) -> None:
        table = to_arrow(self.rows).drop_columns(list(_PARTITIONS))
        if self.writer is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            parquet = _needed("pyarrow.parquet", "arrow")
            self.writer = parquet.ParquetWriter(self.temporary, table.schema, compression="zstd")
        self.writer.write_table(table)
        self.rows.clear()

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None


@attrs.define
class _Tree:
    root: Path
    day: str
    run: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    files: dict[tuple[str, str, str], _File] = attrs.field(
        factory=dict[tuple[str, str, str], _File]
    )

    def add(self, snapshot: Snapshot) -> None:
        key = (snapshot.provider, snapshot.region, snapshot.account)
        if key not in self.files:
            self.files[key] = self._file(*key)
        file = self.files[key]
        file.rows.append(snapshot)
        if len(file.rows) >= BATCH_ROWS:
            file.write()

    def _file(self, provider: str, region: str, account: str) -> _File:
        parts = {"provider": provider, "region": region, "date": self.day}
        folder = self.root.joinpath(*(f"{name}={_safe(text)}" for name, text in parts.items()))
        stem = f"snapshots-{_safe(account)}" if account else "snapshots"
        # Readers of a data set pass over names that begin with a dot.
        return _File(folder / f"{stem}.parquet", folder / f".{stem}-{self.run}.tmp")

    def finish(self) -> list[Path]:
        for file in self.files.values():
            if file.rows:
                file.write()
            file.close()
        for file in self.files.values():
            os.replace(file.temporary, file.path)  # noqa: PTH105 - named for what it does
        return sorted(file.path for file in self.files.values())

    def __enter__(self) -> None:
        """Find out at once whether there is pyarrow."""
        _arrow()

    def __exit__(self, *_: object) -> None:
        for file in self.files.values():
            with contextlib.suppress(OSError):
                file.close()
            file.temporary.unlink(missing_ok=True)


def _safe(text: str) -> str:
    """Return *text* as a part of a path: percent-encoded, and never too long for a name."""
    found = quote(text, safe="", errors="surrogatepass")
    if len(found) <= _LONGEST_NAME:
        return found
    mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{found[: _LONGEST_NAME - 20].rstrip('%')}-{mark}"


def _needed(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigurationError(
            f"{module.partition('.')[0]} is not installed",
            hint=f"install snapkit-multicloud[{extra}]",
        ) from error


def _arrow() -> Arrow:
    return _needed("pyarrow", "arrow")


def _batches(snapshots: Iterable[Snapshot], rows: int) -> Iterator[Arrow]:
    fixed = schema()
    readers = [_reader(name) for name in COLUMNS]
    left = iter(snapshots)
    while chunk := list(islice(left, rows)):
        yield _arrow().RecordBatch.from_arrays(
            [
                _column([read(one) for one in chunk], field)
                for read, field in zip(readers, fixed, strict=True)
            ],
            schema=fixed,
        )


def _reader(name: str) -> Callable[[Snapshot], Any]:
    """Return what reads the column *name* of a snapshot, as Arrow can take it."""
    for inner in ("source", "usage"):
        if name.startswith(f"{inner}_"):
            name = f"{inner}.{name.removeprefix(f'{inner}_')}"
    read = attrgetter(name)
    if name in ("ref", "tags"):
        return (lambda one: str(read(one))) if name == "ref" else _tags

    def value(snapshot: Snapshot) -> Any:
        found = read(snapshot)
        return found.value if isinstance(found, Enum) else found

    return value


def _tags(snapshot: Snapshot) -> list[tuple[str, str]] | None:
    return None if snapshot.tags is None else list(snapshot.tags.items())


def _column(values: list[Any], field: Arrow) -> Arrow:
    try:
        return _arrow().array(values, field.type)
    except UnicodeEncodeError:
        # Half a character from a careless provider: JSON can carry it, UTF-8 cannot.
        return _arrow().array([_sound(value) for value in values], field.type)


def _sound(value: Any) -> Any:
    """Return *value* with what is not Unicode written as its number."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, list):
        pairs = cast("list[tuple[str, str]]", value)
        return [(_sound(key), _sound(text)) for key, text in pairs]
    return value
