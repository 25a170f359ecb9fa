"""Making, waiting and deleting while things fail, on the emulated state of each cloud."""

import threading
import time
from collections.abc import Callable, Iterator

import attrs
import pytest

from snapkit.client import Client
from snapkit.driver import Capability
from snapkit.emulator import Fault
from snapkit.emulator.state import Pace
from snapkit.errors import (
    ConflictError,
    Failure,
    NotFoundError,
    PermissionDeniedError,
    ProviderError,
    SnapkitError,
    WaitFailedError,
    WaitTimeoutError,
)
from snapkit.model import Kind, SnapshotStatus
from snapkit.testing.emulated import EmulatedHarness
from snapkit.testing.harness import Lost, many
from snapkit.waiting import Patience
from tests.providers.harnesses import STYLES

WRITING = [name for name in STYLES if name not in ("tencent-2.0", "alibaba-number")]
"""API 2.0 only reads, and how Alibaba pages makes no difference to a write."""
FAILED = {"alibaba": WaitFailedError, "tencent": NotFoundError, "qingcloud": NotFoundError}
"""What a snapshot that fails comes to: two clouds have no word for it, and it vanishes."""


@pytest.fixture(params=WRITING)
def harness(request: pytest.FixtureRequest) -> Iterator[EmulatedHarness]:
    make: Callable[[], EmulatedHarness] = STYLES[request.param]
    with make() as found:
        yield found


def made(harness: EmulatedHarness, client: Client, disk: int = 1) -> str:
    """Start a snapshot and return its id."""
    (disk_id,) = harness.add_disks(disk)
    return client.create(disk_id, name="nightly").id


def nearly_ready(harness: EmulatedHarness, snapshot_id: str) -> None:
    """Let it have its point in time, and be complete much later."""
    harness.place.snapshots[snapshot_id].pace = Pace(cut=1.0, usable=1e9, complete=1e9)


def doom(harness: EmulatedHarness, snapshot_id: str) -> None:
    """Let it fail before it is usable."""
    harness.doom(snapshot_id)
    harness.place.snapshots[snapshot_id].pace = Pace(cut=1.0, usable=60.0, complete=60.0)


@pytest.mark.faults(73)
def test_a_throttled_creation_makes_one(harness: EmulatedHarness) -> None:
    """A throttled request did nothing, so it may be sent again."""
    harness.emulator.faults.append(
        Fault(
            kind="refuse",
            failure=Failure.THROTTLED,
            operation=harness.operations[Capability.CREATE],
            times=2,
        )
    )
    found = made(harness, harness.client())

    assert [found] == harness.living()
    assert 3 == harness.sent(Capability.CREATE)


@pytest.mark.faults(74)
def test_a_group_of_which_one_disk_is_not_there_makes_nothing(harness: EmulatedHarness) -> None:
    """The clouds make a group in one request: all of it or none, and nothing is left behind."""
    disks = harness.add_disks(1, 2, 3, 4)
    with pytest.raises(ProviderError):
        harness.client().create_group(disk_ids=[*disks[:2], harness.disk_id(9), *disks[2:]])

    assert [] == harness.living()


@pytest.mark.faults(74)
def test_a_member_that_fails_is_named_and_the_others_are_kept(harness: EmulatedHarness) -> None:
    """Four good snapshots of five are worth keeping, and nobody may take them for five."""
    harness.add_disks(1, 2, 3, 4, 5)
    client = harness.client()
    group = client.create_group(instance_id=harness.server_id(1), name="nightly")
    harness.advance(5)
    members = [one.id for one in client.group(group.id).members]
    doom(harness, members[2])
    with pytest.raises(FAILED[harness.provider], match=members[2]):
        client.wait_group(group.id, timeout=7200)
    harness.advance(600)
    rest = [one for one in members if one != members[2]]

    assert 5 == len(members)
    assert {SnapshotStatus.AVAILABLE} == {one.status for one in client.snapshots(ids=rest)}
    assert 4 == len(list(client.snapshots(ids=rest)))


@pytest.mark.faults(76)
def test_deleting_twice_or_what_never_was_is_fine(harness: EmulatedHarness) -> None:
    """A retention job is run again after a crash."""
    client = harness.client()
    one, two = harness.add(*many(2))
    first = {item.id: item for item in client.delete([one, harness.absent_id])}
    harness.advance(60)
    (again,) = client.delete([one])

    assert (True, False) == (first[one].ok, first[one].absent)
    assert (True, True) == (first[harness.absent_id].ok, first[harness.absent_id].absent)
    assert (True, True) == (again.ok, again.absent)
    assert [two] == harness.living()


@pytest.mark.faults(76)
def test_what_is_in_use_is_a_conflict_that_names_it(harness: EmulatedHarness) -> None:
    """Nothing is sent, or the one is told and the others go."""
    client = harness.client()
    if not harness.says("usage.images"):
        pytest.skip("the provider says nothing about images")
    one, two = harness.add(*many(2))
    harness.use_in_image(one)
    with pytest.raises(ConflictError, match=f"{one} is used by an image"):
        client.delete([one, two])

    assert sorted([one, two]) == harness.living()
    assert 0 == harness.sent(Capability.DELETE)


@pytest.mark.faults(76, 78)
def test_what_is_too_new_to_be_listed_is_deleted_all_the_same(harness: EmulatedHarness) -> None:
    """A night that is taken back at once must not leave a snapshot behind, unseen and paid for."""
    client = harness.client()
    harness.lag(3600.0)
    (old,) = harness.add(*many(1))
    new = made(harness, client, disk=3)
    harness.advance(600)
    shown = [one.id for one in client.snapshots()]
    results = {item.id: item for item in client.delete([old, new, harness.absent_id])}
    harness.advance(60)

    assert [old] == shown
    assert [] == harness.living()
    assert {old: False, new: False, harness.absent_id: True} == {
        name: item.absent for name, item in results.items()
    }
    assert all(item.ok for item in results.values())


@pytest.mark.faults(76, 78)
def test_a_group_that_is_too_new_to_be_listed_is_deleted_all_the_same(
    harness: EmulatedHarness,
) -> None:
    """Where groups are derived they are what is listed, so there they must show first."""
    client = harness.client()
    if not client.supports(Capability.GROUPS):
        pytest.skip("groups are derived")
    harness.add_disks(1, 2)
    group = client.create_group(instance_id=harness.server_id(1), name="nightly")
    harness.advance(600)
    harness.lag(3600.0)
    with pytest.raises(NotFoundError):
        client.group(group.id)
    results = client.delete_group(group.id)
    again = client.delete_group(group.id)

    assert [] == harness.living()
    assert all(item.ok for item in results)
    assert [(group.id, Kind.GROUP, False)] == [(r.id, r.kind, r.absent) for r in results[:1]]
    assert [(group.id, True)] == [(item.id, item.absent) for item in again]


@pytest.mark.faults(76)
def test_a_refused_deletion_of_what_does_not_show_is_told(harness: EmulatedHarness) -> None:
    """It may be there, so it must not be called absent."""
    client = harness.client()
    harness.emulator.faults.append(
        Fault(
            kind="refuse",
            failure=Failure.PERMISSION,
            operation=harness.operations[Capability.DELETE],
            times=None,
        )
    )
    try:
        (result,) = client.delete([harness.absent_id])
        error: SnapkitError | None = result.error
    except PermissionDeniedError as raised:
        error = raised

    assert isinstance(error, PermissionDeniedError)


@pytest.mark.faults(77)
def test_what_never_gets_ready_is_waited_for_no_longer_than_asked(harness: EmulatedHarness) -> None:
    """Code 7 at the command line; a night must not hang on one snapshot."""
    client = harness.client()
    found = made(harness, client)
    nearly_ready(harness, found)
    waited: list[float] = []
    with pytest.raises(WaitTimeoutError, match=f"{found}.*after 900 s, wanted complete"):
        client.wait(found, timeout=900, on_progress=lambda told: waited.append(told.waited))

    assert 900 <= max(waited) < 920
    assert [found] == harness.living()


@pytest.mark.faults(77)
def test_what_fails_ends_the_wait_long_before_the_time_is_up(harness: EmulatedHarness) -> None:
    """The hour that is left can save the night."""
    client = harness.client()
    found = made(harness, client)
    doom(harness, found)
    waited: list[float] = []
    with pytest.raises(FAILED[harness.provider], match=found):
        client.wait(found, timeout=36000, on_progress=lambda told: waited.append(told.waited))

    assert 300 > max(waited)


@pytest.mark.faults(78)
@pytest.mark.parametrize("misses", [2, 3], ids=["comes-back", "stays-away"])
def test_what_vanishes_is_gone_after_three_misses_and_not_the_first(
    harness: EmulatedHarness, misses: int
) -> None:
    """Replicas of a cloud's database lag, and a look may meet an old one."""
    client = harness.client()
    found = made(harness, client)
    nearly_ready(harness, found)
    kept = harness.place.snapshots[found]
    looks = 0

    def told(_: object) -> None:
        nonlocal looks
        looks += 1
        with harness.world.lock:
            if looks == 4:
                del harness.place.snapshots[found]
            if looks == 4 + misses and misses < 3:
                kept.pace = Pace(complete=1.0)
                harness.place.snapshots[found] = kept

    if misses < 3:
        (seen,) = client.wait(found, timeout=36000, on_progress=told)
        assert SnapshotStatus.AVAILABLE is seen.status
        return
    with pytest.raises(NotFoundError, match=f"{found!r} is not there"):
        client.wait(found, timeout=36000, on_progress=told)
    assert 4 + misses - 1 == looks


@pytest.mark.faults(78)
def test_what_is_new_and_not_shown_is_waited_for(harness: EmulatedHarness) -> None:
    """Half a minute of grace, because it was made for certain."""
    client = harness.client()
    harness.lag(20.0)
    found = made(harness, client)
    (seen,) = client.wait(found, timeout=7200)

    assert (found, SnapshotStatus.AVAILABLE) == (seen.id, seen.status)


@pytest.mark.faults(71, 72)
@pytest.mark.parametrize("how", list(Lost))
def test_a_lost_deletion_leaves_nothing_and_hides_nothing(
    harness: EmulatedHarness, how: Lost
) -> None:
    """It may be sent again; the second time finds the work done."""
    one, two = harness.add(*many(2))
    harness.lose(Capability.DELETE, how)
    (result,) = harness.client().delete([one])
    harness.advance(60)

    assert result.ok
    assert [two] == harness.living()


def test_a_look_that_hangs_ends_with_the_wait(harness: EmulatedHarness) -> None:
    """A look may take a minute; whoever waits ten seconds does not want to wait seventy."""
    client = harness.client()
    found = made(harness, client)
    began = client._clock.monotonic()  # pyright: ignore[reportPrivateUsage]
    harness.emulator.faults.append(Fault(kind="hang", times=None))
    patience = Patience(timeout=0.25, overtime=0.1)
    with pytest.raises(WaitTimeoutError, match=r"not seen.* after 0\.2 s") as caught:
        client.wait(found, patience=patience)
    ended = client._clock.monotonic()  # pyright: ignore[reportPrivateUsage]

    assert 2.0 > ended - began
    assert "the last look failed" in str(caught.value)


def test_who_waits_for_anothers_look_waits_no_longer_than_asked(harness: EmulatedHarness) -> None:
    """Waiters of one client share a look, and one of them may be in more of a hurry."""
    client = harness.client()
    (found,) = harness.add(*many(1))
    harness.emulator.faults.append(Fault(kind="hang", times=None))

    def patient() -> None:
        with pytest.raises(WaitTimeoutError):
            client.wait(found, patience=Patience(timeout=0.3, overtime=0.3))

    first = threading.Thread(target=patient)
    first.start()
    began = time.monotonic()
    with pytest.raises(WaitTimeoutError, match="the last look failed"):
        client.wait(found, patience=Patience(timeout=0.05, overtime=0.05))
    took = time.monotonic() - began
    first.join()

    assert 0.3 > took


def test_a_look_at_a_group_that_hangs_ends_with_the_wait(harness: EmulatedHarness) -> None:
    """The same for groups."""
    client = harness.client()
    harness.add_disks(1, 2)
    group = client.create_group(instance_id=harness.server_id(1), name="nightly")
    harness.emulator.faults.append(Fault(kind="hang", times=None))
    patience = Patience(timeout=0.25, overtime=0.1)
    with pytest.raises(WaitTimeoutError, match=r"is not seen after 0\.25 s"):
        client.wait_group(group.id, patience=patience)


def test_a_look_at_the_end_has_a_little_time_of_its_own(harness: EmulatedHarness) -> None:
    """A wait of no time is a look."""
    client = harness.client()
    (found,) = harness.add(*many(1))
    (seen,) = client.wait(found, timeout=0)

    assert found == seen.id


def test_a_share_tells_what_its_parts_came_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was shared before a later request failed would otherwise stay a secret."""
    with STYLES["tencent-3.0"]() as harness:
        first, second, third = harness.add(*many(3))
        driver = harness.open()
        limits = attrs.evolve(type(driver).limits, ids=2)
        monkeypatch.setattr(type(driver), "limits", limits)
        client = Client(driver)
        results = client.share([first, second, harness.absent_id, third], ["100000000009"])
        with pytest.raises(NotFoundError):
            client.share([harness.absent_id, third], ["100000000009"])
        shares = {name: one.shares for name, one in harness.place.snapshots.items()}

    assert [True, True, False, False] == [item.ok for item in results]
    assert {first: 1, second: 1, third: 0} == shares
