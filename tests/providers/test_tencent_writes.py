"""Every write of the driver against the emulated cloud, refusals included."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from snapkit.driver import Capability, Driver
from snapkit.emulator import Emulator, World
from snapkit.emulator.state import (
    AccountState,
    Disk,
    EmulatedClock,
    GroupRecord,
    RegionState,
    SnapshotRecord,
)
from snapkit.errors import (
    ArgumentError,
    ConflictError,
    IdempotencyConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    QuotaError,
    Retry,
    SnapkitError,
    UnsupportedError,
)
from snapkit.model import DiskRole, Kind, Origin, Snapshot, SnapshotGroup, SnapshotStatus, Tags
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.retry import RetryPolicy
from snapkit.settings import open_driver
from snapkit.transport import Api, Call, Clock, Transport
from snapkit.writes import (
    MARKER_TAG,
    Change,
    CopyOrder,
    DiskQuery,
    NewDisk,
    NewGroup,
    NewSnapshot,
    Reason,
    RollBack,
)

NOW = 1767225600.0
REGION, OTHER = "ap-guangzhou", "ap-singapore"
ZONE = "ap-guangzhou-3"
GIB = 1 << 30


@attrs.define(kw_only=True)
class SlowWorld(World):
    """A world in which new things can stay invisible for a while, in seconds."""

    lag: float = 0.0


def record(name: str, **facts: Any) -> SnapshotRecord:
    base: dict[str, Any] = {
        "id": f"snap-{name}",
        "disk_id": "disk-data",
        "size_gib": 50,
        "zone": ZONE,
        "name": name,
        "started_at": NOW - 86400,
    }
    return SnapshotRecord(**(base | facts))


def disk(name: str, **facts: Any) -> Disk:
    base: dict[str, Any] = {
        "id": f"disk-{name}",
        "size_gib": 50,
        "zone": ZONE,
        "category": "CLOUD_SSD",
        "instance_id": "ins-1",
    }
    return Disk(**(base | facts))


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """One instance with two disks, another with one, a free disk, and some snapshots."""
    account = AccountState(provider="tencent", key_id="AKIDEXAMPLE", secret="EXAMPLE", label="t")
    account.region(REGION).add(
        disk("root", role=DiskRole.SYSTEM),
        disk("data"),
        disk("far", instance_id="ins-2"),
        disk("free", instance_id=None),
        record("a"),
        record("b", disk_id="disk-root", role=DiskRole.SYSTEM),
        record("free", disk_id="disk-free"),
        record("image", images=1),
        record("shared", shares=2),
        record("locked", locked=True),
        record("copy", origin=Origin.COPY),
        record("theirs", origin=Origin.SHARED),
    )
    account.region(OTHER)
    account.regions["ap-beijing"] = RegionState(id="ap-beijing", denied=True)
    with Emulator(SlowWorld(accounts=[account], clock=EmulatedClock(wall=lambda: NOW))) as running:
        yield running


@pytest.fixture
def driver(emulator: Emulator) -> Iterator[Driver]:
    opened = opened_in(emulator, REGION)
    yield opened
    opened.close()


def opened_in(emulator: Emulator, region: str, **options: str) -> Driver:
    target = next(one for one in emulator.targets("tencent") if one.region == region)
    return open_driver(
        attrs.evolve(target, options=options),
        policy=RetryPolicy(transient=3, throttled=2),
        clock=Clock(wall=lambda: NOW, sleep=lambda _: None),
        keep_raw=True,
    )


def place(emulator: Emulator, region: str = REGION) -> RegionState:
    return emulator.world.accounts[0].regions[region]


def seen(driver: Driver, *ids: str) -> dict[str, Snapshot]:
    query = SnapshotQuery(ids=frozenset(ids) if ids else None)
    return {one.id: one for one in driver.list_snapshots(query, cursor=None, limit=100).items}


def groups(driver: Driver, *ids: str) -> list[SnapshotGroup]:
    query = GroupQuery(ids=frozenset(ids) if ids else None)
    return list(driver.list_groups(query, cursor=None, limit=100).items)


def later(emulator: Emulator, seconds: float = 3600.0) -> None:
    emulator.world.clock.advance(seconds)


def test_a_new_snapshot_is_creating_and_becomes_available(
    emulator: Emulator, driver: Driver
) -> None:
    """Name, tags, end and source are as ordered, from the one call."""
    made = driver.create_snapshot(
        NewSnapshot(
            disk_id="disk-data",
            name="夜间",
            tags=Tags([(MARKER_TAG, "0123456789ab")]),
            expires_at=datetime.fromtimestamp(NOW, UTC) + timedelta(days=7),
        )
    )
    young = seen(driver, made)[made]
    later(emulator)
    grown = seen(driver, made)[made]

    assert (SnapshotStatus.CREATING, False) == (young.status, young.restorable)
    assert (SnapshotStatus.AVAILABLE, True, 100) == (grown.status, grown.restorable, grown.progress)
    assert ("夜间", "disk-data", {MARKER_TAG: "0123456789ab"}) == (
        grown.name,
        grown.source.id,
        dict(grown.tags or {}),
    )
    assert datetime.fromtimestamp(NOW, UTC) + timedelta(days=7) == grown.expires_at
    assert ["CreateSnapshot"] == [one.operation for one in emulator.log[:1]]


def test_one_disk_makes_one_snapshot_at_a_time(driver: Driver) -> None:
    """The second is a conflict that passes by itself."""
    driver.create_snapshot(NewSnapshot(disk_id="disk-data"))
    with pytest.raises(ConflictError) as caught:
        driver.create_snapshot(NewSnapshot(disk_id="disk-data"))

    assert ("InvalidDisk.SnapshotCreating", Retry.STATE) == (caught.value.code, caught.value.retry)


REFUSED: list[tuple[NewSnapshot, type[SnapkitError]]] = [
    (NewSnapshot(disk_id="disk-absent"), NotFoundError),
    (NewSnapshot(disk_id="disk-data", name="x" * 61), InvalidRequestError),
    (NewSnapshot(disk_id="disk-data", tags=Tags([("qcs:a", "b")])), InvalidRequestError),
    (NewSnapshot(disk_id="disk-data", tags=Tags([("a", "")])), InvalidRequestError),
    (
        NewSnapshot(disk_id="disk-data", expires_at=datetime.fromtimestamp(NOW, UTC)),
        ArgumentError,
    ),
]


@pytest.mark.parametrize(("new", "kind"), REFUSED, ids=["disk", "name", "key", "value", "end"])
def test_a_refused_snapshot_leaves_nothing(
    emulator: Emulator, driver: Driver, new: NewSnapshot, kind: type[SnapkitError]
) -> None:
    """Sent once, refused once, nothing there."""
    before = len(place(emulator).snapshots)
    with pytest.raises(kind):
        driver.create_snapshot(new)

    assert before == len(place(emulator).snapshots)
    assert len(emulator.log) <= 1


def test_a_group_has_a_member_for_each_disk(emulator: Emulator, driver: Driver) -> None:
    """Members are named after the group; all are NORMAL before it is."""
    made = driver.create_group(NewGroup(disk_ids=("disk-root", "disk-data"), name="g~0123"))
    assert made.group_id is not None
    (young,) = groups(driver, made.group_id)
    later(emulator)
    (grown,) = groups(driver, made.group_id)
    members = seen(driver, *[member.id for member in grown.members])

    assert (SnapshotStatus.CREATING, SnapshotStatus.AVAILABLE) == (young.status, grown.status)
    assert "g~0123" == grown.name
    assert {"g~0123_0": "disk-root", "g~0123_1": "disk-data"} == {
        one.name: one.source.id for one in members.values()
    }
    assert made.snapshot_ids == ()


@pytest.mark.parametrize(
    ("ids", "kind", "code"),
    [
        (
            ("disk-data", "disk-far"),
            ConflictError,
            "UnsupportedOperation.SnapshotGroupDiskAttachMultiInstance",
        ),
        (("disk-data", "disk-absent"), NotFoundError, "InvalidDiskId.NotFound"),
        (("disk-free",), UnsupportedError, "ResourceUnavailable.NotSupported"),
    ],
    ids=["two instances", "absent", "free"],
)
@pytest.mark.faults(74)
def test_a_group_is_all_or_nothing(
    emulator: Emulator, driver: Driver, ids: tuple[str, ...], kind: type[SnapkitError], code: str
) -> None:
    """A refused group has no members either."""
    before = len(place(emulator).snapshots)
    with pytest.raises(kind) as caught:
        driver.create_group(NewGroup(disk_ids=ids))

    assert code == caught.value.code
    assert (before, 0) == (len(place(emulator).snapshots), len(place(emulator).groups))


def test_the_disks_of_an_instance_are_listed(driver: Driver) -> None:
    """That is how a group by instance comes about; ids that are not there give none."""
    found = driver.list_disks(DiskQuery(instance_id="ins-1"), cursor=None, limit=100)
    some = driver.list_disks(
        DiskQuery(ids=frozenset({"disk-free", "disk-absent"})), cursor=None, limit=100
    )

    assert [("disk-root", DiskRole.SYSTEM), ("disk-data", DiskRole.DATA)] == [
        (one.id, one.role) for one in found.items
    ]
    assert [("disk-free", None, "CLOUD_SSD", 50 * GIB, ZONE)] == [
        (one.id, one.instance_id, one.raw_category, one.size_bytes, one.zone) for one in some.items
    ]


def test_names_and_ends_change(driver: Driver) -> None:
    """An end can be set, moved with a name, and taken away."""
    end = datetime.fromtimestamp(NOW, UTC) + timedelta(days=30)
    driver.change_snapshot("snap-a", Change(name="renamed", expires_at=end))
    first = seen(driver, "snap-a")["snap-a"]
    driver.change_snapshot("snap-a", Change(permanent=True))
    second = seen(driver, "snap-a")["snap-a"]

    assert ("renamed", end) == (first.name, first.expires_at)
    assert ("renamed", None) == (second.name, second.expires_at)


@pytest.mark.parametrize(
    ("snapshot_id", "change", "kind"),
    [
        ("snap-absent", Change(name="n"), NotFoundError),
        ("snap-theirs", Change(name="n"), UnsupportedError),
        ("snap-a", Change(name=""), InvalidRequestError),
        ("snap-a", Change(), InvalidRequestError),
    ],
    ids=["absent", "not mine", "no name", "nothing"],
)
def test_a_change_may_be_refused(
    driver: Driver, snapshot_id: str, change: Change, kind: type[SnapkitError]
) -> None:
    """By what the vendor says."""
    with pytest.raises(kind):
        driver.change_snapshot(snapshot_id, change)


def test_tags_are_set_and_taken_away_by_the_tag_service(emulator: Emulator, driver: Driver) -> None:
    """Another host and version, signed for another service; shown by the block storage."""
    tags = Tags([(f"key-{number}", "v") for number in range(11)])
    put = driver.tag(Kind.SNAPSHOT, ["snap-a", "snap-b"], tags)
    tagged = seen(driver, "snap-a", "snap-b")
    taken = driver.untag(Kind.SNAPSHOT, ["snap-a"], [f"key-{number}" for number in range(10)])
    left = seen(driver, "snap-a")["snap-a"]

    assert [True, True, True] == [one.ok for one in (*put, *taken)]
    assert [dict(tags), dict(tags)] == [dict(one.tags or {}) for one in tagged.values()]
    assert {"key-10": "v"} == dict(left.tags or {})
    assert 2 == sum(one.operation == "TagResources" for one in emulator.log)


def test_a_tag_that_fails_does_so_alone(emulator: Emulator, driver: Driver) -> None:
    """One is full, one is absent and never named to the service; the third is tagged."""
    place(emulator).snapshots["snap-b"].tags = {f"k{number}": "v" for number in range(50)}
    good, full, absent = driver.tag(
        Kind.SNAPSHOT, ["snap-a", "snap-b", "snap-absent"], Tags([("new", "v")])
    )

    assert good.ok
    assert isinstance(full.error, QuotaError)
    assert isinstance(absent.error, NotFoundError)
    assert "new" in place(emulator).snapshots["snap-a"].tags
    assert "new" not in place(emulator).snapshots["snap-b"].tags


def test_groups_take_no_tags(emulator: Emulator, driver: Driver) -> None:
    """Refused with the other way, before anything is sent."""
    with pytest.raises(UnsupportedError, match="tag the group's snapshots"):
        driver.tag(Kind.GROUP, ["csnap-1"], Tags([("a", "b")]))
    with pytest.raises(UnsupportedError):
        driver.untag(Kind.GROUP, ["csnap-1"], ["a"])

    assert [] == emulator.log


def test_several_are_deleted_by_one_call(emulator: Emulator, driver: Driver) -> None:
    """All or nothing is fine when it is all."""
    found = driver.delete_snapshots(["snap-a", "snap-b", "snap-a"], force=False)

    assert [("snap-a", True, False), ("snap-b", True, False)] == [
        (one.id, one.ok, one.absent) for one in found
    ]
    assert ["DeleteSnapshots"] == [one.operation for one in emulator.log]
    assert {} == {one: 0 for one in seen(driver) if one in ("snap-a", "snap-b")}


@pytest.mark.faults(76)
def test_absent_ones_do_not_stop_the_rest(emulator: Emulator, driver: Driver) -> None:
    """One missing id refuses the batch; absent is what a deletion wants."""
    found = driver.delete_snapshots(["snap-a", "snap-absent", "snap-b"], force=False)

    assert [(True, False), (True, True), (True, False)] == [(one.ok, one.absent) for one in found]
    assert not {"snap-a", "snap-b"} & set(seen(driver))
    again = driver.delete_snapshots(["snap-a", "snap-b"], force=False)
    assert [True, True] == [one.absent for one in again]


def test_each_refusal_finds_its_snapshot(emulator: Emulator, driver: Driver) -> None:
    """Images, shares and locks stop their own only; force does not delete images."""
    ids = ["snap-a", "snap-image", "snap-absent", "snap-shared", "snap-locked", "snap-theirs"]
    found = {one.id: one for one in driver.delete_snapshots(ids, force=True)}

    assert ids == list(found)
    assert {
        "snap-image": "UnsupportedOperation.SnapshotHasBindedImage",
        "snap-shared": "UnsupportedOperation.SnapHasShared",
        "snap-locked": "UnsupportedOperation",
        "snap-theirs": "UnsupportedOperation",
    } == {one.id: one.error.code for one in found.values() if one.error is not None}
    assert isinstance(found["snap-image"].error, ConflictError)
    assert found["snap-absent"].absent
    assert {"snap-image", "snap-shared", "snap-locked", "snap-theirs"} <= set(seen(driver))
    assert "snap-a" not in seen(driver)


def test_one_on_the_way_is_a_conflict_that_passes(emulator: Emulator, driver: Driver) -> None:
    """The vendor has one code for that, and an ambiguous one for other states."""
    made = driver.create_snapshot(NewSnapshot(disk_id="disk-data"))
    place(emulator).snapshots["snap-a"].word = "TORECYCLE"
    (creating,) = driver.delete_snapshots([made], force=False)
    (recycled,) = driver.delete_snapshots(["snap-a"], force=False)

    assert isinstance(creating.error, ConflictError)
    assert "ResourceUnavailable.SnapshotCreating" == creating.error.code
    assert isinstance(recycled.error, ConflictError)
    assert "InvalidSnapshot.NotSupported" == recycled.error.code
    assert "TORECYCLE" in str(recycled.error)


def test_a_denied_region_refuses_a_deletion_for_each(emulator: Emulator) -> None:
    """Which of several is not allowed the vendor does not say, so each is asked for."""
    denied = opened_in(emulator, "ap-beijing")
    found = denied.delete_snapshots(["snap-1", "snap-2"], force=False)

    assert [PermissionDeniedError, PermissionDeniedError] == [type(one.error) for one in found]


def test_a_group_goes_with_its_members(emulator: Emulator, driver: Driver) -> None:
    """The members' snapshots are named in the results; a second time it is absent."""
    made = driver.create_group(NewGroup(disk_ids=("disk-root", "disk-data"), name="g"))
    assert made.group_id is not None
    with pytest.raises(ConflictError):
        driver.delete_group(groups(driver, made.group_id)[0], force=False)
    later(emulator)
    (group,) = groups(driver, made.group_id)
    found = driver.delete_group(group, force=False)
    (again,) = driver.delete_group(group, force=False)

    assert [Kind.GROUP, Kind.SNAPSHOT, Kind.SNAPSHOT] == [one.kind for one in found]
    assert [True, True, True] == [one.ok for one in found]
    assert {one.id for one in found} == {group.id, *[member.id for member in group.members]}
    assert (True, Kind.GROUP) == (again.absent, again.kind)
    assert [] == groups(driver)
    assert not {member.id for member in group.members} & set(seen(driver))


def test_a_group_that_still_shows_is_not_called_absent(
    emulator: Emulator, driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not found may be one of its members, and then nothing was deleted."""
    place(emulator).add(GroupRecord(id="csnap-1", snapshot_ids=["snap-image"], created_at=NOW))

    (group,) = groups(driver)
    send = driver.connection.transport.call

    def refuse(_: Transport, api: Api, call: Call) -> Mapping[str, Any]:
        if call.operation == "DeleteSnapshotGroup":
            raise NotFoundError("no such snapshot", code="InvalidSnapshotId.NotFound")
        return send(api, call)

    monkeypatch.setattr(Transport, "call", refuse)
    with pytest.raises(NotFoundError, match="no such snapshot"):
        driver.delete_group(group, force=False)


def test_a_group_with_an_image_stays(emulator: Emulator, driver: Driver) -> None:
    """Images are never deleted, not by force either."""
    place(emulator).add(GroupRecord(id="csnap-1", snapshot_ids=["snap-image"], created_at=NOW))
    with pytest.raises(ConflictError, match="SnapshotHasBindedImage"):
        driver.delete_group(groups(driver)[0], force=True)

    assert "snap-image" in seen(driver)
    assert ["csnap-1"] == [one.id for one in groups(driver)]


def test_a_disk_is_restored_with_the_sources_product(driver: Driver) -> None:
    """Zone and product come from the snapshot and its disk."""
    made = driver.create_disk(
        NewDisk(snapshot_id="snap-a", name="restored", tags=Tags([("a", "b")]), token="t-1")
    )
    (found,) = driver.list_disks(DiskQuery(ids=frozenset({made})), cursor=None, limit=100).items

    assert ("restored", ZONE, "CLOUD_SSD", 50 * GIB, None, "UNATTACHED") == (
        found.name,
        found.zone,
        found.raw_category,
        found.size_bytes,
        found.instance_id,
        found.raw_status,
    )


def test_a_client_token_makes_one_disk(emulator: Emulator, driver: Driver) -> None:
    """The same order gives the same disk, another one is a conflict of keys."""
    new = NewDisk(snapshot_id="snap-a", token="t-1")
    before = len(place(emulator).disks)
    first, second = driver.create_disk(new), driver.create_disk(new)
    with pytest.raises(IdempotencyConflictError):
        driver.create_disk(attrs.evolve(new, size_bytes=100 * GIB))
    other = driver.create_disk(attrs.evolve(new, token="t-2"))

    assert first == second != other
    assert before + 2 == len(place(emulator).disks)


@pytest.mark.parametrize(
    ("new", "kind"),
    [
        (NewDisk(snapshot_id="snap-absent"), ArgumentError),
        (NewDisk(snapshot_id="snap-absent", zone=ZONE, raw_category="CLOUD_SSD"), NotFoundError),
        (NewDisk(snapshot_id="snap-a", size_bytes=10 * GIB), InvalidRequestError),
        (NewDisk(snapshot_id="snap-a", zone="ap-shanghai-1"), InvalidRequestError),
        (NewDisk(snapshot_id="snap-a", raw_category="cloud_essd"), InvalidRequestError),
        (NewDisk(snapshot_id="snap-b"), UnsupportedError),
        (NewDisk(snapshot_id="snap-copy", zone=ZONE), ArgumentError),
    ],
    ids=["no source", "absent", "too small", "zone", "product", "system disk", "a copy's product"],
)
def test_a_restore_may_be_refused(
    emulator: Emulator, driver: Driver, new: NewDisk, kind: type[SnapkitError]
) -> None:
    """By us where we know, by the vendor else; no disk is made."""
    before = len(place(emulator).disks)
    with pytest.raises(kind):
        driver.create_disk(new)

    assert before == len(place(emulator).disks)


def test_a_copy_is_restored_when_the_product_is_named(driver: Driver) -> None:
    """It has no disk whose product could be taken over."""
    new = NewDisk(snapshot_id="snap-copy", raw_category="CLOUD_PREMIUM", zone=ZONE)

    assert driver.create_disk(new).startswith("disk-")


def test_a_rollback_shows_in_snapshot_and_disk_and_ends(emulator: Emulator, driver: Driver) -> None:
    """Both are busy for a while; a second one meanwhile is a conflict."""
    pair = RollBack(snapshot_id="snap-a", disk_id="disk-data")
    (found,) = driver.roll_back([pair], group_id=None, stop=True, start=True)
    during = seen(driver, "snap-a")["snap-a"]
    (busy,) = driver.list_disks(
        DiskQuery(ids=frozenset({"disk-data"})), cursor=None, limit=100
    ).items
    with pytest.raises(ConflictError):
        driver.roll_back([pair], group_id=None, stop=True, start=True)
    later(emulator, 10)
    after = seen(driver, "snap-a")["snap-a"]
    (quiet,) = driver.list_disks(
        DiskQuery(ids=frozenset({"disk-data"})), cursor=None, limit=100
    ).items

    assert ("snap-a", True) == (found.id, found.ok)
    assert SnapshotStatus.RESTORING is during.status
    assert (True, False) == (busy.busy, quiet.busy)
    assert SnapshotStatus.AVAILABLE is after.status


@pytest.mark.parametrize(
    ("pair", "stop", "kind"),
    [
        (("snap-a", "disk-data"), False, ConflictError),
        (("snap-a", "disk-free"), True, InvalidRequestError),
        (("snap-copy", "disk-data"), True, InvalidRequestError),
        (("snap-absent", "disk-data"), True, NotFoundError),
        (("snap-a", "disk-absent"), True, NotFoundError),
    ],
    ids=["running", "another disk", "a copy", "no snapshot", "no disk"],
)
def test_a_rollback_may_be_refused(
    driver: Driver, pair: tuple[str, str], stop: bool, kind: type[SnapkitError]
) -> None:
    """A running instance needs leave to be stopped; only the own disk is put back."""
    with pytest.raises(kind):
        driver.roll_back(
            [RollBack(snapshot_id=pair[0], disk_id=pair[1])], group_id=None, stop=stop, start=False
        )


def test_several_rollbacks_have_a_result_each(driver: Driver) -> None:
    """A free disk needs nobody stopped; the other does."""
    pairs = [
        RollBack(snapshot_id="snap-free", disk_id="disk-free"),
        RollBack(snapshot_id="snap-a", disk_id="disk-data"),
    ]
    good, running = driver.roll_back(pairs, group_id=None, stop=False, start=False)

    assert good.ok
    assert isinstance(running.error, ConflictError)


def test_a_group_is_rolled_back_in_one_call(emulator: Emulator, driver: Driver) -> None:
    """Group, members and disks are busy together."""
    made = driver.create_group(NewGroup(disk_ids=("disk-root", "disk-data"), name="g"))
    later(emulator)
    assert made.group_id is not None
    members = seen(driver, *[one.id for one in groups(driver, made.group_id)[0].members])
    pairs = [RollBack(snapshot_id=one.id, disk_id=one.source.id or "") for one in members.values()]
    found = driver.roll_back(pairs, group_id=made.group_id, stop=True, start=False)
    (during,) = groups(driver, made.group_id)
    later(emulator, 10)
    (after,) = groups(driver, made.group_id)

    assert [True, True] == [one.ok for one in found]
    assert (SnapshotStatus.RESTORING, SnapshotStatus.AVAILABLE) == (during.status, after.status)
    with pytest.raises(InvalidRequestError):
        driver.roll_back(
            [RollBack(snapshot_id="snap-a", disk_id="disk-data")],
            group_id=made.group_id,
            stop=True,
            start=False,
        )
    with pytest.raises(NotFoundError):
        driver.roll_back(pairs, group_id="csnap-absent", stop=True, start=False)


def test_a_copy_arrives_in_the_other_region(emulator: Emulator, driver: Driver) -> None:
    """Copying, then verified, then usable; meanwhile the source cannot be deleted."""
    (made,) = driver.copy_snapshot(CopyOrder(snapshot_id="snap-a", regions=(OTHER,)))
    there = opened_in(emulator, OTHER)
    assert made.snapshot_id is not None
    young = seen(there, made.snapshot_id)[made.snapshot_id]
    source = seen(driver, "snap-a")["snap-a"]
    (kept,) = driver.delete_snapshots(["snap-a"], force=False)
    (again,) = driver.copy_snapshot(CopyOrder(snapshot_id="snap-a", regions=(OTHER,)))
    later(emulator, 20)
    checked = seen(there, made.snapshot_id)[made.snapshot_id]
    later(emulator)
    grown = seen(there, made.snapshot_id)[made.snapshot_id]

    assert [SnapshotStatus.COPYING, SnapshotStatus.VERIFYING, SnapshotStatus.AVAILABLE] == [
        one.status for one in (young, checked, grown)
    ]
    assert (Origin.COPY, None, f"Copied snap-a from {REGION}") == (
        grown.origin,
        grown.source.id,
        grown.name,
    )
    (blocker,) = driver.blockers(Capability.DELETE, source)
    assert (Reason.COPYING, (OTHER,)) == (blocker.reason, blocker.names)
    assert isinstance(kept.error, ConflictError)
    assert "ResourceInUse.CopySnapshotConflict" == (again.error and again.error.code)
    assert () == driver.blockers(Capability.DELETE, seen(driver, "snap-a")["snap-a"])


def test_a_copy_to_several_regions_fails_one_by_one(emulator: Emulator, driver: Driver) -> None:
    """Inside one success: made, not allowed, no such region."""
    made, denied, unknown = driver.copy_snapshot(
        CopyOrder(snapshot_id="snap-a", regions=(OTHER, "ap-beijing", "ap-atlantis"), name="n")
    )

    assert made.error is None
    assert made.snapshot_id in place(emulator, OTHER).snapshots
    assert isinstance(denied.error, PermissionDeniedError)
    assert isinstance(unknown.error, UnsupportedError)
    with pytest.raises(NotFoundError):
        driver.copy_snapshot(CopyOrder(snapshot_id="snap-absent", regions=(OTHER,)))


def test_shares_begin_and_end(driver: Driver) -> None:
    """Twice the same is fine; a shared one is not deleted."""
    for _ in range(2):
        driver.share(["snap-a"], ["100000000009"], share=True)
    shared = seen(driver, "snap-a")["snap-a"]
    (kept,) = driver.delete_snapshots(["snap-a"], force=False)
    driver.share(["snap-a"], ["100000000009"], share=False)

    assert (1, 0) == (shared.usage.shares, seen(driver, "snap-a")["snap-a"].usage.shares)
    assert isinstance(kept.error, ConflictError)


@pytest.mark.parametrize(
    ("snapshot_id", "account", "kind"),
    [
        ("snap-absent", "100000000009", NotFoundError),
        ("snap-a", "somebody", InvalidRequestError),
        ("snap-b", "100000000009", UnsupportedError),
    ],
    ids=["absent", "account", "system disk"],
)
def test_a_share_may_be_refused(
    driver: Driver, snapshot_id: str, account: str, kind: type[SnapkitError]
) -> None:
    """Accounts are numbers, and only data disks are shared."""
    with pytest.raises(kind):
        driver.share([snapshot_id], [account], share=True)


def test_what_is_new_may_be_invisible_for_a_while(emulator: Emulator, driver: Driver) -> None:
    """Read-after-write lag: snapshots, groups, disks; what is older is always there."""
    assert isinstance(emulator.world, SlowWorld)
    emulator.world.lag = 5.0
    made = driver.create_snapshot(NewSnapshot(disk_id="disk-data"))
    group = driver.create_group(NewGroup(disk_ids=("disk-far",)))
    restored = driver.create_disk(NewDisk(snapshot_id="snap-a"))
    one = DiskQuery(ids=frozenset({restored}))
    before = seen(driver, made), groups(driver), driver.list_disks(one, cursor=None, limit=9).items
    later(emulator, 6)

    assert ({}, [], []) == (before[0], before[1], list(before[2]))
    assert {made} == set(seen(driver, made))
    assert [group.group_id] == [found.id for found in groups(driver)]
    assert 1 == len(driver.list_disks(one, cursor=None, limit=9).items)
    assert "snap-a" in seen(driver)


def test_the_old_api_refuses_every_write_with_the_reason(emulator: Emulator) -> None:
    """It is spoken for reading only, and nothing is sent."""
    old = opened_in(emulator, REGION, api="2.0")
    group = SnapshotGroup(
        id="csnap-1",
        provider="tencent",
        account="",
        region=REGION,
        name=None,
        status=SnapshotStatus.AVAILABLE,
        raw_status="NORMAL",
        members=(),
    )
    pair = RollBack(snapshot_id="snap-a", disk_id="disk-data")
    order = CopyOrder(snapshot_id="snap-a", regions=(OTHER,))
    disk_order = NewDisk(snapshot_id="snap-a", zone=ZONE, raw_category="CLOUD_SSD")
    acts: list[Any] = [
        lambda: old.list_disks(DiskQuery(instance_id="ins-1"), cursor=None, limit=100),
        lambda: old.create_snapshot(NewSnapshot(disk_id="disk-data")),
        lambda: old.create_group(NewGroup(disk_ids=("disk-data",))),
        lambda: old.change_snapshot("snap-a", Change(name="n")),
        lambda: old.delete_snapshots(["snap-a"], force=False),
        lambda: old.delete_group(group, force=False),
        lambda: old.create_disk(disk_order),
        lambda: old.roll_back([pair], group_id=None, stop=False, start=False),
        lambda: old.copy_snapshot(order),
        lambda: old.share(["snap-a"], ["1"], share=True),
        lambda: old.lock("snap-a", days=1),
    ]
    for act in acts:
        with pytest.raises(UnsupportedError, match=r"use api=3\.0"):
            act()

    assert [] == emulator.log
    assert not old.capabilities


def test_locks_are_refused_with_the_reason(driver: Driver) -> None:
    """The API shows them and has no action for them."""
    with pytest.raises(UnsupportedError, match="no public action"):
        driver.lock("snap-a", days=1)
    with pytest.raises(UnsupportedError, match="rename its snapshots"):
        driver.change_group("csnap-1", Change(name="n"))
