"""snapkit by its public API: real signing, retry and rate machinery on.

The limiter works as always, but at a thousand times the documented limits, so that it counts
every call and holds none.
"""

import importlib
from collections.abc import Iterator
from typing import Any

from benchmarks.clients import Job

KEY, SECRET = "AKIDEXAMPLE", "EXAMPLE-not-a-secret"


def load(job: Job) -> None:
    """Import snapkit and the adapters of *job*."""
    from snapkit.registry import driver_class

    # The package imports its parts when they are touched.
    for name in ("client", "credentials", "fleet", "rate"):
        importlib.import_module(f"snapkit.{name}")
    for cloud in job.clouds:
        driver_class(cloud)


def rows(job: Job) -> Iterator[Any]:
    """Yield all snapshots; one scope by a client, several by a sweep."""
    import snapkit
    from snapkit.credentials import Credentials
    from snapkit.rate import Limiter

    credentials = Credentials(key_id=KEY, secret=SECRET)
    targets = [
        snapkit.Target(
            provider=cloud,
            region=region,
            endpoint=job.endpoint,
            credentials=credentials,
            ca_bundle=job.bundle or None,
            options=dict([job.style[cloud].split("=")]) if cloud in job.style else {},
        )
        for cloud, region in job.scopes
    ]
    limiter = Limiter(share=1000.0)
    if len(targets) == 1:
        with snapkit.connect(targets[0], limiter=limiter, pages_at_once=job.threads) as client:
            listing = client.snapshots()
            yield from listing
    else:
        listing = snapkit.sweep(targets, workers=job.threads, limiter=limiter)
        yield from listing
    if not listing.report.complete:
        raise SystemExit(f"incomplete: {[str(one.error) for one in listing.report.incomplete]}")


def listed(job: Job) -> list[Any]:
    """Return all snapshots."""
    return list(rows(job))


def id_of(row: Any) -> str:
    """Return the snapshot's id."""
    found: str = row.id
    return found
