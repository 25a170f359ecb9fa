"""The examples work, on every cloud, against the emulator; nobody really sleeps."""

import importlib.util
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from snapkit.model import DiskRole, SnapshotGroup
from snapkit.registry import providers
from tests.emulated import Place, furnished

EXAMPLES = Path(__file__).parents[1] / "examples"
DAY = 86400.0


def example(name: str) -> Any:
    """Return the example *name* as a module, not run."""
    full = f"snapkit_example_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module: ModuleType = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(params=providers())
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with furnished(request.param, lag=5.0) as found:
        yield found


class Nights:
    """Runs the nightly backup of one server, one night after the other."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.server = place.server()
        account = next(place.emulator.world.of(place.provider))
        self.abroad = next(one for one in account.regions if one != place.region.id)
        self.said: list[str] = []

    def night(self, **changes: Any) -> SnapshotGroup:
        clock = self.place.emulator.world.clock
        settings: dict[str, Any] = {"keep": timedelta(days=2), "copy_to": [self.abroad]} | changes
        if self.place.provider == "qingcloud":
            settings["tags"] = {"nightly": ""}
        with self.place.client() as client:
            made: SnapshotGroup = example("nightly_backup").back_up(
                client,
                self.server,
                now=datetime.fromtimestamp(clock.now(), UTC),
                say=self.said.append,
                **settings,
            )
        return made


@pytest.fixture
def nights(place: Place) -> Nights:
    return Nights(place)


def test_a_night_makes_one_usable_group_of_all_disks(nights: Nights) -> None:
    """And says what it did."""
    group = nights.night()

    assert len(nights.place.disks(nights.server)) == len(group.members)
    assert len(nights.place.region.snapshots) == len(group.members)
    assert all(one.restorable is not False for one in group.members)
    assert any("copy" in line for line in nights.said)


def test_the_same_night_again_makes_nothing_new(nights: Nights) -> None:
    """Cron ran twice, or somebody repeated a run that had failed at its end."""
    first, second = nights.night(), nights.night()

    assert first.id == second.id
    assert len(nights.place.region.snapshots) == len(first.members)


def test_what_is_too_old_goes_and_the_rest_stays(nights: Nights) -> None:
    """Of its own groups; a snapshot that somebody made by hand is not touched."""
    other = next(
        disk.id
        for disk in nights.place.region.disks.values()
        if disk.instance_id != nights.server and disk.role is DiskRole.DATA
    )
    with nights.place.client() as client:
        by_hand = client.create(other, name="nightly-by-hand")
    groups: list[SnapshotGroup] = []
    for _ in range(5):
        groups.append(nights.night())
        nights.place.emulator.world.clock.advance(1.5 * DAY)
    with nights.place.client() as client:
        living = {one.id for one in client.snapshots()}
    gone = {one.id for group in groups[:2] for one in group.members}
    kept = {one.id for group in groups[3:] for one in group.members}

    assert not living & gone, nights.said
    assert kept <= living
    assert by_hand.id in living


def test_a_restore_takes_the_newest_good_snapshot(nights: Nights) -> None:
    """The one that is still being made is not it."""
    group = nights.night()
    good = next(one for one in group.members if one.source.role is not DiskRole.SYSTEM)
    nights.place.emulator.world.clock.advance(DAY)
    with nights.place.client() as client:
        client.create(good.source.id or "", name="being-made")
        snapshot, disk = example("restore").restore(
            client, good.source.id, name="restored", key="once"
        )
        again = client.restore(good.id, name="restored", key="once")

    assert good.id == snapshot.id
    assert disk.id == again.id
    assert good.id == disk.snapshot_id


def test_a_disk_without_good_snapshots_is_named(place: Place) -> None:
    """Nothing is restored."""
    with (
        place.client() as client,
        pytest.raises(LookupError, match=r"no snapshot of .* can be restored"),
    ):
        example("restore").restore(client, place.disks(place.server())[0])
