"""Bugs put in on purpose: the simulator must find each within a bounded number of minutes."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from kakaocron import actions
from kakaocron.config.schema import Config
from kakaocron.delivery import claims, enclosing, engine, policy, snapshot
from kakaocron.delivery.parcel import Part
from kakaocron.delivery.underway import Underway
from kakaocron.delivery.verdicts import Meaning, Verdict
from kakaocron.errors import Cause, ContentError
from kakaocron.kakao import answers, channel
from kakaocron.kakao.texts import template_part
from kakaocron.ledger import day_file, files
from kakaocron.ledger.events import Claim, Event
from kakaocron.ledger.ledger import Receipt
from kakaocron.rehearsal.simulation import network
from kakaocron.rehearsal.simulation.campaign import configs
from kakaocron.rehearsal.simulation.chaos import Dials
from kakaocron.rehearsal.simulation.process import ProcessDisk
from kakaocron.rehearsal.simulation.rules import pictured
from kakaocron.rehearsal.simulation.world import World
from kakaocron.schedule import slots
from kakaocron.states import Reason
from kakaocron.system import disk, http_answer
from kakaocron.system.http import Answer

pytestmark = pytest.mark.usefixtures("uncounted")

Patch = pytest.MonkeyPatch
MINUTES = 120
LOCK = "/sim/data/ledger.lock"
MOST_HISTORIES = 60


def claim_after_send(patch: Patch) -> None:
    held: dict[str, Event] = {}
    record = files.FileBook.record

    def late(book: files.FileBook, events: Sequence[Event]) -> Any:
        now, places = [], {}
        for event in events:
            if isinstance(event, Claim):
                held[event.id] = event
                places[event.id] = Receipt(event, 0)
            else:
                now += [held.pop(event.id), event] if event.id in held else [event]
        return {**(record(book, now) if now else {}), **places}

    patch.setattr(files.FileBook, "record", late)
    patch.setattr(files.FileLedger, "still_ours", lambda *_: True)


def no_fsync(patch: Patch) -> None:
    patch.setattr(ProcessDisk, "fsync", lambda *_: None)


def name_not_synced(patch: Patch) -> None:
    patch.setattr(disk, "sync_ancestors", lambda *_: None)


def failed_fsync_ignored(patch: Patch) -> None:
    fsync = ProcessDisk.fsync

    def deaf(self: ProcessDisk, fd: int) -> None:
        try:
            fsync(self, fd)
        except OSError:
            return

    patch.setattr(ProcessDisk, "fsync", deaf)


def retry_after_a_read_timeout(patch: Patch) -> None:
    patch.setattr(
        channel,
        "of_failure",
        lambda failure: Verdict(Meaning.NOT_SENT, failure.reason, failure.cause),
    )


def server_errors_are_retried(patch: Patch) -> None:
    of_memo = answers.of_memo

    def hopeful(answer: Any) -> Verdict:
        verdict = of_memo(answer)
        if verdict.meaning is Meaning.AMBIGUOUS:
            return replace(verdict, meaning=Meaning.NOT_SENT)
        return verdict

    patch.setattr(channel, "of_memo", hopeful)


def any_200_confirms(patch: Patch) -> None:
    of_memo = answers.of_memo
    patch.setattr(
        channel,
        "of_memo",
        lambda answer: Verdict(Meaning.CONFIRMED) if answer.status == 200 else of_memo(answer),
    )


def kind_in_the_id(patch: Patch) -> None:
    patch.setattr(
        slots.Slot,
        "id",
        property(lambda slot: slots.delivery_id(f"{slot.message}.{slot.kind}", slot.at)),
    )


def clock_read_before_the_lock(patch: Patch) -> None:
    @contextmanager
    def hasty(ledger: files.FileLedger) -> Any:
        now = ledger.clock.now()
        with opened(ledger) as book:
            book.now = now
            yield book

    opened = files.FileLedger.open
    patch.setattr(files.FileLedger, "open", hasty)


def lock_file_replaced(patch: Patch) -> None:
    """Make the lock anew each time: everybody holds one, and none guards anything."""
    opened = ProcessDisk.open

    def anew(self: ProcessDisk, path: str, flags: int, mode: int = 0o600) -> int:
        if path == LOCK:
            with suppress(FileNotFoundError):
                self._files.unlink(path)
        return opened(self, path, flags, mode)

    patch.setattr(ProcessDisk, "open", anew)
    patch.setattr(disk, "_is_still_at", lambda *_: True)


def tidied(patch: Patch) -> None:
    """Let somebody remove the lock file, now and then, just when it has been locked."""
    try_lock = ProcessDisk.try_lock

    def tried(self: ProcessDisk, fd: int) -> bool:
        is_ours = try_lock(self, fd)
        if is_ours and self._process.host.rng.random() < 0.3:
            with suppress(FileNotFoundError):
                self._files.unlink(LOCK)
        return is_ours

    patch.setattr(ProcessDisk, "try_lock", tried)


def no_lock(patch: Patch) -> None:
    patch.setattr(ProcessDisk, "try_lock", lambda *_: True)


def unreadable_ledger_taken_as_empty(patch: Patch) -> None:
    patch.setattr(day_file.DayFile, "damage_since", lambda *_: None)
    found = day_file.Reading._found

    def blind(*args: Any, **options: Any) -> day_file.DayFile:
        return replace(found(*args, **options), damaged=())

    patch.setattr(day_file.Reading, "_found", blind)


def older_copy_not_noticed(patch: Patch) -> None:
    patch.setattr(day_file.DayFile, "goes_on_from", lambda *_: True)


def only_the_size_is_compared(patch: Patch) -> None:
    patch.setattr(day_file.DayFile, "goes_on_from", lambda file, end: end.size <= file.end.size)


def known_damage_hides_what_is_above_it(patch: Patch) -> None:
    take = day_file.Reading._take

    def forgiving(reading: day_file.Reading, line: bytes, end: int) -> None:
        take(reading, line, end)
        if b'"event":"damage"' in line:
            reading.damaged = {}

    patch.setattr(day_file.Reading, "_take", forgiving)


def expiry_not_checked_at_the_gate(patch: Patch) -> None:
    gate = claims.gate

    def patient(whole: Any, one: Any) -> Callable[[], Any]:
        due = replace(one.due, expires_at=one.due.expires_at + timedelta(hours=2))
        claim = replace(one.claim, until=due.expires_at)
        return gate(whole, replace(one, due=due, claim=claim))

    patch.setattr(claims, "gate", patient)


def sent_a_minute_early(patch: Patch) -> None:
    decide = policy.decide

    def hasty(series: Any, rules: Any, known: Any, now: Any, *args: Any, **options: Any) -> Any:
        return decide(series, rules, known, now + timedelta(minutes=1), *args, **options)

    patch.setattr(snapshot, "decide", hasty)
    patch.setattr(claims, "gate", lambda whole, _: whole.clock.now)
    patch.setattr(engine, "ready", lambda _, run, __: list(run.waiting()))


def next_slot_does_not_end_a_slot(patch: Patch) -> None:
    patch.setattr(policy, "expiry", lambda slot, _, expire_after: slot.at + expire_after)


def missed_not_recorded(patch: Patch) -> None:
    decide = policy.decide

    def silent(*args: Any, **options: Any) -> policy.Decision:
        found = decide(*args, **options)
        kept = tuple(event for event in found.settle if event.reason is not Reason.NO_TICK)
        return policy.Decision(kept, found.due)

    patch.setattr(snapshot, "decide", silent)


def cancelled_in_vain(patch: Patch) -> None:
    def kept(delivery: Any, now: Any) -> Event:
        at = delivery.next_attempt_at
        return policy.settle_delivery(
            delivery, now, delivery.state, Reason.BY_HAND, next_attempt_at=at
        )

    patch.setattr(actions, "cancelled", kept)


def pauses_not_heeded(patch: Patch) -> None:
    patch.setattr(snapshot, "is_paused", lambda *_: False)


def a_removed_lock_is_trusted(patch: Patch) -> None:
    append = disk.append_lines

    def trusting(on: Any, path: str, lines: Any, _: int, *, cut_to: int | None = None) -> int:
        try:
            size = on.stat(path).size
        except FileNotFoundError:
            size = 0
        return append(on, path, lines, size, cut_to=cut_to)

    patch.setattr(files, "append_lines", trusting)


def dead_claims_left_open(patch: Patch) -> None:
    patch.setattr(policy, "overdue", lambda *_: None)


def an_interim_answer_is_taken_for_the_answer(patch: Patch) -> None:
    """Keep the connection too: the true answer is left to the request that comes next."""
    left = bytearray()

    def read(incoming: http_answer.Incoming) -> Answer:
        with suppress(OSError):
            incoming.rest()
        left.extend(incoming.left)
        came = [bytes(left), b""]
        connection = http_answer.Incoming(lambda: came.pop(0))
        try:
            head = http_answer._one_head(connection)
            is_interim = head.status in range(100, 200)
            body = b"" if is_interim else http_answer._body(head, connection)
        except Exception:
            left.clear()
            raise
        left[:] = connection.left
        return Answer(head.status, head.headers, body)

    patch.setattr(network, "read_answer", read)


def new_times_hold_since_ever(patch: Patch) -> None:
    patch.setattr(snapshot, "dated", lambda series, *_: tuple(series))


def the_text_follows_a_feed_without_an_answer(patch: Patch) -> None:
    request = channel.KakaoTalk._request

    def with_a_text_after_it(self: Any, part: Part, receivers: Any, *rest: Any) -> Any:
        verdicts = request(self, part, receivers, *rest)
        template = json.loads(part.fields["template_object"])
        if template["object_type"] == "text" or all(
            one.meaning is not Meaning.AMBIGUOUS for one in verdicts.values()
        ):
            return verdicts
        content = template["content"]
        text = {"object_type": "text", "text": content["title"], "link": content["link"]}
        return request(self, template_part(text), receivers, *rest)

    patch.setattr(channel.KakaoTalk, "_request", with_a_text_after_it)


def nothing_goes_without_its_picture(patch: Patch) -> None:
    settle = enclosing.settle

    def strict(engine: Any, run: Any, one: Underway) -> None:
        settle(engine, run, one)
        if one.left_out:
            one.parcel = ContentError("no picture", Cause("no-upload"))

    patch.setattr(enclosing, "settle", strict)


BUSY = Dials(second_cron=0.2, kill=0.05, pause=0.05)
CROWDED = Dials(second_cron=0.6, kill=0.05, pause=0.5)
WEB = Dials(network=0.5)
SPOILT = Dials(damage=0.1, copy_taken=0.2, restore=0.1)
POWER = Dials(power_cut=0.05, kill=0.05)

# With the first history that is played: one that finds the bug soon, but any later one will do.
MUTANTS: dict[Callable[[Patch], None], tuple[Dials, int]] = {
    claim_after_send: (POWER, 0),
    no_fsync: (POWER, 0),
    name_not_synced: (POWER, 0),
    failed_fsync_ignored: (Dials(disk=0.5, disk_trouble=0.05), 0),
    retry_after_a_read_timeout: (WEB, 1),
    server_errors_are_retried: (WEB, 0),
    any_200_confirms: (WEB, 3),
    kind_in_the_id: (Dials(config_edit=0.5), 0),
    clock_read_before_the_lock: (CROWDED, 20),
    lock_file_replaced: (CROWDED, 35),
    no_lock: (CROWDED, 25),
    unreadable_ledger_taken_as_empty: (SPOILT, 0),
    older_copy_not_noticed: (SPOILT, 0),
    only_the_size_is_compared: (Dials(copy_taken=0.3, restore=0.05, damage=0.1), 12),
    known_damage_hides_what_is_above_it: (Dials(damage=0.2), 20),
    expiry_not_checked_at_the_gate: (Dials(pause=1.0, held_lock=0.5), 574),
    sent_a_minute_early: (BUSY, 0),
    next_slot_does_not_end_a_slot: (Dials(power_cut=0.05, outage_begins=0.05), 2),
    missed_not_recorded: (POWER, 1),
    cancelled_in_vain: (Dials(by_hand=0.5), 0),
    pauses_not_heeded: (Dials(by_hand=0.3), 0),
    a_removed_lock_is_trusted: (Dials(lock_replaced=0.3, pause=0.5), 23),
    dead_claims_left_open: (Dials(kill=0.5), 14),
    an_interim_answer_is_taken_for_the_answer: (WEB, 0),
    new_times_hold_since_ever: (Dials(config_edit=0.3), 0),
    the_text_follows_a_feed_without_an_answer: (WEB, 0),
    nothing_goes_without_its_picture: (WEB, 2),
}
WITH_PICTURES = (the_text_follows_a_feed_without_an_answer, nothing_goes_without_its_picture)


def group_for(mutant: Callable[[Patch], None]) -> list[Config]:
    """Return configurations under which the bug can show at all, and soon."""
    groups = {"kind_in_the_id": 0, "expiry_not_checked_at_the_gate": 7}
    found = configs(groups.get(mutant.__name__, 1))
    return [pictured(one) for one in found] if mutant in WITH_PICTURES else found


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_seeded_bug_is_found(mutant: Callable[[Patch], None], monkeypatch: Patch) -> None:
    mutant(monkeypatch)
    dials, first = MUTANTS[mutant]
    logging.disable(logging.CRITICAL)
    try:
        assert any(
            World(seed, group_for(mutant), dials, MINUTES).play().breaches
            for seed in range(first, first + MOST_HISTORIES)
        )
    finally:
        logging.disable(logging.NOTSET)


def test_a_lock_file_that_is_tidied_away_costs_nothing(monkeypatch: Patch) -> None:
    tidied(monkeypatch)
    assert World(1, configs(1), BUSY, MINUTES).play().breaches == ()


@pytest.mark.parametrize(
    "dials", [BUSY, WEB, SPOILT, POWER], ids=["busy", "web", "spoilt", "power"]
)
def test_without_a_bug_the_same_histories_are_clean(dials: Dials) -> None:
    for number in range(3):
        assert World(number, configs(number), dials, MINUTES).play().breaches == ()
    with_pictures = [pictured(one) for one in configs(0)]
    assert World(3, with_pictures, dials, MINUTES).play().breaches == ()
