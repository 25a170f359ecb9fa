"""Whether to send a request again, and after how long; pure decisions.

Three questions in this order: may it be sent again at all (safety), is it worth it (kind of
failure, attempts, quota), and how long to wait (full jitter, never past the deadline).
"""

import enum
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import attrs

from snapkit.errors import Retry, Sent, SnapkitError, ThrottledError

__all__ = ["Quota", "RetryPolicy", "Safety", "delay_before", "may_resend", "retry_after_of"]


class Safety(enum.Enum):
    """What sending an operation twice does."""

    READ = "read"
    """Nothing: it only reads."""
    TOKEN = "client-token"  # noqa: S105 - the name of a rule, not a secret
    """Nothing: the provider recognises its client token."""
    REPEATABLE = "repeatable"
    """Nothing new: the second time finds the work done (delete, rename, tag)."""
    ONCE = "once"
    """A second snapshot, a second rollback: never sent again once it may have arrived."""


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How patient one call is; times in seconds.

    ``transient`` and ``throttled`` count attempts, the first included. ``call_timeout`` is
    over everything: waiting for the rate limit, all attempts and the pauses between them.
    """

    transient: int = 4
    throttled: int = 8
    base: float = 0.2
    throttle_base: float = 1.0
    longest: float = 20.0
    longest_retry_after: float = 60.0
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    call_timeout: float = 60.0


def may_resend(error: SnapkitError, safety: Safety) -> bool:
    """Whether *error* allows the same request to be sent again without doing harm."""
    if error.retry in (Retry.NEVER, Retry.STATE):
        return False
    return safety is not Safety.ONCE or error.sent is Sent.NO


def delay_before(
    attempt: int, error: SnapkitError, policy: RetryPolicy, uniform: Callable[[float, float], float]
) -> float:
    """Return how long to wait before *attempt* (the second is 2), in seconds.

    Exponential with full jitter, never above ``policy.longest``. A Retry-After from the
    provider is waited for at least, but never longer than ``policy.longest_retry_after``: the
    header is advice, and a day-long one would look like a hang.
    """
    throttled = isinstance(error, ThrottledError)
    base = policy.throttle_base if throttled else policy.base
    jittered = uniform(0.0, min(policy.longest, base * 2 ** min(attempt - 2, 16)))
    return max(jittered, min(error.retry_after or 0.0, policy.longest_retry_after))


def retry_after_of(header: str | None, now: float) -> float | None:
    """Return the seconds that a Retry-After *header* asks for; None for none or nonsense.

    *now* is the time in seconds since 1970, for the form that is a date.
    """
    if not header:
        return None
    header = header.strip()
    if header.isascii() and header.isdigit() and len(header) < 10:
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.fromtimestamp(now, UTC)).total_seconds())


@attrs.define
class Quota:
    """Retries that a client may still spend; successes earn them back.

    An ill provider is not helped by every client multiplying its calls by four.
    """

    size: int = 500
    transient: int = 14
    throttled: int = 5
    left: int = attrs.field(init=False)
    lock: threading.Lock = attrs.field(factory=threading.Lock, repr=False)

    def __attrs_post_init__(self) -> None:
        self.left = self.size

    def spend(self, error: SnapkitError) -> int:
        """Return what one retry after *error* costs, taken from the quota; 0 if it is empty."""
        cost = self.throttled if isinstance(error, ThrottledError) else self.transient
        with self.lock:
            if self.left < cost:
                return 0
            self.left -= cost
            return cost

    def earn(self, amount: int) -> None:
        """Give *amount* back after a success; 1 for a call that needed no retry."""
        with self.lock:
            self.left = min(self.size, self.left + amount)
