"""Print every figure: ``python -m benchmarks [startup] [streaming] [sweep] [limits]``."""

import sys

from benchmarks import limits, startup, streaming, sweep

BENCHMARKS = {
    "startup": startup.main,
    "streaming": streaming.main,
    "sweep": sweep.main,
    "limits": limits.main,
}


def main() -> None:
    """Run the benchmarks named on the command line, or all of them."""
    wanted = sys.argv[1:] or list(BENCHMARKS)
    for name in wanted:
        if name not in BENCHMARKS:
            sys.exit(f"no benchmark {name!r}; known: {', '.join(BENCHMARKS)}")
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
