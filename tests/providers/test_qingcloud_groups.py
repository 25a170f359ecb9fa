"""QingCloud keeps no groups; what is certain about time, name and server makes one."""

from datetime import UTC, datetime, timedelta
from typing import Any

from snapkit.model import (
    Consistency,
    DiskRole,
    Membership,
    Snapshot,
    SnapshotGroup,
    SnapshotStatus,
    SourceDisk,
)
from snapkit_qingcloud import groups

AT = datetime(2024, 5, 20, 8, 9, 10, tzinfo=UTC)
ATTACHED = {"vol-1": "i-1", "vol-2": "i-1", "vol-9": "i-9"}


def snapshot(disk: str = "vol-1", **facts: Any) -> Snapshot:
    system = disk.startswith("i-")
    defaults: dict[str, Any] = {
        "id": f"ss-{disk}",
        "provider": "qingcloud",
        "account": "demo",
        "region": "pek3",
        "name": "nightly",
        "status": SnapshotStatus.AVAILABLE,
        "raw_status": "available",
        "created_at": AT,
        "cut_at": AT,
        "source": SourceDisk(
            id=disk,
            role=DiskRole.SYSTEM if system else DiskRole.DATA,
            instance_id=disk if system else None,
        ),
    }
    return Snapshot(**(defaults | facts))


def derive(*snapshots: Snapshot, servers: dict[str, str] | None = None) -> list[SnapshotGroup]:
    return groups.form_groups(
        groups.candidates(snapshots), ATTACHED if servers is None else servers
    )


def test_equal_time_name_and_server_make_a_group() -> None:
    """The system disk and a data disk of one server, taken by one call."""
    (group,) = derive(snapshot("i-1"), snapshot("vol-1"), snapshot("vol-2"))

    assert "grp-20240520T080910Z-i-1-2a3b62b5" == group.id
    assert ("nightly", AT, "i-1", SnapshotStatus.AVAILABLE, None) == (
        group.name,
        group.created_at,
        group.instance_id,
        group.status,
        group.raw_status,
    )
    assert (Consistency.CRASH, Membership.DERIVED) == (group.consistency, group.membership)
    assert [("ss-i-1", group.id), ("ss-vol-1", group.id), ("ss-vol-2", group.id)] == [
        (member.id, member.group_id) for member in group.members
    ]


def test_an_equal_second_is_no_group() -> None:
    """Two calls in one second are common at night."""
    assert [] == derive(snapshot("vol-1"), snapshot("vol-2", name="other"))


def test_another_second_is_no_group() -> None:
    """The members of one call have exactly the same time."""
    assert [] == derive(snapshot("vol-1"), snapshot("vol-2", cut_at=AT + timedelta(seconds=1)))


def test_two_servers_are_no_group() -> None:
    """Nothing is promised between servers, even in one call."""
    assert [] == derive(snapshot("vol-1"), snapshot("vol-9"))


def test_a_call_over_two_servers_is_a_group_for_each() -> None:
    """Each server's part is consistent by itself."""
    found = derive(snapshot("i-1"), snapshot("vol-1"), snapshot("i-9"), snapshot("vol-9"))

    assert {"i-1", "i-9"} == {group.instance_id for group in found}


def test_a_disk_whose_server_is_unknown_is_in_no_group() -> None:
    """A detached or deleted disk does not tell."""
    assert [] == derive(snapshot("i-1"), snapshot("vol-7"))


def test_one_disk_twice_in_a_second_is_no_group() -> None:
    """One call takes each disk once, so these were two."""
    assert [] == derive(snapshot("vol-1"), snapshot("vol-1", id="ss-again"))


def test_snapshots_without_names_may_be_a_group() -> None:
    """A call without a name leaves all of its snapshots without one."""
    (group,) = derive(snapshot("vol-1", name=None), snapshot("vol-2", name=None))

    assert "grp-20240520T080910Z-i-1-e3b0c442" == group.id


def test_a_snapshot_without_a_time_is_in_no_group() -> None:
    """The time of its record is not the time of its data."""
    assert [] == derive(snapshot("vol-1", cut_at=None), snapshot("vol-2", cut_at=None))


def test_snapshots_being_captured_are_a_group_already() -> None:
    """Their common time is known from the start."""
    creating = {"status": SnapshotStatus.CREATING, "raw_status": "pending", "cut_at": None}
    (group,) = derive(snapshot("vol-1", **creating), snapshot("vol-2"))

    assert (SnapshotStatus.CREATING, AT) == (group.status, group.created_at)


def test_only_volumes_that_may_be_in_a_group_are_asked_for() -> None:
    """Every call counts against two thousand an hour."""
    alone = snapshot("vol-5", name="alone")
    sets = groups.candidates([snapshot("i-1"), snapshot("vol-2"), snapshot("vol-1"), alone])

    assert ["vol-1", "vol-2"] == groups.volumes_of(sets)


def test_groups_come_newest_first() -> None:
    """As the snapshots do."""
    later = {"cut_at": AT + timedelta(days=1), "created_at": AT + timedelta(days=1)}
    found = derive(
        snapshot("vol-1"),
        snapshot("vol-2"),
        snapshot("vol-1", id="a", **later),
        snapshot("vol-2", id="b", **later),
    )

    assert [AT + timedelta(days=1), AT] == [group.created_at for group in found]
