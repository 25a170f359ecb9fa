"""The pytest fixture, run as a user's project runs it: in a process of its own."""

# pyright: reportPrivateUsage=false

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import attrs
import pytest

from snapkit.registry import providers

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60
ESTATE = f"""
[[accounts]]
provider = "{providers()[0]}"
key_id = "AK1"
secret = "s3cret"
[accounts.regions.%s]
"""


@attrs.frozen
class Ran:
    code: int
    out: str


Project = Callable[..., Ran]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a function that runs tests in a new project; nothing else is plugged in."""

    def run(test: str, *options: str, ini: str = "") -> Ran:
        (tmp_path / "pytest.ini").write_text(f"[pytest]\nfilterwarnings = error\n{ini}")
        (tmp_path / "sub").mkdir(exist_ok=True)
        (tmp_path / "sub" / "test_it.py").write_text(test)
        for place in ("sea", "dust"):
            home = tmp_path if place == "sea" else tmp_path / "sub"
            (home / "estate.toml").write_text(ESTATE % place)
        paths = [str(ROOT), str(ROOT / "providers"), *(path for path in sys.path if path)]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "snapkit.testing.plugin", *options],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "PYTHONPATH": os.pathsep.join(paths),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Ran(done.returncode, done.stdout + done.stderr)

    return run


def test_each_test_has_a_world_of_its_own(project: Project) -> None:
    """What one test breaks is whole again in the next; with warnings as errors."""
    ran = project(
        """
from snapkit import connect
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_it(snapkit_emulator, number):
    places = snapkit_emulator.targets()
    assert len(places) > 5 and snapkit_emulator.clock.ahead == 0.0
    assert snapkit_emulator.endpoint.startswith("http://127.0.0.1:")
    assert snapkit_emulator.faults == snapkit_emulator.log == []
    with connect(places[0]) as client:
        assert list(client.snapshots())
    snapkit_emulator.clock.advance(9)
    snapkit_emulator.world.accounts.clear()
    snapkit_emulator.reset()
    assert snapkit_emulator.targets() == places
    snapkit_emulator.world.accounts.clear()
""",
        "--strict-markers",
    )

    assert 0 == ran.code, ran.out
    assert "2 passed" in ran.out


def test_sockets_may_be_blocked_but_for_this_machine(project: Project) -> None:
    """As the tests of snapkit itself are run."""
    ran = project(
        "def test_it(snapkit_emulator): assert snapkit_emulator.targets()\n",
        "-p",
        "pytest_socket",
        "--allow-hosts=127.0.0.1",
    )

    assert 0 == ran.code, ran.out


CHOSEN = f"""
import pytest
from snapkit.emulator import World
from snapkit.emulator.state import AccountState

def made():
    account = AccountState(provider="{providers()[0]}", key_id="AK", secret="s")
    account.region("rim")
    return World(accounts=[account])

@pytest.fixture
def places(snapkit_emulator):
    snapkit_emulator.world.accounts.clear()
    snapkit_emulator.reset()
    return [one.region for one in snapkit_emulator.targets()]

def test_ini(places): assert places == ["sea"]

@pytest.mark.snapkit_estate("estate.toml")
class TestMarked:
    def test_class(self, places): assert places == ["dust"]

    @pytest.mark.snapkit_estate("../estate.toml")
    def test_nearest(self, places): assert places == ["sea"]

    @pytest.mark.snapkit_estate(world=made)
    def test_function(self, places): assert places == ["rim"]
"""


def test_the_estate_is_chosen_for_a_project_or_a_test(project: Project) -> None:
    """The nearest mark counts most; each path starts where it is written."""
    ran = project(CHOSEN, "--strict-markers", ini="snapkit_estate = estate.toml\n")

    assert 0 == ran.code, ran.out
    assert "4 passed" in ran.out


WRONG = """
import pytest

def test_ini(snapkit_emulator): pass

@pytest.mark.snapkit_estate("test_it.py")
def test_not_toml(snapkit_emulator): pass

@pytest.mark.snapkit_estate()
def test_nothing(snapkit_emulator): pass

@pytest.mark.snapkit_estate(1)
def test_number(snapkit_emulator): pass

@pytest.mark.snapkit_estate("a", world=2)
def test_both(snapkit_emulator): pass
"""


def test_a_wrong_estate_is_one_sentence(project: Project) -> None:
    """Not thirty lines of a traceback through the plugin."""
    ran = project(WRONG, ini="snapkit_estate = none.toml\n")

    assert 1 == ran.code
    assert "5 errors" in ran.out
    assert "none.toml cannot be read: No such file" in ran.out
    assert "test_it.py, line " in ran.out
    assert 3 <= ran.out.count("the mark snapkit_estate takes an estate file, or world=")
    assert "plugin.py" not in ran.out


def test_the_plugin_is_light_until_it_is_used(project: Project) -> None:
    """Every run of pytest on the machine loads it, most of them for nothing."""
    ran = project(
        """
import sys

def test_it():
    heavy = ("snapkit.emulator", "snapkit.testing.contract", "snapkit.model", "requests", "attrs")
    assert [one for one in heavy if one in sys.modules] == []
""",
    )

    assert 0 == ran.code, ran.out


def test_fixture_mark_and_option_can_be_read_about(project: Project) -> None:
    """Pytest is asked, not the manual."""
    ran = project("", "--fixtures", "--markers")

    assert "@pytest.mark.snapkit_estate(file)" in ran.out
    assert "snapkit_emulator" in project("", "--fixtures", "-q").out


def test_installed_it_is_found_by_name() -> None:
    """``-p no:snapkit`` is what the documentation says."""
    import tomllib

    page = ROOT / "pyproject.toml"
    if page.exists():
        declared = tomllib.loads(page.read_text(encoding="utf-8"))["project"]["entry-points"]

        assert {"snapkit": "snapkit.testing.plugin"} == declared["pytest11"]
    for point in entry_points(group="pytest11", name="snapkit"):
        assert "snapkit.testing.plugin" == point.value


def test_the_kit_gives_every_name_it_promises() -> None:
    """They are looked up when they are asked for."""
    import snapkit.testing

    assert snapkit.testing.__all__ == sorted(snapkit.testing._MODULES)
    assert snapkit.testing.__all__ == dir(snapkit.testing)
    for name in snapkit.testing.__all__:
        assert name == getattr(snapkit.testing, name).__name__
    with pytest.raises(AttributeError, match="has no attribute 'Contract'"):
        getattr(snapkit.testing, "Contract")  # noqa: B009 - the checkers know that it is not there
