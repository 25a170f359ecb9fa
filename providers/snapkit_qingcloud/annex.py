"""What the emulated QingCloud remembers of a region beside the world's records."""

import secrets
from collections.abc import Iterable
from typing import Any

import attrs

from snapkit.emulator.state import Disk, Pace, RegionState, SnapshotRecord
from snapkit.model import DiskRole
from snapkit_qingcloud.asked import No
from snapkit_qingcloud.rendering import (
    OWNER,
    Busy,
    Chains,
    View,
    label_of,
    tag_id_of,
    words_of,
)
from snapkit_qingcloud.signing import time_stamp

__all__ = ["Annex", "Job", "new_id"]


def new_id(prefix: str) -> str:
    """Return an id that nothing has."""
    return f"{prefix}-{secrets.token_hex(4)}"


@attrs.frozen(kw_only=True)
class Job:
    """Something that was asked for and takes a while."""

    id: str
    action: str
    resources: tuple[str, ...]
    since: float
    until: float

    def row(self, now: float) -> dict[str, Any]:
        """Return the row of DescribeJobs."""
        done = now >= self.until
        return {
            "job_id": self.id,
            "job_action": self.action,
            "status": "successful" if done else "working",
            "create_time": time_stamp(self.since),
            "status_time": time_stamp(self.until if done else self.since),
            "owner": OWNER,
            "resource_ids": " ".join(self.resources),
            "directive": "",
            "error_codes": "",
        }


@attrs.define
class Annex:
    """One region with what goes on in it: labels, jobs, stopped servers, changes under way."""

    region: RegionState
    pace: Pace = attrs.field(factory=Pace)
    """How long new snapshots take."""
    busy: dict[str, Busy] = attrs.field(factory=dict[str, Busy])
    jobs: dict[str, Job] = attrs.field(factory=dict[str, Job])
    labels: set[str] = attrs.field(factory=set[str])
    stopped: set[str] = attrs.field(factory=set[str])
    chains: Chains | None = None

    def current_chains(self) -> Chains:
        """Return the order of the snapshots, built anew when some have come or gone."""
        if self.chains is None or not self.chains.current:
            self.chains = Chains(self.region)
        return self.chains

    def view(self, now: float, *, verbose: bool) -> View:
        """Return how the snapshots are shown at *now*."""
        return View(self.current_chains(), now, busy=self.busy, verbose=verbose)

    def start(self, action: str, resources: Iterable[str], now: float, seconds: float) -> str:
        """Return the id of a new job that is done after *seconds*."""
        job = Job(
            id=new_id("j"),
            action=action,
            resources=tuple(resources),
            since=now,
            until=now + seconds,
        )
        self.jobs[job.id] = job
        return job.id

    def occupy(self, one: str, word: str, now: float, seconds: float) -> None:
        """Show *word* at *one* for *seconds*."""
        self.busy[one] = Busy(word=word, since=now, until=now + seconds)

    def snapshot(self, snapshot_id: str, now: float) -> SnapshotRecord:
        """Return a snapshot that is there, or refuse."""
        record = self.region.snapshots.get(snapshot_id)
        if record is None or words_of(record, now, self.busy)[0] in ("deleted", "ceased"):
            raise No(2100, f"ResourceNotFound, resource [{snapshot_id}] not found")
        return record

    def ready(self, snapshot_id: str, now: float) -> SnapshotRecord:
        """Return a snapshot that is available and at rest, or refuse."""
        record = self.snapshot(snapshot_id, now)
        status, transition = words_of(record, now, self.busy)
        if status != "available":
            raise No(1400, f"PermissionDenied, snapshot [{snapshot_id}] is not available")
        if transition not in ("", "suspending"):
            raise No(1400, f"PermissionDenied, snapshot [{snapshot_id}] is [{transition}]")
        return record

    def resource(self, resource_id: str) -> Disk:
        """Return the data disk or, for a server, its system disk; or refuse."""
        disk = self.region.disks.get(resource_id)
        if disk is not None and disk.role is DiskRole.DATA:
            return disk
        of_server = self.servers().get(resource_id)
        if of_server is None:
            raise No(2100, f"ResourceNotFound, resource [{resource_id}] not found")
        return of_server[0]

    def servers(self) -> dict[str, list[Disk]]:
        """Return the disks of each server that has a system disk, which comes first."""
        found: dict[str, list[Disk]] = {}
        for disk in self.region.disks.values():
            if disk.instance_id:
                found.setdefault(disk.instance_id, []).append(disk)
        for disks in found.values():
            disks.sort(key=lambda disk: disk.role is not DiskRole.SYSTEM)
        return {one: disks for one, disks in found.items() if disks[0].role is DiskRole.SYSTEM}

    def known_labels(self) -> dict[str, str]:
        """Return the names of all labels by id: those made here, and those on something."""
        tags = [disk.tags for disk in self.region.disks.values()]
        tags += [record.tags for record in self.region.snapshots.values()]
        names = {label_of(key, value) for one in tags for key, value in one.items()}
        return {tag_id_of(name): name for name in sorted(names | self.labels)}
