"""What a tired user gets wrong at night: a sentence each, nothing lost, nothing sent in vain."""

from collections.abc import Iterator

import pytest

from snapkit.driver import Capability
from snapkit.emulator.state import Disk, SnapshotRecord
from snapkit.errors import (
    ArgumentError,
    ConflictError,
    NotFoundError,
    ProviderError,
    QueryError,
    SnapkitError,
    UnsupportedError,
)
from snapkit.model import DiskRole, Origin
from snapkit.registry import providers
from tests.emulated import Place, furnished

PREFIXES = {"alibaba": "d-bp1", "tencent": "disk-", "qingcloud": "vol-"}
TAKEN = {"alibaba": "s-taken", "tencent": "snap-taken", "qingcloud": "ss-taken"}


@pytest.fixture(params=providers())
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with furnished(request.param) as found:
        yield found


def sent(place: Place) -> int:
    return len(place.emulator.log)


def taken(place: Place, **facts: object) -> str:
    """Put a complete snapshot of a disk of the server behind the wire and return its id."""
    disk = place.region.disks[place.disks(place.server())[-1]]
    record = SnapshotRecord(
        id=TAKEN[place.provider],
        disk_id=disk.id,
        size_gib=disk.size_gib,
        role=disk.role,
        instance_id=disk.instance_id,
        zone=disk.zone,
        started_at=place.emulator.world.clock.now() - 7200,
    )
    for name, value in facts.items():
        setattr(record, name, value)
    place.region.add(record)
    return record.id


@pytest.mark.parametrize("foreign", ["d-none0001", "disk-none0001", "vol-none0001"])
def test_a_disk_that_is_not_there_is_said(place: Place, foreign: str) -> None:
    """An id of another cloud looks like any other id that is not there."""
    with place.client() as client, pytest.raises(ProviderError) as caught:
        client.create(foreign)

    assert caught.value.code
    assert caught.value.provider == place.provider
    assert {} == place.region.snapshots


@pytest.mark.faults(76)
def test_absent_snapshots_are_done_or_said(place: Place) -> None:
    """For a deletion absence is success; for everything else it is not found."""
    with place.client() as client:
        (result,) = client.delete(["snap-none"])
        for act in (client.snapshot, client.roll_back, client.restore):
            with pytest.raises(NotFoundError, match="snap-none"):
                act("snap-none")
        with pytest.raises(NotFoundError, match="snap-none"):
            client.delete(["snap-none"], missing_ok=False)

    assert (True, True) == (result.ok, result.absent)


def test_a_foreign_group_is_not_found(place: Place) -> None:
    """A group of another cloud or account is not there, whatever its id looks like."""
    with place.client() as client:
        for act in (client.group, client.roll_back_group, client.wait_group):
            with pytest.raises(NotFoundError, match="ssg-of-another"):
                act("ssg-of-another")
        (result,) = client.delete_group("ssg-of-another")

    assert result.absent


def test_a_group_of_nothing_is_refused_before_sending(place: Place) -> None:
    """An empty list must never become a list of everything."""
    with place.client() as client:
        before = sent(place)
        with pytest.raises(ArgumentError, match="needs an instance or disks"):
            client.create_group()
        with pytest.raises(ArgumentError, match="exclude each other"):
            client.create_group(instance_id="i-1", disk_ids=["a"], exclude_disk_ids=["b"])
        with pytest.raises(ArgumentError, match="nothing to delete"):
            client.delete([])
        with pytest.raises(QueryError, match="nothing to wait for"):
            client.wait([])

        assert before == sent(place)


def test_seventeen_disks_are_the_servers_to_refuse(place: Place) -> None:
    """Sources disagree on the most disks of a group, so no limit is enforced here."""
    server = place.server()
    for number in range(17 - len(place.disks(server))):
        place.region.add(
            Disk(
                id=f"{PREFIXES[place.provider]}more{number:04}",
                size_gib=20,
                role=DiskRole.DATA,
                category=place.region.disks[place.disks(server)[-1]].category,
                instance_id=server,
                zone=place.region.disks[place.disks(server)[-1]].zone,
            )
        )
    with place.client() as client:
        if place.provider == "alibaba":
            with pytest.raises(SnapkitError) as caught:
                client.create_group(instance_id=server)
            assert "NumberExceed.TooManyDisks" == caught.value.code
        else:
            assert client.create_group(instance_id=server, name="many").id


NAMES = {
    "alibaba": ["x", "auto-mine", "1st", "a" * 129, "http://here", "with blank"],
    "tencent": ["", "n" * 61],
    "qingcloud": [],
}


def test_a_forbidden_name_is_refused_before_sending(place: Place) -> None:
    """The vendor's documented forms are data, and a bad name costs no call."""
    disk = place.disks(place.server())[0]
    with place.client() as client:
        before = sent(place)
        for name in NAMES[place.provider]:
            with pytest.raises(ArgumentError, match="the name"):
                client.create(disk, name=name)

        assert before == sent(place)


def test_too_many_tags_are_refused_before_sending(place: Place) -> None:
    """Twenty on one cloud, fifty on another; labels without values on the third."""
    disk = place.disks(place.server())[0]
    with place.client() as client:
        before = sent(place)
        tags = {f"k{number}": "v" for number in range(21 if place.provider == "alibaba" else 51)}
        with pytest.raises(ArgumentError, match="tag"):
            client.create(disk, tags=tags)

        assert before == sent(place)


def test_a_copy_is_not_rolled_back(place: Place) -> None:
    """It was not taken from that disk, so the vendor refuses; snapkit says so first."""
    if place.provider == "qingcloud":
        pytest.skip("copies keep their id there and do not say that they are copies")
    facts = {"origin": Origin.COPY, "source_snapshot_id": "s-origin", "source_region": "far"}
    copied = taken(place, **facts)
    with place.client() as client, pytest.raises(ConflictError, match="a copy"):
        client.roll_back(copied)


def test_a_system_disk_is_not_restored_to_a_new_disk(place: Place) -> None:
    """Some clouds make no data disk of one; the refusal comes before the request."""
    if place.provider == "alibaba":
        pytest.skip("this cloud does")
    server = place.server()
    system = next(
        place.region.disks[one]
        for one in place.disks(server)
        if place.region.disks[one].role is DiskRole.SYSTEM
    )
    found = taken(place, disk_id=system.id, role=DiskRole.SYSTEM, size_gib=system.size_gib)
    with place.client() as client, pytest.raises(ConflictError, match="system disk"):
        client.restore(found, zone="any")


def test_what_a_cloud_cannot_do_is_refused_with_a_reason(place: Place) -> None:
    """Before anything is sent, and with the other way where there is one."""
    with place.client() as client:
        before = sent(place)
        missing = [one for one in Capability if not client.supports(one)]
        for capability in missing:
            with pytest.raises(UnsupportedError) as caught:
                client.require(capability)
            assert caught.value.hint

        assert missing
        assert before == sent(place)
