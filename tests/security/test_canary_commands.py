"""No command prints a key, whatever it is asked for and whatever goes wrong."""

import json
import logging
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from snapkit import engine, fleet
from snapkit import settings as core_settings
from snapkit.cli.emulator import settings
from snapkit.config import load_config
from snapkit.credentials import StaticSource
from snapkit.emulator import Emulator, Fault, demo_world
from snapkit.errors import Failure, SnapkitError
from snapkit.registry import driver_class, providers
from snapkit.settings import Target
from snapkit.sources import Surroundings, find_source, source_for
from snapkit.testing import patient_clock
from tests.cli.conftest import Ended, Run

from .canary import KEYS, SECRET, TOKEN, forbidden, found_in, holders, logged, shown

FORMATS = ("table", "json", "ndjson", "csv", "yaml")


@pytest.fixture
def clouds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Serve the demonstration estate to commands whose keys are canaries."""
    for module in (fleet, engine, core_settings):
        monkeypatch.setattr(module, "Clock", patient_clock)
    with Emulator(demo_world()) as emulator:
        for account in emulator.world.accounts:
            account.secret = SECRET
            account.token = None if account.provider == "qingcloud" else TOKEN
        for name, value in settings(emulator).items():
            monkeypatch.setenv(name, value)
        yield emulator


@attrs.frozen
class Place:
    """Where a command works, and on what."""

    target: str
    disk: str
    snapshot: str
    server: str


def place(emulator: Emulator, provider: str) -> Place:
    """Return a region of *provider* with a snapshot and a disk in it."""
    account = next(emulator.world.of(provider))
    region = next(one for one in account.regions.values() if not one.denied and one.snapshots)
    at = f"{account.label}@" if account.label else ""
    server = next(one.instance_id for one in region.disks.values() if one.instance_id)
    target = f"{provider}:{at}{region.id}"
    return Place(
        target, next(iter(region.disks)), f"{target}/{next(iter(region.snapshots))}", server
    )


def commands(here: Place) -> list[tuple[str, ...]]:
    """Return one order of each command that meets a cloud."""
    new = ("--name", "from-canary")
    return [
        *(("list", "-t", here.target, "-o", form, "--raw") for form in FORMATS),
        ("groups", "-t", here.target, "-o", "json"),
        ("show", here.snapshot, "-o", "json"),
        ("disks", here.target, "--instance", here.server),
        ("regions", here.target.partition(":")[0], "-o", "json"),
        ("doctor", here.target),
        ("doctor", here.target, "-o", "json"),
        ("doctor", here.target, "-o", "yaml"),
        ("create", here.target, here.disk, *new),
        ("create-group", here.target, "--instance", here.server, *new),
        ("wait", here.snapshot, "--timeout", "1"),
        ("change", here.snapshot, *new),
        ("tag", here.snapshot, "--set", "a=b"),
        ("share", here.snapshot, "--with", "100001"),
        ("lock", here.snapshot, "--days", "2"),
        ("restore", here.snapshot, *new),
        ("copy", here.snapshot, "--to", "ap-shanghai"),
        ("rollback", here.snapshot, "--yes"),
        ("delete", here.snapshot, "--yes"),
    ]


def talkative(run: Run, order: tuple[str, ...]) -> Ended:
    """Return how *order* ended when asked to say as much as it can."""
    return run(*order, "-v", "--debug")


FAULTS: dict[str, Fault | None] = {
    "none": None,
    "keys": Fault(kind="refuse", failure=Failure.AUTHENTICATION, times=None),
    "permission": Fault(kind="refuse", failure=Failure.PERMISSION, times=None),
    "throttle": Fault(kind="refuse", failure=Failure.THROTTLED, times=None),
    "portal": Fault(kind="html", times=None),
    "gateway": Fault(kind="status", status=503, times=None),
    "cut": Fault(kind="cut-answer", times=None),
    "lost": Fault(kind="cut-after", times=None),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
@pytest.mark.parametrize("provider", providers())
def test_no_command_shows_a_key(
    run: Run,
    clouds: Emulator,
    provider: str,
    fault: Fault | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """stdout, stderr with -v and --debug, and the logs of all libraries."""
    caplog.set_level(logging.DEBUG)
    orders = commands(place(clouds, provider))
    clouds.faults[:] = [fault] if fault else []
    if fault is not None and fault.failure is Failure.THROTTLED:
        # It waits by a clock of its own.
        orders = [one for one in orders if one[0] != "doctor"]
    ended = {order: talkative(run, order) for order in orders}

    assert [] == [order for order, one in ended.items() if "--help shows" in one.err]
    assert (fault is None) == (0 == ended[orders[0]].code)
    texts = [text for one in ended.values() for text in (one.out, one.err)]
    assert [] == found_in([*texts, *logged(caplog)], forbidden())


@pytest.mark.parametrize("provider", providers())
def test_what_needs_no_cloud_shows_no_key(
    run: Run, clouds: Emulator, provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which keys there are is told, and where, but not what they are."""
    file = tmp_path / "snapkit" / "config.toml"
    file.parent.mkdir()
    file.write_text(
        f'[profiles.a]\nprovider = "{provider}"\nregions = ["north"]\n'
        f'credentials = {{command = ["print-keys", "--secret={SECRET}", "{TOKEN}"]}}\n'
    )
    file.chmod(0o600)
    monkeypatch.setenv("SNAPKIT_CONFIG", str(file))
    orders = [
        *(("config", action, "-o", form) for action in ("show", "check") for form in FORMATS[:2]),
        ("config", "path"),
        ("config", "init"),
        ("config", "init", "--force"),
        ("providers",),
        ("providers", "-o", "json"),
        ("list", "-t", "a"),
        ("doctor", "a"),
    ]
    texts = [text for order in orders for text in attrs.astuple(run(*order))]

    assert file.exists()
    written = file.read_text()
    assert "profiles" in written
    assert [] == found_in([*map(str, texts), written], forbidden())
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


BROKEN: dict[str, str] = {
    "a key in it": f'[profiles.a]\nprovider = "alibaba"\nsecret = "{SECRET}"\n',
    "a token in it": f'[profiles.a]\nprovider = "alibaba"\nsecurity_token = "{TOKEN}"\n',
    "not TOML": f"secret = {SECRET}\n",
    "not TOML later": f'a = "{SECRET}"\nb = \n',
    "a huge number": f'a = "{SECRET}"\nb = 1{"0" * 5000}\n',
    "twice": f'secret = "{SECRET}"\nsecret = "{SECRET}"\n',
    "an option": f'[profiles.a]\nprovider = "alibaba"\nregions = "all"\noptions = "{SECRET}"\n',
    "the credentials": f'[profiles.a]\nprovider = "alibaba"\ncredentials = "{SECRET}"\n',
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=list(BROKEN))
@pytest.mark.parametrize("order", [("list",), ("config", "check"), ("config", "show"), ("doctor",)])
def test_no_broken_configuration_shows_what_is_in_it(
    run: Run, text: str, order: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """People paste the message into a chat."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    file.chmod(0o600)
    monkeypatch.setenv("SNAPKIT_CONFIG", str(file))
    ended = run(*order, *([] if order[0] == "config" else ["--debug"]))

    assert 2 == ended.code
    assert "config.toml" in ended.out + ended.err
    assert [] == found_in([ended.out, ended.err], forbidden())


FAILING = ("list", "-t", "a", "-v", "--debug")
PRINTERS: dict[str, str] = {
    "fails": "echo 'denied for {0}' >&2; exit 3",
    "prints nonsense": "echo 'secret = {0}'",
    "prints half": 'echo \'{{"mode": "AK", "access_key_secret": "{0}"}}\'',
    "prints a sort unknown": 'echo \'{{"mode": "X", "access_key_secret": "{0}"}}\'',
    "prints a line break": 'echo \'{{"Version": 1, "AccessKeyId": "a",'
    ' "SecretAccessKey": "{0}\\n"}}\'',
    "prints an end that is none": 'echo \'{{"mode": "AK", "access_key_id": "a",'
    ' "access_key_secret": "{0}", "expiration": "{0}"}}\'',
}


@pytest.mark.parametrize("script", PRINTERS.values(), ids=list(PRINTERS))
def test_no_key_command_that_fails_shows_what_it_printed(
    run: Run,
    script: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither on stderr nor in the log, where a user is told to look."""
    caplog.set_level(logging.DEBUG)
    command = json.dumps(["/bin/sh", "-c", script.format(SECRET)])
    file = tmp_path / "config.toml"
    file.write_text(
        '[profiles.a]\nprovider = "alibaba"\nregions = ["cn-hangzhou"]\n'
        f"credentials = {{command = {command}}}\n"
    )
    file.chmod(0o600)
    monkeypatch.setenv("SNAPKIT_CONFIG", str(file))
    ended = run(*FAILING)

    assert 4 == ended.code
    assert "the command 'sh'" in ended.err
    assert [] == found_in([ended.out, ended.err, *logged(caplog)], forbidden())


@pytest.mark.parametrize("text", [f"{SECRET}\n", f" {SECRET}", f"{SECRET}\udcff", f"{SECRET}\x00"])
def test_no_key_that_cannot_be_one_is_shown(
    run: Run, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line break would end a header, and half a character cannot be signed."""
    names = driver_class("tencent").environment.keys[0]
    monkeypatch.setitem(os.environ, names.key_id, "AKID1")
    for wrong, other in ((names.secret, names.tokens[0]), (names.tokens[0], names.secret)):
        if "\0" in text:
            monkeypatch.setattr(os, "environ", {**os.environ, wrong: text, other: "sound"})
        else:
            monkeypatch.setenv(wrong, text)
            monkeypatch.setenv(other, "sound")
        ended = run("list", "-t", "tencent:ap-guangzhou", "--debug", "-v")

        assert 4 == ended.code
        assert "snapkit: error: " in ended.err
        assert [] == found_in([ended.out, ended.err], forbidden())


@pytest.mark.parametrize(
    "value",
    [
        KEYS,
        KEYS.secret,
        StaticSource(KEYS),
        Target(provider="tencent", region="ap-guangzhou", credentials=KEYS),
        Target(provider="tencent", region="ap-guangzhou", credentials=StaticSource(KEYS)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_holds_keys_does_not_show_them(value: object) -> None:
    """repr, asdict, astuple, copies, pickles and JSON with a default."""
    assert [] == found_in(holders(value), forbidden())


QUESTIONS: dict[str, Callable[[], object]] = {
    "a target": lambda: Target.parse("tencent:a b@c"),
    "no region": lambda: Target.parse("tencent"),
    "half a pair": lambda: driver_class("tencent").environment.credentials(
        {driver_class("tencent").environment.keys[0].secret: SECRET}
    ),
    "a source": lambda: find_source(driver_class("tencent"), Surroundings(region="ap-guangzhou")),
    "a table": lambda: source_for("tencent", {"source": "environment"}),
    "a file": load_config,
}


@pytest.mark.parametrize("ask", QUESTIONS.values(), ids=list(QUESTIONS))
def test_no_frame_of_an_error_holds_the_environment(
    ask: Callable[[], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tools for error reports collect local variables, and keys are in the environment."""
    names = driver_class("tencent").environment
    monkeypatch.delenv(names.keys[0].key_id, raising=False)
    monkeypatch.setenv(names.keys[0].secret, SECRET)
    monkeypatch.setenv("UNRELATED_TOKEN", TOKEN)
    file = tmp_path / "config.toml"
    file.write_text(f"secret = {SECRET}\n")
    monkeypatch.setenv("SNAPKIT_CONFIG", str(file))
    with pytest.raises(SnapkitError) as caught:
        ask()
    error = caught.value
    frames = error.__traceback__
    # The first is the test's own, the second that of the table above: both know the secret.
    error.__traceback__ = frames.tb_next if frames else None

    assert [] == found_in(shown(error), forbidden())


def test_the_search_would_find_a_key() -> None:
    """A search that finds nothing anywhere proves nothing."""
    assert found_in(holders({"secret": SECRET}), forbidden())
    assert found_in(
        [f"https://h/?t={TOKEN.replace('/', '%2F').replace('+', '%2B').replace('=', '%3D')}"],
        forbidden(),
    )
