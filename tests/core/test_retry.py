"""May it be sent again, is it worth it, and when: three pure questions."""

# pyright: reportUnknownMemberType=false
# pytest.approx is only half typed.

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.errors import (
    AuthenticationError,
    ProtocolError,
    ProviderError,
    Retry,
    Sent,
    SnapkitError,
    ThrottledError,
    TransportError,
    UnavailableError,
)
from snapkit.retry import (
    Quota,
    RetryPolicy,
    Safety,
    delay_before,
    may_resend,
    retry_after_of,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("safety", list(Safety))
@pytest.mark.parametrize("sent", list(Sent))
@pytest.mark.parametrize("retry", list(Retry))
def test_what_may_have_arrived_is_not_sent_twice(safety: Safety, sent: Sent, retry: Retry) -> None:
    """A second snapshot costs money, and a second rollback costs data."""
    allowed = retry not in (Retry.NEVER, Retry.STATE) and (
        safety is not Safety.ONCE or sent is Sent.NO
    )

    assert allowed is may_resend(SnapkitError("x", retry=retry, sent=sent), safety)


@pytest.mark.parametrize(
    ("error", "read", "once"),
    [
        (ThrottledError("x"), True, True),
        (UnavailableError("x"), True, False),
        (TransportError("x"), True, False),
        (TransportError("x", sent=Sent.NO), True, True),
        (ProtocolError("x"), True, False),
        (AuthenticationError("x"), False, False),
        (AuthenticationError("x", retry=Retry.REPAIR), True, True),
        (ProviderError("x"), False, False),
    ],
)
def test_the_usual_failures(error: SnapkitError, read: bool, once: bool) -> None:
    """A throttled call was not acted on; a cut one may have been."""
    assert (read, once) == (may_resend(error, Safety.READ), may_resend(error, Safety.ONCE))


@given(
    st.integers(2, 1000),
    st.floats(0, 1),
    st.one_of(st.none(), st.floats(0, 1e9)),
    st.booleans(),
)
def test_a_pause_is_bounded(
    attempt: int, chance: float, retry_after: float | None, throttled: bool
) -> None:
    """However often it failed, and whatever the server asks for."""
    kind = ThrottledError if throttled else TransportError
    error = kind("x", retry_after=retry_after)
    pause = delay_before(attempt, error, RetryPolicy(), lambda low, high: low + chance * high)

    assert 0 <= pause <= 60
    assert pause >= min(retry_after or 0, 60)
    if not retry_after:
        base = 1.0 if throttled else 0.2
        assert pause <= min(20.0, base * 2.0 ** min(attempt - 2, 16))


def test_pauses_grow_to_the_ceiling() -> None:
    """Twice as long each time, from a fifth of a second; from a second when throttled."""

    def longest(low: float, high: float) -> float:
        return high

    transient = [delay_before(n, TransportError("x"), RetryPolicy(), longest) for n in range(2, 11)]
    throttled = [delay_before(n, ThrottledError("x"), RetryPolicy(), longest) for n in range(2, 8)]

    assert pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 20, 20]) == transient
    assert pytest.approx([1, 2, 4, 8, 16, 20]) == throttled


def test_pauses_stop_growing_however_patient_the_policy_is() -> None:
    """Two to the thousandth is no number of seconds."""
    policy = RetryPolicy(longest=1e9)

    def longest(low: float, high: float) -> float:
        return high

    pauses = [delay_before(n, TransportError("x"), policy, longest) for n in (17, 18, 19, 5000)]
    assert pytest.approx([0.2 * 2**15, *[0.2 * 2**16] * 3]) == pauses


def test_patience_is_what_the_documentation_promises() -> None:
    """Four attempts, eight when throttled, a minute over everything."""
    policy = RetryPolicy()

    assert (4, 8, 60.0) == (policy.transient, policy.throttled, policy.call_timeout)
    assert (5.0, 30.0) == (policy.connect_timeout, policy.read_timeout)


@pytest.mark.faults(40, 41)
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None), ("", None), ("0", 0.0), ("7", 7.0), (" 7 ", 7.0),
        ("Sun, 01 Mar 2026 00:00:30 GMT", 30.0), ("Sun, 01 Mar 2026 00:00:30", 30.0),
        ("Sun, 01 Mar 2026 08:00:30 +0800", 30.0), ("Sat, 28 Feb 2026 00:00:00 GMT", 0.0),
        ("soon", None), ("-5", None), ("1.5", None), ("7 seconds", None), ("９", None),
        ("9" * 9, 999999999.0), ("9" * 10, None), ("9" * 400, None),
        ("Sun, 99 Mar 2026 00:00:30 GMT", None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_or_ignored(
    header: str | None, seconds: float | None
) -> None:
    """Gateways write anything."""
    assert seconds == retry_after_of(header, NOW)


@pytest.mark.faults(40)
def test_a_date_in_a_far_year_is_waited_for_a_minute_at_most() -> None:
    """It would look like a hang."""
    wait = retry_after_of("Thu, 31 Dec 2099 23:59:59 GMT", NOW)

    assert wait is not None
    assert wait > 1e9
    error = ThrottledError("x", retry_after=wait)
    assert 60.0 == delay_before(2, error, RetryPolicy(), lambda low, high: low)


@pytest.mark.faults(40)
@given(st.text())
def test_no_header_raises(header: str) -> None:
    """A header is advice, not a reason to fail."""
    wait = retry_after_of(header, NOW)

    assert wait is None or wait >= 0


def test_a_quota_is_spent_and_earned_back() -> None:
    """An ill provider is not helped by four times the calls."""
    quota = Quota(size=40)

    assert [14, 14, 0] == [quota.spend(TransportError("x")) for _ in range(3)]
    assert [5, 5, 0] == [quota.spend(ThrottledError("x")) for _ in range(3)]
    quota.earn(14)
    assert 14 == quota.spend(UnavailableError("x"))


def test_the_last_of_a_quota_is_spent_too() -> None:
    """What is exactly enough is enough."""
    quota = Quota(size=14)

    assert [14, 0] == [quota.spend(TransportError("x")) for _ in range(2)]


def test_a_quota_is_five_hundred_and_shows_only_figures() -> None:
    """Thirty-five retries of broken calls, a hundred of throttled ones; a lock is no figure."""
    assert "Quota(size=500, transient=14, throttled=5, left=500)" == repr(Quota())


def test_a_quota_never_grows_beyond_its_size() -> None:
    """A day of successes is no credit for an hour of failures."""
    quota = Quota(size=20)
    for _ in range(100):
        quota.earn(14)

    assert 20 == quota.left
