"""The vendor's official SDK, unmodified, creates, describes and deletes with the same results.

It is the independent witness of the lifecycle: of the parameters that the emulator takes, of
its answers, and of what snapkit makes of them.
"""

import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import attrs
import pytest

from snapkit.driver import Driver
from snapkit.emulator import Emulator, World
from snapkit.emulator.state import AccountState, Disk
from snapkit.errors import SnapkitError
from snapkit.model import DiskRole, Kind, SnapshotGroup, Tags
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.settings import open_driver
from snapkit.transport import Clock
from snapkit.vocabulary import GIB
from snapkit.writes import (
    Change,
    CopyOrder,
    DiskQuery,
    NewDisk,
    NewGroup,
    NewSnapshot,
    RollBack,
)

REGION = "cn-beijing"
ZONE = f"{REGION}-h"
SIGNATURES = pytest.mark.parametrize("algorithm", [None, "v2"], ids=["acs3", "rpc"])


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    account = AccountState(
        provider="alibaba", key_id="STS.EXAMPLE", secret="EXAMPLE-secret", token="EXAMPLE+token/="
    )
    disk = Disk(id="d-1", size_gib=40, role=DiskRole.SYSTEM, instance_id="i-1", zone=ZONE)
    account.region("cn-shanghai")
    account.region(REGION).add(disk, attrs.evolve(disk, id="d-2", role=DiskRole.DATA))
    with Emulator(World(accounts=[account])) as running:
        yield running


def ours(emulator: Emulator, region: str = REGION) -> Driver:
    target = next(one for one in emulator.targets("alibaba") if one.region == region)
    return open_driver(target, clock=Clock(sleep=lambda _: None))


def theirs(emulator: Emulator, algorithm: str | None) -> tuple[Any, Any]:
    """Return the vendor's client and its models."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models: Any = import_module("alibabacloud_ecs20140526.models")
        ecs: Any = import_module("alibabacloud_ecs20140526.client")
        core: Any = import_module("alibabacloud_tea_openapi.models")
    settings: dict[str, Any] = {
        "endpoint": emulator.endpoint.removeprefix("http://"),
        "protocol": "http",
        "region_id": REGION,
        "access_key_id": "STS.EXAMPLE",
        "access_key_secret": "EXAMPLE-secret",
        "security_token": "EXAMPLE+token/=",
        "signature_algorithm": algorithm,
    }
    return ecs.Client(core.Config(**settings)), models


def described(ecs: Any, models: Any, snapshot_id: str) -> dict[str, Any]:
    """Return what the vendor's SDK sees of a snapshot, ids and times left out."""
    request = models.DescribeSnapshotsRequest(
        region_id=REGION, snapshot_ids=f'["{snapshot_id}"]', max_results=10
    )
    rows = ecs.describe_snapshots(request).body.snapshots.snapshot
    changing = ("SnapshotId", "CreationTime", "LastModifiedTime", "RemainTime")
    seen: dict[str, Any] = rows[0].to_map() if rows else {}
    return {name: value for name, value in seen.items() if name not in changing}


def seen_by_us(driver: Driver, snapshot_id: str) -> dict[str, Any]:
    query = SnapshotQuery(ids=frozenset({snapshot_id}))
    page = driver.list_snapshots(query, cursor=None, limit=100)
    changing: dict[str, Any] = {
        "id": "s",
        "created_at": None,
        "cut_at": None,
        "expires_at": None,
    }
    return {"found": [attrs.evolve(one, **changing) for one in page.items]}


@SIGNATURES
def test_both_make_and_delete_the_same_snapshot(emulator: Emulator, algorithm: str | None) -> None:
    """Each sees the other's as its own, at each moment, until it is gone."""
    ecs, models = theirs(emulator, algorithm)
    driver = ours(emulator)
    request = models.CreateSnapshotRequest(
        disk_id="d-1",
        snapshot_name="网站_1",
        description="before release",
        retention_days=7,
        client_token="their-token",
        tag=[models.CreateSnapshotRequestTag(key="team", value="研发 *~+")],
    )
    their_id = ecs.create_snapshot(request).body.snapshot_id
    again = ecs.create_snapshot(request).body.snapshot_id
    new = NewSnapshot(
        disk_id="d-1",
        name="网站_1",
        description="before release",
        tags=Tags([("team", "研发 *~+")]),
        token="our-token",
    )
    our_id = driver.create_snapshot(new)
    driver.change_snapshot(our_id, Change(name="网站_1"))
    region = emulator.world.accounts[0].regions[REGION]
    region.snapshots[our_id].expires_at = region.snapshots[their_id].expires_at

    assert again == their_id
    for seconds in (0, 2, 10, 60):
        emulator.world.clock.advance(seconds)
        assert described(ecs, models, their_id) == described(ecs, models, our_id)
        assert seen_by_us(driver, their_id) == seen_by_us(driver, our_id)
    assert described(ecs, models, our_id)["Status"] == "accomplished"

    ecs.delete_snapshot(models.DeleteSnapshotRequest(snapshot_id=our_id))
    driver.delete_snapshots([their_id], force=False)

    assert described(ecs, models, our_id) == described(ecs, models, their_id) == {}
    assert seen_by_us(driver, our_id) == {"found": []}


def their_group(ecs: Any, models: Any, group_id: str) -> Any:
    request = models.DescribeSnapshotGroupsRequest(region_id=REGION, snapshot_group_id=[group_id])
    rows = ecs.describe_snapshot_groups(request).body.snapshot_groups.snapshot_group
    return rows[0] if rows else None


def our_group(driver: Driver, group_id: str) -> SnapshotGroup | None:
    query = GroupQuery(ids=frozenset({group_id}))
    return next(iter(driver.list_groups(query, cursor=None, limit=100).items), None)


@SIGNATURES
def test_both_make_and_delete_the_same_group(emulator: Emulator, algorithm: str | None) -> None:
    """Members, states, and what survives inside a success."""
    ecs, models = theirs(emulator, algorithm)
    driver = ours(emulator)
    request = models.CreateSnapshotGroupRequest(
        region_id=REGION,
        instance_id="i-1",
        name="nightly",
        description="all of it",
        client_token="their-token",
        tag=[models.CreateSnapshotGroupRequestTag(key="a", value="b")],
    )
    their_id = ecs.create_snapshot_group(request).body.snapshot_group_id
    new = NewGroup(
        instance_id="i-1",
        name="nightly",
        description="all of it",
        tags=Tags([("a", "b")]),
        token="our-token",
    )
    our_id = driver.create_group(new).group_id or ""
    emulator.world.clock.advance(61)
    for group_id in (their_id, our_id):
        row, group = their_group(ecs, models, group_id), our_group(driver, group_id)

        assert group is not None
        assert (row.name, row.description, row.status) == ("nightly", "all of it", "accomplished")
        assert (group.name, group.description) == ("nightly", "all of it")
        assert [one.snapshot_id for one in row.snapshots.snapshot] == [
            member.id for member in group.members
        ]
        assert [member.source.id for member in group.members] == ["d-1", "d-2"]

    for group_id in (their_id, our_id):
        group = our_group(driver, group_id)
        assert group is not None
        emulator.world.accounts[0].regions[REGION].snapshots[group.members[0].id].images = 1
    answer = ecs.delete_snapshot_group(
        models.DeleteSnapshotGroupRequest(region_id=REGION, snapshot_group_id=our_id)
    )
    rows = answer.body.operation_progress_set.operation_progress
    theirs_group = our_group(driver, their_id)
    assert theirs_group is not None
    results = driver.delete_group(theirs_group, force=False)

    assert [(row.operation_status, row.error_code) for row in rows] == [
        ("Failed", "SnapshotCreatedImage"),
        ("Success", ""),
    ]
    assert [(one.kind, one.error.code if one.error else "") for one in results] == [
        (Kind.GROUP, ""),
        (Kind.SNAPSHOT, "SnapshotCreatedImage"),
        (Kind.SNAPSHOT, ""),
    ]
    assert their_group(ecs, models, our_id) is None
    assert our_group(driver, their_id) is None


@SIGNATURES
def test_both_restore_roll_back_and_copy(emulator: Emulator, algorithm: str | None) -> None:
    """The disks and copies that the SDK makes are like ours."""
    ecs, models = theirs(emulator, algorithm)
    driver = ours(emulator)
    snapshot_id = driver.create_snapshot(NewSnapshot(disk_id="d-1", token="k"))
    emulator.world.clock.advance(61)
    request = models.CreateDiskRequest(
        region_id=REGION, zone_id=ZONE, snapshot_id=snapshot_id, size=50, disk_name="restored"
    )
    their_disk = ecs.create_disk(request).body.disk_id
    new = NewDisk(snapshot_id=snapshot_id, zone=ZONE, name="restored", size_bytes=50 * GIB)
    our_disk = driver.create_disk(new)
    emulator.world.clock.advance(6)
    query = DiskQuery(ids=frozenset({their_disk, our_disk}))
    first, second = driver.list_disks(query, cursor=None, limit=10).items
    listing = models.DescribeDisksRequest(
        region_id=REGION, disk_ids=f'["{their_disk}","{our_disk}"]', max_results=10
    )
    rows = ecs.describe_disks(listing).body.disks.disk

    assert attrs.evolve(first, id="d") == attrs.evolve(second, id="d")
    assert {(row.disk_name, row.size, row.status) for row in rows} == {
        ("restored", 50, "Available")
    }

    ecs.reset_disk(models.ResetDiskRequest(disk_id="d-1", snapshot_id=snapshot_id))
    emulator.world.clock.advance(6)
    pair = RollBack(snapshot_id=snapshot_id, disk_id="d-1")
    assert driver.roll_back([pair], group_id=None, stop=False, start=False)[0].ok

    their_copy = ecs.copy_snapshot(
        models.CopySnapshotRequest(
            region_id=REGION,
            snapshot_id=snapshot_id,
            destination_region_id="cn-shanghai",
            destination_snapshot_name="copied",
            destination_snapshot_description="off site",
        )
    ).body.snapshot_id
    emulator.world.clock.advance(121)
    order = CopyOrder(
        snapshot_id=snapshot_id, regions=("cn-shanghai",), name="copied", description="off site"
    )
    (our_copy,) = driver.copy_snapshot(order)
    emulator.world.clock.advance(121)
    there = ours(emulator, "cn-shanghai")

    assert our_copy.snapshot_id is not None
    assert seen_by_us(there, their_copy) == seen_by_us(there, our_copy.snapshot_id)


@SIGNATURES
def test_both_change_tag_and_lock(emulator: Emulator, algorithm: str | None) -> None:
    """What one sets, the other reads."""
    ecs, models = theirs(emulator, algorithm)
    driver = ours(emulator)
    snapshot_id = driver.create_snapshot(NewSnapshot(disk_id="d-1", token="k"))
    ecs.modify_snapshot_attribute(
        models.ModifySnapshotAttributeRequest(
            snapshot_id=snapshot_id, snapshot_name="theirs", retention_days=9
        )
    )
    ecs.tag_resources(
        models.TagResourcesRequest(
            region_id=REGION,
            resource_type="snapshot",
            resource_id=[snapshot_id],
            tag=[models.TagResourcesRequestTag(key="a", value="b")],
        )
    )
    driver.tag(Kind.SNAPSHOT, [snapshot_id], Tags([("c", "d")]))
    ecs.untag_resources(
        models.UntagResourcesRequest(
            region_id=REGION, resource_type="snapshot", resource_id=[snapshot_id], tag_key=["a"]
        )
    )
    seen = described(ecs, models, snapshot_id)
    driver.lock(snapshot_id, days=3)

    assert (seen["SnapshotName"], seen["RetentionDays"]) == ("theirs", 9)
    assert seen["Tags"] == {"Tag": [{"TagKey": "c", "TagValue": "d"}]}
    assert refusal(
        lambda: ecs.delete_snapshot(models.DeleteSnapshotRequest(snapshot_id=snapshot_id))
    ) == refusal(lambda: driver.delete_snapshots([snapshot_id], force=False))


def refusal(act: Callable[[], object]) -> str:
    """Return the code of the error that *act* raises."""
    with pytest.raises(Exception) as caught:
        act()
    failed: Any = caught.value
    return str(failed.code)


@SIGNATURES
@pytest.mark.parametrize("field", ["images", "disks", "shares", "locked"])
def test_both_are_refused_with_the_same_code(
    emulator: Emulator, algorithm: str | None, field: str
) -> None:
    """And force means the same to both."""
    ecs, models = theirs(emulator, algorithm)
    driver = ours(emulator)
    snapshot_id = driver.create_snapshot(NewSnapshot(disk_id="d-1", token="k"))
    record = emulator.world.accounts[0].regions[REGION].snapshots[snapshot_id]
    setattr(record, field, 1)
    for force in (False, True):
        if force and field == "disks":
            continue
        request = models.DeleteSnapshotRequest(snapshot_id=snapshot_id, force=force)
        told = refusal(partial(ecs.delete_snapshot, request))

        assert told == refusal(partial(driver.delete_snapshots, [snapshot_id], force=force))
    if field == "disks":
        ecs.delete_snapshot(models.DeleteSnapshotRequest(snapshot_id=snapshot_id, force=True))
        assert driver.delete_snapshots([snapshot_id], force=True)[0].absent


@SIGNATURES
def test_the_same_token_with_other_parameters_is_refused_to_both(
    emulator: Emulator, algorithm: str | None
) -> None:
    """Nobody adopts another disk's snapshot."""
    ecs, models = theirs(emulator, algorithm)
    driver = ours(emulator)
    driver.create_snapshot(NewSnapshot(disk_id="d-1", token="k"))
    code = refusal(
        lambda: ecs.create_snapshot(models.CreateSnapshotRequest(disk_id="d-2", client_token="k"))
    )
    with pytest.raises(SnapkitError) as caught:
        driver.create_snapshot(NewSnapshot(disk_id="d-2", token="k"))

    assert code == caught.value.code == "IdempotentParameterMismatch"
