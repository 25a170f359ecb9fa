"""Measure, print the table of goals, and keep the figures: ``python -m benchmarks [NAME...]``."""

import argparse
import importlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import records
from benchmarks.figures import FULL, QUICK, Figure, Outcome, Scale, table

SCENARIOS = {
    "throughput": "throughput",
    "sweep": "sweeping",
    "deep": "deep",
    "memory": "memory",
    "startup": "startup",
    "mapping": "mapping",
    "filters": "filters",
    "emulator": "emulation",
    "limits": "limits",
    "growth": "growth",
    "dask": "engine",
    "profile": "profile",
    "estate": "paper",
}


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    found = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure snapkit beside what a user would take instead.",
    )
    found.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SCENARIOS))
    found.add_argument("--json", type=Path, metavar="FILE", help="where figures are kept")
    found.add_argument("--plot", type=Path, metavar="FILE", help="where the picture goes (SVG)")
    found.add_argument("--quick", action="store_true", help="small sizes; the goals do not apply")
    found.add_argument("--rounds", type=int, metavar="N", help="rounds of each client")
    found.add_argument("--docs", action="store_true", help="show the figures in the documentation")
    return found


def measured(names: Sequence[str], scale: Scale) -> dict[str, Outcome]:
    """Return what each scenario found, printing each when it is done."""
    found: dict[str, Outcome] = {}
    for name in names:
        started = time.perf_counter()
        module = importlib.import_module(f"benchmarks.scenarios.{SCENARIOS[name]}")
        found[name] = module.measure(scale)
        print(f"\n{name} ({time.perf_counter() - started:.0f} s)\n")
        print(table(found[name].figures), flush=True)
    return found


def verdict(figures: Sequence[Figure]) -> str:
    """Return how many goals are reached, and which are not."""
    goals = [one for one in figures if one.goal is not None]
    missed = [one.name for one in goals if not one.reached]
    said = f"{len(goals) - len(missed)} of {len(goals)} goals reached"
    return said + "".join(f"\n  not reached: {name}" for name in missed)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the scenarios that are named, or all of them."""
    given = parser().parse_args(arguments)
    unknown = [name for name in given.names if name not in SCENARIOS]
    if unknown:
        parser().error(f"no benchmark {unknown[0]!r}; known: {', '.join(SCENARIOS)}")
    names = given.names or list(SCENARIOS)
    scale = QUICK if given.quick else FULL
    scale = replace(scale, rounds=given.rounds) if given.rounds else scale
    outcomes = measured(names, scale)
    print("\n" + verdict([one for outcome in outcomes.values() for one in outcome.figures]))
    more = [*(["--quick"] * given.quick), *([f"--rounds {given.rounds}"] * bool(given.rounds))]
    command = " ".join(["python -m benchmarks", *given.names, *more])
    keep = None if given.quick else records.LAST
    path, plot = given.json or keep, given.plot or (None if given.quick else records.PLOT)
    results = records.gathered(records.load(path) if path else {}, outcomes, command)
    if path:
        records.save(results, path)
    if plot:
        from benchmarks.drawing import draw

        draw(records.drawable(results), plot)
    if given.docs:
        records.show(results)


if __name__ == "__main__":
    main()
