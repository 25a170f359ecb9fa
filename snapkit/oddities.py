"""Values that a provider sent and that could not be understood: told once, never raised."""

import logging
from collections.abc import Mapping
from typing import Any

__all__ = ["note_odd"]

_LOG = logging.getLogger(__name__)
_TOLD: set[tuple[str, str]] = set()
_LONGEST = 60


def note_odd(provider: str, row: Mapping[str, Any], read: Mapping[str, object]) -> None:
    """Warn of each field of *row* that says something of which *read* has made nothing.

    *read* has what was understood by field, None for nothing. There is one warning for each
    field of a *provider* in a process: a broken server sends a million such rows.
    """
    for field, understood in read.items():
        said = row.get(field)
        if understood is None and _says(said) and (provider, field) not in _TOLD:
            _TOLD.add((provider, field))
            _LOG.warning(
                "%s sends %s=%.*r, which cannot be understood; it is taken as not said",
                provider,
                field,
                _LONGEST,
                said,
            )


def _says(value: object) -> bool:
    """Whether *value* is something, and not one of the ways to write nothing."""
    if isinstance(value, str):
        return bool(value.strip()) and not value.startswith("0000-00-00")
    return value not in (None, 0, [], {})
