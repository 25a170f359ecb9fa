"""Apache Libcloud's driver of Alibaba ECS, asked for its largest page (its default is ten)."""

from typing import Any

from benchmarks.clients import Job, each_scope

KEY, SECRET = "AKIDEXAMPLE", "EXAMPLE-not-a-secret"


def load(job: Job) -> None:
    """Import the driver, and tell the library which certificates to trust."""
    import libcloud.security
    from libcloud.compute.drivers import ecs

    del ecs
    if job.bundle:
        libcloud.security.CA_CERTS_PATH = job.bundle


def _scope(job: Job, cloud: str, region: str) -> list[Any]:
    from libcloud.compute.drivers.ecs import ECSDriver

    if cloud != "alibaba":
        raise SystemExit("Libcloud has a driver for Alibaba only")
    host, _, port = job.address.partition(":")
    untyped: Any = ECSDriver
    driver = untyped(KEY, SECRET, secure=bool(job.bundle), host=host, port=int(port), region=region)
    rows: list[Any] = driver.list_volume_snapshots(None, ex_filters={"PageSize": "100"})
    return rows


def listed(job: Job) -> list[Any]:
    """Return all snapshots of all scopes."""
    return each_scope(job, _scope)


def id_of(row: Any) -> str:
    """Return the snapshot's id."""
    return str(row.id)
