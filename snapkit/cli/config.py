"""``snapkit config``."""

import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from snapkit.cli.failing import tell
from snapkit.cli.inert import inert
from snapkit.cli.options import Command, configured, option, printing, talking
from snapkit.cli.records import put
from snapkit.errors import ConfigurationError, CredentialsMissingError, SnapkitError

if TYPE_CHECKING:
    from snapkit.config import Config, Profile
    from snapkit.driver import Driver

__all__ = ["config_command", "write_new"]

_HELP = """
\b
Examples:
  snapkit config path               where the file is, or would be
  snapkit config init               write one from the keys that this machine has
  snapkit config show               what it says, with what it leaves out filled in
  snapkit config check              everything that is wrong with it

Nothing is sent. The file is $SNAPKIT_CONFIG, else the user's own. It never holds a key, and
'show' prints no argument of a credential command.
"""


@click.command("config", cls=Command, epilog=_HELP)
@click.argument("action", type=click.Choice(["path", "show", "check", "init"]))
@option("--force", is_flag=True, section="Care", help="'init' replaces a file that is there.")
@printing
@talking
def config_command(**given: Any) -> int:
    """Find, show, check or write the configuration file: profiles, target groups, defaults."""
    from snapkit.cli.exits import Exit

    actions = {"path": _path, "show": _show, "check": _check, "init": _init}
    return Exit.OK if actions[given["action"]](given) else Exit.USAGE


def _print(answer: Mapping[str, Any], lines: Sequence[str], given: Mapping[str, Any]) -> None:
    if given["output"] != "table":
        put(answer, given["output"])
    else:
        sys.stdout.writelines(f"{inert(line)}\n" for line in lines)


def _path(given: Mapping[str, Any]) -> bool:
    from snapkit.config import config_path

    path = config_path()
    _print({"path": str(path), "exists": path.exists()}, [str(path)], given)
    return True


def _show(given: Mapping[str, Any]) -> bool:
    config = configured()
    answer = {
        "path": str(config.path),
        "exists": config.path.exists(),
        "defaults": {**config.for_commands, "group": config.defaults.group},
        "groups": {name: list(members) for name, members in config.groups.items()},
        "profiles": [_profile_record(one) for one in config.profiles.values()],
    }
    _print(answer, list(_shown(config)), given)
    return True


def _profile_record(profile: "Profile") -> dict[str, Any]:
    regions = profile.regions
    return {
        "name": profile.name,
        "provider": profile.provider,
        "regions": regions if isinstance(regions, str) else list(regions),
        "account": profile.account,
        "endpoint": profile.endpoint,
        "ca_bundle": profile.ca_bundle,
        "rate_share": profile.rate_share,
        "options": dict(profile.options),
        "credentials": _keys_of(profile),
    }


def _keys_of(profile: "Profile") -> str:
    """Return in words where the keys are; of a command only the program, of others the names."""
    given = profile.credentials
    if given is None:
        return "environment"
    command: Any = given.get("command")
    if command:
        more = len(command) - 1
        rest = f" with {more} argument{'s' * (more > 1)}" if more else ""
        return f"command {command[0]}{rest}"
    named = {"source", "profile", "keyring", "user", "role_arn"}
    said = [f"{key} {value}" if key in named else key for key, value in given.items()]
    return ", ".join(said)


def _shown(config: "Config") -> Sequence[str]:
    there = "" if config.path.exists() else "  (not there; 'snapkit config init' writes it)"
    lines = [f"file      {config.path}{there}"]
    defaults = {**config.for_commands, "group": config.defaults.group}
    said = [f"{name} {value}" for name, value in defaults.items() if value is not None]
    lines += [f"defaults  {', '.join(said)}"] if said else []
    lines += [f"group     {name}: {', '.join(names)}" for name, names in config.groups.items()]
    for profile in config.profiles.values():
        regions = profile.regions
        record = _profile_record(profile) | {
            "regions": regions if isinstance(regions, str) else ", ".join(regions),
            "options": ", ".join(f"{key}={value}" for key, value in profile.options.items()),
        }
        lines += ["", f"profile   {record.pop('name')}"]
        lines += [f"  {name:<12}{value}" for name, value in record.items() if value]
    return lines


def _check(given: Mapping[str, Any]) -> bool:
    """Print everything that is wrong, and whether each profile finds keys; nothing is sent."""
    from snapkit.config import read_config

    try:
        config, errors = read_config()
    except ConfigurationError as error:
        config, errors = None, [error]
    problems = [str(error) for error in errors]
    profiles = list(config.profiles.values()) if config else []
    found = {profile.name: _troubles(profile) for profile in profiles}
    lines = [
        f"{profile.name}: {'; '.join(found[profile.name]) or f'ok, keys: {_keys_of(profile)}'}"
        for profile in profiles
    ]
    if config and not config.path.exists():
        lines += [f"{config.path} is not there; 'snapkit config init' writes it"]
    _print({"problems": problems, "profiles": found}, lines, given)
    sys.stdout.flush()
    for problem in problems:
        tell("error", problem)
    return not problems and not any(found.values())


def _troubles(profile: "Profile") -> list[str]:
    """Return what would keep *profile* from being listed, as far as can be seen from here."""
    from snapkit.config import ProfileSource
    from snapkit.driver import Capability
    from snapkit.registry import driver_class
    from snapkit.sources import Surroundings, find_source

    driver = driver_class(profile.provider)
    found: list[str] = []
    if profile.regions == "all" and Capability.REGIONS not in driver.capabilities:
        found.append(f"{profile.provider} does not list its regions; name them")
    if profile.ca_bundle is not None and not Path(profile.ca_bundle).is_file():
        found.append(f"the CA bundle {profile.ca_bundle} is not there")
    source = profile.source()
    try:
        if isinstance(source, ProfileSource):
            source.source()
        else:
            asked = profile.options.get("credentials") == "instance"
            find_source(driver, Surroundings(region=driver.home_region, instance=asked))
    except SnapkitError as error:
        found.append(str(error))
    return found


def _files(driver: "type[Driver]") -> list[Path]:
    """Return the vendor's own credential files that are on this machine."""
    found: list[Path] = []
    for text in driver.credential_files:
        with suppress(RuntimeError, OSError):
            path = Path(text).expanduser()
            found += [path] if path.is_file() else []
    return found


def _init(given: Mapping[str, Any]) -> bool:
    """Write a file with a profile for each provider whose keys are found here."""
    from snapkit.config import config_path

    path = config_path()
    offered = _offered()
    write_new(path, _draft(offered), force=given["force"])
    lines = [f"wrote {path}"]
    lines += [f"  profile {name}: keys in {where}" for name, where in offered.items()]
    if not offered:
        lines += ["  no keys were found; 'snapkit providers' says how to give them"]
    _print({"path": str(path), "profiles": offered}, lines, given)
    return True


def _offered() -> dict[str, str]:
    """Return where keys of each provider were found, in words."""
    from snapkit.registry import driver_class, providers

    found: dict[str, str] = {}
    for name in providers():
        try:
            where = _where(driver_class(name))
        except ConfigurationError as error:
            tell("warning", str(error))
            continue
        if where:
            found[name] = where
    return found


def _where(driver: "type[Driver]") -> str | None:
    """Return where keys of one provider are on this machine, the environment first."""
    try:
        return driver.environment.credentials(os.environ).origin
    except CredentialsMissingError:
        files = _files(driver)
        return str(files[0]) if files else None


_PREFACE = """\
# Where snapkit looks. Keys do not belong here: a profile says where they are.
# 'snapkit config check' tells what is wrong; 'snapkit list' lists all profiles.
"""
_EXAMPLE = """
# [profiles.NAME]
# provider = "PROVIDER"                 # 'snapkit providers' names them
# regions = "all"                       # or ["REGION", ...]
# credentials = "environment"           # or {command = ["program", "argument"]}
"""
_GROUPS = """
# [groups]
# production = [{names}]

# [defaults]
# group = "production"
# output = "table"
"""


def _draft(offered: Mapping[str, str]) -> str:
    from snapkit.driver import Capability
    from snapkit.registry import driver_class

    text = _PREFACE
    for name, where in offered.items():
        driver = driver_class(name)
        asks = Capability.REGIONS in driver.capabilities
        regions = '"all"' if asks else f'["{driver.home_region}"]'
        text += f'\n# Keys: {inert(where)}\n[profiles.{name}]\nprovider = "{name}"\n'
        text += f"regions = {regions}\n"
    names = ", ".join(f'"{name}"' for name in offered) or '"NAME"'
    return text + ("" if offered else _EXAMPLE) + _GROUPS.format(names=names)


def write_new(path: Path, text: str, *, force: bool = False) -> None:
    """Write *text* to *path*, for its owner only; whole or not at all.

    Without *force* a file that is there stays, and ConfigurationError is raised.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    number = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(number, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if force:
            fresh.replace(path)
        else:
            _place(fresh, path)
    except FileExistsError:
        raise ConfigurationError(
            f"{path} is there already", hint="--force replaces it, all of it"
        ) from None
    finally:
        fresh.unlink(missing_ok=True)


def _place(fresh: Path, path: Path) -> None:
    """Give *fresh* the name *path* unless there is something; FileExistsError if there is."""
    try:
        # Unlike a rename, a link never replaces what somebody else wrote in between.
        os.link(fresh, path)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no links.
        if os.path.lexists(path):
            raise FileExistsError from None
        fresh.replace(path)
