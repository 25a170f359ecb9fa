"""The driver: one method per operation, over API 3.0 or, in a subclass, API 2.0."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from snapkit.credentials import CredentialSource, EnvironmentNames, KeyNames
from snapkit.driver import Capability, Connection, Driver, Limits, Option
from snapkit.errors import ConfigurationError, UnsupportedError
from snapkit.model import Kind, Region, Snapshot, SnapshotGroup, Tags
from snapkit.paging import Cursor, Page
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.rate import Rate
from snapkit.retry import Safety
from snapkit.sources import KeyPlace, Role, Surroundings
from snapkit.transport import Call
from snapkit.writes import (
    Blocker,
    Change,
    Copied,
    CopyOrder,
    Disk,
    DiskQuery,
    GroupMade,
    ItemResult,
    MarkerPlace,
    NewDisk,
    NewGroup,
    NewSnapshot,
    RollBack,
)

from . import abilities, disks, keys, legacy, params, removing, restoring, signing, wire, writing
from .apis import FormApi, Tc3Api
from .endpoints import CBS, LEGACY, REGION, SHORT_REGIONS, TAG, url_of

__all__ = ["LegacyTencentDriver", "TencentDriver"]


class TencentDriver(Driver):
    """Cloud Block Storage (CBS) snapshots, snapshot groups and disks, over API 3.0.

    With the option ``api=2.0`` the constructor makes a :class:`LegacyTencentDriver`.
    """

    name = wire.PROVIDER
    title = "Tencent Cloud CBS"
    capabilities = abilities.CAPABILITIES
    refusals: ClassVar[Mapping[Capability, str]] = abilities.REFUSALS
    limits = Limits(
        page=100,
        ids=100,
        disk_ids=params.DISKS,
        group_ids=params.VALUES,
        tag_ids=writing.TAGGED,
        delete_ids=100,
    )
    marker = MarkerPlace.TAG
    group_marker = MarkerPlace.NAME
    disk_marker = MarkerPlace.TOKEN
    groups_by_instance = False
    rules = writing.RULES
    rates: ClassVar[Mapping[str, Rate]] = {"": Rate(per_second=10, burst=10)}
    home_region = "ap-guangzhou"
    credential_files = keys.FILES
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
        roles=keys.ROLES,
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
        "credentials": Option(
            help="where keys are looked for; instance takes those of the machine's own role",
            choices=("found", "instance"),
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

    @classmethod
    def key_sources(cls) -> Sequence[KeyPlace]:
        """Return the files of the vendor's own tools, in the order in which they look."""
        return keys.PLACES

    @classmethod
    def instance_source(cls, around: Surroundings) -> CredentialSource:
        """Return the keys that the metadata service hands to this machine."""
        return keys.instance(around)

    @classmethod
    def assumed(cls, role: Role, base: CredentialSource, around: Surroundings) -> CredentialSource:
        """Return the keys of *role* by AssumeRole of the token service."""
        return keys.assumed(role, base, around)

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

    def list_disks(self, query: DiskQuery, *, cursor: Cursor | None, limit: int) -> Page[Disk]:
        """Return one page of DescribeDisks, the oldest first."""
        payload = self._call("DescribeDisks", disks.disk_params(query, cursor, limit))
        return disks.disk_page(payload, cursor, self._context)

    def create_snapshot(self, new: NewSnapshot) -> str:
        """Start a snapshot by CreateSnapshot, which has no client token, and return its id."""
        return self._make("CreateSnapshot", writing.snapshot_params(new, self._now()), "SnapshotId")

    def create_group(self, new: NewGroup) -> GroupMade:
        """Start a group by CreateSnapshotGroup, of disks of one instance."""
        asked = writing.group_params(new)
        return GroupMade(group_id=self._make("CreateSnapshotGroup", asked, "SnapshotGroupId"))

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        """Rename, set or clear the end by ModifySnapshotAttribute."""
        asked = writing.change_params(snapshot_id, change, self._now())
        self._call("ModifySnapshotAttribute", asked, safety=Safety.REPEATABLE)

    def tag(self, kind: Kind, ids: Sequence[str], tags: Tags) -> list[ItemResult]:
        """Set tags by the tag service, after looking whether the snapshots are there.

        That service believes every name, so a tag on an absent one would be lost in silence.
        """
        return self._tag(kind, ids, "TagResources", lambda names: writing.tag_params(names, tags))

    def untag(self, kind: Kind, ids: Sequence[str], keys: Sequence[str]) -> list[ItemResult]:
        """Take tags away by the tag service, under the same care."""
        return self._tag(
            kind, ids, "UnTagResources", lambda names: writing.untag_params(names, keys)
        )

    def delete_snapshots(self, ids: Sequence[str], *, force: bool) -> list[ItemResult]:
        """Delete by DeleteSnapshots; *force* changes nothing, images are never deleted."""
        del force
        return removing.delete_each(
            ids,
            lambda some: self._call(
                "DeleteSnapshots", {"SnapshotIds": list(some)}, safety=Safety.REPEATABLE
            ),
            self._look,
        )

    def delete_group(self, group: SnapshotGroup, *, force: bool) -> list[ItemResult]:
        """Delete a group with its members by DeleteSnapshotGroup; never their images."""
        del force
        return removing.delete_group(
            group,
            lambda one: self._call(
                "DeleteSnapshotGroup", {"SnapshotGroupId": one}, safety=Safety.REPEATABLE
            ),
            self._shows_group,
        )

    def create_disk(self, new: NewDisk) -> str:
        """Start a disk by CreateDisks, paid by the hour, and return its id.

        Zone and product are the source's where *new* leaves them open and they are known.
        """
        zone, category = restoring.placed(
            new, lambda: self._look([new.snapshot_id]).get(new.snapshot_id), self._disk
        )
        asked = writing.disk_params(new, zone=zone, category=category)
        safety = Safety.TOKEN if new.token else Safety.ONCE
        return self._make("CreateDisks", asked, "DiskIdSet", safety=safety)

    def roll_back(
        self, pairs: Sequence[RollBack], *, group_id: str | None, stop: bool, start: bool
    ) -> list[ItemResult]:
        """Put disks back by ApplySnapshotGroup, or without a group by ApplySnapshot for each."""
        if group_id is None:
            return restoring.roll_back_each(
                pairs,
                lambda pair: self._call(
                    "ApplySnapshot",
                    writing.roll_back_params(pair, stop=stop, start=start),
                    safety=Safety.ONCE,
                ),
            )
        asked = writing.roll_back_group_params(group_id, pairs, stop=stop, start=start)
        self._call("ApplySnapshotGroup", asked, safety=Safety.ONCE)
        return [ItemResult(id=pair.snapshot_id) for pair in pairs]

    def copy_snapshot(self, order: CopyOrder) -> list[Copied]:
        """Start copies by CopySnapshotCrossRegions and open what each region said."""
        asked = writing.copy_params(order, self.connection.region)
        payload = self._call("CopySnapshotCrossRegions", asked, safety=Safety.ONCE)
        return writing.copied_of(payload, order)

    def share(self, ids: Sequence[str], accounts: Sequence[str], *, share: bool) -> None:
        """Share with accounts of the same region, by ModifySnapshotsSharePermission."""
        asked = writing.share_params(ids, accounts, share=share)
        self._call("ModifySnapshotsSharePermission", asked, safety=Safety.REPEATABLE)

    def blockers(self, capability: Capability, snapshot: Snapshot) -> Sequence[Blocker]:
        """Return what the vendor's rules have against *capability* on *snapshot*."""
        return abilities.blockers(capability, snapshot)

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
        self._api: Tc3Api | FormApi = Tc3Api(region)
        self._urls = {service: url_of(service, region, endpoint) for service in (CBS, REGION, TAG)}

    def _call(
        self,
        operation: str,
        asked: Mapping[str, Any],
        *,
        service: str = CBS,
        safety: Safety = Safety.READ,
    ) -> Mapping[str, Any]:
        call = Call(
            operation=operation,
            url=self._urls[service],
            params=asked,
            safety=safety,
            service=service,
        )
        return self.connection.transport.call(self._api, call)

    def _make(
        self, operation: str, asked: Mapping[str, Any], field: str, *, safety: Safety = Safety.ONCE
    ) -> str:
        """Return the id of what *operation* started."""
        return writing.made_id(self._call(operation, asked, safety=safety), field, operation)

    def _tag(
        self,
        kind: Kind,
        ids: Sequence[str],
        operation: str,
        requests: Callable[[Sequence[str]], list[dict[str, Any]]],
    ) -> list[ItemResult]:
        if kind is not Kind.SNAPSHOT:
            raise self.unsupported(Capability.TAG_GROUP)
        found = self._look(ids) if ids else {}
        there = [one for one in ids if one in found]
        names = [writing.resource_name(one, self.connection.region) for one in there]
        answers = [
            self._call(operation, asked, service=TAG, safety=Safety.REPEATABLE)
            for asked in (requests(names) if names else [])
        ]
        return writing.tag_results(ids, there, answers, operation)

    def _look(self, ids: Sequence[str]) -> dict[str, Snapshot]:
        """Return those of *ids* that are there."""
        query = SnapshotQuery(ids=frozenset(ids))
        page = self.list_snapshots(query, cursor=None, limit=self.limits.page)
        return {snapshot.id: snapshot for snapshot in page.items}

    def _shows_group(self, group_id: str) -> bool:
        query = GroupQuery(ids=frozenset({group_id}))
        page = self.list_groups(query, cursor=None, limit=self.limits.page)
        return any(group.id == group_id for group in page.items)

    def _disk(self, disk_id: str) -> Disk | None:
        query = DiskQuery(ids=frozenset({disk_id}))
        page = self.list_disks(query, cursor=None, limit=self.limits.page)
        return next((disk for disk in page.items if disk.id == disk_id), None)

    def _now(self) -> datetime:
        """Return the provider's time, as far as it is known."""
        transport = self.connection.transport
        return datetime.fromtimestamp(transport.clock.wall() + transport.skew, UTC)

    def _refuse_instances(self, instance_ids: object) -> None:
        if instance_ids is not None:
            raise UnsupportedError(
                f"{self.name} does not say which instance a snapshot belongs to",
                provider=self.name,
                hint="list the disks of the instance and select by disk",
            )


class LegacyTencentDriver(TencentDriver):
    """The same snapshots over API 2.0, to be read only."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    refusals: ClassVar[Mapping[Capability, str]] = abilities.LEGACY_REFUSALS

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
        self._api = FormApi(region, method)
        self._urls = {LEGACY: url_of(LEGACY, region, self.connection.endpoint)}

    def _call(
        self,
        operation: str,
        asked: Mapping[str, Any],
        *,
        service: str = CBS,
        safety: Safety = Safety.READ,
    ) -> Mapping[str, Any]:
        if service != LEGACY:
            raise UnsupportedError(
                f"{operation} is an action of API 3.0",
                provider=self.name,
                hint=abilities.NEEDS_NEW_API,
            )
        return super()._call(operation, asked, service=service, safety=safety)
