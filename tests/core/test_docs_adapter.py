"""The adapter that the documentation builds is a real one, and keeps the contract."""

import re
from pathlib import Path
from typing import Any

import pytest

from snapkit.testing import DriverContract, verdicts

PAGE = Path(__file__).parents[2] / "docs" / "writing-an-adapter.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shelf() -> dict[str, Any]:
    """The names that the page's code defines."""
    namespace: dict[str, Any] = {"__name__": "shelf"}
    for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE):
        exec(compile(block, str(PAGE), "exec"), namespace)
    return namespace


def test_the_adapter_on_the_page_keeps_the_contract(shelf: dict[str, Any]) -> None:
    """An example that does not work teaches the wrong thing."""
    found = verdicts(shelf["TestShelf"]())

    assert [] == [(one.clause, one.error) for one in found if not one.kept]
    assert {"C05", *(f"C{number}" for number in range(37, 74))} == {
        one.clause for one in found if one.skipped
    }


def test_the_page_names_the_first_and_the_last_clause() -> None:
    """The contract grows, and the page must follow."""
    clauses = sorted(name[5:8].upper() for name in dir(DriverContract) if name[:6] == "test_c")

    assert f"{clauses[0]} to {clauses[-1]}" in TEXT
