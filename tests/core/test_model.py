"""The values: frozen, hashable, picklable, and addresses that read back."""

import pickle
from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.errors import QueryError
from snapkit.model import (
    Kind,
    Ref,
    Region,
    Snapshot,
    SnapshotGroup,
    SnapshotStatus,
    SourceDisk,
    Tags,
    Usage,
    group_status,
)

S = SnapshotStatus


def snapshot(**changes: object) -> Snapshot:
    return attrs.evolve(
        Snapshot(
            id="s-1",
            provider="moon",
            account="",
            region="sea",
            status=S.AVAILABLE,
            raw_status="normal",
            created_at=datetime(2026, 3, 1, tzinfo=UTC),
            source=SourceDisk(id="d-1"),
            usage=Usage(images=1),
            tags=Tags([("env", "prod")]),
            raw={"id": "s-1"},
        ),
        **changes,  # type: ignore[arg-type] # the fields of Snapshot
    )


def group(*members: Snapshot) -> SnapshotGroup:
    return SnapshotGroup(
        id="g-1",
        provider="moon",
        account="me",
        region="sea",
        status=S.AVAILABLE,
        raw_status=None,
        members=members,
    )


class TestRef:
    """The address of one thing in all the clouds."""

    @given(
        account=st.text(),
        identifier=st.text(min_size=1),
        kind=st.sampled_from(Kind),
        region=st.from_regex(r"[a-z0-9-]{2,32}", fullmatch=True),
    )
    def test_what_is_printed_is_read_back(
        self, account: str, identifier: str, kind: Kind, region: str
    ) -> None:
        """References travel through shells, tickets and files."""
        ref = Ref("moon", account, region, identifier, kind)

        assert ref == Ref.parse(str(ref))

    @pytest.mark.parametrize("identifier", ["\ud800", "a/b", "group", "group/x", "%2F", "é", "\n"])
    def test_odd_ids_are_read_back(self, identifier: str) -> None:
        """An id is the provider's, and a broken one must not break the listing."""
        for kind in Kind:
            ref = Ref("moon", "", "sea", identifier, kind)

            assert ref == Ref.parse(str(ref))

    @pytest.mark.parametrize(
        ("ref", "text"),
        [
            (Ref("moon", "", "sea", "s-1"), "moon:sea/s-1"),
            (Ref("moon", "prod", "sea", "s-1"), "moon:prod@sea/s-1"),
            (Ref("moon", "", "sea", "g-1", Kind.GROUP), "moon:sea/group/g-1"),
            (Ref("moon", "a@b/c", "sea", "x/y"), "moon:a%40b%2Fc@sea/x%2Fy"),
        ],
    )
    def test_the_form_is_the_one_in_the_docs(self, ref: Ref, text: str) -> None:
        """People type it."""
        assert text == str(ref)

    @pytest.mark.parametrize(
        "text",
        ["", "s-1", "moon", "moon:", "moon:sea", "moon:sea/", "Moon:sea/s-1", ":sea/s-1",
         "moon:sea/a/b", "moon:sea/group/a/b", "moon:a@b@sea/s-1", "moon:/s-1", "moon:sea/%ff"],
    )  # fmt: skip
    def test_what_is_no_reference_is_refused_with_the_form(self, text: str) -> None:
        """A half-read reference might name another thing."""
        with pytest.raises(QueryError, match="cannot read the reference"):
            Ref.parse(text)

    def test_references_sort_and_hash(self) -> None:
        """They are keys and they are printed in order."""
        low, high = Ref("a", "", "r", "1"), Ref("a", "", "r", "1", Kind.SNAPSHOT)

        assert 1 == len({low, high})
        assert [Ref("a", "", "r", "1", Kind.GROUP), low] == sorted(
            [low, Ref("a", "", "r", "1", Kind.GROUP)]
        )


class TestTags:
    """Tags keep their order, and can be part of a frozen value."""

    @pytest.mark.faults(69)
    def test_the_last_of_equal_keys_wins(self) -> None:
        """As the providers' consoles have it."""
        assert {"a": "2", "b": "1"} == dict(Tags([("a", "1"), ("b", "1"), ("a", "2")]))

    def test_they_are_a_mapping_that_hashes(self) -> None:
        """Order does not make two of them different."""
        one, other = Tags([("a", "1"), ("b", "2")]), Tags([("b", "2"), ("a", "1")])

        assert one == other == {"a": "1", "b": "2"}
        assert hash(one) == hash(other)
        assert "Tags({'a': '1', 'b': '2'})" == repr(one)
        with pytest.raises(KeyError):
            one["c"]

    def test_they_pickle(self) -> None:
        """Snapshots go through process pools."""
        assert Tags([("a", "1")]) == pickle.loads(pickle.dumps(Tags([("a", "1")])))


@pytest.mark.parametrize(
    "value",
    [snapshot(), group(snapshot()), Ref("a", "", "r", "1"), Region(provider="a", id="r"),
     SourceDisk(), Usage()],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
class TestValues:
    """What every value can do."""

    def test_it_cannot_be_changed(self, value: attrs.AttrsInstance) -> None:
        """A value that changes under a reader is not a value."""
        name = attrs.fields(type(value))[0].name
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(value, name, "other")

    def test_it_hashes_and_pickles(self, value: attrs.AttrsInstance) -> None:
        """Values are keys, and cross process boundaries."""
        again = pickle.loads(pickle.dumps(value))

        assert value == again
        assert hash(value) == hash(again)

    def test_it_has_no_dict(self, value: attrs.AttrsInstance) -> None:
        """A hundred thousand of them must fit, and a misspelt field must not pass."""
        assert not hasattr(value, "__dict__")


def test_the_raw_answer_makes_no_difference_to_equality() -> None:
    """Raw rows are there on request only, and they hold request ids."""
    assert snapshot() == snapshot(raw=None)
    assert "raw=" not in repr(snapshot())


def test_references_of_snapshots_and_groups() -> None:
    """What is printed leads back to the thing."""
    assert "moon:sea/s-1" == str(snapshot().ref)
    assert "moon:me@sea/group/g-1" == str(group().ref)


@pytest.mark.parametrize(
    ("sizes", "total"),
    [([1, 2], 3), ([1, None], None), ([None], None), ([], None), ([0], 0)],
)
def test_a_group_is_as_large_as_its_members_if_all_are_known(
    sizes: list[int | None], total: int | None
) -> None:
    """A sum with a hole in it would be too small and look right."""
    assert total == group(*(snapshot(size_bytes=size) for size in sizes)).size_bytes


@pytest.mark.parametrize(
    ("members", "missing", "status"),
    [
        ([], False, S.UNKNOWN),
        ([], True, S.DEGRADED),
        ([S.AVAILABLE], False, S.AVAILABLE),
        ([S.AVAILABLE], True, S.DEGRADED),
        ([S.AVAILABLE, S.CREATING], False, S.CREATING),
        ([S.AVAILABLE, S.CREATING], True, S.CREATING),
        ([S.CREATING, S.FAILED], False, S.FAILED),
        ([S.DELETED, S.FAILED], True, S.FAILED),
        ([S.AVAILABLE, S.DELETED], False, S.DEGRADED),
        ([S.AVAILABLE, S.RECYCLED], False, S.DEGRADED),
        ([S.DELETING], False, S.DELETING),
        ([S.DELETED, S.DELETED], False, S.DELETED),
        ([S.DELETED, S.DELETING], False, S.DELETING),
        ([S.AVAILABLE, S.UNKNOWN], False, S.UNKNOWN),
        ([S.AVAILABLE, S.RESTORING], False, S.RESTORING),
        ([S.AVAILABLE, S.COPYING], False, S.COPYING),
        ([S.AVAILABLE, S.SUSPENDED], False, S.SUSPENDED),
    ],
)
def test_the_status_of_a_group_follows_from_its_members(
    members: list[SnapshotStatus], missing: bool, status: SnapshotStatus
) -> None:
    """Worst first: what a restore of the whole would meet."""
    assert status == group_status(members, missing=missing)


@given(st.lists(st.sampled_from(SnapshotStatus)), st.booleans())
def test_every_set_of_members_has_a_status(members: list[SnapshotStatus], missing: bool) -> None:
    """A new status must not end a listing."""
    assert isinstance(group_status(members, missing=missing), SnapshotStatus)
