"""What a slot's delivery came to, for the tests that try every answer of a service."""

from __future__ import annotations

from kakaocron.delivery.tick import TickReport
from kakaocron.installation import Installation
from kakaocron.ledger.deliveries import Delivery
from kakaocron.states import Reason, State
from tests.fakes import FakeClock, run_tick

ID = "report@20261123T0930"

FAULT = (State.UNKNOWN, Reason.SERVER_FAULT)
REFUSED = (State.FAILED, Reason.REFUSED)
NOT_LOGGED_IN = (State.FAILED, Reason.NOT_LOGGED_IN)
QUOTA = (State.RETRYING, Reason.QUOTA)
SILENCE = (State.UNKNOWN, Reason.READ_TIMEOUT)
CUT = (State.UNKNOWN, Reason.CONNECTION_RESET)
UNPROVEN = (State.UNKNOWN, Reason.UNPROVEN_ANSWER)
CONFIRMED = (State.CONFIRMED, None)


def ended(report: TickReport) -> tuple[State, Reason | None]:
    delivery = report.ended[ID]
    return delivery.state, delivery.reason


def in_ledger(installation: Installation, clock: FakeClock) -> Delivery:
    return installation.ledger.read([clock.now().date()]).deliveries[ID]


def later_ticks(installation: Installation, clock: FakeClock) -> None:
    """Run the ticks of the next nine minutes: the slot's whole life, with time for retries."""
    for _ in range(9):
        clock.sleep(60)
        run_tick(installation)
