"""What the emulated service has in hand when it changes something, and what it checks.

Simplifications: an instance is known by its disks, and stopped unless its region has it in
an attribute ``running``; a client token counts for one operation in one region, for ever.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping

import attrs

from snapkit.emulator.state import (
    AccountState,
    Disk,
    GroupRecord,
    Pace,
    RegionState,
    SnapshotRecord,
    Stage,
)
from snapkit.vocabulary import boolean, integer
from snapkit_alibaba.dialect_auth import no
from snapkit_alibaba.dialect_rows import Row, gone, numbered

__all__ = ["DAY", "MOST_TAGS", "Desk", "Memory", "Step", "answered_once", "new_id"]

DAY = 86400.0
MOST_TAGS = 20
_NAME = re.compile(r"(?!https?://)[^\W\d_][\w:.\-]{1,127}")
_LINK = re.compile(r"https?://")
_SIGNING = frozenset(
    (
        "AccessKeyId",
        "Action",
        "Format",
        "SecurityToken",
        "Signature",
        "SignatureMethod",
        "SignatureNonce",
        "SignatureType",
        "SignatureVersion",
        "Timestamp",
        "Version",
    )
)
"""What differs between two attempts at the same request."""


@attrs.define
class Memory:
    """What the service remembers beside its records."""

    tokens: dict[tuple[str, str, str, str], tuple[Row, Row]] = attrs.field(
        factory=dict[tuple[str, str, str, str], tuple[Row, Row]]
    )
    """By key, region, operation and client token: what was asked and what was answered."""
    states: dict[str, tuple[str, float]] = attrs.field(factory=dict[str, tuple[str, float]])
    """By disk: a passing status word and when it ends."""
    unused: set[str] = attrs.field(factory=set[str])
    """Disks that have never been attached."""
    sources: dict[str, str] = attrs.field(factory=dict[str, str])
    """By disk: the snapshot that it was made from."""
    locks: dict[str, tuple[float, float]] = attrs.field(factory=dict[str, tuple[float, float]])
    """By snapshot: when the lock can no longer be taken away, and when it ends by itself."""


@attrs.frozen(kw_only=True)
class Desk:
    """One request about one region, with everything it may change."""

    account: AccountState
    region: RegionState
    form: Mapping[str, str]
    memory: Memory
    now: float
    pace: Pace

    def required(self, name: str) -> str:
        """Return a parameter that must be there."""
        value = self.form.get(name)
        if not value:
            no(400, f"MissingParameter.{name}", f'The input parameter "{name}" is not supplied.')
        return value

    def flag(self, name: str) -> bool:
        """Return a boolean, false when it is not there."""
        said = boolean(self.form.get(name, "false"))
        if said is None:
            no(400, "InvalidParameter", f"The specified {name} is not valid.")
        return said

    def whole(self, name: str, least: int, most: int, code: str) -> int | None:
        """Return a whole number within bounds, None when it is not there."""
        if name not in self.form:
            return None
        number = integer(self.form[name])
        if number is None or not least <= number <= most:
            no(400, code, f"The specified {name} is not valid.")
        return number

    def name(self, field: str, code: str, *, status: int = 400, snapshot: bool = True) -> str:
        """Return a name in the documented form; a snapshot's must not start with auto."""
        value = self.form.get(field)
        if value is None:
            return ""
        if not _NAME.fullmatch(value) or (snapshot and value.startswith("auto")):
            no(status, code, f"The specified {field} is wrongly formed.")
        return value

    def description(self, field: str, code: str, *, status: int = 404) -> str:
        """Return a description in the documented form."""
        value = self.form.get(field, "")
        if len(value) == 1 or len(value) > 256 or _LINK.match(value):
            no(status, code, f"The specified {field} is wrongly formed.")
        return value

    def tags(self) -> dict[str, str]:
        """Return the tags to set, in the documented forms."""
        keys, values = numbered(self.form, "Tag", "Key"), numbered(self.form, "Tag", "Value")
        if len(keys) > MOST_TAGS:
            no(400, "InvalidTagCount", "The specified tags are beyond the permitted range.")
        if values.keys() - keys.keys():
            no(400, "InvalidTag.Mismatch", "The specified Tag.n.Key and Tag.n.Value do not match.")
        if len(set(keys.values())) < len(keys):
            no(400, "Duplicate.TagKey", "The Tag.N.Key contain duplicate key.")
        for key in keys.values():
            bad = key.startswith(("acs:", "aliyun")) or _LINK.search(key)
            if bad or not 1 <= len(key) <= 128:
                no(400, "InvalidTagKey.Malformed", "The specified Tag.n.Key is not valid.")
        for value in values.values():
            if len(value) > 128 or value.startswith("acs:") or _LINK.search(value):
                no(400, "InvalidTagValue.Malformed", "The specified Tag.n.Value is not valid.")
        return {key: values.get(number, "") for number, key in sorted(keys.items())}

    def retention(self) -> float | None:
        """Return the retention in seconds, None for ever."""
        days = self.whole("RetentionDays", 1, 65536, "InvalidRetentionDays.Malformed")
        return None if days is None else days * DAY

    def disk(self, disk_id: str) -> Disk:
        """Return the disk, or refuse."""
        if disk_id not in self.region.disks:
            no(404, "InvalidDiskId.NotFound", "The specified DiskId does not exist.")
        return self.region.disks[disk_id]

    def snapshot(self, snapshot_id: str) -> SnapshotRecord:
        """Return the snapshot, or refuse."""
        record = self.region.snapshots.get(snapshot_id)
        if record is None or gone(record, self.now):
            no(404, "InvalidSnapshotId.NotFound", "The specified SnapshotId does not exist.")
        return record

    def group(self, group_id: str) -> GroupRecord:
        """Return the group, or refuse."""
        if group_id not in self.region.groups:
            no(404, "InvalidSnapshotGroupId.NotFound", "The specified group does not exist.")
        return self.region.groups[group_id]

    def members(self, ids: Iterable[str]) -> list[SnapshotRecord]:
        """Return the snapshots of *ids* that are still there."""
        found = (self.region.snapshots.get(one) for one in ids)
        return [one for one in found if one is not None and not gone(one, self.now)]

    def usable(self, record: SnapshotRecord) -> bool:
        """Return whether a disk can be made from *record*."""
        if record.word is not None:
            return record.word == "accomplished"
        return record.stage(self.now) in (Stage.USABLE, Stage.COMPLETE)

    def complete(self, record: SnapshotRecord) -> bool:
        """Return whether *record* is accomplished."""
        return (record.word or "accomplished") == "accomplished" and (
            record.word is not None or record.stage(self.now) is Stage.COMPLETE
        )

    def running(self, instance_id: str | None) -> bool:
        """Return whether an instance runs."""
        return instance_id is not None and instance_id in getattr(self.region, "running", ())

    def state_of(self, disk: Disk) -> str:
        """Return the status word of *disk*."""
        word, end = self.memory.states.get(disk.id, ("", 0.0))
        if word and self.now < end:
            return word
        return "In_use" if disk.instance_id else "Available"

    def locked(self, record: SnapshotRecord) -> bool:
        """Return whether a lock on *record* holds."""
        _, end = self.memory.locks.get(record.id, (0.0, float("inf")))
        return record.locked and self.now < end


Step = Callable[[Desk], Row]


def answered_once(desk: Desk, action: str, step: Step) -> Row:
    """Return what *step* does, or what it did before with the same client token.

    Raises what the service says to a token that comes back with other parameters.
    """
    token = desk.form.get("ClientToken")
    if not token:
        return step(desk)
    if len(token) > 64 or not token.isascii():
        no(400, "InvalidClientToken.Malformed", "The specified ClientToken is not valid.")
    asked: Row = {name: value for name, value in desk.form.items() if name not in _SIGNING}
    key = (desk.account.key_id, desk.region.id, action, token)
    before = desk.memory.tokens.get(key)
    if before is not None and before[0] != asked:
        no(403, "IdempotentParameterMismatch", "The specified clientToken is used.")
    answer = before[1] if before is not None else step(desk)
    desk.memory.tokens[key] = (asked, answer)
    return answer


def new_id(prefix: str) -> str:
    """Return an id that nothing has."""
    return f"{prefix}{uuid.uuid4().hex[:20]}"
