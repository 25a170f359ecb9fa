"""The table of faults: what happens, what is right, and the tests that prove it.

``python -m tests.faults.table`` writes it to ``docs/reliability.md``.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import attrs

from snapkit.registry import providers

from .catalogue import EXCUSED, LINES, PENDING, TIERS, Line

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
PAGE = ROOT / "docs" / "reliability.md"
COMMAND = "python -m tests.faults.table"
EVERYWHERE = "every adapter"
_PLACES = {"core": "the core", "cli": "the command", "providers": "adapters"}

HEAD = """\
# Reliability

What goes wrong between this machine and a cloud, what snapkit does then, and the tests that
prove it. This page is written by `{command}` from `tests/faults/catalogue.py`
and from the marks on the tests (`@pytest.mark.faults(9, 10)`); a test compares it with both.

- A listing never ends short in silence: it raises after the rows that came, and its report is
  not complete.
- Reads are tried four times, eight times when throttled, with pauses, within one deadline per
  call (60 s by default).
- The deadline covers connecting, TLS, a proxy, headers and body. The tests hold it to ten
  percent and 0.05 s. Looking up a host name is the one wait that cannot be ended from outside;
  the system's resolver has its own bound. A `requests` session of the caller's own has the
  timeouts for each read, and the deadline only between them.
- An answer may be 16 MiB unpacked, 64 levels deep and 5,000 rows a page.
- A request that may have been carried out is sent again only where that makes no second
  snapshot.

How a fault is made to happen: {tiers}.
"""


@attrs.frozen(order=True)
class Proof:
    """One test: where it stands, and on which adapters it runs."""

    path: str
    name: str
    adapters: str


def source_files() -> list[Path]:
    """Return the files of the test suite."""
    return sorted(path for path in TESTS.rglob("*.py") if "__pycache__" not in path.parts)


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of *path*."""
    return ast.parse(path.read_text(encoding="utf-8"))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.Module) -> Iterator[tuple[Function, Sequence[ast.expr]]]:
    """Yield each function of a file or of its classes, with all decorators that count."""
    for node in tree.body:
        if isinstance(node, Function):
            yield node, node.decorator_list
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, Function):
                    yield inner, [*node.decorator_list, *inner.decorator_list]


def marked(decorators: Sequence[ast.expr]) -> list[int]:
    """Return the lines that a test says it proves."""
    return [
        int(number.value)
        for one in decorators
        if isinstance(one, ast.Call) and ast.unparse(one.func) == "pytest.mark.faults"
        for number in one.args
        if isinstance(number, ast.Constant) and isinstance(number.value, int)
    ]


def arguments(function: Function) -> set[str]:
    """Return the names of what *function* is called with."""
    return {one.arg for one in (*function.args.args, *function.args.kwonlyargs)}


def spread(source: str, names: set[str]) -> bool:
    """Return whether an expression goes over all providers, by itself or by one of *names*."""
    words = set(ast.walk(ast.parse(source, mode="eval")))
    return "providers()" in source or any(
        isinstance(word, ast.Name) and word.id in names for word in words
    )


@cache
def spreading(path: Path) -> frozenset[str]:
    """Return the fixtures and constants of a file that stand for every adapter in turn.

    Those of the ``conftest.py`` beside and above it count too.
    """
    found: set[str] = set()
    for folder in path.parents:
        above = folder / "conftest.py"
        if above != path and above.exists() and folder.is_relative_to(TESTS):
            found |= spreading(above)
            break
    tree = parsed(path)
    while True:
        before = len(found)
        for node in tree.body:
            if isinstance(node, ast.Assign) and spread(ast.unparse(node.value), found):
                found |= {one.id for one in node.targets if isinstance(one, ast.Name)}
            elif isinstance(node, Function) and node.decorator_list:
                texts = [ast.unparse(one) for one in node.decorator_list]
                fixture = any(one.startswith("pytest.fixture") for one in texts)
                if fixture and (arguments(node) & found or any(spread(t, found) for t in texts)):
                    found.add(node.name)
        if len(found) == before:
            return frozenset(found)


def adapters_of(path: Path, function: Function, decorators: Sequence[ast.expr]) -> str:
    """Return on which adapters a test runs, by its file, its fixtures and its parameters."""
    own = [name for name in providers() if name in path.stem]
    if own:
        return ", ".join(own)
    names = set(spreading(path))
    texts = [ast.unparse(one) for one in decorators]
    if arguments(function) & names or any(spread(one, names) for one in texts):
        return EVERYWHERE
    named = [name for name in providers() if any(repr(name) in one for one in texts)]
    return ", ".join(named) or _PLACES.get(path.parent.name, "the core")


@cache
def proofs() -> Mapping[int, list[Proof]]:
    """Return the tests of each line, in the order of their names."""
    found: dict[int, set[Proof]] = {line.number: set() for line in LINES}
    for path in source_files():
        for function, decorators in functions(parsed(path)):
            for number in marked(decorators):
                where = path.relative_to(ROOT).as_posix()
                adapters = adapters_of(path, function, decorators)
                found[number].add(Proof(where, function.name, adapters))
    return {number: sorted(tests) for number, tests in found.items()}


def unproved() -> list[int]:
    """Return the lines that have neither a test nor a reason."""
    found = proofs()
    return [line.number for line in LINES if not found[line.number] and line.number not in EXCUSED]


def row(line: Line, tests: Sequence[Proof]) -> str:
    """Return one row of the table."""
    told = [f"`{one.path}::{one.name}` ({one.adapters})" for one in tests]
    if line.number in EXCUSED:
        told.append(f"does not apply: {EXCUSED[line.number]}")
    elif not told and line.number in PENDING:
        told.append("not marked yet")
    cells = (str(line.number), line.fault, line.right, line.tier, "<br>".join(told))
    return f"| {' | '.join(cells)} |"


def page() -> str:
    """Return the text of ``docs/reliability.md``."""
    tiers = "; ".join(f"**{letter}** {said}" for letter, said in TIERS.items())
    found = proofs()
    lines = [
        HEAD.format(command=COMMAND, tiers=tiers),
        "| # | fault | right answer | how | proved by |",
        "|---|---|---|---|---|",
        *(row(line, found[line.number]) for line in LINES),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
