"""Figures with their goals, and the table that says which are reached."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.running import Spread


@dataclass(frozen=True)
class Scale:
    """How much to measure. The goals are meant for the full scale."""

    rounds: int = 5
    rows: tuple[int, ...] = (10_000, 100_000)
    many: int = 100_000
    """Rows where memory and filters are measured."""
    growth: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    scopes: tuple[int, ...] = (1, 10, 100, 1_000)
    deep_pages: int = 100
    tasks: int = 300


FULL = Scale()
QUICK = Scale(
    rounds=2,
    rows=(2_000,),
    many=10_000,
    growth=(1_000, 10_000),
    scopes=(1, 10, 100),
    deep_pages=20,
    tasks=40,
)


@dataclass(frozen=True)
class Figure:
    """One measured figure: median, least and most of the rounds, and what it should be."""

    name: str
    median: float
    least: float
    most: float
    unit: str = ""
    goal: float | None = None
    sense: str = ""
    """``at least`` or ``at most``; empty for a figure without a goal."""

    @property
    def reached(self) -> bool | None:
        """Whether the median reaches the goal; None without one."""
        if self.goal is None:
            return None
        return self.median >= self.goal if self.sense == "at least" else self.median <= self.goal


@dataclass(frozen=True)
class Outcome:
    """What a scenario found: figures for the table, data for the plot."""

    figures: list[Figure]
    data: dict[str, Any] = field(default_factory=dict)


def figure(
    name: str,
    spread: Spread,
    unit: str = "",
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Figure:
    """Return a figure with at most one goal."""
    sense = "at least" if at_least is not None else "at most" if at_most is not None else ""
    goal = at_least if at_least is not None else at_most
    return Figure(name, spread.median, spread.least, spread.most, unit, goal, sense)


def single(name: str, value: float, unit: str = "", *, at_most: float | None = None) -> Figure:
    """Return a figure that was measured once."""
    return figure(name, Spread(value, value, value), unit, at_most=at_most)


def shown(value: float) -> str:
    """Return *value* with three digits that count."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def cells(one: Figure) -> tuple[str, str, str, str, str]:
    """Return name, median, range, goal and verdict of a figure as texts."""
    unit = f" {one.unit}" if one.unit else ""
    span = "" if one.least == one.most else f"{shown(one.least)} – {shown(one.most)}"
    if one.goal is None:
        return one.name, f"{shown(one.median)}{unit}", span, "", ""
    verdict = "reached" if one.reached else "NOT reached"
    return one.name, f"{shown(one.median)}{unit}", span, f"{one.sense} {shown(one.goal)}", verdict


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as lines of text."""
    rows = [("figure", "median", "least – most", "goal", ""), *map(cells, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def markdown(figures: Sequence[Figure]) -> str:
    """Return the figures as a table in Markdown."""
    rows = [f"| {' | '.join(cells(one))} |" for one in figures]
    return "\n".join(
        ["| figure | median | least – most | goal | |", "|---|---|---|---|---|", *rows]
    )


def plain(one: Figure) -> dict[str, Any]:
    """Return a figure as it stands in JSON."""
    return asdict(one) | {"reached": one.reached}


def read(row: dict[str, Any]) -> Figure:
    """Return the figure of a row of JSON."""
    return Figure(**{name: value for name, value in row.items() if name != "reached"})
