"""Keys to a provider, and where they are found.

A secret is a :class:`Secret` from the moment it is read; only signers call ``reveal``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn, Protocol

import attrs

from snapkit.errors import CredentialsMissingError

__all__ = [
    "CredentialSource",
    "Credentials",
    "Environment",
    "EnvironmentNames",
    "KeyNames",
    "RoleNames",
    "Secret",
    "StaticSource",
]


class Secret:
    """A text that does not show itself: masked in repr, str and format, refuses to pickle."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself, for a signer."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: Any) -> "Secret":
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret does not pickle; resolve credentials where they are used")


class Environment(dict[str, str]):
    """Environment variables, keys among them; it does not show them."""

    def __repr__(self) -> str:
        return "Environment(***)"


def _secret(value: "str | Secret") -> Secret:
    return value if isinstance(value, Secret) else Secret(value)


def _token(value: "str | Secret | None") -> Secret | None:
    return _secret(value) if value else None


def _trouble(key: Secret) -> str | None:
    """Return what is wrong with the text of *key*: a signer or a header would choke on it."""
    text = key.reveal()
    if not text or text != text.strip():
        return "is empty or has blanks around it"
    if not (text.isascii() and text.isprintable()):
        return "has a line break or other characters that no key has"
    return None


def _check(name: str, key: Secret) -> None:
    trouble = _trouble(key)
    if trouble is not None:
        raise CredentialsMissingError(
            f"the {name} {trouble}", hint="copy it again, in one line and without blanks"
        )


def _sound_key(_: Any, __: Any, value: str) -> None:
    _check("access key id", Secret(value))


def _sound_secret(_: Any, __: Any, value: Secret) -> None:
    _check("secret", value)


def _sound_token(_: Any, __: Any, value: Secret | None) -> None:
    if value is not None:
        _check("security token", value)


@attrs.frozen(kw_only=True)
class Credentials:
    """An access key: its id, its secret and, for temporary ones, a token and an end."""

    key_id: str = attrs.field(validator=_sound_key)
    secret: Secret = attrs.field(converter=_secret, validator=_sound_secret)
    token: Secret | None = attrs.field(default=None, converter=_token, validator=_sound_token)
    expires_at: datetime | None = None
    origin: str = "given explicitly"
    """Where they were found, in words; never a value."""


class CredentialSource(Protocol):
    """Where a transport gets the credentials for each attempt."""

    def get(self) -> Credentials:
        """Return credentials that are valid now, or raise CredentialsMissingError."""
        ...

    def refresh(self, stale: Credentials) -> bool:
        """Drop *stale*, which the provider refused; return whether others can be had."""
        ...


@attrs.frozen
class StaticSource:
    """Credentials that were given and do not change."""

    credentials: Credentials

    def get(self) -> Credentials:
        """Return the credentials."""
        return self.credentials

    def refresh(self, stale: Credentials) -> bool:
        """Return False: there are no others."""
        del stale
        return False


@attrs.frozen
class KeyNames:
    """Environment variables that belong together."""

    key_id: str
    secret: str
    tokens: Sequence[str] = ()


@attrs.frozen(kw_only=True)
class RoleNames:
    """Environment variables that name a role for the keys in the environment to take on."""

    arn: str
    session_name: str = ""
    external_id: str = ""
    policy: str = ""
    duration: str = ""


@attrs.frozen(kw_only=True)
class EnvironmentNames:
    """The environment variables of one vendor, in the order in which they count.

    Without ``keys`` the provider needs no credentials.
    """

    keys: Sequence[KeyNames]
    regions: Sequence[str] = ()
    roles: Sequence[RoleNames] = ()
    """The first whose ``arn`` is set counts."""

    def credentials(self, environ: Mapping[str, str]) -> Credentials:
        """Return the first pair that is there; CredentialsMissingError for none or a half."""
        if not self.keys:
            return Credentials(key_id="none", secret="none", origin="not needed")  # noqa: S106
        environ = Environment(environ)
        there = [one for one in self.keys if environ.get(one.key_id) or environ.get(one.secret)]
        names = there[0] if there else self.keys[0]
        key_id, secret = environ.get(names.key_id, ""), Secret(environ.get(names.secret, ""))
        tokens = (Secret(environ.get(name, "")) for name in names.tokens)
        token = next((one for one in tokens if one), None)
        if not there:
            raise CredentialsMissingError(
                "no credentials in the environment", hint=f"set {names.key_id} and {names.secret}"
            )
        if not (key_id and secret):
            has, lacks = (names.key_id, names.secret) if key_id else (names.secret, names.key_id)
            raise CredentialsMissingError(
                f"{has} is set but {lacks} is not", hint=f"set {lacks} too"
            )
        return Credentials(
            key_id=key_id, secret=secret, token=token, origin=f"environment {names.key_id}"
        )

    def region(self, environ: Mapping[str, str]) -> str | None:
        """Return the region that the environment names, if any."""
        return next((environ[name] for name in self.regions if environ.get(name)), None)
