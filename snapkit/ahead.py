"""Pages that are fetched side by side, before the walk comes to them.

A counted listing can be asked for any page at any time. The walk still looks at the pages one
after the other and decides what they prove, so nothing is trusted that was not checked.
"""

import itertools
import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Generic, TypeAlias, TypeVar

import attrs

__all__ = ["Ahead", "Lanes", "Place"]

P = TypeVar("P")
Place: TypeAlias = tuple[int, int]
"""Where a page starts, and its size, in rows."""


def _thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="snapkit-page", daemon=True).start()


@attrs.define(eq=False)
class Lanes:
    """How many requests may be under way at a time, over all listings that share the lanes."""

    width: int
    run: Callable[[Callable[[], None]], None] = _thread
    """Starts a piece of work; by default on a thread of its own."""
    busy: int = 0
    lock: threading.Lock = attrs.field(factory=threading.Lock, repr=False)

    @contextmanager
    def held(self) -> Generator[None]:
        """Take a lane, free or not, for one that lists in any case."""
        with self.lock:
            self.busy += 1
        try:
            yield
        finally:
            self.leave()

    def enter(self) -> bool:
        """Take a lane if one is free, and return whether it was."""
        with self.lock:
            free = self.busy < self.width
            self.busy += free
            return free

    def leave(self) -> None:
        """Give a lane back."""
        with self.lock:
            self.busy -= 1


@attrs.define(eq=False)
class Ahead(Generic[P]):
    """The pages of one walk that are under way or wait to be looked at."""

    fetch: Callable[[int, int], P]
    lanes: Lanes
    started: dict[Place, "Future[P]"] = attrs.field(factory=dict[Place, "Future[P]"])

    def want(self, places: Iterable[Place]) -> None:
        """Fetch the next of *places* as far as lanes are free; forget pages not among them."""
        wanted = dict.fromkeys(itertools.islice(places, self.lanes.width))
        self.started = {place: page for place, page in self.started.items() if place in wanted}
        for place in wanted:
            if place not in self.started and not self._start(place):
                return

    def get(self, start: int, size: int) -> P:
        """Return the page at a place, or raise what went wrong with it."""
        page = self.started.pop((start, size), None)
        return self.fetch(start, size) if page is None else page.result()

    def _start(self, place: Place) -> bool:
        if not self.lanes.enter():
            return False
        page: Future[P] = Future()

        def work() -> None:
            try:
                found = self.fetch(*place)
            except BaseException as error:  # noqa: BLE001 - raised where the page is looked at
                page.set_exception(error)
            else:
                page.set_result(found)
            finally:
                self.lanes.leave()

        try:
            self.lanes.run(work)
        except RuntimeError:  # no more threads: the walk fetches the page itself
            self.lanes.leave()
            return False
        self.started[place] = page
        return True
