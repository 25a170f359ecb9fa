"""Files, options and headers of any content: a value or a SnapkitError, and nothing else."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.cli.filters import group_query, snapshot_query
from snapkit.cli.listing import groups_command, list_command
from snapkit.config import load_config
from snapkit.credentials import Credentials
from snapkit.errors import AuthenticationError, ConfigurationError, Retry, SnapkitError
from snapkit.http import Http, HttpRequest, HttpResponse, check_endpoint
from snapkit.keyfiles import expiry_in, flat_fields, ini_fields, json_fields
from snapkit.model import SnapshotStatus
from snapkit.query import GroupQuery, SnapshotQuery, TagFilter, parse_size, parse_when
from snapkit.registry import driver_class, providers
from snapkit.retry import RetryPolicy, retry_after_of
from snapkit.settings import Target, check_region, open_driver
from snapkit.sources import Surroundings, find_source
from snapkit.testing import patient_clock
from snapkit.transport import Call

from .strategies import QUICK, TEXTS

PARTS = (
    *"\n\n=: \"'{}[],#a\0",
    *("[default]", "[profiles.a]", "[groups]", "[defaults]", "profiles", "current", "mode"),
    *("access_key_id", "secretKey", "qy_access_key_id", "provider", "regions", "alibaba", "all"),
    *("credentials", "command", "1979-05-27T07:32:00Z", "9" * 5000, "1e400", "true"),
    *('"""', "'''", "\\u0000", "\ufeff", "\u00e9", "\ud800"),
)
CONTENT = st.one_of(
    st.binary(max_size=60),
    st.lists(st.sampled_from(PARTS), max_size=25).map(
        lambda parts: "".join(parts).encode("utf-8", "surrogatepass")
    ),
    st.text(max_size=40).map(lambda text: text.encode("utf-16")),
)
READERS: dict[str, Callable[[Path], object]] = {
    "json": json_fields,
    "ini": lambda path: ini_fields(path, "default"),
    "flat": flat_fields,
    "config": load_config,
}


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def check_told(error: Exception, word: str = "") -> None:
    """Check that *error* says something, and *word* among it."""
    assert str(error)
    assert word in str(error)


@pytest.mark.parametrize("read", READERS.values(), ids=list(READERS))
def test_a_file_of_anything_is_read_or_refused(
    read: Callable[[Path], object], tmp_path: Path
) -> None:
    """Other tools write these files, and people edit them."""

    @QUICK
    @given(content=CONTENT)
    def holds(content: bytes) -> None:
        try:
            read(put(tmp_path / "file", content))
        except ConfigurationError as error:
            check_told(error, "file")

    holds()


@pytest.mark.parametrize(
    ("provider", "name"),
    [
        (one, name)
        for one in providers()
        for name in driver_class(one).credential_files
        if "~" in name
    ],
    ids=lambda one: str(one).strip("~/"),
)
def test_a_vendors_file_of_anything_gives_keys_or_our_error(
    provider: str, name: str, tmp_path: Path
) -> None:
    """It is looked at by every command, unasked."""
    around = Surroundings(region="north", environ={"HOME": str(tmp_path)})

    @QUICK
    @given(content=CONTENT)
    def holds(content: bytes) -> None:
        put(around.path(name), content)
        try:
            find_source(driver_class(provider), around)
        except SnapkitError as error:
            check_told(error)

    holds()


@given(written=TEXTS | st.from_regex(r"[\d.:TZ+-]{1,30}"))
def test_an_end_of_anything_is_a_time_or_our_error(written: str) -> None:
    """What a command prints as the end of its keys."""
    try:
        found = expiry_in(written, "the command 'x'")
    except SnapkitError:
        return

    assert found is None or found.tzinfo is not None


@given(
    header=TEXTS | st.text(max_size=40) | st.from_regex(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} ")
)
def test_a_retry_after_of_anything_is_seconds_or_nothing(header: str) -> None:
    """The waits are bounded elsewhere; here nothing is raised and nothing is negative."""
    found = retry_after_of(header, time.time())

    assert found is None or found >= 0


class Clockless(Http):
    """Refuses the time, and says its own."""

    def __init__(self, date: str) -> None:
        super().__init__()
        self.date = date

    def send(self, request: HttpRequest, **settings: Any) -> HttpResponse:
        del request, settings
        return HttpResponse(status=200, headers={"date": self.date}, body=b"{}")


class Strict:
    """An API to which every request comes at the wrong time."""

    def sign(self, call: Call, credentials: Credentials, moment: Any) -> HttpRequest:
        del credentials, moment
        return HttpRequest(method="GET", url=call.url)

    def read(self, call: Call, response: HttpResponse) -> Any:
        del call, response
        raise AuthenticationError("too late", retry=Retry.REPAIR)


@QUICK
@given(
    date=TEXTS
    | st.datetimes().map(lambda one: f"{one:%a, %d %b} {one.year:04d} {one:%H:%M:%S} GMT")
)
def test_a_date_of_anything_moves_the_clock_by_a_day_at_most(date: str) -> None:
    """A server that lies about the time must not make a request valid for ever."""
    keys = Credentials(key_id="a", secret="b")
    target = Target(provider="tencent", region="ap-guangzhou", credentials=keys)
    driver = open_driver(target, http=Clockless(date), clock=patient_clock(), policy=RetryPolicy())
    transport = driver.connection.transport
    with pytest.raises(AuthenticationError):
        transport.call(Strict(), Call(operation="List", url="https://here.example"))

    assert abs(transport.skew) <= 24 * 3600


OPTIONS = tuple(
    f"--{name}"
    for name in (
        *("status", "role", "category", "kind", "origin", "id", "disk", "instance", "group"),
        *("snapshot", "name", "tag", "created-after", "created-before", "min-size", "max-size"),
    )
)
WORDS = st.one_of(
    TEXTS,
    st.sampled_from(
        [
            "available",
            "system",
            "30d",
            "1y",
            "999999y",
            "40G",
            "0",
            "env=prod",
            "=",
            "*",
            "[",
            "2026-03-01",
        ]
    ),
    st.from_regex(r"\d{1,9}\s?[a-zA-Z]{0,3}"),
)


@QUICK
@given(
    pairs=st.lists(st.tuples(st.sampled_from(OPTIONS), WORDS), max_size=4),
    kind=st.sampled_from(
        [(list_command, snapshot_query, SnapshotQuery), (groups_command, group_query, GroupQuery)]
    ),
)
def test_filters_of_anything_are_a_query_or_a_clean_error(
    pairs: list[tuple[str, str]], kind: tuple[click.Command, Callable[[Any], object], type]
) -> None:
    """What is typed is told to be wrong, with the exit code of wrong use."""
    command, query, expected = kind
    argv = [word for name, value in pairs for word in (f"{name}={value}",)]
    try:
        with command.make_context("list", argv) as context:
            assert isinstance(query(context.params), expected)
    except (click.UsageError, SnapkitError) as error:
        check_told(error)


@given(
    count=st.integers(0, 10**9),
    unit=st.sampled_from(["", "K", "M", "G", "T", "P"]),
    tail=st.sampled_from(["", "iB", "B"]),
)
def test_a_size_is_read_as_it_is_written(count: int, unit: str, tail: str) -> None:
    """Units are of 1024, whoever writes them."""
    if not unit:
        tail = ""

    assert count * 1024 ** " KMGTP".index(unit or " ") == parse_size(f"{count}{unit}{tail}")


@given(moment=st.datetimes(timezones=st.just(UTC)))
def test_a_time_is_read_as_it_is_written(moment: datetime) -> None:
    """ISO 8601 goes both ways."""
    assert moment == parse_when(moment.isoformat())


@given(key=st.text(min_size=1).filter(lambda one: "=" not in one), value=st.none() | st.text())
def test_a_tag_filter_is_read_as_it_is_written(key: str, value: str | None) -> None:
    """A value may hold an equals sign, a key may not."""
    found = TagFilter.parse(key if value is None else f"{key}={value}")

    assert (key, value) == (found.key, found.value)


@given(
    statuses=st.lists(
        st.sampled_from([s for s in SnapshotStatus if s is not SnapshotStatus.DEGRADED]), min_size=1
    )
)
def test_words_of_a_filter_come_back(statuses: list[SnapshotStatus]) -> None:
    """In any case, and more than one behind one option."""
    text = ",".join(one.value.upper() for one in statuses)
    with list_command.make_context("list", [f"--status={text}"]) as context:
        assert frozenset(statuses) == snapshot_query(context.params).statuses


@given(
    region=TEXTS | st.text(max_size=12),
    rest=st.sampled_from(["", ".evil.example", "@evil.example/", "/?", "\\@x", "#"]),
)
def test_no_region_leads_to_another_host(region: str, rest: str) -> None:
    """A region becomes a part of a host name, and the signature goes to that host."""
    try:
        good = check_region(region + rest)
    except ConfigurationError:
        return

    assert good.replace("-", "").isalnum()
    assert good.isascii()
    for provider in providers():
        keys = Credentials(key_id="a", secret="b")
        try:
            driver = open_driver(Target(provider=provider, region=good, credentials=keys))
        except ConfigurationError:
            continue
        driver.close()


PIECES = (
    *("http", "https", "://", "127.0.0.1", "evil.example", "169.254.169.254", "[::1]", "a"),
    *("@", "/", "?", "#", "\\", ":", " ", "\n", "%00", "\ud800", "１２７.0.0.1"),
)


@given(url=st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_an_endpoint_of_anything_is_safe_or_refused(url: str) -> None:
    """https, or this machine; no user, no query, no fragment, no metadata."""
    try:
        good = check_endpoint(url)
    except ConfigurationError:
        return

    assert good.startswith(("https://", "http://127.0.0.1", "http://[::1]", "http://localhost"))
    assert not set("@?#\\ \n") & set(good)
    assert "169.254" not in good.partition("://")[2].partition("/")[0]


def test_the_environment_of_this_test_has_no_keys() -> None:
    """Otherwise the tests of files would never look into one."""
    names = [
        n
        for p in providers()
        for k in driver_class(p).environment.keys
        for n in (k.key_id, k.secret)
    ]

    assert [] == [name for name in names if os.environ.get(name)]
