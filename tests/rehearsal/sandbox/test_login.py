import base64
import hashlib
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest

from kakaocron.rehearsal.sandbox.account import ReadyLogin
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.settings import Settings
from kakaocron.rehearsal.sandbox.wire import WireAnswer, WireRequest
from tests.rehearsal.sandbox.support import (
    FORM,
    NOW,
    TOKEN,
    content,
    get,
    memo,
    post,
    refresh_fields,
    verdict,
)

AUTHORIZE = "/oauth/authorize"
REDIRECT = Settings().redirect_uris[0]
QUERY = {
    "client_id": Settings().rest_api_key,
    "redirect_uri": REDIRECT,
    "response_type": "code",
    "scope": "talk_message",
    "state": 'x"<&',
}
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=")


class Form(HTMLParser):
    """What a browser would send for the page's one form."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.boxes: list[str] = []
        self.buttons: list[str] = []
        self.action = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values["action"]
        elif tag == "button":
            self.buttons.append(values["value"])
        elif values.get("type") == "hidden":
            self.hidden[values["name"]] = values["value"]
        elif values.get("type") == "checkbox":
            self.boxes.append(values["value"])

    def submit(self, decision: str, *ticked: str) -> WireRequest:
        pairs = [*self.hidden.items(), *(("agreed_scope", box) for box in ticked)]
        body = urlencode([*pairs, ("decision", decision)]).encode()
        return WireRequest("POST", self.action, "", {"Content-Type": FORM}, body)


def authorize(kakao: Kakao, **changes: str) -> WireAnswer:
    return kakao.handle(get(AUTHORIZE, query=urlencode({**QUERY, **changes})), NOW)


def returned(answer: WireAnswer) -> dict[str, str]:
    assert answer.status == 302
    location = urlsplit(answer.headers["Location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == REDIRECT
    return dict(parse_qsl(location.query))


def get_code(kakao: Kakao, **changes: str) -> str:
    form = Form(authorize(kakao, **changes).body)
    return returned(kakao.handle(form.submit("agree", *form.boxes), NOW))["code"]


def code_fields(code: str, /, **changes: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "client_id": Settings().rest_api_key,
        "client_secret": Settings().client_secret or "",
        "redirect_uri": REDIRECT,
        "code": code,
        **changes,
    }


def exchange(kakao: Kakao, code: str, /, **changes: str) -> WireAnswer:
    return kakao.handle(post(TOKEN, code_fields(code, **changes)), NOW)


def renew(kakao: Kakao, refresh_token: str, after: timedelta = timedelta()) -> WireAnswer:
    return kakao.handle(post(TOKEN, refresh_fields(kakao, refresh_token)), NOW + after)


def test_agreeing_leads_to_a_login_that_can_send(kakao: Kakao) -> None:
    form = Form(authorize(kakao).body)
    assert (form.boxes, form.buttons) == (["talk_message"], ["agree", "refuse"])
    back = returned(kakao.handle(form.submit("agree", "talk_message"), NOW))
    assert back["state"] == QUERY["state"]

    tokens = content(exchange(kakao, back["code"]))

    assert tokens | {"access_token": "", "refresh_token": ""} == {
        "token_type": "bearer",
        "access_token": "",
        "expires_in": 21599,
        "refresh_token": "",
        "refresh_token_expires_in": 5183999,
        "scope": "talk_message",
    }
    assert kakao.handle(memo(tokens["access_token"]), NOW).status == 200


def test_an_unticked_box_leads_to_a_login_that_cannot_send(kakao: Kakao) -> None:
    form = Form(authorize(kakao).body)
    code = returned(kakao.handle(form.submit("agree"), NOW))["code"]
    tokens = content(exchange(kakao, code))

    assert tokens["scope"] == ""
    assert verdict(kakao.handle(memo(tokens["access_token"]), NOW)) == (403, -402)


def test_refusing_leads_back_with_an_error(kakao: Kakao) -> None:
    form = Form(authorize(kakao).body)
    back = returned(kakao.handle(form.submit("refuse", "talk_message"), NOW))

    assert (back["error"], back["state"]) == ("access_denied", QUERY["state"])
    assert "code" not in back


def test_no_scope_asks_for_all_of_the_app(kakao: Kakao) -> None:
    assert Form(authorize(kakao, scope="").body).boxes == ["talk_message", "friends"]
    assert Form(authorize(kakao, scope="talk_message,friends").body).boxes == [
        "talk_message",
        "friends",
    ]


def test_the_page_is_shown_only_the_first_time(kakao: Kakao) -> None:
    get_code(kakao)

    assert "code" in returned(authorize(kakao))
    assert authorize(kakao, prompt="login").status == 200
    assert authorize(kakao, scope="talk_message,friends").status == 200


def test_a_login_without_a_browser_is_no_visit_to_the_page(kakao: Kakao, login: ReadyLogin) -> None:
    assert returned(authorize(kakao, prompt="none"))["error"] == "consent_required"
    form = Form(authorize(kakao, scope="").body)
    assert form.boxes == ["talk_message", "friends"]

    kakao.handle(form.submit("agree", "friends"), NOW)

    assert verdict(kakao.handle(memo(login.access_token), NOW)) == (403, -402)
    assert Form(authorize(kakao, scope="").body).boxes == ["talk_message"]


def test_the_first_login_shows_the_page_also_when_nothing_is_asked() -> None:
    kakao = Kakao(Settings(scopes=()))
    form = Form(authorize(kakao, scope="").body)
    assert (form.boxes, form.buttons) == ([], ["agree", "refuse"])

    assert "code" in returned(kakao.handle(form.submit("agree"), NOW))
    assert "code" in returned(authorize(kakao, scope=""))


def test_pages_are_korean_and_say_that_they_are_not_kakao(kakao: Kakao) -> None:
    for answer in (authorize(kakao, scope=""), authorize(kakao, client_id="wrong")):
        page = answer.body.decode()
        assert '<html lang="ko">' in page
        assert "카카오가 아니고" in page
        assert "password" not in page
    assert "카카오톡 메시지 전송" in authorize(kakao).body.decode()


def test_prompt_none_never_shows_the_page(kakao: Kakao) -> None:
    assert returned(authorize(kakao, prompt="none"))["error"] == "consent_required"
    get_code(kakao)
    assert "code" in returned(authorize(kakao, prompt="none"))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": REDIRECT + "/"}, "KOE006"),
        ({"redirect_uri": "https://evil.example"}, "KOE006"),
        ({"client_id": "wrong"}, "KOE101"),
        ({"scope": "talk_message account_email"}, "KOE205"),
        ({"scope": "account_email"}, "KOE205"),
        ({"response_type": "token"}, "invalid_request"),
        ({"code_challenge": "x"}, "invalid_request"),
    ],
)
def test_wrong_login_addresses_end_on_an_error_page(
    kakao: Kakao, changes: dict[str, str], error: str
) -> None:
    answer = authorize(kakao, **changes)

    assert answer.status == 400
    assert error in answer.body.decode()


def test_a_form_with_another_address_is_refused(kakao: Kakao) -> None:
    form = Form(authorize(kakao).body)
    form.hidden["redirect_uri"] = "https://evil.example"

    assert kakao.handle(form.submit("agree", "talk_message"), NOW).status == 400


@pytest.mark.parametrize("body", [b"", b"\xff", b"decision"])
def test_a_garbage_form_is_refused(kakao: Kakao, body: bytes) -> None:
    assert kakao.handle(post(AUTHORIZE, {}, body=body), NOW).status == 400


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_secret": "wrong"}, (401, "KOE010")),
        ({"client_secret": ""}, (401, "KOE010")),
        ({"client_id": "wrong"}, (401, "KOE101")),
        ({"redirect_uri": "http://localhost:8765/callback"}, (400, "KOE303")),
        ({"code": "unknown"}, (400, "KOE320")),
        ({"grant_type": "password"}, (400, "KOE310")),
    ],
)
def test_wrong_code_exchanges_are_refused(
    kakao: Kakao, changes: dict[str, str], expected: tuple[int, str]
) -> None:
    assert verdict(exchange(kakao, get_code(kakao), **changes)) == expected


def test_a_code_works_once(kakao: Kakao) -> None:
    code = get_code(kakao)

    assert exchange(kakao, code).status == 200
    assert verdict(exchange(kakao, code)) == (400, "KOE320")


@pytest.mark.parametrize(("seconds", "status"), [(599, 200), (600, 400), (601, 400)])
def test_a_code_is_short_lived(kakao: Kakao, seconds: int, status: int) -> None:
    request = post(TOKEN, code_fields(get_code(kakao)))

    assert kakao.handle(request, NOW + timedelta(seconds=seconds)).status == status


def test_pkce_is_verified_when_it_was_begun(kakao: Kakao) -> None:
    pkce = {
        "code_challenge": CHALLENGE.decode(),
        "code_challenge_method": "S256",
        "prompt": "login",
    }

    assert exchange(kakao, get_code(kakao, **pkce), code_verifier=VERIFIER).status == 200
    assert verdict(exchange(kakao, get_code(kakao, **pkce))) == (400, "KOE320")
    wrong = exchange(kakao, get_code(kakao, **pkce), code_verifier="w" * 43)
    assert verdict(wrong) == (400, "KOE320")


def test_no_secret_is_needed_when_it_is_off() -> None:
    kakao = Kakao(Settings(client_secret=None))
    fields = refresh_fields(kakao, kakao.issue_login(NOW).refresh_token)
    del fields["client_secret"]

    assert kakao.handle(post(TOKEN, fields), NOW).status == 200


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"refresh_token": ""}, (400, "KOE319")),
        ({"refresh_token": "unknown"}, (400, "KOE322")),
        ({"client_secret": "wrong"}, (401, "KOE010")),
        ({"client_id": "wrong"}, (401, "KOE101")),
    ],
)
def test_wrong_refreshes_are_refused(
    kakao: Kakao, login: ReadyLogin, changes: dict[str, str], expected: tuple[int, str]
) -> None:
    fields = {**refresh_fields(kakao, login.refresh_token), **changes}

    assert verdict(kakao.handle(post(TOKEN, fields), NOW)) == expected


def test_a_refresh_in_json_is_refused(kakao: Kakao, login: ReadyLogin) -> None:
    fields = refresh_fields(kakao, login.refresh_token)
    as_json = post(TOKEN, fields, content_type="application/json")

    assert verdict(kakao.handle(as_json, NOW)) == (400, "KOE310")


def test_a_refresh_with_a_field_in_query_and_body_is_refused(
    kakao: Kakao, login: ReadyLogin
) -> None:
    fields = refresh_fields(kakao, login.refresh_token)
    request = WireRequest(
        "POST", TOKEN, urlencode(fields), {"Content-Type": FORM}, b"grant_type=refresh_token"
    )

    assert verdict(kakao.handle(request, NOW)) == (400, "KOE310")


@pytest.mark.parametrize(("seconds", "code"), [(21598, None), (21599, -401), (21600, -401)])
def test_an_access_token_lives_six_hours(
    kakao: Kakao, token: str, seconds: int, code: int | None
) -> None:
    answer = kakao.handle(memo(token), NOW + timedelta(seconds=seconds))

    assert content(answer).get("code") == code


def test_the_usual_refresh_brings_no_refresh_token(kakao: Kakao, login: ReadyLogin) -> None:
    tokens = content(renew(kakao, login.refresh_token))

    assert tokens.keys() == {"access_token", "token_type", "expires_in"}
    assert kakao.handle(memo(tokens["access_token"]), NOW).status == 200
    assert kakao.handle(memo(login.access_token), NOW).status == 200
    assert renew(kakao, login.refresh_token).status == 200


@pytest.mark.parametrize(("seconds_left_over_30_days", "is_rotated"), [(1, 0), (0, 0), (-1, 1)])
def test_the_last_30_days_bring_a_new_refresh_token(
    kakao: Kakao, login: ReadyLogin, seconds_left_over_30_days: int, is_rotated: int
) -> None:
    after = timedelta(seconds=5183999) - timedelta(days=30, seconds=seconds_left_over_30_days)
    tokens = content(renew(kakao, login.refresh_token, after))

    assert ("refresh_token" in tokens) == bool(is_rotated)
    assert ("refresh_token_expires_in" in tokens) == bool(is_rotated)


def test_the_old_refresh_token_is_dead_at_once_after_rotation(
    kakao: Kakao, login: ReadyLogin
) -> None:
    after = timedelta(days=45)
    new = content(renew(kakao, login.refresh_token, after))["refresh_token"]

    assert verdict(renew(kakao, login.refresh_token, after)) == (400, "KOE322")
    assert renew(kakao, new, after).status == 200
    assert renew(kakao, new, timedelta(days=100)).status == 200


@pytest.mark.parametrize(("seconds", "status"), [(5183998, 200), (5183999, 400), (5184000, 400)])
def test_a_refresh_token_dies_after_60_days(
    kakao: Kakao, login: ReadyLogin, seconds: int, status: int
) -> None:
    assert renew(kakao, login.refresh_token, timedelta(seconds=seconds)).status == status


def test_20_access_tokens_in_10_minutes(kakao: Kakao, login: ReadyLogin) -> None:
    for _ in range(20):
        assert renew(kakao, login.refresh_token).status == 200

    assert verdict(renew(kakao, login.refresh_token)) == (400, "KOE237")
    almost, then = timedelta(seconds=599), timedelta(seconds=600)
    assert verdict(renew(kakao, login.refresh_token, almost)) == (400, "KOE237")
    assert renew(kakao, login.refresh_token, then).status == 200


def test_30_refresh_tokens_in_60_minutes(kakao: Kakao) -> None:
    def log_in_at(minute: int) -> WireAnswer:
        request = post(TOKEN, code_fields(get_code(kakao, prompt="login")))
        return kakao.handle(request, NOW + timedelta(minutes=minute))

    kakao = Kakao(Settings(code_lifetime=timedelta(hours=2)))
    assert {log_in_at(minute).status for minute in range(30)} == {200}
    assert verdict(log_in_at(30)) == (400, "KOE237")
    assert log_in_at(60).status == 200


def test_revoked_tokens_are_dead(kakao: Kakao, login: ReadyLogin) -> None:
    kakao.revoke_access_tokens()
    assert verdict(kakao.handle(memo(login.access_token), NOW)) == (401, -401)
    assert renew(kakao, login.refresh_token).status == 200

    kakao.revoke_refresh_tokens()
    assert verdict(renew(kakao, login.refresh_token)) == (400, "KOE322")


def test_reset_forgets_everything(kakao: Kakao, login: ReadyLogin) -> None:
    kakao.handle(memo(login.access_token), NOW)
    kakao.reset()

    assert (kakao.deliveries, kakao.requests) == ([], [])
    assert verdict(kakao.handle(memo(login.access_token), NOW)) == (401, -401)


def test_state_survives_the_page_unharmed(kakao: Kakao) -> None:
    page = authorize(kakao).body.decode()

    assert QUERY["state"] not in page
    assert parse_qs(urlencode(Form(page.encode()).hidden))["state"] == [QUERY["state"]]
