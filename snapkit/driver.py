"""What an adapter implements; applications use snapkit.Client instead.

An adapter is a class derived from :class:`Driver`. It is opened with a :class:`Connection`
for one account in one region, and answers one page per call. Loops, filtering, retry, rate
and completeness are the core's; an adapter that does them too does them twice.
"""

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import attrs

from snapkit.credentials import EnvironmentNames
from snapkit.errors import ConfigurationError, UnsupportedError
from snapkit.model import Region, Snapshot, SnapshotGroup
from snapkit.paging import Cursor, Page
from snapkit.query import GroupQuery, SnapshotQuery
from snapkit.rate import Rate
from snapkit.transport import Transport

__all__ = ["Capability", "Connection", "Driver", "Limits", "Option"]


class Capability(enum.Enum):
    """What an adapter can do; asked before anything is sent."""

    GROUPS = "groups"
    """The provider keeps snapshot groups."""
    DERIVED_GROUPS = "derived groups"
    """Groups are inferred from the snapshots of one call."""
    REGIONS = "regions"
    """The provider lists its regions."""


@attrs.frozen(kw_only=True)
class Limits:
    """How much fits in one request; None: the filter cannot be pushed down."""

    page: int = 100
    ids: int = 100
    disk_ids: int | None = None
    group_ids: int | None = None


@attrs.frozen(kw_only=True)
class Option:
    """A choice a user has with one adapter; the first of *choices* is the default.

    Without choices any text is taken and the default is empty.
    """

    help: str
    choices: Sequence[str] = ()


@attrs.frozen(kw_only=True)
class Connection:
    """What the core hands an adapter: one account in one region, and the way there.

    ``endpoint`` is a checked URL without a trailing slash, or None for the provider's own;
    ``options`` has a value for each option that the driver declares; ``keep_raw`` asks for
    the provider's whole rows.
    """

    region: str
    account: str
    transport: Transport
    endpoint: str | None = None
    options: Mapping[str, str] = attrs.field(factory=dict[str, str])
    keep_raw: bool = False


class Driver(ABC):
    """One provider, as seen from one account in one region.

    The core guarantees: *limit* is within 1..limits.page; a ``Position`` cursor of an
    aligned listing starts at a multiple of *limit*; query fields hold no more values than
    ``limits`` allows; nothing is called that ``capabilities`` does not name.

    The adapter guarantees: every error is a SnapkitError, classified by the provider's code;
    an error is never an empty page; rows that cannot be read are named in ``Page.troubles``;
    an unknown status is ``UNKNOWN``; times are aware and sizes bytes.
    """

    name: ClassVar[str]
    """The word in targets and references, in lower case."""
    title: ClassVar[str]
    """The provider's product for people."""
    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    refusals: ClassVar[Mapping[Capability, str]] = {}
    """Why a capability is missing, and where there is one the other way."""
    limits: ClassVar[Limits] = Limits()
    rates: ClassVar[Mapping[str, Rate]] = {}
    """Documented limits by operation; the entry ``""`` is for all others together."""
    environment: ClassVar[EnvironmentNames]
    options: ClassVar[Mapping[str, Option]] = {}
    home_region: ClassVar[str]
    """Where to ask what regions there are."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @abstractmethod
    def list_snapshots(
        self, query: SnapshotQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[Snapshot]:
        """Return one page of at most *limit* rows.

        May return snapshots that do not match *query*: the client filters again. Must not
        leave out one that matches. Ids that are not there give an empty page, not an error.
        """

    def list_groups(
        self, query: GroupQuery, *, cursor: Cursor | None, limit: int
    ) -> Page[SnapshotGroup]:
        """Return one page of groups, under the same duties; for Capability.GROUPS."""
        del query, cursor, limit
        raise self.unsupported(Capability.GROUPS)

    def derive_groups(self, snapshots: Sequence[Snapshot]) -> list[SnapshotGroup]:
        """Return the groups inferred from all *snapshots* here; for DERIVED_GROUPS.

        A group must stand on more than an equal time; what is not certain is no group.
        """
        del snapshots
        raise self.unsupported(Capability.DERIVED_GROUPS)

    def list_regions(self) -> list[Region]:
        """Return the provider's regions, whatever region this is; for Capability.REGIONS."""
        raise self.unsupported(Capability.REGIONS)

    def close(self) -> None:
        """Release what the adapter itself holds. Calling it twice is fine."""
        return

    @classmethod
    def unsupported(cls, capability: Capability) -> UnsupportedError:
        """Return the error that says why *capability* is missing."""
        return UnsupportedError(
            f"{cls.name} does not offer {capability.value}",
            provider=cls.name,
            hint=cls.refusals.get(capability),
        )

    @classmethod
    def checked_options(cls, given: Mapping[str, str]) -> dict[str, str]:
        """Return a value for every option, from *given* or the default.

        Raises ConfigurationError for an option or a choice that does not exist.
        """
        for name, value in given.items():
            option = cls.options.get(name)
            if option is None:
                raise ConfigurationError(
                    f"{cls.name} has no option {name!r}",
                    hint=f"known: {', '.join(sorted(cls.options)) or 'none'}",
                )
            if option.choices and value not in option.choices:
                raise ConfigurationError(
                    f"option {name!r} of {cls.name} cannot be {value!r}",
                    hint=f"choose from {', '.join(option.choices)}",
                )
        defaults = {
            name: option.choices[0] if option.choices else ""
            for name, option in cls.options.items()
        }
        return defaults | dict(given)
