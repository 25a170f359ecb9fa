"""A single get keeps the whole answer; a listing of thousands does not."""

from collections.abc import Iterator

import pytest

from snapkit.client import connect
from snapkit.emulator import Emulator, demo_world
from snapkit.registry import providers


@pytest.fixture(scope="module")
def clouds() -> Iterator[Emulator]:
    with Emulator(demo_world()) as emulator:
        yield emulator


@pytest.mark.parametrize("provider", providers())
def test_a_single_get_keeps_the_raw_row(clouds: Emulator, provider: str) -> None:
    """The raw row is the way out of the abstraction, and costs four times the memory."""
    with connect(clouds.targets(provider)[0]) as client:
        listed = next(iter(client.snapshots(statuses="available")))
        got = client.snapshot(listed.id)

    assert listed == got
    assert listed.raw is None
    assert got.raw


def test_a_member_keeps_the_server_that_only_its_group_names(clouds: Emulator) -> None:
    """Snapshot rows of some providers do not say which server the disk belongs to."""
    with connect(clouds.targets("alibaba")[0]) as client:
        group = next(group for group in client.groups() if group.instance_id)

    assert {group.instance_id} == {member.source.instance_id for member in group.members}
