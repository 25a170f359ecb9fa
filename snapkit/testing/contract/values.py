"""Clauses about values: the provider's facts, in neutral words and right to the byte."""

import pickle
from datetime import timedelta
from operator import attrgetter
from typing import Any

import attrs
import pytest

from snapkit.model import DiskRole, Ref, Snapshot, SnapshotStatus, Tags
from snapkit.testing.harness import MOMENT, Harness, Seed

__all__ = ["ValueClauses"]


def listed(harness: Harness, seed: Seed, *, keep_raw: bool = False) -> Snapshot:
    """Put *seed* behind the wire and return it as it is listed."""
    (snapshot_id,) = harness.add(seed)
    client = harness.client(keep_raw=keep_raw)
    (found,) = [one for one in client.snapshots(include_deleted=True) if one.id == snapshot_id]
    return found


def table(harness: Harness) -> list[Snapshot]:
    """Return one listed snapshot for each line of the harness's status table."""
    if not harness.statuses:
        pytest.fail("the harness has no status table")
    ids = harness.add(*(Seed(disk=n, status=case) for n, case in enumerate(harness.statuses)))
    found = {one.id: one for one in harness.client().snapshots(include_deleted=True)}
    return [found[one] for one in ids]


class ValueClauses:
    """C18 to C28."""

    def test_c18_every_status_is_normalised_and_its_word_kept(self, harness: Harness) -> None:
        """C18. Callers decide by the neutral status and search the vendor's pages by the raw."""
        expected = [(case.raw, case.status) for case in harness.statuses]

        assert expected == [(one.raw_status, one.status) for one in table(harness)]

    def test_c19_restorable_agrees_with_the_table(self, harness: Harness) -> None:
        """C19. Some snapshots can be restored before they are complete, some never."""
        expected = [(case.raw, case.restorable) for case in harness.statuses]

        assert expected == [(one.raw_status, one.restorable) for one in table(harness)]

    def test_c20_a_status_from_the_future_is_unknown(self, harness: Harness) -> None:
        """C20. Clean-up jobs delete what is called failed, and an exception hides the rest.

        An ordinary listing must show it: a status filter of known words would drop it.
        """
        case = harness.future
        (snapshot_id,) = harness.add(Seed(status=case))
        (snapshot,) = [one for one in harness.client().snapshots() if one.id == snapshot_id]

        assert (SnapshotStatus.UNKNOWN, case.raw) == (snapshot.status, snapshot.raw_status)
        assert snapshot.restorable is not True

    def test_c21_sizes_are_bytes(self, harness: Harness) -> None:
        """C21. Providers write 40 for 40 GiB, or 40960 for the same in MiB."""
        snapshot = listed(harness, Seed(size_gib=40))

        assert 42949672960 == snapshot.size_bytes
        assert snapshot.source.size_bytes in (None, 42949672960)

    def test_c22_times_are_utc_and_of_the_right_instant(self, harness: Harness) -> None:
        """C22. A local time without a zone, read as UTC, is eight hours and a day off."""
        snapshot = listed(harness, Seed(made_at=MOMENT))

        assert snapshot.created_at == MOMENT
        for moment in (snapshot.created_at, snapshot.cut_at, snapshot.completed_at):
            if moment is not None:
                assert timedelta(0) == moment.utcoffset()
                assert abs(moment - MOMENT) < timedelta(hours=1)

    def test_c23_name_description_and_tags_arrive_unharmed(self, harness: Harness) -> None:
        """C23. Peers lose tags, and text beyond ASCII breaks in a wrong encoding."""
        tags = {"团队": "研发", "env": "prod & test", "blank": ""}
        seed = Seed(name="夜间 备份+1", description='第一行: "好"', tags=tags)
        snapshot = listed(harness, seed)

        if harness.says("name"):
            assert seed.name == snapshot.name
        if harness.says("description"):
            assert seed.description == snapshot.description
        if harness.says("tags"):
            assert Tags(harness.kept_tags(tags).items()) == snapshot.tags

    def test_c24_what_is_not_said_is_none(self, harness: Harness) -> None:
        """C24. Zero bytes and an empty name are claims; None admits that nothing was said."""
        snapshot = listed(harness, Seed())
        values: dict[str, Any] = attrs.asdict(snapshot, recurse=False)
        values |= attrs.asdict(snapshot.source)
        texts = [name for name in values if name != "account" and values[name] == ""]
        unsaid = {
            name: attrgetter(name)(snapshot)
            for name in sorted(harness.unsaid)
            if not name.startswith("group.")
        }

        assert [] == texts
        assert not snapshot.tags
        assert dict.fromkeys(unsaid) == unsaid

    def test_c25_the_source_disk_is_told(self, harness: Harness) -> None:
        """C25. A snapshot without its disk belongs to nobody: peers lose the id or the role."""
        for role in (DiskRole.SYSTEM, DiskRole.DATA):
            seed = Seed(disk=5, server=6, role=role)
            source = listed(harness, seed).source

            assert (harness.source_id(seed), role) == (source.id, source.role)
            if harness.says("source.instance_id"):
                assert harness.server_id(6) == source.instance_id

    def test_c26_the_whole_row_is_kept_when_asked_and_only_then(self, harness: Harness) -> None:
        """C26. It is the way out of the abstraction, and in mass listings too heavy."""
        full = listed(harness, Seed(), keep_raw=True)
        lean = {one.id: one for one in harness.client().snapshots()}[full.id]

        assert full.raw is not None
        assert full.id in full.raw.values()
        assert lean.raw is None
        assert full == lean

    def test_c27_a_snapshot_knows_where_it_is(self, harness: Harness) -> None:
        """C27. Fleets mix accounts and regions, and act on a snapshot by its reference."""
        snapshot = listed(harness, Seed())
        expected = Ref(harness.provider, harness.account, harness.region, snapshot.id)

        assert expected == snapshot.ref
        assert expected == Ref.parse(str(snapshot.ref))

    def test_c28_snapshots_pickle_and_hash(self, harness: Harness) -> None:
        """C28. They cross process boundaries and stand in sets."""
        for keep_raw in (False, True):
            snapshot = listed(harness, Seed(tags={"team": "ops"}), keep_raw=keep_raw)
            copy = pickle.loads(pickle.dumps(snapshot))  # noqa: S301 - our own bytes

            assert {snapshot} == {snapshot, copy}
            assert snapshot.raw == copy.raw
