"""``snapkit emulator``: the emulated clouds, served until somebody stops them."""

import shlex
import sys
import threading
from collections.abc import Iterator
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

'ready http://127.0.0.1:PORT' appears on stdout when it answers; the lines to paste into
another shell are on stderr. It listens on this machine only; its keys open nothing else.
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
@option("--seed", type=int, default=7, show_default=True, metavar="N", help="Another estate.")
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
    from snapkit.emulator import Emulator, demo_world

    world = demo_world(given["seed"])
    if given["empty"]:
        _empty(world)
    with Emulator(world, port=given["port"], latency=given["latency"]) as emulator:
        sys.stdout.write(f"ready {emulator.endpoint}\n")
        sys.stdout.flush()
        serve(emulator, quiet=given["quiet"])
    return 0


def _empty(world: "World") -> None:
    for account in world.accounts:
        for region in account.regions.values():
            region.denied = False
            for things in (region.disks, region.snapshots, region.groups):
                things.clear()


def serve(emulator: "Emulator", *, quiet: bool = False) -> None:
    """Say on stderr how to reach *emulator*, and return when the process is interrupted."""
    try:
        if not quiet:
            click.echo("\n".join(exports(emulator)), err=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        return


def settings(emulator: "Emulator") -> dict[str, str]:
    """Return the environment in which every command reaches *emulator*.

    Of several accounts with one provider the first counts: the environment has one key for
    each.
    """
    found = {"SNAPKIT_ENDPOINT": emulator.endpoint, "SNAPKIT_TARGETS": " ".join(_places(emulator))}
    from snapkit.registry import driver_class

    for account in reversed(emulator.world.accounts):
        for names in driver_class(account.provider).environment.keys[:1]:
            found |= {names.key_id: account.key_id, names.secret: account.secret}
            if account.token and names.tokens:
                found[names.tokens[0]] = account.token
    return found


def _places(emulator: "Emulator") -> Iterator[str]:
    seen: set[str] = set()
    for account in emulator.world.accounts:
        if account.provider not in seen and account.regions:
            seen.add(account.provider)
            label = f"{account.label}@" if account.label else ""
            yield f"{account.provider}:{label}{','.join(account.regions)}"


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
