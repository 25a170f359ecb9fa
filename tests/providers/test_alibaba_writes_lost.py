"""Answers get lost, listings lag: what there is afterwards, counted in the emulator."""

from collections.abc import Iterator
from typing import Any

import pytest

from snapkit import errors
from snapkit.emulator import Fault
from snapkit.emulator.state import SnapshotRecord
from snapkit.errors import Failure
from snapkit.writes import (
    Change,
    CopyOrder,
    NewDisk,
    NewGroup,
    NewSnapshot,
    RollBack,
)
from tests.providers.alibaba_lab import REGION, ZONE, Lab, back, opened


@pytest.fixture
def lab() -> Iterator[Lab]:
    with opened() as found:
        yield found


CUTS = pytest.mark.parametrize("kind", ["cut-before", "cut-after", "cut-answer"])


@CUTS
@pytest.mark.parametrize("skip", [0, 1, 2], ids=["first", "second", "third"])
@pytest.mark.faults(71)
def test_with_a_token_a_lost_answer_makes_exactly_one(lab: Lab, kind: Any, skip: int) -> None:
    """In each position of the attempts."""
    lab.emulator.faults += [
        Fault(kind="refuse", operation="CreateSnapshot", times=skip),
        Fault(kind=kind, operation="CreateSnapshot"),
    ]
    made = lab.made(token="k1")

    assert list(lab.region.snapshots) == [made]


@pytest.mark.faults(73)
def test_a_throttled_creation_makes_one(lab: Lab) -> None:
    """It was refused, so there is nothing to find."""
    lab.emulator.faults.append(
        Fault(kind="refuse", failure=Failure.THROTTLED, operation="CreateSnapshot", times=3)
    )

    assert [lab.made()] == list(lab.region.snapshots)


@CUTS
def test_with_a_token_a_lost_group_is_made_once(lab: Lab, kind: Any) -> None:
    """With all its members, once."""
    lab.emulator.faults.append(Fault(kind=kind, operation="CreateSnapshotGroup"))
    made = lab.driver.create_group(NewGroup(instance_id="i-1", token="k1"))

    assert list(lab.region.groups) == [made.group_id]
    assert lab.count() == 2


@CUTS
def test_a_lost_copy_and_a_lost_disk_are_made_once(lab: Lab, kind: Any) -> None:
    """Both carry a token."""
    snapshot_id = lab.ready()
    before = set(lab.region.disks)
    lab.emulator.faults += [
        Fault(kind=kind, operation="CopySnapshot"),
        Fault(kind=kind, operation="CreateDisk"),
    ]
    order = CopyOrder(snapshot_id=snapshot_id, regions=("cn-shanghai",), token="k1")
    (copied,) = lab.driver.copy_snapshot(order)
    disk_id = lab.driver.create_disk(NewDisk(snapshot_id=snapshot_id, zone=ZONE, token="k2"))
    there = lab.world.accounts[0].regions["cn-shanghai"]

    assert list(there.snapshots) == [copied.snapshot_id]
    assert set(lab.region.disks) - before == {disk_id}


@CUTS
def test_without_a_token_nothing_is_sent_twice(lab: Lab, kind: Any) -> None:
    """Whoever leaves the token away is told that it may be there."""
    lab.emulator.faults.append(Fault(kind=kind, operation="CreateSnapshot"))
    with pytest.raises(errors.SnapkitError) as caught:
        lab.made()

    assert caught.value.sent is errors.Sent.MAYBE
    assert lab.count() == (0 if kind == "cut-before" else 1)


@CUTS
def test_a_run_that_died_is_continued_with_its_token(lab: Lab, kind: Any) -> None:
    """The next run, with the same key, gets what the first one made."""
    lab.emulator.faults.append(Fault(kind=kind, operation="CreateSnapshot", times=4))
    with pytest.raises(errors.SnapkitError) as caught:
        lab.made(token="k1")
    again = lab.of(REGION).create_snapshot(NewSnapshot(disk_id="d-1", token="k1"))

    assert caught.value.sent is errors.Sent.MAYBE
    assert list(lab.region.snapshots) == [again]


@CUTS
def test_a_lost_deletion_is_repeated(lab: Lab, kind: Any) -> None:
    """Finding nothing left is success."""
    made = lab.ready()
    lab.emulator.faults.append(Fault(kind=kind, operation="DeleteSnapshot"))
    (result,) = lab.driver.delete_snapshots([made], force=False)

    assert result.ok
    assert result.absent is (kind != "cut-before")
    assert lab.look(made) is None


def test_what_was_just_made_may_not_be_listed_yet(lab: Lab) -> None:
    """The emulator can lag; the token does not care."""
    lab.world.lag = 5.0
    made = lab.made(token="k1")
    group_id = lab.driver.create_group(NewGroup(instance_id="i-1")).group_id or ""
    hidden = (lab.look(made), lab.group(group_id))
    again = lab.made(token="k1")
    lab.advance(6)

    assert hidden == (None, None)
    assert again == made
    assert lab.look(made) is not None
    assert lab.group(group_id) is not None


def test_recorded_snapshots_can_be_deleted_and_changed(lab: Lab) -> None:
    """A forced word is as good as a stage."""
    lab.region.add(
        SnapshotRecord(id="s-old", disk_id="d-1", size_gib=40, started_at=0.0, word="accomplished")
    )
    lab.driver.change_snapshot("s-old", Change(name="renamed"))

    assert lab.see("s-old").name == "renamed"
    assert back(lab, RollBack(snapshot_id="s-old", disk_id="d-1"))[0].ok
    assert lab.driver.delete_snapshots(["s-old"], force=False)[0].ok
