"""What the emulated QingCloud refuses, and its jobs; asked by hand."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from snapkit.emulator import Emulator, World
from snapkit.emulator.state import AccountState, Disk
from snapkit.errors import SnapkitError
from snapkit.model import DiskRole
from snapkit.retry import Safety
from snapkit.settings import open_driver
from snapkit.transport import Call, Clock
from snapkit.writes import RollBack
from snapkit_qingcloud.driver import QingCloudApi, endpoint_url

Ask = Callable[..., Mapping[str, Any]]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """A server with a data disk."""
    account = AccountState(provider="qingcloud", key_id="QYEXAMPLE", secret="EXAMPLE-secret")
    account.region("pek3").add(
        Disk(id="sys-1", instance_id="i-1", role=DiskRole.SYSTEM, size_gib=40, zone="pek3b"),
        Disk(id="vol-a", instance_id="i-1", size_gib=100, zone="pek3b"),
    )
    with Emulator(World(accounts=[account])) as running:
        yield running


@pytest.fixture
def ask(emulator: Emulator) -> Iterator[Ask]:
    """Sends one action with the parameters given, once."""
    driver = open_driver(emulator.targets("qingcloud")[0], clock=Clock(sleep=lambda _: None))

    def ask_(action: str, **params: str) -> Mapping[str, Any]:
        named = {name.replace("__", "."): value for name, value in params.items()}
        call = Call(
            operation=action,
            url=endpoint_url(emulator.endpoint),
            params={"zone": "pek3"} | named,
            safety=Safety.ONCE,
        )
        return driver.connection.transport.call(QingCloudApi(), call)

    yield ask_
    driver.close()


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("CreateSnapshots", {}, "1100"),
        ("CreateSnapshots", {"resources__1": ""}, "1100"),
        ("CreateSnapshots", {"resources__1": "vol-a", "zone": ""}, "1100"),
        ("CreateSnapshots", {"resources": "vol-a"}, "1100"),
        ("CreateSnapshots", {"Resources__1": "vol-a"}, "1100"),
        ("CreateSnapshots", {"resources__0": "vol-a"}, "1100"),
        ("CreateSnapshots", {"resources__1": "vol-a", "description": "x"}, "1100"),
        ("CreateSnapshots", {"resources__1": "vol-a", "is_full": "2"}, "1100"),
        ("CreateSnapshots", {"resources__1": "vol-a", "is_full": "yes"}, "1100"),
        ("CreateSnapshots", {"resources__1": "sys-1"}, "2100"),
        ("CreateSnapshots", {f"resources__{n}": f"vol-{n}" for n in range(1, 102)}, "1100"),
        ("DeleteSnapshots", {}, "1100"),
        ("DeleteSnapshots", {"snapshots__1": "ss-none"}, "2100"),
        ("ApplySnapshots", {"snapshots__1": "ss-none"}, "2100"),
        ("CreateVolumeFromSnapshot", {}, "1100"),
        ("CreateVolumeFromSnapshot", {"snapshot": "ss-none"}, "2100"),
        ("CreateVolumeFromSnapshot", {"snapshot": "ss-none", "size": "200"}, "1100"),
        ("ModifySnapshotAttributes", {"snapshot_name": "x"}, "1100"),
        ("ModifySnapshotAttributes", {"snapshot": "ss-none"}, "2100"),
        ("CreateTag", {}, "1100"),
        ("CreateTag", {"tag_name": "x" * 15}, "1100"),
        ("AttachTags", {}, "1100"),
        ("AttachTags", {"resource_tag_pairs__1__tag_id": "tag-1"}, "1100"),
        ("AttachTags", {"resource_tag_pairs__1__Tag_id": "tag-1"}, "1100"),
        (
            "AttachTags",
            {
                "resource_tag_pairs__1__tag_id": "tag-none",
                "resource_tag_pairs__1__resource_type": "volume",
                "resource_tag_pairs__1__resource_id": "vol-a",
            },
            "2100",
        ),
        ("DescribeInstances", {"status__1": "asleep"}, "1100"),
        ("DescribeJobs", {"limit": "0"}, "1100"),
        ("StopInstances", {"instances__1": "i-none"}, "2100"),
        ("DestroySnapshots", {"snapshots__1": "ss-1"}, "1101"),
    ],
)
def test_what_the_provider_refuses_is_refused(
    ask: Ask, emulator: Emulator, action: str, params: Mapping[str, str], code: str
) -> None:
    """An adapter that passes here has not been let through by a kind server."""
    with pytest.raises(SnapkitError) as caught:
        ask(action, **params)
    assert code == caught.value.code
    assert not emulator.world.accounts[0].regions["pek3"].snapshots


def test_two_snapshots_of_one_disk_are_not_applied_together(ask: Ask, emulator: Emulator) -> None:
    """A disk has one state to go back to."""
    made: list[str] = []
    for _ in range(2):
        made += ask("CreateSnapshots", resources__1="vol-a")["snapshots"]
        emulator.world.clock.advance(20)

    with pytest.raises(SnapkitError, match="two snapshots"):
        ask("ApplySnapshots", snapshots__1=made[0], snapshots__2=made[1])


def test_jobs_work_and_succeed(ask: Ask, emulator: Emulator) -> None:
    """One job is a text; of several resources it comes as a list."""
    one = ask("CreateSnapshots", resources__1="vol-a")
    working = ask("DescribeJobs", jobs__1=one["job_id"], status__1="working")
    emulator.world.clock.advance(20)
    two = ask("CreateSnapshots", resources__1="vol-a", resources__2="i-1")
    done = ask("DescribeJobs", jobs__1=one["job_id"])
    all_ = ask("DescribeJobs", job_action="CreateSnapshots")

    assert one["snapshots"] == working["job_set"][0]["resource_ids"].split()
    assert "successful" == done["job_set"][0]["status"]
    assert isinstance(two["job_id"], list)
    assert 2 == all_["total_count"]


def test_a_stopped_server_may_be_rolled_back_without_leave(ask: Ask, emulator: Emulator) -> None:
    """It is not restarted."""
    [made] = ask("CreateSnapshots", resources__1="vol-a")["snapshots"]
    emulator.world.clock.advance(20)
    ask("StopInstances", instances__1="i-1")
    driver = open_driver(emulator.targets("qingcloud")[0])
    pair = RollBack(snapshot_id=made, disk_id="vol-a")
    [result] = driver.roll_back([pair], group_id=None, stop=False, start=False)
    [server] = ask("DescribeInstances")["instance_set"]
    ask("StartInstances", instances__1="i-1")
    [started] = ask("DescribeInstances")["instance_set"]
    driver.close()

    assert result.ok
    assert [("stopped", ""), ("running", "")] == [
        (one["status"], one["transition_status"]) for one in (server, started)
    ]


def test_clusters_hide_their_servers(ask: Ask) -> None:
    """No server here belongs to one."""
    assert 0 == ask("DescribeInstances", is_cluster_node="1")["total_count"]
