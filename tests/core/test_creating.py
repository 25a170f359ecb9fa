"""One request, one snapshot."""

from collections.abc import Iterable

import attrs
import pytest

from snapkit.creating import Resolution, new_key, once, token_of
from snapkit.errors import (
    IdempotencyConflictError,
    OutcomeUnknown,
    QuotaError,
    Sent,
    SnapkitError,
    TransportError,
    UnavailableError,
)
from tests.ledger import Time

LOST = TransportError("cut", sent=Sent.MAYBE, operation="Create", request_id="r-1")


@attrs.define
class Counter:
    """What is being made, what is lost, and when it can be seen."""

    time: Time = attrs.field(factory=Time)
    things: list[tuple[str, str, float]] = attrs.field(factory=list[tuple[str, str, float]])
    """Names, sources, and from when they can be seen."""
    failures: list[tuple[bool, SnapkitError]] = attrs.field(factory=list[tuple[bool, SnapkitError]])
    """For each sending, whether it acted, and the error; nothing: it works."""
    looks: list[SnapkitError | None] = attrs.field(factory=list[SnapkitError | None])
    lag: float = 0.0
    sendings: int = 0
    looked: int = 0

    def send(self) -> str:
        self.sendings += 1
        acted, error = self.failures.pop(0) if self.failures else (True, None)
        name = f"s-{len(self.things) + 1}"
        if acted:
            self.things.append((name, "d-1", self.time.now + self.lag))
        if error is not None:
            raise error
        return name

    def find(self) -> Iterable[tuple[str, str, float]]:
        self.looked += 1
        error = self.looks.pop(0) if self.looks else None
        if error is not None:
            raise error
        return [thing for thing in self.things if thing[2] <= self.time.now]

    def once(self, *, known: bool = False, resolution: Resolution | None = None) -> str:
        return once(
            self.send,
            self.find,
            mine=lambda thing: thing[1] == "d-1",
            name_of=lambda thing: thing[0],
            known=known,
            key="the-key",
            marker="the-marker",
            what="the snapshot of disk 'd-1'",
            clock=self.time.clock(),
            resolution=resolution or Resolution(),
        )


def test_an_answer_is_the_end_of_it() -> None:
    """No look is paid for where nothing went wrong."""
    counter = Counter()

    assert "s-1" == counter.once()
    assert (1, 0) == (counter.sendings, counter.looked)


@pytest.mark.faults(72)
def test_a_lost_answer_is_looked_for_and_adopted() -> None:
    """It is never sent blindly again."""
    counter = Counter(failures=[(True, LOST)])

    assert "s-1" == counter.once()
    assert (1, 1) == (counter.sendings, len(counter.things))


def test_what_shows_late_is_still_adopted() -> None:
    """Reads lag behind writes."""
    counter = Counter(failures=[(True, LOST)], lag=25.0)

    assert "s-1" == counter.once()
    assert (1, 1) == (counter.sendings, len(counter.things))


def test_a_lost_request_is_sent_again_after_the_look() -> None:
    """Only when the whole grace has shown nothing."""
    counter = Counter(failures=[(False, LOST)])

    assert "s-1" == counter.once()
    assert 2 == counter.sendings
    assert counter.time.now >= Resolution().grace


@pytest.mark.faults(72)
def test_a_request_that_is_always_lost_ends_as_unknown() -> None:
    """After as many sendings as allowed, and with everything that settles it."""
    counter = Counter(failures=[(False, LOST)] * 9)
    with pytest.raises(OutcomeUnknown) as caught:
        counter.once(resolution=Resolution(resend=1))

    assert 2 == counter.sendings
    assert ("the-key", "the-marker") == (caught.value.key, caught.value.marker)
    assert ("Create", "r-1", Sent.MAYBE) == (
        caught.value.operation,
        caught.value.request_id,
        caught.value.sent,
    )
    assert "'the-key'" in str(caught.value)


def test_a_look_that_fails_leaves_the_outcome_unknown() -> None:
    """Not knowing is no licence to send again."""
    ill = [UnavailableError("ill") for _ in range(99)]
    counter = Counter(failures=[(True, LOST)], looks=[*ill])
    with pytest.raises(OutcomeUnknown) as caught:
        counter.once()

    assert 1 == counter.sendings
    assert isinstance(caught.value.__cause__, UnavailableError)


def test_a_look_that_fails_once_is_taken_again() -> None:
    """A grace is there to be used."""
    counter = Counter(failures=[(True, LOST)], looks=[UnavailableError("ill")])

    assert "s-1" == counter.once()
    assert 1 == counter.sendings


def test_the_last_look_must_have_been_taken_before_sending_again() -> None:
    """Looks that failed until the end of the grace have not shown that nothing is there."""
    looks: list[SnapkitError | None] = [UnavailableError("ill") for _ in range(99)]
    looks[0] = None
    counter = Counter(failures=[(True, LOST)], looks=looks, lag=5.0)
    with pytest.raises(OutcomeUnknown):
        counter.once()

    assert 1 == len(counter.things)


def test_a_refusal_is_not_looked_into() -> None:
    """The provider said no: nothing was made."""
    counter = Counter(failures=[(False, QuotaError("full"))])
    with pytest.raises(QuotaError):
        counter.once()

    assert (1, 0) == (counter.sendings, counter.looked)


def test_a_key_of_the_callers_is_looked_for_first() -> None:
    """An earlier run may have crashed after it had sent."""
    counter = Counter(things=[("s-old", "d-1", 0.0)])

    assert "s-old" == counter.once(known=True)
    assert 0 == counter.sendings


@pytest.mark.parametrize("known", [True, False], ids=["before", "after a lost answer"])
def test_the_key_on_something_else_is_a_conflict(known: bool) -> None:
    """The same key for another disk is a mistake that must not pass."""
    counter = Counter(things=[("s-other", "d-2", 0.0)], failures=[(False, LOST)])
    with pytest.raises(IdempotencyConflictError, match="'the-key' was used for s-other"):
        counter.once(known=known)

    assert counter.sendings == (0 if known else 1)


def test_the_pauses_grow_and_stay_within_the_grace() -> None:
    """A listing of everything is not cheap."""
    counter = Counter(failures=[(False, LOST)])
    counter.once(resolution=Resolution(grace=30, first_pause=1, longest_pause=8, resend=1))
    pauses = counter.time.slept

    assert [1, 2, 4, 8, 8] == pauses[:5]
    assert sum(pauses) == pytest.approx(30, abs=0.1)


def test_keys_are_new_each_time() -> None:
    """Two calls are two snapshots."""
    assert new_key() != new_key()


@pytest.mark.parametrize(
    ("key", "fits"),
    [("nightly-1", True), ("k" * 64, True), ("k" * 65, False), ("每夜", False), ("a b", False)],
    ids=["short", "64", "65", "chinese", "blank"],
)
def test_a_key_that_is_no_token_is_hashed(key: str, fits: bool) -> None:
    """Client tokens are ASCII of at most 64 characters; keys are what the caller likes."""
    token = token_of(key)

    assert fits is (token == key)
    assert len(token) <= 64
    assert token.isascii()
    assert token == token_of(key)
