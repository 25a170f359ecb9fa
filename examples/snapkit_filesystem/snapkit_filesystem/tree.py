"""A region as a directory; knows files, and nothing of snapkit.

    ROOT/REGION/disks/NAME/data/...         what is backed up
    ROOT/REGION/disks/NAME/facts.json       server, role and size; need not be there
    ROOT/REGION/snapshots/NAME/data/...     a read-only copy
    ROOT/REGION/snapshots/NAME/facts.json   where it is from, and what it is called
    ROOT/REGION/groups/NAME/facts.json      which snapshots belong together

Everything is made under a name that begins with a dot and then renamed, so that others see
all of it or nothing. What goes wrong is an OSError.
"""

import errno
import json
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

__all__ = ["Facts", "Tree", "measured", "regions"]

Facts = Mapping[str, Any]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_REGION = re.compile(r"[a-z0-9-]{2,32}")


def regions(root: Path) -> list[str]:
    """Return the names of the regions under *root*, sorted."""
    return sorted(
        one.name for one in root.iterdir() if one.is_dir() and _REGION.fullmatch(one.name)
    )


class Tree:
    """The disks, snapshots and groups of one region."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def names(self, kind: str) -> list[str]:
        """Return the names of all things of *kind*, sorted; FileNotFoundError without a region."""
        self.place.stat()
        shelf = self.place / kind
        there = (one.name for one in shelf.iterdir()) if shelf.exists() else ()
        return sorted(filter(_NAME.fullmatch, there))

    def facts(self, kind: str, name: str) -> Facts | None:
        """Return what ``facts.json`` says of a thing; None where it cannot be understood.

        Raises FileNotFoundError for a thing that is not there, and what reading raises.
        """
        home = self.home(kind, name)
        try:
            text = (home / "facts.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            home.stat()
            return {} if kind == "disks" else None
        try:
            found = json.loads(text)
        except ValueError:
            return None
        return cast("dict[str, Any]", found) if isinstance(found, dict) else None

    def home(self, kind: str, name: str) -> Path:
        """Return where a thing is; FileNotFoundError for what cannot be a name."""
        if not _NAME.fullmatch(name):
            raise FileNotFoundError(errno.ENOENT, "no such name", name)
        return self.place / kind / name

    def make(
        self, kind: str, name: str, facts: Facts, *, source: Path | None = None, fixed: bool = False
    ) -> Facts:
        """Make a thing with *facts* and the data of *source*, read-only if it is *fixed*.

        Returns the facts of what is there: the same ``order`` makes the same thing once.
        Raises FileExistsError where the name was used for another order.
        """
        goal = self.home(kind, name)
        if not goal.exists():
            self._fill(goal, facts, source, fixed)
        there = self.facts(kind, name) or {}
        if there.get("order") != facts["order"]:
            raise FileExistsError(errno.EEXIST, "made by another order", name)
        return there

    def _fill(self, goal: Path, facts: Facts, source: Path | None, fixed: bool) -> None:
        goal.parent.mkdir(exist_ok=True)
        fresh = goal.with_name(f".new-{goal.name}-{secrets.token_hex(4)}")
        fresh.mkdir()
        try:
            if source is not None:
                copied(source, fresh / "data")
                facts = {**facts, "stored": measured(fresh / "data")}
                _set_writable(fresh / "data", writable=not fixed)
            self.record(fresh, facts)
            try:
                fresh.rename(goal)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
        finally:
            if fresh.exists():
                self.clear(fresh)

    def change(self, kind: str, name: str, changes: Facts) -> None:
        """Replace some facts of a thing."""
        facts = self.facts(kind, name)
        if facts is None:
            raise OSError(errno.EIO, "its facts cannot be read", name)
        self.record(self.home(kind, name), {**facts, **changes})

    def remove(self, kind: str, name: str) -> None:
        """Take a thing away: first out of sight, then from the disk."""
        home = self.home(kind, name)
        gone = home.with_name(f".gone-{name}-{secrets.token_hex(4)}")
        home.rename(gone)
        self.clear(gone)

    def record(self, home: Path, facts: Facts) -> None:
        """Write the facts of the thing in *home*; a reader sees the old or the new ones."""
        fresh = home / f".facts-{secrets.token_hex(4)}"
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(facts, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(home / "facts.json")

    def clear(self, home: Path) -> None:
        """Delete a directory that nobody sees any more."""
        for folder, _, _ in os.walk(home):
            Path(folder).chmod(0o700)
        shutil.rmtree(home)


def copied(source: Path, goal: Path) -> None:
    """Copy a directory with its links, times and modes; nothing in it is left out in silence."""
    goal.mkdir()
    with os.scandir(source) as entries:
        for entry in entries:
            to = goal / entry.name
            if entry.is_symlink():
                to.symlink_to(Path(entry).readlink())
            elif entry.is_dir():
                copied(Path(entry), to)
            elif entry.is_file():
                shutil.copy2(entry, to)
            else:
                raise OSError(errno.ENOTSUP, "neither a file, a link nor a directory", entry.path)
    shutil.copystat(source, goal)


def measured(place: Path) -> int:
    """Return the bytes of all files under *place*."""
    return sum(path.lstat().st_size for path in _files(place))


def _files(place: Path) -> Iterable[Path]:
    for folder, _, names in os.walk(place):
        yield from (Path(folder, name) for name in names)


def _set_writable(place: Path, *, writable: bool) -> None:
    for path in [*_files(place), *(Path(folder) for folder, _, _ in os.walk(place))]:
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | 0o200 if writable else mode & ~0o222)
