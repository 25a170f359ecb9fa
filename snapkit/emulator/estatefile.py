"""An estate file: the accounts, regions, disks, snapshots and groups that an emulator holds.

TOML or JSON with the same keys. Times may be relative, so the world is built anew, from the
present, whenever one is asked for.
"""

import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from snapkit.credentials import Credentials
from snapkit.emulator.estate import furnish
from snapkit.emulator.estatevalues import Reader, facts
from snapkit.emulator.jsontext import json_document
from snapkit.emulator.state import (
    AccountState,
    Disk,
    EmulatedClock,
    GroupRecord,
    Pace,
    RegionState,
    SnapshotRecord,
    World,
)
from snapkit.emulator.throttle import Throttle
from snapkit.errors import ConfigurationError
from snapkit.registry import dialect_classes
from snapkit.settings import check_region
from snapkit.toml import Document, nearest

__all__ = ["Estate", "load_estate"]

MOST_GENERATED = 1_000_000
"""Snapshots of one disk each that a region may be asked to generate."""
_ESTATE = ("lag", "ahead", "pace", "accounts")
_ACCOUNT = ("provider", "key_id", "secret", "token", "label", "limit", "regions")
_LIMIT = ("per_second", "burst", "window", "regional", "by_operation")
_REGION = ("name", "open", "denied", "running", "disks", "snapshots", "groups", "generate")
_GENERATE = ("servers", "nights", "seed", "zones")
_OF_THE_DISK = ("size_gib", "role", "instance_id", "zone", "category", "encrypted")


@attrs.frozen
class Estate:
    """An estate file that was read and is right."""

    path: Path
    text: str = attrs.field(repr=False)

    def world(self) -> World:
        """Return a new world with this estate in it, relative times counted from now."""
        world, problems = self._built(located=False)
        if problems:
            _, problems = self._built(located=True)
            more = f" ({len(problems) - 1} more like this)" if len(problems) > 1 else ""
            raise ConfigurationError(problems[0].message + more, hint=problems[0].hint)
        return world

    def _built(self, *, located: bool) -> tuple[World, list[ConfigurationError]]:
        is_json = self.path.suffix.lower() == ".json" or self.text.lstrip().startswith("{")
        document = (
            json_document(self.path, self.text, located=located)
            if is_json
            else Document.parsed(self.path, self.text)
        )
        return _world(document), document.problems


def load_estate(path: str | Path) -> Estate:
    """Return the estate in the TOML or JSON file at *path*.

    Raises ConfigurationError, with line and column where there are some.
    """
    path = Path(path)
    try:
        estate = Estate(path, path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8", hint="save it as UTF-8") from None
    estate.world()
    return estate


def _world(document: Document) -> World:
    clock = EmulatedClock()
    top = Reader(document=document, now=clock.now(), table=document.values)
    document.allow(names=_ESTATE)
    clock.ahead = top.span("ahead")
    top = attrs.evolve(top, now=clock.now())
    kinds = dialect_classes()
    accounts: list[AccountState] = []
    for reader in top.each("accounts"):
        account = _account(reader, kinds)
        if any(
            (one.provider, one.key_id) == (account.provider, account.key_id) for one in accounts
        ):
            reader.problem("key_id", "another account of this provider has the same key_id")
        accounts.append(account)
    if not accounts and not document.problems:
        document.problem(("accounts",), "there are no accounts", "write [[accounts]]")
    return World(
        accounts=accounts, clock=clock, lag=top.span("lag"), pace=top.pace("pace") or Pace()
    )


def _account(reader: Reader, kinds: Mapping[str, Any]) -> AccountState:
    reader.document.allow(*reader.at, names=_ACCOUNT)
    for name in ("provider", "key_id", "secret"):
        if not reader.table.get(name):
            reader.document.problem(
                reader.at, f"the account has no {name!r}", f"write {name} = ..."
            )
    provider = reader.text("provider", "") or ""
    if provider and provider not in kinds:
        reader.problem("provider", f"no emulated provider {provider!r}", nearest(provider, kinds))
    account = AccountState(
        provider=provider,
        key_id=reader.text("key_id", "") or "",
        secret=reader.text("secret", "") or "",
        token=reader.text("token") or None,
        label=reader.text("label", "") or "",
        throttle=_throttle(reader.inner("limit")) if "limit" in reader.table else None,
    )
    _check_keys(reader, account)
    places = reader.inner("regions")
    for name in places.table:
        region = _region(places.inner(name), name, account, kinds.get(provider))
        account.regions[name] = region
    return account


def _throttle(reader: Reader) -> Throttle | None:
    reader.document.allow(*reader.at, names=_LIMIT)
    calls = reader.number("per_second")
    if "per_second" not in reader.table:
        reader.document.problem(reader.at, "the limit has no 'per_second'", "write per_second = 10")
    return Throttle(
        per_second=calls or 1.0,
        burst=reader.number("burst"),
        window=reader.number("window"),
        regional=reader.flag("regional", True) is not False,
        by_operation=reader.flag("by_operation", False) is True,
    )


def _check_keys(reader: Reader, account: AccountState) -> None:
    if account.key_id and account.secret:
        try:
            Credentials(key_id=account.key_id, secret=account.secret, token=account.token)
        except ConfigurationError as error:
            reader.document.problem(reader.at, error.message, error.hint)


def _region(reader: Reader, name: str, account: AccountState, kind: Any) -> RegionState:
    reader.document.allow(*reader.at, names=_REGION)
    try:
        check_region(name)
    except ConfigurationError as error:
        reader.document.problem(reader.at, error.message, error.hint)
    region = RegionState(
        id=name,
        name=reader.text("name", "") or "",
        open=reader.flag("open", True) is not False,
        denied=reader.flag("denied", False) is True,
        running=set(reader.texts("running") or ()),
    )
    if "generate" in reader.table:
        _generate(reader.inner("generate"), region, account, kind)
    for read in (_disks, _snapshots, _groups):
        for record in read(reader, region):
            region.add(record)
    return region


def _generate(reader: Reader, region: RegionState, account: AccountState, kind: Any) -> None:
    """Furnish the region; the same seed gives the same ids."""
    reader.document.allow(*reader.at, names=_GENERATE)
    servers = reader.whole("servers", 1, MOST_GENERATED) or 1
    nights = reader.whole("nights", 0, 3650)
    nights = 7 if nights is None else nights
    seed = reader.whole("seed") or 7
    if servers * nights > MOST_GENERATED:
        said = f"{servers} servers in {nights} nights are too many"
        reader.problem("servers", said, f"servers x nights is at most {MOST_GENERATED}")
    elif kind is not None and not reader.document.problems:
        chance = random.Random(f"{account.provider} {account.label} {region.id} {seed}")  # noqa: S311 - an estate, not a secret
        style = kind.style()
        zones = reader.texts("zones") or style.zones(region.id)
        furnish(
            region,
            style,
            chance=chance,
            now=reader.now,
            zones=zones,
            servers=servers,
            nights=nights,
        )


def _disks(reader: Reader, region: RegionState) -> Iterator[Disk]:
    for each in reader.each("disks"):
        given = facts(each, Disk)
        if given is not None and _is_new(each, region.disks):
            yield Disk(**given)


def _snapshots(reader: Reader, region: RegionState) -> Iterator[SnapshotRecord]:
    for each in reader.each("snapshots"):
        disk = region.disks.get(str(each.table.get("disk_id")))
        copied = {name: getattr(disk, name) for name in _OF_THE_DISK} if disk is not None else {}
        given = facts(each, SnapshotRecord, copied)
        if given is not None and _is_new(each, region.snapshots):
            yield SnapshotRecord(**given)


def _groups(reader: Reader, region: RegionState) -> Iterator[GroupRecord]:
    for each in reader.each("groups"):
        given = facts(each, GroupRecord)
        for member in (given or {}).get("snapshot_ids", ()):
            if member not in region.snapshots:
                said = f"no snapshot {member!r} in this region"
                each.problem("snapshot_ids", said, nearest(member, region.snapshots))
        if given is not None and _is_new(each, region.groups):
            yield GroupRecord(**given)


def _is_new(reader: Reader, there: Mapping[str, Any]) -> bool:
    found = str(reader.table.get("id"))
    if found in there:
        reader.problem("id", f"{found!r} is there twice in this region", "rename one")
    return found not in there
