"""Lines that are cut, and answers that are broken in the middle, over real sockets.

A listing of three pages meets each fault in its second one. It must end whole after another
attempt, or with an error after the rows of the first page: never as a shorter list.
"""

import gzip
import socket

import attrs
import pytest

from snapkit.emulator.dialect import Answer
from snapkit.errors import ProtocolError, Sent, TransportError
from snapkit.listing import Outcome
from snapkit.registry import providers
from snapkit.retry import RetryPolicy
from tests.emulated import furnished

from .cloud import Cloud, cloud
from .server import (
    OK,
    Reply,
    Wire,
    bad_sum,
    changed,
    chunked,
    cut_gzip,
    encoded,
    half,
    part,
    raw,
    receive,
    reset,
    scrambled,
    serving,
    silent,
    whole,
)

SECOND = 1
"""The request that asks for the second page."""
REQUESTS = 3
"""What a listing of ROWS snapshots takes when all is well."""
SIXFOLD = ", ".join(["gzip"] * 6)


def sixfold(body: bytes) -> bytes:
    """*body*, compressed six times."""
    for _ in range(6):
        body = gzip.compress(body, 1)
    return body


def number(line: int, name: str, reply: Reply, kind: type[Exception]) -> object:
    """Return one row of the table, marked with its line of the catalogue."""
    return pytest.param(reply, kind, id=f"{line} {name}")


CUTS = [
    number(5, "closed", raw(b""), TransportError),
    number(6, "reset", reset(raw(b"")), TransportError),
    number(8, "headers reset", reset(raw(OK + b"Content-Le")), TransportError),
    number(8, "headers closed", raw(b"HTTP/1.1 20"), TransportError),
    number(9, "body closed", part(0.5), TransportError),
    number(9, "body reset", reset(part(0.5)), TransportError),
    number(9, "longer than it is", part(1.0, more=9), TransportError),
    number(9, "shorter than it is", part(1.0, more=-9), ProtocolError),
    number(10, "no length, closed", part(0.5, sized=False), ProtocolError),
    number(10, "no length, nothing", part(0.0, sized=False), ProtocolError),
    number(11, "chunk cut", chunked("cut in a chunk"), TransportError),
    number(11, "bad size", chunked("bad size"), TransportError),
    number(11, "no terminator", chunked("no terminator"), TransportError),
    number(17, "gzip cut", encoded("gzip", cut_gzip), ProtocolError),
    number(18, "gzip scrambled", encoded("gzip", scrambled), ProtocolError),
    number(18, "gzip of another sum", encoded("gzip", bad_sum), ProtocolError),
    number(18, "not gzip at all", encoded("gzip", lambda body: body), ProtocolError),
    number(19, "unknown coding", encoded("moon", lambda body: body[::-1]), ProtocolError),
    number(19, "six codings", encoded(SIXFOLD, sixfold), ProtocolError),
    number(24, "half, right length", changed(half), ProtocolError),
    number(5, "not HTTP", raw(b"SSH-2.0-OpenSSH_9.6\r\n"), TransportError),
    number(9, "two lengths", raw(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
           TransportError),
    number(8, "a header of 70 kB", raw(OK + b"X: " + b"x" * 70_000 + b"\r\n\r\n{}"),
           TransportError),
]  # fmt: skip


def test_a_listing_has_three_pages_when_all_is_well(here: Cloud) -> None:
    """What the tests below count from."""
    with serving(Wire(here.answer)) as wire:
        here.check_whole(here.list(wire.url))

    assert REQUESTS == len(wire.seen)


@pytest.mark.faults(5, 6, 8, 9, 10, 11, 17, 18, 19, 24)
@pytest.mark.parametrize(("reply", "kind"), CUTS)
def test_a_listing_survives_one_broken_answer(
    here: Cloud, reply: Reply, kind: type[Exception]
) -> None:
    """The second page is asked for again, and every row comes once.

    There is a pause before that, unless it may be the idle connection that was cut.
    """
    with serving(Wire(here.answer, {SECOND: reply})) as wire:
        here.check_whole(here.list(wire.url))

    assert REQUESTS + 1 == len(wire.seen)
    assert here.time.slept or kind is TransportError


@pytest.mark.faults(5, 6, 8, 9, 10, 11, 17, 18, 19, 24)
@pytest.mark.parametrize(("reply", "kind"), CUTS)
def test_an_answer_that_stays_broken_is_an_error_after_the_first_page(
    here: Cloud, reply: Reply, kind: type[Exception]
) -> None:
    """Four attempts, the rows that came, and the reason: no short list in silence."""
    script = dict.fromkeys(range(SECOND, 99), reply)
    with serving(Wire(here.answer, script)) as wire:
        seen = here.list(wire.url)
    error = here.check_failed(seen)

    assert type(error) is kind
    assert (4, Sent.MAYBE) == (error.attempts, error.sent)
    assert 100 == len(seen.rows)
    assert 5 == len(wire.seen)


@pytest.mark.faults(5, 6, 9, 10, 17, 24, 35)
@pytest.mark.parametrize(("reply", "kind"), CUTS)
def test_a_first_page_that_stays_broken_is_never_an_empty_list(
    here: Cloud, reply: Reply, kind: type[Exception]
) -> None:
    """A clean-up job acts upon "nothing there"."""
    with serving(Wire(here.answer, always=reply)) as wire:
        seen = here.list(wire.url)

    assert isinstance(here.check_failed(seen), kind)
    assert [] == seen.rows
    assert Outcome.EMPTY is not seen.report.outcome


@pytest.mark.faults(5)
def test_an_upgrade_that_nobody_asked_for_is_an_error_at_once(here: Cloud) -> None:
    """Something else than the API listens there, and asking again would not change it."""
    with serving(Wire(here.answer, {SECOND: raw(b"HTTP/1.1 101 Switch\r\n\r\n")})) as wire:
        error = here.check_failed(here.list(wire.url))

    assert type(error) is ProtocolError
    assert (1, 2) == (error.attempts, len(wire.seen))


@pytest.mark.faults(7)
def test_a_connection_that_died_while_idle_costs_one_more_request(here: Cloud) -> None:
    """A pool's connection is closed by the far side just as the next request goes out."""
    dead: list[bytes] = []

    def last_word(connection: socket.socket, answer: Answer) -> None:
        """Answer, take one more request over the same connection, and drop that unanswered."""
        whole(connection, answer)
        dead.append(receive(connection))

    with serving(Wire(here.answer, {0: last_word})) as wire:
        here.check_whole(here.list(wire.url))

    assert 1 == len([request for request in dead if request])
    assert 2 == wire.connections


@pytest.mark.faults(12)
@pytest.mark.parametrize("share", [None, 0.5], ids=["before headers", "in the body"])
def test_a_silent_server_is_left_at_the_read_timeout_and_asked_again(
    here: Cloud, share: float | None
) -> None:
    """Time is left, and another machine of the provider's may answer."""
    policy = RetryPolicy(read_timeout=0.15, call_timeout=600.0)
    wire = Wire(here.answer)
    wire.script = {SECOND: silent(wire.gate, share)}
    with serving(wire):
        here.check_whole(here.list(wire.url, policy=policy))
    wire = Wire(here.answer)
    wire.script = dict.fromkeys(range(SECOND, 99), silent(wire.gate, share))
    with serving(wire):
        seen = here.list(wire.url, policy=attrs.evolve(policy, read_timeout=0.05))
    error = here.check_failed(seen)

    assert type(error) is TransportError
    assert (4, Sent.MAYBE) == (error.attempts, error.sent)
    assert "did not answer in time" in str(error)


@pytest.mark.faults(5, 6)
@pytest.mark.parametrize("provider", providers())
@pytest.mark.parametrize(
    "reply",
    [raw(b""), reset(raw(b"")), reset(part(0.5))],
    ids=["closed", "reset", "reset in the body"],
)
def test_a_create_whose_answer_is_lost_makes_one_snapshot(provider: str, reply: Reply) -> None:
    """It was carried out: what is there is adopted, and nothing is made twice."""
    lost: list[Answer] = []
    with furnished(provider) as place:

        def breaking(connection: socket.socket, answer: Answer) -> bool | None:
            if place.region.snapshots and not lost:
                lost.append(answer)
                return reply(connection, answer)
            return whole(connection, answer)

        at = cloud(provider, place.emulator)
        disk = place.disks(place.server())[-1]
        with (
            serving(Wire(at.answer, always=breaking)) as wire,
            at.client(wire.url, region=place.region.id) as client,
        ):
            made = client.create(disk, name="nightly")

        assert 1 == len(lost)
        assert [made.id] == list(place.region.snapshots)
