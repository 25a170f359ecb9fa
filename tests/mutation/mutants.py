"""Small wrong versions of a module, made from its syntax tree; nothing is written to disk.

Left alone are annotations, decorators, docstrings, imports, ``__all__`` and the names of type
variables: what cannot run wrongly, or only for a type checker.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from types import CodeType
from typing import cast

import attrs

__all__ = ["Mutant", "mutants_of"]

Change = ast.AST
Slot = Callable[[ast.AST], None]

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLED = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
GENERIC = {"Callable", "Future", "Generator", "Generic", "dict", "frozenset", "list", "set"}
UNTOUCHED = {"annotation", "returns", "decorator_list", "type_params", "format_spec"}


@attrs.frozen
class Mutant:
    """One change of one place."""

    place: str
    """The qualified name of the function or class; empty for the module."""
    line: int
    before: str
    after: str
    code: CodeType = attrs.field(repr=False, eq=False)

    def __str__(self) -> str:
        return f"{self.place or 'module'}: {self.before}  ->  {self.after}"


def mutants_of(source: str, filename: str) -> list[Mutant]:
    """Return the mutants of *source*, from its top to its end."""
    tree = ast.parse(source)
    found: list[Mutant] = []
    for node, place, put in _slots(tree, ""):
        for change in _changes(node):
            put(ast.copy_location(change, node))
            code = compile(ast.fix_missing_locations(tree), filename, "exec", dont_inherit=True)
            put(node)
            after = "(deleted)" if isinstance(change, ast.Pass) else ast.unparse(change)
            line = getattr(node, "lineno", 0)
            found.append(Mutant(place, line, _short(ast.unparse(node)), _short(after), code))
    return found


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 120 else f"{text[:119]}…"


def _slots(node: ast.AST, place: str) -> Iterator[tuple[ast.AST, str, Slot]]:
    """Yield what stands below *node*, where, and how to put something else in its place."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        place = f"{place}.{node.name}".lstrip(".")
    for name, value in ast.iter_fields(node):
        if name in UNTOUCHED or _foreign(node, name):
            continue
        if isinstance(value, list):
            children = cast("list[ast.AST | str | None]", value)
            for index, child in enumerate(children):
                if isinstance(child, ast.AST) and not _ignored(node, name, index, child):
                    yield child, place, _putter(children, index)
                    yield from _slots(child, place)
        elif isinstance(value, ast.AST):
            yield value, place, _setter(node, name)
            yield from _slots(value, place)


def _putter(values: list[ast.AST | str | None], index: int) -> Slot:
    def put(new: ast.AST) -> None:
        values[index] = new

    return put


def _setter(node: ast.AST, name: str) -> Slot:
    return lambda new: setattr(node, name, new)


def _foreign(node: ast.AST, name: str) -> bool:
    """Whether the field *name* of *node* holds types."""
    return (
        isinstance(node, ast.Subscript)
        and name == "slice"
        and isinstance(node.value, ast.Name)
        and node.value.id in GENERIC
    )


def _ignored(node: ast.AST, name: str, index: int, child: ast.AST) -> bool:
    match child:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.ClassDef(bases=[ast.Name(id="Protocol")]):
            return True
        case _:
            return _type_name(node) and name == "args" and index == 0


def _type_name(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("TypeVar", "cast")
    )


def _changes(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare():
            yield from _compared(node)
        case ast.BoolOp():
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield ast.BoolOp(op=other, values=node.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.BinOp() | ast.AugAssign():
            yield from _computed(node)
        case ast.Constant():
            yield from (ast.Constant(value) for value in _values(node.value))
        case ast.Call(func=ast.Name(id=name)) if name in CALLED:
            called = ast.Name(id=CALLED[name], ctx=ast.Load())
            yield ast.Call(func=called, args=node.args, keywords=node.keywords)
        case ast.If() | ast.While() | ast.IfExp():
            yield from _negated(node)
        case ast.Return(value=ast.expr() as value):
            if ast.unparse(value) != "None":
                yield ast.Return(value=ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Continue() | ast.Break():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case _:
            return


def _compared(node: ast.Compare) -> Iterator[ast.Compare]:
    for index, operator in enumerate(node.ops):
        for other in COMPARED[type(operator)]:
            ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
            yield ast.Compare(left=node.left, ops=ops, comparators=node.comparators)


def _computed(node: ast.BinOp | ast.AugAssign) -> Iterator[ast.AST]:
    other = COMPUTED.get(type(node.op))
    if isinstance(node, ast.AugAssign):
        yield ast.Pass()
        if other is not None:
            yield ast.AugAssign(target=node.target, op=other(), value=node.value)
    elif other is not None:
        yield ast.BinOp(left=node.left, op=other(), right=node.right)


def _negated(node: ast.If | ast.While | ast.IfExp) -> Iterator[ast.AST]:
    """Yield *node* the wrong way round, unless a change of its test does the same."""
    if isinstance(node.test, ast.Compare | ast.Constant) or _is_not(node.test):
        return
    other = copy.copy(node)
    other.test = ast.UnaryOp(op=ast.Not(), operand=node.test)
    yield other


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _values(value: object) -> Iterator[bool | int | float | str | bytes]:
    match value:
        case bool():
            yield not value
        case int():
            yield from (value + 1, value - 1)
        case float():
            yield from (value + 1.0, value / 2) if value else (1.0,)
        case str():
            yield f"{value}~"
        case bytes():
            yield value + b"~"
        case _:
            return
