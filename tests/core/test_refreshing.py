"""Temporary credentials are renewed before they end, by one thread for all."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import attrs
import pytest

from snapkit.credentials import Credentials
from snapkit.errors import AuthenticationError, CredentialsMissingError, Retry, SnapkitError
from snapkit.refreshing import RefreshingSource
from tests.keylab import CANARY, NOW, Time, check_silent

THREADS = 50


@attrs.define
class Desk:
    """Hands out numbered keys, the secret of each bearing the number of its id."""

    time: Time
    life: float | None = 3600.0
    """Seconds that a key lives; None: for ever."""
    calls: int = 0
    fails: SnapkitError | None = None
    same: bool = False
    meanwhile: Callable[[], None] = lambda: None

    def hand_out(self) -> Credentials:
        self.calls += 1
        self.meanwhile()
        if self.fails is not None:
            raise self.fails
        number = 1 if self.same else self.calls
        end = None if self.life is None else datetime.fromtimestamp(self.time.now + self.life, UTC)
        return Credentials(
            key_id=f"id-{number}",
            secret=f"{CANARY}-{number}",
            token=f"{CANARY}-token-{number}",
            expires_at=end,
            origin="the desk",
        )

    def source(self) -> RefreshingSource:
        return RefreshingSource(fetch=self.hand_out, origin="the desk", clock=self.time.clock())


@pytest.fixture
def desk() -> Desk:
    return Desk(Time())


def whole(keys: Credentials) -> bool:
    """Return whether id, secret and token of *keys* belong together."""
    number = keys.key_id.removeprefix("id-")
    token = keys.token.reveal() if keys.token else ""
    return keys.secret.reveal() == f"{CANARY}-{number}" and token == f"{CANARY}-token-{number}"


def together(work: Callable[[], Credentials | bool]) -> list[Credentials | bool | SnapkitError]:
    """Return what *work* gives to fifty threads that start at the same moment."""
    gate = threading.Barrier(THREADS)

    def run(_: int) -> Credentials | bool | SnapkitError:
        gate.wait()
        try:
            return work()
        except SnapkitError as error:
            return error

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def test_nothing_is_fetched_until_it_is_needed_and_then_once(desk: Desk) -> None:
    """A command or a role costs seconds."""
    source = desk.source()
    assert 0 == desk.calls

    found = [source.get().key_id for _ in range(5)]

    assert ["id-1"] * 5 == found
    assert 1 == desk.calls


@pytest.mark.parametrize(
    ("passed", "key_id"), [(2699, "id-1"), (2700, "id-2"), (3539, "id-2"), (4000, "id-2")]
)
def test_others_come_a_quarter_of_an_hour_before_the_end(
    desk: Desk, passed: float, key_id: str
) -> None:
    """A key that ends in the middle of a listing would cost the listing."""
    source = desk.source()
    source.get()
    desk.time.now += passed

    assert key_id == source.get().key_id


@pytest.mark.faults(47)
def test_a_failure_before_the_last_minute_is_a_warning(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """The old key is still good, and the service is asked again after a minute only."""
    source = desk.source()
    source.get()
    desk.fails = AuthenticationError("not today", retry=Retry.REPAIR)
    desk.time.now += 2800

    with caplog.at_level(logging.WARNING):
        found = [source.get().key_id for _ in range(10)]

    assert ["id-1"] * 10 == found
    assert 2 == desk.calls
    assert 1 == caplog.text.count("cannot be renewed yet")
    assert CANARY not in caplog.text
    desk.fails, desk.time.now = None, desk.time.now + 60
    assert "id-3" == source.get().key_id


@pytest.mark.faults(47)
def test_a_failure_in_the_last_minute_is_an_error(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """Signing with a key that ends under way gives errors that name the wrong thing."""
    source = desk.source()
    source.get()
    desk.fails = AuthenticationError("not today", retry=Retry.REPAIR)
    desk.time.now += 3545

    with pytest.raises(CredentialsMissingError, match="the desk failed: not today") as caught:
        source.get()

    assert Retry.NEVER is caught.value.retry
    check_silent(caught.value, caplog)


@pytest.mark.faults(48)
def test_fifty_threads_at_the_end_make_one_refresh_and_no_mixed_pair(desk: Desk) -> None:
    """The service would throttle, and half of two keys is no key."""
    source = desk.source()
    source.get()
    desk.time.now += 3600

    found = together(source.get)

    assert 2 == desk.calls
    assert {"id-2"} == {keys.key_id for keys in found if isinstance(keys, Credentials)}
    assert all(isinstance(keys, Credentials) and whole(keys) for keys in found)


@pytest.mark.faults(48)
def test_before_the_end_only_one_of_fifty_threads_waits(desk: Desk) -> None:
    """The others have a good key in hand."""
    source = desk.source()
    source.get()
    desk.time.now += 2800
    others = threading.Semaphore(0)

    def until_the_others_are_through() -> None:
        for _ in range(THREADS - 1):
            assert others.acquire(timeout=10)

    desk.meanwhile = until_the_others_are_through

    def work() -> Credentials:
        keys = source.get()
        others.release()
        return keys

    found = together(work)

    assert 2 == desk.calls
    assert ["id-1"] * 49 + ["id-2"] == sorted(
        keys.key_id for keys in found if isinstance(keys, Credentials)
    )
    assert all(isinstance(keys, Credentials) and whole(keys) for keys in found)


def test_each_of_fifty_threads_gets_an_error_of_its_own(desk: Desk) -> None:
    """Errors are completed with the place where they are met; one object cannot be in fifty."""
    desk.fails = AuthenticationError("not today")
    source = desk.source()
    gate = threading.Event()

    def stay_a_while() -> None:
        gate.wait(0.2)

    desk.meanwhile = stay_a_while

    found = together(source.get)

    assert all(isinstance(error, CredentialsMissingError) for error in found)
    assert THREADS == len({id(error) for error in found})
    assert desk.calls < THREADS


@pytest.mark.faults(48)
def test_refused_keys_are_replaced_once_for_fifty_threads(desk: Desk) -> None:
    """All fifty were refused with the same key at the same moment."""
    source = desk.source()
    stale = source.get()

    found = together(lambda: source.refresh(stale))

    assert [True] * THREADS == found
    assert 2 == desk.calls
    assert "id-2" == source.get().key_id


def test_the_same_keys_again_are_no_others(desk: Desk) -> None:
    """Sending them again would be refused again."""
    desk.same, desk.life = True, None
    source = desk.source()

    assert not source.refresh(source.get())


def test_what_cannot_be_replaced_is_said_and_not_raised(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """The refusal itself is the error that the caller sees."""
    source = desk.source()
    stale = source.get()
    desk.fails = AuthenticationError("not today")

    assert not source.refresh(stale)
    assert "could not be renewed" in caplog.text
    assert CANARY not in caplog.text


def test_keys_without_an_end_stay(desk: Desk) -> None:
    """A command may print permanent keys."""
    desk.life = None
    source = desk.source()
    source.get()
    desk.time.now += 10**8

    assert "id-1" == source.get().key_id


def test_short_lives_shorten_the_margins(desk: Desk) -> None:
    """A key for two minutes would else be renewed at every call."""
    desk.life = 120
    source = desk.source()
    found: list[int] = []
    for _ in range(12):
        source.get()
        found.append(desk.calls)
        desk.time.now += 10

    assert [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2] == found


def test_what_has_ended_on_arrival_is_an_error(desk: Desk) -> None:
    """The clock of one of the two machines is wrong."""
    desk.life = -1

    with pytest.raises(CredentialsMissingError, match="have expired already"):
        desk.source().get()


def test_an_interrupted_refresh_can_be_tried_again(desk: Desk) -> None:
    """Whoever waits must not wait for ever."""
    source = desk.source()

    def interrupt() -> None:
        raise KeyboardInterrupt

    desk.meanwhile = interrupt
    with pytest.raises(KeyboardInterrupt):
        source.get()
    desk.meanwhile = lambda: None

    assert "id-2" == source.get().key_id


def test_a_source_does_not_show_what_it_holds(desk: Desk) -> None:
    """Targets are printed with their sources."""
    source = desk.source()
    source.get()

    assert CANARY not in f"{source!r} {source}"
    assert datetime.fromtimestamp(NOW + 3600, UTC) == source.get().expires_at
