"""Three ways to ask for a page of a long list, and what a page is.

A *token* listing hands out the address of the next page. A *counted* listing (page number
or offset) is asked for by position. How a listing is walked is :mod:`snapkit.walking`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from snapkit.vocabulary import integer, text

__all__ = [
    "Cursor",
    "OffsetPaging",
    "Page",
    "PageNumberPaging",
    "Position",
    "Token",
    "TokenPaging",
]

T = TypeVar("T")


@attrs.frozen
class Token:
    """The provider's own address of the next page."""

    value: str


@attrs.frozen
class Position:
    """The place of a row in a counted listing, from 0."""

    start: int


Cursor: TypeAlias = Token | Position


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """One answer.

    ``items`` are the rows that were understood; ``ids`` name every row that arrived, in
    order, those left out of ``items`` included (None: the same as the items). ``next`` is
    where to go on, None at the end of a token listing. A counted page says where it
    ``start``-s and leaves ``next`` to the walk; ``aligned`` means that a page can only start
    at a multiple of its size. ``total`` is the provider's count, None when it has none or a
    meaningless one. ``troubles`` are sentences about rows that could not be read.
    """

    items: Sequence[T]
    ids: Sequence[str] | None = None
    next: Cursor | None = None
    start: int | None = None
    aligned: bool = False
    total: int | None = None
    troubles: Sequence[str] = ()


@attrs.frozen(kw_only=True)
class TokenPaging:
    """Request and answer fields of a token listing."""

    token: str
    size: str
    smallest: int = 1

    def request(self, cursor: Cursor | None, limit: int) -> dict[str, Any]:
        """Return the parameters that ask for the page at *cursor*."""
        asked: dict[str, Any] = {self.size: max(limit, self.smallest)}
        return asked | ({self.token: cursor.value} if isinstance(cursor, Token) else {})

    def following(self, reply: Mapping[str, Any]) -> Cursor | None:
        """Return where *reply* says that the listing goes on."""
        token = text(reply.get(self.token))
        return Token(token) if token else None


@attrs.frozen(kw_only=True)
class PageNumberPaging:
    """Request and answer fields of a page-number listing; pages count from 1."""

    number: str
    size: str
    total: str

    def request(self, cursor: Cursor | None, limit: int) -> dict[str, Any]:
        """Return the parameters that ask for the page at *cursor*, a multiple of *limit*."""
        return {self.number: _start(cursor) // limit + 1, self.size: limit}

    def counted(self, reply: Mapping[str, Any], cursor: Cursor | None) -> dict[str, Any]:
        """Return the fields of Page that make it a counted one."""
        total = integer(reply.get(self.total))
        return {"start": _start(cursor), "total": total, "aligned": True}


@attrs.frozen(kw_only=True)
class OffsetPaging:
    """Request and answer fields of an offset listing."""

    offset: str
    size: str
    total: str

    def request(self, cursor: Cursor | None, limit: int) -> dict[str, Any]:
        """Return the parameters that ask for the page at *cursor*."""
        return {self.offset: _start(cursor), self.size: limit}

    def counted(self, reply: Mapping[str, Any], cursor: Cursor | None) -> dict[str, Any]:
        """Return the fields of Page that make it a counted one."""
        return {"start": _start(cursor), "total": integer(reply.get(self.total))}


def _start(cursor: Cursor | None) -> int:
    return cursor.start if isinstance(cursor, Position) else 0
