"""Counting messages to friends against Kakao's daily limits."""

from collections import Counter

from kakaocron.rehearsal.sandbox.settings import Settings


class QuotaBook:
    """Counts by KST day (an ISO date).

    Assumed, as Kakao does not say: the day ends at midnight, refused messages do not count.
    """

    def __init__(self, settings: Settings) -> None:
        self._quotas = settings.quotas
        self._per_sender = (
            self._quotas.per_sender
            if settings.has_friend_permission
            else min(self._quotas.per_sender, self._quotas.before_permission)
        )
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def is_app_spent(self, day: str, wanted: int) -> bool:
        """Tell whether `wanted` more messages would pass the app's limit."""
        return self._counts[day, "", ""] + wanted > self._quotas.per_app

    def refusal(self, day: str, sender: str, receiver: str) -> int | None:
        """Return the code that refuses one more message, or None."""
        limits = (
            (-536, (day, sender, receiver), self._quotas.per_pair),
            (-533, (day, "", receiver), self._quotas.per_receiver),
            (-532, (day, sender, ""), self._per_sender),
        )
        return next((code for code, key, most in limits if self._counts[key] >= most), None)

    def count(self, day: str, sender: str, receiver: str) -> None:
        """Count one delivered message."""
        for key in ((sender, receiver), ("", receiver), (sender, ""), ("", "")):
            self._counts[day, *key] += 1
