"""What clients without a model share: unsigned requests, and where an answer has its rows."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

PAGE = 100
ID_FIELDS = {"alibaba": "SnapshotId", "tencent": "SnapshotId", "qingcloud": "snapshot_id"}


def request_of(cloud: str, region: str, place: object, style: str = "") -> tuple[str, bytes]:
    """Return path and body of the page at *place*, a token or an offset."""
    if cloud == "tencent":
        body = f'{{"Offset": {place or 0}, "Limit": {PAGE}, "Order": "ASC"}}'
        return "/", body.encode()
    if cloud == "qingcloud":
        params: dict[str, object] = {"action": "DescribeSnapshots", "zone": region, "verbose": 1}
        return f"/iaas/?{urlencode(params | {'offset': place or 0, 'limit': PAGE})}", b""
    params = {"Action": "DescribeSnapshots", "RegionId": region}
    if style == "paging=number":
        params |= {"PageNumber": int(str(place or 0)) // PAGE + 1, "PageSize": PAGE}
    else:
        params |= {"MaxResults": PAGE} | ({"NextToken": place} if place else {})
    return f"/?{urlencode(params)}", b""


def headers_of(cloud: str, region: str) -> dict[str, str]:
    """Return the headers that say what is asked for."""
    if cloud != "tencent":
        return {}
    return {
        "X-TC-Action": "DescribeSnapshots",
        "X-TC-Region": region,
        "Content-Type": "application/json",
    }


def rows_of(cloud: str, answer: Mapping[str, Any]) -> tuple[list[Any], int]:
    """Return the rows of *answer*, and how many there are in all (0 in a token listing)."""
    if cloud == "tencent":
        inner = answer["Response"]
        return inner["SnapshotSet"], inner["TotalCount"]
    if cloud == "qingcloud":
        return answer["snapshot_set"], answer["total_count"]
    return answer["Snapshots"]["Snapshot"], answer["TotalCount"]


def pages(cloud: str, fetch: Any, style: str = "") -> Iterator[list[Any]]:
    """Yield the rows of each page, one after the other; *fetch* answers a place."""
    place: object = None
    count = 0
    while True:
        answer = fetch(place)
        rows, total = rows_of(cloud, answer)
        count += len(rows)
        yield rows
        if cloud == "alibaba" and style != "paging=number":
            place = answer["NextToken"]
            if not place:
                return
        elif not rows or count >= total:
            return
        else:
            place = count


def id_of(row: Any) -> str:
    """Return the snapshot's id."""
    return str(row.get("SnapshotId") or row["snapshot_id"])
