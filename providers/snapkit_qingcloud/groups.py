"""Which snapshots were taken together: QingCloud keeps no groups, so they are inferred.

The snapshots of one call share their time and their name, but so may those of two calls, and
only those of one server are consistent. A group is therefore equal time, equal name and one
server, of at least two different disks.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

import attrs

from snapkit.model import (
    Consistency,
    DiskRole,
    Membership,
    Snapshot,
    SnapshotGroup,
    SnapshotStatus,
    group_status,
)

__all__ = ["candidates", "form_groups", "group_id", "volumes_of"]


def candidates(snapshots: Iterable[Snapshot]) -> list[list[Snapshot]]:
    """Return the sets of two and more snapshots with one time and one name."""
    alike: dict[tuple[datetime, str], dict[str, Snapshot]] = defaultdict(dict)
    for snapshot in snapshots:
        moment = _moment(snapshot)
        if moment is not None and snapshot.source.id is not None:
            alike[moment, snapshot.name or ""].setdefault(snapshot.id, snapshot)
    return [list(found.values()) for found in alike.values() if len(found) > 1]


def _moment(snapshot: Snapshot) -> datetime | None:
    """Return the time of the data; one still being captured has it as its creation."""
    if snapshot.status is SnapshotStatus.CREATING:
        return snapshot.cut_at or snapshot.created_at
    return snapshot.cut_at


def volumes_of(sets: Iterable[Iterable[Snapshot]]) -> list[str]:
    """Return the ids of the data disks in *sets*, whose server the snapshots do not tell."""
    return sorted(
        {
            snapshot.source.id
            for members in sets
            for snapshot in members
            if snapshot.source.id and snapshot.source.role is not DiskRole.SYSTEM
        }
    )


def form_groups(
    sets: Iterable[Iterable[Snapshot]], servers: Mapping[str, str]
) -> list[SnapshotGroup]:
    """Return the groups in *sets*, the newest first; *servers* says where each volume is.

    A disk without a known server is in no group, and two snapshots of one disk in the same
    second mean that this was not one call.
    """
    found: list[SnapshotGroup] = []
    for alike in sets:
        by_server: dict[str, list[Snapshot]] = defaultdict(list)
        for snapshot in alike:
            server = snapshot.source.instance_id or servers.get(snapshot.source.id or "")
            if server:
                by_server[server].append(snapshot)
        found.extend(
            _group(server, members) for server, members in by_server.items() if _sound(members)
        )
    return sorted(found, key=lambda group: (_seconds(group.created_at), group.id), reverse=True)


def _sound(members: list[Snapshot]) -> bool:
    disks = {member.source.id for member in members}
    return len(members) > 1 and len(disks) == len(members)


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _group(server: str, members: list[Snapshot]) -> SnapshotGroup:
    first = members[0]
    moment = _moment(first)
    name = group_id(moment, server, first.name)
    return SnapshotGroup(
        id=name,
        provider=first.provider,
        account=first.account,
        region=first.region,
        name=first.name,
        status=group_status(member.status for member in members),
        raw_status=None,
        created_at=moment,
        instance_id=server,
        members=tuple(
            attrs.evolve(member, group_id=name) for member in sorted(members, key=lambda m: m.id)
        ),
        consistency=Consistency.CRASH,
        membership=Membership.DERIVED,
    )


def group_id(moment: datetime | None, server: str, name: str | None) -> str:
    """Return the id of a group, the same whenever it is derived."""
    when = moment.strftime("%Y%m%dT%H%M%SZ") if moment else "unknown"
    digest = hashlib.sha256((name or "").encode("utf-8", "surrogatepass")).hexdigest()
    return f"grp-{when}-{server}-{digest[:8]}"
