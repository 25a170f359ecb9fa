"""Snapshots of directories, as one more provider.

Endpoint and authentication: a directory, named by the option ``root`` or the variable
``SNAPKIT_FILESYSTEM_ROOT``. No keys: the system's own permissions count.

Paging: by token, the name of the last row.

Statuses: ``complete`` and ``damaged``, in the file ``facts.json`` of each snapshot.

Disk types: roles from ``facts.json`` of a disk; no categories.

Sizes and times: bytes, and ISO 8601 in UTC.

Not supported: see ``FilesystemDriver.refusals``.

Sources: none; the layout is described in ``snapkit_filesystem.tree``.
"""

from snapkit_filesystem.driver import FilesystemDriver

__all__ = ["FilesystemDriver"]
