"""Names of any content: exact for programs, inert for terminals and spreadsheets."""

import csv
import io
import json
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from snapkit.cli.failing import tell
from snapkit.cli.inert import inert, spreadsheet_safe
from snapkit.cli.sinks import View
from snapkit.errors import SnapkitError
from snapkit.listing import Report
from snapkit.model import Snapshot, SnapshotStatus, Tags

from .strategies import QUICK

HOSTILE = (
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x9b31m",
    "\r",
    "\n",
    "\x00",
    "\x7f",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2028",
    "\ufeff",
    "\ud800",
    "[/foo]",
    "[red]",
    "[link=https://evil.example]",
    ":skull:",
    "=cmd|'/C calc'!A0",
    "＝1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "../x",
    '"',
    "'",
    ",",
    ";",
    "<script>",
    "&",
    "- a: b",
    "#",
    "!!python/object:os.system",
    "---",
    "快照",
    "é",
    " ",
    "a",
)
NAMES = st.one_of(
    st.lists(st.sampled_from(HOSTILE), min_size=1, max_size=6).map("".join),
    st.text(st.characters(), min_size=1, max_size=12),
)
ROWS = st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=3)


def snapshot(number: int, name: str, other: str) -> Snapshot:
    return Snapshot(
        id=f"s-{number}",
        provider="paper",
        account="",
        region="north",
        name=name,
        status=SnapshotStatus.AVAILABLE,
        raw_status=other,
        tags=Tags([(other, name)]),
    )


def shown(rows: Sequence[Snapshot], output: str, columns: str, **changes: Any) -> str:
    """Return what the command line would write of *rows* to a pipe."""
    given: dict[str, Any] = {
        "output": output,
        "columns": (columns,) if columns else (),
        "all_columns": False,
        "sort": None,
        "raw": False,
        "csv_raw": False,
    }
    view = View.of(Snapshot, "snapshots", given | changes, usual=("id", "name"), expendable=())
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="")
    with redirect_stdout(out):
        sink = view.sink()
        sink.page(rows)
        sink.end(Report(()))
    out.flush()
    out.seek(0)
    return out.read()


def made(rows: Sequence[tuple[str, str]]) -> list[Snapshot]:
    return [snapshot(number, *row) for number, row in enumerate(rows)]


def half(text: str) -> bool:
    """Whether *text* holds half a character, which UTF-8 has no form for."""
    return any(0xD800 <= ord(sign) < 0xE000 for sign in text)


@QUICK
@given(rows=ROWS)
def test_a_table_has_one_line_a_row_and_commands_nothing(rows: list[tuple[str, str]]) -> None:
    """What cannot be seen is written out, and markup of the drawing library is text."""
    lines = shown(made(rows), "table", "id,name,tags").split("\n")

    assert len(rows) + 2 == len(lines)
    assert [] == [sign for line in lines for sign in line if inert(sign) != sign]
    assert [] == [name for name, _ in rows if inert(name).rstrip() not in "\n".join(lines)]


@QUICK
@given(rows=ROWS)
def test_csv_is_read_back_and_no_field_is_a_formula(rows: list[tuple[str, str]]) -> None:
    """A reader gets one record for each row, and a spreadsheet gets text."""
    text = shown(made(rows), "csv", "id,name,raw_status")
    records = list(csv.reader(io.StringIO(text, newline="")))

    assert [["id", "name", "raw_status"]] == records[:1]
    wanted = [[f"s-{at}", *map(spreadsheet_safe, row)] for at, row in enumerate(rows)]
    assert wanted == records[1:]
    starts = {field.lstrip(" ")[:1] for record in records[1:] for field in record}
    assert not starts & set("=+-@\t\r\n＝＋－＠")


@QUICK
@given(rows=ROWS)
def test_raw_csv_is_read_back_exactly(rows: list[tuple[str, str]]) -> None:
    """For programs that want the names as they are."""
    rows = [row for row in rows if not half("".join(row))]
    text = shown(made(rows), "csv", "id,name,raw_status", csv_raw=True)
    records = list(csv.reader(io.StringIO(text, newline="")))

    # A null ends nothing: the reader of the standard library keeps it.
    assert [[f"s-{at}", *row] for at, row in enumerate(rows)] == records[1:]


@QUICK
@given(rows=ROWS)
@pytest.mark.parametrize("output", ["json", "ndjson", "yaml"])
def test_structured_output_is_exact(output: str, rows: list[tuple[str, str]]) -> None:
    """A name goes through unchanged, so that a script can look it up again."""
    kept = [row for row in rows if output != "yaml" or not half("".join(row))]
    text = shown(made(kept), output, "")
    if output == "ndjson":
        found = [json.loads(line) for line in text.split("\n")[: len(kept)]]
    else:
        found = (json.loads(text) if output == "json" else yaml.safe_load(text))["snapshots"]

    # Half a character is an escape in a pipe, and JSON's reader takes it for what it was.
    assert kept == [(one["name"], one["raw_status"]) for one in found]
    assert [{other: name} for name, other in kept] == [one["tags"] for one in found]


@given(said=NAMES)
def test_a_message_is_one_inert_line(said: str) -> None:
    """Errors quote names, and clouds write errors."""
    out = io.StringIO()
    with redirect_stderr(out):
        tell("error", str(SnapkitError(said)))
    line = out.getvalue()

    assert "\n" == line[-1]
    assert line[:-1] == inert(line[:-1])


@given(text=st.text(st.characters()))
def test_what_is_inert_stays_inert_and_a_safe_field_stays_safe(text: str) -> None:
    """Cleaned twice is cleaned once."""
    assert inert(text) == inert(inert(text))
    assert spreadsheet_safe(text) == spreadsheet_safe(spreadsheet_safe(text))
