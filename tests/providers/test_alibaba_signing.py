"""Both signing schemes reproduce what the service accepts, to the byte."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from snapkit.credentials import Credentials
from snapkit_alibaba import signing

VECTORS = json.loads(
    (Path(__file__).parents[1] / "data" / "alibaba_signatures.json").read_text("utf-8")
)
KEY = Credentials(key_id="LTAIEXAMPLE", secret="EXAMPLE-secret")
STS = Credentials(key_id="STS.EXAMPLE", secret="EXAMPLE-secret", token="EXAMPLE-token")


def named(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", VECTORS[kind], ids=lambda vector: vector["name"])


@named("rpc_v1")
def test_rpc_vectors_reproduce(vector: dict[str, Any]) -> None:
    """Three of them are printed in the public documentation."""
    params = {**vector["params"], **vector.get("body_params", {})}
    text = signing.rpc_string_to_sign(vector["method"], params)
    signature = signing.rpc_signature(vector["method"], params, vector["access_key_secret"])

    assert vector["canonical_query"] == signing.canonical_query(params)
    assert vector["string_to_sign"] == text
    assert vector["signature"] == signature


@named("acs3")
def test_acs3_vectors_reproduce(vector: dict[str, Any]) -> None:
    """The canonical request has a blank line that is easily lost."""
    canonical = signing.acs3_canonical_request(
        vector["method"], vector["path"], vector["query"], vector["headers"]
    )

    assert vector["canonical_query"] == signing.canonical_query(vector["query"])
    assert vector["canonical_request"] == canonical
    assert vector["string_to_sign"] == signing.acs3_string_to_sign(canonical)
    assert vector["signature"] == signing.acs3_signature(canonical, vector["access_key_secret"])


@pytest.mark.parametrize(("text", "encoded"), VECTORS["percent_encoding"])
def test_percent_encoding_is_the_strict_one(text: str, encoded: str) -> None:
    """A form-encoder writes blanks as plus signs and leaves the asterisk alone."""
    assert encoded == signing.percent_encode(text)


def test_secrets_never_stand_in_the_url() -> None:
    """URLs end up in the logs of proxies."""
    for build in (signing.acs3_request, signing.rpc_request):
        request = build(
            "https://ecs.example", "DescribeSnapshots", {"A": "b"}, STS, time=0, nonce="n"
        )

        assert "EXAMPLE" not in request.url
        assert "EXAMPLE-secret" not in str(request.headers) + request.body.decode()


def test_acs3_signs_the_host_as_it_is_sent() -> None:
    """An explicit port belongs to the signed host."""
    request = signing.acs3_request(
        "http://127.0.0.1:8080", "DescribeRegions", {}, KEY, time=0, nonce="n"
    )

    assert request.url == "http://127.0.0.1:8080/"
    assert request.headers["host"] == "127.0.0.1:8080"
    assert "SignedHeaders=host;x-acs-action;" in request.headers["authorization"]
    assert hashlib.sha256(b"").hexdigest() == request.headers["x-acs-content-sha256"]


def test_acs3_sends_a_token_in_two_headers() -> None:
    """The service wants the key id beside the token."""
    request = signing.acs3_request("https://e.example", "A", {}, STS, time=0, nonce="n")

    assert request.headers["x-acs-accesskey-id"] == "STS.EXAMPLE"
    assert request.headers["x-acs-security-token"] == "EXAMPLE-token"
    assert "x-acs-accesskey-id;" in request.headers["authorization"]


def test_rpc_sends_a_token_as_a_signed_parameter() -> None:
    """It is an ordinary parameter of that scheme."""
    request = signing.rpc_request("https://e.example", "A", {}, STS, time=0, nonce="n")
    form = {name: value[0] for name, value in parse_qs(request.body.decode()).items()}
    signature = form.pop("Signature")

    assert form["SecurityToken"] == "EXAMPLE-token"
    assert signature == signing.rpc_signature("POST", form, "EXAMPLE-secret")


def test_a_path_of_an_own_endpoint_is_signed_too() -> None:
    """Private clouds sometimes put the service under a path."""
    request = signing.acs3_request("https://e.example/ecs", "A", {"B": "c"}, KEY, time=0, nonce="n")

    assert urlsplit(request.url).path == "/ecs/"


def test_time_is_written_in_utc() -> None:
    """A local time would be hours off and refused."""
    assert signing.timestamp(1709281800.9) == "2024-03-01T08:30:00Z"


def test_an_acs3_request_is_this_to_the_byte() -> None:
    """Headers in another order, or one that is not signed, are refused."""
    request = signing.acs3_request(
        "https://ecs.example", "A", {"b": "c d", "A": ""}, STS, time=1709281800, nonce="n-1"
    )
    names = "host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;"
    names += "x-acs-security-token;x-acs-signature-nonce;x-acs-version"
    nothing = hashlib.sha256(b"").hexdigest()
    canonical = (
        "POST\n/\nA=&b=c%20d\nhost:ecs.example\nx-acs-accesskey-id:STS.EXAMPLE\nx-acs-action:A\n"
        f"x-acs-content-sha256:{nothing}\nx-acs-date:2024-03-01T08:30:00Z\n"
        "x-acs-security-token:EXAMPLE-token\nx-acs-signature-nonce:n-1\n"
        f"x-acs-version:2014-05-26\n\n{names}\n{nothing}"
    )
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(b"EXAMPLE-secret", text.encode(), "sha256").hexdigest()

    assert ("POST", "https://ecs.example/?A=&b=c%20d") == (request.method, request.url)
    assert b"" == request.body
    assert {
        "host": "ecs.example",
        "x-acs-accesskey-id": "STS.EXAMPLE",
        "x-acs-action": "A",
        "x-acs-content-sha256": nothing,
        "x-acs-date": "2024-03-01T08:30:00Z",
        "x-acs-security-token": "EXAMPLE-token",
        "x-acs-signature-nonce": "n-1",
        "x-acs-version": "2014-05-26",
        "authorization": (
            f"ACS3-HMAC-SHA256 Credential=STS.EXAMPLE,SignedHeaders={names},Signature={signature}"
        ),
        "accept": "application/json",
    } == request.headers


def test_an_rpc_request_is_this_to_the_byte() -> None:
    """All of it in the body, sorted, the signature among the rest."""
    request = signing.rpc_request(
        "https://ecs.example", "A", {"b": "c d"}, KEY, time=1709281800, nonce="n-1"
    )
    signed = (
        "AccessKeyId=LTAIEXAMPLE&Action=A&Format=JSON&SignatureMethod=HMAC-SHA1&SignatureNonce=n-1"
        "&SignatureVersion=1.0&Timestamp=2024-03-01T08%3A30%3A00Z&Version=2014-05-26&b=c%20d"
    )
    text = f"POST&%2F&{quote(signed, safe='')}".encode()
    raw = hmac.new(b"EXAMPLE-secret&", text, "sha1").digest()
    signature = quote(base64.b64encode(raw), safe="")
    first, rest = signed.split("&SignatureMethod", 1)

    assert ("POST", "https://ecs.example/") == (request.method, request.url)
    assert f"{first}&Signature={signature}&SignatureMethod{rest}" == request.body.decode()
    assert {
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/json",
    } == request.headers


@pytest.mark.parametrize("end", ["", "/", "//"])
def test_the_end_of_a_path_is_one_slash_and_nothing_else_is_cut(end: str) -> None:
    """A tilde belongs to the path."""
    url = f"https://e.example/~a~{end}"
    acs3 = signing.acs3_request(url, "A", {}, KEY, time=0, nonce="n")
    rpc = signing.rpc_request(url, "A", {}, KEY, time=0, nonce="n")

    assert ["https://e.example/~a~/"] * 2 == [acs3.url, rpc.url]


def test_only_the_named_headers_are_signed_and_a_missing_digest_is_empty() -> None:
    """A gateway may add headers of its own."""
    headers = {"b": " 2 ", "a": "1", "user-agent": "x"}
    canonical = signing.acs3_canonical_request("GET", "/", {}, headers, ["b", "a"])

    assert "GET\n/\n\na:1\nb:2\n\na;b\n" == canonical


def test_half_a_character_does_not_break_signing() -> None:
    """Text from elsewhere may hold one; the provider will say that it knows no such id."""
    assert "a%3F" == signing.percent_encode("a\ud800")
