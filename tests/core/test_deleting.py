"""Deletion is honest: the plan says what stands against it and what would go along."""

from typing import Any

import pytest

from snapkit.deleting import DeletePlan, blockers, children_first, descendants, plan
from snapkit.errors import ConflictError, NotFoundError, ProtocolError, UnavailableError
from snapkit.model import Snapshot, SnapshotStatus, Usage
from snapkit.writes import Blocker, Reason
from tests.ledger import Cloud, LedgerDriver, client_over, snapshot

S = SnapshotStatus
CHAIN = [
    snapshot("root"),
    snapshot("child", parent_id="root"),
    snapshot("grandchild", parent_id="child"),
    snapshot("other", parent_id="elsewhere"),
    snapshot("alone"),
]


@pytest.mark.parametrize(
    ("one", "reasons"),
    [
        (snapshot("s"), []),
        (snapshot("s", usage=Usage(images=1)), [Reason.IMAGE]),
        (snapshot("s", usage=Usage(disks=2)), [Reason.DISK]),
        (snapshot("s", usage=Usage(shares=1)), [Reason.SHARED]),
        (snapshot("s", usage=Usage(images=0, disks=0, shares=0)), []),
        (snapshot("s", locked=True), [Reason.LOCKED]),
        (snapshot("s", status=S.RESTORING), [Reason.BUSY]),
        (snapshot("s", locked=True, usage=Usage(images=1)), [Reason.IMAGE, Reason.LOCKED]),
    ],
    ids=["free", "image", "disk", "shared", "zeroes", "locked", "restoring", "two"],
)
def test_what_stands_against_a_deletion(one: Snapshot, reasons: list[Reason]) -> None:
    """What the provider does not say stands against nothing."""
    assert reasons == [blocker.reason for blocker in blockers(one)]


def test_descendants_are_found_over_generations() -> None:
    """A provider that deletes a subtree deletes grandchildren too."""
    assert ["child", "grandchild"] == [one.id for one in descendants(["root"], CHAIN)]
    assert ["grandchild"] == [one.id for one in descendants(["root", "child"], CHAIN)]
    assert [] == descendants(["alone"], CHAIN)


def test_a_circle_of_parents_ends() -> None:
    """A provider's rows are not to be trusted to be a tree."""
    circle = [snapshot("a", parent_id="b"), snapshot("b", parent_id="a")]

    assert ["b"] == [one.id for one in descendants(["a"], circle)]
    assert {"a", "b"} == {one.id for one in children_first(circle)}


def test_children_come_before_parents() -> None:
    """A parent with children cannot be deleted."""
    ordered = [one.id for one in children_first([CHAIN[0], CHAIN[2], CHAIN[1]])]

    assert ["grandchild", "child", "root"] == ordered


def test_a_plan_names_what_is_absent() -> None:
    """Absent is done, but a person wants to know."""
    made = plan(["s-1", "s-2", "s-1"], {"s-1": snapshot("s-1")}, {}, [])

    assert [("s-1", False), ("s-2", True)] == [(item.id, item.absent) for item in made.items]
    assert made.refusal(force=False, cascade=False) is None


@pytest.mark.parametrize(
    ("usage", "force", "refused"),
    [
        (Usage(disks=1), False, True),
        (Usage(disks=1), True, False),
        (Usage(images=1), True, True),
        (Usage(images=1, disks=1), True, True),
    ],
    ids=["disk", "disk-forced", "image-forced", "both-forced"],
)
def test_force_overrides_disks_and_never_images(usage: Usage, force: bool, refused: bool) -> None:
    """A forced deletion of an image's snapshot would break the image."""
    made = plan(["s"], {"s": snapshot("s", usage=usage)}, {}, [])

    assert refused is (made.refusal(force=force, cascade=False) is not None)


def test_a_refusal_names_everything_and_the_way_out() -> None:
    """One look at it is enough."""
    rows = {"s": snapshot("s", usage=Usage(disks=1)), "t": snapshot("t", locked=True)}
    extra = {"t": [Blocker(reason=Reason.IMAGE, names=("m-1",))]}
    refusal = plan(["s", "t"], rows, extra, [CHAIN[1]]).refusal(force=False, cascade=False)

    assert isinstance(refusal, ConflictError)
    for said in ("s is used by a disk", "t is locked", "image: m-1", "deleted too: child"):
        assert said in str(refusal)
    assert "force overrides" in str(refusal)
    assert "cascade deletes" in str(refusal)


def test_nothing_is_sent_when_it_is_refused() -> None:
    """All or nothing: half a deletion is the worst of three outcomes."""
    cloud = Cloud()
    cloud.add(snapshot("s-1"), snapshot("s-2", locked=True))
    with pytest.raises(ConflictError, match="s-2 is locked"):
        client_over(cloud).delete(["s-1", "s-2"])

    assert [] == cloud.sent


def test_what_only_the_driver_knows_counts_too() -> None:
    """Being copied is not in the neutral model."""
    cloud = Cloud(against={"s-1": (Blocker(reason=Reason.COPYING),)})
    cloud.add(snapshot("s-1"))
    with pytest.raises(ConflictError, match="s-1 is being copied"):
        client_over(cloud).delete("s-1", force=True, cascade=True)


@pytest.mark.faults(76)
def test_absent_is_done() -> None:
    """A retry of a night's deletion must succeed, and only the provider knows what is absent."""
    cloud = Cloud()
    (result,) = client_over(cloud).delete(["s-1"], force=True)

    assert (True, True) == (result.ok, result.absent)
    assert [("delete", (["s-1"], False))] == cloud.sent


@pytest.mark.faults(76)
def test_what_is_shown_as_deleted_is_not_deleted_again() -> None:
    """Some clouds list the dead for hours."""
    cloud = Cloud()
    cloud.add(snapshot("s-1", status=SnapshotStatus.DELETED, raw_status="deleted"))
    (result,) = client_over(cloud, deletes_subtree=True).delete(["s-1"])

    assert (True, True) == (result.ok, result.absent)
    assert [] == cloud.sent
    assert None not in cloud.looks


@pytest.mark.faults(76)
def test_what_does_not_show_yet_is_deleted_before_what_it_builds_on() -> None:
    """A night that is taken back at once would otherwise leave a snapshot that is paid for."""
    cloud = Cloud(lag=30.0)
    client = client_over(cloud)
    made = client.create("d-1").id
    cloud.add(snapshot("root"))
    results = client.delete(["root", made])

    assert [(made, False), ("root", False)] == [(one.id, one.absent) for one in results]
    assert {} == cloud.snapshots


def test_a_child_of_what_does_not_show_holds_it() -> None:
    """Where the whole subtree goes, its parent need not be in the list to be a parent."""
    cloud = Cloud()
    cloud.add(snapshot("child", parent_id="hidden"))
    with pytest.raises(ConflictError, match="would be deleted too: child"):
        client_over(cloud, deletes_subtree=True).delete(["hidden"])

    assert [] == cloud.sent


def test_a_group_that_does_not_show_yet_is_deleted() -> None:
    """Unless a plan was agreed on: then nothing goes that was not in it."""
    cloud = Cloud(lag=30.0)
    client = client_over(cloud)
    group = client.create_group(disk_ids=["d-1", "d-2"]).id
    agreed = client.delete_group(group, agreed=DeletePlan(items=()))
    kept = len(cloud.snapshots)
    with pytest.raises(NotFoundError):
        client.delete_group(group, missing_ok=False)
    client.delete_group(group)

    assert agreed[0].absent
    assert (2, {}) == (kept, cloud.groups)


def test_absent_is_an_error_for_those_who_want_it() -> None:
    """A typing error in an id, for instance."""
    with pytest.raises(NotFoundError, match="no snapshot 's-1' to delete"):
        client_over(Cloud()).delete(["s-1"], missing_ok=False)


def test_descendants_are_refused_without_cascade_and_deleted_first_with_it() -> None:
    """Where the provider deletes the subtree, the caller must have agreed to it."""
    cloud = Cloud()
    cloud.add(*CHAIN)
    client = client_over(cloud, deletes_subtree=True)
    with pytest.raises(ConflictError, match="child, grandchild"):
        client.delete(["root"])
    results = client.delete(["root"], cascade=True)

    assert ["grandchild", "child", "root"] == [one.id for one in results]
    assert {"other", "alone"} == set(cloud.snapshots)


def test_chains_are_not_listed_where_nothing_goes_along() -> None:
    """A listing of everything is paid for only where it is needed."""
    cloud = Cloud()
    cloud.add(*CHAIN)
    client_over(cloud).delete(["root"])

    assert None not in cloud.looks


@pytest.mark.faults(76)
def test_each_item_says_how_it_ended() -> None:
    """Partial failures hidden in a success are opened."""
    trouble = ConflictError("busy")
    cloud = Cloud(refused={"s-2": trouble})
    cloud.add(snapshot("s-1"), snapshot("s-2"), snapshot("s-3"))
    results = client_over(cloud).delete(["s-1", "s-2", "s-3", "s-4"])

    assert {"s-1": None, "s-2": trouble, "s-3": None, "s-4": None} == {
        one.id: one.error for one in results
    }


def test_when_all_fail_the_error_has_each_reason() -> None:
    """The second reason must not cost a second night."""
    cloud = Cloud(refused={f"s-{n}": ConflictError(f"trouble {n % 5}") for n in range(6)})
    cloud.add(*(snapshot(f"s-{number}") for number in range(6)))
    with pytest.raises(ConflictError, match="trouble 0") as caught:
        client_over(cloud).delete([f"s-{number}" for number in range(6)])

    assert "s-1: trouble 1; s-2: trouble 2; s-3: trouble 3; and 1 more" == caught.value.hint


def test_a_request_that_fails_fails_for_its_items_only() -> None:
    """The others are still deleted."""
    cloud = Cloud(unsent=[UnavailableError("ill")])
    cloud.add(*(snapshot(f"s-{number}") for number in range(4)))
    results = client_over(cloud).delete([f"s-{number}" for number in range(4)])

    assert [False, False, True, True] == [one.ok for one in results]


def test_a_group_goes_with_its_members() -> None:
    """And is refused like them."""
    cloud = Cloud()
    client = client_over(cloud)
    group = client.create_group(disk_ids=["d-1", "d-2"])
    first = group.members[0]
    cloud.against[first.id] = (Blocker(reason=Reason.LOCKED),)
    with pytest.raises(ConflictError, match=f"{first.id} is locked"):
        client.delete_group(group.id)
    cloud.against.clear()
    results = client.delete_group(group.id)

    assert all(one.ok for one in results)
    assert ({}, {}) == (cloud.snapshots, cloud.groups)
    assert client.delete_group(group.id)[0].absent


def test_what_goes_along_is_held_by_what_holds_the_named() -> None:
    """Agreeing to descendants is not agreeing to delete a locked one, or one of an image."""
    cloud = Cloud()
    cloud.add(snapshot("root"), snapshot("child", parent_id="root", usage=Usage(images=1)))
    with pytest.raises(ConflictError, match="child, which builds on it, is used by an image"):
        client_over(cloud, deletes_subtree=True).delete(["root"], force=True, cascade=True)

    assert [] == cloud.sent


def test_a_plan_that_has_grown_is_not_carried_out() -> None:
    """A person reads it for minutes, and a backup builds on it meanwhile."""
    cloud = Cloud()
    cloud.add(snapshot("root"))
    client = client_over(cloud, deletes_subtree=True)
    agreed = client.plan_delete(["root"])
    cloud.add(snapshot("child", parent_id="root"))
    with pytest.raises(ConflictError, match="more than was planned: child"):
        client.carry_out(agreed)

    assert [] == cloud.sent


def test_a_group_takes_along_no_more_than_was_agreed_and_tells_it() -> None:
    """Whoever agreed to a cascade agreed to the one that was shown."""
    cloud = Cloud()
    client = client_over(cloud, deletes_subtree=True)
    group = client.create_group(disk_ids=["d-1", "d-2"])
    first = group.members[0].id
    cloud.add(snapshot("child", parent_id=first))
    agreed = client.plan_delete([member.id for member in group.members])
    cloud.add(snapshot("late", parent_id=first))
    with pytest.raises(ConflictError, match="more than was planned: late"):
        client.delete_group(group.id, cascade=True, agreed=agreed)
    del cloud.snapshots["late"]
    results = client.delete_group(group.id, cascade=True, agreed=agreed)

    assert "child" == results[0].id
    assert {} == cloud.snapshots


def test_what_went_before_a_group_that_stays_is_told() -> None:
    """An error alone would hide that something is gone."""
    cloud = Cloud()
    client = client_over(cloud, deletes_subtree=True)
    group = client.create_group(disk_ids=["d-1", "d-2"])
    cloud.add(snapshot("child", parent_id=group.members[0].id))
    driver: Any = client._driver  # pyright: ignore[reportPrivateUsage] - made to fail

    def ill(*_: object, **__: object) -> None:
        raise UnavailableError("ill")

    driver.delete_group = ill
    results = client.delete_group(group.id, cascade=True)

    assert [("child", True), (group.id, False)] == [(one.id, one.ok) for one in results]


def test_what_cannot_be_read_is_not_taken_for_absent() -> None:
    """It would be told as deleted, and be there."""
    cloud = Cloud(troubles=("a row without an id",))
    with pytest.raises(ProtocolError, match="whether s-1 are there: a row without an id"):
        client_over(cloud).delete(["s-1"])


def test_chains_that_cannot_be_read_whole_need_a_cascade() -> None:
    """The row that is missing may be a child."""
    cloud = Cloud(troubles=("a row without an id",))
    cloud.add(snapshot("root"))
    client = client_over(cloud, deletes_subtree=True)
    with pytest.raises(ConflictError, match="cannot be told what else builds on it"):
        client.delete(["root"])
    client.delete(["root"], cascade=True)

    assert {} == cloud.snapshots


def test_a_place_that_is_not_there_is_no_deleted_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's own 'not found' may be about the region."""

    def no_region(*_: object, **__: object) -> None:
        raise NotFoundError("no such region", code="InvalidRegion.NotFound")

    monkeypatch.setattr(LedgerDriver, "list_groups", no_region)
    with pytest.raises(NotFoundError, match="no such region"):
        client_over(Cloud()).delete_group("g-1")
    with pytest.raises(NotFoundError, match="no such region"):
        client_over(Cloud()).wait_group("g-1", "gone")
