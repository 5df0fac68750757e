"""Pings in Healthchecks' form: a watcher elsewhere raises the alarm when they stop.

Small, as it is imported before the sending; see telling.py for what comes after it.
"""

from __future__ import annotations

import threading
import uuid
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit

from kakaocron.system.http import Failure, MakeHttp, Request

GOOD_STATUSES = range(200, 300)
# A slot's own second belongs to the sending: the start is told only if a tick takes longer, or
# when it has ended.
START_DELAY_SECONDS = 2.0
START_ANSWER_SECONDS = 2.0
ANSWER_SECONDS = 5.0


class NotToldError(Exception):
    """A watcher did not take what it was given; the text holds no secret."""


class Pings:
    """The pings of one tick: its start and its end, tied by a run id."""

    def __init__(self, url: str, make_http: MakeHttp) -> None:
        self._url = url
        self._make_http = make_http
        self._run_id = str(uuid.uuid4())
        self._is_over = threading.Event()
        self._start_is_told = threading.Event()

    def begin(self) -> None:
        """Say that the tick has begun; wait for nothing."""
        threading.Thread(target=self._say_start, name="start ping", daemon=True).start()

    def end(self, is_fine: bool, seconds: float) -> None:
        """Say how the tick ended. Raises NotToldError."""
        self._is_over.set()
        # The other way round, the watcher would take the tick for one that never ended.
        self._start_is_told.wait(START_ANSWER_SECONDS + 1)
        self._ping("" if is_fine else "/fail", min(ANSWER_SECONDS, seconds))

    def fail(self, seconds: float) -> None:
        """Say that something is wrong, of no tick. Raises NotToldError."""
        self._ping("/fail", min(ANSWER_SECONDS, seconds))

    def _say_start(self) -> None:
        self._is_over.wait(START_DELAY_SECONDS)
        # The ping of the end says the same and more, and its failure is noted.
        with suppress(NotToldError):
            self._ping("/start", START_ANSWER_SECONDS)
        self._start_is_told.set()

    def _ping(self, ending: str, seconds: float) -> None:
        http = self._make_http(seconds)
        try:
            answer = http.ask(Request(address(self._url, ending, self._run_id)))
        finally:
            http.close()
        if isinstance(answer, Failure):
            raise NotToldError(answer.detail)
        if answer.status not in GOOD_STATUSES:
            raise NotToldError(f"HTTP {answer.status}")


def address(url: str, ending: str, run_id: str) -> str:
    """Return where to ping: the ending goes after the path, the run id into the query."""
    parts = urlsplit(url)
    query = f"{parts.query}&rid={run_id}" if parts.query else f"rid={run_id}"
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + ending, query, ""))
