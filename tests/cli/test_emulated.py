"""The command line against the emulated clouds: real adapters, HTTP and signatures."""

import json
import time
from collections.abc import Generator
from typing import Any

import pytest

from snapkit import fleet
from snapkit import settings as core_settings
from snapkit.cli.emulator import settings
from snapkit.emulator import Emulator, Fault, demo_world
from snapkit.model import DiskRole
from snapkit.registry import providers
from snapkit.transport import Clock

from .conftest import Run


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Generator[Emulator]:
    """Serve the demonstration estate and set the environment up for it; pauses take no time."""
    monkeypatch.setattr(fleet, "Clock", lambda: Clock(sleep=lambda seconds: None))
    with Emulator(demo_world()) as clouds:
        for name, value in settings(clouds).items():
            monkeypatch.setenv(name, value)
        yield clouds


def place(emulator: Emulator, provider: str) -> str:
    """Return a target of *provider* that is not denied."""
    account = next(emulator.world.of(provider))
    region = next(one.id for one in account.regions.values() if not one.denied)
    return f"{provider}:{account.label}@{region}" if account.label else f"{provider}:{region}"


def test_all_clouds_are_one_listing(run: Run, emulator: Emulator) -> None:
    """The heart of it: one command, every cloud, and the denied region by name."""
    ended = run("list", "-o", "ndjson")
    rows = [json.loads(line) for line in ended.out.splitlines()]

    assert 3 == ended.code
    assert set(providers()) == {row["provider"] for row in rows[:-1]}
    assert len(rows) - 1 == len({row["ref"] for row in rows[:-1]})
    assert 1 == len([one for one in rows[-1]["report"]["scopes"] if one["outcome"] == "denied"])
    assert "snapkit: not seen: " in ended.err


@pytest.mark.parametrize("provider", providers())
def test_what_is_listed_can_be_shown(run: Run, emulator: Emulator, provider: str) -> None:
    """References go from one command to the other, snapshots and groups alike."""
    here = ("-t", place(emulator, provider), "-o", "json")
    snapshot = run("list", *here).json["snapshots"][-1]
    group = run("groups", *here).json["groups"][0]

    assert snapshot == run("show", snapshot["ref"], "-o", "json").json
    assert group["id"] == run("show", group["ref"], "-o", "json").json["id"]


@pytest.mark.parametrize("provider", providers())
def test_what_is_not_there_is_code_six(run: Run, emulator: Emulator, provider: str) -> None:
    """On every cloud, whatever it calls that."""
    ended = run("show", f"{place(emulator, provider)}/no-such-thing")

    assert 6 == ended.code
    assert "no snapshot or group 'no-such-thing'" in ended.err


def test_regions_of_all_clouds_are_listed(run: Run, emulator: Emulator) -> None:
    """The second question of a newcomer."""
    ended = run("regions", "-o", "json")

    assert 0 == ended.code
    assert set(providers()) == {row["provider"] for row in ended.json["regions"]}


@pytest.mark.parametrize("provider", providers())
def test_a_wrong_secret_is_code_four(
    run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    """And the secret is nowhere in what is said."""
    from snapkit.registry import driver_class

    names = driver_class(provider).environment.keys[0]
    monkeypatch.setenv(names.secret, "CANARY-wrong")
    ended = run("list", "-t", place(emulator, provider), "--debug", "-v")

    assert (4, "") == (ended.code, ended.out)
    assert "snapkit: error: " in ended.err
    assert "CANARY" not in ended.err


@pytest.mark.parametrize("provider", providers())
def test_an_endpoint_that_speaks_html_is_named_so(
    run: Run, emulator: Emulator, provider: str
) -> None:
    """A login portal answers everything with 200."""
    emulator.faults.append(Fault(kind="html", times=None))
    ended = run("list", "-t", place(emulator, provider))

    assert (1, "") == (ended.code, ended.out)
    assert "HTML" in ended.err


@pytest.mark.parametrize("provider", providers())
def test_an_endpoint_that_is_not_there_is_code_five(
    run: Run, emulator: Emulator, provider: str
) -> None:
    """It may be back later."""
    gone = emulator.endpoint
    emulator.close()
    ended = run("list", "-t", place(emulator, provider), "--endpoint", gone)

    assert (5, "") == (ended.code, ended.out)
    assert "refuses the connection" in ended.err


@pytest.mark.faults(85)
def test_a_hanging_region_does_not_hold_the_others(run: Run, emulator: Emulator) -> None:
    """With --timeout the rest is printed by then."""
    first, second = (place(emulator, provider) for provider in providers()[:2])
    emulator.faults.append(Fault(kind="hang", provider=providers()[0], times=None))
    ended = run("list", "-t", first, "-t", second, "--timeout", "1", "-o", "json")

    assert 3 == ended.code
    assert ended.json["snapshots"]
    assert "timed out" in ended.err


def test_verbose_tells_each_exchange(run: Run, emulator: Emulator) -> None:
    """For those who ask a provider's support, without keys."""
    secrets = [account.secret for account in emulator.world.accounts]
    ended = run("list", "-t", place(emulator, providers()[0]), "-v")

    assert "snapkit: debug: " in ended.err
    assert "HTTP 200" in ended.err
    assert not any(secret in ended.err for secret in secrets)


def test_the_demo_shows_every_cloud(run: Run) -> None:
    """Its one denial is its own doing, so it ends well."""
    ended = run("demo", "--rows", "30")

    assert 0 == ended.code
    assert all(f"\n{provider}" in ended.out for provider in providers())
    assert "more snapshots; 'snapkit demo --rows all' shows them" in ended.out
    assert "denied" in ended.err
    assert "the demo set this up" in ended.err


def test_the_demo_gives_everything_as_json(run: Run) -> None:
    """Several hundred snapshots and a dozen groups, as the README says."""
    found = run("demo", "-o", "json").json

    assert 300 <= len(found["snapshots"])
    assert 12 <= len(found["groups"])
    assert 1 == len(
        {one["region"] for one in found["report"]["scopes"] if one["outcome"] == "denied"}
    )


def test_the_demo_gives_everything_as_yaml(run: Run) -> None:
    """The same object."""
    yaml: Any = pytest.importorskip("yaml")
    found = yaml.safe_load(run("demo", "-o", "yaml").out)

    assert {"snapshots", "groups", "report"} == set(found)
    assert 300 <= len(found["snapshots"])


def test_one_seed_gives_one_demo(run: Run) -> None:
    """Screenshots and documentation can be made again."""
    first, second, other = (
        [row["id"] for row in run("demo", "-o", "json", "--seed", seed).json["snapshots"]]
        for seed in ("7", "7", "8")
    )

    assert first == second
    assert first != other


@pytest.mark.parametrize("provider", providers())
def test_a_snapshot_is_made_waited_for_and_deleted(
    run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    """The life of a snapshot, in four commands, on every cloud."""
    clock = emulator.world.clock
    quick = Clock(monotonic=lambda: time.monotonic() + clock.ahead, sleep=clock.advance)
    monkeypatch.setattr(core_settings, "Clock", lambda: quick)
    target = place(emulator, provider)
    region = next(emulator.world.of(provider)).regions[target.rpartition("@")[2]]
    disk = next(one.id for one in region.disks.values() if one.role is DiskRole.DATA)
    order = ("create", target, disk, "--name", "from-the-shell", "--key", "k", "--wait", "cut")
    made = run(*order)
    ref = made.out.strip()

    assert (0, ref) == (made.code, run(*order).out.strip())
    assert 0 == run("wait", ref, "--until", "complete").code
    assert "available" == run("show", ref, "-o", "json").json["status"]
    assert 0 == run("delete", ref, "--dry-run").code
    assert 0 == run("delete", ref, "--yes", "--wait").code
    assert 6 == run("wait", ref, "--until", "usable").code
