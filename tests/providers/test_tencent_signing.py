"""The signatures, against vectors that the vendor's own SDKs made."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from snapkit_tencent import signing

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parents[1] / "data" / "tencent_signatures.json").read_text("utf-8")
)
UPLOAD = "at_sign_value_post_sha1"
FORMS = VECTORS["api2"] + VECTORS["api3_v1"]


def named(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def fields_of(vector: dict[str, Any]) -> dict[str, str]:
    """The parameters that were signed; one documented anchor gives them as text only."""
    given: dict[str, str] | None = vector.get("flattened_params_signed")
    if given is not None:
        return given
    _, _, query = str(vector["string_to_sign"]).partition("?")
    return dict(pair.split("=", 1) for pair in query.split("&"))


def content_type_of(vector: dict[str, Any]) -> str:
    sent: dict[str, str] = vector.get("headers_sent") or {}
    given = vector.get("content_type") or sent.get("Content-Type")
    return str(given or "application/json")


def text_of(vector: dict[str, Any], *, leave_out: bool = False) -> str:
    left_out: list[str] = vector.get("names_left_out_of_string_to_sign", []) if leave_out else []
    fields = {name: str(value) for name, value in fields_of(vector).items()}
    signed = {name: value for name, value in fields.items() if name not in left_out}
    return signing.form_text(vector["method"], vector["host"], vector["path"], signed)


@pytest.mark.parametrize("vector", FORMS, ids=named)
def test_the_form_signature_is_the_vendors(vector: dict[str, Any]) -> None:
    """API 2.0 and the older signature of API 3.0 are one function."""
    text = text_of(vector, leave_out=vector["name"] == UPLOAD)
    method = fields_of(vector).get("SignatureMethod", "HmacSHA1")

    assert vector["string_to_sign"] == text
    assert vector["signature"] == signing.form_signature(vector["secret_key"], text, method)


def test_a_value_that_looks_like_an_upload_is_told() -> None:
    """The SDK leaves it out of what it signs by POST, so the driver must send it by GET."""
    vector = next(one for one in FORMS if one["name"] == UPLOAD)

    assert signing.has_upload_mark(fields_of(vector))
    assert vector["string_to_sign"] != text_of(vector)
    assert not signing.has_upload_mark({"snapshotName": "me@home"})


@pytest.mark.parametrize("vector", VECTORS["api3_tc3"], ids=named)
def test_the_tc3_signature_is_the_vendors(vector: dict[str, Any]) -> None:
    """Both documented anchors, GET, other services, and the border of the UTC day."""
    names = vector.get("signed_headers", "content-type;host").split(";")
    there = {
        "content-type": content_type_of(vector),
        "host": vector["host"],
        "x-tc-action": vector.get("action", ""),
    }
    scope = signing.Scope(vector["timestamp"], vector["service"])
    body = vector.get("body_exact", "").encode()
    canonical = signing.canonical_request(
        method=vector["method"],
        path=vector["path"],
        query=vector.get("query_string_exact", ""),
        headers={name: there[name] for name in names},
        body_hash=hashlib.sha256(body).hexdigest(),
    )
    text = signing.tc3_text(canonical, scope)

    assert vector["canonical_request"] == canonical
    assert vector["string_to_sign"] == text
    assert vector["signature"] == signing.tc3_signature(vector["secret_key"], text, scope)


POSTS = [
    vector
    for vector in VECTORS["api3_tc3"]
    if vector["method"] == "POST" and "x-tc-action" not in vector["canonical_request"]
]


@pytest.mark.parametrize("vector", POSTS, ids=named)
def test_the_authorization_header_is_the_vendors(vector: dict[str, Any]) -> None:
    """The header as it goes over the wire, from the bytes of the body."""
    header = signing.authorization(
        key_id=vector["secret_id"],
        secret=vector["secret_key"],
        scope=signing.Scope(vector["timestamp"], vector["service"]),
        host=vector["host"],
        path=vector["path"],
        content_type=content_type_of(vector),
        body=vector["body_exact"].encode(),
    )

    assert vector["authorization"] == header


def test_values_are_encoded_once_by_rfc_3986() -> None:
    """Encoding twice, or a plus for a blank, is what signatures fail on."""
    sent = signing.encoded({"a_b": "x y&z=+/~", "名": "备份"})

    assert "a_b=x%20y%26z%3D%2B%2F~&%E5%90%8D=%E5%A4%87%E4%BB%BD" == sent


def test_a_lone_surrogate_does_not_break_signing() -> None:
    """Text from elsewhere may hold one; the provider will say that it knows no such id."""
    text = signing.form_text("POST", "h", "/", {"snapshotIds.0": "snap-\ud800"})

    assert signing.form_signature("secret", text, "HmacSHA256")
    assert "snapshotIds.0=snap-%3F" == signing.encoded({"snapshotIds.0": "snap-\ud800"})


def test_the_canonical_request_is_a_post_to_the_root_with_sorted_headers() -> None:
    """Unless something else is said; values are trimmed and small."""
    headers = {"host": " CBS.example ", "content-type": "Application/JSON"}
    canonical = signing.canonical_request(headers=headers, body_hash="00")

    assert (
        "POST\n/\n\ncontent-type:application/json\nhost:cbs.example\n\ncontent-type;host\n00"
    ) == canonical


def test_the_methods_have_the_words_of_the_wire() -> None:
    """The word is signed, and another one is another method."""
    assert {"hmac-sha256": "HmacSHA256", "hmac-sha1": "HmacSHA1"} == signing.METHODS
