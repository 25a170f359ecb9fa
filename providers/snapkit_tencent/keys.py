"""Where the vendor's own tools and libraries keep keys, in the order in which they look.

Sources: the files of the vendor's two command lines and of its SDKs, and the variables of its
SDKs and of its Terraform provider.
"""

import re
from functools import partial

import attrs

from snapkit.credentials import Credentials, CredentialSource, RoleNames, StaticSource
from snapkit.errors import CredentialsMissingError
from snapkit.keyfiles import Fields, expiry_in, ini_fields, json_fields, pair_in
from snapkit.keyservices import reread
from snapkit.settings import check_region
from snapkit.sources import KeyPlace, Role, Surroundings, instance_unasked, unsupported_keys

from .roles import assumed, instance, with_token

__all__ = ["FILES", "PLACES", "ROLES", "SYSTEM_FILE", "assumed", "ini_source", "instance"]

CLI_FOLDER = "~/.tccli"
CLI_FILES = f"{CLI_FOLDER}/*.credential"
SDK_FILE = "~/.tencentcloud/credentials"
SYSTEM_FILE = "/etc/tencentcloud/credentials"
OLD_CLI_FILE = "~/.qcloudcli/credentials"
FILES = (f"{CLI_FOLDER}/default.credential", SDK_FILE, SYSTEM_FILE, OLD_CLI_FILE)
MACHINE = "TENCENTCLOUD_CAM_ROLE_NAME"
TOKEN_FILE = "TKE_WEB_IDENTITY_TOKEN_FILE"  # noqa: S105 - the name of a variable
CLUSTER = (TOKEN_FILE, "TKE_PROVIDER_ID", "TKE_ROLE_ARN", "TKE_REGION")
TOKEN_LIFE = 7200
"""Seconds that the vendor's library asks for in a cluster."""
ROLES = (
    RoleNames(arn="TENCENTCLOUD_ROLE_ARN", session_name="TENCENTCLOUD_ROLE_SESSION_NAME"),
    RoleNames(
        arn="TENCENTCLOUD_ASSUME_ROLE_ARN",
        session_name="TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME",
        external_id="TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID",
        duration="TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION",
    ),
)
"""Variables of the command line and of Terraform: a role for the key in the environment."""
_KEYS = ("secretId", "secretKey")


def _cli_file(around: Surroundings) -> CredentialSource | None:
    """Return what the profile of the vendor's command line has."""
    variables = ("TCCLI_PROFILE", "TENCENTCLOUD_PROFILE")
    named = (around.profile, *map(around.environ.get, variables))
    name = next((one for one in named if one), "default")
    if not re.fullmatch(r"[\w-][\w.-]{0,63}", name):
        raise CredentialsMissingError(f"{name!r} cannot be the name of a profile")
    folder = around.environ.get("TENCENTCLOUD_SHARED_CREDENTIALS_DIR") or CLI_FOLDER
    path = f"{folder.rstrip('/')}/{name}.credential"
    found = json_fields(around.path(path))
    return None if found is None else _of_cli(found, path, name, around)


def _of_cli(found: Fields, path: str, name: str, around: Surroundings) -> CredentialSource | None:
    form, arn = found.text("type"), found.text("role-arn")
    if form == "cvm-role":
        if around.profile is None:
            raise instance_unasked(path, profile=name)
        base: CredentialSource | None = instance(around)
    elif found.text("expiresAt"):
        base = _signed_in(path, around)
    else:
        keys = pair_in(found, *_KEYS, token="token", origin=path)  # noqa: S106 - the name of a field
        base = None if keys is None else StaticSource(keys)
    if base is None:
        _check_settings(form, arn, path)
        return None
    if not arn:
        return base
    session = found.text("role-session-name") or "snapkit"
    return assumed(Role(arn=arn, session_name=session), base, around)


def _check_settings(form: str, arn: str, path: str) -> None:
    """Raise what a file without keys would need, where it points to more than itself."""
    if form in ("oauth", "sso"):
        raise CredentialsMissingError(f"{path} has no key", hint="sign in again with tccli")
    if form:
        raise unsupported_keys(path, form[:40])
    if arn:
        raise CredentialsMissingError(f"{path} lacks keys to take the role on with")


def _signed_in(path: str, around: Surroundings) -> CredentialSource:
    """Return the keys that the command line got when its user signed in, while they last.

    The command line renews them in the file, so there they are looked for again.
    """

    def read() -> Credentials:
        found = json_fields(around.path(path)) or Fields({})
        ends = expiry_in(found.text("expiresAt"), path)
        keys = pair_in(found, *_KEYS, token="token", origin=path, expires_at=ends)  # noqa: S106 - the name of a field
        if keys is None:
            raise CredentialsMissingError(f"{path} has no key", hint="sign in again with tccli")
        if ends is not None and ends.timestamp() <= around.clock.wall():
            raise CredentialsMissingError(
                f"the temporary key in {path} has expired", hint="sign in again with tccli"
            )
        return keys

    return reread(("tencent", around.path(path)), read, around.clock)


def ini_source(path: str, around: Surroundings) -> CredentialSource | None:
    """Return what the section of an INI file at *path* has, or None."""
    section = around.profile or around.environ.get("TENCENTCLOUD_PROFILE") or "default"
    found = ini_fields(around.path(path), section)
    if found is None:
        return None
    origin = f"{path}, section {section!r}"
    keys = pair_in(found, "secret_id", "secret_key", token="token", origin=origin)  # noqa: S106 - the name of a field
    return None if keys is None else StaticSource(keys)


def _sdk_file(around: Surroundings) -> CredentialSource | None:
    return ini_source(around.environ.get("TENCENTCLOUD_CREDENTIALS_FILE") or SDK_FILE, around)


def _old_cli_file(around: Surroundings) -> CredentialSource | None:
    """Return what the command line of API 2.0 left; its sections are called ``profile NAME``."""
    name = around.profile or "default"
    section = name if name == "default" else f"profile {name}"
    found = ini_fields(around.path(OLD_CLI_FILE), section)
    if found is None:
        return None
    origin = f"{OLD_CLI_FILE}, section {section!r}"
    keys = pair_in(found, "qcloud_secretid", "qcloud_secretkey", origin=origin)
    return None if keys is None else StaticSource(keys)


def _cluster_variables(around: Surroundings) -> CredentialSource | None:
    """Return the keys of the role that a cluster gives its containers by four variables."""
    if not around.environ.get(TOKEN_FILE):
        return None
    for name in CLUSTER:
        if not around.environ.get(name):
            raise CredentialsMissingError(
                f"{TOKEN_FILE} is set but {name} is not",
                hint=f"set {name} too, or unset {TOKEN_FILE}",
            )
    path, provider, arn, region = (around.environ[name] for name in CLUSTER)
    inside = attrs.evolve(around, region=check_region(region))
    return with_token(Role(arn=arn, duration=TOKEN_LIFE), provider, path, inside)


def _machine_variable(around: Surroundings) -> None:
    """Say that the role of the machine is meant, where nothing else was found."""
    if around.environ.get(MACHINE):
        raise instance_unasked(MACHINE)


PLACES = (
    KeyPlace(CLI_FILES, _cli_file),
    KeyPlace(SDK_FILE, _sdk_file),
    KeyPlace(SYSTEM_FILE, partial(ini_source, SYSTEM_FILE)),
    KeyPlace(OLD_CLI_FILE, _old_cli_file),
    KeyPlace(TOKEN_FILE, _cluster_variables, environment=True),
    KeyPlace(MACHINE, _machine_variable, environment=True),
)
