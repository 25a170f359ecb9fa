"""Keys of Alibaba Cloud's own tools, its machines' roles, and roles to take on."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from snapkit.credentials import Credentials, StaticSource
from snapkit.errors import CredentialsMissingError
from snapkit.settings import Target, open_driver
from snapkit.sources import Role, find_source, source_for
from snapkit_alibaba import AlibabaDriver, signing
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
from tests.keylab import alibaba_sts as sts

AK = {"access_key_id": "LTAI1", "access_key_secret": CANARY}
STS = {**AK, "sts_token": f"{CANARY}-token"}
CLI = ".aliyun/config.json"
INI = ".alibabacloud/credentials.ini"
ARN = "acs:ram::1:role/reader"
BASE = StaticSource(Credentials(key_id="LTAI1", secret=CANARY))


def config(*profiles: Mapping[str, Any], current: str = "main") -> dict[str, Any]:
    named = [{"name": "main", "mode": "AK", **one} for one in profiles]
    return {"current": current, "profiles": named, "meta_path": ""}


def found(home: Path, **changes: Any) -> Credentials:
    return find_source(AlibabaDriver, at_home(home, **changes)).get()


@pytest.mark.parametrize(
    ("row", "token"),
    [
        ({**AK}, None),
        ({**AK, "mode": "ak"}, None),
        ({**AK, "mode": "AK", "sts_token": "left over"}, None),
        ({**AK, "mode": "StsToken", "sts_token": "tok"}, "tok"),
    ],
)
def test_the_command_lines_file_is_read(
    tmp_path: Path, row: Mapping[str, Any], token: str | None
) -> None:
    """A token counts with the mode that has one."""
    put(tmp_path, CLI, b"\xef\xbb\xbf" + json.dumps(config(row)).encode())
    keys = found(tmp_path)

    assert ("LTAI1", CANARY) == (keys.key_id, keys.secret.reveal())
    assert token == (keys.token.reveal() if keys.token else None)
    assert "~/.aliyun/config.json, profile 'main'" == keys.origin


@pytest.mark.parametrize(
    ("current", "changes", "key_id"),
    [
        ("main", {}, "LTAI1"),
        ("other", {}, "LTAI2"),
        ("main", {"environ": {"ALIBABA_CLOUD_PROFILE": "other"}}, "LTAI2"),
        ("main", {"profile": "other", "environ": {"ALIBABA_CLOUD_PROFILE": "main"}}, "LTAI2"),
        ("main", {"environ": {"ALIBABA_CLOUD_CLI_PROFILE_DISABLED": "true"}}, "LTAI3"),
        ("gone", {}, "LTAI3"),
        ("main", {"profile": "ini"}, "LTAI4"),
    ],
)
def test_the_profile_that_is_current_or_named_counts(
    tmp_path: Path, current: str, changes: dict[str, Any], key_id: str
) -> None:
    """And what the first file does not know is looked for in the second."""
    put(
        tmp_path,
        CLI,
        config(AK, {**AK, "name": "other", "access_key_id": "LTAI2"}, current=current),
    )
    section = "type = access_key\naccess_key_secret = a#b\naccess_key_id = "
    put(tmp_path, INI, f"[default]\nenable = true\n{section}LTAI3\n[ini]\n{section}LTAI4\n")

    assert key_id == found(tmp_path, **changes).key_id


def test_the_environment_comes_before_files(tmp_path: Path) -> None:
    """As in the vendor's own chain."""
    put(tmp_path, CLI, config(AK))
    environ = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI9", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}

    assert "LTAI9" == found(tmp_path, environ=environ).key_id


def test_the_ini_file_may_be_elsewhere(tmp_path: Path) -> None:
    """The libraries' own variable says where, and a hash belongs to the secret."""
    text = "[default]\naccess_key_id = LTAI3\naccess_key_secret = a#b\n"
    path = put(tmp_path, "elsewhere.ini", text)
    keys = found(tmp_path, environ={"ALIBABA_CLOUD_CREDENTIALS_FILE": str(path)})

    assert ("LTAI3", "a#b") == (keys.key_id, keys.secret.reveal())
    assert f"{path}, section 'default'" == keys.origin


def test_a_fresh_profile_without_keys_is_none(tmp_path: Path) -> None:
    """The command line writes one when it is first started."""
    put(tmp_path, CLI, config({"access_key_id": "", "access_key_secret": ""}))

    with pytest.raises(
        CredentialsMissingError,
        match=r"environment or ~/.aliyun/config.json or ~/.alibabacloud/credentials.ini; set",
    ):
        found(tmp_path)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"access_key_secret": CANARY}, "has access_key_secret but no access_key_id"),
        ({**AK, "mode": "StsToken"}, "of mode StsToken but has no sts_token"),
        ({**AK, "mode": "RamRoleArn"}, "lacks the name of the role"),
        ({"mode": "RamRoleArn", "ram_role_arn": ARN}, "lacks keys to take the role on with"),
        ({"mode": "ChainableRamRoleArn", "source_profile": "main"}, "leads back to itself"),
        (
            {"mode": "ChainableRamRoleArn", "source_profile": "no"},
            "builds on the profile 'no', which is not there",
        ),
        ({"mode": "EcsRamRole", "ram_role_name": "r"}, r"add \?credentials=instance"),
        (
            {"mode": "RamRoleArnWithRoleName", "ram_role_arn": ARN},
            r'or write credentials = { source = "files", profile = "main" } in the configuration',
        ),
        ({"mode": "External"}, "has no command that can be read"),
        ({"mode": "External", "process_command": f"a '{CANARY}"}, "no command that can be read"),
        (
            {"mode": "CredentialsURI"},
            "lacks credentials_uri; put it there, or set ALIBABA_CLOUD_CR",
        ),
        (
            {"mode": "CredentialsURI", "credentials_uri": f"http://u:{CANARY}@localhost/"},
            "has more than host, path and query; write https",
        ),
        (
            {"mode": "CredentialsURI", "credentials_uri": f"http://keys.example/{CANARY}"},
            "neither https nor http to this machine; write https",
        ),
        (
            {"mode": "CredentialsURI", "credentials_uri": f"https://100.100.100.200/{CANARY}"},
            "names no host that may be asked for keys",
        ),
        ({"mode": "OIDC"}, "lacks the name of the role; put ram_role_arn there"),
        ({"mode": "OIDC", "ram_role_arn": ARN}, "lacks oidc_provider_arn; put"),
        (
            {"mode": "OIDC", "ram_role_arn": ARN, "oidc_provider_arn": "p"},
            "lacks oidc_token_file; put",
        ),
        ({"mode": "CloudSSO"}, "no temporary key that still lasts; sign in with: aliyun configure"),
        ({**STS, "mode": "CloudSSO"}, "no temporary key that still lasts"),
        ({**STS, "mode": "CloudSSO", "sts_expiration": NOW}, "no temporary key that still lasts"),
        ({**STS, "mode": "CloudSSO", "sts_expiration": "soon"}, "expiry from .* cannot be read"),
        ({**STS, "mode": "OAuth", "sts_expiration": NOW - 5}, "--profile main"),
        ({**STS, "mode": "StsToken", "sts_expiration": NOW - 5}, "no temporary key that still"),
        ({"mode": "RsaKeyPair", "private_key": CANARY}, "of the form 'RsaKeyPair'"),
        ({"mode": "Anonymous"}, "of the form 'Anonymous'"),
        ({"mode": "BearerToken", "bearer_token": CANARY}, "of the form 'BearerToken'"),
    ],
)
def test_a_profile_that_cannot_be_used_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, row: Mapping[str, Any], said: str
) -> None:
    """Falling through to another account would be worse."""
    debug(caplog)
    put(tmp_path, CLI, config(row))

    with pytest.raises(CredentialsMissingError, match=said) as caught:
        found(tmp_path)

    assert "~/.aliyun/config.json, profile 'main'" in str(caught.value)
    assert CANARY not in f"{caught.value} {caplog.text}"


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("type = ecs_ram_role", r"\?credentials=instance"),
        ("type = rsa_key_pair", "of the form 'rsa_key_pair'"),
        ("type = oidc_role_arn", "lacks the name of the role; put role_arn there"),
        ("type = oidc_role_arn\nrole_arn = x", "lacks oidc_provider_arn"),
        ("type = oidc_role_arn\nrole_arn = x\noidc_provider_arn = p", "oidc_token_file_path"),
        ("type = ram_role_arn\nrole_arn = x", "lacks keys to take the role on with"),
        ("access_key_id = x", "has access_key_id but no access_key_secret"),
    ],
)
def test_an_ini_section_that_cannot_be_used_is_said(
    tmp_path: Path, section: str, said: str
) -> None:
    """By file and section."""
    put(tmp_path, INI, f"[default]\n{section}\n")

    with pytest.raises(CredentialsMissingError, match=said):
        found(tmp_path)


def test_a_broken_file_is_said_without_what_is_in_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds a secret in plain text."""
    put(tmp_path, CLI, json.dumps(config(AK))[:-9])

    with pytest.raises(
        CredentialsMissingError, match=r"config.json' is not JSON \(line 1"
    ) as caught:
        found(tmp_path)

    check_silent(caught.value, caplog)


def test_an_external_command_is_run_without_a_shell(tmp_path: Path) -> None:
    """The file writes it as one text."""
    script = put(tmp_path, "helper.py", f"import json; print(json.dumps({AK | {'mode': 'AK'}!r}))")
    command = f"'{sys.executable}' '{script}'"
    put(tmp_path, CLI, config({"mode": "External", "process_command": command}))

    assert "LTAI1" == found(tmp_path).key_id


def test_a_role_in_the_file_is_taken_on_with_its_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The request is signed like the vendor's, and one role serves all regions."""
    debug(caplog)
    time = Time()
    role = {"mode": "RamRoleArn", "ram_role_arn": ARN, "ram_session_name": "me"}
    put(tmp_path, CLI, config({**AK, **role, "external_id": "x y", "expired_seconds": 1800}))
    with server(lambda asked: (200, sts(len(seen)))) as (url, seen):
        around = at_home(tmp_path, time=time, sts_endpoint=url)
        source = find_source(AlibabaDriver, around)
        keys = source.get()
        assert source is find_source(AlibabaDriver, around)
        time.now += 3000
        again = source.get()

    assert ("STS.1", f"{CANARY}-1") == (keys.key_id, keys.secret.reveal())
    assert "STS.2" == again.key_id
    assert f"the role {ARN}" == keys.origin
    form = dict(parse_qsl(seen[0].body))
    signature = form.pop("Signature")
    assert signing.rpc_signature("POST", form, CANARY) == signature
    assert ("AssumeRole", "2015-04-01") == (form["Action"], form["Version"])
    assert (ARN, "me", "1800") == (
        form["RoleArn"],
        form["RoleSessionName"],
        form["DurationSeconds"],
    )
    assert "x y" == form["ExternalId"]
    assert CANARY not in f"{source!r} {keys!r} {caplog.text} {seen[0].path}"


def test_a_role_may_be_reached_through_another_profile(tmp_path: Path) -> None:
    """That is how one account reaches a hundred."""
    chained = {"name": "top", "mode": "ChainableRamRoleArn", "source_profile": "main"}
    put(tmp_path, CLI, config(AK, {**chained, "ram_role_arn": ARN}, current="top"))
    with server(lambda asked: (200, sts())) as (url, seen):
        keys = found(tmp_path, sts_endpoint=url)

    assert "STS.1" == keys.key_id
    assert "LTAI1" == dict(parse_qsl(seen[0].body))["AccessKeyId"]


def test_a_role_in_the_ini_file_is_taken_on(tmp_path: Path) -> None:
    """It has no external id."""
    lines = [f"{name} = {value}" for name, value in AK.items()]
    put(tmp_path, INI, "\n".join(["[default]", "type = ram_role_arn", f"role_arn = {ARN}", *lines]))
    with server(lambda asked: (200, sts())) as (url, _):
        assert "STS.1" == found(tmp_path, sts_endpoint=url).key_id


def test_a_role_from_the_configuration_is_taken_on() -> None:
    """With whatever keys are found."""
    environ = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI1", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": CANARY}
    with server(lambda asked: (200, sts(end=9e9))) as (url, seen):
        table = {"role_arn": ARN, "duration": 60, "policy": "{}", "sts_endpoint": url}
        keys = source_for("alibaba", table, environ=environ).get()

    form = dict(parse_qsl(seen[0].body))
    assert "STS.1" == keys.key_id
    assert ("900", "{}", "snapkit") == (
        form["DurationSeconds"],
        form["Policy"],
        form["RoleSessionName"],
    )


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (
            403,
            {"Code": "NoPermission", "Message": "You are not authorized", "RequestId": "R1"},
            f"the role {ARN} failed: AssumeRole: NoPermission: You are not authorized .request R1",
        ),
        (404, {"Code": "EntityNotExist.Role", "Message": "no role"}, "EntityNotExist.Role"),
        (200, {"RequestId": "R1"}, "has no temporary credentials"),
        (200, {"Credentials": {**sts()["Credentials"], "Expiration": ""}}, "no temporary"),
        (200, "<html>", "is HTML, not the API's"),
    ],
)
def test_a_role_that_is_refused_is_a_credentials_error(
    status: int, answer: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In the service's own words, without keys."""
    debug(caplog)
    with server(lambda asked: (status, answer)) as (url, _):
        around = at_home(Path("/nowhere"), sts_endpoint=url)
        with pytest.raises(CredentialsMissingError, match=said) as caught:
            AlibabaDriver.assumed(Role(arn=ARN), BASE, around).get()

    assert CANARY not in f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caplog.text}"


ROLE_PATH = "/latest/meta-data/ram/security-credentials/"


def metadata(asked: Asked) -> tuple[int, Any]:
    """Answer like a machine with a role, which insists on a token."""
    if asked.path == "/latest/api/token":
        return (200, "TOK") if asked.method == "PUT" else (405, "")
    if asked.headers.get("x-aliyun-ecs-metadata-token") != "TOK":
        return 403, ""
    return 200, "role-1" if asked.path == ROLE_PATH else sts()["Credentials"] | {"Code": "Success"}


def test_the_role_of_a_machine_comes_from_its_metadata(tmp_path: Path) -> None:
    """By a token first, as the hardened form of the service wants it."""
    with server(metadata) as (url, seen):
        keys = found(tmp_path, instance=True, metadata=url)

    assert ("STS.1", "the role of this machine, 'role-1'") == (keys.key_id, keys.origin)
    assert [("PUT", "/latest/api/token"), ("GET", ROLE_PATH), ("GET", f"{ROLE_PATH}role-1")] == [
        (asked.method, asked.path) for asked in seen
    ]
    assert "21600" == seen[0].headers["x-aliyun-ecs-metadata-token-ttl-seconds"]


def older(asked: Asked) -> tuple[int, Any]:
    """Answer like a machine that knows no tokens."""
    if asked.method == "PUT":
        return 404, ""
    return 200, sts()["Credentials"]


def test_the_older_form_is_asked_unless_it_is_forbidden(tmp_path: Path) -> None:
    """And a role that is named need not be asked for."""
    environ = {"ALIBABA_CLOUD_ECS_METADATA": "mine"}
    with server(older) as (url, seen):
        keys = found(tmp_path, instance=True, metadata=url, environ=environ)
        environ |= {"ALIBABA_CLOUD_IMDSV1_DISABLED": "true"}
        with pytest.raises(CredentialsMissingError, match=r"gives no token \(HTTP 404\); ALIBABA"):
            found(tmp_path, instance=True, metadata=url, environ=environ)

    assert "STS.1" == keys.key_id
    assert f"{ROLE_PATH}mine" == seen[1].path


@pytest.mark.parametrize(
    ("role", "keys", "said"),
    [
        ((404, ""), (200, ""), "this machine has no role; attach a RAM role"),
        ((200, "../../x"), (200, ""), "this machine has no role"),
        ((200, "r"), (200, {"Code": "Failed"}), r"no keys for the role 'r' \(HTTP 200\)"),
        ((200, "r"), (500, ""), r"no keys for the role 'r' \(HTTP 500\)"),
        ((200, "r"), (200, f"secret {CANARY}"), "no keys for the role 'r'"),
        ((200, "r"), (200, {"AccessKeySecret": CANARY}), "AccessKeySecret but no AccessKeyId"),
        ((200, "r"), (200, {"Code": "Success"}), "has no temporary credentials"),
    ],
)
def test_a_machine_without_a_role_is_said(
    tmp_path: Path, role: tuple[int, Any], keys: tuple[int, Any], said: str
) -> None:
    """The metadata service answers for everything, keys or not."""

    def answer(asked: Asked) -> tuple[int, Any]:
        return {"/latest/api/token": (200, "T"), ROLE_PATH: role}.get(asked.path, keys)

    with (
        server(answer) as (url, _),
        pytest.raises(CredentialsMissingError, match=said) as caught,
    ):
        found(tmp_path, instance=True, metadata=url)

    assert CANARY not in str(caught.value)


def test_the_role_of_a_machine_can_be_switched_off(tmp_path: Path) -> None:
    """By the vendor's own variable."""
    environ = {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}

    with pytest.raises(CredentialsMissingError, match="switched off by ALIBABA_CLOUD_ECS"):
        found(tmp_path, instance=True, environ=environ)


def test_a_target_asks_for_the_role_by_an_option(monkeypatch: pytest.MonkeyPatch) -> None:
    """And for nothing else."""
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    target = Target.parse("alibaba:cn-hangzhou?credentials=instance", environ={})

    with pytest.raises(CredentialsMissingError, match="switched off"):
        open_driver(target)


def test_the_files_that_are_told_are_those_that_are_read() -> None:
    """The offer to use them comes from the first list."""
    titles = [place.title for place in AlibabaDriver.key_sources() if not place.environment]

    assert titles == list(AlibabaDriver.credential_files)
    assert all(re.match(r"~/\.", title) for title in titles)
