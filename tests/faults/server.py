"""A raw server on loopback: its good answers are an emulated provider's, its faults are bytes."""

import contextlib
import gzip
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager

import attrs

from snapkit.emulator.dialect import Answer, Request

Reply = Callable[[socket.socket, Answer], bool | None]
"""Sends something instead of, or made of, the good answer; True keeps the connection."""
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@attrs.define
class Wire:
    """Where the server listens, and what it saw; *script* holds the reply to each request.

    The requests that the script does not name get the good answer.
    """

    good: Callable[[Request], Answer]
    script: Mapping[int, Reply] = attrs.field(factory=dict[int, Reply])
    always: Reply | None = None
    context: ssl.SSLContext | None = None
    seen: list[bytes] = attrs.field(factory=list[bytes])
    connections: int = 0
    port: int = 0
    gate: threading.Event = attrs.field(factory=threading.Event)
    lock: threading.Lock = attrs.field(factory=threading.Lock)

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    def talk(self, connection: socket.socket) -> None:
        """Answer what comes over one connection."""
        with self.lock:
            self.connections += 1
        connection.settimeout(5)
        with contextlib.suppress(OSError), connection:
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection:
                while raw := receive(connection):
                    with self.lock:
                        number = len(self.seen)
                        self.seen.append(raw)
                    reply = self.script.get(number) or self.always or whole
                    if not reply(connection, self.good(parsed(raw))):
                        return


def receive(connection: socket.socket) -> bytes:
    """Return one request, or nothing when the client has gone."""
    received = b""
    while b"\r\n\r\n" not in received:
        chunk = connection.recv(65536)
        if not chunk:
            return b""
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    wanted = int(fields(head).get("content-length", "0"))
    while len(body) < wanted:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def fields(head: bytes) -> dict[str, str]:
    """Return the header fields of *head*, names in lower case."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = (line.partition(":") for line in lines if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def parsed(raw: bytes) -> Request:
    """Return a request as a dialect wants it."""
    head, _, body = raw.partition(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ", 2)
    path, _, query = target.partition("?")
    return Request(method=method, path=path, query=query, headers=fields(head), body=body)


@contextmanager
def serving(wire: Wire) -> Generator[Wire]:
    """Let *wire* listen until the block ends; nothing that it holds up outlives that."""
    with listening(wire.talk, wire.gate) as wire.port:
        yield wire


def head(answer: Answer, *more: str, length: int | None = None, sized: bool = True) -> bytes:
    """Return the head of *answer*; without *length* it is the true one."""
    size = len(answer.body) if length is None else length
    lines = [f"{name}: {value}" for name, value in answer.headers.items()]
    lines += [f"Content-Length: {size}"] if sized else []
    status = f"HTTP/1.1 {answer.status} Said"
    return "\r\n".join([status, *lines, *more, "", ""]).encode()


def whole(connection: socket.socket, answer: Answer) -> bool:
    """The good answer, over a connection that stays open."""
    connection.sendall(head(answer) + answer.body)
    return True


def part(share: float, *, sized: bool = True, more: int = 0) -> Reply:
    """Send *share* of the body and close, with the true length, *more* than it, or none."""

    def reply(connection: socket.socket, answer: Answer) -> None:
        size = len(answer.body) + more
        kept = answer.body[: int(len(answer.body) * share)]
        connection.sendall(head(answer, length=size, sized=sized) + kept)

    return reply


def reset(reply: Reply) -> Reply:
    """Do as *reply*, then end the connection with a RST instead of a FIN."""

    def resetting(connection: socket.socket, answer: Answer) -> None:
        reply(connection, answer)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return resetting


def raw(data: bytes) -> Reply:
    """Send *data* and close."""

    def reply(connection: socket.socket, answer: Answer) -> None:
        connection.sendall(data)

    return reply


def changed(change: Callable[[Answer], Answer]) -> Reply:
    """Send the good answer after *change*, whole and with its true length."""

    def reply(connection: socket.socket, answer: Answer) -> bool:
        return whole(connection, change(answer))

    return reply


def half(answer: Answer) -> Answer:
    """Half of the body, as if it were the whole."""
    return attrs.evolve(answer, body=answer.body[: len(answer.body) // 2])


def encoded(coding: str, pack: Callable[[bytes], bytes]) -> Reply:
    """Send the body as *pack* makes it, labelled *coding*."""
    return changed(
        lambda answer: attrs.evolve(
            answer,
            body=pack(answer.body),
            headers={**answer.headers, "Content-Encoding": coding},
        )
    )


def chunked(wanted: str) -> Reply:
    """Send the body in chunks, with one thing *wanted* wrong."""

    def reply(connection: socket.socket, answer: Answer) -> None:
        middle = len(answer.body) // 2
        first, second = answer.body[:middle], answer.body[middle:]
        sent = head(answer, "Transfer-Encoding: chunked", sized=False)
        sent += b"%x\r\n" % len(first) + first + b"\r\n"
        if wanted == "bad size":
            sent += b"zz\r\n" + second + b"\r\n0\r\n\r\n"
        elif wanted == "no terminator":
            sent += b"%x\r\n" % len(second) + second + b"\r\n"
        elif wanted == "cut in a chunk":
            sent += b"%x\r\n" % len(second) + second[:5]
        connection.sendall(sent)

    return reply


def cut_gzip(body: bytes) -> bytes:
    """Two thirds of *body*, compressed."""
    packed = gzip.compress(body)
    return packed[: len(packed) * 2 // 3]


def bad_sum(body: bytes) -> bytes:
    """*body*, compressed, with a check sum of another."""
    return gzip.compress(body)[:-8] + b"\0" * 8


def scrambled(body: bytes) -> bytes:
    """*body*, compressed, with its middle changed."""
    packed = bytearray(gzip.compress(body))
    packed[len(packed) // 2] ^= 0xFF
    packed[len(packed) // 2 + 1] ^= 0xFF
    return bytes(packed)


def bomb(mebibytes: int) -> bytes:
    """Return so many mebibytes of blanks inside one JSON text, compressed."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = b" " * 1024**2
    pieces = [packer.compress(b'{"a": "')]
    pieces += [packer.compress(block) for _ in range(mebibytes)]
    pieces += [packer.compress(b'"}'), packer.flush()]
    return b"".join(pieces)


def dripping(gate: threading.Event, first: bytes, piece: bytes) -> Reply:
    """Send *piece* again and again, each well within any read timeout, until *gate* opens."""

    def reply(connection: socket.socket, answer: Answer) -> None:
        connection.sendall(first)
        while not gate.wait(0.02):
            connection.sendall(piece)

    return reply


def silent(gate: threading.Event, share: float | None = None) -> Reply:
    """Send nothing, or *share* of the body, and then nothing until *gate* opens."""

    def reply(connection: socket.socket, answer: Answer) -> None:
        if share is not None:
            kept = answer.body[: int(len(answer.body) * share)]
            connection.sendall(head(answer) + kept)
        gate.wait(5)

    return reply


@contextmanager
def black_hole(address: str = "127.0.0.1") -> Generator[str]:
    """Give an address that takes no connection and refuses none: its queue is full."""
    listener = socket.socket()
    fillers: list[socket.socket] = []
    try:
        listener.bind((address, 0))
        listener.listen(0)
        for _ in range(8):
            filler = socket.socket()
            filler.setblocking(False)
            fillers.append(filler)
            filler.connect_ex(("127.0.0.1", listener.getsockname()[1]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for one in (*fillers, listener):
            one.close()


@contextmanager
def listening(talk: Callable[[socket.socket], None], gate: threading.Event) -> Generator[int]:
    """Give the port of a server that hands each connection to *talk*; open *gate* at the end."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        gate.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=5)
