"""``snapkit show``."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from snapkit.cli.columns import Column, columns, known_columns
from snapkit.cli.options import Command, choosing, connecting, option, printing, talking
from snapkit.cli.places import place_of
from snapkit.cli.records import put, record
from snapkit.errors import ConfigurationError, NotFoundError
from snapkit.model import Kind, Ref, Snapshot, SnapshotGroup

__all__ = ["cards", "show_command"]

_HELP = """
\b
Examples:
  snapkit show PROVIDER:REGION/SNAPSHOT-ID
  snapkit show PROVIDER:ACCOUNT@REGION/group/GROUP-ID
  snapkit show PROVIDER:REGION/SNAPSHOT-ID --output json --raw

References are what 'snapkit list --columns ref' prints. An id that is no snapshot is looked
for among the groups, where the provider has groups. Exit code 6: there is no such thing.
"""


@click.command("show", cls=Command, epilog=_HELP)
@click.argument("ref")
@connecting
@choosing
@printing
@option("--raw", is_flag=True, section="How to show it", help="The provider's own row too.")
@talking
def show_command(**given: Any) -> int:
    """Show all that is known of REF, a snapshot or a snapshot group."""
    found = _fetch(Ref.parse(given["ref"]), given)
    if given["output"] != "table":
        put(record(found, raw=given["raw"]), given["output"])
        return 0
    cards(_facts(found))
    if isinstance(found, SnapshotGroup) and found.members:
        _members(found.members)
    if given["raw"] and found.raw is not None:
        sys.stdout.write(f"\n{as_json_ascii(found.raw)}\n")
    return 0


def _fetch(ref: Ref, given: Mapping[str, Any]) -> Snapshot | SnapshotGroup:
    from snapkit.cli.places import client_at
    from snapkit.driver import Capability

    if not ref.id or ref.id.isspace():
        raise ConfigurationError("the reference has an empty id")
    with client_at(ref, given, keep_raw=given["raw"]) as client:
        if ref.kind is Kind.GROUP:
            return client.group(ref.id)
        for snapshot in client.snapshots(ids=ref.id, include_deleted=True):
            return snapshot
        if client.supports(Capability.GROUPS) or client.supports(Capability.DERIVED_GROUPS):
            for group in client.groups(ids=ref.id):
                return group
    raise NotFoundError(
        f"no snapshot or group {ref.id!r} in {place_of(ref)}",
        hint="it may be in another region or account, or gone",
    )


def _facts(found: Snapshot | SnapshotGroup) -> list[tuple[str, str]]:
    """Return titles and readable values, without what the provider does not say."""
    shown = columns(type(found), known_columns(type(found)))
    return [
        (_title(column), column.cell(found))
        for column in shown
        if column.value(found) not in (None, "")
    ]


def _title(column: Column) -> str:
    return column.path.replace(".", " ").replace("_", " ").replace(" bytes", "")


def cards(facts: Sequence[tuple[str, str]], indent: str = "") -> None:
    """Print titles and values to stdout, values one below the other."""
    wide = max((len(title) for title, _ in facts), default=0)
    sys.stdout.writelines(f"{indent}{title:<{wide}}  {text}\n" for title, text in facts)


def _members(members: Sequence[Snapshot]) -> None:
    from snapkit.cli import grid

    chosen = columns(Snapshot, ["id", "status", "role", "size", "disk", "created"])
    padded, shown, _ = grid.lines(chosen, members)
    sys.stdout.write("\n")
    sys.stdout.flush()
    grid.draw(padded, shown)


def as_json_ascii(value: Any) -> str:
    """Return *value* as JSON in ASCII, so that no text in it can command a terminal."""
    import json

    from snapkit.cli.records import exact

    return json.dumps(exact(value, raw=True), indent=2)
