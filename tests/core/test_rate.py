"""Buckets: below the documented limit, slower after a throttle, and back again."""

# pyright: reportUnknownMemberType=false
# pytest.approx is only half typed.

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.rate import Bucket, Limiter, Rate


def test_a_burst_goes_at_once_and_then_calls_are_spaced() -> None:
    """Ten a second with a burst of two."""
    bucket = Bucket(10.0, 2.0)

    assert pytest.approx([0.0, 0.0, 0.1, 0.2, 0.3]) == [bucket.take(100.0) for _ in range(5)]


def test_tokens_grow_with_time_up_to_the_burst() -> None:
    """A night of rest does not allow a thousand calls in the morning."""
    bucket = Bucket(10.0, 2.0)
    for _ in range(3):
        bucket.take(0.0)

    assert pytest.approx([0.0, 0.0, 0.1]) == [bucket.take(10_000.0) for _ in range(3)]


def test_a_reservation_given_back_is_free_again() -> None:
    """A call that had no time to wait must not slow the others."""
    bucket = Bucket(10.0, 1.0)
    bucket.take(0.0)
    assert pytest.approx(0.1) == bucket.take(0.0)
    bucket.give_back()

    assert pytest.approx(0.1) == bucket.take(0.0)


def test_giving_back_never_exceeds_the_burst() -> None:
    """Nor does it invent calls."""
    bucket = Bucket(10.0, 1.0)
    bucket.take(0.0)
    for _ in range(5):
        bucket.give_back()

    assert 1.0 == bucket.tokens


def test_a_throttle_slows_down_once_for_a_burst_of_news() -> None:
    """Sixteen threads that are refused together are told one thing."""
    bucket = Bucket(10.0, 10.0)
    for moment in (100.0, 100.1, 100.49):
        bucket.throttled(moment)

    assert pytest.approx(7.0) == bucket.rate
    bucket.throttled(100.5)
    assert pytest.approx(4.9) == bucket.rate


def test_after_a_throttle_nothing_is_left_of_the_burst() -> None:
    """What was saved up is what was refused."""
    bucket = Bucket(10.0, 10.0)
    bucket.throttled(0.0)

    assert 0.0 < bucket.take(0.0)


def test_the_rate_has_a_floor_and_comes_back() -> None:
    """A provider in trouble for a minute must not stop us for the day."""
    bucket = Bucket(10.0, 1.0)
    for number in range(30):
        bucket.throttled(number / 2)
    assert 0.5 == bucket.rate
    bucket.take(16.0)
    assert 0.5 < bucket.rate < 10.0
    bucket.take(60.0)

    assert 10.0 == bucket.rate


def test_the_floor_does_not_lift_a_slow_limit() -> None:
    """A limit of one call in ten seconds stays one."""
    bucket = Bucket(0.1, 1.0)
    bucket.throttled(0.0)

    assert 0.1 >= bucket.rate


def test_clocks_that_two_threads_read_in_another_order_give_no_extra_calls() -> None:
    """A thread that was held up comes with an older time."""
    bucket = Bucket(10.0, 1.0)
    bucket.take(10.0)
    for _ in range(50):
        bucket.take(9.0)
        bucket.take(10.0)

    assert pytest.approx(10.1) == bucket.take(10.0)


@given(
    st.floats(0.5, 50),
    st.floats(1, 20),
    st.lists(st.floats(0, 0.5), min_size=1, max_size=200),
)
def test_no_window_sees_more_than_burst_and_rate_allow(
    rate: float, burst: float, gaps: list[float]
) -> None:
    """That is what the provider counts."""
    bucket = Bucket(rate, burst)
    now, sent = 0.0, list[float]()
    for gap in gaps:
        now += gap
        sent.append(now + bucket.take(now))
    for number, moment in enumerate(sent):
        window = [one for one in sent[: number + 1] if one >= sent[0]]

        assert len(window) <= burst + rate * (moment - sent[0]) + 1.001


def test_a_limiter_stays_a_tenth_below_the_documented_limit() -> None:
    """Clocks differ, and somebody else uses the account too."""
    bucket = Limiter().bucket("a", Rate(per_second=20))

    assert (18.0, 18.0) == (bucket.full, bucket.burst)


def test_a_small_limit_still_allows_one_call() -> None:
    """A bucket that can never hold a token would wait for ever."""
    assert 1.0 == Limiter().bucket("a", Rate(per_second=0.2)).burst


def test_the_same_key_is_the_same_bucket_from_every_thread() -> None:
    """The provider counts calls of an account, not of a thread."""
    limiter, found = Limiter(), list[Bucket]()
    gate = threading.Barrier(16)

    def ask() -> None:
        gate.wait()
        found.append(limiter.bucket(("moon", "a"), Rate(per_second=5)))

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 16 == len(found)
    assert 1 == len({id(bucket) for bucket in found})
    assert limiter.bucket(("moon", "b"), Rate(per_second=5)) is not found[0]


def test_threads_that_take_at_once_get_turns_of_their_own() -> None:
    """Two calls in one turn are one too many."""
    bucket, waits = Bucket(10.0, 1.0), list[float]()
    threads = [threading.Thread(target=lambda: waits.append(bucket.take(0.0))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert pytest.approx([number / 10 for number in range(20)]) == sorted(waits)
