"""Every code block of docs/emulator.md is run, and prints what the page says."""

# pyright: reportPrivateUsage=false
# The page is compared with the tables that the program reads by.

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from snapkit.emulator import Emulator, Fault, load_estate
from snapkit.emulator.server import FaultKind
from snapkit.emulator.state import SnapshotRecord

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PATIENCE = 60
PROGRAMS = [
    (text, BLOCKS[number + 1][1])
    for number, (language, text) in enumerate(BLOCKS)
    if language == "python" and BLOCKS[number + 1 : number + 2] and BLOCKS[number + 1][0] == "text"
]


def one(language: str, containing: str = "") -> str:
    (found,) = (text for kind, text in BLOCKS if kind == language and containing in text)
    return found


def title(value: str) -> str:
    return value.splitlines()[0].lstrip("# ")[:40]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the page's estate, in which ``snapkit`` is a command."""
    (tmp_path / "estate.toml").write_text(one("toml"), encoding="utf-8")
    command = tmp_path / "bin" / "snapkit"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m snapkit "$@"\n')
    command.chmod(0o755)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "providers"), *(path for path in sys.path if path)]
    return {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUTF8": "1",
        "PYTHONWARNINGS": "ignore",
    }


@pytest.fixture
def emulator(folder: Path) -> Iterator[Emulator]:
    with Emulator(again=load_estate(folder / "estate.toml").world) as running:
        yield running


def test_the_shell_script_runs(folder: Path) -> None:
    """It is how programs in other languages start: wait for the line, call, end it."""
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", one("sh")],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    endpoint = (folder / "ready.txt").read_text()

    assert 0 == done.returncode, done.stderr
    assert re.fullmatch(r"ready http://127\.0\.0\.1:\d+\n", endpoint)
    assert "s-bp1example0001" in done.stdout
    assert '"ahead": 30.0' in done.stdout
    assert '"stage": "complete"' in done.stdout
    assert "\n2\n" in done.stdout
    assert '"ahead": 0.0' in (folder / "state.json").read_text()


@pytest.mark.parametrize(("program", "printed"), PROGRAMS, ids=title)
def test_each_program_prints_what_the_page_says(
    folder: Path, emulator: Emulator, program: str, printed: str
) -> None:
    """The vendors' own SDKs, unmodified, and snapkit."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environment(folder) | emulator.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert (0, printed) == (done.returncode, done.stdout), done.stderr


def test_no_program_is_left_out() -> None:
    """Three SDKs and snapkit; the rest of the Python on the page is for pytest."""
    assert 4 == len(PROGRAMS)
    assert [] == [
        title(text)
        for language, text in BLOCKS
        if language not in ("toml", "json", "sh", "text")
        and text not in [program for program, _ in PROGRAMS]
        and text != one("python", "# test_nightly.py")
    ]


def test_the_tests_on_the_page_pass(folder: Path) -> None:
    """The fixture is there without being asked for where snapkit is installed."""
    (folder / "test_nightly.py").write_text(one("python", "# test_nightly.py"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "snapkit.testing.plugin"]
    done = subprocess.run(
        [*command, "-W", "error", "--strict-markers", "test_nightly.py"],
        cwd=folder,
        env=environment(folder) | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONWARNINGS": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_the_json_estate_is_one(tmp_path: Path) -> None:
    """A hundred servers with 30 nights, as it says."""
    path = tmp_path / "estate.json"
    path.write_text(one("json"))
    (account,) = load_estate(path).world().accounts
    snapshots = account.regions["pek3"].snapshots.values()

    assert 100 == len({record.instance_id for record in snapshots})
    assert 30 == len({record.name.rpartition("-")[2] for record in snapshots})


def test_every_key_and_kind_is_described() -> None:
    """What nobody can read about does not exist."""
    import attrs

    from snapkit.emulator import estatefile
    from snapkit.emulator.control import Control

    words = [
        *(field.name for field in attrs.fields(SnapshotRecord)),
        *(field.name for field in attrs.fields(Fault)),
        *get_args(FaultKind),
    ]
    for table in ("_ESTATE", "_ACCOUNT", "_LIMIT", "_REGION", "_GENERATE"):
        words += getattr(estatefile, table)
    missing = [word for word in words if not re.search(rf"`[^`]*\b{word}\b[^`]*`", PAGE)]
    with Emulator() as emulator:
        routes = Control(emulator)._routes()
    paths = [f"`{method} /_snapkit{path}" for path, methods in routes.items() for method in methods]

    assert [] == missing
    assert [] == [path for path in paths if path not in PAGE]
