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


DEEP_DOTS = "[" + ".".join("a" * 5_000) + "]\n"


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
    # What people write that is not TOML: the cause, and the right form
    Broken("leading zeros", "[schedule]\nregular_minutes = [00, 05]\n", 2, "", ("not TOML", "begins with 0: write 5 for 05")),
    Broken("a leading zero", "[kakao]\ntimeout = 010\n", 2, "", ("not TOML", "begins with 0")),
    Broken("a leading zero after others", "[schedule]\npeak_hours = [7,08]\n", 2, "", ("begins with 0",)),
    Broken("a leading zero on a line of its own", "[schedule]\npeak_hours = [\n  7,\n  08,\n]\n", 4, "", ("begins with 0",)),
    Broken("a phone number without quotes", '[phones]\n"민수" = 010-1234-5678\n', 2, "", ("a phone number is a text", '"010-1234-5678"')),
    Broken("a phone number of digits in a list", "[[message]]\nto = [01012345678]\n", 2, "", ("a phone number is a text",)),
    Broken("no zero before the point", "[monitor]\nmin_success_rate = .9\n", 2, "", ("write 0.5 for .5",)),
    Broken("a comma in a number", "[delivery]\nexpire_after = 1,200\n", 2, "", ("has no commas",)),
    Broken("a unit", "[kakao]\ntimeout = 10s\n", 2, "", ("a number stands alone",)),
    Broken("per cent", "[monitor]\nmin_success_rate = 90%\n", 2, "", ("a number stands alone",)),
    Broken("curly quotes", "[kakao]\nlink = “https://x.kr”\n", 2, "", ("not TOML", "curly quotes", 'text = "…"')),
    Broken("single curly quotes", "[kakao]\nlink = ‘https://x.kr’\n", 2, "", ("curly quotes",)),
    Broken("one curly quote", '[kakao]\nlink = "https://x.kr”\ntimeout = 5\n', 2, "", ("curly quotes",)),
    Broken("curly quotes in a list", '[monitor]\nalert_urls = ["ntfy://x", “ntfy://y”]\n', 2, "", ("curly quotes",)),
    Broken("curly quotes around a name", '[friends]\n“지우” = "uuid-aaa"\n', 2, "", ("curly quotes",)),
    Broken("backquotes", "[kakao]\nlink = `https://x.kr`\n", 2, "", ("curly quotes",)),
    Broken("a wide equals sign", "[kakao]\ntimeout ＝ 5\n", 2, "", ("＝", "write =")),
    Broken("a blank of the web", "[kakao]\ntimeout\u00a0= 5\n", 2, "", ("blank", "type the line again")),
    Broken("a text over two lines", '[[message]]\ntext = "첫 줄\n둘째 줄"\n', 2, "", ("not TOML", "ends on its own line", '"""')),
    Broken("a text over two lines of Windows", '[[message]]\r\ntext = "첫 줄\r\n둘째 줄"\r\n', 2, "", ("ends on its own line",)),
    Broken("a text over lines in single quotes", "[[message]]\ntext = '첫 줄\n둘째 줄'\n", 2, "", ("ends on its own line",)),
    Broken("curly quotes in a text over two lines", '[[message]]\ntext = "“첫” 줄\n둘째 줄"\n', 2, "", ("ends on its own line",)),
    Broken("three quotes without an end", f'[kakao]\ntimeout = 5\n{MESSAGE}text = """보고\n\n', 7, "", ("has no end", "three quotes")),
    Broken("a quote inside a text", '[[message]]\ntext = "그는 "네"라고"\n', 2, "", ("a quote inside a text",)),
    Broken("an unquoted Korean key", '[friends]\n지우 = "uuid-aaa"\n', 2, "", ("not TOML", "stands in quotes", '"지우" =')),
    Broken("a key that ends in Korean", '[friends]\nA지우 = "uuid-aaa"\n', 2, "", ('"A지우" =',)),
    Broken("a key of two words", '[friends]\nmy mum = "uuid-aaa"\n', 2, "", ('"my mum" =',)),
    Broken("a Korean key after a table's", '[friends]\n"a" = "uuid-aaa"\n\n엄마="uuid-bbb"\n', 4, "", ('"엄마" =',)),
    Broken("a Korean key in an inline table", message(data="{ 점수 = 5 }"), 5, "", ('"점수"',)),
    Broken("a Korean table", "[friends.지우]\n", 1, "", ('"지우"',)),
    Broken("a dotted Korean key", 'friends.지우 = "uuid-aaa"\n', 1, "", ('"지우" =',)),
    Broken("a colon", "[kakao]\ntimeout: 10\n", 2, "", ("not TOML", "write key = value")),
    Broken("a colon after a Korean key", '[friends]\n지우: "uuid-aaa"\n', 2, "", ("write key = value",)),
    Broken("a colon after a key in quotes", '[friends]\n"지우" : "uuid-aaa"\n', 2, "", ("write key = value",)),
    Broken("no equals sign", "[kakao]\ntimeout 10\n", 2, "", ("not TOML", "key = value")),
    Broken("a word alone", "[kakao]\ntimeout\nlink = 'https://x.kr'\n", 2, "", ("key = value",)),
    Broken("a word at the end", "[kakao]\ntimeout", 2, "", ("key = value",)),
    Broken("a sentence", "[kakao]\n여기에 키를 적으세요\n", 2, "", ("key = value", "# comment")),
    Broken("no value after all", "[kakao]\ntimeout =", 2, "", ("no value after =",)),
    Broken("a path of Windows", '[[message]]\nfile = "C:\\Users\\me\\보고.txt"\n', 2, "", ("not TOML", "backslash", "twice", "single quotes")),
    Broken("another path of Windows", '[[message]]\nfile = "D:\\reports\\x.txt"\n', 2, "", ("",)),
    Broken("a path with an unknown escape", '[[message]]\nfile = "C:\\data\\x.txt"\n', 2, "", ("backslash", "twice")),
    Broken("True", "[schedule]\nearly_start = True\n", 2, "", ("true or false",)),
    Broken("yes", "[schedule]\nearly_start = yes\n", 2, "", ("true or false",)),
    Broken("a Korean word without quotes", "[[message]]\nto = [나]\n", 2, "", ("in quotes",)),
    Broken("a time without quotes", "[schedule]\nquiet = [23:00-06:30]\n", 2, "", ("a time is a text",)),
    Broken("no comma in a list", "[schedule]\nregular_minutes = [0 30]\n", 2, "", ("commas",)),
    Broken("no comma between texts", '[schedule]\ndays = ["mon" "tue"]\n', 2, "", ("commas",)),
    Broken("a list without an end", "[schedule]\nregular_minutes = [0, 30\ndays = ['mon']\n", 3, "", ("end with ]",)),
    Broken("a comma at the end", "[kakao]\ntimeout = 10,\n", 2, "", ("no comma",)),
    Broken("a comment of another language", "[kakao]\ntimeout = 10 // 초\n", 2, "", ("comments begin with #",)),
    Broken("a line of comment of another language", "// 내 설정\n[kakao]\n", 1, "", ("comments begin with #",)),
    Broken("a semicolon", "; 내 설정\n[kakao]\n", 1, "", ("comments begin with #",)),
    Broken("an inline table over lines", "[[message]]\ndata = {\n  a = 1,\n}\n", 2, "", ("one line",)),
    Broken("a key behind a table", '[[message]] name = "x"\n', 1, "", ("on the next one",)),
    Broken("an unfinished merge", "[kakao]\n<<<<<<< HEAD\ntimeout = 5\n", 2, "", ("merge",)),
    Broken("line ends of an old Mac", "[kakao]\rtimeout = 5\r", 1, "", ("line ends",)),
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
    Broken("a day in Korean", '[schedule]\ndays = ["월", "월욜일"]\n', 2, "schedule.days[2]", ("평일", "'월욜'")),
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
    Broken("a user who looks like loopback", '[kakao]\napi_url = "http://127.0.0.1@example.com"\n', 2, "kakao.api_url", ("user or password",)),
    Broken("an empty key", '[kakao]\nrest_api_key = ""\n', 2, "kakao.rest_api_key", ("is empty",)),
    Broken("a blank secret", '[kakao]\nclient_secret = " "\n', 2, "kakao.client_secret", ("is empty",)),
    Broken("a key with a blank after it", '[kakao]\nrest_api_key = "s3cret "\n', 2, "kakao.rest_api_key", ("ends with a blank",)),
    Broken("a key with a blank before it", '[kakao]\nrest_api_key = " s3cret"\n', 2, "kakao.rest_api_key", ("begins or ends",)),
    Broken("a secret with a line break", '[kakao]\nclient_secret = "s3cret\\n"\n', 2, "kakao.client_secret", ("line break",)),
    Broken("a secret over three quotes", '[kakao]\nclient_secret = """\ns3cret\n"""\n', 2, "kakao.client_secret", ("line break",)),
    Broken("a key with a blank inside", '[kakao]\nrest_api_key = "KakaoAK s3cret"\n', 2, "kakao.rest_api_key", ("holds a blank",)),
    Broken("a key with a blank of no width", '[kakao]\nrest_api_key = "s3\u200bcret"\n', 2, "kakao.rest_api_key", ("no key has",)),
    Broken("a key that is left to fill in", '[kakao]\nrest_api_key = "…"\n', 2, "kakao.rest_api_key", ("no key has",)),
    Broken("a key in two pairs of quotes", """[kakao]\nrest_api_key = "'s3cret'"\n""", 2, "kakao.rest_api_key", ("quotes twice",)),
    Broken("a variable as the key", '[kakao]\nrest_api_key = "${KAKAO_KEY}"\n', 2, "kakao.rest_api_key", (".env",)),
    Broken("a link without its scheme", '[kakao]\nlink = "www.naver.com"\n', 2, "kakao.link", ("https://example.com",)),
    Broken("a link with a blank", '[kakao]\nlink = "https://x.kr "\n', 2, "kakao.link", ("https://example.com",)),
    Broken("a ping without its scheme", '[monitor]\nping_url = "hc-ping.com/x"\n', 2, "monitor.ping_url", ("https://example.com",)),
    Broken("an alert without its scheme", '[monitor]\nalert_urls = ["ntfy.sh/x"]\n', 2, "monitor.alert_urls[1]", ("Apprise",)),
    Broken("an alert with a blank", '[monitor]\nalert_urls = ["ntfy://x "]\n', 2, "monitor.alert_urls[1]", ("blank",)),
    Broken("a cron step beyond the field", message(slots="", cron='"*/90 * * * *"'), 4, "message[1].cron", ("steps over the whole minute",)),
    Broken("a cron rule that is never due", message(slots="", cron='"0 9 31 2 *"'), 4, "message[1].cron", ("never due",)),
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
