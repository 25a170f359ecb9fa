"""``python -m tests.mutation``: try the mutants of the modules where a slip costs most.

Options: ``--most 1000`` tries every mutant instead of a sample, ``--write`` keeps the figures in
docs/mutation.md, and names of files try only these. The exit code is 1 below the goal.
"""

import argparse
import importlib
import math
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.page import GOAL, Result, page
from tests.mutation.plan import EQUIVALENT, PLAN, ROOT, Piece
from tests.mutation.trial import Trial, Verdict

MOST = 150
"""So many mutants of one module are tried by default; of more, the same sample each time."""
LONGEST = 10.0
"""Seconds after which a mutant that waits is stopped; more where the tests take long as it is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try what *arguments* ask for, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description="Try mutants.")
    parser.add_argument("files", nargs="*", help="modules; by default all that are planned")
    parser.add_argument("--most", type=int, default=MOST, help=f"mutants of a module ({MOST})")
    parser.add_argument("--write", action="store_true", help="write docs/mutation.md")
    asked = parser.parse_args(arguments)
    known = {piece.file: piece for piece in PLAN}
    if unknown := [file for file in asked.files if file not in known]:
        parser.error(f"no plan for {', '.join(unknown)}; planned: {', '.join(known)}")
    with tempfile.TemporaryDirectory() as scratch:
        _prepare(Path(scratch))
        pieces = [known[file] for file in asked.files] or list(PLAN)
        results = [_tried(piece, asked.most) for piece in pieces]
    if asked.write:
        written = ROOT / "docs" / "mutation.md"
        before = written.read_text("utf-8") if written.exists() else ""
        written.write_text(page(results, EQUIVALENT, before), "utf-8")
    killed = sum(result.killed for result in results)
    tried = sum(len(result.verdicts) for result in results)
    print(f"{killed} of {tried} killed ({killed / tried:.1%})")
    return 0 if killed >= GOAL * tried else 1


def _prepare(scratch: Path) -> None:
    """Load what all trials share, except the modules that are tried, and keep quiet."""
    os.chdir(ROOT)
    os.nice(10)
    sys.path[:0] = [str(ROOT), str(ROOT / "providers")]
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(scratch / "hypothesis")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.pycache_prefix = str(scratch / "bytecode")
    sys.dont_write_bytecode = False
    import hypothesis

    for shared in ("hypothesis.internal.conjecture.engine", "pytest", "requests", "rich.cells"):
        importlib.import_module(shared)
    # Whether an example fails is asked here, not which one is the smallest.
    hypothesis.settings.register_profile(
        "mutation",
        derandomize=True,
        deadline=None,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )


def _tried(piece: Piece, most: int) -> Result:
    file = str(ROOT / piece.file)
    source = Path(file).read_text("utf-8")
    trial = Trial(piece.module, file, piece.tests)
    began = time.monotonic()
    processor, longest = _limits(trial, source)
    found = mutants_of(source, file)
    verdicts: list[tuple[Mutant, Verdict]] = []
    for mutant in _sample(found, most, piece.file):
        verdict = trial.run(mutant.code, processor=processor, longest=longest)
        verdicts.append((mutant, verdict))
        if verdict is Verdict.SURVIVED:
            print(f"  {piece.file}:{mutant.line}: {mutant}", flush=True)
    result = Result(piece.file, len(found), verdicts, EQUIVALENT)
    print(f"{result}, {time.monotonic() - began:.0f} s", flush=True)
    return result


def _limits(trial: Trial, source: str) -> tuple[int, float]:
    """Return the seconds, of a processor and in all, that a mutant may take.

    The module as it is must pass and be used by its tests, or a verdict would say nothing.
    """
    code = compile(source, trial.file, "exec", dont_inherit=True)
    before, began = _processor_time(), time.monotonic()
    verdict = trial.run(code, processor=300, longest=600.0)
    if verdict is not Verdict.SURVIVED:
        sys.exit(f"{trial.module} as it is: {verdict.value} by {' '.join(trial.tests)}")
    took = time.monotonic() - began
    return math.ceil(3 * (_processor_time() - before)) + 3, max(LONGEST, 6 * took)


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _sample(found: list[Mutant], most: int, seed: str) -> list[Mutant]:
    if len(found) <= most:
        return found
    chosen = random.Random(seed).sample(range(len(found)), most)
    return [found[index] for index in sorted(chosen)]


if __name__ == "__main__":
    sys.exit(main())
