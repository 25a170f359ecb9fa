"""What the vendor's error codes mean, as data, and the rules for those nobody has listed.

Sources: https://cloud.tencent.com/document/api/362/15647 and its sister pages (API 3.0),
https://cloud.tencent.com/document/product/362/4207 (API 2.0).
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from snapkit.errors import Failure, Retry, Sent, SnapkitError

__all__ = [
    "CODES",
    "NOT_FAILURES",
    "NUMBERS",
    "TAG_CODES",
    "Verdict",
    "error_of",
    "verdict_of",
    "verdict_of_number",
]

Verdict: TypeAlias = tuple[Failure, Retry]


def _table(groups: Iterable[tuple[Failure, Retry, str]]) -> dict[str, Verdict]:
    return {code: (failure, retry) for failure, retry, codes in groups for code in codes.split()}


CODES: Mapping[str, Verdict] = _table(
    (
        (
            Failure.AUTHENTICATION,
            Retry.NEVER,
            """AuthFailure AuthFailure.InvalidAuthorization AuthFailure.InvalidSecretId
            AuthFailure.MFAFailure AuthFailure.SecretIdNotFound AuthFailure.SignatureFailure
            UnauthorizedOperation.MFAExpired""",
        ),
        (
            Failure.AUTHENTICATION,
            Retry.REPAIR,
            """AuthFailure.SignatureExpire AuthFailure.TokenFailure
            UnauthorizedOperation.InvalidToken""",
        ),
        (
            Failure.PERMISSION,
            Retry.NEVER,
            """AuthFailure.UnauthorizedOperation InvalidParameter.PermissionDenied
            IpInBlacklist IpNotInWhitelist SecretidNotAuthAccessResource UnauthorizedOperation
            UnauthorizedOperation.AuthFailure UnauthorizedOperation.CamNoAuth
            UnauthorizedOperation.RoleNotExists""",
        ),
        (
            Failure.ACCOUNT,
            Retry.NEVER,
            """InvalidAccount.InsufficientBalance InvalidDisk.Expire
            OperationDenied.AccountSecurityRisk ResourceUnavailable.Expire
            UnauthorizedOperation.NotCertification
            UnauthorizedOperation.NotHavePaymentRight""",
        ),
        (
            Failure.NOT_FOUND,
            Retry.NEVER,
            """InvalidAutoSnapshotPolicyId.NotFound InvalidDiskId.NotFound
            InvalidInstanceId.NotFound InvalidSnapshotId.NotFound ResourceNotFound
            ResourceNotFound.NotFound""",
        ),
        (
            Failure.INVALID,
            Retry.NEVER,
            """InvalidFilter InvalidParameter InvalidParameter.DiskSizeNotMatch
            InvalidParameter.ProjectIdNotExist InvalidParameterValue
            InvalidParameterValue.LimitExceeded InvalidRequest MissingParameter
            RequestSizeLimitExceeded ResourceUnavailable.ZoneNotMatch
            ResponseSizeLimitExceeded UnknownParameter ZoneNotMatch""",
        ),
        (Failure.IDEMPOTENCY, Retry.NEVER, "InvalidParameter.InvalidClientToken"),
        (
            Failure.CONFLICT,
            Retry.STATE,
            """InvalidDisk.Busy InvalidDisk.SnapshotCreating ResourceBusy ResourceInUse
            ResourceInUse.CopySnapshotConflict ResourceInUse.DiskMigrating
            ResourceInUse.DiskRollbacking ResourceInsufficient.UpgradeServiceBusy
            ResourceUnavailable ResourceUnavailable.DiskBackupCreating
            ResourceUnavailable.SnapshotCreating TradeDealConflict
            UnsupportedOperation.StateError""",
        ),
        (
            Failure.CONFLICT,
            Retry.NEVER,
            """InvalidDisk.AlreadyBound InvalidDisk.Attached ResourceUnavailable.Attached
            ResourceUnavailable.DiskSnapshotChainTooLarge ResourceUnavailable.RepeatRefund
            UnsupportedOperation.DetachPod UnsupportedOperation.InstanceNotStopped
            UnsupportedOperation.SnapHasShared
            UnsupportedOperation.SnapshotGroupDiskAttachMultiInstance
            UnsupportedOperation.SnapshotHasBindedImage""",
        ),
        (
            Failure.QUOTA,
            Retry.NEVER,
            """AutoSnapshotPolicyOutOfQuota InsufficientRefundQuota
            InsufficientSnapshotQuota InvalidParameterValue.BindDiskLimitExceeded
            LimitExceeded LimitExceeded.AutoSnapshotPolicyOutOfQuota
            LimitExceeded.InstanceAttachedDisk ResourceInsufficient
            ResourceInsufficient.OverQuota ResourceInsufficient.OverRefundQuota""",
        ),
        (
            Failure.THROTTLED,
            Retry.BACKOFF,
            """LimitExceeded.TagQuotaLimitExceeded RequestLimitExceeded
            RequestLimitExceeded.GlobalRegionUinLimitExceeded
            RequestLimitExceeded.IPLimitExceeded RequestLimitExceeded.UinLimitExceeded""",
        ),
        (Failure.THROTTLED, Retry.STATE, "ResourceUnavailable.TooManyCreatingSnapshot"),
        (
            Failure.UNSUPPORTED,
            Retry.NEVER,
            """ActionOffline InvalidAction InvalidDisk.NotPortable
            InvalidDisk.NotSupportRefund InvalidDisk.NotSupportSnapshot
            InvalidDisk.NotSupported InvalidDisk.TypeError InvalidInstance.NotSupported
            InvalidParameter.DiskConfigNotSupported
            InvalidParameter.ShouldConvertSnapshotToImage InvalidParameterValue.InvalidAction
            InvalidSnapshot.NotSupported NoSuchProduct NoSuchVersion
            ResourceUnavailable.NotPortable ResourceUnavailable.NotSupportRefund
            ResourceUnavailable.NotSupportSnapshot ResourceUnavailable.NotSupported
            ResourceUnavailable.TypeError UnsupportedOperation
            UnsupportedOperation.DiskEncrypt UnsupportedOperation.ShareDiskNotSupportSnap
            UnsupportedOperation.SnapshotNotSupportCopy UnsupportedProtocol
            UnsupportedRegion""",
        ),
        (
            Failure.SERVER,
            Retry.BACKOFF,
            """FailedOperation InternalError InternalError.ComponentError
            InternalError.FailQueryResource InternalError.ResourceOpFailed
            ServiceUnavailable""",
        ),
    )
)
"""API 3.0."""

TAG_CODES: Mapping[str, Verdict] = _table(
    (
        (Failure.CONFLICT, Retry.STATE, "FailedOperation.ResourceTagProcessing"),
        (
            Failure.QUOTA,
            Retry.NEVER,
            "FailedOperation.TagAttachedResource FailedOperation.TagAttachedBillingTag",
        ),
        (
            Failure.INVALID,
            Retry.NEVER,
            "LimitExceeded.ResourceNumPerRequest LimitExceeded.TagNumPerRequest",
        ),
    )
)
"""The tag service, where the rules for unlisted codes would mislead."""

NUMBERS: Mapping[str, Verdict] = _table(
    (
        (Failure.INVALID, Retry.NEVER, "4000 9003"),
        (Failure.AUTHENTICATION, Retry.NEVER, "4100 4104 4106"),
        (Failure.AUTHENTICATION, Retry.REPAIR, "4105 4200 4500"),
        (Failure.PERMISSION, Retry.NEVER, "4101 4102 4103 4110"),
        (Failure.ACCOUNT, Retry.NEVER, "4300 5300 5500"),
        (Failure.THROTTLED, Retry.BACKOFF, "4400"),
        (Failure.UNSUPPORTED, Retry.NEVER, "4600 6100 16007 16008 16026"),
        (Failure.NOT_FOUND, Retry.NEVER, "5000 16003"),
        (Failure.SERVER, Retry.BACKOFF, "5100 6000 6200"),
        (Failure.QUOTA, Retry.NEVER, "5200 16006"),
        (Failure.CONFLICT, Retry.STATE, "16005 16027"),
    )
)
"""API 2.0, where codes are numbers, or texts that are numbers."""

NOT_FAILURES = frozenset({"DryRunOperation", "0", "5400"})
"""A dry run that passed, success, and a batch of which ``detail`` tells item by item."""

_SENT: Mapping[str, Sent] = {
    "LimitExceeded.TagQuotaLimitExceeded": Sent.MAYBE,
    "4500": Sent.MAYBE,
    "5200": Sent.MAYBE,
    "6200": Sent.NO,
}
"""Where a refusal leaves it open whether the work was done, and a server error does not."""

_FAMILIES: tuple[tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], Verdict], ...] = (
    (("RequestLimitExceeded",), (), (), (Failure.THROTTLED, Retry.BACKOFF)),
    (("AuthFailure",), (), (), (Failure.AUTHENTICATION, Retry.NEVER)),
    (("UnauthorizedOperation", "Ip"), (), (), (Failure.PERMISSION, Retry.NEVER)),
    (("ResourceNotFound",), (), (".NotFound",), (Failure.NOT_FOUND, Retry.NEVER)),
    (
        ("LimitExceeded", "ResourceInsufficient"),
        ("Quota",),
        (),
        (Failure.QUOTA, Retry.NEVER),
    ),
    (
        ("ResourceInUse", "ResourceBusy", "ResourceUnavailable"),
        (),
        (".Busy", "Creating"),
        (Failure.CONFLICT, Retry.STATE),
    ),
    (
        ("Unsupported", "NoSuch"),
        ("NotSupport",),
        (),
        (Failure.UNSUPPORTED, Retry.NEVER),
    ),
    (("Missing", "Invalid", "Unknown"), (), (), (Failure.INVALID, Retry.NEVER)),
    (
        ("InternalError", "FailedOperation", "Service"),
        (),
        (),
        (Failure.SERVER, Retry.BACKOFF),
    ),
)
"""Starts, parts and ends of codes, in the order in which they count."""

_HINTS: Mapping[str, str] = {
    "AuthFailure.SignatureFailure": "check the secret key",
    "AuthFailure.SecretIdNotFound": "check the secret id; the key may be deleted or disabled",
    "AuthFailure.InvalidSecretId": "this is not a key of the cloud API",
    "AuthFailure.SignatureExpire": "set this machine's clock; five minutes off is too much",
    "AuthFailure.TokenFailure": "get new temporary credentials",
    "UnauthorizedOperation.InvalidToken": "get new temporary credentials",
    "IpNotInWhitelist": "this machine's address is not among those allowed for the key",
    "UnsupportedRegion": "ask for the regions there are; API 3.0 writes them like ap-guangzhou",
    "InvalidAccount.InsufficientBalance": "top up the account",
    "InvalidSnapshot.NotSupported": "look at the snapshot first: it may not be NORMAL",
    "UnsupportedOperation.SnapHasShared": "cancel the shares first",
    "UnsupportedOperation.SnapshotHasBindedImage": "an image is built on it; delete that first",
    "UnsupportedOperation.InstanceNotStopped": "stop the instance, or detach the disk",
    "4100": "check the secret key; the signature method must be one that the server knows",
    "4104": "check the secret id; the key may be deleted or disabled",
    "4105": "get new temporary credentials",
    "4200": "set this machine's clock; five minutes off is too much",
    "4600": "use https",
    "6100": "use api=3.0",
}


def verdict_of(code: str, status: int = 200) -> Verdict:
    """Return what an API 3.0 *code* means: its own entry, its family's, or by HTTP *status*."""
    known = CODES.get(code) or TAG_CODES.get(code)
    if known is not None:
        return known
    for starts, parts, ends, verdict in _FAMILIES:
        if code.startswith(starts) or code.endswith(ends) or any(part in code for part in parts):
            return verdict
    return _by_status(status)


def verdict_of_number(code: str, status: int = 200) -> Verdict:
    """Return what an API 2.0 *code* means: its own entry, or by HTTP *status*."""
    return NUMBERS.get(code) or _by_status(status)


def error_of(
    verdict: Verdict, *, code: str | None, message: str, request_id: str | None, operation: str
) -> SnapkitError:
    """Return the exception for an answer of the provider's that says no."""
    failure, retry = verdict
    hint = _HINTS.get(code or "")
    if failure is Failure.PERMISSION and hint is None:
        hint = f"allow {operation} of CBS to this key (access management, CAM)"
    return failure.error(
        message,
        code=code,
        request_id=request_id,
        retry=retry,
        sent=_SENT.get(code or ""),
        hint=hint,
    )


def _by_status(status: int) -> Verdict:
    if status == 429:
        return Failure.THROTTLED, Retry.BACKOFF
    if status >= 500:
        return Failure.SERVER, Retry.BACKOFF
    return Failure.OTHER, Retry.NEVER
