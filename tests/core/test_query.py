"""What matches: the one definition that every adapter's answer is measured by."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.errors import QueryError
from snapkit.model import (
    DiskCategory,
    DiskRole,
    Origin,
    Snapshot,
    SnapshotGroup,
    SnapshotKind,
    SnapshotStatus,
    SourceDisk,
    Tags,
)
from snapkit.query import (
    GroupQuery,
    SnapshotQuery,
    TagFilter,
    check_filters,
    parse_size,
    parse_when,
)

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
GIB = 1024**3
FULL = Snapshot(
    id="s-1",
    provider="moon",
    account="",
    region="sea",
    name="web-nightly",
    status=SnapshotStatus.AVAILABLE,
    raw_status="normal",
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
    source=SourceDisk(id="d-1", instance_id="i-1", role=DiskRole.SYSTEM, category=DiskCategory.SSD),
    size_bytes=40 * GIB,
    kind=SnapshotKind.FULL,
    origin=Origin.POLICY,
    encrypted=False,
    tags=Tags([("env", "prod"), ("team", "shop")]),
)
BARE = Snapshot(
    id="s-2",
    provider="moon",
    account="",
    region="sea",
    status=SnapshotStatus.UNKNOWN,
    raw_status=None,
)


@pytest.mark.parametrize(
    ("filters", "matches"),
    [
        ({}, True),
        ({"ids": "s-1"}, True),
        ({"ids": ["s-1", "s-9"]}, True),
        ({"ids": "s-9"}, False),
        ({"ids": []}, False),
        ({"disk_ids": "d-1"}, True),
        ({"disk_ids": "d-2"}, False),
        ({"instance_ids": ["i-1"]}, True),
        ({"instance_ids": "i-2"}, False),
        ({"names": "web-*"}, True),
        ({"names": ["db-*", "web-*"]}, True),
        ({"names": "WEB-*"}, False),
        ({"names": "web"}, False),
        ({"names": "web-night??"}, True),
        ({"tags": "env"}, True),
        ({"tags": "env=prod"}, True),
        ({"tags": {"env": "prod", "team": "shop"}}, True),
        ({"tags": {"env": "prod", "team": "ops"}}, False),
        ({"tags": "en*=pr*"}, True),
        ({"tags": "env="}, False),
        ({"tags": "owner"}, False),
        ({"statuses": "available"}, True),
        ({"statuses": SnapshotStatus.AVAILABLE}, True),
        ({"statuses": ["failed", "available"]}, True),
        ({"statuses": "failed"}, False),
        ({"roles": "system"}, True),
        ({"roles": "data"}, False),
        ({"categories": "ssd"}, True),
        ({"categories": "hdd"}, False),
        ({"kinds": "full"}, True),
        ({"kinds": "incremental"}, False),
        ({"origins": "policy"}, True),
        ({"origins": "manual"}, False),
        ({"created_after": "2026-03-01"}, True),
        ({"created_after": "2026-03-01T00:00:01Z"}, False),
        ({"created_before": "2026-03-01"}, True),
        ({"created_before": "2026-02-28T23:59:59Z"}, False),
        ({"smallest": "40G"}, True),
        ({"smallest": 40 * GIB + 1}, False),
        ({"largest": "40G"}, True),
        ({"largest": "39G"}, False),
        ({"encrypted": False}, True),
        ({"encrypted": True}, False),
        ({"group_ids": "g-1"}, True),
    ],
)
def test_every_field_narrows(filters: dict[str, Any], matches: bool) -> None:
    """Bounds are included; several values of one field are alternatives, tags are not."""
    assert matches is SnapshotQuery(**filters).matches(FULL)


@pytest.mark.parametrize(
    "filters",
    [
        {"disk_ids": "d-1"}, {"instance_ids": "i-1"}, {"names": "w*"}, {"tags": "env"},
        {"roles": "system"}, {"created_after": "1y"}, {"created_before": "0s"}, {"smallest": 0},
        {"largest": "9999T"}, {"encrypted": False}, {"encrypted": True},
    ],
    ids=str,
)  # fmt: skip
def test_what_the_provider_does_not_say_matches_no_claim(filters: dict[str, Any]) -> None:
    """A clean-up by age must not catch a snapshot whose age is unknown."""
    assert not SnapshotQuery(**filters).matches(BARE)


def test_unknown_can_be_asked_for() -> None:
    """A word from the future is a value like any other."""
    assert SnapshotQuery(statuses="unknown", roles="unknown", kinds="unknown").matches(BARE)


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ({}, False),
        ({"include_deleted": True}, True),
        ({"statuses": "deleted"}, True),
        ({"statuses": "available", "include_deleted": True}, False),
    ],
)
def test_deleted_snapshots_are_left_out_unless_asked_for(
    filters: dict[str, Any], shown: bool
) -> None:
    """Some providers list for hours what is gone."""
    deleted = attrs.evolve(FULL, status=SnapshotStatus.DELETED)

    assert shown is SnapshotQuery(**filters).matches(deleted)


def test_an_adapter_can_ask_whether_deleted_ones_are_wanted() -> None:
    """It may have to send another parameter for them."""
    assert [False, True, True] == [
        SnapshotQuery().wants_deleted,
        SnapshotQuery(include_deleted=True).wants_deleted,
        SnapshotQuery(statuses=["deleted", "failed"]).wants_deleted,
    ]


GROUP = SnapshotGroup(
    id="g-1",
    provider="moon",
    account="",
    region="sea",
    name="nightly",
    status=SnapshotStatus.DEGRADED,
    raw_status=None,
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
    instance_id="i-1",
    members=(FULL,),
    tags=Tags([("env", "prod")]),
)


@pytest.mark.parametrize(
    ("filters", "matches"),
    [
        ({}, True),
        ({"ids": "g-1"}, True),
        ({"ids": "g-2"}, False),
        ({"instance_ids": "i-1"}, True),
        ({"instance_ids": "i-2"}, False),
        ({"snapshot_ids": ["s-1", "s-2"]}, True),
        ({"snapshot_ids": "s-2"}, False),
        ({"names": "night*"}, True),
        ({"names": "day*"}, False),
        ({"tags": {"env": None}}, True),
        ({"tags": "env=test"}, False),
        ({"statuses": "degraded"}, True),
        ({"statuses": "available"}, False),
        ({"created_after": date(2026, 3, 1)}, True),
        ({"created_before": date(2026, 2, 1)}, False),
    ],
)
def test_groups_are_matched_the_same_way(filters: dict[str, Any], matches: bool) -> None:
    """One set of words for both kinds of thing."""
    assert matches is GroupQuery(**filters).matches(GROUP)


@pytest.mark.parametrize(
    "filters",
    [
        {"ids": ""}, {"ids": ["s-1", " "]}, {"ids": 5}, {"ids": [5]}, {"disk_ids": ""},
        {"names": ""}, {"names": "x" * 257}, {"tags": ""}, {"tags": "=x"}, {"tags": 5},
        {"statuses": "broken"}, {"statuses": ""}, {"statuses": 5}, {"roles": "boot"},
        {"created_after": ""}, {"created_after": "soon"}, {"created_after": 30},
        {"created_after": "2026-02-30"}, {"created_after": "999999y"}, {"created_after": "30ſ"},
        {"smallest": ""}, {"smallest": "big"}, {"smallest": "-1"}, {"smallest": -1},
        {"smallest": 1.5}, {"smallest": True}, {"smallest": "1.5G"}, {"smallest": "40iB"},
        {"encrypted": "yes"},
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_words(filters: dict[str, Any]) -> None:
    """An empty id must never become a filter that lets everything through."""
    with pytest.raises(QueryError) as caught:
        SnapshotQuery(**filters)

    assert len(str(caught.value)) > 10


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30d", NOW - timedelta(days=30)),
        ("12h", NOW - timedelta(hours=12)),
        ("90m", NOW - timedelta(minutes=90)),
        ("0s", NOW),
        ("2w", NOW - timedelta(weeks=2)),
        ("1mo", datetime(2026, 2, 28, 12, tzinfo=UTC)),
        ("1MO", datetime(2026, 2, 28, 12, tzinfo=UTC)),
        ("1y", datetime(2025, 3, 31, 12, tzinfo=UTC)),
        (" 30 d ", NOW - timedelta(days=30)),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T06:00", datetime(2026, 3, 1, 6, tzinfo=UTC)),
        ("2026-03-01T06:00Z", datetime(2026, 3, 1, 6, tzinfo=UTC)),
        ("2026-03-01T06:00+08:00", datetime(2026, 2, 28, 22, tzinfo=UTC)),
        (datetime(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)),
        (date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)),
        (
            datetime(2026, 3, 1, 8, tzinfo=timezone(timedelta(hours=8))),
            datetime(2026, 3, 1, tzinfo=UTC),
        ),
    ],
)
def test_times_are_ages_dates_or_moments(text: str | date, moment: datetime) -> None:
    """What people type, and what programs have."""
    found = parse_when(text, NOW)

    assert moment == found
    assert UTC is found.tzinfo


def test_a_moment_before_the_calendar_is_refused() -> None:
    """Eight hours before year 1 is no time at all."""
    with pytest.raises(QueryError, match="cannot read the date"):
        parse_when(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8))))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (0, 0), (7, 7), ("0", 0), ("7", 7), ("7b", 7), ("1k", 1024), ("40G", 40 * GIB),
        ("40GiB", 40 * GIB), ("40gb", 40 * GIB), (" 40 g ", 40 * GIB), ("2T", 2048 * GIB),
        ("500M", 500 * 1024**2), ("1P", 1024**5),
    ],
)  # fmt: skip
def test_sizes_are_binary(text: str | int, size: int) -> None:
    """Disks are sold in binary units under decimal names."""
    assert size == parse_size(text)


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    """A typing error is a sentence, never a traceback."""
    for read in (parse_when, parse_size, TagFilter.parse):
        with suppress(QueryError):
            read(text)


@pytest.mark.parametrize(
    ("tag", "exact"),
    [("env=prod", True), ("env", True), ("env*", False), ("env=pro?", False), ("e[n]v", False)],
)
def test_only_exact_tags_can_be_asked_for(tag: str, exact: bool) -> None:
    """Providers take a glob for a name with a star in it and find nothing."""
    assert exact is TagFilter.parse(tag).exact


@pytest.mark.parametrize(
    ("tags", "matches"), [(None, False), ({}, False), ({"env": "x"}, True), ({"ENV": "x"}, False)]
)
def test_a_tag_filter_without_a_value_takes_any(
    tags: Mapping[str, str] | None, matches: bool
) -> None:
    """Case counts, as it does with the providers."""
    assert matches is TagFilter("env").matches(tags)


def test_queries_are_values() -> None:
    """Equal questions are equal, however they were put."""
    assert SnapshotQuery(ids=["a", "b"]) == SnapshotQuery(ids={"b", "a"})
    assert hash(SnapshotQuery(names=["b", "a"])) == hash(SnapshotQuery(names=("a", "b")))


@pytest.mark.parametrize("kind", [SnapshotQuery, GroupQuery])
def test_an_unknown_filter_is_refused_with_the_nearest(
    kind: type[SnapshotQuery] | type[GroupQuery],
) -> None:
    """A misspelt filter that is ignored returns everything."""
    with pytest.raises(QueryError, match="no filter 'statues'; did you mean 'statuses'"):
        check_filters(kind, ["ids", "statues"])
    with pytest.raises(QueryError, match="no filter 'zzz'; known: "):
        check_filters(kind, ["zzz"])
