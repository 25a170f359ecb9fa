"""Snapshots in other tools: nothing is rounded, lost or written by halves."""

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from importlib import import_module
from pathlib import Path
from typing import Any

import attrs
import pytest

from snapkit.cli.columns import known_columns
from snapkit.errors import ArgumentError, ConfigurationError, PermissionDeniedError
from snapkit.model import DiskRole, Snapshot, SourceDisk, Tags, Usage
from snapkit.tables import COLUMNS, SnapshotStream, schema, to_arrow, to_pandas, write_parquet
from tests.core.moon import snapshot

pa: Any = pytest.importorskip("pyarrow")
DAY = date(2026, 3, 1)


def full(number: int = 1, **changes: Any) -> Snapshot:
    return attrs.evolve(
        snapshot(number),
        name="每日",
        created_at=datetime(2026, 3, 1, 8, 0, 0, 123456, timezone(timedelta(hours=8))),
        source=SourceDisk(id="d-1", role=DiskRole.SYSTEM, size_bytes=40 << 30),
        size_bytes=(1 << 62) + 1,
        stored_bytes=0,
        usage=Usage(images=2),
        encrypted=False,
        tags=Tags([("team", "研发"), ("a", "")]),
        **changes,
    )


def failing(rows: int) -> Iterator[Snapshot]:
    yield from (snapshot(number) for number in range(rows))
    raise PermissionDeniedError("no longer")


def test_every_field_of_the_model_has_its_column() -> None:
    """A field that is added must not be missing in files."""
    assert [path.replace(".", "_") for path in known_columns(Snapshot)] == list(COLUMNS)


def test_values_arrive_exactly_and_unknown_ones_are_null() -> None:
    """A size above 2**53, a time of another zone, nothing instead of zero."""
    row, bare = to_arrow([full(), snapshot(2)]).to_pylist()

    assert (1 << 62) + 1 == row["size_bytes"]
    assert datetime(2026, 3, 1, 0, 0, 0, 123456, UTC) == row["created_at"]
    assert [("team", "研发"), ("a", "")] == row["tags"]
    assert ("moon:sea/s-00001", "system", 40 << 30, 2, 0, False) == (
        row["ref"],
        row["source_role"],
        row["source_size_bytes"],
        row["usage_images"],
        row["stored_bytes"],
        row["encrypted"],
    )
    assert [None] * 6 == [
        bare[name]
        for name in ("size_bytes", "created_at", "tags", "encrypted", "usage_disks", "name")
    ]


def test_no_tags_are_told_from_unknown_ones() -> None:
    """An empty map is an answer."""
    table = to_arrow([snapshot(1, tags=Tags()), snapshot(2)])

    assert [[], None] == table["tags"].to_pylist()


def test_an_empty_table_has_the_schema() -> None:
    """Otherwise the one day without snapshots breaks the report."""
    assert schema() == to_arrow([]).schema == to_arrow([full()]).schema
    assert "timestamp[us, tz=UTC]" == str(schema().field("cut_at").type)
    assert "map<string, string>" == str(schema().field("tags").type)


def test_half_a_character_is_written_as_its_number() -> None:
    """One odd name must not lose the table."""
    odd = snapshot(1, name="a\ud800", tags=Tags([("k\udc80", "v")]))
    (row,) = to_arrow([odd]).to_pylist()

    assert ("a\\ud800", [("k\\udc80", "v")]) == (row["name"], row["tags"])


def pyarrow_reads(stream: SnapshotStream) -> list[Any]:
    found: list[Any] = pa.table(stream)["id"].to_pylist()
    return found


def polars_reads(stream: SnapshotStream) -> list[Any]:
    polars: Any = pytest.importorskip("polars")
    found: list[Any] = polars.DataFrame(stream)["id"].to_list()
    return found


def duckdb_reads(stream: SnapshotStream) -> list[Any]:
    duckdb: Any = pytest.importorskip("duckdb")
    rows: Any = duckdb.sql("select id from stream").fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("read", [pyarrow_reads, polars_reads, duckdb_reads])
def test_other_tools_take_the_stream(read: Callable[[SnapshotStream], list[Any]]) -> None:
    """Through the Arrow stream interface, without a table of ours in between."""
    rows = [full(number) for number in range(25)]

    assert [row.id for row in rows] == read(SnapshotStream(rows, batch_rows=10))


def test_a_stream_takes_rows_while_it_is_read() -> None:
    """A hundred thousand snapshots are never in memory at once."""
    taken: list[int] = []

    def rows() -> Iterator[Snapshot]:
        for number in range(100):
            taken.append(number)
            yield snapshot(number)

    reader = pa.RecordBatchReader.from_stream(SnapshotStream(rows(), batch_rows=10))

    assert [] == taken
    assert 10 == reader.read_next_batch().num_rows
    assert 20 >= len(taken)


def test_a_stream_is_read_once() -> None:
    """The second reader would see an empty estate."""
    stream = SnapshotStream([full()])
    pa.table(stream)

    with pytest.raises(ArgumentError, match="has been read"):
        pa.table(stream)


def test_an_error_in_the_listing_reaches_the_reader_of_a_stream() -> None:
    """A short table would look whole."""
    with pytest.raises(Exception, match="no longer"):
        pa.table(SnapshotStream(failing(15), batch_rows=10))


def test_a_batch_has_rows() -> None:
    """Zero would never end, or end at once."""
    with pytest.raises(ArgumentError, match="0 rows"):
        SnapshotStream([full()], batch_rows=0)


def test_a_data_frame_keeps_whole_numbers_and_gaps() -> None:
    """NumPy would make them floats."""
    pytest.importorskip("pandas")
    frame = to_pandas([full(), snapshot(2)])

    assert (1 << 62) + 1 == frame["size_bytes"][0]
    assert [False, True] == frame["size_bytes"].isna().tolist()
    assert {"team": "研发", "a": ""} == frame["tags"][0]
    assert list(COLUMNS) == list(frame.columns)


def test_parquet_is_partitioned_by_provider_region_and_date(tmp_path: Path) -> None:
    """And read back as one data set, whatever the order of the rows was."""
    rows = [
        full(number, region=region, account=account)
        for number in range(3)
        for region in ("sea", "dust")
        for account in ("", "prod")
    ]
    written = write_parquet(iter(rows), tmp_path, day=DAY)

    assert [
        f"provider=moon/region={region}/date=2026-03-01/{name}"
        for region in ("dust", "sea")
        for name in ("snapshots-prod.parquet", "snapshots.parquet")
    ] == [path.relative_to(tmp_path).as_posix() for path in written]
    read: Any = import_module("pyarrow.dataset").dataset(tmp_path, partitioning="hive").to_table()
    assert {(row.id, row.region, row.account) for row in rows} == {
        (one["id"], one["region"], one["account"]) for one in read.to_pylist()
    }
    assert 12 == read.num_rows


def test_today_is_the_day_of_an_inventory(tmp_path: Path) -> None:
    """In UTC, as all times."""
    (path,) = write_parquet([full()], tmp_path)

    assert path.parent.name in {
        f"date={datetime.now(UTC) - timedelta(minutes=ago):%Y-%m-%d}" for ago in (0, 5)
    }


def test_a_second_run_replaces_the_files_of_the_day(tmp_path: Path) -> None:
    """Rows must not be there twice."""
    write_parquet([full(1), full(2)], tmp_path, day=DAY)
    (path,) = write_parquet([full(3)], tmp_path, day=DAY)

    assert 1 == pa.parquet.read_metadata(path).num_rows
    assert [path] == [one for one in tmp_path.rglob("*") if one.is_file()]


def test_long_scopes_are_written_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory holds a batch, not the region."""
    monkeypatch.setattr("snapkit.tables.BATCH_ROWS", 10)
    (path,) = write_parquet((full(number) for number in range(25)), tmp_path, day=DAY)
    meta = import_module("pyarrow.parquet").read_metadata(path)

    assert (25, 3) == (meta.num_rows, meta.num_row_groups)


@pytest.mark.faults(84)
def test_an_error_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a day's inventory would be taken for the whole."""
    monkeypatch.setattr("snapkit.tables.BATCH_ROWS", 10)
    (path,) = write_parquet([full()], tmp_path, day=DAY)
    before = path.read_bytes()
    with pytest.raises(PermissionDeniedError):
        write_parquet(failing(25), tmp_path, day=DAY)

    assert before == path.read_bytes()
    assert [path] == [one for one in tmp_path.rglob("*") if one.is_file()]


@pytest.mark.parametrize(
    "account", ["../../etc", "a/b", "..", "CON:", "云" * 64, "a\x00b", "\ud800", "." * 300]
)
@pytest.mark.faults(70)
def test_no_account_label_leaves_the_directory(tmp_path: Path, account: str) -> None:
    """Labels come from people, paths from us."""
    (path,) = write_parquet([full(account=account)], tmp_path / "out", day=DAY)

    assert path.resolve().is_relative_to((tmp_path / "out").resolve())
    assert 5 == len(path.relative_to(tmp_path).parts)
    assert path.exists()


def test_two_long_labels_are_two_files(tmp_path: Path) -> None:
    """What is cut off must not make them one."""
    rows = [full(1, account="云" * 60 + "a"), full(2, account="云" * 60 + "b")]

    assert 2 == len(set(write_parquet(rows, tmp_path, day=DAY)))


@pytest.mark.parametrize(
    ("module", "extra", "act"),
    [
        ("pyarrow", "arrow", lambda: to_arrow([full()])),
        ("pyarrow", "arrow", lambda: write_parquet([full()], "unused")),
        ("pyarrow", "arrow", lambda: SnapshotStream([]).__arrow_c_stream__()),
        ("pandas", "pandas", lambda: to_pandas([full()])),
    ],
    ids=["table", "parquet", "stream", "pandas"],
)
def test_a_missing_library_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, module: str, extra: str, act: Callable[[], object]
) -> None:
    """Most people do not need it, and those who do want one line."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError) as caught:
        act()

    assert f"{module} is not installed; install snapkit-multicloud[{extra}]" == str(caught.value)


def test_the_page_has_the_schema() -> None:
    """People write queries from it."""
    page = (Path(__file__).parents[2] / "docs" / "tables.md").read_text(encoding="utf-8")
    rows = [
        f"| `{field.name}` | {field.type}{'' if field.nullable else ', never null'} |"
        for field in schema()
    ]

    assert "\n".join(["| column | type |", "|---|---|", *rows]) + "\n" in page
