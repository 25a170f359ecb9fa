"""``snapkit create`` and ``snapkit create-group``."""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from snapkit.cli.awaiting import patient, waited
from snapkit.cli.failing import told_anyway
from snapkit.cli.inert import inert
from snapkit.cli.options import Command, acting, option, pairs_of, printing, stacked, talking
from snapkit.cli.places import client_of
from snapkit.cli.records import put, record
from snapkit.errors import QueryError
from snapkit.model import Snapshot, SnapshotGroup

if TYPE_CHECKING:
    from snapkit.client import Client

__all__ = ["create_command", "create_group_command", "expiry", "keeping"]

_WHAT = "What to make"
keeping = stacked(
    option("--keep", metavar="AGE", section=_WHAT, help="Let it expire after so long: 30d, 6mo."),
    option(
        "--expires",
        metavar="WHEN",
        section=_WHAT,
        help="Let it expire then: a date (2027-03-01) or a time (2027-03-01T06:00Z).",
    ),
)
_described = stacked(
    option("--name", metavar="TEXT", section=_WHAT, help="Its name."),
    option("--description", metavar="TEXT", section=_WHAT, help="A longer text."),
    option(
        "--tag",
        multiple=True,
        metavar="KEY=VALUE",
        section=_WHAT,
        help="A tag to set; repeatable.",
    ),
)
_full = option(
    "--full",
    is_flag=True,
    section=_WHAT,
    help="One that stands alone, where the cloud leaves the choice.",
)
_key = option(
    "--key",
    metavar="KEY",
    section="Once only",
    help="The same key never makes a second one, also in a later run after a crash.",
)


def expiry(given: Mapping[str, Any], now: datetime | None = None) -> datetime | None:
    """Return when ``--keep`` or ``--expires`` lets it expire, or raise QueryError."""
    from snapkit.query import parse_when

    now = now or datetime.now(UTC)
    keep, expires = given["keep"], given["expires"]
    if keep is not None and expires is not None:
        raise QueryError("--keep and --expires exclude each other", hint="give one of the two")
    if keep is not None:
        passed = parse_when(keep, now)
        found = now + (now - passed)
    elif expires is not None:
        found = parse_when(expires, now)
    else:
        return None
    if found <= now:
        raise QueryError(
            f"{keep or expires!r} is not in the future",
            hint="--keep takes an age (30d), --expires a date (2027-03-01)",
        )
    return found


def _tell_made(client: "Client", made: Snapshot | SnapshotGroup, given: Mapping[str, Any]) -> int:
    """Print the reference at once, then wait if that was asked for.

    In JSON and YAML there is one object, also if the wait fails: what was made is made.
    """
    if given["output"] == "table":
        with told_anyway(str(made.ref)):
            sys.stdout.write(f"{inert(str(made.ref))}\n")
            sys.stdout.flush()
    try:
        if given["wait"]:
            made = (
                waited(client, made.ref, given["wait"], given["timeout"], quiet=given["quiet"])
                or made
            )
    finally:
        if given["output"] != "table":
            with told_anyway(str(made.ref)):
                put(record(made), given["output"])
                sys.stdout.flush()
    return 0


_CREATE_HELP = """
\b
Examples:
  snapkit create PROVIDER:REGION DISK
  snapkit create PROVIDER:REGION DISK --name before-upgrade --keep 30d --tag team=shop
  snapkit create PROVIDER:REGION DISK --key nightly-2027-03-01-DISK --wait usable
  ref=$(snapkit create PROVIDER:REGION DISK) && snapkit wait "$ref" --until cut

The reference is printed as soon as the snapshot was started. If an answer is lost and it
cannot be told whether one was made, the exit code is 5 and the command that settles it later
is on stderr: it has the key that was used.
"""


@click.command("create", cls=Command, epilog=_CREATE_HELP)
@click.argument("target")
@click.argument("disk")
@_described
@keeping
@_full
@_key
@patient
@acting
@printing
@talking
def create_command(**given: Any) -> int:
    """Make a snapshot of DISK in TARGET and print its reference.

    TARGET is written as for --target of 'list': provider:[account@]region[?option=value].
    """
    from snapkit.model import SnapshotKind

    expires = expiry(given)
    with client_of(given["target"], given) as client:
        made = client.create(
            given["disk"],
            name=given["name"],
            description=given["description"],
            tags=pairs_of(given["tag"]),
            expires_at=expires,
            kind=SnapshotKind.FULL if given["full"] else SnapshotKind.UNKNOWN,
            key=given["key"],
        )
        return _tell_made(client, made, given)


_GROUP_HELP = """
\b
Examples:
  snapkit create-group PROVIDER:REGION --instance SERVER
  snapkit create-group PROVIDER:REGION --instance SERVER --exclude DISK --wait cut
  snapkit create-group PROVIDER:REGION --disk DISK --disk DISK --name orders

Give an instance, or disks; disks can be left out of an instance only. How far the members
agree in time is in the 'consistency' of 'snapkit show'.
"""


@click.command("create-group", cls=Command, epilog=_GROUP_HELP)
@click.argument("target")
@option("--instance", metavar="ID", section=_WHAT, help="The server whose disks to take.")
@option("--disk", multiple=True, metavar="ID", section=_WHAT, help="A disk to take; repeatable.")
@option(
    "--exclude",
    multiple=True,
    metavar="ID",
    section=_WHAT,
    help="A disk of the instance to leave out; repeatable.",
)
@_described
@_full
@_key
@patient
@acting
@printing
@talking
def create_group_command(**given: Any) -> int:
    """Make snapshots of several disks in TARGET together and print the group's reference.

    TARGET is written as for --target of 'list': provider:[account@]region[?option=value].
    """
    from snapkit.model import SnapshotKind

    with client_of(given["target"], given) as client:
        made = client.create_group(
            instance_id=given["instance"],
            disk_ids=given["disk"],
            exclude_disk_ids=given["exclude"],
            name=given["name"],
            description=given["description"],
            tags=pairs_of(given["tag"]),
            kind=SnapshotKind.FULL if given["full"] else SnapshotKind.UNKNOWN,
            key=given["key"],
        )
        return _tell_made(client, made, given)
