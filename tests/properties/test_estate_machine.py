"""Snapshots are made, copied, deleted and expire while a real adapter lists them over HTTP."""

from collections.abc import Iterator
from contextlib import suppress
from typing import ClassVar

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

from snapkit.client import Client
from snapkit.driver import Capability
from snapkit.errors import ConflictError, SnapkitError
from snapkit.model import Snapshot
from snapkit.paging import Cursor, Page
from snapkit.query import SnapshotQuery
from snapkit.testing import EmulatedHarness
from snapkit.testing.harness import many
from snapkit.walking import Tally, walk
from tests.providers.harnesses import STYLES

LIMIT = 10
"""The smallest page that every provider allows."""
PICKS = st.integers(0, 10_000)


class EstateMachine(RuleBasedStateMachine):
    """One listing under way, and everything that others may do meanwhile."""

    harness: ClassVar[EmulatedHarness]

    @initialize(count=st.integers(0, 45))
    def furnish(self, count: int) -> None:
        self.harness.place.snapshots.clear()
        self.harness.add(*many(count))
        self.harness.add_disks(*range(1, 8))
        self.driver = self.harness.open()
        self.client = Client(self.driver)
        self.changes = 0
        self.begin()

    def begin(self) -> None:
        self.found: list[str] = []
        self.over = False
        self.lived = set(self.harness.living())
        self.tally = Tally()
        self.listing: Iterator[list[Snapshot]] = walk(
            self.fetch, limit=LIMIT, key=lambda one: one.id, tally=self.tally
        )

    def fetch(self, cursor: Cursor | None, limit: int) -> Page[Snapshot]:
        # Fewer changes between two requests than a page moves on by.
        self.changes = 0
        return self.driver.list_snapshots(SnapshotQuery(), cursor=cursor, limit=limit)

    def changed(self) -> None:
        self.changes += 1
        self.lived &= set(self.harness.living())

    def one_of(self, pick: int) -> str | None:
        living = self.harness.living()
        return living[pick % len(living)] if living else None

    @precondition(lambda self: self.changes < 4)
    @rule(disk=st.integers(1, 7))
    def create(self, disk: int) -> None:
        if self.client.supports(Capability.CREATE):
            # One at a time is made of a disk.
            with suppress(ConflictError):
                self.client.create(self.harness.disk_id(disk), name="from-the-machine")
        else:
            self.harness.add(*many(1, start=100 + disk))
        self.changed()

    @precondition(lambda self: self.changes < 4)
    @rule(pick=PICKS)
    def delete(self, pick: int) -> None:
        wanted = self.one_of(pick)
        if wanted is None:
            return
        # A provider may refuse (still being made); what is gone is looked up, not assumed.
        with suppress(SnapkitError):
            self.client.delete([wanted], cascade=True)
        self.changed()

    @precondition(lambda self: self.changes < 4)
    @rule(pick=PICKS)
    def copy(self, pick: int) -> None:
        wanted, elsewhere = self.one_of(pick), self.harness.other_region
        if wanted is None or not elsewhere or not self.client.supports(Capability.COPY):
            return
        with suppress(SnapkitError):
            self.client.copy(wanted, [elsewhere])
        self.changed()

    @precondition(lambda self: self.changes < 4)
    @rule(pick=PICKS)
    def expire(self, pick: int) -> None:
        """One reaches its end, by itself."""
        wanted = self.one_of(pick)
        if wanted is not None:
            self.harness.remove(wanted)
            self.changed()

    @rule(seconds=st.sampled_from([1.0, 40.0, 900.0]))
    def wait(self, seconds: float) -> None:
        self.harness.advance(seconds)

    @precondition(lambda self: not self.over)
    @rule()
    def turn_the_page(self) -> None:
        page = next(self.listing, None)
        self.over = page is None
        self.found += [one.id for one in page or []]
        if self.over:
            self.take_stock()

    @precondition(lambda self: self.over)
    @rule()
    def list_again(self) -> None:
        self.begin()

    def take_stock(self) -> None:
        assert set() == self.lived - set(self.found)
        assert len(set(self.found)) == len(self.found)

    def teardown(self) -> None:
        while hasattr(self, "listing") and not self.over:
            self.turn_the_page()


@pytest.mark.parametrize("style", STYLES)
def test_every_snapshot_that_lived_through_a_listing_is_in_it_once(style: str) -> None:
    """The promise on which clean-up jobs delete what they did not see."""
    with STYLES[style]() as harness:
        machine = type("Machine", (EstateMachine,), {"harness": harness})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=50, stateful_step_count=30, deadline=None, database=None
            ),
        )
