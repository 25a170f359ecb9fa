"""YAML for what JSON can say, written so that every reader takes it for the same values.

A text stands without quotes only where no version of YAML sees anything else in it; all others
are in double quotes, with escapes for what is invisible.
"""

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

__all__ = ["as_yaml", "item", "scalar"]

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "true", "false", "on", "off", "null"})
"""What YAML 1.1 takes for a truth value or for nothing, in any case."""
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def as_yaml(value: Mapping[str, Any]) -> str:
    """Return *value*, made of what JSON has, as a YAML document."""
    return "".join(f"{line}\n" for line in _block(value, ""))


def item(value: Any) -> str:
    """Return *value* as one item of a list that stands at the start of a line."""
    return "".join(f"{line}\n" for line in _listed(value, ""))


def scalar(value: Any) -> str:
    """Return a text, number, truth value or nothing as YAML."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _real(value)
    if isinstance(value, int):
        return str(value)
    text = str(value)
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else f'"{"".join(map(_sign, text))}"'


def _real(value: float) -> str:
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    mantissa, exponent, power = repr(value).partition("e")
    # Without a point YAML 1.1 reads a text.
    return f"{mantissa}{'' if '.' in mantissa else '.0'}{exponent}{power}"


def _sign(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if unicodedata.category(sign) not in _INVISIBLE:
        return sign
    code = ord(sign)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _block(value: Any, indent: str) -> Iterator[str]:
    """Yield the lines of a mapping or sequence that is not empty."""
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, Any]", value).items():
            if _empty(inner):
                yield f"{indent}{scalar(str(key))}: {_flat(inner)}"
            else:
                yield f"{indent}{scalar(str(key))}:"
                yield from _block(inner, f"{indent}  ")
        return
    for inner in cast("Sequence[Any]", value):
        yield from _listed(inner, indent)


def _listed(value: Any, indent: str) -> Iterator[str]:
    if _empty(value):
        yield f"{indent}- {_flat(value)}"
        return
    first, *rest = _block(value, f"{indent}  ")
    yield f"{indent}- {first[len(indent) + 2 :]}"
    yield from rest


def _empty(value: Any) -> bool:
    """Whether *value* fits on its key's line: no mapping or sequence, or an empty one."""
    return not isinstance(value, Mapping | list | tuple) or not value


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    return "[]" if isinstance(value, list | tuple) else scalar(value)
