"""What only a process can show: pipes, signals, terminals, full disks."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import IO

import pytest

from snapkit.cli.emulator import settings
from snapkit.emulator import Emulator, Fault, demo_world
from snapkit.registry import providers

PATIENCE = 30
SNAPKIT = [sys.executable, "-m", "snapkit"]
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


@pytest.fixture
def emulator() -> Generator[Emulator]:
    with Emulator(demo_world()) as clouds:
        yield clouds


@pytest.fixture
def environment(child_environment: dict[str, str], emulator: Emulator) -> dict[str, str]:
    """Return the environment of a shell that is set up for the emulator."""
    return child_environment | settings(emulator)


def hang_one(emulator: Emulator) -> None:
    emulator.faults.append(Fault(kind="hang", provider=providers()[0], times=None))


def first_line(stream: IO[str] | None) -> str:
    assert stream is not None
    return stream.readline()


@pytest.mark.parametrize("form", ["ndjson", "csv", "json"])
@pytest.mark.faults(84)
def test_a_reader_that_goes_away_ends_it_quietly(environment: dict[str, str], form: str) -> None:
    """`snapkit list | head` is no reason for a traceback."""
    with subprocess.Popen(
        [*SNAPKIT, "list", "-q", "-o", form],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        first_line(child.stdout)
        assert child.stdout is not None
        child.stdout.close()
        assert child.stderr is not None
        said = child.stderr.read()

        assert 141 == child.wait(PATIENCE)
        assert "" == said


@needs_full
@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv"])
@pytest.mark.faults(84)
def test_a_full_disk_is_one_sentence(environment: dict[str, str], form: str) -> None:
    """Half a file must not look like a whole one."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*SNAPKIT, "list", "-q", "-o", form],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert 1 == ended.returncode
    assert ["snapkit: error: input or output: No space left on device"] == [
        line for line in ended.stderr.splitlines() if "not seen" not in line
    ]


@needs_full
@pytest.mark.faults(84)
@pytest.mark.parametrize(
    ("words", "code"), [(["list"], 3), (["lsit"], 2)], ids=["partial", "mistake"]
)
@pytest.mark.parametrize("way", ["full", "closed"])
def test_a_stderr_that_takes_nothing_changes_no_exit_code(
    environment: dict[str, str], words: list[str], code: int, way: str
) -> None:
    """A log on a full disk must not hide what the rows are, or throw them away."""
    redirect = {"full": "2>/dev/full", "closed": "2>&-"}[way]
    ended = subprocess.run(
        ["sh", "-c", f'"$@" {redirect}', "sh", *SNAPKIT, *words],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert code == ended.returncode
    assert (code == 3) == ended.stdout.startswith("PROVIDER")


@needs_full
@pytest.mark.faults(84)
@pytest.mark.parametrize("form", ["table", "json"])
def test_what_was_made_is_told_where_stdout_fails(
    environment: dict[str, str], emulator: Emulator, form: str
) -> None:
    """A full disk does not unmake it."""
    provider = providers()[0]
    account = next(emulator.world.of(provider))
    name, region = next((name, one) for name, one in account.regions.items() if one.disks)
    known, disk = set(region.snapshots), next(iter(region.disks))
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*SNAPKIT, "create", f"{provider}:{name}", disk, "-o", form],
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    (made,) = set(region.snapshots) - known

    assert 1 == ended.returncode
    assert f"snapkit: made all the same: {provider}:{name}/{made}\n" in ended.stderr


@pytest.mark.faults(84)
@pytest.mark.parametrize("also", ["", " 2>&-"], ids=["alone", "both"])
def test_without_a_stdout_nothing_is_asked_for(
    environment: dict[str, str], emulator: Emulator, also: str
) -> None:
    """What is made and cannot be told would be made again."""
    ended = subprocess.run(
        ["sh", "-c", f'"$@" >&-{also}', "sh", *SNAPKIT, "list"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    said = (
        "" if also else "snapkit: error: stdout: it is closed; send it to a file, or to /dev/null\n"
    )

    assert (1, said) == (ended.returncode, ended.stderr)
    assert [] == emulator.log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
@pytest.mark.faults(84)
def test_an_interrupt_prints_what_is_there(
    environment: dict[str, str], emulator: Emulator, number: int
) -> None:
    """Ten minutes of rows are not thrown away, and nobody takes them for all."""
    hang_one(emulator)
    with subprocess.Popen(
        [*SNAPKIT, "list", "-o", "ndjson"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        first = first_line(child.stdout)
        child.send_signal(number)
        out, err = child.communicate(timeout=PATIENCE)
    trailer = json.loads(out.splitlines()[-1])

    assert 130 == child.returncode
    assert json.loads(first)["ref"]
    assert trailer["report"]["complete"] is False
    assert "not reached" in err
    assert "Traceback" not in err


def test_progress_moves_on_a_terminal_and_leaves_the_pipe_alone(
    environment: dict[str, str], emulator: Emulator
) -> None:
    """Whoever waits wants to see that something happens; whoever pipes does not."""
    hang_one(emulator)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*SNAPKIT, "list"],
        env=environment | {"TERM": "xterm-256color"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as child:
        os.close(theirs)
        seen = b""
        while not re.search(rb"listing snapshots: [1-9] of \d+ regions, \d+ rows", seen):
            seen += os.read(ours, 4096)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=PATIENCE)
    os.close(ours)

    assert 130 == child.returncode
    assert out.startswith("PROVIDER")
    assert "\x1b" not in out


@pytest.mark.parametrize("extra", [("-q",), ()], ids=["quiet", "pipe"])
def test_no_progress_where_nobody_wants_it(
    environment: dict[str, str], extra: tuple[str, ...]
) -> None:
    """Logs full of spinners are of no use."""
    ended = subprocess.run(
        [*SNAPKIT, "list", *extra], env=environment, capture_output=True, text=True, check=False
    )

    assert "listing snapshots" not in ended.stderr
    assert "\x1b" not in ended.stderr + ended.stdout


def test_a_terminal_gets_a_table_that_fits_it(environment: dict[str, str]) -> None:
    """Wrapped lines cannot be read."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*SNAPKIT, "list", "-q", "--status", "available"],
        env=environment | {"TERM": "xterm", "COLUMNS": "80"},
        stdout=theirs,
        stderr=subprocess.DEVNULL,
    ) as child:
        os.close(theirs)
        seen = b"".join(iter(lambda: _read(ours), b""))
        child.wait(PATIENCE)
    os.close(ours)
    from rich.cells import cell_len

    lines = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode()).splitlines()

    assert lines[0].startswith("PROVIDER")
    assert 80 >= max(map(cell_len, lines))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how a pseudo-terminal says that the other end is closed
        return b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["int", "term"])
def test_the_emulator_serves_until_it_is_stopped(
    child_environment: dict[str, str], number: int
) -> None:
    """The lines that it prints are all that another shell needs."""
    with subprocess.Popen(
        [*SNAPKIT, "emulator", "--empty"],
        env=child_environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        ready = first_line(child.stdout).split()
        exports: dict[str, str] = {}
        while "# then" not in (line := first_line(child.stderr)):
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                exports[name] = value.strip("'")
        listed = subprocess.run(
            [*SNAPKIT, "list", "-o", "json"],
            env=child_environment | exports,
            capture_output=True,
            text=True,
            check=False,
        )
        child.send_signal(number)

        assert 0 == child.wait(PATIENCE)
    assert "ready" == ready[0]
    assert exports["SNAPKIT_ENDPOINT"] == ready[1]
    assert (0, "") == (listed.returncode, listed.stderr)
    assert json.loads(listed.stdout)["report"]["complete"] is True


def test_a_port_in_use_is_one_sentence(
    child_environment: dict[str, str], emulator: Emulator
) -> None:
    """The commonest reason why a server does not start."""
    ended = subprocess.run(
        [*SNAPKIT, "emulator", "--port", emulator.endpoint.rpartition(":")[2]],
        env=child_environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 2 == ended.returncode
    assert "Address already in use; choose another port" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_demo_can_be_kept(child_environment: dict[str, str]) -> None:
    """After the tour one wants to try things."""
    with subprocess.Popen(
        [*SNAPKIT, "demo", "--keep", "--rows", "5"],
        env=child_environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        while "Ctrl-C" not in first_line(child.stderr):
            pass
        child.send_signal(signal.SIGINT)

        assert 0 == child.wait(PATIENCE)
