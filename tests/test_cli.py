"""What scripts and terminals get of each command: fields, exit codes, pipes."""

from __future__ import annotations

import ast
import codecs
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from unicodedata import normalize

import pytest

from kakaocron.cli import run
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.show.console import MARKS
from kakaocron.states import State
from kakaocron.system.clock import SystemClock
from kakaocron.system.places import find_places
from kakaocron.system.stderr import complain
from kakaocron.text.plain import LONGEST_LINE, in_plain_letters
from tests.fakes import MESSAGE, FakeClock, kakao_section, live_in, texts

DELIVERY = {
    "id", "message", "kind", "slot", "state", "attempts", "to", "targets", "sent_at",
    "confirmed_at", "delay_seconds", "next_attempt_at", "reason", "text", "content_hash", "channel",
}  # fmt: skip
STATUS = {
    "now", "last_tick", "is_running", "scheduled_count", "stats", "next_regular_time",
    "next_peak_time", "token", "tokens", "today",
}  # fmt: skip
STATS = {
    "total_scheduled", "total_sent", "total_failed", "total_confirmed", "total_unknown",
    "total_missed", "success_rate", "schedule_accuracy", "delay_p50_seconds", "delay_p99_seconds",
}  # fmt: skip
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?\+09:00")


@dataclass(frozen=True)
class Shell:
    capsys: pytest.CaptureFixture[str]
    sandbox: SandboxServer
    clock: FakeClock

    def run(self, *arguments: str) -> tuple[int, str, str]:
        exit_code = run(arguments)
        told = self.capsys.readouterr()
        return exit_code, told.out, told.err

    def json(self, *arguments: str) -> Any:
        """Run a command and read what it printed as one JSON document and nothing else."""
        _, out, err = self.run(*arguments, "--json")
        assert err == ""
        assert "\x1b" not in out
        return json.loads(out)


@pytest.fixture
def shell(
    tmp_path: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Shell:
    """A user's shell, with a day behind it: confirmed, unknown, retrying, missed."""
    config = live_in(tmp_path, monkeypatch)
    token = sandbox.kakao.issue_login(clock.now()).refresh_token
    monkeypatch.setenv("KAKAO_REFRESH_TOKEN", token)
    config.write_text(kakao_section(sandbox) + MESSAGE, "utf-8")
    monkeypatch.setattr(SystemClock, "now", lambda _: clock.now())
    return Shell(capsys, sandbox, clock)


@pytest.fixture
def after_a_morning(shell: Shell) -> Shell:
    for time, fault in (("08:30:01", ""), ("09:00:01", "cut-after"), ("09:30:01", "-10")):
        shell.clock.set(time)
        shell.sandbox.faults.enqueue(*([fault] if fault else []))
        run(["tick"])
    shell.capsys.readouterr()
    return shell


def test_status_has_the_fields_of_the_contract(after_a_morning: Shell) -> None:
    status = after_a_morning.json("status")

    assert set(status) >= STATUS
    assert set(status["stats"]) >= STATS
    assert set(status["token"]) == {"expires_at", "refresh_expires_at"}
    assert status["now"] == "2026-11-23T09:30:01+09:00"
    assert status["is_running"] is True
    assert [(one["id"][-4:], one["state"]) for one in status["today"]] == [
        ("0830", "confirmed"),
        ("0845", "missed"),
        ("0900", "unknown"),
        ("0915", "missed"),
        ("0930", "retrying"),
    ]
    assert (status["stats"]["total_confirmed"], status["stats"]["total_unknown"]) == (1, 1)
    assert status["next_peak_time"] == "2026-11-23T09:45:00+09:00"
    assert status["next_regular_time"] == "2026-11-23T10:00:00+09:00"


def test_history_is_a_list_of_deliveries_in_the_contracts_form(after_a_morning: Shell) -> None:
    history = after_a_morning.json("history")

    assert len(history) == 5
    for one in history:
        assert set(one) == DELIVERY
        assert one["state"] in {str(state) for state in State}
        assert (one["reason"] is None) == (one["state"] == "confirmed")
        for key in ("slot", "sent_at", "confirmed_at", "next_attempt_at"):
            assert one[key] is None or INSTANT.fullmatch(one[key])


@pytest.mark.parametrize(
    ("state", "count"),
    [("confirmed", 1), ("unknown", 1), ("retrying", 1), ("missed", 2), ("failed", 0)],
)
def test_history_picks_a_state(after_a_morning: Shell, state: str, count: int) -> None:
    assert [one["state"] for one in after_a_morning.json("history", "--state", state)] == (
        [state] * count
    )


def test_show_adds_every_attempt_with_status_and_code(after_a_morning: Shell) -> None:
    shown = after_a_morning.json("show", "report@20261123T0930")

    assert set(shown) >= DELIVERY | {"attempt_log"}
    (attempt,) = shown["attempt_log"]
    assert attempt["results"]["me"]["code"] == -10
    assert attempt["results"]["me"]["http_status"] == 400
    assert attempt["duration_seconds"] is not None


def test_next_lists_slots_and_says_why_each_is_one(after_a_morning: Shell) -> None:
    slots = after_a_morning.json("next", "-n", "3")

    assert [(one["id"], one["kind"]) for one in slots] == [
        ("report@20261123T0945", "peak"),
        ("report@20261123T1000", "regular"),
        ("report@20261123T1030", "regular"),
    ]
    assert slots[0]["why"] == ":45 is in peak_minutes, 9 in peak_hours"
    assert slots[1]["why"] == ":00 is in regular_minutes"


def test_the_why_is_a_rule_of_the_message_s_own(shell: Shell, tmp_path: Path) -> None:
    config = kakao_section(shell.sandbox) + MESSAGE.replace('"regular", "peak"', '"regular"')
    (tmp_path / "config.toml").write_text(config, "utf-8")
    shell.clock.set("11:01:00")

    (slot,) = shell.json("next", "-n", "1")
    assert (slot["id"], slot["kind"]) == ("report@20261123T1130", "peak")
    assert slot["why"] == ":30 is in regular_minutes"


def test_a_watch_in_json_is_refused(shell: Shell) -> None:
    exit_code, out, err = shell.run("status", "--watch", "--json")

    assert (exit_code, out) == (2, "")
    assert "not both" in err


def test_send_prints_the_delivery_and_a_second_one_is_refused_with_its_id(shell: Shell) -> None:
    sent = shell.json("send", "안녕")
    assert (sent["state"], sent["text"], sent["kind"]) == ("confirmed", "안녕", "send")
    assert re.fullmatch(r"send-[0-9a-f]+@20261123T0930", sent["id"])

    exit_code, out, err = shell.run("send", "안녕")
    assert (exit_code, out) == (1, "")
    assert sent["id"] in err
    assert "--force" in err
    assert texts(shell.sandbox) == ["안녕"]

    assert shell.run("send", "안녕", "--force")[0] == 0
    assert texts(shell.sandbox) == ["안녕", "안녕"]


def test_send_reads_stdin(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    import io  # noqa: PLC0415 - for this test alone

    monkeypatch.setattr("sys.stdin", io.StringIO("표준 입력\n"))

    assert shell.run("send", "-")[0] == 0
    assert texts(shell.sandbox) == ["표준 입력"]
    assert shell.run("send", "표준 입력")[0] == 1


@pytest.mark.parametrize(
    ("fault", "exit_code"), [("", 0), ("-10", 0), ("-2", 1), ("cut-after", 1), ("401-twice", 1)]
)
def test_send_ends_as_the_delivery_did(shell: Shell, fault: str, exit_code: int) -> None:
    shell.run("tick")  # what is tried again is a tick's
    shell.sandbox.faults.enqueue(*([fault] if fault else []))

    assert shell.run("send", "안녕")[0] == exit_code


def test_what_is_left_to_ticks_where_none_runs_is_no_success(shell: Shell) -> None:
    shell.sandbox.faults.enqueue("-10")
    exit_code, out, err = shell.run("send", "안녕")

    assert exit_code == 1
    assert "tries again" in out
    assert err.startswith("No tick runs here")


def test_a_send_that_is_sent_again_by_itself_says_so(shell: Shell, tmp_path: Path) -> None:
    config = kakao_section(shell.sandbox) + '[delivery]\non_unknown = "resend"\n' + MESSAGE
    (tmp_path / "config.toml").write_text(config, "utf-8")
    shell.run("tick")
    shell.sandbox.faults.enqueue("cut-after")
    err = shell.run("send", "안녕")[2]

    assert "It is sent again by itself at 09:30:31" in err
    assert "Look at the chat" not in err


@pytest.mark.parametrize("phrase", ["지금", "now", "09:30"])
def test_a_pause_until_now_is_refused(shell: Shell, phrase: str) -> None:
    shell.clock.set("09:30:00")
    exit_code, out, err = shell.run("pause", "--until", phrase)

    assert (exit_code, out) == (2, "")
    assert err.startswith(f"'{phrase}' is now, so nothing would be paused. As in: --until")
    shell.clock.set("09:29:59")
    assert shell.run("pause", "--until", "09:30")[0] == 0


def test_a_past_end_of_a_pause_is_told_as_past(shell: Shell) -> None:
    exit_code, _, err = shell.run("pause", "--until", "어제")

    assert exit_code == 2
    assert err == "'어제' has passed; did you mean '2026-11-24 09:00'?\n"


def test_what_repeats_is_told_where_it_is_made(shell: Shell) -> None:
    exit_code, _, err = shell.run("schedule", "안녕", "--at", "매일 9시")

    assert exit_code == 2
    assert err.startswith("'매일 9시' repeats, and this takes one time.")
    assert "[[message]] in config.toml" in err


def test_a_preview_says_which_time_it_took(shell: Shell) -> None:
    exit_code, out, err = shell.run("preview", "--at", "내일 아침")

    assert exit_code == 0
    assert "보고 2026-11-24 09:00" in out
    assert err == "As at 2026-11-24 09:00 KST\n"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_an_id_is_the_same_however_its_hangul_was_typed(
    shell: Shell, tmp_path: Path, form: Literal["NFC", "NFD"]
) -> None:
    config = kakao_section(shell.sandbox) + MESSAGE.replace('"report"', '"보고"')
    (tmp_path / "config.toml").write_text(config, "utf-8")
    shell.clock.set("09:30:01")
    shell.sandbox.faults.enqueue("cut-after")
    shell.run("tick")
    id_ = normalize(form, "보고@20261123T0930")

    assert shell.json("show", id_)["id"] == "보고@20261123T0930"
    assert shell.json("explain", id_)["messages"][0]["state"] == "unknown"
    assert shell.run("resolve", id_, "--not-delivered")[0] == 0
    assert shell.run("retry", id_, "--at", "10:00")[0] == 0
    assert shell.run("cancel", id_)[0] == 0
    coming = normalize(form, "보고@20261123T0945")
    assert shell.run("cancel", coming)[1] == "보고@20261123T0945: cancelled\n"


def test_send_of_a_message_fills_it(shell: Shell) -> None:
    assert shell.run("send", "--message", "report")[0] == 0
    assert texts(shell.sandbox) == ["보고 2026-11-23 09:30"]


def test_totals_of_the_day_are_the_same_however_a_message_is_sent(
    after_a_morning: Shell, tmp_path: Path
) -> None:
    shell, config = after_a_morning, tmp_path / "config.toml"
    text = "{success_rate} {completed_count} {failed_count} {slot}"
    config.write_text(kakao_section(shell.sandbox) + MESSAGE.replace("보고", text), "utf-8")
    confirmed = shell.json("status")["stats"]["total_confirmed"]
    (shown,) = shell.json("preview", "--at", "09:30")
    sent = shell.json("send", "--message", "report")

    assert confirmed > 0
    assert shown["text"].split()[1:4] == [str(confirmed), "0", "peak"]
    assert sent["text"].split()[:4] == [*shown["text"].split()[:3], "send"]


@pytest.mark.parametrize("command", [["send", "안녕"], ["retry", "report@20261123T0900"]])
def test_nothing_is_sent_by_hand_while_the_ledger_is_damaged(
    after_a_morning: Shell, command: list[str]
) -> None:
    shell, before = after_a_morning, texts(after_a_morning.sandbox)
    ledger = find_places().ledger
    with Path(f"{ledger}/2026-11-23.jsonl").open("a") as file:
        file.write("nonsense\n")
    lines = Path(f"{ledger}/2026-11-23.jsonl").read_bytes()

    exit_code, out, err = shell.run(*command)
    assert (exit_code, out) == (74, "")
    assert "The ledger of 2026-11-23 is damaged, so nothing was sent" in err
    assert texts(shell.sandbox) == before
    assert Path(f"{ledger}/2026-11-23.jsonl").read_bytes() == lines
    assert shell.run("tick")[0] in {0, 1}
    assert shell.run("send", "안녕")[0] == 0


def test_a_tick_that_has_nothing_to_tell_prints_nothing(shell: Shell) -> None:
    assert shell.run("tick") == (0, "", "")
    assert shell.run("tick") == (0, "", "")


def test_a_dry_run_says_what_it_would_do_and_does_nothing(shell: Shell) -> None:
    exit_code, out, _ = shell.run("tick", "--dry-run")

    assert exit_code == 0
    assert "would send report@20261123T0930 to me" in out
    assert texts(shell.sandbox) == []
    assert shell.json("history") == []


def test_config_show_hides_secrets_and_check_counts_messages(shell: Shell) -> None:
    settings = shell.sandbox.kakao.settings
    shown = shell.json("config", "show")
    assert shown["message"][0]["name"] == "report"
    _, text, _ = shell.run("config", "show")

    assert settings.rest_api_key not in json.dumps(shown) + text
    assert str(settings.client_secret) not in json.dumps(shown) + text
    assert "1 message" in shell.run("config", "check")[1]
    assert shell.run("config", "path")[1].strip() == os.environ["KAKAOCRON_CONFIG"]


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("https://hooks.example.com/services/s3cret", "https://hooks.example.com/…"),
        ("https://hooks.example.com?key=s3cret", "https://hooks.example.com/…"),
        ("--url=https://me:s3cret@example.com", "--url=https://example.com/…"),
        ("redis://:s3cret@cache:6379/0 PING", "redis://cache:6379/… PING"),
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com/"),
        ("./report.sh", "./report.sh"),
    ],
)
def test_config_show_hides_what_stands_in_the_addresses_of_commands(
    shell: Shell, word: str, shown: str
) -> None:
    config = Path(os.environ["KAKAOCRON_CONFIG"])
    of_message = f'command = ["curl", "{word}"]\ndata_command = ["curl", "{word}"]'
    config.write_text(
        f'[monitor]\nalert_command = ["curl", "{word}"]\n'
        + MESSAGE.replace('text = "보고 {time:%Y-%m-%d %H:%M}"', of_message)
    )
    found = shell.json("config", "show")
    assert found["monitor"]["alert_command"] == ["curl", shown]
    assert found["message"][0]["command"] == found["message"][0]["data_command"] == ["curl", shown]
    assert shown in shell.run("config", "show")[1]
    assert word in shell.run("config", "show", "--raw")[1]


def test_ledger_path_verify_and_prune(after_a_morning: Shell) -> None:
    shell = after_a_morning
    folder = Path(os.environ["KAKAOCRON_DATA_DIR"]) / "ledger"
    assert shell.run("ledger", "path")[1].strip() == str(folder)
    verified = shell.json("ledger", "verify")
    assert (verified["days"], verified["findings"]) == (1, [])

    shell.clock.set("09:30:01", day=26)
    assert shell.run("ledger", "prune", "--days", "3")[0] == 0
    assert (folder / "2026-11-23.jsonl").exists()
    shell.clock.set("09:30:01", day=27)
    assert shell.run("ledger", "prune", "--days", "3")[0] == 0
    assert not (folder / "2026-11-23.jsonl").exists()


@pytest.mark.parametrize("command", [["status"], ["history"], ["next"]], ids=" ".join)
def test_in_a_pipe_there_is_no_colour_and_nothing_is_cut(
    after_a_morning: Shell, command: list[str]
) -> None:
    exit_code, out, _ = after_a_morning.run(*command)

    assert exit_code == 0
    assert "\x1b" not in out
    assert "report" in out


def test_the_log_has_the_lines_that_users_know(after_a_morning: Shell) -> None:
    log = (Path(os.environ["KAKAOCRON_LOG_DIR"]) / "kakaocron.log").read_text("utf-8")

    for words in (
        "📤 메시지 전송 시작: report@20261123T0830",
        "✅ 메시지 전송 성공: report@20261123T0830",
        "✅ 전송 확인 완료: report@20261123T0830",
        "🔄 메시지 재시도: report@20261123T0930",
        "❓ 전송 결과 불명: report@20261123T0900",
    ):
        assert words in log


def kakaocron(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kakaocron", *arguments],
        capture_output=True, text=True, timeout=60, check=False, **more,
    )  # fmt: skip


@pytest.mark.counted
def test_help_prints_the_table_of_exit_codes() -> None:
    told = kakaocron("--help").stdout

    for code in (0, 1, 2, 3, 70, 74, 75, 130):
        assert re.search(rf"^\W*{code}  ", told, re.MULTILINE), code


@pytest.mark.counted
def test_a_reader_that_goes_away_is_no_fault(shell: Shell) -> None:
    command = (
        f"{sys.executable} -m kakaocron next -n 5000 --json | head -1; echo ${{PIPESTATUS[0]}}"
    )
    ended = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.stdout == "[\n0\n"
    assert ended.stderr == ""


@pytest.mark.counted
def test_an_interrupt_ends_with_130_and_says_nothing(shell: Shell) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "kakaocron", "sandbox", "--port", "0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # A shell's background job, as this test may be one, has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert "listens" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, err) == (130, "")


KOREAN = {"PYTHONIOENCODING": "cp949"}
NO_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("variables", [KOREAN, NO_LOCALE], ids=["cp949", "ascii"])
@pytest.mark.parametrize("command", [["status"], ["history"], ["history", "--csv"], ["next"]])
def test_a_terminal_that_lacks_letters_gets_plain_ones(
    after_a_morning: Shell, variables: dict[str, str], command: list[str]
) -> None:
    argv = [sys.executable, "-m", "kakaocron", *command]
    ended = subprocess.run(argv, capture_output=True, check=False, env={**os.environ, **variables})

    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.decode("cp949" if variables is KOREAN else "ascii")


@pytest.mark.usefixtures("uncounted")
@pytest.mark.parametrize("longer", [-1, 0, 1, 10_000_000])
def test_an_error_line_has_an_end(capsys: pytest.CaptureFixture[str], longer: int) -> None:
    line = f"where: '{'1' * (LONGEST_LINE + longer - 20)}' what to do"
    complain(line)

    told = capsys.readouterr().err
    if longer <= 0:
        assert told == f"{line}\n"
    else:
        assert told.startswith("where: '111")
        assert told.endswith("111' what to do\n")
        assert len(told) == LONGEST_LINE + len(" … \n")


def test_a_file_full_of_digits_is_told_of_in_one_line_with_what_to_do(shell: Shell) -> None:
    pauses = find_places().data / "pauses.json"
    pauses.parent.mkdir(parents=True, exist_ok=True)
    pause = {"start": "2026-11-23T09:01:" + "1" * 5000, "message": None, "until": None}
    pauses.write_text(json.dumps({"v": 1, "pauses": [{**pause, "note": None, "resumed": False}]}))
    exit_code, _, told = shell.run("tick")

    assert exit_code == 74
    assert told.startswith(f"'{pauses}' cannot be read (")
    assert "2026-11-23T09:01:111" in told
    assert told.endswith("Fix the file, or remove it to pause nothing\n")
    assert len(told.splitlines()) == 1
    assert len(told) < 2 * LONGEST_LINE


@pytest.mark.parametrize("command", ["health", "doctor", "status"])
def test_a_fault_of_the_configuration_is_told_harmlessly(shell: Shell, command: str) -> None:
    config = find_places().config
    config.write_text(f'[schedule]\nquiet = ["\\u001b[31m\\n{"1" * 5000}"]\n')
    _, out, err = shell.run(command)

    told = out + err
    assert f"{config}:2: schedule.quiet[1]: " in told.replace("\n", "")
    assert "\x1b[31m" not in told
    assert told.count("1" * 50) > 0
    assert max(len(line) for line in told.splitlines()) < 2 * LONGEST_LINE


def test_marks_stay_different_in_plain_letters() -> None:
    codecs.register_error("plain", in_plain_letters)
    plain = [mark.encode("ascii", "plain").decode() for mark in MARKS.values()]

    assert len(set(plain)) == len(MARKS) - 1  # sending and sent are both on their way


@pytest.mark.parametrize("variables", [KOREAN, NO_LOCALE], ids=["cp949", "ascii"])
def test_json_is_the_same_in_every_encoding(
    after_a_morning: Shell, variables: dict[str, str]
) -> None:
    argv = [sys.executable, "-m", "kakaocron", "show", "report@20261123T0830", "--json"]
    ended = subprocess.run(argv, capture_output=True, check=True, env={**os.environ, **variables})

    assert json.loads(ended.stdout.decode("ascii")) == after_a_morning.json(*argv[3:-1])


def test_an_output_that_is_full_is_no_bug(after_a_morning: Shell) -> None:
    with Path("/dev/full").open("w") as full:
        for command in (["status"], ["history", "--json"], ["config", "path"]):
            argv = [sys.executable, "-m", "kakaocron", *command]
            ended = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, check=False)
            assert ended.returncode == 1
            assert ended.stderr.count(b"\n") == 1
            assert b"Cannot write: No space left on device" in ended.stderr


@pytest.mark.parametrize(
    "command", ["status", "history --json", "config path", "--help", "--show-completion bash"]
)
def test_an_output_that_is_open_for_reading_only_is_no_bug(shell: Shell, command: str) -> None:
    argv = [sys.executable, "-m", "kakaocron", *command.split()]
    # Else Typer asks what shell it stands in, and a bare machine's is none that it knows.
    env = {**buffered(), "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    with Path("/dev/null").open() as unwritable:
        ended = subprocess.run(
            argv, stdout=unwritable, stderr=subprocess.PIPE, check=False, env=env
        )

    said = b"Cannot write to stdout: Bad file descriptor\n"
    assert (ended.returncode, ended.stderr) == (2, said)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("status", 0),
        ("history --json", 0),
        ("tick --dry-run", 0),
        ("health", 1),
        ("show nothing@20261123T0830", 2),
        ("send -", 2),
        ("init --force --yes", 0),
    ],
)
def test_a_stream_that_the_caller_has_closed_is_no_bug(
    shell: Shell, closed: str, command: str, expected: int
) -> None:
    line = f'"$0" -m kakaocron {command} {closed}'
    argv = ["sh", "-c", line, sys.executable]
    ended = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)

    said = ended.stderr.decode()
    assert (ended.returncode, "bug" in said) == (expected, False), said
    log = find_places().log_file
    assert "Traceback" not in (log.read_text() if log.exists() else "")


@pytest.mark.counted
def test_a_stderr_that_takes_nothing_changes_no_exit_code(shell: Shell) -> None:
    argv = [sys.executable, "-m", "kakaocron", "show", "nothing@20261123T0830"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            argv, stdout=subprocess.PIPE, stderr=full, env=buffered(), check=False
        )

    assert (ended.returncode, ended.stdout) == (2, b"")


def buffered() -> dict[str, str]:
    """Return the environment in which Python holds output back, as it does for any user: what is
    left of it in the end, it tries to write after the program's own last line."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


@pytest.fixture(params=["full", "unread"])
def nowhere(request: pytest.FixtureRequest) -> Iterator[int]:
    """A file descriptor that takes nothing: a full disk's, or a pipe's whose reader has gone."""
    if request.param == "full":
        nowhere = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, nowhere = os.pipe()
        os.close(reader)
    yield nowhere
    os.close(nowhere)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("status", 0),
        ("health", 1),
        ("show nothing@20261123T0830", 2),
        ("history --no-such-option", 2),
        ("friends", 3),
    ],
)
def test_streams_that_take_nothing_leave_a_command_its_own_exit_code(
    shell: Shell, nowhere: int, command: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAKAO_REFRESH_TOKEN")

    def ended(stdout: int, stderr: int) -> subprocess.CompletedProcess[bytes]:
        argv = [sys.executable, "-m", "kakaocron", *command.split()]
        return subprocess.run(argv, stdout=stdout, stderr=stderr, env=buffered(), check=False)

    whole = ended(subprocess.PIPE, subprocess.PIPE)
    assert whole.returncode == expected
    assert ended(subprocess.PIPE, nowhere).returncode == expected
    # That its own output does not fit onto the disk is the command's error.
    is_full = os.fstat(nowhere).st_rdev != 0 and whole.stdout
    without_output = ended(nowhere, subprocess.PIPE)
    assert without_output.returncode == (1 if is_full else expected)
    assert b"Exception" not in without_output.stderr
    assert ended(nowhere, nowhere).returncode == without_output.returncode


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "-5% today"],
        ["send", "-5% today", "--force"],
        ["send", "--force", "-5% today", "--to", "me"],
        ["send", "--to", "me", "-5% today"],
        ["send", "--to=me", "-5% today"],
        ["send", "--", "-5% today"],
    ],
    ids=" ".join,
)
def test_a_text_that_begins_with_a_dash_is_sent(shell: Shell, arguments: list[str]) -> None:
    exit_code, out, err = shell.run(*arguments)
    assert (exit_code, err) == (0, "")
    assert "confirmed" in out
    assert texts(shell.sandbox) == ["-5% today"]


@pytest.mark.parametrize("text", ["-1", "- 하나\n- 둘", "--- 알림 ---", "-글", "-ab c", "--5"])
def test_lists_rules_and_negative_numbers_are_texts(shell: Shell, text: str) -> None:
    assert shell.run("send", text)[0] == 0
    assert shell.run("schedule", text, "--in", "5m")[0] == 0
    assert texts(shell.sandbox) == [text]


@pytest.mark.parametrize("text", ["-x", "--forse", "-hello", "--forse=1"])
def test_what_may_be_a_mistyped_option_is_not_sent_and_the_way_is_said(
    shell: Shell, text: str
) -> None:
    exit_code, out, err = shell.run("send", text)
    assert (exit_code, out) == (2, "")
    assert "kakaocron send -- '-text'" in err
    assert len(err.splitlines()) == 1
    assert texts(shell.sandbox) == []
    assert shell.run("send", "--", text)[0] == 0
    assert texts(shell.sandbox) == [text]


def test_the_help_says_how_a_line_break_and_a_dash_are_typed(shell: Shell) -> None:
    for command in ("send", "schedule"):
        said = " ".join(shell.run(command, "--help")[1].replace("│", "").split())
        assert r"$'first\nsecond'" in said
        assert "-- '-text'" in said
        assert "- to read it from stdin" in said


def test_schedule_prints_the_id_and_says_beside_it_what_was_understood(shell: Shell) -> None:
    exit_code, out, err = shell.run("schedule", "점심", "--at", "내일 오후 3시 반")
    assert exit_code == 0
    assert re.fullmatch(r"once-[0-9a-f]{16}@20261124T1530\n", out)
    assert err == (
        f"To me on 2026-11-24 (Tue) 15:30 KST. To take it back: kakaocron cancel {out.strip()}\n"
    )
    assert shell.run("cancel", out.strip())[0] == 0


def test_schedule_names_friends_as_the_configuration_does(shell: Shell) -> None:
    with Path(os.environ["KAKAOCRON_CONFIG"]).open("a", encoding="utf-8") as file:
        file.write('\n[friends]\n"지우" = "uuid-aaa"\n')
    err = shell.run("schedule", "점심", "--in", "1h", "--to", "지우", "--to", "me")[2]
    assert err.startswith("To 지우, me on 2026-11-23 (Mon) ")


def test_what_is_booked_is_listed_with_ids_and_texts_alone(shell: Shell) -> None:
    assert shell.run("next", "--booked")[1] == "Nothing is booked.\n"
    ids = [
        shell.run("schedule", text, "--in", span)[1].strip()
        for text, span in (("둘째 [b]", "48h"), ("첫째", "1h"))
    ]
    out = shell.run("next", "--booked")[1]
    assert [line.split()[3] for line in out.splitlines()[1:]] == ids[::-1]
    assert "둘째 [b]" in out
    assert "report" not in out
    assert [one["id"] for one in shell.json("next", "--booked")] == ids[::-1]
    shell.run("cancel", ids[0])
    assert [one["id"] for one in shell.json("next", "--booked")] == ids[1:]


def test_pauses_that_overlap_are_all_named(shell: Shell) -> None:
    def said(*arguments: str) -> list[str]:
        _, out, err = shell.run("pause", *arguments)
        return [*out.splitlines(), *err.splitlines()]

    with Path(os.environ["KAKAOCRON_CONFIG"]).open("a", encoding="utf-8") as file:
        file.write(MESSAGE.replace("report", "other"))
    before = "A pause from before holds too: "
    report = "'report' is paused until 2026-11-23 10:00"
    everything = "All messages are paused until: kakaocron resume"
    assert said("report", "--until", "10:00") == [report]
    assert said("other") == ["'other' is paused until: kakaocron resume other"]
    shell.clock.set("09:59")
    assert said("report", "--until", "11:00")[1:] == [f"{before}{report}"]
    shell.clock.set("10:00")
    assert said() == [
        everything,
        f"{before}'other' is paused until: kakaocron resume other",
        f"{before}'report' is paused until 2026-11-23 11:00",
    ]
    shell.run("resume")
    assert said() == [everything]
    assert said("report")[1:] == [f"{before}{everything}"]


def test_all_that_is_booked_is_listed_unless_a_count_is_given(shell: Shell) -> None:
    for minute in range(12):
        shell.run("schedule", f"m{minute}", "--at", f"2026-11-24 10:{minute:02d}")
    assert len(shell.json("next", "--booked")) == 12
    assert len(shell.json("next", "--booked", "-n", "11")) == 11
    assert len(shell.json("next")) == 10


def test_what_is_booked_names_its_message_or_the_beginning_of_its_text(shell: Shell) -> None:
    shell.run("schedule", "--message", "report", "--in", "1h")
    shell.run("schedule", "가" * 60, "--in", "2h")
    shell.run("schedule", "하나\n둘", "--in", "3h")

    _, *rows = shell.run("next", "--booked")[1].splitlines()
    assert [row.partition("scheduled by hand: ")[2] for row in rows] == [
        "message 'report'",
        f"{'가' * 39}…",
        "하나 둘",
    ]


def test_wide_rows_of_history_show_to_whom_and_what(shell: Shell) -> None:
    with Path(os.environ["KAKAOCRON_CONFIG"]).open("a", encoding="utf-8") as file:
        file.write('\n[friends]\n"[지우]" = "uuid-aaa"\n')
    shell.run("schedule", "첫 줄 [bold] :smile:\n둘째 줄", "--in", "5m", "--to", "[지우]")
    out = shell.run("history")[1]
    assert "[지우]" in out
    assert "첫 줄 [bold] :smile: 둘째 줄" in out


@pytest.mark.parametrize("is_file", [True, False])
def test_csv_begins_with_a_byte_order_mark_for_excel(
    after_a_morning: Shell, tmp_path: Path, is_file: bool
) -> None:
    argv = [sys.executable, "-m", "kakaocron", "history", "--csv"]
    path = tmp_path / "history.csv"
    with path.open("wb") as file:
        out = file if is_file else subprocess.PIPE
        ended = subprocess.run(argv, stdout=out, check=True)
    content = path.read_bytes() if is_file else ended.stdout
    assert content.startswith(b'\xef\xbb\xbf"id","message"')
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    # What is missed today is found on the real clock's days: only the form counts here.
    assert all(set(row) >= {"id", "state", "text"} for row in rows)


@pytest.mark.parametrize(
    "command", [["simulate"], ["config", "path"], ["cron", "show"]], ids=" ".join
)
def test_a_bug_of_any_command_is_in_the_log(
    shell: Shell, command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path | None) -> None:
        raise KeyError("no such key")

    monkeypatch.setattr(f"kakaocron.commands.{command[0]}.find_places", broken)
    exit_code, out, err = shell.run(*command)
    logged = find_places().log_file.read_text("utf-8")

    assert (exit_code, out) == (70, "")
    assert re.fullmatch(r"kakaocron has a bug: KeyError at test_cli.py:\d+; .*kakaocron.log\n", err)
    assert "in broken\n" in logged
    assert logged.endswith("KeyError: 'no such key'\n\n")


BRACKETS = re.compile(r"\[/?[a-z#@][^\[\]]*\]")


def test_no_help_loses_what_stands_in_brackets(shell: Shell) -> None:
    """Typer takes [words] for styles of Rich's."""
    package = Path(__file__).parent.parent / "kakaocron"
    sources = [*(package / "commands").glob("*.py"), package / "cli.py"]
    told = {
        found
        for path in sources
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.keyword) and node.arg in {"help", "epilog"}
        for text in ast.walk(node.value)
        if isinstance(text, ast.Constant) and isinstance(text.value, str)
        for found in BRACKETS.findall(text.value)
    }
    assert told == set()
