"""Clauses about pages: everything arrives, once, in as few requests as there need be."""

from collections.abc import Sequence

import pytest

from snapkit.driver import Driver
from snapkit.listing import Outcome
from snapkit.model import Snapshot
from snapkit.paging import Cursor, Page, Position
from snapkit.query import SnapshotQuery
from snapkit.testing.harness import Harness, Seed, many

__all__ = ["ListingClauses"]


def page_at(driver: Driver, cursor: Cursor | None, limit: int) -> Page[Snapshot]:
    """Return the page at *cursor* of everything."""
    return driver.list_snapshots(SnapshotQuery(), cursor=cursor, limit=limit)


def ids_of(page: Page[Snapshot]) -> Sequence[str]:
    """Return the ids of all rows of *page*."""
    return [item.id for item in page.items] if page.ids is None else page.ids


class ListingClauses:
    """C01 to C09."""

    def test_c01_an_empty_account_lists_nothing(self, harness: Harness) -> None:
        """C01. The first answer of every new account has no rows, and that is no error."""
        listing = harness.client().snapshots()

        assert [] == list(listing)
        assert Outcome.EMPTY is listing.report.scopes[0].outcome

    def test_c02_every_page_boundary_lists_everything_once(self, harness: Harness) -> None:
        """C02. Listings lose or repeat rows where one page ends and the next begins."""
        client, driver = harness.client(), harness.open()
        size = driver.limits.page
        there: list[str] = []
        for count in (size * pages + more for pages in (1, 2, 3) for more in (-1, 0, 1)):
            there += harness.add(*many(count - len(there), start=len(there)))
            found = [snapshot.id for snapshot in client.snapshots()]

            assert (count, sorted(there)) == (len(found), sorted(found))

    def test_c03_a_page_is_never_larger_than_asked(self, harness: Harness) -> None:
        """C03. The walk tells the last page by its size, and callers' memory relies on it."""
        harness.add(*many(harness.smallest_page * 2 + 1))
        page = page_at(harness.open(), None, harness.smallest_page)

        assert harness.smallest_page == len(ids_of(page))

    def test_c04_tokens_lead_through_the_whole_listing_and_never_repeat(
        self, harness: Harness
    ) -> None:
        """C04. A repeated token is a listing without an end."""
        driver, limit = harness.open(), harness.smallest_page
        wanted = harness.add(*many(limit * 3 + 1))
        page = page_at(driver, None, limit)
        if page.start is not None:
            pytest.skip("a counted listing")
        found, cursors = [*ids_of(page)], list[Cursor]()
        while page.next is not None:
            assert page.next not in cursors
            cursors.append(page.next)
            page = page_at(driver, page.next, limit)
            found += ids_of(page)

        assert sorted(wanted) == sorted(found)

    def test_c05_a_counted_page_starts_where_it_was_asked(self, harness: Harness) -> None:
        """C05. The walk steps by what arrived, so a page at another place hides rows."""
        driver, limit = harness.open(), harness.smallest_page
        count = limit * 3 + 1
        harness.add(*many(count))
        first = page_at(driver, None, limit)
        if first.start is None:
            pytest.skip("a token listing")
        assert (0, None) == (first.start, first.next)
        pages = [page_at(driver, Position(start), limit) for start in range(0, count, limit)]
        found = [row for page in pages for row in ids_of(page)]

        assert list(range(0, count, limit)) == [page.start for page in pages]
        assert (count, count) == (len(found), len(set(found)))
        assert {None, count} >= {page.total for page in pages}

    def test_c06_rows_that_come_and_go_hide_and_repeat_no_other(self, harness: Harness) -> None:
        """C06. Each row deleted in front of a plain offset loop hides a living one from it."""
        client = harness.client()
        size = harness.open().limits.page
        there = set(harness.add(*many(size * 3 + size // 2)))
        found: list[str] = []
        for number, page in enumerate(client.snapshots().pages()):
            found += [snapshot.id for snapshot in page]
            if number < 3 and page:
                gone = [snapshot.id for snapshot in page][:5]
                harness.remove(*gone)
                there -= set(gone)
                harness.add(*many(2, start=size * 10 + number * 2))

        assert set() == there - set(found)
        assert len(set(found)) == len(found)

    def test_c07_pages_are_as_large_as_they_may_be(self, harness: Harness) -> None:
        """C07. Pages of a default size of 10 cost ten times the requests and the time."""
        size = harness.open().limits.page
        harness.add(*many(size * 20))
        client, before = harness.client(), harness.requests

        assert size * 20 == sum(1 for _ in client.snapshots())
        assert harness.requests - before <= 22

    def test_c08_two_listings_at_once_do_not_disturb_each_other(self, harness: Harness) -> None:
        """C08. A client is shared between threads, so a driver keeps nothing between calls."""
        driver, limit = harness.open(), harness.smallest_page
        harness.add(*many(limit * 3))

        def step(page: Page[Snapshot] | None) -> Page[Snapshot]:
            if page is None:
                return page_at(driver, None, limit)
            start = page.start
            return page_at(driver, page.next if start is None else Position(start + limit), limit)

        def walk(count: int) -> list[list[Sequence[str]]]:
            pages: list[Page[Snapshot] | None] = [None] * count
            found: list[list[Sequence[str]]] = [[] for _ in pages]
            for _ in range(3):
                for number, page in enumerate(pages):
                    pages[number] = following = step(page)
                    found[number].append(ids_of(following))
            return found

        (alone,) = walk(1)

        assert [alone, alone] == walk(2)

    def test_c09_an_unreadable_row_is_named_and_hides_no_other(self, harness: Harness) -> None:
        """C09. One odd row must neither end the listing nor vanish from it in silence."""
        if harness.spoilt is None:
            pytest.skip("no row is known to be unreadable")
        wanted = harness.add(*many(3))
        harness.add(Seed(row=harness.spoilt))
        listing = harness.client().snapshots()

        assert sorted(wanted) == sorted(snapshot.id for snapshot in listing)
        assert not listing.report.complete
        assert listing.report.scopes[0].troubles
