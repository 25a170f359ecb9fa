"""What a key must be allowed to do, in a provider's own words.

An adapter names its actions in a module ``permissions`` beside its driver, as a value called
``PERMISSIONS``. Only the doctor reads it; an adapter without one is examined all the same.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec

import attrs

from snapkit.driver import Capability, Driver

__all__ = ["READS", "Need", "Permissions", "permissions_of", "write_needs"]

READS = frozenset(
    {Capability.GROUPS, Capability.DERIVED_GROUPS, Capability.REGIONS, Capability.DISKS}
)
"""The capabilities that change nothing, so that they can be tried."""


@attrs.frozen
class Need:
    """Something that snapkit does, and the provider's actions that a key needs for it."""

    use: str
    actions: Sequence[str]


@attrs.frozen(kw_only=True)
class Permissions:
    """The actions behind all that an adapter does, and how they are granted."""

    snapshots: Sequence[str]
    """For listing snapshots."""
    capabilities: Mapping[Capability, Sequence[str]]
    """For each capability of the adapter, beside those for listing."""
    where: str
    """Where they are granted, in a sentence without a full stop."""
    policy: Callable[[Sequence[str]], str] | None = None
    """Makes the text that grants actions; None where the provider has no such text."""

    def text(self, actions: Sequence[str]) -> str | None:
        """Return the policy that grants *actions*, if the provider has policies."""
        return self.policy(actions) if self.policy is not None and actions else None


def permissions_of(driver: type[Driver]) -> Permissions | None:
    """Return what the adapter of *driver* says about permissions; None where it says nothing."""
    package = driver.__module__.rpartition(".")[0]
    name = f"{package}.permissions"
    if not package or find_spec(name) is None:
        return None
    found = getattr(import_module(name), "PERMISSIONS", None)
    return found if isinstance(found, Permissions) else None


def write_needs(driver: type[Driver]) -> list[Need]:
    """Return what the writing capabilities of *driver* need, in the order of Capability."""
    permissions = permissions_of(driver)
    if permissions is None:
        return []
    return [
        Need(one.value, permissions.capabilities[one])
        for one in Capability
        if one in driver.capabilities - READS and permissions.capabilities.get(one)
    ]
