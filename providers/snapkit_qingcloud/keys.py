"""Keys that the vendor's own tools keep, and those of the machine's role.

``config.yaml`` is shared by the command line, the SDKs and the storage plug-ins; a newer
family of tools writes an INI file beside it. Of the other settings in them only the address of
the metadata service counts.

Source: the vendor's Python and Go SDKs, which ask ``/latest/meta-data/security-credentials``.
"""

import json
import re
from functools import partial
from typing import Any

from snapkit.credentials import Credentials, CredentialSource, Secret, StaticSource
from snapkit.errors import CredentialsMissingError
from snapkit.keyfiles import Fields, expiry_in, flat_fields, ini_fields, pair_in, parsed_json
from snapkit.keyservices import ask_metadata, shared
from snapkit.refreshing import RefreshingSource
from snapkit.sources import KeyPlace, Surroundings, instance_unasked

__all__ = ["FILES", "PLACES", "instance"]

YAML_FILE = "~/.qingcloud/config.yaml"
INI_FILE = "~/.qingcloud/config"
FILES = (YAML_FILE, INI_FILE)
METADATA = ("169.254.169.254", "80")
_ROLE_PATH = "/latest/meta-data/security-credentials"
_ROLE = "the role of this machine"


def _yaml_path(around: Surroundings) -> str:
    return around.environ.get("QINGCLOUD_CONFIG") or YAML_FILE


def _yaml_file(around: Surroundings) -> CredentialSource | None:
    """Return the keys in the flat file, which has no profiles."""
    if around.profile is not None:
        return None
    path = _yaml_path(around)
    found = flat_fields(around.path(path))
    if found is None:
        return None
    keys = pair_in(found, "qy_access_key_id", "qy_secret_access_key", origin=path)
    if keys is None and found.text("uri").strip("/") == "iam":
        raise instance_unasked(path)
    return None if keys is None else StaticSource(keys)


def _ini_file(around: Surroundings) -> CredentialSource | None:
    """Return the keys in a section of the INI file."""
    section = around.profile or "default"
    found = ini_fields(around.path(INI_FILE), section)
    if found is None:
        return None
    origin = f"{INI_FILE}, section {section!r}"
    keys = pair_in(found, "access_key_id", "secret_access_key", origin=origin)
    return None if keys is None else StaticSource(keys)


PLACES = (KeyPlace(YAML_FILE, _yaml_file), KeyPlace(INI_FILE, _ini_file))


def instance(around: Surroundings) -> CredentialSource:
    """Return the keys of this machine's role from the metadata service.

    Its address may stand in the flat file, as the vendor's SDKs let it.
    """
    base = around.metadata or _metadata(around)
    return shared(
        ("qingcloud-instance", base, around.clock),
        lambda: RefreshingSource(
            fetch=partial(_ask_instance, base), origin=_ROLE, advisory=300.0, clock=around.clock
        ),
    )


def _metadata(around: Surroundings) -> str:
    path = _yaml_path(around)
    found = flat_fields(around.path(path)) or Fields({})
    host = found.text("credential_proxy_host") or METADATA[0]
    port = found.text("credential_proxy_port") or METADATA[1]
    if not (re.fullmatch(r"[A-Za-z0-9.-]{1,253}", host) and re.fullmatch(r"\d{1,5}", port)):
        raise CredentialsMissingError(
            f"credential_proxy_host and credential_proxy_port in {path} are no host and port",
            hint="correct or remove them",
        )
    return f"http://{host}:{port}"


def _ask_instance(base: str) -> Credentials:
    answer = ask_metadata(f"{base}{_ROLE_PATH}", headers={"Accept": "application/json"})
    if answer.status == 404:
        raise CredentialsMissingError(
            "this machine has no role", hint="attach an IAM role to the instance, or use keys"
        )
    if answer.status != 200:
        raise CredentialsMissingError(
            f"the metadata service has no keys for this machine (HTTP {answer.status})"
        )
    return _temporary(_unwrapped(Secret(answer.body.decode("utf-8", "replace"))))


def _unwrapped(raw: Secret) -> Fields:
    """Return the object in *raw*, which is JSON, or a JSON text that holds the JSON."""
    inner = _inner(raw)
    found = parsed_json(inner if inner is not None else raw)
    if isinstance(found, str):
        raise CredentialsMissingError(f"the answer of the metadata service {found}")
    return found


def _inner(raw: Secret) -> Secret | None:
    try:
        text: Any = json.loads(raw.reveal())
    except (ValueError, RecursionError):
        return None
    return Secret(text) if isinstance(text, str) else None


def _temporary(found: Fields) -> Credentials:
    ends = expiry_in(found.text("expiration"), _ROLE)
    keys = pair_in(
        found,
        "access_key",
        "secret_key",
        token="id_token",  # noqa: S106 - the name of a field
        origin=_ROLE,
        expires_at=ends,
    )
    if keys is None or keys.token is None or ends is None:
        raise CredentialsMissingError(f"the answer for {_ROLE} has no temporary credentials")
    return keys
