"""What is said on stderr after a listing: totals, and everything that could not be seen."""

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from snapkit.cli.columns import size
from snapkit.cli.failing import remark, story, tell
from snapkit.cli.inert import inert
from snapkit.listing import Outcome, Report, ScopeReport

__all__ = ["Totals", "anything_seen", "close", "say", "unseen"]

_SENTENCES = 3
"""So many unreadable rows of one scope are described; the others are counted."""


@attrs.define
class Totals:
    """Counts and bytes by provider, of what was shown."""

    counts: dict[str, int] = attrs.field(factory=dict[str, int])
    sizes: dict[str, int] = attrs.field(factory=dict[str, int])

    def add(self, rows: Iterable[Any]) -> None:
        """Count *rows*."""
        for row in rows:
            self.counts[row.provider] = self.counts.get(row.provider, 0) + 1
            self.sizes[row.provider] = self.sizes.get(row.provider, 0) + (row.size_bytes or 0)

    def sentences(self, noun: str, report: Report) -> list[str]:
        """Return one line on everything and, for several providers, one on each."""
        answered = sum(scope.complete for scope in report.scopes)
        asked = len(report.scopes)
        places = f"{asked} region{'s' * (asked != 1)}"
        where = places if answered == asked else f"{answered} of {places}"
        total = self._amount(sum(self.counts.values()), sum(self.sizes.values()), noun)
        found = [f"{total} in {where}"]
        if len(self.counts) > 1:
            wide = max(map(len, self.counts))
            found += [
                f"  {name:<{wide}}  {self._amount(count, self.sizes[name], noun)}"
                for name, count in sorted(self.counts.items())
            ]
        return found

    def _amount(self, count: int, bytes_: int, noun: str) -> str:
        named = noun.removesuffix("s") if count == 1 else noun
        return f"{count:,} {named}" + (f", {size(bytes_)}" if bytes_ else "")


def say(sentence: str) -> None:
    """Print a line to stderr, harmless."""
    remark(inert(sentence))


def close(report: Report, *, debug: bool = False) -> None:
    """Say which scopes could not be seen, and why.

    Where nothing could be seen these are the errors of the command.
    """
    missing = report.incomplete
    if debug:
        for scope in missing:
            if scope.error is not None:
                remark(story(scope.error), nl=False)
    seen = anything_seen(report)
    for place, reason in unseen(missing):
        tell("not seen" if seen else "error", f"{place}: {reason}")


def anything_seen(report: Report) -> bool:
    """Whether one scope at least answered."""
    return report.rows > 0 or any(scope.complete for scope in report.scopes)


def unseen(missing: Sequence[ScopeReport]) -> list[tuple[str, str]]:
    """Return places and reasons; neighbours with the same reason are one line."""
    reasons: dict[tuple[str, str, str], list[ScopeReport]] = {}
    for report in missing:
        scope = report.scope
        reasons.setdefault((scope.provider, scope.account, _key(report)), []).append(report)
    return [(_places(alike), _reason(alike[0])) for alike in reasons.values()]


def _key(report: ScopeReport) -> str:
    error = report.error
    if error is None:
        return _reason(report)
    return f"{report.outcome} {report.rows} {error.code} {error.message} {error.hint}"


def _places(reports: Sequence[ScopeReport]) -> str:
    first = reports[0].scope
    account = f"{first.account}@" if first.account else ""
    regions = ", ".join(dict.fromkeys(report.scope.region for report in reports))
    return f"{first.provider}:{account}{regions}"


def _reason(report: ScopeReport) -> str:
    parts: list[str] = []
    if report.outcome is Outcome.RUNNING:
        parts.append(f"stopped after {report.rows} rows" if report.pages else "not reached")
    elif report.error is not None:
        after = f" after {report.rows} rows" if report.rows else ""
        parts.append(f"{report.outcome.value}{after}: {report.error}")
    if report.troubles:
        more = len(report.troubles) - _SENTENCES
        parts += report.troubles[:_SENTENCES] + ((f"and {more} more",) if more > 0 else ())
    return "; ".join(parts)
