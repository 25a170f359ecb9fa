"""Two ways to walk a long list, three ways to ask for it, and one loop over all of them.

A *token* listing hands out the address of the next page. A *counted* listing (page number
or offset) is asked for by position, and positions move while rows are deleted: a plain loop
then skips one living row for each deleted one. Here every counted page starts inside the one
before, and its first row must have been seen: where it was not, rows have moved, and the
walk steps back until it meets a row that it knows.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from snapkit.errors import PagingError
from snapkit.vocabulary import integer, text

__all__ = [
    "Cursor",
    "OffsetPaging",
    "Page",
    "PageNumberPaging",
    "Position",
    "Tally",
    "Token",
    "TokenPaging",
    "cover",
    "walk",
]

T = TypeVar("T")
EMPTY_PAGES = 100
"""So many pages without a row in a row, and a token listing is taken for endless."""
STEPS_BACK = 200
"""So many steps back in one listing, and its order is taken for random."""


@attrs.frozen
class Token:
    """The provider's own address of the next page."""

    value: str


@attrs.frozen
class Position:
    """The place of a row in a counted listing, from 0."""

    start: int


Cursor: TypeAlias = Token | Position


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One answer.

    ``items`` are the rows that were understood; ``ids`` name every row that arrived, in
    order, those left out of ``items`` included (None: the same as the items). ``next`` is
    where to go on, None at the end of a token listing. A counted page says where it
    ``start``-s and leaves ``next`` to the walk; ``aligned`` means that a page can only start
    at a multiple of its size. ``total`` is the provider's count, None when it has none or a
    meaningless one. ``troubles`` are sentences about rows that could not be read.
    """

    items: Sequence[T]
    ids: Sequence[str] | None = None
    next: Cursor | None = None
    start: int | None = None
    aligned: bool = False
    total: int | None = None
    troubles: Sequence[str] = ()


@attrs.frozen(kw_only=True)
class TokenPaging:
    """Request and answer fields of a token listing."""

    token: str
    size: str
    smallest: int = 1

    def request(self, cursor: Cursor | None, limit: int) -> dict[str, Any]:
        """Return the parameters that ask for the page at *cursor*."""
        asked: dict[str, Any] = {self.size: max(limit, self.smallest)}
        return asked | ({self.token: cursor.value} if isinstance(cursor, Token) else {})

    def following(self, reply: Mapping[str, Any]) -> Cursor | None:
        """Return where *reply* says that the listing goes on."""
        token = text(reply.get(self.token))
        return Token(token) if token else None


@attrs.frozen(kw_only=True)
class PageNumberPaging:
    """Request and answer fields of a page-number listing; pages count from 1."""

    number: str
    size: str
    total: str

    def request(self, cursor: Cursor | None, limit: int) -> dict[str, Any]:
        """Return the parameters that ask for the page at *cursor*, a multiple of *limit*."""
        return {self.number: _start(cursor) // limit + 1, self.size: limit}

    def counted(self, reply: Mapping[str, Any], cursor: Cursor | None) -> dict[str, Any]:
        """Return the fields of Page that make it a counted one."""
        total = integer(reply.get(self.total))
        return {"start": _start(cursor), "total": total, "aligned": True}


@attrs.frozen(kw_only=True)
class OffsetPaging:
    """Request and answer fields of an offset listing."""

    offset: str
    size: str
    total: str

    def request(self, cursor: Cursor | None, limit: int) -> dict[str, Any]:
        """Return the parameters that ask for the page at *cursor*."""
        return {self.offset: _start(cursor), self.size: limit}

    def counted(self, reply: Mapping[str, Any], cursor: Cursor | None) -> dict[str, Any]:
        """Return the fields of Page that make it a counted one."""
        return {"start": _start(cursor), "total": integer(reply.get(self.total))}


def _start(cursor: Cursor | None) -> int:
    return cursor.start if isinstance(cursor, Position) else 0


@attrs.define
class Tally:
    """What a walk has met so far; read it at any time."""

    pages: int = 0
    rows: int = 0
    """Different rows that arrived, before any filtering."""
    total: int | None = None
    """The provider's latest count."""
    moved: bool = False
    """Whether rows were seen to move under the walk."""
    troubles: list[str] = attrs.field(factory=list[str])


def walk(
    fetch: Callable[[Cursor | None, int], Page[T]],
    *,
    limit: int,
    key: Callable[[T], str],
    tally: Tally | None = None,
) -> Iterator[list[T]]:
    """Yield the new items of each page, every item once, however the pages overlap.

    *fetch* answers the page at a cursor with at most *limit* rows. Raises PagingError, after
    all rows so far, when the provider repeats a token or the same page for every position.
    """
    tally = Tally() if tally is None else tally
    return _Walk(fetch, limit, key, tally).pages()


@attrs.define
class _Walk(Generic[T]):
    fetch: Callable[[Cursor | None, int], Page[T]]
    limit: int
    key: Callable[[T], str]
    tally: Tally
    seen: set[str] = attrs.field(factory=set[str])

    def pages(self) -> Iterator[list[T]]:
        page = self.fetch(None, self.limit)
        visited: set[Cursor] = set()
        barren = 0
        while page.start is None:
            yield self.take(page)
            if page.next is None:
                return
            barren = 0 if self.ids(page) else barren + 1
            if page.next in visited or barren > EMPTY_PAGES:
                raise self.endless(
                    "the same page token twice"
                    if page.next in visited
                    else f"{barren} empty pages in a row"
                )
            visited.add(page.next)
            page = self.fetch(page.next, self.limit)
        yield from self.counted(page)

    def take(self, page: Page[T]) -> list[T]:
        """Return the items of *page* not met before, and remember all its rows."""
        fresh = {self.key(item): item for item in page.items if self.key(item) not in self.seen}
        before = len(self.seen)
        self.seen.update(self.ids(page))
        self.tally.pages += 1
        self.tally.rows += len(self.seen) - before
        self.tally.total = page.total
        self.tally.troubles.extend(page.troubles)
        return list(fresh.values())

    def ids(self, page: Page[T]) -> Sequence[str]:
        return [self.key(item) for item in page.items] if page.ids is None else page.ids

    def at(self, start: int, size: int) -> Page[T]:
        return self.fetch(Position(start), size)

    def endless(self, found: str) -> PagingError:
        return PagingError(
            f"the provider sent {found}, after {self.tally.rows} rows",
            hint="what arrived is good; try again, or narrow the query",
        )

    def counted(self, first: Page[T]) -> Iterator[list[T]]:
        if first.aligned and self.cheaper_plain(first.total):
            quiet = yield from self.plain(first)
            if quiet:
                return
            self.tally.moved = True
            first = self.at(0, self.limit)
        yield from self.overlapping(first)

    def cheaper_plain(self, total: int | None) -> bool:
        """Whether pages of full size and two re-checks cost less than overlapping ones."""
        if total is None or self.limit < 2:
            return False
        overlapping, end = 1, self.limit
        while end < total:
            start, size = cover(end - 1, self.limit, aligned=True)
            overlapping, end = overlapping + 1, start + size
        return -(-total // self.limit) + 2 < overlapping

    def plain(self, first: Page[T]) -> Generator[list[T], None, bool]:
        """Walk pages that do not overlap, and return whether nothing moved meanwhile.

        A deletion shows in the total; one that a creation makes up for shows on the first or
        the last page, whichever end new rows come to, so both are fetched before the others
        and looked at again after them.
        """
        total, size = first.total or 0, self.limit
        starts = range(0, total, size)
        yield self.take(first)
        last = self.at(starts[-1], size)
        pages = (self.at(start, size) for start in starts[1:-1])
        for page in pages:
            yield self.take(page)
            if page.total != total or len(self.ids(page)) != size:
                yield self.take(last)
                return False
        yield self.take(last)
        return all(
            self.ids(page) == self.ids(again) and page.total == again.total == total
            for page, again in ((first, self.at(0, size)), (last, self.at(starts[-1], size)))
        )

    def overlapping(self, page: Page[T]) -> Iterator[list[T]]:
        """Walk pages that each start on a row of the one before."""
        walked = self.seen if not self.seen else set[str]()
        limit = size = self.limit
        overlap, back, steps, repeats, barren, end = 1, 0, 0, 0, 0, 0
        before: Sequence[str] = ()
        while True:
            ids = self.ids(page)
            start, arrived = page.start or 0, len(ids)
            if start and not (ids and ids[0] in walked):
                self.tally.moved = True
                steps += 1
                if steps > STEPS_BACK:
                    raise self.endless("rows in another order each time")
                overlap = min(max(2 * overlap, limit // 16), limit // 2) or 1
                back = max(2 * back, overlap)
                start, size = cover(max(0, start - back), limit, aligned=page.aligned)
                before, end = (), 0
                page = self.at(start, size)
                continue
            new = any(row not in walked for row in ids)
            yield self.take(page)
            walked.update(ids)
            repeats = repeats + 1 if start and arrived > overlap and ids == before else 0
            barren = 0 if new else barren + 1
            if repeats > 1 or barren > EMPTY_PAGES:
                raise self.endless(
                    "the same page for every position"
                    if repeats > 1
                    else f"{barren} pages in a row without a new row"
                )
            if (
                not arrived
                or (arrived < size and start + arrived == page.total)
                or (not new and start + arrived <= end)
            ):
                return
            if arrived < size:
                limit = max(arrived, 2)
            before, end, back = ids, start + arrived, 0
            wanted = max(end - min(overlap, arrived - 1), start + 1)
            start, size = cover(wanted, limit, aligned=page.aligned)
            page = self.at(start, size)


def cover(wanted: int, limit: int, *, aligned: bool) -> tuple[int, int]:
    """Return the start and size of the page that has row *wanted* and reaches furthest.

    An *aligned* page starts at a multiple of its size, so one that overlaps its neighbour by
    a few rows is a little smaller than *limit*.
    """
    if not aligned:
        return wanted, limit
    sizes = range(limit, max(limit // 2, 1) - 1, -1)
    return max(
        ((wanted // size * size, size) for size in sizes), key=lambda page: (sum(page), page[1])
    )
