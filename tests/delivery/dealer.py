"""A dealer with behaviour: it takes messages, and tells later what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from kakaocron.delivery.channel import Flight, Withheld
from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.verdicts import Asked, Fate, Found, Meaning, Verdict
from kakaocron.errors import Cause
from kakaocron.ledger.deliveries import Delivery
from kakaocron.states import Reason
from kakaocron.system.http import Phase

LOST = Verdict(Meaning.AMBIGUOUS, Reason.READ_TIMEOUT, Cause("no-answer"))
NOT_SENT = Verdict(Meaning.NOT_SENT, Reason.UNREACHABLE, Cause("no-connection"), phase=Phase.BEFORE)
REPEATED = Verdict(Meaning.AMBIGUOUS, Reason.REFUSED_FOR_NOW, Cause("said", {"words": "repeat"}))
DELIVERED, FAILED = Found(Fate.DELIVERED, code="1000"), Found(Fate.FAILED, code="3019")
ACCEPTED, NOT_FOUND = Found(Fate.ACCEPTED, code="2000"), Found(Fate.NOT_FOUND)
LATER = Found(Fate.ACCEPTED, code="3005", cause=Cause("said", {"words": "within 3 days"}))
NOT_TOLD = Found(Fate.NOT_TOLD, cause=Cause("no-connection"))


@dataclass
class FakeDealer:
    """A server and its channel in one.

    `ways` say, request by request, what befalls it: None, "lost before" or "lost after" the server
    took it, "not sent", or any verdict in place of the server's own. `words` say, look-up by
    look-up, what is told in place of what is so. A key that comes again within `window` is not
    taken again; after that it is, as if it were new.
    """

    now: Callable[[], datetime]
    ways: list[str | Verdict | None] = field(default_factory=list)
    words: list[Found] = field(default_factory=list)
    window: timedelta = timedelta(minutes=10)
    key_life: timedelta | None = timedelta(minutes=8)
    settling: timedelta = timedelta(seconds=5)
    keyless: Verdict | None = None
    daily: int = 1000
    taken: list[tuple[datetime, str, str, str]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    flights: list[Flight] = field(default_factory=list)
    reserved: list[tuple[str, int, tuple[str, ...]]] = field(default_factory=list)
    stops_after: int | None = None  # how many look-ups it answers at all

    @property
    def arrived(self) -> Counter[str]:
        """How often each receiver got something."""
        return Counter(name for _, _, name, _ in self.taken)

    # What channels have in common.

    def allowance_days(self, to: Iterable[str], today: date) -> set[date]:
        return {today}

    def allowance(self, deliveries: Iterable[Delivery], day: date) -> FakeDealer:
        return self

    def note(self, deliveries: Iterable[Delivery]) -> None:
        """Nothing is counted."""

    def left(self) -> FakeDealer:
        return self

    def spend(self, wanted: Mapping[str, int]) -> dict[str, Cause]:
        self.daily -= len(wanted)
        return dict.fromkeys(wanted, Cause("said", {"words": "cap"})) if self.daily < 0 else {}

    def prepare(self, count: int) -> None:
        """Nothing is needed."""

    def let_go(self) -> None:
        """Nothing is kept."""

    def deliver(self, parcel: Parcel, to: Sequence[str], flight: Flight) -> None:
        self.flights.append(flight)
        for name in to:
            flight.land(name, self._sent(parcel, name, flight), 0)

    # What this one has besides.

    def reserve(self, id_: str, attempt: int, to: Sequence[str]) -> dict[str, str | Verdict]:
        self.reserved.append((id_, attempt, tuple(to)))
        return {name: self.keyless or f"{id_}/{attempt}/{name}" for name in to}

    def down_by(self, verdict: Verdict) -> None:
        """Nothing of this one waits for a person."""

    def look_up(self, asked: Sequence[Asked]) -> Iterator[tuple[Asked, Found]]:
        for number, one in enumerate(asked):
            if number == self.stops_after:
                return
            self.asked.append(one)
            yield one, self.words.pop(0) if self.words else self._fate(one.key)

    def _fate(self, key: str) -> Found:
        times = [at for at, taken, *_ in self.taken if taken == key]
        return Found(Fate.DELIVERED, min(times), "1000") if times else NOT_FOUND

    def _sent(self, parcel: Parcel, name: str, flight: Flight) -> Verdict:
        way = self.ways.pop(0) if self.ways else None
        if way == "not sent":
            return NOT_SENT
        try:
            flight.leave()
        except Withheld as withheld:
            return Verdict(Meaning.NOT_SENT, withheld.reason, withheld.cause, phase=Phase.BEFORE)
        if isinstance(way, Verdict):
            return way
        if way == "lost before":
            return LOST
        key, now = flight.keys[name], self.now()
        if any(taken == key and now < at + self.window for at, taken, *_ in self.taken):
            return LOST if way == "lost after" else REPEATED
        self.taken.append((now, key, name, parcel.text))
        return LOST if way == "lost after" else Verdict(Meaning.ACCEPTED, code="2000", ref="M4V")
