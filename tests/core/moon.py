"""A provider in memory, for tests of what lies above the driver."""

# pyright: reportPrivateUsage=false
# The table of adapters is kept for the process, and has to be read anew.

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import attrs
import pytest

from snapkit import registry
from snapkit.credentials import Credentials, EnvironmentNames, KeyNames
from snapkit.driver import Capability, Driver, Limits, Option
from snapkit.model import Region, Snapshot, SnapshotGroup, SnapshotStatus, SourceDisk
from snapkit.paging import Cursor, Page, Position
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.settings import Target

KEYS = Credentials(key_id="AK1", secret="secret")


def snapshot(number: int, *, region: str = "sea", **changes: Any) -> Snapshot:
    """Return a snapshot of disk d-*number*."""
    plain = Snapshot(
        id=f"s-{number:05d}",
        provider="moon",
        account="",
        region=region,
        status=SnapshotStatus.AVAILABLE,
        raw_status="normal",
        source=SourceDisk(id=f"d-{number:05d}"),
    )
    return attrs.evolve(plain, **changes)


def bare(number: int) -> Snapshot:
    """Return a member of which only the id is known."""
    return snapshot(
        number, status=SnapshotStatus.UNKNOWN, raw_status=None, source=SourceDisk(id=None)
    )


def group(number: int, members: Sequence[Snapshot], **changes: Any) -> SnapshotGroup:
    """Return a group that the provider keeps, without a status of its own."""
    plain = SnapshotGroup(
        id=f"g-{number:03d}",
        provider="moon",
        account="",
        region="sea",
        status=SnapshotStatus.UNKNOWN,
        raw_status=None,
        members=tuple(members),
    )
    return attrs.evolve(plain, **changes)


@attrs.define
class Sky:
    """What one region holds and how it behaves."""

    rows: list[Snapshot] = attrs.field(factory=list[Snapshot])
    groups: list[SnapshotGroup] = attrs.field(factory=list[SnapshotGroup])
    before: Callable[[int], None] = lambda page: None
    """Called with the number of each request, from 1; may raise or wait."""
    troubles: tuple[str, ...] = ()
    careless: bool = False
    """Whether filters are not pushed down."""
    asked: list[SnapshotQuery | GroupQuery] = attrs.field(factory=list[SnapshotQuery | GroupQuery])
    closed: int = 0

    def visit(self, query: SnapshotQuery | GroupQuery) -> None:
        self.asked.append(query)
        self.before(len(self.asked))


class Moon(Driver):
    """The adapter for it."""

    name = "moon"
    title = "Moon"
    capabilities = frozenset({Capability.GROUPS, Capability.REGIONS})
    limits = Limits(page=100, ids=100, disk_ids=50, group_ids=10)
    environment = EnvironmentNames(
        keys=(KeyNames("MOON_ID", "MOON_KEY"),), regions=("MOON_REGION",)
    )
    options: ClassVar[Mapping[str, Option]] = {
        "paging": Option(help="how", choices=("offset", "token")),
        "zone": Option(help="where"),
    }
    home_region = "sea"
    skies: ClassVar[dict[str, Sky]] = {}

    @property
    def sky(self) -> Sky:
        return self.skies[self.connection.region]

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        sky = self.sky
        assert query.ids is None or len(query.ids) <= self.limits.ids
        sky.visit(query)
        rows = [
            row
            for row in sky.rows
            if sky.careless
            or (
                (query.ids is None or row.id in query.ids)
                and (query.disk_ids is None or row.source.id in query.disk_ids)
            )
        ]
        return _page(rows, cursor, limit, sky.troubles)

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        sky = self.sky
        assert query.ids is None or len(query.ids) <= (self.limits.group_ids or 0)
        sky.visit(query)
        wanted = [
            one for one in sky.groups if sky.careless or query.ids is None or one.id in query.ids
        ]
        return _page(wanted, cursor, limit, sky.troubles)

    def list_regions(self) -> list[Region]:
        return [Region(provider="moon", id=name) for name in self.skies]

    def close(self) -> None:
        self.sky.closed += 1


class Bleak(Moon):
    """An adapter without groups and regions."""

    name = "bleak"
    capabilities = frozenset()
    refusals: ClassVar[Mapping[Capability, str]] = {Capability.GROUPS: "take them one by one"}


class Derived(Moon):
    """An adapter whose groups are inferred."""

    name = "derived"
    capabilities = frozenset({Capability.DERIVED_GROUPS})

    def derive_groups(self, snapshots: Sequence[Snapshot]) -> list[SnapshotGroup]:
        return [group(1, snapshots, status=SnapshotStatus.AVAILABLE)]


def _page(rows: Sequence[Any], cursor: Cursor | None, limit: int, troubles: Any) -> Page[Any]:
    start = cursor.start if isinstance(cursor, Position) else 0
    items = rows[start : start + limit]
    return Page(items=items, start=start, total=len(rows), troubles=() if start else troubles)


@contextmanager
def rising(monkeypatch: pytest.MonkeyPatch) -> Generator[dict[str, Sky], None, None]:
    """Register the adapters and give the regions, to be filled."""
    known = dict(registry.IN_TREE["snapkit.drivers"])
    for kind in (Moon, Bleak, Derived):
        known[kind.name] = f"tests.core.moon:{kind.__name__}"
    monkeypatch.setattr(registry, "IN_TREE", {**registry.IN_TREE, "snapkit.drivers": known})
    monkeypatch.setattr(Moon, "skies", {})
    registry._published.cache_clear()
    yield Moon.skies
    registry._published.cache_clear()


def target(region: str = "sea", **changes: Any) -> Target:
    """Return a target with keys."""
    return attrs.evolve(Target(provider="moon", region=region, credentials=KEYS), **changes)
