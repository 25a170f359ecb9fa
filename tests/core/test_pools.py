"""Connections of our own: one TLS context, and `requests` where somebody wants it."""

# pyright: reportPrivateUsage=false

import os
import ssl
from pathlib import Path
from typing import Any

import pytest
import requests
import responses
import trustme
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from snapkit import pools
from snapkit.errors import ConfigurationError
from snapkit.http import Http, HttpRequest
from snapkit.pools import Pools, unpatched

ENDPOINT = "https://shelf.example/api"
ASKED = HttpRequest(method="GET", url=ENDPOINT)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """The contexts that are made, from a state in which there is none."""
    found: list[ssl.SSLContext] = []

    def noting() -> ssl.SSLContext:
        found.append(create_urllib3_context())
        return found[-1]

    pools._context.cache_clear()
    monkeypatch.setattr(pools, "create_urllib3_context", noting)
    return found


def sent(http: Http) -> Any:
    return http.send(ASKED, connect=1.0, read=1.0, remaining=lambda: 5.0)


def test_all_hosts_and_clients_share_the_context_of_a_bundle(
    bundle: Path, made: list[ssl.SSLContext]
) -> None:
    """A bundle of real size takes longer to read than an answer."""
    for one in (Pools(str(bundle)), Pools(str(bundle))):
        for host in ("https://a.example", "https://b.example:8443"):
            assert one._pool(host) is one._pool(host)

    assert 1 == len(made)
    assert (ssl.CERT_REQUIRED, True) == (made[0].verify_mode, made[0].check_hostname)


def test_a_bundle_that_was_replaced_is_read_again(bundle: Path, made: list[ssl.SSLContext]) -> None:
    """Authorities are renewed while a service runs."""
    Pools(str(bundle))._pool("https://a.example")
    os.utime(bundle, ns=(1, 1))
    Pools(str(bundle))._pool("https://a.example")

    assert 2 == len(made)


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_bundle_that_cannot_be_used_is_named(bundle: Path, content: str | None) -> None:
    """It is a mistake in the configuration, not a cut connection."""
    bundle.unlink()
    if content is not None:
        bundle.write_text(content)

    with pytest.raises(ConfigurationError, match=f"the CA bundle {bundle} cannot be used: "):
        sent(Http(ca_bundle=str(bundle)))


def test_a_library_that_mocks_requests_gets_the_request(bundle: Path) -> None:
    """The tests of those who use snapkit mock what they know."""
    http = Http(ca_bundle=str(bundle))
    assert unpatched()
    with responses.RequestsMock() as mock:
        mock.get(ENDPOINT, json={"rows": []})

        assert not unpatched()
        assert b'{"rows": []}' == sent(http).body
    assert unpatched()


def test_a_session_of_the_callers_is_used_and_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives a session has put something into it."""
    asked: list[str] = []

    class Adapter(HTTPAdapter):
        def send(self, request: Any, *_: Any, **__: Any) -> Any:
            asked.append(request.url)
            raise requests.ConnectionError("enough")

        def close(self) -> None:
            asked.append("closed")

    session = requests.Session()
    session.mount("https://", Adapter())
    http = Http(session)
    with pytest.raises(Exception, match=r"shelf\.example"):
        sent(http)
    http.close()

    assert [ENDPOINT] == asked
