"""Clauses about making and deleting groups: whole, or told what is missing."""

from collections.abc import Mapping
from typing import Any

import pytest

from snapkit.driver import Capability
from snapkit.errors import ArgumentError, IdempotencyConflictError, NotFoundError, SnapkitError
from snapkit.testing.contract.needs import group_disks, needs
from snapkit.testing.contract.writes import LOST
from snapkit.testing.harness import Harness

__all__ = ["GroupWriteClauses"]


def ready_group(harness: Harness) -> tuple[str, list[str]]:
    """Return the id of a group that is ready, and those of its members."""
    client = harness.client()
    made = client.create_group(disk_ids=harness.add_disks(1, 2, 3), name="nightly")
    members = [member.id for member in client.group(made.id).members]
    client.wait(members, timeout=7200)
    return made.id, members


class GroupWriteClauses:
    """C51 to C57."""

    def test_c51_a_group_of_an_instance_holds_all_its_disks(self, harness: Harness) -> None:
        """C51. A database restored without its log disk is no database."""
        client = needs(harness, Capability.CREATE_GROUP, Capability.DISKS)
        disks = harness.add_disks(1, 2, 3)
        harness.add_disks(4, server=2)
        made = client.create_group(instance_id=harness.server_id(1), name="nightly")
        found = client.group(made.id)

        assert sorted(disks) == group_disks(found)
        assert (found.name or "").startswith("nightly")
        assert len(disks) == len(harness.living())

    def test_c52_disks_that_are_left_out_are_not_in_the_group(self, harness: Harness) -> None:
        """C52. Scratch disks are left out because they are large, or forbidden."""
        client = needs(harness, Capability.CREATE_GROUP, Capability.DISKS)
        first, scratch, last = harness.add_disks(1, 2, 3)
        made = client.create_group(
            instance_id=harness.server_id(1), exclude_disk_ids=[scratch], name="nightly"
        )

        assert sorted([first, last]) == group_disks(client.group(made.id))
        assert 2 == len(harness.living())

    def test_c53_a_wrong_order_for_a_group_is_refused_before_it_is_sent(
        self, harness: Harness
    ) -> None:
        """C53. Providers answer it differently, or obey half of it."""
        client = needs(harness, Capability.CREATE_GROUP)
        disk, other = harness.add_disks(1, 2)
        server = harness.server_id(1)
        wrong: list[Mapping[str, Any]] = [
            {"instance_id": server, "disk_ids": [disk], "exclude_disk_ids": [other]},
            {"disk_ids": [disk], "exclude_disk_ids": [other]},
            {"exclude_disk_ids": [other]},
            {"disk_ids": []},
            *({"disk_ids": [disk], "name": name} for name in harness.bad_group_names),
        ]
        before = harness.requests
        for order in wrong:
            with pytest.raises(ArgumentError):
                client.create_group(**order)

        assert before == harness.requests
        assert [] == harness.living()

    def test_c54_one_key_makes_one_group(self, harness: Harness) -> None:
        """C54. Groups are made by the same jobs, killed in the same ways."""
        client = needs(harness, Capability.CREATE_GROUP)
        disks, others = harness.add_disks(1, 2), harness.add_disks(3, 4)
        runs = [client, client, harness.client()]
        made = {one.create_group(disk_ids=disks, name="nightly", key="k").id for one in runs}
        with pytest.raises(IdempotencyConflictError):
            client.create_group(disk_ids=others, name="nightly", key="k")

        assert list(made) == [group.id for group in client.groups()]
        assert 2 == len(harness.living())

    def test_c55_a_lost_answer_leaves_exactly_one_group(self, harness: Harness) -> None:
        """C55. Two groups cost twice, and the next clean-up may keep the wrong one."""
        needs(harness, Capability.CREATE_GROUP)
        if harness.lags:
            harness.lag(12)
        for number, (how, key, times) in enumerate(LOST):
            disks = harness.add_disks(2 * number + 1, 2 * number + 2)
            before = harness.living()
            harness.lose(Capability.CREATE_GROUP, how, times=times)
            made = harness.client().create_group(
                disk_ids=disks, name=f"nightly{number}", key=key and f"{key} {number}"
            )
            new = [one for one in harness.living() if one not in before]
            assert (how, key, times, 2) == (how, key, times, len(new))
            harness.advance(3600)
            members = [one.id for one in harness.client().group(made.id).members]
            assert new == sorted(members)

    def test_c56_deleting_a_group_deletes_its_members(self, harness: Harness) -> None:
        """C56. What is left of a group is paid for and belongs to nothing."""
        client = needs(harness, Capability.CREATE_GROUP, Capability.DELETE_GROUP)
        group, members = ready_group(harness)
        results = client.delete_group(group)
        client.wait(members, "gone", timeout=7200)
        again = client.delete_group(group)

        assert set(members) <= {result.id for result in results} | {group}
        assert [] == [result.id for result in (*results, *again) if not result.ok]
        assert [] == harness.living()
        assert all(result.absent for result in again)
        with pytest.raises(NotFoundError):
            client.delete_group(group, missing_ok=False)

    def test_c57_a_member_that_could_not_be_deleted_is_named(self, harness: Harness) -> None:
        """C57. The provider's success covers the member that an image holds."""
        needs(harness, Capability.CREATE_GROUP, Capability.DELETE_GROUP)
        if not harness.says("usage.images"):
            pytest.skip("nothing but an image holds a snapshot, and the provider hides images")
        group_id, members = ready_group(harness)
        group = harness.client().group(group_id)
        harness.use_in_image(members[1])
        try:
            results = harness.open().delete_group(group, force=False)
        except SnapkitError:
            results = []
        failed = [one.id for one in results if not one.ok]
        if harness.living() == sorted(members):
            assert failed or not results
            return
        harness.client().wait([one for one in members if one != members[1]], "gone", timeout=7200)

        assert members[1] in failed
        assert {members[1]} == set(failed) - {group_id}
        assert [members[1]] == harness.living()
