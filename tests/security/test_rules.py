"""Rules that the sources themselves keep."""

import ast
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import snapkit
import snapkit_alibaba
import snapkit_qingcloud
import snapkit_tencent
from snapkit.emulator import Emulator

PACKAGES = (snapkit, snapkit_alibaba, snapkit_qingcloud, snapkit_tencent)
SOURCES = sorted(
    path
    for package in PACKAGES
    if package.__file__
    for path in Path(package.__file__).parent.rglob("*.py")
)
RUNNING = {"eval", "exec", "compile", "__import__"}
READERS = {"marshal", "shelve", "dill", "xml", "lxml", "yaml"}
WRITERS = {"xml.sax.saxutils"}
"""Escapes what is written; it reads nothing."""


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def risks(tree: ast.AST) -> Iterator[str]:
    """Yield what in *tree* runs what it reads, starts a shell or leaves a server unchecked."""
    for name in imported(tree):
        if name.partition(".")[0] in READERS and name not in WRITERS:
            yield name
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        said = ast.unparse(call.func)
        if said in RUNNING or said in ("pickle.load", "pickle.loads", "os.system", "os.popen"):
            yield said
        yield from (
            f"{said}({one.arg}=...)"
            for one in call.keywords
            if one.arg == "shell" or (one.arg == "verify" and ast.unparse(one.value) == "False")
        )


@pytest.mark.parametrize("package", PACKAGES, ids=lambda one: one.__name__)
def test_nothing_that_runs_what_it_reads_is_used(package: ModuleType) -> None:
    """Not pickle, a general YAML or XML reader, eval, or a shell."""
    # The kit for tests pickles values of its own and reads them back.
    paths = [one for one in SOURCES if package.__name__ in one.parts and "testing" not in one.parts]
    found = {path.name: list(risks(ast.parse(path.read_text(encoding="utf-8")))) for path in paths}

    assert paths
    assert {} == {name: risk for name, risk in found.items() if risk}


def test_the_rule_sees_what_it_forbids() -> None:
    """A rule that finds nothing anywhere proves nothing."""
    bad = "import yaml\neval('1')\npickle.loads(b'')\nrun('x', shell=True)\nget('y', verify=False)"

    assert ["yaml", "eval", "pickle.loads", "run(shell=...)", "get(verify=...)"] == list(
        risks(ast.parse(bad))
    )


def test_the_emulator_is_on_loopback_only() -> None:
    """It takes any key that stands in its estate."""
    with Emulator() as emulator:
        assert emulator.endpoint.startswith("http://127.0.0.1:")
        listening = emulator._server.server_address  # pyright: ignore[reportPrivateUsage] # no other way
        assert "127.0.0.1" == listening[0]
