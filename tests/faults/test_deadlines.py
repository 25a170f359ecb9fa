"""One deadline over connect, handshake, headers and body, whatever the far side does.

Every byte of a slow server comes in time for the read timeout, so only the call's own deadline
ends it. It must hold within ten percent, plus 0.05 s for a busy machine; the best of three runs
counts, because a machine that does something else for a moment is no fault of the deadline.
"""

# pyright: reportUnknownMemberType=false
# trustme is only half typed.

import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from snapkit.errors import DeadlineExceededError, Sent, SnapkitError
from snapkit.listing import Outcome
from snapkit.retry import RetryPolicy

from .cloud import Cloud, Seen
from .server import OK, Reply, Wire, black_hole, dripping, listening, raw, receive, serving, silent

SECONDS = 0.3
LATEST = SECONDS * 1.1 + 0.05
PATIENT = RetryPolicy(call_timeout=SECONDS, connect_timeout=30.0, read_timeout=30.0)


def kept(run: Callable[[], Seen]) -> Seen:
    """Return what *run* gave when it ended in time; at least once in three runs it must."""
    for last in (False, False, True):
        started = time.monotonic()
        seen = run()
        took = time.monotonic() - started
        assert took >= SECONDS * 0.9
        if took <= LATEST:
            return seen
        assert not last, f"{took:.2f} s, and it should be {SECONDS} s"
    raise AssertionError


def late(here: Cloud, seen: Seen, sent: Sent) -> None:
    """Assert that *seen* ended because its time was up."""
    error = here.check_failed(seen, Outcome.TIMED_OUT)

    assert isinstance(error, DeadlineExceededError)
    assert sent is error.sent


SLOW: dict[str, Callable[[threading.Event], Reply]] = {
    "14 body": lambda gate: dripping(gate, OK + b"Content-Length: 99999\r\n\r\n{", b" "),
    "14 body in chunks": lambda gate: dripping(
        gate, OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"
    ),
    "14 body without a length": lambda gate: dripping(gate, OK + b"\r\n{", b" "),
    "15 headers": lambda gate: dripping(gate, OK, b"X-A: b\r\n"),
    "15 one header": lambda gate: dripping(gate, OK + b"X-A: ", b"a"),
    "15 endless interim answers": lambda gate: dripping(gate, b"", b"HTTP/1.1 100 C\r\n\r\n"),
    "12 nothing": silent,
    "12 half a body": lambda gate: silent(gate, 0.5),
}


@pytest.mark.faults(12, 14, 15)
@pytest.mark.parametrize("make", SLOW.values(), ids=SLOW.keys())
def test_a_slow_answer_ends_at_the_deadline(
    here: Cloud, make: Callable[[threading.Event], Reply]
) -> None:
    """The request may have been carried out, and the error says so."""
    wire = Wire(here.answer)
    wire.always = make(wire.gate)
    with serving(wire):
        seen = kept(lambda: here.list(wire.url, policy=PATIENT))

    late(here, seen, Sent.MAYBE)


@pytest.mark.faults(14)
def test_the_rows_before_a_slow_page_are_there(here: Cloud) -> None:
    """A deadline takes what comes after it, not what came before."""
    wire = Wire(here.answer)
    wire.script = {1: dripping(wire.gate, OK + b"Content-Length: 99999\r\n\r\n{", b" ")}
    with serving(wire):
        seen = here.list(wire.url, policy=PATIENT)

    late(here, seen, Sent.MAYBE)
    assert 100 == len(seen.rows)


@pytest.mark.faults(4, 12)
def test_a_connection_that_is_never_taken_ends_at_the_deadline(here: Cloud) -> None:
    """Nothing was sent, so nothing was done."""
    with black_hole() as url:
        seen = kept(lambda: here.list(url, policy=PATIENT))

    late(here, seen, Sent.NO)


@pytest.mark.faults(4)
def test_the_deadline_is_over_all_addresses_of_a_name(
    here: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host has an address of each kind, and each may be a hole."""
    real = socket.getaddrinfo

    def two(host: str, port: int, *rest: int) -> list[Any]:
        found = list(real(host, port, *rest))
        return [*found, (*found[0][:4], ("127.0.0.2", port))] if host == "localhost" else found

    with black_hole("") as url:
        monkeypatch.setattr(socket, "getaddrinfo", two)
        seen = kept(lambda: here.list(url.replace("127.0.0.1", "localhost"), policy=PATIENT))

    late(here, seen, Sent.NO)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Return one authority for all tests here; keys are slow to make."""
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a file of one certificate: a hundred take a good part of the deadline to read."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def first_flight(authority: trustme.CA) -> bytes:
    """Return a server's first flight of a TLS handshake, made for nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    client = ssl.create_default_context()
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(back, there, server_hostname="127.0.0.1")
    answering = context.wrap_bio(there, back, server_side=True)
    for side in (asking, answering):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    return back.read()


@pytest.mark.faults(15, 80)
@pytest.mark.parametrize("drips", [True, False], ids=["a byte at a time", "not at all"])
def test_a_handshake_that_drips_ends_at_the_deadline(
    here: Cloud, authority: trustme.CA, bundle: str, drips: bool
) -> None:
    """Before any request can have left."""
    gate = threading.Event()
    flight = first_flight(authority) if drips else b""

    def talk(connection: socket.socket) -> None:
        connection.settimeout(5)
        with connection:
            connection.recv(65536)
            for number in range(len(flight)):
                if gate.wait(0.02):
                    return
                try:
                    connection.sendall(flight[number : number + 1])
                except OSError:
                    return
            gate.wait(5)

    with listening(talk, gate) as port:
        url = f"https://127.0.0.1:{port}"
        seen = kept(lambda: here.list(url, policy=PATIENT, ca_bundle=bundle))

    late(here, seen, Sent.NO)


@pytest.mark.faults(15, 81)
@pytest.mark.parametrize("after", [False, True], ids=["its answer", "the handshake behind it"])
def test_a_proxy_that_drips_ends_at_the_deadline(
    here: Cloud, monkeypatch: pytest.MonkeyPatch, bundle: str, after: bool
) -> None:
    """What it says before the tunnel stands is read without any other bound."""
    gate = threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection:
            receive(connection)
            if after:
                gate.wait(SECONDS * 0.5)
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                gate.wait(5)
            try:
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n")
                while not gate.wait(0.02):
                    connection.sendall(b"X-A: b\r\n")
            except OSError:
                return

    with listening(talk, gate) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        url = "https://cloud.invalid"
        seen = kept(lambda: here.list(url, policy=PATIENT, ca_bundle=bundle))

    late(here, seen, Sent.NO)


@pytest.mark.faults(12)
def test_no_attempt_begins_after_the_deadline(here: Cloud) -> None:
    """Pauses are counted too: what would end too late is not begun."""
    with serving(Wire(here.answer, always=raw(b""))) as wire:
        seen = here.list(wire.url, policy=RetryPolicy(call_timeout=0.2, base=50.0, longest=50.0))
    error = here.check_failed(seen)

    assert isinstance(error, SnapkitError)
    assert sum(here.time.slept) < 0.2
    assert len(wire.seen) < 4
