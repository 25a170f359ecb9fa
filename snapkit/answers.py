"""From the body of an answer to a JSON object, or to the error that it stands for."""

import json
import re
from importlib import import_module
from typing import Any, NoReturn, cast

from snapkit.errors import ProtocolError, Retry, SnapkitError, ThrottledError, UnavailableError
from snapkit.http import HttpResponse

__all__ = ["read_json", "unknown_answer"]

DEEPEST = 64
_ESCAPED = re.compile(rb'\\["\\]')
_SQUARE = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b'"[]{}'))
try:
    _quick: Any = import_module("orjson").loads
except ImportError:
    _quick = None


def read_json(response: HttpResponse) -> dict[str, Any]:
    """Return the JSON object that is the body of *response*, whatever its headers say.

    Where there is none the error follows from the status: ThrottledError for 429,
    UnavailableError for 5xx, else ProtocolError. HTML with a good status is a portal or a
    proxy speaking, and asking again would not help.
    """
    found = None if 300 <= response.status < 400 else _object(response.body)
    if found is None:
        raise _no_answer(response)
    return found


def _object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object in *body*; None for anything else.

    It does not raise, because the reader's exception would carry the whole text with it.
    """
    value = _parsed(body)
    found = cast("dict[str, Any]", value) if isinstance(value, dict) else None
    return found if found is not None and _is_shallow(body, found) else None


def _parsed(body: bytes) -> Any:
    """Return what *body* holds, None for what is not JSON.

    orjson is quicker where it is installed, and refuses what it does not like: a byte order
    mark, half a surrogate pair. It makes whole numbers of 2**64 and more floats.
    """
    if _quick is not None:
        try:
            return _quick(body)
        except ValueError:
            pass
    try:
        return json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _is_shallow(body: bytes, value: dict[str, Any]) -> bool:
    """Return whether *body*, which is valid JSON for *value*, is nested DEEPEST levels or less.

    Without strings and everything else but brackets, each removal of the innermost pairs
    takes one level away. Walking the values would take as long as parsing them.
    """
    if b"\0" in body:  # UTF-16 or UTF-32
        return _depth_within(value, DEEPEST)
    if b"\\" in body:
        body = _ESCAPED.sub(b"", body)
    brackets = body.translate(_SQUARE, _OTHERS).replace(b'""', b"")
    if b'"' in brackets:
        brackets = b"".join(brackets.split(b'"')[::2])
    for _ in range(DEEPEST):
        if not brackets:
            return True
        brackets = brackets.replace(b"[]", b"")
    return not brackets


def _depth_within(value: object, limit: int) -> bool:
    level: list[Any] = [value]
    for _ in range(limit):
        level = [inner for item in level for inner in _nested(item)]
        if not level:
            return True
    return False


def _nested(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(cast("dict[str, Any]", value).values())
    inner = cast("list[Any]", value)
    return [item for item in inner if isinstance(item, dict | list)]


def unknown_answer(status: int, said: str, *, otherwise: str, hint: str) -> SnapkitError:
    """Return what an answer means that is JSON, but not the provider's envelope.

    The status alone decides: *said* is told with 429 and 5xx, which may pass, *otherwise* with
    a status that will be the same again.
    """
    if status == 429:
        return ThrottledError(said)
    if status >= 500:
        return UnavailableError(said)
    return ProtocolError(otherwise, retry=Retry.NEVER, hint=hint)


def _no_answer(response: HttpResponse) -> SnapkitError:
    status = response.status
    start = response.body[:200].decode("utf-8", "replace").lstrip("\ufeff").strip()
    if status == 429:
        return ThrottledError("HTTP 429 without a body that says more")
    if status >= 500:
        return UnavailableError(f"HTTP {status} from a gateway")
    if 300 <= status < 400:
        return ProtocolError(
            f"HTTP {status}, a redirect; they are not followed",
            retry=Retry.NEVER,
            hint="check the endpoint",
        )
    if start.startswith("<"):
        return ProtocolError(
            f"the answer (HTTP {status}) is HTML, not the API's: {start!r}",
            retry=Retry.NEVER,
            hint="check the endpoint; a proxy or a login portal may be in the way",
        )
    what = "is not complete JSON" if response.body else "is empty"
    packed = response.headers.get("content-encoding", "identity").strip().lower()
    if response.body and packed not in ("identity", "gzip"):
        what = f"is not JSON (its Content-Encoding is {packed[:60]!r})"
    retry = Retry.BACKOFF if 200 <= status < 300 else Retry.NEVER
    return ProtocolError(f"the answer (HTTP {status}) {what}", retry=retry)
