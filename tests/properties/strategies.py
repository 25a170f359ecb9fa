"""Values that no provider should send, and real answers with something wrong in them."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st

ODD_TEXTS = (
    "",
    " ",
    "0",
    "-1",
    "40",
    "40.0",
    "100%",
    "9" * 30,
    "９",
    "NaN",
    "1e999",
    "true",
    "available",
    "2026-03-01T06:00:00Z",
    "2026-02-30T00:00:00Z",
    "0000-00-00 00:00:00",
    "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59",
    "2026-03-01T06:00:60Z",
    "\ud800",
    "\x00\x1b[2J\r\n",
    "=cmd|'/C calc'!A0",
    "../../etc/passwd",
    "s-1",
)
TEXTS = st.one_of(st.sampled_from(ODD_TEXTS), st.text(st.characters(), max_size=8))
"""Half characters included: JSON can carry them."""
NUMBERS = st.one_of(
    st.integers(-3, 70),
    st.sampled_from([2**31, 2**63, -(2**63), 10**30, 10**4000]),
    st.floats(allow_nan=False, width=32),
    st.sampled_from([float("inf"), -0.0, 1e308]),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=6,
)
QUICK = settings(
    max_examples=settings.default.max_examples * 6 // 10 if settings.default else 60,
    deadline=None,
    database=None,
)
"""Six tenths of the profile's examples: there are many of these tests."""


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the way to each value inside *value*, the outermost left out."""
    found: list[tuple[Any, ...]] = []
    inner: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = list(cast("dict[Any, Any]", value).items())
    elif isinstance(value, list):
        inner = list(enumerate(cast("list[Any]", value)))
    for name, one in inner:
        found += [(*here, name), *places(one, (*here, name))]
    return found


def spoil(answer: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """Return a copy of *answer* in which one to three values are replaced, dropped or doubled."""
    spoilt = copy.deepcopy(answer)
    for _ in range(draw(st.integers(1, 3))):
        ways = places(spoilt)
        if not ways:
            return draw(JSON)
        *way, last = draw(st.sampled_from(ways))
        holder: Any = spoilt
        for name in way:
            holder = holder[name]
        act = draw(st.sampled_from(["replace", "drop", "double", "wrap"]))
        if act == "replace":
            holder[last] = draw(JSON)
        elif act == "drop":
            del holder[last]
        elif act == "wrap":
            holder[last] = draw(st.sampled_from([[holder[last]], {"": holder[last]}]))
        elif isinstance(holder, list):
            siblings = cast("list[Any]", holder)
            siblings.append(copy.deepcopy(siblings[last]))
        else:
            holder[str(last).swapcase()] = holder[last]
    return spoilt
