"""What the contract must know of each provider in this repository: words, ids and silences."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from snapkit.driver import Capability
from snapkit.model import DiskRole, SnapshotStatus
from snapkit.testing import EmulatedHarness, Seed, StatusCase

__all__ = [
    "STYLES",
    "AlibabaHarness",
    "OldTencentHarness",
    "QingCloudHarness",
    "TencentHarness",
]

S = SnapshotStatus


def case(
    raw: str,
    status: SnapshotStatus,
    restorable: bool | None,
    row: Mapping[str, Any] | None = None,
    word: str | None = None,
) -> StatusCase:
    return StatusCase(raw=raw, status=status, restorable=restorable, row=row or {}, word=word)


class AlibabaHarness(EmulatedHarness):
    """ECS in Hangzhou."""

    provider = "alibaba"
    region = "cn-hangzhou"
    category = "cloud_essd"
    snapshot_prefix = "s-bp1"
    group_prefix = "ssg-bp1"
    disk_prefix = "d-bp1"
    server_prefix = "i-bp1"
    id_digits = 17
    statuses: Sequence[StatusCase] = (
        case("progressing", S.CREATING, False, {"Available": False}),
        case("progressing", S.CREATING, True, {"Available": True}),
        case("accomplished", S.AVAILABLE, True),
        case("failed", S.FAILED, False),
    )
    group_statuses: Sequence[StatusCase] = (
        case("progressing", S.CREATING, None),
        case("accomplished", S.AVAILABLE, None),
        case("failed", S.FAILED, None),
    )
    unsaid = frozenset({"source.instance_id", "source.zone", "stored_bytes", "root_id"})
    spoilt: Mapping[str, Any] | None = {"SnapshotId": ""}
    bad_names = ("x", "n" * 129, "auto-nightly", "1night", "http://nightly", "a b")
    bad_group_names = ("x", "n" * 129, "1night", "https://nightly")
    most_tags = 20
    clears_expiry = False
    restore_zone = "cn-hangzhou-h"
    other_region = "cn-beijing"
    operations: Mapping[Capability, str] = {
        Capability.CREATE: "CreateSnapshot",
        Capability.CREATE_GROUP: "CreateSnapshotGroup",
        Capability.DELETE: "DeleteSnapshot",
        Capability.RESTORE: "CreateDisk",
        Capability.ROLL_BACK: "ResetDisk",
    }


class TencentHarness(EmulatedHarness):
    """CBS in Guangzhou, over API 3.0."""

    provider = "tencent"
    region = "ap-guangzhou"
    category = "CLOUD_SSD"
    zone = "ap-guangzhou-3"
    snapshot_prefix = "snap-"
    group_prefix = "csnap-"
    disk_prefix = "disk-"
    server_prefix = "ins-"
    id_digits = 8
    statuses: Sequence[StatusCase] = (
        case("NORMAL", S.AVAILABLE, True),
        case("normal", S.AVAILABLE, True, {"SnapshotState": "normal"}, "NORMAL"),
        case("CREATING", S.CREATING, False),
        case("ROLLBACKING", S.RESTORING, None),
        case("COPYING_FROM_REMOTE", S.COPYING, False),
        case("CHECKING_COPIED", S.VERIFYING, False),
        case("TORECYCLE", S.RECYCLED, False),
    )
    group_statuses: Sequence[StatusCase] = (
        case("NORMAL", S.AVAILABLE, None),
        case("CREATING", S.CREATING, None),
        case("ROLLBACKING", S.RESTORING, None),
    )
    future = StatusCase(raw="DEFROSTING", status=S.UNKNOWN)
    unsaid = frozenset(
        {"description", "source.instance_id", "stored_bytes", "parent_id", "group.tags"}
    )
    selects_servers = False
    spoilt: Mapping[str, Any] | None = {"SnapshotId": ""}
    bad_names = ("n" * 61,)
    bad_group_names = ()
    most_tags = 50
    stops = True
    restore_zone = "ap-guangzhou-3"
    other_region = "ap-beijing"
    operations: Mapping[Capability, str] = {
        Capability.CREATE: "CreateSnapshot",
        Capability.CREATE_GROUP: "CreateSnapshotGroup",
        Capability.DELETE: "DeleteSnapshots",
        Capability.RESTORE: "CreateDisks",
        Capability.ROLL_BACK: "ApplySnapshot",
    }


class OldTencentHarness(TencentHarness):
    """The same over API 2.0, which says less."""

    statuses: Sequence[StatusCase] = (
        case("normal", S.AVAILABLE, True),
        case("creating", S.CREATING, False),
        case("rollbacking", S.RESTORING, None),
    )
    future = StatusCase(raw="defrosting", status=S.UNKNOWN)
    unsaid = TencentHarness.unsaid | {"tags", "encrypted", "expires_at", "source.zone"}
    spoilt: Mapping[str, Any] | None = {"snapshotId": ""}

    def __init__(self, **options: str) -> None:
        super().__init__(api="2.0", **options)


class QingCloudHarness(EmulatedHarness):
    """IaaS in Beijing; its status has two axes, and its tags are labels."""

    provider = "qingcloud"
    region = "pek3"
    zone = "pek3d"
    snapshot_prefix = "ss-"
    disk_prefix = "vol-"
    server_prefix = "i-"
    id_digits = 8
    statuses: Sequence[StatusCase] = (
        case("pending", S.CREATING, False),
        case("pending/creating", S.CREATING, False),
        case("available", S.AVAILABLE, True),
        case("available/suspending", S.AVAILABLE, True),
        case("available/applying", S.RESTORING, None),
        case("available/deleting", S.DELETING, False),
        case("suspended", S.SUSPENDED, False),
        case("suspended/resuming", S.SUSPENDED, False),
        case("suspended/deleting", S.DELETING, False),
        case("deleted", S.DELETED, False),
        case("deleted/recovering", S.DELETED, False),
        case("ceased", S.DELETED, False),
    )
    future = StatusCase(raw="defrosting", status=S.UNKNOWN)
    unsaid = frozenset(
        {"source.instance_id", "encrypted", "progress", "expires_at", "usage.images"}
    )
    selects_servers = False
    deletes_subtree = True
    sizes_disks = False
    stops = True
    operations: Mapping[Capability, str] = {
        Capability.CREATE: "CreateSnapshots",
        Capability.CREATE_GROUP: "CreateSnapshots",
        Capability.DELETE: "DeleteSnapshots",
        Capability.RESTORE: "CreateVolumeFromSnapshot",
        Capability.ROLL_BACK: "ApplySnapshots",
    }
    spoilt: Mapping[str, Any] | None = {"snapshot_id": ""}

    def source_id(self, seed: Seed) -> str:
        """Return the disk's id, or the server's: a system disk has no id of its own."""
        if seed.role is DiskRole.SYSTEM:
            return self.server_id(seed.server)
        return self.disk_id(seed.disk)

    def allowed_tags(self, tags: Mapping[str, str]) -> Mapping[str, str]:
        """Return tags without values, which labels have not."""
        return dict.fromkeys(tags, "")

    def kept_tags(self, tags: Mapping[str, str]) -> Mapping[str, str]:
        """Return labels of at most 14 characters, without values."""
        return {(f"{key}={value}" if value else key)[:14]: "" for key, value in tags.items()}


STYLES: Mapping[str, Callable[[], EmulatedHarness]] = {
    "alibaba-token": AlibabaHarness,
    "alibaba-number": partial(AlibabaHarness, paging="number"),
    "tencent-3.0": TencentHarness,
    "tencent-2.0": OldTencentHarness,
    "qingcloud": QingCloudHarness,
}
"""Every provider in every way of paging."""
