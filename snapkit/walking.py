"""One loop over the pages of every listing.

A token listing is followed page by page. In a counted listing (page number or offset)
positions move while rows are deleted: a plain loop then skips one living row for each deleted
one. Here every counted page starts inside the one before, and its first row must have been
seen: where it was not, rows have moved, and the walk steps back until it meets a row that it
knows.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import attrs

from snapkit.ahead import Ahead, Lanes, Place
from snapkit.errors import InvalidRequestError, PagingError, ProtocolError, Retry
from snapkit.paging import Cursor, Page, Position

__all__ = ["Tally", "cover", "walk"]

T = TypeVar("T")
EMPTY_PAGES = 100
"""So many pages in a row without a new row, and a listing is taken for endless."""
REPEATS = 10
"""So many pages again in a row, and a server is taken to ignore the position."""
MOST_ROWS = 5000
"""No provider's page holds a tenth of it; a larger one is not an answer to what was asked."""
_MARK = 2**60 - 1
STEPS_BACK = 200
"""So many steps back, beside one for every second page, and the order is taken for random."""


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
    lanes: Lanes | None = None,
) -> Iterator[list[T]]:
    """Yield the new items of each page, every item once, however the pages overlap.

    *fetch* answers the page at a cursor with at most *limit* rows; with *lanes* it is called
    from several threads, for pages of a counted listing that will be needed. Raises
    PagingError, after all rows so far, when the provider repeats a token or the same page for
    every position. A token that is refused as an invalid parameter has grown old: the walk
    begins anew, once.
    """
    tally = Tally() if tally is None else tally

    def at(start: int, size: int) -> Page[T]:
        return fetch(Position(start), size)

    ahead = None if lanes is None else Ahead(at, lanes)
    return _Walk(fetch, limit, key, tally, ahead).pages()


@attrs.define
class _Walk(Generic[T]):
    fetch: Callable[[Cursor | None, int], Page[T]]
    limit: int
    key: Callable[[T], str]
    tally: Tally
    ahead: Ahead[Page[T]] | None = None
    seen: set[int] = attrs.field(factory=set[int])
    """The marks of all rows so far."""
    least: int | None = None
    """The smallest count that the provider gave."""

    def pages(self) -> Iterator[list[T]]:
        page = self.fetch(None, self.limit)
        visited: set[Cursor] = set()
        barren, again = 0, False
        while page.start is None:
            before = len(self.seen)
            yield self.take(page, self.marks(page))
            if page.next is None:
                return
            barren = 0 if len(self.seen) > before else barren + 1
            if page.next in visited or barren > EMPTY_PAGES:
                raise self.endless(
                    "the same page token twice"
                    if page.next in visited
                    else f"{barren} pages in a row without a new row"
                )
            visited.add(page.next)
            try:
                page = self.fetch(page.next, self.limit)
            except InvalidRequestError:
                # Tokens grow old, where rows are slow to be taken. One new start mends that;
                # its first pages have nothing new.
                if again:
                    raise
                again, barren = True, -len(visited)
                visited.clear()
                page = self.fetch(None, self.limit)
        yield from self.counted(page)
        self.audit()

    def take(self, page: Page[T], marks: list[int]) -> list[T]:
        """Return the items of *page*, of *marks*, not met before, and remember all its rows."""
        items = page.items
        if len(marks) > MOST_ROWS:
            raise ProtocolError(
                f"the provider sent {len(marks)} rows in one page, more than {MOST_ROWS}",
                retry=Retry.NEVER,
                hint="check the endpoint",
            )
        of_items = marks if len(items) == len(marks) else _marks(map(self.key, items))
        seen = self.seen
        pairs = zip(of_items, items, strict=True)
        if len(set(of_items)) == len(items):
            fresh = [item for mark, item in pairs if mark not in seen]
        else:
            fresh = list({mark: item for mark, item in pairs if mark not in seen}.values())
        before = len(seen)
        seen.update(marks)
        if of_items is not marks:
            seen.update(of_items)
        self.tally.pages += 1
        self.tally.rows += len(seen) - before
        self.tally.total = page.total
        self.tally.troubles.extend(page.troubles)
        if page.total is not None:
            self.least = page.total if self.least is None else min(self.least, page.total)
        return fresh

    def audit(self) -> None:
        """Name a gap between what was counted and what came, unless rows moved meanwhile."""
        arrived = len(self.seen)
        if self.least is not None and arrived < self.least and not self.tally.moved:
            self.tally.troubles.append(
                f"the provider counts {self.least} rows, but only {arrived} different ones came"
            )

    def marks(self, page: Page[T]) -> list[int]:
        """Return what is kept of the id of each row of *page*."""
        return _marks(map(self.key, page.items) if page.ids is None else page.ids)

    def at(self, start: int, size: int) -> Page[T]:
        if self.ahead is not None:
            return self.ahead.get(start, size)
        return self.fetch(Position(start), size)

    def expect(self, places: Iterable[Place]) -> None:
        """Say which pages come next unless something is wrong with one before."""
        if self.ahead is not None:
            self.ahead.want(places)

    def endless(self, found: str) -> PagingError:
        return PagingError(
            f"the provider sent {found}, after {self.tally.rows} rows",
            hint="what arrived is good; try again, or narrow the query",
        )

    def counted(self, first: Page[T]) -> Iterator[list[T]]:
        arrived = len(self.marks(first))
        if first.aligned and arrived and arrived not in (self.limit, first.total):
            yield from self.stepping(first, arrived)
            return
        if first.aligned and cheaper_plain(first.total, self.limit):
            quiet = yield from self.plain(first)
            if quiet:
                return
            first = self.at(0, self.limit)
        yield from self.overlapping(first)

    def plain(self, first: Page[T]) -> Generator[list[T], None, bool]:
        """Walk pages that do not overlap, and return whether nothing moved meanwhile.

        A deletion shows in the total; one that a creation makes up for shows on the first or
        the last rows, whichever end new rows come to, so the last page is fetched before the
        others, and both ends are looked at again after them.
        """
        total, size = first.total or 0, self.limit
        starts = range(0, total, size)
        order = list(marks := self.marks(first))
        yield self.take(first, marks)
        last = self.at(starts[-1], size)
        of_last = self.marks(last)
        for number, start in enumerate(starts[1:-1], 1):
            self.expect((place, size) for place in starts[number:-1])
            page = self.at(start, size)
            marks = self.marks(page)
            order += marks
            yield self.take(page, marks)
            if page.total != total or len(order) != start + size:
                self.tally.moved |= page.total != total
                yield self.take(last, of_last)
                return False
        order += of_last
        yield self.take(last, of_last)
        if len(order) != total or len(self.seen) != total:
            self.tally.moved |= last.total != total or len(self.seen) != len(order)
            return False
        place, reach = onward(total, 1, size, aligned=True)
        self.expect(((0, size), (place, reach)))
        ends = ((self.at(0, size), order[:size]), (self.at(place, reach), order[place:]))
        quiet = all(page.total == total and list(self.marks(page)) == ids for page, ids in ends)
        self.tally.moved |= not quiet
        return quiet

    def stepping(self, page: Page[T], size: int) -> Iterator[list[T]]:
        """Walk pages of the size that the server chose, twice if the rows do not add up.

        Such a server cannot be asked for pages that overlap.
        """
        first: set[int] | None = None
        while True:
            walked: set[int] = set()
            start = barren = 0
            while True:
                ids = self.marks(page)
                barren = barren + 1 if walked.issuperset(ids) else 0
                if barren > REPEATS and ids:
                    raise self.endless("the same page for every position")
                walked.update(ids)
                yield self.take(page, ids)
                start += size
                if not ids or (len(ids) < size and start >= (page.total or 0)):
                    break
                page = self.at(start, size)
            self.tally.moved |= first not in (None, walked)
            if page.total in (None, len(walked)):
                return
            if first is not None:
                break
            first, page = walked, self.at(0, size)
        if self.tally.moved:
            self.tally.troubles.append("rows moved while they were listed; some may be missing")

    def overlapping(self, page: Page[T]) -> Iterator[list[T]]:
        """Walk pages that each start on a row of the one before."""
        walked = self.seen if not self.seen else set[int]()
        size, limit = self.limit, self.limit
        overlap, back, steps, repeats, barren, end = 1, 0, 0, 0, 0, 0
        before: Sequence[int] = ()
        while True:
            ids = self.marks(page)
            start, arrived = page.start or 0, len(ids)
            met = (bool(ids) and ids[0] in walked) or start == 0 or start == end
            if not met:
                walked = set(walked) if walked is self.seen else walked
                yield self.take(page, ids)
                self.tally.moved = True
                steps += 1
                if steps > STEPS_BACK + self.tally.pages // 2:
                    raise self.endless("rows in another order each time")
                overlap = min(max(2 * overlap, limit // 16), limit // 2) or 1
                back = max(2 * back, overlap)
                start, size = cover(max(0, start - back), limit, aligned=page.aligned)
                before, end = (), -1
                page = self.at(start, size)
                continue
            new = not walked.issuperset(ids)
            yield self.take(page, ids)
            if walked is not self.seen:
                walked.update(ids)
            repeats = repeats + 1 if start and arrived > overlap and ids == before else 0
            barren = 0 if new else barren + 1
            if repeats > REPEATS or barren > EMPTY_PAGES:
                raise self.endless(
                    "the same page for every position"
                    if repeats > REPEATS
                    else f"{barren} pages in a row without a new row"
                )
            if not arrived or (arrived < size and start + arrived == page.total):
                return
            if page.aligned and arrived > size:
                yield from self.stepping(self.at(0, arrived), arrived)
                return
            full = arrived == size
            settled = not new and start + arrived == end
            if settled and (page.aligned or end >= (page.total or 0)):
                return
            before, end, back = ids, start + arrived, 0
            if settled or (arrived == 1 and not page.aligned):
                start, size = end, limit
            else:
                start, size = onward(end, min(overlap, arrived // 2), limit, aligned=page.aligned)
            if full:
                self.expect(chain(start, size, overlap, limit, page))
            page = self.at(start, size)


def _marks(ids: Iterable[str]) -> list[int]:
    """Return 60 bits of the hash of each id, which need half the memory of the text.

    Two of a million different ids are taken for one with a chance of one in two million;
    Python's hash of a text is keyed anew in each process, so nobody can choose such ids.
    """
    return [hash(one) & _MARK for one in ids]


def chain(start: int, size: int, overlap: int, limit: int, page: Page[Any]) -> Iterator[Place]:
    """Yield the places of overlapping pages from *start* to the last row that *page* counts."""
    while start < (page.total or 0):
        yield start, size
        end = start + size
        if end >= (page.total or 0):
            return
        start, size = onward(end, min(overlap, size // 2), limit, aligned=page.aligned)


def cheaper_plain(total: int | None, limit: int) -> bool:
    """Return whether pages of full size and two re-checks cost less than overlapping ones."""
    if total is None or total <= limit:
        return False
    overlapping, end = 1, limit
    # Three pages lost are enough to decide, and a lying total may be without bound.
    while end < total and overlapping * limit - end <= 3 * limit and end < limit**3:
        start, size = onward(end, 1, limit, aligned=True)
        overlapping, end = overlapping + 1, start + size
    return end < total or -(-total // limit) + 2 < overlapping


def onward(end: int, overlap: int, limit: int, *, aligned: bool) -> tuple[int, int]:
    """Return the start and size of a page that goes on beyond row *end*.

    It starts on a row before *end* by *overlap* or more, or by less, or on *end* itself,
    where small aligned pages leave no other choice.
    """
    for wanted in (end - overlap, end - 1):
        start, size = cover(wanted, limit, aligned=aligned)
        if start < end < start + size:
            return start, size
    return end, limit


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
