"""Columns are found by name, sorted, and read by people."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from snapkit.cli.columns import columns, human, known_columns, size, sort_rows, sorting
from snapkit.cli.grid import fit, lines
from snapkit.errors import QueryError
from snapkit.model import Snapshot, SnapshotStatus, Tags


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KiB"),
        (40 << 30, "40 GiB"),
        (1536 << 30, "1.5 TiB"),
        (2**63, "8 EiB"),
    ],
)
def test_sizes_are_read_in_the_largest_fitting_unit(count: int, expected: str) -> None:
    """42949672960 says nothing to a tired reader."""
    assert expected == size(count)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        ("", "-"),
        (True, "yes"),
        (SnapshotStatus.FAILED, "failed"),
        (datetime(2026, 3, 1, 14, 0, tzinfo=timezone(timedelta(hours=8))), "2026-03-01 06:00Z"),
        (Tags([("a", "1"), ("b\x1b", "")]), "a=1, b\\x1b="),
        (Tags(), "-"),
    ],
    ids=str,
)
def test_values_are_read_by_people(value: Any, expected: str) -> None:
    """Times are UTC and say so; what is not said is a dash, not a nought."""
    assert expected == human(value)


def test_every_field_of_the_model_is_a_column() -> None:
    """A field added to the model needs no second list."""
    known = known_columns(Snapshot)

    assert {"ref", "id", "source.role", "usage.images", "stored_bytes", "tags"} <= set(known)
    assert "raw" not in known


def test_short_names_mean_the_long_ones() -> None:
    """Nobody types source.instance_id."""
    found = columns(Snapshot, ["size", "source.id", "Instance", "kms-key-id"])

    assert ["size_bytes", "source.id", "source.instance_id", "kms_key_id"] == [
        column.path for column in found
    ]


@pytest.mark.parametrize("text", ["sise", "-creatd"])
def test_an_unknown_sort_key_is_refused_with_the_nearest(text: str) -> None:
    """A list in another order than asked for would be taken for the right one."""
    with pytest.raises(QueryError, match="did you mean"):
        sorting(Snapshot, text)


def of(snapshot_id: str, bytes_: int | None) -> Snapshot:
    return Snapshot(
        id=snapshot_id,
        provider="paper",
        account="",
        region="north",
        status=SnapshotStatus.AVAILABLE,
        raw_status=None,
        size_bytes=bytes_,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("keys", "expected"), [("size", "badc"), ("-size", "dabc"), ("created,-id", "dcba")]
)
def test_what_is_not_said_sorts_last_both_ways(keys: str, expected: str) -> None:
    """An unknown size is neither the smallest nor the largest."""
    rows = [of("a", 2), of("b", 1), of("c", None), of("d", 3)]

    assert list(expected) == [row.id for row in sort_rows(rows, sorting(Snapshot, keys))]


def test_names_are_cut_before_columns_are_left_out() -> None:
    """The end of a long name is worth less than a whole column."""
    assert {"id": 20, "name": 18} == fit({"id": 20, "name": 40}, 40, ["id"])


def test_columns_are_left_out_in_the_order_given() -> None:
    """A wrapped table cannot be read at all."""
    assert {"id": 20, "name": 28} == fit({"id": 20, "name": 40, "role": 30}, 50, ["role"])


def test_without_a_bound_nothing_is_cut() -> None:
    """A pipe has no width, and scripts want whole names."""
    assert {"id": 20, "name": 400} == fit({"id": 20, "name": 400}, None, ["id"])


def test_a_table_too_wide_for_anything_is_too_wide() -> None:
    """Leaving out what was asked for would be a lie."""
    assert {"id": 50} == fit({"id": 50, "role": 9}, 20, ["role"])


def test_chinese_signs_take_two_cells() -> None:
    """Columns after a Chinese name would dance otherwise."""
    rows = [of("数据库", 1), of("plain", 1)]
    padded, _, _ = lines(columns(Snapshot, ["id", "status"]), rows)

    assert [["ID    ", "STATUS   "], ["数据库", "available"], ["plain ", "available"]] == padded
