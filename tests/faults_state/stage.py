"""A provider's listing on the wire, to be spoilt: rows, totals, tokens and page sizes."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import attrs
import pytest

from snapkit.client import Client
from snapkit.emulator import Answer, Request
from snapkit.listing import ScopeReport
from snapkit.model import Snapshot
from snapkit.testing.emulated import EmulatedHarness
from snapkit.testing.harness import many
from tests.providers.harnesses import STYLES

Row = dict[str, Any]
PAGE = 10
"""The smallest page that every provider allows."""


@attrs.frozen(kw_only=True)
class Words:
    """How one style of listing calls things on the wire."""

    rows: tuple[str, ...]
    total: str
    token: str | None = None
    number: str | None = None
    """The page number, where positions are asked for by it."""
    size: str
    offset: str | None = None
    key: str
    name: str
    status: str
    moment: str
    gib: tuple[str, ...]
    tags: tuple[str, ...] | None = None


_ALIBABA = Words(
    rows=("Snapshots", "Snapshot"),
    total="TotalCount",
    token="NextToken",
    size="MaxResults",
    key="SnapshotId",
    name="SnapshotName",
    status="Status",
    moment="CreationTime",
    gib=("SourceDiskSize",),
    tags=("TagKey", "TagValue"),
)
WORDS: Mapping[str, Words] = {
    "alibaba-token": _ALIBABA,
    "alibaba-number": attrs.evolve(_ALIBABA, token=None, number="PageNumber", size="PageSize"),
    "tencent-3.0": Words(
        rows=("Response", "SnapshotSet"),
        total="TotalCount",
        size="Limit",
        offset="Offset",
        key="SnapshotId",
        name="SnapshotName",
        status="SnapshotState",
        moment="CreateTime",
        gib=("DiskSize",),
        tags=("Key", "Value"),
    ),
    "tencent-2.0": Words(
        rows=("snapshotSet",),
        total="totalCount",
        size="limit",
        offset="offset",
        key="snapshotId",
        name="snapshotName",
        status="snapshotStatus",
        moment="createTime",
        gib=("storageSize",),
    ),
    "qingcloud": Words(
        rows=("snapshot_set",),
        total="total_count",
        size="limit",
        offset="offset",
        key="snapshot_id",
        name="snapshot_name",
        status="status",
        moment="snapshot_time",
        gib=("snapshot_resource", "virtual_size", "size"),
        tags=("tag_name", "color"),
    ),
}
COUNTED = [name for name, words in WORDS.items() if words.token is None]
TOKENS = [name for name in WORDS if name not in COUNTED]
styles = pytest.mark.parametrize("style", list(STYLES))
counted = pytest.mark.parametrize("style", COUNTED)
tokens = pytest.mark.parametrize("style", TOKENS)


@attrs.frozen(kw_only=True)
class Asked:
    """What a request wants: where to begin, by row or by token, and how many rows."""

    request: int
    """The number of the request, from 1."""
    start: int
    size: int
    token: str | None = None


@attrs.define(kw_only=True)
class Reply:
    """What goes back. Fields of None are as the provider would send them."""

    rows: Any
    token: str = ""
    total: Any = ...
    failure: tuple[int, Mapping[str, Any]] | None = None


@attrs.define
class Stage:
    """One account of one provider whose listing of snapshots is played by a script."""

    harness: EmulatedHarness
    words: Words
    monkeypatch: pytest.MonkeyPatch
    asked: list[Asked] = attrs.field(factory=list[Asked])

    def client(self, *, keep_raw: bool = False, page: int = PAGE) -> Client:
        """Return a client that asks for *page* rows at a time."""
        driver = self.harness.open(keep_raw=keep_raw)
        limits = attrs.evolve(type(driver).limits, page=page)
        self.monkeypatch.setattr(type(driver), "limits", limits)
        return Client(driver)

    def listed(self, **settings: Any) -> tuple[list[Snapshot], ScopeReport]:
        """Return the rows of a listing and its report; raises what the listing raises."""
        listing = self.client(**settings).snapshots()
        found = list(listing)
        return found, listing.report.scopes[0]

    def broken_off(self, error: type[Exception]) -> tuple[list[Snapshot], ScopeReport, Any]:
        """Return what came before *error*, the report and the error."""
        listing = self.client().snapshots()
        found: list[Snapshot] = []
        with pytest.raises(error) as caught:
            found.extend(listing)  # an error leaves those that came
        return found, listing.report.scopes[0], caught.value

    def spoil(self, change: Callable[[int, list[Row]], Any]) -> None:
        """Let *change* see the rows of each listing answer, with its number, and change them.

        What it returns, if anything, stands in their place.
        """
        respond, number = self.harness.emulator.respond, 0

        def changed(request: Request) -> tuple[Answer | None, bool]:
            nonlocal number
            answer, cut = respond(request)
            if not self._lists() or answer is None or answer.status != 200:
                return answer, cut
            number += 1
            payload = json.loads(answer.body)
            place, last = self._place(payload)
            instead = change(number, place[last])
            place[last] = place[last] if instead is None else instead
            return attrs.evolve(answer, body=json.dumps(payload).encode()), cut

        self.monkeypatch.setattr(self.harness.emulator, "respond", changed)

    def play(self, script: Callable[[Asked], Reply]) -> None:
        """Answer listings by *script*; all else is answered as ever."""
        respond = self.harness.emulator.respond
        template: list[bytes] = []

        def played(request: Request) -> tuple[Answer | None, bool]:
            answer, cut = respond(request)
            if not self._lists() or answer is None:
                return answer, cut
            if answer.status == 200:
                template[:] = [answer.body]
            self.asked.append(self._asked(request))
            reply = script(self.asked[-1])
            if reply.failure is not None:
                status, body = reply.failure
                return Answer(status=status, body=json.dumps(body).encode()), False
            return Answer(body=self._written(template[0], reply)), False

        self.monkeypatch.setattr(self.harness.emulator, "respond", played)

    def shelf(self, count: int) -> list[Row]:
        """Put *count* snapshots behind the wire and return their rows as they are listed."""
        self.harness.add(*many(count))
        rows: list[Row] = []
        with self.monkeypatch.context() as patch:
            stage = attrs.evolve(self, monkeypatch=patch)
            stage.spoil(lambda _, page: rows.extend(page))
            stage.listed(page=100)
        return list({row[self.words.key]: row for row in rows}.values())

    def _lists(self) -> bool:
        return self.harness.emulator.log[-1].operation == "DescribeSnapshots"

    def _place(self, payload: dict[str, Any]) -> tuple[dict[str, Any], str]:
        *path, last = self.words.rows
        for name in path:
            payload = payload[name]
        return payload, last

    def _written(self, template: bytes, reply: Reply) -> bytes:
        payload = json.loads(template)
        place, last = self._place(payload)
        head = payload.get("Response", payload)
        place[last] = reply.rows
        if self.words.token is not None:
            head[self.words.token] = reply.token
        if reply.total is not ...:
            head[self.words.total] = reply.total
        return json.dumps(payload).encode()

    def _asked(self, request: Request) -> Asked:
        words, form = self.words, cast("dict[str, Any]", request.form)
        if request.body.startswith(b"{"):
            form = form | json.loads(request.body)
        size = int(form[words.size])
        number = len(self.asked) + 1
        if words.token is not None:
            return Asked(request=number, start=0, size=size, token=form.get(words.token))
        if words.number is not None:
            return Asked(request=number, start=(int(form[words.number]) - 1) * size, size=size)
        return Asked(request=number, start=int(form[words.offset or ""]), size=size)


@contextmanager
def staged(style: str, monkeypatch: pytest.MonkeyPatch) -> Generator[Stage]:
    """Give a stage for one style of listing."""
    make: Callable[[], EmulatedHarness] = STYLES[style]
    with make() as harness:
        yield Stage(harness, WORDS[style], monkeypatch)


def served(rows: Sequence[Row], asked: Asked, *, size: int | None = None, **more: Any) -> Reply:
    """Return the page that *asked* wants of *rows*; *size* is a server's own page size.

    Tokens are the place of the next row.
    """
    took = size or asked.size
    start = int(asked.token or 0) if asked.token is not None else asked.start
    page = list(rows[start : start + took])
    more_to_come = start + took < len(rows)
    reply = Reply(rows=page, total=len(rows), token=str(start + took) if more_to_come else "")
    return attrs.evolve(reply, **more)


def ids(rows: Sequence[Row], words: Words) -> list[str]:
    """Return the ids of *rows*."""
    return [row[words.key] for row in rows]
