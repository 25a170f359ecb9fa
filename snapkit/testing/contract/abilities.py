"""Clauses about what a provider can do: all that is declared, and a reason for all else."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from snapkit.client import Client
from snapkit.driver import Capability
from snapkit.errors import SnapkitError, UnsupportedError
from snapkit.model import Kind, SnapshotKind
from snapkit.testing.harness import GroupSeed, Harness, Seed

__all__ = ["AbilityClauses"]

Acts = Mapping[Capability, Callable[[], Any]]


class Things:
    """Names of what there is, for acts that need some."""

    def __init__(self, harness: Harness, *, real: bool) -> None:
        self.snapshot = self.doomed = harness.absent_id
        self.group = self.doomed_group = harness.absent_group_id
        self.disk, self.other, *self.pair = (harness.disk_id(one) for one in (11, 12, 13, 14))
        self.server = harness.server_id(1)
        self.leave = {"stop_instance": harness.stops, "start_instance": harness.stops}
        self.tags = harness.allowed_tags({"team": "a"})
        self.regions = [harness.other_region or "elsewhere-1"]
        self.zone = harness.restore_zone
        self.later = datetime.now(UTC) + timedelta(days=30)
        if real:
            harness.add_disks(11, 12, 13, 14)
            self.snapshot, self.doomed = harness.add(Seed(disk=1), Seed(disk=20))
            groups = harness.client()
            if groups.supports(Capability.CREATE_GROUP):
                harness.add_group(GroupSeed(disks=(2, 3), server=2))
                self.group = self.doomed_group = next(iter(groups.groups())).id


def acts(client: Client, things: Things) -> Acts:
    """Return the call that each capability stands for, those that destroy last."""
    one, group = things.snapshot, things.group
    full = SnapshotKind.FULL
    return {
        Capability.REGIONS: client.regions,
        Capability.DISKS: lambda: client.disks(instance_id=things.server),
        Capability.CREATE: lambda: client.create(things.disk, name="nightly"),
        Capability.CHOOSE_KIND: lambda: client.create(things.other, name="nightly", kind=full),
        Capability.CREATE_GROUP: lambda: client.create_group(disk_ids=things.pair, name="many"),
        Capability.RENAME: lambda: client.change(one, name="kept"),
        Capability.DESCRIBE: lambda: client.change(one, description="kept for years"),
        Capability.EXPIRE: lambda: client.change(one, expires_at=things.later),
        Capability.TAG: lambda: client.tag([one], things.tags),
        Capability.RENAME_GROUP: lambda: client.change_group(group, name="kept"),
        Capability.DESCRIBE_GROUP: lambda: client.change_group(group, description="for years"),
        Capability.TAG_GROUP: lambda: client.tag([group], things.tags, kind=Kind.GROUP),
        Capability.RESTORE: lambda: client.restore(one, zone=things.zone, name="restored"),
        Capability.COPY: lambda: client.copy(one, things.regions),
        Capability.ROLL_BACK: lambda: client.roll_back(one, **things.leave),
        Capability.ROLL_BACK_GROUP: lambda: client.roll_back_group(group, **things.leave),
        Capability.SHARE: lambda: client.share([one], ["100000000001"]),
        Capability.LOCK: lambda: client.lock(one, days=1),
        Capability.DELETE_GROUP: lambda: client.delete_group(things.doomed_group),
        Capability.DELETE: lambda: client.delete([things.doomed]),
    }


def errors_in(answer: Any) -> list[str]:
    """Return the failures that the results in *answer* tell of."""
    results = cast("list[Any]", answer) if isinstance(answer, list) else [answer]
    return [str(one.error) for one in results if getattr(one, "error", None) is not None]


class AbilityClauses:
    """C74 and C75."""

    def test_c74_whatever_is_declared_works(self, harness: Harness) -> None:
        """C74. A capability is a promise; `supports` is asked once, in the afternoon."""
        client = harness.client()
        things = Things(harness, real=True)
        failed: list[tuple[Capability, str]] = []
        for capability, act in acts(client, things).items():
            if not client.supports(capability):
                continue
            harness.advance(3600)
            try:
                errors = errors_in(act())
            except SnapkitError as error:
                errors = [str(error)]
            failed += [(capability, error) for error in errors]

        assert [] == failed

    def test_c75_whatever_is_missing_is_refused_with_a_reason_and_not_sent(
        self, harness: Harness
    ) -> None:
        """C75. Half a job is worse than none, and "no" without a reason ends in a ticket."""
        driver, client = harness.open(), harness.client()
        missing = [one for one in Capability if one not in driver.capabilities]
        calls = acts(client, Things(harness, real=False))
        before = harness.requests
        for capability in missing:
            if capability in calls:
                with pytest.raises(UnsupportedError) as caught:
                    calls[capability]()
                assert caught.value.hint, capability

        assert before == harness.requests
        assert [] == [one.value for one in missing if not driver.refusals.get(one)]
