"""Where rows go: a table or files at the end, or JSON, CSV and YAML while they arrive."""

import csv
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import attrs
import click

from snapkit.cli import grid
from snapkit.cli.columns import Column, columns, known_columns, sort_rows, sorting
from snapkit.cli.inert import spreadsheet_safe
from snapkit.cli.options import option, stacked
from snapkit.cli.parquet import ParquetSink, check_parquet
from snapkit.cli.records import as_json, exact, record, report_record
from snapkit.cli.yaml import as_yaml, item
from snapkit.errors import QueryError
from snapkit.listing import Report

__all__ = ["View", "drawing"]

_DRAWING = "How to show them"
drawing = stacked(
    option(
        "-o",
        "--output",
        type=str,
        default="table",
        show_default=True,
        metavar="FORMAT",
        section=_DRAWING,
        help="table, json (one object), ndjson (one object a line, as they arrive), csv, yaml,"
        " or parquet (files, with --into).",
    ),
    option(
        "--into",
        metavar="DIR",
        type=click.Path(file_okay=False),
        section=_DRAWING,
        help="Where the files of parquet go; their paths are printed.",
    ),
    option(
        "--columns",
        multiple=True,
        metavar="A,B,C",
        section=_DRAWING,
        help="Which columns, in which order; names as in JSON (source.zone) or short (zone).",
    ),
    option("--all-columns", is_flag=True, section=_DRAWING, help="Every column there is."),
    option(
        "--sort",
        metavar="KEY[,-KEY]",
        section=_DRAWING,
        help="Columns to sort by, - for descending. Rows are then shown when all are there.",
    ),
    option(
        "--ordered",
        is_flag=True,
        section=_DRAWING,
        help="Rows in the order of the targets, the same each time; what arrives too early waits.",
    ),
    option(
        "--raw",
        is_flag=True,
        section=_DRAWING,
        help="In json, ndjson and yaml, the provider's own row too.",
    ),
    option(
        "--csv-raw",
        is_flag=True,
        section=_DRAWING,
        help="In csv, leave text as it is, even where a spreadsheet would run it.",
    ),
    option(
        "--fail-on-partial",
        is_flag=True,
        section=_DRAWING,
        help="Print and write nothing unless every region answered in full; exit code 3 as"
        " without it. Rows are then shown when all are there.",
    ),
)


class Sink(Protocol):
    """Takes rows as they arrive."""

    def page(self, rows: Sequence[Any]) -> None:
        """Take *rows*."""
        ...

    def end(self, report: Report) -> list[str]:
        """Write what is left; return remarks for stderr."""
        ...


@attrs.frozen(kw_only=True)
class View:
    """How one kind of thing is shown."""

    kind: type[Any]
    noun: str
    """The plural, and the key in JSON."""
    output: str
    chosen: Sequence[Column] | None
    """None: the usual ones."""
    usual: Sequence[Column]
    expendable: Sequence[str]
    keys: Sequence[tuple[Column, bool]]
    raw: bool = False
    csv_raw: bool = False
    into: str | None = None
    """The folder for files."""
    whole: bool = False
    """Whether all or nothing is shown."""

    @classmethod
    def of(
        cls,
        kind: type[Any],
        noun: str,
        given: Mapping[str, Any],
        *,
        usual: Sequence[str],
        expendable: Sequence[str],
    ) -> "View":
        """Return the view that the options of ``drawing`` ask for, or raise QueryError."""
        output = str(given["output"]).lower()
        if output not in _SINKS:
            raise QueryError(
                f"no output format {output!r}", hint=f"choose from {', '.join(_SINKS)}"
            )
        into = given.get("into")
        if output == "parquet":
            check_parquet(kind, into, columns=bool(given["columns"] or given["all_columns"]))
        elif into is not None:
            raise QueryError("--into is for parquet", hint="add --output parquet, or redirect")
        names = [name for text in given["columns"] for name in text.split(",")]
        names = list(known_columns(kind)) if given["all_columns"] and not names else names
        return cls(
            kind=kind,
            noun=noun,
            output=output,
            chosen=columns(kind, names) if names else None,
            usual=columns(kind, usual),
            expendable=expendable,
            keys=sorting(kind, given["sort"]),
            raw=given["raw"],
            csv_raw=given["csv_raw"],
            into=into,
            whole=given.get("fail_on_partial", False),
        )

    @property
    def streams(self) -> bool:
        """Whether rows are written while they arrive."""
        return self.output not in ("table", "parquet") and not (self.keys or self.whole)

    def sink(self) -> Sink:
        """Return a new sink for this view."""
        found: Sink = _SINKS[self.output](self)
        return _Sorted(self, found) if self.keys else found

    def record(self, row: Any) -> dict[str, Any]:
        """Return *row* for JSON: the whole of it, or the chosen columns under their names."""
        if self.chosen is None:
            return record(row, raw=self.raw)
        found = {column.path: exact(column.value(row)) for column in self.chosen}
        return found | ({"raw": exact(row.raw)} if self.raw else {})


@attrs.define
class _Sorted:
    view: View
    inner: Sink
    rows: list[Any] = attrs.field(factory=list[Any])

    def page(self, rows: Sequence[Any]) -> None:
        self.rows.extend(rows)

    def end(self, report: Report) -> list[str]:
        self.inner.page(sort_rows(self.rows, self.view.keys))
        return self.inner.end(report)


@attrs.define
class _Table:
    view: View
    rows: list[Any] = attrs.field(factory=list[Any])

    def page(self, rows: Sequence[Any]) -> None:
        self.rows.extend(rows)

    def end(self, report: Report) -> list[str]:
        """Draw the table; unsorted rows are put together by region, in the report's order."""
        if not self.rows:
            return []
        if not self.view.keys:
            order = {
                (one.scope.provider, one.scope.account, one.scope.region): place
                for place, one in enumerate(report.scopes)
            }
            self.rows.sort(key=lambda row: order.get((row.provider, row.account, row.region), 0))
        return draw_rows(self.view, self.rows)


def draw_rows(view: View, rows: Sequence[Any]) -> list[str]:
    """Print a table of *rows*; return a remark if columns were left out for width.

    The account is shown only where there are several.
    """
    several = len({row.account for row in rows}) > 1
    usual = [column for column in view.usual if column.path != "account" or several]
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    padded, shown, left = grid.lines(
        view.chosen or usual,
        rows,
        room=room if view.chosen is None else None,
        expendable=view.expendable,
    )
    grid.draw(padded, shown)
    names = ", ".join(column.title for column in left)
    return [f"no room for {names}; choose with --columns"] if left else []


@attrs.define
class _Json:
    view: View
    started: bool = False

    def page(self, rows: Sequence[Any]) -> None:
        for row in rows:
            sys.stdout.write(",\n" if self.started else f'{{"{self.view.noun}": [\n')
            sys.stdout.write(as_json(self.view.record(row), sys.stdout))
            self.started = True

    def end(self, report: Report) -> list[str]:
        sys.stdout.write("\n" if self.started else f'{{"{self.view.noun}": [')
        sys.stdout.write(f'], "report": {as_json(report_record(report), sys.stdout)}}}\n')
        return []


@attrs.define
class _Ndjson:
    view: View

    def page(self, rows: Sequence[Any]) -> None:
        sys.stdout.writelines(f"{as_json(self.view.record(row), sys.stdout)}\n" for row in rows)
        sys.stdout.flush()

    def end(self, report: Report) -> list[str]:
        trailer = {"report": report_record(report)}
        sys.stdout.write(f"{as_json(trailer, sys.stdout)}\n")
        return []


@attrs.define
class _Csv:
    view: View
    started: bool = False

    def page(self, rows: Sequence[Any]) -> None:
        chosen = self.view.chosen or columns(self.view.kind, known_columns(self.view.kind))
        writer = csv.writer(sys.stdout, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        if not self.started:
            writer.writerow([column.path for column in chosen])
            self.started = True
        writer.writerows([[self._field(column.value(row)) for column in chosen] for row in rows])
        sys.stdout.flush()

    def _field(self, value: Any) -> str | int | float:
        if isinstance(value, bool):
            return "true" if value else "false"
        text = exact(value)
        text = as_json(text, sys.stdout) if isinstance(text, dict) else text
        if isinstance(text, str):
            return text if self.view.csv_raw else spreadsheet_safe(text)
        return "" if text is None else text

    def end(self, report: Report) -> list[str]:
        del report
        self.page(())
        return []


@attrs.define
class _Yaml:
    view: View
    started: bool = False

    def page(self, rows: Sequence[Any]) -> None:
        for row in rows:
            if not self.started:
                sys.stdout.write(f"{self.view.noun}:\n")
                self.started = True
            sys.stdout.write(item(self.view.record(row)))
        sys.stdout.flush()

    def end(self, report: Report) -> list[str]:
        if not self.started:
            sys.stdout.write(f"{self.view.noun}: []\n")
        sys.stdout.write(as_yaml({"report": report_record(report)}))
        return []


def _parquet(view: View) -> ParquetSink:
    return ParquetSink(Path(view.into or "."))


_SINKS: Mapping[str, Any] = {
    "table": _Table,
    "json": _Json,
    "ndjson": _Ndjson,
    "csv": _Csv,
    "yaml": _Yaml,
    "parquet": _parquet,
}
