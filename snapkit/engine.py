"""A sweep on somebody else's engine: small tasks that any executor can carry out.

A task holds no secret. The worker opens the credentials where it runs, lists one scope and
returns its pages and its report; what goes wrong on the way there and back is a scope that
failed with a sentence.
"""

import os
import pickle
import queue
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from typing import Any

import attrs

from snapkit.client import Client
from snapkit.credentials import Credentials, StaticSource
from snapkit.errors import ConfigurationError, DeadlineExceededError, SnapkitError, TransportError
from snapkit.listing import Listing, Outcome, Report, ScopeReport
from snapkit.model import Kind
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.rate import SHARE, Limiter
from snapkit.retry import RetryPolicy
from snapkit.settings import Target, open_driver
from snapkit.sweeping import Event, ask, failed, late, scope_of
from snapkit.transport import Clock
from snapkit.turns import Gate, Turns

__all__ = ["Answer", "Engine", "Task", "perform", "sendable", "trouble"]

GRACE = 30.0
"""Seconds beyond the time of a scope after which an engine that says nothing is given up."""
_LONGEST = 300


@attrs.frozen(kw_only=True)
class Task:
    """One scope to be listed by a worker; it pickles, and holds no secret.

    ``run`` is different in each sweep, so that no engine takes an old answer for a new one.
    ``seconds`` is the time for the scope from when the worker begins, ``rate_share`` the part
    of the provider's limits that the worker's process may use.
    """

    target: Target
    kind: Kind
    query: SnapshotQuery | GroupQuery
    run: str
    seconds: float = 300.0
    rate_share: float = 1.0
    keep_raw: bool = False
    policy: RetryPolicy = attrs.field(factory=RetryPolicy)


@attrs.frozen(kw_only=True)
class Answer:
    """What a worker found: the pages as they came, and the report on the scope."""

    run: str
    pages: Sequence[list[Any]]
    report: ScopeReport


def perform(task: Task) -> Answer:
    """Return what there is in the scope of *task*; the function that workers call.

    Nothing of snapkit's is raised: the report has the error, beside the rows that arrived.
    All tasks in one process share one rate limiter.
    """
    pages: list[list[Any]] = []
    report = ScopeReport(scope=scope_of(task.target, task.kind))
    listing: Listing[Any] | None = None
    clock = Clock()
    try:
        driver = open_driver(
            task.target,
            limiter=_limiter(task.rate_share),
            policy=task.policy,
            clock=clock,
            deadline=clock.monotonic() + task.seconds,
            keep_raw=task.keep_raw,
        )
        with Client(driver) as client:
            listing = ask(client, task.query)
            pages.extend(listing.pages())
            report = listing.report.scopes[0]
    except SnapkitError as error:
        seen = listing.report.scopes[0] if listing is not None else report
        report = seen if seen.outcome is not Outcome.RUNNING else failed(seen, error)
    return Answer(run=task.run, pages=pages, report=report)


_LIMITERS: dict[tuple[int, float], Limiter] = {}


def _limiter(share: float) -> Limiter:
    # By process: a lock that was held when the process was forked would stay held.
    return _LIMITERS.setdefault((os.getpid(), share), Limiter(share=SHARE * share))


def sendable(target: Target) -> Target:
    """Return *target* if it can go to a worker without a secret, else ConfigurationError."""
    hint = "use a profile or the environment, so that the worker finds the keys where it runs"
    if isinstance(target.credentials, Credentials | StaticSource):
        raise ConfigurationError(
            f"the target {target} has explicit credentials, which an executor may not carry",
            hint=hint,
        )
    try:
        pickle.dumps(target)
    except Exception as error:
        raise ConfigurationError(
            f"the credentials of the target {target} cannot go to an executor:"
            f" {type(error).__name__}",
            hint=hint,
        ) from error
    return target


@attrs.define(kw_only=True)
class Engine:
    """Tasks on an executor, at most *workers* of them handed over at a time.

    *timeout* is over everything, in seconds. An executor that breaks, loses a worker, cannot
    pickle or says nothing any more leaves failed scopes. With a *gate* the reader wants the
    scopes in order: the one whose turn it is goes first, and no other while the gate is full.
    """

    executor: Executor
    tasks: Sequence[Task]
    turns: Turns
    workers: int
    timeout: float | None
    grace: float = GRACE
    gate: Gate | None = None
    reports: list[ScopeReport] = attrs.field(init=False)
    flying: "dict[Future[Answer], int]" = attrs.field(factory=dict["Future[Answer]", int])
    landed: "queue.SimpleQueue[Future[Answer]]" = attrs.field(
        factory=queue.SimpleQueue["Future[Answer]"]
    )

    def __attrs_post_init__(self) -> None:
        self.reports = [ScopeReport(scope=scope_of(one.target, one.kind)) for one in self.tasks]

    def report(self) -> Report:
        """Return what each scope gave so far."""
        return Report(tuple(self.reports))

    def events(self) -> Generator[Event]:
        """Yield the pages of each scope when it has ended."""
        end = float("inf") if self.timeout is None else time.monotonic() + self.timeout
        longest = max((task.seconds for task in self.tasks), default=0.0) + self.grace
        try:
            while self.turns or self.flying:
                while len(self.flying) < self.workers and time.monotonic() < end:
                    next_one = self._next()
                    if next_one is None:
                        break
                    if not self._launch(next_one, end - time.monotonic()):
                        self.turns.ended(next_one)
                        yield next_one, None
                if not self.flying and not self.turns:
                    return
                left = max(0.0, min(longest, end - time.monotonic()))
                try:
                    future = self.landed.get(timeout=left)
                except queue.Empty:
                    yield from self._give_up(longest if left == longest else None)
                    return
                index = self.flying.pop(future)
                self.turns.ended(index)
                yield from ((index, page) for page in self._take(index, future))
                yield index, None
        finally:
            for future in list(self.flying):
                future.cancel()

    def _next(self) -> int | None:
        """Return the scope to hand over now, None if none is to be."""
        gate = self.gate
        if gate is None:
            return self.turns.next()
        if gate.current < len(self.tasks) and self.turns.waits(gate.current):
            return self.turns.take(gate.current)
        return None if gate.full else self.turns.next()

    def _launch(self, index: int, left: float) -> bool:
        """Hand a task over; return False when the executor does not take it."""
        task = attrs.evolve(self.tasks[index], seconds=min(self.tasks[index].seconds, left))
        try:
            future = self.executor.submit(perform, task)
        except Exception as error:  # noqa: BLE001 - executors raise what they like
            self.reports[index] = failed(self.reports[index], trouble(error))
            return False
        self.flying[future] = index
        future.add_done_callback(self.landed.put)
        return True

    def _take(self, index: int, future: "Future[Answer]") -> Sequence[list[Any]]:
        """Return the pages that *future* brought, after noting the report."""
        try:
            answer: Any = future.result(timeout=0)
        except Exception as error:  # noqa: BLE001 - as above
            self.reports[index] = failed(self.reports[index], trouble(error))
            return ()
        if not isinstance(answer, Answer) or answer.run != self.tasks[index].run:
            wrong = TransportError(
                f"the executor answered with {type(answer).__name__!r} of another task",
                hint="use one that calls what it is given; with Dask, get_executor(pure=False)",
            )
            self.reports[index] = failed(self.reports[index], wrong)
            return ()
        self.reports[index] = answer.report
        if self.gate is not None:
            self.gate.count(index, len(answer.pages))
        return answer.pages

    def _give_up(self, silent: float | None) -> Iterator[Event]:
        """End all scopes that are still open: the time is up, or the engine says nothing."""
        for index, report in enumerate(self.reports):
            if report.outcome is not Outcome.RUNNING:
                continue
            if silent is None:
                self.reports[index] = late(report, self.timeout)
            else:
                error = DeadlineExceededError(
                    f"no answer from the executor for {silent:g} s",
                    hint="see whether its workers are alive",
                )
                self.reports[index] = failed(report, error)
            yield index, None


def trouble(error: BaseException) -> SnapkitError:
    """Return what an exception of an executor means to the user of a sweep."""
    found = _meaning(error)
    found.__cause__ = error
    return found


def _meaning(error: BaseException) -> SnapkitError:
    said = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST]
    if isinstance(error, SnapkitError):
        return error
    if isinstance(error, ImportError):
        return ConfigurationError(
            f"the worker cannot load what it needs: {said}",
            hint="install snapkit and its adapters on the workers, in the same version as here",
        )
    if isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker":
        return TransportError(
            f"the worker died: {said}", hint="look at its memory and its log, and list again"
        )
    if isinstance(error, CancelledError):
        return TransportError("the executor cancelled the task")
    if isinstance(error, pickle.PicklingError) or "pickle" in str(error):
        return ConfigurationError(
            f"the executor cannot carry the task or its answer: {said}",
            hint="use one that pickles, such as processes, threads or Dask",
        )
    return TransportError(
        f"the worker failed: {said}",
        hint="if this is the executor's doing, see that workers have the same versions as here",
    )
