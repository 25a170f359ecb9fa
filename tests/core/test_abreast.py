"""Several things at a time, in order, and nobody waits for what is not wanted any more."""

import threading

import pytest

from snapkit.abreast import abreast


def test_results_come_in_order_and_no_more_than_asked_for_are_under_way() -> None:
    """Whichever ends first."""
    under_way, most, lock = 0, 0, threading.Lock()
    both = threading.Barrier(2, timeout=10)

    def work(number: int) -> int:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        both.wait()
        with lock:
            under_way -= 1
        return number * number

    assert [0, 1, 4, 9] == list(abreast(work, range(4), at_once=2))
    assert 2 == most


def test_nothing_is_begun_after_an_error_or_when_the_reader_has_left() -> None:
    """And what is under way is not waited for."""
    begun: list[int] = []
    stuck, entered = threading.Event(), threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        if number == 0:
            entered.wait(10)
            raise ValueError("zero")
        entered.set()
        stuck.wait(10)
        return number

    results = abreast(work, range(9), at_once=2)
    with pytest.raises(ValueError, match="zero"):
        next(results)
    with pytest.raises(StopIteration):
        next(results)
    stuck.set()
    for thread in threading.enumerate():
        if thread.name == "snapkit-abreast":
            thread.join(10)

    assert {0, 1} <= set(begun)
    assert len(begun) <= 3


def test_nothing_gives_nothing() -> None:
    """No thread is started for it."""
    assert [] == list(abreast(str, [], at_once=4))
