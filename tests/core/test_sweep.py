"""A sweep over accounts, regions and kinds: order, fairness, progress, and any executor."""

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import attrs
import pytest

from snapkit import engine
from snapkit.credentials import Credentials, StaticSource
from snapkit.engine import Answer, Engine, Task, perform
from snapkit.errors import (
    ArgumentError,
    ConfigurationError,
    CredentialsMissingError,
    DeadlineExceededError,
    PermissionDeniedError,
    QueryError,
    SnapkitError,
    ThrottledError,
    TransportError,
)
from snapkit.fleet import SweepProgress, sweep
from snapkit.listing import Listing, Outcome
from snapkit.model import Kind
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.rate import Limiter
from snapkit.settings import Target
from snapkit.sweeping import in_order
from snapkit.turns import Turns
from tests.core.moon import KEYS, Sky, bare, group, rising, snapshot, target

CANARY = "CANARY-do-not-show"


@pytest.fixture(autouse=True)
def skies(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Sky]]:
    monkeypatch.setenv("MOON_ID", "AK1")
    monkeypatch.setenv("MOON_KEY", CANARY)
    monkeypatch.delenv("SNAPKIT_ENDPOINT", raising=False)
    with rising(monkeypatch) as found:
        yield found


@pytest.fixture
def pool() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as found:
        yield found


@attrs.frozen(eq=False)
class Named:
    """A source that pickles: it says where keys are, not what they are."""

    name: str

    def get(self) -> Credentials:
        return KEYS

    def refresh(self, stale: Credentials) -> bool:
        return False


class Immediate(Executor):
    """An executor whose futures are done, the way *act* says."""

    def __init__(self, act: Callable[..., Any]) -> None:
        self.act = act
        self.tasks: list[Task] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        (task,) = args
        self.tasks.append(task)
        future: Future[Any] = Future()
        try:
            future.set_result(self.act(fn, task))
        except Exception as error:  # noqa: BLE001 - as executors do
            future.set_exception(error)
        return future


def called(fn: Callable[[Any], Any], task: Task) -> Any:
    return fn(task)


def carried(fn: Callable[[Any], Any], task: Task) -> Any:
    """Do what an executor in another process does."""
    there, given = pickle.loads(pickle.dumps((fn, task)))
    return pickle.loads(pickle.dumps(there(given)))


def place(region: str = "sea", **changes: Any) -> Target:
    return target(region, credentials=None, **changes)


def rows(region: str, count: int) -> list[Any]:
    return [snapshot(number, region=region) for number in range(count)]


def raising(error: BaseException) -> Callable[[int], None]:
    def before(page: int) -> None:
        raise error

    return before


def waiting(gate: threading.Event) -> Callable[[int], None]:
    def before(page: int) -> None:
        gate.wait(10)

    return before


def noting(region: str, began: list[str]) -> Callable[[int], None]:
    def before(page: int) -> None:
        began.append(region)

    return before


def one_error(listing: Listing[Any]) -> SnapkitError:
    assert [] == list(listing)
    (report,) = listing.report.scopes
    assert report.error is not None
    assert ("moon", "sea") == (report.error.provider, report.error.region)
    return report.error


@pytest.mark.parametrize("make", [None, lambda: Immediate(carried), lambda: ThreadPoolExecutor(4)])
def test_the_same_rows_and_report_wherever_it_runs(
    skies: dict[str, Sky], make: Callable[[], Executor] | None
) -> None:
    """Threads of its own, another process's way, or a pool of the user's."""
    regions = [f"r-{number:02d}" for number in range(20)]
    for number, region in enumerate(regions):
        skies[region] = Sky(rows=rows(region, number * 17))
    skies["r-03"] = Sky(before=raising(PermissionDeniedError("no", code="Denied")))
    skies["r-04"] = Sky(before=raising(ThrottledError("slow down", retry_after=3.0)))
    executor = make() if make else None
    listing = sweep([place(region) for region in regions], executor=executor, ordered=True)
    found = [(one.region, one.id) for one in listing]
    reports = {one.scope.region: one for one in listing.report.scopes}
    if executor:
        executor.shutdown()

    wanted = [n for n in range(20) if n not in (3, 4)]
    assert [(regions[n], f"s-{row:05d}") for n in wanted for row in range(n * 17)] == found
    assert regions == list(reports)
    assert ["empty", "ok", "denied", "throttled"] == [
        reports[region].outcome.value for region in ("r-00", "r-01", "r-03", "r-04")
    ]
    denied, slow = reports["r-03"].error, reports["r-04"].error
    assert ("Denied", "moon", "r-03") == (denied and (denied.code, denied.provider, denied.region))
    assert 3.0 == (slow and slow.retry_after)
    assert (19 * 17, 4) == (reports["r-19"].rows, reports["r-19"].pages)


@pytest.mark.parametrize("executor", [None, Immediate(carried)])
def test_groups_come_when_they_are_asked_for(
    skies: dict[str, Sky], executor: Executor | None
) -> None:
    """Each kind of a region is a scope of its own."""
    skies["sea"] = Sky(rows=rows("sea", 3), groups=[group(1, [bare(0), bare(1)])])
    listing = sweep(place(), kinds=("snapshot", "group"), executor=executor, ordered=True)

    assert ["s-00000", "s-00001", "s-00002", "g-001"] == [one.id for one in listing]
    assert [Kind.SNAPSHOT, Kind.GROUP] == [one.scope.kind for one in listing.report.scopes]


@pytest.mark.parametrize("kinds", ["group", Kind.GROUP, [Kind.GROUP, "group"]])
def test_one_kind_may_be_given_alone(skies: dict[str, Sky], kinds: Any) -> None:
    """As a word or as the value."""
    skies["sea"] = Sky(groups=[group(1, [])])

    assert ["g-001"] == [one.id for one in sweep(place(), GroupQuery(ids="g-001"), kinds=kinds)]


@pytest.mark.parametrize(
    ("query", "options", "kind", "said"),
    [
        (None, {"kinds": "disk"}, QueryError, "no kind 'disk'; known: group, snapshot"),
        (None, {"kinds": []}, QueryError, "no kind is asked for"),
        (SnapshotQuery(), {"kinds": ("snapshot", "group")}, QueryError, "cannot select groups"),
        (GroupQuery(), {}, QueryError, "a GroupQuery cannot select snapshots"),
        (None, {"kinds": ("snapshot", "group"), "disk_ids": "d-1"}, QueryError, "no filter"),
        (None, {"statues": "x"}, QueryError, "did you mean"),
        (None, {"rate_share": 0}, ArgumentError, "rate share is 0"),
        (None, {"rate_share": 1.5}, ArgumentError, "rate share is 1.5"),
        (None, {"executor": Immediate(called), "limiter": Limiter()}, ArgumentError, "rate_share"),
        (None, {"rate_share": 0.5, "limiter": Limiter()}, ArgumentError, "rate_share"),
    ],
)
def test_what_cannot_be_right_is_raised_at_once(
    query: Any, options: dict[str, Any], kind: type[SnapkitError], said: str
) -> None:
    """Before anything is sent or handed over."""
    with pytest.raises(kind, match=said):
        sweep(place(), query, **options)


def test_accounts_take_turns() -> None:
    """A hundred regions of the first account do not make the second wait."""
    turns = Turns(["a", "a", "a", "b", "b", "c"])

    assert [0, 3, 5, 1, 4, 2, None] == [turns.next() for _ in range(7)]
    assert Turns([]).next() is None


@pytest.mark.parametrize("executor", [None, Immediate(called)])
def test_scopes_are_started_by_account_in_turn(
    skies: dict[str, Sky], executor: Executor | None
) -> None:
    """And reported in the order asked all the same."""
    began: list[str] = []
    targets: list[Target] = []
    for account in ("big", "small"):
        for number in range(3):
            region = f"{account}-{number}"
            skies[region] = Sky(before=noting(region, began))
            targets.append(place(region, account=account))
    listing = sweep(targets, workers=1, executor=executor)
    list(listing)

    assert ["big-0", "small-0", "big-1", "small-1", "big-2", "small-2"] == began
    assert [one.region for one in targets] == [one.scope.region for one in listing.report.scopes]


def test_rows_in_order_wait_only_for_those_before_them() -> None:
    """Pages of the first scope go on at once; the rest when it has ended, or all has."""
    seen: list[str] = []

    def events() -> Iterator[tuple[int, list[Any] | None]]:
        for event in ((1, ["b"]), (0, ["a"]), (1, None), (0, ["c"]), (0, None), (2, ["d"])):
            seen.append(str(event))
            yield event
        yield 4, ["e"]

    arrived = list(in_order(events()))

    assert ["a", "c", "b", "d", "e"] == [page[0] for _, page in arrived if page]
    reader = in_order(events())
    seen.clear()
    assert (0, ["a"]) == next(reader)
    assert 2 == len(seen)


@pytest.mark.parametrize("executor", [None, Immediate(called)])
def test_progress_counts_scopes_and_rows(skies: dict[str, Sky], executor: Executor | None) -> None:
    """Up to all of them."""
    told: list[SweepProgress] = []
    for region in ("r-1", "r-2"):
        skies[region] = Sky(rows=rows(region, 150))
    list(sweep([place("r-1"), place("r-2")], executor=executor, on_progress=told.append))

    assert (2, 2, 300) == (told[-1].done, told[-1].total, told[-1].rows)
    assert [one.rows for one in told] == sorted(one.rows for one in told)
    assert told[-1].rate > 0
    assert 0.0 == SweepProgress(done=0, total=1, rows=0, seconds=0.0).rate


@pytest.mark.parametrize(
    "given",
    [
        Credentials(key_id="AK1", secret=CANARY),
        StaticSource(Credentials(key_id="AK1", secret=CANARY)),
    ],
)
def test_explicit_credentials_do_not_go_to_an_executor(given: Any) -> None:
    """Nobody knows where a task is written down."""
    with pytest.raises(ConfigurationError) as caught:
        sweep(target(credentials=given), executor=Immediate(called))

    assert "use a profile or the environment" in str(caught.value)
    assert CANARY not in str(caught.value)


def test_a_source_that_cannot_travel_is_refused_too() -> None:
    """A lock, a connection or a secret inside it."""

    @attrs.frozen(eq=False)
    class Locked(Named):
        lock: Any = attrs.field(factory=threading.Lock)

    with pytest.raises(ConfigurationError, match="cannot go to an executor"):
        sweep(target(credentials=Locked("x")), executor=Immediate(called))


def test_a_source_without_a_secret_goes_with_the_task(skies: dict[str, Sky]) -> None:
    """So do profiles: they say where keys are."""
    skies["sea"] = Sky(rows=rows("sea", 3))

    assert 3 == len(list(sweep(target(credentials=Named("x")), executor=Immediate(carried))))


def test_a_task_has_no_secret_in_it(skies: dict[str, Sky]) -> None:
    """Whatever of it is pickled, printed or logged."""
    skies["sea"] = Sky(rows=rows("sea", 3))
    executor = Immediate(called)
    list(sweep(place(), executor=executor))
    (task,) = executor.tasks

    assert CANARY not in repr(task)
    assert CANARY.encode() not in pickle.dumps(task)
    assert CANARY.encode() not in pickle.dumps(perform(task))
    assert len(pickle.dumps(task)) < 4000


def test_missing_credentials_on_the_worker_are_a_denied_scope(
    skies: dict[str, Sky], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are looked for where the task runs."""
    executor = Immediate(carried)
    monkeypatch.delenv("MOON_ID")
    monkeypatch.delenv("MOON_KEY")
    error = one_error(sweep(place(), executor=executor))

    assert isinstance(error, CredentialsMissingError)


def test_a_scope_that_fails_in_the_middle_keeps_its_rows(skies: dict[str, Sky]) -> None:
    """As without an executor."""

    def before(page: int) -> None:
        if page == 2:
            raise PermissionDeniedError("no longer")

    skies["sea"] = Sky(rows=rows("sea", 250), before=before)
    listing = sweep(place(), executor=Immediate(carried))

    assert 100 == len(list(listing))
    (report,) = listing.report.scopes
    assert (Outcome.DENIED, 100, 1) == (report.outcome, report.rows, report.pages)


class KilledWorker(Exception):
    """Called like the one of Dask."""


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (BrokenProcessPool("terminated abruptly"), TransportError, "the worker died"),
        (KilledWorker("perform-1"), TransportError, "the worker died"),
        (ModuleNotFoundError("No module named 'snapkit'"), ConfigurationError, "install snapkit"),
        (pickle.PicklingError("not that"), ConfigurationError, "cannot carry"),
        (TypeError("cannot pickle '_thread.lock' object"), ConfigurationError, "cannot carry"),
        (RuntimeError("cannot schedule new futures after shutdown"), TransportError, "schedule"),
        (KeyError("field"), TransportError, "the worker failed: KeyError: 'field'"),
        (ConfigurationError("no such thing"), ConfigurationError, "no such thing"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
@pytest.mark.parametrize("when", ["answering", "submitting"])
def test_what_an_executor_does_wrong_is_a_failed_scope_with_a_sentence(
    skies: dict[str, Sky], raised: Exception, kind: type[SnapkitError], said: str, when: str
) -> None:
    """Never a hang, and the other scopes arrive."""
    skies["good"] = Sky(rows=rows("good", 5))

    def act(fn: Callable[[Any], Any], task: Task) -> Any:
        if task.target.region == "sea":
            raise raised
        return fn(task)

    executor = Immediate(act)
    if when == "submitting":
        plain = executor.submit

        def submit(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
            if args[0].target.region == "sea":
                raise raised
            return plain(fn, *args)

        executor.submit = submit  # type: ignore[method-assign] # what submit raises is the test
    listing = sweep([place(), place("good")], executor=executor)

    assert 5 == len(list(listing))
    bad, good = listing.report.scopes
    assert (Outcome.FAILED, Outcome.OK) == (bad.outcome, good.outcome)
    assert type(bad.error) is kind
    assert said in str(bad.error)
    assert raised in (bad.error, bad.error and bad.error.__cause__)


def test_a_cancelled_task_is_a_failed_scope() -> None:
    """By the executor or by somebody who shares it."""

    class Cancelling(Executor):
        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
            future: Future[Any] = Future()
            future.cancel()
            return future

    assert "cancelled" in str(one_error(sweep(place(), executor=Cancelling())))


@pytest.mark.parametrize("wrong", [None, "text", "another run"])
def test_an_answer_to_another_question_is_a_failed_scope(wrong: Any, skies: Any) -> None:
    """An executor with a cache gives yesterday's."""
    skies["sea"] = Sky(rows=rows("sea", 3))

    def act(fn: Callable[[Any], Any], task: Task) -> Any:
        answer: Answer = fn(task)
        return attrs.evolve(answer, run="yesterday") if wrong == "another run" else wrong

    assert "another task" in str(one_error(sweep(place(), executor=Immediate(act))))


def test_a_worker_without_snapkit_is_a_sentence() -> None:
    """A real interpreter that has the standard library only."""
    child = (
        "import pickle, sys\n"
        "try:\n    fn, task = pickle.load(sys.stdin.buffer)\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )

    def act(fn: Callable[[Any], Any], task: Task) -> Any:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", child],
            input=pickle.dumps((fn, task)),
            capture_output=True,
            check=True,
        )
        name, _, text = done.stdout.decode().strip().partition(" ")
        assert "ModuleNotFoundError" == name
        raise ModuleNotFoundError(text)

    said = str(one_error(sweep(place(), executor=Immediate(act))))

    assert "No module named 'snapkit'" in said
    assert "install snapkit and its adapters on the workers" in said


def test_the_time_for_everything_holds_on_a_pool_too(skies: dict[str, Sky], pool: Executor) -> None:
    """A worker that hangs is left behind, and the others' rows are kept."""
    gate = threading.Event()
    skies["good"] = Sky(rows=rows("good", 5))
    skies["hangs"] = Sky(before=waiting(gate))
    started = time.monotonic()
    listing = sweep([place("hangs"), place("good")], executor=pool, timeout=0.3)
    found = list(listing)
    gone = time.monotonic() - started
    gate.set()

    assert 5 == len(found)
    assert gone < 3
    assert [Outcome.TIMED_OUT, Outcome.OK] == [one.outcome for one in listing.report.scopes]
    assert "not finished after 0.3 s" in str(listing.report.scopes[0].error)


@pytest.mark.parametrize("with_pool", [False, True])
def test_order_loses_no_row_to_a_scope_that_hangs(
    skies: dict[str, Sky], pool: Executor, with_pool: bool
) -> None:
    """When the time is up, what was kept back for it is handed on, in order."""
    gate = threading.Event()
    skies["hangs"] = Sky(before=waiting(gate))
    skies["r-1"], skies["r-2"] = Sky(rows=rows("r-1", 250)), Sky(rows=rows("r-2", 5))
    listing = sweep(
        [place("hangs"), place("r-1"), place("r-2")],
        executor=pool if with_pool else None,
        timeout=0.4,
        ordered=True,
    )
    found = [one.region for one in listing]
    gate.set()

    assert ["r-1"] * 250 + ["r-2"] * 5 == found
    assert not listing.report.complete


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("executor", [None, Immediate(called)])
def test_an_interrupt_stops_everything_and_the_report_is_there(
    skies: dict[str, Sky], executor: Executor | None, ordered: bool
) -> None:
    """Ctrl-C in the middle: what has arrived counts, and no thread is left."""
    for number in range(9):
        skies[f"r-{number}"] = Sky(rows=rows(f"r-{number}", 2000))
    before = threading.active_count()

    def told(progress: SweepProgress) -> None:
        if progress.rows >= 300:
            raise KeyboardInterrupt

    listing = sweep(
        [place(region) for region in skies],
        executor=executor,
        ordered=ordered,
        workers=2,
        on_progress=told,
    )
    with pytest.raises(KeyboardInterrupt):
        list(listing)
    for _ in range(200):
        if threading.active_count() <= before:
            break
        threading.Event().wait(0.02)

    assert threading.active_count() <= before
    assert not listing.report.complete
    assert 9 == len(listing.report.scopes)


class Silent(Executor):
    """One that takes everything and never answers."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.futures.append(Future())
        return self.futures[-1]


def test_an_executor_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even without a time for everything, and for the scopes that still waited too."""
    executor = Silent()
    tasks = [
        Task(target=place(f"r-{n}"), kind=Kind.SNAPSHOT, query=SnapshotQuery(), run="1", seconds=0)
        for n in range(3)
    ]
    made = Engine(
        executor=executor, tasks=tasks, turns=Turns([0, 0, 0]), workers=2, timeout=None, grace=0.05
    )
    ended = list(made.events())

    assert [(0, None), (1, None), (2, None)] == ended
    assert {Outcome.TIMED_OUT} == {one.outcome for one in made.report().scopes}
    error = made.report().scopes[2].error
    assert isinstance(error, DeadlineExceededError)
    assert "no answer from the executor" in str(error)
    assert all(future.cancelled() for future in executor.futures)


def test_leaving_early_cancels_what_has_not_begun() -> None:
    """Nobody reads, so nobody fetches."""
    executor = Silent()
    listing = sweep([place(f"r-{n}") for n in range(9)], executor=executor, workers=4, timeout=0.2)
    with listing:
        next(iter(listing), None)

    assert 4 == len(executor.futures)
    assert all(future.cancelled() for future in executor.futures)


def test_nothing_is_handed_over_before_it_is_read() -> None:
    """A listing that is thrown away costs nothing."""
    executor = Silent()
    sweep(place(), executor=executor).close()

    assert [] == executor.futures


def test_each_sweep_is_a_run_of_its_own(skies: dict[str, Sky]) -> None:
    """No cache on the way can answer the second with the first."""
    skies["sea"] = Sky(rows=rows("sea", 1))
    executor = Immediate(called)
    for _ in range(2):
        list(sweep(place(), executor=executor))

    assert 2 == len({task.run for task in executor.tasks})


def test_tasks_know_their_time_and_their_share(skies: dict[str, Sky]) -> None:
    """The worker has no other way to learn them."""
    skies["sea"] = Sky(rows=rows("sea", 1))
    executor = Immediate(called)
    list(sweep(place(), executor=executor, scope_timeout=50.0, timeout=7.0, rate_share=0.25))
    list(sweep(place(), executor=executor, scope_timeout=50.0))
    first, second = executor.tasks

    assert 6.0 < first.seconds <= 7.0
    assert (50.0, 0.25) == (second.seconds, first.rate_share)


def test_tasks_in_one_process_share_a_limiter() -> None:
    """Ten tasks on a worker must not have ten budgets."""
    limiter = engine._limiter(0.5)  # pyright: ignore[reportPrivateUsage] - what tasks share

    assert limiter is engine._limiter(0.5)  # pyright: ignore[reportPrivateUsage] - as above
    assert pytest.approx(0.45) == limiter.share
