"""One request over HTTP, and what can go wrong with it in snapkit's words.

`requests` is the face: a caller's session works, environment proxies and CA bundles count.
It is used lean, so nothing is added to what was signed: no redirects, cookies or netrc, and
the body is read once, under a size cap and the call's deadline.
"""

import ipaddress
import os
import re
import socket
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import attrs
import requests
import urllib3.exceptions
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies, select_proxy

from snapkit.errors import (
    ConfigurationError,
    DeadlineExceededError,
    ProtocolError,
    Retry,
    Sent,
    SnapkitError,
)
from snapkit.masking import keep_urls_out_of_logs
from snapkit.mishaps import proxy_of, translate
from snapkit.pools import Pools, unpatched
from snapkit.watch import WatchedAdapter, watched

__all__ = [
    "Http",
    "HttpRequest",
    "HttpResponse",
    "check_endpoint",
]

LARGEST_BODY = 16 * 1024**2
_CHUNK = 65536
_ODD = re.compile(r"[^!$&'()*+,\-./:;=@\[\]_~%0-9A-Za-z]")
"""What does not belong in an endpoint: blanks, controls, ``?``, ``#``, backslashes."""


@attrs.frozen(kw_only=True)
class HttpRequest:
    """A signed request, exactly as it goes out."""

    method: str
    url: str = attrs.field(repr=lambda url: repr(url.partition("?")[0]))
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    fresh: bool = False
    """Whether to leave idle connections alone and open a new one."""


@attrs.frozen(kw_only=True)
class HttpResponse:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)


def check_endpoint(url: str) -> str:
    """Return *url* without a trailing slash if it may be an API endpoint.

    It must be ``https``, or ``http`` to this machine, with a host and without user, query or
    fragment; addresses where clouds serve instance metadata are refused. Raises
    ConfigurationError.
    """
    try:
        parts = urlsplit(url)
        host = "" if parts.port == 0 else (parts.hostname or "").rstrip(".")
    except ValueError:
        parts, host = urlsplit(""), ""
    if not host or parts.username is not None or _ODD.search(url):
        found = "is not a plain https:// address"
    elif _is_metadata(host):
        found = "is where a cloud serves instance metadata"
    elif parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)):
        return url.rstrip("/")
    else:
        found = "is not https (plain http is for this machine only)"
    raise ConfigurationError(
        f"the endpoint {url!r} {found}", hint="write https://host[:port][/path]"
    )


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that *host* is, in any of the forms that resolvers take."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, ValueError):
            return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _is_metadata(host: str) -> bool:
    address = _address(host)
    shared = ipaddress.ip_network("100.64.0.0/10")
    return address is not None and (address.is_link_local or address in shared)


class _Proxies(dict[str, str]):
    """The proxies of the environment; their passwords are not shown."""

    def __repr__(self) -> str:
        return "_Proxies(***)"


class Http:
    """Sends requests through a `requests` session; safe to share between threads."""

    def __init__(
        self, session: requests.Session | None = None, ca_bundle: str | None = None
    ) -> None:
        keep_urls_out_of_logs()
        self._session = session or _session()
        self._verify: bool | str = (
            ca_bundle
            or (session.verify if session is not None and isinstance(session.verify, str) else None)
            or os.environ.get("REQUESTS_CA_BUNDLE")
            or os.environ.get("CURL_CA_BUNDLE")
            or True
        )
        self._proxies: dict[str, _Proxies] = {}
        self._pools = Pools(self._verify) if session is None else None

    def send(
        self, request: HttpRequest, *, connect: float, read: float, remaining: Callable[[], float]
    ) -> HttpResponse:
        """Return the answer to *request*, whatever its status; timeouts in seconds.

        Raises TransportError when there is none, ProtocolError when it is cut or too large,
        DeadlineExceededError when *remaining* reaches zero first.
        """
        left = remaining()
        if left <= 0:
            raise DeadlineExceededError("no time left to send the request", sent=Sent.NO)
        host = _host_of(request.url)
        proxies = self._proxies_for(request.url)
        straight = not proxies and self._pools is not None and unpatched()
        send = self._straight if straight else self._by_session
        with watched(left, fresh=request.fresh) as watch:
            try:
                response = send(request, proxies, min(connect, left), min(read, left), remaining)
            except SnapkitError as error:
                # The frames below hold what came, and it may quote the request.
                error.__traceback__ = None
                raise
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                translate(
                    error,
                    host,
                    sent=Sent.NO if watch.connecting else Sent.MAYBE,
                    out_of_time=watch.expired or remaining() <= 0,
                    proxy=proxy_of(select_proxy(request.url, proxies)),
                    reused=watch.reused,
                )
        if watch.expired:
            del response
            raise DeadlineExceededError(f"no answer from {host} in the time allowed")
        return response

    def close(self) -> None:
        """Close the connections, unless the session was given by the caller."""
        if self._pools is not None:
            self._pools.close()
            self._session.close()

    def _straight(
        self,
        request: HttpRequest,
        _: _Proxies,
        connect: float,
        read: float,
        remaining: Callable[[], float],
    ) -> HttpResponse:
        """Return the answer over a connection of our own."""
        assert self._pools is not None  # noqa: S101 - the caller has looked
        answer = self._pools.send(
            request.method,
            request.url,
            _sent_headers(request, Host=_host_of(request.url)),
            request.body,
            connect=connect,
            read=read,
            check=lambda size: _check(size, remaining),
        )
        body = answer.body
        if answer.headers.get("content-encoding", "identity") != "identity":
            packed = urllib3.HTTPResponse(
                BytesIO(body), answer.headers, answer.status, preload_content=False
            )
            body = _body(packed, remaining)
        return HttpResponse(status=answer.status, headers=answer.headers, body=body)

    def _by_session(
        self,
        request: HttpRequest,
        proxies: _Proxies,
        connect: float,
        read: float,
        remaining: Callable[[], float],
    ) -> HttpResponse:
        """Return the answer by an adapter of the session."""
        prepared = requests.PreparedRequest()
        prepared.method, prepared.url = request.method, request.url
        prepared.headers = CaseInsensitiveDict(_sent_headers(request))
        prepared.body = request.body or None
        prepared.hooks = {}
        response = self._session.get_adapter(request.url).send(
            prepared,
            stream=True,
            timeout=(connect, read),
            verify=self._verify,
            proxies=proxies,
        )
        with response:
            body = _body(response.raw, remaining)
        headers = {name.lower(): value for name, value in response.raw.headers.items()}
        return HttpResponse(status=response.raw.status, headers=headers, body=body)

    def _proxies_for(self, url: str) -> _Proxies:
        scheme, _, rest = url.partition("://")
        key = f"{scheme}://{rest.partition('/')[0]}"
        if key not in self._proxies:
            # Plain http is for this machine only: no proxy may see what was signed for it.
            trusted = self._session.trust_env and scheme == "https"
            found = _Proxies(get_environ_proxies(url, no_proxy=None) if trusted else {})
            found.update(self._session.proxies)
            self._proxies[key] = found
        return self._proxies[key]


def _host_of(url: str) -> str:
    """Return host and port, as they are written in *url*."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0]


def _body(raw: Any, remaining: Callable[[], float]) -> bytes:
    """Return the body of an answer of urllib3's, unpacked."""
    chunks: list[bytes] = []
    size = 0
    while chunk := raw.read1(_CHUNK, decode_content=True):
        size += len(chunk)
        chunks.append(chunk)
        _check(size, remaining)
    return b"".join(chunks)


def _check(size: int, remaining: Callable[[], float]) -> None:
    """Raise ProtocolError for a body of too many bytes, DeadlineExceededError for a late one."""
    if size > LARGEST_BODY:
        raise ProtocolError(
            f"the answer is larger than {LARGEST_BODY // 1024**2} MiB", retry=Retry.NEVER
        )
    if remaining() <= 0:
        raise DeadlineExceededError("the answer did not arrive in time")


def _sent_headers(request: HttpRequest, **more: str) -> dict[str, str]:
    """Return the headers of *request*, after those of our own, and *more*, that it lacks."""
    own = more | {
        "User-Agent": "snapkit",
        "Accept-Encoding": "gzip",
        "Content-Length": str(len(request.body)),
    }
    given = {name.lower() for name in request.headers}
    return {name: own[name] for name in own if name.lower() not in given} | dict(request.headers)


def _session() -> requests.Session:
    session = requests.Session()
    adapter = WatchedAdapter(pool_connections=64, pool_maxsize=64, max_retries=0)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
