"""The catalogue is whole, every line is proved, and the page about it is true."""

from pathlib import Path

import pytest

from snapkit.registry import providers

from . import table
from .catalogue import EXCUSED, LINES, PENDING, TIERS


def test_the_lines_are_numbered_without_a_gap() -> None:
    """Tests name them by number."""
    assert list(range(1, 87)) == [line.number for line in LINES]
    assert {line.tier for line in LINES} <= set(TIERS)
    assert len(LINES) == len({line.fault for line in LINES})


def test_every_line_is_proved_or_excused() -> None:
    """A fault that nobody tries is one that users will find."""
    open_lines = set(table.unproved())

    assert open_lines <= PENDING, f"no test is marked for {sorted(open_lines - PENDING)}"
    assert not EXCUSED.keys() & PENDING


def test_the_faults_of_the_wire_are_proved_on_every_adapter() -> None:
    """The core may be right while an adapter looks away."""
    wire = [*range(1, 44), *range(79, 84)]
    found = table.proofs()
    missing = [
        number
        for number in wire
        if table.EVERYWHERE not in {one.adapters for one in found[number]}
        and not set(providers())
        <= {name for one in found[number] for name in one.adapters.split(", ")}
    ]

    assert [] == missing


def test_the_page_is_what_the_tests_say() -> None:
    """Written by a program, so that it cannot promise more than is tried."""
    found = table.PAGE.read_text(encoding="utf-8")

    assert table.page() == found, f"docs/reliability.md is old; run: {table.COMMAND}"


@pytest.mark.parametrize(
    ("source", "lines", "where"),
    [
        ("@pytest.mark.faults(3, 4)\ndef test_a(here): ...", [3, 4], table.EVERYWHERE),
        ("@pytest.mark.faults(3)\ndef test_a(): ...", [3], "the core"),
        ("class TestX:\n @pytest.mark.faults(5)\n def test_a(self): ...", [5], "the core"),
        ("@pytest.mark.faults(7)\n@pytest.mark.parametrize('p', ['tencent'])\ndef test_a(p): ...",
         [7], "tencent"),
        ("@pytest.mark.faults(7)\n@pytest.mark.parametrize('p', providers())\ndef test_a(p): ...",
         [7], table.EVERYWHERE),
        ("P = pytest.mark.parametrize('p', providers())\n@P\n@pytest.mark.faults(7)\ndef test_a(p): 0",  # noqa: E501
         [7], table.EVERYWHERE),
        ("@pytest.mark.slow(3)\ndef test_a(): ...", [], "the core"),
    ],
    ids=["fixture", "none", "method", "one", "all", "constant", "another mark"],
)  # fmt: skip
def test_marks_are_read_from_the_source(
    source: str, lines: list[int], where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is only as good as its reader."""
    monkeypatch.setattr(table, "TESTS", tmp_path)
    (tmp_path / "conftest.py").write_text("@pytest.fixture(params=providers())\ndef here(): ...\n")
    (tmp_path / "core").mkdir()
    path = tmp_path / "core" / "test_x.py"
    path.write_text(source)
    ((function, decorators),) = (
        pair for pair in table.functions(table.parsed(path)) if pair[0].name == "test_a"
    )

    assert lines == table.marked(decorators)
    assert where == table.adapters_of(path, function, decorators)
