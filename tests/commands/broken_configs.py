"""Configurations that are wrong, each with the line, the key, and words that must be said of it.

`line` None: the fault has no line of its own. A text of bytes is written as it is.
"""

from __future__ import annotations

import tomllib
from typing import NamedTuple


class Broken(NamedTuple):
    name: str
    text: str | bytes
    line: int | None
    key: str
    said: tuple[str, ...]


MESSAGE = '[[message]]\nname = "report"\nslots = ["regular"]\ntext = "보고"\n'


def message(**changes: str) -> str:
    """A message, one key a line, with changes; "" leaves a key out."""
    keys = {"name": '"report"', "slots": '["regular"]', "text": '"보고"'} | changes
    lines = [f"{key} = {value}" for key, value in keys.items() if value]
    return "\n".join(["[[message]]", *lines, ""])


DEEP_DOTS = "[" + ".".join("a" * 20_000) + "]\n"


def reads(text: str) -> bool:
    """Whether this Python's tomllib takes so many parts in one key: that of 3.14.10
    raises RecursionError at more than sys.getrecursionlimit()."""
    try:
        tomllib.loads(text)
    except RecursionError:
        return False
    return True


# ruff: noqa: E501 - a table is read by its columns
BROKEN = [
    # Not TOML
    Broken("no value", "[kakao]\ntimeout =\n", 2, "", ("not TOML",)),
    Broken("no end of text", '[kakao]\nlink = "https://example.com\n', 2, "", ("not TOML",)),
    Broken("a key twice", "[kakao]\ntimeout = 5\ntimeout = 6\n", 3, "", ("not TOML",)),
    Broken("a table twice", "[kakao]\ntimeout = 5\n[kakao]\nlink = 'https://x.kr'\n", 3, "", ("not TOML",)),
    Broken("a message as table and list", f"[message]\nname = 'x'\n{MESSAGE}", 3, "", ("not TOML",)),
    Broken("JSON", '{"kakao": {}}', 1, "", ("not TOML",)),
    Broken("half a file", "[[message]]\nname = ", 2, "", ("not TOML",)),
    Broken("a NUL", "[kakao]\nlink = 'a\0b'\n", 2, "", ("not TOML",)),
    Broken("no month 13", "[kakao]\ntimeout = 2026-13-01\n", 2, "", ("not TOML",)),
    Broken("a number of 5,000 digits", "[kakao]\ntimeout = " + "9" * 5000, None, "", ("not TOML",)),
    Broken("deep brackets", "a = " + "[" * 100_000, None, "", ("nested too deeply",)),
    Broken("deep tables", "a = " + "{a=" * 50_000, None, "", ("nested too deeply",)),
    Broken("many dots", "[" + ".".join("a" * 500) + "]\n", 1, "a", ("unknown key",)),
    Broken("deep dots", DEEP_DOTS, 1, "a", ("unknown key",)) if reads(DEEP_DOTS) else Broken("deep dots", DEEP_DOTS, None, "", ("nested too deeply",)),
    # Not text, or too much of it
    Broken("not UTF-8", b"[kakao]\nlink = '\xff\xfe'\n", 2, "", ("UTF-8",)),
    Broken("UTF-16", "[kakao]\n".encode("utf-16"), 1, "", ("UTF-8",)),
    Broken("EUC-KR", "[kakao]\n# 한글\n".encode("euc-kr"), 2, "", ("UTF-8",)),
    Broken("a huge file", b"#" * 1_048_577, None, "", ("longer than 1048576 bytes",)),
    Broken("binary", bytes(range(256)), None, "", ("UTF-8",)),
    # Misspelt
    Broken("a section", "[kakoa]\ntimeout = 5\n", 1, "kakoa", ("unknown key", "'kakao'")),
    Broken("a section, plural", "[messages]\nname = 'x'\n", 1, "messages", ("'message'",)),
    Broken("a key", "[schedule]\n\nreglar_minutes = [0]\n", 3, "schedule.reglar_minutes", ("'regular_minutes'",)),
    Broken("a key in a message", MESSAGE + 'txet = "x"\n', 5, "message[1].txet", ("'text'",)),
    Broken("a key in the second message", MESSAGE + MESSAGE.replace("report", "b") + "slot = 5\n", 9, "message[2].slot", ("'slots'",)),
    Broken("a key far from all", "[kakao]\nzzzzz = 1\n", 2, "kakao.zzzzz", ("unknown key",)),
    Broken("a dotted key", "kakao.timeuot = 5\n", 1, "kakao.timeuot", ("'timeout'",)),
    Broken("an inline table", "kakao = { timeuot = 5 }\n", 1, "kakao.timeuot", ("'timeout'",)),
    Broken("a quoted key", '[kakao]\n"timeuot" = 5\n', 2, "kakao.timeuot", ("'timeout'",)),
    Broken("a profile", "[profile.developement.delivery]\nmax_retries = 1\n", 1, "profile.developement", ("'development'",)),
    Broken("a section in a profile", "[profile.testing.delivry]\nmax_retries = 1\n", 1, "delivry", ("'delivery'",)),
    Broken("a key in a profile", "[profile.production.delivery]\nmax_retrys = 1\n", 2, "delivery.max_retrys", ("'max_retries'",)),
    Broken("a day", '[schedule]\ndays = ["mon", "tues"]\n', 2, "schedule.days[2]", ("'tue'",)),
    Broken("a kind of slot", message(slots='["regulr"]'), 3, "message[1].slots[1]", ("'regular'",)),
    Broken("a choice", '[delivery]\non_unknown = "reesnd"\n', 2, "delivery.on_unknown", ("'resend'",)),
    # Of a wrong kind
    Broken("a section as a number", "kakao = 5\n", 1, "kakao", ("table",)),
    Broken("a message as a table", "[message]\nname = 'x'\n", 1, "message", ("[[message]]",)),
    Broken("text for a number", '[kakao]\ntimeout = "5"\n', 2, "kakao.timeout", ("number",)),
    Broken("yes for a number", "[kakao]\ntimeout = true\n", 2, "kakao.timeout", ("number",)),
    Broken("a number for text", "[kakao]\nlink = 5\n", 2, "kakao.link", ("string",)),
    Broken("text for a list", '[schedule]\nregular_minutes = "0,30"\n', 2, "schedule.regular_minutes", ("list",)),
    Broken("text in a list of numbers", '[schedule]\nregular_minutes = [0, "30"]\n', 2, "schedule.regular_minutes[2]", ("integer",)),
    Broken("half a minute", "[schedule]\nregular_minutes = [0.5]\n", 2, "schedule.regular_minutes[1]", ("integer",)),
    Broken("text for yes or no", '[schedule]\nearly_start = "yes"\n', 2, "schedule.early_start", ("boolean",)),
    Broken("one receiver, not in a list", message(to='"me"'), 5, "message[1].to", ("list",)),
    Broken("a friend as a number", "[friends]\nx = 5\n", 2, "friends.x", ("string",)),
    Broken("a profile as a number", "profile = 5\n", 1, "profile", ("table",)),
    Broken("not a number", "[kakao]\ntimeout = nan\n", 2, "kakao.timeout", ("",)),
    Broken("an endless number", "[delivery]\nexpire_after = inf\n", 2, "delivery.expire_after", ("86400",)),
    # Out of range
    Broken("minute 60", "[schedule]\nregular_minutes = [0, 60]\n", 2, "schedule.regular_minutes[2]", ("59",)),
    Broken("minute -1", "[schedule]\npeak_minutes = [-1]\n", 2, "schedule.peak_minutes[1]", ("0",)),
    Broken("hour 24", "[schedule]\npeak_hours = [24]\n", 2, "schedule.peak_hours[1]", ("23",)),
    Broken("no time to wait", "[kakao]\ntimeout = 0\n", 2, "kakao.timeout", ("greater than 0",)),
    Broken("too long a wait", "[kakao]\ntimeout = 41\n", 2, "kakao.timeout", ("40",)),
    Broken("a delay below zero", "[delivery]\nretry_delays = [30, -1]\n", 2, "delivery.retry_delays[2]", ("0",)),
    Broken("no delays", "[delivery]\nretry_delays = []\n", 2, "delivery.retry_delays", ("at least 1",)),
    Broken("101 retries", "[delivery]\nmax_retries = 101\n", 2, "delivery.max_retries", ("100",)),
    Broken("a ledger of a day", "[ledger]\nkeep_days = 1\n", 2, "ledger.keep_days", ("2",)),
    Broken("an alert address that is none", '[monitor]\nalert_urls = ["ntfy://x", "xoxb-s3cret"]\n', 2, "monitor.alert_urls[2]", ("Apprise",)),
    Broken("a text without quotes", "[[message]]\nto = [me]\n", 2, "", ("not TOML", "in quotes")),
    Broken("tables of another name", f"[ledger]\nkeep_days = 7\n{MESSAGE.replace('[[message]]', '[[messages]]')}", 3, "messages", ("unknown key", "did you mean 'message'?")),
    Broken("a rate of 2", "[monitor]\nmin_success_rate = 2\n", 2, "monitor.min_success_rate", ("1",)),
    Broken("hour 25 in quiet", '[schedule]\nquiet = ["25:00-06:30"]\n', 2, "schedule.quiet[1]", ("00 to 23",)),
    Broken("quiet of another form", '[schedule]\nquiet = ["at night"]\n', 2, "schedule.quiet[1]", ("23:00-06:30",)),
    Broken("quiet of no length", '[schedule]\nquiet = ["06:30-06:30"]\n', 2, "schedule.quiet[1]", ("same minute",)),
    Broken("no days", "[schedule]\ndays = []\n", 2, "schedule.days", ("at least 1",)),
    Broken("a link that is none", '[kakao]\nlink = "example.com"\n', 2, "kakao.link", ("https://example.com",)),
    Broken("a link to a script", '[kakao]\nlink = "javascript:alert(1)"\n', 2, "kakao.link", ("https://example.com",)),
    Broken("an address with a line break", '[kakao]\napi_url = "https://x.kr/\\nHost: y"\n', 2, "kakao.api_url", ("address",)),
    Broken("a token in clear", '[kakao]\napi_url = "http://example.com"\n', 2, "kakao.api_url", ("https://", "in clear")),
    Broken("a host that begins like loopback", '[kakao]\nauth_url = "http://127.0.0.1.example.com"\n', 2, "kakao.auth_url", ("https://",)),
    Broken("a user who looks like loopback", '[kakao]\napi_url = "http://127.0.0.1@example.com"\n', 2, "kakao.api_url", ("https://",)),
    Broken("an empty key", '[kakao]\nrest_api_key = ""\n', 2, "kakao.rest_api_key", ("is empty",)),
    Broken("a blank secret", '[kakao]\nclient_secret = " "\n', 2, "kakao.client_secret", ("is empty",)),
    Broken("a name with a space", message(name='"a b"'), 2, "message[1].name", ("letters",)),
    Broken("a name with an @", message(name='"a@b"'), 2, "message[1].name", ("letters",)),
    Broken("a name that climbs", message(name='"../../x"'), 2, "message[1].name", ("letters",)),
    Broken("an empty name", message(name='""'), 2, "message[1].name", ("letters",)),
    Broken("kakaocron's own name", message(name='"send-1"'), 2, "message[1].name", ("choose another",)),
    Broken("an empty text", message(text='""'), 4, "message[1].text", ("at least 1",)),
    Broken("no receiver", message(to="[]"), 5, "message[1].to", ("at least 1",)),
    # Missing, or against itself
    Broken("no name", message(name=""), 1, "message[1].name", ("missing",)),
    Broken("no slots", message(slots=""), 1, "message[1]", ("slots",)),
    Broken("no content", message(text=""), 1, "message[1]", ("exactly one of text",)),
    Broken("two contents", message(file='"x"'), 1, "message[1]", ("text and file",)),
    Broken("two messages of one name", MESSAGE + MESSAGE, 6, "message[2].name", ("two messages", "'report'")),
    Broken("a receiver twice", message(to='["me", "me"]'), 5, "message[1].to", ("twice",)),
    Broken("a friend by name and uuid", '[friends]\na = "uuid-aaa"\n' + message(to='["a", "uuid-aaa"]'), 7, "message[1].to", ("'a'", "'uuid-aaa'", "same")),
    Broken("a friend called me", '[friends]\nme = "uuid-aaa"\n', 2, "friends.me", ("yourself",)),
    Broken("peak hours without minutes", "[schedule]\npeak_minutes = []\n" + message(slots='["peak"]'), 5, "message[1].slots", ("never", "peak_minutes")),
    Broken("peak minutes without hours", "[schedule]\npeak_hours = []\n" + message(slots='["peak"]'), 5, "message[1].slots", ("never", "peak_hours")),
    Broken("regular without minutes", "[schedule]\nregular_minutes = []\n" + message(), 5, "message[1].slots", ("never", "regular_minutes")),
    Broken("quiet at every slot", '[schedule]\nquiet = ["00:00-12:00", "12:00-00:00"]\n' + message(), 5, "message[1].slots", ("never", "quiet")),
    Broken("quiet at every peak", '[schedule]\nquiet = ["06:00-21:00"]\n' + message(slots='["peak"]'), 5, "message[1].slots", ("never", "quiet")),
    Broken("retries after the end", "[delivery]\nretry_delays = [900]\nexpire_after = 600\n", 2, "delivery.retry_delays", ("no retry ever comes", "expire_after")),
    Broken("a fault in a profile that is not in use", "[profile.testing.schedule]\nregular_minutes = [61]\n", 2, "schedule.regular_minutes[1]", ("59",)),
    Broken("a profile that leaves no slot", message() + "[profile.testing.schedule]\nregular_minutes = []\n", 3, "message[1].slots", ("never", "profile 'testing'")),
]  # fmt: skip
