"""A nightly backup of servers, small but real: safe to run again at any time of the night.

    python examples/nightly_backup.py alibaba:cn-hangzhou i-bp1abc i-bp1def --keep-days 14
    python examples/nightly_backup.py tencent:ap-guangzhou ins-abc --copy-to ap-shanghai

For each server it makes a consistent group of all its disks (or finds the one of an earlier
run of the same night), waits until a restore would work, looks at it again to be sure, tags
it, copies it where the cloud can, and deletes groups of its own that are too old.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import snapkit
from snapkit import Capability, Client, Patience, SnapshotGroup, SnapshotKind, SnapshotStatus, Until
from snapkit.errors import SnapkitError

PREFIX = "nightly-"
TAGS = {"nightly": "yes"}
Say = Callable[[str], None]


def back_up(
    client: Client,
    instance_id: str,
    *,
    now: datetime,
    keep: timedelta,
    tags: Mapping[str, str] = TAGS,
    copy_to: Sequence[str] = (),
    patience: Patience | None = None,
    say: Say = print,
) -> SnapshotGroup:
    """Return tonight's group of *instance_id*, usable and verified; older ones are gone."""
    night = f"{now:%Y-%m-%d}"
    key = f"{night} {instance_id}"
    before = ours(client, instance_id, tags)
    name = f"{PREFIX}{now:%Y%m%d}"
    kind = kind_for(client, [one for one in before if not_before(one, now - keep)])
    made = client.create_group(instance_id=instance_id, name=name, kind=kind, key=key)
    say(f"{made.ref}: started")
    group = client.wait_group(made.id, Until.USABLE, patience=patience)
    group = verified(client, group or made, instance_id)
    say(f"{group.ref}: {len(group.members)} snapshots, {group.consistency.value} consistency")
    mark(client, group, tags)
    if copy_to and client.supports(Capability.COPY):
        client.wait_group(group.id, Until.COMPLETE, patience=patience)
    copy(client, group, copy_to, night, say)
    for old in before:
        if not not_before(old, now - keep):
            say(f"{old.ref}: {delete(client, old, patience)}")
    return group


def verified(client: Client, group: SnapshotGroup, instance_id: str) -> SnapshotGroup:
    """Return *group* if it holds a restorable snapshot of each disk, else raise RuntimeError."""
    wanted = len(client.disks(instance_id=instance_id))
    useless = [one.id for one in group.members if one.restorable is False]
    failed = group.status in (SnapshotStatus.FAILED, SnapshotStatus.DEGRADED)
    if failed or useless or len(group.members) < wanted:
        raise RuntimeError(
            f"{group.ref} is {group.status.value} with {len(group.members)} of {wanted} disks"
            f" (not restorable: {', '.join(useless) or 'none'})"
        )
    return group


def mark(client: Client, group: SnapshotGroup, tags: Mapping[str, str]) -> None:
    """Tag the members, so that anybody can see whose they are."""
    for result in client.tag([one.id for one in group.members], tags):
        if result.error is not None:
            raise result.error


def copy(
    client: Client, group: SnapshotGroup, regions: Sequence[str], night: str, say: Say
) -> None:
    """Start copies of the members where the cloud can; it says of each how it went."""
    if not regions:
        return
    if not client.supports(Capability.COPY):
        say(f"{client.provider} cannot copy to other regions; the backup stays in {client.region}")
        return
    for member in group.members:
        for made in client.copy(member.id, regions, key=f"{night} {member.id}"):
            outcome = made.snapshot_id or f"failed: {made.error}"
            say(f"{member.ref}: copy to {made.region}: {outcome}")


def ours(client: Client, instance_id: str, tags: Mapping[str, str]) -> list[SnapshotGroup]:
    """Return the groups that this program made of *instance_id*, the newest first."""
    disks = {disk.id for disk in client.disks(instance_id=instance_id)}
    found = [
        group
        for group in client.groups()
        if (group.name or "").startswith(PREFIX)
        and all(tags.items() <= dict(one.tags or {}).items() for one in group.members)
        and any(one.source.id in disks for one in group.members)
    ]
    return sorted(found, key=lambda group: str(group.created_at), reverse=True)


def not_before(group: SnapshotGroup, moment: datetime) -> bool:
    """Whether *group* is to be kept; one without a date is."""
    return group.created_at is None or group.created_at >= moment


def kind_for(client: Client, kept: Sequence[SnapshotGroup]) -> SnapshotKind:
    """Return what to make, with the groups that are *kept* there already.

    Where a cloud lets one choose, what others build on can only go with them. A new full one
    in each period lets the whole of the old chain go, and keeps within two chains.
    """
    full = any(one.kind is SnapshotKind.FULL for group in kept for one in group.members)
    choose = client.supports(Capability.CHOOSE_KIND)
    return SnapshotKind.FULL if choose and not full else SnapshotKind.UNKNOWN


def delete(client: Client, group: SnapshotGroup, patience: Patience | None) -> str:
    """Delete *group* and say how that ended; what cannot go now may go tomorrow.

    It is waited for, because what it builds on can go only after it.
    """
    try:
        results = client.delete_group(group.id)
        client.wait([one.id for one in group.members], Until.GONE, patience=patience)
    except SnapkitError as error:
        return f"not deleted: {error}"
    failed = [f"{result.id}: {result.error}" for result in results if result.error is not None]
    return f"not all deleted: {'; '.join(failed)}" if failed else "deleted"


def main() -> int:
    """Back up the servers named; 1 if one of them failed, and the others were still done."""
    parser = argparse.ArgumentParser(description="back up servers")
    parser.add_argument("target", help="provider:[account@]region; keys from the environment")
    parser.add_argument("instance", nargs="+")
    parser.add_argument("--keep-days", type=int, default=14)
    parser.add_argument("--tag", default="nightly=yes", metavar="KEY[=VALUE]")
    parser.add_argument("--copy-to", action="append", default=[], metavar="REGION")
    given = parser.parse_args()
    key, _, value = given.tag.partition("=")
    failed = 0
    with snapkit.connect(given.target) as client:
        for instance_id in given.instance:
            try:
                back_up(
                    client,
                    instance_id,
                    now=datetime.now(UTC),
                    keep=timedelta(days=given.keep_days),
                    tags={key: value},
                    copy_to=given.copy_to,
                )
            except (SnapkitError, RuntimeError) as error:
                print(f"{instance_id}: {error}", file=sys.stderr)
                failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
