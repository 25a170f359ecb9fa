"""Pages fetched side by side: quicker, and no less right."""

import itertools
import random
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit.ahead import Lanes
from snapkit.client import connect
from snapkit.errors import ArgumentError, ThrottledError
from snapkit.paging import Cursor, Page, Position
from snapkit.walking import Tally, walk

STYLES = ("offset", "number")
WIDTHS = (1, 2, 16)


def at_once(work: Callable[[], None]) -> None:
    """Run what would run on a thread, so that every page is fetched as early as it can be."""
    work()


class Shelf:
    """A counted listing whose answers come from *versions* of its rows, in any order of time."""

    def __init__(self, *versions: list[str], style: str = "offset", seed: int = 0) -> None:
        self.versions, self.style = versions, style
        self.chance = random.Random(seed)
        self.asked: list[tuple[int, int]] = []

    def fetch(self, cursor: Cursor | None, limit: int) -> Page[str]:
        start = cursor.start if isinstance(cursor, Position) else 0
        self.asked.append((start, limit))
        assert len(self.asked) < 20_000, "an endless loop"
        rows = self.chance.choice(self.versions)
        return Page(
            items=rows[start : start + limit],
            start=start,
            aligned=self.style == "number",
            total=len(rows),
        )

    def pages(
        self, width: int, tally: Tally | None = None, limit: int = 100
    ) -> Iterator[list[str]]:
        lanes = Lanes(width, run=at_once)
        return walk(self.fetch, limit=limit, key=str, tally=tally, lanes=lanes)

    def read(self, width: int, tally: Tally | None = None, limit: int = 100) -> list[str]:
        return list(itertools.chain.from_iterable(self.pages(width, tally, limit)))


def numbered(count: int) -> list[str]:
    return [f"s-{number:06d}" for number in range(count)]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250, 1000, 2500, 10_000])
def test_the_rows_their_order_and_the_requests_are_those_of_one_lane(
    style: str, count: int, width: int
) -> None:
    """Being quick costs the provider nothing."""
    alone, together = Shelf(numbered(count), style=style), Shelf(numbered(count), style=style)
    plain = list(itertools.chain.from_iterable(walk(alone.fetch, limit=100, key=str)))

    assert plain == together.read(width) == numbered(count)
    assert sorted(alone.asked) == sorted(together.asked)


@given(
    base=st.integers(0, 120),
    gone=st.lists(st.sets(st.integers(0, 119), max_size=12), min_size=1, max_size=4),
    limit=st.integers(2, 16),
    seed=st.integers(0, 2**16),
    width=st.sampled_from(WIDTHS),
)
@settings(deadline=None)
def test_a_row_in_every_version_arrives_whichever_version_answers_which_page(
    base: int, gone: list[set[int]], limit: int, seed: int, width: int
) -> None:
    """Pages of different ages prove by a shared row that nothing lies between them."""
    rows = numbered(base)
    versions = [[row for at, row in enumerate(rows) if at not in out] for out in gone]
    shelf, tally = Shelf(*versions, seed=seed), Tally()
    found = shelf.read(width, tally, limit)
    throughout = set(rows).intersection(*versions)

    assert len(found) == len(set(found)) == tally.rows
    assert throughout <= set(found) or tally.troubles


def test_rows_before_a_page_that_failed_are_handed_on_first() -> None:
    """The error of a page fetched early waits for its turn."""
    shelf = Shelf(numbered(1000))

    def fetch(cursor: Cursor | None, limit: int) -> Page[str]:
        page = shelf.fetch(cursor, limit)
        if page.start == 396:
            raise ThrottledError("slow down")
        return page

    found: list[str] = []

    def read() -> None:
        for page in walk(fetch, limit=100, key=str, lanes=Lanes(16, run=at_once)):
            found.extend(page)

    with pytest.raises(ThrottledError):
        read()
    assert numbered(397) == found


def test_no_more_requests_than_lanes_are_under_way_and_none_is_made_too_far_ahead() -> None:
    """A provider sees the width that was agreed on, a slow reader costs bounded memory."""
    waiting: list[Callable[[], None]] = []
    shelf = Shelf(numbered(5000))
    lanes = Lanes(4, run=waiting.append)
    pages = walk(shelf.fetch, limit=100, key=str, lanes=lanes)
    next(pages)
    reader = threading.Thread(target=next, args=(pages,))
    reader.start()
    while len(waiting) < 4:
        reader.join(0.001)

    assert 4 == lanes.busy == len(waiting)
    for work in waiting:
        work()
    reader.join()
    assert 0 == lanes.busy
    assert [0, 99, 198, 297, 396] == [start for start, _ in shelf.asked]


def test_where_no_lane_is_free_the_walk_fetches_by_itself() -> None:
    """Listings that share lanes never wait for each other."""
    lanes = Lanes(2, run=at_once)
    shelf = Shelf(numbered(1000))
    with lanes.held(), lanes.held():
        pages = walk(shelf.fetch, limit=100, key=str, lanes=lanes)

        assert numbered(1000) == list(itertools.chain.from_iterable(pages))
    assert 0 == lanes.busy


def test_a_machine_without_a_thread_to_spare_lists_one_page_after_the_other() -> None:
    """A limit of the process is no reason to fail."""

    def none_left(work: Callable[[], None]) -> None:
        del work
        raise RuntimeError("can't start new thread")

    lanes = Lanes(8, run=none_left)
    shelf = Shelf(numbered(1000))

    pages = walk(shelf.fetch, limit=100, key=str, lanes=lanes)
    assert numbered(1000) == list(itertools.chain.from_iterable(pages))
    assert 0 == lanes.busy


def test_a_lying_total_costs_at_most_one_window_of_requests() -> None:
    """A count of 2 to the 62nd is not a reason to ask for as many pages."""
    shelf = Shelf(numbered(1000))

    def fetch(cursor: Cursor | None, limit: int) -> Page[str]:
        page = shelf.fetch(cursor, limit)
        return Page(items=page.items, start=page.start, total=2**62)

    pages = walk(fetch, limit=100, key=str, lanes=Lanes(16, run=at_once))
    assert numbered(1000) == list(itertools.chain.from_iterable(pages))
    assert len(shelf.asked) <= 11 + 16 + 2


@pytest.mark.parametrize("pages_at_once", [0, -1])
def test_less_than_one_page_at_once_is_refused(pages_at_once: int) -> None:
    """A mistake is told before anything is sent."""
    with pytest.raises(ArgumentError, match="pages at once"):
        connect("qingcloud:pek3", pages_at_once=pages_at_once)


@pytest.mark.parametrize(("style", "early"), [("offset", 101), ("number", 100)])
def test_all_pages_but_those_that_must_be_first_are_fetched_ahead(style: str, early: int) -> None:
    """In a plain listing the last page comes before the others, and both ends after them."""
    started: list[Callable[[], None]] = []

    def run(work: Callable[[], None]) -> None:
        started.append(work)
        work()

    shelf = Shelf(numbered(10_000), style=style)
    pages = walk(shelf.fetch, limit=100, key=str, lanes=Lanes(16, run=run))

    assert numbered(10_000) == sorted(itertools.chain.from_iterable(pages))
    assert early == len(started)
    assert early + (2 if style == "number" else 1) == len(shelf.asked)
