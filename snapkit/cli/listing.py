"""``snapkit list`` and ``snapkit groups``."""

import sys
from typing import Any

import click

from snapkit.cli.filters import (
    filtering_groups,
    filtering_snapshots,
    group_query,
    snapshot_query,
)
from snapkit.cli.options import Command, configured, reaching, talking, targets
from snapkit.cli.sinks import View, drawing
from snapkit.listing import Listing
from snapkit.model import Snapshot, SnapshotGroup

__all__ = ["group_view", "groups_command", "list_command", "run", "snapshot_view"]


def snapshot_view(given: dict[str, Any]) -> View:
    """Return how snapshots are shown."""
    return View.of(
        Snapshot,
        "snapshots",
        given,
        usual=(
            "provider",
            "account",
            "region",
            "id",
            "name",
            "status",
            "size",
            "role",
            "created",
        ),
        expendable=("source.role", "account", "created_at", "size_bytes", "provider"),
    )


def group_view(given: dict[str, Any]) -> View:
    """Return how groups are shown."""
    return View.of(
        SnapshotGroup,
        "groups",
        given,
        usual=(
            "provider",
            "account",
            "region",
            "id",
            "name",
            "status",
            "members",
            "size_bytes",
            "instance_id",
            "created",
        ),
        expendable=("instance_id", "account", "created_at", "size_bytes", "provider"),
    )


def run(listing: Listing[Any], view: View, given: dict[str, Any]) -> int:
    """Show *listing* in *view*, say what is missing, and return the exit code.

    An interrupt ends the fetching, not the showing.
    """
    from snapkit.cli.closing import Totals, anything_seen, close, say
    from snapkit.cli.exits import Exit, of_report
    from snapkit.cli.progress import watching

    sink, totals = view.sink(), Totals()
    quiet = bool(given["quiet"])
    scrolls = view.streams and sys.stdout.isatty()
    interrupted = False
    try:
        with watching(view.noun, lambda: listing.report, quiet=quiet or scrolls):
            for page in listing.pages():
                sink.page(page)
                totals.add(page)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        listing.close()
    report = listing.report
    remarks = sink.end(report)
    sys.stdout.flush()
    if view.output == "table" and not quiet and anything_seen(report):
        for sentence in totals.sentences(view.noun, report) + remarks:
            say(sentence)
    close(report, debug=given["debug"])
    return Exit.INTERRUPTED if interrupted else of_report(report)


_LIST_HELP = """
\b
Examples:
  snapkit list -t PROVIDER:REGION
  snapkit list -t PROVIDER:R1,R2 -t OTHER:R3 --status failed,creating
  snapkit list --older-than 90d --origin manual --sort=-size
  snapkit list --name 'db-*' --tag env=prod --columns ref,size,created
  snapkit list -o csv > snapshots.csv
  snapkit list -o ndjson | jq -r 'select(.status == "failed") | .ref'

With several filters a snapshot must pass all of them; one filter with several values takes
any. What a provider does not say (an unknown size, say) passes no filter on it.

Without --target the variable SNAPKIT_TARGETS is used, then the configuration file: see
'snapkit config'. Keys come from each provider's own environment variables, or from where a
profile says: see 'snapkit providers'.
"""


@click.command("list", cls=Command, epilog=_LIST_HELP)
@reaching
@filtering_snapshots
@drawing
@talking
def list_command(**given: Any) -> int:
    """List snapshots over all targets, whoever holds them."""
    view, query, places = snapshot_view(given), snapshot_query(given), targets(given)
    from snapkit.fleet import list_snapshots

    return run(list_snapshots(places, query, **_manner(given)), view, given)


def _manner(given: dict[str, Any]) -> dict[str, Any]:
    """Return how to list, whatever is listed."""
    return {
        "workers": given["workers"],
        "timeout": given["timeout"],
        "limiter": configured().limiter(),
        "keep_raw": given["raw"],
    }


_GROUPS_HELP = """
\b
Examples:
  snapkit groups -t PROVIDER:REGION
  snapkit groups --status degraded --sort=-created
  snapkit groups --snapshot SNAPSHOT-ID --output json

Members are looked up where the provider's group has only their ids. Where a provider keeps
no groups they are inferred from snapshots of one call; 'membership' says which it is.
"""


@click.command("groups", cls=Command, epilog=_GROUPS_HELP)
@reaching
@filtering_groups
@drawing
@talking
def groups_command(**given: Any) -> int:
    """List snapshot groups over all targets, with their members."""
    view, query, places = group_view(given), group_query(given), targets(given)
    from snapkit.fleet import list_groups

    return run(list_groups(places, query, **_manner(given)), view, given)
