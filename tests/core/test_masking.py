"""What errors and logs must not repeat: the rules one by one.

That the whole keeps secrets, whatever a server says, is proved in tests/security.
"""

import logging
from urllib.parse import quote

import pytest

from snapkit.credentials import Credentials
from snapkit.errors import SnapkitError, ThrottledError
from snapkit.http import HttpRequest
from snapkit.masking import (
    LONGEST,
    Withheld,
    chain_of,
    keep_urls_out_of_logs,
    masked,
    scrub,
    signed_values,
)

TOKEN = "tok/en+0123456789"
SECRET = "the-very-secret-one"


@pytest.mark.parametrize(
    ("value", "said", "expected"),
    [
        ("1234567", "a 1234567 b", "a 1234567 b"),
        ("12345678", "a 12345678 b", "a *** b"),
        ("12345678", "a 1234567 b", "a 1234567 b"),
        ("abcdefghijkl", "abcdefghijk", "abcdefghijk"),
        ("abcdefghijklm", "abcdefghijkl", "***"),
        ("abcdefghijklm", "bcdefghijklm", "***"),
        ("abcdefghijklm", "x abcdefghijklm", "x ***"),
        (TOKEN, f"a {quote(TOKEN, safe='')}", "a ***"),
        (TOKEN, f"{TOKEN}{TOKEN}", "***"),
        (TOKEN, f"{TOKEN} {TOKEN}!", "*** ***!"),
        ("surrogate-\ud800-surrogate", "nothing", "nothing"),
        (TOKEN, "", ""),
    ],
    ids=range(12),
)
def test_what_is_masked_begins_at_eight_characters_and_parts_at_twelve(
    value: str, said: str, expected: str
) -> None:
    """Shorter ones are words that everybody uses."""
    assert expected == masked(said, [value])


def test_values_are_masked_in_whatever_order_they_stand() -> None:
    """The secret may be named before the token, or the other way round."""
    said = "first: 0123456789abcdef, then: zyxwvutsrqponm"

    assert "first: ***, then: ***" == masked(said, ["zyxwvutsrqponm", "0123456789abcdef"])


@pytest.mark.parametrize(
    ("url", "headers", "body", "found"),
    [
        ("https://h/", {}, b"", set[str]()),
        ("https://h/?a=b&Signature=x%2By", {}, b"", {"x+y"}),
        ("https://h/?SignatureNonce=n&SignatureMethod=m", {}, b"", set[str]()),
        ("https://h/", {}, b"a=b&signature=s", {"s"}),
        ("https://h/", {}, b"a=\xff&signature=s", {"s"}),
        ("https://h/", {"Authorization": "TC3 Credential=c, Signature=abc"}, b"", {"abc"}),
        ("https://h/", {"Authorization": "TC3 Signature='abc', Other=d"}, b"", {"abc"}),
        ("https://h/", {"authorization": "Bearer one two"}, b"", {"two"}),
        ("https://h/", {"X-Signature": "own"}, b"", {"own"}),
        ("https://h/", {"unsignature": "no", "x-signature-nonce": "no"}, b"", set[str]()),
        ("https://h/", {}, b"signature=s&pad=" + b"x" * (2**20 - 17), {"s"}),
        ("https://h/", {}, b"signature=s&pad=" + b"x" * (2**20 - 16), set[str]()),
    ],
    ids=range(12),
)
def test_a_signature_is_found_where_a_scheme_puts_it(
    url: str, headers: dict[str, str], body: bytes, found: set[str]
) -> None:
    """And nothing else is taken for one; a body of a mebibyte is no form."""
    assert found == signed_values(url, headers, body)


def withheld(token: str | None = TOKEN) -> Withheld:
    request = HttpRequest(method="GET", url="https://h/?signature=sig%2Bnature-1234")
    return Withheld.of(request, Credentials(key_id="key", secret=SECRET, token=token))


def test_the_token_and_the_signature_were_sent_and_the_secret_was_not() -> None:
    """What a server cannot know it cannot quote."""
    assert Withheld(frozenset({TOKEN, "sig+nature-1234"}), frozenset({SECRET})) == withheld()
    assert frozenset({"sig+nature-1234"}) == withheld(None).sent
    assert "Withheld()" == repr(withheld())


@pytest.mark.parametrize(
    ("token", "body", "stands"),
    [
        (TOKEN, f"a{TOKEN}b", True),
        (TOKEN, quote(TOKEN, safe=""), True),
        (TOKEN, TOKEN[:-1], False),
        (TOKEN, SECRET, False),
        ("twelve-signs", "twelve-signs", True),
        ("eleven-sign", "eleven-sign", False),
    ],
    ids=["whole", "encoded", "cut", "the secret", "twelve", "eleven"],
)
def test_an_answer_that_quotes_what_was_sent_is_known(token: str, body: str, stands: bool) -> None:
    """It is not written to the log."""
    assert stands is withheld(token).stands_in(body.encode())


def test_an_error_leaves_without_what_was_withheld() -> None:
    """In its message, its arguments and the provider's own words, and so do its causes."""
    error = ThrottledError(f"no {TOKEN}!", code=f"c {SECRET}", request_id="r sig+nature-1234")
    error.args = (*error.args, 7)
    error.__cause__ = ValueError(f"{SECRET} https://h/?a=b")
    withheld().leave(error)

    assert ("no ***!", 7) == error.args
    assert ("no ***!", "c ***", "r ***") == (error.message, error.code, error.request_id)
    assert ("*** https://h/?***",) == error.__cause__.args


def test_the_error_itself_keeps_its_frames() -> None:
    """They are the caller's way to the place; only foreign frames hold headers."""
    with pytest.raises(ThrottledError) as caught:
        raise ThrottledError("x")
    withheld().leave(caught.value)

    assert caught.value.__traceback__ is not None


def test_words_that_are_not_there_stay_none() -> None:
    """A code of "None" would look like the provider's."""
    error = SnapkitError("x")
    withheld().leave(error)

    assert (None, None) == (error.code, error.request_id)


@pytest.mark.parametrize(
    ("length", "left"), [(LONGEST, LONGEST), (LONGEST + 1, LONGEST + 1), (9999, LONGEST + 1)]
)
def test_a_long_message_is_cut(length: int, left: int) -> None:
    """A page of HTML is no sentence; two thousand characters and an ellipsis stay."""
    error = SnapkitError("." * length, code="." * length)
    withheld().leave(error)

    assert 2000 == LONGEST
    assert (left, left) == (len(error.message), len(error.code or ""))
    assert error.message.endswith("…") is (length > LONGEST)


def test_a_chain_has_arguments_reasons_causes_and_contexts_once() -> None:
    """Foreign libraries put the first error in any of them."""
    cause, context, argument, reason = ValueError(), KeyError(), OSError(), TypeError()
    error = RuntimeError("x", argument)
    error.__cause__, error.__context__ = cause, context
    error.reason = reason  # type: ignore[attr-defined]  # pyright: ignore
    cause.__context__ = error

    assert [error, argument, reason, cause, context] == chain_of(error)


def test_a_chain_without_end_is_left() -> None:
    """Twenty errors are more than anybody looks at."""
    first = error = ValueError()
    for _ in range(30):
        error.__cause__ = error = ValueError()

    assert 20 == len(chain_of(first))


def test_scrubbing_takes_urls_users_requests_and_frames() -> None:
    """The frames of a foreign library hold headers and bodies among their local variables."""
    error = ValueError(f"at https://me:{SECRET}@proxy/ for https://h/p?a=b&c=d, {TOKEN}", 7)
    for name in ("request", "response", "url", "doc"):
        setattr(error, name, TOKEN)
    try:
        raise error
    except ValueError:
        scrub(error, [TOKEN])

    assert ("at https://***@proxy/ for https://h/p?*** ***", 7) == error.args
    assert error.__traceback__ is None
    left = vars(error)
    assert {"request": None, "response": None, "url": None, "doc": None} == left


def test_scrubbing_lets_be_what_cannot_be_set() -> None:
    """A foreign error with a read-only request is no reason for another error."""

    class Stubborn(ValueError):
        @property
        def url(self) -> str:
            return "https://h/"

    error = Stubborn("plain")
    scrub(error)

    assert ("plain",) == error.args


@pytest.mark.parametrize("logger", ["connectionpool", "util.retry", "poolmanager"])
@pytest.mark.parametrize(
    ("argument", "logged"),
    [
        ("/a?x=1&Signature=s", "/a?***"),
        ("/a?token=t", "/a?***"),
        ("/a?SecurityToken=t", "/a?***"),
        ("/a?access_key_id=t", "/a?***"),
        ("/a?SecretId=t", "/a?***"),
        ("/a?zone=pek3", "/a?zone=pek3"),
        (404, "404"),
    ],
)
def test_the_http_librarys_log_has_no_signed_urls(
    logger: str, argument: object, logged: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its debug log is switched on by people in need, and sent to others."""
    keep_urls_out_of_logs()
    caplog.set_level(logging.DEBUG)
    logging.getLogger(f"urllib3.{logger}").debug("got %s and %s", argument, 1)

    assert [f"got {logged} and 1"] == caplog.messages


def test_a_record_with_named_fields_passes() -> None:
    """It is not the library's."""
    keep_urls_out_of_logs()
    record = logging.makeLogRecord({"msg": "%(a)s", "args": {"a": "/?token=t"}})
    (only,) = logging.getLogger("urllib3.connectionpool").filters

    assert isinstance(only, logging.Filter)
    assert only.filter(record)
    assert "/?token=t" == record.getMessage()
