"""Keys of clusters, sign-ins, machines and roles in the environment on Tencent Cloud."""

import json
from pathlib import Path
from typing import Any

import pytest

from snapkit.credentials import Credentials
from snapkit.errors import ConfigurationError, CredentialsMissingError
from snapkit.sources import find_source, source_for
from snapkit_tencent import TencentDriver
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
    tencent_sts,
)

CLI = ".tccli/default.credential"
OLD = ".qcloudcli/credentials"
AK = {"secretId": "AKID1", "secretKey": CANARY}
PAIR = {"TENCENTCLOUD_SECRET_ID": "AKID9", "TENCENTCLOUD_SECRET_KEY": CANARY}
ARN = "qcs::cam::uin/1:roleName/reader"
TOKEN = f"{CANARY}-of-the-cluster"
ROLE_PATH = "/latest/meta-data/cam/security-credentials/"


def found(home: Path, **changes: Any) -> Credentials:
    return find_source(TencentDriver, at_home(home, **changes)).get()


def cluster(home: Path) -> dict[str, str]:
    """Return the variables that a cluster sets, and mount its token."""
    return {
        "TKE_REGION": "ap-beijing",
        "TKE_PROVIDER_ID": "OIDC",
        "TKE_ROLE_ARN": ARN,
        "TKE_WEB_IDENTITY_TOKEN_FILE": str(put(home, "token", f"{TOKEN}-1\n")),
    }


def test_a_cluster_gives_a_role_by_four_variables(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The call is not signed, its token is in the body, and the token is read anew each time."""
    debug(caplog)
    time, environ = Time(), cluster(tmp_path)
    with server(lambda asked: (200, tencent_sts(len(seen), time.now + 7200))) as (url, seen):
        around = at_home(tmp_path, time=time, sts_endpoint=url, environ=environ)
        source = find_source(TencentDriver, around)
        keys = source.get()
        put(tmp_path, "token", f"{TOKEN}-2\n").chmod(0o644)
        time.now += 6600
        again = source.get()

    assert ("TMP1", f"{CANARY}-1", "TMP2") == (keys.key_id, keys.secret.reveal(), again.key_id)
    assert {
        "RoleArn": ARN,
        "RoleSessionName": "snapkit",
        "DurationSeconds": 7200,
        "ProviderId": "OIDC",
        "WebIdentityToken": f"{TOKEN}-1",
    } == json.loads(seen[0].body)
    assert f"{TOKEN}-2" == json.loads(seen[1].body)["WebIdentityToken"]
    assert {
        "authorization": "SKIP",
        "x-tc-action": "AssumeRoleWithWebIdentity",
        "x-tc-version": "2018-08-13",
        "x-tc-region": "ap-beijing",
        "x-tc-timestamp": str(int(NOW)),
    }.items() <= seen[0].headers.items()
    assert CANARY not in f"{source!r} {keys!r} {caplog.text} {seen[0].path} {seen[0].headers}"


@pytest.mark.parametrize("missing", ["TKE_PROVIDER_ID", "TKE_ROLE_ARN", "TKE_REGION"])
def test_three_of_four_variables_are_said(tmp_path: Path, missing: str) -> None:
    """As half a pair of keys is."""
    environ = {name: value for name, value in cluster(tmp_path).items() if name != missing}

    with pytest.raises(
        CredentialsMissingError, match=f"TKE_WEB_IDENTITY_TOKEN_FILE is set but {missing} is not"
    ):
        found(tmp_path, environ=environ)
    with pytest.raises(CredentialsMissingError, match="no credentials in the environment or"):
        found(tmp_path, environ={"TKE_REGION": "ap-beijing"})


def test_keys_then_files_then_the_cluster(tmp_path: Path) -> None:
    """The vendor's own order; the machine's role is left out, as it has to be asked for."""
    with server(lambda asked: (200, tencent_sts())) as (url, _):
        environ = cluster(tmp_path)
        assert "TMP1" == found(tmp_path, environ=environ, sts_endpoint=url).key_id
        put(tmp_path, CLI, AK)
        assert "AKID1" == found(tmp_path, environ=environ, sts_endpoint=url).key_id
        assert "AKID9" == found(tmp_path, environ=environ | PAIR, sts_endpoint=url).key_id

    environ["HOME"] = str(tmp_path)
    clock = Time().clock()
    of_environment = source_for("tencent", {"source": "environment"}, environ=environ, clock=clock)
    assert f"the role {ARN} by OIDC" in repr(of_environment)
    of_files = source_for("tencent", {"source": "files"}, environ=environ, clock=clock)
    assert "AKID1" == of_files.get().key_id


def test_a_region_of_the_cluster_is_checked(tmp_path: Path) -> None:
    """It stands in a variable."""
    environ = cluster(tmp_path) | {"TKE_REGION": "evil.example/"}

    with pytest.raises(ConfigurationError, match="is not a region"):
        found(tmp_path, environ=environ)


def test_a_token_that_is_refused_is_a_credentials_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In the service's own words; the token stays out of them."""
    debug(caplog)
    refusal = {"Code": "InvalidParameter.WebIdentityTokenError", "Message": "no"}
    answer = {"Response": {"Error": refusal, "RequestId": "R1"}}
    with (
        server(lambda asked: (200, answer)) as (url, _),
        pytest.raises(CredentialsMissingError, match="WebIdentityTokenError") as caught,
    ):
        found(tmp_path, environ=cluster(tmp_path), sts_endpoint=url)

    check_silent(caught.value, caplog)


@pytest.mark.parametrize(
    ("environ", "sent"),
    [
        (
            {"TENCENTCLOUD_ROLE_ARN": ARN, "TENCENTCLOUD_ROLE_SESSION_NAME": "me"},
            {"RoleSessionName": "me", "DurationSeconds": 3600},
        ),
        ({"TENCENTCLOUD_ROLE_ARN": ARN}, {"RoleSessionName": "snapkit", "DurationSeconds": 3600}),
        (
            {
                "TENCENTCLOUD_ASSUME_ROLE_ARN": ARN,
                "TENCENTCLOUD_ASSUME_ROLE_SESSION_NAME": "tf",
                "TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION": "7200",
                "TENCENTCLOUD_ASSUME_ROLE_EXTERNAL_ID": "x",
            },
            {"RoleSessionName": "tf", "DurationSeconds": 7200, "ExternalId": "x"},
        ),
    ],
)
def test_a_role_in_the_environment_is_taken_on_with_the_key_there(
    tmp_path: Path, environ: dict[str, str], sent: dict[str, Any]
) -> None:
    """As the command line and Terraform do; the key alone would be another identity."""
    with server(lambda asked: (200, tencent_sts())) as (url, seen):
        keys = found(tmp_path, environ=environ | PAIR, sts_endpoint=url)

    assert "TMP1" == keys.key_id
    assert {"RoleArn": ARN, **sent} == json.loads(seen[0].body)
    assert "Credential=AKID9/" in seen[0].headers["authorization"]


def test_a_role_in_the_environment_is_not_for_the_keys_of_a_file(tmp_path: Path) -> None:
    """They have a role of their own, or none."""
    put(tmp_path, CLI, AK)

    assert "AKID1" == found(tmp_path, environ={"TENCENTCLOUD_ROLE_ARN": ARN}).key_id


@pytest.mark.parametrize("duration", ["long", "0", "-5", "1.5", "9" * 30])
def test_a_duration_in_the_environment_is_checked(tmp_path: Path, duration: str) -> None:
    """Before anything is sent."""
    environ = PAIR | {
        "TENCENTCLOUD_ASSUME_ROLE_ARN": ARN,
        "TENCENTCLOUD_ASSUME_ROLE_SESSION_DURATION": duration,
    }

    with pytest.raises(ConfigurationError, match="SESSION_DURATION is no number of seconds; write"):
        found(tmp_path, environ=environ)


def test_a_sign_in_is_used_while_it_lasts_and_looked_for_again(tmp_path: Path) -> None:
    """The command line renews it in the file."""
    time = Time()
    cached = AK | {"type": "sso", "token": f"{CANARY}-token", "expiresAt": int(NOW + 3600)}
    put(tmp_path, CLI, cached)
    source = find_source(TencentDriver, at_home(tmp_path, time=time))
    keys = source.get()

    assert ("AKID1", f"{CANARY}-token") == (keys.key_id, keys.token and keys.token.reveal())
    put(tmp_path, CLI, cached | {"secretId": "AKID2", "expiresAt": int(NOW + 7200)})
    time.now += 3000
    assert "AKID2" == source.get().key_id
    time.now += 7200
    with pytest.raises(CredentialsMissingError, match="has expired; sign in again with tccli"):
        source.get()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"type": "sso"}, "has no key; sign in again with tccli"),
        ({"type": "oauth", "expiresAt": NOW + 9}, "has no key; sign in again with tccli"),
        ({"type": "magic", "secret": CANARY}, "of the form 'magic', which snapkit cannot use"),
        ({"role-arn": ARN}, "lacks keys to take the role on with"),
        ({"type": "cvm-role"}, r'or write credentials = { source = "files", profile = "default" }'),
    ],
)
def test_a_file_that_points_elsewhere_is_not_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: dict[str, Any], said: str
) -> None:
    """The next file may be of another account."""
    put(tmp_path, CLI, content)
    put(tmp_path, ".tencentcloud/credentials", "[default]\nsecret_id = A\nsecret_key = k\n")

    with pytest.raises(CredentialsMissingError, match=said) as caught:
        found(tmp_path)

    check_silent(caught.value, caplog)


def test_settings_without_keys_are_passed_over(tmp_path: Path) -> None:
    """The command line leaves such files."""
    put(tmp_path, CLI, {"secretId": "", "secretKey": ""})
    put(tmp_path, ".tencentcloud/credentials", "[default]\nsecret_id = A\nsecret_key = k\n")

    assert "A" == found(tmp_path).key_id


def test_a_profile_that_is_named_may_use_the_role_of_the_machine(tmp_path: Path) -> None:
    """To name it is to ask for it; its role is then taken on with that."""
    pair = {"TmpSecretId": "TMP7", "TmpSecretKey": CANARY, "Token": "t"}
    machine = {"Code": "Success", "ExpiredTime": int(NOW + 3600), **pair}

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.method == "POST":
            return 200, tencent_sts(8)
        return 200, "role-1" if asked.path == ROLE_PATH else machine

    put(tmp_path, ".tccli/prod.credential", {"type": "cvm-role"})
    put(tmp_path, ".tccli/top.credential", {"type": "cvm-role", "role-arn": ARN})
    with server(answer) as (url, seen):
        named = {"metadata": url, "sts_endpoint": url}
        with pytest.raises(CredentialsMissingError, match="used only when asked for"):
            found(tmp_path, environ={"TCCLI_PROFILE": "prod"}, **named)
        assert [] == seen
        assert "TMP7" == found(tmp_path, profile="prod", **named).key_id
        assert "TMP8" == found(tmp_path, profile="top", **named).key_id

    assert "Credential=TMP7/" in seen[-1].headers["authorization"]


def test_a_variable_that_names_the_machines_role(tmp_path: Path) -> None:
    """It is not taken unasked and not passed over in silence; when asked, it saves a question."""
    environ = {"TENCENTCLOUD_CAM_ROLE_NAME": "mine"}
    pair = {"TmpSecretId": "TMP7", "TmpSecretKey": CANARY, "Token": "t"}
    answer = {"Code": "Success", "ExpiredTime": int(NOW + 3600), **pair}
    with pytest.raises(CredentialsMissingError, match=r"^TENCENTCLOUD_CAM_ROLE_NAME points to"):
        found(tmp_path, environ=environ)
    with server(lambda asked: (200, answer)) as (url, seen):
        assert "TMP7" == found(tmp_path, environ=environ, instance=True, metadata=url).key_id

    assert [f"{ROLE_PATH}mine"] == [asked.path for asked in seen]


def test_the_older_command_lines_file_comes_last(tmp_path: Path) -> None:
    """Its sections are called "profile NAME"."""
    pairs = "qcloud_secretkey = a#b\nqcloud_secretid = "
    put(tmp_path, OLD, f"[default]\n{pairs}AKID5\n[profile prod]\n{pairs}AKID6\n")
    keys = found(tmp_path)

    assert ("AKID5", "a#b") == (keys.key_id, keys.secret.reveal())
    assert "~/.qcloudcli/credentials, section 'default'" == keys.origin
    assert "AKID6" == found(tmp_path, profile="prod").key_id
    put(tmp_path, CLI, AK)
    assert "AKID1" == found(tmp_path).key_id
    put(tmp_path, OLD, f"[profile prod]\nqcloud_secretkey = {CANARY}\n")
    with pytest.raises(CredentialsMissingError, match="has qcloud_secretkey but no qcloud_secret"):
        found(tmp_path, profile="prod")


def test_the_command_lines_folder_may_be_elsewhere(tmp_path: Path) -> None:
    """Terraform's own variable says where."""
    put(tmp_path, "shared/prod.credential", AK)
    environ = {
        "TENCENTCLOUD_SHARED_CREDENTIALS_DIR": str(tmp_path / "shared/"),
        "TENCENTCLOUD_PROFILE": "prod",
    }

    keys = found(tmp_path, environ=environ)

    assert ("AKID1", f"{tmp_path}/shared/prod.credential") == (keys.key_id, keys.origin)


def test_the_files_that_are_told_are_those_that_are_read() -> None:
    """The offer to use them comes from the first list."""
    titles = [place.title for place in TencentDriver.key_sources() if not place.environment]

    assert [one.replace("*", "default") for one in titles] == list(TencentDriver.credential_files)
