"""All or nothing: ``--fail-on-partial``, Parquet files, and rows in a stable order."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from snapkit import tables
from snapkit.errors import ConfigurationError, PermissionDeniedError, ThrottledError

from .conftest import Run

FORMS = ["table", "json", "ndjson", "csv", "yaml"]
BOTH = ("-t", "paper:north,south")


@pytest.fixture
def partial(paper: Any) -> Any:
    """Let one of two regions refuse."""
    paper.PaperDriver.failures = {"south": PermissionDeniedError("not yours", code="Forbidden")}
    return paper


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_written_unless_all_answered(run: Run, partial: Any, form: str) -> None:
    """A script that replaces yesterday's inventory must not replace it with half of one."""
    ended = run("list", *BOTH, "-o", form, "--fail-on-partial")

    assert (3, "") == (ended.code, ended.out)
    assert "nothing written: --fail-on-partial is given, and 1 of 2 regions" in ended.err
    assert "not seen: paper:south: denied: " in ended.err
    assert "3 snapshots" not in ended.err


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sort", [(), ("--sort", "-id")], ids=["as listed", "sorted"])
def test_a_whole_listing_is_the_same_with_and_without(
    run: Run, paper: Any, form: str, sort: tuple[str, ...]
) -> None:
    """The option changes when rows are written, not what."""
    asked = ("list", "-t", "paper:north", "-o", form, *sort)
    with_and_without = [run(*asked, *extra).out for extra in ((), ("--fail-on-partial",))]
    timeless = {re.sub(r"(seconds\W+)[0-9.e-]+", r"\1", out) for out in with_and_without}

    assert 1 == len(timeless)


def test_without_it_the_rest_is_printed_with_the_same_code(run: Run, partial: Any) -> None:
    """Three means partial, in both cases."""
    ended = run("list", *BOTH, "-o", "ndjson")

    assert 3 == ended.code
    assert 4 == len(ended.out.splitlines())


def test_a_listing_that_failed_everywhere_keeps_its_code(run: Run, partial: Any) -> None:
    """Nothing seen is not a partial answer."""
    ended = run("list", "-t", "paper:south", "--fail-on-partial", "-o", "json")

    assert (4, "") == (ended.code, ended.out)
    assert "error: paper:south: denied" in ended.err


def test_rows_that_could_not_all_be_read_count_as_partial(run: Run, paper: Any) -> None:
    """Two pages and a refusal are not a whole region."""
    paper.PaperDriver.failures = {"north": ThrottledError("slower")}

    assert (3, "") == (
        (ended := run("groups", "-t", "paper:north", "--fail-on-partial", "-o", "csv")).code,
        ended.out,
    )


@pytest.fixture
def parquet() -> Any:
    return pytest.importorskip("pyarrow.parquet")


def test_parquet_goes_into_a_folder_and_its_paths_to_stdout(
    run: Run, paper: Any, parquet: Any, tmp_path: Path
) -> None:
    """A data set for other programs, and what a script needs to find it."""
    ended = run("list", "-t", "paper:north", "-o", "parquet", "--into", str(tmp_path))
    (path,) = ended.out.splitlines()

    assert 0 == ended.code
    assert path.startswith(str(tmp_path / "provider=paper" / "region=north"))
    assert ["s-1", "s-2", "s-3"] == sorted(parquet.ParquetFile(path).read()["id"].to_pylist())
    assert ended.err.startswith("3 snapshots, 120 GiB in 1 region")


def test_files_are_not_put_in_place_unless_all_answered(
    run: Run, partial: Any, parquet: Any, tmp_path: Path
) -> None:
    """What was there stays."""
    asked = ("list", *BOTH, "-o", "parquet", "--into", str(tmp_path))
    ended = run(*asked, "--fail-on-partial")

    assert (3, "") == (ended.code, ended.out)
    assert [] == list(tmp_path.iterdir())
    assert (3, 1) == ((ended := run(*asked)).code, len(ended.out.splitlines()))


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("list", "-o", "parquet"), "say which with --into DIR"),
        (("groups", "-o", "parquet", "--into", "x"), "not for groups"),
        (("list", "-o", "parquet", "--into", "x", "--columns", "id"), "leave --columns out"),
        (("list", "-o", "csv", "--into", "x"), "--into is for parquet"),
    ],
    ids=["no folder", "groups", "columns", "csv"],
)
def test_what_cannot_become_parquet_is_told_before_listing(
    run: Run, paper: Any, parquet: Any, argv: tuple[str, ...], words: str
) -> None:
    """Ten minutes of listing for a mistyped option are ten minutes lost."""
    ended = run(*argv, "-t", "paper:north")

    assert (2, "") == (ended.code, ended.out)
    assert words in ended.err


def test_without_pyarrow_the_way_to_get_it_is_told_at_once(
    run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It is an extra."""

    def missing() -> Any:
        raise ConfigurationError("pyarrow is not installed", hint="install it")

    monkeypatch.setattr(tables, "_arrow", missing)
    ended = run("list", "-t", "paper:north", "-o", "parquet", "--into", str(tmp_path))

    assert (2, "") == (ended.code, ended.out)
    assert "snapkit: error: pyarrow is not installed; install it\n" == ended.err


def test_ordered_rows_follow_the_targets(
    run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs can be compared line by line, whichever region answers first."""
    import threading

    make = paper.snapshot
    paper.PaperDriver.rows = {
        "slow": [make("a-1", "slow")],
        "quick": [make("b-1", "quick"), make("b-2", "quick")],
    }
    ready, listed = threading.Event(), paper.PaperDriver.list_snapshots

    def held(self: Any, query: Any, **more: Any) -> Any:
        if self.connection.region == "slow":
            assert ready.wait(20)
        page = listed(self, query, **more)
        if self.connection.region == "quick":
            ready.set()
        return page

    monkeypatch.setattr(paper.PaperDriver, "list_snapshots", held)
    ended = run("list", "-t", "paper:slow,quick", "--ordered", "-o", "ndjson")

    assert ["a-1", "b-1", "b-2"] == [json.loads(line)["id"] for line in ended.out.splitlines()[:-1]]
