"""What the driver sends: parameters, hosts, signatures and options."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from snapkit.client import Client
from snapkit.credentials import Credentials
from snapkit.driver import Capability, Driver
from snapkit.errors import ConfigurationError, CredentialsMissingError, UnsupportedError
from snapkit.http import Http, HttpRequest, HttpResponse
from snapkit.model import DiskRole, Origin, SnapshotStatus
from snapkit.paging import Position
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.settings import Target, open_driver
from snapkit.transport import Clock
from snapkit_tencent import LegacyTencentDriver, TencentDriver, legacy, params, signing

KEYS = Credentials(key_id="AKIDEXAMPLE", secret="EXAMPLE-secret", token="EXAMPLE-token")
NEW: dict[str, Any] = {
    "Response": {"TotalCount": 0, "SnapshotSet": [], "SnapshotGroupSet": [], "RegionSet": []}
}
OLD: dict[str, Any] = {"code": 0, "totalCount": 0, "snapshotSet": []}


class Wire(Http):
    """Keeps what is sent and gives one answer to everything."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.sent: list[HttpRequest] = []
        self.answer = json.dumps(answer).encode()

    def send(
        self, request: HttpRequest, *, connect: float, read: float, remaining: Callable[[], float]
    ) -> HttpResponse:
        self.sent.append(request)
        return HttpResponse(status=200, headers={}, body=self.answer)


def opened(answer: object = NEW, **target: Any) -> tuple[Driver, Wire]:
    settings: dict[str, Any] = {"region": "ap-guangzhou", "credentials": KEYS}
    wire = Wire(answer)
    clock = Clock(wall=lambda: 1700000000.5, token=lambda size: bytes(range(size)))
    place = Target(provider="tencent", **(settings | target))
    return open_driver(place, http=wire, clock=clock), wire


def old(**options: str) -> tuple[Driver, Wire]:
    return opened(OLD, options={"api": "2.0"} | options)


def asked(**filters: Any) -> dict[str, Any]:
    return params.snapshot_params(SnapshotQuery(**filters), None, 100)


def pushed(**filters: Any) -> dict[str, list[str]]:
    found: list[dict[str, Any]] = asked(**filters).get("Filters", [])
    return {one["Name"]: one["Values"] for one in found}


def group_filters(**filters: Any) -> dict[str, list[str]]:
    found = params.group_params(GroupQuery(**filters), None, 100).get("Filters", [])
    return {one["Name"]: one["Values"] for one in found}


def test_everything_is_asked_for_oldest_first_in_the_largest_pages() -> None:
    """New snapshots then land behind the walk, and 20 a page would cost five times the calls."""
    wanted = {"Offset": 0, "Limit": 100, "OrderField": "CREATE_TIME", "Order": "ASC"}

    assert wanted == asked()
    moved = params.snapshot_params(SnapshotQuery(), Position(199), 50)
    assert (199, 50) == (moved["Offset"], moved["Limit"])


def test_ids_exclude_filters() -> None:
    """The vendor refuses both at once; what else is wanted the core checks."""
    found = asked(ids=["snap-2", "snap-1"], disk_ids="disk-1", statuses="available")

    assert ["snap-1", "snap-2"] == found["SnapshotIds"]
    assert "Filters" not in found


PUSHED: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
    ({"disk_ids": ["disk-2", "disk-1"]}, {"disk-id": ["disk-1", "disk-2"]}),
    ({"disk_ids": [f"disk-{n}" for n in range(11)]}, {}),
    ({"roles": DiskRole.SYSTEM}, {"disk-usage": ["SYSTEM_DISK"]}),
    ({"roles": DiskRole.DATA}, {"disk-usage": ["DATA_DISK"]}),
    ({"roles": [DiskRole.SYSTEM, DiskRole.DATA]}, {}),
    ({"roles": DiskRole.UNKNOWN}, {}),
    ({"statuses": SnapshotStatus.AVAILABLE}, {"snapshot-state": ["NORMAL"]}),
    (
        {"statuses": [SnapshotStatus.CREATING, SnapshotStatus.COPYING, SnapshotStatus.VERIFYING]},
        {"snapshot-state": ["CHECKING_COPIED", "COPYING_FROM_REMOTE", "CREATING"]},
    ),
    (
        {"statuses": [SnapshotStatus.RESTORING, SnapshotStatus.RECYCLED]},
        {"snapshot-state": ["ROLLBACKING", "TORECYCLE"]},
    ),
    ({"statuses": [SnapshotStatus.AVAILABLE, SnapshotStatus.UNKNOWN]}, {}),
    ({"statuses": list(SnapshotStatus)}, {}),
    (
        {"statuses": [one for one in SnapshotStatus if one is not SnapshotStatus.UNKNOWN]},
        {},
    ),
    ({"statuses": SnapshotStatus.FAILED}, {}),
    ({"origins": Origin.SHARED}, {"snapshot-type": ["SHARED_SNAPSHOT"]}),
    ({"origins": [Origin.SHARED, Origin.MANUAL]}, {}),
    ({"encrypted": True}, {}),
    ({"names": "web-*"}, {}),
    ({"names": "web"}, {}),
    ({"tags": "team=ops"}, {}),
    ({"created_after": "2026-01-01"}, {}),
    ({"smallest": "10G"}, {}),
]


@pytest.mark.parametrize(("filters", "expected"), PUSHED, ids=[str(row[0]) for row in PUSHED])
def test_what_is_pushed_down(filters: dict[str, Any], expected: dict[str, list[str]]) -> None:
    """Only what is documented to be exact, and only within documented lengths."""
    assert expected == pushed(**filters)


GROUPS: list[tuple[dict[str, Any], dict[str, list[str]]]] = [
    ({"ids": ["csnap-2", "csnap-1"]}, {"snapshot-group-id": ["csnap-1", "csnap-2"]}),
    ({"snapshot_ids": "snap-1"}, {"snapshot-id": ["snap-1"]}),
    ({"snapshot_ids": [f"snap-{n}" for n in range(6)]}, {}),
    ({"statuses": SnapshotStatus.CREATING}, {"snapshot-group-state": ["CREATING"]}),
    ({"statuses": SnapshotStatus.DEGRADED}, {"snapshot-group-state": ["NORMAL"]}),
    (
        {"statuses": [SnapshotStatus.DEGRADED, SnapshotStatus.AVAILABLE]},
        {"snapshot-group-state": ["NORMAL"]},
    ),
    ({"names": "orders"}, {}),
    ({"tags": "team"}, {}),
]


@pytest.mark.parametrize(("filters", "expected"), GROUPS, ids=[str(row[0]) for row in GROUPS])
def test_what_is_pushed_down_for_groups(
    filters: dict[str, Any], expected: dict[str, list[str]]
) -> None:
    """A group that is NORMAL to the vendor is degraded to us when a member is missing."""
    assert expected == group_filters(**filters)


OLD_PARAMS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"ids": ["b", "a"], "disk_ids": "d"}, {"snapshotIds": ["a", "b"], "storageIds": ["d"]}),
    ({"roles": DiskRole.SYSTEM}, {"diskType": "root"}),
    ({"roles": DiskRole.DATA}, {"diskType": "data"}),
    ({"roles": [DiskRole.DATA, DiskRole.SYSTEM]}, {}),
    ({"roles": DiskRole.UNKNOWN}, {}),
    ({"disk_ids": [f"disk-{n}" for n in range(11)]}, {}),
    ({"statuses": SnapshotStatus.AVAILABLE}, {}),
]


@pytest.mark.parametrize(
    ("filters", "expected"), OLD_PARAMS, ids=[str(row[0]) for row in OLD_PARAMS]
)
def test_what_is_pushed_down_in_the_old_api(
    filters: dict[str, Any], expected: dict[str, Any]
) -> None:
    """There all conditions go together, as the vendor's page says."""
    found = legacy.snapshot_params(SnapshotQuery(**filters), None, 100)

    assert {"offset": 0, "limit": 100} | expected == found


def test_a_call_of_the_new_api_on_the_wire() -> None:
    """JSON by POST; nothing secret in the URL, the token beside the signature."""
    driver, wire = opened()
    driver.list_snapshots(SnapshotQuery(), cursor=None, limit=100)
    sent = wire.sent[0]

    assert ("POST", "https://cbs.tencentcloudapi.com/") == (sent.method, sent.url)
    assert {
        "Host": "cbs.tencentcloudapi.com",
        "Content-Type": "application/json",
        "X-TC-Action": "DescribeSnapshots",
        "X-TC-Version": "2017-03-12",
        "X-TC-Region": "ap-guangzhou",
        "X-TC-Timestamp": "1700000000",
        "X-TC-Language": "en-US",
        "X-TC-RequestClient": "snapkit",
        "X-TC-Token": "EXAMPLE-token",
        "Authorization": signing.authorization(
            key_id="AKIDEXAMPLE",
            secret="EXAMPLE-secret",
            scope=signing.Scope(1700000000, "cbs"),
            host="cbs.tencentcloudapi.com",
            path="/",
            content_type="application/json",
            body=sent.body,
        ),
    } == sent.headers


@pytest.mark.parametrize(
    ("chosen", "method"),
    [("tc3", "HmacSHA256"), ("hmac-sha256", "HmacSHA256"), ("hmac-sha1", "HmacSHA1")],
)
def test_a_call_of_the_old_api_on_the_wire(chosen: str, method: str) -> None:
    """A form by POST, so that key and token stay out of the URL; the token is signed too."""
    driver, wire = old(signature=chosen)
    driver.list_snapshots(SnapshotQuery(ids=["a", "b"]), cursor=None, limit=100)
    sent = wire.sent[0]
    form = dict(parse_qsl(sent.body.decode()))
    signature = form.pop("Signature")
    text = signing.form_text("POST", "snapshot.api.qcloud.com", "/v2/index.php", form)

    assert ("POST", "https://snapshot.api.qcloud.com/v2/index.php") == (sent.method, sent.url)
    assert {
        "Action": "DescribeSnapshots",
        "Region": "ap-guangzhou",
        "Timestamp": "1700000000",
        "Nonce": "66052",
        "SecretId": "AKIDEXAMPLE",
        "SignatureMethod": method,
        "Token": "EXAMPLE-token",
        "offset": "0",
        "limit": "100",
        "snapshotIds.0": "a",
        "snapshotIds.1": "b",
    } == form
    assert signing.form_signature("EXAMPLE-secret", text, method) == signature


def test_a_value_that_looks_like_an_upload_is_sent_by_get() -> None:
    """A server that mirrors the vendor's SDK leaves it out of what a POST signs."""
    driver, wire = old()
    driver.list_snapshots(SnapshotQuery(ids="@home"), cursor=None, limit=100)
    sent = wire.sent[0]

    assert ("GET", b"") == (sent.method, sent.body)
    assert ["@home"] == parse_qs(urlsplit(sent.url).query)["snapshotIds.0"]


HOSTS: list[tuple[str, dict[str, str], str]] = [
    ("ap-guangzhou", {}, "https://cbs.tencentcloudapi.com/"),
    ("na-ashburn", {}, "https://cbs.tencentcloudapi.com/"),
    ("ap-shanghai-fsi", {}, "https://cbs.ap-shanghai-fsi.tencentcloudapi.com/"),
    ("ap-shanghai-fsi", {"api": "2.0"}, "https://snapshot.api.qcloud.com/v2/index.php"),
    ("gz", {"api": "2.0"}, "https://snapshot.api.qcloud.com/v2/index.php"),
]


@pytest.mark.parametrize(("region", "options", "url"), HOSTS)
def test_which_host_serves_a_region(region: str, options: dict[str, str], url: str) -> None:
    """One host for all; finance regions have their own and are not served by the other."""
    driver, wire = opened(OLD if options else NEW, region=region, options=options)
    driver.list_snapshots(SnapshotQuery(), cursor=None, limit=100)

    assert url == wire.sent[0].url


ENDPOINTS: list[tuple[str, dict[str, str], str]] = [
    ("https://cbs.example.cn", {}, "https://cbs.example.cn/"),
    ("https://cbs.example.cn:8443/api", {}, "https://cbs.example.cn:8443/api"),
    ("https://snap.example.cn", {"api": "2.0"}, "https://snap.example.cn/v2/index.php"),
    ("https://snap.example.cn/v3/x.php", {"api": "2.0"}, "https://snap.example.cn/v3/x.php"),
]


@pytest.mark.parametrize(("endpoint", "options", "url"), ENDPOINTS)
def test_an_endpoint_of_the_users_replaces_the_host(
    endpoint: str, options: dict[str, str], url: str
) -> None:
    """Private clouds have other roots; a path that is given is kept."""
    driver, wire = opened(OLD if options else NEW, endpoint=endpoint, options=options)
    driver.list_snapshots(SnapshotQuery(), cursor=None, limit=100)

    assert url == wire.sent[0].url
    assert urlsplit(url).netloc == wire.sent[0].headers["Host"]


def test_the_default_port_is_not_signed() -> None:
    """HTTP leaves it out of the Host header, and the signature is over that."""
    driver, wire = opened(endpoint="https://cbs.example.cn:443")
    driver.list_snapshots(SnapshotQuery(), cursor=None, limit=100)

    assert "cbs.example.cn" == wire.sent[0].headers["Host"]


def test_regions_come_from_another_service() -> None:
    """Signed for that service and its version, and not about any region."""
    driver, wire = opened(region="ap-shanghai-fsi")
    driver.list_regions()
    sent = wire.sent[0]

    assert "https://region.tencentcloudapi.com/" == sent.url
    assert "2022-06-27" == sent.headers["X-TC-Version"]
    assert "/region/tc3_request" in sent.headers["Authorization"]
    assert "X-TC-Region" not in sent.headers
    assert b'{"Product":"cbs"}' == sent.body


def test_the_old_api_knows_neither_groups_nor_regions() -> None:
    """Refused with the other way before anything is sent, and ``supports`` says so."""
    driver, wire = old()
    client = Client(driver)

    assert isinstance(driver, LegacyTencentDriver)
    assert not client.supports(Capability.GROUPS)
    assert not client.supports(Capability.REGIONS)
    for refused in (
        lambda: list(client.groups()),
        client.regions,
        lambda: driver.list_groups(GroupQuery(), cursor=None, limit=1),
        driver.list_regions,
    ):
        with pytest.raises(UnsupportedError, match=r"use api=3\.0"):
            refused()
    assert [] == wire.sent


def test_the_new_api_is_the_default() -> None:
    """The old one is retired."""
    driver, _ = opened()

    assert TencentDriver is type(driver)
    assert Client(driver).supports(Capability.GROUPS)


@pytest.mark.parametrize("options", [{}, {"api": "2.0"}])
def test_selecting_by_instance_is_refused_with_the_other_way(options: dict[str, str]) -> None:
    """Rows name no instance, so every answer would be a wrong empty list."""
    driver, wire = opened(options=options)

    with pytest.raises(UnsupportedError, match=r"select by disk"):
        driver.list_snapshots(SnapshotQuery(instance_ids="ins-1"), cursor=None, limit=1)
    assert [] == wire.sent


def test_selecting_groups_by_instance_is_refused_too() -> None:
    """The vendor's groups do not name their instance."""
    driver, wire = opened()

    with pytest.raises(UnsupportedError, match=r"select by disk"):
        driver.list_groups(GroupQuery(instance_ids="ins-1"), cursor=None, limit=1)
    assert [] == wire.sent


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"options": {"api": "1.0"}}, r"cannot be '1\.0'; choose from 3\.0, 2\.0"),
    ({"options": {"signature": "hmac-sha1"}}, r"signed by tc3 only"),
    ({"options": {"time-offset": "Beijing"}}, r"write an offset from UTC"),
    ({"options": {"colour": "red"}}, r"has no option 'colour'"),
    ({"region": "gz"}, r"write 'ap-guangzhou', or add api=2\.0"),
    ({"region": "evil.example/?"}, r"is not a region"),
]


@pytest.mark.parametrize(("target", "message"), WRONG, ids=[row[1] for row in WRONG])
def test_what_cannot_be_right_is_said_before_anything_is_sent(
    target: dict[str, Any], message: str
) -> None:
    """A wrong setting found by the server reads like a wrong key."""
    with pytest.raises(ConfigurationError, match=message):
        opened(**target)


ENVIRONMENTS = [
    ({"TENCENTCLOUD_SECRET_ID": "a", "TENCENTCLOUD_SECRET_KEY": "b"}, None),
    (
        {
            "TENCENTCLOUD_SECRET_ID": "a",
            "TENCENTCLOUD_SECRET_KEY": "b",
            "TENCENTCLOUD_SECURITY_TOKEN": "t",
        },
        "t",
    ),
    (
        {
            "TENCENTCLOUD_SECRETID": "a",
            "TENCENTCLOUD_SECRETKEY": "b",
            "TENCENTCLOUD_SESSIONTOKEN": "t",
        },
        "t",
    ),
]


@pytest.mark.parametrize(("environ", "token"), ENVIRONMENTS)
def test_the_vendors_environment_variables_are_read(
    environ: dict[str, str], token: str | None
) -> None:
    """Three names of the token are in use, and functions write theirs without underscores."""
    found = TencentDriver.environment.credentials(environ)

    assert ("a", "b", token) == (
        found.key_id,
        found.secret.reveal(),
        found.token.reveal() if found.token else None,
    )
    assert "x" == TencentDriver.environment.region({"TENCENTCLOUD_REGION": "x"})
    with pytest.raises(CredentialsMissingError):
        TencentDriver.environment.credentials({"TENCENTCLOUD_SECRET_ID": "a"})
