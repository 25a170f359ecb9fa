"""Throttles: how long they are waited for, what they are called, and when it is enough."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import attrs
import pytest

from snapkit import fleet
from snapkit.cli import main
from snapkit.cli.emulator import settings
from snapkit.emulator import Fault
from snapkit.emulator.dialect import Answer, Request
from snapkit.errors import Failure, ThrottledError, UnavailableError
from snapkit.listing import Outcome
from snapkit.registry import driver_class, providers
from snapkit.transport import Clock

from .cloud import Cloud
from .test_answers import ALWAYS, URL, answering, refused, says


def in_seconds(seconds: float) -> str:
    """Return the date that a server writes for *seconds* from now."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.faults(40, 41)
@pytest.mark.parametrize("failure", [Failure.THROTTLED, Failure.SERVER])
@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        (None, 0, 20),
        ("7", 7, 20),
        ("date", 7, 20),
        ("soon", 0, 20),
        ("-5", 0, 20),
        ("9" * 30, 0, 20),
        ("3600", 60, 60),
        ("Thu, 31 Dec 2099 23:59:59 GMT", 60, 60),
    ],
)
def test_a_retry_after_is_waited_for_within_bounds(
    here: Cloud, failure: Failure, header: str | None, least: float, most: float
) -> None:
    """It is advice: a day-long one would look like a hang, and nonsense is ignored."""
    status = 429 if failure is Failure.THROTTLED else 503
    written = in_seconds(8.5) if header == "date" else header
    with answering(here, refused(failure, status=status, header=written), range(1, 2)) as asked:
        here.check_whole(here.list(URL))
    pauses = here.time.slept

    assert len(asked) > 3
    assert least <= pauses[0] <= most


@pytest.mark.faults(40, 41)
@pytest.mark.parametrize("status", [429, 503])
def test_a_gateways_bare_status_is_enough(here: Cloud, status: int) -> None:
    """Without a body, or with a page: the header counts all the same."""

    def change(here: Cloud, request: Request, answer: Answer) -> Answer:
        return Answer(status=status, headers={"Retry-After": "9"}, body=b"<p>slow down</p>")

    with answering(here, change, range(1, 2)):
        here.check_whole(here.list(URL))
    assert 9 <= here.time.slept[0] <= 20
    with answering(here, change, ALWAYS):
        outcome = Outcome.THROTTLED if status == 429 else Outcome.FAILED
        error = here.check_failed(here.list(URL), outcome)

    assert type(error) is (ThrottledError if status == 429 else UnavailableError)
    assert (8 if status == 429 else 4) == error.attempts


NAMED: dict[str, tuple[tuple[Any, str], ...]] = {
    "alibaba": (
        ("Throttling", "slow"),
        ("Throttling.User", "slow"),
        ("Throttling.Brand.New", "slow"),
        ("Rejected.Throttling", "slow"),
    ),
    "tencent": (
        ("RequestLimitExceeded", "slow"),
        ("RequestLimitExceeded.UinLimitExceeded", "slow"),
        ("RequestLimitExceeded.Brand.New", "slow"),
    ),
    "qingcloud": ((2500, "the quota of API requests of this hour is used up"),),
}


@pytest.mark.faults(42)
def test_every_name_of_a_throttle_is_known(here: Cloud) -> None:
    """By their first word, because new ones are added behind the dot."""
    for code, message in NAMED[here.provider]:

        def change(
            here: Cloud, request: Request, answer: Answer, code: Any = code, said: str = message
        ) -> Answer:
            return says(here, code, said, status=400)

        with answering(here, change, ALWAYS):
            error = here.check_failed(here.list(URL), Outcome.THROTTLED)

        assert type(error) is ThrottledError
        assert str(code) == error.code


@pytest.mark.faults(43)
def test_eight_throttles_in_a_row_are_enough(here: Cloud) -> None:
    """The rows so far are there, and the report says throttled."""
    with answering(here, refused(Failure.THROTTLED), ALWAYS) as asked:
        seen = here.list(URL)
    error = here.check_failed(seen, Outcome.THROTTLED)

    assert type(error) is ThrottledError
    assert error.retryable
    assert (8, 9, 100) == (error.attempts, len(asked), len(seen.rows))
    assert sum(here.time.slept) > 0


@pytest.mark.faults(43)
def test_a_throttled_target_is_code_five_and_hides_no_other(
    here: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone it is "try again later"; among others their rows are printed."""
    monkeypatch.setattr(fleet, "Clock", lambda: Clock(sleep=lambda seconds: None))
    for name, value in settings(here.emulator).items():
        monkeypatch.setenv(name, value)
    fault = Fault(kind="refuse", provider=here.provider, failure=Failure.THROTTLED, times=None)
    here.emulator.faults.append(fault)
    alone = main(("list", "-t", str(here.target), "-o", "csv"))
    said = capsys.readouterr()
    others = [str(one) for one in here.emulator.targets() if one.provider != here.provider]
    asked = [part for one in (str(here.target), *others) for part in ("-t", one)]
    together = main(("list", *asked, "-o", "csv"))
    rows = capsys.readouterr().out.splitlines()

    assert (5, 3) == (alone, together)
    assert "throttled" in said.err
    assert len(providers()) - 1 == len(others)
    assert len(others) * len(here.ids) + 1 == len(rows)
    assert driver_class(here.provider).name not in "".join(rows)


def test_a_clock_that_jumps_is_what_these_tests_hold(here: Cloud) -> None:
    """A pause of an hour takes none, and the deadline sees it."""
    clock = attrs.evolve(here.time).clock
    before = clock.monotonic()
    clock.sleep(3600.0)

    assert 3600.0 <= clock.monotonic() - before < 3700.0
