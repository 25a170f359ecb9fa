"""Keys that the vendor's own tools keep, the machine's role, and roles to take on.

Sources: the profile file of the vendor's command line, the credentials file of its libraries
(https://www.alibabacloud.com/help/en/sdk/developer-reference/v2-manage-access-credentials),
and AssumeRole of the Security Token Service, version 2015-04-01.
"""

import re
import shlex
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

import attrs

from snapkit.credentials import Credentials, CredentialSource, Secret, StaticSource
from snapkit.errors import CredentialsMissingError
from snapkit.http import HttpRequest, HttpResponse
from snapkit.keyfiles import Fields, expiry_in, ini_fields, json_fields, pair_in, parsed_json
from snapkit.keyprocess import ProcessSource
from snapkit.refreshing import RefreshingSource
from snapkit.sources import (
    KeyPlace,
    Role,
    Surroundings,
    ask_metadata,
    instance_unasked,
    key_service,
    shared,
    unsupported_keys,
)
from snapkit.transport import Call, Moment
from snapkit_alibaba import failures, signing

__all__ = ["FILES", "PLACES", "assumed", "instance"]

CLI_FILE = "~/.aliyun/config.json"
INI_FILE = "~/.alibabacloud/credentials.ini"
FILES = (CLI_FILE, INI_FILE)
STS = "https://sts.aliyuncs.com"
STS_VERSION = "2015-04-01"
METADATA = "http://100.100.100.200"
SHORTEST = 900
_KEYS = ("access_key_id", "access_key_secret")
_ANSWER = ("AccessKeyId", "AccessKeySecret")
_ROLE_PATH = "/latest/meta-data/ram/security-credentials/"


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


def assumed(role: Role, base: CredentialSource, around: Surroundings) -> CredentialSource:
    """Return the keys of *role*, renewed before they end."""
    wanted = attrs.evolve(role, duration=max(role.duration, SHORTEST))
    own = base.credentials if isinstance(base, StaticSource) else base
    return shared(
        ("alibaba", wanted, own, around.sts_endpoint, around.ca_bundle, around.clock),
        lambda: RefreshingSource(
            fetch=partial(_assume, wanted, base, around),
            origin=f"the role {role.arn}",
            clock=around.clock,
        ),
    )


def _assume(role: Role, base: CredentialSource, around: Surroundings) -> Credentials:
    params = {
        "RoleArn": role.arn,
        "RoleSessionName": role.session_name,
        "DurationSeconds": str(role.duration),
    }
    params |= {"ExternalId": role.external_id} if role.external_id else {}
    params |= {"Policy": role.policy} if role.policy else {}
    call = Call(operation="AssumeRole", url=around.sts_endpoint or STS, params=params)
    transport, http = key_service("alibaba", around, base)
    try:
        answer = transport.call(_StsApi(), call)["answer"]
    finally:
        http.close()
    return _temporary(answer.inner("Credentials"), f"the role {role.arn}")


def _temporary(found: Fields, origin: str) -> Credentials:
    ends = expiry_in(found.text("Expiration"), origin)
    keys = pair_in(found, *_ANSWER, token="SecurityToken", origin=origin, expires_at=ends)  # noqa: S106 - the name of a field
    if keys is None or keys.token is None or ends is None:
        raise CredentialsMissingError(f"the answer for {origin} has no temporary credentials")
    return keys


def instance(around: Surroundings) -> CredentialSource:
    """Return the keys of this machine's role from the metadata service."""
    if around.environ.get("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "").lower() == "true":
        raise CredentialsMissingError(
            "the role of this machine is switched off by ALIBABA_CLOUD_ECS_METADATA_DISABLED",
            hint="unset it, or use keys",
        )
    role = around.environ.get("ALIBABA_CLOUD_ECS_METADATA", "")
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


def _cli_file(around: Surroundings) -> CredentialSource | None:
    """Return what the current profile of the vendor's command line has."""
    if around.environ.get("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "").lower() == "true":
        return None
    content = json_fields(around.path(CLI_FILE))
    if content is None:
        return None
    named = around.profile or around.environ.get("ALIBABA_CLOUD_PROFILE")
    rows = {row.text("name"): row for row in content.rows("profiles")}
    return _cli_profile(rows, named or content.text("current") or "default", around, ())


def _cli_profile(
    rows: Mapping[str, Fields], name: str, around: Surroundings, above: tuple[str, ...]
) -> CredentialSource | None:
    row = rows.get(name)
    if row is None:
        return None
    origin = f"{CLI_FILE}, profile {name!r}"
    mode = row.text("mode") or "AK"
    match mode.lower():
        case "ak":
            return _static(pair_in(row, *_KEYS, origin=origin))
        case "ststoken":
            return _static(_with_token(row, origin))
        case "ramrolearn":
            base = pair_in(row, *_KEYS, token="sts_token", origin=origin)  # noqa: S106 - the name of a field
            return _cli_role(row, _static(base), origin, around)
        case "chainableramrolearn":
            source = row.text("source_profile")
            if source == name or source in above:
                raise CredentialsMissingError(f"{origin} leads back to itself")
            base_source = _cli_profile(rows, source, around, (*above, name))
            return _cli_role(row, base_source, origin, around)
        case "external":
            return _external(row, origin, around)
        case "ecsramrole" | "ramrolearnwithecs":
            raise instance_unasked(origin)
        case _:
            raise unsupported_keys(origin, mode[:40])


def _static(keys: Credentials | None) -> StaticSource | None:
    return None if keys is None else StaticSource(keys)


def _with_token(row: Fields, origin: str) -> Credentials | None:
    ends = expiry_in(row.text("sts_expiration"), origin)
    keys = pair_in(row, *_KEYS, token="sts_token", origin=origin, expires_at=ends)  # noqa: S106 - the name of a field
    if keys is not None and keys.token is None:
        raise CredentialsMissingError(f"{origin} is of mode StsToken but has no sts_token")
    return keys


def _cli_role(
    row: Fields, base: CredentialSource | None, origin: str, around: Surroundings
) -> CredentialSource:
    return _file_role(
        row.text("ram_role_arn"),
        base,
        origin,
        around,
        session_name=row.text("ram_session_name"),
        external_id=row.text("external_id"),
        policy=row.text("policy"),
        duration=row.text("expired_seconds"),
    )


def _file_role(
    arn: str,
    base: CredentialSource | None,
    origin: str,
    around: Surroundings,
    *,
    session_name: str,
    external_id: str = "",
    policy: str = "",
    duration: str = "",
) -> CredentialSource:
    if base is None or not arn:
        lacking = "keys to take the role on with" if arn else "the name of the role"
        raise CredentialsMissingError(f"{origin} lacks {lacking}")
    seconds = int(duration) if duration.isdecimal() and int(duration) > 0 else 3600
    role = Role(
        arn=arn,
        session_name=session_name or "snapkit",
        external_id=external_id,
        policy=policy,
        duration=seconds,
    )
    return assumed(role, base, around)


def _external(row: Fields, origin: str, around: Surroundings) -> CredentialSource:
    words = _words(row.text("process_command"))
    if not words:
        raise CredentialsMissingError(f"{origin} has no command that can be read")
    return shared(
        ("command", *words, around.clock), lambda: ProcessSource(words, clock=around.clock)
    )


def _words(command: str) -> tuple[str, ...]:
    """Return *command* as a list of arguments, empty for quotations without an end."""
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return ()


def _ini_file(around: Surroundings) -> CredentialSource | None:
    """Return what the section of the libraries' file has."""
    path = around.environ.get("ALIBABA_CLOUD_CREDENTIALS_FILE") or INI_FILE
    section = around.profile or around.environ.get("ALIBABA_CLOUD_PROFILE") or "default"
    found = ini_fields(around.path(path), section)
    if found is None:
        return None
    origin = f"{path}, section {section!r}"
    form = found.text("type") or "access_key"
    if form == "access_key":
        return _static(pair_in(found, *_KEYS, origin=origin))
    if form == "ram_role_arn":
        base = _static(pair_in(found, *_KEYS, origin=origin))
        return _file_role(
            found.text("role_arn"),
            base,
            origin,
            around,
            session_name=found.text("role_session_name"),
            policy=found.text("policy"),
        )
    if form == "ecs_ram_role":
        raise instance_unasked(origin)
    raise unsupported_keys(origin, form[:40])


PLACES = (KeyPlace(CLI_FILE, _cli_file), KeyPlace(INI_FILE, _ini_file))
