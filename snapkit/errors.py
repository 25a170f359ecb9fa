"""Everything snapkit raises; catch SnapkitError to catch it all.

SnapkitError
├── ConfigurationError           a setting or an argument is wrong; nothing was sent
│   ├── UnknownProviderError     no adapter of that name is installed
│   ├── ArgumentError            the provider would refuse this argument
│   ├── QueryError               a filter, column, date or reference cannot be understood
│   └── CredentialsMissingError  no credentials, or half of a pair, were found
├── UnsupportedError             this provider cannot do it
├── OutcomeUnknown               an answer was lost: .key and .marker settle it later
├── WaitError                    a wait ended without what was waited for
│   ├── WaitTimeoutError         the time ran out
│   ├── WaitFailedError          what was waited for has failed
│   └── WaitCancelledError       the caller said stop
├── PagingError                  a listing repeats itself or never ends
├── ProtocolError                an answer came that is not the provider's (HTML, cut, too large)
├── TransportError               no answer; .sent says whether it may have been acted on
│   └── DeadlineExceededError    the time allowed for the call ran out
└── ProviderError                the provider answered "no": .code .request_id
    ├── AuthenticationError      key, signature, token or clock
    ├── PermissionDeniedError    these credentials may not do this
    ├── AccountError             arrears, service not activated, certification missing
    ├── NotFoundError            there is no such thing, or it is not visible
    ├── InvalidRequestError      the provider rejects a parameter
    ├── ConflictError            the present state forbids it
    ├── IdempotencyConflictError the same key was used with something else
    ├── QuotaError               a limit of the account is reached
    ├── ThrottledError           too many calls: .retry_after
    └── UnavailableError         the provider failed; later may work
"""

import enum
from collections.abc import Mapping
from typing import Any, Self

__all__ = [
    "AccountError",
    "ArgumentError",
    "AuthenticationError",
    "ConfigurationError",
    "ConflictError",
    "CredentialsMissingError",
    "DeadlineExceededError",
    "Failure",
    "IdempotencyConflictError",
    "InvalidRequestError",
    "NotFoundError",
    "OutcomeUnknown",
    "PagingError",
    "PermissionDeniedError",
    "ProtocolError",
    "ProviderError",
    "QueryError",
    "QuotaError",
    "Retry",
    "Sent",
    "SnapkitError",
    "ThrottledError",
    "TransportError",
    "UnavailableError",
    "UnknownProviderError",
    "UnsupportedError",
    "WaitCancelledError",
    "WaitError",
    "WaitFailedError",
    "WaitTimeoutError",
]


class Sent(enum.Enum):
    """Whether the provider acted on the request, as far as can be known."""

    NO = "no"
    """It never left, or it was refused."""
    YES = "yes"
    MAYBE = "maybe"


class Retry(enum.Enum):
    """When sending the same request again makes sense."""

    NEVER = "never"
    BACKOFF = "backoff"
    """The provider was ill or busy: wait, then send again."""
    AT_ONCE = "once-at-once"
    """Once without a wait, over a new connection: an idle one was closed by the other end."""
    REPAIR = "once-after-repair"
    """Once, after a new token, clock offset or nonce."""
    SAME_TOKEN = "same-token-later"  # noqa: S105 - the name of a retry rule, not a secret
    """The first request with this client token is still running."""
    STATE = "after-state-change"
    """Only when something else has changed; the caller decides how long to wait."""


class SnapkitError(Exception):
    """Base of every exception raised by snapkit and its adapters.

    *message* says what was attempted, what was found and what would help. The keyword
    arguments are the context a program needs; each is an attribute of the same name.
    ``provider``, ``account`` and ``region`` name the place, ``operation`` the provider's
    action, ``code`` and ``request_id`` are the provider's own words, ``attempts`` counts
    requests sent, ``retry_after`` is in seconds.
    """

    default_sent = Sent.NO
    default_retry = Retry.NEVER

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        account: str | None = None,
        region: str | None = None,
        operation: str | None = None,
        code: str | None = None,
        request_id: str | None = None,
        attempts: int = 0,
        retry: Retry | None = None,
        retry_after: float | None = None,
        sent: Sent | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.account = account
        self.region = region
        self.operation = operation
        self.code = code
        self.request_id = request_id
        self.attempts = attempts
        self.retry = self.default_retry if retry is None else retry
        self.retry_after = retry_after
        self.sent = self.default_sent if sent is None else sent
        self.hint = hint

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later without anybody changing anything."""
        return self.retry in (Retry.BACKOFF, Retry.AT_ONCE, Retry.SAME_TOKEN, Retry.STATE)

    def locate(self, **context: Any) -> Self:
        """Return self after filling in the *context* that is still missing."""
        for name, value in context.items():
            if getattr(self, name) in (None, 0):
                setattr(self, name, value)
        return self

    def __str__(self) -> str:
        said = self.message
        if self.code:
            said = f"{self.code}: {said}" if said else self.code
        if self.operation:
            said = f"{self.operation}: {said}"
        if self.request_id:
            said = f"{said} (request {self.request_id})"
        return f"{said}; {self.hint}" if self.hint else said

    def __reduce__(self) -> tuple[Any, ...]:
        state = {key: value for key, value in self.__dict__.items() if key != "message"}
        return _rebuild, (type(self), self.message, state)


def _rebuild(kind: type[SnapkitError], message: str, state: Mapping[str, Any]) -> SnapkitError:
    error = kind(message)
    error.__dict__.update(state)
    return error


class ConfigurationError(SnapkitError):
    """A setting or an argument is missing or wrong; nothing was sent."""


class UnknownProviderError(ConfigurationError, LookupError):
    """No installed adapter publishes the requested name."""


class QueryError(ConfigurationError, ValueError):
    """A filter, column, date or reference cannot be understood."""


class ArgumentError(ConfigurationError, ValueError):
    """An argument has a form that the provider would refuse; nothing was sent."""


class CredentialsMissingError(ConfigurationError):
    """No credentials were found, or only half of a pair."""


class UnsupportedError(SnapkitError):
    """The provider has no such operation; nothing was sent."""


class OutcomeUnknown(SnapkitError):
    """An answer was lost, and it cannot be told whether the request was carried out.

    Also raised where something was started for certain, but not seen through.

    Doing the same again with ``key`` finds and adopts what was made; ``marker`` is the text
    by which it can be found by hand.
    """

    default_sent = Sent.MAYBE

    def __init__(
        self, message: str, *, key: str | None = None, marker: str | None = None, **context: Any
    ) -> None:
        super().__init__(message, **context)
        self.key = key
        self.marker = marker


class WaitError(SnapkitError):
    """A wait ended without what was waited for."""


class WaitTimeoutError(WaitError, TimeoutError):
    """What was waited for did not come in the time allowed."""


class WaitFailedError(WaitError):
    """What was waited for has failed, so waiting longer would not help."""


class WaitCancelledError(WaitError):
    """The caller stopped the wait."""


class PagingError(SnapkitError):
    """A listing repeated itself, so it would never have ended."""


class ProtocolError(SnapkitError):
    """An answer arrived that the provider's API does not describe."""

    default_sent = Sent.MAYBE
    default_retry = Retry.BACKOFF


class TransportError(SnapkitError):
    """No usable answer arrived."""

    default_sent = Sent.MAYBE
    default_retry = Retry.BACKOFF


class DeadlineExceededError(TransportError, TimeoutError):
    """The time allowed for the call ran out."""

    default_retry = Retry.NEVER


class ProviderError(SnapkitError):
    """The provider answered, and the answer was an error."""


class AuthenticationError(ProviderError):
    """The provider does not accept the key, signature, token or clock."""


class PermissionDeniedError(ProviderError):
    """These credentials may not do this here."""


class AccountError(ProviderError):
    """The account is in arrears, not certified, or has not activated the service."""


class NotFoundError(ProviderError):
    """There is no such resource, or it is not visible to these credentials."""


class InvalidRequestError(ProviderError):
    """The provider rejects a parameter."""


class ConflictError(ProviderError):
    """The present state of something forbids the operation."""


class IdempotencyConflictError(ProviderError):
    """The same idempotency key was used with other parameters, or is still running."""


class QuotaError(ProviderError):
    """A limit of the account is reached."""


class ThrottledError(ProviderError):
    """Too many calls; retry_after is in seconds where the provider says."""

    default_retry = Retry.BACKOFF


class UnavailableError(ProviderError):
    """The provider failed; the same call may work later."""

    default_sent = Sent.MAYBE
    default_retry = Retry.BACKOFF


class Failure(enum.Enum):
    """What kind of "no" a provider's code is; adapters' tables map codes to these."""

    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    ACCOUNT = "account"
    NOT_FOUND = "not-found"
    INVALID = "invalid-parameter"
    CONFLICT = "conflict"
    IDEMPOTENCY = "idempotency-conflict"
    QUOTA = "quota"
    THROTTLED = "throttled"
    UNSUPPORTED = "unsupported"
    SERVER = "server-error"
    OTHER = "other"

    def error(self, message: str, **context: Any) -> SnapkitError:
        """Return the exception of this kind; *context* as for SnapkitError."""
        return _CLASSES[self](message, **context)


_CLASSES: Mapping[Failure, type[SnapkitError]] = {
    Failure.AUTHENTICATION: AuthenticationError,
    Failure.PERMISSION: PermissionDeniedError,
    Failure.ACCOUNT: AccountError,
    Failure.NOT_FOUND: NotFoundError,
    Failure.INVALID: InvalidRequestError,
    Failure.CONFLICT: ConflictError,
    Failure.IDEMPOTENCY: IdempotencyConflictError,
    Failure.QUOTA: QuotaError,
    Failure.THROTTLED: ThrottledError,
    Failure.UNSUPPORTED: UnsupportedError,
    Failure.SERVER: UnavailableError,
    Failure.OTHER: ProviderError,
}
