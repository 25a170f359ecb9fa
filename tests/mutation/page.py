"""What a run found, as a line and as the page docs/mutation.md."""

import itertools
from collections.abc import Iterable, Sequence

import attrs

from tests.mutation.mutants import Mutant
from tests.mutation.plan import PLAN, Equivalent
from tests.mutation.trial import Verdict

__all__ = ["GOAL", "Result", "page"]

GOAL = 0.85

HEAD = """# Mutation testing

A mutant is a module with one small mistake in it: a comparison the other way round, a bound
that is off by one, `and` for `or`, a forgotten `not`, a call or an assignment left out, a
changed constant or text, another operator, nothing returned. The tests must fail on it. This
page is written by

    nox -s mutation -- --write

which is `python -m tests.mutation --write`; names of modules try only these and keep the other
rows. Of a module with more than 150 mutants a sample is tried, always the same; `--most 1000`
tries every one. Each mutant meets only the tests
of its own module, so what the rest of the suite would notice does not count. A mutant that
hangs is killed by the clock, and counts as killed. Annotations, decorators, docstrings and
`__all__` are left alone. The run fails when fewer than 85 of 100 tried mutants are
killed; mutants that no test can notice are not taken out of the count.

| module | mutants | tried | killed | by the clock | no difference | survived | score |
|---|---|---|---|---|---|---|---|
"""

TAIL = """
## Mutants that make no difference that matters

"""


@attrs.frozen
class Result:
    """The verdicts on the mutants of one file."""

    file: str
    found: int
    verdicts: Sequence[tuple[Mutant, Verdict]]
    equivalent: Sequence[Equivalent]

    @property
    def survivors(self) -> list[Mutant]:
        """What the tests did not notice."""
        return [mutant for mutant, verdict in self.verdicts if verdict is Verdict.SURVIVED]

    @property
    def unexplained(self) -> list[Mutant]:
        """Survivors that nobody has given a reason for."""
        known = {one.change for one in self.equivalent if one.file == self.file}
        return [mutant for mutant in self.survivors if str(mutant) not in known]

    @property
    def killed(self) -> int:
        """How many the tests noticed."""
        return len(self.verdicts) - len(self.survivors)

    @property
    def score(self) -> float:
        """The part of the tried ones that was noticed."""
        return self.killed / len(self.verdicts)

    @property
    def hanging(self) -> int:
        """How many were stopped by the clock."""
        return sum(verdict is Verdict.HANGING for _, verdict in self.verdicts)

    def __str__(self) -> str:
        tried, left = len(self.verdicts), len(self.unexplained)
        return f"{self.file}: {self.killed} of {tried} killed ({self.score:.1%}), {left} to explain"


def page(results: Iterable[Result], equivalent: Iterable[Equivalent], before: str = "") -> str:
    """Return docs/mutation.md; what was not tried now stays as it was *before*."""
    kept = [line for line in before.splitlines() if line.startswith("| `")]
    rows = {line.split("`")[1]: f"{line}\n" for line in kept}
    rows |= {result.file: _row(result) for result in results}
    return (
        HEAD
        + "".join(rows[piece.file] for piece in PLAN if piece.file in rows)
        + (TAIL + reasons(equivalent))
    )


def reasons(equivalent: Iterable[Equivalent]) -> str:
    """Return the list of mutants that make no difference, by file and reason."""
    lines: list[str] = []
    for file, of_file in itertools.groupby(equivalent, key=lambda one: one.file):
        lines.append(f"`{file}`\n")
        for why, group in itertools.groupby(of_file, key=lambda one: one.why):
            changes = "".join(f"\n  - `` {one.change} ``" for one in group)
            lines.append(f"- {why}{changes}")
        lines.append("")
    return "\n".join(lines)


def _row(result: Result) -> str:
    explained = len(result.survivors) - len(result.unexplained)
    cells = (
        f"`{result.file}`",
        result.found,
        len(result.verdicts),
        result.killed,
        result.hanging,
        explained,
        len(result.unexplained),
        f"{result.score:.1%}",
    )
    return f"| {' | '.join(map(str, cells))} |\n"
