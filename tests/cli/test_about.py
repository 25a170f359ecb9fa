"""``show``, ``providers``, ``regions`` and the help."""

import subprocess
import sys
from typing import Any

import click
import pytest

from snapkit import __version__
from snapkit.cli import commands
from snapkit.credentials import Credentials, StaticSource
from snapkit.errors import CredentialsMissingError, PermissionDeniedError
from snapkit.model import SnapshotStatus
from snapkit.sources import KeyPlace, Surroundings

from .conftest import Run


def test_a_snapshot_is_shown_as_titles_and_values(run: Run, paper: Any) -> None:
    """What is not said is left out."""
    ended = run("show", "paper:north/s-1")
    facts = dict(line.split("  ", 1) for line in ended.out.splitlines())

    assert 0 == ended.code
    assert "available" == facts["status"].strip()
    assert "40 GiB" == facts["size"].strip()
    assert "kms key id" not in facts


def test_a_snapshot_is_shown_as_json(run: Run, paper: Any) -> None:
    """The raw row only on request."""
    assert "raw" not in run("show", "paper:north/s-1", "-o", "json").json
    assert "s-1" == run("show", "paper:north/s-1", "-o", "json", "--raw").json["raw"]["Id"]


def test_a_raw_row_is_inert_among_lines(run: Run, paper: Any) -> None:
    """It is the provider's text, on a terminal."""
    hostile = paper.snapshot("s-1", raw={"Name": paper.HOSTILE})
    paper.PaperDriver.rows["north"] = [hostile]

    assert "\x1b" not in run("show", "paper:north/s-1", "--raw").out


def test_a_deleted_snapshot_can_be_looked_at(run: Run, paper: Any) -> None:
    """What 'list --deleted' prints must be found again."""
    gone = paper.snapshot("s-1", status=SnapshotStatus.DELETED)
    paper.PaperDriver.rows["north"] = [gone]

    assert "deleted" == run("show", "paper:north/s-1", "-o", "json").json["status"]


@pytest.mark.parametrize("ref", ["paper:north/group/g-1", "paper:north/g-1"])
def test_a_group_is_shown_with_its_members(run: Run, paper: Any, ref: str) -> None:
    """An id alone is looked for among the groups too."""
    ended = run("show", ref)

    assert 0 == ended.code
    assert "paper:north/group/g-1" in ended.out
    assert ["s-1", "s-2"] == [line.split()[0] for line in ended.out.splitlines()[-2:]]


def test_providers_are_shown_with_their_keys(
    run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first question of a newcomer, and never the values."""
    out = run("providers").out

    assert "snapkit list -t paper:north" in out
    assert "PAPER_KEY and PAPER_SECRET" in out
    assert "set (environment PAPER_KEY)" in out
    assert "blue|black  colour of the ink" in out
    assert "CANARY" not in out
    monkeypatch.delenv("PAPER_KEY")
    assert "incomplete: " in run("providers").out
    monkeypatch.delenv("PAPER_SECRET")
    assert "not set" in run("providers").out


def test_providers_are_shown_as_json(run: Run, paper: Any) -> None:
    """For tools that offer a choice."""
    (row,) = run("providers", "-o", "json").json["providers"]

    assert "paper" == row["name"]
    assert ["groups", "regions"] == row["capabilities"]
    assert ["PAPER_TOKEN"] == row["environment"]["keys"][0]["tokens"]
    assert ["blue", "black"] == row["options"]["ink"]["choices"]


def test_regions_are_asked_for(run: Run, paper: Any) -> None:
    """By default of every provider with keys."""
    assert ["paper", "north", "北方", "yes"] == run("regions").out.splitlines()[1].split()
    assert "north" == run("regions", "paper", "-o", "json").json["regions"][0]["id"]


@pytest.fixture
def vendor_file(paper: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Keep the keys in a file of the vendor's own tool; the test may change what it gives."""
    found: dict[str, Any] = {"keys": StaticSource(Credentials(key_id="k", secret="CANARY-file"))}

    def find(_: Surroundings) -> Any:
        if isinstance(found["keys"], Exception):
            raise found["keys"]
        return found["keys"]

    def places(_: Any) -> list[KeyPlace]:
        return [KeyPlace("~/.paper/keys.json", find)]

    monkeypatch.setattr(paper.PaperDriver, "key_sources", classmethod(places))
    for name in ("PAPER_KEY", "PAPER_SECRET"):
        monkeypatch.delenv(name)
    return found


def test_keys_in_a_vendors_file_count(run: Run, vendor_file: Any) -> None:
    """They do for every other command, so these two must not say that there are none."""
    assert "set (given explicitly)" in run("providers").out
    assert ["paper", "north"] == run("regions").out.splitlines()[1].split()[:2]
    (row,) = run("providers", "-o", "json").json["providers"]
    assert row["credentials"].startswith("set (")


def test_keys_that_renew_themselves_are_named_by_their_place(run: Run, vendor_file: Any) -> None:
    """Nothing is sent, so nobody is asked for them either."""

    class Never:
        def get(self) -> Credentials:
            raise AssertionError("asked")

        def refresh(self, stale: Credentials) -> bool:
            raise AssertionError("asked")

    vendor_file["keys"] = Never()

    assert "set (~/.paper/keys.json)" in run("providers").out


def test_a_broken_file_is_not_the_same_as_no_file(run: Run, vendor_file: Any) -> None:
    """Who has half of it needs the other half, not all of it."""
    vendor_file["keys"] = CredentialsMissingError("~/.paper/keys.json is cut off")
    assert "incomplete: ~/.paper/keys.json is cut off" in run("providers").out
    assert "paper: ~/.paper/keys.json is cut off" in run("regions").err
    vendor_file["keys"] = None

    assert "not set" in run("providers").out
    ended = run("regions")
    assert (4, "") == (ended.code, ended.out)
    assert "no provider has keys in the environment or in the files" in ended.err


YAML = [
    ("show", "paper:north/s-1"),
    ("show", "paper:north/g-1", "--raw"),
    ("providers",),
    ("regions",),
    ("regions", "paper"),
    ("config", "show"),
    ("config", "check"),
    ("config", "path"),
]


@pytest.mark.parametrize("argv", YAML, ids=" ".join)
def test_yaml_has_the_values_of_json(run: Run, paper: Any, argv: tuple[str, ...]) -> None:
    """Every command that has one has the other."""
    yaml: Any = pytest.importorskip("yaml")

    assert run(*argv, "-o", "json").json == yaml.safe_load(run(*argv, "-o", "yaml").out)


def test_every_command_that_has_json_has_yaml() -> None:
    """A tool that reads YAML reads all of it."""
    context = click.Context(commands)
    for name in commands.list_commands(context):
        command = commands.get_command(context, name)
        assert command is not None
        for one in command.params:
            if one.name == "output" and isinstance(one.type, click.Choice):
                assert "json" not in one.type.choices or "yaml" in one.type.choices


def test_regions_that_are_refused_are_named(run: Run, paper: Any) -> None:
    """And the code says that it is a matter of keys."""
    paper.PaperDriver.failures = {"regions": PermissionDeniedError("no", code="Forbidden")}
    ended = run("regions", "-o", "json")

    assert 4 == ended.code
    assert "Forbidden" == ended.json["errors"]["paper"]["code"]
    assert "snapkit: error: paper: Forbidden: no" in ended.err


NAMES = ["list", "groups", "show", "providers", "regions", "demo", "emulator"]


@pytest.mark.parametrize("name", NAMES)
def test_each_help_tells_its_options_and_examples(run: Run, name: str) -> None:
    """The help is the manual that is always there."""
    ended = run(name, "--help")
    command = commands.get_command(None, name)  # type: ignore[arg-type]  # not used

    assert 0 == ended.code
    assert command is not None
    assert "Examples:" in ended.out
    for parameter in command.params:
        long = [option for option in parameter.opts if option.startswith("--")]
        assert all(option in ended.out for option in long)


@pytest.mark.parametrize("argv", [(), ("--help",), ("-h",)], ids=["none", "long", "short"])
def test_the_main_help_has_commands_and_exit_codes(run: Run, argv: tuple[str, ...]) -> None:
    """Calling it without anything is a question, not an error."""
    ended = run(*argv)

    assert 0 == ended.code
    assert all(f"  {name} " in ended.out for name in NAMES)
    assert "Exit codes:" in ended.out


def test_the_version_is_printed(run: Run) -> None:
    """The first thing a report of a bug needs."""
    assert f"snapkit {__version__}\n" == run("--version").out


def test_help_and_version_load_nothing_heavy(child_environment: dict[str, str]) -> None:
    """A shell completes and asks for help all the time."""
    program = (
        "import sys; from snapkit.cli import main; main(['--help']); main(['--version']);"
        "sys.exit(sorted({'requests', 'urllib3', 'rich', 'attrs'} & set(sys.modules)) != [])"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env=child_environment, capture_output=True, check=False
    )

    assert 0 == ended.returncode


def test_shells_complete_words_of_filters(child_environment: dict[str, str]) -> None:
    """The words are many."""
    ended = subprocess.run(
        [sys.executable, "-m", "snapkit"],
        env=child_environment
        | {
            "_SNAPKIT_COMPLETE": "bash_complete",
            "COMP_WORDS": "snapkit list --status failed,av",
            "COMP_CWORD": "3",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert "plain,failed,available\n" == ended.stdout
