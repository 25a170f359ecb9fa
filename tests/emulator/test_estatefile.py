"""Estate files: what they may say, what is made of it, and what is said of mistakes."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from snapkit.client import connect
from snapkit.emulator import Emulator, Throttle, World, demo_world, exported, load_estate
from snapkit.emulator.estatevalues import facts, moment, span
from snapkit.emulator.jsontext import json_places
from snapkit.emulator.state import Disk, GroupRecord, Pace, SnapshotRecord, Stage
from snapkit.errors import ConfigurationError
from snapkit.model import DiskRole, Origin
from snapkit.registry import dialect_class, driver_class, providers
from snapkit.toml import nearest

from .hurried import hurried

DAY = 86400.0
HEAD = f'[[accounts]]\nprovider = "{providers()[0]}"\nkey_id = "AK1"\nsecret = "s3cret-CANARY"\n'
REGION = HEAD + "[accounts.regions.sea]\n"
DISK = '[[accounts.regions.sea.disks]]\nid = "d-1"\nsize_gib = 40\n'
SNAPSHOT = '[[accounts.regions.sea.snapshots]]\nid = "s-1"\ndisk_id = "d-1"\n'

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(text: str, name: str = "estate.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return put


def world_of(path: Path) -> World:
    return load_estate(path).world()


def said(path: Path) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_estate(path)
    assert "CANARY" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0.0),
        (1.5, 1.5),
        ("90s", 90.0),
        ("1.5h", 5400.0),
        ("15 m", 900.0),
        ("2d", 2 * DAY),
        ("1w", 7 * DAY),
        ("", None),
        ("d", None),
        ("-1d", None),
        ("1mo", None),
        ("٣d", None),
        (-1, None),
        (True, None),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        ("999999999w", None),
        ([1], None),
    ],
    ids=repr,
)
def test_spans(value: object, seconds: float | None) -> None:
    """Numbers are seconds, texts have a unit; a century is enough."""
    assert seconds == span(value)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("now", 1e9),
        ("-3d", 1e9 - 3 * DAY),
        ("+2h", 1e9 + 7200),
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01t08:00:10.5+08:00", 10.5),
        ("1970-01-01 00:00:10z", 10.0),
        (datetime(1970, 1, 2, tzinfo=UTC), DAY),
        (datetime(1970, 1, 2), None),
        ("1970-01-01T00:00:10", None),
        ("1970-01-01", None),
        ("2026-02-30T00:00:00Z", None),
        ("1969-12-31T23:59:59Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("3d", None),
        ("-3mo", None),
        ("-", None),
        ("-99999d", None),
        ("yesterday", None),
        (5, None),
        (None, None),
    ],
    ids=repr,
)
def test_moments(value: object, seconds: float | None) -> None:
    """Relative to the present, or absolute with a zone; a zone is never guessed."""
    assert seconds == moment(value, 1e9)


def test_every_field_of_every_record_can_be_written() -> None:
    """A field that is added to a record and cannot be read here is found by this."""
    from snapkit.emulator.estatevalues import Reader
    from snapkit.toml import Document

    examples: dict[Any, Any] = {
        str: "x",
        str | None: "x",
        bool: True,
        int: 3,
        int | None: 3,
        float: "-1d",
        float | None: "-1d",
        Pace: {"cut": 0},
        DiskRole: "system",
        Origin: "policy",
        list[str]: ["s-1"],
        dict[str, str]: {"a": ""},
        dict[str, Any]: {"a": [1]},
    }
    for kind in (Disk, SnapshotRecord, GroupRecord):
        table = {field.name: examples[field.type] for field in attrs.fields(kind)}
        document = Document(Path("here"), table)
        found = facts(Reader(document=document, now=1e9, table=table), kind)

        assert [] == document.problems
        assert set(table) == set(found or {})


def test_a_snapshot_has_the_facts_of_its_disk(write: Write) -> None:
    """Written once, as the provider copies them once."""
    world = world_of(
        write(
            REGION
            + DISK
            + 'role = "system"\nzone = "z"\ncategory = "c"\nencrypted = true\ninstance_id = "i-1"\n'
            + SNAPSHOT
            + 'started_at = "-1d"\n'
            + SNAPSHOT.replace("s-1", "s-2")
            + 'started_at = "-1d"\nsize_gib = 20\nrole = "data"\nencrypted = false\n'
            + 'instance_id = ""\n'
        )
    )
    first, second = world.accounts[0].regions["sea"].snapshots.values()

    assert (40, DiskRole.SYSTEM, "z", "c", True, "i-1") == (
        first.size_gib,
        first.role,
        first.zone,
        first.category,
        first.encrypted,
        first.instance_id,
    )
    assert (20, DiskRole.DATA, "z", False, None) == (
        second.size_gib,
        second.role,
        second.zone,
        second.encrypted,
        second.instance_id,
    )


def test_the_whole_of_an_account(write: Write) -> None:
    """World, account, region: each key does what it says."""
    world = world_of(
        write(
            'lag = "2s"\nahead = "1d"\npace = {cut = 2, usable = "1m", complete = 90}\n'
            + HEAD
            + 'label = "prod"\ntoken = "T"\n'
            + "limit = {per_second = 5, burst = 10, window = 60, regional = false,"
            + " by_operation = true}\n"
            + "[accounts.regions.sea]\n"
            + 'name = "The Sea"\ndenied = true\nopen = false\nrunning = ["i-1"]\n'
            + "[accounts.regions.dust]\n"
        )
    )
    (account,) = world.accounts
    sea = account.regions["sea"]
    limit = account.throttle

    assert (2.0, DAY, Pace(cut=2, usable=60, complete=90)) == (
        world.lag,
        world.clock.ahead,
        world.pace,
    )
    assert ("AK1", "s3cret-CANARY", "T", "prod", ["sea", "dust"]) == (
        account.key_id,
        account.secret,
        account.token,
        account.label,
        list(account.regions),
    )
    assert ("The Sea", True, False, {"i-1"}) == (sea.name, sea.denied, sea.open, sea.running)
    assert limit is not None
    assert (5, 10, 60, False, True) == (
        limit.per_second,
        limit.burst,
        limit.window,
        limit.regional,
        limit.by_operation,
    )


def test_json_says_the_same_as_toml(write: Write) -> None:
    """Programs in other languages write JSON more easily."""
    region = {
        "disks": [{"id": "d-1", "size_gib": 40}],
        "snapshots": [{"id": "s-1", "disk_id": "d-1", "started_at": "2026-01-01T00:00:00Z"}],
        "groups": [{"id": "g-1", "snapshot_ids": ["s-1"], "created_at": "2026-01-01T00:00:00Z"}],
    }
    account = {"provider": providers()[0], "key_id": "AK1", "secret": "s3cret-CANARY"}
    estate = {"accounts": [{**account, "regions": {"sea": region}}]}
    toml = (
        REGION
        + DISK
        + SNAPSHOT
        + "started_at = 2026-01-01T00:00:00Z\n"
        + '[[accounts.regions.sea.groups]]\nid = "g-1"\nsnapshot_ids = ["s-1"]\n'
        + "created_at = 2026-01-01T00:00:00Z\n"
    )
    worlds = [
        world_of(write(toml)),
        world_of(write(json.dumps(estate), "estate.json")),
        world_of(write("\ufeff\n" + json.dumps(estate), "estate")),
    ]

    assert [exported(worlds[0])] * 3 == [exported(one) for one in worlds]


@pytest.mark.parametrize("provider", providers())
def test_a_region_is_generated_for_each_provider(write: Write, provider: str) -> None:
    """So many servers and nights; the adapter sees every snapshot of them."""
    place = driver_class(provider).home_region
    path = write(
        HEAD.replace(providers()[0], provider)
        + f"[accounts.regions.{place}]\ngenerate = {{servers = 3, nights = 20, seed = 5}}\n"
    )
    with Emulator(again=load_estate(path).world) as emulator:
        region = emulator.world.accounts[0].regions[place]
        first = set(region.snapshots)
        (target,) = emulator.targets()
        with connect(target) as client:
            seen = {one.id for one in client.snapshots()}
        emulator.reset()
        again = set(emulator.world.accounts[0].regions[place].snapshots)

    assert 6 * 20 == len(first)
    assert first == seen == again
    assert all(one.startswith(dialect_class(provider).style().snapshot) for one in first)


def test_other_seeds_and_places_have_other_ids(write: Write) -> None:
    """Two regions must not hold the same snapshots."""
    world = world_of(
        write(
            HEAD
            + "[accounts.regions.sea]\ngenerate = {servers = 1, nights = 2}\n"
            + "[accounts.regions.dust]\ngenerate = {servers = 1, nights = 2}\n"
            + "[accounts.regions.rim]\ngenerate = {servers = 1, nights = 2, seed = 8,"
            + ' zones = ["rim-x"]}\n'
        )
    )
    regions = world.accounts[0].regions
    ids = [one for region in regions.values() for one in region.snapshots]

    assert 6 == len(ids) == len(set(ids))
    assert {"rim-x"} == {one.zone for one in regions["rim"].snapshots.values()}


def test_relative_times_count_from_each_building(write: Write) -> None:
    """An estate that is loaded in the morning is as fresh in the evening."""
    estate = load_estate(
        write('ahead = "10d"\n' + REGION + DISK + SNAPSHOT + 'started_at = "-3d"\n')
    )
    for _ in range(2):
        world = estate.world()
        record = world.accounts[0].regions["sea"].snapshots["s-1"]

        assert abs(world.clock.now() - 3 * DAY - record.started_at) < 60
        assert Stage.COMPLETE is record.stage(world.clock.now())


@pytest.mark.parametrize("provider", providers())
def test_a_pace_is_that_of_new_snapshots(write: Write, provider: str) -> None:
    """A test does not want to wait ten seconds of anybody's time."""
    place = driver_class(provider).home_region
    text = (
        "pace = {cut = 0, usable = 0, complete = 0}\n"
        + HEAD.replace(providers()[0], provider)
        + f'[[accounts.regions.{place}.disks]]\nid = "d-1"\nsize_gib = 40\ninstance_id = "i-1"\n'
    )
    with Emulator(again=load_estate(write(text)).world) as emulator:
        (target,) = emulator.targets()
        with hurried(target) as client:
            made = client.create("d-1", key="k")
            shown = client.snapshot(made.id)

    assert ("available", True) == (shown.status.value, shown.restorable)


def test_the_demonstration_estate_survives_export_and_loading(write: Write) -> None:
    """All its oddities are in the words of the file."""
    world = demo_world()
    world.accounts[0].throttle = Throttle(per_second=3, regional=False)
    first = exported(world)
    second = exported(world_of(write(json.dumps(first), "estate.json")))

    assert first == second


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("", None, "there are no accounts; write [[accounts]]"),
        ("acounts = []\n", (1, 1), "unknown key 'acounts'; did you mean 'accounts'? known: "),
        ("accounts = 1\n", (1, 1), "'accounts' must be a list of tables, not a number"),
        ("accounts = [1]\n", (1, 1), "entry 1 of 'accounts' is not a table"),
        (HEAD + HEAD, (7, 1), "another account of this provider has the same key_id"),
        (HEAD.replace(providers()[0], "moon"), (2, 1), "no emulated provider 'moon'; known: "),
        (HEAD.replace('"AK1"', '""'), (1, 3), "the account has no 'key_id'"),
        (HEAD.replace("AK1", " AK1"), (1, 3), "the access key id is empty or has blanks"),
        (HEAD.replace('"s3cret-CANARY"', "1"), (4, 1), "'secret' must be a text in quotes"),
        (HEAD + "limit = {}\n", (5, 1), "the limit has no 'per_second'"),
        (HEAD + "limit = {per_second = 0}\n", (5, 10), "'per_second' cannot be 0"),
        (HEAD + "limit = {per_second = 1, bust = 2}\n", (5, 26), "did you mean 'burst'?"),
        (HEAD + "regions = []\n", (5, 1), "'regions' must be a table, not a list"),
        (HEAD + "[accounts.regions.SEA]\n", (5, 2), "'SEA' is not a region"),
        (HEAD + "[accounts.regions]\nsea = 1\n", (6, 1), "'sea' must be a table"),
        (REGION + "denyed = true\n", (6, 1), "did you mean 'denied'?"),
        (REGION + "denied = 1\n", (6, 1), "'denied' must be true or false, not a number"),
        (REGION + "running = [1]\n", (6, 1), "'running' must hold texts in quotes only"),
        (REGION + "generate = {server = 1}\n", (6, 13), "did you mean 'servers'?"),
        (REGION + "generate = {servers = 0}\n", (6, 13), "'servers' cannot be 0; write 1 to"),
        (
            REGION + "generate = {servers = 99999, nights = 99}\n",
            (6, 13),
            "99999 servers in 99 nights are too many; servers x nights is at most 1000000",
        ),
        (REGION + DISK + DISK, (10, 1), "'d-1' is there twice in this region"),
        (REGION + DISK.replace("40", "0"), (8, 1), "'size_gib' cannot be 0; write 1 to"),
        (REGION + DISK + "role = 'root'\n", (9, 1), "'role' cannot be 'root'; known: data,"),
        (REGION + DISK + "tags = {a = 1}\n", (9, 9), "'a' must be a text in quotes"),
        (REGION + DISK.replace('id = "d-1"\n', ""), (6, 3), "'id' is missing"),
        (REGION + SNAPSHOT, (6, 3), "'size_gib' is missing"),
        (REGION + DISK + SNAPSHOT, (9, 3), "'started_at' is missing"),
        (REGION + DISK + SNAPSHOT + 'started_at = "3d"\n', (12, 1), "'started_at' cannot be '3d'"),
        (
            REGION + DISK + SNAPSHOT + "started_at = 2026-01-01T00:00:00\n",
            (12, 1),
            "cannot be '2026-01-01 00:00:00'; write ",
        ),
        (REGION + DISK + SNAPSHOT + "started_at = 1\n", (12, 1), "must be a time, not a number"),
        (
            REGION + DISK + SNAPSHOT + 'started_at = "now"\npace = {cut = "9s", usable = "1s"}\n',
            (13, 1),
            "a pace goes from 'cut' over 'usable' to 'complete'",
        ),
        (
            REGION + DISK + SNAPSHOT + 'started_at = "now"\nrow = {at = 2026-01-01}\n',
            (13, 1),
            "'row' holds what JSON cannot say",
        ),
        (
            REGION + DISK + SNAPSHOT + 'started_at = "now"\nstatus = "x"\n',
            (13, 1),
            "unknown key 'status'",
        ),
        (
            REGION
            + DISK
            + SNAPSHOT
            + 'started_at = "now"\n[[accounts.regions.sea.groups]]\n'
            + 'id = "g"\nsnapshot_ids = ["s-11"]\ncreated_at = "now"\n',
            (15, 1),
            "no snapshot 's-11' in this region; did you mean 's-1'?",
        ),
        ('lag = "soon"\n' + HEAD, (1, 1), "'lag' cannot be 'soon'; write seconds, or a text"),
        ("lag = -1\n" + HEAD, (1, 1), "'lag' cannot be -1"),
        ("a = \n", (1, 5), "not TOML"),
    ],
)
def test_mistakes_are_told_with_their_place(
    write: Write, text: str, place: tuple[int, int] | None, sentence: str
) -> None:
    """The reader of the sentence can go there; the secret is in none of them."""
    path = write(text)
    found = said(path)

    assert sentence in found
    if place is not None:
        assert found.startswith(f"{path}, line {place[0]}, column {place[1]}: ")


@pytest.mark.parametrize(
    ("text", "place", "sentence"),
    [
        ("{", "line 1, column 2", "not JSON: expecting property name"),
        ('{"accounts": [}', "line 1, column 15", "not JSON: expecting value"),
        ('{"lag": NaN}', None, "NaN is not a number in JSON"),
        ('{"lag": 1, "lag": 2}', None, "'lag' is there twice in one object"),
        ('{\n "lag": 1,\n "acounts": []\n}', "line 3, column 2", "did you mean 'accounts'?"),
        (
            '{"accounts": [\n {"regions": {"sea": {"disks": [{}, {"id": 1}]}}}]}',
            "line 2, column 2",
            "the account has no 'provider'",
        ),
        ("[" * 100_000, None, "nested too deeply"),
        ('{"lag": ' + "9" * 5000 + "}", None, "a number that is too long"),
        ("[]", None, "is not a JSON object"),
    ],
    ids=range(9),
)
def test_mistakes_in_json_too(write: Write, text: str, place: str | None, sentence: str) -> None:
    """A generated file is wrong in generated ways."""
    path = write(text, "estate.json")
    found = said(path)

    assert sentence in found
    assert place is None or found.startswith(f"{path}, {place}: ")


def test_several_mistakes_are_counted(write: Write) -> None:
    """The first is told, and that it is not the only one."""
    found = said(write(REGION + DISK.replace("40", "0") + "rol = 1\n"))

    assert "(1 more like this)" in found


def test_what_cannot_be_read_is_told(write: Write, tmp_path: Path) -> None:
    """No traceback for a wrong path or a wrong encoding."""
    path = write("")
    path.write_bytes(b"\xff\xfe")

    assert "is not UTF-8" in said(path)
    assert "cannot be read: No such file" in said(tmp_path / "none.toml")
    assert "cannot be read: Is a directory" in said(tmp_path)


def test_places_in_json() -> None:
    """Keys and entries, also where keys hold brackets and quotes."""
    text = '{"a": [1, {"b": "}"},\n  []], "c\\"[": {"d": null}}'

    assert {
        ("a",): (1, 2),
        ("a", "0"): (1, 8),
        ("a", "1"): (1, 11),
        ("a", "1", "b"): (1, 12),
        ("a", "2"): (2, 3),
        ('c"[',): (2, 8),
        ('c"[', "d"): (2, 17),
    } == json_places(text)


def test_the_nearest_word_is_offered() -> None:
    """As everywhere in snapkit."""
    assert "did you mean 'label'? known: label" == nearest("lable", ["label"])
