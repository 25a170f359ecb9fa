"""The vendor's own SDK, unmodified, as an independent witness of the emulated QingCloud."""

import importlib
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from snapkit.client import connect
from snapkit.emulator import Emulator, World
from snapkit.model import Snapshot
from snapkit_qingcloud.dialect import QingCloudDialect

LIVING = ["pending", "available", "suspended"]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """The demonstration estate."""
    world = World()
    QingCloudDialect.populate(world, 7)
    with Emulator(world) as running:
        yield running


@pytest.fixture(params=["sha256", "sha1"])
def sdk(request: pytest.FixtureRequest, emulator: Emulator) -> Iterator[Any]:
    """A connection of the SDK; without SHA-256 in Python it signs with SHA-1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("qingcloud.iaas.connection")
    account = emulator.world.accounts[0]
    connection: Any = module.APIConnection(
        account.key_id,
        account.secret,
        "pek3",
        host="127.0.0.1",
        port=int(emulator.endpoint.rpartition(":")[2]),
        protocol="http",
    )
    if request.param == "sha1":
        connection._auth_handler._hmac_256 = None
    yield connection
    for queue in connection._conn.pool.values():
        for pooled, _ in queue.queue:
            pooled.close()


def everything(sdk: Any, **filters: Any) -> list[dict[str, Any]]:
    """Return all rows, by the SDK's offset and limit."""
    found: list[dict[str, Any]] = []
    while True:
        answer = sdk.describe_snapshots(offset=len(found), limit=30, **filters)
        assert 0 == answer["ret_code"], answer
        found += answer["snapshot_set"]
        if not answer["snapshot_set"]:
            assert answer["total_count"] == len(found)
            return found


def ours(emulator: Emulator, **filters: Any) -> list[Snapshot]:
    target = next(one for one in emulator.targets("qingcloud") if one.region == "pek3")
    with connect(target) as client:
        return list(client.snapshots(**filters))


def word(row: dict[str, Any]) -> str:
    transition = row["transition_status"]
    return f"{row['status']}/{transition}" if transition else str(row["status"])


def of_disks(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return *rows* without those of databases and the like, which snapkit leaves out."""
    return [row for row in rows if row["resource"]["resource_type"] in ("volume", "instance")]


def test_the_sdk_sees_the_same_snapshots_and_states(sdk: Any, emulator: Emulator) -> None:
    """Two clients that were written apart agree on ids, states and their number."""
    theirs = of_disks(everything(sdk, status=LIVING))
    found = ours(emulator)

    assert {row["snapshot_id"]: word(row) for row in theirs} == {
        snapshot.id: snapshot.raw_status for snapshot in found
    }
    assert Counter(map(word, theirs)) == Counter(snapshot.raw_status for snapshot in found)


def test_the_sdk_sees_the_dead_without_a_filter(sdk: Any, emulator: Emulator) -> None:
    """The provider shows deleted rows to who does not ask; snapkit when asked."""
    theirs = {row["snapshot_id"] for row in of_disks(everything(sdk))}
    found = {snapshot.id for snapshot in ours(emulator, include_deleted=True)}

    assert {"ss-ceased001"} == found - theirs
    assert set() == theirs - found


def test_the_sdk_finds_by_id_disk_and_type(sdk: Any, emulator: Emulator) -> None:
    """Its filters are signed and understood as ours are."""
    ids = ["ss-ready0001", "ss-suspended"]
    by_disk = {"resource_id": "vol-cabinet1", "status": LIVING}

    assert set(ids) == {row["snapshot_id"] for row in everything(sdk, snapshots=ids)}
    assert {row["snapshot_id"] for row in of_disks(everything(sdk, **by_disk))} == {
        snapshot.id for snapshot in ours(emulator, disk_ids="vol-cabinet1")
    }
    assert {row["snapshot_id"] for row in everything(sdk, snapshot_type=0)} == {
        snapshot.id for snapshot in ours(emulator, kinds="incremental")
    }


def test_the_sdks_rows_of_one_time_and_name_hold_our_groups(sdk: Any, emulator: Emulator) -> None:
    """The SDK has no groups; its equal times must cover each group that snapkit derives."""
    alike: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in everything(sdk, status=LIVING):
        alike[row["snapshot_time"], row["snapshot_name"]].add(row["snapshot_id"])
    target = next(one for one in emulator.targets("qingcloud") if one.region == "pek3")
    with connect(target) as client:
        groups = {frozenset(one.id for one in group.members) for group in client.groups()}

    assert {frozenset(ids) for ids in alike.values() if len(ids) > 1} == groups


def test_the_sdk_sees_volumes_and_zones(sdk: Any) -> None:
    """What groups and regions are made of."""
    volumes = sdk.describe_volumes(limit=100)
    zones = sdk.describe_zones()

    assert volumes["total_count"] == len(volumes["volume_set"]) > 0
    assert {"pek3b", "pek3c", "pek3d", "gd2a", "gd2b", "ap2a"} == {
        zone["zone_id"] for zone in zones["zone_set"]
    }


def test_the_sdk_is_refused_with_a_wrong_secret(sdk: Any) -> None:
    """The emulator recomputes signatures, so the agreement above is worth something."""
    sdk._auth_handler.update_provider("QYACCESSKEYIDEXAMPLE", "wrong")

    assert 1200 == sdk.describe_snapshots(limit=1)["ret_code"]
