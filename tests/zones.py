"""`python -m tests.zones`: every command under every zone of the tz database, at each zone's edges.

The zone of the host must play no part: what is said and written is compared with Asia/Seoul's.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch
from zoneinfo import ZoneInfo, available_timezones

from kakaocron.delivery.policy import Decision
from kakaocron.delivery.snapshot import decide_by
from kakaocron.installation import Installation
from kakaocron.kst import KST, isoformat
from kakaocron.ledger.events import to_line
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.system.clock import SystemClock
from tests.fuzz.house import House
from tests.fuzz.server import HostileServer

HOME = "Asia/Seoul"
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
STEP, SECOND = timedelta(days=1), timedelta(seconds=1)
# A leap day's ends, ends of years, and the days that Korea and the first and last zones begin.
MARKED = tuple(
    datetime.fromisoformat(text).astimezone(UTC)
    for text in (
        "2024-02-29T00:00:00+09:00",
        "2024-03-01T00:00:00+09:00",
        "2024-12-31T15:00:00+00:00",
        "2026-12-31T15:00:00+00:00",
        "2027-01-01T00:00:00+00:00",
        "2026-11-23T00:00:00+14:00",
        "2026-11-23T00:00:00-12:00",
    )
)


def zones() -> list[str]:
    return sorted(name for name in available_timezones() if name not in {"localtime", "Factory"})


def edges(zone: str) -> Iterator[datetime]:
    """Yield the instants at which a zone's clocks change."""
    info = ZoneInfo(zone)
    before, offset = FIRST, info.utcoffset(FIRST.astimezone(info))
    while before < LAST:
        after = before + STEP
        changed = info.utcoffset(after.astimezone(info))
        if changed != offset:
            yield _edge(info, before, after)
        before, offset = after, changed


def _edge(info: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = before.astimezone(info).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle.astimezone(info).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def around(instant: datetime) -> tuple[datetime, ...]:
    return instant - SECOND, instant, instant + SECOND


@contextmanager
def host_in(zone: str) -> Iterator[None]:
    """Let the host be in a zone for a block."""
    with patch.dict(os.environ, {"TZ": zone}):
        time.tzset()
        try:
            yield
        finally:
            os.environ.pop("TZ", None)
            time.tzset()
    time.tzset()


def decided(installation: Installation, now: datetime) -> str:
    """Return everything that a tick would decide and write at an instant, as text."""
    with patch.object(SystemClock, "now", lambda _: now.astimezone(KST)):
        seen = installation.snapshot()
        decision = decide_by(seen, installation.plan, installation.engine.policy)
    return f"{installation.places.ledger}/{now.astimezone(KST).date()}.jsonl\n{_shown(decision)}"


def _shown(decision: Decision) -> str:
    due = [f"{one.id} {isoformat(one.expires_at)} {one.attempt} {one.to}" for one in decision.due]
    return "\n".join([*due, *(to_line(event).decode() for event in decision.settle)])


COMMANDS: tuple[tuple[str, ...], ...] = (
    ("tick", "--dry-run"),
    ("status",),
    ("status", "--json"),
    ("next", "--json"),
    ("history", "--json"),
    ("history",),
    ("explain", "00:00"),
    ("explain", "09:30", "--json"),
    ("report", "--json"),
    ("health", "--json"),
    ("metrics",),
    ("preview", "--json"),
    ("cron", "show"),
    ("cron", "show", "--systemd"),
    ("schedule", "later", "--at", "tomorrow 09:00", "--json"),
    ("schedule", "soon", "--in", "30m", "--json"),
    ("pause", "report", "--until", "18:00"),
    ("tick",),
    ("status", "--json"),
    ("ledger", "verify"),
)
TICK = (("tick",),)
CONFIG = """\
[kakao]
rest_api_key = "{key}"
api_url = "{url}"
auth_url = "{url}"

[schedule]
quiet = ["22:00-23:50"]
days = ["mon", "tue", "wed", "thu", "fri", "sun"]

[delivery]
at_once = 1  # side by side, which is first is chance

[[message]]
name = "report"
slots = ["regular", "peak"]
text = "report {{time}} {{time:%Y-%m-%d %H:%M %z %Z %A}} {{date}}"

[[message]]
name = "nightly"
cron = "*/10 * 1,28-31 * *"
text = "nightly {{time:%c}}"
"""


def files_of(folder: Path) -> dict[str, str]:
    """Return what the files say; since when the configuration is there is real, and left out."""
    return {
        str(path.relative_to(folder)): re.sub(
            r'("since": )"[^"]*"', r"\1…", path.read_text("utf-8", "replace")
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"kakaocron.log", "idle", "tokens.json"}
    }


@contextmanager
def empty_house() -> Iterator[House]:
    """A house in which nobody has lived yet."""
    with TemporaryDirectory() as folder, HostileServer() as server:
        house = House(Path(folder), server)
        server.now = lambda: house.at
        # Time stands still, so that what is written is the same each time.
        frozen = patch.object(House, "now", lambda self: self.at)
        owner = patch("os.urandom", return_value=bytes(4))
        with frozen, owner, patch("kakaocron.commands.explain.booted_at", return_value=None):
            yield house


def day(house: House, zone: str, instant: datetime) -> str:
    """Run ticks and commands around an instant; return all that was said, written and received."""
    for path in list(house.folder.iterdir()):
        shutil.rmtree(path)
    house.path("config").mkdir()
    house.server.kakao = Kakao(seed=7)
    house.at = (instant - SECOND).astimezone(KST)
    settings = house.server.kakao.settings
    token = house.server.kakao.issue_login(house.at).refresh_token
    config = CONFIG.format(key=settings.rest_api_key, url=house.server.url)
    house.write("config/config.toml", config)
    house.write(
        "config/.env",
        f"KAKAO_REFRESH_TOKEN={token}\nKAKAO_CLIENT_SECRET={settings.client_secret}\n",
    )
    house.crontab = b""
    told = []
    with house.lived_in(), host_in(zone):
        for seconds, commands in ((0, TICK), (2, TICK), (61, COMMANDS)):
            house.at = (instant + (seconds - 1) * SECOND).astimezone(KST)
            for words in commands:
                done = house.kakaocron(*words)
                told.append(f"{words} {done.code}\n{done.out}\n{done.err}")
    files = {**files_of(house.path("data")), **files_of(house.path("log"))}
    received = [(one.text, one.at.isoformat()) for one in house.server.kakao.deliveries]
    return "\n".join([*told, str(files), str(received)])


def main(arguments: Sequence[str]) -> int:
    most = int(arguments[0]) if arguments else sys.maxsize
    counts: Counter[str] = Counter()
    at_home: dict[datetime, str] = {}
    with empty_house() as house:
        for zone in zones()[:most]:
            counts["zones"] += 1
            for instant in {*MARKED[: counts["zones"] % len(MARKED)][-1:], *list(edges(zone))[-2:]}:
                if instant not in at_home:
                    at_home[instant] = day(house, HOME, instant)
                counts["days"] += 1
                if day(house, zone, instant) != at_home[instant]:
                    counts["faults"] += 1
                    print(f"another day under {zone} at {instant}", flush=True)
    print(dict(counts))
    return 1 if counts["faults"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
