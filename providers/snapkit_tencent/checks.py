"""Whether a request to the emulator is signed by somebody it knows.

Everything is recomputed from what arrived: the bytes of the body, the headers that are named
as signed, the form as decoded.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from snapkit.emulator.dialect import Request
from snapkit.emulator.state import AccountState

from . import signing
from .wire import is_object

__all__ = [
    "COMMON_FIELDS",
    "Refusal",
    "body_of",
    "form",
    "old_form",
    "tc3",
]

Find = Callable[[str], AccountState | None]
TOLERANCE = 300
"""Seconds by which a request may be old, or ahead."""
COMMON_FIELDS = frozenset(
    {
        "Action",
        "Language",
        "Nonce",
        "Region",
        "RequestClient",
        "SecretId",
        "Signature",
        "SignatureMethod",
        "Timestamp",
        "Token",
        "Version",
    }
)
_AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<date>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/tc3_request, ?SignedHeaders=(?P<names>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)


class Refusal(Exception):
    """The vendor's "no": its code in API 3.0, its number in API 2.0."""

    def __init__(self, code: str, message: str, *, number: int = 9003) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.number = number


def tc3(request: Request, find: Find, wall: float, service: str) -> AccountState:
    """Return whose TC3 signature is on *request*, or raise what is wrong with it."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    names = set(found["names"].split(";")) if found else set[str]()
    if found is None or not {"content-type", "host"} <= names:
        raise Refusal("AuthFailure.InvalidAuthorization", "cannot read the Authorization header")
    scope = signing.Scope(_fresh(request.headers.get("x-tc-timestamp"), wall), found["service"])
    if scope.date != found["date"]:
        raise Refusal("AuthFailure.SignatureFailure", "the date is not that of the timestamp")
    if service and found["service"] != service:
        raise Refusal("AuthFailure.SignatureFailure", f"signed for {found['service']!r}")
    account = _known(find(found["key"]), request.headers.get("x-tc-token"))
    canonical = signing.canonical_request(
        method=request.method,
        path=request.path,
        query=request.query,
        headers={name: request.headers.get(name, "") for name in names},
        body_hash=_body_hash(request),
    )
    wanted = signing.tc3_signature(account.secret, signing.tc3_text(canonical, scope), scope)
    _compare(found["signature"], wanted)
    return account


def form(request: Request, find: Find, wall: float) -> AccountState:
    """Return whose form signature is on a request of API 3.0."""
    fields = request.form
    _fresh(fields.get("Timestamp"), wall)
    account = _known(find(fields.get("SecretId", "")), fields.get("Token"))
    _compare(fields.get("Signature", ""), _form_signature(request, fields, account))
    return account


def old_form(
    request: Request, find: Find, wall: float, first_use: Callable[[str], bool]
) -> AccountState:
    """Return whose form signature is on a request of API 2.0, which allows no nonce twice."""
    fields = request.form
    account = find(fields.get("SecretId", ""))
    if account is None:
        raise Refusal("AuthFailure", "SecretId does not exist", number=4104)
    if fields.get("Token") != account.token:
        raise Refusal("AuthFailure", "the token is wrong", number=4105)
    try:
        _fresh(fields.get("Timestamp"), wall)
    except Refusal as stale:
        raise Refusal("AuthFailure", "the request has expired", number=4200) from stale
    signed = dict(fields)
    if request.method == "POST":
        # The vendor's SDK does so (file uploads), so a server may expect it.
        signed = {name: value for name, value in fields.items() if not value.startswith("@")}
    given = fields.get("Signature", "")
    if not hmac.compare_digest(given.encode(), _form_signature(request, signed, account).encode()):
        raise Refusal("AuthFailure", "the signature is wrong", number=4100)
    nonce = fields.get("Nonce", "")
    if not (nonce.isascii() and nonce.isdigit() and int(nonce) > 0):
        raise Refusal("InvalidParameter", "Nonce is not a positive number", number=4000)
    if not first_use(f"{account.key_id}/{fields['Timestamp']}/{nonce}"):
        raise Refusal("AuthFailure", "the nonce was used before", number=4500)
    return account


def body_of(request: Request) -> Mapping[str, Any]:
    """Return the JSON object that is the body of *request*."""
    try:
        value = json.loads(request.body)
    except ValueError as error:
        raise Refusal("InvalidParameter", "the body is not JSON") from error
    if not is_object(value):
        raise Refusal("InvalidParameter", "the body is not an object")
    return value


def _fresh(written: str | None, wall: float) -> int:
    if written is None or not (written.isascii() and written.isdigit()):
        raise Refusal("MissingParameter", "the timestamp is missing")
    if abs(int(written) - wall) > TOLERANCE:
        raise Refusal("AuthFailure.SignatureExpire", "the signature has expired")
    return int(written)


def _known(account: AccountState | None, token: str | None) -> AccountState:
    if account is None:
        raise Refusal("AuthFailure.SecretIdNotFound", "the SecretId is not found")
    if token != account.token:
        raise Refusal("AuthFailure.TokenFailure", "the token is wrong")
    return account


def _body_hash(request: Request) -> str:
    unsigned = request.headers.get("x-tc-content-sha256") == "UNSIGNED-PAYLOAD"
    return hashlib.sha256(b"UNSIGNED-PAYLOAD" if unsigned else request.body).hexdigest()


def _form_signature(request: Request, fields: Mapping[str, str], account: AccountState) -> str:
    named = {name: value for name, value in fields.items() if name != "Signature"}
    host = request.headers.get("host", "")
    text = signing.form_text(request.method, host, request.path, named)
    method = fields.get("SignatureMethod", "HmacSHA1")
    if method not in signing.METHODS.values():
        raise Refusal("AuthFailure.SignatureFailure", "no such SignatureMethod", number=4100)
    return signing.form_signature(account.secret, text, method)


def _compare(given: str, wanted: str) -> None:
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        raise Refusal("AuthFailure.SignatureFailure", "the signature is wrong")
