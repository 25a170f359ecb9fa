"""Clauses about filters: no stranger in the answer, no match missing from it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from snapkit.errors import NotFoundError
from snapkit.model import DiskRole, SnapshotStatus
from snapkit.query import SnapshotQuery
from snapkit.testing.harness import MOMENT, Harness, Seed, many

__all__ = ["SelectionClauses"]


def found_by(harness: Harness, **filters: Any) -> list[str]:
    """Return the sorted ids that *filters* select."""
    return sorted(snapshot.id for snapshot in harness.client().snapshots(**filters))


def estate(harness: Harness) -> Mapping[str, Seed]:
    """Put snapshots behind the wire that differ in everything, and return them by id."""
    seeds = [
        Seed(
            disk=1 + number % 4,
            server=1 + number % 4 // 2,
            role=DiskRole.SYSTEM if number % 4 == 0 else DiskRole.DATA,
            size_gib=40 + 20 * (number % 5),
            name=("nightly-web", "nightly-db", "夜间备份", "")[number % 6 % 4],
            tags=({"team": "ops"}, {"team": "研发", "env": "prod"}, {})[number % 3],
            made_at=MOMENT + timedelta(days=number),
            encrypted=number % 2 == 0,
        )
        for number in range(24)
    ]
    return dict(zip(harness.add(*seeds), seeds, strict=True))


class SelectionClauses:
    """C10 to C17."""

    def test_c10_an_id_that_is_not_there_is_an_empty_list(self, harness: Harness) -> None:
        """C10. Some providers answer an unknown id with an error, some with everything."""
        wanted = harness.add(*many(3))

        assert [] == found_by(harness, ids=[harness.absent_id])
        assert wanted[:1] == found_by(harness, ids=[wanted[0], harness.absent_id])
        with pytest.raises(NotFoundError):
            harness.client().snapshot(harness.absent_id)

    def test_c11_more_ids_than_fit_one_request_are_all_found(self, harness: Harness) -> None:
        """C11. A provider rejects, cuts or ignores an over-long list of ids.

        A list that is ignored hands every snapshot to a clean-up loop, so the driver itself
        must narrow the answer.
        """
        driver = harness.open()
        ids = harness.add(*many(driver.limits.ids + 5))
        wanted = ids[: driver.limits.ids + 1]
        query = SnapshotQuery(ids=frozenset(ids[1:4]))
        page = driver.list_snapshots(query, cursor=None, limit=driver.limits.page)

        assert sorted(wanted) == found_by(harness, ids=wanted)
        assert sorted(ids[1:4]) == sorted(snapshot.id for snapshot in page.items)

    def test_c12_a_disk_filter_has_no_stranger_and_loses_no_match(self, harness: Harness) -> None:
        """C12. Mis-spelt filters are ignored by some providers, and everything comes back.

        Where the driver declares a limit for disks, the provider must be asked for them: to
        list a million rows for the sake of one is an outage.
        """
        there, driver = estate(harness), harness.open()
        disks = [harness.disk_id(2), harness.disk_id(3)]
        wanted = sorted(one for one, seed in there.items() if seed.disk in (2, 3))

        assert wanted == found_by(harness, disk_ids=disks)
        assert [] == found_by(harness, disk_ids=harness.disk_id(99))
        if driver.limits.disk_ids is not None:
            query = SnapshotQuery(disk_ids=disks[:1])
            page = driver.list_snapshots(query, cursor=None, limit=driver.limits.page)
            assert {disks[0]} == {snapshot.source.id for snapshot in page.items}

    def test_c13_role_and_encryption_filters_are_exact(self, harness: Harness) -> None:
        """C13. Two words for a system disk, and a match is lost where one of them is missing."""
        there = estate(harness)
        for role in (DiskRole.SYSTEM, DiskRole.DATA):
            wanted = sorted(one for one, seed in there.items() if seed.role is role)
            assert (role, wanted) == (role, found_by(harness, roles=role))
        for encrypted in (True, False) if harness.says("encrypted") else ():
            wanted = sorted(one for one, seed in there.items() if seed.encrypted is encrypted)
            assert (encrypted, wanted) == (encrypted, found_by(harness, encrypted=encrypted))

    def test_c14_a_status_filter_finds_every_word_for_that_status(self, harness: Harness) -> None:
        """C14. Pushing down one word of several drops the snapshots that bear the others."""
        cases = [*harness.statuses, harness.future]
        ids = harness.add(*(Seed(disk=number, status=case) for number, case in enumerate(cases)))
        table: dict[SnapshotStatus, list[str]] = {}
        for snapshot_id, case in zip(ids, cases, strict=True):
            table.setdefault(case.status, []).append(snapshot_id)
        for status, wanted in table.items():
            assert (status, sorted(wanted)) == (status, found_by(harness, statuses=status))

    def test_c15_name_tag_size_time_and_server_filters_are_exact(self, harness: Harness) -> None:
        """C15. What cannot be pushed down must still arrive, or the core cannot filter it."""
        there = estate(harness)
        day = timedelta(days=1)

        def wanted(fits: Mapping[str, bool]) -> list[str]:
            return sorted(one for one in fits if fits[one])

        for filters, fits in (
            ({"names": "nightly-*"}, {i: s.name.startswith("nightly") for i, s in there.items()}),
            ({"names": "夜间备份"}, {i: s.name == "夜间备份" for i, s in there.items()}),
            ({"smallest": "80G"}, {i: s.size_gib >= 80 for i, s in there.items()}),
            ({"largest": "60G"}, {i: s.size_gib <= 60 for i, s in there.items()}),
            (
                {"created_after": MOMENT + 3 * day, "created_before": MOMENT + 9 * day},
                {i: 3 * day <= s.made_at - MOMENT <= 9 * day for i, s in there.items()},
            ),
        ):
            assert (filters, wanted(fits)) == (filters, found_by(harness, **filters))
        if harness.says("tags"):
            team = wanted({i: s.tags.get("team") == "研发" for i, s in there.items()})
            kept = harness.kept_tags({"team": "研发", "env": "prod"})
            assert team == found_by(harness, tags=kept)
            assert team == found_by(harness, tags=[f"{name[:3]}*" for name in kept])
        if harness.selects_servers:
            server = wanted({i: s.server == 2 for i, s in there.items()})
            assert server == found_by(harness, instance_ids=harness.server_id(2))

    def test_c16_deleted_snapshots_are_hidden_unless_asked_for(self, harness: Harness) -> None:
        """C16. Some providers list what is long gone, and nobody can restore it."""
        gone = [case for case in harness.statuses if case.status is SnapshotStatus.DELETED]
        if not gone:
            pytest.skip("the provider does not list deleted snapshots")
        living = harness.add(*many(3))
        dead = harness.add(*(Seed(status=case) for case in gone))

        assert sorted(living) == found_by(harness)
        assert sorted(living + dead) == found_by(harness, include_deleted=True)
        assert sorted(dead) == found_by(harness, statuses=SnapshotStatus.DELETED)
        with pytest.raises(NotFoundError):
            harness.client().snapshot(dead[0])

    def test_c17_filters_together_narrow_together(self, harness: Harness) -> None:
        """C17. Providers reject some pairs of filters, and join others by "or"."""
        there = estate(harness)
        first = next(iter(there.values()))
        disk, system = harness.source_id(first), DiskRole.SYSTEM
        wanted = sorted(i for i, s in there.items() if s.disk == 1 and s.role is system)
        ids = sorted(there)[:10]
        both = sorted(one for one in ids if there[one].disk == 1)

        assert wanted == found_by(harness, disk_ids=disk, roles=system)
        assert both == found_by(harness, disk_ids=disk, ids=ids)
        assert wanted == found_by(
            harness, disk_ids=disk, roles=system, statuses=SnapshotStatus.AVAILABLE
        )
