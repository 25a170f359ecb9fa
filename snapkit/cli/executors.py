"""``--executor``: who carries a listing out."""

import contextlib
import logging
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from snapkit.cli.options import configured, option

if TYPE_CHECKING:
    from snapkit.settings import Target

__all__ = ["executing", "executor_words", "manner"]

PATIENCE = 10.0
"""Seconds for finding a scheduler."""
_DASK = "dask:"
_SCHEDULER = re.compile(r"dask:([a-z]+://)?([\w.-]+|\[[0-9a-fA-F:.]+\]):\d{1,5}")
_FORM = "choose threads, processes or dask:ADDRESS, as dask:tcp://host:8786"


def executor_words(_context: click.Context, _parameter: click.Parameter, text: str) -> str:
    """Return *text* if it names an executor, else raise BadParameter."""
    if text not in ("threads", "processes") and not _SCHEDULER.fullmatch(text):
        raise click.BadParameter(f"no executor {text!r}; {_FORM}")
    return text


executing = option(
    "--executor",
    metavar="NAME",
    default="threads",
    show_default=True,
    callback=executor_words,
    section="Where",
    help="Who does the work: threads, processes (of this machine) or dask:ADDRESS (of a"
    " scheduler). Keys are found where the work is done.",
)


@contextlib.contextmanager
def manner(given: Mapping[str, Any], places: "Sequence[Target]") -> Generator[dict[str, Any]]:
    """Give the arguments of ``sweep`` for who lists, how many at a time, and how fast.

    Raises ConfigurationError or UnavailableError for an executor that cannot be had.
    """
    name = given["executor"]
    if name == "threads":
        yield {"limiter": configured().limiter(), "workers": given["workers"]}
        return
    share = _share(places)
    if name == "processes":
        count = max(1, min(given["workers"], os.cpu_count() or 1, len(places)))
        with _processes(count) as pool:
            # No more than it has processes: a task that still waits when the pool is ended
            # makes Python 3.11 print a traceback.
            yield {"executor": pool, "rate_share": share / count, "workers": count}
        return
    with _dask(name.removeprefix(_DASK)) as (pool, count):
        yield {"executor": pool, "rate_share": share / count, "workers": given["workers"]}


def _share(places: "Sequence[Target]") -> float:
    """Return the smallest part of the limits that profiles for *places* leave."""
    used = {(place.provider, place.account) for place in places}
    parts = [
        profile.rate_share
        for profile in configured().profiles.values()
        if (profile.provider, profile.account) in used
    ]
    return min(parts, default=1.0)


def _begin(level: int) -> None:
    """Prepare a worker process: Ctrl-C is for the one who started it, and logs look the same."""
    from snapkit.cli.failing import listen

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    listen(verbose=level == logging.DEBUG)


@contextlib.contextmanager
def _processes(count: int) -> Generator[Executor]:
    """Give a pool whose processes are ended at once, also when they are at work."""
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        count,
        # Forked children would hold locks of threads that they do not have.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(logging.getLogger("snapkit").level,),
    )
    try:
        yield pool
    finally:
        # Waited for, at the side: a pool that is still closing when the interpreter ends makes
        # Python 3.11 print a traceback.
        closing = threading.Thread(target=pool.shutdown, kwargs={"cancel_futures": True})
        closing.start()
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()
        closing.join()


@contextlib.contextmanager
def _dask(address: str) -> Generator[tuple[Executor, int]]:
    """Give an executor on the scheduler at *address*, and how many workers it has."""
    from snapkit.errors import ConfigurationError, UnavailableError

    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise ConfigurationError(
            "Dask is not installed", hint="install snapkit-multicloud[dask]"
        ) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise UnavailableError(
            f"the Dask scheduler at {address!r} does not answer",
            hint="see that it runs, and that its port can be reached from here",
        ) from error
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"{address!r} is no address of a Dask scheduler", hint="write dask:tcp://host:8786"
        ) from error
    with client:
        workers = client.scheduler_info(n_workers=-1)["workers"]
        yield client.get_executor(pure=False), max(1, len(workers))
