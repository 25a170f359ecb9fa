"""The adapter's writing methods and the emulated QingCloud, over a wire."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from snapkit.driver import Capability
from snapkit.emulator import Emulator, Fault, World
from snapkit.emulator.server import FaultKind
from snapkit.emulator.state import AccountState, Disk, EmulatedClock, RegionState, SnapshotRecord
from snapkit.errors import (
    ArgumentError,
    ConflictError,
    Failure,
    NotFoundError,
    PermissionDeniedError,
    QuotaError,
    Retry,
    Sent,
    SnapkitError,
    ThrottledError,
    UnavailableError,
    UnsupportedError,
)
from snapkit.model import DiskRole, Kind, Snapshot, SnapshotKind, SnapshotStatus, Tags
from snapkit.paging import Cursor, Page
from snapkit.query import SnapshotQuery
from snapkit.settings import open_driver
from snapkit.transport import Clock
from snapkit.walking import walk
from snapkit.writes import (
    Change,
    CopyOrder,
    DiskQuery,
    MarkerPlace,
    NewDisk,
    NewGroup,
    NewSnapshot,
    Reason,
    RollBack,
)
from snapkit.writes import Disk as DiskNow
from snapkit_qingcloud.driver import QingCloudDriver

GIB = 2**30


@pytest.fixture
def region() -> RegionState:
    """Two servers, the first with two data disks, and a volume on none."""
    state = RegionState(id="pek3")
    system: dict[str, Any] = {"role": DiskRole.SYSTEM, "size_gib": 40, "zone": "pek3b"}
    data: dict[str, Any] = {"size_gib": 100, "category": "200", "zone": "pek3b"}
    state.add(
        Disk(id="sys-1", instance_id="i-1", name="web", **system),
        Disk(id="vol-a", instance_id="i-1", **data),
        Disk(id="vol-b", instance_id="i-1", **data),
        Disk(id="sys-2", instance_id="i-2", name="db", **system),
        Disk(id="vol-c", instance_id="i-2", **data),
        Disk(id="vol-d", **data),
    )
    return state


@pytest.fixture
def emulator(region: RegionState) -> Iterator[Emulator]:
    """The emulated cloud; its time stands still until it is moved."""
    account = AccountState(
        provider="qingcloud", label="demo", key_id="QYEXAMPLE", secret="EXAMPLE-secret"
    )
    account.regions["pek3"] = region
    start = int(EmulatedClock().now())
    clock = EmulatedClock()
    clock.ahead = start - clock.now()
    with Emulator(World(accounts=[account], clock=clock)) as running:
        yield running


@pytest.fixture
def driver(emulator: Emulator) -> Iterator[QingCloudDriver]:
    """A driver that never really sleeps."""
    target = emulator.targets("qingcloud")[0]
    opened = open_driver(target, clock=Clock(sleep=lambda _: None))
    assert isinstance(opened, QingCloudDriver)
    yield opened
    opened.close()


Snap = Callable[..., str]


@pytest.fixture
def snap(driver: QingCloudDriver, emulator: Emulator) -> Snap:
    """Makes a snapshot and waits on the clouds' clock until it is available."""

    def make(disk_id: str = "vol-a", **facts: Any) -> str:
        made = driver.create_snapshot(NewSnapshot(disk_id=disk_id, **facts))
        emulator.world.clock.advance(20)
        return made

    return make


def seen(driver: QingCloudDriver, *ids: str) -> dict[str, Snapshot]:
    query = SnapshotQuery(ids=frozenset(ids) if ids else None, include_deleted=True)
    page = driver.list_snapshots(query, cursor=None, limit=100)
    return {snapshot.id: snapshot for snapshot in page.items}


def operations(emulator: Emulator) -> list[str]:
    return [exchange.operation for exchange in emulator.log]


def test_a_snapshot_is_created_cut_and_available(
    driver: QingCloudDriver, emulator: Emulator
) -> None:
    """The moments that a backup tool waits for, by the clouds' clock."""
    made = driver.create_snapshot(NewSnapshot(disk_id="vol-a", name="nightly"))
    started = seen(driver, made)[made]
    emulator.world.clock.advance(3)
    cut = seen(driver, made)[made]
    emulator.world.clock.advance(20)
    ready = seen(driver, made)[made]

    assert ("nightly", "vol-a", 100 * GIB) == (started.name, started.source.id, started.size_bytes)
    assert [SnapshotStatus.CREATING, SnapshotStatus.CREATING, SnapshotStatus.AVAILABLE] == [
        one.status for one in (started, cut, ready)
    ]
    assert (None, True) == (started.cut_at, ready.restorable)
    assert cut.cut_at is not None


def test_the_second_snapshot_of_a_disk_builds_on_the_first(snap: Snap, region: RegionState) -> None:
    """By default snapkit leaves the choice to QingCloud, which takes an increment."""
    first, second = snap(), snap()
    alone = snap(kind=SnapshotKind.FULL)

    assert (True, None) == (region.snapshots[first].full, region.snapshots[first].parent_id)
    assert (False, first) == (region.snapshots[second].full, region.snapshots[second].parent_id)
    assert (True, None) == (region.snapshots[alone].full, region.snapshots[alone].parent_id)


def test_a_system_disk_is_snapshotted_by_its_server(driver: QingCloudDriver, snap: Snap) -> None:
    """QingCloud has no other name for it."""
    made = snap("i-1")
    source = seen(driver, made)[made].source

    assert ("i-1", "i-1", DiskRole.SYSTEM) == (source.id, source.instance_id, source.role)


@pytest.mark.parametrize(
    ("new", "error"),
    [
        (NewSnapshot(disk_id="vol-none"), NotFoundError),
        (NewSnapshot(disk_id="d-bp67acfmxazb4p"), NotFoundError),
        (NewSnapshot(disk_id="vol-a", tags=Tags([("env", "prod")])), ArgumentError),
        (NewSnapshot(disk_id="vol-a", tags=Tags([("fifteen-letters", "")])), ArgumentError),
        (
            NewSnapshot(disk_id="vol-a", expires_at=datetime(2030, 1, 1, tzinfo=UTC)),
            UnsupportedError,
        ),
    ],
    ids=["absent", "of-another-cloud", "tag-with-value", "long-label", "expiry"],
)
def test_a_snapshot_that_cannot_be_is_refused(
    driver: QingCloudDriver, region: RegionState, new: NewSnapshot, error: type[SnapkitError]
) -> None:
    """Before anything was made."""
    with pytest.raises(error) as caught:
        driver.create_snapshot(new)

    assert Sent.NO is caught.value.sent
    assert not region.snapshots


def test_two_snapshots_of_one_disk_at_a_time_are_a_conflict(driver: QingCloudDriver) -> None:
    """It passes when the first is finished."""
    driver.create_snapshot(NewSnapshot(disk_id="vol-a"))

    with pytest.raises(ConflictError) as caught:
        driver.create_snapshot(NewSnapshot(disk_id="vol-a"))
    assert Retry.STATE is caught.value.retry


def test_a_third_chain_is_over_the_quota(snap: Snap) -> None:
    """Its text is the only sign: the code is that of a refusal."""
    snap(kind=SnapshotKind.FULL)
    snap(kind=SnapshotKind.FULL)

    with pytest.raises(QuotaError, match="up to \\[2\\]"):
        snap(kind=SnapshotKind.FULL)


def test_a_full_chain_is_followed_by_a_new_one(region: RegionState, snap: Snap) -> None:
    """Thirty points are the most that a chain has."""
    made = [snap() for _ in range(31)]
    full = [one for one in made if region.snapshots[one].full]

    assert [made[0], made[30]] == full


def test_description_and_labels_follow_the_creation(driver: QingCloudDriver, snap: Snap) -> None:
    """Twice is fine: an adopted snapshot is finished again."""
    new = NewSnapshot(disk_id="vol-a", description="每日", tags=Tags([("prod", ""), ("夜间", "")]))
    made = snap("vol-a")
    for _ in range(2):
        driver.finish_snapshot(made, new)
    shown = seen(driver, made)[made]

    assert ("每日", {"prod": "", "夜间": ""}) == (shown.description, dict(shown.tags or {}))


def test_nothing_to_finish_sends_nothing(
    driver: QingCloudDriver, emulator: Emulator, snap: Snap
) -> None:
    """Calls are dear: 2000 an hour."""
    made = snap()
    driver.finish_snapshot(made, NewSnapshot(disk_id="vol-a"))

    assert ["CreateSnapshots"] == operations(emulator)


def test_a_group_shares_time_and_name(driver: QingCloudDriver, emulator: Emulator) -> None:
    """So that it is one when groups are derived."""
    disks = ("i-1", "vol-a", "vol-b")
    made = driver.create_group(NewGroup(disk_ids=disks, name="nightly"))
    emulator.world.clock.advance(20)
    [group] = driver.derive_groups(list(seen(driver).values()))

    assert made.group_id is None
    assert set(made.snapshot_ids) == {member.id for member in group.members}
    assert ("i-1", "nightly", SnapshotStatus.AVAILABLE) == (
        group.instance_id,
        group.name,
        group.status,
    )
    assert set(disks) == {member.source.id for member in group.members}


@pytest.mark.parametrize(
    ("disk_ids", "error"),
    [
        ((), ArgumentError),
        (("vol-a",), ArgumentError),
        (("vol-a", "vol-a"), ArgumentError),
        (("vol-a", "vol-c"), ArgumentError),
        (("i-1", "vol-c"), ArgumentError),
        (("vol-a", "vol-d"), ArgumentError),
        (("vol-a", "vol-none"), NotFoundError),
    ],
    ids=["none", "one", "one-twice", "two-servers", "system-disk-of-another", "detached", "absent"],
)
def test_a_group_is_of_one_server(
    driver: QingCloudDriver,
    region: RegionState,
    disk_ids: tuple[str, ...],
    error: type[SnapkitError],
) -> None:
    """Only those disks are consistent with one another."""
    with pytest.raises(error):
        driver.create_group(NewGroup(disk_ids=disk_ids))

    assert not region.snapshots


def test_a_servers_disks_are_its_system_disk_and_its_volumes(driver: QingCloudDriver) -> None:
    """What a group of the whole server is made of."""
    page = driver.list_disks(DiskQuery(instance_id="i-1"), cursor=None, limit=100)

    assert ["i-1", "vol-a", "vol-b"] == [disk.id for disk in page.items]
    assert [DiskRole.SYSTEM, DiskRole.DATA, DiskRole.DATA] == [disk.role for disk in page.items]
    assert [40 * GIB, 100 * GIB, 100 * GIB] == [disk.size_bytes for disk in page.items]
    assert {"i-1"} == {disk.instance_id for disk in page.items}
    assert {"pek3b"} == {disk.zone for disk in page.items}
    assert (3, 0) == (page.total, page.start)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_disks_are_paged_over_servers_and_volumes(driver: QingCloudDriver, limit: int) -> None:
    """Two listings of the server's are one here."""
    query = DiskQuery(ids=frozenset(("i-1", "i-2", "i-none", "vol-a", "vol-d", "vol-none")))

    def fetch(cursor: Cursor | None, size: int) -> Page[DiskNow]:
        return driver.list_disks(query, cursor=cursor, limit=size)

    def name(disk: DiskNow) -> str:
        return disk.id

    pages = walk(fetch, limit=limit, key=name)

    assert ["i-1", "i-2", "vol-a", "vol-d"] == sorted(disk.id for page in pages for disk in page)


def test_an_absent_server_has_no_disks(driver: QingCloudDriver) -> None:
    """An empty page, not an error."""
    page = driver.list_disks(DiskQuery(instance_id="i-none"), cursor=None, limit=100)

    assert ([], 0) == (list(page.items), page.total)


def test_a_snapshot_is_renamed_and_described(driver: QingCloudDriver, snap: Snap) -> None:
    """One without the other stays as it is."""
    made = snap(name="old")
    driver.change_snapshot(made, Change(name="new"))
    driver.change_snapshot(made, Change(description="said"))
    shown = seen(driver, made)[made]

    assert ("new", "said") == (shown.name, shown.description)


def test_a_description_is_cleared(driver: QingCloudDriver, snap: Snap) -> None:
    """An empty text would be taken for none given, so a blank is sent."""
    made = snap(name="kept")
    driver.change_snapshot(made, Change(description="said"))
    driver.change_snapshot(made, Change(description=""))
    shown = seen(driver, made)[made]

    assert ("kept", None) == (shown.name, shown.description)


def test_what_was_not_cleared_is_said(
    driver: QingCloudDriver, region: RegionState, snap: Snap
) -> None:
    """No server is trusted to take the blank."""
    made = snap()
    region.snapshots[made].row["description"] = "stays"

    with pytest.raises(SnapkitError, match="did not clear") as caught:
        driver.change_snapshot(made, Change(description=""))
    assert Sent.YES is caught.value.sent


@pytest.mark.parametrize(
    "change", [Change(permanent=True), Change(expires_at=datetime(2030, 1, 1, tzinfo=UTC))]
)
def test_there_is_no_expiry(driver: QingCloudDriver, change: Change) -> None:
    """With the other way in the hint."""
    with pytest.raises(UnsupportedError, match="delete by age"):
        driver.change_snapshot("ss-1", change)


def test_no_change_sends_nothing(driver: QingCloudDriver, emulator: Emulator) -> None:
    """An empty request would be refused."""
    driver.change_snapshot("ss-1", Change())

    assert [] == operations(emulator)


def test_changing_an_absent_snapshot_is_an_error(driver: QingCloudDriver) -> None:
    """Unlike deleting it."""
    with pytest.raises(NotFoundError):
        driver.change_snapshot("ss-none", Change(name="x"))


def test_labels_are_put_on_and_taken_off(driver: QingCloudDriver, snap: Snap) -> None:
    """A label that is there already is used, one on none is fine to take off."""
    ids = [snap("vol-a"), snap("vol-b")]
    put = driver.tag(Kind.SNAPSHOT, ids, Tags([("prod", ""), ("夜间", "")]))
    more = driver.tag(Kind.SNAPSHOT, ids[:1], Tags([("prod", ""), ("pro", "")]))
    taken = driver.untag(Kind.SNAPSHOT, ids, ["夜间", "nowhere"])
    shown = seen(driver, *ids)

    assert [ids, ids[:1], ids] == [[one.id for one in results] for results in (put, more, taken)]
    assert {"prod", "pro"} == set(shown[ids[0]].tags or ())
    assert {"prod"} == set(shown[ids[1]].tags or ())


def test_a_label_that_somebody_made_meanwhile_is_used(
    driver: QingCloudDriver, emulator: Emulator, snap: Snap
) -> None:
    """Its name is unique, so a lost answer or a rival leave one label."""
    made = snap()
    emulator.faults.append(Fault(kind="cut-after", operation="CreateTag"))
    driver.tag(Kind.SNAPSHOT, [made], Tags([("prod", "")]))

    assert 2 == operations(emulator).count("CreateTag")
    assert {"prod"} == set(seen(driver, made)[made].tags or ())


def test_labels_have_no_values(driver: QingCloudDriver, emulator: Emulator) -> None:
    """Said before anything is sent."""
    with pytest.raises(ArgumentError, match="labels"):
        driver.tag(Kind.SNAPSHOT, ["ss-1"], Tags([("env", "prod")]))
    assert [] == operations(emulator)


def test_labelling_an_absent_snapshot_is_an_error(driver: QingCloudDriver) -> None:
    """The server refuses all pairs together."""
    with pytest.raises(NotFoundError):
        driver.tag(Kind.SNAPSHOT, ["ss-none"], Tags([("prod", "")]))


def test_snapshots_are_deleted(driver: QingCloudDriver, emulator: Emulator, snap: Snap) -> None:
    """Deleting for a while, then deleted, then not shown."""
    ids = [snap("vol-a"), snap("vol-b")]
    results = driver.delete_snapshots(ids, force=False)
    going = {one.status for one in seen(driver, *ids).values()}
    emulator.world.clock.advance(10)
    gone = {one.status for one in seen(driver, *ids).values()}

    assert [(one, True, False) for one in ids] == [(r.id, r.ok, r.absent) for r in results]
    assert ({SnapshotStatus.DELETING}, {SnapshotStatus.DELETED}) == (going, gone)


def test_what_builds_on_a_snapshot_is_deleted_with_it(
    driver: QingCloudDriver, emulator: Emulator, snap: Snap
) -> None:
    """Which is why the core plans deletions here."""
    ids = [snap() for _ in range(4)]
    driver.delete_snapshots([ids[1]], force=False)
    emulator.world.clock.advance(10)
    shown = seen(driver, *ids)

    assert QingCloudDriver.deletes_subtree
    assert ids[:1] == [one for one in ids if shown[one].status is SnapshotStatus.AVAILABLE]


@pytest.mark.faults(76)
def test_absent_and_twice_deleted_snapshots_are_no_errors(
    driver: QingCloudDriver, emulator: Emulator, snap: Snap
) -> None:
    """They are as they were wanted, and hinder no others."""
    old, new = snap("vol-a"), snap("vol-b")
    driver.delete_snapshots([old], force=False)
    again = driver.delete_snapshots([old], force=False)
    emulator.world.clock.advance(10)
    results = driver.delete_snapshots(["ss-none", old, new], force=False)

    assert [(old, True, False)] == [(one.id, one.ok, one.absent) for one in again]
    assert [("ss-none", True, True), (old, True, True), (new, True, False)] == [
        (one.id, one.ok, one.absent) for one in results
    ]
    assert SnapshotStatus.DELETING is seen(driver, new)[new].status


def test_one_refusal_does_not_save_the_others(
    driver: QingCloudDriver, emulator: Emulator, region: RegionState, snap: Snap
) -> None:
    """The server refuses all together; each is told for itself."""
    ids = [snap("vol-a"), snap("vol-b"), snap("vol-c")]
    region.snapshots[ids[1]].word = "available/applying"
    results = driver.delete_snapshots(ids, force=False)

    assert [True, False, True] == [one.ok for one in results]
    assert isinstance(results[1].error, ConflictError)
    assert "1400" == results[1].error.code
    assert {SnapshotStatus.DELETING} == {seen(driver, one)[one].status for one in (ids[0], ids[2])}


def test_a_parent_takes_its_named_child_along(driver: QingCloudDriver, snap: Snap) -> None:
    """Whichever comes first, and when they are tried one by one."""
    ids = [snap(), snap(), "ss-none"]
    results = driver.delete_snapshots(ids, force=False)

    assert [True, True, True] == [one.ok for one in results]


def test_a_refusal_of_the_whole_is_raised(
    driver: QingCloudDriver, emulator: Emulator, snap: Snap
) -> None:
    """It says nothing about single snapshots."""
    made = snap()
    emulator.faults.append(Fault(kind="refuse", failure=Failure.PERMISSION))

    with pytest.raises(PermissionDeniedError):
        driver.delete_snapshots([made], force=False)


def test_a_snapshot_being_created_is_deleted_later(driver: QingCloudDriver) -> None:
    """The server says "try later"; nothing was executed."""
    made = driver.create_snapshot(NewSnapshot(disk_id="vol-a"))
    [result] = driver.delete_snapshots([made], force=False)

    assert isinstance(result.error, ConflictError)
    assert (Retry.BACKOFF, Sent.NO) == (result.error.retry, result.error.sent)


def test_a_lost_answer_to_a_deletion_is_found_out(
    driver: QingCloudDriver, emulator: Emulator, snap: Snap
) -> None:
    """The second request meets a snapshot that is going."""
    made = snap()
    emulator.faults.append(Fault(kind="cut-after", operation="DeleteSnapshots"))
    [result] = driver.delete_snapshots([made], force=False)

    assert result.ok
    assert 2 == operations(emulator).count("DeleteSnapshots")


def test_a_group_is_deleted_by_its_members(
    driver: QingCloudDriver, emulator: Emulator, snap: Snap
) -> None:
    """Others of the same disks stay."""
    other = snap("vol-a")
    driver.create_group(NewGroup(disk_ids=("vol-a", "vol-b"), name="g"))
    emulator.world.clock.advance(20)
    [group] = driver.derive_groups(list(seen(driver).values()))
    results = driver.delete_group(group, force=False)
    shown = seen(driver)

    assert {member.id for member in group.members} == {one.id for one in results}
    assert [other] == [one for one in shown if shown[one].status is SnapshotStatus.AVAILABLE]


def test_a_volume_is_made_from_a_snapshot(
    driver: QingCloudDriver, emulator: Emulator, snap: Snap
) -> None:
    """In any zone of the region, with the source's size and type; found again by its name."""
    made = snap("vol-a")
    disk_id = driver.create_disk(NewDisk(snapshot_id=made, zone="pek3c", name="back~1"))
    driver.create_disk(NewDisk(snapshot_id=made, name="back~11"))
    [young] = driver.disks_named("back~1")
    emulator.world.clock.advance(20)
    [ready] = driver.disks_named("back~1")

    assert (disk_id, "pek3c", 100 * GIB, "200") == (
        young.id,
        young.zone,
        young.size_bytes,
        young.raw_category,
    )
    assert [("pending", True), ("available", False)] == [
        (one.raw_status, one.busy) for one in (young, ready)
    ]


def test_size_and_type_may_be_said_if_they_are_the_sources(
    driver: QingCloudDriver, snap: Snap
) -> None:
    """Portable callers name them."""
    made = snap("vol-a")
    new = NewDisk(snapshot_id=made, size_bytes=100 * GIB, raw_category="200")

    assert driver.create_disk(new).startswith("vol-")


@pytest.mark.parametrize(
    "other",
    [{"size_bytes": 200 * GIB}, {"raw_category": "3"}, {"tags": Tags([("prod", "")])}],
    ids=["size", "type", "tags"],
)
def test_another_size_type_or_a_label_is_refused(
    driver: QingCloudDriver, region: RegionState, snap: Snap, other: dict[str, Any]
) -> None:
    """Rather than a disk that is not the one asked for."""
    made, before = snap("vol-a"), len(region.disks)

    with pytest.raises(ArgumentError):
        driver.create_disk(NewDisk(snapshot_id=made, **other))
    assert before == len(region.disks)


def test_a_system_disks_snapshot_becomes_no_volume(driver: QingCloudDriver, snap: Snap) -> None:
    """The core asks for blockers first; the server refuses too."""
    system, data = snap("i-1"), snap("vol-a")
    shown = seen(driver, system, data)
    [blocker] = driver.blockers(Capability.RESTORE, shown[system])

    assert (Reason.SYSTEM_DISK, False) == (blocker.reason, blocker.forced)
    assert not driver.blockers(Capability.RESTORE, shown[data])
    assert not driver.blockers(Capability.DELETE, shown[system])
    with pytest.raises(SnapkitError):
        driver.create_disk(NewDisk(snapshot_id=system))


def test_a_volume_needs_an_available_snapshot(driver: QingCloudDriver) -> None:
    """Right after its creation it is not."""
    made = driver.create_snapshot(NewSnapshot(disk_id="vol-a"))

    with pytest.raises(ConflictError) as caught:
        driver.create_disk(NewDisk(snapshot_id=made))
    assert Retry.STATE is caught.value.retry


def back(snapshot_id: str, disk_id: str) -> list[RollBack]:
    return [RollBack(snapshot_id=snapshot_id, disk_id=disk_id)]


def test_a_disk_is_rolled_back(
    driver: QingCloudDriver, emulator: Emulator, region: RegionState, snap: Snap
) -> None:
    """Snapshot and disk show it for a while; the next increment hangs below the applied node."""
    first, _ = snap("vol-a"), snap("vol-a")
    results = driver.roll_back(back(first, "vol-a"), group_id=None, stop=True, start=True)
    query = DiskQuery(ids=frozenset(("vol-a", "i-1")))
    during = driver.list_disks(query, cursor=None, limit=100)
    applying = seen(driver, first)[first]
    emulator.world.clock.advance(20)
    after = driver.list_disks(query, cursor=None, limit=100)
    third = snap("vol-a")

    assert [(first, True)] == [(one.id, one.ok) for one in results]
    assert (SnapshotStatus.RESTORING, SnapshotStatus.AVAILABLE) == (
        applying.status,
        seen(driver, first)[first].status,
    )
    assert [True, True] == [disk.busy for disk in during.items]
    assert [False, False] == [disk.busy for disk in after.items]
    assert first == region.snapshots[third].parent_id


@pytest.mark.parametrize(("stop", "start"), [(False, False), (True, False), (False, True)])
def test_a_running_server_is_restarted_only_if_both_are_allowed(
    driver: QingCloudDriver, emulator: Emulator, snap: Snap, stop: bool, start: bool
) -> None:
    """QingCloud does it without asking."""
    made = snap("vol-a")

    with pytest.raises(ArgumentError, match=r"restarts the server i-1.*allow"):
        driver.roll_back(back(made, "vol-a"), group_id=None, stop=stop, start=start)
    assert "ApplySnapshots" not in operations(emulator)


def test_a_detached_disk_is_rolled_back_without_a_word(driver: QingCloudDriver, snap: Snap) -> None:
    """No server restarts."""
    made = snap("vol-d")
    [result] = driver.roll_back(back(made, "vol-d"), group_id=None, stop=False, start=False)

    assert result.ok


def test_a_group_is_rolled_back_in_one_call(driver: QingCloudDriver, emulator: Emulator) -> None:
    """The server restarts once."""
    made = driver.create_group(NewGroup(disk_ids=("i-1", "vol-a"), name="g"))
    emulator.world.clock.advance(20)
    shown = seen(driver, *made.snapshot_ids)
    wanted = [RollBack(snapshot_id=one.id, disk_id=one.source.id or "") for one in shown.values()]
    results = driver.roll_back(wanted, group_id="grp-1", stop=True, start=True)

    assert [True, True] == [one.ok for one in results]
    assert 1 == operations(emulator).count("ApplySnapshots")


def test_only_the_snapshots_own_disk_is_rolled_back(
    driver: QingCloudDriver, emulator: Emulator, snap: Snap
) -> None:
    """ApplySnapshots names no disk: another wish would destroy the wrong one's data."""
    made = snap("vol-a")

    with pytest.raises(ArgumentError, match="was taken from vol-a, not from vol-b"):
        driver.roll_back(back(made, "vol-b"), group_id=None, stop=True, start=True)
    assert "ApplySnapshots" not in operations(emulator)


def test_rolling_back_to_what_is_not_there_is_an_error(
    driver: QingCloudDriver, region: RegionState, snap: Snap
) -> None:
    """Neither an absent snapshot nor a deleted disk."""
    made = snap("vol-d")
    del region.disks["vol-d"]

    for snapshot_id, disk_id in (("ss-none", "vol-a"), (made, "vol-d")):
        with pytest.raises(NotFoundError):
            driver.roll_back(back(snapshot_id, disk_id), group_id=None, stop=True, start=True)


@pytest.mark.parametrize("kind", ["cut-before", "cut-after", "cut-answer"])
@pytest.mark.parametrize("what", ["snapshot", "group", "volume", "roll-back"])
def test_a_lost_answer_is_never_followed_by_a_second_request(
    driver: QingCloudDriver,
    emulator: Emulator,
    region: RegionState,
    snap: Snap,
    kind: FaultKind,
    what: str,
) -> None:
    """QingCloud has no client token, so only the core's look can tell what was made."""
    source = snap("vol-d")
    made, disks = len(region.snapshots), len(region.disks)
    acts: dict[str, tuple[str, Callable[[], object]]] = {
        "snapshot": (
            "CreateSnapshots",
            lambda: driver.create_snapshot(NewSnapshot(disk_id="vol-a", name="n~1")),
        ),
        "group": (
            "CreateSnapshots",
            lambda: driver.create_group(NewGroup(disk_ids=("i-1", "vol-a"), name="n~1")),
        ),
        "volume": (
            "CreateVolumeFromSnapshot",
            lambda: driver.create_disk(NewDisk(snapshot_id=source, name="n~1")),
        ),
        "roll-back": (
            "ApplySnapshots",
            lambda: driver.roll_back(back(source, "vol-d"), group_id=None, stop=True, start=True),
        ),
    }
    operation, act = acts[what]
    emulator.faults.append(Fault(kind=kind, operation=operation))
    emulator.log.clear()

    with pytest.raises(SnapkitError) as caught:
        act()
    acted = kind != "cut-before"
    expected = {"snapshot": (1, 0), "group": (2, 0), "volume": (0, 1), "roll-back": (0, 0)}[what]

    assert Sent.MAYBE is caught.value.sent
    assert 1 == operations(emulator).count(operation)
    assert (expected if acted else (0, 0)) == (
        len(region.snapshots) - made,
        len(region.disks) - disks,
    )


def test_an_internal_error_may_have_made_a_snapshot(
    driver: QingCloudDriver, emulator: Emulator
) -> None:
    """5000 and 5100 come after the request was taken."""
    emulator.faults.append(Fault(kind="refuse", operation="CreateSnapshots"))

    with pytest.raises(UnavailableError) as caught:
        driver.create_snapshot(NewSnapshot(disk_id="vol-a"))
    assert Sent.MAYBE is caught.value.sent


@pytest.mark.parametrize("failure", [Failure.THROTTLED, Failure.CONFLICT])
@pytest.mark.faults(73)
def test_what_was_refused_before_it_was_executed_is_sent_again(
    driver: QingCloudDriver, emulator: Emulator, region: RegionState, failure: Failure
) -> None:
    """Too many calls, and "please try later"."""
    emulator.faults.append(Fault(kind="refuse", operation="CreateSnapshots", failure=failure))
    driver.create_snapshot(NewSnapshot(disk_id="vol-a"))

    assert 1 == len(region.snapshots)
    assert 2 == operations(emulator).count("CreateSnapshots")


def test_throttling_that_goes_on_is_raised(driver: QingCloudDriver, emulator: Emulator) -> None:
    """With nothing made."""
    emulator.faults.append(Fault(kind="refuse", failure=Failure.THROTTLED, times=None))

    with pytest.raises(ThrottledError) as caught:
        driver.create_snapshot(NewSnapshot(disk_id="vol-a"))
    assert Sent.NO is caught.value.sent


def test_a_new_snapshot_is_listed_after_the_lag(
    driver: QingCloudDriver, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator can be as late as a real cloud; acting on the snapshot works before."""
    monkeypatch.setattr(World, "lag", 5.0, raising=False)
    made = driver.create_snapshot(NewSnapshot(disk_id="vol-a", name="n~1"))
    early = seen(driver, made)
    driver.finish_snapshot(made, NewSnapshot(disk_id="vol-a", tags=Tags([("prod", "")])))
    emulator.world.clock.advance(6)

    assert {} == early
    assert {"prod"} == set(seen(driver, made)[made].tags or ())


def test_what_is_missing_is_refused_with_a_reason(driver: QingCloudDriver) -> None:
    """Every capability that QingCloud lacks has a sentence."""
    missing = set(Capability) - driver.capabilities

    assert missing == set(driver.refusals)
    with pytest.raises(UnsupportedError, match="console"):
        driver.copy_snapshot(CopyOrder(snapshot_id="ss-1", regions=("gd2",)))
    with pytest.raises(UnsupportedError, match="console"):
        driver.share(["ss-1"], ["usr-2"], share=True)
    with pytest.raises(UnsupportedError, match="lock"):
        driver.lock("ss-1", days=7)
    with pytest.raises(UnsupportedError, match="groups"):
        driver.tag(Kind.GROUP, ["grp-1"], Tags([("prod", "")]))
    with pytest.raises(UnsupportedError, match="groups"):
        driver.untag(Kind.GROUP, ["grp-1"], ["prod"])


def test_names_carry_the_marker() -> None:
    """There is nothing else that one call sets."""
    places = (
        QingCloudDriver.marker,
        QingCloudDriver.group_marker,
        QingCloudDriver.disk_marker,
    )

    assert {MarkerPlace.NAME} == set(places)
    assert not QingCloudDriver.groups_by_instance


def test_a_record_of_another_region_is_not_there(
    driver: QingCloudDriver, emulator: Emulator
) -> None:
    """Snapshots belong to their region."""
    other = emulator.world.accounts[0].region("gd2")
    other.add(SnapshotRecord(id="ss-gd2", disk_id="vol-x", size_gib=10, started_at=0.0))
    [result] = driver.delete_snapshots(["ss-gd2"], force=False)

    assert result.absent
    assert other.snapshots["ss-gd2"].deleted_at is None
