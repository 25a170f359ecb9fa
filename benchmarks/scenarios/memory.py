"""Memory kept for each snapshot, and how it grows while many stream through."""

from benchmarks.clients import Job
from benchmarks.estate import CLOUDS, region_of
from benchmarks.figures import Figure, Outcome, Scale, figure
from benchmarks.running import OURS, SDKS, TITLES, Expected, Spread, in_turn
from benchmarks.serving import Serving

KEPT, GROWTH = 1000.0, 8.0
MIB = 2**20


def measure(scale: Scale) -> Outcome:
    """Measure resident memory in fresh processes."""
    figures: list[Figure] = []
    rows, rounds = scale.many, max(2, scale.rounds // 2)
    for cloud in CLOUDS:
        scopes, place = [(cloud, 0, rows)], [(cloud, region_of(cloud, 0))]
        expected = Expected.of(scopes)
        with Serving(scopes) as serving:
            jobs = {client: Job(client, serving.endpoint, place) for client in (OURS, SDKS)}
            kept = in_turn(jobs, expected, rounds)
            job = Job(OURS, serving.endpoint, place, keep=False, warm=rows // 10)
            streamed = in_turn({OURS: job}, expected, rounds)[OURS]
        for client, runs in kept.items():
            each = Spread.of([run["kept"] / rows for run in runs])
            name = f"{cloud}, {rows:,}: memory kept by {TITLES[client]}"
            limit = KEPT if client == OURS else None
            figures.append(figure(name, each, "B/snapshot", at_most=limit))
        growth = Spread.of([run["growth"] for run in streamed]).times(1 / MIB)
        name = f"{cloud}, {rows:,}: growth while streaming, after the first tenth"
        figures.append(figure(name, growth, "MiB", at_most=GROWTH))
    return Outcome(figures)
