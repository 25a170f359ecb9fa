"""The command ``snapkit``: thin over the public API.

Subcommands are imported when they are called, so that ``--help`` and ``--version`` load
neither the HTTP library nor the one that draws.
"""

import contextlib
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Generator, Sequence
from difflib import get_close_matches
from importlib import import_module
from types import FrameType
from typing import Any, TextIO

import click

from snapkit import __version__

__all__ = ["commands", "main"]

_HOMES = {
    "list": ("listing", "list_command", "List snapshots, whoever holds them."),
    "groups": ("listing", "groups_command", "List snapshot groups and their members."),
    "show": ("show", "show_command", "Show all that is known of one snapshot or group."),
    "disks": ("disks", "disks_command", "List the disks of a server as they are now."),
    "create": ("making", "create_command", "Make a snapshot of a disk, once."),
    "create-group": ("making", "create_group_command", "Make snapshots of several disks together."),
    "wait": ("awaiting", "wait_command", "Wait until snapshots are cut, usable, complete or gone."),
    "change": ("changing", "change_command", "Rename, describe, set or clear the expiry."),
    "tag": ("changing", "tag_command", "Set and remove tags."),
    "delete": ("removing", "delete_command", "Delete snapshots and groups: shows the plan, asks."),
    "restore": ("restoring", "restore_command", "Make a new disk from a snapshot."),
    "rollback": ("restoring", "rollback_command", "Put a disk back to a snapshot, in place."),
    "copy": ("restoring", "copy_command", "Copy a snapshot to other regions."),
    "share": ("changing", "share_command", "Share snapshots with other accounts."),
    "unshare": ("changing", "unshare_command", "Stop sharing snapshots."),
    "lock": ("changing", "lock_command", "Lock a snapshot against deletion."),
    "unlock": ("changing", "unlock_command", "Take the lock away."),
    "providers": ("about", "providers_command", "Show the adapters there are, and their keys."),
    "regions": ("about", "regions_command", "Ask the clouds which regions they have."),
    "config": ("config", "config_command", "Find, write, show and check the configuration file."),
    "doctor": ("doctor", "doctor_command", "Find out why a cloud does not answer, and what helps."),
    "demo": ("demo", "demo_command", "See it work on emulated clouds; no account needed."),
    "emulator": ("emulator", "emulator_command", "Serve the emulated clouds until Ctrl-C."),
}

_EPILOG = """
\b
Start here:
  snapkit demo                            a tour on emulated clouds
  snapkit providers                       which clouds, and how to give the keys
  snapkit list -t PROVIDER:REGION         snapshots of one region
  snapkit list -t PROVIDER:R1,R2 --status failed --older-than 30d
  snapkit create PROVIDER:REGION DISK     make a snapshot and print its reference
  snapkit COMMAND --help                  examples and options of each command

\b
Exit codes:
    0  all answered                 5  temporary, the same may work later
    1  another error                6  not found
    2  usage or configuration       7  a wait timed out
    3  partial: the rest was        8  cancelled
       printed, stderr says why   130  interrupted
    4  credentials: missing,      141  the reader of the output went away
       wrong, or not allowed
"""


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        del ctx
        return list(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command called *cmd_name*, imported now."""
        del ctx
        if cmd_name not in _HOMES:
            return None
        module, attribute, _ = _HOMES[cmd_name]
        found: click.Command = getattr(import_module(f"snapkit.cli.{module}"), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write names and purposes without importing anything."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, purpose) for name, (_, _, purpose) in _HOMES.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* begin with, or raise UsageError with the nearest."""
        if args and args[0] not in _HOMES and not args[0].startswith("-"):
            near = get_close_matches(args[0], _HOMES, 1)
            guess = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_HOMES)}"
            raise click.UsageError(f"no command {args[0]!r}; {guess}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="snapkit", message="%(prog)s %(version)s")
@click.pass_context
def commands(context: click.Context) -> None:
    """The disk snapshots of many clouds as one thing.

    Data goes to stdout, everything else to stderr. What could not be seen is always said.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line *argv* (default: the process's) and return the exit code."""
    try:
        return _ended(list(sys.argv[1:] if argv is None else argv))
    finally:
        _discard_unwritable(sys.stderr)


def _ended(args: list[str]) -> int:
    """Run *args* and return the exit code, whatever happens."""
    try:
        _check_streams()
        for stream in (sys.stdout, sys.stderr):
            _forgive(stream)
        with _terminable():
            code = _run(args)
            sys.stdout.flush()
        return code
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except (KeyboardInterrupt, click.Abort) as stop:
        return _stopped(stop)
    except BrokenPipeError:
        _discard(sys.stdout)
        return 141
    except Exception as error:  # noqa: BLE001 - the last resort: a person gets a sentence
        from snapkit.cli.failing import explain

        code = explain(error, debug="--debug" in args, argv=args)
        _discard_unwritable(sys.stdout)
        return code


def _run(args: list[str]) -> int:
    if "_SNAPKIT_COMPLETE" in os.environ:
        commands.main(args, prog_name="snapkit")
    with commands.make_context("snapkit", args) as context:
        return int(commands.invoke(context) or 0)


def _stopped(stop: BaseException) -> int:
    """Say what was under way when *stop* came, and return the exit code."""
    notes: list[str] = getattr(stop, "__notes__", [])
    if notes:
        from snapkit.cli.failing import tell

        for note in notes:
            tell("interrupted", note)
    return 130


def _check_streams() -> None:
    """Raise OSError, before anything is done, where there is no stdout to tell it on.

    A stderr that is not there takes everything and shows nothing.
    """
    found: Any = sys
    if found.stderr is None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        found.stderr = io.TextIOWrapper(io.FileIO(nowhere, "w"), encoding="utf-8")
    if found.stdout is None:
        raise OSError(errno.EBADF, "it is closed; send it to a file, or to /dev/null", "stdout")


def _forgive(stream: TextIO) -> None:
    """Let *stream* write what its encoding lacks as an escape instead of failing."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _terminable() -> Generator[None]:
    """Make SIGTERM end the command as Ctrl-C does, with what is there so far."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _discard_unwritable(stream: TextIO | None) -> None:
    """Drop what *stream* cannot write, so that the exit code stays what it is."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        _discard(stream)


def _discard(stream: TextIO | None) -> None:
    """Keep the interpreter from complaining about unwritten output when it ends."""
    with contextlib.suppress(OSError, ValueError):
        if stream is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
