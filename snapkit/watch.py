"""One thread that ends connections at their deadlines.

A read timeout starts anew with each byte, so a server that drips headers or endless interim
answers is never late for it. Shutting the socket down from outside ends every kind of wait.
"""

import heapq
import itertools
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import attrs
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NameResolutionError
from urllib3.util.connection import allowed_gai_family

__all__ = ["PlainPool", "SecurePool", "Watch", "WatchedAdapter", "attach", "watched"]

_CURRENT = threading.local()


@attrs.define(eq=False)
class Watch:
    """One request under way: the socket it waits on, and whether its time ran out.

    ``fresh`` asks for a new connection; ``reused`` is whether it went over one that had been
    idle.
    """

    ends: float
    sock: socket.socket | None = None
    expired: bool = False
    fresh: bool = False
    reused: bool = False
    twin: socket.socket | None = None
    connecting: bool = False
    """Whether the connection is not made yet, TLS included: no request can have left."""

    def expire(self) -> None:
        """End the wait, if there is one still."""
        sock, self.sock = self.sock, None
        if sock is not None:
            self.expired = True
            try:
                # Not SSLSocket.shutdown, which takes the TLS state away from the reader.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return


class _Watchman:
    """The thread, started by the first request and again after a fork."""

    def __init__(self) -> None:
        self.heap: list[tuple[float, int, Watch]] = []
        self.change = threading.Condition()
        self.numbers = itertools.count()
        self.thread: threading.Thread | None = None

    def add(self, watch: Watch) -> None:
        with self.change:
            heapq.heappush(self.heap, (watch.ends, next(self.numbers), watch))
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self.run, name="snapkit-watch", daemon=True)
                self.thread.start()
            elif self.heap[0][2] is watch:
                self.change.notify()

    def run(self) -> None:
        with self.change:
            while True:
                while self.heap and self.heap[0][0] <= time.monotonic():
                    heapq.heappop(self.heap)[2].expire()
                left = self.heap[0][0] - time.monotonic() if self.heap else None
                self.change.wait(left)


_WATCHMAN = _Watchman()


@contextmanager
def watched(seconds: float, *, fresh: bool = False) -> Generator[Watch, None, None]:
    """Shut down what this thread waits for over a WatchedAdapter, *seconds* from now."""
    ends = time.monotonic() + min(seconds, threading.TIMEOUT_MAX / 2)
    watch = _CURRENT.watch = Watch(ends, fresh=fresh)
    try:
        yield watch
    finally:
        watch.sock = None
        _CURRENT.watch = None


def attach(sock: Any) -> None:
    """Have *sock* shut down when the time of this thread's request is up."""
    watch = _current()
    if watch is not None and sock is not None:
        watch.sock = sock
        _WATCHMAN.add(watch)


def _current() -> Watch | None:
    return getattr(_CURRENT, "watch", None)


@contextmanager
def _connecting() -> Generator[None, None, None]:
    """Watch what happens on a connection that is being made: the proxy's answer, the handshake."""
    watch = _current()
    if watch is None:
        yield
        return
    watch.connecting = True
    try:
        yield
        watch.connecting = False
    finally:
        twin, watch.twin, watch.sock = watch.twin, None, None
        if twin is not None:
            twin.close()


def _dial(connection: Any, dial: Callable[[], socket.socket]) -> socket.socket:
    """Return a new socket; all addresses of the host are tried within the deadline.

    What is watched is a twin: TLS takes the descriptor of the first away.
    """
    watch = _current()
    if watch is None:
        return dial()
    host, patience = connection.host, connection.timeout
    addresses = _addresses(connection)
    try:
        while True:
            connection.host = addresses.pop(0)
            left = watch.ends - time.monotonic()
            connection.timeout = max(0.001, min(patience, left))
            try:
                sock = dial()
            except HTTPError:
                if not addresses or time.monotonic() >= watch.ends:
                    raise
            else:
                watch.twin = sock.dup()
                attach(watch.twin)
                return sock
    finally:
        connection.host, connection.timeout = host, patience


def _addresses(connection: Any) -> list[str]:
    host = connection.host
    family = allowed_gai_family()
    try:
        found = socket.getaddrinfo(host, connection.port, family, socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise NameResolutionError(host, connection, error) from error
    except UnicodeError:
        return [host]  # urllib3 has a name for it.
    return list(dict.fromkeys(str(one[4][0]) for one in found)) or [host]


class _Whole:
    """A connection that sends head and body of a request as one piece, not as two packets."""

    _held: list[bytes] | None = None

    def request(self, *asked: Any, **more: Any) -> None:
        self._held = []
        try:
            cast("Any", super()).request(*asked, **more)
            held, self._held = self._held, None
            self.send(b"".join(held))
        finally:
            self._held = None

    def send(self, data: Any) -> None:
        if self._held is None or not isinstance(data, bytes):
            cast("Any", super()).send(data)
        else:
            self._held.append(data)


class _Connection(_Whole, HTTPConnection):
    def connect(self) -> None:
        with _connecting():
            super().connect()

    def _new_conn(self) -> socket.socket:
        return _dial(self, super()._new_conn)

    def getresponse(self) -> Any:
        attach(self.sock)
        return super().getresponse()


class _SecureConnection(_Whole, HTTPSConnection):
    def connect(self) -> None:
        with _connecting():
            super().connect()

    def _tunnel(self) -> None:
        cast("Any", super())._tunnel()  # noqa: SLF001 - the hook of http.client
        watch = _current()
        if watch is not None and watch.expired:
            # A proxy's headers that end with the connection pass for whole ones.
            raise TimeoutError("the proxy did not answer in time")

    def _new_conn(self) -> socket.socket:
        return _dial(self, super()._new_conn)

    def getresponse(self) -> Any:
        attach(self.sock)
        return super().getresponse()


class _Lending:
    """A pool that lends its connections out: to itself, and to who speaks HTTP without it."""

    def _get_conn(self, timeout: float | None = None) -> Any:
        return _noted(cast("Any", super())._get_conn(timeout))  # noqa: SLF001 - the hook of urllib3

    def borrow(self) -> Any:
        """Return an idle connection, or one that is still to be opened."""
        return self._get_conn()

    def give_back(self, connection: Any) -> None:
        """Take *connection* back, open or closed."""
        cast("Any", self)._put_conn(connection)  # noqa: SLF001 - what undoes the other


class PlainPool(_Lending, HTTPConnectionPool):
    """The connections to one host."""

    ConnectionCls: Any = _Connection


class SecurePool(_Lending, HTTPSConnectionPool):
    """The TLS connections to one host."""

    ConnectionCls: Any = _SecureConnection


def _noted(connection: Any) -> Any:
    """Return *connection*, closed if a new one is wanted, after noting whether it is open."""
    watch = _current()
    if watch is not None:
        if watch.fresh:
            connection.close()  # It opens itself again.
        watch.reused = getattr(connection, "sock", None) is not None
    return connection


_POOLS: dict[str, Any] = {"http": PlainPool, "https": SecurePool}


class WatchedAdapter(HTTPAdapter):
    """An adapter whose connections can be watched."""

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Make the pools with connections that say what they wait on."""
        super().init_poolmanager(*args, **settings)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **settings: Any) -> Any:
        """Return the pools behind *proxy*, with the same kind of connections."""
        manager = super().proxy_manager_for(proxy, **settings)
        manager.pool_classes_by_scheme = _POOLS
        return manager
