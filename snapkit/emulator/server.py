"""A loopback server that speaks every dialect over one world, with faults on order."""

import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

import attrs

from snapkit.credentials import Credentials
from snapkit.emulator.dialect import Answer, Request
from snapkit.emulator.environment import environment
from snapkit.emulator.incoming import BadRequestError, body_of
from snapkit.emulator.speaking import opened, populated, recognised, unloadable
from snapkit.emulator.state import AccountState, EmulatedClock, World
from snapkit.errors import ConfigurationError, Failure
from snapkit.registry import dialect_classes
from snapkit.settings import Target

__all__ = ["Emulator", "Fault", "demo_world"]

FaultKind = Literal["refuse", "cut-before", "cut-after", "cut-answer", "hang", "html", "status"]


@attrs.define(kw_only=True)
class Fault:
    """Something that goes wrong, on the next *times* requests that fit (None: on all).

    ``cut-before`` closes the connection without acting, ``cut-after`` acts and then closes
    it, ``cut-answer`` sends half of the answer. ``refuse`` answers with *failure* in the
    provider's words, ``html`` with a portal's page, ``status`` with an empty answer of HTTP
    *status*. ``hang`` answers nothing until the emulator closes.
    """

    kind: FaultKind
    provider: str | None = None
    region: str | None = None
    operation: str | None = None
    failure: Failure = Failure.SERVER
    status: int = 502
    times: int | None = 1
    skip: int = 0
    """Let so many fitting requests pass first."""

    def strikes(self, provider: str, region: str, operation: str) -> bool:
        """Return whether this request is hit, and count it."""
        wanted = ((self.provider, provider), (self.region, region), (self.operation, operation))
        if self.times == 0 or any(want not in (None, got) for want, got in wanted):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


@attrs.frozen
class Exchange:
    """One request that was answered, for tests and ``--verbose``."""

    provider: str
    region: str
    operation: str
    status: int


OWN = "/_snapkit/"
"""Under this path the emulator speaks for itself."""
_PORTAL = Answer(
    body=b"<html><body>Please sign in to the network</body></html>",
    headers={"Content-Type": "text/html"},
)


class Emulator:
    """The emulated clouds on a free port of this machine, ready when the constructor returns.

    *latency* is added to each answer, in seconds. *again* makes the world that :meth:`reset`
    goes back to, and the first one if there is no *world*. Use it as a context manager, or
    ``close()`` it. ``troubles`` says which dialects are broken; the others are served. Raises
    ConfigurationError if *port* cannot be had.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        port: int = 0,
        latency: float = 0.0,
        again: Callable[[], World] | None = None,
    ) -> None:
        if world is None:
            world = World() if again is None else again()
        self.world = world
        self.latency = latency
        self.faults: list[Fault] = []
        self.log: list[Exchange] = []
        self._closing = threading.Event()
        self.troubles: list[str] = unloadable()
        self._again = again
        self._dialects = opened(dialect_classes(), self.world, self.troubles)
        self._server = _listening(port)
        self._server.emulator = self
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """The URL under which every provider answers."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def clock(self) -> EmulatedClock:
        """The clouds' clock."""
        return self.world.clock

    @property
    def providers(self) -> list[str]:
        """The names of the emulated providers."""
        return [dialect.provider for dialect in self._dialects]

    def reset(self) -> None:
        """Go back to the estate it began with: no faults, an empty log, the clock at its start.

        Raises ConfigurationError if it was given a world and no way to make it *again*.
        """
        if self._again is None:
            raise ConfigurationError(
                "this emulator cannot be reset, as it cannot make its world again",
                hint="give Emulator a function: again=demo_world or again=load_estate(path).world",
            )
        fresh = self._again()
        with self.world.lock:
            self.world.become(fresh)
            self.faults.clear()
            self.log.clear()
            self._dialects = opened(dialect_classes(), self.world, [])

    def targets(self, provider: str | None = None) -> list[Target]:
        """Return a target, keys included, for each account and region there is."""
        needed = {dialect.provider: dialect.target_options() for dialect in self._dialects}
        return [
            Target(
                **needed.get(account.provider, {}),
                provider=account.provider,
                account=account.label,
                region=region,
                endpoint=self.endpoint,
                credentials=Credentials(
                    key_id=account.key_id,
                    secret=account.secret,
                    token=account.token,
                    origin="the emulator",
                ),
            )
            for account in self.world.accounts
            if provider in (None, account.provider)
            for region in account.regions
        ]

    def environment(self) -> dict[str, str]:
        """Return the environment variables in which snapkit reaches the emulated clouds."""
        return environment(self.endpoint, self.world.accounts)

    def close(self) -> None:
        """Stop answering. Calling it twice is fine."""
        if not self._closing.is_set():
            self._closing.set()
            self._server.shutdown()
            self._server.server_close()
            self._thread.join(timeout=5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def respond(self, request: Request) -> tuple[Answer | None, bool]:
        """Return the answer to *request* (None: close without one) and whether to cut it."""
        if request.path.startswith(OWN):
            from snapkit.emulator.control import Control

            return Control(self).answer(request), False
        dialect = recognised(self._dialects, request, self.troubles)
        if dialect is None:
            return Answer(
                status=404, body=b'{"message": "no emulated cloud speaks like this"}'
            ), False
        place = (dialect.provider, dialect.region(request), dialect.operation(request))
        with self.world.lock:
            fault = next((fault for fault in self.faults if fault.strikes(*place)), None)
        kind = fault.kind if fault else None
        answer: Answer | None = None
        if fault is None and self._above_limit(request, *place):
            answer = dialect.refuse(request, Failure.THROTTLED)
        elif fault is None or kind in ("cut-after", "cut-answer"):
            with self.world.lock:
                answer = dialect.answer(request)
        elif kind == "refuse":
            answer = dialect.refuse(request, fault.failure)
        elif kind == "html":
            answer = _PORTAL
        elif kind == "status":
            answer = Answer(status=fault.status, body=b"")
        elif kind == "hang":
            self._closing.wait()
        self.log.append(Exchange(*place, answer.status if answer else 0))
        if self.latency:
            time.sleep(self.latency)
        return (None if kind == "cut-after" else answer), kind == "cut-answer"

    def _above_limit(self, request: Request, provider: str, region: str, operation: str) -> bool:
        """Return whether the account that asks has used up its calls; count this one."""
        with self.world.lock:
            if not any(one.throttle for one in self.world.of(provider)):
                return False
            account = _sender(self.world.of(provider), request)
            throttle = account.throttle if account else None
            return throttle is not None and not throttle.admits(region, operation)


def _sender(accounts: Iterable[AccountState], request: Request) -> AccountState | None:
    """Return the one of *accounts* whose key *request* names, None for none; not verified.

    Every dialect has the key as a word in the header ``Authorization``, or as the value of a
    parameter. Limits come before signatures, as at a provider's gateway.
    """
    words = {*re.split(r"[\s,=/:]+", request.headers.get("authorization", ""))}
    words.update(request.form.values())
    return next((one for one in accounts if one.key_id in words), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    emulator: Emulator

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about clients that went away, not about a dialect that is broken."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "snapkit-emulator"
    disable_nagle_algorithm = True
    server: Any
    timeout = 60

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        headers: Mapping[str, str] = {name.lower(): value for name, value in self.headers.items()}
        try:
            body = body_of(headers, self.rfile)
        except BadRequestError as error:
            self.close_connection = True
            self.send_error(400, str(error))
            return
        request = Request(method=self.command, path=path, query=query, headers=headers, body=body)
        answer, cut = self.server.emulator.respond(request)
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if cut else answer.body)
        self.close_connection = self.close_connection or cut

    def _serve_own(self) -> None:
        """Serve a method that no cloud uses."""
        if self.path.startswith(OWN):
            self._serve()
        else:
            self.close_connection = True
            self.send_error(501, f"no emulated cloud answers {self.command}")

    do_GET = do_POST = _serve  # noqa: N815 - the names that http.server looks for
    do_DELETE = do_PUT = do_PATCH = _serve_own  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep stderr for those who asked for it."""
        del format, args


def _listening(port: int) -> "_Server":
    try:
        return _Server(("127.0.0.1", port), _Handler)
    except OSError as error:
        raise ConfigurationError(
            f"port {port} of 127.0.0.1 cannot be had: {error.strerror}",
            hint="choose another port, or 0 for a free one",
        ) from None


def demo_world(seed: int = 7) -> World:
    """Return the demonstration estate: every dialect's part of it, the same for one *seed*."""
    world = World()
    populated(dialect_classes().items(), world, seed)
    return world
