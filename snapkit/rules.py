"""A provider's documented forms of names, descriptions and tags, checked before sending.

The forms are data that an adapter declares; limits that its sources disagree on are left to
the server.
"""

import re
from collections.abc import Mapping

import attrs

from snapkit.errors import ArgumentError

__all__ = ["Rules", "TextRule", "check_tags", "check_text"]


@attrs.frozen(kw_only=True)
class TextRule:
    """The form of one text; lengths in characters, or in UTF-8 bytes with *in_bytes*."""

    shortest: int = 0
    longest: int | None = None
    in_bytes: bool = False
    pattern: str | None = None
    """A regular expression that the whole text must match."""
    says: str = ""
    """The pattern in words."""
    forbidden_starts: tuple[str, ...] = ()
    """Compared without case."""
    forbidden_parts: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Rules:
    """All forms of one provider; None: the provider has no such thing, or no known limit."""

    name: TextRule = TextRule()
    group_name: TextRule = TextRule()
    disk_name: TextRule = TextRule()
    description: TextRule = TextRule()
    tag_key: TextRule = TextRule()
    tag_value: TextRule = TextRule()
    tags: int | None = None
    """How many tags one thing may have."""


def check_text(what: str, text: str, rule: TextRule) -> str:
    """Return *text* if it follows *rule*, else raise ArgumentError; nothing was sent."""
    length = len(text.encode()) if rule.in_bytes else len(text)
    unit = "bytes" if rule.in_bytes else "characters"
    lowered = text.casefold()
    trouble = None
    if length < rule.shortest or (rule.longest is not None and length > rule.longest):
        trouble = f"has {length} {unit}, allowed are {rule.shortest} to {rule.longest}"
    elif start := next((one for one in rule.forbidden_starts if lowered.startswith(one)), None):
        trouble = f"must not start with {start!r}"
    elif part := next((one for one in rule.forbidden_parts if one in lowered), None):
        trouble = f"must not contain {part!r}"
    elif rule.pattern is not None and not re.fullmatch(rule.pattern, text):
        trouble = rule.says or "has a form that the provider refuses"
    if trouble is not None:
        raise ArgumentError(f"the {what} {_short(text)} {trouble}", hint="choose another")
    return text


def check_tags(tags: Mapping[str, str], rules: Rules) -> None:
    """Raise ArgumentError if *tags* are too many, or one of them has a refused form."""
    if rules.tags is not None and len(tags) > rules.tags:
        raise ArgumentError(f"{len(tags)} tags are too many, allowed are {rules.tags}")
    for key, value in tags.items():
        check_text("tag key", key, rules.tag_key)
        check_text("tag value", value, rules.tag_value)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")
