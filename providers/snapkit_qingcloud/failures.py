"""What QingCloud's error codes mean, as data, and the two that only their text explains.

Source: docs.qingcloud.com/product/api/common/error_code.html; the texts of 1400 are from
recorded answers.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from snapkit.errors import Failure, Retry, SnapkitError
from snapkit.vocabulary import text

__all__ = ["CODES", "HINTS", "classify", "meaning"]

Meaning: TypeAlias = tuple[Failure, Retry]

_AUTHENTICATION: Meaning = (Failure.AUTHENTICATION, Retry.NEVER)
_ACCOUNT: Meaning = (Failure.ACCOUNT, Retry.NEVER)
_SERVER: Meaning = (Failure.SERVER, Retry.BACKOFF)
_UNSUPPORTED: Meaning = (Failure.UNSUPPORTED, Retry.NEVER)
_INVALID: Meaning = (Failure.INVALID, Retry.NEVER)
_PERMISSION: Meaning = (Failure.PERMISSION, Retry.NEVER)
_QUOTA: Meaning = (Failure.QUOTA, Retry.NEVER)

CODES: Mapping[int, Meaning] = {
    1100: _INVALID,
    1101: _UNSUPPORTED,
    1200: _AUTHENTICATION,
    1300: (Failure.AUTHENTICATION, Retry.REPAIR),
    1400: _PERMISSION,
    **dict.fromkeys((1500, 1510, 1520, 1600, 1610, 1620, 1630, 1650, 1660, 1661), _AUTHENTICATION),
    1640: (Failure.THROTTLED, Retry.NEVER),
    1662: _PERMISSION,
    2000: (Failure.AUTHENTICATION, Retry.REPAIR),
    2100: (Failure.NOT_FOUND, Retry.NEVER),
    2110: (Failure.CONFLICT, Retry.NEVER),
    2200: _ACCOUNT,
    2300: _ACCOUNT,
    2400: _ACCOUNT,
    2500: _QUOTA,
    3300: _UNSUPPORTED,
    **dict.fromkeys(range(4000, 4006), _ACCOUNT),
    5000: _SERVER,
    5100: _SERVER,
    5200: _SERVER,
    5300: _SERVER,
    5400: (Failure.CONFLICT, Retry.NEVER),
    5500: _UNSUPPORTED,
    5600: _UNSUPPORTED,
    **dict.fromkeys(range(8000, 8005), _INVALID),
}
"""Each documented code; 1400 and 2500 stand for what their text does not say otherwise."""

HINTS: Mapping[int, str] = {
    1200: "check the access key id and the secret access key, and that they belong together",
    1300: "set this machine's clock",
    2000: "get a new token",
    2400: "top up the account",
}

_SHAPES: tuple[tuple[re.Pattern[str], Meaning, str | None], ...] = (
    (
        re.compile(r"lease info not ready|please try later|请稍后|请稍候"),
        (Failure.CONFLICT, Retry.BACKOFF),
        None,
    ),
    (
        re.compile(r"\[[a-z]+ing\]"),
        (Failure.CONFLICT, Retry.STATE),
        "wait until the change under way has ended",
    ),
    (
        re.compile(r"is not available|is not running|can ?not create .* from it|can ?not be "),
        (Failure.CONFLICT, Retry.STATE),
        "wait until it is available",
    ),
    (re.compile(r"you can create up to|at most|you can only|最多"), _QUOTA, None),
    (
        re.compile(r"access denied for zone"),
        _PERMISSION,
        "check that the zone is one of the account's",
    ),
    (re.compile(r"in different zone"), _INVALID, None),
)
"""The texts of 1400 in the order in which they count; anything else is a true refusal."""

_ABOUT_CALLS = re.compile(r"\bapi\b|\brequests?\b|请求|调用", re.ASCII)


def meaning(code: int | None, message: str) -> tuple[Failure, Retry, str | None]:
    """Return what *code* with *message* is, when to try again, and what would help."""
    if code == 1400:
        lowered = message.lower()
        for shape, (failure, retry), hint in _SHAPES:
            if shape.search(lowered):
                return failure, retry, hint
    if code == 2500 and _ABOUT_CALLS.search(message.lower()):
        return Failure.THROTTLED, Retry.BACKOFF, "an account may make 2000 calls an hour"
    if code is None:
        return Failure.OTHER, Retry.NEVER, None
    unlisted = _SERVER if code >= 5000 else (Failure.OTHER, Retry.NEVER)
    failure, retry = CODES.get(code, unlisted)
    return failure, retry, HINTS.get(code)


def classify(payload: Mapping[str, Any], *, request_id: str | None) -> SnapkitError | None:
    """Return the error that *payload* is, None for ``ret_code`` 0.

    The provider returns no request id, so *request_id* is the one that was sent.
    """
    given = payload.get("ret_code")
    code = _whole(given)
    if code == 0:
        return None
    message = text(payload.get("message")) or "the provider gives no reason"
    failure, retry, hint = meaning(code, message)
    return failure.error(
        message,
        code=_verbatim(given if code is None else code),
        request_id=request_id,
        retry=retry,
        hint=hint,
    )


def _verbatim(code: object) -> str:
    return "<no code>" if code is None else str(code)[:64]


def _whole(value: object) -> int | None:
    """Return a code from ``1400`` or ``"1400"``; None for what is no whole number."""
    if isinstance(value, str) and len(value) < 12:
        try:
            return int(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value and abs(value) < 2**63 and value == int(value) else None
