"""The provider's side: a directory that tests fill, and a wire that they can cut."""

import errno
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import snapkit_filesystem
from snapkit_filesystem.api import FilesystemApi
from snapkit_filesystem.facts import STATUSES
from snapkit_filesystem.tree import Facts, Tree

from snapkit.credentials import Credentials
from snapkit.driver import Capability, Driver
from snapkit.errors import Failure
from snapkit.model import SnapshotStatus
from snapkit.testing import GroupSeed, Harness, Lost, Seed, StatusCase, open_directly
from snapkit.transport import Call

REFUSALS = {
    Failure.PERMISSION: errno.EACCES,
    Failure.AUTHENTICATION: errno.EKEYEXPIRED,
    Failure.THROTTLED: errno.EAGAIN,
    Failure.SERVER: errno.EIO,
}
OPERATIONS = {
    Capability.CREATE: "CreateSnapshot",
    Capability.CREATE_GROUP: "CreateGroup",
    Capability.DELETE: "DeleteSnapshots",
    Capability.DELETE_GROUP: "DeleteGroup",
    Capability.RESTORE: "CreateDisk",
}


class Torn(Tree):
    """A tree whose machine goes away in the middle of everything that it does."""

    def record(self, home: Path, facts: Facts) -> NoReturn:
        raise OSError(errno.EIO, f"gone while writing {len(facts)} facts", str(home))

    def clear(self, home: Path) -> NoReturn:
        raise OSError(errno.EIO, "gone while deleting", str(home))


class Wire(FilesystemApi):
    """The real operations, refused, lost or cut when a test wants that."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.refusal: Failure | None = None
        self.patience = 0
        self.faults: list[tuple[str, Lost]] = []

    def act(self, call: Call, now: float) -> Mapping[str, Any]:
        self.log.append(call.operation)
        if self.refusal is not None and self.patience <= 0:
            raise OSError(REFUSALS[self.refusal], "refused")
        self.patience -= 1
        lost = next((how for name, how in self.faults if name == call.operation), None)
        if lost is None:
            return super().act(call, now)
        self.faults.remove((call.operation, lost))
        if lost is Lost.MIDDLE:
            self.tree = Torn
        try:
            if lost is not Lost.BEFORE:
                super().act(call, now)
        finally:
            self.tree = Tree
        raise OSError(errno.ETIMEDOUT, "no answer")


class FilesystemHarness(Harness):
    """A root with one region, in a folder that is deleted afterwards."""

    provider = "filesystem"
    account = "prod"
    region = "site-a"
    secret = "canary-filesystem-77ab"
    statuses = tuple(
        StatusCase(raw=word, status=status, restorable=restorable)
        for word, (status, restorable) in STATUSES.items()
    )
    future = StatusCase(raw="defrosting", status=SnapshotStatus.UNKNOWN)
    unsaid = frozenset(
        {"encrypted", "kms_key_id", "progress", "locked", "expires_at", "source.zone"}
        | {"usage.images", "usage.disks", "usage.shares"}
    )
    spoilt: Mapping[str, Any] | None = {"id": None}
    bad_names = ("n" * 256,)
    bad_group_names = bad_names

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="snapkit-"))
        self.place = self.root / self.region
        self.place.mkdir()
        self.wire = Wire()
        self.made = 0

    def open(
        self, *, keep_raw: bool = False, secret: str | None = None, region: str | None = None
    ) -> Driver:
        """Return a driver that ends in the wire of this harness."""
        driver = type("Driver", (snapkit_filesystem.FilesystemDriver,), {"api": self.wire})
        return open_directly(
            driver,
            region=region or self.region,
            account=self.account,
            credentials=Credentials(key_id="none", secret=secret or self.secret),
            options={"root": str(self.root)},
            keep_raw=keep_raw,
        )

    def add(self, *seeds: Seed) -> list[str]:
        """Write snapshots as another tool would."""
        return [self.put(seed) for seed in seeds]

    def put(self, seed: Seed, **more: Any) -> str:
        """Write one snapshot and return its id."""
        self.made += 1
        name = f"s-{self.made:016d}"
        self.add_disks(seed.disk, server=seed.server, size_gib=seed.size_gib)
        facts = {
            "id": name,
            "disk": self.disk_id(seed.disk),
            "server": self.server_id(seed.server),
            "role": seed.role.value,
            "bytes": seed.size_gib * 1024**3,
            "state": seed.status.sent if seed.status else "complete",
            "made": seed.made_at.isoformat(),
            "name": seed.name,
            "note": seed.description,
            "tags": dict(seed.tags),
            **more,
            **seed.row,
        }
        self.write(self.place / "snapshots" / name, facts)
        return name

    def add_disks(self, *numbers: int, server: int = 1, size_gib: int = 40) -> list[str]:
        """Write disks with something in them."""
        for number in numbers:
            home = self.place / "disks" / self.disk_id(number)
            if not home.exists():
                size = size_gib * 1024**3
                self.write(home, {"server": self.server_id(server), "bytes": size})
                (home / "data" / "ledger").write_text(f"disk {number}", encoding="utf-8")
        return [self.disk_id(number) for number in numbers]

    def add_group(self, seed: GroupSeed) -> list[str]:
        """Write a group and its snapshots."""
        self.made += 1
        name = f"g-{self.made:016d}"
        members = [self.put(one, group=name) for one in seed.members()]
        facts = {
            "id": name,
            "name": seed.name,
            "note": seed.description,
            "tags": dict(seed.tags),
            "server": self.server_id(seed.server),
            "made": seed.made_at.isoformat(),
            "members": dict(zip(map(self.disk_id, seed.disks), members, strict=True)),
        }
        self.write(self.place / "groups" / name, facts)
        return members

    def write(self, home: Path, facts: Mapping[str, Any]) -> None:
        """Write a thing with an empty ``data``."""
        (home / "data").mkdir(parents=True)
        (home / "facts.json").write_text(json.dumps(facts), encoding="utf-8")

    def remove(self, *ids: str) -> None:
        """Delete snapshots."""
        for name in ids:
            Tree(self.place).remove("snapshots", name)

    def refuse(self, failure: Failure, *, skip: int = 0) -> None:
        """Let the system refuse."""
        self.wire.refusal, self.wire.patience = failure, skip

    @property
    def requests(self) -> int:
        """How many operations were tried."""
        return len(self.wire.log)

    def sent(self, act: Capability) -> int:
        """How many operations for *act* were tried."""
        return self.wire.log.count(OPERATIONS[act])

    def lose(self, act: Capability, how: Lost, *, times: int = 1) -> None:
        """Lose the next answers."""
        self.wire.faults += [(OPERATIONS[act], how)] * times

    def advance(self, seconds: float) -> None:
        """Do nothing: a copy is complete when it is there."""

    def living(self) -> list[str]:
        """Return the names of the snapshots there are."""
        return Tree(self.place).names("snapshots")

    def disks_there(self) -> list[str]:
        """Return the names of the disks there are."""
        return Tree(self.place).names("disks")

    def doom(self, snapshot_id: str) -> None:
        """Mark a snapshot as a scrub would."""
        Tree(self.place).change("snapshots", snapshot_id, {"state": "damaged"})

    def close(self) -> None:
        """Delete the folder."""
        Tree(self.root).clear(self.root)
