"""What a provider would refuse is refused before it is sent."""

import pytest

from snapkit.errors import ArgumentError
from snapkit.rules import Rules, TextRule, check_tags, check_text

NAME = TextRule(
    shortest=2,
    longest=8,
    pattern=r"[a-z一-龥][\w一-龥-]*",
    says="must begin with a letter",
    forbidden_starts=("auto", "http://"),
    forbidden_parts=("://",),
)


@pytest.mark.parametrize("text", ["ab", "abcdefgh", "每夜备份", "a-1"])
def test_a_good_text_comes_back(text: str) -> None:
    """Unchanged."""
    assert text == check_text("name", text, NAME)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a", "has 1 characters, allowed are 2 to 8"),
        ("abcdefghi", "has 9 characters, allowed are 2 to 8"),
        ("autumn", None),
        ("AUTO-1", "must not start with 'auto'"),
        ("a://b", "must not contain '://'"),
        ("1abc", "must begin with a letter"),
        ("ab\n", "must begin with a letter"),
    ],
    ids=["short", "long", "no-prefix", "prefix-in-capitals", "part", "pattern", "newline"],
)
def test_a_bad_text_is_named_with_its_rule(text: str, said: str | None) -> None:
    """The sentence says what would be right."""
    if said is None:
        assert text == check_text("name", text, NAME)
        return
    with pytest.raises(ArgumentError) as caught:
        check_text("name", text, NAME)

    assert said in str(caught.value)
    assert repr(text) in str(caught.value)


def test_bytes_are_counted_where_the_provider_counts_bytes() -> None:
    """Three Chinese signs are nine bytes."""
    rule = TextRule(longest=8, in_bytes=True)
    with pytest.raises(ArgumentError, match="has 9 bytes"):
        check_text("name", "备份了", rule)


def test_without_a_rule_anything_goes() -> None:
    """What the sources disagree on is left to the server."""
    long = "x" * 10_000

    assert long == check_text("description", long, TextRule())


def test_a_long_text_is_cut_in_the_error() -> None:
    """A log line of a megabyte helps nobody."""
    with pytest.raises(ArgumentError) as caught:
        check_text("name", "x" * 5000, NAME)

    assert len(str(caught.value)) < 200


def test_tags_are_counted_and_checked_one_by_one() -> None:
    """Keys and values have forms of their own."""
    rules = Rules(tags=2, tag_key=TextRule(shortest=1), tag_value=TextRule(longest=3))
    check_tags({"a": "1", "b": ""}, rules)

    with pytest.raises(ArgumentError, match="3 tags are too many, allowed are 2"):
        check_tags({"a": "", "b": "", "c": ""}, rules)
    with pytest.raises(ArgumentError, match="tag key ''"):
        check_tags({"": "x"}, rules)
    with pytest.raises(ArgumentError, match="tag value 'long'"):
        check_tags({"a": "long"}, rules)


def test_tags_without_a_known_limit_are_not_counted() -> None:
    """The server knows."""
    check_tags({str(number): "" for number in range(100)}, Rules())
