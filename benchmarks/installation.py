"""An installation in a folder of its own, a server to send to, and ledgers of any age."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zlib import crc32

from kakaocron.kst import KST
from kakaocron.ledger.events import Claim, Outcome, Result, of_slot, to_line
from kakaocron.schedule.slots import Slot
from kakaocron.states import State

SLOTS_A_DAY = 68
TEXT = "📊 장부 모니터링\n⏰ 현재 시간: 09:30"
# With one slot at each full hour: it is due whenever a benchmark runs.
HOUR_LONG = "[delivery]\nexpire_after = 86400\n"


def environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "KAKAOCRON_CONFIG": str(folder / "config.toml"),
        "KAKAOCRON_DATA_DIR": str(folder / "data"),
        "KAKAOCRON_LOG_DIR": str(folder / "log"),
        "KAKAO_ACCESS_TOKEN": "token",
    }


def configure(folder: Path, url: str, minutes: str, messages: int = 1, extra: str = "") -> None:
    text = f'[kakao]\nrest_api_key = "key"\napi_url = "{url}"\nauth_url = "{url}"\n'
    text += f"[schedule]\nregular_minutes = [{minutes}]\n{extra}\n"
    for number in range(messages):
        text += f'[[message]]\nname = "m{number}"\nslots = ["regular"]\n'
        text += f'text = "{{time}} {number}"\n'
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)


def fill_ledger(folder: Path, days: int, last: date) -> None:
    """Write a day file of confirmed deliveries for each of the days that end with `last`.

    The product's own encoder writes the last day; the others are that day with another date, and
    the checksums that go with it, as ten years of encoding would take minutes. For no days the
    last one holds its last delivery: over no ledger at all a first tick owes nothing. No message's
    times are noted, so that they have always been as they are.
    """
    ledger = folder / "data" / "ledger"
    ledger.mkdir(parents=True, exist_ok=True)
    (folder / "data" / "timetables.json").unlink(missing_ok=True)
    pattern = _day_of_deliveries(last)
    if not days:
        lines = pattern.splitlines(keepends=True)
        (ledger / f"{last.isoformat()}.jsonl").write_bytes(b"".join(lines[-2:]))
    for n in range(days):
        day = last - timedelta(days=n)
        (ledger / f"{day.isoformat()}.jsonl").write_bytes(_moved(pattern, last, day))
    oldest = last - timedelta(days=max(days - 1, 0))
    assert _moved(pattern, last, oldest) == _day_of_deliveries(oldest)


def _day_of_deliveries(day: date) -> bytes:
    midnight = datetime(day.year, day.month, day.day, tzinfo=KST)
    slots = [midnight + timedelta(minutes=20 * number + 10) for number in range(SLOTS_A_DAY)]
    return b"".join(line for slot in slots for line in delivered(Slot("old", slot, "regular")))


def _moved(content: bytes, old: date, new: date) -> bytes:
    """Return a day's lines with another date, which stands in them in two spellings."""
    for spelling in ("%Y-%m-%d", "%Y%m%dT"):
        content = content.replace(old.strftime(spelling).encode(), new.strftime(spelling).encode())
    bodies = [line.rpartition(b',"crc":')[0] for line in content.splitlines()]
    return b"".join(b'%b,"crc":"%08x"}\n' % (body, crc32(body + b"}")) for body in bodies)


def delivered(slot: Slot, text: str = TEXT, settled: datetime | None = None) -> list[bytes]:
    """Return the two lines of a message that went out as its slot came."""
    at = slot.at + timedelta(seconds=0.04)
    claim = of_slot(
        Claim,
        slot,
        ["me"],
        at,
        state=State.SENDING,
        expires_at=slot.at + timedelta(minutes=10),
        attempt=1,
        by="1-x",
        until=at + timedelta(seconds=40),
        text=text,
        content_hash="0123456789abcdef",
        settled=settled or at,
    )
    outcome = Outcome(
        at=at + timedelta(seconds=0.1),
        id=claim.id,
        state=State.CONFIRMED,
        attempt=1,
        by="1-x",
        targets={"me": Result(State.CONFIRMED)},
        sent_at=at,
    )
    return [to_line(claim), to_line(outcome)]


@contextmanager
def receiver(seconds: float = 0.0) -> Iterator[tuple[str, list[float]]]:
    """Serve 'delivered' to every request, after some seconds; yield its address and arrivals."""
    arrivals: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            arrivals.append(time.time())
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(seconds)
            body = b'{"result_code":0}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json;charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 512
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", arrivals
    server.shutdown()
