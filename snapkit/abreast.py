"""The same work on several things at a time, by threads that hold nothing up."""

import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from typing import TypeVar

__all__ = ["abreast"]

T = TypeVar("T")
R = TypeVar("R")


def abreast(work: Callable[[T], R], things: Iterable[T], *, at_once: int) -> Generator[R]:
    """Yield what *work* makes of each of *things*, in their order, *at_once* under way.

    What it raises is raised in its place, and nothing more is begun then. An interrupt is not
    held up by what is under way, nor is the end of the process, as it would be by a pool.
    """
    waiting = [(thing, Future[R]()) for thing in things]
    todo, lock = iter(waiting), threading.Lock()

    def take() -> tuple[T, Future[R]] | None:
        with lock:
            return next(todo, None)

    def run() -> None:
        while (taken := take()) is not None:
            thing, future = taken
            try:
                future.set_result(work(thing))
            except BaseException as error:  # noqa: BLE001 - raised where the result is taken
                future.set_exception(error)

    for _ in range(min(at_once, len(waiting))):
        threading.Thread(target=run, name="snapkit-abreast", daemon=True).start()
    try:
        for _, future in waiting:
            yield future.result()
    finally:
        with lock:
            todo = iter(())
