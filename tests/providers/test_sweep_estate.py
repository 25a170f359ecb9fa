"""One sweep over all emulated clouds: the same answer from threads, pools and processes."""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from snapkit.emulator import Emulator, Fault
from snapkit.errors import Failure, TransportError, UnsupportedError
from snapkit.fleet import SweepProgress, list_snapshots, sweep
from snapkit.listing import Listing, Outcome
from snapkit.model import Snapshot
from snapkit.registry import providers
from tests.estate import SECRET, estate, places

ACCOUNTS, REGIONS, ROWS = 2, 2, 130


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(estate(accounts=ACCOUNTS, regions=REGIONS, rows=ROWS)) as found:
        yield found


@pytest.fixture(autouse=True)
def no_faults(emulator: Emulator) -> None:
    emulator.faults.clear()


@pytest.fixture(scope="module")
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as found:
        yield found


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as found:
        yield found


@pytest.fixture(params=["own", "threads", "processes"])
def executor(request: pytest.FixtureRequest) -> Executor | None:
    found: Executor | None = (
        None if request.param == "own" else request.getfixturevalue(request.param)
    )
    return found


def summary(listing: Listing[Snapshot]) -> Counter[tuple[str, str, str]]:
    refs = [one.ref for one in listing]
    assert len(refs) == len(set(refs))
    return Counter((ref.provider, ref.account, ref.region) for ref in refs)


def test_every_account_and_region_arrives_whole(
    emulator: Emulator, executor: Executor | None
) -> None:
    """Wherever the work is done, and as list_snapshots would."""
    targets = places(emulator)
    listing = sweep(targets, executor=executor, ordered=True)
    found = summary(listing)

    assert ACCOUNTS * REGIONS * len(providers()) == len(found)
    assert {ROWS} == set(found.values())
    assert listing.report.complete
    assert found == summary(list_snapshots(targets))
    assert [(one.provider, one.account, one.region) for one in targets] == list(found)


@pytest.mark.faults(52, 86)
def test_a_denied_scope_is_named_and_the_rest_arrives(
    emulator: Emulator, executor: Executor | None
) -> None:
    """It never hides as an empty one; the provider's words survive the way back."""
    targets = places(emulator)
    bad = targets[0]
    emulator.faults.append(
        Fault(
            kind="refuse",
            provider=bad.provider,
            region=bad.region,
            failure=Failure.PERMISSION,
            times=None,
        )
    )
    listing = sweep(targets, executor=executor)
    found = summary(listing)
    denied = listing.report.incomplete

    assert len(targets) - ACCOUNTS == len(found)
    assert [(bad.provider, bad.region, Outcome.DENIED)] * ACCOUNTS == [
        (one.scope.provider, one.scope.region, one.outcome) for one in denied
    ]
    assert all(one.error and one.error.code and one.error.request_id for one in denied)
    assert SECRET not in f"{listing.report!r} {[str(one.error) for one in denied]}"


@pytest.mark.faults(86)
def test_raw_rows_survive_the_way_back(emulator: Emulator, executor: Executor | None) -> None:
    """The provider's own words, whole."""
    listing = sweep(places(emulator)[::3], executor=executor, keep_raw=True)

    assert all(one.raw for one in listing)
    assert listing.report.complete


def test_groups_are_swept_beside_snapshots(emulator: Emulator, executor: Executor | None) -> None:
    """Twice as many scopes; a cloud that keeps no groups says so or derives them."""
    targets = places(emulator)
    listing = sweep(targets, kinds=("snapshot", "group"), executor=executor)
    list(listing)

    assert 2 * len(targets) == len(listing.report.scopes)
    assert all(
        one.complete or isinstance(one.error, UnsupportedError) for one in listing.report.scopes
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal here")
@pytest.mark.faults(86)
def test_a_process_that_is_killed_fails_its_scope_and_no_other(emulator: Emulator) -> None:
    """A pool whose process died answers at once, and what came before is kept."""
    targets = places(emulator)
    last = targets[-1]
    emulator.faults.append(Fault(kind="hang", provider=last.provider, region=last.region, times=1))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:

        def told(progress: SweepProgress) -> None:
            if progress.done == progress.total - 1:
                for process in multiprocessing.active_children():
                    if process.pid in pids:
                        os.kill(process.pid, signal.SIGKILL)

        pids = set(pool.map(_pid, range(8)))
        listing = sweep(targets, executor=pool, on_progress=told)
        found = summary(listing)

    assert len(targets) - 1 == len(found)
    (bad,) = listing.report.incomplete
    assert isinstance(bad.error, TransportError)
    assert "the worker died" in str(bad.error)


def _pid(_: int) -> int:
    return os.getpid()
