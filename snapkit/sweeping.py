"""Many scopes side by side: the threads that list them, and the order in which pages go on."""

import queue
import threading
import time
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any, TypeAlias

import attrs

from snapkit.ahead import Lanes
from snapkit.client import Client
from snapkit.credentials import Credentials
from snapkit.errors import DeadlineExceededError, SnapkitError
from snapkit.http import Http
from snapkit.listing import Listing, Outcome, Report, Scope, ScopeReport, outcome_of
from snapkit.model import Kind
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.rate import Limiter
from snapkit.retry import RetryPolicy
from snapkit.settings import Target, open_driver
from snapkit.transport import Clock
from snapkit.turns import PAGES_AHEAD, Gate, Turns

__all__ = [
    "Crew",
    "Event",
    "Job",
    "Plan",
    "SweepProgress",
    "ask",
    "failed",
    "in_order",
    "keys_of",
    "late",
    "pages_of",
    "scope_of",
    "telling",
]

Event: TypeAlias = tuple[int, list[Any] | None]
"""The number of a scope, and a page of it; None when it has ended."""


@attrs.frozen(kw_only=True)
class SweepProgress:
    """How far a sweep is: scopes ended and asked for, rows handed on, seconds since the start."""

    done: int
    total: int
    rows: int
    seconds: float

    @property
    def rate(self) -> float:
        """Rows a second so far."""
        return self.rows / self.seconds if self.seconds > 0 else 0.0


@attrs.frozen(kw_only=True)
class Plan:
    """How to list, whatever is listed; times in seconds."""

    workers: int = 16
    timeout: float | None = None
    """Over everything; None: no bound."""
    scope_timeout: float = 300.0
    keep_raw: bool = False
    policy: RetryPolicy = attrs.field(factory=RetryPolicy)
    limiter: Limiter = attrs.field(factory=Limiter)
    clock: Clock = attrs.field(factory=Clock)


def ask(client: Client, query: SnapshotQuery | GroupQuery) -> Listing[Any]:
    """Return the listing of what *query* selects."""
    if isinstance(query, GroupQuery):
        return client.groups(query)
    return client.snapshots(query)


def scope_of(target: Target, kind: Kind) -> Scope:
    """Return the scope that *target* is for *kind*."""
    return Scope(provider=target.provider, account=target.account, region=target.region, kind=kind)


def failed(report: ScopeReport, error: SnapkitError) -> ScopeReport:
    """Return *report* as of a scope that ended with *error*."""
    scope = report.scope
    error.locate(provider=scope.provider, account=scope.account, region=scope.region)
    return attrs.evolve(report, outcome=outcome_of(error), error=error)


def late(report: ScopeReport, seconds: float | None) -> ScopeReport:
    """Return *report* as it is when the time for everything is up."""
    if report.outcome is not Outcome.RUNNING:
        return report
    return failed(
        report,
        DeadlineExceededError(
            f"not finished after {seconds:g} s", hint="allow more time, or list fewer regions"
        ),
    )


def in_order(events: Iterator[Event], gate: Gate | None = None) -> Generator[Event]:
    """Yield *events* by scope, in the order of their numbers; what comes too early is kept.

    *gate* is told what goes on, so that those who fill it can bound what is kept.
    """
    kept: dict[int, list[Event]] = {}
    current = 0
    with closing_all(events):
        for event in events:
            kept.setdefault(event[0], []).append(event)
            while current in kept:
                ready = kept.pop(current)
                yield from _passing(ready, gate)
                if ready[-1][1] is not None:
                    break
                current += 1
                if gate is not None:
                    gate.turn_of(current)
    for _, ready in sorted(kept.items()):
        yield from _passing(ready, gate)


def _passing(ready: list[Event], gate: Gate | None) -> Iterator[Event]:
    for event in ready:
        if gate is not None and event[1] is not None:
            gate.count(event[0], -1)
        yield event


def telling(
    events: Iterator[Event], total: int, told: Callable[[SweepProgress], None]
) -> Generator[Event]:
    """Yield *events*, and tell how far they are after each."""
    started, done, rows = time.monotonic(), 0, 0
    with closing_all(events):
        for event in events:
            page = event[1]
            done, rows = done + (page is None), rows + len(page or ())
            passed = time.monotonic() - started
            told(SweepProgress(done=done, total=total, rows=rows, seconds=passed))
            yield event


def pages_of(events: Iterator[Event]) -> Generator[list[Any]]:
    """Yield the pages of *events*."""
    with closing_all(events):
        for _, page in events:
            if page is not None:
                yield page


def closing_all(events: Iterator[Event]) -> "closing[Any]":
    """Return a context that closes the generator *events* when its reader leaves."""
    found: Any = events
    return closing(found)


def keys_of(target: Target) -> Hashable:
    """Return what tells the credentials of *target* from others; equal targets may differ."""
    given = target.credentials
    return given if given is None or isinstance(given, Credentials) else id(given)


@attrs.frozen
class Job:
    """One scope to be listed."""

    target: Target
    kind: Kind

    @property
    def account(self) -> Hashable:
        """Whose turn it is, by provider, label and keys."""
        return self.target.provider, self.target.account, keys_of(self.target)


@attrs.define
class Crew:
    """Threads of this process that list *jobs* side by side; pages go on as they arrive.

    With a *gate* the reader wants the scopes in order: one thread starts them in that order,
    so that the scope whose turn it is always has one, and the others by account.
    """

    jobs: Sequence[Job]
    plan: Plan
    start: Callable[[Client, Kind], Listing[Any]]
    gate: Gate | None = None
    turns: Turns = attrs.field(init=False)
    reports: list[Callable[[], ScopeReport]] = attrs.field(init=False)
    ready: "queue.Queue[tuple[int, list[Any] | BaseException | None]]" = attrs.field(init=False)
    closed: bool = False
    stop: threading.Event = attrs.field(factory=threading.Event)
    sessions: dict[str | None, Http] = attrs.field(factory=dict[str | None, Http])
    lock: threading.Lock = attrs.field(factory=threading.Lock)
    lanes: Lanes = attrs.field(init=False)
    """One for each worker; those without a scope of their own fetch pages of another's."""

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes(self.plan.workers)
        self.reports = [
            partial(_same, ScopeReport(scope=scope_of(job.target, job.kind))) for job in self.jobs
        ]
        self.ready = queue.Queue(maxsize=self.plan.workers * PAGES_AHEAD)
        self.turns = Turns([job.account for job in self.jobs])

    def report(self) -> Report:
        """Return what each scope gave so far."""
        return Report(tuple(report() for report in self.reports))

    def events(self) -> Generator[Event]:
        """Start the threads and yield what they bring."""
        monotonic = time.monotonic
        end = None if self.plan.timeout is None else monotonic() + self.plan.timeout
        self._man(end)
        running = len(self.jobs)
        try:
            while running:
                try:
                    left = None if end is None else max(0.0, end - monotonic())
                    index, item = self.ready.get(timeout=left)
                except queue.Empty:
                    self._time_out()
                    yield from self._left_over()
                    return
                if isinstance(item, BaseException):
                    raise item
                running -= item is None
                yield index, item
        finally:
            self.stop.set()
            with self.lock:
                for session in self.sessions.values():
                    session.close()

    def _man(self, end: float | None) -> None:
        """Start the threads; where the system gives fewer, those list everything."""
        for number in range(min(self.plan.workers, len(self.jobs))):
            fair = number > 0 or self.gate is None
            try:
                threading.Thread(target=self._work, args=(end, fair), daemon=True).start()
            except RuntimeError:
                if number == 0:
                    raise
                return

    def _time_out(self) -> None:
        """Close the books: what is still running is late, and nothing changes any more."""
        with self.lock:
            self.closed = True
            final = [late(report(), self.plan.timeout) for report in self.reports]
            self.reports = [partial(_same, report) for report in final]

    def _left_over(self) -> Iterator[Event]:
        """Yield the pages of scopes that ended just before the books were closed."""
        while not self.ready.empty():
            index, item = self.ready.get()
            if isinstance(item, BaseException):
                raise item
            yield index, item

    def _settle(self, index: int, report: Callable[[], ScopeReport]) -> None:
        with self.lock:
            if not self.closed:
                self.reports[index] = report

    def _work(self, end: float | None, fair: bool) -> None:
        while not self.stop.is_set():
            with self.lock:
                index = self.turns.next() if fair else self.turns.lowest()
            if index is None:
                return
            item: BaseException | None = None
            try:
                self._list(index, end)
            except SnapkitError as error:
                seen = self.reports[index]()
                if seen.outcome is Outcome.RUNNING:
                    self._settle(index, partial(_same, failed(seen, error)))
            except BaseException as error:  # noqa: BLE001 - handed to the reader, who raises it
                item = error
            with self.lock:
                self.turns.ended(index)
            self._hand_on(index, item)

    def _list(self, index: int, end: float | None) -> None:
        job, plan = self.jobs[index], self.plan
        now = plan.clock.monotonic()
        latest = now + (float("inf") if end is None else end - time.monotonic())
        driver = open_driver(
            job.target,
            http=self._http(job.target.ca_bundle),
            limiter=plan.limiter,
            policy=plan.policy,
            clock=plan.clock,
            deadline=min(now + plan.scope_timeout, latest),
            keep_raw=plan.keep_raw,
        )
        try:
            listing = self.start(Client(driver, lanes=self.lanes), job.kind)
            self._settle(index, lambda: listing.report.scopes[0])
            transport = driver.connection.transport
            with self.lanes.held():
                for page in listing.pages():
                    fetched = plan.clock.monotonic()
                    if not self._hand_on(index, page):
                        return
                    # The time of a scope does not pass while the reader holds it back.
                    held = plan.clock.monotonic() - fetched
                    transport.deadline = min(transport.deadline + held, latest)
        finally:
            driver.close()

    def _http(self, ca_bundle: str | None) -> Http:
        with self.lock:
            if ca_bundle not in self.sessions:
                self.sessions[ca_bundle] = Http(ca_bundle=ca_bundle)
            return self.sessions[ca_bundle]

    def _admitted(self, index: int) -> bool:
        """Wait until a page of *index* may go on; return False when nobody reads any more."""
        return self.gate is None or self.gate.enter(index, self.stop.is_set)

    def _hand_on(self, index: int, item: "list[Any] | BaseException | None") -> bool:
        """Give *item* to the reader; return False when nobody reads any more."""
        if isinstance(item, list) and not self._admitted(index):
            return False
        while not self.stop.is_set():
            try:
                self.ready.put((index, item), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False


def _same(report: ScopeReport) -> ScopeReport:
    return report
