"""The friends list: page after page, from the configured server only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from kakaocron.kakao.account import ask, objects
from kakaocron.kakao.codes import FRIENDS
from kakaocron.system.http import Http

PAGE = 100
MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Friend:
    """One who may get messages; Kakao says so by `is_allowed`."""

    uuid: str
    nickname: str
    is_allowed: bool

    def fields(self) -> dict[str, Any]:
        return {"uuid": self.uuid, "nickname": self.nickname, "allowed_msg": self.is_allowed}


def friends_of(http: Http, api_url: str, token: str) -> Iterator[Friend]:
    """Yield every friend, each once. Raises KakaocronError with what to do.

    The next page is asked for by its offset: an address in an answer is not trusted with a token.
    """
    seen: set[str] = set()
    for page in range(MOST_PAGES):
        query = urlencode({"offset": page * PAGE, "limit": PAGE, "order": "asc"})
        answer = ask(http, f"{api_url}/v1/api/talk/friends?{query}", token, FRIENDS)
        known = len(seen)
        for element in objects(answer.get("elements")):
            uuid, name = element.get("uuid"), element.get("profile_nickname")
            if isinstance(uuid, str) and uuid and uuid not in seen:
                seen.add(uuid)
                nickname = name if isinstance(name, str) else ""
                yield Friend(uuid, nickname, element.get("allowed_msg") is not False)
        if len(seen) == known or not answer.get("after_url"):
            return
