"""The six message endpoints (Kakao's documentation, Message REST API page)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

MEMO_PREFIX = "/v2/api/talk/memo/"
FRIEND_MESSAGE_PREFIX = "/v1/api/talk/friends/message/"
UPLOAD_PATH = "/v2/api/talk/message/image/upload"
TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path


@dataclass(frozen=True)
class Endpoint:
    """What a message endpoint takes; only the first `api_type` has been seen, others by analogy."""

    api_type: str
    content: Literal["default", "scrap", "custom"]
    is_for_friends: bool

    @property
    def required_scopes(self) -> tuple[str, ...]:
        """Consent items without which Kakao answers -402."""
        return ("talk_message", "friends") if self.is_for_friends else ("talk_message",)


ENDPOINTS: Mapping[str, Endpoint] = MappingProxyType(
    {
        MEMO_PREFIX + "default/send": Endpoint("TALK_MEMO_DEFAULT_SEND", "default", False),
        MEMO_PREFIX + "scrap/send": Endpoint("TALK_MEMO_SCRAP_SEND", "scrap", False),
        MEMO_PREFIX + "send": Endpoint("TALK_MEMO_SEND", "custom", False),
        FRIEND_MESSAGE_PREFIX + "default/send": Endpoint(
            "TALK_FRIENDS_MESSAGE_DEFAULT_SEND", "default", True
        ),
        FRIEND_MESSAGE_PREFIX + "scrap/send": Endpoint(
            "TALK_FRIENDS_MESSAGE_SCRAP_SEND", "scrap", True
        ),
        FRIEND_MESSAGE_PREFIX + "send": Endpoint("TALK_FRIENDS_MESSAGE_SEND", "custom", True),
    }
)
