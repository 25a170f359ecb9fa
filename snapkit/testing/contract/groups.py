"""Clauses about groups: whole, true and never invented."""

import pickle
from collections.abc import Iterable
from datetime import timedelta

import pytest

from snapkit.driver import Capability
from snapkit.errors import NotFoundError
from snapkit.model import Membership, Ref, SnapshotGroup, SnapshotStatus, Tags
from snapkit.testing.harness import MOMENT, GroupSeed, Harness, Seed, StatusCase

__all__ = ["GroupClauses"]


def keeps_groups(harness: Harness) -> bool:
    """Whether the provider keeps groups; skips the clause where it has none at all."""
    capabilities = harness.open().capabilities
    if not capabilities & {Capability.GROUPS, Capability.DERIVED_GROUPS}:
        pytest.skip("the provider has no groups")
    return Capability.GROUPS in capabilities


def members(groups: Iterable[SnapshotGroup]) -> list[list[str]]:
    """Return the sorted ids of the members of each group, sorted."""
    return sorted(sorted(member.id for member in group.members) for group in groups)


def case_of(harness: Harness, status: SnapshotStatus) -> StatusCase | None:
    """Return a line of the harness's table for *status*."""
    return next((case for case in harness.statuses if case.status is status), None)


class GroupClauses:
    """C37 to C42."""

    def test_c37_groups_are_whole_and_their_members_known(self, harness: Harness) -> None:
        """C37. A group that lacks a disk restores a server without that disk."""
        keeps_groups(harness)
        seeds = [
            GroupSeed(disks=(1, 2, 3), name="web"),
            GroupSeed(disks=(4, 5), server=2, name="db", made_at=MOMENT + timedelta(days=1)),
        ]
        expected = sorted(sorted(harness.add_group(seed)) for seed in seeds)
        found = list(harness.client().groups())

        assert expected == members(found)
        for member in (member for group in found for member in group.members):
            assert SnapshotStatus.AVAILABLE is member.status
            assert 40 * 1024**3 == member.size_bytes
        assert all(one.id == member.group_id for one in found for member in one.members)

    def test_c38_no_group_is_invented(self, harness: Harness) -> None:
        """C38. Policies cut many servers in one second; equal times alone bind nothing."""
        keeps_groups(harness)
        harness.add(
            Seed(disk=1, server=1, name="web"),
            Seed(disk=2, server=2, name="web"),
            Seed(disk=3, server=1, name="db"),
            Seed(disk=4, server=1, name="web", made_at=MOMENT + timedelta(minutes=5)),
        )

        assert [] == members(harness.client().groups())

    def test_c39_the_status_of_a_group_is_that_of_its_members(self, harness: Harness) -> None:
        """C39. A group is ready when all of it is, and a word of its own wins over that."""
        keeps_groups(harness)
        if harness.group_statuses:
            for number, case in enumerate([*harness.group_statuses, harness.future]):
                harness.add_group(GroupSeed(name=f"n{number}", status=case))
            wanted = {
                f"n{number}": (case.raw, case.status)
                for number, case in enumerate([*harness.group_statuses, harness.future])
            }
            found = harness.client().groups()
            assert wanted == {str(one.name): (one.raw_status, one.status) for one in found}
            return
        creating = case_of(harness, SnapshotStatus.CREATING)
        harness.add_group(GroupSeed(name="ready"))
        harness.add_group(
            GroupSeed(disks=(4, 5), name="busy", server=2, statuses=[creating] if creating else [])
        )
        expected = {
            "ready": SnapshotStatus.AVAILABLE,
            "busy": SnapshotStatus.CREATING if creating else SnapshotStatus.AVAILABLE,
        }

        assert expected == {str(one.name): one.status for one in harness.client().groups()}

    def test_c40_a_group_has_its_facts(self, harness: Harness) -> None:
        """C40. Name, tags, time and server of a group are lost as easily as a snapshot's."""
        native = keeps_groups(harness)
        harness.add_group(GroupSeed(name="夜间", server=3, tags={"团队": "研发"}))
        (found,) = harness.client().groups()
        expected = Membership.NATIVE if native else Membership.DERIVED
        address = (harness.provider, harness.account, harness.region)

        assert ("夜间", expected) == (found.name, found.membership)
        assert address == (found.provider, found.account, found.region)
        assert found.ref == Ref.parse(str(found.ref))
        assert MOMENT == found.created_at
        assert found.instance_id in (None, harness.server_id(3))
        assert found.description is None
        if native and harness.says("group.tags"):
            assert Tags(harness.kept_tags({"团队": "研发"}).items()) == found.tags
        assert {found} == {found, pickle.loads(pickle.dumps(found))}  # noqa: S301 - our own bytes

    def test_c41_a_group_that_is_not_there_is_told(self, harness: Harness) -> None:
        """C41. An id that is ignored as a filter would give a stranger in its place."""
        keeps_groups(harness)
        harness.add_group(GroupSeed(name="web"))
        harness.add_group(
            GroupSeed(disks=(4, 5), name="db", server=2, made_at=MOMENT + timedelta(days=1))
        )
        client = harness.client()
        for group in list(client.groups()):
            assert [group.id] == [one.id for one in client.groups(ids=group.id)]
            assert group == client.group(group.id)
        with pytest.raises(NotFoundError):
            client.group(harness.absent_group_id)

    def test_c42_groups_are_listed_over_all_pages(self, harness: Harness) -> None:
        """C42. Listings of groups lose rows where listings of snapshots do."""
        keeps_groups(harness)
        size = harness.open().limits.page
        wanted = [
            sorted(
                harness.add_group(
                    GroupSeed(
                        disks=(1, 2), name=f"g{number}", made_at=MOMENT + timedelta(hours=number)
                    )
                )
            )
            for number in range(size + 1)
        ]

        assert sorted(wanted) == members(harness.client().groups(fill=False))
