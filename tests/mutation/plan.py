"""Which modules are tried, and which tests answer for each."""

import tomllib
from collections.abc import Sequence
from pathlib import Path

import attrs

__all__ = ["EQUIVALENT", "PLAN", "ROOT", "Equivalent", "Piece"]

ROOT = Path(__file__).resolve().parents[2]


@attrs.frozen
class Piece:
    """A module by its file, and its own tests; other tests might notice more."""

    file: str
    tests: Sequence[str]

    @property
    def module(self) -> str:
        """The name under which it is imported."""
        return self.file.removeprefix("providers/").removesuffix(".py").replace("/", ".")


@attrs.frozen
class Equivalent:
    """A mutant that no test can notice, or that none should, and why."""

    file: str
    change: str
    why: str


PLAN = (
    Piece("snapkit/retry.py", ["tests/core/test_retry.py"]),
    Piece("snapkit/rate.py", ["tests/core/test_rate.py"]),
    Piece("snapkit/paging.py", ["tests/core/test_paging.py"]),
    Piece(
        "snapkit/walking.py",
        ["tests/core/test_walking.py", "tests/core/test_paging.py", "tests/core/test_ahead.py"],
    ),
    Piece("snapkit/ahead.py", ["tests/core/test_lanes.py", "tests/core/test_ahead.py"]),
    Piece("snapkit/exchange.py", ["tests/core/test_exchange.py"]),
    Piece("snapkit/masking.py", ["tests/core/test_masking.py"]),
    Piece("snapkit/cli/inert.py", ["tests/cli/test_inert.py"]),
    Piece("providers/snapkit_alibaba/signing.py", ["tests/providers/test_alibaba_signing.py"]),
    Piece("providers/snapkit_tencent/signing.py", ["tests/providers/test_tencent_signing.py"]),
    Piece("providers/snapkit_qingcloud/signing.py", ["tests/providers/test_qingcloud_signing.py"]),
)


def _equivalent() -> tuple[Equivalent, ...]:
    said = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text("utf-8"))
    return tuple(
        Equivalent(file, change, group["why"])
        for file, groups in said.items()
        for group in groups
        for change in group["changes"]
    )


EQUIVALENT = _equivalent()
