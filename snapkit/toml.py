"""A TOML file whose mistakes are told with file, line and column.

The standard library's reader says where the syntax is wrong, but not where a key stands. The
scan here finds the keys of a file that is known to be TOML.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self, TypeAlias, cast

import attrs

from snapkit.errors import ConfigurationError

__all__ = ["Document", "Keys", "Place", "nearest", "places"]

Keys = tuple[str, ...]
Place = tuple[int, int]
"""Line and column, from 1."""

LARGEST = 1024**2
"""Bytes; a larger file is no configuration."""
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"""+|\'\'\'.*?\'\'\'+'
    r'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\''
    r"|\#[^\n]*|\n|[\[\]{}=,.]|[^\s\[\]{}=,.\#\"']+",
    re.DOTALL,
)
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TWICE = re.compile(r"Cannot declare \((.*)\) twice")


def nearest(word: str, known: Collection[str]) -> str:
    """Return "did you mean ...? known: ..." for a *word* that is not among *known*."""
    near = get_close_matches(word, known, 1)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return f"{guess}known: {', '.join(sorted(known)) or 'none'}"


def places(text: str) -> dict[Keys, Place]:
    """Return where each key of the TOML *text* stands first, tables and dotted keys too.

    What stands in a list has its number, from "0", as a key.
    """
    scan = _Scan()
    line, line_start = 1, 0
    for found in _TOKEN.finditer(text):
        scan.take(found[0], (line, found.start() - line_start + 1))
        lines = found[0].count("\n")
        if lines:
            line += lines
            line_start = found.start() + found[0].rfind("\n") + 1
    return scan.found


@attrs.define
class _Scan:
    """Where in a statement the next word stands."""

    found: dict[Keys, Place] = attrs.field(factory=dict[Keys, Place])
    table: Keys = ()
    key: list[str] = attrs.field(factory=list[str])
    start: Place = (1, 1)
    header: bool = False
    naming: bool = True
    """Whether a key is being read, not a value."""
    owner: Keys = ()
    """The key of the value that is being read."""
    opened: list[tuple[str, Keys]] = attrs.field(factory=list[tuple[str, Keys]])
    several: bool = False
    """Whether the header that is being read adds to an array of tables."""
    counted: dict[Keys, int] = attrs.field(factory=dict[Keys, int])
    """How far each list has been read."""

    def take(self, word: str, place: Place) -> None:
        if word.startswith("#"):
            return
        if word == "\n":
            if not self.opened:
                self.naming, self.header, self.key = True, False, []
        elif self.naming and word not in ("}", "{"):
            self._name(word, place)
        elif word in ("{", "["):
            self.found.setdefault(self.owner, place)
            self.opened.append((word, self.owner))
            self.naming, self.key = word == "{", []
            self.owner = self._entry(word, self.owner)
        elif word in ("}", "]") and self.opened:
            self.owner, self.naming = self.opened.pop()[1], False
        elif word == "," and self.opened:
            bracket, owner = self.opened[-1]
            self.naming, self.key = bracket == "{", []
            self.owner = self._entry(bracket, owner)

    def _entry(self, bracket: str, owner: Keys) -> Keys:
        """Return the key of what comes next in the list, or in the table, at *owner*."""
        if bracket == "{":
            return owner
        self.counted[owner] = self.counted.get(owner, -1) + 1
        return (*owner, str(self.counted[owner]))

    def _name(self, word: str, place: Place) -> None:
        if word == "[":
            self.header, self.several = True, self.header
        elif word in ("=", "]"):
            base = () if self.header else self.opened[-1][1] if self.opened else self.table
            self.owner = self._numbered() if self.header else base + tuple(self.key)
            for length in range(len(base) + 1, len(self.owner) + 1):
                self.found.setdefault(self.owner[:length], self.start)
            if self.header:
                self.table = self.owner
            self.naming, self.key = False, []
        elif word != ".":
            self.start = self.start if self.key else place
            self.key.append(_unquoted(word))

    def _numbered(self) -> Keys:
        """Return the header's keys, with the number of the table in each array of tables."""
        path: Keys = ()
        for left, name in zip(range(len(self.key) - 1, -1, -1), self.key, strict=True):
            path = (*path, name)
            if self.several and left == 0:
                self.counted[path] = self.counted.get(path, -1) + 1
            if path in self.counted:
                path = (*path, str(self.counted[path]))
        return path


def _unquoted(token: str) -> str:
    if token[0] not in "\"'":
        return token
    return str(tomllib.loads(f"key = {token}")["key"])


_Read: TypeAlias = tuple[dict[str, Any], dict[Keys, Place]] | ConfigurationError
"""What stands in a file and where, or what is wrong with it.

Nothing is raised with the text at hand, so that no traceback holds it: somebody may have put
a key into it.
"""


def _read(path: Path) -> _Read:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            return ConfigurationError(f"{path} is larger than {LARGEST // 1024} KiB")
        return _parsed(path, content.decode("utf-8-sig"))
    except OSError as error:
        return ConfigurationError(f"{path} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return ConfigurationError(f"{path} is not UTF-8", hint="save it as UTF-8")
    except ValueError:
        return ConfigurationError(f"{path} cannot be read: the name is too long")


def _parsed(path: Path, text: str) -> _Read:
    try:
        return tomllib.loads(text), places(text)
    except RecursionError:
        return ConfigurationError(f"{path} is nested too deeply")
    except tomllib.TOMLDecodeError as error:
        return _syntax(path, str(error))
    except ValueError:
        return ConfigurationError(f"{path} cannot be read: a number is too long")


@attrs.define
class Document:
    """A file that was read, and what is wrong with it; keys are paths such as ("a", "b").

    The getters return None for what is not there and for what is not of their type; the
    latter is a problem too.
    """

    path: Path
    values: Mapping[str, Any] = attrs.field(factory=dict[str, Any])
    places: Mapping[Keys, Place] = attrs.field(factory=dict[Keys, Place])
    problems: list[ConfigurationError] = attrs.field(factory=list[ConfigurationError])
    noted: list[tuple[Keys, str]] = attrs.field(factory=list[tuple[Keys, str]])

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the file at *path*; ConfigurationError if it is not readable or not TOML."""
        found = _read(path)
        if isinstance(found, ConfigurationError):
            raise found
        return cls(path, *found)

    @classmethod
    def parsed(cls, path: Path, text: str) -> Self:
        """Return what *text*, read from *path*, holds; ConfigurationError if it is not TOML."""
        found = _parsed(path, text)
        if isinstance(found, ConfigurationError):
            raise found
        return cls(path, *found)

    def where(self, *keys: str) -> str:
        """Return file, line and column of *keys*, or of the nearest table around them."""
        while keys and keys not in self.places:
            keys = keys[:-1]
        if not keys:
            return str(self.path)
        line, column = self.places[keys]
        return f"{self.path}, line {line}, column {column}"

    def problem(self, keys: Sequence[str], message: str, hint: str | None = None) -> None:
        """Note, once, that what stands at *keys* is wrong."""
        noted = (tuple(keys), message)
        if noted not in self.noted:
            self.noted.append(noted)
            error = ConfigurationError(f"{self.where(*keys)}: {message}", hint=hint)
            self.problems.append(error)

    def table(self, *keys: str) -> Mapping[str, Any]:
        """Return the table at *keys*; an empty one if it is not there."""
        found = self.typed(keys, dict, "a table")
        return {} if found is None else cast("dict[str, Any]", found)

    def text(self, *keys: str) -> str | None:
        """Return the text at *keys*, which must not be empty."""
        found = self.typed(keys, str, "a text in quotes")
        if found == "":
            self.problem(keys, f"{keys[-1]!r} is empty", "leave it out instead")
            return None
        return cast("str | None", found)

    def texts(self, *keys: str) -> list[str] | None:
        """Return the list of texts at *keys*, each once and in order."""
        found = self.typed(keys, list, "a list of texts")
        if found is None:
            return None
        entries = cast("list[Any]", found)
        if not all(isinstance(one, str) for one in entries):
            self.problem(keys, f"{keys[-1]!r} must hold texts in quotes only")
            return None
        return list(dict.fromkeys(cast("list[str]", entries)))

    def number(self, *keys: str, least: float, most: float, whole: bool = False) -> float | None:
        """Return the number at *keys* if it is above 0 and within *least* and *most*."""
        kinds = int if whole else (int, float)
        found = self.typed(keys, kinds, "a whole number" if whole else "a number")
        if found is None or (found > 0 and least <= found <= most):
            return cast("float | None", found)
        limits = f"from {least:g}" if least else "more than 0"
        self.problem(keys, f"{keys[-1]!r} cannot be {found}", f"write {limits}, up to {most:.0f}")
        return None

    def allow(self, *keys: str, names: Collection[str]) -> None:
        """Note every key in the table at *keys* that is not among *names*."""
        wrong = {place for place, _ in self.noted}
        for name in self.table(*keys):
            if name not in names and (*keys, name) not in wrong:
                self.problem((*keys, name), f"unknown key {name!r}", nearest(name, names))

    def typed(self, keys: Sequence[str], kind: Any, words: str) -> Any:
        """Return what stands at *keys* if it is of *kind*, in *words* "a text" or the like.

        What is wrong is named by type, never by value.
        """
        found: Any = self.values
        for key in keys:
            if isinstance(found, list):
                entries = cast("list[Any]", found)
                found = entries[int(key)] if key.isdecimal() and int(key) < len(entries) else None
            else:
                found = cast("dict[str, Any]", found).get(key) if isinstance(found, dict) else None
        if found is None:
            return None
        if isinstance(found, kind) and (kind is bool or not isinstance(found, bool)):
            return found
        found_kind = next(
            (said for one, said in _WORDS if isinstance(found, one)), "a date or a time"
        )
        self.problem(keys, f"{keys[-1]!r} must be {words}, not {found_kind}")
        return None


_WORDS: Sequence[tuple[type, str]] = (
    (str, "a text"),
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (dict, "a table"),
    (list, "a list"),
)


def _syntax(path: Path, said: str) -> ConfigurationError:
    at = _AT.search(said)
    place = f", line {at[1]}, column {at[2]}" if at and at[1] else ", at its end" if at else ""
    what = said[: at.start()] if at else said
    twice = _TWICE.match(what)
    if twice:
        name = ".".join(_names(twice[1]))
        return ConfigurationError(f"{path}{place}: [{name}] is there twice", hint="rename one")
    what = what[:1].lower() + what[1:]
    hint = "a key is there twice" if "overwrite" in what else "is a quote or a bracket missing?"
    return ConfigurationError(f"{path}{place}: not TOML: {what}", hint=hint)


def _names(shown: str) -> Iterator[str]:
    """Yield the names in the inside of a shown tuple, ``'a', 'b'``."""
    for name in re.findall(r"'([^']*)'|\"([^\"]*)\"", shown):
        yield name[0] or name[1]
