"""The service's side of the wire, for the emulator.

Strict where the service is strict, and stricter in one thing: a parameter that an operation
does not know, or knows in another case, is refused with ``UnsupportedParameter`` instead of
being ignored, because an ignored filter returns everything. Simplifications: a bad page
size, number or token is ``InvalidParameter``, every region answers at one address, and
DescribeSnapshots compares names exactly.
"""

import base64
import binascii
import bisect
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from xml.sax.saxutils import escape

import attrs

from snapkit.emulator.dialect import Answer, Dialect, Request
from snapkit.emulator.estate import Style
from snapkit.emulator.state import AccountState, RegionState, SnapshotRecord, World
from snapkit.errors import Failure
from snapkit.vocabulary import boolean, integer, mapping
from snapkit_alibaba import dialect_restores, dialect_writes, signing
from snapkit_alibaba.dialect_auth import Refusal, authenticate, check_names, no
from snapkit_alibaba.dialect_demo import NAMES, STYLE, furnish_world
from snapkit_alibaba.dialect_desk import Desk, Memory, answered_once
from snapkit_alibaba.dialect_names import KNOWN, ROUTED
from snapkit_alibaba.dialect_rows import (
    Row,
    gone,
    group_filters,
    group_row,
    is_list,
    listed,
    snapshot_filters,
    snapshot_row,
    tag_filters,
)

__all__ = ["AlibabaDialect"]

SMALLEST_TOKEN_PAGE = 10
LARGEST_PAGE = 100
MOST_TAGGED = 1000
"""So many resources with a tag are looked at; the others are dropped without a word."""
_ORDERS = 64

_STEPS = {**dialect_writes.STEPS, **dialect_restores.STEPS}
_REFUSALS: Mapping[Failure, tuple[int, str]] = {
    Failure.AUTHENTICATION: (404, "InvalidAccessKeyId.NotFound"),
    Failure.PERMISSION: (403, "Forbidden.RAM"),
    Failure.ACCOUNT: (403, "InvalidAccountStatus.NotEnoughBalance"),
    Failure.NOT_FOUND: (404, "InvalidSnapshotId.NotFound"),
    Failure.INVALID: (400, "InvalidParameter"),
    Failure.CONFLICT: (403, "IncorrectDiskStatus"),
    Failure.IDEMPOTENCY: (400, "IdempotentParameterMismatch"),
    Failure.QUOTA: (403, "QuotaExceed.Snapshot"),
    Failure.THROTTLED: (400, "Throttling.User"),
    Failure.UNSUPPORTED: (403, "OperationDenied"),
    Failure.SERVER: (500, "InternalError"),
    Failure.OTHER: (400, "RefusedOnOrder"),
}
Key = tuple[float, str]


@attrs.frozen
class _Order:
    """The snapshots of a region, newest first, and the records it was made from."""

    made_from: list[int]
    records: list[SnapshotRecord]
    keys: list[Key]


class AlibabaDialect(Dialect):
    """ECS of 2014-05-26: both signatures, both ways of paging, JSON and XML."""

    provider = "alibaba"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._orders: dict[int, _Order] = {}
        self._memory = Memory()

    def recognises(self, request: Request) -> bool:
        """Return whether it is addressed as this service wants."""
        return "x-acs-action" in request.headers or request.form.get("Version") == signing.VERSION

    def operation(self, request: Request) -> str:
        """Return the action, from the header or the parameters."""
        return request.headers.get("x-acs-action") or request.form.get("Action", "")

    def region(self, request: Request) -> str:
        """Return the region parameter."""
        return request.form.get("RegionId", "")

    def answer(self, request: Request) -> Answer:
        """Check who asks and what, then answer."""
        action = self.operation(request)
        try:
            if action not in KNOWN:
                no(404, "InvalidAction.NotFound", "The specified api is not found.")
            account = authenticate(self.world, request)
            check_names(request.form, KNOWN[action])
            return _reply(request, action, self._act(action, request.form, account))
        except Refusal as refusal:
            return _error(request, refusal)

    def refuse(self, request: Request, failure: Failure) -> Answer:
        """Return the service's own words for *failure*."""
        status, code = _REFUSALS[failure]
        return _error(request, Refusal(status, code, "Refused by the emulator on order."))

    @classmethod
    def populate(cls, world: World, seed: int) -> None:
        """Put the demonstration account into *world*."""
        furnish_world(world, seed)

    @classmethod
    def style(cls) -> Style:
        """Return how servers and snapshots are named here."""
        return STYLE

    def _act(self, action: str, form: Mapping[str, str], account: AccountState) -> Row:
        if action == "DescribeRegions":
            return _regions(account, form)
        region_id = form.get("RegionId") or (_home(account, form) if action in ROUTED else "")
        region = account.regions.get(region_id)
        if not region_id:
            no(400, "MissingParameter", 'The input parameter "RegionId" is not supplied.')
        if region is None:
            no(404, "InvalidRegionId.NotFound", "The specified RegionId does not exist.")
        if region.denied:
            no(403, "Forbidden.RAM", "User not authorized to operate on the specified resource.")
        if boolean(form.get("DryRun")):
            no(400, "DryRunOperation", "Request validation has been passed with DryRun flag set.")
        desk = Desk(
            account=account,
            region=region,
            form=form,
            memory=self._memory,
            now=self.world.clock.now(),
            pace=self.world.pace,
        )
        if action in _STEPS:
            return answered_once(desk, action, _STEPS[action])
        if action == "DescribeDisks":
            return _disks(desk)
        by_token = "NextToken" in form or "MaxResults" in form
        if action == "DescribeSnapshotGroups":
            return self._groups(region, form)
        return self._by_token(region, form) if by_token else self._by_number(region, form)

    def _by_token(self, region: RegionState, form: Mapping[str, str]) -> Row:
        size = max(_size(form, "MaxResults"), SMALLEST_TOKEN_PAGE)
        found = self._matching(region, form, after=_position(form))
        page = list(islice(found, size + 1))
        last = page[size - 1][0] if len(page) > size else None
        return {
            "TotalCount": 0,
            "PageSize": size,
            "NextToken": _token(-last.started_at, last.id) if last else "",
            "Snapshots": {"Snapshot": [row for _, row in page[:size]]},
        }

    def _by_number(self, region: RegionState, form: Mapping[str, str]) -> Row:
        size, number = _size(form, "PageSize"), _whole(form, "PageNumber", 1)
        start = (number - 1) * size
        now = self.world.clock.now()
        if snapshot_filters(form) or tag_filters(form):
            records = [record for record, _ in self._matching(region, form, after=None)]
        else:
            lag = self._lag
            records = [one for one in self._order(region).records if listed(one, now, lag)]
        page = records[start : start + size]
        more = page and start + len(page) < len(records)
        return {
            "PageNumber": number,
            "PageSize": size,
            "TotalCount": len(records),
            "NextToken": _token(-page[-1].started_at, page[-1].id) if more else "",
            "Snapshots": {"Snapshot": [snapshot_row(one, region.id, now) for one in page]},
        }

    def _matching(
        self, region: RegionState, form: Mapping[str, str], *, after: Key | None
    ) -> Iterator[tuple[SnapshotRecord, Row]]:
        """Yield what the filters select behind *after*, the newest first."""
        now = self.world.clock.now()
        order = self._order(region)
        start = bisect.bisect_right(order.keys, after) if after else 0
        filters, tags = snapshot_filters(form), tag_filters(form)
        records: Iterable[SnapshotRecord] = islice(order.records, start, None)
        if tags:
            tagged = (one for one in order.records if not gone(one, now) and _has(one.tags, tags))
            records = (
                one
                for one in islice(tagged, MOST_TAGGED)
                if after is None or (-one.started_at, one.id) > after
            )
        lag = self._lag
        living = (record for record in records if listed(record, now, lag))
        pairs = ((record, snapshot_row(record, region.id, now)) for record in living)
        return (pair for pair in pairs if all(holds(*pair) for holds in filters))

    @property
    def _lag(self) -> float:
        """How long what was made stays unlisted, in seconds; an attribute of some worlds."""
        return float(getattr(self.world, "lag", 0.0))

    def _order(self, region: RegionState) -> _Order:
        """Return the sorted snapshots of *region*; sorted anew only when others are there."""
        made_from = [id(record) for record in region.snapshots.values()]
        kept = self._orders.get(id(region.snapshots))
        if kept is None or kept.made_from != made_from:
            records = region.newest_first()
            kept = _Order(made_from, records, [(-one.started_at, one.id) for one in records])
            if len(self._orders) >= _ORDERS:
                self._orders.clear()
            self._orders[id(region.snapshots)] = kept
        return kept

    def _groups(self, region: RegionState, form: Mapping[str, str]) -> Row:
        now = self.world.clock.now()
        size = max(_size(form, "MaxResults"), SMALLEST_TOKEN_PAGE)
        after, holds = _position(form), group_filters(form)
        ordered = sorted(region.groups.values(), key=lambda one: (-one.created_at, one.id))
        lag = self._lag
        shown = (one for one in ordered if lag <= 0 or now - one.created_at >= lag)
        later = (one for one in shown if after is None or (-one.created_at, one.id) > after)
        pairs = ((one, group_row(one, region, now, lag)) for one in later)
        page = list(islice((pair for pair in pairs if holds(*pair)), size + 1))
        last = page[size - 1][0] if len(page) > size else None
        return {
            "NextToken": _token(-last.created_at, last.id) if last else "",
            "SnapshotGroups": {"SnapshotGroup": [row for _, row in page[:size]]},
        }


def _has(tags: Mapping[str, str], wanted: list[tuple[str, str | None]]) -> bool:
    return all(key in tags and value in (None, tags[key]) for key, value in wanted)


def _whole(form: Mapping[str, str], name: str, default: int) -> int:
    number = integer(form.get(name, default))
    if not number:
        no(400, "InvalidParameter", f"The specified parameter {name} is not valid.")
    return number


def _size(form: Mapping[str, str], name: str) -> int:
    size = _whole(form, name, 10)
    if size > LARGEST_PAGE:
        no(400, "InvalidParameter", f"The specified parameter {name} exceeds {LARGEST_PAGE}.")
    return size


def _token(order: float, last_id: str) -> str:
    """Return the place behind a row, so that rows deleted in between lose nothing."""
    return base64.urlsafe_b64encode(json.dumps([order, last_id]).encode()).decode()


def _position(form: Mapping[str, str]) -> Key | None:
    token = form.get("NextToken")
    if not token:
        return None
    try:
        order, last_id = json.loads(base64.urlsafe_b64decode(token))
        return float(order), str(last_id)
    except (binascii.Error, ValueError, TypeError):
        no(400, "InvalidParameter", "The specified parameter NextToken is not valid.")


def _home(account: AccountState, form: Mapping[str, str]) -> str:
    """Return the region that has the disk or snapshot of *form*, else the first."""
    disk_id, snapshot_id = form.get("DiskId"), form.get("SnapshotId")
    regions = account.regions.values()
    found = (one.id for one in regions if disk_id in one.disks or snapshot_id in one.snapshots)
    return next(found, next(iter(account.regions), ""))


def _disks(desk: Desk) -> Row:
    """Return a page of disks: by token as a place in the list, or by number."""
    form = desk.form
    rows = dialect_restores.disk_rows(desk)
    by_token = "NextToken" in form or "MaxResults" in form
    size = max(_size(form, "MaxResults"), SMALLEST_TOKEN_PAGE) if by_token else 0
    size = size or _size(form, "PageSize")
    number = 1 if by_token else _whole(form, "PageNumber", 1)
    place = _position(form) if by_token else None
    left = [row for row in rows if place is None or row["DiskId"] > place[1]]
    start = (number - 1) * size
    page = left[start : start + size]
    more = page and start + len(page) < len(left)
    return {
        "PageNumber": number,
        "PageSize": size,
        "TotalCount": 0 if by_token else len(rows),
        "NextToken": _token(0.0, page[-1]["DiskId"]) if more else "",
        "Disks": {"Disk": page},
    }


def _regions(account: AccountState, form: Mapping[str, str]) -> Row:
    english = form.get("AcceptLanguage", "zh-CN").startswith("en")
    listed = [
        {
            "RegionId": region.id,
            "LocalName": NAMES.get(region.id, (region.name, region.name))[english] or region.id,
            "RegionEndpoint": "ecs.aliyuncs.com",
            "Status": "available" if region.open else "soldOut",
        }
        for region in account.regions.values()
    ]
    return {"Regions": {"Region": listed}}


def _wants_xml(request: Request) -> bool:
    """Whether XML is the answer: the default of RPC version 1, on demand with ACS3."""
    if "authorization" in request.headers:
        return "xml" in request.headers.get("accept", "")
    return request.form.get("Format", "XML").casefold() != "json"


def _reply(request: Request, action: str, payload: Row) -> Answer:
    request_id = str(uuid.uuid4()).upper()
    return _answer(request, 200, f"{action}Response", {**payload, "RequestId": request_id})


def _error(request: Request, refusal: Refusal) -> Answer:
    payload = {
        "RequestId": str(uuid.uuid4()).upper(),
        "HostId": request.headers.get("host", ""),
        "Code": refusal.code,
        "Message": refusal.message,
        "Recommend": f"https://api.aliyun.com/troubleshoot?q={refusal.code}",
    }
    return _answer(request, refusal.status, "Error", payload)


def _answer(request: Request, status: int, root: str, payload: Row) -> Answer:
    xml = _wants_xml(request)
    body = f"<?xml version='1.0' encoding='UTF-8'?>{_xml(root, payload)}" if xml else None
    kind = "text/xml;charset=utf-8" if xml else "application/json;charset=utf-8"
    return Answer(
        status=status,
        body=(json.dumps(payload, ensure_ascii=False) if body is None else body).encode(),
        headers={"Content-Type": kind, "x-acs-request-id": payload["RequestId"]},
    )


def _xml(name: str, value: object) -> str:
    """Return *value* as an element; a list becomes its element again and again."""
    if is_list(value):
        return "".join(_xml(name, item) for item in value)
    members = mapping(value)
    if members or value == {}:
        inner = "".join(_xml(key, item) for key, item in members.items())
        return f"<{name}>{inner}</{name}>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text)}</{name}>"
