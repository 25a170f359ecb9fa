"""The one loop over pages: every row once, whatever the server does meanwhile."""

import itertools
import math
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit import walking
from snapkit.errors import PagingError
from snapkit.paging import (
    Cursor,
    OffsetPaging,
    Page,
    PageNumberPaging,
    Position,
    Token,
    TokenPaging,
)
from snapkit.walking import Tally, cover, onward, walk

STYLES = ("token", "offset", "number")
Total = Callable[[int], int | None]


def honest(total: int) -> int | None:
    return total


LIES: dict[str, Total] = {
    "none": lambda total: None,
    "zero": lambda total: 0,
    "one": lambda total: 1,
    "half": lambda total: total // 2,
    "one less": lambda total: max(0, total - 1),
    "one more": lambda total: total + 1,
    "double": lambda total: total * 2,
    "half a page more": lambda total: total + 50,
    "absurd": lambda total: 2**62,
    "a round number": lambda total: 1000,
}


@attrs.define(kw_only=True)
class Shelf:
    """A server with rows, asked in one of three styles."""

    rows: list[str]
    style: str = "offset"
    cap: int | None = None
    """The most it sends, whatever is asked for."""
    fixed: int | None = None
    """What it sends, whatever is asked for."""
    total: Total = honest
    between: Callable[["Shelf"], None] = lambda shelf: None
    """What happens after each answer."""
    requests: int = 0

    def fetch(self, cursor: Cursor | None, limit: int) -> Page[str]:
        self.requests += 1
        assert self.requests < 20_000, "an endless loop"
        start = self.place(cursor, limit)
        size = self.fixed or min(limit, self.cap or limit)
        if self.style == "number" and (size != limit):
            start = start // limit * size
        items = self.rows[start : start + size]
        page = self.page(items, start, size, cursor)
        self.between(self)
        return page

    def place(self, cursor: Cursor | None, limit: int) -> int:
        if isinstance(cursor, Token):
            later = [index for index, row in enumerate(self.rows) if row > cursor.value]
            return later[0] if later else len(self.rows)
        start = cursor.start if cursor else 0
        if self.style == "number":
            assert start % limit == 0, "a page can only start at a multiple of its size"
        return start

    def page(self, items: list[str], start: int, size: int, cursor: Cursor | None) -> Page[str]:
        total = self.total(len(self.rows))
        if self.style == "token":
            more = start + size < len(self.rows)
            return Page(items=items, next=Token(items[-1]) if more else None, total=total)
        asked = cursor.start if isinstance(cursor, Position) else 0
        return Page(items=items, start=asked, aligned=self.style == "number", total=total)

    def read(self, limit: int = 100, tally: Tally | None = None) -> list[str]:
        pages = walk(self.fetch, limit=limit, key=str, tally=tally)
        return list(itertools.chain.from_iterable(pages))


def collect(pages: Iterable[list[str]], found: list[str]) -> None:
    """Add *pages* to *found* one by one, so that those before an error are kept."""
    for page in pages:
        found += page


def numbered(count: int) -> list[str]:
    return [f"s-{number:06d}" for number in range(count)]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 2, 99, 100, 101, 199, 200, 201, 250, 1000, 2500, 10_000])
def test_every_row_arrives_once_and_in_order(style: str, count: int) -> None:
    """The borders of pages are where rows are lost."""
    shelf = Shelf(rows=numbered(count), style=style)
    tally = Tally()

    assert numbered(count) == shelf.read(tally=tally)
    assert (count, count, False, []) == (tally.rows, tally.total, tally.moved, tally.troubles)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [1000, 2500, 10_000])
def test_a_long_listing_costs_at_most_a_tenth_more_than_its_pages(style: str, count: int) -> None:
    """Looking again is the price of being right; it has a ceiling."""
    shelf = Shelf(rows=numbered(count), style=style)
    shelf.read()
    pages = math.ceil(count / 100)

    assert pages <= shelf.requests <= pages * 1.1 + (1 if count == 1000 else 0)


@pytest.mark.parametrize(
    ("count", "token", "offset", "number"),
    [(0, 1, 1, 1), (1, 1, 1, 1), (99, 1, 1, 1), (100, 1, 2, 2), (101, 2, 2, 2), (250, 3, 3, 3)],
)
def test_a_short_listing_costs_at_most_one_request_more(
    count: int, token: int, offset: int, number: int
) -> None:
    """A full first page needs a second look, because totals lie."""
    found: list[int] = []
    for style in STYLES:
        shelf = Shelf(rows=numbered(count), style=style)
        shelf.read()
        found.append(shelf.requests)

    assert [token, offset, number] == found


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200, 250, 1000, 1050, 2500])
@pytest.mark.faults(59)
def test_a_lying_total_neither_hides_rows_nor_invents_them(
    style: str, count: int, lie: Total
) -> None:
    """The total is advice; what arrives is the truth."""
    shelf = Shelf(rows=numbered(count), style=style, total=lie)

    assert numbered(count) == sorted(shelf.read())


@pytest.mark.parametrize("style", ["offset", "number"])
@pytest.mark.faults(59)
def test_a_total_that_never_came_true_is_a_trouble(style: str) -> None:
    """A short list is never silent: the provider itself says that there is more."""
    tally = Tally()
    Shelf(rows=numbered(250), style=style, total=lambda total: 260).read(tally=tally)

    assert ["the provider counts 260 rows, but only 250 different ones came"] == tally.troubles


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 6, 7, 10, 50])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 6, 12, 60, 61, 120])
def test_small_pages_lose_nothing(style: str, limit: int, count: int) -> None:
    """Pages of two rows that start at multiples of two cannot overlap; they must go on."""
    shelf = Shelf(rows=numbered(count), style=style)

    assert numbered(count) == sorted(shelf.read(limit))


@pytest.mark.parametrize("cap", [1, 2, 3, 10, 50, 99])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 10, 50, 99, 100, 250])
@pytest.mark.faults(60)
def test_a_server_that_sends_less_than_asked_is_read_to_the_end(
    style: str, cap: int, count: int
) -> None:
    """The walk advances by what arrived, never by what was asked."""
    shelf = Shelf(rows=numbered(count), style=style, cap=cap)

    assert numbered(count) == sorted(shelf.read())


@pytest.mark.parametrize("total", [honest, LIES["none"]], ids=["honest", "none"])
@pytest.mark.parametrize("fixed", [1, 10, 50, 200])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", [0, 1, 10, 50, 55, 200, 250, 401])
@pytest.mark.faults(60)
def test_a_server_that_ignores_the_page_size_is_read_to_the_end(
    style: str, fixed: int, count: int, total: Total
) -> None:
    """A parameter that a server does not know leaves it at a size of its own."""
    shelf = Shelf(rows=numbered(count), style=style, fixed=fixed, total=total)

    assert numbered(count) == sorted(shelf.read())


@pytest.mark.parametrize("total", [10_000, 250, 1000, None])
@pytest.mark.parametrize("aligned", [True, False], ids=["number", "offset"])
@pytest.mark.faults(61)
def test_the_same_page_for_every_position_is_refused(total: int | None, aligned: bool) -> None:
    """Otherwise a hundred rows would pass for ten thousand."""
    items = numbered(100)
    calls = 0

    def fetch(cursor: Cursor | None, limit: int) -> Page[str]:
        nonlocal calls
        calls += 1
        assert calls < 500
        start = cursor.start if isinstance(cursor, Position) else 0
        return Page(items=items[:limit], start=start, aligned=aligned, total=total)

    found: list[str] = []
    with pytest.raises(PagingError, match=r"same page for every position|without a new row"):
        collect(walk(fetch, limit=100, key=str), found)

    assert items == found


def scripted(*pages: Page[str]) -> Callable[[Cursor | None, int], Page[str]]:
    script = iter(pages)
    return lambda cursor, limit: next(script)


@pytest.mark.parametrize("tokens", ["AA", "ABA", "ABCB"])
@pytest.mark.faults(53)
def test_a_repeated_token_ends_after_the_rows_so_far(tokens: str) -> None:
    """What arrived is good; going round in a circle is not."""
    fetch = scripted(*(Page(items=[f"s-{i}"], next=Token(t)) for i, t in enumerate(tokens)))
    found: list[str] = []
    with pytest.raises(PagingError, match="same page token twice") as caught:
        collect(walk(fetch, limit=1, key=str), found)

    assert [f"s-{i}" for i in range(len(tokens))] == found
    assert f"after {len(tokens)} rows" in str(caught.value)


@pytest.mark.faults(54)
def test_an_empty_page_does_not_end_a_token_listing() -> None:
    """Filters on the server leave pages empty while the token goes on."""
    empty = [Page[str](items=[], next=Token(f"t{i}")) for i in range(50)]
    fetch = scripted(*empty, Page(items=["s-1"], next=None))

    assert ["s-1"] == list(itertools.chain(*walk(fetch, limit=10, key=str)))


@pytest.mark.parametrize("rows", [[], ["s-1"]], ids=["empty pages", "the same page"])
@pytest.mark.faults(54)
def test_new_tokens_for_ever_without_a_new_row_are_refused(rows: list[str]) -> None:
    """A server that makes up a token for each answer would be read for ever."""
    numbers = itertools.count()

    def fetch(cursor: Cursor | None, limit: int) -> Page[str]:
        number = next(numbers)
        assert number < 1000
        return Page(items=rows, next=Token(str(number)))

    with pytest.raises(PagingError, match="in a row without a new row"):
        list(walk(fetch, limit=10, key=str))


@pytest.mark.faults(56)
def test_duplicates_within_and_across_pages_arrive_once() -> None:
    """Providers send a row twice when it changes between two pages."""
    fetch = scripted(
        Page(items=["a", "b", "a"], next=Token("1")), Page(items=["b", "c"], next=None)
    )

    assert [["a", "b"], ["c"]] == list(walk(fetch, limit=3, key=str))


def test_rows_left_out_of_items_still_count_as_arrived() -> None:
    """A row that cannot be read must not look like the end of the listing."""
    rows = numbered(250)

    def fetch(cursor: Cursor | None, limit: int) -> Page[str]:
        start = cursor.start if isinstance(cursor, Position) else 0
        ids = rows[start : start + limit]
        readable = [row for row in ids if not row.endswith("7")]
        return Page(items=readable, ids=ids, start=start, total=len(rows))

    tally = Tally()
    found = list(itertools.chain(*walk(fetch, limit=100, key=str, tally=tally)))

    assert [row for row in rows if not row.endswith("7")] == found
    assert 250 == tally.rows


def test_the_tally_counts_pages_totals_and_troubles() -> None:
    """The report of a listing is read from it at any time."""
    tally = Tally()
    fetch = scripted(
        Page(items=["a"], next=Token("1"), total=3, troubles=["row 2 has no id"]),
        Page(items=["b", "c"], next=None, total=3),
    )
    pages = walk(fetch, limit=2, key=str, tally=tally)
    next(pages)

    assert (1, 1, 3, ["row 2 has no id"]) == (tally.pages, tally.rows, tally.total, tally.troubles)
    list(pages)
    assert (2, 3, 3) == (tally.pages, tally.rows, tally.total)


def test_nothing_is_fetched_before_it_is_asked_for() -> None:
    """A listing that nobody reads costs nothing."""
    shelf = Shelf(rows=numbered(250))
    pages = walk(shelf.fetch, limit=100, key=str)

    assert 0 == shelf.requests
    next(pages)
    assert 1 == shelf.requests


@attrs.define
class Weather:
    """Rows deleted and created between two requests."""

    chance: random.Random
    deletions: int
    creations: int
    front: bool
    """Whether new rows come first."""
    until: int
    """Requests after which it is calm: a list that never rests cannot be read."""
    alive: set[str] = attrs.field(factory=set[str])
    made: int = 0

    def blow(self, shelf: Shelf) -> None:
        if shelf.requests > self.until:
            return
        for _ in range(self.chance.randint(0, self.deletions)):
            if shelf.rows:
                self.alive.discard(shelf.rows.pop(self.chance.randrange(len(shelf.rows))))
        for _ in range(self.chance.randint(0, self.creations)):
            self.made += 1
            row = f"a-{10**6 - self.made:07d}" if self.front else f"t-{self.made:07d}"
            shelf.rows.insert(0 if self.front else len(shelf.rows), row)


def stormy(
    style: str,
    count: int,
    seed: int,
    limit: int,
    strength: Sequence[int],
    front: bool,
    total: Total,
) -> tuple[set[str], list[str]]:
    weather = Weather(random.Random(seed), strength[0], strength[1], front, 300)
    shelf = Shelf(rows=numbered(count), style=style, between=weather.blow, total=total)
    weather.alive = set(shelf.rows)
    return weather.alive, shelf.read(limit)


@settings(max_examples=300, deadline=None)
@given(
    style=st.sampled_from(STYLES),
    count=st.integers(0, 700),
    seed=st.integers(0, 2**32),
    limit=st.sampled_from([10, 16, 25, 50, 100]),
    strength=st.tuples(st.integers(0, 8), st.integers(0, 4)),
    front=st.booleans(),
    total=st.sampled_from([honest, LIES["none"]]),
)
@pytest.mark.faults(57, 58)
def test_no_row_that_lived_throughout_is_missing_and_none_comes_twice(
    style: str,
    count: int,
    seed: int,
    limit: int,
    strength: tuple[int, int],
    front: bool,
    total: Total,
) -> None:
    """A plain loop over offsets loses a living row for each deleted one."""
    if style == "number" and total is not honest:
        # A short first page without a count looks like a server that chose its own page size,
        # and a list of one row that gains two with each request outruns every reader.
        count = max(count, limit)
    alive, found = stormy(style, count, seed, limit, strength, front, total)

    assert set() == alive - set(found)
    assert len(set(found)) == len(found)


def test_deletions_are_noticed() -> None:
    """The report says that rows moved, because the counts will not add up."""
    weather = Weather(random.Random(1), 5, 0, front=True, until=50)
    tally = Tally()
    Shelf(rows=numbered(1000), between=weather.blow).read(tally=tally)

    assert tally.moved


def test_a_plain_loop_would_have_lost_rows() -> None:
    """The test of the storm is worth something only if a storm does harm."""
    weather = Weather(random.Random(1), 5, 0, front=True, until=10**6)
    shelf = Shelf(rows=numbered(2000), between=weather.blow)
    weather.alive = set(shelf.rows)
    found: set[str] = set()
    for start in range(0, 2000, 100):
        found.update(shelf.fetch(Position(start), 100).items)

    assert weather.alive - found


@pytest.mark.faults(62)
def test_most_rows_deleted_under_the_walk_leave_the_rest_complete() -> None:
    """A clean-up job runs while the list is read."""

    def purge(shelf: Shelf) -> None:
        if shelf.requests == 5:
            del shelf.rows[:300]

    shelf = Shelf(rows=numbered(1000), between=purge)

    assert set() == set(numbered(1000)[300:]) - set(shelf.read())


def test_an_order_that_changes_each_time_is_refused_or_complete() -> None:
    """Without an order there is no next page; the walk must end all the same."""
    chance = random.Random(3)
    shelf = Shelf(rows=numbered(500), between=lambda shelf: chance.shuffle(shelf.rows))
    found: list[str] = []
    with suppress(PagingError):
        collect(walk(shelf.fetch, limit=50, key=str), found)

    assert len(set(found)) == len(found)
    assert shelf.requests < 2000


@given(st.integers(0, 10**6), st.integers(1, 200), st.booleans())
def test_cover_gives_a_page_that_has_the_row(wanted: int, limit: int, aligned: bool) -> None:
    """What was asked for must be in it, and the server must be able to serve it."""
    start, size = cover(wanted, limit, aligned=aligned)

    assert start <= wanted < start + size
    assert 1 <= size <= limit
    if aligned:
        assert 0 == start % size
    else:
        assert (wanted, limit) == (start, size)


@given(st.integers(1, 10**6), st.integers(1, 200), st.integers(0, 100), st.booleans())
def test_going_on_always_reaches_beyond_what_is_known(
    end: int, limit: int, overlap: int, aligned: bool
) -> None:
    """A page that cannot bring a new row would look like the end of the listing."""
    start, size = onward(end, min(overlap, end), limit, aligned=aligned)

    assert start <= end < start + size
    assert 1 <= size <= limit
    assert not aligned or 0 == start % size or start == end


@pytest.mark.parametrize("total", [None, 0, 1, 100, 2500, 2**63])
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_planning_a_walk_ends_however_absurd_the_total(total: int | None, limit: int) -> None:
    """A server must not be able to keep a processor busy with one number."""
    assert isinstance(walking.cheaper_plain(total, limit), bool)


class TestRequests:
    """What the styles ask for, and what they read."""

    token = TokenPaging(token="NextToken", size="MaxResults", smallest=10)
    number = PageNumberPaging(number="PageNumber", size="PageSize", total="TotalCount")
    offset = OffsetPaging(offset="Offset", size="Limit", total="TotalCount")

    def test_a_token_listing_is_asked_with_the_token_and_no_less_than_the_smallest(self) -> None:
        """Some servers refuse small pages."""
        assert {"MaxResults": 10} == self.token.request(None, 3)
        assert {"MaxResults": 50, "NextToken": "t"} == self.token.request(Token("t"), 50)

    @pytest.mark.parametrize("value", [None, "", " ", [], {}, True])
    def test_a_token_that_is_none_ends_the_listing(self, value: Any) -> None:
        """Servers write the end in many ways."""
        assert None is self.token.following({"NextToken": value})
        assert None is self.token.following({})

    def test_a_token_is_kept_as_it_is(self) -> None:
        """It is the provider's own word."""
        assert Token("AAA=") == self.token.following({"NextToken": "AAA="})

    def test_page_numbers_count_from_one(self) -> None:
        """Position 200 with pages of 100 is page 3."""
        assert {"PageNumber": 1, "PageSize": 100} == self.number.request(None, 100)
        assert {"PageNumber": 3, "PageSize": 100} == self.number.request(Position(200), 100)

    def test_offsets_count_rows(self) -> None:
        """An offset is where the page starts."""
        assert {"Offset": 0, "Limit": 100} == self.offset.request(None, 100)
        assert {"Offset": 99, "Limit": 100} == self.offset.request(Position(99), 100)

    @pytest.mark.parametrize(
        ("said", "total"), [(7, 7), ("7", 7), (None, None), (-1, None), ("x", None), (7.5, None)]
    )
    def test_a_total_that_makes_no_sense_is_none(self, said: Any, total: int | None) -> None:
        """The walk must then end by what arrives."""
        assert {"start": 5, "total": total} == self.offset.counted(
            {"TotalCount": said}, Position(5)
        )
        assert {"start": 0, "total": total, "aligned": True} == self.number.counted(
            {"TotalCount": said}, None
        )
