"""A sweep on a real Dask cluster of two worker processes on this machine."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from snapkit.emulator import Emulator, Fault
from snapkit.errors import TransportError
from snapkit.fleet import SweepProgress, sweep
from snapkit.listing import Listing
from snapkit.model import Snapshot
from tests.estate import estate, places

pytestmark = pytest.mark.xdist_group("dask")
distributed: Any = pytest.importorskip("distributed")
ACCOUNTS, REGIONS, ROWS = 2, 2, 120


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(estate(accounts=ACCOUNTS, regions=REGIONS, rows=ROWS)) as found:
        yield found


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    )
    with cluster, distributed.Client(cluster) as found:
        yield found


def counted(listing: Listing[Snapshot]) -> Counter[tuple[str, str, str]]:
    refs = [one.ref for one in listing]
    assert len(refs) == len(set(refs))
    return Counter((ref.provider, ref.account, ref.region) for ref in refs)


def killing(client: Any) -> Callable[[SweepProgress], None]:
    """Return what kills the worker of the last scope, when all others have ended."""
    pids: dict[str, int] = client.run(os.getpid)

    def told(progress: SweepProgress) -> None:
        if progress.done == progress.total - 1 and pids:
            (busy,) = [address for address, keys in client.processing().items() if keys]
            os.kill(pids[busy], signal.SIGKILL)
            pids.clear()

    return told


@pytest.mark.faults(86)
def test_a_sweep_on_dask_is_the_same_as_here(emulator: Emulator, client: Any) -> None:
    """Rows, order and report."""
    targets = places(emulator)
    listing = sweep(targets, executor=client.get_executor(pure=False), ordered=True)
    found = counted(listing)

    assert [(one.provider, one.account, one.region) for one in targets] == list(found)
    assert {ROWS} == set(found.values())
    assert listing.report.complete


@pytest.mark.faults(86)
def test_a_worker_killed_in_mid_run_costs_no_row(emulator: Emulator, client: Any) -> None:
    """Dask gives its task to another worker, and a task that is done twice counts once."""
    targets = places(emulator)
    last = targets[-1]
    fault = Fault(kind="hang", provider=last.provider, region=last.region, times=1)
    emulator.faults.append(fault)
    listing = sweep(targets, executor=client.get_executor(pure=False), on_progress=killing(client))
    found = counted(listing)

    assert 0 == fault.times
    assert (len(targets), {ROWS}) == (len(found), set(found.values()))
    assert listing.report.complete


@pytest.mark.faults(86)
def test_a_task_that_dask_gives_up_is_a_failed_scope(emulator: Emulator, client: Any) -> None:
    """The scope is named, with a sentence, and the others have arrived."""
    client.wait_for_workers(2)
    client.cluster.scheduler.allowed_failures = 0
    targets = places(emulator)
    last = targets[-1]
    emulator.faults.append(Fault(kind="hang", provider=last.provider, region=last.region, times=1))
    listing = sweep(targets, executor=client.get_executor(pure=False), on_progress=killing(client))
    found = counted(listing)

    assert len(targets) - 1 == len(found)
    (bad,) = listing.report.incomplete
    assert isinstance(bad.error, TransportError)
    assert "the worker died: KilledWorker" in str(bad.error)
