"""Targets: which account in which region, and nothing that could become another host."""

import pickle
from collections.abc import Iterator

import attrs
import pytest

from snapkit.credentials import Credentials, StaticSource
from snapkit.errors import (
    ConfigurationError,
    CredentialsMissingError,
    QueryError,
    UnknownProviderError,
)
from snapkit.http import Http
from snapkit.settings import Target, check_region, open_driver
from tests.core.moon import KEYS, Moon, Sky, rising, target


@pytest.fixture(autouse=True)
def skies(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Sky]]:
    for name in ("MOON_ID", "MOON_KEY", "MOON_REGION", "SNAPKIT_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    with rising(monkeypatch) as found:
        yield found


@pytest.mark.parametrize(
    ("text", "environ", "account", "region", "options"),
    [
        ("moon:sea", {}, "", "sea", {}),
        ("moon:prod@sea", {}, "prod", "sea", {}),
        ("moon:sea?paging=token", {}, "", "sea", {"paging": "token"}),
        ("moon:sea?paging=token&zone=a%2Fb", {}, "", "sea", {"paging": "token", "zone": "a/b"}),
        ("moon", {"MOON_REGION": "dust"}, "", "dust", {}),
        ("moon?paging=token", {"MOON_REGION": "dust"}, "", "dust", {"paging": "token"}),
        ("moon:sea", {"MOON_REGION": "dust"}, "", "sea", {}),
        ("moon:财务@sea", {}, "财务", "sea", {}),
    ],
)
def test_a_target_is_read(
    text: str, environ: dict[str, str], account: str, region: str, options: dict[str, str]
) -> None:
    """What people type on a command line."""
    found = Target.parse(text, environ=environ)

    assert ("moon", account, region, options) == (
        found.provider,
        found.account,
        found.region,
        found.options,
    )
    assert None is found.endpoint


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("", UnknownProviderError, "no provider ''"),
        ("mon:sea", UnknownProviderError, "did you mean 'moon'"),
        ("moon", ConfigurationError, "names no region"),
        ("moon:", ConfigurationError, "names no region"),
        ("moon:prod@", ConfigurationError, "names no region"),
        ("moon:@sea", ConfigurationError, "cannot read the target"),
        ("moon:a b@sea", ConfigurationError, "cannot read the target"),
        ("moon:a@b@sea", ConfigurationError, "cannot read the target"),
        ("moon:evil.com/?", ConfigurationError, "'evil.com/' is not a region"),
        ("moon:evil.com/?x=1", ConfigurationError, "'evil.com/' is not a region"),
        ("moon:evil.com#", ConfigurationError, "is not a region"),
        ("moon:SEA", ConfigurationError, "is not a region"),
        ("moon:sea\n", ConfigurationError, "is not a region"),
        ("moon:s", ConfigurationError, "is not a region"),
        ("moon:" + "s" * 33, ConfigurationError, "is not a region"),
        ("moon:sea?paging=page", ConfigurationError, "choose from offset, token"),
        ("moon:sea?pagign=token", ConfigurationError, "no option 'pagign'; known: paging, zone"),
        ("moon:sea?pagign", ConfigurationError, "no option 'pagign'"),
        ("moon:sea?paging=", ConfigurationError, "cannot be ''"),
    ],
)
def test_what_is_no_target_is_refused_in_words(
    text: str, kind: type[ConfigurationError], said: str
) -> None:
    """A region becomes part of a host name, so it has no room for anything else."""
    with pytest.raises(kind, match=said.replace("?", r"\?")) as caught:
        Target.parse(text, environ={})

    assert not isinstance(caught.value, QueryError)


@pytest.mark.parametrize(
    "region",
    ["evil.com/?", "a@evil.com", "a b", "", "é" * 3, "sea/..", "sea:80", "s\n", "sea\n", "１２"],
)
def test_a_region_is_letters_digits_and_dashes(region: str) -> None:
    """Whether it comes from a text or from a program."""
    with pytest.raises(ConfigurationError, match="is not a region"):
        check_region(region)
    with pytest.raises(ConfigurationError, match="is not a region"):
        Target(provider="moon", region=region)


@pytest.mark.parametrize("text", ["moon:sea", "moon:prod@sea"])
def test_a_target_prints_as_it_is_written(text: str) -> None:
    """Reports are pasted back into commands."""
    assert text == str(Target.parse(text, environ={}))


def test_an_endpoint_is_checked() -> None:
    """Keys go to it."""
    assert "https://x.example" == target(endpoint="https://x.example/").endpoint
    with pytest.raises(ConfigurationError, match="endpoint"):
        target(endpoint="http://x.example")
    with pytest.raises(ConfigurationError, match="endpoint"):
        Target.parse("moon:sea", environ={"SNAPKIT_ENDPOINT": "http://x.example"})


def test_a_target_shows_no_keys_and_does_not_carry_them_away() -> None:
    """Targets are printed, and sent to other processes."""
    assert "AK1" not in repr(target())
    with pytest.raises(TypeError, match="does not pickle"):
        pickle.dumps(target())
    without = target(credentials=None)
    assert without == pickle.loads(pickle.dumps(without))


def test_missing_credentials_are_said_when_the_target_is_opened() -> None:
    """By the names of the variables."""
    with pytest.raises(CredentialsMissingError, match="set MOON_ID and MOON_KEY"):
        open_driver(target(credentials=None))


def test_credentials_come_from_the_environment_or_from_the_target(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is given explicitly wins."""
    monkeypatch.setenv("MOON_ID", "AK2")
    monkeypatch.setenv("MOON_KEY", "k")
    other = StaticSource(Credentials(key_id="AK3", secret="k"))
    found = [
        open_driver(target(credentials=given)).connection.transport.credentials.get().key_id
        for given in (None, KEYS, other)
    ]

    assert ["AK2", "AK1", "AK3"] == found


def test_an_opened_driver_knows_its_place() -> None:
    """One account in one region, and a value for each option."""
    http = Http()
    driver = open_driver(target(account="prod"), http=http, keep_raw=True, deadline=5.0)
    connection = driver.connection

    assert isinstance(driver, Moon)
    assert ("sea", "prod", None, True) == (
        connection.region,
        connection.account,
        connection.endpoint,
        connection.keep_raw,
    )
    assert {"paging": "offset", "zone": ""} == connection.options
    assert (http, 5.0, "moon", "prod", "sea") == (
        connection.transport.http,
        connection.transport.deadline,
        connection.transport.provider,
        connection.transport.account,
        connection.transport.region,
    )
    http.close()


def test_targets_are_values() -> None:
    """They are keys of dictionaries, options or not."""
    one, other = target(options={"zone": "a"}), target(options={"zone": "b"})

    assert one != other
    assert one == attrs.evolve(other, options={"zone": "a"})
    assert 2 == len({one, other})
