"""Why a target does not answer, found step by step, and what to do about it.

From the keys over the network to each permission for reading; nothing is changed anywhere. What
would change something is named and not tried: see ``permissions.write_needs``.
"""

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urlsplit

import attrs

from snapkit.diagnosis import Check, Diagnosis, Trouble, Verdict
from snapkit.driver import Capability, Driver
from snapkit.errors import (
    AccountError,
    AuthenticationError,
    ConfigurationError,
    CredentialsMissingError,
    NotFoundError,
    PermissionDeniedError,
    ProviderError,
    QuotaError,
    SnapkitError,
    ThrottledError,
    TransportError,
    UnavailableError,
    UnsupportedError,
)
from snapkit.listening import Listening, address_of, opened
from snapkit.permissions import Permissions, permissions_of
from snapkit.probes import Probes
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.registry import driver_class
from snapkit.settings import Target
from snapkit.transport import LARGEST_SKEW, SMALLEST_SKEW
from snapkit.writes import DiskQuery

__all__ = ["Check", "Diagnosis", "Probes", "Trouble", "Verdict", "diagnose"]

_ROWS = 10
_SOON = 300.0
"""Seconds before their end at which keys are worth a warning."""


def diagnose(target: Target, *, probes: Probes | None = None, timeout: float = 10.0) -> Diagnosis:
    """Return what is right and wrong with *target*; *timeout* is for each answer, in seconds.

    Sends a few small requests that only read. What goes wrong is a check, not an exception.
    """
    examination = _Examination(target=target, probes=probes or Probes(), timeout=timeout)
    try:
        url = address_of(target, examination.probes.clock)
    except SnapkitError as error:
        examination.unusable(error)
    else:
        with_keys = examination.keys()
        reached = examination.way(url)
        examination.asking(with_keys and reached)
    return examination.result()


@attrs.define(kw_only=True)
class _Examination:
    target: Target
    probes: Probes
    timeout: float
    checks: list[Check] = attrs.field(factory=list[Check])

    def add(self, name: str, verdict: Verdict, found: str, advice: str = "", **more: Any) -> bool:
        """Note a check and return whether the next can follow."""
        self.checks.append(Check(name=name, verdict=verdict, found=found, advice=advice, **more))
        return verdict in (Verdict.OK, Verdict.WARN)

    def fail(self, name: str, error: SnapkitError, advice: str = "", **more: Any) -> bool:
        """Note that *name* failed with *error*, whose own hint wins over *advice*."""
        found, advice = _found(error), error.hint or advice
        return self.add(name, Verdict.FAIL, found, advice, trouble=_trouble(error), **more)

    def listening(self) -> Listening:
        """Return a fresh way to send."""
        return Listening(self.target.ca_bundle, self.probes.clock)

    def opened(self, http: Listening) -> AbstractContextManager[Driver]:
        """Give the driver of the target, sending with *http*."""
        return opened(self.target, http, timeout=self.timeout, clock=self.probes.clock)

    def unusable(self, error: SnapkitError) -> None:
        """Note that *error* stands against the target itself."""
        self.skipped("credentials", why="the target cannot be used")
        self.fail("endpoint", error, "check the region and the options of the target")
        self.skipped("DNS", "connection")
        self.asking(False)

    def keys(self) -> bool:
        """Look for the keys, and say where they are from."""
        try:
            with self.opened(self.listening()) as driver:
                found = driver.connection.transport.credentials.get()
        except SnapkitError as error:
            return self.fail("credentials", error, "'snapkit providers' shows where keys are read")
        if found.expires_at is None:
            return self.add("credentials", Verdict.OK, found.origin)
        left = found.expires_at.timestamp() - self.probes.clock.wall()
        said = f"{found.origin}, temporary, {_span(left)} left"
        if left < _SOON:
            return self.add("credentials", Verdict.WARN, said, "renew them")
        return self.add("credentials", Verdict.OK, said)

    def way(self, url: str | None) -> bool:
        """Look at the address, the proxy, the name, and the connection; False where one fails."""
        if url is None:
            self.skipped("endpoint", "DNS", "connection", why="the adapter goes its own way")
            return True
        proxy = self.probes.proxy(url)
        if proxy is not None and not proxy.host:
            found = f"{_origin(url)}, through a proxy whose address cannot be read"
            advice = "write HTTPS_PROXY as http://host:port"
            self.add("endpoint", Verdict.FAIL, found, advice, trouble=Trouble.SETTINGS)
            return self.skipped("DNS", "connection")
        way = "no proxy" if proxy is None else f"through the proxy {proxy.name}"
        self.add("endpoint", Verdict.OK, f"{_origin(url)}, {way}")
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        tls = parts.scheme == "https"
        if proxy is not None:
            host, port, tls = proxy.host, proxy.port, False
        if not self.resolved(host, port):
            return self.skipped("connection")
        return self.connected(host, port, tls=tls)

    def resolved(self, host: str, port: int) -> bool:
        """Look the name up."""
        try:
            addresses = self.probes.resolve(host, port)
        except (OSError, UnicodeError) as error:
            return self.add(
                "DNS",
                Verdict.FAIL,
                f"{host!r} cannot be resolved ({_words(error)})",
                "check the region's name, the endpoint, the network and its name server",
                trouble=Trouble.NETWORK,
            )
        said = "an address" if host in addresses else ", ".join(addresses[:3])
        return self.add("DNS", Verdict.OK, f"{host} is {said}")

    def connected(self, host: str, port: int, *, tls: bool) -> bool:
        """Connect, and for https check the certificate; nothing is sent."""
        place = f"{host}:{port}"
        try:
            found = self.probes.reach(
                host, port, tls=tls, ca_bundle=self.target.ca_bundle, timeout=self.timeout
            )
        except ssl.SSLCertVerificationError as error:
            found = f"the certificate of {place} is not trusted ({error.verify_message})"
            advice = (
                "check the host name and this machine's clock; behind a proxy that opens TLS or"
                " with a private cloud, give its certificates with --ca-bundle"
            )
        except ssl.SSLError as error:
            found = f"{place} does not speak TLS ({_words(error)})"
            advice = "check the endpoint and its port"
        except ConnectionRefusedError:
            found = f"{place} refuses the connection"
            advice = "check the endpoint and its port; is the service running?"
        except TimeoutError:
            found = f"{place} does not answer within {self.timeout:g} s"
            advice = "a firewall may drop it: check outgoing rules, or set HTTPS_PROXY"
        except OSError as error:
            found, advice = f"{place}: {_words(error)}", "check the network and the proxy"
        else:
            return self.add("connection", Verdict.OK, f"{place}, {found}")
        return self.add("connection", Verdict.FAIL, found, advice, trouble=Trouble.NETWORK)

    def skipped(self, *names: str, why: str = "something before it failed") -> bool:
        """Note that *names* were not checked."""
        for name in names:
            self.add(name, Verdict.SKIP, why)
        return False

    def asking(self, possible: bool) -> None:
        """Try everything that only reads, and learn of clock and signature on the way."""
        if not possible:
            self.skipped("clock", "signature", *_READ_NAMES)
            return
        try:
            with self.opened(http := self.listening()) as driver:
                _Reading(self, driver, http, permissions_of(type(driver))).run()
        except SnapkitError as error:
            self.fail("endpoint", error)
            self.skipped("clock", "signature", *_READ_NAMES)

    def result(self) -> Diagnosis:
        """Return the diagnosis with what grants the actions that are denied."""
        found = Diagnosis(target=self.target, checks=tuple(self.checks))
        permissions = permissions_of(driver_class(self.target.provider))
        if not found.denied or permissions is None:
            return found
        return attrs.evolve(found, grant=permissions.where, policy=permissions.text(found.denied))


_SNAPSHOTS, _GROUPS, _REGIONS, _DISKS = (
    "list snapshots",
    "list groups",
    "list regions",
    "list disks",
)
_READ_NAMES = (_SNAPSHOTS, _GROUPS, _REGIONS, _DISKS)


@attrs.define
class _Reading:
    """The part of an examination that speaks to the provider."""

    about: _Examination
    driver: Driver
    http: Listening
    permissions: Permissions | None
    disk_id: str | None = None
    stopped: bool = False

    def run(self) -> None:
        """Make the first call, judge clock and signature by it, then make the others."""
        error = self._attempt(self._snapshots)
        self._clock()
        self._signature(error)
        self._judge(_SNAPSHOTS, None, error)
        self._try(_GROUPS, Capability.GROUPS, self._groups)
        self._try(_REGIONS, Capability.REGIONS, self.driver.list_regions)
        asked = Capability.DISKS in self.driver.capabilities and not self.stopped
        if asked and self.disk_id is None:
            self.about.skipped(_DISKS, why="no snapshot here names a disk to ask for")
        else:
            self._try(_DISKS, Capability.DISKS, self._disks)

    def _snapshots(self) -> None:
        limit = min(_ROWS, self.driver.limits.page)
        page = self.driver.list_snapshots(SnapshotQuery(), cursor=None, limit=limit)
        ids = (snapshot.source.id for snapshot in page.items)
        self.disk_id = next((one for one in ids if one is not None), None)

    def _groups(self) -> None:
        limit = min(_ROWS, self.driver.limits.page)
        self.driver.list_groups(GroupQuery(), cursor=None, limit=limit)

    def _disks(self) -> None:
        query = DiskQuery(ids=frozenset({self.disk_id or ""}))
        self.driver.list_disks(query, cursor=None, limit=min(_ROWS, self.driver.limits.page))

    def _try(self, name: str, capability: Capability, act: Callable[[], object]) -> None:
        if self.stopped:
            self.about.skipped(name)
        elif capability in self.driver.capabilities:
            self._judge(name, capability, self._attempt(act))
        elif capability is Capability.GROUPS and self._derives:
            self.about.skipped(name, why="they are inferred from snapshots")
        else:
            why = self.driver.refusals.get(capability)
            self.about.skipped(name, why=why or "the provider does not offer it")

    @property
    def _derives(self) -> bool:
        return Capability.DERIVED_GROUPS in self.driver.capabilities

    @staticmethod
    def _attempt(act: Callable[[], object]) -> SnapkitError | None:
        try:
            act()
        except SnapkitError as error:
            return error
        return None

    def _clock(self) -> None:
        ahead = self.http.ahead
        if ahead is None:
            self.about.skipped("clock", why="no answer that tells the provider's time")
            return
        if abs(ahead) < SMALLEST_SKEW:
            self.about.add("clock", Verdict.OK, f"{abs(ahead):.0f} s off")
            return
        way = "behind" if ahead > 0 else "ahead of"
        said = f"this machine is {_span(abs(ahead))} {way} the provider's clock"
        if abs(ahead) <= LARGEST_SKEW:
            advice = "set it (NTP); snapkit corrects for it, other tools may not"
            self.about.add("clock", Verdict.WARN, said, advice)
        else:
            advice = "set it (NTP): signatures of another day are refused"
            self.about.add("clock", Verdict.FAIL, said, advice, trouble=Trouble.OTHER)

    def _signature(self, error: SnapkitError | None) -> None:
        if isinstance(error, AuthenticationError):
            advice = "check the secret, whether the key is still enabled, and whose it is"
            self.about.fail("signature", error, advice)
            self.stopped = True
        elif error is None or (
            isinstance(error, ProviderError)
            and not isinstance(error, ThrottledError | UnavailableError | QuotaError)
        ):
            self.about.add("signature", Verdict.OK, "accepted")
        else:
            self.about.skipped("signature", why="no answer that tells")
            # Every further call would wait for the same silence.
            self.stopped = not isinstance(error, ThrottledError)

    def _judge(self, name: str, capability: Capability | None, error: SnapkitError | None) -> None:
        actions = self._actions(capability)
        said = ", ".join(actions) or "allowed"
        if isinstance(error, AuthenticationError):
            if self.stopped:
                self.about.skipped(name)
            else:
                self.about.fail(name, error, actions=actions)
        elif error is None or (isinstance(error, NotFoundError) and capability is Capability.DISKS):
            self.about.add(name, Verdict.OK, said, actions=actions)
        elif isinstance(error, UnsupportedError):
            self.about.skipped(name, why=error.message)
        elif isinstance(error, PermissionDeniedError):
            advice = f"grant {said}" if actions else "ask who manages these keys for it"
            self.about.fail(name, error, advice, actions=actions, denied=True)
        else:
            self.about.fail(name, error, _ADVICE.get(type(error), ""), actions=actions)
            self.stopped = self.stopped or isinstance(error, TransportError)

    def _actions(self, capability: Capability | None) -> Sequence[str]:
        if self.permissions is None:
            return ()
        if capability is None:
            return self.permissions.snapshots
        return self.permissions.capabilities.get(capability, ())


_ADVICE: Mapping[type[SnapkitError], str] = {
    AccountError: "see to the account in the provider's console",
    NotFoundError: "check the region",
    ThrottledError: "others use the account's rate up; try again later",
    UnavailableError: "the provider is ill; try again later",
}


def _trouble(error: SnapkitError) -> Trouble:
    if isinstance(error, CredentialsMissingError | AuthenticationError | PermissionDeniedError):
        return Trouble.KEYS
    if isinstance(error, ConfigurationError | UnsupportedError):
        return Trouble.SETTINGS
    if isinstance(error, TransportError) or error.retryable:
        return Trouble.NETWORK
    return Trouble.OTHER


def _found(error: SnapkitError) -> str:
    """Return what *error* says without its hint, which is the advice."""
    said = f"{error.code}: {error.message}" if error.code else error.message
    return f"{said} (request {error.request_id})" if error.request_id else said


def _words(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) else None
    return said or type(error).__name__


def _origin(url: str) -> str:
    """Return *url* without its path and query, in which a signature may be."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _span(seconds: float) -> str:
    """Return a length of time for people, in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
