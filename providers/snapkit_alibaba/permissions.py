"""The RAM actions behind each capability, and the policy that grants them.

Each operation of the service is one action with the prefix ``ecs:``.

Source: the ECS authorisation page of the RAM documentation and the "RAM authorization" section
of each operation's page.
"""

import json
from collections.abc import Mapping, Sequence

from snapkit.driver import Capability
from snapkit.permissions import Permissions

__all__ = ["PERMISSIONS", "policy"]

_ATTRIBUTE = ("ecs:ModifySnapshotAttribute",)
_GROUP = ("ecs:ModifySnapshotGroup",)
_TAGS = ("ecs:TagResources", "ecs:UntagResources")

_CAPABILITIES: Mapping[Capability, Sequence[str]] = {
    Capability.GROUPS: ("ecs:DescribeSnapshotGroups",),
    Capability.REGIONS: ("ecs:DescribeRegions",),
    Capability.DISKS: ("ecs:DescribeDisks",),
    Capability.CREATE: ("ecs:CreateSnapshot",),
    Capability.CREATE_GROUP: ("ecs:CreateSnapshotGroup",),
    Capability.RENAME: _ATTRIBUTE,
    Capability.DESCRIBE: _ATTRIBUTE,
    Capability.EXPIRE: _ATTRIBUTE,
    Capability.TAG: _TAGS,
    Capability.RENAME_GROUP: _GROUP,
    Capability.DESCRIBE_GROUP: _GROUP,
    Capability.TAG_GROUP: _TAGS,
    Capability.DELETE: ("ecs:DeleteSnapshot",),
    Capability.DELETE_GROUP: ("ecs:DeleteSnapshotGroup", "ecs:DeleteSnapshot"),
    Capability.RESTORE: ("ecs:CreateDisk",),
    Capability.ROLL_BACK: ("ecs:ResetDisk", "ecs:ResetDisks"),
    Capability.ROLL_BACK_GROUP: ("ecs:ResetDisk", "ecs:ResetDisks"),
    Capability.COPY: ("ecs:CopySnapshot",),
    Capability.LOCK: ("ecs:LockSnapshot", "ecs:UnlockSnapshot"),
}


def policy(actions: Sequence[str]) -> str:
    """Return a custom policy of RAM that allows *actions* on everything."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "1", "Statement": [statement]}, indent=2)


PERMISSIONS = Permissions(
    snapshots=("ecs:DescribeSnapshots",),
    capabilities=_CAPABILITIES,
    where="in the RAM console, make a custom policy of this text and attach it to the user or role",
    policy=policy,
)
