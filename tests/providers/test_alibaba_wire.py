"""Rows of the service become neutral values, whatever shape they come in."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.errors import ProtocolError, SnapkitError, UnsupportedError
from snapkit.model import (
    Consistency,
    DiskRole,
    Membership,
    Origin,
    Snapshot,
    SnapshotStatus,
    Tags,
    Usage,
)
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.vocabulary import GIB
from snapkit_alibaba import wire

DATA = Path(__file__).parents[1] / "data"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = (
    "SnapshotId",
    "SnapshotName",
    "Description",
    "Status",
    "Available",
    "Progress",
    "CreationTime",
    "SourceDiskId",
    "SourceDiskSize",
    "SourceDiskType",
    "Usage",
    "SnapshotType",
    "Encrypted",
    "KMSKeyId",
    "RetentionDays",
    "SourceSnapshotId",
    "Tags",
)


def seed(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DATA / f"alibaba_seed_{name}.json").read_text("utf-8"))
    return found


def parsed(**row: Any) -> Snapshot:
    found = wire.parse_snapshot({"SnapshotId": "s-1", **row}, account="a", region="r")
    assert found is not None
    return found


def test_the_published_snapshots_parse() -> None:
    """The example of the API reference, edition of 2019."""
    found = wire.read_snapshots(seed("snapshots"), account="a", region="cn-hangzhou")
    first, second = found.items

    assert [first.id, second.id] == found.ids == ["s-943ypfgic", "s-94osg320e"]
    assert found.troubles == []
    assert first.name == "auto_20150730_3"
    assert (first.status, first.raw_status) == (SnapshotStatus.AVAILABLE, "accomplished")
    assert first.restorable is True
    assert first.progress == 100
    assert first.created_at == first.cut_at == datetime(2015, 7, 30, 5, 0, 14, tzinfo=UTC)
    assert (first.source.id, first.source.role) == ("d-944qyqjfa", DiskRole.SYSTEM)
    assert first.size_bytes == first.source.size_bytes == 20 * GIB
    assert first.usage == Usage(images=0, disks=0)
    assert first.tags is None
    assert first.encrypted is None
    assert str(first.ref) == "alibaba:a@cn-hangzhou/s-943ypfgic"


def test_the_published_group_parses() -> None:
    """The example of the API reference, edition of 2021."""
    found = wire.read_groups(seed("groups"), account="a", region="cn-hangzhou")
    (group,) = found.items
    system, data = group.members

    assert group.id == "ssg-j6ciyh3k52qp7ovm****"
    assert (group.name, group.description) == ("testName", "This is description.")
    assert (group.status, group.raw_status) == (SnapshotStatus.AVAILABLE, "accomplished")
    assert group.created_at == datetime(2021, 3, 23, 10, 58, 48, tzinfo=UTC)
    assert group.instance_id == "i-j6ca469urv8ei629****"
    assert (group.consistency, group.membership) == (Consistency.CRASH, Membership.NATIVE)
    assert (system.id, system.source.role) == ("s-j6cbzmrlbf09w72q****", DiskRole.SYSTEM)
    assert (data.source.id, data.source.role) == ("d-j6cf7l0ewidb78lq****", DiskRole.DATA)
    assert (system.status, system.raw_status) == (SnapshotStatus.UNKNOWN, None)
    assert system.progress == 100
    assert system.source.instance_id == group.instance_id


@pytest.mark.parametrize(
    ("row", "status", "restorable"),
    [
        ({"Status": "progressing"}, SnapshotStatus.CREATING, False),
        ({"Status": "progressing", "Available": False}, SnapshotStatus.CREATING, False),
        ({"Status": "progressing", "Available": True}, SnapshotStatus.CREATING, True),
        ({"Status": "progressing", "Available": "true"}, SnapshotStatus.CREATING, True),
        ({"Status": "accomplished"}, SnapshotStatus.AVAILABLE, True),
        ({"Status": "Accomplished", "Available": True}, SnapshotStatus.AVAILABLE, True),
        ({"Status": "failed"}, SnapshotStatus.FAILED, False),
        ({"Status": "failed", "Available": True}, SnapshotStatus.FAILED, False),
        ({"Status": "hibernating"}, SnapshotStatus.UNKNOWN, None),
        ({"Status": ""}, SnapshotStatus.UNKNOWN, None),
        ({"Status": None}, SnapshotStatus.UNKNOWN, None),
        ({"Status": ["failed"]}, SnapshotStatus.UNKNOWN, None),
        ({}, SnapshotStatus.UNKNOWN, None),
    ],
)
def test_status_comes_from_the_whole_row(
    row: dict[str, Any], status: SnapshotStatus, restorable: bool | None
) -> None:
    """A disk may be restored long before its snapshot is complete; never when it failed."""
    found = parsed(**row)

    assert (found.status, found.restorable) == (status, restorable)


@pytest.mark.faults(65)
def test_a_status_from_the_future_keeps_its_word() -> None:
    """Clean-up jobs delete what is failed, so it must not become that."""
    assert parsed(Status="hibernating").raw_status == "hibernating"


@pytest.mark.parametrize(
    ("size", "size_bytes"),
    [
        (20, 20 * GIB),
        ("20", 20 * GIB),
        (20.0, 20 * GIB),
        (" 20 ", 20 * GIB),
        ("", None),
        (None, None),
        (-1, None),
        (2**63, None),
        (float("inf"), None),
        ("２０", None),
        ([20], None),
        (True, None),
    ],
)
def test_sizes_are_whole_gibibytes_or_unknown(size: object, size_bytes: int | None) -> None:
    """The same field came as number and as text in different years."""
    assert size_bytes == parsed(SourceDiskSize=size).size_bytes


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2017-12-05T22:40:00Z", datetime(2017, 12, 5, 22, 40, tzinfo=UTC)),
        ("2017-12-05T22:40Z", datetime(2017, 12, 5, 22, 40, tzinfo=UTC)),
        ("2017-12-06T06:40:00+08:00", datetime(2017, 12, 5, 22, 40, tzinfo=UTC)),
        (" 2017-12-05T22:40:00Z ", datetime(2017, 12, 5, 22, 40, tzinfo=UTC)),
        ("", None),
        (None, None),
        ("0000-00-00T00:00:00Z", None),
        ("2017-02-30T00:00:00Z", None),
        ("2017-12-05T22:40:60Z", None),
        (1512513600, None),
    ],
)
def test_the_moment_of_the_data_is_unknown_until_it_is_fixed(
    text: object, moment: datetime | None
) -> None:
    """CreationTime is empty until the cut is made: that is what a backup tool waits for."""
    found = parsed(CreationTime=text)

    assert (moment, moment) == (found.created_at, found.cut_at)
    assert found.completed_at is None


@pytest.mark.parametrize(
    ("days", "expires"),
    [
        (30, datetime(2017, 1, 31, tzinfo=UTC)),
        ("30", datetime(2017, 1, 31, tzinfo=UTC)),
        (None, None),
        (0, None),
        (2**62, None),
        (10**7, None),
    ],
)
def test_retention_counts_from_creation(days: object, expires: datetime | None) -> None:
    """Without RetentionDays a snapshot is kept for ever; an absurd figure must not raise."""
    assert expires == parsed(CreationTime="2017-01-01T00:00:00Z", RetentionDays=days).expires_at
    assert parsed(CreationTime="", RetentionDays=days).expires_at is None


@pytest.mark.parametrize(
    ("progress", "number"),
    [("100%", 100), ("100", 100), ("0%", 0), ("42.9%", 42), (7, 7), ("", None), ("200%", None)],
)
def test_progress_has_a_percent_sign_or_not(progress: object, number: int | None) -> None:
    """The table of the reference writes none, its example does."""
    assert number == parsed(Progress=progress).progress


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("system", DiskRole.SYSTEM),
        ("System", DiskRole.SYSTEM),
        ("DATA", DiskRole.DATA),
        ("all", DiskRole.UNKNOWN),
        (None, DiskRole.UNKNOWN),
    ],
)
def test_roles_compare_without_case(word: object, role: DiskRole) -> None:
    """Three spellings stand in one page of the reference."""
    assert role is parsed(SourceDiskType=word).source.role


@pytest.mark.parametrize(
    ("row", "origin"),
    [
        ({"SnapshotType": "user"}, Origin.MANUAL),
        ({"SnapshotType": "auto"}, Origin.POLICY),
        ({"SnapshotType": "timer"}, Origin.POLICY),
        ({"SnapshotType": "copied"}, Origin.COPY),
        ({"SnapshotType": "user", "SourceSnapshotId": "s-0"}, Origin.COPY),
        ({"SnapshotType": "user", "SourceSnapshotId": ""}, Origin.MANUAL),
        ({"SnapshotType": "imported"}, Origin.UNKNOWN),
        ({"SnapshotType": "all"}, Origin.UNKNOWN),
        ({}, Origin.UNKNOWN),
    ],
)
def test_origin_tells_copies_from_what_was_made_here(row: dict[str, Any], origin: Origin) -> None:
    """A copy names its source, whatever its type says."""
    assert origin is parsed(**row).origin


@pytest.mark.parametrize(
    ("word", "usage"),
    [
        ("none", Usage(images=0, disks=0)),
        ("image", Usage(images=1, disks=0)),
        ("disk", Usage(images=0, disks=1)),
        ("image_disk", Usage(images=1, disks=1)),
        ("spaceship", Usage()),
        (None, Usage()),
    ],
)
def test_usage_says_whether_not_how_many(word: object, usage: Usage) -> None:
    """One means at least one; what is not said is not zero."""
    assert usage == parsed(Usage=word).usage


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ({"Tag": [{"TagKey": "a", "TagValue": "b"}]}, Tags([("a", "b")])),
        ({"Tag": [{"Key": "a", "Value": "b"}]}, Tags([("a", "b")])),
        ([{"TagKey": "a", "TagValue": ""}], Tags([("a", "")])),
        ({"Tag": {"TagKey": "a", "TagValue": "b"}}, Tags([("a", "b")])),
        ({"Tag": [{"TagKey": "a"}, {"TagKey": "a", "TagValue": "c"}]}, Tags([("a", "c")])),
        ({"Tag": [{"TagKey": "acs:x", "TagValue": "y"}]}, Tags([("acs:x", "y")])),
        ({"Tag": []}, Tags()),
        ({"Tag": None}, Tags()),
        ({}, Tags()),
        ("", Tags()),
        (None, None),
    ],
)
@pytest.mark.faults(69)
def test_tags_come_in_many_wrappings(value: object, tags: Tags | None) -> None:
    """Snapshots and groups use different names; the system's own tags stay."""
    assert tags == parsed(Tags=value).tags


def test_empty_texts_are_none() -> None:
    """An empty KMSKeyId means that there is no key, not a key without a name."""
    found = parsed(SnapshotName="", Description=" ", KMSKeyId="", SourceDiskId="")

    assert (None, None, None, None) == (
        found.name,
        found.description,
        found.kms_key_id,
        found.source.id,
    )


def test_raw_is_kept_on_request_only() -> None:
    """In a mass listing it costs four times the memory."""
    row = {"SnapshotId": "s-1", "Brand": "new"}
    kept = wire.parse_snapshot(row, account="", region="r", keep_raw=True)

    assert kept is not None
    assert kept.raw == row
    assert parsed().raw is None


@pytest.mark.faults(66)
def test_a_row_without_an_id_is_a_trouble_not_a_crash() -> None:
    """The other rows are listed, and the listing is not complete."""
    answer = {"Snapshots": {"Snapshot": [{"SnapshotId": "s-1"}, {"SnapshotId": ""}, None, "x"]}}
    found = wire.read_snapshots(answer, account="", region="r")

    assert [item.id for item in found.items] == ["s-1"]
    assert len(found.troubles) == 3
    assert len(found.ids) == 4
    assert "SnapshotId" in found.troubles[0]


def test_a_member_without_an_id_is_a_trouble() -> None:
    """A group that lost a member in silence would look whole."""
    row = {"SnapshotGroupId": "ssg-1", "Snapshots": {"Snapshot": [{}, {"SnapshotId": "s-1"}]}}
    found = wire.read_groups({"SnapshotGroups": {"SnapshotGroup": [row]}}, account="", region="r")

    assert [member.id for member in found.items[0].members] == ["s-1"]
    assert len(found.troubles) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"Snapshots": {"Snapshot": []}},
        {"Snapshots": {"Snapshot": None}},
        {"Snapshots": {}},
        {"Snapshots": None},
        {"Snapshots": []},
        {"Snapshots": ""},
    ],
)
def test_an_empty_list_has_many_spellings(answer: dict[str, Any]) -> None:
    """All of them occur behind gateways that convert XML."""
    assert wire.read_snapshots(answer, account="", region="r").ids == []


@pytest.mark.parametrize(
    "answer", [{}, {"RequestId": "R"}, {"Snapshots": 7}, {"Snapshots": {"Snapshot": "no"}}]
)
def test_an_answer_without_the_list_is_not_an_empty_one(answer: dict[str, Any]) -> None:
    """Nothing was said about what there is."""
    with pytest.raises(ProtocolError):
        wire.read_snapshots(answer, account="", region="r")


def test_a_single_row_may_come_without_its_list() -> None:
    """Conversions from XML do that."""
    answer = {"Snapshots": {"Snapshot": {"SnapshotId": "s-1"}}}

    assert wire.read_snapshots(answer, account="", region="r").ids == ["s-1"]


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
@pytest.mark.faults(63, 64)
def test_no_row_ever_raises(row: dict[str, Any]) -> None:
    """One odd row must not cost the other 99."""
    snapshot = wire.parse_snapshot(row, account="a", region="r")
    wire.parse_group(
        {"SnapshotGroupId": "g", "Snapshots": {"Snapshot": [row]}, **row}, account="", region="r"
    )

    assert snapshot is None or snapshot.id


@given(JSON)
def test_no_list_raises_anything_but_our_errors(value: Any) -> None:
    """Whatever the wrapper is."""
    for answer in ({"Snapshots": value}, {"Snapshots": {"Snapshot": value}}):
        try:
            found = wire.read_snapshots(answer, account="", region="r")
        except SnapkitError:
            continue

        assert len(found.items) + len(found.troubles) == len(found.ids)


@pytest.mark.parametrize(
    ("filters", "params"),
    [
        ({}, {}),
        ({"ids": ["s-2", "s-1"]}, {"SnapshotIds": '["s-1","s-2"]'}),
        ({"disk_ids": "d-1"}, {"DiskId": "d-1"}),
        ({"disk_ids": ["d-1", "d-2"]}, {}),
        ({"instance_ids": "i-1"}, {"InstanceId": "i-1"}),
        ({"statuses": "available"}, {"Status": "accomplished"}),
        ({"statuses": "creating"}, {"Status": "progressing"}),
        ({"statuses": "failed"}, {"Status": "failed"}),
        ({"statuses": "unknown"}, {}),
        ({"statuses": ["available", "failed"]}, {}),
        ({"roles": "system"}, {"SourceDiskType": "system"}),
        ({"roles": "unknown"}, {}),
        ({"roles": ["system", "data"]}, {}),
        ({"origins": "manual"}, {"SnapshotType": "user"}),
        ({"origins": "policy"}, {}),
        ({"encrypted": True}, {"Encrypted": "true"}),
        ({"encrypted": False}, {}),
        ({"names": "web"}, {}),
        ({"tags": {"team": "shop"}}, {}),
        ({"tags": {"team": "shop"}, "ids": "s-1"}, {"SnapshotIds": '["s-1"]'}),
        ({"created_before": "2024-01-01"}, {}),
        (
            {"created_after": "2024-01-01T10:00:59Z"},
            {"Filter.1.Key": "CreationStartTime", "Filter.1.Value": "2024-01-01T09:59Z"},
        ),
        ({"created_after": "0001-01-01"}, {}),
        ({"smallest": "40G", "kinds": "full", "categories": "ssd"}, {}),
    ],
    ids=str,
)
def test_only_filters_that_lose_no_match_are_pushed_down(
    filters: dict[str, Any], params: dict[str, str]
) -> None:
    """Tags would: the service looks at 1000 tagged resources and drops the others."""
    pushed = wire.snapshot_params(SnapshotQuery(**filters), "cn-beijing")

    assert {"RegionId": "cn-beijing", **params} == pushed


@pytest.mark.parametrize(
    ("filters", "params"),
    [
        ({}, {}),
        ({"ids": ["b", "a"]}, {"SnapshotGroupId.1": "a", "SnapshotGroupId.2": "b"}),
        ({"instance_ids": "i-1"}, {"InstanceId": "i-1"}),
        ({"instance_ids": ["i-1", "i-2"]}, {}),
        ({"statuses": ["available", "failed"]}, {"Status.1": "accomplished", "Status.2": "failed"}),
        ({"statuses": ["available", "degraded"]}, {}),
        ({"names": "x", "tags": "team", "snapshot_ids": "s-1"}, {}),
    ],
    ids=str,
)
def test_group_filters_that_are_pushed_down(
    filters: dict[str, Any], params: dict[str, str]
) -> None:
    """A degraded group is an accomplished one to the service."""
    assert {"RegionId": "r1", **params} == wire.group_params(GroupQuery(**filters), "r1")


def test_several_servers_are_refused_before_anything_is_sent() -> None:
    """Rows do not name their server, so nothing could match."""
    with pytest.raises(UnsupportedError, match="one instance at a time"):
        wire.snapshot_params(SnapshotQuery(instance_ids=["i-1", "i-2"]), "r1")


def test_an_empty_set_wants_nothing() -> None:
    """Sent as an empty array it would be a filter with a meaning of its own."""
    assert wire.wants_nothing(SnapshotQuery(ids=[]))
    assert wire.wants_nothing(GroupQuery(snapshot_ids=[]))
    assert not wire.wants_nothing(SnapshotQuery())
