"""Clauses about making snapshots: one request, one snapshot, and a wait that ends."""

import pytest

from snapkit.driver import Capability
from snapkit.errors import ArgumentError, IdempotencyConflictError, WaitFailedError
from snapkit.model import SnapshotStatus, Tags
from snapkit.testing.contract.needs import SIZE, found_tags, needs
from snapkit.testing.harness import Harness, Lost
from snapkit.waiting import Until

__all__ = ["CreateClauses"]

LOST = [(how, key, times) for how in Lost for key in (None, "a key") for times in (1, 2)]
"""Every place where an answer is lost, with and without the caller's key, once and twice."""


def create_through(harness: Harness) -> None:
    """Create with every kind of lost answer, and see that each order made one snapshot.

    A second run with the same key comes when the first snapshot is ready.
    """
    for number, (how, key, times) in enumerate(LOST):
        (disk,) = harness.add_disks(number + 1)
        before = harness.living()
        harness.lose(Capability.CREATE, how, times=times)
        used = key and f"{key} {number}"
        made = harness.client().create(disk, name="nightly", key=used)
        if used is not None:
            harness.client().wait(made.id, timeout=7200)
            assert made.id == harness.client().create(disk, name="nightly", key=used).id
        new = [one for one in harness.living() if one not in before]
        assert (how, key, times, [made.id]) == (how, key, times, new)


class CreateClauses:
    """C43 to C50."""

    def test_c43_what_was_created_is_as_it_was_ordered(self, harness: Harness) -> None:
        """C43. A backup that lost its name or tags is found by no clean-up and no restore."""
        client = needs(harness, Capability.CREATE)
        (disk,) = harness.add_disks(7)
        text = "before the change" if client.supports(Capability.DESCRIBE) else None
        tags = harness.allowed_tags({"team": "research"})
        if not client.supports(Capability.TAG):
            tags = Tags()
        made = client.create(disk, name="nightly", description=text, tags=tags)
        found = client.snapshot(made.id)
        expected, kept = found_tags(harness, found, tags)

        assert [made.id] == harness.living()
        assert (disk, SIZE, text) == (found.source.id, found.size_bytes, found.description)
        assert "nightly" == found.name
        assert expected == kept

    def test_c44_one_key_makes_one_snapshot(self, harness: Harness) -> None:
        """C44. A job that was killed after sending starts again with the same key."""
        client = needs(harness, Capability.CREATE)
        (disk,) = harness.add_disks(1)
        runs = [client, client, harness.client()]
        made = {one.create(disk, name="nightly", key="tuesday").id for one in runs}
        client.wait(made, timeout=7200)
        other = client.create(disk, name="nightly", key="wednesday")

        assert sorted([*made, other.id]) == harness.living()
        assert 1 == len(made)

    def test_c45_a_lost_answer_leaves_exactly_one_snapshot(self, harness: Harness) -> None:
        """C45. Sent again blindly it makes two, taken for a failure it leaves one unknown."""
        needs(harness, Capability.CREATE)
        create_through(harness)

    def test_c46_a_lost_answer_is_settled_although_the_new_is_hidden(
        self, harness: Harness
    ) -> None:
        """C46. Listings run behind; what is not listed yet may have been made."""
        needs(harness, Capability.CREATE)
        if not harness.lags:
            pytest.skip("the harness cannot hide what is new")
        harness.lag(12)
        create_through(harness)

    def test_c47_a_key_that_was_used_for_another_disk_is_a_conflict(self, harness: Harness) -> None:
        """C47. The snapshot of another disk, taken for this one's, is no backup of it."""
        client = needs(harness, Capability.CREATE)
        disk, other = harness.add_disks(1, 2)
        made = client.create(disk, name="nightly", key="tuesday")
        with pytest.raises(IdempotencyConflictError):
            harness.client().create(other, name="nightly", key="tuesday")

        assert [made.id] == harness.living()

    def test_c48_waiting_ends_when_it_is_ready(self, harness: Harness) -> None:
        """C48. A status that never becomes what is waited for hangs the night."""
        client = needs(harness, Capability.CREATE)
        (disk,) = harness.add_disks(1)
        made = client.create(disk, name="nightly")
        for until in (Until.CUT, Until.USABLE, Until.COMPLETE):
            (found,) = client.wait(made.id, until, timeout=7200)
            assert made.id == found.id

        assert SnapshotStatus.AVAILABLE is client.snapshot(made.id).status
        assert client.snapshot(made.id).restorable

    def test_c49_a_wait_for_what_failed_ends_with_its_failure(self, harness: Harness) -> None:
        """C49. It will never be ready, and the hour until the timeout could save the night."""
        client = needs(harness, Capability.CREATE)
        if SnapshotStatus.FAILED not in {case.status for case in harness.statuses}:
            pytest.skip("the provider has no word for a snapshot that failed")
        (disk,) = harness.add_disks(1)
        made = client.create(disk, name="nightly")
        harness.doom(made.id)
        with pytest.raises(WaitFailedError):
            client.wait(made.id, timeout=7200)

    def test_c50_what_the_provider_refuses_is_refused_before_it_is_sent(
        self, harness: Harness
    ) -> None:
        """C50. A name that was refused at three in the morning is a night without backup."""
        client = needs(harness, Capability.CREATE)
        (disk,) = harness.add_disks(1)
        before = harness.requests
        for name in harness.bad_names:
            with pytest.raises(ArgumentError):
                client.create(disk, name=name)
        if harness.most_tags is not None and client.supports(Capability.TAG):
            many = {f"k{number}": "v" for number in range(harness.most_tags + 1)}
            with pytest.raises(ArgumentError):
                client.create(disk, name="nightly", tags=harness.allowed_tags(many))
        if not harness.bad_names and harness.most_tags is None:
            pytest.skip("the provider documents no limits")

        assert before == harness.requests
