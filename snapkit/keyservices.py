"""Services that hand out temporary keys: how they are asked, and one source for all who ask."""

import os
import re
import threading
from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests

from snapkit.credentials import Credentials, CredentialSource, Secret, StaticSource
from snapkit.errors import ConfigurationError, CredentialsMissingError, SnapkitError
from snapkit.http import Http, HttpRequest, HttpResponse, check_endpoint
from snapkit.refreshing import RefreshingSource
from snapkit.retry import RetryPolicy
from snapkit.transport import Clock, Transport

if TYPE_CHECKING:
    from snapkit.sources import Surroundings

__all__ = ["ask_address", "ask_metadata", "key_service", "reread", "shared"]

_PATIENCE = RetryPolicy(transient=3, connect_timeout=5.0, read_timeout=10.0, call_timeout=25.0)
_UNSIGNED = StaticSource(Credentials(key_id="none", secret="none", origin="no keys"))  # noqa: S106
"""For calls that are not signed; a signer of such calls does not look at it."""
_PLAIN = re.compile(r"[!$&'()*+,\-./:;=?@_~%0-9A-Za-z]*")
"""What may stand in the path and the query of an address."""
METADATA_TIMEOUT = 1.0
ADDRESS_TIMEOUT = 10.0
LARGEST = 64 * 1024
"""Bytes; a longer answer holds no keys."""


class _Shared:
    """Sources that renew themselves, one for all targets of a process."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all; a forked process must not wait for a thread that it does not have."""
        self.lock = threading.Lock()
        self.sources: dict[Hashable, CredentialSource] = {}


_SHARED = _Shared()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_SHARED.clear)


def shared(key: Hashable, make: Callable[[], CredentialSource]) -> CredentialSource:
    """Return the source that was made for *key* before, else the one that *make* returns.

    So thirty regions of one account renew one set of credentials, not thirty.
    """
    with _SHARED.lock:
        if key not in _SHARED.sources:
            _SHARED.sources[key] = make()
        return _SHARED.sources[key]


def key_service(
    provider: str, around: "Surroundings", base: CredentialSource | None
) -> tuple[Transport, Http]:
    """Return the way to the service that hands out temporary keys; the caller closes it.

    *base* has the keys that calls are signed with, or is None for calls that are not signed.
    """
    http = Http(ca_bundle=around.ca_bundle)
    transport = Transport(
        provider=provider,
        account="",
        region=around.region,
        credentials=base or _UNSIGNED,
        http=http,
        policy=_PATIENCE,
        clock=around.clock,
    )
    return transport, http


def ask_metadata(
    url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Return what the machine's metadata service answers: one try, one second, no proxy.

    Raises CredentialsMissingError where nobody answers.
    """
    session = requests.Session()
    session.trust_env = False
    try:
        return _asked(
            Http(session),
            HttpRequest(method=method, url=url, headers=headers or {}),
            seconds=METADATA_TIMEOUT,
            who="the metadata service of this machine",
            hint="a machine outside this cloud has no role; use keys",
        )
    finally:
        session.close()


def ask_address(url: Secret, around: "Surroundings", *, origin: str) -> Secret:
    """Return what the service at *url* answers, an address that *origin* names.

    It is https, or plain http to this machine, which is asked without a proxy; one try.
    Raises CredentialsMissingError for another kind of address and for another answer than
    HTTP 200. The address may hold a secret of its own: no error shows more than its host.
    """
    why = _unfit(url)
    if why:
        raise CredentialsMissingError(
            f"the address in {origin} {why}",
            hint="write https://host[:port]/path, or http:// for this machine only",
        )
    local = urlsplit(url.reveal()).scheme == "http"
    session = requests.Session() if local else None
    if session is not None:
        session.trust_env = False
    http = Http(session, ca_bundle=around.ca_bundle)
    try:
        answer = _asked(
            http,
            HttpRequest(method="GET", url=url.reveal(), headers={"Accept": "application/json"}),
            seconds=ADDRESS_TIMEOUT,
            who=f"the service that {origin} names",
            hint="check that it runs",
        )
    finally:
        http.close()
        if session is not None:
            session.close()
    if answer.status != 200:
        raise CredentialsMissingError(
            f"the service that {origin} names has no keys (HTTP {answer.status})",
            hint="check the address",
        )
    return Secret(answer.body.decode("utf-8", "replace"))


def _unfit(url: Secret) -> str:
    """Return what keeps *url* from being asked for keys, without showing it; empty for nothing."""
    secure = url.reveal().startswith("https://")
    try:
        parts = urlsplit(url.reveal())
        rest = f"{parts.path}?{parts.query}"
        if "@" in parts.netloc or parts.fragment or not _PLAIN.fullmatch(rest):
            return "has more than host, path and query"
        check_endpoint(f"{parts.scheme}://{parts.netloc}")
    except (ValueError, ConfigurationError):
        no_host = "names no host that may be asked for keys"
        return no_host if secure else "is neither https nor http to this machine"
    return ""


def _asked(
    http: Http, request: HttpRequest, *, seconds: float, who: str, hint: str
) -> HttpResponse:
    """Return the answer to *request* within so many seconds, from *who* for people."""
    clock = Clock()
    end = clock.monotonic() + seconds
    answer, why = None, ""
    try:
        answer = http.send(
            request, connect=seconds, read=seconds, remaining=lambda: end - clock.monotonic()
        )
    except SnapkitError as error:
        why = str(error)
    if answer is None:
        # Not from the error: what lies below it has the whole address in its text.
        raise CredentialsMissingError(f"{who} does not answer: {why}", hint=hint)
    if len(answer.body) > LARGEST:
        raise CredentialsMissingError(f"the answer of {who} is too large")
    return answer


def reread(key: Hashable, read: Callable[[], Credentials], clock: Clock) -> CredentialSource:
    """Return the temporary keys that *read* finds in a file, where another tool renews them.

    They are read now, so that what is broken or has ended is told at once, and again before
    they end. *key* tells the file from others.
    """
    first = read()
    return shared(
        ("reread", key, first, clock),
        lambda: RefreshingSource(fetch=read, origin=first.origin, clock=clock),
    )
