"""What the project's own automation may do, and that its papers tell the truth."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.y*ml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
# The suite also runs beside a wheel, where there is no automation; a checkout must have it.
checkout = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout")
each = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)


def parsed(path: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in parsed(path)["jobs"].values() for step in job["steps"]]


@checkout
def test_there_are_workflows() -> None:
    """Otherwise the rules below would hold for nothing."""
    assert {"ci.yml", "audit.yml"} <= {path.name for path in WORKFLOWS}


@each
def test_every_action_is_pinned_by_commit(path: Path) -> None:
    """A tag can be moved to other code by whoever gets hold of an account."""
    lines = re.findall(r"uses:\s*(.+)", path.read_text(encoding="utf-8"))

    assert lines
    assert [] == [line for line in lines if not PINNED.fullmatch(line.strip())]


@each
def test_a_workflow_may_only_read(path: Path) -> None:
    """No job needs to write to the repository."""
    found = parsed(path)

    assert {"contents": "read"} == found["permissions"]
    assert [] == [name for name, job in found["jobs"].items() if "permissions" in job]
    assert "pull_request_target" not in found[True]


@each
def test_no_credential_stays_in_a_checkout(path: Path) -> None:
    """What runs after it could push with it."""
    found = [step for step in steps(path) if "actions/checkout@" in step.get("uses", "")]

    assert found
    assert [] == [step for step in found if step["with"]["persist-credentials"] is not False]


@each
def test_no_text_from_outside_is_part_of_a_script(path: Path) -> None:
    """The title of a pull request would be run by the shell."""
    assert [] == [step for step in steps(path) if "${{" in step.get("run", "")]


@checkout
def test_dependencies_are_audited_on_change_and_by_the_calendar() -> None:
    """A vulnerability is found later than the version that has it."""
    path = FOLDER / "audit.yml"
    triggers = parsed(path)[True]

    assert triggers["schedule"]
    assert "pyproject.toml" in triggers["pull_request"]["paths"]
    assert any("nox -s audit" in step.get("run", "") for step in steps(path))
    assert '"pip-audit"' in (ROOT / "noxfile.py").read_text(encoding="utf-8")


def test_every_test_that_the_threat_model_names_exists() -> None:
    """A claim without its test is a wish."""
    text = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)(?:::(\w+))?`", text)
    absent = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / "tests" / file).is_file()
        or (test and f"def {test}(" not in (ROOT / "tests" / file).read_text(encoding="utf-8"))
    ]

    assert len(named) > 40
    assert [] == absent


def test_every_claim_of_the_threat_model_names_a_test() -> None:
    """Rows of its tables are claims."""
    text = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    claims = [line for line in rows if not line.startswith(("| claim |", "|---"))]

    assert claims
    assert [] == [line for line in claims if ".py" not in line]
