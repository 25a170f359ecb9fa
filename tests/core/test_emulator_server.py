"""The loopback server: ready at once, faults on order, and gone when closed."""

import http.client
import json
import random
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs
import pytest

from snapkit.emulator import Answer, Dialect, Emulator, Fault, Request, World, server
from snapkit.emulator.estate import Style, furnish, make_id
from snapkit.emulator.state import AccountState, RegionState
from snapkit.errors import Failure


class Plain(Dialect):
    """A dialect of one word: counts what it is asked."""

    provider = "moon"
    acted: ClassVar[int] = 0

    def recognises(self, request: Request) -> bool:
        return request.path.startswith("/moon")

    def operation(self, request: Request) -> str:
        return request.form.get("do", "")

    def region(self, request: Request) -> str:
        return request.form.get("region", "")

    def answer(self, request: Request) -> Answer:
        if request.form.get("do") == "break":
            raise KeyError("a bug in a dialect")
        type(self).acted += 1
        return Answer(body=json.dumps({"form": request.form, "method": request.method}).encode())

    def refuse(self, request: Request, failure: Failure) -> Answer:
        return Answer(status=403, body=json.dumps({"error": failure.value}).encode())

    @classmethod
    def populate(cls, world: World, seed: int) -> None:
        region = RegionState(id="sea")
        style = Style(instance="i-", disk="d-", snapshot="s-", group="g-", categories=("a", "b"))
        chance = random.Random(seed)
        furnish(region, style, chance=chance, now=1e9, zones=["z"], servers=6, nights=4)
        world.accounts.append(
            AccountState(provider="moon", key_id="AK", secret="s", regions={"sea": region})
        )

    @classmethod
    def target_options(cls) -> Mapping[str, Any]:
        return {"ca_bundle": "needed"}


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "dialect_classes", lambda: {"moon": Plain})
    monkeypatch.setattr(Plain, "acted", 0)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as one:
        yield one


@attrs.frozen
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]


def ask(emulator: Emulator, path: str = "/moon?do=list&region=sea", body: bytes = b"") -> Reply:
    connection = http.client.HTTPConnection(urlsplit(emulator.endpoint).netloc, timeout=5)
    try:
        connection.request(
            "POST" if body else "GET",
            path,
            body=body or None,
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        found = connection.getresponse()
        return Reply(found.status, found.read(), dict(found.getheaders()))
    finally:
        connection.close()


def test_it_is_ready_when_it_is_made(emulator: Emulator) -> None:
    """Nobody has to wait or to guess a port."""
    found = ask(emulator, body=b"x=%E4%B8%AD")

    assert emulator.endpoint.startswith("http://127.0.0.1:")
    assert {
        "form": {"do": "list", "region": "sea", "x": "中"},
        "method": "POST",
    } == json.loads(found.body)
    assert [("moon", "sea", "list", 200)] == [attrs.astuple(one) for one in emulator.log]


def test_a_language_that_no_cloud_speaks_is_404(emulator: Emulator) -> None:
    """With a sentence, and without an entry in the log."""
    found = ask(emulator, "/mars")

    assert (404, []) == (found.status, emulator.log)
    assert b"no emulated cloud" in found.body


@pytest.mark.parametrize(
    ("kind", "acted"), [("cut-before", 0), ("cut-after", 1)], ids=["before", "after"]
)
def test_a_cut_closes_the_line_before_or_after_acting(
    emulator: Emulator, kind: Any, acted: int
) -> None:
    """The caller cannot tell them apart; that is the point."""
    emulator.faults.append(Fault(kind=kind))
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        ask(emulator)

    assert acted == Plain.acted
    assert 200 == ask(emulator).status


def test_half_an_answer_says_its_whole_length(emulator: Emulator) -> None:
    """As a line that breaks in the middle does."""
    emulator.faults.append(Fault(kind="cut-answer"))
    with pytest.raises(http.client.IncompleteRead):
        ask(emulator)

    assert 1 == Plain.acted


@pytest.mark.parametrize("failure", [Failure.PERMISSION, Failure.THROTTLED, Failure.SERVER])
def test_a_refusal_is_in_the_providers_words(emulator: Emulator, failure: Failure) -> None:
    """And nothing was done."""
    emulator.faults.append(Fault(kind="refuse", failure=failure))
    found = ask(emulator)

    assert ({"error": failure.value}, 0) == (json.loads(found.body), Plain.acted)


def test_a_portal_speaks_html_with_a_good_status(emulator: Emulator) -> None:
    """As in a hotel."""
    emulator.faults.append(Fault(kind="html"))
    found = ask(emulator)

    assert (200, "text/html", True) == (
        found.status,
        found.headers["Content-Type"],
        found.body.startswith(b"<html>"),
    )


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_gateway_answers_with_a_bare_status(emulator: Emulator, status: int) -> None:
    """And an empty body."""
    emulator.faults.append(Fault(kind="status", status=status))
    found = ask(emulator)

    assert (status, b"") == (found.status, found.body)


def test_a_hang_lasts_until_the_emulator_closes() -> None:
    """And closing does not wait for it."""
    emulator = Emulator()
    emulator.faults.append(Fault(kind="hang"))
    caught: list[Exception] = []

    def wait() -> None:
        try:
            ask(emulator)
        except (OSError, http.client.HTTPException) as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    while emulator.faults[0].times != 0:
        threading.Event().wait(0.01)
    started = time.monotonic()
    emulator.close()
    thread.join(5)

    assert 1 == len(caught)
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("fault", "hit"),
    [
        (Fault(kind="html"), [True, False, False]),
        (Fault(kind="html", times=2), [True, True, False]),
        (Fault(kind="html", times=None), [True, True, True]),
        (Fault(kind="html", times=0), [False, False, False]),
        (Fault(kind="html", skip=1), [False, True, False]),
        (Fault(kind="html", provider="moon", region="sea", operation="list"), [True, False, False]),
        (Fault(kind="html", provider="mars", times=None), [False, False, False]),
        (Fault(kind="html", region="dust", times=None), [False, False, False]),
        (Fault(kind="html", operation="drop", times=None), [False, False, False]),
    ],
)
def test_a_fault_strikes_what_it_is_meant_for(
    emulator: Emulator, fault: Fault, hit: list[bool]
) -> None:
    """So many times, and after so many that pass."""
    emulator.faults.append(attrs.evolve(fault))

    assert hit == [ask(emulator).body.startswith(b"<html>") for _ in range(3)]


def test_latency_is_added_to_each_answer(emulator: Emulator) -> None:
    """Real clouds are not on this machine."""
    emulator.latency = 0.1
    started = time.monotonic()
    ask(emulator)

    assert 0.1 <= time.monotonic() - started < 2


def test_a_bug_in_a_dialect_is_not_silent(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would look like a broken line, and be hunted in the transport."""
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        ask(emulator, "/moon?do=break")
    shown = ""
    for _ in range(100):
        shown = capsys.readouterr().err
        if shown:
            break
        threading.Event().wait(0.02)

    assert "a bug in a dialect" in shown


def test_closing_twice_is_fine_and_the_port_is_free() -> None:
    """Tests close in a finally, and users in a with."""
    emulator = Emulator()
    port = urlsplit(emulator.endpoint).port
    emulator.close()
    emulator.close()
    with Emulator(port=port or 0) as again:
        assert port == urlsplit(again.endpoint).port


def test_many_callers_are_served_side_by_side(emulator: Emulator) -> None:
    """A sweep opens forty connections at once."""
    emulator.latency = 0.1
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda: found.append(ask(emulator).status)) for _ in range(40)
    ]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [200] * 40 == found
    assert time.monotonic() - started < 3


def test_targets_have_all_that_is_needed_to_reach_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Keys, endpoint, and what a dialect asks for besides."""
    monkeypatch.setattr(server, "Target", dict[str, Any])
    world = World()
    Plain.populate(world, 1)
    with Emulator(world) as emulator:
        (found,) = emulator.targets()

        assert [] == emulator.targets("mars")
        assert [found] == emulator.targets("moon") != []
    fields: dict[str, Any] = dict(found)  # type: ignore[call-overload] # the stand-in is a dict
    assert ("moon", "sea", "needed", "AK") == (
        fields["provider"],
        fields["region"],
        fields["ca_bundle"],
        fields["credentials"].key_id,
    )


def furnished(seed: int) -> RegionState:
    world = World()
    Plain.populate(world, seed)
    return world.accounts[0].regions["sea"]


def test_the_same_seed_gives_the_same_estate() -> None:
    """Documentation shows it, and tests count on it."""
    assert furnished(7) == furnished(7)
    assert furnished(7) != furnished(8)


def test_the_estate_holds_together() -> None:
    """Chains lead to a full snapshot, and groups to snapshots that are there."""
    region = furnished(7)
    snapshots = region.snapshots

    assert 12 == len(region.disks)
    assert 4 * len(region.disks) == len(snapshots)
    for one in snapshots.values():
        assert one.disk_id in region.disks
        assert one.full is (one.parent_id is None)
        if one.parent_id:
            assert snapshots[one.parent_id].started_at < one.started_at
            assert snapshots[one.root_id or ""].full
    for group in region.groups.values():
        assert {g.instance_id for g in map(snapshots.__getitem__, group.snapshot_ids)} == {
            group.instance_id
        }


def test_ids_have_the_length_that_is_asked_for() -> None:
    """Providers' ids do."""
    assert 10 == len(make_id(random.Random(1), "s-", 8))
