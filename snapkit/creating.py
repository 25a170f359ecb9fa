"""One request, one snapshot: making things so that a lost answer never makes two.

Where the API knows a client token, the token is made from the idempotency key once, before
the first attempt. Where it knows none, a marker made from the key goes into a tag or the
name; after a lost answer the core looks for the marker and adopts what it finds.
"""

import secrets
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TypeVar

import attrs

from snapkit.errors import (
    ConflictError,
    IdempotencyConflictError,
    OutcomeUnknown,
    Sent,
    SnapkitError,
)
from snapkit.transport import Clock

__all__ = ["Resolution", "named_if_interrupted", "new_key", "once", "token_of"]

T = TypeVar("T")
_LONGEST_TOKEN = 64


def new_key() -> str:
    """Return an idempotency key that nobody has used."""
    return secrets.token_hex(16)


def token_of(key: str) -> str:
    """Return the client token for *key*: itself, or its hash where it would not fit."""
    import hashlib

    fits = len(key) <= _LONGEST_TOKEN and key.isascii() and key.isprintable() and " " not in key
    return key if fits else hashlib.sha256(key.encode()).hexdigest()


@attrs.frozen(kw_only=True)
class Resolution:
    """How to settle a lost answer, in seconds: look at growing pauses for ``grace``.

    A provider may show a new snapshot only after a while; ``grace`` must be longer than that,
    or what was made is taken for lost and made again. ``settle`` is how long a key of the
    caller's is looked for before the first request: a run that ended a moment ago may have
    made what does not show yet. ``resend`` is how often the request may be sent again when
    nothing was found.
    """

    grace: float = 30.0
    settle: float = 10.0
    first_pause: float = 1.0
    longest_pause: float = 8.0
    resend: int = 2


def once(
    send: Callable[[], str],
    find: Callable[[], Iterable[T]],
    *,
    mine: Callable[[T], bool],
    name_of: Callable[[T], str],
    known: bool,
    key: str,
    marker: str,
    what: str,
    clock: Clock,
    resolution: Resolution,
) -> str:
    """Return the id of the one thing that *send* makes, sending no more than is safe.

    *find* gives everything that carries the marker; *mine* is whether it has the wanted
    source. With *known* (the caller brought the key, so an earlier run may have used it) it
    is looked for first. Raises IdempotencyConflictError if the marker stands on something
    else, OutcomeUnknown if it cannot be decided whether the thing was made.
    """
    if known:
        adopted = _adopt(_before(find), mine, name_of, key, what)
        if adopted is None and resolution.settle > 0:
            clock.sleep(resolution.settle)
            adopted = _adopt(_before(find), mine, name_of, key, what)
        if adopted is not None:
            return adopted
    lost: SnapkitError | None = None
    with named_if_interrupted(what, key):
        for _ in range(resolution.resend + 1):
            refused: SnapkitError | None = None
            try:
                return send()
            except SnapkitError as error:
                if error.sent is not Sent.NO:
                    lost = error
                elif lost is None and not (known and isinstance(error, ConflictError)):
                    raise
                else:
                    refused, lost = error, lost or error
            adopted = _search(find, mine, name_of, key, marker, what, lost, clock, resolution)
            if adopted is not None:
                return adopted
            if refused is not None and refused is lost:
                raise refused
            if refused is not None:
                # What refuses the second request may be the first one, under way.
                raise _unknown(what, key, marker, lost) from refused
        raise _unknown(what, key, marker, lost or SnapkitError("nothing was sent")) from lost


@contextmanager
def named_if_interrupted(what: str, key: str) -> Generator[None]:
    """Note on an interrupt that *what* may have been made, and the key that finds it."""
    try:
        yield
    except KeyboardInterrupt as stop:
        stop.add_note(
            f"{what} may have been made; run it again with the key {key!r}: it is then found"
            " and finished"
        )
        raise


def _before(find: Callable[[], Iterable[T]]) -> list[T]:
    """Return what *find* gives; if it fails, the error says that nothing was asked for yet."""
    try:
        return list(find())
    except SnapkitError as error:
        error.sent = Sent.NO
        raise


def _adopt(
    found: Iterable[T],
    mine: Callable[[T], bool],
    name_of: Callable[[T], str],
    key: str,
    what: str,
) -> str | None:
    candidates = list(found)
    strangers = [one for one in candidates if not mine(one)]
    if strangers:
        raise IdempotencyConflictError(
            f"the key {key!r} was used for {name_of(strangers[0])}, which is not {what}",
            sent=Sent.NO,
            hint="use another key for another source",
        )
    return name_of(candidates[0]) if candidates else None


def _search(
    find: Callable[[], Iterable[T]],
    mine: Callable[[T], bool],
    name_of: Callable[[T], str],
    key: str,
    marker: str,
    what: str,
    lost: SnapkitError,
    clock: Clock,
    resolution: Resolution,
) -> str | None:
    """Look for the marker until the grace is over; None if it is certain that nothing is there.

    A search that cannot be made leaves the outcome unknown.
    """
    end = clock.monotonic() + resolution.grace
    pause = resolution.first_pause
    while True:
        try:
            adopted = _adopt(find(), mine, name_of, key, what)
        except IdempotencyConflictError:
            raise
        except SnapkitError as error:
            if clock.monotonic() + pause >= end:
                raise _unknown(what, key, marker, lost) from error
        else:
            if adopted is not None:
                return adopted
            if clock.monotonic() >= end:
                return None
        clock.sleep(min(pause, max(end - clock.monotonic(), 0.01)))
        pause = min(resolution.longest_pause, pause * 2)


def _unknown(what: str, key: str, marker: str, lost: SnapkitError) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{what}: the answer was lost ({lost.message}) and it cannot be told whether it was made",
        marker=marker,
        key=key,
        provider=lost.provider,
        account=lost.account,
        region=lost.region,
        operation=lost.operation,
        attempts=lost.attempts,
        request_id=lost.request_id,
        hint=f"run it again later with the key {key!r}: what was made is then found and adopted",
    )
