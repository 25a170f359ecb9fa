"""The page docs/capabilities.md is what the drivers say; run this module to write it anew."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from snapkit.driver import Capability, Driver
from snapkit.registry import driver_class
from snapkit.writes import MarkerPlace
from snapkit_tencent.driver import LegacyTencentDriver

PAGE = Path(__file__).parents[2] / "docs" / "capabilities.md"
DRIVERS: Mapping[str, type[Driver]] = {
    "alibaba": driver_class("alibaba"),
    "tencent": driver_class("tencent"),
    "tencent, API 2.0": LegacyTencentDriver,
    "qingcloud": driver_class("qingcloud"),
}
INTRODUCTION = """\
# What each provider can do

What is missing is refused before anything is sent, with the reason that stands here:
`client.supports(Capability.COPY)` asks, and an `UnsupportedError` has the reason in its `hint`.
This page is written by `python -m tests.providers.test_capabilities` from the drivers, and a
test compares the two.
"""
PLACES = {
    MarkerPlace.TOKEN: "client token",
    MarkerPlace.TAG: "tag that is looked for",
    MarkerPlace.NAME: "name that is looked for",
}


def table(*rows: tuple[str, ...]) -> str:
    head, *body = (f"| {' | '.join(cells)} |" for cells in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body]) + "\n"


def offered() -> str:
    lines = [
        (one.value, *("yes" if one in kind.capabilities else "no" for kind in DRIVERS.values()))
        for one in Capability
    ]
    return table(("capability", *DRIVERS), *lines)


def kept_once(driver: type[Driver], capability: Capability, place: MarkerPlace) -> str:
    return PLACES[place] if capability in driver.capabilities else "-"


def promises() -> str:
    kinds = list(DRIVERS.values())
    create, group, restore = Capability.CREATE, Capability.CREATE_GROUP, Capability.RESTORE
    return table(
        ("what", *DRIVERS),
        ("one snapshot for one key, by", *(kept_once(one, create, one.marker) for one in kinds)),
        ("one group for one key, by", *(kept_once(one, group, one.group_marker) for one in kinds)),
        ("one disk for one key, by", *(kept_once(one, restore, one.disk_marker) for one in kinds)),
        (
            "deleting takes along what builds on it",
            *("yes" if one.deletes_subtree else "no" for one in kinds),
        ),
    )


def missing(driver: type[Driver]) -> list[Capability]:
    return [one for one in Capability if one not in driver.capabilities]


def reasons(title: str, driver: type[Driver]) -> str:
    words: dict[str, list[str]] = {}
    for one in missing(driver):
        words.setdefault(driver.refusals.get(one, ""), []).append(one.value)
    lines = [(", ".join(names), reason) for reason, names in words.items()]
    return f"### {driver.title} (`{title}`)\n\n" + table(("missing", "because"), *lines)


def page() -> str:
    parts = [
        INTRODUCTION,
        offered(),
        "## How promises are kept\n",
        promises(),
        "## Why not, and what else\n",
        *(reasons(title, driver) for title, driver in DRIVERS.items()),
    ]
    return "\n".join(parts)


def test_the_page_is_what_the_drivers_say() -> None:
    """A table kept by hand is right on the day it was written."""
    assert page() == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DRIVERS)
def test_every_missing_capability_is_explained(name: str) -> None:
    """A "no" without a reason sends people to the source."""
    driver = DRIVERS[name]

    assert [] == [one.value for one in missing(driver) if not driver.refusals.get(one, "").strip()]


@pytest.mark.parametrize("name", DRIVERS)
def test_a_reason_fits_into_a_table_and_a_sentence(name: str) -> None:
    """It is printed after "does not offer ...; ", and in the page's table."""
    reasons = [DRIVERS[name].refusals[one] for one in missing(DRIVERS[name])]

    assert [] == [text for text in reasons if set(text) & set("|\n") or text.endswith(".")]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
