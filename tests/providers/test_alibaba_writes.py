"""The driver makes, changes and tags, against the emulated service: what is there afterwards."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from snapkit import errors
from snapkit.emulator.state import Disk
from snapkit.model import Kind, SnapshotStatus, Tags
from snapkit.writes import (
    Change,
    ItemResult,
    NewGroup,
    NewSnapshot,
)
from tests.providers.alibaba_lab import ZONE, Lab, opened, soon


@pytest.fixture
def lab() -> Iterator[Lab]:
    with opened() as found:
        yield found


def test_a_new_snapshot_goes_through_its_three_moments(lab: Lab) -> None:
    """Cut, usable, complete are apart."""
    made = lab.made(name="nightly", description="before release", tags=Tags([("team", "shop")]))
    first = lab.see(made)
    lab.advance(2)
    cut = lab.see(made)
    lab.advance(10)
    usable = lab.see(made)
    lab.advance(60)
    complete = lab.see(made)

    assert (first.status, first.cut_at, first.restorable) == (SnapshotStatus.CREATING, None, False)
    assert cut.cut_at is not None
    assert not cut.restorable
    assert (usable.status, usable.restorable) == (SnapshotStatus.CREATING, True)
    assert (complete.status, complete.progress) == (SnapshotStatus.AVAILABLE, 100)
    assert (complete.name, complete.description) == ("nightly", "before release")
    assert complete.tags == Tags([("team", "shop")])
    assert complete.source.id == "d-1"


def test_an_expiry_becomes_days_of_retention(lab: Lab) -> None:
    """Not before the moment that was asked for, and not a day later."""
    wanted = soon(days=7)
    found = lab.see(lab.ready(expires_at=wanted))

    assert found.expires_at is not None
    assert wanted - timedelta(seconds=2) <= found.expires_at <= wanted + timedelta(days=1)


def test_an_expired_snapshot_is_gone(lab: Lab) -> None:
    """The service deletes it by itself."""
    made = lab.ready(expires_at=soon(days=1))
    lab.advance(86400)

    assert lab.look(made) is None


def test_the_same_token_gives_the_same_snapshot(lab: Lab) -> None:
    """Whoever repeats a request gets what it made."""
    first, second = lab.made(token="k1"), lab.made(token="k1")

    assert first == second
    assert lab.count() == 1


def test_the_same_token_for_another_disk_is_a_conflict(lab: Lab) -> None:
    """Adopting would give the caller somebody else's data."""
    lab.made(token="k1")
    with pytest.raises(errors.IdempotencyConflictError) as caught:
        lab.made("d-2", token="k1")

    assert caught.value.code == "IdempotentParameterMismatch"
    assert lab.count() == 1


@pytest.mark.parametrize(
    ("new", "kind", "code"),
    [
        (NewSnapshot(disk_id="d-none"), errors.NotFoundError, "InvalidDiskId.NotFound"),
        (
            NewSnapshot(disk_id="d-1", name="auto_x"),
            errors.InvalidRequestError,
            "InvalidSnapshotName.Malformed",
        ),
        (
            NewSnapshot(disk_id="d-1", description="http://x"),
            errors.InvalidRequestError,
            "InvalidDescription.Malformed",
        ),
        (
            NewSnapshot(disk_id="d-1", tags=Tags((f"k{n}", "") for n in range(21))),
            errors.InvalidRequestError,
            "InvalidTagCount",
        ),
        (
            NewSnapshot(disk_id="d-1", tags=Tags([("acs:x", "")])),
            errors.InvalidRequestError,
            "InvalidTagKey.Malformed",
        ),
        (
            NewSnapshot(disk_id="d-1", token="k" * 65),
            errors.InvalidRequestError,
            "InvalidClientToken.Malformed",
        ),
        (
            NewSnapshot(disk_id="d-local"),
            errors.UnsupportedError,
            "DiskCategory.OperationNotSupported",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_service_refuses_what_is_documented(
    lab: Lab, new: NewSnapshot, kind: type[errors.SnapkitError], code: str
) -> None:
    """With its own code, and nothing is there afterwards."""
    with pytest.raises(kind) as caught:
        lab.driver.create_snapshot(new)

    assert (caught.value.code, caught.value.operation) == (code, "CreateSnapshot")
    assert caught.value.sent is errors.Sent.NO
    assert lab.count() == 0


def test_an_old_disk_makes_one_snapshot_at_a_time(lab: Lab) -> None:
    """ESSD disks make ten; both may be asked again later."""
    lab.made("d-old")
    with pytest.raises(errors.ConflictError) as caught:
        lab.made("d-old")
    for _ in range(10):
        lab.made("d-2")
    with pytest.raises(errors.QuotaError) as crowded:
        lab.made("d-2")
    lab.advance(61)

    assert caught.value.code == "IncorrectDiskStatus.CreatingSnapshot"
    assert crowded.value.code == "QuotaExceed.ConcurrentSnapshotQuota"
    assert caught.value.retryable
    assert crowded.value.retryable
    assert lab.made("d-old")
    assert lab.made("d-2")


def test_a_group_has_all_disks_of_an_instance(lab: Lab) -> None:
    """Its members say where they come from."""
    made = lab.driver.create_group(
        NewGroup(instance_id="i-1", name="nightly", description="all", tags=Tags([("a", "b")]))
    )
    lab.advance(61)
    group = lab.group(made.group_id or "")

    assert group is not None
    assert (group.name, group.description, group.instance_id) == ("nightly", "all", "i-1")
    assert group.tags == Tags([("a", "b")])
    assert group.status is SnapshotStatus.AVAILABLE
    assert [member.source.id for member in group.members] == ["d-1", "d-2"]
    assert lab.see(group.members[0].id).description == f"Created_from_{group.id}"


@pytest.mark.parametrize(
    ("new", "disks"),
    [
        (NewGroup(instance_id="i-1", exclude_disk_ids=("d-2",)), ["d-1"]),
        (NewGroup(instance_id="i-1", disk_ids=("d-2",)), ["d-2"]),
        (NewGroup(disk_ids=("d-1", "d-3")), ["d-1", "d-3"]),
    ],
    ids=["excluded", "named", "of two instances"],
)
def test_a_group_has_the_disks_that_were_meant(lab: Lab, new: NewGroup, disks: list[str]) -> None:
    """Instance, disks, or instance without some."""
    group = lab.group(lab.driver.create_group(new).group_id or "")

    assert group is not None
    assert disks == [member.source.id for member in group.members]


@pytest.mark.parametrize(
    ("new", "kind", "code"),
    [
        (
            NewGroup(disk_ids=("d-1", "d-4")),
            errors.InvalidRequestError,
            "InvalidDiskIds.NotInSameZone",
        ),
        (
            NewGroup(instance_id="i-1", disk_ids=("d-3",)),
            errors.InvalidRequestError,
            "InvalidParameter.DiskIds",
        ),
        (NewGroup(instance_id="i-none"), errors.NotFoundError, "InvalidInstanceId.NotFound"),
        (NewGroup(disk_ids=("d-none",)), errors.NotFoundError, "InvalidDiskId.NotFound"),
        (
            NewGroup(instance_id="i-3", exclude_disk_ids=("d-old",)),
            errors.InvalidRequestError,
            "InvalidInstance.NoDisk",
        ),
        (NewGroup(instance_id="i-3"), errors.UnsupportedError, "DiskId.ValueNotSupported"),
        (
            NewGroup(instance_id="i-1", name="1x"),
            errors.InvalidRequestError,
            "InvalidParameter.Name",
        ),
        (
            NewGroup(instance_id="i-1", description="x"),
            errors.InvalidRequestError,
            "InvalidParameter.Description",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.faults(74)
def test_a_group_that_cannot_be_made_leaves_nothing(
    lab: Lab, new: NewGroup, kind: type[errors.SnapkitError], code: str
) -> None:
    """All members or none."""
    with pytest.raises(kind) as caught:
        lab.driver.create_group(new)

    assert caught.value.code == code
    assert (lab.count(), lab.region.groups) == (0, {})


@pytest.mark.parametrize(
    ("count", "size", "code"),
    [(17, 20, "NumberExceed.TooManyDisks"), (2, 16385, "CapacityExceed.TooManyDisks")],
)
def test_the_service_says_how_much_fits_into_a_group(
    lab: Lab, count: int, size: int, code: str
) -> None:
    """Snapkit sends it: the documented ceiling has moved."""
    ids = [f"d-big{number}" for number in range(count)]
    lab.region.add(*[Disk(id=one, size_gib=size, instance_id="i-9", zone=ZONE) for one in ids])
    with pytest.raises(errors.QuotaError) as caught:
        lab.driver.create_group(NewGroup(disk_ids=tuple(ids)))

    assert caught.value.code == code


def test_the_same_token_gives_the_same_group(lab: Lab) -> None:
    """And another instance under it is a conflict."""
    first = lab.driver.create_group(NewGroup(instance_id="i-1", token="k1"))
    second = lab.driver.create_group(NewGroup(instance_id="i-1", token="k1"))
    with pytest.raises(errors.IdempotencyConflictError):
        lab.driver.create_group(NewGroup(instance_id="i-2", token="k1"))

    assert first == second
    assert (lab.count(), len(lab.region.groups)) == (2, 1)


def test_a_snapshot_is_renamed_described_and_kept_longer(lab: Lab) -> None:
    """Only what was named changes."""
    made = lab.ready(name="before", description="kept")
    lab.driver.change_snapshot(made, Change(name="after"))
    renamed = lab.see(made)
    wanted = soon(days=30)
    lab.driver.change_snapshot(made, Change(description="", expires_at=wanted))
    changed = lab.see(made)

    assert (renamed.name, renamed.description) == ("after", "kept")
    assert (changed.name, changed.description) == ("after", None)
    assert changed.expires_at is not None
    assert wanted <= changed.expires_at <= wanted + timedelta(days=1)


def test_an_empty_change_sends_nothing(lab: Lab) -> None:
    """The service would refuse it."""
    lab.driver.change_snapshot("s-none", Change())
    lab.driver.change_group("ssg-none", Change())

    assert lab.emulator.log == []


def test_an_expiry_cannot_come_nearer(lab: Lab) -> None:
    """The service's own rule, told in its words."""
    made = lab.ready(expires_at=soon(days=10))
    with pytest.raises(errors.InvalidRequestError) as caught:
        lab.driver.change_snapshot(made, Change(expires_at=soon(days=2)))

    assert caught.value.code == "InvalidOperation.DecreaseRetentionDaysUnsupported"
    assert "later" in str(caught.value)


@pytest.mark.parametrize("change", [Change(name="new"), Change(expires_at=soon(days=9))])
def test_a_change_of_what_is_not_there_says_so(lab: Lab, change: Change) -> None:
    """Also when the expiry needs a look first."""
    with pytest.raises(errors.NotFoundError):
        lab.driver.change_snapshot("s-none", change)


def test_a_group_is_renamed_and_described(lab: Lab) -> None:
    """It has no more than that."""
    group_id = lab.driver.create_group(NewGroup(instance_id="i-1", name="one")).group_id or ""
    lab.driver.change_group(group_id, Change(name="two", description="说明文字"))
    group = lab.group(group_id)

    assert group is not None
    assert (group.name, group.description) == ("two", "说明文字")


def test_tags_are_set_and_taken_away(lab: Lab) -> None:
    """On snapshots and on groups; twice is fine."""
    made = lab.made(tags=Tags([("old", "1")]))
    group_id = lab.driver.create_group(NewGroup(instance_id="i-1")).group_id or ""
    lab.driver.tag(Kind.SNAPSHOT, [made], Tags([("new", "2")]))
    done = lab.driver.tag(Kind.SNAPSHOT, [made], Tags([("new", "2"), ("old", "3")]))
    lab.driver.tag(Kind.GROUP, [group_id], Tags([("g", "")]))
    lab.driver.untag(Kind.SNAPSHOT, [made], ["new"])
    lab.driver.untag(Kind.SNAPSHOT, [made], ["new"])
    group = lab.group(group_id)

    assert done == [ItemResult(id=made)]
    assert lab.see(made).tags == Tags([("old", "3")])
    assert group is not None
    assert group.tags == Tags([("g", "")])


def test_a_tag_on_what_is_not_there_is_an_error(lab: Lab) -> None:
    """All or none."""
    made = lab.made()
    with pytest.raises(errors.NotFoundError):
        lab.driver.tag(Kind.SNAPSHOT, [made, "s-none"], Tags([("a", "b")]))

    assert lab.see(made).tags == Tags()
