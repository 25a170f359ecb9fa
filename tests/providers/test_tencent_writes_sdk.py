"""The vendor's own SDK, unmodified, through the life of a snapshot; snapkit beside it."""

import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import pytest

from snapkit.driver import Driver
from snapkit.emulator import Emulator, World
from snapkit.emulator.state import AccountState, Disk, RegionState
from snapkit.model import Kind, SnapshotStatus, Tags
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.settings import open_driver
from snapkit.transport import Clock
from snapkit.writes import DiskQuery, NewDisk, NewGroup, NewSnapshot

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:tencentcloud"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
KEY, SECRET, ZONE = "AKIDEXAMPLE", "EXAMPLE-secret", "ap-guangzhou-3"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    account = AccountState(provider="tencent", key_id=KEY, secret=SECRET, label="t")
    account.region("ap-guangzhou").add(
        *[
            Disk(
                id=f"disk-{number}",
                size_gib=50,
                zone=ZONE,
                category="CLOUD_SSD",
                instance_id="ins-1",
            )
            for number in range(3)
        ]
    )
    account.region("ap-singapore")
    with Emulator(World(accounts=[account])) as running:
        yield running


@pytest.fixture
def driver(emulator: Emulator) -> Iterator[Driver]:
    target = next(one for one in emulator.targets("tencent") if one.region == "ap-guangzhou")
    opened = open_driver(target, clock=Clock(sleep=lambda _: None))
    yield opened
    opened.close()


def sdk(name: str) -> Any:
    """A module of the SDK, without the warnings it gives while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(f"tencentcloud.{name}")


def cbs(emulator: Emulator) -> Any:
    """The SDK's client, sent to the emulator."""
    wire = sdk("common.profile.http_profile").HttpProfile(
        protocol="http", endpoint=urlsplit(emulator.endpoint).netloc
    )
    profile = sdk("common.profile.client_profile").ClientProfile(httpProfile=wire)
    keys = sdk("common.credential").Credential(KEY, SECRET)
    return sdk("cbs.v20170312.cbs_client").CbsClient(keys, "ap-guangzhou", profile)


def asked(action: str, **fields: Any) -> Any:
    """The SDK's request, filled in."""
    request = getattr(sdk("cbs.v20170312.models"), f"{action}Request")()
    request._deserialize(fields)
    return request


def done(emulator: Emulator, action: str, **fields: Any) -> Any:
    return getattr(cbs(emulator), action)(asked(action, **fields))


def refusal(emulator: Emulator, action: str, **fields: Any) -> str:
    """The code with which the emulator refuses the SDK."""
    failure = sdk("common.exception.tencent_cloud_sdk_exception").TencentCloudSDKException
    with pytest.raises(failure) as caught:
        done(emulator, action, **fields)
    return str(caught.value.get_code())


def place(emulator: Emulator) -> RegionState:
    return emulator.world.accounts[0].regions["ap-guangzhou"]


def facts(emulator: Emulator, snapshot_id: str) -> tuple[Any, ...]:
    """What the SDK sees."""
    (found,) = done(emulator, "DescribeSnapshots", SnapshotIds=[snapshot_id]).SnapshotSet
    tags = {tag.Key: tag.Value for tag in found.Tags}
    return found.SnapshotState, found.SnapshotName, found.DiskId, found.IsPermanent, tags


def ours(driver: Driver, snapshot_id: str) -> tuple[Any, ...]:
    """The same of what snapkit sees."""
    query = SnapshotQuery(ids=frozenset({snapshot_id}))
    (found,) = driver.list_snapshots(query, cursor=None, limit=100).items
    permanent = found.expires_at is None
    return found.raw_status, found.name, found.source.id, permanent, dict(found.tags or {})


def test_both_create_see_and_delete_the_same(emulator: Emulator, driver: Driver) -> None:
    """An independent witness of the lifecycle, step by step."""
    theirs = done(
        emulator,
        "CreateSnapshot",
        DiskId="disk-0",
        SnapshotName="夜间",
        Tags=[{"Key": "team", "Value": "ops"}],
    ).SnapshotId
    mine = driver.create_snapshot(
        NewSnapshot(disk_id="disk-1", name="夜间", tags=Tags([("team", "ops")]))
    )
    wanted = ("夜间", "disk-{}", True, {"team": "ops"})
    young = [facts(emulator, one) for one in (theirs, mine)]
    busy = refusal(emulator, "DeleteSnapshots", SnapshotIds=[theirs, mine])
    emulator.world.clock.advance(3600)
    grown = [facts(emulator, one) for one in (theirs, mine)]
    seen = [ours(driver, one) for one in (theirs, mine)]
    driver.delete_snapshots([theirs], force=False)
    done(emulator, "DeleteSnapshots", SnapshotIds=[mine])

    for number in range(2):
        after = (wanted[0], wanted[1].format(number), *wanted[2:])
        assert ("CREATING", *after) == young[number]
        assert ("NORMAL", *after) == grown[number] == seen[number]
    assert "ResourceUnavailable.SnapshotCreating" == busy
    assert "InvalidSnapshotId.NotFound" == refusal(
        emulator, "DeleteSnapshots", SnapshotIds=[theirs]
    )
    assert [True] == [one.absent for one in driver.delete_snapshots([mine], force=False)]
    assert 0 == done(emulator, "DescribeSnapshots").TotalCount


def test_both_make_groups_that_the_other_sees(emulator: Emulator, driver: Driver) -> None:
    """Members included; each deletes the other's."""
    theirs = done(
        emulator, "CreateSnapshotGroup", DiskIds=["disk-0", "disk-1"], SnapshotGroupName="g"
    ).SnapshotGroupId
    mine = driver.create_group(NewGroup(disk_ids=("disk-2",), name="h")).group_id
    emulator.world.clock.advance(3600)
    seen = {
        one.SnapshotGroupId: (one.SnapshotGroupState, one.SnapshotGroupName, one.SnapshotIdSet)
        for one in done(emulator, "DescribeSnapshotGroups").SnapshotGroupSet
    }
    found = {one.id: one for one in driver.list_groups(GroupQuery(), cursor=None, limit=100).items}
    result = driver.delete_group(found[theirs], force=False)
    done(emulator, "DeleteSnapshotGroup", SnapshotGroupId=mine)

    assert seen == {
        one.id: (one.raw_status, one.name, [member.id for member in one.members])
        for one in found.values()
    }
    assert {theirs, mine} == set(seen)
    assert (Kind.GROUP, 3) == (result[0].kind, len(result))
    assert 0 == done(emulator, "DescribeSnapshots").TotalCount
    assert {} == place(emulator).groups


def test_the_rest_of_the_sdks_calls_are_understood(emulator: Emulator, driver: Driver) -> None:
    """Change, share, copy, restore, roll back: the SDK's words are the emulator's."""
    made = driver.create_snapshot(NewSnapshot(disk_id="disk-0"))
    emulator.world.clock.advance(3600)
    done(emulator, "ModifySnapshotAttribute", SnapshotId=made, SnapshotName="renamed")
    done(
        emulator,
        "ModifySnapshotsSharePermission",
        SnapshotIds=[made],
        AccountIds=["100000000009"],
        Permission="SHARE",
    )
    (copied,) = done(
        emulator,
        "CopySnapshotCrossRegions",
        SnapshotId=made,
        DestinationRegions=["ap-singapore"],
    ).SnapshotCopyResultSet
    order = {
        "Placement": {"Zone": ZONE},
        "DiskChargeType": "POSTPAID_BY_HOUR",
        "DiskType": "CLOUD_SSD",
        "SnapshotId": made,
        "ClientToken": "t-1",
    }
    (theirs,) = done(emulator, "CreateDisks", **order).DiskIdSet
    mine = driver.create_disk(NewDisk(snapshot_id=made, token="t-1"))
    done(emulator, "ApplySnapshot", SnapshotId=made, DiskId="disk-0", AutoStopInstance=True)
    (rolling,) = done(emulator, "DescribeDisks", DiskIds=["disk-0"]).DiskSet
    (seen,) = driver.list_disks(DiskQuery(ids=frozenset({"disk-0"})), cursor=None, limit=100).items
    (snapshot,) = driver.list_snapshots(SnapshotQuery(), cursor=None, limit=100).items

    assert ("renamed", 1, SnapshotStatus.RESTORING) == (
        snapshot.name,
        snapshot.usage.shares,
        snapshot.status,
    )
    assert "Success" == copied.Code
    assert theirs == mine
    assert (True, "ROLLBACKING") == (rolling.Rollbacking, rolling.DiskState)
    assert (True, "ROLLBACKING") == (seen.busy, seen.raw_status)


def test_the_sdk_sees_the_tags_that_snapkit_sets(emulator: Emulator, driver: Driver) -> None:
    """The tag service is not among the SDK packages here, so the block storage is the witness."""
    made = driver.create_snapshot(NewSnapshot(disk_id="disk-0"))
    driver.tag(Kind.SNAPSHOT, [made], Tags([("团队", "研发")]))

    assert {"团队": "研发"} == facts(emulator, made)[-1]


STRICT: list[tuple[str, dict[str, Any], str]] = [
    ("CreateSnapshot", {}, "MissingParameter"),
    ("CreateSnapshot", {"diskId": "disk-0"}, "UnknownParameter"),
    ("CreateSnapshot", {"DiskId": "disk-0", "ClientToken": "t"}, "UnknownParameter"),
    ("CreateSnapshot", {"DiskId": "disk-0", "Description": "d"}, "UnknownParameter"),
    ("CreateSnapshot", {"DiskId": 1}, "InvalidParameter"),
    ("CreateSnapshot", {"DiskId": "disk-0", "Tags": [{"TagKey": "a"}]}, "InvalidParameter"),
    ("CreateSnapshot", {"DiskId": "disk-0", "Deadline": "tomorrow"}, "InvalidParameterValue"),
    (
        "CreateSnapshot",
        {"DiskId": "disk-0", "Deadline": "2999-01-01T00:00:00+08:00"},
        "InvalidParameterValue",
    ),
    (
        "CreateSnapshot",
        {"DiskId": "disk-0", "Deadline": "2020-01-01T00:00:00+00:00"},
        "InvalidParameterValue",
    ),
    ("CreateSnapshotGroup", {"DiskIds": []}, "MissingParameter"),
    ("CreateSnapshotGroup", {"DiskIds": "disk-0"}, "InvalidParameter"),
    ("CreateSnapshotGroup", {"InstanceId": "ins-1"}, "UnknownParameter"),
    ("DeleteSnapshots", {"SnapshotIds": []}, "MissingParameter"),
    ("DeleteSnapshots", {"SnapshotIds": ["a"] * 2}, "InvalidParameterValue.LimitExceeded"),
    ("DeleteSnapshots", {"SnapshotIds": [str(n) for n in range(101)]}, "InvalidParameterValue"),
    ("DeleteSnapshots", {"SnapshotIds": ["a"], "DeleteBindImages": "no"}, "InvalidParameter"),
    ("DeleteSnapshotGroup", {}, "MissingParameter"),
    ("DeleteSnapshotGroup", {"SnapshotGroupId": "csnap-1"}, "ResourceNotFound.NotFound"),
    ("ModifySnapshotAttribute", {"SnapshotName": "n"}, "MissingParameter"),
    ("ApplySnapshot", {"SnapshotId": "snap-1"}, "MissingParameter"),
    ("CopySnapshotCrossRegions", {"SnapshotId": "snap-1"}, "MissingParameter"),
    ("CreateDisks", {"DiskType": "CLOUD_SSD"}, "MissingParameter"),
    ("DescribeDisks", {"DiskIds": ["a"], "Limit": 101}, "InvalidParameterValue"),
    (
        "DescribeDisks",
        {"DiskIds": ["a"], "Filters": [{"Name": "zone", "Values": ["z"]}]},
        "InvalidParameterValue",
    ),
    ("DescribeDisks", {"Filters": [{"Name": "Instance-Id", "Values": ["i"]}]}, "InvalidFilter"),
    ("TagResources", {"ResourceList": [], "Tags": []}, "InvalidAction"),
    ("LockSnapshots", {}, "InvalidAction"),
]


@pytest.mark.parametrize(("action", "params", "code"), STRICT, ids=str)
def test_the_emulator_is_strict_in_writing(
    emulator: Emulator, action: str, params: dict[str, Any], code: str
) -> None:
    """Unknown and mis-cased names, wrong types and forms: refused, and nothing is made."""
    failure = sdk("common.exception.tencent_cloud_sdk_exception").TencentCloudSDKException
    with pytest.raises(failure) as caught:
        cbs(emulator).call_json(action, params)

    assert str(caught.value.get_code()).startswith(code)
    assert ({}, {}) == (place(emulator).snapshots, place(emulator).groups)


def test_a_deadline_without_its_switch_is_refused(emulator: Emulator, driver: Driver) -> None:
    """The vendor takes it with IsPermanent false only."""
    made = driver.create_snapshot(NewSnapshot(disk_id="disk-0"))
    end = "2999-01-01T00:00:00+00:00"

    assert "InvalidParameterValue" == refusal(
        emulator, "ModifySnapshotAttribute", SnapshotId=made, Deadline=end
    )
    done(emulator, "ModifySnapshotAttribute", SnapshotId=made, Deadline=end, IsPermanent=False)
    assert facts(emulator, made)[3] is False


def test_starting_needs_stopping(emulator: Emulator, driver: Driver) -> None:
    """And a running instance needs one of the two."""
    made = driver.create_snapshot(NewSnapshot(disk_id="disk-0"))
    emulator.world.clock.advance(3600)
    pair = {"SnapshotId": made, "DiskId": "disk-0"}

    assert "InvalidParameterValue" == refusal(
        emulator, "ApplySnapshot", **pair, AutoStartInstance=True
    )
    assert "UnsupportedOperation.InstanceNotStopped" == refusal(emulator, "ApplySnapshot", **pair)
