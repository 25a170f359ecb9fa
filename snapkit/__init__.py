"""The disk snapshots of many clouds as one thing.

    import snapkit

    for snapshot in snapkit.list_snapshots(["alibaba:cn-hangzhou", "tencent:ap-guangzhou"]):
        print(snapshot.ref, snapshot.status, snapshot.size_bytes, snapshot.cut_at)

Names are imported when they are first used, so ``import snapkit`` itself costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snapkit import errors as errors
    from snapkit.client import Client as Client
    from snapkit.client import connect as connect
    from snapkit.config import Config as Config
    from snapkit.config import Profile as Profile
    from snapkit.config import load_config as load_config
    from snapkit.credentials import Credentials as Credentials
    from snapkit.credentials import Secret as Secret
    from snapkit.deleting import DeletePlan as DeletePlan
    from snapkit.driver import Capability as Capability
    from snapkit.errors import SnapkitError as SnapkitError
    from snapkit.fleet import SweepProgress as SweepProgress
    from snapkit.fleet import list_groups as list_groups
    from snapkit.fleet import list_snapshots as list_snapshots
    from snapkit.fleet import sweep as sweep
    from snapkit.listing import Listing as Listing
    from snapkit.listing import Outcome as Outcome
    from snapkit.listing import Report as Report
    from snapkit.listing import Scope as Scope
    from snapkit.listing import ScopeReport as ScopeReport
    from snapkit.model import Consistency as Consistency
    from snapkit.model import DiskCategory as DiskCategory
    from snapkit.model import DiskRole as DiskRole
    from snapkit.model import Kind as Kind
    from snapkit.model import Membership as Membership
    from snapkit.model import Origin as Origin
    from snapkit.model import Ref as Ref
    from snapkit.model import Region as Region
    from snapkit.model import Snapshot as Snapshot
    from snapkit.model import SnapshotGroup as SnapshotGroup
    from snapkit.model import SnapshotKind as SnapshotKind
    from snapkit.model import SnapshotStatus as SnapshotStatus
    from snapkit.model import SourceDisk as SourceDisk
    from snapkit.model import Tags as Tags
    from snapkit.model import Usage as Usage
    from snapkit.query import GroupQuery as GroupQuery
    from snapkit.query import SnapshotQuery as SnapshotQuery
    from snapkit.query import TagFilter as TagFilter
    from snapkit.reading import Reader as Reader
    from snapkit.registry import providers as providers
    from snapkit.settings import Target as Target
    from snapkit.waiting import Patience as Patience
    from snapkit.waiting import Progress as Progress
    from snapkit.waiting import Until as Until
    from snapkit.writes import Blocker as Blocker
    from snapkit.writes import Copied as Copied
    from snapkit.writes import Disk as Disk
    from snapkit.writes import ItemResult as ItemResult

__version__ = "0.1.0"

_HOMES = {
    "reading": ("Reader",),
    "deleting": ("DeletePlan",),
    "writes": ("Blocker", "Copied", "Disk", "ItemResult"),
    "waiting": ("Patience", "Progress", "Until"),
    "client": ("Client", "connect"),
    "config": ("Config", "Profile", "load_config"),
    "credentials": ("Credentials", "Secret"),
    "driver": ("Capability",),
    "errors": ("SnapkitError",),
    "fleet": ("SweepProgress", "list_groups", "list_snapshots", "sweep"),
    "listing": ("Listing", "Outcome", "Report", "Scope", "ScopeReport"),
    "model": (
        "Consistency",
        "DiskCategory",
        "DiskRole",
        "Kind",
        "Membership",
        "Origin",
        "Ref",
        "Region",
        "Snapshot",
        "SnapshotGroup",
        "SnapshotKind",
        "SnapshotStatus",
        "SourceDisk",
        "Tags",
        "Usage",
    ),
    "query": ("GroupQuery", "SnapshotQuery", "TagFilter"),
    "registry": ("providers",),
    "settings": ("Target",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Blocker",
    "Capability",
    "Client",
    "Config",
    "Consistency",
    "Copied",
    "Credentials",
    "DeletePlan",
    "Disk",
    "DiskCategory",
    "DiskRole",
    "GroupQuery",
    "ItemResult",
    "Kind",
    "Listing",
    "Membership",
    "Origin",
    "Outcome",
    "Patience",
    "Profile",
    "Progress",
    "Reader",
    "Ref",
    "Region",
    "Report",
    "Scope",
    "ScopeReport",
    "Secret",
    "SnapkitError",
    "Snapshot",
    "SnapshotGroup",
    "SnapshotKind",
    "SnapshotQuery",
    "SnapshotStatus",
    "SourceDisk",
    "SweepProgress",
    "TagFilter",
    "Tags",
    "Target",
    "Until",
    "Usage",
    "__version__",
    "connect",
    "errors",
    "list_groups",
    "list_snapshots",
    "load_config",
    "providers",
    "sweep",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        found = getattr(import_module(f"snapkit.{_MODULES[name]}"), name)
    elif name == "errors":
        found = import_module("snapkit.errors")
    else:
        raise AttributeError(f"module 'snapkit' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
