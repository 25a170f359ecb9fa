"""Where credentials are looked for, and in which order.

Given explicitly, then the environment, then the files of the vendor's own tools; the role of
the machine only where the user asks for it. Adapters say which files those are and how a role
is taken on; see ``Driver.key_sources``.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import attrs

from snapkit.credentials import CredentialSource, Environment, RoleNames, StaticSource
from snapkit.errors import ConfigurationError, CredentialsMissingError
from snapkit.http import check_endpoint
from snapkit.keyprocess import ProcessSource
from snapkit.keyrings import KeyringSource
from snapkit.keyservices import shared
from snapkit.transport import Clock

if TYPE_CHECKING:
    from snapkit.driver import Driver

__all__ = [
    "KeyPlace",
    "Role",
    "Surroundings",
    "find_source",
    "instance_unasked",
    "nothing_found",
    "source_for",
    "unsupported_keys",
]


@attrs.frozen(kw_only=True)
class Surroundings:
    """What the search for credentials may look at."""

    region: str
    environ: Mapping[str, str] = attrs.field(
        factory=lambda: os.environ, converter=Environment, repr=False, eq=False
    )
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
    environment: bool = False
    """Whether variables of the environment lead there, and no file does."""


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
    if around.profile is not None:
        return _from_files(driver, around)
    if not driver.environment.keys and not driver.key_sources():
        return StaticSource(driver.environment.credentials(around.environ))
    found = _of_variables(driver, around) or _first(driver.key_sources(), around)
    if found is not None:
        return found
    raise nothing_found(driver)


def nothing_found(driver: "type[Driver]") -> CredentialsMissingError:
    """Return the error of find_source for no credentials at all, rather than broken ones."""
    files = (place.title for place in driver.key_sources() if not place.environment)
    wanted = next(iter(driver.environment.keys), None)
    titles = [*(["the environment"] if wanted else []), *files]
    return CredentialsMissingError(
        f"no credentials in {' or '.join(titles)}",
        hint=f"set {wanted.key_id} and {wanted.secret}" if wanted else None,
    )


def _of_variables(driver: "type[Driver]", around: Surroundings) -> CredentialSource | None:
    """Return the key in the environment, or the role there that it is to take on."""
    names = driver.environment
    if not any(around.environ.get(name) for one in names.keys for name in (one.key_id, one.secret)):
        return None
    keys = StaticSource(names.credentials(around.environ))
    for one in names.roles:
        if arn := around.environ.get(one.arn):
            return driver.assumed(_role_of(one, arn, around), keys, around)
    return keys


def _role_of(names: RoleNames, arn: str, around: Surroundings) -> Role:
    seconds = around.environ.get(names.duration) or "3600"
    if not (seconds.isdecimal() and 0 < int(seconds[:9]) == int(seconds)):
        raise ConfigurationError(
            f"{names.duration} is no number of seconds", hint="write 3600, or unset it"
        )
    return Role(
        arn=arn,
        session_name=around.environ.get(names.session_name) or "snapkit",
        external_id=around.environ.get(names.external_id, ""),
        policy=around.environ.get(names.policy, ""),
        duration=int(seconds),
    )


def _first(places: Sequence[KeyPlace], around: Surroundings) -> CredentialSource | None:
    found = (place.find(around) for place in places)
    return next((one for one in found if one is not None), None)


def _from_environment(driver: "type[Driver]", around: Surroundings) -> CredentialSource:
    places = [place for place in driver.key_sources() if place.environment]
    found = _of_variables(driver, around) or _first(places, around)
    return found or StaticSource(driver.environment.credentials(around.environ))


def _from_files(driver: "type[Driver]", around: Surroundings) -> CredentialSource:
    places = [place for place in driver.key_sources() if not place.environment]
    found = _first(places, around)
    if found is not None:
        return found
    titles = ", ".join(place.title for place in places)
    named = f" under the name {around.profile!r}" if around.profile else ""
    raise CredentialsMissingError(
        f"no credentials in files{named}", hint=f"searched: {titles or 'none are known'}"
    )


def unsupported_keys(origin: str, what: str) -> CredentialsMissingError:
    """Return the error for credentials of a form that snapkit cannot use."""
    return CredentialsMissingError(
        f"{origin} has credentials of the form {what!r}, which snapkit cannot use",
        hint="set keys in the environment, or name a command that prints them",
    )


def instance_unasked(origin: str, *, profile: str = "") -> CredentialsMissingError:
    """Return the error for what points to the machine's role, which is opt-in.

    *profile* is the name in the vendor's file; a user who asks for that by name opts in too.
    """
    hint = "add ?credentials=instance to the target"
    if profile:
        table = f'{{ source = "files", profile = {json.dumps(profile, ensure_ascii=False)} }}'
        hint += f", or write credentials = {table} in the configuration file"
    return CredentialsMissingError(
        f"{origin} points to the role of this machine, which is used only when asked for",
        hint=hint,
    )


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
        environ=os.environ if environ is None else environ,
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
        return _from_environment(driver, around)
    if source == "files":
        return _from_files(driver, attrs.evolve(around, profile=profile))
    return find_source(driver, attrs.evolve(around, instance=source == "instance"))
