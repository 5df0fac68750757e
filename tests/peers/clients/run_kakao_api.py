"""Logs in and asks for the user by kakao-api, in both of its ways."""

# mypy: ignore-errors

import asyncio
from urllib.parse import parse_qs, urlsplit

from kakao_api import KakaoApi
from script import KEY, REDIRECT, SECRET, tell, visit


async def main():
    api = KakaoApi(KEY, "an-admin-key", redirect_uri=REDIRECT, client_secret=SECRET)
    address = api.get_authorze_uri(scope="profile_nickname,account_email", prompt="login")
    code = parse_qs(urlsplit(visit(address)).query)["code"][0]
    token = await api.get_token(code, client_secret=SECRET)
    for keys in (None, ["kakao_account.email"]):
        user = await api.get_user_info(token.access_token, property_keys=keys)
        tell(user.id)


asyncio.run(main())
