"""``snapkit list`` and ``snapkit groups``."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from snapkit.cli.executors import executing, manner
from snapkit.cli.filters import (
    filtering_groups,
    filtering_snapshots,
    group_query,
    snapshot_query,
)
from snapkit.cli.following import Follower, follower, progressing
from snapkit.cli.options import Command, reaching, talking
from snapkit.cli.sinks import View, drawing
from snapkit.cli.targets import targets
from snapkit.listing import Listing, Report
from snapkit.model import Snapshot, SnapshotGroup

if TYPE_CHECKING:
    from snapkit.query import GroupQuery, SnapshotQuery
    from snapkit.settings import Target

    Query = SnapshotQuery | GroupQuery

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


def run(places: "Sequence[Target]", query: "Query", view: View, given: dict[str, Any]) -> int:
    """List *query* in *places*, show it in *view*, say what is missing, return the exit code."""
    from snapkit.fleet import sweep

    scrolls = view.streams and sys.stdout.isatty()
    following = follower(view.noun, given, scrolls=scrolls)
    with manner(given, places) as how:
        listing: Listing[Any] = sweep(
            places,
            query,
            kinds="group" if view.kind is SnapshotGroup else "snapshot",
            ordered=given["ordered"],
            timeout=given["timeout"],
            keep_raw=given["raw"],
            on_progress=following.told,
            **how,
        )
        return _show(listing, following, view, given)


def _show(listing: Listing[Any], following: Follower, view: View, given: dict[str, Any]) -> int:
    """Show *listing*; an interrupt ends the fetching, not the showing."""
    from snapkit.cli.closing import Totals, anything_seen, close, say
    from snapkit.cli.exits import Exit, of_report

    sink, totals = view.sink(), Totals()
    held: list[list[Any]] = []
    interrupted = False
    with following.follow(lambda: listing.report):
        try:
            for page in listing.pages():
                held.append(page) if view.whole else sink.page(page)
                totals.add(page)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            listing.close()
    report = listing.report
    if _withheld(view, report, interrupted=interrupted):
        _say_withheld(report, interrupted=interrupted)
    else:
        for page in held:
            sink.page(page)
        sentences = [*totals.sentences(view.noun, report), *sink.end(report)]
        sys.stdout.flush()
        if _counts(view, given) and anything_seen(report):
            for sentence in sentences:
                say(sentence)
    close(report, debug=given["debug"])
    return Exit.INTERRUPTED if interrupted else of_report(report)


def _withheld(view: View, report: Report, *, interrupted: bool) -> bool:
    """Whether nothing is shown: files after an interrupt, and what must be whole and is not."""
    if view.output == "parquet" and interrupted:
        return True
    return view.whole and (interrupted or not report.complete)


def _say_withheld(report: Report, *, interrupted: bool) -> None:
    from snapkit.cli.failing import tell

    why = "it was interrupted" if interrupted else "--fail-on-partial is given"
    ended, asked = sum(scope.complete for scope in report.scopes), len(report.scopes)
    tell("nothing written", f"{why}, and {ended} of {asked} regions answered in full")


def _counts(view: View, given: dict[str, Any]) -> bool:
    """Whether totals are said; the last line of progress for programs has them too."""
    ways = view.output in ("table", "parquet") and given["progress"] != "json"
    return ways and not given["quiet"]


_LIST_HELP = """
\b
Examples:
  snapkit list -t PROVIDER:REGION
  snapkit list -t PROVIDER:R1,R2 -t OTHER:R3 --status failed,creating
  snapkit list --older-than 90d --origin manual --sort=-size
  snapkit list --name 'db-*' --tag env=prod --columns ref,size,created
  snapkit list -t 'PROVIDER:*' -o csv > snapshots.csv
  snapkit list -o csv --fail-on-partial > new.csv && mv new.csv snapshots.csv
  snapkit list -o parquet --into inventory
  snapkit list -o ndjson | jq -r 'select(.status == "failed") | .ref'

With several filters a snapshot must pass all of them; one filter with several values takes
any. What a provider does not say (an unknown size, say) passes no filter on it.

Without --target the variable SNAPKIT_TARGETS is used, then the configuration file: see
'snapkit config'. Keys come from each provider's own environment variables, the files of its
own tools, or where a profile says: see 'snapkit providers'.
"""


@click.command("list", cls=Command, epilog=_LIST_HELP)
@reaching
@executing
@filtering_snapshots
@drawing
@progressing
@talking
def list_command(**given: Any) -> int:
    """List snapshots over all targets, whoever holds them."""
    view, query, places = snapshot_view(given), snapshot_query(given), targets(given)
    return run(places, query, view, given)


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
@executing
@filtering_groups
@drawing
@progressing
@talking
def groups_command(**given: Any) -> int:
    """List snapshot groups over all targets, with their members."""
    view, query, places = group_view(given), group_query(given), targets(given)
    return run(places, query, view, given)
