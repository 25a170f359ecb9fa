"""Exit codes: what a script learns without reading; pure."""

import enum
from collections import Counter
from collections.abc import Sequence

from snapkit.errors import (
    AuthenticationError,
    ConfigurationError,
    CredentialsMissingError,
    DeadlineExceededError,
    NotFoundError,
    OutcomeUnknown,
    PermissionDeniedError,
    UnsupportedError,
    WaitCancelledError,
    WaitTimeoutError,
)
from snapkit.listing import Report

__all__ = ["Exit", "of_error", "of_errors", "of_report"]


class Exit(enum.IntEnum):
    """How a command ended."""

    OK = 0
    ERROR = 1
    USAGE = 2
    """An option, an argument or the configuration is wrong."""
    PARTIAL = 3
    """Something could not be seen; the rest was printed."""
    CREDENTIALS = 4
    """They are missing, wrong, or may not do this."""
    TEMPORARY = 5
    """The same command may succeed later."""
    NOT_FOUND = 6
    WAIT_TIMED_OUT = 7
    CANCELLED = 8
    INTERRUPTED = 130
    PIPE = 141
    """The reader of the output went away; as if killed by SIGPIPE."""


_KINDS: Sequence[tuple[Exit, tuple[type[BaseException], ...]]] = (
    (Exit.CREDENTIALS, (CredentialsMissingError, AuthenticationError, PermissionDeniedError)),
    (Exit.USAGE, (ConfigurationError, UnsupportedError)),
    (Exit.NOT_FOUND, (NotFoundError,)),
    (Exit.TEMPORARY, (DeadlineExceededError, OutcomeUnknown)),
    (Exit.WAIT_TIMED_OUT, (WaitTimeoutError,)),
    (Exit.CANCELLED, (WaitCancelledError,)),
)


def of_error(error: BaseException | None) -> Exit:
    """Return the code for a command that *error* ended."""
    for code, kinds in _KINDS:
        if isinstance(error, kinds):
            return code
    return Exit.TEMPORARY if getattr(error, "retryable", False) else Exit.ERROR


def of_errors(errors: Sequence[BaseException | None], *, something_seen: bool) -> Exit:
    """Return the code for a command in which *errors* happened side by side.

    Where nothing was seen it is the most frequent reason, the first of equals.
    """
    if not errors:
        return Exit.OK
    if something_seen:
        return Exit.PARTIAL
    return Counter(of_error(error) for error in errors).most_common(1)[0][0]


def of_report(report: Report) -> Exit:
    """Return the code for a listing."""
    seen = any(scope.complete for scope in report.scopes) or report.rows > 0
    errors = [scope.error for scope in report.incomplete]
    return of_errors(errors, something_seen=seen)
