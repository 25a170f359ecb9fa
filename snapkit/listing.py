"""A lazy listing that says how complete it is.

A short list is never silent: every :class:`Listing` carries a :class:`Report` with one line
per scope (provider, account, region, kind), and an empty scope is told apart from a denied
one.
"""

import enum
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Self, TypeVar

import attrs

from snapkit.errors import (
    AuthenticationError,
    CredentialsMissingError,
    DeadlineExceededError,
    PermissionDeniedError,
    SnapkitError,
    ThrottledError,
)
from snapkit.model import Kind

__all__ = ["Listing", "Outcome", "Report", "Scope", "ScopeReport", "outcome_of"]

T = TypeVar("T")


class Outcome(enum.Enum):
    """How the listing of one scope ended."""

    OK = "ok"
    EMPTY = "empty"
    """Answered in full, and there is nothing."""
    DENIED = "denied"
    THROTTLED = "throttled"
    TIMED_OUT = "timed out"
    FAILED = "failed"
    RUNNING = "running"
    """Not finished when the report was read, or the reader stopped."""


@attrs.frozen(kw_only=True, order=True)
class Scope:
    """One kind of thing in one region of one account."""

    provider: str
    account: str
    region: str
    kind: Kind = attrs.field(order=lambda kind: kind.value)

    def __str__(self) -> str:
        account = f"{self.account}@" if self.account else ""
        return f"{self.provider}:{account}{self.region} {self.kind.value}s"


@attrs.frozen(kw_only=True)
class ScopeReport:
    """What one scope gave.

    ``rows`` arrived, ``matched`` of them were handed on; ``total`` is the provider's own
    count, None when it has none. ``complete`` is True only when every row there was is
    accounted for. ``troubles`` are sentences about rows that could not be read.
    """

    scope: Scope
    outcome: Outcome = Outcome.RUNNING
    pages: int = 0
    rows: int = 0
    matched: int = 0
    total: int | None = None
    seconds: float = 0.0
    moved: bool = False
    """Whether rows were created or deleted under the listing; it was corrected for."""
    error: SnapkitError | None = attrs.field(default=None, eq=False)
    troubles: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.outcome in (Outcome.OK, Outcome.EMPTY) and not self.troubles


@attrs.frozen
class Report:
    """The scopes of a listing, in the order in which they were asked for."""

    scopes: tuple[ScopeReport, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every scope answered in full."""
        return all(scope.complete for scope in self.scopes)

    @property
    def incomplete(self) -> tuple[ScopeReport, ...]:
        """The scopes of which something could not be seen."""
        return tuple(scope for scope in self.scopes if not scope.complete)

    @property
    def rows(self) -> int:
        """Rows that arrived, over all scopes."""
        return sum(scope.rows for scope in self.scopes)

    @property
    def matched(self) -> int:
        """Rows that were handed on, over all scopes."""
        return sum(scope.matched for scope in self.scopes)


def outcome_of(error: SnapkitError) -> Outcome:
    """Return how a scope ended that raised *error*."""
    if isinstance(error, PermissionDeniedError | AuthenticationError | CredentialsMissingError):
        return Outcome.DENIED
    if isinstance(error, ThrottledError):
        return Outcome.THROTTLED
    return Outcome.TIMED_OUT if isinstance(error, DeadlineExceededError) else Outcome.FAILED


class Listing(Generic[T]):
    """Snapshots or groups, fetched while they are iterated, and the report on them.

    Iterating is possible once; ``report`` can be read at any time and is final when the
    iteration has ended. ``pages()`` gives the items page by page as they arrive.
    """

    def __init__(self, pages: Iterable[list[T]], report: Callable[[], Report]) -> None:
        self._pages = iter(pages)
        self._report = report

    def __iter__(self) -> Iterator[T]:
        for page in self._pages:
            yield from page

    def pages(self) -> Iterator[list[T]]:
        """Yield the items of each page that arrives; a page may be empty."""
        return self._pages

    @property
    def report(self) -> Report:
        """What each scope gave so far."""
        return self._report()

    def close(self) -> None:
        """Stop fetching."""
        close = getattr(self._pages, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
