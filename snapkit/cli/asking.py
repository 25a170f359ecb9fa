"""Asking before something is lost."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from snapkit.cli.exits import Exit
from snapkit.cli.failing import tell
from snapkit.cli.inert import inert
from snapkit.cli.options import option, stacked

__all__ = ["agreed", "careful", "check_askable", "show_plan"]

careful = stacked(
    option("--dry-run", is_flag=True, section="Care", help="Show the plan and do nothing."),
    option("--yes", is_flag=True, section="Care", help="Do not ask. Needed without a terminal."),
)


def check_askable(given: Mapping[str, Any]) -> None:
    """Raise UsageError, before anything is sent, if nobody can be asked and nobody said yes."""
    if given["yes"] or given["dry_run"] or _terminal():
        return
    raise click.UsageError(
        "nothing was done: there is no terminal to ask on. --yes agrees beforehand, --dry-run"
        " shows the plan",
        click.get_current_context(),
    )


def show_plan(lines: Sequence[str]) -> None:
    """Print the plan to stderr."""
    for line in lines:
        click.echo(inert(line), err=True)


def agreed(question: str, given: Mapping[str, Any]) -> Exit | None:
    """Return None if it may be done, else the exit code with which to end."""
    if given["dry_run"]:
        tell("dry run", "nothing was done")
        return Exit.OK
    if given["yes"] or click.confirm(question, err=True):
        return None
    tell("cancelled", "nothing was done")
    return Exit.CANCELLED


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()
