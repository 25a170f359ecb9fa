"""``snapkit providers`` and ``snapkit regions``."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import click

from snapkit.cli import grid
from snapkit.cli.columns import columns, known_columns
from snapkit.cli.inert import inert
from snapkit.cli.options import Command, choosing, connecting, options_of, printing, talking
from snapkit.cli.records import error_record, put, record
from snapkit.credentials import StaticSource
from snapkit.errors import CredentialsMissingError, SnapkitError
from snapkit.model import Region

if TYPE_CHECKING:
    from snapkit.credentials import EnvironmentNames
    from snapkit.driver import Driver
    from snapkit.registry import Broken

__all__ = ["providers_command", "regions_command"]

_NOT_SET = "not set"

_PROVIDERS_HELP = """
\b
Examples:
  snapkit providers
  snapkit providers --output json

Nothing is sent. 'set' says where keys were found: in the environment, else in the files of
the provider's own tools.
"""


@click.command("providers", cls=Command, epilog=_PROVIDERS_HELP)
@printing
@talking
def providers_command(**given: Any) -> int:
    """Show the adapters there are, what they can do and how to give them keys."""
    from snapkit.cli.failing import tell
    from snapkit.registry import survey

    found = survey()
    if given["output"] != "table":
        answer = {
            "providers": [_provider_record(driver) for driver in found.drivers],
            "broken": [
                {"name": one.name, "package": one.package, "reason": str(one.error)}
                for one in found.broken
            ],
        }
        put(answer, given["output"])
    else:
        cards = [*map(_card, found.drivers), *map(_broken_card, found.broken)]
        sys.stdout.write("\n".join(cards))
    sys.stdout.flush()
    for one in found.broken:
        tell("error", str(one.error))
    return _code([one.error for one in found.broken], something_seen=bool(found.drivers))


def _code(errors: Sequence[SnapkitError], *, something_seen: bool) -> int:
    from snapkit.cli.exits import of_errors

    return of_errors(errors, something_seen=something_seen)


def _provider_record(driver: "type[Driver]") -> dict[str, Any]:
    return {
        "name": driver.name,
        "title": driver.title,
        "capabilities": sorted(one.value for one in driver.capabilities),
        "refusals": {one.value: why for one, why in driver.refusals.items()},
        "home_region": driver.home_region,
        "options": {
            name: {"help": one.help, "choices": list(one.choices)}
            for name, one in driver.options.items()
        },
        "environment": {
            "keys": [
                {"key_id": one.key_id, "secret": one.secret, "tokens": list(one.tokens)}
                for one in driver.environment.keys
            ],
            "regions": list(driver.environment.regions),
        },
        "credentials": _credentials(driver),
    }


def _card(driver: "type[Driver]") -> str:
    from snapkit.driver import Capability

    groups = "kept by the provider" if Capability.GROUPS in driver.capabilities else "no"
    if Capability.DERIVED_GROUPS in driver.capabilities:
        groups = "inferred from snapshots of one call"
    facts = [
        ("try", f"snapkit list -t {driver.name}:{driver.home_region}"),
        ("keys", _credentials(driver)),
    ]
    facts += _variables(driver.environment)
    if driver.environment.regions:
        facts.append(("region", f"if not given: {', '.join(driver.environment.regions)}"))
    facts.append(("groups", groups))
    for name, one in driver.options.items():
        facts.append((f"?{name}=", f"{'|'.join(one.choices) or 'TEXT'}  {one.help}"))
    return "\n".join([f"{driver.name}: {driver.title}", *_aligned(facts)]) + "\n"


def _variables(names: "EnvironmentNames") -> list[tuple[str, str]]:
    if not names.keys:
        return []
    keys, *others = names.keys
    token = f" (temporary keys: {keys.tokens[0]} too)" if keys.tokens else ""
    facts = [("", f"{keys.key_id} and {keys.secret}{token}")]
    if others:
        facts.append(("", f"also read: {', '.join(one.key_id for one in others)} and their pairs"))
    return facts


def _broken_card(broken: "Broken") -> str:
    facts = [("package", inert(broken.package or "not known")), ("why", inert(str(broken.error)))]
    return "\n".join([f"{inert(broken.name)}: cannot be used", *_aligned(facts)]) + "\n"


def _aligned(facts: Sequence[tuple[str, str]]) -> list[str]:
    """Return titles and texts side by side, wrapped between words to the terminal."""
    wide = max(len(title) for title, _ in facts) + 4
    room = max(40, shutil.get_terminal_size().columns - wide)
    return [
        f"  {title if number == 0 else '':<{wide - 2}}{line}"
        for title, text in facts
        for number, line in enumerate(wrap(text, room, break_on_hyphens=False))
    ]


def _credentials(driver: "type[Driver]") -> str:
    """Return in words where keys are, or what is wrong with them; nothing is sent."""
    from snapkit.sources import Surroundings, find_source, nothing_found

    if not driver.environment.keys and not driver.key_sources():
        return "not needed"
    around = Surroundings(region=driver.home_region)
    try:
        source = find_source(driver, around)
    except CredentialsMissingError as error:
        nothing = error.message == nothing_found(driver).message
        return _NOT_SET if nothing else f"incomplete: {error}"
    except SnapkitError as error:
        return f"incomplete: {error}"
    if isinstance(source, StaticSource):
        return f"set ({source.credentials.origin})"
    titles = (place.title for place in driver.key_sources() if place.find(around) is not None)
    return f"set ({next(titles, 'a source that renews itself')})"


_REGIONS_HELP = """
\b
Examples:
  snapkit regions
  snapkit regions PROVIDER --output json

Without PROVIDER: all those with keys in the environment or in the files of their own tools.
"""


@click.command("regions", cls=Command, epilog=_REGIONS_HELP)
@click.argument("provider", nargs=-1)
@connecting
@choosing
@printing
@talking
def regions_command(**given: Any) -> int:
    """Ask the clouds which regions they have."""
    from snapkit.cli.failing import story, tell

    found: list[Region] = []
    failures: dict[str, SnapkitError] = {}
    names = list(dict.fromkeys(given["provider"])) or _with_credentials()
    for name in names:
        try:
            found += _regions(name, given)
        except SnapkitError as error:
            failures[name] = error
    if given["output"] != "table":
        answer = {
            "regions": [record(region) for region in found],
            "errors": {name: error_record(one) for name, one in failures.items()},
        }
        put(answer, given["output"])
    elif found:
        padded, shown, _ = grid.lines(columns(Region, known_columns(Region)), found)
        grid.draw(padded, shown)
    sys.stdout.flush()
    for name, failure in failures.items():
        if given["debug"]:
            click.echo(story(failure), err=True, nl=False)
        tell("not seen" if found else "error", f"{name}: {failure}")
    return _code(list(failures.values()), something_seen=bool(found))


def _with_credentials() -> list[str]:
    """Return the providers with keys, or half of them, in the environment or their files."""
    from snapkit.registry import survey

    found = [driver.name for driver in survey().drivers if _credentials(driver) != _NOT_SET]
    if not found:
        raise CredentialsMissingError(
            "no provider has keys in the environment or in the files of its own tools",
            hint="'snapkit providers' shows the variables",
        )
    return found


def _regions(name: str, given: Mapping[str, Any]) -> list[Region]:
    from snapkit.client import connect
    from snapkit.registry import driver_class
    from snapkit.retry import RetryPolicy
    from snapkit.settings import Target

    target = Target(
        provider=name,
        region=driver_class(name).home_region,
        endpoint=given["endpoint"],
        ca_bundle=given["ca_bundle"],
        options=options_of(given),
    )
    policy = RetryPolicy(call_timeout=given["timeout"] or RetryPolicy().call_timeout)
    with connect(target, policy=policy) as client:
        return client.regions()
