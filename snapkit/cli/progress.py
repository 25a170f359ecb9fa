"""A line on the terminal that moves while something long runs."""

import contextlib
import os
import sys
from collections.abc import Callable, Generator

from snapkit.listing import Outcome, Report
from snapkit.waiting import Progress

__all__ = ["awaiting", "duration", "sentence", "waiting_sentence", "watching"]


def sentence(noun: str, report: Report) -> str:
    """Return how far a listing is."""
    asked = len(report.scopes)
    done = sum(scope.outcome is not Outcome.RUNNING for scope in report.scopes)
    regions = f"{done} of {asked} regions" if asked > 1 else f"{asked} region"
    return f"listing {noun}: {regions}, {report.rows:,} rows"


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


@contextlib.contextmanager
def watching(noun: str, report: Callable[[], Report], *, quiet: bool) -> Generator[None]:
    """Show progress on stderr while the block runs, if it is a terminal and nobody minds."""
    with _moving(lambda: sentence(noun, report()), quiet=quiet):
        yield


@contextlib.contextmanager
def awaiting(until: str, *, quiet: bool) -> Generator[Callable[[Progress], None]]:
    """Show the progress that is told to the function given, under the same conditions."""
    last: list[Progress] = []

    def told(progress: Progress) -> None:
        last[:] = [progress]

    with _moving(lambda: waiting_sentence(until, last[0] if last else None), quiet=quiet):
        yield told


@contextlib.contextmanager
def _moving(text: Callable[[], str], *, quiet: bool) -> Generator[None]:
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
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
