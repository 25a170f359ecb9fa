"""Options that narrow a listing, and the queries they make."""

import enum
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import click

from snapkit.cli.options import option, stacked
from snapkit.model import DiskCategory, DiskRole, Origin, SnapshotKind, SnapshotStatus
from snapkit.query import GroupQuery, SnapshotQuery

__all__ = ["filtering_groups", "filtering_snapshots", "group_query", "snapshot_query"]

_FILTERS = "Which ones"


def _enumerated(name: str, kind: type[enum.Enum], help: str, *without: enum.Enum) -> Any:  # noqa: A002
    words = [str(one.value) for one in kind if one not in without]

    def parsed(value: str) -> list[str]:
        return [_known(word.strip().lower(), words) for word in value.split(",")]

    def offered(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
        done, comma, last = incomplete.rpartition(",")
        return [f"{done}{comma}{word}" for word in words if word.startswith(last)]

    return option(
        name,
        type=parsed,
        multiple=True,
        metavar="WORD[,WORD]",
        section=_FILTERS,
        shell_complete=offered,
        help=f"{help}: {', '.join(words)}.",
    )


def _known(word: str, words: Sequence[str]) -> str:
    if word not in words:
        near = get_close_matches(word, words, 1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        raise click.BadParameter(f"no {word!r}; {guess}choose from {', '.join(words)}")
    return word


def _listed(name: str, help: str) -> Any:  # noqa: A002
    return option(name, multiple=True, metavar="ID[,ID]", section=_FILTERS, help=help)


_named = stacked(
    option(
        "--name",
        multiple=True,
        metavar="GLOB",
        section=_FILTERS,
        help="Name, with * and ? as wildcards, in the case written.",
    ),
    option(
        "--tag",
        multiple=True,
        metavar="KEY[=VALUE]",
        section=_FILTERS,
        help="A tag that must be there; all of them if repeated. Wildcards as in --name.",
    ),
)
_dated = stacked(
    option(
        "--created-after",
        "--newer-than",
        "created_after",
        metavar="WHEN",
        section=_FILTERS,
        help="Made then or later: an age (30d, 12h, 6mo, 1y), a date (2026-03-01) or a time"
        " (2026-03-01T06:00Z).",
    ),
    option(
        "--created-before",
        "--older-than",
        "created_before",
        metavar="WHEN",
        section=_FILTERS,
        help="Made then or earlier.",
    ),
)
filtering_snapshots = stacked(
    _enumerated("--status", SnapshotStatus, "What may be done next", SnapshotStatus.DEGRADED),
    _enumerated("--role", DiskRole, "What the disk is for"),
    _enumerated("--category", DiskCategory, "Performance class of the disk"),
    _enumerated("--kind", SnapshotKind, "Stands alone or builds on its parent"),
    _enumerated("--origin", Origin, "Who or what made it"),
    _listed("--id", "Snapshot."),
    _listed("--disk", "Disk it was taken from."),
    _listed("--instance", "Server the disk belongs to."),
    _listed("--group", "Snapshot group it is in."),
    _named,
    _dated,
    option(
        "--min-size",
        metavar="SIZE",
        section=_FILTERS,
        help="Smallest disk it restores to, at least: 40G, 500M, 2T (units of 1024).",
    ),
    option("--max-size", metavar="SIZE", section=_FILTERS, help="The same, at most."),
    option(
        "--encrypted/--not-encrypted",
        default=None,
        section=_FILTERS,
        help="Only those that are, or that are known not to be.",
    ),
    option("--deleted", is_flag=True, section=_FILTERS, help="Include deleted ones still listed."),
)
filtering_groups = stacked(
    _enumerated("--status", SnapshotStatus, "State of the group"),
    _listed("--id", "Group."),
    _listed("--instance", "Server it was taken of."),
    _listed("--snapshot", "Groups that hold this snapshot."),
    _named,
    _dated,
)


def _flat(values: Iterable[Iterable[str]]) -> list[str] | None:
    return [word for words in values for word in words] or None


def _ids(values: Iterable[str]) -> list[str] | None:
    return _flat([part.strip() for part in value.split(",")] for value in values)


def snapshot_query(given: Mapping[str, Any]) -> SnapshotQuery:
    """Return the query that the options of ``filtering_snapshots`` make; QueryError if bad."""
    return SnapshotQuery(
        ids=_ids(given["id"]),
        disk_ids=_ids(given["disk"]),
        instance_ids=_ids(given["instance"]),
        group_ids=_ids(given["group"]),
        names=given["name"] or (),
        tags=given["tag"],
        statuses=_flat(given["status"]),
        roles=_flat(given["role"]),
        categories=_flat(given["category"]),
        kinds=_flat(given["kind"]),
        origins=_flat(given["origin"]),
        created_after=given["created_after"],
        created_before=given["created_before"],
        smallest=given["min_size"],
        largest=given["max_size"],
        encrypted=given["encrypted"],
        include_deleted=given["deleted"],
    )


def group_query(given: Mapping[str, Any]) -> GroupQuery:
    """Return the query that the options of ``filtering_groups`` make; QueryError if bad."""
    return GroupQuery(
        ids=_ids(given["id"]),
        instance_ids=_ids(given["instance"]),
        snapshot_ids=_ids(given["snapshot"]),
        names=given["name"] or (),
        tags=given["tag"],
        statuses=_flat(given["status"]),
        created_after=given["created_after"],
        created_before=given["created_before"],
    )
