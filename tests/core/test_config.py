"""The configuration file: what it stands for, and how its mistakes are told."""

import json
import logging
import pickle
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

import snapkit
from snapkit.config import (
    Config,
    Defaults,
    Profile,
    ProfileSource,
    config_path,
    expand,
    load_config,
    read_config,
)
from snapkit.credentials import Credentials, StaticSource
from snapkit.errors import (
    ConfigurationError,
    PermissionDeniedError,
    ProtocolError,
    ThrottledError,
    TransportError,
)
from snapkit.fleet import list_snapshots
from snapkit.listing import Outcome
from snapkit.rate import Rate
from snapkit.regions import ask_regions, cache_folder
from snapkit.registry import IN_TREE
from snapkit.settings import Target
from snapkit.toml import places
from tests.core.moon import KEYS, Sky, rising, snapshot

Write = Callable[[str], Path]
CANARY = "CANARY-5e1f"
GOOD = """\
[profiles.near]
provider = "moon"
regions = ["sea", "dust", "sea"]

[profiles.far]
provider = "moon"
account = "team"
endpoint = "https://moon.example/api/"
ca_bundle = "moon.pem"
rate_share = 0.25
options = { paging = "token" }
credentials = { command = ["keys", "--of", "far"] }

[groups]
both = ["near", "far"]

[defaults]
output = "json"
workers = 8
timeout = 60
group = "near"
"""


@pytest.fixture(autouse=True)
def skies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[dict[str, Sky]]:
    for name in ("MOON_ID", "MOON_KEY", "SNAPKIT_CONFIG", "SNAPKIT_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with rising(monkeypatch) as found:
        yield found


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def file(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_bytes(text.encode())
        path.chmod(0o600)
        return path

    return file


def two_regions(_target: Target) -> list[str]:
    return ["sea", "dust"]


def static(_provider: str, _settings: Mapping[str, Any]) -> StaticSource:
    return StaticSource(KEYS)


def test_a_file_says_profiles_groups_and_defaults(write: Write, tmp_path: Path) -> None:
    """With what it leaves out filled in."""
    config = load_config(write(GOOD))
    near, far = config.profiles["near"], config.profiles["far"]

    assert ("near", ("sea", "dust"), 1.0, None) == (
        near.account,
        near.regions,
        near.rate_share,
        near.credentials,
    )
    assert ("team", "all", 0.25) == (far.account, far.regions, far.rate_share)
    assert "https://moon.example/api" == far.endpoint
    assert str(tmp_path / "moon.pem") == far.ca_bundle
    assert {"both": ("near", "far")} == config.groups
    assert {"output": "json", "workers": 8, "timeout": 60} == config.for_commands
    assert (True, True, False) == ("near" in config, "both" in config, "none" in config)


def test_it_is_part_of_the_library() -> None:
    """Applications use the file that the command line uses."""
    assert snapkit.load_config is load_config
    assert {} == snapkit.load_config().profiles


@pytest.mark.parametrize(
    ("environ", "system", "expected"),
    [
        ({}, "linux", "HOME/.config/snapkit/config.toml"),
        ({"XDG_CONFIG_HOME": "/xdg"}, "linux", "/xdg/snapkit/config.toml"),
        ({"XDG_CONFIG_HOME": "here"}, "linux", "HOME/.config/snapkit/config.toml"),
        ({}, "darwin", "HOME/Library/Application Support/snapkit/config.toml"),
        ({}, "win32", "HOME/AppData/Roaming/snapkit/config.toml"),
        ({"APPDATA": "/roaming"}, "win32", "/roaming/snapkit/config.toml"),
        ({"SNAPKIT_CONFIG": "/etc/s.toml"}, "linux", "/etc/s.toml"),
        ({"SNAPKIT_CONFIG": "~/s.toml"}, "darwin", "HOME/s.toml"),
    ],
)
def test_the_file_is_the_users_own(
    environ: dict[str, str], system: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative folder in the environment would be the working directory: ignored."""
    monkeypatch.setenv("HOME", "/home/me")

    assert expected.replace("HOME", "/home/me") == config_path(environ, system).as_posix()


def test_the_cache_is_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside other programs' caches."""
    monkeypatch.setenv("HOME", "/home/me")

    assert Path("/home/me/.cache/snapkit") == cache_folder({}, "linux")
    assert Path("/home/me/Library/Caches/snapkit") == cache_folder({}, "darwin")
    assert Path("/local/snapkit") == cache_folder({"LOCALAPPDATA": "/local"}, "win32")


def test_the_working_directory_is_never_read(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's repository must not choose a program to run."""
    write(GOOD)
    (tmp_path / "snapkit").mkdir()
    (tmp_path / "snapkit" / "config.toml").write_text(GOOD)
    monkeypatch.chdir(tmp_path)

    assert {} == load_config(environ={}).profiles


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """A typing error in the variable must not look like an empty configuration."""
    missing = tmp_path / "no.toml"

    with pytest.raises(ConfigurationError, match=r"no\.toml cannot be read: No such file"):
        load_config(environ={"SNAPKIT_CONFIG": str(missing)})
    with pytest.raises(ConfigurationError, match=r"no\.toml cannot be read"):
        load_config(missing)


HEAD = '[profiles.a]\nprovider = "moon"\n'
BAD = [
    ("[profiles.a\n", "line 1, column 12", "not TOML"),
    ("x = \n", "line 1, column 5", "not TOML: invalid value"),
    ('x = "' + CANARY, "at its end", "quote"),
    (HEAD + HEAD, "line 3, column 12", "[profiles.a] is there twice; rename one"),
    (HEAD + 'provider = "moon"\n', "line 3", "a key is there twice"),
    ("[profile.a]\n", "line 1, column 2", "unknown key 'profile'; did you mean 'profiles'?"),
    (HEAD + 'regoins = ["sea"]', "line 3, column 1", "did you mean 'regions'?"),
    ('profiles.a = {provider = "moon", acount = "x"}', "line 1, column 34", "'account'?"),
    ('[profiles.a]\nregions = "all"', "line 1, column 2", 'write provider = "NAME"'),
    ('[profiles.a]\nprovider = "mon"', "line 2, column 1", "did you mean 'moon'?"),
    ("[profiles.a]\nprovider = 3", "line 2, column 1", "must be a text in quotes, not a number"),
    ('[profiles]\na = "moon"', "line 2, column 1", "'a' must be a table, not a text"),
    ('[profiles."a b"]\nprovider = "moon"', "line 1, column 2", "cannot be the name"),
    (HEAD + 'regions = "sea"', "line 3", 'write ["region", ...] or "all"'),
    (HEAD + "regions = []", "line 3", "'regions' is empty"),
    (HEAD + 'regions = ["all"]', "line 3", 'write ["region", ...] or "all"'),
    (HEAD + "regions = [1]", "line 3", "must hold texts in quotes only"),
    (HEAD + 'regions = ["evil.com/"]', "line 3", "'evil.com/' is not a region"),
    (HEAD + "regions = 2026-01-01", "line 3", "must be a list of texts, not a date"),
    (HEAD + 'endpoint = "http://example.com"', "line 3", "the endpoint cannot be used"),
    (HEAD + f'endpoint = "https://u:{CANARY}@x.example"', "line 3", "https://host[:port]"),
    (HEAD + 'account = "a b"', "line 3", "'a b' is no label"),
    (HEAD + 'account = ""', "line 3", "'account' is empty; leave it out"),
    (HEAD + "rate_share = 1.5", "line 3", "cannot be 1.5; write from 0.01, up to 1"),
    (HEAD + "rate_share = nan", "line 3", "cannot be nan"),
    (HEAD + 'options = {pagin = "x"}', "line 3", "no option 'pagin'; known: paging, zone"),
    (HEAD + 'options = {paging = "x"}', "line 3", "choose from offset, token"),
    (HEAD + "[profiles.a.options]\nzone = 3.0", "line 4, column 1", "must be a text in quotes"),
    (HEAD + f'credentials = "{CANARY}"', "line 3", "'credentials' cannot be read"),
    (HEAD + "credentials = {command = []}", "line 3, column 16", "the command is empty"),
    (HEAD + 'credentials = {command = "keys"}', "line 3", "must be a list of texts, not a text"),
    (HEAD + f'access_key_secret = "{CANARY}"', "line 3", "looks like an access key"),
    (HEAD + f'credentials = {{secret_id = "{CANARY}"}}', "line 3, column 16", "holds none"),
    (HEAD + f'options = {{token = "{CANARY}"}}', "line 3, column 12", "environment variables"),
    (f'access_key = "{CANARY}"', "line 1, column 1", "credentials = {command = [...]}"),
    (HEAD + "[groups]\ng = []", "line 4, column 1", "the target group 'g' is empty"),
    (HEAD + '[groups]\ng = ["b"]', "line 4, column 1", "no profile 'b'; known: a"),
    (HEAD + '[groups]\ng = ["A", "aa"]', "line 4", "no profile"),
    (HEAD + '[groups]\na = ["a"]', "line 4", "is the name of a profile too"),
    (HEAD + '[groups]\ng = "a"', "line 4", "must be a list of texts, not a text"),
    ("[defaults]\ncolour = 1", "line 2", "known: group, output, timeout, workers"),
    ("[defaults]\nworkers = 0", "line 2", "cannot be 0; write from 1, up to 128"),
    ("[defaults]\nworkers = true", "line 2", "a whole number, not true or false"),
    ("[defaults]\ntimeout = 0", "line 2", "write more than 0"),
    (HEAD + '[defaults]\ngroup = "b"', "line 4", "no profile or target group 'b'"),
]


@pytest.mark.parametrize(("text", "place", "said"), BAD, ids=[one[0][-40:] for one in BAD])
def test_a_mistake_is_told_with_its_place(write: Write, text: str, place: str, said: str) -> None:
    """File, line and column, what would help, and never a value that may be a key."""
    path = write(text)

    with pytest.raises(ConfigurationError) as caught:
        load_config(path)
    told = str(caught.value)
    assert told.startswith(f"{path}")
    assert place in told
    assert said in told
    assert CANARY not in f"{told}{caught.value!r}{caught.value.__cause__}"


def test_all_mistakes_can_be_had(write: Write) -> None:
    """Who repairs a file wants to do it once; the first error says how many there are."""
    text = HEAD + "regions = []\nrate_share = 2\n[groups]\ng = []\n"
    config, problems = read_config(write(text))

    assert 3 == len(problems)
    assert {} == config.profiles
    with pytest.raises(ConfigurationError, match="2 more: 'snapkit config check'"):
        load_config(write(text))


def test_a_key_in_a_shared_file_is_as_good_as_published(write: Write) -> None:
    """It has to be replaced, not only moved."""
    path = write(HEAD + 'secret = "x"')
    path.chmod(0o644)

    with pytest.raises(ConfigurationError, match="others on this machine can read"):
        load_config(path)


def test_names_that_people_choose_are_not_taken_for_keys(write: Write) -> None:
    """A profile may be called token, and a file that holds one may be named."""
    text = '[profiles.token]\nprovider = "moon"\ncredentials = {token_file = "/run/t"}\n'

    assert {"token_file": "/run/t"} == load_config(write(text)).profiles["token"].credentials


def test_a_file_that_others_write_and_that_runs_something_is_warned_of(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever may write it chooses a program to run."""
    path = write(GOOD)
    path.chmod(0o664)
    load_config(path)

    assert "others may write it; chmod go-w" in caplog.text


def test_a_readable_file_without_secrets_is_fine(
    write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds none, so there is nothing to hide."""
    path = write(GOOD)
    path.chmod(0o644)
    load_config(path)

    assert "" == caplog.text


def test_files_from_windows_are_read(write: Write) -> None:
    """With a byte-order mark and carriage returns."""
    assert ["near", "far"] == list(
        load_config(write("\ufeff" + GOOD.replace("\n", "\r\n"))).profiles
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe", "is not UTF-8"), (b"x = " + b"[" * 100_000, "nested too deeply|not TOML")],
)
def test_what_is_no_text_is_told(write: Write, content: bytes, said: str) -> None:
    """Not a traceback."""
    path = write("")
    path.write_bytes(content)

    with pytest.raises(ConfigurationError, match=said):
        load_config(path)


def test_keys_are_found_wherever_toml_lets_them_stand() -> None:
    """Texts over several lines, comments and nested values hold no keys of the file."""
    text = (
        "a.b = 1.5 # c = 2\n"
        'text = """\n[no]\nno = 1\n"""\n'
        "['x.y'.\"z\"]\n"
        "  list = [\n    1, # ]\n    {deep = 2},\n  ]\n"
        "in = {one = {two = '}'}, three = [4]}\n"
        "[[many]]\nk = 07:32:00\n"
        "[[many]]\n[many.sub]\nk = 1\n"
    )

    assert {
        ("a",): (1, 1),
        ("a", "b"): (1, 1),
        ("text",): (2, 1),
        ("x.y",): (6, 2),
        ("x.y", "z"): (6, 2),
        ("x.y", "z", "list"): (7, 3),
        ("x.y", "z", "list", "1"): (9, 5),
        ("x.y", "z", "list", "1", "deep"): (9, 6),
        ("x.y", "z", "in"): (11, 1),
        ("x.y", "z", "in", "one"): (11, 7),
        ("x.y", "z", "in", "one", "two"): (11, 14),
        ("x.y", "z", "in", "three"): (11, 26),
        ("many",): (12, 3),
        ("many", "0"): (12, 3),
        ("many", "0", "k"): (13, 1),
        ("many", "1"): (14, 3),
        ("many", "1", "sub"): (15, 2),
        ("many", "1", "sub", "k"): (16, 1),
    } == places(text)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), ["near@sea", "near@dust"]),
        ("far", ["team@sea", "team@dust"]),
        (["both"], ["near@sea", "near@dust", "team@sea", "team@dust"]),
        (["far", "both"], ["team@sea", "team@dust", "near@sea", "near@dust"]),
    ],
)
def test_names_become_targets(write: Write, names: Any, expected: list[str]) -> None:
    """Profiles and groups, each once and in the order asked; none: the default group."""
    found = load_config(write(GOOD)).targets(names, list_regions=two_regions, source_for=static)

    assert [f"moon:{one}" for one in expected] == [str(target) for target in found]


def test_a_target_has_all_that_the_profile_says(write: Write, tmp_path: Path) -> None:
    """Address, certificates, options and where keys are; arguments replace the address."""
    config = load_config(write(GOOD))
    (first, *_) = config.targets("far", list_regions=two_regions, source_for=static)
    (other, *_) = config.targets("far", endpoint="https://other.example", list_regions=two_regions)

    assert "https://moon.example/api" == first.endpoint
    assert str(tmp_path / "moon.pem") == first.ca_bundle
    assert {"paging": "token"} == first.options
    assert isinstance(first.credentials, ProfileSource)
    assert KEYS == first.credentials.get()
    assert not first.credentials.refresh(KEYS)
    assert "https://other.example" == other.endpoint


def test_without_a_default_all_profiles_are_meant(write: Write) -> None:
    """``snapkit list`` with no arguments."""
    text = GOOD.replace('group = "near"', "")

    assert ["near", "far"] == [one.name for one in load_config(write(text)).chosen()]


def test_an_unknown_name_is_told_with_the_nearest(write: Write) -> None:
    """And no profiles at all with what writes some."""
    with pytest.raises(ConfigurationError, match=r"no profile or target group 'naer'.*'near'"):
        load_config(write(GOOD)).targets(["naer"])
    with pytest.raises(ConfigurationError, match="has no profiles; 'snapkit config init'"):
        load_config(write("")).targets()


def asker(answers: Iterable[Any]) -> tuple[Callable[[Target], list[str]], list[Target]]:
    asked: list[Target] = []
    left = iter(answers)

    def list_regions(target: Target) -> list[str]:
        asked.append(target)
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    return list_regions, asked


HOUR = 3600.0
FAR = Profile(name="far", provider="moon", endpoint="https://moon.example")


def test_all_regions_are_asked_for_at_home_and_kept_for_a_day(tmp_path: Path) -> None:
    """Thirty regions and a hundred accounts would ask at each listing."""
    list_regions, asked = asker([["sea", "dust", "sea"], ["rim"]])

    def at(hours: float) -> list[str]:
        return expand(FAR, list_regions, cache=tmp_path, now=hours * HOUR)

    assert [["sea", "dust"]] * 2 == [at(0), at(23.9)]
    assert ["rim"] == at(24)
    assert [("far", "sea", "https://moon.example")] * 2 == [
        (one.account, one.region, one.endpoint) for one in asked
    ]
    assert [] == list(tmp_path.rglob("*.json.*"))


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "bleak"},
        {"account": "other"},
        {"endpoint": None},
        {"options": {"paging": "token"}},
    ],
    ids=str,
)
def test_another_account_has_an_answer_of_its_own(tmp_path: Path, change: dict[str, Any]) -> None:
    """Regions are opened account by account."""
    list_regions, _ = asker([["sea"], ["dust"]])
    expand(FAR, list_regions, cache=tmp_path, now=0)

    other = attrs.evolve(FAR, **change)
    assert ["dust"] == expand(other, list_regions, cache=tmp_path, now=0)


def test_regions_that_are_named_are_not_asked_for(tmp_path: Path) -> None:
    """Nothing is sent for what is known."""
    list_regions, asked = asker([])

    named = attrs.evolve(FAR, regions=("sea",))
    assert (["sea"], []) == (expand(named, list_regions, cache=tmp_path), asked)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '{"asked_at": 0}',
        '{"asked_at": 0, "regions": []}',
        '{"asked_at": 0, "regions": ["evil.com/"]}',
        '{"asked_at": 0, "regions": 3}',
        '{"asked_at": 7200, "regions": ["later"]}',
        "[" * 100_000,
    ],
    ids=lambda text: text[:40],
)
def test_a_bad_answer_in_the_cache_is_none(tmp_path: Path, content: str) -> None:
    """Cut short, written by hand, or from a clock that was ahead."""
    expand(FAR, two_regions, cache=tmp_path, now=0)
    (file,) = tmp_path.rglob("*.json")
    file.write_text(content)

    assert ["rim"] == expand(FAR, lambda _: ["rim"], cache=tmp_path, now=1)
    assert ["rim"] == json.loads(file.read_text())["regions"]


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """Containers have no home to write to."""
    blocked = tmp_path / "file"
    blocked.write_text("")

    assert ["sea", "dust"] == expand(FAR, two_regions, cache=blocked, now=0)


def test_an_earlier_answer_stands_in_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A cloud that does not name its regions today has them all the same."""
    expand(FAR, two_regions, cache=tmp_path, now=0)
    list_regions, _ = asker([TransportError("no route")])

    assert ["sea", "dust"] == expand(FAR, list_regions, cache=tmp_path, now=30 * HOUR)
    assert [(logging.WARNING, True)] == [
        (one.levelno, "asking failed: no route" in one.getMessage()) for one in caplog.records
    ]


def test_no_regions_at_all_is_an_error(tmp_path: Path) -> None:
    """Never a short list in silence."""
    with pytest.raises(ProtocolError, match="names no regions"):
        expand(FAR, lambda _: [], cache=tmp_path, now=0)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (PermissionDeniedError("you may not ask", code="Denied"), Outcome.DENIED),
        (ThrottledError("too many calls"), Outcome.THROTTLED),
        (ConfigurationError("no such keys"), Outcome.FAILED),
    ],
    ids=lambda one: getattr(one, "name", type(one).__name__),
)
def test_regions_that_cannot_be_had_are_a_scope_that_fails(
    write: Write, skies: dict[str, Sky], error: Exception, outcome: Outcome
) -> None:
    """The others are listed, and the report says what was not seen and why."""
    skies["sea"] = Sky(rows=[snapshot(1)])
    text = '[profiles.a]\nprovider = "moon"\n[profiles.b]\nprovider = "moon"\nregions = ["sea"]\n'
    text += 'credentials = {source = "x"}\n'

    def list_regions(_target: Target) -> list[str]:
        raise error

    found = load_config(write(text)).targets(list_regions=list_regions, source_for=static)
    skies["all"] = Sky(before=lambda _page: _source(found[0]).get())
    listing = list_snapshots(found)

    assert ["s-00001"] == [one.id for one in listing]
    failed, listed = listing.report.scopes
    assert ("all", outcome, error) == (failed.scope.region, failed.outcome, failed.error)
    assert ("sea", Outcome.OK) == (listed.scope.region, listed.outcome)
    assert not listing.report.complete


@pytest.mark.parametrize("provider", sorted(IN_TREE["snapkit.drivers"]))
def test_every_adapter_meets_that_reason_before_it_sends(provider: str) -> None:
    """One denied scope never hides as empty; and the attempts are not made again."""

    def list_regions(_target: Target) -> list[str]:
        raise ThrottledError("too many calls")

    profile = Profile(name="a", provider=provider)
    config = Config(path=Path("none"), profiles={"a": profile})
    listing = list_snapshots(config.targets(list_regions=list_regions))

    assert [] == list(listing)
    assert [("all", Outcome.THROTTLED)] == [
        (one.scope.region, one.outcome) for one in listing.report.scopes
    ]


def _source(target: Target) -> Any:
    return target.credentials


def test_the_reason_crosses_to_another_process(write: Write) -> None:
    """Engines pickle targets."""

    def list_regions(_target: Target) -> list[str]:
        raise PermissionDeniedError("you may not ask")

    (found,) = load_config(write(HEAD)).targets(list_regions=list_regions)
    again = pickle.loads(pickle.dumps(found))

    assert not again.credentials.refresh(KEYS)
    with pytest.raises(PermissionDeniedError, match="you may not ask"):
        again.credentials.get()


def test_the_provider_is_asked_with_the_profiles_keys(
    write: Write, skies: dict[str, Sky], tmp_path: Path
) -> None:
    """Through an ordinary client."""
    skies.update(sea=Sky(), dust=Sky())
    text = HEAD + 'credentials = {source = "x"}\n'
    found = load_config(write(text)).targets(source_for=static, cache=tmp_path)

    assert ["moon:a@sea", "moon:a@dust"] == [str(target) for target in found]
    assert ["sea", "dust"] == ask_regions(found[0])
    assert 2 == skies["sea"].closed


def counted(calls: list[tuple[str, Mapping[str, Any]]]) -> Callable[..., StaticSource]:
    def find(provider: str, settings: Mapping[str, Any]) -> StaticSource:
        calls.append((provider, settings))
        return StaticSource(KEYS)

    return find


def test_keys_are_looked_for_when_they_are_needed_and_once(write: Write) -> None:
    """A hundred profiles in a file are not a hundred commands run for one of them."""
    calls: list[tuple[str, Mapping[str, Any]]] = []
    find = counted(calls)
    config = load_config(write(GOOD))
    found = config.targets("far", list_regions=two_regions, source_for=find)
    again = config.targets("far", list_regions=two_regions, source_for=find)

    assert [] == calls
    assert [KEYS] * 4 == [_keys(target) for target in [*found, *again]]
    assert [("moon", {"command": ["keys", "--of", "far"]})] == calls
    assert found[0].credentials is again[1].credentials


def _keys(target: Target) -> Credentials:
    assert isinstance(target.credentials, ProfileSource)
    return target.credentials.get()


def test_without_another_the_librarys_own_sources_are_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And what they do not know is told when the keys are needed."""
    monkeypatch.setenv("MOON_ID", "AK7")
    monkeypatch.setenv("MOON_KEY", "secret")

    assert "AK7" == ProfileSource("moon", {"source": "environment"}).get().key_id
    with pytest.raises(ConfigurationError):
        ProfileSource("moon", {"sauce": "environment"}).get()


def test_where_keys_are_pickles_and_shows_no_argument() -> None:
    """Workers of an engine find the keys where they run."""
    source = ProfileSource("moon", {"command": ["keys", CANARY]}, static)
    again = pickle.loads(pickle.dumps(source))

    assert (KEYS, source.settings) == (again.get(), again.settings)
    assert CANARY not in f"{source!r}{FAR!r}{attrs.evolve(FAR, credentials=source.settings)!r}"


@pytest.mark.parametrize(
    ("text", "endpoint", "keys"),
    [
        ("moon:team@rim", "https://moon.example/api", True),
        ("moon:near@sea", None, False),
        ("moon:other@sea", None, False),
        ("moon:sea", None, False),
    ],
)
def test_the_account_of_a_target_chooses_the_keys(
    write: Write, text: str, endpoint: str | None, keys: bool
) -> None:
    """So that a reference from a listing can be shown and deleted with the same account."""
    found = load_config(write(GOOD)).completed(Target.parse(text), source_for=static)

    assert (endpoint, keys) == (found.endpoint, found.credentials is not None)


def test_what_a_target_has_already_stays(write: Write) -> None:
    """The more explicit wins; among profiles of one account the one with the region."""
    config = load_config(
        write(
            GOOD + '[profiles.x]\nprovider = "moon"\naccount = "team"\n'
            'regions = ["rim"]\noptions = {zone = "z"}\n'
        )
    )
    given = Target(
        provider="moon",
        account="team",
        region="sea",
        endpoint="https://o.example",
        credentials=KEYS,
        options={"paging": "offset"},
    )

    found = config.completed(given, source_for=static)
    assert (KEYS, "https://o.example") == (found.credentials, found.endpoint)
    assert {"paging": "offset"} == found.options
    assert {"zone": "z"} == config.completed(Target.parse("moon:team@rim")).options


def test_each_account_keeps_to_its_share(write: Write) -> None:
    """Other programs use the same account; profiles of one account share the smallest part."""
    more = '[profiles.more]\nprovider = "moon"\naccount = "team"\nrate_share = 0.5\n'
    limiter = load_config(write(GOOD + more)).limiter()
    rate = Rate(per_second=10.0, burst=20.0)

    def full(account: str) -> tuple[float, float]:
        bucket = limiter.bucket(("moon", account, "List", "sea"), rate)
        return bucket.full, bucket.burst

    assert [(9.0, 18.0), (2.25, 4.5), (9.0, 18.0)] == [full(one) for one in ("near", "team", "")]


def test_an_empty_configuration_is_one(tmp_path: Path) -> None:
    """Most people have no file."""
    config = Config(path=tmp_path / "none")

    assert (False, {}) == ("x" in config, config.for_commands)
    assert Target.parse("moon:a@sea") == config.completed(Target.parse("moon:a@sea"))


def test_the_example_in_the_documentation_is_right(write: Write) -> None:
    """People copy it."""
    page = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
    found = re.search(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)

    assert found is not None
    config = load_config(write(found[1]))
    assert ["production-cn", "production-hk", "office"] == list(config.profiles)
    for field in (*attrs.fields(Profile), *attrs.fields(Defaults)):
        assert f"`{field.name}`" in page
