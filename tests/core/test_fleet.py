"""Many scopes as one listing: the good rows arrive, and the report names the rest."""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false
# What a client was given is looked at; pytest.approx is only half typed.

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest

from snapkit.client import Client
from snapkit.credentials import Credentials
from snapkit.errors import (
    ConfigurationError,
    CredentialsMissingError,
    DeadlineExceededError,
    PermissionDeniedError,
    QueryError,
    SnapkitError,
    ThrottledError,
    UnknownProviderError,
    UnsupportedError,
)
from snapkit.fleet import list_groups, list_snapshots
from snapkit.listing import Outcome
from snapkit.settings import Target
from tests.core.moon import KEYS, Sky, bare, group, rising, snapshot, target


@pytest.fixture(autouse=True)
def skies(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Sky]]:
    for name in ("MOON_ID", "MOON_KEY", "MOON_REGION", "SNAPKIT_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with rising(monkeypatch) as found:
        yield found


def raising(error: BaseException) -> Callable[[int], None]:
    def before(page: int) -> None:
        raise error

    return before


def waiting(gate: threading.Event) -> Callable[[int], None]:
    def before(page: int) -> None:
        gate.wait()

    return before


def rows(region: str, count: int) -> list[Any]:
    return [snapshot(number, region=region) for number in range(count)]


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Hold a scope until the test ends."""
    event = threading.Event()
    yield event
    event.set()


def ended(count: int) -> bool:
    """Whether the sweep's threads have gone, soon."""
    for _ in range(200):
        if threading.active_count() <= count:
            return True
        threading.Event().wait(0.02)
    return False


def test_all_scopes_arrive_and_are_reported_in_the_order_asked(skies: dict[str, Sky]) -> None:
    """However the answers overtake each other."""
    regions = [f"r-{number:02d}" for number in range(40)]
    for number, region in enumerate(regions):
        skies[region] = Sky(rows=rows(region, number * 7))
    listing = list_snapshots([target(region) for region in regions], workers=8)
    found = [one.ref for one in listing]

    assert sum(number * 7 for number in range(40)) == len(found) == len(set(found))
    assert regions == [scope.scope.region for scope in listing.report.scopes]
    assert listing.report.complete
    assert Outcome.EMPTY is listing.report.scopes[0].outcome
    assert len(found) == listing.report.rows == listing.report.matched


def test_bad_scopes_among_good_ones_hide_nothing(
    skies: dict[str, Sky], gate: threading.Event
) -> None:
    """A denied, a throttled and a hanging one: the rest is printed, and these are named."""
    skies["good"] = Sky(rows=rows("good", 250))
    skies["fine"] = Sky(rows=rows("fine", 5))
    skies["denied"] = Sky(before=raising(PermissionDeniedError("no", code="Denied")))
    skies["slow"] = Sky(before=raising(ThrottledError("slow down")))
    skies["hangs"] = Sky(before=waiting(gate))
    regions = ["denied", "good", "hangs", "slow", "fine"]
    started = time.monotonic()
    listing = list_snapshots([target(region) for region in regions], timeout=0.5)
    found = list(listing)
    gone = time.monotonic() - started

    assert 255 == len(found)
    assert 0.4 < gone < 3
    assert {
        "denied": Outcome.DENIED,
        "good": Outcome.OK,
        "hangs": Outcome.TIMED_OUT,
        "slow": Outcome.THROTTLED,
        "fine": Outcome.OK,
    } == {one.scope.region: one.outcome for one in listing.report.scopes}
    denied, late = (listing.report.scopes[index].error for index in (0, 2))
    assert denied is not None
    assert ("Denied", "moon", "denied") == (denied.code, denied.provider, denied.region)
    assert isinstance(late, DeadlineExceededError)
    assert "not finished after 0.5 s" in str(late)


def test_a_report_does_not_change_after_the_time_is_up(
    skies: dict[str, Sky], gate: threading.Event
) -> None:
    """A straggler that answers later was not heard."""
    skies["late"] = Sky(rows=rows("late", 5), before=waiting(gate))
    skies["never"] = Sky(rows=rows("never", 5), before=waiting(gate))
    before = threading.active_count()
    listing = list_snapshots([target("late"), target("never")], timeout=0.1, workers=1)

    assert [] == list(listing)
    report = listing.report
    gate.set()
    assert ended(before)
    assert report == listing.report
    assert [Outcome.TIMED_OUT] * 2 == [one.outcome for one in listing.report.scopes]


def test_a_timeout_of_nothing_returns_nothing_at_once(
    skies: dict[str, Sky], gate: threading.Event
) -> None:
    """And says so for every scope."""
    skies["sea"] = Sky(before=waiting(gate))
    listing = list_snapshots([target()], timeout=0)

    assert [] == list(listing)
    assert Outcome.TIMED_OUT is listing.report.scopes[0].outcome


@pytest.mark.parametrize("count", [1, 3])
def test_leaving_early_stops_the_threads(skies: dict[str, Sky], count: int) -> None:
    """Nobody reads, so nobody fetches."""
    regions = [f"r-{number}" for number in range(10)]
    for region in regions:
        skies[region] = Sky(rows=rows(region, 2000))
    before = threading.active_count()
    listing = list_snapshots([target(region) for region in regions], workers=4)
    reader = iter(listing)
    for _ in range(count):
        next(reader)
    listing.close()

    assert ended(before)
    assert sum(len(sky.asked) for sky in skies.values()) < 100
    assert not listing.report.complete


@pytest.mark.parametrize("spare", [0, 2])
def test_a_machine_with_few_threads_to_spare_lists_with_those(
    skies: dict[str, Sky], monkeypatch: pytest.MonkeyPatch, spare: int
) -> None:
    """Fewer are slower; without any it is said, and nothing is left running."""
    regions = [f"r-{number}" for number in range(6)]
    for region in regions:
        skies[region] = Sky(rows=rows(region, 10))
    start, started = threading.Thread.start, list[threading.Thread]()

    def scarce(thread: threading.Thread) -> None:
        if len(started) == spare:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    listing = list_snapshots([target(region) for region in regions], workers=4)
    if not spare:
        with pytest.raises(RuntimeError):
            list(listing)
        return

    assert 60 == len(list(listing))
    assert listing.report.complete


def test_a_slow_reader_holds_the_pages_back(skies: dict[str, Sky]) -> None:
    """Memory stays flat while a hundred thousand rows go by."""
    skies["sea"] = Sky(rows=rows("sea", 5000))
    with list_snapshots([target()], workers=1) as listing:
        next(iter(listing))
        threading.Event().wait(0.3)

        assert len(skies["sea"].asked) <= 7


def test_nothing_starts_before_it_is_read(skies: dict[str, Sky]) -> None:
    """A listing that is thrown away costs nothing."""
    skies["sea"] = Sky(rows=rows("sea", 5))
    before = threading.active_count()
    listing = list_snapshots([target()])
    listing.close()

    assert [] == skies["sea"].asked
    assert threading.active_count() <= before


@pytest.mark.parametrize("error", [KeyError("field"), AssertionError("odd")])
def test_an_adapters_bug_reaches_the_reader(skies: dict[str, Sky], error: Exception) -> None:
    """A bug that is turned into a failed scope is never mended."""
    skies["sea"] = Sky(before=raising(error))
    skies["good"] = Sky(rows=rows("good", 5))
    with pytest.raises(type(error)) as caught:
        list(list_snapshots([target(), target("good")]))

    assert error is caught.value


def test_a_scope_that_fails_in_the_middle_keeps_its_rows(skies: dict[str, Sky]) -> None:
    """And its report keeps both."""

    def before(page: int) -> None:
        if page == 2:
            raise PermissionDeniedError("no longer")

    skies["sea"] = Sky(rows=rows("sea", 250), before=before)
    listing = list_snapshots([target()])

    assert 100 == len(list(listing))
    (report,) = listing.report.scopes
    assert (Outcome.DENIED, 100, 1) == (report.outcome, report.rows, report.pages)


def test_a_target_given_twice_is_listed_once(skies: dict[str, Sky]) -> None:
    """Configuration and command line overlap."""
    skies["sea"] = Sky(rows=rows("sea", 5))
    same = target(credentials=Credentials(key_id="AK1", secret="secret"))
    listing = list_snapshots([target(), same, target()])

    assert 5 == len(list(listing))
    assert 1 == len(listing.report.scopes)


def test_two_accounts_without_labels_are_both_listed(skies: dict[str, Sky]) -> None:
    """They look the same, but one of them would be missing in silence."""
    skies["sea"] = Sky(rows=rows("sea", 5))
    other = target(credentials=Credentials(key_id="AK2", secret="secret"))
    listing = list_snapshots([target(), other])

    assert 10 == len(list(listing))
    assert 2 == len(listing.report.scopes)


def test_missing_credentials_are_one_scope_that_is_denied(skies: dict[str, Sky]) -> None:
    """The other accounts are listed all the same."""
    skies["sea"] = Sky(rows=rows("sea", 5))
    skies["dust"] = Sky(rows=rows("dust", 5))
    listing = list_snapshots([target(), target("dust", credentials=None)])

    assert 5 == len(list(listing))
    denied = listing.report.scopes[1]
    assert Outcome.DENIED is denied.outcome
    assert isinstance(denied.error, CredentialsMissingError)
    assert ("moon", "dust") == (denied.error.provider, denied.error.region)


@pytest.mark.parametrize(
    ("targets", "filters", "kind"),
    [
        ("mon:sea", {}, UnknownProviderError),
        (["moon:sea", "moon:evil.com/?"], {}, ConfigurationError),
        ("moon:sea", {"statues": "x"}, QueryError),
        ("moon:sea", {"created_before": "soon"}, QueryError),
        ("moon:sea", {"ids": ""}, QueryError),
    ],
)
def test_what_cannot_be_right_is_raised_at_once(
    targets: Any, filters: dict[str, Any], kind: type[SnapkitError]
) -> None:
    """Before a thread starts."""
    with pytest.raises(kind):
        list_snapshots(targets, **filters)


def test_one_target_may_be_given_alone_or_as_a_text(
    skies: dict[str, Sky], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shortest call is the one in the first example."""
    monkeypatch.setenv("MOON_ID", "AK1")
    monkeypatch.setenv("MOON_KEY", "k")
    skies["sea"] = Sky(rows=rows("sea", 5))

    assert [5, 5, 5] == [
        len(list(list_snapshots(one))) for one in ("moon:sea", target(), iter(["moon:sea"]))
    ]


def test_no_target_is_an_empty_listing() -> None:
    """There is nothing that could not be seen."""
    listing = list_snapshots([])

    assert ([], ()) == (list(listing), listing.report.scopes)


def test_groups_are_listed_the_same_way(skies: dict[str, Sky]) -> None:
    """And a provider without groups is a scope that failed, with the reason."""
    skies["sea"] = Sky(rows=rows("sea", 2), groups=[group(1, [bare(0), bare(1)])])
    bleak = Target(provider="bleak", region="sea", credentials=KEYS)
    listing = list_groups([target(), bleak], names=None)
    (found,) = listing

    assert ["normal", "normal"] == [member.raw_status for member in found.members]
    assert [Outcome.OK, Outcome.FAILED] == [one.outcome for one in listing.report.scopes]
    assert isinstance(listing.report.scopes[1].error, UnsupportedError)


def test_filters_and_query_reach_every_scope(skies: dict[str, Sky]) -> None:
    """One question for all."""
    skies["sea"], skies["dust"] = Sky(rows=rows("sea", 5)), Sky(rows=rows("dust", 5))
    listing = list_snapshots([target(), target("dust")], ids="s-00003")

    assert ["dust", "sea"] == sorted(one.region for one in listing)


@pytest.mark.parametrize("workers", [0, 1, 100])
def test_any_number_of_workers_will_do(skies: dict[str, Sky], workers: int) -> None:
    """Fewer than one is one."""
    for region in ("r-1", "r-2", "r-3"):
        skies[region] = Sky(rows=rows(region, 250))
    listing = list_snapshots([target(region) for region in skies], workers=workers)

    assert 750 == len(list(listing))


def test_every_driver_is_closed(skies: dict[str, Sky]) -> None:
    """Whether its scope went well or not."""
    skies["sea"] = Sky(rows=rows("sea", 5))
    skies["bad"] = Sky(before=raising(PermissionDeniedError("no")))
    list(list_snapshots([target(), target("bad")]))

    assert [1, 1] == [sky.closed for sky in skies.values()]


def test_a_scope_has_a_time_of_its_own(
    skies: dict[str, Sky], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its calls know when to give up, with and without a bound over all."""
    deadlines: list[float] = []
    start = Client.snapshots

    def snapshots(self: Client, *given: Any, **filters: Any) -> Any:
        deadlines.append(self._driver.connection.transport.deadline - time.monotonic())
        return start(self, *given, **filters)

    monkeypatch.setattr(Client, "snapshots", snapshots)
    skies["sea"] = Sky()
    for timeout in (None, 7.0):
        list(list_snapshots([attrs.evolve(target())], timeout=timeout, scope_timeout=90.0))

    assert pytest.approx([90.0, 7.0], abs=2) == deadlines
