"""A new adapter's project, which keeps the contract from the start.

``python -m snapkit.testing new NAME [DIRECTORY]`` writes it.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from snapkit.errors import ArgumentError, ConfigurationError
from snapkit.registry import IN_TREE

__all__ = ["scaffold"]

_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
_FILES: Mapping[str, str] = {
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    "snapkit_shelf/__init__.py": "init.py.txt",
    "snapkit_shelf/driver.py": "driver.py.txt",
    "snapkit_shelf/py.typed": "",
    "tests/test_contract.py": "test_contract.py.txt",
}


def scaffold(name: str, where: Path) -> list[Path]:
    """Write the project of an adapter called *name* into the directory *where*.

    Returns the files in order. Nothing that is there is overwritten: raises ConfigurationError
    for a directory that is not empty, ArgumentError for what cannot be a provider's name.
    """
    if not _NAME.fullmatch(name) or len(name) > 32:
        raise ArgumentError(
            f"{name!r} cannot be the name of a provider",
            hint="lower-case letters, digits and single underscores between them, at most 32",
        )
    if name in IN_TREE["snapkit.drivers"]:
        raise ArgumentError(f"{name!r} is an adapter of snapkit's own", hint="choose another name")
    written: list[Path] = []
    try:
        if where.exists() and any(where.iterdir()):
            raise ConfigurationError(f"{str(where)!r} is not empty", hint="name a new directory")
        for target, source in _FILES.items():
            path = where / _named(target, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = (
                (files("snapkit.testing") / "template" / source).read_text("utf-8")
                if source
                else ""
            )
            path.write_text(_named(text, name), encoding="utf-8", newline="\n")
            written.append(path)
    except OSError as error:
        raise ConfigurationError(
            f"the project cannot be written to {str(where)!r}: {error.strerror}",
            hint="name a directory that you may write to",
        ) from error
    return written


def _named(text: str, name: str) -> str:
    """Return *text* with the provider of the template called *name*."""
    camel = "".join(part.capitalize() for part in name.split("_"))
    text = text.replace("SHELF", name.upper()).replace("Shelf", camel)
    text = text.replace("snapkit-shelf", f"snapkit-{name.replace('_', '-')}")
    return text.replace("shelf.invalid", f"{name.replace('_', '-')}.invalid").replace("shelf", name)
