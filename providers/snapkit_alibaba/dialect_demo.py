"""The part of this service in the demonstration estate; the same seed and clock give the same."""

import random

from snapkit.emulator.estate import Style, furnish
from snapkit.emulator.state import (
    AccountState,
    GroupRecord,
    Pace,
    RegionState,
    SnapshotRecord,
    World,
)
from snapkit.model import DiskRole, Origin
from snapkit.vocabulary import parse_time
from snapkit_alibaba.failures import PROVIDER

__all__ = ["NAMES", "STYLE", "furnish_world"]

DAY = 86400.0
_USUAL = Pace()
_LONG = Pace(cut=30 * DAY, usable=40 * DAY, complete=50 * DAY)
_SLOW = Pace(cut=1, usable=2, complete=50 * DAY)
_SERVER = "i-bp1exampleserver001"

STYLE = Style(
    instance="i-bp1",
    disk="d-bp1",
    snapshot="s-bp1",
    group="ssg-bp1",
    length=17,
    categories=("cloud_essd", "cloud_auto", "cloud_essd_entry"),
    zones=lambda region: [f"{region}-{letter}" for letter in "ghi"],
    policy_name=lambda server, day: f"auto_{server}_{day}",
    manual_name=lambda server, day: f"{server}_before-release_{day}",
)
NAMES = {
    "ap-southeast-1": ("新加坡", "Singapore"),
    "cn-beijing": ("华北2（北京）", "China (Beijing)"),
    "cn-hangzhou": ("华东1（杭州）", "China (Hangzhou)"),
    "cn-shanghai": ("华东2（上海）", "China (Shanghai)"),
}
"""Regions in Chinese and English."""


def furnish_world(world: World, seed: int) -> None:
    """Put an account with two furnished regions, an empty one and oddities into *world*."""
    chance = random.Random(seed)  # noqa: S311 - a demonstration, not a secret
    now = world.clock.now()
    account = AccountState(
        provider=PROVIDER,
        key_id="LTAIEXAMPLEdemo0001",
        secret="EXAMPLE-secret-of-an-emulated-cloud",  # noqa: S106 - invented
        label="demo",
    )
    for region_id, servers, nights in (("cn-hangzhou", 6, 6), ("cn-shanghai", 4, 4)):
        region = account.region(region_id)
        region.name = NAMES[region_id][0]
        zones = STYLE.zones(region_id)
        furnish(region, STYLE, chance=chance, now=now, zones=zones, servers=servers, nights=nights)
    account.region("cn-hangzhou").add(*_every_state(now), *_published(), *_groups(now))
    account.region("cn-shanghai").add(_copy(now))
    account.regions["ap-southeast-1"] = RegionState(
        id="ap-southeast-1", name=NAMES["ap-southeast-1"][0], open=False
    )
    world.accounts.append(account)


def _every_state(now: float) -> list[SnapshotRecord]:
    """Return a snapshot in each state, and one for each thing that may stand on it."""
    return [
        _one("s-bp1starting0000000001", now - 60, pace=_LONG, name="正在开始"),
        _one("s-bp1usable000000000001", now - 3600, pace=_SLOW, name="usable-while-creating"),
        _one("s-bp1failed000000000001", now - 2 * DAY, fails=True, name="failed_one"),
        _one("s-bp1image0000000000001", now - 3 * DAY, images=2, name="golden-image"),
        _one("s-bp1disk00000000000001", now - 3 * DAY, disks=1, name="cloned-disk"),
        _one("s-bp1both00000000000001", now - 4 * DAY, images=1, disks=1, name="both"),
        _one(
            "s-bp1secret000000000001",
            now - 5 * DAY,
            encrypted=True,
            kms_key_id="0e478b7a-4262-4802-b8cb-00d3fb40826X",
            name="财务数据库_月末",
            description="每月最后一天",
            tags={"部门": "财务", "env": "prod", "acs:ecs:demo": "system"},
        ),
        _one("s-bp1deleted00000000001", now - 6 * DAY, deleted_at=now - DAY, name="deleted"),
        _one("s-bp1expired00000000001", now - 9 * DAY, expires_at=now - DAY, name="expired"),
    ]


def _one(
    snapshot_id: str,
    started_at: float,
    *,
    name: str,
    description: str = "",
    pace: Pace = _USUAL,
    fails: bool = False,
    images: int = 0,
    disks: int = 0,
    encrypted: bool = False,
    kms_key_id: str = "",
    tags: dict[str, str] | None = None,
    deleted_at: float | None = None,
    expires_at: float | None = None,
) -> SnapshotRecord:
    return SnapshotRecord(
        id=snapshot_id,
        disk_id="d-bp1exampledisk0000001",
        size_gib=40,
        instance_id=_SERVER,
        name=name,
        description=description,
        started_at=started_at,
        pace=pace,
        fails=fails,
        images=images,
        disks=disks,
        encrypted=encrypted,
        kms_key_id=kms_key_id,
        tags=tags or {},
        deleted_at=deleted_at,
        expires_at=expires_at,
    )


def _copy(now: float) -> SnapshotRecord:
    return SnapshotRecord(
        id="s-uf6copied000000000001",
        disk_id="d-bp1exampledisk0000001",
        size_gib=40,
        name="copy-of-golden-image",
        started_at=now - 2 * DAY,
        origin=Origin.COPY,
        source_snapshot_id="s-bp1image0000000000001",
        source_region="cn-hangzhou",
    )


def _published() -> list[SnapshotRecord]:
    """Return the four rows that the API reference shows, under their own field values."""
    shown = (
        ("s-943ypfgic", "d-944qyqjfa", 20, "system", "2015-07-30T05:00:14Z", "auto_20150730_3"),
        ("s-94osg320e", "d-94j355jsq", 20, "system", "2015-07-30T05:00:14Z", "auto_20150730_3"),
        ("s-23f2i9s4t", "d-23x0r79qy", 50, "DATA", "2014-07-24T13:00:52Z", "auto_20140724_2"),
        ("s-23izto5qm", "101-70105379", 5, "DATA", "2014-07-24T13:00:42Z", "auto_20140724_2"),
    )
    return [
        SnapshotRecord(
            id=snapshot_id,
            disk_id=disk_id,
            size_gib=size,
            role=DiskRole(role.casefold()),
            name=name,
            started_at=_seconds(created),
            row={
                "CreationTime": created,
                "Status": "accomplished",
                "SnapshotName": name,
                "SourceDiskType": role,
                "SourceDiskId": disk_id,
                "SnapshotId": snapshot_id,
                "SourceDiskSize": size,
                "Progress": "100%",
                "Usage": "none",
            },
        )
        for snapshot_id, disk_id, size, role, created, name in shown
    ]


def _seconds(text: str) -> float:
    moment = parse_time(text)
    return moment.timestamp() if moment else 0.0


def _groups(now: float) -> list[SnapshotRecord | GroupRecord]:
    """Return the published group with its members, one over two servers, one unfinished."""
    created = _seconds("2021-03-23T10:58:48Z")
    members = [
        SnapshotRecord(
            id=f"s-j6c{name}****",
            disk_id=f"d-j6c{disk}****",
            size_gib=40,
            role=role,
            instance_id="i-j6ca469urv8ei629****",
            description="Created_from_ssg-j6ciyh3k52qp7ovm****",
            started_at=created,
        )
        for name, disk, role in (
            ("bzmrlbf09w72q", "3ogynmvpi6wy7", DiskRole.SYSTEM),
            ("dofbycydvg7ey", "f7l0ewidb78lq", DiskRole.DATA),
        )
    ]
    return [
        *members,
        GroupRecord(
            id="ssg-j6ciyh3k52qp7ovm****",
            snapshot_ids=[record.id for record in members],
            name="testName",
            description="This is description.",
            created_at=created,
            instance_id="i-j6ca469urv8ei629****",
        ),
        GroupRecord(
            id="ssg-bp1twoservers000000",
            snapshot_ids=["s-bp1image0000000000001", members[0].id],
            name="两台服务器",
            created_at=now - 3 * DAY,
        ),
        GroupRecord(
            id="ssg-bp1unfinished000000",
            snapshot_ids=["s-bp1usable000000000001", "s-bp1starting0000000001"],
            name="unfinished",
            created_at=now - 3600,
            instance_id=_SERVER,
            tags={"env": "prod"},
        ),
    ]
