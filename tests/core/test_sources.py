"""Credentials are looked for in a fixed order, and the machine's role only when asked for."""

import pickle
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import keyring
import keyring.errors
import pytest

from snapkit.credentials import (
    Credentials,
    CredentialSource,
    EnvironmentNames,
    KeyNames,
    RoleNames,
    StaticSource,
)
from snapkit.driver import Option
from snapkit.errors import ConfigurationError, CredentialsMissingError, UnsupportedError
from snapkit.keyfiles import json_fields, pair_in
from snapkit.keyrings import KeyringSource
from snapkit.settings import Target, open_driver
from snapkit.sources import (
    KeyPlace,
    Role,
    Surroundings,
    find_source,
    instance_unasked,
    source_for,
)
from tests.core.moon import Moon, rising
from tests.keylab import CANARY, Time, at_home, check_silent, debug, put

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


def of_cluster(around: Surroundings) -> CredentialSource | None:
    """Return the key that a variable of the environment leads to."""
    named = around.environ.get("MOON_CLUSTER")
    return StaticSource(Credentials(key_id=named, secret="s")) if named else None


def test_a_place_of_the_environment_is_no_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys come first, then the places in their order; each kind can be asked for alone."""
    places = (
        KeyPlace("MOON_CLUSTER", of_cluster, environment=True),
        KeyPlace(FILE, of_file),
    )

    def these(_: type[Moon]) -> Sequence[KeyPlace]:
        return places

    monkeypatch.setattr(Moon, "key_sources", classmethod(these))
    put(home, ".moon/keys.json", {"main": {"i": "of file", "s": "s"}})
    environ = {"HOME": str(home), "MOON_CLUSTER": "of cluster"}
    pair = {"MOON_ID": "of variables", "MOON_KEY": "s"}

    assert "of cluster" == find_source(Moon, at_home(home, environ=environ)).get().key_id
    assert "of variables" == find_source(Moon, at_home(home, environ=environ | pair)).get().key_id
    named = at_home(home, environ=environ, profile="main")
    assert "of file" == find_source(Moon, named).get().key_id
    assert "of cluster" == key_of({"source": "environment"}, environ=environ)
    assert "of variables" == key_of({"source": "environment"}, environ=environ | pair)
    assert "of file" == key_of({"source": "files"}, environ=environ)
    with pytest.raises(CredentialsMissingError, match=r"in files; searched: ~/.moon/keys.json$"):
        source_for("moon", {"source": "files"}, environ={"HOME": "/nowhere"})
    with pytest.raises(CredentialsMissingError, match="no credentials in the environment; set MO"):
        source_for("moon", {"source": "environment"}, environ={"HOME": str(home)})
    with pytest.raises(
        CredentialsMissingError, match=r"in the environment or ~/.moon/keys.json; set MOON_ID"
    ):
        find_source(Moon, at_home(home / "empty"))


NAMES = EnvironmentNames(
    keys=(KeyNames("MOON_ID", "MOON_KEY"),),
    roles=(
        RoleNames(arn="MOON_ROLE", session_name="MOON_SESSION", duration="MOON_LIFE"),
        RoleNames(arn="MOON_OTHER_ROLE"),
    ),
)
PAIR = {"MOON_ID": "e", "MOON_KEY": "s"}


@pytest.mark.parametrize(
    ("environ", "key_id"),
    [
        ({}, "e"),
        ({"MOON_ROLE": ""}, "e"),
        ({"MOON_ROLE": "a"}, "a snapkit 3600 by e at None"),
        (
            {"MOON_ROLE": "a", "MOON_SESSION": "me", "MOON_LIFE": "900", "MOON_OTHER_ROLE": "b"},
            "a me 900 by e at None",
        ),
        ({"MOON_OTHER_ROLE": "b"}, "b snapkit 3600 by e at None"),
    ],
)
def test_a_role_in_the_environment_belongs_to_the_key_there(
    monkeypatch: pytest.MonkeyPatch, environ: Mapping[str, str], key_id: str
) -> None:
    """The first that is set; a profile or a file has roles of its own."""
    monkeypatch.setattr(Moon, "environment", NAMES)

    assert key_id == key_of({"source": "environment"}, environ={**PAIR, **environ})
    assert key_id == key_of({"source": "found"}, environ={**PAIR, **environ})


def test_a_duration_in_the_environment_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the role would be taken on for another time than was meant."""
    monkeypatch.setattr(Moon, "environment", NAMES)
    environ = {**PAIR, "MOON_ROLE": "a", "MOON_LIFE": "an hour"}

    with pytest.raises(ConfigurationError, match="MOON_LIFE is no number of seconds; write 3600"):
        key_of({"source": "found"}, environ=environ)


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"MOON_KEY": CANARY}, "MOON_KEY is set but MOON_ID is not"),
        ({"MOON_ID": "e", "MOON_KEY": f"{CANARY} "}, "the secret is empty or has blanks"),
        ({"MOON_ID": "", "MOON_KEY": "", "MOON_OTHER": CANARY}, "no credentials in the"),
    ],
)
def test_the_environment_is_complained_about_without_showing_it(
    home: Path, caplog: pytest.LogCaptureFixture, environ: Mapping[str, str], said: str
) -> None:
    """Not even among the local variables of a traceback, which some reports of errors have."""
    debug(caplog)
    around = at_home(home, environ=environ)

    with pytest.raises(CredentialsMissingError, match=said) as caught:
        find_source(Moon, around)

    check_silent(caught.value, caplog)


def test_asking_for_the_machine_by_name_is_told_in_a_form_that_can_be_copied() -> None:
    """Where a file's profile points to the role of the machine."""
    table = str(instance_unasked("f", profile='pr"od')).partition("credentials = ")[2]
    settings = tomllib.loads(f"x = {table.partition(' in the')[0]}")["x"]

    assert {"source": "files", "profile": 'pr"od'} == settings
    assert "add ?credentials=instance to the target" == instance_unasked("f").hint


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


def test_surroundings_and_roles_are_values(home: Path) -> None:
    """They tell shared sources apart, and show no variable of the environment."""
    around = at_home(home, environ={"MOON_KEY": CANARY})

    assert hash(around) == hash(attrs.evolve(around))
    assert CANARY not in repr(around)
    assert Role(arn="a") == pickle.loads(pickle.dumps(Role(arn="a")))
    assert (home / "x", Path("/etc/x")) == (around.path("~/x"), around.path("/etc/x"))
    assert isinstance(Moon.key_sources(), Sequence)
