"""The body of a request as it stands on the line, with its length or in chunks."""

from collections.abc import Mapping
from typing import Protocol

__all__ = ["LONGEST", "BadRequestError", "Stream", "body_of"]

LONGEST = 64 * 1024 * 1024
"""Longer bodies are refused, in bytes."""
_LINE = 1024


class Stream(Protocol):
    """Where the body comes from."""

    def read(self, size: int, /) -> bytes:
        """Return *size* bytes, fewer at the end."""
        ...

    def readline(self, size: int, /) -> bytes:
        """Return one line, at most *size* bytes of it."""
        ...


class BadRequestError(Exception):
    """A request whose end cannot be found."""


def body_of(headers: Mapping[str, str], stream: Stream) -> bytes:
    """Return the body that follows *headers* (names in lower case) on *stream*.

    Raises BadRequestError for lengths that cannot be read, or are above LONGEST.
    """
    if headers.get("transfer-encoding", "").strip().lower() == "chunked":
        return _chunks(stream)
    said = headers.get("content-length", "0").strip()
    if not (said.isascii() and said.isdigit()):
        raise BadRequestError(f"the Content-Length is {said!r}, not a number of bytes")
    return _exactly(stream, int(said))


def _chunks(stream: Stream) -> bytes:
    found = bytearray()
    while True:
        line = stream.readline(_LINE).split(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError:
            raise BadRequestError(f"a chunk's length is {line!r}, not a number") from None
        found += _exactly(stream, size, before=len(found))
        if stream.readline(_LINE).strip() and size:
            raise BadRequestError("a chunk is longer than it says")
        if size == 0:
            return bytes(found)


def _exactly(stream: Stream, size: int, *, before: int = 0) -> bytes:
    if not 0 <= size <= LONGEST - before:
        raise BadRequestError(f"the body is longer than {LONGEST} bytes")
    found = stream.read(size) if size else b""
    if len(found) < size:
        raise BadRequestError(f"the body ends after {len(found)} of {size} bytes")
    return found
