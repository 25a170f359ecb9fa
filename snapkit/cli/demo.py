"""``snapkit demo``: the whole way, from signed requests to a table, on emulated clouds."""

import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import attrs
import click

from snapkit.cli.options import Command, option, talking
from snapkit.cli.records import as_json, put, record, report_record
from snapkit.listing import Outcome, Report, ScopeReport
from snapkit.model import Snapshot, SnapshotGroup

if TYPE_CHECKING:
    from snapkit.emulator import Emulator, World

__all__ = ["demo_command", "sample"]

_HELP = """
\b
Examples:
  snapkit demo
  snapkit demo --rows all
  snapkit demo --keep           leave the clouds running and try other commands

The clouds are emulated on this machine; requests, signatures, paging and answers are as the
providers document them. One region is denied on purpose, to show what a report says of it.
"""


def _count(text: str) -> int | None:
    """Return a number of rows, None for all."""
    if text == "all":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f"{text!r} is neither a number nor 'all'")
    return int(text)


@click.command("demo", cls=Command, epilog=_HELP)
@option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="Tables to read, or one object with everything.",
)
@option("--rows", type=_count, default="40", show_default=True, metavar="N|all", help="How many.")
@option("--seed", type=int, default=7, show_default=True, metavar="N", help="Another estate.")
@option("--keep", is_flag=True, help="Leave the clouds running until Ctrl-C.")
@talking
def demo_command(**given: Any) -> int:
    """List the snapshots of emulated clouds, through the real adapters over real HTTP."""
    from snapkit.cli.emulator import serve
    from snapkit.emulator import Emulator, demo_world

    with Emulator(demo_world(given["seed"])) as emulator:
        tour = _take(emulator, quiet=given["quiet"])
        if given["output"] == "json":
            sys.stdout.write(as_json(tour.record(), sys.stdout) + "\n")
        elif given["output"] == "yaml":
            put(tour.record(), "yaml")
        else:
            _show(tour, given)
        sys.stdout.flush()
        code = _close(tour, emulator.world, debug=given["debug"])
        if given["keep"]:
            serve(emulator)
        return code


@attrs.frozen
class _Tour:
    snapshots: Sequence[Snapshot]
    groups: Sequence[SnapshotGroup]
    report: Report
    requests: int

    def record(self) -> dict[str, Any]:
        return {
            "snapshots": [record(one) for one in self.snapshots],
            "groups": [record(one) for one in self.groups],
            "report": report_record(self.report),
        }


def _take(emulator: "Emulator", *, quiet: bool) -> _Tour:
    from snapkit.cli.progress import watching
    from snapkit.fleet import list_groups, list_snapshots

    places = emulator.targets()
    with (
        list_snapshots(places, include_deleted=True) as snapshots,
        list_groups(places) as groups,
    ):
        with watching("snapshots", lambda: snapshots.report, quiet=quiet):
            found = _by_place(snapshots)
        with watching("groups", lambda: groups.report, quiet=quiet):
            grouped = _by_place(groups)
        report = Report(snapshots.report.scopes + groups.report.scopes)
    return _Tour(found, grouped, report, len(emulator.log))


def _place(row: Any) -> tuple[str, str, str]:
    return row.provider, row.account, row.region


def _by_place(rows: Iterable[Any]) -> list[Any]:
    return sorted(rows, key=_place)


def sample(rows: Sequence[Any], count: int | None) -> list[Any]:
    """Return *count* of *rows* (sorted by place), some of each place, rare statuses first."""
    if count is None or len(rows) <= count:
        return list(rows)
    places = [list(group) for _, group in groupby(rows, _place)]
    share, odd = divmod(count, len(places))
    shares = [share + (number < odd) for number in range(len(places))]
    return [row for place, few in zip(places, shares, strict=True) for row in _varied(place)[:few]]


def _varied(rows: Sequence[Any]) -> list[Any]:
    first: dict[str | None, Any] = {}
    for row in rows:
        first.setdefault(row.raw_status, row)
    early = {row.id for row in first.values()}
    return [*first.values(), *(row for row in rows if row.id not in early)]


def _show(tour: _Tour, given: dict[str, Any]) -> None:
    from snapkit.cli.listing import group_view, snapshot_view

    plain = {
        "output": "table",
        "columns": (),
        "all_columns": False,
        "sort": None,
        "raw": False,
        "csv_raw": False,
    }
    _part("snapshots", snapshot_view(plain), tour.snapshots, given["rows"])
    few = None if given["rows"] is None else max(1, given["rows"] // 3)
    _part("groups", group_view(plain), tour.groups, few)


def _part(noun: str, view: Any, rows: Sequence[Any], count: int | None) -> None:
    from snapkit.cli.sinks import draw_rows

    shown = sample(rows, count)
    if shown:
        draw_rows(view, shown)
    left = len(rows) - len(shown)
    more = f"... and {left:,} more {noun}; 'snapkit demo --rows all' shows them\n" if left else ""
    sys.stdout.write(f"{more}\n")
    sys.stdout.flush()


def _close(tour: _Tour, world: "World", *, debug: bool) -> int:
    """Say totals and what was not seen; denials that the estate set up are no failure."""
    from snapkit.cli.closing import Totals, close, say
    from snapkit.cli.exits import Exit, of_report

    for noun, rows in (("snapshots", tour.snapshots), ("groups", tour.groups)):
        totals = Totals()
        totals.add(rows)
        kinds = tuple(one for one in tour.report.scopes if f"{one.scope.kind.value}s" == noun)
        for sentence in totals.sentences(noun, Report(kinds)):
            say(sentence)
    say(f"asked over HTTP with {tour.requests} signed requests")
    close(tour.report, debug=debug)
    staged = _denied(world)
    if not tour.report.incomplete:
        return Exit.OK
    if all(_expected(report, staged) for report in tour.report.incomplete):
        say("the demo set this up; with your own clouds the exit code would now be 3")
        return Exit.OK
    return of_report(tour.report)


def _denied(world: "World") -> set[tuple[str, str, str]]:
    return {
        (account.provider, account.label, region.id)
        for account in world.accounts
        for region in account.regions.values()
        if region.denied
    }


def _expected(report: ScopeReport, staged: set[tuple[str, str, str]]) -> bool:
    scope = report.scope
    place = (scope.provider, scope.account, scope.region)
    return report.outcome is Outcome.DENIED and place in staged
