"""The same sweep by threads, by processes and on Dask: what a task costs beside its work."""

import importlib
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from benchmarks.estate import KEY, SECRET, Scope, region_of
from benchmarks.figures import Figure, Outcome, Scale, single
from benchmarks.serving import Serving

WORKERS = 2
CLOUD = "alibaba"
DEEP = 3_000
"""Rows of a deep scope: thirty pages, which the limit of calls per second lets pass at once."""


def targets_of(serving: Serving) -> list[Any]:
    """Return targets without keys: an engine's workers find them where they run."""
    from snapkit.settings import Target

    return [
        Target(provider=cloud, region=region_of(cloud, place), endpoint=serving.endpoint)
        for cloud, place, _ in serving.scopes
    ]


def timed(serving: Serving, **how: Any) -> float:
    """Return the wall time of one sweep that saw everything."""
    import snapkit

    targets = targets_of(serving)
    started = time.perf_counter()
    listing = snapkit.sweep(targets, **how)
    count = sum(1 for _ in listing)
    seconds = time.perf_counter() - started
    if count != sum(rows for _, _, rows in serving.scopes) or not listing.report.complete:
        raise SystemExit(f"incomplete: {[str(one.error) for one in listing.report.incomplete]}")
    return seconds


def measure(scale: Scale) -> Outcome:
    """Measure many small scopes and a few deep ones, by two workers of each kind."""
    from snapkit.registry import driver_class

    names = driver_class(CLOUD).environment.keys[0]
    os.environ |= {names.key_id: KEY, names.secret: SECRET}
    small: list[Scope] = [(CLOUD, place, 1) for place in range(scale.tasks)]
    deep: list[Scope] = [(CLOUD, place, DEEP) for place in range(max(2, scale.tasks // 10))]
    threads = [seconds_of(scopes, workers=WORKERS) for scopes in (small, deep)]
    figures = shown("2 threads here", threads, small, deep)
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=spawning) as pool:
        figures += engine("2 processes here", pool, small, deep, threads[0])
    distributed: Any = importlib.import_module("distributed")
    cluster = distributed.LocalCluster(
        n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        executor = client.get_executor(pure=False)
        figures += engine("Dask with 2 processes", executor, small, deep, threads[0])
    return Outcome(figures)


def engine(
    title: str, executor: Any, small: list[Scope], deep: list[Scope], threads: float
) -> list[Figure]:
    """Return what *executor* costs, once it is warm, beside small scopes by *threads*."""
    seconds_of(small[:4], executor=executor)
    idle = _nothing(executor, len(small))
    found = [seconds_of(scopes, executor=executor, workers=64) for scopes in (small, deep)]
    beyond = 1e3 * (found[0] - threads) / len(small)
    return [
        single(f"{title}: a task that does nothing", 1e3 * idle / len(small), "ms"),
        *shown(title, found, small, deep),
        single(f"{title}: beyond threads, for each scope", beyond, "ms"),
    ]


def seconds_of(scopes: list[Scope], **how: Any) -> float:
    """Return the wall time of one sweep over *scopes*."""
    with Serving(scopes) as serving:
        return timed(serving, **how)


def shown(title: str, seconds: list[float], small: list[Scope], deep: list[Scope]) -> list[Figure]:
    """Return the cost of a small scope, and of a row in a deep one."""
    return [
        single(f"{title}: scope of one row", 1e3 * seconds[0] / len(small), "ms"),
        single(f"{title}: row in scopes of {DEEP:,}", 1e6 * seconds[1] / DEEP / len(deep), "us"),
    ]


def _nothing(executor: Any, tasks: int) -> float:
    started = time.perf_counter()
    for future in [executor.submit(int) for _ in range(tasks)]:
        future.result()
    return time.perf_counter() - started
