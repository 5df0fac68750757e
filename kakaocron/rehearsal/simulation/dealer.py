"""Histories by a dealer: a third of all answers is lost, receipts come late, never, or change, and
ticks are killed. The dealer is the sandbox's NHN; who asks it is as plain as can be."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct
from msgspec.structs import replace as changed

from kakaocron.delivery.channel import Flight, Unlimited, Withheld
from kakaocron.delivery.parcel import Parcel
from kakaocron.delivery.verdicts import (
    Asked,
    Fate,
    Found,
    Meaning,
    Verdict,
    of_failure,
)
from kakaocron.errors import Cause
from kakaocron.installation import Edges, Installation
from kakaocron.kst import KST
from kakaocron.ledger.deliveries import Delivery
from kakaocron.rehearsal.sandbox import wire
from kakaocron.rehearsal.sandbox.faults import InjectedFault
from kakaocron.rehearsal.sandbox.nhn import KEY_HEADER, NHN_PREFIX
from kakaocron.rehearsal.sandbox.phones import Handed
from kakaocron.rehearsal.sandbox.settings import DealerSettings, Settings, Step
from kakaocron.rehearsal.simulation.chaos import CALM, Dials
from kakaocron.rehearsal.simulation.judge import ambiguous_sends
from kakaocron.rehearsal.simulation.network import Departure, RequestMishap
from kakaocron.rehearsal.simulation.world import HistoryResult, World
from kakaocron.states import Reason
from kakaocron.system.http import Failure, Http, Request

DEALER = "dealer"
URL = "https://dealer.simulated"
TEMPLATE = "KC_PROBE"
NUMBERS = {
    "me": "01020000000",
    **{f"uuid-{c}": f"0102000000{n}" for n, c in enumerate("abcdef", 1)},
}
RECEIVERS = {number: name for name, number in NUMBERS.items()}
# Its list is slower than the channel thinks: what is "not found" may have been taken all the same,
# so that only the key keeps it from coming twice.
SETTINGS = DealerSettings(
    templates={TEMPLATE: "#{probe}"}, daily_quota=10**9, search_delay=timedelta(seconds=75)
)
# What becomes of a message: delivered at once, late, never; uncertain for a while, or for good;
# refused; called a fault, and delivered all the same.
FATES: Sequence[Sequence[Step]] = (
    *[(Step(2, "delivered"),)] * 6,
    (Step(45, "delivered"),),
    (Step(300, "delivered"),),
    (Step(1500, "delivered"),),
    (Step(10**9, "delivered"),),
    (Step(2, "uncertain", arrives=True),),
    (Step(2, "uncertain"), Step(200, "delivered")),
    (Step(2, "no-kakaotalk"),),
    (Step(2, "fault"), Step(90, "delivered")),
)
UNSURE = frozenset({"3005", "9999"})
LOST_ANSWERS = 1 / 3
DIALS = Dials(kill=0.04, signal=0.01)


class SimulatedDealer(Struct, frozen=True):
    """The channel: one request a receiver, and one a look-up."""

    http: Http
    settling: timedelta = timedelta(seconds=10)
    key_life: timedelta | None = timedelta(minutes=8)

    def allowance_days(self, to: Iterable[str], today: date) -> set[date]:
        return set()

    def allowance(self, deliveries: Iterable[Delivery], day: date) -> Unlimited:
        return Unlimited()

    def prepare(self, count: int) -> None:
        self.http.warm(URL, count)

    def let_go(self) -> None:
        self.http.close()

    def reserve(self, id_: str, attempt: int, to: Sequence[str]) -> dict[str, str | Verdict]:
        return {name: f"{id_}/{attempt}/{name}" for name in to}

    def down_by(self, verdict: Verdict) -> None:
        """Its keys are always right."""

    def deliver(self, parcel: Parcel, to: Sequence[str], flight: Flight) -> None:
        for name in to:
            flight.land(name, self._send(parcel, name, flight), 0)

    def look_up(self, asked: Sequence[Asked]) -> Iterator[tuple[Asked, Found]]:
        for one in asked:
            yield one, self._look_up(one)

    def _send(self, parcel: Parcel, name: str, flight: Flight) -> Verdict:
        key = flight.keys[name]
        recipient = {
            "recipientNo": NUMBERS[name],
            "templateParameter": {"probe": parcel.text},
            "resendParameter": {"isResend": False},
            "recipientGroupingKey": key,
        }
        body = {
            "senderKey": SETTINGS.sender_key,
            "templateCode": TEMPLATE,
            "recipientList": [recipient],
        }
        try:
            answer = self.http.ask(_request("", {KEY_HEADER: key}, body), flight.leave)
        except Withheld as withheld:
            return withheld.verdict
        if isinstance(answer, Failure):
            return of_failure(answer)
        said = _json(answer.body)
        code = said.get("header", {}).get("resultCode")
        if answer.status == 200 and code == 0:  # noqa: PLR2004
            return Verdict(Meaning.ACCEPTED, code=code)
        if code in {None, -1005, -9999}:
            return Verdict(Meaning.AMBIGUOUS, Reason.UNPROVEN_ANSWER, code=code)
        return Verdict(Meaning.REFUSED_FOR_GOOD, Reason.REFUSED, code=code)

    def _look_up(self, one: Asked) -> Found:
        since, until = one.since - timedelta(days=1), one.since + timedelta(days=7)
        query = {
            "recipientGroupingKey": one.key,
            "startCreateDate": f"{since:%Y-%m-%d %H:%M}",
            "endCreateDate": f"{until:%Y-%m-%d %H:%M}",
        }
        answer = self.http.ask(_request(f"?{urlencode(query)}", {}, None))
        if isinstance(answer, Failure):
            return Found(Fate.NOT_TOLD, cause=answer.cause)
        rows = _json(answer.body).get("messageSearchResultResponse", {}).get("messages")
        if rows is None:
            return Found(Fate.NOT_TOLD)
        return _found(rows[0]) if rows else Found(Fate.NOT_FOUND)


def _request(query: str, headers: Mapping[str, str], body: dict[str, Any] | None) -> Request:
    url = f"{URL}{NHN_PREFIX}{SETTINGS.app_key}/messages{query}"
    headers = {"X-Secret-Key": SETTINGS.secret_key, **headers}
    if body is None:
        return Request(url, headers=headers)
    headers["Content-Type"] = "application/json;charset=UTF-8"
    return Request(url, body=json.dumps(body).encode(), headers=headers)


def _json(body: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(body))
    except ValueError:
        return {}


def _found(row: Mapping[str, Any]) -> Found:
    code = row.get("resultCode")
    if code is None:
        return Found(Fate.ACCEPTED)
    if code in UNSURE:
        return Found(Fate.ACCEPTED, code=code, cause=Cause("said", {"words": "unsure"}))
    at = datetime.strptime(row["receiveDate"], "%Y-%m-%d %H:%M:%S.0").replace(tzinfo=KST)
    fate = Fate.DELIVERED if row["messageStatus"] == "COMPLETED" else Fate.FAILED
    return Found(fate, at, code)


class DealerWorld(World):
    """A machine whose messages all go by the dealer."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.history.has_receipts = True
        self._handed: set[tuple[str, str]] = set()
        hand = self.kakao.phones.hand

        def noted(handed: Handed) -> Handed:
            self._handed.add((handed.text, RECEIVERS[handed.number]))
            return hand(handed)

        self.kakao.phones.hand = noted  # type: ignore[method-assign]

    def settings(self) -> Settings:
        return replace(super().settings(), dealers=SETTINGS)

    def fit(self, made: Installation, edges: Edges) -> Installation:
        assert edges.make_http is not None  # noqa: S101 - the simulated one
        dealer = SimulatedDealer(edges.make_http(10.0))
        engine = changed(
            made.engine,
            channels={DEALER: dealer},
            receipts={DEALER: dealer},
            pictures={},
            channel_of=lambda _: DEALER,
            policy=changed(made.engine.policy, settling=dealer.settling),
        )
        return changed(made, engine=engine)

    def mishap_for(self, request: wire.WireRequest) -> RequestMishap | None:
        if self._outage or not request.path.startswith(NHN_PREFIX):
            return super().mishap_for(request)
        for number in RECEIVERS if request.method == "POST" else ():
            self.kakao.phones.steps[number] = self.rng.choice(FATES)
        if self.dials is CALM or self.rng.random() >= LOST_ANSWERS:
            return None
        self._mishaps += 1
        kind = self.rng.choice(("cut-request", "cut-answer", "stall-after", "500+"))
        if kind.startswith("cut"):
            return RequestMishap(kind)
        return RequestMishap("fault", InjectedFault.parse(f"{kind}@/"))

    def depart(self, departure: Departure) -> None:
        names = tuple(RECEIVERS[number] for number in departure.receivers)
        super().depart(replace(departure, receivers=names, arrived=(), was_refused=False))

    def see_what_arrived(self) -> None:
        """Note with the first departure of each message who got it, and how often."""
        self.kakao.phones.settle(self.true_time())
        arrived = Counter(
            (one.text, RECEIVERS[one.receiver])
            for one in self.kakao.deliveries
            if one.receiver in RECEIVERS
        )
        seen: dict[str, set[str]] = defaultdict(set)
        for number, one in enumerate(self.history.departures):
            new = [name for name in one.receivers if name not in seen[one.probe]]
            seen[one.probe].update(new)
            got = tuple(name for name in new for _ in range(arrived[one.probe, name]))
            taken = any((one.probe, name) in self._handed for name in one.receivers)
            self.history.departures[number] = replace(
                one, arrived=got, was_refused=taken and not got
            )

    def play(self) -> HistoryResult:
        result = super().play()
        sends = list(ambiguous_sends(self._ledger_files()))
        return replace(result, ambiguous=len(sends), settled=sum(sends), is_by_dealer=True)
