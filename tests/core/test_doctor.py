"""What the doctor finds, on good, denied and broken clouds."""

import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
import trustme

from snapkit.credentials import Credentials
from snapkit.doctor import Check, Diagnosis, Probes, Trouble, Verdict, diagnose
from snapkit.driver import Capability
from snapkit.emulator import Emulator, Fault, demo_world
from snapkit.errors import Failure
from snapkit.permissions import READS, permissions_of, write_needs
from snapkit.probes import Proxy, proxy_for, reach, resolve
from snapkit.registry import driver_class, providers
from snapkit.settings import Target
from snapkit.transport import Clock

from .moon import rising, snapshot, target

SECRET = "CANARY-5d1f"
ORDER = (
    "credentials",
    "endpoint",
    "DNS",
    "connection",
    "clock",
    "signature",
    "list snapshots",
    "list groups",
    "list regions",
    "list disks",
)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def emulator() -> Generator[Emulator]:
    with Emulator(demo_world()) as clouds:
        yield clouds


def place(emulator: Emulator, provider: str, **changes: Any) -> Target:
    """Return a region of *provider* that has snapshots and is not denied."""
    account = next(emulator.world.of(provider))
    region = next(one.id for one in account.regions.values() if one.snapshots and not one.denied)
    found = next(one for one in emulator.targets(provider) if one.region == region)
    return attrs.evolve(found, **changes)


def deny(emulator: Emulator, provider: str) -> None:
    for region in next(emulator.world.of(provider)).regions.values():
        region.denied = True


def named(found: Diagnosis, name: str) -> Check:
    return next(one for one in found.checks if one.name == name)


def verdicts(found: Diagnosis) -> dict[str, str]:
    return {one.name: one.verdict.value for one in found.checks}


def failing(error: Exception) -> Any:
    def probe(*_: Any, **__: Any) -> Any:
        raise error

    return probe


@pytest.mark.parametrize("provider", providers())
def test_a_healthy_target_passes_every_check_in_order(emulator: Emulator, provider: str) -> None:
    """Each check rests on those before it, so the order is the explanation."""
    found = diagnose(place(emulator, provider))
    groups = Capability.GROUPS in driver_class(provider).capabilities

    assert ORDER == tuple(one.name for one in found.checks)
    assert {**dict.fromkeys(ORDER, "ok"), "list groups": "ok" if groups else "skip"} == verdicts(
        found
    )
    assert (True, None, None) == (found.ok, found.trouble, found.policy)
    assert "the emulator" == named(found, "credentials").found


@pytest.mark.parametrize("provider", providers())
def test_it_only_reads(emulator: Emulator, provider: str) -> None:
    """A doctor that changes something is a danger."""
    diagnose(place(emulator, provider))

    assert emulator.log
    assert all(one.operation.startswith("Describe") for one in emulator.log)


@pytest.mark.parametrize("provider", providers())
def test_what_is_denied_comes_with_what_grants_it(emulator: Emulator, provider: str) -> None:
    """The signature is right, so the keys are; what is missing is a permission."""
    deny(emulator, provider)
    found = diagnose(emulator.targets(provider)[0])
    permissions = permissions_of(driver_class(provider))
    assert permissions is not None

    assert ("ok", "fail") == (verdicts(found)["signature"], verdicts(found)["list snapshots"])
    assert Trouble.KEYS is found.trouble
    assert set(permissions.snapshots) <= set(found.denied)
    assert permissions.where == found.grant
    assert permissions.text(found.denied) == found.policy
    assert all(action in (found.policy or action) for action in found.denied)


@pytest.mark.parametrize("provider", providers())
def test_a_wrong_secret_fails_the_signature_and_spares_the_rest(
    emulator: Emulator, provider: str
) -> None:
    """Four more refusals would say nothing new, and may lock the account."""
    account = next(emulator.world.of(provider))
    wrong = Credentials(key_id=account.key_id, secret=SECRET, token=account.token)
    found = diagnose(place(emulator, provider, credentials=wrong))

    assert "fail" == verdicts(found)["signature"]
    assert {"skip"} == {verdicts(found)[name] for name in ORDER[6:]}
    assert Trouble.KEYS is found.trouble
    assert named(found, "signature").advice
    assert SECRET not in repr(found)


def test_keys_that_are_missing_leave_the_network_to_be_checked(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Both may be wrong, and people should not have to ask twice."""
    provider = providers()[0]
    names = driver_class(provider).environment
    for one in names.keys:
        for name in (one.key_id, one.secret):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    found = diagnose(place(emulator, provider, credentials=None))

    assert ["fail", "ok", "ok", "ok", "skip"] == list(verdicts(found).values())[:5]
    assert Trouble.KEYS is found.trouble
    assert names.keys[0].key_id in named(found, "credentials").advice
    assert [] == emulator.log


@pytest.mark.parametrize(("left", "verdict"), [(60, Verdict.WARN), (7200, Verdict.OK)])
def test_keys_that_end_soon_are_warned_of(emulator: Emulator, left: int, verdict: Verdict) -> None:
    """A long listing would end in the middle."""
    provider = providers()[0]
    account = next(emulator.world.of(provider))
    keys = Credentials(
        key_id=account.key_id,
        secret=account.secret,
        token=account.token,
        expires_at=datetime.now(UTC) + timedelta(seconds=left + 1),
    )
    found = diagnose(place(emulator, provider, credentials=keys))

    assert verdict is named(found, "credentials").verdict
    assert "temporary" in named(found, "credentials").found
    assert found.ok


def test_an_endpoint_that_is_gone_refuses(emulator: Emulator) -> None:
    """Nothing is asked of what does not listen."""
    there = place(emulator, providers()[0])
    emulator.close()
    found = diagnose(there)

    assert "fail" == verdicts(found)["connection"]
    assert "refuses the connection" in named(found, "connection").found
    assert {"skip"} == {verdicts(found)[name] for name in ORDER[4:]}
    assert Trouble.NETWORK is found.trouble


def test_a_name_that_does_not_resolve_stops_the_examination(emulator: Emulator) -> None:
    """And says which name."""
    probes = Probes(resolve=failing(socket.gaierror(socket.EAI_NONAME, "Name not known")))
    found = diagnose(place(emulator, providers()[0]), probes=probes)

    assert ("fail", "skip") == (verdicts(found)["DNS"], verdicts(found)["connection"])
    assert "'127.0.0.1' cannot be resolved (Name not known)" == named(found, "DNS").found
    assert (Trouble.NETWORK, []) == (found.trouble, emulator.log)


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "CERTIFICATE_VERIFY_FAILED")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("error", "said", "advice"),
    [
        (untrusted(), "is not trusted (self-signed certificate)", "--ca-bundle"),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "does not speak TLS", "port"),
        (TimeoutError(), "does not answer within 10 s", "firewall"),
        (OSError(101, "Network is unreachable"), "Network is unreachable", "network"),
    ],
    ids=["untrusted", "no TLS", "silent", "unreachable"],
)
def test_each_broken_connection_has_its_own_advice(
    emulator: Emulator, error: Exception, said: str, advice: str
) -> None:
    """One word, 'network', would send people looking everywhere."""
    found = diagnose(place(emulator, providers()[0]), probes=Probes(reach=failing(error)))

    assert said in named(found, "connection").found
    assert advice in named(found, "connection").advice
    assert Trouble.NETWORK is found.trouble


@pytest.mark.parametrize("provider", providers())
def test_a_portal_that_speaks_html_is_no_network_trouble(emulator: Emulator, provider: str) -> None:
    """Trying again does not help; signing in does."""
    emulator.faults.append(Fault(kind="html", times=None))
    found = diagnose(place(emulator, provider))

    assert "HTML" in named(found, "list snapshots").found
    assert ("skip", "skip") == (verdicts(found)["signature"], verdicts(found)["list regions"])
    assert Trouble.OTHER is found.trouble


def test_a_silent_endpoint_is_waited_for_once(emulator: Emulator) -> None:
    """Four timeouts in a row tell no more than one."""
    emulator.faults.append(Fault(kind="hang", times=None))
    found = diagnose(place(emulator, providers()[0]), timeout=0.2)

    assert "something before it failed" == named(found, "list disks").found
    assert 1 >= len(emulator.log)
    assert ("fail", "skip") == (verdicts(found)["list snapshots"], verdicts(found)["list regions"])
    assert Trouble.NETWORK is found.trouble


@pytest.mark.parametrize(
    ("failure", "trouble"),
    [
        (Failure.THROTTLED, Trouble.NETWORK),
        (Failure.SERVER, Trouble.NETWORK),
        (Failure.ACCOUNT, Trouble.OTHER),
    ],
)
@pytest.mark.parametrize("provider", providers())
def test_each_refusal_has_its_remedy(
    emulator: Emulator, provider: str, failure: Failure, trouble: Trouble
) -> None:
    """A full bucket wants patience, an unpaid bill does not."""
    emulator.faults.append(Fault(kind="refuse", failure=failure, times=None))
    found = diagnose(place(emulator, provider))

    assert trouble is found.trouble
    assert named(found, "list snapshots").advice


@pytest.mark.parametrize(
    ("off", "verdict", "said"),
    [
        (10.0, Verdict.OK, "10 s off"),
        (-3000.0, Verdict.WARN, "50 min behind"),
        (3000.0, Verdict.WARN, "50 min ahead of"),
        (3 * 86400.0, Verdict.FAIL, "3 d ahead of"),
    ],
)
def test_a_wrong_clock_is_measured(
    emulator: Emulator, off: float, verdict: Verdict, said: str
) -> None:
    """It makes right keys look wrong; the doctor must not blame them."""
    clock = Clock(wall=lambda: time.time() + off)
    found = diagnose(place(emulator, providers()[0]), probes=Probes(clock=clock))

    assert verdict is named(found, "clock").verdict
    assert said in named(found, "clock").found
    assert (verdict is not Verdict.FAIL) == found.ok
    assert found.ok or found.trouble is Trouble.OTHER


def test_a_proxy_is_named_without_its_password(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is the proxy whose name must resolve."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{SECRET}@proxy.test:3128")
    proxy = proxy_for("https://cloud.test")
    asked: list[tuple[str, int]] = []

    def refuse(host: str, port: int) -> list[str]:
        asked.append((host, port))
        raise socket.gaierror(socket.EAI_NONAME, "Name not known")

    probes = Probes(proxy=lambda url: proxy, resolve=refuse)
    found = diagnose(place(emulator, providers()[0]), probes=probes)

    assert Proxy("http://proxy.test:3128", "proxy.test", 3128) == proxy
    assert "through the proxy http://proxy.test:3128" in named(found, "endpoint").found
    assert [("proxy.test", 3128)] == asked
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("proxy.test:3128", "http://proxy.test:3128"),
        ("https://proxy.test", "https://proxy.test:443"),
    ],
)
def test_proxies_are_read_as_the_library_reads_them(
    monkeypatch: pytest.MonkeyPatch, value: str, name: str
) -> None:
    """With and without a scheme."""
    monkeypatch.setenv("HTTPS_PROXY", value)
    monkeypatch.setenv("NO_PROXY", "near.test")
    proxy = proxy_for("https://cloud.test")

    assert proxy is not None
    assert name == proxy.name
    assert proxy_for("https://near.test") is None


def test_a_proxy_that_cannot_be_read_is_a_setting(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its text may hold a password, so it is not repeated."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:{SECRET}@[oops")
    proxy = proxy_for("https://cloud.test")
    found = diagnose(place(emulator, providers()[0]), probes=Probes(proxy=lambda url: proxy))

    assert Trouble.SETTINGS is found.trouble
    assert SECRET not in repr(found)


@pytest.mark.parametrize("kind", ["html", "cut-before", "cut-answer", "status"])
@pytest.mark.parametrize("provider", providers())
def test_no_secret_is_in_a_diagnosis(emulator: Emulator, provider: str, kind: Any) -> None:
    """It is what people paste into a ticket."""
    account = next(emulator.world.of(provider))
    account.secret = SECRET
    emulator.faults.append(Fault(kind=kind, times=None))
    found = diagnose(place(emulator, provider))

    assert not found.ok
    assert SECRET not in repr(found)
    assert "ignature=" not in repr(found)


def test_a_target_that_the_adapter_refuses_is_a_setting() -> None:
    """Nothing is looked up for it."""
    found = diagnose(Target(provider="tencent", region="gz"))

    assert Trouble.SETTINGS is found.trouble
    assert "fail" == verdicts(found)["endpoint"]
    assert {"fail", "skip"} == set(verdicts(found).values())


def test_an_adapter_that_says_nothing_of_permissions_is_examined_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Adapters are written by others."""
    from .moon import Sky

    with rising(monkeypatch) as skies:
        skies["sea"] = Sky(rows=[snapshot(1)])
        found = diagnose(target())
        nothing = permissions_of(driver_class("moon")), write_needs(driver_class("moon"))

    assert found.ok
    assert (None, []) == nothing
    assert "allowed" == named(found, "list snapshots").found


@pytest.mark.parametrize("provider", providers())
def test_every_capability_names_its_actions(provider: str) -> None:
    """Else a policy made from the list would lack something."""
    driver = driver_class(provider)
    permissions = permissions_of(driver)
    assert permissions is not None
    derived = {Capability.CHOOSE_KIND} if provider != "qingcloud" else set[Capability]()

    assert driver.capabilities - derived == set(permissions.capabilities)
    assert len(driver.capabilities - READS) == len(write_needs(driver))


@pytest.mark.parametrize("provider", providers())
def test_every_action_is_one_that_the_adapter_sends(provider: str) -> None:
    """A misspelt action grants nothing."""
    driver = driver_class(provider)
    permissions = permissions_of(driver)
    assert permissions is not None
    file = sys.modules[driver.__module__].__file__ or ""
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in Path(file).parent.glob("*.py")
        if path.name != "permissions.py"
    )
    actions = {one for some in permissions.capabilities.values() for one in some}
    actions |= set(permissions.snapshots)

    assert [] == [one for one in actions if f'"{re.sub(".*:", "", one)}"' not in sources]


@pytest.fixture
def tls() -> Generator[tuple[int, trustme.CA]]:
    """Give the port of a TLS server on this machine, and who signed its certificate."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate: Any = authority.issue_cert("127.0.0.1")
    certificate.configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listener.accept()
                    with plain, context.wrap_socket(plain, server_side=True) as secure:
                        secure.recv(1)
                except ssl.SSLError:
                    continue
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], authority
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=5)


def test_a_certificate_is_trusted_only_with_its_authority(
    tls: tuple[int, trustme.CA], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The probe must believe what the library will believe, no more and no less."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    port, authority = tls
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    here: Any = {"tls": True, "timeout": 5.0}

    assert reach("127.0.0.1", port, ca_bundle=str(bundle), **here).startswith("TLSv1.")
    with pytest.raises(ssl.SSLCertVerificationError):
        reach("127.0.0.1", port, ca_bundle=None, **here)
    assert ["127.0.0.1"] == resolve("127.0.0.1", port)
