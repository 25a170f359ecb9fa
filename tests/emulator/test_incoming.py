"""Bodies with a length and in chunks: clients in other languages send both."""

import io
import socket
from urllib.parse import urlsplit

import pytest

from snapkit.emulator import Emulator
from snapkit.emulator.incoming import LONGEST, BadRequestError, body_of

CHUNKED = {"transfer-encoding": "Chunked"}


@pytest.mark.parametrize(
    ("headers", "sent", "body"),
    [
        ({}, b"rest", b""),
        ({"content-length": "0"}, b"rest", b""),
        ({"content-length": " 3 "}, b"abcrest", b"abc"),
        (CHUNKED, b"3\r\nabc\r\n0\r\n\r\nrest", b"abc"),
        (CHUNKED, b"3;ext=1\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789"),
        (CHUNKED, b"0\r\n\r\n", b""),
    ],
)
def test_bodies(headers: dict[str, str], sent: bytes, body: bytes) -> None:
    """The next request on the line is left alone."""
    stream = io.BytesIO(sent)

    assert body == body_of(headers, stream)
    assert stream.read() in (b"", b"rest")


@pytest.mark.parametrize(
    ("headers", "sent", "said"),
    [
        ({"content-length": "-1"}, b"", "'-1', not a number of bytes"),
        ({"content-length": "ten"}, b"", "'ten', not a number"),
        ({"content-length": "٣"}, b"", "not a number of bytes"),
        ({"content-length": str(LONGEST + 1)}, b"", "longer than"),
        ({"content-length": "5"}, b"abc", "ends after 3 of 5 bytes"),
        (CHUNKED, b"", "a chunk's length is b''"),
        (CHUNKED, b"zz\r\n", "a chunk's length is b'zz'"),
        (CHUNKED, b"-1\r\n", "longer than"),
        (CHUNKED, b"5\r\nabc", "ends after 3 of 5 bytes"),
        (CHUNKED, b"2\r\nabc\r\n0\r\n\r\n", "longer than it says"),
        (CHUNKED, b"1\r\na\r\n%x\r\n" % LONGEST, "longer than"),
    ],
)
def test_bodies_whose_end_cannot_be_found(headers: dict[str, str], sent: bytes, said: str) -> None:
    """Guessing would read the next request as data."""
    with pytest.raises(BadRequestError, match=said):
        body_of(headers, io.BytesIO(sent))


def test_the_server_answers_400_and_closes() -> None:
    """And its thread does not die with a traceback."""
    with Emulator() as emulator:
        place = urlsplit(emulator.endpoint)
        with socket.create_connection((str(place.hostname), place.port or 0), timeout=5) as line:
            line.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ten\r\n\r\n")
            answer = b"".join(iter(lambda: line.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"not a number of bytes" in answer
