"""The other end of an adapter's wire: what the emulator needs to speak like a provider."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import attrs

from snapkit.emulator.estate import Style
from snapkit.emulator.state import World
from snapkit.errors import Failure

__all__ = ["Answer", "Dialect", "Request"]


@attrs.frozen(kw_only=True)
class Request:
    """A request as it came in; header names are in lower case."""

    method: str
    path: str
    """Without the query."""
    query: str = ""
    """As sent, still encoded."""
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    body: bytes = b""

    @property
    def form(self) -> dict[str, str]:
        """The decoded parameters of the query and of a form body together."""
        pairs = parse_qsl(self.query, keep_blank_values=True)
        if "x-www-form-urlencoded" in self.headers.get("content-type", ""):
            pairs += parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return dict(pairs)


@attrs.frozen(kw_only=True)
class Answer:
    """What goes back."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = attrs.field(
        factory=lambda: {"Content-Type": "application/json; charset=utf-8"}
    )


class Dialect(ABC):
    """How one provider speaks, over the state of a world.

    A dialect is strict where the provider is: it verifies signatures against ``clock.wall``,
    refuses stale times and repeated nonces, unknown and mis-cased parameters, over-long lists
    and page sizes, and answers in the provider's envelope, quirks included.
    """

    provider: ClassVar[str]

    def __init__(self, world: World) -> None:
        self.world = world

    @abstractmethod
    def recognises(self, request: Request) -> bool:
        """Return whether *request* is written in this dialect; dialects share one port."""

    @abstractmethod
    def operation(self, request: Request) -> str:
        """Return the provider's name of what is asked for, ``""`` if it cannot be told."""

    @abstractmethod
    def region(self, request: Request) -> str:
        """Return the region that *request* is about, ``""`` if it cannot be told."""

    @abstractmethod
    def answer(self, request: Request) -> Answer:
        """Act on *request* and return the answer; called with the world's lock held."""

    @abstractmethod
    def refuse(self, request: Request, failure: Failure) -> Answer:
        """Return what the provider answers for *failure*, without acting.

        At least PERMISSION, THROTTLED, SERVER and AUTHENTICATION must be told apart.
        """

    @classmethod
    @abstractmethod
    def populate(cls, world: World, seed: int) -> None:
        """Put this provider's part of the demonstration estate into *world*.

        The same *seed* and clock give the same estate.
        """

    @classmethod
    def style(cls) -> Style:
        """Return how this provider names things, for regions that an estate file generates."""
        return Style(instance="i-", disk="d-", snapshot="s-")

    @classmethod
    def target_options(cls) -> Mapping[str, Any]:
        """Return fields of Target that reaching the emulator needs beside endpoint and keys."""
        return {}
