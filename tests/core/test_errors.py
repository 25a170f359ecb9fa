"""One tree of exceptions, which says enough to act on and survives a process boundary."""

import copy
import pickle
import re
from collections.abc import Callable

import pytest

from snapkit import errors
from snapkit.errors import (
    ConfigurationError,
    DeadlineExceededError,
    Failure,
    NotFoundError,
    ProviderError,
    Retry,
    Sent,
    SnapkitError,
    ThrottledError,
    UnavailableError,
)


def classes() -> list[type[SnapkitError]]:
    found = [getattr(errors, name) for name in errors.__all__]
    return [one for one in found if isinstance(one, type) and issubclass(one, SnapkitError)]


def drawn() -> dict[str, str]:
    """Return the parent of each class in the tree of the module's docstring."""
    parents: dict[str, str] = {}
    branch: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([│├└─ ]*)(\w+Error|OutcomeUnknown)\b", line)
        if found is not None and line.strip() != "":
            depth = len(found[1]) // 4
            branch = [*branch[:depth], found[2]]
            parents[found[2]] = branch[-2] if depth else ""
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """People choose what to catch from that drawing."""
    real = {
        one.__name__: next((base.__name__ for base in one.__bases__ if base in classes()), "")
        for one in classes()
    }

    assert real == drawn()


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("way", ["pickle", "copy", "deepcopy"])
def test_every_error_survives_a_process_boundary_with_all_it_says(
    kind: type[SnapkitError], way: str
) -> None:
    """A worker's error must arrive as what it was, or the pool dies of it."""
    error = kind(
        "it failed",
        provider="p",
        account="a",
        region="r",
        operation="List",
        code="X.Y",
        request_id="42",
        attempts=3,
        retry=Retry.STATE,
        retry_after=1.5,
        sent=Sent.YES,
        hint="try later",
    )
    error.add_note("a note")
    ways: dict[str, Callable[[SnapkitError], SnapkitError]] = {
        "pickle": lambda one: pickle.loads(pickle.dumps(one)),
        "copy": copy.copy,
        "deepcopy": copy.deepcopy,
    }
    again = ways[way](error)

    assert type(error) is type(again)
    assert vars(error) == vars(again)
    assert str(error) == str(again)
    assert error.args == again.args


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_error_can_be_made_from_a_message_alone(kind: type[SnapkitError]) -> None:
    """Context is added where it is known, which is rarely where the error is raised."""
    error = kind("it failed")

    assert "it failed" == str(error)
    assert 0 == error.attempts
    assert None is error.provider


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({}, "no such disk"),
        ({"code": "Gone"}, "Gone: no such disk"),
        ({"operation": "List", "code": "Gone"}, "List: Gone: no such disk"),
        ({"operation": "List", "request_id": "7"}, "List: no such disk (request 7)"),
        ({"hint": "look elsewhere"}, "no such disk; look elsewhere"),
        (
            {"operation": "L", "code": "C", "request_id": "7", "hint": "h"},
            "L: C: no such disk (request 7); h",
        ),
    ],
)
def test_the_text_has_the_providers_words_in_one_order(context: dict[str, str], said: str) -> None:
    """Logs are searched for the code and the request id."""
    assert said == str(ProviderError("no such disk", **context))  # type: ignore[arg-type] # texts


def test_a_code_without_a_message_is_enough() -> None:
    """Providers leave messages out."""
    assert "Gone" == str(ProviderError("", code="Gone"))


def test_locating_fills_gaps_and_overwrites_nothing() -> None:
    """The place that knew first knew best."""
    error = NotFoundError("gone", region="here")
    same = error.locate(region="there", provider="p", attempts=2)

    assert same is error
    assert ("here", "p", 2) == (error.region, error.provider, error.attempts)


def test_an_empty_account_label_is_knowledge() -> None:
    """A label that is empty was not forgotten."""
    assert "" == NotFoundError("gone", account="").locate(account="other").account


@pytest.mark.parametrize(
    ("kind", "retryable", "sent"),
    [
        (ConfigurationError, False, Sent.NO),
        (ThrottledError, True, Sent.NO),
        (UnavailableError, True, Sent.MAYBE),
        (errors.ProtocolError, True, Sent.MAYBE),
        (errors.TransportError, True, Sent.MAYBE),
        (DeadlineExceededError, False, Sent.MAYBE),
        (errors.AuthenticationError, False, Sent.NO),
        (errors.PagingError, False, Sent.NO),
    ],
)
def test_defaults_are_what_is_safe_to_assume(
    kind: type[SnapkitError], retryable: bool, sent: Sent
) -> None:
    """What may have arrived must not be taken for lost."""
    error = kind("x")

    assert (retryable, sent) == (error.retryable, error.sent)


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.UnknownProviderError, LookupError),
        (errors.QueryError, ValueError),
        (DeadlineExceededError, TimeoutError),
    ],
)
def test_familiar_builtins_catch_too(kind: type[SnapkitError], builtin: type[Exception]) -> None:
    """Code that knows nothing of snapkit still does the usual thing."""
    assert issubclass(kind, builtin)


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_its_class(failure: Failure) -> None:
    """Adapters map codes to these, so none may be left without an exception."""
    error = failure.error("no", code="C", retry_after=2.0)

    assert isinstance(error, ProviderError | errors.UnsupportedError)
    assert ("C", 2.0) == (error.code, error.retry_after)
