"""Answers that are too large, too deep or too long: refused early, and without the memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from snapkit import http, walking
from snapkit.errors import ProtocolError, Retry

from .cloud import NAMES, Cloud
from .server import OK, Wire, bomb, changed, raw, serving

ROOT = Path(__file__).resolve().parents[2]
MIB = 1024**2
CHILD = """
import json, sys
from snapkit import connect
from snapkit.credentials import Credentials
from snapkit.errors import SnapkitError

def peak():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

provider, region, url, key, secret = sys.argv[1:]
keys = Credentials(key_id=key, secret=secret)
with connect(provider, region, endpoint=url, credentials=keys) as client:
    warm = len(list(client.snapshots()))
    before = peak()
    try:
        list(client.snapshots())
        said = None
    except SnapkitError as error:
        said = [type(error).__name__, str(error), error.attempts]
print(json.dumps({"rows": warm, "grown": peak() - before, "said": said}))
"""


@pytest.fixture(scope="module")
def packed() -> bytes:
    """Return 300 MiB in 300 kB."""
    made = bomb(300)
    assert len(made) < 2 * MIB
    return made


@pytest.mark.faults(16)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs the peak of Linux")
def test_a_bomb_of_300_mebibytes_costs_less_than_64(here: Cloud, packed: bytes) -> None:
    """Measured in a process of its own, after a good listing over the same connection."""
    head = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with serving(Wire(here.answer)) as wire:
        here.check_whole(here.list(wire.url))
        wire.script = dict.fromkeys(range(2 * len(wire.seen), 99), raw(head + packed))
        keys = next(here.emulator.world.of(here.provider))
        place = (here.provider, here.target.region, wire.url, keys.key_id, keys.secret)
        ended = subprocess.run(
            [sys.executable, "-c", CHILD, *place],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "providers")])},
            capture_output=True,
            text=True,
            timeout=60,
        )

    assert 0 == ended.returncode, ended.stderr
    found = json.loads(ended.stdout)
    assert len(here.ids) == found["rows"]
    assert ["ProtocolError", 1] == [found["said"][0], found["said"][2]]
    assert "larger than 16 MiB" in found["said"][1]
    assert found["grown"] < 64 * MIB


@pytest.mark.faults(16)
@pytest.mark.parametrize("packing", [True, False], ids=["gzip", "plain"])
def test_the_rows_before_an_answer_that_is_too_large_are_there(
    here: Cloud, packing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is not asked for again: it would be as large."""
    monkeypatch.setattr(http, "LARGEST_BODY", MIB)
    made = bomb(2) if packing else b" " * (2 * MIB)
    coding = b"Content-Encoding: gzip\r\n" if packing else b""
    reply = raw(OK + coding + b"Content-Length: %d\r\n\r\n" % len(made) + made)
    with serving(Wire(here.answer, dict.fromkeys(range(1, 99), reply))) as wire:
        seen = here.list(wire.url)
    error = here.check_failed(seen)

    assert type(error) is ProtocolError
    assert (Retry.NEVER, 100, 2) == (error.retry, len(seen.rows), len(wire.seen))


@pytest.mark.faults(16)
def test_a_page_of_more_rows_than_any_provider_sends_is_refused(
    here: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size of an answer alone does not bound the objects made of it."""
    monkeypatch.setattr(walking, "MOST_ROWS", 99)
    with serving(Wire(here.answer)) as wire:
        seen = here.list(wire.url)
    error = here.check_failed(seen)

    assert type(error) is ProtocolError
    assert "100 rows in one page" in str(error)
    assert ([], 1) == (seen.rows, len(wire.seen))


@pytest.mark.faults(31)
def test_an_answer_that_is_too_deep_is_refused(here: Cloud) -> None:
    """A field that nobody reads may still exhaust the stack of who prints it."""

    def deepen(body: bytes, levels: int) -> bytes:
        name = NAMES[here.provider].encode()
        return body.replace(
            b'"%s":' % name, b'"odd": %s, "%s":' % (b"[" * levels + b"]" * levels, name), 1
        )

    for levels, fine in ((20, True), (100, False), (100_000, False)):
        reply = changed(
            lambda answer, levels=levels: attrs.evolve(  # type: ignore[misc] # bound now
                answer, body=deepen(answer.body, levels)
            )
        )
        with serving(Wire(here.answer, always=reply)) as wire:
            seen = here.list(wire.url)
        if fine:
            here.check_whole(seen)
        else:
            assert type(here.check_failed(seen)) is ProtocolError
