"""Limits of an account on the emulated clouds: kept where known, found where they are lower.

Time is virtual: it passes when all threads of the sweep sleep, so that a sweep of minutes takes
a second and every call comes at the moment at which it was due.
"""

# pyright: reportPrivateUsage=false
# What a worker process keeps is looked at, and a crew's reader is played.

import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast

import attrs
import pytest

from snapkit import engine, fleet
from snapkit.config import Config
from snapkit.emulator import Emulator, Throttle, World
from snapkit.emulator.state import AccountState, SnapshotRecord
from snapkit.errors import ConfigurationError, DeadlineExceededError
from snapkit.fleet import list_snapshots, sweep
from snapkit.model import Kind
from snapkit.profile import Profile
from snapkit.rate import SHARE, Limiter
from snapkit.registry import driver_class, providers
from snapkit.retry import RetryPolicy
from snapkit.settings import Target
from snapkit.sweeping import Crew, Job, Plan
from tests.estate import estate, places
from tests.virtual import VirtualTime

KEY, SECRET = "AKIDEXAMPLE", "CANARY-limits"
THREADS = 64
PAGE = 10
"""Rows a page, so that a small estate takes many calls."""
PATIENT = RetryPolicy(call_timeout=1e6)
"""An account that may make a call in two seconds makes 64 threads wait for minutes."""

DOCUMENTED: dict[str, dict[str, Any]] = {
    "alibaba": {"per_second": 20, "window": 60.0, "by_operation": True},
    "tencent": {"per_second": 20, "window": 1.0, "by_operation": True},
    "qingcloud": {"per_second": 2000 / 3600, "window": 3600.0, "regional": False},
}
"""The clouds' own counting: of a minute, of a second, of an hour over all regions."""

WAYS: dict[str, list[dict[str, str]]] = {
    "alibaba": [{"signature": "acs3"}, {"signature": "rpc"}],
    "tencent": [{}, {"api": "2.0", "signature": "hmac-sha1"}],
    "qingcloud": [{}, {"method": "post"}],
}


def world(provider: str, deep: dict[int, int], regions: int, shallow: int = 3) -> World:
    """Return one account with *shallow* rows in each region, and as many as *deep* says in some."""
    account = AccountState(provider=provider, key_id=KEY, secret=SECRET, label="one")
    start = time.time() - 400 * 86400
    for place in range(regions):
        account.region(f"{driver_class(provider).home_region}-{place}").add(
            *(
                SnapshotRecord(
                    id=f"s-{place:03d}{row:05d}",
                    disk_id=f"d-{row:05d}",
                    size_gib=40,
                    name=f"nightly-{row}",
                    started_at=start + row,
                )
                for row in range(deep.get(place, shallow))
            )
        )
    return World(accounts=[account])


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in providers():
        driver = driver_class(provider)
        monkeypatch.setattr(driver, "limits", attrs.evolve(driver.limits, page=PAGE))


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("provider", providers())
def test_sixty_four_threads_keep_the_documented_limit(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over many regions of one account, snapshots and groups at once: nothing is refused."""
    clouds, virtual = world(provider, {0: 1500, 1: 700, 2: 500}, regions=32), VirtualTime()
    virtual.step_aside(monkeypatch)
    (account,) = clouds.accounts
    throttle = Throttle(**DOCUMENTED[provider], monotonic=lambda: virtual.now)
    account.throttle = throttle
    monkeypatch.setattr(fleet, "Clock", virtual.clock)
    with Emulator(clouds) as emulator:
        listing = sweep(
            emulator.targets(),
            kinds=("snapshot", "group"),
            workers=THREADS,
            policy=PATIENT,
            scope_timeout=1e6,
        )
        rows = [one.ref for one in listing if one.ref.kind.value == "snapshot"]

    assert listing.report.complete
    assert 2700 + 29 * 3 == len(rows) == len(set(rows))
    assert 0 == throttle.refused
    assert throttle.admitted > 150
    assert virtual.now > 1.0


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("provider", providers())
def test_half_the_limit_costs_few_refusals_and_no_row(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another tool uses the account: one refusal a thread at the first meeting, then few.

    A bucket that met the limit is near the real one when the sweep ends.
    """
    rate = driver_class(provider).rates[""]
    clouds, virtual = world(provider, {0: 2000, 1: 900}, regions=24), VirtualTime()
    virtual.step_aside(monkeypatch)
    (account,) = clouds.accounts
    half = rate.part(SHARE / 2)
    throttle = Throttle(
        per_second=half.per_second,
        burst=half.burst,
        regional=rate.regional,
        monotonic=lambda: virtual.now,
    )
    account.throttle, limiter = throttle, Limiter()
    with Emulator(clouds) as emulator:
        listing = list_snapshots(
            emulator.targets(),
            workers=THREADS,
            policy=PATIENT,
            scope_timeout=1e6,
            limiter=limiter,
            clock=virtual.clock(),
        )
        rows = [one.ref for one in listing]
    met = [bucket for bucket in limiter.buckets.values() if bucket.slowed > float("-inf")]

    assert listing.report.complete
    assert 2900 + 22 * 3 == len(rows) == len(set(rows))
    assert met
    assert 0 < throttle.refused <= THREADS + throttle.admitted / 20
    for bucket in met:
        assert 0.5 * half.per_second < bucket.rate < 1.5 * half.per_second


@pytest.mark.parametrize("provider", providers())
def test_only_the_account_that_asks_is_held_to_its_limit(provider: str) -> None:
    """The emulator tells accounts apart by their keys, in every way of signing."""
    clouds = World(
        accounts=[
            AccountState(provider=provider, key_id=f"{KEY}{label}", secret=SECRET, label=label)
            for label in ("", "1")
        ]
    )
    region = driver_class(provider).home_region
    for account in clouds.accounts:
        account.region(region)
    with Emulator(clouds) as emulator:
        for way in WAYS[provider]:
            throttle = Throttle(per_second=1, monotonic=lambda: 0.0)
            clouds.accounts[1].throttle = throttle
            targets = [
                attrs.evolve(one, options={**one.options, **way}) for one in emulator.targets()
            ]
            outcomes: list[str] = []
            for _ in range(2):
                listing = list_snapshots(targets, policy=RetryPolicy(throttled=1), workers=1)
                list(listing)
                outcomes += [one.outcome.value for one in listing.report.scopes]

            assert ["empty", "empty", "empty", "throttled"] == outcomes
            assert (1, 1) == (throttle.admitted, throttle.refused)


@pytest.mark.parametrize(
    ("throttle", "expected"),
    [
        (Throttle(per_second=2, burst=3), [3, 1, 3, 0]),
        (Throttle(per_second=2), [2, 1, 2, 0]),
        (Throttle(per_second=2, window=2.0), [4, 0, 4, 0]),
    ],
    ids=["burst", "second", "window"],
)
def test_a_throttle_counts_as_it_says(throttle: Throttle, expected: list[int]) -> None:
    """At 0, half a second later, at 2.5 and at once again."""
    moments = [0.0, 0.5, 2.5, 2.5]
    admitted: list[int] = []
    for now in moments:
        throttle.monotonic = partial(float, now)
        admitted.append(sum(throttle.admits("r", "List") for _ in range(9)))

    assert expected == admitted
    assert (sum(expected), 36 - sum(expected)) == (throttle.admitted, throttle.refused)


def test_budgets_are_apart_where_the_limit_says_so() -> None:
    """By region, by operation, or neither."""

    def admitted(**how: Any) -> int:
        one = Throttle(per_second=1, monotonic=lambda: 0.0, **how)
        return sum(one.admits(r, act) for r in ("a", "b") for act in ("x", "y", "x"))

    assert [1, 2, 2, 4] == [
        admitted(regional=False),
        admitted(),
        admitted(regional=False, by_operation=True),
        admitted(by_operation=True),
    ]


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as found:
        yield found


def _full_rates() -> dict[tuple[str, str], float]:
    """Return the full rates of the buckets in this process by provider and account."""
    found: dict[tuple[str, str], float] = {}
    for limiter in engine._LIMITERS.values():
        for key, bucket in limiter.buckets.items():
            provider, account, *_ = cast("tuple[str, ...]", key)
            assert found.setdefault((provider, account), bucket.full) == bucket.full
    return found


def test_the_rate_share_of_a_profile_reaches_worker_processes(
    processes: ProcessPoolExecutor,
) -> None:
    """It travels with the target, and the sweep's own share is a part of it."""
    clouds = estate(accounts=2, regions=2, rows=1)
    with Emulator(clouds) as emulator:
        targets = [
            attrs.evolve(one, rate_share=0.5 if one.account == "a1" else 1.0)
            for one in places(emulator)
        ]
        listing = sweep(targets, executor=processes, rate_share=0.25)
        rows = list(listing)
        full = processes.submit(_full_rates).result()

    assert listing.report.complete
    assert 4 * len(providers()) == len(rows)
    assert {
        (provider, account): pytest.approx(
            driver_class(provider).rates[""].per_second * SHARE * 0.25 * part
        )
        for provider in providers()
        for account, part in (("a0", 1.0), ("a1", 0.5))
    } == full


@pytest.mark.parametrize("provider", providers())
def test_a_scope_that_the_reader_holds_back_does_not_use_up_its_time(provider: str) -> None:
    """Only what it spends on fetching counts, but the time for everything holds."""
    virtual = VirtualTime()

    class Held(Crew):
        """A crew whose reader takes a page a minute."""

        def _hand_on(self, index: int, item: Any) -> bool:
            virtual.now += 60
            return True

    with Emulator(world(provider, {0: 900}, regions=1)) as emulator:
        jobs = [Job(emulator.targets()[0], Kind.SNAPSHOT)]
        plan = Plan(workers=1, scope_timeout=90.0, clock=virtual.clock())
        for end, complete in ((None, True), (time.monotonic() + 300, False)):
            crew = Held(jobs, plan, lambda client, _: client.snapshots())
            with suppress(DeadlineExceededError):
                crew._list(0, end)

            (report,) = crew.report().scopes
            assert complete is report.complete is (report.rows == 900)
            assert complete or report.pages == 5


def test_a_target_has_the_rate_share_of_its_profile() -> None:
    """From the file, and when a target in text is completed; the smaller one holds."""
    profile = Profile(name="p", provider=providers()[0], account="one", rate_share=0.25)
    config = Config(path=Path("none"), profiles={"p": profile})
    text = Target(provider=profile.provider, account="one", region="r-1")

    assert (0.25, 0.25) == (profile.target("r-1").rate_share, config.completed(text).rate_share)
    with pytest.raises(ConfigurationError, match="rate share is 0"):
        attrs.evolve(text, rate_share=0.0)
