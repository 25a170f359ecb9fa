"""``snapkit delete``: first the plan, then the question, then the act."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import click

from snapkit.cli.asking import agreed, careful, check_askable, show_plan
from snapkit.cli.awaiting import timing
from snapkit.cli.columns import human, size
from snapkit.cli.options import Command, acting, option, printing, talking
from snapkit.cli.outcomes import Outcomes
from snapkit.cli.places import by_place, client_at, ids_of, parsed, place_of
from snapkit.errors import NotFoundError, SnapkitError
from snapkit.model import Kind, Ref, Snapshot

if TYPE_CHECKING:
    from snapkit.client import Client
    from snapkit.deleting import DeletePlan

__all__ = ["delete_command", "described"]

_HELP = """
\b
Examples:
  snapkit delete REF --dry-run           what would happen
  snapkit delete REF REF                 shows the plan, then asks
  snapkit delete REF --yes --wait        for scripts
  snapkit delete PROVIDER:REGION/group/GROUP-ID --yes

What is used by an image or a disk, shared, locked, or built on by others is refused with the
names; --force and --cascade override what a cloud lets one override. Images are never
deleted. What is not there counts as deleted.
"""


@attrs.frozen(kw_only=True)
class _Step:
    """What to do at one place: some snapshots, or one group (plan None: it is not there)."""

    ref: Ref
    plan: "DeletePlan | None"

    def lines(self) -> Iterable[str]:
        """Yield the plan for a person."""
        from snapkit.deleting import blockers

        if self.ref.kind is Kind.GROUP:
            absent = "not there, or too new to be listed"
            yield f"{self.ref}: {absent if self.plan is None else 'the group, with'}"
        for item in self.plan.items if self.plan else ():
            ref = attrs.evolve(self.ref, id=item.id, kind=Kind.SNAPSHOT)
            if item.snapshot is None:
                yield f"{ref}: not there" + (", or too new to be listed" if item.hidden else "")
                continue
            yield f"{ref}: {described(item.snapshot)}"
            for blocker in item.blockers:
                yield f"  against it: {blocker}"
        for snapshot in self.plan.takes_along if self.plan else ():
            yield f"{snapshot.ref}: goes too, it builds on one of them: {described(snapshot)}"
            for blocker in blockers(snapshot):
                yield f"  against it: {blocker}"
        for doubt in self.plan.doubts if self.plan else ():
            yield f"it cannot be told what else goes: {doubt}"

    def count(self) -> int:
        """Return how many snapshots go, those that may be too new to be listed included."""
        if self.plan is None:
            return 0
        return sum(not item.deleted for item in self.plan.items) + len(self.plan.takes_along)

    def refusal(self, given: dict[str, Any]) -> SnapkitError | None:
        """Return why it must not be done, None if it may."""
        if self.plan is None:
            return None
        return self.plan.refusal(force=given["force"], cascade=given["cascade"])


def described(snapshot: Snapshot) -> str:
    """Return what a person knows *snapshot* by."""
    facts = [
        human(snapshot.name),
        "" if snapshot.size_bytes is None else size(snapshot.size_bytes),
        f"made {human(snapshot.created_at)}",
        snapshot.status.value,
    ]
    return ", ".join(fact for fact in facts if fact)


@click.command("delete", cls=Command, epilog=_HELP)
@click.argument("ref", nargs=-1, required=True)
@option("--force", is_flag=True, section="Care", help="Also if disks were made from it.")
@option("--cascade", is_flag=True, section="Care", help="Also those that build on it.")
@careful
@option("--wait", is_flag=True, section="Waiting", help="Wait until they are gone.")
@timing
@acting
@printing
@talking
def delete_command(**given: Any) -> int:
    """Delete REF: snapshots, or groups with their members."""
    refs = parsed(given["ref"])
    check_askable(given)
    steps = [step for there in by_place(refs) for step in _planned(there, given)]
    show_plan([line for step in steps for line in step.lines()])
    refusals = [refusal for step in steps if (refusal := step.refusal(given)) is not None]
    if refusals and not given["dry_run"]:
        raise refusals[0]
    count = sum(step.count() for step in steps)
    bare = any(step.ref.kind is Kind.GROUP for step in steps)
    if count or bare or given["dry_run"]:
        noun = "1 snapshot" if count == 1 else f"{count} snapshots"
        ending = agreed(f"Delete {noun}?", given)
        if ending is not None:
            return ending
    outcomes = Outcomes.of("deleted", given)
    going = [(step, _carry_out(step, given, outcomes)) for step in steps]
    code = outcomes.end()
    for step, ids in going if given["wait"] else ():
        _see_off(step, ids, given)
    return code


def _planned(refs: Sequence[Ref], given: dict[str, Any]) -> list[_Step]:
    with client_at(refs[0], given | {"timeout": None}) as client:
        snapshots = ids_of(refs, Kind.SNAPSHOT)
        here = attrs.evolve(refs[0], kind=Kind.SNAPSHOT)
        steps = [_Step(ref=here, plan=client.plan_delete(snapshots))] if snapshots else []
        groups = [ref for ref in refs if ref.kind is Kind.GROUP]
        return steps + [_Step(ref=ref, plan=_group_plan(client, ref)) for ref in groups]


def _group_plan(client: "Client", ref: Ref) -> "DeletePlan | None":
    from snapkit.deleting import DeletePlan

    try:
        group = client.group(ref.id)
    except NotFoundError as error:
        if error.code is not None:
            raise
        return None
    members = [member.id for member in group.members]
    return client.plan_delete(members) if members else DeletePlan(items=())


def _carry_out(step: _Step, given: dict[str, Any], outcomes: Outcomes) -> list[str]:
    """Do one step and return the snapshots that go; a failure does not hold other steps."""
    group = step.ref.kind is Kind.GROUP
    force, cascade = given["force"], given["cascade"]
    try:
        with client_at(step.ref, given | {"timeout": None}) as client:
            if group or step.plan is None:
                done = client.delete_group(
                    step.ref.id, force=force, cascade=cascade, agreed=step.plan
                )
            else:
                done = client.carry_out(step.plan, force=force)
    except SnapkitError as error:
        outcomes.ill(step.ref if group else _named(step), error)
        return []
    outcomes.add(step.ref, done)
    return [one.id for one in done if one.ok and one.kind is Kind.SNAPSHOT]


def _named(step: _Step) -> object:
    """Return what failed as a whole: the one snapshot, or the place of several."""
    items = step.plan.items if step.plan else ()
    alone = items[0].id if len(items) == 1 else None
    return place_of(step.ref) if alone is None else attrs.evolve(step.ref, id=alone)


def _see_off(step: _Step, ids: Sequence[str], given: dict[str, Any]) -> None:
    """Wait until what was deleted is gone."""
    from snapkit.cli.progress import awaiting

    if not ids:
        return
    with (
        client_at(step.ref, given | {"timeout": None}) as client,
        awaiting("gone", quiet=given["quiet"]) as told,
    ):
        client.wait(ids, "gone", timeout=given["timeout"], on_progress=told)
