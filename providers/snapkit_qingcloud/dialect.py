"""The other end of the wire: QingCloud's IaaS API over the emulator's state.

Whatever happens the answer is HTTP 200 with a ``ret_code``. Source: see the package.
"""

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import attrs

from snapkit.emulator.dialect import Answer, Dialect, Request
from snapkit.emulator.estate import Style
from snapkit.emulator.state import AccountState, Disk, RegionState, World
from snapkit.errors import Failure
from snapkit.model import DiskRole
from snapkit_qingcloud import demo, signing
from snapkit_qingcloud.annex import Annex
from snapkit_qingcloud.asked import REQUIRED, Asked, No, cut, sorted_out
from snapkit_qingcloud.dialect_writes import WRITES
from snapkit_qingcloud.rendering import OWNER, View, instance_row, label_of, tag_id_of, volume_row

__all__ = ["QingCloudDialect"]

STALE = 60.0
ZONES: Mapping[str, Sequence[str]] = {
    "pek3": ("pek3b", "pek3c", "pek3d"),
    "gd2": ("gd2a", "gd2b"),
    "sh1": ("sh1a", "sh1b"),
}

_REFUSALS: Mapping[Failure, tuple[int, str]] = {
    Failure.PERMISSION: (1400, "PermissionDenied, describe resource failed"),
    Failure.AUTHENTICATION: (1200, "AuthFailure, signature not matched"),
    Failure.THROTTLED: (2500, "QuotaExceeded, the quota of API requests of this hour is used up"),
    Failure.SERVER: (5000, "InternalError, internal error"),
    Failure.NOT_FOUND: (2100, "ResourceNotFound, resource not found"),
    Failure.INVALID: (1100, "InvailidRequestFormat, invalid request format"),
    Failure.CONFLICT: (1400, "PermissionDenied, resource lease info not ready, please try later"),
    Failure.QUOTA: (2500, "QuotaExceeded, the quota of this resource is exceeded"),
    Failure.ACCOUNT: (2400, "BalanceNotEnough, the balance is too low"),
    Failure.UNSUPPORTED: (1101, "InvailidRequestMethod, no such action"),
    Failure.IDEMPOTENCY: (2110, "ResourceExists, the resource exists already"),
    Failure.OTHER: (3000, "Unknown, something else"),
}


class QingCloudDialect(Dialect):
    """QingCloud's IaaS API: snapshots, volumes, servers, labels, jobs and zones.

    With an attribute ``lag`` of the world, in seconds, new snapshots and volumes are listed
    only when they are older than that.
    """

    provider: ClassVar[str] = "qingcloud"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._annexes: dict[int, Annex] = {}
        self._operations: Mapping[str, Callable[[Asked], dict[str, Any]]] = {
            "DescribeSnapshots": self._snapshots,
            "DescribeVolumes": self._volumes,
            "DescribeInstances": self._instances,
            "DescribeTags": self._labels,
            "DescribeJobs": self._jobs,
            "DescribeZones": self._zones,
        }

    def recognises(self, request: Request) -> bool:
        """Return whether the path is that of this API, on any private prefix."""
        return request.path.rstrip("/").endswith(("/iaas", "/iam"))

    def operation(self, request: Request) -> str:
        """Return the parameter ``action``."""
        return request.form.get("action", "")

    def region(self, request: Request) -> str:
        """Return the region of the parameter ``zone``."""
        return _region_of(request.form.get("zone", ""))

    def answer(self, request: Request) -> Answer:
        """Let the request in, act on it and wrap what comes out."""
        try:
            asked = self._admit(request)
            payload = self._act(asked)
        except No as no:
            return _refused(no.code, no.message)
        return _json({"action": f"{asked.action}Response", **payload, "ret_code": 0})

    def refuse(self, request: Request, failure: Failure) -> Answer:
        """Return the error envelope for *failure*."""
        del request
        return _refused(*_REFUSALS[failure])

    @classmethod
    def populate(cls, world: World, seed: int) -> None:
        """Add one account with three regions."""
        demo.populate(world, seed)

    @classmethod
    def style(cls) -> Style:
        """Return how servers and snapshots are named here."""
        return attrs.evolve(demo.STYLE, zones=_zones_of)

    def _admit(self, request: Request) -> Asked:
        """Return what is asked, after the checks in the provider's order."""
        form = request.form
        for name in REQUIRED:
            if not form.get(name):
                raise No(1100, f"InvailidRequestFormat, parameter [{name}] is missing")
        account = self._authenticate(request, form)
        action = form["action"]
        if action not in self._operations and action not in WRITES:
            raise No(1101, f"InvailidRequestMethod, action [{action}] is not supported")
        single, lists, pairs = sorted_out(action, form)
        return Asked(account, action, single, lists, pairs)

    def _act(self, asked: Asked) -> dict[str, Any]:
        if asked.action in WRITES:
            return WRITES[asked.action](asked, self._annex(asked), self.world.clock.now())
        return self._operations[asked.action](asked)

    def _authenticate(self, request: Request, form: Mapping[str, str]) -> AccountState:
        account = self.world.account(self.provider, form["access_key_id"])
        if account is None:
            raise No(1200, f"AuthFailure, illegal access key [{form['access_key_id']}]")
        _check_signature(request, form, account)
        _check_token(request, form, account)
        try:
            at = datetime.strptime(form["time_stamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError as error:
            raise No(1100, "InvailidRequestFormat, illegal parameter [time_stamp]") from error
        if self.world.clock.wall() - at.timestamp() > STALE:
            raise No(1300, "RequestHasExpired, the request has expired")
        return account

    def _place(self, asked: Asked) -> RegionState:
        """Return the region that the zone is in; zones of a region share its snapshots."""
        zone = asked.single.get("zone")
        if not zone:
            raise No(1100, "InvailidRequestFormat, parameter [zone] is missing")
        region = asked.account.regions.get(zone) or asked.account.regions.get(_region_of(zone))
        if region is None:
            raise No(1400, f"PermissionDenied, access denied for zone [{zone}]")
        if region.denied:
            raise No(*_REFUSALS[Failure.PERMISSION])
        return region

    def _annex(self, asked: Asked) -> Annex:
        region = self._place(asked)
        known = self._annexes.get(id(region))
        if known is None or known.region is not region:
            known = self._annexes[id(region)] = Annex(region)
        known.pace = self.world.pace
        return known

    @property
    def _lag(self) -> float:
        return getattr(self.world, "lag", 0.0)

    def _snapshots(self, asked: Asked) -> dict[str, Any]:
        now = self.world.clock.now()
        view = self._annex(asked).view(now, verbose=asked.number("verbose", 0) > 0)
        found = self._chosen(asked, view)
        if self._lag:
            found = [one for one in found if now - view.record(one).started_at >= self._lag]
        page = cut(asked, found)
        return {"snapshot_set": [view.row(one) for one in page], "total_count": len(found)}

    @staticmethod
    def _chosen(asked: Asked, view: View) -> list[str]:
        """Return the ids that fit, the newest first; ceased ones only if they were asked for."""
        ids, words = (
            frozenset(asked.lists[name]) if name in asked.lists else None
            for name in ("snapshots", "status")
        )
        found = [one for one in view.chains.order if ids is None or one in ids]
        if words is not None:
            found = [one for one in found if view.status(one) in words]
        elif ids is None:
            found = [one for one in found if view.status(one) != "ceased"]
        narrow = {name: asked.single[name] for name in View.FILTERS if name in asked.single}
        tags = asked.lists.get("tags")
        if narrow or tags:
            found = [one for one in found if view.fits(one, narrow, tags)]
        return found

    def _volumes(self, asked: Asked) -> dict[str, Any]:
        annex, now, zone = self._annex(asked), self.world.clock.now(), asked.needs("zone")
        found = [
            row
            for disk in annex.region.disks.values()
            if disk.role is DiskRole.DATA and zone in (annex.region.id, disk.zone)
            if not self._too_new(annex, disk.id, now)
            if _volume_wanted(asked, disk, row := volume_row(disk, now, annex.busy))
        ]
        return {"volume_set": cut(asked, found), "total_count": len(found)}

    def _too_new(self, annex: Annex, one: str, now: float) -> bool:
        busy = annex.busy.get(one)
        return busy is not None and busy.word.startswith("pending") and now - busy.since < self._lag

    def _instances(self, asked: Asked) -> dict[str, Any]:
        annex, now, zone = self._annex(asked), self.world.clock.now(), asked.needs("zone")
        rows = [
            instance_row(disks, "stopped" if one in annex.stopped else "running", now, annex.busy)
            for one, disks in annex.servers().items()
            if zone in (annex.region.id, disks[0].zone)
        ]
        # No server of this world belongs to a cluster.
        found = [row for row in rows if _server_wanted(asked, row)]
        found = [] if asked.number("is_cluster_node", 0) else found
        return {"instance_set": cut(asked, found), "total_count": len(found)}

    def _labels(self, asked: Asked) -> dict[str, Any]:
        known = self._annex(asked).known_labels()
        wanted, word = asked.lists.get("tags"), asked.single.get("search_word", "")
        found = [
            {"tag_id": tag_id, "tag_name": name, "description": "", "owner": OWNER}
            for tag_id, name in known.items()
            if (wanted is None or tag_id in wanted) and word in f"{tag_id} {name}"
        ]
        return {"tag_set": cut(asked, found), "total_count": len(found)}

    def _jobs(self, asked: Asked) -> dict[str, Any]:
        annex, now = self._annex(asked), self.world.clock.now()
        wanted, words = asked.lists.get("jobs"), asked.lists.get("status")
        action = asked.single.get("job_action")
        rows = [job.row(now) for job in reversed(annex.jobs.values())]
        found = [
            row
            for row in rows
            if (wanted is None or row["job_id"] in wanted)
            and (words is None or row["status"] in words)
            and (action is None or row["job_action"] == action)
        ]
        return {"job_set": cut(asked, found), "total_count": len(found)}

    def _zones(self, asked: Asked) -> dict[str, Any]:
        zones = [
            {
                "zone_id": zone,
                "status": "active" if region.open else "faulty",
                "region_id": region.id if region.id in ZONES else "",
            }
            for region in asked.account.regions.values()
            for zone in ZONES.get(region.id, (region.id,))
        ]
        wanted = asked.lists.get("zones")
        found = [zone for zone in zones if wanted is None or zone["zone_id"] in wanted]
        words = asked.lists.get("status")
        found = [zone for zone in found if words is None or zone["status"] in words]
        # The public sample's total disagrees with its items too.
        return {"zone_set": found, "total_count": len(asked.account.regions)}


def _zones_of(region: str) -> Sequence[str]:
    return ZONES.get(region, (region,))


def _region_of(zone: str) -> str:
    return next((region for region, zones in ZONES.items() if zone in zones), zone)


def _json(payload: Mapping[str, Any]) -> Answer:
    return Answer(body=json.dumps(payload).encode(), headers={"Content-Type": "application/json"})


def _refused(code: int, message: str) -> Answer:
    return _json({"ret_code": code, "message": message})


def _check_signature(request: Request, form: Mapping[str, str], account: AccountState) -> None:
    method = form["signature_method"]
    if method not in signing.HASHES:
        raise No(1100, "InvailidRequestFormat, illegal parameter [signature_method]")
    signed = {name: value for name, value in form.items() if name != "signature"}
    query = signing.canonical(signed)
    right = signing.signature(account.secret, request.method, request.path, query, method=method)
    if not hmac.compare_digest(right.encode(), form["signature"].encode()):
        raise No(1200, "AuthFailure, signature not matched")


def _check_token(request: Request, form: Mapping[str, str], account: AccountState) -> None:
    """Refuse a role's key without its token and path, and a token that is not the role's."""
    role = request.path.rstrip("/").endswith("/iam")
    if role != (account.token is not None) or role != ("token" in form):
        raise No(1200, "AuthFailure, illegal access key for this path")
    if form["signature_version"] not in (("1", "2") if role else ("1",)):
        raise No(1100, "InvailidRequestFormat, illegal parameter [signature_version]")
    if role and form["token"] != account.token:
        raise No(2000, "SessionExpired, the token has expired")


def _volume_wanted(asked: Asked, disk: Disk, row: Mapping[str, Any]) -> bool:
    single, lists = asked.single, asked.lists
    labels = {tag_id_of(label_of(key, value)) for key, value in disk.tags.items()}
    return (
        ("volumes" not in lists or disk.id in lists["volumes"])
        and ("status" not in lists or row["status"] in lists["status"])
        and ("tags" not in lists or bool(labels & set(lists["tags"])))
        and single.get("instance_id", disk.instance_id) == disk.instance_id
        and single.get("volume_type", disk.category or "0") == (disk.category or "0")
        and single.get("search_word", "") in f"{disk.id} {disk.name}"
    )


def _server_wanted(asked: Asked, row: Mapping[str, Any]) -> bool:
    lists, word = asked.lists, asked.single.get("search_word", "")
    labels = {label["tag_id"] for label in row["tags"]}
    return (
        ("instances" not in lists or row["instance_id"] in lists["instances"])
        and ("status" not in lists or row["status"] in lists["status"])
        and ("tags" not in lists or bool(labels & set(lists["tags"])))
        and word in f"{row['instance_id']} {row['instance_name']}"
    )
