"""Which troubles a person is told of: once, once a day while they last, once when they are over.
Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct, convert, field, to_builtins
from msgspec.structs import replace

from kakaocron.errors import Cause
from kakaocron.kst import DAY, in_kst, isoformat, isoformat_if_any
from kakaocron.ledger.deliveries import Delivery, is_by_hand
from kakaocron.ledger.ledger import View
from kakaocron.states import BAD, Reason, State
from kakaocron.text.causes import as_facts, said
from kakaocron.watching.causes import is_bot_down, is_dealer_down, of_account
from kakaocron.watching.health import newest_of_each, reasons_of
from kakaocron.watching.sentences import NOBODY, Names, last_results, trouble_of

REMINDER = timedelta(days=1)
# A single failed attempt mends itself more often than not; two of them are told.
PATIENCE_ATTEMPTS = 2
# Alarms that no way out took are offered again after a minute, then ever later, up to an hour.
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
# So many alarms that nobody took are kept; of older ones only how many they were.
MOST_UNTOLD = 100
# What has gone wrong longer ago is over when a newer delivery of the same message is fine.
LONGEST_LOOK_BACK = timedelta(days=31)
# Of a day that no look has seen yet, what is older is not told.
FIRST_LOOK_BACK = timedelta(hours=1)

LOGIN, QUOTA, LEDGER, LOCK, RATE, DELAY = "login", "quota", "ledger", "lock", "rate", "delay"
BOT, DEALER = "bot", "dealer"
LEFT_OUT = "left-out"
# These only follow from other troubles: they are told where nothing else has been.
SYMPTOMS = frozenset({RATE, DELAY})
# What lies behind many deliveries at once is one trouble, not one for each.
_SHARED = {
    Reason.NOT_LOGGED_IN: LOGIN,
    Reason.QUOTA: QUOTA,
    Reason.LEDGER_UNWRITABLE: LEDGER,
    Reason.LOCK_HELD: LOCK,
}
_AT_ONCE = frozenset({Reason.QUOTA})

# Of these the end has a sentence of its own.
_ENDS = frozenset({LOGIN, BOT, DEALER, QUOTA, LEDGER, LOCK, RATE, DELAY})


def login_key(account: str) -> str:
    """Return the key of an account's login; the default account's has no name."""
    return f"{LOGIN}:{account}" if account else LOGIN


def _the_default(_: str) -> str:
    return ""


class Turn(StrEnum):
    """What an alarm says of its trouble."""

    BEGUN = "begun"
    LASTING = "lasting"
    OVER = "over"


class Alarm(Struct, frozen=True):
    """One thing to tell."""

    turn: Turn
    key: str
    since: datetime
    cause: Cause


class Trouble(Struct, frozen=True):
    """A trouble that lasts. A muted one is known, and is not told."""

    since: datetime
    cause: Cause
    told_at: datetime
    is_muted: bool = False


class AlarmState(Struct, frozen=True):
    """What was found up to `seen`, and what is still to be told.

    `lines` says up to which line each day of the ledger was looked through: lines after it are
    news, and those before it are none, whatever the clock says.
    """

    seen: datetime | None = None
    lines: Mapping[date, int] = field(default_factory=dict)
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    untold: tuple[Alarm, ...] = ()
    mentioned: int = 0  # so many of them a way has taken that does not count (KakaoTalk itself)
    tries: int = 0
    next_try: datetime | None = None


class Observation(Struct, frozen=True):
    """What one look found: troubles that last, things that have happened, and what is still to be
    settled by a person although the trouble is over, by key.

    `open` holds the keys of troubles that are not over if they are known: what they are about is
    on its way again, or nothing is known of it. After a look that saw only a part (the ledger could
    not be read), nothing is called over.
    """

    lasting: Mapping[str, Cause]
    happened: Mapping[str, Cause] = field(default_factory=dict)
    held: Mapping[str, Cause] = field(default_factory=dict)
    open: frozenset[str] = frozenset()
    is_partial: bool = False
    lines: Mapping[date, int] = field(default_factory=dict)  # see AlarmState


def review(state: AlarmState, found: Observation, now: datetime) -> AlarmState:
    """Return the state after a look; `untold` has grown by what is to be told."""
    known = {key: _as_of(one, now) for key, one in state.troubles.items()}
    alarms: list[Alarm] = []
    going_on = {*found.lasting, *found.open}
    over = [] if found.is_partial else [key for key in known if key not in going_on]
    for key in over:
        ended = known.pop(key)
        if not ended.is_muted:
            alarms.append(Alarm(Turn.OVER, key, ended.since, _over(key, ended, found)))
    for key, cause in found.happened.items():
        if key not in state.troubles and key not in found.lasting:
            alarms.append(Alarm(Turn.BEGUN, key, now, cause))
    is_told = bool(alarms) or any(not one.is_muted for one in known.values())
    for key, cause in sorted(found.lasting.items(), key=lambda item: item[0] in SYMPTOMS):
        if key not in known:
            is_muted = key in SYMPTOMS and is_told
            known[key] = Trouble(now, cause, now, is_muted)
            if not is_muted:
                alarms.append(Alarm(Turn.BEGUN, key, now, cause))
                is_told = True
        elif now - known[key].told_at >= REMINDER:
            lasting = known[key] = replace(known[key], told_at=now, cause=cause)
            if not lasting.is_muted:
                since = f"{lasting.since:%Y-%m-%d %H:%M}"
                still = Cause("still", {"since": since, **as_facts("trouble", cause)})
                alarms.append(Alarm(Turn.LASTING, key, lasting.since, still))
    state = _bounded(replace(state, troubles=known, untold=(*state.untold, *alarms)))
    if found.is_partial:
        return state
    lines = {**state.lines, **found.lines}
    near = {day: n for day, n in lines.items() if abs(day - now.date()) <= LONGEST_LOOK_BACK + DAY}
    return replace(state, seen=now, lines=near)


def _bounded(state: AlarmState) -> AlarmState:
    """Return a state with so many alarms at most: the first stands for the older ones."""
    extra = len(state.untold) - MOST_UNTOLD
    if extra <= 0:
        return state
    old, kept = state.untold[: extra + 1], state.untold[extra + 1 :]
    count = sum(int(one.cause.facts["count"]) if one.key == LEFT_OUT else 1 for one in old)
    first = Alarm(Turn.LASTING, LEFT_OUT, old[0].since, Cause(LEFT_OUT, {"count": count}))
    return replace(state, untold=(first, *kept), mentioned=max(0, state.mentioned - extra))


def _as_of(trouble: Trouble, now: datetime) -> Trouble:
    """Return a trouble told by a clock that was ahead as told now: else it is not told for long."""
    return replace(trouble, told_at=min(trouble.told_at, now))


def is_news(
    state: AlarmState, view: View, ends: Mapping[date, int], now: datetime
) -> Callable[[Delivery], bool]:
    """Return what says whether the ledger has told something of a delivery since the last look;
    `ends` says up to which line each day is read now."""
    since = state.seen if state.seen and state.seen <= now else now - FIRST_LOOK_BACK

    def is_later(delivery: Delivery) -> bool:
        day = delivery.slot.date()
        known = state.lines.get(day)
        if known is None or known > ends.get(day, 0):  # or an older copy was put in its place
            return delivery.updated_at is not None and delivery.updated_at > since
        return view.lines[delivery.id] > known

    return is_later


def ends_of(view: View, days: Iterable[date]) -> dict[date, int]:
    """Return up to which line days are read, as far as their deliveries are concerned."""
    ends = dict.fromkeys(days, 0)
    for id_, delivery in view.deliveries.items():
        if (day := delivery.slot.date()) in ends:
            ends[day] = max(ends[day], view.lines[id_])
    return ends


def _over(key: str, ended: Trouble, found: Observation) -> Cause:
    kind, _, which = key.partition(":")
    if key in found.held:
        cause = Cause("over-but-held", as_facts("trouble", found.held[key]))
    elif kind in _ENDS:
        cause = of_account(which, Cause(f"over-{kind}"))
    else:
        cause = Cause("over", as_facts("trouble", ended.cause))
    if key not in found.happened:
        return cause
    meanwhile = as_facts("meanwhile", found.happened[key])
    return Cause("over-meanwhile", {**as_facts("trouble", cause), **meanwhile})


def may_tell(state: AlarmState, now: datetime) -> bool:
    if state.next_try is None or state.next_try > now + LONGEST_PAUSE:  # the clock was ahead
        return bool(state.untold)
    return bool(state.untold) and state.next_try <= now


def told(state: AlarmState) -> AlarmState:
    return replace(state, untold=(), mentioned=0, tries=0, next_try=None)


def not_told(state: AlarmState, now: datetime, *, mentioned: bool = False) -> AlarmState:
    """Return the state after no way out that counts took the alarms: they are kept, and offered
    later; `mentioned` says that one which does not count took them."""
    if mentioned:
        state = replace(state, mentioned=len(state.untold))
    pause = min(FIRST_PAUSE * 2 ** min(state.tries, 10), LONGEST_PAUSE)
    return replace(state, tries=state.tries + 1, next_try=now + pause)


def of_deliveries(
    deliveries: Iterable[Delivery],
    configured: Collection[str],
    is_new: Callable[[Delivery], bool],
    names: Names = NOBODY,
    account_of: Callable[[str], str] = _the_default,
) -> Observation:
    """Return the troubles that last, what has happened that is new, and what is held, by key.

    A trouble lasts while the newest delivery of a configured message is part of it, and is open
    while that is on its way again, or nothing of the message is among these deliveries. What a
    person sends by hand is in front of that person's eyes already. `account_of` says by which
    account a receiver is sent to.
    """
    planned = [one for one in deliveries if not is_by_hand(one.id)]
    told = [one for one in planned if _is_telling(one)]
    telling = {one.id for one in told}
    heard = {one.message for one in planned if one.id in telling or _is_settled_by_hand(one)}
    open_ = {key for message in configured if message not in heard for key in _own_keys(message)}
    lasting: dict[str, list[Delivery]] = {}
    for one in newest_of_each(one for one in planned if one.id in telling or one.is_on_its_way):
        if one.message not in configured:
            continue
        if one.id not in telling:
            open_ |= _keys_before(one, account_of)
        elif key := key_of(one, account_of):
            lasting.setdefault(key, []).append(one)
    happened: dict[str, list[Delivery]] = {}
    held: dict[str, list[Delivery]] = {}
    for one in told:
        if one.state in BAD and (key := key_of(one, account_of)):
            if is_new(one):
                happened.setdefault(key, []).append(one)
            if one.is_held:
                held.setdefault(key, []).append(one)
    return Observation(
        {key: trouble_of(happened.get(key, group), names) for key, group in lasting.items()},
        {key: trouble_of(group, names) for key, group in happened.items()},
        {key: trouble_of(group, names) for key, group in held.items()},
        frozenset(open_),
    )


def _own_keys(message: str) -> set[str]:
    return {f"unknown:{message}", f"delivery:{message}"}


def _keys_before(delivery: Delivery, account_of: Callable[[str], str]) -> set[str]:
    """Return the troubles that a delivery may have been part of before it went on its way again."""
    return (
        _own_keys(delivery.message)
        | {
            login_key(account_of(receiver)) if shared == LOGIN else shared
            for attempt in delivery.attempts
            for receiver, result in attempt.results.items()
            if result.reason and (shared := _SHARED.get(result.reason))
        }
        | {
            key
            for attempt in delivery.attempts
            for result in attempt.results.values()
            if (key := _out_of_order(result.cause))
        }
    )


def _is_settled_by_hand(delivery: Delivery) -> bool:
    """Say whether a person put an end to what had begun: a slot cancelled ahead had not."""
    has_begun = delivery.is_reopened or bool(delivery.attempts)
    is_on_a_word = delivery.state is State.SENT and delivery.reason is Reason.BY_HAND
    return has_begun and (delivery.state is State.CANCELLED or is_on_a_word)


def days_of(state: AlarmState, today: date) -> list[date]:
    """Return the days whose deliveries tell whether what is known is over."""
    # Not after today, though a clock that was ahead may have seen a trouble begin.
    since = [today, *(one.since.date() for one in state.troubles.values())]
    first = max(min(since) - DAY, today - LONGEST_LOOK_BACK)
    return [first + n * DAY for n in range((today - first).days + 1)]


def _is_telling(delivery: Delivery) -> bool:
    """Say whether a delivery shows how things are: not one that has hardly begun, or was meant."""
    if delivery.state is State.CONFIRMED:  # nearly all are
        return True
    if delivery.was_meant or delivery.is_being_settled:
        return False
    if delivery.state is State.RETRYING:
        return len(delivery.attempts) >= PATIENCE_ATTEMPTS or delivery.reason in _AT_ONCE
    return delivery.state in BAD


def _out_of_order(cause: Cause | None) -> str | None:
    """Return the trouble of a bot or a dealer by which nothing goes until a person has acted."""
    if is_bot_down(cause):
        return BOT
    return DEALER if is_dealer_down(cause) else None


def key_of(delivery: Delivery, account_of: Callable[[str], str]) -> str | None:
    """Return the trouble that a delivery is part of, None if it is fine or a person has seen it."""
    if delivery.state is State.CONFIRMED or delivery.reason is Reason.BY_HAND:
        return None
    if key := _out_of_order(delivery.cause):
        return key  # whichever of its refusals it is
    shared = next((_SHARED[r] for r in reasons_of(delivery) if r in _SHARED), None)
    if shared == LOGIN:
        return login_key(_account_without_login(delivery, account_of))
    what = "unknown" if delivery.state is State.UNKNOWN else "delivery"
    return shared or f"{what}:{delivery.message}"


def _account_without_login(delivery: Delivery, account_of: Callable[[str], str]) -> str:
    """Return by which account a delivery was to go that has failed for want of a login."""
    failed = (
        receiver
        for receiver, result in {**delivery.targets, **last_results(delivery)}.items()
        if Reason.NOT_LOGGED_IN in (result.reason, result.behind)
    )
    return next(map(account_of, failed), account_of(delivery.to[0] if delivery.to else ""))


def to_fields(state: AlarmState) -> dict[str, Any]:
    """Return the state as JSON."""
    return {
        "seen": isoformat_if_any(state.seen),
        "lines": {day.isoformat(): number for day, number in state.lines.items()},
        "troubles": {
            key: {
                "since": isoformat(one.since),
                "cause": to_builtins(one.cause),
                "told_at": isoformat(one.told_at),
                "is_muted": one.is_muted,
            }
            for key, one in state.troubles.items()
        },
        "untold": [
            {
                "turn": one.turn,
                "key": one.key,
                "since": isoformat(one.since),
                "cause": to_builtins(one.cause),
            }
            for one in state.untold
        ],
        "mentioned": state.mentioned,
        "tries": state.tries,
        "next_try": isoformat_if_any(state.next_try),
    }


def from_fields(fields: Mapping[str, Any]) -> AlarmState:
    """Read the state back. Raises ValueError for anything else."""
    try:
        troubles = {
            str(key): Trouble(
                _instant(one["since"]),
                _cause(one),
                _instant(one["told_at"]),
                bool(one["is_muted"]),
            )
            for key, one in fields["troubles"].items()
        }
        untold = tuple(
            Alarm(Turn(one["turn"]), str(one["key"]), _instant(one["since"]), _cause(one))
            for one in fields["untold"]
        )
        return AlarmState(
            _instant(fields["seen"]) if fields["seen"] else None,
            {date.fromisoformat(day): int(n) for day, n in fields.get("lines", {}).items()},
            troubles,
            untold,
            int(fields.get("mentioned", 0)),
            int(fields["tries"]),
            _instant(fields["next_try"]) if fields["next_try"] else None,
        )
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a state of alarms: {error}") from None


def _cause(fields: Mapping[str, Any]) -> Cause:
    """Read a cause; earlier versions kept a sentence in its place."""
    return convert(fields["cause"], Cause) if "cause" in fields else said(str(fields["sentence"]))


def _instant(text: Any) -> datetime:
    return in_kst(datetime.fromisoformat(text))
