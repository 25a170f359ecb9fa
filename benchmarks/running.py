"""Clients in fresh processes, in turn, and whether each listed what there is."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.clients import Job
from benchmarks.estate import Scope, checksum, digest, names
from benchmarks.serving import environment

OURS = "benchmarks.clients.ours"
SDKS = "benchmarks.clients.sdks"
LIBCLOUD = "benchmarks.clients.libcloud_ecs"
PLAIN = "benchmarks.clients.plain"
FLOOR = "benchmarks.clients.floor"
TITLES = {
    OURS: "snapkit",
    SDKS: "official SDK",
    LIBCLOUD: "Libcloud",
    PLAIN: "requests + json",
    FLOOR: "socket + orjson",
}


class WrongRows(SystemExit):
    """A client that did not list everything: its figures would mean nothing."""


@dataclass(frozen=True)
class Expected:
    """What a complete listing is known by."""

    count: int
    digest: str
    checksum: int

    @classmethod
    def of(cls, scopes: Sequence[Scope]) -> "Expected":
        """Return what listing *scopes* must give."""
        ids, total = list(names(scopes)), 0
        for one in ids:
            total = checksum(total, one)
        return cls(len(ids), digest(ids), total)

    def check(self, client: str, found: Mapping[str, Any]) -> None:
        """Raise WrongRows unless every id came, and each once."""
        title = TITLES.get(client, client)
        if found["count"] != self.count or found.get("distinct", self.count) != self.count:
            raise WrongRows(
                f"{title} listed {found['count']} rows, {found.get('distinct', 'some')} of them"
                f" different, where there are {self.count}: its figures do not count"
            )
        mine = found["digest"] if "digest" in found else found["checksum"]
        if mine not in (self.digest, self.checksum):
            raise WrongRows(f"{title} listed other snapshots than there are")


def run(job: Job, expected: Expected, **variables: str) -> dict[str, Any]:
    """Return what *job* cost in a process of its own; ``whole`` is the wall time from its start.

    Raises WrongRows when it did not list everything.
    """
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.child", json.dumps(asdict(job))],
        check=False,
        capture_output=True,
        text=True,
        env=environment(**variables),
    )
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-12:])
        raise SystemExit(f"{TITLES.get(job.client, job.client)} failed:\n{said}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    expected.check(job.client, found)
    return found | {"whole": found["ended"] - started}


def in_turn(
    jobs: Mapping[str, Job], expected: Expected, rounds: int
) -> dict[str, list[dict[str, Any]]]:
    """Return what each job cost in each round; who begins changes from round to round."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in jobs}
    order = list(jobs)
    for _ in range(rounds):
        for name in order:
            found[name].append(run(jobs[name], expected))
        order = order[1:] + order[:1]
    return found


@dataclass(frozen=True)
class Spread:
    """Middle, smallest and largest of several rounds."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Return the spread of *values*."""
        return cls(statistics.median(values), min(values), max(values))

    def times(self, factor: float) -> "Spread":
        """Return the same in another unit."""
        return Spread(self.median * factor, self.least * factor, self.most * factor)


def ratio(
    above: Sequence[Mapping[str, Any]], below: Sequence[Mapping[str, Any]], key: str
) -> Spread:
    """Return *above* over *below*, taken in each round by itself."""
    pairs = zip(above, below, strict=True)
    return Spread.of([one[key] / other[key] for one, other in pairs])
