"""The key hooks that the documentation builds keep the rules that it states."""

import json
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from snapkit.credentials import Credentials, StaticSource
from snapkit.driver import Capability, Driver
from snapkit.errors import CredentialsMissingError
from snapkit.keyservices import shared
from snapkit.permissions import Permissions
from snapkit.sources import Role, find_source
from tests.keylab import CANARY, NOW, Asked, Time, at_home, check_silent, put, server

PAGE = Path(__file__).parents[2] / "docs" / "writing-an-adapter.md"
TEXT = PAGE.read_text(encoding="utf-8")
BASE = StaticSource(Credentials(key_id="K1", secret=CANARY))


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """The names that the page's code defines."""
    namespace: dict[str, Any] = {"__name__": "shelf"}
    for block in re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE):
        if "snapkit_shelf" not in block:  # the adapter's own tests
            exec(compile(block, str(PAGE), "exec"), namespace)
    return namespace


@pytest.fixture
def driver(page: dict[str, Any]) -> type[Driver]:
    found: type[Driver] = page["KeyedShelf"]
    return found


def test_the_file_is_read_by_section(driver: type[Driver], tmp_path: Path) -> None:
    """A profile is a section, and what is broken is told by its place."""
    put(tmp_path, ".shelf/keys.ini", "[default]\nkey = K2\nsecret = s\n[odd]\nkey = K3\n")
    keys = find_source(driver, at_home(tmp_path)).get()

    assert ("K2", "~/.shelf/keys.ini, section 'default'") == (keys.key_id, keys.origin)
    assert [place.title for place in driver.key_sources()] == list(driver.credential_files)
    with pytest.raises(CredentialsMissingError, match="section 'odd' has key but no secret"):
        find_source(driver, at_home(tmp_path, profile="odd"))
    with pytest.raises(CredentialsMissingError, match=r"under the name 'none'; searched: ~/.shelf"):
        find_source(driver, at_home(tmp_path, profile="none"))


def handed_out(number: int) -> dict[str, Any]:
    secrets = {"secret": f"{CANARY}-{number}", "token": f"{CANARY}-token"}
    return {"key": f"T{number}", "until": int(NOW + 3600), **secrets}


def test_the_role_of_the_machine_is_one_source(
    driver: type[Driver], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Thirty regions ask once."""
    clock = Time().clock()

    def answer(_: Asked) -> tuple[int, Any]:
        return 200, handed_out(len(seen))

    with server(answer) as (url, seen):
        around = at_home(tmp_path, metadata=url, instance=True)
        regions = [attrs.evolve(around, region=name, clock=clock) for name in ("sea", "reef")]
        found = [find_source(driver, one).get().key_id for one in regions]
        assert "T2" == find_source(driver, around).get().key_id

    assert ["T1", "T1"] == found
    with (
        server(lambda asked: (404, CANARY)) as (url, _),
        pytest.raises(
            CredentialsMissingError, match="this machine has no role; use keys"
        ) as caught,
    ):
        find_source(driver, at_home(tmp_path, metadata=url, instance=True)).get()
    check_silent(caught.value, caplog)


def test_a_role_is_taken_on_with_the_base_key(driver: type[Driver], tmp_path: Path) -> None:
    """And what the service refuses is said without keys."""
    with server(lambda asked: (200, handed_out(1))) as (url, seen):
        around = at_home(tmp_path, sts_endpoint=url)
        source = driver.assumed(Role(arn="r"), BASE, around)
        keys = source.get()

    assert ("T1", f"{CANARY}-1", "the role r") == (keys.key_id, keys.secret.reveal(), keys.origin)
    assert "K1" == seen[0].headers["x-key"]
    assert ("TakeRole", "r", "snapkit", 3600) == tuple(
        json.loads(seen[0].body)[name] for name in ("do", "role", "as", "seconds")
    )
    assert CANARY not in f"{source!r} {keys!r}"
    refusal = {"code": "denied", "why": "not you"}
    with server(lambda asked: (200, refusal)) as (url, _):
        around = at_home(tmp_path, sts_endpoint=url)
        with pytest.raises(CredentialsMissingError, match=r"the role r failed: .*not you"):
            driver.assumed(Role(arn="r"), BASE, around).get()


def test_the_page_names_what_there_is(page: dict[str, Any]) -> None:
    """A hook that was renamed would leave the page behind."""
    hooks = {"credential_files", "key_sources", "instance_source", "assumed"}
    modules = ("keyfiles", "keyservices", "permissions", "refreshing", "sources")

    assert [] == sorted(hook for hook in hooks if not hasattr(Driver, hook) or hook not in TEXT)
    assert [] == [name for name in modules if f"from snapkit.{name} import" not in TEXT]
    assert isinstance(page["PERMISSIONS"], Permissions)
    assert ("shelf:ListRegions",) == page["PERMISSIONS"].capabilities[Capability.REGIONS]
    assert shared is page["shared"]
