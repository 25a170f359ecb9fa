"""What an application holds: one account in one region of one provider, to read and to write.

Reading is :mod:`snapkit.reading`. What changes something is here, and is safe to be called at
night with nobody watching: one request makes one snapshot, deletions are planned before they
are done, and what a provider cannot do is refused before anything is sent.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from snapkit import deleting
from snapkit.ahead import Lanes
from snapkit.deleting import DeletePlan
from snapkit.driver import Capability
from snapkit.errors import (
    ArgumentError,
    ConflictError,
    NotFoundError,
    OutcomeUnknown,
    Sent,
    SnapkitError,
)
from snapkit.making import Maker, aware, named, some
from snapkit.model import Kind, Snapshot, SnapshotGroup, SnapshotStatus
from snapkit.reading import chunked
from snapkit.settings import Target, open_driver
from snapkit.writes import (
    Change,
    ItemResult,
    RollBack,
)

__all__ = ["Client", "connect"]

_LOG = logging.getLogger(__name__)


def connect(
    provider: str | Target, region: str = "", *, pages_at_once: int = 1, **settings: Any
) -> "Client":
    """Return a client for *provider* (a name, a target text or a Target) in *region*.

    A listing that can be asked for any page (an offset or a page number) is read with up to
    *pages_at_once* requests under way; those may be made before their rows are asked for.

    *settings* are the fields of Target and the keyword arguments of ``open_driver``. Nothing
    is sent yet. Raises ConfigurationError for what cannot be right, CredentialsMissingError
    when neither *settings* nor the environment hold credentials.
    """
    names = {field.name for field in attrs.fields(Target)}
    own: dict[str, Any] = {name: settings.pop(name) for name in list(settings) if name in names}
    if isinstance(provider, Target):
        own |= {"region": region} if region else {}
        target = attrs.evolve(provider, **own)
    elif region:
        target = Target(provider=provider, region=region, **own)
    else:
        target = attrs.evolve(Target.parse(provider), **own)
    if pages_at_once < 1:
        raise ArgumentError(f"{pages_at_once} pages at once", hint="1 is one after the other")
    lanes = Lanes(pages_at_once) if pages_at_once > 1 else None
    return Client(open_driver(target, **settings), lanes=lanes)


class Client(Maker):
    """Snapshots and groups of one account in one region; safe to share between threads."""

    def change(
        self,
        snapshot_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        expires_at: datetime | None = None,
        permanent: bool = False,
    ) -> None:
        """Rename, describe, set the expiry of a snapshot or take it away; None changes nothing.

        An empty description clears it. May be called twice.
        """
        change = self._change(name, description, expires_at, permanent, "name")
        self._require_for(name is not None, Capability.RENAME)
        self._require_for(description is not None, Capability.DESCRIBE)
        self._require_for(expires_at is not None or permanent, Capability.EXPIRE)
        self._driver.change_snapshot(named("snapshot", snapshot_id), change)

    def change_group(
        self, group_id: str, *, name: str | None = None, description: str | None = None
    ) -> None:
        """Rename or describe a group; None changes nothing."""
        change = self._change(name, description, None, False, "group name")
        self._require_for(name is not None, Capability.RENAME_GROUP)
        self._require_for(description is not None, Capability.DESCRIBE_GROUP)
        self._driver.change_group(named("group", group_id), change)

    def tag(
        self, ids: Iterable[str], tags: Mapping[str, str], *, kind: Kind = Kind.SNAPSHOT
    ) -> list[ItemResult]:
        """Set *tags* on snapshots (or groups), other tags stay; one result for each id."""
        self._require(Capability.TAG if kind is Kind.SNAPSHOT else Capability.TAG_GROUP)
        wanted = self._tags(tags)
        if not wanted:
            raise ArgumentError("no tags to set", hint="give at least one")
        return self._each(ids, lambda part: self._driver.tag(kind, part, wanted))

    def untag(
        self, ids: Iterable[str], keys: Iterable[str], *, kind: Kind = Kind.SNAPSHOT
    ) -> list[ItemResult]:
        """Take the tags with *keys* from snapshots (or groups); one that is not there is fine."""
        self._require(Capability.TAG if kind is Kind.SNAPSHOT else Capability.TAG_GROUP)
        gone = sorted(set(keys))
        if not gone:
            raise ArgumentError("no tags to take away", hint="give at least one key")
        return self._each(ids, lambda part: self._driver.untag(kind, part, gone))

    def plan_delete(self, ids: Iterable[str]) -> DeletePlan:
        """Return what deleting snapshots would do, and what stands against it."""
        self._require(Capability.DELETE)
        named = some("delete", ids)
        shown = self._now(named, include_deleted=True)
        found = {
            one: snapshot
            for one, snapshot in shown.items()
            if snapshot.status is not SnapshotStatus.DELETED
        }
        dead = shown.keys() - found.keys()
        extra = {
            one: self._driver.blockers(Capability.DELETE, snapshot)
            for one, snapshot in found.items()
        }
        if not self._driver.deletes_subtree or dead.issuperset(named):
            return deleting.plan(named, found, extra, (), deleted=dead)
        everything = self.snapshots()
        along = deleting.descendants(named, everything)
        doubts = everything.report.scopes[0].troubles
        return deleting.plan(named, found, extra, along, doubts, dead)

    def delete(
        self,
        ids: Iterable[str],
        *,
        force: bool = False,
        cascade: bool = False,
        missing_ok: bool = True,
    ) -> list[ItemResult]:
        """Delete snapshots and return how each ended; what is not there counts as deleted.

        The request is sent for what does not show, too: a snapshot that was made just now may
        not be listed yet, and only the provider's own answer says that it is absent.

        Refused with ConflictError, and nothing is sent, when one is used by an image, shared,
        locked, being rolled back, or others build on it. *force* overrides a use by disks
        where the provider allows it, *cascade* also deletes what builds on them. Images are
        never deleted.
        """
        plan = self.plan_delete(ids)
        refusal = plan.refusal(force=force, cascade=cascade)
        if refusal is not None:
            raise self._here(refusal)
        if not missing_ok:
            for item in plan.items:
                if item.absent:
                    raise self._here(NotFoundError(f"no snapshot {item.id!r} to delete"))
        return self._carry_out(plan, force)

    def carry_out(self, plan: DeletePlan, *, force: bool = False) -> list[ItemResult]:
        """Delete what *plan* says, children before parents, and return how each ended.

        Refused with ConflictError where more would go by now, because others have come to
        build on it since the plan was made.
        """
        if self._driver.deletes_subtree:
            self._agree(deleting.descendants(plan.ids, self.snapshots()))
        return self._carry_out(plan, force)

    def _agree(self, more: Sequence[Snapshot]) -> None:
        if more:
            names = ", ".join(snapshot.id for snapshot in more)
            raise self._here(
                ConflictError(
                    f"not deleted: it would take more than was planned: {names}",
                    hint="plan again",
                )
            )

    def _carry_out(self, plan: DeletePlan, force: bool) -> list[ItemResult]:
        absent = [ItemResult(id=item.id, absent=True) for item in plan.items if item.deleted]
        there = [item.snapshot for item in plan.items if item.snapshot is not None]
        ordered = deleting.children_first([*there, *plan.takes_along])
        size, delete = self._driver.limits.delete_ids, self._driver.delete_snapshots
        # What does not show yet is the newest, so it comes before what it builds on; and it is
        # sent apart, because one that is absent stops a whole request of some providers.
        hidden = [item.id for item in plan.items if item.hidden]
        done = self._tried(hidden, lambda part: delete(part, force=False), size)
        done += self._tried(
            [snapshot.id for snapshot in ordered], lambda part: delete(part, force=force), size
        )
        return [*absent, *_unless_all_failed(done)]

    def delete_group(
        self,
        group_id: str,
        *,
        force: bool = False,
        cascade: bool = False,
        missing_ok: bool = True,
        agreed: DeletePlan | None = None,
    ) -> list[ItemResult]:
        """Delete a group with its members and return how each ended; refusals as for ``delete``.

        With *agreed*, an earlier plan of its members, nothing goes that is not in there. A
        group that does not show is deleted all the same, as it may be too new to be listed.
        """
        self._require(Capability.DELETE_GROUP)
        try:
            group = self.group(named("group", group_id))
        except NotFoundError as error:
            if not missing_ok or error.code is not None:
                raise
            return self._delete_unseen(group_id, agreed)
        plan = self.plan_delete([member.id for member in group.members]) if group.members else None
        refusal = plan.refusal(force=force, cascade=cascade) if plan else None
        if refusal is not None:
            raise self._here(refusal)
        along = plan.takes_along if plan else ()
        if agreed is not None:
            now = (*group.members, *along)
            self._agree([one for one in now if one.id not in agreed.ids])
        first = self._carry_out(DeletePlan(items=(), takes_along=along), force)
        try:
            done = self._driver.delete_group(group, force=force)
        except SnapkitError as error:
            if not first:
                raise
            done = [ItemResult(id=group.id, kind=Kind.GROUP, error=error)]
        return _unless_all_failed([*first, *done])

    def roll_back(
        self, snapshot_id: str, *, stop_instance: bool = False, start_instance: bool = False
    ) -> ItemResult:
        """Put the source disk back to a snapshot; all that is newer on it is lost.

        Never sent twice. *stop_instance* and *start_instance* allow the provider to stop the
        server before and start it after. Raises OutcomeUnknown if the answer was lost.
        """
        self._require(Capability.ROLL_BACK)
        snapshot = self.snapshot(named("snapshot", snapshot_id))
        self._refuse(Capability.ROLL_BACK, snapshot)
        (result,) = self._roll_back([snapshot], None, stop_instance, start_instance)
        return result

    def roll_back_group(
        self, group_id: str, *, stop_instance: bool = False, start_instance: bool = False
    ) -> list[ItemResult]:
        """Put all disks of a group back; as ``roll_back``, with a result for each member."""
        self._require(Capability.ROLL_BACK_GROUP)
        group = self.group(named("group", group_id))
        there = self._now([member.id for member in group.members])
        missing = [member.id for member in group.members if member.id not in there]
        if missing or not there:
            raise self._here(
                ConflictError(
                    f"group {group.id!r} cannot be rolled back to: "
                    + (f"{', '.join(missing)} are gone" if missing else "it has no members")
                )
            )
        members = [there[member.id] for member in group.members]
        for member in members:
            self._refuse(Capability.ROLL_BACK, member)
        return self._roll_back(members, group.id, stop_instance, start_instance)

    def share(self, ids: Iterable[str], accounts: Iterable[str]) -> list[ItemResult]:
        """Share snapshots with other *accounts* of the provider; one result for each id.

        What one request carries (100 ids, or what the provider takes) ends as one. If nothing
        worked, the first error is raised.
        """
        return self._share(ids, accounts, True)

    def unshare(self, ids: Iterable[str], accounts: Iterable[str]) -> list[ItemResult]:
        """Stop sharing snapshots with *accounts*; results and errors as for ``share``."""
        return self._share(ids, accounts, False)

    def lock(self, snapshot_id: str, *, days: int) -> None:
        """Lock a snapshot against deletion for *days*, at least 1."""
        self._require(Capability.LOCK)
        if days < 1:
            raise ArgumentError(f"a lock of {days} days is too short", hint="at least 1")
        self._driver.lock(named("snapshot", snapshot_id), days=days)

    def unlock(self, snapshot_id: str) -> None:
        """Take the lock away, where the provider still allows it."""
        self._require(Capability.LOCK)
        self._driver.lock(named("snapshot", snapshot_id), days=None)

    def _change(
        self,
        name: str | None,
        description: str | None,
        expires_at: datetime | None,
        permanent: bool,
        what: str,
    ) -> Change:
        if expires_at is not None and permanent:
            raise ArgumentError("an expiry and permanent exclude each other", hint="choose one")
        if name is None and description is None and expires_at is None and not permanent:
            raise ArgumentError("nothing to change", hint="give a name, description or expiry")
        return Change(
            name=self._text(what, name),
            description=self._text("description", description) if description else description,
            expires_at=aware(expires_at),
            permanent=permanent,
        )

    def _roll_back(
        self, snapshots: Sequence[Snapshot], group_id: str | None, stop: bool, start: bool
    ) -> list[ItemResult]:
        if start and not stop:
            raise ArgumentError("to start an instance afterwards it must be stopped before")
        pairs = [
            RollBack(snapshot_id=one.id, disk_id=one.source.id)
            for one in snapshots
            if one.source.id is not None
        ]
        try:
            return self._driver.roll_back(pairs, group_id=group_id, stop=stop, start=start)
        except SnapkitError as error:
            if error.sent is Sent.NO:
                raise
            raise OutcomeUnknown(
                f"the answer was lost ({error.message}): the roll-back may be under way",
                provider=self.provider,
                account=self.account,
                region=self.region,
                hint="look at the disk before doing it again",
            ) from error

    def _share(self, ids: Iterable[str], accounts: Iterable[str], share: bool) -> list[ItemResult]:
        self._require(Capability.SHARE)
        named, whom = some("share", ids), some("share with", accounts)

        def act(part: Sequence[str]) -> list[ItemResult]:
            self._driver.share(part, whom, share=share)
            return [ItemResult(id=one) for one in part]

        return _unless_all_failed(self._tried(named, act, self._driver.limits.ids))

    def _each(
        self,
        ids: Iterable[str],
        act: Callable[[Sequence[str]], list[ItemResult]],
    ) -> list[ItemResult]:
        """Return the results of *act* on parts of *ids* that each fit into one request.

        If nothing at all worked, the first error is raised.
        """
        tried = self._tried(some("do", ids), act, self._driver.limits.tag_ids)
        return _unless_all_failed(tried)

    def _tried(
        self, ids: Iterable[str], act: Callable[[Sequence[str]], list[ItemResult]], size: int
    ) -> list[ItemResult]:
        """Return the results of *act* on parts of *ids*, at most *size* in each.

        A part that fails as a whole fails for each of its items, and the others are done.
        """
        results: list[ItemResult] = []
        for part in chunked(ids, size):
            try:
                results += act(part)
            except SnapkitError as error:
                results += [ItemResult(id=one, error=error) for one in part]
        return results

    def _delete_unseen(self, group_id: str, agreed: DeletePlan | None) -> list[ItemResult]:
        """Delete a group that is not listed, unless a plan, in which nothing can be, binds it."""
        absent = [ItemResult(id=group_id, kind=Kind.GROUP, absent=True)]
        if agreed is not None or not self.supports(Capability.GROUPS):
            return absent
        unseen = SnapshotGroup(
            id=group_id,
            provider=self.provider,
            account=self.account,
            region=self.region,
            status=SnapshotStatus.UNKNOWN,
            raw_status=None,
        )
        try:
            return self._driver.delete_group(unseen, force=False)
        except NotFoundError:
            return absent


def _unless_all_failed(results: list[ItemResult]) -> list[ItemResult]:
    """Return *results*; where none is good, raise the first error: that is no partial success.

    What the others failed of, if it was something else, stands in its hint.
    """
    failed = [(result.id, result.error) for result in results if result.error is not None]
    if not failed or len(failed) < len(results):
        return results
    first = failed[0][1]
    others = [f"{one}: {error.message}" for one, error in failed if error.message != first.message]
    more = [f"and {len(others) - 3} more"] if len(others) > 3 else []
    first.hint = "; ".join([*([first.hint] if first.hint else []), *others[:3], *more]) or None
    raise first
