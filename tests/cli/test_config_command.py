"""``snapkit config``, and what the file means for the other commands."""

import os
import stat
from pathlib import Path
from typing import Any

import click
import pytest

from snapkit import fleet
from snapkit.cli.config import write_new
from snapkit.cli.options import Command, printing, reaching
from snapkit.errors import ConfigurationError
from snapkit.rate import Rate

from .conftest import Run

CANARY = "CANARY-77ab"
GOOD = f"""\
[profiles.desk]
provider = "paper"
regions = ["north"]
rate_share = 0.5

[profiles.shelf]
provider = "paper"
regions = ["south", "empty"]
options = {{ ink = "black" }}
credentials = {{ command = ["keys", "--with", "{CANARY}"] }}

[groups]
office = ["desk"]
"""


@pytest.fixture(autouse=True)
def file(paper: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return where the configuration is looked for; it is not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "config" / "snapkit" / "config.toml"
    path.parent.mkdir(parents=True)
    return path


def scopes(run: Run, *argv: str) -> list[tuple[str, str]]:
    found = run("list", "-o", "json", *argv).json["report"]["scopes"]
    return [(scope["account"], scope["region"]) for scope in found]


def desk_only(file: Path, more: str = "") -> None:
    file.write_text(GOOD.split("[profiles.shelf]", maxsplit=1)[0] + more)


def test_the_place_is_told(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For editors and scripts, whether it is there or not."""
    assert f"{file}\n" == run("config", "path").out
    assert {"path": str(file), "exists": False} == run("config", "path", "-o", "json").json
    monkeypatch.setenv("SNAPKIT_CONFIG", "/etc/other.toml")

    assert "/etc/other.toml\n" == run("config", "path").out


def test_what_it_says_is_shown_without_arguments_of_commands(run: Run, file: Path) -> None:
    """An argument may be a key; 'show' is what people paste into questions."""
    file.write_text(GOOD + '[defaults]\noutput = "csv"\n')
    shown = run("config", "show")
    record = run("config", "show", "-o", "json")

    assert (0, 0) == (shown.code, record.code)
    assert "profile   shelf\n" in shown.out
    assert "group     office: desk\n" in shown.out
    assert "defaults  output csv\n" in shown.out
    assert "  regions     south, empty\n" in shown.out
    assert "  options     ink=black\n" in shown.out
    assert "  credentials command keys with 2 arguments\n" in shown.out
    assert {"output": "csv", "group": None} == record.json["defaults"]
    assert ["desk", "shelf"] == [one["name"] for one in record.json["profiles"]]
    assert CANARY not in shown.out + record.out


def test_a_missing_file_is_said_to_be_missing(run: Run, file: Path) -> None:
    """And what writes one."""
    for action in ("show", "check"):
        ended = run("config", action)
        assert 0 == ended.code
        assert "'snapkit config init' writes it" in ended.out


def test_a_good_file_checks_out(run: Run, file: Path) -> None:
    """Nothing is sent."""
    desk_only(file)

    assert (0, "desk: ok, keys: environment\n") == (
        run("config", "check").code,
        run("config", "check").out,
    )


def test_everything_wrong_is_listed(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who repairs a file wants to do it once; what hides no secret is not hidden."""
    file.write_text(f'[profiles.a]\nprovider = "papr"\nsecret = "{CANARY}"\n[groups]\ng = []\n')
    ended = run("config", "check")

    assert 2 == ended.code
    assert 3 == ended.err.count(f"snapkit: error: {file}, line ")
    assert CANARY not in ended.out + ended.err
    assert 3 == len(run("config", "check", "-o", "json").json["problems"])


def test_a_file_that_is_not_toml_is_told_by_check_too(run: Run, file: Path) -> None:
    """It is the first command that people run then."""
    file.write_text("[profiles")
    ended = run("config", "check")

    assert (2, "") == (ended.code, ended.out)
    assert "not TOML" in ended.err


def test_a_profile_that_cannot_work_is_told(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No keys, no certificates."""
    desk_only(file)
    file.write_text(file.read_text() + 'ca_bundle = "gone.pem"\n')
    monkeypatch.delenv("PAPER_KEY")
    ended = run("config", "check")

    assert 2 == ended.code
    assert f"the CA bundle {file.parent / 'gone.pem'} is not there" in ended.out
    assert "PAPER_SECRET is set but PAPER_KEY is not" in ended.out


def test_init_offers_a_profile_for_the_keys_that_are_here(run: Run, file: Path) -> None:
    """Where they are is said; what they are is not. It lists at once."""
    file.parent.rmdir()
    ended = run("config", "init")

    assert (0, f"wrote {file}\n  profile paper: keys in environment PAPER_KEY\n") == (
        ended.code,
        ended.out,
    )
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert 0o700 == stat.S_IMODE(file.parent.stat().st_mode)
    assert "CANARY" not in file.read_text()
    assert [file] == list(file.parent.iterdir())
    assert 0 == run("config", "check").code
    assert [("paper", "north")] == scopes(run)


def test_init_finds_the_vendors_own_files(
    run: Run, file: Path, paper: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where the adapter says that there may be some."""
    monkeypatch.delenv("PAPER_KEY")
    monkeypatch.delenv("PAPER_SECRET")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(paper.PaperDriver, "credential_files", ("~/.none", "~/.paper"))
    (tmp_path / ".paper").write_text(CANARY)
    ended = run("config", "init")

    assert f"profile paper: keys in {tmp_path}/.paper" in ended.out
    assert CANARY not in file.read_text()
    assert f"# Keys: {tmp_path}/.paper\n[profiles.paper]\n" in file.read_text()


def test_without_keys_init_writes_an_example(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With everything in it a comment, so that it is right as it stands."""
    monkeypatch.delenv("PAPER_KEY")
    monkeypatch.delenv("PAPER_SECRET")

    assert "no keys were found" in run("config", "init").out
    assert 0 == run("config", "check").code
    assert "# [profiles.NAME]" in file.read_text()


def test_check_looks_for_keys_where_a_profile_says(run: Run, file: Path) -> None:
    """And says what is wrong with the place; the command is not run."""
    file.write_text(GOOD + '[profiles.odd]\nprovider = "paper"\ncredentials = {sauce = "x"}\n')
    ended = run("config", "check")

    assert 2 == ended.code
    assert "shelf: ok, keys: command keys with 2 arguments\n" in ended.out
    assert "odd: ok" not in ended.out
    assert CANARY not in ended.out


def test_init_never_replaces_unasked(run: Run, file: Path) -> None:
    """A file by hand is an afternoon's work."""
    file.write_text(GOOD)
    ended = run("config", "init")

    assert (2, GOOD) == (ended.code, file.read_text())
    assert "is there already; --force replaces it" in ended.err
    assert [file] == list(file.parent.iterdir())
    assert 0 == run("config", "init", "--force").code
    assert "[profiles.paper]" in file.read_text()
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_a_file_system_without_links_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And there too nothing is replaced."""

    def refuse(*_paths: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    place = tmp_path / "new" / "f"
    write_new(place, "one")

    with pytest.raises(ConfigurationError, match="is there already"):
        write_new(place, "two")
    assert "one" == place.read_text()
    assert [place] == list(place.parent.iterdir())


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (("-t", "desk"), [("desk", "north")]),
        (("-t", "office"), [("desk", "north")]),
        (("-t", "office", "-t", "desk"), [("desk", "north")]),
        (("-t", "desk", "-t", "paper:me@south"), [("desk", "north"), ("me", "south")]),
        ((), [("desk", "north")]),
    ],
    ids=lambda one: " ".join(map(str, one)),
)
def test_profiles_and_groups_are_targets(
    run: Run, file: Path, argv: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    """Each place once; without a target, all of the file."""
    desk_only(file, '[groups]\noffice = ["desk"]\n')

    assert expected == scopes(run, *argv)


def test_the_environment_comes_before_the_file(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that is set up for one task says so."""
    desk_only(file)
    monkeypatch.setenv("SNAPKIT_TARGETS", "paper:south desk")

    assert [("", "south"), ("desk", "north")] == scopes(run)


def test_a_providers_name_still_is_a_target(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the region of the environment, unless a profile has the name."""
    desk_only(file)
    monkeypatch.setenv("PAPER_REGION", "south")

    assert [("", "south")] == scopes(run, "-t", "paper")


def test_an_unknown_name_is_one_sentence(run: Run, file: Path) -> None:
    """With the nearest that there is."""
    desk_only(file)
    ended = run("list", "-t", "deks")

    assert (2, "") == (ended.code, ended.out)
    assert "no profile or target group 'deks'" in ended.err
    assert "did you mean 'desk'?" in ended.err


def test_defaults_are_those_of_the_options(
    run: Run, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is said on the command line wins; the rate share of profiles holds too."""
    desk_only(file, '[defaults]\noutput = "ndjson"\nworkers = 3\ntimeout = 5\ngroup = "desk"\n')
    asked: list[dict[str, Any]] = []
    listed = fleet.sweep

    def spy(*given: Any, **more: Any) -> Any:
        asked.append(more)
        return listed(*given, **more)

    monkeypatch.setattr(fleet, "sweep", spy)

    assert 3 == run("list", "-q").out.count('{"ref": ')
    assert run("list", "-o", "csv", "--workers", "2").out.startswith('"ref",')
    assert [(3, 5.0), (2, 5.0)] == [(one["workers"], one["timeout"]) for one in asked]
    bucket = asked[0]["limiter"].bucket(("paper", "desk", "", ""), Rate(per_second=10.0))
    assert 4.5 == bucket.full


def test_a_default_that_a_command_does_not_offer_is_not_for_it(run: Run, file: Path) -> None:
    """A spreadsheet for listings is no reason for another command to fail."""
    desk_only(file, '[defaults]\noutput = "csv"\nworkers = 3\n')
    seen: list[dict[str, Any]] = []

    @click.command("see", cls=Command)
    @reaching
    @printing
    def see(**given: Any) -> None:
        seen.append(given)

    see.main([], standalone_mode=False)

    assert [("table", 3)] == [(one["output"], one["workers"]) for one in seen]


def test_a_broken_file_stops_a_listing_but_not_its_help(run: Run, file: Path) -> None:
    """Half a configuration would be a short list."""
    file.write_text("[defaults]\nwrokers = 3\n")
    ended = run("list", "-t", "paper:north")

    assert (2, "") == (ended.code, ended.out)
    assert "line 2, column 1: unknown key 'wrokers'; did you mean 'workers'?" in ended.err
    assert 1 == len(ended.err.splitlines())
    assert 0 == run("list", "--help").code


def test_a_warning_about_the_file_is_told_once(run: Run, file: Path) -> None:
    """On stderr, in the voice of the other warnings."""
    file.write_text(GOOD)
    file.chmod(0o666)
    ended = run("config", "show")

    assert 1 == ended.err.count("snapkit: warning: ")
    assert "others may write it" in ended.err


def test_a_reference_is_opened_as_its_profile_says(
    run: Run, file: Path, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was listed with an account can be shown and deleted with it."""
    desk_only(file, '[profiles.desk.options]\nink = "black"\n')
    opened: list[Any] = []

    def remember(driver: Any, connection: Any) -> None:
        driver.connection = connection
        opened.append((connection.account, connection.options))

    monkeypatch.setattr(paper.PaperDriver, "__init__", remember)

    assert 0 == run("show", "paper:desk@north/s-1").code
    assert 0 == run("show", "paper:other@north/s-1").code
    assert [("desk", {"ink": "black"}), ("other", {"ink": "blue"})] == opened


def test_a_name_that_commands_a_terminal_is_made_visible(run: Run, file: Path) -> None:
    """The file may come from somebody else."""
    file.write_text('[profiles."a\\u001b[2J"]\nprovider = "paper"\n')
    ended = run("config", "check")

    assert "\x1b" not in ended.out + ended.err
    assert 2 == ended.code


@pytest.mark.parametrize("word", ["nonsense", "jsn", "parquet"])
def test_an_output_that_is_none_is_told_with_its_place(run: Run, file: Path, word: str) -> None:
    """As every other mistake in the file; parquet needs a folder, so it is no default."""
    desk_only(file, f'[defaults]\nworkers = 3\noutput = "{word}"\n')
    line = file.read_text().splitlines().index(f'output = "{word}"') + 1
    ended = run("list")

    assert (2, "") == (ended.code, ended.out)
    assert f"{file}, line {line}, column 1: no output format '{word}'; " in ended.err
    assert "known: csv, json, ndjson, table, yaml" in ended.err
    assert ended.err.splitlines() == run("config", "check").err.splitlines()


def test_every_output_but_files_can_be_the_default(run: Run, file: Path) -> None:
    """What the option offers and what the file takes are one list."""
    from snapkit.cli.sinks import _SINKS  # pyright: ignore[reportPrivateUsage]
    from snapkit.profile import OUTPUTS

    assert {*OUTPUTS, "parquet"} == set(_SINKS)
    for word in OUTPUTS:
        desk_only(file, f'[defaults]\noutput = "{word.upper()}"\n')
        assert 0 == run("list", "-q").code
