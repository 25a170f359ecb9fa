"""The mutation run itself: it makes the mistakes it should, and tells who noticed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.mutants import mutants_of
from tests.mutation.page import Result, page, reasons
from tests.mutation.plan import EQUIVALENT, PLAN, ROOT, Equivalent
from tests.mutation.trial import Verdict

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs fork"),
    pytest.mark.skipif(not (ROOT / "snapkit").is_dir(), reason="the sources are not here"),
]

EXPECTED = {
    "a < b": ["a <= b", "a >= b"],
    "a >= b": ["a > b", "a < b"],
    "a == b": ["a != b"],
    "a is not b": ["a is b"],
    "a in b": ["a not in b"],
    "a < b < c": ["a <= b < c", "a >= b < c", "a < b <= c", "a < b >= c"],
    "a and b": ["a or b"],
    "not a": ["a"],
    "-a": ["a"],
    "a + b": ["a - b"],
    "a // b": ["a * b"],
    "a | b": ["a & b"],
    "7": ["8", "6"],
    "2.0": ["3.0", "1.0"],
    "0.0": ["1.0"],
    "True": ["False"],
    "'a'": ["'a~'"],
    "b'a'": ["b'a~'"],
    "None": [],
    "min(a, b)": ["max(a, b)"],
    "sorted(a)": ["list(a)"],
    "a if b else c": ["a if not b else c"],
    "a if b > c else d": ["b >= c", "b <= c"],
    "cast('int', a)": [],
    "set[str]()": [],
}


@pytest.mark.parametrize(("expression", "changes"), EXPECTED.items(), ids=EXPECTED.keys())
def test_an_expression_has_its_mistakes(expression: str, changes: list[str]) -> None:
    """Each is one change; the others of the same text are made one by one."""
    found = mutants_of(f"x = {expression}", "x.py")

    assert changes == [mutant.after for mutant in found]


STATEMENTS = {
    "def f(a: int = 1) -> 'int':\n    'Words.'\n    return a": ["2", "0", "return None"],
    "def f():\n    return None": [],
    "a.b()": ["(deleted)"],
    "a.b = c": ["(deleted)"],
    "a = b": [],
    "a += b": ["(deleted)", "a -= b"],
    "raise a": ["(deleted)"],
    "while a:\n    break": ["while not a: break", "(deleted)"],
    "if a:\n    b()": ["if not a: b()", "(deleted)"],
    "import a\n__all__ = ['a']": [],
    "@f(1)\nclass A(Generic['T']):\n    b: 'int' = 1": ["2", "0"],
    "if TYPE_CHECKING:\n    a = 1": [],
}


@pytest.mark.parametrize(("source", "changes"), STATEMENTS.items(), ids=range(len(STATEMENTS)))
def test_a_statement_has_its_mistakes(source: str, changes: list[str]) -> None:
    """And what cannot run wrongly has none."""
    assert sorted(changes) == sorted(mutant.after for mutant in mutants_of(source, "x.py"))


def test_a_mutant_has_one_change_only_and_the_name_of_its_place() -> None:
    """What was changed for one is put back before the next."""
    source = "class A:\n    def f(self):\n        return 1 + 2\n"
    answers: list[int | None] = []
    for mutant in mutants_of(source, "x.py"):
        names: dict[str, Any] = {}
        exec(mutant.code, {}, names)
        answers.append(names["A"]().f())
        assert ("A.f", 3) == (mutant.place, mutant.line)

    assert [None, -1, 4, 2, 4, 2] == answers


TESTS = """
from judged import double

def test_double():
    assert 4 == double(2)
"""
SCRIPT = """
import sys
from pathlib import Path
from tests.mutation.__main__ import _prepare
from tests.mutation.trial import Trial

folder = Path(sys.argv[1])
_prepare(folder)
sys.path.insert(0, str(folder))
file = str(folder / "judged.py")
ini = str(folder / "pytest.ini")
for name, source in (line.split(" ", 1) for line in sys.stdin.read().split("\\0")):
    trial = Trial(name, file, ["-c", ini, str(folder)])
    longest = 3.0 if "wait" in source else 60.0
    print(trial.run(compile(source, file, "exec"), processor=20, longest=longest).name)
"""
JUDGED = {
    "judged def double(a): return a * 2": "SURVIVED",
    "judged def double(a): return a + 2": "SURVIVED",
    "judged def double(a): return a": "KILLED",
    "judged double = 1 / 0": "KILLED",
    "judged import threading; threading.Event().wait()": "HANGING",
    "another double = 1": "NEVER_LOADED",
}


def test_the_tests_judge_a_mutant_and_not_the_file(tmp_path: Path) -> None:
    """Good tests kill, weak ones do not, and tests of something else say nothing."""
    (tmp_path / "judged.py").write_text("def double(a): return a * 2")
    (tmp_path / "test_judged.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        input="\0".join(JUDGED), cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert "" == run.stderr
    assert list(JUDGED.values()) == run.stdout.split()


def test_every_plan_and_every_excuse_is_about_what_is_there() -> None:
    """A reason for a mutant that no longer exists hides the next one."""
    planned = {piece.file for piece in PLAN}
    assert all((ROOT / test).is_file() for piece in PLAN for test in piece.tests)
    assert {one.file for one in EQUIVALENT} <= planned
    for file in planned:
        made = {str(one) for one in mutants_of((ROOT / file).read_text("utf-8"), file)}
        assert set() == {one.change for one in EQUIVALENT if one.file == file} - made


def test_the_page_has_every_module_and_every_excuse() -> None:
    """It is written by the run."""
    there = (ROOT / "docs" / "mutation.md").read_text("utf-8")

    assert there.startswith(page([], EQUIVALENT).partition("|")[0])
    assert there.endswith(reasons(EQUIVALENT))
    assert all(f"| `{piece.file}` |" in there for piece in PLAN)


def test_an_excuse_does_not_raise_the_score() -> None:
    """The figure is what was killed of what was tried."""
    one, two, three = mutants_of("x = a < b\ny = not a", "x.py")
    verdicts = [(one, Verdict.SURVIVED), (two, Verdict.SURVIVED), (three, Verdict.HANGING)]
    file = PLAN[0].file
    excuse = Equivalent(file, str(one), "it is the same")
    result = Result(file, 3, verdicts, [excuse])

    assert ([two], 1, 1) == (result.unexplained, result.killed, result.hanging)
    said = page([result], [excuse], f"| `{file}` | old |\n| `{PLAN[1].file}` | 9 |\n")
    assert f"| `{file}` | 3 | 3 | 1 | 1 | 1 | 1 | 33.3% |\n| `{PLAN[1].file}` | 9 |\n" in said
    assert "old" not in said
    assert f"- it is the same\n  - `` {one} ``" in said
