"""Restores the newest good snapshot of a disk to a new disk; the old disk is not touched.

python examples/restore.py alibaba:cn-hangzhou d-bp1abc --name orders-restored
python examples/restore.py tencent:ap-guangzhou disk-abc --before 2027-03-01T06:00Z
"""

import argparse
import sys

import snapkit
from snapkit import Capability, Client, Disk, Snapshot
from snapkit.errors import SnapkitError


def newest_good(client: Client, disk_id: str, *, before: str | None = None) -> Snapshot:
    """Return the newest snapshot of *disk_id* that can be restored now, by its point in time."""
    listing = client.snapshots(disk_ids=disk_id, created_before=before)
    found = [
        one for one in listing if one.restorable and not client.why_not(Capability.RESTORE, one)
    ]
    if not listing.report.complete:
        print("not all snapshots could be seen", file=sys.stderr)
    if not found:
        raise LookupError(f"no snapshot of {disk_id} can be restored")
    return max(found, key=lambda one: (str(one.cut_at or one.created_at), one.id))


def restore(
    client: Client,
    disk_id: str,
    *,
    name: str | None = None,
    zone: str | None = None,
    before: str | None = None,
    key: str | None = None,
) -> tuple[Snapshot, Disk]:
    """Return the snapshot that was chosen and the disk that was started from it."""
    snapshot = newest_good(client, disk_id, before=before)
    return snapshot, client.restore(snapshot.id, name=name, zone=zone, key=key)


def main() -> int:
    """Restore one disk."""
    parser = argparse.ArgumentParser(description="restore a disk")
    parser.add_argument("target", help="provider:[account@]region; keys from the environment")
    parser.add_argument("disk")
    parser.add_argument("--name")
    parser.add_argument("--zone")
    parser.add_argument("--before", metavar="WHEN")
    parser.add_argument("--key", help="the same key never makes a second disk")
    given = parser.parse_args()
    try:
        with snapkit.connect(given.target) as client:
            snapshot, disk = restore(
                client,
                given.disk,
                name=given.name,
                zone=given.zone,
                before=given.before,
                key=given.key,
            )
    except (SnapkitError, LookupError) as error:
        print(f"{given.disk}: {error}", file=sys.stderr)
        return 1
    print(f"{disk.id} from {snapshot.ref} ({snapshot.cut_at or snapshot.created_at})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
