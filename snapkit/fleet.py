"""Many accounts and regions as one listing, with a report on each.

Scopes are listed side by side by daemon threads; pages are handed on as they arrive. A scope
that fails, hangs or is denied never holds or hides the others: it is named in the report.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from snapkit.client import Client
from snapkit.credentials import Credentials
from snapkit.errors import DeadlineExceededError, SnapkitError
from snapkit.http import Http
from snapkit.listing import Listing, Outcome, Report, Scope, ScopeReport, outcome_of
from snapkit.model import Kind, Snapshot, SnapshotGroup
from snapkit.query import GroupQuery, SnapshotQuery, check_filters
from snapkit.rate import Limiter
from snapkit.retry import RetryPolicy
from snapkit.settings import Target, open_driver
from snapkit.transport import Clock

__all__ = ["list_groups", "list_snapshots"]

T = TypeVar("T", Snapshot, SnapshotGroup)
Targets: TypeAlias = Iterable[Target | str] | Target | str
_PAGES_AHEAD = 4
"""Pages per thread that may wait for a slow reader."""


@attrs.frozen(kw_only=True)
class _Plan:
    """How to list, whatever is listed; times in seconds."""

    workers: int = 16
    timeout: float | None = None
    """Over everything; None: no bound."""
    scope_timeout: float = 300.0
    keep_raw: bool = False
    policy: RetryPolicy = attrs.field(factory=RetryPolicy)
    limiter: Limiter = attrs.field(factory=Limiter)
    clock: Clock = attrs.field(factory=Clock)


def list_snapshots(
    targets: Targets,
    query: SnapshotQuery | None = None,
    *,
    workers: int = 16,
    timeout: float | None = None,
    scope_timeout: float = 300.0,
    keep_raw: bool = False,
    policy: RetryPolicy | None = None,
    limiter: Limiter | None = None,
    clock: Clock | None = None,
    **filters: Any,
) -> Listing[Snapshot]:
    """Return the snapshots in all *targets* that match *query* or *filters*.

    Targets are values or texts (``"provider:region"``), *filters* are the fields of
    SnapshotQuery. At most *workers* scopes are listed at a time, each for at most
    *scope_timeout* seconds, all of them for at most *timeout*. Rows come as they arrive.
    Nothing is raised for a scope that fails: read ``report`` after the iteration. What cannot
    be right (an unknown provider, a bad filter) raises ConfigurationError at once.
    """
    check_filters(SnapshotQuery, filters)
    wanted = attrs.evolve(query or SnapshotQuery(), **filters)
    plan = _plan(workers, timeout, scope_timeout, keep_raw, policy, limiter, clock)
    sweep = _Sweep(_resolved(targets), Kind.SNAPSHOT, plan, lambda one: one.snapshots(wanted))
    return sweep.listing()


def list_groups(
    targets: Targets,
    query: GroupQuery | None = None,
    *,
    fill: bool = True,
    workers: int = 16,
    timeout: float | None = None,
    scope_timeout: float = 300.0,
    keep_raw: bool = False,
    policy: RetryPolicy | None = None,
    limiter: Limiter | None = None,
    clock: Clock | None = None,
    **filters: Any,
) -> Listing[SnapshotGroup]:
    """Return the snapshot groups in all *targets*; arguments as for list_snapshots.

    *fill* as for ``Client.groups``. A provider without groups is a failed scope whose error
    says so.
    """
    check_filters(GroupQuery, filters)
    wanted = attrs.evolve(query or GroupQuery(), **filters)
    plan = _plan(workers, timeout, scope_timeout, keep_raw, policy, limiter, clock)
    sweep = _Sweep(_resolved(targets), Kind.GROUP, plan, lambda one: one.groups(wanted, fill=fill))
    return sweep.listing()


def _plan(
    workers: int,
    timeout: float | None,
    scope_timeout: float,
    keep_raw: bool,
    policy: RetryPolicy | None,
    limiter: Limiter | None,
    clock: Clock | None,
) -> _Plan:
    return _Plan(
        workers=max(1, workers),
        timeout=timeout,
        scope_timeout=scope_timeout,
        keep_raw=keep_raw,
        policy=policy or RetryPolicy(),
        limiter=limiter or Limiter(),
        clock=clock or Clock(),
    )


def _resolved(targets: Targets) -> list[Target]:
    single = [targets] if isinstance(targets, Target | str) else targets
    found = [one if isinstance(one, Target) else Target.parse(one) for one in single]
    return list({(one, _keys(one)): one for one in reversed(found)}.values())[::-1]


def _keys(target: Target) -> object:
    """Return what tells the credentials of *target* from others; equal targets may differ."""
    given = target.credentials
    return given if given is None or isinstance(given, Credentials) else id(given)


@attrs.define
class _Sweep(Generic[T]):
    targets: list[Target]
    kind: Kind
    plan: _Plan
    start: Callable[[Client], Listing[T]]
    reports: list[Callable[[], ScopeReport]] = attrs.field(init=False)
    ready: "queue.Queue[tuple[int, list[T] | BaseException | None]]" = attrs.field(init=False)
    todo: "queue.SimpleQueue[int]" = attrs.field(factory=queue.SimpleQueue[int])
    closed: bool = False
    stop: threading.Event = attrs.field(factory=threading.Event)
    sessions: dict[str | None, Http] = attrs.field(factory=dict[str | None, Http])
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    def __attrs_post_init__(self) -> None:
        self.reports = [self._waiting(target) for target in self.targets]
        self.ready = queue.Queue(maxsize=self.plan.workers * _PAGES_AHEAD)

    def listing(self) -> Listing[T]:
        return Listing(self._pages(), lambda: Report(tuple(report() for report in self.reports)))

    def _scope(self, target: Target) -> Scope:
        return Scope(
            provider=target.provider,
            account=target.account,
            region=target.region,
            kind=self.kind,
        )

    def _waiting(self, target: Target) -> Callable[[], ScopeReport]:
        return partial(_same, ScopeReport(scope=self._scope(target)))

    def _pages(self) -> Iterator[list[T]]:
        monotonic = time.monotonic
        end = None if self.plan.timeout is None else monotonic() + self.plan.timeout
        for index in range(len(self.targets)):
            self.todo.put(index)
        for _ in range(min(self.plan.workers, len(self.targets))):
            threading.Thread(target=self._work, args=(end,), daemon=True).start()
        running = len(self.targets)
        try:
            while running:
                try:
                    left = None if end is None else max(0.0, end - monotonic())
                    _, item = self.ready.get(timeout=left)
                except queue.Empty:
                    self._time_out()
                    yield from self._left_over()
                    return
                if isinstance(item, BaseException):
                    raise item
                if item is None:
                    running -= 1
                else:
                    yield item
        finally:
            self.stop.set()
            with self.lock:
                for session in self.sessions.values():
                    session.close()

    def _time_out(self) -> None:
        """Close the books: what is still running is late, and nothing changes any more."""
        with self.lock:
            self.closed = True
            final = [self._final(report()) for report in self.reports]
            self.reports = [partial(_same, report) for report in final]

    def _final(self, seen: ScopeReport) -> ScopeReport:
        if seen.outcome is not Outcome.RUNNING:
            return seen
        late = DeadlineExceededError(
            f"not finished after {self.plan.timeout:g} s",
            provider=seen.scope.provider,
            account=seen.scope.account,
            region=seen.scope.region,
            hint="allow more time, or list fewer regions",
        )
        return attrs.evolve(seen, outcome=Outcome.TIMED_OUT, error=late)

    def _left_over(self) -> Iterator[list[T]]:
        """Yield the pages of scopes that ended just before the books were closed."""
        while not self.ready.empty():
            _, item = self.ready.get()
            if isinstance(item, BaseException):
                raise item
            if item is not None:
                yield item

    def _settle(self, index: int, report: Callable[[], ScopeReport]) -> None:
        with self.lock:
            if not self.closed:
                self.reports[index] = report

    def _work(self, end: float | None) -> None:
        while not self.stop.is_set():
            try:
                index = self.todo.get_nowait()
            except queue.Empty:
                return
            item: BaseException | None = None
            try:
                self._list(index, end)
            except SnapkitError as error:
                seen = self.reports[index]()
                if seen.outcome is Outcome.RUNNING:
                    self._settle(index, partial(_same, _failed(seen, error)))
            except BaseException as error:  # noqa: BLE001 - handed to the reader, who raises it
                item = error
            self._hand_on(index, item)

    def _list(self, index: int, end: float | None) -> None:
        target, plan = self.targets[index], self.plan
        left = float("inf") if end is None else end - time.monotonic()
        driver = open_driver(
            target,
            http=self._http(target.ca_bundle),
            limiter=plan.limiter,
            policy=plan.policy,
            clock=plan.clock,
            deadline=plan.clock.monotonic() + min(plan.scope_timeout, left),
            keep_raw=plan.keep_raw,
        )
        try:
            listing = self.start(Client(driver))
            self._settle(index, lambda: listing.report.scopes[0])
            for page in listing.pages():
                if not self._hand_on(index, page):
                    return
        finally:
            driver.close()

    def _http(self, ca_bundle: str | None) -> Http:
        with self.lock:
            if ca_bundle not in self.sessions:
                self.sessions[ca_bundle] = Http(ca_bundle=ca_bundle)
            return self.sessions[ca_bundle]

    def _hand_on(self, index: int, item: "list[T] | BaseException | None") -> bool:
        """Give *item* to the reader; return False when nobody reads any more."""
        while not self.stop.is_set():
            try:
                self.ready.put((index, item), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False


def _same(report: ScopeReport) -> ScopeReport:
    return report


def _failed(report: ScopeReport, error: SnapkitError) -> ScopeReport:
    scope = report.scope
    error.locate(provider=scope.provider, account=scope.account, region=scope.region)
    return attrs.evolve(report, outcome=outcome_of(error), error=error)
