"""A line on the terminal that moves while something long runs."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Generator, Hashable, Iterable

from snapkit.listing import Outcome, Report
from snapkit.waiting import Progress

__all__ = [
    "awaiting",
    "awaiting_each",
    "duration",
    "moving",
    "sentence",
    "together",
    "waiting_sentence",
    "wants_moving",
    "watching",
]


def sentence(noun: str, report: Report, seconds: float = 0.0) -> str:
    """Return how far a listing is, and how fast after *seconds* of it."""
    asked = len(report.scopes)
    done = sum(scope.outcome is not Outcome.RUNNING for scope in report.scopes)
    regions = f"{done} of {asked} regions" if asked > 1 else f"{asked} region"
    rate = f", {report.rows / seconds:,.0f} rows/s" if seconds >= 1 and report.rows else ""
    return f"listing {noun}: {regions}, {report.rows:,} rows{rate}"


def waiting_sentence(until: str, progress: Progress | None) -> str:
    """Return how far a wait is."""
    if progress is None:
        return f"waiting until {until}"
    said = f"waiting until {until}: {progress.done} of {progress.total}"
    if progress.progress is not None:
        said += f", {progress.progress:.0f} %"
    return said if progress.eta is None else f"{said}, {duration(progress.eta)} to go"


def duration(seconds: float) -> str:
    """Return a time for a person: ``45 s``, ``3 min``, ``2.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def together(found: Iterable[Progress]) -> Progress | None:
    """Return several waits as one: all of their snapshots, and the longest time to go."""
    several = list(found)
    if not several:
        return None
    total = sum(one.total for one in several)
    shares = [one.progress * one.total for one in several if one.progress is not None]
    open_ends = [one.eta for one in several if one.done < one.total]
    known = [eta for eta in open_ends if eta is not None]
    return Progress(
        waited=max(one.waited for one in several),
        done=sum(one.done for one in several),
        total=total,
        progress=sum(shares) / total if total and len(shares) == len(several) else None,
        eta=max(known) if known and len(known) == len(open_ends) else None,
        snapshots=tuple(snapshot for one in several for snapshot in one.snapshots),
    )


@contextlib.contextmanager
def watching(noun: str, report: Callable[[], Report], *, quiet: bool) -> Generator[None]:
    """Show progress on stderr while the block runs, if it is a terminal and nobody minds."""
    started = time.monotonic()
    if not wants_moving(quiet=quiet):
        yield
        return
    with moving(lambda: sentence(noun, report(), time.monotonic() - started)):
        yield


@contextlib.contextmanager
def awaiting(until: str, *, quiet: bool) -> Generator[Callable[[Progress], None]]:
    """Show the progress that is told to the function given, under the same conditions."""
    with awaiting_each(until, quiet=quiet) as told:
        yield lambda progress: told(None, progress)


@contextlib.contextmanager
def awaiting_each(until: str, *, quiet: bool) -> Generator[Callable[[Hashable, Progress], None]]:
    """Show the progress of several waits as one; each has a name of its own."""
    last: dict[Hashable, Progress] = {}

    def told(name: Hashable, progress: Progress) -> None:
        last[name] = progress

    if not wants_moving(quiet=quiet):
        yield told
        return
    with moving(lambda: waiting_sentence(until, together(list(last.values())))):
        yield told


def wants_moving(*, quiet: bool) -> bool:
    """Whether stderr is a terminal on which a line can move, and nobody minds."""
    return not quiet and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


@contextlib.contextmanager
def moving(text: Callable[[], str]) -> Generator[None]:
    """Keep *text* on the last line of the terminal while the block runs."""
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    spinner = Spinner("dots")

    def drawn() -> Spinner:
        spinner.update(text=Text(text()))
        return spinner

    with Live(
        get_renderable=drawn,
        console=Console(stderr=True),
        refresh_per_second=8,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    ):
        yield
