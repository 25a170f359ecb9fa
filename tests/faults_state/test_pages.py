"""Faults of paging, on the wire of each adapter's own way of paging."""

import pytest

from snapkit.errors import InvalidRequestError, PagingError
from snapkit.listing import Outcome
from snapkit.testing.harness import many
from tests.faults_state.stage import (
    PAGE,
    Asked,
    Reply,
    Row,
    Stage,
    counted,
    ids,
    served,
    styles,
    tokens,
)


@pytest.mark.faults(53)
@tokens
@pytest.mark.parametrize("cycle", [["10"], ["10", "20", "10"]], ids=["A-A", "A-B-A"])
def test_a_repeated_token_ends_after_the_rows_so_far(stage: Stage, cycle: list[str]) -> None:
    """A server that goes round in a ring would keep a night's listing busy for ever."""
    rows = stage.shelf(40)
    stage.play(lambda asked: served(rows, asked, token=cycle[(asked.request - 1) % len(cycle)]))
    found, report, error = stage.broken_off(PagingError)

    assert len(cycle) + 1 >= len(stage.asked)
    assert {one.id for one in found} == set(ids(rows[: PAGE * len(stage.asked)], stage.words))
    assert (Outcome.FAILED, len(found), False) == (report.outcome, report.rows, report.complete)
    assert "the same page token twice" in str(error)


@pytest.mark.faults(54)
@tokens
def test_an_empty_page_with_a_token_is_not_the_end(stage: Stage) -> None:
    """The rows behind it may be filtered out by the server, page by page."""
    rows = stage.shelf(25)

    def script(asked: Asked) -> Reply:
        if asked.token and asked.token.startswith("empty"):
            left = int(asked.token.removeprefix("empty"))
            return Reply(rows=[], token=f"empty{left - 1}" if left else "10")
        reply = served(rows, asked)
        return Reply(rows=reply.rows, token="empty3") if reply.token == "10" else reply

    stage.play(script)
    found, report = stage.listed()

    assert ids(rows, stage.words) == [one.id for one in found]
    assert report.complete


@pytest.mark.faults(54)
@tokens
def test_empty_pages_without_end_are_refused(stage: Stage) -> None:
    """Going on is bounded."""
    rows = stage.shelf(5)

    def script(asked: Asked) -> Reply:
        page = rows if asked.request == 1 else list[Row]()
        return Reply(rows=page, token=f"t{asked.request}")

    stage.play(script)
    found, _, error = stage.broken_off(PagingError)

    assert 5 == len(found)
    assert 110 > len(stage.asked)
    assert "pages in a row without a new row" in str(error)


def refused_token(asked: Asked, rows: list[Row], at: set[int]) -> Reply:
    """Return a page, or at requests *at* that the token is not valid (any more)."""
    body = {
        "Code": "InvalidParameter",
        "Message": "The specified parameter NextToken is not valid.",
        "RequestId": "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E",
    }
    return served(rows, asked, failure=(400, body) if asked.request in at else None)


@pytest.mark.faults(55)
@tokens
def test_a_token_that_has_grown_old_begins_the_listing_anew_once(stage: Stage) -> None:
    """Rows that were taken slowly; those that came before do not come again."""
    rows = stage.shelf(35)
    stage.play(lambda asked: refused_token(asked, rows, {3}))
    found, report = stage.listed()

    assert ids(rows, stage.words) == [one.id for one in found]
    assert (True, 35) == (report.complete, report.rows)
    assert [None, "10", "20", None, "10", "20", "30"] == [one.token for one in stage.asked]


@pytest.mark.faults(55)
@tokens
def test_a_token_refused_again_is_an_error_after_the_rows_so_far(stage: Stage) -> None:
    """A server that never takes its own tokens cannot be listed."""
    rows = stage.shelf(35)
    stage.play(lambda asked: refused_token(asked, rows, {3, 6}))
    found, report, error = stage.broken_off(InvalidRequestError)

    assert ids(rows[:20], stage.words) == [one.id for one in found]
    assert (Outcome.FAILED, "InvalidParameter") == (report.outcome, error.code)


@pytest.mark.faults(55)
@tokens
def test_a_restart_behind_many_pages_is_not_taken_for_endless(stage: Stage) -> None:
    """The pages that are walked again have nothing new, however many they are."""
    rows = stage.shelf(15)
    first = rows[0]
    many = [first | {stage.words.key: f"{first[stage.words.key]}-{n}"} for n in range(1300)]
    stage.play(lambda asked: refused_token(asked, many, {125}))
    found, report = stage.listed()

    assert ids(many, stage.words) == [one.id for one in found]
    assert report.complete


@pytest.mark.faults(56)
@styles
def test_rows_that_come_twice_are_given_once(stage: Stage) -> None:
    """Each page repeats the last row of the one before, and its own first."""
    rows = stage.shelf(34)

    def script(asked: Asked) -> Reply:
        reply = served(rows, asked)
        start = int(asked.token or 0) or asked.start
        return attrs_again(reply, [*rows[max(0, start - 1) : start], *reply.rows[:1]])

    def attrs_again(reply: Reply, more: list[Row]) -> Reply:
        return Reply(rows=[*reply.rows, *more], token=reply.token, total=reply.total)

    stage.play(script)
    found, report = stage.listed()

    assert sorted(ids(rows, stage.words)) == sorted(one.id for one in found)
    assert report.complete


@pytest.mark.faults(57, 62)
@styles
@pytest.mark.parametrize("oldest", [True, False], ids=["the-oldest", "the-newest"])
def test_a_purge_under_the_listing_hides_no_survivor(stage: Stage, oldest: bool) -> None:
    """Retention deletes a third of everything while it is listed."""
    harness = stage.harness
    stage.shelf(60)
    born = harness.living()
    gone = born[:18] if oldest else born[-18:]

    def purge(number: int, page: list[Row]) -> None:
        if number == 3:
            harness.remove(*gone)

    stage.spoil(purge)
    found, report = stage.listed()
    names = [one.id for one in found]

    assert set() == set(born) - set(gone) - set(names)
    assert len(set(names)) == len(names)
    if stage.words.token is None and oldest is stage.harness.provider.startswith("tencent"):
        assert report.moved  # those that went had been walked already
    assert report.complete


@pytest.mark.faults(58)
@styles
def test_what_is_made_under_the_listing_brings_nothing_twice(stage: Stage) -> None:
    """New rows push the others onto the next page."""
    harness = stage.harness
    stage.shelf(40)
    born = harness.living()
    stage.spoil(lambda number, _: harness.add(*many(2, start=1000 + 2 * number)) and None)
    found, _ = stage.listed()
    names = [one.id for one in found]

    assert set() == set(born) - set(names)
    assert len(set(names)) == len(names)


TOTALS = [0, None, "many", "34", 12, 40, 10**9, -1, {"a": 1}]


@pytest.mark.faults(59)
@styles
@pytest.mark.parametrize("total", TOTALS, ids=repr)
def test_a_total_that_lies_hides_no_row(stage: Stage, total: object) -> None:
    """It is null, a text, too small, or of another time; rows are what counts."""
    rows = stage.shelf(34)
    stage.play(lambda asked: served(rows, asked, total=total))
    found, report = stage.listed()
    too_many = isinstance(total, int) and total > len(rows) and stage.words.token is None

    assert ids(rows, stage.words) == [one.id for one in found]
    assert 12 >= len(stage.asked)
    assert report.complete is not too_many
    assert too_many is any("counts" in trouble for trouble in report.troubles)


@pytest.mark.faults(59)
@counted
@pytest.mark.parametrize("step", [-3, 3], ids=["shrinks", "grows"])
def test_a_total_that_changes_with_each_page_hides_no_row(stage: Stage, step: int) -> None:
    """Somebody deletes or makes others meanwhile, or the count is cached."""
    rows = stage.shelf(34)
    stage.play(lambda asked: served(rows, asked, total=34 + step * (asked.request - 1)))
    found, _ = stage.listed()

    assert sorted(ids(rows, stage.words)) == sorted(one.id for one in found)


@pytest.mark.faults(59)
@counted
def test_pages_that_stay_empty_are_refused(stage: Stage) -> None:
    """Rows that the server counts and never sends are an error, not the end."""
    rows = stage.shelf(34)

    def script(asked: Asked) -> Reply:
        reply = served(rows, asked)
        return reply if asked.start < 15 else Reply(rows=[], total=len(rows))

    stage.play(script)
    found, report, _ = stage.broken_off(PagingError)

    assert 34 > len(found) >= 10
    assert 250 > len(stage.asked)
    assert (Outcome.FAILED, False) == (report.outcome, report.complete)


@pytest.mark.faults(60)
@styles
@pytest.mark.parametrize("size", [3, 7, 25, 100], ids=str)
def test_a_server_with_a_page_size_of_its_own_is_read_to_the_end(stage: Stage, size: int) -> None:
    """The next page begins behind what came, not behind what was asked for."""
    rows = stage.shelf(58)

    def script(asked: Asked) -> Reply:
        if stage.words.number is None:
            return served(rows, asked, size=size)
        start = asked.start // asked.size * size
        page = rows[start : start + size]
        return Reply(rows=page, total=len(rows))

    stage.play(script)
    found, report = stage.listed()

    assert sorted(ids(rows, stage.words)) == sorted(one.id for one in found)
    assert report.complete


@pytest.mark.faults(61)
@styles
def test_the_same_page_for_every_position_is_refused(stage: Stage) -> None:
    """The first page is good; the rest would be asked for until the morning."""
    rows = stage.shelf(30)

    def script(asked: Asked) -> Reply:
        return Reply(rows=rows[:PAGE], total=len(rows), token=f"t{asked.request}")

    stage.play(script)
    found, report, _ = stage.broken_off(PagingError)

    assert ids(rows[:PAGE], stage.words) == [one.id for one in found]
    assert 110 > len(stage.asked)
    assert (Outcome.FAILED, False) == (report.outcome, report.complete)
