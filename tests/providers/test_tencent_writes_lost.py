"""Answers that are lost: what is never sent twice, and what may be."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from snapkit.driver import Driver
from snapkit.emulator import Emulator, Fault, World
from snapkit.emulator.server import FaultKind
from snapkit.emulator.state import AccountState, Disk, EmulatedClock, RegionState, SnapshotRecord
from snapkit.errors import (
    Failure,
    ProtocolError,
    Sent,
    SnapkitError,
    TransportError,
    UnavailableError,
)
from snapkit.retry import RetryPolicy
from snapkit.settings import open_driver
from snapkit.transport import Clock
from snapkit.writes import Change, CopyOrder, NewDisk, NewGroup, NewSnapshot, RollBack

NOW = 1767225600.0
ZONE = "ap-guangzhou-3"
CUTS: list[FaultKind] = ["cut-before", "cut-after", "cut-answer"]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    account = AccountState(provider="tencent", key_id="AKIDEXAMPLE", secret="EXAMPLE", label="t")
    account.region("ap-guangzhou").add(
        Disk(id="disk-1", size_gib=50, zone=ZONE, category="CLOUD_SSD", instance_id="ins-1"),
        SnapshotRecord(
            id="snap-1", disk_id="disk-1", size_gib=50, zone=ZONE, started_at=NOW - 86400
        ),
    )
    account.region("ap-singapore")
    with Emulator(World(accounts=[account], clock=EmulatedClock(wall=lambda: NOW))) as running:
        yield running


@pytest.fixture
def driver(emulator: Emulator) -> Iterator[Driver]:
    target = next(one for one in emulator.targets("tencent") if one.region == "ap-guangzhou")
    opened = open_driver(
        target,
        policy=RetryPolicy(transient=4),
        clock=Clock(wall=lambda: NOW, sleep=lambda _: None),
    )
    yield opened
    opened.close()


def place(emulator: Emulator, region: str = "ap-guangzhou") -> RegionState:
    return emulator.world.accounts[0].regions[region]


def snapshots(emulator: Emulator) -> int:
    """How many were made, in both regions."""
    return len(place(emulator).snapshots) - 1 + len(place(emulator, "ap-singapore").snapshots)


ONCE: dict[str, Callable[[Driver], object]] = {
    "CreateSnapshot": lambda driver: driver.create_snapshot(NewSnapshot(disk_id="disk-1")),
    "CreateSnapshotGroup": lambda driver: driver.create_group(NewGroup(disk_ids=("disk-1",))),
    "CopySnapshotCrossRegions": lambda driver: driver.copy_snapshot(
        CopyOrder(snapshot_id="snap-1", regions=("ap-singapore",))
    ),
    "ApplySnapshot": lambda driver: driver.roll_back(
        [RollBack(snapshot_id="snap-1", disk_id="disk-1")], group_id=None, stop=True, start=True
    ),
}


@pytest.mark.parametrize("operation", ONCE)
@pytest.mark.parametrize("kind", CUTS)
def test_what_has_no_token_is_sent_once(
    emulator: Emulator, driver: Driver, operation: str, kind: FaultKind
) -> None:
    """The error says that nobody knows; there is one, or none, and never a second."""
    emulator.faults[:] = [Fault(kind=kind, operation=operation, times=None)]
    with pytest.raises((TransportError, ProtocolError)) as caught:
        ONCE[operation](driver)
    sent = sum(one.operation == operation for one in emulator.log)
    made = 0 if kind == "cut-before" or operation == "ApplySnapshot" else 1

    assert Sent.MAYBE is caught.value.sent
    assert (1, made) == (sent, snapshots(emulator))


@pytest.mark.parametrize("operation", ONCE)
def test_a_server_error_may_have_acted(emulator: Emulator, driver: Driver, operation: str) -> None:
    """InternalError is no proof that nothing was made, so it is not sent again either."""
    emulator.faults[:] = [Fault(kind="refuse", failure=Failure.SERVER, operation=operation)]
    with pytest.raises(UnavailableError) as caught:
        ONCE[operation](driver)

    assert (Sent.MAYBE, 1) == (caught.value.sent, len(emulator.log))


@pytest.mark.parametrize("operation", ONCE)
@pytest.mark.faults(73)
def test_a_throttled_write_did_not_happen_and_is_sent_again(
    emulator: Emulator, driver: Driver, operation: str
) -> None:
    """A refusal proves that nothing ran."""
    emulator.faults[:] = [Fault(kind="refuse", failure=Failure.THROTTLED, operation=operation)]
    ONCE[operation](driver)

    assert 2 == sum(one.operation == operation for one in emulator.log)
    assert snapshots(emulator) == (operation != "ApplySnapshot")


@pytest.mark.parametrize("lost", [1, 2, 3])
@pytest.mark.parametrize("kind", CUTS)
def test_a_client_token_makes_one_disk_however_often_it_is_sent(
    emulator: Emulator, driver: Driver, kind: FaultKind, lost: int
) -> None:
    """The transport sends the same token again, and the answer that arrives names the disk."""
    emulator.faults[:] = [Fault(kind=kind, operation="CreateDisks", times=lost)]
    made = driver.create_disk(NewDisk(snapshot_id="snap-1", token="t-1"))

    assert {"disk-1", made} == set(place(emulator).disks)
    assert lost + 1 == sum(one.operation == "CreateDisks" for one in emulator.log)


def test_without_a_token_a_disk_is_asked_for_once(emulator: Emulator, driver: Driver) -> None:
    """Nobody would recognise the second."""
    emulator.faults[:] = [Fault(kind="cut-after", operation="CreateDisks", times=None)]
    with pytest.raises(SnapkitError):
        driver.create_disk(NewDisk(snapshot_id="snap-1"))

    assert 2 == len(place(emulator).disks)


REPEATED: dict[str, Callable[[Driver], Any]] = {
    "DeleteSnapshots": lambda driver: driver.delete_snapshots(["snap-1"], force=False),
    "ModifySnapshotAttribute": lambda driver: driver.change_snapshot("snap-1", Change(name="n")),
    "ModifySnapshotsSharePermission": lambda driver: driver.share(["snap-1"], ["9"], share=True),
}


@pytest.mark.parametrize("operation", REPEATED)
@pytest.mark.parametrize("kind", CUTS)
def test_what_does_no_harm_twice_is_sent_until_it_is_answered(
    emulator: Emulator, driver: Driver, operation: str, kind: FaultKind
) -> None:
    """A deletion that is told "not found" the second time has done its work."""
    emulator.faults[:] = [Fault(kind=kind, operation=operation)]
    found = REPEATED[operation](driver)
    record = place(emulator).snapshots["snap-1"]

    assert 2 == sum(one.operation == operation for one in emulator.log)
    assert [True] == [one.ok for one in found or ()] or found is None
    assert record.deleted_at is not None or record.name == "n" or record.shares == 1
