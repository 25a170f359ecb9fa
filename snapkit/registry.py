"""Which adapters there are, found by name without importing the others.

Installed adapters publish an entry point in the group ``snapkit.drivers`` (and, if they come
with an emulator dialect, ``snapkit.dialects``). A clone that was never installed has no entry
points, so the in-tree ones stand here too, as strings.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from snapkit.driver import Driver
from snapkit.errors import ConfigurationError, UnknownProviderError

__all__ = ["dialect_classes", "driver_class", "providers"]

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


@cache
def _published(group: str) -> Mapping[str, str]:
    """Return where each name of *group* is to be imported from; in-tree names win."""
    found = {point.name: point.value for point in entry_points(group=group)}
    return found | dict(IN_TREE[group])


def providers() -> list[str]:
    """Return the names of all adapters, sorted; nothing is imported."""
    return sorted(_published("snapkit.drivers"))


def _load(group: str, name: str) -> Any:
    module, _, attribute = _published(group)[name].partition(":")
    try:
        return getattr(import_module(module), attribute)
    except Exception as error:
        raise ConfigurationError(
            f"the adapter {name!r} cannot be loaded from {module!r}: {error}",
            hint="reinstall or remove the package that provides it",
        ) from error


def driver_class(name: str) -> type[Driver]:
    """Return the adapter called *name*, or raise UnknownProviderError."""
    known = providers()
    if name not in known:
        near = get_close_matches(name, known, 1)
        raise UnknownProviderError(
            f"no provider {name!r}",
            hint=(f"did you mean {near[0]!r}? " if near else "") + f"known: {', '.join(known)}",
        )
    found = _load("snapkit.drivers", name)
    if not (isinstance(found, type) and issubclass(found, Driver)):
        raise ConfigurationError(f"the adapter {name!r} is not a snapkit driver")
    return found


def dialect_classes() -> dict[str, Any]:
    """Return the emulator dialect of each adapter that has one, by provider name."""
    return {name: _load("snapkit.dialects", name) for name in _published("snapkit.dialects")}
