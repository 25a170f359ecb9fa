"""``snapkit doctor``: what is wrong between here and the clouds, and what to do about it."""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from snapkit.abreast import abreast
from snapkit.cli.exits import Exit
from snapkit.cli.inert import inert
from snapkit.cli.options import Command, configured, contacting, option, printing, talking
from snapkit.cli.records import put
from snapkit.cli.targets import targets

if TYPE_CHECKING:
    from snapkit.doctor import Check, Diagnosis
    from snapkit.settings import Target

__all__ = ["doctor_command"]

_AT_ONCE = 8
_HELP = """
\b
Examples:
  snapkit doctor
  snapkit doctor PROVIDER:REGION
  snapkit doctor PROFILE --output json

TARGET is written as for 'snapkit list --target', or is a profile or target group of the
configuration file. Without one: SNAPKIT_TARGETS, then the configuration file, then every
provider whose keys are found. Only reading is tried; what changes something is listed with
the permissions it needs.

\b
Exit codes: 0 nothing failed · 1 another trouble · 2 usage or configuration
            4 keys or permissions · 5 network, or try later
"""


@click.command("doctor", cls=Command, epilog=_HELP)
@click.argument("target", nargs=-1, envvar="SNAPKIT_TARGETS")
@contacting
@option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    section="Where",
    help="For each answer.",
)
@printing
@talking
def doctor_command(**given: Any) -> int:
    """Check keys, network, clock and permissions of each TARGET, and say what would help."""
    from snapkit.cli.failing import tell
    from snapkit.doctor import diagnose

    def examined(place: "Target") -> "Diagnosis":
        return diagnose(place, timeout=given["timeout"])

    places = list(dict.fromkeys(_places(given)))
    found: list[Diagnosis] = []
    for one in abreast(examined, places, at_once=_AT_ONCE):
        found.append(one)
        if given["output"] == "table":
            _draw(one, first=len(found) == 1)
    if given["output"] == "table":
        _draw_writes(places)
    else:
        put({"targets": [*map(_record, found)], "writes": _writes(places)}, given["output"])
    if not given["quiet"]:
        ill = sum(not one.ok for one in found)
        tell("examined", f"{len(found)} targets, {ill} with trouble")
    return _code(found)


def _places(given: Mapping[str, Any]) -> "list[Target]":
    """Return the targets to examine; ConfigurationError where there is nothing to."""
    if given["target"] or configured().profiles:
        return targets(given)
    return _found_places(given) or targets(given)


def _found_places(given: Mapping[str, Any]) -> "list[Target]":
    """Return each provider whose keys, or half of them, are found, in its usual region."""
    from snapkit.errors import SnapkitError
    from snapkit.registry import survey
    from snapkit.settings import Target
    from snapkit.sources import Surroundings, find_source

    found: list[Target] = []
    for driver in survey().drivers:
        names = driver.environment
        half = any(os.environ.get(n) for one in names.keys for n in (one.key_id, one.secret))
        region = names.region(os.environ) or driver.home_region
        if not half:
            try:
                find_source(driver, Surroundings(region=region))
            except SnapkitError:
                continue
        found.append(
            Target(
                provider=driver.name,
                region=region,
                endpoint=given["endpoint"],
                ca_bundle=given["ca_bundle"],
            )
        )
    return found


def _draw(one: "Diagnosis", *, first: bool) -> None:
    """Print the checks of one target, advice below what failed, and the policy that helps."""
    wide = max(len(check.name) for check in one.checks)
    lines = ["" if not first else None, str(one.target)]
    for check in one.checks:
        word = check.verdict.value
        word = word.upper() if word == "fail" else word
        lines.append(f"  {word:<4}  {check.name:<{wide}}  {check.found}")
        if check.advice:
            lines.append(f"{'':<{wide + 10}}-> {check.advice}")
    if one.grant:
        lines += ["", f"  to grant what is denied: {one.grant}"]
    _say(lines)
    if one.policy is not None:
        _say(f"    {line}" for line in one.policy.splitlines())
    sys.stdout.flush()


def _say(lines: Iterable[str | None]) -> None:
    sys.stdout.writelines(f"{inert(line)}\n" for line in lines if line is not None)


def _draw_writes(places: "Sequence[Target]") -> None:
    """Print what was not tried, once for each provider."""
    for one in _writes(places):
        wide = max(len(need["use"]) for need in one["needs"])
        needs = (f"  {n['use']:<{wide}}  {', '.join(n['actions'])}" for n in one["needs"])
        _say(["", f"{one['provider']}: not tried, because it changes something", *needs])
        _say(["", f"  to grant all of it: {one['grant']}"])
        _say(f"    {line}" for line in (one["policy"] or "").splitlines())


def _writes(places: "Sequence[Target]") -> list[dict[str, Any]]:
    from snapkit.permissions import permissions_of, write_needs
    from snapkit.registry import driver_class

    found: list[dict[str, Any]] = []
    for name in dict.fromkeys(place.provider for place in places):
        driver = driver_class(name)
        permissions, needs = permissions_of(driver), write_needs(driver)
        if permissions is None or not needs:
            continue
        actions = list(dict.fromkeys(action for need in needs for action in need.actions))
        found.append(
            {
                "provider": name,
                "needs": [{"use": one.use, "actions": list(one.actions)} for one in needs],
                "grant": permissions.where,
                "policy": permissions.text(actions),
            }
        )
    return found


def _record(one: "Diagnosis") -> dict[str, Any]:
    return {
        "target": str(one.target),
        "ok": one.ok,
        "checks": [_check_record(check) for check in one.checks],
        "denied": one.denied,
        "grant": one.grant or None,
        "policy": one.policy,
    }


def _check_record(check: "Check") -> dict[str, Any]:
    return {
        "name": check.name,
        "verdict": check.verdict.value,
        "found": check.found,
        "advice": check.advice or None,
        "trouble": check.trouble.value if check.trouble else None,
        "actions": list(check.actions),
    }


_CODES = {
    "keys": Exit.CREDENTIALS,
    "network": Exit.TEMPORARY,
    "settings": Exit.USAGE,
    "other": Exit.ERROR,
}


def _code(found: "Iterable[Diagnosis]") -> Exit:
    """Return the code of the most frequent trouble, the first of equals."""
    troubles = [one.trouble.value for one in found if one.trouble is not None]
    return _CODES[Counter(troubles).most_common(1)[0][0]] if troubles else Exit.OK
