"""QingCloud's codes, and the two that only their text explains."""

from typing import Any

import pytest

from snapkit.errors import (
    AuthenticationError,
    ConflictError,
    Failure,
    InvalidRequestError,
    PermissionDeniedError,
    ProtocolError,
    ProviderError,
    QuotaError,
    Retry,
    SnapkitError,
    ThrottledError,
    UnavailableError,
)
from snapkit.http import HttpResponse
from snapkit.transport import Call
from snapkit_qingcloud.driver import QingCloudApi
from snapkit_qingcloud.failures import CODES, classify

NEVER, BACKOFF, STATE, REPAIR = Retry.NEVER, Retry.BACKOFF, Retry.STATE, Retry.REPAIR

TABLE: dict[int, tuple[Failure, Retry]] = {
    1100: (Failure.INVALID, NEVER),
    1101: (Failure.UNSUPPORTED, NEVER),
    1200: (Failure.AUTHENTICATION, NEVER),
    1300: (Failure.AUTHENTICATION, REPAIR),
    1400: (Failure.PERMISSION, NEVER),
    1500: (Failure.AUTHENTICATION, NEVER),
    1510: (Failure.AUTHENTICATION, NEVER),
    1520: (Failure.AUTHENTICATION, NEVER),
    1600: (Failure.AUTHENTICATION, NEVER),
    1610: (Failure.AUTHENTICATION, NEVER),
    1620: (Failure.AUTHENTICATION, NEVER),
    1630: (Failure.AUTHENTICATION, NEVER),
    1640: (Failure.THROTTLED, NEVER),
    1650: (Failure.AUTHENTICATION, NEVER),
    1660: (Failure.AUTHENTICATION, NEVER),
    1661: (Failure.AUTHENTICATION, NEVER),
    1662: (Failure.PERMISSION, NEVER),
    2000: (Failure.AUTHENTICATION, REPAIR),
    2100: (Failure.NOT_FOUND, NEVER),
    2110: (Failure.CONFLICT, NEVER),
    2200: (Failure.ACCOUNT, NEVER),
    2300: (Failure.ACCOUNT, NEVER),
    2400: (Failure.ACCOUNT, NEVER),
    2500: (Failure.QUOTA, NEVER),
    3300: (Failure.UNSUPPORTED, NEVER),
    4000: (Failure.ACCOUNT, NEVER),
    4001: (Failure.ACCOUNT, NEVER),
    4002: (Failure.ACCOUNT, NEVER),
    4003: (Failure.ACCOUNT, NEVER),
    4004: (Failure.ACCOUNT, NEVER),
    4005: (Failure.ACCOUNT, NEVER),
    5000: (Failure.SERVER, BACKOFF),
    5100: (Failure.SERVER, BACKOFF),
    5200: (Failure.SERVER, BACKOFF),
    5300: (Failure.SERVER, BACKOFF),
    5400: (Failure.CONFLICT, NEVER),
    5500: (Failure.UNSUPPORTED, NEVER),
    5600: (Failure.UNSUPPORTED, NEVER),
    8000: (Failure.INVALID, NEVER),
    8001: (Failure.INVALID, NEVER),
    8002: (Failure.INVALID, NEVER),
    8003: (Failure.INVALID, NEVER),
    8004: (Failure.INVALID, NEVER),
}


def error_of(code: Any, message: Any = "Name, detail") -> SnapkitError:
    error = classify({"ret_code": code, "message": message}, request_id="0af1")

    assert error is not None
    return error


def test_the_table_is_the_documented_one() -> None:
    """A code that is added or lost is noticed here."""
    assert TABLE == dict(CODES)


@pytest.mark.parametrize(("code", "expected"), TABLE.items())
def test_a_code_becomes_its_class(code: int, expected: tuple[Failure, Retry]) -> None:
    """Programs decide by class, people by the code, which stays as it came."""
    failure, retry = expected
    error = error_of(code)

    assert (type(failure.error("")), retry) == (type(error), error.retry)
    assert (str(code), "Name, detail", "0af1") == (error.code, error.message, error.request_id)


@pytest.mark.faults(37, 38)
@pytest.mark.parametrize(
    ("code", "kind", "retry"),
    [
        (1234, ProviderError, NEVER),
        (3999, ProviderError, NEVER),
        (-1, ProviderError, NEVER),
        (5999, UnavailableError, BACKOFF),
        (9999, UnavailableError, BACKOFF),
        ("1200", AuthenticationError, NEVER),
        (1200.0, AuthenticationError, NEVER),
        ("what", ProviderError, NEVER),
        (None, ProviderError, NEVER),
        (True, ProviderError, NEVER),
    ],
)
def test_a_code_from_the_future_is_an_error_all_the_same(
    code: Any, kind: type[SnapkitError], retry: Retry
) -> None:
    """Below 5000 the request is at fault, above it the server."""
    error = error_of(code)

    assert (kind, retry) == (type(error), error.retry)


@pytest.mark.parametrize("ok", [0, "0", 0.0])
def test_zero_is_success(ok: Any) -> None:
    """The only sign there is, HTTP being 200 always."""
    assert classify({"ret_code": ok}, request_id=None) is None


SHAPES: list[tuple[str, type[SnapkitError], Retry]] = [
    ("PermissionDenied, resource [ss-1] lease info not ready", ConflictError, BACKOFF),
    ("PermissionDenied, Please Try Later", ConflictError, BACKOFF),
    ("PermissionDenied，资源正忙，请稍后再试", ConflictError, BACKOFF),
    ("PermissionDenied, resource [ss-1] is [creating], wait", ConflictError, STATE),
    ("PermissionDenied, snapshot [ss-1] is in transition [deleting]", ConflictError, STATE),
    ("PermissionDenied, snapshot [ss-1] is not available", ConflictError, STATE),
    ("PermissionDenied, instance [i-1] is not running", ConflictError, STATE),
    ("PermissionDenied, can not create volume from it", ConflictError, STATE),
    ("PermissionDenied, it can not be deleted", ConflictError, STATE),
    ("PermissionDenied, you can create up to [2] chains", QuotaError, NEVER),
    ("PermissionDenied, a server has at most [10] volumes", QuotaError, NEVER),
    ("PermissionDenied, you can only have [2]", QuotaError, NEVER),
    ("PermissionDenied, access denied for zone [pek9]", PermissionDeniedError, NEVER),
    ("PermissionDenied, they are in different zone", InvalidRequestError, NEVER),
    ("PermissionDenied, describe resource failed", PermissionDeniedError, NEVER),
    ("权限不足", PermissionDeniedError, NEVER),
    ("", PermissionDeniedError, NEVER),
    ("resource [ss-1] is [creating], please try later", ConflictError, BACKOFF),
    ("resource [ss-morning] is not yours", PermissionDeniedError, NEVER),
]


@pytest.mark.parametrize(("message", "kind", "retry"), SHAPES, ids=[one[0] for one in SHAPES])
def test_1400_is_read_by_its_text_and_the_first_hit_wins(
    message: str, kind: type[SnapkitError], retry: Retry
) -> None:
    """One code stands for a refusal, a wrong state, a busy moment and a quota."""
    error = error_of(1400, message)

    assert (kind, retry) == (type(error), error.retry)


@pytest.mark.faults(42)
@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("QuotaExceeded, resource quota exceeded", QuotaError),
        ("QuotaExceeded, [2] snapshots were requested", QuotaError),
        ("QuotaExceeded, API quota exceeded", ThrottledError),
        ("QuotaExceeded, too many requests", ThrottledError),
        ("接口请求超过配额", ThrottledError),
    ],
)
def test_2500_is_a_throttle_when_it_speaks_of_calls(message: str, kind: type[SnapkitError]) -> None:
    """A full quota of snapshots does not pass by waiting, one of calls does."""
    assert kind is type(error_of(2500, message))


def read(body: bytes, status: int = 200) -> Any:
    response = HttpResponse(status=status, headers={}, body=body)
    return QingCloudApi(request_id="0af1").read(Call(operation="X", url="https://x"), response)


@pytest.mark.faults(39)
def test_an_error_wins_over_rows_beside_it() -> None:
    """A list next to an error is not to be trusted."""
    with pytest.raises(UnavailableError) as caught:
        read(b'{"ret_code": 5000, "message": "InternalError", "snapshot_set": []}')

    assert ("5000", "0af1") == (caught.value.code, caught.value.request_id)


@pytest.mark.faults(20, 21, 23, 24, 26, 28, 29, 31, 34)
@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"<html>Please sign in</html>", 200, ProtocolError),
        (b"<html>Bad Gateway</html>", 502, UnavailableError),
        (b"", 503, UnavailableError),
        (b"", 200, ProtocolError),
        (b"", 429, ThrottledError),
        (b'{"ret_code": 0, "snapsho', 200, ProtocolError),
        (b"[]", 200, ProtocolError),
        (b"null", 200, ProtocolError),
        (b"\xff\xfe\xfa", 200, ProtocolError),
        (b'{"ret_code": NaN}', 200, ProtocolError),
        (b"[" * 100_000, 200, ProtocolError),
        (b"9" * 5000, 200, ProtocolError),
        (b'{"snapshot_set": []}', 200, ProtocolError),
        (b'{"message": "no route"}', 404, ProtocolError),
        (b'{"message": "slow down"}', 429, ThrottledError),
        (b'{"message": "broken"}', 500, UnavailableError),
        (b'{"ret_code": 0, "snapshot_set": []}', 500, UnavailableError),
        (b'{"ret_code": 1200, "message": "AuthFailure"}', 401, AuthenticationError),
    ],
)
def test_what_is_not_a_success_is_an_error(
    body: bytes, status: int, kind: type[SnapkitError]
) -> None:
    """Never an empty list."""
    with pytest.raises(SnapkitError) as caught:
        read(body, status)

    assert kind is type(caught.value)


def test_a_byte_order_mark_is_no_error() -> None:
    """Some gateways add one."""
    assert 0 == read('\ufeff{"ret_code": 0}'.encode())["ret_code"]
