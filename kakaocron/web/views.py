"""What the page asks for, as JSON: the same readings that the commands print."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from kakaocron.errors import KakaocronError, UsageError
from kakaocron.files import mark
from kakaocron.installation import Installation, find_installation
from kakaocron.kst import DAY, isoformat, isoformat_if_any
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import Delivery, delivery_fields
from kakaocron.ledger.lookup import deliveries_of, find_delivery
from kakaocron.ledger.stats import endings_of, report_of_day
from kakaocron.messages.images import of_file
from kakaocron.states import first_to_look_at
from kakaocron.watching.overview import explain_minute, explain_what, health_of, look
from kakaocron.watching.prometheus import metrics_of
from kakaocron.watching.sentences import delivery_with_log

HEAT_DAYS = 30
MOST_ROWS = 500


class UnusableError(KakaocronError):
    """The configuration cannot be used: no fault of who asks."""

    exit_code = UsageError.exit_code


@dataclass(slots=True)
class Views:
    """One installation, looked at again and again; the configuration is read when it changes."""

    config: Path | None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _installation: Installation | None = None
    _config_mark: str = ""
    _days: dict[date, tuple[object, tuple[Delivery, ...]]] = field(default_factory=dict)

    def installation(self) -> Installation:
        """Return the installation as its configuration is now. Raises UnusableError."""
        with self._lock:
            known = self._installation
            if known is None or _config_mark(known) != self._config_mark:
                try:
                    found = find_installation(self.config)
                except UsageError as error:
                    raise UnusableError(str(error)) from None
                self._config_mark = _config_mark(found)
                self._installation = known = found
            return known

    def version(self) -> str:
        """Return a word that changes whenever the page has something new to show."""
        here = self.installation()
        now = here.clock.now()
        logins = [login.path for login in here.logins.values()]
        paths = [str(here.places.config), *logins, here.places.pauses]
        paths += [here.heartbeat.path(now.date())]
        marks: list[object] = [mark(here.edges.disk, path) for path in paths]
        marks += [here.ledger.version(now.date() - n * DAY) for n in range(HEAT_DAYS)]
        if here.shared:
            marks += [here.pauses.read(), tuple(here.shared.heartbeat.hosts())]
        return f"{now:%Y%m%dT%H%M}-{hash(tuple(marks)) & 0xFFFFFFFF:08x}"

    def health(self) -> dict[str, Any]:
        here = self.installation()
        return health_of(look(here), here.config.monitor).fields()

    def metrics(self) -> str:
        here = self.installation()
        overview = look(here)
        return metrics_of(overview, health_of(overview, here.config.monitor))

    def status(self) -> dict[str, Any]:
        return look(self.installation()).fields()

    def page(self) -> dict[str, Any]:
        """Return what stands above the list: today, what is wrong, what is to come."""
        here = self.installation()
        version = self.version()
        overview = look(here)
        ahead = [
            {"id": s.id, "message": s.message, "kind": s.kind, "slot": isoformat(s.at)}
            for s in overview.upcoming
        ]
        pauses = [
            {"message": p.message, "until": isoformat_if_any(p.until), "note": p.note}
            for p in overview.pauses
        ]
        past = {one.message for _, found in self._last_days(HEAT_DAYS) for one in found}
        return {
            "version": version,
            **overview.fields(),
            "next_slot": next((isoformat(one.at) for one in overview.following), None),
            "unseen": [delivery_fields(one) for one in overview.unseen_today],
            "slots": {"confirmed": overview.slots.confirmed, "ended": overview.slots.ended},
            "min_success_rate": here.config.monitor.min_success_rate,
            "health": health_of(overview, here.config.monitor).fields(),
            "ahead": ahead,
            **self._cost(here),
            "pauses": pauses,
            "messages": sorted(past.union(one.name for one in here.plan.series)),
            "pictures": [one.name for one in here.config.message if one.image],
        }

    def _cost(self, here: Installation) -> dict[str, Any]:
        """Return what today's messages to phones have cost; nothing where there is no price."""
        if here.config.alimtalk is None:
            return {}
        from kakaocron.watching.costs import spent  # noqa: PLC0415 - few have a dealer

        today = here.clock.now().date()
        cost = spent(here.config, deliveries_of(here.ledger, today), today)
        return {"alimtalk": cost.fields()} if cost else {}

    def days(self) -> list[dict[str, Any]]:
        """Return the last days, oldest first: counts, lateness, and the worst state an hour."""
        return [
            {
                **report_of_day(day, endings_of(found)).fields(),
                "hours": _hours(found),
            }
            for day, found in self._last_days(HEAT_DAYS)
        ]

    def _last_days(self, count: int) -> list[tuple[date, tuple[Delivery, ...]]]:
        """Return the deliveries of the last days; a day is read again only when it has changed."""
        here = self.installation()
        today = here.clock.now().date()
        wanted = [today - n * DAY for n in reversed(range(count))]
        with self._lock:  # requests come side by side
            for day in wanted:
                version = here.ledger.version(day)
                if day not in self._days or self._days[day][0] != version:
                    self._days[day] = version, deliveries_of(here.ledger, day)
            for day in [day for day in self._days if day < today - HEAT_DAYS * DAY]:
                del self._days[day]
            return [(day, self._days[day][1]) for day in wanted]

    def deliveries(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return the newest deliveries that a query asks for, the newest first, and how many
        there are."""
        count = min(max(_number(query.get("days"), 1), 1), HEAT_DAYS)
        states = frozenset(s for s in query.get("state", "").split(",") if s)
        text = query.get("text", "").casefold()
        found = [
            one
            for _, day in self._last_days(count)
            for one in day
            if (not states or one.state in states)
            and query.get("message", one.message) == one.message
            and text in f"{one.text} {one.id}".casefold()
        ]
        rows = [delivery_fields(one) for one in reversed(found[-MOST_ROWS:])]
        return {"total": len(found), "rows": rows}

    def delivery(self, id_: str) -> dict[str, Any]:
        here = self.installation()
        found = find_delivery(here.ledger, id_)
        explained = explain_minute(here, found.slot).messages
        said = next((one.fields() for one in explained if one.id == id_), None)
        return {**delivery_with_log(found), "explained": said}

    def picture(self, name: str) -> tuple[str, bytes]:
        """Return the type and the bytes of the file that is a message's picture now. Raises
        UsageError for a message without one, ContentError for a file that is none.

        No command is run for it: who looks at the page starts nothing.
        """
        here = self.installation()
        path = next((one.image for one in here.config.message if one.name == name), None)
        if path is None:
            raise UsageError(_("message '{name}' has no image").format(name=name))
        kind, content = of_file(here.contents.path(path))
        return kind, b"".join(content.open())

    def explanation(self, query: Mapping[str, str]) -> dict[str, Any]:
        here = self.installation()
        return explain_what(here, query.get("at", "")).fields()


def _number(text: str | None, default: int) -> int:
    with suppress(ValueError, TypeError):
        return int(text or default)
    return default


def _config_mark(here: Installation) -> str:
    return mark(here.edges.disk, str(here.places.config))


def _hours(deliveries: Sequence[Delivery]) -> list[dict[str, Any] | None]:
    hours: list[dict[str, Any] | None] = [None] * 24
    for one in deliveries:
        known = hours[one.slot.hour]
        if known is None:
            hours[one.slot.hour] = {"state": one.state, "count": 1}
        else:
            known["count"] += 1
            known["state"] = first_to_look_at(known["state"], one.state)
    return hours
