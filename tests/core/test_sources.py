"""Credentials are looked for in a fixed order, and the machine's role only when asked for."""

import pickle
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import keyring
import keyring.errors
import pytest

from snapkit.credentials import Credentials, CredentialSource, StaticSource
from snapkit.driver import Option
from snapkit.errors import ConfigurationError, CredentialsMissingError, UnsupportedError
from snapkit.keyfiles import json_fields, pair_in
from snapkit.settings import Target, open_driver
from snapkit.sources import (
    KeyPlace,
    KeyringSource,
    Role,
    Surroundings,
    ask_metadata,
    find_source,
    shared,
    source_for,
)
from tests.core.moon import Moon, rising
from tests.keylab import CANARY, Time, at_home, check_silent, put, server

FILE = "~/.moon/keys.json"
ROLE: Mapping[str, Any] = {"role_arn": "moon::role"}


def of_file(around: Surroundings) -> CredentialSource | None:
    found = json_fields(around.path(FILE))
    keys = found and pair_in(found.inner(around.profile or "main"), "i", "s", origin=FILE)
    return StaticSource(keys) if keys else None


def of_places(_: type[Moon]) -> Sequence[KeyPlace]:
    return (KeyPlace("~/.moon/none", lambda _: None), KeyPlace(FILE, of_file))


def of_instance(_: type[Moon], around: Surroundings) -> CredentialSource:
    return StaticSource(Credentials(key_id=f"instance {around.region}", secret="s"))


def of_role(
    _: type[Moon], role: Role, base: CredentialSource, around: Surroundings
) -> CredentialSource:
    said = f"{role.arn} {role.session_name} {role.duration} by {base.get().key_id}"
    return StaticSource(Credentials(key_id=f"{said} at {around.sts_endpoint}", secret="s"))


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Register a provider that has a file of keys, a role of machines, and roles."""
    for name in ("MOON_ID", "MOON_KEY", "MOON_REGION", "SNAPKIT_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    options = {**Moon.options, "credentials": Option(help="h", choices=("found", "instance"))}
    monkeypatch.setattr(Moon, "key_sources", classmethod(of_places))
    monkeypatch.setattr(Moon, "instance_source", classmethod(of_instance))
    monkeypatch.setattr(Moon, "assumed", classmethod(of_role))
    monkeypatch.setattr(Moon, "options", options)
    with rising(monkeypatch):
        yield tmp_path


def opened(**changes: Any) -> Credentials:
    """Return the credentials with which a target would be listed."""
    target = Target(provider="moon", region="sea", **changes)
    return open_driver(target).connection.transport.credentials.get()


def key_of(settings: Mapping[str, Any], **changes: Any) -> str:
    return source_for("moon", settings, **changes).get().key_id


def test_explicit_then_environment_then_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is nearer to the user's hands wins."""
    put(home, ".moon/keys.json", {"main": {"i": "of file", "s": "s"}})
    given = Credentials(key_id="given", secret="s")

    assert ("of file", FILE) == (opened().key_id, opened().origin)
    monkeypatch.setenv("MOON_ID", "of environment")
    monkeypatch.setenv("MOON_KEY", "s")
    assert "of environment" == opened().key_id
    assert "environment MOON_ID" == opened().origin
    assert "given" == opened(credentials=given).key_id
    assert "given" == opened(credentials=StaticSource(given)).key_id
    assert "given explicitly" == opened(credentials=given).origin


def test_half_a_pair_in_the_environment_does_not_fall_through(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file may be of another account."""
    put(home, ".moon/keys.json", {"main": {"i": "of file", "s": "s"}})
    monkeypatch.setenv("MOON_ID", "x")

    with pytest.raises(CredentialsMissingError, match="MOON_ID is set but MOON_KEY is not"):
        opened()


def test_a_broken_file_does_not_fall_through(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And it is named."""
    put(home, ".moon/keys.json", f'{{"main": {{"s": "{CANARY}')

    with pytest.raises(CredentialsMissingError, match=r"keys.json' is not JSON") as caught:
        opened()

    check_silent(caught.value, caplog)


def test_the_role_of_the_machine_is_taken_only_when_asked_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking a metadata service from elsewhere is slow, and may be answered by a stranger."""
    with pytest.raises(CredentialsMissingError):
        opened()
    asked = {"credentials": "instance"}

    assert "instance sea" == opened(options=asked).key_id
    monkeypatch.setenv("MOON_ID", "of environment")
    monkeypatch.setenv("MOON_KEY", "s")
    assert "instance sea" == opened(options=asked).key_id
    assert (
        "given" == opened(options=asked, credentials=Credentials(key_id="given", secret="s")).key_id
    )


def test_nothing_anywhere_says_where_it_was_looked_for() -> None:
    """And what to set."""
    with pytest.raises(CredentialsMissingError) as caught:
        opened()

    assert (
        "no credentials in the environment or ~/.moon/none or ~/.moon/keys.json;"
        " set MOON_ID and MOON_KEY"
    ) == str(caught.value)


def test_a_named_profile_passes_over_the_environment(home: Path) -> None:
    """It was chosen, the variables may be left over."""
    put(home, ".moon/keys.json", {"prod": {"i": "of prod", "s": "s"}})
    environ = {"MOON_ID": "x", "MOON_KEY": "y"}

    named = find_source(Moon, at_home(home, profile="prod", environ=environ)).get()

    assert "of prod" == named.key_id
    with pytest.raises(CredentialsMissingError, match=r"under the name 'test'; searched: ~/\.moon"):
        find_source(Moon, at_home(home, profile="test", environ=environ))


def test_a_provider_may_have_none_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The three methods have defaults, so an adapter need not know them."""
    monkeypatch.undo()
    around = Surroundings(region="sea", environ={})
    base = StaticSource(Credentials(key_id="a", secret="b"))

    assert () == tuple(Moon.key_sources())
    assert () == tuple(Moon.credential_files)
    with pytest.raises(UnsupportedError, match="no credentials of the machine's own"):
        Moon.instance_source(around)
    with pytest.raises(UnsupportedError, match="no roles"):
        Moon.assumed(Role(arn="x"), base, around)
    with pytest.raises(CredentialsMissingError, match="in the environment; set MOON_ID"):
        find_source(Moon, around)


def test_a_profiles_table_names_each_kind_of_source(home: Path) -> None:
    """One word in the configuration file for each."""
    put(home, ".moon/keys.json", {"main": {"i": "m", "s": "s"}, "p": {"i": "p", "s": "s"}})
    environ = {"HOME": str(home), "MOON_ID": "e", "MOON_KEY": "s"}
    code = 'print(\'{"AccessKeyId": "c", "SecretAccessKey": "s"}\')'

    def key(settings: Mapping[str, Any]) -> str:
        return key_of(settings, environ=environ)

    assert "e" == key({"source": "environment"})
    assert "e" == key({"source": "found"})
    assert "m" == key({"source": "files"})
    assert "p" == key({"source": "files", "profile": "p"})
    assert "instance sea" == key({"source": "instance"})
    assert "instance reef" == key_of({"source": "instance"}, region="reef")
    assert "c" == key({"command": [sys.executable, "-c", code], "timeout": 30})
    assert "moon::role snapkit 3600 by e at None" == key(ROLE)
    assert "moon::role me 900 by p at https://x.example" == key(
        {
            **ROLE,
            "session_name": "me",
            "duration": 900,
            "sts_endpoint": "https://x.example/",
            "from": {"source": "files", "profile": "p"},
        }
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "exactly one of command, keyring, role_arn, source"),
        ({"command": ["a"], "source": "files"}, "exactly one of"),
        ({"command": ["a"], "shell": True}, "by command do not know 'shell'; known: timeout"),
        ({"command": "a b"}, "'command' under credentials is a list of texts"),
        ({"command": ["a", 1]}, "is a list of texts"),
        ({"command": []}, "is a list of texts"),
        ({"command": ["a"], "timeout": 0}, "'timeout' under credentials is a number"),
        ({"command": ["a"], "timeout": True}, "'timeout' under credentials is a number"),
        ({"keyring": "s"}, "'user' under credentials is a text"),
        ({"source": "sky"}, "cannot come from 'sky'; choose from environment, files, found"),
        ({"source": "instance", "profile": "p"}, "belongs to source = 'files'"),
        ({"role_arn": 1}, "'role_arn' under credentials is a text"),
        ({**ROLE, "from": "files"}, "'from' under credentials is a table"),
        ({**ROLE, "sts_endpoint": "http://x.example"}, "is not https"),
        ({**ROLE, "duration": "long"}, "'duration' under credentials is a number"),
    ],
)
def test_a_table_that_cannot_be_right_is_said(settings: Mapping[str, Any], said: str) -> None:
    """Before anything is run or sent."""
    with pytest.raises(ConfigurationError, match=said):
        source_for("moon", settings, environ={"MOON_ID": "e", "MOON_KEY": "s"})


def test_missing_files_are_said_by_name(home: Path) -> None:
    """The user named them."""
    with pytest.raises(
        CredentialsMissingError, match=r"no credentials in files; searched: ~/\.moon"
    ):
        source_for("moon", {"source": "files"}, environ={"HOME": str(home)})


def test_equal_commands_are_one_source_for_all_regions() -> None:
    """Thirty regions must not run a helper thirty times."""
    clock = Time().clock()
    settings = {"command": ["helper", "a"]}
    one = source_for("moon", settings, region="sea", clock=clock)

    assert one is source_for("moon", settings, region="reef", clock=clock)
    assert one is not source_for("moon", {"command": ["helper", "b"]}, clock=clock)


def test_a_shared_source_is_made_once() -> None:
    """The key is whatever tells two apart."""
    made: list[int] = []

    def make() -> CredentialSource:
        made.append(1)
        return StaticSource(Credentials(key_id="a", secret="b"))

    key = object()
    assert shared(key, make) is shared(key, make)
    assert [1] == made


@attrs.define
class Ring:
    """A keyring in memory."""

    held: dict[tuple[str, str], str] = attrs.field(factory=dict[tuple[str, str], str])
    locked: bool = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked(f"locked with {CANARY}")
        return self.held.get((service, username))


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Ring:
    new = Ring()
    monkeypatch.setattr(keyring, "get_password", new.get_password)
    return new


def test_the_systems_keyring_holds_a_secret(ring: Ring, caplog: pytest.LogCaptureFixture) -> None:
    """So that no file has it."""
    settings = {"keyring": "snapkit", "user": "AK9"}
    source = source_for("moon", settings)
    with pytest.raises(CredentialsMissingError, match="store it with: keyring set snapkit AK9"):
        source.get()
    ring.held["snapkit", "AK9"] = CANARY

    found = source.get()
    assert ("AK9", CANARY) == (found.key_id, found.secret.reveal())
    assert "the keyring, 'snapkit'" == found.origin
    assert not source.refresh(found)
    ring.held["snapkit", "AK9"] = "another"
    assert source.refresh(found)
    assert CANARY not in repr(source)
    ring.locked = True
    with pytest.raises(CredentialsMissingError, match="KeyringLocked") as caught:
        source.get()
    assert CANARY not in f"{caught.value} {caplog.text}"


def test_without_the_keyring_package_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(CredentialsMissingError, match="pip install keyring"):
        KeyringSource(service="s", user="u").get()


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


def test_surroundings_and_roles_are_values(home: Path) -> None:
    """They tell shared sources apart, and show no variable of the environment."""
    around = at_home(home, environ={"MOON_KEY": CANARY})

    assert hash(around) == hash(attrs.evolve(around))
    assert CANARY not in repr(around)
    assert Role(arn="a") == pickle.loads(pickle.dumps(Role(arn="a")))
    assert (home / "x", Path("/etc/x")) == (around.path("~/x"), around.path("/etc/x"))
    assert isinstance(Moon.key_sources(), Sequence)
