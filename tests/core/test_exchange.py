"""HTTP/1.1 as read from a socket: however it is cut into pieces, whole or an error."""

import socket
import ssl
from collections.abc import Callable, Sequence
from http.client import RemoteDisconnected
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.exceptions import HTTPError, ProtocolError, SSLError

from snapkit.errors import TransportError
from snapkit.exchange import LARGEST_HEAD, Answer, exchange, head_of

PLAIN = b'HTTP/1.1 200 OK\r\nContent-Length: 9\r\nX-Id: 7\r\n\r\n{"a": 1}\n'
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"
    b'4;note=x\r\n{"a"\r\n005 \r\n: 1}\n\r\n0\r\nDigest: none\r\n\r\n'
)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + PLAIN
BARE = PLAIN.replace(b"\r\n", b"\n")
ENDED = b'HTTP/1.1 200 OK\r\n\r\n{"a": 1}\n'
BODY = b'{"a": 1}\n'


class Wire:
    """A socket from which *pieces* come, and then nothing more."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = [piece for piece in pieces if piece]
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, most: int) -> bytes:
        if not self.pieces:
            return b""
        piece = self.pieces.pop(0)
        if len(piece) > most:
            self.pieces.insert(0, piece[most:])
        return piece[:most]


def accept(size: int) -> None:
    del size


def read(*pieces: bytes, check: Callable[[int], None] = accept) -> Answer:
    return exchange(cast("socket.socket", Wire(pieces)), b"GET", check)


@pytest.mark.parametrize("told", [PLAIN, CHUNKED, INTERIM, BARE, ENDED])
def test_an_answer_is_the_same_in_all_pieces(told: bytes) -> None:
    """Networks cut where they like."""
    for at in range(len(told)):
        for further in (at, at + 1, at + 7):
            assert BODY == read(told[:at], told[at:further], told[further:]).body
    assert BODY == read(*[bytes([one]) for one in told]).body


@pytest.mark.faults(5, 8, 9, 11)
@pytest.mark.parametrize("told", [PLAIN, CHUNKED, INTERIM, BARE])
def test_an_answer_that_is_cut_is_an_error_wherever_it_is(told: bytes) -> None:
    """Where nothing came at all, it may be the idle connection that was closed."""
    for end in range(len(told)):
        with pytest.raises(ProtocolError) as caught:
            read(told[:end])

        disconnected = any(isinstance(one, RemoteDisconnected) for one in caught.value.args)
        assert disconnected is (end == 0)


@pytest.mark.parametrize(
    ("told", "lasting"),
    [
        (PLAIN, True),
        (CHUNKED, True),
        (INTERIM, True),
        (ENDED, False),
        (PLAIN + b"H", False),
        (PLAIN.replace(b"X-Id: 7", b"Connection: Close"), False),
        (PLAIN.replace(b"1.1", b"1.0"), False),
        (PLAIN.replace(b"1.1", b"1.0").replace(b"X-Id: 7", b"Connection: Keep-Alive"), True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 304\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 101 Switching\r\n\r\n", False),
    ],
)
def test_a_connection_lasts_only_where_the_next_answer_begins_clean(
    told: bytes, lasting: bool
) -> None:
    """One answer's rest must never be the beginning of another's."""
    assert lasting is read(told).lasting


def test_heads_are_read_as_they_may_be_written() -> None:
    """Names in any case, values over two lines, a length that is said twice."""
    found = read(
        b"HTTP/1.1 503 Slow\r\nRETRY-AFTER:  3 \r\nX-Long: a\r\n b\r\n\tc\r\n"
        b"Content-Length: 2\r\nContent-Length: 2\r\nEmpty:\r\n\r\n{}"
    )

    assert (503, b"{}") == (found.status, found.body)
    wanted = {"retry-after": "3", "x-long": "a b c", "content-length": "2", "empty": ""}
    assert wanted == found.headers
    assert b"{}" == read(b"HTTP/1.1 200\r\nContent-Length: 2, 2\r\n\r\n{}").body


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
NO_END = r"Connection broken: {} has no end$"
LENGTH = r"Connection broken: the length of the answer is {}$"
ABORTED = r"^\('Connection aborted\.', "


@pytest.mark.faults(8, 9, 11)
@pytest.mark.parametrize(
    ("told", "said"),
    [
        (HEAD + b"Content-Length: 2, 3\r\n\r\n{}}", LENGTH.format("'2, 3'")),
        (HEAD + b"Content-Length: \xb2\r\n\r\n{}", LENGTH.format("'\u00b2'")),
        (HEAD + b"Content-Length: +2\r\n\r\n{}", LENGTH.format(r"'\+2'")),
        (HEAD + b"Content-Length:\r\n\r\n{}", LENGTH.format("''")),
        (HEAD + b"Content-Length: " + b"0" * 18 + b"2\r\n\r\n{}", LENGTH.format("'0{18}2'")),
        (HEAD + b"Content-Length: " + b"x" * 99 + b"\r\n\r\n{}", LENGTH.format("'x{60}'")),
        (
            HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}}",
            "broken: two headers content-length that differ$",
        ),
        (HEAD + b"Content-Length : 2\r\n\r\n{}", "broken: a line of the head is no header$"),
        (HEAD + b": 2\r\n\r\n{}", "broken: a line of the head is no header$"),
        (HEAD + b" X: 2\r\n\r\n{}", "broken: a line of the head is no header$"),
        (
            HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            "broken: the transfer coding is 'gzip, chunked'$",
        ),
        (
            HEAD + b"Transfer-Encoding: " + b"x" * 99 + b"\r\n\r\n",
            "broken: the transfer coding is 'x{60}'$",
        ),
        (
            HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
            "broken: two headers transfer-encoding that differ$",
        ),
        (CHUNKS + b"-2\r\n{}\r\n0\r\n\r\n", "broken: a chunk has no size$"),
        (CHUNKS + b"0x2\r\n{}\r\n0\r\n\r\n", "broken: a chunk has no size$"),
        (CHUNKS + b"1\r\n{}\r\n0\r\n\r\n", "broken: a chunk is longer than its size$"),
        (CHUNKS + b"2" + b" " * 200_000 + b"\r\n", NO_END.format("a line of the answer")),
        (
            CHUNKS + b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
            NO_END.format("the trailer of the answer"),
        ),
        (
            HEAD + b"X: " + b"x" * LARGEST_HEAD + b"\r\n\r\n",
            NO_END.format("the head of the answer"),
        ),
        (HEAD + b"X: y\r\n" * 20_000, NO_END.format("the head of the answer")),
        (b"HTTP/2 200\r\n\r\n", ABORTED),
        (b"HTTP/1.1 20 OK\r\n\r\n", ABORTED),
        (b"HTTP/1.1 2000 OK\r\n\r\n", ABORTED),
        (b"ICY 200 OK" + b" " * 99 + b"\r\n\r\n", ABORTED + r"BadStatusLine\(.*ICY 200 OK {50}'"),
        (b"", ABORTED + ".*Remote end closed connection without response'"),
        (HEAD, "broken: the answer is cut$"),
    ],
)
def test_what_is_no_answer_is_an_error(told: bytes, said: str) -> None:
    """Two readers of one text must not see two answers in it."""
    with pytest.raises(ProtocolError, match=said):
        read(told)


@pytest.mark.parametrize(("size", "fits"), [(LARGEST_HEAD, True), (LARGEST_HEAD + 1, False)])
def test_a_head_may_have_64_kib(size: int, fits: bool) -> None:
    """All its lines together, without the empty one."""
    head = HEAD + b"Content-Length: 2\r\nX: "
    told = head + b"x" * (size - len(head)) + b"\r\n\r\n{}"
    if fits:
        assert b"{}" == read(told).body
    else:
        with pytest.raises(ProtocolError):
            read(told)


def test_large_chunks_are_read_by_their_hexadecimal_size() -> None:
    """The usual ones have four digits."""
    body = bytes(range(256)) * 700
    told = CHUNKS + b"1F\r\n" + body[:31] + b"\r\n%x\r\n" % (len(body) - 31) + body[31:]

    assert body == read(told + b"\r\n0\r\n\r\n").body


def test_what_is_sent_and_asked_about_is_as_it_should_be() -> None:
    """The request goes out once; interim answers are asked about with no size at all."""
    wire, sizes = Wire([INTERIM]), list[int]()
    exchange(cast("socket.socket", wire), b"GET / HTTP/1.1\r\n\r\n", sizes.append)

    assert wire.sent == b"GET / HTTP/1.1\r\n\r\n"
    assert [0, 0, 9] == sizes
    assert b"" == read(b"HTTP/1.1 204 No Content\r\n\r\n").body
    assert 200 == read(b"HTTP/1.1 199 Odd\r\n\r\n" + PLAIN).status


@pytest.mark.parametrize(
    ("told", "asked"),
    [(PLAIN, [9] * 10), (CHUNKED, [4, *[4] * 5, 9, *[5] * 6, 9]), (ENDED, list(range(1, 10)))],
    ids=["length", "chunks", "neither"],
)
def test_every_piece_of_a_body_is_asked_about(told: bytes, asked: list[int]) -> None:
    """A body that drips must not outlast its time."""
    sizes: list[int] = []
    read(*[bytes([one]) for one in told], check=sizes.append)

    assert asked == sizes


def test_a_fault_of_tls_is_named_as_urllib3_names_it() -> None:
    """What translates it knows no other."""

    class Broken(Wire):
        def recv(self, most: int) -> bytes:
            raise ssl.SSLError(1, "bad record")

    with pytest.raises(SSLError, match="bad record"):
        exchange(cast("socket.socket", Broken([])), b"GET", accept)


@given(st.lists(st.sampled_from([*CHUNKED, *INTERIM]).map(lambda one: bytes([one]))))
def test_nothing_that_a_server_sends_is_another_error(pieces: list[bytes]) -> None:
    """What those who call translate is urllib3's."""
    for start in (b"", PLAIN[:17], CHUNKED[:47]):
        try:
            read(start, b"".join(pieces))
        except HTTPError:
            continue


@pytest.mark.parametrize("told", [PLAIN, CHUNKED, ENDED])
def test_the_size_is_asked_about_before_all_is_there(told: bytes) -> None:
    """Whoever asks may end it."""
    told = told.replace(b'{"a": 1}\n', b"x" * 9)

    def check(size: int) -> None:
        if size > 6:
            raise RuntimeError(size)

    with pytest.raises(RuntimeError):
        read(*[bytes([one]) for one in told], check=check)


def test_an_answer_that_came_before_the_request_had_left_is_read() -> None:
    """A server may refuse early and close."""

    class Closed(Wire):
        def sendall(self, data: bytes) -> None:
            raise BrokenPipeError

    found = exchange(cast("socket.socket", Closed([PLAIN])), b"POST", accept)

    assert 200 == found.status


def test_a_head_is_one_line_for_each_header() -> None:
    """The order is that of the caller."""
    said = head_of("GET", "/?a=%20", {"Host": "a.example", "X": "1 2"})

    assert said == b"GET /?a=%20 HTTP/1.1\r\nHost: a.example\r\nX: 1 2\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/ HTTP/1.1\r\nX: 1", {}),
        ("GET", "/a b", {}),
        ("GET", "/\x00", {}),
        ("GET", "/\u00e9", {}),
        ("GET", "/", {"X": "1\r\nY: 2"}),
        ("GET", "/", {"X": "1\nY: 2"}),
        ("GET", "/", {"X": "1\rY: 2"}),
        ("GET", "/", {"X\r\nY": "2"}),
        ("GET", "/", {"X": "\u00e9"}),
        ("GET / HTTP/1.1\r\n", "/", {}),
        ("", "/", {}),
    ],
)
def test_nothing_is_sent_that_would_become_another_header(
    method: str, target: str, headers: dict[str, str]
) -> None:
    """What was signed goes out as it is, or not at all."""
    with pytest.raises(TransportError):
        head_of(method, target, headers)
