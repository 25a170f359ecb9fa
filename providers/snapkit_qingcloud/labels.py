"""Labels, which stand for tags: found by name, made where there are none, put on and taken off."""

from collections.abc import Mapping, Sequence
from typing import Any

from snapkit.errors import ConflictError, ProtocolError
from snapkit.model import Kind, Snapshot
from snapkit.paging import Cursor, OffsetPaging, Page
from snapkit.retry import Safety
from snapkit.vocabulary import mapping, text
from snapkit.walking import walk
from snapkit.writes import ItemResult
from snapkit_qingcloud.wire import list_of
from snapkit_qingcloud.writing import Calling, pairs

__all__ = ["ensure", "find", "put_on", "take_off"]

_PAGING = OffsetPaging(offset="offset", size="limit", total="total_count")
_LARGEST_PAGE = 100
_EXISTS = "2110"


def find(call: Calling, name: str) -> str | None:
    """Return the id of the label with exactly this *name*; the server's search is a loose one."""

    def fetch(cursor: Cursor | None, limit: int) -> Page[Mapping[str, Any]]:
        asked = {key: str(value) for key, value in _PAGING.request(cursor, limit).items()}
        payload = call("DescribeTags", {"search_word": name} | asked)
        rows = [mapping(row) for row in list_of(payload, "tag_set")]
        return Page(items=rows, **_PAGING.counted(payload, cursor))

    for page in walk(fetch, limit=_LARGEST_PAGE, key=_id):
        for row in page:
            if row.get("tag_name") == name:
                return _id(row)
    return None


def _id(row: Mapping[str, Any]) -> str:
    found = text(row.get("tag_id"))
    if found is None:
        raise ProtocolError("a label has no tag_id")
    return found


def ensure(call: Calling, name: str) -> str:
    """Return the id of the label *name*, which is made if there is none.

    Names are unique in an account, so a second creation only finds that it exists.
    """
    known = find(call, name)
    if known is not None:
        return known
    try:
        payload = call("CreateTag", {"tag_name": name}, safety=Safety.REPEATABLE)
    except ConflictError as error:
        again = find(call, name)
        if error.code != _EXISTS or again is None:
            raise
        return again
    return _id(payload)


def put_on(
    call: Calling, ids: Sequence[str], names: Sequence[str], labelled: Mapping[str, Snapshot]
) -> list[ItemResult]:
    """Put the labels *names* on snapshots; *labelled* has those that are known, with theirs.

    What is on already is not sent: it is not known whether a second time is refused.
    """
    for name in names:
        tag_id = ensure(call, name)
        bare = [one for one in ids if one not in labelled or not _has(labelled[one], name)]
        if bare:
            _send(call, "AttachTags", bare, tag_id)
    return _done(ids)


def _has(snapshot: Snapshot, name: str) -> bool:
    return snapshot.tags is not None and name in snapshot.tags


def take_off(call: Calling, ids: Sequence[str], names: Sequence[str]) -> list[ItemResult]:
    """Take the labels *names* off snapshots; a label that does not exist is on none."""
    for name in names:
        tag_id = find(call, name)
        if tag_id is not None:
            _send(call, "DetachTags", ids, tag_id)
    return _done(ids)


def _send(call: Calling, operation: str, ids: Sequence[str], tag_id: str) -> None:
    call(operation, pairs("snapshot", ids, tag_id), safety=Safety.REPEATABLE)


def _done(ids: Sequence[str]) -> list[ItemResult]:
    return [ItemResult(id=one, kind=Kind.SNAPSHOT) for one in ids]
