"""Making snapshots, groups, disks and copies of one account in one region.

One request makes one thing: a key is turned into the provider's client token where there is
one, else into a marker by which a thing that was made before its answer was lost is found.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from snapkit import deleting
from snapkit.creating import Resolution, named_if_interrupted, new_key, once, token_of
from snapkit.driver import Capability
from snapkit.errors import ArgumentError, ConflictError, OutcomeUnknown, Sent, SnapkitError
from snapkit.model import (
    Origin,
    Snapshot,
    SnapshotGroup,
    SnapshotKind,
    SnapshotStatus,
    SourceDisk,
    Tags,
)
from snapkit.reading import Reader
from snapkit.rules import TextRule, check_tags, check_text
from snapkit.writes import (
    MARKER_TAG,
    Blocker,
    Change,
    Copied,
    CopyOrder,
    Disk,
    GroupMade,
    MarkerPlace,
    NewDisk,
    NewGroup,
    NewSnapshot,
    Reason,
    carries,
    marked_name,
    marker_of,
)

__all__ = ["Maker", "aware", "named", "some"]

_LOG = logging.getLogger(__name__)
_GONE = frozenset({SnapshotStatus.DELETED, SnapshotStatus.RECYCLED})
_VERBS = {
    Capability.RESTORE: "be restored",
    Capability.ROLL_BACK: "be rolled back to",
    Capability.COPY: "be copied",
    Capability.DELETE: "be deleted",
}


class Maker(Reader):
    """What can be made in one account in one region; safe to share between threads."""

    resolution = Resolution()
    """How a lost answer is settled where the provider has no client token."""

    def create(
        self,
        disk_id: str,
        *,
        name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        expires_at: datetime | None = None,
        kind: SnapshotKind | str = SnapshotKind.UNKNOWN,
        key: str | None = None,
    ) -> Snapshot:
        """Return the snapshot of *disk_id* that was started; it is still being made.

        *key* makes the call idempotent: the same key gives the same snapshot, also from
        another process after a crash. Without one a key is made for this call, so that its
        own retries never make two. *kind* FULL asks for one that stands alone.

        Raises IdempotencyConflictError if the key was used for something else, OutcomeUnknown
        if an answer was lost and it cannot be told whether the snapshot was made.
        """
        self._require(Capability.CREATE)
        order = NewSnapshot(
            disk_id=named("disk", disk_id),
            name=self._text("name", name),
            description=self._text("description", description),
            tags=self._tags(tags),
            expires_at=aware(expires_at),
            kind=SnapshotKind(kind),
        )
        self._require_for(order.description, Capability.DESCRIBE)
        self._require_for(order.tags, Capability.TAG)
        self._require_for(expires_at, Capability.EXPIRE)
        self._require_for(order.kind is SnapshotKind.FULL, Capability.CHOOSE_KIND)
        used = key or new_key()
        marked = self._marked(order, used)
        by_marker = self._driver.marker is not MarkerPlace.TOKEN
        made = once(
            lambda: self._driver.create_snapshot(marked),
            lambda: self._carrying(marker_of(used)) if by_marker else [],
            mine=lambda found: found.source.id == disk_id,
            name_of=lambda found: found.id,
            known=key is not None and by_marker,
            key=used,
            marker=marker_of(used),
            what=f"the snapshot of disk {disk_id!r}",
            clock=self._clock,
            resolution=self._resolution(by_marker),
        )
        self._finish(made, marked, used)
        if self._driver.marker is MarkerPlace.NAME and key is None and name is not None:
            marked = self._unmarked(made, marked, name)
        return self._started(made, marked)

    def create_group(
        self,
        *,
        instance_id: str | None = None,
        disk_ids: Sequence[str] = (),
        exclude_disk_ids: Sequence[str] = (),
        name: str | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        kind: SnapshotKind | str = SnapshotKind.UNKNOWN,
        key: str | None = None,
    ) -> SnapshotGroup:
        """Return the group that was started: of an instance's disks, or of *disk_ids*.

        *exclude_disk_ids* leaves disks of the instance out, and cannot stand beside
        *disk_ids*. *key* and errors as for ``create``. How far the members agree in time is
        the group's ``consistency``.
        """
        self._require(Capability.CREATE_GROUP)
        order = NewGroup(
            instance_id=instance_id,
            disk_ids=tuple(dict.fromkeys(disk_ids)),
            exclude_disk_ids=tuple(dict.fromkeys(exclude_disk_ids)),
            name=self._text("group name", name),
            description=self._text("description", description),
            tags=self._tags(tags),
            kind=SnapshotKind(kind),
        )
        _check_group(order)
        self._require_for(order.description, Capability.DESCRIBE_GROUP)
        self._require_for(order.tags, Capability.TAG)
        order = self._with_disks(order)
        used = key or new_key()
        marked = self._marked(order, used)
        by_name = self._driver.group_marker is MarkerPlace.NAME
        started: list[GroupMade] = []

        def send() -> str:
            started.append(self._driver.create_group(marked))
            return started[-1].group_id or ""

        made = once(
            send,
            lambda: self._groups_carrying(marker_of(used)) if by_name else [],
            mine=lambda found: _same_source(found, order),
            name_of=lambda found: found.id,
            known=key is not None and by_name,
            key=used,
            marker=marker_of(used),
            what=f"the group of {order.instance_id or ', '.join(order.disk_ids)}",
            clock=self._clock,
            resolution=self._resolution(by_name),
        ) or self._derived(started[-1].snapshot_ids, used)
        if order.tags and not self.supports(Capability.GROUPS):
            try:
                members = self.group(made).members
            except SnapkitError as error:
                raise self._unfinished(f"the group {made!r}", used, error) from error
            for member in members:
                extra = NewSnapshot(disk_id=member.source.id or "", tags=order.tags)
                self._finish(member.id, extra, used)
        return self._started_group(made, marked)

    def restore(
        self,
        snapshot_id: str,
        *,
        zone: str | None = None,
        name: str | None = None,
        size_bytes: int | None = None,
        category: str | None = None,
        tags: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Disk:
        """Return the new disk that was started from a snapshot; the old one is not touched.

        *category* is the provider's product name. Without *zone* or *category*, those of the
        source disk if it still exists. *key* as for ``create``, for one snapshot and, where
        the provider takes no client token, one *name*.
        """
        self._require(Capability.RESTORE)
        snapshot = self.snapshot(named("snapshot", snapshot_id))
        self._refuse(Capability.RESTORE, snapshot)
        if size_bytes is not None and snapshot.size_bytes and size_bytes < snapshot.size_bytes:
            raise ArgumentError(
                f"a disk of {size_bytes} bytes is too small for snapshot {snapshot_id!r}",
                hint=f"at least {snapshot.size_bytes}",
            )
        used = key or new_key()
        source = self._source_of(snapshot) if zone is None or category is None else None
        order = NewDisk(
            snapshot_id=snapshot_id,
            zone=zone or snapshot.source.zone or (source.zone if source else None),
            name=self._text("disk name", name),
            size_bytes=size_bytes,
            raw_category=category or (source.raw_category if source else None),
            tags=self._tags(tags),
            token=token_of(used),
        )
        # A disk need not tell its snapshot, so the marker does: another's must not be adopted.
        marker = marker_of(f"{used}\n{snapshot_id}")
        if self._driver.disk_marker is MarkerPlace.NAME:
            order = attrs.evolve(
                order, name=marked_name(_cut(name, self._driver.rules.disk_name), marker)
            )
        by_name = self._driver.disk_marker is MarkerPlace.NAME
        disk_id = once(
            lambda: self._driver.create_disk(order),
            lambda: self._driver.disks_named(order.name or "") if by_name else [],
            mine=lambda disk: disk.snapshot_id in (None, snapshot_id),
            name_of=lambda disk: disk.id,
            known=key is not None and by_name,
            key=used,
            marker=marker,
            what=f"the disk from snapshot {snapshot_id!r}",
            clock=self._clock,
            resolution=self._resolution(by_name),
        )
        return Disk(
            id=disk_id,
            name=order.name,
            size_bytes=size_bytes or snapshot.size_bytes,
            busy=True,
            zone=order.zone,
            raw_category=order.raw_category,
            snapshot_id=snapshot_id,
        )

    def copy(
        self,
        snapshot_id: str,
        regions: Iterable[str],
        *,
        name: str | None = None,
        description: str | None = None,
        expires_at: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> list[Copied]:
        """Start copies to other *regions* and return how each went.

        A copy is waited for in its own region, by a client there: ``connect`` with the same
        settings and ``region=copied.region``, then ``wait(copied.snapshot_id)``. *key* counts
        where the provider takes a client token for copies; elsewhere a lost answer is
        OutcomeUnknown.
        """
        self._require(Capability.COPY)
        places = tuple(dict.fromkeys(some("copy to", regions)))
        if self.region in places:
            raise ArgumentError(
                f"the snapshot is in {self.region!r} already", hint="name other regions"
            )
        snapshot = self.snapshot(named("snapshot", snapshot_id))
        self._refuse(Capability.COPY, snapshot)
        used = key or new_key()
        order = CopyOrder(
            snapshot_id=snapshot_id,
            regions=places,
            expires_at=aware(expires_at),
            name=self._text("name", name),
            description=self._text("description", description),
            tags=self._tags(tags),
            token=token_of(used),
        )
        try:
            return self._driver.copy_snapshot(order)
        except SnapkitError as error:
            if error.sent is Sent.NO:
                raise
            raise self._here(
                OutcomeUnknown(
                    f"the answer was lost ({error.message}): copies may be under way",
                    key=used,
                    hint="look for them in the other regions before copying again",
                )
            ) from error

    def _source_of(self, snapshot: Snapshot) -> Disk | None:
        """Return the disk that *snapshot* was taken from, None if it is gone or not told."""
        if snapshot.source.id is None or not self.supports(Capability.DISKS):
            return None
        return next(iter(self.disks(ids=[snapshot.source.id])), None)

    def _resolution(self, by_marker: bool) -> Resolution:
        """Return how to settle a lost answer; with a client token sending again is enough."""
        return self.resolution if by_marker else attrs.evolve(self.resolution, grace=0.0)

    def why_not(self, capability: Capability, snapshot: Snapshot) -> list[Blocker]:
        """Return what stands against *capability* (DELETE, RESTORE, ROLL_BACK, COPY) now."""
        known = {
            Capability.DELETE: deleting.blockers,
            Capability.RESTORE: _unready,
            Capability.COPY: _unready,
            Capability.ROLL_BACK: _not_to_roll_back,
        }
        neutral = known[capability](snapshot) if capability in known else ()
        return [*neutral, *self._driver.blockers(capability, snapshot)]

    def _refuse(self, capability: Capability, snapshot: Snapshot) -> None:
        against = self.why_not(capability, snapshot)
        if against:
            raise self._here(
                ConflictError(
                    f"snapshot {snapshot.id!r} cannot {_VERBS[capability]}:"
                    f" {'; '.join(str(one) for one in against)}"
                )
            )

    def _require_for(self, wanted: object, capability: Capability) -> None:
        if wanted:
            self._require(capability)

    def _text(self, what: str, text: str | None) -> str | None:
        if text is None:
            return None
        rules = self._driver.rules
        forms = {
            "name": rules.name,
            "group name": rules.group_name,
            "disk name": rules.disk_name,
            "description": rules.description,
        }
        return check_text(what, text, forms[what])

    def _tags(self, tags: Mapping[str, str] | None) -> Tags:
        check_tags(tags or {}, self._driver.rules)
        return Tags((tags or {}).items())

    def _marked(self, order: Any, key: str) -> Any:
        """Return *order* so that it can be recognised after a lost answer."""
        place = self._driver.group_marker if isinstance(order, NewGroup) else self._driver.marker
        if place is MarkerPlace.TOKEN:
            return attrs.evolve(order, token=token_of(key))
        marker = marker_of(key)
        rules = self._driver.rules
        if place is MarkerPlace.TAG:
            tags = Tags([*order.tags.items(), (MARKER_TAG, marker)])
            check_tags(tags, rules)
            return attrs.evolve(order, tags=tags)
        rule = rules.group_name if isinstance(order, NewGroup) else rules.name
        return attrs.evolve(order, name=marked_name(_cut(order.name, rule), marker))

    def _unmarked(self, snapshot_id: str, marked: NewSnapshot, name: str) -> NewSnapshot:
        """Take the marker out of the name; it stays for a key of the caller's, who may return.

        The snapshot is made, so a refusal here is no reason to fail.
        """
        try:
            self._driver.change_snapshot(snapshot_id, Change(name=name))
        except SnapkitError as error:
            _LOG.warning("snapshot %s keeps the name %r: %s", snapshot_id, marked.name, error)
            return marked
        return attrs.evolve(marked, name=name)

    def _carrying(self, marker: str) -> list[Snapshot]:
        return [one for one in self.snapshots() if carries(one, marker)]

    def _groups_carrying(self, marker: str) -> list[SnapshotGroup]:
        """Return the groups made with *marker*, whatever else they are called.

        Raises ConflictError where only snapshots carry it that are no group: to send again
        would take them twice.
        """
        if self.supports(Capability.GROUPS):
            names = [one.id for one in self.groups(fill=False) if carries(one, marker)]
            return list(self.groups(ids=names)) if names else []
        loose = self._carrying(marker)
        found = self._driver.derive_groups(loose)
        if loose and not found:
            raise self._here(
                ConflictError(
                    f"the key was used for {', '.join(one.id for one in loose)},"
                    " which do not show as one group",
                    hint="look at them, then use another key",
                )
            )
        return found

    def _finish(self, made: str, order: NewSnapshot, key: str) -> None:
        """Set what the creating call could not.

        A failure here must not look like one of the creation, or a caller makes another.
        """
        try:
            with named_if_interrupted(f"the snapshot {made!r}", key):
                self._driver.finish_snapshot(made, order)
        except SnapkitError as error:
            raise self._unfinished(f"the snapshot {made!r}", key, error) from error

    def _unfinished(self, what: str, key: str, error: SnapkitError) -> SnapkitError:
        return self._here(
            OutcomeUnknown(
                f"{what} was started, but it is not known to have its description and tags"
                f" ({error.message})",
                key=key,
                marker=marker_of(key),
                hint=f"run it again with the key {key!r}: it is then found and finished",
            )
        )

    def _started(self, snapshot_id: str, order: NewSnapshot) -> Snapshot:
        """Return the new snapshot as it is seen, or as it was asked for while it is invisible.

        It is made, so a look that fails is no reason to fail.
        """
        try:
            seen = self._now([snapshot_id]).get(snapshot_id)
        except SnapkitError as error:
            _LOG.debug("snapshot %s was started, but cannot be seen: %s", snapshot_id, error)
            seen = None
        return seen or Snapshot(
            id=snapshot_id,
            provider=self.provider,
            account=self.account,
            region=self.region,
            name=order.name,
            description=order.description,
            status=SnapshotStatus.CREATING,
            raw_status=None,
            restorable=False,
            source=SourceDisk(id=order.disk_id),
            expires_at=order.expires_at,
            tags=order.tags or None,
        )

    def _derived(self, snapshot_ids: tuple[str, ...], key: str) -> str:
        """Return the id of the group that the snapshots, which were just made, are."""
        end = self._clock.monotonic() + self.resolution.grace
        while True:
            trouble: SnapkitError | None = None
            try:
                members = list(self._now(snapshot_ids).values())
                groups = self._driver.derive_groups(members)
                if len(members) == len(snapshot_ids) and len(groups) == 1:
                    return groups[0].id
            except SnapkitError as error:
                trouble = error
            if self._clock.monotonic() >= end:
                raise self._here(
                    OutcomeUnknown(
                        "the snapshots were made, but do not show as one group yet:"
                        f" {', '.join(snapshot_ids)}",
                        key=key,
                        marker=marker_of(key),
                        hint="list the groups a little later",
                    )
                ) from trouble
            self._clock.sleep(self.resolution.first_pause)

    def _started_group(self, group_id: str, order: NewGroup) -> SnapshotGroup:
        """Return the new group as it is seen, or as it was asked for while it is invisible."""
        try:
            for seen in self.groups(ids=group_id):
                return seen
        except SnapkitError as error:
            _LOG.debug("group %s was started, but cannot be seen: %s", group_id, error)
        return SnapshotGroup(
            id=group_id,
            provider=self.provider,
            account=self.account,
            region=self.region,
            name=order.name,
            description=order.description,
            status=SnapshotStatus.CREATING,
            raw_status=None,
            instance_id=order.instance_id,
            tags=order.tags or None,
        )

    def _with_disks(self, order: NewGroup) -> NewGroup:
        """Return *order* with its disks named, where the provider takes disks only."""
        if self._driver.groups_by_instance or order.instance_id is None:
            return order
        left_out = set(order.exclude_disk_ids)
        there = [disk.id for disk in self.disks(instance_id=order.instance_id)]
        absent = (left_out | set(order.disk_ids)) - set(there)
        if absent:
            raise ArgumentError(
                f"disks {', '.join(sorted(absent))} are not on instance {order.instance_id!r}",
                hint="name only disks that are there",
            )
        chosen = order.disk_ids or tuple(one for one in there if one not in left_out)
        if not chosen:
            raise ArgumentError(f"no disk of instance {order.instance_id!r} is left to snapshot")
        return attrs.evolve(order, disk_ids=chosen, exclude_disk_ids=())


def named(what: str, name: str) -> str:
    """Return *name* if it is one, else raise ArgumentError."""
    if not name or name.isspace():
        raise ArgumentError(f"the id of the {what} is empty", hint=f"name the {what}")
    return name


def aware(moment: datetime | None) -> datetime | None:
    """Return *moment* if it has a time zone (or is None), else raise ArgumentError."""
    if moment is not None and moment.tzinfo is None:
        raise ArgumentError(
            f"the time {moment.isoformat()} has no time zone", hint="say which, for instance UTC"
        )
    return moment


def some(purpose: str, names: Iterable[str]) -> list[str]:
    """Return *names*, each once; ArgumentError if there are none, or one is empty."""
    found = list(dict.fromkeys([names] if isinstance(names, str) else names))
    if not found:
        raise ArgumentError(f"nothing to {purpose}", hint="name at least one")
    return [named("thing", name) for name in found]


def _check_group(order: NewGroup) -> None:
    if order.disk_ids and order.exclude_disk_ids:
        raise ArgumentError(
            "disks to take and disks to leave out exclude each other", hint="give one of the two"
        )
    if order.instance_id is None and not order.disk_ids:
        raise ArgumentError(
            "a group needs an instance or disks", hint="name an instance, or at least one disk"
        )
    if order.instance_id is None and order.exclude_disk_ids:
        raise ArgumentError("disks can be left out of an instance only", hint="name the instance")


def _same_source(group: SnapshotGroup, order: NewGroup) -> bool:
    """Whether *group* was taken of what *order* asks for, as far as it says."""
    disks = {member.source.id for member in group.members if member.source.id is not None}
    if order.disk_ids and disks and len(disks) == len(group.members):
        return disks == set(order.disk_ids)
    return order.instance_id is None or group.instance_id in (None, order.instance_id)


def _unready(snapshot: Snapshot) -> tuple[Blocker, ...]:
    if snapshot.status in _GONE:
        return (Blocker(reason=Reason.GONE, detail=f"it is {snapshot.status.value}"),)
    if snapshot.restorable is False:
        return (Blocker(reason=Reason.NOT_READY, detail=f"it is {snapshot.status.value}"),)
    return ()


def _not_to_roll_back(snapshot: Snapshot) -> tuple[Blocker, ...]:
    unready = _unready(snapshot)
    if snapshot.origin is Origin.COPY or snapshot.source.id is None:
        return (*unready, Blocker(reason=Reason.COPY))
    if snapshot.status is SnapshotStatus.RESTORING:
        return (*unready, Blocker(reason=Reason.BUSY, detail="a disk is being rolled back to it"))
    return unready


def _cut(name: str | None, rule: TextRule) -> str | None:
    """Return as much of *name* as *rule* allows beside a marker."""
    if name is None or rule.longest is None:
        return name
    room = max(0, rule.longest - len(marked_name("x", marker_of(""))) + 1)
    return name.encode()[:room].decode(errors="ignore") if rule.in_bytes else name[:room]
