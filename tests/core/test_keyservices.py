"""Services that hand out temporary keys are asked safely, and once for all who ask."""

import pickle
from pathlib import Path

import pytest

from snapkit.credentials import Credentials, CredentialSource, Secret, StaticSource
from snapkit.errors import CredentialsMissingError
from snapkit.keyfiles import Fields, expiry_in, json_fields, pair_in
from snapkit.keyservices import ask_address, ask_metadata, reread, shared
from tests.keylab import CANARY, NOW, Time, at_home, check_silent, debug, put, server

PATH = "hard-to-guess"


def test_metadata_is_asked_once_and_never_by_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that answers in its place would hand out its own keys."""
    with (
        server(lambda asked: (200, asked.headers.get("x-mark", ""))) as (url, seen),
        server(lambda asked: (200, "the proxy")) as (proxy, proxied),
    ):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("HTTP_PROXY", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        answer = ask_metadata(f"{url}/a", headers={"X-Mark": "here"})

    assert (200, b"here") == (answer.status, answer.body)
    assert (1, 0) == (len(seen), len(proxied))


def test_a_machine_without_metadata_is_said() -> None:
    """Where nobody listens it does not take long."""
    with server(lambda asked: (200, "")) as (url, _):
        pass
    with pytest.raises(CredentialsMissingError, match="outside this cloud has no role; use keys"):
        ask_metadata(url)
    with (
        server(lambda asked: (200, "x" * 70_000)) as (url, _),
        pytest.raises(CredentialsMissingError, match="too large"),
    ):
        ask_metadata(url)


def test_a_shared_source_is_made_once() -> None:
    """The key is whatever tells two apart."""
    made: list[int] = []

    def make() -> CredentialSource:
        made.append(1)
        return StaticSource(Credentials(key_id="a", secret="b"))

    key = object()
    assert shared(key, make) is shared(key, make)
    assert [1] == made


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"http://keys.example/{CANARY}", "is neither https nor http to this machine"),
        (f"http://10.0.0.1/{CANARY}", "is neither https nor http to this machine"),
        (f"ftp://127.0.0.1/{CANARY}", "is neither https nor http to this machine"),
        (f"/{CANARY}", "is neither https nor http to this machine"),
        (f"http://[::1/{CANARY}", "is neither https nor http to this machine"),
        (f"https://169.254.169.254/{CANARY}", "names no host that may be asked for keys"),
        (f"https:///{CANARY}", "names no host that may be asked for keys"),
        (f"https://me:{CANARY}@keys.example/", "has more than host, path and query"),
        (f"https://keys.example/#{CANARY}", "has more than host, path and query"),
        (f"https://keys.example/{CANARY} x", "has more than host, path and query"),
    ],
)
def test_an_address_that_must_not_be_asked_is_refused_unseen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, address: str, said: str
) -> None:
    """Keys over plain http could be read or replaced on the way."""
    debug(caplog)
    with pytest.raises(CredentialsMissingError, match=f"the address in the test {said}") as caught:
        ask_address(Secret(address), at_home(tmp_path), origin="the test")

    assert CANARY not in f"{caught.value} {caught.value!r} {caught.value.__context__!r}"
    assert CANARY not in caplog.text


def test_an_address_on_this_machine_is_asked_with_its_query_and_without_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vendors' own example has the user's name there."""
    with (
        server(lambda asked: (200, CANARY)) as (url, seen),
        server(lambda asked: (200, "the proxy")) as (proxy, proxied),
    ):
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        found = ask_address(Secret(f"{url}/keys?user=me"), at_home(tmp_path), origin="the test")

    assert CANARY == found.reveal()
    assert ["/keys?user=me"] == [asked.path for asked in seen]
    assert [] == proxied


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, CANARY, r"the test names has no keys \(HTTP 403\); check the address"),
        (302, CANARY, r"the test names has no keys \(HTTP 302\)"),
        (200, CANARY * 4000, "the answer of the service that the test names is too large"),
    ],
)
def test_an_address_that_has_no_keys_is_said_unseen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int, body: str, said: str
) -> None:
    """What it answered may be half of a secret."""
    debug(caplog)
    with (
        server(lambda asked: (status, body)) as (url, _),
        pytest.raises(CredentialsMissingError, match=said) as caught,
    ):
        ask_address(Secret(f"{url}/of-{PATH}"), at_home(tmp_path), origin="the test")

    said_by_us = [one.getMessage() for one in caplog.records if one.name.startswith("snapkit")]
    assert CANARY not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caplog.text}"
    assert PATH not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {said_by_us}"


def test_nobody_at_an_address_is_said_by_its_host_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The path may be what protects it."""
    debug(caplog)
    with server(lambda asked: (200, "")) as (url, _):
        pass
    with pytest.raises(CredentialsMissingError, match=r"does not answer: 127\.0\.0\.1:") as caught:
        ask_address(Secret(f"{url}/{CANARY}"), at_home(tmp_path), origin="the test")

    assert CANARY not in f"{caught.value} {caught.value!r} {caplog.text}"
    # Libraries for work on many machines pickle the causes of an error too.
    assert (None, None) == (caught.value.__cause__, caught.value.__context__)
    assert CANARY not in repr(pickle.dumps(caught.value))


def kept(path: Path) -> Credentials:
    """Return the key that the file at *path* has, with its end."""
    found = json_fields(path) or Fields({})
    ends = expiry_in(found.text("e"), "f")
    keys = pair_in(found, "i", "s", token="t", origin="f", expires_at=ends)
    if keys is None:
        raise CredentialsMissingError("f has no key")
    return keys


def key(number: int, end: float) -> dict[str, object]:
    return {"i": f"id-{number}", "s": CANARY, "t": f"{CANARY}-token", "e": end}


def test_keys_that_another_tool_renews_are_read_again_before_they_end(tmp_path: Path) -> None:
    """Signing in again in another window is enough for a program that runs for days."""
    time, path = Time(), put(tmp_path, "f", key(1, NOW + 3600))
    source = reread("a", lambda: kept(path), time.clock())

    assert "id-1" == source.get().key_id
    put(tmp_path, "f", key(2, NOW + 7200))
    assert "id-1" == source.get().key_id
    time.now += 3000
    assert "id-2" == source.get().key_id


def test_keys_that_nobody_renewed_are_used_to_their_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The last quarter of an hour is still good."""
    debug(caplog)
    time, path = Time(), put(tmp_path, "f", key(1, NOW + 3600))
    source = reread("b", lambda: kept(path), time.clock())
    found: list[str] = []
    for _ in range(59):
        found.append(source.get().key_id)
        time.now += 60

    assert ["id-1"] * 59 == found
    time.now += 60
    with pytest.raises(CredentialsMissingError, match="have expired already") as caught:
        source.get()
    check_silent(caught.value, caplog)


def test_the_same_keys_of_one_file_are_one_source_and_others_another(tmp_path: Path) -> None:
    """Thirty regions share; somebody who signed in as another account must not."""
    clock, path = Time().clock(), put(tmp_path, "f", key(1, NOW + 3600))
    first = reread("c", lambda: kept(path), clock)

    assert first is reread("c", lambda: kept(path), clock)
    put(tmp_path, "f", key(2, NOW + 3600))
    assert first is not reread("c", lambda: kept(path), clock)
    assert CANARY not in repr(first)


def test_what_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    """Not in the middle of a listing."""
    with pytest.raises(CredentialsMissingError, match="f has no key"):
        reread("d", lambda: kept(tmp_path / "no"), Time().clock())
