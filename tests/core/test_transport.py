"""From an operation to its answer, with a scripted server and a clock that only tests move."""

# pyright: reportUnknownMemberType=false
# pytest.approx is only half typed.

import json
import logging
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any, cast

import attrs
import pytest

from snapkit.answers import read_json
from snapkit.credentials import Credentials, StaticSource
from snapkit.errors import (
    AuthenticationError,
    CredentialsMissingError,
    DeadlineExceededError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    Retry,
    Sent,
    SnapkitError,
    ThrottledError,
    TransportError,
    UnavailableError,
)
from snapkit.http import Http, HttpRequest, HttpResponse
from snapkit.rate import Limiter, Rate
from snapkit.retry import Quota, RetryPolicy, Safety
from snapkit.transport import Call, Clock, Direct, Moment, Transport

CANARY = "CANARY-5ecret"
KEYS = Credentials(key_id="AK1", secret=CANARY, token=f"{CANARY}-token")
URL = "https://api.moon.invalid"
START = 1_772_323_200.0
"""2026-03-01, on a whole second."""
LIST = Call(operation="List", url=URL)
ONCE = Call(operation="Create", url=URL, safety=Safety.ONCE)
OK: dict[str, Any] = {"items": []}


@attrs.define
class Time:
    """A clock that moves when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = attrs.field(factory=list[float])
    chance: float = 1.0
    made: int = 0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds

    def token(self, size: int) -> bytes:
        self.made += 1
        return self.made.to_bytes(size, "big")

    @property
    def clock(self) -> Clock:
        return Clock(
            wall=lambda: START + self.now,
            monotonic=lambda: self.now,
            sleep=self.sleep,
            uniform=lambda low, high: low + self.chance * (high - low),
            token=self.token,
        )


Step = SnapkitError | HttpResponse | Callable[[], SnapkitError | HttpResponse]


@attrs.define
class ScriptedHttp:
    """Answers from a list, the last one for ever."""

    time: Time
    script: list[Step]
    seconds: float = 0.1
    """How long each answer takes."""
    requests: list[HttpRequest] = attrs.field(factory=list[HttpRequest])

    def send(
        self, request: HttpRequest, *, connect: float, read: float, remaining: Callable[[], float]
    ) -> HttpResponse:
        assert remaining() > 0, "sent after the deadline"
        self.requests.append(request)
        self.time.now += self.seconds
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        step = step() if callable(step) else step
        if isinstance(step, SnapkitError):
            raise step
        return step

    def close(self) -> None:
        """Nothing is open."""


@attrs.define
class Api:
    """An adapter that signs with all it is given, and reads codes."""

    moments: list[Moment] = attrs.field(factory=list[Moment])
    keys: list[Credentials] = attrs.field(factory=list[Credentials])

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        self.moments.append(moment)
        self.keys.append(credentials)
        signature = f"{credentials.secret.reveal()}/{moment.nonce}"
        return HttpRequest(method="POST", url=call.url, headers={"Authorization": signature})

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        reply = read_json(response)
        code = reply.get("code")
        if code is None:
            return reply
        raise {
            "Throttled": ThrottledError("slow down", code=code, request_id="R1"),
            "Clock": AuthenticationError("expired", code=code, retry=Retry.REPAIR),
            "Signature": AuthenticationError("mismatch", code=code),
            "Denied": PermissionDeniedError("no", code=code),
            "Gone": NotFoundError("no", code=code),
            "Ill": UnavailableError("ill", code=code),
        }[code]


def reply(code: str | None = None, status: int = 200, **headers: str) -> HttpResponse:
    body = OK if code is None else {"code": code}
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status=status, headers=said, body=json.dumps(body).encode())


@attrs.define
class Bench:
    """A transport and everything that it was given."""

    time: Time
    http: ScriptedHttp
    api: Api
    transport: Transport

    def call(self, call: Call = LIST) -> Mapping[str, Any]:
        return self.transport.call(self.api, call)

    def fails(self, kind: type[SnapkitError], call: Call = LIST) -> SnapkitError:
        with pytest.raises(kind) as caught:
            self.call(call)
        return caught.value

    @property
    def sent(self) -> int:
        return len(self.http.requests)


def bench(*script: Step, seconds: float = 0.1, **settings: Any) -> Bench:
    time = Time()
    server = ScriptedHttp(time, list(script), seconds)
    fields: dict[str, Any] = {"credentials": StaticSource(KEYS), "clock": time.clock} | settings
    transport = Transport(
        provider="moon",
        account="me",
        region="sea",
        http=server,  # type: ignore[arg-type] # a stand-in that has what is used
        **fields,
    )
    return Bench(time, server, Api(), transport)


def test_an_answer_is_one_request() -> None:
    """Nothing is asked twice for no reason."""
    one = bench(reply())

    assert OK == one.call()
    assert (1, []) == (one.sent, one.time.slept)


@pytest.mark.faults(13)
def test_one_throttle_then_ok_is_exactly_two_calls() -> None:
    """The vendors' own kits have been seen to make three, or none."""
    one = bench(reply("Throttled"), reply())

    assert OK == one.call()
    assert 2 == one.sent


@pytest.mark.faults(36, 43)
@pytest.mark.parametrize(
    ("step", "calls"),
    [
        (TransportError("cut"), 4),
        (ProtocolError("html"), 4),
        (reply("Ill"), 4),
        (reply("Throttled"), 8),
        (reply("Denied"), 1),
        (reply("Gone"), 1),
        (reply("Signature"), 1),
        (reply("Clock"), 2),
        (TransportError("tls", retry=Retry.NEVER), 1),
        (DeadlineExceededError("late"), 1),
    ],
)
def test_each_kind_of_failure_has_its_number_of_attempts(step: Step, calls: int) -> None:
    """Patience where it helps, and no more."""
    one = bench(step, policy=RetryPolicy(call_timeout=1000))
    error = one.fails(SnapkitError)

    assert (calls, calls) == (one.sent, error.attempts)


def test_throttles_and_faults_are_counted_apart() -> None:
    """Three throttles must not use up the patience for a cut line."""
    steps = [reply("Throttled")] * 3 + [TransportError("cut")] * 3 + [reply()]
    one = bench(*steps, policy=RetryPolicy(call_timeout=1000))

    assert OK == one.call()
    assert 7 == one.sent


def test_each_attempt_is_signed_anew() -> None:
    """A repeated nonce is refused, and a signature grows old while waiting."""
    one = bench(reply("Ill"), reply("Ill"), reply())
    one.call()
    moments = one.api.moments

    assert 3 == len({moment.nonce for moment in moments})
    assert sorted({moment.time for moment in moments}) == [moment.time for moment in moments]
    assert 3 == len({request.headers["Authorization"] for request in one.http.requests})


def test_a_moment_has_a_nonce_in_two_forms() -> None:
    """Some APIs want a text, others a positive number of 31 bits."""
    for entropy in (b"\0" * 16, b"\xff" * 16, bytes(range(16))):
        moment = Moment(time=0.0, entropy=entropy)

        assert entropy.hex() == moment.nonce
        assert 0 < moment.number < 2**31


@pytest.mark.faults(12)
@pytest.mark.parametrize("code", ["Ill", "Throttled"])
def test_the_deadline_lies_over_everything(code: str) -> None:
    """Never slept past: the caller's time is up when it is up."""
    one = bench(reply(code), policy=RetryPolicy(call_timeout=5.0, throttled=99, transient=99))
    error = one.fails(SnapkitError)

    assert one.time.now < 5.0
    assert code == error.code


def test_a_transport_has_a_deadline_of_its_own() -> None:
    """A scope's time bounds each call in it."""
    one = bench(reply("Ill"), deadline=0.25)
    one.fails(UnavailableError)

    assert (1, []) == (one.sent, one.time.slept)


def test_a_deadline_that_has_passed_sends_nothing() -> None:
    """And says so, with the place."""
    one = bench(reply(), deadline=-1.0)
    error = one.fails(DeadlineExceededError)

    assert (0, 0, Sent.NO, "moon", "List") == (
        one.sent,
        error.attempts,
        error.sent,
        error.provider,
        error.operation,
    )


@pytest.mark.faults(40)
def test_a_long_retry_after_fails_at_once() -> None:
    """Waiting for what lies beyond the deadline helps nobody."""
    one = bench(reply("Throttled", retry_after="3600"))
    error = one.fails(ThrottledError)

    assert (1, [], 3600.0) == (one.sent, one.time.slept, error.retry_after)


@pytest.mark.faults(40)
def test_a_short_retry_after_is_waited_for() -> None:
    """The provider knows best."""
    one = bench(reply("Throttled", retry_after="7"), reply())
    one.call()

    assert 7.0 <= sum(one.time.slept) < 9.0


@pytest.mark.faults(40, 41)
@pytest.mark.parametrize("header", ["soon", "", "-1", "Sun, 99 Foo 2026 00:00:00 GMT"])
def test_a_retry_after_of_nonsense_is_ignored(header: str) -> None:
    """Gateways write anything."""
    one = bench(reply("Ill", retry_after=header), reply())
    one.call()

    assert sum(one.time.slept) <= 0.2


def test_an_error_says_where_it_happened() -> None:
    """A sweep over forty scopes shows it in one line."""
    error = bench(reply("Denied")).fails(PermissionDeniedError)

    assert ("moon", "me", "sea", "List", "Denied", 1) == (
        error.provider,
        error.account,
        error.region,
        error.operation,
        error.code,
        error.attempts,
    )


@pytest.mark.parametrize(
    ("step", "calls"),
    [
        (TransportError("cut"), 1),
        (reply("Ill"), 1),
        (ProtocolError("html"), 1),
        (TransportError("refused", sent=Sent.NO), 4),
        (reply("Throttled"), 8),
    ],
)
def test_what_must_happen_once_is_not_sent_again_after_it_may_have_arrived(
    step: Step, calls: int
) -> None:
    """Two snapshots for one request are a bill; two rollbacks are a loss."""
    one = bench(step, policy=RetryPolicy(call_timeout=1000))
    one.fails(SnapkitError, ONCE)

    assert calls == one.sent


def test_a_quota_stops_the_retries_of_a_client_in_trouble() -> None:
    """And the error says that this is why."""
    one = bench(reply("Ill"), quota=Quota(size=20))
    error = one.fails(UnavailableError)

    assert 2 == one.sent
    assert "retries are used up" in str(error)


def test_a_success_after_a_retry_gives_its_price_back() -> None:
    """A single hiccup each hour must not add up to no patience."""
    quota = Quota(size=500)
    bench(reply("Ill"), reply(), quota=quota).call()

    assert 500 == quota.left


class TestClockSkew:
    """A clock that is minutes off, and servers that lie about theirs."""

    def behind(self, seconds: float, **headers: str) -> HttpResponse:
        date = formatdate(START + seconds, usegmt=True)
        return reply("Clock", status=400, **({"date": date} | headers))

    @pytest.mark.faults(50)
    def test_it_is_corrected_once_with_one_warning(self, caplog: pytest.LogCaptureFixture) -> None:
        """Then every call of this transport is right."""
        one = bench(self.behind(420), reply())
        with caplog.at_level(logging.WARNING):
            one.call()
            one.call()

        assert 3 == one.sent
        assert 419 < one.api.moments[1].time - START < 422
        assert ["this machine's clock is 420 s behind the clock of moon"] == caplog.messages

    @pytest.mark.faults(50)
    def test_a_clock_ahead_is_corrected_too(self, caplog: pytest.LogCaptureFixture) -> None:
        """By a day at most."""
        one = bench(self.behind(-3600), reply())
        one.call()

        assert -3602 < one.api.moments[1].time - START < -3598
        assert "3600 s ahead of the clock of moon" in caplog.text

    @pytest.mark.parametrize("seconds", [0, 30, 59, -58, 25 * 3600, -25 * 3600])
    def test_less_than_a_minute_or_more_than_a_day_is_no_reason(
        self, seconds: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The first does no harm; the second is a server that lies."""
        one = bench(self.behind(seconds), reply())
        one.call()

        assert 0.0 == one.transport.skew
        assert "" == caplog.text

    @pytest.mark.parametrize(
        "headers", [{"age": "420"}, {"date": "yesterday"}, {"date": ""}], ids=str
    )
    @pytest.mark.faults(51)
    def test_a_cached_or_broken_date_is_not_believed(self, headers: dict[str, str]) -> None:
        """A cache keeps the time of yesterday."""
        one = bench(self.behind(420, **headers), reply())
        one.call()

        assert 0.0 == one.transport.skew

    def test_a_date_over_plain_http_from_afar_is_not_believed(self) -> None:
        """Anybody on the way could make us sign for tomorrow."""
        one = bench(self.behind(420), reply())
        one.call(Call(operation="List", url="http://api.moon.invalid"))

        assert 0.0 == one.transport.skew

    def test_a_correction_that_no_longer_holds_is_taken_back(self) -> None:
        """Somebody set this machine's clock meanwhile."""
        one = bench(self.behind(0), reply())
        one.transport.skew = 420.0
        one.call()

        assert 0.0 == one.transport.skew
        assert abs(one.api.moments[1].time - START) < 1

    def test_a_second_refusal_is_final(self) -> None:
        """A wrong secret is not mended by the time."""
        one = bench(self.behind(420))
        error = one.fails(AuthenticationError)

        assert (2, 2) == (one.sent, error.attempts)


@attrs.define
class Rotating:
    """Temporary keys that are exchanged when they are refused."""

    number: int = 1
    stale: list[Credentials] = attrs.field(factory=list[Credentials])

    def get(self) -> Credentials:
        return Credentials(key_id=f"AK{self.number}", secret=f"s{self.number}")

    def refresh(self, stale: Credentials) -> bool:
        self.stale.append(stale)
        self.number += 1
        return True


@pytest.mark.parametrize("skew", [0.0, 420.0])
@pytest.mark.faults(45)
def test_stale_keys_are_exchanged_once(skew: float) -> None:
    """A clock that was corrected before must not stand in the way."""
    keys = Rotating()
    date = formatdate(START + skew, usegmt=True)
    one = bench(reply("Clock", date=date), reply(), credentials=keys)
    one.transport.skew = skew
    one.call()

    assert ["AK1", "AK2"] == [found.key_id for found in one.api.keys]
    assert ["AK1"] == [found.key_id for found in keys.stale]


def test_missing_credentials_were_not_sent() -> None:
    """And no attempt is counted."""

    class Nothing:
        def get(self) -> Credentials:
            raise CredentialsMissingError("none")

        def refresh(self, stale: Credentials) -> bool:
            return False

    one = bench(reply(), credentials=Nothing())
    error = one.fails(CredentialsMissingError)

    assert (0, 0, "sea") == (one.sent, error.attempts, error.region)


def test_the_rate_limit_comes_first() -> None:
    """Five calls at two a second take two seconds, and nothing is refused."""
    rates = {"List": Rate(per_second=2, burst=1)}
    one = bench(reply(), seconds=0.0, rates=rates, limiter=Limiter(share=1.0))
    for _ in range(5):
        one.call()

    assert pytest.approx(2.0) == sum(one.time.slept)


@pytest.mark.parametrize(("regional", "waits"), [(True, False), (False, True)])
@pytest.mark.faults(44)
def test_regions_share_a_budget_only_where_the_limit_is_the_accounts(
    regional: bool, waits: bool
) -> None:
    """The provider counts one way or the other."""
    limiter = Limiter(share=1.0)
    rates = {"List": Rate(per_second=1, burst=1, regional=regional)}
    first = bench(reply(), seconds=0.0, rates=rates, limiter=limiter)
    second = bench(reply(), seconds=0.0, rates=rates, limiter=limiter)
    second.transport.region = "dust"
    first.call()
    second.call()

    assert waits is bool(second.time.slept)


@pytest.mark.faults(44)
def test_a_throttle_slows_all_that_share_the_budget() -> None:
    """One refusal is news for every thread."""
    limiter = Limiter()
    one = bench(reply("Throttled"), reply(), limiter=limiter, rates={"": Rate(per_second=10)})
    one.call()
    (bucket,) = limiter.buckets.values()

    assert bucket.rate < 9.0


def test_no_time_for_the_rate_limit_is_said_before_sending() -> None:
    """The budget is not used up by a call that cannot be made."""
    rates = {"List": Rate(per_second=0.01, burst=1)}
    one = bench(reply(), rates=rates)
    one.call()
    error = one.fails(DeadlineExceededError)

    assert (1, Sent.NO, 0) == (one.sent, error.sent, error.attempts)
    assert "rate limit" in str(error)


def test_a_clock_that_stands_still_does_not_keep_a_waiting_call_busy() -> None:
    """Tests of users replace the sleep and nothing else."""
    rates = {"List": Rate(per_second=1, burst=1)}
    one = bench(reply(), rates=rates, limiter=Limiter(share=1.0))
    slept: list[float] = []
    one.transport.clock = attrs.evolve(
        one.transport.clock, monotonic=lambda: 7.0, sleep=slept.append
    )
    for _ in range(3):
        one.call()

    assert 3 == one.sent
    assert 2 <= len(slept) <= 3


def test_waiting_calls_hear_of_a_throttle() -> None:
    """Their moment moves, because it was reckoned from a rate that is no longer right."""
    rates = {"List": Rate(per_second=10, burst=1)}
    limiter = Limiter(share=1.0)
    one = bench(reply(), seconds=0.0, rates=rates, limiter=limiter)
    one.call()
    (bucket,) = limiter.buckets.values()
    sleep, slept = one.transport.clock.sleep, list[float]()

    def pause(seconds: float) -> None:
        sleep(seconds)
        slept.append(seconds)
        if len(slept) == 1:
            bucket.throttled(one.transport.clock.monotonic() - seconds / 2)

    one.transport.clock = attrs.evolve(one.transport.clock, sleep=pause)
    bucket.join(one.transport.clock.monotonic())
    one.call()

    assert len(slept) > 1
    assert sum(slept) > 0.21


def test_what_the_provider_said_counts_more_than_the_clock() -> None:
    """Throttled until the time was up is throttled, not late."""
    rates = {"List": Rate(per_second=0.1, burst=1)}
    one = bench(reply("Throttled"), rates=rates, policy=RetryPolicy(call_timeout=5, base=0.1))
    one.time.chance = 0.01
    error = one.fails(ThrottledError)

    assert 1 == error.attempts


def test_nothing_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Debug logs are pasted into tickets."""
    with caplog.at_level(logging.DEBUG):
        bench(reply("Ill"), reply("Clock"), reply("Throttled"), reply()).call()
        bench(reply("Denied")).fails(PermissionDeniedError)

    assert "List: HTTP 200" in caplog.text
    assert "again in" in caplog.text
    assert CANARY not in caplog.text
    assert CANARY not in repr(bench(reply()).transport)


def test_an_adapters_bug_is_not_dressed_up() -> None:
    """A KeyError in an adapter is its author's to see."""

    class Broken(Api):
        def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
            raise KeyError("field")

    one = bench(reply())
    with pytest.raises(KeyError):
        one.transport.call(Broken(), LIST)

    assert 1 == one.sent


@attrs.define
class Files:
    """An adapter's end of a wire that is none; fails by a list, and then works."""

    failures: list[Exception] = attrs.field(factory=list[Exception])
    seen: list[tuple[str, str, float]] = attrs.field(factory=list[tuple[str, str, float]])

    def perform(self, call: Call, credentials: Credentials, moment: Moment) -> Mapping[str, Any]:
        self.seen.append((call.operation, credentials.key_id, moment.time))
        if self.failures:
            raise self.failures.pop(0)
        return OK


def direct(time: Time, **settings: Any) -> Transport:
    return Transport(
        provider="moon",
        account="prod",
        region="sea",
        credentials=StaticSource(KEYS),
        http=cast("Http", ScriptedHttp(time, [])),
        clock=time.clock,
        **settings,
    )


def test_an_adapter_without_http_performs_its_calls_itself() -> None:
    """Files have no requests, and no address is needed."""
    files, time = Files(), Time()

    assert isinstance(files, Direct)
    assert OK == direct(time).call(files, Call(operation="List"))
    assert [("List", "AK1", START)] == files.seen


def test_without_http_failures_are_retried_and_located_as_ever() -> None:
    """Whoever reads a fleet's report need not know how a provider is reached."""
    files, time = Files([UnavailableError("ill", code="EIO")] * 9), Time()
    with pytest.raises(UnavailableError) as caught:
        direct(time, policy=RetryPolicy(transient=3)).call(files, Call(operation="List"))

    assert 3 == len(files.seen) == caught.value.attempts
    assert ("moon", "prod", "sea", "List") == (
        caught.value.provider,
        caught.value.account,
        caught.value.region,
        caught.value.operation,
    )
    assert len(time.slept) == 2
    assert files.seen[0][2] < files.seen[-1][2]


def test_without_http_what_may_have_been_done_is_not_done_again() -> None:
    """A copy that timed out may be there."""
    files = Files([UnavailableError("ill", code="EIO")])
    with pytest.raises(UnavailableError):
        direct(Time()).call(files, Call(operation="Create", safety=Safety.ONCE))

    assert 1 == len(files.seen)


def test_without_http_an_adapters_slip_is_not_hidden() -> None:
    """What is no SnapkitError is a bug in the adapter, and its traceback helps to find it."""
    files = Files([KeyError("zone")])
    with pytest.raises(KeyError):
        direct(Time()).call(files, Call(operation="List"))
