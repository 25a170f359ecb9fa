"""From ``facts.json`` to snapkit's values; pure."""

from collections.abc import Mapping
from typing import Any

from snapkit.driver import Connection
from snapkit.model import (
    Consistency,
    DiskRole,
    Origin,
    Snapshot,
    SnapshotGroup,
    SnapshotKind,
    SnapshotStatus,
    SourceDisk,
    Tags,
)
from snapkit.vocabulary import integer, lookup, mapping, parse_time, tags, text
from snapkit.writes import Disk

__all__ = ["STATUSES", "parse_disk", "parse_group", "parse_snapshot"]

PROVIDER = "filesystem"
STATUSES: Mapping[str, tuple[SnapshotStatus, bool | None]] = {
    "complete": (SnapshotStatus.AVAILABLE, True),
    "damaged": (SnapshotStatus.FAILED, False),
}
ROLES: Mapping[str, DiskRole] = {"system": DiskRole.SYSTEM, "data": DiskRole.DATA}
_UNKNOWN: tuple[SnapshotStatus, bool | None] = (SnapshotStatus.UNKNOWN, None)


def parse_snapshot(facts: Mapping[str, Any] | None, where: Connection) -> Snapshot | None:
    """Return the snapshot that *facts* tell of, None if they do not even name one."""
    name = text((facts or {}).get("id"))
    if facts is None or name is None:
        return None
    status, restorable = lookup(STATUSES, facts.get("state"), _UNKNOWN)
    made = parse_time(facts.get("made"))
    size = integer(facts.get("bytes"))
    return Snapshot(
        id=name,
        provider=PROVIDER,
        account=where.account,
        region=where.region,
        name=text(facts.get("name")),
        description=text(facts.get("note")),
        status=status,
        raw_status=text(facts.get("state")),
        restorable=restorable,
        created_at=made,
        cut_at=made,
        source=SourceDisk(
            id=text(facts.get("disk")),
            role=lookup(ROLES, facts.get("role"), DiskRole.UNKNOWN),
            size_bytes=size,
            instance_id=text(facts.get("server")),
        ),
        size_bytes=size,
        stored_bytes=integer(facts.get("stored")),
        kind=SnapshotKind.FULL,
        origin=Origin.MANUAL,
        group_id=text(facts.get("group")),
        tags=_tags(facts),
        raw=facts if where.keep_raw else None,
    )


def parse_group(facts: Mapping[str, Any] | None, where: Connection) -> SnapshotGroup | None:
    """Return the group that *facts* tell of; of its members only the ids are known here."""
    name = text((facts or {}).get("id"))
    if facts is None or name is None:
        return None
    return SnapshotGroup(
        id=name,
        provider=PROVIDER,
        account=where.account,
        region=where.region,
        name=text(facts.get("name")),
        description=text(facts.get("note")),
        status=SnapshotStatus.UNKNOWN,
        raw_status=None,
        created_at=parse_time(facts.get("made")),
        instance_id=text(facts.get("server")),
        members=tuple(
            Snapshot(
                id=str(member),
                provider=PROVIDER,
                account=where.account,
                region=where.region,
                status=SnapshotStatus.UNKNOWN,
                raw_status=None,
                group_id=name,
            )
            for member in mapping(facts.get("members")).values()
        ),
        consistency=Consistency.NONE,
        tags=_tags(facts),
        raw=facts if where.keep_raw else None,
    )


def parse_disk(name: str, facts: Mapping[str, Any]) -> Disk:
    """Return the disk *name*."""
    return Disk(
        id=name,
        name=text(facts.get("name")),
        role=lookup(ROLES, facts.get("role"), DiskRole.UNKNOWN),
        size_bytes=integer(facts.get("bytes")),
        instance_id=text(facts.get("server")),
        snapshot_id=text(facts.get("from")),
    )


def _tags(facts: Mapping[str, Any]) -> Tags:
    return tags(mapping(facts.get("tags")).items())
