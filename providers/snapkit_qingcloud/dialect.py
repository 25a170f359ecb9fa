"""The other end of the wire: QingCloud's IaaS API over the emulator's state.

Whatever happens the answer is HTTP 200 with a ``ret_code``. Source: see the package.
"""

import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import attrs

from snapkit.emulator.dialect import Answer, Dialect, Request
from snapkit.emulator.state import AccountState, Disk, RegionState, World
from snapkit.errors import Failure
from snapkit.model import DiskRole
from snapkit_qingcloud import demo, signing
from snapkit_qingcloud.rendering import Chains, View, label_of, tag_id_of, volume_row

__all__ = ["QingCloudDialect"]

LARGEST_PAGE = 100
LARGEST_LIST = 100
STALE = 60.0
ZONES: Mapping[str, Sequence[str]] = {
    "pek3": ("pek3b", "pek3c", "pek3d"),
    "gd2": ("gd2a", "gd2b"),
    "sh1": ("sh1a", "sh1b"),
}

_COMMON = frozenset(
    [
        "action",
        "zone",
        "time_stamp",
        "access_key_id",
        "version",
        "signature_method",
        "signature_version",
        "signature",
        "expires",
        "req_id",
        "token",
        "owner",
        "project_id",
    ]
)
_REQUIRED = (
    "action",
    "time_stamp",
    "access_key_id",
    "version",
    "signature_method",
    "signature_version",
    "signature",
)
_PAGED = frozenset(("offset", "limit"))
_SINGLE: Mapping[str, frozenset[str]] = {
    "DescribeSnapshots": _PAGED
    | frozenset(
        [
            "resource_id",
            "snapshot_type",
            "root_id",
            "snapshot_time",
            "snapshot_name",
            "search_word",
            "verbose",
            "is_manually",
        ]
    ),
    "DescribeVolumes": _PAGED | frozenset(("instance_id", "search_word", "volume_type", "verbose")),
    "DescribeZones": frozenset[str](),
}
_LISTS: Mapping[str, frozenset[str]] = {
    "DescribeSnapshots": frozenset(("snapshots", "status", "tags")),
    "DescribeVolumes": frozenset(("volumes", "status", "tags")),
    "DescribeZones": frozenset(("zones", "status")),
}
_WORDS: Mapping[str, frozenset[str]] = {
    "DescribeSnapshots": frozenset(("pending", "available", "suspended", "deleted", "ceased")),
    "DescribeVolumes": frozenset(
        ("pending", "available", "in-use", "suspended", "deleted", "ceased")
    ),
    "DescribeZones": frozenset(("active", "faulty", "defunct")),
}
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)

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


class _No(Exception):
    """A refusal on its way to the envelope."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@attrs.frozen
class _Asked:
    """A request that was let in: who asks for what, and where."""

    account: AccountState
    action: str
    single: Mapping[str, str]
    lists: Mapping[str, Sequence[str]]

    def number(self, name: str, default: int) -> int:
        text = self.single.get(name)
        if text is None:
            return default
        if not _WHOLE.fullmatch(text):
            raise _No(1100, f"InvailidRequestFormat, parameter [{name}] should be integer")
        return int(text)


class QingCloudDialect(Dialect):
    """QingCloud's IaaS API: snapshots, volumes and zones."""

    provider: ClassVar[str] = "qingcloud"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._chains: dict[int, Chains] = {}
        self._operations: Mapping[str, Callable[[_Asked], dict[str, Any]]] = {
            "DescribeSnapshots": self._snapshots,
            "DescribeVolumes": self._volumes,
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
            payload = self._operations[asked.action](asked)
        except _No as no:
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

    def _admit(self, request: Request) -> _Asked:
        """Return what is asked, after the checks in the provider's order."""
        form = request.form
        for name in _REQUIRED:
            if not form.get(name):
                raise _No(1100, f"InvailidRequestFormat, parameter [{name}] is missing")
        account = self._authenticate(request, form)
        action = form["action"]
        if action not in self._operations:
            raise _No(1101, f"InvailidRequestMethod, action [{action}] is not supported")
        single, lists = _sorted_out(action, form)
        return _Asked(account, action, single, lists)

    def _authenticate(self, request: Request, form: Mapping[str, str]) -> AccountState:
        account = self.world.account(self.provider, form["access_key_id"])
        if account is None:
            raise _No(1200, f"AuthFailure, illegal access key [{form['access_key_id']}]")
        _check_signature(request, form, account)
        _check_token(request, form, account)
        try:
            at = datetime.strptime(form["time_stamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError as error:
            raise _No(1100, "InvailidRequestFormat, illegal parameter [time_stamp]") from error
        if self.world.clock.wall() - at.timestamp() > STALE:
            raise _No(1300, "RequestHasExpired, the request has expired")
        return account

    def _place(self, asked: _Asked) -> RegionState:
        """Return the region that the zone is in; zones of a region share its snapshots."""
        zone = asked.single.get("zone")
        if not zone:
            raise _No(1100, "InvailidRequestFormat, parameter [zone] is missing")
        region = asked.account.regions.get(zone) or asked.account.regions.get(_region_of(zone))
        if region is None:
            raise _No(1400, f"PermissionDenied, access denied for zone [{zone}]")
        if region.denied:
            raise _No(*_REFUSALS[Failure.PERMISSION])
        return region

    def _snapshots(self, asked: _Asked) -> dict[str, Any]:
        region = self._place(asked)
        chains = self._chains_of(region)
        view = View(chains, self.world.clock.now(), verbose=asked.number("verbose", 0) > 0)
        found = self._chosen(asked, view)
        page = _cut(asked, found)
        return {"snapshot_set": [view.row(one) for one in page], "total_count": len(found)}

    def _chains_of(self, region: RegionState) -> Chains:
        known = self._chains.get(id(region))
        if known is None or not known.current:
            known = self._chains[id(region)] = Chains(region)
        return known

    @staticmethod
    def _chosen(asked: _Asked, view: View) -> list[str]:
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

    def _volumes(self, asked: _Asked) -> dict[str, Any]:
        region = self._place(asked)
        zone = asked.single["zone"]
        found = [
            volume_row(disk)
            for disk in region.disks.values()
            if disk.role is DiskRole.DATA and zone in (region.id, disk.zone)
            if _volume_wanted(asked, disk)
        ]
        return {"volume_set": _cut(asked, found), "total_count": len(found)}

    def _zones(self, asked: _Asked) -> dict[str, Any]:
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


def _region_of(zone: str) -> str:
    return next((region for region, zones in ZONES.items() if zone in zones), zone)


def _json(payload: Mapping[str, Any]) -> Answer:
    return Answer(body=json.dumps(payload).encode(), headers={"Content-Type": "application/json"})


def _refused(code: int, message: str) -> Answer:
    return _json({"ret_code": code, "message": message})


def _check_signature(request: Request, form: Mapping[str, str], account: AccountState) -> None:
    method = form["signature_method"]
    if method not in signing.HASHES:
        raise _No(1100, "InvailidRequestFormat, illegal parameter [signature_method]")
    signed = {name: value for name, value in form.items() if name != "signature"}
    query = signing.canonical(signed)
    right = signing.signature(account.secret, request.method, request.path, query, method=method)
    if not hmac.compare_digest(right.encode(), form["signature"].encode()):
        raise _No(1200, "AuthFailure, signature not matched")


def _check_token(request: Request, form: Mapping[str, str], account: AccountState) -> None:
    """Refuse a role's key without its token and path, and a token that is not the role's."""
    role = request.path.rstrip("/").endswith("/iam")
    if role != (account.token is not None) or role != ("token" in form):
        raise _No(1200, "AuthFailure, illegal access key for this path")
    if form["signature_version"] not in (("1", "2") if role else ("1",)):
        raise _No(1100, "InvailidRequestFormat, illegal parameter [signature_version]")
    if role and form["token"] != account.token:
        raise _No(2000, "SessionExpired, the token has expired")


def _sorted_out(
    action: str, form: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return the action's own single parameters and lists; what is not one of them is refused."""
    single: dict[str, str] = {}
    lists: dict[str, dict[int, str]] = {}
    for name, value in form.items():
        base, dot, number = name.partition(".")
        if name in _SINGLE[action] or name == "zone":
            single[name] = value
        elif dot and base in _LISTS[action] and _WHOLE.fullmatch(number) and int(number) > 0:
            lists.setdefault(base, {})[int(number)] = value
        elif name not in _COMMON:
            raise _No(1100, f"InvailidRequestFormat, unknown parameter [{name}]")
    found = {name: [values[index] for index in sorted(values)] for name, values in lists.items()}
    for name, values in found.items():
        if len(values) > LARGEST_LIST:
            raise _No(1100, f"InvailidRequestFormat, parameter [{name}] has too many values")
    for word in found.get("status", ()):
        if word not in _WORDS[action]:
            raise _No(1100, f"InvailidRequestFormat, illegal status [{word}]")
    return single, found


def _cut(asked: _Asked, found: list[Any]) -> list[Any]:
    """Return the page that is asked for: 20 rows without a limit, never more than 100."""
    offset, limit = asked.number("offset", 0), asked.number("limit", 20)
    if limit < 1:
        raise _No(1100, "InvailidRequestFormat, illegal parameter [limit]")
    return found[offset : offset + min(limit, LARGEST_PAGE)]


def _volume_wanted(asked: _Asked, disk: Disk) -> bool:
    single, lists = asked.single, asked.lists
    status = "in-use" if disk.instance_id else "available"
    labels = {tag_id_of(label_of(key, value)) for key, value in disk.tags.items()}
    return (
        ("volumes" not in lists or disk.id in lists["volumes"])
        and ("status" not in lists or status in lists["status"])
        and ("tags" not in lists or bool(labels & set(lists["tags"])))
        and single.get("instance_id", disk.instance_id) == disk.instance_id
        and single.get("volume_type", disk.category or "0") == (disk.category or "0")
        and single.get("search_word", "") in f"{disk.id} {disk.name}"
    )
