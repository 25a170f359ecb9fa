"""CPU time of the core's own filters, which see every row that a provider sends."""

import time
from typing import Any

import attrs

from benchmarks.estate import name_of, templates
from benchmarks.figures import Outcome, Scale, figure
from benchmarks.running import Spread
from benchmarks.scenarios.mapping import PAGE, canned_driver


def queries(rows: int) -> dict[str, dict[str, Any]]:
    """Return filters, from none to all that a careful caller would write."""
    some = [name_of("alibaba", 0, n) for n in range(0, rows, max(1, rows // 100))]
    return {
        "none": {},
        "100 ids": {"ids": some},
        "status and age": {"statuses": "available", "created_before": "2025-06-01"},
        "name pattern": {"names": "nightly-*"},
        "tag": {"tags": "team=team-3"},
        "six at once": {
            "statuses": "available",
            "created_before": "2025-12-01",
            "roles": "data",
            "largest": "200G",
            "names": "nightly-*",
            "tags": "env=prod",
        },
    }


def snapshots(count: int) -> list[Any]:
    """Return *count* snapshots made from the rows of one cloud."""
    from snapkit.query import SnapshotQuery

    rows = templates("alibaba")
    found: list[Any] = []
    for start in range(0, len(rows), PAGE):
        driver = canned_driver("alibaba", rows[start : start + PAGE])
        found += driver.list_snapshots(SnapshotQuery(), cursor=None, limit=PAGE).items
    return [
        attrs.evolve(found[number % len(found)], id=name_of("alibaba", 0, number))
        for number in range(count)
    ]


def measure(scale: Scale) -> Outcome:
    """Measure what a listing asks of each row: ``SnapshotQuery.matcher``, made once."""
    from snapkit.query import SnapshotQuery

    there = snapshots(scale.many)
    figures = []
    for name, filters in queries(scale.many).items():
        query = SnapshotQuery(**filters)
        times: list[float] = []
        for _ in range(scale.rounds):
            started = time.process_time()
            matches = query.matcher()
            found = sum(1 for one in there if matches(one))
            times.append(1e6 * (time.process_time() - started) / len(there))
        title = f"filter, {name}: CPU over {len(there):,} snapshots ({found:,} match)"
        figures.append(figure(title, Spread.of(times), "us/snapshot"))
    return Outcome(figures)
