"""Small servers and files for the tests of credentials; nothing leaves this machine."""

import json
import logging
import threading
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest

from snapkit.errors import SnapkitError
from snapkit.sources import Surroundings
from snapkit.transport import Clock

CANARY = "CANARY-5ecret-of-a-key"
NOW = 1_800_000_000.0


@attrs.define
class Time:
    """A clock that stands until it is told to go on."""

    now: float = NOW

    def clock(self) -> Clock:
        return Clock(
            wall=lambda: self.now,
            monotonic=lambda: self.now,
            sleep=self.sleep,
            uniform=lambda low, high: low,
        )

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@attrs.define
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


Answer = Callable[[Asked], tuple[int, Any]]


@contextmanager
def server(answer: Answer) -> Generator[tuple[str, list[Asked]], None, None]:
    """Yield the address of a server on loopback and the requests that it gets."""
    seen: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen.append(Asked(self.command, self.path, headers, body))
            status, said = answer(seen[-1])
            content = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = respond  # noqa: N815 - names of the standard library

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_address[1]}", seen
        finally:
            running.shutdown()
            thread.join()


def at_home(home: Path, *, time: Time | None = None, **changes: Any) -> Surroundings:
    """Return surroundings whose home is *home* and whose environment has nothing else."""
    environ = {"HOME": str(home), **changes.pop("environ", {})}
    clock = (time or Time()).clock()
    return Surroundings(region="sea", environ=environ, clock=clock, **changes)


def put(home: Path, name: str, content: "str | bytes | dict[str, Any]") -> Path:
    """Write a file that only its owner can read, and return its path."""
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content) if isinstance(content, dict) else content
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    return path


def alibaba_sts(number: int = 1, end: float = NOW + 3600) -> dict[str, Any]:
    """Return what AssumeRole answers."""
    written = datetime.fromtimestamp(end, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    keys = {"AccessKeyId": f"STS.{number}", "AccessKeySecret": f"{CANARY}-{number}"}
    keys |= {"SecurityToken": f"{CANARY}-lent-{number}", "Expiration": written}
    return {"RequestId": "R", "Credentials": keys}


def tencent_sts(number: int = 1, end: float = NOW + 3600) -> dict[str, Any]:
    """Return what AssumeRole answers."""
    pair = {"TmpSecretId": f"TMP{number}", "TmpSecretKey": f"{CANARY}-{number}"}
    pair |= {"Token": f"{CANARY}-lent-{number}"}
    return {"Response": {"Credentials": pair, "ExpiredTime": int(end), "RequestId": "R"}}


def check_silent(error: SnapkitError, log: pytest.LogCaptureFixture, secret: str = CANARY) -> None:
    """Check that *secret* is in no text that *error* or the log could show."""
    # The first frame is the test's own, which knows the secret.
    below = error.__traceback__.tb_next if error.__traceback__ else None
    seen = traceback.TracebackException(type(error), error, below, capture_locals=True)
    shown = "".join(seen.format())
    chain: list[BaseException | None] = [error, error.__cause__, error.__context__]
    texts = [shown, log.text, *(f"{one!r} {one} {getattr(one, 'doc', '')}" for one in chain)]

    assert [] == [text for text in texts if secret in text]


def debug(log: pytest.LogCaptureFixture) -> None:
    """Record everything that is logged."""
    log.set_level(logging.DEBUG)
