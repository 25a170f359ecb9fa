"""The configuration file: profiles, target groups and defaults, and the targets they stand for.

The file never holds a key: it says where keys are. It is read from ``SNAPKIT_CONFIG`` or the
user's own folder, and never from the working directory, which may be somebody else's.
"""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from snapkit.abreast import abreast
from snapkit.configfile import defaults_in, group_in, profile_in, refuse_secrets, warn_of_mode
from snapkit.credentials import Credentials, Environment
from snapkit.errors import ConfigurationError, Retry, SnapkitError
from snapkit.profile import Defaults, Profile, ProfileSource, SourceFor
from snapkit.rate import Limiter, smallest_parts
from snapkit.regions import ALL, ListRegions, ask_regions, regions_of, user_folder
from snapkit.registry import driver_class
from snapkit.settings import Target
from snapkit.toml import Document, Keys, Place, nearest

__all__ = [
    "Config",
    "Defaults",
    "Profile",
    "ProfileSource",
    "config_path",
    "everywhere",
    "expand",
    "load_config",
    "read_config",
]

_ASKED_AT_ONCE = 16


@attrs.frozen(kw_only=True)
class Config:
    """What one configuration file says; without a file, nothing."""

    path: Path
    profiles: Mapping[str, Profile] = attrs.field(factory=dict[str, Profile])
    groups: Mapping[str, Sequence[str]] = attrs.field(factory=dict[str, Sequence[str]])
    defaults: Defaults = attrs.field(factory=Defaults)
    places: Mapping[Keys, Place] = attrs.field(factory=dict[Keys, Place], repr=False)
    """Line and column of each key in the file."""

    @property
    def for_commands(self) -> dict[str, Any]:
        """The defaults that are options of commands, those that are given."""
        found = {name: getattr(self.defaults, name) for name in ("output", "workers", "timeout")}
        return {name: value for name, value in found.items() if value is not None}

    def __contains__(self, name: object) -> bool:
        return name in self.profiles or name in self.groups

    def chosen(self, names: Iterable[str] = ()) -> list[Profile]:
        """Return the profiles that *names* of profiles and target groups stand for, each once.

        Without names: the default group, else all profiles. Raises ConfigurationError.
        """
        wanted = list(names) or ([self.defaults.group] if self.defaults.group else [])
        found = [one for name in wanted or self.profiles for one in self._members(name)]
        if not found:
            raise ConfigurationError(
                f"{self.path} has no profiles", hint="'snapkit config init' writes some"
            )
        return [self.profiles[name] for name in dict.fromkeys(found)]

    def _members(self, name: str) -> Sequence[str]:
        if name in self.groups:
            return self.groups[name]
        if name in self.profiles:
            return [name]
        raise ConfigurationError(
            f"no profile or target group {name!r} in {self.path}",
            hint=nearest(name, [*self.profiles, *self.groups]),
        )

    def targets(
        self,
        names: Iterable[str] | str = (),
        *,
        endpoint: str | None = None,
        ca_bundle: str | None = None,
        list_regions: ListRegions = ask_regions,
        source_for: SourceFor | None = None,
        cache: Path | None = None,
    ) -> list[Target]:
        """Return the targets of the profiles and target groups called *names*.

        Without names: those of the default group, else of all profiles. *endpoint* and
        *ca_bundle* replace what profiles say. Regions "all" are asked for, side by side. A
        profile whose regions cannot be had becomes one target in the region "all" that fails
        with the reason: a listing reports it and lists the others.
        """
        chosen = [
            attrs.evolve(
                profile,
                endpoint=endpoint or profile.endpoint,
                ca_bundle=ca_bundle or profile.ca_bundle,
            )
            for profile in self.chosen([names] if isinstance(names, str) else names)
        ]

        def spread(profile: Profile) -> list[Target]:
            keys = profile.source(source_for)
            if profile.regions != ALL:
                return [profile.target(region, keys) for region in profile.regions]
            home = profile.target(driver_class(profile.provider).home_region, keys)
            return everywhere(home, list_regions, cache=cache)

        asked = abreast(spread, chosen, at_once=_ASKED_AT_ONCE)
        return [target for found in asked for target in found]

    def completed(self, target: Target, *, source_for: SourceFor | None = None) -> Target:
        """Return *target* with the keys and the address of the profile for its account.

        That is the profile with the target's provider and account label; among several, one
        that names the region. What the target has already stays. Without one: *target*.
        """
        fitting = [
            profile
            for profile in self.profiles.values()
            if (profile.provider, profile.account) == (target.provider, target.account)
        ]
        fitting.sort(key=lambda one: one.regions == ALL or target.region not in one.regions)
        if not fitting:
            return target
        profile = fitting[0]
        return attrs.evolve(
            target,
            endpoint=target.endpoint or profile.endpoint,
            ca_bundle=target.ca_bundle or profile.ca_bundle,
            options={**profile.options, **target.options},
            credentials=target.credentials or profile.source(source_for),
            rate_share=min(target.rate_share, profile.rate_share),
        )

    def limiter(self) -> Limiter:
        """Return a limiter that keeps to the ``rate_share`` of each profile.

        Profiles that share an account share its budget, by the smallest of their parts.
        """
        return Limiter(parts=smallest_parts(self.profiles.values()))


def expand(
    profile: Profile,
    list_regions: ListRegions = ask_regions,
    *,
    source_for: SourceFor | None = None,
    cache: Path | None = None,
    now: float | None = None,
) -> list[str]:
    """Return the regions of *profile*; for "all" the provider's answer, kept for 24 hours.

    *list_regions* is called with a target in the provider's home region, *cache* is the
    folder for answers. Raises what asking raises, if there is no earlier answer either.
    """
    if profile.regions != ALL:
        return list(profile.regions)
    home = profile.target(driver_class(profile.provider).home_region, profile.source(source_for))
    return regions_of(home, list_regions, folder=cache, now=now)


def everywhere(
    home: Target, list_regions: ListRegions = ask_regions, *, cache: Path | None = None
) -> list[Target]:
    """Return *home*, a target in the provider's home region, in each region of its account.

    Where the regions cannot be had it is one target in the region "all" that fails with the
    reason: a listing reports it and lists the others.
    """
    try:
        regions = regions_of(home, list_regions, folder=cache)
    except SnapkitError as error:
        # The attempts have been made; the listing shall not make them again.
        error.retry = Retry.NEVER
        return [attrs.evolve(home, region=ALL, credentials=_Unseen(error))]
    return [attrs.evolve(home, region=region) for region in regions]


def config_path(environ: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path:
    """Return where the configuration file is or would be: SNAPKIT_CONFIG, else the user's."""
    environ = Environment(environ)
    named = environ.get("SNAPKIT_CONFIG")
    if named:
        return Path(named).expanduser()
    variable = "APPDATA" if system == "win32" else "XDG_CONFIG_HOME"
    folder = user_folder(
        variable, "Library/Application Support", "AppData/Roaming", ".config", environ, system
    )
    return folder / "snapkit" / "config.toml"


def load_config(
    path: str | Path | None = None, *, environ: Mapping[str, str] = os.environ
) -> Config:
    """Return the configuration in *path*, or in the usual place; an empty one without a file.

    A file that was named, by *path* or SNAPKIT_CONFIG, must exist. Raises ConfigurationError
    with file, line and column for the first thing that is wrong.
    """
    environ = Environment(environ)
    config, problems = read_config(path, environ=environ)
    if not problems:
        return config
    first = problems[0]
    if len(problems) > 1:
        more = f"{len(problems) - 1} more: 'snapkit config check' shows them"
        first.hint = f"{first.hint}; {more}" if first.hint else more
    raise first


def read_config(
    path: str | Path | None = None, *, environ: Mapping[str, str] = os.environ
) -> tuple[Config, list[ConfigurationError]]:
    """Return what is right in a configuration, and all that is wrong with it."""
    environ = Environment(environ)
    place = config_path(environ) if path is None else Path(path)
    named = path is not None or bool(environ.get("SNAPKIT_CONFIG"))
    if not named and not place.exists():
        return Config(path=place), []
    document = Document.read(place)
    refuse_secrets(document)
    document.allow(names=("profiles", "groups", "defaults"))
    profiles = {name: profile_in(document, name) for name in document.table("profiles")}
    groups = {name: group_in(document, name) for name in document.table("groups")}
    config = Config(
        path=place,
        profiles={name: one for name, one in profiles.items() if one is not None},
        groups=groups,
        defaults=defaults_in(document),
        places=document.places,
    )
    warn_of_mode(document)
    return config, document.problems


@attrs.frozen
class _Unseen:
    """Keys of a place that could not be found: using them tells why, in the listing's report."""

    error: SnapkitError

    def get(self) -> Credentials:
        raise self.error

    def refresh(self, stale: Credentials) -> bool:
        del stale
        return False
