"""``snapkit change``, ``tag``, ``share``, ``unshare``, ``lock`` and ``unlock``."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from snapkit.cli.making import expiry, keeping
from snapkit.cli.options import Command, acting, option, pairs_of, printing, talking
from snapkit.cli.outcomes import Outcomes
from snapkit.cli.places import by_place, client_at, ids_of, parsed
from snapkit.errors import QueryError, SnapkitError
from snapkit.model import Kind, Ref

if TYPE_CHECKING:
    from snapkit.client import Client

__all__ = [
    "change_command",
    "lock_command",
    "share_command",
    "tag_command",
    "unlock_command",
    "unshare_command",
]

_WHAT = "What to change"


def _at_each_place(
    refs: list[Ref],
    given: dict[str, Any],
    outcomes: Outcomes,
    act: "Callable[[Client, list[Ref]], None]",
) -> int:
    """Let *act* work place by place; a place that fails does not hold the others."""
    for there in by_place(refs):
        try:
            with client_at(there[0], given) as client:
                act(client, there)
        except SnapkitError as error:
            if len(refs) == 1:
                raise
            outcomes.ill(", ".join(map(str, there)), error)
    return outcomes.end()


def _snapshot(text: str) -> Ref:
    (ref,) = _snapshots([text])
    return ref


def _snapshots(texts: list[str]) -> list[Ref]:
    refs = parsed(texts)
    for ref in refs:
        if ref.kind is Kind.GROUP:
            raise QueryError(f"{str(ref)!r} is a group", hint="name its snapshots")
    return refs


_CHANGE_HELP = """
\b
Examples:
  snapkit change REF --name before-upgrade
  snapkit change REF --description '' --permanent
  snapkit change REF --keep 90d
  snapkit change PROVIDER:REGION/group/GROUP-ID --name orders
"""


@click.command("change", cls=Command, epilog=_CHANGE_HELP)
@click.argument("ref")
@option("--name", metavar="TEXT", section=_WHAT, help="A new name.")
@option("--description", metavar="TEXT", section=_WHAT, help="A new text; '' clears it.")
@keeping
@option("--permanent", is_flag=True, section=_WHAT, help="Take the expiry away.")
@acting
@printing
@talking
def change_command(**given: Any) -> int:
    """Rename or describe REF, a snapshot or a group; set or clear a snapshot's expiry."""
    (ref,) = parsed([given["ref"]])
    expires, permanent = expiry(given), given["permanent"]
    outcomes = Outcomes.of("changed", given)
    named: dict[str, Any] = {"name": given["name"], "description": given["description"]}
    with client_at(ref, given) as client:
        if ref.kind is Kind.GROUP:
            if expires is not None or permanent:
                raise QueryError("a group has no expiry", hint="change that of its snapshots")
            client.change_group(ref.id, **named)
        else:
            client.change(ref.id, **named, expires_at=expires, permanent=permanent)
    outcomes.well(ref)
    return outcomes.end()


_TAG_HELP = """
\b
Examples:
  snapkit tag REF --set team=shop --set env=prod
  snapkit tag REF REF REF --remove temporary
  snapkit list -t TARGET -o ndjson | jq -r 'select(.name == "x").ref' \\
      | xargs snapkit tag --set keep=yes

Other tags stay. A tag to remove that is not there is fine.
"""


@click.command("tag", cls=Command, epilog=_TAG_HELP)
@click.argument("ref", nargs=-1, required=True)
@option("--set", "setting", multiple=True, metavar="KEY=VALUE", section=_WHAT, help="Repeatable.")
@option("--remove", multiple=True, metavar="KEY", section=_WHAT, help="Repeatable.")
@acting
@printing
@talking
def tag_command(**given: Any) -> int:
    """Set and remove tags of REF, snapshots or groups."""
    wanted, unwanted = pairs_of(given["setting"]), given["remove"]
    if not wanted and not unwanted:
        raise QueryError("nothing to change", hint="give --set KEY=VALUE or --remove KEY")
    both = sorted(set(wanted) & set(unwanted))
    if both:
        raise QueryError(f"{', '.join(both)} cannot be set and removed at once")
    outcomes = Outcomes.of("tagged", given)

    def act(client: "Client", refs: list[Ref]) -> None:
        for kind in Kind:
            ids = ids_of(refs, kind)
            failed: set[str] = set()
            if ids and wanted:
                results = client.tag(ids, wanted, kind=kind)
                failed = {result.id for result in results if not result.ok}
                bad = [result for result in results if not result.ok]
                outcomes.add(refs[0], bad if unwanted else results)
            if unwanted and (left := [one for one in ids if one not in failed]):
                outcomes.add(refs[0], client.untag(left, unwanted, kind=kind))

    return _at_each_place(parsed(given["ref"]), given, outcomes, act)


_SHARE_HELP = """
\b
Examples:
  snapkit share REF --with ACCOUNT
  snapkit unshare REF REF --with ACCOUNT --with ACCOUNT

Whether a cloud can share, and what an account is called there: 'snapkit providers'.
"""
_whom = option(
    "--with",
    "accounts",
    multiple=True,
    required=True,
    metavar="ACCOUNT",
    section=_WHAT,
    help="An account of the same cloud; repeatable.",
)


@click.command("share", cls=Command, epilog=_SHARE_HELP)
@click.argument("ref", nargs=-1, required=True)
@_whom
@acting
@printing
@talking
def share_command(**given: Any) -> int:
    """Share snapshots REF with other accounts."""
    return _share(given, "shared", lambda client: client.share)


@click.command("unshare", cls=Command, epilog=_SHARE_HELP)
@click.argument("ref", nargs=-1, required=True)
@_whom
@acting
@printing
@talking
def unshare_command(**given: Any) -> int:
    """Stop sharing snapshots REF with accounts."""
    return _share(given, "unshared", lambda client: client.unshare)


def _share(given: dict[str, Any], done: str, verb: "Callable[[Client], Any]") -> int:
    outcomes = Outcomes.of(done, given)

    def act(client: "Client", refs: list[Ref]) -> None:
        outcomes.add(refs[0], verb(client)(ids_of(refs, Kind.SNAPSHOT), given["accounts"]))

    return _at_each_place(_snapshots(given["ref"]), given, outcomes, act)


_LOCK_HELP = """
\b
Examples:
  snapkit lock REF --days 30
  snapkit unlock REF

A locked snapshot cannot be deleted, by anybody, before the time is over.
"""


@click.command("lock", cls=Command, epilog=_LOCK_HELP)
@click.argument("ref")
@option(
    "--days",
    type=click.IntRange(min=1),
    required=True,
    metavar="N",
    section=_WHAT,
    help="For how long.",
)
@acting
@printing
@talking
def lock_command(**given: Any) -> int:
    """Lock the snapshot REF against deletion for a number of days."""
    ref = _snapshot(given["ref"])
    outcomes = Outcomes.of("locked", given)
    with client_at(ref, given) as client:
        client.lock(ref.id, days=given["days"])
    outcomes.well(ref)
    return outcomes.end()


@click.command("unlock", cls=Command, epilog=_LOCK_HELP)
@click.argument("ref")
@acting
@printing
@talking
def unlock_command(**given: Any) -> int:
    """Take the lock of the snapshot REF away, where the cloud still allows it."""
    ref = _snapshot(given["ref"])
    outcomes = Outcomes.of("unlocked", given)
    with client_at(ref, given) as client:
        client.unlock(ref.id)
    outcomes.well(ref)
    return outcomes.end()
