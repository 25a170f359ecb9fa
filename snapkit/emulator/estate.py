"""Believable servers with disks and nightly snapshots, from a seed; no cloud's words in it.

Dialects call :func:`furnish` with their own id prefixes and disk products, and add what is
peculiar to them.
"""

import random
from collections.abc import Callable, Sequence

import attrs

from snapkit.emulator.state import Disk, GroupRecord, RegionState, SnapshotRecord
from snapkit.model import DiskRole, Origin

__all__ = ["Style", "furnish", "make_id"]

DAY = 86400.0
_SERVERS = ("web", "api", "db", "queue", "cache", "数据库", "网站", "build", "mail", "财务")
_TEAMS = ("shop", "billing", "platform", "研发", "ops")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@attrs.frozen(kw_only=True)
class Style:
    """A provider's way of naming and grouping things."""

    instance: str
    disk: str
    snapshot: str
    group: str | None = None
    """Prefix of group ids; None where the provider keeps no groups."""
    length: int = 8
    categories: Sequence[str] = ("",)
    zones: Callable[[str], Sequence[str]] = lambda region: (f"{region}-a",)
    """The zones of a region."""
    policy_name: Callable[[str, int], str] = lambda server, day: f"auto-{server}-{day}"
    manual_name: Callable[[str, int], str] = lambda server, day: f"{server}-before-release-{day}"


def make_id(chance: random.Random, prefix: str, length: int) -> str:
    """Return an id such as a provider would make."""
    return prefix + "".join(chance.choices(_LETTERS, k=length))


def furnish(
    region: RegionState,
    style: Style,
    *,
    chance: random.Random,
    now: float,
    zones: Sequence[str],
    servers: int,
    nights: int,
) -> None:
    """Fill *region* with *servers*, each with disks and *nights* of snapshots before *now*.

    Each disk has a chain: the oldest snapshot is full, the others build on the one before.
    Every third server also has groups, where the provider keeps them.
    """
    kept = max(8, nights + 1)
    for number in range(servers):
        kind = _SERVERS[(number + len(region.id)) % len(_SERVERS)]
        server = f"{kind}-{number + 1:02d}"
        instance = make_id(chance, style.instance, style.length)
        zone = chance.choice(list(zones))
        tags = {"team": chance.choice(_TEAMS), "env": chance.choice(("prod", "prod", "test"))}
        disks = [
            Disk(
                id=make_id(chance, style.disk, style.length),
                size_gib=20 * (1 + chance.randrange(3))
                if index == 0
                else 100 * chance.randint(1, 10),
                role=DiskRole.SYSTEM if index == 0 else DiskRole.DATA,
                category=chance.choice(list(style.categories)),
                name=f"{server}-disk{index}",
                instance_id=instance,
                zone=zone,
                encrypted=chance.random() < 0.2,
                tags=dict(tags),
            )
            for index in range(1 + number % 3)
        ]
        region.add(*disks)
        previous: dict[str, SnapshotRecord] = {}
        for night in range(nights, 0, -1):
            at = now - night * DAY + 3600 * 2 + number * 60
            manual = night % 5 == 0
            name = (style.manual_name if manual else style.policy_name)(server, night)
            made: list[SnapshotRecord] = []
            for disk in disks:
                before = previous.get(disk.id)
                record = SnapshotRecord(
                    id=make_id(chance, style.snapshot, style.length),
                    disk_id=disk.id,
                    size_gib=disk.size_gib,
                    role=disk.role,
                    instance_id=instance,
                    zone=zone,
                    category=disk.category,
                    name=name,
                    description=f"nightly of {server}" if not manual else "",
                    started_at=at,
                    expires_at=None if manual else now + (kept - night) * DAY,
                    stored_mib=disk.size_gib * 1024 if before is None else chance.randint(0, 4096),
                    full=before is None,
                    parent_id=before.id if before else None,
                    root_id=(before.root_id or before.id) if before else None,
                    origin=Origin.MANUAL if manual else Origin.POLICY,
                    encrypted=disk.encrypted,
                    tags=dict(tags) if manual or number % 2 else {},
                )
                previous[disk.id] = record
                made.append(record)
            region.add(*made)
            if style.group and number % 3 == 2 and night % 2 == 0:
                region.add(
                    GroupRecord(
                        id=make_id(chance, style.group, style.length),
                        snapshot_ids=[record.id for record in made],
                        name=name,
                        created_at=at,
                        instance_id=instance,
                        tags=dict(tags),
                    )
                )
