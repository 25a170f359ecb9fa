"""An emulated estate of several accounts and regions, for workers in other processes."""

import time
from collections.abc import Mapping
from typing import Any

from snapkit.credentials import Credentials, StaticSource
from snapkit.emulator import Emulator, World
from snapkit.emulator.state import AccountState, SnapshotRecord
from snapkit.profile import Profile
from snapkit.registry import driver_class, providers
from snapkit.settings import Target

SECRET = "CANARY-estate"


def keys_for(provider: str, settings: Mapping[str, Any]) -> StaticSource:
    """Return the keys of an account of the estate; workers call it where they are."""
    key_id = f"AKID{provider}{settings['account']}"
    return StaticSource(Credentials(key_id=key_id, secret=SECRET))


def estate(*, accounts: int, regions: int, rows: int) -> World:
    """Return a world in which each account has *rows* snapshots in each region."""
    world = World()
    start = time.time() - 400 * 86400
    for provider in providers():
        for number in range(accounts):
            label = f"a{number}"
            account = AccountState(
                provider=provider, key_id=f"AKID{provider}{label}", secret=SECRET, label=label
            )
            world.accounts.append(account)
            for place in range(regions):
                account.region(f"{driver_class(provider).home_region}-{place}").add(
                    *(
                        SnapshotRecord(
                            id=f"s-{number}{place}{row:06d}",
                            disk_id=f"d-{row:06d}",
                            size_gib=40,
                            name=f"nightly-{row}",
                            started_at=start + row,
                        )
                        for row in range(rows)
                    )
                )
    return world


def places(emulator: Emulator) -> list[Target]:
    """Return the targets of the estate, as profiles give them: without a key."""
    profiles = [
        (
            account,
            Profile(
                name=f"{account.provider}-{account.label}",
                provider=account.provider,
                account=account.label,
                endpoint=emulator.endpoint,
                credentials={"account": account.label},
            ),
        )
        for account in emulator.world.accounts
    ]
    return [
        profile.target(region, profile.source(keys_for))
        for account, profile in profiles
        for region in account.regions
    ]
