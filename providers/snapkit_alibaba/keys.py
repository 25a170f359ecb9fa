"""Where the vendor's own tools and libraries keep keys, in the order in which they look.

Sources: the profile file of the vendor's command line, the credentials file and the variables of
its libraries
(https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-access-credentials).
"""

import shlex
from collections.abc import Callable, Mapping

import attrs

from snapkit.credentials import Credentials, CredentialSource, StaticSource
from snapkit.errors import CredentialsMissingError
from snapkit.keyfiles import Fields, expiry_in, ini_fields, json_fields, pair_in
from snapkit.keyprocess import ProcessSource
from snapkit.keyservices import reread, shared
from snapkit.sources import KeyPlace, Role, Surroundings, instance_unasked, unsupported_keys

from .roles import assumed, instance, of_address, sts_url, with_token

__all__ = ["FILES", "PLACES", "assumed", "instance"]

CLI_FILE = "~/.aliyun/config.json"
INI_FILE = "~/.alibabacloud/credentials.ini"
FILES = (CLI_FILE, INI_FILE)
ROLE_ARN = "ALIBABA_CLOUD_ROLE_ARN"
SESSION_NAME = "ALIBABA_CLOUD_ROLE_SESSION_NAME"
PROVIDER_ARN = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"
TOKEN_FILE = "ALIBABA_CLOUD_OIDC_TOKEN_FILE"  # noqa: S105 - the name of a variable
ADDRESS = "ALIBABA_CLOUD_CREDENTIALS_URI"
MACHINE = "ALIBABA_CLOUD_ECS_METADATA"
_KEYS = ("access_key_id", "access_key_secret")


def _oidc_variables(around: Surroundings) -> CredentialSource | None:
    """Return the keys of the role that a cluster gives its containers by three variables."""
    names = (TOKEN_FILE, PROVIDER_ARN, ROLE_ARN)
    there = [name for name in names if around.environ.get(name)]
    if TOKEN_FILE not in there and PROVIDER_ARN not in there:
        return None
    for name in names:
        if name not in there:
            raise CredentialsMissingError(
                f"{there[0]} is set but {name} is not", hint=f"set {name} too, or unset {there[0]}"
            )
    role = _role(around.environ[ROLE_ARN], around.environ.get(SESSION_NAME, ""))
    return with_token(role, around.environ[PROVIDER_ARN], around.environ[TOKEN_FILE], around)


def _address_variable(around: Surroundings) -> CredentialSource | None:
    """Return the keys of the service that the variable names."""
    address = Fields(around.environ).secret(ADDRESS)
    return of_address(address, around, origin=ADDRESS) if address else None


def _machine_variable(around: Surroundings) -> None:
    """Say that the role of the machine is meant, where nothing else was found."""
    if around.environ.get(MACHINE):
        raise instance_unasked(MACHINE)


def _cli_file(around: Surroundings) -> CredentialSource | None:
    """Return what the current profile of the vendor's command line has."""
    if around.environ.get("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "").lower() == "true":
        return None
    content = json_fields(around.path(CLI_FILE))
    if content is None:
        return None
    named = around.profile or around.environ.get("ALIBABA_CLOUD_PROFILE")
    return _profile(_rows(content), named or content.text("current") or "default", around, ())


def _rows(content: Fields) -> Mapping[str, Fields]:
    return {row.text("name"): row for row in content.rows("profiles")}


@attrs.frozen(kw_only=True)
class _Profile:
    """One profile of the file, with all that it may lead to."""

    name: str
    row: Fields
    rows: Mapping[str, Fields] = attrs.field(repr=False)
    around: Surroundings
    above: tuple[str, ...]
    """The profiles that led here."""

    @property
    def origin(self) -> str:
        return f"{CLI_FILE}, profile {self.name!r}"


def _profile(
    rows: Mapping[str, Fields], name: str, around: Surroundings, above: tuple[str, ...]
) -> CredentialSource | None:
    row = rows.get(name)
    if row is None:
        return None
    one = _Profile(name=name, row=row, rows=rows, around=around, above=above)
    mode = row.text("mode") or "AK"
    if mode.lower() not in _MODES:
        raise unsupported_keys(one.origin, mode[:40])
    return _MODES[mode.lower()](one)


def _plain(one: _Profile) -> CredentialSource | None:
    return _static(pair_in(one.row, *_KEYS, origin=one.origin))


def _static(keys: Credentials | None) -> StaticSource | None:
    return None if keys is None else StaticSource(keys)


def _with_token(one: _Profile) -> CredentialSource | None:
    if one.row.text("sts_expiration"):
        return _signed_in(one)
    keys = pair_in(one.row, *_KEYS, token="sts_token", origin=one.origin)  # noqa: S106 - the name of a field
    if keys is not None and keys.token is None:
        raise CredentialsMissingError(f"{one.origin} is of mode StsToken but has no sts_token")
    return _static(keys)


def _signed_in(one: _Profile) -> CredentialSource:
    """Return the keys that the command line got when its user signed in, while they last.

    The command line renews them in the file, so there they are looked for again.
    """
    path = one.around.path(CLI_FILE)

    def read() -> Credentials:
        content = json_fields(path)
        row = _rows(content).get(one.name) if content is not None else None
        return _lasting(one, row or Fields({}))

    return reread(("alibaba", path, one.name), read, one.around.clock)


def _lasting(one: _Profile, row: Fields) -> Credentials:
    ends = expiry_in(row.text("sts_expiration"), one.origin)
    keys = pair_in(row, *_KEYS, token="sts_token", origin=one.origin, expires_at=ends)  # noqa: S106 - the name of a field
    lasts = ends is not None and ends.timestamp() > one.around.clock.wall()
    if keys is None or keys.token is None or not lasts:
        raise CredentialsMissingError(
            f"{one.origin} has no temporary key that still lasts",
            hint=f"sign in with: aliyun configure --profile {shlex.quote(one.name)}",
        )
    return keys


def _assumed(one: _Profile) -> CredentialSource:
    base = pair_in(one.row, *_KEYS, token="sts_token", origin=one.origin)  # noqa: S106 - the name of a field
    return _taken_on(one, _static(base))


def _chained(one: _Profile) -> CredentialSource:
    source = one.row.text("source_profile")
    if source == one.name or source in one.above:
        raise CredentialsMissingError(f"{one.origin} leads back to itself")
    if source not in one.rows:
        raise CredentialsMissingError(
            f"{one.origin} builds on the profile {source!r}, which is not there",
            hint="put it there, or change source_profile",
        )
    return _taken_on(one, _profile(one.rows, source, one.around, (*one.above, one.name)))


def _by_machine(one: _Profile) -> CredentialSource:
    return _taken_on(one, _machine(one))


def _taken_on(one: _Profile, base: CredentialSource | None) -> CredentialSource:
    role = _role_in(one.row, "ram_role_arn", "ram_session_name", one.origin, one.around)
    if base is None:
        raise CredentialsMissingError(f"{one.origin} lacks keys to take the role on with")
    return assumed(role, base, _at_service(one))


def _at_service(one: _Profile) -> Surroundings:
    url = sts_url(one.around, one.row.text("sts_region"))
    return attrs.evolve(one.around, sts_endpoint=url)


def _role(arn: str, session_name: str, **more: str) -> Role:
    duration = more.get("duration", "")
    return Role(
        arn=arn,
        session_name=session_name or "snapkit",
        external_id=more.get("external_id", ""),
        policy=more.get("policy", ""),
        duration=int(duration) if duration.isdecimal() and int(duration) > 0 else 3600,
    )


def _role_in(row: Fields, arn: str, session: str, origin: str, around: Surroundings) -> Role:
    """Return the role that *row* names, filled in from the environment as the libraries do."""
    named = row.text(arn) or around.environ.get(ROLE_ARN, "")
    if not named:
        raise CredentialsMissingError(
            f"{origin} lacks the name of the role", hint=f"put {arn} there"
        )
    return _role(
        named,
        row.text(session) or around.environ.get(SESSION_NAME, ""),
        external_id=row.text("external_id"),
        policy=row.text("policy"),
        duration=row.text("expired_seconds"),
    )


def _machine(one: _Profile) -> CredentialSource:
    """Return the keys of the machine's role for a profile that the user asks for by its name."""
    return _asked_machine(one.row.text("ram_role_name"), one.origin, one.name, one.around)


def _asked_machine(role: str, origin: str, name: str, around: Surroundings) -> CredentialSource:
    if around.profile is None:
        raise instance_unasked(origin, profile=name)
    return instance(around, role)


def _oidc(one: _Profile) -> CredentialSource:
    around = _at_service(one)
    role = _role_in(one.row, "ram_role_arn", "ram_session_name", one.origin, around)
    return _of_token(one.row, role, "oidc_token_file", one.origin, around)


def _of_token(
    row: Fields, role: Role, token_file: str, origin: str, around: Surroundings
) -> CredentialSource:
    provider = row.text("oidc_provider_arn") or around.environ.get(PROVIDER_ARN, "")
    path = row.text(token_file) or around.environ.get(TOKEN_FILE, "")
    if not (provider and path):
        lacking = token_file if provider else "oidc_provider_arn"
        raise CredentialsMissingError(f"{origin} lacks {lacking}", hint=f"put {lacking} there")
    return with_token(role, provider, path, around)


def _address(one: _Profile) -> CredentialSource:
    address = one.row.secret("credentials_uri") or Fields(one.around.environ).secret(ADDRESS)
    if not address:
        raise CredentialsMissingError(
            f"{one.origin} lacks credentials_uri", hint=f"put it there, or set {ADDRESS}"
        )
    return of_address(address, one.around, origin=one.origin)


def _external(one: _Profile) -> CredentialSource:
    words = _words(one.row.text("process_command"))
    if not words:
        raise CredentialsMissingError(f"{one.origin} has no command that can be read")
    clock = one.around.clock
    return shared(("command", *words, clock), lambda: ProcessSource(words, clock=clock))


def _words(command: str) -> tuple[str, ...]:
    """Return *command* as a list of arguments, empty for quotations without an end."""
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return ()


_MODES: Mapping[str, Callable[[_Profile], CredentialSource | None]] = {
    "ak": _plain,
    "ststoken": _with_token,
    "ramrolearn": _assumed,
    "chainableramrolearn": _chained,
    "ecsramrole": _machine,
    # The command line calls it by one name and writes the other.
    "ramrolearnwithecs": _by_machine,
    "ramrolearnwithrolename": _by_machine,
    "oidc": _oidc,
    "cloudsso": _signed_in,
    "oauth": _signed_in,
    "credentialsuri": _address,
    "external": _external,
}


def _ini_file(around: Surroundings) -> CredentialSource | None:
    """Return what the section of the libraries' file has."""
    path = around.environ.get("ALIBABA_CLOUD_CREDENTIALS_FILE") or INI_FILE
    section = around.profile or around.environ.get("ALIBABA_CLOUD_PROFILE") or "default"
    found = ini_fields(around.path(path), section)
    if found is None:
        return None
    origin = f"{path}, section {section!r}"
    match found.text("type") or "access_key":
        case "access_key":
            return _static(pair_in(found, *_KEYS, origin=origin))
        case "ram_role_arn":
            base = _static(pair_in(found, *_KEYS, origin=origin))
            role = _role_in(found, "role_arn", "role_session_name", origin, around)
            if base is None:
                raise CredentialsMissingError(f"{origin} lacks keys to take the role on with")
            return assumed(role, base, around)
        case "oidc_role_arn":
            role = _role_in(found, "role_arn", "role_session_name", origin, around)
            return _of_token(found, role, "oidc_token_file_path", origin, around)
        case "ecs_ram_role":
            return _asked_machine(found.text("role_name"), origin, section, around)
        case form:
            raise unsupported_keys(origin, form[:40])


PLACES = (
    KeyPlace(TOKEN_FILE, _oidc_variables, environment=True),
    KeyPlace(CLI_FILE, _cli_file),
    KeyPlace(INI_FILE, _ini_file),
    KeyPlace(ADDRESS, _address_variable, environment=True),
    KeyPlace(MACHINE, _machine_variable, environment=True),
)
