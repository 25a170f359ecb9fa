"""What the doctor found: checks, and what is to be done."""

import enum
from collections.abc import Sequence

import attrs

from snapkit.settings import Target

__all__ = ["Check", "Diagnosis", "Trouble", "Verdict"]


class Verdict(enum.Enum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    """It works, and should be looked at all the same."""
    FAIL = "fail"
    SKIP = "skip"
    """Not checked: something before it failed, or there is nothing to check."""


class Trouble(enum.Enum):
    """What kind of remedy a failed check needs."""

    KEYS = "keys"
    """Other keys, or more permissions."""
    NETWORK = "network"
    """The way there, or patience."""
    SETTINGS = "settings"
    """Another target, option or configuration."""
    OTHER = "other"


@attrs.frozen(kw_only=True)
class Check:
    """One thing that was looked at; never holds a secret."""

    name: str
    verdict: Verdict
    found: str
    advice: str = ""
    """What to do; empty where nothing is."""
    trouble: Trouble | None = None
    """Set where the verdict is FAIL."""
    actions: Sequence[str] = ()
    """The provider's actions that this check needs a permission for."""
    denied: bool = False


@attrs.frozen(kw_only=True)
class Diagnosis:
    """All checks of one target, in the order in which they depend on one another."""

    target: Target
    checks: Sequence[Check]
    grant: str = ""
    """Where the actions that are denied can be granted."""
    policy: str | None = None
    """The text that grants them, where the provider has such texts."""

    @property
    def ok(self) -> bool:
        """Whether no check failed; warnings do not count."""
        return self.trouble is None

    @property
    def trouble(self) -> Trouble | None:
        """The kind of the first check that failed, from which the others may follow."""
        return next((one.trouble for one in self.checks if one.trouble is not None), None)

    @property
    def denied(self) -> list[str]:
        """The provider's actions that these keys may not use."""
        return list(dict.fromkeys(a for one in self.checks if one.denied for a in one.actions))
