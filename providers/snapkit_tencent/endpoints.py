"""Hosts and regions: a table and a rule for each API.

Sources: https://cloud.tencent.com/document/api/362/15637 (API 3.0),
https://cloud.tencent.com/document/product/362/4202 (short region codes of API 2.0).
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from snapkit.errors import ConfigurationError
from snapkit.settings import check_region

__all__ = [
    "CBS",
    "LEGACY",
    "REGION",
    "SHORT_REGIONS",
    "STS",
    "TAG",
    "VERSIONS",
    "host_of",
    "url_of",
]

CBS = "cbs"
REGION = "region"
STS = "sts"
TAG = "tag"
LEGACY = "snapshot"
"""The service of API 2.0 that has the snapshots."""
VERSIONS: Mapping[str, str] = {
    CBS: "2017-03-12",
    REGION: "2022-06-27",
    STS: "2018-08-13",
    TAG: "2018-08-13",
}
ROOT = "tencentcloudapi.com"
LEGACY_HOST = "snapshot.api.qcloud.com"
LEGACY_PATH = "/v2/index.php"

SHORT_REGIONS: Mapping[str, str] = {
    "gz": "ap-guangzhou",
    "sh": "ap-shanghai",
    "bj": "ap-beijing",
    "cd": "ap-chengdu",
    "cq": "ap-chongqing",
    "nj": "ap-nanjing",
    "tsn": "ap-tianjin",
    "szx": "ap-shenzhen",
    "qy": "ap-qingyuan",
    "hk": "ap-hongkong",
    "tpe": "ap-taipei",
    "sg": "ap-singapore",
    "th": "ap-bangkok",
    "jkt": "ap-jakarta",
    "kr": "ap-seoul",
    "jp": "ap-tokyo",
    "osa": "ap-osaka",
    "in": "ap-mumbai",
    "de": "eu-frankfurt",
    "ru": "eu-moscow",
    "use": "na-ashburn",
    "usw": "na-siliconvalley",
    "ca": "na-toronto",
    "tor": "na-toronto",
    "sao": "sa-saopaulo",
    "gzopen": "ap-guangzhou-open",
    "shjr": "ap-shanghai-fsi",
    "szjr": "ap-shenzhen-fsi",
    "bjjr": "ap-beijing-fsi",
}
"""API 2.0's names of regions; it takes API 3.0's too."""


def host_of(service: str, region: str) -> str:
    """Return the public host of *service* for *region*.

    One host serves all regions; finance regions are reached through their own only. Raises
    ConfigurationError for what is not a region.
    """
    check_region(region)
    if service == LEGACY:
        return LEGACY_HOST
    own = f".{region}" if service == CBS and region.endswith("-fsi") else ""
    return f"{service}{own}.{ROOT}"


def url_of(service: str, region: str, endpoint: str | None) -> str:
    """Return where to send calls of *service*: at *endpoint*, or at the provider's own host.

    An endpoint without a path gets the path of the API; one with a path keeps it.
    """
    path = LEGACY_PATH if service == LEGACY else "/"
    if endpoint is not None:
        return endpoint if urlsplit(endpoint).path else f"{endpoint}{path}"
    host = host_of(service, region)
    url = f"https://{host}{path}"
    if urlsplit(url).hostname != host:
        raise ConfigurationError(f"the region {region!r} does not make a host name")
    return url
