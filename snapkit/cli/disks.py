"""``snapkit disks``."""

from typing import Any

import click

from snapkit.cli.columns import columns
from snapkit.cli.failing import tell
from snapkit.cli.options import Command, acting, option, printing, talking
from snapkit.cli.places import client_of
from snapkit.cli.records import put, record
from snapkit.writes import Disk

__all__ = ["disks_command"]

_HELP = """
\b
Examples:
  snapkit disks PROVIDER:REGION --instance SERVER
  snapkit disks PROVIDER:REGION DISK DISK --output json

What can be made a snapshot of with 'snapkit create' and 'create-group'.
"""
_COLUMNS = ("id", "name", "role", "size", "raw_status", "instance_id", "zone", "raw_category")


@click.command("disks", cls=Command, epilog=_HELP)
@click.argument("target")
@click.argument("disk", nargs=-1)
@option("--instance", metavar="ID", section="Which ones", help="All disks of this server.")
@acting
@printing
@talking
def disks_command(**given: Any) -> int:
    """List the disks of a server in TARGET, or those named, as they are now."""
    from snapkit.cli import grid
    from snapkit.cli.exits import Exit

    with client_of(given["target"], given) as client:
        found = client.disks(instance_id=given["instance"], ids=given["disk"] or None)
    if given["output"] != "table":
        put({"disks": [record(disk) for disk in found]}, given["output"])
    elif found:
        padded, shown, _ = grid.lines(columns(Disk, _COLUMNS), found)
        grid.draw(padded, shown)
    missing = [one for one in given["disk"] if one not in {disk.id for disk in found}]
    if found and not missing:
        return Exit.OK
    what = "disk" + "s" * (len(missing) > 1) + " " + ", ".join(map(repr, missing))
    tell(
        "not there" if found else "error",
        f"no {what if missing else 'disk of server ' + repr(given['instance'])}"
        f" in {given['target']}; it may be in another region or account, or gone",
    )
    return Exit.PARTIAL if found else Exit.NOT_FOUND
