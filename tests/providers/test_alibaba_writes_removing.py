"""The driver deletes, against the emulated service: what is gone, what stays, what is told."""

from collections.abc import Iterator

import attrs
import pytest

from snapkit import errors
from snapkit.emulator import Fault
from snapkit.model import Kind
from snapkit.settings import open_driver
from snapkit.writes import ItemResult
from tests.providers.alibaba_lab import QUICK, REGION, Lab, group_of, opened, told


@pytest.fixture
def lab() -> Iterator[Lab]:
    with opened() as found:
        yield found


def test_a_deleted_snapshot_is_gone_and_may_be_deleted_again(lab: Lab) -> None:
    """Absent is what was wanted."""
    made = lab.ready()

    assert lab.driver.delete_snapshots([made], force=False) == [ItemResult(id=made)]
    assert lab.look(made) is None
    assert lab.driver.delete_snapshots([made], force=False) == [ItemResult(id=made, absent=True)]


def test_a_region_that_is_not_there_deletes_nothing(lab: Lab) -> None:
    """Absent is good news only about the snapshot itself."""
    group = group_of(lab)
    (target,) = [one for one in lab.emulator.targets("alibaba") if one.region == REGION]
    elsewhere = open_driver(attrs.evolve(target, region="cn-nowhere"), clock=QUICK)
    with pytest.raises(errors.NotFoundError) as caught:
        elsewhere.delete_snapshots([group.members[0].id], force=False)
    with pytest.raises(errors.NotFoundError):
        elsewhere.delete_group(group, force=False)

    assert caught.value.code == "InvalidRegionId.NotFound"


def test_a_snapshot_that_is_being_made_is_cancelled(lab: Lab) -> None:
    """Deleting is how."""
    made = lab.made()

    assert lab.driver.delete_snapshots([made], force=False)[0].ok
    assert lab.look(made) is None


@pytest.mark.parametrize(
    ("field", "code", "forced"),
    [
        ("images", "SnapshotCreatedImage", False),
        ("disks", "SnapshotCreatedDisk", True),
        ("shares", "InvalidOperation.DeleteSharedSnapshotUnsupported", False),
        ("locked", "InvalidOperation.SnapshotIsLocked", False),
    ],
)
def test_what_is_in_use_is_not_deleted(lab: Lab, field: str, code: str, forced: bool) -> None:
    """Force overrides disks, and nothing else."""
    made = lab.ready()
    setattr(lab.region.snapshots[made], field, 1)
    with pytest.raises(errors.ConflictError) as caught:
        lab.driver.delete_snapshots([made], force=False)

    assert caught.value.code == code
    if forced:
        assert lab.driver.delete_snapshots([made], force=True)[0].ok
    else:
        with pytest.raises(errors.ConflictError):
            lab.driver.delete_snapshots([made], force=True)
    assert (lab.look(made) is None) is forced


def test_a_group_is_deleted_with_its_members(lab: Lab) -> None:
    """Each is told."""
    group = group_of(lab)
    first, second = (member.id for member in group.members)

    assert told(lab.driver.delete_group(group, force=False)) == [
        (group.id, Kind.GROUP, None, False),
        (first, Kind.SNAPSHOT, None, False),
        (second, Kind.SNAPSHOT, None, False),
    ]
    assert lab.group(group.id) is None
    assert lab.look(first) is None
    assert lab.look(second) is None


def test_a_member_that_survives_its_group_is_told(lab: Lab) -> None:
    """The service answers with a success and hides it inside."""
    group = group_of(lab)
    first, second = (member.id for member in group.members)
    lab.region.snapshots[first].images = 1
    results = lab.driver.delete_group(group, force=True)

    assert told(results)[1:] == [
        (first, Kind.SNAPSHOT, "SnapshotCreatedImage", False),
        (second, Kind.SNAPSHOT, None, False),
    ]
    assert isinstance(results[1].error, errors.ConflictError)
    assert lab.group(group.id) is None
    assert lab.look(first) is not None


def test_force_deletes_members_that_disks_stand_on(lab: Lab) -> None:
    """The group's operation has no such word, so they are deleted singly."""
    group = group_of(lab)
    lab.region.snapshots[group.members[0].id].disks = 1
    lab.region.snapshots[group.members[1].id].disks = 1
    results = lab.driver.delete_group(group, force=True)

    assert [one.ok for one in results] == [True, True, True]
    assert all(lab.look(member.id) is None for member in group.members)


def test_a_lost_answer_does_not_hide_the_members_that_survived(lab: Lab) -> None:
    """The second request finds no group; its members are then looked after one by one."""
    group = group_of(lab)
    first, second = (member.id for member in group.members)
    lab.region.snapshots[first].images = 1
    lab.emulator.faults.append(Fault(kind="cut-after", operation="DeleteSnapshotGroup"))

    assert told(lab.driver.delete_group(group, force=False)) == [
        (group.id, Kind.GROUP, None, True),
        (first, Kind.SNAPSHOT, "SnapshotCreatedImage", False),
        (second, Kind.SNAPSHOT, None, True),
    ]
