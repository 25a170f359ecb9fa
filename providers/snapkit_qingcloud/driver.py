"""The QingCloud adapter: one method per operation."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import attrs

from snapkit.credentials import Credentials, EnvironmentNames, KeyNames
from snapkit.driver import Capability, Connection, Driver, Limits, Option
from snapkit.errors import (
    ProtocolError,
    Retry,
    SnapkitError,
    ThrottledError,
    UnavailableError,
)
from snapkit.http import HttpRequest, HttpResponse, read_json
from snapkit.model import Region, Snapshot, SnapshotGroup
from snapkit.paging import Cursor, Page
from snapkit.query import SnapshotQuery
from snapkit.rate import Rate
from snapkit.transport import Call, Moment
from snapkit_qingcloud import groups, signing, wire
from snapkit_qingcloud.failures import classify

__all__ = ["ENDPOINT", "QingCloudApi", "QingCloudDriver", "endpoint_url"]

ENDPOINT = "https://api.qingcloud.com"
LONGEST_URL = 4096
_METHODS = {"hmac-sha256": "HmacSHA256", "hmac-sha1": "HmacSHA1"}


def endpoint_url(endpoint: str | None) -> str:
    """Return the URL to call: *endpoint* with its own path, else with the public cloud's."""
    url = endpoint or ENDPOINT
    return f"{url}/" if urlsplit(url).path.strip("/") else f"{url}/iaas/"


@attrs.define
class QingCloudApi:
    """Signs and reads one call; made anew for each, because it remembers the request id."""

    signature_method: str = "HmacSHA256"
    post: bool = False
    request_id: str | None = None

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return the request to send.

        A role's token is a secret, and goes into the body instead of the URL.
        """
        self.request_id = moment.nonce
        token = credentials.token.reveal() if credentials.token else None
        params = {"action": call.operation} | dict(call.params)
        params |= signing.common(
            key_id=credentials.key_id,
            method=self.signature_method,
            seconds=moment.time,
            request_id=moment.nonce,
            token=token,
        )
        query = signing.canonical(params)
        url = _role_url(call.url) if token else call.url
        post = self.post or token is not None or len(url) + len(query) > LONGEST_URL
        signed = signing.with_signature(
            query,
            signing.signature(
                credentials.secret.reveal(),
                "POST" if post else "GET",
                urlsplit(url).path,
                query,
                method=self.signature_method,
            ),
        )
        if not post:
            return HttpRequest(method="GET", url=f"{url}?{signed}")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return HttpRequest(method="POST", url=url, headers=form, body=signed.encode())

    def read(self, call: Call, response: HttpResponse) -> Mapping[str, Any]:
        """Return the payload; HTTP 200 with another ``ret_code`` than 0 is an error."""
        del call
        payload = read_json(response)
        if "ret_code" not in payload:
            raise _foreign(response)
        error = classify(payload, request_id=self.request_id)
        if error is not None:
            raise error
        if response.status != 200:
            raise _foreign(response)
        return payload


def _role_url(url: str) -> str:
    """Return where the keys of an instance's role are taken: ``/iam/`` beside ``/iaas/``."""
    parts = urlsplit(url)
    path = parts.path.removesuffix("/iaas/") + "/iam/" if parts.path.endswith("/iaas/") else None
    return urlunsplit(parts._replace(path=path)) if path else url


def _foreign(response: HttpResponse) -> SnapkitError:
    """Return what an answer in JSON is that is not the API's."""
    said = f"HTTP {response.status} without the API's own answer"
    if response.status == 429:
        return ThrottledError(said)
    if response.status >= 500:
        return UnavailableError(said)
    return ProtocolError(said, retry=Retry.NEVER, hint="check the endpoint and its path")


class QingCloudDriver(Driver):
    """QingCloud IaaS, as seen from one account in one zone or region."""

    name: ClassVar[str] = wire.PROVIDER
    title: ClassVar[str] = "QingCloud (青云) IaaS"
    capabilities = frozenset({Capability.DERIVED_GROUPS, Capability.REGIONS})
    refusals: ClassVar[Mapping[Capability, str]] = {
        Capability.GROUPS: "QingCloud keeps no groups; they are derived from time, name and server"
    }
    limits = Limits(page=100, ids=100, disk_ids=1)
    rates: ClassVar[Mapping[str, Rate]] = {"": Rate(per_second=0.55, burst=200, regional=False)}
    environment = EnvironmentNames(
        keys=(
            KeyNames("QINGCLOUD_ACCESS_KEY_ID", "QINGCLOUD_SECRET_ACCESS_KEY"),
            KeyNames("QINGCLOUD_ACCESS_KEY", "QINGCLOUD_SECRET_KEY"),
        ),
        regions=("QINGCLOUD_ZONE",),
    )
    options: ClassVar[Mapping[str, Option]] = {
        "signature": Option(
            help="how requests are signed; hmac-sha1 is for old private clouds",
            choices=tuple(_METHODS),
        ),
        "method": Option(
            help="post keeps parameters out of proxies' logs; long requests are always posts",
            choices=("get", "post"),
        ),
        "ask-for": Option(
            help="living lets the server leave out deleted snapshots: fewer pages where many were"
            " deleted, but a status word that snapkit does not know is left out too",
            choices=("everything", "living"),
        ),
    }
    home_region = "pek3"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._url = endpoint_url(connection.endpoint)

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        """Return one page of DescribeSnapshots."""
        living = self.connection.options.get("ask-for") == "living"
        params = wire.snapshot_params(query, cursor, limit, living=living)
        payload = self._call("DescribeSnapshots", params)
        return wire.parse_snapshots(
            payload,
            cursor,
            account=self.connection.account,
            region=self.connection.region,
            keep_raw=self.connection.keep_raw,
        )

    def derive_groups(self, snapshots: Sequence[Snapshot]) -> list[SnapshotGroup]:
        """Return the groups of equal time, equal name and one server among *snapshots*.

        Asks DescribeVolumes for the servers of those data disks only that may be in a group.
        """
        sets = groups.candidates(snapshots)
        volumes = groups.volumes_of(sets)
        servers: dict[str, str] = {}
        for start in range(0, len(volumes), self.limits.ids):
            servers |= self._servers(volumes[start : start + self.limits.ids])
        return groups.form_groups(sets, servers)

    def list_regions(self) -> list[Region]:
        """Return the regions of DescribeZones, and the zones that are in none."""
        return wire.parse_regions(self._call("DescribeZones", {}, zoned=False))

    def _servers(self, volumes: Sequence[str]) -> dict[str, str]:
        params = wire.numbered("volumes", volumes) | {"offset": "0", "limit": str(len(volumes))}
        return wire.servers_of_volumes(self._call("DescribeVolumes", params))

    def _call(
        self, operation: str, params: Mapping[str, str], *, zoned: bool = True
    ) -> Mapping[str, Any]:
        options = self.connection.options
        api = QingCloudApi(
            signature_method=_METHODS[options.get("signature") or "hmac-sha256"],
            post=options.get("method") == "post",
        )
        zone = {"zone": self.connection.region} if zoned else {}
        call = Call(operation=operation, url=self._url, params=dict(params) | zone)
        return self.connection.transport.call(api, call)
