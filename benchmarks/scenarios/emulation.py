"""How fast the emulator is, which checks signatures and renders every row anew."""

import multiprocessing
import resource
import time
from multiprocessing.connection import Connection

from benchmarks.clients import Job, ours
from benchmarks.estate import CLOUDS, KEY, SECRET, START, region_of
from benchmarks.figures import Figure, Outcome, Scale, figure
from benchmarks.running import Spread


def serve(cloud: str, rows: int, pipe: Connection) -> None:
    """Serve *rows* snapshots of one region; each message is answered by the CPU used."""
    from snapkit.emulator import Emulator, World
    from snapkit.emulator.state import AccountState, SnapshotRecord

    account = AccountState(provider=cloud, key_id=KEY, secret=SECRET)
    account.region(region_of(cloud, 0)).add(
        *(
            SnapshotRecord(
                id=f"s-{number:08d}",
                disk_id=f"d-{number % 997:06d}",
                size_gib=40,
                name=f"nightly-{number}",
                started_at=START + number,
            )
            for number in range(rows)
        )
    )
    with Emulator(World(accounts=[account])) as emulator:
        pipe.send(emulator.endpoint)
        while pipe.recv():
            used = resource.getrusage(resource.RUSAGE_SELF)
            pipe.send(used.ru_utime + used.ru_stime)


def measure(scale: Scale) -> Outcome:
    """Measure listings by snapkit of the smallest number of rows, each cloud by itself."""
    figures: list[Figure] = []
    rows = scale.rows[0]
    for cloud in CLOUDS:
        mine, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(cloud, rows, theirs), daemon=True
        )
        process.start()
        job = Job("", mine.recv(), [(cloud, region_of(cloud, 0))])
        walls, used = listings(job, rows, mine, scale.rounds)
        mine.send(False)
        process.join()
        pages = rows / 100
        figures += [
            figure(
                f"emulator, {cloud}: pages listed by snapkit",
                Spread.of([pages / wall for wall in walls]),
                "pages/s",
            ),
            figure(
                f"emulator, {cloud}: its own CPU", Spread.of(used).times(1000 / pages), "ms/page"
            ),
        ]
    return Outcome(figures)


def listings(job: Job, rows: int, pipe: Connection, rounds: int) -> tuple[list[float], list[float]]:
    """Return wall time and the emulator's CPU of each listing."""
    walls: list[float] = []
    used: list[float] = []
    for _ in range(rounds):
        pipe.send(True)
        before, started = pipe.recv(), time.perf_counter()
        count = sum(1 for _ in ours.rows(job))
        walls.append(time.perf_counter() - started)
        pipe.send(True)
        used.append(pipe.recv() - before)
        if count != rows:
            raise SystemExit(f"the emulator gave {count} of {rows} rows")
    return walls, used
