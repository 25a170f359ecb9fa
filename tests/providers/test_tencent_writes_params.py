"""What is sent for each write, and what is read from the answers; without a wire."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from snapkit.credentials import Credentials
from snapkit.driver import Capability
from snapkit.errors import (
    ArgumentError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    QuotaError,
    Retry,
    Sent,
    SnapkitError,
    UnsupportedError,
)
from snapkit.model import DiskRole, Origin, Snapshot, SnapshotStatus, SourceDisk, Tags
from snapkit.paging import Position
from snapkit.retry import Safety
from snapkit.rules import check_tags, check_text
from snapkit.transport import Call, Moment
from snapkit.writes import (
    MARKER_TAG,
    Change,
    CopyOrder,
    Disk,
    DiskQuery,
    NewDisk,
    NewGroup,
    NewSnapshot,
    Reason,
    RollBack,
)
from snapkit_tencent import abilities, disks, endpoints, failures, restoring, writing
from snapkit_tencent.apis import Tc3Api
from snapkit_tencent.wire import Context

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2026, 2, 1, 8, tzinfo=UTC)
GIB = 1 << 30
PAIRS = [RollBack(snapshot_id="snap-1", disk_id="disk-1")]


def snapshot(**facts: Any) -> Snapshot:
    base: dict[str, Any] = {
        "id": "snap-1",
        "provider": "tencent",
        "account": "",
        "region": "ap-guangzhou",
        "status": SnapshotStatus.AVAILABLE,
        "raw_status": "NORMAL",
        "source": SourceDisk(id="disk-1", role=DiskRole.DATA, zone="ap-guangzhou-3"),
    }
    return Snapshot(**(base | facts))


def test_a_bare_snapshot_is_asked_for_by_its_disk_alone() -> None:
    """Without a deadline it is permanent; empty tags would be a list the vendor may refuse."""
    found = writing.snapshot_params(NewSnapshot(disk_id="disk-1"), NOW)

    assert {"DiskId": "disk-1"} == found


def test_a_snapshot_carries_name_end_and_tags() -> None:
    """The end is ISO in UTC, the tags go in the same call."""
    new = NewSnapshot(
        disk_id="disk-1",
        name="夜间",
        expires_at=LATER.astimezone(tz=None),
        tags=Tags([("team", "ops"), (MARKER_TAG, "0123456789ab")]),
        token="unused",
    )

    assert {
        "DiskId": "disk-1",
        "SnapshotName": "夜间",
        "Deadline": "2026-02-01T08:00:00+00:00",
        "Tags": [
            {"Key": "team", "Value": "ops"},
            {"Key": MARKER_TAG, "Value": "0123456789ab"},
        ],
    } == writing.snapshot_params(new, NOW)


@pytest.mark.parametrize("ahead", [-1.0, 0.0, 86399.0])
def test_an_end_less_than_a_day_ahead_is_refused_before_sending(ahead: float) -> None:
    """The vendor wants a day; a day exactly is enough."""
    end = NOW + timedelta(seconds=ahead)
    with pytest.raises(ArgumentError, match="less than a day ahead"):
        writing.snapshot_params(NewSnapshot(disk_id="disk-1", expires_at=end), NOW)
    with pytest.raises(ArgumentError, match="less than a day ahead"):
        writing.change_params("snap-1", Change(expires_at=end), NOW)
    whole = NewSnapshot(disk_id="disk-1", expires_at=NOW + timedelta(days=1))

    assert "2026-01-02T00:00:00+00:00" == writing.snapshot_params(whole, NOW)["Deadline"]


def test_a_group_is_asked_for_by_disks() -> None:
    """The action knows no instance; nothing to snapshot is a mistake."""
    new = NewGroup(disk_ids=("disk-1", "disk-2"), name="g", tags=Tags([("a", "b")]))

    assert {
        "DiskIds": ["disk-1", "disk-2"],
        "SnapshotGroupName": "g",
        "Tags": [{"Key": "a", "Value": "b"}],
    } == writing.group_params(new)
    with pytest.raises(ArgumentError, match="needs disks"):
        writing.group_params(NewGroup(instance_id="ins-1"))


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        (Change(name="n"), {"SnapshotName": "n"}),
        (Change(permanent=True), {"IsPermanent": True}),
        (
            Change(expires_at=LATER),
            {"IsPermanent": False, "Deadline": "2026-02-01T08:00:00+00:00"},
        ),
    ],
    ids=["rename", "keep", "expire"],
)
def test_a_change_names_only_what_changes(change: Change, wanted: dict[str, Any]) -> None:
    """A deadline is taken with IsPermanent false only."""
    assert {"SnapshotId": "snap-1"} | wanted == writing.change_params("snap-1", change, NOW)


def test_permanent_with_an_end_is_a_contradiction() -> None:
    """Which of the two the vendor would obey is not documented."""
    with pytest.raises(ArgumentError):
        writing.change_params("snap-1", Change(permanent=True, expires_at=LATER), NOW)


def test_a_disk_is_paid_by_the_hour_and_its_size_rounded_up() -> None:
    """Sizes are whole gigabytes; a smaller disk would not hold the snapshot."""
    new = NewDisk(
        snapshot_id="snap-1",
        name="restored",
        size_bytes=50 * GIB + 1,
        tags=Tags([("a", "b")]),
        token="t-1",
    )

    assert {
        "Placement": {"Zone": "ap-guangzhou-3"},
        "DiskChargeType": "POSTPAID_BY_HOUR",
        "DiskType": "CLOUD_SSD",
        "SnapshotId": "snap-1",
        "DiskSize": 51,
        "DiskName": "restored",
        "Tags": [{"Key": "a", "Value": "b"}],
        "ClientToken": "t-1",
    } == writing.disk_params(new, zone="ap-guangzhou-3", category="CLOUD_SSD")


@pytest.mark.parametrize(
    ("stop", "start", "wanted"),
    [
        (False, False, (False, False)),
        (True, False, (True, False)),
        (True, True, (True, True)),
        (False, True, (False, False)),
    ],
)
def test_only_what_was_stopped_is_started(
    stop: bool, start: bool, wanted: tuple[bool, bool]
) -> None:
    """AutoStartInstance without AutoStopInstance is refused by the vendor."""
    one = writing.roll_back_params(PAIRS[0], stop=stop, start=start)
    group = writing.roll_back_group_params("csnap-1", PAIRS, stop=stop, start=start)

    assert ("snap-1", "disk-1") == (one["SnapshotId"], one["DiskId"])
    assert ("csnap-1", [{"SnapshotId": "snap-1", "DiskId": "disk-1"}]) == (
        group["SnapshotGroupId"],
        group["ApplyDisks"],
    )
    for params in (one, group):
        assert wanted == (params["AutoStopInstance"], params["AutoStartInstance"])


def test_a_copy_takes_regions_and_a_name_only() -> None:
    """A marker among the tags is the core's own and no promise to the user."""
    order = CopyOrder(
        snapshot_id="snap-1",
        regions=("ap-shanghai", "ap-singapore"),
        name="n",
        tags=Tags([(MARKER_TAG, "0123456789ab")]),
    )

    assert {
        "SnapshotId": "snap-1",
        "DestinationRegions": ["ap-shanghai", "ap-singapore"],
        "SnapshotName": "n",
    } == writing.copy_params(order, "ap-guangzhou")
    with pytest.raises(ArgumentError, match="is where the snapshot is"):
        writing.copy_params(order, "ap-shanghai")


@pytest.mark.parametrize(
    "extra", [{"tags": Tags([("a", "b")])}, {"description": "d"}, {"expires_at": LATER}], ids=str
)
def test_what_a_copy_cannot_carry_is_refused_not_dropped(extra: dict[str, Any]) -> None:
    """A backup without its end or tags is not what was asked for."""
    order = CopyOrder(snapshot_id="snap-1", regions=("ap-shanghai",), **extra)
    with pytest.raises(UnsupportedError) as caught:
        writing.copy_params(order, "ap-guangzhou")

    assert Sent.NO is caught.value.sent


@pytest.mark.parametrize(("share", "word"), [(True, "SHARE"), (False, "CANCEL")])
def test_sharing_and_its_end_are_one_action(share: bool, word: str) -> None:
    """Only the word differs."""
    found = writing.share_params(["snap-1"], ["100001"], share=share)

    assert {"SnapshotIds": ["snap-1"], "AccountIds": ["100001"], "Permission": word} == found


def test_tags_go_nine_at_a_time() -> None:
    """One document allows nine, another ten."""
    tags = Tags([(f"key-{number}", "v") for number in range(20)])
    sent = writing.tag_params(["name"], tags)
    taken = writing.untag_params(["name"], list(tags))

    assert [9, 9, 2] == [len(one["Tags"]) for one in sent] == [len(one["TagKeys"]) for one in taken]
    assert {"TagKey": "key-9", "TagValue": "v"} == sent[1]["Tags"][0]
    assert [] == writing.tag_params(["name"], Tags())


def test_a_snapshots_name_in_the_tag_service_is_of_the_product_cvm() -> None:
    """The service believes every name: a wrong one is stored and never shows."""
    wanted = "qcs::cvm:ap-guangzhou:uin/:snapshot/snap-1"

    assert wanted == writing.resource_name("snap-1", "ap-guangzhou")


def test_failures_inside_a_success_are_opened_for_tags() -> None:
    """Matched by id, as the answer may fill the owner in; each in the order asked."""
    answers: list[dict[str, Any]] = [
        {"FailedResources": [], "RequestId": "r-1"},
        {
            "FailedResources": [
                {
                    "Resource": "qcs::cvm:ap-guangzhou:uin/100000000001:snapshot/snap-2",
                    "Code": "FailedOperation.ResourceTagProcessing",
                    "Message": "wait",
                }
            ],
            "RequestId": "r-2",
        },
    ]
    good, busy, absent = writing.tag_results(
        ["snap-1", "snap-2", "snap-3"], ["snap-1", "snap-2"], answers, "TagResources"
    )

    assert ("snap-1", True) == (good.id, good.ok)
    assert isinstance(busy.error, ConflictError)
    assert ("r-2", Retry.STATE) == (busy.error.request_id, busy.error.retry)
    assert isinstance(absent.error, NotFoundError)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("FailedOperation.ResourceTagProcessing", ConflictError),
        ("FailedOperation.TagAttachedResource", QuotaError),
        ("LimitExceeded.ResourceAttachedTags", QuotaError),
        ("LimitExceeded.ResourceNumPerRequest", InvalidRequestError),
        ("LimitExceeded.TagNumPerRequest", InvalidRequestError),
        ("InvalidParameterValue.ResourceDescriptionError", InvalidRequestError),
        ("InvalidParameterValue.TagKeyCharacterIllegal", InvalidRequestError),
        ("InvalidParameter.ReservedTagKey", InvalidRequestError),
        ("ResourceNotFound.TagNonExist", NotFoundError),
    ],
)
def test_the_tag_services_codes_are_classified(code: str, kind: type[SnapkitError]) -> None:
    """Two of its FailedOperation codes are no server errors, whatever their start says."""
    error = failures.error_of(
        failures.verdict_of(code), code=code, message="", request_id=None, operation="TagResources"
    )

    assert kind is type(error)


def test_a_copy_is_answered_region_by_region() -> None:
    """A success overall holds failures; a region without an answer is unknown, not done."""
    order = CopyOrder(
        snapshot_id="snap-1", regions=("ap-shanghai", "ap-beijing", "ap-chengdu", "ap-nanjing")
    )
    rows = [
        {
            "DestinationRegion": "ap-beijing",
            "SnapshotId": "",
            "Code": "ResourceInUse.CopySnapshotConflict",
            "Message": "running",
        },
        {"DestinationRegion": "ap-shanghai", "SnapshotId": "snap-9", "Code": "Success"},
        {"DestinationRegion": "ap-nanjing", "SnapshotId": None, "Code": "Success"},
    ]
    made, busy, silent, nameless = writing.copied_of({"SnapshotCopyResultSet": rows}, order)

    assert ("ap-shanghai", "snap-9", None) == (made.region, made.snapshot_id, made.error)
    assert isinstance(busy.error, ConflictError)
    for one in (silent, nameless):
        assert isinstance(one.error, ProtocolError)
        assert Sent.MAYBE is one.error.sent
        assert one.snapshot_id is None


@pytest.mark.parametrize("value", [None, "", [], [None]])
def test_a_success_without_an_id_is_an_unknown_outcome(value: object) -> None:
    """The vendor's tables allow null there; the thing may well exist."""
    with pytest.raises(ProtocolError) as caught:
        writing.made_id({"SnapshotId": value}, "SnapshotId", "CreateSnapshot")

    assert (Sent.MAYBE, Retry.NEVER) == (caught.value.sent, caught.value.retry)
    assert "disk-1" == writing.made_id({"DiskIdSet": ["disk-1"]}, "DiskIdSet", "CreateDisks")


def test_disks_are_asked_for_by_ids_or_by_instance() -> None:
    """The two exclude each other."""
    by_id = disks.disk_params(DiskQuery(ids=frozenset({"disk-2", "disk-1"})), None, 50)
    by_server = disks.disk_params(DiskQuery(instance_id="ins-1"), Position(100), 100)

    assert (["disk-1", "disk-2"], 50) == (by_id["DiskIds"], by_id["Limit"])
    assert "Filters" not in by_id
    assert [{"Name": "instance-id", "Values": ["ins-1"]}] == by_server["Filters"]
    assert 100 == by_server["Offset"]


@pytest.mark.parametrize(
    ("row", "busy"),
    [
        ({"DiskState": "ATTACHED"}, False),
        ({"DiskState": "UNATTACHED"}, False),
        ({"DiskState": "TORECYCLE"}, False),
        ({"DiskState": "EXPANDING"}, True),
        ({"DiskState": "ATTACHED", "Rollbacking": True}, True),
        ({"DiskState": None, "Rollbacking": None}, False),
    ],
    ids=str,
)
def test_a_disk_between_two_states_is_busy(row: dict[str, Any], busy: bool) -> None:
    """A rollback shows in a flag of its own, before or without the state."""
    found = disks.parse_disk({"DiskId": "disk-1"} | row, Context())

    assert found is not None
    assert busy is found.busy


def test_a_disk_row_is_read_whole() -> None:
    """The instance may stand in either of two fields, and be empty in both."""
    row = {
        "DiskId": "disk-1",
        "DiskName": "data",
        "DiskUsage": "DATA_DISK",
        "DiskType": "CLOUD_SSD",
        "DiskSize": 50,
        "DiskState": "ATTACHED",
        "InstanceId": "",
        "InstanceIdList": ["ins-1"],
        "Placement": {"Zone": "ap-guangzhou-3"},
    }

    assert disks.parse_disk(row, Context()) == Disk(
        id="disk-1",
        name="data",
        role=DiskRole.DATA,
        size_bytes=50 * GIB,
        raw_status="ATTACHED",
        instance_id="ins-1",
        zone="ap-guangzhou-3",
        raw_category="CLOUD_SSD",
    )
    assert disks.parse_disk({"DiskId": ""}, Context()) is None
    lost = disks.parse_disk({"DiskId": "d", "InstanceId": "", "InstanceIdList": None}, Context())
    assert lost is not None
    assert lost.instance_id is None


def test_what_the_caller_names_is_not_looked_up() -> None:
    """The source may be gone; then the caller's words are all there is."""

    def never(*_: object) -> None:
        raise AssertionError("nothing was to be looked up")

    new = NewDisk(snapshot_id="snap-1", zone="z", raw_category="CLOUD_SSD")

    assert ("z", "CLOUD_SSD") == restoring.placed(new, never, never)


def test_a_disk_takes_zone_and_product_from_the_source() -> None:
    """What the provider tells is better than a default that we would invent."""
    new = NewDisk(snapshot_id="snap-1")
    found = restoring.placed(new, snapshot, lambda one: Disk(id=one, raw_category="CLOUD_HSSD"))

    assert ("ap-guangzhou-3", "CLOUD_HSSD") == found


@pytest.mark.parametrize(
    ("new", "found", "words"),
    [
        (NewDisk(snapshot_id="snap-1"), None, "zone"),
        (NewDisk(snapshot_id="snap-1"), snapshot(), "product"),
        (NewDisk(snapshot_id="snap-1", zone="z"), snapshot(source=SourceDisk(id=None)), "product"),
    ],
    ids=["no snapshot", "no disk", "a copy"],
)
def test_what_nobody_tells_must_be_named(new: NewDisk, found: Snapshot | None, words: str) -> None:
    """No default product: it decides the price."""
    with pytest.raises(ArgumentError, match=words):
        restoring.placed(new, lambda: found, lambda _: None)


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ({}, []),
        ({"raw": {"CopyingToRegions": ["ap-shanghai"]}}, [Reason.COPYING]),
        ({"raw": {"CopyingToRegions": None}}, []),
        ({"status": SnapshotStatus.CREATING}, [Reason.NOT_READY]),
        ({"status": SnapshotStatus.COPYING}, [Reason.NOT_READY]),
        ({"status": SnapshotStatus.RECYCLED}, [Reason.NOT_READY]),
        ({"status": SnapshotStatus.UNKNOWN}, []),
    ],
    ids=str,
)
def test_what_stands_against_deletion(facts: dict[str, Any], reasons: list[Reason]) -> None:
    """Only NORMAL ones are deleted; of a status that is new to us the vendor judges."""
    found = abilities.blockers(Capability.DELETE, snapshot(**facts))

    assert reasons == [one.reason for one in found]
    assert all(not one.forced for one in found)


def test_a_copy_on_the_way_names_its_regions() -> None:
    """So that the caller knows what to wait for."""
    raw = {"CopyingToRegions": ["ap-shanghai", "ap-singapore"]}
    (found,) = abilities.blockers(Capability.DELETE, snapshot(raw=raw))

    assert "being copied to: ap-shanghai, ap-singapore" == str(found)


@pytest.mark.parametrize(
    ("capability", "facts", "reasons"),
    [
        (Capability.RESTORE, {}, []),
        (
            Capability.RESTORE,
            {"source": SourceDisk(id="d", role=DiskRole.SYSTEM)},
            [Reason.SYSTEM_DISK],
        ),
        (
            Capability.SHARE,
            {"source": SourceDisk(id="d", role=DiskRole.SYSTEM)},
            [Reason.SYSTEM_DISK],
        ),
        (Capability.ROLL_BACK, {}, []),
        (Capability.ROLL_BACK, {"source": SourceDisk(id=None)}, [Reason.COPY]),
        (Capability.ROLL_BACK, {"origin": Origin.COPY}, [Reason.COPY]),
        (Capability.ROLL_BACK, {"source": SourceDisk(id="d", role=DiskRole.SYSTEM)}, []),
        (Capability.COPY, {}, []),
    ],
    ids=str,
)
def test_what_stands_against_the_rest(
    capability: Capability, facts: dict[str, Any], reasons: list[Reason]
) -> None:
    """Disks are made of data disks' snapshots only; a copy has no disk to go back to."""
    found = abilities.blockers(capability, snapshot(**facts))

    assert reasons == [one.reason for one in found]


@pytest.mark.parametrize(
    "tag",
    [
        {"": "v"},
        {"k" * 128: "v"},
        {"k": ""},
        {"k": "v" * 256},
        {"qcs:x": "v"},
        {"project": "v"},
        {"项目甲": "v"},
        {" k": "v"},
        {"k ": "v"},
        {"k": " v"},
        {"k": "a|b"},
        {"k\n": "v"},
        {f"k{number}": "v" for number in range(51)},
    ],
    ids=lambda tag: repr(tag)[:20],
)
def test_tags_that_the_vendor_refuses_are_refused_before_sending(tag: dict[str, str]) -> None:
    """The documented forms, as data."""
    with pytest.raises(ArgumentError):
        check_tags(tag, writing.RULES)


def test_tags_and_names_of_the_documented_forms_pass() -> None:
    """The rules must not refuse more than the vendor does."""
    check_tags({"团队 a": "研发", "a+b-c=d._:/@": "()[],;><", "Project": "x"}, writing.RULES)
    check_tags({f"k{number}": "v" for number in range(50)}, writing.RULES)

    assert check_text("name", "快" * 60, writing.RULES.name)
    with pytest.raises(ArgumentError):
        check_text("name", "x" * 61, writing.RULES.name)


def test_what_is_missing_has_a_reason() -> None:
    """Refused before anything is sent, and each refusal says why."""
    missing = set(Capability) - abilities.CAPABILITIES

    assert missing == set(abilities.REFUSALS)
    assert set(Capability) == set(abilities.LEGACY_REFUSALS)
    assert all(len(why) > 20 for why in abilities.REFUSALS.values())


def test_a_hidden_refusal_keeps_its_words() -> None:
    """Code, message and request are what the vendor's support asks for."""
    order = CopyOrder(snapshot_id="snap-1", regions=("ap-beijing",))
    row = {"DestinationRegion": "ap-beijing", "Code": "UnauthorizedOperation", "Message": "no"}
    (found,) = writing.copied_of({"SnapshotCopyResultSet": [row], "RequestId": "r-1"}, order)

    assert isinstance(found.error, PermissionDeniedError)
    assert ("UnauthorizedOperation", "no", "r-1") == (
        found.error.code,
        found.error.message,
        found.error.request_id,
    )


def test_the_tag_service_has_a_host_a_version_and_a_scope_of_its_own() -> None:
    """Its host serves all regions, finance regions too, and takes no region in a header."""
    assert "https://tag.tencentcloudapi.com/" == endpoints.url_of(
        endpoints.TAG, "ap-shanghai-fsi", None
    )
    call = Call(
        operation="TagResources",
        url="https://tag.tencentcloudapi.com/",
        service=endpoints.TAG,
        safety=Safety.REPEATABLE,
    )
    keys = Credentials(key_id="AKIDEXAMPLE", secret="EXAMPLE-secret")
    sent = Tc3Api("ap-guangzhou").sign(call, keys, Moment(time=1700000000.5, entropy=bytes(16)))

    assert "2018-08-13" == sent.headers["X-TC-Version"]
    assert "/2023-11-14/tag/tc3_request" in sent.headers["Authorization"]
    assert "X-TC-Region" not in sent.headers
