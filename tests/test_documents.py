"""What every command prints as JSON, key by key, and files that a later kakaocron wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.test_cli import DELIVERY, STATS, STATUS, Shell, after_a_morning, shell

__all__ = ["after_a_morning", "shell"]

UNKNOWN = "report@20261123T0900"


def keys_of(document: Any, at: str = "") -> Iterator[str]:
    """Yield the paths of all keys; `*` stands for what data name, `[]` for the elements."""
    if isinstance(document, list):
        for one in document:
            yield from keys_of(one, f"{at}[]")
    elif isinstance(document, dict):
        for key, value in document.items():
            name = "*" if at.endswith(("targets", "results")) else key
            yield f"{at}.{name}".lstrip(".")
            yield from keys_of(value, f"{at}.{name}".lstrip("."))


def under(at: str, names: set[str]) -> set[str]:
    return {f"{at}.{name}" for name in names}


ATTEMPT = {
    "attempt", "claimed_at", "sent_at", "ended_at", "duration_seconds", "to", "results",
    "results.*", "results.*.state", "results.*.reason", "results.*.detail",
    "results.*.phase",
}  # fmt: skip
FINDING = {
    "message", "id", "kind", "expected", "state", "reason", "why", "detail", "attempt_log", "read",
    "next",
}  # fmt: skip
DOCUMENTS = {
    "status": {"v"}
    | STATUS
    | under("stats", STATS)
    | under("token", {"expires_at", "refresh_expires_at"})
    | {"tokens.me"}
    | under("tokens.me", {"expires_at", "refresh_expires_at"})
    | under("today[]", DELIVERY | {"targets.*"}),
    "health": {"v", "status", "scheduled_count", "success_rate", "problems"},
    "history": under("[]", DELIVERY | {"targets.*"}),
    f"show {UNKNOWN}": {"v", "targets.*", "attempt_log"}
    | DELIVERY
    | under("attempt_log[]", ATTEMPT),
    "explain 09:00": {"v", "at", "now", "expected", "reason", "ticks", "gap", "messages"}
    | under("ticks[]", {"at", "word", "exit_code"})
    | under("messages[]", FINDING)
    | under("messages[].attempt_log[]", ATTEMPT),
    "doctor": {"v", "status", "findings"} | under("findings[]", {"name", "status", "what", "mend"}),
    "ledger verify": {"v", "days", "lines", "findings"},
    "preview --at 09:30": under(
        "[]",
        {
            "message",
            "text",
            "content_hash",
            "parts",
            "parts[].kind",
            "parts[].fields",
            "parts[].fields.template_object",
        },
    ),
}


@pytest.mark.parametrize("command", DOCUMENTS)
def test_the_keys_of_each_document_are_those_that_scripts_know(
    after_a_morning: Shell, command: str
) -> None:
    found = {*keys_of(after_a_morning.json(*command.split()))}

    assert found == DOCUMENTS[command]


def test_the_ledger_holds_codes_and_show_says_them(after_a_morning: Shell, tmp_path: Path) -> None:
    content = (tmp_path / "data" / "ledger" / "2026-11-23.jsonl").read_text("utf-8")
    lines = [json.loads(line) for line in content.splitlines()]
    results = [line["targets"]["me"] for line in lines if line["event"] == "outcome"]

    assert [found.get("cause") for found in results] == [
        None,
        {"code": "cut"},
        {"code": "kakao", "facts": {"code": -10}},
    ]
    assert '"detail"' not in content
    shown = after_a_morning.json("show", "report@20261123T0930")["attempt_log"][0]["results"]["me"]
    assert shown["detail"] == "the app's call quota is used up (-10)"
    assert "cause" not in shown


def newer(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"v": 2, "pauses": [], "token": "s3cret"}), "utf-8")
    return path


@pytest.mark.parametrize("name", ["pauses.json", "timetables.json"])
def test_what_a_later_version_wrote_beside_the_ledger_sends_nothing_and_is_said(
    shell: Shell, tmp_path: Path, name: str
) -> None:
    newer(tmp_path / "data" / name)
    code, out, err = shell.run("tick")

    assert (code, out) == (74, "")
    assert "a later kakaocron wrote it (format 2; this one reads 1)" in err
    assert err.endswith("Upgrade: pip install --upgrade kakaocron\n")


def test_a_login_of_a_later_version_is_left_alone_and_said(shell: Shell, tmp_path: Path) -> None:
    path = newer(tmp_path / "data" / "tokens.json")
    before = path.read_bytes()
    shell.clock.set("09:30:01")
    code, _, err = shell.run("tick")

    assert code == 3
    assert "a later kakaocron wrote it" in err
    assert "s3cret" not in err
    assert path.read_bytes() == before
    assert shell.sandbox.kakao.deliveries == []


@pytest.mark.parametrize("name", ["incidents.json", "alarms.json"])
@pytest.mark.parametrize(
    "content", [{"v": 2, "seen": 5}, {"exit-74:The ledger cannot be written": "The ledger …"}]
)
def test_memories_of_another_version_stop_nothing(
    shell: Shell, tmp_path: Path, name: str, content: dict[str, object]
) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / name).write_text(json.dumps(content), "utf-8")
    shell.clock.set("09:30:01")

    assert shell.run("tick") == (0, "", "")
