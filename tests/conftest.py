"""Shared set-up; nothing here leaves this machine."""

import logging
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("snapkit.testing.contract")

# The same examples in every run, so that a change is judged by its own effect. To look for
# new ones: SNAPKIT_EXPLORE=1.
settings.register_profile("steady", derandomize=True)
settings.register_profile("explore", derandomize=False, max_examples=1000)
settings.load_profile("explore" if os.environ.get("SNAPKIT_EXPLORE") else "steady")


@pytest.fixture(autouse=True)
def _nobodys_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keep a developer's own keys and configuration out of the tests."""
    home: Path = tmp_path_factory.getbasetemp() / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "SNAPKIT_CONFIG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def log_as_before() -> Generator[None]:
    """Give the library's log back to the tests of the library."""
    logger = logging.getLogger("snapkit")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers[:], level, logger.propagate = before
    logger.setLevel(level)
