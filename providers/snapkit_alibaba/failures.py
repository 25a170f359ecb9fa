"""What an error answer means: a table of codes, and rules for those that are not in it.

The HTTP status is no classifier here: the service uses 403 for wrong state, quota and bills,
and the same code comes under several statuses. The suffix ``.NotFound`` is none either:
``InvalidStatus.NotFound`` is a bad parameter. So an exact code counts first, then its shape,
and the status last.
"""

import html
import re
from collections.abc import Mapping
from typing import Any

from snapkit.answers import read_json
from snapkit.errors import Failure, Retry, SnapkitError
from snapkit.http import HttpResponse
from snapkit.vocabulary import integer, text

__all__ = [
    "CODES",
    "DRY_RUN",
    "PROVIDER",
    "classify",
    "hint_for",
    "item_error",
    "read_answer",
    "request_id_of",
]

PROVIDER = "alibaba"

DRY_RUN = "DryRunOperation"
"""The error that says that a dry run would have succeeded."""

_GROUPS: Mapping[tuple[Failure, Retry], str] = {
    (Failure.AUTHENTICATION, Retry.NEVER): """
        Forbidden.AccessKeyDisabled IncompleteSignature InvalidAccessKeyId.Inactive
        InvalidAccessKeyId.NotFound InvalidSecurityToken.Malformed
        InvalidSecurityToken.MismatchWithAccessKey MissingSecurityToken SignatureDoesNotMatch
    """,
    (Failure.AUTHENTICATION, Retry.REPAIR): """
        IllegalTimestamp InvalidSecurityToken.Expired InvalidTimeStamp.Expired
        InvalidTimeStamp.Format SignatureNonceUsed
    """,
    (Failure.PERMISSION, Retry.NEVER): """
        Forbidden Forbidden.NotSupportRAM Forbidden.RAM Forbidden.RiskControl Forbidden.SubUser
        Forbidden.Unauthorized InvalidAction.Unauthorized InvalidOperation.Unauthorized
        InvalidParameter.KMSKeyId.CMKUnauthorized InvalidParameter.KMSKeyId.KMSUnauthorized
        InvalidParameter.UnauthorizedStorageLocationArn InvalidUser.NotInWhiteList NoPermission
        NoPermission.Tag OperationDenied.NonCompliantDestinationRegion PermissionDenied.Scope
        PermissionDenied.TagOwnerUid RegionUnauthorized UserNotInTheWhiteList
    """,
    (Failure.ACCOUNT, Retry.NEVER): """
        Account.Arrearage ChargeTypeViolation DiskInArrears InstanceExpiredOrInArrears
        InsufficientBalance InvalidAccountStatus.NotEnoughBalance
        InvalidAccountStatus.SnapshotServiceUnavailable InvalidPayMethod RealNameAuthenticationError
        SecurityRisk.3DVerification
    """,
    (Failure.NOT_FOUND, Retry.NEVER): """
        Disk.NotFound InvalidAccount.NotFound InvalidAutoSnapshotPolicyId.NotFound
        InvalidDiskId.NotFound InvalidInstanceId.NotFound InvalidKMSKeyId.NotFound
        InvalidParameter.KMSKeyId.NotFound InvalidRegion.NotFound InvalidRegionId.NotExists
        InvalidRegionId.NotFound InvalidResourceGroup.NotFound InvalidResourceId.NotFound
        InvalidSnapshot.NotFound InvalidSnapshotId.NotFound InvalidSnapshotLinkId.NotFound
        InvalidVolumeId.NotFound InvalidZoneId.NotFound
    """,
    (Failure.INVALID, Retry.NEVER): """
        Duplicate.TagKey IncompleteParamter InvalidCategoryAndInstantAccess.Malformed
        InvalidClientToken.Malformed InvalidCoolOffPeriod.ExceedLockDuration
        InvalidDescription.Malformed InvalidDisk.DiskCategoryInconsistent
        InvalidDiskChargeType.NotFound InvalidDiskIds InvalidDiskIds.Malformed
        InvalidDiskIds.NotInSameZone InvalidDiskSize.TooSmall InvalidEncrypted.NotMatchKmsKeyId
        InvalidEncrypted.NotSupportDecrypt InvalidFilterKey.NotFound InvalidFilterValue
        InvalidInstance.NoDisk InvalidInstantAccessRetentionDays.Malformed
        InvalidLockDuration.ExceedRetentionDays InvalidLockMode.Malformed
        InvalidOperation.DecreaseRetentionDaysUnsupported InvalidOwner InvalidOwnerAccount
        InvalidOwnerId InvalidParam.ExcludeDiskIdsAndDiskIds.Conflict InvalidParam.RegionId
        InvalidParamater InvalidParameter InvalidParameter.Description InvalidParameter.DiskIds
        InvalidParameter.IsNull InvalidParameter.Mismatch InvalidParameter.Name
        InvalidParameter.SnapshotCategory InvalidParamter InvalidRegionId InvalidRegionId.MalFormed
        InvalidResourceType.NotFound InvalidRetentionDays.Malformed
        InvalidSnapshotCategory.Malformed InvalidSnapshotGroupId.MustBeOne
        InvalidSnapshotIds.Malformed InvalidSnapshotLinkIds InvalidSnapshotName.Malformed
        InvalidSnapshotType.NotFound InvalidSourceDiskType InvalidStatus.NotFound
        InvalidStatus.ValueNotSupported InvalidStorageLocationArn.Malformed InvalidTag.Mismatch
        InvalidTagCount InvalidTagKey.Malformed InvalidTagValue.Malformed InvalidUsage
        MissingParameter MissingParameter.RegionId MissingParameter.ResourceType
        MissingParameter.Tags MissingParamter.InstanceId MissingParamter.RegionId
        NoAttributeToModify NumberExceed.ResourceIds NumberExceed.Tags
    """,
    (Failure.CONFLICT, Retry.NEVER): """
        CreateSnapshot.Failed HibernationConfigured.InstanceOperationForbidden IncorrectDiskStatus
        IncorrectDiskStatus.Invalid IncorrectDiskStatus.NeverAttached IncorrectDiskStatus.NeverUsed
        IncorrectInstanceStatus IncorrectVolumeStatus InstanceLockedForSecurity
        InvalidOperation.CoolOffPeriodExpired InvalidOperation.DeleteSharedSnapshotUnsupported
        InvalidOperation.ResourceManagedByCloudProduct InvalidOperation.SnapshotIsLocked
        InvalidOperation.SnapshotNotAvailable InvalidParameter.KMSKeyId.CMKNotEnabled
        InvalidStatus.SnapshotAgeLimit SnapshotCreatedDisk SnapshotCreatedImage
    """,
    (Failure.CONFLICT, Retry.STATE): """
        DISK_HAS_CREATING_SNAPSHOT DiskInCoolingPeriod IncorrectDiskStatus.CreatingSnapshot
        IncorrectDiskStatus.HasUnfinishedSnapshot IncorrectDiskStatus.Initializing
        IncorrectDiskStatus.TooManyCreatingSnapshots IncorrectDiskStatus.Transferring
        InvalidOperation.Conflict InvalidOperation.DiskResetInProgress
        InvalidOperation.RelatedSnapshotNotFinished InvalidOperation.UnfinishedCrossRegionCopy
        InvalidOperation.UnfinishedEncryptedSnapshotCopy InvalidSnapshot.NotReady
        InvalidSnapshotId.NotReady InvalidStatus.SnapshotInArchive InvalidStatus.SnapshotUnfinished
        InvalidStatus.Upgrading Operation.Conflict OperationConflict
    """,
    (Failure.QUOTA, Retry.NEVER): """
        CapacityExceed.TooManyDisks NumberExceed.TooManyDisks OperationDenied.QuotaExceed
        QuotaExceed.AppliedAutoSnapshotPolicyQuota QuotaExceed.Snapshot QuotaExceed.SnapshotQuota
        QuotaExceed.Tags
    """,
    (Failure.QUOTA, Retry.STATE): """
        QuotaExceed.ConcurrentArchiveSnapshotQuota QuotaExceed.ConcurrentSnapshotQuota
    """,
    (Failure.THROTTLED, Retry.BACKOFF): """
        Rejected.Throttling Throttling Throttling.Api Throttling.ConcurrentLimitExceeded
        Throttling.User Throttling.User.Flow
    """,
    (Failure.UNSUPPORTED, Retry.NEVER): """
        CloudBoxNotSupportSnapshotWithInstantAccess DiskCategory.OperationNotSupported
        DiskId.ValueNotSupported IncorrectDiskType.NotSupport InvalidAction InvalidAction.NotFound
        InvalidDisk.ShareVolume InvalidOperation.ArchiveSharedSnapshotUnsupported
        InvalidOperation.DefaultFreeSnapshotNotSupport InvalidOperation.EncryptedSnapshotUnsupport
        InvalidOperation.LockSharedSnapshotUnsupported InvalidOperation.MultiAttachDisk
        InvalidOperation.NotSupportCopyInSameRegion
        InvalidOperation.SnapshotStorageLocationUnsupported InvalidProduct.NotFound
        InvalidRegion.NotSupport InvalidRegion.NotSupportSnapshotInstantAccessRegion
        InvalidRegionId.NotSupportedEncryptedSnapshotCopy InvalidResourceId.NotSupported
        InvalidSnapshot.EncryptedNotSupported InvalidSnapshot.StorageLocationNotSupported
        InvalidSnapshot.TooLarge InvalidSnapshot.TooOld InvalidSnapshotCategory.NotSupportCopy
        InvalidSnapshotCategory.NotSupportCrossRegionCopy
        InvalidSnapshotCategory.NotSupportEncryptedCopy InvalidSnapshotId.EncryptedNotSupport
        InvalidSnapshotId.NotDataDiskSnapshot InvalidVersion OperationDenied
        OperationDenied.SnapshotCategoryNotSupportCopy OperationDenied.SnapshotNotAllowed
        UnsupportedHTTPMethod UnsupportedParameter
    """,
    (Failure.SERVER, Retry.BACKOFF): """
        InternalError ServiceUnavailable ServiceUnavailable.RegionMaintaining UnknownError
    """,
    (Failure.IDEMPOTENCY, Retry.NEVER): """
        IdempotentParameterMismatch InvalidIdempotenceParameter.Mismatch
    """,
    (Failure.IDEMPOTENCY, Retry.SAME_TOKEN): """
        IdempotentProcessing LastTokenProcessing
    """,
}

CODES: Mapping[str, tuple[Failure, Retry]] = {
    code: meaning for meaning, codes in _GROUPS.items() for code in codes.split()
}

_RESOURCES = frozenset(
    (
        "Account",
        "Disk",
        "Image",
        "Instance",
        "Region",
        "ResourceGroup",
        "Snapshot",
        "SnapshotGroup",
        "Volume",
        "Zone",
    )
)

_HINTS: Mapping[str, str] = {
    "SignatureDoesNotMatch": "the secret does not belong to this access key id",
    "IncompleteSignature": "the secret does not belong to this access key id",
    "InvalidAccessKeyId.NotFound": "check the access key id; a temporary one needs its token",
    "InvalidAccessKeyId.Inactive": "the access key is disabled; enable it or use another",
    "Forbidden.AccessKeyDisabled": "the access key is disabled; enable it or use another",
    "InvalidSecurityToken.Expired": "get new temporary credentials",
    "InvalidSecurityToken.MismatchWithAccessKey": (
        "the token belongs to another key; is ALIBABA_CLOUD_SECURITY_TOKEN a leftover?"
    ),
    "InvalidTimeStamp.Expired": "set this machine's clock; 15 minutes are tolerated",
    "IllegalTimestamp": "set this machine's clock; 15 minutes are tolerated",
    "RegionUnauthorized": "the account has no access to this region",
    "InvalidRegionId.NotFound": "list the regions to see which there are",
    "InvalidRegionId.NotExists": "list the regions to see which there are",
    "InvalidAccountStatus.NotEnoughBalance": "the account has to be topped up",
    "InvalidAccountStatus.SnapshotServiceUnavailable": (
        "activate the snapshot service in the ECS console; it is charged for"
    ),
    "SnapshotCreatedImage": "delete the image first; nothing overrides it",
    "SnapshotCreatedDisk": "force deletes it; disks made from it cannot be re-initialised then",
    "InvalidOperation.DeleteSharedSnapshotUnsupported": "stop sharing it first",
    "InvalidOperation.DecreaseRetentionDaysUnsupported": "an expiry can only be set later",
    "IncorrectInstanceStatus": "a rollback needs the instance stopped",
    "InvalidOperation.CoolOffPeriodExpired": "the lock ends by itself; nothing takes it away",
    "IdempotentParameterMismatch": "the key was used for something else; use another key",
    "UnsupportedParameter": "an endpoint of a private cloud may not know this filter",
}


def classify(code: str, status: int) -> tuple[Failure, Retry]:
    """Return what *code* means, with HTTP *status* as the last resort.

    Limits count per minute and any code that contains ``Throttling`` is one of them.
    """
    known = CODES.get(code)
    if known is not None:
        return known
    failure = _by_shape(code) or _by_status(status)
    busy = failure in (Failure.THROTTLED, Failure.SERVER)
    return failure, Retry.BACKOFF if busy else Retry.NEVER


def _by_shape(code: str) -> Failure | None:
    if "Throttling" in code:
        return Failure.THROTTLED
    if code.startswith(("InvalidAccessKeyId", "InvalidSecurityToken", "Signature")):
        return Failure.AUTHENTICATION
    if code.startswith(("Forbidden", "NoPermission", "PermissionDenied")):
        return Failure.PERMISSION
    if code.startswith("QuotaExceed"):
        return Failure.QUOTA
    if code.startswith("Incorrect") or "Conflict" in code:
        return Failure.CONFLICT
    if code.endswith(".NotFound") and _is_resource(code.removesuffix(".NotFound")):
        return Failure.NOT_FOUND
    if "NotSupport" in code or "Unsupport" in code:
        return Failure.UNSUPPORTED
    malformed = code.casefold().endswith(".malformed")
    if malformed or code.startswith(("Missing", "Invalid")):
        return Failure.INVALID
    return None


def _is_resource(stem: str) -> bool:
    name = stem.rpartition(".")[2].removeprefix("Invalid")
    return name.endswith("Id") or name in _RESOURCES


def _by_status(status: int) -> Failure:
    if status >= 500:
        return Failure.SERVER
    by_status = {401: Failure.AUTHENTICATION, 409: Failure.CONFLICT, 429: Failure.THROTTLED}
    return by_status.get(status, Failure.OTHER)


def hint_for(code: str, failure: Failure, operation: str) -> str | None:
    """Return what would help against *code*, if anything is known."""
    if code in _HINTS:
        return _HINTS[code]
    if failure is Failure.PERMISSION:
        return f"grant the RAM action ecs:{operation}"
    if failure is Failure.THROTTLED:
        return "the limit is per minute, per region, and shared by everything in the account"
    return None


_ELEMENT = re.compile(rb"<(Code|Message|RequestId)>([^<]{0,2000})</")
_XML_START = 16384
_TELLTALE = re.compile(
    r"(server )?(string ?to ?sign|canonical ?request)|(access_?key_?id|token|signature)(=|%)",
    re.IGNORECASE,
)
_FINE = frozenset({"200", "OK", "Success"})


def read_answer(
    operation: str, response: HttpResponse, *, dry_run: bool = False
) -> Mapping[str, Any]:
    """Return the payload of *response*, or raise the SnapkitError that it means.

    A code in the answer is an error whatever the HTTP status says. Errors may come as XML
    although JSON was asked for; their three fields are read without an XML parser.
    """
    answer = _xml_error(response.body) or read_json(response)
    code = text(answer.get("Code")) or text(answer.get("code"))
    good = 200 <= response.status < 300
    if good and (code is None or code in _FINE):
        return answer
    if code == DRY_RUN and dry_run:
        return answer
    raise _error(operation, response, answer, code)


def _xml_error(body: bytes) -> dict[str, str] | None:
    start = body[:_XML_START]
    if not start.lstrip().startswith(b"<") or b"<Code>" not in start:
        return None
    return {
        match[1].decode(): html.unescape(match[2].decode("utf-8", "replace")).strip()
        for match in _ELEMENT.finditer(start)
    }


def _error(
    operation: str, response: HttpResponse, answer: Mapping[str, Any], code: str | None
) -> SnapkitError:
    failure, retry = classify(code or "", response.status)
    said = text(answer.get("Message")) or text(answer.get("message"))
    return failure.error(
        _without_secrets(said or f"HTTP {response.status} without a message"),
        provider=PROVIDER,
        operation=operation,
        code=code,
        request_id=request_id_of(answer) or response.headers.get("x-acs-request-id"),
        retry=retry,
        retry_after=_retry_after(response, retry),
        hint=hint_for(code or "", failure, operation),
    )


def item_error(
    operation: str, code: str | None, said: str, *, request_id: str | None
) -> SnapkitError:
    """Return the error of one item inside a successful answer, classified like a whole one."""
    failure, retry = classify(code or "", 200)
    return failure.error(
        _without_secrets(said),
        provider=PROVIDER,
        operation=operation,
        code=code,
        request_id=request_id,
        retry=retry,
        hint=hint_for(code or "", failure, operation),
    )


def request_id_of(answer: Mapping[str, Any]) -> str | None:
    """Return the id of the request that *answer* belongs to."""
    found = (text(answer.get(name)) for name in ("RequestId", "requestId", "requestid"))
    return next((value for value in found if value is not None), None)


def _retry_after(response: HttpResponse, retry: Retry) -> float | None:
    """Return the service's own waiting time in seconds; its header counts milliseconds."""
    header = response.headers.get("x-acs-retry-after")
    milliseconds = integer(header) if retry is Retry.BACKOFF else None
    return None if milliseconds is None else milliseconds / 1000


def _without_secrets(message: str) -> str:
    """Return *message* up to where it repeats the signed text, which holds key and token."""
    found = _TELLTALE.search(message)
    kept = message if found is None else message[: found.start()].rstrip(" :,.-[")
    return kept[:500] or "the signature is not accepted"
