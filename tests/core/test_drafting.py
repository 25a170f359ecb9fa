"""Drafts: the same frozen snapshot as the constructor's, made more quickly."""

import pickle
from typing import Any

import attrs
import pytest

from snapkit.drafting import draft_snapshot
from snapkit.model import Snapshot, SnapshotStatus

WHERE = ("s-1", "paper", "", "north")
SAID: dict[str, Any] = {
    "id": "s-1",
    "provider": "paper",
    "account": "",
    "region": "north",
    "status": SnapshotStatus.AVAILABLE,
    "raw_status": "Done",
    "name": "nightly",
    "raw": {"id": "s-1"},
}


def drafted() -> Snapshot:
    draft = draft_snapshot(*WHERE)
    for name, value in SAID.items():
        setattr(draft, name, value)
    done: Snapshot = draft.done()
    return done


def test_a_draft_becomes_what_the_constructor_makes() -> None:
    """The fields that nobody set have the defaults of the class."""
    made, wanted = drafted(), Snapshot(**SAID)

    assert type(made) is Snapshot
    assert attrs.asdict(wanted) == attrs.asdict(made)
    assert (wanted, hash(wanted), repr(wanted)) == (made, hash(made), repr(made))
    assert wanted == pickle.loads(pickle.dumps(made))
    assert attrs.evolve(wanted, name=None) == attrs.evolve(made, name=None)


def test_every_field_with_a_default_has_it_in_a_draft() -> None:
    """A field that is new in the class must not be missing in half of all snapshots."""
    draft: Any = draft_snapshot(*WHERE)
    fields = attrs.fields(Snapshot)
    defaults = {one.name: one.default for one in fields if one.default is not attrs.NOTHING}

    assert defaults == {name: getattr(draft, name) for name in defaults}
    assert (draft.id, draft.provider, draft.account, draft.region) == WHERE
    assert {"status", "raw_status"} == {one.name for one in fields if not hasattr(draft, one.name)}


def test_what_is_done_is_frozen() -> None:
    """Like every other snapshot."""
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        drafted().name = "other"  # type: ignore[misc]


def test_a_field_that_does_not_exist_is_refused() -> None:
    """A slip of the pen must not be lost."""
    with pytest.raises(AttributeError):
        draft_snapshot(*WHERE).nmae = "other"
