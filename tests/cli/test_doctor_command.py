"""``snapkit doctor`` as a script and as a person see it."""

from collections.abc import Generator
from pathlib import Path

import pytest

from snapkit.cli.emulator import settings
from snapkit.emulator import Emulator, Fault, demo_world
from snapkit.registry import driver_class, providers

from .conftest import Run

PROVIDERS = providers()


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Be a user without files of keys and without configuration."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Generator[Emulator]:
    with Emulator(demo_world()) as clouds:
        for name, value in settings(clouds).items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("SNAPKIT_TARGETS")
        yield clouds


def place(emulator: Emulator, provider: str, *, denied: bool = False) -> str:
    account = next(emulator.world.of(provider))
    region = next(one for one in account.regions.values() if one.snapshots)
    region.denied = denied
    return f"{provider}:{account.label}@{region.id}"


def test_without_targets_every_provider_with_keys_is_examined(run: Run, emulator: Emulator) -> None:
    """The first thing that a person with trouble types has no arguments."""
    ended = run("doctor")

    assert 0 == ended.code
    assert all(f"{name}:{driver_class(name).home_region}\n" in ended.out for name in PROVIDERS)
    assert "FAIL" not in ended.out
    assert "snapkit: examined: 3 targets, 0 with trouble\n" == ended.err


def test_a_provider_with_half_a_pair_of_keys_is_examined(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody sets one by intent."""
    name = driver_class(PROVIDERS[0]).environment.keys[0].key_id
    monkeypatch.setenv(name, "AKEXAMPLE")
    ended = run("doctor", "--endpoint", "http://127.0.0.1:1", "-q")

    assert 4 == ended.code
    assert f"{name} is set but" in ended.out
    assert "" == ended.err


def test_without_any_keys_it_says_where_to_begin(run: Run) -> None:
    """Nothing to examine is a matter of usage."""
    ended = run("doctor")

    assert (2, "") == (ended.code, ended.out)
    assert "no target is given" in ended.err


def test_targets_come_from_the_environment(
    run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that 'snapkit list' uses."""
    monkeypatch.setenv("SNAPKIT_TARGETS", " ".join(place(emulator, name) for name in PROVIDERS[:2]))
    found = run("doctor", "-o", "json").json["targets"]

    assert [place(emulator, name) for name in PROVIDERS[:2]] == [one["target"] for one in found]


def test_a_profile_is_examined_by_its_name(
    run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The name is what people know."""
    name, region = PROVIDERS[0], driver_class(PROVIDERS[0]).home_region
    file = tmp_path / "config.toml"
    file.write_text(f'[profiles.main]\nprovider = "{name}"\nregions = ["{region}"]\n')
    file.chmod(0o600)
    monkeypatch.setenv("SNAPKIT_CONFIG", str(file))
    found = run("doctor", "main", "-o", "json").json["targets"]

    assert [f"{name}:main@{region}"] == [one["target"] for one in found]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_is_denied_is_code_four_with_the_policy(
    run: Run, emulator: Emulator, provider: str
) -> None:
    """To be pasted into the provider's console."""
    target = place(emulator, provider, denied=True)
    ended = run("doctor", target)
    found = run("doctor", target, "-o", "json").json["targets"][0]

    assert 4 == ended.code
    assert "  FAIL  list snapshots  " in ended.out
    assert "to grant what is denied: " in ended.out
    assert all(line in ended.out for line in (found["policy"] or "").splitlines())
    assert found["denied"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_changes_something_is_listed_and_not_tried(
    run: Run, emulator: Emulator, provider: str
) -> None:
    """With the permission that it needs."""
    ended = run("doctor", place(emulator, provider))

    assert f"{provider}: not tried, because it changes something\n" in ended.out
    assert "  roll back in place" in ended.out
    assert all(one.operation.startswith("Describe") for one in emulator.log)


def test_a_network_that_fails_is_code_five(run: Run, emulator: Emulator) -> None:
    """A script may try it again."""
    ended = run("doctor", place(emulator, PROVIDERS[0]), "--endpoint", "http://127.0.0.1:1")

    assert 5 == ended.code
    assert "127.0.0.1:1 refuses the connection\n" in ended.out
    assert "-> check the endpoint and its port" in ended.out


def test_a_silent_endpoint_is_code_five(run: Run, emulator: Emulator) -> None:
    """After the time that was allowed, not after a minute."""
    emulator.faults.append(Fault(kind="hang", times=None))

    assert 5 == run("doctor", place(emulator, PROVIDERS[0]), "--timeout", "0.2").code


def test_another_trouble_is_code_one(run: Run, emulator: Emulator) -> None:
    """A portal, for instance."""
    emulator.faults.append(Fault(kind="html", times=None))

    assert 1 == run("doctor", place(emulator, PROVIDERS[0])).code


def test_the_most_frequent_trouble_gives_the_code(run: Run, emulator: Emulator) -> None:
    """As with every command that asks several places."""
    denied = [place(emulator, name, denied=True) for name in PROVIDERS[:2]]
    emulator.faults.append(Fault(kind="html", provider=PROVIDERS[2], times=None))

    assert 4 == run("doctor", place(emulator, PROVIDERS[2]), *denied).code


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("cloudy:north",), "no provider 'cloudy'"),
        ((f"{PROVIDERS[0]}:",), "names no region"),
        ((f"{PROVIDERS[0]}:a", "-o", "xml"), "'xml' is not one of"),
        ((f"{PROVIDERS[0]}:a", "--timeout", "0"), "--timeout"),
    ],
)
def test_usage_is_code_two(run: Run, argv: tuple[str, ...], said: str) -> None:
    """Before anything is examined."""
    ended = run("doctor", *argv)

    assert (2, "") == (ended.code, ended.out)
    assert said in ended.err


def test_json_has_the_whole_of_it(run: Run, emulator: Emulator) -> None:
    """For a monitor."""
    ended = run("doctor", place(emulator, PROVIDERS[0]), "-o", "json")
    (found,), (writes,) = ended.json["targets"], ended.json["writes"]

    assert {"target", "ok", "checks", "denied", "grant", "policy"} == set(found)
    assert {"name", "verdict", "found", "advice", "trouble", "actions"} == set(found["checks"][0])
    assert {"provider", "needs", "grant", "policy"} == set(writes)
    assert (True, 0) == (found["ok"], ended.code)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_secret_is_never_shown(
    run: Run, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    """The output is made to be pasted into a ticket."""
    names = driver_class(provider).environment.keys[0]
    monkeypatch.setenv(names.secret, "CANARY-wrong")
    ended = run("doctor", place(emulator, provider), "-v", "--debug")

    assert 4 == ended.code
    assert "CANARY" not in ended.out + ended.err
