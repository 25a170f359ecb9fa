"""``--output parquet``: files for tables, put in place when all of them are whole."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from snapkit.cli.inert import inert
from snapkit.errors import QueryError
from snapkit.listing import Report
from snapkit.model import Snapshot

__all__ = ["ParquetSink", "check_parquet"]


def check_parquet(kind: type[Any], into: str | None, *, columns: bool) -> None:
    """Raise for what cannot become Parquet files, before anything is listed."""
    from snapkit.tables import schema

    if kind is not Snapshot:
        raise QueryError(
            "parquet is for snapshots, not for groups", hint="use json, ndjson, csv or yaml"
        )
    if into is None:
        raise QueryError("parquet needs a folder", hint="say which with --into DIR")
    if columns:
        raise QueryError("the columns of parquet are fixed", hint="leave --columns out")
    schema()


@attrs.define
class ParquetSink:
    """Keeps the rows, and writes the files under *into* at the end; prints their paths."""

    into: Path
    rows: list[Any] = attrs.field(factory=list[Any])

    def page(self, rows: Sequence[Any]) -> None:
        """Take *rows*."""
        self.rows.extend(rows)

    def end(self, report: Report) -> list[str]:
        """Write the files and print where they are, a line for each."""
        from snapkit.tables import write_parquet

        del report
        paths = write_parquet(self.rows, self.into)
        sys.stdout.writelines(f"{inert(str(path))}\n" for path in paths)
        return []
