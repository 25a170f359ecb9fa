"""The two ways of signing a request: ACS3-HMAC-SHA256 and RPC version 1 (HMAC-SHA1).

Pure: the time and the nonce are arguments. Both send exactly what was signed, in the strict
percent-encoding, so a proxy that rewrites nothing changes nothing. Secrets stay out of the
URL: ACS3 puts them in headers, RPC version 1 in a form body.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from snapkit.credentials import Credentials
from snapkit.http import HttpRequest

__all__ = [
    "ALGORITHM",
    "VERSION",
    "acs3_canonical_request",
    "acs3_request",
    "acs3_signature",
    "acs3_string_to_sign",
    "canonical_query",
    "percent_encode",
    "rpc_request",
    "rpc_signature",
    "rpc_string_to_sign",
    "timestamp",
]

ALGORITHM = "ACS3-HMAC-SHA256"
VERSION = "2014-05-26"
_FORM = "application/x-www-form-urlencoded"


def percent_encode(text: str) -> str:
    """Return *text* in RFC 3986 form: all but letters, digits and ``-_.~`` as ``%XX``."""
    return quote(text, safe="-_.~", errors="replace")


def canonical_query(params: Mapping[str, str]) -> str:
    """Return *params* sorted by name in byte order, strictly encoded; an empty value stays."""
    return "&".join(
        f"{percent_encode(name)}={percent_encode(params[name])}" for name in sorted(params)
    )


def timestamp(time: float) -> str:
    """Return *time*, in seconds since 1970, as both schemes write it."""
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rpc_string_to_sign(method: str, params: Mapping[str, str]) -> str:
    """Return what RPC version 1 signs; *params* are all of them but ``Signature``."""
    return f"{method}&%2F&{percent_encode(canonical_query(params))}"


def rpc_signature(method: str, params: Mapping[str, str], secret: str) -> str:
    """Return the base64 HMAC-SHA1 of RPC version 1; its key is the secret and an ampersand."""
    text = rpc_string_to_sign(method, params).encode()
    return base64.b64encode(hmac.digest(f"{secret}&".encode(), text, "sha1")).decode()


def acs3_canonical_request(
    method: str,
    path: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    signed: Iterable[str] | None = None,
) -> str:
    """Return the canonical request of ACS3.

    *headers* have lower-case names and hold ``x-acs-content-sha256``; *signed* names those
    that count, by default all.
    """
    names = sorted(headers if signed is None else signed)
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in names)
    digest = headers.get("x-acs-content-sha256", "")
    return "\n".join((method, path, canonical_query(query), lines, ";".join(names), digest))


def acs3_string_to_sign(canonical_request: str) -> str:
    """Return the algorithm and the hash of *canonical_request*."""
    return f"{ALGORITHM}\n{hashlib.sha256(canonical_request.encode()).hexdigest()}"


def acs3_signature(canonical_request: str, secret: str) -> str:
    """Return the hexadecimal HMAC-SHA256; its key is the secret alone."""
    text = acs3_string_to_sign(canonical_request).encode()
    return hmac.digest(secret.encode(), text, "sha256").hex()


def acs3_request(
    url: str,
    action: str,
    params: Mapping[str, str],
    credentials: Credentials,
    *,
    time: float,
    nonce: str,
) -> HttpRequest:
    """Return the ACS3 request for *action* at *url*, parameters in the query, body empty.

    Only what must be signed is signed, so a proxy may rewrite the user agent. The host
    header goes out as signed, an explicit port included.
    """
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/"
    headers = {
        "host": parts.netloc,
        "x-acs-action": action,
        "x-acs-content-sha256": hashlib.sha256(b"").hexdigest(),
        "x-acs-date": timestamp(time),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": VERSION,
    }
    if credentials.token is not None:
        headers["x-acs-accesskey-id"] = credentials.key_id
        headers["x-acs-security-token"] = credentials.token.reveal()
    canonical = acs3_canonical_request("POST", path, params, headers)
    signature = acs3_signature(canonical, credentials.secret.reveal())
    headers["authorization"] = (
        f"{ALGORITHM} Credential={credentials.key_id},"
        f"SignedHeaders={';'.join(sorted(headers))},Signature={signature}"
    )
    headers["accept"] = "application/json"
    query = canonical_query(params)
    return HttpRequest(
        method="POST",
        url=f"{parts.scheme}://{parts.netloc}{path}{'?' if query else ''}{query}",
        headers=headers,
    )


def rpc_request(
    url: str,
    action: str,
    params: Mapping[str, str],
    credentials: Credentials,
    *,
    time: float,
    nonce: str,
    version: str = VERSION,
) -> HttpRequest:
    """Return the RPC version 1 request for *action* at *url*, everything in a form body."""
    form = {
        **params,
        "Action": action,
        "Version": version,
        "Format": "JSON",
        "AccessKeyId": credentials.key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": nonce,
        "Timestamp": timestamp(time),
    }
    if credentials.token is not None:
        form["SecurityToken"] = credentials.token.reveal()
    form["Signature"] = rpc_signature("POST", form, credentials.secret.reveal())
    return HttpRequest(
        method="POST",
        url=f"{url.rstrip('/')}/",
        headers={"content-type": _FORM, "accept": "application/json"},
        body=canonical_query(form).encode(),
    )
