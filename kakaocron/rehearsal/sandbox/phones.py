"""Phones that a dealer brings 알림톡 to: what becomes of a message, and when. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from kakaocron.rehearsal.sandbox.arrival import Arrival
from kakaocron.rehearsal.sandbox.settings import KST, PhoneSettings, Step

# What each word of a step is as a result of NHN's (Kakao's own codes) and of SOLAPI's.
NHN_CODES: Mapping[str, str] = MappingProxyType(
    {
        "delivered": "1000",
        "no-kakaotalk": "3019",
        "blocked": "3020",
        "cannot": "3018",
        "uncertain": "3005",
        "fault": "9999",
    }
)
SOLAPI_CODES: Mapping[str, str] = MappingProxyType(
    {
        "delivered": "4000",
        "no-kakaotalk": "3104",
        "blocked": "3107",
        "cannot": "3107",
        "uncertain": "3014",
        "fault": "3024",
    }
)
FAILED = frozenset({"no-kakaotalk", "blocked", "cannot", "fault"})


@dataclass
class Handed:
    """One message that a dealer has taken for one phone, at an instant.

    `sms` is the text that goes out in its place if KakaoTalk fails, None if that is switched off.
    """

    at: datetime
    number: str
    text: str
    template: Mapping[str, Any]
    dealer: str
    path: str
    steps: Sequence[Step]
    received_at_ns: int | None = None
    sms: str | None = None
    arrived: set[str] = field(default_factory=set)

    def step(self, now: datetime) -> Step | None:
        """Return how it stands, None while nothing is known."""
        come = [one for one in self.steps if self.instant(one) <= now]
        return come[-1] if come else None

    def instant(self, step: Step) -> datetime:
        return self.at + timedelta(seconds=step.seconds)


class Phones:
    """Every phone that there is; what arrives at one is appended to `deliveries` in its time."""

    def __init__(self, settings: PhoneSettings, deliveries: list[Arrival]) -> None:
        self.steps: dict[str, Sequence[Step]] = dict(settings.known)
        self._usual = settings.usual
        self._deliveries = deliveries
        self._open: list[Handed] = []

    def hand(self, handed: Handed) -> Handed:
        """Take a message for a phone."""
        self._open.append(handed)
        self.settle(handed.at)
        return handed

    def steps_of(self, number: str) -> Sequence[Step]:
        return self.steps.get(number, self._usual)

    def settle(self, now: datetime) -> None:
        """Let arrive what has arrived by an instant, in the order of time."""
        come = [
            (one.instant(step), one, kind)
            for one in self._open
            for step in one.steps
            for kind in _arriving(one, step)
            if one.instant(step) <= now and kind not in one.arrived
        ]
        come.sort(key=lambda item: item[0])
        for at, one, kind in come:
            if kind not in one.arrived:
                one.arrived.add(kind)
                self._deliveries.append(_arrival(one, at, kind))
        self._open = [one for one in self._open if one.instant(one.steps[-1]) > now]


def _arriving(one: Handed, step: Step) -> list[str]:
    found = ["alimtalk"] if step.arrives or step.word == "delivered" else []
    return found + (["sms"] if one.sms is not None and step.word in FAILED else [])


def _arrival(one: Handed, at: datetime, kind: str) -> Arrival:
    text = one.text if kind == "alimtalk" else one.sms or ""
    path = one.path if kind == "alimtalk" else f"{one.path}#sms"
    return Arrival(
        at.astimezone(KST), one.number, text, one.template, one.dealer, path, one.received_at_ns
    )
