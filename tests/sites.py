"""The page over a ledger of 30 days, served on a real socket."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests

from kakaocron.config.reading import parse_config
from kakaocron.installation import Edges, find_installation
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import find_places
from kakaocron.system.stderr import complain
from kakaocron.ticking.runner import run_full
from kakaocron.web.server import listen, make_server
from kakaocron.web.views import Views
from tests.fakes import MESSAGE, kakao_section, keep_off_midnight, live_in, wait_for_a_minute_with
from tests.years import write_days

HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"
EVERY_MINUTE = f"""
[schedule]
regular_minutes = {list(range(60))}
peak_hours = []

[[message]]
name = "report"
slots = ["regular"]
text = "{HOSTILE} {{time:%H:%M}}"
"""
TIME_FOR_A_TICK = 8


class Site:
    """kakaocron's page over a ledger of 30 days, whose next tick sends to a sandbox."""

    def __init__(self, url: str, sandbox: SandboxServer) -> None:
        self.url, self.sandbox = url, sandbox

    def get(self, path: str, **options: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=10, **options)

    def tick(self) -> int:
        """Run a tick that has time enough for its slot, which expires with its minute."""
        wait_for_a_minute_with(TIME_FOR_A_TICK)
        return run_full(find_places(), Edges(), find_installation, complain).exit_code


@pytest.fixture(scope="session")
def thirty_days(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """A ledger of the usual timetable, up to a minute ago; today has a slot, whenever that is."""

    @cache
    def ledger(_: date) -> Path:
        folder = tmp_path_factory.mktemp("thirty-days") / "ledger"
        series = parse_config(MESSAGE, "config.toml").series()
        write_days(folder, series, SystemClock().now() - timedelta(minutes=1), 30, bad=0.1)
        return folder

    return lambda: ledger(SystemClock().now().date())


@pytest.fixture
def site(
    home: Path, thirty_days: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    keep_off_midnight()
    clock = SystemClock()
    with SandboxServer(Kakao(seed=7), clock.now) as sandbox:
        live_in(home, monkeypatch).write_text(kakao_section(sandbox, 5) + EVERY_MINUTE)
        login = sandbox.kakao.issue_login(clock.now())
        monkeypatch.setenv("KAKAO_REFRESH_TOKEN", login.refresh_token)
        shutil.copytree(thirty_days(), home / "data" / "ledger")
        yield from serving(sandbox)


def serving(sandbox: SandboxServer) -> Iterator[Site]:
    server = make_server(Views(None), "127.0.0.1")
    with listen("127.0.0.1", 0) as found:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [found]}, daemon=True)
        thread.start()
        yield Site(f"http://127.0.0.1:{found.getsockname()[1]}", sandbox)
        server.should_exit = True
        thread.join(10)
