"""The floor: a raw socket and orjson, with no more HTTP than it takes.

With several threads and one scope it fetches the pages after the first side by side.
"""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.clients import Job, asking, each_scope

id_of = asking.id_of
_READ = 262_144


def load(job: Job) -> None:
    """Import orjson."""
    import orjson

    del job, orjson


class Wire:
    """One connection to one scope."""

    def __init__(self, job: Job, cloud: str, region: str, context: ssl.SSLContext | None) -> None:
        host, _, port = job.address.partition(":")
        plain = socket.create_connection((host, int(port)))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = context.wrap_socket(plain, server_hostname=host) if context else plain
        self._cloud, self._region, self._style = cloud, region, job.style.get(cloud, "")
        lines = asking.headers_of(cloud, region) | {"Host": job.address}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in lines.items())

    def fetch(self, place: object) -> Any:
        """Return the answer at *place*, parsed."""
        import orjson

        path, body = asking.request_of(self._cloud, self._region, place, self._style)
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        method = "POST" if body else "GET"
        head = f"{method} {path} HTTP/1.1\r\n{self._headers}{length}\r\n"
        self._socket.sendall(head.encode() + body)
        return orjson.loads(self._body())

    def _body(self) -> memoryview:
        data = self._socket.recv(_READ)
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._more(_READ)
        if not data.startswith(b"HTTP/1.1 200 "):
            raise SystemExit(f"the benchmark server said {data[:200]!r}")
        at = data.index(b"Content-Length:")
        length = int(data[at + 15 : data.index(b"\r\n", at)])
        body = bytearray(length)
        view, have = memoryview(body), len(data) - end - 4
        view[:have] = data[end + 4 :]
        while have < length:
            got = self._socket.recv_into(view[have:])
            if not got:
                raise SystemExit("the benchmark server closed the connection")
            have += got
        return view

    def _more(self, size: int) -> bytes:
        data = self._socket.recv(size)
        if not data:
            raise SystemExit("the benchmark server closed the connection")
        return data

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def _context(job: Job) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=job.bundle) if job.bundle else None


def listed(job: Job) -> list[Any]:
    """Return all rows of all scopes."""
    context = _context(job)
    if len(job.scopes) == 1 and job.threads > 1:
        return _side_by_side(job, context)

    def scope(job: Job, cloud: str, region: str) -> list[Any]:
        wire = Wire(job, cloud, region, context)
        try:
            style = job.style.get(cloud, "")
            return [row for page in asking.pages(cloud, wire.fetch, style) for row in page]
        finally:
            wire.close()

    return each_scope(job, scope)


def _side_by_side(job: Job, context: ssl.SSLContext | None) -> list[Any]:
    """Return the rows of one counted scope over one connection for each thread."""
    ((cloud, region),) = job.scopes
    first = Wire(job, cloud, region, context)
    rows, total = asking.rows_of(cloud, first.fetch(None))
    places = iter(range(asking.PAGE, total, asking.PAGE))

    def work(wire: Wire | None) -> list[Any]:
        wire = wire or Wire(job, cloud, region, context)
        found: list[Any] = []
        for place in places:
            found += asking.rows_of(cloud, wire.fetch(place))[0]
        wire.close()
        return found

    with ThreadPoolExecutor(job.threads) as pool:
        wires = [first, *[None] * (job.threads - 1)]
        return rows + [row for part in pool.map(work, wires) for row in part]
