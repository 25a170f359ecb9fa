"""Snapshots of Tencent Cloud Cloud Block Storage (CBS, 云硬盘).

Endpoint and authentication
---------------------------
API 3.0 is spoken with ``cbs.tencentcloudapi.com`` for every region; finance regions
(``*-fsi``) have hosts of their own, and the regions come from ``region.tencentcloudapi.com``.
Requests are signed by TC3-HMAC-SHA256; a temporary key's token is a header that is not signed.
With ``api=2.0`` the adapter speaks the retired API with ``snapshot.api.qcloud.com`` (private
clouds, recordings), signed by HmacSHA256 or HmacSHA1 over the form, token included.

Paging
------
By offset, 100 rows a page, in both APIs; API 3.0 is asked for the oldest first. The total
drifts while others delete, so it is a hint only.

Statuses
--------
NORMAL is available, CREATING creating, ROLLBACKING restoring, COPYING_FROM_REMOTE copying,
CHECKING_COPIED verifying, TORECYCLE recycled. API 2.0 writes normal, creating, rollbacking.
There is no failed state: what fails or is deleted vanishes.

Disk types
----------
DiskUsage (3.0) and diskType (2.0) are the role, system or data. A snapshot says nothing about
the performance class of its disk; the category is always unknown.

Sizes and times
---------------
DiskSize and storageSize are binary gigabytes of the source disk; the stored size is not told.
Times without an offset are UTC+8 in every region (option ``time-offset``). The time of the
data is taken to be CreateTime, the best there is. A permanent snapshot has no end, whatever
its DeadlineTime says.

Writing
-------
Snapshots are marked by a tag and groups by their names, as neither action has a client token;
CreateDisks has one. Tags change through the tag service, which has a host and a version of its
own. DeleteSnapshots is all or nothing and is taken apart when it is refused. API 2.0 is spoken
for reading only.

Not supported
-------------
Selecting by instance (rows name no instance), descriptions, stored sizes, parents, full or
incremental, key ids, tags of groups, locking. API 2.0 has neither groups nor regions, and does
not tell tags, encryption, end, origin or zone.

Sources
-------
https://cloud.tencent.com/document/api/362/15647 (DescribeSnapshots),
https://intl.cloud.tencent.com/document/api/362/79718 (DescribeSnapshotGroups), the vendor's page
on DescribeSnapshots of API 2.0, https://cloud.tencent.com/document/product/362/4207 (its codes),
and the vendor's SDKs tencentcloud-sdk-python-cbs and qcloudapi-sdk-python.
"""

from .driver import LegacyTencentDriver, TencentDriver

__all__ = ["LegacyTencentDriver", "TencentDriver"]
