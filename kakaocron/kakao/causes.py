"""What Kakao's answers add to the causes that the ledger keeps, and all of them in words. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from kakaocron.errors import UPGRADE, Cause, ContentError, KakaocronError
from kakaocron.kakao.codes import LOGIN_CODES, MESSAGE_CODES
from kakaocron.language.words import _, marked
from kakaocron.text import causes
from kakaocron.text.plain import account_variables

LOG_IN = marked("Run: kakaocron login")

# As those of text/causes: never reworded, only added to. {meaning} is that of Kakao's {code}.
TEMPLATES: causes.Templates = {
    "kakao": "{meaning} ({code})",
    "kakao-one-of-several": "{meaning} ({code}); Kakao did not say for which receivers",
    "kakao-no-scope": "the account has not agreed to {scopes}; log in again ({code})",
    "kakao-unknown-code": "unknown code {code}",
    "kakao-result-code": "result_code {code}",
    "kakao-receiver": "Kakao did not say clearly what became of receiver {receiver}",
    "kakao-no-answer": "HTTP {status} with {bytes} bytes of {kind}, not Kakao's answer",
    "quota-pair": "Kakao takes {most} messages a day from one sender to one friend, and {sent} "
    "went out today",
    "quota-receiver": "Kakao takes {most} messages a day to one receiver, and {sent} went out "
    "today",
    "quota-sender": "Kakao takes {most} messages a day from one sender, and {sent} went out today",
    "quota-app": "Kakao takes {most} messages a day of one app, and {sent} went out today",
    "no-upload": "the picture could not be uploaded: {why}",
    "long-text": "{text}the text has {units} characters, Kakao takes {most}; shorten it, or "
    'configure a message with overflow = "split"',
    "empty-text": "the text is empty",
    "half-pair": "the text holds half a surrogate pair, which is no character",
    "template": "{key}: {fault}",
    "stranger": "'{receiver}' is neither in [friends] nor a uuid. See: kakaocron friends",
    "not-logged-in": "Not logged in to Kakao",
    "login-unreadable": "Cannot read the saved login '{path}': {error}",
    "no-login-file": "Cannot read the saved login '{path}': not a token file of kakaocron's",
    "later-login-file": "Cannot read the saved login '{path}': a later kakaocron wrote it",
    "login-unwritable": "Cannot write '{path}': {error}",
    "no-key": "Renewing the login needs the app's key: set rest_api_key in [kakao], or "
    "KAKAO_REST_API_KEY",
    "login-dead": "Kakao no longer accepts the saved login ({code}: {meaning})",
    "variable-dead": "Kakao no longer accepts KAKAO_REFRESH_TOKEN ({code}: {meaning}): it is out "
    "of date. Put the token of a new login there, or unset it",
    "login-refused": "Kakao refuses to renew the login ({code}: {meaning})",
    "no-token": "Kakao gives no token now ({code}: {meaning})",
    "no-token-until": "Kakao refused a new token ({code}); the next try is at {until}",
    "token-refused": "Kakao does not accept KAKAO_ACCESS_TOKEN: it lives for hours and is not "
    "renewed",
    "login-server": "Kakao's login server: {error}",
}
# What to do, where that is not in the sentence.
MENDS: causes.Templates = {
    **causes.MENDS,
    "not-logged-in": LOG_IN,
    "login-dead": LOG_IN,
    "variable-dead": LOG_IN,
    "login-unreadable": LOG_IN,
    "no-login-file": LOG_IN,
    "later-login-file": UPGRADE,
    "token-refused": "Unset it. Run: kakaocron login",
}


_LOGIN_COMMAND = re.compile(r"kakaocron (?:login|friends)(?! --account)(?!\w)")
_VARIABLE = re.compile(r"KAKAO_(?=(?:ACCESS_TOKEN|REFRESH_TOKEN|REST_API_KEY|CLIENT_SECRET)\b)")


def for_account(account: str, words: str) -> str:
    """Return a sentence with the commands and variables of the account that it is about; the
    default account's are those that name none."""
    if not account:
        return words
    words = _LOGIN_COMMAND.sub(lambda found: f"{found[0]} --account {account}", words)
    return _VARIABLE.sub(account_variables(account), words)


@contextmanager
def about(account: str) -> Iterator[None]:
    """Let an error of a block name the commands and variables of its account."""
    try:
        yield
    except KakaocronError as error:
        error.what = for_account(account, error.what)
        error.mend = for_account(account, error.mend)
        raise


def named(account: str, words: str) -> str:
    """Say whose login a sentence is about; of the default account, whose name is empty, and of a
    channel without accounts, which speaks for itself, it says nothing."""
    if account.startswith("["):
        return words
    said = for_account(account, words)
    return (
        _("account '{account}': {words}").format(account=account, words=said) if account else said
    )


def in_words(cause: Cause) -> str:
    """Return the sentence for a cause, Kakao's own among them, and what to do."""
    mend = MENDS.get(cause.code)
    return f"{what(cause)}. {_(mend)}" if mend else what(cause)


def what(cause: Cause) -> str:
    """Return the sentence for a cause alone."""
    if cause.code not in TEMPLATES:
        return causes.in_words(cause)
    said = {"meaning": _meaning(cause.facts.get("code")), **cause.facts}
    if behind := causes.part_of(cause.facts, "why"):
        said["why"] = what(behind)
    return causes.in_words(Cause(cause.code, said), TEMPLATES)


def _meaning(code: object) -> str:
    if isinstance(code, int) and code in MESSAGE_CODES:
        return _(MESSAGE_CODES[code][2])
    known = LOGIN_CODES.get(code) if isinstance(code, str) else None
    return _(known.detail) if known else _("no answer of kauth's")


def parts(code: str, /, **facts: str | int | float) -> tuple[str, str, Cause]:
    """Return what an error says of a cause: what, what to do, and the cause itself."""
    cause = Cause(code, facts)
    return what(cause), MENDS.get(code, ""), cause


def content_error(code: str, /, **facts: str | float) -> ContentError:
    """Return the error of a content that Kakao would not take."""
    cause = Cause(code, facts)
    return ContentError(in_words(cause), cause)
