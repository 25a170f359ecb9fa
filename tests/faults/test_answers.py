"""Answers that arrive whole and are not what they should be, in a patched HTTP library.

Every listing has three pages, and the second is hit: once, so that another attempt must
mend it, or for good, so that it must end with the right error after the first page.
"""

import json
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import pytest
import requests
import responses

from snapkit.cli import main
from snapkit.cli.emulator import settings
from snapkit.emulator.dialect import Answer, Request
from snapkit.errors import (
    Failure,
    PermissionDeniedError,
    ProtocolError,
    ProviderError,
    Retry,
    SnapkitError,
    ThrottledError,
    UnavailableError,
)
from snapkit.listing import Outcome
from snapkit.model import Snapshot

from .cloud import NAMES, Cloud
from .server import Wire, changed, serving

URL = "https://cloud.invalid"
Change = Callable[[Cloud, Request, Answer], Answer]
ALWAYS = range(1, 99)
"""The second request and all after it."""


@contextmanager
def answering(here: Cloud, change: Change, when: range) -> Generator[list[Request]]:
    """Answer for the provider at URL, after *change* for the requests whose number is in *when*.

    Gives the requests that were made.
    """
    asked: list[Request] = []

    def answer(sent: requests.PreparedRequest) -> tuple[int, Mapping[str, str], bytes]:
        url = str(sent.url).removeprefix(URL)
        path, _, query = url.partition("?")
        headers = {name.lower(): str(value) for name, value in sent.headers.items()}
        body = sent.body.encode() if isinstance(sent.body, str) else sent.body or b""
        request = Request(
            method=str(sent.method),
            path=path,
            query=query,
            headers={"host": "cloud.invalid", **headers},
            body=bytes(body),
        )
        number = len(asked)
        asked.append(request)
        said = here.answer(request)
        said = change(here, request, said) if number in when else said
        return said.status, said.headers, said.body

    with responses.RequestsMock() as mock:
        for method in (responses.GET, responses.POST):
            mock.add_callback(method, re.compile(URL), callback=answer)
        mock.assert_all_requests_are_fired = False
        yield asked


def body(change: Callable[[bytes], bytes], *, status: int | None = None) -> Change:
    """Return the change that makes another body, and perhaps another status."""

    def changed(here: Cloud, request: Request, answer: Answer) -> Answer:
        return attrs.evolve(
            answer, body=change(answer.body), status=answer.status if status is None else status
        )

    return changed


def refused(failure: Failure, *, status: int | None = None, header: str | None = None) -> Change:
    """Return the change that makes the provider's own refusal of it."""

    def changed(here: Cloud, request: Request, answer: Answer) -> Answer:
        said = here.refusal(request, failure)
        more = {} if header is None else {"Retry-After": header}
        return attrs.evolve(
            said,
            status=said.status if status is None else status,
            headers={**said.headers, **more},
        )

    return changed


def says(here: Cloud, code: Any, message: Any, *, status: int = 400, **beside: Any) -> Answer:
    """Return an error in the provider's envelope; a code of ``...`` is left out."""
    envelopes: dict[str, dict[str, Any]] = {
        "alibaba": {"Code": code, "Message": message, "RequestId": "R-1"},
        "tencent": {"Code": code, "Message": message},
        "qingcloud": {"ret_code": code, "message": message},
    }
    said = {key: value for key, value in envelopes[here.provider].items() if value is not ...}
    if here.provider == "tencent":
        said = {"Response": {"Error": said, "RequestId": "R-1", **beside}}
    else:
        said |= beside
    return Answer(status=status, body=json.dumps(said).encode())


@pytest.mark.faults(13)
def test_one_throttle_then_ok_is_one_more_call(here: Cloud) -> None:
    """A vendor's own kit makes none, another two."""
    with answering(here, refused(Failure.THROTTLED), range(0)) as asked:
        here.check_whole(here.list(URL))
        clean = len(asked)
    with answering(here, refused(Failure.THROTTLED), range(1, 2)) as asked:
        here.check_whole(here.list(URL))

    assert clean + 1 == len(asked)


PASSING: dict[str, tuple[Change, type[SnapkitError]]] = {
    "21 HTML 502": (body(lambda _: b"<html>Bad Gateway</html>", status=502), UnavailableError),
    "21 HTML 503": (body(lambda _: b"<html>Wait</html>", status=503), UnavailableError),
    "21 empty 504": (body(lambda _: b"", status=504), UnavailableError),
    "23 empty 200": (body(lambda _: b""), ProtocolError),
    "23 empty 204": (body(lambda _: b"", status=204), ProtocolError),
    "24 half": (body(lambda good: good[: len(good) // 2]), ProtocolError),
    "25 trailing": (body(lambda good: good + b"{}"), ProtocolError),
    "25 trailing text": (body(lambda good: good + b"<!-- cached -->"), ProtocolError),
    "26 invalid UTF-8": (body(lambda good: good.replace(b"nightly", b"\xff\xfe")), ProtocolError),
    "26 GBK": (
        body(lambda good: good.replace(b"nightly", "快照".encode("gbk"))),
        ProtocolError,
    ),
    "28 NaN": (body(lambda good: good.replace(b": 40,", b": NaN,")), ProtocolError),
    "28 Infinity": (body(lambda good: good.replace(b": 40,", b": -Infinity,")), ProtocolError),
    "29 a long integer": (
        body(lambda good: good.replace(b": 40,", b": " + b"9" * 5000 + b",")),
        ProtocolError,
    ),
    "31 100,000 deep": (body(lambda _: b'{"a":' + b"[" * 100_000), ProtocolError),
    "34 a list": (body(lambda good: b"[" + good + b"]"), ProtocolError),
    "34 null": (body(lambda _: b"null"), ProtocolError),
    "34 a text": (body(lambda _: b'"ok"'), ProtocolError),
    "35 server error": (refused(Failure.SERVER, status=200), UnavailableError),
}


@pytest.mark.faults(21, 23, 24, 25, 26, 28, 29, 31, 34, 35)
@pytest.mark.parametrize(("change", "kind"), PASSING.values(), ids=PASSING.keys())
def test_what_may_pass_is_asked_for_again(
    here: Cloud, change: Change, kind: type[SnapkitError]
) -> None:
    """Once it is mended; when it stays it is an error after the first page."""
    change = sized(here, change)
    with answering(here, change, range(1, 2)):
        here.check_whole(here.list(URL))
    with answering(here, change, ALWAYS) as asked:
        seen = here.list(URL)
    error = here.check_failed(seen)

    assert type(error) is kind
    assert (4, 5, 100) == (error.attempts, len(asked), len(seen.rows))


def sized(here: Cloud, change: Change) -> Change:
    """Return *change* over bodies in which every provider's size reads ``: 40,``."""

    def changed(cloud: Cloud, request: Request, answer: Answer) -> Answer:
        plain = attrs.evolve(answer, body=answer.body.replace(b": 40960,", b": 40,"))
        return change(cloud, request, plain)

    return changed


PORTAL = b"<!DOCTYPE html><title>Sign in</title>\x1b[31m" + b"x" * 500


@pytest.mark.faults(20)
def test_a_portals_page_is_an_error_at_once_and_says_how_it_begins(here: Cloud) -> None:
    """A hotel's network says 200; asking again would give the same page."""
    with answering(here, body(lambda _: PORTAL), ALWAYS) as asked:
        error = here.check_failed(here.list(URL))

    assert type(error) is ProtocolError
    assert (Retry.NEVER, 1, 2) == (error.retry, error.attempts, len(asked))
    assert "is HTML" in str(error)
    assert "Sign in" in str(error)
    assert "portal" in (error.hint or "")
    assert str(error).isprintable()
    assert len(str(error)) < 500


FINE: dict[str, Change] = {
    "22 text/html": lambda here, request, answer: attrs.evolve(
        answer, headers={"Content-Type": "text/html"}
    ),
    "22 no type": lambda here, request, answer: attrs.evolve(answer, headers={}),
    "27 BOM": body(lambda good: b"\xef\xbb\xbf" + good),
    "27 UTF-16": body(lambda good: good.decode().encode("utf-16")),
    "28 1e999": body(lambda good: good.replace(b": 40,", b": 1e999,")),
}


@pytest.mark.faults(22, 27, 28)
@pytest.mark.parametrize("change", FINE.values(), ids=FINE.keys())
def test_what_can_be_read_is_read_the_first_time(here: Cloud, change: Change) -> None:
    """Gateways dress an answer as they like; the rows are all there."""
    with answering(here, sized(here, change), ALWAYS):
        seen = here.list(URL)

    here.check_whole(seen)
    assert [] == here.time.slept


def size_of(here: Cloud, row: Snapshot) -> int | None:
    """Return the figure that the size on the wire becomes."""
    return row.stored_bytes if here.provider == "qingcloud" else row.size_bytes


@pytest.mark.faults(28, 30)
@pytest.mark.parametrize(
    ("written", "known"),
    [
        (b"40", True),
        (b'"40"', True),
        (b"40.0", True),
        (b'" 40 "', True),
        (b'""', False),
        (b"null", False),
        (b"-1", False),
        (b'"-1"', False),
        (b"9223372036854775808", False),
        (b"9223372036854775807", False),
        (b"1e999", False),
        (b"40.5", False),
        (b'"40 GB"', False),
        ('"４０"'.encode(), False),
        (b"true", False),
        (b"[40]", False),
        (b"{}", False),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else "",
)
def test_a_size_is_a_figure_or_none_and_the_row_stays(
    here: Cloud, written: bytes, known: bool
) -> None:
    """A wrong figure is worse than none: somebody adds them up."""
    unit = 1024**2 if here.provider == "qingcloud" else 1024**3
    change = sized(here, body(lambda good: good.replace(b": 40,", b": " + written + b",")))
    with answering(here, change, range(99)):
        seen = here.list(URL)

    here.check_whole(seen)
    assert {40 * unit if known else None} == {size_of(here, row) for row in seen.rows}


@pytest.mark.faults(33)
def test_the_last_of_two_equal_keys_counts(here: Cloud) -> None:
    """As in every other reader of JSON, so that two tools agree."""
    name = NAMES[here.provider].encode()
    change = body(
        lambda good: good.replace(b'"%s":' % name, b'"%s": "first", "%s":' % (name, name))
    )
    with answering(here, change, range(99)):
        seen = here.list(URL)

    here.check_whole(seen)
    assert not any(row.name == "first" for row in seen.rows)


@pytest.mark.faults(32)
@pytest.mark.parametrize("output", ["table", "csv", "json", "ndjson", "yaml"])
def test_half_a_character_is_listed_and_printed(
    here: Cloud,
    output: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """JSON can carry what no encoding can write."""
    odd = changed(
        lambda answer: attrs.evolve(
            answer, body=answer.body.replace(b"nightly-", b"odd\\ud800name-")
        )
    )
    with serving(Wire(here.answer, always=odd)) as wire:
        for name, value in settings(here.emulator).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SNAPKIT_ENDPOINT", wire.url)
        seen = here.list(wire.url)
        code = main(("list", "-t", str(here.target), "-o", output))
    said = capsys.readouterr()

    here.check_whole(seen)
    assert all(str(row.name).startswith("odd\ud800name-") for row in seen.rows)
    assert (0, len(here.ids)) == (code, len(re.findall("odd.{1,6}name-", said.out)))
    assert said.out.encode()


BARE: list[dict[str, Any]] = [
    {},
    {"message": "no route"},
    {"Code": "", "Message": "x"},
    {"Response": {}},
    {"Response": None},
    {"Response": {"Error": {}}},
    {"Response": {"SnapshotSet": None}},
    {"ret_code": 0},
    {"ret_code": None, "snapshot_set": []},
    {"error": "unknown", "items": []},
]


@pytest.mark.faults(34, 35)
@pytest.mark.parametrize("answer", BARE, ids=json.dumps)
@pytest.mark.parametrize("first", [0, 1], ids=["first page", "second page"])
def test_an_object_without_the_list_is_never_an_empty_one(
    here: Cloud, answer: dict[str, Any], first: int
) -> None:
    """Some gateway's own JSON, or another provider's."""
    with answering(here, body(lambda _: json.dumps(answer).encode()), range(first, 99)):
        seen = here.list(URL)

    assert isinstance(here.check_failed(seen), ProtocolError | ProviderError)
    assert 100 * first == len(seen.rows)


@pytest.mark.faults(35)
@pytest.mark.parametrize("first", [0, 1], ids=["first page", "second page"])
@pytest.mark.parametrize("status", [200, 403])
def test_a_refusal_is_an_error_whatever_its_status(here: Cloud, first: int, status: int) -> None:
    """Two of the three say 200; an empty list would say that there is nothing."""
    with answering(here, refused(Failure.PERMISSION, status=status), range(first, 99)) as asked:
        seen = here.list(URL)
    error = here.check_failed(seen, Outcome.DENIED)

    assert type(error) is PermissionDeniedError
    assert error.code
    assert (1, 100 * first, first + 1) == (error.attempts, len(seen.rows), len(asked))


@pytest.mark.faults(36)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500, 503])
def test_an_error_in_json_is_judged_by_its_code(here: Cloud, status: int) -> None:
    """With the provider's code and request id, which its support asks for."""
    code = {"alibaba": "Throttling", "tencent": "RequestLimitExceeded", "qingcloud": 2500}
    said = "too many API requests"

    def change(here: Cloud, request: Request, answer: Answer) -> Answer:
        return says(here, code[here.provider], said, status=status)

    with answering(here, change, ALWAYS):
        error = here.check_failed(here.list(URL), Outcome.THROTTLED)

    assert isinstance(error, ThrottledError)
    assert str(code[here.provider]) == error.code
    assert error.request_id
    assert said in str(error)


@pytest.mark.faults(37)
@pytest.mark.parametrize(("status", "kind"), [(400, ProviderError), (503, UnavailableError)])
def test_a_code_from_the_future_is_kept_as_it_came(
    here: Cloud, status: int, kind: type[SnapkitError]
) -> None:
    """Its class follows from the status; where that is always 200, from the range of the code."""
    number = 3999 if status == 400 else 5999

    def change(here: Cloud, request: Request, answer: Answer) -> Answer:
        code = number if here.provider == "qingcloud" else "Brand.New"
        return says(here, code, "what is this", status=status)

    with answering(here, change, ALWAYS):
        error = here.check_failed(here.list(URL))

    assert type(error) is kind
    assert error.code in ("Brand.New", str(number))


@pytest.mark.faults(38)
@pytest.mark.parametrize("code", [None, ..., "", [], {}], ids=repr)
@pytest.mark.parametrize("message", [None, ..., "", ["x"], 7], ids=repr)
def test_an_error_without_a_code_or_a_message_is_an_error(
    here: Cloud, code: Any, message: Any
) -> None:
    """Half an envelope is no success."""

    def change(here: Cloud, request: Request, answer: Answer) -> Answer:
        return says(here, code, message)

    with answering(here, change, ALWAYS):
        error = here.check_failed(here.list(URL))

    assert isinstance(error, ProviderError | ProtocolError)
    assert Retry.NEVER is error.retry
    assert str(error).isprintable()


@pytest.mark.faults(39)
def test_an_error_beside_rows_wins(here: Cloud) -> None:
    """A list next to an error is not to be trusted."""
    code: dict[str, Any] = {
        "alibaba": "Forbidden.RAM",
        "tencent": "UnauthorizedOperation",
        "qingcloud": 1400,
    }

    def change(here: Cloud, request: Request, answer: Answer) -> Answer:
        rows: dict[str, Any] = json.loads(answer.body)
        rows = rows.get("Response", rows)
        names = ("RequestId", "ret_code", "Error")
        beside = {name: value for name, value in rows.items() if name not in names}
        return says(here, code[here.provider], "no", status=200, **beside)

    with answering(here, change, range(99)):
        seen = here.list(URL)

    assert isinstance(here.check_failed(seen, Outcome.DENIED), PermissionDeniedError)
    assert [] == seen.rows
