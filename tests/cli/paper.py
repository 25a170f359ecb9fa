"""A cloud on paper: a driver whose rows and failures a test writes down."""

from datetime import UTC, datetime
from typing import Any, ClassVar

import attrs

from snapkit.credentials import EnvironmentNames, KeyNames
from snapkit.driver import Capability, Driver, Limits, Option
from snapkit.model import (
    DiskCategory,
    DiskRole,
    Origin,
    Region,
    Snapshot,
    SnapshotGroup,
    SnapshotKind,
    SnapshotStatus,
    SourceDisk,
    Tags,
)
from snapkit.paging import Cursor, Page, Token
from snapkit.query import GroupQuery, SnapshotQuery

GIB = 1024**3
HOSTILE = "\x1b[31m=HYPERLINK(1)\r\n\u202etxt\u200b\ud800\u9b54"
FORMULA = "=cmd|' /C calc'!A0"


def snapshot(snapshot_id: str, region: str = "north", **changes: Any) -> Snapshot:
    """Return an ordinary snapshot with *changes*."""
    plain = Snapshot(
        id=snapshot_id,
        provider="paper",
        account="",
        region=region,
        name=f"name of {snapshot_id}",
        status=SnapshotStatus.AVAILABLE,
        raw_status="fine",
        created_at=datetime(2026, 3, 1, 6, 0, tzinfo=UTC),
        size_bytes=40 * GIB,
        source=SourceDisk(
            id="d-1", role=DiskRole.SYSTEM, category=DiskCategory.SSD, instance_id="i-1"
        ),
        kind=SnapshotKind.FULL,
        origin=Origin.MANUAL,
        encrypted=False,
        tags=Tags([("env", "prod")]),
        raw={"Id": snapshot_id, "Secret": 1.5},
    )
    return attrs.evolve(plain, **changes)


def group(group_id: str, region: str = "north", **changes: Any) -> SnapshotGroup:
    """Return an ordinary group of two snapshots with *changes*."""
    plain = SnapshotGroup(
        id=group_id,
        provider="paper",
        account="",
        region=region,
        name=f"group {group_id}",
        status=SnapshotStatus.AVAILABLE,
        raw_status="fine",
        created_at=datetime(2026, 3, 1, 6, 0, tzinfo=UTC),
        instance_id="i-1",
        members=(snapshot("s-1", region), snapshot("s-2", region)),
    )
    return attrs.evolve(plain, **changes)


class PaperDriver(Driver):
    """Answers from the class's own pages; ``failures`` raise after the rows of a region."""

    name = "paper"
    title = "Paper cloud"
    capabilities = frozenset({Capability.GROUPS, Capability.REGIONS})
    limits = Limits(page=2)
    environment = EnvironmentNames(
        keys=[KeyNames("PAPER_KEY", "PAPER_SECRET", ["PAPER_TOKEN"])], regions=["PAPER_REGION"]
    )
    options: ClassVar = {"ink": Option(help="colour of the ink", choices=("blue", "black"))}
    home_region = "north"

    rows: ClassVar[dict[str, list[Snapshot]]] = {}
    groups: ClassVar[dict[str, list[SnapshotGroup]]] = {}
    failures: ClassVar[dict[str, Exception]] = {}

    def _page(self, kind: str, cursor: Cursor | None, limit: int) -> Page[Any]:
        region = self.connection.region
        rows: list[Any] = (self.rows if kind == "rows" else self.groups).get(region, [])
        start = int(cursor.value) if isinstance(cursor, Token) else 0
        end = start + limit
        if start >= len(rows) and region in self.failures:
            raise self.failures[region]
        more = end < len(rows) or region in self.failures
        shown = [
            attrs.evolve(row, raw=row.raw if self.connection.keep_raw else None)
            for row in rows[start:end]
        ]
        return Page(items=shown, next=Token(str(end)) if more else None)

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        return self._page("rows", cursor, limit)

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        return self._page("groups", cursor, limit)

    def list_regions(self) -> list[Region]:
        if "regions" in self.failures:
            raise self.failures["regions"]
        return [Region(provider="paper", id="north", name="北方", open=True)]
