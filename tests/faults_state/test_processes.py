"""Processes that are killed, interrupted, out of room or kept waiting; pools that carry errors."""

import json
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from snapkit.cli.emulator import settings
from snapkit.driver import Capability
from snapkit.emulator import Answer, Emulator, Fault, Request
from snapkit.errors import Failure, SnapkitError
from snapkit.fleet import sweep
from snapkit.listing import Outcome
from snapkit.registry import providers
from snapkit.testing.emulated import EmulatedHarness
from snapkit.testing.harness import many
from tests.estate import estate, places
from tests.faults_state.test_changes import WRITING
from tests.providers.harnesses import STYLES

ROOT = Path(__file__).resolve().parents[2]
SNAPKIT = [sys.executable, "-m", "snapkit"]
PATIENCE = 60


def environment(emulator: Emulator) -> dict[str, str]:
    """Return the environment of a child that reaches *emulator* and finds this tree."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "providers")])
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    own = {"PYTHONPATH": path, "PYTHONUTF8": "1"}
    # A child that may write little would leave cut bytecode in this tree.
    return kept | settings(emulator) | own | {"PYTHONDONTWRITEBYTECODE": "1"}


@pytest.fixture(params=WRITING)
def harness(request: pytest.FixtureRequest) -> Iterator[EmulatedHarness]:
    make: Callable[[], EmulatedHarness] = STYLES[request.param]
    with make() as found:
        yield found


@pytest.fixture(scope="module")
def whole() -> Iterator[Emulator]:
    with Emulator(estate(accounts=1, regions=2, rows=120)) as found:
        yield found


@pytest.fixture
def emulator(whole: Emulator) -> Iterator[Emulator]:
    whole.faults.clear()
    yield whole
    whole.faults.clear()


def place(harness: EmulatedHarness) -> str:
    return f"{harness.provider}:{harness.account}@{harness.region}"


MAKER = """
import sys
from snapkit.client import connect
from snapkit.testing.harness import patient_clock

client = connect(sys.argv[1], clock=patient_clock())
client.create_group(instance_id=sys.argv[2], key="nightly")
"""


@pytest.mark.faults(75)
def test_a_group_whose_maker_was_killed_is_found_by_the_next_run(
    harness: EmulatedHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed when the cloud has made it and nobody was told: five members, and no extra."""
    emulator = harness.emulator
    harness.add_disks(1, 2, 3, 4, 5)
    acted, over = threading.Event(), threading.Event()
    respond = emulator.respond

    def holding(request: Request) -> tuple[Answer | None, bool]:
        answer = respond(request)
        if harness.sent(Capability.CREATE_GROUP) and not acted.is_set():
            acted.set()
            over.wait(PATIENCE)
        return answer

    monkeypatch.setattr(emulator, "respond", holding)
    server = harness.server_id(1)
    with subprocess.Popen(
        [sys.executable, "-c", MAKER, place(harness), server],
        env=environment(emulator),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        came = acted.wait(PATIENCE)
        child.kill()
        killed = child.wait(PATIENCE)
    over.set()
    made = harness.living()
    harness.advance(60)
    with harness.client() as client:
        again = client.create_group(instance_id=server, key="nightly")
        groups = list(client.groups())

    assert (True, -signal.SIGKILL, 5) == (came, killed, len(made))
    assert made == harness.living()
    assert [made] == [sorted(member.id for member in group.members) for group in groups]
    assert [again.id] == [group.id for group in groups]


def limited(size: int) -> Callable[[], None]:
    """Return what lets a child write files of *size* bytes at most."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.faults(84)
@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv", "yaml"])
def test_a_disk_that_fills_up_is_one_sentence_and_code_one(
    emulator: Emulator, tmp_path: Path, form: str
) -> None:
    """Half a file must not look like a whole one."""
    with (tmp_path / "out").open("w") as out:
        ended = subprocess.run(
            [*SNAPKIT, "list", "-q", "-o", form],
            env=environment(emulator),
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=PATIENCE,
            preexec_fn=limited(4096),
        )

    assert 1 == ended.returncode
    assert ["snapkit: error: input or output: File too large"] == ended.stderr.splitlines()
    assert 4096 >= (tmp_path / "out").stat().st_size


PARQUET = """
import resource, sys
from datetime import date
from snapkit.tables import write_parquet
from tests.core.moon import snapshot

rows = [snapshot(number) for number in range(2000)]
write_parquet(rows[:10], sys.argv[1], day=date(2026, 3, 1))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_parquet(rows, sys.argv[1], day=date(2026, 3, 1))
except OSError as error:
    sys.exit(f"told: {type(error).__name__}")
"""


@pytest.mark.faults(84)
def test_a_file_that_did_not_fit_leaves_the_one_of_before_and_no_other(
    emulator: Emulator, tmp_path: Path
) -> None:
    """Tonight's report fails; yesterday's is still whole, and no half of a file is beside it."""
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    ended = subprocess.run(
        [sys.executable, "-c", PARQUET, str(tmp_path)],
        env=environment(emulator),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    files = [one for one in tmp_path.rglob("*") if one.is_file()]

    assert (1, "told: OSError") == (ended.returncode, ended.stderr.strip())
    assert ["snapshots.parquet"] == [one.name for one in files]
    assert 10 == parquet.read_table(files[0]).num_rows


@pytest.mark.faults(84)
def test_a_configuration_that_did_not_fit_leaves_nothing(
    emulator: Emulator, tmp_path: Path
) -> None:
    """An empty file would be taken for one without profiles."""
    ended = subprocess.run(
        [*SNAPKIT, "config", "init"],
        env=environment(emulator) | {"SNAPKIT_CONFIG": str(tmp_path / "here" / "config.toml")},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        preexec_fn=limited(8),
    )

    assert 1 == ended.returncode, ended.stderr
    assert "Traceback" not in ended.stderr
    assert [] == [one for one in tmp_path.rglob("*") if one.is_file()]


@pytest.mark.faults(84)
@pytest.mark.parametrize("form", ["table", "yaml", "json", "ndjson", "csv"])
def test_a_reader_that_is_gone_before_the_first_row_ends_it_quietly(
    emulator: Emulator, form: str
) -> None:
    """`snapkit list | true` is no reason for a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        [*SNAPKIT, "list", "-q", "-o", form],
        env=environment(emulator),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        os.close(writing)
        _, said = child.communicate(timeout=PATIENCE)

    assert (141, "") == (child.returncode, said)


@pytest.mark.faults(84)
@pytest.mark.parametrize(
    ("verb", "number"),
    [
        ("wait", signal.SIGINT),
        ("wait", signal.SIGTERM),
        ("delete", signal.SIGINT),
        ("create", signal.SIGTERM),
    ],
)
def test_an_interrupt_ends_what_waits_with_code_130(
    harness: EmulatedHarness, verb: str, number: int
) -> None:
    """Whatever the cloud does at that moment; and it says nothing that looks like a bug."""
    (found,) = harness.add(*many(1))
    (disk,) = harness.add_disks(5)
    ref = f"{place(harness)}/{found}"
    words = {
        "wait": ["wait", ref, "--until", "gone"],
        "delete": ["delete", ref, "--yes"],
        "create": ["create", place(harness), disk, "--key", "nightly"],
    }[verb]
    hang = Fault(kind="hang", times=1000)
    harness.emulator.faults.append(hang)
    with subprocess.Popen(
        [*SNAPKIT, *words],
        env=environment(harness.emulator),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        end = time.monotonic() + PATIENCE
        while hang.times == 1000 and time.monotonic() < end:
            time.sleep(0.01)
        child.send_signal(number)
        _, said = child.communicate(timeout=PATIENCE)

    assert 130 == child.returncode, said
    assert "Traceback" not in said


@pytest.mark.faults(85)
@pytest.mark.parametrize("provider", providers())
def test_one_target_that_hangs_does_not_hold_the_others(emulator: Emulator, provider: str) -> None:
    """The rest is there by the deadline, and the one that is missing is named."""
    targets = places(emulator)
    slow = next(one for one in targets if one.provider == provider)
    emulator.faults.append(Fault(kind="hang", provider=provider, region=slow.region, times=None))
    began = time.monotonic()
    listing = sweep(targets, timeout=1.0)
    found = list(listing)
    took = time.monotonic() - began
    (bad,) = listing.report.incomplete

    assert 120 * (len(targets) - 1) == len(found)
    assert (provider, slow.region) == (bad.scope.provider, bad.scope.region)
    assert Outcome.TIMED_OUT is bad.outcome
    assert 5 > took


@pytest.mark.faults(85)
@pytest.mark.parametrize("provider", providers())
def test_a_hanging_target_is_code_three_and_the_rows_of_the_others(
    emulator: Emulator, provider: str
) -> None:
    """At the command line, in a process of its own."""
    emulator.faults.append(Fault(kind="hang", provider=provider, times=None))
    ended = subprocess.run(
        [*SNAPKIT, "list", "--timeout", "2", "-o", "json"],
        env=environment(emulator),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    rows = json.loads(ended.stdout)["snapshots"]

    assert 3 == ended.returncode
    assert set(providers()) - {provider} == {row["provider"] for row in rows}
    assert "timed out" in ended.stderr


def told(error: SnapkitError | None) -> tuple[object, ...]:
    """Return what must survive the way from another process."""
    assert error is not None
    facts = (error.provider, error.account, error.region, error.operation, error.code)
    return (type(error), *facts, error.attempts, error.retry, error.sent, error.hint)


@pytest.mark.faults(86)
@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_errors_and_rows_come_back_whole_from_other_processes(
    emulator: Emulator, method: str
) -> None:
    """Class, code and request id are what a report is made of; the pool lives on."""
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    targets = places(emulator)
    here = sweep(targets[::2])
    rows = list(here)
    first, _, last = providers()
    faults = [
        Fault(kind="refuse", provider=first, failure=Failure.PERMISSION, times=None),
        Fault(kind="refuse", provider=last, failure=Failure.AUTHENTICATION, times=None),
    ]
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(method)) as pool:
        emulator.faults.extend(faults)
        away, near = sweep(targets, executor=pool), sweep(targets)
        there, rest = sorted(one.id for one in away), sorted(one.id for one in near)
        bad = [one.error for one in away.report.incomplete]
        wanted = [one.error for one in near.report.incomplete]
        emulator.faults.clear()
        after = list(sweep(targets[::2], executor=pool))

    assert 4 == len(bad), bad
    assert rest == there
    assert [told(one) for one in wanted] == [told(one) for one in bad]
    assert all(one is not None and one.request_id for one in bad)
    assert sorted(rows, key=lambda one: one.ref) == sorted(after, key=lambda one: one.ref)
