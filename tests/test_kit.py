"""Somebody with nothing but the wheel writes a fourth adapter, proves it and uses it.

A new environment outside this repository holds snapkit's wheel, what the wheel declares to
need, pytest, and nothing else. Where the sources are not at hand, because the suite itself runs
against an installed snapkit, that one is taken in the place of a new wheel.
"""

import compileall
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import attrs
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import snapkit

pytestmark = pytest.mark.xdist_group("kit")
ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "snapkit_filesystem"
FROM_SOURCE = Path(snapkit.__file__).parents[1] == ROOT
DISTRIBUTION = "snapkit-multicloud"
NONE: Mapping[str, str] = {}


@attrs.frozen
class Workshop:
    """An environment of its own, and a folder to work in."""

    home: Path

    @property
    def bench(self) -> Path:
        """Where commands run: outside the repository."""
        return self.home / "bench"

    @property
    def shelf(self) -> Path:
        """Where what is installed stands."""
        return next((self.home / "venv" / "lib").glob("python*/site-packages"))

    def run(self, *words: str, cwd: Path | None = None, more: Mapping[str, str] = NONE) -> "Ended":
        """Run Python in the environment; nothing of this process's environment reaches it."""
        surroundings = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [str(self.home / "venv" / "bin" / "python"), *words],
            cwd=cwd or self.bench,
            env={**surroundings, "PYTHONDONTWRITEBYTECODE": "1", **more},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def snapkit(self, *words: str, **more: str) -> "Ended":
        """Run the command."""
        return self.run("-m", "snapkit", *words, more=more)

    def suite(self, project: Path, *words: str) -> "Ended":
        """Run the tests of *project* with what is installed."""
        plain = ("-m", "pytest", "-q", "-rfs", "-p", "no:cacheprovider")
        return self.run(*plain, *words, cwd=project)


@attrs.frozen
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def built(source: Path, into: Path) -> Path:
    """Return the wheel of the project in *source*, built without the network."""
    words = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    done = subprocess.run(
        [sys.executable, *words, "--wheel-dir", str(into), str(source)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert 0 == done.returncode, done.stderr
    (wheel,) = into.glob("*.whl")
    return wheel


def installed(wheel: Path, workshop: Workshop) -> None:
    """Unpack *wheel* and compile it; a wheel of pure Python is installed by that."""
    fresh = workshop.home / wheel.stem
    shutil.unpack_archive(wheel, fresh, "zip")
    compileall.compile_dir(fresh, quiet=1, stripdir=str(fresh), prependdir=str(workshop.shelf))
    for top in fresh.iterdir():
        top.rename(workshop.shelf / top.name)


def lent(name: str, workshop: Workshop, seen: set[str]) -> None:
    """Lend the distribution *name*, and what it declares to need, to the workshop."""
    if canonicalize_name(name) in seen:
        return
    seen.add(canonicalize_name(name))
    found = metadata.distribution(name)
    for top in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
        source, goal = Path(str(found.locate_file(top))), workshop.shelf / top
        if top != "__pycache__" and not goal.exists():
            goal.symlink_to(source)
    needed(found.requires or [], workshop, seen)


def needed(requirements: list[str], workshop: Workshop, seen: set[str]) -> None:
    """Lend what *requirements* name, without extras."""
    for one in map(Requirement, requirements):
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            lent(one.name, workshop, seen)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """An environment with the wheel and pytest."""
    found = Workshop(tmp_path_factory.mktemp("kit"))
    if not FROM_SOURCE and not list(metadata.distributions(name=DISTRIBUTION)):
        pytest.skip("neither the sources nor an installed snapkit are at hand")
    lacking = [one for one in ("pip", "hatchling") if find_spec(one) is None]
    if lacking:
        pytest.skip(f"no wheel can be built here without {' and '.join(lacking)}")
    found.bench.mkdir()
    venv.create(found.home / "venv", with_pip=False, symlinks=True)
    seen: set[str] = set()
    if FROM_SOURCE:
        installed(built(clean(found.home / "source"), found.home / "wheels"), found)
        (info,) = found.shelf.glob("snapkit_multicloud-*.dist-info")
        needed(metadata.Distribution.at(info).requires or [], found, seen)
    else:
        lent(DISTRIBUTION, found, seen)
    lent("pytest", found, seen)
    return found


def clean(into: Path) -> Path:
    """Return a copy of the sources; a build may leave files, and never in the repository."""
    into.mkdir()
    for name in ("snapkit", "providers"):
        shutil.copytree(ROOT / name, into / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, into / name)
    return into


@pytest.fixture(scope="module")
def example(workshop: Workshop) -> Path:
    """The example in a folder of its own, installed beside snapkit; only its tests stay there."""
    project = workshop.bench / "snapkit_filesystem"
    shutil.copytree(EXAMPLE, project, ignore=shutil.ignore_patterns("__pycache__"))
    installed(built(project, workshop.home / "example"), workshop)
    shutil.rmtree(project / "snapkit_filesystem")
    return project


def counts(ended: Ended) -> dict[str, int]:
    """Return what pytest counted, by its words."""
    return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last(ended.out))}


def last(text: str) -> str:
    return text.strip().splitlines()[-1]


def test_the_workshop_holds_the_wheel_and_pytest_and_nothing_of_the_repository(
    workshop: Workshop,
) -> None:
    """Else the rest of this file proves nothing."""
    shown = "import snapkit, snapkit.testing, sys; print(snapkit.__file__); print(sys.path)"
    ended = workshop.run("-c", shown)
    where, path = ended.out.splitlines()

    assert Path(where).is_relative_to(workshop.shelf)
    assert str(ROOT) not in path
    for absent in ("hypothesis", "pytest_socket", "responses", "pyarrow", "yaml"):
        assert 0 != workshop.run("-c", f"import {absent}").code, absent


def test_the_example_keeps_the_contract_with_nothing_but_the_wheel(
    workshop: Workshop, example: Path
) -> None:
    """Its tests are its own; what it cannot do is skipped with the reason, and that is little."""
    ended = workshop.suite(example)
    found = counts(ended)

    assert 0 == ended.code, ended.out
    assert found["passed"] >= 85
    assert found["skipped"] <= 13
    assert 13 == sum(int(number) for number in re.findall(r"^SKIPPED \[(\d+)\]", ended.out, re.M))


def test_a_driver_that_breaks_the_contract_is_seen_there_too(
    workshop: Workshop, example: Path
) -> None:
    """A suite that passes whatever the driver does is the worst thing to hand out."""
    project = workshop.bench / "broken"
    shutil.copytree(example, project)
    harness = project / "tests" / "harness.py"
    text = harness.read_text("utf-8")
    forgetful = text.replace("self.log.append(call.operation)", SLIP)
    assert text != forgetful
    harness.write_text(forgetful, "utf-8")
    ended = workshop.suite(project, "-k", "c10 or c11 or c12")

    assert 1 == ended.code
    assert re.search(r"^FAILED .*::test_c11_more_ids_than_fit_one_request", ended.out, re.MULTILINE)


SLIP = """self.log.append(call.operation)
        if call.operation == "List":
            call = Call(
                operation="List", url=call.url, params={**call.params, "ids": None}
            )"""


def test_the_command_knows_the_example(workshop: Workshop, example: Path) -> None:
    """It was found by its entry point; snapkit has no list of such things."""
    ended = workshop.snapkit("providers", "-o", "json")
    answer = json.loads(ended.out)
    (found,) = [one for one in answer["providers"] if one["name"] == "filesystem"]

    assert (0, []) == (ended.code, answer["broken"])
    assert "not needed" == found["credentials"]
    assert {"create", "create group", "restore to a new disk", "delete"} <= set(
        found["capabilities"]
    )
    assert re.search(r"^  keys +not needed$", workshop.snapkit("providers").out, re.MULTILINE)


def test_the_example_is_used_from_the_command_line(workshop: Workshop, example: Path) -> None:
    """Make, make again, list by pages, look, restore and delete, as its page says."""
    root = workshop.home / "root"
    data = root / "site-a" / "disks" / "web" / "data"
    data.mkdir(parents=True)
    (data / "now").write_text("Sunday")
    place = {"SNAPKIT_FILESYSTEM_ROOT": str(root)}
    order = ("create", "filesystem:site-a", "web", "--name", "nightly", "--key")
    made = [workshop.snapkit(*order, key, **place) for key in ("one", "one", "two")]
    rows = json.loads(
        workshop.snapkit("list", "-t", f"filesystem:site-a?root={root}", "-o", "json").out
    )
    first, second = made[0].out.strip(), made[2].out.strip()
    shown = workshop.snapkit("show", first, **place)
    restored = workshop.snapkit("restore", first, "--name", "again", **place)
    deleted = workshop.snapkit("delete", "--yes", second, **place)

    assert [0, 0, 0] == [one.code for one in made], made[0].err
    assert made[0].out == made[1].out != made[2].out
    assert {first, second} == {f"filesystem:site-a/{one['id']}" for one in rows["snapshots"]}
    assert "nightly" in shown.out
    assert (0, 0) == (restored.code, deleted.code), restored.err + deleted.err
    assert 1 == len(list((root / "site-a" / "snapshots").iterdir()))
    disks = sorted((root / "site-a" / "disks").glob("*/data/now"))
    assert ["Sunday", "Sunday"] == [path.read_text() for path in disks]


def test_what_the_example_says_about_itself_works(workshop: Workshop, example: Path) -> None:
    """The commands of its page, as they stand there; only the place is another."""
    page = (example / "README.md").read_text("utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    install, *commands = block.replace("/tmp/root", str(workshop.home / "said")).splitlines()
    python = workshop.home / "venv" / "bin" / "python"
    script = [f'snapkit() {{ "{python}" -m snapkit "$@"; }}', "set -e", *commands]
    done = subprocess.run(
        ["sh", "-c", "\n".join(script)],
        env={"PATH": os.environ["PATH"], "HOME": str(workshop.home), "COLUMNS": "200"},
        cwd=workshop.bench,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "pip install ." == install
    assert 0 == done.returncode, done.stderr
    made, _, row = done.stdout.splitlines()
    assert made.startswith("filesystem:site-a/s-")
    assert {"nightly", "available"} <= set(row.split())


@pytest.mark.parametrize(
    ("target", "code", "said"),
    [
        ("filesystem:site-a", 2, "the root of filesystem is an absolute path, none is named"),
        ("filesystem:site-a?root=relative", 2, "is an absolute path, 'relative' is not"),
        ("filesystem:site-a?root=/nowhere/at/all", 6, "No such file or directory: /nowhere/at/all"),
        ("filesystem:site-a?rot=/x", 2, "no option 'rot'"),
    ],
)
def test_mistakes_with_the_example_are_told_in_a_sentence(
    workshop: Workshop, example: Path, target: str, code: int, said: str
) -> None:
    """An adapter's errors are the user's, as snapkit's own."""
    ended = workshop.snapkit("list", "-t", target)

    assert (code, "") == (ended.code, ended.out.partition("0 snapshots")[0].strip())
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_a_new_project_is_written_installed_and_kept_from_the_wheel(workshop: Workshop) -> None:
    """The template travels in the wheel."""
    project = workshop.bench / "snapkit-harbour"
    written = workshop.run("-m", "snapkit.testing", "new", "harbour")
    installed(built(project, workshop.home / "harbour"), workshop)
    ended = workshop.suite(project)
    listed = json.loads(workshop.snapkit("providers", "-o", "json").out)

    assert (0, 6) == (written.code, len(written.out.splitlines()))
    assert 0 == ended.code, ended.out
    assert {"passed": 37, "skipped": 38} == {k: counts(ended)[k] for k in ("passed", "skipped")}
    assert "harbour" in [one["name"] for one in listed["providers"]]
    assert [] == listed["broken"]
