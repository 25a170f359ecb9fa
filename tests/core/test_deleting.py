"""Deletion is honest: the plan says what stands against it and what would go along."""

import pytest

from snapkit.deleting import blockers, children_first, descendants, plan
from snapkit.errors import ConflictError, NotFoundError, UnavailableError
from snapkit.model import Snapshot, SnapshotStatus, Usage
from snapkit.writes import Blocker, Reason
from tests.ledger import Cloud, client_over, snapshot

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


def test_absent_is_done() -> None:
    """A retry of a night's deletion must succeed."""
    cloud = Cloud()
    (result,) = client_over(cloud).delete(["s-1"])

    assert (True, True) == (result.ok, result.absent)
    assert [] == cloud.sent


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


def test_each_item_says_how_it_ended() -> None:
    """Partial failures hidden in a success are opened."""
    trouble = ConflictError("busy")
    cloud = Cloud(refused={"s-2": trouble})
    cloud.add(snapshot("s-1"), snapshot("s-2"), snapshot("s-3"))
    results = client_over(cloud).delete(["s-1", "s-2", "s-3", "s-4"])

    assert {"s-1": None, "s-2": trouble, "s-3": None, "s-4": None} == {
        one.id: one.error for one in results
    }


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
