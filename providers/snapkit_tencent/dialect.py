"""The other end of the wire, for the emulator: API 3.0 and API 2.0 over one state.

Signatures are recomputed from what arrived. What the vendor refuses is refused here, in the
vendor's envelope; where no document says how, the choice is the stricter one.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from snapkit.emulator.dialect import Answer, Dialect, Request
from snapkit.emulator.estate import Style
from snapkit.emulator.state import AccountState, RegionState, SnapshotRecord, World
from snapkit.errors import Failure

from . import acting, asked, checks, estate, furnishing, rendering
from .checks import COMMON_FIELDS, Refusal
from .endpoints import LEGACY_PATH, SHORT_REGIONS
from .ledger import Ledger, Scene

__all__ = ["TencentDialect"]

_REFUSALS: Mapping[Failure, tuple[str, int]] = {
    Failure.AUTHENTICATION: ("AuthFailure.SignatureFailure", 4100),
    Failure.PERMISSION: ("AuthFailure.UnauthorizedOperation", 4110),
    Failure.ACCOUNT: ("InvalidAccount.InsufficientBalance", 5300),
    Failure.NOT_FOUND: ("InvalidSnapshotId.NotFound", 16003),
    Failure.INVALID: ("InvalidParameterValue", 9003),
    Failure.CONFLICT: ("ResourceBusy", 16005),
    Failure.IDEMPOTENCY: ("InvalidParameter.InvalidClientToken", 9003),
    Failure.QUOTA: ("InsufficientSnapshotQuota", 16006),
    Failure.THROTTLED: ("RequestLimitExceeded", 4400),
    Failure.UNSUPPORTED: ("UnsupportedOperation", 16026),
    Failure.SERVER: ("InternalError", 6000),
    Failure.OTHER: ("UnheardOf", 9999),
}
"""What each failure is called in API 3.0 and in API 2.0."""

_ACTIONS = {
    "2017-03-12": (
        "DescribeSnapshots",
        "DescribeSnapshotGroups",
        *acting.ACTIONS,
        *furnishing.DISK_ACTIONS,
    ),
    "2022-06-27": ("DescribeRegions",),
    "2018-08-13": tuple(furnishing.TAG_ACTIONS),
}
_SERVICES = {"2017-03-12": "cbs", "2022-06-27": "region", "2018-08-13": "tag"}
_OLD_PARAMS = {"diskType", "projectId", "storageIds", "snapshotIds", "offset", "limit"}


class TencentDialect(Dialect):
    """Speaks like Tencent Cloud."""

    provider: ClassVar[str] = "tencent"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._ledger = Ledger()
        self._orders: dict[tuple[str, str], tuple[object, list[SnapshotRecord]]] = {}

    def recognises(self, request: Request) -> bool:
        """Return whether *request* is signed or addressed as this vendor wants it."""
        signed = request.headers.get("authorization", "").startswith("TC3-")
        return (
            signed
            or "x-tc-action" in request.headers
            or request.path == LEGACY_PATH
            or "SecretId" in request.form
        )

    def operation(self, request: Request) -> str:
        """Return the action, from the header or the form."""
        return request.headers.get("x-tc-action") or request.form.get("Action", "")

    def region(self, request: Request) -> str:
        """Return the region as the request spells it."""
        return request.headers.get("x-tc-region") or request.form.get("Region", "")

    def answer(self, request: Request) -> Answer:
        """Do what *request* asks for and return the result, or the vendor's refusal."""
        self._ledger.settle(self.world.clock.now())
        try:
            payload = self._old(request) if _is_old(request) else self._new(request)
        except Refusal as refusal:
            return _refused(request, refusal)
        return _accepted(request, payload)

    def refuse(self, request: Request, failure: Failure) -> Answer:
        """Return the vendor's answer for *failure*."""
        name, number = _REFUSALS[failure]
        said = "the emulator was told to say so"
        return _refused(request, Refusal(name, said, number=number))

    @classmethod
    def populate(cls, world: World, seed: int) -> None:
        """Put the account ``demo`` with three regions into *world*; Beijing is denied."""
        estate.build(world, seed)

    @classmethod
    def style(cls) -> Style:
        """Return how servers and snapshots are named here."""
        return estate.STYLE

    def _new(self, request: Request) -> dict[str, Any]:
        wall = self.world.clock.wall()
        find = partial(self.world.account, self.provider)
        by_header = "authorization" in request.headers
        version = request.headers.get("x-tc-version") or request.form.get("Version", "")
        action = self.operation(request)
        service = _SERVICES.get(version, "")
        if by_header:
            account = checks.tc3(request, find, wall, service)
            params = checks.body_of(request) if request.method == "POST" else request.form
        else:
            account = checks.form(request, find, wall)
            params = {
                name: value for name, value in request.form.items() if name not in COMMON_FIELDS
            }
        if version not in _ACTIONS:
            raise Refusal("NoSuchVersion", f"there is no version {version!r}")
        if action not in _ACTIONS[version]:
            raise Refusal("InvalidAction", f"there is no action {action!r}")
        flattened = not by_header or request.method == "GET"
        params = asked.typed(action, asked.nested(params) if flattened else params)
        if action == "DescribeRegions":
            return self._regions(account, params)
        if action in furnishing.TAG_ACTIONS:
            nowhere = RegionState(id="")
            return furnishing.TAG_ACTIONS[action](self._scene(account, nowhere), params)
        scene = self._scene(account, self._open_region(account, self.region(request)))
        act = acting.ACTIONS.get(action) or furnishing.DISK_ACTIONS.get(action)
        if act is not None:
            return act(scene, params)
        if action == "DescribeSnapshotGroups":
            return self._groups(scene, params)
        return self._snapshots(scene, params)

    def _scene(self, account: AccountState, region: RegionState) -> Scene:
        return Scene(
            world=self.world,
            ledger=self._ledger,
            account=account,
            region=region,
            now=self.world.clock.now(),
        )

    def _regions(self, account: AccountState, params: Mapping[str, Any]) -> dict[str, Any]:
        if params.get("Product") not in ("cbs", "cvm"):
            raise Refusal("InvalidParameterValue", "no such Product")
        found = [
            rendering.region_row(region)
            for region in account.regions.values()
            if region.id not in SHORT_REGIONS
        ]
        return {"TotalCount": len(found), "RegionSet": found}

    def _snapshots(self, scene: Scene, params: Mapping[str, Any]) -> dict[str, Any]:
        ids, filters = params.get("SnapshotIds"), asked.filters(params, rendering.FILTERS)
        offset, limit = asked.window(params.get("Offset"), params.get("Limit"))
        now = scene.now
        backwards = asked.backwards(params)
        if ids and filters:
            raise Refusal("InvalidParameterValue", "SnapshotIds and Filters exclude each other")
        if ids and len(ids) > asked.LARGEST_PAGE:
            raise Refusal("InvalidParameterValue.LimitExceeded", "too many SnapshotIds")
        found = self._living(scene, ids or None)
        for name, values in filters.items():
            test = rendering.FILTERS[name]
            found = [record for record in found if test(record, values, now)]
        if backwards:
            found = found[::-1]
        return {
            "TotalCount": len(found),
            "SnapshotSet": [self._row(record, now) for record in found[offset : offset + limit]],
        }

    def _row(self, record: SnapshotRecord, now: float) -> dict[str, Any]:
        row = rendering.row(record, now)
        copying = list(self._ledger.copying(record.id, now))
        return row | {"CopyingToRegions": copying} if copying else row

    def _groups(self, scene: Scene, params: Mapping[str, Any]) -> dict[str, Any]:
        filters = asked.filters(params, rendering.GROUP_FILTERS)
        offset, limit = asked.window(params.get("Offset"), params.get("Limit"))
        now, region = scene.now, scene.region
        there = [group for group in region.groups.values() if scene.visible(group.created_at)]
        found = sorted(there, key=lambda group: (group.created_at, group.id))
        for name, values in filters.items():
            test = rendering.GROUP_FILTERS[name]
            found = [
                group
                for group in found
                if test(group, values, rendering.group_state(group, region, now))
            ]
        return {
            "TotalCount": len(found),
            "SnapshotGroupSet": [
                rendering.group_row(group, region, now) for group in found[offset : offset + limit]
            ],
        }

    def _old(self, request: Request) -> dict[str, Any]:
        account = checks.old_form(
            request,
            partial(self.world.account, self.provider),
            self.world.clock.wall(),
            partial(self.world.first_use, self.provider),
        )
        given = {name: value for name, value in request.form.items() if name not in COMMON_FIELDS}
        if request.form.get("Action") != "DescribeSnapshots":
            raise Refusal("InvalidParameter", "no such action", number=4000)
        region = self._open_region(account, request.form.get("Region", ""))
        params = asked.nested(given)
        strange = set(params) - _OLD_PARAMS
        if strange:
            raise Refusal("InvalidParameter", f"no such parameter {min(strange)}", number=9003)
        return self._old_snapshots(account, region, params)

    def _old_snapshots(
        self, account: AccountState, region: RegionState, params: Mapping[str, Any]
    ) -> dict[str, Any]:
        offset, limit = asked.window(params.get("offset"), params.get("limit"))
        ids, disks = asked.old_list(params, "snapshotIds"), asked.old_list(params, "storageIds")
        kind = params.get("diskType")
        if kind not in (None, "root", "data"):
            raise Refusal("InvalidParameter", "no such diskType", number=9003)
        now = self.world.clock.now()
        tests = rendering.FILTERS
        wanted = {"root": "SYSTEM_DISK", "data": "DATA_DISK"}.get(kind or "")
        found = [
            record
            for record in self._living(self._scene(account, region), ids)
            if (wanted is None or tests["disk-usage"](record, [wanted], now))
            and (disks is None or tests["disk-id"](record, disks, now))
            and params.get("projectId", "0") == "0"
        ]
        return {
            "totalCount": len(found),
            "snapshotSet": [
                rendering.old_row(record, now) for record in found[offset : offset + limit]
            ],
        }

    def _open_region(self, account: AccountState, name: str) -> RegionState:
        """Return the region called *name* in either API's spelling, if it may be listed."""
        if not name:
            raise Refusal("MissingParameter", "the region is missing", number=4000)
        spellings = {name, SHORT_REGIONS.get(name, name)}
        spellings |= {short for short, long in SHORT_REGIONS.items() if long == name}
        there = [account.regions[one] for one in sorted(spellings) if one in account.regions]
        if not there and not spellings & set(SHORT_REGIONS):
            raise Refusal("UnsupportedRegion", f"no region {name!r}", number=4000)
        region = there[0] if there else RegionState(id=name)
        if region.denied:
            code, number = _REFUSALS[Failure.PERMISSION]
            raise Refusal(code, "you are not authorized to perform this", number=number)
        return region

    def _living(self, scene: Scene, ids: Iterable[str] | None) -> list[SnapshotRecord]:
        """Return what is listed in the region, the oldest first."""
        if ids is None:
            found = self._ordered(scene.account, scene.region)
        else:
            there = scene.region.snapshots
            found = sorted((there[one] for one in set(ids) if one in there), key=_age)
        return [
            record
            for record in found
            if rendering.is_there(record, scene.now) and scene.visible(record.started_at)
        ]

    def _ordered(self, account: AccountState, region: RegionState) -> list[SnapshotRecord]:
        """Return all records by age; sorted anew only after some came or went."""
        key = (account.key_id, region.id)
        ends = next(iter(region.snapshots), None), next(reversed(region.snapshots), None)
        version = (id(region), len(region.snapshots), ends)
        known = self._orders.get(key)
        if known is None or known[0] != version:
            known = version, sorted(region.snapshots.values(), key=_age)
            self._orders[key] = known
        return known[1]


def _age(record: SnapshotRecord) -> tuple[float, str]:
    return record.started_at, record.id


def _is_old(request: Request) -> bool:
    return request.path == LEGACY_PATH


def _accepted(request: Request, payload: dict[str, Any]) -> Answer:
    if _is_old(request):
        envelope = {"code": 0, "message": "", "codeDesc": "Success"} | payload
    else:
        envelope = {"Response": payload | {"RequestId": str(uuid.uuid4())}}
    return _json(envelope)


def _refused(request: Request, refusal: Refusal) -> Answer:
    if _is_old(request):
        return _json(
            {
                "code": refusal.number,
                "message": refusal.message,
                "codeDesc": refusal.code,
            }
        )
    error = {"Code": refusal.code, "Message": refusal.message}
    return _json({"Response": {"Error": error, "RequestId": str(uuid.uuid4())}})


def _json(envelope: Mapping[str, Any]) -> Answer:
    # Without a charset: the vendor's SDK looks for errors only in exactly this type.
    return Answer(body=json.dumps(envelope).encode(), headers={"Content-Type": "application/json"})
