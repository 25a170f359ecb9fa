"""The clients that are measured. Each is a module with three functions.

``load(job)`` imports what the job needs, ``listed(job)`` returns all rows, held in memory, and
``id_of(row)`` names a row. A client runs in a process of its own and is given the settings
that are best for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Job", "each_scope"]


@dataclass(frozen=True)
class Job:
    """What to list, and how. Plain data: it crosses to the child as JSON."""

    client: str
    """The module that does it."""
    endpoint: str
    scopes: list[tuple[str, str]]
    """Cloud and region of each."""
    bundle: str = ""
    """Certificates to trust; empty for plain HTTP."""
    threads: int = 1
    keep: bool = True
    """Whether all rows are held until the end; snapkit can stream instead."""
    warm: int = 0
    """When streaming: after how many rows the growth of memory counts."""
    style: dict[str, str] = field(default_factory=dict)
    """Options of snapkit's adapter, by cloud, as ``alibaba: paging=number``."""

    @property
    def clouds(self) -> list[str]:
        """The clouds that are needed."""
        return sorted({cloud for cloud, _ in self.scopes})

    @property
    def address(self) -> str:
        """Host and port."""
        return self.endpoint.partition("://")[2]


def each_scope(job: Job, one: Callable[[Job, str, str], list[Any]]) -> list[Any]:
    """Return the rows of all scopes, listed by *one* in the threads of *job*."""
    if job.threads == 1:
        return [row for cloud, region in job.scopes for row in one(job, cloud, region)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(job.threads) as pool:
        found = [pool.submit(one, job, cloud, region) for cloud, region in job.scopes]
        return [row for future in found for row in future.result()]
