"""A command prints keys, and neither it nor what it says can do harm."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from snapkit.errors import ConfigurationError, CredentialsMissingError
from snapkit.keyprocess import ProcessSource, redacted
from tests.keylab import CANARY, NOW, Time, debug

OLD = {"mode": "AK", "access_key_id": "ID", "access_key_secret": CANARY}
TEMPORARY = OLD | {"mode": "StsToken", "sts_token": f"{CANARY}-t", "expiration": NOW + 3600}
NEW = {
    "Version": 1,
    "AccessKeyId": "ID",
    "SecretAccessKey": CANARY,
    "SessionToken": f"{CANARY}-t",
    "Expiration": "2027-01-15T09:00:00Z",
}


def python(code: str, *args: str) -> list[str]:
    return [sys.executable, "-S", "-c", code, *args]


def printing(said: Any, time: Time | None = None) -> ProcessSource:
    """Return a source whose command prints *said*; JSON unless it is a text."""
    text = said if isinstance(said, str) else json.dumps(said)
    code = "import sys; sys.stdout.write(sys.argv[1])"
    return ProcessSource(python(code, text), clock=(time or Time()).clock())


@pytest.mark.parametrize(
    ("said", "token", "ends"),
    [
        (OLD, None, None),
        (TEMPORARY, f"{CANARY}-t", NOW + 3600),
        (OLD | {"mode": "ak"}, None, None),
        (NEW, f"{CANARY}-t", NOW + 3600),
        ({"AccessKeyId": "ID", "SecretAccessKey": CANARY}, None, None),
        ("\ufeff" + json.dumps(OLD) + "\n", None, None),
    ],
    ids=["AK", "StsToken", "lower case", "Version 1", "no version", "BOM"],
)
def test_both_shapes_are_read(said: Any, token: str | None, ends: float | None) -> None:
    """Helpers for the vendors' tools print one, helpers for other clouds' tools the other."""
    found = printing(said).get()

    assert ("ID", CANARY) == (found.key_id, found.secret.reveal())
    assert token == (found.token.reveal() if found.token else None)
    assert ends == (found.expires_at.timestamp() if found.expires_at else None)
    assert found.origin.startswith("the command 'python")


BAD: dict[str, tuple[Any, str]] = {
    "words": (f"my secret is {CANARY}", r"printed is not JSON \(line 1, column 1\)"),
    "nothing": ("", "printed is empty"),
    "list": ([CANARY], "printed is no JSON object"),
    "no keys": ({"Version": 1}, "printed no credentials"),
    "half": ({"Version": 1, "SecretAccessKey": CANARY}, "has SecretAccessKey but no AccessKeyId"),
    "version": (NEW | {"Version": 2}, "of Version '2', which snapkit does not know"),
    "mode": (OLD | {"mode": "RamRole"}, "of mode 'RamRole', which snapkit does not know"),
    "no token": (OLD | {"mode": "StsToken"}, "StsToken without sts_token"),
    "expiry": (NEW | {"Expiration": "soon"}, "expiry from the command .* cannot be read"),
    "ended": (NEW | {"Expiration": "2020-01-01T00:00:00Z"}, "have expired already"),
    "large": ("x" * 70_000, "printed more than 64 KiB"),
}


@pytest.mark.parametrize(("said", "expected"), BAD.values(), ids=BAD.keys())
def test_what_is_not_credentials_is_said_and_not_shown(
    said: Any, expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A helper that fails half-way still prints secrets."""
    debug(caplog)

    with pytest.raises(CredentialsMissingError, match=expected) as caught:
        printing(said).get()

    assert CANARY not in str(caught.value)
    assert CANARY not in caplog.text


def test_a_command_that_never_ends_printing_is_ended() -> None:
    """The cap holds before the memory is gone."""
    source = ProcessSource(python("while True: print('x' * 4096)"))

    with pytest.raises(CredentialsMissingError, match="more than 64 KiB"):
        source.get()


def test_a_command_that_hangs_is_ended_with_what_it_started() -> None:
    """A helper that asks for a password would hang every listing."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"  # noqa: E501
    source = ProcessSource(python(code), timeout=0.4)

    with pytest.raises(CredentialsMissingError, match=r"did not finish in 0\.4 s"):
        source.get()


def ended(number: int) -> bool:
    """Whether the process *number* does nothing any more; an orphan may wait to be noticed."""
    stat = Path(f"/proc/{number}/stat")
    try:
        os.kill(number, 0)
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


@pytest.mark.skipif(os.name == "nt", reason="looks at a process by its number")
@pytest.mark.parametrize("where", ["here", "thread"])
def test_a_command_ends_with_the_process_that_wants_its_keys(where: str, tmp_path: Path) -> None:
    """Ctrl-C must not leave a helper behind that nobody knows of."""
    number = tmp_path / "number"
    # More than a pipe holds: it gets on only where somebody listens to it already.
    helper = """
import os, sys, time
os.write(2, b" " * 500_000)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(60)
"""
    code = """
import sys, threading
from snapkit.keyprocess import ProcessSource
source = ProcessSource(sys.argv[2:], timeout=60)
if sys.argv[1] == "here":
    source.get()
threading.Thread(target=source.get, daemon=True).start()
threading.Event().wait(60)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code, where, *python(helper, str(number))],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stderr=subprocess.DEVNULL,
    ) as child:
        end = time.monotonic() + 30
        while not (number.exists() and number.read_text()) and time.monotonic() < end:
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        child.wait(30)

    end = time.monotonic() + 10
    while not ended(int(number.read_text())) and time.monotonic() < end:
        time.sleep(0.01)
    assert ended(int(number.read_text()))


def test_a_failing_command_is_named_and_its_words_are_in_the_debug_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Without what looks like a key; its arguments may be secret and are never shown."""
    debug(caplog)
    code = "import sys; sys.stderr.write('login failed, key=' + sys.argv[1]); sys.exit(3)"
    source = ProcessSource(python(code, CANARY))

    with pytest.raises(CredentialsMissingError, match="failed with status 3") as caught:
        source.get()

    assert "wrote to stderr: login failed, key=***" in caplog.text
    assert CANARY not in f"{caplog.text} {caught.value} {source!r}"


def test_no_shell_sees_the_command(tmp_path: Path) -> None:
    """A semicolon in an argument is a semicolon."""
    code = (
        "import json, sys; print(json.dumps({'AccessKeyId': sys.argv[1], 'SecretAccessKey': 's'}))"
    )
    odd = f"$HOME;touch {tmp_path / 'made'}`id`"

    assert odd == ProcessSource(python(code, odd)).get().key_id
    assert [] == list(tmp_path.iterdir())


def test_the_command_gets_no_input() -> None:
    """What is typed at the terminal is not for it."""
    code = "import json, sys; print(json.dumps({'AccessKeyId': 'i' + sys.stdin.read(), 'SecretAccessKey': 's'}))"  # noqa: E501

    assert "i" == ProcessSource(python(code)).get().key_id


@pytest.mark.parametrize("command", ["helper --now", [], ["", "a"]])
def test_a_command_is_a_list_of_arguments(command: Any) -> None:
    """A text would be read by a shell."""
    with pytest.raises(ConfigurationError, match="is a list of arguments"):
        ProcessSource(command)


def test_a_program_that_is_not_there_is_said() -> None:
    """By its name."""
    with pytest.raises(CredentialsMissingError, match="'no-such' cannot be started: no such file"):
        ProcessSource(["/nowhere/no-such", CANARY]).get()


def test_the_command_runs_again_before_its_keys_end(tmp_path: Path) -> None:
    """And when they are refused, but not for every call."""
    time = Time()
    code = (
        "import json, pathlib, sys; p = pathlib.Path(sys.argv[1]);"
        "n = len(p.read_text()) if p.exists() else 0; p.write_text('x' * (n + 1));"
        "print(json.dumps({'AccessKeyId': f'id-{n}', 'SecretAccessKey': 's',"
        " 'SessionToken': 't', 'Expiration': int(sys.argv[2]) + 3600 * (n + 1)}))"
    )
    source = ProcessSource(python(code, str(tmp_path / "runs"), str(int(NOW))), clock=time.clock())
    first = [source.get().key_id for _ in range(3)]
    time.now += 3000
    second = source.get()

    assert (["id-0"] * 3, "id-1") == (first, second.key_id)
    assert source.refresh(second)
    assert "id-2" == source.get().key_id


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("plain words stay", "plain words stay"),
        ("token: abc", "token: ***"),
        ('"secret_key": "abc"', '"secret_key": "***"'),
        ("password=hunter", "password=***"),
        ("see abcdefghijklmnopqrstuvwx end", "see *** end"),
        ("id LTAI5tQ9 end", "id *** end"),
    ],
)
def test_what_looks_like_a_key_is_taken_out_of_a_text(said: str, shown: str) -> None:
    """Helpers repeat what they were given."""
    assert shown == redacted(said)
