"""What may stand in the configuration file, and what is said about what may not."""

import logging
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from snapkit.errors import ConfigurationError, SnapkitError
from snapkit.http import check_endpoint
from snapkit.profile import OUTPUTS, Defaults, Profile
from snapkit.regions import ALL
from snapkit.registry import driver_class
from snapkit.settings import check_region
from snapkit.toml import Document, Keys, nearest

__all__ = ["defaults_in", "group_in", "profile_in", "refuse_secrets", "warn_of_mode"]

_LOG = logging.getLogger(__name__)
_PROFILE = (
    "provider",
    "regions",
    "endpoint",
    "ca_bundle",
    "account",
    "rate_share",
    "options",
    "credentials",
)
_DEFAULTS = ("output", "workers", "timeout", "group")
_NAME = re.compile(r"[\w.-]{1,64}")
_NAME_RULE = "letters, digits, '_', '.' and '-', at most 64"
_ENVIRONMENT = "environment"
_CREDENTIALS_FORM = 'write "environment", {command = ["program", "argument"]} or a named source'
_SECRET = re.compile(
    r"secret|passw|token|access_?key|private_?key|^(key|key_?id|ak|sk|credential)$", re.IGNORECASE
)
_POINTER = re.compile(r"(file|path|uri|url|env|command|name|arn)$", re.IGNORECASE)
"""Ends of keys that say where something is, such as ``token_file``."""
_LONGEST = 30 * 24 * 3600.0


def refuse_secrets(document: Document) -> None:
    """Note every key of the file that holds a secret; its value is never repeated."""
    shared = "; others on this machine can read the file, so replace the key" * _readable(document)
    for keys in _secrets(document.values, ()):
        document.problem(
            keys,
            f"{keys[-1]!r} looks like an access key, and this file holds none",
            "put it into the provider's environment variables ('snapkit providers' names them)"
            f" or have a program print it: credentials = {{command = [...]}}{shared}",
        )


def _secrets(values: Mapping[str, Any], keys: Keys) -> Iterator[Keys]:
    for name, value in values.items():
        here = (*keys, name)
        # Names of profiles and groups are the user's: a profile may be called "token".
        named_by_user = keys in (("profiles",), ("groups",))
        if isinstance(value, dict):
            yield from _secrets(cast("dict[str, Any]", value), here)
        elif not named_by_user and _SECRET.search(name) and not _POINTER.search(name):
            yield here


def _readable(document: Document) -> bool:
    return bool(_mode(document.path) & 0o077)


def _mode(path: Path) -> int:
    """Return the permission bits of *path*; 0 where they mean nothing."""
    try:
        return stat.S_IMODE(path.stat().st_mode) if os.name == "posix" else 0
    except OSError:
        return 0


def warn_of_mode(document: Document) -> None:
    """Warn if others may write a file that names programs to run."""
    runs = any("command" in (*keys,) and keys[0] == "profiles" for keys in document.places)
    if runs and _mode(document.path) & 0o022:
        _LOG.warning(
            "%s names a command to run and others may write it; chmod go-w it", document.path
        )


def profile_in(document: Document, name: str) -> Profile | None:
    """Return the profile called *name*; None, and problems, where it is not right."""
    here = ("profiles", name)
    before = len(document.problems)
    if not _NAME.fullmatch(name):
        document.problem(here, f"{name!r} cannot be the name of a profile", f"use {_NAME_RULE}")
    document.allow(*here, names=_PROFILE)
    provider = document.text(*here, "provider")
    if provider is None and len(document.problems) == before:
        document.problem(here, f"the profile {name!r} has no provider", 'write provider = "NAME"')
    options = {
        key: document.text(*here, "options", key) for key in document.table(*here, "options")
    }
    profile = Profile(
        name=name,
        provider=provider or "",
        regions=_regions(document, here),
        endpoint=_endpoint(document, here),
        ca_bundle=_ca_bundle(document, here),
        account=_account(document, here) or name,
        rate_share=document.number(*here, "rate_share", least=0.01, most=1) or 1.0,
        options={key: value for key, value in options.items() if value is not None},
        credentials=_credentials(document, here),
    )
    if provider is not None:
        _check_provider(document, here, profile)
    return profile if len(document.problems) == before else None


def _check_provider(document: Document, here: Keys, profile: Profile) -> None:
    """Note a provider that there is not, or options that it does not have."""
    key = "provider"
    try:
        driver = driver_class(profile.provider)
        key = "options"
        driver.checked_options(profile.options)
    except ConfigurationError as error:
        document.problem((*here, key), error.message, error.hint)


def _regions(document: Document, here: Keys) -> Sequence[str] | str:
    keys = (*here, "regions")
    given = document.table(*here).get("regions")
    if given is None or given == ALL:
        return ALL
    form = f'write ["region", ...] or "{ALL}"'
    if isinstance(given, str):
        document.problem(keys, f"'regions' must be a list, not the text {given!r}", form)
        return ALL
    found = document.texts(*keys)
    if found == [] or (found and ALL in found):
        document.problem(keys, f"'regions' is {'empty' if not found else 'mixed up'}", form)
    elif found:
        try:
            return tuple(check_region(one) for one in found)
        except SnapkitError as error:
            document.problem(keys, str(error))
    return ALL


def _endpoint(document: Document, here: Keys) -> str | None:
    found = document.text(*here, "endpoint")
    try:
        return check_endpoint(found) if found else None
    except ConfigurationError as error:
        # The address may hold a password, so it is not repeated.
        document.problem((*here, "endpoint"), "the endpoint cannot be used", error.hint)
        return None


def _ca_bundle(document: Document, here: Keys) -> str | None:
    """Return the path; a relative one counts from the file's folder, not the working directory."""
    found = document.text(*here, "ca_bundle")
    if found is None:
        return None
    try:
        return str(document.path.absolute().parent / Path(found).expanduser())
    except RuntimeError:
        document.problem((*here, "ca_bundle"), f"there is no home directory for {found!r}")
        return None


def _account(document: Document, here: Keys) -> str | None:
    found = document.text(*here, "account")
    if found is not None and not _NAME.fullmatch(found):
        document.problem((*here, "account"), f"{found!r} is no label", f"use {_NAME_RULE}")
    return found


def _credentials(document: Document, here: Keys) -> Mapping[str, Any] | None:
    """Return where keys are; a text that is not "environment" may be a key, and is not repeated."""
    keys = (*here, "credentials")
    given = document.table(*here).get("credentials")
    if given is None or given == _ENVIRONMENT:
        return None
    if not isinstance(given, dict) or not given:
        document.problem(keys, "'credentials' cannot be read", _CREDENTIALS_FORM)
        return None
    found = cast("dict[str, Any]", given)
    if "command" in found and document.texts(*keys, "command") == []:
        document.problem((*keys, "command"), "the command is empty", _CREDENTIALS_FORM)
    return found


def group_in(document: Document, name: str) -> Sequence[str]:
    """Return the profiles in the target group called *name*."""
    here = ("groups", name)
    known = document.table("profiles")
    if not _NAME.fullmatch(name):
        document.problem(here, f"{name!r} cannot be the name of a group", f"use {_NAME_RULE}")
    if name in known:
        document.problem(here, f"{name!r} is the name of a profile too", "rename one")
    found = document.texts(*here)
    if found == []:
        document.problem(here, f"the target group {name!r} is empty", "name profiles, or remove it")
    for one in found or ():
        if one not in known:
            document.problem(here, f"no profile {one!r}", nearest(one, known))
    return tuple(found or ())


def defaults_in(document: Document) -> Defaults:
    """Return the defaults."""
    document.allow("defaults", names=_DEFAULTS)
    group = document.text("defaults", "group")
    known = [*document.table("profiles"), *document.table("groups")]
    if group is not None and group not in known:
        document.problem(
            ("defaults", "group"), f"no profile or target group {group!r}", nearest(group, known)
        )
    workers = document.number("defaults", "workers", least=1, most=128, whole=True)
    return Defaults(
        output=_output(document),
        workers=None if workers is None else int(workers),
        timeout=document.number("defaults", "timeout", least=0, most=_LONGEST),
        group=group,
    )


def _output(document: Document) -> str | None:
    """Return the form in which listings are printed, in lower case."""
    found = document.text("defaults", "output")
    if found is not None and found.lower() not in OUTPUTS:
        document.problem(
            ("defaults", "output"), f"no output format {found!r}", nearest(found.lower(), OUTPUTS)
        )
        return None
    return None if found is None else found.lower()
