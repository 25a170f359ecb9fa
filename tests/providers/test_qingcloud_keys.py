"""Keys of QingCloud's own tools."""

from pathlib import Path
from typing import Any

import pytest

from snapkit.credentials import Credentials
from snapkit.errors import CredentialsMissingError, UnsupportedError
from snapkit.sources import Role, find_source
from snapkit_qingcloud import QingCloudDriver
from tests.keylab import CANARY, at_home, check_silent, put

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
        (YAML, "uri: /iam/\nzone: pek3\n", "the role of this machine, which snapkit cannot use"),
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


def test_there_are_no_roles(tmp_path: Path) -> None:
    """And asking for one says so."""
    around = at_home(tmp_path)
    with pytest.raises(UnsupportedError, match="qingcloud offers no roles"):
        QingCloudDriver.assumed(Role(arn="x"), find_source_of(tmp_path), around)
    with pytest.raises(UnsupportedError, match="qingcloud offers no credentials of the machine"):
        QingCloudDriver.instance_source(around)


def find_source_of(home: Path) -> Any:
    put(home, YAML, PLAIN)
    return find_source(QingCloudDriver, at_home(home))
