"""What every driver must do, as numbered clauses; subclass DriverContract and supply a harness.

Each clause is a test: its name is the rule, its docstring the number and the reason.
"""

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator

import attrs
import pytest

from snapkit.testing.contract.abilities import AbilityClauses
from snapkit.testing.contract.changing import ChangeClauses
from snapkit.testing.contract.failures import FailureClauses
from snapkit.testing.contract.grouping import GroupWriteClauses
from snapkit.testing.contract.groups import GroupClauses
from snapkit.testing.contract.listing import ListingClauses
from snapkit.testing.contract.moving import MoveClauses
from snapkit.testing.contract.removing import DeleteClauses
from snapkit.testing.contract.selection import SelectionClauses
from snapkit.testing.contract.values import ValueClauses
from snapkit.testing.contract.writes import CreateClauses
from snapkit.testing.harness import Harness

__all__ = ["DriverContract", "Verdict", "verdicts"]


class DriverContract(
    ListingClauses,
    SelectionClauses,
    ValueClauses,
    FailureClauses,
    GroupClauses,
    CreateClauses,
    GroupWriteClauses,
    DeleteClauses,
    ChangeClauses,
    MoveClauses,
    AbilityClauses,
):
    """All clauses; each gets a fresh harness."""

    @abstractmethod
    def make_harness(self) -> Harness:
        """Return an empty account behind the adapter's wire."""

    @pytest.fixture
    def harness(self) -> Iterator[Harness]:
        """The harness of one clause."""
        with self.make_harness() as harness:
            yield harness


@attrs.frozen(kw_only=True)
class Verdict:
    """How one clause ended."""

    clause: str
    rule: str
    error: BaseException | None = None
    skipped: str | None = None
    """Why the clause does not apply."""

    @property
    def kept(self) -> bool:
        """Whether the driver keeps the clause, or it does not apply."""
        return self.error is None


_NAME = re.compile(r"test_(c\d\d)_(\w+)")


def verdicts(contract: DriverContract) -> list[Verdict]:
    """Return the verdict on each clause of *contract*, without running pytest."""
    found: list[Verdict] = []
    for name in sorted(dir(contract)):
        parts = _NAME.fullmatch(name)
        if parts:
            found.append(_verdict(contract, getattr(contract, name), parts[1].upper(), parts[2]))
    return found


def _verdict(
    contract: DriverContract, test: Callable[[Harness], None], clause: str, rule: str
) -> Verdict:
    rule = rule.replace("_", " ")
    with contract.make_harness() as harness:
        try:
            test(harness)
        except pytest.skip.Exception as skip:
            return Verdict(clause=clause, rule=rule, skipped=str(skip))
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - any way to fail is one
            return Verdict(clause=clause, rule=rule, error=error)
    return Verdict(clause=clause, rule=rule)
