"""The vendors' official SDKs, each in its largest page and with its connections kept.

One SDK client for each scope, as the vendors' documents show it.
"""

import importlib
import os
import warnings
from typing import Any

from benchmarks.clients import Job, each_scope

KEY, SECRET = "AKIDEXAMPLE", "EXAMPLE-not-a-secret"
PAGE = 100
_MODULES = {
    "alibaba": (
        "alibabacloud_ecs20140526.client",
        "alibabacloud_ecs20140526.models",
        "alibabacloud_tea_openapi.models",
    ),
    "tencent": (
        "tencentcloud.cbs.v20170312.cbs_client",
        "tencentcloud.cbs.v20170312.models",
        "tencentcloud.common.credential",
        "tencentcloud.common.profile.client_profile",
        "tencentcloud.common.profile.http_profile",
    ),
    "qingcloud": ("qingcloud.iaas.connection",),
}
_loaded: dict[str, list[Any]] = {}


def load(job: Job) -> None:
    """Import the SDKs of *job*; QingCloud's takes its certificates from the environment."""
    if job.bundle:
        os.environ["SSL_CERT_FILE"] = job.bundle
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for cloud in job.clouds:
            _loaded[cloud] = [importlib.import_module(name) for name in _MODULES[cloud]]
    if "alibaba" in _loaded:
        # This one's models are imported when they are touched.
        models = _loaded["alibaba"][1]
        for name in ("Request", "Response", "ResponseBody"):
            getattr(models, f"DescribeSnapshots{name}")


def alibaba(job: Job, region: str) -> list[Any]:
    """Return all rows by DescribeSnapshots, by token or by page number."""
    ecs, models, core = _loaded["alibaba"]
    config = core.Config(
        endpoint=job.address,
        protocol="https" if job.bundle else "http",
        region_id=region,
        access_key_id=KEY,
        access_key_secret=SECRET,
        ca=job.bundle or None,
    )
    client = ecs.Client(config)
    if job.style.get("alibaba") == "paging=number":
        return _alibaba_by_number(client, models, region)
    rows: list[Any] = []
    token = None
    while token != "":
        request = models.DescribeSnapshotsRequest(
            region_id=region, max_results=PAGE, next_token=token
        )
        body = client.describe_snapshots(request).body
        rows += body.snapshots.snapshot
        token = body.next_token
    return rows


def _alibaba_by_number(client: Any, models: Any, region: str) -> list[Any]:
    rows: list[Any] = []
    while True:
        request = models.DescribeSnapshotsRequest(
            region_id=region, page_number=len(rows) // PAGE + 1, page_size=PAGE
        )
        body = client.describe_snapshots(request).body
        rows += body.snapshots.snapshot
        if not body.snapshots.snapshot or len(rows) >= body.total_count:
            return rows


def tencent(job: Job, region: str) -> list[Any]:
    """Return all rows by DescribeSnapshots of CBS, by offset."""
    cbs, models, credential, client_profile, http_profile = _loaded["tencent"]
    wire = http_profile.HttpProfile(
        protocol="https" if job.bundle else "http",
        endpoint=job.address,
        keepAlive=True,
        certification=job.bundle or None,
    )
    profile = client_profile.ClientProfile(httpProfile=wire)
    client = cbs.CbsClient(credential.Credential(KEY, SECRET), region, profile)
    rows: list[Any] = []
    while True:
        request = models.DescribeSnapshotsRequest()
        request.Offset, request.Limit = len(rows), PAGE
        request.OrderField, request.Order = "CREATE_TIME", "ASC"
        answer = client.DescribeSnapshots(request)
        rows += answer.SnapshotSet
        if not answer.SnapshotSet or len(rows) >= answer.TotalCount:
            return rows


def qingcloud(job: Job, region: str) -> list[Any]:
    """Return all rows by DescribeSnapshots, by offset; the SDK gives dictionaries."""
    (iaas,) = _loaded["qingcloud"]
    host, _, port = job.address.partition(":")
    protocol = "https" if job.bundle else "http"
    client = iaas.APIConnection(KEY, SECRET, region, host=host, port=int(port), protocol=protocol)
    rows: list[Any] = []
    while True:
        answer = client.describe_snapshots(offset=len(rows), limit=PAGE, verbose=1)
        if answer is None or answer["ret_code"] != 0:
            raise SystemExit(f"the QingCloud SDK got {answer!r:.200}")
        rows += answer["snapshot_set"]
        if not answer["snapshot_set"] or len(rows) >= answer["total_count"]:
            return rows


_LISTED = {"alibaba": alibaba, "tencent": tencent, "qingcloud": qingcloud}


def listed(job: Job) -> list[Any]:
    """Return all rows of all scopes."""
    return each_scope(job, lambda job, cloud, region: _LISTED[cloud](job, region))


def id_of(row: Any) -> str:
    """Return the snapshot's id in any of the three forms."""
    if isinstance(row, dict):
        return str(row["snapshot_id"])
    return str(getattr(row, "snapshot_id", None) or row.SnapshotId)
