"""The QingCloud adapter: one method per operation."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from snapkit.credentials import CredentialSource, EnvironmentNames, KeyNames
from snapkit.driver import Capability, Connection, Driver, Limits, Option
from snapkit.errors import ArgumentError, NotFoundError, ProtocolError, ProviderError, Sent
from snapkit.model import DiskRole, Kind, Region, Snapshot, SnapshotGroup, SnapshotStatus, Tags
from snapkit.paging import Cursor, Page
from snapkit.query import SnapshotQuery
from snapkit.rate import Rate
from snapkit.retry import Safety
from snapkit.rules import Rules
from snapkit.sources import KeyPlace, Surroundings
from snapkit.transport import Call
from snapkit.vocabulary import text
from snapkit.writes import (
    Blocker,
    Change,
    Disk,
    DiskQuery,
    GroupMade,
    ItemResult,
    MarkerPlace,
    NewDisk,
    NewGroup,
    NewSnapshot,
    Reason,
    RollBack,
)
from snapkit_qingcloud import deletion, disks, groups, keys, labels, wire, writing
from snapkit_qingcloud.api import ENDPOINT, METHODS, QingCloudApi, endpoint_url

__all__ = ["ENDPOINT", "QingCloudApi", "QingCloudDriver", "endpoint_url"]


_DERIVED = "QingCloud keeps no groups: one is what its snapshots share, so change those instead"
REFUSALS: Mapping[Capability, str] = {
    Capability.GROUPS: "QingCloud keeps no groups; they are derived from time, name and server",
    Capability.EXPIRE: (
        "QingCloud's snapshots stay until they are deleted; only its own backup tasks prune"
        " theirs, so delete by age instead"
    ),
    Capability.RENAME_GROUP: _DERIVED,
    Capability.DESCRIBE_GROUP: _DERIVED,
    Capability.TAG_GROUP: _DERIVED,
    Capability.COPY: (
        "QingCloud's API has no copy to another region; the console does, and inside a region"
        " every zone can use the snapshot"
    ),
    Capability.SHARE: "QingCloud shares snapshots in its console only",
    Capability.LOCK: "QingCloud has no lock against deletion",
}


class QingCloudDriver(Driver):
    """QingCloud IaaS, as seen from one account in one zone or region."""

    name: ClassVar[str] = wire.PROVIDER
    title: ClassVar[str] = "QingCloud (青云) IaaS"
    capabilities = frozenset(
        {
            Capability.DERIVED_GROUPS,
            Capability.REGIONS,
            Capability.DISKS,
            Capability.CREATE,
            Capability.CHOOSE_KIND,
            Capability.CREATE_GROUP,
            Capability.RENAME,
            Capability.DESCRIBE,
            Capability.TAG,
            Capability.DELETE,
            Capability.DELETE_GROUP,
            Capability.RESTORE,
            Capability.ROLL_BACK,
            Capability.ROLL_BACK_GROUP,
        }
    )
    refusals: ClassVar[Mapping[Capability, str]] = REFUSALS
    limits = Limits(page=100, ids=100, disk_ids=1, tag_ids=50, delete_ids=100)
    marker = group_marker = disk_marker = MarkerPlace.NAME
    groups_by_instance = False
    rules: ClassVar[Rules] = writing.RULES
    deletes_subtree = True
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
            choices=tuple(METHODS),
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
        "credentials": Option(
            help="where keys are looked for; instance takes those of the machine's own role",
            choices=("found", "instance"),
        ),
    }
    home_region = "pek3"
    credential_files = keys.FILES

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._url = endpoint_url(connection.endpoint)

    @classmethod
    def key_sources(cls) -> Sequence[KeyPlace]:
        """Return the files of the vendor's own tools, in the order in which they look."""
        return keys.PLACES

    @classmethod
    def instance_source(cls, around: Surroundings) -> CredentialSource:
        """Return the keys that the metadata service hands to this machine."""
        return keys.instance(around)

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

    def list_disks(self, query: DiskQuery, *, cursor: Cursor | None, limit: int) -> Page[Disk]:
        """Return one page of system disks, which carry their server's id, and of volumes."""
        keep_raw = self.connection.keep_raw
        return disks.one_page(self._call, query, cursor, limit, keep_raw=keep_raw)

    def disks_named(self, name: str) -> list[Disk]:
        """Return the volumes of DescribeVolumes that are called *name*."""
        return disks.named(self._call, name)

    def create_snapshot(self, new: NewSnapshot) -> str:
        """Send CreateSnapshots for one disk; finish_snapshot sets what it cannot."""
        if new.expires_at is not None:
            raise self.unsupported(Capability.EXPIRE)
        writing.labels_of(new.tags)
        params = writing.creation([new.disk_id], new.name, new.kind)
        return self._create(params, 1)[0]

    def create_group(self, new: NewGroup) -> GroupMade:
        """Send CreateSnapshots for the disks of one server.

        Raises ArgumentError for disks of several: they would get one time, but nothing says
        that they are consistent with one another.
        """
        writing.labels_of(new.tags)
        resources = list(dict.fromkeys(new.disk_ids))
        self._check_server(resources)
        params = writing.creation(resources, new.name, new.kind)
        return GroupMade(snapshot_ids=self._create(params, len(resources)))

    def _create(self, params: Mapping[str, str], count: int) -> tuple[str, ...]:
        payload = self._call("CreateSnapshots", params, safety=Safety.ONCE)
        return writing.made(payload, count)

    def _check_server(self, resources: Sequence[str]) -> None:
        if len(resources) < 2:
            raise ArgumentError(
                f"a group needs two disks of one server at least, not {len(resources)}",
                hint="take a snapshot of a single disk: alone it cannot be told from any other",
            )
        found = self._attached(resources)
        if not set[str].intersection(*found.values()):
            raise ArgumentError(
                f"the disks {', '.join(resources)} are not all on one server",
                hint="only the disks of one server are consistent with one another",
            )

    def finish_snapshot(self, snapshot_id: str, new: NewSnapshot) -> None:
        """Set the description and the labels, which CreateSnapshots does not take."""
        if new.description:
            self.change_snapshot(snapshot_id, Change(description=new.description))
        if new.tags:
            self.tag(Kind.SNAPSHOT, [snapshot_id], new.tags)

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        """Send ModifySnapshotAttributes, and read back what was cleared."""
        if change.expires_at is not None or change.permanent:
            raise self.unsupported(Capability.EXPIRE)
        params = writing.attributes(snapshot_id, change)
        if len(params) == 1:
            return
        self._call("ModifySnapshotAttributes", params, safety=Safety.REPEATABLE)
        if "" not in (change.name, change.description):
            return
        after = self._found([snapshot_id]).get(snapshot_id)
        if after is not None and not writing.cleared(change, after):
            raise ProviderError(
                f"QingCloud did not clear the name or description of {snapshot_id}",
                sent=Sent.YES,
                hint="give it another text instead",
            )

    def tag(self, kind: Kind, ids: Sequence[str], tags: Tags) -> list[ItemResult]:
        """Put labels on snapshots; a label that is not there yet is made."""
        if kind is Kind.GROUP:
            raise self.unsupported(Capability.TAG_GROUP)
        names = writing.labels_of(tags)
        return labels.put_on(self._call, ids, names, self._found(ids))

    def untag(self, kind: Kind, ids: Sequence[str], keys: Sequence[str]) -> list[ItemResult]:
        """Take labels off snapshots; the labels themselves stay."""
        if kind is Kind.GROUP:
            raise self.unsupported(Capability.TAG_GROUP)
        return labels.take_off(self._call, ids, keys)

    def delete_snapshots(self, ids: Sequence[str], *, force: bool) -> list[ItemResult]:
        """Send DeleteSnapshots, which deletes everything that builds on one of *ids* too.

        There is nothing to force.
        """
        del force

        def send(some: Sequence[str]) -> Mapping[str, Any]:
            params = wire.numbered("snapshots", some)
            return self._call("DeleteSnapshots", params, safety=Safety.REPEATABLE)

        def look(some: Sequence[str]) -> dict[str, SnapshotStatus]:
            return {one: snapshot.status for one, snapshot in self._found(some).items()}

        return deletion.delete(ids, send, look) if ids else []

    def delete_group(self, group: SnapshotGroup, *, force: bool) -> list[ItemResult]:
        """Delete the members, a hundred in a call."""
        ids, size = [member.id for member in group.members], self.limits.delete_ids
        chunks = [ids[start : start + size] for start in range(0, len(ids), size)]
        return [one for some in chunks for one in self.delete_snapshots(some, force=force)]

    def create_disk(self, new: NewDisk) -> str:
        """Send CreateVolumeFromSnapshot; size and type are the source's."""
        if new.tags:
            raise ArgumentError(
                "QingCloud cannot label a disk while it is made from a snapshot",
                hint="leave out the tags, and label the disk afterwards",
            )
        if new.size_bytes is not None or new.raw_category is not None:
            writing.check_disk(new, self._existing([new.snapshot_id])[new.snapshot_id])
        params = writing.volume(new)
        payload = self._call("CreateVolumeFromSnapshot", params, safety=Safety.ONCE, zone=new.zone)
        volume_id = text(payload.get("volume_id"))
        if volume_id is None:
            raise ProtocolError("CreateVolumeFromSnapshot names no volume")
        return volume_id

    def roll_back(
        self, pairs: Sequence[RollBack], *, group_id: str | None, stop: bool, start: bool
    ) -> list[ItemResult]:
        """Send ApplySnapshots, which restarts a running server by itself.

        So both *stop* and *start* must be allowed unless the server is stopped.
        """
        del group_id
        ids = [pair.snapshot_id for pair in pairs]
        writing.check_sources(pairs, self._existing(ids))
        attached = self._attached([pair.disk_id for pair in pairs])
        servers = sorted(set[str].union(*attached.values()))
        restarted = disks.running(self._call, servers) if not (stop and start) and servers else []
        if restarted:
            raise ArgumentError(
                f"QingCloud restarts the server {', '.join(restarted)} to roll its disks back",
                hint="allow it to be stopped and started, or stop it first",
            )
        self._call("ApplySnapshots", wire.numbered("snapshots", ids), safety=Safety.ONCE)
        return [ItemResult(id=one) for one in ids]

    def blockers(self, capability: Capability, snapshot: Snapshot) -> Sequence[Blocker]:
        """Return that a system disk's snapshot becomes no volume."""
        if capability is Capability.RESTORE and snapshot.source.role is DiskRole.SYSTEM:
            detail = "taken from a system disk, of which QingCloud makes images, not disks"
            return (Blocker(reason=Reason.SYSTEM_DISK, detail=detail),)
        return ()

    def _found(self, ids: Sequence[str]) -> dict[str, Snapshot]:
        """Return those of at most 100 snapshots that the server shows, deleted ones too."""
        params = wire.snapshot_params(SnapshotQuery(ids=frozenset(ids)), None, len(set(ids)))
        page = wire.parse_snapshots(
            self._call("DescribeSnapshots", params),
            None,
            account=self.connection.account,
            region=self.connection.region,
        )
        return {snapshot.id: snapshot for snapshot in page.items}

    def _existing(self, ids: Sequence[str]) -> dict[str, Snapshot]:
        found = self._found(ids)
        missing = [
            one for one in ids if one not in found or found[one].status is SnapshotStatus.DELETED
        ]
        if missing:
            raise self._absent("snapshot", missing)
        return found

    def _attached(self, disk_ids: Sequence[str]) -> dict[str, set[str]]:
        found = disks.attached_to(self._call, disk_ids)
        missing = [one for one in disk_ids if one not in found]
        if missing:
            raise self._absent("disk", missing)
        return found

    def _absent(self, what: str, ids: Sequence[str]) -> NotFoundError:
        connection = self.connection
        return NotFoundError(
            f"no {what} {', '.join(ids)} in {self.name}:{connection.region}",
            provider=self.name,
            account=connection.account,
            region=connection.region,
        )

    def _servers(self, volumes: Sequence[str]) -> dict[str, str]:
        params = wire.numbered("volumes", volumes) | {"offset": "0", "limit": str(len(volumes))}
        return wire.servers_of_volumes(self._call("DescribeVolumes", params))

    def _call(
        self,
        operation: str,
        params: Mapping[str, str],
        *,
        safety: Safety = Safety.READ,
        zone: str | None = None,
        zoned: bool = True,
    ) -> Mapping[str, Any]:
        options = self.connection.options
        api = QingCloudApi(
            signature_method=METHODS[options.get("signature") or "hmac-sha256"],
            post=options.get("method") == "post",
        )
        place = {"zone": zone or self.connection.region} if zoned else {}
        call = Call(operation=operation, url=self._url, params=dict(params) | place, safety=safety)
        return self.connection.transport.call(api, call)
