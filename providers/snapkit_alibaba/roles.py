"""Temporary keys: of roles, of this machine, and of a service that the user names.

Sources: AssumeRole and AssumeRoleWithOIDC of the Security Token Service, version 2015-04-01;
the instance metadata of ECS; and what the vendor's own libraries do about each
(https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-access-credentials).
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
from snapkit.keyfiles import Fields, expiry_in, pair_in, parsed_json, read_token
from snapkit.keyservices import ask_address, ask_metadata, key_service, shared
from snapkit.refreshing import RefreshingSource
from snapkit.settings import check_region
from snapkit.sources import Role, Surroundings
from snapkit.transport import Call, Moment
from snapkit_alibaba import failures, signing

__all__ = ["assumed", "instance", "of_address", "sts_url", "with_token"]

STS_VERSION = "2015-04-01"
METADATA = "http://100.100.100.200"
SHORTEST = 900
"""Seconds; the service refuses shorter lives of a role's keys."""
_ANSWER = ("AccessKeyId", "AccessKeySecret")
_ROLE_PATH = "/latest/meta-data/ram/security-credentials/"


def sts_url(around: Surroundings, region: str = "") -> str:
    """Return where roles are taken on: at the endpoint given, in *region*, or centrally."""
    if around.sts_endpoint is not None:
        return around.sts_endpoint
    region = region or around.environ.get("ALIBABA_CLOUD_STS_REGION", "")
    if not region:
        return "https://sts.aliyuncs.com"
    inside = around.environ.get("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED", "").lower() == "true"
    return f"https://sts{'-vpc' if inside else ''}.{check_region(region)}.aliyuncs.com"


@attrs.frozen
class _StsApi:
    """AssumeRole, signed like the older calls of ECS."""

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return the request for one attempt."""
        return signing.rpc_request(
            call.url,
            call.operation,
            call.params,
            credentials,
            time=moment.time,
            nonce=moment.nonce,
            version=STS_VERSION,
        )

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        """Return the payload, out of sight, or raise the error that the answer means."""
        return {"answer": Fields(failures.read_answer(call.operation, response))}


@attrs.frozen
class _TokenApi(_StsApi):
    """AssumeRoleWithOIDC, which is not signed; the token in the body is what proves it."""

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return the request for one attempt."""
        del credentials
        common = {
            "Action": call.operation,
            "Version": STS_VERSION,
            "Format": "JSON",
            "Timestamp": signing.timestamp(moment.time),
        }
        token: Secret = call.params["OIDCToken"]
        form = {**call.params, "OIDCToken": token.reveal()}
        return HttpRequest(
            method="POST",
            url=f"{call.url.rstrip('/')}/?{signing.canonical_query(common)}",
            headers={
                "content-type": "application/x-www-form-urlencoded",
                "accept": "application/json",
            },
            body=signing.canonical_query(form).encode(),
        )


def _long(role: Role) -> Role:
    return attrs.evolve(role, duration=max(role.duration, SHORTEST))


def assumed(role: Role, base: CredentialSource, around: Surroundings) -> CredentialSource:
    """Return the keys of *role*, renewed before they end."""
    url, role = sts_url(around), _long(role)
    own = base.credentials if isinstance(base, StaticSource) else base
    return shared(
        ("alibaba", role, own, url, around.ca_bundle, around.clock),
        lambda: RefreshingSource(
            fetch=partial(_assume, role, base, around, url),
            origin=f"the role {role.arn}",
            clock=around.clock,
        ),
    )


def _assume(role: Role, base: CredentialSource, around: Surroundings, url: str) -> Credentials:
    call = Call(operation="AssumeRole", url=url, params=_params(role))
    return _handed_out(_StsApi(), call, base, around, role)


def with_token(
    role: Role, provider_arn: str, token_file: str, around: Surroundings
) -> CredentialSource:
    """Return the keys of *role* for the OIDC token in a file, renewed before they end.

    The file is read each time, as whoever mounts it renews the token.
    """
    url, role, path = sts_url(around), _long(role), around.path(token_file)

    def fetch() -> Credentials:
        params = {
            **_params(role),
            "OIDCProviderArn": provider_arn,
            "OIDCToken": read_token(path),
        }
        call = Call(operation="AssumeRoleWithOIDC", url=url, params=params)
        return _handed_out(_TokenApi(), call, None, around, role)

    return shared(
        ("alibaba-oidc", role, provider_arn, path, url, around.ca_bundle, around.clock),
        lambda: RefreshingSource(
            fetch=fetch, origin=f"the role {role.arn} by OIDC", clock=around.clock
        ),
    )


def _params(role: Role) -> dict[str, Any]:
    params = {
        "RoleArn": role.arn,
        "RoleSessionName": role.session_name,
        "DurationSeconds": str(role.duration),
    }
    params |= {"ExternalId": role.external_id} if role.external_id else {}
    return params | ({"Policy": role.policy} if role.policy else {})


def _handed_out(
    api: _StsApi, call: Call, base: CredentialSource | None, around: Surroundings, role: Role
) -> Credentials:
    transport, http = key_service("alibaba", around, base)
    try:
        answer: Fields = transport.call(api, call)["answer"]
    finally:
        http.close()
    return _temporary(answer.inner("Credentials"), f"the role {role.arn}")


def _temporary(found: Fields, origin: str) -> Credentials:
    ends = expiry_in(found.text("Expiration"), origin)
    keys = pair_in(found, *_ANSWER, token="SecurityToken", origin=origin, expires_at=ends)  # noqa: S106 - the name of a field
    if keys is None or keys.token is None or ends is None:
        raise CredentialsMissingError(f"the answer for {origin} has no temporary credentials")
    return keys


def of_address(url: Secret, around: Surroundings, *, origin: str) -> CredentialSource:
    """Return the keys that a service of the user's hands out at *url*, as *origin* says."""
    return shared(
        ("alibaba-address", url, around.ca_bundle, around.clock),
        lambda: RefreshingSource(
            fetch=partial(_ask_address, url, around, origin),
            origin=f"the service that {origin} names",
            clock=around.clock,
        ),
    )


def _ask_address(url: Secret, around: Surroundings, origin: str) -> Credentials:
    found = parsed_json(ask_address(url, around, origin=origin))
    who = f"the service that {origin} names"
    if isinstance(found, str):
        raise CredentialsMissingError(f"the answer of {who} {found}")
    if found.text("Code") not in ("", "Success"):
        raise CredentialsMissingError(
            f"{who} has no keys (Code {found.text('Code')[:40]!r})", hint="check the address"
        )
    return _temporary(found, who)


def instance(around: Surroundings, role: str = "") -> CredentialSource:
    """Return the keys of this machine's role, *role* if that is known, from its metadata."""
    if around.environ.get("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "").lower() == "true":
        raise CredentialsMissingError(
            "the role of this machine is switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED",
            hint="unset it, or use keys",
        )
    role = role or around.environ.get("ALIBABA_CLOUD_ECS_METADATA", "")
    hardened = around.environ.get("ALIBABA_CLOUD_IMDSV1_DISABLED", "").lower() == "true"
    base = around.metadata or METADATA
    return shared(
        ("alibaba-instance", role, hardened, base, around.clock),
        lambda: RefreshingSource(
            fetch=partial(_ask_instance, base, role, hardened=hardened),
            origin="the role of this machine",
            clock=around.clock,
        ),
    )


def _ask_instance(base: str, role: str, *, hardened: bool) -> Credentials:
    headers = _metadata_token(base, hardened=hardened)
    if not role:
        named = ask_metadata(f"{base}{_ROLE_PATH}", headers=headers)
        role = named.body.decode("utf-8", "replace").strip() if named.status == 200 else ""
    if not re.fullmatch(r"[\w.-]{1,64}", role):
        raise CredentialsMissingError(
            "this machine has no role", hint="attach a RAM role to the instance, or use keys"
        )
    answer = ask_metadata(f"{base}{_ROLE_PATH}{quote(role)}", headers=headers)
    found = parsed_json(Secret(answer.body.decode("utf-8", "replace")))
    good = answer.status == 200 and isinstance(found, Fields)
    if not good or isinstance(found, str) or found.text("Code") not in ("", "Success"):
        raise CredentialsMissingError(
            f"the metadata service has no keys for the role {role!r} (HTTP {answer.status})"
        )
    return _temporary(found, f"the role of this machine, {role!r}")


def _metadata_token(base: str, *, hardened: bool) -> dict[str, str]:
    """Return the header that the newer form of the service wants, or none for the older."""
    answer = ask_metadata(
        f"{base}/latest/api/token",
        method="PUT",
        headers={"X-aliyun-ecs-metadata-token-ttl-seconds": "21600"},
    )
    if answer.status == 200:
        return {"X-aliyun-ecs-metadata-token": answer.body.decode("ascii", "replace").strip()}
    if hardened:
        raise CredentialsMissingError(
            f"the metadata service gives no token (HTTP {answer.status})",
            hint="ALIBABA_CLOUD_IMDSV1_DISABLED forbids asking without one",
        )
    return {}
