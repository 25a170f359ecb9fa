"""Listings under fire: rows come and go between any two requests, in every paging style."""

from collections import deque
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType] - untyped there
)

from snapkit.paging import Cursor, OffsetPaging, Page, PageNumberPaging, TokenPaging
from snapkit.walking import Tally, walk

TOKENS = TokenPaging(token="after", size="size")
NUMBERS = PageNumberPaging(number="page", size="size", total="total")
OFFSETS = OffsetPaging(offset="offset", size="size", total="total")
Change = tuple[str, int]
# Fewer changes than rows a page moves on by: a provider that makes new rows faster than they
# can be read looks just like one that ignores where it was asked to start.
CHANGES = st.lists(
    st.tuples(st.sampled_from(["delete", "create"]), st.integers(0, 10_000)), max_size=4
)


class Shop:
    """A provider whose rows have an age; *newest_first* is its order."""

    def __init__(self, count: int, *, newest_first: bool) -> None:
        self.newest_first = newest_first
        self.rows = list(range(count))
        self.born = count
        self.lived_throughout = set(self.rows)
        self.changes = deque[list[Change]]()

    def apply(self, change: Change) -> None:
        what, number = change
        if what == "create":
            self.rows.append(self.born)
            self.born += 1
        elif self.rows:
            gone = self.rows.pop(number % len(self.rows))
            self.lived_throughout.discard(gone)

    def reply(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Answer in whichever style *asked* is, after the changes that are due."""
        for change in self.changes.popleft() if self.changes else ():
            self.apply(change)
        ordered = sorted(self.rows, reverse=self.newest_first)
        size = asked["size"]
        if "after" in asked:
            last = int(asked["after"])
            ordered = [row for row in ordered if (row < last if self.newest_first else row > last)]
        start = asked.get("offset", (asked.get("page", 1) - 1) * size)
        shown = ordered[start : start + size]
        more = start + size < len(ordered)
        return {"rows": shown, "total": len(ordered), "after": str(shown[-1]) if more else ""}


class ListingMachine(RuleBasedStateMachine):
    """Turns pages while the shop changes, and takes stock at the end."""

    paging: TokenPaging | PageNumberPaging | OffsetPaging = OFFSETS

    @initialize(count=st.integers(0, 90), limit=st.integers(10, 16), newest_first=st.booleans())
    def open_the_listing(self, count: int, limit: int, newest_first: bool) -> None:
        self.shop = Shop(count, newest_first=newest_first)
        self.tally = Tally()
        self.found: list[int] = []
        self.over = False
        self.listing: Iterator[list[int]] = walk(self.fetch, limit=limit, key=str, tally=self.tally)

    def fetch(self, cursor: Cursor | None, limit: int) -> Page[int]:
        reply = self.shop.reply(self.paging.request(cursor, limit))
        if isinstance(self.paging, TokenPaging):
            return Page(items=reply["rows"], next=self.paging.following(reply))
        return Page(items=reply["rows"], **self.paging.counted(reply, cursor))

    @rule(batches=st.lists(CHANGES, min_size=1, max_size=4))
    def change_during_the_next_requests(self, batches: list[list[Change]]) -> None:
        self.shop.changes.extend(batches)

    @precondition(lambda self: not self.over)
    @rule()
    def turn_the_page(self) -> None:
        page = next(self.listing, None)
        self.over = page is None
        self.found += page or []

    def teardown(self) -> None:
        if not hasattr(self, "listing"):
            return
        while not self.over:
            self.turn_the_page()

        assert set() == self.shop.lived_throughout - set(self.found)
        assert len(set(self.found)) == len(self.found)
        assert len(self.found) == self.tally.rows


@pytest.mark.parametrize("paging", [TOKENS, NUMBERS, OFFSETS], ids=["token", "number", "offset"])
@pytest.mark.faults(57, 58)
def test_no_row_that_lived_throughout_is_missing_and_none_comes_twice(
    paging: TokenPaging | PageNumberPaging | OffsetPaging,
) -> None:
    """A clean-up job that is told of half the snapshots works on a wrong world."""

    class Machine(ListingMachine):
        pass

    Machine.paging = paging
    run_state_machine_as_test(
        Machine,
        settings=settings(max_examples=100, stateful_step_count=25, deadline=None, database=None),
    )
