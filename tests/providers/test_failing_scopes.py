"""Every way in which a scope can fail, in one sweep, on each emulated cloud.

What is good arrives whole; each of the others is named with its outcome and its reason; and
nothing that failed looks as if it were empty.
"""

import json
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from snapkit import fleet, sweeping
from snapkit.cli import main
from snapkit.credentials import Credentials
from snapkit.emulator import Emulator, Fault, World
from snapkit.emulator.state import AccountState, SnapshotRecord
from snapkit.errors import Failure
from snapkit.listing import Outcome
from snapkit.registry import driver_class, providers
from snapkit.settings import Target
from snapkit.sweeping import Event, SweepProgress
from snapkit.transport import Clock

KEY, SECRET = "AKIDEXAMPLE", "CANARY-failing"
ROWS = 130
FAULTS: dict[str, Fault] = {
    "throttled": Fault(kind="refuse", failure=Failure.THROTTLED, times=None),
    "refused": Fault(kind="refuse", failure=Failure.PERMISSION, times=None),
    "hang": Fault(kind="hang", times=None),
    "html": Fault(kind="html", times=None),
    "cut": Fault(kind="cut-answer", times=None),
    "ill": Fault(kind="status", status=503, times=None),
    "broken off": Fault(kind="html", times=None, skip=1),
}
PLACES = ["ok", "empty", "denied", *FAULTS, "fine"]
ELSEWHERE = ["unknown region", "wrong keys", "no keys", "no such host", "no TLS"]
EXPECTED: dict[str, tuple[Outcome, int, int, str]] = {
    "ok": (Outcome.OK, 2, ROWS, ""),
    "fine": (Outcome.OK, 2, ROWS, ""),
    "empty": (Outcome.EMPTY, 1, 0, ""),
    "denied": (Outcome.DENIED, 0, 0, ""),
    "refused": (Outcome.DENIED, 0, 0, ""),
    "throttled": (Outcome.THROTTLED, 0, 0, ""),
    "hang": (Outcome.TIMED_OUT, 0, 0, "not finished after 60 s"),
    "html": (Outcome.FAILED, 0, 0, "HTML"),
    "cut": (Outcome.FAILED, 0, 0, "cut"),
    "ill": (Outcome.FAILED, 0, 0, "503"),
    "broken off": (Outcome.FAILED, 1, 100, "HTML"),
    "unknown region": (Outcome.FAILED, 0, 0, ""),
    "wrong keys": (Outcome.DENIED, 0, 0, ""),
    "no keys": (Outcome.DENIED, 0, 0, ""),
    "no such host": (Outcome.FAILED, 0, 0, "cannot be resolved"),
    "no TLS": (Outcome.FAILED, 0, 0, "no trusted TLS connection"),
}
"""Outcome, pages, rows, and what the reason says, by scope."""


def world(provider: str) -> World:
    """Return an account with a region for each name in PLACES."""
    account = AccountState(provider=provider, key_id=KEY, secret=SECRET, label="one")
    start = time.time() - 400 * 86400
    for number, name in enumerate(PLACES):
        region = account.region(region_of(provider, name))
        region.denied = name == "denied"
        region.add(
            *(
                SnapshotRecord(
                    id=f"s-{number:03d}{row:05d}",
                    disk_id=f"d-{row:05d}",
                    size_gib=40,
                    started_at=start + row,
                )
                for row in range(0 if name == "empty" else ROWS)
            )
        )
    return World(accounts=[account])


def region_of(provider: str, name: str) -> str:
    return f"{driver_class(provider).home_region}-{[*PLACES, *ELSEWHERE].index(name)}"


def targets_of(emulator: Emulator, provider: str) -> list[Target]:
    """Return a target for each of PLACES and ELSEWHERE, in that order."""
    found = emulator.targets()
    here = found[0]
    port = emulator.endpoint.rpartition(":")[2]
    changes: dict[str, dict[str, Any]] = {
        "unknown region": {},
        "wrong keys": {"credentials": Credentials(key_id=KEY, secret="CANARY-wrong")},
        "no keys": {"credentials": None},
        "no such host": {"endpoint": "https://no-such-host.invalid"},
        "no TLS": {"endpoint": f"https://127.0.0.1:{port}"},
    }
    return found + [
        attrs.evolve(
            here, region=region_of(provider, name), account=name.replace(" ", "-"), **changes[name]
        )
        for name in ELSEWHERE
    ]


@attrs.define
class Bench:
    """The sweep to be made, and a clock that jumps when only the hanging scope is left."""

    provider: str
    targets: list[Target]
    ahead: float = 0.0

    def told(self, progress: SweepProgress) -> None:
        if progress.done == progress.total - 1:
            self.ahead = 1000.0

    def expected(self, name: str) -> tuple[Outcome, int, int, str]:
        outcome, pages, rows, words = EXPECTED[name]
        if (name, self.provider) == ("unknown region", "qingcloud"):
            # This cloud says of a zone that is not there what it says of a forbidden one.
            outcome = Outcome.DENIED
        return outcome, pages, rows, words

    def names(self, regions: list[str]) -> list[str]:
        known = {region_of(self.provider, name): name for name in [*PLACES, *ELSEWHERE]}
        return [known[region] for region in regions]


def _nowhere(real: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, *more: Any, **named: Any) -> Any:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name not known")
        return real(host, *more, **named)

    return getaddrinfo


@pytest.fixture(params=providers())
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    provider = str(request.param)
    for keys in driver_class(provider).environment.keys:
        monkeypatch.delenv(keys.key_id, raising=False)
        monkeypatch.delenv(keys.secret, raising=False)
    monkeypatch.setattr(socket, "getaddrinfo", _nowhere(socket.getaddrinfo))
    monkeypatch.setattr(fleet, "Clock", lambda: Clock(sleep=lambda seconds: None))
    with Emulator(world(provider)) as emulator:
        for name, fault in FAULTS.items():
            emulator.faults.append(attrs.evolve(fault, region=region_of(provider, name)))
        found = Bench(provider, targets_of(emulator, provider))
        clock = SimpleNamespace(monotonic=lambda: time.monotonic() + found.ahead)
        monkeypatch.setattr(sweeping, "time", clock)
        yield found


def test_each_scope_says_how_it_ended_and_the_good_ones_are_whole(bench: Bench) -> None:
    """Outcome, pages, rows and reason; in the order in which they were asked for."""
    listing = fleet.sweep(bench.targets, workers=32, timeout=60.0, on_progress=bench.told)
    rows = [one.ref for one in listing]
    reports = listing.report.scopes
    names = bench.names([one.scope.region for one in reports])

    assert [*PLACES, *ELSEWHERE] == names
    assert {name: bench.expected(name)[:3] for name in names} == {
        name: (one.outcome, one.pages, one.rows) for name, one in zip(names, reports, strict=True)
    }
    arrived = Counter(bench.names([ref.region for ref in rows]))
    assert {"ok": ROWS, "fine": ROWS, "broken off": 100} == arrived
    assert len(rows) == len(set(rows)) == listing.report.rows


def test_each_reason_is_a_sentence_without_a_secret(bench: Bench) -> None:
    """It names the place; what a provider refused has the provider's code."""
    listing = fleet.sweep(bench.targets, workers=32, timeout=60.0, on_progress=bench.told)
    list(listing)
    said = dict(zip([*PLACES, *ELSEWHERE], listing.report.scopes, strict=True))

    for name in EXPECTED:
        outcome, _, _, words = bench.expected(name)
        error = said[name].error
        if outcome in (Outcome.OK, Outcome.EMPTY):
            assert error is None, name
            continue
        assert error is not None, name
        assert words in str(error), name
        assert (bench.provider, said[name].scope.region) == (error.provider, error.region), name
        assert "CANARY" not in f"{error} {error!r} {error.hint}", name
        if name in ("denied", "refused", "throttled", "unknown region", "wrong keys"):
            assert error.code, name


@pytest.fixture
def shown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Return a function that runs ``snapkit list`` over the targets of *bench*."""
    pages_of = sweeping.pages_of

    def jumping(events: Iterator[Event]) -> Iterator[list[Any]]:
        return pages_of(sweeping.telling(events, len(bench.targets), bench.told))

    def places(given: dict[str, Any]) -> list[Target]:
        del given
        return bench.targets

    monkeypatch.setattr(fleet, "pages_of", jumping)
    monkeypatch.setattr("snapkit.cli.listing.targets", places)

    def command(*argv: str) -> tuple[int, str, str]:
        code = main(("list", "--timeout", "60", "--workers", "32", *argv))
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_json_ends_with_every_outcome(
    bench: Bench, shown: Callable[..., tuple[int, str, str]], form: str
) -> None:
    """Exit code 3, and the report in the document itself: a denied scope is not an empty one."""
    code, out, err = shown("-o", form)
    *lines, trailer = [json.loads(one) for one in (out.splitlines() if form == "ndjson" else [out])]
    rows = lines or trailer["snapshots"]
    scopes = trailer["report"]["scopes"]
    names = bench.names([one["region"] for one in scopes])
    outcomes = dict(zip(names, [one["outcome"] for one in scopes], strict=True))

    assert (3, 2 * ROWS + 100) == (code, len(rows))
    assert trailer["report"]["complete"] is False
    assert {name: bench.expected(name)[0].value for name in EXPECTED} == outcomes
    assert all((one["error"] is None) == (one["outcome"] in ("ok", "empty")) for one in scopes)
    assert "Traceback" not in err
    assert "CANARY" not in out + err


def test_the_table_is_followed_by_what_was_not_seen(
    bench: Bench, shown: Callable[..., tuple[int, str, str]]
) -> None:
    """Totals count the regions that answered; each of the others has its line, with the reason."""
    code, out, err = shown()
    good = [name for name, (outcome, *_) in EXPECTED.items() if outcome is Outcome.OK]

    assert 3 == code
    assert 1 + 2 * ROWS + 100 == len(out.splitlines())
    assert f"{2 * ROWS + 100} snapshots" in err
    assert f"in {len(good) + 1} of {len(EXPECTED)} regions" in err
    for name in EXPECTED:
        outcome, _, rows, words = bench.expected(name)
        region = region_of(bench.provider, name)
        lines = [line for line in err.splitlines() if f"{region}:" in line or f"{region}," in line]
        if outcome in (Outcome.OK, Outcome.EMPTY):
            assert [] == lines, name
            continue
        (line,) = lines
        after = f"{outcome.value} after {rows} rows: " if rows else f"{outcome.value}: "
        assert line.startswith("snapkit: not seen: "), name
        assert after in line, name
        assert words in line, name
