"""Reading the files in which other tools keep keys, without letting one slip out.

What is read stays wrapped (:class:`Fields`, ``Secret``), and an error says which file and
line, never what stands there. The functions that see plain text return what is wrong instead
of raising it, so no traceback holds the text among its local variables.
"""

import configparser
import json
import logging
import os
import re
import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from snapkit.credentials import Credentials, Secret
from snapkit.errors import CredentialsMissingError

__all__ = [
    "Fields",
    "expiry_in",
    "flat_fields",
    "ini_fields",
    "json_fields",
    "pair_in",
    "parsed_json",
    "read_private",
    "read_token",
]

_LOG = logging.getLogger(__name__)
LARGEST = 1024**2
"""Bytes; a larger file is not a file of keys."""
_LINE = re.compile(r"([A-Za-z_][\w.-]*)[ \t]*:(?:[ \t]+(.*))?")
_QUOTED = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:''|[^'])*')[ \t]*(?:#.*)?""")


class Fields:
    """Named values from a file or an answer that may hold secrets; it does not show them."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __repr__(self) -> str:
        return "Fields(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("what a file of keys holds does not pickle; read it where it is used")

    def text(self, *names: str) -> str:
        """Return the first of *names* that has a text or a number, else an empty text."""
        for name in names:
            value = self._values.get(name)
            if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
                return str(value)
        return ""

    def secret(self, *names: str) -> Secret:
        """Return the same wrapped, empty where there is none."""
        return Secret(self.text(*names))

    def inner(self, name: str) -> "Fields":
        """Return the object that *name* holds, without values where there is none."""
        value = self._values.get(name)
        return Fields(cast("dict[str, Any]", value) if isinstance(value, dict) else {})

    def rows(self, name: str) -> "list[Fields]":
        """Return the objects in the list that *name* holds."""
        value = self._values.get(name)
        rows = cast("list[Any]", value) if isinstance(value, list) else []
        return [Fields(cast("dict[str, Any]", row)) for row in rows if isinstance(row, dict)]


def read_token(path: Path) -> Secret:
    """Return the token that a cluster or another program keeps up to date in a file.

    Raises CredentialsMissingError where there is none. Unlike a file of keys it may be read by
    others: who mounts it decides, and its token lives shortly.
    """
    found = read_private(path, warn=False)
    token = Secret(found.reveal().strip()) if found is not None else None
    if not token:
        raise CredentialsMissingError(
            f"the token file {str(path)!r} {'is not there' if found is None else 'is empty'}",
            hint="check that the token is mounted, or set the keys otherwise",
        )
    return token


def read_private(path: Path, *, warn: bool = True) -> Secret | None:
    """Return the text of the file at *path*, or None where there is no such file.

    A link to a file that belongs to neither this user nor the system is refused, and so is
    what is no plain file. A file that others can read is read, with a warning once unless
    *warn* is false.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise _unreadable(path, f"cannot be read: {why.lower()}") from None
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            raise _unreadable(path, "is not a plain file")
        _check_owner(path, found, warn=warn)
    except BaseException:
        os.close(handle)
        raise
    with os.fdopen(handle, "rb") as file:
        text = _decoded(file)
    if isinstance(text, str):
        raise _unreadable(path, text)
    return text


def _check_owner(path: Path, found: os.stat_result, *, warn: bool) -> None:
    if os.name == "nt":
        return
    if path.resolve() != path.absolute() and found.st_uid not in (0, os.getuid()):
        raise _unreadable(path, "is a link to a file of another user")
    if warn and found.st_mode & 0o077:
        _warn_of_mode(str(path))


@cache
def _warn_of_mode(path: str) -> None:
    _LOG.warning("others can read the keys in %s; chmod 600 it", path)


def _decoded(file: IO[bytes]) -> Secret | str:
    """Return the text in *file*, or what is wrong with it."""
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        return "is too large to be a file of keys"
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        return Secret(content.decode("utf-16" if wide else "utf-8-sig"))
    except UnicodeDecodeError:
        return "is not text in UTF-8"


def _unreadable(path: Path, what: str) -> CredentialsMissingError:
    return CredentialsMissingError(
        f"the file {str(path)!r} {what}", hint="mend or remove it, or set the keys otherwise"
    )


def parsed_json(raw: Secret) -> Fields | str:
    """Return the JSON object in *raw*, or what is wrong with it."""
    text = raw.reveal()
    if not text.strip():
        return "is empty"
    try:
        found: Any = json.loads(text)
    except json.JSONDecodeError as error:
        return f"is not JSON (line {error.lineno}, column {error.colno})"
    except (ValueError, RecursionError):
        return "is not JSON"
    return Fields(cast("dict[str, Any]", found)) if isinstance(found, dict) else "is no JSON object"


def json_fields(path: Path) -> Fields | None:
    """Return the JSON object in the file at *path*, or None where there is no such file."""
    raw = read_private(path)
    if raw is None:
        return None
    found = parsed_json(raw)
    if isinstance(found, str):
        raise _unreadable(path, found)
    return found


def ini_fields(path: Path, section: str) -> Fields | None:
    """Return *section* of the INI file at *path*, or None where either is missing.

    A ``#`` inside a value belongs to it.
    """
    raw = read_private(path)
    found = None if raw is None else _ini(raw, section)
    if isinstance(found, str):
        raise _unreadable(path, found)
    return found


def _ini(raw: Secret, section: str) -> Fields | str | None:
    reader = configparser.RawConfigParser(strict=False, default_section="\0")
    try:
        reader.read_string(raw.reveal())
    except configparser.MissingSectionHeaderError as error:
        return f"has a line outside of any [section] (line {error.lineno})"
    except configparser.ParsingError as error:
        return f"is not an INI file (line {error.errors[0][0]})"
    except configparser.Error:
        return "is not an INI file"
    return Fields(dict(reader[section])) if reader.has_section(section) else None


def flat_fields(path: Path) -> Fields | None:
    """Return the ``key: value`` lines of the YAML file at *path*, or None without the file.

    Only a flat file is understood; what is nested is passed over.
    """
    raw = read_private(path)
    found = None if raw is None else _flat(raw)
    if isinstance(found, str):
        raise _unreadable(path, found)
    return found


def _flat(raw: Secret) -> Fields | str:
    values: dict[str, str] = {}
    for number, line in enumerate(raw.reveal().splitlines(), 1):
        if not line.strip() or line[0] in " \t#-%" or line.startswith("..."):
            continue
        found = _LINE.fullmatch(line.rstrip())
        if found is None:
            return f"is not 'key: value' in each line (line {number})"
        value = _scalar(found[2] or "")
        if value is None:
            return f"has a quotation without an end (line {number})"
        values[found[1]] = value
    return Fields(values)


def _scalar(written: str) -> str | None:
    """Return the value of a YAML scalar, None for an open quotation."""
    written = written.strip()
    if written[:1] in ("'", '"'):
        found = _QUOTED.fullmatch(written)
        if found is None:
            return None
        inner = found[1][1:-1]
        if written[0] == "'":
            return inner.replace("''", "'")
        return re.sub(r"\\(.)", r"\1", inner)
    plain = re.split(r"(?:^|[ \t])#", written, maxsplit=1)[0].strip()
    return "" if plain in ("~", "null") else plain


def pair_in(
    fields: Fields,
    key_id: str,
    secret: str,
    *,
    token: str = "",
    origin: str,
    expires_at: datetime | None = None,
) -> Credentials | None:
    """Return the key that stands in *fields* under these names, or None for none at all.

    Raises CredentialsMissingError for half of a pair.
    """
    there = [name for name in (key_id, secret) if fields.text(name)]
    if not there:
        return None
    if len(there) < 2:
        lacking = secret if there[0] == key_id else key_id
        raise CredentialsMissingError(
            f"{origin} has {there[0]} but no {lacking}", hint=f"put {lacking} there too"
        )
    return Credentials(
        key_id=fields.text(key_id),
        secret=fields.secret(secret),
        token=fields.secret(token) if token else None,
        expires_at=expires_at,
        origin=origin,
    )


def expiry_in(written: str, origin: str) -> datetime | None:
    """Return the time that *written* is, as ISO 8601 or seconds since 1970; None for none.

    A time without an offset is UTC.
    """
    if not written:
        return None
    try:
        if re.fullmatch(r"\d+(\.\d+)?", written):
            return datetime.fromtimestamp(float(written), UTC)
        found = datetime.fromisoformat(written.strip())
    except (ValueError, OverflowError, OSError):
        raise CredentialsMissingError(
            f"the time of expiry from {origin} cannot be read",
            hint="it should look like 2026-01-31T12:00:00Z",
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
