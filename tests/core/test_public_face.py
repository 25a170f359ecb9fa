"""What ``from snapkit import ...`` offers, and what importing it costs."""

# pyright: reportPrivateUsage=false
# The table is private, and what is tested here is that it is true.

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import snapkit

HEAVY = ("requests", "urllib3", "rich", "click", "attr", "attrs", "dateutil")
MODULES = sorted(
    name
    for _, name, _ in pkgutil.walk_packages(snapkit.__path__, "snapkit.")
    if not name.startswith(("snapkit.cli", "snapkit.testing", "snapkit.__main__"))
)


def test_every_public_name_is_there() -> None:
    """A name in ``__all__`` that is missing breaks ``import *`` for everybody."""
    for name in snapkit.__all__:
        assert hasattr(snapkit, name), name
        assert name in dir(snapkit)


def test_the_list_is_sorted_and_has_no_name_twice() -> None:
    """So that two changes to it meet in one place."""
    assert sorted(set(snapkit.__all__)) == list(snapkit.__all__)


def test_every_name_is_the_one_of_its_home() -> None:
    """Two classes of one name would not be equal."""
    for home, names in snapkit._HOMES.items():
        module = importlib.import_module(f"snapkit.{home}")
        for name in names:
            assert getattr(module, name) is getattr(snapkit, name)
            assert name in module.__all__


def test_type_checkers_see_the_same_names() -> None:
    """The lazy table and the imports for type checkers are written twice."""
    source = Path(snapkit.__file__).read_text(encoding="utf-8")
    for home, names in snapkit._HOMES.items():
        for name in names:
            assert f"    from snapkit.{home} import {name} as {name}\n" in source


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As with every other module."""
    with pytest.raises(AttributeError, match="module 'snapkit' has no attribute 'Snapshoot'"):
        snapkit.Snapshoot  # noqa: B018 - the access is the test


@pytest.mark.parametrize("name", MODULES)
def test_each_module_says_truly_what_is_public(name: str) -> None:
    """A name in ``__all__`` exists, and the list is sorted."""
    module = importlib.import_module(name)
    public = module.__all__

    in_order = sorted(public, key=lambda word: (not word.isupper(), word))
    assert in_order == list(public)
    assert [] == [one for one in public if not hasattr(module, one)]
    assert module.__doc__


@pytest.mark.parametrize(
    "statement", ["import snapkit", "import snapkit; snapkit.__version__; dir(snapkit)"]
)
def test_importing_costs_next_to_nothing(statement: str) -> None:
    """Completion in a shell imports it at each key."""
    shown = f"{statement}; import sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    root = Path(snapkit.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", shown], capture_output=True, text=True, check=True, cwd=root
    )

    assert "[]" == done.stdout.strip()


def test_the_package_is_typed() -> None:
    """Type checkers look for the marker."""
    assert (Path(snapkit.__file__).parent / "py.typed").exists()
