"""The loopback server of the benchmarks: ``python -m benchmarks.server SPEC``.

A process of its own that writes its pages once, then answers after a chosen latency. The
first answer of a connection comes no earlier than a chosen time after it was accepted, as if
opening it, TLS included, had taken so long. It tells its port in one line of JSON; a line on
stdin is answered by what was counted since the last one, the end of stdin ends it.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import sys
from typing import Any

from benchmarks.pages import Library, read

_HEAD = (
    b"HTTP/1.1 %b\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Type: %b\r\n"
    b"Content-Length: %d\r\nConnection: keep-alive\r\n\r\n"
)


class Counts:
    """How many requests and connections there were."""

    def __init__(self) -> None:
        self.requests = self.connections = 0

    def taken(self) -> dict[str, int]:
        """Return the counts and start again from zero."""
        found = {"requests": self.requests, "connections": self.connections}
        self.requests = self.connections = 0
        return found


class Answering(asyncio.Protocol):
    """One connection, kept alive; requests come one after the other."""

    def __init__(self, library: Library, counts: Counts, latency: float, ready: float) -> None:
        self._library, self._counts = library, counts
        self._latency, self._ready = latency, ready
        self._buffer = b""
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request that has arrived in full."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[: end + 2]
            length = _length(head)
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._counts.requests += 1
            answer = self._answer(head, body)
            now = self._loop.time()
            due = max(now, self._ready) + self._latency
            if due > now:
                self._loop.call_at(due, self._send, answer)
            else:
                self._send(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)

    def _answer(self, head: bytes, body: bytes) -> bytes:
        try:
            kind, page = self._library.answer(read(head, body))
        except (KeyError, ValueError) as error:
            page = f"the benchmark server cannot answer this: {error!r}".encode()
            return _HEAD % (b"400 Bad Request", b"text/plain", len(page)) + page
        return _HEAD % (b"200 OK", kind, len(page)) + page


def _length(head: bytes) -> int:
    at = head.lower().find(b"\r\ncontent-length:")
    return int(head[at + 17 : head.index(b"\r\n", at + 2)]) if at >= 0 else 0


async def serve(spec: dict[str, Any], library: Library) -> None:
    """Accept and answer until stdin ends."""
    loop = asyncio.get_running_loop()
    context = None
    if spec["certificate"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(spec["certificate"])
    counts, ended = Counts(), asyncio.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    listener.setblocking(False)
    loop.add_reader(sys.stdin, _heard, counts, ended)
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    accepting = asyncio.create_task(_accept(listener, context, spec, library, counts))
    await ended.wait()
    accepting.cancel()
    listener.close()


async def _accept(
    listener: socket.socket,
    context: ssl.SSLContext | None,
    spec: dict[str, Any],
    library: Library,
    counts: Counts,
) -> None:
    loop, opened = asyncio.get_running_loop(), set()
    while True:
        accepted, _ = await loop.sock_accept(listener)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        counts.connections += 1
        ready = loop.time() + spec["opening"] if spec["opening"] else 0.0
        task = asyncio.create_task(
            _connect(accepted, context, Answering(library, counts, spec["latency"], ready))
        )
        opened.add(task)
        task.add_done_callback(opened.discard)


async def _connect(
    accepted: socket.socket, context: ssl.SSLContext | None, protocol: Answering
) -> None:
    # Who goes away during the handshake is no matter of the server's.
    with contextlib.suppress(OSError):
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: protocol, accepted, ssl=context
        )


def _heard(counts: Counts, ended: asyncio.Event) -> None:
    if sys.stdin.readline():
        print(json.dumps(counts.taken()), flush=True)
    else:
        ended.set()


def main() -> None:
    """Serve what the first argument says, in JSON."""
    spec = json.loads(sys.argv[1])
    library = Library([tuple(one) for one in spec["scopes"]], xml=spec["xml"])
    asyncio.run(serve(spec, library))


if __name__ == "__main__":
    main()
