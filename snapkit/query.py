"""What to select: one value per kind of thing, and the one definition of a match.

Adapters push down what their API can filter exactly and may ignore the rest; the client
filters every answer again with ``matches``. A claim about something the provider does not
say (an unknown size, encryption, tag or time) does not match.
"""

import enum
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from fnmatch import fnmatchcase
from operator import attrgetter
from typing import Any, TypeVar, cast

import attrs

from snapkit.errors import QueryError
from snapkit.model import (
    DiskCategory,
    DiskRole,
    Origin,
    Snapshot,
    SnapshotGroup,
    SnapshotKind,
    SnapshotStatus,
)

__all__ = [
    "GroupQuery",
    "SnapshotQuery",
    "TagFilter",
    "check_filters",
    "parse_size",
    "parse_when",
]

E = TypeVar("E", bound=enum.Enum)
_AGE = re.compile(r"(\d{1,6})\s*(s|m|h|d|w|mo|y)", re.IGNORECASE | re.ASCII)
_SIZE = re.compile(r"(\d{1,15})\s*([kmgtp]?)(i?b)?", re.IGNORECASE | re.ASCII)
_LONGEST_PATTERN = 256


@attrs.frozen
class TagFilter:
    """A tag that must be there; without a *value* any value will do. Both may be globs."""

    key: str
    value: str | None = None

    @classmethod
    def parse(cls, text: str) -> "TagFilter":
        """Return the filter written as ``key`` or ``key=value``."""
        key, equals, value = text.partition("=")
        if not key:
            raise QueryError(f"cannot read the tag filter {text!r}", hint="write key or key=value")
        return cls(key, value if equals else None)

    @property
    def exact(self) -> bool:
        """Whether it holds no wildcard, so that a provider can be asked for it."""
        return not any(sign in f"{self.key}{self.value or ''}" for sign in "*?[")

    def matches(self, tags: Mapping[str, str] | None) -> bool:
        """Whether one of *tags* is the one wanted."""
        return any(
            fnmatchcase(key, self.key) and (self.value is None or fnmatchcase(value, self.value))
            for key, value in (tags or {}).items()
        )


def parse_when(text: str | date, now: datetime | None = None) -> datetime:
    """Return an aware UTC time from a date, a time, or an age such as ``30d``.

    Ages count back from *now*: s, m, h, d, w, mo (months), y. Dates and times without a zone
    are UTC. Raises QueryError for anything else.
    """
    from dateutil.parser import ParserError, isoparse
    from dateutil.relativedelta import relativedelta

    now = now or datetime.now(UTC)
    try:
        if isinstance(text, date):
            return _utc(text)
        age = _AGE.fullmatch(text.strip())
        if age is None:
            return _utc(isoparse(text.strip()))
        number, unit = int(age[1]), age[2].lower()
        if unit in ("mo", "y"):
            months = number * (1 if unit == "mo" else 12)
            return now - relativedelta(months=months)
        names = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
        return now - timedelta(**{names[unit]: number})
    except (ParserError, ValueError, OverflowError, TypeError, AttributeError) as error:
        raise QueryError(
            f"cannot read the date {text!r}",
            hint="write an age (30d, 12h, 6mo), a date (2026-03-01) or a time (2026-03-01T06:00Z)",
        ) from error


def _utc(moment: date) -> datetime:
    moment = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def parse_size(text: str | int) -> int:
    """Return bytes from ``40G``, ``40GiB``, ``500M`` or a bare number of bytes; units are 1024."""
    found = _SIZE.fullmatch(str(text).strip())
    if found is None or (found[3] and not found[2] and found[3].lower() != "b"):
        raise QueryError(f"cannot read the size {text!r}", hint="write 40G, 500M or 2T")
    return int(found[1]) << (10 * " kmgtp".index(found[2].lower()) if found[2] else 0)


def _each(value: Any, single: type | tuple[type, ...]) -> Iterable[Any]:
    """Return the values of a filter, which may be given alone."""
    if isinstance(value, single):
        return [value]
    if not isinstance(value, Iterable):
        raise QueryError(f"a filter cannot be {value!r}", hint="give a text or a list of texts")
    return cast("Iterable[Any]", value)


def _texts(value: str | Iterable[str] | None) -> frozenset[str] | None:
    if value is None:
        return None
    found = frozenset(_each(value, str))
    wrong = [text for text in found if not isinstance(cast("object", text), str)]
    if wrong:
        raise QueryError(f"a filter is {wrong[0]!r}, not a text")
    if any(not text or text.isspace() for text in found):
        raise QueryError("a filter has an empty value", hint="leave the filter out to get all")
    return found


def _globs(value: str | Iterable[str] | None) -> tuple[str, ...]:
    found = tuple(sorted(_texts(value) or ()))
    if any(len(glob) > _LONGEST_PATTERN for glob in found):
        raise QueryError(f"a name pattern is longer than {_LONGEST_PATTERN} characters")
    return found


def _members(kind: type[E], value: Any) -> frozenset[E] | None:
    if value is None:
        return None
    words = {str(member.value): member for member in kind}
    found: set[E] = set()
    for item in _each(value, (str, kind)):
        member = item if isinstance(item, kind) else words.get(str(item).strip().lower())
        if member is None:
            raise QueryError(
                f"no such value {item!r}", hint=f"choose from {', '.join(sorted(words))}"
            )
        found.add(member)
    return frozenset(found)


def _statuses(value: Any) -> frozenset[SnapshotStatus] | None:
    return _members(SnapshotStatus, value)


def _roles(value: Any) -> frozenset[DiskRole] | None:
    return _members(DiskRole, value)


def _categories(value: Any) -> frozenset[DiskCategory] | None:
    return _members(DiskCategory, value)


def _kinds(value: Any) -> frozenset[SnapshotKind] | None:
    return _members(SnapshotKind, value)


def _origins(value: Any) -> frozenset[Origin] | None:
    return _members(Origin, value)


def _when(value: str | date | None) -> datetime | None:
    return None if value is None else parse_when(value)


def _size(value: str | int | None) -> int | None:
    return None if value is None else parse_size(value)


def _tags(value: Any) -> tuple[TagFilter, ...]:
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, str | None]", value)
        return tuple(TagFilter(key, wanted) for key, wanted in pairs.items())
    found = () if value is None else _each(value, (str, TagFilter))
    return tuple(tag if isinstance(tag, TagFilter) else TagFilter.parse(tag) for tag in found)


def _any(_: Snapshot) -> bool:
    return True


def _both(
    first: Callable[[Snapshot], bool], second: Callable[[Snapshot], bool]
) -> Callable[[Snapshot], bool]:
    return second if first is _any else lambda one: first(one) and second(one)


def _is_in(of: Callable[[Any], Any], wanted: frozenset[Any]) -> Callable[[Any], bool]:
    return lambda one: of(one) in wanted


def _within(value: Any, least: Any, most: Any) -> bool:
    return (
        value is not None and (least is None or value >= least) and (most is None or value <= most)
    )


def _named(name: str | None, globs: tuple[str, ...]) -> bool:
    return not globs or any(fnmatchcase(name or "", glob) for glob in globs)


def _claim(_: Any, field: Any, value: object) -> None:
    if value not in (None, True, False):
        raise QueryError(f"{field.name} cannot be {value!r}", hint="give True or False, or neither")


@attrs.frozen(kw_only=True)
class SnapshotQuery:
    """Which snapshots to list; every field narrows, an empty query means all.

    Fields that take several values match any of them; ``tags`` must all be there. Names and
    tags are globs, in the case written. Times take datetimes, dates or ages (``30d``), sizes
    take bytes or ``40G`` and speak of ``size_bytes``; all four bounds are included. Snapshots
    that the provider still lists although they are deleted are left out unless
    ``include_deleted`` or a status of deleted asks for them.
    """

    ids: frozenset[str] | None = attrs.field(default=None, converter=_texts)
    disk_ids: frozenset[str] | None = attrs.field(default=None, converter=_texts)
    instance_ids: frozenset[str] | None = attrs.field(default=None, converter=_texts)
    group_ids: frozenset[str] | None = attrs.field(default=None, converter=_texts)
    names: tuple[str, ...] = attrs.field(default=(), converter=_globs)
    tags: tuple[TagFilter, ...] = attrs.field(default=(), converter=_tags)
    statuses: frozenset[SnapshotStatus] | None = attrs.field(default=None, converter=_statuses)
    roles: frozenset[DiskRole] | None = attrs.field(default=None, converter=_roles)
    categories: frozenset[DiskCategory] | None = attrs.field(default=None, converter=_categories)
    kinds: frozenset[SnapshotKind] | None = attrs.field(default=None, converter=_kinds)
    origins: frozenset[Origin] | None = attrs.field(default=None, converter=_origins)
    created_after: datetime | None = attrs.field(default=None, converter=_when)
    created_before: datetime | None = attrs.field(default=None, converter=_when)
    smallest: int | None = attrs.field(default=None, converter=_size)
    largest: int | None = attrs.field(default=None, converter=_size)
    encrypted: bool | None = attrs.field(default=None, validator=_claim)
    include_deleted: bool = False

    def matches(self, snapshot: Snapshot) -> bool:
        """Whether *snapshot* is one of those asked for; group_ids are the client's matter.

        For many snapshots, take ``matcher()`` once.
        """
        return self.matcher()(snapshot)

    def matcher(self) -> Callable[[Snapshot], bool]:
        """Return what ``matches`` asks, made ready for many snapshots."""
        every: Callable[[Snapshot], bool] = _any
        for test in self._tests():
            every = _both(every, test)
        return every

    def _tests(self) -> Iterator[Callable[[Snapshot], bool]]:
        """Yield a test for each filter that is set, the cheap ones first."""
        statuses = self.statuses
        if statuses is not None:
            yield lambda one: one.status in statuses
        elif not self.include_deleted:
            yield lambda one: one.status is not SnapshotStatus.DELETED
        for wanted, of in (
            (self.ids, attrgetter("id")),
            (self.disk_ids, attrgetter("source.id")),
            (self.instance_ids, attrgetter("source.instance_id")),
            (self.roles, attrgetter("source.role")),
            (self.categories, attrgetter("source.category")),
            (self.kinds, attrgetter("kind")),
            (self.origins, attrgetter("origin")),
        ):
            if wanted is not None:
                yield _is_in(of, wanted)
        if self.encrypted is not None:
            yield lambda one: one.encrypted is self.encrypted
        if self.created_after is not None or self.created_before is not None:
            yield lambda one: _within(one.created_at, self.created_after, self.created_before)
        if self.smallest is not None or self.largest is not None:
            yield lambda one: _within(one.size_bytes, self.smallest, self.largest)
        if self.names:
            yield lambda one: _named(one.name, self.names)
        if self.tags:
            yield lambda one: all(tag.matches(one.tags) for tag in self.tags)

    @property
    def wants_deleted(self) -> bool:
        """Whether deleted snapshots may be in the answer."""
        return self.include_deleted or SnapshotStatus.DELETED in (self.statuses or ())


@attrs.frozen(kw_only=True)
class GroupQuery:
    """Which snapshot groups to list; fields mean the same as in SnapshotQuery.

    ``snapshot_ids`` selects the groups that hold any of these snapshots.
    """

    ids: frozenset[str] | None = attrs.field(default=None, converter=_texts)
    instance_ids: frozenset[str] | None = attrs.field(default=None, converter=_texts)
    snapshot_ids: frozenset[str] | None = attrs.field(default=None, converter=_texts)
    names: tuple[str, ...] = attrs.field(default=(), converter=_globs)
    tags: tuple[TagFilter, ...] = attrs.field(default=(), converter=_tags)
    statuses: frozenset[SnapshotStatus] | None = attrs.field(default=None, converter=_statuses)
    created_after: datetime | None = attrs.field(default=None, converter=_when)
    created_before: datetime | None = attrs.field(default=None, converter=_when)

    def matches(self, group: SnapshotGroup) -> bool:
        """Whether *group* is one of those asked for."""
        return (
            (self.ids is None or group.id in self.ids)
            and (self.instance_ids is None or group.instance_id in self.instance_ids)
            and (
                self.snapshot_ids is None
                or any(member.id in self.snapshot_ids for member in group.members)
            )
            and (self.statuses is None or group.status in self.statuses)
            and (
                (self.created_after is None and self.created_before is None)
                or _within(group.created_at, self.created_after, self.created_before)
            )
            and _named(group.name, self.names)
            and all(tag.matches(group.tags) for tag in self.tags)
        )


def check_filters(kind: type[SnapshotQuery] | type[GroupQuery], names: Iterable[str]) -> None:
    """Raise QueryError if one of *names* is not a field of *kind*."""
    known = sorted(field.name for field in attrs.fields(kind))
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            raise QueryError(
                f"no filter {name!r}",
                hint=(f"did you mean {near[0]!r}? " if near else "") + f"known: {', '.join(known)}",
            )
