"""What went wrong on the way to an answer, in snapkit's words."""

import re
import socket
import ssl
from collections.abc import Sequence
from typing import NamedTuple, NoReturn

import requests
import urllib3.exceptions
from urllib3.util import parse_url

from snapkit.errors import (
    DeadlineExceededError,
    ProtocolError,
    Retry,
    Sent,
    TransportError,
)
from snapkit.masking import chain_of, scrub

__all__ = ["Proxy", "proxy_of", "translate"]


def translate(
    error: Exception,
    host: str,
    *,
    sent: Sent,
    out_of_time: bool,
    proxy: "Proxy | None",
    reused: bool,
) -> NoReturn:
    """Raise what *error* means, from it; what it quotes of the request is taken out.

    *sent* is NO while there was no connection yet, *reused* is whether it was an idle one.
    """
    chain = chain_of(error)
    for one in chain:
        scrub(one)

    def is_a(*kinds: type[BaseException]) -> bool:
        return any(isinstance(item, kinds) for item in chain)

    if out_of_time:
        unsent = is_a(urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.NewConnectionError)
        raise DeadlineExceededError(
            f"no answer from {host} in the time allowed", sent=Sent.NO if unsent else sent
        ) from error
    unusable = proxy is not None and (is_a(requests.exceptions.InvalidSchema) or not proxy.readable)
    if unusable or is_a(*_PROXY_FAULTS):
        raise _proxy_error(chain, host, proxy) from error
    if is_a(ssl.SSLEOFError, ssl.SSLZeroReturnError):
        raise TransportError(f"the TLS connection to {host} was cut", sent=sent) from error
    if is_a(requests.exceptions.SSLError, urllib3.exceptions.SSLError):
        raise TransportError(
            f"no trusted TLS connection to {host}",
            retry=Retry.NEVER,
            sent=Sent.NO if is_a(ssl.SSLCertVerificationError) else sent,
            hint="check the host name, the clock and the CA bundle (REQUESTS_CA_BUNDLE)",
        ) from error
    resolution = next((item for item in chain if isinstance(item, socket.gaierror)), None)
    if resolution is not None or is_a(urllib3.exceptions.NameResolutionError):
        passing = resolution is not None and resolution.errno == socket.EAI_AGAIN
        raise TransportError(
            f"the host name {host!r} cannot be resolved",
            retry=Retry.BACKOFF if passing else Retry.NEVER,
            sent=Sent.NO,
            hint="check the region, the endpoint and the network",
        ) from error
    if is_a(urllib3.exceptions.LocationValueError, requests.exceptions.InvalidURL):
        raise TransportError(
            f"{host!r} cannot be a host name",
            retry=Retry.NEVER,
            sent=Sent.NO,
            hint="check the region and the endpoint",
        ) from error
    if proxy is not None and sent is Sent.NO:
        raise _proxy_error(chain, host, proxy, retry=Retry.BACKOFF) from error
    if is_a(urllib3.exceptions.NewConnectionError, ConnectionRefusedError):
        raise TransportError(
            f"{host} refuses the connection", sent=Sent.NO, hint="check the endpoint"
        ) from error
    if is_a(urllib3.exceptions.ConnectTimeoutError):
        raise TransportError(f"{host} does not accept a connection", sent=Sent.NO) from error
    if is_a(urllib3.exceptions.ReadTimeoutError, requests.exceptions.ReadTimeout, TimeoutError):
        raise TransportError(f"{host} did not answer in time", sent=sent) from error
    if is_a(urllib3.exceptions.DecodeError, requests.exceptions.ContentDecodingError):
        raise ProtocolError(f"the answer of {host} cannot be decompressed") from error
    # RemoteDisconnected is a ConnectionError too: closed before any byte of the answer.
    stale = reused and is_a(ConnectionError)
    retry = Retry.AT_ONCE if stale else Retry.BACKOFF
    raise TransportError(f"the connection to {host} was cut", retry=retry, sent=sent) from error


_PROXY_FAULTS = (
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidProxyURL,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.ProxySchemeUnknown,
)
_REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")


class Proxy(NamedTuple):
    """What may be told of a proxy: no user and no password."""

    name: str
    readable: bool


def proxy_of(written: str | None) -> Proxy | None:
    """Return what may be told of a proxy as it is *written* in the environment, if there is one."""
    if written is None:
        return None
    try:
        readable = bool(parse_url(written).host)
    except urllib3.exceptions.LocationParseError:
        readable = False
    # A proxy may be written without a scheme, and what does not parse may hold a password.
    name = written.rpartition("@")[2].rpartition("//")[2].partition("/")[0]
    return Proxy(name, readable)


def _proxy_error(
    chain: Sequence[BaseException],
    host: str,
    proxy: Proxy | None,
    *,
    retry: Retry = Retry.NEVER,
) -> TransportError:
    """Return what a proxy did wrong."""
    refusal = next(filter(None, (_REFUSED.search(str(item)) for item in chain)), None)
    status = int(refusal[1]) if refusal else 0
    found = f"refuses (HTTP {status})" if status else "does not answer, or not as a proxy"
    login = "give the proxy a user and a password in HTTPS_PROXY" if status == 407 else None
    return TransportError(
        f"the proxy {proxy.name if proxy else ''} on the way to {host} {found}",
        retry=Retry.BACKOFF if status >= 500 else retry,
        sent=Sent.NO,
        hint=login or "check HTTPS_PROXY and NO_PROXY",
    )
