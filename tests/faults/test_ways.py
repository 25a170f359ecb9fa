"""The way to the provider: names, ports, certificates, proxies, and where requests must not go."""

# pyright: reportUnknownMemberType=false
# trustme is only half typed.

import socket
import ssl
import threading
from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from snapkit.errors import ProtocolError, Retry, Sent, SnapkitError, TransportError
from snapkit.http import Http
from snapkit.retry import RetryPolicy

from .cloud import CANARY, TOKEN, Cloud
from .server import Reply, Wire, black_hole, listening, raw, receive, serving, whole

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.mark.faults(1)
def test_a_name_that_does_not_exist_is_asked_for_once(
    here: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt region is a name that does not exist, and never will."""
    asked: list[str] = []

    def nobody(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    error = here.check_failed(here.list("https://cloud.invalid"))

    assert type(error) is TransportError
    assert (Sent.NO, Retry.NEVER, 1) == (error.sent, error.retry, error.attempts)
    assert "'cloud.invalid' cannot be resolved" in str(error)
    assert ["cloud.invalid"] == asked


@pytest.mark.faults(2)
def test_a_resolver_that_is_ill_is_asked_again(
    here: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EAI_AGAIN means what it says."""
    real, ill = socket.getaddrinfo, [1, 1]

    def resolver(host: str, *rest: Any, **more: Any) -> Any:
        if ill:
            ill.pop()
            raise socket.gaierror(socket.EAI_AGAIN, "try again")
        return real(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with serving(Wire(here.answer)) as wire:
        here.check_whole(here.list(wire.url.replace("127.0.0.1", "localhost")))

    assert 2 == len(here.time.slept)


@pytest.fixture
def closed() -> Generator[socket.socket]:
    """Hold a port on which nobody listens, so that nobody else can take it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder


def port_of(holder: socket.socket) -> int:
    """Return the port that *holder* holds."""
    return int(holder.getsockname()[1])


@pytest.mark.faults(3)
def test_a_refused_connection_is_tried_again_and_nothing_was_sent(
    here: Cloud, closed: socket.socket
) -> None:
    """So even a call that must happen once may be tried again."""
    error = here.check_failed(here.list(f"http://127.0.0.1:{port_of(closed)}"))

    assert type(error) is TransportError
    assert (Sent.NO, 4, 3) == (error.sent, error.attempts, len(here.time.slept))
    assert "refuses the connection" in str(error)


@pytest.mark.faults(3)
def test_a_server_that_restarts_is_met_again(here: Cloud, closed: socket.socket) -> None:
    """A refusal passes when the service is back after the pause."""
    wire, back = Wire(here.answer), threading.Event()

    def serve() -> None:
        while True:
            try:
                connection, _ = closed.accept()
            except OSError:
                return
            threading.Thread(target=wire.talk, args=(connection,), daemon=True).start()

    def restart() -> None:
        if not back.is_set():
            back.set()
            closed.listen()
            threading.Thread(target=serve, daemon=True).start()

    here.time.on_sleep = restart
    here.check_whole(here.list(f"http://127.0.0.1:{port_of(closed)}"))
    closed.shutdown(socket.SHUT_RDWR)

    assert back.is_set()


@pytest.mark.faults(4)
def test_a_connection_that_is_never_taken_is_tried_again_and_nothing_was_sent(
    here: Cloud,
) -> None:
    """A firewall that drops packets looks like this."""
    policy = RetryPolicy(connect_timeout=0.05, call_timeout=600.0)
    with black_hole() as url:
        error = here.check_failed(here.list(url, policy=policy))

    assert type(error) is TransportError
    assert (Sent.NO, 4) == (error.sent, error.attempts)
    assert "does not accept a connection" in str(error)


@pytest.mark.faults(79)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Temporary", "308 P"])
def test_no_redirect_is_followed_and_nothing_reaches_the_other_host(
    here: Cloud, status: str
) -> None:
    """Tokens in headers of their own are not dropped by anybody's redirect rules."""
    with serving(Wire(here.answer)) as other:
        sent = f"HTTP/1.1 {status}\r\nLocation: {other.url}/\r\nContent-Length: 0\r\n\r\n"
        with serving(Wire(here.answer, {1: raw(sent.encode())})) as wire:
            error = here.check_failed(here.list(wire.url, token=TOKEN))

        assert (0, []) == (other.connections, other.seen)
    assert type(error) is ProtocolError
    assert "redirect" in str(error)
    assert (1, 2) == (error.attempts, len(wire.seen))


class Authorities:
    """One that is trusted and one that is not, with the certificates a server may show."""

    def __init__(self, folder: Path) -> None:
        self.trusted, self.other = trustme.CA(), trustme.CA()
        self.bundle = str(folder / "ca.pem")
        self.trusted.cert_pem.write_to_path(self.bundle)

    def context(self, kind: str) -> ssl.SSLContext:
        """Return the server's side, with a certificate that is *kind*."""
        if kind == "untrusted":
            certificate = self.other.issue_cert("127.0.0.1")
        elif kind == "wrong host":
            certificate = self.trusted.issue_cert("elsewhere.example")
        elif kind == "expired":
            certificate = self.trusted.issue_cert(
                "127.0.0.1", not_before=LONG_AGO, not_after=LONG_AGO + timedelta(days=30)
            )
        else:
            certificate = self.trusted.issue_cert("127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        return context


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    """Return the authorities of all tests here; keys are slow to make."""
    return Authorities(tmp_path_factory.mktemp("ca"))


@pytest.mark.faults(80)
def test_a_good_certificate_of_the_callers_own_authority_is_taken(
    here: Cloud, authorities: Authorities
) -> None:
    """Or the refusals below would prove nothing."""
    with serving(Wire(here.answer, context=authorities.context("good"))) as wire:
        here.check_whole(here.list(wire.url, ca_bundle=authorities.bundle))


@pytest.mark.faults(80)
@pytest.mark.parametrize("kind", ["expired", "wrong host", "untrusted"])
def test_a_bad_certificate_ends_it_at_once_and_nothing_was_sent(
    here: Cloud, authorities: Authorities, kind: str
) -> None:
    """No second try: it would be the same, and the next one may be asked to say yes."""
    with serving(Wire(here.answer, context=authorities.context(kind))) as wire:
        error = here.check_failed(here.list(wire.url, ca_bundle=authorities.bundle))

    assert ([], 1) == (wire.seen, wire.connections)
    no_trust(error)


@pytest.mark.faults(80)
def test_a_callers_session_trusts_nobody_more(here: Cloud, authorities: Authorities) -> None:
    """Its connections are not watched, and the refusal is the same."""
    with (
        requests.Session() as session,
        serving(Wire(here.answer, context=authorities.context("untrusted"))) as wire,
    ):
        way = Http(session, ca_bundle=authorities.bundle)
        no_trust(here.check_failed(here.list(wire.url, http=way)))

    assert [] == wire.seen


@pytest.mark.faults(80)
def test_a_server_without_tls_ends_it_at_once_and_nothing_was_sent(here: Cloud) -> None:
    """Not a cut connection, which would be tried again."""
    heard: list[bytes] = []

    def talk(connection: socket.socket) -> None:
        with connection:
            heard.append(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(talk, threading.Event()) as port:
        no_trust(here.check_failed(here.list(f"https://127.0.0.1:{port}")))

    assert 1 == len(heard)
    assert b"HTTP" not in heard[0]


def no_trust(error: SnapkitError) -> None:
    """Assert that *error* says once and for all that nobody could be trusted."""
    assert type(error) is TransportError
    assert (Sent.NO, Retry.NEVER, 1) == (error.sent, error.retry, error.attempts)
    assert "no trusted TLS connection" in str(error)
    assert "CA bundle" in (error.hint or "")


@pytest.mark.faults(80)
def test_a_handshake_that_is_cut_is_tried_again(here: Cloud, authorities: Authorities) -> None:
    """A balancer that closes is no bad certificate: the next one may be well."""
    cut: list[int] = []
    wire = Wire(here.answer, context=authorities.context("good"))

    def talk(connection: socket.socket) -> None:
        if cut:
            wire.talk(connection)
            return
        cut.append(1)
        with connection:
            connection.recv(65536)

    with listening(talk, wire.gate) as wire.port:
        here.check_whole(here.list(wire.url, ca_bundle=authorities.bundle))

    assert [1] == cut
    assert 1 == len(here.time.slept)


def proxied(answer: bytes, seen: list[bytes], gate: threading.Event) -> Iterator[int]:
    """Yield the port of a proxy that says *answer* to everything."""

    def talk(connection: socket.socket) -> None:
        with connection:
            seen.append(receive(connection))
            connection.sendall(answer)

    with listening(talk, gate) as port:
        yield port


@pytest.mark.faults(81)
@pytest.mark.parametrize(
    ("answer", "retry", "said"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", Retry.NEVER, "HTTP 407"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", Retry.NEVER, "HTTP 403"),
        (b"HTTP/1.1 503 Busy\r\n\r\n", Retry.BACKOFF, "HTTP 503"),
        (b"", Retry.BACKOFF, "does not answer"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Retry.BACKOFF, "does not answer"),
        (None, Retry.NEVER, "does not answer"),
    ],
    ids=["407", "403", "503", "closed", "no proxy", "dead"],
)
def test_a_proxy_that_fails_is_named_without_its_password(
    here: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    closed: socket.socket,
    answer: bytes | None,
    retry: Retry,
    said: str,
) -> None:
    """Otherwise people look for the fault at the provider, or paste a password into a ticket."""
    seen: list[bytes] = []
    ports = proxied(answer or b"", seen, threading.Event()) if answer is not None else None
    port = next(ports) if ports else port_of(closed)
    monkeypatch.setenv("HTTPS_PROXY", f"http://walter:hunter2@127.0.0.1:{port}")
    error = here.check_failed(here.list("https://cloud.invalid", token=TOKEN))
    if ports:
        assert next(ports, None) is None
        assert seen

    assert type(error) is TransportError
    assert (Sent.NO, retry) == (error.sent, error.retry)
    assert (1 if retry is Retry.NEVER else 4) == error.attempts
    assert f"the proxy 127.0.0.1:{port} " in str(error)
    assert said in str(error)
    assert not any(word in f"{error} {error!r}" for word in ("hunter2", "walter"))
    assert all(one.startswith(b"CONNECT cloud.invalid:443 ") for one in seen)
    assert not any(one in b"".join(seen) for one in (CANARY.encode(), TOKEN.encode()))


@pytest.mark.faults(81)
@pytest.mark.parametrize(
    "proxy", ["socks5://hunter2@127.0.0.1:9", "http://[::1", "gopher://x:hunter2@127.0.0.1"]
)
def test_a_proxy_that_cannot_be_used_is_a_sentence(
    here: Cloud, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """A typing error in the environment is no fault of the provider's, and does not pass."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    error = here.check_failed(here.list("https://cloud.invalid"))

    assert (Sent.NO, Retry.NEVER, 1) == (error.sent, error.retry, error.attempts)
    assert "proxy" in str(error)
    assert "hunter2" not in str(error)


@pytest.mark.faults(81)
def test_no_proxy_means_none(
    here: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    authorities: Authorities,
    closed: socket.socket,
) -> None:
    """The hosts it names are met directly."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port_of(closed)}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(Wire(here.answer, context=authorities.context("good"))) as wire:
        here.check_whole(here.list(wire.url, ca_bundle=authorities.bundle))


@pytest.mark.faults(81)
def test_plain_http_to_this_machine_goes_through_no_proxy(
    here: Cloud, monkeypatch: pytest.MonkeyPatch, closed: socket.socket
) -> None:
    """It would see the whole signed request."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port_of(closed)}")
    with serving(Wire(here.answer)) as wire:
        here.check_whole(here.list(wire.url))


@pytest.mark.faults(82)
def test_a_netrc_does_not_replace_the_signature(
    here: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A forgotten file would turn our authorisation into somebody's password."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login walter password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(Wire(here.answer)) as wire:
        here.check_whole(here.list(wire.url))

    assert not any(b"Basic" in one for one in wire.seen)


@pytest.mark.faults(83)
def test_a_cookie_is_not_sent_back(here: Cloud) -> None:
    """A balancer's session is not part of what was signed."""

    def biscuit(connection: socket.socket, answer: Any) -> bool | None:
        answer = answer.__class__(
            status=answer.status,
            body=answer.body,
            headers={**answer.headers, "Set-Cookie": "balancer=7; Path=/"},
        )
        return whole(connection, answer)

    reply: Reply = biscuit
    with serving(Wire(here.answer, always=reply)) as wire:
        here.check_whole(here.list(wire.url))

    assert len(wire.seen) > 2
    assert not any(b"cookie" in one.lower() for one in wire.seen)


@pytest.mark.faults(79, 82)
def test_secret_and_token_are_in_no_url_and_no_log(
    here: Cloud, caplog: pytest.LogCaptureFixture
) -> None:
    """The log of the HTTP library prints the whole address of each request."""
    caplog.set_level("DEBUG", logger="")
    with serving(Wire(here.answer, {1: raw(b"")})) as wire:
        here.check_whole(here.list(wire.url, token=TOKEN))

    assert "urllib3" in {one.name.partition(".")[0] for one in caplog.records}
    assert not any(word in caplog.text for word in (CANARY, TOKEN))
    assert not any(TOKEN.encode() in one.split(b"\r\n")[0] for one in wire.seen)
    assert not any(CANARY.encode() in one for one in wire.seen)
