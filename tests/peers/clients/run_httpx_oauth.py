"""Logs in, asks for the profile and refreshes by httpx-oauth; its scopes are parted by a space."""

# mypy: ignore-errors

import asyncio
from urllib.parse import parse_qs, urlsplit

from httpx_oauth.clients.kakao import KakaoOAuth2
from script import KEY, REDIRECT, SECRET, tell, visit


async def main():
    client = KakaoOAuth2(KEY, SECRET)
    address = await client.get_authorization_url(REDIRECT, state="a-state")
    code = parse_qs(urlsplit(visit(address)).query)["code"][0]
    token = await client.get_access_token(code, REDIRECT)
    tell(await client.get_id_email(token["access_token"]))
    tell(sorted(await client.refresh_token(token["refresh_token"])))


asyncio.run(main())
