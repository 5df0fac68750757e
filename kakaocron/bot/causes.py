"""What the Bot API's answers add to the causes that the ledger keeps, in words, and what helps.
Pure."""

from __future__ import annotations

from msgspec import Struct

from kakaocron.bot.codes import CODES
from kakaocron.errors import Cause, ContentError, LoginError
from kakaocron.language.words import _
from kakaocron.text import causes

# So begin the codes of what lets nothing go by the bot until a person has acted.
DOWN = "bot-down"

# As those of text/causes: never reworded, only added to; each begins with the channel's name.
# {meaning} is that of the API's {code}.
TEMPLATES: causes.Templates = {
    "bot": "{meaning} ({code})",
    "bot-said": "{meaning} ({code}: {msg})",
    "bot-down": "{meaning} ({code})",
    "bot-down-said": "{meaning} ({code}: {msg})",
    "bot-down-no-token": "There is no bot token: set KAKAO_BOT_TOKEN, or KAKAO_BOT_TOKEN_FILE",
    "bot-down-bad-token": "The bot token cannot be read: {words}",
    "bot-behind": "{meaning} ({code}, {extra})",
    "bot-behind-said": "{meaning} ({code}, {extra}: {msg})",
    "bot-unknown-code": "unknown code {code} of the Bot API",
    "bot-no-counters": "HTTP {status} with {bytes} bytes of {kind}, and no counts of what was "
    "posted: it has probably arrived",
    "bot-not-posted": "Kakao took the call and posted nothing ({sent} of {total}, {errors} "
    "failed): it has probably not arrived",
    "bot-counters": "Kakao counts {sent} of {total} posted and {errors} failed, where it was one",
    "bot-redirect": "HTTP {status}: the server sends elsewhere, where the bot token is not taken; "
    "look at url in [bot]",
    "bot-no-answer": "HTTP {status} with {bytes} bytes of {kind}, not the Bot API's answer",
    "bot-no-room": "'{room}' is not in [rooms] any more",
    "bot-text-only": "a room takes plain text, and this message is a template",
    "bot-empty-text": "the text is empty",
    "bot-half-pair": "the text holds half a surrogate pair, which is no character",
    "bot-long-text": "{text}the text has {units} characters, a room takes {most}; shorten it, or "
    'configure a message with overflow = "split"',
    # What helps.
    "bot-remedy": "{mend}",
    "bot-remedy-none": "Only Kakao, or a newer kakaocron, can change that",
    "bot-remedy-token": "Put the bot token there (console, [제품 설정] > [카카오톡 봇] > [봇])",
    "bot-remedy-room": "Put it into [rooms] again: kakaocron rooms listen",
    "bot-remedy-url": "Put the right url into [bot]",
    "bot-remedy-text": "Give the room a message with text, file or command",
}


class BotError(LoginError):
    """Nothing goes by the bot until a person has acted."""


class Help(Struct, frozen=True):
    """What a person can do, and whether sending it again helps then."""

    cause: Cause
    helps: bool = True


_BY_CAUSE = {
    "bot-down-no-token": Help(Cause("bot-remedy-token")),
    "bot-no-room": Help(Cause("bot-remedy-room"), helps=False),
    "bot-redirect": Help(Cause("bot-remedy-url")),
    "bot-text-only": Help(Cause("bot-remedy-text"), helps=False),
}


def in_words(cause: Cause) -> str:
    """Return the sentence for one of these causes."""
    known = CODES.get(code) if isinstance(code := cause.facts.get("code"), int) else None
    said = {
        "meaning": _(known.words) if known else _("no answer of the Bot API's"),
        "mend": _(known.mend) if known else "",
        **cause.facts,
    }
    if words := causes.part_of(cause.facts, "words"):
        said["words"] = causes.with_mend(words)
    return causes.in_words(Cause(cause.code, said), TEMPLATES)


def help_for(cause: Cause) -> Help | None:
    """Return what helps against one of these causes, None where nothing need be done."""
    code = cause.facts.get("code")
    known = CODES.get(code) if isinstance(code, int) else None
    if known is None or not (known.mend or not known.helps):
        return _BY_CAUSE.get(cause.code)
    if not known.mend:
        return Help(Cause("bot-remedy-none"), helps=False)
    return Help(Cause("bot-remedy", {"code": int(str(code))}), known.helps)


def down(cause: Cause | None) -> BotError | None:
    """Return the error of a bot by which nothing goes until a person has acted, if that is the
    cause."""
    if cause is None or not cause.code.startswith(DOWN):
        return None
    found = help_for(cause)
    return BotError(in_words(cause), in_words(found.cause) if found else "", cause)


def no_token() -> BotError:
    """Return the error of a bot without a token."""
    found = down(Cause("bot-down-no-token"))
    assert found is not None  # noqa: S101 - it is one of these
    return found


def content_error(code: str, /, **facts: str | float) -> ContentError:
    """Return the error of a content that no room would take."""
    cause = Cause(code, facts)
    return ContentError(in_words(cause), cause)
