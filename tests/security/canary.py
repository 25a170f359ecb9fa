"""Keys that must never be seen, the places where they could be, and a search of all of them."""

import base64
import copy
import hashlib
import hmac
import json
import logging
import pickle
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import attrs
import pytest

from snapkit.cli.failing import story
from snapkit.cli.records import as_json, error_record
from snapkit.credentials import Credentials
from snapkit.errors import SnapkitError

KEY_ID = "AKIDcanary0001"
SECRET = "CANARY-secret/8Q+2f=0b7d41e0"
TOKEN = "CANARY-token/+q9=5c1e77aa20d4"
KEYS = Credentials(key_id=KEY_ID, secret=SECRET, token=TOKEN)
_SIGNATURE = re.compile(r"[Ss]ignature=([^,\s&]+)")


def written(value: str) -> set[str]:
    """Return *value* as it stands in texts, URLs, bytes and base64."""
    plain = {value, quote(value, safe=""), repr(value)[1:-1], json.dumps(value)[1:-1]}
    return plain | {base64.b64encode(value.encode()).decode().rstrip("=")}


def derived(secret: str, now: datetime | None = None) -> set[str]:
    """Return the keys that the signing schemes make of *secret* for today and yesterday."""
    moment = now or datetime.now(UTC)
    found: set[str] = set()
    for ordinal in (moment.toordinal(), moment.toordinal() - 1):
        key = f"TC3{secret}".encode()
        for part in (datetime.fromordinal(ordinal).strftime("%Y-%m-%d"), "cbs", "tc3_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
            found |= {key.hex(), repr(key)[2:-1], base64.b64encode(key).decode()}
    return found


def signatures(heads: Iterable[Mapping[str, str]], texts: Iterable[str]) -> set[str]:
    """Return the signatures in what arrived at a server: *heads* are headers, *texts* queries."""
    found = {
        match[1] for head in heads if (match := _SIGNATURE.search(head.get("authorization", "")))
    }
    pairs = [pair for text in texts for pair in parse_qsl(text)]
    return found | {value for name, value in pairs if name.lower() == "signature"}


def forbidden(more: Iterable[str] = (), secret: str = SECRET, token: str = TOKEN) -> set[str]:
    """Return every text that must not be seen anywhere."""
    values = {form for value in (secret, token, *more) for form in written(value)}
    return values | derived(secret)


def found_in(texts: Iterable[str], values: Iterable[str]) -> list[str]:
    """Return the texts that hold one of *values*, cut to where it is."""
    wanted = list(values)
    return [
        f"{value[:12]}... in {text[max(0, at - 160) : at + 40]!r}"
        for text in texts
        for value in wanted
        if (at := text.find(value)) >= 0
    ]


def chain_of(error: BaseException) -> list[BaseException]:
    """Return *error* and everything that hangs on it."""
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        one = todo.pop()
        if isinstance(one, BaseException) and not any(one is other for other in found):
            found.append(one)
            todo += [*one.args, *vars(one).values(), one.__cause__, one.__context__]
    return found


def shown(error: BaseException, *, below: bool = True) -> Iterator[str]:
    """Yield every text that a program could make of *error* without meaning harm.

    With *below* the first frame, the test's own, is passed over.
    """
    frames = error.__traceback__
    frames = frames.tb_next if below and frames is not None else frames
    report = traceback.TracebackException(type(error), error, frames, capture_locals=True)
    yield "".join(report.format())
    yield "".join(traceback.format_exception(type(error), error, frames))
    yield story(error)
    for one in chain_of(error):
        yield from (str(one), repr(one), repr(vars(one)), str(vars(one)))
        if one is not error:
            plain = traceback.TracebackException.from_exception(one, capture_locals=True)
            yield "".join(plain.format())
        yield repr(getattr(one, "doc", ""))
        request: Any = getattr(one, "request", None)
        if request is not None:
            yield f"{request.url} {request.headers} {request.body!r}"
    if isinstance(error, SnapkitError):
        yield pickle.dumps(error).decode("latin-1")
        yield pickle.dumps(error, 0).decode("latin-1")
        yield repr(pickle.loads(pickle.dumps(error)))
        yield repr(vars(copy.deepcopy(error)))
        yield json.dumps(error_record(error))


def holders(value: Any) -> Iterator[str]:
    """Yield the texts that somebody may make of a *value* that holds keys."""
    yield from (repr(value), str(value), f"{value}", repr(copy.copy(value)))
    yield repr(copy.deepcopy(value))
    if attrs.has(cast("type[Any]", type(value))):
        yield repr(attrs.asdict(value))
        yield repr(attrs.astuple(value))
        yield json.dumps(attrs.asdict(value), default=str)
    try:
        yield pickle.dumps(value).decode("latin-1")
    except TypeError as error:
        yield str(error)


def logged(log: pytest.LogCaptureFixture) -> Iterator[str]:
    """Yield everything that was logged, whoever logged it, arguments included."""
    formatter = logging.Formatter("%(name)s %(levelname)s %(message)s %(threadName)s")
    for record in log.records:
        yield formatter.format(record)
        yield repr(vars(record))


def asked(url_or_query: str) -> str:
    """Return the query of a URL, or the query itself, decoded and not."""
    query = urlsplit(url_or_query).query or url_or_query
    return f"{query} {unquote(query)}"


class BareStream:
    """A text stream for ``as_json`` that is neither a terminal nor a file."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return False


def json_of(value: Any) -> str:
    """Return *value* as the command line writes JSON."""
    stream: Any = BareStream()
    return as_json(value, stream)
