"""A JSON file read into a Document: its mistakes are told with file, line and column too."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import attrs

from snapkit.errors import ConfigurationError
from snapkit.toml import Document, Keys, Place

__all__ = ["json_document", "json_places"]

_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[\[\]{},]|[^\s\[\]{},:"]+|\n')


def json_document(path: Path, text: str, *, located: bool = True) -> Document:
    """Return the object that *text* holds; ConfigurationError if it is not one.

    Without *located* the places of keys are left out, which is quicker.
    """

    def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ConfigurationError(f"{path}: {twice!r} is there twice in one object")
        return found

    def constant(word: str) -> NoReturn:
        raise ConfigurationError(f"{path}: {word} is not a number in JSON")

    try:
        values = json.loads(text, object_pairs_hook=once, parse_constant=constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        said = error.msg[:1].lower() + error.msg[1:]
        raise ConfigurationError(
            f"{path}, {place}: not JSON: {said}", hint="is a comma, a quote or a bracket missing?"
        ) from None
    except RecursionError:
        raise ConfigurationError(f"{path} is nested too deeply") from None
    except ValueError:
        raise ConfigurationError(f"{path} holds a number that is too long") from None
    if not isinstance(values, dict):
        raise ConfigurationError(f"{path} is not a JSON object", hint='write {"accounts": [...]}')
    return Document(path, values, json_places(text) if located else {})  # pyright: ignore[reportUnknownArgumentType] # JSON is checked as it is read


def json_places(text: str) -> dict[Keys, Place]:
    """Return where each key, and each entry of a list, stands in the JSON *text*."""
    scan = _Scan()
    line, line_start = 1, 0
    for token in _TOKEN.finditer(text):
        if token[0] == "\n":
            line, line_start = line + 1, token.end()
        else:
            scan.take(token[0], (line, token.start() - line_start + 1))
    return scan.found


@attrs.define
class _Scan:
    found: dict[Keys, Place] = attrs.field(factory=dict[Keys, Place])
    here: Keys = ()
    """Where the next value stands."""
    opened: list[tuple[str, Keys]] = attrs.field(factory=list[tuple[str, Keys]])
    naming: bool = False

    def take(self, word: str, place: Place) -> None:
        if word in ("{", "["):
            self._note(place)
            self.opened.append((word, self.here))
            self.naming = word == "{"
            self.here = (*self.here, "0") if word == "[" else self.here
        elif word in ("}", "]"):
            self.here, self.naming = self.opened.pop()[1], False
        elif word == ",":
            bracket, around = self.opened[-1]
            self.naming = bracket == "{"
            self.here = around if self.naming else (*around, str(int(self.here[-1]) + 1))
        elif self.naming:
            self.here = (*self.here, str(json.loads(word)))
            self.naming = False
            self._note(place)
        else:
            self._note(place)

    def _note(self, place: Place) -> None:
        if self.here:
            self.found.setdefault(self.here, place)
