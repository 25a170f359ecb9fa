"""One request: what goes out, what may come back, and what every fault is called."""

import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter

from snapkit import http
from snapkit.answers import read_json
from snapkit.errors import (
    ConfigurationError,
    DeadlineExceededError,
    ProtocolError,
    Retry,
    Sent,
    SnapkitError,
    ThrottledError,
    TransportError,
    UnavailableError,
)
from snapkit.http import Http, HttpRequest, HttpResponse, check_endpoint

Handler = Callable[[socket.socket, bytes], None]
BODY = b'{"items": [1, 2, 3], "total": 3}'


@contextmanager
def server(*handlers: Handler) -> Generator[tuple[str, list[bytes]], None, None]:
    """Give the address of a raw server, and the requests that it saw.

    Each connection gets the next handler, the last one stays.
    """
    seen: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))
    script = list(handlers)

    def talk(connection: socket.socket, handler: Handler) -> None:
        with connection:
            connection.settimeout(5)
            try:
                while request := _request(connection):
                    seen.append(request)
                    handler(connection, request)
                    if getattr(handler, "closes", True):
                        return
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            handler = script.pop(0) if len(script) > 1 else script[0]
            threading.Thread(target=talk, args=(connection, handler), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", seen
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received and received[:1] != b"\x16":
        chunk = connection.recv(65536)
        if not chunk:
            return received
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    wanted = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < wanted:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(
    body: bytes = BODY, *, status: str = "200 OK", length: int | None = -1, headers: str = ""
) -> Handler:
    """Send *body* and close; *length* -1 is the true one, None sends none."""

    def handler(connection: socket.socket, request: bytes) -> None:
        size = len(body) if length == -1 else length
        said = "" if size is None else f"Content-Length: {size}\r\n"
        connection.sendall(f"HTTP/1.1 {status}\r\n{said}{headers}\r\n".encode() + body)

    return handler


def bytes_then(rest: bytes, *, reset: bool = False) -> Handler:
    def handler(connection: socket.socket, request: bytes) -> None:
        connection.sendall(rest)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return handler


def drip(first: bytes, piece: bytes) -> Handler:
    """Send *piece* again and again, each well within any read timeout."""

    def handler(connection: socket.socket, request: bytes) -> None:
        connection.sendall(first)
        gate = threading.Event()
        for _ in range(400):
            connection.sendall(piece)
            gate.wait(0.02)

    return handler


def send(
    url: str,
    *,
    client: Http | None = None,
    seconds: float = 5.0,
    read: float = 2.0,
    headers: dict[str, str] | None = None,
    body: bytes = b"a=1",
) -> HttpResponse:
    end = time.monotonic() + seconds
    request = HttpRequest(method="POST", url=url, headers=headers or {}, body=body)
    client = client or Http()
    try:
        return client.send(
            request, connect=1.0, read=read, remaining=lambda: end - time.monotonic()
        )
    finally:
        client.close()


def test_an_answer_arrives_whole_whatever_its_status() -> None:
    """What a status means is the adapter's to say."""
    with server(answer(status="418 Odd", headers="X-Request-Id: 7\r\n")) as (url, _):
        found = send(url)

    assert (418, BODY, "7") == (found.status, found.body, found.headers["x-request-id"])


@pytest.mark.parametrize(
    ("method", "body"), [("GET", b""), ("POST", b"a=1&b=%E4%B8%AD"), ("POST", b"")]
)
def test_what_was_signed_goes_out_unchanged(method: str, body: bytes) -> None:
    """A header or a byte added on the way breaks the signature."""
    with server(answer()) as (url, seen):
        client = Http()
        client.send(
            HttpRequest(
                method=method,
                url=f"{url}/path/?b=%2F&a=~x",
                headers={"Authorization": "TC3 sig", "Host": "signed.example", "x-odd": "1"},
                body=body,
            ),
            connect=1,
            read=1,
            remaining=lambda: 5.0,
        )
        client.close()
    head, _, sent = seen[0].partition(b"\r\n\r\n")

    assert head.startswith(f"{method} /path/?b=%2F&a=~x HTTP/1.1".encode())
    assert b"Authorization: TC3 sig" in head
    assert b"Host: signed.example" in head
    assert b"Cookie" not in head
    assert 1 == head.lower().count(b"host:")
    assert body == sent


FAULTS: dict[str, tuple[Handler, type[SnapkitError]]] = {
    "closed before any answer": (bytes_then(b""), TransportError),
    "reset before any answer": (bytes_then(b"", reset=True), TransportError),
    "reset in the headers": (bytes_then(b"HTTP/1.1 200 OK\r\nCont", reset=True), TransportError),
    "closed in the status": (bytes_then(b"HTTP/1."), TransportError),
    "shorter than it says": (answer(length=len(BODY) + 10), TransportError),
    "reset in the body": (
        bytes_then(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{", reset=True),
        TransportError,
    ),
    "chunked, cut": (
        bytes_then(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\n{"),
        TransportError,
    ),
    "chunked, no terminator": (
        bytes_then(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"),
        TransportError,
    ),
    "chunked, bad size": (
        bytes_then(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
        TransportError,
    ),
    "chunked, longer than it says": (
        bytes_then(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n"),
        TransportError,
    ),
    "half a head": (bytes_then(b"HTTP/1.1 200 O"), TransportError),
    "a line that is no header": (
        bytes_then(b"HTTP/1.1 200 OK\r\nContent Length 2\r\n\r\n{}"),
        TransportError,
    ),
    "a length of no digits": (
        bytes_then(b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n{}"),
        TransportError,
    ),
    "not HTTP": (bytes_then(b"SSH-2.0-OpenSSH_9.6\r\n"), TransportError),
    "two lengths": (
        bytes_then(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
        TransportError,
    ),
    "a header of 70 kB": (
        bytes_then(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n{}"),
        TransportError,
    ),
    "gzip, corrupt": (
        answer(gzip.compress(BODY)[:-8] + b"\0" * 8, headers="Content-Encoding: gzip\r\n"),
        ProtocolError,
    ),
    "gzip, not gzip": (answer(headers="Content-Encoding: gzip\r\n"), ProtocolError),
}


@pytest.mark.faults(5, 6, 8, 9, 11, 18)
@pytest.mark.parametrize(("handler", "kind"), FAULTS.values(), ids=FAULTS.keys())
def test_a_broken_answer_is_an_error_that_may_be_retried(
    handler: Handler, kind: type[SnapkitError]
) -> None:
    """A cut answer must never pass for a short list, nor be known to have had no effect."""
    with server(handler) as (url, _), pytest.raises(kind) as caught:
        send(url)

    assert (Retry.BACKOFF, Sent.MAYBE) == (caught.value.retry, caught.value.sent)
    assert url.removeprefix("http://") in str(caught.value)


def test_a_header_that_was_signed_stands_once_however_it_is_written() -> None:
    """Two of one name would be two different requests to two readers."""
    with server(answer()) as (url, seen):
        send(url, headers={"host": "shelf.example", "accept-encoding": "identity"})
    names = [line.partition(b":")[0].lower() for line in seen[0].split(b"\r\n")[1:] if line]

    assert b"host: shelf.example" in seen[0]
    assert b"accept-encoding: identity" in seen[0]
    assert (1, 1) == (names.count(b"host"), names.count(b"accept-encoding"))


@pytest.mark.faults(17)
@pytest.mark.parametrize("keep", [0.3, 0.6, 0.95])
def test_gzip_cut_short_never_reads_as_json(keep: float) -> None:
    """Decompressors give what they have and say nothing."""
    body = json.dumps({"items": [{"id": f"s-{n}"} for n in range(500)]}).encode()
    packed = gzip.compress(body)
    handler = answer(packed[: int(len(packed) * keep)], headers="Content-Encoding: gzip\r\n")
    with server(handler) as (url, _), pytest.raises(SnapkitError):
        read_json(send(url))


def test_gzip_and_chunks_are_read() -> None:
    """They are what the providers really send."""
    packed = gzip.compress(BODY)
    chunks = b"".join(f"{len(c):x}\r\n".encode() + c + b"\r\n" for c in (packed[:9], packed[9:]))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    with server(bytes_then(head + chunks + b"0\r\n\r\n")) as (url, _):
        assert BODY == send(url).body


@pytest.mark.faults(10)
def test_an_answer_cut_without_a_length_does_not_read_as_json() -> None:
    """Nothing but the parser can notice."""
    with server(answer(BODY[:-5], length=None)) as (url, _):
        found = send(url)
    with pytest.raises(ProtocolError, match="is not complete JSON") as caught:
        read_json(found)

    assert Retry.BACKOFF is caught.value.retry


@pytest.mark.faults(16)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_answer_without_end_is_refused_early(
    packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few hundred kilobytes on the wire can be gigabytes in memory."""
    monkeypatch.setattr(http, "LARGEST_BODY", 1024**2)
    body = b"[" + b" " * 8 * 1024**2 + b"]"
    headers = "Content-Encoding: gzip\r\n" if packed else ""
    handler = answer(gzip.compress(body) if packed else body, headers=headers)
    with server(handler) as (url, _), pytest.raises(ProtocolError, match="larger than") as caught:
        send(url)

    assert Retry.NEVER is caught.value.retry


DRIPS: dict[str, Handler] = {
    "body": drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
    "headers": drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
    "one header": drip(b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "interim answers": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "nothing": drip(b"", b""),
    "a body without a length": drip(b"HTTP/1.1 200 OK\r\n\r\n{", b" "),
}


@pytest.mark.faults(12, 14, 15)
@pytest.mark.parametrize("handler", DRIPS.values(), ids=DRIPS.keys())
def test_a_slow_server_is_left_at_the_deadline(handler: Handler) -> None:
    """Each byte comes in time for the read timeout, and the answer never ends."""
    started = time.monotonic()
    with server(handler) as (url, _), pytest.raises(DeadlineExceededError):
        send(url, seconds=0.4, read=30)

    assert time.monotonic() - started < 2.0


@pytest.mark.faults(12)
def test_a_silent_server_is_left_at_the_read_timeout() -> None:
    """While there is time left, another attempt may do better."""
    with server(drip(b"", b"")) as (url, _), pytest.raises(TransportError) as caught:
        send(url, seconds=20, read=0.2)

    assert not isinstance(caught.value, DeadlineExceededError)
    assert "did not answer in time" in str(caught.value)
    assert Sent.MAYBE is caught.value.sent


def test_nothing_is_sent_without_time() -> None:
    """The deadline may have passed while waiting for the rate limit."""
    with server(answer()) as (url, seen):
        with pytest.raises(DeadlineExceededError) as caught:
            send(url, seconds=-1)

        assert (Sent.NO, []) == (caught.value.sent, seen)


def test_a_watched_connection_can_be_used_again() -> None:
    """The end of one call's time must not end the next call."""
    handler = answer()
    handler.closes = False  # type: ignore[attr-defined] # a mark for the server
    with server(handler) as (url, seen):
        client = Http()
        for _ in range(3):
            end = time.monotonic() + 0.3
            client.send(
                HttpRequest(method="GET", url=url),
                connect=1,
                read=1,
                remaining=lambda end=end: end - time.monotonic(),  # type: ignore[misc] # bound now
            )
            threading.Event().wait(0.15)
        client.close()

    assert 3 == len(seen)


@pytest.mark.faults(3)
def test_a_refused_connection_was_not_sent() -> None:
    """So even a call that must happen once may be tried again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(TransportError, match="refuses the connection") as caught:
        send(url)

    assert (Sent.NO, Retry.BACKOFF) == (caught.value.sent, caught.value.retry)


@pytest.mark.faults(1, 2)
@pytest.mark.parametrize(
    ("number", "retry"), [(socket.EAI_NONAME, Retry.NEVER), (socket.EAI_AGAIN, Retry.BACKOFF)]
)
def test_a_name_that_is_not_there_is_not_asked_for_again(
    number: int, retry: Retry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt region is a name that does not exist; a sick resolver passes."""

    def getaddrinfo(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(number, "no")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(TransportError, match=r"'moon\.invalid' cannot be resolved") as caught:
        send("https://moon.invalid")

    assert (Sent.NO, retry) == (caught.value.sent, caught.value.retry)


def test_a_host_that_can_be_no_name_is_refused_for_good() -> None:
    """Asking again would not make it shorter."""
    with pytest.raises(TransportError) as caught:
        send(f"https://{'a' * 70}.invalid")

    assert (Sent.NO, Retry.NEVER) == (caught.value.sent, caught.value.retry)


@pytest.mark.faults(80)
def test_a_plain_server_under_https_is_a_tls_error() -> None:
    """Not a cut connection, which would be tried again."""
    with server(answer()) as (url, _), pytest.raises(TransportError, match="TLS") as caught:
        send(url.replace("http:", "https:"))

    assert (Sent.NO, Retry.NEVER) == (caught.value.sent, caught.value.retry)


@pytest.mark.faults(79)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("body", [b"", BODY], ids=["empty", "with JSON"])
def test_a_redirect_is_an_error_and_nothing_reaches_the_other_host(
    status: str, body: bytes
) -> None:
    """Tokens in headers of their own are not dropped by anybody's redirect rules."""
    with server(answer()) as (other, seen):
        handler = answer(body, status=status, headers=f"Location: {other}/\r\n")
        with server(handler) as (url, _):
            found = send(url, headers={"X-Token": "secret"})

        assert [] == seen
    with pytest.raises(ProtocolError, match="redirect") as caught:
        read_json(found)
    assert Retry.NEVER is caught.value.retry


@pytest.mark.faults(83)
def test_a_cookie_is_not_sent_back() -> None:
    """A session of a load balancer is not part of what was signed."""
    handler = answer(headers="Set-Cookie: id=1; Path=/\r\nConnection: close\r\n")
    with server(handler) as (url, seen):
        client = Http()
        for _ in range(2):
            client.send(
                HttpRequest(method="GET", url=url), connect=1, read=1, remaining=lambda: 5.0
            )
        client.close()

    assert [False, False] == [b"cookie" in request.lower() for request in seen]


@pytest.mark.faults(82)
def test_netrc_does_not_replace_the_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forgotten file would turn our authorisation into somebody's password."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with server(answer()) as (url, seen):
        send(url, headers={"Authorization": "TC3 sig"})

    assert b"Authorization: TC3 sig" in seen[0]
    assert b"Basic" not in seen[0]


@pytest.mark.faults(81)
def test_a_dead_proxy_is_named_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise people look for the fault at the provider."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = f"http://user:hunter2@127.0.0.1:{listener.getsockname()[1]}"
    monkeypatch.setenv("HTTPS_PROXY", dead)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with pytest.raises(TransportError, match="proxy") as caught:
        send("https://moon.invalid")

    assert "hunter2" not in str(caught.value)
    assert (Sent.NO, Retry.NEVER) == (caught.value.sent, caught.value.retry)


def test_a_callers_session_is_used_and_stays_open() -> None:
    """It may have a proxy, a pool or an adapter of the caller's."""

    class Counting(HTTPAdapter):
        sent = closed = 0

        def send(self, *args: Any, **settings: Any) -> requests.Response:
            Counting.sent += 1
            return super().send(*args, **settings)

        def close(self) -> None:
            Counting.closed += 1
            super().close()

    session = requests.Session()
    session.mount("http://", Counting())
    with server(answer()) as (url, _):
        send(url, client=Http(session))

    assert (1, 0) == (Counting.sent, Counting.closed)
    session.close()


@pytest.mark.faults(80)
def test_tls_cannot_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even by a session that somebody else made careless."""
    session = requests.Session()
    session.verify = False
    asked: list[Any] = []

    def refuse(self: Any, request: Any, **settings: Any) -> requests.Response:
        asked.append(settings["verify"])
        raise requests.ConnectionError("no")

    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    monkeypatch.setattr(HTTPAdapter, "send", refuse)
    with pytest.raises(TransportError):
        send("https://moon.invalid", client=Http(session))
    session.verify = "/etc/ca.pem"
    with pytest.raises(TransportError):
        send("https://moon.invalid", client=Http(session))

    assert [True, "/etc/ca.pem"] == asked


@responses.activate
def test_the_responses_library_works() -> None:
    """Users' own tests are written with it."""
    responses.post("https://moon.invalid/", body=BODY, headers={"X-Request-Id": "7"})
    found = send("https://moon.invalid/")

    assert (200, BODY, "7") == (found.status, found.body, found.headers["x-request-id"])


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("https://api.example.com:8443/iaas/", "https://api.example.com:8443/iaas"),
        ("https://10.1.2.3", "https://10.1.2.3"),
        ("https://[2001:db8::1]:444", "https://[2001:db8::1]:444"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("http://127.8.8.8", "http://127.8.8.8"),
    ],
)
def test_endpoints_are_https_or_this_machine(url: str, same: str) -> None:
    """Private clouds have addresses of their own, and so has the emulator."""
    assert same == check_endpoint(url)


@pytest.mark.parametrize(
    "url",
    [
        "", "api.example.com", "https://", "https:///path", "ftp://api.example.com",
        "http://api.example.com", "http://10.1.2.3", "http://127.0.0.1.evil.com",
        "http://localhost.evil.com", "https://user@api.example.com",
        "https://user:secret@api.example.com", "https://@api.example.com",
        "https://api.example.com?x=1", "https://api.example.com/?", "https://api.example.com#x",
        "https://api.example.com/#", "https://api.example.com:port", "https://api.example.com:99999",
        "https://api.example.com:-1", "https://api.example.com:0", "https://[::1", "https://[zz]",
        "https://exa\nmple.com", "https://api.example.com /", "https://good.com\\@evil.com",
        "https://good.com\\.evil.com", "https://exämple.com", "https://api.example.com/\x00",
        "https://169.254.169.254", "https://169.254.169.254/latest", "https://100.100.100.200",
        "https://[::ffff:169.254.169.254]", "https://2852039166", "https://0xa9fea9fe",
        "https://0251.0376.0251.0376", "https://169.254.43518", "https://169.254.169.254.",
        "https://[fe80::1]", "javascript:alert(1)", "file:///etc/passwd",
    ],
    ids=repr,
)  # fmt: skip
def test_other_endpoints_are_refused(url: str) -> None:
    """Signed requests go nowhere that a typing error or a stranger chose."""
    with pytest.raises(ConfigurationError, match="endpoint"):
        check_endpoint(url)


def deep(levels: int) -> bytes:
    return b'{"a": ' + b"[" * levels + b"]" * levels + b"}"


@pytest.mark.faults(22, 27, 28, 32, 33)
@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b' {"a": 1} \n', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "中"}'.encode("utf-16"), {"a": "中"}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": "\\ud800"}', {"a": "\ud800"}),
        (b'{"a": 1e999}', {"a": float("inf")}),
        (deep(50), None),
    ],
    ids=["empty", "blanks", "BOM", "UTF-16", "twice", "surrogate", "1e999", "50 deep"],
)
def test_json_is_read_whatever_its_dress(body: bytes, value: Any) -> None:
    """The content type is not asked; gateways set it as they like."""
    found = read_json(HttpResponse(status=200, headers={"content-type": "text/x"}, body=body))

    assert value in (None, found)


BAD: dict[str, bytes] = {
    "nothing": b"",
    "cut": b'{"items": [',
    "trailing": b"{} {}",
    "NaN": b'{"size": NaN}',
    "Infinity": b'{"size": -Infinity}',
    "a long integer": b'{"size": ' + b"9" * 5000 + b"}",
    "100,000 deep": b'{"a":' + b"[" * 100_000,
    "100 deep": deep(100),
    "a list": b"[]",
    "null": b"null",
    "a text": b'"ok"',
    "GBK": '{"名字": "快照"}'.encode("gbk"),
    "binary": b"\x00\x01\x02\xff",
    "half a UTF-16": '{"a": "中"}'.encode("utf-16")[:-1],
}


@pytest.mark.faults(21, 23, 24, 25, 26, 28, 29, 31, 34)
@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
@pytest.mark.parametrize(
    ("status", "kind", "retry"),
    [
        (200, ProtocolError, Retry.BACKOFF),
        (204, ProtocolError, Retry.BACKOFF),
        (400, ProtocolError, Retry.NEVER),
        (403, ProtocolError, Retry.NEVER),
        (404, ProtocolError, Retry.NEVER),
        (429, ThrottledError, Retry.BACKOFF),
        (500, UnavailableError, Retry.BACKOFF),
        (502, UnavailableError, Retry.BACKOFF),
    ],
)
def test_what_is_no_json_object_is_judged_by_its_status(
    body: bytes, status: int, kind: type[SnapkitError], retry: Retry
) -> None:
    """Never an empty list, and never an exception of the parser's."""
    with pytest.raises(kind) as caught:
        read_json(HttpResponse(status=status, headers={}, body=body))

    assert retry is caught.value.retry
    assert str(status) in str(caught.value)


@pytest.mark.faults(20)
@pytest.mark.parametrize(
    "body", [b"<html>sign in</html>", b"  \n<!DOCTYPE html>", b"\xef\xbb\xbf<html>"]
)
def test_html_with_a_good_status_is_a_portal_and_not_asked_again(body: bytes) -> None:
    """A login page of a hotel says 200."""
    with pytest.raises(ProtocolError, match="is HTML, not the API's") as caught:
        read_json(HttpResponse(status=200, headers={}, body=body))

    assert Retry.NEVER is caught.value.retry


@pytest.mark.faults(20)
def test_what_a_portal_says_is_inert() -> None:
    """Its text reaches a terminal."""
    with pytest.raises(ProtocolError) as caught:
        read_json(HttpResponse(status=200, headers={}, body=b"<p>\x1b[2J\x07\r\n</p>"))

    assert str(caught.value).isprintable()


def test_requests_and_answers_keep_their_contents_out_of_repr() -> None:
    """They hold signatures and tokens."""
    request = HttpRequest(method="GET", url="u", headers={"a": "CANARY"}, body=b"CANARY")
    found = HttpResponse(status=200, headers={}, body=b"CANARY")

    assert "CANARY" not in f"{request!r} {found!r}"


def test_many_threads_share_one_client() -> None:
    """A sweep has one for all its scopes."""
    found: list[int] = []
    handler = answer()
    handler.closes = False  # type: ignore[attr-defined] # a mark for the server
    with server(handler) as (url, seen):
        client = Http()

        def work() -> None:
            for _ in range(5):
                one = client.send(
                    HttpRequest(method="GET", url=url), connect=2, read=2, remaining=lambda: 5.0
                )
                found.append(one.status)

        threads: Sequence[threading.Thread] = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        client.close()

    assert [200] * 40 == found
    assert 40 == len(seen)
