"""The driver and the emulated cloud together, in both APIs; and how strict the latter is."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import attrs
import pytest

from snapkit.client import Client, connect
from snapkit.credentials import Credentials
from snapkit.emulator import Emulator, Fault, Request, World
from snapkit.emulator.state import AccountState, EmulatedClock, GroupRecord, Pace, SnapshotRecord
from snapkit.errors import (
    AuthenticationError,
    Failure,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    SnapkitError,
    ThrottledError,
    TransportError,
    UnavailableError,
    UnsupportedError,
)
from snapkit.listing import Outcome
from snapkit.model import DiskRole, Origin, Region, SnapshotStatus
from snapkit.retry import RetryPolicy
from snapkit.settings import Target
from snapkit.transport import Clock
from snapkit_tencent import signing
from snapkit_tencent.dialect import TencentDialect

KEY, SECRET, TOKEN = "AKIDEXAMPLE", "EXAMPLE-secret", "EXAMPLE-token"
NOW = 1767225600.0
REGION = "ap-guangzhou"
WAYS: list[dict[str, str]] = [
    {},
    {"time-offset": "+08:00"},
    {"api": "2.0"},
    {"api": "2.0", "signature": "hmac-sha256"},
    {"api": "2.0", "signature": "hmac-sha1"},
]
APIS = [{"api": "3.0"}, {"api": "2.0"}]


def record(number: int, **facts: Any) -> SnapshotRecord:
    base: dict[str, Any] = {
        "id": f"snap-{number:08d}",
        "disk_id": f"disk-{number % 7}",
        "size_gib": 50,
        "role": DiskRole.DATA if number % 3 else DiskRole.SYSTEM,
        "name": f"备份-{number}",
        "started_at": NOW - 10**6 + number,
    }
    return SnapshotRecord(**(base | facts))


def world_of(*records: SnapshotRecord | GroupRecord, token: str | None = None) -> World:
    account = AccountState(provider="tencent", key_id=KEY, secret=SECRET, token=token, label="t")
    account.region(REGION).add(*records)
    return World(accounts=[account], clock=EmulatedClock())


def client_of(emulator: Emulator, **changes: Any) -> Client:
    """A client that does not really sleep and tries everything twice."""
    target = attrs.evolve(emulator.targets("tencent")[0], **changes)
    return connect(
        target,
        policy=RetryPolicy(transient=2, throttled=2),
        clock=Clock(sleep=lambda seconds: None),
    )


@pytest.fixture
def full() -> Iterator[Emulator]:
    """250 snapshots and 7 groups of them."""
    groups = [
        GroupRecord(
            id=f"csnap-{number:08d}",
            snapshot_ids=[f"snap-{number:08d}", f"snap-{number + 7:08d}"],
            name=f"group-{number}",
            created_at=NOW - 1000 + number,
        )
        for number in range(7)
    ]
    with Emulator(world_of(*map(record, range(250)), *groups)) as emulator:
        yield emulator


@pytest.fixture
def small() -> Iterator[Emulator]:
    with Emulator(world_of(*map(record, range(3)))) as emulator:
        yield emulator


@pytest.mark.parametrize("options", WAYS, ids=str)
def test_250_snapshots_arrive_once_each_and_oldest_first(
    full: Emulator, options: dict[str, str]
) -> None:
    """More than two pages, in every way of asking."""
    with client_of(full, options=options) as client:
        listing = client.snapshots()
        found = list(listing)

    assert [f"snap-{number:08d}" for number in range(250)] == [one.id for one in found]
    assert listing.report.complete
    assert (250, 250) == (listing.report.rows, listing.report.scopes[0].total)


@pytest.mark.parametrize("options", APIS, ids=str)
@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"ids": [f"snap-{number:08d}" for number in range(0, 240, 2)]}, 120),
        ({"ids": "snap-unknown"}, 0),
        ({"disk_ids": ["disk-1", "disk-2"]}, 72),
        ({"roles": "system"}, 84),
        ({"statuses": "available"}, 250),
        ({"statuses": "failed"}, 0),
        ({"names": "备份-24*"}, 11),
        ({"ids": ["snap-00000000", "snap-00000001"], "roles": "system"}, 1),
    ],
    ids=str,
)
def test_filters_give_the_same_in_both_apis(
    full: Emulator, options: dict[str, str], filters: dict[str, Any], count: int
) -> None:
    """What one API is asked for the core does for the other."""
    with client_of(full, options=options) as client:
        assert count == len(list(client.snapshots(**filters)))


def test_groups_come_with_their_members(full: Emulator) -> None:
    """The vendor gives ids; the core looks the members up."""
    with client_of(full) as client:
        groups = list(client.groups())
        some = list(client.groups(ids=[f"csnap-{number:08d}" for number in range(6)]))
        holding = list(client.groups(snapshot_ids="snap-00000003"))
        inside = list(client.snapshots(group_ids="csnap-00000002"))

    assert (7, 6) == (len(groups), len(some))
    assert {SnapshotStatus.AVAILABLE} == {group.status for group in groups}
    assert ["NORMAL", "NORMAL"] == [member.raw_status for member in groups[0].members]
    assert ["csnap-00000003"] == [group.id for group in holding]
    assert ["snap-00000002", "snap-00000009"] == [one.id for one in inside]


def test_a_group_with_a_member_gone_is_degraded(full: Emulator) -> None:
    """The vendor still calls it NORMAL, and that is how it is asked for."""
    del full.world.accounts[0].region(REGION).snapshots["snap-00000009"]
    with client_of(full) as client:
        found = list(client.groups(statuses="degraded"))

    assert [("csnap-00000002", "NORMAL")] == [(group.id, group.raw_status) for group in found]


def test_one_snapshot_can_be_fetched_or_is_not_found(small: Emulator) -> None:
    """Unknown ids give this vendor's empty set, which is not an error there."""
    with client_of(small) as client:
        assert "备份-1" == client.snapshot("snap-00000001").name
        with pytest.raises(NotFoundError):
            client.snapshot("snap-unknown")


def test_regions(small: Emulator) -> None:
    """The region service shares the port; it is signed for by its own name."""
    with client_of(small) as client:
        assert [Region(provider="tencent", id=REGION, name=REGION, open=True)] == client.regions()


@pytest.mark.parametrize("region", ["gz", REGION])
def test_the_old_api_takes_regions_in_both_spellings(small: Emulator, region: str) -> None:
    """Sent as the user wrote it."""
    with client_of(small, options={"api": "2.0"}, region=region) as client:
        assert {region} == {snapshot.region for snapshot in client.snapshots()}
    assert region == small.log[-1].region


@pytest.mark.parametrize("options", APIS, ids=str)
@pytest.mark.faults(57)
def test_rows_deleted_under_the_walk_hide_no_living_one(
    full: Emulator, options: dict[str, str]
) -> None:
    """Positions move up by one for each; the pages overlap."""
    snapshots = full.world.accounts[0].region(REGION).snapshots
    with client_of(full, options=options) as client:
        pages = client.snapshots().pages()
        found = [one.id for one in next(pages)]
        for number in range(5):
            del snapshots[f"snap-{number:08d}"]
        found += [one.id for page in pages for one in page]

    assert [] == [one for one in snapshots if one not in found]
    assert len(set(found)) == len(found)


def state_row(word: str) -> SnapshotRecord:
    return record(1, word=word)


@pytest.mark.parametrize(
    ("word", "new", "old"),
    [
        ("NORMAL", SnapshotStatus.AVAILABLE, SnapshotStatus.AVAILABLE),
        ("CREATING", SnapshotStatus.CREATING, SnapshotStatus.CREATING),
        ("ROLLBACKING", SnapshotStatus.RESTORING, SnapshotStatus.RESTORING),
        ("COPYING_FROM_REMOTE", SnapshotStatus.COPYING, SnapshotStatus.CREATING),
        ("CHECKING_COPIED", SnapshotStatus.VERIFYING, SnapshotStatus.CREATING),
        ("TORECYCLE", SnapshotStatus.RECYCLED, SnapshotStatus.RECYCLED),
        ("HIBERNATING", SnapshotStatus.UNKNOWN, SnapshotStatus.UNKNOWN),
    ],
)
def test_every_status_goes_over_the_wire_and_its_filter_finds_it(
    word: str, new: SnapshotStatus, old: SnapshotStatus
) -> None:
    """A filter by status must select what the parser calls by that status."""
    with Emulator(world_of(state_row(word))) as emulator:
        for options, status in zip(APIS, (new, old), strict=True):
            with client_of(emulator, options=options) as client:
                assert [status] == [one.status for one in client.snapshots(statuses=status)]


def test_a_snapshot_grows_and_a_failed_one_vanishes() -> None:
    """There is no failed state; deletion and failure both mean absence."""
    pace = Pace(cut=1, usable=10, complete=60)
    started = EmulatedClock().wall()
    world = world_of(
        record(1, started_at=started, pace=pace),
        record(2, started_at=started, pace=pace, fails=True),
        record(3, started_at=started, pace=pace, origin=Origin.COPY),
        record(4, deleted_at=started + 30),
    )
    with Emulator(world) as emulator, client_of(emulator) as client:
        seen: list[list[str | None]] = []
        for _ in range(3):
            seen.append([one.raw_status for one in sorted(client.snapshots(), key=lambda x: x.id)])
            world.clock.advance(31)

    assert [
        ["CREATING", "CREATING", "COPYING_FROM_REMOTE", "NORMAL"],
        ["NORMAL", "NORMAL", "CHECKING_COPIED"],
        ["NORMAL", "NORMAL"],
    ] == seen


@pytest.mark.parametrize("options", APIS, ids=str)
@pytest.mark.faults(52)
def test_a_denied_region_is_an_error_and_not_an_empty_one(
    small: Emulator, options: dict[str, str]
) -> None:
    """The report says denied."""
    small.world.accounts[0].region(REGION).denied = True
    with client_of(small, options=options) as client:
        listing = client.snapshots()
        with pytest.raises(PermissionDeniedError, match=r"allow DescribeSnapshots of CBS"):
            list(listing)

    assert Outcome.DENIED is listing.report.scopes[0].outcome


FAULTS: list[tuple[dict[str, Any], type[SnapkitError]]] = [
    ({"kind": "refuse", "failure": Failure.THROTTLED}, ThrottledError),
    ({"kind": "refuse", "failure": Failure.SERVER}, UnavailableError),
    ({"kind": "refuse", "failure": Failure.PERMISSION}, PermissionDeniedError),
    ({"kind": "refuse", "failure": Failure.AUTHENTICATION}, AuthenticationError),
    ({"kind": "html"}, ProtocolError),
    ({"kind": "status", "status": 502}, UnavailableError),
    ({"kind": "status", "status": 429}, ThrottledError),
    ({"kind": "cut-before"}, TransportError),
    ({"kind": "cut-after"}, TransportError),
    ({"kind": "cut-answer"}, SnapkitError),
]


@pytest.mark.parametrize("options", APIS, ids=str)
@pytest.mark.parametrize(("fault", "kind"), FAULTS, ids=[str(row[0]) for row in FAULTS])
def test_what_goes_wrong_is_raised_after_the_rows_that_came(
    full: Emulator, options: dict[str, str], fault: dict[str, Any], kind: type[SnapkitError]
) -> None:
    """Never an empty list, and never a short one without an error."""
    full.faults.append(Fault(provider="tencent", skip=1, times=None, **fault))
    found: list[str] = []
    with client_of(full, options=options) as client:
        listing = client.snapshots()
        with pytest.raises(kind):
            found.extend(one.id for one in listing)

    assert 100 == len(found)
    assert not listing.report.complete


@pytest.mark.parametrize("options", APIS, ids=str)
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "refuse", "failure": Failure.THROTTLED},
        {"kind": "refuse", "failure": Failure.SERVER},
        {"kind": "cut-answer"},
        {"kind": "cut-before"},
    ],
    ids=str,
)
def test_what_passes_by_itself_is_tried_again(
    full: Emulator, options: dict[str, str], fault: dict[str, Any]
) -> None:
    """Each attempt is signed anew, with a new nonce."""
    full.faults.append(Fault(provider="tencent", skip=1, **fault))
    with client_of(full, options=options) as client:
        assert 250 == len(list(client.snapshots()))


@pytest.mark.parametrize("options", WAYS, ids=str)
@pytest.mark.faults(49)
def test_a_wrong_secret_is_refused_once(small: Emulator, options: dict[str, str]) -> None:
    """Trying again would lock the key; it does not make it right."""
    wrong = Credentials(key_id=KEY, secret="EXAMPLE-wrong")
    with (
        client_of(small, options=options, credentials=wrong) as client,
        pytest.raises(AuthenticationError, match=r"check the secret key") as caught,
    ):
        list(client.snapshots())

    assert 1 == caught.value.attempts
    assert "EXAMPLE-wrong" not in repr(caught.value)


@pytest.mark.parametrize("options", WAYS, ids=str)
def test_an_unknown_key_and_a_wrong_token_are_told_apart(
    small: Emulator, options: dict[str, str]
) -> None:
    """The first is a typing error, the second an expired session."""
    unknown = Credentials(key_id="AKIDEXAMPLEother", secret=SECRET)
    stale = Credentials(key_id=KEY, secret=SECRET, token="EXAMPLE-stale")
    for keys, hint in ((unknown, "check the secret id"), (stale, "get new temporary credentials")):
        with (
            client_of(small, options=options, credentials=keys) as client,
            pytest.raises(AuthenticationError, match=hint),
        ):
            list(client.snapshots())


@pytest.mark.parametrize("options", WAYS, ids=str)
def test_temporary_keys_work(options: dict[str, str]) -> None:
    """The token is a header in API 3.0 and a signed field in API 2.0."""
    with (
        Emulator(world_of(record(1), token=TOKEN)) as emulator,
        client_of(emulator, options=options) as client,
    ):
        assert 1 == len(list(client.snapshots()))


@pytest.mark.parametrize("options", APIS, ids=str)
@pytest.mark.faults(50)
def test_a_wrong_clock_is_corrected_once(small: Emulator, options: dict[str, str]) -> None:
    """The server's Date header says how far this machine is off."""
    real = Clock()
    clock = Clock(wall=lambda: real.wall() - 3600, sleep=lambda seconds: None)
    target = attrs.evolve(small.targets("tencent")[0], options=options)
    with connect(target, clock=clock) as client:
        assert 3 == len(list(client.snapshots()))


def test_a_value_with_an_upload_mark_passes_the_server_that_skips_it(small: Emulator) -> None:
    """The emulator leaves such values out of what a POST signs, as the vendor's SDK does."""
    with client_of(small, options={"api": "2.0"}) as client:
        assert [] == list(client.snapshots(ids="@home"))


DIALECT_REFUSALS: list[tuple[dict[str, Any], str]] = [
    ({"snapshotIds": ["a"]}, "UnknownParameter"),
    ({"SnapshotIDs": ["a"]}, "UnknownParameter"),
    ({"Limit": 101}, "InvalidParameterValue"),
    ({"Limit": 0}, "InvalidParameterValue"),
    ({"Offset": -1}, "InvalidParameterValue"),
    ({"Limit": "100"}, "InvalidParameter"),
    ({"Limit": True}, "InvalidParameter"),
    ({"SnapshotIds": [{}]}, "InvalidParameter"),
    ({"Order": "ASC", "OrderField": "SIZE"}, "InvalidParameterValue"),
    ({"SnapshotIds": [f"s{n}" for n in range(101)]}, "InvalidParameterValue.LimitExceeded"),
    (
        {"SnapshotIds": ["a"], "Filters": [{"Name": "disk-id", "Values": ["d"]}]},
        "InvalidParameterValue",
    ),
    ({"Filters": [{"Name": "Disk-Id", "Values": ["d"]}]}, "InvalidFilter"),
    ({"Filters": [{"Name": "colour", "Values": ["d"]}]}, "InvalidFilter"),
    ({"Filters": [{"Name": "disk-usage", "Values": ["system_disk"]}]}, "InvalidFilter"),
    ({"Filters": [{"Name": "snapshot-state", "Values": ["normal"]}]}, "InvalidFilter"),
    ({"Filters": [{"Name": "encrypt", "Values": [True]}]}, "InvalidParameter"),
    (
        {"Filters": [{"Name": "disk-id", "Values": [f"d{n}" for n in range(11)]}]},
        "InvalidParameterValue.LimitExceeded",
    ),
    ({"Filters": ["x"]}, "InvalidFilter"),
]


def signed(body: Any, **headers: str) -> Request:
    """A request of API 3.0 with a good signature, whatever it asks for."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    stamp = int(Clock().wall())
    base = {
        "host": "127.0.0.1",
        "content-type": "application/json",
        "x-tc-action": "DescribeSnapshots",
        "x-tc-version": "2017-03-12",
        "x-tc-region": REGION,
        "x-tc-timestamp": str(stamp),
    }
    base["authorization"] = signing.authorization(
        key_id=KEY,
        secret=SECRET,
        scope=signing.Scope(stamp, "cbs"),
        host="127.0.0.1",
        path="/",
        content_type="application/json",
        body=content,
    )
    return Request(method="POST", path="/", headers=base | headers, body=content)


def refusal(request: Request) -> str:
    answer = TencentDialect(world_of(record(1))).answer(request)
    error: Any = json.loads(answer.body)["Response"].get("Error", {})
    return str(error.get("Code"))


@pytest.mark.parametrize(
    ("body", "code"), DIALECT_REFUSALS, ids=[str(row[0])[:60] for row in DIALECT_REFUSALS]
)
def test_the_emulator_refuses_what_the_vendor_refuses(body: dict[str, Any], code: str) -> None:
    """A client that is lenient by luck would fail in earnest."""
    assert code == refusal(signed(body))


HEADERS = [
    ({"x-tc-version": "2016-01-01"}, "NoSuchVersion"),
    ({"x-tc-action": "DescribeEverything"}, "InvalidAction"),
    ({"x-tc-action": "describesnapshots"}, "InvalidAction"),
    ({"x-tc-region": ""}, "MissingParameter"),
    ({"x-tc-region": "ap-atlantis"}, "UnsupportedRegion"),
    ({"x-tc-timestamp": "1700000000"}, "AuthFailure.SignatureExpire"),
    ({"authorization": "TC3-HMAC-SHA256 nonsense"}, "AuthFailure.InvalidAuthorization"),
    ({"content-type": "application/json; charset=utf-8"}, "AuthFailure.SignatureFailure"),
    ({"host": "cbs.tencentcloudapi.com"}, "AuthFailure.SignatureFailure"),
    ({"x-tc-version": "2022-06-27"}, "AuthFailure.SignatureFailure"),
    ({"x-tc-token": "EXAMPLE"}, "AuthFailure.TokenFailure"),
]


@pytest.mark.parametrize(
    ("headers", "code"), HEADERS, ids=[row[1] + str(row[0]) for row in HEADERS]
)
def test_the_emulator_checks_headers_and_signatures(headers: dict[str, str], code: str) -> None:
    """The signature covers the service, the host and the type exactly as sent."""
    assert code == refusal(signed({}, **headers))


def test_a_region_that_nobody_furnished_is_empty_and_not_unknown() -> None:
    """The vendor has more regions than an estate uses."""
    assert "None" == refusal(signed({}, **{"x-tc-region": "ap-nanjing"}))


@pytest.mark.parametrize("body", [b"", b"[]", b"{"])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    """Without parameters the body is ``{}``."""
    assert "InvalidParameter" == refusal(signed(body))


def old_form(*, secret: str = SECRET, **fields: str) -> Request:
    """A request of API 2.0, signed."""
    base = {
        "Action": "DescribeSnapshots",
        "Region": "gz",
        "Timestamp": str(int(Clock().wall())),
        "Nonce": "1",
        "SecretId": KEY,
    } | fields
    text = signing.form_text("POST", "127.0.0.1", "/v2/index.php", base)
    base["Signature"] = signing.form_signature(secret, text, "HmacSHA1")
    return Request(
        method="POST",
        path="/v2/index.php",
        headers={"host": "127.0.0.1", "content-type": "application/x-www-form-urlencoded"},
        body=urlencode(base).encode(),
    )


OLD_REFUSALS: list[tuple[dict[str, str], int]] = [
    ({}, 0),
    ({"limit": "101"}, 9003),
    ({"limit": "many"}, 9003),
    ({"Limit": "100"}, 9003),
    ({"snapshotIds.1": "a"}, 9003),
    ({"snapshotIds": "a"}, 9003),
    ({"diskType": "ROOT"}, 9003),
    ({"SecretId": "AKIDEXAMPLEother"}, 4104),
    ({"Timestamp": "1700000000"}, 4200),
    ({"Token": "EXAMPLE"}, 4105),
    ({"secret": "EXAMPLE-wrong"}, 4100),
    ({"SignatureMethod": "HmacMD5"}, 4100),
    ({"Nonce": "0"}, 4000),
    ({"Region": "atlantis"}, 4000),
    ({"Action": "DeleteEverything"}, 4000),
]


@pytest.mark.parametrize(("fields", "code"), OLD_REFUSALS, ids=[str(row) for row in OLD_REFUSALS])
def test_the_emulated_old_api_is_strict_too(fields: dict[str, str], code: int) -> None:
    """Absent, SignatureMethod means HmacSHA1."""
    answer = TencentDialect(world_of(record(1))).answer(old_form(**fields))

    assert code == json.loads(answer.body)["code"]


def test_a_nonce_is_good_once() -> None:
    """A recorded request of API 2.0 must not be played again."""
    dialect, request = TencentDialect(world_of(record(1))), old_form()
    codes = [json.loads(dialect.answer(request).body)["code"] for _ in range(2)]

    assert [0, 4500] == codes


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_can_be_ordered_from_the_emulator(small: Emulator, failure: Failure) -> None:
    """Users' own tests ask for it by the neutral name."""
    small.faults.append(Fault(kind="refuse", failure=failure, times=None))
    for options in APIS:
        with (
            client_of(small, options=options) as client,
            pytest.raises(SnapkitError) as caught,
        ):
            list(client.snapshots())
        told = type(failure.error(""))
        fitting = {told, InvalidRequestError} if failure is Failure.IDEMPOTENCY else {told}
        assert type(caught.value) in fitting


def test_the_demonstration_estate_shows_everything_once() -> None:
    """Three regions, one of them denied; every status; the vendor's own example row."""
    world = World()
    TencentDialect.populate(world, 7)
    with Emulator(world) as emulator:
        targets = {target.region: target for target in emulator.targets("tencent")}
        found = {
            region: list(connect(target).snapshots())
            for region, target in targets.items()
            if region != "ap-beijing"
        }
        with connect(targets["ap-guangzhou"]) as client:
            groups = list(client.groups())
        with (
            connect(targets["ap-beijing"]) as denied,
            pytest.raises(PermissionDeniedError),
        ):
            list(denied.snapshots())
        old: Target = attrs.evolve(targets["ap-guangzhou"], options={"api": "2.0"})
        with connect(old) as client:
            example = client.snapshot("snap-ffxxxrx")
            with pytest.raises(UnsupportedError):
                client.groups()
    rows = found["ap-guangzhou"]

    assert 100 <= sum(map(len, found.values())) + 9 <= 130
    assert {
        SnapshotStatus.AVAILABLE,
        SnapshotStatus.CREATING,
        SnapshotStatus.RESTORING,
        SnapshotStatus.COPYING,
        SnapshotStatus.VERIFYING,
        SnapshotStatus.RECYCLED,
        SnapshotStatus.UNKNOWN,
    } == {one.status for one in rows}
    assert {Origin.MANUAL, Origin.POLICY, Origin.COPY, Origin.SHARED} == {
        one.origin for one in rows
    }
    assert "deleted-yesterday" not in {one.name for one in rows}
    assert len(groups) >= 4
    assert "2016-05-17T11:58:48+00:00" == example.created_at.isoformat()  # type: ignore[union-attr] # it has one


def test_one_seed_gives_one_estate() -> None:
    """Screenshots and documents stay true."""

    def ids(seed: int) -> list[str]:
        world = World(clock=EmulatedClock(wall=lambda: NOW))
        TencentDialect.populate(world, seed)
        regions = world.accounts[0].regions.values()
        return [one for region in regions for one in region.snapshots]

    assert ids(7) == ids(7)
    assert ids(7) != ids(8)
