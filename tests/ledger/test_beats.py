"""The ticks' own trace: what a line says, and what garbage costs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kakaocron.kst import KST
from kakaocron.ledger.beats import (
    COMPLETE,
    NO_MARK,
    NOTHING,
    Beat,
    End,
    Word,
    first_of_a_tick,
    last_complete,
    ledger_end,
    parse,
    to_line,
)
from kakaocron.ledger.heartbeat import Heartbeat
from kakaocron.system.syscalls import RealDisk

DAY = date(2026, 11, 23)
AT = datetime(2026, 11, 23, 9, 30, 1, 500_000, tzinfo=KST)
SECOND = timedelta(seconds=1)
END = End(123, "0badcafe")


@pytest.mark.parametrize("word", Word)
def test_a_beat_is_read_back_as_it_was_written(word: Word) -> None:
    assert parse(DAY, to_line(AT, word, 74, END)) == [Beat(AT, word, 74, END)]


def test_a_line_reads_as_the_documentation_says() -> None:
    assert to_line(AT, Word.DONE, 0, END) == b"09:30:01.500 done 0 123 0badcafe\n"


@given(st.lists(st.tuples(st.sampled_from(Word), st.integers(0, 86_399)), max_size=9), st.binary())
def test_the_first_beat_of_a_tick_is_the_earliest_of_all(
    said: list[tuple[Word, int]], garbage: bytes
) -> None:
    midnight = AT.replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [to_line(midnight + second * SECOND, word, 0, END) for word, second in said]
    content = b"".join([*lines, garbage])
    ticks = [beat for beat in parse(DAY, content) if beat.is_of_a_tick]
    first = first_of_a_tick(DAY, content)

    assert (first.at if first else None) == min((beat.at for beat in ticks), default=None)


def test_a_line_of_an_earlier_version_knows_the_size_alone() -> None:
    (beat,) = parse(DAY, b"09:30:01.500 done 0 4096\n")

    assert beat.ledger_end == End(4096)


def test_a_file_says_its_version_and_one_of_later_is_not_read(tmp_path: Path) -> None:
    heartbeat = Heartbeat(str(tmp_path / "ticks"), RealDisk(), str(tmp_path / "spare"))
    for n in range(3):
        heartbeat.beat(AT + n * SECOND, Word.DONE, 0, END)
    path = Path(heartbeat.path(DAY))
    content = path.read_bytes()
    assert content.startswith(b"v 1\n09:30:01.500 done")
    assert content.count(b"v 1") == 1
    assert [beat.at for beat in heartbeat.read(DAY)] == [AT + n * SECOND for n in range(3)]
    path.write_bytes(content.removeprefix(b"v 1\n"))  # as an earlier version has written it
    assert len(heartbeat.read(DAY)) == len(heartbeat.tail(DAY)) == 3

    for lines in (1, 100):  # more than a tail is
        path.write_bytes(b"v 2\n" + to_line(AT, Word.DONE, 0, END) * lines)
        assert heartbeat.read(DAY) == heartbeat.tail(DAY) == []
        assert heartbeat.last_complete(AT) is None


@given(st.binary(max_size=200))
def test_garbage_between_two_beats_costs_neither(garbage: bytes) -> None:
    line = to_line(AT, Word.DONE, 0, END)
    beats = parse(DAY, line + garbage + b"\n" + line)

    assert beats[0] == beats[-1] == Beat(AT, Word.DONE, 0, END)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"09:30:01.500 done 0",
        b"09:30:01.500 sleep 0 1",
        b"25:00:00.000 done 0 1",
        b"x done 0 1",
        b"09:30:01.500 done 0 1 - -",
        b"01.118 done 0 1",  # what is left of a line that was cut: not one o'clock
        b"30:01.500 done 0 1",
        b"09:30:01.500 done 0 4096 98a737d",  # of a mark that was cut: not another ledger's
        b"09:30:01.500 done 0 4096 98a737d51",
    ],
)
def test_a_line_that_is_no_beat_is_passed_over(line: bytes) -> None:
    assert parse(DAY, line + b"\n") == []


def test_a_last_line_that_a_power_cut_left_unfinished_tells_of_no_other_ledger() -> None:
    before, after = End(4096, "98a737d5"), End(5120, "0ab7d3f1")
    first = to_line(AT, Word.DONE, 0, before)
    second = to_line(AT + SECOND, Word.DONE, 0, after)
    for cut in range(len(second)):
        end = ledger_end(parse(DAY, first + second[:cut]))

        assert end is not None
        assert end in {before, after} or (end.mark == NO_MARK and end.size <= after.size)


@pytest.mark.parametrize("word", Word)
def test_only_idle_and_done_say_that_every_slot_has_a_state(word: Word) -> None:
    expected = AT if word in {Word.IDLE, Word.DONE} else None

    assert last_complete([Beat(AT, word, 0, NOTHING)], AT) == expected
    assert (word in COMPLETE) is (expected is not None)


@pytest.mark.parametrize(("now", "counts"), [(AT - SECOND, False), (AT, True), (AT + SECOND, True)])
def test_a_beat_from_the_future_is_not_believed(now: datetime, counts: bool) -> None:
    assert (last_complete([Beat(AT, Word.DONE, 0, NOTHING)], now) == AT) is counts


def test_the_latest_instant_counts_even_if_another_tick_wrote_after_it() -> None:
    beats = [Beat(AT + SECOND, Word.DONE, 0, NOTHING), Beat(AT, Word.IDLE, 0, NOTHING)]

    assert last_complete(beats, AT + 5 * SECOND) == AT + SECOND


@pytest.mark.parametrize(
    ("words", "size"),
    [
        ([], None),
        ([(Word.START, 0), (Word.FAIL, 0)], None),
        ([(Word.DONE, 10), (Word.DONE, 20), (Word.FAIL, 0)], 20),
        ([(Word.DONE, 20), (Word.RESET, 5)], 5),
        ([(Word.RESET, 5), (Word.IDLE, 7), (Word.START, 0)], 7),
    ],
)
def test_the_ledgers_size_is_what_the_last_telling_beat_says(
    words: list[tuple[Word, int]], size: int | None
) -> None:
    beats = [Beat(AT, word, 0, End(number)) for word, number in words]

    assert ledger_end(beats) == (None if size is None else End(size))
