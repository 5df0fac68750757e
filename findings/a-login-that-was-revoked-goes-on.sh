#!/usr/bin/env bash
# httpx-oauth 0.17.0: its Kakao client has /v1/user/unlink as the place to revoke a token, so one
# would guess that revoke_token() ends the user's consent. Kakao's call takes the token from the
# header, `Authorization: Bearer`, as its documentation and its SDKs have it; revoke_token() writes
# it into the form, as RFC 7009 has it, and sends no such header. Kakao answers 401, code -401, and
# the user stays linked: no login by this client can be revoked by it.
#
# Why: KakaoOAuth2 (clients/kakao.py) gives the address alone, and BaseOAuth2.revoke_token
# (oauth2.py) knows one way to ask. get_profile() of the same class sets the header by itself.
#
# Seen with Python 3.11.7, against a stand-in that reads the header as Kakao does:
#   get_profile:   Bearer, no token in the form:  the profile
#   revoke_token:  no header, token in the form:  RevokeTokenError, still linked
# Fails if that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet httpx-oauth==0.17.0
cat > "$folder/ask.py" <<'PYTHON'
import asyncio
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs

from httpx_oauth.clients import kakao

seen = []


class Kakao(BaseHTTPRequestHandler):
    linked = True

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        has_header = self.headers["Authorization"] == "Bearer the-token"
        seen.append((has_header, "token" in form))
        if has_header and self.path == "/v1/user/unlink":
            Kakao.linked = False
        answer = {"id": 1} if has_header else {"msg": "authentication key header not exist", "code": -401}
        body = json.dumps(answer).encode()
        self.send_response(200 if has_header else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


async def ask(address):
    kakao.PROFILE_ENDPOINT = address + "/v2/user/me"
    client = kakao.KakaoOAuth2("key", "secret")
    client.revoke_token_endpoint = client.revoke_token_endpoint.replace("https://kapi.kakao.com", address)
    await client.get_profile("the-token")
    try:
        await client.revoke_token("the-token")
    except Exception as error:
        return type(error).__name__
    return "revoked"


server = HTTPServer(("127.0.0.1", 0), Kakao)
Thread(target=server.serve_forever, daemon=True).start()
ended = asyncio.run(ask(f"http://127.0.0.1:{server.server_port}"))
(profile, revoke) = seen
print("get_profile:  header, token in the form:", *profile)
print("revoke_token: header, token in the form:", *revoke)
print(ended, "still linked" if Kakao.linked else "unlinked")
assert (profile, revoke) == ((True, False), (False, True))
assert (ended, Kakao.linked) == ("RevokeTokenError", True)
PYTHON
"$folder/venv/bin/python" "$folder/ask.py"
