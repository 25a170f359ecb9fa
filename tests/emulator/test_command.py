"""``snapkit emulator`` as a program in another language uses it: start, wait, call, end."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from snapkit.cli import main
from snapkit.emulator import Emulator
from snapkit.registry import providers

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30
SNAPKIT = [sys.executable, "-m", "snapkit", "emulator"]
ESTATE = {
    "accounts": [
        {
            "provider": providers()[0],
            "key_id": "AK1",
            "secret": "s3cret-CANARY",
            "regions": {"sea": {"generate": {"servers": 1, "nights": 2}}},
        }
    ]
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "providers"), *filter(None, sys.path)])
    return {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": path}


@pytest.fixture
def estate(tmp_path: Path) -> Path:
    path = tmp_path / "estate.json"
    path.write_text(json.dumps(ESTATE))
    return path


@contextmanager
def serving(environment: dict[str, str], *argv: str) -> Generator[tuple[Any, str]]:
    """Give the process and its endpoint when it is ready."""
    with subprocess.Popen(
        [*SNAPKIT, *argv],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            line = child.stdout.readline()
            assert line.startswith("ready http://127.0.0.1:"), child.communicate()
            yield child, line.split()[1]
        finally:
            child.kill()


def call(endpoint: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"{endpoint}/_snapkit/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"X-Snapkit-Emulator": "1"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["term", "int"])
def test_start_wait_call_end(
    environment: dict[str, str], estate: Path, number: signal.Signals
) -> None:
    """One line on stdout, then it answers; a signal ends it with 0, and the port is free."""
    with serving(environment, "--estate", str(estate)) as (child, endpoint):
        regions = call(endpoint, "state")["accounts"][0]["regions"]
        call(endpoint, "clock", {"advance": "1d"})
        after = call(endpoint, "reset", {})
        child.send_signal(number)
        out, err = child.communicate(timeout=PATIENCE)

    assert (0, "") == (child.returncode, out)
    assert ["sea"] == list(regions)
    assert 2 == regions["sea"]["snapshots"]
    assert 0.0 == after["ahead"]
    assert "export SNAPKIT_TARGETS=" in err
    with Emulator(port=int(endpoint.rpartition(":")[2])) as again:
        assert endpoint == again.endpoint


def test_what_is_on_stderr_is_complete_when_it_is_ready(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """A shell reads the keys from there without waiting again."""
    noise = tmp_path / "err"
    with (
        noise.open("w") as stream,
        subprocess.Popen(
            SNAPKIT, env=environment, stdout=subprocess.PIPE, stderr=stream, text=True
        ) as child,
    ):
        assert child.stdout is not None
        child.stdout.readline()
        said = noise.read_text()
        child.terminate()

    assert said.endswith("# Ctrl-C ends the emulator\n")


def test_a_signal_right_at_the_ready_line_ends_it_well(environment: dict[str, str]) -> None:
    """Scripts that only want to see it start are quick."""
    with serving(environment, "-q") as (child, _):
        child.terminate()
        _, err = child.communicate(timeout=PATIENCE)

    assert (0, "") == (child.returncode, err)


def test_empty_holds_after_a_reset(environment: dict[str, str]) -> None:
    """The options are part of what it began with."""
    with serving(environment, "--empty", "-q") as (_, endpoint):
        call(endpoint, "reset", {})
        accounts = call(endpoint, "state")["accounts"]

    regions = [region for account in accounts for region in account["regions"].values()]
    assert len(regions) > 5
    assert {0} == {region[kind] for region in regions for kind in ("disks", "snapshots", "groups")}


@pytest.fixture
def taken() -> Iterator[str]:
    with Emulator() as emulator:
        yield emulator.endpoint.rpartition(":")[2]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--port", "TAKEN"], "cannot be had: Address already in use; choose another port, or 0"),
        (["--estate", "NONE"], "cannot be read: No such file or directory"),
        (["--estate", "WRONG"], "did you mean 'accounts'?"),
        (["--estate", "ESTATE", "--seed", "3"], "--seed is for the demonstration estate"),
        (["--estate", "FOLDER"], "is a directory"),
        (["--latency", "-1"], "not in the range"),
    ],
    ids=["port", "missing", "wrong", "seed", "folder", "latency"],
)
def test_bad_input_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
    estate: Path,
    tmp_path: Path,
    taken: str,
    argv: list[str],
    said: str,
) -> None:
    """Exit code 2, nothing on stdout, no secret."""
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"acounts": ESTATE["accounts"]}))
    places = {
        "TAKEN": taken,
        "NONE": str(tmp_path / "none.toml"),
        "WRONG": str(wrong),
        "ESTATE": str(estate),
        "FOLDER": str(tmp_path),
    }
    code = main(["emulator", *(places.get(word, word) for word in argv)])
    shown = capsys.readouterr()

    assert (2, "") == (code, shown.out)
    assert said in shown.err
    assert 1 == len(shown.err.splitlines())
    assert "CANARY" not in shown.err
    assert "Traceback" not in shown.err
