"""How the doctor touches the network: the name, the proxy, the connection, each on its own."""

import os
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

import attrs
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy

from snapkit.transport import Clock

__all__ = ["Probes", "Proxy", "proxy_for", "reach", "resolve"]


@attrs.frozen
class Proxy:
    """A proxy; its password is not kept."""

    name: str
    host: str
    port: int


class Reach(Protocol):
    """Connects and says how, or raises OSError."""

    def __call__(
        self, host: str, port: int, *, tls: bool, ca_bundle: str | None, timeout: float
    ) -> str:
        """Return in words what answered; nothing is sent beyond the TLS handshake."""
        ...


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of *host*, each once, or raise OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def reach(host: str, port: int, *, tls: bool, ca_bundle: str | None, timeout: float) -> str:
    """Connect to *host*, over TLS if asked, and say how it answered.

    Trusts what the library trusts: *ca_bundle*, else the environment's, else the usual ones.
    """
    with socket.create_connection((host, port), timeout) as plain:
        if not tls:
            return "connected"
        with _trusting(ca_bundle).wrap_socket(plain, server_hostname=host) as secure:
            return f"{secure.version()}, certificate trusted"


def _trusting(ca_bundle: str | None) -> ssl.SSLContext:
    trusted = (
        ca_bundle
        or os.environ.get("REQUESTS_CA_BUNDLE")
        or os.environ.get("CURL_CA_BUNDLE")
        or DEFAULT_CA_BUNDLE_PATH
    )
    if os.path.isdir(trusted):  # noqa: PTH112 - what OpenSSL wants is a text
        return ssl.create_default_context(capath=trusted)
    return ssl.create_default_context(cafile=trusted)


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy that the environment names for *url*, if any; none for plain http."""
    if not url.startswith("https:"):
        return None
    found = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    if not found:
        return None
    try:
        parts = urlsplit(found if "://" in found else f"http://{found}")
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 80)
    except ValueError:
        return Proxy("that cannot be read", "", 0)
    return Proxy(f"{parts.scheme}://{host}:{port}", host, port)


_PORTS = {"https": 443, "socks5": 1080, "socks5h": 1080}


@attrs.frozen(kw_only=True)
class Probes:
    """What the doctor looks through, so that tests can hold it."""

    resolve: Callable[[str, int], Sequence[str]] = resolve
    reach: Reach = reach
    proxy: Callable[[str], Proxy | None] = proxy_for
    clock: Clock = attrs.field(factory=Clock)
