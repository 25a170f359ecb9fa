"""From what to make or change to parameters, and from the answers back; pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from snapkit.errors import ArgumentError, ProtocolError
from snapkit.model import Snapshot, SnapshotKind, Tags
from snapkit.retry import Safety
from snapkit.rules import Rules, TextRule, check_tags
from snapkit.vocabulary import text
from snapkit.writes import Change, NewDisk, RollBack
from snapkit_qingcloud.wire import list_of, numbered

__all__ = [
    "RULES",
    "Calling",
    "attributes",
    "check_disk",
    "check_sources",
    "cleared",
    "creation",
    "labels_of",
    "made",
    "pairs",
    "volume",
]

RULES = Rules(
    tag_key=TextRule(shortest=1, longest=14),
    tag_value=TextRule(pattern="", says="must be empty: QingCloud's tags are labels"),
)
"""The documented forms. Nothing is known about the length of names and descriptions."""

_CLEARED = " "


class Calling(Protocol):
    """Sends one operation; *zone* None is the connection's own."""

    def __call__(
        self,
        operation: str,
        params: Mapping[str, str],
        *,
        safety: Safety = Safety.READ,
        zone: str | None = None,
    ) -> Mapping[str, Any]:
        """Return the payload of the answer."""
        ...


def creation(resources: Iterable[str], name: str | None, kind: SnapshotKind) -> dict[str, str]:
    """Return the parameters of CreateSnapshots; all its snapshots get one name.

    Without ``is_full`` the server takes an increment where it can, and so does snapkit.
    """
    params = numbered("resources", resources)
    params["is_full"] = "1" if kind is SnapshotKind.FULL else "0"
    return params | ({"snapshot_name": name} if name else {})


def made(payload: Mapping[str, Any], count: int) -> tuple[str, ...]:
    """Return the ids of the *count* snapshots that CreateSnapshots has started.

    ``job_id`` is a text or a list of them, and is not needed: the snapshots are asked instead.
    """
    ids = [text(one) for one in list_of(payload, "snapshots")]
    found = tuple(one for one in ids if one is not None)
    if len(found) != count:
        raise ProtocolError(f"CreateSnapshots names {len(found)} snapshots instead of {count}")
    return found


def attributes(snapshot_id: str, change: Change) -> dict[str, str]:
    """Return the parameters of ModifySnapshotAttributes.

    An empty text may count as not given, so one blank clears, as in the Terraform provider.
    """
    params = {"snapshot": snapshot_id}
    if change.name is not None:
        params["snapshot_name"] = change.name or _CLEARED
    if change.description is not None:
        params["description"] = change.description or _CLEARED
    return params


def cleared(change: Change, snapshot: Snapshot) -> bool:
    """Whether what *change* clears is empty in *snapshot*, read afterwards."""
    return not (change.name == "" and snapshot.name) and not (
        change.description == "" and snapshot.description
    )


def labels_of(tags: Tags | Mapping[str, str]) -> list[str]:
    """Return the names of the labels that *tags* are; ArgumentError for one with a value."""
    check_tags(tags, RULES)
    return list(tags)


def pairs(resource_type: str, ids: Sequence[str], tag_id: str) -> dict[str, str]:
    """Return the parameters of AttachTags and DetachTags for one label."""
    return {
        f"resource_tag_pairs.{index}.{field}": value
        for index, one in enumerate(ids, 1)
        for field, value in (
            ("tag_id", tag_id),
            ("resource_type", resource_type),
            ("resource_id", one),
        )
    }


def volume(new: NewDisk) -> dict[str, str]:
    """Return the parameters of CreateVolumeFromSnapshot, the zone not among them."""
    return {"snapshot": new.snapshot_id} | ({"volume_name": new.name} if new.name else {})


def check_disk(new: NewDisk, snapshot: Snapshot) -> None:
    """Raise ArgumentError where *new* asks for another disk than the one snapshotted."""
    source = snapshot.source
    if new.size_bytes is not None and new.size_bytes != snapshot.size_bytes:
        raise ArgumentError(
            f"a disk from {snapshot.id} has {snapshot.size_bytes} bytes, not {new.size_bytes}",
            hint="QingCloud gives it the source's size; resize the disk afterwards",
        )
    if new.raw_category is not None and new.raw_category != source.raw_category:
        raise ArgumentError(
            f"a disk from {snapshot.id} has the type {source.raw_category!r},"
            f" not {new.raw_category!r}",
            hint="QingCloud gives it the source's type",
        )


def check_sources(wanted: Sequence[RollBack], found: Mapping[str, Snapshot]) -> None:
    """Raise ArgumentError where a snapshot was not taken from the disk to roll back.

    ApplySnapshots takes no disk: it always rolls back the one that was snapshotted.
    """
    for pair in wanted:
        source = found[pair.snapshot_id].source.id
        if source != pair.disk_id:
            raise ArgumentError(
                f"{pair.snapshot_id} was taken from {source}, not from {pair.disk_id}",
                hint="QingCloud rolls back only the disk that a snapshot was taken from",
            )
