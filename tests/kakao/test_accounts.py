"""More logins than one: each with its own tokens, its own quotas and its own end."""

from __future__ import annotations

from dataclasses import replace as with_changes
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron.delivery.tick import TickReport, tick
from kakaocron.errors import LoginError
from kakaocron.installation import DEFAULT_ACCOUNT, Installation, make_channels
from kakaocron.kakao.channel import KAKAOTALK, KakaoTalk, channel_name
from kakaocron.kakao.login import Credentials
from kakaocron.kakao.tokens import Tokens
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.ticking.upkeep import look_after_login
from tests.fakes import MESSAGE, NOW, FakeClock, install, texts

SECOND = "minji"
TO = MESSAGE + 'to = ["me", "uuid-bbb"]\n'


def channel_of(receiver: str) -> str:
    return channel_name(SECOND if receiver == "uuid-bbb" else DEFAULT_ACCOUNT)


@pytest.fixture
def two(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Installation:
    """An installation with a second account, by which one friend is sent to."""
    here = install(tmp_path, sandbox, clock, TO)
    credentials = with_changes(here.login.credentials, refresh_token=None)
    path = str(here.places.data / "tokens" / f"{SECOND}.json")
    second = with_changes(here.login, path=path, credentials=credentials)
    token = sandbox.kakao.issue_login(clock.now()).refresh_token
    second.write(Tokens(refresh_token=token, client_id=credentials.rest_api_key))
    logins = {DEFAULT_ACCOUNT: here.login, SECOND: second}
    channels = make_channels(logins, here.config, second.http, channel_of)
    engine = replace(here.engine, channels=channels, channel_of=channel_of)
    return replace(here, logins=logins, engine=engine)


def run(installation: Installation) -> TickReport:
    return tick(installation.engine, installation.plan, installation.heartbeat)


def states(report: TickReport) -> dict[str, tuple[State, Reason | None]]:
    (delivery,) = report.ended.values()
    return {name: (r.state, r.reason) for name, r in delivery.targets.items()}


def test_each_receiver_is_sent_to_by_the_account_that_reaches_it(
    two: Installation, sandbox: SandboxServer
) -> None:
    assert run(two).exit_code == 0
    assert sorted(one.receiver for one in sandbox.deliveries) == ["me", "uuid-bbb"]
    tokens = [login.read().access_token for login in two.logins.values()]
    assert len({*tokens, None}) == 3


def test_a_dead_login_fails_its_receivers_only(two: Installation, sandbox: SandboxServer) -> None:
    two.logins[SECOND].write(Tokens(refresh_token="gone", client_id="x", refused="KOE322"))
    report = run(two)

    assert states(report) == {
        "me": (State.CONFIRMED, None),
        "uuid-bbb": (State.FAILED, Reason.NOT_LOGGED_IN),
    }
    assert list(report.down) == [channel_name(SECOND)]
    assert report.exit_code == LoginError.exit_code
    assert len(texts(sandbox)) == 1


def test_quotas_are_counted_by_the_sending_account(two: Installation) -> None:
    run(two)
    known = two.ledger.read([NOW.date()]).deliveries.values()
    counts = {}
    for name, channel in two.engine.channels.items():
        assert isinstance(channel, KakaoTalk)
        counts[name] = dict(channel.allowance(known, NOW.date()).counts)

    assert counts == {KAKAOTALK: {}, channel_name(SECOND): {"uuid-bbb": 1}}


def test_every_login_is_renewed_though_another_has_ended(
    two: Installation, clock: FakeClock
) -> None:
    run(two)
    Path(two.login.path).write_text("{")
    ends = two.logins[SECOND].read().access_expires_at
    assert ends is not None
    clock.at = ends - timedelta(minutes=1)
    said = look_after_login(two, TickReport(clock.now()))

    assert [key.partition(":")[0] for key in said] == ["login"]
    assert two.logins[SECOND].read().is_fresh(clock.now() + timedelta(hours=1))


def test_a_token_from_the_environment_is_that_accounts_alone(
    two: Installation, clock: FakeClock
) -> None:
    given = with_changes(two.login, credentials=Credentials(access_token="given"))
    here = replace(two, logins={**two.logins, DEFAULT_ACCOUNT: given})

    assert look_after_login(here, TickReport(clock.now())) == {}
    assert here.logins[SECOND].read().is_fresh(clock.now())
