"""The zone of the host plays no part: in what is decided, written, or said."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kakaocron.installation import find_installation
from kakaocron.kst import KST
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.fakes import kakao_section, live_in
from tests.zones import HOME, MARKED, around, day, decided, edges, empty_house, host_in, zones

ENOUGH_ZONES = 300
needs_zones = pytest.mark.skipif(
    len(zones()) < ENOUGH_ZONES, reason="the tz database is not installed: apt install tzdata"
)
MESSAGE = """
[[message]]
name = "report"
slots = ["regular", "peak"]
text = "report {time:%Y-%m-%d %H:%M %z}"
"""


@needs_zones
@pytest.mark.usefixtures("uncounted")
def test_a_tick_decides_the_same_under_every_zone_and_at_each_of_its_edges(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_in(tmp_path, monkeypatch).write_text('[kakao]\nrest_api_key = "k"\n' + MESSAGE)
    installation = find_installation()
    at_home: dict[datetime, str] = {}
    looked_at: Counter[str] = Counter()
    for zone in zones():
        moments = [m for edge in (*edges(zone), MARKED[0]) for m in around(edge)]
        fresh = [moment for moment in moments if moment not in at_home]
        with host_in(HOME):
            at_home |= {moment: decided(installation, moment) for moment in fresh}
        with host_in(zone):
            for moment in moments:
                looked_at[zone] += 1
                assert decided(installation, moment) == at_home[moment], (zone, moment)

    # Three moments at the marked one, and at each of the eight edges that four years have in a zone
    # with summer time; a quarter of the zones have it. How many zones there are is the host's
    # matter: 484 without Debian's tzdata-legacy, 597 with it.
    assert set(looked_at) == set(zones())
    assert (looked_at["Asia/Tokyo"], looked_at["America/New_York"]) == (3, 3 + 8 * 3)
    assert looked_at.total() > 9 * len(zones())
    assert any("report@" in said for said in at_home.values())


@needs_zones
@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize(
    ("zone", "instant"),
    [
        ("Pacific/Kiritimati", MARKED[0]),
        ("Pacific/Pago_Pago", MARKED[3]),
        ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ],
)
def test_whole_days_of_commands_are_the_same_under_far_zones(zone: str, instant: datetime) -> None:
    with empty_house() as house:
        at_home = day(house, HOME, instant)

        assert day(house, zone, instant) == at_home
        assert "confirmed" in at_home


# --- the real program, whose clock is another one -------------------------------------------------


@pytest.fixture
def faketime() -> str:
    found = shutil.which("faketime")
    if found is None:
        pytest.skip("faketime is not installed: apt install faketime")
    return found


def sleeping_by_select(folder: Path) -> Path:
    """Return a folder whose module lets any Python that imports from it sleep under libfaketime.

    Its 0.9.10 lets either no lock's wait with a time-out return (Event.wait), or, with
    DONT_FAKE_MONOTONIC, each time.sleep fail with EINVAL; select.select works both ways.
    """
    place = folder / "python"
    place.mkdir()
    (place / "sitecustomize.py").write_text(
        "import select, time\n"
        "time.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"
    )
    return place


@pytest.mark.parametrize(
    ("zone", "slot"),
    [
        ("America/New_York", "2026-03-08T16:00:00+09:00"),  # a gap
        ("America/New_York", "2026-11-01T15:00:00+09:00"),  # a fold
        ("Australia/Lord_Howe", "2026-04-05T00:00:00+09:00"),  # a fold of half an hour, midnight
        ("Pacific/Kiritimati", "2028-02-29T00:00:00+09:00"),  # a leap day begins
        ("Pacific/Pago_Pago", "2027-01-01T00:00:00+09:00"),  # a year begins
    ],
)
def test_the_real_program_keeps_koreas_time_at_the_edges_of_zones(
    zone: str, slot: str, faketime: str, tmp_path: Path
) -> None:
    at = datetime.fromisoformat(slot)
    begun = datetime.now(UTC)

    def now() -> datetime:
        return at - timedelta(seconds=20) + (datetime.now(UTC) - begun)

    with SandboxServer(Kakao(seed=7), now) as sandbox:
        token = sandbox.kakao.issue_login(now()).refresh_token
        (tmp_path / "config.toml").write_text(kakao_section(sandbox, 5) + MESSAGE)
        environment = {
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "TZ": zone,
            "KAKAOCRON_CONFIG": str(tmp_path / "config.toml"),
            "KAKAOCRON_DATA_DIR": str(tmp_path / "data"),
            "KAKAOCRON_LOG_DIR": str(tmp_path / "log"),
            "KAKAO_REFRESH_TOKEN": token,
            "NO_FAKE_STAT": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": str(sleeping_by_select(tmp_path)),
        }

        def run(seconds: float, *words: str) -> str:
            """Run the program that is installed, with its clock so far from the slot."""
            offset = (at + timedelta(seconds=seconds) - datetime.now(UTC)).total_seconds()
            program = str(Path(sys.executable).with_name("kakaocron"))
            ended = subprocess.run(
                [faketime, "-m", "-f", f"{offset:+.3f}", program, *words],
                env=environment,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert (ended.returncode, ended.stderr) == (0, "")
            return ended.stdout

        run(-58, "tick")
        run(1.5, "tick")
        run(61.5, "tick")
        received = [delivery.text for delivery in sandbox.deliveries]
        said = f"report {at:%Y-%m-%d %H:%M} +0900"
        assert received.count(said) == 1
        assert len(received) == len(set(received))
        name = f"{at:%Y-%m-%d}"
        assert (tmp_path / "data" / "ledger" / f"{name}.jsonl").is_file()
        assert (tmp_path / "log" / "ticks" / name).is_file()
        shown = run(70, "show", f"report@{at.astimezone(KST):%Y%m%dT%H%M}", "--json")
        assert f'"slot": "{at.isoformat()}"' in shown
        assert '"state": "confirmed"' in shown
