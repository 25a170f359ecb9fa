"""The README says what is true: its example runs, its tables and help are the program's own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snapkit.driver import Capability
from snapkit.emulator import Emulator, demo_world
from snapkit.registry import driver_class, providers
from snapkit.transport import Clock

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")


@pytest.fixture
def clouds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(demo_world()) as emulator:
        monkeypatch.setenv("SNAPKIT_ENDPOINT", emulator.endpoint)
        for target in emulator.targets():
            names = driver_class(target.provider).environment.keys[0]
            account = next(emulator.world.of(target.provider))
            monkeypatch.setenv(names.key_id, account.key_id)
            monkeypatch.setenv(names.secret, account.secret)
        yield emulator


def block(language: str, after: str = "") -> str:
    found = re.search(
        rf"{re.escape(after)}.*?^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL
    )
    assert found is not None
    return found[1]


def test_the_example_runs(clouds: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """The first thing a reader copies must work."""
    exec(compile(block("python"), "README.md", "exec"), {})

    printed = capsys.readouterr().out.splitlines()
    assert printed
    assert not [line for line in printed if line.startswith("not seen")]


def test_the_backup_example_runs(clouds: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """It waits on the emulator's clock, which its sleeping moves."""
    clock = Clock(sleep=clouds.world.clock.advance, monotonic=clouds.world.clock.now)
    monkeypatch.setattr("snapkit.settings.Clock", lambda: clock)
    region = next(clouds.world.of("alibaba")).regions["cn-hangzhou"]
    server = next(disk.instance_id for disk in region.disks.values() if disk.size_gib >= 100)
    example = block("python", "## As the backend").replace("i-bp1exampleserver001", str(server))
    found: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), found)

    assert 2 <= len(found["group"].members)


@pytest.mark.parametrize("heading", ["## Run it", "## Test it"])
def test_each_command_stands_alone_under_its_heading(heading: str) -> None:
    """Fresh machines are set up by one copied line."""
    section = TEXT.split(f"{heading}\n")[1].split("\n## ")[0]

    assert 1 == section.count("```sh")
    assert 1 == len(block("sh", heading).strip().splitlines())


def test_the_help_is_the_programs(tmp_path: Path) -> None:
    """A README that drifts teaches the wrong options."""
    found = re.search(r"^```console\n\$ snapkit --help\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "COLUMNS": "80",
    }
    done = subprocess.run(
        [sys.executable, "-m", "snapkit", "--help"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment,
    )

    assert done.stdout.replace("python -m snapkit", "snapkit").strip() == found[1].strip()


def capability_table() -> str:
    """Return what each adapter declares, as a Markdown table."""
    drivers = [driver_class(name) for name in providers()]
    lines = [
        "| | " + " | ".join(driver.title for driver in drivers) + " |",
        "|---|" + "---|" * len(drivers),
    ]
    for capability in Capability:
        marks = ["yes" if capability in driver.capabilities else "no" for driver in drivers]
        lines.append(f"| {capability.value} | " + " | ".join(marks) + " |")
    return "\n".join(lines)


def test_the_capability_table_is_the_adapters() -> None:
    """What a cloud can do is declared once, by its driver."""
    found = re.search(r"<!-- capabilities: .*? -->\n(.*?)<!-- /capabilities -->", TEXT, re.DOTALL)

    assert found is not None
    assert capability_table() == found[1].strip()
