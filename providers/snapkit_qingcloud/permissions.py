"""The actions behind each capability; there is no policy text to grant them with.

Rights are given in the console, to a sub-account or to the role of an instance.
"""

from collections.abc import Mapping, Sequence

from snapkit.driver import Capability
from snapkit.permissions import Permissions

__all__ = ["PERMISSIONS"]

_CREATE = ("CreateSnapshots", "DescribeVolumes", "DescribeInstances")
_ATTRIBUTES = ("ModifySnapshotAttributes",)
_APPLY = ("ApplySnapshots", "DescribeVolumes", "DescribeInstances")

_CAPABILITIES: Mapping[Capability, Sequence[str]] = {
    Capability.DERIVED_GROUPS: ("DescribeSnapshots", "DescribeVolumes"),
    Capability.REGIONS: ("DescribeZones",),
    Capability.DISKS: ("DescribeInstances", "DescribeVolumes"),
    Capability.CREATE: ("CreateSnapshots",),
    Capability.CHOOSE_KIND: ("CreateSnapshots",),
    Capability.CREATE_GROUP: _CREATE,
    Capability.RENAME: _ATTRIBUTES,
    Capability.DESCRIBE: _ATTRIBUTES,
    Capability.TAG: ("CreateTag", "AttachTags", "DetachTags", "DescribeTags"),
    Capability.DELETE: ("DeleteSnapshots",),
    Capability.DELETE_GROUP: ("DeleteSnapshots",),
    Capability.RESTORE: ("CreateVolumeFromSnapshot",),
    Capability.ROLL_BACK: _APPLY,
    Capability.ROLL_BACK_GROUP: _APPLY,
}

PERMISSIONS = Permissions(
    snapshots=("DescribeSnapshots",),
    capabilities=_CAPABILITIES,
    where="there is no policy text; in the console, the owner of the account grants the"
    " sub-account or the instance's role access to backups (备份), disks and servers of this zone",
)
