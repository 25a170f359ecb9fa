"""QingCloud signs verb, path and sorted parameters; what is sent is what was signed."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from snapkit.credentials import Credentials
from snapkit.http import HttpRequest
from snapkit.transport import Call, Moment
from snapkit_qingcloud import signing
from snapkit_qingcloud.driver import QingCloudApi, endpoint_url

DATA = Path(__file__).parents[1] / "data"
VECTORS: list[dict[str, Any]] = json.loads((DATA / "qingcloud_signatures.json").read_text("utf-8"))[
    "vectors"
]
MOMENT = Moment(time=1716192550.9, entropy=bytes(range(16)))
KEYS = Credentials(key_id="QYACCESSKEYIDEXAMPLE", secret="SECRETACCESSKEY")


def send(
    params: dict[str, str] | None = None,
    *,
    url: str = "https://api.qingcloud.com/iaas/",
    keys: Credentials = KEYS,
    **options: Any,
) -> HttpRequest:
    call = Call(operation="DescribeSnapshots", url=url, params=params or {"zone": "pek3"})
    return QingCloudApi(**options).sign(call, keys, MOMENT)


def sent(request: HttpRequest) -> dict[str, str]:
    encoded = request.body.decode() or urlsplit(request.url).query
    return dict(parse_qsl(encoded, keep_blank_values=True, strict_parsing=True))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_official_sdks_signatures_come_out(vector: dict[str, Any]) -> None:
    """The SDK's signatures are the ones the servers accept."""
    query = signing.canonical(vector["params"])
    signed = signing.signature(
        vector["secret_access_key"],
        vector["method"],
        vector["path"],
        query,
        method=vector["params"]["signature_method"],
    )

    assert vector["canonical_query"] == query
    assert vector["signature"] == signed
    assert query + "&signature=" + vector["signature_urlencoded"] == signing.with_signature(
        query, signed
    )


def test_parameters_are_signed_in_byte_order_whatever_order_they_come_in() -> None:
    """Capitals come before small letters, and ten before two."""
    params = {"b": "1", "a.2": "2", "a.10": "3", "A": "4"}

    assert "A=4&a.10=3&a.2=2&b=1" == signing.canonical(params)


def test_half_a_character_is_signed_as_the_bytes_it_would_be() -> None:
    """Text from elsewhere may hold one; the provider will say that it knows no such id."""
    assert "n=%ED%A0%80" == signing.canonical({"n": "\ud800"})


def test_the_signature_stands_in_the_url_encoded_exactly_once() -> None:
    """Encoded twice it is refused, and no test of the signature alone would notice."""
    request = send()
    fields = sent(request)
    given = fields.pop("signature")

    expected = signing.signature("SECRETACCESSKEY", "GET", "/iaas/", signing.canonical(fields))

    assert expected == given


def test_every_common_parameter_is_sent_and_signed() -> None:
    """The server refuses a request in which one of them is missing."""
    fields = sent(send())

    assert {
        "action": "DescribeSnapshots",
        "zone": "pek3",
        "access_key_id": "QYACCESSKEYIDEXAMPLE",
        "version": "1",
        "signature_method": "HmacSHA256",
        "signature_version": "1",
        "time_stamp": "2024-05-20T08:09:10Z",
        "req_id": "000102030405060708090a0b0c0d0e0f",
    } == {name: value for name, value in fields.items() if name != "signature"}


def test_a_blank_is_never_a_plus_sign() -> None:
    """Form encoding in the signed text breaks every name with a space in it."""
    request = send({"zone": "pek3", "search_word": "每日 a+b/c"})

    assert "search_word=%E6%AF%8F%E6%97%A5%20a%2Bb%2Fc&" in request.url


def test_the_signed_path_is_the_requested_path() -> None:
    """A private cloud may be anywhere, and its path is part of the text."""
    request = send(url="https://cloud.example:8443/api/iaas/")
    fields = sent(request)
    given = fields.pop("signature")

    assert (
        signing.signature("SECRETACCESSKEY", "GET", "/api/iaas/", signing.canonical(fields))
        == given
    )


def test_a_post_carries_everything_in_its_body() -> None:
    """The verb is signed too, and nothing is left in the URL."""
    request = send(post=True)
    fields = sent(request)
    given = fields.pop("signature")

    assert ("POST", "https://api.qingcloud.com/iaas/") == (request.method, request.url)
    assert "application/x-www-form-urlencoded" == request.headers["Content-Type"]
    assert (
        signing.signature("SECRETACCESSKEY", "POST", "/iaas/", signing.canonical(fields)) == given
    )


def test_a_request_too_long_for_a_url_becomes_a_post() -> None:
    """Gateways cut long request lines."""
    many = {f"snapshots.{index}": f"ss-{index:040}" for index in range(1, 101)}

    assert "GET" == send().method
    assert "POST" == send(many).method


def test_sha1_is_named_in_the_signed_text() -> None:
    """The method is a parameter, and signing with another than named is refused."""
    fields = sent(send(signature_method="HmacSHA1"))
    given = fields.pop("signature")

    assert "HmacSHA1" == fields["signature_method"]
    assert (
        signing.signature(
            "SECRETACCESSKEY", "GET", "/iaas/", signing.canonical(fields), method="HmacSHA1"
        )
        == given
    )


def test_a_roles_token_goes_to_its_own_path_and_not_into_the_url() -> None:
    """The token is a secret; URLs end up in the logs of proxies."""
    request = send(keys=Credentials(key_id="role", secret="key", token="id-token"))

    assert ("POST", "https://api.qingcloud.com/iam/") == (request.method, request.url)
    assert ("id-token", "2") == (sent(request)["token"], sent(request)["signature_version"])


def test_an_attempt_is_signed_with_its_own_time_and_id() -> None:
    """A repeated time is stale after a minute."""
    call = Call(operation="DescribeZones", url="https://api.qingcloud.com/iaas/")
    api = QingCloudApi()
    first = api.sign(call, KEYS, MOMENT)
    second = api.sign(call, KEYS, Moment(time=MOMENT.time + 90, entropy=b"x" * 16))

    assert "2024-05-20T08:09:10Z" == sent(first)["time_stamp"]
    assert "2024-05-20T08:10:40Z" == sent(second)["time_stamp"]
    assert sent(first)["req_id"] != sent(second)["req_id"] == api.request_id


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (None, "https://api.qingcloud.com/iaas/"),
        ("https://cloud.example", "https://cloud.example/iaas/"),
        ("https://cloud.example:8443/iaas", "https://cloud.example:8443/iaas/"),
        ("https://cloud.example/other/iaas", "https://cloud.example/other/iaas/"),
        ("http://127.0.0.1:7777", "http://127.0.0.1:7777/iaas/"),
    ],
)
def test_an_endpoints_own_path_is_kept(endpoint: str | None, url: str) -> None:
    """White-label clouds have the same API at another place."""
    assert url == endpoint_url(endpoint)
