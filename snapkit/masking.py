"""What errors and logs must not repeat, taken out of them.

A server may quote a request back with its token and signature, and the HTTP library quotes
whole URLs, which some providers sign. Both are other people's text, so it is cleaned where it
comes in and not where it is shown.
"""

import logging
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote_plus

import attrs

from snapkit.credentials import Credentials
from snapkit.errors import SnapkitError

if TYPE_CHECKING:
    from snapkit.http import HttpRequest

__all__ = ["Withheld", "chain_of", "keep_urls_out_of_logs", "masked", "scrub", "signed_values"]

LONGEST = 2000
"""Characters of a provider's message that are kept."""
_SHORTEST = 8
_PIECE = 12
_SIGNED = re.compile(r"(?:^|[^a-z])(?:authorization|signature)$", re.IGNORECASE)
_IN_HEADER = re.compile(r"signature=[\"']?([^,\s\"']+)", re.IGNORECASE)
_PAIR = re.compile(r"(?:^|&)(?:[^=&]*[^=&a-z])?(?:authorization|signature)=([^&]*)", re.IGNORECASE)
_QUERY = re.compile(r"\?[^\s'\")>]+")
_USER = re.compile(r"//[^/@\s]+@")
_TELLTALE = re.compile(
    r"[?&](?:signature|(?:security_?)?token|access_?key(?:_?id)?|secret_?id)=", re.IGNORECASE
)
_BEARERS = ("urllib3.connectionpool", "urllib3.util.retry", "urllib3.poolmanager")


def masked(text: str, values: Collection[str]) -> str:
    """Return *text* with ``***`` for each of *values*, percent-encoded ones and parts included.

    A part is twelve characters or more, so a value that was cut is found too. Values of less
    than eight characters are no secrets and stay.
    """
    spans: list[tuple[int, int]] = []
    for value in values:
        for form in _forms(value):
            size = min(len(form), _PIECE)
            if size < _SHORTEST:
                continue
            pieces = {form[at : at + size] for at in range(len(form) - size + 1)}
            starts = range(len(text) - size + 1)
            spans += [(at, at + size) for at in starts if text[at : at + size] in pieces]
    kept, end = "", 0
    for first, last in sorted(spans):
        if first > end or not kept:
            kept += f"{text[end:first]}***"
        end = max(end, last)
    return kept + text[end:]


def _forms(value: str) -> set[str]:
    return {value, quote(value, safe="", errors="replace")}


def signed_values(url: str, headers: Mapping[str, str], body: bytes) -> set[str]:
    """Return the signatures in a request: in its headers, its query or its form."""
    found = {
        match[1] if (match := _IN_HEADER.search(value)) else value.split(" ")[-1]
        for name, value in headers.items()
        if _SIGNED.search(name)
    }
    form = body.decode("utf-8", "replace") if len(body) < 2**20 else ""
    pairs = _PAIR.findall(url.partition("?")[2]) + _PAIR.findall(form)
    return found | {unquote_plus(value) for value in pairs}


@attrs.frozen
class Withheld:
    """What no error may repeat: the secret, the token, and the signatures of one request."""

    sent: frozenset[str] = attrs.field(repr=False)
    """What the server was told: the token and the signatures."""
    unsent: frozenset[str] = attrs.field(repr=False)
    """The secret, which it never sees."""

    @classmethod
    def of(cls, request: "HttpRequest", credentials: Credentials) -> Self:
        """Return what is to be kept from *request* and the *credentials* that signed it."""
        signed = signed_values(request.url, request.headers, request.body)
        token = {credentials.token.reveal()} if credentials.token else set[str]()
        return cls(frozenset(signed | token), frozenset({credentials.secret.reveal()}))

    def stands_in(self, body: bytes) -> bool:
        """Whether something that was sent stands whole in *body*."""
        return any(
            form.encode() in body
            for value in self.sent
            if len(value) >= _PIECE
            for form in _forms(value)
        )

    def leave(self, error: SnapkitError) -> None:
        """Take the values out of what *error* quotes from an answer, and out of its causes."""
        values = self.sent | self.unsent
        error.message = masked(_cut(error.message), values)
        error.args = (error.message, *error.args[1:])
        for name in ("code", "request_id", "hint"):
            quoted = getattr(error, name)
            if isinstance(quoted, str):
                setattr(error, name, masked(_cut(quoted), values))
        for cause in chain_of(error)[1:]:
            scrub(cause, values)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def chain_of(error: BaseException) -> list[BaseException]:
    """Return *error* and what it wraps, by argument, reason, cause or context."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo and len(found) < 20:
        item = todo.pop(0)
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            todo += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return found


def scrub(error: BaseException, values: Collection[str] = ()) -> None:
    """Take URLs' queries, users of proxies, *values*, requests and frames out of *error*.

    The frames of a foreign library hold headers and bodies among their local variables.
    """
    error.__traceback__ = None
    error.args = tuple(_plain(one, values) for one in error.args)
    for name in ("request", "response", "url", "doc"):
        if getattr(error, name, None) is not None:
            with suppress(AttributeError, TypeError):
                setattr(error, name, None)


def _plain(argument: object, values: Collection[str]) -> object:
    if not isinstance(argument, str):
        return argument
    return masked(_USER.sub("//***@", _QUERY.sub("?***", argument)), values)


class _SignedUrls(logging.Filter):
    """Lets every record pass, without the queries of signed URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                _QUERY.sub("?***", one) if isinstance(one, str) and _TELLTALE.search(one) else one
                for one in record.args
            )
        return True


_FILTER = _SignedUrls()


def keep_urls_out_of_logs() -> None:
    """Make the HTTP library's debug log leave out the queries of signed URLs; once is enough."""
    for name in _BEARERS:
        logging.getLogger(name).addFilter(_FILTER)
