"""Temporary credentials that are renewed before they end, once for all threads."""

import copy
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

import attrs

from snapkit.credentials import Credentials
from snapkit.errors import CredentialsMissingError, SnapkitError
from snapkit.transport import Clock

__all__ = ["RefreshingSource"]

_LOG = logging.getLogger(__name__)
_PAUSE = 60.0
"""Seconds between two tries while the old credentials are still good."""


@attrs.frozen(kw_only=True)
class _Held:
    """Credentials, and when to see about others, in seconds since 1970."""

    credentials: Credentials
    renew_from: float
    renew_by: float
    ends: float


@attrs.define(eq=False, kw_only=True)
class RefreshingSource:
    """Credentials that *fetch* gets anew; safe to share between threads.

    From *advisory* seconds before the end one thread asks for others while the rest go on
    with the old ones, and a failure is a warning. From *mandatory* seconds before the end
    everybody waits for the one who asks, and a failure is a CredentialsMissingError. Short
    lives shorten both: to half and to a quarter of what was left on arrival.
    """

    fetch: Callable[[], Credentials] = attrs.field(repr=False)
    """Returns new credentials or raises a SnapkitError; one thread at a time calls it."""
    origin: str
    advisory: float = 900.0
    mandatory: float = 60.0
    clock: Clock = attrs.field(factory=Clock, repr=False)
    _held: _Held | None = attrs.field(default=None, init=False, repr=False)
    _flight: "Future[_Held] | None" = attrs.field(default=None, init=False, repr=False)
    _wait_until: float = attrs.field(default=float("-inf"), init=False, repr=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False, repr=False)

    def get(self) -> Credentials:
        """Return credentials that are valid now, or raise CredentialsMissingError."""
        held, now = self._held, self.clock.wall()
        if held is None or now >= held.renew_by:
            return self._renewed(held).credentials
        if now >= held.renew_from:
            return self._early(held)
        return held.credentials

    def refresh(self, stale: Credentials) -> bool:
        """Drop *stale*, which was refused; return whether there are others now."""
        held = self._held
        if held is not None and held.credentials != stale:
            return True
        try:
            return self._renewed(held).credentials != stale
        except SnapkitError as error:
            _LOG.warning("refused credentials could not be renewed: %s", error)
            return False

    def _early(self, held: _Held) -> Credentials:
        """Return others if they can be had, else the ones held, which are still good."""
        with self._lock:
            busy = self._flight is not None or self.clock.monotonic() < self._wait_until
            if busy or self._held is not held:
                return (self._held or held).credentials
            flight = self._flight = Future[_Held]()
        try:
            return self._fly(flight).credentials
        except SnapkitError as error:
            self._wait_until = self.clock.monotonic() + _PAUSE
            left = held.ends - self.clock.wall()
            _LOG.warning("credentials end in %.0f s and cannot be renewed yet: %s", left, error)
            return held.credentials

    def _renewed(self, seen: _Held | None) -> _Held:
        """Return others than *seen*, fetched by this thread or by the one that is at it."""
        with self._lock:
            if self._held is not None and self._held is not seen:
                return self._held
            flight = self._flight
            mine = flight is None
            if flight is None:
                flight = self._flight = Future[_Held]()
        if mine:
            return self._fly(flight)
        error = flight.exception()
        if error is not None:
            # Each thread raises its own: errors are completed where they are caught.
            raise copy.copy(error) from error.__cause__
        return flight.result()

    def _fly(self, flight: "Future[_Held]") -> _Held:
        """Fetch, and tell everybody who waits for *flight* how it ended."""
        try:
            new = self._fetched()
        except BaseException as error:
            with self._lock:
                self._flight = None
            known = isinstance(error, SnapkitError)
            flight.set_exception(error if known else self._failed("was interrupted"))
            raise
        with self._lock:
            self._held, self._flight = new, None
            self._wait_until = float("-inf")
        flight.set_result(new)
        return new

    def _fetched(self) -> _Held:
        try:
            new = self.fetch()
        except CredentialsMissingError:
            raise
        except SnapkitError as error:
            # Another class here would make the caller's transport repair or repeat its own call.
            raise self._failed(f"failed: {error}") from error
        now = self.clock.wall()
        ends = float("inf") if new.expires_at is None else new.expires_at.timestamp()
        left = ends - now
        if left <= 0:
            raise self._failed("brought credentials that have expired already")
        return _Held(
            credentials=new,
            renew_from=ends - min(self.advisory, left / 2),
            renew_by=ends - min(self.mandatory, left / 4),
            ends=ends,
        )

    def _failed(self, what: str) -> CredentialsMissingError:
        return CredentialsMissingError(f"getting credentials from {self.origin} {what}")
