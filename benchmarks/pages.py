"""Pages of a listing, cut out of bytes that were written beforehand.

All rows of a scope lie in one run of bytes with their offsets beside it, so a page of any
start and size is one slice and an envelope. Requests are read no further than their paging:
no signature is checked.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from benchmarks.estate import Scope, name_of, region_of, unnamed, written

LARGEST = 100
_REQUEST_ID = b'"RequestId": "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E"'
_JSON = b"application/json"
_XML = b"text/xml;charset=utf-8"


@dataclass(frozen=True)
class Asked:
    """What a request asks for."""

    cloud: str
    region: str
    start: int
    size: int
    style: str
    """token, number or offset; xml for page numbers answered in XML."""


class Rows:
    """The rows of one scope, one after the other with *between* them."""

    def __init__(self, rows: Iterable[bytes], between: bytes = b", ") -> None:
        data, ends = bytearray(), array("Q")
        for row in rows:
            data += row + between
            ends.append(len(data))
        self._data, self._ends, self._between = bytes(data), ends, len(between)

    def __len__(self) -> int:
        return len(self._ends)

    def cut(self, start: int, size: int) -> bytes:
        """Return at most *size* rows from *start* on."""
        end = min(start + size, len(self._ends))
        if start >= end:
            return b""
        first = self._ends[start - 1] if start else 0
        return self._data[first : self._ends[end - 1] - self._between]


def rows_of(cloud: str, place: int, count: int, templates: list[bytes], between: bytes) -> Rows:
    """Return *count* rows of one scope, each with its own id."""
    blank = unnamed(cloud).encode()
    return Rows(
        (
            templates[n % len(templates)].replace(blank, name_of(cloud, place, n).encode())
            for n in range(count)
        ),
        between,
    )


class Library:
    """The rows of all scopes, by cloud, region and language."""

    def __init__(self, scopes: Iterable[Scope], *, xml: bool = False) -> None:
        self._rows: dict[tuple[str, str, bool], Rows] = {}
        scopes = list(scopes)
        for cloud in {one[0] for one in scopes}:
            for as_xml in (False, True) if xml and cloud == "alibaba" else (False,):
                templates = written(cloud, xml=as_xml)
                for _, place, count in (one for one in scopes if one[0] == cloud):
                    key = (cloud, region_of(cloud, place), as_xml)
                    between = b"" if as_xml else b", "
                    self._rows[key] = rows_of(cloud, place, count, templates, between)

    def answer(self, asked: Asked) -> tuple[bytes, bytes]:
        """Return the content type and body of the page that is *asked* for.

        Raises KeyError for a scope that is not there.
        """
        rows = self._rows[asked.cloud, asked.region, asked.style == "xml"]
        page = rows.cut(asked.start, asked.size)
        body = _ENVELOPES[asked.style if asked.cloud == "alibaba" else asked.cloud]
        return (_XML if asked.style == "xml" else _JSON), body(asked, len(rows), page)


def _by_token(asked: Asked, total: int, page: bytes) -> bytes:
    end = asked.start + asked.size
    token = b"place-%d" % end if end < total else b""
    return (
        b'{"TotalCount": 0, "PageSize": %d, "NextToken": "%b", "Snapshots": {"Snapshot": [%b]}, %b}'
        % (asked.size, token, page, _REQUEST_ID)
    )


def _by_number(asked: Asked, total: int, page: bytes) -> bytes:
    number = asked.start // asked.size + 1
    return (
        b'{"PageNumber": %d, "PageSize": %d, "TotalCount": %d, "NextToken": "",'
        b' "Snapshots": {"Snapshot": [%b]}, %b}' % (number, asked.size, total, page, _REQUEST_ID)
    )


def _in_xml(asked: Asked, total: int, page: bytes) -> bytes:
    number = asked.start // asked.size + 1
    return (
        b"<?xml version='1.0' encoding='UTF-8'?><DescribeSnapshotsResponse>"
        b"<PageNumber>%d</PageNumber><PageSize>%d</PageSize><TotalCount>%d</TotalCount>"
        b"<Snapshots>%b</Snapshots><RequestId>473469C7</RequestId></DescribeSnapshotsResponse>"
        % (number, asked.size, total, page)
    )


def _tencent(asked: Asked, total: int, page: bytes) -> bytes:
    del asked
    return b'{"Response": {"TotalCount": %d, "SnapshotSet": [%b], %b}}' % (total, page, _REQUEST_ID)


def _qingcloud(asked: Asked, total: int, page: bytes) -> bytes:
    del asked
    return (
        b'{"action": "DescribeSnapshotsResponse", "snapshot_set": [%b],'
        b' "total_count": %d, "ret_code": 0}' % (page, total)
    )


_ENVELOPES: Mapping[str, Callable[[Asked, int, bytes], bytes]] = {
    "token": _by_token,
    "number": _by_number,
    "xml": _in_xml,
    "tencent": _tencent,
    "qingcloud": _qingcloud,
}
_TC_REGION = re.compile(rb"\r\nx-tc-region: *([^\r]*)", re.IGNORECASE)
_OFFSET, _LIMIT = re.compile(rb'"Offset": *(\d+)'), re.compile(rb'"Limit": *(\d+)')
_PARAMS = re.compile(
    rb"[?&](RegionId|NextToken|MaxResults|PageNumber|PageSize|Format|zone|offset|limit)=([^& ]*)"
)


def read(head: bytes, body: bytes) -> Asked:
    """Return what a request asks for; its query may stand in the body."""
    line = head[: head.index(b"\r\n")]
    region = _TC_REGION.search(head)
    if region is not None:
        offset, limit = _OFFSET.search(body), _LIMIT.search(body)
        start, size = int(offset[1]) if offset else 0, int(limit[1]) if limit else 20
        return Asked("tencent", region[1].decode(), start, min(size, LARGEST), "offset")
    found = dict(_PARAMS.findall(line + b"&" + body))
    if b"/iaas" in line:
        start, size = int(found.get(b"offset", 0)), int(found.get(b"limit", 20))
        return Asked("qingcloud", found[b"zone"].decode(), start, min(size, LARGEST), "offset")
    place = found[b"RegionId"].decode()
    if b"MaxResults" in found or b"NextToken" in found:
        size = min(max(int(found.get(b"MaxResults", 10)), 10), LARGEST)
        start = int(found.get(b"NextToken", b"").removeprefix(b"place-") or 0)
        return Asked("alibaba", place, start, size, "token")
    size = min(int(found.get(b"PageSize", 10)), LARGEST)
    start = (int(found.get(b"PageNumber", 1)) - 1) * size
    style = "xml" if found.get(b"Format", b"").upper() == b"XML" else "number"
    return Asked("alibaba", place, start, size, style)
