"""Keys of Tencent Cloud's own tools, its machines' roles, and roles to take on."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from snapkit.credentials import Credentials, StaticSource
from snapkit.errors import CredentialsMissingError
from snapkit.sources import KeyPlace, Role, find_source
from snapkit_tencent import TencentDriver, keys, signing
from tests.keylab import (
    CANARY,
    NOW,
    Asked,
    Time,
    at_home,
    check_silent,
    debug,
    put,
    server,
)
from tests.keylab import tencent_sts as sts

CLI = ".tccli/default.credential"
SDK = ".tencentcloud/credentials"
AK = {"secretId": "AKID1", "secretKey": CANARY}
ARN = "qcs::cam::uin/1:roleName/reader"
BASE = StaticSource(Credentials(key_id="AKID1", secret=CANARY))


@pytest.fixture(autouse=True)
def no_system_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Let the file of the whole system stand in a folder of the test's."""
    path = tmp_path / "etc-credentials"
    place = KeyPlace(keys.SYSTEM_FILE, lambda around: keys.ini_source(str(path), around))
    places = [place if one.title == keys.SYSTEM_FILE else one for one in keys.PLACES]
    monkeypatch.setattr(keys, "PLACES", places)
    return path


def found(home: Path, **changes: Any) -> Credentials:
    return find_source(TencentDriver, at_home(home, **changes)).get()


@pytest.mark.parametrize("token", [None, "tok"])
def test_the_command_lines_file_is_read(tmp_path: Path, token: str | None) -> None:
    """With a token where there is one, and a byte order mark where an editor left it."""
    content = json.dumps(AK | {"token": token})
    put(tmp_path, CLI, b"\xef\xbb\xbf" + content.encode())
    got = found(tmp_path)

    assert ("AKID1", CANARY) == (got.key_id, got.secret.reveal())
    assert token == (got.token.reveal() if got.token else None)
    assert "~/.tccli/default.credential" == got.origin


@pytest.mark.parametrize(
    ("changes", "key_id"),
    [
        ({}, "AKID1"),
        ({"environ": {"TCCLI_PROFILE": "prod"}}, "AKID2"),
        ({"profile": "prod"}, "AKID2"),
        ({"profile": "sdk"}, "AKID4"),
        ({"environ": {"TENCENTCLOUD_PROFILE": "sdk"}}, "AKID4"),
        ({"environ": {"TENCENTCLOUD_SECRET_ID": "E", "TENCENTCLOUD_SECRET_KEY": "s"}}, "E"),
        (
            {"profile": "prod", "environ": {"TENCENTCLOUD_SECRET_ID": "E"}},
            "AKID2",
        ),
    ],
)
def test_the_environment_then_the_profile_of_each_file(
    tmp_path: Path, changes: dict[str, Any], key_id: str
) -> None:
    """A profile that is named passes over the environment, as in the vendor's command line."""
    put(tmp_path, CLI, AK)
    put(tmp_path, ".tccli/prod.credential", AK | {"secretId": "AKID2"})
    text = "[default]\nsecret_id = AKID3\nsecret_key = k\n[sdk]\nsecret_id=AKID4\nsecret_key=k\n"
    put(tmp_path, SDK, text)

    assert key_id == found(tmp_path, **changes).key_id


def test_the_sdks_file_then_the_systems(tmp_path: Path, no_system_file: Path) -> None:
    """And the SDK's may be elsewhere."""
    no_system_file.write_text("[default]\nsecret_id = SYS\nsecret_key = k\n")
    no_system_file.chmod(0o600)
    assert "SYS" == found(tmp_path).key_id
    put(tmp_path, SDK, "[default]\nsecret_id = OWN\nsecret_key = k\n")
    assert "OWN" == found(tmp_path).key_id
    other = put(tmp_path, "other", "[default]\nsecret_id = OTHER\nsecret_key = a#b\n")
    environ = {"TENCENTCLOUD_CREDENTIALS_FILE": str(other)}
    assert "OTHER" == found(tmp_path, environ=environ).key_id


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"secretKey": CANARY}, "has secretKey but no secretId"),
        ({"type": "cvm-role"}, r"add \?credentials=instance"),
        (AK | {"expiresAt": NOW - 1}, "has expired; sign in again with tccli"),
        (AK | {"expiresAt": "soon"}, "cannot be read"),
        (f'{{"secretKey": "{CANARY}"', "is not JSON"),
    ],
)
def test_a_file_that_cannot_be_used_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: Any, said: str
) -> None:
    """Falling through to another account would be worse."""
    put(tmp_path, CLI, content)

    with pytest.raises(CredentialsMissingError, match=said) as caught:
        found(tmp_path)

    assert ".tccli/default.credential" in str(caught.value)
    check_silent(caught.value, caplog)


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "x" * 65, "a\n"])
def test_a_profile_does_not_leave_the_folder(tmp_path: Path, name: str) -> None:
    """It becomes part of a path."""
    with pytest.raises(CredentialsMissingError, match="cannot be the name of a profile"):
        found(tmp_path, environ={"TCCLI_PROFILE": name})


def test_nothing_anywhere_names_the_files(tmp_path: Path) -> None:
    """And the variables."""
    with pytest.raises(
        CredentialsMissingError,
        match=r"environment or ~/.tccli/\*.credential or ~/.tencentcloud/credentials or /etc/",
    ):
        found(tmp_path)


def test_a_role_in_the_file_is_taken_on_with_its_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Signed by TC3 for the token service, and renewed before its end."""
    debug(caplog)
    time = Time()
    put(tmp_path, CLI, AK | {"role-arn": ARN, "role-session-name": "me"})
    with server(lambda asked: (200, sts(len(seen), time.now + 3600))) as (url, seen):
        around = at_home(tmp_path, time=time, sts_endpoint=url)
        source = find_source(TencentDriver, around)
        first = source.get()
        assert source is find_source(TencentDriver, around)
        time.now += 3000
        second = source.get()

    assert ("TMP1", f"{CANARY}-1", "TMP2") == (
        first.key_id,
        first.secret.reveal(),
        second.key_id,
    )
    assert f"the role {ARN}" == first.origin
    asked = seen[0]
    assert {"RoleArn": ARN, "RoleSessionName": "me", "DurationSeconds": 3600} == json.loads(
        asked.body
    )
    assert ("AssumeRole", "2018-08-13", "sea") == (
        asked.headers["x-tc-action"],
        asked.headers["x-tc-version"],
        asked.headers["x-tc-region"],
    )
    assert asked.headers["authorization"] == signing.authorization(
        key_id="AKID1",
        secret=CANARY,
        scope=signing.Scope(int(NOW), "sts"),
        host=asked.headers["host"],
        path="/",
        content_type="application/json",
        body=asked.body.encode(),
    )
    assert CANARY not in f"{source!r} {first!r} {caplog.text}"


def test_a_policy_is_encoded_and_an_external_id_sent() -> None:
    """The service wants the policy URL-encoded."""
    role = Role(arn=ARN, policy='{"a": 1}', external_id="x")
    with server(lambda asked: (200, sts())) as (url, seen):
        around = at_home(Path("/nowhere"), sts_endpoint=url)
        TencentDriver.assumed(role, BASE, around).get()

    sent = json.loads(seen[0].body)
    assert (quote('{"a": 1}', safe=""), "x") == (sent["Policy"], sent["ExternalId"])


def refusal(code: str) -> dict[str, Any]:
    return {"Response": {"Error": {"Code": code, "Message": "no"}, "RequestId": "R1"}}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (refusal("UnauthorizedOperation"), "failed: AssumeRole: UnauthorizedOperation"),
        (refusal("InvalidParameter.RoleNotExist"), "InvalidParameter.RoleNotExist"),
        ({"Response": {"RequestId": "R"}}, "has no temporary credentials"),
        ({"Response": {"Credentials": {"TmpSecretKey": CANARY}}}, "but no TmpSecretId"),
    ],
)
def test_a_role_that_is_refused_is_a_credentials_error(
    answer: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In the service's own words, without keys."""
    debug(caplog)
    with server(lambda asked: (200, answer)) as (url, _):
        around = at_home(Path("/nowhere"), sts_endpoint=url)
        with pytest.raises(CredentialsMissingError, match=said) as caught:
            TencentDriver.assumed(Role(arn=ARN), BASE, around).get()

    assert CANARY not in f"{caught.value} {caught.value.__cause__!r} {caplog.text}"


ROLE_PATH = "/latest/meta-data/cam/security-credentials/"
MACHINE: dict[str, Any] = {
    "Code": "Success",
    "TmpSecretId": "TMP1",
    "TmpSecretKey": CANARY,
    "Token": "t",
    "ExpiredTime": int(NOW + 3600),
    "Expiration": "2027-01-15T09:00:00Z",
}


def test_the_role_of_a_machine_comes_from_its_metadata(tmp_path: Path) -> None:
    """Only when asked for, whatever the files have."""
    put(tmp_path, CLI, AK)

    def answer(asked: Asked) -> tuple[int, Any]:
        return 200, "role-1\n" if asked.path == ROLE_PATH else MACHINE

    with server(answer) as (url, seen):
        got = found(tmp_path, instance=True, metadata=url)
        assert "AKID1" == found(tmp_path, metadata=url).key_id

    assert ("TMP1", "the role of this machine, 'role-1'") == (got.key_id, got.origin)
    assert NOW + 3600 == (got.expires_at.timestamp() if got.expires_at else None)
    assert [ROLE_PATH, f"{ROLE_PATH}role-1"] == [asked.path for asked in seen]


@pytest.mark.parametrize(
    ("role", "answer", "said"),
    [
        ((404, ""), (200, MACHINE), "this machine has no role; attach a CAM role"),
        ((200, "<html>"), (200, MACHINE), "this machine has no role"),
        ((200, "r"), (404, ""), r"no keys for the role 'r' \(HTTP 404\)"),
        ((200, "r"), (200, MACHINE | {"Code": "Failed"}), "no keys for the role 'r'"),
        ((200, "r"), (200, f"x {CANARY}"), "no keys for the role 'r'"),
        ((200, "r"), (200, MACHINE | {"Token": ""}), "has no temporary credentials"),
    ],
)
def test_a_machine_without_a_role_is_said(
    tmp_path: Path, role: tuple[int, Any], answer: tuple[int, Any], said: str
) -> None:
    """And what the service said stays out of the text."""
    with (
        server(lambda asked: role if asked.path == ROLE_PATH else answer) as (url, _),
        pytest.raises(CredentialsMissingError, match=said) as caught,
    ):
        found(tmp_path, instance=True, metadata=url)

    assert CANARY not in str(caught.value)
