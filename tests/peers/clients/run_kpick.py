"""Logs in as kpick-oauth's README does."""

# mypy: ignore-errors

from urllib.parse import parse_qs, urlsplit

from kpick_oauth import OAuthClient
from script import KEY, REDIRECT, SECRET, tell, visit


def main():
    client = OAuthClient("kakao", KEY, SECRET)
    address = client.get_authorize_url(REDIRECT, "a-state", scope="profile_nickname account_email")
    back = parse_qs(urlsplit(visit(address)).query)
    token = client.fetch_token(back["code"][0], REDIRECT)
    user = client.fetch_user(token["access_token"])
    tell([back["state"][0], user.provider_id, user.email, user.name])


main()
