"""The loop over pages where a server is at its worst, and what the report says then."""

import itertools
import math
from collections.abc import Callable, Iterator

import pytest

from snapkit.ahead import Lanes
from snapkit.errors import InvalidRequestError, PagingError, ProtocolError, Retry
from snapkit.paging import Cursor, Page, Position, Token, TokenPaging
from snapkit.walking import Tally, cheaper_plain, onward, walk

Fetch = Callable[[Cursor | None, int], Page[str]]


def numbered(count: int) -> list[str]:
    return [f"s-{number:04d}" for number in range(count)]


def read(fetch: Fetch, limit: int, tally: Tally | None = None) -> list[str]:
    return list(itertools.chain.from_iterable(walk(fetch, limit=limit, key=str, tally=tally)))


class Tokens:
    """A token listing of one row a page that refuses a token as often as it is told to."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.asked: list[Cursor | None] = []

    def fetch(self, cursor: Cursor | None, limit: int) -> Page[str]:
        self.asked.append(cursor)
        assert len(self.asked) < 100
        if cursor == Token("2") and self.refusals:
            self.refusals -= 1
            raise InvalidRequestError("the token is too old")
        number = int(cursor.value) if isinstance(cursor, Token) else 0
        return Page(items=[f"s-{number}"], next=Token(str(number + 1)) if number < 4 else None)


def test_a_token_that_grew_old_is_mended_by_one_new_start() -> None:
    """Rows may be taken slowly, and nobody should have to list again by hand."""
    server = Tokens(refusals=1)

    assert [f"s-{number}" for number in range(5)] == read(server.fetch, 1)
    first, anew = [None, Token("1"), Token("2")], [None, *(Token(str(n)) for n in range(1, 5))]
    assert [*first, *anew] == server.asked


def test_a_token_that_is_refused_again_is_an_error() -> None:
    """What does not help once will not help for ever."""
    server, found = Tokens(refusals=9), list[str]()
    pages = walk(server.fetch, limit=1, key=str)
    with pytest.raises(InvalidRequestError, match="too old"):
        found.extend(itertools.chain.from_iterable(pages))

    assert 6 == len(server.asked)


def test_a_page_of_more_rows_than_any_provider_sends_is_no_answer() -> None:
    """And the sentence says how many, and where to look."""
    with pytest.raises(ProtocolError) as caught:
        read(lambda cursor, limit: Page(items=numbered(5001)), 100)

    said = "the provider sent 5001 rows in one page, more than 5000"
    assert (said, "check the endpoint") == (caught.value.message, caught.value.hint)
    assert Retry.NEVER is caught.value.retry
    assert 5000 == len(read(lambda cursor, limit: Page(items=numbered(5000)), 100))


def test_a_server_with_pages_of_its_own_that_stands_still_is_left_after_eleven_repeats() -> None:
    """Ten rows must not pass for ten thousand, nor cost ten thousand requests."""
    calls = 0

    def fetch(cursor: Cursor | None, limit: int) -> Page[str]:
        nonlocal calls
        calls += 1
        assert calls < 100
        start = cursor.start if isinstance(cursor, Position) else 0
        return Page(items=numbered(10), start=start, aligned=True, total=10_000)

    with pytest.raises(PagingError, match="same page for every position, after 10 rows"):
        read(fetch, 100)
    assert 12 == calls


def steps(*walks: list[list[str]], total: int) -> Fetch:
    """Answer with pages of two rows, whatever the size asked for, walk after walk."""
    script: Iterator[list[str]] = itertools.chain.from_iterable(walks)

    def fetch(cursor: Cursor | None, limit: int) -> Page[str]:
        start = cursor.start if isinstance(cursor, Position) else 0
        return Page(items=next(script), start=start, aligned=True, total=total)

    return fetch


def test_rows_that_moved_under_a_server_with_pages_of_its_own_are_told() -> None:
    """Its pages cannot overlap, so two walks that differ are all there is to see."""
    tally = Tally()
    fetch = steps([["a", "b"], ["c", "d"], []], [["a", "b"], ["c", "e"], []], total=7)

    assert list("abcde") == read(fetch, 10, tally)
    assert tally.moved
    assert ["rows moved while they were listed; some may be missing"] == tally.troubles


def test_a_count_that_two_equal_walks_do_not_reach_is_told_as_that() -> None:
    """Nothing moved; the count is wrong or rows are hidden."""
    tally = Tally()
    once = [["a", "b"], ["c", "d"], []]

    assert list("abcd") == read(steps(once, once, total=7), 10, tally)
    assert not tally.moved
    assert ["the provider counts 7 rows, but only 4 different ones came"] == tally.troubles


class Shelf:
    """Rows by page number; *change* happens after a request of that number."""

    def __init__(self, count: int, change: int = 0) -> None:
        self.rows, self.change = numbered(count), change
        self.asked: list[tuple[int, int]] = []

    def fetch(self, cursor: Cursor | None, limit: int) -> Page[str]:
        start = cursor.start if isinstance(cursor, Position) else 0
        self.asked.append((start, limit))
        items, total = self.rows[start : start + limit], len(self.rows)
        if len(self.asked) == self.change:
            self.rows = [*self.rows[1:], "t-new"]
        return Page(items=items, start=start, aligned=True, total=total)


@pytest.mark.parametrize("change", range(1, 13))
def test_a_row_for_a_row_is_noticed_whenever_it_happens(change: int) -> None:
    """The total stays the same; the first page and the last one do not."""
    shelf, tally = Shelf(100, change), Tally()
    found = read(shelf.fetch, 10, tally)

    assert set(numbered(100)[1:]) <= set(found)
    assert (change < 12) is tally.moved


@pytest.mark.parametrize("width", [1, 2, 16])
def test_small_numbered_pages_cost_the_same_with_any_number_of_lanes(width: int) -> None:
    """A page that was looked at is not asked for again."""
    alone, together = Shelf(100), Shelf(100)
    read(alone.fetch, 10)
    lanes = Lanes(width, run=lambda work: work())
    pages = walk(together.fetch, limit=10, key=str, lanes=lanes)

    assert numbered(100) == list(itertools.chain.from_iterable(pages))
    assert sorted(alone.asked) == sorted(together.asked)
    assert 12 == len(alone.asked)


@pytest.mark.parametrize("rows", [[], ["s-1"]], ids=["none", "always the same"])
def test_a_hundred_pages_without_a_new_row_are_read_and_no_more(rows: list[str]) -> None:
    """Filters on the server leave pages empty; a hundred and one of them are a loop."""
    asked: list[Cursor | None] = []

    def fetch(cursor: Cursor | None, limit: int) -> Page[str]:
        asked.append(cursor)
        return Page(items=rows, next=Token(str(len(asked))))

    with pytest.raises(PagingError, match="sent 101 pages in a row without a new row"):
        read(fetch, 10)
    assert 101 + len(rows) == len(asked)


@pytest.mark.parametrize("total", [10_000, None])
def test_a_server_that_stands_still_is_left_after_eleven_repeats(total: int | None) -> None:
    """The first page, the second that is like it, and eleven more that are."""
    calls = 0

    def fetch(cursor: Cursor | None, limit: int) -> Page[str]:
        nonlocal calls
        calls += 1
        assert calls < 100
        start = cursor.start if isinstance(cursor, Position) else 0
        return Page(items=numbered(10), start=start, total=total)

    with pytest.raises(PagingError, match="same page for every position, after 10 rows"):
        read(fetch, 10)
    assert 12 == calls


@pytest.mark.parametrize("limit", range(3, 26))
def test_plain_pages_are_taken_where_they_cost_less(limit: int) -> None:
    """Counted out: as many as hold the rows and two looks at the ends, or pages that overlap."""
    for total in range(limit + 1, 40 * limit):
        end, overlapping = limit, 1
        while end < total and overlapping < 100:
            start, size = onward(end, 1, limit, aligned=True)
            end, overlapping = start + size, overlapping + 1
        plain = math.ceil(total / limit) + 2

        assert (plain < overlapping) is cheaper_plain(total, limit), total
    assert not cheaper_plain(limit, limit)
    assert not cheaper_plain(None, limit)


def test_a_page_starts_anywhere_and_may_be_small_unless_an_adapter_says_otherwise() -> None:
    """What most providers do is what needs no word."""
    assert not Page(items=[]).aligned
    assert {"n": 1} == TokenPaging(token="t", size="n").request(None, 1)
