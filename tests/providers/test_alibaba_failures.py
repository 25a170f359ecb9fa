"""Errors are told apart by code, never by status alone and never by message."""

import json
from pathlib import Path
from typing import Any

import pytest

from snapkit import errors
from snapkit.errors import Failure, Retry
from snapkit.http import HttpResponse
from snapkit_alibaba.failures import CODES, DRY_RUN, classify, read_answer

TABLE = json.loads(
    (Path(__file__).parents[1] / "data" / "alibaba_error_codes.json").read_text("utf-8")
)["codes"]
REAL = [row for row in TABLE if row["retry"] != "not-an-error"]


def answer(status: int, body: object, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpResponse(
        status=status,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        body=raw,
    )


def refused(response: HttpResponse) -> errors.SnapkitError:
    with pytest.raises(errors.SnapkitError) as caught:
        read_answer("DescribeSnapshots", response)
    return caught.value


@pytest.mark.parametrize("row", REAL, ids=lambda row: row["code"])
def test_each_documented_code_means_what_the_table_says(row: dict[str, Any]) -> None:
    """The status makes no difference: the service uses 403 for half of everything."""
    wanted = (Failure(row["class"]), Retry(row["retry"]))

    assert {wanted} == {classify(row["code"], status) for status in (200, 400, 403, 404, 500)}


@pytest.mark.faults(36)
@pytest.mark.parametrize("row", REAL, ids=lambda row: row["code"])
def test_each_documented_code_is_raised_with_its_context(row: dict[str, Any]) -> None:
    """Code and request id are what the vendor's support asks for."""
    body = {"Code": row["code"], "Message": "said", "RequestId": "R-1"}
    error = refused(answer(400, body))

    assert (row["code"], "R-1", "DescribeSnapshots") == (
        error.code,
        error.request_id,
        error.operation,
    )
    assert Retry(row["retry"]) is error.retry


def test_the_table_has_no_code_that_the_documents_do_not_have() -> None:
    """A spelling mistake would hide in a longer table."""
    assert {row["code"] for row in REAL} == set(CODES)


@pytest.mark.faults(37, 42)
@pytest.mark.parametrize(
    ("code", "status", "failure"),
    [
        ("Throttling.Something.New", 403, Failure.THROTTLED),
        ("InvalidAccessKeyId.Frozen", 404, Failure.AUTHENTICATION),
        ("SignatureVersionOld", 400, Failure.AUTHENTICATION),
        ("Forbidden.Tuesday", 400, Failure.PERMISSION),
        ("NoPermission.Disk", 403, Failure.PERMISSION),
        ("QuotaExceed.Moon", 403, Failure.QUOTA),
        ("IncorrectMoonPhase", 403, Failure.CONFLICT),
        ("Some.Conflict", 409, Failure.CONFLICT),
        ("InvalidFancyId.NotFound", 404, Failure.NOT_FOUND),
        ("InvalidFancyKey.NotFound", 404, Failure.INVALID),
        ("InvalidMode.NotSupported", 400, Failure.UNSUPPORTED),
        ("MissingFancy", 400, Failure.INVALID),
        ("Fancy.MalFormed", 404, Failure.INVALID),
        ("Brand.New", 503, Failure.SERVER),
        ("Brand.New", 429, Failure.THROTTLED),
        ("Brand.New", 401, Failure.AUTHENTICATION),
        ("Brand.New", 403, Failure.OTHER),
        ("Brand.New", 404, Failure.OTHER),
    ],
)
def test_unknown_codes_are_read_by_their_shape(code: str, status: int, failure: Failure) -> None:
    """403 and 404 alone say nothing, and the suffix NotFound says little."""
    assert failure is classify(code, status)[0]


@pytest.mark.faults(35, 39)
def test_an_error_in_a_good_answer_is_an_error() -> None:
    """An empty list would be the worst way to say "denied"."""
    body: dict[str, Any] = {"Code": "Forbidden.RAM", "Snapshots": {"Snapshot": []}}

    assert isinstance(refused(answer(200, body)), errors.PermissionDeniedError)


def test_a_denied_caller_learns_what_to_grant() -> None:
    """The code alone does not name the action."""
    error = refused(answer(403, {"Code": "Forbidden.RAM", "Message": "no", "RequestId": "R"}))

    assert error.hint == "grant the RAM action ecs:DescribeSnapshots"


def test_lower_case_envelopes_of_gateways_are_understood() -> None:
    """Some gateways write code, message and requestId."""
    error = refused(answer(400, {"code": "Throttling", "message": "slow", "requestId": "R-9"}))

    assert isinstance(error, errors.ThrottledError)
    assert (error.code, error.message, error.request_id) == ("Throttling", "slow", "R-9")


@pytest.mark.faults(36)
def test_an_error_in_xml_is_read_without_a_parser() -> None:
    """Errors raised before the format is understood come as XML whatever was asked."""
    body = (
        b"<?xml version='1.0'?><Error><RequestId>R-2</RequestId><HostId>h</HostId>"
        b"<Code>InvalidAccessKeyId.NotFound</Code><Message>a &lt;b&gt;</Message></Error>"
    )
    error = refused(answer(404, body))

    assert isinstance(error, errors.AuthenticationError)
    assert (error.request_id, error.message) == ("R-2", "a <b>")


@pytest.mark.faults(20)
def test_a_page_of_html_is_no_answer() -> None:
    """A portal's 200 must not become an empty list."""
    error = refused(answer(200, b"<html><body>Please sign in</body></html>"))

    assert isinstance(error, errors.ProtocolError)
    assert not error.retryable


@pytest.mark.faults(21, 23, 24, 28, 31, 34, 38)
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, b"<html>Bad gateway</html>", errors.UnavailableError),
        (200, b"", errors.ProtocolError),
        (200, b'{"Snapshots": {"Snap', errors.ProtocolError),
        (200, b"[]", errors.ProtocolError),
        (200, b"null", errors.ProtocolError),
        (200, b'{"a": NaN}', errors.ProtocolError),
        (200, b"[" * 100_000, errors.ProtocolError),
        (429, b"", errors.ThrottledError),
        (400, b"{}", errors.ProviderError),
        (400, b'{"Code": null, "Message": null}', errors.ProviderError),
        (400, b'{"Code": ["x"]}', errors.ProviderError),
        (500, b"{}", errors.UnavailableError),
    ],
)
def test_broken_answers_are_errors(
    status: int, body: bytes, kind: type[errors.SnapkitError]
) -> None:
    """Whatever arrives, it is never taken for "nothing there"."""
    assert isinstance(refused(answer(status, body)), kind)


def test_the_signed_text_is_cut_from_messages() -> None:
    """It holds the key id and the token of temporary credentials."""
    message = (
        "Specified signature is not matched with our calculation."
        " server string to sign is:POST&%2F&AccessKeyId%3DLTAICANARY%26SecurityToken%3DCANARY"
    )
    error = refused(answer(400, {"Code": "SignatureDoesNotMatch", "Message": message}))

    assert "CANARY" not in str(error)
    assert "not matched" in str(error)


@pytest.mark.faults(40)
def test_the_waiting_time_of_the_service_is_in_milliseconds() -> None:
    """Read as seconds it would be a quarter of an hour."""
    body = {"Code": "Throttling.User", "Message": "slow"}

    assert refused(answer(400, body, x_acs_retry_after="1500")).retry_after == 1.5
    assert refused(answer(400, body, x_acs_retry_after="soon")).retry_after is None


def test_a_dry_run_succeeds_with_an_error() -> None:
    """Only where one was asked for: elsewhere that code would hide a missing answer."""
    response = answer(400, {"Code": DRY_RUN, "RequestId": "R"})

    assert read_answer("CreateSnapshot", response, dry_run=True)["RequestId"] == "R"
    assert isinstance(refused(response), errors.ProviderError)
