"""What a sandbox is told once: the app in Kakao's console, its user, friends, limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
class Step:
    """What a dealer says of a message from so many seconds after taking it on.

    `word` is one of phones.NHN_CODES. `arrives`: it is at the phone by then, whatever is said.
    """

    seconds: float
    word: str
    arrives: bool = False


@dataclass(frozen=True)
class PhoneSettings:
    """What becomes of messages: to the phones that are `known`, and to all others."""

    usual: Sequence[Step] = (Step(2, "delivered"),)
    known: Mapping[str, Sequence[Step]] = field(
        default_factory=lambda: {
            "01000000001": (Step(2, "no-kakaotalk"),),
            "01000000002": (Step(2, "blocked"),),
            "01000000003": (Step(10**9, "delivered"),),  # never settles
            "01000000004": (Step(2, "uncertain", arrives=True),),
            "01000000005": (Step(2, "uncertain"), Step(60, "delivered")),
            "01000000006": (Step(300, "delivered"),),
            "01000000007": (Step(2, "cannot"),),
            "01000000008": (Step(2, "fault"),),
        }
    )


@dataclass(frozen=True)
class DealerSettings:
    """The accounts with the dealers of 알림톡, and what Kakao has approved of.

    `templates` are texts by template code, with `#{name}` for what is filled in. `search_delay`:
    how long after it was taken a message shows in NHN's list. `has_sms`: what KakaoTalk fails to
    bring goes out as an SMS unless a message says otherwise. `daily_quota` is NHN's for the sender
    profile, `balance` the won at SOLAPI, `price` what it takes a message.
    """

    app_key: str = "sandboxAppKey001"
    secret_key: str = "sandboxSecretKey0001"  # noqa: S105 - opens nothing but the sandbox
    sender_key: str = "0123456789abcdef0123456789abcdef01234567"
    api_key: str = "NCSSANDBOX000001"
    api_secret: str = "SANDBOXAPISECRET0000000000000001"  # noqa: S105 - likewise
    pf_id: str = "KA01PF000000000000000000000SANDBOX"
    senders: tuple[str, ...] = ("0212345678",)
    templates: Mapping[str, str] = field(
        default_factory=lambda: {
            "KC_REPORT_01": "#{이름}님, #{시간} 보고입니다.",
            "KC_PLAIN_01": "오늘 보고가 준비되었습니다.",
        }
    )
    search_delay: timedelta = timedelta(seconds=3)
    key_lifetime: timedelta = timedelta(minutes=10)
    has_sms: bool = True
    daily_quota: int = 1000
    balance: float = 100_000
    price: float = 13


@dataclass(frozen=True)
class SandboxRoom:
    """A group room into which the bot was invited; Kakao itself tells a bot no name."""

    key: str
    name: str
    has_bot: bool = True
    receives: bool = True


@dataclass(frozen=True)
class SandboxBot:
    """The one bot of the app. A key that does not begin with `key_prefix` is another bot's;
    `strangers` are people who have not added the bot's channel."""

    token: str = "sandbox-bot-token-0001"  # noqa: S105 - opens nothing but the sandbox
    id: str = "sandbox-bot"
    key_prefix: str = "bgk_"
    rooms: tuple[SandboxRoom, ...] = (
        SandboxRoom("bgk_sandbox0001", "기사방"),
        SandboxRoom("bgk_sandbox0002", "주문방"),
        SandboxRoom("bgk_sandbox0003", "조용한 방", receives=False),
        SandboxRoom("bgk_sandbox0004", "떠난 방", has_bot=False),
    )
    strangers: tuple[str, ...] = ("buk_stranger",)
    heartbeat_interval: timedelta = timedelta(milliseconds=41_250)
    tells_ready_after_resume: bool = False


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
    dealers: DealerSettings = DealerSettings()
    phones: PhoneSettings = PhoneSettings()
    bot: SandboxBot = SandboxBot()

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
