"""What the benchmarks list: names of snapshots, and their rows as each cloud writes them.

Names are a formula, so that whoever lists can be checked to the last one. Rows come from the
emulator's dialects: a thousand different ones for each cloud, repeated under other names.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Iterator
from typing import Any

CLOUDS = ("alibaba", "tencent", "qingcloud")
HOMES = {"alibaba": "cn-hangzhou", "tencent": "ap-guangzhou", "qingcloud": "pek3"}
PREFIXES = {"alibaba": "s-bp1", "tencent": "snap-", "qingcloud": "ss-"}
KEY, SECRET = "AKIDEXAMPLE", "EXAMPLE-not-a-secret"
START = 1_735_689_600.0
_PERIOD = 1000
_DISKS = 97
_PLACE = "cn-nowhere-9999"
_UNNAMED = 99_999_999

Row = dict[str, Any]
Scope = tuple[str, int, int]
"""A cloud, a place in it, and how many snapshots are there."""


def region_of(cloud: str, place: int) -> str:
    """Return the name of the region at *place*."""
    return f"{HOMES[cloud]}-{place}"


def name_of(cloud: str, place: int, number: int) -> str:
    """Return the id of one snapshot; all ids of a cloud have the same length."""
    return f"{PREFIXES[cloud]}{place:04d}{number:08d}"


def names(scopes: Iterable[Scope]) -> Iterator[str]:
    """Yield the ids of all snapshots in *scopes*."""
    return (name_of(cloud, place, n) for cloud, place, rows in scopes for n in range(rows))


def digest(ids: Iterable[str]) -> str:
    """Return what tells one set of ids from another, in whatever order they came."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()


def checksum(total: int, snapshot_id: str) -> int:
    """Return *total* with one id added: a digest for who keeps none, whatever the order."""
    return (total + zlib.crc32(snapshot_id.encode())) & 0xFFFFFFFF


def templates(cloud: str) -> list[Row]:
    """Return different rows as the emulated *cloud* writes them, newest or oldest first."""
    from snapkit.emulator.state import RegionState

    region = RegionState(id=_PLACE)
    records = [_record(cloud, number) for number in range(_PERIOD)]
    region.add(*records)
    now = START + 400 * 86400.0
    if cloud == "alibaba":
        from snapkit_alibaba.dialect_rows import snapshot_row

        return [snapshot_row(record, _PLACE, now) for record in records]
    if cloud == "tencent":
        from snapkit_tencent.rendering import row

        return [row(record, now) for record in records]
    from snapkit_qingcloud.rendering import Chains, View

    view = View(Chains(region), now, verbose=True)
    return [view.row(record.id) for record in records]


def _record(cloud: str, number: int) -> Any:
    """Return a snapshot with what estates have: tags on some, policies, chains, expiries."""
    from snapkit.emulator.state import SnapshotRecord
    from snapkit.model import DiskRole, Origin

    full = number % 10 == 0
    first = name_of(cloud, 9999, number - number % 10)
    return SnapshotRecord(
        id=name_of(cloud, 9999, number),
        disk_id=f"d-bp1{number % _DISKS:017d}" if cloud == "alibaba" else f"disk-{number:08d}",
        size_gib=20 * (1 + number % 25),
        role=DiskRole.SYSTEM if number % 4 == 0 else DiskRole.DATA,
        zone=f"{_PLACE}-b",
        name=f"nightly-{number:04d}" if number % 7 else f"每日备份-{number:04d}",
        description="made by the nightly job" if number % 3 else "",
        started_at=START + 600.0 * number,
        stored_mib=1024 + 17 * number,
        full=full,
        parent_id=None if full else name_of(cloud, 9999, number - 1),
        root_id=first,
        origin=Origin.POLICY if number % 2 else Origin.MANUAL,
        encrypted=number % 5 == 0,
        tags={"env": "prod", "team": f"team-{number % 12}"} if number % 3 == 0 else {},
    )


def written(cloud: str, *, xml: bool = False) -> list[bytes]:
    """Return the templates as they go over the wire, each under the id of ``unnamed``."""
    found: list[bytes] = []
    for number, row in enumerate(templates(cloud)):
        text = _xml("Snapshot", row) if xml else json.dumps(row, ensure_ascii=cloud == "tencent")
        own = name_of(cloud, 9999, number)
        found.append(text.replace(own, unnamed(cloud)).encode())
    return found


def unnamed(cloud: str) -> str:
    """Return the id that stands in templates for that of the row itself."""
    return name_of(cloud, 9999, _UNNAMED)


def _xml(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_xml(name, item) for item in value)
    if isinstance(value, dict):
        inner = "".join(_xml(key, item) for key, item in value.items())
        return f"<{name}>{inner}</{name}>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{text}</{name}>"
