"""Which targets the options of a command mean."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from snapkit.abreast import abreast
from snapkit.cli.options import configured

if TYPE_CHECKING:
    from snapkit.config import Config
    from snapkit.settings import Target

__all__ = ["spread", "targets"]

_EVERY = ("*", "all")
_ASKED_AT_ONCE = 16


def spread(text: str) -> list[str]:
    """Return one target text for each region in ``provider:account@r1,r2?option=value``."""
    address, mark, options = text.partition("?")
    provider, colon, place = address.partition(":")
    account, at, regions = place.rpartition("@")
    return [
        f"{provider}{colon}{account}{at}{region.strip()}{mark}{options}"
        for region in regions.split(",")
    ]


def targets(given: Mapping[str, Any]) -> "list[Target]":
    """Return the targets that the options of ``reaching`` name, or the configuration file.

    A text without a colon is a profile or a target group; where there is none of that name,
    a provider, in the region that the environment names. The region ``*`` or ``all`` stands
    for all that the provider names, as in a profile.
    """
    from snapkit.errors import ConfigurationError
    from snapkit.regions import PATIENCE, ask_regions
    from snapkit.registry import providers

    config = configured()
    if not given["target"] and not config.profiles:
        raise ConfigurationError(
            "no target is given",
            hint="say where to look with --target provider:region or SNAPKIT_TARGETS"
            f" (providers: {', '.join(providers())}), write profiles with 'snapkit config init',"
            " or try 'snapkit demo'",
        )
    patience = min(PATIENCE, given.get("timeout") or PATIENCE)
    changes: dict[str, Any] = {
        "endpoint": given["endpoint"],
        "ca_bundle": given["ca_bundle"],
        "list_regions": partial(ask_regions, patience=patience),
    }
    if not given["target"]:
        return config.targets(**changes)
    known = providers()
    parts = [_part(text, config, known, changes) for text in given["target"]]
    asked = abreast(_called, parts, at_once=_ASKED_AT_ONCE)
    return [target for found in asked for target in found]


def _called(part: "Callable[[], list[Target]]") -> "list[Target]":
    return part()


def _part(
    text: str, config: "Config", known: list[str], changes: dict[str, Any]
) -> "Callable[[], list[Target]]":
    """Return what gives the targets of *text*; what is wrong with the text is raised at once."""
    unknown = ":" not in text and text.partition("?")[0] not in known
    if text in config or (unknown and config.profiles):
        config.chosen([text])
        return partial(config.targets, [text], **changes)
    texts = spread(text)
    every = [one for one in texts if _region(one) in _EVERY]
    _check_wildcards(text, texts, every)
    if every:
        from snapkit.config import everywhere

        return partial(everywhere, _home(text, changes), changes["list_regions"])
    found = [_target(one, changes) for one in texts]
    return lambda: found


def _region(text: str) -> str:
    """Return the region in a target text with one region."""
    return text.partition("?")[0].partition(":")[2].rpartition("@")[2]


def _check_wildcards(text: str, texts: list[str], every: list[str]) -> None:
    """Raise ConfigurationError for a ``*`` that does not stand for a whole region alone."""
    from snapkit.errors import ConfigurationError

    if every and len(texts) > 1:
        raise ConfigurationError(
            f"the target {text!r} names all regions and others too",
            hint="give '*' alone, or the regions",
        )
    if not every and any("*" in _region(one) for one in texts):
        raise ConfigurationError(
            f"the target {text!r} has a pattern for regions",
            hint="'*' stands alone for all regions; 'snapkit regions' lists them",
        )


def _home(text: str, changes: Mapping[str, Any]) -> "Target":
    """Return the target of the account in the provider's home region."""
    from snapkit.registry import driver_class

    address, mark, options = text.partition("?")
    provider, _, place = address.partition(":")
    account, at, _ = place.rpartition("@")
    home = driver_class(provider).home_region
    return _target(f"{provider}:{account}{at}{home}{mark}{options}", changes)


def _target(text: str, changes: Mapping[str, Any]) -> "Target":
    import attrs

    from snapkit.settings import Target

    target = Target.parse(text)
    target = attrs.evolve(
        target,
        endpoint=changes["endpoint"] or target.endpoint,
        ca_bundle=changes["ca_bundle"],
    )
    return configured().completed(target)
