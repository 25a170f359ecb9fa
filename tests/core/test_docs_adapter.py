"""The adapter that the documentation builds is a real one, and keeps the contract."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snapkit.errors import ArgumentError, ConfigurationError
from snapkit.registry import IN_TREE
from snapkit.testing import DriverContract, verdicts
from snapkit.testing.__main__ import main
from snapkit.testing.scaffold import scaffold

PAGE = Path(__file__).parents[2] / "docs" / "writing-an-adapter.md"
TEXT = PAGE.read_text(encoding="utf-8")


def imported(*names: str) -> list[Any]:
    """Return modules of a new project."""
    return [importlib.import_module(name) for name in names]


@pytest.fixture(params=["shelf", "my_cloud2"])
def project(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, Path]]:
    """A new project, on the path as if it were installed."""
    home = tmp_path / "new"
    scaffold(request.param, home)
    monkeypatch.setattr(sys, "path", [str(home), str(home / "tests"), *sys.path])
    yield request.param, home
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(home)):
            del sys.modules[name]


def test_a_new_project_keeps_the_contract(project: tuple[str, Path]) -> None:
    """An example that does not work teaches the wrong thing."""
    name, _ = project
    package, tests = imported(f"snapkit_{name}", "test_contract")
    camel = "".join(part.capitalize() for part in name.split("_"))
    found = verdicts(getattr(tests, f"Test{camel}")())

    assert name == getattr(package, f"{camel}Driver").name
    assert [] == [(one.clause, one.error) for one in found if not one.kept]
    assert {"C05", *(f"C{number}" for number in range(37, 74))} == {
        one.clause for one in found if one.skipped
    }


def test_nothing_of_the_template_is_left_in_a_new_project(tmp_path: Path) -> None:
    """A stranger's name in one's own variables is found by the first user."""
    written = scaffold("my_cloud2", tmp_path / "new")

    assert [] == [
        path
        for path in written
        if re.search("shelf", f"{path.name}{path.read_text('utf-8')}", re.IGNORECASE)
    ]
    assert (tmp_path / "new" / "snapkit_my_cloud2" / "py.typed").exists()


def test_the_code_on_the_page_is_that_of_a_new_project(tmp_path: Path) -> None:
    """Two versions of one example differ sooner or later."""
    scaffold("shelf", tmp_path / "new")
    steps = re.sub(r"^## Keys$.*?(?=^## )", "", TEXT, flags=re.DOTALL | re.MULTILINE)
    blocks = re.findall(r"^```(?:python|toml)\n(.*?)^```", steps, re.DOTALL | re.MULTILINE)
    files = ["snapkit_shelf/driver.py", "tests/test_contract.py", "pyproject.toml"]

    assert [(tmp_path / "new" / name).read_text("utf-8") for name in files] == blocks


@pytest.mark.parametrize(
    "name",
    ["", "Shelf", "a b", "2cloud", "a__b", "a_", "../x", "n" * 33, *IN_TREE["snapkit.drivers"]],
)
def test_what_cannot_be_a_provider_is_refused(name: str, tmp_path: Path) -> None:
    """The name becomes a package, a class and the word in every reference."""
    with pytest.raises(ArgumentError):
        scaffold(name, tmp_path / "new")

    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A second run would throw a week's work away."""
    (tmp_path / "mine").write_text("a week's work")
    with pytest.raises(ConfigurationError, match="is not empty"):
        scaffold("shelf", tmp_path)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        scaffold("shelf", tmp_path / "mine")

    assert ["mine"] == [path.name for path in tmp_path.iterdir()]


def test_the_command_writes_a_project_and_says_what_comes_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Data on stdout, talk on stderr, and one sentence for an error."""
    where = str(tmp_path / "new")
    main(["new", "shelf", where], standalone_mode=False)
    first = capsys.readouterr()
    code = main(["new", "shelf", where], standalone_mode=False)
    second = capsys.readouterr()

    assert sorted(first.out.splitlines()) == sorted(
        str(path) for path in (tmp_path / "new").rglob("*") if path.is_file()
    )
    assert first.err.startswith(f"next: cd {where}")
    assert (2, "") == (code, second.out)
    assert [f"snapkit: error: {where!r} is not empty; name a new directory"] == (
        second.err.splitlines()
    )


def test_the_page_names_the_first_and_the_last_clause() -> None:
    """The contract grows, and the page must follow."""
    clauses = sorted(name[5:8].upper() for name in dir(DriverContract) if name[:6] == "test_c")

    assert f"{clauses[0]} to {clauses[-1]}" in TEXT
