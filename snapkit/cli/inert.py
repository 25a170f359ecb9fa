"""Other people's text, made harmless for a terminal and for a spreadsheet.

Names come from clouds, and anybody who may name a snapshot may put escape codes, a change of
reading direction or a formula into it. JSON keeps the text as it is.
"""

import re
import unicodedata

__all__ = ["inert", "spreadsheet_safe"]

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_BLANK_LETTERS = "\u034f\u115f\u1160\u2800\u3164\uffa0"
"""Drawn as nothing although they count as letters or marks."""
_FORMULA = re.compile(r"[\t\r\n]| *[=+\-@\uff1d\uff0b\uff0d\uff20]")


def inert(text: str) -> str:
    r"""Return *text* with all that is invisible or commands a terminal as ``\x1b`` and the like."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible(sign) for sign in text)


def spreadsheet_safe(text: str) -> str:
    """Return *text* inert, and with a leading ``'`` where a spreadsheet would see a formula."""
    return f"'{inert(text)}" if _FORMULA.match(text) else inert(text)


def _visible(sign: str) -> str:
    if unicodedata.category(sign) not in _INVISIBLE and sign not in _BLANK_LETTERS:
        return sign
    code = ord(sign)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
