"""From an operation to its answer: sign, send, classify, and again where that is right.

The retry stands above the signer, so each attempt has its own time, nonce and signature. The
rate limit comes first and one deadline lies over everything.
"""

import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, Protocol, cast, runtime_checkable

import attrs

from snapkit.credentials import Credentials, CredentialSource
from snapkit.errors import (
    DeadlineExceededError,
    ProtocolError,
    Retry,
    Sent,
    SnapkitError,
    ThrottledError,
)
from snapkit.http import Http, HttpRequest, HttpResponse
from snapkit.masking import Withheld
from snapkit.rate import Bucket, Limiter, Rate
from snapkit.retry import Quota, RetryPolicy, Safety, delay_before, may_resend, retry_after_of

__all__ = ["Api", "Call", "Clock", "Direct", "Moment", "Transport"]

_LOG = logging.getLogger(__name__)
SMALLEST_SKEW = 60.0
LARGEST_SKEW = 24 * 3600.0


@attrs.frozen(kw_only=True)
class Clock:
    """Time, sleep and chance, so that tests can hold them."""

    wall: Callable[[], float] = time.time
    """Seconds since 1970."""
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform
    token: Callable[[int], bytes] = secrets.token_bytes


@attrs.frozen(kw_only=True)
class Moment:
    """What makes one attempt different from the next."""

    time: float
    """Seconds since 1970 on the provider's clock, as far as it is known."""
    entropy: bytes
    """16 random bytes."""

    @property
    def nonce(self) -> str:
        """A text that no other attempt has."""
        return self.entropy.hex()

    @property
    def number(self) -> int:
        """A positive whole number of at most 31 bits, for APIs whose nonce is one."""
        return int.from_bytes(self.entropy[:4], "big") % (2**31 - 1) + 1


@attrs.frozen(kw_only=True)
class Call:
    """One operation to perform: the adapter's own words, plus what a retry must know."""

    operation: str
    url: str = ""
    params: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    safety: Safety = Safety.READ
    service: str = ""
    """Which of a provider's products and API versions, where the adapter speaks to several."""


class Api(Protocol):
    """What an adapter contributes to a call: how to sign, and how to read the answer."""

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return the request to send; pure, called anew for each attempt."""
        ...

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        """Return the payload, or raise the SnapkitError that the answer means.

        HTTP 200 is not success: decide by the provider's code.
        """
        ...


@runtime_checkable
class Direct(Protocol):
    """What an adapter contributes instead where there is no HTTP: files, a socket, a program.

    Rate, retry, deadline and the place in errors are the core's, as for an ``Api``.
    """

    def perform(self, call: Call, credentials: Credentials, moment: Moment) -> Mapping[str, Any]:
        """Carry *call* out and return the payload; called anew for each attempt.

        Raises the SnapkitError that a failure means, with ``sent`` MAYBE where it cannot be
        told whether anything was done. All other exceptions pass through as they are.
        """
        ...


@attrs.define(kw_only=True)
class Transport:
    """Performs calls for one account in one region."""

    provider: str
    account: str
    region: str
    credentials: CredentialSource
    http: Http
    limiter: Limiter = attrs.field(factory=Limiter)
    rates: Mapping[str, Rate] = attrs.field(factory=dict[str, Rate])
    """Documented limits by operation; the entry ``""`` is for all others together."""
    policy: RetryPolicy = attrs.field(factory=RetryPolicy)
    clock: Clock = attrs.field(factory=Clock)
    quota: Quota = attrs.field(factory=Quota)
    skew: float = 0.0
    """Seconds to add to this machine's clock."""
    deadline: float = float("inf")
    """On the monotonic clock; no call goes on beyond it."""
    own: threading.local = attrs.field(factory=threading.local, repr=False, eq=False)
    """The nearer deadline of a thread, while it has one."""

    @contextmanager
    def ending(self, moment: float) -> Generator[None, None, None]:
        """Let no call of this thread go on beyond *moment* on the monotonic clock, meanwhile."""
        before: float = getattr(self.own, "end", float("inf"))
        self.own.end = min(moment, before)
        try:
            yield
        finally:
            self.own.end = before

    def call(self, api: Api | Direct, call: Call) -> Mapping[str, Any]:
        """Return the payload of the answer to *call*, or raise what went wrong.

        The error carries the provider, account, region, operation and number of attempts.
        """
        own: float = getattr(self.own, "end", float("inf"))
        end = min(self.deadline, own, self.clock.monotonic() + self.policy.call_timeout)
        attempts, sent, throttles, spent, repaired, fresh = 0, 0, 0, 0, False, False
        last: SnapkitError | None = None
        while True:
            if not self._turn_comes(call, end):
                raise last or self._located(
                    DeadlineExceededError(
                        "the rate limit leaves no room for this call in the time allowed",
                        sent=Sent.NO,
                    ),
                    call,
                )
            attempts += 1
            facts, began = _Facts(), self.clock.monotonic()
            try:
                answer = self._attempt(api, call, end, facts, fresh=fresh)
            except SnapkitError as error:
                sent += facts.sent
                error.attempts = sent
                last = self._located(error, call)
                throttled = isinstance(error, ThrottledError)
                throttles += throttled
                if throttled:
                    self._bucket(call).throttled(self.clock.monotonic(), began)
                if not may_resend(error, call.safety):
                    raise
                if error.retry is Retry.REPAIR:
                    if repaired:
                        raise
                    self._repair(facts)
                    repaired = True
                    continue
                if error.retry is Retry.AT_ONCE and not fresh:
                    fresh = True
                    continue
                allowed = self.policy.throttled if throttled else self.policy.transient
                if (throttles if throttled else attempts - throttles) >= allowed:
                    raise
                pause = delay_before(attempts + 1, error, self.policy, self.clock.uniform)
                if self.clock.monotonic() + pause >= end:
                    raise
                cost = self.quota.spend(error)
                if not cost:
                    error.hint = error.hint or "many calls are failing; retries are used up"
                    raise
                spent = cost
                _LOG.debug(
                    "%s: attempt %d: %s; again in %.2f s",
                    call.operation,
                    attempts,
                    type(error).__name__,
                    pause,
                )
                self.clock.sleep(pause)
            else:
                self.quota.earn(spent or 1)
                return answer

    def _bucket(self, call: Call) -> Bucket:
        name = call.operation if call.operation in self.rates else ""
        rate = self.rates.get(name, Rate(per_second=1000.0))
        place = self.region if rate.regional else ""
        return self.limiter.bucket((self.provider, self.account, name, place), rate)

    def _located(self, error: SnapkitError, call: Call) -> SnapkitError:
        return error.locate(
            provider=self.provider,
            account=self.account,
            region=self.region,
            operation=call.operation,
        )

    def _turn_comes(self, call: Call, end: float) -> bool:
        """Wait for the rate limit; return False where that would take too long."""
        bucket = self._bucket(call)
        now = self.clock.monotonic()
        turn = bucket.join(now)
        while True:
            wait = bucket.wait(turn, now)
            if now + bucket.soonest(turn) >= end:
                bucket.leave(turn)
                return False
            if wait <= 0:
                return True
            wait = min(wait, end - now)
            self.clock.sleep(wait)
            # A clock whose sleep takes no time must not keep this loop busy.
            now = max(self.clock.monotonic(), now + wait)

    def _attempt(
        self, api: Api | Direct, call: Call, end: float, facts: "_Facts", *, fresh: bool
    ) -> Mapping[str, Any]:
        facts.credentials = credentials = self.credentials.get()
        moment = Moment(time=self.clock.wall() + self.skew, entropy=self.clock.token(16))
        # Not isinstance, which looks every method of a protocol up.
        if hasattr(api, "perform"):
            facts.sent = True
            return cast("Direct", api).perform(call, credentials, moment)
        api = cast("Api", api)
        request = api.sign(call, credentials, moment)
        request = attrs.evolve(request, fresh=True) if fresh else request
        facts.sent = True
        started = self.clock.wall()
        response = self.http.send(
            request,
            connect=self.policy.connect_timeout,
            read=self.policy.read_timeout,
            remaining=lambda: end - self.clock.monotonic(),
        )
        ended = self.clock.wall()
        _LOG.debug(
            "%s: HTTP %d, %d bytes, %.3f s",
            call.operation,
            response.status,
            len(response.body),
            ended - started,
        )
        try:
            return _read(api, call, response, Withheld.of(request, credentials))
        except SnapkitError as error:
            wait = retry_after_of(response.headers.get("retry-after"), ended)
            error.locate(retry_after=wait)
            facts.ahead = _server_ahead(request, response, (started + ended) / 2)
            raise

    def _repair(self, facts: "_Facts") -> None:
        """Mend what may have led to an authentication failure: the clock, or stale keys.

        The clock is corrected only for a minute to a day; less is no reason to refuse, more is
        a server that lies. A used nonce mends itself with the next attempt.
        """
        ahead = facts.ahead
        if ahead is not None and abs(ahead) < SMALLEST_SKEW:
            ahead = 0.0
        if (
            ahead is not None
            and abs(ahead) <= LARGEST_SKEW
            and abs(ahead - self.skew) >= SMALLEST_SKEW
        ):
            if ahead:
                _LOG.warning(
                    "this machine's clock is %.0f s %s the clock of %s",
                    abs(ahead),
                    "behind" if ahead > 0 else "ahead of",
                    self.provider,
                )
            self.skew = ahead
        elif facts.credentials is not None:
            self.credentials.refresh(facts.credentials)


def _read(api: Api, call: Call, response: HttpResponse, withheld: Withheld) -> Mapping[str, Any]:
    """Return the payload, or raise what the answer means, without anything of the request."""
    try:
        answer = api.read(call, response)
    except SnapkitError as error:
        withheld.leave(error)
        # The frames below hold the answer, and the answer may quote the request.
        error.__traceback__ = None
        raise
    if withheld.stands_in(response.body):
        answer = {}
        raise ProtocolError(
            "the answer repeats the token or the signature of the request",
            retry=Retry.NEVER,
            hint="check the endpoint; no provider does that",
        )
    return answer


@attrs.define
class _Facts:
    """What one attempt found out beside its answer."""

    credentials: Credentials | None = None
    sent: bool = False
    ahead: float | None = None
    """Seconds by which the server's clock is ahead of this machine's."""


def _server_ahead(request: HttpRequest, response: HttpResponse, middle: float) -> float | None:
    """Return how far the server's clock is ahead of ours in seconds, if it can be trusted.

    Half a second is added because the header is cut to whole seconds. A cached answer (Age)
    or an unprotected one may lie.
    """
    header = response.headers.get("date")
    loopback = request.url.startswith(("http://127.", "http://localhost", "http://[::1]"))
    if (
        not header
        or "age" in response.headers
        or not (request.url.startswith("https:") or loopback)
    ):
        return None
    try:
        return parsedate_to_datetime(header).timestamp() + 0.5 - middle
    except (ValueError, TypeError, OverflowError):
        return None
