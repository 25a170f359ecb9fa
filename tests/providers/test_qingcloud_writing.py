"""Parameters of QingCloud's writing actions and what their answers say; no wire."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from snapkit.errors import (
    ArgumentError,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    Sent,
    SnapkitError,
    ThrottledError,
    TransportError,
)
from snapkit.model import DiskRole, SnapshotKind, SnapshotStatus, Tags
from snapkit.writes import Change, NewDisk
from snapkit_qingcloud import deletion, writing
from snapkit_qingcloud.disks import parse_system_disk, parse_volume

GIB = 2**30


@pytest.mark.parametrize(
    ("kind", "is_full"),
    [
        (SnapshotKind.UNKNOWN, "0"),
        (SnapshotKind.INCREMENTAL, "0"),
        (SnapshotKind.FULL, "1"),
    ],
)
def test_the_kind_is_always_said(kind: SnapshotKind, is_full: str) -> None:
    """An explicit decision, not a server's default."""
    assert {
        "resources.1": "i-1",
        "resources.2": "vol-2",
        "is_full": is_full,
        "snapshot_name": "夜 ~1",
    } == writing.creation(["i-1", "vol-2"], "夜 ~1", kind)


def test_no_name_is_not_sent() -> None:
    """An empty one might be one."""
    assert {"resources.1": "vol-1", "is_full": "0"} == writing.creation(
        ["vol-1"], None, SnapshotKind.UNKNOWN
    )
    assert {"snapshot": "ss-1"} == writing.volume(NewDisk(snapshot_id="ss-1", zone="pek3c"))


@pytest.mark.parametrize(
    "job", [{"job_id": "j-1"}, {"job_id": ["j-1", "j-2"]}, {"job_id": None}, {}]
)
def test_the_job_id_takes_any_form(job: Mapping[str, Any]) -> None:
    """A text in all older records, a list of texts since 2024."""
    assert ("ss-1", "ss-2") == writing.made({"snapshots": ["ss-1", "ss-2"], **job}, 2)


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"snapshots": None},
        {"snapshots": []},
        {"snapshots": ["ss-1", "ss-2"]},
        {"snapshots": [None]},
        {"snapshots": [{"snapshot_id": "ss-1"}]},
    ],
)
def test_an_answer_with_another_number_of_snapshots_leaves_the_outcome_open(
    payload: Mapping[str, Any],
) -> None:
    """Something was made, so it must be looked for and not made again."""
    with pytest.raises(ProtocolError) as caught:
        writing.made(payload, 1)
    assert Sent.MAYBE is caught.value.sent


def test_only_what_changes_is_sent_and_a_blank_clears() -> None:
    """An empty text may count as not given."""
    assert {"snapshot": "ss-1", "snapshot_name": "n"} == writing.attributes(
        "ss-1", Change(name="n")
    )
    assert {"snapshot": "ss-1", "snapshot_name": " ", "description": " "} == writing.attributes(
        "ss-1", Change(name="", description="")
    )


def test_pairs_are_numbered_objects() -> None:
    """One label on each of several things."""
    assert {
        "resource_tag_pairs.1.tag_id": "tag-1",
        "resource_tag_pairs.1.resource_type": "snapshot",
        "resource_tag_pairs.1.resource_id": "ss-1",
        "resource_tag_pairs.2.tag_id": "tag-1",
        "resource_tag_pairs.2.resource_type": "snapshot",
        "resource_tag_pairs.2.resource_id": "ss-2",
    } == writing.pairs("snapshot", ["ss-1", "ss-2"], "tag-1")


@pytest.mark.parametrize(
    ("key", "value", "fits"),
    [
        ("x" * 14, "", True),
        ("备" * 14, "", True),
        ("x" * 15, "", False),
        ("", "", False),
        ("env", "prod", False),
    ],
)
def test_labels_have_fewer_than_15_characters_and_no_value(
    key: str, value: str, fits: bool
) -> None:
    """The documented form."""
    if fits:
        assert [key] == writing.labels_of(Tags([(key, value)]))
        return
    with pytest.raises(ArgumentError):
        writing.labels_of(Tags([(key, value)]))


@pytest.mark.parametrize(
    ("row", "status", "busy", "instance"),
    [
        ({"status": "in-use", "instance": {"instance_id": "i-1"}}, "in-use", False, "i-1"),
        ({"status": "available", "instance": {"instance_id": ""}}, "available", False, None),
        ({"status": "available", "transition_status": ""}, "available", False, None),
        ({"status": "available", "transition_status": "attaching"}, "available", True, None),
        ({"status": "pending", "transition_status": "creating"}, "pending", True, None),
        ({"status": "pending"}, "pending", True, None),
        (
            {"status": "in-use", "instances": [{"instance_id": "i-1"}, {"instance_id": "i-2"}]},
            "in-use",
            False,
            None,
        ),
        ({"status": 7}, "7", False, None),
    ],
)
def test_a_volumes_row_is_read(
    row: Mapping[str, Any], status: str, busy: bool, instance: str | None
) -> None:
    """A detached one has empty texts, a shared one has no one server."""
    disk = parse_volume({"volume_id": "vol-1", "size": 100, "volume_type": 200, **row})

    assert disk is not None
    assert (status, busy, instance) == (disk.raw_status, disk.busy, disk.instance_id)
    assert (DiskRole.DATA, 100 * GIB, "200") == (disk.role, disk.size_bytes, disk.raw_category)


@pytest.mark.parametrize("word", ["deleted", "ceased"])
def test_a_deleted_volume_is_none(word: str) -> None:
    """The server shows it for a while."""
    assert parse_volume({"volume_id": "vol-1", "status": word}) is None
    assert parse_volume({"status": "available"}) is None


def test_a_servers_row_is_its_system_disk() -> None:
    """Its size stands in ``extra``, which may be missing."""
    row: dict[str, Any] = {"instance_id": "i-1", "instance_name": "web", "status": "running"}
    disk = parse_system_disk({**row, "zone_id": "pek3b", "extra": {"os_disk_size": 40}})
    bare = parse_system_disk({**row, "transition_status": "restarting"}, keep_raw=True)

    assert disk is not None
    assert bare is not None
    assert ("i-1", "i-1", "web", "pek3b", 40 * GIB, DiskRole.SYSTEM, False) == (
        disk.id,
        disk.instance_id,
        disk.name,
        disk.zone,
        disk.size_bytes,
        disk.role,
        disk.busy,
    )
    assert (None, True, "web") == (bare.size_bytes, bare.busy, (bare.raw or {})["instance_name"])
    assert parse_system_disk({**row, "status": "ceased"}) is None


class Server:
    """Deletes all of several or none; *bad* are refused, *known* are shown in their state."""

    def __init__(
        self, bad: Mapping[str, SnapkitError], known: Mapping[str, SnapshotStatus]
    ) -> None:
        self.bad, self.known = bad, known
        self.sent: list[list[str]] = []
        self.deleted: set[str] = set()

    def send(self, ids: Sequence[str]) -> None:
        self.sent.append(list(ids))
        for one in ids:
            if one in self.bad:
                raise self.bad[one]
        self.deleted |= set(ids)

    def look(self, ids: Sequence[str]) -> dict[str, SnapshotStatus]:
        return {one: self.known[one] for one in ids if one in self.known}


def test_the_one_refused_is_found_by_halves() -> None:
    """In few calls, and the others are deleted."""
    ids = [f"ss-{number}" for number in range(100)]
    server = Server({"ss-70": ConflictError("no")}, dict.fromkeys(ids, SnapshotStatus.AVAILABLE))
    results = deletion.delete(ids, server.send, server.look)

    assert ids == [one.id for one in results]
    assert ["ss-70"] == [one.id for one in results if not one.ok]
    assert set(ids) - {"ss-70"} == server.deleted
    assert len(server.sent) < 20


def test_one_not_shown_is_absent_only_when_the_server_says_so_of_it_alone() -> None:
    """It may be too new to be listed."""
    server = Server({"ss-new": ConflictError("try later"), "ss-old": NotFoundError("none")}, {})
    new, old, fine = deletion.delete(["ss-new", "ss-old", "ss-3"], server.send, server.look)

    assert (False, False) == (new.ok, new.absent)
    assert (True, True) == (old.ok, old.absent)
    assert (True, False) == (fine.ok, fine.absent)


def test_gone_and_going_are_settled_by_one_look() -> None:
    """Then only the rest is sent."""
    no = ConflictError("ss-1 is [deleting]")
    known = {"ss-1": SnapshotStatus.DELETING, "ss-2": SnapshotStatus.DELETED}
    server = Server({"ss-1": no, "ss-2": no}, known)
    results = deletion.delete(["ss-1", "ss-2", "ss-3"], server.send, server.look)

    assert [["ss-1", "ss-2", "ss-3"], ["ss-3"]] == server.sent
    assert [(True, False), (True, True), (True, False)] == [(r.ok, r.absent) for r in results]


@pytest.mark.parametrize("error", [PermissionDeniedError("no"), ThrottledError("slow")])
def test_what_fails_as_a_whole_is_raised(error: SnapkitError) -> None:
    """It is not about single snapshots."""
    server = Server({"ss-1": error}, {})

    with pytest.raises(type(error)):
        deletion.delete(["ss-1", "ss-2"], server.send, server.look)


def test_a_later_failure_does_not_hide_what_was_deleted() -> None:
    """Halves are parts: each keeps its own end."""
    bad = {"ss-2": ConflictError("no"), "ss-3": TransportError("cut")}
    server = Server(bad, {})
    results = deletion.delete(["ss-0", "ss-1", "ss-2", "ss-3"], server.send, server.look)

    assert [None, None, ConflictError, TransportError] == [
        None if one.error is None else type(one.error) for one in results
    ]
