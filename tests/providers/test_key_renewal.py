"""Temporary keys that end under way cost no row, and are renewed once for all who use them."""

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest

import snapkit
from snapkit.credentials import Credentials, StaticSource
from snapkit.driver import Driver
from snapkit.refreshing import RefreshingSource
from snapkit.settings import Target
from snapkit.sources import Role, Surroundings, find_source
from snapkit_alibaba import AlibabaDriver
from snapkit_qingcloud import QingCloudDriver
from snapkit_tencent import TencentDriver
from tests.keylab import CANARY, Asked, Time, alibaba_sts, at_home, put, server, tencent_sts

THREADS = 50
ROWS = 250
PAGE = 100


def fields(asked: Asked) -> dict[str, str]:
    """Return the parameters of a call, wherever they stand."""
    return dict(parse_qsl(urlsplit(asked.path).query) + parse_qsl(asked.body))


@attrs.frozen(kw_only=True)
class Cloud:
    """One provider's side of the wire, as far as these tests go."""

    region: str
    key: Callable[[Asked], str]
    start: Callable[[Asked], int]
    page: Callable[[list[str], int], Mapping[str, Any]]
    refusal: tuple[int, Mapping[str, Any]]


def alibaba_page(ids: list[str], start: int) -> Mapping[str, Any]:
    some = [{"SnapshotId": one} for one in ids[start : start + PAGE]]
    more = {"NextToken": str(start + PAGE)} if start + PAGE < len(ids) else {}
    return {"Snapshots": {"Snapshot": some}, "RequestId": "R", **more}


def tencent_page(ids: list[str], start: int) -> Mapping[str, Any]:
    some = [{"SnapshotId": one} for one in ids[start : start + PAGE]]
    return {"Response": {"TotalCount": len(ids), "SnapshotSet": some, "RequestId": "R"}}


def qingcloud_page(ids: list[str], start: int) -> Mapping[str, Any]:
    some = [{"snapshot_id": one} for one in ids[start : start + PAGE]]
    return {"ret_code": 0, "total_count": len(ids), "snapshot_set": some}


CLOUDS = {
    "alibaba": Cloud(
        region="cn-hangzhou",
        key=lambda asked: asked.headers["x-acs-accesskey-id"],
        start=lambda asked: int(fields(asked).get("NextToken", 0)),
        page=alibaba_page,
        refusal=(403, {"Code": "InvalidSecurityToken.Expired", "Message": "no", "RequestId": "R"}),
    ),
    "tencent": Cloud(
        region="ap-guangzhou",
        key=lambda asked: (
            asked.headers["authorization"].partition("Credential=")[2].partition("/")[0]
        ),
        start=lambda asked: json.loads(asked.body).get("Offset", 0),
        page=tencent_page,
        refusal=(
            200,
            {"Response": {"Error": {"Code": "AuthFailure.TokenFailure", "Message": "no"}}},
        ),
    ),
    "qingcloud": Cloud(
        region="pek3",
        key=lambda asked: fields(asked)["access_key_id"],
        start=lambda asked: int(fields(asked).get("offset", 0)),
        page=qingcloud_page,
        refusal=(200, {"ret_code": 2000, "message": "the session has expired"}),
    ),
}


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("provider", CLOUDS)
def test_a_key_that_ends_in_the_middle_of_a_listing_costs_no_row(
    provider: str, workers: int
) -> None:
    """The refused page is asked for again with the next key; nothing is lost or doubled."""
    cloud = CLOUDS[provider]
    ids = [f"s-{number:03d}" for number in range(ROWS)]
    used: list[tuple[str, int]] = []
    refused: set[str] = set()
    numbers = iter(range(9))

    def answer(asked: Asked) -> tuple[int, Any]:
        key, start = cloud.key(asked), cloud.start(asked)
        used.append((key, start))
        if start:
            refused.add("TMP0")
        return cloud.refusal if key in refused else (200, cloud.page(ids, start))

    def fetch() -> Credentials:
        number = next(numbers)
        return Credentials(key_id=f"TMP{number}", secret=f"{CANARY}-{number}", token="t")

    source = RefreshingSource(fetch=fetch, origin="the test")
    with server(answer) as (url, _):
        target = Target(provider=provider, region=cloud.region, endpoint=url, credentials=source)
        listing = snapkit.list_snapshots(target, workers=workers)
        found = [row.id for row in listing]

    assert ids == found
    assert listing.report.complete
    assert {"TMP0", "TMP1"} == {key for key, _ in used}
    assert 1 <= sum(key == "TMP0" and start > 0 for key, start in used) <= workers
    assert {0, *(start for key, start in used if key == "TMP1")} == {start for _, start in used}


def together(work: Callable[[], Credentials]) -> list[Credentials]:
    """Return what *work* gives to fifty threads that start at the same moment."""
    gate = threading.Barrier(THREADS)

    def run(_: int) -> Credentials:
        gate.wait()
        return work()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


BASE = StaticSource(Credentials(key_id="AK1", secret=CANARY))
ARN = "the:role"


def alibaba_handed_out(number: int, end: float) -> Any:
    keys = alibaba_sts(number, end)
    return keys | keys["Credentials"] | {"Code": "Success"}


def qingcloud_handed_out(number: int, end: float) -> Any:
    keys = {"access_key": f"TMP{number}", "secret_key": f"{CANARY}-{number}", "id_token": "t"}
    return json.dumps(json.dumps(keys | {"expiration": int(end)}))


def by_role(driver: type[Driver], around: Surroundings) -> Credentials:
    return driver.assumed(Role(arn=ARN), BASE, around).get()


def by_search(driver: type[Driver], around: Surroundings) -> Credentials:
    return find_source(driver, around).get()


@attrs.frozen(kw_only=True)
class Way:
    """A way to temporary keys."""

    driver: type[Driver]
    get: Callable[[type[Driver], Surroundings], Credentials]
    handed_out: Callable[[int, float], Any]
    environ: Mapping[str, str] = attrs.field(factory=dict[str, str])
    changes: Mapping[str, Any] = attrs.field(factory=dict[str, Any])


OIDC = {
    "ALIBABA_CLOUD_ROLE_ARN": ARN,
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "p",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "~/token",
}
TKE = {
    "TKE_ROLE_ARN": ARN,
    "TKE_PROVIDER_ID": "p",
    "TKE_REGION": "ap-beijing",
    "TKE_WEB_IDENTITY_TOKEN_FILE": "~/token",
}
WAYS = {
    "alibaba role": Way(driver=AlibabaDriver, get=by_role, handed_out=alibaba_handed_out),
    "alibaba cluster": Way(
        driver=AlibabaDriver, get=by_search, handed_out=alibaba_handed_out, environ=OIDC
    ),
    "alibaba address": Way(
        driver=AlibabaDriver,
        get=by_search,
        handed_out=alibaba_handed_out,
        environ={"ALIBABA_CLOUD_CREDENTIALS_URI": "{url}/keys"},
    ),
    "alibaba machine": Way(
        driver=AlibabaDriver,
        get=by_search,
        handed_out=alibaba_handed_out,
        environ={"ALIBABA_CLOUD_ECS_METADATA": "mine"},
        changes={"instance": True},
    ),
    "tencent role": Way(driver=TencentDriver, get=by_role, handed_out=tencent_sts),
    "tencent cluster": Way(
        driver=TencentDriver, get=by_search, handed_out=tencent_sts, environ=TKE
    ),
    "tencent machine": Way(
        driver=TencentDriver,
        get=by_search,
        handed_out=lambda number, end: {
            **tencent_sts(number)["Response"]["Credentials"],
            "ExpiredTime": int(end),
        },
        environ={"TENCENTCLOUD_CAM_ROLE_NAME": "mine"},
        changes={"instance": True},
    ),
    "qingcloud machine": Way(
        driver=QingCloudDriver,
        get=by_search,
        handed_out=qingcloud_handed_out,
        changes={"instance": True},
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_fifty_threads_ask_once_and_once_again_at_the_end(tmp_path: Path, way: Way) -> None:
    """Each with surroundings of its own, as the regions of an account have; and no mixed pair."""
    time, asked_for_keys = Time(), list[Asked]()
    put(tmp_path, "token", "t")

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.method == "PUT":
            return 404, ""
        asked_for_keys.append(asked)
        return 200, way.handed_out(len(asked_for_keys), time.now + 3600)

    with server(answer) as (url, _):
        environ = {name: value.format(url=url) for name, value in way.environ.items()}
        clock = time.clock()

        def work() -> Credentials:
            around = at_home(
                tmp_path, environ=environ, sts_endpoint=url, metadata=url, **way.changes
            )
            return way.get(way.driver, attrs.evolve(around, clock=clock))

        first = together(work)
        time.now += 3600
        second = together(work)

    assert 2 == len(asked_for_keys)
    assert 1 == len({keys.key_id for keys in first}) == len({keys.key_id for keys in second})
    assert {keys.key_id for keys in first}.isdisjoint(keys.key_id for keys in second)
    for number, keys in [*((1, one) for one in first), *((2, one) for one in second)]:
        assert f"{CANARY}-{number}" == keys.secret.reveal()
        assert keys.key_id.endswith(str(number))
        assert CANARY not in repr(keys)
