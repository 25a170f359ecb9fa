"""Odd rows, on each adapter's own wire: the row is kept, and what is odd in it is told."""

import csv
import io
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from snapkit import oddities
from snapkit.cli import main
from snapkit.emulator import Emulator, demo_world
from snapkit.model import SnapshotStatus
from snapkit.registry import providers
from snapkit.testing.harness import Seed, many
from tests.faults_state.stage import Row, Stage, styles

MADE = datetime(2024, 2, 29, 20, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each test hear the first warning anew."""
    monkeypatch.setattr(oddities, "_TOLD", set[tuple[str, str]]())


def with_fields(stage: Stage, fields: Mapping[str, Any], *, count: int = 1) -> None:
    """Put *count* snapshots behind the wire whose rows have *fields*."""
    seeds = [attrs.evolve(seed, row=dict(fields)) for seed in many(count)]
    stage.harness.add(*seeds)


def sizes(stage: Stage, value: Any) -> dict[str, Any]:
    """Return the wire fields that say how large a snapshot is, as *value*."""
    return {
        name: {"size": value} if name == "snapshot_resource" else value for name in stage.words.gib
    }


@pytest.mark.faults(63)
@styles
def test_null_in_every_field_but_the_id_leaves_a_row(stage: Stage) -> None:
    """A snapshot of which nothing is known is still one that is paid for."""

    def nothing(_: int, page: list[Row]) -> list[Row]:
        return [
            {name: row[name] if name == stage.words.key else None for name in row} for row in page
        ]

    (made,) = stage.harness.add(Seed(name="nightly"))
    stage.spoil(nothing)
    (found,), report = stage.listed()

    assert (made, None, None, None) == (found.id, found.name, found.size_bytes, found.created_at)
    assert SnapshotStatus.UNKNOWN is found.status
    assert report.complete


@pytest.mark.faults(63)
@styles
def test_null_for_the_list_is_no_snapshot_where_none_is_counted(stage: Stage) -> None:
    """Some services write an empty list so."""
    stage.spoil(lambda number, page: None)
    found, report = stage.listed()

    assert ([], True) == (found, report.complete)


@pytest.mark.faults(64)
@styles
def test_a_row_of_an_id_alone_is_kept(stage: Stage) -> None:
    """Fields go in new versions of an API; nobody asks us first."""
    key = stage.words.key
    wanted = stage.harness.add(*many(3))
    stage.spoil(lambda _, page: [{key: row[key]} for row in page])
    found, report = stage.listed()

    assert sorted(wanted) == sorted(one.id for one in found)
    assert report.complete


@pytest.mark.faults(64)
@styles
def test_fields_that_nobody_knows_are_in_the_raw_row(stage: Stage) -> None:
    """Fields come, too; whoever needs one before we know it finds it."""
    fields = {"FrobnicationLevel": {"a": [1]}, "x-new": None}
    stage.harness.add(Seed())
    stage.spoil(lambda _, page: [row | fields for row in page])
    (found,), report = stage.listed(keep_raw=True)

    assert found.raw is not None
    assert fields == {name: found.raw[name] for name in fields}
    assert report.complete


WRONG: list[Any] = [[], {}, 7, True, "?", [None], {"a": {"b": []}}, 1.5]


@pytest.mark.faults(64)
@styles
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_any_type_in_any_field_leaves_the_row(stage: Stage, value: Any) -> None:
    """The types in the documents are hopes."""

    def wrong(_: int, page: list[Row]) -> list[Row]:
        return [
            {name: said if name == stage.words.key else value for name, said in row.items()}
            for row in page
        ]

    wanted = stage.harness.add(*many(2))
    stage.spoil(wrong)
    found, report = stage.listed(keep_raw=True)

    # QingCloud's own snapshots of databases are told by a type of resource that is a text.
    assert sorted(wanted) == sorted(one.id for one in found)
    assert report.complete
    assert all(one.raw is not None and value in one.raw.values() for one in found)


@pytest.mark.faults(64, 67)
@styles
@pytest.mark.parametrize("what", ["size", "time"])
def test_what_cannot_be_understood_is_told_once_for_each_field(
    stage: Stage, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A person should look at the first row, and not have to look at a million."""
    moment = stage.words.moment
    fields = sizes(stage, "huge") if what == "size" else {moment: "yesterday"}
    with_fields(stage, fields, count=25)
    with caplog.at_level(logging.WARNING, "snapkit"):
        stage.listed()
        again, report = stage.listed()
    said = [record.getMessage() for record in caplog.records]

    assert 25 == len(again)
    assert report.complete
    assert len(set(said)) == len(said) >= 1
    assert all(stage.harness.provider in line and "cannot be understood" in line for line in said)
    assert "'huge'" in said[0] or "'yesterday'" in said[0]


@pytest.mark.faults(63, 67)
@styles
def test_what_is_not_said_is_no_reason_for_a_warning(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Blank is how some services say that there is nothing to say."""
    for blank in (None, "", "  "):
        with_fields(stage, sizes(stage, blank) | {stage.words.moment: blank})
    with_fields(stage, {stage.words.moment: "0000-00-00 00:00:00"})
    with caplog.at_level(logging.WARNING, "snapkit"):
        found, _ = stage.listed()

    assert 4 == len(found)
    assert [] == caplog.records


@pytest.mark.faults(65)
@styles
def test_a_wait_goes_on_through_a_status_that_nobody_knows(stage: Stage) -> None:
    """It is neither success nor failure; the word is kept for people."""
    harness = stage.harness
    (made,) = harness.add(Seed(status=harness.future))
    client = stage.client()
    seen: list[tuple[SnapshotStatus, str | None]] = []

    def told(progress: Any) -> None:
        seen.extend((one.status, one.raw_status) for one in progress.snapshots)
        if len(seen) == 5:
            harness.place.snapshots[made].word = None

    (found,) = client.wait(made, timeout=600, on_progress=told)

    assert SnapshotStatus.AVAILABLE is found.status
    assert [(SnapshotStatus.UNKNOWN, harness.future.raw)] * 5 == seen[:5]


@pytest.mark.faults(66)
@styles
@pytest.mark.parametrize("name", ["absent", None, "", "  ", 7, ["x"]], ids=repr)
def test_a_row_without_an_id_is_left_out_and_the_listing_not_complete(
    stage: Stage, name: Any
) -> None:
    """Nothing can be done with it, and nobody may think that it is not there."""
    key = stage.words.key

    def nameless(_: int, page: list[Row]) -> None:
        for row in page[1:2]:
            row[key] = name
            if name == "absent":
                del row[key]

    wanted = stage.harness.add(*many(3))
    stage.spoil(nameless)
    found, report = stage.listed()

    kept = 3 if name == 7 and stage.harness.provider != "tencent" else 2
    assert kept == len(found)
    assert len(set(wanted) & {one.id for one in found}) == 2
    assert (kept == 3) is report.complete is not bool(report.troubles)


@pytest.mark.faults(66)
@styles
@pytest.mark.parametrize("row", [None, "text", 3, []], ids=repr)
def test_a_row_that_is_no_object_is_left_out_and_the_listing_not_complete(
    stage: Stage, row: Any
) -> None:
    """The others are still there."""
    wanted = stage.harness.add(*many(3))
    stage.spoil(lambda _, page: [*page, row])
    found, report = stage.listed()

    assert sorted(wanted) == sorted(one.id for one in found)
    assert not report.complete


MOMENTS = {
    "2024-02-30T20:30:00Z": None,
    "0000-00-00 00:00:00": None,
    "2024-02-29T20:30:60Z": None,
    "": None,
    "２０２４-02-29T20:30:00Z": None,
    "2024-02-29": ...,
    "1709238600": ...,
    "0001-01-01T00:00:00+14:00": None,
    "9999-12-31T23:59:59-12:00": None,
    "2024-03-01T04:30:00+08:00": MADE,
    "2024-02-29T20:30:00Z": MADE,
    "2024-02-29T20:30:00.5Z": MADE + timedelta(seconds=0.5),
}
"""A time on the wire, and what it is; ``...`` where that is the adapter's own business."""


@pytest.mark.faults(67, 68)
@styles
@pytest.mark.parametrize("said", list(MOMENTS), ids=ascii)
def test_a_time_is_aware_utc_or_none(stage: Stage, said: str) -> None:
    """February has no 30th, and a row of which the time is lost is still a row."""
    both = {"create_time": said} if stage.harness.provider == "qingcloud" else {}
    with_fields(stage, {stage.words.moment: said} | both)
    (found,), report = stage.listed(keep_raw=True)
    wanted = MOMENTS[said]

    assert wanted is ... or wanted == found.created_at
    assert found.created_at is None or found.created_at.utcoffset() == timedelta(0)
    assert found.raw is not None
    assert said == found.raw[stage.words.moment]
    assert report.complete


@pytest.mark.faults(69)
@styles
@pytest.mark.parametrize(
    ("pairs", "wanted"),
    [
        ([("a", "1"), ("b", "2")], {"a": "1", "b": "2"}),
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("a", None)], {"a": ""}),
        ([(None, "1"), ("", "2")], {}),
        (None, None),
    ],
    ids=["two", "twice", "no-value", "no-key", "null"],
)
def test_tags_are_a_mapping_and_the_last_wins(
    stage: Stage, pairs: list[tuple[Any, Any]] | None, wanted: dict[str, str] | None
) -> None:
    """What cannot be a tag is left out, and the whole is in the raw row."""
    if stage.words.tags is None:
        pytest.skip("this API says nothing about tags")
    key, value = stage.words.tags
    said = None if pairs is None else [{key: one, value: two} for one, two in pairs]
    name = "tags" if stage.harness.provider == "qingcloud" else "Tags"
    with_fields(
        stage, {name: {"Tag": said} if said and stage.harness.provider == "alibaba" else said}
    )
    (found,), report = stage.listed(keep_raw=True)
    if stage.harness.provider == "qingcloud" and wanted:
        wanted = dict.fromkeys(wanted, "")  # labels have no values

    assert wanted == (None if found.tags is None else dict(found.tags))
    assert found.raw is not None
    assert report.complete


HOSTILE = [
    "\x1b]0;owned\x07\x1b[31mred",
    '=HYPERLINK("http://x")',
    "＝cmd|' /C calc'!A0",
    "@SUM(1)",
    "../../etc/passwd",
    "[/foo][bold]x",
    "a\rb\nc\td",
    "\u202etxt.exe\u2066\u200b",
    "\x9b31m\x85\u2028",
    "<script>alert(1)</script>",
]


@pytest.mark.faults(70)
@pytest.mark.parametrize("provider", providers())
@pytest.mark.parametrize("form", ["table", "csv", "yaml", "json", "ndjson"])
def test_a_hostile_name_does_nothing_wherever_it_is_shown(
    provider: str,
    form: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever may name a snapshot must not get a terminal, a spreadsheet or a file by it."""
    from snapkit.cli.emulator import settings

    with Emulator(demo_world()) as emulator:
        account = next(emulator.world.of(provider))
        region = next(one for one in account.regions.values() if not one.denied and one.snapshots)
        records = list(region.snapshots.values())[: len(HOSTILE)]
        region.snapshots.clear()
        region.groups.clear()
        for record, name in zip(records, HOSTILE, strict=True):
            record.name, record.row, record.word, record.deleted_at = name, {}, None, None
            record.expires_at = None
        region.add(*records)
        for name, value in settings(emulator).items():
            monkeypatch.setenv(name, value)
        label = f"{account.label}@" if account.label else ""
        code = main(
            ["list", "-q", "-t", f"{provider}:{label}{region.id}", "--columns", "name", "-o", form]
        )
    out = capsys.readouterr().out

    assert 0 == code
    if form in ("json", "ndjson"):
        lines = [json.loads(line) for line in out.split("\n") if line] if form == "ndjson" else []
        rows = json.loads(out)["snapshots"] if form == "json" else lines[:-1]
        assert sorted(HOSTILE) == sorted(row["name"] for row in rows)
        return
    assert set("\x1b\x07\r\t\x9b\x85\u2028\u202e\u2066\u200b").isdisjoint(out)
    if form == "csv":
        names = [row[0] for row in csv.reader(io.StringIO(out))][1:]
        assert len(HOSTILE) == len(names)
        assert not [name for name in names if name[0] in "=+-@\t\r＝＋－＠"]
    elif form == "table":
        assert len(HOSTILE) + 1 == len(out.splitlines())


@pytest.mark.faults(70)
@pytest.mark.parametrize("region", ["../../up", "..", "a/b", "C:\\x", "\x1b[31m", "."], ids=ascii)
def test_a_hostile_region_does_not_leave_the_directory(tmp_path: Any, region: str) -> None:
    """A report says which region it is of, and a provider says how that is called."""
    pytest.importorskip("pyarrow")
    from snapkit.tables import write_parquet
    from tests.core.moon import snapshot

    inside = tmp_path / "inside"
    rows = [snapshot(1, region=region, account=region, name="../x")]
    (written,) = write_parquet(rows, inside)

    assert written.resolve().is_relative_to(inside.resolve())
    assert [inside] == list(tmp_path.iterdir())
    assert str(written).isprintable()
