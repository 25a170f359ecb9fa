"""Keys of QingCloud's own tools and of its machines' roles."""

import json
from pathlib import Path
from typing import Any

import pytest

from snapkit.credentials import Credentials
from snapkit.errors import CredentialsMissingError, UnsupportedError
from snapkit.settings import Target, open_driver
from snapkit.sources import Role, find_source
from snapkit_qingcloud import QingCloudDriver
from tests.keylab import CANARY, NOW, at_home, check_silent, debug, put, server

YAML = ".qingcloud/config.yaml"
INI = ".qingcloud/config"
PLAIN = f"qy_access_key_id: 'QY1'\nqy_secret_access_key: \"{CANARY}\"\nzone: pek3\nport: 443\n"
SECTIONS = "[default]\naccess_key_id = QY2\nsecret_access_key = k\nzone = pek3\n[prod]\naccess_key_id = QY3\nsecret_access_key = k\n"  # noqa: E501


def found(home: Path, **changes: Any) -> Credentials:
    return find_source(QingCloudDriver, at_home(home, **changes)).get()


def test_the_file_that_all_tools_share_is_read(tmp_path: Path) -> None:
    """With or without quotation marks, other settings passed over."""
    put(tmp_path, YAML, PLAIN)
    keys = found(tmp_path)

    assert ("QY1", CANARY, "~/.qingcloud/config.yaml") == (
        keys.key_id,
        keys.secret.reveal(),
        keys.origin,
    )


def test_the_environment_then_yaml_then_ini(tmp_path: Path) -> None:
    """And a profile is a section of the INI file, as the other has none."""
    put(tmp_path, INI, SECTIONS)
    assert "QY2" == found(tmp_path).key_id
    other = put(tmp_path, "other.yaml", PLAIN.replace("QY1", "QY4"))
    put(tmp_path, YAML, PLAIN)
    assert "QY1" == found(tmp_path).key_id
    assert "QY3" == found(tmp_path, profile="prod").key_id
    environ = {"QINGCLOUD_CONFIG": str(other)}
    assert "QY4" == found(tmp_path, environ=environ).key_id
    environ |= {"QINGCLOUD_ACCESS_KEY_ID": "QY5", "QINGCLOUD_SECRET_ACCESS_KEY": "k"}
    assert "QY5" == found(tmp_path, environ=environ).key_id


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (YAML, f"qy_secret_access_key: {CANARY}\n", "but no qy_access_key_id"),
        (YAML, "uri: /iam/\nzone: pek3\n", r"only when asked for; add \?credentials=instance"),
        (YAML, f"qy_secret_access_key={CANARY}\n", r"not 'key: value' in each line \(line 1\)"),
        (INI, "[default]\naccess_key_id = QY2\n", "but no secret_access_key"),
        (INI, f"secret_access_key = {CANARY}\n", r"outside of any \[section\] \(line 1\)"),
    ],
)
def test_a_file_that_cannot_be_used_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, content: str, said: str
) -> None:
    """By its name, without what stands there."""
    put(tmp_path, name, content)

    with pytest.raises(CredentialsMissingError, match=said) as caught:
        found(tmp_path)

    check_silent(caught.value, caplog)


def test_a_file_without_keys_is_none(tmp_path: Path) -> None:
    """It may hold the zone only."""
    put(tmp_path, YAML, "zone: pek3\n")

    with pytest.raises(
        CredentialsMissingError, match=r"environment or ~/.qingcloud/config.yaml or ~/.qingcloud/"
    ):
        found(tmp_path)


ROLE_PATH = "/latest/meta-data/security-credentials"
KEYS = {
    "access_key": "QYROLE1",
    "secret_key": CANARY,
    "id_token": f"{CANARY}-token",
    "expiration": int(NOW + 3600),
    "jti": "x",
}


@pytest.mark.parametrize("answer", [KEYS, json.dumps(json.dumps(KEYS))], ids=["plain", "twice"])
def test_the_role_of_a_machine_comes_from_its_metadata(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    """The service writes JSON inside a JSON text; only when asked for, whatever files have."""
    debug(caplog)
    put(tmp_path, YAML, PLAIN)
    with server(lambda asked: (200, answer)) as (url, seen):
        keys = found(tmp_path, instance=True, metadata=url)
        assert "QY1" == found(tmp_path, metadata=url).key_id

    assert ("QYROLE1", CANARY, f"{CANARY}-token", "the role of this machine") == (
        keys.key_id,
        keys.secret.reveal(),
        keys.token and keys.token.reveal(),
        keys.origin,
    )
    assert NOW + 3600 == (keys.expires_at and keys.expires_at.timestamp())
    assert [("GET", ROLE_PATH, "application/json")] == [
        (asked.method, asked.path, asked.headers["accept"]) for asked in seen
    ]
    assert CANARY not in f"{keys!r} {caplog.text}"


@pytest.mark.parametrize("listed", ["credential_proxy_host: {}\ncredential_proxy_port: {}\n"])
def test_the_address_of_the_metadata_may_stand_in_the_file(tmp_path: Path, listed: str) -> None:
    """Clusters put a proxy there."""
    with server(lambda asked: (200, KEYS)) as (url, seen):
        host, _, port = url.removeprefix("http://").partition(":")
        put(tmp_path, YAML, f"uri: /iam\n{listed.format(host, port)}")
        assert "QYROLE1" == found(tmp_path, instance=True).key_id

    assert [ROLE_PATH] == [asked.path for asked in seen]
    put(tmp_path, YAML, listed.format("evil/@x", port))
    with pytest.raises(CredentialsMissingError, match="are no host and port; correct or remove"):
        found(tmp_path, instance=True)


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (404, "", "this machine has no role; attach an IAM role"),
        (500, CANARY, r"has no keys for this machine \(HTTP 500\)"),
        (200, CANARY, "the answer of the metadata service is not JSON"),
        (200, json.dumps(f"not {CANARY}"), "the answer of the metadata service is not JSON"),
        (200, [CANARY], "is no JSON object"),
        (200, {"secret_key": CANARY}, "has secret_key but no access_key"),
        (200, KEYS | {"id_token": ""}, "has no temporary credentials"),
        (200, KEYS | {"expiration": None}, "has no temporary credentials"),
        (200, KEYS | {"expiration": "soon"}, "time of expiry from the role of this machine"),
        (200, KEYS | {"expiration": NOW - 1}, "have expired already"),
    ],
)
def test_a_machine_without_a_role_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int, answer: Any, said: str
) -> None:
    """Without what the service answered."""
    debug(caplog)
    body = json.dumps(answer) if isinstance(answer, list) else answer
    with (
        server(lambda asked: (status, body)) as (url, _),
        pytest.raises(CredentialsMissingError, match=said) as caught,
    ):
        found(tmp_path, instance=True, metadata=url)

    assert (
        CANARY not in f"{caught.value} {caught.value!r} {caught.value.__context__!r} {caplog.text}"
    )


def test_a_target_asks_for_the_role_by_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a file that points to it says so."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with server(lambda asked: (200, KEYS | {"expiration": 9_000_000_000})) as (url, _):
        host, _, port = url.removeprefix("http://").partition(":")
        text = f"credential_proxy_host: {host}\ncredential_proxy_port: {port}\n"
        put(tmp_path, YAML, text)
        target = Target.parse("qingcloud:pek3?credentials=instance", environ={})
        keys = open_driver(target).connection.transport.credentials.get()

    assert "QYROLE1" == keys.key_id


def test_there_are_no_roles_to_take_on(tmp_path: Path) -> None:
    """And asking for one says so."""
    put(tmp_path, YAML, PLAIN)
    around = at_home(tmp_path)
    base = find_source(QingCloudDriver, around)
    with pytest.raises(UnsupportedError, match="qingcloud offers no roles"):
        QingCloudDriver.assumed(Role(arn="x"), base, around)


def test_the_files_that_are_told_are_those_that_are_read() -> None:
    """The offer to use them comes from the first list."""
    titles = [place.title for place in QingCloudDriver.key_sources()]

    assert titles == list(QingCloudDriver.credential_files)
