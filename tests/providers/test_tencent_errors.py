"""What each error code means."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from snapkit.errors import (
    AuthenticationError,
    Failure,
    PermissionDeniedError,
    ProtocolError,
    ProviderError,
    Retry,
    Sent,
    SnapkitError,
    ThrottledError,
    UnavailableError,
)
from snapkit.http import HttpResponse
from snapkit_tencent import failures, legacy, wire

TABLE: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "data" / "tencent_error_codes.json").read_text("utf-8")
)
CLASSES = {failure.value: failure for failure in Failure}
RETRIES = {retry.value: retry for retry in Retry}


def real(name: str) -> list[dict[str, Any]]:
    return [entry for entry in TABLE[name] if entry["retry"] != "not-an-error"]


def code_of(entry: dict[str, Any]) -> str:
    return str(entry["code"])


def response(body: Any, status: int = 200) -> HttpResponse:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(status=status, headers={}, body=content)


def new(error: Any, status: int = 200) -> SnapkitError:
    """The exception that an error in API 3.0's envelope becomes."""
    body = {"Response": {"Error": error, "RequestId": "req-1"}}
    with pytest.raises(SnapkitError) as caught:
        wire.payload_of(response(body, status), "DescribeSnapshots")
    return caught.value


def old(body: Any, status: int = 200) -> SnapkitError:
    with pytest.raises(SnapkitError) as caught:
        legacy.payload_of(response(body, status), "DescribeSnapshots")
    return caught.value


@pytest.mark.parametrize("entry", real("api3"), ids=code_of)
def test_every_listed_code_has_its_class_and_retry(entry: dict[str, Any]) -> None:
    """The whole list of the vendor, and some codes met in public code only."""
    error = new({"Code": entry["code"], "Message": "whatever"})
    expected = CLASSES[entry["class"]]

    assert (expected, RETRIES[entry["retry"]]) == failures.CODES[entry["code"]]
    assert type(expected.error("")) is type(error)
    assert (entry["code"], "req-1", RETRIES[entry["retry"]]) == (
        error.code,
        error.request_id,
        error.retry,
    )
    assert entry["request_not_executed"] is (error.sent is Sent.NO)


@pytest.mark.parametrize("entry", real("api2"), ids=code_of)
@pytest.mark.parametrize("as_text", [False, True], ids=["number", "text"])
def test_every_number_has_its_class_and_retry(entry: dict[str, Any], as_text: bool) -> None:
    """API 2.0 writes codes as numbers or as texts."""
    code = str(entry["code"]) if as_text else entry["code"]
    error = old({"code": code, "message": "whatever"})

    assert type(CLASSES[entry["class"]].error("")) is type(error)
    assert (str(entry["code"]), RETRIES[entry["retry"]]) == (error.code, error.retry)
    assert entry["request_not_executed"] is (error.sent is Sent.NO)


def test_the_tables_hold_nothing_else() -> None:
    """A code in our tables that the list does not have is a slip."""
    assert {code_of(entry) for entry in real("api3")} == set(failures.CODES)
    assert {code_of(entry) for entry in real("api2")} == set(failures.NUMBERS)
    assert {
        code_of(entry)
        for entry in TABLE["api3"] + TABLE["api2"]
        if entry["retry"] == "not-an-error"
    } == failures.NOT_FAILURES


FAMILIES = [
    ("RequestLimitExceeded.Tomorrow", Failure.THROTTLED, Retry.BACKOFF),
    ("AuthFailure.Tomorrow", Failure.AUTHENTICATION, Retry.NEVER),
    ("UnauthorizedOperation.Tomorrow", Failure.PERMISSION, Retry.NEVER),
    ("InvalidKey.NotFound", Failure.NOT_FOUND, Retry.NEVER),
    ("ResourceNotFound.Tomorrow", Failure.NOT_FOUND, Retry.NEVER),
    ("LimitExceeded.Tomorrow", Failure.QUOTA, Retry.NEVER),
    ("TomorrowQuotaExceeded", Failure.QUOTA, Retry.NEVER),
    ("InvalidSnapshot.Busy", Failure.CONFLICT, Retry.STATE),
    ("InvalidDisk.BackupCreating", Failure.CONFLICT, Retry.STATE),
    ("UnsupportedTomorrow", Failure.UNSUPPORTED, Retry.NEVER),
    ("InvalidDisk.NotSupportTomorrow", Failure.UNSUPPORTED, Retry.NEVER),
    ("InvalidTomorrow", Failure.INVALID, Retry.NEVER),
    ("InternalError.Tomorrow", Failure.SERVER, Retry.BACKOFF),
    ("ServiceTomorrow", Failure.SERVER, Retry.BACKOFF),
    ("Tomorrow", Failure.OTHER, Retry.NEVER),
]


@pytest.mark.faults(37, 42)
@pytest.mark.parametrize(("code", "failure", "retry"), FAMILIES, ids=[row[0] for row in FAMILIES])
def test_an_unlisted_code_is_judged_by_its_family(
    code: str, failure: Failure, retry: Retry
) -> None:
    """The vendor adds codes at any time; the order of the rules matters."""
    assert (failure, retry) == failures.verdict_of(code)


@pytest.mark.faults(37)
def test_an_unknown_code_is_judged_by_the_status() -> None:
    """A gateway in front of the API knows at least that much."""
    assert ThrottledError is type(new({"Code": "Tomorrow"}, 429))
    assert UnavailableError is type(new({"Code": "Tomorrow"}, 503))
    assert UnavailableError is type(old({"code": 99999}, 502))
    assert ProviderError is type(old({"code": 99999}))


def test_permission_is_told_from_authentication_despite_the_prefix() -> None:
    """AuthFailure.UnauthorizedOperation is a policy that says no; a new key would not help."""
    error = new({"Code": "AuthFailure.UnauthorizedOperation", "Message": "no"})

    assert isinstance(error, PermissionDeniedError)
    assert "allow DescribeSnapshots of CBS" in (error.hint or "")


@pytest.mark.faults(38)
@pytest.mark.parametrize("error", [{}, {"Code": None, "Message": None}, "broken", []])
def test_an_error_without_a_code_is_still_an_error(error: Any) -> None:
    """An empty listing in its place would be a lie."""
    assert (ProviderError, None) == (type(new(error)), new(error).code)


@pytest.mark.faults(39)
def test_an_error_beside_rows_wins() -> None:
    """Half an answer is none."""
    body: dict[str, Any] = {
        "Response": {"SnapshotSet": [], "TotalCount": 0, "Error": {"Code": "InternalError"}}
    }

    with pytest.raises(UnavailableError):
        wire.payload_of(response(body), "DescribeSnapshots")


def test_a_dry_run_that_passed_is_no_error() -> None:
    """The vendor reports it where errors stand."""
    body = {"Response": {"Error": {"Code": "DryRunOperation"}, "RequestId": "r"}}

    assert "r" == wire.payload_of(response(body), "CreateSnapshot")["RequestId"]


@pytest.mark.parametrize("code", [0, "0", 0.0, " 0 "])
def test_success_in_the_old_api_is_zero_however_it_is_written(code: Any) -> None:
    """Both the number and the text are on record."""
    assert legacy.payload_of(response({"code": code, "x": 1}), "A")["x"] == 1


@pytest.mark.parametrize("code", [False, True, -1, "failed", [], {}, 10**30])
def test_a_code_that_is_no_success_is_an_error(code: Any) -> None:
    """False is not zero, and what cannot be read is not success."""
    assert ProviderError is type(old({"code": code}))


def test_the_old_codes_name_stands_in_the_message() -> None:
    """The number alone tells a person nothing."""
    error = old({"code": 4100, "codeDesc": "AuthFailure", "message": "signature"})

    assert isinstance(error, AuthenticationError)
    assert "4100: AuthFailure: signature; check the secret key" in str(error)


NO_ANSWERS = [
    (b"<html><body>Please sign in</body></html>", 200, ProtocolError, Retry.NEVER),
    (b"<html>bad gateway</html>", 502, UnavailableError, Retry.BACKOFF),
    (b"", 200, ProtocolError, Retry.BACKOFF),
    (b'{"Response": {"TotalCount"', 200, ProtocolError, Retry.BACKOFF),
    (b"[]", 200, ProtocolError, Retry.BACKOFF),
    (b"null", 200, ProtocolError, Retry.BACKOFF),
    (b'{"Response": null}', 200, ProtocolError, Retry.NEVER),
    (b'{"message": "slow down"}', 429, ThrottledError, Retry.BACKOFF),
    (b'{"message": "ill"}', 503, UnavailableError, Retry.BACKOFF),
    (b'{"message": "who"}', 200, ProtocolError, Retry.NEVER),
    (b'{"Response": ' + b"9" * 5000 + b"}", 200, ProtocolError, Retry.BACKOFF),
    (b"[" * 100_000, 200, ProtocolError, Retry.BACKOFF),
]


@pytest.mark.faults(20, 21, 23, 24)
@pytest.mark.parametrize("read", [wire.payload_of, legacy.payload_of], ids=["3.0", "2.0"])
@pytest.mark.parametrize(
    ("body", "status", "kind", "retry"), NO_ANSWERS, ids=[str(row[0][:24]) for row in NO_ANSWERS]
)
def test_what_is_not_the_apis_answer_is_an_error(
    read: Any, body: bytes, status: int, kind: type[SnapkitError], retry: Retry
) -> None:
    """Portals, gateways and cut answers never look like an empty account."""
    with pytest.raises(kind) as caught:
        read(response(body, status), "DescribeSnapshots")

    assert retry is caught.value.retry


@pytest.mark.faults(86)
def test_errors_cross_processes_whole() -> None:
    """Fleets run in process pools."""
    error = pickle.loads(pickle.dumps(new({"Code": "UnsupportedOperation.SnapHasShared"})))

    assert ("UnsupportedOperation.SnapHasShared", "req-1") == (error.code, error.request_id)
    assert "cancel the shares first" == error.hint
