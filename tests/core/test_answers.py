"""Reading JSON quickly must not change what is read."""

# pyright: reportPrivateUsage=false

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit import answers
from snapkit.answers import read_json
from snapkit.errors import ProtocolError
from snapkit.http import HttpResponse

BRACKETS = st.text(alphabet='[]{}"\\\n,:aé\ud83d\u0000', max_size=8)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | BRACKETS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(BRACKETS, inner, max_size=4),
    max_leaves=30,
)


@pytest.fixture(params=["orjson", "json"])
def _reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "json":
        monkeypatch.setattr(answers, "_quick", None)
    else:
        pytest.importorskip("orjson")


def nested(depth: int, *, inside: str = "") -> bytes:
    """Return an object of *depth* levels, the object itself counted."""
    return b'{"a":' + b"[" * (depth - 1) + inside.encode() + b"]" * (depth - 1) + b"}"


def read(body: bytes) -> Any:
    return read_json(HttpResponse(status=200, headers={}, body=body))


@given(value=st.dictionaries(BRACKETS, VALUES), ascii_only=st.booleans(), limit=st.integers(1, 8))
@settings(deadline=None)
def test_brackets_are_counted_as_a_walk_over_the_values_counts_them(
    value: dict[str, Any], ascii_only: bool, limit: int
) -> None:
    """A text may hold brackets, quotes and backslashes in any order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answers, "DEEPEST", limit)
        body = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

        assert answers._depth_within(value, limit) is answers._is_shallow(body, value)


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize("inside", ["", '"]]]]]]]]"', '"[[[["', '"\\"[\\\\"', '"\\\\\\\\"'])
def test_64_levels_are_read_and_65_are_not(inside: str) -> None:
    """The bound is exact, whatever stands in the texts."""
    assert read(nested(64, inside=inside))
    with pytest.raises(ProtocolError):
        read(nested(65, inside=inside))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16", "utf-32"])
def test_a_deep_answer_in_another_encoding_is_refused_too(encoding: str) -> None:
    """Its bytes are no brackets."""
    assert read(nested(64).decode().encode(encoding))
    with pytest.raises(ProtocolError):
        read(nested(65).decode().encode(encoding))


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\ud800"}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": "名"}'.encode("utf-16"),
        b'{"a": 18446744073709551615, "b": -9223372036854775808, "c": 1e308, "d": 1.5}',
        b'{"a": 1, "a": 2}',
        b' {"a": null}\n',
    ],
)
def test_what_one_reader_takes_the_other_takes_alike(body: bytes) -> None:
    """An extra that makes things quicker must not make them different."""
    assert json.loads(body) == read(body)


@pytest.mark.usefixtures("_reader")
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b'{"a": NaN}', b'{"a": 1} x', b'{"a"', b'{"a": "\xff"}', b"\xff"]
)
def test_what_one_reader_refuses_the_other_refuses_alike(body: bytes) -> None:
    """Never a short list for a cut answer."""
    with pytest.raises(ProtocolError):
        read(body)
