"""The driver keeps the contract of snapkit, every clause of it."""

from harness import FilesystemHarness

from snapkit.testing import DriverContract


class TestFilesystem(DriverContract):
    """C01 to C75."""

    def make_harness(self) -> FilesystemHarness:
        return FilesystemHarness()
