"""One request and its answer over an open connection, as the APIs speak HTTP/1.1.

`http.client` and `urllib3` read whatever HTTP allows, and take a third of a millisecond for each
answer. Here is what an answer to a signed request can be, and all else is an error: one of
urllib3's, as if it had read the answer, or what the *check* of the caller raises.
"""

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import BadStatusLine, RemoteDisconnected

import attrs
from urllib3.exceptions import ProtocolError, SSLError

from snapkit.errors import Retry, Sent, TransportError

__all__ = ["Answer", "exchange", "head_of"]

LARGEST_HEAD = 65536
_CHUNK = 65536
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9]\d\d)(?: .*)?", re.DOTALL)
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?", re.DOTALL)
_TARGET = re.compile(r"[!-~]+")


@attrs.frozen(kw_only=True)
class Answer:
    """A whole answer; header names are in lower case, and its body is as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    lasting: bool
    """Whether the connection can carry another request."""


def head_of(method: str, target: str, headers: Mapping[str, str]) -> bytes:
    """Return the head of a request, which ends with an empty line.

    Raises TransportError for what would not stay on its line.
    """
    lines = [f"{method} {target} HTTP/1.1", *[f"{name}: {headers[name]}" for name in headers]]
    text = "\r\n".join(lines)
    breaks = len(lines) - 1
    whole = (text.count("\r"), text.count("\n")) == (breaks, breaks)
    if not (whole and text.isascii() and method.isalpha() and _TARGET.fullmatch(target)):
        raise TransportError(
            "what is to be sent has a blank, a line break or a character that HTTP does not carry",
            retry=Retry.NEVER,
            sent=Sent.NO,
        )
    return f"{text}\r\n\r\n".encode("ascii")


def exchange(sock: socket.socket, request: bytes, check: Callable[[int], None]) -> Answer:
    """Send *request* and return the answer.

    *check* is asked with the size of the body so far, in bytes, and may raise.
    """
    try:
        with suppress(BrokenPipeError):  # The server may have answered before it closed.
            sock.sendall(request)
        return _Arriving(sock, check).answer()
    except ssl.SSLError as error:
        raise SSLError(error) from error


class _Arriving:
    """What comes over a socket; what is read of it is left behind."""

    def __init__(self, sock: socket.socket, check: Callable[[int], None]) -> None:
        self._sock = sock
        self._check = check
        self._got = b""
        self._at = 0

    def answer(self) -> Answer:
        minor, status, headers = self._head()
        while 100 <= status < 200 and status != 101:
            self._check(0)
            minor, status, headers = self._head()
        lasting = _lasts(minor, headers)
        length = headers.get("content-length")
        if status in (101, 204, 304):
            body = b""
        elif "transfer-encoding" in headers:
            body = self._chunks(headers["transfer-encoding"])
        elif length is None:
            body, lasting = self._rest(), False
        else:
            body = self._take(_length(length))
        # More than there should be: the next answer would begin with it.
        lasting = lasting and status != 101 and self._at == len(self._got)
        return Answer(status=status, headers=headers, body=body, lasting=lasting)

    def _head(self) -> tuple[bytes, int, dict[str, str]]:
        looked = self._at
        while (end := _HEAD_END.search(self._got, looked)) is None and self._few():
            looked = max(len(self._got) - self._at - 3, 0)
            self._more()
        if end is None or end.start() - self._at > LARGEST_HEAD:
            raise _broken("the head of the answer has no end")
        head = self._got[self._at : end.start()]
        self._at = end.end()
        first, _, rest = head.partition(b"\n")
        status = _STATUS.fullmatch(first.rstrip(b"\r"))
        if status is None:
            raise ProtocolError("Connection aborted.", BadStatusLine(repr(first[:60])))
        return status[1], int(status[2]), _headers(rest.decode("latin-1"))

    def _few(self) -> bool:
        """Whether what was not read yet may be the beginning of a line or a head."""
        return len(self._got) - self._at <= LARGEST_HEAD

    def _more(self) -> None:
        """Wait for more, or raise ProtocolError where nothing more will come."""
        chunk = self._sock.recv(_CHUNK)
        if not chunk:
            if not self._got:
                said = "Remote end closed connection without response"
                raise ProtocolError("Connection aborted.", RemoteDisconnected(said))
            raise _broken("the answer is cut")
        self._got = self._got[self._at :] + chunk if self._at < len(self._got) else chunk
        self._at = 0

    def _take(self, size: int) -> bytes:
        self._check(size)
        there = self._got[self._at : self._at + size]
        self._at += len(there)
        if len(there) == size:
            return there
        parts, missing = [there], size - len(there)
        while missing:
            self._more()
            parts.append(self._got if len(self._got) <= missing else self._got[:missing])
            self._at = len(parts[-1])
            missing -= self._at
            self._check(size)
        return b"".join(parts)

    def _rest(self) -> bytes:
        parts = [self._got[self._at :]]
        size = len(parts[0])
        while chunk := self._sock.recv(_CHUNK):
            parts.append(chunk)
            size += len(chunk)
            self._check(size)
        self._at = len(self._got)
        return b"".join(parts)

    def _chunks(self, coding: str) -> bytes:
        if coding.strip().lower() != "chunked":
            raise _broken(f"the transfer coding is {coding[:60]!r}")
        parts: list[bytes] = []
        total = 0
        while True:
            found = _SIZE.fullmatch(self._line())
            if found is None:
                raise _broken("a chunk has no size")
            size = int(found[1], 16)
            if not size:
                break
            total += size
            self._check(total)
            parts.append(self._take(size))
            if self._line():
                raise _broken("a chunk is longer than its size")
        trailer = 0
        while line := self._line():
            trailer += len(line)
            if trailer > LARGEST_HEAD:
                raise _broken("the trailer of the answer has no end")
        self._check(total)
        return b"".join(parts)

    def _line(self) -> bytes:
        while (end := self._got.find(b"\n", self._at)) < 0:
            if not self._few():
                raise _broken("a line of the answer has no end")
            self._more()
        line = self._got[self._at : end]
        self._at = end + 1
        return line.rstrip(b"\r")


def _headers(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in text.split("\n") if text else ():
        if line[:1] in (" ", "\t") and name:
            found[name] = f"{found[name]} {line.strip()}"
            continue
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.strip()
        if not colon or not _NAME.fullmatch(name):
            raise _broken("a line of the head is no header")
        if name in ("content-length", "transfer-encoding") and found.get(name, value) != value:
            raise _broken(f"two headers {name} that differ")
        found[name] = value
    return found


def _lasts(minor: bytes, headers: Mapping[str, str]) -> bool:
    said = headers.get("connection", "").lower()
    return "close" not in said and (minor == b"1" or "keep-alive" in said)


def _length(text: str) -> int:
    """Return the length that a header gives; it may stand there twice, if it is the same."""
    lengths = {one.strip() for one in text.split(",")}
    one = lengths.pop()
    if lengths or not (one.isascii() and one.isdigit() and len(one) < 19):
        raise _broken(f"the length of the answer is {text[:60]!r}")
    return int(one)


def _broken(found: str) -> ProtocolError:
    return ProtocolError(f"Connection broken: {found}")
