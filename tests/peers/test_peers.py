"""Other people's programs against the sandbox under Kakao's own names, unchanged.

They are installed from their registries into a folder of the test's: minutes. Run: pytest -m peers
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from kakaocron.rehearsal.sandbox.settings import SandboxBot
from tests.peers.peers import CLIENTS, REPOSITORY, Ended, Peers

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(
        not all(map(shutil.which, ("unshare", "ip", "npm", "openssl"))),
        reason="needs util-linux, iproute2, npm and openssl",
    ),
]

KEY, SECRET = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
CALLBACK = "http://127.0.0.1:8765/callback"
PROFILE = ("profile_nickname", "profile_image", "account_email")
TOKEN = "kauth POST /oauth/token 200"
AUTHORIZE, CONSENT = "kauth GET /oauth/authorize 200", "kauth POST /oauth/authorize 302"
LOGIN = [AUTHORIZE, CONSENT, TOKEN]
MEMO = "kapi POST /v2/api/talk/memo/default/send 200"
FRIENDS = "kapi POST /v1/api/talk/friends/message/default/send 200"
ME, ME_POSTED = "kapi GET /v2/user/me 200", "kapi POST /v2/user/me 200"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path


def settings(*scopes: str, redirect_uri: str = CALLBACK, **more: Any) -> dict[str, Any]:
    app = {"rest_api_key": KEY, "client_secret": SECRET, "redirect_uris": [redirect_uri]}
    return {**app, **({"scopes": scopes} if scopes else {}), **more}


def app(redirect_uri: str = CALLBACK) -> dict[str, str]:
    return {"KAKAO_KEY": KEY, "KAKAO_SECRET": SECRET, "KAKAO_URI": redirect_uri}


def python_client(peers: Peers, place: Path, script: str, *argv: str, **more: Any) -> Ended:
    more = {"account": place.name, "settings": settings(), **app(), **more}
    return peers.run(place, str(peers.python), str(CLIENTS / script), *argv, **more)


def node_client(peers: Peers, place: Path, script: str, **more: Any) -> Ended:
    more = {"account": place.name, **app(), **more}
    return peers.run(place, "node", str(CLIENTS / script), **more)


def check(ended: Ended, asked: list[str], told: list[Any] | None = None) -> None:
    """Compare what was asked, each with its answer; a wrong host is a wrong request."""
    assert ended.exit == 0, ended.err
    assert ended.asked() == asked, ended.err
    if told is not None:
        assert ended.told == told


# --- each call that Kakao takes is taken


def test_kakaotalk_bot(peers: Peers, place: Path) -> None:
    bot = SandboxBot()
    rooms = [one.key for one in bot.rooms]
    ended = python_client(peers, place, "run_kakaotalk_bot.py", bot.token, *rooms, "ffee0011")
    send, posted = "kapi POST /v1/bot/send_message", {"totalCount": 1, "sendCount": 1}

    asked = [*(f"{send} {status}" for status in (200, 200, 400, 400, 400))]
    check(ended, [*asked, "kapi GET /v1/bot/guide 200"])
    assert ended.told[:2] == [posted | {"errorCount": 0}] * 2
    assert ended.told[2:] == [[400, -879], [400, -880], [400, -876], {"contents": ""}]
    assert ended.deliveries == rooms[:2]


def test_apprise(peers: Peers, place: Path) -> None:
    ended = python_client(peers, place, "run_apprise.py", "me/uuid-aaa", is_logged_in=True)

    check(ended, [TOKEN, MEMO, FRIENDS], [True, True])
    assert ended.deliveries == ["me", "uuid-aaa"]


def test_pykakao(peers: Peers, place: Path) -> None:
    uri = "https://localhost:5000"  # its own default
    without_secret = settings(redirect_uri=uri) | {"client_secret": None}
    ended = python_client(peers, place, "run_pykakao.py", settings=without_secret, **app(uri))

    check(ended, [AUTHORIZE, *LOGIN, *[MEMO] * 5, FRIENDS])
    assert all("메시지 전송 성공" in told for told in ended.told)
    assert ended.deliveries == ["me"] * 5 + ["uuid-aaa", "uuid-bbb"]


def kakaome(peers: Peers, place: Path, *argv: str, **more: Any) -> Ended:
    more = {"account": place.name, "settings": settings(), **more}
    browser = f"{sys.executable} {REPOSITORY / 'tests' / 'peers' / 'person.py'} %s &"
    command = str(peers.python.parent / "kakaome")
    return peers.run(place, command, *argv, BROWSER=browser, **more)


def configure_kakaome(peers: Peers, place: Path) -> None:
    check(kakaome(peers, place, "configure", "--rest-api-key", KEY, "--client-secret", SECRET), [])
    check(kakaome(peers, place, "auth"), LOGIN)


def test_kakaome(peers: Peers, place: Path) -> None:
    configure_kakaome(peers, place)
    image = ("--image-url", "https://example.org/a.png")

    check(kakaome(peers, place, "send", "09:00 약 먹기"), [MEMO])
    ended = kakaome(peers, place, "send", "그림", *image)

    check(ended, [MEMO])
    assert ended.deliveries == ["me"]


def test_airflow_provider_kakao(peers: Peers, place: Path) -> None:
    uuids = [f"uuid-{number}" for number in range(7)]
    more = {"settings": settings(friends=uuids), "UUIDS": str(uuids).replace("'", '"')}
    tasks = "text,template,friends"
    ended = python_client(peers, place, "run_airflow.py", tasks, is_logged_in=True, **more)

    check(ended, [TOKEN, MEMO, TOKEN, MEMO, TOKEN, FRIENDS, FRIENDS], ["success"] * 3)
    assert ended.deliveries == ["me", "me", *uuids]


def test_kpick_oauth(peers: Peers, place: Path) -> None:
    ended = python_client(peers, place, "run_kpick.py", settings=settings(*PROFILE))

    check(ended, [*LOGIN, ME], [["a-state", "3000000001", "me@example.org", "나"]])


def test_httpx_oauth(peers: Peers, place: Path) -> None:
    ended = python_client(peers, place, "run_httpx_oauth.py", settings=settings(*PROFILE))

    fields = ["access_token", "expires_at", "expires_in", "token_type"]
    check(ended, [*LOGIN, ME_POSTED, TOKEN], [["3000000001", "me@example.org"], fields])


def test_fastapi_sso(peers: Peers, place: Path) -> None:
    ended = python_client(peers, place, "run_fastapi_sso.py", settings=settings(*PROFILE))

    check(ended, [*LOGIN, ME], [["kakao", "나"]])


def test_django_allauth(peers: Peers, place: Path) -> None:
    uri = "http://127.0.0.1:8000/accounts/kakao/login/callback/"
    told = settings(*PROFILE, redirect_uri=uri)
    ended = python_client(peers, place, "run_allauth.py", settings=told, **app(uri))

    check(ended, [*LOGIN, ME], ["/welcome", ["kakao", "3000000001", "me@example.org"]])


def test_kakao_api(peers: Peers, place: Path) -> None:
    ended = python_client(peers, place, "run_kakao_api.py", settings=settings(*PROFILE))

    check(ended, [*LOGIN, ME, ME_POSTED], [3000000001] * 2)


def test_passport_kakao(peers: Peers, place: Path) -> None:
    ended = node_client(peers, place, "run_passport.mjs", settings=settings(*PROFILE))

    check(ended, [*LOGIN, ME], [["kakao", 3000000001, "나"]])
    assert "access_token=" in ended.calls[-1]["target"]
    assert "Authorization" not in ended.calls[-1]["headers"]


def test_logto_connector_kakao(peers: Peers, place: Path) -> None:
    ended = node_client(peers, place, "run_logto.mjs", settings=settings(*PROFILE))

    check(ended, [*LOGIN, ME_POSTED], [["3000000001", "me@example.org", "나"]])


def test_arctic(peers: Peers, place: Path) -> None:
    ended = node_client(peers, place, "run_arctic.mjs", settings=settings(*PROFILE))

    check(ended, [*LOGIN, TOKEN], [True, ["bearer", False]])


def test_better_auth(peers: Peers, place: Path) -> None:
    ended = node_client(peers, place, "run_better_auth.mjs", settings=settings(*PROFILE))

    check(ended, [*LOGIN, ME, TOKEN], [["나", "me@example.org", True], True])


def test_auth_core(peers: Peers, place: Path) -> None:
    told = settings(*PROFILE, redirect_uri="http://127.0.0.1:8000/auth/callback/kakao")
    ended = node_client(peers, place, "run_authjs.mjs", settings=told)

    user = {"name": "나", "email": "me@example.org", "image": "https://example.org/profile.jpg"}
    check(ended, [*LOGIN, ME], [user])
