"""One request, one snapshot: whatever is cut, wherever, with reads that lag behind writes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from snapkit.client import Client
from snapkit.emulator import Fault
from snapkit.errors import OutcomeUnknown, TransportError
from snapkit.registry import providers
from tests.emulated import Place, furnished

ROOT = Path(__file__).resolve().parents[2]
CREATE = {"alibaba": "CreateSnapshot", "tencent": "CreateSnapshot", "qingcloud": "CreateSnapshots"}
CREATE_GROUP = {
    "alibaba": "CreateSnapshotGroup",
    "tencent": "CreateSnapshotGroup",
    "qingcloud": "CreateSnapshots",
}
CREATE_DISK = {
    "alibaba": "CreateDisk",
    "tencent": "CreateDisks",
    "qingcloud": "CreateVolumeFromSnapshot",
}
CUTS = pytest.mark.parametrize("cut", ["cut-before", "cut-after", "cut-answer"])
TIMES = pytest.mark.parametrize(
    ("skip", "times"), [(0, 1), (0, 2), (1, 1), (0, 3)], ids=["first", "two", "second", "three"]
)
KEYS = pytest.mark.parametrize("key", [None, "nightly"], ids=["without-key", "with-key"])
Cut = Literal["cut-before", "cut-after", "cut-answer"]


@pytest.fixture(params=providers())
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with furnished(request.param, lag=5.0) as found:
        yield found


def create(place: Place, client: Client, key: str | None) -> str:
    return client.create(place.disks(place.server())[-1], name="once-only", key=key).id


def create_group(place: Place, client: Client, key: str | None) -> str:
    return client.create_group(instance_id=place.server(), name="once-only", key=key).id


def settled(place: Place, make: object, key: str | None) -> tuple[str, int]:
    """Make one, settling an unknown outcome with its key, and return the id and the passes."""
    assert callable(make)
    for passes in range(1, 40):
        try:
            with place.client() as client:
                return str(make(place, client, key)), passes
        except OutcomeUnknown as unknown:
            key = unknown.key or key
        except TransportError:
            continue
    raise AssertionError("never settled")


@KEYS
@TIMES
@CUTS
@pytest.mark.faults(71, 72)
def test_one_snapshot(place: Place, cut: Cut, skip: int, times: int, key: str | None) -> None:
    """Cut before the request, after the server acted, and in the middle of the answer."""
    place.emulator.faults.append(
        Fault(kind=cut, provider=place.provider, operation=CREATE[place.provider])
    )
    place.emulator.faults[0].skip, place.emulator.faults[0].times = skip, times
    made, _ = settled(place, create, key)

    assert [made] == list(place.region.snapshots)


@KEYS
@TIMES
@CUTS
@pytest.mark.faults(71, 72)
def test_one_group(place: Place, cut: Cut, skip: int, times: int, key: str | None) -> None:
    """The same for groups."""
    place.emulator.faults.append(
        Fault(
            kind=cut,
            provider=place.provider,
            operation=CREATE_GROUP[place.provider],
            skip=skip,
            times=times,
        )
    )
    made, _ = settled(place, create_group, key)
    place.emulator.world.clock.advance(60)
    with place.client() as client:
        groups = [group.id for group in client.groups()]

    assert [made] == groups
    assert len(place.disks(place.server())) == len(place.region.snapshots)


@CUTS
@pytest.mark.faults(72)
def test_a_search_that_is_cut_too_leaves_it_unknown_and_a_key_settles_it(
    place: Place, cut: Cut
) -> None:
    """Everything is cut for a while; nothing is sent twice in the meantime."""
    place.emulator.faults.append(
        Fault(kind=cut, provider=place.provider, operation=CREATE[place.provider])
    )
    place.emulator.faults.append(
        Fault(kind="cut-before", provider=place.provider, skip=0, times=40)
    )
    made, passes = settled(place, create, None)

    assert passes > 1 or place.provider == "alibaba"
    assert [made] == list(place.region.snapshots)


@KEYS
@TIMES
@CUTS
@pytest.mark.faults(71, 72)
def test_one_disk(place: Place, cut: Cut, skip: int, times: int, key: str | None) -> None:
    """A restore is paid for too."""
    with place.client() as client:
        source = client.create(place.disks(place.server())[-1], name="once-only")
        client.wait([source.id])
    before = set(place.region.disks)
    place.emulator.faults.append(
        Fault(
            kind=cut,
            provider=place.provider,
            operation=CREATE_DISK[place.provider],
            skip=skip,
            times=times,
        )
    )

    def restore(_: Place, client: Client, key: str | None) -> str:
        return client.restore(source.id, name="once-only", key=key).id

    made, _ = settled(place, restore, key)

    assert {made} == set(place.region.disks) - before


PROGRAM = """
import os, sys
from snapkit.client import connect
from snapkit.transport import Clock

target, endpoint, disk = sys.argv[1:]
sent = []

def sleep(seconds):
    if sent:
        os._exit(9)

with connect(target, endpoint=endpoint, clock=Clock(sleep=sleep)) as client:
    send = client._driver.create_snapshot
    client._driver.create_snapshot = lambda order: sent.append(order) or send(order)
    client.create(disk, name="once-only", key="nightly")
"""


@pytest.mark.faults(75)
def test_a_second_run_adopts_what_a_killed_one_made(place: Place, tmp_path: Path) -> None:
    """The process dies after sending, before it knows; the next run has the same key."""
    from snapkit.cli.emulator import settings

    place.emulator.faults.append(
        Fault(kind="cut-after", provider=place.provider, operation=CREATE[place.provider])
    )
    account = next(place.emulator.world.of(place.provider))
    label = f"{account.label}@" if account.label else ""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            PROGRAM,
            f"{place.provider}:{label}{place.region.id}",
            place.emulator.endpoint,
            place.disks(place.server())[-1],
        ],
        env=os.environ
        | settings(place.emulator)
        | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "providers")])},
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    place.emulator.world.clock.advance(60)

    assert 9 == done.returncode, done.stderr
    assert 1 == len(place.region.snapshots)
    with place.client() as client:
        adopted = create(place, client, "nightly")
    assert [adopted] == list(place.region.snapshots)
