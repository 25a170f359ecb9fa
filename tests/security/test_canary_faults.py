"""Whatever goes wrong between a driver and its provider, no key is in what is said of it."""

import base64
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
import pytest
import requests
import trustme
import urllib3

from snapkit.cli.records import exact
from snapkit.client import Client
from snapkit.credentials import Credentials, Secret
from snapkit.emulator import Fault
from snapkit.emulator.dialect import Request
from snapkit.emulator.server import FaultKind
from snapkit.errors import Failure, SnapkitError, TransportError
from snapkit.http import Http
from snapkit.retry import RetryPolicy
from snapkit.settings import open_driver
from snapkit.testing import EmulatedHarness, Seed, patient_clock
from tests.core.test_http import Handler, bytes_then, server
from tests.providers.harnesses import STYLES

from .canary import (
    KEY_ID,
    KEYS,
    SECRET,
    TOKEN,
    forbidden,
    found_in,
    json_of,
    logged,
    shown,
    signatures,
    written,
)

HASTY = RetryPolicy(transient=2, throttled=2, connect_timeout=0.3, read_timeout=0.2)


@contextmanager
def peeking(handler: Handler) -> Generator[str]:
    """Give the https address of a server that leaves every byte to *handler*."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(2)
                handler(connection, b"")

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(3)


@pytest.fixture(params=STYLES.values(), ids=list(STYLES))
def harness(request: pytest.FixtureRequest) -> Iterator[EmulatedHarness]:
    """Give each adapter in each style over an emulator that knows the canary's keys."""
    make: Callable[[], EmulatedHarness] = request.param
    with make() as harness:
        (account,) = harness.world.accounts
        account.key_id, account.secret = KEY_ID, SECRET
        account.token = TOKEN if harness.provider != "qingcloud" else None
        harness.add(Seed(), Seed(disk=2))
        harness.add_disks(1, 2)
        yield harness


def client(harness: EmulatedHarness, **changes: Any) -> Client:
    """Return a client with the canary's keys; *changes* are those of its target."""
    (target,) = (
        one for one in harness.emulator.targets(harness.provider) if one.region == harness.region
    )
    target = attrs.evolve(target, **changes)
    target = attrs.evolve(target, options={**target.options, **harness.options})
    return Client(open_driver(target, http=Http(), policy=HASTY, clock=patient_clock()))


def everything(one: Client, disk: str, snapshot: str) -> Iterator[SnapkitError]:
    """Yield the errors of reading and of writing through *one*."""
    acts: list[Callable[[], object]] = [
        lambda: list(one.snapshots()),
        lambda: list(one.groups()),
        lambda: one.create(disk, name="nightly"),
        lambda: one.delete([snapshot]),
    ]
    for act in acts:
        try:
            act()
        except SnapkitError as error:
            yield error


PLAIN: tuple[FaultKind, ...] = ("cut-before", "cut-after", "cut-answer", "html")
FAULTS: dict[str, Fault] = {
    **{f"refuse-{one.value}": Fault(kind="refuse", failure=one, times=None) for one in Failure},
    **{
        f"status-{code}": Fault(kind="status", status=code, times=None)
        for code in (301, 401, 429, 503)
    },
    **{kind: Fault(kind=kind, times=None) for kind in PLAIN},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_no_fault_of_a_provider_shows_a_key(
    harness: EmulatedHarness, fault: Fault, caplog: pytest.LogCaptureFixture
) -> None:
    """Errors, their chains, frames and pickles, and the logs of all libraries at DEBUG."""
    caplog.set_level(logging.DEBUG)
    harness.emulator.faults[:] = [attrs.evolve(fault)]
    errors = list(everything(client(harness), harness.disk_id(1), harness.living()[0]))

    assert errors
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert [] == found_in([text for one in errors for text in shown(one)], forbidden())
    assert [] == found_in(logged(caplog), forbidden())


def test_no_silence_of_a_provider_shows_a_key(
    harness: EmulatedHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """A read timeout comes from deep inside the HTTP library, with everything in its frames."""
    caplog.set_level(logging.DEBUG)
    harness.emulator.faults[:] = [Fault(kind="hang", times=None)]
    with pytest.raises(SnapkitError) as caught:
        list(client(harness).snapshots())

    assert [] == found_in([*shown(caught.value), *logged(caplog)], forbidden())


@pytest.mark.parametrize("wrong", ["secret", "token"])
def test_no_refusal_of_wrong_keys_shows_them(
    harness: EmulatedHarness, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The server says what it expected, and that is near to what was sent."""
    caplog.set_level(logging.DEBUG)
    (account,) = harness.world.accounts
    if wrong == "token" and account.token is None:
        wrong = "secret"
    keys = Credentials(key_id=KEY_ID, secret=account.secret, token=account.token)
    other = Secret(f"CANARY-another-{wrong}-0000")
    keys = attrs.evolve(keys, token=other) if wrong == "token" else attrs.evolve(keys, secret=other)
    with pytest.raises(SnapkitError) as caught:
        list(client(harness, credentials=keys).snapshots())

    values = forbidden() | forbidden([f"CANARY-another-{wrong}-0000"])
    assert [] == found_in([*shown(caught.value), *logged(caplog)], values)


def test_a_listing_that_works_logs_no_key(
    harness: EmulatedHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """Most of what is logged is logged when all is well."""
    caplog.set_level(logging.DEBUG)
    found = client(harness)
    rows = list(found.snapshots())
    report = found.snapshots()
    list(report)

    assert 2 == len(rows)
    assert [] == found_in([*logged(caplog), repr(report.report), json_of(exact(rows))], forbidden())


def test_signatures_stay_out_of_the_logs(
    harness: EmulatedHarness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A signature is good for minutes; a URL that carries one is logged by the HTTP library."""
    caplog.set_level(logging.DEBUG)
    seen: list[Request] = []
    respond = harness.emulator.respond

    def watched(request: Request) -> Any:
        seen.append(request)
        return respond(request)

    monkeypatch.setattr(harness.emulator, "respond", watched)
    list(client(harness).snapshots())
    sent = signatures(
        [one.headers for one in seen],
        [text for one in seen for text in (one.query, one.body.decode())],
    )

    assert sent
    assert [] == found_in(logged(caplog), [form for one in sent for form in written(one)])


def refused() -> str:
    """Return an address at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    return f"127.0.0.1:{port}"


def failing(harness: EmulatedHarness, endpoint: str, **changes: Any) -> SnapkitError:
    """Return the error of listing at *endpoint*, with all three parts of the keys."""
    with pytest.raises(SnapkitError) as caught:
        list(client(harness, endpoint=endpoint, credentials=KEYS, **changes).snapshots())
    return caught.value


def test_no_refused_connection_shows_a_key(
    harness: EmulatedHarness, caplog: pytest.LogCaptureFixture
) -> None:
    """The HTTP library quotes the whole URL that it could not reach."""
    caplog.set_level(logging.DEBUG)
    error = failing(harness, f"http://{refused()}")

    assert isinstance(error.__cause__, requests.ConnectionError | urllib3.exceptions.HTTPError)
    assert [] == found_in([*shown(error), *logged(caplog)], forbidden())


CUT: dict[str, Handler] = {
    "nothing": bytes_then(b""),
    "reset": bytes_then(b"", reset=True),
    "head": bytes_then(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "body": bytes_then(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"),
    "chunk": bytes_then(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    "not-http": bytes_then(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "lengths": bytes_then(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n{}"),
    "gzip": bytes_then(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nnot gzip!"
    ),
}


@pytest.mark.parametrize("handler", CUT.values(), ids=list(CUT))
def test_no_broken_answer_shows_a_key(
    harness: EmulatedHarness, handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of these ends in another corner of the HTTP library."""
    caplog.set_level(logging.DEBUG)
    with server(handler) as (url, seen):
        error = failing(harness, url)

    assert seen
    assert [] == found_in([*shown(error), *logged(caplog)], forbidden())


@pytest.mark.parametrize("trusted", [False, True], ids=["untrusted", "wrong-host"])
def test_no_failed_handshake_shows_a_key(
    harness: EmulatedHarness, trusted: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing was sent, and nothing that was to be sent is told."""
    caplog.set_level(logging.DEBUG)
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(str(bundle))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate: Any = authority.issue_cert("elsewhere.example")
    certificate.configure_cert(context)

    def shake(connection: socket.socket, request: bytes) -> None:
        del request
        with context.wrap_socket(connection, server_side=True):
            pytest.fail("a handshake that must not succeed did")

    with peeking(shake) as url:
        http = Http(ca_bundle=str(bundle))
        (target,) = [
            attrs.evolve(one, endpoint=url, credentials=KEYS)
            for one in harness.emulator.targets(harness.provider)
            if one.region == harness.region
        ]
        one = Client(open_driver(target, http=http, policy=HASTY, clock=patient_clock()))
        with pytest.raises(TransportError, match="no trusted TLS connection") as caught:
            list(one.snapshots())

    assert [] == found_in([*shown(caught.value), *logged(caplog)], forbidden())


PROXY_PASSWORD = "CANARY-proxy-31337"
PROXIES: dict[str, bytes | None] = {
    "dead": None,
    "407": b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    "nonsense": b"hello\r\n\r\n",
}


@pytest.mark.parametrize("says", PROXIES.values(), ids=list(PROXIES))
def test_a_proxy_that_fails_is_told_without_its_password(
    harness: EmulatedHarness,
    says: bytes | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Companies put the password into HTTPS_PROXY."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("no_proxy", "elsewhere.example")
    handler = bytes_then(says) if says is not None else None
    with server(handler or bytes_then(b"")) as (url, seen):
        place = url.removeprefix("http://") if handler else refused()
        monkeypatch.setenv("https_proxy", f"http://me:{PROXY_PASSWORD}@{place}")
        error = failing(harness, "https://127.0.0.1:9")
        asked = b"".join(seen)

    password = base64.b64encode(f"me:{PROXY_PASSWORD}".encode())
    assert (handler is not None) == (password in asked)
    values = [*forbidden([PROXY_PASSWORD]), password.decode()]
    assert [] == found_in([*shown(error), *logged(caplog)], values)


@pytest.mark.parametrize("proxy", ["http://me:{}@[::1", "http://me:{}@ho st:1", "ftp://me:{}@h:x"])
def test_a_proxy_that_cannot_be_read_is_told_without_its_password(
    harness: EmulatedHarness, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser's complaint quotes what it could not parse."""
    monkeypatch.setenv("no_proxy", "elsewhere.example")
    monkeypatch.setenv("https_proxy", proxy.format(PROXY_PASSWORD))
    error = failing(harness, "https://127.0.0.1:9")

    assert [] == found_in(shown(error), forbidden([PROXY_PASSWORD]))
