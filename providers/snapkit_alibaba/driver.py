"""The driver: one method per operation, one page per call."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import attrs

from snapkit.credentials import Credentials, CredentialSource
from snapkit.driver import Capability, Connection, Driver, Limits, Option
from snapkit.http import HttpRequest, HttpResponse
from snapkit.model import Kind, Region, Snapshot, SnapshotGroup, Tags
from snapkit.paging import Cursor, Page, PageNumberPaging, Position, TokenPaging
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.rate import Rate
from snapkit.retry import Safety
from snapkit.sources import KeyPlace, Role, Surroundings
from snapkit.transport import Call, Moment
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
from snapkit_alibaba import acting, disks, failures, forms, keys, signing, wire, writing
from snapkit_alibaba.endpoints import ENVIRONMENT, endpoint_of

__all__ = ["AlibabaDriver", "endpoint_of"]

_TOKENS = TokenPaging(token="NextToken", size="MaxResults", smallest=10)  # noqa: S106
_NUMBERS = PageNumberPaging(number="PageNumber", size="PageSize", total="TotalCount")


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
    """Snapshots of Alibaba Cloud ECS disks.

    What the service takes a client token for carries one, so those calls may be sent again;
    rollbacks have none and go once.
    """

    name = "alibaba"
    title = "Alibaba Cloud ECS"
    capabilities = frozenset(Capability) - forms.REFUSALS.keys()
    refusals = forms.REFUSALS
    limits = Limits(page=100, ids=100, disk_ids=1, group_ids=10, tag_ids=50, delete_ids=1)
    rules = forms.RULES
    marker = group_marker = disk_marker = MarkerPlace.TOKEN
    rates: ClassVar[Mapping[str, Rate]] = {"": Rate(per_second=20, burst=40)}
    environment = ENVIRONMENT
    credential_files = keys.FILES
    options: ClassVar[Mapping[str, Option]] = {
        "signature": Option(
            help="how requests are signed; rpc is for endpoints that do not know acs3",
            choices=("acs3", "rpc"),
        ),
        "paging": Option(
            help="how snapshots are paged; number is for endpoints that do not know tokens",
            choices=("token", "number"),
        ),
        "credentials": Option(
            help="where keys are looked for; instance takes those of the machine's own role",
            choices=("found", "instance"),
        ),
    }
    home_region = "cn-hangzhou"

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._url = connection.endpoint or endpoint_of(connection.region)
        options = self.checked_options(connection.options)
        self._by_number = options["paging"] == "number"
        self._api = _Api(options["signature"])

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

    def list_disks(self, query: DiskQuery, *, cursor: Cursor | None, limit: int) -> Page[Disk]:
        """Return one page of DescribeDisks, by token or by page number like snapshots."""
        if query.ids == frozenset():
            return Page(items=())
        numbered = isinstance(cursor, Position) or (cursor is None and self._by_number)
        paging = _NUMBERS if numbered else _TOKENS
        params = writing.disks_params(query, self.connection.region)
        answer = self._call("DescribeDisks", params | paging.request(cursor, limit))
        found = disks.read_disks(answer, keep_raw=self.connection.keep_raw)
        page = Page(items=found.items, ids=found.ids, troubles=found.troubles)
        if numbered:
            return attrs.evolve(page, **_NUMBERS.counted(answer, cursor))
        return attrs.evolve(page, next=_TOKENS.following(answer))

    def create_snapshot(self, new: NewSnapshot) -> str:
        """Start CreateSnapshot and return the id."""
        params = writing.snapshot_params(new, self.connection.region, self._now())
        answer = self._call("CreateSnapshot", params, acting.safety_of(params))
        return writing.made(answer, "SnapshotId")

    def create_group(self, new: NewGroup) -> GroupMade:
        """Start CreateSnapshotGroup and return the group's id; members are listed with it."""
        params = writing.group_params(new, self.connection.region)
        answer = self._call("CreateSnapshotGroup", params, acting.safety_of(params))
        return GroupMade(group_id=writing.made(answer, "SnapshotGroupId"))

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        """Change what ModifySnapshotAttribute can; an expiry can only move away."""
        place = self.connection.region
        acting.change_snapshot(self._call, place, snapshot_id, change, now=self._now())

    def change_group(self, group_id: str, change: Change) -> None:
        """Rename or describe with ModifySnapshotGroup."""
        params = writing.group_change_params(group_id, change, self.connection.region)
        if len(params) > 2:
            self._call("ModifySnapshotGroup", params, Safety.REPEATABLE)

    def tag(self, kind: Kind, ids: Sequence[str], tags: Tags) -> list[ItemResult]:
        """Set tags with TagResources, which works for all of *ids* or for none."""
        params = writing.tag_params(kind, ids, tags, self.connection.region)
        self._call("TagResources", params, Safety.REPEATABLE)
        return [ItemResult(id=one, kind=kind) for one in ids]

    def untag(self, kind: Kind, ids: Sequence[str], keys: Sequence[str]) -> list[ItemResult]:
        """Take tags away with UntagResources, which works for all of *ids* or for none."""
        params = writing.untag_params(kind, ids, keys, self.connection.region)
        self._call("UntagResources", params, Safety.REPEATABLE)
        return [ItemResult(id=one, kind=kind) for one in ids]

    def delete_snapshots(self, ids: Sequence[str], *, force: bool) -> list[ItemResult]:
        """Delete with DeleteSnapshot; one that is still being made is cancelled."""
        place = self.connection.region
        return [acting.delete_snapshot(self._call, place, one, force=force) for one in ids]

    def delete_group(self, group: SnapshotGroup, *, force: bool) -> list[ItemResult]:
        """Delete with DeleteSnapshotGroup and open what failed inside its success."""
        return acting.delete_group(self._call, self.connection.region, group, force=force)

    def create_disk(self, new: NewDisk) -> str:
        """Start CreateDisk and return the disk's id; raises ArgumentError without a zone."""
        params = writing.disk_params(new, self.connection.region)
        answer = self._call("CreateDisk", params, acting.safety_of(params))
        return writing.made(answer, "DiskId")

    def roll_back(
        self, pairs: Sequence[RollBack], *, group_id: str | None, stop: bool, start: bool
    ) -> list[ItemResult]:
        """Put disks back with ResetDisk, several with ResetDisks; the instance must be stopped."""
        del group_id
        place = self.connection.region
        return acting.roll_back(self._call, place, pairs, stop=stop, start=start)

    def copy_snapshot(self, order: CopyOrder) -> list[Copied]:
        """Start one CopySnapshot for each region, sent to this one."""
        return acting.copy(self._call, self.connection.region, order, now=self._now())

    def lock(self, snapshot_id: str, *, days: int | None) -> None:
        """Lock with LockSnapshot for whole days at once, or try to end it with UnlockSnapshot."""
        operation = "UnlockSnapshot" if days is None else "LockSnapshot"
        token = self.connection.transport.clock.token(16).hex()
        params = writing.lock_params(snapshot_id, days, self.connection.region, token)
        self._call(operation, params, Safety.TOKEN)

    def blockers(self, capability: Capability, snapshot: Snapshot) -> Sequence[Blocker]:
        """Return what the row and the documentation say against *capability*."""
        return disks.blockers(capability, snapshot)

    def _now(self) -> float:
        transport = self.connection.transport
        return transport.clock.wall() + transport.skew

    def _call(
        self, operation: str, params: Mapping[str, Any], safety: Safety = Safety.READ
    ) -> Mapping[str, Any]:
        words = {name: str(value) for name, value in params.items()}
        call = Call(operation=operation, url=self._url, params=words, safety=safety)
        return self.connection.transport.call(self._api, call)
