"""Each fault on each adapter: the clouds under test."""

import os
from collections.abc import Generator

import pytest

from snapkit.emulator import Emulator
from snapkit.registry import providers

from .cloud import Cloud, cloud, furnished_emulator


@pytest.fixture
def emulator() -> Generator[Emulator]:
    """Serve one region with three pages of snapshots for each provider."""
    with furnished_emulator() as clouds:
        yield clouds


@pytest.fixture(params=providers())
def here(request: pytest.FixtureRequest, emulator: Emulator) -> Cloud:
    """Return one provider after the other."""
    return cloud(request.param, emulator)


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the proxies, certificates and targets that this machine may have."""
    for name in list(os.environ):
        bundle = name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NETRC")
        if bundle or name.lower().endswith("_proxy") or name.startswith("SNAPKIT"):
            monkeypatch.delenv(name)
