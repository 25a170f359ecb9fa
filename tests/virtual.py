"""A clock that many threads share and on which nobody sleeps."""

import heapq
import itertools
import random
import threading

import pytest

from snapkit.ahead import Ahead
from snapkit.transport import Clock

_LOOK = 0.005
"""Real seconds after which a sleeper looks whether the threads that still ran have ended."""


class VirtualTime:
    """Seconds that pass when every thread that reads them is asleep, to the next awakening.

    Threads are counted from their first reading on, until they end. Those that must not hold
    time up read ``now``; one that waits for a page of another thread's is not counted until it
    reads the clock again.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._lock = threading.Lock()
        self._threads: set[threading.Thread] = set()
        self._asleep: list[tuple[float, int, threading.Event, threading.Thread]] = []
        self._numbers = itertools.count()
        self._chance = random.Random(7)

    def clock(self) -> Clock:
        """Return the clock to hand to snapkit; its chance is the same in every run."""
        return Clock(monotonic=self.monotonic, sleep=self.sleep, uniform=self._chance.uniform)

    def step_aside(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Leave out threads that wait for a page which another thread fetches."""
        get = Ahead[object].get

        def waiting(ahead: Ahead[object], start: int, size: int) -> object:
            if (start, size) in ahead.started:
                with self._lock:
                    self._threads.discard(threading.current_thread())
                    self._go_on()
            return get(ahead, start, size)

        monkeypatch.setattr(Ahead, "get", waiting)

    def monotonic(self) -> float:
        with self._lock:
            self._threads.add(threading.current_thread())
            return self.now

    def sleep(self, seconds: float) -> None:
        awake = threading.Event()
        with self._lock:
            self._threads.add(me := threading.current_thread())
            heapq.heappush(self._asleep, (self.now + seconds, next(self._numbers), awake, me))
            self._go_on()
        while not awake.wait(_LOOK):
            with self._lock:
                self._go_on()

    def _go_on(self) -> None:
        asleep = {thread for *_, thread in self._asleep}
        if any(thread.is_alive() and thread not in asleep for thread in self._threads):
            return
        if self._asleep:
            moment, _, awake, _ = heapq.heappop(self._asleep)
            self.now = max(self.now, moment)
            awake.set()
