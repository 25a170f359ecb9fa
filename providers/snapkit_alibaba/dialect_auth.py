"""Who asks: what a request claims about itself, and whether that is true."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import NoReturn
from urllib.parse import parse_qsl

import attrs

from snapkit.emulator.dialect import Request
from snapkit.emulator.state import AccountState, World
from snapkit.vocabulary import parse_time
from snapkit_alibaba import signing
from snapkit_alibaba.failures import PROVIDER

__all__ = ["Refusal", "authenticate", "check_names", "no"]

TOLERANCE = 15 * 60
"""Seconds by which a caller's clock may be wrong."""


class Refusal(Exception):
    """What the service says instead of an answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


def no(status: int, code: str, message: str = "The specified parameter is not valid.") -> NoReturn:
    """Refuse with *code* in the service's envelope."""
    raise Refusal(status, code, message)


@attrs.frozen(kw_only=True)
class _Claim:
    """What a request says about its sender, and how to check it with a secret."""

    key_id: str
    time: str
    nonce: str
    token: str | None
    signature: str
    signed: str
    """The text that was signed; the service repeats it when the signature is wrong."""
    expected: Callable[[str], str] = attrs.field(repr=False)


def authenticate(world: World, request: Request) -> AccountState:
    """Return the account that sent *request*, or refuse."""
    claim = (_acs3 if "authorization" in request.headers else _rpc)(request)
    account = world.account(PROVIDER, claim.key_id)
    if account is None:
        no(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
    _check_time(claim.time, world.clock.wall())
    if not hmac.compare_digest(claim.expected(account.secret).encode(), claim.signature.encode()):
        no(
            400,
            "SignatureDoesNotMatch",
            "Specified signature is not matched with our calculation."
            f" server string to sign is:{claim.signed}",
        )
    _check_token(account, claim.token)
    if not claim.nonce or not world.first_use(PROVIDER, f"{claim.key_id}:{claim.nonce}"):
        no(400, "SignatureNonceUsed", "Specified signature nonce was used already.")
    return account


def _check_time(time: str, now: float) -> None:
    moment = parse_time(time) if time.endswith("Z") else None
    if moment is None:
        no(400, "InvalidTimeStamp.Format", "Specified time stamp is not well formatted.")
    if abs(moment.timestamp() - now) > TOLERANCE:
        no(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")


def _check_token(account: AccountState, token: str | None) -> None:
    if token == account.token:
        return
    if token is None:
        no(400, "MissingSecurityToken", "SecurityToken is required for this key.")
    no(
        400,
        "InvalidSecurityToken.MismatchWithAccessKey",
        "Specified SecurityToken mismatch with the AccessKey.",
    )


def _rpc(request: Request) -> _Claim:
    form = request.form
    for name in ("AccessKeyId", "Signature", "SignatureNonce", "Timestamp"):
        if not form.get(name):
            no(400, "MissingParameter", f'The input parameter "{name}" is not supplied.')
    if (form.get("SignatureMethod"), form.get("SignatureVersion")) != ("HMAC-SHA1", "1.0"):
        no(400, "InvalidParamater", "The specified signature method or version is not valid.")
    params = {name: value for name, value in form.items() if name != "Signature"}
    return _Claim(
        key_id=form["AccessKeyId"],
        time=form["Timestamp"],
        nonce=form["SignatureNonce"],
        token=form.get("SecurityToken"),
        signature=form["Signature"],
        signed=signing.rpc_string_to_sign(request.method, params),
        expected=lambda secret: signing.rpc_signature(request.method, params, secret),
    )


def _acs3(request: Request) -> _Claim:
    headers = request.headers
    algorithm, _, rest = headers["authorization"].partition(" ")
    pairs = (part.strip().partition("=") for part in rest.split(","))
    parts = {name: value for name, _, value in pairs}
    signed = parts.get("SignedHeaders", "").split(";")
    needed = {name for name in headers if name == "host" or name.startswith("x-acs-")}
    if algorithm != signing.ALGORITHM or not parts.get("Signature") or set(signed) - set(headers):
        no(400, "IncompleteSignature", "The request signature does not conform to standards.")
    if "x-acs-signature-nonce" not in headers or needed - set(signed):
        no(400, "IncompleteSignature", "A header that has to be signed is not.")
    canonical = signing.acs3_canonical_request(
        request.method,
        request.path,
        dict(parse_qsl(request.query, keep_blank_values=True)),
        headers,
        signed,
    )
    digest = hashlib.sha256(request.body).hexdigest()
    whole = headers.get("x-acs-content-sha256") == digest
    return _Claim(
        key_id=parts.get("Credential", ""),
        time=headers.get("x-acs-date", ""),
        nonce=headers["x-acs-signature-nonce"],
        token=headers.get("x-acs-security-token"),
        signature=parts["Signature"],
        signed=signing.acs3_string_to_sign(canonical),
        expected=lambda secret: signing.acs3_signature(canonical, secret) if whole else "",
    )


def check_names(form: Mapping[str, str], known: frozenset[str]) -> None:
    """Refuse a parameter that is not among *known*, where ``N`` stands for any number."""
    for name in form:
        parts = ["N" if part.isdigit() else part for part in name.split(".")]
        if ".".join(parts) not in known:
            no(400, "UnsupportedParameter", f"The parameter {name} is not supported.")
