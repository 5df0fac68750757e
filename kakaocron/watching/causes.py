"""What the state of alarms keeps as codes and facts, in words: one code, one English sentence.
Pure."""

from __future__ import annotations

from kakaocron.config.contacts import BOT
from kakaocron.delivery.orders import LOOK_AND_RESOLVE, RETRY_ANYWAY
from kakaocron.errors import Cause
from kakaocron.kakao import causes as kakao
from kakaocron.kakao.codes import REMEDIES, box_of
from kakaocron.language.words import _
from kakaocron.states import Reason
from kakaocron.text import causes
from kakaocron.text.causes import Facts, as_facts, part_of

# As those of text/causes: never reworded, only added to. {trouble}, {meanwhile}, {advice},
# {remedy} and {damage} are causes of their own (`as_facts`); {why} and {who} are made below.
TEMPLATES: causes.Templates = {
    # Of deliveries. {who} has its own space before it.
    "deliveries": "{count} slots from {first} to {id} are not confirmed; the last: {state} "
    "({why}). See: kakaocron history --days 2",
    "delivery-unknown": "Nobody can know whether {id} arrived ({why}).{who} {advice}",
    "delivery-tried-once": "{id} is not delivered after 1 attempt ({why}); it is tried again.{who}",
    "delivery-tried": "{id} is not delivered after {attempts} attempts ({why}); it is tried "
    "again.{who}",
    "delivery-ended": "{id} {state} ({why}).{who} {advice}",
    # What a person can do.
    "advice-resent": 'It is sent again by itself at {at} (on_unknown = "resend"), unless it is '
    "in the chat and you say so first: kakaocron resolve {id} --delivered",
    "advice-wait": "It is being looked up by itself, and sent again only if that is safe",
    "advice-look": LOOK_AND_RESOLVE,
    "advice-retry": RETRY_ANYWAY,
    "advice-remedy": "{remedy}; then: kakaocron retry {id}",
    "advice-remedy-at": "{remedy}; then: kakaocron retry {id} --at '{at}'",
    "advice-no-retry": "{remedy}; to send it again as it is cannot help",
    "remedy-kakao": "{words}",
    "remedy-midnight": "The quota is free again after midnight (KST)",
    "remedy-login": "Fix the login (see: kakaocron doctor)",
    "remedy-friend": "Usually it is a uuid of another app, or the sender's own: fix it "
    "(kakaocron friends)",
    "remedy-receiver": "Fix the receiver in config.toml; its next slot is right",
    "remedy-content": "Fix its content (see: kakaocron preview)",
    # Of the login, the day and the ticks.
    "account": "account '{account}': {trouble}",
    "no-login": "Not logged in to Kakao. Run: kakaocron login",
    "login-expired": "The saved login expired on {at}. Run: kakaocron login",
    "login-ends-in-days": "The saved login ends in {days} days ({at}). Run: kakaocron login",
    "login-ends-in-hours": "The saved login ends in {hours} hours ({at}). Run: kakaocron login",
    "rate": "Only {rate} of today's slots are confirmed; the bound is {bound:.1%}. "
    "See: kakaocron status",
    "delay": "Today's lateness (p99) is {minutes:.2f} min; the bound is {bound:g} min. "
    "See: kakaocron status",
    "ledger-damaged": "The ledger of {day} is damaged ({damage}); a copy is kept as '{kept}'. "
    "Slots that it may have held are not sent again: kakaocron history --days 2",
    "clock-behind-ledger": "clock-wrong: it is {now}, but the ledger's last entry is of {last}. "
    "Set the clock: timedatectl set-ntp true",
    "clock-off": "clock-wrong: this clock is {seconds:+.0f} s off Kakao's. Set it: timedatectl "
    "set-ntp true",
    "tick-interrupted": "The tick failed: it was ended by a signal, as at a shutdown",
    # How a trouble goes on.
    "still": "Still, since {since}: {trouble}",
    "over": "Over: {trouble}",
    "over-but-held": "Messages arrive again. {trouble}",
    "over-meanwhile": "{trouble}. Meanwhile: {meanwhile}",
    # What a trouble says of itself is no good news; these say that it is over.
    "over-login": "Over: Kakao accepts the login again",
    "over-bot": "Over: Kakao takes the bot's messages again",
    "over-quota": "Over: Messages arrive again; no quota is in the way",
    "over-ledger": "Over: The ledger can be written again",
    "over-lock": "Over: The ledger's lock is free again",
    "over-rate": "Over: Today's success rate is within its bound again",
    "over-delay": "Over: Today's lateness is within its bound again",
    "left-out": "{count} older alarms are left out: nobody took them",
    "test": "This is a test of kakaocron's alarms; nothing is wrong (kakaocron alarm --test)",
}
# How receivers fared, where that differs, in the order in which it is said.
FARED: causes.Templates = {
    "not_reached": "it has not reached",
    "reached": "it has reached",
    "tried_again": "it is tried again for",
    "not_known": "nobody knows of",
}
# How the codes of the dealers' causes begin.
OF_DEALERS = ("alimtalk-", "nhn", "solapi")
_PARTS = ("trouble", "meanwhile", "advice", "remedy", "damage")


def of_account(account: str, cause: Cause) -> Cause:
    """Return a cause that names the account whose login it is about, if that is not the default."""
    if not account:
        return cause
    return Cause("account", {"account": account, **as_facts("trouble", cause)})


def is_bots(cause: Cause | None) -> bool:
    """Say whether a cause is one of the channel to rooms."""
    return cause is not None and cause.code.partition("-")[0] == BOT


def is_bot_down(cause: Cause | None) -> bool:
    """Say whether a cause is one for which nothing goes to rooms until a person has acted."""
    return cause is not None and cause.code.startswith(f"{BOT}-down")


def in_words(cause: Cause) -> str:
    """Return the sentence for a cause, be it of those above, of a channel's or of the common
    ones."""
    if is_bots(cause):
        from kakaocron.bot import causes as bot  # noqa: PLC0415 - most have no bot

        return bot.in_words(cause)
    if cause.code not in TEMPLATES:
        return _of_channel(cause)
    if cause.code == "account" and (trouble := part_of(cause.facts, "trouble")):
        return kakao.named(str(cause.facts.get("account", "")), in_words(trouble))
    said = {**cause.facts, "why": why(cause.facts), "who": who(cause.facts)}
    if isinstance(state := cause.facts.get("state"), str):
        said["state"] = _(state)
    for name in _PARTS:
        if part := part_of(cause.facts, name):
            said[name] = in_words(part)
    if cause.code == "remedy-kakao":
        said |= _remedy_words(cause.facts)
    return causes.in_words(Cause(cause.code, said), TEMPLATES)


def _of_channel(cause: Cause) -> str:
    """Return the sentence of a channel's cause, or of a common one."""
    if cause.code.startswith(OF_DEALERS):
        from kakaocron.alimtalk import causes as dealers  # noqa: PLC0415 - few have one

        return dealers.in_words(cause)
    return kakao.in_words(cause)


def why(facts: Facts) -> str:
    """Name the `reason` and the one `behind` it, and say the `cause`, as far as they are known."""
    cause = part_of(facts, "cause")
    words = [facts[name] for name in ("reason", "behind") if facts.get(name)]
    known = [Reason(str(word)).beside for word in words] + ([in_words(cause)] if cause else [])
    return ": ".join(known)


def who(facts: Facts) -> str:
    """Say who has it and who has not; empty where nothing is known of that."""
    said = "; ".join(f"{_(words)} {facts[name]}" for name, words in FARED.items() if name in facts)
    return f" {said[0].upper()}{said[1:]}." if said else ""


def _remedy_words(facts: Facts) -> dict[str, str]:
    code, scopes = facts.get("code"), str(facts.get("scopes", "")).split()
    if not isinstance(code, int) or code not in REMEDIES:
        return {}
    return {"words": _(REMEDIES[code].words).format(box=box_of(scopes))}
