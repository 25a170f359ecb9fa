"""A long listing: every row, once, in hardly more requests than there are full pages."""

from collections.abc import Callable

import pytest

from snapkit.ahead import Lanes
from snapkit.client import Client
from snapkit.testing.emulated import EmulatedHarness
from snapkit.testing.harness import many
from tests.providers.harnesses import STYLES

COUNT = 2500
REQUESTS = 27
"""25 full pages, and a tenth of that to make sure that nothing moved."""


@pytest.mark.parametrize("lanes", [None, Lanes(8)], ids=["one by one", "side by side"])
@pytest.mark.parametrize("make", STYLES.values(), ids=STYLES)
def test_2500_snapshots_arrive_once_in_27_requests(
    make: Callable[[], EmulatedHarness], lanes: Lanes | None
) -> None:
    """Peers stop at the first page, or ask ten times as often."""
    with make() as harness:
        wanted = harness.add(*many(COUNT))
        client, before = Client(harness.open(), lanes=lanes), harness.requests
        listing = client.snapshots()
        found = [snapshot.id for snapshot in listing]

        assert (COUNT, sorted(wanted)) == (len(found), sorted(found))
        assert harness.requests - before <= REQUESTS
        assert listing.report.complete
        assert COUNT == listing.report.rows
