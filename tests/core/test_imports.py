"""Who may import whom, read from the sources."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from snapkit.registry import IN_TREE


def home_of(package: str) -> Path:
    """Return the folder that *package* stands in: the tree, or where a wheel was installed."""
    found = find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parents[1]


ROOT = home_of("snapkit")
PROVIDERS = home_of("snapkit_alibaba")
CORE = sorted((ROOT / "snapkit").rglob("*.py"))
ADAPTERS = {
    name: where.partition(":")[0] for name, where in sorted(IN_TREE["snapkit.drivers"].items())
}
OTHER_END = ("snapkit.__main__", "snapkit.cli", "snapkit.emulator", "snapkit.testing")
WORDS = re.compile(
    r"(?<![a-z])(alibaba|aliyun\w*|alicloud|ecs|tencent\w*|qcloud\w*|cbs|qingcloud\w*|iaas)(?![a-z])",
    re.IGNORECASE,
)


def module_of(path: Path) -> str:
    base = PROVIDERS if path.is_relative_to(PROVIDERS) else ROOT
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import in *path*, those inside functions too."""
    package = module_of(path)
    if path.name != "__init__.py":
        package = package.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1])
            module = ".".join(filter(None, [base if node.level else "", node.module or ""]))
            yield from ((module, alias.name) for alias in node.names)


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def full(module: str, name: str) -> str:
    """Return the module that ``from module import name`` loads, if *name* is one."""
    return f"{module}.{name}" if name and source_of(f"{module}.{name}") else module


@cache
def source_of(module: str) -> Path | None:
    for base in (ROOT, PROVIDERS):
        path = base / Path(*module.split("."))
        for found in (path.with_suffix(".py"), path / "__init__.py"):
            if found.exists():
                return found
    return None


def sources(adapter: str) -> list[Path]:
    return sorted((PROVIDERS / ADAPTERS[adapter]).rglob("*.py"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_imports_no_adapter(path: Path) -> None:
    """Adapters come and go; the core is found by them, not the other way."""
    modules = [module for module, _ in imported(path)]

    assert [] == [m for m in modules if any(within(m, a) for a in ADAPTERS.values())]


@pytest.mark.parametrize(
    "path",
    [path for path in CORE if not any(within(module_of(path), end) for end in OTHER_END)],
    ids=name_of,
)
def test_the_core_does_not_import_what_stands_on_it(path: Path) -> None:
    """A library must not load a command line or a server."""
    modules = [full(*one) for one in imported(path)]

    assert [] == [m for m in modules if any(within(m, end) for end in OTHER_END)]


@pytest.mark.parametrize(
    "path", [path for path in CORE if not within(module_of(path), "snapkit.testing")], ids=name_of
)
def test_nobody_in_the_core_imports_the_kit_for_tests(path: Path) -> None:
    """It is for authors of adapters, and needs pytest."""
    modules = [full(*one) for one in imported(path)]

    assert [] == [m for m in modules if within(m, "snapkit.testing")]


def test_of_the_command_line_only_two_commands_import_the_emulator() -> None:
    """Listing real clouds must not load a server."""
    users = {
        module_of(path)
        for path in CORE
        for one in imported(path)
        if within(full(*one), "snapkit.emulator")
    }
    commands = {name for name in users if within(name, "snapkit.cli")}

    assert all(re.search(r"demo|emulat", name) for name in commands), commands
    assert {name for name in users if not re.match(r"snapkit\.(cli|emulator|testing)\b", name)} == (
        set()
    )


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_adapters_import_public_names_and_no_other_adapter(adapter: str) -> None:
    """Each can be taken out, and so can a fourth that nobody here has seen."""
    own = ADAPTERS[adapter]
    wrong = [
        (name_of(path), module, name)
        for path in sources(adapter)
        for module, name in imported(path)
        if (
            within(module, "snapkit")
            and any(p.startswith("_") for p in f"{module}.{name}".split("."))
        )
        or (within(module, "snapkit.cli"))
        or any(within(module, other) for other in ADAPTERS.values() if other != own)
    ]

    assert [] == wrong


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_an_adapter_in_use_loads_no_emulator_and_no_dialect(adapter: str) -> None:
    """Half of its code is the other end of the wire, and only tests want it."""
    own = ADAPTERS[adapter]
    todo, seen = [own, f"{own}.driver"], set[str]()
    while todo:
        module = todo.pop()
        path = source_of(module)
        if module in seen or path is None:
            continue
        seen.add(module)
        todo += [full(*one) for one in imported(path) if within(one[0], own)]
    loaded = {full(*one) for module in seen for one in imported(source_of(module) or Path())}

    assert f"{own}.driver" in seen
    assert [] == sorted(m for m in loaded if within(m, "snapkit.emulator"))
    assert [] == sorted(m for m in loaded if m.startswith(f"{own}.dialect"))


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in CORE
        if module_of(path) not in ("snapkit", "snapkit.registry")
        and not within(module_of(path), "snapkit.cli")
    ],
    ids=name_of,
)
def test_the_core_names_no_cloud(path: Path) -> None:
    """What is true of one provider stands in its adapter."""
    lines = path.read_text(encoding="utf-8").splitlines()

    assert [] == [(n, line) for n, line in enumerate(lines, 1) if WORDS.search(line)]


def test_the_registry_and_the_example_name_clouds_only_in_strings_and_docstrings() -> None:
    """They are data there, not code."""
    for name in ("snapkit", "snapkit.registry"):
        tree = ast.parse((source_of(name) or Path()).read_text(encoding="utf-8"))
        names = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]

        assert [] == [one for one in names if WORDS.search(one)]


@pytest.mark.parametrize(
    "path",
    [*CORE, *(path for adapter in ADAPTERS for path in sources(adapter))],
    ids=name_of,
)
def test_no_private_name_crosses_a_package(path: Path) -> None:
    """What begins with an underscore may change tomorrow."""
    here = module_of(path)
    wrong = [
        (module, name)
        for module, name in imported(path)
        if name.startswith("_")
        and not name.startswith("__")
        and not within(module, here.rpartition(".")[0] or here)
    ]

    assert [] == wrong
