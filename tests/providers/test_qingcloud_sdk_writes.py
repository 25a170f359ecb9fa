"""The vendor's own SDK as an independent witness of a snapshot's life."""

import importlib
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from snapkit.driver import Driver
from snapkit.emulator import Emulator, World
from snapkit.emulator.state import AccountState, Disk
from snapkit.model import DiskRole, Kind, Snapshot, SnapshotStatus, Tags
from snapkit.query import SnapshotQuery
from snapkit.settings import open_driver
from snapkit.transport import Clock
from snapkit.writes import Change, NewDisk, NewGroup, NewSnapshot, RollBack


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A server with two data disks."""
    account = AccountState(provider="qingcloud", key_id="QYEXAMPLE", secret="EXAMPLE-secret")
    account.region("pek3").add(
        Disk(id="sys-1", instance_id="i-1", role=DiskRole.SYSTEM, size_gib=40, zone="pek3b"),
        Disk(id="vol-a", instance_id="i-1", size_gib=100, category="200", zone="pek3b"),
        Disk(id="vol-b", instance_id="i-1", size_gib=100, category="200", zone="pek3b"),
    )
    with Emulator(World(accounts=[account])) as running:
        yield running


@pytest.fixture
def sdk(emulator: Emulator) -> Iterator[Any]:
    """A connection of the SDK."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("qingcloud.iaas.connection")
    connection: Any = module.APIConnection(
        "QYEXAMPLE",
        "EXAMPLE-secret",
        "pek3",
        host="127.0.0.1",
        port=int(emulator.endpoint.rpartition(":")[2]),
        protocol="http",
    )
    yield connection
    for queue in connection._conn.pool.values():
        for pooled, _ in queue.queue:
            pooled.close()


@pytest.fixture
def driver(emulator: Emulator) -> Iterator[Driver]:
    """Ours, beside it."""
    opened = open_driver(
        emulator.targets("qingcloud")[0], clock=Clock(sleep=lambda _: None), keep_raw=True
    )
    yield opened
    opened.close()


def ok(answer: Any) -> dict[str, Any]:
    assert answer is not None
    assert 0 == answer["ret_code"], answer
    return dict(answer)


def ours(driver: Driver, *ids: str) -> dict[str, Snapshot]:
    query = SnapshotQuery(ids=frozenset(ids), include_deleted=True)
    page = driver.list_snapshots(query, cursor=None, limit=100)
    return {snapshot.id: snapshot for snapshot in page.items}


def theirs(sdk: Any, *ids: str) -> dict[str, dict[str, Any]]:
    answer = ok(sdk.describe_snapshots(snapshots=list(ids), verbose=1, limit=100))
    return {row["snapshot_id"]: row for row in answer["snapshot_set"]}


def test_what_the_sdk_creates_snapkit_sees_and_the_other_way_round(
    sdk: Any, driver: Driver, emulator: Emulator
) -> None:
    """Same disk, name and state, field by field; the SDK sends an empty scheduler_id too."""
    [by_sdk] = ok(sdk.create_snapshots(["vol-a"], snapshot_name="夜 1"))["snapshots"]
    by_us = driver.create_snapshot(NewSnapshot(disk_id="vol-b", name="夜 1"))
    for seconds in (0, 3, 20):
        emulator.world.clock.advance(seconds)
        mine, raw = ours(driver, by_sdk, by_us), theirs(sdk, by_sdk, by_us)
        assert raw == {one: snapshot.raw for one, snapshot in mine.items()}
        same = ("status", "transition_status", "snapshot_type", "snapshot_name", "is_taken", "size")
        assert [raw[by_sdk][field] for field in same] == [raw[by_us][field] for field in same]

    assert {SnapshotStatus.AVAILABLE} == {snapshot.status for snapshot in mine.values()}


def test_a_group_is_one_call_in_both(sdk: Any, driver: Driver, emulator: Emulator) -> None:
    """One time and one name for all members."""
    by_sdk = ok(sdk.create_snapshots(["i-1", "vol-a", "vol-b"], snapshot_name="sdk"))["snapshots"]
    emulator.world.clock.advance(20)
    by_us = driver.create_group(NewGroup(disk_ids=("i-1", "vol-a", "vol-b"), name="us"))
    emulator.world.clock.advance(20)
    rows = theirs(sdk, *by_sdk, *by_us.snapshot_ids)
    groups = driver.derive_groups(list(ours(driver, *rows).values()))

    assert {frozenset(by_sdk), frozenset(by_us.snapshot_ids)} == {
        frozenset(member.id for member in group.members) for group in groups
    }
    assert 2 == len({(row["snapshot_time"], row["snapshot_name"]) for row in rows.values()})


def test_both_see_changes_and_labels(sdk: Any, driver: Driver) -> None:
    """Made by one, read by the other."""
    snapshot_id = driver.create_snapshot(NewSnapshot(disk_id="vol-a"))
    driver.change_snapshot(snapshot_id, Change(name="n", description="ours"))
    driver.tag(Kind.SNAPSHOT, [snapshot_id], Tags([("prod", "")]))
    row = theirs(sdk, snapshot_id)[snapshot_id]
    labels = ok(sdk.describe_tags(search_word="prod"))["tag_set"]
    ok(sdk.modify_snapshot_attributes(snapshot_id, description="theirs"))
    new = ok(sdk.create_tag("夜间"))["tag_id"]
    pair = {"tag_id": new, "resource_type": "snapshot", "resource_id": snapshot_id}
    ok(sdk.attach_tags([pair]))
    shown = ours(driver, snapshot_id)[snapshot_id]

    assert ("n", "ours", ["prod"]) == (
        row["snapshot_name"],
        row["description"],
        [label["tag_name"] for label in row["tags"]],
    )
    assert row["tags"][0]["tag_id"] == labels[0]["tag_id"]
    assert ("theirs", {"prod", "夜间"}) == (shown.description, set(shown.tags or ()))


def test_deleting_ends_alike(sdk: Any, driver: Driver, emulator: Emulator) -> None:
    """Deleting, deleted, and a second time refused by the server but absent here."""
    [by_sdk] = ok(sdk.create_snapshots(["vol-a"]))["snapshots"]
    by_us = driver.create_snapshot(NewSnapshot(disk_id="vol-b"))
    emulator.world.clock.advance(20)
    ok(sdk.delete_snapshots([by_us]))
    [result] = driver.delete_snapshots([by_sdk], force=False)
    going = theirs(sdk, by_sdk, by_us)
    emulator.world.clock.advance(10)
    gone = theirs(sdk, by_sdk, by_us)
    [again] = driver.delete_snapshots([by_us], force=False)

    assert result.ok
    assert {("available", "deleting")} == {
        (row["status"], row["transition_status"]) for row in going.values()
    }
    assert {"deleted"} == {row["status"] for row in gone.values()}
    assert again.absent
    assert 2100 == sdk.delete_snapshots([by_sdk])["ret_code"]


def test_restoring_and_rolling_back_end_alike(sdk: Any, driver: Driver, emulator: Emulator) -> None:
    """A volume each, and the same transition while it is applied."""
    [first] = ok(sdk.create_snapshots(["vol-a"]))["snapshots"]
    [second] = ok(sdk.create_snapshots(["vol-b"]))["snapshots"]
    emulator.world.clock.advance(20)
    by_sdk = ok(sdk.create_volume_from_snapshot(first, volume_name="sdk"))["volume_id"]
    by_us = driver.create_disk(NewDisk(snapshot_id=first, name="us"))
    volumes = ok(sdk.describe_volumes(volumes=[by_sdk, by_us], limit=10))["volume_set"]
    ok(sdk.apply_snapshots([first]))
    pair = RollBack(snapshot_id=second, disk_id="vol-b")
    driver.roll_back([pair], group_id=None, stop=True, start=True)
    rows = theirs(sdk, first, second)

    assert [("pending", "creating", 100, 200)] * 2 == [
        tuple(row[field] for field in ("status", "transition_status", "size", "volume_type"))
        for row in volumes
    ]
    assert {("available", "applying")} == {
        (row["status"], row["transition_status"]) for row in rows.values()
    }
