"""The last figures: a file of JSON, and the blocks of the documentation that show them."""

import datetime
import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.figures import Outcome, markdown, plain, read

ROOT = Path(__file__).parents[1]
LAST = ROOT / "benchmarks" / "results" / "last.json"
PLOT = LAST.with_suffix(".svg")
PAGES = (ROOT / "docs" / "performance.md", ROOT / "docs" / "scaling.md")
_BLOCK = re.compile(r"(<!-- figures: ([a-z ]+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)
_RIVALS = (
    "alibabacloud_ecs20140526",
    "tencentcloud-sdk-python-cbs",
    "qingcloud-sdk",
    "apache-libcloud",
    "requests",
    "urllib3",
    "orjson",
    "attrs",
)


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, cores, Python and packages; no names."""
    model = "unknown"
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        found = re.search(r"^model name\s*: (.+)$", facts.read_text(encoding="utf-8"), re.M)
        model = found[1] if found else model
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0,
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _RIVALS},
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def gathered(
    before: Mapping[str, Any], outcomes: Mapping[str, Outcome], command: str
) -> dict[str, Any]:
    """Return *before* with the scenarios of *outcomes* put in their place."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    scenarios = dict(before.get("scenarios", {}))
    for name, outcome in outcomes.items():
        scenarios[name] = {
            "date": today,
            "command": command,
            "figures": [plain(one) for one in outcome.figures],
            "data": outcome.data,
        }
    return {"machine": machine(), "scenarios": scenarios}


def load(path: Path) -> dict[str, Any]:
    """Return the results in *path*, empty ones where there is no such file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def save(results: Mapping[str, Any], path: Path) -> None:
    """Write *results* to *path*."""
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def drawable(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of each scenario, for the plot."""
    return {name: one["data"] for name, one in results.get("scenarios", {}).items()}


def block(results: Mapping[str, Any], names: Sequence[str]) -> str:
    """Return the figures of the scenarios *names* as they stand in the documentation."""
    on = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in on["packages"].items())
    where = f"{on['processor']}, {on['cores']} cores, {on['system']}, Python {on['python']}"
    parts = [f"{where}; {versions}."]
    for name in names:
        one = results["scenarios"].get(name)
        if one is None:
            parts.append(f"### {name}\n\nNot measured yet.")
            continue
        figures = [read(row) for row in one["figures"]]
        parts.append(f"### {name}\n\n`{one['command']}`, {one['date']}.\n\n{markdown(figures)}")
    return "\n\n".join(parts)


def shown_in(text: str, results: Mapping[str, Any]) -> str:
    """Return the page *text* with its figures replaced by those of *results*.

    A page names the scenarios that it shows: ``<!-- figures: growth dask -->``.
    """
    return _BLOCK.sub(
        lambda found: f"{found[1]}\n{block(results, found[2].split())}\n\n{found[3]}", text
    )


def show(results: Mapping[str, Any]) -> None:
    """Put *results* into the documentation."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(shown_in(text, results), encoding="utf-8")
