"""Clauses about changing what there is: as ordered, and nothing else."""

from datetime import UTC, datetime, timedelta

import pytest

from snapkit.driver import Capability
from snapkit.errors import UnsupportedError
from snapkit.model import Kind
from snapkit.testing.contract.needs import found_tags, needs
from snapkit.testing.harness import GroupSeed, Harness, Seed

__all__ = ["ChangeClauses"]


class ChangeClauses:
    """C64 to C68."""

    def test_c64_a_new_name_is_seen_and_nothing_else_changes(self, harness: Harness) -> None:
        """C64. Retention by name takes what was not renamed for what it was."""
        client = needs(harness, Capability.RENAME)
        renamed, other = harness.add(Seed(disk=1, name="old"), Seed(disk=2, name="other"))
        before = client.snapshot(renamed)
        client.change(renamed, name="kept")
        client.change(renamed, name="kept")
        found = client.snapshot(renamed)

        assert ("kept", before.description) == (found.name, found.description)
        assert (before.tags, before.expires_at) == (found.tags, found.expires_at)
        assert "other" == client.snapshot(other).name

    def test_c65_a_description_is_set_and_cleared(self, harness: Harness) -> None:
        """C65. An empty text that changes nothing leaves yesterday's warning standing."""
        client = needs(harness, Capability.DESCRIBE)
        (described,) = harness.add(Seed(name="nightly"))
        client.change(described, description="do not delete")
        assert "do not delete" == client.snapshot(described).description
        client.change(described, description="")

        assert client.snapshot(described).description is None
        assert "nightly" == client.snapshot(described).name

    def test_c66_an_expiry_is_set_and_taken_away(self, harness: Harness) -> None:
        """C66. Deleted a day too early is too early; whole days may be rounded up."""
        client = needs(harness, Capability.EXPIRE, Capability.CREATE)
        (disk,) = harness.add_disks(1)
        asked = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
        made = client.create(disk, name="nightly", expires_at=asked)
        client.wait(made.id, timeout=7200)
        first = client.snapshot(made.id).expires_at
        client.change(made.id, expires_at=asked + timedelta(days=30))
        second = client.snapshot(made.id).expires_at

        assert first is not None
        assert asked <= first <= asked + timedelta(days=1)
        assert second is not None
        assert asked + timedelta(days=30) <= second <= asked + timedelta(days=31)
        if harness.clears_expiry:
            client.change(made.id, permanent=True)
            assert client.snapshot(made.id).expires_at is None
        else:
            with pytest.raises(UnsupportedError):
                client.change(made.id, permanent=True)

    def test_c67_tags_come_and_go_one_by_one(self, harness: Harness) -> None:
        """C67. Tags carry cost centres; setting one must not take the others away."""
        client = needs(harness, Capability.TAG)
        old = harness.allowed_tags({"team": "a"})
        new = harness.allowed_tags({"tier": "gold", "use": "db"})
        (snapshot,) = harness.add(Seed())
        for tags in (old, new):
            assert [True] == [one.ok for one in client.tag([snapshot], tags)]
        expected, found = found_tags(harness, client.snapshot(snapshot), {**old, **new})
        assert expected == found
        keys = list(harness.kept_tags({"tier": new["tier"]}))
        for _ in range(2):
            assert [True] == [one.ok for one in client.untag([snapshot], keys)]
        left = {key: value for key, value in {**old, **new}.items() if key != "tier"}

        assert dict(harness.kept_tags(left)) == dict(client.snapshot(snapshot).tags or {})

    def test_c68_groups_are_renamed_described_and_tagged(self, harness: Harness) -> None:
        """C68. What holds for snapshots holds for groups, where the provider keeps them."""
        client = needs(harness, Capability.RENAME_GROUP)
        harness.add_group(GroupSeed(name="old"))
        (group,) = client.groups()
        client.change_group(group.id, name="kept")
        assert "kept" == client.group(group.id).name
        if client.supports(Capability.DESCRIBE_GROUP):
            client.change_group(group.id, description="do not delete")
            assert "do not delete" == client.group(group.id).description
        if client.supports(Capability.TAG_GROUP):
            tags = harness.allowed_tags({"team": "a", "tier": "gold"})
            client.tag([group.id], tags, kind=Kind.GROUP)
            expected, found = found_tags(harness, client.group(group.id), tags)
            assert expected == found
            client.untag([group.id], ["team"], kind=Kind.GROUP)
            assert ["tier"] == list(client.group(group.id).tags or {})

        assert "kept" == client.group(group.id).name
