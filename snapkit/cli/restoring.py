"""``snapkit restore``, ``rollback`` and ``copy``."""

import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import click

from snapkit.cli.asking import agreed, careful, check_askable, show_plan
from snapkit.cli.awaiting import patient, waited
from snapkit.cli.failing import told_anyway
from snapkit.cli.inert import inert
from snapkit.cli.options import Command, acting, option, pairs_of, printing, talking
from snapkit.cli.outcomes import Outcomes
from snapkit.cli.places import client_at, parsed
from snapkit.cli.records import put, record
from snapkit.cli.removing import described
from snapkit.errors import ConflictError, QueryError
from snapkit.model import Kind, Ref, Snapshot

if TYPE_CHECKING:
    from snapkit.client import Client

__all__ = ["copy_command", "restore_command", "rollback_command"]

_WHAT = "What to make"


def _snapshot(text: str) -> Ref:
    (ref,) = parsed([text])
    if ref.kind is Kind.GROUP:
        raise QueryError(f"{text!r} is a group", hint="name one of its snapshots")
    return ref


_RESTORE_HELP = """
\b
Examples:
  snapkit restore REF
  snapkit restore REF --zone ZONE --name orders-restored --size 200G
  snapkit restore REF --key restore-4711 --output json

The id of the new disk is on stdout; it is not attached to a server. The old disk is not
touched. The size is the snapshot's unless a larger one is given.
"""


@click.command("restore", cls=Command, epilog=_RESTORE_HELP)
@click.argument("ref")
@option("--zone", metavar="ZONE", section=_WHAT, help="Where; default: the source disk's.")
@option("--name", metavar="TEXT", section=_WHAT, help="The disk's name.")
@option("--size", metavar="SIZE", section=_WHAT, help="At least the snapshot's: 40G, 2T.")
@option(
    "--category",
    metavar="NAME",
    section=_WHAT,
    help="The cloud's own name of a disk product.",
)
@option("--tag", multiple=True, metavar="KEY=VALUE", section=_WHAT, help="Repeatable.")
@option(
    "--key",
    metavar="KEY",
    section="Once only",
    help="The same key never makes a second disk, also in a later run after a crash.",
)
@acting
@printing
@talking
def restore_command(**given: Any) -> int:
    """Make a new disk from the snapshot REF and print the disk's id."""
    from snapkit.query import parse_size

    ref = _snapshot(given["ref"])
    size = None if given["size"] is None else parse_size(given["size"])
    with client_at(ref, given) as client:
        disk = client.restore(
            ref.id,
            zone=given["zone"],
            name=given["name"],
            size_bytes=size,
            category=given["category"],
            tags=pairs_of(given["tag"]),
            key=given["key"],
        )
    with told_anyway(f"disk {disk.id}"):
        if given["output"] == "table":
            sys.stdout.write(f"{inert(disk.id)}\n")
        else:
            put(record(disk), given["output"])
        sys.stdout.flush()
    return 0


_ROLLBACK_HELP = """
\b
Examples:
  snapkit rollback REF --dry-run
  snapkit rollback REF --stop-instance --start-instance
  snapkit rollback PROVIDER:REGION/group/GROUP-ID --stop-instance --yes

All that was written to the disk after the snapshot is lost. Most clouds want the server to be
stopped, some restart it themselves. It is never sent twice: if the answer is lost, the exit
code is 5; look at the disk before doing it again.
"""


@click.command("rollback", cls=Command, epilog=_ROLLBACK_HELP)
@click.argument("ref")
@option("--stop-instance", is_flag=True, section="Care", help="The server may be stopped for it.")
@option("--start-instance", is_flag=True, section="Care", help="And started afterwards.")
@careful
@acting
@printing
@talking
def rollback_command(**given: Any) -> int:
    """Put the source disk of REF (or all disks of a group) back to it, in place."""
    (ref,) = parsed([given["ref"]])
    if given["start_instance"] and not given["stop_instance"]:
        raise QueryError("--start-instance needs --stop-instance")
    check_askable(given)
    with client_at(ref, given) as client:
        snapshots = _whole(client, ref)
        show_plan(list(_plan(client, snapshots, given)))
        refused = _refused(client, snapshots)
        if refused and not given["dry_run"]:
            raise ConflictError("not rolled back: " + "; ".join(refused))
        code = agreed(f"Lose what was written to {_disks(snapshots)} since?", given)
        return _roll_back(client, ref, given) if code is None else code


def _whole(client: "Client", ref: Ref) -> list[Snapshot]:
    from snapkit.driver import Capability

    group = ref.kind is Kind.GROUP
    wanted = Capability.ROLL_BACK_GROUP if group else Capability.ROLL_BACK
    client.require(wanted)
    if not group:
        return [client.snapshot(ref.id)]
    return [client.snapshot(member.id) for member in client.group(ref.id).members]


def _plan(client: "Client", snapshots: list[Snapshot], given: Mapping[str, Any]) -> Iterator[str]:
    from snapkit.driver import Capability

    for snapshot in snapshots:
        server = snapshot.source.instance_id
        where = f" of server {server}" if server else ""
        yield f"disk {snapshot.source.id or '?'}{where} goes back to {snapshot.ref}"
        yield f"  {described(snapshot)}"
        for blocker in client.why_not(Capability.ROLL_BACK, snapshot):
            yield f"  against it: {blocker}"
    if given["stop_instance"]:
        again = ", then started" if given["start_instance"] else ""
        yield f"the server may be stopped for it{again}"


def _refused(client: "Client", snapshots: list[Snapshot]) -> list[str]:
    from snapkit.driver import Capability

    return [
        f"{snapshot.id}: {blocker}"
        for snapshot in snapshots
        for blocker in client.why_not(Capability.ROLL_BACK, snapshot)
    ]


def _disks(snapshots: list[Snapshot]) -> str:
    if len(snapshots) == 1:
        return f"disk {inert(snapshots[0].source.id or '?')}"
    return f"{len(snapshots)} disks"


def _roll_back(client: "Client", ref: Ref, given: Mapping[str, Any]) -> int:
    stop, start = given["stop_instance"], given["start_instance"]
    outcomes = Outcomes.of("rolled back", given)
    if ref.kind is Kind.GROUP:
        results = client.roll_back_group(ref.id, stop_instance=stop, start_instance=start)
    else:
        results = [client.roll_back(ref.id, stop_instance=stop, start_instance=start)]
    outcomes.add(ref, results)
    return outcomes.end()


_COPY_HELP = """
\b
Examples:
  snapkit copy REF --to REGION
  snapkit copy REF --to REGION --to REGION --name offsite
  snapkit copy REF --to REGION --wait complete --timeout 7200

The references of the copies are on stdout as soon as they were started; each is waited for in
its own region. A region that refuses does not hold the others; the exit code is then 3.
"""


@click.command("copy", cls=Command, epilog=_COPY_HELP)
@click.argument("ref")
@option(
    "--to",
    "regions",
    multiple=True,
    required=True,
    metavar="REGION",
    section=_WHAT,
    help="A region of the same cloud; repeatable.",
)
@option("--name", metavar="TEXT", section=_WHAT, help="The copy's name.")
@option("--description", metavar="TEXT", section=_WHAT, help="The copy's description.")
@option("--tag", multiple=True, metavar="KEY=VALUE", section=_WHAT, help="Repeatable.")
@option(
    "--key",
    metavar="KEY",
    section="Once only",
    help="The same key never makes a second copy, where the cloud knows client tokens.",
)
@patient
@acting
@printing
@talking
def copy_command(**given: Any) -> int:
    """Copy the snapshot REF to other regions and print the references of the copies."""
    ref = _snapshot(given["ref"])
    outcomes = Outcomes.of("copied", given)
    timeless = given | {"timeout": None}
    with client_at(ref, timeless) as client:
        copies = client.copy(
            ref.id,
            given["regions"],
            name=given["name"],
            description=given["description"],
            tags=pairs_of(given["tag"]),
            key=given["key"],
        )
    made: list[Ref] = []
    for copy in copies:
        if copy.error is not None:
            outcomes.ill(f"{ref} to {copy.region}", copy.error, region=copy.region)
        else:
            there = attrs.evolve(ref, region=copy.region, id=copy.snapshot_id or "")
            outcomes.well(there, region=copy.region)
            made.append(there)
    code, end = outcomes.end(), time.monotonic() + given["timeout"]
    for there in made if given["wait"] else ():
        left = max(0.0, end - time.monotonic())
        with client_at(there, timeless) as client:
            waited(client, there, given["wait"], left, quiet=given["quiet"])
    return code
