"""The driver: one method per operation, one page per call."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs

from snapkit.credentials import Credentials, EnvironmentNames, KeyNames
from snapkit.driver import Capability, Connection, Driver, Limits, Option
from snapkit.errors import ConfigurationError
from snapkit.http import HttpRequest, HttpResponse
from snapkit.model import Region, Snapshot, SnapshotGroup
from snapkit.paging import Cursor, Page, PageNumberPaging, Position, TokenPaging
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.rate import Rate
from snapkit.transport import Call, Moment
from snapkit_alibaba import failures, signing, wire

__all__ = ["AlibabaDriver", "endpoint_of"]

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
_TOKENS = TokenPaging(token="NextToken", size="MaxResults", smallest=10)  # noqa: S106
_NUMBERS = PageNumberPaging(number="PageNumber", size="PageSize", total="TotalCount")


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


@attrs.frozen
class _Api:
    """How calls are signed and answers read; *signature* is acs3 or rpc."""

    signature: str

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return the request for one attempt."""
        signed = signing.rpc_request if self.signature == "rpc" else signing.acs3_request
        return signed(
            call.url,
            call.operation,
            call.params,
            credentials,
            time=moment.time,
            nonce=moment.nonce,
        )

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        """Return the payload, or raise the error that the answer means."""
        dry_run = call.params.get("DryRun") == "true"
        return failures.read_answer(call.operation, response, dry_run=dry_run)


class AlibabaDriver(Driver):
    """Snapshots of Alibaba Cloud ECS disks."""

    name = "alibaba"
    title = "Alibaba Cloud ECS"
    capabilities = frozenset({Capability.GROUPS, Capability.REGIONS})
    limits = Limits(page=100, ids=100, disk_ids=1, group_ids=10)
    rates: ClassVar[Mapping[str, Rate]] = {"": Rate(per_second=20, burst=40)}
    environment = EnvironmentNames(
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
    options: ClassVar[Mapping[str, Option]] = {
        "signature": Option(
            help="how requests are signed; rpc is for endpoints that do not know acs3",
            choices=("acs3", "rpc"),
        ),
        "paging": Option(
            help="how snapshots are paged; number is for endpoints that do not know tokens",
            choices=("token", "number"),
        ),
    }
    home_region = "cn-hangzhou"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._url = connection.endpoint or endpoint_of(connection.region)
        options = self.checked_options(connection.options)
        self._by_number = options["paging"] == "number"
        self._api = _Api(options["signature"])

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        """Return one page of DescribeSnapshots, by token or by page number.

        A ``Position`` always means a page number, and no request mixes the two.
        """
        params = wire.snapshot_params(query, self.connection.region)
        if wire.wants_nothing(query):
            return Page(items=())
        numbered = isinstance(cursor, Position) or (cursor is None and self._by_number)
        paging = _NUMBERS if numbered else _TOKENS
        answer = self._call("DescribeSnapshots", params | paging.request(cursor, limit))
        found = wire.read_snapshots(
            answer,
            account=self.connection.account,
            region=self.connection.region,
            keep_raw=self.connection.keep_raw,
            instance_id=wire.instance_of(query),
        )
        page = Page(items=found.items, ids=found.ids, troubles=found.troubles)
        if numbered:
            return attrs.evolve(page, **_NUMBERS.counted(answer, cursor))
        following = _TOKENS.following(answer)
        if cursor is None and wire.hands_over(answer, len(found.ids)):
            following = Position(0)
        return attrs.evolve(page, next=following)

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        """Return one page of DescribeSnapshotGroups, which knows tokens only."""
        if wire.wants_nothing(query):
            return Page(items=())
        params = wire.group_params(query, self.connection.region)
        answer = self._call("DescribeSnapshotGroups", params | _TOKENS.request(cursor, limit))
        found = wire.read_groups(
            answer,
            account=self.connection.account,
            region=self.connection.region,
            keep_raw=self.connection.keep_raw,
        )
        return Page(
            items=found.items,
            ids=found.ids,
            troubles=found.troubles,
            next=_TOKENS.following(answer),
        )

    def list_regions(self) -> list[Region]:
        """Return the regions of DescribeRegions, with their English names."""
        params = {"RegionId": self.connection.region, "AcceptLanguage": "en-US"}
        return wire.read_regions(self._call("DescribeRegions", params))

    def _call(self, operation: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        words = {name: str(value) for name, value in params.items()}
        call = Call(operation=operation, url=self._url, params=words)
        return self.connection.transport.call(self._api, call)
