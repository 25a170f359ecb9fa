"""Whatever a provider answers, there is a value or a SnapkitError, and nothing else."""

import json
import pickle
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, cast

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.cli.records import record
from snapkit.client import Client
from snapkit.credentials import Credentials
from snapkit.errors import SnapkitError
from snapkit.http import Http, HttpRequest, HttpResponse
from snapkit.model import Snapshot, SnapshotGroup
from snapkit.retry import RetryPolicy
from snapkit.settings import Target, open_driver
from snapkit.testing import EmulatedHarness, GroupSeed, Seed, patient_clock
from tests.providers.harnesses import STYLES

from .strategies import JSON, QUICK, TEXTS, spoil

DATA = Path(__file__).parents[1] / "data"
KEYS = Credentials(key_id="AKID1", secret="a-secret-of-nobody", token="a-token-of-nobody")
HASTY = RetryPolicy(transient=2, throttled=2)
Act = Callable[[Client, Any], object]
ACTS: Mapping[str, Act] = {
    "snapshots": lambda client, _: list(client.snapshots()),
    "groups": lambda client, _: list(client.groups()),
    "snapshot": lambda client, ids: client.snapshot(ids.snapshot),
    "regions": lambda client, _: client.regions(),
    "disks": lambda client, ids: client.disks(instance_id=ids.server),
    "named disks": lambda client, ids: client.disks(ids=[ids.disk]),
    "create": lambda client, ids: client.create(ids.disk, name="nightly", key="k1"),
    "create group": lambda client, ids: client.create_group(
        instance_id=ids.server, name="nightly", key="k2"
    ),
    "change": lambda client, ids: client.change(ids.snapshot, name="renamed"),
    "tag": lambda client, ids: client.tag([ids.snapshot], {"a": "b"}),
    "share": lambda client, ids: client.share([ids.snapshot], ["100001"]),
    "restore": lambda client, ids: client.restore(ids.snapshot, name="restored", key="k3"),
    "copy": lambda client, ids: client.copy(ids.snapshot, [ids.elsewhere], key="k4"),
    "roll back": lambda client, ids: client.roll_back(ids.snapshot),
    "delete": lambda client, ids: client.delete([ids.snapshot]),
    "wait": lambda client, ids: client.wait([ids.snapshot], timeout=5),
}


@attrs.frozen
class Ids:
    snapshot: str
    disk: str
    server: str
    elsewhere: str


@attrs.define
class Recorded:
    """What one style answers to each act when all is well."""

    target: Target
    ids: Ids
    answers: dict[str, list[HttpResponse]] = attrs.field(factory=dict[str, list[HttpResponse]])


class Tape(Http):
    """Records the answers that pass."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[HttpResponse] = []

    def send(self, request: HttpRequest, **settings: Any) -> HttpResponse:
        self.heard.append(super().send(request, **settings))
        return self.heard[-1]


class Script(Http):
    """Answers from a list, the last of it again and again."""

    def __init__(self, answers: list[HttpResponse]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked = 0

    def send(self, request: HttpRequest, **settings: Any) -> HttpResponse:
        del request, settings
        self.asked += 1
        # A thousand questions are an endless loop, and must fail the test.
        assert 1000 > self.asked
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@cache
def recorded(style: str) -> Recorded:
    """Return the answers of the emulator in *style*, act by act."""
    with STYLES[style]() as harness:
        ids = furnish(harness)
        (target,) = (
            one
            for one in harness.emulator.targets(harness.provider)
            if one.region == harness.region
        )
        target = attrs.evolve(target, options={**target.options, **harness.options})
        found = Recorded(attrs.evolve(target, credentials=KEYS), ids)
        for name, act in ACTS.items():
            tape = Tape()
            clock = patient_clock(harness.advance)
            client = Client(open_driver(target, http=tape, clock=clock, policy=HASTY))
            try:
                act(client, ids)
            except SnapkitError:
                # What a provider cannot do, or refuses, is answered too.
                assert name not in ("snapshots", "snapshot")
            found.answers[name] = tape.heard
            tape.close()
    return found


def furnish(harness: EmulatedHarness) -> Ids:
    first, *_ = harness.add(Seed(name="one", tags={"a": "b"}), Seed(disk=2, description="two"))
    harness.add_group(GroupSeed(disks=(3, 4), server=2))
    harness.add_disks(1, 2)
    return Ids(first, harness.disk_id(1), harness.server_id(1), harness.other_region or "elsewhere")


def outcome(style: str, act: str, answers: list[HttpResponse]) -> object:
    """Return what *act* makes of *answers*: a value or a SnapkitError."""
    found = recorded(style)
    driver = open_driver(
        found.target, http=Script(answers), clock=patient_clock(), policy=HASTY, keep_raw=True
    )
    try:
        return ACTS[act](Client(driver), found.ids)
    except SnapkitError as error:
        return error


CASES = [(style, act) for style in STYLES for act in ACTS]


@pytest.mark.parametrize(("style", "act"), CASES, ids=[f"{style}-{act}" for style, act in CASES])
def test_a_real_answer_with_something_wrong_is_a_value_or_our_error(style: str, act: str) -> None:
    """A field that is null, a list that is an object: one row must not end a night's run."""
    heard = recorded(style).answers[act]
    if not heard:
        # Nothing is asked for what the provider cannot do.
        assert isinstance(outcome(style, act, []), SnapkitError)
        return

    @QUICK
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        answers = list(heard)
        at = data.draw(st.integers(0, len(answers) - 1))
        body = spoil(json.loads(answers[at].body), data.draw)
        answers[at] = attrs.evolve(answers[at], body=json.dumps(body).encode())
        check(outcome(style, act, answers))

    holds()


def check(found: object) -> None:
    """Check that what came out can be shown, sent away and compared."""
    if isinstance(found, SnapkitError):
        assert str(found)
        return
    each = cast("list[Any]", found) if isinstance(found, list) else [found]
    for one in each:
        if isinstance(one, Snapshot | SnapshotGroup):
            assert one.id
            assert json.dumps(record(one, raw=True))
        elif one is not None:
            assert type(one) is type(pickle.loads(pickle.dumps(one)))


@pytest.mark.parametrize("style", STYLES)
def test_an_answer_of_anything_is_a_value_or_our_error(style: str) -> None:
    """Valid JSON is all that a broken gateway may share with the provider."""

    @QUICK
    @given(body=JSON, act=st.sampled_from(list(ACTS)), status=st.sampled_from([200, 400, 500]))
    def holds(body: Any, act: str, status: int) -> None:
        content = json.dumps(body).encode()
        check(outcome(style, act, [HttpResponse(status=status, headers={}, body=content)]))

    holds()


WORDS = (
    "Response",
    "Error",
    "Code",
    "Message",
    "RequestId",
    "code",
    "message",
    "ret_code",
    "codeDesc",
)
ENVELOPES = st.dictionaries(
    st.sampled_from(WORDS), JSON | st.dictionaries(st.sampled_from(WORDS), JSON)
)
HEADERS = st.dictionaries(
    st.sampled_from(["date", "retry-after", "age", "x-acs-request-id", "x-acs-retry-after"]), TEXTS
)


@pytest.mark.parametrize("style", STYLES)
def test_an_envelope_of_anything_is_a_value_or_our_error(style: str) -> None:
    """The words of the envelope, with anything behind them, and headers of nonsense."""

    @QUICK
    @given(
        body=ENVELOPES.map(lambda one: json.dumps(one).encode()) | st.binary(max_size=40),
        status=st.sampled_from([200, 204, 302, 400, 401, 403, 404, 429, 500, 503]),
        headers=HEADERS,
    )
    def holds(body: bytes, status: int, headers: dict[str, str]) -> None:
        check(
            outcome(style, "snapshots", [HttpResponse(status=status, headers=headers, body=body)])
        )

    holds()


def documented() -> list[Any]:
    found: list[Any] = []
    for provider, style in (
        ("alibaba", "alibaba-number"),
        ("tencent", "tencent-2.0"),
        ("qingcloud", "qingcloud"),
    ):
        for path in sorted(DATA.glob(f"{provider}_seed_*.json")):
            act = "groups" if "groups" in path.stem else "snapshots"
            found.append(pytest.param(style, act, path, id=path.stem))
    return found


@pytest.mark.parametrize(("style", "act", "path"), documented())
def test_a_documented_answer_with_something_wrong_is_a_value_or_our_error(
    style: str, act: str, path: Path
) -> None:
    """The providers' own examples have fields that the emulator leaves out."""
    document = json.loads(path.read_text(encoding="utf-8"))

    @QUICK
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        body = json.dumps(spoil(document, data.draw)).encode()
        check(outcome(style, act, [HttpResponse(status=200, headers={}, body=body)]))

    holds()


def test_the_acts_reach_every_capability() -> None:
    """An act that no provider answers would prove nothing."""
    answered = {act for style, act in CASES if recorded(style).answers[act]}

    assert set(ACTS) == answered
