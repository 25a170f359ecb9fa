"""``--progress``: people and programs learn how far a listing is, on stderr."""

import json
from typing import Any

import pytest

from snapkit.cli.following import Follower
from snapkit.cli.progress import sentence, together
from snapkit.errors import PermissionDeniedError
from snapkit.listing import Outcome, Report, Scope, ScopeReport
from snapkit.model import Kind
from snapkit.sweeping import SweepProgress
from snapkit.waiting import Progress

from .conftest import Ended, Run

HERE = ("-t", "paper:north,south")


def report(*outcomes: Outcome, rows: int = 0) -> Report:
    return Report(
        tuple(
            ScopeReport(
                scope=Scope(provider="paper", account="", region=f"r{n}", kind=Kind.SNAPSHOT),
                outcome=outcome,
                rows=rows,
                matched=rows,
            )
            for n, outcome in enumerate(outcomes)
        )
    )


def objects(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.err.splitlines() if line.startswith("{")]


def test_json_tells_the_end_of_each_region_and_of_all(run: Run, paper: Any) -> None:
    """A tool shows a bar and names what failed, without reading sentences."""
    paper.PaperDriver.failures = {"south": PermissionDeniedError("no", code="Forbidden")}
    ended = run("list", *HERE, "--progress", "json", "-o", "ndjson")
    told = objects(ended)
    scopes = {one["scope"]["region"]: one["scope"] for one in told if one["event"] == "scope"}

    assert 3 == ended.code
    assert {"north": "ok", "south": "denied"} == {
        region: scope["outcome"] for region, scope in scopes.items()
    }
    assert (3, True) == (scopes["north"]["rows"], scopes["north"]["complete"])
    assert "Forbidden" == scopes["south"]["error"]["code"]
    assert [1, 2, 2] == [one["scopes_done"] for one in told]
    assert {2} == {one["scopes_total"] for one in told}
    last = told[-1]
    assert ("end", 3, False, None) == (
        last["event"],
        last["rows"],
        last["complete"],
        last["scope"],
    )


def test_json_leaves_totals_to_the_last_object(run: Run, paper: Any) -> None:
    """But what could not be seen is still said to people, and stdout has data only."""
    ended = run("list", "-t", "paper:north", "--progress", "json")

    assert objects(ended)[-1]["complete"] is True
    assert all(line.startswith("{") for line in ended.err.splitlines())
    assert "event" not in ended.out


def test_quiet_does_not_silence_what_was_asked_for(run: Run, paper: Any) -> None:
    """-q is for people; a tool that asks for progress gets it."""
    assert objects(run("list", *HERE, "-q", "--progress", "json"))
    assert "" == run("list", "-t", "paper:north", "-q").err


@pytest.mark.parametrize(("way", "lines"), [("none", 0), ("auto", 0), ("plain", 1)])
def test_a_pipe_gets_lines_only_on_request(run: Run, paper: Any, way: str, lines: int) -> None:
    """Logs full of spinners are of no use."""
    said = run("list", "-t", "paper:north", "-q", "--progress", way).err

    assert lines == said.count("listing snapshots: 1 region, 3 rows")


def test_json_says_so_when_regions_are_late(run: Run, paper: Any) -> None:
    """Each region gets its line, also one that never answered."""
    seen: list[str] = []
    following = Follower("snapshots", "json", write=seen.append, clock=iter((0.0, 9.0)).__next__)
    now = report(Outcome.OK, Outcome.RUNNING, rows=4)
    with following.follow(lambda: now):
        following.told(SweepProgress(done=1, total=2, rows=4, seconds=2.0))
        now = report(Outcome.OK, Outcome.TIMED_OUT, rows=4)
    told = [json.loads(line) for line in seen]

    assert [("scope", 1), ("scope", 2), ("end", 2)] == [
        (one["event"], one["scopes_done"]) for one in told
    ]
    assert (9.0, 0.4) == (told[-1]["seconds"], told[-1]["rows_per_second"])


def test_pages_are_told_once_a_second_and_no_oftener() -> None:
    """A hundred pages a second would drown the reader."""
    seen: list[str] = []
    following = Follower("snapshots", "json", write=seen.append, clock=lambda: 0.0)
    with following.follow(lambda: report(Outcome.RUNNING)):
        for tenths in range(1, 31):
            following.told(SweepProgress(done=0, total=1, rows=tenths * 10, seconds=tenths / 10))
        told = [json.loads(line) for line in seen]

    assert [("page", 100), ("page", 200), ("page", 300)] == [
        (one["event"], one["rows"]) for one in told
    ]
    assert {100.0} == {one["rows_per_second"] for one in told}


def test_plain_lines_come_now_and_then() -> None:
    """A build log shows that something happens, and not more."""
    seen: list[str] = []
    following = Follower("groups", "plain", write=seen.append, clock=iter((0.0, 12.0)).__next__)
    now = report(Outcome.OK, Outcome.RUNNING, rows=600)
    with following.follow(lambda: now):
        for second in range(1, 12):
            following.told(SweepProgress(done=0, total=2, rows=0, seconds=float(second)))

    assert [
        "listing groups: 1 of 2 regions, 1,200 rows, 240 rows/s",
        "listing groups: 1 of 2 regions, 1,200 rows, 120 rows/s",
        "listing groups: 1 of 2 regions, 1,200 rows, 100 rows/s",
    ] == seen


def test_a_rate_is_told_when_there_is_one() -> None:
    """Three rows in a hundredth of a second are no speed."""
    found = report(Outcome.RUNNING, rows=3)

    assert "listing snapshots: 1 region, 3 rows" == sentence("snapshots", found, 0.01)
    assert "listing snapshots: 1 region, 3 rows, 2 rows/s" == sentence("snapshots", found, 2.0)


def test_several_waits_are_one() -> None:
    """One line for all places; the slowest says when it is over."""

    def far(done: int, share: float | None, eta: float | None) -> Progress:
        return Progress(waited=1, done=done, total=2, progress=share, eta=eta, snapshots=())

    both = together([far(1, 50.0, 10.0), far(0, 30.0, 80.0)])

    assert together([]) is None
    assert both is not None
    assert (1, 4, 40.0, 80.0) == (both.done, both.total, both.progress, both.eta)
    vague = together([far(1, None, None), far(2, 100.0, None)])
    assert vague is not None
    assert (3, None, None) == (vague.done, vague.progress, vague.eta)
