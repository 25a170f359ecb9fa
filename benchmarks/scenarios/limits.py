"""A sweep of 64 threads against an emulated limit, in real time: kept, and found where it is half.

The ideal is what the limit allows: the burst at once, then a call for each turn. Pages are
small so that a small estate takes many calls. The emulator runs in a process of its own.
"""

import multiprocessing
import time
from multiprocessing.connection import Connection

import attrs

from benchmarks.estate import KEY, SECRET
from benchmarks.figures import Figure, Outcome, Scale, single
from snapkit.credentials import Credentials
from snapkit.emulator import Emulator, Throttle, World
from snapkit.emulator.state import AccountState, SnapshotRecord
from snapkit.fleet import list_snapshots
from snapkit.rate import SHARE, Limiter, Rate
from snapkit.registry import driver_class, providers
from snapkit.settings import Target

RATE = Rate(per_second=100, burst=50, regional=False)
"""Faster than any of the clouds, so that a run takes seconds; over all regions of the account."""
THREADS, REGIONS, ROWS, PAGE = 64, 64, 150, 10


def serve(provider: str, part: float, pipe: Connection) -> None:
    """Serve an account whose limit is *part* of RATE until the pipe closes; tell the calls then."""
    account = AccountState(provider=provider, key_id=KEY, secret=SECRET)
    real = RATE.part(part)
    account.throttle = Throttle(
        per_second=real.per_second, burst=real.burst, regional=real.regional
    )
    start = time.time() - 400 * 86400
    for place in range(REGIONS):
        account.region(f"{driver_class(provider).home_region}-{place}").add(
            *(
                SnapshotRecord(
                    id=f"s-{place:02d}{row:06d}",
                    disk_id=f"d-{row:06d}",
                    size_gib=40,
                    started_at=start + row,
                )
                for row in range(ROWS)
            )
        )
    with Emulator(World(accounts=[account])) as emulator:
        pipe.send([attrs.evolve(target, credentials=None) for target in emulator.targets()])
        pipe.recv()
        pipe.send((account.throttle.admitted, account.throttle.refused))


def once(provider: str, part: float) -> tuple[int, int, float]:
    """Return the calls, those refused, and the time against what the limit allows."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(provider, part, theirs), daemon=True)
    process.start()
    theirs.close()
    keys = Credentials(key_id=KEY, secret=SECRET)
    targets: list[Target] = [attrs.evolve(one, credentials=keys) for one in ours.recv()]
    started = time.perf_counter()
    listing = list_snapshots(targets, workers=THREADS, limiter=Limiter())
    count, seconds = sum(1 for _ in listing), time.perf_counter() - started
    ours.send(None)
    calls, refused = ours.recv()
    process.join()
    if not listing.report.complete or count != REGIONS * ROWS:
        raise SystemExit(f"incomplete: {count} rows")
    allowed = RATE.part(min(part, SHARE))
    ideal = (calls - (allowed.burst or 0.0)) / allowed.per_second
    return calls, refused, seconds / ideal


def measure(scale: Scale) -> Outcome:
    """Sweep each cloud at the limit that snapkit assumes, and at less than half of it."""
    del scale
    figures: list[Figure] = []
    for provider in providers():
        driver = driver_class(provider)
        before = driver.rates, driver.limits
        driver.rates = {"": RATE}
        driver.limits = attrs.evolve(driver.limits, page=PAGE)
        try:
            for part in (1.0, SHARE / 2):
                calls, refused, against = once(provider, part)
                name = f"limits, {provider}, {THREADS} threads at {part * RATE.per_second:g}/s"
                goal = 0.0 if part == 1.0 else None
                figures += [
                    single(f"{name}: calls", calls),
                    single(f"{name}: refused", refused, at_most=goal),
                    single(f"{name}: time / ideal", against, "x"),
                ]
        finally:
            driver.rates, driver.limits = before
    return Outcome(figures)
