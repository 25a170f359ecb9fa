"""The exit code is what a script learns without reading."""

import pytest

from snapkit import errors
from snapkit.cli.exits import Exit, of_error, of_report
from snapkit.listing import Outcome, Report, Scope, ScopeReport, outcome_of
from snapkit.model import Kind

CASES: list[tuple[BaseException, Exit]] = [
    (errors.CredentialsMissingError("none"), Exit.CREDENTIALS),
    (errors.AuthenticationError("wrong"), Exit.CREDENTIALS),
    (errors.PermissionDeniedError("no"), Exit.CREDENTIALS),
    (errors.ConfigurationError("bad"), Exit.USAGE),
    (errors.UnknownProviderError("who"), Exit.USAGE),
    (errors.QueryError("what"), Exit.USAGE),
    (errors.UnsupportedError("cannot"), Exit.USAGE),
    (errors.NotFoundError("gone"), Exit.NOT_FOUND),
    (errors.ThrottledError("slower"), Exit.TEMPORARY),
    (errors.UnavailableError("ill"), Exit.TEMPORARY),
    (errors.TransportError("refused"), Exit.TEMPORARY),
    (errors.DeadlineExceededError("late"), Exit.TEMPORARY),
    (errors.TransportError("untrusted", retry=errors.Retry.NEVER), Exit.ERROR),
    (errors.ProtocolError("html", retry=errors.Retry.NEVER), Exit.ERROR),
    (errors.OutcomeUnknown("lost"), Exit.TEMPORARY),
    (errors.WaitTimeoutError("late"), Exit.WAIT_TIMED_OUT),
    (errors.WaitCancelledError("stop"), Exit.CANCELLED),
    (errors.WaitFailedError("failed"), Exit.ERROR),
    (errors.ConflictError("locked"), Exit.ERROR),
    (errors.ArgumentError("bad"), Exit.USAGE),
    (errors.AccountError("arrears"), Exit.ERROR),
    (RuntimeError("bug"), Exit.ERROR),
]


@pytest.mark.parametrize(("error", "expected"), CASES, ids=lambda one: type(one).__name__)
def test_each_error_has_its_code(error: BaseException, expected: Exit) -> None:
    """Retrying helps with 5 and only with 5."""
    assert expected == of_error(error)


def scope(error: errors.SnapkitError | None = None, rows: int = 0) -> ScopeReport:
    place = Scope(provider="paper", account="", region="north", kind=Kind.SNAPSHOT)
    outcome = outcome_of(error) if error else Outcome.OK if rows else Outcome.EMPTY
    return ScopeReport(scope=place, outcome=outcome, error=error, rows=rows)


DENIED = errors.PermissionDeniedError("no")
BUSY = errors.ThrottledError("slower")


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ([scope(rows=3), scope()], Exit.OK),
        ([scope(rows=3), scope(DENIED)], Exit.PARTIAL),
        ([scope(), scope(DENIED)], Exit.PARTIAL),
        ([scope(BUSY, rows=100)], Exit.PARTIAL),
        ([scope(DENIED), scope(DENIED), scope(BUSY)], Exit.CREDENTIALS),
        ([scope(BUSY), scope(BUSY), scope(DENIED)], Exit.TEMPORARY),
        ([scope(BUSY), scope(DENIED)], Exit.TEMPORARY),
    ],
    ids=["all", "some", "empty-and-denied", "broke-off", "most-denied", "most-busy", "first"],
)
def test_a_listing_is_partial_if_anything_was_seen(
    scopes: list[ScopeReport], expected: Exit
) -> None:
    """Some rows and a refusal is not the same as a refusal."""
    assert expected == of_report(Report(tuple(scopes)))
