"""Whose turn it is: accounts beside each other, and rows in order with a bounded memory."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from snapkit.fleet import sweep
from snapkit.settings import Target
from snapkit.turns import PAGES_AHEAD, Gate, Turns
from tests.core.moon import Sky, rising, snapshot, target


@pytest.fixture(autouse=True)
def skies(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Sky]]:
    monkeypatch.setenv("MOON_ID", "AK")
    monkeypatch.setenv("MOON_KEY", "secret")
    with rising(monkeypatch) as found:
        yield found


def rows(region: str, count: int) -> list[Any]:
    return [snapshot(number, region=region) for number in range(count)]


def place(region: str, **changes: Any) -> Target:
    return target(region, credentials=None, **changes)


def waiting(gate: threading.Event) -> Callable[[int], None]:
    def before(page: int) -> None:
        gate.wait(20)

    return before


def quick(page: int) -> None:
    """Answer at once."""


class Holding(Executor):
    """An executor that does each task at once, but never ends the first."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.taken.append(args[0].target.region)
        future: Future[Any] = Future()
        if len(self.taken) > 1:
            future.set_result(fn(*args))
        return future


def test_a_large_account_leaves_a_small_one_its_turns() -> None:
    """A thousand scopes beside three: the three are among the first six."""
    turns = Turns(["large"] * 1000 + ["small"] * 3)
    begun = [turns.next() for _ in range(6)]

    assert {1000, 1001, 1002} < set(begun)
    assert 997 == len(turns)


def test_a_slow_account_does_not_take_every_thread() -> None:
    """Its scopes wait for its rate limit; the threads that come free belong to the others."""
    turns = Turns(["slow"] * 100 + ["quick"] * 50)
    running = [turns.next() for _ in range(8)]
    quick = [one for one in running if one is not None and one >= 100]
    assert 4 == len(quick)
    while quick:
        turns.ended(quick.pop())
        begun = turns.next()
        assert begun is not None
        if begun >= 100:
            quick.append(begun)

    assert 4 + 1 <= sum(turns.running.values()) == turns.running["slow"] <= 8
    assert "quick" not in turns.lanes


@pytest.mark.parametrize("threads", [2, 8])
def test_a_small_account_is_done_while_a_large_one_is_held_up(
    skies: dict[str, Sky], threads: int
) -> None:
    """Every scope of the large one waits until the small one's rows are there."""
    gate = threading.Event()
    targets: list[Target] = []
    for account, scopes in (("large", 40), ("small", 20)):
        for number in range(scopes):
            region = f"{account}-{number}"
            before = waiting(gate) if account == "large" else quick
            skies[region] = Sky(rows=rows(region, 1), before=before)
            targets.append(place(region, account=account))
    found: list[str] = []
    for one in sweep(targets, workers=threads):
        found.append(one.region.partition("-")[0])
        if 20 == len(found):
            gate.set()

    assert ["small"] * 20 + ["large"] * 40 == found


def test_scopes_that_are_not_their_turn_stop_fetching(skies: dict[str, Sky]) -> None:
    """Each holds some pages at most, and all of them a bounded number, while the first is slow."""
    gate, held = threading.Event(), list[int]()
    regions = [f"r-{number:02d}" for number in range(30)]
    workers = 4
    pages = threading.Semaphore(0)
    for region in regions:
        skies[region] = Sky(rows=rows(region, 2000), before=lambda _: pages.release())
    skies[regions[0]].before = waiting(gate)

    def watch() -> None:
        while pages.acquire(timeout=0.1):
            pass
        held.append(sum(len(skies[region].asked) for region in regions[1:]))
        gate.set()

    threading.Thread(target=watch, daemon=True).start()
    listing = sweep([place(region) for region in regions], workers=workers, ordered=True)
    pages_read = listing.pages()
    first = next(pages_read)
    rest = [one.region for page in pages_read for one in page]

    assert regions[0] == first[0].region
    # A thread asks for one page more before it is held.
    (asked,) = held
    assert 0 < asked <= (workers - 1) * (PAGES_AHEAD + 1)
    assert [region for region in regions for _ in range(2000)] == [regions[0]] * len(first) + rest
    assert listing.report.complete


@pytest.mark.parametrize("workers", [1, 2, 3, 16])
@pytest.mark.parametrize("accounts", [1, 3])
def test_order_never_stops_the_sweep(skies: dict[str, Sky], workers: int, accounts: int) -> None:
    """Large and small scopes, any number of threads: the scope whose turn it is has a thread."""
    regions = [f"r-{number:02d}" for number in range(24)]
    for number, region in enumerate(regions):
        skies[region] = Sky(rows=rows(region, (number * 7 % 5) * 450))
    targets = [
        place(region, account=f"a-{number * accounts // 24}")
        for number, region in enumerate(regions)
    ]
    listing = sweep(targets, workers=workers, ordered=True, timeout=60)
    found = [one.region for one in listing]

    assert listing.report.complete
    assert [region for region in regions for _ in skies[region].rows] == found


def test_many_small_scopes_do_not_fill_the_memory_either(skies: dict[str, Sky]) -> None:
    """What has ended is held too, so the number of scopes that may run ahead is bounded."""
    gate = threading.Event()
    regions = [f"r-{number:03d}" for number in range(200)]
    asked = threading.Semaphore(0)
    for region in regions:
        skies[region] = Sky(rows=rows(region, 1), before=lambda _: asked.release())
    skies[regions[0]].before = waiting(gate)

    def watch() -> None:
        while asked.acquire(timeout=0.1):
            pass
        gate.set()

    threading.Thread(target=watch, daemon=True).start()
    listing = sweep([place(region) for region in regions], workers=4, ordered=True)
    first = next(listing.pages())
    ahead = sum(bool(skies[region].asked) for region in regions[1:])
    rest = [one.region for one in listing]

    assert [regions[0]] == [one.region for one in first]
    assert ahead <= 4 * PAGES_AHEAD + 4
    assert regions[1:] == rest


def test_an_executor_gets_no_more_than_may_be_kept(skies: dict[str, Sky]) -> None:
    """While the first scope is not back, others are handed over until the memory is full."""
    regions = [f"r-{number:03d}" for number in range(60)]
    for region in regions:
        skies[region] = Sky(rows=rows(region, 250))
    executor = Holding()
    listing = sweep(
        [place(region) for region in regions],
        executor=executor,
        workers=2,
        ordered=True,
        timeout=0.3,
    )
    found = [one.region for one in listing]

    assert regions[:4] == executor.taken
    assert [region for region in regions[1:4] for _ in range(250)] == found


def test_a_gate_lets_the_current_scope_through_whatever_is_held() -> None:
    """Or nothing would move."""
    gate = Gate(room=3)
    gate.turn_of(2)
    for index in (5, 5, 6):
        assert gate.enter(index, lambda: True)

    assert not gate.enter(7, lambda: True)
    assert gate.enter(2, lambda: True)
    gate.turn_of(5)
    assert gate.enter(5, lambda: True)
    for _ in range(3):
        gate.count(5, -1)
    gate.count(2, -1)
    assert gate.enter(7, lambda: True)


def test_one_scope_alone_does_not_take_all_the_room() -> None:
    """The next ones shall have begun when it ends."""
    gate = Gate(room=100)
    admitted = [gate.enter(3, lambda: True) for _ in range(PAGES_AHEAD + 1)]

    assert [True] * PAGES_AHEAD + [False] == admitted
