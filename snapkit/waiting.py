"""Waiting that is cheap and ends: one describe per 100 ids for all who wait on a client.

Waiters of one client share a :class:`Watch`. Whoever finds the last look too old looks for
everybody; the others sleep until a look has been taken. The pause between looks grows while
nothing changes and shrinks when something does.
"""

import enum
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import attrs

from snapkit.errors import (
    DeadlineExceededError,
    NotFoundError,
    QueryError,
    Sent,
    SnapkitError,
    WaitCancelledError,
    WaitFailedError,
    WaitTimeoutError,
)
from snapkit.model import Snapshot, SnapshotStatus
from snapkit.transport import Clock

__all__ = ["Patience", "Progress", "Until", "Watch", "passing", "reached", "wait_for"]

_FAILED = frozenset({SnapshotStatus.FAILED})
_GONE = frozenset({SnapshotStatus.DELETED, SnapshotStatus.RECYCLED})


class Until(enum.Enum):
    """The moments that a backup tool needs apart."""

    CUT = "cut"
    """The point in time is fixed: the file system may be thawed."""
    USABLE = "usable"
    """A restore would work."""
    COMPLETE = "complete"
    GONE = "gone"
    """Deleted; absence is success."""


@attrs.frozen(kw_only=True)
class Patience:
    """How long to wait and how often to look, in seconds.

    A snapshot that was just made may be invisible for ``grace``; after that, and ``misses`` looks
    in a row without it, it counts as gone. No look goes on beyond ``timeout``, except that one
    which begins shortly before its end, or at it, has ``overtime`` to be answered.
    """

    timeout: float = 3600.0
    shortest: float = 1.0
    longest: float = 15.0
    growth: float = 1.5
    grace: float = 30.0
    misses: int = 3
    overtime: float = 5.0


@attrs.frozen(kw_only=True)
class Progress:
    """What a look found, for callbacks; ``eta`` in seconds, None while it cannot be told."""

    waited: float
    done: int
    total: int
    progress: float | None
    """0 to 100 over all, None when the provider does not say."""
    eta: float | None
    snapshots: tuple[Snapshot, ...]


def reached(snapshot: Snapshot | None, until: Until) -> bool:
    """Whether *snapshot* (None: not there) has come as far as *until*."""
    if until is Until.GONE:
        return snapshot is None or snapshot.status in _GONE
    if snapshot is None:
        return False
    if until is Until.CUT and snapshot.cut_at is not None:
        return True
    if until in (Until.CUT, Until.USABLE) and snapshot.restorable:
        return True
    return snapshot.status is SnapshotStatus.AVAILABLE


@attrs.define
class Watch:
    """The shared look at snapshots; *look* returns those of the ids that are there."""

    look: Callable[[Sequence[str]], dict[str, Snapshot]]
    clock: Clock
    ending: Callable[[float], AbstractContextManager[object]] = nullcontext[object]
    """Within what it gives, a look ends at that moment of the clock at the latest."""
    wanted: dict[str, int] = attrs.field(factory=dict[str, int])
    seen: dict[str, Snapshot] = attrs.field(factory=dict[str, Snapshot])
    asked: frozenset[str] = frozenset()
    """The ids of the last look."""
    looked_at: float = float("-inf")
    """When the last look began."""
    lock: threading.Lock = attrs.field(factory=threading.Lock)
    looking: threading.Lock = attrs.field(factory=threading.Lock)
    """Held during a look; not needed to enter, so that the next look is for all who did."""

    def enter(self, ids: Sequence[str]) -> None:
        """Take part in looks at *ids*."""
        with self.lock:
            for one in ids:
                self.wanted[one] = self.wanted.get(one, 0) + 1

    def leave(self, ids: Sequence[str]) -> None:
        """Stop taking part."""
        with self.lock:
            for one in ids:
                self.wanted[one] -= 1
                if not self.wanted[one]:
                    del self.wanted[one]
                    self.seen.pop(one, None)

    def at(
        self, ids: Sequence[str], *, newer_than: float, end: float = float("inf")
    ) -> tuple[dict[str, Snapshot], float]:
        """Return what is there of *ids*, from a look not older than *newer_than*, and its time.

        At most one thread looks; the others wait for what it finds. Raises
        DeadlineExceededError when nothing has been found by *end*.
        """
        left = max(0.0, end - self.clock.monotonic())
        if not self.looking.acquire(timeout=min(left, threading.TIMEOUT_MAX)):
            raise DeadlineExceededError("another look has not ended in time", sent=Sent.NO)
        try:
            if self.looked_at < newer_than or not self.asked.issuperset(ids):
                with self.lock:
                    asked = sorted(self.wanted)
                began = self.clock.monotonic()
                with self.ending(end):
                    self.seen = self.look(asked)
                self.asked, self.looked_at = frozenset(asked), began
            return {one: self.seen[one] for one in ids if one in self.seen}, self.looked_at
        finally:
            self.looking.release()


def passing(error: SnapkitError) -> bool:
    """Whether a look that failed with *error* is worth another: it may have been too slow."""
    return error.retryable or isinstance(error, DeadlineExceededError)


def wait_for(
    watch: Watch,
    ids: Sequence[str],
    until: Until,
    *,
    patience: Patience,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    place: str = "",
) -> list[Snapshot]:
    """Return the snapshots when all of *ids* have reached *until* (without those that are gone).

    Raises WaitFailedError as soon as one has failed, NotFoundError for one that is gone,
    WaitTimeoutError when ``patience.timeout`` has passed, WaitCancelledError when *cancelled*
    says so. A look that fails for a passing reason is taken again until the time is up.
    """
    if not ids:
        raise QueryError("nothing to wait for", hint="name at least one snapshot")
    waiting = _Waiting(watch, tuple(dict.fromkeys(ids)), until, patience, on_progress, place)
    watch.enter(waiting.ids)
    try:
        return waiting.run(cancelled or (lambda: False))
    finally:
        watch.leave(waiting.ids)


@attrs.define
class _Waiting:
    watch: Watch
    ids: tuple[str, ...]
    until: Until
    patience: Patience
    on_progress: Callable[[Progress], None] | None
    place: str
    started: float = 0.0
    first: float | None = None
    misses: dict[str, int] = attrs.field(factory=dict[str, int])
    visible: set[str] = attrs.field(factory=set[str])
    found: dict[str, Snapshot] = attrs.field(factory=dict[str, Snapshot])
    trouble: SnapkitError | None = None

    def run(self, cancelled: Callable[[], bool]) -> list[Snapshot]:
        clock, patience = self.watch.clock, self.patience
        self.started = clock.monotonic()
        end = self.started + patience.timeout
        pause, wanted_after, before = patience.shortest, self.started, ""
        while True:
            if cancelled():
                raise WaitCancelledError(self.account_for("cancelled"))
            try:
                last = max(end, clock.monotonic() + patience.overtime)
                self.found, looked = self.watch.at(self.ids, newer_than=wanted_after, end=last)
                self.trouble = None
                self.check()
            except SnapkitError as error:
                if not passing(error):
                    raise
                self.trouble, looked = error, clock.monotonic()
            pending = self.pending()
            self.tell(pending)
            if not pending and self.trouble is None:
                return [self.found[one] for one in self.ids if one in self.found]
            now = clock.monotonic()
            state = repr([(one, self.found.get(one)) for one in pending])
            changed = state != before
            pause = patience.shortest if changed else min(patience.longest, pause * patience.growth)
            before = state
            if now + pause > end:
                if now >= end:
                    raise WaitTimeoutError(
                        self.account_for(f"after {round(patience.timeout, 1):g} s"),
                        hint=self.advice(),
                    ) from self.trouble
                pause = end - now
            clock.sleep(pause)
            wanted_after = looked + min(pause, patience.shortest)

    def pending(self) -> list[str]:
        """Return the ids that have not come so far; one that no look has shown is no success."""
        return [
            one
            for one in self.ids
            if not reached(self.found.get(one), self.until)
            or (self.trouble is not None and one not in self.found)
        ]

    def check(self) -> None:
        """Raise for a snapshot that failed, or that is gone although it must be there."""
        if self.until is Until.GONE:
            return
        waited = self.watch.clock.monotonic() - self.started
        for one in self.ids:
            snapshot = self.found.get(one)
            if snapshot is not None and snapshot.status in _FAILED:
                raise WaitFailedError(
                    f"snapshot {one!r} has failed ({snapshot.raw_status!r}),"
                    f" wanted {self.until.value}",
                    hint=snapshot.status_reason,
                )
            if snapshot is not None and snapshot.status not in _GONE:
                self.visible.add(one)
                self.misses[one] = 0
                continue
            self.misses[one] = self.misses.get(one, 0) + 1
            patient = one not in self.visible and waited < self.patience.grace
            if not patient and self.misses[one] >= self.patience.misses:
                raise NotFoundError(
                    f"snapshot {one!r} is not there{self.place}, wanted {self.until.value}",
                    hint="it was deleted, or never made",
                )

    def tell(self, pending: Sequence[str]) -> None:
        if self.on_progress is None:
            return
        waited = self.watch.clock.monotonic() - self.started
        known = [self.found[one].progress for one in self.ids if one in self.found]
        figures = [figure for figure in known if figure is not None]
        share = sum(figures) / len(self.ids) if len(figures) == len(self.ids) else None
        if self.first is None:
            self.first = share
        gained = None if share is None or self.first is None else share - self.first
        eta = waited * (100 - share) / gained if share is not None and gained else None
        self.on_progress(
            Progress(
                waited=waited,
                done=len(self.ids) - len(pending),
                total=len(self.ids),
                progress=share,
                eta=eta,
                snapshots=tuple(self.found[one] for one in self.ids if one in self.found),
            )
        )

    def account_for(self, how: str) -> str:
        """Return what was wanted and what was last seen, for an error."""
        seen = [
            f"{one!r} is {found.status.value} ({found.raw_status!r})"
            if (found := self.found.get(one)) is not None
            else f"{one!r} is not {'there' if self.trouble is None else 'seen'}"
            for one in self.pending()
        ]
        shown = ", ".join(seen[:5]) + (f" and {len(seen) - 5} more" if len(seen) > 5 else "")
        return f"snapshot {shown} {how}, wanted {self.until.value}"

    def advice(self) -> str:
        if self.trouble is not None:
            return f"the last look failed: {self.trouble}"
        return "it may still get there; wait again with more time"
