"""The Chinese README says what the English one says."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGLISH = (ROOT / "README.md").read_text(encoding="utf-8")
CHINESE_FILE = ROOT / "docs" / "README.zh-CN.md"
CHINESE = CHINESE_FILE.read_text(encoding="utf-8")
MARKS = {"yes": "支持", "no": "不支持"}


def blocks(text: str) -> list[str]:
    return re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def levels(text: str) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", prose(text), re.MULTILINE)]


def table(text: str, start: str) -> list[list[str]]:
    """Return the cells of the table whose first line starts with *start*, without its rule."""
    lines = text[text.index(start) :].split("\n\n", maxsplit=1)[0].splitlines()
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in lines
        if line.startswith("|") and not line.startswith("|---")
    ]


def code(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", prose(text)))


def files(text: str, home: Path) -> list[Path]:
    """Return the files that *text* links to, those of the two READMEs left out."""
    found = [(home / link).resolve() for link in re.findall(r"\]\(([^)#]+)\)", prose(text))]
    return [path for path in found if not path.name.startswith("README")]


def test_the_code_blocks_are_identical() -> None:
    """Commands, options and examples are the program's, in every language."""
    assert blocks(ENGLISH) == blocks(CHINESE)


def test_the_headings_have_the_same_order_and_depth() -> None:
    """A reader who switches the language finds the place again."""
    assert levels(ENGLISH) == levels(CHINESE)


def test_the_exit_codes_are_the_same() -> None:
    """Scripts are written from this table."""
    english, chinese = (
        table(ENGLISH, "| code | meaning |"),
        table(CHINESE, "| 退出码 | 含义 |"),
    )

    assert [row[0] for row in english[1:]] == [row[0] for row in chinese[1:]]
    assert all(len(row) == 2 and re.search(r"[\u4e00-\u9fff]", row[1]) for row in chinese)


def test_the_capabilities_are_the_same() -> None:
    """What a cloud can do does not depend on who reads it."""
    english, chinese = (table(text, "| | Alibaba Cloud ECS |") for text in (ENGLISH, CHINESE))
    expected = [[name, *(MARKS[mark] for mark in marks)] for name, *marks in english[1:]]
    found = [[re.sub(r"^.*（(.*)）$", r"\1", name), *marks] for name, *marks in chinese[1:]]

    assert english[0] == chinese[0]
    assert expected == found


def test_what_is_code_in_one_is_code_in_the_other() -> None:
    """A command that one of them names must not be missing in the other."""
    assert code(ENGLISH) == code(CHINESE)


def test_both_link_to_the_same_files_in_the_same_order() -> None:
    """And each to the other."""
    english, chinese = files(ENGLISH, ROOT), files(CHINESE, CHINESE_FILE.parent)

    assert english == chinese
    assert "](docs/README.zh-CN.md)" in ENGLISH
    assert "](../README.md)" in CHINESE


@pytest.mark.parametrize("path", files(CHINESE, CHINESE_FILE.parent), ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    """A README is read where it lies."""
    assert path.exists()


def test_every_paragraph_has_been_translated() -> None:
    """A sentence added to one is missed in the other."""

    def count(text: str) -> int:
        parts = re.split(r"\n\n+", prose(text))
        return sum(not part.lstrip().startswith(("#", "|", "<!--")) for part in parts if part)

    # The Chinese one says once more that the linked pages are in English.
    assert count(ENGLISH) + 1 == count(CHINESE)
