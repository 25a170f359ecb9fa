"""Drivers opened to be listened to: where they send, and what time the provider has."""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime

import attrs

from snapkit.credentials import Credentials
from snapkit.driver import Driver
from snapkit.errors import Retry, SnapkitError
from snapkit.http import Http, HttpRequest, HttpResponse
from snapkit.query import SnapshotQuery
from snapkit.retry import RetryPolicy
from snapkit.settings import Target, open_driver
from snapkit.transport import Clock

__all__ = ["Listening", "address_of", "opened"]


class Listening(Http):
    """Takes the provider's time from the first answer that tells it."""

    def __init__(self, ca_bundle: str | None, clock: Clock) -> None:
        super().__init__(ca_bundle=ca_bundle)
        self.clock = clock
        self.ahead: float | None = None
        """Seconds by which the provider's clock is ahead of this machine's."""

    def send(
        self, request: HttpRequest, *, connect: float, read: float, remaining: Callable[[], float]
    ) -> HttpResponse:
        """Return the answer, and remember its Date; a cached answer (Age) may lie."""
        started = self.clock.wall()
        response = super().send(request, connect=connect, read=read, remaining=remaining)
        middle = (started + self.clock.wall()) / 2
        if self.ahead is None and "age" not in response.headers:
            self.ahead = _ahead(response.headers.get("date"), middle)
        return response


def _ahead(date: str | None, now: float) -> float | None:
    """Return how far *date* is ahead of *now*; half a second makes up for its cut seconds."""
    try:
        return parsedate_to_datetime(date or "").timestamp() + 0.5 - now
    except (ValueError, TypeError, OverflowError):
        return None


class _Enough(SnapkitError):
    """The address of the first request is known; it shall not go out."""

    default_retry = Retry.NEVER


class _Blind(Listening):
    """Sends nothing and keeps the address."""

    url: str | None = None

    def send(
        self, request: HttpRequest, *, connect: float, read: float, remaining: Callable[[], float]
    ) -> HttpResponse:
        del connect, read, remaining
        self.url = request.url
        raise _Enough("not sent")


@contextmanager
def opened(target: Target, http: Http, *, timeout: float, clock: Clock) -> Generator[Driver]:
    """Give a driver that tries once and waits *timeout* seconds; close it and *http* after."""
    policy = RetryPolicy(
        transient=1,
        throttled=1,
        connect_timeout=timeout,
        read_timeout=timeout,
        call_timeout=timeout,
    )
    try:
        driver = open_driver(target, http=http, policy=policy, clock=clock)
        try:
            yield driver
        finally:
            driver.close()
    finally:
        http.close()


def address_of(target: Target, clock: Clock) -> str | None:
    """Return where the first request for *target* would go; nothing is sent.

    None where the adapter goes ways of its own. Raises what the adapter raises before sending.
    """
    keys = Credentials(key_id="nobody", secret="none")  # noqa: S106 - signs what is not sent
    http = _Blind(target.ca_bundle, clock)
    unsigned = attrs.evolve(target, credentials=keys)
    with opened(unsigned, http, timeout=1.0, clock=clock) as driver, suppress(_Enough):
        driver.list_snapshots(SnapshotQuery(), cursor=None, limit=1)
    return http.url
