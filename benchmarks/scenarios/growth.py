"""Cost as the work grows: from one thousand snapshots to a million, from one scope to 1,000.

Each series is fitted by a constant and a slope, with equal weight for equal *relative*
errors, since the sizes lie factors of ten apart.
"""

from collections.abc import Sequence
from typing import Any

from benchmarks.clients import Job
from benchmarks.estate import CLOUDS, Scope, region_of
from benchmarks.figures import Figure, Outcome, Scale, single
from benchmarks.running import OURS, Expected, run
from benchmarks.serving import Serving

PAGE = 100
WORKERS = 16
Points = list[tuple[int, float]]


def fitted(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return constant and slope of the line nearest to *points* in relative terms."""
    weights = [1 / (y * y) if y > 0 else 0.0 for _, y in points]
    total = sum(weights)
    mean_x = sum(w * x for w, (x, _) in zip(weights, points, strict=True)) / total
    mean_y = sum(w * y for w, (_, y) in zip(weights, points, strict=True)) / total
    above = sum(w * (x - mean_x) * (y - mean_y) for w, (x, y) in zip(weights, points, strict=True))
    below = sum(w * (x - mean_x) ** 2 for w, (x, _) in zip(weights, points, strict=True))
    slope = above / below if below else 0.0
    return mean_y - slope * mean_x, slope


def worst(points: Sequence[tuple[int, float]], constant: float, slope: float) -> float:
    """Return the largest part by which a point lies off the line."""
    return max(abs(y - constant - slope * x) / y for x, y in points if y > 0)


def listing(scopes: list[Scope], *, keep: bool) -> dict[str, Any]:
    """Return what listing *scopes* costs snapkit, in a fresh process."""
    places = [(cloud, region_of(cloud, place)) for cloud, place, _ in scopes]
    with Serving(scopes) as serving:
        job = Job(OURS, serving.endpoint, places, threads=WORKERS, keep=keep, warm=1000)
        return run(job, Expected.of(scopes))


def by_rows(cloud: str, sizes: Sequence[int]) -> dict[str, Points]:
    """Return CPU, wall and memory of one scope against its rows."""
    found: dict[str, Points] = {"CPU": [], "wall": [], "kept": [], "streaming": []}
    for rows in sizes:
        scopes = [(cloud, 0, rows)]
        kept, streamed = listing(scopes, keep=True), listing(scopes, keep=False)
        found["CPU"].append((rows, kept["cpu"]))
        found["wall"].append((rows, kept["wall"]))
        found["kept"].append((rows, kept["kept"] / 2**20))
        found["streaming"].append((rows, streamed["growth"] / 2**20))
    return found


def by_scopes(sizes: Sequence[int]) -> dict[str, Points]:
    """Return CPU, wall and memory of a sweep against its scopes, a page in each."""
    found: dict[str, Points] = {"CPU": [], "wall": [], "kept": []}
    for count in sizes:
        scopes = [(CLOUDS[n % len(CLOUDS)], n, PAGE) for n in range(count)]
        cost = listing(scopes, keep=True)
        found["CPU"].append((count, cost["cpu"]))
        found["wall"].append((count, cost["wall"]))
        found["kept"].append((count, cost["kept"] / 2**20))
    return found


def lines(title: str, series: dict[str, Points], what: str, per: float) -> list[Figure]:
    """Return the constants and slopes of time and kept memory."""
    constant, slope = fitted(series["CPU"])
    kept_constant, kept = fitted(series["kept"])
    unit = "us" if per == 1e6 else "ms"
    return [
        single(f"{title}: CPU for each {what}, fitted", slope * per, unit),
        single(f"{title}: CPU constant, fitted", constant * 1000, "ms"),
        single(
            f"{title}: farthest CPU point off the line",
            100 * worst(series["CPU"], constant, slope),
            "%",
        ),
        single(f"{title}: memory kept for each {what}, fitted", kept * 2**20, "B"),
        single(f"{title}: memory constant, fitted", kept_constant, "MiB"),
    ]


def measure(scale: Scale) -> Outcome:
    """Measure rows on each cloud, then scopes over all of them."""
    figures: list[Figure] = []
    data: dict[str, dict[str, Points]] = {}
    for cloud in CLOUDS:
        data[cloud] = by_rows(cloud, scale.growth)
        figures += lines(f"growth by rows, {cloud}", data[cloud], "snapshot", 1e6)
        most, streaming = data[cloud]["streaming"][-1]
        figures.append(single(f"growth by rows, {cloud}: streaming {most:,}", streaming, "MiB"))
    data["scopes"] = by_scopes(scale.scopes)
    figures += lines("growth by scopes of one page", data["scopes"], "scope", 1e3)
    return Outcome(figures, data)
