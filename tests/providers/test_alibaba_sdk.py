"""The vendor's official SDK, unmodified, is the independent witness of the emulator.

It signs by itself, with both schemes, and must see what snapkit sees.
"""

import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from snapkit.client import Client, connect
from snapkit.emulator import Emulator, World
from snapkit.emulator.state import AccountState, GroupRecord, SnapshotRecord
from snapkit.model import Snapshot, SnapshotGroup
from snapkit.settings import Target
from snapkit_alibaba.dialect import AlibabaDialect

WORDS = {"creating": "progressing", "available": "accomplished", "failed": "failed"}
SIGNATURES = pytest.mark.parametrize("algorithm", [None, "v2"], ids=["acs3", "rpc"])


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    world = World()
    AlibabaDialect.populate(world, 7)
    account = AccountState(
        provider="alibaba",
        key_id="STS.EXAMPLE",
        secret="EXAMPLE-secret",
        token="EXAMPLE+token/=",
        label="big",
    )
    region = account.region("cn-beijing")
    now = world.clock.now()
    for number in range(250):
        region.add(
            SnapshotRecord(
                id=f"s-{number:05d}",
                disk_id=f"d-{number % 7}",
                size_gib=20,
                instance_id=f"i-{number % 5}",
                name=f"网站 {number}*~+",
                started_at=now - 60 * number - 3600,
                fails=number % 50 == 0,
            )
        )
    for number in range(30):
        members = [f"s-{number:05d}", f"s-{number + 100:05d}"]
        region.add(
            GroupRecord(id=f"ssg-{number}", snapshot_ids=members, created_at=now - 60 * number)
        )
    world.accounts.append(account)
    with Emulator(world) as running:
        yield running


def target_of(emulator: Emulator, region: str) -> Target:
    return next(one for one in emulator.targets("alibaba") if one.region == region)


def ours(emulator: Emulator, region: str) -> Client:
    return connect(target_of(emulator, region))


def theirs(
    emulator: Emulator, region: str, algorithm: str | None, secret: str | None = None
) -> tuple[Any, Any]:
    """Return the vendor's client and its models."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models: Any = import_module("alibabacloud_ecs20140526.models")
        ecs: Any = import_module("alibabacloud_ecs20140526.client")
        core: Any = import_module("alibabacloud_tea_openapi.models")
    target = target_of(emulator, region)
    credentials: Any = target.credentials
    settings: dict[str, Any] = {
        "endpoint": emulator.endpoint.removeprefix("http://"),
        "protocol": "http",
        "region_id": region,
        "access_key_id": credentials.key_id,
        "access_key_secret": secret or credentials.secret.reveal(),
        "security_token": credentials.token.reveal() if credentials.token else None,
        "signature_algorithm": algorithm,
    }
    return ecs.Client(core.Config(**settings)), models


def by_token(ecs: Any, models: Any, region: str, **filters: Any) -> list[Any]:
    rows: list[Any] = []
    token = None
    while token != "":
        request = models.DescribeSnapshotsRequest(
            region_id=region, max_results=50, next_token=token, **filters
        )
        body = ecs.describe_snapshots(request).body
        rows += body.snapshots.snapshot
        token = body.next_token
    return rows


def by_number(ecs: Any, models: Any, region: str) -> tuple[list[Any], int]:
    rows: list[Any] = []
    number = 1
    while True:
        request = models.DescribeSnapshotsRequest(
            region_id=region, page_number=number, page_size=100
        )
        body = ecs.describe_snapshots(request).body
        rows += body.snapshots.snapshot
        number += 1
        if len(rows) >= body.total_count or not body.snapshots.snapshot:
            return rows, body.total_count


def seen(rows: list[Any]) -> dict[str, tuple[Any, ...]]:
    return {row.snapshot_id: (row.status, row.snapshot_name or None) for row in rows}


def seen_by_us(snapshots: list[Snapshot]) -> dict[str, tuple[Any, ...]]:
    return {one.id: (WORDS[one.status.value], one.name) for one in snapshots}


@SIGNATURES
@pytest.mark.parametrize("region", ["cn-beijing", "cn-hangzhou", "ap-southeast-1"])
def test_the_sdk_sees_the_same_snapshots_by_token(
    emulator: Emulator, region: str, algorithm: str | None
) -> None:
    """Ids, states and names, over several pages, with a token of temporary credentials."""
    with ours(emulator, region) as client:
        snapshots = list(client.snapshots())
    rows = by_token(*theirs(emulator, region, algorithm), region)

    assert seen_by_us(snapshots) == seen(rows)
    assert len(rows) == len(snapshots)


@SIGNATURES
def test_the_sdk_sees_the_same_snapshots_by_number(
    emulator: Emulator, algorithm: str | None
) -> None:
    """And the same count."""
    with connect(target_of(emulator, "cn-beijing"), options={"paging": "number"}) as client:
        listing = client.snapshots()
        snapshots = list(listing)
    rows, total = by_number(*theirs(emulator, "cn-beijing", algorithm), "cn-beijing")

    assert seen_by_us(snapshots) == seen(rows)
    assert total == listing.report.scopes[0].total == 250


@SIGNATURES
def test_the_sdk_filters_as_we_do(emulator: Emulator, algorithm: str | None) -> None:
    """Its booleans are capitalised, its ids a JSON array in one text."""
    ecs, models = theirs(emulator, "cn-hangzhou", algorithm)
    with ours(emulator, "cn-hangzhou") as client:
        pairs: list[tuple[dict[str, Any], dict[str, Any]]] = [
            ({"status": "failed"}, {"statuses": "failed"}),
            ({"encrypted": True}, {"encrypted": True}),
            ({"source_disk_type": "system"}, {"roles": "system"}),
            ({"snapshot_ids": '["s-943ypfgic","s-none"]'}, {"ids": ["s-943ypfgic", "s-none"]}),
        ]
        for their_filter, our_filter in pairs:
            rows = by_token(ecs, models, "cn-hangzhou", **their_filter)
            snapshots = list(client.snapshots(**our_filter))

            assert rows
            assert {one.id for one in snapshots} == {row.snapshot_id for row in rows}


def groups_of(ecs: Any, models: Any, region: str) -> list[Any]:
    rows: list[Any] = []
    token = None
    while token != "":
        request = models.DescribeSnapshotGroupsRequest(
            region_id=region, max_results=10, next_token=token
        )
        body = ecs.describe_snapshot_groups(request).body
        rows += body.snapshot_groups.snapshot_group
        token = body.next_token
    return rows


def members_seen(groups: list[SnapshotGroup]) -> dict[str, tuple[str, list[str]]]:
    return {
        one.id: (WORDS[one.status.value], sorted(member.id for member in one.members))
        for one in groups
    }


@SIGNATURES
@pytest.mark.parametrize("region", ["cn-beijing", "cn-hangzhou", "cn-shanghai"])
def test_the_sdk_sees_the_same_groups(
    emulator: Emulator, region: str, algorithm: str | None
) -> None:
    """Ids, states and members, over several pages."""
    with ours(emulator, region) as client:
        groups = list(client.groups())
    rows = groups_of(*theirs(emulator, region, algorithm), region)

    assert members_seen(groups) == {
        row.snapshot_group_id: (
            row.status,
            sorted(member.snapshot_id for member in row.snapshots.snapshot),
        )
        for row in rows
    }


@SIGNATURES
def test_the_sdk_is_refused_with_the_services_codes(
    emulator: Emulator, algorithm: str | None
) -> None:
    """The envelope is the one that it knows."""
    ecs, models = theirs(emulator, "cn-beijing", algorithm)
    with pytest.raises(Exception, match="not valid") as caught:
        ecs.describe_snapshots(
            models.DescribeSnapshotsRequest(region_id="cn-beijing", status="nonsense")
        )
    failed: Any = caught.value

    assert failed.code == "InvalidStatus.NotFound"


@SIGNATURES
def test_the_sdk_with_a_wrong_secret_is_refused(emulator: Emulator, algorithm: str | None) -> None:
    """The emulator does look at signatures."""
    ecs, models = theirs(emulator, "cn-hangzhou", algorithm, secret="EXAMPLE-wrong")
    with pytest.raises(Exception, match="not matched") as caught:
        ecs.describe_regions(models.DescribeRegionsRequest())
    failed: Any = caught.value

    assert failed.code == "SignatureDoesNotMatch"


@SIGNATURES
def test_the_sdk_lists_the_same_regions(emulator: Emulator, algorithm: str | None) -> None:
    """In English when asked to."""
    ecs, models = theirs(emulator, "cn-hangzhou", algorithm)
    body = ecs.describe_regions(models.DescribeRegionsRequest(accept_language="en-US")).body
    with ours(emulator, "cn-hangzhou") as client:
        regions = client.regions()

    assert [(one.id, one.name) for one in regions] == [
        (row.region_id, row.local_name) for row in body.regions.region
    ]
