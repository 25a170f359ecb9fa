"""The pytest fixture ``snapkit_emulator``: emulated clouds, fresh for each test.

    def test_nightly(snapkit_emulator):
        for target in snapkit_emulator.targets():
            ...

pytest finds it by itself where snapkit is installed; ``-p no:snapkit`` turns it off. The world
is the demonstration estate, unless the ini option ``snapkit_estate`` or the mark of the same
name says another. Nothing of the emulator is imported until a test asks for it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from snapkit.emulator import Emulator, World

__all__ = ["pytest_addoption", "pytest_configure", "snapkit_emulator"]

_NAME = "snapkit_estate"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini option."""
    parser.addini(_NAME, "estate file for the fixture snapkit_emulator, from the ini file's folder")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line(
        "markers",
        f"{_NAME}(file) or {_NAME}(world=function): the estate for the fixture snapkit_emulator: a"
        " file, from the test's folder, or what a function returns, a snapkit.emulator.World",
    )


@pytest.fixture
def snapkit_emulator(request: pytest.FixtureRequest) -> "Iterator[Emulator]":
    """Emulated clouds on a free port, gone when the test is over.

    It has ``endpoint``, ``targets()`` for ``snapkit.connect``, ``environment()`` for programs,
    ``world``, ``clock``, ``faults``, ``log`` and ``reset()``. Each test has its own world.
    """
    from snapkit.emulator import Emulator
    from snapkit.errors import ConfigurationError

    try:
        emulator = Emulator(again=_estate(request))
    except ConfigurationError as error:
        pytest.fail(str(error), pytrace=False)
    with emulator:
        yield emulator


def _estate(request: pytest.FixtureRequest) -> "Callable[[], World]":
    """Return what makes the world: as the nearest mark says, else the ini option."""
    from snapkit.emulator import demo_world, load_estate

    mark = request.node.get_closest_marker(_NAME)
    if mark is None:
        configured = str(request.config.getini(_NAME))
        ini = request.config.inipath
        home = request.config.rootpath if ini is None else ini.parent
        return load_estate(home / configured).world if configured else demo_world
    if set(mark.kwargs) == {"world"} and not mark.args and callable(mark.kwargs["world"]):
        made: Callable[[], World] = mark.kwargs["world"]
        return made
    if len(mark.args) == 1 and not mark.kwargs and isinstance(mark.args[0], (str, Path)):
        return load_estate(request.path.parent / mark.args[0]).world
    pytest.fail(
        f"the mark {_NAME} takes an estate file, or world= and a function that returns a World",
        pytrace=False,
    )
