"""claim → send → record: how what is due becomes what is proven. The heart of kakaocron."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from kakaocron.delivery.channel import Allowance, Channel, Flight, Withheld
from kakaocron.delivery.parcel import FallbackError, Parcel, content_hash
from kakaocron.delivery.policy import (
    Due,
    Policy,
    again,
    before_fallback,
    conclude,
    is_void,
    may_be_sent,
    settle_slot,
)
from kakaocron.delivery.verdicts import Outcome, Verdict, result_of
from kakaocron.errors import ContentError, LedgerError, LockTimeoutError
from kakaocron.kst import KST, isoformat
from kakaocron.ledger import events
from kakaocron.ledger.deliveries import CLOCK_SLACK, Delivery, apply, worst
from kakaocron.ledger.events import Event, Result, Settle, as_read, of_slot, to_line
from kakaocron.ledger.ledger import Ledger, Receipt
from kakaocron.states import Reason, State
from kakaocron.system.clock import Clock
from kakaocron.system.http import Phase
from kakaocron.system.log import log
from kakaocron.system.workers import Signal, Workers

_NEVER = datetime.min.replace(tzinfo=KST)
# How long before its lease ends a claim may let its last request leave.
LEASE_MARGIN = timedelta(seconds=1)
# How far ahead of its slot a delivery is waited for, and how long for token and connections.
LONGEST_WAIT = timedelta(seconds=70)
PREPARING_SECONDS = 20.0
# How long before an awaited slot connections are looked at again: servers close idle ones.
WARMING = timedelta(seconds=3)
# How long before it the ledger is locked and read and requests are brought to the gate, so that at
# the instant only the claim is left.
HEAD_START = timedelta(milliseconds=100)
# The last of it is spent awake.
LAST_MOMENT = timedelta(milliseconds=3)
# How long a content may take: less than a minute, so that the next tick does not make it too.
PACKING_SECONDS = 50.0


class Job(Struct, frozen=True):
    """A delivery that is due, with its content, or with what is wrong with it."""

    due: Due
    parcel: Parcel | ContentError

    @property
    def id(self) -> str:
        return self.due.id

    @property
    def content(self) -> Parcel | None:
        """What a claim of it may send: the content, or what stands in for a failed one."""
        if isinstance(self.parcel, FallbackError):
            return self.parcel.fallback
        return self.parcel if isinstance(self.parcel, Parcel) else None


class Claim(Struct, frozen=True):
    """A job that this process, and no other, may send until `until`."""

    job: Job
    receipt: Receipt
    at: datetime
    until: datetime
    blocked: Mapping[str, Result] = field(default_factory=dict)  # receivers whose quota is spent


class Desk(Struct, frozen=True):
    """What sending needs: the ledger, the way out, the clock, and the rules."""

    ledger: Ledger
    channel: Channel
    workers: Workers
    clock: Clock
    policy: Policy
    owner: str
    lease: timedelta
    at_once: int = 16
    is_current: Callable[[], bool] = lambda: True  # whether the configuration is still the same


class Sent(Struct):
    """What became of the deliveries of one run; `left` counts those that have no new state."""

    ended: dict[str, Delivery] = field(default_factory=dict)
    login_error: str | None = None
    server_date: str | None = None
    left: int = 0


class _Run(Struct):
    """The state of `send_all`: what has no content yet, what waits, what is on its way, and what
    has landed and is to be recorded."""

    unpacked: deque[Due]
    settled: datetime | None
    packing: dict[str, tuple[Due, float]] = field(default_factory=dict)
    packed: dict[str, Parcel | ContentError] = field(default_factory=dict)
    channel_until: float | None = None
    began: datetime = _NEVER
    began_at: float = 0.0  # the same on the clock that no step changes
    warm_at: datetime | None = None
    waiting: list[Job] = field(default_factory=list)
    blocked: dict[str, dict[str, Result]] = field(default_factory=dict)
    boarded: dict[str, tuple[Flight, Signal]] = field(default_factory=dict)
    flying: dict[str, tuple[Claim, Flight]] = field(default_factory=dict)
    landed: list[tuple[Claim, Flight]] = field(default_factory=list)
    sent: Sent = field(default_factory=Sent)

    @property
    def is_over(self) -> bool:
        return not (self.unpacked or self.packing or self.waiting or self.flying or self.landed)


CHANNEL = "channel"
AHEAD = "ahead:"


def send_all(
    desk: Desk, due: Sequence[Due], pack: Callable[[Due], Parcel], settled: datetime | None = None
) -> Sent:
    """Make the content of everything due, claim, send and record it, side by side.

    `pack` makes a content and may raise ContentError; at most `desk.at_once` are made or on their
    way at a time, and none waits for another. Each turn writes once: the outcomes that have come
    in and the claims that take their places. What lies ahead waits for its instant. `settled` is
    noted in the ledger's lines.

    Raises LedgerError or LockTimeoutError when the ledger fails; then nothing more is claimed, and
    what was under way is recorded if it can be.
    """
    began, began_at = desk.clock.now(), desk.clock.monotonic()
    run = _Run(deque(due), settled, began=began, began_at=began_at)
    count = min(len(due), desk.at_once)
    _prepare(desk, run, count, PREPARING_SECONDS)
    first = min((one.slot.at for one in due if one.slot.at > run.began), default=None)
    if first is not None and first - run.began > WARMING:
        run.warm_at = first - WARMING
    try:
        while not run.is_over:
            _pack_more(desk, run, pack)
            _warm_up(desk, run, count)
            _record_and_claim(desk, run)
            _collect(desk, run, _patience(desk, run))
            _turn_back(run, [job.id for job in run.waiting])
    except (LedgerError, LockTimeoutError):
        _land_the_rest(desk, run)
        raise
    finally:
        _turn_back(run)
    return run.sent


def _prepare(desk: Desk, run: _Run, count: int, seconds: float) -> None:
    run.channel_until = desk.clock.monotonic() + seconds
    desk.workers.start(CHANNEL, lambda: desk.channel.prepare(count))


def _warm_up(desk: Desk, run: _Run, count: int) -> None:
    """Shortly before an awaited slot, make sure of the connections, and read the ledger's past."""
    now = desk.clock.now()
    if run.warm_at is None or now < run.warm_at or run.channel_until is not None:
        return
    run.warm_at = None
    ahead = [job.due.slot.at for job in run.waiting if job.due.slot.at > now]
    if ahead:
        _prepare(desk, run, count, (min(ahead) - now).total_seconds())
        with desk.ledger.open() as book:
            book.read({at.date() for at in ahead})


def _pack_more(desk: Desk, run: _Run, pack: Callable[[Due], Parcel]) -> None:
    while run.unpacked and len(run.packing) < desk.at_once:
        due = run.unpacked.popleft()
        run.packing[f"content:{due.id}"] = due, desk.clock.monotonic() + PACKING_SECONDS
        desk.workers.start(f"content:{due.id}", partial(_pack, run, pack, due))


def _pack(run: _Run, pack: Callable[[Due], Parcel], due: Due) -> None:
    try:
        run.packed[due.id] = pack(due)
    except ContentError as error:
        run.packed[due.id] = error


def _record_and_claim(desk: Desk, run: _Run) -> None:
    """Write the outcomes that have come in and claim what may go now, under one lock."""
    soon = _ready(desk, run, desk.clock.now() + HEAD_START)
    if not run.landed and not soon:
        return
    _board(desk, run, soon)
    with desk.ledger.open() as book:
        wanted = _ready(desk, run, book.now + HEAD_START)
        if any(job.due.slot.at > run.began for job in wanted) and not (
            desk.is_current() and _has_waited(desk, run)
        ):
            # The slot's own tick, or the one after it, decides anew.
            run.waiting = [job for job in run.waiting if job.due.slot.at <= run.began]
            wanted = [job for job in wanted if job in run.waiting]
        days = {claim.job.due.slot.at.date() for claim, _ in run.landed} | {
            j.due.slot.at.date() for j in wanted
        }
        view = book.read(days | _allowance_days(desk, wanted, book.now))
        if first := _first_ahead(wanted, book.now):
            allowance = desk.channel.allowance(view.deliveries.values(), first.date())
            book.now = _wait_for(desk, run, wanted, first)
            wanted = _ready(desk, run, book.now)
        else:
            allowance = desk.channel.allowance(view.deliveries.values(), book.now.date())
        outcomes = [_outcome(desk, claim, flight, book.now) for claim, flight in run.landed]
        # What is damaged is set aside by the next tick before anything of that day is sent.
        is_sound = not view.damaged
        begun = {
            job.id: _claim_events(desk, run, view.deliveries.get(job.id), job, book.now, allowance)
            for job in wanted
            if is_sound
        }
        lines = [*outcomes, *(line for group in begun.values() for line in group)]
        receipts = book.record(lines) if lines else {}
        claims = [
            _begun(run, job, line, receipts[job.id])
            for job in wanted
            for line in begun.get(job.id, [])[-1:]
            if isinstance(line, events.Claim)
        ]
        for claim in claims:
            _start(desk, run, claim)
    for claim in claims:
        log.info("📤 메시지 전송 시작: %s", claim.job.id)
    run.waiting = [job for job in run.waiting if job not in wanted]
    run.sent.left += len(wanted) - len(begun)
    _note_ended(run, view.deliveries, outcomes, begun.values())


def _board(desk: Desk, run: _Run, jobs: Sequence[Job]) -> None:
    """Bring the requests of what is a moment away to the gate, to wait there for their claims."""
    now = desk.clock.now()
    for job in jobs:
        if job.due.slot.at > now and isinstance(job.parcel, Parcel) and job.id not in run.boarded:
            claimed = desk.workers.signal()
            flight = _flight(job, {}, claimed.wait)
            run.boarded[job.id] = flight, claimed
            deliver = partial(desk.channel.deliver, job.parcel, job.due.to, flight)
            desk.workers.start(AHEAD + job.id, deliver)


def _turn_back(run: _Run, expected: Sequence[str] = ()) -> None:
    """Give up what waits at the gate, but for what is still expected to get its claim."""
    for id_ in run.boarded.keys() - set(expected):
        flight, claimed = run.boarded.pop(id_)
        flight.abandon(())
        claimed.set()


def _has_waited(desk: Desk, run: _Run) -> bool:
    """Say whether the clock shows the time that this process has waited.

    If not, it was set, or the machine slept, and what the connections still show is not true.
    """
    waited = timedelta(seconds=desk.clock.monotonic() - run.began_at)
    return abs(desk.clock.now() - run.began - waited) < WARMING


def _first_ahead(jobs: Sequence[Job], now: datetime) -> datetime | None:
    return min((job.due.slot.at for job in jobs if job.due.slot.at > now), default=None)


def _wait_for(desk: Desk, run: _Run, jobs: Sequence[Job], instant: datetime) -> datetime:
    """Wait for an instant that is a moment away; return what time it is then."""
    now = desk.clock.now()
    while now < instant <= now + HEAD_START:
        left = instant - now
        if left > LAST_MOMENT:
            desk.clock.sleep((left - LAST_MOMENT).total_seconds())
            for job in jobs:  # the first time through this code is a slow one
                to_line(_claim(desk, run, job.due, job.content, instant, None))
        else:
            desk.clock.sleep(left.total_seconds())
        now = desk.clock.now()
    return now


def _allowance_days(desk: Desk, jobs: Sequence[Job], now: datetime) -> set[date]:
    return desk.channel.allowance_days({name for job in jobs for name in job.due.to}, now.date())


def _begun(run: _Run, job: Job, line: events.Claim, receipt: Receipt) -> Claim:
    return Claim(job, receipt, line.at, line.until, run.blocked.pop(job.id, {}))


def _ready(desk: Desk, run: _Run, now: datetime) -> list[Job]:
    if run.channel_until is not None:
        return []
    places = max(0, desk.at_once - len(run.flying))
    return [job for job in run.waiting if job.due.slot.at <= now][:places]


def _claim_events(
    desk: Desk, run: _Run, delivery: Delivery | None, job: Job, now: datetime, allowance: Allowance
) -> list[Event]:
    """Return the lines that a job begins with: none if another process has it or had it."""
    due = job.due
    if delivery is None or is_void(delivery, now):
        is_ours = due.attempt == 1
    else:
        is_ours = may_be_sent(delivery, desk.policy, now) and (
            len(delivery.attempts) + 1 == due.attempt
            # A late confirmation may have come in since: who has it must not get it again.
            and set(due.to) <= set(again(delivery, desk.policy).to)
        )
    if not is_ours:
        log.info("⚠️ 중복 메시지 감지: %s", due.id)
        return []
    if now >= due.expires_at:
        return [] if delivery else [_too_late(due, now)]
    if isinstance(job.parcel, Parcel):
        claim = _claim(desk, run, job.due, job.parcel, now, delivery)
        return _within_quotas(desk, run, job, claim, allowance)
    verdict = Verdict(Outcome.NOT_SENT, Reason.CONTENT_FAILED, str(job.parcel), phase=Phase.BEFORE)
    results = dict.fromkeys(due.to, result_of(verdict))
    outcome = _outcome_event(desk, due, results, None, now)
    if isinstance(job.parcel, FallbackError):
        next_at = before_fallback(outcome.next_attempt_at, due, now)
        if next_at is None:
            claim = _claim(desk, run, due, job.parcel.fallback, now, delivery)
            claim = replace(claim, reason=Reason.CONTENT_FAILED, detail=str(job.parcel))
            return _within_quotas(desk, run, job, claim, allowance)
        outcome = replace(outcome, next_attempt_at=next_at)
    return [_claim(desk, run, due, None, now, delivery), outcome]


def _within_quotas(
    desk: Desk, run: _Run, job: Job, claim: events.Claim, allowance: Allowance
) -> list[Event]:
    """Hold back what would pass a quota: Kakao would refuse it, or count it against the app."""
    due, parts = job.due, len(job.content.parts) if job.content else 1
    done = {name: due.known[name].parts if name in due.known else 0 for name in due.to}
    refused = allowance.spend({name: max(1, parts - done[name]) for name in due.to})
    blocked = {
        name: Result(State.FAILED, Reason.QUOTA, why, phase=Phase.BEFORE, parts=done[name])
        for name, why in refused.items()
    }
    if len(blocked) == len(due.to):
        return [claim, _outcome_event(desk, due, blocked, None, claim.at)]
    if blocked:
        run.blocked[job.id] = blocked
    return [claim]


def _too_late(due: Due, now: datetime) -> Settle:
    why = "its content was not ready in time"
    return settle_slot(due.slot, due.all_to, now, State.MISSED, Reason.EXPIRED, why)


def _claim(
    desk: Desk,
    run: _Run,
    due: Due,
    parcel: Parcel | None,
    now: datetime,
    delivery: Delivery | None,
) -> events.Claim:
    return of_slot(
        events.Claim,
        due.slot,
        due.to,
        now,
        state=State.SENDING,
        settled=run.settled,
        expires_at=due.expires_at,
        attempt=due.attempt,
        by=desk.owner,
        until=now + desk.lease,
        text=parcel.text if parcel else None,
        content_hash=parcel.hash if parcel else content_hash(""),
        content=_to_keep(parcel, due, delivery) if parcel else None,
    )


def _to_keep(parcel: Parcel, due: Due, delivery: Delivery | None) -> dict[str, object] | None:
    """Return the content for the ledger if a later attempt may have to go on with the same."""
    if len(parcel.parts) == 1 and len(due.all_to) == 1:
        return None
    kept = parcel.fields()
    known = delivery.content if delivery else None
    return None if known and known.get("parts") == kept["parts"] else kept


def _start(desk: Desk, run: _Run, claim: Claim) -> None:
    job, parcel = claim.job, claim.job.content
    assert parcel is not None  # noqa: S101 - a claim without content has ended already
    if job.id in run.boarded and not claim.blocked:
        flight, claimed = run.boarded.pop(job.id)
        flight.may_leave = _gate(desk, claim)
        run.flying[AHEAD + job.id] = claim, flight
        claimed.set()
    else:
        to = [name for name in job.due.to if name not in claim.blocked]
        flight = _flight(job, claim.blocked)
        flight.may_leave = _gate(desk, claim)
        run.flying[job.id] = claim, flight
        desk.workers.start(job.id, lambda: desk.channel.deliver(parcel, to, flight))


def _flight(
    job: Job, blocked: Mapping[str, Result], hold: Callable[[], object] = lambda: None
) -> Flight:
    parts = len(job.content.parts) if job.content else 1
    known = {name: result.parts for name, result in job.due.known.items()}
    return Flight(_unclaimed, parts, known, dict(blocked), hold=hold)


def _unclaimed() -> datetime:
    raise Withheld(Reason.LEDGER_DAMAGED, "it has no claim")


def _gate(desk: Desk, claim: Claim) -> Callable[[], datetime]:
    """Make the last check before a request leaves: the promises P1, P3, P4 and P6, each time.

    A process that was stopped and woken up, or whose clock was set, finds out here.
    """
    due = claim.job.due

    def may_leave() -> datetime:
        if not desk.ledger.still_ours(claim.receipt):
            raise Withheld(Reason.LEDGER_DAMAGED, "the ledger does not show this process's claim")
        # The clock comes last: a process may be stopped for hours while it reads.
        now = desk.clock.now()
        if now < due.slot.at:
            raise Withheld(Reason.CLOCK_WRONG, "the clock was set back before the slot")
        if now >= due.expires_at:
            raise Withheld(Reason.EXPIRED, "the slot's time ran out before the request could leave")
        if not claim.at - CLOCK_SLACK <= now <= claim.until - LEASE_MARGIN:
            raise Withheld(
                Reason.EXPIRED, "the claim's time ran out before the request could leave"
            )
        return now

    return may_leave


def _collect(desk: Desk, run: _Run, seconds: float) -> None:
    """Wait for whatever comes next, and move on what has ended or has to be given up."""
    ended = desk.workers.wait(seconds)
    now, elapsed = desk.clock.now(), desk.clock.monotonic()
    is_set_back = any(now < c.at - CLOCK_SLACK for c, _ in run.flying.values())
    if CHANNEL in ended or (run.channel_until and elapsed >= run.channel_until):
        run.channel_until = None
    _turn_back(run, [id_ for id_ in run.boarded if AHEAD + id_ not in ended])
    for name, (due, until) in list(run.packing.items()):
        if name in ended or elapsed >= until:
            del run.packing[name]
            late = ContentError("making the content took too long")
            run.waiting.append(Job(due, run.packed.get(due.id, late)))
    for name, (claim, flight) in list(run.flying.items()):
        if name not in ended and not is_set_back and now < claim.until:
            continue
        flight.abandon(claim.job.due.to)
        run.landed.append(run.flying.pop(name))
    # A clock that was set back leaves slots too far ahead: a later tick will see to them.
    run.waiting = [job for job in run.waiting if job.due.slot.at - now <= LONGEST_WAIT]


def _patience(desk: Desk, run: _Run) -> float:
    """Return for how many seconds there is nothing to do unless a worker ends.

    At most one: the clock may be set meanwhile, which moves every instant that is awaited.
    """
    now, elapsed = desk.clock.now(), desk.clock.monotonic()
    if run.landed or run.is_over or _ready(desk, run, now + HEAD_START):
        return 0.0
    heads = [job.due.slot.at - HEAD_START for job in run.waiting]
    ends = [claim.until for claim, _ in run.flying.values()]
    # A head start that is reached, but not made use of, waits for a connection or a place.
    moments = (*(head for head in heads if head > now), *ends)
    seconds = [(moment - now).total_seconds() for moment in moments]
    seconds += [until - elapsed for _, until in run.packing.values()]
    if run.channel_until is not None:
        seconds.append(run.channel_until - elapsed)
    return max(0.0, min([1.0, *seconds]))


def _land_the_rest(desk: Desk, run: _Run) -> None:
    """After the ledger failed: wait for what is under way, and try once more to record it."""
    run.unpacked.clear()
    while run.flying:
        # What has landed waits with it, and is no reason to look again at once, and again.
        _collect(desk, run, 1.0)
    if run.landed:
        with desk.ledger.open() as book:
            book.record([_outcome(desk, *item, book.now) for item in run.landed])


def _outcome(desk: Desk, claim: Claim, flight: Flight, now: datetime) -> events.Outcome:
    due = claim.job.due
    return _outcome_event(desk, due, flight.results, flight.sent_at, now)


def _outcome_event(
    desk: Desk,
    due: Due,
    results: Mapping[str, Result],
    sent_at: datetime | None,
    now: datetime,
) -> events.Outcome:
    closed, next_at = conclude(due, desk.policy, results, now)
    decisive = worst({**due.known, **closed}.values())
    return events.Outcome(
        at=now,
        id=due.id,
        state=decisive.state,
        reason=decisive.reason,
        detail=decisive.detail,
        attempt=due.attempt,
        by=desk.owner,
        targets=closed,
        sent_at=sent_at,
        next_attempt_at=next_at,
    )


def _note_ended(
    run: _Run,
    before: Mapping[str, Delivery],
    outcomes: Sequence[Event],
    begun: Iterable[Sequence[Event]],
) -> None:
    """Log and remember how deliveries ended, and what their flights learned on the way."""
    for _, flight in run.landed:
        run.sent.login_error = run.sent.login_error or flight.login_error
        run.sent.server_date = flight.server_date or run.sent.server_date
    run.landed.clear()
    for event in outcomes:
        _note(run, before, [event])
    for group in begun:
        if group and not isinstance(group[-1], events.Claim):
            _note(run, before, group)


def _note(run: _Run, before: Mapping[str, Delivery], events: Sequence[Event]) -> None:
    delivery = before.get(events[0].id)
    for event in events:
        delivery = apply(delivery, as_read(event))
    if delivery is None:
        return
    run.sent.ended[delivery.id] = delivery
    if delivery.state is State.CONFIRMED:
        log.info("✅ 메시지 전송 성공: %s", delivery.id)
        log.info("✅ 전송 확인 완료: %s", delivery.id)
    elif delivery.state is State.RETRYING:
        next_at = delivery.next_attempt_at
        log.warning(
            "🔄 메시지 재시도: %s - %s (%s) - %s",
            delivery.id,
            delivery.reason,
            delivery.detail,
            isoformat(next_at) if next_at else "",
        )
    else:
        log.error(
            "❌ 메시지 최종 실패: %s - %s - %s (%s)",
            delivery.id,
            delivery.state,
            delivery.reason,
            delivery.detail,
        )
