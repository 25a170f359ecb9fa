"""A limit on the calls of an account, kept as strictly as a provider keeps its own."""

import time
from collections import deque
from collections.abc import Callable

import attrs

__all__ = ["Throttle"]


@attrs.define
class _Meter:
    """Calls of one budget: the tokens left, or when each call of the window was."""

    tokens: float
    updated: float
    calls: deque[float] = attrs.field(factory=deque[float])


@attrs.define(kw_only=True)
class Throttle:
    """So many calls a second, and *burst* at once; what is above is refused and counted.

    With a *window* in seconds the limit is the number of calls in any window of that length
    instead, ``per_second * window`` of them. Each region has a budget of its own if the limit
    is *regional*, each operation if it is *by_operation*. A refused call costs nothing.
    """

    per_second: float
    burst: float | None = None
    """Default: one second's worth, at least 1."""
    window: float | None = None
    regional: bool = True
    by_operation: bool = False
    monotonic: Callable[[], float] = time.monotonic
    admitted: int = 0
    refused: int = 0
    _meters: dict[tuple[str, str], _Meter] = attrs.field(
        factory=dict[tuple[str, str], _Meter], init=False, repr=False
    )

    def admits(self, region: str, operation: str) -> bool:
        """Return whether a call may be answered now, and count it."""
        now = self.monotonic()
        key = (region if self.regional else "", operation if self.by_operation else "")
        most = max(1.0, self.per_second if self.burst is None else self.burst)
        meter = self._meters.setdefault(key, _Meter(most, now))
        room = self._in_window(meter, now) if self.window else self._in_bucket(meter, now, most)
        self.admitted += room
        self.refused += not room
        return room

    def _in_bucket(self, meter: _Meter, now: float, most: float) -> bool:
        grown = max(0.0, now - meter.updated) * self.per_second
        meter.tokens = min(most, meter.tokens + grown)
        meter.updated = max(now, meter.updated)
        # A caller that waits exactly as long as it has to comes at 0.999999.
        room = meter.tokens >= 1 - 1e-6
        meter.tokens -= room
        return room

    def _in_window(self, meter: _Meter, now: float) -> bool:
        window = self.window or 0.0
        while meter.calls and meter.calls[0] <= now - window:
            meter.calls.popleft()
        room = len(meter.calls) < int(self.per_second * window + 1e-6)
        if room:
            meter.calls.append(now)
        return room
