"""Logs in by fastapi-sso's Kakao class."""

# mypy: ignore-errors

import asyncio
from urllib.parse import urlsplit

from fastapi_sso.sso.kakao import KakaoSSO
from script import KEY, REDIRECT, SECRET, tell, visit
from starlette.requests import Request


async def main():
    sso = KakaoSSO(KEY, SECRET, REDIRECT, allow_insecure_http=True)
    async with sso:
        start = await sso.get_login_redirect()
        back = urlsplit(visit(start.headers["location"]))
        cookies = [line.partition(";")[0] for line in start.headers.getlist("set-cookie")]
        headers = [(b"host", back.netloc.encode()), (b"cookie", "; ".join(cookies).encode())]
        scope = {"type": "http", "method": "GET", "scheme": "http", "path": back.path}
        request = Request({**scope, "headers": headers, "query_string": back.query.encode()})
        user = await sso.verify_and_process(request)
        tell([user.provider, user.display_name])


asyncio.run(main())
