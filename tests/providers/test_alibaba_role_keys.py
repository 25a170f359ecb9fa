"""Keys of clusters, of services of the user's, of sign-ins and of machines on Alibaba Cloud."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from snapkit.credentials import Credentials
from snapkit.errors import ConfigurationError, CredentialsMissingError
from snapkit.sources import find_source, source_for
from snapkit_alibaba import AlibabaDriver
from snapkit_alibaba.roles import sts_url
from tests.keylab import (
    CANARY,
    NOW,
    Asked,
    Time,
    alibaba_sts,
    at_home,
    check_silent,
    debug,
    put,
    server,
)

CLI = ".aliyun/config.json"
INI = ".alibabacloud/credentials.ini"
ARN = "acs:ram::1:role/reader"
PROVIDER = "acs:ram::1:oidc-provider/cluster"
TOKEN = f"{CANARY}-of-the-cluster"
SESSION = f"{CANARY}-of-the-session"
STS = {"access_key_id": "STS.9", "access_key_secret": CANARY, "sts_token": SESSION}
ROLE_PATH = "/latest/meta-data/ram/security-credentials/"


def config(*profiles: Mapping[str, Any]) -> dict[str, Any]:
    return {"current": profiles[0]["name"], "profiles": list(profiles)}


def found(home: Path, **changes: Any) -> Credentials:
    return find_source(AlibabaDriver, at_home(home, **changes)).get()


def cluster(home: Path) -> dict[str, str]:
    """Return the variables that a cluster sets, and mount its token."""
    return {
        "ALIBABA_CLOUD_ROLE_ARN": ARN,
        "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
        "ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(put(home, "token", f"{TOKEN}-1\n")),
    }


def test_a_cluster_gives_a_role_by_three_variables(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The call is not signed, its token is in the body, and the token is read anew each time."""
    debug(caplog)
    time, environ = Time(), cluster(tmp_path)
    with server(lambda asked: (200, alibaba_sts(len(seen), time.now + 3600))) as (url, seen):
        around = at_home(tmp_path, time=time, sts_endpoint=url, environ=environ)
        source = find_source(AlibabaDriver, around)
        keys = source.get()
        put(tmp_path, "token", f"{TOKEN}-2\n").chmod(0o644)
        time.now += 3000
        again = source.get()

    assert ("STS.1", f"{CANARY}-1", "STS.2") == (keys.key_id, keys.secret.reveal(), again.key_id)
    query, form = dict(parse_qsl(urlsplit(seen[0].path).query)), dict(parse_qsl(seen[0].body))
    assert {
        "Action": "AssumeRoleWithOIDC",
        "Version": "2015-04-01",
        "Format": "JSON",
        "Timestamp": "2027-01-15T08:00:00Z",
    } == query
    assert {
        "RoleArn": ARN,
        "OIDCProviderArn": PROVIDER,
        "OIDCToken": f"{TOKEN}-1",
        "RoleSessionName": "snapkit",
        "DurationSeconds": "3600",
    } == form
    assert f"{TOKEN}-2" == dict(parse_qsl(seen[1].body))["OIDCToken"]
    assert CANARY not in f"{source!r} {keys!r} {caplog.text} {seen[0].path} {seen[0].headers}"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("ALIBABA_CLOUD_ROLE_ARN", "OIDC_TOKEN_FILE is set but ALIBABA_CLOUD_ROLE_ARN is not"),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "TOKEN_FILE is set but ALIBABA_CLOUD_OIDC_PROVIDER"),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", "PROVIDER_ARN is set but ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
    ],
)
def test_two_of_three_variables_are_said(tmp_path: Path, missing: str, said: str) -> None:
    """As half a pair of keys is: the next place may be another account."""
    put(tmp_path, CLI, config({"name": "main", "mode": "AK", **STS}))
    environ = {name: value for name, value in cluster(tmp_path).items() if name != missing}

    with pytest.raises(CredentialsMissingError, match=said):
        found(tmp_path, environ=environ)


def test_a_role_alone_in_the_environment_is_none(tmp_path: Path) -> None:
    """The vendor's libraries use it to fill in what a profile leaves out."""
    put(tmp_path, CLI, config({"name": "main", "mode": "AK", **STS}))

    assert "STS.9" == found(tmp_path, environ={"ALIBABA_CLOUD_ROLE_ARN": ARN}).key_id


def test_keys_then_the_cluster_then_files_then_an_address(tmp_path: Path) -> None:
    """The vendor's own order; the machine's role is left out, as it has to be asked for."""
    pair = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI9", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "s"}

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.method == "GET":
            return 200, alibaba_sts(2)["Credentials"]
        return 200, alibaba_sts(1)

    with server(answer) as (url, _):
        here = tmp_path / "empty"
        address = {"ALIBABA_CLOUD_CREDENTIALS_URI": f"{url}/keys"}
        assert "STS.2" == found(here, environ=address).key_id
        put(tmp_path, CLI, config({"name": "main", "mode": "AK", **STS}))
        assert "STS.9" == found(tmp_path, environ=address).key_id
        both = address | cluster(tmp_path)
        assert "STS.1" == found(tmp_path, environ=both, sts_endpoint=url).key_id
        assert "LTAI9" == found(tmp_path, environ=both | pair, sts_endpoint=url).key_id
        assert "STS.9" == found(tmp_path, environ=both | pair, profile="main").key_id


def test_a_profiles_table_tells_the_environment_from_files(tmp_path: Path) -> None:
    """A cluster's variables belong to the environment, and no file does."""
    put(tmp_path, CLI, config({"name": "main", "mode": "AK", **STS}))
    environ = {"HOME": str(tmp_path)} | cluster(tmp_path)
    clock = Time().clock()
    with server(lambda asked: (200, alibaba_sts())) as (url, _):
        around = at_home(tmp_path, sts_endpoint=url, environ=environ)
        assert "STS.1" == find_source(AlibabaDriver, around).get().key_id

    of_environment = source_for("alibaba", {"source": "environment"}, environ=environ, clock=clock)
    assert f"the role {ARN} by OIDC" in repr(of_environment)
    of_files = source_for("alibaba", {"source": "files"}, environ=environ, clock=clock)
    assert "STS.9" == of_files.get().key_id
    with pytest.raises(CredentialsMissingError, match="no credentials in the environment"):
        source_for("alibaba", {"source": "environment"}, environ={"HOME": str(tmp_path)})
    with pytest.raises(
        CredentialsMissingError,
        match=r"searched: ~/.aliyun/config.json, ~/.alibabacloud/cred.*ini$",
    ):
        source_for("alibaba", {"source": "files", "profile": "no"}, environ=environ)


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (400, {"Code": "AuthenticationFail.OIDCToken.Expired", "Message": "old"}, "Token.Expired"),
        (404, {"Code": "EntityNotExist.Role", "Message": "no role"}, "EntityNotExist.Role"),
        (200, {"RequestId": "R1"}, "has no temporary credentials"),
    ],
)
def test_a_token_that_is_refused_is_a_credentials_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int, answer: Any, said: str
) -> None:
    """In the service's own words; the token stays out of them."""
    debug(caplog)
    with (
        server(lambda asked: (status, answer)) as (url, _),
        pytest.raises(CredentialsMissingError, match=said) as caught,
    ):
        found(tmp_path, environ=cluster(tmp_path), sts_endpoint=url)

    check_silent(caught.value, caplog)


@pytest.mark.parametrize(
    ("content", "said"), [(None, "is not there; check that the token is mounted"), (" \n", "empty")]
)
def test_a_token_that_is_not_mounted_is_said(
    tmp_path: Path, content: str | None, said: str
) -> None:
    """By its file."""
    environ = cluster(tmp_path)
    if content is None:
        (tmp_path / "token").unlink()
    else:
        put(tmp_path, "token", content)

    with pytest.raises(CredentialsMissingError, match=f"token file .*{said}"):
        found(tmp_path, environ=environ)


def test_a_cluster_mounts_its_token_by_links_and_for_all_to_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody can chmod it, so there is nothing to warn of."""
    put(tmp_path, "mnt/..2027/token", TOKEN).chmod(0o644)
    (tmp_path / "mnt/..data").symlink_to("..2027")
    (tmp_path / "mnt/token").symlink_to("..data/token")
    environ = cluster(tmp_path) | {"ALIBABA_CLOUD_OIDC_TOKEN_FILE": str(tmp_path / "mnt/token")}
    with server(lambda asked: (200, alibaba_sts())) as (url, seen):
        found(tmp_path, environ=environ, sts_endpoint=url)

    assert TOKEN == dict(parse_qsl(seen[0].body))["OIDCToken"]
    assert "chmod" not in caplog.text


@pytest.mark.parametrize("form", ["cli", "ini"])
@pytest.mark.parametrize("filled_in", [False, True])
def test_a_profile_may_be_of_oidc(tmp_path: Path, form: str, *, filled_in: bool) -> None:
    """And the environment fills in what it leaves out, as in the vendor's libraries."""
    token = str(put(tmp_path, "token", TOKEN))
    names = {
        "cli": ("ram_role_arn", "oidc_provider_arn", "oidc_token_file", "ram_session_name"),
        "ini": ("role_arn", "oidc_provider_arn", "oidc_token_file_path", "role_session_name"),
    }[form]
    row = dict(zip(names, (ARN, PROVIDER, token, "me"), strict=True))
    environ = dict[str, str]()
    if filled_in:
        row = {"policy": "{}"}
        environ = cluster(tmp_path) | {"ALIBABA_CLOUD_ROLE_SESSION_NAME": "me"}
        put(tmp_path, "token", TOKEN)
    if form == "cli":
        put(tmp_path, CLI, config({"name": "main", "mode": "OIDC", **row}))
    else:
        lines = [f"{name} = {value}" for name, value in row.items()]
        put(tmp_path, INI, "\n".join(["[main]", "type = oidc_role_arn", *lines]))
    with server(lambda asked: (200, alibaba_sts())) as (url, seen):
        keys = found(tmp_path, environ=environ, sts_endpoint=url, profile="main")

    sent = dict(parse_qsl(seen[0].body))
    assert "STS.1" == keys.key_id
    assert (ARN, PROVIDER, TOKEN, "me") == (
        sent["RoleArn"],
        sent["OIDCProviderArn"],
        sent["OIDCToken"],
        sent["RoleSessionName"],
    )


def test_a_sign_in_is_used_while_it_lasts_and_looked_for_again(tmp_path: Path) -> None:
    """The command line renews it in the file."""
    time = Time()
    row: dict[str, Any] = {"name": "my sso", "mode": "CloudSSO", **STS}
    put(tmp_path, CLI, config(row | {"sts_expiration": NOW + 3600}))
    source = find_source(AlibabaDriver, at_home(tmp_path, time=time))
    keys = source.get()

    assert ("STS.9", SESSION) == (keys.key_id, keys.token and keys.token.reveal())
    assert NOW + 3600 == (keys.expires_at and keys.expires_at.timestamp())
    renewed = row | {"sts_expiration": NOW + 7200, "access_key_id": "STS.10"}
    put(tmp_path, CLI, config(renewed))
    time.now += 3000
    assert "STS.10" == source.get().key_id
    time.now += 7200
    with pytest.raises(
        CredentialsMissingError,
        match=r"profile 'my sso' has no temporary key that still lasts;"
        r" sign in with: aliyun configure --profile 'my sso'",
    ):
        source.get()


def test_a_role_may_be_taken_on_with_a_sign_in(tmp_path: Path) -> None:
    """A chain's first link need not be a plain key."""
    sso = {"name": "sso", "mode": "CloudSSO", **STS, "sts_expiration": NOW + 3600}
    top = {"name": "top", "mode": "ChainableRamRoleArn", "source_profile": "sso"}
    put(tmp_path, CLI, config(top | {"ram_role_arn": ARN}, sso))
    with server(lambda asked: (200, alibaba_sts())) as (url, seen):
        assert "STS.1" == found(tmp_path, sts_endpoint=url).key_id

    sent = dict(parse_qsl(seen[0].body))
    assert ("STS.9", SESSION) == (sent["AccessKeyId"], sent["SecurityToken"])


def test_a_service_of_the_users_hands_out_keys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The address is a profile's or the environment's, and is asked again before the end."""
    debug(caplog)
    time = Time()

    def answer(_: Asked) -> tuple[int, Any]:
        keys = alibaba_sts(len(seen), time.now + 3600)["Credentials"]
        return 200, {"Code": "Success", **keys}

    with server(answer) as (url, seen):
        row = {"name": "main", "mode": "CredentialsURI", "credentials_uri": f"{url}/?user=me"}
        put(tmp_path, CLI, config(row))
        source = find_source(AlibabaDriver, at_home(tmp_path, time=time))
        first = source.get()
        time.now += 3000
        second = source.get()
        put(tmp_path, CLI, config({"name": "main", "mode": "CredentialsURI"}))
        environ = {"ALIBABA_CLOUD_CREDENTIALS_URI": f"{url}/other"}
        third = found(tmp_path, time=time, environ=environ)

    assert ["STS.1", "STS.2", "STS.3"] == [one.key_id for one in (first, second, third)]
    assert ["/?user=me", "/?user=me", "/other"] == [asked.path for asked in seen]
    assert "the service that ~/.aliyun/config.json, profile 'main' names" == first.origin
    assert CANARY not in f"{source!r} {first!r} {caplog.text}"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"Code": "Fail", "AccessKeySecret": CANARY}, r"has no keys \(Code 'Fail'\)"),
        ({"Code": "Success"}, "has no temporary credentials"),
        ({"Code": "Success", "AccessKeySecret": CANARY}, "AccessKeySecret but no AccessKeyId"),
        (alibaba_sts()["Credentials"] | {"Expiration": ""}, "has no temporary credentials"),
        (f"secret {CANARY}", "is not JSON"),
        (f'["{CANARY}"]', "is no JSON object"),
    ],
)
def test_a_service_without_keys_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: Any, said: str
) -> None:
    """Without what it answered."""
    debug(caplog)
    with server(lambda asked: (200, answer)) as (url, _):
        environ = {"ALIBABA_CLOUD_CREDENTIALS_URI": f"{url}/keys"}
        with pytest.raises(CredentialsMissingError, match=said) as caught:
            found(tmp_path, environ=environ)

    assert "ALIBABA_CLOUD_CREDENTIALS_URI" in str(caught.value)
    check_silent(caught.value, caplog)


def machine(asked: Asked) -> tuple[int, Any]:
    """Answer as the metadata of a machine, and as the token service for its key."""
    if asked.method == "PUT":
        return 200, "TOK"
    if asked.method == "GET":
        return 200, alibaba_sts(7)["Credentials"] | {"Code": "Success", "SecurityToken": SESSION}
    return 200, alibaba_sts(8)


@pytest.mark.parametrize(
    ("row", "key_id"),
    [
        ({"mode": "EcsRamRole", "ram_role_name": "mine"}, "STS.7"),
        (
            {"mode": "RamRoleArnWithRoleName", "ram_role_name": "mine", "ram_role_arn": ARN},
            "STS.8",
        ),
        ({"mode": "RamRoleArnWithEcs", "ram_role_name": "mine", "ram_role_arn": ARN}, "STS.8"),
        ({"mode": "ChainableRamRoleArn", "source_profile": "ecs", "ram_role_arn": ARN}, "STS.8"),
    ],
)
def test_a_profile_that_is_named_may_use_the_role_of_the_machine(
    tmp_path: Path, row: Mapping[str, Any], key_id: str
) -> None:
    """To name it is to ask for it; without that it is refused before anything is sent."""
    ecs = {"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "mine"}
    put(tmp_path, CLI, config({"name": "main", **row}, ecs))
    with server(machine) as (url, seen):
        with pytest.raises(CredentialsMissingError, match="used only when asked for"):
            found(tmp_path, sts_endpoint=url, metadata=url)
        assert [] == seen
        keys = found(tmp_path, sts_endpoint=url, metadata=url, profile="main")

    assert key_id == keys.key_id
    assert f"{ROLE_PATH}mine" == seen[1].path
    if key_id == "STS.8":
        sent = dict(parse_qsl(seen[2].body))
        assert ("AssumeRole", "STS.7", ARN) == (
            sent["Action"],
            sent["AccessKeyId"],
            sent["RoleArn"],
        )


def test_a_section_of_a_machines_role_works_when_it_is_named(tmp_path: Path) -> None:
    """As in the other file."""
    put(tmp_path, INI, "[main]\ntype = ecs_ram_role\nrole_name = mine\n")
    with server(machine) as (url, seen):
        assert "STS.7" == found(tmp_path, metadata=url, profile="main").key_id

    assert f"{ROLE_PATH}mine" == seen[1].path


def test_a_variable_that_names_the_machines_role_is_not_passed_over_in_silence(
    tmp_path: Path,
) -> None:
    """It is not taken either: it may be left over from another machine."""
    environ = {"ALIBABA_CLOUD_ECS_METADATA": "mine"}

    with pytest.raises(
        CredentialsMissingError,
        match=r"^ALIBABA_CLOUD_ECS_METADATA points.*=instance to the target$",
    ):
        found(tmp_path, environ=environ)
    put(tmp_path, CLI, config({"name": "main", "mode": "AK", **STS}))
    assert "STS.9" == found(tmp_path, environ=environ).key_id


@pytest.mark.parametrize(
    ("environ", "region", "url"),
    [
        ({}, "", "https://sts.aliyuncs.com"),
        ({"ALIBABA_CLOUD_STS_REGION": "cn-beijing"}, "", "https://sts.cn-beijing.aliyuncs.com"),
        (
            {"ALIBABA_CLOUD_STS_REGION": "cn-beijing"},
            "cn-hangzhou",
            "https://sts.cn-hangzhou.aliyuncs.com",
        ),
        (
            {"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "True"},
            "cn-hangzhou",
            "https://sts-vpc.cn-hangzhou.aliyuncs.com",
        ),
        ({"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true"}, "", "https://sts.aliyuncs.com"),
    ],
)
def test_the_token_service_is_the_one_that_the_user_chose(
    tmp_path: Path, environ: dict[str, str], region: str, url: str
) -> None:
    """In a closed network only one of its addresses can be reached."""
    assert url == sts_url(at_home(tmp_path, environ=environ), region)
    given = at_home(tmp_path, environ=environ, sts_endpoint="https://sts.example/")
    assert "https://sts.example" == sts_url(given, region)


def test_a_region_of_the_token_service_cannot_become_another_host(tmp_path: Path) -> None:
    """It stands in a file or a variable."""
    row = {"name": "main", "mode": "RamRoleArn", **STS, "ram_role_arn": ARN}
    put(tmp_path, CLI, config(row | {"sts_region": "evil.example/x"}))

    with pytest.raises(ConfigurationError, match="is not a region"):
        found(tmp_path)
