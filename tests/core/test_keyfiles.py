"""Files of keys are read leniently, and complained about without showing them."""

import logging
import os
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from snapkit.credentials import Credentials
from snapkit.errors import CredentialsMissingError
from snapkit.keyfiles import (
    LARGEST,
    Fields,
    expiry_in,
    flat_fields,
    ini_fields,
    json_fields,
    pair_in,
    read_private,
    read_token,
)
from tests.keylab import CANARY, check_silent, debug, put

posix = pytest.mark.skipif(os.name == "nt", reason="modes and owners are of POSIX")


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": "b"}',
        b'\xef\xbb\xbf{"a": "b"}',
        '{"a": "b"}'.encode("utf-16"),
        b'\r\n {"a": "b", "x": [1, null]}\r\n',
    ],
    ids=["plain", "BOM", "UTF-16", "blanks"],
)
def test_json_is_read_as_editors_leave_it(tmp_path: Path, content: bytes) -> None:
    """A byte order mark is no reason to be without keys."""
    found = json_fields(put(tmp_path, "f", content))

    assert found is not None
    assert "b" == found.text("a")


BROKEN: dict[str, tuple[Callable[[Path], object], bytes, str]] = {
    "cut": (json_fields, b'{"s": "CANARY-5ecret-of-a-key', r"is not JSON \(line 1, column 7\)"),
    "list": (json_fields, b'["CANARY-5ecret-of-a-key"]', "is no JSON object"),
    "empty": (json_fields, b"", "is empty"),
    "deep": (json_fields, b"[" * 200_000, "is not JSON"),
    "binary": (json_fields, b"\xff\x00CANARY-5ecret-of-a-key", "is not text in UTF-8"),
    "huge": (json_fields, b" " * (LARGEST + 1), "too large"),
    "no section": (
        partial(ini_fields, section="a"),
        b"key = CANARY-5ecret-of-a-key",
        r"outside of any \[section\] \(line 1\)",
    ),
    "no ini": (
        partial(ini_fields, section="a"),
        b"[a]\nCANARY-5ecret-of-a-key\n",
        r"is not an INI file \(line 2\)",
    ),
    "no yaml": (flat_fields, b"a: b\nCANARY-5ecret-of-a-key", r"in each line \(line 2\)"),
    "open": (flat_fields, b"a: 'CANARY-5ecret-of-a-key", r"without an end \(line 1\)"),
}


@pytest.mark.parametrize(("read", "content", "said"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_named_with_its_line_and_not_shown(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    read: Callable[[Path], object],
    content: bytes,
    said: str,
) -> None:
    """Error reports are pasted into tickets."""
    debug(caplog)
    path = put(tmp_path, "f", content)

    with pytest.raises(CredentialsMissingError, match=said) as caught:
        read(path)

    assert str(path) in str(caught.value)
    check_silent(caught.value, caplog)


def test_a_file_that_is_not_there_is_none(tmp_path: Path) -> None:
    """Most people use one tool of the many."""
    (tmp_path / "file").touch(0o600)

    assert read_private(tmp_path / "no") is None
    assert read_private(tmp_path / "file" / "no") is None
    assert json_fields(tmp_path / "no") is None
    assert ini_fields(tmp_path / "no", "a") is None
    assert flat_fields(tmp_path / "no") is None


@posix
def test_a_folder_or_a_pipe_is_no_file(tmp_path: Path) -> None:
    """And a pipe must not hang the search."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(CredentialsMissingError, match="not a plain file"):
            read_private(path)


@posix
@pytest.mark.skipif(os.name != "nt" and os.getuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_is_not_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Else the keys of another account would be taken."""
    put(tmp_path, "f", "{}").chmod(0)

    with pytest.raises(CredentialsMissingError, match="cannot be read: permission denied"):
        read_private(tmp_path / "f")


@posix
@pytest.mark.parametrize(("mode", "warned"), [(0o600, 0), (0o400, 0), (0o644, 1), (0o640, 1)])
def test_a_file_that_others_can_read_is_a_warning_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: int
) -> None:
    """The vendors' own tools write such files, so refusing would help nobody."""
    path = put(tmp_path, "f", f'{{"a": "{CANARY}"}}')
    path.chmod(mode)

    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert read_private(path) is not None

    assert warned == caplog.text.count(f"others can read the keys in {path}; chmod 600 it")
    assert CANARY not in caplog.text


def own_by_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make *path* look like another user's; only root can give files away."""
    if os.getuid() == 0:
        os.chown(path, 4242, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 4242)


@posix
def test_a_link_to_a_file_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the other user chooses the account that is worked on."""
    target = put(tmp_path, "there", "{}")
    (tmp_path / "link").symlink_to(target)
    assert json_fields(tmp_path / "link") is not None
    own_by_another(target, monkeypatch)

    with pytest.raises(CredentialsMissingError, match="is a link to a file of another user"):
        json_fields(tmp_path / "link")


@posix
def test_a_link_in_the_path_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of a tool may be the link."""
    target = put(tmp_path, "there/f", "{}")
    (tmp_path / "here").symlink_to(tmp_path / "there")
    own_by_another(target, monkeypatch)

    with pytest.raises(CredentialsMissingError, match="another user"):
        json_fields(tmp_path / "here" / "f")


def test_a_hash_inside_an_ini_value_belongs_to_it(tmp_path: Path) -> None:
    """Secrets are made of any characters, percent signs too."""
    path = put(tmp_path, "f", "# c\n[default]\nkey = a#b%c;d\n[x]\nkey=y\n[default]\nid = 1\n")
    found, other = ini_fields(path, "default"), ini_fields(path, "x")

    assert found is not None
    assert other is not None
    assert ("a#b%c;d", "1", "y") == (found.text("key"), found.text("id"), other.text("key"))
    assert ini_fields(path, "y") is None


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("plain", "plain"),
        ("'single'", "single"),
        ("'it''s' # note", "it's"),
        ('"double \\" \\\\ "', 'double " \\ '),
        ("cut # here", "cut"),
        ("not#cut", "not#cut"),
        ("# nothing", ""),
        ("", ""),
        ("~", ""),
        ("443", "443"),
        ("/iaas/", "/iaas/"),
        ("a: b", "a: b"),
    ],
)
def test_a_flat_yaml_value_is_read_as_yaml_reads_it(
    tmp_path: Path, written: str, value: str
) -> None:
    """Tools write with and without quotation marks."""
    text = f"---\n# c\n\nodd:\n  inner: 1\n- 2\nkey: {written}\r\nlast: x\n"
    found = flat_fields(put(tmp_path, "f", text))

    assert found is not None
    assert (value, "x") == (found.text("key"), found.text("last"))


def test_the_flat_reader_agrees_with_a_real_one(tmp_path: Path) -> None:
    """On what tools really write."""
    yaml = pytest.importorskip("yaml")
    text = "qy_access_key_id: 'AB CD'\nzone: pek3\nport: 443\nhost: \"x\"  # y\nuri: /iaas\n"
    found = flat_fields(put(tmp_path, "f", text))

    assert found is not None
    for name, value in yaml.safe_load(text).items():
        assert str(value) == found.text(name)


def test_fields_do_not_show_themselves() -> None:
    """They stand among the local variables of whoever reads a file."""
    found = Fields({"a": CANARY, "o": {"b": CANARY}, "l": [{"c": CANARY}, 1], "t": True, "n": 0})

    assert CANARY not in f"{found!r} {found} {found.rows('l')} {found.inner('o')}"
    assert [CANARY] == [row.text("c") for row in found.rows("l")]
    assert ("", "", "0") == (found.text("no", "t"), found.inner("a").text("b"), found.text("n"))


def test_fields_do_not_pickle() -> None:
    """A worker process would get the secrets in plain text."""
    with pytest.raises(TypeError, match="does not pickle") as caught:
        pickle.dumps(Fields({"a": CANARY}))

    assert CANARY not in str(caught.value)


def test_a_token_is_read_without_the_line_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever mounts the file decides who may read it, so there is no warning."""
    path = put(tmp_path, "token", f"\n{CANARY}\n")
    path.chmod(0o644)

    assert CANARY == read_token(path).reveal()
    assert "" == caplog.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not there; check that the token is mounted"),
        (b"\n", "is empty; check that the token is mounted"),
        (b"\xff\xfe\x00", "is not text in UTF-8"),
    ],
)
def test_a_token_that_cannot_be_read_is_said(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    """By its file."""
    path = tmp_path / "token" if content is None else put(tmp_path, "token", content)

    with pytest.raises(CredentialsMissingError, match=f"{path}' {said}"):
        read_token(path)


@posix
def test_a_token_by_a_link_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the other user chooses who is signed in."""
    target = put(tmp_path, "there", CANARY)
    (tmp_path / "token").symlink_to(target)
    own_by_another(target, monkeypatch)

    with pytest.raises(CredentialsMissingError, match="another user") as caught:
        read_token(tmp_path / "token")
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [({"i": "x"}, "f has i but no s"), ({"s": CANARY, "i": ""}, "f has s but no i")],
)
def test_half_a_pair_in_a_file_is_said(values: dict[str, str], said: str) -> None:
    """As in the environment."""
    with pytest.raises(CredentialsMissingError, match=said) as caught:
        pair_in(Fields(values), "i", "s", origin="f")

    assert CANARY not in str(caught.value)


def test_a_secret_with_blanks_is_refused_unseen(caplog: pytest.LogCaptureFixture) -> None:
    """Not even among the local variables of the traceback."""
    found = Fields({"i": "x", "s": f"{CANARY} "})

    with pytest.raises(CredentialsMissingError, match="blanks around it") as caught:
        pair_in(found, "i", "s", origin="f")

    check_silent(caught.value, caplog)


def test_a_pair_says_where_it_was_found() -> None:
    """A wrong account is found by that."""
    assert pair_in(Fields({}), "i", "s", origin="f") is None
    found = pair_in(Fields({"i": "x", "s": "y", "t": "z"}), "i", "s", token="t", origin="f")

    assert Credentials(key_id="x", secret="y", token="z", origin="f") == found


MOMENT = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2027-01-15T08:00:00Z",
        "2027-01-15T16:00:00+08:00",
        "2027-01-15T08:00:00",
        "1800000000",
        "1800000000.0",
    ],
)
def test_an_expiry_is_read_in_each_form(written: str) -> None:
    """Vendors write ISO 8601 or seconds."""
    assert MOMENT == expiry_in(written, "f")


@pytest.mark.parametrize("written", ["soon", "9" * 30, "2027-13-01"])
def test_an_expiry_that_cannot_be_read_is_an_error(written: str) -> None:
    """Taking it for "never" would fail in the middle of a listing."""
    assert expiry_in("", "f") is None
    with pytest.raises(CredentialsMissingError, match="expiry from f cannot be read"):
        expiry_in(written, "f")
