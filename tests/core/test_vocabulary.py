"""Words, numbers and times of providers: nothing raises, and nonsense is None."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit import vocabulary
from snapkit.vocabulary import CHINA, GIB, MIB, boolean, integer, parse_time, percent, text

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text()
    | st.sampled_from(["40", "4e1", "NaN", "-1", "9" * 30, "100%", "2026-02-30T00:00:00Z", "９"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


MIXED: list[Any] = [None, 5, {"a": 1}, []]
NONE: list[Any] = []


@given(JSON)
def test_nothing_that_json_can_hold_raises(value: Any) -> None:
    """One odd field in one row must not end the listing of a region."""
    for read in (text, integer, vocabulary.gib, vocabulary.mib, percent, boolean):
        read(value)
    parse_time(value)
    parse_time(value, CHINA)
    vocabulary.mapping(value)
    vocabulary.rows(value)
    vocabulary.rows(value, "Row")
    vocabulary.lookup({"a": 1}, value, 0)
    pair: tuple[object, object] = (value, value)
    vocabulary.tags([pair])


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (40, 40), ("40", 40), (40.0, 40), (" 40 ", 40), (0, 0), ("0", 0), (2**63 - 1, 2**63 - 1),
        ("", None), (None, None), (-1, None), ("-1", None), (40.5, None), ("40.5", None),
        (2**63, None), ("9" * 19, None), ("9" * 5000, None), (float("nan"), None),
        (float("inf"), None), (1e300, None), (True, None), (False, None), ("４０", None),
        ("4_0", None), ("0x10", None), ([], None), ({}, None),
    ],
)  # fmt: skip
def test_whole_numbers(value: Any, number: int | None) -> None:
    """Sizes come as numbers, as texts and as nonsense."""
    assert number == integer(value)


@pytest.mark.parametrize(
    ("value", "size"),
    [(40, 40 * GIB), ("40", 40 * GIB), (0, 0), (None, None), (-5, None), (2**62, None)],
)
def test_gigabytes_are_binary_and_absurd_ones_are_none(value: Any, size: int | None) -> None:
    """A size beyond 63 bits breaks every table it is later put into."""
    assert size == vocabulary.gib(value)


def test_megabytes_are_binary() -> None:
    """A provider that counts in MiB beside one in GiB is a factor of 1024 away."""
    assert (20480 * MIB, 20 * GIB) == (vocabulary.mib(20480), vocabulary.mib("20480"))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (100, 100), ("100", 100), ("100%", 100), ("99.5%", 99), (" 7 % ", None), ("7%", 7),
        (99.9, 99), (0, 0), ("0%", 0), (101, None), (-1, None), ("", None), ("%", None),
        (None, None), (True, None), ("nan", None), ("inf", None), ("1_0", None), ("１０", None),
        ("1e1", None), (float("nan"), None), ([], None),
    ],
)  # fmt: skip
def test_progress(value: Any, shown: int | None) -> None:
    """Rounded down: 99.5 per cent is not done."""
    assert shown == percent(value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, True), (False, False), ("true", True), ("True", True), ("FALSE", False), (1, True),
        (0, False), ("1", True), ("0", False), (" true ", True), (2, None), ("yes", None),
        ("", None), (None, None), (1.0, None), ([], None),
    ],
)  # fmt: skip
def test_booleans(value: Any, said: bool | None) -> None:
    """What is neither is unknown, not false."""
    assert said is boolean(value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("a", "a"), (" a ", " a "), ("", None), ("  ", None), (None, None), (5, "5"), (True, None),
        ([], None), ({}, None), ("\ud800", "\ud800"), ("0", "0"),
    ],
)  # fmt: skip
def test_texts(value: Any, said: str | None) -> None:
    """Blank is nothing; what is not a scalar is no text."""
    assert said == text(value)


def at(*parts: int, zone: timezone = UTC) -> datetime:
    return datetime(*parts, tzinfo=zone)  # type: ignore[arg-type, misc] # year, month, day ...


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-03-01T06:07:08Z", at(2026, 3, 1, 6, 7, 8)),
        ("2026-03-01T06:07Z", at(2026, 3, 1, 6, 7)),
        ("2026-03-01 06:07:08", at(2026, 3, 1, 6, 7, 8)),
        ("2026-03-01T14:07:08+08:00", at(2026, 3, 1, 6, 7, 8)),
        ("2026-03-01T14:07:08+0800", at(2026, 3, 1, 6, 7, 8)),
        ("2026-03-01", at(2026, 3, 1)),
        ("2026-03-01T06:07:08.5Z", at(2026, 3, 1, 6, 7, 8, 500000)),
        ("2026-03-01T06:07:08.123456789Z", at(2026, 3, 1, 6, 7, 8, 123456)),
        (" 2026-03-01T06:07:08Z ", at(2026, 3, 1, 6, 7, 8)),
        ("9999-12-31T23:59:59Z", at(9999, 12, 31, 23, 59, 59)),
        ("0001-01-01T00:00:00Z", at(1, 1, 1)),
    ],
)
def test_times(value: str, moment: datetime) -> None:
    """Every form that one of the providers has been seen to send."""
    assert moment == parse_time(value)


@pytest.mark.parametrize(
    "value",
    ["", "0000-00-00 00:00:00", "2026-02-30", "2026-03-01T06:07:60Z", "2026-13-01", "yesterday",
     "２026-03-01", "2026-03-01T25:00Z", "2026-03-01T06:07:08+99:99", "20260301", "2026-W09-1",
     None, 0, 1772345678, [], {}, True, "2026-03-01T06:07:08ZZ", "9999-12-31T23:59:59-08:00"],
)  # fmt: skip
@pytest.mark.faults(67)
def test_what_is_no_time_of_the_calendar_is_none(value: Any) -> None:
    """A wrong date is worse than none: policies delete by age."""
    assert None is parse_time(value)


@pytest.mark.faults(68)
def test_a_naive_time_is_read_in_the_zone_given() -> None:
    """Eight hours make a snapshot a day older than it is."""
    assert at(2026, 2, 28, 22, 0) == parse_time("2026-03-01 06:00:00", CHINA)
    assert None is parse_time("0001-01-01T00:00:00", CHINA)
    assert timedelta(hours=8) == CHINA.utcoffset(None)


@pytest.mark.faults(68)
def test_times_are_utc_whatever_was_sent() -> None:
    """Two moments of one snapshot are compared as they stand."""
    found = parse_time("2026-03-01T14:07:08+08:00")

    assert found is not None
    assert UTC is found.tzinfo


@pytest.mark.parametrize("word", ["Normal", "NORMAL", " normal ", "normal"])
def test_words_are_looked_up_whatever_their_case(word: str) -> None:
    """One API writes normal, the next NORMAL."""
    assert 1 == vocabulary.lookup({"normal": 1}, word, 0)


@pytest.mark.parametrize("word", ["other", "", None, 5, [], {}])
def test_unknown_words_get_the_default(word: Any) -> None:
    """A word from the future is unknown, never failed."""
    assert 0 == vocabulary.lookup({"normal": 1}, word, 0)


@pytest.mark.parametrize(
    ("value", "inner", "found"),
    [
        ([{"a": 1}], None, [{"a": 1}]),
        ({"Row": [{"a": 1}]}, "Row", [{"a": 1}]),
        ({"Row": {"a": 1}}, "Row", [{"a": 1}]),
        ({"Row": None}, "Row", NONE),
        ({"Row": ""}, "Row", NONE),
        ({"Row": {}}, "Row", NONE),
        ({}, "Row", NONE),
        ({}, None, NONE),
        ([{"a": 1}], "Row", [{"a": 1}]),
        ({"a": 1}, None, [{"a": 1}]),
        ({"a": 1}, "Row", [{"a": 1}]),
        (None, None, NONE),
        ("", None, NONE),
        (MIXED, None, [{"a": 1}]),
    ],
)
def test_lists_are_found_however_they_are_wrapped(
    value: Any, inner: str | None, found: list[Any]
) -> None:
    """Lists turn into objects and into null when they are short."""
    assert found == vocabulary.rows(value, inner)


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([], {}),
        ([("a", "1"), ("b", None), ("c", 5)], {"a": "1", "b": "", "c": "5"}),
        ([("a", "1"), ("a", "2")], {"a": "2"}),
        ([("", "1"), (None, "1"), (5, "1")], {}),
    ],
)
@pytest.mark.faults(69)
def test_tags(pairs: list[tuple[Any, Any]], found: dict[str, str]) -> None:
    """A tag needs a key; a value may be missing."""
    assert found == dict(vocabulary.tags(pairs))


@pytest.mark.parametrize(
    "written", ["2026-W01-1T00:00:00Z", "2026-001T00:00:00.0Z", "２026-01-01T00:00:00Z"]
)
@pytest.mark.faults(67)
def test_a_form_that_only_looks_plain_is_no_time(written: str) -> None:
    """The quick way for the common form must not take week dates or full-width digits."""
    assert parse_time(written) is None
