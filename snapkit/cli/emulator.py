"""``snapkit emulator``: the emulated clouds, served until somebody stops them."""

import logging
import shlex
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from snapkit.cli.options import Command, option, talking

if TYPE_CHECKING:
    from snapkit.emulator import Emulator, World

__all__ = ["emulator_command", "exports", "serve", "settings"]

_HELP = """
\b
Examples:
  snapkit emulator
  snapkit emulator --port 8642 > ready.txt &
  snapkit emulator --estate estate.toml

'ready http://127.0.0.1:PORT' appears on stdout when it answers; the lines to paste into
another shell are on stderr. It listens on this machine only; its keys open nothing else.
Under http://127.0.0.1:PORT/_snapkit/ its clock is moved and faults are ordered, in JSON.
Ctrl-C or SIGTERM ends it with exit code 0.
"""


@click.command("emulator", cls=Command, epilog=_HELP)
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default="a free one",
    metavar="N",
    help="Port to listen on.",
)
@option(
    "--estate",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="TOML or JSON file with the accounts, disks and snapshots to serve.",
)
@option("--seed", type=int, show_default="7", metavar="N", help="Another demonstration estate.")
@option("--empty", is_flag=True, help="Accounts and regions only, nothing in them.")
@option(
    "--latency",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="SECONDS",
    help="Added to each answer.",
)
@talking
def emulator_command(**given: Any) -> int:
    """Serve the emulated clouds until Ctrl-C, for trying things out and for tests."""
    from snapkit.cli.failing import listen
    from snapkit.emulator import Emulator

    listen(verbose=logging.getLogger("snapkit").level == logging.DEBUG)
    again = _maker(given)
    with Emulator(again=again, port=given["port"], latency=given["latency"]) as emulator:
        serve(emulator, quiet=given["quiet"], ready=True)
    return 0


def _maker(given: Mapping[str, Any]) -> "Callable[[], World]":
    """Return what makes the world that is asked for, as often as it is called."""
    from snapkit.emulator import demo_world, load_estate

    seed = given["seed"]
    if given["estate"] is None:
        made: Callable[[], World] = partial(demo_world, 7 if seed is None else seed)
    elif seed is None:
        made = load_estate(given["estate"]).world
    else:
        raise click.UsageError(
            "--seed is for the demonstration estate; in the file give generate a seed"
        )
    return (lambda: _emptied(made())) if given["empty"] else made


def _emptied(world: "World") -> "World":
    for account in world.accounts:
        for region in account.regions.values():
            region.denied = False
            for things in (region.disks, region.snapshots, region.groups):
                things.clear()
    return world


def serve(emulator: "Emulator", *, quiet: bool = False, ready: bool = False) -> None:
    """Say on stderr how to reach *emulator*, and return when the process is interrupted.

    With *ready* also say so on stdout, in one line for programs.
    """
    try:
        if not quiet:
            click.echo("\n".join(exports(emulator)), err=True)
        if ready:
            # Last, so that whoever waits for it finds the lines on stderr complete.
            sys.stdout.write(f"ready {emulator.endpoint}\n")
            sys.stdout.flush()
        threading.Event().wait()
    except KeyboardInterrupt:
        return


def settings(emulator: "Emulator") -> dict[str, str]:
    """Return the environment in which every command reaches *emulator*.

    Of several accounts with one provider the first counts: the environment has one key for
    each.
    """
    return emulator.environment()


def exports(emulator: "Emulator") -> list[str]:
    """Return shell lines that make every command reach *emulator*."""
    return [
        "# paste into another shell:",
        *(f"export {name}={shlex.quote(value)}" for name, value in settings(emulator).items()),
        "# then, for instance:",
        "snapkit list --status failed,suspended",
        "snapkit groups",
        "# Ctrl-C ends the emulator",
    ]
