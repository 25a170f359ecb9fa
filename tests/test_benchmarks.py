"""The benchmarks measure what they say: true pages, complete listings, nobody who stops early."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

pytest.importorskip("benchmarks", reason="the benchmarks are not part of the wheel")

from benchmarks import records
from benchmarks.clients import Job
from benchmarks.estate import CLOUDS, Scope, name_of, region_of
from benchmarks.figures import Outcome, cells, figure, read, table
from benchmarks.pages import Asked, Library
from benchmarks.pages import read as read_request
from benchmarks.running import FLOOR, LIBCLOUD, OURS, PLAIN, SDKS, Expected, Spread, run
from benchmarks.scenarios.growth import fitted
from benchmarks.scenarios.paper import calls
from benchmarks.serving import Serving

ROWS = 230
SCOPES: list[Scope] = [(cloud, 3, ROWS) for cloud in CLOUDS]
PLACES = [(cloud, region_of(cloud, place)) for cloud, place, _ in SCOPES]
RIVALS = {SDKS: "tencentcloud", LIBCLOUD: "libcloud", FLOOR: "orjson"}


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(SCOPES, xml=True)


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    pytest.importorskip("trustme")
    with Serving(SCOPES, tls=True, xml=True) as found:
        yield found


def ids_in(cloud: str, body: bytes) -> list[str]:
    answer: Any = json.loads(body)
    rows = {
        "alibaba": lambda: answer["Snapshots"]["Snapshot"],
        "tencent": lambda: answer["Response"]["SnapshotSet"],
        "qingcloud": lambda: answer["snapshot_set"],
    }[cloud]()
    return [row.get("SnapshotId") or row["snapshot_id"] for row in rows]


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize(("start", "size"), [(0, 100), (99, 100), (131, 77), (200, 100), (230, 9)])
def test_a_page_of_any_start_and_size_is_right(
    library: Library, cloud: str, start: int, size: int
) -> None:
    """Listings that overlap ask for odd places."""
    asked = Asked(cloud, region_of(cloud, 3), start, size, "token")
    body = library.answer(asked)[1]

    assert ids_in(cloud, body) == [
        name_of(cloud, 3, number) for number in range(start, min(start + size, ROWS))
    ]


def test_the_pages_in_xml_hold_the_same_rows(library: Library) -> None:
    """Libcloud reads no JSON."""
    asked = Asked("alibaba", region_of("alibaba", 3), 200, 100, "xml")
    tree = ET.fromstring(library.answer(asked)[1])

    assert [str(number) for number in (3, 100, ROWS)] == [
        tree.findtext(name) for name in ("PageNumber", "PageSize", "TotalCount")
    ]
    assert [name_of("alibaba", 3, number) for number in range(200, ROWS)] == [
        row.findtext("SnapshotId") for row in tree.iter("Snapshot")
    ]


@pytest.mark.parametrize(
    ("head", "body", "asked"),
    [
        (b"POST /?RegionId=cn-x-3&MaxResults=50 HTTP/1.1\r\n", b"", ("alibaba", 0, 50, "token")),
        (
            b"GET /?NextToken=place-150&RegionId=cn-x-3&MaxResults=5 HTTP/1.1\r\n",
            b"",
            ("alibaba", 150, 10, "token"),
        ),
        (
            b"POST / HTTP/1.1\r\n",
            b"PageNumber=3&PageSize=70&RegionId=cn-x-3",
            ("alibaba", 140, 70, "number"),
        ),
        (b"GET /?RegionId=cn-x-3&Format=xml HTTP/1.1\r\n", b"", ("alibaba", 0, 10, "xml")),
        (
            b"POST / HTTP/1.1\r\nX-TC-Region: cn-x-3\r\n",
            b'{"Limit": 100, "Offset":99}',
            ("tencent", 99, 100, "offset"),
        ),
        (b"GET /iaas/?offset=7&zone=cn-x-3 HTTP/1.1\r\n", b"", ("qingcloud", 7, 20, "offset")),
    ],
)
def test_a_request_is_read_as_far_as_its_paging(
    head: bytes, body: bytes, asked: tuple[str, int, int, str]
) -> None:
    """In the query, in a form, in JSON; what is not said is the vendor's own default."""
    found = read_request(head, body)

    assert asked == (found.cloud, found.start, found.size, found.style)
    assert "cn-x-3" == found.region


@pytest.mark.parametrize("client", [OURS, SDKS, LIBCLOUD, PLAIN, FLOOR])
def test_each_client_lists_everything(serving: Serving, client: str) -> None:
    """Over TLS, in a process of its own, every id and each once, by full pages."""
    pytest.importorskip(RIVALS.get(client, "requests"))
    scopes, places = (SCOPES[:1], PLACES[:1]) if client == LIBCLOUD else (SCOPES, PLACES)
    serving.counts()
    job = Job(client, serving.endpoint, places, bundle=serving.bundle, threads=len(places))
    found = run(job, Expected.of(scopes))

    assert ROWS * len(scopes) == found["count"]
    assert found["whole"] > found["wall"] > 0
    assert found["total_cpu"] > found["cpu"] > 0
    asked = serving.counts()
    assert asked["requests"] >= 3 * len(scopes)
    assert client == OURS or {"requests": 3 * len(scopes), "connections": len(scopes)} == asked


def test_streaming_is_checked_as_well(serving: Serving) -> None:
    """Without keeping a single id."""
    job = Job(OURS, serving.endpoint, PLACES[1:2], bundle=serving.bundle, keep=False)

    assert ROWS == run(job, Expected.of(SCOPES[1:2]))["count"]


@pytest.mark.parametrize(
    ("spoiled", "said"),
    [
        ("rows[:-1]", "229 rows, 229 of them different, where there are 230"),
        ("rows[:-1] + rows[:1]", "230 rows, 229 of them different"),
        ("rows[:-1] + [dict(rows[0], SnapshotId='s-1')]", "other snapshots"),
    ],
)
def test_who_stops_early_fails_the_run(
    serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoiled: str, said: str
) -> None:
    """A row less, a row twice, a row that is not there: no such figure may win."""
    (tmp_path / "hasty.py").write_text(
        "from benchmarks.clients.plain import *\n"
        "from benchmarks.clients import plain\n"
        "def listed(job):\n"
        "    rows = plain.listed(job)\n"
        f"    return {spoiled}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)  # pyright: ignore[reportUnknownMemberType]
    job = Job("hasty", serving.endpoint, PLACES[:1], bundle=serving.bundle)
    with pytest.raises(SystemExit, match=said):
        run(job, Expected.of(SCOPES[:1]))


def test_a_figure_says_whether_its_goal_is_reached() -> None:
    """By its median, in either sense."""
    spread = Spread.of([1.0, 2.0, 9.0])
    figures = [
        figure("a", spread, "x", at_least=1.5),
        figure("b", spread, "x", at_most=1.5),
        figure("c", spread),
    ]

    assert [True, False, None] == [one.reached for one in figures]
    assert ("b", "2.00 x", "1.00 – 9.00", "at most 1.50", "NOT reached") == cells(figures[1])
    assert "NOT reached" in table(figures).splitlines()[2]


def test_results_of_other_scenarios_stay() -> None:
    """Measuring one of them again does not lose the rest."""
    one = Outcome([figure("a", Spread.of([1.0]))])
    before = records.gathered({}, {"x": one}, "first")
    after = records.gathered(before, {"y": one}, "second")

    assert {"x": "first", "y": "second"} == {
        name: found["command"] for name, found in after["scenarios"].items()
    }
    assert one.figures == [read(row) for row in after["scenarios"]["x"]["figures"]]


def test_a_line_is_found_again() -> None:
    """Its constant and its slope."""
    constant, slope = fitted([(size, 3.0 + 0.5 * size) for size in (1, 10, 100, 1000)])

    assert (3.0, 0.5) == pytest.approx((constant, slope))


@pytest.mark.parametrize(("rows", "pages"), [(1000, 10), (1001, 11)])
def test_calls_on_paper_are_those_of_the_walk(rows: int, pages: int) -> None:
    """The bill is counted with the real paging; counted listings look at some rows twice."""
    assert pages == calls("token", rows)
    assert pages <= calls("offset", rows) <= pages + 3


def test_the_documentation_shows_the_last_figures() -> None:
    """``python -m benchmarks --docs`` puts them there."""
    if not records.LAST.exists():
        pytest.skip("no figures are kept here")
    pages = [page.read_text(encoding="utf-8") for page in records.PAGES]
    results = records.load(records.LAST)

    assert pages == [records.shown_in(page, results) for page in pages]
    assert all("| figure | median |" in page for page in pages)
