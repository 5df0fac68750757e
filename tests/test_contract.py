"""What other programs rely on: commands, options, exit codes, and the form of every document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kakaocron import Scheduler
from kakaocron.errors import Exit
from kakaocron.states import Reason, State
from kakaocron.system.clock import SystemClock
from kakaocron.system.disk import locked
from kakaocron.system.places import find_places
from kakaocron.system.syscalls import RealDisk
from tests.fakes import MESSAGE, kakao_section
from tests.forms import DAY, HASH, INSTANT, MINUTE, AnyCount, Each, Form, Maybe, faults
from tests.sites import Site, serving
from tests.test_cli import Shell, after_a_morning, shell

__all__ = ["after_a_morning", "shell"]

STATES = {
    "scheduled", "sending", "sent", "confirmed", "retrying", "failed", "unknown", "missed",
    "cancelled",
}  # fmt: skip
REASONS = {
    "no-slot", "day-off", "no-tick", "expired", "paused", "quiet", "quota", "not-logged-in",
    "refused", "refused-for-now", "retries-spent", "unreachable", "read-timeout",
    "connection-reset", "server-fault", "unproven-answer", "process-died", "ledger-damaged",
    "ledger-unwritable", "lock-held", "tick-crashed", "config-broken", "content-failed",
    "picture-left-out", "clock-wrong", "by-hand", "undelivered", "no-receipt", "not-found",
}  # fmt: skip
ID = re.compile(r"(report|(once|send)-[0-9a-f]{16})@20261123T\d{4}")
MESSAGE_NAME = re.compile(r"report|(once|send)-[0-9a-f]{16}")
KIND = {"regular", "peak", "cron", "once", "send"}

DELIVERY = {
    "id": ID,
    "message": MESSAGE_NAME,
    "kind": KIND,
    "slot": MINUTE,
    "state": STATES,
    "attempts": int,
    "to": ["me"],
    "channel": {"kakaotalk"},
    "targets": Each(STATES),
    "sent_at": Maybe(INSTANT),
    "confirmed_at": Maybe(INSTANT),
    "delay_seconds": Maybe(float),
    "next_attempt_at": Maybe(INSTANT),
    "reason": Maybe(REASONS),
    "text": Maybe(str),
    "content_hash": Maybe(HASH),
}
ATTEMPT = {
    "attempt": int,
    "claimed_at": INSTANT,
    "sent_at": Maybe(INSTANT),
    "ended_at": Maybe(INSTANT),
    "duration_seconds": Maybe(float),
    "to": [str],
    "results": Each(
        {
            "state": STATES,
            "reason?": REASONS,
            "detail?": str,
            "code?": int,
            "http_status?": int,
            "phase?": {"before", "during", "after"},
            "parts?": int,
        }
    ),
}
ONE = {"v": 1, **DELIVERY}
ONE_WITH_LOG = {**ONE, "attempt_log": [ATTEMPT]}
TOKEN = {"expires_at": INSTANT, "refresh_expires_at": Maybe(INSTANT)}
STATUS = {
    "v": 1,
    "now": INSTANT,
    "last_tick": INSTANT,
    "is_running": bool,
    "scheduled_count": int,
    "stats": {
        "total_scheduled": int,
        "total_sent": int,
        "total_failed": int,
        "total_confirmed": int,
        "total_unknown": int,
        "total_missed": int,
        "success_rate": Maybe(float),
        "schedule_accuracy": Maybe(float),
        "delay_p50_seconds": Maybe(float),
        "delay_p99_seconds": Maybe(float),
    },
    "next_regular_time": MINUTE,
    "next_peak_time": MINUTE,
    "token": TOKEN,
    "tokens": {"me": TOKEN},
    "today": [DELIVERY],
}
HEALTH = {
    "v": 1,
    "status": {"healthy", "unhealthy"},
    "scheduled_count": int,
    "success_rate": Maybe(float),
    "problems": [str],
}
DAYS_FIGURES = {
    "due": int,
    "sent": int,
    "confirmed": int,
    "late": int,
    "failed": int,
    "unknown": int,
    "missed": int,
    "delay_p50_seconds": Maybe(float),
    "delay_p99_seconds": Maybe(float),
}
OF_A_MESSAGE = {
    "message": MESSAGE_NAME,
    "id": ID,
    "kind": KIND,
    "expected": bool,
    "state": STATES,
    "reason": Maybe(REASONS),
    "why": str,
    "detail": Maybe(str),
    "attempt_log": AnyCount(ATTEMPT),
    "read": Maybe(str),
    "next": Maybe(str),
}
EXPLANATION = {
    "v": 1,
    "at": MINUTE,
    "now": INSTANT,
    "expected": bool,
    "reason": Maybe(REASONS),
    "ticks": [{"at": INSTANT, "word": str, "exit_code": int}],
    "gap": Maybe(str),
    "messages": [OF_A_MESSAGE],
}
SECTIONS: dict[str, dict[str, Form]] = {
    "kakao": {
        "rest_api_key": "**********",
        "client_secret": "**********",
        "link": str,
        "timeout": float,
        "api_url": str,
        "auth_url": str,
    },
    "schedule": {
        "regular_minutes": [int],
        "peak_minutes": [int],
        "peak_hours": [int],
        "days": [{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}],
        "quiet": AnyCount(str),
        "early_start": bool,
    },
    "delivery": {
        "retry_delays": [float],
        "max_retries": int,
        "expire_after": float,
        "on_unknown": {"hold", "resend"},
        "confirmation_delay": float,
    },
    "ledger": {"keep_days": int},
    "monitor": {"min_success_rate": float, "max_delay_minutes": float},
}
VERIFIED = {
    "v": 1,
    "days": int,
    "lines": int,
    "findings": AnyCount({"path": str, "what": str, "is_damage": bool}),
}
DOCUMENTS: dict[str, Form] = {
    "status": STATUS,
    "health": HEALTH,
    "history": [DELIVERY],
    "show report@20261123T0900": ONE_WITH_LOG,
    "next -n 3": [{"id": ID, "message": MESSAGE_NAME, "kind": KIND, "slot": MINUTE, "why": str}],
    "explain 09:00": EXPLANATION,
    "report": {
        "v": 1,
        "from": DAY,
        "to": DAY,
        **DAYS_FIGURES,
        "bad_days": [{"day": DAY, **DAYS_FIGURES}],
        "days": [{"day": DAY, **DAYS_FIGURES}],
    },
    "doctor": {
        "v": 1,
        "status": {"ok", "warn", "fail"},
        "findings": [
            {"name": str, "status": {"ok", "warn", "fail"}, "what": str, "mend": Maybe(str)}
        ],
    },
    "friends": [{"uuid": str, "nickname": str, "allowed_msg": Maybe(bool)}],
    "ledger verify": VERIFIED,
    "preview --at 09:30": [
        {
            "message": "report",
            "text": str,
            "parts": [{"kind": "default", "fields": {"template_object": str}}],
            "content_hash": HASH,
        }
    ],
    "send 안녕": ONE_WITH_LOG,
    "schedule 안녕 --in 5m": ONE,
    "cancel report@20261123T0945": ONE,
    "retry report@20261123T0915": ONE,
    "resolve report@20261123T0900 --delivered": ONE,
}


@pytest.mark.parametrize("command", DOCUMENTS)
def test_a_command_prints_one_document_of_its_form(after_a_morning: Shell, command: str) -> None:
    document = after_a_morning.json(*command.split())

    assert list(faults(document, DOCUMENTS[command])) == []


def test_the_closed_lists_are_the_known_ones() -> None:
    assert {str(state) for state in State} == STATES
    assert {str(reason) for reason in Reason} == REASONS


def test_the_configuration_is_shown_by_its_known_keys(shell: Shell) -> None:
    shown = shell.json("config", "show")

    assert shown["v"] == 1
    for name, keys in SECTIONS.items():
        known = {key: shown[name].get(key) for key in keys}
        assert list(faults(known, keys, name)) == []
    assert shown["message"][0]["to"] == ["me"]


def test_a_damaged_ledger_is_reported_by_file_and_in_words(
    after_a_morning: Shell, tmp_path: Path
) -> None:
    with (tmp_path / "data" / "ledger" / "2026-11-23.jsonl").open("a", encoding="utf-8") as file:
        file.write("nonsense\n")
    exit_code, out, _ = after_a_morning.run("ledger", "verify", "--json")
    verified = json.loads(out)

    assert exit_code == 1
    assert list(faults(verified, VERIFIED)) == []
    assert [one["is_damage"] for one in verified["findings"]] == [True]


def test_a_test_of_the_alarms_names_each_way(shell: Shell, tmp_path: Path) -> None:
    monitor = '[monitor]\nalert_command = ["true"]\n'
    config = kakao_section(shell.sandbox) + monitor + MESSAGE
    (tmp_path / "config.toml").write_text(config, "utf-8")
    document = shell.json("alarm", "--test")

    way = {"way": str, "took_it": bool, "counts": bool, "why": Maybe(str)}
    assert list(faults(document, {"v": 1, "ways": [way]})) == []


METRICS = {
    "kakaocron_info": {"version"},
    "kakaocron_healthy": set(),
    "kakaocron_problems": set(),
    "kakaocron_last_tick_timestamp_seconds": set(),
    "kakaocron_deliveries_today": {"message", "state"},
    "kakaocron_slots_ahead": set(),
    "kakaocron_success_ratio": set(),
    "kakaocron_on_schedule_ratio": set(),
    "kakaocron_delay_p50_seconds": set(),
    "kakaocron_delay_p99_seconds": set(),
    "kakaocron_next_slot_timestamp_seconds": set(),
    "kakaocron_access_token_end_timestamp_seconds": set(),
}


def test_metrics_have_their_names_and_labels(after_a_morning: Shell, tmp_path: Path) -> None:
    path = tmp_path / "kakaocron.prom"
    exit_code, printed, _ = after_a_morning.run("metrics")
    assert after_a_morning.run("metrics", "--textfile", str(path)) == (0, "", "")
    families = list(text_string_to_metric_families(printed))

    assert exit_code == 0
    assert path.read_text("utf-8") == printed
    assert {one.type for one in families} == {"gauge"}
    labels = {s.name: {*s.labels} for one in families for s in one.samples}
    # How long a login lasts is known of one that has been renewed only.
    labels.pop("kakaocron_login_end_timestamp_seconds", None)
    assert labels == METRICS


def test_the_scheduler_returns_what_the_commands_print(after_a_morning: Shell) -> None:
    scheduler = Scheduler()
    status = scheduler.get_message_status("report@20261123T0930")
    of_a_message = {**DELIVERY, "status": STATES, "retry_count": int, "meta": Each(str)}

    assert list(faults(json.loads(json.dumps(scheduler.get_schedule_status())), STATUS)) == []
    assert list(faults(json.loads(json.dumps(status)), of_a_message)) == []


@pytest.fixture
def page(after_a_morning: Shell) -> Iterator[Site]:
    yield from serving(after_a_morning.sandbox)


PAGES: dict[str, Form] = {
    "/health": HEALTH,
    "/api/status": STATUS,
    "/api/version": {"v": 1, "version": str},
    "/api/page": {
        **STATUS,
        "version": str,
        "next_slot": MINUTE,
        "unseen": AnyCount(DELIVERY),
        "slots": {"confirmed": int, "ended": int},
        "min_success_rate": float,
        "health": {key: form for key, form in HEALTH.items() if key != "v"},
        "ahead": [{"id": ID, "message": MESSAGE_NAME, "kind": KIND, "slot": MINUTE}],
        "pauses": AnyCount({"message": Maybe(str), "until": Maybe(INSTANT), "note": Maybe(str)}),
        "messages": ["report"],
        "pictures": AnyCount(str),
    },
    "/api/days": [{"day": DAY, **DAYS_FIGURES, "hours": [Maybe({"state": STATES, "count": int})]}],
    "/api/explain?at=09:00": EXPLANATION,
    "/api/deliveries": {"v": 1, "total": int, "rows": [DELIVERY]},
    "/api/deliveries/report@20261123T0900": {**ONE_WITH_LOG, "explained": OF_A_MESSAGE},
    "/api/deliveries/report@20200101T0930": {"v": 1, "problems": [str]},
    "/api/nothing": {"v": 1, "problems": [str]},
}


@pytest.mark.parametrize("path", PAGES)
def test_the_page_s_server_answers_with_documents_of_their_form(page: Site, path: str) -> None:
    answer = page.get(path)

    assert answer.headers["content-type"] == "application/json"
    assert list(faults(answer.json(), PAGES[path])) == []


def test_the_page_s_metrics_are_those_of_the_command(after_a_morning: Shell, page: Site) -> None:
    answer = page.get("/metrics")

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.text == after_a_morning.run("metrics")[1]


# Of each command: its options, `--help` and `--config` aside, which all or most have.
OPTIONS = {
    "init": {"--yes"},
    "login": set(),
    "logout": set(),
    "tick": {"--dry-run"},
    "send": {"--message", "--to", "--image", "--link", "--button", "--force", "--json"},
    "schedule": {"--at", "--in", "--next", "--json"},
    "cancel": {"--json"},
    "retry": {"--json"},
    "resolve": {"--delivered", "--not-delivered", "--json"},
    "pause": {"--until", "--note"},
    "resume": set(),
    "preview": {"--message", "--at", "--json"},
    "status": {"--json", "--watch"},
    "history": {"--days", "--state", "--json"},
    "show": {"--json"},
    "next": {"-n", "--json"},
    "explain": {"--json"},
    "health": {"--json"},
    "metrics": {"--textfile"},
    "serve": {"--port", "--host"},
    "report": {"--days", "--json"},
    "doctor": {"--json"},
    "config path": set(),
    "config show": {"--json"},
    "config check": set(),
    "cron show": set(),
    "cron install": set(),
    "cron uninstall": set(),
    "friends": {"--json"},
    "rooms": {"--json"},
    "rooms listen": {"--minutes", "--json"},
    "ledger path": set(),
    "ledger verify": {"--json"},
    "ledger prune": {"--days"},
    "alarm": {"--test", "--json"},
    "sandbox": {
        "--port",
        "--faults",
        "--rest-api-key",
        "--client-secret",
        "--redirect-uri",
        "--scope",
    },
    "simulate": {"--seed", "--days"},
    "demo": set(),
}
WITHOUT_A_CONFIGURATION = {"sandbox", "demo"}
# A row of the help: the option in its first column, with the short name beside it.
ROW = re.compile(r"^│[\s*]+(--?[a-z-]+)(?:\s+(-[a-z]))?\s", re.MULTILINE)


def names_in(told: str) -> set[str]:
    return {name for row in ROW.findall(told) for name in row if name}


@pytest.mark.parametrize("command", OPTIONS)
def test_each_command_has_its_options(shell: Shell, command: str) -> None:
    exit_code, told, err = shell.run(*command.split(), "--help")
    wanted = OPTIONS[command] | {"--help"}
    if command not in WITHOUT_A_CONFIGURATION:
        wanted |= {"--config"}

    assert (exit_code, err) == (0, "")
    assert wanted - names_in(told) == set()


def test_the_help_lists_every_command(shell: Shell) -> None:
    told = shell.run("--help")[1]
    listed = set(re.findall(r"^│ ([a-z]+)  ", told, re.MULTILINE))

    assert {command.split()[0] for command in OPTIONS} - listed == set()
    assert {"--config", "--version", "--help"} - names_in(told) == set()


EXIT_CODES = {
    0: "fine; so is nothing due, or another tick has the slot",
    1: "a delivery ended failed, unknown or missed in this run, or was refused as a duplicate; "
    "or unhealthy",
    2: "wrong usage or configuration",
    3: "not logged in, or the login has died",
    70: "a bug",
    74: "the ledger cannot be written or read: nothing more is sent, and the words say whether "
    "something in flight may have arrived",
    75: "no ledger lock in time; nothing done",
    130: "interrupted",
}


def test_there_is_one_table_of_exit_codes(shell: Shell) -> None:
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", readme, re.MULTILINE)
    told = shell.run("--help")[1].partition("Exit codes:")[2]
    parts = re.split(r"^\W*(\d+)  ", told, flags=re.MULTILINE)[1:]
    in_help = {
        int(code): " ".join(words.split())
        for code, words in zip(parts[::2], parts[1::2], strict=True)
    }

    assert {int(code): words.replace("`", "") for code, words in rows} == EXIT_CODES
    assert in_help == EXIT_CODES
    assert {int(code) for code in Exit} == set(EXIT_CODES)


def broken(_: Any) -> None:
    raise KeyError("no such key")


def interrupted(_: Any) -> None:
    raise KeyboardInterrupt


def test_commands_end_with_the_codes_of_the_table(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*command: str) -> tuple[int, int]:
        exit_code, _, err = shell.run(*command)
        return exit_code, len(err.splitlines())

    assert ended("send", "안녕") == (0, 0)
    assert ended("send", "안녕") == (1, 1)
    assert ended("send") == (2, 1)
    for look, expected in ((broken, (70, 1)), (interrupted, (130, 0))):
        with monkeypatch.context() as patch:
            patch.setattr("kakaocron.commands.status.look", look)
            assert ended("status") == expected
    lock = f"{find_places().ledger}.lock"
    with locked(RealDisk(), SystemClock(), lock, 10), monkeypatch.context() as patch:
        patch.setattr(SystemClock, "monotonic", partial(next, count(step=60)))
        assert ended("schedule", "안녕", "--in", "5m") == (75, 1)
    with monkeypatch.context() as patch:
        patch.delenv("KAKAO_REFRESH_TOKEN")
        Path(find_places().tokens).unlink()
        assert ended("send", "안녕하세요") == (3, 1)
    ledger = tmp_path / "data" / "ledger"
    ledger.rename(tmp_path / "elsewhere")
    ledger.write_text("")
    assert ended("send", "안녕") == (74, 1)
