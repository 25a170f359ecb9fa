"""A dialect that is broken is named, and the others are served."""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false
# The table of adapters is kept for the process, and has to be read anew.

import logging
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from snapkit import registry
from snapkit.client import connect
from snapkit.emulator import Emulator, demo_world
from snapkit.emulator.state import AccountState
from snapkit.errors import ConfigurationError
from snapkit.registry import providers

BROKEN = """
from snapkit.emulator import Answer, Dialect
from snapkit.emulator.state import AccountState

class Moon(Dialect):
    provider = "moon"
    def recognises(self, request): return False
    def operation(self, request): return ""
    def region(self, request): return ""
    def answer(self, request): return Answer(body=b"moon")
    def refuse(self, request, failure): return Answer(body=b"no")
    @classmethod
    def populate(cls, world, seed):
        world.accounts.append(AccountState(provider="moon", key_id="AK", secret="s"))

class Starting(Moon):
    def __init__(self, world): raise RuntimeError("no fuel")

class Recognising(Moon):
    def recognises(self, request): raise KeyError("host")

class Greedy(Moon):
    def recognises(self, request): return True

class Populating(Moon):
    @classmethod
    def populate(cls, world, seed):
        super().populate(world, seed)
        raise ZeroDivisionError("no servers")
"""
Install = Callable[[str], None]


def clear() -> None:
    registry._published.cache_clear()
    registry._points.cache_clear()


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Install]:
    """Return a function that publishes a dialect called "moon", as a foreign package does."""
    (tmp_path / "broken_dialects.py").write_text(BROKEN)
    (tmp_path / "broken_syntax.py").write_text("this is not Python")
    monkeypatch.syspath_prepend(str(tmp_path))

    def publish(where: str) -> None:
        def entry_points(group: str) -> list[Any]:
            own = [EntryPoint("moon", where, group)] if group == "snapkit.dialects" else []
            return [*own, *(EntryPoint(*one, group) for one in registry.IN_TREE[group].items())]

        monkeypatch.setattr(registry, "entry_points", entry_points)
        clear()

    yield publish
    clear()


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("no_such_module:Moon", "the adapter 'moon' cannot be loaded from 'no_such_module'"),
        ("broken_syntax:Moon", "the adapter 'moon' cannot be loaded from 'broken_syntax'"),
        ("broken_dialects:Sun", "cannot be loaded from 'broken_dialects'"),
        ("json:loads", "the emulator dialect of 'moon' is not a Dialect"),
        ("broken_dialects:Starting", "'moon' does not start: RuntimeError: no fuel"),
    ],
)
def test_one_broken_dialect_does_not_stop_the_others(
    install: Install, caplog: pytest.LogCaptureFixture, where: str, said: str
) -> None:
    """Neither at the start nor at a request; it is said once, and kept."""
    install(where)
    with caplog.at_level(logging.WARNING, "snapkit"), Emulator(again=demo_world) as emulator:
        for provider in providers():
            with connect(emulator.targets(provider)[0]) as client:
                assert list(client.snapshots())

        assert [said in one for one in emulator.troubles] == [True]
    assert 1 == len([one for one in caplog.messages if said in one])


def test_a_request_that_nobody_knows_names_who_could_not_tell(install: Install) -> None:
    """It is asked after the in-tree ones, so only then does it matter."""
    import http.client
    from urllib.parse import urlsplit

    install("broken_dialects:Recognising")
    with Emulator() as emulator:
        for _ in range(2):
            line = http.client.HTTPConnection(urlsplit(emulator.endpoint).netloc, timeout=5)
            line.request("GET", "/mars")
            status = line.getresponse().status
            line.close()

            assert 404 == status
        assert [
            "the emulator dialect of 'moon' cannot tell whose a request is: KeyError: 'host'"
        ] == (emulator.troubles)


def test_a_greedy_dialect_takes_nothing_from_the_in_tree_ones(install: Install) -> None:
    """They are asked first."""
    install("broken_dialects:Greedy")
    with Emulator(again=demo_world) as emulator:
        assert "moon" == emulator.providers[-1]
        for provider in providers():
            with connect(emulator.targets(provider)[0]) as client:
                assert list(client.snapshots())


def test_an_estate_that_cannot_be_made_is_left_out_whole(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    """Half of an estate would be taken for all of it."""
    install("broken_dialects:Populating")
    with caplog.at_level(logging.WARNING, "snapkit"):
        world = demo_world()

    assert set(providers()) == {one.provider for one in world.accounts}
    assert "cannot make its part of the estate: ZeroDivisionError" in caplog.text


def test_a_dialect_without_a_driver_has_no_environment(install: Install) -> None:
    """The other providers are still reached."""
    install("broken_dialects:Moon")
    with Emulator(again=demo_world) as emulator:
        found = emulator.environment()

    assert "moon" not in found["SNAPKIT_TARGETS"]
    assert all(f"{name}:" in found["SNAPKIT_TARGETS"] for name in providers())


def test_the_token_of_temporary_keys_is_in_the_environment() -> None:
    """Where the provider has a variable for it."""
    provider = providers()[0]
    with Emulator() as emulator:
        emulator.world.accounts += [
            AccountState(provider=provider, key_id="AK1", secret="s1", token="T1"),
            AccountState(provider=provider, key_id="AK2", secret="s2"),
        ]
        emulator.world.accounts[0].region("sea")
        found = emulator.environment()

    assert {"AK1", "s1", "T1", emulator.endpoint, f"{provider}:sea"} == set(found.values())


def test_a_dialect_is_had_by_name(install: Install) -> None:
    """And who asks for a broken one is told why."""
    install("broken_dialects:Moon")

    assert "moon" == registry.dialect_class("moon").provider
    with pytest.raises(ConfigurationError, match="the adapter 'sun' has no emulator dialect"):
        registry.dialect_class("sun")
    install("broken_syntax:Moon")
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        registry.dialect_class("moon")
