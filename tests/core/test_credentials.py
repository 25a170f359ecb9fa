"""Keys are found where their owner put them, and a secret never shows."""

import copy
import json
import pickle
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from snapkit.credentials import (
    Credentials,
    EnvironmentNames,
    KeyNames,
    Secret,
    StaticSource,
)
from snapkit.errors import CredentialsMissingError

CANARY = "CANARY-5ecret"
KEYS = Credentials(key_id="AK1", secret=CANARY, token=f"{CANARY}-token")
NAMES = EnvironmentNames(
    keys=(
        KeyNames("MOON_ID", "MOON_KEY", ("MOON_TOKEN", "MOON_SESSION")),
        KeyNames("OLD_ID", "OLD_KEY"),
    ),
    regions=("MOON_REGION", "OLD_REGION"),
)


SHOWN: dict[str, Callable[[Credentials], Any]] = {
    "repr": repr,
    "str": str,
    "format": lambda keys: f"{keys.secret:>30} {keys.secret!r} {keys.secret!s}",
    "percent": lambda keys: "%s %r" % (keys.secret, keys.token),  # noqa: UP031 - a form to try
    "asdict": lambda keys: repr(attrs.asdict(keys)),
    "astuple": lambda keys: repr(attrs.astuple(keys)),
    "json": lambda keys: json.dumps(attrs.asdict(keys), default=str),
    "vars": lambda keys: repr([getattr(keys, f.name) for f in attrs.fields(Credentials)]),
    "source": lambda keys: repr(StaticSource(keys)),
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN.keys())
def test_a_secret_does_not_show(show: Callable[[Credentials], Any]) -> None:
    """Logs, tickets and crash reports are read by strangers."""
    assert CANARY not in show(KEYS)


def test_a_traceback_with_local_variables_does_not_show_it() -> None:
    """Error trackers capture locals."""

    def work(credentials: Credentials) -> None:
        secret = credentials.secret
        raise RuntimeError(f"failed with {secret}")

    with pytest.raises(RuntimeError) as caught:
        work(KEYS)
    found = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    shown = "".join(found.format())

    assert "failed with ***" in shown
    assert CANARY not in shown


def test_a_secret_refuses_to_pickle_in_words() -> None:
    """A pickle in a queue or a cache is a file with a secret in it."""
    for value in (KEYS.secret, KEYS, StaticSource(KEYS)):
        with pytest.raises(TypeError, match="a secret does not pickle"):
            pickle.dumps(value)


def test_copying_works() -> None:
    """A client is copied without anybody thinking of the secret in it."""
    assert KEYS == copy.copy(KEYS) == copy.deepcopy(KEYS)
    assert CANARY == copy.deepcopy(KEYS).secret.reveal()


def test_a_secret_is_a_value() -> None:
    """Equal targets are listed once."""
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert hash(Secret("a")) == hash(Secret("a"))
    assert [True, False] == [bool(Secret("a")), bool(Secret(""))]


@pytest.mark.parametrize("text", ["", " ", "key ", "\tkey", "key\n"])
@pytest.mark.parametrize("field", ["key_id", "secret"])
def test_keys_with_blanks_are_refused_without_showing_them(field: str, text: str) -> None:
    """A copied newline gives a signature error an hour later."""
    with pytest.raises(CredentialsMissingError, match="blanks around it") as caught:
        Credentials(**{"key_id": "AK1", "secret": "s", field: text})  # type: ignore[arg-type] # texts

    assert "key" not in str(caught.value).replace("access key id", "")


def test_an_empty_token_is_none() -> None:
    """An empty variable is how people switch a token off."""
    assert None is Credentials(key_id="a", secret="b", token="").token


def test_static_credentials_have_no_successor() -> None:
    """Asking again would give the same refused key."""
    source = StaticSource(KEYS)

    assert KEYS is source.get()
    assert not source.refresh(KEYS)


@pytest.mark.parametrize(
    ("environ", "key_id", "token"),
    [
        ({"MOON_ID": "a", "MOON_KEY": "b"}, "a", None),
        ({"OLD_ID": "c", "OLD_KEY": "d"}, "c", None),
        ({"MOON_ID": "a", "MOON_KEY": "b", "OLD_ID": "c", "OLD_KEY": "d"}, "a", None),
        ({"MOON_ID": "", "MOON_KEY": "", "OLD_ID": "c", "OLD_KEY": "d"}, "c", None),
        ({"MOON_ID": "a", "MOON_KEY": "b", "MOON_TOKEN": "t"}, "a", "t"),
        ({"MOON_ID": "a", "MOON_KEY": "b", "MOON_TOKEN": "", "MOON_SESSION": "u"}, "a", "u"),
        ({"OLD_ID": "c", "OLD_KEY": "d", "MOON_TOKEN": "t"}, "c", None),
    ],
)
def test_the_first_whole_pair_counts(
    environ: dict[str, str], key_id: str, token: str | None
) -> None:
    """And a token counts only with the pair that it belongs to."""
    found = NAMES.credentials(environ)

    assert key_id == found.key_id
    assert token == (found.token.reveal() if found.token else None)
    assert found.origin in ("environment MOON_ID", "environment OLD_ID")


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "no credentials in the environment; set MOON_ID and MOON_KEY"),
        ({"MOON_ID": "a"}, "MOON_ID is set but MOON_KEY is not; set MOON_KEY too"),
        ({"MOON_KEY": CANARY}, "MOON_KEY is set but MOON_ID is not; set MOON_ID too"),
        ({"OLD_ID": "a"}, "OLD_ID is set but OLD_KEY is not; set OLD_KEY too"),
        (
            {"MOON_ID": "a", "OLD_ID": "c", "OLD_KEY": "d"},
            "MOON_ID is set but MOON_KEY is not; set MOON_KEY too",
        ),
    ],
)
def test_none_or_half_a_pair_is_said_by_name(environ: dict[str, str], said: str) -> None:
    """Half a pair beside a whole one means that the wrong account would be listed."""
    with pytest.raises(CredentialsMissingError) as caught:
        NAMES.credentials(environ)

    assert said == str(caught.value)


@pytest.mark.parametrize(
    ("environ", "region"),
    [
        ({}, None),
        ({"MOON_REGION": ""}, None),
        ({"OLD_REGION": "sea"}, "sea"),
        ({"MOON_REGION": "dust", "OLD_REGION": "sea"}, "dust"),
    ],
)
def test_the_first_region_variable_counts(environ: dict[str, str], region: str | None) -> None:
    """In the order in which the vendor's own tools look."""
    assert region == NAMES.region(environ)


def test_an_end_can_be_known() -> None:
    """Temporary keys say when they end."""
    end = datetime(2026, 3, 1, tzinfo=UTC)

    assert end == Credentials(key_id="a", secret="b", expires_at=end).expires_at
