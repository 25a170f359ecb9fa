"""What a client does about writes, whatever the provider."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from snapkit.client import Client
from snapkit.driver import Capability
from snapkit.errors import (
    ArgumentError,
    ConflictError,
    IdempotencyConflictError,
    NotFoundError,
    OutcomeUnknown,
    QuotaError,
    Sent,
    ThrottledError,
    TransportError,
    UnavailableError,
    UnsupportedError,
)
from snapkit.model import (
    Kind,
    Origin,
    Snapshot,
    SnapshotGroup,
    SnapshotStatus,
    SourceDisk,
    Tags,
    Usage,
)
from snapkit.rules import Rules, TextRule
from snapkit.writes import (
    MARKER_TAG,
    Blocker,
    Disk,
    GroupMade,
    NewGroup,
    Reason,
    carries,
    marked_name,
    marker_of,
)
from tests.ledger import Cloud, LedgerDriver, NameDriver, TagDriver, client_over, snapshot

LOST = TransportError("cut", sent=Sent.MAYBE)
STYLES = pytest.mark.parametrize(
    "base", [LedgerDriver, TagDriver, NameDriver], ids=["token", "tag", "name"]
)
SEARCHING = pytest.mark.parametrize("base", [TagDriver, NameDriver], ids=["tag", "name"])


def creates(cloud: Cloud) -> int:
    return sum(name in ("create", "create_group", "create_disk") for name, _ in cloud.sent)


@STYLES
def test_a_snapshot_is_made_as_asked_for(base: type[LedgerDriver]) -> None:
    """Whichever way the caller's request is marked."""
    cloud = Cloud()
    made = client_over(cloud, base).create("d-1", name="before", tags={"team": "shop"})

    assert "before" == made.name
    assert "shop" == dict(made.tags or Tags())["team"]
    assert SnapshotStatus.CREATING is made.status
    assert 1 == creates(cloud)


@STYLES
def test_an_invisible_snapshot_comes_back_as_asked_for(base: type[LedgerDriver]) -> None:
    """The id is what the caller needs; reads lag behind writes."""
    made = client_over(Cloud(lag=99), base).create("d-1", name="before")

    assert (SnapshotStatus.CREATING, "d-1", None) == (made.status, made.source.id, made.raw_status)


@STYLES
def test_the_same_key_gives_the_same_snapshot(base: type[LedgerDriver]) -> None:
    """From another process, after a crash, next week."""
    cloud = Cloud()
    first = client_over(cloud, base).create("d-1", key="nightly")
    second = client_over(cloud, base).create("d-1", key="nightly")

    assert first.id == second.id
    assert 1 == len(cloud.snapshots)


@STYLES
def test_without_a_key_two_calls_are_two_snapshots(base: type[LedgerDriver]) -> None:
    """A key that nobody gave must not stick."""
    cloud = Cloud()
    client = client_over(cloud, base)
    client.create("d-1", name="same")
    client.create("d-1", name="same")

    assert 2 == len(cloud.snapshots)


@SEARCHING
def test_the_key_of_another_disk_is_a_conflict(base: type[LedgerDriver]) -> None:
    """Not a snapshot of the wrong disk."""
    client = client_over(Cloud(), base)
    client.create("d-1", key="nightly")
    with pytest.raises(IdempotencyConflictError, match="'nightly' was used for s-new-1"):
        client.create("d-2", key="nightly")


@SEARCHING
@pytest.mark.parametrize("lag", [0.0, 20.0])
def test_a_lost_answer_is_adopted(base: type[LedgerDriver], lag: float) -> None:
    """One request, one snapshot."""
    cloud = Cloud(lost=[LOST], lag=lag)
    made = client_over(cloud, base).create("d-1", name="before")

    assert [made.id] == list(cloud.snapshots)
    assert "before" == made.name


@SEARCHING
def test_a_lost_request_is_sent_again_once_nothing_is_found(base: type[LedgerDriver]) -> None:
    """And makes one."""
    cloud = Cloud(unsent=[LOST])
    client_over(cloud, base).create("d-1")

    assert (2, 1) == (creates(cloud), len(cloud.snapshots))


def test_a_marker_in_a_tag_stays_there() -> None:
    """It is what a later run finds."""
    cloud = Cloud()
    made = client_over(cloud, TagDriver).create("d-1", key="nightly")

    assert marker_of("nightly") == dict(made.tags or Tags())[MARKER_TAG]


def test_a_marker_in_a_name_goes_when_nobody_can_come_back_for_it() -> None:
    """With a key of the caller's it must stay; without one the name is the caller's."""
    cloud = Cloud()
    client = client_over(cloud, NameDriver)
    kept = client.create("d-1", name="before", key="nightly")
    cleaned = client.create("d-1", name="before")

    assert marked_name("before", marker_of("nightly")) == kept.name
    assert "before" == cleaned.name


def test_a_name_that_cannot_be_cleaned_is_no_reason_to_fail() -> None:
    """The snapshot is made."""
    cloud = Cloud()
    client = client_over(cloud, NameDriver)

    def fail(*_: object) -> None:
        cloud.unsent = [QuotaError("no")]

    driver: Any = client._driver  # pyright: ignore[reportPrivateUsage] - spied on
    driver.finish_snapshot = fail
    made = client.create("d-1", name="before")

    assert (made.name or "").startswith("before~")


@SEARCHING
def test_an_outcome_that_stays_unknown_has_key_and_marker(base: type[LedgerDriver]) -> None:
    """And the same call with that key settles it."""
    cloud = Cloud(lost=[LOST])
    client = client_over(cloud, base)
    cloud.blind = [UnavailableError("ill") for _ in range(99)]
    with pytest.raises(OutcomeUnknown) as caught:
        client.create("d-1")
    cloud.blind = []
    settled = client.create("d-1", key=caught.value.key)

    assert [settled.id] == list(cloud.snapshots)
    assert marker_of(caught.value.key or "") == caught.value.marker


@STYLES
def test_groups_are_made_once(base: type[LedgerDriver]) -> None:
    """With a lost answer (where it is searched for), and again with the same key."""
    cloud = Cloud(lost=[LOST] if base is not LedgerDriver else [])
    client = client_over(cloud, base)
    first = client.create_group(disk_ids=["d-1", "d-2"], key="nightly")
    second = client.create_group(disk_ids=["d-1", "d-2"], key="nightly")

    assert first.id == second.id
    assert (1, 2) == (len(cloud.groups), len(cloud.snapshots))


@SEARCHING
def test_the_key_of_another_group_is_a_conflict(base: type[LedgerDriver]) -> None:
    """Other disks are another source."""
    client = client_over(Cloud(), base)
    client.create_group(disk_ids=["d-1", "d-2"], key="nightly")
    with pytest.raises(IdempotencyConflictError):
        client.create_group(disk_ids=["d-1", "d-3"], key="nightly")


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ({}, "needs an instance or disks"),
        ({"disk_ids": []}, "needs an instance or disks"),
        ({"disk_ids": ["d-1"], "exclude_disk_ids": ["d-2"]}, "exclude each other"),
        ({"exclude_disk_ids": ["d-2"]}, "needs an instance or disks"),
    ],
    ids=["nothing", "no-disks", "both", "exclude-only"],
)
def test_a_group_that_makes_no_sense_is_not_sent(order: dict[str, Any], said: str) -> None:
    """The documented rules are checked first."""
    cloud = Cloud()
    with pytest.raises(ArgumentError, match=said):
        client_over(cloud).create_group(**order)

    assert [] == cloud.sent


def disks(*ids: str) -> dict[str, Disk]:
    return {one: Disk(id=one, instance_id="i-1") for one in ids}


def test_an_instance_is_resolved_where_the_provider_takes_disks() -> None:
    """Without those that are left out."""
    cloud = Cloud(disks=disks("d-1", "d-2", "d-3"))
    client = client_over(cloud, groups_by_instance=False)
    made = client.create_group(instance_id="i-1", exclude_disk_ids=["d-2"])

    assert ["d-1", "d-3"] == [member.source.id for member in made.members]


@pytest.mark.parametrize("left_out", [["d-9"], ["d-1"]], ids=["foreign", "all"])
def test_disks_to_leave_out_must_be_there_and_not_all(left_out: list[str]) -> None:
    """A typing error would take one too many."""
    client = client_over(Cloud(disks=disks("d-1")), groups_by_instance=False)
    with pytest.raises(ArgumentError):
        client.create_group(instance_id="i-1", exclude_disk_ids=left_out)


BAD: list[Callable[[Client], object]] = [
    lambda client: client.create("d-1", name="auto-1"),
    lambda client: client.create("d-1", tags={"a": "", "b": "", "c": ""}),
    lambda client: client.create(""),
    lambda client: client.create("d-1", description="x" * 300),
    lambda client: client.create_group(instance_id="i-1", name="auto"),
    lambda client: client.change("s-1", name="auto"),
    lambda client: client.change("s-1"),
    lambda client: client.change("s-1", expires_at=datetime.now(UTC), permanent=True),
    lambda client: client.tag(["s-1"], {}),
    lambda client: client.tag([], {"a": "b"}),
    lambda client: client.untag(["s-1"], []),
    lambda client: client.delete([]),
    lambda client: client.copy("s-1", ["north"]),
    lambda client: client.copy("s-1", []),
    lambda client: client.lock("s-1", days=0),
    lambda client: client.share(["s-1"], []),
    lambda client: client.restore("s-1", size_bytes=1),
    lambda client: client.roll_back("s-1", start_instance=True),
]


@pytest.mark.parametrize("call", BAD)
def test_bad_arguments_are_refused_before_sending(
    call: Callable[[Client], object],
) -> None:
    """With the reason, by the rules that the driver declares."""
    cloud = Cloud()
    cloud.add(snapshot("s-1"))
    name = TextRule(forbidden_starts=("auto",))
    rules = Rules(name=name, group_name=name, description=TextRule(longest=256), tags=2)
    with pytest.raises(ArgumentError):
        call(client_over(cloud, rules=rules))

    assert [] == cloud.sent


LACKING: list[tuple[Capability, Callable[[Client], object]]] = [
    (Capability.CREATE, lambda client: client.create("d-1")),
    (Capability.TAG, lambda client: client.create("d-1", tags={"a": "b"})),
    (Capability.DESCRIBE, lambda client: client.create("d-1", description="x")),
    (Capability.EXPIRE, lambda client: client.create("d-1", expires_at=datetime.now(UTC))),
    (Capability.CHOOSE_KIND, lambda client: client.create("d-1", kind="full")),
    (Capability.CREATE_GROUP, lambda client: client.create_group(instance_id="i-1")),
    (Capability.RENAME, lambda client: client.change("s-1", name="x")),
    (Capability.RENAME_GROUP, lambda client: client.change_group("g-1", name="x")),
    (Capability.TAG, lambda client: client.tag(["s-1"], {"a": "b"})),
    (Capability.TAG_GROUP, lambda client: client.tag(["g-1"], {"a": ""}, kind=Kind.GROUP)),
    (Capability.DELETE, lambda client: client.delete(["s-1"])),
    (Capability.DELETE_GROUP, lambda client: client.delete_group("g-1")),
    (Capability.RESTORE, lambda client: client.restore("s-1")),
    (Capability.ROLL_BACK, lambda client: client.roll_back("s-1")),
    (Capability.ROLL_BACK_GROUP, lambda client: client.roll_back_group("g-1")),
    (Capability.COPY, lambda client: client.copy("s-1", ["south"])),
    (Capability.SHARE, lambda client: client.share(["s-1"], ["a"])),
    (Capability.LOCK, lambda client: client.lock("s-1", days=1)),
    (Capability.LOCK, lambda client: client.unlock("s-1")),
    (Capability.DISKS, lambda client: client.disks(instance_id="i-1")),
]


@pytest.mark.parametrize(("capability", "call"), LACKING)
def test_what_a_provider_cannot_do_fails_before_anything_is_sent(
    capability: Capability, call: Callable[[Client], object]
) -> None:
    """With the reason and, where there is one, the other way."""
    cloud = Cloud()
    cloud.add(snapshot("s-1"))
    client = client_over(
        cloud,
        capabilities=LedgerDriver.capabilities - {capability},
        refusals={capability: "do it by hand"},
    )
    with pytest.raises(UnsupportedError, match="do it by hand") as caught:
        call(client)

    assert "north" == caught.value.region
    assert ([], []) == (cloud.sent, cloud.looks)


def test_tags_are_set_in_parts_and_a_part_that_fails_fails_alone() -> None:
    """Two at a time here; the first part works."""
    cloud = Cloud()
    client = client_over(cloud)
    ids = [f"s-{number}" for number in range(5)]

    def fail(*_: Any) -> None:
        cloud.unsent = [UnavailableError("ill")]

    driver: Any = client._driver  # pyright: ignore[reportPrivateUsage] - spied on
    original = driver.tag

    def tag(*given: Any) -> Any:
        done = original(*given)
        if len(cloud.sent) == 1:
            fail()
        return done

    driver.tag = tag
    results = client.tag(ids, {"a": "b"})

    assert [True, True, False, False, True] == [one.ok for one in results]
    assert [["s-0", "s-1"], ["s-2", "s-3"], ["s-4"]] == [what[1] for _, what in cloud.sent]


def test_one_item_that_is_refused_is_told_among_the_others() -> None:
    """A list of results, not an exception that hides what worked."""
    cloud = Cloud(refused={"s-1": NotFoundError("gone")})
    results = client_over(cloud).untag(["s-0", "s-1"], ["a"])

    assert [True, False] == [one.ok for one in results]


def test_a_restore_is_one_disk() -> None:
    """With the key of an earlier run it is that run's."""
    cloud = Cloud()
    cloud.add(snapshot("s-1"))
    first = client_over(cloud).restore("s-1", key="once")
    second = client_over(cloud).restore("s-1", key="once")

    assert first.id == second.id
    assert ("north-a", True) == (first.zone, first.busy)


def test_a_restore_without_tokens_is_found_by_its_name() -> None:
    """As for snapshots."""
    cloud = Cloud(lost=[LOST])
    cloud.add(snapshot("s-1"))
    disk = client_over(cloud, NameDriver).restore("s-1", name="restored")

    assert [disk.id] == list(cloud.disks)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": SnapshotStatus.CREATING, "restorable": False},
        {"status": SnapshotStatus.RECYCLED, "restorable": False},
        {"status": SnapshotStatus.FAILED, "restorable": False},
    ],
    ids=lambda changes: str(changes["status"].value),
)
def test_what_is_not_ready_is_not_restored(changes: dict[str, Any]) -> None:
    """Nothing is sent, and the state is named."""
    cloud = Cloud()
    cloud.add(snapshot("s-1", **changes))
    with pytest.raises(ConflictError, match=f"'s-1' cannot be restored.*{changes['status'].value}"):
        client_over(cloud).restore("s-1")

    assert [] == cloud.sent


def test_a_roll_back_is_never_sent_twice() -> None:
    """If the answer is lost, somebody has to look at the disk."""
    cloud = Cloud(lost=[LOST])
    cloud.add(snapshot("s-1"))
    with pytest.raises(OutcomeUnknown, match="the roll-back may be under way"):
        client_over(cloud).roll_back("s-1")

    assert 1 == len(cloud.sent)


def test_a_refused_roll_back_is_a_refusal() -> None:
    """Nothing is unknown about a no."""
    cloud = Cloud(unsent=[ConflictError("running")])
    cloud.add(snapshot("s-1"))
    with pytest.raises(ConflictError, match="running"):
        client_over(cloud).roll_back("s-1")


@pytest.mark.parametrize(
    "changes",
    [{"origin": Origin.COPY}, {"source": SourceDisk()}, {"status": SnapshotStatus.RESTORING}],
    ids=["copy", "no-disk", "busy"],
)
def test_only_a_disks_own_snapshot_can_be_rolled_back_to(changes: dict[str, Any]) -> None:
    """A copy was not taken from the disk."""
    cloud = Cloud()
    cloud.add(snapshot("s-1", **changes))
    with pytest.raises(ConflictError, match="cannot be rolled back to"):
        client_over(cloud).roll_back("s-1")

    assert [] == cloud.sent


def test_a_group_is_rolled_back_as_one() -> None:
    """In one request, with a result for each member."""
    cloud = Cloud()
    client = client_over(cloud)
    group = client.create_group(disk_ids=["d-1", "d-2"])
    cloud.time.now += 100
    results = client.roll_back_group(group.id)

    assert 2 == len(results)
    assert 1 == sum(name == "roll_back" for name, _ in cloud.sent)


def test_each_region_of_a_copy_says_how_it_went() -> None:
    """One region's quota is not the others' failure."""
    cloud = Cloud(refused={"east": QuotaError("full")})
    cloud.add(snapshot("s-1"))
    east, south = client_over(cloud).copy("s-1", ["east", "south"])

    assert isinstance(east.error, QuotaError)
    assert "s-1-south" == south.snapshot_id


@pytest.mark.parametrize(
    ("capability", "changes", "reasons"),
    [
        (Capability.DELETE, {"usage": Usage(images=1)}, [Reason.IMAGE]),
        (Capability.RESTORE, {}, []),
        (
            Capability.RESTORE,
            {"restorable": False, "status": SnapshotStatus.CREATING},
            [Reason.NOT_READY],
        ),
        (Capability.COPY, {"status": SnapshotStatus.RECYCLED}, [Reason.GONE]),
        (Capability.ROLL_BACK, {"origin": Origin.COPY}, [Reason.COPY]),
    ],
)
def test_why_not(capability: Capability, changes: dict[str, Any], reasons: list[Reason]) -> None:
    """Asked before, not found out after."""
    row = snapshot("s-1", **changes)

    assert reasons == [one.reason for one in client_over(Cloud()).why_not(capability, row)]


def test_why_not_has_the_drivers_reasons_too() -> None:
    """What only one provider knows."""
    cloud = Cloud(against={"s-1": (Blocker(reason=Reason.SYSTEM_DISK),)})
    (found,) = client_over(cloud).why_not(Capability.RESTORE, snapshot("s-1"))

    assert "taken from a system disk" == str(found)


def test_markers_are_short_and_recognised() -> None:
    """In a tag or at the end of a name, and nowhere else."""
    marker = marker_of("nightly")

    assert 12 == len(marker)
    assert carries(snapshot("s", name=marked_name("x", marker)), marker)
    assert carries(snapshot("s", tags=Tags([(MARKER_TAG, marker)])), marker)
    assert not carries(snapshot("s", name=f"{marker} x", tags=None), marker)
    assert not carries(snapshot("s", name=None), marker)


def test_a_name_at_the_limit_is_cut_for_the_marker() -> None:
    """The server must not refuse a good name because of us; afterwards it is whole."""
    cloud = Cloud()
    client = client_over(cloud, NameDriver, rules=Rules(name=TextRule(longest=20)))
    kept = client.create("d-1", name="x" * 20, key="nightly")
    whole = client.create("d-1", name="x" * 20)

    assert "x" * 7 + "~" + marker_of("nightly") == kept.name
    assert "x" * 20 == whole.name
    assert kept.id == client.create("d-1", name="x" * 20, key="nightly").id


def test_the_marker_counts_among_the_tags() -> None:
    """Better refused here than by the server."""
    cloud = Cloud()
    client = client_over(cloud, TagDriver, rules=Rules(tags=1))
    with pytest.raises(ArgumentError, match="2 tags are too many"):
        client.create("d-1", tags={"a": "b"})

    assert [] == cloud.sent


def test_an_expiry_goes_to_the_driver() -> None:
    """As an aware time."""
    cloud = Cloud()
    when = datetime.now(UTC) + timedelta(days=30)
    client_over(cloud).create("d-1", expires_at=when)

    assert when == cloud.sent[0][1].expires_at


class DerivedDriver(NameDriver):
    """A provider without groups: all that carry one name are one, if there are two of them."""

    capabilities = NameDriver.capabilities - {Capability.GROUPS} | {Capability.DERIVED_GROUPS}

    def create_group(self, new: NewGroup) -> GroupMade:
        made = super().create_group(new)
        _, ids = self.cloud.groups[made.group_id or ""]
        return GroupMade(snapshot_ids=ids)

    def derive_groups(self, snapshots: Sequence[Snapshot]) -> list[SnapshotGroup]:
        alike: dict[str, list[Snapshot]] = {}
        for one in snapshots:
            alike.setdefault(one.name or "", []).append(one)
        return [
            SnapshotGroup(
                id=f"g-{name}",
                provider=self.name,
                account="",
                region=self.connection.region,
                name=name,
                status=SnapshotStatus.CREATING,
                raw_status=None,
                members=tuple(members),
            )
            for name, members in alike.items()
            if len(members) > 1
        ]


def test_a_group_that_was_started_is_not_started_again_because_it_does_not_show() -> None:
    """The answer came: what cannot be seen afterwards is no reason for a second one."""
    cloud = Cloud(lag=500)
    with pytest.raises(OutcomeUnknown, match=r"s-new-1, s-new-2") as caught:
        client_over(cloud, DerivedDriver).create_group(disk_ids=["d-1", "d-2"])

    assert (1, 2) == (creates(cloud), len(cloud.snapshots))
    assert caught.value.key is not None


def test_a_group_that_was_started_is_looked_for_until_looks_work() -> None:
    """A refused look says nothing about the group, and must not read as 'nothing was sent'."""
    cloud = Cloud(blind=[ThrottledError("slow down", sent=Sent.NO)])
    client_over(cloud, DerivedDriver).create_group(disk_ids=["d-1", "d-2"])

    assert 1 == creates(cloud)


def test_snapshots_with_the_key_that_are_no_group_are_not_taken_twice() -> None:
    """One was deleted, or its disk detached, since the earlier run."""
    cloud = Cloud()
    client = client_over(cloud, DerivedDriver)
    client.create_group(disk_ids=["d-1", "d-2"], key="nightly")
    del cloud.snapshots["s-new-1"]
    with pytest.raises(ConflictError, match="s-new-2"):
        client.create_group(disk_ids=["d-1", "d-2"], key="nightly")

    assert 1 == creates(cloud)


@pytest.mark.parametrize("base", [TagDriver, NameDriver, DerivedDriver])
def test_the_key_counts_for_a_group_and_not_the_name(base: type[LedgerDriver]) -> None:
    """A name often has a date in it, and the second run comes after midnight."""
    cloud = Cloud()
    client = client_over(cloud, base)
    first = client.create_group(disk_ids=["d-1", "d-2"], name="monday", key="nightly")
    second = client.create_group(disk_ids=["d-1", "d-2"], name="tuesday", key="nightly")

    assert (first.id, 1) == (second.id, creates(cloud))


@STYLES
def test_what_was_started_is_returned_although_it_cannot_be_read(
    base: type[LedgerDriver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error here would look like one of the creation, and the caller would make another."""
    cloud = Cloud()
    client = client_over(cloud, base)

    def ill(*_: object, **__: object) -> None:
        raise UnavailableError("ill")

    monkeypatch.setattr(LedgerDriver, "list_snapshots", ill)
    monkeypatch.setattr(LedgerDriver, "list_groups", ill)
    made = client.create("d-1", name="before")
    group = client.create_group(disk_ids=["d-1", "d-2"])

    assert ("s-new-1", "g-new-1") == (made.id, group.id)


def test_a_snapshot_that_could_not_be_finished_is_told_with_its_id_and_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error of a second request must not read as if there were no snapshot."""
    cloud = Cloud()
    client = client_over(cloud, NameDriver)

    def ill(*_: object) -> None:
        raise ThrottledError("slow down")

    with monkeypatch.context() as patched:
        patched.setattr(LedgerDriver, "finish_snapshot", ill)
        with pytest.raises(OutcomeUnknown, match="'s-new-1' was started") as caught:
            client.create("d-1", name="before", description="why")
    settled = client.create("d-1", name="before", description="why", key=caught.value.key)

    assert ("s-new-1", 1) == (settled.id, creates(cloud))


def test_a_group_without_members_is_not_rolled_back() -> None:
    """Nothing done is no success."""
    cloud = Cloud()
    client = client_over(cloud)
    made = client.create_group(disk_ids=["d-1", "d-2"])
    cloud.groups[made.id] = (cloud.groups[made.id][0], ())
    with pytest.raises(ConflictError, match="no members"):
        client.roll_back_group(made.id)

    assert 1 == len(cloud.sent)


def test_a_disk_of_another_snapshot_is_not_adopted() -> None:
    """A disk need not say what it was made from, and wrong data is worse than a second disk."""
    cloud = Cloud()
    cloud.add(snapshot("s-1"), snapshot("s-2"))
    client = client_over(cloud, NameDriver)
    first = client.restore("s-1", name="back", key="nightly")
    cloud.disks[first.id] = attrs.evolve(cloud.disks[first.id], snapshot_id=None)
    cloud.tokens.clear()

    assert first.id != client.restore("s-2", name="back", key="nightly").id
    assert first.id == client.restore("s-1", name="back", key="nightly").id
