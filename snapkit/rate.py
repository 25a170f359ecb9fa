"""Rate first, retry second: token buckets that stay below a provider's limit.

One bucket serves all threads of one process for a provider, account, class of operation and,
where the limit is regional, region. It starts at nine tenths of the documented limit, slows
down when the provider throttles all the same, and recovers step by step.
"""

import threading
from collections.abc import Hashable

import attrs

__all__ = ["Bucket", "Limiter", "Rate"]

SHARE = 0.9
SLOWER = 0.7
"""Factor on each throttle, at most once in COOLING seconds: one burst is one piece of news."""
COOLING = 0.5
FLOOR = 0.5
RECOVERY = 0.05
"""Part of the full rate that is won back in each second without a throttle."""


@attrs.frozen(kw_only=True)
class Rate:
    """A documented limit: calls per second, and how many may come at once."""

    per_second: float
    burst: float | None = None
    """Default: one second's worth, at least 1."""
    regional: bool = True
    """Whether each region has a budget of its own."""


@attrs.define
class Bucket:
    """Tokens that grow with time; take one before each call. Times are monotonic seconds."""

    full: float
    burst: float
    rate: float = attrs.field(init=False)
    tokens: float = attrs.field(init=False)
    updated: float | None = None
    slowed: float = float("-inf")
    lock: threading.Lock = attrs.field(factory=threading.Lock, repr=False)

    def __attrs_post_init__(self) -> None:
        self.rate, self.tokens = self.full, self.burst

    def take(self, now: float) -> float:
        """Reserve one call and return how many seconds to wait before it."""
        with self.lock:
            self._advance(now)
            self.tokens -= 1
            return max(0.0, -self.tokens / self.rate)

    def give_back(self) -> None:
        """Return a reservation that was not used."""
        with self.lock:
            self.tokens = min(self.burst, self.tokens + 1)

    def throttled(self, now: float) -> None:
        """Slow down, because the provider said so."""
        with self.lock:
            self._advance(now)
            if now - self.slowed < COOLING:
                return
            self.slowed = now
            self.rate = max(min(FLOOR, self.full), self.rate * SLOWER)
            self.tokens = min(self.tokens, 0.0)

    def _advance(self, now: float) -> None:
        passed = max(0.0, now - (now if self.updated is None else self.updated))
        self.updated = now if self.updated is None else max(self.updated, now)
        self.tokens = min(self.burst, self.tokens + passed * self.rate)
        if now - self.slowed > COOLING:
            self.rate = min(self.full, self.rate + passed * RECOVERY * self.full)


@attrs.define
class Limiter:
    """All buckets of a process or a fleet; *share* is the part of each limit it may use."""

    share: float = SHARE
    buckets: dict[Hashable, Bucket] = attrs.field(factory=dict[Hashable, Bucket])
    lock: threading.Lock = attrs.field(factory=threading.Lock, repr=False)

    def bucket(self, key: Hashable, rate: Rate) -> Bucket:
        """Return the bucket of *key*, made from *rate* at the first call."""
        with self.lock:
            if key not in self.buckets:
                full = rate.per_second * self.share
                burst = rate.per_second if rate.burst is None else rate.burst
                self.buckets[key] = Bucket(full, max(1.0, burst * self.share))
            return self.buckets[key]
