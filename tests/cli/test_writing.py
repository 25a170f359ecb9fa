"""Commands that change something, on a cloud in a dictionary."""

import sys
import threading
from typing import Any

import pytest

from snapkit import registry, settings
from snapkit.cli import asking
from snapkit.cli.failing import settling
from snapkit.cli.progress import waiting_sentence
from snapkit.driver import Capability
from snapkit.errors import (
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
    QuotaError,
    Sent,
    TransportError,
    UnavailableError,
)
from snapkit.model import SnapshotStatus, Usage
from snapkit.waiting import Progress
from snapkit.writes import Disk
from tests.ledger import GIB, Cloud, LedgerDriver, TagDriver, snapshot

from .conftest import Run

HERE = "ledger:north"
ONE, TWO = f"{HERE}/s-1", f"{HERE}/s-2"


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Install the ledger as the only provider, with two snapshots, and let nobody sleep."""
    table = {"snapkit.drivers": {"ledger": "tests.ledger:LedgerDriver"}, "snapkit.dialects": {}}
    monkeypatch.setattr(registry, "_published", table.__getitem__)
    monkeypatch.setenv("LEDGER_KEY", "key")
    monkeypatch.setenv("LEDGER_SECRET", "CANARY-secret")
    found = Cloud()
    found.add(snapshot("s-1"), snapshot("s-2"))
    found.disks["d-1"] = Disk(id="d-1", name="data", instance_id="i-1", size_bytes=40 * GIB)
    monkeypatch.setattr(LedgerDriver, "cloud", found)
    monkeypatch.setattr(settings, "Clock", found.time.clock)
    return found


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pretend that somebody sits there, and return a list of what they will answer."""
    answers: list[str] = []
    monkeypatch.setattr(asking, "_terminal", lambda: True)

    def answer(_: str) -> str:
        return answers.pop(0)

    monkeypatch.setattr("click.termui.visible_prompt_func", answer)
    return answers


def test_create_prints_the_reference(run: Run, cloud: Cloud) -> None:
    """For the next command in a pipe."""
    ended = run("create", HERE, "d-1", "--name", "before", "--tag", "team=shop", "--keep", "30d")
    order = cloud.sent[0][1]

    assert (0, f"{HERE}/s-new-1\n", "") == (ended.code, ended.out, ended.err)
    assert ("before", {"team": "shop"}) == (order.name, dict(order.tags))
    assert order.expires_at is not None


def test_create_gives_json(run: Run, cloud: Cloud) -> None:
    """One object, as 'show' gives it, in the state that was waited for."""
    ended = run("create", HERE, "d-1", "-o", "json", "--wait", "complete")

    assert "available" == ended.json["status"]
    assert f"{HERE}/s-new-1" == ended.json["ref"]


def test_what_was_made_is_told_even_if_the_wait_fails(run: Run, cloud: Cloud) -> None:
    """Otherwise nobody can delete it."""
    ended = run("create", HERE, "d-1", "--wait", "complete", "--timeout", "5")

    assert (7, f"{HERE}/s-new-1\n") == (ended.code, ended.out)
    assert "after 5 s, wanted complete" in ended.err


@pytest.mark.parametrize(
    "extra",
    [
        ("--keep", "30d", "--expires", "2999-01-01"),
        ("--expires", "2001-01-01"),
        ("--keep", "soon"),
        ("--expires", "30d"),
        ("--tag", "=x"),
    ],
    ids=["both", "past", "word", "age", "no-key"],
)
def test_a_bad_order_is_code_two(run: Run, cloud: Cloud, extra: tuple[str, ...]) -> None:
    """Nothing is sent."""
    assert (2, []) == (run("create", HERE, "d-1", *extra).code, cloud.sent)


def test_an_unknown_outcome_is_code_five_with_the_command_that_settles_it(
    run: Run, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied and run, it finds what was made."""
    table = {"snapkit.drivers": {"ledger": "tests.ledger:TagDriver"}, "snapkit.dialects": {}}
    monkeypatch.setattr(registry, "_published", table.__getitem__)
    monkeypatch.setattr(TagDriver, "cloud", cloud, raising=False)
    cloud.lost = [TransportError("cut", sent=Sent.MAYBE)]
    cloud.blind = [UnavailableError("ill") for _ in range(200)]
    ended = run("create", HERE, "d-1", "--name", "two words")
    line = next(one for one in ended.err.splitlines() if "settle it with" in one)
    cloud.blind = []
    import shlex

    again = run(*shlex.split(line.partition("settle it with: snapkit ")[2]))

    assert (5, "") == (ended.code, ended.out)
    assert (0, f"{HERE}/s-new-1\n") == (again.code, again.out)


def test_the_settling_command_keeps_a_key_that_was_given() -> None:
    """And adds one that was not."""
    assert "snapkit create x d --key=k" == settling(["create", "x", "d"], "k")
    assert "snapkit create x d --key k" == settling(["create", "x", "d", "--key", "k"], "k")


def test_create_group_and_wait(run: Run, cloud: Cloud) -> None:
    """Of an instance."""
    ended = run("create-group", HERE, "--instance", "i-1", "--wait", "usable")

    assert (0, f"{HERE}/group/g-new-1\n") == (ended.code, ended.out)
    assert cloud.time.now >= 10


def test_create_group_of_nothing_is_code_two(run: Run, cloud: Cloud) -> None:
    """The rule is in the sentence."""
    ended = run("create-group", HERE)

    assert 2 == ended.code
    assert "needs an instance or disks" in ended.err


def test_wait_ends_when_all_are_there(run: Run, cloud: Cloud) -> None:
    """Snapshots and groups, each on its line."""
    group = run("create-group", HERE, "--disk", "d-1").out.strip()
    ended = run("wait", ONE, group)

    assert (0, f"complete  {ONE}\ncomplete  {group}\n") == (ended.code, ended.out)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"status": SnapshotStatus.CREATING, "restorable": False}, 7),
        ({"status": SnapshotStatus.FAILED}, 1),
    ],
    ids=["late", "failed"],
)
@pytest.mark.faults(77)
def test_a_wait_that_fails_has_its_code(
    run: Run, cloud: Cloud, changes: dict[str, Any], code: int
) -> None:
    """Scripts decide by it."""
    cloud.add(snapshot("s-1", **changes))
    ended = run("wait", ONE, "--timeout", "20")

    assert (code, "") == (ended.code, ended.out)
    assert "'s-1'" in ended.err


def test_waiting_for_what_is_not_there_is_code_six(run: Run, cloud: Cloud) -> None:
    """Unless it is to be gone."""
    assert 6 == run("wait", f"{HERE}/s-9").code
    assert 0 == run("wait", f"{HERE}/s-9", "--until", "gone").code


@pytest.mark.parametrize(
    "argv",
    [
        ("create", HERE, "d-1", "--key", "k"),
        ("restore", ONE, "--key", "k"),
        ("disks", HERE, "--instance", "i-1"),
        ("wait", ONE, TWO),
        ("tag", ONE, "--set", "team=no"),
        ("delete", f"{HERE}/s-9", "--yes"),
    ],
    ids=lambda argv: argv[0],
)
def test_yaml_has_the_values_of_json(run: Run, cloud: Cloud, argv: tuple[str, ...]) -> None:
    """One object, for whoever reads YAML."""
    yaml: Any = pytest.importorskip("yaml")
    told = run(*argv, "-o", "yaml")

    assert 0 == told.code
    assert run(*argv, "-o", "json").json == yaml.safe_load(told.out)


def test_places_are_waited_for_side_by_side_and_told_in_order(run: Run, cloud: Cloud) -> None:
    """The slowest place decides how long it takes, and a script reads the order it gave."""
    making = {"status": SnapshotStatus.CREATING, "restorable": False}
    cloud.add(snapshot("s-1", **making), snapshot("s-3", region="south", **making))
    both = threading.Barrier(2)

    def meet() -> None:
        # One after the other would never meet: the wait for the first place would not end.
        if not both.broken and cloud.snapshots["s-1"].status is SnapshotStatus.CREATING:
            both.wait(20)
            cloud.add(snapshot("s-3", region="south"), snapshot("s-1"))

    cloud.time.on_sleep = meet
    refs = ("ledger:south/s-3", ONE, TWO)
    ended = run("wait", *refs)

    assert (0, "".join(f"complete  {ref}\n" for ref in refs)) == (ended.code, ended.out)


def test_one_place_that_fails_does_not_keep_the_others(run: Run, cloud: Cloud) -> None:
    """Some came, one did not: partial, and the reason."""
    failed = snapshot("s-3", region="south", status=SnapshotStatus.FAILED)
    cloud.add(failed)
    ended = run("wait", "ledger:south/s-3", ONE, "-o", "json")

    assert 3 == ended.code
    assert [False, True] == [row["ok"] for row in ended.json["results"]]
    assert "not complete: ledger:south/s-3: " in ended.err


def test_an_interrupt_ends_the_waits_of_all_places(
    run: Run, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for an hour that was waited for in vain; threads do not hold the end up."""
    making = {"status": SnapshotStatus.CREATING, "restorable": False}
    cloud.add(snapshot("s-1", **making), snapshot("s-3", region="south", **making))
    stuck = threading.Event()

    def wait() -> None:
        stuck.wait(20)

    cloud.time.on_sleep = wait

    def interrupted(_: Any, timeout: float | None = None) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    ended = run("wait", ONE, "ledger:south/s-3", "--timeout", "5")
    stuck.set()

    assert (130, "") == (ended.code, ended.out)


def test_wait_needs_something_to_wait_for(run: Run, cloud: Cloud) -> None:
    """An empty list from a pipe is a mistake, not a success."""
    assert 2 == run("wait").code


def test_delete_without_a_terminal_does_nothing(run: Run, cloud: Cloud) -> None:
    """Cron must say --yes."""
    ended = run("delete", ONE)

    assert (2, "", []) == (ended.code, ended.out, cloud.sent)
    assert "no terminal to ask on" in ended.err
    assert "--yes" in ended.err


def test_a_dry_run_prints_the_plan_and_does_nothing(run: Run, cloud: Cloud) -> None:
    """The same plan as the real run."""
    cloud.add(snapshot("s-2", usage=Usage(images=1)))
    ended = run("delete", ONE, TWO, f"{HERE}/s-9", "--dry-run")

    assert (0, "", []) == (ended.code, ended.out, cloud.sent)
    assert f"{ONE}: name of s-1, 40 GiB" in ended.err
    assert "against it: used by an image" in ended.err
    assert f"{HERE}/s-9: not there" in ended.err


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 8), ("", 8)])
def test_on_a_terminal_it_asks(
    run: Run, cloud: Cloud, terminal: list[str], answer: str, code: int
) -> None:
    """And no is the default."""
    terminal.append(answer)
    ended = run("delete", ONE, TWO)

    assert code == ended.code
    assert f"{ONE}: " in ended.err
    assert (code == 0) is bool(cloud.sent)


def test_delete_with_yes_deletes_and_waits(run: Run, cloud: Cloud) -> None:
    """Absent counts as deleted."""
    ended = run("delete", ONE, f"{HERE}/s-9", "--yes", "--wait")

    assert 0 == ended.code
    assert {f"deleted  {ONE}", f"not there  {HERE}/s-9"} == set(ended.out.splitlines())
    assert ["s-2"] == list(cloud.snapshots)


def test_what_stands_against_it_is_code_one(run: Run, cloud: Cloud) -> None:
    """--yes agrees to the plan, not to breaking an image."""
    cloud.add(snapshot("s-2", usage=Usage(images=1)))
    ended = run("delete", ONE, TWO, "--yes", "--force", "--cascade")

    assert (1, []) == (ended.code, cloud.sent)
    assert "s-2 is used by an image" in ended.err


def test_a_partial_deletion_is_code_three_with_a_line_for_each(run: Run, cloud: Cloud) -> None:
    """The rest was done."""
    cloud.refused["s-2"] = ConflictError("busy")
    ended = run("delete", ONE, TWO, "--yes")
    seen = run("delete", TWO, "--yes", "-o", "json")

    assert (3, f"deleted  {ONE}\n") == (ended.code, ended.out)
    assert f"snapkit: not deleted: {TWO}: busy" in ended.err
    assert (1, False) == (seen.code, seen.json["results"][0]["ok"])


def test_a_group_is_deleted_with_its_members(run: Run, cloud: Cloud) -> None:
    """They stand in the plan."""
    group = run("create-group", HERE, "--disk", "d-1").out.strip()
    ended = run("delete", group, "--yes")

    assert 0 == ended.code
    assert f"{group}: the group, with" in ended.err
    assert f"{HERE}/s-new-1: " in ended.err
    assert {} == cloud.groups
    assert 0 == run("delete", group, "--yes").code


def test_tags_are_set_and_removed(run: Run, cloud: Cloud) -> None:
    """Each reference has one line."""
    ended = run("tag", ONE, TWO, "--set", "a=b", "--remove", "c")

    assert (0, f"tagged  {ONE}\ntagged  {TWO}\n") == (ended.code, ended.out)
    assert ["tag", "untag"] == [name for name, _ in cloud.sent]


@pytest.mark.parametrize("extra", [(), ("--set", "a=b", "--remove", "a")], ids=["none", "both"])
def test_tags_that_make_no_sense_are_code_two(
    run: Run, cloud: Cloud, extra: tuple[str, ...]
) -> None:
    """Nothing is sent."""
    assert (2, []) == (run("tag", ONE, *extra).code, cloud.sent)


def test_a_tag_that_fails_for_one_is_code_three(run: Run, cloud: Cloud) -> None:
    """And the failed one is not untagged."""
    cloud.refused["s-2"] = NotFoundError("gone")
    ended = run("tag", ONE, TWO, "--set", "a=b", "--remove", "c")

    assert (3, f"tagged  {ONE}\n") == (ended.code, ended.out)
    assert f"not tagged: {TWO}: gone" in ended.err


def test_change_changes(run: Run, cloud: Cloud) -> None:
    """A snapshot or a group."""
    group = f"{HERE}/group/g-1"

    assert 0 == run("change", ONE, "--name", "new", "--permanent").code
    assert 0 == run("change", group, "--description", "text").code
    assert ["change", "change_group"] == [name for name, _ in cloud.sent]
    assert 2 == run("change", ONE).code
    assert 2 == run("change", group, "--permanent").code


def test_restore_prints_the_disk(run: Run, cloud: Cloud) -> None:
    """Its id, or all that is known of it."""
    assert "d-new-2\n" == run("restore", ONE, "--size", "80G").out
    assert "s-1" == run("restore", ONE, "-o", "json", "--key", "k").json["snapshot_id"]
    assert 2 == run("restore", ONE, "--size", "1G").code


def test_roll_back_shows_the_plan_and_asks(run: Run, cloud: Cloud, terminal: list[str]) -> None:
    """It loses data."""
    terminal.append("n")
    ended = run("rollback", ONE, "--stop-instance")

    assert (8, []) == (ended.code, cloud.sent)
    assert f"disk d-1 of server i-1 goes back to {ONE}" in ended.err
    assert "the server may be stopped" in ended.err


def test_roll_back_with_yes(run: Run, cloud: Cloud) -> None:
    """And not without, where nobody can be asked."""
    assert 2 == run("rollback", ONE).code
    assert [] == cloud.sent
    assert (0, f"rolled back  {ONE}\n") == (
        (ended := run("rollback", ONE, "--yes")).code,
        ended.out,
    )
    assert 2 == run("rollback", ONE, "--yes", "--start-instance").code


def test_a_roll_back_that_is_refused_says_why(run: Run, cloud: Cloud) -> None:
    """In a sentence, and nothing is sent."""
    cloud.add(snapshot("s-1", status=SnapshotStatus.CREATING, restorable=False))
    ended = run("rollback", ONE, "--yes")

    assert (1, []) == (ended.code, cloud.sent)
    assert "error: not rolled back: s-1: it is creating\n" in ended.err


def test_a_roll_back_whose_answer_is_lost_is_code_five(run: Run, cloud: Cloud) -> None:
    """There is no command that settles it: look at the disk."""
    cloud.lost = [TransportError("cut", sent=Sent.MAYBE)]
    ended = run("rollback", ONE, "--yes")

    assert 5 == ended.code
    assert "look at the disk" in ended.err
    assert "settle it with" not in ended.err


def test_each_copy_is_a_reference(run: Run, cloud: Cloud) -> None:
    """And a region that refuses makes it partial."""
    cloud.refused["east"] = QuotaError("full")
    ended = run("copy", ONE, "--to", "south", "--to", "east")

    assert (3, "copied  ledger:south/s-1-south\n") == (ended.code, ended.out)
    assert "to east: full" in ended.err


def test_copies_are_waited_for_in_their_own_region(run: Run, cloud: Cloud) -> None:
    """The source's region does not show them; what refused stays partial."""
    cloud.refused["east"] = QuotaError("full")
    cloud.add(snapshot("s-1-south", region="south"))
    cloud.born["s-1-south"] = 0.0
    ended = run("copy", ONE, "--to", "south", "--to", "east", "--wait", "complete")
    late = run("copy", ONE, "--to", "south", "--to", "west", "--wait", "usable", "--timeout", "40")

    assert (3, "copied  ledger:south/s-1-south\n") == (ended.code, ended.out)
    assert 60 <= cloud.time.now
    assert (6, 2) == (late.code, len(late.out.splitlines()))


def test_a_deletion_that_has_grown_since_it_was_shown_is_not_done(
    run: Run, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody reads the plan, a backup builds on what is in it."""
    monkeypatch.setattr(LedgerDriver, "deletes_subtree", True)
    monkeypatch.setattr(asking, "_terminal", lambda: True)

    def answer(_: str) -> str:
        cloud.add(snapshot("late", parent_id="s-1"))
        return "y"

    monkeypatch.setattr("click.termui.visible_prompt_func", answer)
    ended = run("delete", ONE)

    assert (1, []) == (ended.code, cloud.sent)
    assert "more than was planned: late" in ended.err


def test_a_group_without_members_is_asked_about_too(
    run: Run, cloud: Cloud, terminal: list[str]
) -> None:
    """It is something to lose."""
    group = run("create-group", HERE, "--disk", "d-1").out.strip()
    cloud.groups["g-new-1"] = (cloud.groups["g-new-1"][0], ())
    terminal.append("n")

    assert 8 == run("delete", group).code
    assert "g-new-1" in cloud.groups


def test_share_lock_and_their_opposites(run: Run, cloud: Cloud) -> None:
    """Each says what it did."""
    assert f"shared  {ONE}\n" == run("share", ONE, "--with", "a").out
    assert f"unshared  {ONE}\n" == run("unshare", ONE, "--with", "a").out
    assert f"locked  {ONE}\n" == run("lock", ONE, "--days", "3").out
    assert f"unlocked  {ONE}\n" == run("unlock", ONE).out
    assert [(["s-1"], ["a"], True), (["s-1"], ["a"], False), ("s-1", 3), ("s-1", None)] == [
        what for _, what in cloud.sent
    ]


def test_disks_are_listed(run: Run, cloud: Cloud) -> None:
    """Of a server, or those named."""
    ended = run("disks", HERE, "--instance", "i-1")

    assert 0 == ended.code
    assert ended.out.splitlines()[1].startswith("d-1  data")
    assert "d-1" == run("disks", HERE, "d-1", "-o", "json").json["disks"][0]["id"]
    assert "error: no disk 'd-9' in ledger:north" in (gone := run("disks", HERE, "d-9")).err
    assert 6 == gone.code
    assert "no disk of server 'i-9' in " in run("disks", HERE, "--instance", "i-9").err
    assert 2 == run("disks", HERE).code


@pytest.mark.parametrize(
    "argv",
    [
        ("share", f"{HERE}/group/g-1", "--with", "a"),
        ("lock", f"{HERE}/group/g-1", "--days", "1"),
        ("restore", f"{HERE}/group/g-1"),
        ("copy", f"{HERE}/group/g-1", "--to", "south"),
        ("delete", f"{HERE}/", "--yes"),
        ("delete", "s-1", "--yes"),
        ("create", "ledger:north,south", "d-1"),
        ("create", "ledger", "d-1"),
        ("lock", ONE, "--days", "0"),
    ],
)
def test_bad_input_is_code_two(run: Run, cloud: Cloud, argv: tuple[str, ...]) -> None:
    """Before anything is sent."""
    assert (2, []) == (run(*argv).code, cloud.sent)


def test_what_a_cloud_cannot_do_is_code_two_before_anybody_is_asked(
    run: Run, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, terminal: list[str]
) -> None:
    """A question about what cannot be done is an insult."""
    nothing: frozenset[Capability] = frozenset()
    monkeypatch.setattr(LedgerDriver, "capabilities", nothing)
    for argv in (("delete", ONE), ("rollback", ONE), ("create", HERE, "d-1")):
        ended = run(*argv)

        assert 2 == ended.code
        assert "does not offer" in ended.err


def test_no_secret_is_told(run: Run, cloud: Cloud) -> None:
    """Whatever goes wrong."""
    cloud.unsent = [UnavailableError("ill")]
    ended = run("create", HERE, "d-1", "--debug", "-v")

    assert "CANARY" not in ended.out + ended.err
    assert "CANARY" not in repr(sys.argv)


@pytest.mark.parametrize(
    ("progress", "expected"),
    [
        (None, "waiting until usable"),
        ((1, None, None), "waiting until usable: 1 of 3"),
        ((1, 45.4, None), "waiting until usable: 1 of 3, 45 %"),
        ((1, 45.0, 80.0), "waiting until usable: 1 of 3, 45 %, 80 s to go"),
        ((1, 45.0, 600.0), "waiting until usable: 1 of 3, 45 %, 10 min to go"),
        ((1, 45.0, 9000.0), "waiting until usable: 1 of 3, 45 %, 2.5 h to go"),
    ],
)
def test_a_wait_says_how_far_it_is(
    progress: tuple[int, float | None, float | None] | None, expected: str
) -> None:
    """As much as the cloud says, and no more."""
    found = None
    if progress is not None:
        done, share, eta = progress
        found = Progress(waited=1, done=done, total=3, progress=share, eta=eta, snapshots=())

    assert expected == waiting_sentence("usable", found)


@pytest.mark.faults(84)
def test_an_interrupt_after_the_start_has_told_what_was_made(run: Run, cloud: Cloud) -> None:
    """Ctrl-C ends the wait, not the snapshot."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    cloud.time.on_sleep = interrupt
    ended = run("create", HERE, "d-1", "--wait", "complete")

    assert (130, f"{HERE}/s-new-1\n") == (ended.code, ended.out)


def test_disks_that_are_not_there_are_named(run: Run, cloud: Cloud) -> None:
    """A short list is never silent."""
    ended = run("disks", HERE, "d-1", "d-8", "d-9", "-o", "json")

    assert 3 == ended.code
    assert ["d-1"] == [disk["id"] for disk in ended.json["disks"]]
    assert "not there: no disks 'd-8', 'd-9' in ledger:north" in ended.err


@pytest.mark.faults(84)
@pytest.mark.parametrize("words", [("create", HERE, "d-1"), ("restore", ONE)], ids=["make", "disk"])
def test_an_interrupt_while_something_is_made_tells_the_key(
    run: Run, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """It may have been made, and without the key it would be made again."""

    def interrupt(*_: Any) -> Any:
        raise KeyboardInterrupt

    for name in ("create_snapshot", "create_disk"):
        monkeypatch.setattr(LedgerDriver, name, interrupt)
    ended = run(*words, "--key", "nightly")

    assert (130, "") == (ended.code, ended.out)
    assert "snapkit: interrupted: the " in ended.err
    assert "may have been made; run it again with the key 'nightly': it is then found" in ended.err


def test_one_snapshot_that_is_not_deleted_is_named(run: Run, cloud: Cloud) -> None:
    """The place alone would not say which."""
    cloud.lost = [PermissionDeniedError("not yours", sent=Sent.NO)]
    ended = run("delete", ONE, "--yes", "-o", "json")

    assert ONE == ended.json["results"][0]["ref"]
    assert f"not deleted: {ONE}: " in ended.err
