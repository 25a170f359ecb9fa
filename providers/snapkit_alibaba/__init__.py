"""Alibaba Cloud ECS disk snapshots for snapkit.

Endpoint and authentication
---------------------------
``https://ecs.<region>.aliyuncs.com``, with a table of the regions that differ; an endpoint
of one's own replaces it (a private cloud, the address inside a VPC). API version 2014-05-26.
Requests are POSTs signed with ACS3-HMAC-SHA256 (option ``signature=acs3``, the default) or
with RPC version 1 (``signature=rpc``). Temporary credentials take part with their token. The
service tolerates clocks that are 15 minutes wrong and refuses a nonce that it has seen.

Paging
------
DescribeSnapshots by token (``paging=token``, the default) or by page number
(``paging=number``); 100 rows a page. The count that comes with tokens means nothing and is
not handed on. A server that ignores the token parameters is noticed at its first answer and
is asked by page number from then on. DescribeSnapshotGroups knows tokens only.

Statuses
--------
``progressing`` is creating, ``accomplished`` available, ``failed`` failed, in any case.
``Available`` is about restoring: disks of the ESSD family can be restored from long before a
snapshot is complete, so a creating snapshot may be restorable. Without that field only an
accomplished one is. Deleted and expired snapshots are simply no longer listed.

Disk types
----------
``SourceDiskType`` is the role, ``system`` or ``data`` in any case. Rows name no performance
class, and their ``Category`` is the snapshot's own class (standard, flash, archive), so the
category of the disk is unknown. Rows name no server either; asked for the snapshots of one,
snapkit fills it in.

Sizes and times
---------------
``SourceDiskSize`` is GiB, as a number or a text. What a snapshot occupies is not said.
``CreationTime`` is the moment of the data and stays empty until it is fixed: it is both
``created_at`` and ``cut_at``. The moment of completion is not said. ``expires_at`` is
``CreationTime`` plus ``RetentionDays``. ``Usage`` says whether images or disks stand on a
snapshot, not how many: a 1 means at least one.

Writing
-------
CreateSnapshot, CreateSnapshotGroup, CreateDisk and CopySnapshot carry a ClientToken made from
the idempotency key, so their requests may be sent again; so do LockSnapshot and
UnlockSnapshot. Deleting, renaming and tagging may be repeated by nature. ResetDisk and
ResetDisks have no token and go once. DeleteSnapshotGroup and ResetDisks hide failures in a
success; they are opened. Retention is whole days, rounded up, and can only grow.

Not supported
-------------
Choosing full or incremental, sharing (another product), taking an expiry away, stopping and
starting an instance around a rollback.
Snapshots of several servers in one query; chains (``parent_id``, ``root_id``), full or
incremental, locks and shares, all of which the listing does not have. Filters by name, tag
and end of the time range are applied by snapkit, not by the service. A group's member gives
only id, disk, progress and availability; the rest is looked up by id.

Sources
-------
The snapshot and disk operations in the ECS API reference (for the describing ones also an
edition of 2019), the pages on RPC and V3 signatures, and the behaviour of the
official Python SDK (alibabacloud_ecs20140526 7.11.8, alibabacloud_tea_openapi 0.4.6).
"""

from snapkit_alibaba.driver import AlibabaDriver

__all__ = ["AlibabaDriver"]
