"""Keys that end, are refused or may not: on the wire of each adapter."""

import json
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from snapkit.client import Client
from snapkit.credentials import Credentials
from snapkit.emulator import Answer, Fault, Request
from snapkit.errors import AuthenticationError, CredentialsMissingError, Failure, ThrottledError
from snapkit.fleet import sweep
from snapkit.listing import Outcome
from snapkit.rate import Limiter
from snapkit.refreshing import RefreshingSource
from snapkit.registry import driver_class
from snapkit.retry import RetryPolicy
from snapkit.settings import open_driver
from snapkit.testing.emulated import EmulatedHarness
from snapkit.testing.harness import many, patient_clock
from tests.faults_state.stage import PAGE, Stage, styles

OLD, NEW = "token-of-the-night", "token-of-the-morning"


@attrs.define
class Vault:
    """Gives temporary keys: first the old ones, then the new ones, then what *broken* says."""

    harness: EmulatedHarness
    fetched: int = 0
    broken: Exception | None = None

    def fetch(self) -> Credentials:
        self.fetched += 1
        if self.broken is not None and self.fetched > 1:
            raise self.broken
        return Credentials(
            key_id=self.harness.key_id,
            secret=self.harness.secret,
            token=OLD if self.fetched == 1 else NEW,
            expires_at=datetime.now(UTC) + timedelta(hours=1),
        )


def renewing_client(stage: Stage, vault: Vault) -> Client:
    """Return a client whose keys come from *vault*."""
    client = stage.client()
    source = RefreshingSource(fetch=vault.fetch, origin="a vault")
    client._driver.connection.transport.credentials = source  # pyright: ignore[reportPrivateUsage]
    return client


def switch(stage: Stage, *, after: int) -> None:
    """Let the old keys end after so many requests, in the provider's words for that.

    The emulated Alibaba knows only that a token is another, so its answer is put here.
    """
    emulator, account = stage.harness.emulator, stage.harness.world.accounts[0]
    account.token = OLD
    respond = emulator.respond

    def ending(request: Request) -> tuple[Answer | None, bool]:
        if len(emulator.log) == after:
            account.token = NEW
        answer, cut = respond(request)
        old = request.headers.get("x-acs-security-token") == OLD
        if stage.harness.provider == "alibaba" and old and account.token == NEW:
            code = "InvalidSecurityToken.Expired"
            words = {"Code": code, "Message": "expired.", "RequestId": "473469C7-AA6F-4DC5"}
            answer = Answer(status=400, body=json.dumps(words).encode())
        return answer, cut

    stage.monkeypatch.setattr(emulator, "respond", ending)


@pytest.mark.faults(46)
@styles
@pytest.mark.parametrize("after", [1, 2, 4], ids=str)
def test_keys_that_end_in_mid_listing_are_renewed_and_the_page_is_asked_again(
    stage: Stage, after: int
) -> None:
    """A listing of an hour outlives a session of half an hour."""
    harness = stage.harness
    wanted = harness.add(*many(45))
    vault = Vault(harness)
    with stage.monkeypatch.context() as patch:
        plain = attrs.evolve(stage, monkeypatch=patch)
        plain.listed()
        requests = harness.requests
    harness.emulator.log.clear()
    switch(stage, after=after)
    listing = renewing_client(stage, vault).snapshots()
    found = [one.id for one in listing]

    assert sorted(wanted) == sorted(found)
    assert (True, 2) == (listing.report.complete, vault.fetched)
    assert requests + 1 == harness.requests


@pytest.mark.faults(46)
@styles
def test_keys_that_cannot_be_renewed_end_the_listing_after_the_rows_so_far(stage: Stage) -> None:
    """What came is kept, and the report says who was refused."""
    harness = stage.harness
    harness.add(*many(45))
    vault = Vault(harness, broken=CredentialsMissingError("the vault is sealed"))
    switch(stage, after=2)
    listing = renewing_client(stage, vault).snapshots()
    found: list[str] = []
    with pytest.raises(AuthenticationError) as caught:
        found.extend(one.id for one in listing)

    assert PAGE <= len(found) < 45
    assert Outcome.DENIED is listing.report.scopes[0].outcome
    assert 2 == caught.value.attempts
    assert harness.secret not in str(caught.value)


@pytest.mark.faults(45)
@styles
def test_keys_that_had_ended_before_the_start_are_renewed_once(stage: Stage) -> None:
    """A machine that slept has old keys; a second refusal is final."""
    harness = stage.harness
    harness.add(*many(3))
    switch(stage, after=0)
    good, sealed = Vault(harness), Vault(harness, broken=CredentialsMissingError("sealed"))
    found = list(renewing_client(stage, good).snapshots())
    with pytest.raises(AuthenticationError) as caught:
        list(renewing_client(stage, sealed).snapshots())

    assert (3, 2) == (len(found), good.fetched)
    assert 2 == caught.value.attempts


@pytest.mark.faults(49)
@styles
def test_a_wrong_secret_is_asked_for_once(stage: Stage) -> None:
    """Trying again locks accounts, and the clock has nothing to do with it."""
    harness = stage.harness
    with pytest.raises(AuthenticationError) as caught:
        list(harness.client(secret="CANARY-wrong").snapshots())

    assert (1, 1) == (caught.value.attempts, harness.requests)
    assert caught.value.code
    assert "CANARY-wrong" not in f"{caught.value!r}{caught.value}"


@pytest.mark.faults(44)
@styles
def test_a_throttle_slows_the_regions_that_share_the_limit(stage: Stage) -> None:
    """A limit of the account is used up by all its regions; one of a region by that alone."""
    harness = stage.harness
    account = harness.world.accounts[0]
    account.region(harness.other_region or "gd2")
    rates = driver_class(harness.provider).rates
    shared = not all(rate.regional for rate in rates.values())
    limiter = Limiter()
    drivers = {
        one.region: open_driver(
            attrs.evolve(one, options={**one.options, **harness.options}),
            http=harness.http,
            limiter=limiter,
            clock=patient_clock(),
            policy=RetryPolicy(call_timeout=3600),
        )
        for one in harness.emulator.targets(harness.provider)
    }
    here, there = (drivers[name] for name in account.regions)

    harness.emulator.faults.append(
        Fault(kind="refuse", failure=Failure.THROTTLED, region=harness.region, times=None)
    )
    with pytest.raises(ThrottledError):
        list(Client(here).snapshots())

    slowed = [one for one in limiter.buckets.values() if one.slowed > 0]
    list(Client(there).snapshots())

    assert 1 == len(slowed)
    assert (1 if shared else 2) == len(limiter.buckets)
    assert shared is all(one.slowed > 0 for one in limiter.buckets.values())


@pytest.mark.faults(52)
@styles
def test_what_is_denied_in_one_region_is_that_regions_matter(stage: Stage) -> None:
    """A policy that names regions is common; the others are listed."""
    harness = stage.harness
    other = harness.world.accounts[0].region(harness.other_region or "gd2")
    harness.add(*many(3))
    other.denied = True
    targets = [
        attrs.evolve(one, options={**one.options, **harness.options})
        for one in harness.emulator.targets(harness.provider)
    ]
    listing = sweep(targets)
    found = list(listing)
    outcomes = {one.scope.region: one.outcome for one in listing.report.scopes}

    assert 3 == len(found)
    assert {harness.region: Outcome.OK, other.id: Outcome.DENIED} == outcomes
    assert not listing.report.complete
