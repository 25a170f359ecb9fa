"""The driver restores, rolls back, copies and locks, against the emulated service."""

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from snapkit import errors
from snapkit.emulator import Fault
from snapkit.emulator.state import Disk
from snapkit.model import Kind, Origin, SnapshotStatus, Tags
from snapkit.paging import Position
from snapkit.settings import open_driver
from snapkit.vocabulary import GIB
from snapkit.writes import (
    CopyOrder,
    DiskQuery,
    ItemResult,
    NewDisk,
    RollBack,
)
from tests.providers.alibaba_lab import QUICK, REGION, ZONE, Lab, back, opened, soon, told


@pytest.fixture
def lab() -> Iterator[Lab]:
    with opened() as found:
        yield found


def test_disks_are_listed_by_instance_and_by_id(lab: Lab) -> None:
    """A backup tool asks what belongs to a server."""
    page = lab.driver.list_disks(DiskQuery(instance_id="i-1"), cursor=None, limit=100)
    disk = lab.disk("d-2")

    assert [one.id for one in page.items] == ["d-1", "d-2"]
    assert page.next is None
    assert (disk.size_bytes, disk.raw_category, disk.zone) == (100 * GIB, "cloud_essd", ZONE)
    assert (disk.instance_id, disk.raw_status, disk.busy) == ("i-1", "In_use", False)
    assert lab.disk("d-none") is None


@pytest.mark.parametrize("paging", ["token", "number"])
def test_many_disks_come_in_pages(lab: Lab, paging: str) -> None:
    """Each once, in either way of paging."""
    disk = Disk(id="d", size_gib=1, instance_id="i-many", zone=ZONE)
    lab.region.add(*[attrs.evolve(disk, id=f"d-many{number:02d}") for number in range(25)])
    (target,) = [one for one in lab.emulator.targets("alibaba") if one.region == REGION]
    driver = open_driver(attrs.evolve(target, options={"paging": paging}), clock=QUICK)
    query = DiskQuery(instance_id="i-many")
    page = driver.list_disks(query, cursor=None, limit=10)
    found = [one.id for one in page.items]
    if paging == "number":
        rest = [driver.list_disks(query, cursor=Position(at), limit=10) for at in (10, 20)]
        found += [one.id for more in rest for one in more.items]
    while page.next is not None and paging == "token":
        page = driver.list_disks(query, cursor=page.next, limit=10)
        found += [one.id for one in page.items]

    assert found == [f"d-many{number:02d}" for number in range(25)]


def test_no_ids_are_no_disks(lab: Lab) -> None:
    """An empty array would be a live filter."""
    page = lab.driver.list_disks(DiskQuery(ids=frozenset()), cursor=None, limit=10)

    assert not page.items
    assert lab.emulator.log == []


def test_a_disk_is_made_from_a_snapshot(lab: Lab) -> None:
    """As soon as it is usable, before it is complete; it is busy for a while."""
    made = lab.made()
    with pytest.raises(errors.ConflictError) as early:
        lab.driver.create_disk(NewDisk(snapshot_id=made, zone=ZONE))
    lab.advance(11)
    new = NewDisk(
        snapshot_id=made,
        zone=ZONE,
        name="restored",
        size_bytes=50 * GIB,
        raw_category="cloud_essd",
        tags=Tags([("a", "b")]),
        token="k1",
    )
    disk_id = lab.driver.create_disk(new)
    busy = lab.disk(disk_id)
    lab.advance(6)
    disk = lab.disk(disk_id)

    assert early.value.code == "InvalidSnapshotId.NotReady"
    assert lab.driver.create_disk(new) == disk_id
    assert (busy.raw_status, busy.busy) == ("Creating", True)
    assert (disk.raw_status, disk.busy) == ("Available", False)
    assert (disk.name, disk.size_bytes, disk.snapshot_id) == ("restored", 50 * GIB, made)
    assert disk.raw_category == "cloud_essd"


def test_a_disk_that_was_never_attached_cannot_be_snapshotted(lab: Lab) -> None:
    """A restored disk has to be attached once."""
    disk_id = lab.driver.create_disk(NewDisk(snapshot_id=lab.ready(), zone=ZONE))
    lab.advance(6)
    with pytest.raises(errors.ConflictError) as caught:
        lab.made(disk_id)

    assert caught.value.code == "IncorrectDiskStatus.NeverAttached"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"zone": "cn-shanghai-a"}, "InvalidZoneId.NotFound"),
        ({"snapshot_id": "s-none"}, "InvalidSnapshotId.NotFound"),
    ],
)
def test_a_disk_from_what_is_not_there_is_refused(
    lab: Lab, changes: dict[str, Any], code: str
) -> None:
    """Zone and snapshot belong to the region."""
    new = NewDisk(snapshot_id=lab.ready(), zone=ZONE)
    with pytest.raises(errors.NotFoundError) as caught:
        lab.driver.create_disk(attrs.evolve(new, **changes))

    assert caught.value.code == code


def test_a_disk_is_put_back_and_busy_meanwhile(lab: Lab) -> None:
    """A second rollback waits its turn."""
    pair = RollBack(snapshot_id=lab.ready(), disk_id="d-1")

    assert back(lab, pair) == [ItemResult(id=pair.snapshot_id)]
    busy = lab.disk("d-1")
    with pytest.raises(errors.ConflictError) as caught:
        back(lab, pair)
    lab.advance(6)
    done = lab.disk("d-1")

    assert (busy.raw_status, busy.busy, done.raw_status) == ("ReIniting", True, "In_use")
    assert caught.value.code == "InvalidOperation.DiskResetInProgress"


def test_a_running_instance_is_not_rolled_back(lab: Lab) -> None:
    """The error says what would help."""
    pair = RollBack(snapshot_id=lab.ready(), disk_id="d-1")
    lab.region.running.add("i-1")
    with pytest.raises(errors.ConflictError, match="stopped") as caught:
        back(lab, pair)

    assert caught.value.code == "IncorrectInstanceStatus"


def test_stopping_the_instance_is_not_offered(lab: Lab) -> None:
    """Nothing is sent, and the other way is named."""
    with pytest.raises(errors.UnsupportedError, match="stop the instance"):
        back(lab, RollBack(snapshot_id="s-1", disk_id="d-1"), stop=True)

    assert lab.emulator.log == []


@pytest.mark.parametrize("copied", [False, True], ids=["another disk's", "a copy"])
def test_only_a_snapshot_of_that_very_disk_puts_it_back(lab: Lab, copied: bool) -> None:
    """A copy counts as foreign even at home."""
    made = lab.ready("d-1" if copied else "d-2")
    if copied:
        lab.region.snapshots[made].origin = Origin.COPY
    with pytest.raises(errors.InvalidRequestError) as caught:
        back(lab, RollBack(snapshot_id=made, disk_id="d-1"))

    assert caught.value.code == "InvalidParameter.Mismatch"


def test_several_disks_are_told_one_by_one(lab: Lab) -> None:
    """The service hides refusals in its success."""
    pairs = [RollBack(snapshot_id=lab.ready(one), disk_id=one) for one in ("d-1", "d-2", "d-3")]
    lab.region.running.add("i-2")
    results = back(lab, *pairs)

    assert told(results) == [
        (pairs[0].snapshot_id, Kind.SNAPSHOT, None, False),
        (pairs[1].snapshot_id, Kind.SNAPSHOT, None, False),
        (pairs[2].snapshot_id, Kind.SNAPSHOT, "IncorrectInstanceStatus", False),
    ]


def test_a_rollback_is_sent_in_tens_and_never_twice(lab: Lab) -> None:
    """The second ten get no answer: that is told, and the first ten are not forgotten."""
    disk = Disk(id="d", size_gib=1, instance_id="i-many", zone=ZONE)
    lab.region.add(*[attrs.evolve(disk, id=f"d-many{number:02d}") for number in range(12)])
    pairs = [
        RollBack(snapshot_id=lab.made(one), disk_id=one)
        for one in sorted(lab.region.disks)
        if one.startswith("d-many")
    ]
    lab.advance(61)
    lab.emulator.faults.append(Fault(kind="cut-after", operation="ResetDisks", skip=1))
    results = back(lab, *pairs)
    sent = [one for one in lab.emulator.log if one.operation == "ResetDisks"]

    assert [one.ok for one in results] == [True] * 10 + [False] * 2
    assert results[10].error is not None
    assert results[10].error.sent is errors.Sent.MAYBE
    assert len(sent) == 2


@pytest.mark.parametrize("kind", ["cut-before", "cut-after", "cut-answer"])
def test_a_lost_rollback_is_not_sent_again(lab: Lab, kind: Any) -> None:
    """What is newer on the disk would be lost a second time."""
    pair = RollBack(snapshot_id=lab.ready(), disk_id="d-1")
    lab.emulator.faults.append(Fault(kind=kind, operation="ResetDisk", times=None))
    with pytest.raises(errors.SnapkitError) as caught:
        back(lab, pair)
    sent = [one for one in lab.emulator.log if one.operation == "ResetDisk"]

    assert caught.value.sent is errors.Sent.MAYBE
    assert len(sent) == 1


def test_a_copy_appears_in_the_other_region(lab: Lab) -> None:
    """Creating, not restorable, and complete later; it knows its source."""
    made = lab.ready(name="nightly")
    order = CopyOrder(
        snapshot_id=made,
        regions=("cn-shanghai",),
        name="copied",
        description="off site",
        expires_at=soon(days=9),
        tags=Tags([("a", "b")]),
        token="k1",
    )
    (first,), (again,) = lab.driver.copy_snapshot(order), lab.driver.copy_snapshot(order)
    there = lab.of("cn-shanghai")
    copy = lab.look(first.snapshot_id or "", there)
    lab.advance(121)
    done = lab.look(first.snapshot_id or "", there)

    assert first.snapshot_id == again.snapshot_id
    assert copy is not None
    assert done is not None
    assert (copy.status, copy.restorable) == (SnapshotStatus.CREATING, False)
    assert (done.status, done.origin, done.name) == (
        SnapshotStatus.AVAILABLE,
        Origin.COPY,
        "copied",
    )
    assert (done.description, done.tags) == ("off site", Tags([("a", "b")]))
    assert done.expires_at is not None


def test_each_region_of_a_copy_is_told(lab: Lab) -> None:
    """One failure does not hide the other's success."""
    regions = ("cn-shanghai", "cn-none", "cn-denied", REGION)
    results = lab.driver.copy_snapshot(CopyOrder(snapshot_id=lab.ready(), regions=regions))

    assert [one.region for one in results] == list(regions)
    assert results[0].error is None
    assert lab.look(results[0].snapshot_id or "", lab.of("cn-shanghai")) is not None
    assert [type(one.error) for one in results[1:]] == [
        errors.NotFoundError,
        errors.PermissionDeniedError,
        errors.UnsupportedError,
    ]


def test_a_snapshot_is_copied_only_when_complete_and_one_at_a_time(lab: Lab) -> None:
    """Both pass by themselves."""
    made = lab.made()
    order = CopyOrder(snapshot_id=made, regions=("cn-shanghai",))
    (early,) = lab.driver.copy_snapshot(order)
    lab.advance(61)
    (first,) = lab.driver.copy_snapshot(order)
    (second,) = lab.driver.copy_snapshot(order)

    assert early.error is not None
    assert early.error.code == "InvalidSnapshotId.NotReady"
    assert first.error is None
    assert second.error is not None
    assert second.error.retryable
    assert second.error.code == "InvalidOperation.UnfinishedCrossRegionCopy"


def test_a_locked_snapshot_stays(lab: Lab) -> None:
    """Until the lock ends; nothing takes it away before."""
    made = lab.ready()
    lab.driver.lock(made, days=2)
    with pytest.raises(errors.ConflictError) as caught:
        lab.driver.delete_snapshots([made], force=True)
    with pytest.raises(errors.ConflictError, match="ends by itself") as kept:
        lab.driver.lock(made, days=None)
    lab.advance(2 * 86400)

    assert caught.value.code == "InvalidOperation.SnapshotIsLocked"
    assert kept.value.code == "InvalidOperation.CoolOffPeriodExpired"
    assert lab.driver.delete_snapshots([made], force=False)[0].ok


def test_a_lock_longer_than_the_retention_is_refused(lab: Lab) -> None:
    """The service documents it."""
    made = lab.ready(expires_at=soon(days=3))
    with pytest.raises(errors.InvalidRequestError) as caught:
        lab.driver.lock(made, days=30)

    assert caught.value.code == "InvalidLockDuration.ExceedRetentionDays"


def test_sharing_is_refused_with_the_other_way(lab: Lab) -> None:
    """Another product does it."""
    with pytest.raises(errors.UnsupportedError, match="Resource Sharing"):
        lab.driver.share(["s-1"], ["1"], share=True)
