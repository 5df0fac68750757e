"""Kakao's Bot API: one call for each bubble in each room."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from kakaocron.bot.answers import of_bubble
from kakaocron.bot.causes import down
from kakaocron.delivery.channel import Allowance, Flight, Unlimited, Withheld
from kakaocron.delivery.parcel import Parcel, Part
from kakaocron.delivery.verdicts import Meaning, Verdict, of_failure, unsent
from kakaocron.errors import Cause, UsageError
from kakaocron.ledger.deliveries import Delivery
from kakaocron.states import ROOM, Reason
from kakaocron.system.http import Failure, Http, Phase, Request
from kakaocron.text.causes import as_facts

SEND_PATH = "/v1/bot/send_message"
GUIDE_PATH = "/v1/bot/guide"


class Bot(Struct, frozen=True):
    """The channel to group rooms, by one bot's token. `rooms` has the key of each receiver."""

    http: Http
    url: str
    token: Callable[[], str | None]  # may raise UsageError
    rooms: Mapping[str, str]

    def allowance_days(self, to: Iterable[str], today: date) -> set[date]:
        return set()

    def allowance(self, deliveries: Iterable[Delivery], day: date) -> Allowance:
        return Unlimited()

    def prepare(self, count: int) -> None:
        self.http.warm(self.url, count)

    def deliver(self, parcel: Parcel, to: Sequence[str], flight: Flight) -> None:
        """Send to one room after another: Kakao has limits a second, and does not say which."""
        refused: Verdict | None = None
        for receiver in to:
            if refused is not None:
                flight.land(receiver, refused, flight.parts_done.get(receiver, 0))
                continue
            verdict = self._deliver_parts(parcel, receiver, flight)
            flight.down = flight.down or down(verdict.cause)
            if flight.down:
                refused = replace(verdict, phase=Phase.BEFORE, http_status=None)

    def let_go(self) -> None:
        self.http.close()

    def _deliver_parts(self, parcel: Parcel, receiver: str, flight: Flight) -> Verdict:
        """Send the parts in order, and none after one that is not confirmed."""
        done = flight.parts_done.get(receiver, 0)
        verdict = Verdict(Meaning.CONFIRMED)
        for part in parcel.parts[done:]:
            verdict = self._send(part, receiver, flight)
            done += verdict.meaning is Meaning.CONFIRMED
            flight.land(receiver, verdict, done)
            if verdict.meaning is not Meaning.CONFIRMED:
                break
        return verdict

    def _send(self, part: Part, receiver: str, flight: Flight) -> Verdict:
        key = self.rooms.get(receiver)
        try:
            token, why = self.token(), Cause("bot-down-no-token")
        except UsageError as error:
            token, why = None, Cause("bot-down-bad-token", as_facts("words", error.cause))
        if token is None:
            return unsent(Meaning.LOG_IN_AGAIN, Reason.NOT_LOGGED_IN, why)
        if key is None:
            room = Cause("bot-no-room", {"room": receiver.removeprefix(ROOM)})
            return unsent(Meaning.REFUSED_FOR_GOOD, Reason.REFUSED, room)
        if not part.text:
            return unsent(Meaning.REFUSED_FOR_GOOD, Reason.REFUSED, Cause("bot-text-only"))
        request = Request(
            f"{self.url}{SEND_PATH}", body=bubble(key, part.text), headers=headers(token)
        )
        try:
            answer = self.http.ask(request, flight.leave)
        except Withheld as withheld:
            return withheld.verdict
        if isinstance(answer, Failure):
            return of_failure(answer)
        flight.server_date = answer.headers.get("date")
        return of_bubble(answer, token)


def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"KakaoAK {token}", "Content-Type": "application/json"}


def bubble(key: str, text: str) -> bytes:
    """Return the body of a call: one bubble, so that no answer can be for a part of several."""
    output = {"simpleText": {"text": text}}
    response = {"version": "2.0", "template": {"outputs": [output]}}
    said = {"botGroupKey": key, "skillResponse": response}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
