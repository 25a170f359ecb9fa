"""Rate first, retry second: token buckets that stay below a provider's limit.

One bucket serves all threads of one process for a provider, account, class of operation and,
where the limit is regional, region. It starts at nine tenths of the documented limit. Where
the provider throttles all the same, it slows down and comes back along a cubic curve: quickly
to just below the rate that was refused, slowly past it, and then quickly again. That costs a
throttle now and then instead of one every few seconds.
"""

import math
import threading
from collections.abc import Hashable, Iterable, Mapping
from typing import Protocol, cast

import attrs

__all__ = ["Bucket", "Limiter", "Rate", "Sharing", "Turn", "smallest_parts"]

SHARE = 0.9
SLOWER = 0.7
"""Factor on each throttle, at most once in COOLING seconds: one burst is one piece of news."""
COOLING = 0.5
FLOOR = 0.5
FLOOR_PART = 0.1
"""A limit below some calls a second has its floor lower than FLOOR: at this part of it."""
KNOWN = 0.95
"""Part of the rate that was refused at which the bucket lingers."""
RECOVERY = 28.0
"""Seconds in which a rate of nearly nothing becomes the full one."""
RECOVERY_CALLS = 250.0
"""The same in calls, for limits that are so slow that seconds say nothing."""
LOOK = 1.0
"""Seconds after which a slowed-down call looks again whether its turn comes earlier."""
_NEARLY = 1e-6


@attrs.frozen(kw_only=True)
class Rate:
    """A documented limit: calls per second, and how many may come at once."""

    per_second: float
    burst: float | None = None
    """Default: one second's worth, at least 1."""
    regional: bool = True
    """Whether each region has a budget of its own."""

    def part(self, share: float) -> "Rate":
        """Return the part *share* of this limit."""
        burst = self.per_second if self.burst is None else self.burst
        return attrs.evolve(self, per_second=self.per_second * share, burst=burst * share)


@attrs.define(eq=False)
class Turn:
    """A place in the queue for a bucket's tokens, counted from the first call there was."""

    number: float


@attrs.define
class Bucket:
    """Tokens that grow with time, and calls that queue for them. Times are monotonic seconds.

    Each call joins the queue, waits until ``wait`` is 0 and goes. A call that has waited long
    asks again, because a throttle in the meantime moves every turn that has not come.
    """

    full: float
    burst: float
    rate: float = attrs.field(init=False)
    granted: float = attrs.field(init=False)
    issued: float = 0.0
    updated: float | None = None
    slowed: float = float("-inf")
    peak: float = attrs.field(init=False)
    low: float = attrs.field(init=False)
    waiting: set[Turn] = attrs.field(factory=set[Turn], repr=False)
    lock: threading.Lock = attrs.field(factory=threading.Lock, repr=False)

    def __attrs_post_init__(self) -> None:
        self.rate = self.peak = self.low = self.full
        self.granted = self.burst

    @property
    def tokens(self) -> float:
        """Calls that could go at once; below 0, how many wait."""
        return self.granted - self.issued

    def join(self, now: float) -> Turn:
        """Return a turn at the end of the queue."""
        with self.lock:
            self._advance(now)
            self.issued += 1
            turn = Turn(self.issued)
            self.waiting.add(turn)
            return turn

    def wait(self, turn: Turn, now: float) -> float:
        """Return for how many seconds to wait before asking again; 0: it is the call's turn."""
        with self.lock:
            self._advance(now)
            lack = turn.number - self.granted
            if lack <= _NEARLY:
                self.waiting.discard(turn)
                return 0.0
            estimate = lack / self.rate
            return estimate if self.rate >= self.full else min(estimate, LOOK)

    def soonest(self, turn: Turn) -> float:
        """Return the seconds until *turn* if the bucket were at its full rate from now on."""
        with self.lock:
            return max(0.0, turn.number - self.granted) / self.full

    def leave(self, turn: Turn) -> None:
        """Give up *turn*, which has not come or was not used; those behind it move up."""
        with self.lock:
            self.waiting.discard(turn)
            for other in self.waiting:
                if other.number > turn.number:
                    other.number -= 1
            self.issued -= 1
            self.granted = min(self.granted, self.issued + self.burst)

    def throttled(self, now: float, sent: float | None = None) -> None:
        """Slow down, because the provider refused a call that was *sent* then.

        A call that left before the last slowing down says nothing new, however late its
        answer comes.
        """
        with self.lock:
            self._advance(now)
            if now - self.slowed < COOLING or (sent is not None and sent < self.slowed):
                return
            self.slowed = now
            self.peak = self.rate * KNOWN
            least = min(FLOOR, self.full * FLOOR_PART)
            self.rate = self.low = max(least, self.rate * SLOWER)
            self.granted = min(self.granted, self.issued)

    def _advance(self, now: float) -> None:
        passed = max(0.0, now - (now if self.updated is None else self.updated))
        self.updated = now if self.updated is None else max(self.updated, now)
        self.granted = min(self.issued + self.burst, self.granted + passed * self.rate)
        if self.rate < self.full and now > self.slowed:
            self.rate = max(self.rate, self._recovered(now - self.slowed))

    def _recovered(self, seconds: float) -> float:
        """Return the rate that is right *seconds* after the last throttle."""
        scale = max(RECOVERY, RECOVERY_CALLS / self.full)
        there = scale * math.cbrt((self.peak - self.low) / self.full)
        grown = self.full * ((seconds - there) / scale) ** 3
        return max(self.low, min(self.full, self.peak + grown))


@attrs.define
class Limiter:
    """All buckets of a process or a fleet; *share* is the part of each limit it may use.

    *parts* are smaller ones still for some accounts, by provider and account label.
    """

    share: float = SHARE
    buckets: dict[Hashable, Bucket] = attrs.field(factory=dict[Hashable, Bucket])
    lock: threading.Lock = attrs.field(factory=threading.Lock, repr=False)
    parts: Mapping[Hashable, float] = attrs.field(factory=dict[Hashable, float], kw_only=True)

    def bucket(self, key: Hashable, rate: Rate) -> Bucket:
        """Return the bucket of *key*, made from *rate* at the first call.

        A key is a tuple that begins with provider and account, or anything else.
        """
        with self.lock:
            if key not in self.buckets:
                whose = cast("tuple[Hashable, ...]", key)[:2] if isinstance(key, tuple) else key
                mine = rate.part(self.share * self.parts.get(whose, 1.0))
                self.buckets[key] = Bucket(mine.per_second, max(1.0, mine.burst or 0.0))
            return self.buckets[key]


class Sharing(Protocol):
    """Something of an account that leaves a part of the account's limits to others."""

    @property
    def provider(self) -> str:
        """The provider's name."""
        ...

    @property
    def account(self) -> str:
        """The account's label."""
        ...

    @property
    def rate_share(self) -> float:
        """The part that it may use."""
        ...


def smallest_parts(sharing: Iterable[Sharing]) -> dict[Hashable, float]:
    """Return the smallest share of each account, by provider and label: they have one budget."""
    parts: dict[Hashable, float] = {}
    for one in sharing:
        key = (one.provider, one.account)
        parts[key] = min(one.rate_share, parts.get(key, 1.0))
    return parts
