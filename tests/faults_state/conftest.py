"""The stage on which listings are played."""

from collections.abc import Iterator

import pytest

from tests.faults_state.stage import Stage, staged


@pytest.fixture
def stage(style: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """Give the stage of the style that the test is about."""
    with staged(style, monkeypatch) as found:
        yield found
