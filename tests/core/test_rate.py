"""Buckets: below the documented limit, slower after a throttle, and back again.

The last tests are simulations without threads: callers, a provider with a limit of its own
and the time between them, event by event.
"""

# pyright: reportUnknownMemberType=false
# pytest.approx is only half typed.

import heapq
import random
import threading
from collections.abc import Iterator

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.emulator import Throttle
from snapkit.errors import ThrottledError
from snapkit.rate import Bucket, Limiter, Rate, smallest_parts
from snapkit.retry import RetryPolicy, delay_before


def take(bucket: Bucket, now: float) -> float:
    """Return how long a call that joins now has to wait."""
    return bucket.wait(bucket.join(now), now)


def test_a_burst_goes_at_once_and_then_calls_are_spaced() -> None:
    """Ten a second with a burst of two."""
    bucket = Bucket(10.0, 2.0)

    assert pytest.approx([0.0, 0.0, 0.1, 0.2, 0.3]) == [take(bucket, 100.0) for _ in range(5)]


def test_tokens_grow_with_time_up_to_the_burst() -> None:
    """A night of rest does not allow a thousand calls in the morning."""
    bucket = Bucket(10.0, 2.0)
    for _ in range(3):
        take(bucket, 0.0)

    assert pytest.approx([0.0, 0.0, 0.1]) == [take(bucket, 10_000.0) for _ in range(3)]


def test_a_turn_that_is_left_is_free_again() -> None:
    """A call that had no time to wait must not slow the others."""
    bucket = Bucket(10.0, 1.0)
    take(bucket, 0.0)
    turn = bucket.join(0.0)
    assert pytest.approx(0.1) == bucket.wait(turn, 0.0)
    bucket.leave(turn)

    assert pytest.approx(0.1) == take(bucket, 0.0)


def test_who_leaves_moves_up_only_those_behind() -> None:
    """If half of a queue gives up at once, the other half is still spaced."""
    bucket = Bucket(10.0, 1.0)
    turns = [bucket.join(0.0) for _ in range(7)]
    for turn in (turns[2], turns[3], turns[5]):
        bucket.leave(turn)
    left = [turns[index] for index in (0, 1, 4, 6)]

    assert pytest.approx([0.0, 0.1, 0.2, 0.3]) == [bucket.wait(turn, 0.0) for turn in left]


def test_leaving_never_leaves_more_than_the_burst() -> None:
    """Nor does it invent calls."""
    bucket = Bucket(10.0, 1.0)
    turns = [bucket.join(0.0) for _ in range(5)]
    for turn in turns:
        bucket.leave(turn)
    bucket.join(1e6)

    assert 0.0 == bucket.tokens


def test_a_throttle_moves_the_turns_of_those_who_wait_already() -> None:
    """Sixty threads that sleep until the old rate's moment would be refused one by one."""
    bucket = Bucket(10.0, 1.0)
    turns = [bucket.join(0.0) for _ in range(4)]
    bucket.throttled(0.0)

    assert [True, False] == [bucket.wait(turn, 0.1) == 0.0 for turn in turns[:2]]
    assert pytest.approx(1 / 7, rel=0.1) == 0.1 + bucket.wait(turns[1], 0.1)


def test_calls_that_left_before_the_throttle_say_nothing_new() -> None:
    """Their answers come late where the way is long."""
    bucket = Bucket(10.0, 10.0)
    bucket.throttled(100.0, 99.5)
    bucket.throttled(102.0, 99.9)

    assert bucket.rate >= 7.0
    bucket.throttled(102.0, 100.1)
    assert bucket.rate < 7.0


def test_a_throttle_slows_down_once_for_a_burst_of_news() -> None:
    """Sixteen threads that are refused together are told one thing."""
    bucket = Bucket(10.0, 10.0)
    for moment in (100.0, 100.1, 100.49):
        bucket.throttled(moment)

    assert pytest.approx(7.0, rel=0.04) == bucket.rate
    bucket.throttled(100.5)
    assert pytest.approx(4.9, rel=0.04) == bucket.rate


def test_after_a_throttle_nothing_is_left_of_the_burst() -> None:
    """What was saved up is what was refused."""
    bucket = Bucket(10.0, 10.0)
    bucket.throttled(0.0)

    assert 0.0 < take(bucket, 0.0)


def test_the_rate_has_a_floor_and_comes_back() -> None:
    """A provider in trouble for a minute must not stop us for the day."""
    bucket = Bucket(10.0, 1.0)
    for number in range(30):
        bucket.throttled(number / 2)
    assert 0.5 == bucket.rate
    take(bucket, 16.0)
    assert 0.5 < bucket.rate < 10.0
    take(bucket, 60.0)

    assert 10.0 == bucket.rate


def test_the_floor_does_not_lift_a_slow_limit() -> None:
    """A limit of one call in ten seconds stays one."""
    bucket = Bucket(0.1, 1.0)
    bucket.throttled(0.0)

    assert 0.1 >= bucket.rate


def test_clocks_that_two_threads_read_in_another_order_give_no_extra_calls() -> None:
    """A thread that was held up comes with an older time."""
    bucket = Bucket(10.0, 1.0)
    take(bucket, 10.0)
    for _ in range(50):
        take(bucket, 9.0)
        take(bucket, 10.0)

    assert pytest.approx(10.1) == take(bucket, 10.0)


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
        sent.append(now + take(bucket, now))
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
    threads = [threading.Thread(target=lambda: waits.append(take(bucket, 0.0))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert pytest.approx([number / 10 for number in range(20)]) == sorted(waits)


@attrs.define
class Simulation:
    """Callers that share *bucket*, and a provider that holds them to *real*.

    Each caller is a generator that yields the moment at which it wants to go on.
    """

    bucket: Bucket
    real: Throttle
    latency: float = 0.05
    now: float = 0.0
    left: int = 0
    good: int = 0
    refused: list[float] = attrs.field(factory=list[float])
    rates: list[tuple[float, float]] = attrs.field(factory=list[tuple[float, float]])
    chance: random.Random = attrs.field(factory=lambda: random.Random(7))

    def run(self, *, callers: int, calls: int) -> None:
        """Make *calls* calls that are answered well, side by side."""
        self.real.monotonic = lambda: self.now
        self.left = calls
        ready = [(self.now, number, self.caller()) for number in range(callers)]
        while ready:
            self.now, number, caller = heapq.heappop(ready)
            moment = next(caller, None)
            if moment is not None:
                heapq.heappush(ready, (moment, number, caller))

    def caller(self) -> Iterator[float]:
        while self.left > 0:
            self.left -= 1
            yield from self.call()

    def call(self) -> Iterator[float]:
        policy, attempt = RetryPolicy(), 1
        while True:
            turn = self.bucket.join(self.now)
            while pause := self.bucket.wait(turn, self.now):
                yield self.now + pause
            sent = self.now
            yield self.now + self.latency / 2
            answered = self.real.admits("r", "List")
            yield self.now + self.latency / 2
            self.rates.append((self.now, self.bucket.rate))
            if answered:
                self.good += 1
                return
            self.refused.append(self.now)
            self.bucket.throttled(self.now, sent)
            attempt += 1
            error = ThrottledError("slower")
            yield self.now + delay_before(attempt, error, policy, self.chance.uniform)


LIMITS = [
    pytest.param(Rate(per_second=20, burst=40), id="twenty"),
    pytest.param(Rate(per_second=10, burst=10), id="ten"),
    pytest.param(Rate(per_second=0.55, burst=200), id="two-thousand-an-hour"),
]


@pytest.mark.parametrize("latency", [0.02, 1.5])
@pytest.mark.parametrize("rate", LIMITS)
def test_a_documented_limit_is_used_in_full_and_never_exceeded(rate: Rate, latency: float) -> None:
    """However many callers there are, and however long the way is."""
    bucket = Limiter().bucket("a", rate)
    real = Throttle(per_second=rate.per_second, burst=rate.burst)
    one = Simulation(bucket, real, latency=latency)
    one.run(callers=64, calls=1000)

    assert (1000, 0) == (one.good, real.refused)
    assert one.now < 1.02 * (1000 - bucket.burst) / bucket.full + latency + 1


@pytest.mark.parametrize("latency", [0.02, 0.3])
@pytest.mark.parametrize("callers", [8, 64])
@pytest.mark.parametrize("rate", LIMITS)
def test_half_the_limit_is_found_with_few_refusals(
    rate: Rate, callers: int, latency: float
) -> None:
    """At most one a caller before the first slowing down, and one in fifty calls after it.

    No time is lost: the calls take at most 5 % longer than the real limit makes them.
    """
    bucket = Limiter().bucket("a", rate)
    real = Throttle(per_second=bucket.full / 2, burst=max(1.0, bucket.burst / 2))
    one = Simulation(bucket, real, latency=latency)
    one.run(callers=callers, calls=1500)

    assert 1500 == one.good
    assert 0 < len(one.refused) <= callers + 1500 / 50
    assert one.now < 1.05 * (1500 - bucket.burst / 2) / real.per_second + 10
    later = [rate for moment, rate in one.rates if moment > one.now / 2]
    assert pytest.approx(real.per_second, rel=0.1) == sum(later) / len(later)
    assert all(0.6 * real.per_second < rate < 1.4 * real.per_second for rate in later)


def test_a_limit_that_is_lifted_again_is_found_too() -> None:
    """A neighbour's backup was running; the next minute is ours."""
    bucket = Limiter().bucket("a", Rate(per_second=20, burst=40))
    real = Throttle(per_second=2, burst=2)
    one = Simulation(bucket, real)
    one.run(callers=16, calls=200)
    assert bucket.rate < 4
    real.per_second = real.burst = 20.0
    lifted = one.now
    one.run(callers=16, calls=1000)

    assert bucket.rate == bucket.full
    assert one.now - lifted < 1000 / 18 + 30


def test_a_slow_limit_slows_down_too() -> None:
    """A floor of a call in two seconds is above it."""
    bucket = Limiter().bucket("a", Rate(per_second=0.5))
    bucket.throttled(0.0)

    assert bucket.rate < 0.9 * bucket.full


def test_a_slow_limit_has_a_floor_of_its_own() -> None:
    """A tenth of it: half a call a second would be all of it."""
    bucket = Bucket(0.5, 1.0)
    for number in range(100):
        bucket.throttled(float(number))

    assert pytest.approx(0.05, rel=0.01) == bucket.rate


@pytest.mark.parametrize(("full", "before", "after"), [(10.0, 27.5, 28.0), (1.0, 249.0, 250.0)])
def test_one_throttle_is_forgotten_in_half_a_minute_or_250_calls(
    full: float, before: float, after: float
) -> None:
    """Whichever is longer: seconds say nothing of a limit that is very slow."""
    bucket = Bucket(full, 1.0)
    bucket.throttled(0.0)
    take(bucket, before)
    assert 0.99 * full < bucket.rate < full
    take(bucket, after)

    assert full == bucket.rate


def test_a_call_that_waits_while_it_is_slow_looks_again_each_second() -> None:
    """The rate comes back meanwhile; at full speed the estimate is right as it is."""
    bucket = Bucket(10.0, 1.0)
    last = [bucket.join(0.0) for _ in range(101)][-1]
    assert pytest.approx(10.0) == bucket.wait(last, 0.0)
    bucket.throttled(0.0)

    assert 1.0 == bucket.wait(last, 0.0)


def test_the_soonest_turn_is_that_at_full_rate() -> None:
    """A call with a deadline before it need not wait at all."""
    bucket = Bucket(10.0, 2.0)
    turns = [bucket.join(0.0) for _ in range(4)]
    bucket.throttled(0.0)

    assert pytest.approx([0.0, 0.0, 0.1, 0.2]) == [bucket.soonest(turn) for turn in turns]


def test_a_turn_that_came_or_was_left_waits_no_more() -> None:
    """A process that runs for a month must not keep the turns of all its calls."""
    bucket = Bucket(10.0, 1.0)
    take(bucket, 0.0)
    bucket.leave(bucket.join(0.0))

    assert set() == bucket.waiting


def test_what_grew_for_those_who_left_is_no_more_than_a_burst() -> None:
    """Five give up after four tenths of a second, and one may go at once, not five."""
    bucket = Bucket(10.0, 1.0)
    turns = [bucket.join(0.0) for _ in range(5)]
    bucket.wait(turns[-1], 0.4)
    for turn in turns:
        bucket.leave(turn)

    assert 1.0 == bucket.tokens


def test_what_grew_before_a_throttle_is_lost_too() -> None:
    """It was a part of what was refused."""
    bucket = Bucket(10.0, 5.0)
    for _ in range(5):
        take(bucket, 0.0)
    bucket.throttled(1.0)

    assert 0.0 < take(bucket, 1.0)


def test_a_call_sent_in_the_moment_of_the_throttle_is_news() -> None:
    """It went out at the new rate."""
    bucket = Bucket(10.0, 10.0)
    bucket.throttled(100.0)
    bucket.throttled(102.0, 100.0)

    assert bucket.rate < 6.0


def test_limits_are_regional_unless_said_otherwise_and_show_no_locks() -> None:
    """A log line of a bucket has its figures; the parts of a limiter are named."""
    limiter = Limiter()
    bucket = limiter.bucket("a", Rate(per_second=1))

    assert Rate(per_second=1).regional
    assert not [word for word in ("lock", "waiting") if word in repr(bucket) + repr(limiter)]
    with pytest.raises(TypeError):
        Limiter(0.9, {}, threading.Lock(), {})  # type: ignore[call-arg]  # pyright: ignore


def test_accounts_that_leave_a_part_to_others_share_the_smallest() -> None:
    """Two profiles of one account have one budget."""

    @attrs.frozen
    class Profile:
        provider: str
        account: str
        rate_share: float

    profiles = [Profile("m", "a", 0.5), Profile("m", "a", 0.25), Profile("m", "b", 1.5)]
    parts = smallest_parts(profiles)
    limiter = Limiter(parts=parts)
    full = [limiter.bucket(("m", whose, "", ""), Rate(per_second=10)).full for whose in "abc"]

    assert [2.25, 9.0, 9.0] == full
