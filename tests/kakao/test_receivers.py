"""Several receivers of one message: each gets it once, whatever becomes of the others.

The answers are drawn at random; the sandbox is the judge of what arrived.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace as with_changes
from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron.config.reading import parse_config
from kakaocron.delivery.tick import tick
from kakaocron.installation import Edges, Installation, assemble
from kakaocron.ledger.deliveries import Delivery, worst
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import SandboxFriend, Settings
from kakaocron.rehearsal.simulation.network import on_the_wire
from kakaocron.states import FINAL, Reason, State
from kakaocron.system.http import Answer, Failure, Gate, Phase, Request
from kakaocron.system.places import Places
from kakaocron.text.causes import said
from tests.fakes import NOW, AtOnce, FakeClock, UnsyncedDisk, install, received, run_tick
from tests.test_actions import at

SEQUENCES = 1000
FRIENDS = tuple(f"uuid-{number}" for number in range(6))
SETTINGS = Settings(friends=tuple(SandboxFriend(uuid, uuid) for uuid in FRIENDS))
ID = "report@20261123T0930"
CHANGING = (-502, -532, -533, -536)  # refusals that a later attempt may pass
LASTING = (-501, -504, -530)


class ErraticKakao:
    """Kakao without a network, each of whose answers goes right or wrong as the dice have it."""

    def __init__(self, kakao: Kakao, clock: FakeClock, dice: random.Random) -> None:
        self.kakao, self.clock, self.dice = kakao, clock, dice

    def ask(self, request: Request, gate: Gate | None = None) -> Answer | Failure:
        form = dict(request.form or {})
        if "template_object" not in form:
            return self._pass_on(request, form)
        if self.dice.random() < 0.08:
            return Failure(Phase.BEFORE, Reason.UNREACHABLE, said("no route"))
        if gate is not None:
            gate()
        if "receiver_uuids" in form:
            return self._friends(request, form)
        return self._me(request, form)

    def warm(self, url: str, count: int) -> None: ...
    def close(self) -> None: ...

    def _pass_on(self, request: Request, form: dict[str, str]) -> Answer:
        asked = on_the_wire(replace(request, form=form))
        return received(self.kakao.handle(asked, self.clock.now()))

    def _me(self, request: Request, form: dict[str, str]) -> Answer | Failure:
        match self.dice.choice(["fine", "fine", "refused", "later", "lost", "html"]):
            case "fine":
                return self._pass_on(request, form)
            case "refused":
                return _error(400, -501)
            case "later":
                return _error(400, -10)
            case "lost":
                return self._lost(request, form)
        return Answer(200, {"content-type": "text/html"}, b"<html>")

    def _lost(self, request: Request, form: dict[str, str]) -> Failure:
        if self.dice.random() < 0.5:
            self._pass_on(request, form)
        return Failure(Phase.AFTER, Reason.READ_TIMEOUT, said("silence"))

    def _friends(self, request: Request, form: dict[str, str]) -> Answer | Failure:
        uuids: list[str] = json.loads(form["receiver_uuids"])
        match self.dice.random():
            case whole if whole < 0.06:
                return _error(400, self.dice.choice([-10, -3]))
            case whole if whole < 0.09:
                return self._lost(request, form)
            case whole if whole < 0.11:
                return _error(401, -401)
            case whole if whole < 0.13:
                return _error(400, self.dice.choice(CHANGING))
        fates = {uuid: self.dice.choice(FATES) for uuid in uuids}
        getting = [uuid for uuid in uuids if fates[uuid] in {"fine", "unnamed", "both"}]
        if getting:
            self._pass_on(request, {**form, "receiver_uuids": json.dumps(getting)})
        return self._partial(fates)

    def _partial(self, fates: dict[str, str]) -> Answer:
        failures = [
            {
                "code": self.dice.choice(LASTING if fate == "lasting" else CHANGING),
                "msg": "",
                "receiver_uuids": [uuid],
            }
            for uuid, fate in fates.items()
            if fate in {"lasting", "changing", "both"}
        ]
        sent = [uuid for uuid, fate in fates.items() if fate in {"fine", "both"}]
        body = {"successful_receiver_uuids": sent, "failure_info": failures}
        return Answer(200, {}, json.dumps({k: v for k, v in body.items() if v}).encode())


FATES = ("fine",) * 14 + ("changing",) * 10 + ("lasting", "unnamed", "nowhere", "both")


def _error(status: int, code: int) -> Answer:
    return Answer(status, {}, json.dumps({"msg": "", "code": code}).encode())


def play(folder: Path, seed: int) -> tuple[Kakao, Delivery, int]:
    """Tick until the delivery has ended; return the judge, the delivery, and its parts."""
    dice = random.Random(seed)
    kakao, clock = Kakao(SETTINGS, seed), FakeClock(NOW)
    to = [*dice.sample(FRIENDS, 6), *dice.choice([[], ["me"]])]
    text = dice.choice(["보고 {attempt}", "{attempt} " + "가나다 " * 60])
    config = parse_config(
        f'[kakao]\nclient_secret = "{SETTINGS.client_secret}"\n'
        f'[[message]]\nname = "report"\nslots = ["regular"]\noverflow = "split"\n'
        f'text = "{text}"\nto = {json.dumps(to)}\n',
        "config.toml",
    )
    variables = {
        "KAKAO_REST_API_KEY": SETTINGS.rest_api_key,
        "KAKAO_REFRESH_TOKEN": kakao.issue_login(clock.now()).refresh_token,
    }
    places = Places(folder / "config.toml", folder / "data", folder / "log", variables)
    http = ErraticKakao(kakao, clock, dice)
    while True:
        edges = Edges(clock, UnsyncedDisk(), AtOnce(), lambda *_: http)
        process: Installation = assemble(places, config, edges)
        tick(process.engine, process.plan, process.heartbeat)
        delivery = process.ledger.read([clock.now().date()]).deliveries[ID]
        if delivery.state in FINAL:
            return kakao, delivery, 1 if len(text) < 200 else 2
        clock.at = delivery.next_attempt_at or at("09:40")


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("first", range(0, SEQUENCES, 100))
def test_a_thousand_random_sequences_of_answers_keep_the_promises(
    tmp_path: Path, first: int
) -> None:
    for seed in range(first, first + 100):
        kakao, delivery, parts = play(tmp_path / str(seed), seed)
        counts = Counter((d.receiver, d.text) for d in kakao.deliveries)
        assert set(counts.values()) <= {1}, (seed, "someone got it twice")
        assert delivery.state is worst(delivery.targets.values()).state, seed
        for receiver, result in delivery.targets.items():
            got = [d.text for d in kakao.deliveries if d.receiver == receiver]
            assert len(got) <= parts, (seed, receiver, "parts of two texts, or twice")
            assert result.parts <= len(got), (seed, receiver, "falsely confirmed")
            if result.state is State.CONFIRMED:
                assert len(got) == parts, (seed, receiver)
            if result.state is State.FAILED:
                assert len(got) == result.parts, (seed, receiver)
        whole = {d.text for d in kakao.deliveries}
        assert len(whole) <= parts, (seed, "a retry changed the text")


def test_the_five_that_got_it_get_it_once_whatever_fails_next(
    tmp_path: Path, clock: FakeClock
) -> None:
    settings = with_changes(SETTINGS, strangers=())
    with SandboxServer(Kakao(settings), clock.now) as sandbox:
        config = (
            '[[message]]\nname = "report"\nslots = ["regular"]\ntext = "여섯 친구 {attempt}"\n'
            f"to = {json.dumps(list(FRIENDS))}\n"
        )
        installation = install(tmp_path, sandbox, clock, config)
        # The first call takes five friends; the sixth's is refused for now, again and again.
        sandbox.faults.enqueue("date=0", "-10", "-10", "429")
        for clock_time in ("09:30:01", "09:31:00", "09:32:30", "09:35:00"):
            clock.set(clock_time)
            run_tick(installation)
        found = installation.ledger.read([clock.now().date()]).deliveries[ID]
        assert Counter(d.receiver for d in sandbox.deliveries) == dict.fromkeys(FRIENDS, 1)
        assert {d.text for d in sandbox.deliveries} == {"여섯 친구 1"}
        assert found.state is State.CONFIRMED
        assert len(found.attempts) == 4


def test_a_uuid_of_another_app_does_not_keep_the_message_from_the_others(
    tmp_path: Path, clock: FakeClock
) -> None:
    with SandboxServer(Kakao(SETTINGS), clock.now) as sandbox:
        to = [*FRIENDS[:3], "uuid-of-another-app"]
        config = (
            '[[message]]\nname = "report"\nslots = ["regular"]\ntext = "셋"\n'
            f"to = {json.dumps(to)}\n"
        )
        installation = install(tmp_path, sandbox, clock, config)
        run_tick(installation)
        found = installation.ledger.read([clock.now().date()]).deliveries[ID]
        assert Counter(d.receiver for d in sandbox.deliveries) == dict.fromkeys(FRIENDS[:3], 1)
        assert (found.state, found.reason) == (State.FAILED, Reason.REFUSED)
        assert found.targets[FRIENDS[0]].state is State.CONFIRMED


@pytest.mark.parametrize(("parts", "count"), [(20, 20), (21, 0)])
def test_each_part_of_a_split_message_counts_against_the_quota(
    tmp_path: Path, clock: FakeClock, parts: int, count: int
) -> None:
    with SandboxServer(Kakao(SETTINGS), clock.now) as sandbox:
        config = (
            '[[message]]\nname = "report"\nslots = ["regular"]\noverflow = "split"\n'
            f'text = "{"가" * 192 * parts}"\nto = ["{FRIENDS[0]}"]\n'
        )
        run_tick(install(tmp_path, sandbox, clock, config))
        assert len(sandbox.deliveries) == count
