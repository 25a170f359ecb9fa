"""Reading from one account in one region of one provider.

Everything that is the same whoever the provider is happens here: splitting long lists of
ids, walking pages, filtering again, filling in the members of groups, and the report.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Generic, Self, TypeVar

import attrs

from snapkit.ahead import Lanes
from snapkit.driver import Capability, Driver
from snapkit.errors import (
    NotFoundError,
    ProtocolError,
    QueryError,
    Retry,
    Sent,
    SnapkitError,
    WaitCancelledError,
    WaitTimeoutError,
)
from snapkit.listing import Listing, Outcome, Report, Scope, ScopeReport, outcome_of
from snapkit.model import Kind, Region, Snapshot, SnapshotGroup, SnapshotStatus, group_status
from snapkit.paging import Cursor, Page
from snapkit.query import GroupQuery, SnapshotQuery, check_filters
from snapkit.waiting import Patience, Progress, Until, Watch, passing, wait_for
from snapkit.walking import Tally, walk
from snapkit.writes import Disk, DiskQuery

__all__ = ["Reader", "chunked"]

T = TypeVar("T", Snapshot, SnapshotGroup, Disk)
Q = TypeVar("Q", SnapshotQuery, GroupQuery)
_MANY_LISTINGS = 10
"""Up to so many narrow listings are taken to be cheaper than one of everything."""


class Reader:
    """What there is in one account in one region; safe to share between threads."""

    def __init__(
        self,
        driver: Driver,
        *,
        lanes: Lanes | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._driver = driver
        self._lanes = lanes
        self._monotonic = monotonic
        self._clock = driver.connection.transport.clock
        self._ending = driver.connection.transport.ending
        self._watch = Watch(self._now, self._clock, self._ending)

    @property
    def provider(self) -> str:
        """The provider's name."""
        return self._driver.name

    @property
    def region(self) -> str:
        """The region that is listed."""
        return self._driver.connection.region

    @property
    def account(self) -> str:
        """The account label, empty when there is none."""
        return self._driver.connection.account

    @property
    def _place(self) -> str:
        account = f"{self.account}@" if self.account else ""
        return f"{self.provider}:{account}{self.region}"

    def supports(self, capability: Capability) -> bool:
        """Whether the provider offers *capability*."""
        return capability in self._driver.capabilities

    def require(self, capability: Capability) -> None:
        """Raise UnsupportedError, with the reason, if the provider lacks *capability*."""
        self._require(capability)

    def snapshots(self, query: SnapshotQuery | None = None, **filters: Any) -> Listing[Snapshot]:
        """Return the snapshots that match *query* or *filters* (the fields of SnapshotQuery).

        Lazy: pages are fetched while the listing is iterated. What goes wrong is raised
        then, after the rows that arrived, and stands in the report.
        """
        wanted = _query(SnapshotQuery, query, filters)
        return self._listing(Kind.SNAPSHOT, lambda tally: self._snapshot_pages(wanted, tally))

    def groups(
        self, query: GroupQuery | None = None, *, fill: bool = True, **filters: Any
    ) -> Listing[SnapshotGroup]:
        """Return the groups that match *query* or *filters* (the fields of GroupQuery).

        With *fill*, members of which the provider's group gives only the id are looked up,
        100 per call. Raises UnsupportedError for a provider without groups.
        """
        if not self._driver.capabilities & {Capability.GROUPS, Capability.DERIVED_GROUPS}:
            raise self._driver.unsupported(Capability.GROUPS)
        wanted = _query(GroupQuery, query, filters)
        return self._listing(Kind.GROUP, lambda tally: self._group_pages(wanted, tally, fill))

    def snapshot(self, snapshot_id: str) -> Snapshot:
        """Return one snapshot with its raw row, or raise NotFoundError; a deleted one is none."""
        whole = type(self)(self._whole, monotonic=self._monotonic)
        return self._only(whole.snapshots(ids=snapshot_id), "snapshot", snapshot_id)

    def group(self, group_id: str) -> SnapshotGroup:
        """Return one group with its members filled in, or raise NotFoundError."""
        return self._only(self.groups(ids=group_id), "snapshot group", group_id)

    def regions(self) -> list[Region]:
        """Return the regions of the provider, not only the one of this client."""
        if not self.supports(Capability.REGIONS):
            raise self._driver.unsupported(Capability.REGIONS)
        return self._driver.list_regions()

    def disks(
        self, *, instance_id: str | None = None, ids: Iterable[str] | None = None
    ) -> list[Disk]:
        """Return the disks with *ids*, or those of one instance, as they are now."""
        self._require(Capability.DISKS)
        if (instance_id is None) == (ids is None):
            raise QueryError("name either an instance or disks", hint="give one of the two")
        named = None if ids is None else list(ids)
        parts = chunked(named, self._driver.limits.ids) if named is not None else [None]
        return [
            disk
            for part in parts
            for page in self._walk(
                self._driver.list_disks,
                DiskQuery(ids=None if part is None else frozenset(part), instance_id=instance_id),
                Tally(),
            )
            for disk in page
        ]

    def wait(
        self,
        ids: Iterable[str],
        until: Until | str = Until.COMPLETE,
        *,
        patience: Patience | None = None,
        timeout: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> list[Snapshot]:
        """Return the snapshots *ids* when all are cut, usable, complete or gone.

        All who wait on one client share one look per 100 ids. *timeout* is in seconds and
        stands for that of *patience*; a look that hangs is given up when it has passed. Raises
        WaitFailedError at once when one has failed,
        NotFoundError for one that is gone, WaitTimeoutError when the time is up,
        WaitCancelledError when *cancelled* says so.
        """
        bounds = patience or Patience()
        return wait_for(
            self._watch,
            [ids] if isinstance(ids, str) else list(ids),
            Until(until),
            patience=bounds if timeout is None else attrs.evolve(bounds, timeout=timeout),
            on_progress=on_progress,
            cancelled=cancelled,
            place=f" in {self._place}",
        )

    def wait_group(
        self,
        group_id: str,
        until: Until | str = Until.COMPLETE,
        *,
        patience: Patience | None = None,
        timeout: float | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> SnapshotGroup | None:
        """Return a group when all its members have come so far; None when it is to be gone.

        A group that was just made may be invisible, or without members, for a grace period;
        members that show only later are waited for too. Errors as for ``wait``.
        """
        bounds = patience or Patience()
        bounds = bounds if timeout is None else attrs.evolve(bounds, timeout=timeout)
        wanted, end = Until(until), self._clock.monotonic() + bounds.timeout
        known: set[str] = set()
        while True:
            group = self._shown(group_id, wanted, bounds, end)
            fresh = [one.id for one in group.members if one.id not in known] if group else []
            left = max(0.0, end - self._clock.monotonic())
            if fresh:
                self.wait(
                    fresh,
                    wanted,
                    patience=attrs.evolve(bounds, timeout=left),
                    on_progress=on_progress,
                    cancelled=cancelled,
                )
                known.update(fresh)
                continue
            if group is None or wanted is not Until.GONE:
                return group
            still = f"the group {group_id!r} is still there, wanted gone"
            if cancelled is not None and cancelled():
                raise self._here(WaitCancelledError(f"{still}: cancelled"))
            if left <= 0:
                raise self._here(WaitTimeoutError(f"{still} after {bounds.timeout:g} s"))
            self._clock.sleep(min(bounds.shortest, left))

    def _shown(
        self, group_id: str, until: Until, patience: Patience, end: float
    ) -> SnapshotGroup | None:
        """Return a group as soon as it shows members; None if it is to be gone and is.

        A look that fails for a passing reason is taken again until *end*.
        """
        grace = self._clock.monotonic() + min(patience.grace, patience.timeout)
        while True:
            now = self._clock.monotonic()
            try:
                with self._ending(max(end, now + patience.overtime)):
                    group = self.group(group_id)
                if group.members or until is Until.GONE:
                    return group
                trouble: SnapkitError = NotFoundError(
                    f"the group {group_id!r} shows no members, wanted {until.value}"
                )
                last = grace
            except NotFoundError as error:
                if error.code is not None:
                    raise
                if until is Until.GONE:
                    return None
                trouble, last = error, grace
            except SnapkitError as error:
                if not passing(error):
                    raise
                trouble, last = error, end
            if self._clock.monotonic() >= last:
                if isinstance(trouble, NotFoundError):
                    raise trouble
                raise self._here(
                    WaitTimeoutError(
                        f"the group {group_id!r} is not seen after {patience.timeout:g} s,"
                        f" wanted {until.value}",
                        hint=f"the last look failed: {trouble}",
                    )
                ) from trouble
            self._clock.sleep(patience.shortest)

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()
        self._driver.connection.transport.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def _whole(self) -> Driver:
        """The driver, keeping raw rows."""
        connection = attrs.evolve(self._driver.connection, keep_raw=True)
        return type(self._driver)(connection)

    def _now(self, ids: Sequence[str], *, include_deleted: bool = False) -> dict[str, Snapshot]:
        """Return which of *ids* are there, by id, with their raw rows.

        Raises ProtocolError where one may be missing only because its row cannot be read:
        whoever deletes or waits takes what is missing for gone.
        """
        if not ids:
            return {}
        whole = type(self)(self._whole, monotonic=self._monotonic)
        rows = whole.snapshots(ids=ids, include_deleted=include_deleted)
        found = {snapshot.id: snapshot for snapshot in rows}
        missing = [one for one in ids if one not in found]
        for trouble in rows.report.scopes[0].troubles if missing else ():
            raise self._here(
                ProtocolError(
                    f"it cannot be told whether {', '.join(missing)} are there: {trouble}",
                    retry=Retry.BACKOFF,
                    sent=Sent.NO,
                )
            )
        return found

    def _require(self, capability: Capability) -> None:
        if not self.supports(capability):
            raise self._here(self._driver.unsupported(capability))

    def _here(self, error: SnapkitError) -> SnapkitError:
        return error.locate(provider=self.provider, account=self.account, region=self.region)

    def _only(self, listing: Listing[T], what: str, wanted: str) -> T:
        for found in listing:
            return found
        place = {"provider": self.provider, "account": self.account, "region": self.region}
        for trouble in listing.report.scopes[0].troubles:
            raise ProtocolError(
                f"the {what} {wanted!r} cannot be read: {trouble}", retry=Retry.NEVER
            ).locate(**place)
        raise NotFoundError(
            f"no {what} {wanted!r} in {self._place}",
            hint="it may be in another region or account, or deleted",
        ).locate(**place)

    def _listing(self, kind: Kind, pages: Callable[[Tally], Iterator[list[T]]]) -> Listing[T]:
        scope = Scope(provider=self.provider, account=self.account, region=self.region, kind=kind)
        tally = Tally()
        run = _Run(scope, tally, pages(tally), self._monotonic)
        return Listing(run, lambda: Report((run.report(),)))

    def _snapshot_pages(self, query: SnapshotQuery, tally: Tally) -> Iterator[list[Snapshot]]:
        groups: dict[str, str] = {}
        if _hopeless(query):
            return
        if query.group_ids is not None:
            held = self.groups(ids=query.group_ids, fill=False)
            for group in held:
                groups.update((member.id, group.id) for member in group.members)
            tally.troubles.extend(held.report.scopes[0].troubles)
            wanted = frozenset(groups) & (query.ids if query.ids is not None else frozenset(groups))
            if not wanted:
                return
            query = attrs.evolve(query, ids=wanted, group_ids=None)
        parts = _split(query, self._driver)
        for part in parts:
            matches = part.matcher()
            for page in self._walk(self._driver.list_snapshots, part, tally):
                tally.total = tally.total if len(parts) == 1 else None
                found = [snapshot for snapshot in page if matches(snapshot)]
                yield [_grouped(snapshot, groups) for snapshot in found] if groups else found

    def _group_pages(
        self, query: GroupQuery, tally: Tally, fill: bool
    ) -> Iterator[list[SnapshotGroup]]:
        if _hopeless(query):
            return
        for page in self._unfilled(query, tally):
            found = self._filled(page, tally) if fill else page
            yield [group for group in found if query.matches(group)]

    def _unfilled(self, query: GroupQuery, tally: Tally) -> Iterator[list[SnapshotGroup]]:
        if Capability.GROUPS in self._driver.capabilities:
            for part in _chunks(query, "ids", self._driver.limits.group_ids):
                for page in self._walk(self._driver.list_groups, part, tally):
                    yield [group for group in page if part.ids is None or group.id in part.ids]
            return
        everything = self._walk(self._driver.list_snapshots, SnapshotQuery(), tally)
        living = [snapshot for page in everything for snapshot in page]
        hidden = {SnapshotStatus.DELETED}
        yield self._driver.derive_groups([one for one in living if one.status not in hidden])

    def _walk(
        self,
        fetch: Callable[..., Page[T]],
        query: SnapshotQuery | GroupQuery | DiskQuery,
        tally: Tally,
    ) -> Iterator[list[T]]:
        def page(cursor: Cursor | None, limit: int) -> Page[T]:
            return fetch(query, cursor=cursor, limit=limit)

        return walk(
            page,
            limit=self._driver.limits.page,
            key=attrgetter("id"),
            tally=tally,
            lanes=self._lanes,
        )

    def _filled(self, groups: Sequence[SnapshotGroup], tally: Tally) -> list[SnapshotGroup]:
        """Return *groups* with whole members where the provider's group names only their ids.

        A member that cannot be found any more stays as it was given and makes the group
        degraded.
        """
        bare = [
            member.id for group in groups for member in group.members if member.raw_status is None
        ]
        if not bare:
            return list(groups)
        members = self.snapshots(ids=bare)
        found = {snapshot.id: snapshot for snapshot in members}
        tally.troubles.extend(members.report.scopes[0].troubles)
        return [_with_members(group, found) for group in groups]


def _grouped(snapshot: Snapshot, groups: dict[str, str]) -> Snapshot:
    group = groups.get(snapshot.id)
    return snapshot if group is None else attrs.evolve(snapshot, group_id=group)


def _with_members(group: SnapshotGroup, found: dict[str, Snapshot]) -> SnapshotGroup:
    members = tuple(
        _member(member, found[member.id], group.id) if member.id in found else member
        for member in group.members
    )
    absent = [one for one in members if one.raw_status is None and one.id not in found]
    missing = bool(absent)
    status = group.status
    if group.raw_status is None or (missing and status is SnapshotStatus.AVAILABLE):
        statuses = [member.status for member in members if member not in absent]
        status = group_status(statuses, missing=missing)
    return attrs.evolve(group, members=members, status=status)


def _member(given: Snapshot, found: Snapshot, group_id: str) -> Snapshot:
    """Return *found*, with what only the group said of it."""
    source = found.source
    if source.instance_id is None and given.source.instance_id is not None:
        source = attrs.evolve(source, instance_id=given.source.instance_id)
    return attrs.evolve(found, group_id=group_id, source=source)


def _query(kind: type[Q], query: Q | None, filters: dict[str, Any]) -> Q:
    check_filters(kind, filters)
    return attrs.evolve(query, **filters) if query is not None else kind(**filters)


def chunked(values: Iterable[str], size: int) -> list[list[str]]:
    """Return *values* in lists of at most *size*, each value once."""
    ordered = list(dict.fromkeys(values))
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _hopeless(query: SnapshotQuery | GroupQuery) -> bool:
    """Whether *query* has a filter without a value, so that nothing can match."""
    return any(value == frozenset() for value in attrs.astuple(query, recurse=False))


def _chunks(query: Q, name: str, size: int | None) -> list[Q]:
    values = getattr(query, name)
    if values is None or size is None or len(values) <= size:
        return [query]
    ordered = sorted(values)
    parts = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    changes: list[dict[str, Any]] = [{name: part} for part in parts]
    return [attrs.evolve(query, **change) for change in changes]


def _split(query: SnapshotQuery, driver: Driver) -> list[SnapshotQuery]:
    """Return the queries, each small enough for one request, that together are *query*.

    Ids are always split; disks only while that is cheaper than listing everything.
    """
    parts = _chunks(query, "ids", driver.limits.ids)
    if query.ids is not None or query.disk_ids is None or driver.limits.disk_ids is None:
        return parts
    if len(query.disk_ids) > driver.limits.disk_ids * _MANY_LISTINGS:
        return parts
    return _chunks(query, "disk_ids", driver.limits.disk_ids)


@attrs.define
class _Run(Generic[T]):
    """One pass over a scope, and what to say about it."""

    scope: Scope
    tally: Tally
    source: Iterator[list[T]]
    monotonic: Callable[[], float]
    matched: int = 0
    outcome: Outcome = Outcome.RUNNING
    error: SnapkitError | None = None
    started: float | None = None
    ended: float | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[T]:
        if self.started is None:
            self.started = self.monotonic()
        try:
            page = next(self.source)
        except StopIteration:
            if self.outcome is Outcome.RUNNING:
                self.ended = self.monotonic()
                self.outcome = Outcome.OK if self.tally.rows else Outcome.EMPTY
            raise
        except SnapkitError as error:
            self.ended = self.monotonic()
            place = self.scope
            error.locate(provider=place.provider, account=place.account, region=place.region)
            self.outcome, self.error = outcome_of(error), error
            raise
        self.matched += len(page)
        return page

    def close(self) -> None:
        if self.started is not None and self.ended is None:
            self.ended = self.monotonic()
        close = getattr(self.source, "close", None)
        if close is not None:
            close()

    def report(self) -> ScopeReport:
        now = self.ended if self.ended is not None else self.monotonic()
        return ScopeReport(
            scope=self.scope,
            outcome=self.outcome,
            pages=self.tally.pages,
            rows=self.tally.rows,
            matched=self.matched,
            total=self.tally.total,
            seconds=0.0 if self.started is None else now - self.started,
            moved=self.tally.moved,
            error=self.error,
            troubles=tuple(self.tally.troubles),
        )
