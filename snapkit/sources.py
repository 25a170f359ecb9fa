"""Where credentials are looked for, and in which order.

Given explicitly, then the environment, then the files of the vendor's own tools; the role of
the machine only where the user asks for it. Adapters say which files those are and how a role
is taken on; see ``Driver.key_sources``.
"""

import os
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs
import requests

from snapkit.credentials import Credentials, CredentialSource, Secret, StaticSource
from snapkit.errors import ConfigurationError, CredentialsMissingError, SnapkitError
from snapkit.http import Http, HttpRequest, HttpResponse, check_endpoint
from snapkit.keyprocess import ProcessSource
from snapkit.retry import RetryPolicy
from snapkit.transport import Clock, Transport

if TYPE_CHECKING:
    from snapkit.driver import Driver

__all__ = [
    "KeyPlace",
    "KeyringSource",
    "Role",
    "Surroundings",
    "ask_metadata",
    "find_source",
    "instance_unasked",
    "key_service",
    "nothing_found",
    "shared",
    "source_for",
    "unsupported_keys",
]

_PATIENCE = RetryPolicy(transient=3, connect_timeout=5.0, read_timeout=10.0, call_timeout=25.0)
METADATA_TIMEOUT = 1.0
METADATA_LARGEST = 64 * 1024


@attrs.frozen(kw_only=True)
class Surroundings:
    """What the search for credentials may look at."""

    region: str
    environ: Mapping[str, str] = attrs.field(factory=lambda: dict(os.environ), repr=False, eq=False)
    profile: str | None = None
    """Section of the vendor's files; with it, the environment's keys do not count."""
    instance: bool = False
    """Whether the machine's own role is asked for."""
    ca_bundle: str | None = None
    sts_endpoint: str | None = attrs.field(
        default=None, converter=attrs.converters.optional(check_endpoint)
    )
    """Where roles are taken on, instead of the provider's own address."""
    metadata: str | None = None
    """Where the machine's metadata is, instead of the provider's own address."""
    clock: Clock = attrs.field(factory=Clock, repr=False)

    def path(self, name: str) -> Path:
        """Return the file *name*, in which ``~`` is the user's home."""
        home = self.environ.get("HOME") or self.environ.get("USERPROFILE") or str(Path.home())
        return Path(home) / name[2:] if name.startswith("~/") else Path(name)


@attrs.frozen
class KeyPlace:
    """One place where a vendor's tools keep keys."""

    title: str
    """What it is, for people: mostly the path."""
    find: Callable[[Surroundings], CredentialSource | None]
    """Returns None where nothing is; raises CredentialsMissingError for what is broken."""


@attrs.frozen(kw_only=True)
class Role:
    """A role to take on with other credentials; ``duration`` in seconds."""

    arn: str
    session_name: str = "snapkit"
    external_id: str = ""
    policy: str = ""
    duration: int = attrs.field(default=3600, validator=attrs.validators.ge(1))


def find_source(driver: "type[Driver]", around: Surroundings) -> CredentialSource:
    """Return the first credentials there are for *driver*.

    Raises CredentialsMissingError where there are none, half of a pair, or a broken file.
    """
    if around.instance:
        return driver.instance_source(around)
    names = driver.environment
    if around.profile is None and any(
        around.environ.get(name) for one in names.keys for name in (one.key_id, one.secret)
    ):
        return StaticSource(names.credentials(around.environ))
    found = _from_files(driver, around)
    if found is not None:
        return found
    if around.profile is not None:
        raise _not_in_files(driver, around)
    raise nothing_found(driver)


def nothing_found(driver: "type[Driver]") -> CredentialsMissingError:
    """Return the error of find_source for no credentials at all, rather than broken ones."""
    places = driver.key_sources()
    wanted, titles = driver.environment.keys[0], ["the environment", *(p.title for p in places)]
    return CredentialsMissingError(
        f"no credentials in {' or '.join(titles)}", hint=f"set {wanted.key_id} and {wanted.secret}"
    )


def _from_files(driver: "type[Driver]", around: Surroundings) -> CredentialSource | None:
    found = (place.find(around) for place in driver.key_sources())
    return next((one for one in found if one is not None), None)


def _not_in_files(driver: "type[Driver]", around: Surroundings) -> CredentialsMissingError:
    titles = ", ".join(place.title for place in driver.key_sources())
    named = f" under the name {around.profile!r}" if around.profile else ""
    return CredentialsMissingError(
        f"no credentials in files{named}", hint=f"searched: {titles or 'none are known'}"
    )


def unsupported_keys(origin: str, what: str) -> CredentialsMissingError:
    """Return the error for credentials of a form that snapkit cannot use."""
    return CredentialsMissingError(
        f"{origin} has credentials of the form {what!r}, which snapkit cannot use",
        hint="set keys in the environment, or name a command that prints them",
    )


def instance_unasked(origin: str) -> CredentialsMissingError:
    """Return the error for a file that points to the machine's role, which is opt-in."""
    return CredentialsMissingError(
        f"{origin} points to the role of this machine, which is used only when asked for",
        hint="add ?credentials=instance to the target",
    )


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
    provider: str, around: Surroundings, base: CredentialSource
) -> "tuple[Transport, Http]":
    """Return the way to the service that hands out temporary keys; the caller closes it."""
    http = Http(ca_bundle=around.ca_bundle)
    transport = Transport(
        provider=provider,
        account="",
        region=around.region,
        credentials=base,
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
    clock = Clock()
    end = clock.monotonic() + METADATA_TIMEOUT
    try:
        answer = Http(session).send(
            HttpRequest(method=method, url=url, headers=headers or {}),
            connect=METADATA_TIMEOUT,
            read=METADATA_TIMEOUT,
            remaining=lambda: end - clock.monotonic(),
        )
    except SnapkitError as error:
        raise CredentialsMissingError(
            f"the metadata service of this machine does not answer: {error}",
            hint="a machine outside this cloud has no role; use keys",
        ) from error
    finally:
        session.close()
    if len(answer.body) > METADATA_LARGEST:
        raise CredentialsMissingError("the metadata service's answer is too large")
    return answer


@attrs.frozen(kw_only=True)
class KeyringSource:
    """The key *user* whose secret the system's keyring holds under *service*."""

    service: str
    user: str

    def get(self) -> Credentials:
        """Return the credentials; raises CredentialsMissingError for none."""
        return Credentials(
            key_id=self.user, secret=self._secret(), origin=f"the keyring, {self.service!r}"
        )

    def refresh(self, stale: Credentials) -> bool:
        """Return whether the keyring holds another secret by now."""
        return self.get() != stale

    def _secret(self) -> Secret:
        try:
            import keyring
            import keyring.errors
        except ImportError:
            raise CredentialsMissingError(
                "the package keyring is not installed", hint="pip install keyring"
            ) from None
        try:
            found = Secret(keyring.get_password(self.service, self.user) or "")
        except keyring.errors.KeyringError as error:
            raise CredentialsMissingError(
                f"the keyring cannot be read ({type(error).__name__})", hint="unlock it"
            ) from None
        if not found:
            raise CredentialsMissingError(
                f"the keyring has nothing for {self.user!r} under {self.service!r}",
                hint=f"store it with: keyring set {self.service} {self.user}",
            )
        return found


_FORMS: Mapping[str, frozenset[str]] = {
    "command": frozenset({"timeout"}),
    "keyring": frozenset({"user"}),
    "role_arn": frozenset(
        {"session_name", "external_id", "policy", "duration", "sts_endpoint", "from"}
    ),
    "source": frozenset({"profile"}),
}


def source_for(
    provider: str,
    settings: Mapping[str, Any],
    *,
    region: str = "",
    environ: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> CredentialSource:
    """Return the credentials that *settings*, a profile's ``credentials`` table, describe.

    One of ``command`` (a list; ``timeout``), ``keyring`` (a service; ``user``), ``source``
    (``environment``, ``files`` with ``profile``, ``instance``) or ``role_arn``
    (``session_name``, ``external_id``, ``policy``, ``duration``, ``sts_endpoint``, ``from``: a
    table like this one). Raises ConfigurationError for anything else.
    """
    from snapkit.registry import driver_class

    driver = driver_class(provider)
    form = _form(settings)
    around = Surroundings(
        region=region or driver.home_region,
        environ=dict(os.environ) if environ is None else environ,
        clock=clock or Clock(),
    )
    if form == "command":
        return _process(settings, around.clock)
    if form == "keyring":
        return KeyringSource(service=_text(settings, "keyring"), user=_text(settings, "user"))
    if form == "role_arn":
        base = _base(provider, settings.get("from"), region=region, around=around)
        return _role(driver, settings, base, around)
    return _named(driver, settings, around)


def _form(settings: Mapping[str, Any]) -> str:
    forms = [name for name in _FORMS if name in settings]
    if len(forms) != 1:
        raise ConfigurationError(
            "a credentials table has exactly one of " + ", ".join(sorted(_FORMS))
        )
    odd = sorted(set(settings) - _FORMS[forms[0]] - {forms[0]})
    if odd:
        raise ConfigurationError(
            f"credentials by {forms[0]} do not know {', '.join(map(repr, odd))}",
            hint=f"known: {', '.join(sorted(_FORMS[forms[0]]))}",
        )
    return forms[0]


def _text(settings: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = settings.get(name, default)
    if not isinstance(value, str) or (default is None and not value):
        raise ConfigurationError(f"{name!r} under credentials is a text")
    return value


def _seconds(settings: Mapping[str, Any], name: str, default: int) -> float:
    value = settings.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise ConfigurationError(f"{name!r} under credentials is a number of seconds above zero")
    return value


def _process(settings: Mapping[str, Any], clock: Clock) -> CredentialSource:
    command = settings["command"]
    words = cast("list[Any]", command) if isinstance(command, list | tuple) else []
    if not words or not words[0] or not all(isinstance(word, str) for word in words):
        raise ConfigurationError(
            "'command' under credentials is a list of texts, the program first",
            hint='write it as ["program", "argument"]; no shell is started',
        )
    timeout = _seconds(settings, "timeout", 60)
    key = ("command", *words, timeout, clock)
    return shared(key, lambda: ProcessSource(tuple(words), timeout=timeout, clock=clock))


def _base(provider: str, settings: Any, *, region: str, around: Surroundings) -> CredentialSource:
    if settings is None:
        settings = {"source": "found"}
    if not isinstance(settings, Mapping):
        raise ConfigurationError("'from' under credentials is a table")
    found = cast("Mapping[str, Any]", settings)
    return source_for(provider, found, region=region, environ=around.environ, clock=around.clock)


def _role(
    driver: "type[Driver]",
    settings: Mapping[str, Any],
    base: CredentialSource,
    around: Surroundings,
) -> CredentialSource:
    role = Role(
        arn=_text(settings, "role_arn"),
        session_name=_text(settings, "session_name", "snapkit"),
        external_id=_text(settings, "external_id", ""),
        policy=_text(settings, "policy", ""),
        duration=max(1, int(_seconds(settings, "duration", 3600))),
    )
    endpoint = _text(settings, "sts_endpoint", "") or None
    return driver.assumed(role, base, attrs.evolve(around, sts_endpoint=endpoint))


_NAMED: Sequence[str] = ("environment", "files", "found", "instance")


def _named(
    driver: "type[Driver]", settings: Mapping[str, Any], around: Surroundings
) -> CredentialSource:
    source = _text(settings, "source")
    profile = _text(settings, "profile", "") or None
    if source not in _NAMED:
        raise ConfigurationError(
            f"credentials cannot come from {source!r}", hint=f"choose from {', '.join(_NAMED)}"
        )
    if profile and source != "files":
        raise ConfigurationError("'profile' under credentials belongs to source = 'files'")
    if source == "environment":
        return StaticSource(driver.environment.credentials(around.environ))
    if source == "files":
        around = attrs.evolve(around, profile=profile)
        found = _from_files(driver, around)
        if found is None:
            raise _not_in_files(driver, around)
        return found
    return find_source(driver, attrs.evolve(around, instance=source == "instance"))
