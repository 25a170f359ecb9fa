"""Clauses about failures: each is told, by its kind, and no secret with it."""

import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from snapkit.client import Client
from snapkit.driver import Capability, Driver
from snapkit.errors import (
    AuthenticationError,
    Failure,
    PermissionDeniedError,
    ProviderError,
    SnapkitError,
    ThrottledError,
    UnavailableError,
    UnsupportedError,
)
from snapkit.listing import Outcome
from snapkit.query import GroupQuery
from snapkit.testing.harness import Harness, many

__all__ = ["FailureClauses"]

KINDS: dict[Failure, type[SnapkitError]] = {
    Failure.PERMISSION: PermissionDeniedError,
    Failure.THROTTLED: ThrottledError,
    Failure.SERVER: UnavailableError,
    Failure.AUTHENTICATION: AuthenticationError,
}


def readings(client: Client) -> Iterator[tuple[str, Callable[[], list[Any]]]]:
    """Yield everything that *client* can read, by name."""
    yield "snapshots", lambda: list(client.snapshots())
    if client.supports(Capability.GROUPS) or client.supports(Capability.DERIVED_GROUPS):
        yield "groups", lambda: list(client.groups())
    if client.supports(Capability.REGIONS):
        yield "regions", client.regions


def raised_by(read: Callable[[], list[Any]]) -> SnapkitError | list[Any]:
    """Return the error that *read* raises, or what it returns instead."""
    try:
        return read()
    except SnapkitError as error:
        return error


def operations(driver: Driver) -> dict[Capability, Callable[[], Any]]:
    """Return the call that each capability stands for."""

    def groups() -> Any:
        return driver.list_groups(GroupQuery(), cursor=None, limit=1)

    return {
        Capability.GROUPS: groups,
        Capability.DERIVED_GROUPS: lambda: driver.derive_groups([]),
        Capability.REGIONS: driver.list_regions,
    }


class FailureClauses:
    """C29 to C36."""

    def test_c29_an_error_answer_is_raised_and_never_an_empty_list(self, harness: Harness) -> None:
        """C29. HTTP 200 with an error inside, read as no rows, passes for an empty account."""
        harness.add(*many(3))
        harness.refuse(Failure.PERMISSION)
        for name, read in readings(harness.client()):
            assert (name, PermissionDeniedError) == (name, type(raised_by(read)))
        listing = harness.client().snapshots()
        raised_by(lambda: list(listing))

        assert Outcome.DENIED is listing.report.scopes[0].outcome

    def test_c30_each_kind_of_refusal_is_its_own_class(self, harness: Harness) -> None:
        """C30. Denied, busy and ill call for different acts; the code says which it is."""
        for failure, kind in KINDS.items():
            harness.refuse(failure)
            found = raised_by(lambda: list(harness.client().snapshots()))
            assert (failure, kind) == (failure, type(found))

    def test_c31_an_error_on_a_later_page_is_not_the_end_of_the_list(
        self, harness: Harness
    ) -> None:
        """C31. A short list that looks whole is the worst answer there is."""
        size = harness.open().limits.page
        harness.add(*many(size * 3))
        harness.refuse(Failure.PERMISSION, skip=1)
        found: list[str] = []
        with pytest.raises(PermissionDeniedError):
            found.extend(snapshot.id for snapshot in harness.client().snapshots())

        assert size == len(found)

    def test_c32_a_wrong_secret_is_an_authentication_error(self, harness: Harness) -> None:
        """C32. It is neither worth a retry nor a matter of permissions."""
        if not harness.open().environment.keys:
            pytest.skip("the provider needs no keys")
        client, before = harness.client(secret="not-the-right-one"), harness.requests  # noqa: S106

        assert AuthenticationError is type(raised_by(lambda: list(client.snapshots())))
        assert harness.requests - before <= 2

    def test_c33_errors_say_where_and_in_whose_words_and_survive_pickling(
        self, harness: Harness
    ) -> None:
        """C33. They are read in a fleet's report, and in another process than the call's."""
        place = (harness.provider, harness.account, harness.region)
        harness.refuse(Failure.PERMISSION)
        for name, read in readings(harness.client()):
            error = raised_by(read)
            assert isinstance(error, ProviderError), name
            assert place == (error.provider, error.account, error.region)
            assert error.operation
            assert error.code
            assert error.attempts
            copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
            assert (type(error), str(error), vars(error)) == (type(copy), str(copy), vars(copy))

    def test_c34_no_secret_is_ever_shown(self, harness: Harness) -> None:
        """C34. Logs and bug reports are public sooner or later."""
        driver = harness.open()
        shown = [repr(driver), str(vars(driver)), repr(driver.connection)]
        for failure in (Failure.AUTHENTICATION, Failure.SERVER):
            harness.refuse(failure)
            error = raised_by(lambda: list(harness.client().snapshots()))
            assert isinstance(error, SnapkitError)
            shown += [repr(error), str(vars(error)), *traceback.format_exception(error)]

        assert [] == [text for text in shown if harness.secret in text]

    def test_c35_what_it_cannot_do_is_said_before_anything_is_sent(self, harness: Harness) -> None:
        """C35. A program must not learn half-way that a provider has no such thing."""
        driver, client = harness.open(), harness.client()
        before = harness.requests
        for capability, call in operations(driver).items():
            if capability not in driver.capabilities:
                with pytest.raises(UnsupportedError):
                    call()
        if not driver.capabilities & {Capability.GROUPS, Capability.DERIVED_GROUPS}:
            with pytest.raises(UnsupportedError):
                client.groups()

        assert before == harness.requests

    def test_c36_regions_are_listed_this_one_among_them(self, harness: Harness) -> None:
        """C36. A sweep over all regions is only as complete as the list of them."""
        client = harness.client()
        if not client.supports(Capability.REGIONS):
            pytest.skip("the provider does not list its regions")
        found = client.regions()
        ids = [region.id for region in found]

        assert harness.region in ids
        assert len(set(ids)) == len(ids)
        assert {harness.provider} == {region.provider for region in found}
