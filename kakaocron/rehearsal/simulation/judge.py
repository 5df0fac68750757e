"""The judge: what ought to have happened, from the configuration's numbers, against what did.

It shares no rule with kakaocron: it has its own calendar, reads the ledger's lines as any JSON, and
counts at the receiver.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from itertools import accumulate
from typing import Any
from zlib import crc32

from kakaocron.rehearsal.simulation.network import Departure
from kakaocron.rehearsal.simulation.orders import Order, is_surely_paused, may_be_paused, texts

KST = timezone(timedelta(hours=9))
BEGINNING = datetime.min.replace(tzinfo=KST)
MINUTE = timedelta(minutes=1)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HAND = ("once-", "send-")
FINAL = {"confirmed", "failed", "unknown", "missed", "cancelled"}
# A claim may hold a slot for this long after its process died (docs/reliability.md).
LEASE = timedelta(seconds=55)
# How many messages a day Kakao takes from one sender to one friend, and to all friends.
PER_PAIR, PER_SENDER = 20, 100
# How far a host's clock may be off another's, and it still sends.
CLOCKS_APART = timedelta(seconds=4)
# What another host has booked is found within 3 minutes; then it may be a tick's turn to come.
ASKED_EVERY = timedelta(minutes=4)


@dataclass(frozen=True)
class MessageRules:
    """The numbers of one message."""

    kinds: frozenset[str]
    to: tuple[str, ...]
    days: frozenset[str]
    quiet: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Rules:
    """The numbers of one configuration."""

    regular_minutes: frozenset[int]
    peak_minutes: frozenset[int]
    peak_hours: frozenset[int]
    expire_after: timedelta
    longest_delay: timedelta
    max_retries: int
    resends: bool
    messages: Mapping[str, MessageRules]

    def is_slot(self, message: str, at: datetime) -> bool:
        if message not in self.messages or at.second or at.microsecond:
            return False
        series = self.messages[message]
        of_day = at.hour * 60 + at.minute
        if DAYS[at.weekday()] not in series.days:
            return False
        for start, end in series.quiet:
            is_in = start <= of_day < end if start < end else (of_day >= start or of_day < end)
            if is_in:
                return False
        is_peak = at.hour in self.peak_hours and at.minute in self.peak_minutes
        return ("regular" in series.kinds and at.minute in self.regular_minutes) or (
            "peak" in series.kinds and is_peak
        )

    def slots(self, message: str, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the slots from `start` to `end`, both included."""
        at = start.replace(second=0, microsecond=0)
        while at <= end:
            if at >= start and self.is_slot(message, at):
                yield at
            at += MINUTE

    def expiry(self, message: str, slot: datetime) -> datetime:
        limit = slot + self.expire_after
        at = slot + MINUTE
        while at < limit:
            if self.is_slot(message, at):
                return at
            at += MINUTE
        return limit


@dataclass
class Version:
    """A configuration, from when on the host had it, and what its clock showed in that time:
    not always the later the later it was."""

    host_time: datetime
    true_time: datetime
    rules: Rules
    first_host: datetime
    last_host: datetime

    def see(self, host_time: datetime) -> None:
        self.first_host = min(self.first_host, host_time)
        self.last_host = max(self.last_host, host_time)


@dataclass
class TickRun:
    """One tick: when it ran, and whether anything befell it."""

    started: datetime
    host_started: datetime
    ended: datetime | None = None
    exit_code: int | None = None
    is_disturbed: bool = False
    is_complete: bool = False
    owner: str = ""
    is_idle: bool = False  # by its plan nothing was due


@dataclass
class History:
    """What the simulated world saw. Times are true ones unless they are named host times."""

    versions: list[Version] = field(default_factory=list)
    runs: list[TickRun] = field(default_factory=list)
    departures: list[Departure] = field(default_factory=list)
    disturbed: list[tuple[datetime, datetime]] = field(default_factory=list)
    # By account; the user's own has no name.
    dead_logins: dict[str, list[tuple[datetime, datetime]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    accounts: frozenset[str] = frozenset()
    wrong_clock: list[tuple[datetime, datetime]] = field(default_factory=list)
    ran_ahead: list[tuple[datetime, datetime]] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    tampered: list[datetime] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    ended: datetime = BEGINNING
    latest_host: datetime = BEGINNING
    has_receipts: bool = False  # sent is how it stands while the dealer's last word is out
    # Several hosts share the ledger: what befell one of them is no excuse for the others.
    is_shared: bool = False

    @property
    def apart(self) -> timedelta:
        """How far clocks that are right may be apart."""
        return CLOCKS_APART if self.is_shared else timedelta(0)


Key = tuple[str, datetime]


@dataclass(frozen=True)
class Told:
    """What the ledger's lines say of one slot.

    `in_doubt` are receivers of claims that no outcome followed, or an unknown one: who it was
    claimed for, by whom, and on which day. `claimants` are the processes that claimed it.
    """

    ids: frozenset[str]
    days: frozenset[str]
    confirmed: frozenset[str]
    claimants: frozenset[str]
    in_doubt: frozenset[tuple[str, str, str]]


def read_ledger(files: Iterable[tuple[str, bytes]]) -> dict[Key, Told]:
    """Read day files as JSON Lines, passing over what is none."""
    ids: dict[Key, set[str]] = defaultdict(set)
    days: dict[Key, set[str]] = defaultdict(set)
    confirmed: dict[Key, set[str]] = defaultdict(set)
    claimed: dict[Key, _Claims] = defaultdict(dict)
    for path, content in files:
        for line in content.split(b"\n"):
            fields = _json(line)
            key = _key_of(fields.get("id"), fields.get("message"))
            if key is None:
                continue
            known = ids[key]
            if not _is_whole(line):  # spoilt, or two lines grown into one: not kakaocron's word
                continue
            if fields["event"] != "pointer":  # it names a delivery of another day
                days[key].add(path)
            known.add(fields["id"])
            _note_doubt(claimed[key], fields)
            for name, result in (fields.get("targets") or {}).items():
                if result.get("state") == "confirmed":
                    confirmed[key].add(name)
    return {
        key: Told(
            frozenset(ids[key]),
            frozenset(days[key]),
            frozenset(confirmed[key]),
            frozenset(owner for owner, _ in claimed[key]),
            frozenset(
                (day, owner, name)
                for (owner, _), (day, names) in claimed[key].items()
                for name in names
            ),
        )
        for key in ids
    }


_Claims = dict[tuple[str, int], tuple[str, list[str]]]  # by whom, as which attempt: day, for whom


def _note_doubt(claimed: _Claims, fields: Mapping[str, Any]) -> None:
    """Keep to whom a message may have gone of which nobody knows."""
    if fields["event"] == "claim":
        claimed[fields["by"], fields["attempt"]] = fields["at"][:10], fields["to"]
    elif fields["event"] == "outcome":
        day, _ = claimed.get((fields["by"], fields["attempt"]), ("", []))
        unknown = [
            name for name, result in fields["targets"].items() if result["state"] == "unknown"
        ]
        claimed[fields["by"], fields["attempt"]] = day, unknown


def ambiguous_sends(files: Iterable[tuple[str, bytes]]) -> Iterator[bool]:
    """Yield of each receiver's message of which nobody knew whether it was taken, whether that was
    known before its slot's expiry."""
    expires: dict[str, str] = {}
    open_: dict[tuple[str, str], None] = {}
    for _, content in files:
        for line in content.split(b"\n"):
            fields = _json(line)
            identity, event = str(fields.get("id")), fields.get("event")
            at = fields.get("at", "")
            expires.setdefault(identity, fields.get("expires_at") or "")
            if event == "settle" and fields.get("reason") == "process-died":
                open_.update(dict.fromkeys((identity, name) for name in fields["to"]))
            for name, result in (fields.get("targets") or {}).items():
                if event == "outcome" and result["state"] == "unknown":
                    open_[identity, name] = None
                elif result["state"] != "unknown" and (identity, name) in open_:
                    del open_[identity, name]
                    yield at < expires[identity]
    for _ in open_:
        yield False


def out_of_order(history: History, files: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """Find lines written with an older time than a line above them: it was read too early."""
    if history.wrong_clock or history.tampered:
        return
    for path, content in files:
        latest = ""
        for line in content.split(b"\n"):
            at = _json(line).get("at", "")[:19]
            if at < latest and at:
                yield f"out of order: {at} below {latest} in {path}"
            latest = max(latest, at)


def claimed_twice(history: History, files: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    """Find attempts that two processes took for their own: no lock stood between them."""
    if history.tampered:
        return
    owners: dict[tuple[str, int], set[str]] = defaultdict(set)
    for _, content in files:
        for line in content.split(b"\n"):
            fields = _json(line)
            if fields.get("event") == "claim":
                owners[fields["id"], fields["attempt"]].add(fields["by"])
    for (identity, attempt), found in owners.items():
        if len(found) > 1:
            yield f"claimed twice: attempt {attempt} of {identity}"


def _json(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_whole(line: bytes) -> bool:
    body, _, checksum = line.rpartition(b',"crc":"')
    return checksum == b'%08x"}' % crc32(body + b"}")


def _key_of(identity: object, message: object) -> Key | None:
    """Return message and slot of a line, whatever else may stand in its id."""
    if not isinstance(identity, str) or "@" not in identity:
        return None
    name, _, stamp = identity.rpartition("@")
    try:
        at = _instant(stamp[:13])
    except ValueError:
        return None
    return message if isinstance(message, str) else name, at


@lru_cache(maxsize=8192)
def _instant(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y%m%dT%H%M").replace(tzinfo=KST)


def key_of_probe(probe: str) -> Key:
    name, _, stamp = probe.partition("|")
    return name, _instant(stamp)


def judge(history: History, states: Mapping[Key, str], told: Mapping[Key, Told]) -> list[str]:
    """Return every breach of a promise, one sentence each. `states` is what kakaocron shows."""
    found = list(history.breaches)
    found += _twice(history)
    found += _out_of_time(history)
    found += _before_its_times(history)
    expected = list(_expected(history))
    found += _without_a_state(history, expected, states, told)
    found += _unproven(history, states, told)
    found += _lost(history, expected, states, told)
    found += _against_orders(history)
    found += _neglected(history, states, told)
    return found


def _rules_between(history: History, start: datetime, end: datetime) -> list[Rules]:
    """Return the configurations that the host had at some time in a span of its clock."""
    versions = [
        version
        for version in history.versions
        if version.first_host <= end and version.last_host >= start
    ]
    return _each_once(versions) or [history.versions[-1].rules]


def _each_once(versions: Iterable[Version]) -> list[Rules]:
    """Return the rules of versions: those that a user came back to but once."""
    return list({id(version.rules): version.rules for version in versions}.values())


def _twice(history: History) -> Iterator[str]:
    if any(version.rules.resends for version in history.versions):
        return
    counts = Counter((d.probe, receiver) for d in history.departures for receiver in d.arrived)
    for (probe, receiver), count in counts.items():
        # Who orders it sent again may get it again, if Kakao's word on the first time was lost.
        if count > 1 + len(_orders_on(history, probe, "retry")):
            yield f"twice: {probe} reached {receiver} {count} times"


def _out_of_time(history: History) -> Iterator[str]:
    for departure in history.departures:
        for moment in departure.moments:
            fault = _fault_at(history, departure, moment)
            if fault and not _was_stopped(history, departure):
                yield f"{fault}: {departure.probe} left at {moment}"
                break


def stopped_at_the_write(history: History) -> int:
    """Count what left out of time although the process's last look at the clock said otherwise:
    it was stopped after that, before the very next call, which no program can avoid."""
    return sum(
        any(_fault_at(history, departure, moment) for moment in departure.moments)
        and _was_stopped(history, departure)
        for departure in history.departures
    )


def _was_stopped(history: History, departure: Departure) -> bool:
    looked = departure.stopped_at
    if looked is None:
        return False
    moments = (looked, looked + departure.behind_database)
    return not any(_fault_at(history, departure, moment) for moment in moments)


def _fault_at(history: History, departure: Departure, moment: datetime) -> str | None:
    message, slot = key_of_probe(departure.probe)
    everything = _each_once(history.versions)
    life = max(rules.expire_after for rules in everything)
    order = texts(history.orders).get(message)
    ends = [rules.expiry(message, slot) for rules in everything if rules.is_slot(message, slot)]
    if ends:  # what would have been its next slot may be none any more
        later = _rules_between(history, slot, moment)
        ends += [rules.expiry(message, slot) for rules in later if message in rules.messages]
    if order is not None:
        ends.append(max(slot, order.host_ended or history.latest_host) + life)
    if not ends:
        return "no slot"
    if moment < slot and (order is None or order.what != "send"):
        return "early"
    for again in _orders_on(history, departure.probe, "retry"):
        if again.host_started - history.apart <= moment:
            ends.append(max(slot, again.host_ended or history.latest_host) + life)
    return "past expiry" if moment >= max(ends) else None


def _before_its_times(history: History) -> Iterator[str]:
    """Find what left for a slot that was none in its own minute: its times came later."""
    if history.wrong_clock or history.tampered:
        return
    ticks, ordered = _whole_ticks(history), texts(history.orders)
    for departure in history.departures:
        message, slot = key_of_probe(departure.probe)
        if slot < history.versions[0].host_time or message in ordered:
            continue
        then = _rules_between(history, _last_before(ticks, slot) - 2 * MINUTE, slot)
        if not any(rules.is_slot(message, slot) for rules in then):
            yield f"before its times: {departure.probe} left at {departure.host_time}"


def _ledger_key(history: History, probe: str) -> Key:
    """Return under which message and slot the ledger has what a receiver got."""
    name, slot = key_of_probe(probe)
    order = texts(history.orders).get(name)
    return (order.message or name if order else name), slot


def _orders_on(history: History, probe: str, what: str) -> list[Order]:
    message, slot = _ledger_key(history, probe)
    return [one for one in history.orders if one.what == what and _is_on(one, message, slot)]


def _is_on(order: Order, message: str, slot: datetime) -> bool:
    """Say whether an order was on this delivery. A text sent at once has but one slot."""
    return order.message == message and (order.slot == slot or message.startswith("send-"))


def _is_touched(history: History, message: str, slot: datetime) -> bool:
    """Say whether a person gave this delivery another course than its own."""
    touching = {"cancel", "retry", "resolve"}
    return any(o.what in touching and _is_on(o, message, slot) for o in history.orders)


def _against_orders(history: History) -> Iterator[str]:
    """Find what left although a person had cancelled it, or let it rest."""
    if history.wrong_clock or history.tampered:
        return
    for number, departure in enumerate(history.departures):
        message, slot = _ledger_key(history, departure.probe)
        if _orders_on(history, departure.probe, "retry"):
            continue
        for order in _orders_on(history, departure.probe, "cancel"):
            if order.is_done and order.departed <= number:
                yield f"cancelled: {departure.probe} left at {departure.host_time}"
        if not message.startswith(HAND) and is_surely_paused(
            history.orders, message, slot, number, history.apart
        ):
            yield f"paused: {departure.probe} left at {departure.host_time}"


def _neglected(
    history: History, states: Mapping[Key, str], told: Mapping[Key, Told]
) -> Iterator[str]:
    """Find texts that a person was told are entered, and that have no end, or never went."""
    arrived = {(d.probe.partition("|")[0], name) for d in history.departures for name in d.arrived}
    good = [run for run in history.runs if run.is_complete and not run.is_disturbed]
    wrong_clock, dead_login = Spans(history.wrong_clock), Spans(history.dead_logins[""])
    troubles = _troubles(history)
    among = _Hosts(history)
    for order in history.orders:
        if order.name is None or not order.is_done or order.message is None or order.slot is None:
            continue
        if any(when >= order.started for when in history.tampered):
            continue
        known = [s for (message, _), s in states.items() if message == order.message]
        if order.slot > history.ended - 2 * MINUTE:
            continue
        if len(known) != 1 or known[0] not in {*FINAL, "sent"}:
            yield f"no final state: {order.name} as {order.message} is {known}"
        rules = min((v.rules for v in history.versions), key=lambda rules: rules.expire_after)
        expiry = order.slot + rules.expire_after
        # By a clock that is behind, it may have been ordered for a time long past in truth.
        until = max(expiry, order.started)
        if order.what != "schedule" or _touches(wrong_clock, order.started, until):
            continue
        if _is_touched(history, order.message, order.slot) or (order.name, "me") in arrived:
            continue
        if _may_be_paused(history, order.message, order.slot):
            continue
        if _touches(dead_login, order.slot - MINUTE, expiry):
            continue
        if any(d.was_refused and d.probe.startswith(f"{order.name}|") for d in history.departures):
            continue
        state = known[0] if known else None
        if _is_held_back(history, order.slot, expiry, state, entered=order.started):
            continue
        lines = told.get((order.message, order.slot))
        chance = (
            among.chance(order.slot, expiry, among.knowing(order), lines)
            if history.is_shared
            else _fair_chance(rules, order.slot, expiry, good, troubles)
        )
        if chance is not None:
            yield f"lost: {order.name} of {order.slot} ({known}), though {chance:%H:%M:%S} could"


def _may_be_paused(history: History, message: str, slot: datetime) -> bool:
    return may_be_paused(history.orders, message, slot, history.ran_ahead)


def _expected(history: History) -> Iterator[Key]:
    """Yield the slots that came due by the host's clock since the first complete tick, which may
    have been stopped for long before it looked at anything."""
    whole = next((run for run in history.runs if run.is_complete), None)
    if whole is None:
        return
    first = whole.host_started + ((whole.ended or history.ended) - whole.started)
    last, ticks = history.versions[-1].rules, _whole_ticks(history)
    for message in last.messages:
        for slot in last.slots(message, first, history.ended - 2 * MINUTE):
            start = _known_since(history, ticks, slot) - MINUTE
            around = _rules_between(history, start, history.latest_host)
            if slot > first and all(rules.is_slot(message, slot) for rules in around):
                yield message, slot


def _whole_ticks(history: History) -> list[datetime]:
    """Return when those ticks began that came to their end, in the order of the host's clock."""
    return sorted(run.host_started for run in history.runs if run.is_complete)


def _last_before(ticks: Sequence[datetime], slot: datetime) -> datetime:
    before = bisect_left(ticks, slot)
    return ticks[before - 1] if before else slot


def _known_since(history: History, ticks: Sequence[datetime], slot: datetime) -> datetime:
    """Return since when the times that made a slot must have been there for a tick to know it.

    That is before the slot; but of a file that was written again before any tick had seen it,
    nobody can tell what it said then. What the last tick before had seen is known.
    """
    after = bisect_left(ticks, slot)
    following = ticks[after] if after < len(ticks) else history.latest_host
    if not any(slot < version.host_time <= following for version in history.versions):
        return slot
    return _last_before(ticks, slot)


def _without_a_state(
    history: History,
    expected: Iterable[Key],
    states: Mapping[Key, str],
    told: Mapping[Key, Told],
) -> Iterator[str]:
    for message, slot in expected:
        state = states.get((message, slot))
        is_sent = state == "sent" and (history.has_receipts or _is_touched(history, message, slot))
        if state not in FINAL and not is_sent and not _waits_at_the_end(history, slot, state):
            yield f"no final state: {message} {slot} is {state}"
        lines = told.get((message, slot))
        if lines and (len(lines.ids) > 1 or len(lines.days) > 1):
            yield f"two states: {message} {slot} is in {sorted(lines.ids)}, {sorted(lines.days)}"


def _unproven(
    history: History, states: Mapping[Key, str], told: Mapping[Key, Told]
) -> Iterator[str]:
    arrived = {
        (_comparable(_ledger_key(history, d.probe)), receiver)
        for d in history.departures
        for receiver in d.arrived
    }
    for key, state in states.items():
        lines = told.get(key)
        if lines is None:
            continue
        for receiver in lines.confirmed:
            if (_comparable(key), receiver) not in arrived:
                yield f"not delivered: {key[0]} {key[1]} is confirmed for {receiver}"
        if state == "confirmed" and not lines.confirmed:
            yield f"unproven: {key[0]} {key[1]} is confirmed and no line says so"


def _comparable(key: Key) -> tuple[str, datetime | None]:
    """Leave out the slot of a text sent at once: its command chose it, and the text is its own."""
    return (key[0], None) if key[0].startswith("send-") else key


def _lost(
    history: History,
    expected: Iterable[Key],
    states: Mapping[Key, str],
    told: Mapping[Key, Told],
) -> Iterator[str]:
    """Find slots that had a fair chance and were not delivered.

    Fair is: a tick that nothing befell began while the slot was due; before it, nothing had gone
    wrong since the slot (or, under `resend`, nothing that is still to be waited for).
    """
    arrived: dict[Key, set[str]] = defaultdict(set)
    refused: dict[Key, set[str]] = defaultdict(set)
    for departure in history.departures:
        key = key_of_probe(departure.probe)
        arrived[key].update(departure.arrived)
        if departure.was_refused:
            refused[key].update(departure.receivers)
    good = [run for run in history.runs if run.is_complete and not run.is_disturbed]
    gone = _gone(history, told)
    edits = Spans((v.true_time - MINUTE, v.true_time) for v in history.versions[1:])
    wrong_clock = Spans(history.wrong_clock)
    dead_logins = {account: Spans(spans) for account, spans in history.dead_logins.items()}
    troubles = _troubles(history)
    among = _Hosts(history)
    edited_at = [version.true_time for version in history.versions]
    for message, slot in expected:
        # The clock is right here, or the slot is left out; at another time it may have shown this
        # instant too, and another configuration been there.
        rules = history.versions[bisect_right(edited_at, slot) - 1].rules  # before all: the last
        wanted = rules.messages[message].to if message in rules.messages else ()
        missing = set(wanted) - arrived[message, slot] - refused[message, slot]
        if not missing or _is_touched(history, message, slot):
            continue
        if _may_be_paused(history, message, slot):
            continue
        expiry = rules.expiry(message, slot)
        if _touches(edits, slot, expiry) or _touches(wrong_clock, slot, expiry):
            continue
        chance = (
            among.chance(slot, expiry, good, told.get((message, slot)))
            if history.is_shared
            else _fair_chance(rules, slot, expiry, good, troubles)
        )
        if chance is None or _had_its_time(history, slot, states.get((message, slot))):
            continue
        if _is_held_back(history, slot, expiry, states.get((message, slot))):
            continue
        # One login that is dead keeps it from its own receivers, and from nobody else.
        dead = {
            account
            for account, spans in dead_logins.items()
            if _touches(spans, slot - MINUTE, expiry)
        }
        missing -= {name for name in missing if _account_of(history, name) in dead}
        friends = {one for one in missing - {"me", *history.accounts} if not _is_room(one)}
        missing -= {name for name in friends if _is_over_quota(gone, name, slot, expiry)}
        if missing:
            yield (
                f"lost: {message} {slot} ({states.get((message, slot))}) never reached "
                f"{sorted(missing)}, though the tick of {chance:%H:%M:%S} could have sent it"
            )


def _is_room(receiver: str) -> bool:
    return receiver.startswith("room:")


def _account_of(history: History, receiver: str) -> str:
    """Return by whose login a receiver is sent to; a room by a bot's, which does not die."""
    if _is_room(receiver):
        return "[bot]"
    account = receiver.rpartition("@")[2]
    return account if account in history.accounts else ""


def _troubles(history: History) -> Spans:
    return Spans(
        [
            *history.disturbed,
            *(
                (run.started, run.ended or history.ended)
                for run in history.runs
                if run.is_disturbed
            ),
        ]
    )


def _waits_at_the_end(history: History, slot: datetime, state: str | None) -> bool:
    """Say whether it was tried by a clock that ran ahead, and its next attempt is at a time of that
    clock, to which the history does not come."""
    life = history.versions[-1].rules.expire_after
    is_open = state == "retrying" and slot + life > history.ended
    return is_open and _had_its_time(history, slot, state)


def _had_its_time(history: History, slot: datetime, state: str | None) -> bool:
    """Say whether a clock that ran ahead has brought the slot an end other than `missed`."""
    return state != "missed" and any(
        true < slot <= host + MINUTE for true, host in history.ran_ahead
    )


def _is_held_back(
    history: History,
    slot: datetime,
    expiry: datetime,
    state: str | None,
    entered: datetime = BEGINNING,
) -> bool:
    """Say whether the slot had come by the tick that found a part of the ledger lost.

    Whether the lost part held it nobody can know, so it is rightly held, under `resend` too. It has
    come, too, if a clock that ran ahead had passed it. That it is held, `unknown`, stands in a line
    that may have been lost in its turn; then what a clock that ran ahead said of it is left.
    What was `entered` after that tick stands below its note, and is certainly whole.
    """
    for when in history.tampered:
        found = next((r for r in history.runs if r.is_complete and r.started >= when), None)
        if found is None or when > expiry or (found.ended or history.ended) < entered:
            continue
        before = [run for run in history.runs if run.started <= found.started]
        has_come = any(slot <= run.host_started for run in before)
        ran_ahead = any(run.started < slot <= run.host_started for run in before)
        again = any(later > max(when, slot) for later in history.tampered)
        if has_come and (state == "unknown" or (state == "missed" and ran_ahead and again)):
            return True
    return False


def _gone(history: History, told: Mapping[Key, Told]) -> list[tuple[str, datetime, str, str]]:
    """Return what went to friends, or may have: on which day, for which slot, by whom, to whom."""
    gone = {
        (f"{d.host_time:%Y-%m-%d}", key_of_probe(d.probe)[1], d.owner, name)
        for d in history.departures
        if not d.was_refused
        for name in d.receivers
    }
    gone |= {
        (day, slot, owner, name)
        for (_, slot), lines in told.items()
        for day, owner, name in lines.in_doubt
    }
    own = {"me", *history.accounts}
    return [one for one in gone if one[-1] not in own and not _is_room(one[-1])]


def _is_over_quota(
    gone: Sequence[tuple[str, datetime, str, str]], name: str, slot: datetime, expiry: datetime
) -> bool:
    """Say whether Kakao would have refused one more message to a friend on the slot's day."""
    days = {f"{slot:%Y-%m-%d}", f"{expiry:%Y-%m-%d}"}
    friends = [friend for day, at, _, friend in gone if day in days and at <= slot]
    return friends.count(name) >= PER_PAIR or len(friends) >= PER_SENDER


def _fair_chance(
    rules: Rules,
    slot: datetime,
    expiry: datetime,
    good: Sequence[TickRun],
    troubles: Spans,
) -> datetime | None:
    during = [
        span
        for span in troubles.touching(slot - 2 * LEASE, expiry)
        if span[0] < expiry and span[1] > slot - 2 * LEASE
    ]
    first = bisect_left(good, slot, key=lambda run: run.started)
    last = bisect_left(good, expiry - timedelta(seconds=5), key=lambda run: run.started)
    for run in good[first:last]:
        before = [span for span in during if span[0] <= (run.ended or run.started)]
        if not before:
            return run.started
        waited_out = max(end for _, end in before) + LEASE + rules.longest_delay
        if rules.resends and len(before) <= rules.max_retries and run.started > waited_out:
            return run.started
    return None


class _Hosts:
    """What several hosts could have done, whatever befell one of them."""

    def __init__(self, history: History) -> None:
        self._outages = Spans(history.disturbed)
        self._runs = history.runs
        # What one of these has claimed may be in doubt.
        self._disturbed = {run.owner for run in history.runs if run.is_disturbed}

    def knowing(self, order: Order) -> list[TickRun]:
        """Return the good ticks that had to know what was ordered: those that looked at the ledger
        after it, and those that left at once when it was time to ask."""
        done = order.ended or order.started
        return [
            run
            for run in self._runs
            if run.is_complete and not run.is_disturbed
            if run.started > done + (ASKED_EVERY if run.is_idle else timedelta(0))
        ]

    def chance(
        self, slot: datetime, expiry: datetime, good: Sequence[TickRun], lines: Told | None
    ) -> datetime | None:
        """Return which tick of any host could have sent a slot that no process has claimed to which
        something happened: whatever befell others, they had not begun with it."""
        if lines is not None and lines.claimants & self._disturbed:
            return None
        first = bisect_left(good, slot + CLOCKS_APART, key=lambda run: run.started)
        last = bisect_left(good, expiry - timedelta(seconds=5), key=lambda run: run.started)
        for run in good[first:last]:
            if not _touches(self._outages, run.started, run.ended or run.started):
                return run.started
        return None


class Spans:
    """Spans of time, which may be asked for those that touch another one, again and again."""

    def __init__(self, spans: Iterable[tuple[datetime, datetime]]) -> None:
        self._spans = sorted(spans)
        self._starts = [start for start, _ in self._spans]
        self._latest_ends = list(accumulate((end for _, end in self._spans), max))

    def touching(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        for index in range(bisect_right(self._starts, end) - 1, -1, -1):
            if self._latest_ends[index] < start:
                return
            if self._spans[index][1] >= start:
                yield self._spans[index]


def _touches(spans: Spans, start: datetime, end: datetime) -> bool:
    return any(True for _ in spans.touching(start, end))
