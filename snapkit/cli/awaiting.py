"""``snapkit wait``, and the waits of the commands that make something."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from snapkit.cli.options import Command, acting, option, printing, stacked, talking
from snapkit.cli.outcomes import Outcomes
from snapkit.cli.places import by_place, client_at, ids_of, parsed
from snapkit.errors import SnapkitError
from snapkit.model import Kind, Ref, Snapshot, SnapshotGroup

if TYPE_CHECKING:
    from snapkit.client import Client

__all__ = ["patient", "timing", "wait_command", "waited"]

timing = option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    section="Waiting",
    help="Give up waiting after so long; exit code 7.",
)
patient = stacked(
    option(
        "--wait",
        type=click.Choice(["cut", "usable", "complete"]),
        section="Waiting",
        help="Wait until the point in time is fixed, a restore works, or all is stored.",
    ),
    timing,
)


def waited(
    client: "Client", ref: Ref, until: str, timeout: float, *, quiet: bool
) -> Snapshot | SnapshotGroup | None:
    """Return the snapshot or group *ref* when it has come as far as *until*."""
    from snapkit.cli.progress import awaiting

    with awaiting(until, quiet=quiet) as told:
        if ref.kind is Kind.GROUP:
            return client.wait_group(ref.id, until, timeout=timeout, on_progress=told)
        found = client.wait([ref.id], until, timeout=timeout, on_progress=told)
    return found[0] if found else None


_HELP = """
\b
Examples:
  snapkit wait PROVIDER:REGION/SNAPSHOT-ID --until usable
  snapkit wait PROVIDER:REGION/group/GROUP-ID --until complete --timeout 7200
  snapkit wait REF REF REF --until gone

\b
  cut       the point in time is fixed: the file system may be thawed
  usable    a restore works
  complete  all data is stored
  gone      deleted; what is not there is gone

Ends with 7 when the time is up, with 6 when one is not there, with 1 when one has failed.
"""


@click.command("wait", cls=Command, epilog=_HELP)
@click.argument("ref", nargs=-1, required=True)
@option(
    "--until",
    type=click.Choice(["cut", "usable", "complete", "gone"]),
    default="complete",
    show_default=True,
    section="Waiting",
    help="What to wait for.",
)
@timing
@acting
@printing
@talking
def wait_command(**given: Any) -> int:
    """Wait until all of REF, snapshots or groups, are cut, usable, complete or gone."""
    outcomes = Outcomes.of(given["until"], given)
    end = time.monotonic() + given["timeout"]
    for refs in by_place(parsed(given["ref"])):
        _wait_at(refs, end, given, outcomes)
    return outcomes.end()


def _wait_at(refs: Sequence[Ref], end: float, given: dict[str, Any], outcomes: Outcomes) -> None:
    """Wait for the snapshots among *refs* together, and for each group."""
    from snapkit.cli.progress import awaiting

    until, quiet = given["until"], given["quiet"]
    snapshots = [ref for ref in refs if ref.kind is Kind.SNAPSHOT]
    with client_at(refs[0], given | {"timeout": None}) as client:
        if snapshots:
            try:
                with awaiting(until, quiet=quiet) as told:
                    client.wait(
                        ids_of(snapshots, Kind.SNAPSHOT),
                        until,
                        timeout=_left(end),
                        on_progress=told,
                    )
            except SnapkitError as error:
                _ill(snapshots, error, outcomes)
            else:
                for ref in snapshots:
                    outcomes.well(ref)
        for ref in refs:
            if ref.kind is Kind.GROUP:
                try:
                    waited(client, ref, until, _left(end), quiet=quiet)
                except SnapkitError as error:
                    outcomes.ill(ref, error)
                else:
                    outcomes.well(ref)


def _ill(refs: Sequence[Ref], error: SnapkitError, outcomes: Outcomes) -> None:
    """Tell one error of a wait for several; its sentence names those that it is about."""
    named = [ref for ref in refs if repr(ref.id) in error.message] or list(refs[:1])
    outcomes.ill(", ".join(map(str, named)), error)


def _left(end: float) -> float:
    return max(0.0, end - time.monotonic())
