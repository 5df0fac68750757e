"""The network between a simulated process and the sandbox's Kakao, cut at any byte."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from kakaocron.errors import Cause
from kakaocron.rehearsal.sandbox import wire
from kakaocron.rehearsal.sandbox.bots import SEND_PATH
from kakaocron.rehearsal.sandbox.faults import InjectedFault
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.nhn import NHN_PREFIX
from kakaocron.rehearsal.simulation.process import Process
from kakaocron.states import ROOM, Reason
from kakaocron.system.http import Answer, Failure, Gate, Phase, Request, Stream
from kakaocron.system.http_answer import Incoming, OddAnswerError, read_answer


@dataclass(frozen=True, slots=True)
class Departure:
    """A message request of which the first byte left: what it says, and when by the host's clock.

    `arrived` counts the receivers that it reached. `stopped_at` is what the host's clock showed at
    the last look before it left, if the process was stopped from then until it left. With a shared
    ledger the host's clock is so far `behind_database`.
    """

    probe: str
    host_time: datetime
    owner: str
    receivers: tuple[str, ...]
    arrived: tuple[str, ...]
    was_refused: bool
    stopped_at: datetime | None = None
    behind_database: timedelta = timedelta(0)

    @property
    def moments(self) -> tuple[datetime, ...]:
        """When it left: by the host's clock and, if that is another, by the database's."""
        if not self.behind_database:
            return (self.host_time,)
        return self.host_time, self.host_time + self.behind_database


@dataclass(frozen=True, slots=True)
class RequestMishap:
    """What befalls one request: `unreachable`, `cut-request`, `cut-answer`, or Kakao's own."""

    kind: str
    fault: InjectedFault | None = None
    seconds: float = 0.0


class Net(Protocol):
    """What the requests of all processes go through."""

    kakao: Kakao
    rng: random.Random

    @property
    def accounts(self) -> Mapping[str, str]:
        """The accounts by the host that their requests name, and by Kakao's number."""
        ...

    def true_time(self) -> datetime: ...
    def host_time(self) -> datetime: ...
    def mishap_for(self, request: wire.WireRequest) -> RequestMishap | None: ...
    def may_go_without(self, request: wire.WireRequest) -> bool: ...
    def depart(self, departure: Departure) -> None: ...
    def check_claimed(self, probe: str, owner: str) -> None: ...


@dataclass(frozen=True, slots=True)
class SimulatedHttp:
    """`Http` of one process."""

    process: Process
    net: Net
    timeout_seconds: float

    def ask(self, request: Request, gate: Gate | None = None) -> Answer | Failure:
        asked = on_the_wire(request)
        mishap = self.net.mishap_for(asked)
        if mishap is not None and not self.net.may_go_without(asked):
            self.process.is_disturbed = True
        self.process.enter("connect")
        self.process.wait(self.net.rng.choice((0.005, 0.01, 0.03)))
        most = self.timeout_seconds if request.seconds is None else request.seconds
        if mishap is not None and mishap.kind == "unreachable":
            self.process.wait(min(mishap.seconds, max(0.0, most)))
            return Failure(Phase.BEFORE, Reason.UNREACHABLE, Cause("no-connection"))
        self.process.leave()
        if gate is not None:
            self._pass(gate)
        looked, pauses = self.net.host_time(), self.process.pauses
        self.process.enter("send")
        stopped_at = looked if self.process.pauses > pauses else None
        timeout = min(self.timeout_seconds, max(0.0, most))
        answer = self._exchange(asked, mishap, stopped_at, timeout, is_message=gate is not None)
        self.process.leave()
        return self._receive(answer)

    def warm(self, url: str, count: int) -> None:
        self.process.enter("connect")
        self.process.leave()

    def close(self) -> None:
        """Nothing is kept."""

    def _pass(self, gate: Gate) -> None:
        # The gate runs under a real lock of the product's: no other task may come in between.
        self.process.is_indivisible = True
        try:
            gate()
        finally:
            self.process.is_indivisible = False

    def _exchange(
        self,
        asked: wire.WireRequest,
        mishap: RequestMishap | None,
        stopped_at: datetime | None,
        timeout_seconds: float,
        *,
        is_message: bool,
    ) -> _Coming:
        net = self.net
        left = net.host_time()
        probe, wanted = probe_of(asked) if is_message else ("", ())
        by = net.accounts.get(asked.headers["Host"], "")
        receivers = tuple(self._kept(one, by) for one in wanted)
        if is_message:
            net.check_claimed(probe, self.process.owner)
        before = len(net.kakao.deliveries)
        size = len(asked.path) + sum(map(len, asked.headers.values())) + len(asked.body) + 40
        cut = net.rng.randrange(size + 1) if mishap and mishap.kind == "cut-request" else size
        if cut < size:
            done = wire.Wire("reset", delivered=False)
        else:
            done = net.kakao.exchange(asked, net.true_time(), mishap.fault if mishap else None)
        coming = _coming(done, timeout_seconds)
        if mishap and mishap.kind == "cut-answer" and coming.content:
            coming = _cut(coming, net.rng)
        if is_message:
            new = net.kakao.deliveries[before:]
            arrived = tuple(self._kept(d.receiver, net.accounts.get(d.sender, "")) for d in new)
            refused = done.answer is not None and not arrived
            owner = self.process.owner
            net.depart(Departure(probe, left, owner, receivers, arrived, refused, stopped_at))
        return coming

    def _kept(self, receiver: str, by: str) -> str:
        """Return what the ledger calls a receiver, be it a room or one reached by an account."""
        room = self.net.kakao.bot.rooms.get(receiver)
        return f"{ROOM}{room.name}" if room else kept(receiver, by)

    def _receive(self, coming: _Coming) -> Answer | Failure:
        self.process.enter("receive")
        self.process.wait(coming.seconds or self.net.rng.choice((0.02, 0.05, 0.15)))
        self.process.leave()
        try:
            return read_answer(Incoming(coming.receive))
        except OddAnswerError as error:
            return Failure(Phase.AFTER, error.reason, error.cause)
        except TimeoutError:
            return Failure(Phase.AFTER, Reason.READ_TIMEOUT, Cause("no-answer"))
        except ConnectionResetError:
            return Failure(Phase.AFTER, Reason.CONNECTION_RESET, Cause("cut"))


@dataclass(slots=True)
class _Coming:
    """What comes back within `seconds`, and what comes after it."""

    content: bytes
    end: type[OSError]
    seconds: float = 0.0

    def receive(self) -> bytes:
        if not self.content:
            raise self.end
        some, self.content = self.content, b""
        return some


def on_the_wire(request: Request) -> wire.WireRequest:
    parts = urlsplit(request.url)
    headers = {"Host": parts.netloc, **request.all_headers()}
    content = request.content() or b""
    body = b"".join(content.open()) if isinstance(content, Stream) else content
    return wire.WireRequest(request.method, parts.path, parts.query, headers, body, parts.scheme)


def probe_of(asked: wire.WireRequest) -> tuple[str, tuple[str, ...]]:
    """Return the text of a message request and its receivers."""
    if asked.path.startswith(NHN_PREFIX):
        recipients = json.loads(asked.body)["recipientList"]
        numbers = tuple(one["recipientNo"] for one in recipients)
        return recipients[0]["templateParameter"]["probe"], numbers
    if asked.path == SEND_PATH:
        said = json.loads(asked.body)
        (output,) = said["skillResponse"]["template"]["outputs"]
        return output["simpleText"]["text"], (said["botGroupKey"],)
    form = parse_qs(asked.body.decode())
    template = json.loads(form["template_object"][0])
    text = template.get("text") or template["content"]["title"]
    uuids = form.get("receiver_uuids")
    return text, tuple(json.loads(uuids[0])) if uuids else ("me",)


def kept(receiver: str, by: str) -> str:
    """Return what the ledger calls a receiver of Kakao's, reached by an account."""
    if not by:
        return receiver
    return by if receiver == "me" else f"{receiver}@{by}"


def _coming(done: wire.Wire, timeout_seconds: float) -> _Coming:
    if done.answer is None or done.action in {"close-before", "unread", "reset", "stall"}:
        is_silent = done.action in {"stall", "unread"}
        return _Coming(b"", TimeoutError, timeout_seconds) if is_silent else _reset(b"", 0.01)
    content = done.answer.head() + done.answer.body
    if done.action == "half":
        return _reset(content[: len(content) - (len(done.answer.body) + 1) // 2], 0.05)
    if done.action == "drip":
        return _Coming(content, TimeoutError, done.seconds * len(done.answer.body) + 0.01)
    hints = wire.EARLY_HINTS if done.action == "early-hints" else b""
    if done.seconds >= timeout_seconds:
        return _Coming(hints, TimeoutError, timeout_seconds)
    return _Coming(hints + content, TimeoutError, done.seconds)


def _reset(content: bytes, seconds: float) -> _Coming:
    return _Coming(content, ConnectionResetError, seconds)


def _cut(coming: _Coming, rng: random.Random) -> _Coming:
    size = rng.randrange(len(coming.content) + 1)
    return _Coming(coming.content[:size], ConnectionResetError, 0.02)
