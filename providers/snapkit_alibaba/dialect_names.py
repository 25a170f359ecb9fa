"""Which parameters each emulated operation knows."""

from collections.abc import Mapping

__all__ = ["KNOWN", "ROUTED"]

_COMMON = (
    "AccessKeyId Action Format OwnerAccount OwnerId RegionId ResourceOwnerAccount"
    " ResourceOwnerId SecurityToken Signature SignatureMethod SignatureNonce SignatureType"
    " SignatureVersion Timestamp Version"
)
_TAGS = "Tag.N.Key Tag.N.Value Tag.N.key Tag.N.value"
_NEW_TAGS = "Tag.N.Key Tag.N.Value"
_IDLE = "Category InstantAccess InstantAccessRetentionDays ResourceGroupId"
"""Taken and without effect."""
ROUTED = ("CreateSnapshot", "DeleteSnapshot", "ModifySnapshotAttribute", "ResetDisk")
"""Operations that document no RegionId: the endpoint decides, or here what they name."""
KNOWN: Mapping[str, frozenset[str]] = {
    action: frozenset(f"{_COMMON} {own}".split())
    for action, own in {
        "DescribeSnapshots": (
            f"{_TAGS} Category DiskId DryRun Encrypted Filter.N.Key Filter.N.Value InstanceId"
            " KMSKeyId MaxResults NextToken PageNumber PageSize ResourceGroupId SnapshotIds"
            " SnapshotLinkId SnapshotName SnapshotType SourceDiskType Status Usage"
        ),
        "DescribeSnapshotGroups": (
            f"{_TAGS} AdditionalAttributes.N InstanceId MaxResults Name NextToken"
            " ResourceGroupId SnapshotGroupId.N Status.N"
        ),
        "DescribeRegions": "AcceptLanguage InstanceChargeType ResourceType",
        "DescribeDisks": (
            "Category DiskIds DiskType InstanceId MaxResults NextToken PageNumber PageSize"
            " SnapshotId Status ZoneId"
        ),
        "CreateSnapshot": (
            f"{_NEW_TAGS} {_IDLE} ClientToken Description DiskId RetentionDays SnapshotName"
        ),
        "CreateSnapshotGroup": (
            f"{_NEW_TAGS} {_IDLE} ClientToken Description DiskId.N ExcludeDiskId.N InstanceId Name"
        ),
        "DeleteSnapshot": "Force SnapshotId",
        "DeleteSnapshotGroup": "SnapshotGroupId",
        "ModifySnapshotAttribute": (
            "Description DisableInstantAccess RetentionDays SnapshotId SnapshotName"
        ),
        "ModifySnapshotGroup": "Description Name SnapshotGroupId",
        "TagResources": f"{_NEW_TAGS} ResourceId.N ResourceType",
        "UntagResources": "All ResourceId.N ResourceType TagKey.N",
        "CopySnapshot": (
            f"{_NEW_TAGS} ClientToken DestinationRegionId DestinationSnapshotDescription"
            " DestinationSnapshotName RetentionDays SnapshotId"
        ),
        "CreateDisk": (
            f"{_NEW_TAGS} ClientToken Description DiskCategory DiskName PerformanceLevel"
            " ResourceGroupId Size SnapshotId ZoneId"
        ),
        "ResetDisk": "DiskId DryRun SnapshotId",
        "ResetDisks": "Disk.N.DiskId Disk.N.SnapshotId DryRun",
        "LockSnapshot": "ClientToken CoolOffPeriod DryRun LockDuration LockMode SnapshotId",
        "UnlockSnapshot": "ClientToken DryRun SnapshotId",
    }.items()
}
