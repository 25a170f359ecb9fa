"""Rows to values: the examples of the vendor, every status, and what servers really send."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.errors import ConfigurationError, ProtocolError, SnapkitError
from snapkit.http import HttpResponse
from snapkit.model import (
    DiskCategory,
    DiskRole,
    Origin,
    Region,
    Snapshot,
    SnapshotGroup,
    SnapshotKind,
    SnapshotStatus,
    SourceDisk,
    Tags,
    Usage,
)
from snapkit.vocabulary import CHINA, GIB
from snapkit_tencent import legacy, wire

DATA = Path(__file__).parents[1] / "data"
CONTEXT = wire.Context(account="acct", region="ap-guangzhou")

ROW: dict[str, Any] = {
    "SnapshotId": "snap-to8k8h85",
    "SnapshotName": "每日备份",
    "SnapshotState": "NORMAL",
    "Percent": 100,
    "DiskId": "disk-tvy6uow5",
    "DiskSize": 50,
    "DiskUsage": "SYSTEM_DISK",
    "CreateTime": "2022-01-08 09:47:55",
    "DeadlineTime": "2022-02-08 09:47:55",
    "IsPermanent": False,
    "Encrypt": False,
    "CopyFromRemote": False,
    "CopyingToRegions": [],
    "Images": [{"ImageId": "img-1", "ImageName": "golden"}],
    "ImageCount": 1,
    "ShareReference": 2,
    "SnapshotType": "PRIVATE",
    "Placement": {"Zone": "ap-guangzhou-3", "ProjectId": 0, "ProjectName": ""},
    "Tags": [{"Key": "team", "Value": "研发"}],
    "IsLocked": True,
}
GROUP: dict[str, Any] = {
    "SnapshotGroupId": "csnap-8x2k1mfe",
    "SnapshotGroupName": "orders",
    "SnapshotGroupType": "NORMAL",
    "ContainRootSnapshot": True,
    "SnapshotIdSet": ["snap-1", "snap-2"],
    "SnapshotGroupState": "NORMAL",
    "Percent": 100,
    "CreateTime": "2023-03-07T09:12:53.123456+08:00",
    "DeadlineTime": None,
    "IsPermanent": True,
}


def parsed(**changes: Any) -> Snapshot:
    found = wire.parse_snapshot(ROW | changes, CONTEXT)
    assert found is not None
    return found


def parsed_old(**changes: Any) -> Snapshot:
    row = seed()["snapshotSet"][0] | changes
    found = legacy.parse_snapshot(row, CONTEXT)
    assert found is not None
    return found


def grouped(**changes: Any) -> SnapshotGroup:
    found = wire.parse_group(GROUP | changes, CONTEXT)
    assert found is not None
    return found


def seed() -> Any:
    return json.loads((DATA / "tencent_seed_describe_snapshots.json").read_text("utf-8"))


def test_the_vendors_example_becomes_one_snapshot_of_five() -> None:
    """The page's own answer: 10 GB, made at 19:58:48 in China, five in all."""
    answer = HttpResponse(status=200, headers={}, body=json.dumps(seed()).encode())
    page = legacy.snapshot_page(legacy.payload_of(answer, "DescribeSnapshots"), None, CONTEXT)
    made = datetime(2016, 5, 17, 11, 58, 48, tzinfo=UTC)
    expected = Snapshot(
        id="snap-ffxxxrx",
        provider="tencent",
        account="acct",
        region="ap-guangzhou",
        name="ABCDEFGHHHH",
        status=SnapshotStatus.AVAILABLE,
        raw_status="normal",
        restorable=True,
        progress=100,
        created_at=made,
        cut_at=made,
        source=SourceDisk(id="disk-8rxxyy", role=DiskRole.DATA, size_bytes=10 * GIB),
        size_bytes=10 * GIB,
    )

    assert [expected] == page.items
    assert (0, 5, ()) == (page.start, page.total, tuple(page.troubles))


def test_what_the_old_api_does_not_say_is_unknown() -> None:
    """Not tagged, not encrypted and permanent would be claims that nobody made."""
    snapshot = parsed_old()

    assert (None, None, None, None) == (
        snapshot.tags,
        snapshot.encrypted,
        snapshot.expires_at,
        snapshot.locked,
    )
    assert (Origin.UNKNOWN, None) == (snapshot.origin, snapshot.source.zone)


def test_a_whole_row_of_the_new_api() -> None:
    """Every field that has a neutral home finds it."""
    made = datetime(2022, 1, 8, 1, 47, 55, tzinfo=UTC)
    expected = Snapshot(
        id="snap-to8k8h85",
        provider="tencent",
        account="acct",
        region="ap-guangzhou",
        name="每日备份",
        status=SnapshotStatus.AVAILABLE,
        raw_status="NORMAL",
        restorable=True,
        progress=100,
        created_at=made,
        cut_at=made,
        source=SourceDisk(
            id="disk-tvy6uow5",
            role=DiskRole.SYSTEM,
            category=DiskCategory.UNKNOWN,
            size_bytes=50 * GIB,
            zone="ap-guangzhou-3",
        ),
        size_bytes=50 * GIB,
        kind=SnapshotKind.UNKNOWN,
        origin=Origin.MANUAL,
        expires_at=datetime(2022, 2, 8, 1, 47, 55, tzinfo=UTC),
        encrypted=False,
        usage=Usage(images=1, shares=2),
        locked=True,
        tags=Tags([("team", "研发")]),
    )

    assert expected == parsed()


STATUSES = [
    ("NORMAL", SnapshotStatus.AVAILABLE, True),
    ("CREATING", SnapshotStatus.CREATING, False),
    ("ROLLBACKING", SnapshotStatus.RESTORING, None),
    ("COPYING_FROM_REMOTE", SnapshotStatus.COPYING, False),
    ("CHECKING_COPIED", SnapshotStatus.VERIFYING, False),
    ("TORECYCLE", SnapshotStatus.RECYCLED, False),
    ("HIBERNATING", SnapshotStatus.UNKNOWN, None),
    ("", SnapshotStatus.UNKNOWN, None),
    (None, SnapshotStatus.UNKNOWN, None),
    (7, SnapshotStatus.UNKNOWN, None),
    (["NORMAL"], SnapshotStatus.UNKNOWN, None),
]


@pytest.mark.parametrize(("word", "status", "restorable"), STATUSES)
def test_each_status_word(word: Any, status: SnapshotStatus, restorable: bool | None) -> None:
    """A word from the future is unknown, not failed: clean-up jobs delete what failed."""
    snapshot = parsed(SnapshotState=word)

    assert (status, restorable) == (snapshot.status, snapshot.restorable)


@pytest.mark.parametrize("word", ["normal", "creating", "rollbacking"])
def test_both_apis_say_the_same_in_their_own_case(word: str) -> None:
    """Status words are compared without regard to case; the text is kept as it came."""
    old, new = parsed_old(snapshotStatus=word), parsed(SnapshotState=word.upper())

    assert (old.status, old.restorable) == (new.status, new.restorable)
    assert (word, word.upper()) == (old.raw_status, new.raw_status)


ORIGINS: list[tuple[Any, Any]] = [
    ({}, Origin.MANUAL),
    ({"AutoSnapshotPolicyId": "asp-1"}, Origin.POLICY),
    ({"AutoSnapshotPolicyId": ""}, Origin.MANUAL),
    ({"SnapshotType": "SHARED"}, Origin.SHARED),
    ({"SnapshotType": "SHARED_SNAPSHOT"}, Origin.SHARED),
    ({"CopyFromRemote": True}, Origin.COPY),
    ({"CopyFromRemote": True, "SnapshotType": "SHARED"}, Origin.COPY),
    ({"CopyFromRemote": None, "SnapshotType": None}, Origin.MANUAL),
]


@pytest.mark.parametrize(("changes", "origin"), ORIGINS)
def test_who_made_it(changes: dict[str, Any], origin: Origin) -> None:
    """AutoSnapshotPolicyId is there only for what a policy made."""
    assert origin is parsed(**changes).origin


def test_a_copy_has_no_disk() -> None:
    """The vendor writes an empty text; a disk called "" would be joined with others."""
    assert parsed(DiskId="", CopyFromRemote=True).source.id is None


def test_a_permanent_snapshot_has_no_end_even_if_one_is_written() -> None:
    """IsPermanent wins over a DeadlineTime that was left behind."""
    assert parsed(IsPermanent=True).expires_at is None


def test_the_default_name_is_kept() -> None:
    """It is what a person sees in the console."""
    assert "未命名" == parsed(SnapshotName="未命名").name


def test_another_offset_moves_naive_times_only() -> None:
    """For a region of which somebody knows better; group times carry their own offset."""
    tokyo = wire.Context(zone=wire.parse_offset("+09:00"))
    snapshot, group = wire.parse_snapshot(ROW, tokyo), wire.parse_group(GROUP, tokyo)

    assert snapshot is not None
    assert group is not None
    assert datetime(2022, 1, 8, 0, 47, 55, tzinfo=UTC) == snapshot.created_at
    assert datetime(2023, 3, 7, 1, 12, 53, 123456, tzinfo=UTC) == group.created_at


def test_offsets_are_read_or_refused() -> None:
    """A wrong offset would move every time in silence."""
    assert CHINA is wire.parse_offset("")
    assert timezone(-timedelta(hours=4, minutes=30)) == wire.parse_offset("-0430")
    for wrong in ("8", "+8", "+25:00", "+08:61", "CST"):
        with pytest.raises(ConfigurationError, match=r"write an offset from UTC"):
            wire.parse_offset(wrong)


TIMES: list[tuple[Any, Any]] = [
    ("2022-01-08 09:47:55", datetime(2022, 1, 8, 1, 47, 55, tzinfo=UTC)),
    ("2022-01-08T09:47:55+08:00", datetime(2022, 1, 8, 1, 47, 55, tzinfo=UTC)),
    ("2022-01-08T01:47:55Z", datetime(2022, 1, 8, 1, 47, 55, tzinfo=UTC)),
    ("2022-06-01", datetime(2022, 5, 31, 16, tzinfo=UTC)),
    ("", None),
    ("0000-00-00 00:00:00", None),
    ("2022-02-30 00:00:00", None),
    ("2022-01-08 09:47:60", None),
    ("٢٠٢٢-01-08 09:47:55", None),
    ("0001-01-01 00:00:00", None),
    (None, None),
    ([], None),
]


@pytest.mark.parametrize(("written", "moment"), TIMES)
@pytest.mark.faults(67)
def test_times(written: Any, moment: datetime | None) -> None:
    """Naive is UTC+8 in every region; what is no time is None."""
    assert moment == parsed(CreateTime=written).created_at
    assert moment == parsed_old(createTime=written).created_at
    assert moment == parsed(DeadlineTime=written).expires_at


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        (1463486328, datetime(2016, 5, 17, 11, 58, 48, tzinfo=UTC)),
        ("1463486328", datetime(2016, 5, 17, 11, 58, 48, tzinfo=UTC)),
        (0, None),
        (-5, None),
        (10**15, None),
        (True, None),
    ],
)
def test_the_old_apis_time_may_be_a_number(written: Any, moment: datetime | None) -> None:
    """The vendor's table says Int where its example has text."""
    assert moment == parsed_old(createTime=written).created_at


SIZES: list[tuple[Any, Any]] = [
    (50, 50 * GIB),
    ("50", 50 * GIB),
    (50.0, 50 * GIB),
    (0, 0),
    ("", None),
    (None, None),
    (-1, None),
    (2**63, None),
    (50.5, None),
    (float("inf"), None),
    (True, None),
    ([], None),
]


@pytest.mark.parametrize(("written", "size"), SIZES)
def test_sizes_are_binary_gigabytes(written: Any, size: int | None) -> None:
    """A size that cannot be is unknown, never 0 and never an exception."""
    assert (size, size) == (
        parsed(DiskSize=written).size_bytes,
        parsed_old(storageSize=written).source.size_bytes,
    )


TAGS: list[tuple[Any, Any]] = [
    ([], Tags()),
    ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], Tags([("a", "2")])),
    ([{"Key": "a"}, {"Value": "1"}, None, "x"], Tags([("a", "")])),
    ({"a": "1"}, Tags([("a", "1")])),
    (None, None),
    ("", None),
]


@pytest.mark.parametrize(("written", "tags"), TAGS)
@pytest.mark.faults(69)
def test_tags(written: Any, tags: Tags | None) -> None:
    """No tags and no word about tags are two things."""
    assert tags == parsed(Tags=written).tags


def test_images_are_counted_where_no_count_is_given() -> None:
    """An image that is not counted would not stop a deletion."""
    row = {name: value for name, value in ROW.items() if name != "ImageCount"}
    found = wire.parse_snapshot(row, CONTEXT)

    assert found is not None
    assert 1 == found.usage.images


def test_a_row_of_nothing_but_an_id_is_a_snapshot() -> None:
    """Older regions leave fields out; what is not said is None."""
    found = wire.parse_snapshot({"SnapshotId": "snap-1"}, CONTEXT)

    assert found is not None
    assert (SnapshotStatus.UNKNOWN, None, None, None) == (
        found.status,
        found.size_bytes,
        found.encrypted,
        found.tags,
    )
    assert Usage() == found.usage


def test_raw_is_kept_on_request_only() -> None:
    """The whole row costs four times the memory."""
    keeping = wire.Context(keep_raw=True)
    found = wire.parse_snapshot(ROW, keeping)

    assert found is not None
    assert (ROW, None) == (found.raw, parsed().raw)


def test_a_groups_members_are_known_by_id_only() -> None:
    """The core looks them up; their raw_status says that nobody has yet."""
    group = grouped()

    assert ["snap-1", "snap-2"] == [member.id for member in group.members]
    assert [None, None] == [member.raw_status for member in group.members]
    assert {"csnap-8x2k1mfe"} == {member.group_id for member in group.members}
    assert (SnapshotStatus.AVAILABLE, None) == (group.status, group.tags)


@pytest.mark.parametrize("listed", [None, "", {}, "snap-1", 7, [None, "", {}]])
def test_a_group_without_members_is_still_a_group(listed: Any) -> None:
    """Members may appear later than their group."""
    assert () == grouped(SnapshotIdSet=listed).members


def test_regions_and_whether_they_are_open() -> None:
    """A region of which nothing is said is not closed."""
    answer = {
        "RegionSet": [
            {"Region": "ap-tokyo", "RegionName": "Tokyo", "RegionState": "AVAILABLE"},
            {"Region": "ap-old", "RegionState": "UNAVAILABLE"},
            {"Region": "ap-mute"},
            {"RegionName": "nameless"},
            None,
        ]
    }

    assert [
        Region(provider="tencent", id="ap-tokyo", name="Tokyo", open=True),
        Region(provider="tencent", id="ap-old", open=False),
        Region(provider="tencent", id="ap-mute"),
    ] == wire.regions_of(answer)
    with pytest.raises(ProtocolError):
        wire.regions_of({"RegionSet": None})


@pytest.mark.parametrize("bad", [{}, {"SnapshotId": None}, {"SnapshotId": " "}, None, "x", []])
@pytest.mark.faults(66)
def test_a_row_without_an_id_is_a_trouble_and_the_others_stay(bad: Any) -> None:
    """It cannot be named, but that it came must be."""
    page = wire.snapshot_page({"SnapshotSet": [ROW, bad], "TotalCount": 2}, None, CONTEXT)

    assert ["snap-to8k8h85"] == [snapshot.id for snapshot in page.items]
    assert ["row 2 of SnapshotSet has no SnapshotId"] == list(page.troubles)
    assert 2 == len(page.ids or ())


def test_a_count_without_rows_is_a_trouble() -> None:
    """An account that holds five snapshots is not empty."""
    page = wire.snapshot_page({"SnapshotSet": [], "TotalCount": 5}, None, CONTEXT)

    assert ["the provider counts 5 rows but sent none"] == list(page.troubles)


NO_LISTS: list[dict[str, Any]] = [
    {},
    {"SnapshotSet": None},
    {"SnapshotSet": None, "TotalCount": 5},
    {"SnapshotSet": {"SnapshotId": "x"}, "TotalCount": 1},
    {"SnapshotSet": "x", "TotalCount": 0},
]


@pytest.mark.parametrize("payload", NO_LISTS, ids=str)
def test_an_answer_without_a_list_is_no_empty_listing(payload: dict[str, Any]) -> None:
    """Only a count of nothing makes a missing list an empty one."""
    with pytest.raises(ProtocolError):
        wire.snapshot_page(payload, None, CONTEXT)


@pytest.mark.parametrize("listed", [None, "", []])
def test_null_is_an_empty_list_where_nothing_is_counted(listed: Any) -> None:
    """A missing field, null and an empty text all mean none with this vendor."""
    page = wire.snapshot_page({"SnapshotSet": listed, "TotalCount": 0}, None, CONTEXT)

    assert ([], 0, ()) == (page.items, page.total, tuple(page.troubles))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*ROW, *GROUP]), JSON))
@pytest.mark.faults(63, 64)
def test_no_row_raises(row: dict[str, Any]) -> None:
    """One odd row must not cost the listing."""
    for parse in (wire.parse_snapshot, wire.parse_group):
        found = parse(row, CONTEXT)

        assert found is None or found.provider == "tencent"


@given(st.dictionaries(st.sampled_from(list(seed()["snapshotSet"][0])), JSON))
@pytest.mark.faults(63, 64)
def test_no_old_row_raises(row: dict[str, Any]) -> None:
    """The same for API 2.0."""
    found = legacy.parse_snapshot(row, CONTEXT)

    assert found is None or found.provider == "tencent"


@given(JSON)
def test_any_json_is_a_page_or_one_of_our_errors(value: Any) -> None:
    """Whatever a server sends, callers catch SnapkitError and nothing else."""
    for field in ("Response", "code", "x"):
        body = json.dumps({field: value}).encode()
        answer = HttpResponse(status=200, headers={}, body=body)
        for payload_of, page_of in (
            (wire.payload_of, wire.snapshot_page),
            (legacy.payload_of, legacy.snapshot_page),
        ):
            try:
                page = page_of(payload_of(answer, "DescribeSnapshots"), None, CONTEXT)
            except SnapkitError:
                continue
            assert [] == page.items
