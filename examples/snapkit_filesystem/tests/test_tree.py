"""Copies are whole or not there, read-only, and made once."""

import errno
import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from harness import FilesystemHarness
from snapkit_filesystem.api import explained
from snapkit_filesystem.tree import Tree

from snapkit.client import Client
from snapkit.driver import Capability
from snapkit.errors import (
    ConfigurationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutcomeUnknown,
    PermissionDeniedError,
    UnavailableError,
)
from snapkit.model import SnapshotStatus
from snapkit.settings import Target, open_driver
from snapkit.testing import GroupSeed, Lost


@pytest.fixture
def there() -> Iterator[FilesystemHarness]:
    """An empty region."""
    with FilesystemHarness() as harness:
        yield harness


def data(there: FilesystemHarness, kind: str, name: str) -> Path:
    return there.place / kind / name / "data"


def test_a_snapshot_is_a_read_only_copy_with_links_modes_and_folders(
    there: FilesystemHarness,
) -> None:
    """A restore from less is not the disk that was backed up."""
    (disk,) = there.add_disks(1)
    source = data(there, "disks", disk)
    (source / "etc").mkdir()
    (source / "etc" / "run").write_bytes(b"\x00#!")
    (source / "etc" / "run").chmod(0o755)
    (source / "now").symlink_to("etc/run")
    made = there.client().create(disk, name="nightly")
    (source / "etc" / "run").write_bytes(b"changed")
    copy = data(there, "snapshots", made.id)

    assert (copy / "etc" / "run").read_bytes() == b"\x00#!"
    assert stat.S_IMODE((copy / "etc" / "run").stat().st_mode) == 0o555
    assert stat.S_IMODE((copy / "etc").stat().st_mode) & 0o222 == 0
    assert Path("etc/run") == (copy / "now").readlink()
    assert sum(len(text) for text in (b"disk 1", b"\x00#!", b"etc/run")) == made.stored_bytes


def test_a_restored_disk_can_be_written(there: FilesystemHarness) -> None:
    """What the copy protected belongs to the copy."""
    (disk,) = there.add_disks(1)
    client = there.client()
    restored = client.restore(client.create(disk).id, name="again")
    copy = data(there, "disks", restored.id)

    assert (copy / "ledger").read_text(encoding="utf-8") == "disk 1"
    assert stat.S_IMODE(copy.stat().st_mode) & 0o200
    assert stat.S_IMODE((copy / "ledger").stat().st_mode) & 0o200


def test_what_is_no_file_is_named_and_nothing_is_left(there: FilesystemHarness) -> None:
    """A socket that was left out in silence is missed on the day of the restore."""
    (disk,) = there.add_disks(1)
    os.mkfifo(data(there, "disks", disk) / "pipe")
    with pytest.raises(InvalidRequestError, match="neither a file, a link nor a directory"):
        there.client().create(disk)

    assert list((there.place / "snapshots").iterdir()) == []


def test_a_copy_that_was_cut_is_not_seen_and_the_next_run_makes_it(
    there: FilesystemHarness,
) -> None:
    """A machine that goes away leaves a folder that begins with a dot, and nothing else."""
    (disk,) = there.add_disks(1)
    there.lose(Capability.CREATE, Lost.MIDDLE, times=99)
    with pytest.raises(OutcomeUnknown):
        there.client().create(disk, key="tuesday")
    left = [one.name for one in (there.place / "snapshots").iterdir()]
    there.wire.faults.clear()

    assert left
    assert [name for name in left if name[0] != "."] == []
    assert list(there.client().snapshots()) == []
    assert [there.client().create(disk, key="tuesday").id] == there.living()


def test_runs_side_by_side_with_one_key_make_one_copy(there: FilesystemHarness) -> None:
    """The rename decides which of them was first, and the others find its copy."""
    (disk,) = there.add_disks(1)
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda _: there.client().create(disk, key="tuesday").id, range(16))

    assert there.living() == sorted(set(made))
    assert len(list((there.place / "snapshots").iterdir())) == 1


def test_one_key_finds_its_copy_although_the_disk_is_gone(there: FilesystemHarness) -> None:
    """A second run after the server was taken down is no failure."""
    (disk,) = there.add_disks(1)
    made = there.client().create(disk, key="tuesday")
    Tree(there.place).remove("disks", disk)

    assert made.id == there.client().create(disk, key="tuesday").id


def test_a_group_goes_on_where_it_was_cut(there: FilesystemHarness) -> None:
    """It is claimed first, and shows what is missing until then."""
    disks = there.add_disks(1, 2)
    group = there.client().create_group(disk_ids=disks, key="tuesday")
    there.remove(group.members[0].id)
    cut = there.client().group(group.id)
    again = there.client().create_group(disk_ids=disks, key="tuesday")

    assert SnapshotStatus.DEGRADED is cut.status
    assert group.id == again.id
    assert SnapshotStatus.AVAILABLE is there.client().group(group.id).status


def test_a_member_that_cannot_be_deleted_is_named_and_keeps_its_group(
    there: FilesystemHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a group that belongs to nothing is found by nobody."""
    held, free = there.add_group(GroupSeed(disks=(1, 2)))
    (group,) = there.client().groups()
    plain = Tree.remove

    def guarded(tree: Tree, kind: str, name: str) -> None:
        if name == held:
            raise PermissionError(errno.EACCES, "not yours", name)
        plain(tree, kind, name)

    monkeypatch.setattr(Tree, "remove", guarded)
    results = {one.id: one for one in there.client().delete_group(group.id)}

    assert isinstance(results[held].error, PermissionDeniedError)
    assert results[free].ok
    assert [group.id] == [one.id for one in there.client().groups()]


@pytest.mark.parametrize("name", ["../../etc", "/etc", ".new-s-1", "a/b", ""])
def test_no_name_leads_out_of_its_place(there: FilesystemHarness, name: str) -> None:
    """Ids come from people and from other tools."""
    tree = Tree(there.place)
    with pytest.raises(FileNotFoundError):
        tree.home("snapshots", name)
    with pytest.raises(FileNotFoundError):
        tree.remove("snapshots", name)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"id": 7}', '{"id": "s-other"}'])
def test_facts_that_nobody_can_read_are_a_trouble(there: FilesystemHarness, text: str) -> None:
    """An editor left half a file; the listing goes on, and says so."""
    (name,) = there.add_group(GroupSeed(disks=(1,)))
    (there.place / "snapshots" / name / "facts.json").write_text(text)
    listing = there.client().snapshots()

    assert list(listing) == []
    assert (f"the facts of snapshot {name} cannot be read",) == tuple(
        listing.report.scopes[0].troubles
    )


def test_a_region_that_is_not_there_is_no_empty_one(there: FilesystemHarness) -> None:
    """A mount that is missing would read as "no backups", and a clean-up as "all done"."""
    with pytest.raises(NotFoundError, match="ENOENT"):
        list(there.client(region="site-b").snapshots())


@pytest.mark.parametrize("root", ["", "relative/root"])
def test_a_root_is_named_and_absolute(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a job is started from must not decide what it deletes."""
    monkeypatch.delenv("SNAPKIT_FILESYSTEM_ROOT", raising=False)
    with pytest.raises(ConfigurationError, match="is an absolute path"):
        open_driver(Target(provider="filesystem", region="site-a", options={"root": root}))


def test_the_environment_may_name_the_root(
    there: FilesystemHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for every other provider; no keys are asked for."""
    monkeypatch.setenv("SNAPKIT_FILESYSTEM_ROOT", str(there.root))
    names = there.add_group(GroupSeed())
    with Client(open_driver(Target(provider="filesystem", region="site-a"))) as client:
        assert sorted(names) == sorted(one.id for one in client.snapshots())


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError(errno.ENOENT, "no", "/x"), NotFoundError),
        (PermissionError(errno.EACCES, "no"), PermissionDeniedError),
        (OSError(errno.EIO, "no"), UnavailableError),
        (OSError(errno.EOPNOTSUPP, "no"), InvalidRequestError),
    ],
)
def test_errors_go_by_their_number(error: OSError, kind: type[Any]) -> None:
    """Texts are translated, and change."""
    found = explained(error)

    assert kind is type(found)
    assert found.code


def test_an_order_that_contradicts_is_no_conflict_of_state() -> None:
    """A key that was used for something else is told apart from a busy thing."""
    assert not isinstance(explained(FileExistsError(errno.EEXIST, "no")), ConflictError)
