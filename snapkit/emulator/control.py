"""The emulator's own interface under ``/_snapkit/``: look at it, move its clock, order faults.

JSON over HTTP on the port of the clouds, for tests in any language. It is for programs on this
machine: a browser that was lured here is refused by its Host or Origin header, and nothing is
changed without the header ``X-Snapkit-Emulator``.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast, get_args
from urllib.parse import unquote, urlsplit

import attrs

from snapkit.emulator.dialect import Answer, Request
from snapkit.emulator.estatevalues import SPAN_FORM, Reader, span
from snapkit.emulator.export import exported, in_words, record_in_words
from snapkit.emulator.server import OWN, Emulator, Fault, FaultKind
from snapkit.emulator.state import AccountState, RegionState, SnapshotRecord
from snapkit.errors import ConfigurationError, Failure
from snapkit.toml import Document, nearest

__all__ = ["HEADER", "PREFIX", "Control"]

PREFIX = OWN
HEADER = "x-snapkit-emulator"
LONGEST_LOG = 100
"""Exchanges that one answer holds."""
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_KINDS = {one: one for one in get_args(FaultKind)}
_FAILURES = {one.value: one for one in Failure}


class _No(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@attrs.frozen
class Control:
    """What answers for *emulator* under the prefix."""

    emulator: Emulator

    def answer(self, request: Request) -> Answer:
        """Return the answer to *request*; errors are ``{"error": sentence}`` with a 4xx status."""
        try:
            _check_sender(request)
            act = self._find(request)
            with self.emulator.world.lock:
                return _json(act(request))
        except _No as no:
            return _json({"error": no.sentence}, no.status)

    def _find(self, request: Request) -> Callable[[Request], Any]:
        path = "/" + request.path.removeprefix(PREFIX).strip("/")
        if path.startswith("/snapshots/"):
            path = "/snapshots/ID"
        methods = self._routes().get(path)
        if methods is None:
            raise _No(404, f"nothing is at {request.path!r}; {_there(self._routes())}")
        if request.method not in methods:
            allowed = ", ".join(methods)
            raise _No(405, f"{request.method} is not for {request.path!r}; use {allowed}")
        return methods[request.method]

    def _routes(self) -> Mapping[str, Mapping[str, Callable[[Request], Any]]]:
        return {
            "/": {"GET": self._index},
            "/state": {"GET": self._state},
            "/log": {"GET": self._log},
            "/clock": {"GET": self._clock, "POST": self._advance},
            "/faults": {"GET": self._faults, "POST": self._order, "DELETE": self._clear},
            "/reset": {"POST": self._reset},
            "/environment": {"GET": lambda _request: self.emulator.environment()},
            "/estate": {"GET": lambda _request: exported(self.emulator.world)},
            "/snapshots/ID": {"GET": self._snapshot},
        }

    def _index(self, _request: Request) -> Any:
        return {
            "endpoint": self.emulator.endpoint,
            "paths": {f"{PREFIX}{path[1:]}": list(how) for path, how in self._routes().items()},
        }

    def _state(self, request: Request) -> Any:
        log = self._log(request)
        return {
            "endpoint": self.emulator.endpoint,
            **self._clock(request),
            "accounts": [_counted(account) for account in self.emulator.world.accounts],
            **self._faults(request),
            **log,
            "troubles": list(self.emulator.troubles),
        }

    def _log(self, request: Request) -> Any:
        """Return exchanges: the last ones, or those after the number ``after``."""
        log = self.emulator.log
        after = request.form.get("after")
        if after is None:
            start = max(0, len(log) - LONGEST_LOG)
        elif after.isascii() and after.isdigit() and len(after) < 16:
            start = int(after)
        else:
            raise _No(400, f"'after' cannot be {after!r}; write the 'next' of the answer before")
        shown = log[start : start + LONGEST_LOG]
        end = min(start + len(shown), len(log))
        return {"exchanges": [attrs.asdict(one) for one in shown], "next": end, "total": len(log)}

    def _clock(self, _request: Request) -> Any:
        clock = self.emulator.world.clock
        return {"now": in_words(clock.now()), "ahead": clock.ahead}

    def _advance(self, request: Request) -> Any:
        given = _object(_body(request))
        _only(given, ("advance",))
        seconds = span(given.get("advance"))
        clock = self.emulator.world.clock
        if seconds is None:
            raise _No(400, f"'advance' cannot be {given.get('advance')!r}; {SPAN_FORM}")
        if span(clock.ahead + seconds) is None:
            raise _No(400, f"the clock is {clock.ahead:.0f} s ahead and goes no further")
        clock.advance(seconds)
        return self._clock(request)

    def _faults(self, _request: Request) -> Any:
        return {"faults": [_shown(one) for one in self.emulator.faults if one.times != 0]}

    def _order(self, request: Request) -> Any:
        """Add one fault, or a list of them: all or none."""
        body = _body(request)
        wanted = cast("list[Any]", body) if isinstance(body, list) else [body]
        found = [_fault(_object(one), self.emulator.providers) for one in wanted]
        self.emulator.faults.extend(found)
        return self._faults(request)

    def _clear(self, request: Request) -> Any:
        self.emulator.faults.clear()
        return self._faults(request)

    def _reset(self, request: Request) -> Any:
        _only(_object(_body(request)), ())
        try:
            self.emulator.reset()
        except ConfigurationError as error:
            raise _No(409, str(error)) from None
        return self._state(request)

    def _snapshot(self, request: Request) -> Any:
        wanted = unquote(request.path.removeprefix(f"{PREFIX}snapshots/").strip("/"))
        now = self.emulator.world.clock.now()
        found = [
            {
                "provider": account.provider,
                "account": account.label,
                "region": region.id,
                "stage": record.stage(now).value,
                "progress": record.progress(now),
                "record": record_in_words(record),
            }
            for account, region, record in _records(self.emulator, wanted)
        ]
        if not found:
            raise _No(404, f"no snapshot {wanted!r} in any account")
        return {"snapshots": found}


def _records(
    emulator: Emulator, snapshot_id: str
) -> Iterator[tuple[AccountState, RegionState, SnapshotRecord]]:
    for account in emulator.world.accounts:
        for region in account.regions.values():
            if snapshot_id in region.snapshots:
                yield account, region, region.snapshots[snapshot_id]


def _counted(account: AccountState) -> dict[str, Any]:
    return {
        "provider": account.provider,
        "account": account.label,
        "key_id": account.key_id,
        "throttled": account.throttle.refused if account.throttle else 0,
        "regions": {
            region.id: {
                "open": region.open,
                "denied": region.denied,
                "disks": len(region.disks),
                "snapshots": len(region.snapshots),
                "groups": len(region.groups),
            }
            for region in account.regions.values()
        },
    }


def _check_sender(request: Request) -> None:
    """Refuse what a browser may have been made to send by a page from elsewhere."""
    host = request.headers.get("host", "")
    try:
        name = urlsplit(f"//{host}").hostname
    except ValueError:
        name = None
    if name not in _LOOPBACK:
        raise _No(403, f"the Host is {host!r}; call this machine 127.0.0.1 or localhost")
    if "origin" in request.headers:
        raise _No(403, "requests from web pages are refused; call from a program")
    if request.method != "GET" and not request.headers.get(HEADER):
        raise _No(403, f"{request.method} needs the header 'X-Snapkit-Emulator: 1'")


def _body(request: Request) -> Any:
    try:
        return json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise _No(400, "the body is not JSON") from None


def _object(given: Any) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise _No(400, "the body is not a JSON object")
    return cast("dict[str, Any]", given)


def _only(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in given:
        if name not in names:
            raise _No(400, f"unknown key {name!r}; {nearest(name, names)}")


def _fault(given: Mapping[str, Any], providers: list[str]) -> Fault:
    document = Document(Path("the fault"), given)
    reader = Reader(document=document, now=0.0, table=given)
    document.allow(names=[field.name for field in attrs.fields(Fault)])
    if given.get("kind") is None:
        document.problem((), "'kind' is missing", nearest("", _KINDS))
    provider = reader.text("provider")
    if provider is not None and provider not in providers:
        reader.problem("provider", f"no provider {provider!r}", nearest(provider, providers))
    fault = Fault(
        kind=reader.choice("kind", _KINDS) or "refuse",
        provider=provider,
        region=reader.text("region"),
        operation=reader.text("operation"),
        failure=reader.choice("failure", _FAILURES) or Failure.SERVER,
        status=reader.whole("status", 200, 599) or 502,
        times=reader.whole("times", 1) if "times" in given else 1,
        skip=reader.whole("skip") or 0,
    )
    if document.problems:
        raise _No(400, str(document.problems[0]))
    return fault


def _shown(fault: Fault) -> dict[str, Any]:
    return {**attrs.asdict(fault), "failure": fault.failure.value}


def _there(routes: Mapping[str, Any]) -> str:
    return "there are " + ", ".join(f"{PREFIX}{path[1:]}" for path in routes)


def _json(value: Any, status: int = 200) -> Answer:
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    headers = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
    return Answer(body=text.encode("utf-8", "replace"), status=status, headers=headers)
