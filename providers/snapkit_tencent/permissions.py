"""The CAM actions behind each capability, and the policy that grants them.

CAM knows the operations of CBS under the prefix ``cvm``, not ``cbs``; regions and tags are
products of their own.

Source: https://cloud.tencent.com/document/product/362/34221 (policy syntax of CBS) and
https://cloud.tencent.com/document/product/598/69910 (the actions of cvm, those on disks and
snapshots among them).
"""

import json
from collections.abc import Mapping, Sequence

from snapkit.driver import Capability
from snapkit.permissions import Permissions

__all__ = ["PERMISSIONS", "policy"]

_ATTRIBUTE = ("cvm:ModifySnapshotAttribute",)

_CAPABILITIES: Mapping[Capability, Sequence[str]] = {
    Capability.GROUPS: ("cvm:DescribeSnapshotGroups",),
    Capability.REGIONS: ("region:DescribeRegions",),
    Capability.DISKS: ("cvm:DescribeDisks",),
    Capability.CREATE: ("cvm:CreateSnapshot",),
    Capability.CREATE_GROUP: ("cvm:CreateSnapshotGroup",),
    Capability.RENAME: _ATTRIBUTE,
    Capability.EXPIRE: _ATTRIBUTE,
    Capability.TAG: ("tag:TagResources", "tag:UnTagResources"),
    Capability.DELETE: ("cvm:DeleteSnapshots",),
    Capability.DELETE_GROUP: ("cvm:DeleteSnapshotGroup",),
    Capability.RESTORE: ("cvm:CreateDisks",),
    Capability.ROLL_BACK: ("cvm:ApplySnapshot",),
    Capability.ROLL_BACK_GROUP: ("cvm:ApplySnapshotGroup",),
    Capability.COPY: ("cvm:CopySnapshotCrossRegions",),
    Capability.SHARE: ("cvm:ModifySnapshotsSharePermission",),
}


def policy(actions: Sequence[str]) -> str:
    """Return a custom policy of CAM that allows *actions* on everything."""
    statement = {"effect": "allow", "action": list(actions), "resource": ["*"]}
    return json.dumps({"version": "2.0", "statement": [statement]}, indent=2)


PERMISSIONS = Permissions(
    snapshots=("cvm:DescribeSnapshots",),
    capabilities=_CAPABILITIES,
    where="in the CAM console, make a custom policy of this text and attach it to the user or role",
    policy=policy,
)
