"""CPU time to list one scope at no latency, beside what a user would take instead."""

from typing import Any

from benchmarks.clients import Job
from benchmarks.estate import CLOUDS, region_of
from benchmarks.figures import Figure, Outcome, Scale, figure
from benchmarks.running import (
    FLOOR,
    LIBCLOUD,
    OURS,
    PLAIN,
    SDKS,
    TITLES,
    Expected,
    Spread,
    in_turn,
    ratio,
)
from benchmarks.serving import Serving

CHEAPER = {
    "alibaba": {10_000: 1.6, 100_000: 2.2},
    "tencent": {10_000: 2.7, 100_000: 3.1},
    "qingcloud": {10_000: 1.0, 100_000: 1.1},
}
PLAIN_SHARE = 0.7


def measure(scale: Scale) -> Outcome:
    """Measure each cloud and size, all clients in turn."""
    figures: list[Figure] = []
    data: dict[str, Any] = {}
    for rows in scale.rows:
        for cloud in CLOUDS:
            found, server = one_scope(cloud, rows, scale.rounds)
            data[f"{cloud} {rows}"] = {
                TITLES[client]: [1e6 * run["cpu"] / rows for run in runs]
                for client, runs in found.items()
            }
            figures += compared(cloud, rows, found)
            figures.append(figure(f"{cloud}, {rows:,}: CPU of the server", server, "us/page"))
    return Outcome(figures, data)


def one_scope(cloud: str, rows: int, rounds: int) -> tuple[dict[str, list[dict[str, Any]]], Spread]:
    """Return what each client cost in each round, and the server's CPU for a page."""
    scopes = [(cloud, 0, rows)]
    clients = [OURS, SDKS, PLAIN, FLOOR] + ([LIBCLOUD] if cloud == "alibaba" else [])
    with Serving(scopes, xml=cloud == "alibaba") as serving:
        place = [(cloud, region_of(cloud, 0))]
        jobs = {client: Job(client, serving.endpoint, place) for client in clients}
        serving.counts()
        before = serving.cpu()
        found = in_turn(jobs, Expected.of(scopes), rounds)
        page = 1e6 * (serving.cpu() - before) / serving.counts()["requests"]
    return found, Spread(page, page, page)


def compared(cloud: str, rows: int, found: dict[str, list[dict[str, Any]]]) -> list[Figure]:
    """Return the figures of one cloud and size."""
    said = f"{cloud}, {rows:,}: "
    ours = found[OURS]
    figures = [
        figure(
            f"{said}CPU, official SDK / snapkit",
            ratio(found[SDKS], ours, "cpu"),
            "x",
            at_least=CHEAPER[cloud].get(rows),
        ),
        figure(
            f"{said}CPU, snapkit / requests + json.loads",
            ratio(ours, found[PLAIN], "cpu"),
            "x",
            at_most=PLAIN_SHARE,
        ),
        figure(f"{said}CPU, snapkit / socket + orjson", ratio(ours, found[FLOOR], "cpu"), "x"),
    ]
    if LIBCLOUD in found:
        figures.append(
            figure(f"{said}CPU, Libcloud / snapkit", ratio(found[LIBCLOUD], ours, "cpu"), "x")
        )
    each = Spread.of([run["cpu"] / rows for run in ours]).times(1e6)
    speed = Spread.of([rows / 100 / run["wall"] for run in found[FLOOR]])
    figures.append(figure(f"{said}the server, asked by socket + orjson", speed, "pages/s"))
    return [*figures, figure(f"{said}CPU of snapkit", each, "us/snapshot")]
