"""Whose scope is next, and how much of the others' may wait: the order of a sweep.

Nothing here runs by itself or knows what a scope is; the threads of a sweep ask under their
own lock, and :class:`Gate` has one of its own.
"""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence

import attrs

__all__ = ["PAGES_AHEAD", "Gate", "Turns"]

PAGES_AHEAD = 4
"""Pages per thread, and per scope, that may wait for the reader."""
_SECONDS = 0.1


@attrs.define
class Turns:
    """Scopes that wait to be started, by number, and the accounts they belong to.

    The next one is of the account that has the fewest running; among equals, of the one that
    has waited longest. So an account of a thousand scopes, or one whose rate limit makes each
    of them slow, leaves the others their threads.
    """

    accounts: Sequence[Hashable]
    lanes: dict[Hashable, deque[int]] = attrs.field(factory=dict[Hashable, deque[int]])
    running: dict[Hashable, int] = attrs.field(factory=dict[Hashable, int])
    begun: dict[Hashable, int] = attrs.field(factory=dict[Hashable, int])
    started: int = 0
    first: int = 0
    """Every scope with a smaller number has been started."""
    taken: set[int] = attrs.field(factory=set[int])

    def __attrs_post_init__(self) -> None:
        for index, account in enumerate(self.accounts):
            self.lanes.setdefault(account, deque()).append(index)
            self.running[account] = self.begun[account] = 0

    def __len__(self) -> int:
        return len(self.accounts) - self.started

    def next(self) -> int | None:
        """Return the scope to start now, None when all are started."""
        best = min(self.lanes, key=lambda one: (self.running[one], self.begun[one]), default=None)
        return None if best is None else self.take(self.lanes[best][0])

    def lowest(self) -> int | None:
        """Return the scope with the lowest number that is not started, to be started now."""
        while self.first in self.taken:
            self.taken.remove(self.first)
            self.first += 1
        return self.take(self.first) if len(self) else None

    def take(self, index: int) -> int:
        """Return *index*, which counts as started from now on."""
        account = self.accounts[index]
        lane = self.lanes[account]
        lane.remove(index)
        if not lane:
            del self.lanes[account]
        self.taken.add(index)
        self.started += 1
        self.running[account] += 1
        self.begun[account] = self.started
        return index

    def waits(self, index: int) -> bool:
        """Return whether *index* has not been started yet."""
        return index in self.lanes.get(self.accounts[index], ())

    def ended(self, index: int) -> None:
        """Note that a scope that was started has ended."""
        self.running[self.accounts[index]] -= 1


@attrs.define
class Gate:
    """Lets pages through to a reader who wants the scopes in order.

    Pages of the scope whose turn it is always pass. Of the others PAGES_AHEAD of each scope,
    and *room* together, are held; who has more waits. The scope whose turn it is must have a
    thread or get one, or nothing would move.
    """

    room: int
    current: int = 0
    held: dict[int, int] = attrs.field(factory=dict[int, int])
    total: int = 0
    moved: threading.Condition = attrs.field(factory=threading.Condition, repr=False)

    @property
    def full(self) -> bool:
        """Whether nothing more may be held."""
        return self.total >= self.room

    def enter(self, index: int, stopped: Callable[[], bool]) -> bool:
        """Wait until a page of *index* may be handed on; return False when *stopped* first."""
        with self.moved:
            while not self.admits(index):
                if stopped():
                    return False
                self.moved.wait(_SECONDS)
            self.count(index, 1)
            return True

    def admits(self, index: int) -> bool:
        """Return whether a page of *index* may be handed on now."""
        held = self.held.get(index, 0)
        return index <= self.current or (held < PAGES_AHEAD and not self.full)

    def count(self, index: int, pages: int) -> None:
        """Note *pages* more of *index* that are held, or fewer."""
        with self.moved:
            self.held[index] = self.held.get(index, 0) + pages
            self.total += pages
            if not self.held[index]:
                del self.held[index]
            self.moved.notify_all()

    def turn_of(self, index: int) -> None:
        """Let *index* be the scope whose turn it is."""
        with self.moved:
            self.current = index
            self.moved.notify_all()
