"""Where snapkit's CPU time goes while it lists one scope, by samples.

Every millisecond of CPU the running Python function is noted, so small functions are not
made to look dear as by a tracing profiler. What C code does counts for its caller.
"""

import signal
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.clients import Job, ours
from benchmarks.estate import CLOUDS, region_of
from benchmarks.figures import Outcome, Scale, single
from benchmarks.serving import Serving

TICK = 0.001
SHOWN = 14
_CHARGED = {"_socket.py", "socket.py"}


class Sampler:
    """Counts which function runs, by file and name, while it is entered."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def _note(self, _: int, frame: FrameType | None) -> None:
        while frame is not None and Path(frame.f_code.co_filename).name in _CHARGED:
            frame = frame.f_back
        if frame is not None:
            place = Path(frame.f_code.co_filename)
            name = f"{place.parent.name}/{place.name} {frame.f_code.co_qualname}"
            self.seen[name] += 1

    def __enter__(self) -> "Sampler":
        signal.signal(signal.SIGPROF, self._note)
        signal.setitimer(signal.ITIMER_PROF, TICK, TICK)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_DFL)


def sampled(cloud: str, rows: int) -> tuple[Counter[str], float]:
    """Return the samples of one listing of *cloud*, and the CPU seconds of one sample."""
    import time

    with Serving([(cloud, 0, rows)]) as serving:
        job = Job("", serving.endpoint, [(cloud, region_of(cloud, 0))])
        ours.load(job)
        with Sampler() as sampler:
            started = time.process_time()
            count = len(ours.listed(job))
            used = time.process_time() - started
    if count != rows:
        raise SystemExit(f"{cloud}: {count} of {rows} rows")
    return sampler.seen, used / max(1, sampler.seen.total())


def measure(scale: Scale) -> Outcome:
    """Return the dearest functions of each cloud, their own time for each snapshot."""
    figures = []
    data: dict[str, Any] = {}
    rows = scale.many
    for cloud in CLOUDS:
        seen, each = sampled(cloud, rows)
        data[cloud] = dict(seen.most_common())
        figures.append(
            single(f"{cloud}: all, sampled", 1e6 * each * seen.total() / rows, "us/snapshot")
        )
        figures += [
            single(f"{cloud}: {name}", 1e6 * each * count / rows, "us/snapshot")
            for name, count in seen.most_common(SHOWN)
        ]
    return Outcome(figures, data)
