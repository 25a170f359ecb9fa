"""YAML that every reader takes for the values that JSON has."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.cli.yaml import as_yaml, item, scalar

from .conftest import Run
from .paper import HOSTILE

yaml: Any = pytest.importorskip("yaml")
HERE = ("-t", "paper:north")
TRICKY = (
    "",
    " ",
    "y",
    "No",
    "on",
    "NULL",
    "~",
    "null ",
    "1",
    "0x1f",
    "1_000",
    "12:30:45",
    "1e3",
    ".inf",
    "2026-03-01",
    "2026-03-01T06:00:00Z",
    "- a",
    "a: b",
    "a #b",
    "'a'",
    '"a"',
    "{a}",
    "[a]",
    "*a",
    "&a",
    "!a",
    "|",
    ">",
    "%a",
    "@a",
    "`a",
    "---",
    "...",
    "=",
    "<<",
    "a\nb",
    "a\r\n",
    "\t",
    "\x00\x07\x1b[31m\x7f\x85\xa0",
    "\u2028\u2029\u202e\ufeff\ufffe\uffff",
    "\ud800",
    "快照 \U0001f600 备份",
    HOSTILE,
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(TRICKY)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=60) | st.sampled_from(TRICKY), inner, max_size=4)
    ),
    max_leaves=12,
)


def read(text: str) -> Any:
    return yaml.safe_load(text)


@pytest.mark.parametrize("text", TRICKY, ids=ascii)
def test_a_text_stays_a_text(text: str) -> None:
    """YAML 1.1 sees numbers, dates and truth in many a name."""
    assert {"a": text, text: 1} == read(as_yaml({"a": text, text: 1}))


@given(value=VALUES)
def test_what_is_written_is_read(value: Any) -> None:
    """Whatever JSON can say, at any depth."""
    assert {"a": value, "b": [value]} == read(as_yaml({"a": value, "b": [value]}))


@given(values=st.lists(VALUES, min_size=1, max_size=3))
def test_a_list_can_be_written_item_by_item(values: list[Any]) -> None:
    """A listing streams."""
    assert {"rows": values} == read("rows:\n" + "".join(map(item, values)))


def test_numbers_keep_their_kind() -> None:
    """A float without a point would be a text for YAML 1.1."""
    assert ("1.0e+300", "1.5", "7", "true", "null") == tuple(
        map(scalar, (1e300, 1.5, 7, True, None))
    )
    assert math.isinf(read(as_yaml({"a": -math.inf}))["a"])


def test_nothing_in_it_commands_a_terminal() -> None:
    """It is drawn on one, like a table."""
    assert all(sign.isprintable() for sign in scalar(HOSTILE))


@pytest.mark.parametrize("extra", [(), ("--raw",), ("--sort", "-id"), ("--columns", "ref,zone")])
@pytest.mark.parametrize("command", ["list", "groups"])
def test_yaml_is_the_json_in_another_writing(
    run: Run, paper: Any, command: str, extra: tuple[str, ...]
) -> None:
    """So that one description of the fields serves both."""
    extra = () if command == "groups" and "--columns" in extra else extra
    paper.PaperDriver.rows["north"].append(paper.snapshot("s-x", name=HOSTILE, description="no"))
    as_json, ended = (run(command, *HERE, *extra, "-o", form) for form in ("json", "yaml"))
    found, wanted = read(ended.out), as_json.json
    for scope in (*found["report"]["scopes"], *wanted["report"]["scopes"]):
        del scope["seconds"]

    assert (0, wanted) == (ended.code, found)


def test_an_empty_listing_is_yaml_too(run: Run, paper: Any) -> None:
    """And its report says that it is empty, not denied."""
    paper.PaperDriver.rows["north"].clear()
    found = read(run("list", *HERE, "-o", "yaml").out)

    assert [] == found["snapshots"]
    assert "empty" == found["report"]["scopes"][0]["outcome"]
