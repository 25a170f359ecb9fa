"""A reference driver, for a provider that keeps groups and for one that does not.

It speaks to the tiny cloud of ``snapkit.testing.memory_cloud``, in words that are nobody's.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

import attrs

from snapkit.answers import read_json
from snapkit.credentials import Credentials, EnvironmentNames, KeyNames
from snapkit.driver import Capability, Connection, Driver, Limits, Option
from snapkit.errors import Failure
from snapkit.http import HttpRequest, HttpResponse
from snapkit.model import (
    Consistency,
    DiskRole,
    Membership,
    Origin,
    Region,
    Snapshot,
    SnapshotGroup,
    SnapshotStatus,
    SourceDisk,
    Tags,
    Usage,
    group_status,
)
from snapkit.paging import Cursor, OffsetPaging, Page, PageNumberPaging, TokenPaging
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.retry import Safety
from snapkit.testing.memory_writing import FAILURES, MemoryWriter
from snapkit.transport import Call, Moment
from snapkit.vocabulary import CHINA, boolean, gib, integer, lookup, parse_time, rows, tags, text
from snapkit.writes import Disk, DiskQuery, MarkerPlace

__all__ = [
    "FAILURES",
    "STATUSES",
    "DerivingDriver",
    "MemoryApi",
    "MemoryDriver",
    "TaggingDriver",
    "signature",
]

T = TypeVar("T", Snapshot, SnapshotGroup, Disk)
Row = Mapping[str, Any]
URL = "https://memory.invalid/"

STATUSES: Mapping[str, tuple[SnapshotStatus, bool | None]] = {
    "making": (SnapshotStatus.CREATING, False),
    "ready": (SnapshotStatus.AVAILABLE, True),
    "sealed": (SnapshotStatus.AVAILABLE, True),
    "rolling": (SnapshotStatus.RESTORING, None),
    "broken": (SnapshotStatus.FAILED, False),
    "gone": (SnapshotStatus.DELETED, False),
}
UNKNOWN: tuple[SnapshotStatus, bool | None] = (SnapshotStatus.UNKNOWN, None)


def signature(secret: str, body: bytes) -> str:
    """Return the signature of *body*."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class MemoryApi:
    """How requests are signed and answers read."""

    def sign(self, call: Call, credentials: Credentials, moment: Moment) -> HttpRequest:
        """Return the request; the body carries everything and is signed as a whole."""
        body = json.dumps({"do": call.operation, "at": moment.time, **call.params}).encode()
        signed = signature(credentials.secret.reveal(), body)
        headers = {"X-Key": credentials.key_id, "X-Signature": signed}
        return HttpRequest(method="POST", url=call.url, headers=headers, body=body)

    def read(self, call: Call, response: HttpResponse) -> Row:
        """Return the answer, or raise what its code means; the status is always 200."""
        del call
        answer = read_json(response)
        code = text(answer.get("code"))
        if code is not None:
            failure = FAILURES.get(code, Failure.OTHER)
            raise failure.error(
                str(answer.get("why")), code=code, request_id=text(answer.get("request"))
            )
        return answer


class MemoryDriver(MemoryWriter):
    """The reference: what a driver is when everything about it is right."""

    name = "memory"
    title = "Reference cloud in memory"
    refusals: ClassVar[Mapping[Capability, str]] = {
        Capability.DERIVED_GROUPS: "the provider keeps groups itself",
        Capability.CHOOSE_KIND: "the provider decides; leave the choice away",
    }
    capabilities = frozenset(Capability) - refusals.keys()
    limits = Limits(page=20, ids=20, disk_ids=5, group_ids=5, tag_ids=10, delete_ids=10)
    environment = EnvironmentNames(keys=(KeyNames("MEMORY_KEY", "MEMORY_SECRET"),))
    options: ClassVar[Mapping[str, Option]] = {
        "paging": Option(help="how pages are asked for", choices=("token", "page", "offset"))
    }
    home_region = "m-1"
    api: ClassVar[MemoryApi] = MemoryApi()
    styles: ClassVar[Mapping[str, TokenPaging | PageNumberPaging | OffsetPaging]] = {
        "token": TokenPaging(token="token", size="size"),  # noqa: S106 - a field's name
        "page": PageNumberPaging(number="page", size="size", total="count"),
        "offset": OffsetPaging(offset="offset", size="size", total="count"),
    }

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self.paging = self.styles[connection.options["paging"]]

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        """Return one page; ids, disks and statuses are the provider's to filter."""
        asked = self.snapshot_filters(query)
        return self.page("ListSnapshots", asked, self.snapshot, cursor=cursor, limit=limit)

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        """Return one page; ids are the provider's to filter."""
        asked = {} if query.ids is None else {"ids": sorted(query.ids)}
        return self.page("ListGroups", asked, self.group, cursor=cursor, limit=limit)

    def list_regions(self) -> list[Region]:
        """Return the regions."""
        answer = self.call("ListRegions", {})
        return [Region(provider=self.name, id=str(row["id"])) for row in rows(answer.get("rows"))]

    def list_disks(self, query: DiskQuery, *, cursor: Cursor | None, limit: int) -> Page[Disk]:
        """Return one page; the provider filters exactly."""
        asked: dict[str, Any] = {} if query.ids is None else {"ids": sorted(query.ids)}
        if query.instance_id is not None:
            asked["server"] = query.instance_id
        return self.page("ListDisks", asked, self.disk, cursor=cursor, limit=limit)

    def call(self, operation: str, params: Mapping[str, Any], safety: Safety = Safety.READ) -> Row:
        """Return the answer to *operation*."""
        call = Call(
            operation=operation,
            url=self.connection.endpoint or URL,
            params={"region": self.connection.region, **params},
            safety=safety,
        )
        return self.connection.transport.call(self.api, call)

    def page(
        self,
        operation: str,
        asked: Mapping[str, Any],
        parse: Callable[[Row], T],
        *,
        cursor: Cursor | None,
        limit: int,
    ) -> Page[T]:
        """Return one page of *operation*, its rows parsed."""
        answer = self.call(operation, {**asked, **self.paging.request(cursor, limit)})
        arrived = rows(answer.get("rows"))
        readable = [row for row in arrived if text(row.get("id"))]
        troubles = ["a row without an id"] * (len(arrived) - len(readable))
        counts = self.place(answer, cursor)
        return Page(
            items=[parse(row) for row in readable],
            ids=[str(row.get("id") or f"unreadable at {n}") for n, row in enumerate(arrived)],
            troubles=troubles,
            **counts,
        )

    def place(self, answer: Row, cursor: Cursor | None) -> dict[str, Any]:
        """Return the fields of Page that say where it is and what follows."""
        if isinstance(self.paging, TokenPaging):
            return {"next": self.paging.following(answer)}
        return self.paging.counted(answer, cursor)

    def snapshot_filters(self, query: SnapshotQuery) -> dict[str, Any]:
        """Return what the provider can filter exactly."""
        asked: dict[str, Any] = {"with_gone": query.wants_deleted}
        if query.ids is not None:
            asked["ids"] = sorted(query.ids)
        elif query.disk_ids is not None and len(query.disk_ids) <= 5:
            asked["disks"] = sorted(query.disk_ids)
        if query.statuses and SnapshotStatus.UNKNOWN not in query.statuses:
            asked["states"] = self.words(query.statuses)
        return asked

    def words(self, statuses: frozenset[SnapshotStatus]) -> list[str]:
        """Return all words for *statuses*."""
        return [word for word, (status, _) in STATUSES.items() if status in statuses]

    def snapshot(self, row: Row) -> Snapshot:
        """Return the snapshot that *row* is."""
        status, restorable = lookup(STATUSES, row.get("state"), UNKNOWN)
        made = self.moment(row.get("made"))
        size = gib(row.get("gib"))
        return Snapshot(
            id=str(row["id"]),
            provider=self.name,
            account=self.connection.account,
            region=self.connection.region,
            name=text(row.get("title")),
            description=text(row.get("note")),
            status=status,
            raw_status=text(row.get("state")),
            restorable=restorable,
            created_at=made,
            cut_at=made,
            source=SourceDisk(
                id=text(row.get("disk")),
                role={True: DiskRole.SYSTEM, False: DiskRole.DATA}.get(
                    bool(row.get("boot")), DiskRole.UNKNOWN
                ),
                size_bytes=size,
                instance_id=text(row.get("server")),
            ),
            size_bytes=size,
            parent_id=text(row.get("parent")),
            origin=Origin.COPY if row.get("copied") else Origin.MANUAL,
            expires_at=self.moment(row.get("until")),
            encrypted=boolean(row.get("locked")),
            usage=Usage(
                images=integer(row.get("images")),
                disks=integer(row.get("disks")),
                shares=integer(row.get("shares")),
            ),
            locked=boolean(row.get("held")),
            group_id=text(row.get("group")),
            tags=self.labels(row),
            raw=row if self.connection.keep_raw else None,
        )

    def group(self, row: Row) -> SnapshotGroup:
        """Return the group that *row* is; its members are ids, its status theirs."""
        return SnapshotGroup(
            id=str(row["id"]),
            provider=self.name,
            account=self.connection.account,
            region=self.connection.region,
            name=text(row.get("title")),
            description=text(row.get("note")),
            status=SnapshotStatus.UNKNOWN,
            raw_status=None,
            created_at=self.moment(row.get("made")),
            instance_id=text(row.get("server")),
            members=tuple(self.member(str(one), str(row["id"])) for one in row["members"]),
            consistency=Consistency.CRASH,
            tags=self.labels(row),
            raw=row if self.connection.keep_raw else None,
        )

    def member(self, snapshot_id: str, group_id: str) -> Snapshot:
        """Return a member of which only the id is known."""
        return Snapshot(
            id=snapshot_id,
            provider=self.name,
            account=self.connection.account,
            region=self.connection.region,
            status=SnapshotStatus.UNKNOWN,
            raw_status=None,
            group_id=group_id,
        )

    def moment(self, value: object) -> datetime | None:
        """Return the time that *value* is; the provider writes its local time."""
        return parse_time(value, CHINA)

    def labels(self, row: Row) -> Tags:
        """Return the tags of *row*."""
        return tags((label.get("key"), label.get("value")) for label in rows(row.get("labels")))


class TaggingDriver(MemoryDriver):
    """The reference for a provider without client tokens, whose tags can be looked for."""

    refusals: ClassVar[Mapping[Capability, str]] = {
        Capability.DERIVED_GROUPS: "the provider keeps groups itself",
        Capability.SHARE: "the provider shares by its console only",
    }
    capabilities = frozenset(Capability) - refusals.keys()
    marker = MarkerPlace.TAG
    group_marker = MarkerPlace.NAME
    disk_marker = MarkerPlace.NAME
    groups_by_instance = False


class DerivingDriver(MemoryDriver):
    """The reference for a provider without groups: they are read from the snapshots.

    It has neither tokens nor tags when something is made, so names carry the marker; and a
    snapshot takes those that build on it along.
    """

    refusals: ClassVar[Mapping[Capability, str]] = {
        Capability.GROUPS: "the provider keeps none; they are derived from the snapshots",
        Capability.EXPIRE: "the provider keeps snapshots until they are deleted",
        Capability.RENAME_GROUP: "a derived group has no name of its own; rename its members",
        Capability.DESCRIBE_GROUP: "a derived group has no text of its own; describe its members",
        Capability.TAG_GROUP: "a derived group has no tags of its own; tag its members",
        Capability.COPY: "the provider has one region only",
        Capability.SHARE: "the provider shares by its console only",
        Capability.LOCK: "the provider has no locks",
    }
    capabilities = frozenset(Capability) - refusals.keys()
    marker = MarkerPlace.NAME
    group_marker = MarkerPlace.NAME
    disk_marker = MarkerPlace.NAME
    groups_by_instance = False
    deletes_subtree = True
    keeps_groups = False

    list_groups = Driver.list_groups

    def derive_groups(self, snapshots: Sequence[Snapshot]) -> list[SnapshotGroup]:
        """Return snapshots of one server with one name and one time as a group."""
        calls: dict[tuple[Any, ...], list[Snapshot]] = {}
        for one in snapshots:
            calls.setdefault((one.cut_at, one.name, one.source.instance_id), []).append(one)
        return [
            self.derived(found)
            for key, found in sorted(calls.items(), key=lambda item: str(item[0]))
            if None not in key and len({one.source.id for one in found}) > 1
        ]

    def derived(self, found: Sequence[Snapshot]) -> SnapshotGroup:
        """Return the group of *found*, named after the first of them."""
        first = min(found, key=lambda one: one.id)
        name = f"derived-{first.id}"
        return SnapshotGroup(
            id=name,
            provider=self.name,
            account=self.connection.account,
            region=self.connection.region,
            name=first.name,
            status=group_status(one.status for one in found),
            raw_status=None,
            created_at=first.cut_at,
            instance_id=first.source.instance_id,
            members=tuple(attrs.evolve(one, group_id=name) for one in found),
            membership=Membership.DERIVED,
        )
