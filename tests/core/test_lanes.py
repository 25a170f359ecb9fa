"""Lanes and the pages in them, without a walk: how many, which, and in what order."""

import threading
from collections.abc import Callable

from snapkit.ahead import Ahead, Lanes, Place


def at_once(work: Callable[[], None]) -> None:
    """Run what would run on a thread."""
    work()


def test_a_lane_is_free_or_not() -> None:
    """Two are not three; who lists in any case takes a third."""
    lanes = Lanes(2, run=at_once)

    assert [True, True, False] == [lanes.enter() for _ in range(3)]
    with lanes.held():
        assert 3 == lanes.busy
    lanes.leave()
    assert [True, False] == [lanes.enter() for _ in range(2)]
    assert "lock" not in repr(lanes)


def test_a_page_is_fetched_on_a_thread_that_keeps_no_process_alive() -> None:
    """A person who gives up is not kept waiting for a page."""
    done, found = threading.Event(), list[threading.Thread]()

    def work() -> None:
        found.append(threading.current_thread())
        done.set()

    Lanes(1).run(work)

    assert done.wait(10)
    assert [("snapkit-page", True)] == [(thread.name, thread.daemon) for thread in found]


def test_pages_that_are_no_longer_wanted_are_forgotten() -> None:
    """After rows moved the walk asks elsewhere, and what lies there is fetched anew."""
    asked: list[Place] = []

    def fetch(start: int, size: int) -> int:
        asked.append((start, size))
        return len(asked)

    ahead = Ahead(fetch, Lanes(3, run=at_once))
    ahead.want([(0, 10), (10, 10), (20, 10), (30, 10)])
    ahead.want([(20, 10), (40, 10)])

    assert [(0, 10), (10, 10), (20, 10), (40, 10)] == asked
    assert [3, 5] == [ahead.get(20, 10), ahead.get(0, 10)]
    assert {(40, 10)} == set(ahead.started)


def test_after_the_first_page_without_a_lane_no_other_is_tried() -> None:
    """Pages go out in their order, or the one needed first would come last."""
    tried = 0

    class Crowded(Lanes):
        def enter(self) -> bool:
            nonlocal tried
            tried += 1
            return super().enter()

    def none_left(work: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread")

    places = [(start, 10) for start in range(0, 50, 10)]
    crowded = Crowded(5, run=at_once, busy=5)
    Ahead(lambda start, size: start, crowded).want(places)
    Ahead(lambda start, size: start, Crowded(5, run=none_left)).want(places)

    assert 2 == tried
