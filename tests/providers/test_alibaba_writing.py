"""What changing requests hold, and what is made of their answers; nothing is sent."""

from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from snapkit.driver import Capability
from snapkit.errors import (
    ArgumentError,
    ConflictError,
    ProtocolError,
    Retry,
    ThrottledError,
    UnsupportedError,
)
from snapkit.model import Kind, Snapshot, SnapshotStatus, Tags
from snapkit.rules import check_tags, check_text
from snapkit.vocabulary import GIB
from snapkit.writes import (
    Change,
    CopyOrder,
    DiskQuery,
    NewDisk,
    NewGroup,
    NewSnapshot,
    Reason,
    RollBack,
)
from snapkit_alibaba import AlibabaDriver, writing
from snapkit_alibaba.disks import blockers, parse_disk

NOW = 1_700_000_000.0
REGION = "cn-beijing"
RULES = AlibabaDriver.rules


def after(**time: float) -> datetime:
    return datetime.fromtimestamp(NOW, UTC) + timedelta(**time)


def test_a_snapshot_is_asked_for_with_everything_in_one_call() -> None:
    """What is set later could be lost between two calls."""
    new = NewSnapshot(
        disk_id="d-1",
        name="nightly",
        description="before release",
        tags=Tags([("team", "shop"), ("empty", "")]),
        expires_at=after(days=7),
        token="k1",
    )

    assert writing.snapshot_params(new, REGION, NOW) == {
        "RegionId": REGION,
        "DiskId": "d-1",
        "SnapshotName": "nightly",
        "Description": "before release",
        "ClientToken": "k1",
        "RetentionDays": "7",
        "Tag.1.Key": "team",
        "Tag.1.Value": "shop",
        "Tag.2.Key": "empty",
        "Tag.2.Value": "",
    }


def test_what_is_not_given_is_left_out() -> None:
    """An empty text is a value of the service."""
    params = writing.snapshot_params(NewSnapshot(disk_id="d-1"), REGION, NOW)

    assert params == {"RegionId": REGION, "DiskId": "d-1"}


@pytest.mark.parametrize(
    ("moment", "days"),
    [
        (after(seconds=1), 1),
        (after(days=1), 1),
        (after(days=1, seconds=1), 2),
        (after(days=6, hours=23, minutes=59), 7),
        (after(days=65536), 65536),
    ],
    ids=["a second", "a day", "a day and more", "nearly a week", "the most"],
)
def test_days_are_rounded_up(moment: datetime, days: int) -> None:
    """It must not end before it was asked to; a call a moment later asks for the same."""
    assert days == writing.days_until(moment, NOW)


@pytest.mark.parametrize("moment", [after(), after(days=-1), after(days=65537)], ids=str)
def test_an_expiry_that_cannot_be_is_refused(moment: datetime) -> None:
    """Nothing is sent for it."""
    with pytest.raises(ArgumentError, match="1 to 65536"):
        writing.days_until(moment, NOW)


def test_a_group_of_an_instance_can_leave_disks_out() -> None:
    """Multi-attach disks have to be."""
    new = NewGroup(
        instance_id="i-1",
        exclude_disk_ids=("d-1", "d-2"),
        name="nightly",
        description="all of it",
        tags=Tags([("a", "b")]),
        token="k1",
    )

    assert writing.group_params(new, REGION) == {
        "RegionId": REGION,
        "InstanceId": "i-1",
        "Name": "nightly",
        "Description": "all of it",
        "ClientToken": "k1",
        "ExcludeDiskId.1": "d-1",
        "ExcludeDiskId.2": "d-2",
        "Tag.1.Key": "a",
        "Tag.1.Value": "b",
    }


def test_seventeen_disks_are_left_to_the_service() -> None:
    """Its pages say 16 and 128."""
    new = NewGroup(disk_ids=tuple(f"d-{number}" for number in range(17)))

    assert writing.group_params(new, REGION)["DiskId.17"] == "d-16"


@pytest.mark.parametrize(
    "new",
    [
        NewGroup(instance_id="i-1", disk_ids=("d-1",), exclude_disk_ids=("d-2",)),
        NewGroup(exclude_disk_ids=("d-2",)),
        NewGroup(),
    ],
    ids=["include and exclude", "exclude without an instance", "nothing"],
)
def test_combinations_that_are_documented_as_refused_are_not_sent(new: NewGroup) -> None:
    """The service has a code for each, and the caller a sentence."""
    with pytest.raises(ArgumentError):
        writing.group_params(new, REGION)


def test_a_change_holds_what_changes() -> None:
    """An empty description clears it; the days count from the creation."""
    change = Change(name="new", description="", expires_at=after(days=30))

    assert writing.change_params("s-1", change, REGION, NOW - 86400) == {
        "RegionId": REGION,
        "SnapshotId": "s-1",
        "SnapshotName": "new",
        "Description": "",
        "RetentionDays": "31",
    }


def test_an_expiry_cannot_be_taken_away() -> None:
    """The service lets it grow only; saying yes would lose a backup."""
    with pytest.raises(UnsupportedError, match="can only grow"):
        writing.change_params("s-1", Change(permanent=True), REGION, None)


def test_a_group_has_no_expiry() -> None:
    """Its operation does not know one."""
    assert writing.group_change_params("ssg-1", Change(name="n", description=""), REGION) == {
        "RegionId": REGION,
        "SnapshotGroupId": "ssg-1",
        "Name": "n",
        "Description": "",
    }
    with pytest.raises(UnsupportedError, match="members"):
        writing.group_change_params("ssg-1", Change(expires_at=after(days=1)), REGION)


def test_tags_name_the_kind_of_what_they_are_on() -> None:
    """Groups are a type of their own."""
    assert writing.tag_params(Kind.SNAPSHOT, ["s-1", "s-2"], Tags([("a", "1")]), REGION) == {
        "RegionId": REGION,
        "ResourceType": "snapshot",
        "ResourceId.1": "s-1",
        "ResourceId.2": "s-2",
        "Tag.1.Key": "a",
        "Tag.1.Value": "1",
    }
    assert writing.untag_params(Kind.GROUP, ["ssg-1"], ["a"], REGION) == {
        "RegionId": REGION,
        "ResourceType": "snapshotgroup",
        "ResourceId.1": "ssg-1",
        "TagKey.1": "a",
    }


def test_disks_are_asked_for_by_instance_or_by_id() -> None:
    """Ids are a JSON array in one text."""
    assert writing.disks_params(DiskQuery(instance_id="i-1"), REGION) == {
        "RegionId": REGION,
        "InstanceId": "i-1",
    }
    assert writing.disks_params(DiskQuery(ids=frozenset({"d-2", "d-1"})), REGION) == {
        "RegionId": REGION,
        "DiskIds": '["d-1","d-2"]',
    }


def test_a_new_disk_has_whole_gibibytes() -> None:
    """Rounded up: a smaller disk would not hold the data."""
    new = NewDisk(
        snapshot_id="s-1",
        zone="cn-beijing-h",
        name="restored",
        size_bytes=40 * GIB + 1,
        raw_category="cloud_essd",
        token="k1",
    )

    assert writing.disk_params(new, REGION) == {
        "RegionId": REGION,
        "ZoneId": "cn-beijing-h",
        "SnapshotId": "s-1",
        "DiskName": "restored",
        "DiskCategory": "cloud_essd",
        "ClientToken": "k1",
        "Size": "41",
    }


def test_a_new_disk_needs_a_zone() -> None:
    """The service would say so only after the request."""
    with pytest.raises(ArgumentError, match="zone"):
        writing.disk_params(NewDisk(snapshot_id="s-1"), REGION)


def test_several_rollbacks_are_pairs() -> None:
    """A disk and the snapshot that was taken of it."""
    pairs = [RollBack(snapshot_id="s-1", disk_id="d-1"), RollBack(snapshot_id="s-2", disk_id="d-2")]

    assert writing.resets_params(pairs, REGION) == {
        "RegionId": REGION,
        "Disk.1.DiskId": "d-1",
        "Disk.1.SnapshotId": "s-1",
        "Disk.2.DiskId": "d-2",
        "Disk.2.SnapshotId": "s-2",
    }


def test_a_copy_sends_name_and_description_always() -> None:
    """Both are obligatory there, and empty when nothing was said."""
    order = CopyOrder(snapshot_id="s-1", regions=("cn-shanghai",), expires_at=after(days=2))

    assert writing.copy_params(order, "cn-shanghai", REGION, NOW) == {
        "RegionId": REGION,
        "SnapshotId": "s-1",
        "DestinationRegionId": "cn-shanghai",
        "DestinationSnapshotName": "",
        "DestinationSnapshotDescription": "",
        "RetentionDays": "2",
    }


def test_each_region_has_its_own_token() -> None:
    """One token stands for one set of parameters, and is at most 64 characters."""
    tokens = {writing.copy_token("k" * 64, region) for region in ("cn-a", "cn-b")}

    assert len(tokens) == 2
    assert {len(token) for token in tokens} == {64}
    assert writing.copy_token("k", "cn-a") == writing.copy_token("k", "cn-a")


def test_a_lock_is_for_days_and_at_once() -> None:
    """A cool-off would let somebody take it away again."""
    assert writing.lock_params("s-1", 30, REGION, "k1") == {
        "RegionId": REGION,
        "SnapshotId": "s-1",
        "ClientToken": "k1",
        "LockMode": "compliance",
        "LockDuration": "30",
        "CoolOffPeriod": "0",
    }
    assert "LockMode" not in writing.lock_params("s-1", None, REGION, "k1")


def test_an_answer_without_an_id_may_have_made_something() -> None:
    """It is no success, and not a clean failure either."""
    with pytest.raises(ProtocolError, match="no SnapshotId") as caught:
        writing.made({"RequestId": "R"}, "SnapshotId")

    assert caught.value.sent.value == "maybe"


def progress(*rows: tuple[str, str, str], wrapped: bool = True) -> dict[str, Any]:
    ended = [
        {
            "OperationStatus": word,
            "ErrorCode": code,
            "ErrorMsg": code and "said",
            "RelatedItemSet": {"RelatedItem": [{"Name": "SnapshotId", "Value": one}]},
        }
        for one, word, code in rows
    ]
    return {
        "RequestId": "R",
        "OperationProgressSet": {"OperationProgress": ended} if wrapped else ended,
    }


@pytest.mark.parametrize("wrapped", [True, False], ids=["wrapped", "bare"])
def test_failures_inside_a_success_are_opened(wrapped: bool) -> None:
    """The service says 200 and means some of it."""
    answer = progress(
        ("s-1", "Success", ""),
        ("s-2", "Failed", "SnapshotCreatedImage"),
        ("s-3", "Failed", "Throttling.User"),
        wrapped=wrapped,
    )
    first, second, third, fourth = writing.read_progress("X", answer, ["s-1", "s-2", "s-3", "s-4"])

    assert (first.ok, fourth.ok) == (True, True)
    assert isinstance(second.error, ConflictError)
    assert (second.error.code, second.error.request_id) == ("SnapshotCreatedImage", "R")
    assert isinstance(third.error, ThrottledError)
    assert third.error.retry is Retry.BACKOFF


def test_a_word_that_is_not_success_is_a_failure() -> None:
    """Even without a code: a deletion that is not sure must be looked at."""
    (item,) = writing.read_progress("X", progress(("s-1", "Processing", "")), ["s-1"])

    assert not item.ok
    assert "Processing" in str(item.error)


def test_what_the_answer_names_beyond_the_question_is_told() -> None:
    """A member that was added meanwhile is deleted too."""
    found = writing.read_progress("X", progress(("s-9", "Success", "")), ["s-1"])

    assert [item.id for item in found] == ["s-1", "s-9"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"Status": "In_use", "InstanceId": "i-1"}, ("i-1", False)),
        ({"Status": "ReIniting", "InstanceId": "i-1"}, ("i-1", True)),
        ({"Status": "Creating", "InstanceId": ""}, (None, True)),
        ({"Status": "Available"}, (None, False)),
        (
            {
                "Status": "In_use",
                "InstanceId": "",
                "Attachments": {"Attachment": [{"InstanceId": "i-2"}, {"InstanceId": "i-3"}]},
            },
            ("i-2", False),
        ),
    ],
    ids=["attached", "rolling back", "being made", "free", "multi-attach"],
)
def test_a_disk_says_where_it_is_and_whether_it_is_busy(
    row: dict[str, Any], said: tuple[Any, bool]
) -> None:
    """A rollback is over when it is no longer busy."""
    disk = parse_disk({"DiskId": "d-1", **row})

    assert disk is not None
    assert said == (disk.instance_id, disk.busy)


def test_a_disk_keeps_the_services_words() -> None:
    """Size in bytes, category as sold."""
    row = {
        "DiskId": "d-1",
        "DiskName": "data",
        "Type": "DATA",
        "Size": 40,
        "ZoneId": "cn-beijing-h",
        "Category": "cloud_essd",
        "SourceSnapshotId": "s-1",
    }
    disk = parse_disk(row, keep_raw=True)

    assert disk is not None
    assert (disk.role.value, disk.size_bytes, disk.raw_category) == ("data", 40 * GIB, "cloud_essd")
    assert (disk.name, disk.zone, disk.snapshot_id) == ("data", "cn-beijing-h", "s-1")
    assert disk.raw == row
    assert parse_disk({"DiskName": "nameless"}) is None


@pytest.mark.parametrize(
    "name", ["nightly", "ab", "网站_2024", "a:b.c-d_e", "Auto1", "n" * 128], ids=len
)
def test_documented_names_pass(name: str) -> None:
    """Letters of any language first."""
    assert name == check_text("name", name, RULES.name)


@pytest.mark.parametrize(
    "name",
    ["a", "n" * 129, "1night", "_x", "auto_x", "with blank", "http://x", "HTTPS://x", "a/b"],
    ids=lambda name: name[:9],
)
def test_forbidden_names_are_refused_before_sending(name: str) -> None:
    """The documented form is data of the adapter."""
    with pytest.raises(ArgumentError):
        check_text("name", name, RULES.name)


def test_a_group_may_be_called_auto() -> None:
    """Only names of snapshots are kept for policies."""
    assert check_text("name", "auto_x", RULES.group_name) == "auto_x"


@pytest.mark.parametrize(
    ("description", "good"),
    [
        ("", True),
        ("ab", True),
        ("two\nlines", True),
        ("d" * 256, True),
        ("a", False),
        ("d" * 257, False),
        ("http://x", False),
    ],
    ids=lambda value: str(value)[:9],
)
def test_descriptions_have_a_form(description: str, good: bool) -> None:
    """Empty, or 2 to 256 characters."""
    if good:
        check_text("description", description, RULES.description)
        return
    with pytest.raises(ArgumentError):
        check_text("description", description, RULES.description)


@pytest.mark.parametrize(
    ("tags", "good"),
    [
        ({f"k{number}": "" for number in range(20)}, True),
        ({f"k{number}": "" for number in range(21)}, False),
        ({"k" * 128: "v" * 128}, True),
        ({"k" * 129: ""}, False),
        ({"": "v"}, False),
        ({"acs:x": "v"}, False),
        ({"aliyunx": "v"}, False),
        ({"see-http://x": "v"}, False),
        ({"k": "see https://x"}, False),
        ({"k": "v" * 129}, False),
    ],
    ids=["20", "21", "long", "too long", "none", "acs", "aliyun", "link", "link value", "value"],
)
def test_tags_have_a_form(tags: dict[str, str], good: bool) -> None:
    """Twenty, and none of the system's own."""
    if good:
        check_tags(tags, RULES)
        return
    with pytest.raises(ArgumentError):
        check_tags(tags, RULES)


def snapshot(**changes: Any) -> Snapshot:
    found = Snapshot(
        id="s-1",
        provider="alibaba",
        account="",
        region=REGION,
        status=SnapshotStatus.AVAILABLE,
        raw_status="accomplished",
    )
    return attrs.evolve(found, **changes)


@pytest.mark.parametrize(
    ("capability", "changes", "reasons"),
    [
        (Capability.DELETE, {"status": SnapshotStatus.CREATING}, []),
        (Capability.RESTORE, {}, []),
        (Capability.RESTORE, {"raw": {"Category": "Archive"}}, [Reason.NOT_READY]),
        (Capability.ROLL_BACK, {"raw": {"Category": "archive"}}, [Reason.NOT_READY]),
        (
            Capability.COPY,
            {"status": SnapshotStatus.CREATING, "restorable": True},
            [Reason.NOT_READY],
        ),
        (Capability.COPY, {}, []),
    ],
    ids=str,
)
def test_what_stands_against_an_operation(
    capability: Capability, changes: dict[str, Any], reasons: list[Reason]
) -> None:
    """One that is still being made may be deleted: that cancels it."""
    assert reasons == [one.reason for one in blockers(capability, snapshot(**changes))]


@pytest.mark.parametrize("capability", list(Capability))
def test_every_capability_is_offered_or_refused_with_a_reason(capability: Capability) -> None:
    """No third way."""
    offered = capability in AlibabaDriver.capabilities

    assert offered is not (capability in AlibabaDriver.refusals)
