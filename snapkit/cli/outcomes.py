"""What a command that acts says of each thing it acted on."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from snapkit.cli.exits import of_errors
from snapkit.cli.failing import remark, story, tell
from snapkit.cli.inert import inert
from snapkit.cli.records import error_record, put
from snapkit.errors import SnapkitError
from snapkit.model import Ref
from snapkit.writes import ItemResult

__all__ = ["Outcomes"]


@attrs.define
class Outcomes:
    """Lines or one object for things that were done or not; what failed goes to stderr."""

    done: str
    """What was done to those that went well: ``deleted``."""
    output: str
    debug: bool
    rows: list[dict[str, Any]] = attrs.field(factory=list[dict[str, Any]])
    errors: list[SnapkitError] = attrs.field(factory=list[SnapkitError])

    @classmethod
    def of(cls, done: str, given: Mapping[str, Any]) -> "Outcomes":
        """Return an empty account, shown as the options *given* say."""
        return cls(done, given["output"], given["debug"])

    def well(self, ref: Ref, word: str | None = None, **more: Any) -> None:
        """Say that *ref* is as it was wanted; *word* instead of what was done."""
        self.rows.append({"ref": str(ref), "ok": True, **more, "error": None})
        if self.output == "table":
            sys.stdout.write(f"{word or self.done}  {inert(str(ref))}\n")
            sys.stdout.flush()

    def ill(self, ref: object, error: SnapkitError, **more: Any) -> None:
        """Say that *ref* failed, and why."""
        self.rows.append({"ref": str(ref), "ok": False, **more, "error": error_record(error)})
        self.errors.append(error)
        sys.stdout.flush()
        if self.debug:
            remark(story(error), nl=False)
        tell(f"not {self.done}", f"{ref}: {error}")

    def add(self, place: Ref, results: Iterable[ItemResult]) -> None:
        """Say how each of *results* ended; *place* is any reference there."""
        for result in results:
            ref = attrs.evolve(place, id=result.id, kind=result.kind)
            if result.error is not None:
                self.ill(ref, result.error, absent=False)
            else:
                self.well(ref, "not there" if result.absent else None, absent=result.absent)

    def end(self) -> int:
        """Write what is left and return the exit code."""
        if self.output != "table":
            put({"results": self.rows}, self.output)
        well = any(row["ok"] for row in self.rows)
        return of_errors(self.errors, something_seen=well)
