"""Every answer and failure of Kakao's, over a real socket, and the state that it leads to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import force_setattr, replace

from kakaocron.installation import Installation
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.system.http import Failure, Phase, Request
from kakaocron.system.socket_http import SocketHttp
from kakaocron.watching.sentences import detail_of
from tests.fakes import MESSAGE, FakeClock, free_port, install, run_tick, texts
from tests.outcomes import (
    CONFIRMED,
    CUT,
    FAULT,
    ID,
    NOT_LOGGED_IN,
    QUOTA,
    REFUSED,
    SILENCE,
    UNPROVEN,
    ended,
    in_ledger,
    later_ticks,
)
from tests.system.wires import Said, wire

TOKEN_PATH = "/oauth/token"

FOR_NOW = (State.RETRYING, Reason.REFUSED_FOR_NOW)
UNREACHABLE = (State.RETRYING, Reason.UNREACHABLE)

# The rows of Kakao's table of errors, each with the state that it leads to.
CODES = {
    -1: FAULT,
    -2: REFUSED,
    -3: FOR_NOW,
    -4: REFUSED,
    -5: REFUSED,
    -6: REFUSED,
    -7: FAULT,
    -8: REFUSED,
    -9: REFUSED,
    -10: QUOTA,
    -11: QUOTA,
    -12: REFUSED,
    -101: NOT_LOGGED_IN,
    -103: REFUSED,
    -401: CONFIRMED,  # after one refresh and one resend
    -402: NOT_LOGGED_IN,
    -403: REFUSED,
    -405: REFUSED,
    -406: REFUSED,
    -501: REFUSED,
    -502: FOR_NOW,
    -504: REFUSED,
    -530: REFUSED,
    -531: QUOTA,
    -532: QUOTA,
    -533: QUOTA,
    -536: QUOTA,
    -602: REFUSED,
    -603: FAULT,
    -606: REFUSED,
    -903: REFUSED,
    -911: REFUSED,
    -9798: FAULT,
}

# The sandbox's other faults: what comes of them, and how many messages arrived.
FAULTS = {
    "refuse": (CUT, 0),
    "stall": (SILENCE, 0),
    "stall-after": (SILENCE, 1),
    "cut-before": (CUT, 0),
    "cut-after": (CUT, 1),
    "half-before": (CUT, 0),
    "half": (CUT, 1),
    "html": (UNPROVEN, 0),
    "html-502": (FAULT, 0),
    "html-502+": (FAULT, 1),
    "500": (FAULT, 0),
    "502": (FAULT, 0),
    "503": (FAULT, 0),
    "504": (FAULT, 0),
    "500+": (FAULT, 1),
    "502+": (FAULT, 1),
    "503+": (FAULT, 1),
    "504+": (FAULT, 1),
    "429": (FOR_NOW, 0),
    "empty": (UNPROVEN, 1),
    "result-500": (UNPROVEN, 0),
    "result-500+": (UNPROVEN, 1),
    "error-in-200": (FAULT, 0),
    "error-in-200+": (FAULT, 1),
    "-1+": (FAULT, 1),
    "-7+": (FAULT, 1),
    "-603+": (FAULT, 1),
    "-9798+": (FAULT, 1),
    "401-twice": (NOT_LOGGED_IN, 0),
    "slow=0.05": (CONFIRMED, 1),
    "drip=0.001": (CONFIRMED, 1),
    "early-hints": (CONFIRMED, 1),
    "early-hints=0.05": (CONFIRMED, 1),
    "early-hints=9": (SILENCE, 1),
}


# As Kakao's table of error codes has them; it gives none for -403 and -405.
HTTP_STATUS = {
    **dict.fromkeys([-3, -4, -5, -6, -12, -402, -403], 403),
    **dict.fromkeys([-405, -406], 401),
    -9798: 503,
}


@pytest.mark.parametrize(("code", "expected"), CODES.items())
def test_each_code_leads_to_its_state_and_is_never_sent_twice(
    code: int,
    expected: tuple[State, Reason | None],
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
) -> None:
    sandbox.faults.enqueue(str(code))
    installation = install(tmp_path, sandbox, clock)

    report = run_tick(installation)
    assert ended(report) == expected
    assert sandbox.faults.pending == []
    assert report.exit_code == (0 if expected[0] in {State.RETRYING, State.CONFIRMED} else 1)

    later_ticks(installation, clock)
    will_arrive = expected[0] in {State.RETRYING, State.CONFIRMED}
    final = State.CONFIRMED if will_arrive else expected[0]
    assert in_ledger(installation, clock).state is final
    assert texts(sandbox).count("보고 2026-11-23 09:30") == will_arrive


@pytest.mark.parametrize("code", sorted(set(CODES) - {-401}))
def test_the_ledger_keeps_the_code_and_status_of_each_refusal(
    code: int, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue(str(code))
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)

    (attempt,) = in_ledger(installation, clock).attempts
    assert attempt.results["me"].code == code
    assert attempt.results["me"].http_status == HTTP_STATUS.get(code, 400)


@pytest.mark.parametrize(("fault", "expected"), FAULTS.items())
def test_each_fault_leads_to_its_state_and_is_never_sent_twice(
    fault: str,
    expected: tuple[tuple[State, Reason | None], int],
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
) -> None:
    sandbox.faults.enqueue(fault)
    installation = install(tmp_path, sandbox, clock)

    report = run_tick(installation)
    assert ended(report) == expected[0]
    assert len(texts(sandbox)) == expected[1]

    later_ticks(installation, clock)
    will_arrive = expected[0][0] is State.RETRYING or expected[1]
    assert len(texts(sandbox)) == will_arrive


@pytest.mark.parametrize("fault", ["cut-before", "cut-after", "-603+", "html", "504"])
def test_an_unknown_end_is_sent_again_if_the_user_chose_so(
    fault: str, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue(fault)
    config = '[delivery]\non_unknown = "resend"\n' + MESSAGE
    installation = install(tmp_path, sandbox, clock, config)
    run_tick(installation)
    first = len(texts(sandbox))
    later_ticks(installation, clock)

    assert len(texts(sandbox)) == first + 1
    assert in_ledger(installation, clock).state is State.CONFIRMED


def test_a_401_costs_one_refresh_and_one_resend(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    sandbox.kakao.revoke_access_tokens()
    clock.set("09:45:01")
    before = len(sandbox.requests)

    assert run_tick(installation).exit_code == 0
    assert [(r.path, r.outcome) for r in sandbox.requests[before:]] == [
        ("/v2/api/talk/memo/default/send", "401 -401"),
        (TOKEN_PATH, "200"),
        ("/v2/api/talk/memo/default/send", "200"),
    ]


def test_a_second_401_ends_the_attempt_after_exactly_two_requests(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("401-twice")
    run_tick(install(tmp_path, sandbox, clock))

    assert sum(request.path != TOKEN_PATH for request in sandbox.requests) == 2


def test_a_402_is_recorded_with_what_to_do(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    token = sandbox.kakao.issue_login(clock.now(), []).refresh_token
    variables = {"KAKAO_REFRESH_TOKEN": token}
    report = run_tick(install(tmp_path, sandbox, clock, variables=variables))

    assert ended(report) == NOT_LOGGED_IN
    assert "log in again" in str(detail_of(report.ended[ID]))
    assert texts(sandbox) == []


def test_a_date_that_is_far_off_ours_is_reported_and_the_message_is_confirmed(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("date=+91")
    report = run_tick(install(tmp_path, sandbox, clock))

    assert ended(report) == CONFIRMED
    assert [key for key, _ in report.problems] == ["clock-wrong:server"]


@pytest.mark.parametrize("seconds", ["date=+89", "date=-89", "date=+0"])
def test_a_date_that_is_near_ours_is_no_problem(
    seconds: str, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue(seconds)

    assert run_tick(install(tmp_path, sandbox, clock)).problems == ()


@pytest.mark.parametrize("at_once", [1, 4])
def test_no_message_is_told_what_became_of_another(
    at_once: int, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    """An interim answer before each: the first is taken, the second refused, the third taken."""
    config = f"[delivery]\nat_once = {at_once}\n" + "".join(
        MESSAGE.replace('"report"', f'"{name}"').replace("보고", name) for name in "abc"
    )
    installation = install(tmp_path, sandbox, clock, config)
    sandbox.faults.replace("early-hints@/")
    sandbox.faults.enqueue("early-hints", "-2", "early-hints=0.05")
    report = run_tick(installation)
    sandbox.faults.replace()
    later_ticks(installation, clock)

    confirmed = {one.message for one in report.ended.values() if one.state is State.CONFIRMED}
    at_half_past = [text for text in texts(sandbox) if text.endswith("09:30")]
    assert sorted(text[0] for text in at_half_past) == sorted(confirmed)
    assert len(confirmed) == 2


# --- friends --------------------------------------------------------------------------------------


def friends(*uuids: str) -> str:
    return f"{MESSAGE}to = {json.dumps(uuids)}\n"


def test_of_two_friends_the_one_who_refuses_fails_and_the_other_is_confirmed(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, friends("uuid-aaa", "uuid-ccc"))
    report = run_tick(installation)
    later_ticks(installation, clock)

    targets = report.ended[ID].targets
    assert targets["uuid-aaa"].state is State.CONFIRMED
    assert (targets["uuid-ccc"].state, targets["uuid-ccc"].code) == (State.FAILED, -530)
    assert ended(report) == REFUSED
    assert [d.receiver for d in sandbox.deliveries if "09:30" in d.text] == ["uuid-aaa"]


def test_a_friend_whom_the_answer_does_not_name_is_unknown(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("no-uuid")
    report = run_tick(install(tmp_path, sandbox, clock, friends("uuid-aaa", "uuid-bbb")))

    targets = report.ended[ID].targets
    assert targets["uuid-aaa"].state is State.CONFIRMED
    assert targets["uuid-bbb"].state is State.UNKNOWN
    assert ended(report) == UNPROVEN


def test_a_plain_error_for_a_lone_friend_is_his_and_is_tried_again(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("-532")
    installation = install(tmp_path, sandbox, clock, friends("uuid-aaa"))

    assert ended(run_tick(installation)) == QUOTA
    later_ticks(installation, clock)
    assert [d.receiver for d in sandbox.deliveries if "09:30" in d.text] == ["uuid-aaa"]


def test_only_the_receiver_who_was_refused_for_now_is_tried_again(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("-10")
    installation = install(tmp_path, sandbox, clock, friends("me", "uuid-aaa"))
    report = run_tick(installation)
    states = {name: result.state for name, result in report.ended[ID].targets.items()}
    later_ticks(installation, clock)

    assert states == {"me": State.RETRYING, "uuid-aaa": State.CONFIRMED}
    received = [d.receiver for d in sandbox.deliveries if "09:30" in d.text]
    assert received == ["uuid-aaa", "me"]


# --- the login ------------------------------------------------------------------------------------

DEAD = ("KOE319", "KOE322")
SETUP = ("KOE004", "KOE005", "KOE006", "KOE009", "KOE010", "KOE101", "KOE205", "KOE310")
LATER = ("KOE003", "KOE303", "KOE320", "503@/oauth/token", "html@/oauth/token", "429@/oauth/token")


@pytest.mark.parametrize("code", [*DEAD, *SETUP])
def test_a_login_that_cannot_be_renewed_fails_the_slot_and_ends_with_3(
    code: str, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.replace(code)
    installation = install(tmp_path, sandbox, clock)
    report = run_tick(installation)

    assert ended(report) == NOT_LOGGED_IN
    assert report.exit_code == 3
    assert code in str(report.down["kakaotalk"])
    assert texts(sandbox) == []


@pytest.mark.parametrize("code", DEAD)
def test_a_dead_login_is_not_asked_for_again_until_there_is_a_new_one(
    code: str, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue(code)
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    asked = len(sandbox.requests)
    clock.set("09:45:01")

    assert run_tick(installation).exit_code == 3
    assert len(sandbox.requests) == asked

    (tmp_path / "refresh-token").write_text(sandbox.kakao.issue_login(clock.now()).refresh_token)
    clock.set("10:00:01")
    assert run_tick(install(tmp_path, sandbox, clock)).exit_code == 0
    assert texts(sandbox) == ["보고 2026-11-23 10:00"]


@pytest.mark.parametrize("fault", LATER)
def test_a_login_server_in_trouble_costs_a_retry_and_no_login(
    fault: str, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue(fault)
    installation = install(tmp_path, sandbox, clock)

    report = run_tick(installation)
    assert ended(report) == (State.RETRYING, Reason.NOT_LOGGED_IN)
    assert report.exit_code == 0
    later_ticks(installation, clock)
    assert in_ledger(installation, clock).state is State.CONFIRMED
    assert len(texts(sandbox)) == 1


def with_kauth_at(installation: Installation, url: str) -> Installation:
    kakao = replace(installation.config.kakao, auth_url=url)
    return replace(installation, config=replace(installation.config, kakao=kakao))


def test_a_login_server_that_cannot_be_reached_is_no_refused_login(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)

    report = run_tick(with_kauth_at(installation, f"http://127.0.0.1:{free_port()}"))
    assert ended(report) == UNREACHABLE
    assert report.ended[ID].targets["me"].phase == Phase.BEFORE
    assert (report.exit_code, report.down) == (0, {})
    assert texts(sandbox) == []
    later_ticks(installation, clock)
    assert in_ledger(installation, clock).state is State.CONFIRMED
    assert len(texts(sandbox)) == 1


@pytest.mark.parametrize("fault", ["cut-before@/oauth/token", "stall@/oauth/token"])
def test_a_login_server_that_gives_no_answer_is_no_refused_login(
    fault: str, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue(fault, fault)  # for getting ready, and for the delivery
    installation = install(tmp_path, sandbox, clock)

    assert ended(run_tick(installation)) == UNREACHABLE
    later_ticks(installation, clock)
    assert in_ledger(installation, clock).state is State.CONFIRMED
    assert len(texts(sandbox)) == 1


def test_the_limit_on_tokens_is_respected_for_ten_minutes(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("KOE237")
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    asked = len(sandbox.requests)
    later_ticks(installation, clock)

    assert len(sandbox.requests) == asked
    clock.set("09:45:01")
    assert run_tick(installation).exit_code == 0
    assert texts(sandbox) == ["보고 2026-11-23 09:45"]


@pytest.mark.parametrize("fault", ["cut-after@/oauth/token", "stall-after@/oauth/token"])
def test_a_lost_answer_of_the_login_server_loses_no_message(
    fault: str, tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue(fault)
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    later_ticks(installation, clock)

    assert texts(sandbox) == ["보고 2026-11-23 09:30"]


def test_a_rotated_refresh_token_is_on_disk_before_its_access_token_is_used(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("rotate", "cut-before")
    installation = install(tmp_path, sandbox, clock)
    run_tick(installation)
    sandbox.kakao.revoke_access_tokens()
    clock.set("09:45:01")

    assert run_tick(installation).exit_code == 0
    assert texts(sandbox) == ["보고 2026-11-23 09:45"]


# --- what the sandbox does not play ---------------------------------------------------------------


@contextmanager
def scripted(answer: bytes) -> Iterator[str]:
    """Serve the same bytes to every request, each on a connection of its own; give the URL."""
    with wire(*[Said((answer,), hangs_up=True)] * 9) as found:
        yield found.url


def at(installation: Installation, url: str) -> Installation:
    """The same installation, with another address for messages."""
    kakao = replace(installation.config.kakao)
    force_setattr(kakao, "api_url", url)  # also what a configuration may not say
    config = replace(installation.config, kakao=kakao)
    return replace(installation, config=config)


def behind(installation: Installation, **proxies: str) -> Installation:
    """The same installation, with proxies in its environment."""
    places = installation.places
    variables = {**places.variables, **proxies}
    return replace(installation, places=replace(places, variables=variables))


def http(head: str, body: bytes = b"", more: str = "") -> bytes:
    return f"HTTP/1.1 {head}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


OK = b'{"result_code":0}'


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http("200 OK", OK), CONFIRMED),
        (http("200 OK", b'{"result_code":"0"}'), UNPROVEN),
        (http("200 OK", b"[0]"), UNPROVEN),
        (http("200 OK", OK + b" trailing"), UNPROVEN),
        (http("201 Created", OK), UNPROVEN),
        (http("204 No Content"), UNPROVEN),
        (http("302 Found", b"", "Location: http://127.0.0.1:9/login\r\n"), UNPROVEN),
        (http("307 Moved", OK, "Location: http://127.0.0.1:9/login\r\n"), UNPROVEN),
        (http("401 Unauthorized", b"<html>"), UNPROVEN),
        (http("407 Proxy", b"<html>"), UNPROVEN),
        (http("500 Oops"), FAULT),
        (http("200 OK", b"x" * 2_000_000), UNPROVEN),
        (http("200 OK", b"not gzip", "Content-Encoding: gzip\r\n"), CUT),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n" + OK, CUT),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n" + OK[:9], CUT),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + OK, CUT),
        (b"HTTP/1.1 200 OK\r\n\r\n" + OK, CONFIRMED),
        (b"HTTP/1.1 abc\r\n\r\n", CUT),
        (b"SSH-2.0-OpenSSH_9.2\r\n", CUT),
        (b"\x15\x03\x01\x00\x02\x02\x16", CUT),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n" + OK, CUT),
        (http("308 Moved", OK, "Location: http://[::1\r\n"), UNPROVEN),
        (b"", CUT),
    ],
)
def test_each_broken_answer_leads_to_its_state(
    answer: bytes,
    expected: tuple[State, Reason | None],
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
) -> None:
    with scripted(answer) as url:
        installation = at(install(tmp_path, sandbox, clock), url)

        assert ended(run_tick(installation)) == expected


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
)
def test_an_answer_that_drips_for_ever_is_given_up(begun: bytes, piece: bytes) -> None:
    with wire(Said((begun, *[piece] * 1000), pause=0.02)) as found:
        client = SocketHttp(0.1)
        began = time.monotonic()
        answer = client.ask(Request(f"{found.url}/", {}))
        client.close()

    assert isinstance(answer, Failure)
    assert (answer.phase, answer.reason) == (Phase.AFTER, Reason.READ_TIMEOUT)
    assert time.monotonic() - began < 5


def test_no_redirect_is_followed_with_the_token(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    location = f"Location: {sandbox.url}/v2/api/talk/memo/default/send\r\n"
    with scripted(http("307 Moved", b"", location)) as url:
        run_tick(at(install(tmp_path, sandbox, clock), url))

    assert [request.path for request in sandbox.requests] == [TOKEN_PATH]


# --- before anything has left ---------------------------------------------------------------------


def test_a_server_that_is_not_there_is_tried_again_and_nothing_was_sent(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    report = run_tick(at(installation, f"http://127.0.0.1:{free_port()}"))

    assert ended(report) == UNREACHABLE
    assert report.ended[ID].attempts[0].sent_at is None
    assert report.ended[ID].targets["me"].phase == "before"
    later_ticks(installation, clock)
    assert texts(sandbox)[:1] == ["보고 2026-11-23 09:30"]


def test_a_name_that_cannot_be_looked_up_is_tried_again(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    report = run_tick(at(installation, "http://kapi.kakao.example"))

    assert ended(report) == UNREACHABLE
    assert "DNS" in str(detail_of(report.ended[ID]))


def test_a_server_without_trusted_tls_is_told_nothing(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    report = run_tick(at(install(tmp_path, sandbox, clock), sandbox.url.replace("http:", "https:")))

    assert ended(report) == UNREACHABLE
    assert "TLS" in str(detail_of(report.ended[ID]))
    assert texts(sandbox) == []


@pytest.mark.parametrize(
    "answer",
    [
        http("403 Forbidden"),
        http("407 Who are you?"),
        http("200 OK"),
        b"nonsense\r\n\r\n",
        b"",
    ],
)
def test_a_proxy_that_does_not_let_us_through_has_seen_nothing_of_the_message(
    answer: bytes,
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
) -> None:
    with scripted(answer) as proxy:
        installation = at(install(tmp_path, sandbox, clock), "https://kapi.kakao.example")
        report = run_tick(behind(installation, https_proxy=proxy))

    assert ended(report) == UNREACHABLE
    assert report.ended[ID].attempts[0].sent_at is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(b"", CUT), (http("502 Bad Gateway"), FAULT), (http("200 OK", OK), CONFIRMED)],
)
def test_a_proxy_that_took_the_message_may_have_passed_it_on(
    answer: bytes,
    expected: tuple[State, Reason | None],
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
) -> None:
    with scripted(answer) as proxy:
        installation = at(install(tmp_path, sandbox, clock), "http://kapi.kakao.example")
        report = run_tick(behind(installation, http_proxy=proxy))

    assert ended(report) == expected
    assert report.ended[ID].attempts[0].sent_at is not None


def test_a_proxy_that_we_cannot_watch_gets_nothing(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = at(install(tmp_path, sandbox, clock), "http://kapi.kakao.example")
    report = run_tick(behind(installation, http_proxy="socks5://user:secret@127.0.0.1:9"))

    assert ended(report) == UNREACHABLE
    assert "HTTP_PROXY names a proxy of the kind 'socks5://'" in str(detail_of(report.ended[ID]))
    assert "secret" not in str(detail_of(report.ended[ID]))


def test_retries_end_with_a_word_when_they_are_spent(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = "[delivery]\nretry_delays = [10]\nmax_retries = 2\n" + MESSAGE
    installation = at(install(tmp_path, sandbox, clock, config), f"http://127.0.0.1:{free_port()}")
    states = [ended(run_tick(installation))]
    for _ in range(2):
        clock.at += timedelta(minutes=1)
        states.append(ended(run_tick(installation)))

    assert states == [UNREACHABLE, UNREACHABLE, (State.FAILED, Reason.RETRIES_SPENT)]
    assert len(in_ledger(installation, clock).attempts) == 3


def test_retries_end_with_a_word_when_the_slot_expires(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = "[delivery]\nretry_delays = [60]\nmax_retries = 50\nexpire_after = 150\n" + MESSAGE
    installation = at(install(tmp_path, sandbox, clock, config), f"http://127.0.0.1:{free_port()}")
    run_tick(installation)
    later_ticks(installation, clock)
    delivery = in_ledger(installation, clock)

    assert (delivery.state, delivery.reason) == (State.FAILED, Reason.EXPIRED)
    assert [a.claimed_at.minute for a in delivery.attempts] == [30, 31, 32]
