"""CPU time of ``import snapkit`` and ``snapkit --help`` beyond that of bare Python."""

import resource
import subprocess
import sys

from benchmarks.figures import Outcome, Scale, figure
from benchmarks.running import Spread
from benchmarks.serving import environment

COMMANDS = {
    "bare Python": ["-c", "pass"],
    "import snapkit": ["-c", "import snapkit"],
    "snapkit --version": ["-m", "snapkit", "--version"],
    "snapkit --help": ["-m", "snapkit", "--help"],
}
BUDGETS = {"import snapkit": 35.0, "snapkit --help": 100.0}


def cpu_ms(arguments: list[str]) -> float:
    """Return the CPU time of Python with *arguments*, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, env=environment()
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def measure(scale: Scale) -> Outcome:
    """Measure the commands in turn; each round has its own bare Python."""
    for arguments in COMMANDS.values():
        cpu_ms(arguments)
    seen: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(3 * scale.rounds):
        for name, arguments in COMMANDS.items():
            seen[name].append(cpu_ms(arguments))
    bare = seen.pop("bare Python")
    figures = [figure("start: CPU of bare Python", Spread.of(bare), "ms")]
    for name, times in seen.items():
        beyond = Spread.of([one - base for one, base in zip(times, bare, strict=True)])
        limit = BUDGETS.get(name)
        figures.append(figure(f"start: CPU of {name}, over bare", beyond, "ms", at_most=limit))
    return Outcome(figures)
