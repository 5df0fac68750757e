import pytest

from kakaocron.errors import UsageError
from kakaocron.rehearsal.sandbox.account import ReadyLogin
from kakaocron.rehearsal.sandbox.codes import KAPI_ERRORS, KAUTH_ERRORS
from kakaocron.rehearsal.sandbox.faults import FaultPlan, InjectedFault
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.wire import Wire, WireRequest
from tests.rehearsal.sandbox.support import (
    FRIENDS,
    NOW,
    TOKEN,
    content,
    memo,
    post,
    refresh_fields,
    to_friends,
    verdict,
)

MEMO_REQUEST = memo("any")
TOKEN_REQUEST = WireRequest("POST", TOKEN)
FRIEND_REQUEST = WireRequest("POST", FRIENDS)


def struck(kakao: Kakao, token: str, name: str) -> Wire:
    return kakao.exchange(memo(token), NOW, InjectedFault.parse(name))


@pytest.mark.parametrize(
    ("name", "action", "is_delivered"),
    [
        ("refuse", "close-before", False),
        ("unread", "unread", False),
        ("stall", "stall", False),
        ("stall-after", "stall", True),
        ("cut-before", "reset", False),
        ("cut-after", "reset", True),
        ("half-before", "half", False),
        ("half", "half", True),
        ("drip", "drip", True),
        ("slow=3", "slow", True),
        ("early-hints", "early-hints", True),
        ("early-hints=3", "early-hints", True),
        ("empty", "answer", True),
        ("html", "answer", False),
        ("html-502", "answer", False),
        ("html-502+", "answer", True),
        ("result-500", "answer", False),
        ("result-500+", "answer", True),
        ("error-in-200", "answer", False),
        ("error-in-200+", "answer", True),
        ("-401", "answer", False),
        ("-603", "answer", False),
        ("-603+", "answer", True),
        ("-9798+", "answer", True),
        ("429", "answer", False),
        ("500", "answer", False),
        ("503", "answer", False),
        ("503+", "answer", True),
        ("date=+3600", "answer", True),
    ],
)
def test_each_fault_says_what_the_wire_does_and_whether_it_was_delivered(
    kakao: Kakao, token: str, name: str, action: str, is_delivered: bool
) -> None:
    wire = struck(kakao, token, name)

    assert (wire.action, wire.delivered) == (action, is_delivered)
    assert len(kakao.deliveries) == int(is_delivered)
    assert (wire.answer is None) == (action in {"close-before", "unread", "reset", "stall"})
    assert kakao.requests[-1].fault == name


@pytest.mark.parametrize("code", KAPI_ERRORS)
def test_each_code_comes_with_its_http_status(kakao: Kakao, token: str, code: int) -> None:
    wire = struck(kakao, token, str(code))

    assert wire.answer is not None
    assert verdict(wire.answer) == (KAPI_ERRORS[code][0], code)


def test_codes_stand_for_the_statuses_that_kakao_documents(kakao: Kakao, token: str) -> None:
    statuses = {-1: 400, -3: 403, -10: 400, -401: 401, -402: 403, -532: 400, -603: 400, -9798: 503}
    for code, status in statuses.items():
        answer = struck(kakao, token, str(code)).answer
        assert answer is not None
        assert verdict(answer) == (status, code)


def test_missing_scope_as_a_fault_names_the_scopes(kakao: Kakao, token: str) -> None:
    answer = struck(kakao, token, "-402").answer

    assert answer is not None
    assert content(answer)["api_type"] == "TALK_MEMO_DEFAULT_SEND"
    assert content(answer)["required_scopes"] == ["talk_message"]


@pytest.mark.parametrize("code", KAUTH_ERRORS)
def test_each_kauth_error_comes_without_a_refresh(
    kakao: Kakao, login: ReadyLogin, code: str
) -> None:
    request = post(TOKEN, refresh_fields(kakao, login.refresh_token))
    wire = kakao.exchange(request, NOW, InjectedFault.parse(code))

    assert wire.answer is not None
    assert verdict(wire.answer) == (KAUTH_ERRORS[code][0], code)


def test_forced_rotation_kills_the_old_token(kakao: Kakao, login: ReadyLogin) -> None:
    request = post(TOKEN, refresh_fields(kakao, login.refresh_token))
    wire = kakao.exchange(request, NOW, InjectedFault.parse("rotate"))

    assert wire.answer is not None
    assert content(wire.answer)["refresh_token"] != login.refresh_token
    assert verdict(kakao.handle(request, NOW)) == (400, "KOE322")


def test_a_rotation_can_be_lost_on_the_way(kakao: Kakao, login: ReadyLogin) -> None:
    request = post(TOKEN, refresh_fields(kakao, login.refresh_token))
    later = login.refresh_expires_at.replace(hour=0, minute=0)
    wire = kakao.exchange(request, later, InjectedFault.parse("cut-after@/oauth/token"))

    assert (wire.action, wire.delivered, wire.answer) == ("reset", False, None)
    assert verdict(kakao.handle(request, later)) == (400, "KOE322")


def test_a_wrong_date_is_in_the_header_only(kakao: Kakao, token: str) -> None:
    answer = struck(kakao, token, "date=-5400").answer

    assert answer is not None
    assert answer.headers["Date"] == "Sun, 22 Nov 2026 23:00:00 GMT"
    assert kakao.deliveries[0].at == NOW


@pytest.mark.parametrize(
    ("name", "delivered"), [("no-uuid", ["uuid-aaa"]), ("no-uuid+", ["uuid-aaa", "uuid-bbb"])]
)
def test_a_receiver_named_nowhere(
    kakao: Kakao, token: str, name: str, delivered: list[str]
) -> None:
    wire = kakao.exchange(to_friends(token, "uuid-aaa", "uuid-bbb"), NOW, InjectedFault.parse(name))

    assert wire.answer is not None
    assert content(wire.answer) == {"successful_receiver_uuids": ["uuid-aaa"]}
    assert [one.receiver for one in kakao.deliveries] == delivered


@pytest.mark.parametrize("name", ["cut-after", "stall-after", "half", "empty", "-603+", "503+"])
def test_what_kakao_refuses_is_never_delivered_by_a_fault(kakao: Kakao, name: str) -> None:
    wire = struck(kakao, "unknown-token", name)

    assert not wire.delivered
    assert kakao.deliveries == []
    assert kakao.requests[-1].outcome == "401 -401"
    if wire.answer is not None:
        assert verdict(wire.answer) == (401, -401)


def test_no_fault_means_the_plain_answer(kakao: Kakao, token: str) -> None:
    wire = kakao.exchange(memo(token), NOW, None)

    assert (wire.action, wire.delivered) == ("answer", True)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "explode",
        "-9999",
        "KOE999",
        "404",
        "200",
        "slow",
        "slow=",
        "slow=-1",
        "slow=x",
        "date",
        "stall=3",
        "early-hints=-1",
        "early-hints=x",
        "early-hints+",
        "-401+",
        "-532+",
        "429+",
        "cut-before+",
        "code",
        "stall@oauth",
        "stall:0.5",
        "stall+",
    ],
)
def test_faults_that_make_no_sense_are_refused(name: str) -> None:
    with pytest.raises(UsageError):
        InjectedFault.parse(name)


@pytest.mark.parametrize("spec", ["stall:2", "stall:x", "stall:.", "stall;html", "stall:1:1"])
def test_specs_that_make_no_sense_are_refused_and_the_old_plan_stays(spec: str) -> None:
    plan = FaultPlan("html")
    with pytest.raises(UsageError):
        plan.replace(spec)

    assert plan.next(MEMO_REQUEST) == InjectedFault.parse("html")


def test_a_script_is_played_in_order_and_then_over() -> None:
    plan = FaultPlan(script=["stall", "-603"])

    assert plan.pending == ["stall", "-603"]
    names = [fault and fault.name for fault in (plan.next(MEMO_REQUEST) for _ in range(3))]
    assert names == ["stall", "-603", None]


def test_a_scripted_fault_waits_for_a_request_that_it_matches() -> None:
    plan = FaultPlan(script=["KOE322", "stall@/v1/api/talk/friends/message/", "html"])

    def name(request: WireRequest) -> str | None:
        fault = plan.next(request)
        return None if fault is None else fault.name

    assert name(MEMO_REQUEST) == "html"
    assert name(MEMO_REQUEST) is None
    assert name(FRIEND_REQUEST) == "stall"
    assert name(TOKEN_REQUEST) == "KOE322"


def test_faults_hit_messages_unless_told_otherwise() -> None:
    plan = FaultPlan("stall")

    assert plan.next(TOKEN_REQUEST) is None
    assert plan.next(WireRequest("GET", "/v1/api/talk/friends")) is None
    assert plan.next(FRIEND_REQUEST) is not None
    assert FaultPlan("stall@/").next(TOKEN_REQUEST) is not None


def test_401_twice_hits_two_requests() -> None:
    plan = FaultPlan(script=["401-twice", "html"])
    names = [fault and fault.name for fault in (plan.next(MEMO_REQUEST) for _ in range(4))]

    assert names == ["-401", "-401", "html", None]


def test_the_script_goes_before_the_spec() -> None:
    plan = FaultPlan("html", script=["stall"])
    names = [fault and fault.name for fault in (plan.next(MEMO_REQUEST) for _ in range(3))]

    assert names == ["stall", "html", "html"]


def test_draws_follow_the_seed_and_the_probability() -> None:
    def draw(seed: int) -> list[str]:
        plan = FaultPlan("stall:0.2, -603+:0.1", seed=seed)
        faults = [plan.next(MEMO_REQUEST) for _ in range(2000)]
        return [fault.name for fault in faults if fault is not None]

    names = draw(1)
    assert names == draw(1)
    assert names != draw(2)
    assert 330 < names.count("stall") < 470
    assert 110 < names.count("-603+") < 210


def test_an_empty_plan_clears() -> None:
    plan = FaultPlan("html", script=["stall"])
    plan.replace()

    assert plan.next(MEMO_REQUEST) is None
