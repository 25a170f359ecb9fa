"""Clauses about restoring, rolling back and copying."""

import pytest

from snapkit.driver import Capability
from snapkit.errors import ArgumentError, OutcomeUnknown
from snapkit.testing.contract.needs import SIZE, needs
from snapkit.testing.contract.writes import LOST
from snapkit.testing.harness import GroupSeed, Harness, Lost, Seed
from snapkit.writes import ItemResult

__all__ = ["MoveClauses"]


def roll_back(harness: Harness, snapshot_id: str) -> ItemResult:
    """Roll back, with leave to stop the server where that is needed."""
    leave = harness.stops
    return harness.client().roll_back(snapshot_id, stop_instance=leave, start_instance=leave)


class MoveClauses:
    """C69 to C73."""

    def test_c69_a_restored_disk_is_large_enough(self, harness: Harness) -> None:
        """C69. What does not fit is cut off, and the file system with it."""
        client = needs(harness, Capability.RESTORE, Capability.DISKS)
        (snapshot,) = harness.add(Seed())
        before = harness.disks_there()
        zone = harness.restore_zone
        sizes: dict[str, int] = {}
        for wanted in (None, 2 * SIZE if harness.sizes_disks else SIZE):
            made = client.restore(snapshot, zone=zone, name="restored", size_bytes=wanted)
            sizes[made.id] = wanted or SIZE
        sent = harness.sent(Capability.RESTORE)
        with pytest.raises(ArgumentError):
            client.restore(snapshot, zone=zone, size_bytes=SIZE // 2)

        assert sent == harness.sent(Capability.RESTORE)
        assert sorted(sizes) == [one for one in harness.disks_there() if one not in before]
        for disk in client.disks(ids=sizes):
            assert (disk.size_bytes or 0) >= sizes.pop(disk.id)
            assert disk.snapshot_id in (None, snapshot)
        assert {} == sizes

    def test_c70_one_restore_makes_one_disk(self, harness: Harness) -> None:
        """C70. A second disk is paid for by somebody who does not know that it is there."""
        needs(harness, Capability.RESTORE)
        (snapshot,) = harness.add(Seed())
        zone = harness.restore_zone
        for number, (how, key, times) in enumerate(LOST):
            before = harness.disks_there()
            harness.lose(Capability.RESTORE, how, times=times)
            name, used = f"restored{number}", key and f"{key} {number}"
            made = harness.client().restore(snapshot, zone=zone, name=name, key=used)
            if used is not None:
                again = harness.client().restore(snapshot, zone=zone, name=name, key=used)
                assert made.id == again.id
            new = [one for one in harness.disks_there() if one not in before]
            assert (how, key, times, [made.id]) == (how, key, times, new)

    def test_c71_a_rollback_is_never_sent_twice(self, harness: Harness) -> None:
        """C71. The second one undoes what was written after the first."""
        needs(harness, Capability.ROLL_BACK)
        for how in Lost:
            (snapshot,) = harness.add(Seed())
            before = harness.sent(Capability.ROLL_BACK)
            harness.lose(Capability.ROLL_BACK, how)
            with pytest.raises(OutcomeUnknown):
                roll_back(harness, snapshot)
            assert (how, 1) == (how, harness.sent(Capability.ROLL_BACK) - before)

    def test_c72_a_rollback_tells_of_each_disk(self, harness: Harness) -> None:
        """C72. A group that is half rolled back is worse than one that is not."""
        client = needs(harness, Capability.ROLL_BACK)
        (snapshot,) = harness.add(Seed(disk=9, server=9))
        result = roll_back(harness, snapshot)
        assert (snapshot, None) == (result.id, result.error)
        if not client.supports(Capability.ROLL_BACK_GROUP):
            return
        members = harness.add_group(GroupSeed(disks=(1, 2, 3)))
        (group,) = client.groups()
        results = client.roll_back_group(
            group.id, stop_instance=harness.stops, start_instance=harness.stops
        )

        assert [] == [one.error for one in results if one.error]
        assert sorted(members) == sorted(one.id for one in results)

    def test_c73_a_copy_is_in_its_region_and_each_region_is_told(self, harness: Harness) -> None:
        """C73. A copy elsewhere than thought is found missing on the day of the fire."""
        client = needs(harness, Capability.COPY)
        (snapshot,) = harness.add(Seed(name="nightly"))
        away = harness.client(region=harness.other_region)
        copied = client.copy(snapshot, [harness.other_region, "nowhere-9"], name="far")
        told = {one.region: one for one in copied}
        good, bad = told[harness.other_region], told["nowhere-9"]
        assert good.error is None
        assert good.snapshot_id is not None
        (found,) = away.wait(good.snapshot_id, timeout=7200)

        assert bad.error is not None
        assert bad.snapshot_id is None
        assert (harness.other_region, SIZE) == (found.region, found.size_bytes)
        assert [snapshot] == harness.living()
        assert [snapshot] == [one.id for one in client.snapshots()]
        with pytest.raises(ArgumentError):
            client.copy(snapshot, [harness.region])
