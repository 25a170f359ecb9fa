"""Temporary keys: of roles, of containers in a cluster, and of this machine.

Sources: https://cloud.tencent.com/document/product/1312/48197 (AssumeRole),
https://cloud.tencent.com/document/product/1312/73070 (AssumeRoleWithWebIdentity), both of version
2018-08-13, https://cloud.tencent.com/document/product/213/4934 (instance metadata), and what the
vendor's own library does about each.
"""

import json
import re
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import attrs

from snapkit.credentials import Credentials, CredentialSource, Secret, StaticSource
from snapkit.errors import CredentialsMissingError
from snapkit.http import HttpRequest, HttpResponse
from snapkit.keyfiles import Fields, expiry_in, pair_in, parsed_json, read_token
from snapkit.keyservices import ask_metadata, key_service, shared
from snapkit.refreshing import RefreshingSource
from snapkit.sources import Role, Surroundings
from snapkit.transport import Call, Moment

from .apis import Tc3Api
from .endpoints import STS, VERSIONS, url_of

__all__ = ["assumed", "instance", "with_token"]

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


@attrs.frozen
class _TokenApi(_StsApi):
    """AssumeRoleWithWebIdentity, which is not signed; the token in the body is what proves it."""

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return the request for one attempt."""
        del credentials
        token: Secret = call.params["WebIdentityToken"]
        body = {**call.params, "WebIdentityToken": token.reveal()}
        headers = {
            "Host": urlsplit(call.url).netloc,
            "Content-Type": "application/json",
            "Authorization": "SKIP",
            "X-TC-Action": call.operation,
            "X-TC-Version": VERSIONS[STS],
            "X-TC-Timestamp": str(int(moment.time)),
            "X-TC-Region": self.region,
            "X-TC-Language": "en-US",
            "X-TC-RequestClient": "snapkit",
        }
        return HttpRequest(
            method="POST", url=call.url, headers=headers, body=json.dumps(body).encode()
        )


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
    params = _params(role)
    params |= {"ExternalId": role.external_id} if role.external_id else {}
    # The service wants the policy URL-encoded inside the JSON.
    params |= {"Policy": quote(role.policy, safe="")} if role.policy else {}
    return _handed_out(_StsApi(around.region), "AssumeRole", params, base, around)


def _params(role: Role) -> dict[str, Any]:
    return {
        "RoleArn": role.arn,
        "RoleSessionName": role.session_name,
        "DurationSeconds": role.duration,
    }


def with_token(
    role: Role, identity_provider: str, token_file: str, around: Surroundings
) -> CredentialSource:
    """Return the keys of *role* for the token in a file, renewed before they end.

    The file is read each time, as the cluster renews the token.
    """
    path = around.path(token_file)

    def fetch() -> Credentials:
        params = _params(role) | {
            "ProviderId": identity_provider,
            "WebIdentityToken": read_token(path),
        }
        api = _TokenApi(around.region)
        return _handed_out(api, "AssumeRoleWithWebIdentity", params, None, around)

    return shared(
        (
            "tencent-oidc",
            *(role, identity_provider, path, around.region),
            *(around.sts_endpoint, around.ca_bundle, around.clock),
        ),
        lambda: RefreshingSource(
            fetch=fetch, origin=f"the role {role.arn} by OIDC", clock=around.clock
        ),
    )


def _handed_out(
    api: _StsApi,
    operation: str,
    params: Mapping[str, Any],
    base: CredentialSource | None,
    around: Surroundings,
) -> Credentials:
    url = url_of(STS, around.region, around.sts_endpoint)
    call = Call(operation=operation, url=url, params=params, service=STS)
    transport, http = key_service("tencent", around, base)
    try:
        answer: Fields = transport.call(api, call)["answer"]
    finally:
        http.close()
    keys = answer.inner("Credentials")
    origin = f"the role {params['RoleArn']}"
    return _temporary(keys, answer.text("ExpiredTime", "Expiration"), origin)


def _temporary(found: Fields, expiry: str, origin: str) -> Credentials:
    ends = expiry_in(expiry, origin)
    keys = pair_in(found, *_ANSWER, token="Token", origin=origin, expires_at=ends)  # noqa: S106 - the name of a field
    if keys is None or keys.token is None or ends is None:
        raise CredentialsMissingError(f"the answer for {origin} has no temporary credentials")
    return keys


def instance(around: Surroundings, role: str = "") -> CredentialSource:
    """Return the keys of this machine's role, *role* if that is known, from its metadata."""
    role = role or around.environ.get("TENCENTCLOUD_CAM_ROLE_NAME", "")
    base = around.metadata or METADATA
    return shared(
        ("tencent-instance", role, base, around.clock),
        lambda: RefreshingSource(
            fetch=partial(_ask_instance, base, role),
            origin="the role of this machine",
            advisory=300.0,
            clock=around.clock,
        ),
    )


def _ask_instance(base: str, role: str) -> Credentials:
    if not role:
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
