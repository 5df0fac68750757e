"""[alimtalk] as it shows in commands, in the doctor and on the page; and where there is none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.cli import run
from kakaocron.commands.completion import _receivers
from kakaocron.config.reading import load_config
from kakaocron.doctor.dealer import dealer as looked_at
from kakaocron.doctor.finding import Bench, Finding
from kakaocron.host.crontab import SystemCrontab, job_of
from kakaocron.host.probe import Machine
from kakaocron.installation import Installation, goes_by_kakaotalk
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import KST
from kakaocron.rehearsal.simulation.rules import probing
from kakaocron.system.clock import SystemClock
from kakaocron.web.views import Views
from tests.alimtalk.parts import MESSAGE, SECRETS, both, phone, table
from tests.fakes import FakeClock, install, live_in, run_tick

ROOT = Path(__file__).parents[2]
TEMPLATES = """price = 6.5
[alimtalk.templates]
KC_REPORT_01 = "#{이름}님, #{시간} 보고입니다."
"""


def findings(installation: Installation) -> dict[str, Finding]:
    places, now = installation.places, installation.clock.now()
    bench = Bench(places, Machine(), SystemCrontab(), job_of(places), now, installation)
    return {one.name: one for one in looked_at(bench)}


# --- doctor


@both
def test_doctor_asks_the_dealer_and_sends_nothing(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, dealer: str
) -> None:
    found = findings(phone(tmp_path, sandbox, clock, dealer))

    assert {name: one.status for name, one in found.items()} == {
        "alimtalk": "ok",
        "alimtalk-clock": "ok",
    }
    assert [one.method for one in sandbox.requests] == ["GET"]
    assert sandbox.deliveries == []


@both
@pytest.mark.parametrize("secret", ["wrong", ""])
def test_doctor_names_a_wrong_or_missing_secret(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, dealer: str, secret: str
) -> None:
    found = findings(
        phone(tmp_path, sandbox, clock, dealer, secrets=dict.fromkeys(SECRETS, secret))
    )["alimtalk"]
    name = {"nhn": "ALIMTALK_SECRET_KEY", "solapi": "ALIMTALK_API_SECRET"}[dealer]

    assert found.status == "fail"
    assert found.mend == f"Fix the keys in [alimtalk] and {name}"
    assert "wrong" not in found.what


@pytest.mark.parametrize(
    ("seconds", "status"), [(-91, "fail"), (-90, "ok"), (90, "ok"), (91, "fail")]
)
def test_doctor_compares_the_clocks(
    tmp_path: Path, clock: FakeClock, seconds: int, status: str
) -> None:
    with SandboxServer(Kakao(seed=7), lambda: clock.at + timedelta(seconds=seconds)) as other:
        found = findings(phone(tmp_path, other, clock, "solapi"))

    assert found["alimtalk-clock"].status == status


def test_doctor_tells_a_network_from_a_key(tmp_path: Path, clock: FakeClock) -> None:
    with SandboxServer(Kakao(seed=7), clock.now) as sandbox:
        here = phone(tmp_path, sandbox, clock, "nhn")
    found = findings(here)

    assert found["alimtalk"].status == "fail"
    assert found["alimtalk"].mend == "Look at the network, DNS and any proxy"
    assert found["alimtalk-clock"].status == "warn"


# --- commands


@pytest.fixture
def real() -> Iterator[SandboxServer]:
    """The sandbox at the time that commands have."""
    with SandboxServer(Kakao(seed=7), lambda: datetime.now(KST)) as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, real: SandboxServer) -> Path:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    path = live_in(tmp_path, monkeypatch)
    path.write_text(table("nhn", real.url, TEMPLATES) + MESSAGE)
    return path


def shown(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    code = run(list(argv))
    out = capsys.readouterr()
    return code, out.out + out.err


def test_preview_shows_the_template_filled(
    capsys: pytest.CaptureFixture[str], config: Path
) -> None:
    code, said = shown(capsys, "preview", "--at", "내일 09:30")
    _, told = shown(capsys, "preview", "--at", "내일 09:30", "--json")

    assert code == 0
    assert "민수님, 09:30 보고입니다." in said
    assert "of 200 characters" not in said  # KakaoTalk's own limit
    (part,) = json.loads(told)[0]["parts"]
    assert part["kind"] == "alimtalk"
    assert part["fields"]["code"] == "KC_REPORT_01"


def test_config_check_asks_for_the_secret(
    capsys: pytest.CaptureFixture[str], config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shown(capsys, "config", "check")[0] == 0
    monkeypatch.delenv("ALIMTALK_SECRET_KEY")
    code, said = shown(capsys, "config", "check")

    assert code == 2
    assert f"{config}:1: alimtalk: ALIMTALK_SECRET_KEY is not set" in said


def test_next_and_report_say_what_it_costs(
    capsys: pytest.CaptureFixture[str], config: Path
) -> None:
    code, said = shown(capsys, "send", "--message", "report")
    assert code == 0, said
    tomorrow = SystemClock().now().date() + timedelta(days=1)

    assert f"알림톡 on {tomorrow}: 48 messages, 312 won" in shown(capsys, "next")[1]
    assert ": 1 messages, 6.5 won" in shown(capsys, "report")[1]
    (day,) = json.loads(shown(capsys, "report", "--json")[1])["alimtalk"]
    assert (day["messages"], day["cost_won"]) == (1, 6.5)


def test_a_text_cannot_be_sent_to_a_phone(
    capsys: pytest.CaptureFixture[str], config: Path, real: SandboxServer
) -> None:
    code, said = shown(capsys, "send", "안녕", "--to", "010-1234-5678")

    assert code == 2
    assert "a template of 알림톡 goes to phone numbers" in said
    assert real.requests == []


def test_a_landline_is_refused_by_hand_too(
    capsys: pytest.CaptureFixture[str], config: Path
) -> None:
    code, said = shown(capsys, "send", "--message", "report", "--to", "02-123-4567")

    assert code == 2
    assert "is a landline" in said


def test_the_page_says_what_today_has_cost(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    run_tick(phone(tmp_path, sandbox, clock, "nhn", more="price = 6.5"))
    here = phone(tmp_path, sandbox, clock, "nhn", more="price = 6.5")
    free = phone(tmp_path, sandbox, clock, "nhn")

    assert Views(None)._cost(here) == {
        "alimtalk": {"day": "2026-11-23", "messages": 1, "cost_won": 6.5}
    }
    assert Views(None)._cost(free) == {}


def test_the_names_of_phones_are_offered(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    named = '[phones]\n"민수" = "010-1234-5678"\n'
    here = phone(tmp_path, sandbox, clock, message=named + MESSAGE)

    assert ("민수", "010-1234-5678") in _receivers(here)


def test_the_simulator_plays_a_message_to_phones_as_one_to_oneself(config: Path) -> None:
    played = probing(load_config(config))

    assert [(one.to, one.alimtalk, one.variables) for one in played.message] == [
        (("me",), None, {})
    ]
    assert goes_by_kakaotalk(played)


# --- where there is none

WITHOUT = """
import sys
from datetime import datetime
from pathlib import Path
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.watching.overview import look
from tests.fakes import NOW, FakeClock, install, run_tick

clock = FakeClock(NOW)
with SandboxServer(Kakao(seed=7), clock.now) as sandbox:
    here = install(Path(sys.argv[1]), sandbox, clock)
    run_tick(here)
    assert len(sandbox.deliveries) == 1
    said = str(look(here).fields())
own = [name for name in sys.modules if "alimtalk" in name or "phones" in name or "dealer" in name]
print(sorted(name for name in own if "sandbox" not in name), "alimtalk" in said)
"""


def test_an_installation_without_the_table_imports_nothing_of_it(tmp_path: Path) -> None:
    ended = subprocess.run(
        (sys.executable, "-c", WITHOUT, str(tmp_path)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.stdout.strip() == "[] False", ended.stderr


def test_the_doctor_says_no_word_of_it_without_the_table(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    assert findings(install(tmp_path, sandbox, clock)) == {}
