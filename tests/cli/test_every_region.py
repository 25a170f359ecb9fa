"""``-t 'provider:*'``: every region that the account has."""

from pathlib import Path
from typing import Any

import pytest

from snapkit.errors import PermissionDeniedError
from snapkit.model import Region

from .conftest import Run


@pytest.fixture(autouse=True)
def regions(paper: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Return the regions that the provider names when it is asked, and where it was asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked: list[str] = []

    def answer(self: Any) -> list[Region]:
        asked.append(self.connection.account)
        if "regions" in self.failures:
            raise self.failures["regions"]
        return [Region(provider="paper", id=one, name=one, open=True) for one in ("north", "south")]

    monkeypatch.setattr(paper.PaperDriver, "list_regions", answer)
    return asked


def places(run: Run, *argv: str) -> list[tuple[str, str]]:
    found = run("list", "-o", "json", *argv).json["report"]["scopes"]
    return [(scope["account"], scope["region"]) for scope in found]


@pytest.mark.parametrize("word", ["*", "all"])
def test_it_stands_for_every_region(run: Run, regions: list[str], word: str) -> None:
    """As regions = "all" does in a profile; 'all' needs no quotes in a shell."""
    assert [("", "north"), ("", "south")] == places(run, "-t", f"paper:{word}")


def test_it_keeps_the_account_and_its_place_among_others(run: Run, regions: list[str]) -> None:
    """The answer is asked for once a day and account."""
    asked = ("-t", "paper:east", "-t", "paper:team@*?ink=black", "-t", "paper:west")
    expected = [("", "east"), ("team", "north"), ("team", "south"), ("", "west")]

    assert expected == places(run, *asked)
    assert expected == places(run, *asked)
    assert ["team"] == regions


def test_an_answer_that_is_refused_is_a_region_that_was_not_seen(
    run: Run, paper: Any, regions: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other targets are listed, and the exit code says that it is not all."""
    listed = paper.PaperDriver.list_snapshots

    def with_keys(self: Any, query: Any, **more: Any) -> Any:
        self.connection.transport.credentials.get()
        return listed(self, query, **more)

    monkeypatch.setattr(paper.PaperDriver, "list_snapshots", with_keys)
    paper.PaperDriver.failures = {"regions": PermissionDeniedError("no", code="Forbidden")}
    ended = run("list", "-t", "paper:team@*", "-t", "paper:north", "-q")

    assert 3 == ended.code
    assert "not seen: paper:team@all: denied: Forbidden: no" in ended.err
    assert 1 == len(regions)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("paper:nor*", "has a pattern for regions; '*' stands alone"),
        ("paper:north,*", "names all regions and others too"),
        ("paper:*,*", "names all regions and others too"),
        ("papre:*", "no provider 'papre'; did you mean 'paper'?"),
        ("*", "no provider '*'"),
        ("paper:*?pen=1", "pen"),
        ("paper:a/b@*", "cannot read the target"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_sentence(
    run: Run, regions: list[str], target: str, words: str
) -> None:
    """And nobody is asked anything."""
    ended = run("list", "-t", target)

    assert (2, "", 1) == (ended.code, ended.out, len(ended.err.splitlines()))
    assert words in ended.err
    assert [] == regions


def test_one_region_is_needed_to_make_something(run: Run, regions: list[str]) -> None:
    """A snapshot is made in one place."""
    ended = run("create", "paper:*", "d-1")

    assert (2, "") == (ended.code, ended.out)
    assert "'*' is not a region" in ended.err
