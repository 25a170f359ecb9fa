"""What is wrong is told in one sentence that helps, with the right code and without a traceback."""

from typing import Any

import pytest

from snapkit import registry
from snapkit.errors import SnapkitError, TransportError

from .conftest import Ended, Run

HERE = ("-t", "paper:north")

BAD = [
    (("lsit",), "did you mean 'list'?"),
    (("list", "--sttus", "x"), "did you mean --status"),
    (("list", "--target"), "requires an argument"),
    (("list",), "say where to look with --target"),
    (("groups",), "say where to look with --target"),
    (("list", "-t", "papr:north"), "did you mean 'paper'?"),
    (("list", "-t", ""), "no provider ''"),
    (("list", "-t", "paper:evil.com/?"), "'evil.com/' is not a region"),
    (("list", "-t", "paper:NORTH"), "is not a region"),
    (("list", "-t", "paper:north,,south"), "names no region"),
    (("list", "-t", "paper:a b@north"), "cannot read the target"),
    (("list", "-t", "paper:north?pen=1"), "no option 'pen'; known: ink"),
    (("list", "-t", "paper:north?ink=red"), "choose from blue, black"),
    (("list", *HERE, "--status", "avialable"), "did you mean 'available'?"),
    (("list", *HERE, "--role", "root"), "choose from system, data, unknown"),
    (("list", *HERE, "--columns", "nam"), "did you mean 'name'?"),
    (("list", *HERE, "--columns", "id,"), "no column ''"),
    (("list", *HERE, "--sort", "colour"), "no sort key 'colour'"),
    (("list", *HERE, "-o", "xml"), "choose from table, json, ndjson, csv"),
    (("list", *HERE, "--older-than", "soon"), "write an age (30d"),
    (("list", *HERE, "--created-after", "2026-02-30"), "cannot read the date '2026-02-30'"),
    (("list", *HERE, "--min-size", "big"), "write 40G"),
    (("list", *HERE, "--id", ""), "a filter has an empty value"),
    (("list", *HERE, "--id", "s-1,,s-2"), "a filter has an empty value"),
    (("list", *HERE, "--tag", "=x"), "write key or key=value"),
    (("list", *HERE, "--workers", "0"), "not in the range"),
    (("list", *HERE, "--timeout", "0"), "not in the range"),
    (("list", *HERE, "--timeout", "soon"), "'soon' is not a number (snapkit list --help"),
    (("list", *HERE, "--workers", "1.5"), "'1.5' is not a whole number (snapkit list --help"),
    (("config",), "missing argument '{path|show|check|init}'; choose from path, show, check, init"),
    (("list", *HERE, "--ca-bundle", "/no/such/file"), "does not exist"),
    (("list", *HERE, "--endpoint", "http://example.com"), "is not https"),
    (("list", *HERE, "--endpoint", "http://169.254.169.254"), "instance metadata"),
    (("list", *HERE, "--endpoint", "nonsense"), "https://host[:port]"),
    (("show",), "missing argument 'REF'"),
    (("show", "s-1"), "provider:region/id"),
    (("show", "paper:north/"), "cannot read the reference"),
    (("show", "paper:north/%20"), "empty id"),
    (("show", "papr:north/s-1"), "did you mean 'paper'?"),
    (("show", "paper:NORTH/s-1"), "is not a region"),
    (("show", "paper:north/s-1", "--option", "ink=red"), "choose from blue, black"),
    (("regions", "papr"), "did you mean 'paper'?"),
    (("demo", "--rows", "few"), "neither a number nor 'all'"),
    (("emulator", "--port", "70000"), "not in the range"),
]


def assert_one_sentence(ended: Ended) -> None:
    assert 1 == len(ended.err.splitlines())
    assert ended.err.startswith("snapkit: error: ")
    assert "Traceback" not in ended.err
    assert "" == ended.out


@pytest.mark.parametrize(("argv", "help_"), BAD, ids=lambda one: " ".join(one)[:60])
def test_bad_input_is_one_sentence_that_helps(
    run: Run, paper: Any, argv: tuple[str, ...], help_: str
) -> None:
    """Exit code 2, nothing sent, nothing on stdout."""
    ended = run(*argv)

    assert 2 == ended.code
    assert_one_sentence(ended)
    assert help_ in ended.err


@pytest.mark.parametrize(
    "argv",
    [("list", *HERE), ("groups", *HERE), ("show", "paper:north/s-1")],
    ids=lambda one: one[0],
)
@pytest.mark.parametrize(
    ("lost", "help_"),
    [
        (("PAPER_KEY", "PAPER_SECRET"), "set PAPER_KEY and PAPER_SECRET"),
        (("PAPER_SECRET",), "PAPER_KEY is set but PAPER_SECRET is not"),
    ],
    ids=["none", "half"],
)
def test_missing_keys_name_the_variables(
    run: Run,
    paper: Any,
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
    lost: tuple[str, ...],
    help_: str,
) -> None:
    """Whoever has no keys yet must learn what to set."""
    for name in lost:
        monkeypatch.delenv(name)
    ended = run(*argv)

    assert 4 == ended.code
    assert_one_sentence(ended)
    assert help_ in ended.err


def test_regions_without_any_keys_say_where_to_look(
    run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No provider is guessed."""
    monkeypatch.delenv("PAPER_KEY")
    monkeypatch.delenv("PAPER_SECRET")
    ended = run("regions")

    assert 4 == ended.code
    assert_one_sentence(ended)
    assert "'snapkit providers'" in ended.err


def test_what_is_not_there_has_its_own_code(run: Run, paper: Any) -> None:
    """Scripts ask whether a snapshot is still there."""
    for ref in ("paper:north/s-99", "paper:north/group/g-99"):
        ended = run("show", ref)

        assert 6 == ended.code
        assert_one_sentence(ended)


def test_a_bug_is_a_sentence_too(run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A traceback frightens, and its values may be secret."""

    def broken(self: Any) -> Any:
        return 1 / 0

    monkeypatch.setattr(paper.PaperDriver, "list_regions", broken)
    ended = run("regions", "paper")

    assert 1 == ended.code
    assert_one_sentence(ended)
    assert "ZeroDivisionError" in ended.err
    assert "--debug" in ended.err


def test_debug_shows_where_but_no_values(
    run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enough for a report of a bug, and safe to paste."""

    def broken(self: Any) -> Any:
        secret = self.connection.transport.credentials.get().secret.reveal()
        assert secret
        raise ConnectionError("refused") from ValueError("inner")

    monkeypatch.setattr(paper.PaperDriver, "list_regions", broken)
    err = run("regions", "paper", "--debug").err

    assert "in broken" in err
    assert "ValueError: inner" in err
    assert "CANARY" not in err


def test_debug_leaves_out_urls_of_the_http_library(run: Run, paper: Any) -> None:
    """They hold signatures."""
    import requests

    error = TransportError("refused")
    error.__cause__ = requests.ConnectionError("https://x/?Signature=CANARY")
    paper.PaperDriver.failures = {"south": error}
    err = run("list", "-t", "paper:south", "--debug").err

    assert "requests.exceptions.ConnectionError" in err
    assert "CANARY" not in err


def test_an_error_from_a_cloud_is_inert(run: Run, paper: Any) -> None:
    """Messages are other people's text too."""
    paper.PaperDriver.failures = {"regions": SnapkitError("bad \x1b[2J\nnews")}
    ended = run("regions", "paper")

    assert_one_sentence(ended)
    assert "bad \\x1b[2J\\x0anews" in ended.err


def test_an_adapter_that_does_not_load_is_named(
    run: Run, paper: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One broken package must not hide the others."""
    table = {"paper": "snapkit_paper_cloud:PaperDriver", "torn": "no_such_package:Driver"}
    monkeypatch.setattr(registry, "_published", {"snapkit.drivers": table}.__getitem__)
    ended = run("providers")

    assert 3 == ended.code
    assert ended.out.startswith("paper: Paper cloud")
    assert "the adapter 'torn' cannot be loaded" in ended.err
