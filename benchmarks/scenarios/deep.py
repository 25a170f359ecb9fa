"""One deep region whose pages can be counted: 100 pages at 80 ms, the limiter out of the way.

The floor is one page, then all others over 16 connections, which is what snapkit is allowed
too. A listing by token can only go one page after the other, so Alibaba is asked by page
number here.
"""

import math

from benchmarks.clients import Job
from benchmarks.estate import CLOUDS, region_of
from benchmarks.figures import Figure, Outcome, Scale, figure
from benchmarks.running import FLOOR, OURS, SDKS, TITLES, Expected, Spread, in_turn, run
from benchmarks.serving import Serving

LATENCY = 0.08
CONNECTIONS = 16
ABOVE_FLOOR = 1.5
BY_NUMBER = {"alibaba": "paging=number"}


def measure(scale: Scale) -> Outcome:
    """Measure each cloud by itself; the SDKs, one page after the other, only once."""
    figures: list[Figure] = []
    data: dict[str, dict[str, list[float]]] = {}
    least = LATENCY * (1 + math.ceil((scale.deep_pages - 1) / CONNECTIONS))
    for cloud in CLOUDS:
        scopes = [(cloud, 0, 100 * scale.deep_pages)]
        expected = Expected.of(scopes)
        place = [(cloud, region_of(cloud, 0))]
        with Serving(scopes, latency=LATENCY) as serving:
            jobs = {
                client: Job(client, serving.endpoint, place, threads=threads, style=BY_NUMBER)
                for client, threads in ((OURS, CONNECTIONS), (FLOOR, CONNECTIONS))
            }
            found = in_turn(jobs, expected, scale.rounds)
            sdk = run(Job(SDKS, serving.endpoint, place, style=BY_NUMBER), expected)
        walls = {TITLES[client]: [one["wall"] for one in runs] for client, runs in found.items()}
        data[cloud] = walls | {TITLES[SDKS]: [sdk["wall"]]}
        ours = Spread.of(walls["snapkit"])
        figures += [
            figure(
                f"deep region, {cloud}: wall, snapkit / the floor of {least * 1000:.0f} ms",
                ours.times(1 / least),
                "x",
                at_most=ABOVE_FLOOR,
            ),
            figure(f"deep region, {cloud}: wall of snapkit", ours.times(1000), "ms"),
            figure(
                f"deep region, {cloud}: wall of socket + orjson, {CONNECTIONS} connections",
                Spread.of(walls["socket + orjson"]).times(1000),
                "ms",
            ),
            figure(
                f"deep region, {cloud}: wall of the official SDK",
                Spread.of([sdk["wall"]]).times(1000),
                "ms",
            ),
        ]
    return Outcome(figures, data)
