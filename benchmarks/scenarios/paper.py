"""On paper: what 1,000 accounts with 10 million snapshots cost in calls, hours and memory.

Calls are counted by walking listings of these sizes with the real paging and no network.
Hours follow from the limits that the adapters start from, as the vendors document them; CPU
and memory for each row and scope are measured here, and multiplied.
"""

import gzip
import json

from benchmarks.estate import CLOUDS, Scope, templates
from benchmarks.figures import Figure, Outcome, Scale, single
from benchmarks.scenarios.growth import PAGE, listing
from benchmarks.scenarios.mapping import payload_of
from snapkit.paging import Cursor, Page, Position, Token
from snapkit.rate import SHARE
from snapkit.registry import driver_class
from snapkit.walking import walk

ACCOUNTS, REGIONS, SNAPSHOTS = 1_000, 10, 10_000_000
HOUR = 3600.0


def calls(style: str, rows: int) -> int:
    """Return how many pages a listing of *rows* takes: by token, number or offset."""
    asked = 0

    def fetch(cursor: Cursor | None, limit: int) -> Page[int]:
        nonlocal asked
        asked += 1
        start = int(cursor.value) if isinstance(cursor, Token) else 0
        start = cursor.start if isinstance(cursor, Position) else start
        items = range(start, min(start + limit, rows))
        if style == "token":
            end = start + len(items)
            return Page(items=items, next=Token(str(end)) if end < rows else None)
        return Page(items=items, start=start, total=rows, aligned=style == "number")

    found = sum(len(page) for page in walk(fetch, limit=PAGE, key=str))
    if found != rows:
        raise SystemExit(f"the walk gave {found} of {rows} rows")
    return asked


def counted() -> list[Figure]:
    """Return calls and hours for the estate spread evenly, and for all of it in one place."""
    figures: list[Figure] = []
    scope = SNAPSHOTS // ACCOUNTS // REGIONS
    for cloud, style in (("alibaba", "token"), ("tencent", "offset"), ("qingcloud", "offset")):
        rate = driver_class(cloud).rates[""]
        each = calls(style, scope)
        second = rate.per_second * SHARE
        share = REGIONS if rate.regional else 1
        per_account = each * REGIONS
        wait = max(0.0, per_account / share - (rate.burst or rate.per_second) * SHARE) / second
        whole = calls(style, SNAPSHOTS // 10) * 10
        figures += [
            single(f"{cloud}: calls for a scope of {scope:,} snapshots", each, "calls"),
            single(
                f"{cloud}: calls for {ACCOUNTS:,} such accounts", ACCOUNTS * per_account, "calls"
            ),
            single(f"{cloud}: the limit holds one account back for", wait, "s"),
            single(f"{cloud}: all in one account and region, calls", whole, "calls"),
            single(f"{cloud}: all in one account and region", whole / second / HOUR, "h"),
        ]
    return figures


def weighed() -> list[Figure]:
    """Return what the answers weigh on the wire."""
    figures: list[Figure] = []
    for cloud in CLOUDS:
        page = json.dumps(payload_of(cloud, templates(cloud)[:PAGE])).encode()
        plain, packed = len(page) / PAGE, len(gzip.compress(page, 6)) / PAGE
        figures += [
            single(f"{cloud}: answers for all", plain * SNAPSHOTS / 2**30, "GiB"),
            single(f"{cloud}: the same, compressed", packed * SNAPSHOTS / 2**30, "GiB"),
        ]
    return figures


def worked(scale: Scale) -> list[Figure]:
    """Return CPU hours and memory of one machine, from measurements here."""
    figures: list[Figure] = []
    rows, scopes = scale.rows[0], 100
    for cloud in CLOUDS:
        cost = listing([(cloud, 0, rows)], keep=True)
        many: list[Scope] = [(cloud, place, PAGE) for place in range(scopes)]
        each = cost["cpu"] / rows
        scope = max(0.0, listing(many, keep=True)["cpu"] / scopes - PAGE * each)
        total = SNAPSHOTS * each + ACCOUNTS * REGIONS * scope
        figures += [
            single(f"{cloud}: CPU for a scope beside its rows", 1e3 * scope, "ms"),
            single(f"{cloud}: CPU of one process for all", total / HOUR, "h"),
            single(
                f"{cloud}: memory if all are kept", cost["kept"] / rows * SNAPSHOTS / 2**30, "GiB"
            ),
        ]
    return figures


def measure(scale: Scale) -> Outcome:
    """Return the bill, cloud by cloud, as if the whole estate were on each."""
    return Outcome([*counted(), *weighed(), *worked(scale)])
