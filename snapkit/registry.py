"""Which adapters there are, found by name without importing the others.

Installed adapters publish an entry point in the group ``snapkit.drivers`` (and, if they come
with an emulator dialect, ``snapkit.dialects``). A clone that was never installed has no entry
points, so the in-tree ones stand here too, as strings.

An adapter that cannot be used is a ConfigurationError that says why, when it is asked for by
name; the others are not touched by it.
"""

import inspect
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import attrs

from snapkit.credentials import EnvironmentNames
from snapkit.driver import SEAM, Connection, Driver
from snapkit.errors import ConfigurationError, SnapkitError, UnknownProviderError

__all__ = [
    "Broken",
    "Survey",
    "dialect_class",
    "dialect_classes",
    "dialect_troubles",
    "driver_class",
    "opened",
    "providers",
    "survey",
]

_DRIVERS = "snapkit.drivers"
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_REINSTALL = "reinstall or remove the package that provides it"

IN_TREE: Mapping[str, Mapping[str, str]] = {
    "snapkit.drivers": {
        "alibaba": "snapkit_alibaba:AlibabaDriver",
        "qingcloud": "snapkit_qingcloud:QingCloudDriver",
        "tencent": "snapkit_tencent:TencentDriver",
    },
    "snapkit.dialects": {
        "alibaba": "snapkit_alibaba.dialect:AlibabaDialect",
        "qingcloud": "snapkit_qingcloud.dialect:QingCloudDialect",
        "tencent": "snapkit_tencent.dialect:TencentDialect",
    },
}


@attrs.frozen(kw_only=True)
class Broken:
    """An adapter that is installed and cannot be used.

    ``package`` is the distribution and its version, None where it is not known.
    """

    name: str
    package: str | None
    error: ConfigurationError


@attrs.frozen(kw_only=True)
class Survey:
    """All adapters there are, by name: those that can be used, and those that cannot."""

    drivers: tuple[type[Driver], ...]
    broken: tuple[Broken, ...]


@cache
def _published(group: str) -> Mapping[str, str]:
    """Return where each name of *group* is to be imported from; in-tree names win."""
    found = {point.name: point.value for point in _points(group)}
    return found | dict(IN_TREE[group])


def providers() -> list[str]:
    """Return the names of all adapters, sorted; nothing is imported."""
    return sorted(_published(_DRIVERS))


def driver_class(name: str) -> type[Driver]:
    """Return the adapter called *name*.

    Raises UnknownProviderError where there is none, ConfigurationError where it cannot be used.
    """
    known = providers()
    if name not in known:
        near = get_close_matches(name, known, 1)
        raise UnknownProviderError(
            f"no provider {name!r}",
            hint=(f"did you mean {near[0]!r}? " if near else "") + f"known: {', '.join(known)}",
        )
    _agreed(name)
    return _checked(name, _load(_DRIVERS, name))


def opened(driver: type[Driver], connection: Connection) -> Driver:
    """Return *driver* on *connection*; ConfigurationError where its own code fails."""
    try:
        return driver(connection)
    except SnapkitError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f"the adapter {driver.name!r} cannot be opened: {_said(error)}",
            hint="tell those who wrote it, or remove the package that provides it",
        ) from error


def survey() -> Survey:
    """Return all adapters; each is imported, and what fails is told and hides no other."""
    drivers: list[type[Driver]] = []
    broken: list[Broken] = []
    for name in providers():
        try:
            drivers.append(driver_class(name))
        except ConfigurationError as error:
            packages = [_package(point) for point in _points(_DRIVERS) if point.name == name]
            package = ", ".join(filter(None, packages)) or None
            broken.append(Broken(name=name, package=package, error=error))
    return Survey(drivers=tuple(drivers), broken=(*broken, *_shadowing()))


def dialect_class(name: str) -> Any:
    """Return the emulator dialect of the adapter called *name*.

    Raises ConfigurationError if it has none, or one that cannot be loaded.
    """
    if name not in _published("snapkit.dialects"):
        raise ConfigurationError(f"the adapter {name!r} has no emulator dialect")
    return _load("snapkit.dialects", name)


def dialect_classes() -> dict[str, Any]:
    """Return the emulator dialect of each adapter that has one, by provider name.

    What cannot be loaded is left out; :func:`dialect_troubles` says why. The in-tree ones come
    first, so that a foreign one that takes every request for its own cannot silence them.
    """
    found = {name: _attempted(name) for name in _dialect_names()}
    return {name: one for name, one in found.items() if not isinstance(one, ConfigurationError)}


def dialect_troubles() -> dict[str, ConfigurationError]:
    """Return why emulator dialects cannot be loaded, by provider name."""
    found = {name: _attempted(name) for name in _dialect_names()}
    return {name: one for name, one in found.items() if isinstance(one, ConfigurationError)}


def _dialect_names() -> list[str]:
    own = IN_TREE["snapkit.dialects"]
    return [*own, *(name for name in sorted(_published("snapkit.dialects")) if name not in own)]


def _attempted(name: str) -> Any:
    try:
        return _load("snapkit.dialects", name)
    except ConfigurationError as error:
        return error


@cache
def _points(group: str) -> tuple[EntryPoint, ...]:
    """Return what is installed under *group*; looking costs milliseconds, so it is done once."""
    return tuple(sorted(entry_points(group=group), key=lambda point: (point.name, point.value)))


def _package(point: EntryPoint) -> str | None:
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else None


def _shadowing() -> list[Broken]:
    """Return what is installed under the name of an in-tree adapter; it is never used."""
    own = IN_TREE[_DRIVERS]
    return [
        Broken(
            name=point.name,
            package=_package(point),
            error=ConfigurationError(
                f"{point.value!r} wants to be the adapter {point.name!r}, which is snapkit's own",
                hint="it is not used; remove the package that provides it",
            ),
        )
        for point in _points(_DRIVERS)
        if point.name in own and point.value != own[point.name]
    ]


def _agreed(name: str) -> None:
    """Raise ConfigurationError where two packages offer *name*: one of them would get the keys."""
    if name in IN_TREE[_DRIVERS]:
        return
    offers = {
        point.value: _package(point) or point.value
        for point in _points(_DRIVERS)
        if point.name == name
    }
    if len(offers) > 1:
        raise ConfigurationError(
            f"the adapter {name!r} is offered by {' and by '.join(offers.values())}",
            hint="remove all packages but one",
        )


def _load(group: str, name: str) -> Any:
    where = _published(group)[name]
    module, _, attribute = where.partition(":")
    if not (module and attribute):
        raise ConfigurationError(
            f"the adapter {name!r} cannot be loaded: {where!r} is not written module:class",
            hint=_REINSTALL,
        )
    try:
        return getattr(import_module(module), attribute)
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"the adapter {name!r} cannot be loaded from {module!r}: {_said(error)}",
            hint=_REINSTALL,
        ) from error


def _said(error: BaseException) -> str:
    """Return what *error* says, in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _checked(name: str, found: Any) -> type[Driver]:
    """Return *found* if it is a driver for this version of snapkit, else ConfigurationError."""
    if not (isinstance(found, type) and issubclass(found, Driver)):
        raise ConfigurationError(f"the adapter {name!r} is not a snapkit driver", hint=_REINSTALL)
    seam: Any = found.seam
    if seam != SEAM:
        older = isinstance(seam, int) and seam < SEAM
        raise ConfigurationError(
            f"the adapter {name!r} is written for version {seam!r} of the interface for"
            f" adapters, this snapkit has version {SEAM}",
            hint=f"upgrade {'the package that provides it' if older else 'snapkit'}",
        )
    wrong = _wrong(name, found)
    if wrong is not None:
        raise ConfigurationError(f"the adapter {name!r} {wrong}", hint=_REINSTALL)
    return found


def _wrong(name: str, found: type[Driver]) -> str | None:
    """Return what is wrong with a driver, None if nothing is."""
    if not _NAME.fullmatch(name):
        return "has a name that no target can have; lower-case letters and digits can"
    if inspect.isabstract(found):
        return f"does not implement {', '.join(sorted(found.__abstractmethods__))}"
    for field, kind in _DECLARED.items():
        if not isinstance(getattr(found, field, None), kind):
            return f"does not declare {field!r}"
    return None if found.name == name else f"calls itself {found.name!r}"


_DECLARED: Mapping[str, type] = {
    "name": str,
    "title": str,
    "home_region": str,
    "environment": EnvironmentNames,
}
