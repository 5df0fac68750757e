"""What a browser shows: pages in the manner of Kakao's, each with the word that it is not Kakao."""

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import urlencode

from kakaocron.rehearsal.sandbox.settings import Member

# Kakao's names of consent items, as its consent page shows them.
_DISPLAY_NAMES = {
    "account_email": "카카오계정(이메일)",
    "friends": "카카오 서비스 내 친구목록(프로필사진, 닉네임, 즐겨찾기 포함)",
    "openid": "OpenID Connect ID 토큰",
    "profile_image": "프로필 사진",
    "profile_nickname": "닉네임",
    "talk_calendar": "톡캘린더 및 일정 생성, 조회, 편집/삭제",
    "talk_message": "카카오톡 메시지 전송",
}

# Parameters that travel through the consent page's form.
_CARRIED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "login_hint",
    "code_challenge",
    "code_challenge_method",
)

_STYLE = """
*{box-sizing:border-box}
body{margin:0;color:#191919;font:15px/1.5 "Apple SD Gothic Neo","Malgun Gothic","Noto Sans CJK KR",
NanumGothic,sans-serif;word-break:keep-all}
.notice{padding:8px;background:#f6f6f6;color:#666;font-size:12px;text-align:center}
main{max-width:420px;margin:0 auto;padding:32px 20px}
.logo{font-size:26px;font-weight:800;letter-spacing:-1px}
.app{display:flex;align-items:center;gap:12px;margin:28px 0 20px;font-weight:700;font-size:18px}
.app span{width:44px;height:44px;border-radius:14px;background:#fee500;text-align:center;
line-height:44px}
.box{display:flex;gap:10px;padding:12px 0;border-top:1px solid #f0f0f0}
.box input{flex:none;width:20px;height:20px;margin:1px 0;accent-color:#fae100}
.box small{color:#999}
button{display:block;width:100%;height:50px;margin-top:12px;border:0;border-radius:6px;
background:#fee500;color:#191919;font:inherit;font-weight:600;cursor:pointer}
button.plain{background:#f6f6f6}
h1{font-size:20px;margin:28px 0 8px}
"""


def display_name(scope: str) -> str:
    """Return Kakao's name of a consent item; its id where none is known."""
    return _DISPLAY_NAMES.get(scope, scope)


def consent_page(
    params: Mapping[str, str],
    scopes: Sequence[str],
    person: Member,
    others: Sequence[Member] = (),
) -> str:
    """Write the consent page for somebody; as at Kakao no optional item is ticked beforehand.
    `others` are who might look at it in that person's place."""
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(params[name])}">'
        for name in _CARRIED
        if name in params
    )
    boxes = "".join(
        f'<label class="box"><input type="checkbox" id="{escape(scope)}" name="agreed_scope"'
        f' value="{escape(scope)}"><span><small>[선택]</small> {escape(display_name(scope))}'
        "</span></label>"
        for scope in scopes
    )
    asks = (
        "아래 항목에 동의하면 서비스를 이용할 수 있습니다."
        if scopes
        else "이 계정으로 로그인합니다."
    )
    who = _chooser(params, person, others)
    return _page(
        "카카오 로그인",
        f'<div class="app"><span>앱</span>연습용 앱</div>{who}<p>{asks}</p>'
        f'<form method="post" action="/oauth/authorize">{hidden}{boxes}'
        '<button id="agree" name="decision" value="agree">'
        f"{'동의하고 계속하기' if scopes else '계속하기'}</button>"
        '<button id="refuse" class="plain" name="decision" value="refuse">취소</button></form>',
    )


def _chooser(params: Mapping[str, str], person: Member, others: Sequence[Member]) -> str:
    if not others:
        return ""
    links = "".join(
        f'<a href="?{escape(urlencode({**params, "login_hint": one.uuid}))}">{escape(one.nickname)}'
        "</a> "
        for one in others
    )
    return f'<p class="who"><b>{escape(person.nickname)}</b> 다른 계정: {links}</p>'


def error_page(error: str, reason: str) -> str:
    """Write the page on which a wrong address of a login ends, with Kakao's code."""
    return _page(
        "카카오 로그인 오류",
        f"<h1>앱 관리자 설정 오류 ({escape(error)})</h1><p>{escape(reason)}</p>",
    )


def _page(title: str, inside: str) -> str:
    return (
        '<!doctype html><html lang="ko"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        '<div class="notice">연습용 서버예요. 카카오가 아니고, 비밀번호를 묻지 않아요.</div>'
        f'<main><div class="logo">kakao</div>{inside}</main></body></html>'
    )
