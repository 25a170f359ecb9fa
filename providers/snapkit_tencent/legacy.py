"""API 2.0 on the wire: parameters from queries, values from answers; pure.

Same duties as in ``wire``. The rows say less than those of API 3.0, and what they do not say
is unknown, not absent: tags, encryption, deadline, origin, zone.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from snapkit.answers import read_json, unknown_answer
from snapkit.errors import SnapkitError
from snapkit.http import HttpResponse
from snapkit.model import DiskRole, Snapshot, SourceDisk
from snapkit.oddities import note_odd
from snapkit.paging import Cursor, OffsetPaging, Page
from snapkit.query import SnapshotQuery
from snapkit.vocabulary import gib, integer, parse_time, percent, text

from .failures import NOT_FAILURES, error_of, verdict_of_number
from .params import DISKS
from .wire import PROVIDER, RESTORABLE, Context, is_list, page_of, role_of, status_of

__all__ = ["flat", "parse_snapshot", "payload_of", "snapshot_page", "snapshot_params"]

PAGING = OffsetPaging(offset="offset", size="limit", total="totalCount")
_TYPES = {DiskRole.SYSTEM: "root", DiskRole.DATA: "data"}
_YEAR_3000 = 32503680000


def snapshot_params(query: SnapshotQuery, cursor: Cursor | None, limit: int) -> dict[str, Any]:
    """Return the parameters of DescribeSnapshots; here ids and filters go together."""
    params: dict[str, Any] = PAGING.request(cursor, limit)
    if query.ids is not None:
        params["snapshotIds"] = sorted(query.ids)
    if query.disk_ids is not None and len(query.disk_ids) <= DISKS:
        params["storageIds"] = sorted(query.disk_ids)
    wanted = [_TYPES.get(role) for role in query.roles or ()]
    if len(wanted) == 1 and wanted[0] is not None:
        params["diskType"] = wanted[0]
    return params


def flat(params: Mapping[str, Any]) -> dict[str, str]:
    """Return *params* as texts, lists as ``name.0``, ``name.1`` and so on."""
    found: dict[str, str] = {}
    for name, value in params.items():
        if is_list(value):
            found |= {f"{name}.{index}": str(item) for index, item in enumerate(value)}
        else:
            found[name] = str(value)
    return found


def payload_of(response: HttpResponse, operation: str) -> Mapping[str, Any]:
    """Return the answer if its code is 0, written as a number or as a text, or raise."""
    payload = read_json(response)
    given = payload.get("code")
    number = integer(given)
    code = str(number) if number is not None else text(given)
    if code in NOT_FAILURES:
        return payload
    if given is None:
        raise _without_code(response.status)
    words = (text(payload.get("codeDesc")), text(payload.get("message")))
    raise error_of(
        verdict_of_number(code or "", response.status),
        code=code or repr(given),
        message=": ".join(word for word in words if word) or "an error without a message",
        request_id=text(payload.get("requestId")),
        operation=operation,
    )


def snapshot_page(
    payload: Mapping[str, Any], cursor: Cursor | None, context: Context
) -> Page[Snapshot]:
    """Return the page that an answer to DescribeSnapshots is."""
    return page_of(
        payload,
        field="snapshotSet",
        key="snapshotId",
        parse=parse_snapshot,
        context=context,
        counted=PAGING.counted(payload, cursor),
    )


def parse_snapshot(row: Mapping[str, Any], context: Context) -> Snapshot | None:
    """Return the snapshot that *row* describes, None if it has no id."""
    get = row.get
    found = get("snapshotId")
    if not isinstance(found, str) or not found or found.isspace():
        return None
    status = status_of(get("snapshotStatus"))
    made = _moment(get("createTime"), context.zone)
    size = gib(get("storageSize"))
    if made is None or size is None:
        note_odd(PROVIDER, row, {"createTime": made, "storageSize": size})
    return Snapshot(
        id=found,
        provider=PROVIDER,
        account=context.account,
        region=context.region,
        name=text(get("snapshotName")),
        status=status,
        raw_status=text(get("snapshotStatus")),
        restorable=RESTORABLE.get(status),
        progress=percent(get("percent")),
        created_at=made,
        cut_at=made,
        source=SourceDisk(
            id=text(get("storageId")),
            role=role_of(get("diskType")),
            size_bytes=size,
        ),
        size_bytes=size,
        raw=row if context.keep_raw else None,
    )


def _moment(value: object, zone: tzinfo) -> datetime | None:
    """Return a time that is text, or seconds since 1970 as the vendor's table has it."""
    seconds = integer(value)
    if seconds is None:
        return parse_time(value, zone)
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _YEAR_3000 else None


def _without_code(status: int) -> SnapkitError:
    return unknown_answer(
        status,
        f"HTTP {status} without a code",
        otherwise=f"the answer (HTTP {status}) has no 'code'",
        hint="check that the endpoint speaks API 2.0; it is retired in the public cloud",
    )
