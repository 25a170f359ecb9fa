"""``--executor``: the same rows, whoever lists."""

# pyright: reportPrivateUsage=false

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from snapkit import fleet
from snapkit.cli import executors
from snapkit.cli.emulator import settings
from snapkit.emulator import Emulator, Fault, demo_world
from snapkit.registry import providers

from .conftest import Run

SNAPKIT = [sys.executable, "-m", "snapkit"]
PATIENCE = 60


@pytest.fixture
def emulator() -> Generator[Emulator]:
    with Emulator(demo_world()) as clouds:
        yield clouds


@pytest.fixture
def environment(child_environment: dict[str, str], emulator: Emulator) -> dict[str, str]:
    return child_environment | settings(emulator)


def listed(environment: dict[str, str], *argv: str) -> tuple[int, list[Any], str]:
    ended = subprocess.run(
        [*SNAPKIT, "list", "--ordered", "-o", "ndjson", *argv],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    return ended.returncode, rows, ended.stderr


def test_processes_list_the_same_as_threads(environment: dict[str, str]) -> None:
    """Rows, order, the denied region and the exit code; keys are found in each process."""
    code, rows, said = listed(environment, "--executor", "processes")
    other, expected, _ = listed(environment)

    assert (3, other) == (code, code)
    assert [row.get("ref") for row in expected] == [row.get("ref") for row in rows]
    assert "denied" in said
    assert "Traceback" not in said


def test_a_pool_is_gone_when_its_work_is_done() -> None:
    """What still closes when Python ends prints a traceback on Python 3.11."""
    before = threading.active_count()
    with executors._processes(1) as pool:
        assert 3 == pool.submit(len, "abc").result(PATIENCE)

    assert before == threading.active_count()


def test_an_interrupt_ends_the_processes_too(
    environment: dict[str, str], emulator: Emulator
) -> None:
    """Ctrl-C reaches all of them, and only one has something to say."""
    emulator.faults.append(Fault(kind="hang", provider=providers()[0], times=None))
    with subprocess.Popen(
        [*SNAPKIT, "list", "--executor", "processes", "-o", "ndjson"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        os.killpg(child.pid, signal.SIGINT)
        # Children that live on would keep the pipes open.
        out, err = child.communicate(timeout=PATIENCE)

    assert 130 == child.returncode
    assert json.loads(first)["ref"]
    assert json.loads(out.splitlines()[-1])["report"]["complete"] is False
    assert "not reached" in err
    assert "Traceback" not in err


def test_dask_lists_the_same_as_threads(environment: dict[str, str]) -> None:
    """On a cluster of one worker process on this machine, which has the keys."""
    distributed: Any = pytest.importorskip("distributed")
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        cluster = distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=True, dashboard_address="127.0.0.1:0"
        )
    finally:
        os.environ.clear()
        os.environ.update(before)
    with cluster:
        code, rows, said = listed(environment, "--executor", f"dask:{cluster.scheduler_address}")
    other, expected, _ = listed(environment)

    assert (3, other) == (code, code)
    assert [row.get("ref") for row in expected] == [row.get("ref") for row in rows]
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "name", ["", "fork", "dask", "dask:", "dask:here", "dask:http//x y", "dask:tcp://h:", "Threads"]
)
def test_an_executor_that_is_none_is_named(run: Run, paper: Any, name: str) -> None:
    """With those there are."""
    ended = run("list", "-t", "paper:north", "--executor", name)

    assert (2, "") == (ended.code, ended.out)
    assert f"no executor {name!r}; choose threads, processes or dask:ADDRESS" in ended.err


def test_a_scheduler_that_is_not_there_is_code_five(
    run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be back later."""
    pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "PATIENCE", 0.2)
    ended = run("list", "-t", "paper:north", "--executor", "dask:tcp://127.0.0.1:9")

    assert (5, "") == (ended.code, ended.out)
    assert ended.err == (
        "snapkit: error: the Dask scheduler at 'tcp://127.0.0.1:9' does not answer;"
        " see that it runs, and that its port can be reached from here\n"
    )


def test_without_dask_the_way_to_get_it_is_told(
    run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is an extra."""

    def missing(name: str) -> Any:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(executors, "import_module", missing)
    ended = run("list", "-t", "paper:north", "--executor", "dask:127.0.0.1:8786")

    assert (2, "") == (ended.code, ended.out)
    assert "snapkit: error: Dask is not installed; install snapkit-multicloud[dask]\n" == ended.err


def test_processes_share_the_limits_of_the_profile(
    run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Workers do not know of each other: each gets its part of what the file allows."""
    config = tmp_path / "config.toml"
    config.write_text(
        '[profiles.desk]\nprovider = "paper"\nregions = ["north", "south", "east"]\n'
        'rate_share = 0.5\n[profiles.far]\nprovider = "paper"\nregions = ["west"]\n'
        "rate_share = 0.1\n"
    )
    monkeypatch.setenv("SNAPKIT_CONFIG", str(config))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    asked: list[dict[str, Any]] = []

    def spy(places: Any, *_: Any, **more: Any) -> Any:
        more.pop("executor")
        asked.append(more)
        return fleet.list_snapshots(places)

    monkeypatch.setattr(fleet, "sweep", spy)

    assert 0 == run("list", "-t", "desk", "--executor", "processes", "--workers", "8").code
    assert (0.25, 2) == (asked[0]["rate_share"], asked[0]["workers"])
    assert "limiter" not in asked[0]
