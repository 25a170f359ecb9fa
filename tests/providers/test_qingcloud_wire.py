"""QingCloud's rows become neutral snapshots, whatever a server sends."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.errors import ProtocolError, SnapkitError
from snapkit.model import (
    DiskCategory,
    DiskRole,
    Origin,
    Region,
    Snapshot,
    SnapshotKind,
    SnapshotStatus,
    Tags,
)
from snapkit.paging import Page, Position
from snapkit.query import SnapshotQuery
from snapkit_qingcloud import wire
from snapkit_qingcloud.failures import classify

DATA = Path(__file__).parents[1] / "data"
SEED: dict[str, Any] = json.loads(
    (DATA / "qingcloud_seed_describe_snapshots.json").read_text("utf-8")
)
GIB = 1024**3


def page_of(*rows: Any, start: int = 0, **rest: Any) -> Page[Snapshot]:
    payload = {"ret_code": 0, "snapshot_set": list(rows), "total_count": len(rows)} | rest
    return wire.parse_snapshots(payload, Position(start), account="demo", region="gd2")


def one(**fields: Any) -> Snapshot:
    row = {
        "snapshot_id": "ss-1",
        "status": "available",
        "resource": {"resource_id": "vol-1", "resource_type": "volume"},
    }
    return page_of(row | fields).items[0]


def test_the_documented_increment_is_read_whole() -> None:
    """Size 1 is one MiB stored, and the disk's size is not said."""
    increment = page_of(*SEED["snapshot_set"]).items[0]

    assert "qingcloud:demo@gd2/ss-z9y03ggk" == str(increment.ref)
    assert (SnapshotStatus.AVAILABLE, "available", True) == (
        increment.status,
        increment.raw_status,
        increment.restorable,
    )
    assert datetime(2014, 3, 11, 15, 36, 15, tzinfo=UTC) == increment.cut_at
    assert datetime(2014, 3, 11, 15, 36, 15, tzinfo=UTC) == increment.created_at
    assert datetime(2014, 3, 11, 15, 47, 34, tzinfo=UTC) == increment.completed_at
    assert ("vom-s1hnvwyh", DiskRole.DATA) == (increment.source.id, increment.source.role)
    assert (None, 1024**2) == (increment.size_bytes, increment.stored_bytes)
    assert SnapshotKind.INCREMENTAL is increment.kind
    assert ("ss-mtlngntb", "ss-mtlngntb") == (increment.parent_id, increment.root_id)
    assert (None, None, None) == (increment.name, increment.description, increment.tags)
    assert (None, None, Origin.UNKNOWN) == (
        increment.encrypted,
        increment.progress,
        increment.origin,
    )


def test_the_documented_full_one_is_deleted_and_its_own_root() -> None:
    """The sample's size is absurd (5 TiB) and stands as the unit says."""
    full = page_of(*SEED["snapshot_set"]).items[1]

    assert (SnapshotStatus.DELETED, "deleted", False) == (
        full.status,
        full.raw_status,
        full.restorable,
    )
    assert (SnapshotKind.FULL, None, "ss-69wldt5b") == (full.kind, full.parent_id, full.root_id)
    assert 5242880 * 1024**2 == full.size_bytes == full.stored_bytes


def test_a_page_counts_as_the_answer_says() -> None:
    """The loop needs the place, the total and every id."""
    page = wire.parse_snapshots(SEED, Position(4), account="", region="gd2")

    assert (4, 25, ["ss-z9y03ggk", "ss-69wldt5b"], []) == (
        page.start,
        page.total,
        page.ids,
        page.troubles,
    )


STATES: list[tuple[Any, Any, SnapshotStatus, bool | None, str | None]] = [
    ("pending", None, SnapshotStatus.CREATING, False, "pending"),
    ("pending", "creating", SnapshotStatus.CREATING, False, "pending/creating"),
    ("pending", "odd", SnapshotStatus.CREATING, False, "pending/odd"),
    ("available", None, SnapshotStatus.AVAILABLE, True, "available"),
    ("available", "", SnapshotStatus.AVAILABLE, True, "available"),
    ("Available", "", SnapshotStatus.AVAILABLE, True, "Available"),
    ("available", "suspending", SnapshotStatus.AVAILABLE, True, "available/suspending"),
    ("available", "deleting", SnapshotStatus.DELETING, False, "available/deleting"),
    ("available", "applying", SnapshotStatus.RESTORING, None, "available/applying"),
    ("available", "teleporting", SnapshotStatus.UNKNOWN, None, "available/teleporting"),
    ("suspended", "", SnapshotStatus.SUSPENDED, False, "suspended"),
    ("suspended", "resuming", SnapshotStatus.SUSPENDED, False, "suspended/resuming"),
    ("suspended", "deleting", SnapshotStatus.DELETING, False, "suspended/deleting"),
    ("deleted", "", SnapshotStatus.DELETED, False, "deleted"),
    ("deleted", "recovering", SnapshotStatus.DELETED, False, "deleted/recovering"),
    ("ceased", None, SnapshotStatus.DELETED, False, "ceased"),
    ("error", "", SnapshotStatus.UNKNOWN, None, "error"),
    (None, None, SnapshotStatus.UNKNOWN, None, None),
    ("", "", SnapshotStatus.UNKNOWN, None, None),
    (["available"], {}, SnapshotStatus.UNKNOWN, None, None),
]


@pytest.mark.parametrize(("status", "transition", "expected", "restorable", "raw"), STATES)
def test_both_axes_make_the_status(
    status: Any, transition: Any, expected: SnapshotStatus, restorable: bool | None, raw: str | None
) -> None:
    """An available snapshot that is being deleted is no backup any more."""
    snapshot = one(status=status, transition_status=transition)

    assert (expected, restorable, raw) == (
        snapshot.status,
        snapshot.restorable,
        (snapshot.raw_status or None),
    )


@pytest.mark.faults(65)
def test_a_transition_from_the_future_says_why_it_is_unknown() -> None:
    """Clean-up jobs delete what failed and restores use what is available: it is neither."""
    assert "unknown transition 'teleporting'" == one(transition_status="teleporting").status_reason


def test_the_volumes_gigabytes_count_before_the_megabytes() -> None:
    """The three sizes of a row have two units."""
    snapshot = one(snapshot_resource={"size": 10, "volume_type": 200}, virtual_size=20480, size=3)

    assert (10 * GIB, 10 * GIB, 3 * 1024**2) == (
        snapshot.size_bytes,
        snapshot.source.size_bytes,
        snapshot.stored_bytes,
    )


@pytest.mark.parametrize(
    ("fields", "size"),
    [
        ({"virtual_size": 10240}, 10 * GIB),
        ({"virtual_size": "10240"}, 10 * GIB),
        ({"virtual_size": 10240.0}, 10 * GIB),
        ({"snapshot_type": 1, "size": 51200}, 50 * GIB),
        ({"snapshot_type": 0, "size": 51200}, None),
        ({"snapshot_type": 1, "size": 0}, None),
        ({"virtual_size": -1}, None),
        ({"virtual_size": 2**63}, None),
        ({"virtual_size": float("nan")}, None),
        ({"virtual_size": float("inf")}, None),
        ({"virtual_size": ""}, None),
        ({"virtual_size": None}, None),
        ({"virtual_size": [1]}, None),
        ({"snapshot_resource": {"size": 0}, "virtual_size": 10240}, 10 * GIB),
        ({"snapshot_resource": None, "virtual_size": 10240}, 10 * GIB),
        ({"snapshot_resource": [], "virtual_size": 10240}, 10 * GIB),
    ],
)
def test_a_size_is_bytes_or_unknown(fields: dict[str, Any], size: int | None) -> None:
    """A wrong unit is a wrong restore; nonsense is None, never zero."""
    assert size == one(**fields).size_bytes


def test_an_empty_increment_occupies_nothing() -> None:
    """Zero is what the provider says; None would mean that it says nothing."""
    assert 0 == one(size=0).stored_bytes


def test_an_instance_is_its_system_disk() -> None:
    """Its data disks are separate resources."""
    source = one(
        resource={"resource_id": "i-1", "resource_type": "instance"},
        snapshot_resource={"size": 99},
        virtual_size=20480,
    ).source

    assert (DiskRole.SYSTEM, "i-1", "i-1", 20 * GIB) == (
        source.role,
        source.id,
        source.instance_id,
        source.size_bytes,
    )


def test_a_data_disk_has_no_server_in_its_row() -> None:
    """Where a disk is attached now is another question."""
    assert one().source.instance_id is None


@pytest.mark.parametrize(
    ("fields", "disk", "role"),
    [
        ({"resource": None, "resource_id": "vol-9"}, "vol-9", DiskRole.DATA),
        ({"resource": {"resource_id": "i-9"}}, "i-9", DiskRole.SYSTEM),
        ({"resource": {"resource_id": "x-9", "resource_type": ""}}, "x-9", DiskRole.UNKNOWN),
        ({"resource": {}}, None, DiskRole.UNKNOWN),
        ({"resource": "vol-9"}, None, DiskRole.UNKNOWN),
    ],
)
def test_a_row_that_hides_its_resource_is_kept(
    fields: dict[str, Any], disk: str | None, role: DiskRole
) -> None:
    """Old and private servers leave fields out."""
    source = one(**fields).source

    assert (disk, role) == (source.id, source.role)


def test_snapshots_of_other_products_are_left_out_but_counted() -> None:
    """The listing goes by the rows that arrive, not by those that are disks."""
    database = {
        "snapshot_id": "ss-db",
        "resource": {"resource_id": "rdb-1", "resource_type": "rdb"},
    }
    page = page_of(database, {"snapshot_id": "ss-2"})

    assert (["ss-2"], ["ss-db", "ss-2"]) == ([row.id for row in page.items], page.ids)


@pytest.mark.parametrize("bad", [{}, {"snapshot_id": ""}, {"snapshot_id": None}, None, "x", 7, []])
@pytest.mark.faults(66)
def test_a_row_without_an_id_is_a_trouble(bad: Any) -> None:
    """It must show in the report, and must not end the listing early."""
    page = page_of({"snapshot_id": "ss-1"}, bad, start=100)

    assert ["ss-1"] == [row.id for row in page.items]
    assert 2 == len(page.ids or ())
    assert ["the row at 101 has no snapshot_id"] == page.troubles


@pytest.mark.parametrize(
    ("code", "category", "raw"),
    [
        (2, DiskCategory.HDD, "2"),
        (3, DiskCategory.SSD, "3"),
        (5, DiskCategory.SSD, "5"),
        (6, DiskCategory.HDD, "6"),
        ("200", DiskCategory.SSD, "200"),
        (0, DiskCategory.UNKNOWN, "0"),
        (10, DiskCategory.UNKNOWN, "10"),
        (100, DiskCategory.UNKNOWN, "100"),
        (999, DiskCategory.UNKNOWN, "999"),
        (None, DiskCategory.UNKNOWN, None),
        ([], DiskCategory.UNKNOWN, None),
    ],
)
def test_a_disk_type_is_mapped_where_its_medium_is_known(
    code: Any, category: DiskCategory, raw: str | None
) -> None:
    """A guess would put the wrong disks into a cost report."""
    source = one(snapshot_resource={"size": 10, "volume_type": code}).source

    assert (category, raw) == (source.category, source.raw_category)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (0, SnapshotKind.INCREMENTAL),
        ("0", SnapshotKind.INCREMENTAL),
        (1, SnapshotKind.FULL),
        ("1", SnapshotKind.FULL),
        (2, SnapshotKind.UNKNOWN),
        (True, SnapshotKind.UNKNOWN),
        (None, SnapshotKind.UNKNOWN),
        ([], SnapshotKind.UNKNOWN),
    ],
)
def test_a_type_may_be_a_number_or_a_text(value: Any, kind: SnapshotKind) -> None:
    """The documentation says text, the servers send numbers."""
    assert kind is one(snapshot_type=value).kind


def test_the_cut_is_not_made_while_it_is_being_captured() -> None:
    """A backup tool thaws the file system at the cut."""
    at = "2024-05-20T08:09:10Z"
    capturing = one(status="pending", snapshot_time=at, create_time=at, is_taken=0)
    captured = one(status="pending", snapshot_time=at, create_time=at, is_taken=1)

    assert (None, datetime(2024, 5, 20, 8, 9, 10, tzinfo=UTC), None) == (
        capturing.cut_at,
        capturing.created_at,
        capturing.completed_at,
    )
    assert (captured.created_at, None) == (captured.cut_at, captured.completed_at)


@pytest.mark.parametrize(
    "bad",
    ["", "0000-00-00 00:00:00", "2024-02-30T00:00:00Z", "2024-05-20T08:09:60Z", "９", None, 7, []],
)
@pytest.mark.faults(67)
def test_a_time_that_is_none_is_none(bad: Any) -> None:
    """The row is worth keeping without it."""
    snapshot = one(snapshot_time=bad, create_time="2024-05-20T08:09:10Z")

    assert snapshot.cut_at is None
    assert datetime(2024, 5, 20, 8, 9, 10, tzinfo=UTC) == snapshot.created_at


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], Tags()),
        ([{"tag_id": "tag-1", "tag_name": "重要"}], Tags([("重要", "")])),
        ([{"tag_name": "a"}, {"tag_name": "a"}, {"tag_name": None}, "x"], Tags([("a", "")])),
        ({"tag_name": "a"}, Tags([("a", "")])),
        (None, None),
        ("x", None),
    ],
)
@pytest.mark.faults(69)
def test_labels_are_tags_without_values(value: Any, expected: Tags | None) -> None:
    """None is where the server says nothing, empty where there are none."""
    assert expected == one(tags=value).tags


@pytest.mark.parametrize("parent", ["self", "ss-1", "", None])
def test_a_root_has_no_parent(parent: Any) -> None:
    """The word for it is literally "self"."""
    assert one(parent_id=parent).parent_id is None


def test_the_raw_row_is_kept_on_request() -> None:
    """Fields nobody has described are there for who needs them."""
    row = {"snapshot_id": "ss-1", "sub_code": 7}
    payload = {"snapshot_set": [row], "total_count": 1}
    page = wire.parse_snapshots(payload, None, account="", region="gd2", keep_raw=True)

    assert row == page.items[0].raw
    assert one().raw is None


@pytest.mark.parametrize("empty", [None, [], ""])
def test_a_null_list_is_an_empty_one(empty: Any) -> None:
    """Some servers write no rows so."""
    assert [] == page_of(snapshot_set=empty).items


@pytest.mark.parametrize("payload", [{"ret_code": 0}, {"snapshot_set": 7}, {"snapshot_set": "x"}])
def test_a_missing_list_is_not_an_empty_one(payload: dict[str, Any]) -> None:
    """An error must never look like an account without snapshots."""
    with pytest.raises(ProtocolError):
        wire.parse_snapshots(payload, None, account="", region="gd2")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "snapshot_id",
        "snapshot_name",
        "status",
        "transition_status",
        "resource",
        "resource_id",
        "snapshot_resource",
        "size",
        "virtual_size",
        "tags",
        "snapshot_type",
        "is_taken",
        "snapshot_time",
        "parent_id",
    ]
)


@given(st.dictionaries(FIELDS, JSON), JSON)
@pytest.mark.faults(63, 64)
def test_no_row_makes_a_listing_raise(row: dict[str, Any], total: Any) -> None:
    """One odd row must not hide ten thousand good ones."""
    page = page_of(row, {"snapshot_id": "ss-good"}, total_count=total)

    assert "ss-good" in [snapshot.id for snapshot in page.items]


@given(st.dictionaries(st.sampled_from(["ret_code", "message"]), JSON))
def test_no_error_makes_the_classifier_raise(payload: dict[str, Any]) -> None:
    """The reader of an error gets a SnapkitError, not a TypeError."""
    error = classify(payload, request_id="r")

    assert error is None or isinstance(error, SnapkitError)


@given(JSON)
def test_no_answer_makes_the_other_readers_raise_a_foreign_error(value: Any) -> None:
    """Volumes and zones come from the same servers."""
    for read, name in (
        (wire.servers_of_volumes, "volume_set"),
        (wire.parse_regions, "zone_set"),
    ):
        try:
            read({name: value})
        except ProtocolError:
            continue


LIVING = {"status.1": "pending", "status.2": "available", "status.3": "suspended"}
PUSHED: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {}),
    ({"ids": ["ss-2", "ss-1"]}, {"snapshots.1": "ss-1", "snapshots.2": "ss-2"}),
    ({"disk_ids": "vol-1"}, {"resource_id": "vol-1"}),
    ({"disk_ids": ["vol-1", "vol-2"]}, {}),
    ({"instance_ids": "i-1"}, {"resource_id": "i-1"}),
    ({"instance_ids": "i-1", "disk_ids": "vol-1"}, {"resource_id": "vol-1"}),
    ({"kinds": "full"}, {"snapshot_type": "1"}),
    ({"kinds": "incremental"}, {"snapshot_type": "0"}),
    ({"kinds": ["full", "incremental"]}, {}),
    ({"kinds": "unknown"}, {}),
    ({"include_deleted": True}, LIVING | {"status.4": "deleted", "status.5": "ceased"}),
    ({"statuses": "creating"}, {"status.1": "pending"}),
    ({"statuses": "available"}, {"status.1": "available"}),
    ({"statuses": "restoring"}, {"status.1": "available"}),
    ({"statuses": "suspended"}, {"status.1": "suspended"}),
    ({"statuses": "deleting"}, {"status.1": "available", "status.2": "suspended"}),
    ({"statuses": "deleted"}, {"status.1": "deleted", "status.2": "ceased"}),
    ({"statuses": ["available", "creating"]}, {"status.1": "pending", "status.2": "available"}),
    ({"statuses": "unknown"}, {}),
    ({"statuses": ["unknown", "available"]}, {}),
    ({"statuses": "failed"}, {}),
    ({"names": "daily*", "tags": "a", "created_after": "2024-01-01"}, {}),
]


@pytest.mark.parametrize(("filters", "expected"), PUSHED, ids=lambda value: str(value)[:50])
def test_only_exact_filters_are_pushed_down(
    filters: dict[str, Any], expected: dict[str, str]
) -> None:
    """A filter that leaves out one match too many is worse than none."""
    params = wire.snapshot_params(SnapshotQuery(**filters), Position(100), 50)

    assert {"verbose": "1", "offset": "100", "limit": "50"} | expected == params


def test_a_listing_of_living_ones_names_their_words() -> None:
    """A user with many deleted snapshots may trade a word from the future for fewer pages."""
    living = wire.snapshot_params(SnapshotQuery(), None, 100, living=True)
    deleted = wire.snapshot_params(SnapshotQuery(include_deleted=True), None, 100, living=True)

    assert set(LIVING.values()) == {living[name] for name in LIVING}
    assert "status.3" in living
    assert "status.4" not in living
    assert "ceased" == deleted["status.5"]


@pytest.mark.parametrize("status", list(SnapshotStatus))
def test_a_pushed_status_loses_no_match(status: SnapshotStatus) -> None:
    """Each row that is neutrally so must be kept under one of the words asked for."""
    params = wire.snapshot_params(SnapshotQuery(statuses={status}), None, 100)
    words = {value for name, value in params.items() if name.startswith("status.")}
    matching = {str(word) for word, _, neutral, *_ in STATES[:-4] if neutral is status}

    assert not words or {word.lower() for word in matching} <= words


def test_an_attached_volume_has_one_server() -> None:
    """A detached one has empty texts, a shared one has no one server."""
    payload = {
        "volume_set": [
            {"volume_id": "vol-1", "instance": {"instance_id": "i-1", "instance_name": ""}},
            {"volume_id": "vol-2", "instance": {"instance_id": "", "instance_name": ""}},
            {"volume_id": "vol-3", "instances": [{"instance_id": "i-1"}, {"instance_id": "i-2"}]},
            {"volume_id": "vol-4", "instance": None, "instances": [{"instance_id": "i-4"}]},
            {"volume_id": None},
            "nonsense",
        ]
    }

    assert {"vol-1": "i-1", "vol-4": "i-4"} == wire.servers_of_volumes(payload)


def test_zones_that_share_snapshots_are_one_region() -> None:
    """Listing each zone of a region would count each snapshot three times."""
    payload = {
        "zone_set": [
            {"zone_id": "pek3b", "status": "faulty", "region_id": "pek3"},
            {"zone_id": "pek3c", "status": "active", "region_id": ""},
            {"zone_id": "ap2a", "status": "defunct"},
            {"zone_id": "cd1", "status": "active", "region_id": "west"},
            {"zone_id": "mute1"},
            {"zone_id": None},
        ]
    }

    assert [
        Region(provider="qingcloud", id="pek3", open=True),
        Region(provider="qingcloud", id="ap2a", open=False),
        Region(provider="qingcloud", id="west", open=True),
        Region(provider="qingcloud", id="mute1", open=None),
    ] == wire.parse_regions(payload)


def test_a_page_without_ids_looks_the_same_wherever_it_is_said_to_start() -> None:
    """A server that sends such a page for every offset would be asked for ever."""
    payload = {"ret_code": 0, "total_count": 500, "snapshot_set": [None, {"snapshot_name": "x"}]}
    first, later = (
        wire.parse_snapshots(payload, cursor, account="", region="pek3")
        for cursor in (None, Position(100))
    )

    assert first.ids == later.ids
    assert 2 == len(set(first.ids or ()))
