"""A listing says how complete it is: empty is not denied, and short is never silent."""

import pickle
from collections.abc import Iterator

import pytest

from snapkit.errors import (
    AccountError,
    AuthenticationError,
    CredentialsMissingError,
    DeadlineExceededError,
    PagingError,
    PermissionDeniedError,
    SnapkitError,
    ThrottledError,
    TransportError,
    UnsupportedError,
)
from snapkit.listing import Listing, Outcome, Report, Scope, ScopeReport, outcome_of
from snapkit.model import Kind

SCOPE = Scope(provider="moon", account="", region="sea", kind=Kind.SNAPSHOT)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (PermissionDeniedError("x"), Outcome.DENIED),
        (AuthenticationError("x"), Outcome.DENIED),
        (CredentialsMissingError("x"), Outcome.DENIED),
        (ThrottledError("x"), Outcome.THROTTLED),
        (DeadlineExceededError("x"), Outcome.TIMED_OUT),
        (TransportError("x"), Outcome.FAILED),
        (PagingError("x"), Outcome.FAILED),
        (AccountError("x"), Outcome.FAILED),
        (UnsupportedError("x"), Outcome.FAILED),
    ],
)
def test_each_error_is_an_outcome(error: SnapkitError, outcome: Outcome) -> None:
    """People act differently on each."""
    assert outcome is outcome_of(error)


@pytest.mark.parametrize("outcome", list(Outcome))
@pytest.mark.parametrize("troubles", [(), ("row 3 has no id",)], ids=["clean", "troubled"])
def test_only_an_answer_in_full_is_complete(outcome: Outcome, troubles: tuple[str, ...]) -> None:
    """A row that could not be read is a row that is missing."""
    report = ScopeReport(scope=SCOPE, outcome=outcome, troubles=troubles)

    assert (outcome in (Outcome.OK, Outcome.EMPTY) and not troubles) is report.complete


def test_a_report_sums_and_names_what_is_missing() -> None:
    """One denied region makes the whole incomplete."""
    good = ScopeReport(scope=SCOPE, outcome=Outcome.OK, rows=5, matched=3)
    bad = ScopeReport(scope=SCOPE, outcome=Outcome.DENIED, rows=1, matched=1)
    report = Report((good, bad))

    assert (False, (bad,), 6, 4) == (
        report.complete,
        report.incomplete,
        report.rows,
        report.matched,
    )
    assert Report((good,)).complete


def test_scopes_print_and_sort() -> None:
    """They are lines of a table."""
    group = Scope(provider="moon", account="me", region="sea", kind=Kind.GROUP)

    assert ["moon:sea snapshots", "moon:me@sea groups"] == [str(SCOPE), str(group)]
    assert [SCOPE, group] == sorted([group, SCOPE])


@pytest.mark.faults(86)
def test_a_report_pickles_with_its_errors() -> None:
    """Workers send reports home."""
    error = PermissionDeniedError("no", code="Denied")
    report = Report((ScopeReport(scope=SCOPE, outcome=Outcome.DENIED, error=error),))
    again = pickle.loads(pickle.dumps(report))

    assert report == again
    assert "Denied: no" == str(again.scopes[0].error)


def pages(log: list[str]) -> Iterator[list[int]]:
    try:
        for page in ([1, 2], [], [3]):
            log.append(f"fetched {page}")
            yield page
    finally:
        log.append("closed")


def test_a_listing_is_lazy_and_flat() -> None:
    """A page is fetched when somebody wants a row of it."""
    log: list[str] = []
    listing = Listing(pages(log), Report)
    rows = iter(listing)

    assert [] == log
    assert [1, 2] == [next(rows), next(rows)]
    assert ["fetched [1, 2]"] == log
    assert [3] == list(rows)
    assert [] == list(listing)


def test_pages_come_as_they_arrive_empty_ones_too() -> None:
    """A progress display lives on them."""
    assert [[1, 2], [], [3]] == list(Listing(pages([]), Report).pages())


def test_closing_stops_fetching() -> None:
    """Early, twice, or by leaving a with block."""
    log: list[str] = []
    with Listing(pages(log), Report) as listing:
        next(iter(listing))
    listing.close()

    assert ["fetched [1, 2]", "closed"] == log
    assert [] == list(listing)


def test_a_listing_over_plain_lists_can_be_closed() -> None:
    """Not everything has something to close."""
    Listing(iter([[1]]), Report).close()
