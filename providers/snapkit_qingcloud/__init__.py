"""QingCloud (青云): the snapshots of its IaaS API, which its console calls backups.

Endpoint and authentication
---------------------------
``https://api.qingcloud.com/iaas/`` for every zone and region; the place is the parameter
``zone``. A private cloud is reached by its own endpoint, whose path is signed too. Requests
are signed with HmacSHA256 (option ``signature=hmac-sha1`` for old servers) over the verb, the
path and the sorted parameters. A request is a GET; it becomes a POST above 4 KB, when it
carries the token of an instance's role, and with ``method=post``. A role's token goes to
``/iam/``.

Paging
------
``offset`` and ``limit``; 100 rows at most, more is cut in silence, and 20 where nothing is
said, even for a list of ids. So the limit is always sent.

Statuses
--------
Two axes: ``status`` (pending, available, suspended, deleted, ceased) and
``transition_status``, empty or absent when nothing is under way. ``raw_status`` shows both as
``available/deleting``. A transition that nobody has described makes an available snapshot
unknown, not available.

Disk types
----------
A resource ``vol-…`` is a data disk, an instance ``i-…`` stands for its system disk only. The
performance class is a number (``volume_type``) and is mapped where the product's name says
what is inside: 2 and 6 are HDD, 3, 5 and 200 SSD; the others are unknown.

Sizes and times
---------------
``size`` and ``virtual_size`` are MiB, ``snapshot_resource.size`` is GiB. The point in time of
the data is ``snapshot_time``; ``create_time`` is when the snapshot was finished, seconds to
minutes later.

Not supported
-------------
Snapshot groups kept by the provider: they are derived from equal time, equal name and one
server. Tags with values (labels only), expiry, copies, shares, locks and policies: the API does
not have them. A client token: the marker of a request is in the name. Disks from snapshots of
system disks.

Sources
-------
docs.qingcloud.com/product/api and docsv4.qingcloud.com (snapshots, volumes, zones, signature,
error codes); the official SDKs under github.com/yunify.
"""

from snapkit_qingcloud.driver import QingCloudDriver

__all__ = ["QingCloudDriver"]
