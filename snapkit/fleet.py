"""Many accounts and regions as one listing, with a report on each.

Scopes are listed side by side by daemon threads; pages are handed on as they arrive. A scope
that fails, hangs or is denied never holds or hides the others: it is named in the report.
"""

import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any, TypeAlias, overload

import attrs

from snapkit.engine import Engine, Task, sendable
from snapkit.errors import ArgumentError, QueryError
from snapkit.listing import Listing
from snapkit.model import Kind, Snapshot, SnapshotGroup
from snapkit.query import GroupQuery, SnapshotQuery, check_filters
from snapkit.rate import SHARE, Limiter, smallest_parts
from snapkit.retry import RetryPolicy
from snapkit.settings import Target
from snapkit.sweeping import (
    Crew,
    Job,
    Plan,
    SweepProgress,
    ask,
    in_order,
    keys_of,
    pages_of,
    telling,
)
from snapkit.transport import Clock
from snapkit.turns import PAGES_AHEAD, Gate, Turns

__all__ = ["SweepProgress", "list_groups", "list_snapshots", "sweep"]

Targets: TypeAlias = Iterable[Target | str] | Target | str


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
    places = _resolved(targets)
    limiter = limiter or Limiter(parts=smallest_parts(places))
    plan = _plan(workers, timeout, scope_timeout, keep_raw, policy, limiter, clock)
    jobs = [Job(target, Kind.SNAPSHOT) for target in places]
    return _listing(Crew(jobs, plan, lambda one, _: one.snapshots(wanted)))


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
    places = _resolved(targets)
    limiter = limiter or Limiter(parts=smallest_parts(places))
    plan = _plan(workers, timeout, scope_timeout, keep_raw, policy, limiter, clock)
    jobs = [Job(target, Kind.GROUP) for target in places]
    return _listing(Crew(jobs, plan, lambda one, _: one.groups(wanted, fill=fill)))


@overload
def sweep(
    targets: Targets,
    query: SnapshotQuery | GroupQuery | None = None,
    *,
    kinds: Iterable[Kind | str] | Kind | str,
    executor: Executor | None = None,
    ordered: bool = False,
    workers: int = 16,
    timeout: float | None = None,
    scope_timeout: float = 300.0,
    on_progress: Callable[[SweepProgress], None] | None = None,
    rate_share: float = 1.0,
    keep_raw: bool = False,
    policy: RetryPolicy | None = None,
    limiter: Limiter | None = None,
    **filters: Any,
) -> Listing[Any]: ...


@overload
def sweep(
    targets: Targets,
    query: SnapshotQuery | None = None,
    *,
    executor: Executor | None = None,
    ordered: bool = False,
    workers: int = 16,
    timeout: float | None = None,
    scope_timeout: float = 300.0,
    on_progress: Callable[[SweepProgress], None] | None = None,
    rate_share: float = 1.0,
    keep_raw: bool = False,
    policy: RetryPolicy | None = None,
    limiter: Limiter | None = None,
    **filters: Any,
) -> Listing[Snapshot]: ...


def sweep(
    targets: Targets,
    query: SnapshotQuery | GroupQuery | None = None,
    *,
    kinds: Iterable[Kind | str] | Kind | str = ("snapshot",),
    executor: Executor | None = None,
    ordered: bool = False,
    workers: int = 16,
    timeout: float | None = None,
    scope_timeout: float = 300.0,
    on_progress: Callable[[SweepProgress], None] | None = None,
    rate_share: float = 1.0,
    keep_raw: bool = False,
    policy: RetryPolicy | None = None,
    limiter: Limiter | None = None,
    **filters: Any,
) -> Listing[Any]:
    """Return the snapshots in all *targets*, and the groups if *kinds* asks for them.

    Targets, query, filters and times as for list_snapshots; with both kinds a filter must be
    one that both have. Accounts take turns. With *ordered*, rows come in the order of the
    targets, each scope's as listed; of what arrives too early some pages are kept in memory,
    and scopes with more wait for their turn (with an executor: whole scopes).
    *on_progress* is called in the reader's thread after each page.

    With an *executor* each scope is one task for it, at most *workers* at a time; the worker
    needs snapkit and finds the credentials where it runs. *rate_share* is the part of the
    providers' limits that each process may use; where a target has a rate share of its own,
    that part of it. Targets with explicit credentials raise ConfigurationError then; what an
    executor does wrong is a failed scope.
    """
    wanted = _wanted(kinds, query, filters)
    places = _resolved(targets)
    jobs = [Job(target, kind) for target in places for kind in wanted]
    if not 0 < rate_share <= 1:
        raise ArgumentError(f"the rate share is {rate_share:g}", hint="give a part of 1, as 0.25")
    if limiter is not None and (rate_share != 1 or executor is not None):
        raise ArgumentError(
            "a limiter has its own share and stays in this process",
            hint="give a rate_share alone, or a limiter without share and executor",
        )
    parts = smallest_parts(places)
    gate = Gate(room=max(1, workers) * PAGES_AHEAD) if ordered else None
    if executor is None:
        limiter = limiter or Limiter(share=SHARE * rate_share, parts=parts)
        plan = _plan(workers, timeout, scope_timeout, keep_raw, policy, limiter, None)
        local = Crew(jobs, plan, lambda one, kind: ask(one, wanted[kind]), gate)
        events, report = local.events(), local.report
    else:
        run = uuid.uuid4().hex
        engine = Engine(
            executor=executor,
            tasks=[
                Task(
                    target=sendable(job.target),
                    kind=job.kind,
                    query=wanted[job.kind],
                    run=run,
                    seconds=scope_timeout,
                    rate_share=rate_share * parts[job.target.provider, job.target.account],
                    keep_raw=keep_raw,
                    policy=policy or RetryPolicy(),
                )
                for job in jobs
            ],
            turns=Turns([job.account for job in jobs]),
            workers=max(1, workers),
            timeout=timeout,
            gate=gate,
        )
        events, report = engine.events(), engine.report
    if on_progress is not None:
        events = telling(events, len(jobs), on_progress)
    return Listing(pages_of(in_order(events, gate) if gate is not None else events), report)


def _listing(crew: Crew) -> Listing[Any]:
    return Listing(pages_of(crew.events()), crew.report)


def _wanted(
    kinds: Iterable[Kind | str] | Kind | str,
    query: SnapshotQuery | GroupQuery | None,
    filters: dict[str, Any],
) -> "dict[Kind, SnapshotQuery | GroupQuery]":
    """Return what to ask for, by kind; QueryError for what does not fit."""
    words = [kinds] if isinstance(kinds, Kind | str) else list(kinds)
    known = {kind.value: kind for kind in Kind}
    wanted: dict[Kind, SnapshotQuery | GroupQuery] = {}
    for word in words:
        kind = word if isinstance(word, Kind) else known.get(word)
        if kind is None:
            raise QueryError(f"no kind {word!r}", hint=f"known: {', '.join(sorted(known))}")
        of = GroupQuery if kind is Kind.GROUP else SnapshotQuery
        check_filters(of, filters)
        if query is not None and type(query) is not of:
            raise QueryError(
                f"a {type(query).__name__} cannot select {kind.value}s",
                hint="sweep each kind by itself, or give filters that both have",
            )
        wanted[kind] = attrs.evolve(query or of(), **filters)
    if not wanted:
        raise QueryError("no kind is asked for", hint=f"known: {', '.join(sorted(known))}")
    return wanted


def _plan(
    workers: int,
    timeout: float | None,
    scope_timeout: float,
    keep_raw: bool,
    policy: RetryPolicy | None,
    limiter: Limiter,
    clock: Clock | None,
) -> Plan:
    return Plan(
        workers=max(1, workers),
        timeout=timeout,
        scope_timeout=scope_timeout,
        keep_raw=keep_raw,
        policy=policy or RetryPolicy(),
        limiter=limiter,
        clock=clock or Clock(),
    )


def _resolved(targets: Targets) -> list[Target]:
    single = [targets] if isinstance(targets, Target | str) else targets
    found = [one if isinstance(one, Target) else Target.parse(one) for one in single]
    return list({(one, keys_of(one)): one for one in reversed(found)}.values())[::-1]
