"""Runs the command line in this process, on a cloud of paper or on the emulator."""

import importlib.util
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

from snapkit import registry
from snapkit.cli import main

ROOT = Path(__file__).resolve().parents[2]


@attrs.frozen
class Ended:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs one command line."""

    def command(*argv: str) -> Ended:
        capsys.readouterr()
        code = main(argv)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    return command


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide keys, targets and widths that this machine may have."""
    for name in list(os.environ):
        words = ("SNAPKIT", "PAPER", "COLUMNS", "ALI", "TENCENT", "QING", "NO_COLOR")
        if name.startswith(words) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def _paper() -> ModuleType:
    if "snapkit_paper_cloud" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "snapkit_paper_cloud", Path(__file__).with_name("paper.py")
        )
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["snapkit_paper_cloud"] = module
        spec.loader.exec_module(module)
    return sys.modules["snapkit_paper_cloud"]


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install the cloud on paper as the only provider, with keys in the environment."""
    module = _paper()
    table = {
        "snapkit.drivers": {"paper": "snapkit_paper_cloud:PaperDriver"},
        "snapkit.dialects": {},
    }
    monkeypatch.setattr(registry, "_published", table.__getitem__)
    monkeypatch.setenv("PAPER_KEY", "key")
    monkeypatch.setenv("PAPER_SECRET", "CANARY-secret")
    driver: Any = module.PaperDriver
    for shelf in (driver.rows, driver.groups, driver.failures):
        shelf.clear()
    driver.rows["north"] = [module.snapshot(f"s-{number}") for number in (1, 2, 3)]
    driver.groups["north"] = [module.group("g-1")]
    return module


@pytest.fixture
def child_environment() -> dict[str, str]:
    """Return an environment in which a child process finds this tree."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "providers")])
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"PYTHONPATH": path, "PYTHONUTF8": "1"}
