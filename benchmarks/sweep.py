"""A sweep over 3 emulated clouds x 10 regions x 4 accounts, each answer 50 ms away.

The floor is what no client can be faster than: the longest chain of pages of one scope, one
after the other, at that latency. The emulator runs in a process of its own.
"""

import multiprocessing
import time
from collections import Counter
from multiprocessing.connection import Connection

import attrs

from benchmarks.streaming import SECRET
from snapkit.credentials import Credentials
from snapkit.emulator import Emulator, World
from snapkit.emulator.state import AccountState, SnapshotRecord
from snapkit.fleet import sweep
from snapkit.listing import Report
from snapkit.rate import Limiter
from snapkit.registry import driver_class, providers
from snapkit.settings import Target

ACCOUNTS, REGIONS, ROWS = 4, 10, 150
LATENCY = 0.05
CROWDS = (1, 16, 64, 120)
ROUNDS = 3


def world() -> World:
    """Return the estate: each account has ROWS snapshots in each of its regions."""
    found = World()
    start = time.time() - 400 * 86400
    for provider in providers():
        for number in range(ACCOUNTS):
            account = AccountState(
                provider=provider,
                key_id=f"AKIDaccount-{number}",
                secret=SECRET,
                label=f"account-{number}",
            )
            found.accounts.append(account)
            for place in range(REGIONS):
                account.region(f"{driver_class(provider).home_region}-{place}").add(
                    *(
                        SnapshotRecord(
                            id=f"s-{number}{place}{row:06d}",
                            disk_id=f"d-{row:06d}",
                            size_gib=40,
                            name=f"nightly-{row}",
                            started_at=start + row,
                        )
                        for row in range(ROWS)
                    )
                )
    return found


def serve(pipe: Connection) -> None:
    """Serve the estate until the pipe closes; send its targets first."""
    with Emulator(world(), latency=LATENCY) as emulator:
        pipe.send([attrs.evolve(target, credentials=None) for target in emulator.targets()])
        pipe.recv()


def once(targets: list[Target], workers: int, limiter: Limiter) -> tuple[float, float, Report]:
    """Return how long one sweep takes, how much of that this process computes, and its report."""
    started, busy = time.perf_counter(), time.process_time()
    listing = sweep(targets, workers=workers, limiter=limiter)
    count = sum(1 for _ in listing)
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    if not listing.report.complete or count != ROWS * len(targets):
        raise SystemExit(f"incomplete: {Counter(one.outcome for one in listing.report.scopes)}")
    return seconds, busy, listing.report


def main() -> None:
    """Print the wall time of one after the other, and side by side, against the floor."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    targets = [
        attrs.evolve(target, credentials=Credentials(key_id=f"AKID{target.account}", secret=SECRET))
        for target in ours.recv()
    ]
    print(
        f"sweep of {len(targets)} scopes, {ROWS * len(targets):,} snapshots,"
        f" {LATENCY * 1000:.0f} ms an answer; best of {ROUNDS}"
    )
    floor = alone = 0.0
    for workers in CROWDS:
        runs = [
            once(targets, workers, Limiter(share=1000.0))
            for _ in range(ROUNDS if workers > 1 else 1)
        ]
        seconds, busy, report = min(runs, key=lambda run: run[0])
        if workers == 1:
            pages = max(scope.pages for scope in report.scopes)
            floor, alone = pages * LATENCY, seconds
            print(f"  floor: {pages} pages one after the other   {floor:6.2f} s")
        name = "a sequential loop" if workers == 1 else f"{workers} threads"
        print(
            f"  {name:33} {seconds:6.2f} s; {seconds / floor:6.1f} x the floor,"
            f" {alone / seconds:5.1f} x as fast as the loop; CPU here {busy:5.2f} s"
        )
    seconds, *_ = once(targets, 64, Limiter())
    print(f"  {'64 threads, documented rate limits':33} {seconds:6.2f} s")
    ours.send(None)
    process.join()


if __name__ == "__main__":
    main()
