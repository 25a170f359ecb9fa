"""Connections without a proxy, made by urllib3, over one TLS context for all hosts.

A `requests` adapter looks its connections up anew for each request and loads the CA bundle
for each connection; here both are done once. What goes over the wire is the same.
"""

import ssl
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import SSLError
from urllib3.util.ssl_ import create_urllib3_context
from urllib3.util.ssl_match_hostname import CertificateError

from snapkit.errors import ConfigurationError
from snapkit.exchange import Answer, exchange, head_of
from snapkit.watch import PlainPool, SecurePool, attach

__all__ = ["Pools", "unpatched"]

_SIZE = 64
_SEND = HTTPAdapter.send


def unpatched() -> bool:
    """Return whether `requests` sends as it does by itself; libraries that mock it replace that."""
    return HTTPAdapter.send is _SEND


class Pools:
    """The connections to each host; safe to share between threads."""

    def __init__(self, verify: bool | str) -> None:
        self._bundle = verify if isinstance(verify, str) else DEFAULT_CA_BUNDLE_PATH
        self._pools: dict[str, Any] = {}
        self._lock = threading.Lock()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        connect: float,
        read: float,
        check: Callable[[int], None],
    ) -> Answer:
        """Return the answer to a request; timeouts in seconds, *check* as for ``exchange``.

        *headers* are all that are sent, Host and Content-Length too.

        Raises urllib3's own errors, and ConfigurationError for a CA bundle that cannot be used.
        """
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        head = head_of(method, f"{slash or '/'}{path}", headers)
        pool = self._pool(f"{scheme}://{host}")
        connection = pool.borrow()
        lasting = False
        try:
            sock = _opened(connection, connect)
            if sock.gettimeout() != read:
                sock.settimeout(read)
            attach(sock)
            answer = exchange(sock, head + body, check)
            lasting = answer.lasting
            return answer
        finally:
            if not lasting:
                connection.close()
            pool.give_back(connection)

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def _pool(self, place: str) -> Any:
        found = self._pools.get(place)
        if found is not None:
            return found
        with self._lock:
            if place not in self._pools:
                self._pools[place] = self._made(place)
            return self._pools[place]

    def _made(self, place: str) -> Any:
        parts = urlsplit(place)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return PlainPool(host, parts.port, maxsize=_SIZE)
        context = _context(self._bundle, _changed(self._bundle))
        return SecurePool(host, parts.port, maxsize=_SIZE, ssl_context=context)


def _opened(connection: Any, patience: float) -> Any:
    """Return the socket of *connection*, which is made within *patience* seconds if need be."""
    if connection.sock is None:
        connection.timeout = patience
        try:
            connection.connect()
        except (ssl.SSLError, CertificateError) as error:
            raise SSLError(error) from error
    return connection.sock


def _changed(bundle: str) -> int:
    try:
        return Path(bundle).stat().st_mtime_ns
    except OSError as error:
        raise _unusable(bundle, error) from None


@lru_cache(maxsize=8)
def _context(bundle: str, changed: int) -> ssl.SSLContext:
    """Return a context that trusts *bundle*; reading a real one costs some 15 ms."""
    del changed
    context = create_urllib3_context()
    try:
        if Path(bundle).is_dir():
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
    except OSError as error:
        raise _unusable(bundle, error) from None
    return context


def _unusable(bundle: str, error: OSError) -> ConfigurationError:
    found = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
    return ConfigurationError(
        f"the CA bundle {bundle} cannot be used: {found}",
        hint="name a file of certificates in PEM form (ca_bundle, REQUESTS_CA_BUNDLE)",
    )
