"""Which regions an account has: the provider's answer, kept for a day in the user's cache."""

import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from snapkit.credentials import Environment
from snapkit.errors import ConfigurationError, ProtocolError, SnapkitError
from snapkit.settings import Target, check_region

__all__ = [
    "ALL",
    "PATIENCE",
    "ListRegions",
    "ask_regions",
    "cache_folder",
    "regions_of",
    "user_folder",
]

_LOG = logging.getLogger(__name__)
ALL = "all"
ListRegions = Callable[[Target], Iterable[str]]
"""Asks the provider, from a target in its home region, for the regions of the account."""
KEPT_FOR = 24 * 3600.0
PATIENCE = 20.0


def user_folder(
    variable: str, mac: str, windows: str, other: str, environ: Mapping[str, str], system: str
) -> Path:
    """Return a folder of the user's own: from *variable*, else by *system* under the home.

    A relative path in the variable is ignored, as the XDG specification says: it would mean
    the working directory.
    """
    named = Path(environ.get(variable, ""))
    if named.is_absolute():
        return named
    try:
        home = Path.home()
    except RuntimeError:
        raise ConfigurationError(
            "this user has no home directory", hint="set SNAPKIT_CONFIG to a file"
        ) from None
    return home / {"darwin": mac, "win32": windows}.get(system, other)


def cache_folder(environ: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path:
    """Return where snapkit keeps what it can ask again."""
    environ = Environment(environ)
    variable = "LOCALAPPDATA" if system == "win32" else "XDG_CACHE_HOME"
    folder = user_folder(variable, "Library/Caches", "AppData/Local", ".cache", environ, system)
    return folder / "snapkit"


def ask_regions(target: Target, *, patience: float = PATIENCE) -> list[str]:
    """Return the ids of the regions that the provider names, those closed to new things too.

    *patience* is in seconds, over all attempts.
    """
    from snapkit.client import connect
    from snapkit.retry import RetryPolicy

    with connect(target, policy=RetryPolicy(call_timeout=patience)) as client:
        return [region.id for region in client.regions()]


def regions_of(
    target: Target,
    list_regions: ListRegions = ask_regions,
    *,
    folder: Path | None = None,
    now: float | None = None,
) -> list[str]:
    """Return all regions of the account that *target* is in; asked at most once a day.

    Where asking fails an older answer is used with a warning; without one the error is raised.
    *now* is in seconds since 1970.
    """
    moment = time.time() if now is None else now
    file = (folder or cache_folder()) / "regions" / f"{_name(target)}.json"
    kept = _kept(file)
    if kept is not None and 0 <= moment - kept[0] < KEPT_FOR:
        return kept[1]
    try:
        found = [check_region(one) for one in dict.fromkeys(list_regions(target))]
        if not found:
            raise ProtocolError(
                "the provider names no regions", provider=target.provider, account=target.account
            )
    except SnapkitError as error:
        if kept is None:
            raise
        _LOG.warning(
            "%s:%s: using the regions of an earlier answer, because asking failed: %s",
            target.provider,
            target.account,
            error,
        )
        return kept[1]
    _keep(file, moment, found)
    return found


def _name(target: Target) -> str:
    """Return a file name for the account; the labels in it are the user's, so it is a digest."""
    options = sorted(target.options.items())
    words = [target.provider, target.account, target.endpoint, options]
    return sha256(json.dumps(words).encode()).hexdigest()[:32]


def _kept(file: Path) -> tuple[float, list[str]] | None:
    """Return when the answer in *file* was given, and the answer; None for none or a bad one."""
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        regions = [check_region(str(one)) for one in cast("list[Any]", found["regions"])]
        return (float(found["asked_at"]), regions) if regions else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, ConfigurationError):
        return None


def _keep(file: Path, moment: float, regions: list[str]) -> None:
    """Write the answer; a cache that cannot be written is none."""
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
        fresh.write_text(json.dumps({"asked_at": moment, "regions": regions}), encoding="utf-8")
        fresh.replace(file)
