"""Clauses about deleting snapshots: honest before, and honest after."""

import pytest

from snapkit.driver import Capability
from snapkit.errors import ConflictError, NotFoundError
from snapkit.testing.contract.needs import needs
from snapkit.testing.harness import Harness, Lost, Seed

__all__ = ["DeleteClauses"]


class DeleteClauses:
    """C58 to C63."""

    def test_c58_what_was_deleted_is_gone(self, harness: Harness) -> None:
        """C58. It is paid for until it is, and a wait for that must end."""
        client = needs(harness, Capability.DELETE)
        size = harness.open().limits.delete_ids
        kept, *named = harness.add(*(Seed(disk=number + 1) for number in range(size + 2)))
        results = client.delete(named)
        client.wait(named, "gone", timeout=7200)

        assert sorted(named) == sorted(result.id for result in results)
        assert [] == [result for result in results if not result.ok or result.absent]
        assert [kept] == harness.living()
        assert [kept] == [snapshot.id for snapshot in client.snapshots()]

    def test_c59_what_is_not_there_counts_as_deleted(self, harness: Harness) -> None:
        """C59. A clean-up that ran twice has done its work; one that must know asks for it."""
        client = needs(harness, Capability.DELETE)
        (kept,) = harness.add(Seed())
        (direct,) = harness.open().delete_snapshots([harness.absent_id], force=False)
        (result,) = client.delete([harness.absent_id])
        with pytest.raises(NotFoundError):
            client.delete([harness.absent_id], missing_ok=False)

        for one in (direct, result):
            assert (harness.absent_id, True, True) == (one.id, one.ok, one.absent)
        assert [kept] == harness.living()

    def test_c60_what_an_image_stands_on_is_not_deleted(self, harness: Harness) -> None:
        """C60. An image without its snapshot starts no server; it is said before any is sent."""
        client = needs(harness, Capability.DELETE)
        if not harness.says("usage.images"):
            pytest.skip("the provider does not say what images stand on")
        held, free = harness.add(Seed(disk=1), Seed(disk=2))
        harness.use_in_image(held)
        before = harness.sent(Capability.DELETE)
        for force in (False, True):
            with pytest.raises(ConflictError, match=held):
                client.delete([held, free], force=force)

        assert before == harness.sent(Capability.DELETE)
        assert sorted([held, free]) == harness.living()

    def test_c61_a_failure_inside_a_success_is_opened(self, harness: Harness) -> None:
        """C61. Between the plan and the act an image was made; the answer is still "done"."""
        client = needs(harness, Capability.DELETE)
        if not harness.says("usage.images"):
            pytest.skip("nothing but an image holds a snapshot, and the provider hides images")
        held, free = harness.add(Seed(disk=1), Seed(disk=2))
        plan = client.plan_delete([held, free])
        harness.use_in_image(held)
        results = {one.id: one for one in client.carry_out(plan)}

        assert {held, free} == set(results)
        assert isinstance(results[held].error, ConflictError)
        assert held in harness.living()
        assert results[free].ok is (free not in harness.living())

    def test_c62_what_others_build_on_is_deleted_only_with_them(self, harness: Harness) -> None:
        """C62. The provider deletes a whole branch where one was named, and says success."""
        client = needs(harness, Capability.DELETE)
        if not harness.deletes_subtree:
            pytest.skip("the provider keeps what builds on a snapshot")
        root, child, grandchild, other = harness.add(*[Seed(disk=1)] * 3, Seed(disk=2))
        harness.build_on(child, root)
        harness.build_on(grandchild, child)
        before = harness.sent(Capability.DELETE)
        with pytest.raises(ConflictError, match=grandchild):
            client.delete([root])

        assert before == harness.sent(Capability.DELETE)
        assert all(one.ok for one in client.delete([root], cascade=True))
        client.wait([root, child, grandchild], "gone", timeout=7200)
        assert [other] == harness.living()

    def test_c63_a_lost_answer_to_a_deletion_is_asked_for_again(self, harness: Harness) -> None:
        """C63. The second request finds nothing, which is success and not an error."""
        needs(harness, Capability.DELETE)
        for how in Lost:
            (named,) = harness.add(Seed())
            client = harness.client()
            harness.lose(Capability.DELETE, how)
            results = client.delete([named])
            client.wait([named], "gone", timeout=7200)

            assert [(how, named, True)] == [(how, one.id, one.ok) for one in results]
            assert [] == harness.living()
