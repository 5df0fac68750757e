"""알림톡 as a channel: to phones, by one dealer, and looked up afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.alimtalk import nhn, solapi
from kakaocron.alimtalk.cap import Cap
from kakaocron.alimtalk.causes import in_words, is_down
from kakaocron.alimtalk.dealer import Dealer, Probe, refused_before
from kakaocron.alimtalk.nhn import NhnDealer
from kakaocron.alimtalk.solapi import SolapiDealer
from kakaocron.alimtalk.template import Letter, letter_in
from kakaocron.delivery.channel import Flight, Withheld
from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.verdicts import Asked, Fate, Found, Meaning, Verdict
from kakaocron.errors import Cause, UsageError
from kakaocron.kst import DAY
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import Delivery
from kakaocron.system.http import Http, Phase
from kakaocron.text.phones import is_mobile, number_in


class Alimtalk(Struct, frozen=True):
    """The channel to phones. `serves` says of a receiver whether it is this channel's."""

    http: Http
    dealer: Dealer
    serves: Callable[[str], bool]
    daily_cap: int | None = None

    @property
    def settling(self) -> timedelta:
        return self.dealer.settling

    @property
    def key_life(self) -> timedelta | None:
        return self.dealer.key_life

    def allowance_days(self, to: Iterable[str], today: date) -> set[date]:
        # Yesterday's too: a retry may go out today.
        return set() if self.daily_cap is None else {today, today - DAY}

    def allowance(self, deliveries: Iterable[Delivery], day: date) -> Cap:
        cap = Cap(day, self.daily_cap, self.serves)
        cap.note(deliveries)
        return cap

    def prepare(self, count: int) -> None:
        self.http.warm(self.dealer.url, count)

    def let_go(self) -> None:
        self.http.close()

    def reserve(self, id_: str, attempt: int, to: Sequence[str]) -> Mapping[str, str | Verdict]:
        unfit = {
            number: refused_before(Cause("alimtalk-number", {"number": number}))
            for number in to
            if not is_mobile(number)
        }
        fit = [number for number in to if number not in unfit]
        return {**self.dealer.reserve(id_, attempt, fit), **unfit}

    def deliver(self, parcel: Parcel, to: Sequence[str], flight: Flight) -> None:
        letter = letter_in(parcel.parts[0]) if len(parcel.parts) == 1 else None
        stopped: Verdict | None = None
        for number in to:
            if letter is None:
                verdict = refused_before(Cause("other-content", {"receiver": number}))
            else:
                verdict = stopped or self._send(letter, number, flight)
            if down := self.down_by(verdict):
                flight.down = down
                # It refuses the others as well: they are not even asked for.
                stopped = replace(verdict, phase=Phase.BEFORE)
            flight.land(number, verdict, int(verdict.meaning is Meaning.ACCEPTED))

    def down_by(self, verdict: Verdict) -> UsageError | None:
        if verdict.cause is None or not is_down(verdict.cause):
            return None
        return UsageError(in_words(verdict.cause), _("See: kakaocron doctor"), verdict.cause)

    def _send(self, letter: Letter, number: str, flight: Flight) -> Verdict:
        try:
            return self.dealer.send(letter, number, flight)
        except Withheld as withheld:
            return withheld.verdict

    def look_up(self, asked: Sequence[Asked]) -> Iterator[tuple[Asked, Found]]:
        for one in asked:
            yield one, self.dealer.look_up(one)


def make_dealer(
    dealer: str,
    keys: Mapping[str, str],
    secret: str | None,
    secret_name: str,
    http: Http,
    url: str | None,
    owner: str,
    now: Callable[[], datetime],
) -> Dealer:
    """Return the dealer of that name, ready to be asked; without a secret one that says so."""
    one = nhn if dealer == "nhn" else solapi
    address = url or one.DEFAULT_URL
    if secret is None:
        return Unset(one.NAME, address, secret_name)
    if dealer == "nhn":
        return NhnDealer(http, address, keys["app_key"], secret, keys["sender_key"], owner, now)
    number = number_in(keys["sender_number"]) or keys["sender_number"]
    return SolapiDealer(http, address, keys["api_key"], secret, keys["pf_id"], number, now)


class Unset(Struct, frozen=True):
    """Stands for a dealer whose keys are not all given: it takes nothing, and says why."""

    name: str
    url: str
    missing: str
    settling: timedelta = timedelta(0)
    key_life: timedelta | None = None

    def reserve(self, id_: str, attempt: int, to: Sequence[str]) -> Mapping[str, str | Verdict]:
        return dict.fromkeys(to, self._refusal())

    def send(self, letter: Letter, number: str, flight: Flight) -> Verdict:
        return self._refusal()

    def look_up(self, asked: Asked) -> Found:
        return Found(Fate.NOT_TOLD)

    def probe(self) -> Probe:
        return Probe(self._refusal())

    def _refusal(self) -> Verdict:
        cause = Cause("alimtalk-unset", {"name": self.missing, "dealer": self.name})
        return refused_before(cause, "unset")
