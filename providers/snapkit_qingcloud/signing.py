"""How QingCloud wants a request signed; pure, the clock and the request id are arguments.

Source: docs.qingcloud.com/product/api/common/signature.html.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

__all__ = ["HASHES", "canonical", "common", "signature", "time_stamp", "with_signature"]

HASHES = {"HmacSHA256": hashlib.sha256, "HmacSHA1": hashlib.sha1}
"""The wire's names of the two methods."""


def time_stamp(seconds: float) -> str:
    """Return *seconds* since 1970 as the API writes times: UTC, whole seconds, ``Z``."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def common(
    *, key_id: str, method: str, seconds: float, request_id: str, token: str | None = None
) -> dict[str, str]:
    """Return the parameters that every request carries beside its own, the signature not yet.

    With the *token* of an instance's role the signature version is 2.
    """
    found = {
        "access_key_id": key_id,
        "version": "1",
        "signature_method": method,
        "signature_version": "2" if token else "1",
        "time_stamp": time_stamp(seconds),
        "req_id": request_id,
    }
    return found | ({"token": token} if token else {})


def canonical(params: Mapping[str, str]) -> str:
    """Return *params* sorted by name and percent-encoded; a blank is ``%20``, never ``+``."""
    return "&".join(f"{_quoted(name)}={_quoted(params[name])}" for name in sorted(params))


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def signature(secret: str, verb: str, path: str, query: str, *, method: str = "HmacSHA256") -> str:
    """Return the base64 signature of *query* (see canonical) sent with *verb* to *path*."""
    text = f"{verb}\n{path}\n{query}".encode()
    return base64.b64encode(hmac.digest(secret.encode(), text, HASHES[method])).decode()


def with_signature(query: str, signed: str) -> str:
    """Return *query* with the signature at its end, encoded exactly once."""
    return f"{query}&signature={_quoted(signed)}"
