"""A contract that passes a broken driver is worse than none; prove that each clause bites."""

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar, cast

import attrs
import pytest

from snapkit.credentials import Credentials
from snapkit.driver import Capability, Driver
from snapkit.errors import (
    AuthenticationError,
    Failure,
    NotFoundError,
    Sent,
    SnapkitError,
    UnsupportedError,
)
from snapkit.http import HttpResponse
from snapkit.model import (
    DiskRole,
    Kind,
    Region,
    Snapshot,
    SnapshotGroup,
    SnapshotStatus,
    SourceDisk,
    Tags,
    Usage,
)
from snapkit.paging import Cursor, Page, Position, Token
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.retry import Safety
from snapkit.rules import Rules, TextRule
from snapkit.testing import (
    DerivingDriver,
    DriverContract,
    Harness,
    MemoryDriver,
    MemoryHarness,
    TaggingDriver,
    verdicts,
)
from snapkit.testing.memory import MemoryApi
from snapkit.transport import Call
from snapkit.vocabulary import parse_time
from snapkit.writes import (
    MARKER_TAG,
    Change,
    Copied,
    CopyOrder,
    Disk,
    DiskQuery,
    GroupMade,
    ItemResult,
    MarkerPlace,
    NewDisk,
    NewGroup,
    NewSnapshot,
    RollBack,
)

Row = Mapping[str, Any]
STYLES = ("token", "page", "offset")


class Contract(DriverContract):
    """The contract on any driver for the tiny cloud."""

    def __init__(self, driver: type[Driver], style: str) -> None:
        self.driver, self.style = driver, style

    def make_harness(self) -> Harness:
        return MemoryHarness(self.driver, paging=self.style)


def broken_clauses(driver: type[Driver], style: str) -> set[str]:
    """Return the numbers of the clauses that *driver* breaks."""
    return {one.clause for one in verdicts(Contract(driver, style)) if not one.kept}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("driver", [MemoryDriver, TaggingDriver, DerivingDriver])
def test_the_reference_driver_keeps_every_clause(driver: type[Driver], style: str) -> None:
    """A contract that cannot be kept says nothing when it is broken."""
    found = verdicts(Contract(driver, style))

    assert [] == [(one.clause, one.error) for one in found if one.error is not None]
    assert [f"C{number:02d}" for number in range(1, 76)] == [one.clause for one in found]
    lacking = {"C66", "C68", "C73"} if driver is DerivingDriver else {"C62"}
    expected = {"C05" if style == "token" else "C04", *lacking}
    assert expected == {one.clause for one in found if one.skipped}


@attrs.frozen(kw_only=True)
class Mutant:
    """A broken driver, the clause that is meant for it, and the others it breaks."""

    driver: type[Driver]
    clause: str
    also: frozenset[str]
    style: str


MUTANTS: list[Mutant] = []
D = TypeVar("D", bound=Driver)


def breaks(clause: str, also: str = "", style: str = "token") -> Callable[[type[D]], type[D]]:
    """Enter a driver as a mutant."""

    def enter(driver: type[D]) -> type[D]:
        others = frozenset(also.split())
        MUTANTS.append(Mutant(driver=driver, clause=clause, also=others, style=style))
        return driver

    return enter


def wrapped(page: Page[Snapshot], **changes: Any) -> Page[Snapshot]:
    return attrs.evolve(page, **changes)


@breaks("C01")
class TakesNothingForAnError(MemoryDriver):
    """Has never met a new account."""

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        page = super().list_snapshots(query, cursor=cursor, limit=limit)
        if not page.items and query == SnapshotQuery():
            raise Failure.NOT_FOUND.error("nothing there", code="none")
        return page


@breaks("C02", also="C04 C06 C07 C13 C15 C31")
class DropsTheLastPage(MemoryDriver):
    """Stops as soon as the next page is the last."""

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        page = super().list_snapshots(query, cursor=cursor, limit=limit)
        if page.next is None:
            return page
        following = super().list_snapshots(query, cursor=page.next, limit=limit)
        return page if following.next else wrapped(page, next=None)


@breaks("C04", also="C02 C06 C07")
class RepeatsTheCursor(MemoryDriver):
    """Sends the first token for ever."""

    def place(self, answer: Row, cursor: Cursor | None) -> dict[str, Any]:
        following = super().place(answer, cursor)
        return {"next": cursor} if isinstance(cursor, Token) and following["next"] else following


@breaks("C06", style="offset")
class AdvancesByTheAskedSize(MemoryDriver):
    """Steps through an offset listing by the page size, without looking at what arrived."""

    def page(
        self,
        operation: str,
        asked: Mapping[str, Any],
        parse: Callable[..., Any],
        *,
        cursor: Cursor | None,
        limit: int,
    ) -> Page[Any]:
        page = super().page(operation, asked, parse, cursor=cursor, limit=limit)
        end = (page.start or 0) + limit
        return attrs.evolve(
            page, start=None, next=Position(end) if end < (page.total or 0) else None
        )


@breaks("C05", also="C02 C06 C07 C11 C13 C15 C42", style="offset")
class StartsAtAnotherRow(MemoryDriver):
    """Takes the position of a row for the number of a page."""

    def page(
        self,
        operation: str,
        asked: Mapping[str, Any],
        parse: Callable[..., Any],
        *,
        cursor: Cursor | None,
        limit: int,
    ) -> Page[Any]:
        wrong = Position(cursor.start // limit) if isinstance(cursor, Position) else None
        return attrs.evolve(
            super().page(operation, asked, parse, cursor=wrong, limit=limit),
            start=cursor.start if isinstance(cursor, Position) else 0,
        )


@breaks("C05", also="C07", style="offset")
class CountsFromOne(MemoryDriver):
    """Loses the first row of every page but the first."""

    def page(
        self,
        operation: str,
        asked: Mapping[str, Any],
        parse: Callable[..., Any],
        *,
        cursor: Cursor | None,
        limit: int,
    ) -> Page[Any]:
        moved = (
            Position(cursor.start + 1) if isinstance(cursor, Position) and cursor.start else cursor
        )
        page = super().page(operation, asked, parse, cursor=moved, limit=limit)
        return attrs.evolve(
            page, start=(page.start or 0) - 1 if moved is not cursor else page.start
        )


@breaks("C03")
class IgnoresTheLimit(MemoryDriver):
    """Asks for the largest page whatever the caller wants."""

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        del limit
        return super().list_snapshots(query, cursor=cursor, limit=20)


@breaks("C07", also="C31")
class AsksForTen(MemoryDriver):
    """Leaves the page size at the provider's default."""

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        return super().list_snapshots(query, cursor=cursor, limit=min(limit, 10))


@breaks("C08")
class RemembersItsPlace(MemoryDriver):
    """Keeps the cursor between calls."""

    place_kept: Cursor | None = None

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        page = super().list_snapshots(
            query, cursor=self.place_kept if cursor else None, limit=limit
        )
        self.place_kept = page.next
        return page


@breaks("C09")
class ChokesOnAnOddRow(MemoryDriver):
    """Skips what it cannot read without a word."""

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        return wrapped(super().list_snapshots(query, cursor=cursor, limit=limit), troubles=())


@breaks("C11")
class IgnoresTheIdFilter(MemoryDriver):
    """Mis-spells the ids, and gets everything."""

    def snapshot_filters(self, query: SnapshotQuery) -> dict[str, Any]:
        return super().snapshot_filters(attrs.evolve(query, ids=None))


@breaks("C12")
class IgnoresTheDiskFilter(MemoryDriver):
    """Declares that disks can be asked for, and does not ask."""

    def snapshot_filters(self, query: SnapshotQuery) -> dict[str, Any]:
        return super().snapshot_filters(attrs.evolve(query, disk_ids=None))


@breaks("C11", also="C17 C37 C41")
class CutsTheIds(MemoryDriver):
    """Sends only the first few ids."""

    def snapshot_filters(self, query: SnapshotQuery) -> dict[str, Any]:
        asked = super().snapshot_filters(query)
        return {**asked, "ids": asked["ids"][:4]} if "ids" in asked else asked


@breaks("C10", also="C46 C56 C57 C58 C59 C63")
class RaisesForAMissingId(MemoryDriver):
    """Takes an id that is not there for an error."""

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        page = super().list_snapshots(query, cursor=cursor, limit=limit)
        if query.ids is not None and len(page.items) < len(query.ids):
            raise NotFoundError("not all of them are there")
        return page


@breaks("C14")
class PushesDownOneWordOfTwo(MemoryDriver):
    """Knows two words for a status, and asks for the first."""

    def words(self, statuses: frozenset[SnapshotStatus]) -> list[str]:
        return [word for word in super().words(statuses) if word != "sealed"]


@breaks("C20", also="C14")
class AsksOnlyForKnownWords(MemoryDriver):
    """Filters by every word it knows, so that new ones never arrive."""

    def snapshot_filters(self, query: SnapshotQuery) -> dict[str, Any]:
        return {"states": self.words(frozenset(SnapshotStatus)), **super().snapshot_filters(query)}


@breaks("C17")
class JoinsFiltersWrongly(MemoryDriver):
    """Drops the filter on ids where there is one on disks, and the disks it can only match."""

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        page = super().list_snapshots(query, cursor=cursor, limit=limit)
        both = query.disk_ids is not None and query.ids is not None
        return wrapped(page, items=(), ids=()) if both else page


@breaks("C16", also="C14 C18 C19")
class NeverAsksForTheDeleted(MemoryDriver):
    """Cannot list what is gone, though the provider does."""

    def snapshot_filters(self, query: SnapshotQuery) -> dict[str, Any]:
        return super().snapshot_filters(query) | {"with_gone": False}


@breaks("C16", also="C14 C18")
class ShowsTheDeleted(MemoryDriver):
    """Lists what is gone as if it were there."""

    def snapshot_filters(self, query: SnapshotQuery) -> dict[str, Any]:
        return super().snapshot_filters(query) | {"with_gone": True}

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        gone = snapshot.status is SnapshotStatus.DELETED
        return attrs.evolve(snapshot, status=SnapshotStatus.SUSPENDED) if gone else snapshot


@breaks("C20", also="C14")
class CallsTheUnknownFailed(MemoryDriver):
    """Has an "else: failed"."""

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        unknown = snapshot.status is SnapshotStatus.UNKNOWN
        return attrs.evolve(snapshot, status=SnapshotStatus.FAILED) if unknown else snapshot


@breaks("C20", also="C14")
class RaisesForTheUnknown(MemoryDriver):
    """Looks a status up as if there could be no other."""

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        if snapshot.status is SnapshotStatus.UNKNOWN:
            raise KeyError(snapshot.raw_status)
        return snapshot


@breaks("C18", also="C19 C20")
class LosesTheRawStatus(MemoryDriver):
    """Puts the neutral word in the place of the provider's."""

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        return attrs.evolve(snapshot, raw_status=snapshot.status.value)


@breaks("C19", also="C20")
class RestoresWhatIsBroken(MemoryDriver):
    """Takes everything for restorable."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), restorable=True)


@breaks("C21", also="C15 C37 C43 C69 C73")
class ReadsGibAsBytes(MemoryDriver):
    """Leaves sizes as they came."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), size_bytes=row["gib"])


@breaks("C21", also="C15 C37 C43 C73")
class ReadsGibAsGigabytes(MemoryDriver):
    """Multiplies by a billion."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), size_bytes=row["gib"] * 10**9)


@breaks("C22", also="C15 C40")
class ReadsLocalTimeAsUtc(MemoryDriver):
    """Takes a time without a zone for UTC."""

    def moment(self, value: object) -> datetime | None:
        return parse_time(value, UTC)


@breaks("C22")
class LeavesTimesNaive(MemoryDriver):
    """Gives times without a zone."""

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        naive = snapshot.cut_at.replace(tzinfo=None) if snapshot.cut_at else None
        return attrs.evolve(snapshot, cut_at=naive)


@breaks("C23", also="C15 C40 C43 C67 C68")
class LosesTags(MemoryDriver):
    """Says that there are none."""

    def labels(self, row: Row) -> Tags:
        return Tags()


@breaks("C23", also="C15")
class LosesTheName(MemoryDriver):
    """Leaves out what is not ASCII."""

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        return attrs.evolve(
            snapshot, name=(snapshot.name or "").encode("ascii", "ignore").decode() or None
        )


@breaks("C24", also="C65")
class GivesEmptyTexts(MemoryDriver):
    """Hands on the provider's empty text."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), description=row["note"])


@breaks("C24")
class GivesZeroForUnsaid(MemoryDriver):
    """Claims that a snapshot occupies nothing."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), stored_bytes=0)


@breaks("C13", also="C17 C25")
class ConfusesRoles(MemoryDriver):
    """Knows only data disks."""

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        return attrs.evolve(snapshot, source=attrs.evolve(snapshot.source, role=DiskRole.DATA))


@breaks("C15", also="C25")
class ForgetsTheServer(MemoryDriver):
    """Gives the disk without the server it is attached to."""

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        return attrs.evolve(snapshot, source=attrs.evolve(snapshot.source, instance_id=None))


@breaks("C25", also="C12 C13 C15 C17 C43 C51 C52 C71 C72 C74")
class ForgetsTheDisk(MemoryDriver):
    """Gives no source at all."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), source=SourceDisk())


@breaks("C26")
class LosesTheRawRow(MemoryDriver):
    """Never keeps the answer."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), raw=None)


@breaks("C26")
class AlwaysKeepsTheRawRow(MemoryDriver):
    """Keeps the answer of a hundred thousand rows."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), raw=row)


@breaks("C27", also="C73")
class NamesAnotherRegion(MemoryDriver):
    """Says its home region wherever it is."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), region="m-9")


@breaks("C27")
class ForgetsTheAccount(MemoryDriver):
    """Leaves the account out."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), account="")


@breaks("C28", also="C40")
class CannotBeHashed(MemoryDriver):
    """Puts a dict where tags belong."""

    def snapshot(self, row: Row) -> Snapshot:
        found = super().snapshot(row)
        return attrs.evolve(found, tags=cast("Any", dict(found.tags or {})))


@breaks("C29", also="C30 C31 C32 C33 C34 C45 C46 C47 C54 C55 C63 C70 C71")
class SwallowsErrors(MemoryDriver):
    """Reads an error as no rows."""

    class Api(MemoryApi):
        def read(self, call: Call, response: HttpResponse) -> Row:
            return cast("Row", json.loads(response.body))

    api = Api()


@breaks("C31")
class SwallowsErrorsOnLaterPages(MemoryDriver):
    """Takes an error after the first page for the end."""

    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        try:
            return super().list_snapshots(query, cursor=cursor, limit=limit)
        except SnapkitError:
            if cursor is None:
                raise
            return Page(items=())


@breaks("C30", also="C32 C45 C46 C47 C54 C55 C56 C63 C70 C71")
class RaisesOneClassForAll(MemoryDriver):
    """Does not look at the code."""

    class Api(MemoryApi):
        def read(self, call: Call, response: HttpResponse) -> Row:
            try:
                return super().read(call, response)
            except SnapkitError as error:
                raise Failure.PERMISSION.error(error.message, code=error.code) from error

    api = Api()


@breaks("C32")
class KnocksAgain(MemoryDriver):
    """Sends a key that was refused again, until the account is locked."""

    def call(self, operation: str, params: Mapping[str, Any], safety: Safety = Safety.READ) -> Row:
        for _ in range(2):
            with contextlib.suppress(AuthenticationError):
                return super().call(operation, params, safety)
        return super().call(operation, params, safety)


@breaks("C33")
class LosesTheCode(MemoryDriver):
    """Tells what happened, and not in whose words."""

    class Api(MemoryApi):
        def read(self, call: Call, response: HttpResponse) -> Row:
            try:
                return super().read(call, response)
            except SnapkitError as error:
                error.code = None
                raise

    api = Api()


@breaks("C34")
class ShowsTheSecret(MemoryDriver):
    """Explains a refusal with all it knows."""

    def call(self, operation: str, params: Mapping[str, Any], safety: Safety = Safety.READ) -> Row:
        try:
            return super().call(operation, params, safety)
        except SnapkitError as error:
            credentials: Credentials = self.connection.transport.credentials.get()
            error.hint = f"the secret was {credentials.secret.reveal()}"
            raise


@breaks("C35")
class PretendsToDerive(MemoryDriver):
    """Does what it says it cannot, and finds nothing."""

    def derive_groups(self, snapshots: Sequence[Snapshot]) -> list[SnapshotGroup]:
        return []


@breaks("C35")
class SendsBeforeItRefuses(DerivingDriver):
    """Tries first, and says afterwards that it cannot."""

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        self.call("ListGroups", {})
        return Driver.list_groups(self, query, cursor=cursor, limit=limit)


@breaks("C36")
class ForgetsItsOwnRegion(MemoryDriver):
    """Lists the regions of somebody else."""

    def list_regions(self) -> list[Region]:
        return [region for region in super().list_regions() if region.id != self.connection.region]


@breaks("C37", also="C42 C51 C52 C55 C72")
class DropsAMember(MemoryDriver):
    """Gives a group without its last disk."""

    def group(self, row: Row) -> SnapshotGroup:
        return super().group({**row, "members": row["members"][:-1]})


@breaks("C38", also="C39 C40 C51 C72")
class GroupsByTimeAlone(DerivingDriver):
    """Takes snapshots of one time for a group, whatever their names and servers."""

    def derive_groups(self, snapshots: Sequence[Snapshot]) -> list[SnapshotGroup]:
        alike = [
            attrs.evolve(one, name="x", source=attrs.evolve(one.source, instance_id="x"))
            for one in snapshots
        ]
        return super().derive_groups(alike)


@breaks("C39")
class TakesEveryGroupForReady(MemoryDriver):
    """Gives groups a status of its own making."""

    def group(self, row: Row) -> SnapshotGroup:
        return attrs.evolve(super().group(row), status=SnapshotStatus.AVAILABLE, raw_status="ready")


@breaks("C40", also="C68")
class LosesGroupTags(MemoryDriver):
    """Leaves the tags of groups out."""

    def group(self, row: Row) -> SnapshotGroup:
        return attrs.evolve(super().group(row), tags=None)


@breaks("C41", also="C55 C56")
class GivesTheFirstGroupForAny(MemoryDriver):
    """Answers the group that was asked for with the one there is."""

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        page = super().list_groups(GroupQuery(), cursor=cursor, limit=limit)
        wanted = next(iter(query.ids or ()), None)
        return (
            page
            if wanted is None
            else attrs.evolve(page, items=[attrs.evolve(page.items[0], id=wanted)], next=None)
        )


@breaks("C42")
class ListsOnePageOfGroups(MemoryDriver):
    """Forgets that groups have pages too."""

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        return attrs.evolve(super().list_groups(query, cursor=cursor, limit=limit), next=None)


@breaks("C43")
class CreatesWithoutTags(MemoryDriver):
    """Leaves the tags for later, and never comes back."""

    def create_snapshot(self, new: NewSnapshot) -> str:
        return super().create_snapshot(attrs.evolve(new, tags=Tags()))


@breaks("C43")
class CreatesWithoutDescription(MemoryDriver):
    """Takes a description that it does not send."""

    def create_snapshot(self, new: NewSnapshot) -> str:
        return super().create_snapshot(attrs.evolve(new, description=None))


@breaks("C44", also="C45 C46 C47")
class MakesATokenPerCall(MemoryDriver):
    """Makes its own token, a new one for every call and every search."""

    def create_snapshot(self, new: NewSnapshot) -> str:
        fresh = self.connection.transport.clock.token(8).hex()
        return super().create_snapshot(attrs.evolve(new, token=fresh))


@breaks("C44", also="C45 C46 C47")
class LosesTheMarker(TaggingDriver):
    """Sends only the caller's own tags."""

    def create_snapshot(self, new: NewSnapshot) -> str:
        own = [pair for pair in new.tags.items() if pair[0] != MARKER_TAG]
        return super().create_snapshot(attrs.evolve(new, tags=Tags(own)))


@breaks("C45", also="C46")
class SendsAgainWithoutAToken(TaggingDriver):
    """Takes a creation for a thing that may be repeated."""

    def make(self, operation: str, asked: Row, place: MarkerPlace, token: str) -> Row:
        if operation == "CreateSnapshot":
            return self.call(operation, asked, Safety.REPEATABLE)
        return super().make(operation, asked, place, token)


@breaks("C46")
class LooksOnlyOnce(TaggingDriver):
    """Settles a lost answer by itself, with one look at a listing that runs behind."""

    def create_snapshot(self, new: NewSnapshot) -> str:
        try:
            return super().create_snapshot(new)
        except SnapkitError as error:
            if error.sent is Sent.NO:
                raise
            page = self.list_snapshots(SnapshotQuery(), cursor=None, limit=20)
            found = [one.id for one in page.items if one.tags == new.tags]
            return found[0] if found else super().create_snapshot(new)


@breaks("C47")
class MixesTheDiskIntoTheToken(MemoryDriver):
    """Makes one key two keys, so that a mix-up makes a snapshot."""

    def create_snapshot(self, new: NewSnapshot) -> str:
        mixed = hashlib.sha256(f"{new.token} {new.disk_id}".encode()).hexdigest()
        return super().create_snapshot(attrs.evolve(new, token=mixed))


@breaks("C48", also="C44 C45 C46 C56 C57 C66")
class NeverReady(MemoryDriver):
    """Waits for a field that the provider has no more."""

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        ready = row.get("by") == "request" and snapshot.status is SnapshotStatus.AVAILABLE
        return attrs.evolve(snapshot, status=SnapshotStatus.CREATING) if ready else snapshot


@breaks("C48")
class NeverRestorable(MemoryDriver):
    """Says when it is complete, and not that it can be restored."""

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        return attrs.evolve(snapshot, restorable=False) if row.get("by") else snapshot


@breaks("C49")
class CallsTheFailedCreating(MemoryDriver):
    """Goes by the progress, which stands still."""

    def snapshot(self, row: Row) -> Snapshot:
        snapshot = super().snapshot(row)
        failed = row.get("by") == "request" and snapshot.status is SnapshotStatus.FAILED
        return attrs.evolve(snapshot, status=SnapshotStatus.CREATING) if failed else snapshot


@breaks("C50")
class KnowsNoForms(MemoryDriver):
    """Leaves names to the provider."""

    rules = Rules(group_name=MemoryDriver.rules.group_name, tags=20)


@breaks("C50")
class CountsNoTags(MemoryDriver):
    """Leaves the number of tags to the provider."""

    rules = attrs.evolve(MemoryDriver.rules, tags=None)


@breaks("C51", also="C52")
class OverlooksADisk(TaggingDriver):
    """Lists all disks of a server but the last."""

    def list_disks(self, query: DiskQuery, *, cursor: Cursor | None, limit: int) -> Page[Disk]:
        page = super().list_disks(query, cursor=cursor, limit=limit)
        return page if query.ids is not None else attrs.evolve(page, items=page.items[1:])


@breaks("C52")
class IgnoresWhatIsLeftOut(MemoryDriver):
    """Takes all disks of the instance."""

    def create_group(self, new: NewGroup) -> GroupMade:
        return super().create_group(attrs.evolve(new, exclude_disk_ids=()))


@breaks("C53")
class KnowsNoFormsOfGroups(MemoryDriver):
    """Thinks of snapshots only."""

    rules = attrs.evolve(MemoryDriver.rules, group_name=TextRule())


@breaks("C54")
class MakesAGroupTokenPerCall(MemoryDriver):
    """Makes its own token, a new one for every call."""

    def create_group(self, new: NewGroup) -> GroupMade:
        fresh = self.connection.transport.clock.token(8).hex()
        return super().create_group(attrs.evolve(new, token=fresh))


@breaks("C55")
class SendsGroupsAgain(TaggingDriver):
    """Takes the creation of a group for a thing that may be repeated."""

    def make(self, operation: str, asked: Row, place: MarkerPlace, token: str) -> Row:
        if operation == "CreateGroup":
            return self.call(operation, asked, Safety.REPEATABLE)
        return super().make(operation, asked, place, token)


@breaks("C56", also="C57")
class DeletesOnlyTheGroup(MemoryDriver):
    """Takes the group apart, and keeps what it held."""

    def delete_group(self, group: SnapshotGroup, *, force: bool) -> list[ItemResult]:
        return [ItemResult(id=member.id) for member in group.members]


@breaks("C57")
class TrustsTheGroupsSuccess(MemoryDriver):
    """Reports every member as deleted because the answer is a success."""

    def delete_group(self, group: SnapshotGroup, *, force: bool) -> list[ItemResult]:
        results = super().delete_group(group, force=force)
        return [attrs.evolve(result, error=None) for result in results]


@breaks("C58", also="C56 C57 C59 C61 C62 C63")
class DeletesNothing(DerivingDriver):
    """Says that it is done."""

    def delete_snapshots(self, ids: Sequence[str], *, force: bool) -> list[ItemResult]:
        return [ItemResult(id=one) for one in ids]


@breaks("C59", also="C63")
class TakesTheAbsentForAnError(MemoryDriver):
    """Has somebody woken because the work was done already."""

    def deletion(self, row: Row) -> ItemResult:
        return self.result(row)


@breaks("C60")
class HidesImages(MemoryDriver):
    """Does not say what stands on a snapshot."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), usage=Usage())


@breaks("C61", also="C57")
class TrustsTheSuccess(MemoryDriver):
    """Reports every item as deleted because the answer is a success."""

    def deletion(self, row: Row) -> ItemResult:
        return attrs.evolve(super().deletion(row), error=None)


@breaks("C62")
class ForgetsWhatBuildsOnIt(DerivingDriver):
    """Takes chains for the provider's own business."""

    deletes_subtree = False


@breaks("C62")
class LosesTheParent(DerivingDriver):
    """Knows that branches go together, and not what a branch is."""

    def snapshot(self, row: Row) -> Snapshot:
        return attrs.evolve(super().snapshot(row), parent_id=None)


@breaks("C63")
class DeletesOnlyOnce(MemoryDriver):
    """Gives up a deletion whose answer was lost."""

    def delete_snapshots(self, ids: Sequence[str], *, force: bool) -> list[ItemResult]:
        asked = {"ids": list(ids), "force": force}
        answer = self.call("DeleteSnapshots", asked, Safety.ONCE)
        return [self.deletion(row) for row in answer["results"]]


@breaks("C64", also="C68")
class RenamesNothing(MemoryDriver):
    """Sends the new name under a word that it takes for an old one."""

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        super().change_snapshot(snapshot_id, attrs.evolve(change, name=None))


@breaks("C64", also="C66")
class RenamesWithAnExpiry(MemoryDriver):
    """Sends everything it knows about, so that a new name takes the rest away."""

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        note = "" if change.description is None else change.description
        later = change.expires_at or datetime(2030, 1, 1, tzinfo=UTC)
        changed = attrs.evolve(change, description=note, expires_at=later, permanent=False)
        super().change_snapshot(snapshot_id, changed)


@breaks("C65")
class NeverClearsADescription(MemoryDriver):
    """Takes an empty text for nothing to change."""

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        super().change_snapshot(
            snapshot_id, attrs.evolve(change, description=change.description or None)
        )


@breaks("C66")
class ExpiresEarly(MemoryDriver):
    """Writes UTC where the provider reads local time."""

    def until(self, order: NewSnapshot | Change) -> str | None:
        return None if order.expires_at is None else f"{order.expires_at:%Y-%m-%d %H:%M:%S}"


@breaks("C66")
class NeverForgetsAnExpiry(MemoryDriver):
    """Takes "permanent" for nothing to change."""

    def change_snapshot(self, snapshot_id: str, change: Change) -> None:
        super().change_snapshot(snapshot_id, attrs.evolve(change, permanent=False))


@breaks("C67")
class ReplacesAllTags(MemoryDriver):
    """Sets tags, and takes all others away."""

    def tag(self, kind: Kind, ids: Sequence[str], tags: Tags) -> list[ItemResult]:
        return self.label(kind, ids, self.written_tags(tags), ("team", "tier"))


@breaks("C67", also="C68")
class TakesAllTagsAway(MemoryDriver):
    """Takes all tags away when one was named."""

    def untag(self, kind: Kind, ids: Sequence[str], keys: Sequence[str]) -> list[ItemResult]:
        return super().untag(kind, ids, ("team", "tier", "use"))


@breaks("C68")
class TagsOnlySnapshots(MemoryDriver):
    """Does not look at what kind of thing it is."""

    def tag(self, kind: Kind, ids: Sequence[str], tags: Tags) -> list[ItemResult]:
        if kind is Kind.GROUP:
            return [ItemResult(id=one, kind=kind) for one in ids]
        return super().tag(kind, ids, tags)


@breaks("C69")
class RestoresTheSmallest(MemoryDriver):
    """Takes the snapshot's size whatever was asked for."""

    def create_disk(self, new: NewDisk) -> str:
        return super().create_disk(attrs.evolve(new, size_bytes=None))


@breaks("C70")
class MakesADiskTokenPerCall(MemoryDriver):
    """Makes its own token, a new one for every call."""

    def create_disk(self, new: NewDisk) -> str:
        fresh = self.connection.transport.clock.token(8).hex()
        return super().create_disk(attrs.evolve(new, token=fresh))


@breaks("C70")
class FindsNoDisks(TaggingDriver):
    """Cannot find the disk that it made."""

    def disks_named(self, name: str) -> list[Disk]:
        return []


@breaks("C71")
class RollsBackAgain(MemoryDriver):
    """Takes a rollback for a thing that may be repeated."""

    def roll_back(
        self, pairs: Sequence[RollBack], *, group_id: str | None, stop: bool, start: bool
    ) -> list[ItemResult]:
        asked = {"pairs": [[pair.snapshot_id, pair.disk_id] for pair in pairs]}
        answer = self.call("RollBack", asked, Safety.REPEATABLE)
        return [self.result(row) for row in answer["results"]]


@breaks("C72")
class TellsOfOneDisk(MemoryDriver):
    """Takes the first result for all."""

    def roll_back(
        self, pairs: Sequence[RollBack], *, group_id: str | None, stop: bool, start: bool
    ) -> list[ItemResult]:
        return super().roll_back(pairs, group_id=group_id, stop=stop, start=start)[:1]


@breaks("C73")
class CopiesToItself(MemoryDriver):
    """Names its own region in the place of the others."""

    def copy_snapshot(self, order: CopyOrder) -> list[Copied]:
        here = attrs.evolve(order, regions=(self.connection.region, *order.regions[1:]))
        told = super().copy_snapshot(here)
        return [attrs.evolve(one, region=to) for one, to in zip(told, order.regions, strict=True)]


@breaks("C73")
class HidesFailedRegions(MemoryDriver):
    """Tells only of the copies that were started."""

    def copy_snapshot(self, order: CopyOrder) -> list[Copied]:
        return [attrs.evolve(one, error=None) for one in super().copy_snapshot(order)]


@breaks("C74")
class PromisesLocks(MemoryDriver):
    """Declares what it does not have."""

    lock = Driver.lock


@breaks("C75")
class GivesNoReason(DerivingDriver):
    """Says no, and not why."""

    refusals: ClassVar[Mapping[Capability, str]] = {}


@breaks("C75")
class LooksBeforeItRefuses(DerivingDriver):
    """Asks the provider whether it has learned to lock."""

    @classmethod
    def unsupported(cls, capability: Capability) -> UnsupportedError:
        return UnsupportedError("no")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.driver.__name__)
def test_a_broken_driver_is_rejected_by_the_clause_meant_for_it(mutant: Mutant) -> None:
    """A mutant that dies of something else would hide a clause that never bites."""
    assert {mutant.clause, *mutant.also} == broken_clauses(mutant.driver, mutant.style)


def test_every_clause_has_a_driver_that_was_broken_for_it() -> None:
    """A clause that nothing can break is not a rule."""
    assert {f"C{number:02d}" for number in range(1, 76)} == {mutant.clause for mutant in MUTANTS}


def test_every_broken_driver_says_what_is_wrong_with_it_and_has_a_name_of_its_own() -> None:
    """The page on the contract tells it in these words."""
    names = [mutant.driver.__name__ for mutant in MUTANTS]
    told = [mutant.driver.__doc__ for mutant in MUTANTS if "__doc__" in vars(mutant.driver)]

    assert sorted(set(names)) == sorted(names)
    assert [] == [one for one in told if not one]
    assert len(told) == len(names)
