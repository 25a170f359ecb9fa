"""Rows under headings, lined up by what a terminal draws: a Chinese sign takes two cells."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from snapkit.cli.columns import Column

__all__ = ["draw", "fit", "lines"]

GAP = 2
NARROWEST = 10
_COLOURS = {
    "available": "green",
    "failed": "bold red",
    "degraded": "red",
    "suspended": "red",
    "unknown": "magenta",
    "deleted": "dim",
    "deleting": "dim",
    "recycled": "dim",
}


def fit(widths: Mapping[str, int], room: int | None, expendable: Sequence[str]) -> dict[str, int]:
    """Return the columns to show and their widths within *room*, None for no bound.

    ``name`` is cut first, then *expendable* columns are left out, the first one first. When
    none is left the lines are too long, which is better than lying.
    """
    shown = dict(widths)
    spare = list(expendable)
    while room is not None:
        over = sum(shown.values()) + GAP * (len(shown) - 1) - room
        longest = shown.get("name", 0)
        cut = max(NARROWEST, longest - over)
        if over <= 0:
            break
        if cut < longest and longest - cut >= over:
            shown["name"] = cut
            break
        if not spare:
            if cut < longest:
                shown["name"] = cut
            break
        shown.pop(spare.pop(0), None)
    return shown


def lines(
    chosen: Sequence[Column],
    rows: Iterable[Any],
    *,
    room: int | None = None,
    expendable: Sequence[str] = (),
) -> tuple[list[list[str]], list[Column], list[Column]]:
    """Return padded cells line by line (the headings first), and the columns shown and not."""
    cells = [[column.cell(row) for column in chosen] for row in rows]
    titles = [column.title.upper() for column in chosen]
    widths = {
        column.path: max(map(_width, [title, *(line[index] for line in cells)]))
        for index, (column, title) in enumerate(zip(chosen, titles, strict=True))
    }
    shown = fit(widths, room, expendable)
    kept = [index for index, column in enumerate(chosen) if column.path in shown]
    columns = [chosen[index] for index in kept]
    padded = [
        [_padded(line[index], shown[chosen[index].path], chosen[index].numeric) for index in kept]
        for line in [titles, *cells]
    ]
    return padded, columns, [column for column in chosen if column not in columns]


def draw(padded: Sequence[Sequence[str]], shown: Sequence[Column]) -> None:
    """Print lines to stdout, in colour where it is a terminal that wants colour."""
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{(' ' * GAP).join(line).rstrip()}\n" for line in padded)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    for number, line in enumerate(padded):
        drawn = Text()
        for cell, column in zip(line, shown, strict=True):
            style = "bold" if number == 0 else _style(column, cell)
            drawn.append(cell, style)
            drawn.append(" " * GAP)
        drawn.rstrip()
        console.print(drawn)


def _style(column: Column, cell: str) -> str:
    return _COLOURS.get(cell.strip(), "yellow") if column.path == "status" else ""


def _width(text: str) -> int:
    from rich.cells import cell_len

    return len(text) if text.isascii() else cell_len(text)


def _padded(text: str, width: int, right: bool) -> str:
    from rich.cells import set_cell_size

    long = _width(text)
    if long > width:
        return set_cell_size(text, width - 1) + "…"
    blanks = " " * (width - long)
    return blanks + text if right else text + blanks
