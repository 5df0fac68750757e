"""What a sandbox is told once: the app in Kakao's console, its user, friends, limits."""

from dataclasses import dataclass
from datetime import timedelta, timezone

NICKNAME = "나"  # the user's
KST = timezone(timedelta(hours=9), "KST")


@dataclass(frozen=True)
class SandboxFriend:
    """A friend of the sender; `allowed_msg` is False for one who refuses messages."""

    uuid: str
    nickname: str
    allowed_msg: bool = True
    favorite: bool = False


@dataclass(frozen=True)
class Member:
    """Somebody who uses the app and can log in: the user, or a friend."""

    uuid: str
    nickname: str
    user_id: int


@dataclass(frozen=True)
class Quotas:
    """Messages to friends per KST day (Kakao's documentation, quota page).

    Messages to oneself are not counted. `before_permission` (reported, not documented) holds
    in place of `per_sender` while the app has no permission for friend messages.
    """

    per_app: int = 30_000
    per_sender: int = 100
    per_receiver: int = 100
    per_pair: int = 20
    before_permission: int = 30


@dataclass(frozen=True)
class Settings:
    """One Kakao app with one user, whose friends use it too.

    `client_secret` None means that the console has it switched off. `scopes` are the consent
    items switched on in the console; which of them the user agreed to is decided at login.
    `strangers` are uuids of this app's users who are not friends of the sender: any uuid that is
    in neither list belongs to another app. `calendar_ids` are the public events and calendars of
    the KakaoTalk Channel that is linked to the app: none without a channel.
    """

    rest_api_key: str = "00112233445566778899aabbccddeeff"
    client_secret: str | None = "ffeeddccbbaa99887766554433221100"  # noqa: S105 - opens nothing but the sandbox
    redirect_uris: tuple[str, ...] = (
        "http://127.0.0.1:8765/callback",
        "http://localhost:8765/callback",
    )
    app_id: int = 1234
    user_id: int = 3000000001
    user_uuid: str = "uuid-me"
    scopes: tuple[str, ...] = ("talk_message", "friends")
    calendar_ids: tuple[str, ...] = ()
    friends: tuple[SandboxFriend, ...] = (
        SandboxFriend("uuid-aaa", "지우"),
        SandboxFriend("uuid-bbb", "하준", favorite=True),
        SandboxFriend("uuid-ccc", "서연", allowed_msg=False),
    )
    strangers: tuple[str, ...] = ("uuid-stranger",)
    has_friend_permission: bool = True
    quotas: Quotas = Quotas()
    access_token_lifetime: timedelta = timedelta(seconds=21_599)
    refresh_token_lifetime: timedelta = timedelta(seconds=5_183_999)
    rotation_window: timedelta = timedelta(days=30)
    code_lifetime: timedelta = timedelta(minutes=10)

    @property
    def people(self) -> tuple[Member, ...]:
        """Everybody who can log in, the user first."""
        return (
            Member(self.user_uuid, NICKNAME, self.user_id),
            *(
                Member(one.uuid, one.nickname, self.user_id + number)
                for number, one in enumerate(self.friends, 1)
            ),
        )

    def friends_of(self, uuid: str) -> tuple[SandboxFriend, ...]:
        """The friends of a person: for a friend of the user's, the user and the other friends."""
        if uuid == self.user_uuid:
            return self.friends
        others = (one for one in self.friends if one.uuid != uuid)
        return (SandboxFriend(self.user_uuid, NICKNAME), *others)
