"""One account in one region: the same behaviour whoever the provider is."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs
import pytest

import snapkit
from snapkit.client import Client, connect
from snapkit.driver import Capability
from snapkit.errors import (
    CredentialsMissingError,
    DeadlineExceededError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    QueryError,
    SnapkitError,
    ThrottledError,
    TransportError,
    UnsupportedError,
)
from snapkit.listing import Outcome
from snapkit.model import SnapshotStatus, SourceDisk
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.settings import open_driver
from tests.core.moon import KEYS, Sky, bare, group, rising, snapshot, target

S = SnapshotStatus


@pytest.fixture(autouse=True)
def skies(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Sky]]:
    for name in ("MOON_ID", "MOON_KEY", "MOON_REGION", "SNAPKIT_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with rising(monkeypatch) as found:
        yield found


@pytest.fixture
def sky(skies: dict[str, Sky]) -> Sky:
    return skies.setdefault("sea", Sky())


@pytest.fixture
def client(sky: Sky) -> Iterator[Client]:
    with connect(target()) as one:
        yield one


def failing(error: SnapkitError, page: int = 1) -> Callable[[int], None]:
    def before(number: int) -> None:
        if number == page:
            raise error

    return before


def collect(rows: Iterable[Any], found: list[Any]) -> None:
    """Append *rows* one by one, so that those before an error are kept."""
    for row in rows:
        found.append(row)


class TestReport:
    """What a scope gave, and how it ended."""

    def test_everything_arrived(self, sky: Sky, client: Client) -> None:
        """Pages, rows and the provider's count."""
        sky.rows = [snapshot(number) for number in range(250)]
        listing = client.snapshots()
        found = list(listing)
        (report,) = listing.report.scopes

        assert sky.rows == found
        assert (Outcome.OK, 3, 250, 250, 250, False, None, ()) == (
            report.outcome,
            report.pages,
            report.rows,
            report.matched,
            report.total,
            report.moved,
            report.error,
            report.troubles,
        )
        assert listing.report.complete

    def test_empty_is_not_denied(self, sky: Sky, client: Client) -> None:
        """Nothing there, and nothing hidden."""
        listing = client.snapshots()

        assert [] == list(listing)
        assert (Outcome.EMPTY, True) == (listing.report.scopes[0].outcome, listing.report.complete)

    def test_rows_that_do_not_match_were_there(self, sky: Sky, client: Client) -> None:
        """A region of which nothing matches is not an empty one."""
        sky.rows = [snapshot(1)]
        listing = client.snapshots(statuses="failed")

        assert [] == list(listing)
        (report,) = listing.report.scopes
        assert (Outcome.OK, 1, 0) == (report.outcome, report.rows, report.matched)

    @pytest.mark.parametrize(
        ("error", "outcome"),
        [
            (PermissionDeniedError("no"), Outcome.DENIED),
            (ThrottledError("slow"), Outcome.THROTTLED),
            (DeadlineExceededError("late"), Outcome.TIMED_OUT),
            (TransportError("cut"), Outcome.FAILED),
        ],
    )
    def test_an_error_comes_after_the_rows_so_far(
        self, sky: Sky, client: Client, error: SnapkitError, outcome: Outcome
    ) -> None:
        """What arrived is good, and the report says that it is not all."""
        sky.rows = [snapshot(number) for number in range(250)]
        sky.before = failing(error, page=2)
        listing = client.snapshots()
        found: list[Any] = []
        with pytest.raises(type(error)):
            collect(listing, found)
        (report,) = listing.report.scopes

        assert sky.rows[:100] == found
        assert (outcome, error, 100, False) == (
            report.outcome,
            report.error,
            report.rows,
            report.complete,
        )
        assert [] == list(listing)

    def test_rows_that_cannot_be_read_are_told(self, sky: Sky, client: Client) -> None:
        """A listing with a hole is not complete."""
        sky.rows, sky.troubles = [snapshot(1)], ("row 2 has no id",)
        listing = client.snapshots()

        assert 1 == len(list(listing))
        assert ("row 2 has no id",) == listing.report.scopes[0].troubles
        assert not listing.report.complete

    def test_an_unfinished_listing_is_running(self, sky: Sky, client: Client) -> None:
        """Before, in the middle, and when the reader stopped."""
        sky.rows = [snapshot(number) for number in range(250)]
        listing = client.snapshots()
        assert (Outcome.RUNNING, 0) == (listing.report.scopes[0].outcome, len(sky.asked))
        next(iter(listing))
        assert (Outcome.RUNNING, 100) == (
            listing.report.scopes[0].outcome,
            listing.report.scopes[0].rows,
        )
        listing.close()

        assert Outcome.RUNNING is listing.report.scopes[0].outcome
        assert listing.report.scopes[0].seconds == listing.report.scopes[0].seconds
        assert 1 == len(sky.asked)

    def test_time_is_taken_from_the_first_page_to_the_last(self, sky: Sky) -> None:
        """Not from when the listing was made."""
        ticks = iter([100.0, 103.5])
        listing = Client(open_driver(target()), monotonic=lambda: next(ticks)).snapshots()
        list(listing)

        assert 3.5 == listing.report.scopes[0].seconds

    def test_an_adapters_bug_is_raised_as_it_is(self, sky: Sky, client: Client) -> None:
        """It is no outcome of a provider's."""

        def broken(page: int) -> None:
            raise ZeroDivisionError

        sky.before = broken
        with pytest.raises(ZeroDivisionError):
            list(client.snapshots())


class TestSplitting:
    """Long lists of ids in requests that the provider takes."""

    @pytest.mark.parametrize(("count", "requests"), [(1, 1), (99, 1), (100, 2), (101, 3), (250, 5)])
    def test_ids_are_asked_for_in_parts(
        self, sky: Sky, client: Client, count: int, requests: int
    ) -> None:
        """A full page is looked behind, a part of it is not."""
        sky.rows = [snapshot(number) for number in range(300)]
        wanted = [f"s-{number:05d}" for number in range(count)]
        listing = client.snapshots(ids=wanted)

        assert wanted == sorted(one.id for one in listing)
        assert requests == len(sky.asked)
        assert -(-count // 100) == len({one.ids for one in sky.asked})
        assert count == listing.report.rows

    def test_an_adapter_that_ignores_the_filter_gives_no_row_twice(
        self, sky: Sky, client: Client
    ) -> None:
        """It may return more than asked, in each part."""
        sky.rows, sky.careless = [snapshot(number) for number in range(300)], True
        wanted = [f"s-{number:05d}" for number in range(250)]

        assert wanted == sorted(one.id for one in client.snapshots(ids=wanted))

    def test_the_count_of_one_part_is_not_the_count_of_all(self, sky: Sky, client: Client) -> None:
        """Better none than a wrong one."""
        sky.rows = [snapshot(number) for number in range(150)]
        listing = client.snapshots(ids=[row.id for row in sky.rows])
        list(listing)

        assert None is listing.report.scopes[0].total

    @pytest.mark.parametrize(("count", "parts"), [(50, 1), (51, 2), (500, 10)])
    def test_disks_are_asked_for_in_parts(
        self, sky: Sky, client: Client, count: int, parts: int
    ) -> None:
        """While that is cheaper than everything."""
        sky.rows = [snapshot(number) for number in range(600)]
        wanted = [f"d-{number:05d}" for number in range(count)]

        assert wanted == sorted(str(one.source.id) for one in client.snapshots(disk_ids=wanted))
        asked = [one for one in sky.asked if isinstance(one, SnapshotQuery)]
        assert parts == len({one.disk_ids for one in asked})

    def test_very_many_disks_are_found_in_one_listing(self, sky: Sky, client: Client) -> None:
        """The adapter gets them all, and need not push them down."""
        sky.rows = [snapshot(number) for number in range(600)]
        sky.careless = True
        wanted = [f"d-{number:05d}" for number in range(501)]

        assert 501 == len(list(client.snapshots(disk_ids=wanted)))
        assert 1 == len(set(sky.asked))

    @pytest.mark.parametrize("name", ["ids", "disk_ids", "group_ids", "statuses", "roles"])
    def test_a_filter_without_a_value_asks_nothing(
        self, sky: Sky, client: Client, name: str
    ) -> None:
        """None of no ids is none; it must not turn into a filter that is left out."""
        sky.rows = [snapshot(1)]
        nothing: dict[str, Any] = {name: []}
        listing = client.snapshots(**nothing)

        assert ([], []) == (list(listing), sky.asked)
        assert Outcome.EMPTY is listing.report.scopes[0].outcome


class TestOne:
    """A single snapshot or group by its id."""

    def test_it_is_found(self, sky: Sky, client: Client) -> None:
        """By one request."""
        sky.rows = [snapshot(1), snapshot(2)]

        assert sky.rows[1] == client.snapshot("s-00002")
        assert 1 == len(sky.asked)

    @pytest.mark.parametrize("status", [None, S.DELETED])
    def test_what_is_absent_or_deleted_is_not_found(
        self, sky: Sky, client: Client, status: SnapshotStatus | None
    ) -> None:
        """And the error says where it was looked for."""
        sky.rows = [snapshot(1, status=status)] if status else []
        with pytest.raises(NotFoundError, match="no snapshot 's-00001' in moon:sea") as caught:
            client.snapshot("s-00001")

        assert ("moon", "sea") == (caught.value.provider, caught.value.region)

    def test_what_cannot_be_read_is_not_called_absent(self, sky: Sky, client: Client) -> None:
        """A backup tool would make another one."""
        sky.troubles = ("row 1 has no status",)
        with pytest.raises(ProtocolError, match="cannot be read: row 1 has no status"):
            client.snapshot("s-00001")

    @pytest.mark.parametrize("wanted", ["", " "])
    def test_an_empty_id_is_refused_unsent(self, sky: Sky, client: Client, wanted: str) -> None:
        """Providers take it for no filter and return the first of all."""
        for find in (client.snapshot, client.group):
            with pytest.raises(QueryError, match="empty value"):
                find(wanted)

        assert [] == sky.asked

    def test_a_group_is_found_with_its_members(self, sky: Sky, client: Client) -> None:
        """Filled in, as a listing would."""
        sky.rows, sky.groups = [snapshot(1)], [group(1, [bare(1)])]

        assert "normal" == client.group("g-001").members[0].raw_status
        with pytest.raises(NotFoundError, match="no snapshot group 'g-002'"):
            client.group("g-002")


class TestGroups:
    """Snapshots taken together."""

    def test_members_are_filled_in_with_their_group(self, sky: Sky, client: Client) -> None:
        """The provider's group gives only their ids."""
        sky.rows = [snapshot(number) for number in range(4)]
        sky.groups = [group(1, [bare(0), bare(1)]), group(2, [bare(2), bare(3)])]
        found = list(client.groups())

        assert [attrs.evolve(sky.rows[0], group_id="g-001")] == [found[0].members[0]]
        assert [S.AVAILABLE, S.AVAILABLE] == [one.status for one in found]
        assert 2 == len(sky.asked)

    def test_many_members_are_looked_up_in_parts(self, sky: Sky, client: Client) -> None:
        """A hundred in a request."""
        sky.rows = [snapshot(number) for number in range(240)]
        sky.groups = [group(n, [bare(2 * n), bare(2 * n + 1)]) for n in range(120)]
        found = list(client.groups())

        assert 120 == len(found)
        assert all(member.raw_status for one in found for member in one.members)
        assert 3 == len({one.ids for one in sky.asked if isinstance(one, SnapshotQuery)})

    @pytest.mark.parametrize(
        ("rows", "raw_status", "given", "status"),
        [
            ([0], None, S.UNKNOWN, S.DEGRADED),
            ([], None, S.UNKNOWN, S.DEGRADED),
            ([0, 1], None, S.UNKNOWN, S.AVAILABLE),
            ([0, 1], "normal", S.AVAILABLE, S.AVAILABLE),
            ([0], "normal", S.AVAILABLE, S.DEGRADED),
            ([0], "broken", S.FAILED, S.FAILED),
            ([0], "working", S.CREATING, S.CREATING),
        ],
    )
    def test_a_missing_member_degrades_what_looked_whole(
        self,
        sky: Sky,
        client: Client,
        rows: list[int],
        raw_status: str | None,
        given: SnapshotStatus,
        status: SnapshotStatus,
    ) -> None:
        """A restore of the group would miss a disk."""
        sky.rows = [snapshot(number) for number in rows]
        sky.groups = [group(1, [bare(0), bare(1)], raw_status=raw_status, status=given)]
        (found,) = client.groups()

        assert status is found.status
        assert ["s-00000", "s-00001"] == [member.id for member in found.members]

    def test_a_member_without_a_status_of_its_own_is_there(self, sky: Sky, client: Client) -> None:
        """What was found is not missing."""
        sky.rows = [snapshot(0, raw_status=None)]
        sky.groups = [group(1, [bare(0)])]
        (found,) = client.groups()

        assert S.AVAILABLE is found.status

    def test_unfilled_groups_cost_no_lookups(self, sky: Sky, client: Client) -> None:
        """Ids may be all that is wanted."""
        sky.groups = [group(1, [bare(0)])]
        (found,) = client.groups(fill=False)

        assert None is found.members[0].raw_status
        assert [GroupQuery()] == sky.asked

    def test_a_member_that_cannot_be_read_is_a_trouble_of_the_group_listing(
        self, sky: Sky, client: Client
    ) -> None:
        """Its group looks degraded, and this is why."""
        sky.groups = [group(1, [bare(0)])]
        sky.before = lambda page: setattr(sky, "troubles", ("row 1 is odd",) if page == 2 else ())
        listing = client.groups()
        list(listing)

        assert ("row 1 is odd",) == listing.report.scopes[0].troubles

    def test_group_ids_are_asked_for_in_parts(self, sky: Sky, client: Client) -> None:
        """Ten in a request here."""
        sky.groups = [group(number, []) for number in range(40)]
        wanted = [f"g-{number:03d}" for number in range(25)]

        assert wanted == sorted(one.id for one in client.groups(ids=wanted))
        assert 3 == len({one.ids for one in sky.asked})

    def test_snapshots_of_groups_are_found_through_the_groups(
        self, sky: Sky, client: Client
    ) -> None:
        """Providers do not filter by group, and rows do not name theirs."""
        sky.rows = [snapshot(number) for number in range(6)]
        sky.groups = [group(1, [bare(0), bare(1)]), group(2, [bare(2)])]
        found = list(client.snapshots(group_ids=["g-001", "g-404"]))

        assert [("s-00000", "g-001"), ("s-00001", "g-001")] == [
            (one.id, one.group_id) for one in found
        ]
        assert ["s-00001"] == [
            one.id for one in client.snapshots(group_ids="g-001", ids=["s-00001", "s-00005"])
        ]
        assert [] == list(client.snapshots(group_ids="g-404"))

    def test_derived_groups_come_from_all_living_snapshots(self, sky: Sky) -> None:
        """One that is gone cannot be restored with the others."""
        sky.rows = [snapshot(number) for number in range(120)] + [snapshot(999, status=S.DELETED)]
        client = connect("derived:sea", credentials=KEYS)
        (found,) = client.groups()

        assert 120 == len(found.members)

    def test_a_provider_without_groups_says_so_before_sending(self, sky: Sky) -> None:
        """With the other way, where there is one."""
        client = connect("bleak", "sea", credentials=KEYS)
        with pytest.raises(UnsupportedError, match="does not offer groups; take them one by one"):
            client.groups()
        with pytest.raises(UnsupportedError, match="regions"):
            client.regions()

        assert [] == sky.asked
        assert not client.supports(Capability.GROUPS)


@pytest.mark.parametrize("name", ["statues", "group_id", "limit"])
def test_an_unknown_filter_is_refused_at_once(client: Client, sky: Sky, name: str) -> None:
    """Not at the first page, when the caller is elsewhere."""
    wrong: dict[str, Any] = {name: "x"}
    for start in (client.snapshots, client.groups):
        with pytest.raises(QueryError, match=f"no filter '{name}'"):
            start(**wrong)


def test_filters_narrow_a_query(client: Client, sky: Sky) -> None:
    """A stored query can be made a little smaller."""
    sky.rows = [snapshot(1), snapshot(2, status=S.FAILED), snapshot(3, source=SourceDisk(id="x"))]
    query = SnapshotQuery(statuses="available")

    assert ["s-00003"] == [one.id for one in client.snapshots(query, disk_ids="x")]


def test_regions_are_the_providers(client: Client, skies: dict[str, Sky]) -> None:
    """Not only this client's."""
    skies["dust"] = Sky()

    assert ["sea", "dust"] == [region.id for region in client.regions()]


class TestConnect:
    """One way in, from a name, a text or a target."""

    def test_the_three_ways_are_one(self, sky: Sky) -> None:
        """And each can be given more."""
        ways = [
            connect("moon", "sea", account="me", credentials=KEYS),
            connect("moon:me@sea", credentials=KEYS),
            connect(target(account="me")),
            connect(target("dust"), "sea", account="me"),
        ]

        assert {("moon", "me", "sea")} == {(one.provider, one.account, one.region) for one in ways}

    def test_the_region_may_come_from_the_environment(
        self, sky: Sky, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As with the vendor's own tools."""
        monkeypatch.setenv("MOON_REGION", "sea")

        assert "sea" == connect("moon", credentials=KEYS).region

    def test_missing_credentials_are_said_at_once(self, sky: Sky) -> None:
        """Not at the first page."""
        with pytest.raises(CredentialsMissingError, match="MOON_ID"):
            connect("moon:sea")

    def test_closing_closes_the_driver(self, sky: Sky) -> None:
        """Once for each client, and twice is fine."""
        with connect(target()) as client:
            pass
        client.close()

        assert 2 == sky.closed

    def test_it_is_the_public_one(self) -> None:
        """The name in the documentation is this."""
        assert snapkit.connect is connect
