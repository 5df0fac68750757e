"""The user's profile in /v2/user/me, as far as the user agreed to show it (Kakao Login page)."""

from collections.abc import Set as AbstractSet
from typing import Any

from kakaocron.rehearsal.sandbox.settings import Settings

EMAIL = "me@example.org"
IMAGE_URL = "https://example.org/profile.jpg"


def profile(settings: Settings, nickname: str, agreed: AbstractSet[str]) -> dict[str, Any]:
    """Return `properties` and `kakao_account`, where the app has an item of the profile at all."""
    account: dict[str, Any] = {}
    properties: dict[str, str] = {}
    shown: dict[str, Any] = {}
    if "profile_nickname" in settings.scopes:
        account["profile_nickname_needs_agreement"] = "profile_nickname" not in agreed
    if "profile_image" in settings.scopes:
        account["profile_image_needs_agreement"] = "profile_image" not in agreed
    if "account_email" in settings.scopes:
        account |= {"has_email": True, "email_needs_agreement": "account_email" not in agreed}
    if "profile_nickname" in agreed:
        properties["nickname"] = nickname
        shown |= {"nickname": nickname, "is_default_nickname": False}
    if "profile_image" in agreed:
        properties |= {"profile_image": IMAGE_URL, "thumbnail_image": IMAGE_URL}
        shown |= {"thumbnail_image_url": IMAGE_URL, "profile_image_url": IMAGE_URL}
        shown["is_default_image"] = False
    if "account_email" in agreed:
        account |= {"is_email_valid": True, "is_email_verified": True, "email": EMAIL}
    if shown:
        account["profile"] = shown
    named = {"properties": properties, "kakao_account": account}
    return {name: value for name, value in named.items() if value}
