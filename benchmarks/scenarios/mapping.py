"""CPU time from a parsed row to a Snapshot, the whole model, without any HTTP."""

import json
import time
from collections.abc import Mapping
from typing import Any

import attrs

from benchmarks.estate import CLOUDS, KEY, SECRET, region_of, templates
from benchmarks.figures import Outcome, Scale, figure
from benchmarks.running import Spread

EACH = 8.0
PAGE = 100
_REPEATS = 100


class Canned:
    """A transport that has the answer already."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        self.payload = payload

    def call(self, *_: object) -> Mapping[str, Any]:
        """Return the answer."""
        return self.payload


def payload_of(cloud: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a driver gets to read for *rows*, as fresh objects."""
    wrapped = {
        "alibaba": {"Snapshots": {"Snapshot": rows}, "NextToken": "more", "TotalCount": 0},
        "tencent": {"SnapshotSet": rows, "TotalCount": len(rows)},
        "qingcloud": {"snapshot_set": rows, "total_count": len(rows)},
    }[cloud]
    found: dict[str, Any] = json.loads(json.dumps(wrapped))
    return found


def canned_driver(cloud: str, rows: list[dict[str, Any]]) -> Any:
    """Return a driver of *cloud* whose every answer holds *rows*."""
    from snapkit.credentials import Credentials
    from snapkit.settings import Target, open_driver

    target = Target(
        provider=cloud,
        region=region_of(cloud, 0),
        endpoint="http://127.0.0.1:9",
        credentials=Credentials(key_id=KEY, secret=SECRET),
    )
    driver = open_driver(target)
    canned: Any = Canned(payload_of(cloud, rows))
    return type(driver)(attrs.evolve(driver.connection, transport=canned))


def each_us(cloud: str, rounds: int) -> list[float]:
    """Return the microseconds for a row, once for each round."""
    from snapkit.query import SnapshotQuery

    driver, query = canned_driver(cloud, templates(cloud)[:PAGE]), SnapshotQuery()
    found: list[float] = []
    for _ in range(rounds + 1):
        started = time.process_time()
        for _ in range(_REPEATS):
            page = driver.list_snapshots(query, cursor=None, limit=PAGE)
        found.append(1e6 * (time.process_time() - started) / _REPEATS / PAGE)
        if len(page.items) != PAGE:
            raise SystemExit(f"{cloud}: {len(page.items)} of {PAGE} rows were understood")
    return found[1:]


def measure(scale: Scale) -> Outcome:
    """Measure each cloud's driver over the same page again and again."""
    figures = [
        figure(
            f"{cloud}: CPU, row -> Snapshot",
            Spread.of(each_us(cloud, max(5, scale.rounds))),
            "us/row",
            at_most=EACH,
        )
        for cloud in CLOUDS
    ]
    return Outcome(figures)
