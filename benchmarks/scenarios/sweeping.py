"""A sweep of 3 clouds x 10 regions x 5 pages, 80 ms an answer, over TLS, from cold.

Opening a connection takes 160 ms, TLS included, so nobody can be faster than 560 ms.
"""

from benchmarks.clients import Job
from benchmarks.estate import CLOUDS, region_of
from benchmarks.figures import Outcome, Scale, figure
from benchmarks.running import (
    FLOOR,
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

REGIONS, PAGES = 10, 5
LATENCY, OPENING = 0.08, 0.16
LEAST = OPENING + PAGES * LATENCY
FASTER, ABOVE_FLOOR = 2.6, 1.5
WHOLE_WALL, WHOLE_CPU = 3.0, 5.5


def measure(scale: Scale) -> Outcome:
    """Measure snapkit.sweep with 30 workers, and each other client in 30 threads."""
    scopes = [(cloud, place, 100 * PAGES) for cloud in CLOUDS for place in range(REGIONS)]
    places = [(cloud, region_of(cloud, place)) for cloud, place, _ in scopes]
    with Serving(scopes, latency=LATENCY, opening=OPENING, tls=True) as serving:
        jobs = {
            client: Job(
                client, serving.endpoint, places, bundle=serving.bundle, threads=len(places)
            )
            for client in (OURS, SDKS, PLAIN, FLOOR)
        }
        found = in_turn(jobs, Expected.of(scopes), scale.rounds)
    ours, sdks = found[OURS], found[SDKS]
    walls = {TITLES[client]: [run["wall"] for run in runs] for client, runs in found.items()}
    figures = [
        figure(
            "sweep: wall, official SDKs / snapkit", ratio(sdks, ours, "wall"), "x", at_least=FASTER
        ),
        figure(
            f"sweep: wall, snapkit / the floor of {LEAST * 1000:.0f} ms",
            Spread.of(walls["snapkit"]).times(1 / LEAST),
            "x",
            at_most=ABOVE_FLOOR,
        ),
        figure(
            "sweep, whole process: wall, official SDKs / snapkit",
            ratio(sdks, ours, "whole"),
            "x",
            at_least=WHOLE_WALL,
        ),
        figure(
            "sweep, whole process: CPU, official SDKs / snapkit",
            ratio(sdks, ours, "total_cpu"),
            "x",
            at_least=WHOLE_CPU,
        ),
    ]
    for title, runs in walls.items():
        figures.append(figure(f"sweep: wall of {title}", Spread.of(runs).times(1000), "ms"))
    whole = Spread.of([run["whole"] for run in ours])
    used = Spread.of([run["total_cpu"] for run in ours])
    figures.append(figure("sweep, whole process: wall of snapkit", whole.times(1000), "ms"))
    figures.append(figure("sweep, whole process: CPU of snapkit", used.times(1000), "ms"))
    return Outcome(figures, {"wall": walls, "floor": LEAST})
