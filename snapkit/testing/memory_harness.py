"""The harness over the tiny cloud."""

from collections.abc import Mapping
from typing import Any

import requests

from snapkit.credentials import Credentials
from snapkit.driver import Capability, Driver
from snapkit.errors import Failure
from snapkit.http import Http
from snapkit.model import DiskRole
from snapkit.testing.harness import (
    GroupSeed,
    Harness,
    Lost,
    Seed,
    StatusCase,
    open_directly,
    patient_clock,
)
from snapkit.testing.memory import STATUSES, DerivingDriver, MemoryDriver
from snapkit.testing.memory_account import HOME, MemoryAccount, written
from snapkit.testing.memory_cloud import MemoryCloud

__all__ = ["MemoryHarness"]

OPERATIONS: Mapping[Capability, str] = {
    Capability.CREATE: "CreateSnapshot",
    Capability.CREATE_GROUP: "CreateGroup",
    Capability.DELETE: "DeleteSnapshots",
    Capability.DELETE_GROUP: "DeleteGroup",
    Capability.RESTORE: "CreateDisk",
    Capability.ROLL_BACK: "RollBack",
    Capability.COPY: "Copy",
}


class MemoryHarness(Harness):
    """The tiny cloud under the contract, by the *driver* and paging style given."""

    provider = "memory"
    account = "prod"
    region = HOME
    other_region = "m-2"
    secret = "canary-memory-5f2b8c"  # noqa: S105 - made up, to be looked for
    statuses = tuple(
        StatusCase(raw=word, status=status, restorable=restorable)
        for word, (status, restorable) in STATUSES.items()
    )
    unsaid = frozenset({"stored_bytes", "progress", "kms_key_id"})
    spoilt: Mapping[str, Any] | None = {"id": None}
    bad_names = ("http://x", "n" * 41)
    bad_group_names = bad_names
    most_tags = 20
    lags = True

    def __init__(self, driver: type[Driver] = MemoryDriver, **options: str) -> None:
        self.driver, self.options = driver, options
        self.deletes_subtree = issubclass(driver, DerivingDriver)
        self.behind = MemoryAccount(subtree=self.deletes_subtree)
        self.cloud = MemoryCloud(self.secret, self.behind)

    def open(
        self, *, keep_raw: bool = False, secret: str | None = None, region: str | None = None
    ) -> Driver:
        """Return a driver whose session ends in the tiny cloud."""
        session = requests.Session()
        session.trust_env = False
        session.mount("https://", self.cloud)
        return open_directly(
            self.driver,
            region=region or self.region,
            account=self.account,
            credentials=Credentials(key_id="key", secret=secret or self.secret),
            options=self.options,
            keep_raw=keep_raw,
            http=Http(session),
            clock=patient_clock(self.advance),
        )

    def add(self, *seeds: Seed) -> list[str]:
        """Put snapshots into the cloud."""
        return [self.put(seed) for seed in seeds]

    def put(self, seed: Seed) -> str:
        """Put one snapshot into the cloud and return its id."""
        self.add_disks(seed.disk, server=seed.server, size_gib=seed.size_gib)
        snapshot_id = self.behind.next_id("s", self.behind.snapshots)
        row = {
            "id": snapshot_id,
            "disk": self.disk_id(seed.disk),
            "server": self.server_id(seed.server),
            "boot": seed.role is DiskRole.SYSTEM,
            "gib": seed.size_gib,
            "state": "ready",
            "made": written(seed.made_at.timestamp()),
            "title": seed.name,
            "note": seed.description,
            "labels": self.labels(seed.tags),
            "locked": seed.encrypted,
        }
        if seed.status is not None:
            row |= {"state": seed.status.sent, **seed.status.row}
        self.behind.snapshots[snapshot_id] = row | dict(seed.row)
        return snapshot_id

    def add_disks(self, *numbers: int, server: int = 1, size_gib: int = 40) -> list[str]:
        """Put disks into the cloud."""
        for number in numbers:
            self.behind.disks[self.disk_id(number)] = {
                "id": self.disk_id(number),
                "title": "",
                "gib": size_gib,
                "server": self.server_id(server),
                "boot": False,
            }
        return [self.disk_id(number) for number in numbers]

    def add_group(self, seed: GroupSeed) -> list[str]:
        """Put a group into the cloud, or only its snapshots where groups are derived."""
        ids = self.add(*seed.members())
        if Capability.GROUPS in self.driver.capabilities:
            group_id = self.behind.next_id("g", self.behind.groups)
            self.behind.groups[group_id] = {
                "id": group_id,
                "title": seed.name,
                "note": seed.description,
                "made": written(seed.made_at.timestamp()),
                "server": self.server_id(seed.server),
                "labels": self.labels(seed.tags),
                "members": ids,
            }
        return ids

    def remove(self, *ids: str) -> None:
        """Take snapshots away."""
        for snapshot_id in ids:
            del self.behind.snapshots[snapshot_id]

    def refuse(self, failure: Failure, *, skip: int = 0) -> None:
        """Let the cloud refuse."""
        self.cloud.refusal, self.cloud.patience = failure, skip

    @property
    def requests(self) -> int:
        """How many requests have arrived."""
        return len(self.cloud.log)

    def sent(self, act: Capability) -> int:
        """How many requests for *act* have arrived."""
        return self.cloud.log.count(OPERATIONS[act])

    def lose(self, act: Capability, how: Lost, *, times: int = 1) -> None:
        """Lose the next answers."""
        self.cloud.faults += [(OPERATIONS[act], how)] * times

    def lag(self, seconds: float) -> None:
        """Hide what is new."""
        self.behind.lag = seconds

    def advance(self, seconds: float) -> None:
        """Move the cloud's clock."""
        self.behind.ahead += seconds

    def living(self) -> list[str]:
        """Return the ids of the snapshots there are."""
        return sorted(
            key for key, row in self.behind.snapshots.items() if row.get("_region", HOME) == HOME
        )

    def disks_there(self) -> list[str]:
        """Return the ids of the disks there are."""
        return sorted(self.behind.disks)

    def use_in_image(self, snapshot_id: str) -> None:
        """Make an image stand on a snapshot."""
        self.behind.snapshots[snapshot_id]["images"] = 1

    def doom(self, snapshot_id: str) -> None:
        """Let a snapshot fail that is being made."""
        self.behind.snapshots[snapshot_id]["_fails"] = True

    def build_on(self, child: str, parent: str) -> None:
        """Make *child* build on *parent*."""
        self.behind.snapshots[child]["parent"] = parent

    def labels(self, pairs: Mapping[str, str]) -> list[dict[str, str]]:
        """Return tags as the cloud writes them."""
        return [{"key": key, "value": value} for key, value in pairs.items()]
