"""A server that says back what it was sent teaches nobody a token or a signature."""

import json
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, unquote

import attrs
import pytest

from snapkit.client import Client
from snapkit.credentials import Credentials
from snapkit.errors import SnapkitError, ThrottledError
from snapkit.http import HttpRequest, HttpResponse
from snapkit.masking import LONGEST, Withheld, masked, signed_values
from snapkit.retry import RetryPolicy
from snapkit.settings import Target, open_driver
from snapkit.testing import patient_clock
from snapkit.transport import Call, Moment, Transport
from tests.core.test_http import server
from tests.providers.harnesses import STYLES

from .canary import (
    KEYS,
    TOKEN,
    forbidden,
    found_in,
    logged,
    shown,
    signatures,
)

HASTY = RetryPolicy(transient=2, throttled=2, connect_timeout=0.3, read_timeout=0.3)
Reply = Callable[[str], bytes]
"""Makes the whole answer, head and body, of what was asked."""


def plain(status: str, body: str, head: str = "") -> bytes:
    content = body.encode("utf-8", "replace")
    lines = (
        f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n{head}\r\n"
    )
    return lines.encode("latin-1", "replace") + content


def envelope(said: str, code: object = "AuthFailure.SignatureFailure", number: int = 1200) -> str:
    """Return a refusal in the words of every provider at once."""
    return json.dumps(
        {
            "Code": code,
            "Message": said,
            "RequestId": said[:900],
            "Response": {"Error": {"Code": code, "Message": said}, "RequestId": said[:900]},
            "code": number,
            "message": said,
            "codeDesc": code,
            "requestId": said,
            "ret_code": number,
        }
    )


def token_of(said: str) -> str:
    """Return the token that was sent, as the server knows it."""
    return TOKEN if TOKEN in unquote(said) else pytest.fail("no token arrived")


REPLIES: dict[str, Reply] = {
    "a refusal": lambda said: plain("403 Forbidden", envelope(said)),
    "a refusal with 200": lambda said: plain("200 OK", envelope(said)),
    "a refusal, decoded": lambda said: plain("200 OK", envelope(unquote(said))),
    "only the token": lambda said: plain("400 Bad Request", envelope(f"no {token_of(said)}!")),
    "a token that was cut": lambda said: plain("400 Bad", envelope(token_of(said)[:-3])),
    "the token as the code": lambda said: plain("400 Bad", envelope("no", code=token_of(said))),
    "a throttle": lambda said: plain("429 Slow", envelope(said, code="Throttling", number=2500)),
    "a fault": lambda said: plain("500 Oh", envelope(said, code="InternalError", number=5000)),
    "a page": lambda said: plain("200 OK", f"<html>{token_of(said)}{said}"),
    "a page that is cut": lambda said: plain("200 OK", f"<html>{'.' * 30}{token_of(said)}"),
    "half of it": lambda said: plain("200 OK", envelope(said)[:-5]),
    "text": lambda said: plain("200 OK", said),
    "a list": lambda said: plain("200 OK", json.dumps([said])),
    "no error": lambda said: plain("200 OK", json.dumps({"said": said})),
    "a gateway": lambda said: plain("502 Bad Gateway", said),
    "a redirect": lambda said: plain(
        "302 Found", "", f"Location: https://x/?t={token_of(said)}\r\n"
    ),
    "headers": lambda said: plain(
        "403 No", "", f"x-acs-request-id: {token_of(said)}\r\nRetry-After: {token_of(said)}\r\n"
    ),
    "xml": lambda said: plain(
        "400 Bad Request",
        f"<Error><Code>Sig</Code><Message>{token_of(said)} is bad</Message>"
        f"<RequestId>{token_of(said)}</RequestId></Error>",
    ),
    "far too much": lambda said: plain("200 OK", token_of(said) * 700_000),
    "broken gzip": lambda said: plain("200 OK", said, "Content-Encoding: gzip\r\n"),
}


@pytest.fixture(params=STYLES.values(), ids=list(STYLES))
def style(request: pytest.FixtureRequest) -> Iterator[tuple[Target, str]]:
    """Give a target of each adapter, its endpoint to be filled in."""
    with request.param() as harness:
        yield (
            Target(
                provider=harness.provider,
                region=harness.region,
                options={**harness.emulator.targets()[0].options, **harness.options},
                credentials=KEYS,
            ),
            harness.disk_prefix + "0" * harness.id_digits,
        )


@pytest.mark.parametrize("reply", REPLIES.values(), ids=list(REPLIES))
def test_what_a_server_says_back_is_masked(
    style: tuple[Target, str], reply: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    """It has the token, but whoever reads the error report has not."""
    caplog.set_level(logging.DEBUG)
    target, disk = style

    def echo(connection: socket.socket, request: bytes) -> None:
        connection.sendall(reply(request.decode("latin-1")))

    errors: list[SnapkitError] = []
    with server(echo) as (url, seen):
        target = attrs.evolve(target, endpoint=url)
        one = Client(open_driver(target, policy=HASTY, clock=patient_clock()))
        for act in (lambda: list(one.snapshots()), lambda: one.create(disk, name="nightly")):
            try:
                act()
            except SnapkitError as error:
                errors.append(error)

    assert errors
    sent = signatures(map(headers_of, seen), (text for one in seen for text in queries_of(one)))
    assert sent
    values = forbidden(sent)
    assert [] == found_in([text for one in errors for text in shown(one)], values)
    assert [] == found_in(logged(caplog), values)


def headers_of(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def queries_of(request: bytes) -> list[str]:
    head, _, body = request.partition(b"\r\n\r\n")
    return [head.split(b" ")[1].partition(b"?")[2].decode(), body.decode()]


PARTS = {
    "whole": TOKEN,
    "its start": TOKEN[:15],
    "its middle": TOKEN[5:-2],
    "percent-encoded": quote(TOKEN, safe=""),
}


@pytest.mark.parametrize("part", PARTS.values(), ids=list(PARTS))
def test_a_value_is_masked_in_each_form_and_in_parts(part: str) -> None:
    """A message is cut somewhere by somebody."""
    assert "no ***, no" == masked(f"no {part}, no", [TOKEN])


@pytest.mark.parametrize("field", ["message", "code", "request_id", "hint"])
def test_every_text_of_an_error_is_masked(field: str) -> None:
    """An adapter may put what the server said into any of them."""
    said: dict[str, Any] = {"message": "no", field: f"no {TOKEN}"}
    error = ThrottledError(said.pop("message"), **said)
    Withheld(frozenset({TOKEN}), frozenset()).leave(error)

    assert "no ***" == getattr(error, field)
    assert TOKEN not in str(error)


def test_what_is_short_or_not_there_is_left_alone() -> None:
    """A secret called "key" must not make every message unreadable."""
    assert "the key is bad" == masked("the key is bad", ["key", TOKEN])
    assert "" == masked("", [TOKEN])


def test_two_values_side_by_side_are_hidden_both() -> None:
    """Where one ends the other begins."""
    assert "a***b" == masked(f"a{TOKEN}{TOKEN}b", [TOKEN])
    assert "*** and ***" == masked(f"{TOKEN} and 0123456789abcdef", [TOKEN, "0123456789abcdef"])


def test_signatures_are_found_wherever_a_scheme_puts_them() -> None:
    """In the header, in a header of its own, in the query or in the form."""
    headers = {"Authorization": "X Credential=a, Signature=in-header", "x-signature": "own"}
    found = signed_values(
        "https://h/?Signature=in%2Bquery&SignatureNonce=n", headers, b"signature=f"
    )

    assert {"in-header", "own", "in+query", "f"} == found


@attrs.frozen
class Wordy:
    """An adapter from elsewhere that quotes the answer in its errors."""

    said: str

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        del moment
        token = credentials.token.reveal() if credentials.token else ""
        return HttpRequest(method="GET", url=call.url, headers={"Authorization": f"Wordy {token}"})

    def read(self, call: Call, response: HttpResponse) -> Any:
        del call
        answer = response.body.decode()
        try:
            return {"n": int(answer)}
        except ValueError as error:
            raise ThrottledError(f"{self.said} {answer}", code=answer) from error


def test_an_adapter_from_elsewhere_is_protected_too(caplog: pytest.LogCaptureFixture) -> None:
    """The core takes keys out, so no adapter can forget to."""
    caplog.set_level(logging.DEBUG)

    def echo(connection: socket.socket, request: bytes) -> None:
        connection.sendall(plain("200 OK", headers_of(request)["authorization"] + "x" * 5000))

    with server(echo) as (url, _):
        driver = open_driver(
            Target(provider="alibaba", region="cn-hangzhou", endpoint=url, credentials=KEYS),
            policy=HASTY,
            clock=patient_clock(),
        )
        transport: Transport = driver.connection.transport
        with pytest.raises(ThrottledError) as caught:
            transport.call(Wordy("said"), Call(operation="List", url=url))

    assert caught.value.message.startswith("said Wordy ***")
    assert len(caught.value.message) <= LONGEST + 1
    assert [] == found_in([*shown(caught.value), *logged(caplog)], forbidden())
