"""Tasks side by side: a thread for each that is under way, and none for one that has ended."""

from __future__ import annotations

import _thread
import gc
import threading
from collections.abc import Callable

import pytest

from kakaocron.system.log import log
from kakaocron.system.workers import Threads


def _ended(workers: Threads, count: int) -> list[str]:
    names: list[str] = []
    while len(names) < count:
        found = workers.wait(10)
        assert found
        names += found
    return names


def test_a_thread_takes_one_task_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    start = _thread.start_new_thread

    def counting(function: Callable[..., object], arguments: tuple[object, ...]) -> int:
        started.append(function)
        return start(function, arguments)

    monkeypatch.setattr(_thread, "start_new_thread", counting)
    workers, seen = Threads(), set()
    for number in range(20):
        for place in range(3):
            workers.start(f"{number}-{place}", lambda: seen.add(threading.get_ident()))
        assert sorted(_ended(workers, 3)) == [f"{number}-{place}" for place in range(3)]
    assert len(started) == 3
    assert seen


def test_a_task_that_hangs_keeps_no_other_from_a_thread() -> None:
    workers, gate = Threads(), threading.Event()
    workers.start("hangs", gate.wait)  # type: ignore[arg-type]
    for number in range(5):
        workers.start(str(number), lambda: None)
        assert _ended(workers, 1) == [str(number)]
    gate.set()
    assert _ended(workers, 1) == ["hangs"]


def test_a_bug_ends_its_task_and_not_the_thread() -> None:
    workers = Threads()
    for number in range(3):
        workers.start(str(number), lambda: 1 // 0)  # type: ignore[arg-type]
        assert _ended(workers, 1) == [str(number)]


def test_nothing_that_a_task_raises_takes_its_thread_from_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(log, "exception", no_memory)
    workers = Threads()
    for number, error in enumerate((SystemExit, ValueError, SystemExit)):

        def fail(error: type[BaseException] = error) -> None:
            raise error

        workers.start(str(number), fail)
        assert _ended(workers, 1) == [str(number)]


def test_the_threads_go_with_the_last_who_knows_of_them() -> None:
    before = _thread._count()
    workers = Threads()
    for number in range(4):
        workers.start(str(number), lambda: None)
    _ended(workers, 4)
    del workers
    gc.collect()
    for _ in range(1000):
        if _thread._count() <= before:
            break
        threading.Event().wait(0.01)
    assert _thread._count() <= before


def test_without_a_thread_to_be_had_the_one_that_waits_does_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    workers, seen = Threads(), list[int]()
    assert not workers.try_start("x", lambda: None)
    for number in range(3):
        workers.start(str(number), lambda: seen.append(threading.get_ident()))
    assert _ended(workers, 3) == ["0", "1", "2"]
    assert seen == [threading.get_ident()] * 3
    monkeypatch.undo()
    workers.start("again", lambda: None)
    assert _ended(workers, 1) == ["again"]
