"""Idle connections that the other end has closed: no reason to wait, and none to send twice."""

import pytest

from snapkit.driver import Capability
from snapkit.emulator import Fault
from snapkit.errors import OutcomeUnknown, Retry, Sent, TransportError
from snapkit.testing.harness import many
from tests.faults_state.stage import Stage, styles


@pytest.mark.faults(7)
@styles
def test_a_stale_connection_costs_a_read_no_pause(stage: Stage) -> None:
    """Load balancers drop what was idle for a minute; a new connection works at once."""
    harness = stage.harness
    wanted = harness.add(*many(25))
    harness.emulator.faults.append(Fault(kind="cut-before", skip=1))
    found, report = stage.listed()

    assert sorted(wanted) == sorted(one.id for one in found)
    assert report.complete
    assert 0.0 == harness.world.clock.ahead


@pytest.mark.faults(7)
@styles
def test_a_new_connection_that_is_cut_too_is_waited_for(stage: Stage) -> None:
    """Then it is the server, and hurrying does not help it."""
    harness = stage.harness
    harness.add(*many(25))
    harness.emulator.faults.append(Fault(kind="cut-before", skip=1, times=2))
    _, report = stage.listed()

    assert report.complete
    assert 0.0 < harness.world.clock.ahead


@pytest.mark.faults(5)
@styles
def test_a_first_connection_that_is_cut_is_waited_for(stage: Stage) -> None:
    """It was not idle before."""
    harness = stage.harness
    harness.add(*many(3))
    harness.emulator.faults.append(Fault(kind="cut-before"))
    _, report = stage.listed()

    assert report.complete
    assert 0.0 < harness.world.clock.ahead


@pytest.mark.faults(7)
def test_what_must_be_sent_once_is_not_sent_again_over_a_new_connection() -> None:
    """The connection may have been cut after the request arrived."""
    from tests.providers.harnesses import TencentHarness

    with TencentHarness() as harness:
        (disk,) = harness.add_disks(1)
        source = harness.add(*many(1))[0]
        client = harness.client()
        client.snapshot(source)
        harness.emulator.faults.append(
            Fault(kind="cut-after", operation=harness.operations[Capability.ROLL_BACK])
        )
        with pytest.raises(OutcomeUnknown) as caught:
            client.roll_back(source, stop_instance=True, start_instance=True)

    assert 1 == harness.sent(Capability.ROLL_BACK)
    assert isinstance(caught.value.__cause__, TransportError)
    assert (Sent.MAYBE, Retry.AT_ONCE) == (
        caught.value.__cause__.sent,
        caught.value.__cause__.retry,
    )
    assert disk
