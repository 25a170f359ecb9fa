"""What clauses about writing share."""

from collections.abc import Mapping

import pytest

from snapkit.client import Client
from snapkit.driver import Capability
from snapkit.model import Snapshot, SnapshotGroup, Tags
from snapkit.testing.harness import Harness

__all__ = ["SIZE", "found_tags", "group_disks", "needs"]

SIZE = 40 * 1024**3
"""The bytes of a seed's disk."""


def needs(harness: Harness, *capabilities: Capability) -> Client:
    """Return a client, or skip the clause where the provider lacks one of *capabilities*."""
    client = harness.client()
    for capability in capabilities:
        if not client.supports(capability):
            pytest.skip(f"the provider does not offer {capability.value}")
    return client


def found_tags(
    harness: Harness, thing: Snapshot | SnapshotGroup, given: Mapping[str, str]
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return *given* as the provider keeps it, and what *thing* has of it."""
    expected = dict(harness.kept_tags(given))
    tags = thing.tags if thing.tags is not None else Tags()
    return expected, {key: value for key, value in tags.items() if key in expected}


def group_disks(group: SnapshotGroup) -> list[str | None]:
    """Return the disks that *group* was taken of, sorted."""
    return sorted((member.source.id for member in group.members), key=str)
