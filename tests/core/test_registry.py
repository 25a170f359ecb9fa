"""Adapters are found by name, without importing the others."""

# pyright: reportPrivateUsage=false, reportUnknownMemberType=false
# The table is kept for the process, and has to be read anew.

import importlib.metadata
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from snapkit import registry
from snapkit.cli import main
from snapkit.cli.exits import Exit
from snapkit.client import connect
from snapkit.errors import ConfigurationError, UnknownProviderError
from snapkit.settings import Target, open_driver


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """The table is read once per process."""
    forget()
    yield
    forget()


def forget() -> None:
    registry._published.cache_clear()
    registry._points.cache_clear()


def published(*points: importlib.metadata.EntryPoint) -> Callable[..., list[Any]]:
    def entry_points(group: str) -> list[Any]:
        return list(points)

    return entry_points


class Shop:
    """Distributions as an installer leaves them: a module and a dist-info folder on the path."""

    def __init__(self, shelf: Path) -> None:
        self.shelf = shelf

    def install(self, name: str, source: str, *, value: str = "", package: str = "") -> None:
        """Install *source* as an adapter called *name*, by an entry point if *value* is none."""
        package = package or f"snapkit_{name}"
        (self.shelf / f"{package}.py").write_text(source, encoding="utf-8")
        info = self.shelf / f"{package}-2.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 2.1\n")
        point = f"[snapkit.drivers]\n{name} = {value or f'{package}:Found'}\n"
        (info / "entry_points.txt").write_text(point)
        importlib.invalidate_caches()


@pytest.fixture
def command() -> Callable[..., int]:
    """The command in this process."""
    return lambda *words: main(list(words))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A place to install adapters in; what was imported from it is forgotten again."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Shop(tmp_path)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


GOOD = """
from snapkit.credentials import EnvironmentNames
from snapkit.driver import Driver
from snapkit.paging import Page

class Found(Driver):
    name = "moon"
    title = "Moon"
    environment = EnvironmentNames(keys=())
    home_region = "sea"

    def list_snapshots(self, query, *, cursor, limit):
        return Page(items=())
"""
BROKEN = {
    "it cannot be imported": (
        "import no_such_module_anywhere",
        "cannot be loaded from 'snapkit_moon': ModuleNotFoundError: No module named",
    ),
    "it raises when imported": (
        "raise RuntimeError('out of\\norder')",
        "cannot be loaded from 'snapkit_moon': RuntimeError: out of order",
    ),
    "it ends the process when imported": (
        "raise SystemExit(3)",
        "cannot be loaded from 'snapkit_moon': SystemExit: 3",
    ),
    "its source is no Python": ("this is not Python", "cannot be loaded from 'snapkit_moon'"),
    "it has no such class": ("", "cannot be loaded from 'snapkit_moon': AttributeError"),
    "it is a function": ("def Found(): ...", "'moon' is not a snapkit driver"),
    "it is another class": ("class Found: ...", "'moon' is not a snapkit driver"),
    "it is for a later snapkit": (
        GOOD + "    seam = 99",
        "version 99 of the interface for adapters, this snapkit has version 1; upgrade snapkit",
    ),
    "it is for an earlier snapkit": (
        GOOD + "    seam = 0",
        "this snapkit has version 1; upgrade the package that provides it",
    ),
    "its version is no number": (GOOD + "    seam = 'new'", "is written for version 'new'"),
    "it lists nothing": (
        GOOD.replace("list_snapshots", "list_snaps"),
        "'moon' does not implement list_snapshots",
    ),
    "it has no title": (GOOD.replace("    title", "    subtitle"), "does not declare 'title'"),
    "it has no environment": (
        GOOD.replace("    environment", "    surroundings"),
        "does not declare 'environment'",
    ),
    "it has another name": (GOOD.replace('"moon"', '"mars"'), "'moon' calls itself 'mars'"),
}


@pytest.mark.parametrize(("source", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_package_is_told_and_hides_no_other(shop: Shop, source: str, said: str) -> None:
    """One bad package must not look like a fault of snapkit, nor take the others along."""
    shop.install("moon", source)
    shop.install("mars", GOOD.replace('"moon"', '"mars"'))
    found = registry.survey()

    assert sorted([*registry.IN_TREE["snapkit.drivers"], "mars"]) == [
        driver.name for driver in found.drivers
    ]
    (broken,) = found.broken
    assert ("moon", "snapkit_moon 2.1") == (broken.name, broken.package)
    assert said in str(broken.error)
    assert "\n" not in str(broken.error)
    with pytest.raises(ConfigurationError) as caught:
        registry.driver_class("moon")
    assert str(broken.error) == str(caught.value)
    assert "mars" == registry.driver_class("mars").name


def test_an_entry_point_that_names_no_class_is_told(shop: Shop) -> None:
    """It is the commonest slip in a new pyproject.toml."""
    shop.install("moon", GOOD, value="snapkit_moon")

    assert "'snapkit_moon' is not written module:class" in str(registry.survey().broken[0].error)


def test_a_name_that_no_target_can_have_is_told(shop: Shop) -> None:
    """The adapter would be there, and nobody could ask for it."""
    shop.install("Moon", GOOD.replace('"moon"', '"Moon"'), package="snapkit_moon")

    assert "has a name that no target can have" in str(registry.survey().broken[0].error)


def test_who_takes_the_name_of_an_in_tree_adapter_is_told_and_not_used(shop: Shop) -> None:
    """Whoever owns the name gets the keys."""
    name = sorted(registry.IN_TREE["snapkit.drivers"])[0]
    shop.install(name, "raise RuntimeError('never imported')", package="snapkit_evil")
    found = registry.survey()
    (broken,) = found.broken

    assert sorted(registry.IN_TREE["snapkit.drivers"]) == [one.name for one in found.drivers]
    assert (name, "snapkit_evil 2.1") == (broken.name, broken.package)
    assert f"wants to be the adapter {name!r}, which is snapkit's own" in str(broken.error)
    assert "snapkit_evil" not in sys.modules


def test_two_packages_with_one_name_are_both_refused(shop: Shop) -> None:
    """Which of them gets the keys must not depend on the order of a folder."""
    shop.install("moon", GOOD, package="snapkit_one")
    shop.install("moon", GOOD, package="snapkit_two")
    (broken,) = registry.survey().broken

    assert "is offered by snapkit_one 2.1 and by snapkit_two 2.1" in str(broken.error)
    assert {"snapkit_one", "snapkit_two"}.isdisjoint(sys.modules)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise KeyError('zone')", "the adapter 'moon' cannot be opened: KeyError: 'zone'"),
        ("assert connection is None", "the adapter 'moon' cannot be opened: AssertionError"),
    ],
)
def test_an_adapter_that_fails_when_it_is_opened_is_told(shop: Shop, body: str, said: str) -> None:
    """Its traceback says nothing to those who only list."""
    shop.install("moon", f"{GOOD}\n    def __init__(self, connection):\n        {body}\n")
    with pytest.raises(ConfigurationError) as caught:
        open_driver(Target(provider="moon", region="sea"))

    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_an_adapter_may_say_itself_why_it_cannot_be_opened(shop: Shop) -> None:
    """It knows better than the core what would help."""
    body = "from snapkit.errors import ConfigurationError; raise ConfigurationError('no root')"
    shop.install("moon", f"{GOOD}\n    def __init__(self, connection):\n        {body}\n")
    with pytest.raises(ConfigurationError, match="no root"):
        open_driver(Target(provider="moon", region="sea"))


def test_a_provider_without_keys_is_opened_without_any(shop: Shop) -> None:
    """A directory or a local daemon has none, and asking for them would be a riddle."""
    shop.install("moon", GOOD)
    with connect("moon:sea") as client:
        assert [] == list(client.snapshots())


def test_what_is_installed_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fleet makes hundreds of targets, and each asks for its adapter."""
    looked: list[str] = []

    def entry_points(group: str) -> list[Any]:
        looked.append(group)
        return [importlib.metadata.EntryPoint("moon", "tests.core.moon:Moon", group)]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    for _ in range(9):
        registry.driver_class("moon")
        registry.driver_class(sorted(registry.IN_TREE["snapkit.drivers"])[0])

    assert ["snapkit.drivers"] == looked


def test_a_broken_dialect_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demonstration of the others must not end with a stranger's fault."""
    known = {**registry.IN_TREE["snapkit.dialects"], "moon": "no_such_module_anywhere:Dialect"}
    monkeypatch.setattr(registry, "IN_TREE", {**registry.IN_TREE, "snapkit.dialects": known})

    assert sorted(known.keys() - {"moon"}) == sorted(registry.dialect_classes())
    assert "no_such_module_anywhere" in str(registry.dialect_troubles()["moon"])


def test_the_command_lists_what_is_broken_with_the_reason(
    shop: Shop, command: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever installed it looks there first; a script sees that not all is well."""
    shop.install("moon", BROKEN["it is for a later snapkit"][0])
    code, ended = command("providers"), capfd.readouterr()
    as_json, answer = command("providers", "-o", "json"), json.loads(capfd.readouterr().out)

    assert Exit.PARTIAL == code == as_json
    assert "\nmoon: cannot be used\n  package  snapkit_moon 2.1\n" in ended.out
    assert "upgrade snapkit" in " ".join(ended.out.split())
    assert "snapkit: error: the adapter 'moon' is written for version 99" in ended.err
    assert "Traceback" not in ended.err
    (row,) = answer["broken"]
    assert ("moon", "snapkit_moon 2.1") == (row["name"], row["package"])
    assert row["reason"].endswith("upgrade snapkit")
    assert sorted(registry.IN_TREE["snapkit.drivers"]) == [
        one["name"] for one in answer["providers"]
    ]


def test_commands_that_use_a_broken_adapter_say_so_and_the_others_work(
    shop: Shop,
    command: Callable[..., int],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A usage error with one sentence; 'regions' and 'doctor' look at all and must not fall."""
    shop.install("moon", "import no_such_module_anywhere")
    for name in registry.IN_TREE["snapkit.drivers"]:
        for one in registry.driver_class(name).environment.keys:
            monkeypatch.delenv(one.key_id, raising=False)
            monkeypatch.delenv(one.secret, raising=False)
    codes = [command("list", "-t", "moon:sea"), command("regions")]
    said = capfd.readouterr().err.splitlines()

    assert [Exit.USAGE, Exit.CREDENTIALS] == codes
    assert said[0].startswith("snapkit: error: the adapter 'moon' cannot be loaded from")
    assert "no provider has keys" in said[-1]
    assert 2 == len(said)


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
