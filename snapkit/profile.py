"""A profile: one account at one provider with its regions, and where its keys are."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from snapkit.credentials import Credentials, CredentialSource
from snapkit.regions import ALL
from snapkit.settings import Target
from snapkit.sources import source_for

__all__ = ["OUTPUTS", "Defaults", "Profile", "ProfileSource", "SourceFor"]

OUTPUTS = ("table", "json", "ndjson", "csv", "yaml")
"""The forms in which listings are printed, and one of which may be the default."""

SourceFor = Callable[[str, Mapping[str, Any]], CredentialSource]
"""Makes a credential source from a provider and what a profile says under ``credentials``."""


@attrs.frozen(kw_only=True)
class Profile:
    """One account at one provider; ``regions`` is "all" or the regions themselves.

    ``credentials`` is None for what is found without being told (the environment), else where
    to get them. ``rate_share`` is the part of the provider's limits that snapkit may use.
    """

    name: str
    provider: str
    regions: Sequence[str] | str = ALL
    endpoint: str | None = None
    ca_bundle: str | None = None
    account: str = attrs.field(default=attrs.Factory(lambda self: self.name, takes_self=True))
    rate_share: float = 1.0
    options: Mapping[str, str] = attrs.field(factory=dict[str, str], hash=False)
    credentials: Mapping[str, Any] | None = attrs.field(default=None, repr=False, hash=False)

    def source(self, find: "SourceFor | None" = None) -> "ProfileSource | None":
        """Return where this profile's keys come from; None for what is found without it.

        Profiles that say the same have the same source, so that a listing sees equal targets.
        """
        if self.credentials is None:
            return None
        key = (self.provider, json.dumps(self.credentials, sort_keys=True, default=str), find)
        with _OPENING:
            if key not in _HANDLES:
                _HANDLES[key] = ProfileSource(self.provider, self.credentials, find)
            return _HANDLES[key]

    def target(
        self, region: str, credentials: Credentials | CredentialSource | None = None
    ) -> Target:
        """Return the target that this profile is in *region*."""
        return Target(
            provider=self.provider,
            account=self.account,
            region=region,
            endpoint=self.endpoint,
            ca_bundle=self.ca_bundle,
            options=self.options,
            credentials=credentials,
            rate_share=self.rate_share,
        )


@attrs.frozen(kw_only=True)
class Defaults:
    """What the command line takes where nothing is said; None: its own default."""

    output: str | None = None
    workers: int | None = None
    timeout: float | None = None
    """Seconds over a whole listing."""
    group: str | None = None
    """Profile or target group to use where no target is given; else all profiles."""


@attrs.frozen(eq=False)
class ProfileSource:
    """The credentials of a profile, looked for when they are first needed.

    It holds no secret and pickles, so that a worker process finds the keys where it runs. In
    one process equal settings are one source: keys are refreshed once for all regions.
    """

    provider: str
    settings: Mapping[str, Any] = attrs.field(repr=False)
    find: SourceFor | None = attrs.field(default=None, repr=False)

    def get(self) -> Credentials:
        """Return credentials that are valid now."""
        return self.source().get()

    def refresh(self, stale: Credentials) -> bool:
        """Drop *stale* and return whether others can be had."""
        return self.source().refresh(stale)

    def source(self) -> CredentialSource:
        """Return the source that the settings describe; ConfigurationError if there is none."""
        key = (self.provider, json.dumps(self.settings, sort_keys=True, default=str), self.find)
        with _OPENING:
            if key not in _SOURCES:
                find = self.find or source_for
                _SOURCES[key] = find(self.provider, self.settings)
            return _SOURCES[key]


_OPENING = threading.Lock()
_HANDLES: dict[tuple[str, str, SourceFor | None], ProfileSource] = {}
_SOURCES: dict[tuple[str, str, SourceFor | None], CredentialSource] = {}
