"""A dealer by whose keys nothing goes is one trouble, however many messages it was for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.alimtalk.parts import MESSAGE, NUMBER, SECRETS, TEXT, arrived, phone
from tests.fakes import FakeClock, ended_tick

TWO = MESSAGE.replace('"report"', '"orders"') + MESSAGE


@pytest.mark.parametrize("secret", ["wrong", ""])
@pytest.mark.parametrize("dealer", ["nhn", "solapi"])
def test_wrong_keys_are_told_once_with_what_helps_and_once_when_it_is_over(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    capsys: pytest.CaptureFixture[str],
    dealer: str,
    secret: str,
) -> None:
    file = tmp_path / "told"
    command = json.dumps(["sh", "-c", f"cat >>{file}; echo >>{file}"])
    monitor = f"[monitor]\nalert_command = {command}\nmin_success_rate = 0\n"

    def alarms(at: str, given: str | None = None) -> list[dict[str, str]]:
        clock.set(at)
        secrets = SECRETS if given is None else dict.fromkeys(SECRETS, given)
        here = phone(tmp_path, sandbox, clock, dealer, message=monitor + TWO, secrets=secrets)
        ended_tick(here, disk=here.edges.disk)
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
        return [alarm for line in lines for alarm in json.loads(line)["alarms"]]

    alarms("09:15:01")
    alarms("09:30:01", secret)
    helps = "Fix the keys of the dealer (see: kakaocron doctor); then: kakaocron retry "
    assert capsys.readouterr().err.count(helps) == 2
    (begun,) = alarms("10:00:01", secret)
    assert (begun["turn"], begun["key"]) == ("begun", "dealer")
    assert begun["sentence"].startswith("2 slots from ")
    alarms("10:30:01")
    _, over = alarms("10:30:45")
    assert (over["turn"], over["key"]) == ("over", "dealer")
    assert over["sentence"] == "Over: The dealer takes the messages again"
    assert arrived(sandbox) == [(NUMBER, TEXT.replace("09:30", "10:30"))] * 2
