"""The interface under /_snapkit/: what it shows, what it changes, and whom it refuses."""

import http.client
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest

from snapkit.client import connect
from snapkit.emulator import Emulator, Fault, Throttle, World, demo_world, load_estate
from snapkit.emulator.server import Exchange
from snapkit.emulator.state import AccountState, RegionState, SnapshotRecord
from snapkit.errors import Failure, SnapkitError, ThrottledError
from snapkit.model import DiskRole
from snapkit.registry import driver_class, providers

from .hurried import hurried

SEND = {"X-Snapkit-Emulator": "1"}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(again=demo_world) as running:
        yield running


@attrs.frozen
class Reply:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    emulator: Emulator,
    method: str,
    path: str,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Send *body* as it is if it is bytes, else as JSON."""
    connection = http.client.HTTPConnection(urlsplit(emulator.endpoint).netloc, timeout=5)
    sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    try:
        connection.request(
            method, f"/_snapkit/{path}", sent, dict(SEND if headers is None else headers)
        )
        found = connection.getresponse()
        return Reply(found.status, found.read())
    finally:
        connection.close()


def get(emulator: Emulator, path: str) -> Any:
    found = ask(emulator, "GET", path, headers={})
    assert 200 == found.status, found.body
    return found.json


def post(emulator: Emulator, path: str, body: Any = None) -> Any:
    found = ask(emulator, "POST", path, body)
    assert 200 == found.status, found.body
    return found.json


def test_the_index_names_every_path(emulator: Emulator) -> None:
    """Who finds one finds all."""
    found = get(emulator, "")

    assert emulator.endpoint == found["endpoint"]
    assert ["GET", "POST", "DELETE"] == found["paths"]["/_snapkit/faults"]
    for path, methods in found["paths"].items():
        if "GET" in methods and not path.endswith("/ID"):
            get(emulator, path.removeprefix("/_snapkit/"))


def test_the_state_counts_what_there_is(emulator: Emulator) -> None:
    """Accounts, regions and their things; no secret is in it."""
    found = get(emulator, "state")
    world = emulator.world

    assert [one.provider for one in world.accounts] == [
        one["provider"] for one in found["accounts"]
    ]
    for account, shown in zip(world.accounts, found["accounts"], strict=True):
        assert account.label == shown["account"]
        assert {
            region.id: {
                "open": region.open,
                "denied": region.denied,
                "disks": len(region.disks),
                "snapshots": len(region.snapshots),
                "groups": len(region.groups),
            }
            for region in account.regions.values()
        } == shown["regions"]
    assert not any(account.secret in json.dumps(found) for account in world.accounts)
    assert ([], [], 0.0, []) == (
        found["faults"],
        found["exchanges"],
        found["ahead"],
        found["troubles"],
    )


@pytest.mark.parametrize("provider", providers())
def test_its_clock_is_that_of_the_clouds(emulator: Emulator, provider: str) -> None:
    """Snapshots come along, and signatures stay valid."""
    target = next(one for one in emulator.targets(provider) if not _is_denied(emulator, one))
    region = next(emulator.world.of(provider)).regions[target.region]
    region.add(SnapshotRecord(id="s-new", disk_id="d", size_gib=9, started_at=emulator.clock.now()))
    with connect(target) as client:
        before = client.snapshot("s-new")
        moved = post(emulator, "clock", {"advance": "1h"})
        after = client.snapshot("s-new")

    assert ("creating", "available") == (before.status.value, after.status.value)
    assert 3600.0 == moved["ahead"] == get(emulator, "clock")["ahead"]


def _is_denied(emulator: Emulator, target: Any) -> bool:
    region = next(emulator.world.of(target.provider)).regions[target.region]
    return region.denied or not region.open


def test_a_fault_has_every_field(emulator: Emulator) -> None:
    """What a test in Python may order, a test in Go may too."""
    provider = providers()[0]
    wanted = Fault(
        kind="refuse",
        provider=provider,
        region="sea",
        operation="Describe",
        failure=Failure.QUOTA,
        status=503,
        times=None,
        skip=2,
    )
    sent = {**attrs.asdict(wanted), "failure": "quota"}
    found = post(emulator, "faults", sent)

    assert [wanted] == emulator.faults
    assert [sent] == found["faults"] == get(emulator, "faults")["faults"]
    assert [sent] == get(emulator, "state")["faults"]


def test_what_is_left_out_of_a_fault_is_as_in_python(emulator: Emulator) -> None:
    """One default, not two."""
    post(emulator, "faults", [{"kind": "html"}, {"kind": "hang", "provider": None}])

    assert [Fault(kind="html"), Fault(kind="hang")] == emulator.faults


def test_a_fault_strikes_and_is_gone(emulator: Emulator) -> None:
    """The log has it, the list has it no more, and the next call is fine."""
    provider = providers()[0]
    target = next(one for one in emulator.targets(provider) if not _is_denied(emulator, one))
    post(emulator, "faults", {"kind": "refuse", "failure": "permission", "provider": provider})
    with connect(target) as client:
        with pytest.raises(SnapkitError):
            client.snapshot("s-1")
        left = get(emulator, "faults")
        list(client.snapshots())
    log = get(emulator, "log")

    assert {"faults": []} == left
    assert {provider} == {one["provider"] for one in log["exchanges"]}
    assert {target.region} == {one["region"] for one in log["exchanges"]}
    assert len(emulator.log) == log["next"] == log["total"] == len(log["exchanges"])


def test_faults_are_taken_back(emulator: Emulator) -> None:
    """All of them, in the middle of a test."""
    post(emulator, "faults", {"kind": "html", "times": None})
    found = ask(emulator, "DELETE", "faults")

    assert (200, {"faults": []}, []) == (found.status, found.json, emulator.faults)


def test_the_log_is_read_on_from_where_one_was(emulator: Emulator) -> None:
    """A hundred at a time, none twice and none missed."""
    emulator.log.extend(Exchange("moon", "sea", str(number), 200) for number in range(250))
    seen: list[str] = []
    after = 0
    while True:
        page = get(emulator, f"log?after={after}")
        if not page["exchanges"]:
            break
        seen += [one["operation"] for one in page["exchanges"]]
        after = page["next"]

    assert [str(number) for number in range(250)] == seen
    assert 250 == get(emulator, "log?after=9999")["total"]
    assert "249" == get(emulator, "log")["exchanges"][-1]["operation"]
    assert 250 == get(emulator, "log")["next"]


def test_a_snapshot_is_found_wherever_it_is(emulator: Emulator) -> None:
    """Ids are unique in a region only, so it is a list."""
    for account in emulator.world.accounts[:2]:
        account.region("sea").add(
            SnapshotRecord(
                id="s/1 中", disk_id="d", size_gib=9, started_at=0.0, name="x", fails=True
            )
        )
    found = get(emulator, "snapshots/s%2F1%20%E4%B8%AD")["snapshots"]

    assert [(one.provider, "sea") for one in emulator.world.accounts[:2]] == [
        (one["provider"], one["region"]) for one in found
    ]
    assert {("failed", "x")} == {(one["stage"], one["record"]["name"]) for one in found}


def test_what_is_exported_can_be_served(emulator: Emulator, tmp_path: Path) -> None:
    """A state that a test came upon by chance is kept for the next."""
    post(emulator, "clock", {"advance": 60})
    exported = ask(emulator, "GET", "estate").body
    path = tmp_path / "estate.json"
    path.write_bytes(exported)
    with Emulator(again=load_estate(path).world) as other:
        assert json.loads(exported) == get(other, "estate")


def test_a_reset_goes_back_to_the_beginning(emulator: Emulator) -> None:
    """Accounts, clock, faults, log, and what the dialects remember."""
    before = get(emulator, "state")["accounts"]
    world = emulator.world
    world.accounts[0].regions.clear()
    world.lag = 5.0
    post(emulator, "clock", {"advance": "1d"})
    post(emulator, "faults", {"kind": "html"})
    emulator.log.append(Exchange("moon", "sea", "x", 200))
    after = post(emulator, "reset")

    assert world is emulator.world
    assert (before, 0.0, [], [], 0.0) == (
        after["accounts"],
        after["ahead"],
        after["faults"],
        after["exchanges"],
        world.lag,
    )


@pytest.mark.parametrize("provider", providers())
def test_after_a_reset_a_key_makes_a_snapshot_anew(emulator: Emulator, provider: str) -> None:
    """A client token of the test before must not bring back what is gone."""
    target = next(one for one in emulator.targets(provider) if not _is_denied(emulator, one))
    region = next(emulator.world.of(provider)).regions[target.region]
    disk = next(one.id for one in region.disks.values() if one.role is DiskRole.DATA)
    made: list[str] = []
    for _ in range(2):
        with hurried(target) as client:
            made.append(client.create(disk, key="nightly").id)
        there = next(emulator.world.of(provider)).regions[target.region].snapshots
        assert made[-1] in there
        emulator.reset()

    assert made[0] != made[1]
    assert made[1] not in next(emulator.world.of(provider)).regions[target.region].snapshots


def test_an_emulator_of_a_given_world_cannot_be_reset() -> None:
    """It was not told how to make it; better a sentence than half a reset."""
    with Emulator(World()) as emulator:
        found = ask(emulator, "POST", "reset")

        assert 409 == found.status
        assert "cannot be reset" in found.json["error"]


def test_throttled_calls_are_counted() -> None:
    """A test of a client's pace wants to see none."""
    provider = providers()[0]
    throttle = Throttle(per_second=1, burst=1, monotonic=lambda: 0.0)
    region = RegionState(id=driver_class(provider).home_region)
    account = AccountState(
        provider=provider, key_id="AK", secret="s", regions={region.id: region}, throttle=throttle
    )
    with Emulator(World(accounts=[account])) as emulator:
        throttle.refused = 7

        assert 7 == get(emulator, "state")["accounts"][0]["throttled"]


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({**SEND, "Host": "evil.example"}, "the Host is 'evil.example'"),
        ({**SEND, "Host": "127.0.0.1.evil.example:80"}, "call this machine 127.0.0.1"),
        ({**SEND, "Host": "[::1"}, "call this machine"),
        ({**SEND, "Host": ""}, "call this machine"),
        ({**SEND, "Origin": "https://evil.example"}, "requests from web pages are refused"),
        ({**SEND, "Origin": "null"}, "requests from web pages are refused"),
        ({}, "POST needs the header 'X-Snapkit-Emulator: 1'"),
    ],
    ids=["rebinding", "suffix", "broken", "empty", "origin", "null", "bare"],
)
def test_what_a_web_page_could_send_is_refused(
    emulator: Emulator, headers: dict[str, str], sentence: str
) -> None:
    """Browsers are on this machine too, and go where any page tells them."""
    found = ask(emulator, "POST", "clock", {"advance": 5}, headers)

    assert (403, 0.0) == (found.status, emulator.clock.ahead)
    assert sentence in found.json["error"]


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:1", "LOCALHOST"])
def test_every_name_of_this_machine_is_fine(emulator: Emulator, host: str) -> None:
    """Also through a forwarded port."""
    assert 200 == ask(emulator, "GET", "clock", headers={"Host": host}).status


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "sentence"),
    [
        ("GET", "nothing", None, 404, "nothing is at '/_snapkit/nothing'; there are /_snapkit/,"),
        ("GET", "snapshots/none", None, 404, "no snapshot 'none' in any account"),
        ("GET", "snapshots/", None, 404, "nothing is at"),
        ("PUT", "clock", None, 405, "PUT is not for '/_snapkit/clock'; use GET, POST"),
        ("PATCH", "clock", None, 405, "use GET, POST"),
        ("DELETE", "clock", None, 405, "use GET, POST"),
        ("GET", "reset", None, 405, "use POST"),
        ("GET", "log?after=x", None, 400, "'after' cannot be 'x'"),
        ("GET", "log?after=-1", None, 400, "'after' cannot be '-1'"),
        ("POST", "clock", b"{", 400, "the body is not JSON"),
        ("POST", "clock", b"\xff", 400, "the body is not JSON"),
        ("POST", "clock", b"[" * 100_000, 400, "the body is not JSON"),
        ("POST", "clock", [], 400, "the body is not a JSON object"),
        ("POST", "clock", {}, 400, "'advance' cannot be None; write seconds, or a text"),
        ("POST", "clock", {"advance": -1}, 400, "'advance' cannot be -1"),
        ("POST", "clock", {"advance": True}, 400, "'advance' cannot be True"),
        ("POST", "clock", b'{"advance": 1e999}', 400, "'advance' cannot be inf"),
        ("POST", "clock", {"advance": "soon"}, 400, "'advance' cannot be 'soon'"),
        ("POST", "clock", {"advanc": 1}, 400, "unknown key 'advanc'; did you mean 'advance'?"),
        ("POST", "reset", {"to": 1}, 400, "unknown key 'to'"),
        ("POST", "faults", {}, 400, "'kind' is missing; known: cut-after"),
        ("POST", "faults", [1], 400, "the body is not a JSON object"),
        ("POST", "faults", {"kind": 1}, 400, "'kind' must be a text in quotes, not a number"),
        ("POST", "faults", {"kind": "htm"}, 400, "'kind' cannot be 'htm'; did you mean 'html'?"),
        ("POST", "faults", {"kind": "html", "skp": 1}, 400, "did you mean 'skip'?"),
        ("POST", "faults", {"kind": "html", "times": 0}, 400, "'times' cannot be 0"),
        ("POST", "faults", {"kind": "html", "times": 1.5}, 400, "'times' must be a whole number"),
        ("POST", "faults", {"kind": "html", "skip": -1}, 400, "'skip' cannot be -1"),
        ("POST", "faults", {"kind": "status", "status": 99}, 400, "'status' cannot be 99"),
        ("POST", "faults", {"kind": "html", "provider": "moon"}, 400, "no provider 'moon'"),
        ("POST", "faults", {"kind": "refuse", "failure": "quot"}, 400, "did you mean 'quota'?"),
        ("POST", "faults", [{"kind": "html"}, {"kind": "x"}], 400, "'kind' cannot be 'x'"),
    ],
)
def test_mistakes_are_sentences(
    emulator: Emulator, method: str, path: str, body: Any, status: int, sentence: str
) -> None:
    """With a status that fits, and nothing is changed."""
    found = ask(emulator, method, path, body)

    assert status == found.status
    assert sentence in found.json["error"]
    assert (0.0, []) == (emulator.clock.ahead, emulator.faults)


def test_the_clock_goes_no_further_than_a_century(emulator: Emulator) -> None:
    """Times that no calendar has would break every dialect."""
    post(emulator, "clock", {"advance": "5000w"})
    found = ask(emulator, "POST", "clock", {"advance": "1000w"})

    assert (400, True) == (found.status, "goes no further" in found.json["error"])


def test_a_method_that_no_cloud_uses_is_refused(emulator: Emulator) -> None:
    """It is no request to a cloud, and stands in no log."""
    connection = http.client.HTTPConnection(urlsplit(emulator.endpoint).netloc, timeout=5)
    connection.request("DELETE", "/iaas/")
    found = connection.getresponse()
    connection.close()

    assert (501, []) == (found.status, emulator.log)


@pytest.mark.parametrize("provider", providers())
def test_a_limit_from_an_estate_is_kept(tmp_path: Path, provider: str) -> None:
    """The second call in the same moment is told to come later, in the provider's words."""
    place = driver_class(provider).home_region
    account: dict[str, Any] = {
        "provider": provider,
        "key_id": "AK1",
        "secret": "s3cret",
        "limit": {"per_second": 0.001, "burst": 1},
        "regions": {place: {}},
    }
    path = tmp_path / "estate.json"
    path.write_text(json.dumps({"accounts": [account]}))
    with Emulator(again=load_estate(path).world) as emulator:
        (target,) = emulator.targets()
        with hurried(target) as client:
            assert [] == list(client.snapshots())
            with pytest.raises(ThrottledError):
                list(client.snapshots())
        refused = get(emulator, "state")["accounts"][0]["throttled"]

    assert refused >= 1
