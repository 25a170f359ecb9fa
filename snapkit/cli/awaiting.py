"""``snapkit wait``, and the waits of the commands that make something."""

import contextlib
import time
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

import attrs
import click

from snapkit.cli.options import Command, acting, option, printing, stacked, talking
from snapkit.cli.outcomes import Outcomes
from snapkit.cli.places import by_place, client_at, parsed, place_of
from snapkit.errors import SnapkitError
from snapkit.model import Kind, Ref, Snapshot, SnapshotGroup

if TYPE_CHECKING:
    from snapkit.client import Client
    from snapkit.waiting import Progress

__all__ = ["patient", "timing", "wait_command", "waited"]

timing = option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=3600.0,
    show_default=True,
    metavar="SECONDS",
    section="Waiting",
    help="Give up waiting after so long; exit code 7.",
)
patient = stacked(
    option(
        "--wait",
        type=click.Choice(["cut", "usable", "complete"]),
        section="Waiting",
        help="Wait until the point in time is fixed, a restore works, or all is stored.",
    ),
    timing,
)


def waited(
    client: "Client", ref: Ref, until: str, timeout: float, *, quiet: bool
) -> Snapshot | SnapshotGroup | None:
    """Return the snapshot or group *ref* when it has come as far as *until*."""
    from snapkit.cli.progress import awaiting

    with awaiting(until, quiet=quiet) as told:
        if ref.kind is Kind.GROUP:
            return client.wait_group(ref.id, until, timeout=timeout, on_progress=told)
        found = client.wait([ref.id], until, timeout=timeout, on_progress=told)
    return found[0] if found else None


_HELP = """
\b
Examples:
  snapkit wait PROVIDER:REGION/SNAPSHOT-ID --until usable
  snapkit wait PROVIDER:REGION/group/GROUP-ID --until complete --timeout 7200
  snapkit wait REF REF REF --until gone

\b
  cut       the point in time is fixed: the file system may be thawed
  usable    a restore works
  complete  all data is stored
  gone      deleted; what is not there is gone

Places are waited for side by side, and told in the order of the references.
Ends with 7 when the time is up, with 6 when one is not there, with 1 when one has failed.
"""


@click.command("wait", cls=Command, epilog=_HELP)
@click.argument("ref", nargs=-1, required=True)
@option(
    "--until",
    type=click.Choice(["cut", "usable", "complete", "gone"]),
    default="complete",
    show_default=True,
    section="Waiting",
    help="What to wait for.",
)
@timing
@acting
@printing
@talking
def wait_command(**given: Any) -> int:
    """Wait until all of REF, snapshots or groups, are cut, usable, complete or gone."""
    outcomes = Outcomes.of(given["until"], given)
    refs = parsed(given["ref"])
    with contextlib.ExitStack() as opened:
        parties = {
            place_of(some[0]): _Party(
                client=opened.enter_context(client_at(some[0], given | {"timeout": None})),
                refs=some,
                until=given["until"],
                end=time.monotonic() + given["timeout"],
            )
            for some in by_place(refs)
        }
        with _started(parties, quiet=given["quiet"]):
            for ref in refs:
                for ending in parties[place_of(ref)].ended.result():
                    if ending.refs[0] == ref:
                        ending.tell(outcomes)
    return outcomes.end()


@contextlib.contextmanager
def _started(parties: "Mapping[str, _Party]", *, quiet: bool) -> Generator[None]:
    """Let all *parties* wait side by side, and show how far they are together."""
    from snapkit.cli.progress import awaiting_each

    until = next(iter(parties.values())).until
    with awaiting_each(until, quiet=quiet) as told:
        for party in parties.values():
            # A thread that does not hold the process up: Ctrl-C ends all waits at once.
            Thread(target=party.wait, args=(told,), daemon=True).start()
        yield


@attrs.frozen
class _Ending:
    """How the wait for *refs* ended: well, or with an error that is about them."""

    refs: Sequence[Ref]
    error: SnapkitError | None = None

    def tell(self, outcomes: Outcomes) -> None:
        if self.error is None:
            outcomes.well(self.refs[0])
        else:
            outcomes.ill(", ".join(map(str, self.refs)), self.error)


@attrs.frozen(kw_only=True)
class _Party:
    """The references in one place, whose snapshots are waited for together."""

    client: "Client"
    refs: Sequence[Ref]
    until: str
    end: float
    """When the time for all is up, on the monotonic clock."""
    ended: "Future[list[_Ending]]" = attrs.field(factory=Future["list[_Ending]"])

    def wait(self, told: "Callable[[Hashable, Progress], None]") -> None:
        """Wait for everything in this place, and let ``ended`` have what came of it."""
        try:
            self.ended.set_result(self._wait(told))
        except BaseException as error:  # noqa: BLE001 - raised again where the result is read
            self.ended.set_exception(error)

    def _wait(self, told: "Callable[[Hashable, Progress], None]") -> list[_Ending]:
        found: list[_Ending] = []
        snapshots = [ref for ref in self.refs if ref.kind is Kind.SNAPSHOT]
        if snapshots:
            try:
                self.client.wait(
                    [ref.id for ref in snapshots],
                    self.until,
                    timeout=_left(self.end),
                    on_progress=partial(told, snapshots[0]),
                )
            except SnapkitError as error:
                found.append(_Ending(_named(snapshots, error), error))
            else:
                found += [_Ending([ref]) for ref in snapshots]
        return found + [self._group(ref, told) for ref in self.refs if ref.kind is Kind.GROUP]

    def _group(self, ref: Ref, told: "Callable[[Hashable, Progress], None]") -> _Ending:
        try:
            self.client.wait_group(
                ref.id, self.until, timeout=_left(self.end), on_progress=partial(told, ref)
            )
        except SnapkitError as error:
            return _Ending([ref], error)
        return _Ending([ref])


def _named(refs: Sequence[Ref], error: SnapkitError) -> Sequence[Ref]:
    """Return those of *refs* that the error of a wait for all of them is about."""
    return [ref for ref in refs if repr(ref.id) in error.message] or refs[:1]


def _left(end: float) -> float:
    return max(0.0, end - time.monotonic())
