"""The page on the contract says what the contract says.

``python -m tests.core.test_contract_page`` writes it anew.
"""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from snapkit.testing import DriverContract
from tests.core.test_contract_catches import MUTANTS

PAGE = Path(__file__).parents[2] / "docs" / "contract.md"
INTRODUCTION = """\
# The contract

What every adapter must do, as `snapkit.testing.DriverContract` demands it. A clause has a number
that stays, a rule, the bug or the fact that it is there for, and at least one driver that was
broken on purpose and that it rejects: a contract that passes a broken driver says nothing.
[Writing an adapter](writing-an-adapter.md) shows how to run it.

Clauses about what a provider does not have are skipped, with the reason. This page is made from
the code; a test compares them.
"""


def page() -> str:
    """Return the page."""
    kinds = [kind for kind in DriverContract.__mro__ if kind.__module__.startswith("snapkit")]
    found = sorted(
        (kind for kind in kinds if list(clauses(kind))), key=lambda kind: kind.__doc__ or ""
    )
    return "\n".join([INTRODUCTION, *map(chapter, found)])


def clauses(kind: type) -> Iterator[tuple[str, str, str]]:
    """Yield number, rule and reason of each clause that stands in *kind*."""
    for name, test in vars(kind).items():
        parts = re.fullmatch(r"test_(c\d\d)_(\w+)", name)
        if parts:
            reason = inspect.getdoc(test) or ""
            yield parts[1].upper(), parts[2].replace("_", " "), reason


def chapter(kind: type) -> str:
    """Return the part of the page about the clauses of *kind*."""
    module = inspect.getmodule(kind)
    about = (inspect.getdoc(module) or "").splitlines()[0].removeprefix("Clauses about ")
    title, _, more = about.rstrip(".").partition(": ")
    lines = [f"## {title[0].upper()}{title[1:]}", ""]
    if more:
        lines += [f"{more[0].upper()}{more[1:]}.", ""]
    for number, rule, reason in clauses(kind):
        told = " ".join(reason.removeprefix(f"{number}. ").split())
        lines += [f"**{number}. {rule[0].upper()}{rule[1:]}.** {told}", ""]
        lines += [f"- rejects `{name}`: {what}" for name, what in rejected(number)]
        lines.append("")
    return "\n".join(lines)


def rejected(clause: str) -> Iterator[tuple[str, str]]:
    """Yield name and fault of each driver that was broken for *clause*."""
    for mutant in MUTANTS:
        if mutant.clause == clause:
            fault = " ".join((inspect.getdoc(mutant.driver) or "").split())
            yield mutant.driver.__name__, fault[0].lower() + fault[1:]


def test_the_page_is_the_code_in_words() -> None:
    """A number that a report names must mean the same in both."""
    assert page() == PAGE.read_text(encoding="utf-8")


def test_every_clause_has_its_number_its_reason_and_a_driver_that_it_rejects() -> None:
    """The numbers have no gap, and none stands twice."""
    kinds = [kind for kind in DriverContract.__mro__ if kind.__module__.startswith("snapkit")]
    found = sorted(one for kind in kinds for one in clauses(kind))

    assert [f"C{number:02d}" for number in range(1, len(found) + 1)] == [one for one, _, _ in found]
    assert [] == [one for one, _, reason in found if not reason.startswith(f"{one}. ")]
    assert [] == [one for one, _, _ in found if not list(rejected(one))]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
