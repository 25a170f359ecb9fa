"""Signatures of API 3.0 (TC3-HMAC-SHA256) and API 2.0 (HmacSHA1, HmacSHA256); pure.

The clock and the nonce are among the arguments. The older form signature (called v1 in API
3.0) is the one of API 2.0 with another path and other parameter names, so one function
serves both.

Sources: https://cloud.tencent.com/document/api/213/30654 (TC3, the same for every product) and
what the vendor's SDKs do (both).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import attrs

__all__ = [
    "METHODS",
    "Scope",
    "authorization",
    "canonical_request",
    "encoded",
    "form_signature",
    "form_text",
    "has_upload_mark",
    "tc3_signature",
    "tc3_text",
]

ALGORITHM = "TC3-HMAC-SHA256"
SIGNED_HEADERS = ("content-type", "host")
METHODS = {"hmac-sha256": "HmacSHA256", "hmac-sha1": "HmacSHA1"}
"""Our names of the form signatures, and the words that go over the wire."""
_DIGESTS = {"HmacSHA256": hashlib.sha256, "HmacSHA1": hashlib.sha1}


@attrs.frozen
class Scope:
    """What a TC3 signature is good for: one service on one UTC day."""

    timestamp: int
    service: str

    @property
    def date(self) -> str:
        """The day in UTC, whatever day it is in Beijing."""
        return datetime.fromtimestamp(self.timestamp, UTC).strftime("%Y-%m-%d")

    def __str__(self) -> str:
        return f"{self.date}/{self.service}/tc3_request"


def canonical_request(
    *,
    method: str = "POST",
    path: str = "/",
    query: str = "",
    headers: Mapping[str, str],
    body_hash: str,
) -> str:
    """Return the request in the form that is hashed; *headers* are those that are signed.

    *query* is taken exactly as sent, *body_hash* is the SHA-256 of the bytes sent in hex.
    """
    names = sorted(headers)
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names)
    return "\n".join((method, path, query, lines, ";".join(names), body_hash))


def tc3_text(canonical: str, scope: Scope) -> str:
    """Return the text that TC3 signs."""
    return "\n".join((ALGORITHM, str(scope.timestamp), str(scope), _sha256(canonical.encode())))


def tc3_signature(secret: str, text: str, scope: Scope) -> str:
    """Return the hexadecimal signature of *text*."""
    key = f"TC3{secret}".encode()
    for part in (scope.date, scope.service, "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def authorization(
    *,
    key_id: str,
    secret: str,
    scope: Scope,
    host: str,
    path: str,
    content_type: str,
    body: bytes,
) -> str:
    """Return the Authorization header of a POST with *body*."""
    headers = {"content-type": content_type, "host": host}
    canonical = canonical_request(path=path, headers=headers, body_hash=_sha256(body))
    signature = tc3_signature(secret, tc3_text(canonical, scope), scope)
    signed = ";".join(SIGNED_HEADERS)
    return f"{ALGORITHM} Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"


def form_text(method: str, host: str, path: str, params: Mapping[str, str]) -> str:
    """Return the text that the form signatures sign.

    Names are sorted in byte order after ``_`` has become ``.``; values stand as they are,
    not URL-encoded.
    """
    named = {name.replace("_", "."): value for name, value in params.items()}
    pairs = "&".join(f"{name}={named[name]}" for name in sorted(named))
    return f"{method}{host}{path}?{pairs}"


def form_signature(secret: str, text: str, method: str) -> str:
    """Return the base64 signature of *text* by *method*, ``HmacSHA1`` or ``HmacSHA256``."""
    signed = hmac.new(secret.encode(), text.encode("utf-8", "replace"), _DIGESTS[method])
    return base64.b64encode(signed.digest()).decode()


def encoded(params: Mapping[str, str]) -> str:
    """Return *params* URL-encoded once, as RFC 3986 wants it."""
    return "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~', errors='replace')}"
        for name, value in params.items()
    )


def has_upload_mark(params: Mapping[str, str]) -> bool:
    """Whether a value starts with ``@``.

    The vendor's 2.0 SDK takes that for a file to upload and leaves the value out of the text
    it signs by POST, so a server may do so too. A GET is signed in full.
    """
    return any(value.startswith("@") for value in params.values())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
