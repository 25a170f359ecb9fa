"""The vendor's own SDKs, unmodified, as witnesses for the emulator and for snapkit."""

import http.client
import json
import warnings
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import pytest

from snapkit.client import connect
from snapkit.emulator import Emulator, World
from snapkit.settings import Target
from snapkit_tencent.dialect import TencentDialect
from snapkit_tencent.estate import KEY_ID, SECRET

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:tencentcloud"),
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
REGIONS = ["ap-guangzhou", "ap-singapore"]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    world = World()
    TencentDialect.populate(world, 7)
    with Emulator(world) as running:
        yield running


def sdk(name: str) -> Any:
    """A module of an SDK, without the warnings it gives while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_module(name)


def host_of(emulator: Emulator) -> str:
    return urlsplit(emulator.endpoint).netloc


def target_of(emulator: Emulator, region: str, **options: str) -> Target:
    found = next(one for one in emulator.targets("tencent") if one.region == region)
    return Target(
        provider="tencent",
        region=region,
        endpoint=found.endpoint,
        credentials=found.credentials,
        options=options,
    )


def profile_of(emulator: Emulator, method: str = "POST", signature: str = "TC3-HMAC-SHA256") -> Any:
    wire = sdk("tencentcloud.common.profile.http_profile").HttpProfile(
        protocol="http", endpoint=host_of(emulator), reqMethod=method
    )
    return sdk("tencentcloud.common.profile.client_profile").ClientProfile(
        signMethod=signature, httpProfile=wire
    )


def keys(secret: str = SECRET) -> Any:
    return sdk("tencentcloud.common.credential").Credential(KEY_ID, secret)


def cbs(emulator: Emulator, region: str, *, secret: str = SECRET, **profile: str) -> Any:
    module = sdk("tencentcloud.cbs.v20170312.cbs_client")
    return module.CbsClient(keys(secret), region, profile_of(emulator, **profile))


def paged(call: Any, request_type: Any, field: str, *, size: int = 20) -> list[Any]:
    """Everything, by offset, until the count is reached."""
    found: list[Any] = []
    while True:
        request = request_type()
        request.Offset, request.Limit = len(found), size
        answer = call(request)
        found += getattr(answer, field)
        if len(found) >= answer.TotalCount:
            return found


@pytest.mark.parametrize("region", REGIONS)
def test_the_sdk_and_snapkit_see_the_same_snapshots(emulator: Emulator, region: str) -> None:
    """Ids, states, names, sizes and counts; the SDK asks for twenty at a time."""
    models = sdk("tencentcloud.cbs.v20170312.models")
    theirs = paged(
        cbs(emulator, region).DescribeSnapshots, models.DescribeSnapshotsRequest, "SnapshotSet"
    )
    with connect(target_of(emulator, region)) as client:
        listing = client.snapshots()
        ours = list(listing)

    assert [
        (one.SnapshotId, one.SnapshotState, one.SnapshotName, one.DiskSize << 30, one.Percent)
        for one in theirs
    ] == [(one.id, one.raw_status, one.name, one.size_bytes, one.progress) for one in ours]
    assert len(theirs) == listing.report.scopes[0].total


@pytest.mark.parametrize("region", REGIONS)
def test_the_sdk_and_snapkit_see_the_same_groups(emulator: Emulator, region: str) -> None:
    """Ids, states and members."""
    models = sdk("tencentcloud.cbs.v20170312.models")
    theirs = paged(
        cbs(emulator, region).DescribeSnapshotGroups,
        models.DescribeSnapshotGroupsRequest,
        "SnapshotGroupSet",
        size=2,
    )
    with connect(target_of(emulator, region)) as client:
        ours = list(client.groups())

    assert [(one.SnapshotGroupId, one.SnapshotGroupState, one.SnapshotIdSet) for one in theirs] == [
        (one.id, one.raw_status, [member.id for member in one.members]) for one in ours
    ]
    assert theirs


@pytest.mark.parametrize(
    ("method", "signature"),
    [
        ("POST", "TC3-HMAC-SHA256"),
        ("GET", "TC3-HMAC-SHA256"),
        ("POST", "HmacSHA256"),
        ("GET", "HmacSHA256"),
        ("POST", "HmacSHA1"),
        ("GET", "HmacSHA1"),
    ],
)
def test_every_way_the_sdk_signs_is_accepted(
    emulator: Emulator, method: str, signature: str
) -> None:
    """An independent witness for what the emulator recomputes, filters and ids included."""
    models = sdk("tencentcloud.cbs.v20170312.models")
    client = cbs(emulator, "ap-guangzhou", method=method, signature=signature)
    request = models.DescribeSnapshotsRequest()
    chosen = models.Filter()
    chosen.Name, chosen.Values = "snapshot-state", ["ROLLBACKING", "TORECYCLE"]
    request.Filters, request.Limit = [chosen], 100
    found = client.DescribeSnapshots(request)
    again = models.DescribeSnapshotsRequest()
    again.SnapshotIds, again.Limit = [one.SnapshotId for one in found.SnapshotSet], 100

    assert {"ROLLBACKING", "TORECYCLE"} == {one.SnapshotState for one in found.SnapshotSet}
    assert 2 == client.DescribeSnapshots(again).TotalCount


def test_the_sdk_lists_the_regions(emulator: Emulator) -> None:
    """Another service, another version, the same port."""
    module = sdk("tencentcloud.region.v20220627.region_client")
    models = sdk("tencentcloud.region.v20220627.models")
    request = models.DescribeRegionsRequest()
    request.Product = "cbs"
    answer = module.RegionClient(keys(), "", profile_of(emulator)).DescribeRegions(request)
    with connect(target_of(emulator, "ap-guangzhou")) as client:
        ours = client.regions()

    assert [one.Region for one in answer.RegionSet] == [one.id for one in ours]


@pytest.mark.parametrize(
    ("region", "secret", "code"),
    [
        ("ap-guangzhou", "EXAMPLE-wrong", "AuthFailure.SignatureFailure"),
        ("ap-beijing", SECRET, "AuthFailure.UnauthorizedOperation"),
        ("ap-atlantis", SECRET, "UnsupportedRegion"),
    ],
)
def test_the_sdk_understands_the_emulators_refusals(
    emulator: Emulator, region: str, secret: str, code: str
) -> None:
    """It looks for errors only under certain content types, so the envelope matters."""
    models = sdk("tencentcloud.cbs.v20170312.models")
    failure = sdk(
        "tencentcloud.common.exception.tencent_cloud_sdk_exception"
    ).TencentCloudSDKException
    with pytest.raises(failure) as caught:
        cbs(emulator, region, secret=secret).DescribeSnapshots(models.DescribeSnapshotsRequest())

    assert code == caught.value.get_code()
    assert caught.value.get_request_id()


class Plain(http.client.HTTPConnection):
    """Plain HTTP where the old SDK would open TLS; it asks its connection for this figure."""

    request_length = 0


def old_sdk(emulator: Emulator, **config: str) -> Any:
    """The old SDK's client, sent to the emulator; it signs and encodes by itself."""
    base = {"secretId": KEY_ID, "secretKey": SECRET, "Region": "gz", "method": "POST"}
    client = sdk("QcloudApi.modules.snapshot").Snapshot(base | config)
    client.requestHost = host_of(emulator)
    client.apiRequest.conn = Plain(host_of(emulator))
    return client


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("signature", ["HmacSHA1", "HmacSHA256"])
def test_the_old_sdk_and_snapkit_see_the_same_snapshots(
    emulator: Emulator, method: str, signature: str
) -> None:
    """API 2.0 has one witness left: the vendor's abandoned SDK."""
    client = old_sdk(emulator, method=method, SignatureMethod=signature)
    theirs: list[Any] = []
    total = 1
    while len(theirs) < total:
        answer = json.loads(client.call("DescribeSnapshots", {"offset": len(theirs), "limit": 30}))
        assert 0 == answer["code"]
        total = answer["totalCount"]
        theirs += answer["snapshotSet"]
    with connect(target_of(emulator, "ap-guangzhou", api="2.0")) as ours:
        found = [(one.id, one.raw_status, one.name) for one in ours.snapshots()]

    assert [
        (one["snapshotId"], one["snapshotStatus"], one["snapshotName"]) for one in theirs
    ] == found


def test_the_old_sdks_lists_and_upload_marks_are_signed_alike(emulator: Emulator) -> None:
    """By POST it leaves a value that starts with @ out of what it signs."""
    ids = ["@home", "snap-ffxxxrx", *[f"snap-{number}" for number in range(12)]]
    client = old_sdk(emulator, SignatureMethod="HmacSHA256")
    answer = json.loads(client.call("DescribeSnapshots", {"snapshotIds": ids}))
    wrong = json.loads(old_sdk(emulator, secretKey="EXAMPLE").call("DescribeSnapshots", {}))

    assert ["snap-ffxxxrx"] == [one["snapshotId"] for one in answer["snapshotSet"]]
    assert 4100 == wrong["code"]
