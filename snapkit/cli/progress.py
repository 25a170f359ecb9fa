"""A line on the terminal that moves while a long listing runs."""

import contextlib
import os
import sys
from collections.abc import Callable, Generator

from snapkit.listing import Outcome, Report

__all__ = ["sentence", "watching"]


def sentence(noun: str, report: Report) -> str:
    """Return how far a listing is."""
    asked = len(report.scopes)
    done = sum(scope.outcome is not Outcome.RUNNING for scope in report.scopes)
    regions = f"{done} of {asked} regions" if asked > 1 else f"{asked} region"
    return f"listing {noun}: {regions}, {report.rows:,} rows"


@contextlib.contextmanager
def watching(noun: str, report: Callable[[], Report], *, quiet: bool) -> Generator[None]:
    """Show progress on stderr while the block runs, if it is a terminal and nobody minds."""
    if quiet or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    from rich.console import Console
    from rich.live import Live
    from rich.spinner import Spinner
    from rich.text import Text

    spinner = Spinner("dots")

    def drawn() -> Spinner:
        spinner.update(text=Text(sentence(noun, report())))
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
