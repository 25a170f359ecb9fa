"""One client in a process of its own: ``python -m benchmarks.child JOB``.

Prints one line of JSON: what it cost after the imports, and in all since the process began,
then how many rows it had and what they were. CPU is user and system time.
"""

import gc
import importlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.clients import Job
from benchmarks.estate import checksum, digest


def cpu() -> float:
    """Return the CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def resident() -> int:
    """Return the memory that this process holds now, in bytes (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize()


def settled() -> int:
    """Return the memory that is held when what can be given back has been."""
    import ctypes

    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return resident()


def keeping(client: Any, job: Job) -> dict[str, Any]:
    """Return what listing everything costs, all rows in memory at the end."""
    before = settled()
    started, busy = time.monotonic(), cpu()
    rows = client.listed(job)
    ended, total = time.monotonic(), cpu()
    found = {"wall": ended - started, "cpu": total - busy, "ended": ended, "total_cpu": total}
    kept = settled() - before
    ids = [client.id_of(row) for row in rows]
    distinct = set(ids)
    return found | {
        "kept": kept,
        "count": len(ids),
        "distinct": len(distinct),
        "digest": digest(distinct),
    }


def streaming(client: Any, job: Job) -> dict[str, Any]:
    """Return what listing everything costs when no row is kept."""
    count = total = warm = highest = 0
    started, busy = time.monotonic(), cpu()
    for row in client.rows(job):
        count += 1
        total = checksum(total, client.id_of(row))
        if count % 1000 == 0:
            highest = max(highest, resident())
            warm = highest if count <= job.warm else warm
    ended, used = time.monotonic(), cpu()
    return {
        "wall": ended - started,
        "cpu": used - busy,
        "ended": ended,
        "total_cpu": used,
        "growth": max(0, highest - warm) if warm else 0,
        "count": count,
        "checksum": total,
    }


def main() -> None:
    """Do the job that is the first argument."""
    given = json.loads(sys.argv[1])
    job = Job(**given | {"scopes": [tuple(one) for one in given["scopes"]]})
    started, busy = time.monotonic(), cpu()
    client: Any = importlib.import_module(job.client)
    client.load(job)
    imports = {"import_wall": time.monotonic() - started, "import_cpu": cpu() - busy}
    found = keeping(client, job) if job.keep else streaming(client, job)
    print(json.dumps(imports | found))


if __name__ == "__main__":
    main()
