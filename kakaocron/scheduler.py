"""kakaocron from Python: the same configuration, the same ledger, the same lock as the commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from kakaocron import actions
from kakaocron.actions import DuplicateError
from kakaocron.errors import UsageError
from kakaocron.installation import take_installation
from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery, delivery_fields
from kakaocron.ledger.lookup import find_delivery
from kakaocron.text.documents import with_version
from kakaocron.watching.overview import look


class Scheduler:
    """Schedules messages and tells what became of them. Cron's `kakaocron tick` sends them.

    It keeps nothing of its own, so threads and processes may use as many as they like at once.
    Every method may raise LedgerError or LockTimeoutError when the ledger cannot be used.
    """

    def __init__(self, config: str | Path | None = None) -> None:
        """Read the configuration (None: the one that the commands use). Raises UsageError."""
        self._installation = take_installation(Path(config) if config is not None else None)

    def schedule_message(
        self,
        text: str,
        at: datetime,
        *,
        to: Sequence[str] | None = None,
        meta: Mapping[str, str] | None = None,
    ) -> str | None:
        """Schedule a text for the first whole minute at or after `at` (naive: KST).

        Returns its id, or None when the same text is in the ledger for that minute already.
        Raises UsageError for a time that has passed, or a text that Kakao would not take.
        """
        try:
            return actions.schedule(
                self._installation, _instant(at), text=text, to=to, meta=meta
            ).id
        except DuplicateError:
            return None

    def schedule_regular_message(self, text: str, **options: Any) -> str | None:
        """Schedule a text for the next regular minute; otherwise as `schedule_message`."""
        at = actions.next_of_kind(self._installation, "regular")
        return self.schedule_message(text, at, **options)

    def schedule_peak_message(self, text: str, **options: Any) -> str | None:
        """Schedule a text for the next peak minute; otherwise as `schedule_message`."""
        at = actions.next_of_kind(self._installation, "peak")
        return self.schedule_message(text, at, **options)

    def get_message_status(self, message_id: str) -> dict[str, Any] | None:
        """Return what `history --json` shows of a delivery, with `status` (its state) and
        `retry_count`; None if the ledger has none of that id."""
        try:
            return _status(find_delivery(self._installation.ledger, message_id))
        except UsageError:
            return None

    def cancel_message(self, message_id: str) -> bool:
        """Take back what has not been sent; False if there is nothing to take back."""
        return self._is_done(lambda: actions.cancel(self._installation, message_id))

    def retry_message(self, message_id: str, at: datetime | None = None) -> bool:
        """Let what failed, was missed, is unknown or was cancelled be sent by the next tick, or
        by the first one at or after `at` (naive: KST); False if it cannot be."""
        moment = _instant(at) if at is not None else None
        return self._is_done(lambda: actions.reopen(self._installation, message_id, moment))

    def get_schedule_status(self) -> dict[str, Any]:
        """Return what `status --json` prints."""
        return with_version(look(self._installation).fields())

    def cleanup_old_messages(self, days: int = 7) -> int:
        """Remove the days of the ledger that are more than `days` ago; return how many."""
        here = self._installation
        with here.ledger.open() as book:
            return len(here.ledger.prune(book.now.date(), max(2, days)))

    @staticmethod
    def _is_done(order: Callable[[], object]) -> bool:
        try:
            order()
        except UsageError:
            return False
        return True


def _instant(at: datetime) -> datetime:
    """Return a time in KST, in which a naive one is meant."""
    return at.replace(tzinfo=KST) if at.tzinfo is None else at.astimezone(KST)


def _status(delivery: Delivery) -> dict[str, Any]:
    retries = max(0, len(delivery.attempts) - 1)
    return {
        **delivery_fields(delivery),
        "status": str(delivery.state),
        "retry_count": retries,
        "meta": dict(delivery.meta or {}),
    }
