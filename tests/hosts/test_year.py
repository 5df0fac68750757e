"""A year's ledger carried from files into a database and back, by the commands themselves."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from kakaocron.config.reading import parse_config
from kakaocron.kst import KST
from tests.fakes import MESSAGE
from tests.hosts.servers import Server
from tests.years import write_days

pytestmark = [pytest.mark.hosts, pytest.mark.usefixtures("uncounted")]

DAYS = 365
MOST_MB = 75
CONFIG = '[kakao]\nrest_api_key = "key"\n[ledger]\nkeep_days = 400\n' + MESSAGE


class Home:
    def __init__(self, folder: Path, url: str = "") -> None:
        folder.mkdir()
        self.folder = folder
        (folder / "config.toml").write_text(CONFIG)
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "KAKAOCRON_CONFIG": str(folder / "config.toml"),
            "KAKAOCRON_DATA_DIR": str(folder / "data"),
            "KAKAOCRON_LOG_DIR": str(folder / "log"),
            "KAKAOCRON_HOST": folder.name,
            **({"KAKAOCRON_LEDGER_URL": url} if url else {}),
        }

    def run(self, *words: str) -> bytes:
        """Run a command; print how long it took and its peak memory."""
        # GNU time stands between: what a child has at its peak begins with what its parent had.
        timed = ["/usr/bin/time", "-f", "%e s, CPU %U s, %M KB"]
        command = [*timed, sys.executable, "-m", "kakaocron", *words]
        done = subprocess.run(command, env=self.environ, capture_output=True, check=True)
        said = done.stderr.decode().strip()
        print(f"{said}: {' '.join(words)[:60]}")
        if words[0] == "ledger":
            assert int(said.split()[-2]) < MOST_MB * 1024, "all of it at once"
        return done.stdout

    def history(self) -> bytes:
        return self.run("history", "--days", str(DAYS + 1), "--json")


def test_a_year_is_the_same_there_and_back(tmp_path: Path, database: Server) -> None:
    files = Home(tmp_path / "a", database.url)
    ledger, now = files.folder / "data" / "ledger", datetime.now(KST)
    series = list(parse_config(CONFIG, "config.toml").series())
    lines = write_days(ledger, series, now, DAYS)
    alone = {k: v for k, v in files.environ.items() if k != "KAKAOCRON_LEDGER_URL"}
    files.environ, shared = alone, files.environ
    before = files.history()
    assert before.count(b'"id": ') > lines / 3

    files.environ = shared
    files.run("ledger", "init")
    said = files.run("ledger", "copy", "--to", database.url).decode()
    assert f"carried over: {DAYS} days, {lines} new lines" in said
    files.run("ledger", "verify")
    assert Home(tmp_path / "b", database.url).history() == before

    back = tmp_path / "back"
    files.run("ledger", "copy", "--to", str(back))
    assert {path.name: path.read_bytes() for path in back.iterdir()} == {
        path.name: path.read_bytes() for path in ledger.glob("*.jsonl")
    }
    files.run("ledger", "copy", "--to", str(ledger))
    files.environ = alone
    assert files.history() == before
