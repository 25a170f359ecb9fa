"""CPU time of ``import snapkit`` and ``snapkit --help`` beyond that of bare Python."""

import os
import resource
import statistics
import subprocess
import sys

ROUNDS = 15
COMMANDS = {
    "bare Python": [sys.executable, "-c", "pass"],
    "import snapkit": [sys.executable, "-c", "import snapkit"],
    "snapkit --version": [sys.executable, "-m", "snapkit", "--version"],
    "snapkit --help": [sys.executable, "-m", "snapkit", "--help"],
}
BUDGETS = {"import snapkit": 35.0, "snapkit --help": 100.0}


def cpu_ms(command: list[str]) -> float:
    """Return the CPU time of *command* in a process of its own, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    """Print the medians of some rounds, the commands taken in turn."""
    seen: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS):
        for name, command in COMMANDS.items():
            seen[name].append(cpu_ms(command))
    bare = statistics.median(seen["bare Python"])
    print(f"start-up, CPU ms, median of {ROUNDS} (budget is over bare Python)")
    for name, times in seen.items():
        middle = statistics.median(times)
        budget = f", budget {BUDGETS[name]:.0f}" if name in BUDGETS else ""
        print(f"  {name:18} {middle:7.1f}   over bare {middle - bare:6.1f}{budget}")


if __name__ == "__main__":
    main()
