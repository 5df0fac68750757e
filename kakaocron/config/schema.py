"""What a configuration may hold. `config/reading` reads one."""

# Without `from __future__ import annotations`: msgspec would compile each type from its text
# again, whenever a configuration is read.

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal
from unicodedata import normalize
from urllib.parse import urlsplit

from msgspec import Meta, Struct, ValidationError, convert
from msgspec.structs import force_setattr, replace

from kakaocron.config.contacts import Contacts
from kakaocron.delivery.policy import Policy
from kakaocron.kst import KST
from kakaocron.language.words import _, marked
from kakaocron.schedule.slots import DAY_NAMES, Minutes, Series, Span, Times, Timetable, next_slot
from kakaocron.text.placeholders import BUILT_IN
from kakaocron.text.plain import (
    account_variables,
    address_shown,
    is_name,
    is_secret,
    is_web_address,
    tidy,
)
from kakaocron.text.tables import FaultError, fault_of, nearest, plain


def wanted_scopes(config: "Config", account: str = "") -> tuple[str, ...]:
    """Return the scopes that the messages of an account need, and the list of friends where there
    is a [friends], an empty one too: one logs in before one knows whom to put there."""
    contacts = config.contacts
    receivers = (contacts.receivers(one.to, one.sender) for one in config.message)
    senders = {contacts.sender_of(receiver) for to in receivers for receiver in to}
    is_for_all = config.friends is not None and not any(one.sender for one in config.message)
    has_friends = account in senders or (is_for_all and not account)
    return ("talk_message", "friends") if has_friends else ("talk_message",)


LONGEST_NAME, LONGEST_HOST, LONGEST_ACCOUNT = 64, 63, 32
RESERVED_NAMES = ("once", "send")
MOST_RECEIVERS = 100

Minute = Annotated[int, Meta(ge=0, le=59)]
Hour = Annotated[int, Meta(ge=0, le=23)]
Seconds = Annotated[float, Meta(ge=0, le=86400)]
Words = Annotated[str, Meta(min_length=1, max_length=20_000)]
Argv = Annotated[tuple[str, ...], Meta(min_length=1)]
Days = Annotated[tuple[str, ...], Meta(min_length=1)]
# How a day may be written, and the days that are meant.
DAY_WORDS = {
    word: (name,)
    for name, one in zip(DAY_NAMES, "월화수목금토일", strict=True)
    for word in (name, one, f"{one}요일", f"{one}욜")
} | {"매일": DAY_NAMES, "평일": DAY_NAMES[:5], "주말": DAY_NAMES[5:]}

LOOPBACK = re.compile(r"localhost|127(?:\.\d{1,3}){3}|::1")


_NAME_FAULT = marked("may hold letters, digits, '-', '_' and '.', up to {most} of them")


class Secret:
    """A text that is not shown by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __str__(self) -> str:
        return "**********"

    __repr__ = __str__


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the configuration: no unknown keys, no change after reading."""

    def __post_init__(self) -> None:
        for key in self.__struct_fields__:
            if (value := getattr(self, key)) != value:  # TOML's nan
                raise FaultError((key,), _("must be a number"))


def web_address(key: str, value: str) -> str:
    if not is_web_address(value):
        raise FaultError((key,), _("must be an address such as https://example.com"))
    return value.rstrip("/")


def _open_url(key: str, value: str) -> str:
    """Check an address that is shown wherever it helps: it must hold no password."""
    url = web_address(key, value)
    if "@" in urlsplit(url).netloc:
        raise FaultError((key,), _("holds a user or password before the @; take that out"))
    return url


def _check_link(value: str | None) -> None:
    """Check where a tap leads. What placeholders fill in is known when they are filled. Raises
    ValueError."""
    if value is None:
        return
    if not value.startswith("{") and not is_web_address(value):
        raise ValueError(_("must be an address such as https://example.com"))
    if "@" in urlsplit(value).netloc:
        raise ValueError(_("holds a user or password before the @; take that out"))


def _server_url(key: str, value: str) -> str:
    url = urlsplit(_open_url(key, value))
    if url.scheme == "http" and not LOOPBACK.fullmatch(url.hostname or ""):
        raise FaultError(
            (key,), _("must begin with https://, or the token would cross the network in clear")
        )
    return url.geturl()


def check_key(keys: tuple[str, ...], secret: Secret | None) -> None:
    """Refuse what can be no key of Kakao's, without quoting it."""
    if secret is None:
        return
    value = secret.reveal()
    if not value.strip():
        raise FaultError(keys, _("is empty; give it, or leave the line out"))
    if value != value.strip():
        raise FaultError(keys, _("begins or ends with a blank or a line break; take it out"))
    if not is_secret(value):
        raise FaultError(keys, _("holds a blank or a character that no key has; copy it once more"))
    if len(value) > 1 and value[0] in "'\"`" and value[0] == value[-1]:
        raise FaultError(keys, _("stands in quotes twice; one pair is enough"))
    if value.startswith("$"):
        raise FaultError(
            keys,
            _("holds a variable's name, and config.toml knows none; put the key into the .env"),
        )


def _alert_url(keys: tuple[str, ...], value: Secret) -> None:
    # What stands before it is shown where a way out is named: it must hold no secret.
    url = value.reveal()
    if url != url.strip() or not url.isprintable():
        raise FaultError(keys, _("begins or ends with a blank, or holds a line break; take it out"))
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]{0,30}://.", url):
        raise FaultError(
            keys, _("must be one of Apprise's addresses, such as ntfy://ntfy.sh/TOPIC")
        )


# Apprise 2.3 has a plugin of these two names, and takes them in any case.
_KAKAOTALK = frozenset({"kakaotalk", "kakao"})


def leads_to_kakaotalk(url: Secret) -> bool:
    return url.reveal().partition("://")[0].lower() in _KAKAOTALK


def parse_span(text: str) -> Span:
    """Read "23:00-06:30". Raises ValueError with what is wrong."""
    match = re.fullmatch(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})", text)
    if match is None:
        raise ValueError(_("'{text}' is not a span such as \"23:00-06:30\"").format(text=text))
    hours = (int(match[1]), int(match[3]))
    minutes = (int(match[2]), int(match[4]))
    if max(hours) > 23 or max(minutes) > 59:  # noqa: PLR2004
        raise ValueError(
            _("'{text}': hours go from 00 to 23, minutes from 00 to 59").format(text=text)
        )
    span = Span(time(hours[0], minutes[0]), time(hours[1], minutes[1]))
    if span.start == span.end:
        raise ValueError(_("'{text}' begins and ends at the same minute").format(text=text))
    return span


def _days_meant(words: Sequence[str]) -> tuple[str, ...]:
    """Return the days that are meant, by their short English names, each once."""
    meant: list[str] = []
    for index, word in enumerate(words):
        found = DAY_WORDS.get(normalize("NFC", word))
        if found is None:
            what = _("must be one of {days}, or of 월, 화, … 일, 평일, 주말, 매일{near}").format(
                days=", ".join(DAY_NAMES), near=nearest(word, tuple(DAY_WORDS))
            )
            raise FaultError(("days", str(index)), what)
        meant += found
    return tuple(dict.fromkeys(meant))


def _check_quiet(quiet: Sequence[str]) -> None:
    for index, text in enumerate(quiet):
        _check(("quiet", str(index)), parse_span, text)


def _check(keys: tuple[str, ...], rule: Callable[..., object], *values: object) -> None:
    try:
        rule(*values)
    except ValueError as error:
        raise FaultError(keys, str(error)) from None


class KakaoSettings(Section, frozen=True):
    rest_api_key: Secret | None = None
    client_secret: Secret | None = None
    link: str = "https://developers.kakao.com"
    timeout: Annotated[float, Meta(gt=0, le=40)] = 10
    api_url: str = "https://kapi.kakao.com"
    auth_url: str = "https://kauth.kakao.com"

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_kakao(self)


class AccountSettings(Section, frozen=True):
    """The same of another account: what is not given is as in [kakao]."""

    rest_api_key: Secret | None = None
    client_secret: Secret | None = None
    link: str | None = None
    timeout: Annotated[float, Meta(gt=0, le=40)] | None = None
    api_url: str | None = None
    auth_url: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_kakao(self)

    def over(self, kakao: KakaoSettings) -> KakaoSettings:
        """Return the settings that hold for this account."""
        own = {key: getattr(self, key) for key in self.__struct_fields__}
        return replace(kakao, **{key: value for key, value in own.items() if value is not None})


def _check_kakao(settings: KakaoSettings | AccountSettings) -> None:
    check_key(("rest_api_key",), settings.rest_api_key)
    check_key(("client_secret",), settings.client_secret)
    if settings.link is not None:
        force_setattr(settings, "link", _open_url("link", settings.link))
    for key in ("api_url", "auth_url"):
        if (value := getattr(settings, key)) is not None:
            force_setattr(settings, key, _server_url(key, value))


def as_secret(_type: type, value: object) -> Secret:
    """Read a secret; what `msgspec.convert` asks for a type of ours."""
    if not isinstance(value, str):
        raise TypeError(_("must be a string"))
    return Secret(value)


DEALER_KEYS = {
    "nhn": ("app_key", "sender_key"),
    "solapi": ("api_key", "pf_id", "sender_number"),
}
# The variable that holds each dealer's secret; it stands in no configuration.
DEALER_SECRETS = {"nhn": "ALIMTALK_SECRET_KEY", "solapi": "ALIMTALK_API_SECRET"}


class AlimtalkSettings(Section, frozen=True):
    """An account with a dealer of 알림톡, and what Kakao has approved of for it.

    `templates` are the approved texts by their codes, as far as they are to be checked and shown.
    `daily_cap` is in messages, `price` in won for each.
    """

    dealer: Literal["nhn", "solapi"]
    app_key: Secret | None = None
    sender_key: Secret | None = None
    api_key: Secret | None = None
    pf_id: str | None = None
    sender_number: str | None = None
    secret_key: Secret | None = None
    api_secret: Secret | None = None
    url: str | None = None
    daily_cap: Annotated[int, Meta(ge=0)] | None = None
    price: Annotated[float, Meta(ge=0)] | None = None
    templates: dict[str, str] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in ("secret_key", "api_secret"):
            if getattr(self, key) is not None:
                what = _("stands in no configuration: put it into the .env, as {name}")
                raise FaultError((key,), what.format(name=self.secret_name))
        for key in DEALER_KEYS[self.dealer]:
            if getattr(self, key) is None:
                what = _("is missing: dealer = '{dealer}' needs it").format(dealer=self.dealer)
                raise FaultError((key,), what)
        for key in ("app_key", "sender_key", "api_key"):
            check_key((key,), getattr(self, key))
        if self.url is not None:
            force_setattr(self, "url", _server_url("url", self.url))
        templates = {normalize("NFC", code): tidy(text) for code, text in self.templates.items()}
        force_setattr(self, "templates", templates)

    @property
    def secret_name(self) -> str:
        return DEALER_SECRETS[self.dealer]


class BotSettings(Section, frozen=True):
    url: str = "https://kapi.kakao.com"

    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "url", _server_url("url", self.url))


ROOM_KEY = re.compile(r"[!-~]{4,200}")
LONGEST_ROOM = 64


def room_name_fault(name: str) -> str | None:
    """Say why a room cannot be called so."""
    if name.strip() and name.isprintable() and len(name) <= LONGEST_ROOM:
        return None
    what = _("a room's name may have up to {most} characters, on one line")
    return what.format(most=LONGEST_ROOM)


def _rooms(rooms: Mapping[str, object]) -> dict[str, str]:
    """Return the keys of rooms by their names."""
    found = {}
    for written, key in rooms.items():
        name = normalize("NFC", written)
        if not isinstance(key, str) or not ROOM_KEY.fullmatch(key):
            what = _("must be a room's key, as kakaocron rooms listen prints it")
            raise FaultError(("rooms", written), what)
        if fault := room_name_fault(name):
            raise FaultError(("rooms", written), fault)
        found[name] = key
    return found


class ScheduleRules(Section, frozen=True):
    regular_minutes: tuple[Minute, ...] = (0, 30)
    peak_minutes: tuple[Minute, ...] = (0, 15, 30, 45)
    peak_hours: tuple[Hour, ...] = (7, 8, 9, 11, 12, 13, 17, 18, 19, 20)
    days: Days = DAY_NAMES
    quiet: tuple[str, ...] = ()
    early_start: bool = False

    def __post_init__(self) -> None:
        _check_quiet(self.quiet)
        force_setattr(self, "days", _days_meant(self.days))


RETRY_DELAYS = (30.0, 60.0, 120.0, 300.0)


class DeliveryRules(Section, frozen=True):
    retry_delays: Annotated[tuple[Seconds, ...], Meta(min_length=1)] = RETRY_DELAYS
    max_retries: Annotated[int, Meta(ge=0, le=100)] = 4
    expire_after: Annotated[float, Meta(ge=1, le=86400)] = 600
    on_unknown: Literal["hold", "resend"] = "hold"
    confirmation_delay: Seconds = 10
    at_once: Annotated[int, Meta(ge=1, le=256)] = 32

    def policy(self, settling: timedelta = timedelta(0)) -> Policy:
        """Return the rules of delivery; `settling` is the channels' (see ReceiptChannel)."""
        return Policy(
            tuple(timedelta(seconds=delay) for delay in self.retry_delays),
            self.max_retries,
            timedelta(seconds=self.expire_after),
            self.on_unknown == "resend",
            timedelta(seconds=self.confirmation_delay),
            settling,
        )


def is_host_name(name: str) -> bool:
    """Say whether a host can be called so."""
    return is_name(name, "-_.", LONGEST_HOST)


class LedgerRules(Section, frozen=True):
    keep_days: Annotated[int, Meta(ge=2, le=36500)] = 90
    url: Secret | None = None  # it may hold a password
    host: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_key(("url",), self.url)
        if self.host is not None and not is_host_name(self.host):
            raise FaultError(("host",), _(_NAME_FAULT).format(most=LONGEST_HOST))


class MonitorRules(Section, frozen=True):
    ping_url: Secret | None = None  # who knows it can end the silence that is the alarm
    alert_urls: tuple[Secret, ...] = ()
    alert_command: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    min_success_rate: Annotated[float, Meta(ge=0, le=1)] = 0.9
    max_delay_minutes: Annotated[float, Meta(gt=0, le=1440)] = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ping_url is not None:
            ping_url = web_address("ping_url", self.ping_url.reveal())
            force_setattr(self, "ping_url", Secret(ping_url))
        for index, url in enumerate(self.alert_urls):
            _alert_url(("alert_urls", str(index)), url)

    @property
    def tells_people(self) -> bool:
        return bool(self.alert_urls or self.alert_command)

    @property
    def tells_somebody(self) -> bool:
        return bool(self.ping_url or self.tells_people)

    @property
    def urls_elsewhere(self) -> tuple[Secret, ...]:
        """The alert_urls that can say that KakaoTalk is broken: those that do not lead to it."""
        return tuple(url for url in self.alert_urls if not leads_to_kakaotalk(url))

    @property
    def tells_elsewhere(self) -> bool:
        """Whether people are told by another way than KakaoTalk."""
        return bool(self.alert_command or self.urls_elsewhere)


COMMANDS = frozenset({"alert_command", "command", "data_command", "image_command"})
# Scheme and host of an address that has more: user and password before, or a path or query after.
_ADDRESS = re.compile(r"(\w[\w+.-]*://)(?=[^/?#\s]*[@/?#]\S)([^/?#\s]*@)?([^/?#\s]*)\S*")

CONTENTS = (
    "text", "file", "command", "template", "template_id", "scrap_url", "report", "alimtalk",
)  # fmt: skip
DATA = ("data", "data_file", "data_url", "data_command")
IMAGES = ("image", "image_command")


def _check_data_url(value: Secret | None) -> None:
    """Check where data are fetched, without quoting it. Raises ValueError."""
    if value is None:
        return
    url = value.reveal()
    if not is_web_address(url):
        raise ValueError(_("must be an address such as https://example.com"))
    if "@" in urlsplit(url).netloc:
        raise ValueError(_("holds a user or password before the @; take that out"))
    if url.startswith("http:") and not LOOPBACK.fullmatch(urlsplit(url).hostname or ""):
        raise ValueError(_("must begin with https://; http:// is for this machine alone"))


# The contents that are plain texts: taps on them lead where `link`, `button` and `buttons` say, and
# a picture may go with them.
TEXTS = ("text", "file", "command", "report")
MOST_BUTTONS = 2  # Kakao's documentation, default templates


class TextButton(Section, frozen=True):
    title: Words
    link: Words

    def __post_init__(self) -> None:
        _check(("link",), _check_link, self.link)


class Message(Section, frozen=True, rename={"sender": "from"}):
    name: str
    slots: tuple[Literal["regular", "peak"], ...] = ()
    cron: str | None = None
    days: Days | None = None
    quiet: tuple[str, ...] | None = None
    skip_holidays: bool = False
    text: Words | None = None
    file: Words | None = None
    command: Argv | None = None
    template: dict[str, Any] | None = None
    template_id: Annotated[int, Meta(ge=0)] | None = None
    template_args: dict[str, Any] = {}
    scrap_url: Words | None = None
    alimtalk: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    variables: dict[str, Any] = {}
    report: Literal["day", "week", "month"] | None = None
    data: dict[str, Any] | None = None
    data_file: Words | None = None
    data_url: Secret | None = None  # who knows it can read what it gives
    data_command: Argv | None = None
    image: Words | None = None
    image_command: Argv | None = None
    image_required: bool = False
    link: Words | None = None
    button: Words | None = None
    buttons: Annotated[tuple[TextButton, ...], Meta(max_length=MOST_BUTTONS)] = ()
    timeout: Annotated[float, Meta(gt=0, le=45)] = 20
    overflow: Literal["error", "split", "truncate"] = "error"
    fallback_text: Words | None = None
    to: Annotated[tuple[str, ...], Meta(min_length=1, max_length=MOST_RECEIVERS)] = ("me",)
    sender: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        # A name typed on a Mac is the same name.
        force_setattr(self, "name", normalize("NFC", self.name))
        force_setattr(self, "to", tuple(normalize("NFC", one) for one in self.to))
        force_setattr(self, "sender", self.sender and normalize("NFC", self.sender))
        _check(("name",), _check_name, self.name)
        _check_quiet(self.quiet or ())
        if self.days is not None:
            force_setattr(self, "days", _days_meant(self.days))
        if self.cron is not None:
            from kakaocron.schedule.cron_rule import check_cron  # noqa: PLC0415 - most have no such rule

            _check(("cron",), check_cron, self.cron)
        _check(("link",), _check_link, self.link)
        if self.skip_holidays:
            from kakaocron.schedule.holidays import check_holidays  # noqa: PLC0415 - an extra

            _check(("skip_holidays",), check_holidays)
        _check(("data_url",), _check_data_url, self.data_url)
        for name in map(tidy, self.data or {}):
            if name in BUILT_IN:
                what = _("'{name}' is kakaocron's own placeholder; choose another name").format(
                    name=name
                )
                raise FaultError(("data",), what)
        for key in ("command", "data_command", "image_command"):
            for index, word in enumerate(getattr(self, key) or ()):
                if not word or "\0" in word:
                    raise FaultError(
                        (key, str(index)), _("must be a text of at least 1 character, no NUL")
                    )
        _check_values("template_args", self.template_args)
        _check_values("variables", self.variables)
        bare = {_bare(name): value for name, value in self.variables.items()}
        force_setattr(self, "variables", bare)
        for receiver in self.to:
            if not receiver or self.to.count(receiver) > 1:
                raise FaultError(
                    ("to",),
                    _("receiver '{receiver}' is empty or listed twice").format(receiver=receiver),
                )
        _check((), self._check_as_a_whole)

    def _check_as_a_whole(self) -> None:
        if bool(self.slots) == bool(self.cron):
            raise ValueError(
                _(
                    'needs either slots or cron, as in slots = ["regular"] or '
                    'cron = "0 9 * * mon-fri"'
                )
            )
        given = [key for key in CONTENTS if getattr(self, key) is not None]
        if len(given) != 1:
            found = _(" and ").join(given) or _("none")
            raise ValueError(
                _("needs exactly one of {contents}; it has {found}").format(
                    contents=", ".join(CONTENTS), found=found
                )
            )
        data = [key for key in DATA if getattr(self, key) is not None]
        if len(data) > 1:
            raise ValueError(
                _("may have one of {data}; it has {found}").format(
                    data=", ".join(DATA), found=_(" and ").join(data)
                )
            )
        if self.variables and self.alimtalk is None:
            raise ValueError(_("variables go with alimtalk only"))
        if self.fallback_text is not None and self.alimtalk is not None:
            raise ValueError(_("fallback_text is a text, and alimtalk sends templates only"))
        images = [key for key in IMAGES if getattr(self, key) is not None]
        if len(images) > 1:
            raise ValueError(
                _("may have one of {data}; it has {found}").format(
                    data=", ".join(IMAGES), found=_(" and ").join(images)
                )
            )
        if self.image_required and not images:
            raise ValueError(_("image_required goes with image or image_command only"))
        if images and given[0] not in TEXTS:
            raise ValueError(
                _("{key} goes with {texts} only; it has {found}").format(
                    key=images[0], texts=", ".join(TEXTS), found=given[0]
                )
            )
        if self.template_args and self.template_id is None:
            raise ValueError(_("template_args go with template_id only"))
        for key in ("link", "button", "buttons"):
            if getattr(self, key) and given[0] not in TEXTS:
                raise ValueError(
                    _("{key} goes with {texts} only; a template has its own").format(
                        key=key, texts=", ".join(TEXTS)
                    )
                )
        if self.button is not None and self.buttons:
            raise ValueError(_("may have one of button and buttons; it has both"))


def _check_values(key: str, values: Mapping[str, object]) -> None:
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise FaultError((key, name), _("must be a string or a number"))


def _bare(variable: str) -> str:
    """Return a variable's name without the `#{}` in which the template has it."""
    name = tidy(variable).strip()
    return name[2:-1] if name.startswith("#{") and name.endswith("}") else name


def _check_name(name: str) -> None:
    if not is_name(name, "-_.", LONGEST_NAME):
        raise ValueError(_(_NAME_FAULT).format(most=LONGEST_NAME))
    if name in RESERVED_NAMES or name.startswith(("once-", "send-")):
        raise ValueError(_("'{name}' is kakaocron's own; choose another name").format(name=name))


def _account(name: str, table: object) -> AccountSettings:
    # It names a file and, in capitals, variables.
    if not is_name(normalize("NFC", name), "-_", LONGEST_ACCOUNT):
        what = _("an account's name may hold letters, digits, '-' and '_', up to {most} of them")
        raise FaultError(("account", name), what.format(most=LONGEST_ACCOUNT))
    try:
        return convert(table, AccountSettings, dec_hook=as_secret)
    except ValidationError as error:
        keys, cause = fault_of(error)
        raise FaultError(("account", name, *keys), cause) from None


def _members(name: str, members: object) -> tuple[str, ...]:
    if not isinstance(members, list | tuple) or not all(isinstance(one, str) for one in members):
        what = _('must be a list of receivers, as in ["minji", "jun"]')
        raise FaultError(("group", name), what)
    found = tuple(normalize("NFC", one) for one in members)
    if not found:
        raise FaultError(("group", name), _("is empty; name a receiver, or take the group out"))
    if twice := [one for one in found if not one or found.count(one) > 1]:
        what = _("receiver '{receiver}' is empty or listed twice").format(receiver=twice[0])
        raise FaultError(("group", name), what)
    return found


_ALWAYS_AT_REST = marked("every slot falls into quiet hours or on a day that is not in days")
# A week from here on has all that a timetable can tell apart.
_A_MONDAY = datetime(2026, 1, 5, tzinfo=KST)


class Config(Section, frozen=True):
    """The whole file, checked."""

    language: Literal["auto", "ko", "en"] = "auto"  # read by system/places, before all else
    kakao: KakaoSettings = KakaoSettings()
    schedule: ScheduleRules = ScheduleRules()
    delivery: DeliveryRules = DeliveryRules()
    ledger: LedgerRules = LedgerRules()
    monitor: MonitorRules = MonitorRules()
    friends: dict[str, Any] | None = None  # all of them text, which is checked with its name
    alimtalk: AlimtalkSettings | None = None
    phones: dict[str, Any] = {}  # numbers
    account: dict[str, Any] = {}  # of AccountSettings
    group: dict[str, Any] = {}  # lists of receivers
    bot: BotSettings = BotSettings()
    rooms: dict[str, Any] = {}  # keys
    message: tuple[Message, ...] = ()

    def __post_init__(self) -> None:
        accounts = {
            normalize("NFC", name): _account(name, self.account[name]) for name in self.account
        }
        force_setattr(self, "account", accounts)
        groups = {normalize("NFC", name): _members(name, self.group[name]) for name in self.group}
        force_setattr(self, "group", groups)
        force_setattr(self, "rooms", _rooms(self.rooms))
        for table in ("friends", "phones"):
            named = getattr(self, table)
            for name, value in (named or {}).items():
                if not isinstance(value, str):
                    raise FaultError((table, name), _("must be a string"))
            if named:
                by_name = {normalize("NFC", name): value for name, value in named.items()}
                force_setattr(self, table, by_name)

    def fields(self) -> dict[str, Any]:
        """Return the configuration as plain tables: defaults filled in, secrets hidden, those too
        that stand in addresses which commands are given."""
        found = {**plain(self, str), "friends": dict(self.contacts.friends)}
        for table in (found["monitor"], *found["message"]):
            for key in COMMANDS & table.keys():
                table[key] = [_ADDRESS.sub(r"\1\3/…", word) for word in table[key]]
        for table, message in zip(found["message"], self.message, strict=True):
            if message.data_url is not None:
                table["data_url"] = address_shown(message.data_url.reveal())
        return found

    def series(self) -> list[Series]:
        """Return each message with its timetable and its receivers' uuids."""
        contacts = self.contacts
        return [
            Series(one.name, self._timetable(one), contacts.receivers(one.to, one.sender))
            for one in self.message
        ]

    @property
    def contacts(self) -> Contacts:
        """Whom the messages can go to."""
        return Contacts(
            self.friends or {},
            tuple(self.account),
            self.group,
            self.rooms,
            self.phones,
            has_dealer=self.alimtalk is not None,
        )

    def kakao_of(self, account: str) -> KakaoSettings:
        """Return the settings of an account; the first one has no name."""
        return self.account[account].over(self.kakao) if account else self.kakao

    def contradictions(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield what is right part by part and cannot be meant as a whole: its key, and why."""
        yield from self.contacts.clashes()
        yield from self._against_others()
        rules = self.delivery
        is_chosen = rules.retry_delays != RETRY_DELAYS
        if is_chosen and rules.max_retries > 0 and rules.retry_delays[0] >= rules.expire_after:
            yield (
                ("delivery", "retry_delays"),
                _(
                    "no retry ever comes: {first:g} s is not before expire_after, "
                    "{expire_after:g} s"
                ).format(first=rules.retry_delays[0], expire_after=rules.expire_after),
            )
        names: set[str] = set()
        for index, message in enumerate(self.message):
            if message.name in names:
                yield (
                    ("message", str(index), "name"),
                    _("two messages are named '{name}'").format(name=message.name),
                )
            names.add(message.name)
            for key, why in self._against_itself(message):
                yield ("message", str(index), key), why

    def _against_others(self) -> Iterator[tuple[tuple[str, ...], str]]:
        known: dict[str, str] = {}
        for name in self.account:
            like = account_variables(name)
            if like in known:
                yield (
                    ("account", name),
                    _("'{name}' and '{other}' would share their variables, {like}…").format(
                        name=name, other=known[like], like=like
                    ),
                )
            known[like] = name
        for name, members in self.group.items():
            for inner in (one for one in members if one in self.group):
                yield (
                    ("group", name),
                    _("'{inner}' is a group; a group holds receivers").format(inner=inner),
                )
            yield from ((("group", name), why) for why in self._same(members))

    def _same(self, to: Sequence[str]) -> Iterator[str]:
        """Say which names of a list are one receiver; groups may overlap."""
        by_uuid: dict[str, str] = {}
        for name in (one for one in to if one not in self.group):
            (receiver,) = self.contacts.receivers([name])
            if receiver in by_uuid:
                yield _("'{other}' and '{receiver}' are the same receiver").format(
                    other=by_uuid[receiver], receiver=name
                )
            by_uuid[receiver] = name

    def _against_itself(self, message: Message) -> Iterator[tuple[str, str]]:
        yield from (("to", why) for why in self._same(message.to))
        receivers = self.contacts.receivers(message.to, message.sender)
        if len(receivers) > MOST_RECEIVERS:
            yield (
                "to",
                _("is {count} receivers with those of its groups, and {most} may be").format(
                    count=len(receivers), most=MOST_RECEIVERS
                ),
            )
        if message.sender is not None:
            yield from (("from", why) for why in self._sender_faults(message.sender, receivers))
        if message.slots and next_slot(message.name, self._timetable(message), _A_MONDAY) is None:
            yield "slots", _("it is never due: {why}").format(why=self._why_never(message))
        if message.cron is not None and not self._can_be_due(message.cron, message):
            yield "cron", _("it is never due: {why}").format(why=_(_ALWAYS_AT_REST))

    def _sender_faults(self, sender: str, receivers: Sequence[str]) -> Iterator[str]:
        if sender not in self.account:
            near = nearest(sender, list(self.account))
            yield _("there is no account '{name}'{near}; make one: [account.NAME]").format(
                name=sender, near=near
            )
        elif all(self.contacts.sender_of(one) is None for one in receivers):
            yield _(
                "there is no friend in to; 'me' and accounts are sent to by their own login, "
                "whatever stands here"
            )

    def _why_never(self, message: Message) -> str:
        rules = self.schedule
        if message.slots == ("peak",) and not rules.peak_hours:
            return _("peak_hours is empty")
        empty = [kind for kind in message.slots if not getattr(rules, f"{kind}_minutes")]
        if len(empty) == len(message.slots):
            return _(" and ").join(_("{kind}_minutes is empty").format(kind=kind) for kind in empty)
        return _(_ALWAYS_AT_REST)

    def _can_be_due(self, cron: str, message: Message) -> bool:
        from kakaocron.schedule.cron_rule import CronTimes  # noqa: PLC0415 - most have no such rule

        timetable = self._timetable(message)
        return CronTimes(cron).can_be_on(timetable.days, timetable.quiet)

    def minutes(self, kinds: Sequence[str]) -> Minutes:
        rules = self.schedule
        return Minutes(
            frozenset(rules.regular_minutes),
            frozenset(rules.peak_minutes),
            frozenset(rules.peak_hours),
            frozenset(kinds),
        )

    def timetable(self, times: Times, message: Message | None = None) -> Timetable:
        """Return times less the days off and quiet hours of a message, or of everything."""
        rules = self.schedule
        days = message.days if message and message.days is not None else rules.days
        quiet = message.quiet if message and message.quiet is not None else rules.quiet
        return _shared(
            Timetable(
                times,
                frozenset(DAY_NAMES.index(day) for day in days),
                tuple(parse_span(text) for text in quiet),
                _holiday_rule() if message and message.skip_holidays else None,
            )
        )

    def _timetable(self, message: Message) -> Timetable:
        if message.cron is None:
            return self.timetable(self.minutes(message.slots), message)
        from kakaocron.schedule.cron_rule import CronTimes  # noqa: PLC0415 - most have no such rule

        return self.timetable(CronTimes(message.cron), message)


@lru_cache(maxsize=1024)
def _shared(timetable: Timetable) -> Timetable:
    """Return the first that was equal: most messages have the same times, at 2 KB each."""
    return timetable


def _holiday_rule() -> Callable[[date], bool]:
    from kakaocron.schedule.holidays import is_holiday  # noqa: PLC0415 - an extra

    return is_holiday
