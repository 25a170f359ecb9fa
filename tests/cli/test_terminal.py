"""What only a terminal sees: colours, and a line that moves."""

import contextlib
import io
from collections.abc import Generator

import pytest

from snapkit.cli.columns import columns
from snapkit.cli.grid import draw, fit, lines
from snapkit.cli.progress import awaiting, watching
from snapkit.listing import Report
from snapkit.model import Snapshot, SnapshotStatus
from snapkit.waiting import Progress

BOLD, GREEN, RED, YELLOW, PLAIN = "\x1b[1m", "\x1b[32m", "\x1b[1;31m", "\x1b[33m", "\x1b[0m"


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True

    @contextlib.contextmanager
    def used(self) -> Generator[None]:
        """Make this the stdout and stderr."""
        with contextlib.redirect_stdout(self), contextlib.redirect_stderr(self):
            yield


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Return a terminal with colours."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Terminal()


def row(number: int, status: SnapshotStatus, name: str = "") -> Snapshot:
    return Snapshot(
        provider="moon", account="a", region="r", id=f"s-{number}", status=status, raw_status="x",
        name=name,
    )  # fmt: skip


ROWS = [
    row(1, SnapshotStatus.AVAILABLE, "[red]a\x1b[31m"),
    row(2, SnapshotStatus.FAILED),
    row(3, SnapshotStatus.CREATING, "每日"),
]


def test_a_terminal_gets_the_states_in_colour_and_names_as_they_are(terminal: Terminal) -> None:
    """A name in brackets is no command to the one who draws it, and escape codes do not run."""
    padded, shown, _ = lines(columns(Snapshot, ["id", "status", "name"]), ROWS)
    with terminal.used():
        draw(padded, shown)
    drawn = terminal.getvalue().splitlines()

    assert f"{BOLD}ID {PLAIN}  {BOLD}STATUS   {PLAIN}  {BOLD}NAME{PLAIN}" == (drawn[0].rstrip())
    assert f"s-1  {GREEN}available{PLAIN}  [red]a\\x1b[31m" == drawn[1].rstrip()
    assert f"s-2  {RED}failed   {PLAIN}  -" == drawn[2].rstrip()
    assert f"s-3  {YELLOW}creating {PLAIN}  每日" == drawn[3].rstrip()


def test_a_terminal_that_wants_no_colours_gets_none(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some people cannot see them, and say so."""
    monkeypatch.setenv("NO_COLOR", "1")
    padded, shown, _ = lines(columns(Snapshot, ["status"]), ROWS)
    with terminal.used():
        draw(padded, shown)

    assert "\x1b[3" not in terminal.getvalue()


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (None, {"id": 10, "name": 30, "zone": 5, "size": 5}),
        (56, {"id": 10, "name": 30, "zone": 5, "size": 5}),
        (55, {"id": 10, "name": 29, "zone": 5, "size": 5}),
        (36, {"id": 10, "name": 10, "zone": 5, "size": 5}),
        (35, {"id": 10, "name": 16, "size": 5}),
        (22, {"id": 10, "name": 10}),
        (1, {"id": 10, "name": 10}),
    ],
)
def test_names_are_cut_before_columns_go(room: int | None, shown: dict[str, int]) -> None:
    """And what is left is never cut to nothing."""
    widths = {"id": 10, "name": 30, "zone": 5, "size": 5}

    assert shown == fit(widths, room, ["zone", "size"])


def test_a_terminal_sees_how_far_a_listing_is(terminal: Terminal) -> None:
    """The line is gone when the rows are there."""
    with terminal.used(), watching("snapshots", Report, quiet=False):
        pass

    assert "listing snapshots: 0 region, 0 rows" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[2K")


def test_a_terminal_sees_how_far_a_wait_is(terminal: Terminal) -> None:
    """What is told last is what is shown."""
    with terminal.used(), awaiting("usable", quiet=False) as told:
        told(Progress(waited=1, done=1, total=2, progress=50, eta=30, snapshots=()))

    assert "waiting until usable: 1 of 2, 50 %, 30 s to go" in terminal.getvalue()


@pytest.mark.parametrize(("quiet", "term"), [(True, "xterm"), (False, "dumb")])
def test_nobody_is_shown_what_they_do_not_want(
    quiet: bool, term: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that moves is noise to a dumb terminal and to one who asked for quiet."""
    monkeypatch.setenv("TERM", term)
    with (
        terminal.used(),
        watching("snapshots", Report, quiet=quiet),
        awaiting("usable", quiet=quiet) as told,
    ):
        told(Progress(waited=1, done=1, total=2, progress=50, eta=30, snapshots=()))

    assert "" == terminal.getvalue()
