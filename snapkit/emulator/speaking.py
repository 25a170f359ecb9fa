"""Which dialects an emulator speaks: one that is broken is named, and does not stop the others."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from snapkit.emulator.dialect import Dialect, Request
from snapkit.emulator.state import World
from snapkit.registry import dialect_troubles

__all__ = ["opened", "populated", "recognised", "unloadable"]

_LOG = logging.getLogger(__name__)


def unloadable() -> list[str]:
    """Return a sentence for each dialect that cannot be loaded."""
    return [_noted(str(error)) for error in dialect_troubles().values()]


def opened(kinds: Mapping[str, Any], world: World, troubles: list[str]) -> list[Dialect]:
    """Return a dialect over *world* of each of *kinds*; what is wrong goes into *troubles*."""
    found: list[Dialect] = []
    for name, kind in kinds.items():
        if not (isinstance(kind, type) and issubclass(kind, Dialect)):
            troubles.append(_noted(f"the emulator dialect of {name!r} is not a Dialect"))
            continue
        try:
            found.append(kind(world))
        except Exception as error:  # noqa: BLE001 - a foreign package must not stop the others
            troubles.append(_noted(_broken(name, "does not start", error)))
    return found


def recognised(
    dialects: Sequence[Dialect], request: Request, troubles: list[str]
) -> Dialect | None:
    """Return the first dialect that knows *request* for its own."""
    for dialect in dialects:
        try:
            if dialect.recognises(request):
                return dialect
        except Exception as error:  # noqa: BLE001 - the request may be another's
            said = _broken(dialect.provider, "cannot tell whose a request is", error)
            if said not in troubles:
                troubles.append(_noted(said))
    return None


def populated(kinds: Iterable[tuple[str, Any]], world: World, seed: int) -> None:
    """Put each provider's part of the demonstration estate into *world*, or nothing of it."""
    for name, kind in kinds:
        before = len(world.accounts)
        try:
            kind.populate(world, seed)
        except Exception as error:  # noqa: BLE001 - a foreign package must not stop the others
            del world.accounts[before:]
            _noted(_broken(name, "cannot make its part of the estate", error))


def _broken(name: str, what: str, error: Exception) -> str:
    return f"the emulator dialect of {name!r} {what}: {type(error).__name__}: {error}"


def _noted(trouble: str) -> str:
    _LOG.warning("%s", trouble)
    return trouble
