"""What the driver sends, and what it makes of answers that no emulator would give."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from snapkit.client import Client
from snapkit.credentials import Credentials
from snapkit.errors import ConfigurationError, SnapkitError, UnsupportedError
from snapkit.http import Http, HttpRequest, HttpResponse
from snapkit.settings import Target, open_driver
from snapkit.transport import Clock
from snapkit_alibaba import AlibabaDriver
from snapkit_alibaba.driver import endpoint_of

KEY = Credentials(key_id="LTAIEXAMPLE", secret="EXAMPLE-secret", token="EXAMPLE-token")


class Canned(Http):
    """Answers from a list, and remembers what was asked."""

    def __init__(self, *answers: Any) -> None:
        super().__init__()
        self.answers = list(answers)
        self.requests: list[HttpRequest] = []

    def send(self, request: HttpRequest, **_: Any) -> HttpResponse:
        self.requests.append(request)
        body = json.dumps(self.answers.pop(0)).encode()
        return HttpResponse(status=200, headers={}, body=body)

    def params(self) -> list[dict[str, str]]:
        texts = (urlsplit(one.url).query or one.body.decode() for one in self.requests)
        return [dict(parse_qsl(text, keep_blank_values=True)) for text in texts]


def client(http: Http, region: str = "cn-beijing", **options: str) -> Client:
    target = Target(provider="alibaba", region=region, credentials=KEY, options=options)
    clock = Clock(sleep=lambda _: None)
    return Client(open_driver(target, http=http, clock=clock))


def page(*ids: str, **fields: Any) -> dict[str, Any]:
    rows = [{"SnapshotId": one, "Status": "accomplished"} for one in ids]
    return {"RequestId": "R", "Snapshots": {"Snapshot": rows}, **fields}


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-beijing", "ecs.cn-beijing.aliyuncs.com"),
        ("ap-southeast-1", "ecs.ap-southeast-1.aliyuncs.com"),
        ("cn-hangzhou", "ecs-cn-hangzhou.aliyuncs.com"),
        ("cn-shanghai-finance-1", "ecs-cn-hangzhou.aliyuncs.com"),
        ("cn-north-2-gov-1", "ecs.aliyuncs.com"),
        ("cn-edge-1", "ecs.cn-qingdao-nebula.aliyuncs.com"),
        ("cn-qingdao-nebula-1", "ecs.cn-qingdao-nebula.aliyuncs.com"),
    ],
)
def test_regions_have_their_own_hosts(region: str, host: str) -> None:
    """A wrong endpoint looks like an empty region, not like an error."""
    assert endpoint_of(region) == f"https://{host}"


@pytest.mark.parametrize("region", ["evil.com/?", "a@evil.com/", "x.evil", "", "CN", "a" * 33])
def test_a_region_cannot_lead_to_another_host(region: str) -> None:
    """The signed request would go to whoever wrote the configuration."""
    with pytest.raises(ConfigurationError):
        endpoint_of(region)


def test_token_paging_sends_no_page_numbers() -> None:
    """The service ignores one of the two, and which one is not said."""
    http = Canned(page("s-1", NextToken="t1", TotalCount=0), page("s-2", NextToken=""))
    found = [snapshot.id for snapshot in client(http).snapshots()]
    first, second = http.params()

    assert found == ["s-1", "s-2"]
    assert first == {"RegionId": "cn-beijing", "MaxResults": "100"}
    assert second == {"RegionId": "cn-beijing", "MaxResults": "100", "NextToken": "t1"}
    assert http.requests[0].url.startswith("https://ecs.cn-beijing.aliyuncs.com/?")


def test_numbered_paging_sends_no_tokens() -> None:
    """Chosen for endpoints that do not know them, although the answer may hold one."""
    http = Canned(page("s-1", TotalCount=1, NextToken="unasked"))
    listing = client(http, paging="number").snapshots()

    assert [snapshot.id for snapshot in listing] == ["s-1"]
    assert http.params() == [{"RegionId": "cn-beijing", "PageNumber": "1", "PageSize": "100"}]
    assert listing.report.scopes[0].total == 1


@pytest.mark.parametrize("tail", [{}, {"NextToken": ""}], ids=["no key", "empty"])
def test_a_server_without_tokens_is_asked_by_number(tail: dict[str, str]) -> None:
    """It sends ten rows and counts the rest; stopping there would be a short list."""
    ids = [f"s-{number}" for number in range(12)]
    http = Canned(
        page(*ids[:10], TotalCount=12, PageNumber=1, PageSize=10, **tail),
        page(*ids, TotalCount=12),
    )
    listing = client(http).snapshots()

    assert [snapshot.id for snapshot in listing] == ids
    assert http.params()[1] == {"RegionId": "cn-beijing", "PageNumber": "1", "PageSize": "100"}
    assert listing.report.complete


def test_a_total_that_comes_with_a_token_is_not_handed_on() -> None:
    """It is meaningless there."""
    http = Canned(page("s-1", NextToken="", TotalCount=1))
    listing = client(http).snapshots()
    list(listing)

    assert listing.report.scopes[0].total is None


def test_each_attempt_is_signed_anew() -> None:
    """A nonce that was used once is refused."""
    busy = {"Code": "Throttling.User", "Message": "slow", "RequestId": "R"}
    http = Canned(busy, page("s-1", NextToken=""))

    assert len(list(client(http).snapshots())) == 1
    assert len({one.headers["x-acs-signature-nonce"] for one in http.requests}) == 2


def test_rpc_puts_everything_into_the_body() -> None:
    """Token and signature stay out of the URL."""
    http = Canned(page(NextToken=""))
    list(client(http, signature="rpc").snapshots(statuses="failed"))
    (sent,) = http.params()

    assert http.requests[0].url == "https://ecs.cn-beijing.aliyuncs.com/"
    assert (sent["Action"], sent["Status"], sent["Format"]) == (
        "DescribeSnapshots",
        "failed",
        "JSON",
    )


def test_a_server_asked_for_is_filled_in() -> None:
    """Rows do not name it, and the filter of the core would drop them all."""
    http = Canned(page("s-1", NextToken=""))
    (found,) = client(http).snapshots(instance_ids="i-1")

    assert found.source.instance_id == "i-1"


def test_several_servers_are_refused_without_a_request() -> None:
    """Nothing that could match would come back."""
    http = Canned()
    with pytest.raises(UnsupportedError):
        list(client(http).snapshots(instance_ids=["i-1", "i-2"]))

    assert http.requests == []


def test_an_empty_filter_sends_nothing() -> None:
    """An empty array is a live filter of the service."""
    http = Canned()

    assert list(client(http).snapshots(ids=[])) == []
    assert list(client(http).groups(statuses=[])) == []
    assert http.requests == []


@pytest.mark.faults(66)
def test_a_row_that_cannot_be_read_makes_the_listing_incomplete() -> None:
    """Its absence must show."""
    answer = page("s-1", NextToken="")
    answer["Snapshots"]["Snapshot"].append({"SnapshotName": "nameless"})
    listing = client(Canned(answer)).snapshots()

    assert [snapshot.id for snapshot in listing] == ["s-1"]
    assert not listing.report.complete
    assert "nameless" in listing.report.scopes[0].troubles[0]


def test_an_answer_without_a_list_is_an_error() -> None:
    """Four attempts, then said aloud."""
    http = Canned(*[{"RequestId": "R"}] * 4)
    with pytest.raises(SnapkitError, match="no list"):
        list(client(http).snapshots())


def test_raw_rows_are_kept_when_asked_for() -> None:
    """They hold the chain id and whatever the service adds."""
    http = Canned(page("s-1", NextToken=""))
    target = Target(provider="alibaba", region="cn-beijing", credentials=KEY)
    (found,) = Client(open_driver(target, http=http, keep_raw=True)).snapshots()

    assert found.raw == {"SnapshotId": "s-1", "Status": "accomplished"}


def test_regions_are_listed_with_english_names() -> None:
    """The service's default language is Chinese."""
    rows = [
        {"RegionId": "cn-qingdao", "LocalName": "China (Qingdao)", "Status": "available"},
        {"RegionId": "cn-full", "LocalName": "Full", "Status": "soldOut"},
        {"RegionId": "cn-silent"},
    ]
    http = Canned({"Regions": {"Region": rows}})
    found = client(http).regions()

    assert [(one.id, one.name, one.open) for one in found] == [
        ("cn-qingdao", "China (Qingdao)", True),
        ("cn-full", "Full", False),
        ("cn-silent", None, None),
    ]
    assert http.params()[0]["AcceptLanguage"] == "en-US"


@pytest.mark.parametrize(
    ("environ", "key_id"),
    [
        (
            {"ALIBABA_CLOUD_ACCESS_KEY_ID": "a", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}
            | {"ALICLOUD_ACCESS_KEY": "d", "ALICLOUD_SECRET_KEY": "s"},
            "a",
        ),
        ({"ALIBABACLOUD_ACCESS_KEY_ID": "b", "ALIBABACLOUD_ACCESS_KEY_SECRET": "s"}, "b"),
        ({"ALICLOUD_ACCESS_KEY_ID": "c", "ALICLOUD_ACCESS_KEY_SECRET": "s"}, "c"),
        ({"ALICLOUD_ACCESS_KEY": "d", "ALICLOUD_SECRET_KEY": "s"}, "d"),
    ],
)
def test_the_official_variables_come_first(environ: dict[str, str], key_id: str) -> None:
    """People have them set for the vendor's CLI or for Terraform."""
    assert key_id == AlibabaDriver.environment.credentials(environ).key_id


def test_the_region_is_found_in_the_environment() -> None:
    """A target may then be the provider's name alone."""
    environ = {"ALICLOUD_REGION": "cn-old", "ALIBABA_CLOUD_REGION_ID": "cn-new"}

    assert AlibabaDriver.environment.region(environ) == "cn-new"


def test_an_unknown_choice_is_refused_before_anything_is_sent() -> None:
    """A typing mistake would fall back to the default in silence."""
    with pytest.raises(ConfigurationError, match="acs3, rpc"):
        Target(provider="alibaba", region="cn-beijing", options={"signature": "acs4"})
