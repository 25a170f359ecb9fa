"""Tencent's part of the demonstration estate: three regions, one of which is denied."""

import random

from snapkit.emulator.estate import Style, furnish, make_id
from snapkit.emulator.state import AccountState, GroupRecord, Pace, SnapshotRecord, World
from snapkit.model import DiskRole, Origin

__all__ = ["STYLE", "build"]

DAY = 86400.0
KEY_ID = "AKIDEXAMPLEsnapkitDemo00000000000000"
SECRET = "snapkitDemoSecretEXAMPLE00000000"  # noqa: S105 - invented, for the emulator
SEED_ROW = {
    "snapshotId": "snap-ffxxxrx",
    "storageId": "disk-8rxxyy",
    "snapshotName": "ABCDEFGHHHH",
    "snapshotStatus": "normal",
    "projectId": 0,
    "percent": 100,
    "storageSize": 10,
    "createTime": "2016-05-17 19:58:48",
    "diskType": "data",
}
"""The example row in the vendor's page about DescribeSnapshots of API 2.0."""
SEED_TIME = 1463486328.0
"""2016-05-17 19:58:48 in China."""

STYLE = Style(
    instance="ins-",
    disk="disk-",
    snapshot="snap-",
    group="csnap-",
    categories=("CLOUD_PREMIUM", "CLOUD_SSD", "CLOUD_HSSD", "CLOUD_BSSD"),
    zones=lambda region: [f"{region}-{number}" for number in (3, 4)],
    policy_name=lambda server, day: f"自动快照-{server}-{day}",
    manual_name=lambda server, day: f"{server}-before-release-{day}",
)
_REGIONS = {
    "ap-guangzhou": ("South China (Guangzhou)", 6, 5),
    "ap-singapore": ("Southeast Asia (Singapore)", 5, 4),
    "ap-beijing": ("North China (Beijing)", 2, 3),
}
_HOUR = Pace(cut=1.0, usable=3600.0, complete=3600.0)


def build(world: World, seed: int) -> None:
    """Put the account ``demo`` with its regions into *world*."""
    chance = random.Random(seed)  # noqa: S311 - an estate to look at, not a secret
    now = world.clock.now()
    account = AccountState(provider="tencent", key_id=KEY_ID, secret=SECRET, label="demo")
    for name, (title, servers, nights) in _REGIONS.items():
        region = account.region(name)
        region.name, region.denied = title, name == "ap-beijing"
        furnish(
            region,
            STYLE,
            chance=chance,
            now=now,
            zones=STYLE.zones(name),
            servers=servers,
            nights=nights,
        )
    account.region("ap-guangzhou").add(*_curiosities(chance, now))
    world.accounts.append(account)


def _curiosities(chance: random.Random, now: float) -> list[SnapshotRecord | GroupRecord]:
    """Return a record for every status, and for everything else that is seldom met."""

    def made(name: str, age: float, **facts: object) -> SnapshotRecord:
        base: dict[str, object] = {
            "id": make_id(chance, "snap-", 8),
            "disk_id": make_id(chance, "disk-", 8),
            "size_gib": 50,
            "zone": "ap-guangzhou-3",
            "name": name,
            "started_at": now - age,
        }
        return SnapshotRecord(**(base | facts))  # type: ignore[arg-type] # mixed on purpose

    pair = [
        made("orders-consistent_0", 600.0, role=DiskRole.SYSTEM),
        made("orders-consistent_1", 600.0, size_gib=200),
    ]
    copy = {"origin": Origin.COPY, "source_region": "ap-singapore"}
    return [
        SnapshotRecord(
            id="snap-ffxxxrx",
            disk_id="disk-8rxxyy",
            size_gib=10,
            name="ABCDEFGHHHH",
            started_at=SEED_TIME,
            row=SEED_ROW,
        ),
        made("即将完成的快照", 120.0, pace=_HOUR, size_gib=500),
        made("restore-in-progress", 3 * DAY, word="ROLLBACKING"),
        made("Copied snap-3f9k2m1q from ap-singapore", 900.0, word="COPYING_FROM_REMOTE", **copy),
        made("Copied snap-8d2kq0zz from ap-singapore", 1800.0, word="CHECKING_COPIED", **copy),
        made("Copied snap-1c5v7bpl from ap-singapore", 9 * DAY, **copy),
        made("已移入回收站", 40 * DAY, word="TORECYCLE"),
        made("a word from the future", DAY, word="HIBERNATING"),
        made("golden-image", 90 * DAY, role=DiskRole.SYSTEM, images=2, tags={"用途": "镜像"}),
        made("shared-with-partners", 30 * DAY, shares=3),
        made("来自合作伙伴", 12 * DAY, origin=Origin.SHARED),
        made("locked-for-audit", 200 * DAY, locked=True, encrypted=True, tags={"audit": "2026"}),
        made("", 5 * DAY),
        made("deleted-yesterday", 6 * DAY, deleted_at=now - DAY),
        *pair,
        GroupRecord(
            id=make_id(chance, "csnap-", 8),
            snapshot_ids=[member.id for member in pair],
            name="orders-consistent",
            created_at=now - 600.0,
        ),
    ]
