"""The figures as one picture, in SVG, by matplotlib."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.estate import CLOUDS
from benchmarks.running import TITLES

COLOURS = dict(
    zip(TITLES.values(), ("#0b6e4f", "#c84630", "#8e6c88", "#5f7c9b", "#b8b8b8"), strict=True)
)


def draw(data: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Write what *data* has figures for, by scenario, to *path*."""
    import matplotlib

    matplotlib.use("Agg")
    # Without these each run would write other ids and another date for the same figures.
    matplotlib.rcParams["svg.hashsalt"] = "snapkit"
    from matplotlib import pyplot

    panels = [
        (kind, data[name]) for name, kinds in _PANELS.items() if data.get(name) for kind in kinds
    ]
    if not panels:
        return
    across = min(2, len(panels))
    down = -(-len(panels) // across)
    sheet, axes = pyplot.subplots(down, across, figsize=(6.2 * across, 4 * down), squeeze=False)
    flat = list(axes.flat)
    for axis, (panel, found) in zip(flat, panels, strict=False):
        panel(axis, found)
    for axis in flat[len(panels) :]:
        axis.set_axis_off()
    sheet.tight_layout()
    sheet.savefig(path, metadata={"Date": None})
    pyplot.close(sheet)


def _bars(axis: Any, groups: Mapping[str, Mapping[str, Sequence[float]]], factor: float) -> None:
    """Draw medians side by side, with a line from the least to the most."""
    titles = list(dict.fromkeys(title for group in groups.values() for title in group))
    width = 0.8 / len(titles)
    for number, title in enumerate(titles):
        there = [(at, group[title]) for at, group in enumerate(groups.values()) if title in group]
        middles = [factor * statistics.median(runs) for _, runs in there]
        places = [at + (number - (len(titles) - 1) / 2) * width for at, _ in there]
        reach = [
            [middle - factor * min(runs) for middle, (_, runs) in zip(middles, there, strict=True)],
            [factor * max(runs) - middle for middle, (_, runs) in zip(middles, there, strict=True)],
        ]
        axis.bar(
            places, middles, width, label=title, color=COLOURS[title], yerr=reach, ecolor="#444"
        )
    axis.set_xticks(range(len(groups)), list(groups))
    axis.legend(fontsize=8)


def _throughput(axis: Any, data: Mapping[str, Any]) -> None:
    most = max(int(name.split()[1]) for name in data)
    _bars(axis, {cloud: data[f"{cloud} {most}"] for cloud in CLOUDS}, 1.0)
    axis.set_ylabel("CPU us for each snapshot")
    axis.set_title(f"Listing {most:,} snapshots of one scope, no latency")


def _sweep(axis: Any, data: Mapping[str, Any]) -> None:
    _bars(axis, {"3 clouds x 10 regions x 5 pages": data["wall"]}, 1000.0)
    axis.axhline(1000 * data["floor"], color="#444", linestyle=":", linewidth=1)
    axis.set_ylabel("wall ms")
    axis.set_title("Sweep from cold, TLS, 80 ms an answer (dotted: the floor)")


def _deep(axis: Any, data: Mapping[str, Any]) -> None:
    _bars(axis, {cloud: data[cloud] for cloud in CLOUDS}, 1.0)
    axis.set_yscale("log")
    axis.set_ylabel("wall s")
    axis.set_title("One deep region, 80 ms an answer")


def _series(axis: Any, lines: Mapping[str, Sequence[tuple[int, float]]]) -> None:
    for name, points in lines.items():
        shown = [(size, value) for size, value in points if value > 0]
        axis.plot([size for size, _ in shown], [value for _, value in shown], "o-", label=name)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.grid(visible=True, alpha=0.3)
    axis.legend(fontsize=8)


def _time_by_rows(axis: Any, data: Mapping[str, Any]) -> None:
    _series(axis, {cloud: data[cloud]["CPU"] for cloud in CLOUDS})
    axis.set_xlabel("snapshots in one scope")
    axis.set_ylabel("CPU s")
    axis.set_title("Time as one scope grows")


def _memory_by_rows(axis: Any, data: Mapping[str, Any]) -> None:
    kept = {f"{cloud}, kept": data[cloud]["kept"] for cloud in CLOUDS}
    _series(axis, kept | {f"{cloud}, streaming": data[cloud]["streaming"] for cloud in CLOUDS})
    axis.set_xlabel("snapshots in one scope")
    axis.set_ylabel("MiB")
    axis.set_title("Memory as one scope grows")


def _by_scopes(axis: Any, data: Mapping[str, Any]) -> None:
    named = {"CPU s": "CPU", "wall s": "wall", "MiB kept": "kept"}
    _series(axis, {title: data["scopes"][key] for title, key in named.items()})
    axis.set_xlabel("scopes of one page each, no latency")
    axis.set_title("Time and memory as scopes grow")


_PANELS = {
    "throughput": (_throughput,),
    "sweep": (_sweep,),
    "deep": (_deep,),
    "growth": (_time_by_rows, _memory_by_rows, _by_scopes),
}
