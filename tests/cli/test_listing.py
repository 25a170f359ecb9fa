"""``list`` and ``groups``: rows on stdout, all else on stderr, nothing missing in silence."""

import csv
import io
import json
from typing import Any

import pytest

from snapkit.errors import (
    CredentialsMissingError,
    PermissionDeniedError,
    ThrottledError,
)
from snapkit.model import SnapshotStatus

from .conftest import Run

HERE = ("-t", "paper:north")


def test_a_table_has_a_line_for_each_snapshot(run: Run, paper: Any) -> None:
    """The thirty-second example."""
    ended = run("list", *HERE)

    assert 0 == ended.code
    assert ["PROVIDER", "REGION", "ID"] == ended.out.split()[:3]
    assert 4 == len(ended.out.splitlines())
    assert "40 GiB" in ended.out
    assert "2026-03-01 06:00Z" in ended.out
    assert "3 snapshots, 120 GiB in 1 region\n" == ended.err


def test_a_piped_table_has_no_colours_and_no_trailing_blanks(run: Run, paper: Any) -> None:
    """Pipes are read by programs."""
    out = run("list", *HERE).out

    assert "\x1b" not in out
    assert all(line == line.rstrip() for line in out.splitlines())


def test_json_is_one_object_with_the_report(run: Run, paper: Any) -> None:
    """A program must learn what is missing from the same document."""
    found = run("list", *HERE, "-o", "json").json

    first = found["snapshots"][0]
    assert ["s-1", "s-2", "s-3"] == [row["id"] for row in found["snapshots"]]
    assert "paper:north/s-1" == first["ref"]
    assert 40 * 1024**3 == first["size_bytes"]
    assert "2026-03-01T06:00:00Z" == first["created_at"]
    assert "system" == first["source"]["role"]
    assert {"env": "prod"} == first["tags"]
    assert first["cut_at"] is None
    assert "raw" not in first
    assert found["report"]["complete"] is True
    assert "ok" == found["report"]["scopes"][0]["outcome"]


def test_ndjson_ends_with_the_report(run: Run, paper: Any) -> None:
    """Whoever reads line by line learns at the end whether it was all."""
    lines = [json.loads(line) for line in run("list", *HERE, "-o", "ndjson").out.splitlines()]

    assert ["s-1", "s-2", "s-3"] == [row["id"] for row in lines[:-1]]
    assert {"report"} == set(lines[-1])


def test_an_empty_listing_is_valid_json_and_not_an_error(run: Run, paper: Any) -> None:
    """Empty and denied are different answers."""
    ended = run("list", "-t", "paper:empty", "-o", "json")

    assert 0 == ended.code
    assert [] == ended.json["snapshots"]
    assert "empty" == ended.json["report"]["scopes"][0]["outcome"]


def test_an_empty_table_says_so_on_stderr(run: Run, paper: Any) -> None:
    """Headings over nothing look like a failure."""
    ended = run("list", "-t", "paper:empty")

    assert (0, "", "0 snapshots in 1 region\n") == (ended.code, ended.out, ended.err)


def test_raw_rows_are_given_on_request(run: Run, paper: Any) -> None:
    """What the model leaves out is still there."""
    found = run("list", *HERE, "-o", "json", "--raw").json

    assert {"Id": "s-1", "Secret": 1.5} == found["snapshots"][0]["raw"]


def test_csv_has_every_column_unless_chosen(run: Run, paper: Any) -> None:
    """A file has room."""
    rows = list(csv.DictReader(io.StringIO(run("list", *HERE, "-o", "csv").out)))

    assert "s-1" == rows[0]["id"]
    assert str(40 * 1024**3) == rows[0]["size_bytes"]
    assert "false" == rows[0]["encrypted"]
    assert "system" == rows[0]["source.role"]


def test_columns_are_chosen_in_order(run: Run, paper: Any) -> None:
    """The same names work in every format."""
    asked = ("list", *HERE, "--columns", "size,id")

    assert ["SIZE", "ID"] == run(*asked).out.split()[:2]
    assert {"size_bytes": 40 * 1024**3, "id": "s-1"} == run(*asked, "-o", "json").json["snapshots"][
        0
    ]
    assert '"size_bytes","id"' == run(*asked, "-o", "csv").out.splitlines()[0]


def test_all_columns_can_be_had(run: Run, paper: Any) -> None:
    """For those who do not know yet what they look for."""
    heading = run("list", *HERE, "--all-columns").out.splitlines()[0]

    assert "KMS KEY ID" in heading


def test_rows_are_sorted_over_all_regions(run: Run, paper: Any) -> None:
    """The largest of everything, not of one region."""
    make = paper.snapshot
    paper.PaperDriver.rows = {
        "north": [make("n-1", size_bytes=1), make("n-2", size_bytes=3)],
        "south": [make("m-1", "south", size_bytes=2)],
    }
    ended = run("list", "-t", "paper:north,south", "-o", "json", "--sort", "-size")

    assert ["n-2", "m-1", "n-1"] == [row["id"] for row in ended.json["snapshots"]]


def test_a_table_keeps_regions_together_in_the_order_asked_for(run: Run, paper: Any) -> None:
    """Which region answers first is chance."""
    paper.PaperDriver.rows["aaa"] = [paper.snapshot("s-9", "aaa")]
    out = run("list", "-t", "paper:north,aaa", "--columns", "id").out

    assert ["ID", "s-1", "s-2", "s-3", "s-9"] == out.split()


HOSTILE = ("list", *HERE, "--columns", "name")


@pytest.mark.faults(70)
def test_a_hostile_name_is_inert_in_a_table(run: Run, paper: Any) -> None:
    """A snapshot's name must not recolour, rewrite or reverse a terminal."""
    paper.PaperDriver.rows["north"] = [paper.snapshot("s-1", name=paper.HOSTILE)]
    line = run(*HOSTILE).out.splitlines()[1]

    assert "\\x1b[31m=HYPERLINK(1)\\x0d\\x0a\\u202etxt\\u200b\\ud800魔" == line


@pytest.mark.faults(70)
def test_a_hostile_name_is_inert_in_csv(run: Run, paper: Any) -> None:
    """A snapshot's name must not become a formula."""
    paper.PaperDriver.rows["north"] = [paper.snapshot("s-1", name=paper.FORMULA)]

    assert f'"\'{paper.FORMULA}"' == run(*HOSTILE, "-o", "csv").out.splitlines()[1]
    assert f'"{paper.FORMULA}"' == run(*HOSTILE, "-o", "csv", "--csv-raw").out.splitlines()[1]


@pytest.mark.parametrize("form", ["json", "ndjson"])
@pytest.mark.faults(70)
def test_a_hostile_name_is_exact_in_json(run: Run, paper: Any, form: str) -> None:
    """Programs need the text itself."""
    paper.PaperDriver.rows["north"] = [paper.snapshot("s-1", name=paper.HOSTILE)]
    out = run(*HOSTILE, "-o", form).out
    found = json.loads(out)["snapshots"][0] if form == "json" else json.loads(out.split("\n")[0])

    assert paper.HOSTILE == found["name"]


@pytest.mark.faults(65)
def test_a_status_from_the_future_is_shown_as_unknown(run: Run, paper: Any) -> None:
    """And the provider's own word is one column away."""
    paper.PaperDriver.rows["north"] = [
        paper.snapshot("s-1", status=SnapshotStatus.UNKNOWN, raw_status="quantum")
    ]
    ended = run("list", *HERE, "--columns", "status,raw_status")

    assert (0, ["unknown", "quantum"]) == (ended.code, ended.out.splitlines()[1].split())


@pytest.mark.faults(52)
def test_a_denied_region_is_named_and_the_rest_is_printed(run: Run, paper: Any) -> None:
    """A short list is never silent."""
    denied = PermissionDeniedError("not yours", code="Forbidden", request_id="R1")
    paper.PaperDriver.failures = {"south": denied}
    ended = run("list", "-t", "paper:north,south", "-q")

    assert 3 == ended.code
    assert 4 == len(ended.out.splitlines())
    assert "snapkit: not seen: paper:south: denied: " in ended.err
    assert "Forbidden: not yours (request R1)" in ended.err


def test_regions_with_the_same_trouble_are_one_line(run: Run, paper: Any) -> None:
    """Twenty regions without a permission are one piece of news."""
    paper.PaperDriver.failures = {
        region: PermissionDeniedError("not yours", request_id=region) for region in ("aa", "bb")
    }
    ended = run("list", "-t", "paper:north,aa,bb", "-q")

    assert 1 == len(ended.err.splitlines())
    assert "paper:aa, bb: " in ended.err


@pytest.mark.parametrize(
    ("error", "code"),
    [(PermissionDeniedError("no"), 4), (CredentialsMissingError("none"), 4)],
    ids=["denied", "keys"],
)
def test_a_listing_that_failed_everywhere_is_an_error(
    run: Run, paper: Any, error: Exception, code: int
) -> None:
    """Nothing seen is not a partial answer."""
    paper.PaperDriver.failures = {"south": error}
    ended = run("list", "-t", "paper:south")

    assert (code, "") == (ended.code, ended.out)
    assert ended.err.startswith("snapkit: error: paper:south: denied: ")


def test_a_listing_that_breaks_off_shows_what_came(run: Run, paper: Any) -> None:
    """Two pages and a refusal are two pages."""
    paper.PaperDriver.failures = {"north": ThrottledError("slower")}
    ended = run("list", *HERE)

    assert 3 == ended.code
    assert 4 == len(ended.out.splitlines())
    assert "throttled after 3 rows" in ended.err


def test_json_tells_the_errors_to_programs(run: Run, paper: Any) -> None:
    """Text on stderr is for people."""
    paper.PaperDriver.failures = {"south": PermissionDeniedError("no", code="Forbidden")}
    scopes = run("list", "-t", "paper:north,south", "-o", "json").json["report"]["scopes"]

    assert ["ok", "denied"] == [scope["outcome"] for scope in scopes]
    assert "Forbidden" == scopes[1]["error"]["code"]
    assert "PermissionDeniedError" == scopes[1]["error"]["type"]


def test_quiet_leaves_out_totals_but_not_what_is_missing(run: Run, paper: Any) -> None:
    """Cron mails only what matters."""
    assert "" == run("list", *HERE, "-q").err


FILTERS: list[tuple[tuple[str, ...], list[str]]] = [
    (("--id", "s-1,s-3"), ["s-1", "s-3"]),
    (("--id", "s-1", "--id", "s-2"), ["s-1", "s-2"]),
    (("--status", "failed"), ["s-2"]),
    (("--status", "failed,AVAILABLE"), ["s-1", "s-2", "s-3"]),
    (("--role", "system"), ["s-1", "s-2", "s-3"]),
    (("--role", "data"), []),
    (("--category", "ssd"), ["s-1", "s-2", "s-3"]),
    (("--kind", "incremental"), []),
    (("--origin", "policy"), []),
    (("--disk", "d-2"), []),
    (("--instance", "i-1"), ["s-1", "s-2", "s-3"]),
    (("--name", "*of s-1", "--name", "*of s-2"), ["s-1", "s-2"]),
    (("--tag", "env=prod"), ["s-1", "s-2", "s-3"]),
    (("--tag", "env=test"), []),
    (("--created-after", "2026-03-02"), ["s-3"]),
    (("--newer-than", "2026-03-02"), ["s-3"]),
    (("--created-before", "2026-03-02"), ["s-1", "s-2"]),
    (("--older-than", "2026-03-02"), ["s-1", "s-2"]),
    (("--min-size", "41G"), ["s-2"]),
    (("--max-size", "40GiB"), ["s-1", "s-3"]),
    (("--encrypted",), ["s-3"]),
    (("--not-encrypted",), ["s-1", "s-2"]),
    (("--deleted",), ["s-1", "s-2", "s-3", "s-4"]),
    (("--status", "deleted"), ["s-4"]),
    (("--group", "g-1"), ["s-1", "s-2"]),
]


@pytest.mark.parametrize(("options", "expected"), FILTERS, ids=lambda one: " ".join(one) or "none")
def test_each_filter_narrows(
    run: Run, paper: Any, options: tuple[str, ...], expected: list[str]
) -> None:
    """Every filter of the help does what it says."""
    from datetime import UTC, datetime

    make = paper.snapshot
    paper.PaperDriver.rows["north"] = [
        make("s-1"),
        make("s-2", status=SnapshotStatus.FAILED, size_bytes=50 * 1024**3),
        make("s-3", created_at=datetime(2026, 3, 3, tzinfo=UTC), encrypted=True),
        make("s-4", status=SnapshotStatus.DELETED),
    ]
    found = run("list", *HERE, "-o", "json", *options).json["snapshots"]

    assert expected == [row["id"] for row in found]


def test_groups_are_listed_with_their_members(run: Run, paper: Any) -> None:
    """A group without its members is a name."""
    assert ["g-1", "2", "80", "GiB"] == [
        *run("groups", *HERE, "--columns", "id,members,size").out.splitlines()[1].split()
    ]
    found = run("groups", *HERE, "-o", "json").json["groups"][0]
    assert "paper:north/group/g-1" == found["ref"]
    assert ["s-1", "s-2"] == [member["id"] for member in found["members"]]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--snapshot", "s-1"), 1),
        (("--snapshot", "s-7"), 0),
        (("--status", "failed"), 0),
        (("--name", "group*"), 1),
        (("--instance", "i-2"), 0),
        (("--id", "g-1"), 1),
        (("--tag", "env"), 0),
        (("--created-after", "2026-03-02"), 0),
    ],
    ids=lambda one: str(one),
)
def test_each_filter_of_groups_narrows(
    run: Run, paper: Any, options: tuple[str, ...], count: int
) -> None:
    """As for snapshots."""
    assert count == len(run("groups", *HERE, "-o", "json", *options).json["groups"])


def test_targets_come_from_the_environment(
    run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell that is set up once needs no options."""
    monkeypatch.setenv("SNAPKIT_TARGETS", "paper:north paper:team@empty,south?ink=black")
    scopes = run("list", "-o", "json").json["report"]["scopes"]

    assert [("", "north"), ("team", "empty"), ("team", "south")] == [
        (scope["account"], scope["region"]) for scope in scopes
    ]
