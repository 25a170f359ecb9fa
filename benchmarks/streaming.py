"""Memory while 100,000 snapshots of one scope stream through or are collected, on each cloud."""

import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import attrs

from snapkit.client import connect
from snapkit.credentials import Credentials
from snapkit.emulator import Emulator, World
from snapkit.emulator.state import AccountState, SnapshotRecord
from snapkit.model import Snapshot
from snapkit.rate import Limiter
from snapkit.registry import driver_class, providers
from snapkit.settings import Target

KEY, SECRET = "AKIDEXAMPLE", "EXAMPLE-not-a-secret"
ROWS = 100_000
WARM = 10_000


def rss_bytes() -> int:
    """Return the memory that this process holds now (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096


def serve(provider: str, rows: int, pipe: Connection) -> None:
    """Serve *rows* snapshots of one region until the pipe closes; send the endpoint first."""
    account = AccountState(provider=provider, key_id=KEY, secret=SECRET)
    region = account.region(driver_class(provider).home_region)
    start = time.time() - 400 * 86400
    for number in range(rows):
        region.add(
            SnapshotRecord(
                id=f"s-{number:08d}",
                disk_id=f"d-{number % 997:06d}",
                size_gib=40,
                name=f"nightly-{number}",
                started_at=start + number,
            )
        )
    with Emulator(World(accounts=[account])) as emulator:
        pipe.send(emulator.endpoint)
        pipe.recv()


def targets(provider: str, rows: int) -> Iterator[Target]:
    """Yield the one target of an emulator in another process."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(provider, rows, theirs), daemon=True)
    process.start()
    theirs.close()
    yield Target(
        provider=provider,
        region=driver_class(provider).home_region,
        endpoint=ours.recv(),
        credentials=Credentials(key_id=KEY, secret=SECRET),
    )
    ours.send(None)
    process.join()


def measured(target: Target, *, collected: bool, keep_raw: bool = False) -> str:
    """Return how memory grew between the first and the last tenth of the rows, as a line."""
    limiter = attrs.evolve(Limiter(), share=1000.0)
    started, count, warm = time.perf_counter(), 0, 0
    kept: list[Snapshot] = []
    with connect(target, limiter=limiter, keep_raw=keep_raw) as client:
        for one in client.snapshots():
            count += 1
            if collected:
                kept.append(one)
            if count == WARM:
                warm = rss_bytes()
    seconds, growth = time.perf_counter() - started, rss_bytes() - warm
    how = "collected" if collected else "streamed"
    return (
        f"{how + (', with raw' if keep_raw else ''):20} {count:,} rows in {seconds:6.1f} s;"
        f" growth after the first {WARM:,}: {growth / 2**20:6.1f} MiB"
        f" ({growth / (ROWS - WARM):,.0f} bytes a row)"
    )


def tell(target: Target, collected: bool, keep_raw: bool) -> None:
    """Print the line of one run; in a process of its own, so that it starts with nothing."""
    line = measured(target, collected=collected, keep_raw=keep_raw)
    print(f"  {target.provider:10} {line}", flush=True)


def main() -> None:
    """Print the growth while rows stream through, and while they are collected in a list."""
    print(f"streaming {ROWS:,} snapshots, resident memory of the listing process")
    for provider in providers():
        for target in targets(provider, ROWS):
            for collected, keep_raw in ((False, False), (True, False), (True, True)):
                # Forked, because keys do not travel to a process that is started anew.
                fork = multiprocessing.get_context("fork")
                run = fork.Process(target=tell, args=(target, collected, keep_raw))
                run.start()
                run.join()


if __name__ == "__main__":
    main()
