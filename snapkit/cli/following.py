"""``--progress``: how far a listing is, for people and for programs."""

import contextlib
import sys
import time
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import click

from snapkit.cli.failing import remark
from snapkit.cli.options import option
from snapkit.cli.progress import moving, sentence, wants_moving
from snapkit.cli.records import as_json, error_record, record
from snapkit.listing import Outcome, Report, ScopeReport

if TYPE_CHECKING:
    from snapkit.sweeping import SweepProgress

__all__ = ["Follower", "follower", "progressing"]

WAYS = ("auto", "plain", "json", "none")
_PLAIN_EVERY = 5.0
_PAGES_EVERY = 1.0
"""Seconds between lines that no end of a region makes necessary."""

progressing = option(
    "--progress",
    type=click.Choice(WAYS),
    default="auto",
    show_default=True,
    section="Other",
    help="How far it is, on stderr: auto (a line that moves, on a terminal), plain (a line now"
    " and then), json (an object a line, for programs) or none.",
)


def follower(noun: str, given: Mapping[str, Any], *, scrolls: bool) -> "Follower":
    """Return what tells of a listing of *noun* in the way that ``progressing`` was given.

    Rows that scroll over the terminal are progress enough, unless a way was asked for.
    """
    way = given["progress"]
    if way == "auto":
        way = "moving" if wants_moving(quiet=given["quiet"] or scrolls) else "none"
    return Follower(noun, way)


@attrs.define
class Follower:
    """Tells how far a listing is: ``told`` is for the sweep, ``follow`` for around the reading.

    ``write`` takes finished lines.
    """

    noun: str
    way: str
    write: Callable[[str], None] = remark
    clock: Callable[[], float] = time.monotonic
    report: Callable[[], Report] = Report
    started: float = 0.0
    rows: int = 0
    spoke: float = 0.0
    ended: set[int] = attrs.field(factory=set[int])

    @contextlib.contextmanager
    def follow(self, report: Callable[[], Report]) -> Generator[None]:
        """Tell of the listing whose *report* this is while the block runs, and of its end."""
        self.report, self.started, self.spoke = report, self.clock(), 0.0
        if self.way != "moving":
            yield
            self._end()
            return
        with moving(lambda: sentence(self.noun, report(), self.clock() - self.started)):
            yield

    def told(self, progress: "SweepProgress") -> None:
        """Take what the sweep tells after a page, or after the end of a region."""
        self.rows = progress.rows
        if self.way == "json":
            report = self.report()
            if not self._ends(report, progress.seconds):
                self._page(report, progress.seconds)
        elif self.way == "plain" and progress.seconds - self.spoke >= _PLAIN_EVERY:
            self.spoke = progress.seconds
            self.write(sentence(self.noun, self.report(), progress.seconds))

    def _end(self) -> None:
        report, seconds = self.report(), self.clock() - self.started
        if self.way == "plain":
            self.write(sentence(self.noun, report, seconds))
        elif self.way == "json":
            self._ends(report, seconds)
            self._say("end", report, seconds)

    def _ends(self, report: Report, seconds: float) -> bool:
        """Tell of each region that has ended since the last time; return whether one has."""
        fresh = [
            index
            for index, scope in enumerate(report.scopes)
            if index not in self.ended and scope.outcome is not Outcome.RUNNING
        ]
        for index in fresh:
            self.ended.add(index)
            self._say("scope", report, seconds, report.scopes[index])
        return bool(fresh)

    def _page(self, report: Report, seconds: float) -> None:
        if seconds - self.spoke >= _PAGES_EVERY:
            self._say("page", report, seconds)

    def _say(
        self, event: str, report: Report, seconds: float, scope: ScopeReport | None = None
    ) -> None:
        self.spoke = seconds
        found = {
            "event": event,
            "scopes_done": len(self.ended),
            "scopes_total": len(report.scopes),
            "rows": self.rows,
            "rows_per_second": round(self.rows / seconds, 1) if seconds > 0 else 0.0,
            "seconds": round(seconds, 3),
            "complete": report.complete,
            "scope": None if scope is None else _scope_record(scope),
        }
        self.write(as_json(found, sys.stderr))


def _scope_record(scope: ScopeReport) -> dict[str, Any]:
    return {
        **record(scope.scope),
        "outcome": scope.outcome.value,
        "rows": scope.matched,
        "complete": scope.complete,
        "error": error_record(scope.error),
    }
