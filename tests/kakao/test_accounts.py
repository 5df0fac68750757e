"""More logins than one: each with its own tokens, its own quotas and its own end."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron.actions import pause, retry
from kakaocron.config.contacts import KAKAOTALK, account_of, channel_name
from kakaocron.delivery.tick import TickReport, tick
from kakaocron.doctor.config import plan
from kakaocron.doctor.finding import Bench, Status
from kakaocron.doctor.kakao import online
from kakaocron.doctor.login import login as login_findings
from kakaocron.errors import Cause, LoginError
from kakaocron.files import all_marks, data_marks
from kakaocron.host.crontab import Job
from kakaocron.host.probe import Machine
from kakaocron.installation import (
    DEFAULT_ACCOUNT,
    Edges,
    Installation,
    assemble,
    make_memory,
)
from kakaocron.kakao.channel import KakaoTalk
from kakaocron.kakao.login import Credentials, Login
from kakaocron.kakao.tokens import Tokens
from kakaocron.rehearsal.sandbox.pictures import draw
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.show.pictures import print_overview
from kakaocron.states import Reason, State
from kakaocron.ticking.runner import run_full
from kakaocron.ticking.upkeep import look_after_login
from kakaocron.watching.alarms import AlarmState, Observation, login_key, of_deliveries, review
from kakaocron.watching.causes import in_words, of_account
from kakaocron.watching.overview import health_of, look
from kakaocron.watching.prometheus import metrics_of
from tests.fakes import MESSAGE, NOW, FakeClock, install, texts
from tests.host.test_crontab import FakeCrontab

SECOND = "minji"
PERSON = "uuid-aaa"  # who logs in as the second account; uuid-bbb is a friend of hers too
ACCOUNT = f"[account.{SECOND}]\n"
TO = ACCOUNT + MESSAGE + f'to = ["me", "{SECOND}"]\n'
TO_FRIEND = ACCOUNT + MESSAGE + f'to = ["me", "uuid-bbb"]\nfrom = "{SECOND}"\n'
FRIEND = f"uuid-bbb@{SECOND}"


def log_in(login: Login, sandbox: SandboxServer) -> None:
    who = PERSON if login.account else None
    token = sandbox.kakao.issue_login(login.clock.now(), uuid=who).refresh_token
    login.write(Tokens(refresh_token=token, client_id=login.credentials.rest_api_key))


def end(login: Login) -> None:
    """Leave a login as one that Kakao has ended."""
    token = login.credentials.refresh_token or "gone"
    login.write(Tokens(refresh_token=token, client_id="x", refused="KOE322"))


@pytest.fixture
def two(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Installation:
    here = install(tmp_path, sandbox, clock, TO)
    log_in(here.logins[SECOND], sandbox)
    return here


@pytest.fixture
def by_second(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Installation:
    """An installation whose second account sends to a friend."""
    here = install(tmp_path, sandbox, clock, TO_FRIEND)
    log_in(here.logins[SECOND], sandbox)
    return here


def bench(here: Installation) -> Bench:
    crontab, job = FakeCrontab(None), Job(("kakaocron",), here.places.config)
    return Bench(here.places, Machine(), crontab, job, here.clock.now(), here)


def run(installation: Installation) -> TickReport:
    return tick(installation.engine, installation.plan, installation.heartbeat)


def states(report: TickReport) -> dict[str, tuple[State, Reason | None]]:
    (delivery,) = report.ended.values()
    return {name: (r.state, r.reason) for name, r in delivery.targets.items()}


def test_each_receiver_is_sent_to_by_the_account_that_reaches_it(
    two: Installation, sandbox: SandboxServer
) -> None:
    assert run(two).exit_code == 0
    for person in ("uuid-me", PERSON):
        assert [one.receiver for one in sandbox.arrived(person)] == ["me"]
    tokens = [login.read().access_token for login in two.logins.values()]
    assert len({*tokens, None}) == 3


def test_taps_lead_where_each_account_says_unless_the_message_does(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    other = MESSAGE.replace('"report"', '"other"') + f'to = ["{SECOND}"]\n'
    own = 'link = "https://hers.example"\n'
    here = install(
        tmp_path,
        sandbox,
        clock,
        f'{ACCOUNT}{own}{TO.removeprefix(ACCOUNT)}{other}link = "https://message.example"\n',
    )
    log_in(here.logins[SECOND], sandbox)
    assert run(here).exit_code == 0

    def links(person: str) -> set[str]:
        return {one.template["link"]["web_url"] for one in sandbox.arrived(person)}

    assert links("uuid-me") == {here.config.kakao.link}
    assert links(PERSON) == {"https://hers.example", "https://message.example"}


def test_a_dead_login_fails_its_receivers_only(two: Installation, sandbox: SandboxServer) -> None:
    end(two.logins[SECOND])
    report = run(two)

    assert states(report) == {
        "me": (State.CONFIRMED, None),
        SECOND: (State.FAILED, Reason.NOT_LOGGED_IN),
    }
    assert list(report.down) == [channel_name(SECOND)]
    assert report.exit_code == LoginError.exit_code
    assert len(texts(sandbox)) == 1


def test_a_friend_is_sent_to_by_the_account_that_the_message_names(
    by_second: Installation, sandbox: SandboxServer
) -> None:
    assert states(run(by_second)) == {
        "me": (State.CONFIRMED, None),
        FRIEND: (State.CONFIRMED, None),
    }
    number = sandbox.kakao.settings.user_id
    sent = [(one.receiver, one.sender) for one in sandbox.deliveries]
    assert sorted(sent) == [("me", f"{number}"), ("uuid-bbb", f"{number + 1}")]


def test_quotas_are_counted_by_the_sending_account(by_second: Installation) -> None:
    run(by_second)
    known = by_second.ledger.read([NOW.date()]).deliveries.values()
    counts = {}
    for name, channel in by_second.engine.channels.items():
        assert isinstance(channel, KakaoTalk)
        counts[name] = dict(channel.allowance(known, NOW.date()).counts)

    assert counts == {KAKAOTALK: {}, channel_name(SECOND): {FRIEND: 1}}


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
    given = replace(two.login, credentials=Credentials(access_token="given"))
    here = replace(two, logins={**two.logins, DEFAULT_ACCOUNT: given})

    assert look_after_login(here, TickReport(clock.now())) == {}
    assert here.logins[SECOND].read().is_fresh(clock.now())


@pytest.fixture
def apart(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Installation:
    """An installation with a message by each of two accounts, that tells its alarms to a file."""
    command = json.dumps(["sh", "-c", f"cat >>{tmp_path}/told; echo >>{tmp_path}/told"])
    other = MESSAGE.replace('"report"', '"other"') + f'to = ["{SECOND}"]\n'
    config = f"[monitor]\nalert_command = {command}\n{ACCOUNT}{MESSAGE}{other}"
    here = install(tmp_path, sandbox, clock, config)
    log_in(here.logins[SECOND], sandbox)
    return here


def whole_tick(here: Installation, clock: FakeClock, at: str) -> tuple[int, list[str]]:
    """Run a tick as cron's command does; return its exit code and what it complains of."""
    clock.set(at)
    around, said = Edges(clock=clock), list[str]()
    load = partial(assemble, here.places, here.config, around)
    ended = run_full(here.places, around, load, said.append)
    return ended.exit_code, said


DEAD = "Kakao no longer accepts"


@pytest.mark.parametrize("account", [DEFAULT_ACCOUNT, SECOND])
def test_a_dead_login_is_told_by_its_account_once_and_the_others_messages_go_on(
    apart: Installation, sandbox: SandboxServer, clock: FakeClock, account: str
) -> None:
    whole_tick(apart, clock, "09:15:01")
    end(apart.logins[account])
    _, told = whole_tick(apart, clock, "09:30:01")
    # The other's is confirmed at each slot, which says nothing of this one.
    (of_tick,) = [one for one in told if DEAD in one]
    assert of_tick.startswith(f"account '{SECOND}': {DEAD}" if account else DEAD)
    (key,) = make_memory(apart.places, apart.edges.disk, "incidents.json").read()
    assert key.startswith(f"login:{SECOND}:" if account else "login:")
    assert key.count(":") == (2 if account else 1)
    assert [one for one in whole_tick(apart, clock, "09:31:01")[1] if DEAD in one] == []
    assert [one for one in whole_tick(apart, clock, "09:45:01")[1] if DEAD in one] == []
    arrived = [len(sandbox.arrived(person)) for person in ("uuid-me", PERSON)]
    assert arrived == ([3, 1] if account else [1, 3])


def test_what_else_went_wrong_is_told_beside_a_dead_login(
    apart: Installation, sandbox: SandboxServer, clock: FakeClock
) -> None:
    end(apart.logins[SECOND])
    sandbox.faults.replace("", script=["-2"])
    told = whole_tick(apart, clock, "09:30:01")[1]

    assert len([one for one in told if DEAD in one]) == 1
    assert [one.partition(" (")[0] for one in told if one.startswith("Failed")] == [
        "Failed: 'report' of 2026-11-23 09:30"
    ]


@pytest.mark.parametrize(
    ("faults", "command"),
    [
        (["-402", ""], "kakaocron login, and tick"),
        (["", "-402"], f"kakaocron login --account {SECOND}, and tick"),
    ],
)
def test_what_to_do_about_a_refusal_names_the_account_that_is_concerned(
    apart: Installation, sandbox: SandboxServer, clock: FakeClock, faults: list[str], command: str
) -> None:
    whole_tick(apart, clock, "09:15:01")
    message, other = ("report", "other") if faults[0] else ("other", "report")
    pause(apart, other, None, None)
    sandbox.faults.replace("", script=["-402"])
    told = whole_tick(apart, clock, "09:30:01")[1]

    (said,) = [one for one in told if one.startswith(f"Failed: '{message}'")]
    assert command in said


def test_two_dead_logins_are_two_incidents_and_each_ends_by_itself(
    apart: Installation, sandbox: SandboxServer, clock: FakeClock
) -> None:
    memory = make_memory(apart.places, apart.edges.disk, "incidents.json")

    def known() -> list[str]:
        return sorted((key for key in memory.read() if key.startswith("login:")), key=len)

    for login in apart.logins.values():
        end(login)
    whole_tick(apart, clock, "09:15:01")
    first, second = known()
    assert (first.count(":"), second.startswith(f"login:{SECOND}:")) == (1, True)
    log_in(apart.login, sandbox)
    whole_tick(apart, clock, "09:30:01")
    assert known() == [second]
    log_in(apart.logins[SECOND], sandbox)
    whole_tick(apart, clock, "09:45:01")
    assert known() == []


def test_a_login_near_its_end_is_told_by_its_account(two: Installation, clock: FakeClock) -> None:
    ends = clock.now() + timedelta(days=2)
    for login in two.logins.values():
        login.access_token()
        login.write(replace(login.read(), refresh_expires_at=ends))
    said = look_after_login(two, TickReport(clock.now()))

    assert list(said) == [f"login-ends:{ends:%Y-%m-%d}", f"login-ends:{SECOND}:{ends:%Y-%m-%d}"]
    first, second = said.values()
    assert second == f"account '{SECOND}': {first} --account {SECOND}"


def test_status_health_and_metrics_name_the_account_whose_login_is_dead(
    two: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    run(two)
    fine = look(two)
    end(two.logins[SECOND])
    overview = look(two)
    health = health_of(overview, two.config.monitor)

    (problem,) = [one for one in health.problems if DEAD in one]
    assert problem.startswith(f"account '{SECOND}': {DEAD}")
    assert overview.fields()["token"] == fine.fields()["token"] == fine.fields()["tokens"]["me"]
    assert fine.fields()["tokens"].keys() == {"me", SECOND}
    print_overview(overview)
    own, others = [line for line in capsys.readouterr().out.splitlines() if "login: " in line]
    assert own.startswith("login: access token for ")
    assert others.startswith(f"account '{SECOND}': login: {DEAD}")
    ends = [
        one for one in metrics_of(fine, health).splitlines() if "access_token_end_timestamp" in one
    ]
    assert [one.partition(" ")[0] for one in ends if one[0] != "#"] == [
        "kakaocron_access_token_end_timestamp_seconds",
        f'kakaocron_access_token_end_timestamp_seconds{{account="{SECOND}"}}',
    ]


def test_a_login_that_no_message_needs_is_not_missed(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = install(
        tmp_path, sandbox, clock, ACCOUNT + MESSAGE + f'to = ["{SECOND}"]\n', variables={}
    )
    log_in(here.logins[SECOND], sandbox)
    assert run(here).exit_code == 0
    assert health_of(look(here), here.config.monitor).problems == ()
    assert {one.status for one in login_findings(bench(here))} == {Status.OK}
    end(here.logins[SECOND])
    assert len(health_of(look(here), here.config.monitor).problems) == 1


def test_a_dead_login_of_the_default_account_is_not_named(two: Installation) -> None:
    run(two)
    end(two.login)
    problems = health_of(look(two), two.config.monitor).problems

    assert [one.startswith(DEAD) for one in problems if DEAD in one] == [True]


@pytest.mark.parametrize("account", [DEFAULT_ACCOUNT, SECOND])
def test_each_account_has_an_alarm_of_its_own_for_its_login(
    apart: Installation, sandbox: SandboxServer, clock: FakeClock, tmp_path: Path, account: str
) -> None:
    whole_tick(apart, clock, "09:15:01")
    end(apart.logins[account])
    for at in ("09:30:01", "09:31:01", "09:45:01"):
        whole_tick(apart, clock, at)
    log_in(apart.logins[account], sandbox)
    whole_tick(apart, clock, "10:00:01")

    told = [json.loads(line) for line in (tmp_path / "told").read_text().splitlines()]
    alarms = [alarm for one in told for alarm in one["alarms"]]
    key = f"login:{SECOND}" if account else "login"
    assert [(one["turn"], one["key"]) for one in alarms] == [("begun", key), ("over", key)]
    name = f"account '{SECOND}': " if account else ""
    begun, over = [one["sentence"] for one in alarms]
    assert begun.startswith(f"{name}{DEAD}")
    assert over == f"{name}Over: Kakao accepts the login again"


def test_a_delivery_is_trouble_of_the_account_that_its_receiver_lacks(two: Installation) -> None:
    def by(receiver: str) -> str:
        return account_of(two.engine.channel_of(receiver))

    def found() -> Observation:
        known = two.ledger.read([NOW.date()]).deliveries.values()
        return of_deliveries(known, {"report"}, lambda _: True, account_of=by)

    end(two.logins[SECOND])
    (id_,) = run(two).ended
    assert list(found().lasting) == list(found().happened) == [f"login:{SECOND}"]
    retry(two, id_, two.clock.now() + timedelta(minutes=5))
    assert {key for key in found().open if key.startswith("login")} == {f"login:{SECOND}"}


def test_an_alarm_that_lasts_a_day_still_names_the_account() -> None:
    cause = of_account(SECOND, Cause("login-expired", {"at": "2026-11-23 09:00"}))
    known = review(AlarmState(), Observation({login_key(SECOND): cause}), NOW)
    later = review(known, Observation({login_key(SECOND): cause}), NOW + timedelta(days=1))

    assert in_words(later.untold[-1].cause) == (
        f"Still, since {NOW:%Y-%m-%d %H:%M}: account '{SECOND}': The saved login expired on "
        f"2026-11-23 09:00. Run: kakaocron login --account {SECOND}"
    )


def test_doctor_looks_at_every_login_and_names_the_second(two: Installation) -> None:
    run(two)
    end(two.logins[SECOND])
    findings = [*login_findings(bench(two)), *online(bench(two))]
    named = [one for one in findings if one.what.startswith(f"account '{SECOND}': ")]
    own = [one for one in findings if one not in named]

    assert [one.name for one in own if one.status is Status.FAIL] == []
    assert {one.name for one in named} < {one.name for one in own}
    bad = {one.name: one.what for one in named if one.status is Status.FAIL}
    assert bad["login"] == f"account '{SECOND}': Kakao has ended it (KOE322)"
    assert "token-accepted" in bad


def test_doctor_names_what_an_account_has_of_its_own(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    own = 'link = "https://hers.example"\napi_url = "https://other.example"\n'
    here = install(tmp_path, sandbox, clock, f"{ACCOUNT}{own}{TO.removeprefix(ACCOUNT)}")
    found = {one.what: one for one in plan(bench(here)) if one.what.startswith("account")}

    assert [one.name for one in found.values()] == ["link", "servers"]
    assert all(what.startswith(f"account '{SECOND}': ") for what in found)


def test_doctor_finds_one_person_behind_two_accounts(
    two: Installation, sandbox: SandboxServer, clock: FakeClock
) -> None:
    assert [one for one in online(bench(two)) if one.name == "login-person"] == []
    token = sandbox.kakao.issue_login(clock.now()).refresh_token
    two.logins[SECOND].write(Tokens(refresh_token=token, client_id="x"))
    (found,) = [one for one in online(bench(two)) if one.name == "login-person"]

    assert found.what == f"account '{SECOND}': 'me' is logged in as the same Kakao account"
    assert found.mend == f"Log in: kakaocron login --account {SECOND}"


def test_doctor_looks_for_a_receiver_at_the_account_that_sends_to_it(
    by_second: Installation,
) -> None:
    run(by_second)
    whats = [one.what for one in online(bench(by_second)) if one.name == "receivers"]
    assert whats == ["yourself", f"account '{SECOND}': 1 friends, all allow messages"]


@pytest.mark.parametrize("name", ["tokens.json", f"tokens/{SECOND}.json", f"tokens-{SECOND}.json"])
def test_a_renewal_is_no_change_from_outside_and_ends_an_idle_plan(
    two: Installation, name: str
) -> None:
    disk, places = two.edges.disk, two.places
    login = replace(two.login, path=str(places.data / name))
    log_in = Tokens(refresh_token="first", client_id="x")
    login.write(log_in)
    config, data = str(places.config), str(places.data)
    inputs, whole = data_marks(disk, data), all_marks(disk, config, data, [])
    login.write(replace(log_in, refresh_token="second"))

    assert data_marks(disk, data) == inputs
    assert all_marks(disk, config, data, []) != whole


@pytest.mark.parametrize("is_dead", [False, True])
def test_each_account_uploads_the_picture_by_its_own_login(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, is_dead: bool
) -> None:
    (tmp_path / "chart.png").write_bytes(draw(300, 200).content)
    here = install(tmp_path, sandbox, clock, TO + 'image = "chart.png"\n')
    (end if is_dead else partial(log_in, sandbox=sandbox))(here.logins[SECOND])
    for login in here.logins.values():
        with suppress(LoginError):  # else two wait for it, by a clock that their waiting moves
            login.access_token()

    hers = (State.FAILED, Reason.NOT_LOGGED_IN) if is_dead else (State.CONFIRMED, None)
    assert states(run(here)) == {"me": (State.CONFIRMED, None), SECOND: hers}
    assert len(sandbox.kakao.images) == len(sandbox.deliveries) == (1 if is_dead else 2)
    assert {one.picture for one in sandbox.deliveries} == {i.path for i in sandbox.kakao.images}
