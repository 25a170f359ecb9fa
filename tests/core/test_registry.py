"""Adapters are found by name, without importing the others."""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false
# The table is kept for the process, and has to be read anew.

import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snapkit import registry
from snapkit.errors import ConfigurationError, UnknownProviderError


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """The table is read once per process."""
    registry._published.cache_clear()
    yield
    registry._published.cache_clear()


def published(*points: importlib.metadata.EntryPoint) -> Callable[..., list[Any]]:
    def entry_points(group: str) -> list[Any]:
        return list(points)

    return entry_points


def publish(monkeypatch: pytest.MonkeyPatch, **names: str) -> None:
    drivers = {**registry.IN_TREE["snapkit.drivers"], **names}
    monkeypatch.setattr(registry, "IN_TREE", {**registry.IN_TREE, "snapkit.drivers": drivers})


def test_a_clone_that_was_never_installed_has_its_adapters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tests and the demonstration run in a clean clone."""
    monkeypatch.setattr(registry, "entry_points", published())

    assert sorted(registry.IN_TREE["snapkit.drivers"]) == registry.providers()


def test_installed_adapters_are_found_beside_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fourth adapter lives in a package of its own."""
    point = importlib.metadata.EntryPoint("moon", "tests.core.moon:Moon", "snapkit.drivers")
    monkeypatch.setattr(registry, "entry_points", published(point))

    assert "moon" in registry.providers()
    assert "moon" == registry.driver_class("moon").name


def test_an_installed_package_cannot_take_the_place_of_an_in_tree_adapter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever owns the name gets the keys."""
    name = registry.providers()[0]
    point = importlib.metadata.EntryPoint(name, "evil:Driver", "snapkit.drivers")
    registry._published.cache_clear()
    monkeypatch.setattr(registry, "entry_points", published(point))

    assert registry.IN_TREE["snapkit.drivers"][name] == registry._published("snapkit.drivers")[name]


def test_naming_the_adapters_imports_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Help and completion must be fast."""
    modules = [where.partition(":")[0] for where in registry.IN_TREE["snapkit.drivers"].values()]
    for module in modules:
        monkeypatch.delitem(sys.modules, module, raising=False)
    registry.providers()

    assert [] == [module for module in modules if module in sys.modules]


def test_a_misspelt_provider_is_answered_with_the_nearest() -> None:
    """And with all there are."""
    name = registry.providers()[0]
    with pytest.raises(UnknownProviderError) as caught:
        registry.driver_class(name[:-1])

    assert str(caught.value).startswith(
        f"no provider {name[:-1]!r}; did you mean {name!r}? known: {name}"
    )
    assert isinstance(caught.value, LookupError)


@pytest.mark.parametrize("name", ["", "zzz", "ALIBABA ", "../x"])
def test_an_unknown_provider_is_refused(name: str) -> None:
    """A name is never imported."""
    with pytest.raises(UnknownProviderError, match="known: "):
        registry.driver_class(name)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("no_such_module_anywhere:Driver", "cannot be loaded from 'no_such_module_anywhere'"),
        ("json:Driver", "cannot be loaded from 'json'"),
        ("json:loads", "is not a snapkit driver"),
        ("json:JSONDecoder", "is not a snapkit driver"),
        ("broken_adapter:Driver", "cannot be loaded from 'broken_adapter'"),
    ],
)
def test_a_broken_adapter_is_named(
    where: str, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One bad package must not look like a fault of snapkit."""
    (tmp_path / "broken_adapter.py").write_text("this is not Python")
    monkeypatch.syspath_prepend(str(tmp_path))
    publish(monkeypatch, moon=where)
    with pytest.raises(ConfigurationError, match=said) as caught:
        registry.driver_class("moon")

    assert "'moon'" in str(caught.value)


@pytest.mark.parametrize("name", sorted(registry.IN_TREE["snapkit.drivers"]))
def test_each_in_tree_adapter_carries_its_name(name: str) -> None:
    """The word in the table is the word in every reference."""
    assert name == registry.driver_class(name).name


def test_dialects_come_by_provider_name() -> None:
    """The emulator speaks what the adapters speak."""
    found = registry.dialect_classes()

    assert {name: name for name in found} == {name: one.provider for name, one in found.items()}
