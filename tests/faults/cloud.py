"""A region of one provider with three pages of snapshots, and clients that never really pause."""

import threading
import time
from collections.abc import Callable
from typing import Any

import attrs

from snapkit import Client, connect
from snapkit.credentials import Credentials
from snapkit.emulator import Emulator
from snapkit.emulator.dialect import Answer, Request
from snapkit.emulator.state import RegionState
from snapkit.errors import Failure, SnapkitError
from snapkit.listing import Outcome, ScopeReport
from snapkit.model import Snapshot
from snapkit.registry import dialect_classes
from snapkit.retry import RetryPolicy
from snapkit.settings import Target
from snapkit.transport import Clock
from tests.estate import SECRET, estate

ROWS = 210
CANARY = SECRET
TOKEN = "CANARY-token"
NAMES = {"alibaba": "SnapshotName", "tencent": "SnapshotName", "qingcloud": "snapshot_name"}
SIZES = {"alibaba": "SourceDiskSize", "tencent": "DiskSize", "qingcloud": "size"}
"""The wire's field of a snapshot's name, and of the size of its disk in GiB."""


@attrs.define
class Time:
    """A clock that runs, and jumps ahead when somebody sleeps."""

    slept: list[float] = attrs.field(factory=list[float])
    on_sleep: Callable[[], None] = lambda: None

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass for the client and for nobody else."""
        self.slept.append(seconds)
        self.on_sleep()

    @property
    def clock(self) -> Clock:
        """The clock of a client."""
        return Clock(
            monotonic=lambda: time.monotonic() + sum(self.slept),
            sleep=self.sleep,
        )


@attrs.define
class Seen:
    """What came out of one listing."""

    rows: list[Snapshot]
    report: ScopeReport
    error: SnapkitError | None

    @property
    def ids(self) -> list[str]:
        """The ids in the order in which they came."""
        return [row.id for row in self.rows]


@attrs.define
class Cloud:
    """One provider, emulated: what it holds, and how to reach it under another address."""

    provider: str
    emulator: Emulator
    target: Target
    region: RegionState
    time: Time = attrs.field(factory=Time)
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    def answer(self, request: Request) -> Answer:
        """Return what the provider says to *request*."""
        answer, _ = self.emulator.respond(request)
        assert answer is not None
        return answer

    def refusal(self, request: Request, failure: Failure) -> Answer:
        """Return the provider's own words for *failure*."""
        answer: Answer = dialect_classes()[self.provider](self.emulator.world).refuse(
            request, failure
        )
        return answer

    def client(self, endpoint: str, *, token: str | None = None, **settings: Any) -> Client:
        """Return a client that reaches the provider at *endpoint*."""
        keys = self.target.credentials
        assert isinstance(keys, Credentials)
        if token is not None:
            next(self.emulator.world.of(self.provider)).token = token
            keys = attrs.evolve(keys, token=token)
        region = settings.pop("region", self.target.region)
        target = attrs.evolve(self.target, endpoint=endpoint, credentials=keys, region=region)
        settings.setdefault("policy", RetryPolicy(call_timeout=600.0))
        settings.setdefault("clock", self.time.clock)
        return connect(target, **settings)

    def list(self, endpoint: str, **settings: Any) -> Seen:
        """Return what a listing of everything at *endpoint* gives, errors included."""
        with self.client(endpoint, **settings) as client:
            listing = client.snapshots()
            rows: list[Snapshot] = []
            error = None
            try:
                rows.extend(listing)
            except SnapkitError as caught:
                error = caught
            return Seen(rows, listing.report.scopes[0], error)

    @property
    def ids(self) -> set[str]:
        """The ids of all snapshots that there are."""
        return set(self.region.snapshots)

    def check_whole(self, seen: Seen) -> None:
        """Assert that *seen* is everything there is, each once."""
        assert seen.error is None
        assert self.ids == set(seen.ids)
        assert len(self.ids) == len(seen.ids)
        assert seen.report.complete

    def check_failed(self, seen: Seen, outcome: Outcome = Outcome.FAILED) -> SnapkitError:
        """Assert that *seen* says that it is no whole listing, and return why."""
        assert seen.error is not None
        assert outcome is seen.report.outcome
        assert not seen.report.complete
        assert seen.error is seen.report.error
        assert len(seen.ids) < len(self.ids)
        assert self.provider == seen.error.provider
        assert CANARY not in f"{seen.error} {seen.error!r}"
        return seen.error


def cloud(provider: str, emulator: Emulator) -> Cloud:
    """Return *provider* as *emulator* has it."""
    target = emulator.targets(provider)[0]
    account = next(emulator.world.of(provider))
    return Cloud(provider, emulator, target, account.regions[target.region])


def furnished_emulator() -> Emulator:
    """Return an emulator on which each provider has one region with ROWS snapshots."""
    return Emulator(estate(accounts=1, regions=1, rows=ROWS))
