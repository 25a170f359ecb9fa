"""The driver: one method per operation, over API 3.0 or, in a subclass, API 2.0."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import attrs

from snapkit.credentials import Credentials, EnvironmentNames, KeyNames
from snapkit.driver import Capability, Connection, Driver, Limits, Option
from snapkit.errors import ConfigurationError, UnsupportedError
from snapkit.http import HttpRequest, HttpResponse
from snapkit.model import Region, Snapshot, SnapshotGroup
from snapkit.paging import Cursor, Page
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.rate import Rate
from snapkit.transport import Call, Moment

from . import legacy, params, signing, wire
from .endpoints import CBS, LEGACY, REGION, SHORT_REGIONS, VERSIONS, url_of

__all__ = ["LegacyTencentDriver", "TencentDriver"]

_NEEDS_NEW_API = "API 2.0 has no such action; use api=3.0"


class TencentDriver(Driver):
    """Cloud Block Storage (CBS) snapshots and snapshot groups, over API 3.0.

    With the option ``api=2.0`` the constructor makes a :class:`LegacyTencentDriver`.
    """

    name = wire.PROVIDER
    title = "Tencent Cloud CBS"
    capabilities = frozenset({Capability.GROUPS, Capability.REGIONS})
    limits = Limits(page=100, ids=100, disk_ids=params.DISKS, group_ids=params.VALUES)
    rates: ClassVar[Mapping[str, Rate]] = {"": Rate(per_second=10, burst=20)}
    home_region = "ap-guangzhou"
    environment = EnvironmentNames(
        keys=(
            KeyNames(
                "TENCENTCLOUD_SECRET_ID",
                "TENCENTCLOUD_SECRET_KEY",
                (
                    "TENCENTCLOUD_TOKEN",
                    "TENCENTCLOUD_SECURITY_TOKEN",
                    "TENCENTCLOUD_SESSION_TOKEN",
                ),
            ),
            KeyNames(
                "TENCENTCLOUD_SECRETID",
                "TENCENTCLOUD_SECRETKEY",
                ("TENCENTCLOUD_SESSIONTOKEN",),
            ),
        ),
        regions=("TENCENTCLOUD_REGION",),
    )
    options: ClassVar[Mapping[str, Option]] = {
        "api": Option(
            help="version of the API; 2.0 is for private clouds and recordings",
            choices=("3.0", "2.0"),
        ),
        "signature": Option(
            help="tc3 for API 3.0; API 2.0 signs by hmac-sha256 unless hmac-sha1 is chosen",
            choices=("tc3", "hmac-sha256", "hmac-sha1"),
        ),
        "time-offset": Option(
            help="offset of times that carry none, as +08:00 (the default, in every region)"
        ),
    }

    def __new__(cls, connection: Connection) -> "TencentDriver":
        """Return a driver for the API that the options choose."""
        old = connection.options.get("api") == "2.0"
        chosen: type[TencentDriver] = LegacyTencentDriver if old else cls
        return object.__new__(chosen)

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._context = wire.context_of(connection)
        self._prepare()

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        """Return one page of DescribeSnapshots, the oldest first."""
        self._refuse_instances(query.instance_ids)
        payload = self._call("DescribeSnapshots", params.snapshot_params(query, cursor, limit))
        return wire.snapshot_page(payload, cursor, self._context)

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        """Return one page of DescribeSnapshotGroups; members are known by id only."""
        self._refuse_instances(query.instance_ids)
        payload = self._call("DescribeSnapshotGroups", params.group_params(query, cursor, limit))
        return wire.group_page(payload, cursor, self._context)

    def list_regions(self) -> list[Region]:
        """Return the regions in which the vendor offers CBS."""
        return wire.regions_of(self._call("DescribeRegions", {"Product": CBS}, service=REGION))

    def _prepare(self) -> None:
        """Check what can be checked before anything is sent."""
        region, endpoint = self.connection.region, self.connection.endpoint
        if self.connection.options.get("signature", "tc3") != "tc3":
            raise ConfigurationError(
                "API 3.0 is signed by tc3 only", hint="leave the option out, or add api=2.0"
            )
        if endpoint is None and region in SHORT_REGIONS:
            raise ConfigurationError(
                f"{region!r} is a region's name in API 2.0",
                hint=f"write {SHORT_REGIONS[region]!r}, or add api=2.0",
            )
        self._api: _Tc3Api | _FormApi = _Tc3Api(region)
        self._urls = {service: url_of(service, region, endpoint) for service in (CBS, REGION)}

    def _call(
        self, operation: str, asked: Mapping[str, Any], *, service: str = CBS
    ) -> Mapping[str, Any]:
        call = Call(operation=operation, url=self._urls[service], params=asked, service=service)
        return self.connection.transport.call(self._api, call)

    def _refuse_instances(self, instance_ids: object) -> None:
        if instance_ids is not None:
            raise UnsupportedError(
                f"{self.name} does not say which instance a snapshot belongs to",
                provider=self.name,
                hint="list the disks of the instance and select by disk",
            )


class LegacyTencentDriver(TencentDriver):
    """The same snapshots over API 2.0, which knows neither groups nor regions."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    refusals: ClassVar[Mapping[Capability, str]] = {
        Capability.GROUPS: _NEEDS_NEW_API,
        Capability.DERIVED_GROUPS: _NEEDS_NEW_API,
        Capability.REGIONS: _NEEDS_NEW_API,
    }

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        """Return one page of DescribeSnapshots, in the provider's order."""
        self._refuse_instances(query.instance_ids)
        asked = legacy.snapshot_params(query, cursor, limit)
        payload = self._call("DescribeSnapshots", asked, service=LEGACY)
        return legacy.snapshot_page(payload, cursor, self._context)

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        """Raise UnsupportedError: API 2.0 has no groups."""
        del query, cursor, limit
        raise self.unsupported(Capability.GROUPS)

    def list_regions(self) -> list[Region]:
        """Raise UnsupportedError: this product of API 2.0 does not list regions."""
        raise self.unsupported(Capability.REGIONS)

    def _prepare(self) -> None:
        chosen = self.connection.options.get("signature", "tc3")
        method = signing.METHODS.get(chosen, signing.METHODS["hmac-sha256"])
        region = self.connection.region
        self._api = _FormApi(region, method)
        self._urls = {LEGACY: url_of(LEGACY, region, self.connection.endpoint)}


@attrs.frozen
class _Tc3Api:
    """Signs and reads calls of API 3.0."""

    region: str

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return a POST of JSON; key, token and signature are in the headers."""
        host, path = _address(call.url)
        body = json.dumps(call.params, separators=(",", ":")).encode()
        scope = signing.Scope(int(moment.time), call.service)
        headers = {
            "Host": host,
            "Content-Type": "application/json",
            "X-TC-Action": call.operation,
            "X-TC-Version": VERSIONS[call.service],
            "X-TC-Timestamp": str(scope.timestamp),
            "X-TC-Language": "en-US",
            "X-TC-RequestClient": "snapkit",
        }
        if call.service != REGION:
            headers["X-TC-Region"] = self.region
        if credentials.token is not None:
            headers["X-TC-Token"] = credentials.token.reveal()
        headers["Authorization"] = signing.authorization(
            key_id=credentials.key_id,
            secret=credentials.secret.reveal(),
            scope=scope,
            host=host,
            path=path,
            content_type=headers["Content-Type"],
            body=body,
        )
        return HttpRequest(method="POST", url=call.url, headers=headers, body=body)

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        """Return the payload, or raise the error in it."""
        return wire.payload_of(response, call.operation)


@attrs.frozen
class _FormApi:
    """Signs and reads calls of API 2.0."""

    region: str
    method: str

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return a POST of a form, so that key and token stay out of the URL.

        Only a value that starts with ``@`` makes it a GET.
        """
        host, path = _address(call.url)
        fields = legacy.flat(call.params) | {
            "Action": call.operation,
            "Region": self.region,
            "Timestamp": str(int(moment.time)),
            "Nonce": str(moment.number),
            "SecretId": credentials.key_id,
            "SignatureMethod": self.method,
        }
        if credentials.token is not None:
            fields["Token"] = credentials.token.reveal()
        verb = "GET" if signing.has_upload_mark(fields) else "POST"
        signed = signing.form_text(verb, host, path, fields)
        fields["Signature"] = signing.form_signature(
            credentials.secret.reveal(), signed, self.method
        )
        form = signing.encoded(fields)
        if verb == "GET":
            return HttpRequest(method=verb, url=f"{call.url}?{form}", headers={"Host": host})
        headers = {"Host": host, "Content-Type": "application/x-www-form-urlencoded"}
        return HttpRequest(method=verb, url=call.url, headers=headers, body=form.encode())

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        """Return the payload, or raise the error that its code means."""
        return legacy.payload_of(response, call.operation)


def _address(url: str) -> tuple[str, str]:
    """Return the host as it stands in the Host header, and the path."""
    parts = urlsplit(url)
    default = {"https": ":443", "http": ":80"}.get(parts.scheme, "")
    return parts.netloc.removesuffix(default), parts.path or "/"
