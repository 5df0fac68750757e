"""The config.toml that `init` writes: every key a user may want, with what it does. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kakaocron.config.schema import parse_span
from kakaocron.language.words import _, language, marked

DEFAULT_LINK = "https://developers.kakao.com"
DEFAULT_TEXT = "📊 정기 보고\n⏰ 현재 시간: {time}"

_TEMPLATE = marked(
    """\
# kakaocron. After a change: kakaocron config check
# Times are Korean time, whatever zone this machine is in.

# What kakaocron says: "ko", "en", or "auto" as the shell's LANG, which cron does not have.
language = {language}

[kakao]
# console: [App] > [Platform key] > [REST API key]. The environment (KAKAO_REST_API_KEY,
# KAKAO_REST_API_KEY_FILE, a .env beside this file) wins over this line.
{rest_api_key}
# The client secret of that key, if it is switched on (it is by default for new keys).
{client_secret}
# Where a tap on the message leads. Its domain must be registered: console, [App] > [Product Link].
link = {link}
# timeout = 10                    # seconds
# api_url = "https://kapi.kakao.com"      # both of a `kakaocron sandbox`, to rehearse
# auth_url = "https://kauth.kakao.com"

[schedule]
regular_minutes = [0, 30]
peak_minutes = [0, 15, 30, 45]
peak_hours = [7, 8, 9, 11, 12, 13, 17, 18, 19, 20]
# days = ["mon", "tue", "wed", "thu", "fri"]
{quiet}         # no slots then; may cross midnight
early_start = true                # the tick of the minute before prepares; it sends on the second

[delivery]
# retry_delays = [30, 60, 120, 300]       # seconds after each failed attempt
# max_retries = 4
# expire_after = 600              # seconds after its slot a message is no longer sent
# on_unknown = "hold"             # "resend" may send twice what Kakao did not confirm

# [ledger]
# keep_days = 90

# [monitor]
# ping_url = "https://hc-ping.com/UUID"
# alert_command = ["/home/me/bin/tell"]   # gets JSON on stdin
# alert_urls = ["ntfy://ntfy.sh/TOPIC"]   # Kakao makes no sound for a message to yourself

# Names for friends' uuids, which `kakaocron friends` lists. Take the # off both lines.
# [friends]
# "지우" = "…"

# Another person's own chat, by a login of that person's: kakaocron login --account minji
# [account.minji]

# A name for several receivers.
# [group]
# family = ["me", "minji"]

[profile.development.delivery]    # holds when ENVIRONMENT=development
retry_delays = [10, 20, 30]

# What stands below a [[message]], up to the next [, is that message's.
[[message]]
name = "report"
slots = ["regular", "peak"]
text = {text}
to = {to}
"""
)


@dataclass(frozen=True, slots=True)
class Answers:
    """What the user was asked for, or gave as options."""

    rest_api_key: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    link: str = DEFAULT_LINK
    text: str = DEFAULT_TEXT
    to: Sequence[str] = ("me",)
    quiet: str | None = None  # as in "23:00-06:30"


def config_text(answers: Answers) -> str:
    """Return the file; a key that was not given stays as a comment."""
    return _(_TEMPLATE).format(
        language=quoted(language()),
        rest_api_key=_setting("rest_api_key", answers.rest_api_key),
        client_secret=_setting("client_secret", answers.client_secret),
        link=quoted(answers.link),
        quiet=f"quiet = [{quoted(answers.quiet)}]"
        if answers.quiet
        else '# quiet = ["23:00-06:30"]',
        text=quoted(answers.text),
        to=f"[{', '.join(quoted(name) for name in answers.to)}]",
    )


def quiet_outside(hours: str) -> str | None:
    """Return the quiet hours of who wants messages from and to, as in "7-22" or "07:00-22:30";
    None for the whole day. Raises ValueError."""
    found = re.fullmatch(r"\s*(\d{1,2})(?::(\d\d))?\s*[-~–]\s*(\d{1,2})(?::(\d\d))?\s*", hours)
    if not hours.strip():
        return None
    if found is None:
        raise ValueError(_("'{hours}' is not of the form 07:00-22:00").format(hours=hours[:20]))
    start, end = (f"{int(found[n]):02d}:{found[n + 1] or '00'}" for n in (1, 3))
    start, end = (clock.replace("24:00", "00:00") for clock in (start, end))
    if start == end:
        return None
    parse_span(f"{end}-{start}")
    return f"{end}-{start}"


def _setting(name: str, value: str | None) -> str:
    return f"{name} = {quoted(value)}" if value else f'# {name} = "…"'


def quoted(text: str) -> str:
    """Write a TOML basic string: JSON's escapes are TOML's too, but for DEL and lone surrogates."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
