"""Where the service is, and under which names its users keep keys and regions."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from snapkit.credentials import EnvironmentNames, KeyNames
from snapkit.errors import ConfigurationError

__all__ = ["ENVIRONMENT", "endpoint_of"]

_DOMAIN = ".aliyuncs.com"
_REGION = re.compile(r"[a-z0-9-]{2,32}")
_HOSTS: Mapping[str, str] = {
    "cn-hangzhou": "ecs-cn-hangzhou",
    "cn-shanghai-finance-1": "ecs-cn-hangzhou",
    "cn-shenzhen-finance-1": "ecs-cn-hangzhou",
    "cn-beijing-gov-1": "ecs",
    "cn-hangzhou-finance": "ecs",
    "cn-north-2-gov-1": "ecs",
    "cn-wuhan": "ecs",
    "cn-zhangbei": "ecs",
    "cn-edge-1": "ecs.cn-qingdao-nebula",
}
ENVIRONMENT = EnvironmentNames(
    keys=(
        KeyNames(
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            ("ALIBABA_CLOUD_SECURITY_TOKEN",),
        ),
        KeyNames(
            "ALIBABACLOUD_ACCESS_KEY_ID",
            "ALIBABACLOUD_ACCESS_KEY_SECRET",
            ("ALIBABACLOUD_SECURITY_TOKEN",),
        ),
        KeyNames(
            "ALICLOUD_ACCESS_KEY_ID",
            "ALICLOUD_ACCESS_KEY_SECRET",
            ("ALICLOUD_SECURITY_TOKEN",),
        ),
        KeyNames("ALICLOUD_ACCESS_KEY", "ALICLOUD_SECRET_KEY", ("ALICLOUD_SECURITY_TOKEN",)),
    ),
    regions=(
        "ALIBABA_CLOUD_REGION_ID",
        "ALIBABACLOUD_REGION_ID",
        "ALICLOUD_REGION_ID",
        "ALIBABA_CLOUD_REGION",
        "ALICLOUD_REGION",
    ),
)


def endpoint_of(region: str) -> str:
    """Return the address of the ECS service in *region*.

    Most follow one rule; the table has the others. Raises ConfigurationError for a text that
    would lead to another host.
    """
    name = _HOSTS.get(region, f"ecs.{region}")
    if region.endswith("-nebula-1"):
        name = _HOSTS["cn-edge-1"]
    url = f"https://{name}{_DOMAIN}"
    if not _REGION.fullmatch(region) or urlsplit(url).hostname != f"{name}{_DOMAIN}":
        raise ConfigurationError(
            f"{region!r} is not a region", hint="regions are lower-case letters, digits and dashes"
        )
    return url
