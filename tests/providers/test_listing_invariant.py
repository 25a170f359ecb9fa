"""Rows come and go while a real adapter lists them over HTTP."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snapkit.driver import Driver
from snapkit.model import Snapshot
from snapkit.paging import Cursor, Page
from snapkit.query import SnapshotQuery
from snapkit.testing.emulated import EmulatedHarness
from snapkit.testing.harness import many
from snapkit.walking import walk
from tests.providers.harnesses import STYLES

LIMIT = 10
"""The smallest page that every provider allows."""
Change = tuple[str, int]
CHANGES = st.lists(
    st.lists(st.tuples(st.sampled_from(["delete", "create"]), st.integers(0, 10_000)), max_size=4),
    max_size=12,
)


@pytest.fixture(scope="module", params=STYLES.values(), ids=list(STYLES))
def harness(request: pytest.FixtureRequest) -> Iterator[EmulatedHarness]:
    make: Callable[[], EmulatedHarness] = request.param
    with make() as harness:
        yield harness


class Estate:
    """The rows behind the wire and what became of them."""

    def __init__(self, harness: EmulatedHarness, count: int) -> None:
        self.harness = harness
        harness.place.snapshots.clear()
        self.ids = harness.add(*many(count))
        self.lived_throughout = set(self.ids)
        self.born = count

    def apply(self, change: Change) -> None:
        what, number = change
        if what == "create":
            self.born += 1
            self.ids += self.harness.add(*many(1, start=self.born))
        elif self.ids:
            gone = self.ids.pop(number % len(self.ids))
            self.harness.remove(gone)
            self.lived_throughout.discard(gone)


def listed(driver: Driver, estate: Estate, changes: list[list[Change]]) -> list[str]:
    """Return the ids of a whole listing, with *changes* between the answers."""
    due = iter(changes)

    def fetch(cursor: Cursor | None, limit: int) -> Page[Snapshot]:
        page = driver.list_snapshots(SnapshotQuery(), cursor=cursor, limit=limit)
        for change in next(due, ()):
            estate.apply(change)
        return page

    pages = walk(fetch, limit=LIMIT, key=lambda snapshot: snapshot.id)
    return [snapshot.id for page in pages for snapshot in page]


@settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(count=st.integers(0, 55), changes=CHANGES)
@pytest.mark.faults(57, 58)
def test_no_row_that_lived_throughout_is_missing_and_none_comes_twice(
    harness: EmulatedHarness, count: int, changes: list[list[Change]]
) -> None:
    """Offsets count rows that are there now; a token stays where it was."""
    estate = Estate(harness, count)
    found = listed(harness.open(), estate, changes)

    assert set() == estate.lived_throughout - set(found)
    assert len(set(found)) == len(found)
