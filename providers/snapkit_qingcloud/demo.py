"""QingCloud's part of the demonstration estate: furnished regions and a cabinet of oddities."""

import random

import attrs

from snapkit.emulator.estate import Style, furnish
from snapkit.emulator.state import AccountState, Disk, Pace, RegionState, SnapshotRecord, World
from snapkit.model import DiskRole

__all__ = ["STYLE", "populate"]

DAY = 86400.0
STYLE = Style(
    instance="i-",
    disk="vol-",
    snapshot="ss-",
    categories=("0", "2", "3", "5", "6", "100", "200"),
    policy_name=lambda server, day: f"{server}-每日备份-{day}",
)


def populate(world: World, seed: int) -> None:
    """Add one account with three regions, the same for one *seed* and clock."""
    chance = random.Random(f"qingcloud {seed}")  # noqa: S311 - an estate, not a secret
    now = float(int(world.clock.now()))
    account = AccountState(
        provider="qingcloud",
        label="demo",
        key_id="QYACCESSKEYIDEXAMPLE",
        secret="EXAMPLE-qingcloud-secret-of-no-account",  # noqa: S106 - invented
    )
    world.accounts.append(account)
    pek3, gd2, ap2a = (account.region(name) for name in ("pek3", "gd2", "ap2a"))
    furnish(pek3, STYLE, chance=chance, now=now, zones=("pek3b", "pek3c"), servers=6, nights=5)
    furnish(gd2, STYLE, chance=chance, now=now, zones=("gd2a", "gd2b"), servers=3, nights=6)
    furnish(ap2a, STYLE, chance=chance, now=now, zones=("ap2a",), servers=1, nights=3)
    pek3.add(*_oddities(now))
    gd2.add(*_recorded(), _copy_of(pek3))


def _oddities(now: float) -> list[Disk | SnapshotRecord]:
    """Return a snapshot in each state there is, and a database's."""
    disk = Disk(id="vol-cabinet1", size_gib=10, name="陈列柜", category="200", zone="pek3b")
    plain = SnapshotRecord(
        id="",
        disk_id=disk.id,
        size_gib=disk.size_gib,
        category=disk.category,
        zone=disk.zone,
        started_at=now - 2 * DAY,
    )
    never = Pace(cut=10 * DAY, usable=20 * DAY, complete=30 * DAY)
    captured = Pace(cut=1.0, usable=20 * DAY, complete=30 * DAY)
    database = {
        "resource_id": "rdb-EXAMPLE1",
        "resource_name": "orders",
        "resource_type": "rdb",
    }
    shown = [
        attrs.evolve(plain, id="ss-capturing", started_at=now - 60, pace=never),
        attrs.evolve(plain, id="ss-creating1", started_at=now - 180, pace=captured),
        attrs.evolve(plain, id="ss-ready0001", tags={"重要": "", "env": "prod"}),
        attrs.evolve(plain, id="ss-deleted01", deleted_at=now - 1800),
        attrs.evolve(plain, id="ss-ceased001", deleted_at=now - 9 * 3600),
        attrs.evolve(plain, id="ss-database1", row={"resource": database}),
    ]
    forced = {
        "ss-degrading": "available/suspending",
        "ss-deleting1": "available/deleting",
        "ss-applying1": "available/applying",
        "ss-suspended": "suspended",
        "ss-resuming1": "suspended/resuming",
        "ss-undelete1": "deleted/recovering",
        "ss-future001": "available/teleporting",
    }
    shown += [attrs.evolve(plain, id=one, word=word) for one, word in forced.items()]
    for hours, record in enumerate(shown[2:]):
        record.started_at -= hours * 3600.0
    for record in shown:
        record.name = f"陈列 {record.id.removeprefix('ss-')}"
    return [disk, *shown]


def _copy_of(region: RegionState) -> SnapshotRecord:
    """Return a copy in another region: it keeps its id there."""
    first = min(
        (one for one in region.snapshots.values() if one.full and one.role is DiskRole.DATA),
        key=lambda one: (one.started_at, one.id),
    )
    return SnapshotRecord(
        id=first.id,
        disk_id=first.disk_id,
        size_gib=first.size_gib,
        category=first.category,
        name=first.name,
        started_at=first.started_at,
        zone="gd2a",
        source_snapshot_id=first.id,
        source_region=region.id,
        row={"snapshot_repl_info": {"gd2a": 1, "gd2b": 1}},
    )


def _recorded() -> list[SnapshotRecord]:
    """Return the two snapshots of the documentation's example, field by field."""
    increment = {
        "status": "available",
        "resource": {
            "resource_name": "",
            "resource_type": "volume",
            "resource_id": "vom-s1hnvwyh",
        },
        "snapshot_time": "2014-03-11T15:36:15Z",
        "is_head": 1,
        "root_id": "ss-mtlngntb",
        "sub_code": 0,
        "snapshot_type": 0,
        "parent_id": "ss-mtlngntb",
        "snapshot_name": "",
        "create_time": "2014-03-11T15:47:34Z",
        "snapshot_id": "ss-z9y03ggk",
        "status_time": "2014-03-11T15:47:34Z",
        "size": 1,
        "description": None,
    }
    full = {
        "status": "deleted",
        "resource": {
            "resource_name": "",
            "resource_type": "volume",
            "resource_id": "vom-2cwmmo5t",
        },
        "snapshot_time": "2014-03-11T14:52:10Z",
        "is_head": 1,
        "root_id": "ss-69wldt5b",
        "total_size": 5242880,
        "total_count": 1,
        "sub_code": 0,
        "snapshot_type": 1,
        "parent_id": "self",
        "snapshot_name": "",
        "create_time": "2014-03-11T15:04:45Z",
        "head_chain": 1,
        "snapshot_id": "ss-69wldt5b",
        "status_time": "2014-03-11T15:58:09Z",
        "size": 5242880,
        "lastest_snapshot_time": "2014-03-11T14:52:10Z",
        "description": None,
    }
    return [
        SnapshotRecord(
            id="ss-z9y03ggk",
            disk_id="vom-s1hnvwyh",
            size_gib=10,
            started_at=1394552175.0,
            full=False,
            parent_id="ss-mtlngntb",
            root_id="ss-mtlngntb",
            row=increment,
        ),
        SnapshotRecord(
            id="ss-69wldt5b",
            disk_id="vom-2cwmmo5t",
            size_gib=10,
            started_at=1394549530.0,
            row=full,
        ),
    ]
