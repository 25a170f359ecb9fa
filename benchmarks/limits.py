"""A sweep of 64 threads against an emulated limit, in real time: kept, and found where it is half.

The ideal is what the limit allows: the burst at once, then a call for each turn. Pages are
small so that a small estate takes many calls. The emulator runs in a process of its own.
"""

import multiprocessing
import time
from multiprocessing.connection import Connection

import attrs

from benchmarks.streaming import KEY, SECRET
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


def once(provider: str, part: float) -> str:
    """Return what one sweep took, as a line."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(provider, part, theirs), daemon=True)
    process.start()
    theirs.close()
    keys = Credentials(key_id=KEY, secret=SECRET)
    targets: list[Target] = [attrs.evolve(one, credentials=keys) for one in ours.recv()]
    limiter, started = Limiter(), time.perf_counter()
    listing = list_snapshots(targets, workers=THREADS, limiter=limiter)
    count, seconds = sum(1 for _ in listing), time.perf_counter() - started
    ours.send(None)
    calls, refused = ours.recv()
    process.join()
    if not listing.report.complete or count != REGIONS * ROWS:
        raise SystemExit(f"incomplete: {count} rows")
    allowed = RATE.part(min(part, SHARE))
    ideal = (calls - (allowed.burst or 0.0)) / allowed.per_second
    (bucket,) = limiter.buckets.values()
    return (
        f"{calls:5} calls, {refused:3} throttled, {seconds:6.2f} s; the limit allows {ideal:6.2f} s"
        f" ({seconds / ideal:.2f} x); rate at the end {bucket.rate:5.1f}/s"
    )


def main() -> None:
    """Print both sweeps for each provider."""
    assumed = RATE.per_second
    print(
        f"limits: {THREADS} threads over {REGIONS} regions of one account, snapkit assumes"
        f" {assumed:g} calls/s (burst {RATE.burst:g}) and uses {SHARE * assumed:g}"
    )
    for provider in providers():
        driver = driver_class(provider)
        before = driver.rates, driver.limits
        driver.rates = {"": RATE}
        driver.limits = attrs.evolve(driver.limits, page=PAGE)
        try:
            for part in (1.0, SHARE / 2):
                print(f"  {provider:10} real {part * assumed:5.1f}/s: {once(provider, part)}")
        finally:
            driver.rates, driver.limits = before


if __name__ == "__main__":
    main()
