"""Waiting is cheap and ends."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from snapkit.errors import (
    NotFoundError,
    PermissionDeniedError,
    QueryError,
    UnavailableError,
    WaitCancelledError,
    WaitFailedError,
    WaitTimeoutError,
)
from snapkit.model import Snapshot, SnapshotStatus
from snapkit.waiting import Patience, Progress, Until, Watch, reached, wait_for
from tests.ledger import Cloud, LedgerDriver, Time, client_over, snapshot

S = SnapshotStatus
HASTY = Patience(timeout=600, shortest=1, longest=15, growth=1.5, grace=30, misses=3)


def being_made(*ids: str) -> Cloud:
    cloud = Cloud()
    for one in ids:
        cloud.add(snapshot(one))
        cloud.born[one] = 0.0
    return cloud


@pytest.mark.parametrize(
    ("until", "seconds"), [("cut", 1), ("usable", 10), ("complete", 60)], ids=str
)
def test_each_moment_is_met_soon_after_it_comes(until: str, seconds: float) -> None:
    """Thawing a file system late is downtime."""
    cloud = being_made("s-1")
    (found,) = client_over(cloud).wait(["s-1"], until, patience=HASTY)

    assert "s-1" == found.id
    assert seconds <= cloud.time.now <= seconds + HASTY.longest


@pytest.mark.parametrize(
    ("found", "until", "expected"),
    [
        (None, Until.GONE, True),
        (None, Until.CUT, False),
        (None, Until.COMPLETE, False),
        (snapshot("s"), Until.COMPLETE, True),
        (snapshot("s", status=S.CREATING, restorable=True), Until.USABLE, True),
        (snapshot("s", status=S.CREATING, restorable=True), Until.COMPLETE, False),
        (snapshot("s", status=S.CREATING, restorable=None), Until.USABLE, False),
        (snapshot("s", status=S.DELETED), Until.GONE, True),
        (snapshot("s", status=S.RECYCLED), Until.GONE, True),
        (snapshot("s", status=S.DELETING), Until.GONE, False),
        (snapshot("s", status=S.UNKNOWN, restorable=None), Until.COMPLETE, False),
    ],
)
def test_what_counts_as_reached(found: Snapshot | None, until: Until, expected: bool) -> None:
    """An absent snapshot is success for a deletion only, and unknown is no success at all."""
    assert expected is reached(found, until)


def test_waiters_of_one_client_share_a_look() -> None:
    """A hundred waiters must not ask a hundred times."""
    asked: list[Sequence[str]] = []

    def look(ids: Sequence[str]) -> dict[str, Snapshot]:
        asked.append(list(ids))
        return {one: snapshot(one) for one in ids}

    time = Time()
    watch = Watch(look, time.clock())
    names = [f"s-{number:03}" for number in range(50)]
    for one in names:
        watch.enter([one])
    found = [watch.at([one], newer_than=time.now)[0] for one in names]

    assert [names] == asked
    assert [{one} for one in names] == [set(seen) for seen in found]


def test_who_comes_during_a_look_shares_the_next() -> None:
    """Twenty threads that start together need two looks, however slow a look is."""
    names = [f"s-{number:02}" for number in range(20)]
    cloud = Cloud()
    cloud.add(*map(snapshot, names))
    client = client_over(cloud)
    watch = client._watch  # pyright: ignore[reportPrivateUsage] - slowed down
    look = watch.look

    def slow(ids: Sequence[str]) -> dict[str, Snapshot]:
        while not cloud.looks and len(watch.wanted) < len(names):
            threading.Event().wait(0.001)
        return look(ids)

    watch.look = slow
    ready = threading.Barrier(len(names))

    def run(name: str) -> None:
        ready.wait()
        client.wait([name], patience=HASTY)

    threads = [threading.Thread(target=run, args=(name,), daemon=True) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert not any(thread.is_alive() for thread in threads)
    assert len(cloud.looks) <= 2


def test_a_look_asks_for_a_hundred_ids_at_once() -> None:
    """One describe per 100 ids, not one per id."""
    names = [f"s-{number}" for number in range(250)]
    cloud = Cloud()
    cloud.add(*map(snapshot, names))
    client_over(cloud).wait(names, "complete", patience=HASTY)

    assert [100, 100, 50] == [len(ids or ()) for ids in cloud.looks]


def test_the_interval_grows_while_nothing_changes_and_shrinks_when_something_does() -> None:
    """Hours of waiting cost little, and the end is seen soon."""
    cloud = being_made("s-1")
    cloud.snapshots["s-1"] = snapshot("s-1")
    cloud.born["s-1"] = 0.0
    still = snapshot("s-2", status=S.CREATING, restorable=False)
    cloud.add(still)

    def end() -> None:
        if cloud.time.now > 100:
            cloud.add(snapshot("s-2", status=S.CREATING, restorable=False, progress=99))
        if cloud.time.now > 110:
            cloud.add(snapshot("s-2"))

    cloud.time.on_sleep = end
    client_over(cloud).wait(["s-2"], patience=HASTY)
    pauses = cloud.time.slept

    assert pauses[0] == HASTY.shortest
    assert HASTY.longest in pauses
    assert HASTY.shortest in pauses[pauses.index(HASTY.longest) :]


@pytest.mark.faults(77)
def test_a_failure_ends_the_wait_at_once() -> None:
    """Waiting an hour for what has failed helps nobody."""
    cloud = being_made("s-1")
    cloud.failing = True
    with pytest.raises(WaitFailedError, match=r"'s-1' has failed \('broken'\), wanted complete"):
        client_over(cloud).wait(["s-1"], patience=HASTY)

    assert cloud.time.now < 60 + HASTY.longest + 1


def test_an_empty_answer_is_never_success() -> None:
    """An id of another region looks like one that was deleted."""
    with pytest.raises(NotFoundError, match=r"'s-1' is not there in ledger:north, wanted usable"):
        client_over(Cloud()).wait(["s-1"], "usable", patience=HASTY)


@pytest.mark.faults(78)
def test_a_new_snapshot_may_be_invisible_for_a_while() -> None:
    """Reads lag behind writes."""
    cloud = being_made("s-1")
    cloud.lag = 20.0
    (found,) = client_over(cloud).wait(["s-1"], "usable", patience=HASTY)

    assert "s-1" == found.id


@pytest.mark.faults(78)
def test_what_was_seen_and_vanishes_is_gone_after_a_few_looks() -> None:
    """One look that misses it is the provider's stutter, three are a deletion."""
    cloud = being_made("s-1")

    def vanish() -> None:
        cloud.snapshots.clear()

    cloud.time.on_sleep = vanish
    with pytest.raises(NotFoundError, match="'s-1' is not there"):
        client_over(cloud).wait(["s-1"], patience=HASTY)

    assert 4 == len(cloud.looks)


def test_absence_is_success_for_gone() -> None:
    """Also when it was never there."""
    assert [] == client_over(Cloud()).wait(["s-1"], "gone", patience=HASTY)


def test_gone_is_waited_for_while_it_is_being_deleted() -> None:
    """A delete that was accepted is not yet done."""
    cloud = Cloud()
    cloud.add(snapshot("s-1", status=S.DELETING))
    cloud.time.on_sleep = cloud.snapshots.clear
    assert [] == client_over(cloud).wait(["s-1"], "gone", patience=HASTY)

    assert 2 == len(cloud.looks)


@pytest.mark.faults(77)
def test_the_deadline_says_wanted_last_seen_and_how_long() -> None:
    """Without those three nobody knows what to do next."""
    cloud = Cloud()
    cloud.add(snapshot("s-1", status=S.CREATING, raw_status="making", restorable=False))
    with pytest.raises(
        WaitTimeoutError, match=r"snapshot 's-1' is creating \('making'\) after 50 s, wanted usable"
    ):
        client_over(cloud).wait(["s-1"], "usable", patience=HASTY, timeout=50)

    assert 50 == cloud.time.now


def test_the_deadline_names_only_what_is_missing() -> None:
    """And counts where there are many."""
    cloud = Cloud()
    cloud.add(snapshot("done"))
    late = [f"s-{number}" for number in range(7)]
    cloud.add(*(snapshot(one, status=S.CREATING, restorable=False) for one in late))
    with pytest.raises(WaitTimeoutError) as caught:
        client_over(cloud).wait(["done", *late], patience=HASTY, timeout=5)

    assert "'done'" not in str(caught.value)
    assert "and 2 more" in str(caught.value)


def test_a_passing_trouble_does_not_end_the_wait() -> None:
    """The provider is ill for a minute during an hour of waiting."""
    cloud = being_made("s-1")
    cloud.blind = [UnavailableError("ill"), UnavailableError("ill")]
    (found,) = client_over(cloud).wait(["s-1"], patience=HASTY)

    assert S.AVAILABLE is found.status


def test_a_lasting_trouble_is_told_at_the_deadline() -> None:
    """The last look's error is the reason, not that the snapshot is absent."""
    cloud = being_made("s-1")
    cloud.blind = [UnavailableError("ill") for _ in range(100)]
    with pytest.raises(WaitTimeoutError, match="the last look failed: ill") as caught:
        client_over(cloud).wait(["s-1"], patience=HASTY, timeout=20)

    assert isinstance(caught.value.__cause__, UnavailableError)


def test_a_trouble_that_stays_is_raised() -> None:
    """Waiting does not give permissions."""
    cloud = being_made("s-1")
    cloud.blind = [PermissionDeniedError("no")]
    with pytest.raises(PermissionDeniedError):
        client_over(cloud).wait(["s-1"], patience=HASTY)


def test_the_caller_may_stop() -> None:
    """And is told what it was waiting for."""
    cloud = being_made("s-1")
    with pytest.raises(WaitCancelledError, match="'s-1' is creating"):
        client_over(cloud).wait(["s-1"], patience=HASTY, cancelled=lambda: cloud.time.now > 5)


def test_nothing_to_wait_for_is_an_error() -> None:
    """An empty list is a bug of the caller, and would be an instant success."""
    with pytest.raises(QueryError, match="nothing to wait for"):
        client_over(Cloud()).wait([])


def test_progress_and_time_to_go_are_told() -> None:
    """At each look: how many are there, how far the whole is, and how long it will take."""
    cloud = being_made("s-1", "s-2")
    told: list[Progress] = []
    client_over(cloud).wait(["s-1", "s-2"], patience=HASTY, on_progress=told.append)
    middle = next(one for one in told if one.waited > 20)

    assert (0, 2) == (told[0].done, told[0].total)
    assert told[0].eta is None
    assert middle.progress == pytest.approx(middle.waited / 60 * 100, abs=2)
    assert middle.eta == pytest.approx(60 - middle.waited, abs=3)
    assert (2, 100) == (told[-1].done, told[-1].progress)


def test_progress_is_none_where_the_provider_does_not_say() -> None:
    """A made-up percentage is worse than none."""
    cloud = Cloud()
    cloud.add(snapshot("s-1", progress=None))
    told: list[Progress] = []
    client_over(cloud).wait("s-1", on_progress=told.append)

    assert (None, None) == (told[-1].progress, told[-1].eta)


def test_a_watch_forgets_those_who_left() -> None:
    """A long-lived client must not ask for yesterday's ids."""
    asked: list[Sequence[str]] = []

    def look(ids: Sequence[str]) -> dict[str, Snapshot]:
        asked.append(list(ids))
        return {one: snapshot(one) for one in ids}

    watch = Watch(look, Time().clock())
    wait_for(watch, ["s-1"], Until.COMPLETE, patience=HASTY)
    wait_for(watch, ["s-2"], Until.COMPLETE, patience=HASTY)

    assert [["s-1"], ["s-2"]] == asked
    assert ({}, {}) == (watch.wanted, watch.seen)


def grouped(cloud: Cloud, **settings: Any) -> Any:
    client = client_over(cloud, **settings)
    group = client.create_group(disk_ids=["d-1", "d-2"], key="k")
    return client, group


def test_a_group_is_waited_for_by_its_members() -> None:
    """Also when it is still invisible."""
    cloud = Cloud(lag=5.0)
    client, group = grouped(cloud)
    found = client.wait_group(group.id, "complete", patience=HASTY)

    assert ["d-1", "d-2"] == [member.source.id for member in found.members]
    assert {S.AVAILABLE} == {member.status for member in found.members}
    assert 60 <= cloud.time.now


def test_a_group_that_never_shows_is_not_there() -> None:
    """After the grace, no sooner and not much later."""
    cloud = Cloud()
    with pytest.raises(NotFoundError, match="no snapshot group 'g-1'"):
        client_over(cloud).wait_group("g-1", patience=HASTY)

    assert HASTY.grace <= cloud.time.now <= HASTY.grace + 2


def test_a_group_that_is_gone_is_none() -> None:
    """Absence is what a deletion wants."""
    assert client_over(Cloud()).wait_group("g-1", "gone", patience=HASTY) is None


def test_a_group_that_is_still_there_is_not_gone() -> None:
    """Even if it shows no members: an empty answer is no success."""
    cloud = Cloud()
    client, group = grouped(cloud)
    cloud.groups[group.id] = (cloud.groups[group.id][0], ())
    with pytest.raises(WaitTimeoutError, match="still there, wanted gone after 600 s"):
        client.wait_group(group.id, "gone", patience=HASTY)

    assert 600 <= cloud.time.now <= 601


def test_a_wait_for_a_group_to_go_can_be_cancelled() -> None:
    """Like every wait."""
    cloud = Cloud()
    client, group = grouped(cloud)
    cloud.groups[group.id] = (cloud.groups[group.id][0], ())
    with pytest.raises(WaitCancelledError):
        client.wait_group(group.id, "gone", patience=HASTY, cancelled=lambda: True)


def test_members_that_show_late_are_waited_for_too() -> None:
    """A group is one thing: half of it complete is not complete."""
    cloud = Cloud()
    client, group = grouped(cloud)
    whole = cloud.groups[group.id]
    cloud.groups[group.id] = (whole[0], whole[1][:1])

    def show() -> None:
        if cloud.time.now > 30:
            cloud.groups[group.id] = whole
            cloud.born[whole[1][1]] = 20.0

    cloud.time.on_sleep = show
    found = client.wait_group(group.id, "complete", patience=HASTY)

    assert found is not None
    assert [S.AVAILABLE, S.AVAILABLE] == [member.status for member in found.members]
    assert 80 <= cloud.time.now


def test_a_look_at_a_group_that_fails_in_passing_is_taken_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one at snapshots is."""
    cloud = Cloud()
    client, group = grouped(cloud)
    troubles = [UnavailableError("ill") for _ in range(3)]
    listed = LedgerDriver.list_groups

    def ill(*args: Any, **settings: Any) -> Any:
        if troubles:
            raise troubles.pop()
        return listed(*args, **settings)

    monkeypatch.setattr(LedgerDriver, "list_groups", ill)

    assert client.wait_group(group.id, "complete", patience=HASTY) is not None


def test_what_cannot_be_read_is_not_gone() -> None:
    """A wait for a deletion takes what is missing for success."""
    cloud = Cloud(troubles=("a row without an id",))
    told: list[Progress] = []
    with pytest.raises(WaitTimeoutError, match="'s-1' is not seen after 600 s, wanted gone"):
        client_over(cloud).wait(["s-1"], "gone", patience=HASTY, on_progress=told.append)

    assert {0} == {one.done for one in told}
