"""The adapter and the emulated QingCloud, over a wire."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import attrs
import pytest

from snapkit.client import Client, connect
from snapkit.credentials import Credentials
from snapkit.driver import Capability
from snapkit.emulator import Emulator, Fault, World
from snapkit.emulator.state import AccountState, Disk, EmulatedClock, RegionState, SnapshotRecord
from snapkit.errors import (
    AuthenticationError,
    ConfigurationError,
    CredentialsMissingError,
    Failure,
    NotFoundError,
    PermissionDeniedError,
    ProtocolError,
    SnapkitError,
    ThrottledError,
    TransportError,
    UnavailableError,
)
from snapkit.listing import Outcome
from snapkit.model import DiskRole, Membership, SnapshotStatus
from snapkit.settings import Target
from snapkit.transport import Call, Clock, Moment
from snapkit_qingcloud.dialect import QingCloudDialect
from snapkit_qingcloud.driver import QingCloudApi, QingCloudDriver

KEYS = Credentials(key_id="QYACCESSKEYIDEXAMPLE", secret="EXAMPLE-secret")
START = 1716192000.0


@pytest.fixture
def account() -> AccountState:
    """An account with one empty region."""
    state = AccountState(
        provider="qingcloud", label="demo", key_id=KEYS.key_id, secret=KEYS.secret.reveal()
    )
    state.region("pek3")
    return state


@pytest.fixture
def region(account: AccountState) -> RegionState:
    """Its region."""
    return account.regions["pek3"]


@pytest.fixture
def emulator(account: AccountState) -> Iterator[Emulator]:
    """The emulated cloud."""
    with Emulator(World(accounts=[account])) as running:
        yield running


Open = Callable[..., Client]


@pytest.fixture
def open_client(emulator: Emulator) -> Iterator[Open]:
    """Opens clients that never really sleep, and closes them."""
    opened: list[Client] = []

    def open_(**changes: Any) -> Client:
        target = attrs.evolve(emulator.targets("qingcloud")[0], **changes)
        opened.append(connect(target, clock=Clock(sleep=lambda _: None)))
        return opened[-1]

    yield open_
    for client in opened:
        client.close()


def record(number: int, **facts: Any) -> SnapshotRecord:
    defaults: dict[str, Any] = {
        "id": f"ss-{number:04}",
        "disk_id": f"vol-{number % 5}",
        "size_gib": 10,
        "started_at": START + number // 7,
        "name": f"nightly-{number}",
    }
    return SnapshotRecord(**(defaults | facts))


def fill(region: RegionState, count: int) -> set[str]:
    region.add(*(record(number) for number in range(count)))
    return set(region.snapshots)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("signature", ["hmac-sha256", "hmac-sha1"])
@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_every_snapshot_is_listed_once(
    region: RegionState, open_client: Open, count: int, signature: str, method: str
) -> None:
    """Whatever the number of pages, the signature and the verb."""
    expected = fill(region, count)
    listing = open_client(options={"signature": signature, "method": method}).snapshots()
    found = [snapshot.id for snapshot in listing]

    assert sorted(expected) == sorted(found)
    assert listing.report.complete
    assert count == listing.report.rows == listing.report.scopes[0].total


def test_ids_beyond_one_page_are_all_found(region: RegionState, open_client: Open) -> None:
    """Without a limit the server answers 20 of a list of ids."""
    fill(region, 250)
    wanted = {f"ss-{number:04}" for number in range(0, 250, 2)}

    assert wanted == {snapshot.id for snapshot in open_client().snapshots(ids=wanted)}


@pytest.mark.faults(57)
def test_rows_deleted_under_the_listing_hide_no_living_one(
    region: RegionState, open_client: Open
) -> None:
    """A plain offset loop loses one row for each that vanishes before it."""
    living = fill(region, 250)
    found: set[str] = set()
    for page in open_client().snapshots().pages():
        found |= {snapshot.id for snapshot in page}
        for _ in range(3):
            living.discard(region.snapshots.popitem()[0])

    assert living <= found


def test_deleted_snapshots_are_hidden_until_they_are_wanted(
    emulator: Emulator, region: RegionState, open_client: Open
) -> None:
    """The server shows them to whoever does not ask by status."""
    now = emulator.world.clock.now()
    region.add(
        record(1),
        record(2, deleted_at=now - 60),
        record(3, deleted_at=now - 86400),
        record(4, word="deleted/recovering"),
    )
    client = open_client()

    assert ["ss-0001"] == [snapshot.id for snapshot in client.snapshots()]
    assert ["ss-0002", "ss-0003", "ss-0004"] == sorted(
        snapshot.id for snapshot in client.snapshots(statuses="deleted")
    )
    assert 4 == len(list(client.snapshots(include_deleted=True)))
    with pytest.raises(NotFoundError):
        client.snapshot("ss-0002")


def test_a_snapshot_lives_by_the_clouds_clock(
    emulator: Emulator, region: RegionState, open_client: Open
) -> None:
    """Captured, then usable: the two moments a backup tool waits for."""
    region.add(record(1, started_at=emulator.world.clock.now()))
    client = open_client()
    started = client.snapshot("ss-0001")
    emulator.world.clock.advance(2)
    captured = client.snapshot("ss-0001")
    emulator.world.clock.advance(60)
    usable = client.snapshot("ss-0001")

    assert [SnapshotStatus.CREATING, SnapshotStatus.CREATING, SnapshotStatus.AVAILABLE] == [
        one.status for one in (started, captured, usable)
    ]
    assert started.cut_at is None
    assert captured.cut_at == captured.created_at
    assert usable.completed_at is not None


def test_filters_give_what_they_say(region: RegionState, open_client: Open) -> None:
    """Pushed down or not, the answer is the same."""
    region.add(
        record(1, full=True, tags={"重要": ""}, category="200"),
        record(2, full=False, parent_id="ss-0001", root_id="ss-0001", disk_id="vol-1"),
        record(3, role=DiskRole.SYSTEM, instance_id="i-1", name="系统盘"),
    )
    client = open_client()

    def ids(**filters: Any) -> list[str]:
        return sorted(snapshot.id for snapshot in client.snapshots(**filters))

    assert ["ss-0001", "ss-0002"] == ids(disk_ids="vol-1")
    assert ["ss-0001", "ss-0002"] == ids(disk_ids=["vol-1", "vol-2"])
    assert ["ss-0002"] == ids(kinds="incremental")
    assert ["ss-0003"] == ids(instance_ids="i-1")
    assert ["ss-0003"] == ids(roles="system")
    assert ["ss-0001"] == ids(tags="重要")
    assert ["ss-0001"] == ids(categories="ssd")
    assert ["ss-0003"] == ids(names="系统*")
    assert [] == ids(ids="ss-none")


def server(number: int, disks: int = 2) -> tuple[list[Disk], list[SnapshotRecord]]:
    instance, at = f"i-{number}", START + number
    volumes = [
        Disk(id=f"vol-{number}-{index}", size_gib=10, instance_id=instance, zone="pek3b")
        for index in range(disks)
    ]
    taken = [
        record(0, id=f"ss-{volume.id}", disk_id=volume.id, name="group", started_at=at)
        for volume in volumes
    ]
    system = record(
        0,
        id=f"ss-sys-{number}",
        disk_id=f"vol-sys-{number}",
        role=DiskRole.SYSTEM,
        instance_id=instance,
        name="group",
        started_at=at,
    )
    return volumes, [*taken, system]


def test_groups_are_derived_with_the_servers_of_their_volumes(
    emulator: Emulator, region: RegionState, open_client: Open
) -> None:
    """Over a hundred volumes their servers take more than one call, and none is missed."""
    for number in range(60):
        disks, taken = server(number)
        region.add(*disks, *taken)
    listing = open_client().groups()
    found = list(listing)

    assert 60 == len(found)
    assert {3} == {len(group.members) for group in found}
    assert {Membership.DERIVED} == {group.membership for group in found}
    assert listing.report.complete
    assert 2 == [one.operation for one in emulator.log].count("DescribeVolumes")


def test_a_group_is_found_again_by_its_id(region: RegionState, open_client: Open) -> None:
    """Its id is made of what it is, so it is the same every time."""
    disks, taken = server(1)
    region.add(*disks, *taken)
    client = open_client()
    (group,) = client.groups()
    members = client.snapshots(group_ids=group.id)

    assert group == client.group(group.id)
    assert {one.id for one in taken} == {member.id for member in members}


def test_a_detached_disk_belongs_to_no_group(region: RegionState, open_client: Open) -> None:
    """Where it was at the time nobody knows any more."""
    disks, taken = server(1)
    for disk in disks:
        disk.instance_id = None
    region.add(*disks, *taken)

    assert [] == list(open_client().groups())


def test_regions_are_listed_without_naming_one(account: AccountState, open_client: Open) -> None:
    """Zones of one region share their snapshots and stand as one."""
    account.region("gd2").open = False
    account.region("ap2a")
    client = open_client()

    assert client.supports(Capability.REGIONS)
    assert [("pek3", True), ("gd2", False), ("ap2a", True)] == [
        (place.id, place.open) for place in client.regions()
    ]


def test_a_zone_sees_the_snapshots_of_its_region(region: RegionState, open_client: Open) -> None:
    """A snapshot's replicas are all over the region."""
    fill(region, 3)

    assert 3 == len(list(open_client(region="pek3d").snapshots()))


REFUSED: list[tuple[Failure, type[SnapkitError], Outcome]] = [
    (Failure.PERMISSION, PermissionDeniedError, Outcome.DENIED),
    (Failure.AUTHENTICATION, AuthenticationError, Outcome.DENIED),
    (Failure.THROTTLED, ThrottledError, Outcome.THROTTLED),
    (Failure.SERVER, UnavailableError, Outcome.FAILED),
]


@pytest.mark.parametrize(("failure", "kind", "outcome"), REFUSED)
def test_a_refusal_is_never_an_empty_list(
    emulator: Emulator,
    region: RegionState,
    open_client: Open,
    failure: Failure,
    kind: type[SnapkitError],
    outcome: Outcome,
) -> None:
    """An account that may not list looks like one without snapshots only to a bad client."""
    fill(region, 5)
    emulator.faults.append(Fault(kind="refuse", failure=failure, times=None))
    listing = open_client().snapshots()
    with pytest.raises(kind) as caught:
        list(listing)

    assert outcome is listing.report.scopes[0].outcome
    assert ("qingcloud", "demo", "pek3", "DescribeSnapshots") == (
        caught.value.provider,
        caught.value.account,
        caught.value.region,
        caught.value.operation,
    )
    assert 32 == len(caught.value.request_id or "")


def test_one_throttle_costs_one_more_call(
    emulator: Emulator, region: RegionState, open_client: Open
) -> None:
    """The next attempt is signed anew and answered."""
    fill(region, 5)
    emulator.faults.append(Fault(kind="refuse", failure=Failure.THROTTLED))

    assert 5 == len(list(open_client().snapshots()))
    assert 2 == len(emulator.log)


def test_a_failure_on_a_later_page_keeps_the_rows_before_it(
    emulator: Emulator, region: RegionState, open_client: Open
) -> None:
    """What arrived is good, and the report says that it is not all."""
    fill(region, 250)
    emulator.faults.append(Fault(kind="refuse", failure=Failure.PERMISSION, skip=2, times=None))
    listing = open_client().snapshots()
    found: list[str] = []
    with pytest.raises(PermissionDeniedError):
        found.extend(snapshot.id for snapshot in listing)

    assert not listing.report.complete
    assert 100 <= listing.report.rows < 250


@pytest.mark.parametrize(
    ("fault", "kind", "calls"),
    [
        (Fault(kind="html", times=None), ProtocolError, 1),
        (Fault(kind="cut-answer", times=None), TransportError, 4),
        (Fault(kind="cut-before", times=None), TransportError, 4),
        (Fault(kind="status", status=503, times=None), UnavailableError, 4),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_what_is_not_the_providers_answer_is_an_error(
    emulator: Emulator,
    region: RegionState,
    open_client: Open,
    fault: Fault,
    kind: type[SnapkitError],
    calls: int,
) -> None:
    """A portal's page does not get better by asking again; a cut may."""
    fill(region, 5)
    emulator.faults.append(attrs.evolve(fault))
    with pytest.raises(kind):
        list(open_client().snapshots())

    assert calls == len(emulator.log)


def test_a_cut_answer_is_fetched_again(
    emulator: Emulator, region: RegionState, open_client: Open
) -> None:
    """Half an answer is no answer."""
    fill(region, 5)
    emulator.faults.append(Fault(kind="cut-answer"))

    assert 5 == len(list(open_client().snapshots()))


@pytest.mark.faults(52)
def test_a_denied_region_says_so_for_groups_too(region: RegionState, open_client: Open) -> None:
    """The groups of a region one may not see are not none."""
    region.denied = True
    with pytest.raises(PermissionDeniedError) as caught:
        list(open_client().groups())

    assert "1400" == caught.value.code


def test_groups_fail_when_the_volumes_may_not_be_seen(
    emulator: Emulator, region: RegionState, open_client: Open
) -> None:
    """Without the servers no group is certain, which is not the same as there being none."""
    disks, taken = server(1)
    region.add(*disks, *taken)
    refusal = Fault(
        kind="refuse", failure=Failure.PERMISSION, operation="DescribeVolumes", times=None
    )
    emulator.faults.append(refusal)
    with pytest.raises(PermissionDeniedError):
        list(open_client().groups())


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (Credentials(key_id=KEYS.key_id, secret="wrong"), "signature not matched"),
        (Credentials(key_id="nobody", secret="wrong"), "illegal access key"),
        (Credentials(key_id=KEYS.key_id, secret=KEYS.secret, token="t"), "illegal access key"),
    ],
)
@pytest.mark.faults(49)
def test_wrong_keys_are_refused_at_once(
    emulator: Emulator, open_client: Open, keys: Credentials, text: str
) -> None:
    """Sending them again would only lock the account."""
    with pytest.raises(AuthenticationError, match=text):
        list(open_client(credentials=keys).snapshots())

    assert 1 == len(emulator.log)


def test_a_roles_token_is_accepted_on_its_path(
    account: AccountState, region: RegionState, open_client: Open
) -> None:
    """Keys of an instance's role come with a token."""
    account.token = "EXAMPLE-token"
    fill(region, 3)

    assert 3 == len(list(open_client().snapshots()))


@pytest.mark.faults(45)
def test_a_stale_token_is_an_authentication_error(account: AccountState, open_client: Open) -> None:
    """It is tried once more, with what the source of credentials then has."""
    account.token = "EXAMPLE-token"
    stale = Credentials(key_id=KEYS.key_id, secret=KEYS.secret, token="old")
    with pytest.raises(AuthenticationError) as caught:
        list(open_client(credentials=stale).snapshots())

    assert ("2000", 2) == (caught.value.code, caught.value.attempts)


@pytest.mark.faults(50)
def test_a_clock_behind_is_corrected_once(
    emulator: Emulator, region: RegionState, caplog: pytest.LogCaptureFixture
) -> None:
    """The server refuses times older than a minute, and says what time it is."""
    fill(region, 3)
    emulator.world.clock = EmulatedClock()
    real = emulator.world.clock.wall
    slow = Clock(wall=lambda: real() - 420, sleep=lambda _: None)
    with connect(emulator.targets("qingcloud")[0], clock=slow) as client:
        found = list(client.snapshots())

    assert 3 == len(found)
    assert 2 == len(emulator.log)
    assert "behind the clock of qingcloud" in caplog.text


def test_an_unknown_zone_is_refused_with_a_hint(open_client: Open) -> None:
    """The provider calls it a missing permission."""
    with pytest.raises(PermissionDeniedError, match=r"access denied for zone \[mars\].*; check"):
        list(open_client(region="mars").snapshots())


def answer_to(emulator: Emulator, params: dict[str, str], **changes: str) -> dict[str, Any]:
    """Return the answer to a request that is signed right, whatever it asks."""
    call = Call(operation="DescribeSnapshots", url=f"{emulator.endpoint}/iaas/", params=params)
    moment = Moment(time=emulator.world.clock.wall(), entropy=b"x" * 16)
    request = QingCloudApi().sign(call, KEYS, moment)
    url = request.url
    for old, new in changes.items():
        url = url.replace(old, new)
    with urlopen(url) as response:
        assert 200 == response.status
        found: dict[str, Any] = json.loads(response.read())
    return found


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"zone": "pek3", "Limit": "5"}, 1100),
        ({"zone": "pek3", "page": "1"}, 1100),
        ({"zone": "pek3", "snapshots": "ss-1"}, 1100),
        ({"zone": "pek3", "snapshots.0": "ss-1"}, 1100),
        ({"zone": "pek3", "status.1": "gone"}, 1100),
        ({"zone": "pek3", "limit": "0"}, 1100),
        ({"zone": "pek3", "limit": "many"}, 1100),
        ({"zone": "pek3", "offset": "-1"}, 1100),
        ({"zone": "pek3", "action": "describeSnapshots"}, 1101),
        ({"zone": ""}, 1100),
        ({"Zone": "pek3"}, 1100),
        ({"zone": "moon"}, 1400),
        ({"zone": "pek3"} | {f"snapshots.{number}": "x" for number in range(1, 102)}, 1100),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_emulator_refuses_what_the_provider_refuses(
    emulator: Emulator, params: dict[str, str], code: int
) -> None:
    """A mis-cased filter that is ignored would return everything."""
    assert code == answer_to(emulator, params)["ret_code"]


def test_the_emulator_cuts_pages_as_the_provider_does(
    emulator: Emulator, region: RegionState
) -> None:
    """20 rows by default, even for ids, and 100 at most, in silence."""
    fill(region, 150)
    ids = {f"snapshots.{number + 1}": f"ss-{number:04}" for number in range(50)}

    assert 100 == len(answer_to(emulator, {"zone": "pek3", "limit": "500"})["snapshot_set"])
    assert 20 == len(answer_to(emulator, {"zone": "pek3"})["snapshot_set"])
    assert 20 == len(answer_to(emulator, {"zone": "pek3"} | ids)["snapshot_set"])


def test_the_emulator_shows_the_dead_as_the_provider_does(
    emulator: Emulator, region: RegionState
) -> None:
    """Deleted ones without a filter, ceased ones by status or by id."""
    region.add(record(1, word="deleted"), record(2, word="ceased"), record(3))

    def ids(**filters: str) -> list[str]:
        named = {name.replace("_", "."): value for name, value in filters.items()}
        answer = answer_to(emulator, {"zone": "pek3"} | named)
        return [row["snapshot_id"] for row in answer["snapshot_set"]]

    assert ["ss-0001", "ss-0003"] == ids()
    assert ["ss-0002"] == ids(status_1="ceased")
    assert ["ss-0002"] == ids(snapshots_1="ss-0002")


def test_the_emulator_checks_signature_and_age(emulator: Emulator) -> None:
    """A changed parameter and a request of yesterday are refused alike."""
    limited = {"zone": "pek3", "limit": "5"}
    assert 1200 == answer_to(emulator, limited, **{"limit=5": "limit=6"})["ret_code"]
    wall = emulator.world.clock.wall
    emulator.world.clock.wall = lambda: wall() - 3600
    call = Call(
        operation="DescribeSnapshots", url=f"{emulator.endpoint}/iaas/", params={"zone": "pek3"}
    )
    old = QingCloudApi().sign(call, KEYS, Moment(time=wall() - 3700, entropy=b"x" * 16))
    with urlopen(old.url) as response:
        assert 1300 == json.loads(response.read())["ret_code"]


@pytest.mark.parametrize("missing", ["time_stamp", "signature", "access_key_id", "version"])
def test_the_emulator_wants_every_common_parameter(emulator: Emulator, missing: str) -> None:
    """They are all required."""
    call = Call(operation="DescribeZones", url=f"{emulator.endpoint}/iaas/")
    moment = Moment(time=emulator.world.clock.wall(), entropy=b"x" * 16)
    query = urlsplit(QingCloudApi().sign(call, KEYS, moment).url).query
    kept = [pair for pair in query.split("&") if not pair.startswith(f"{missing}=")]
    with urlopen(f"{emulator.endpoint}/iaas/?{'&'.join(kept)}") as response:
        assert 1100 == json.loads(response.read())["ret_code"]


def test_chains_are_shown_on_their_roots(emulator: Emulator, region: RegionState) -> None:
    """Size, number and newest point, under the provider's own spelling."""
    region.add(
        record(1, disk_id="vol-1", stored_mib=10240, started_at=START),
        record(
            2,
            disk_id="vol-1",
            full=False,
            parent_id="ss-0001",
            root_id="ss-0001",
            stored_mib=5,
            started_at=START + 60,
        ),
    )
    increment, root = answer_to(emulator, {"zone": "pek3", "verbose": "1"})["snapshot_set"]

    assert (10245, 2, "2024-05-20T08:01:00Z", 1, "self") == (
        root["total_size"],
        root["total_count"],
        root["lastest_snapshot_time"],
        root["head_chain"],
        root["parent_id"],
    )
    assert (1, "ss-0001", "ss-0001") == (
        increment["is_head"],
        increment["parent_id"],
        increment["root_id"],
    )
    assert "total_size" not in increment
    assert {"size": 10, "volume_type": 0, "architecture": "x86_64"} == root["snapshot_resource"]


def test_the_demonstration_estate_has_every_status() -> None:
    """It is what a person meets first, and the same for one seed."""
    world, again = World(), World()
    again.clock.wall = world.clock.wall = lambda: START
    QingCloudDialect.populate(world, 7)
    QingCloudDialect.populate(again, 7)

    assert world.accounts == again.accounts
    assert 100 <= sum(len(place.snapshots) for place in world.accounts[0].regions.values()) <= 130


def test_the_demonstration_estate_reads_without_a_trouble() -> None:
    """Two regions with groups and with everything the provider can show."""
    world = World()
    QingCloudDialect.populate(world, 7)
    statuses: set[SnapshotStatus] = set()
    with Emulator(world) as emulator:
        for target in emulator.targets("qingcloud"):
            with connect(target) as client:
                listing = client.snapshots(include_deleted=True)
                statuses |= {snapshot.status for snapshot in listing}
                groups = len(list(client.groups()))

                assert listing.report.complete
                assert groups >= 4 or target.region == "ap2a"

    assert {
        SnapshotStatus.CREATING,
        SnapshotStatus.AVAILABLE,
        SnapshotStatus.RESTORING,
        SnapshotStatus.SUSPENDED,
        SnapshotStatus.DELETING,
        SnapshotStatus.DELETED,
        SnapshotStatus.UNKNOWN,
    } == statuses


@pytest.mark.parametrize(
    ("environ", "key_id"),
    [
        ({"QINGCLOUD_ACCESS_KEY_ID": "a", "QINGCLOUD_SECRET_ACCESS_KEY": "s"}, "a"),
        ({"QINGCLOUD_ACCESS_KEY": "b", "QINGCLOUD_SECRET_KEY": "s"}, "b"),
    ],
)
def test_both_sets_of_environment_variables_are_read(environ: dict[str, str], key_id: str) -> None:
    """There is no official one."""
    assert key_id == QingCloudDriver.environment.credentials(environ).key_id


def test_half_of_a_pair_is_named() -> None:
    """The most common mistake."""
    with pytest.raises(CredentialsMissingError, match="QINGCLOUD_SECRET_ACCESS_KEY is not"):
        QingCloudDriver.environment.credentials({"QINGCLOUD_ACCESS_KEY_ID": "a"})


def test_the_zone_may_come_from_the_environment() -> None:
    """As with other tools for this provider."""
    assert "pek3" == Target.parse("qingcloud", environ={"QINGCLOUD_ZONE": "pek3"}).region


def test_a_choice_that_does_not_exist_is_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match="hmac-md5"):
        Target.parse("qingcloud:pek3?signature=hmac-md5")


def test_a_search_in_chinese_with_blanks_is_signed_as_it_is_read(
    emulator: Emulator, region: RegionState
) -> None:
    """The server searches names by what was signed."""
    region.add(record(1, name="每日 备份+1"), record(2))
    answer = answer_to(emulator, {"zone": "pek3", "search_word": "日 备份+"})

    assert ["ss-0001"] == [row["snapshot_id"] for row in answer["snapshot_set"]]
