"""snapkit against the emulated service: paging, refusals, and what the service is strict in."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.request import Request as WebRequest
from urllib.request import urlopen

import attrs
import pytest

from snapkit import errors
from snapkit.client import Client, connect
from snapkit.credentials import Credentials
from snapkit.emulator import Answer, Emulator, Fault, Request, World
from snapkit.emulator.state import (
    AccountState,
    EmulatedClock,
    GroupRecord,
    Pace,
    RegionState,
    SnapshotRecord,
)
from snapkit.errors import Failure
from snapkit.listing import Outcome
from snapkit.model import DiskRole, Origin, SnapshotStatus
from snapkit.transport import Clock
from snapkit_alibaba import signing
from snapkit_alibaba.dialect import AlibabaDialect

NOW = 1_700_000_000.0
KEY = Credentials(key_id="LTAIEXAMPLE", secret="EXAMPLE-secret")
QUICK = Clock(sleep=lambda _: None)
MATRIX = [
    {"signature": "acs3", "paging": "token"},
    {"signature": "acs3", "paging": "number"},
    {"signature": "rpc", "paging": "token"},
    {"signature": "rpc", "paging": "number"},
]
STYLES = pytest.mark.parametrize("options", MATRIX, ids=lambda one: "-".join(one.values()))


def record(number: int, **changes: Any) -> SnapshotRecord:
    found = SnapshotRecord(
        id=f"s-{number:05d}",
        disk_id=f"d-{number % 7}",
        size_gib=20 + number % 3,
        role=DiskRole.SYSTEM if number % 2 else DiskRole.DATA,
        instance_id=f"i-{number % 5}",
        name=f"web-{number}",
        started_at=NOW - 3600 * (number // 3) - 600,
        tags={"team": "shop"} if number % 4 == 0 else {},
    )
    return attrs.evolve(found, **changes)


def world_of(*records: Any, region: str = "cn-beijing", token: str | None = None) -> World:
    account = AccountState(
        provider="alibaba", key_id=KEY.key_id, secret=KEY.secret.reveal(), token=token
    )
    account.region(region).add(*records)
    return World(accounts=[account])


def region_of(world: World) -> RegionState:
    return next(iter(world.accounts[0].regions.values()))


@pytest.fixture(scope="module")
def full() -> Iterator[Emulator]:
    with Emulator(world_of(*[record(number) for number in range(250)])) as emulator:
        yield emulator


def client_of(emulator: Emulator, **options: str) -> Client:
    (target,) = emulator.targets("alibaba")
    return connect(attrs.evolve(target, options=options), clock=QUICK)


@STYLES
def test_every_way_of_asking_lists_the_same(full: Emulator, options: dict[str, str]) -> None:
    """250 rows are three pages; each row arrives once."""
    with client_of(full, **options) as client:
        listing = client.snapshots()
        found = [snapshot.id for snapshot in listing]

    assert sorted(found) == [f"s-{number:05d}" for number in range(250)]
    assert listing.report.complete
    assert (250 if options["paging"] == "number" else None) == listing.report.scopes[0].total


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"disk_ids": "d-3"}, 36),
        ({"disk_ids": ["d-3", "d-4"]}, 72),
        ({"instance_ids": "i-1"}, 50),
        ({"roles": "system"}, 125),
        ({"ids": [f"s-{number:05d}" for number in range(240, 260)]}, 10),
        ({"ids": [f"s-{number:05d}" for number in range(150)]}, 150),
        ({"names": "web-1?"}, 10),
        ({"tags": {"team": "shop"}}, 63),
        ({"statuses": "available"}, 250),
        ({"statuses": "failed"}, 0),
        ({"encrypted": True}, 0),
        ({"encrypted": False}, 250),
    ],
    ids=str,
)
def test_filters_find_what_matches(full: Emulator, filters: dict[str, Any], count: int) -> None:
    """Pushed down or not, the answer is the same."""
    with client_of(full) as client:
        found = list(client.snapshots(**filters))

    assert count == len(found)


def test_the_time_filter_loses_nothing_at_its_edge(full: Emulator) -> None:
    """The service compares minutes; the moment itself is included."""
    with client_of(full) as client:
        everything = list(client.snapshots())
        edge = sorted(one.created_at for one in everything if one.created_at)[100]
        found = list(client.snapshots(created_after=edge))

    assert len([one for one in everything if one.created_at and one.created_at >= edge]) == len(
        found
    )


def test_tags_beyond_a_thousand_resources_are_found() -> None:
    """The service's own tag filter would drop them without a word."""
    records = [record(number, tags={"team": "shop"}) for number in range(1100)]
    with Emulator(world_of(*records)) as emulator, client_of(emulator) as client:
        found = list(client.snapshots(tags={"team": "shop"}))

    assert len(found) == 1100


@STYLES
@pytest.mark.faults(57)
def test_rows_deleted_meanwhile_hide_no_others(options: dict[str, str]) -> None:
    """A plain loop over page numbers loses one living row for each deleted one."""
    world = world_of(*[record(number) for number in range(500)])
    with Emulator(world) as emulator, client_of(emulator, **options) as client:
        found: list[str] = []
        for number, page in enumerate(client.snapshots().pages()):
            found += [snapshot.id for snapshot in page]
            for gone in range(number * 5, number * 5 + 5):
                region_of(world).snapshots.pop(f"s-{gone:05d}", None)

    assert set(region_of(world).snapshots) <= set(found)
    assert len(found) == len(set(found))


@STYLES
def test_a_snapshot_passes_through_its_states(options: dict[str, str]) -> None:
    """Asked for, cut, usable, complete: the three moments a backup tool needs apart."""
    world = world_of(record(1, started_at=NOW, pace=Pace(cut=5, usable=10, complete=60)))
    clock = attrs.evolve(world.clock)
    world.clock.ahead = NOW - clock.wall()
    seen: list[tuple[SnapshotStatus, bool, bool | None]] = []
    with Emulator(world) as emulator, client_of(emulator, **options) as client:
        for pause in (0, 6, 5, 60):
            world.clock.advance(pause)
            one = client.snapshot("s-00001")
            seen.append((one.status, one.cut_at is not None, one.restorable))

    assert seen == [
        (SnapshotStatus.CREATING, False, False),
        (SnapshotStatus.CREATING, True, False),
        (SnapshotStatus.CREATING, True, True),
        (SnapshotStatus.AVAILABLE, True, True),
    ]


def test_deleted_and_expired_snapshots_vanish() -> None:
    """The service does not show what was."""
    world = world_of(
        record(1), record(2, deleted_at=NOW), record(3, expires_at=NOW), record(4, fails=True)
    )
    with Emulator(world) as emulator, client_of(emulator) as client:
        found = {snapshot.id: snapshot.status for snapshot in client.snapshots()}
        with pytest.raises(errors.NotFoundError):
            client.snapshot("s-00002")

    assert found == {"s-00001": SnapshotStatus.AVAILABLE, "s-00004": SnapshotStatus.FAILED}


def test_a_copy_names_where_it_came_from() -> None:
    """Its type alone would do, its source is surer."""
    copy = record(1, origin=Origin.COPY, source_snapshot_id="s-0", source_region="cn-hangzhou")
    with Emulator(world_of(copy)) as emulator, client_of(emulator) as client:
        assert client.snapshot("s-00001").origin is Origin.COPY


def group(number: int, *members: int, **changes: Any) -> GroupRecord:
    found = GroupRecord(
        id=f"ssg-{number:04d}",
        snapshot_ids=[f"s-{member:05d}" for member in members],
        name=f"group-{number}",
        created_at=NOW - number,
        instance_id="i-1",
    )
    return attrs.evolve(found, **changes)


def test_groups_come_by_token_with_members_filled_in() -> None:
    """The group's own answer has neither status nor size of a member."""
    groups = [group(number, 2 * number, 2 * number + 1) for number in range(120)]
    world = world_of(*[record(number) for number in range(240)], *groups)
    with Emulator(world) as emulator, client_of(emulator) as client:
        listing = client.groups()
        found = list(listing)

    assert len(found) == 120
    assert listing.report.complete
    assert {(one.status, len(one.members)) for one in found} == {(SnapshotStatus.AVAILABLE, 2)}
    assert all(member.size_bytes and member.group_id for one in found for member in one.members)


def test_groups_can_be_filtered() -> None:
    """By id, server, state and name."""
    world = world_of(
        record(1), record(2), record(3, fails=True), group(1, 1), group(2, 2, instance_id=None),
        group(3, 3, tags={"team": "shop"}),
    )  # fmt: skip
    with Emulator(world) as emulator, client_of(emulator) as client:

        def ids(**filters: Any) -> list[str]:
            return sorted(one.id for one in client.groups(**filters))

        assert ids(ids=["ssg-0001", "ssg-0009"]) == ["ssg-0001"]
        assert ids(instance_ids="i-1") == ["ssg-0001", "ssg-0003"]
        assert ids(statuses="failed") == ["ssg-0003"]
        assert ids(names="group-2") == ["ssg-0002"]
        assert ids(tags="team") == ["ssg-0003"]
        assert ids(snapshot_ids="s-00002") == ["ssg-0002"]
        assert [one.group_id for one in client.snapshots(group_ids="ssg-0003")] == ["ssg-0003"]


def test_a_group_over_two_servers_has_none_but_its_members_do() -> None:
    """The service leaves the field blank and tags each member with its server."""
    world = world_of(record(1), record(2), group(1, 1, 2, instance_id=None))
    with Emulator(world) as emulator, client_of(emulator) as client:
        (found,) = client.groups(fill=False)

    assert found.instance_id is None
    assert [member.source.instance_id for member in found.members] == ["i-1", "i-2"]


@STYLES
@pytest.mark.faults(52)
def test_denied_is_told_apart_from_empty(options: dict[str, str]) -> None:
    """An inventory that calls a denied region empty is wrong."""
    world = world_of(record(1))
    region_of(world).denied = True
    with Emulator(world) as emulator, client_of(emulator, **options) as client:
        listing = client.snapshots()
        with pytest.raises(errors.PermissionDeniedError) as caught:
            list(listing)

    assert listing.report.scopes[0].outcome is Outcome.DENIED
    assert caught.value.code == "Forbidden.RAM"
    assert caught.value.request_id


@STYLES
@pytest.mark.faults(49)
def test_a_wrong_secret_is_not_tried_again(options: dict[str, str]) -> None:
    """Accounts are locked for that."""
    world = world_of(record(1))
    with Emulator(world) as emulator:
        (target,) = emulator.targets("alibaba")
        wrong = Credentials(key_id=KEY.key_id, secret="EXAMPLE-wrong")
        with (
            connect(target, credentials=wrong, options=options, clock=QUICK) as client,
            pytest.raises(errors.AuthenticationError) as caught,
        ):
            list(client.snapshots())

    assert (caught.value.code, caught.value.attempts) == ("SignatureDoesNotMatch", 1)
    assert "EXAMPLE-wrong" not in str(caught.value)


@STYLES
def test_temporary_credentials_need_their_token(options: dict[str, str]) -> None:
    """With it the same call is answered."""
    with Emulator(world_of(record(1), token="EXAMPLE-token")) as emulator:
        (target,) = emulator.targets("alibaba")
        with connect(target, options=options) as client:
            assert len(list(client.snapshots())) == 1
        with (
            connect(target, credentials=KEY, options=options) as client,
            pytest.raises(errors.AuthenticationError),
        ):
            list(client.snapshots())


@STYLES
@pytest.mark.faults(50)
def test_a_wrong_clock_is_corrected_once(options: dict[str, str]) -> None:
    """The service tolerates a quarter of an hour; its own clock is in the answer."""
    world = world_of(record(1))
    slow = attrs.evolve(QUICK, wall=lambda: EmulatedClock().wall() - 3600)
    with Emulator(world) as emulator:
        (target,) = emulator.targets("alibaba")
        with connect(target, options=options, clock=slow) as client:
            found = list(client.snapshots())

    assert len(found) == 1
    assert [one.status for one in emulator.log] == [400, 200]


def listed(emulator: Emulator, fault: Fault) -> Any:
    emulator.faults[:] = [fault]
    emulator.log.clear()
    try:
        with client_of(emulator) as client:
            return len(list(client.snapshots()))
    except errors.SnapkitError as error:
        return type(error)
    finally:
        emulator.faults.clear()


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault(kind="refuse", failure=Failure.THROTTLED), 250),
        (Fault(kind="refuse", failure=Failure.THROTTLED, times=None), errors.ThrottledError),
        (Fault(kind="refuse", failure=Failure.SERVER), 250),
        (Fault(kind="refuse", failure=Failure.SERVER, times=None), errors.UnavailableError),
        (Fault(kind="refuse", failure=Failure.PERMISSION), errors.PermissionDeniedError),
        (Fault(kind="refuse", failure=Failure.AUTHENTICATION), errors.AuthenticationError),
        (Fault(kind="refuse", failure=Failure.ACCOUNT), errors.AccountError),
        (Fault(kind="refuse", failure=Failure.OTHER), errors.ProviderError),
        (Fault(kind="html"), errors.ProtocolError),
        (Fault(kind="html", skip=1), errors.ProtocolError),
        (Fault(kind="status", status=502), 250),
        (Fault(kind="status", status=302), errors.ProtocolError),
        (Fault(kind="cut-answer"), 250),
        (Fault(kind="cut-answer", times=None), errors.TransportError),
        (Fault(kind="cut-before"), 250),
        (Fault(kind="cut-after"), 250),
    ],
    ids=str,
)
def test_faults_are_mended_or_said_and_never_a_short_list(
    full: Emulator, fault: Fault, outcome: Any
) -> None:
    """All 250 rows, or the right error."""
    assert outcome == listed(full, fault)


def asked(
    world: World, action: str = "DescribeSnapshots", *, nonce: str = "n-1", **params: str
) -> Request:
    """Return an ACS3 request as it would arrive."""
    names = {name.replace("__", "."): value for name, value in params.items()}
    sent = signing.acs3_request(
        "https://ecs.example",
        action,
        {"RegionId": "cn-beijing", **names},
        KEY,
        time=world.clock.wall(),
        nonce=nonce,
    )
    return Request(method="POST", path="/", query=sent.url.partition("?")[2], headers=sent.headers)


def said(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.body)
    return found


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"snapshotName": "x"}, 400, "UnsupportedParameter"),
        ({"Owner": "x"}, 400, "UnsupportedParameter"),
        ({"RegionId": ""}, 400, "MissingParameter"),
        ({"RegionId": "cn-nowhere"}, 404, "InvalidRegionId.NotFound"),
        ({"PageSize": "101"}, 400, "InvalidParameter"),
        ({"PageNumber": "0"}, 400, "InvalidParameter"),
        ({"MaxResults": "101"}, 400, "InvalidParameter"),
        ({"MaxResults": "many"}, 400, "InvalidParameter"),
        ({"NextToken": "bogus"}, 400, "InvalidParameter"),
        ({"SnapshotIds": "s-1,s-2"}, 403, "InvalidSnapshotIds.Malformed"),
        ({"SnapshotIds": json.dumps([f"s-{n}" for n in range(101)])}, 403,
         "InvalidSnapshotIds.Malformed"),
        ({"Status": "available"}, 404, "InvalidStatus.NotFound"),
        ({"SnapshotType": "timer"}, 404, "InvalidSnapshotType.NotFound"),
        ({"SourceDiskType": "boot"}, 404, "InvalidSourceDiskType"),
        ({"Usage": "some"}, 404, "InvalidUsage"),
        ({"Category": "gold"}, 404, "InvalidSnapshotCategory.Malformed"),
        ({"Encrypted": "maybe"}, 400, "InvalidParameter"),
        ({"Filter__1__Key": "CreationEndTime"}, 404, "InvalidFilterKey.NotFound"),
        ({"Filter__1__Key": "CreationStartTime", "Filter__1__Value": "x"}, 404,
         "InvalidFilterValue"),
        ({"Tag__1__Value": "x"}, 400, "InvalidTag.Mismatch"),
        ({f"Tag__{n}__Key": "x" for n in range(1, 22)}, 400, "InvalidTagCount"),
        ({"DryRun": "True"}, 400, "DryRunOperation"),
    ],
    ids=str,
)  # fmt: skip
def test_the_dialect_refuses_what_the_service_refuses(
    params: dict[str, str], status: int, code: str
) -> None:
    """A lenient emulator would let mistakes through that the cloud punishes."""
    world = world_of(record(1))
    answer = AlibabaDialect(world).answer(asked(world, **params))

    assert (status, code) == (answer.status, said(answer)["Code"])


def test_the_dialect_refuses_unknown_actions_keys_and_nonces() -> None:
    """Each in the service's own words."""
    world = world_of(record(1))
    dialect = AlibabaDialect(world)
    request = asked(world)
    stranger = world_of(record(1))
    stranger.accounts[0].key_id = "LTAIOTHER"
    codes = [
        said(dialect.answer(asked(world, "DescribeMoons")))["Code"],
        said(AlibabaDialect(stranger).answer(asked(world)))["Code"],
        said(dialect.answer(request)).get("Code"),
        said(dialect.answer(request))["Code"],
    ]

    assert codes == [
        "InvalidAction.NotFound",
        "InvalidAccessKeyId.NotFound",
        None,
        "SignatureNonceUsed",
    ]


def test_the_dialect_refuses_a_stale_time_and_a_changed_query() -> None:
    """What was signed is what counts."""
    world = world_of(record(1))
    dialect = AlibabaDialect(world)
    changed = attrs.evolve(asked(world), query="RegionId=cn-beijing&Status=failed")
    stale = asked(world, nonce="n-2")
    world.clock.wall = lambda: EmulatedClock().wall() + 1000

    assert said(AlibabaDialect(world_of()).answer(changed))["Code"] == "SignatureDoesNotMatch"
    assert said(dialect.answer(stale))["Code"] == "InvalidTimeStamp.Expired"


def test_small_token_pages_have_ten_rows_and_no_count() -> None:
    """Two quirks that a client must live with."""
    world = world_of(*[record(number) for number in range(25)])
    first = said(AlibabaDialect(world).answer(asked(world, MaxResults="2")))

    assert len(first["Snapshots"]["Snapshot"]) == 10
    assert (first["TotalCount"], bool(first["NextToken"])) == (0, True)


def test_an_empty_array_of_ids_selects_nothing() -> None:
    """It is a live filter."""
    world = world_of(record(1))
    answer = said(AlibabaDialect(world).answer(asked(world, SnapshotIds="[]")))

    assert answer["Snapshots"] == {"Snapshot": []}


def test_tag_filters_see_a_thousand_resources() -> None:
    """The reason why snapkit does not use them."""
    world = world_of(*[record(number, tags={"a": "b"}) for number in range(1005)])
    answer = said(
        AlibabaDialect(world).answer(asked(world, Tag__1__Key="a", Tag__1__Value="b", PageSize="1"))
    )

    assert answer["TotalCount"] == 1000


def test_without_a_format_the_answer_is_xml() -> None:
    """RPC version 1 has that default, for errors too."""
    world = world_of(record(1, name="<财务>"))
    form = {
        "Action": "DescribeSnapshots",
        "Version": "2014-05-26",
        "RegionId": "cn-beijing",
        "AccessKeyId": KEY.key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": "n-1",
        "Timestamp": signing.timestamp(world.clock.wall()),
    }
    form["Signature"] = signing.rpc_signature("GET", form, KEY.secret.reveal())
    request = Request(method="GET", path="/", query=signing.canonical_query(form))
    dialect = AlibabaDialect(world)
    good, refused = dialect.answer(request).body.decode(), dialect.answer(request).body.decode()

    assert "<DescribeSnapshotsResponse><PageNumber>1</PageNumber>" in good
    assert "<SnapshotName>&lt;财务&gt;</SnapshotName>" in good
    assert "<Code>SignatureNonceUsed</Code>" in refused


def test_a_bare_http_client_is_served_too() -> None:
    """The emulator is a server, not a mock inside this process."""
    world = world_of(record(1))
    with Emulator(world) as emulator:
        sent = signing.acs3_request(
            emulator.endpoint,
            "DescribeSnapshots",
            {"RegionId": "cn-beijing"},
            KEY,
            time=world.clock.wall(),
            nonce="n",
        )
        web = WebRequest(sent.url, method="POST", data=b"", headers=dict(sent.headers))
        web.add_header("content-type", "text/plain")
        with urlopen(web) as response:
            answer = json.load(response)

    assert answer["Snapshots"]["Snapshot"][0]["SnapshotId"] == "s-00001"


def test_the_demonstration_shows_every_state_and_the_published_rows() -> None:
    """The same seed and clock give the same estate."""
    clock = EmulatedClock(wall=lambda: NOW)
    worlds = [World(clock=clock), World(clock=clock)]
    for world in worlds:
        AlibabaDialect.populate(world, 7)
    first, second = (world.accounts[0] for world in worlds)
    counts = [len(region.snapshots) for region in first.regions.values()]

    assert first == second
    assert 100 <= sum(counts) <= 130
    assert sum(len(region.groups) for region in first.regions.values()) >= 4
    with Emulator(attrs.evolve(worlds[0], clock=EmulatedClock())) as emulator:
        clients = [connect(target) for target in emulator.targets("alibaba")]
        found = {one.id: one for client in clients for one in client.snapshots()}
        for client in clients:
            client.close()

    assert {one.status for one in found.values()} >= {
        SnapshotStatus.AVAILABLE,
        SnapshotStatus.FAILED,
    }
    assert found["s-23izto5qm"].source.id == "101-70105379"
    assert found["s-943ypfgic"].name == "auto_20150730_3"
