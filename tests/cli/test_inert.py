"""Text from a cloud cannot command a terminal or a spreadsheet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.cli.inert import inert, spreadsheet_safe


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain-1", "plain-1"),
        ("数据库 日备份", "数据库 日备份"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\r\nb\tc\0", "a\\x0d\\x0ab\\x09c\\x00"),
        ("\x7f\x9b2J", "\\x7f\\x9b2J"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("a\u200bb\ufeff\u2028", "a\\u200bb\\ufeff\\u2028"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("\u3164", "\\u3164"),
        ("é~ÿĀ\uffff\U00010000", "é~ÿĀ\uffff\U00010000"),
    ],
    ids=ascii,
)
@pytest.mark.faults(70)
def test_what_is_invisible_is_written_out(text: str, expected: str) -> None:
    """A name must look like what it is; escape codes must not run."""
    assert expected == inert(text)


@given(st.text(alphabet=st.characters()))
@pytest.mark.faults(70)
def test_inert_text_prints_on_one_line_and_encodes(text: str) -> None:
    """One row is one line, whatever is in it."""
    drawn = inert(text)

    drawn.encode("utf-8")
    assert drawn.splitlines() in ([drawn], [])
    assert drawn == inert(drawn)


@pytest.mark.parametrize("sign", list("=+-@\t\r\n＝＋－＠"), ids=ascii)
@pytest.mark.faults(70)
def test_a_formula_is_text_in_a_spreadsheet(sign: str) -> None:
    """A name that begins like a formula would be run by whoever opens the file."""
    assert spreadsheet_safe(f"{sign}cmd|1").startswith("'")


def test_a_formula_behind_blanks_is_text_too() -> None:
    """Some programs trim a field before they look at it."""
    assert "'  =1+1" == spreadsheet_safe("  =1+1")


def test_ordinary_text_gets_no_quote() -> None:
    """A file full of stray quotes would be of no use."""
    assert "s-1" == spreadsheet_safe("s-1")
