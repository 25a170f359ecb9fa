"""Keys that the vendor's own tools keep, the machine's role, and roles to take on.

Sources: the files of the vendor's command line and of its SDKs,
https://cloud.tencent.com/document/product/1312/48197 (AssumeRole, version 2018-08-13) and
https://cloud.tencent.com/document/product/213/4934 (instance metadata).
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

import attrs

from snapkit.credentials import Credentials, CredentialSource, Secret, StaticSource
from snapkit.errors import CredentialsMissingError
from snapkit.http import HttpRequest, HttpResponse
from snapkit.keyfiles import Fields, expiry_in, ini_fields, json_fields, pair_in, parsed_json
from snapkit.refreshing import RefreshingSource
from snapkit.sources import (
    KeyPlace,
    Role,
    Surroundings,
    ask_metadata,
    instance_unasked,
    key_service,
    shared,
)
from snapkit.transport import Call, Moment

from .apis import Tc3Api
from .endpoints import STS, url_of

__all__ = ["FILES", "PLACES", "SYSTEM_FILE", "assumed", "ini_source", "instance"]

CLI_FILES = "~/.tccli/*.credential"
SDK_FILE = "~/.tencentcloud/credentials"
SYSTEM_FILE = "/etc/tencentcloud/credentials"
FILES = ("~/.tccli/default.credential", SDK_FILE, SYSTEM_FILE)
METADATA = "http://metadata.tencentyun.com"
_ROLE_PATH = "/latest/meta-data/cam/security-credentials/"
_ANSWER = ("TmpSecretId", "TmpSecretKey")


@attrs.frozen
class _StsApi:
    """AssumeRole, signed by TC3 like everything else, with the region that it insists on."""

    region: str

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return the request for one attempt."""
        request = Tc3Api(self.region).sign(call, credentials, moment)
        return attrs.evolve(request, headers={**request.headers, "X-TC-Region": self.region})

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        """Return the payload, out of sight, or raise the error in it."""
        return {"answer": Fields(Tc3Api(self.region).read(call, response))}


def assumed(role: Role, base: CredentialSource, around: Surroundings) -> CredentialSource:
    """Return the keys of *role*, renewed before they end."""
    own = base.credentials if isinstance(base, StaticSource) else base
    return shared(
        ("tencent", role, own, around.sts_endpoint, around.ca_bundle, around.clock),
        lambda: RefreshingSource(
            fetch=partial(_assume, role, base, around),
            origin=f"the role {role.arn}",
            clock=around.clock,
        ),
    )


def _assume(role: Role, base: CredentialSource, around: Surroundings) -> Credentials:
    params: dict[str, Any] = {
        "RoleArn": role.arn,
        "RoleSessionName": role.session_name,
        "DurationSeconds": role.duration,
    }
    params |= {"ExternalId": role.external_id} if role.external_id else {}
    # The service wants the policy URL-encoded inside the JSON.
    params |= {"Policy": quote(role.policy, safe="")} if role.policy else {}
    url = url_of(STS, around.region, around.sts_endpoint)
    call = Call(operation="AssumeRole", url=url, params=params, service=STS)
    transport, http = key_service("tencent", around, base)
    try:
        answer = transport.call(_StsApi(around.region), call)["answer"]
    finally:
        http.close()
    keys = answer.inner("Credentials")
    return _temporary(keys, answer.text("ExpiredTime", "Expiration"), f"the role {role.arn}")


def _temporary(found: Fields, expiry: str, origin: str) -> Credentials:
    ends = expiry_in(expiry, origin)
    keys = pair_in(found, *_ANSWER, token="Token", origin=origin, expires_at=ends)  # noqa: S106 - the name of a field
    if keys is None or keys.token is None or ends is None:
        raise CredentialsMissingError(f"the answer for {origin} has no temporary credentials")
    return keys


def instance(around: Surroundings) -> CredentialSource:
    """Return the keys of this machine's role from the metadata service."""
    base = around.metadata or METADATA
    return shared(
        ("tencent-instance", base, around.clock),
        lambda: RefreshingSource(
            fetch=partial(_ask_instance, base),
            origin="the role of this machine",
            advisory=300.0,
            clock=around.clock,
        ),
    )


def _ask_instance(base: str) -> Credentials:
    named = ask_metadata(f"{base}{_ROLE_PATH}")
    role = named.body.decode("utf-8", "replace").strip() if named.status == 200 else ""
    if not re.fullmatch(r"[\w.-]{1,128}", role):
        raise CredentialsMissingError(
            "this machine has no role", hint="attach a CAM role to the instance, or use keys"
        )
    answer = ask_metadata(f"{base}{_ROLE_PATH}{quote(role)}")
    found = parsed_json(Secret(answer.body.decode("utf-8", "replace")))
    if answer.status != 200 or isinstance(found, str) or found.text("Code") not in ("", "Success"):
        raise CredentialsMissingError(
            f"the metadata service has no keys for the role {role!r} (HTTP {answer.status})"
        )
    origin = f"the role of this machine, {role!r}"
    return _temporary(found, found.text("ExpiredTime", "Expiration"), origin)


def _cli_file(around: Surroundings) -> CredentialSource | None:
    """Return what the profile of the vendor's command line has."""
    environ = around.environ
    names = (around.profile, environ.get("TCCLI_PROFILE"), environ.get("TENCENTCLOUD_PROFILE"))
    name = next((one for one in names if one), "default")
    if not re.fullmatch(r"[\w-][\w.-]{0,63}", name):
        raise CredentialsMissingError(f"{name!r} cannot be the name of a profile")
    path = f"~/.tccli/{name}.credential"
    found = json_fields(around.path(path))
    if found is None:
        return None
    if found.text("type") == "cvm-role":
        raise instance_unasked(path)
    ends = expiry_in(found.text("expiresAt"), path)
    keys = pair_in(found, "secretId", "secretKey", token="token", origin=path, expires_at=ends)  # noqa: S106 - the name of a field
    if keys is None:
        return None
    if ends is not None and ends.timestamp() <= around.clock.wall():
        raise CredentialsMissingError(
            f"the temporary key in {path} has expired", hint="sign in again with tccli"
        )
    arn = found.text("role-arn")
    if not arn:
        return StaticSource(keys)
    session = found.text("role-session-name") or "snapkit"
    return assumed(Role(arn=arn, session_name=session), StaticSource(keys), around)


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


PLACES = (
    KeyPlace(CLI_FILES, _cli_file),
    KeyPlace(SDK_FILE, _sdk_file),
    KeyPlace(SYSTEM_FILE, partial(ini_source, SYSTEM_FILE)),
)
