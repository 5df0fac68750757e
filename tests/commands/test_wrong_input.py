"""Whatever is wrong with what the user gave: one line that says what to do, and its exit code."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kakaocron.cli import run
from kakaocron.config.reading import load_config, parse_config
from kakaocron.errors import UsageError
from kakaocron.system.log import log, log_to_file
from tests.commands.broken_configs import BROKEN, MESSAGE, Broken
from tests.fakes import live_in

LEDGER_LINE = b'{"v":1,"half a line'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation with a ledger; its configuration is for the test to write."""
    ledger = tmp_path / "data" / "ledger"
    ledger.mkdir(parents=True)
    (ledger / "2026-11-23.jsonl").write_bytes(LEDGER_LINE)
    return live_in(tmp_path, monkeypatch)


def write(path: Path, content: str | bytes) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def ledger_is_untouched(config: Path) -> bool:
    folder = config.parent / "data" / "ledger"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return files == {"2026-11-23.jsonl": LEDGER_LINE}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.name)
def test_a_broken_configuration_is_told_in_one_line_and_nothing_is_done(
    broken: Broken, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, broken.text)

    assert run(["tick"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert len(told.err) < 600
    place = str(config) if broken.line is None else f"{config}:{broken.line}:"
    for words in (place, broken.key, *broken.said):
        assert words in told.err
    assert "s3cret" not in told.err
    assert ledger_is_untouched(config)

    assert run(["config", "check"]) == 2
    assert capsys.readouterr().err == told.err


def test_the_check_names_a_friend_who_is_not_there_and_the_nearest(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, f'[friends]\n"지우" = "uuid-aaa"\n{MESSAGE}to = ["지유"]\n')

    assert run(["config", "check"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{config}:7: message[1].to")
    assert "did you mean '지우'?" in told


def test_the_check_names_an_alert_command_that_is_not_there(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = '[monitor]\nalert_command = ["bin/tell", "me"]\n' + MESSAGE
    write(config, told)
    assert run(["config", "check"]) == 2
    assert capsys.readouterr().err.startswith(f"{config}:2: monitor.alert_command: there is no")

    (config.parent / "bin").mkdir()
    (config.parent / "bin" / "tell").write_text("#!/bin/sh\n")
    (config.parent / "bin" / "tell").chmod(0o700)
    assert run(["config", "check"]) == 0


def test_the_check_names_each_fault_on_a_line_of_its_own(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = MESSAGE.replace('"report"', '"other"')
    faulty = [text.replace("보고", "{nothing}") for text in (MESSAGE, other)]
    write(config, "".join(faulty))

    assert run(["config", "check"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.partition(" ")[0] for line in told.err.splitlines()] == [
        f"{config}:4:",
        f"{config}:8:",
    ]


FAULTY = """\
[kakao]
timeout = "x"
timeuot = 5

[schedule]
quiet = ["25:00-06:30"]
peak_hours = [7, 24]

[friends]
"지우" = 5

[[message]]
name = "a b"
slots = ["regular"]
text = 5
timeout = 90

[[message]]
name = "second"
slots = ["pek"]
txet = "x"

[[message]]
name = "third"

[[message]]
slots = ["regular"]
text = "x"
days = []

[monitr]
ping_url = "x"
"""


def test_the_check_names_every_fault_of_the_file_and_none_that_follows_from_another(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, FAULTY)

    assert run(["tick"]) == 2
    assert capsys.readouterr().err.endswith(" (13 more: kakaocron config check)\n")
    assert run(["config", "check"]) == 2
    told = [line.removeprefix(f"{config}:") for line in capsys.readouterr().err.splitlines()]
    assert sorted((int(line.split(":")[0]), line.split(": ")[1]) for line in told) == [
        (2, "kakao.timeout"),
        (3, "kakao.timeuot"),
        (6, "schedule.quiet[1]"),
        (7, "schedule.peak_hours[2]"),
        (10, "friends.지우"),
        (13, "message[1].name"),
        (15, "message[1].text"),
        (16, "message[1].timeout"),
        (20, "message[2].slots[1]"),
        (21, "message[2].txet"),
        (23, "message[3]"),
        (26, "message[4].name"),
        (29, "message[4].days"),
        (31, "monitr"),
    ]


OF_ALL_KINDS = """\
[kakao]
timeuot = 5
[delivery]
retry_delays = [900]
[[message]]
name = "one"
slots = ["regular"]
command = ["./no-such-program"]
[[message]]
name = "two"
slots = ["regular"]
text = 5
to = ["nobody at all"]
[[message]]
name = "one"
slots = ["regular"]
text = "{nothing}"
[profile.developement.delivery]
max_retries = 1
[profile.testing.ledger]
keep_days = 1
"""


def test_the_check_names_at_once_all_that_can_be_known(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, OF_ALL_KINDS)

    assert run(["config", "check"]) == 2
    told = capsys.readouterr().err.splitlines()
    assert sorted(line.removeprefix(f"{config}:").split(": ")[:2] for line in told) == [
        ["12", "message[2].text"],
        ["15", "message[3].name"],
        ["17", "message[3].text"],
        ["18", "profile.developement"],
        ["2", "kakao.timeuot"],
        ["21", "ledger.keep_days"],
        ["4", "delivery.retry_delays"],
        ["8", "message[1].command"],
    ]


def test_what_comes_of_a_fault_is_no_fault_of_its_own(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message to a friend whose table is faulty; two that are the same as faulty ones go."""
    friends = '[friends]\n"민지" = 5\n[[message]]\nname = "a"\nslots = ["regular"]\ntext = "x"\n'
    twice = '[[message]]\nnames = "b"\nslots = ["regular"]\ntext = "x"\n' * 2
    write(config, f'{friends}to = ["민지"]\n{twice}')

    assert run(["config", "check"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == told.count("민지") + told.count("message[2]") + told.count(
        "message[3]"
    )
    assert "receiver" not in told and "two messages" not in told


def test_the_check_names_the_faults_of_every_profile(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profiles = "[profile.testing.kakao]\ntimeout = 0\n[profile.production.ledger]\nkeep_days = 1\n"
    write(config, MESSAGE + profiles)

    assert run(["config", "check"]) == 2
    told = capsys.readouterr().err
    assert [(f"{config}:{n}: " in told) for n in (6, 8)] == [True, True]
    assert "(in profile 'testing')" in told and "(in profile 'production')" in told


def test_a_file_that_is_all_faults_comes_to_an_end(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, "".join(f"key{n} = {n}\n" for n in range(5000)))

    assert run(["config", "check"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 50


def test_the_table_has_no_line_twice() -> None:
    assert len({broken.text for broken in BROKEN}) == len(BROKEN) >= 40


@pytest.mark.parametrize(
    "arguments",
    [
        ["tick"],
        ["tick", "--dry-run"],
        ["send", "안녕"],
        ["status"],
        ["status", "--json"],
        ["history"],
        ["show", "report@20261123T0930"],
        ["next"],
        ["config", "check"],
        ["config", "show"],
    ],
    ids=" ".join,
)
def test_every_command_that_needs_the_configuration_tells_the_same_of_it(
    arguments: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, "[kakao]\ntimeuot = 5\n")

    assert run(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == (f"{config}:2: kakao.timeuot: unknown key; did you mean 'timeout'?\n")
    assert ledger_is_untouched(config)


@pytest.mark.parametrize("trouble", ["broken", "gone", "unwritable"])
def test_a_tick_by_hand_says_what_was_told_before_and_the_log_has_it_once(
    trouble: str,
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    texts = {"broken": f"{MESSAGE}[schedul]\n", "unwritable": MESSAGE}
    if trouble in texts:
        write(config, texts[trouble])
    if trouble == "unwritable":
        monkeypatch.setenv("KAKAOCRON_DATA_DIR", "/proc/nowhere")
    told = []
    for is_terminal in (False, False, True, True, False):
        monkeypatch.setattr(sys.stderr, "isatty", lambda is_terminal=is_terminal: is_terminal)
        assert run(["tick"]) in {2, 74}
        told.append(capsys.readouterr().err)

    first, *others = told
    assert first.count("\n") == 1
    assert others == ["", first, first, ""]
    (logged,) = tmp_path.rglob("kakaocron.log")
    assert logged.read_text("utf-8").count(first.strip()) == 1


def test_a_tick_tells_of_a_broken_configuration_once_and_again_after_it_was_mended(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = []
    for text in ("[kakoa]", "[kakoa]", "[kakoa]", "[monitr]", "", "[kakoa]"):
        write(config, text)
        exit_code = run(["tick"])
        told.append((exit_code, capsys.readouterr().err.count("unknown key")))

    assert told == [(2, 1), (2, 0), (2, 0), (2, 1), (0, 0), (2, 1)]


def test_a_file_that_starts_with_a_byte_order_mark_is_read(config: Path) -> None:
    write(config, b"\xef\xbb\xbf" + MESSAGE.encode())

    assert load_config(config).message[0].name == "report"


def test_a_file_with_the_line_ends_of_windows_is_read(config: Path) -> None:
    write(config, MESSAGE.replace("\n", "\r\n"))

    assert load_config(config).message[0].text == "보고"


def test_a_missing_configuration_says_how_to_make_one(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["tick"]) == 2
    assert capsys.readouterr().err == (
        f"There is no configuration at '{config}'. Make one: kakaocron init\n"
    )


def test_a_folder_in_place_of_the_file_is_told(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.mkdir()

    assert run(["tick"]) == 2
    assert capsys.readouterr().err == f"Cannot read '{config}': Is a directory\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_told(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, MESSAGE)
    config.chmod(0)

    assert run(["tick"]) == 2
    assert capsys.readouterr().err == f"Cannot read '{config}': Permission denied\n"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ENVIRONMENT", "prod", "did you mean 'production'?"),
        ("ENVIRONMENT", "x", "must be one of development, production, testing"),
        ("KAKAO_REST_API_KEY_FILE", "/nowhere/key", "cannot read '/nowhere/key'"),
    ],
)
def test_a_wrong_variable_is_told(
    name: str,
    value: str,
    said: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(config, MESSAGE)
    monkeypatch.setenv(name, value)

    assert run(["tick"]) == 2
    told = capsys.readouterr().err
    assert name in told
    assert said in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"KAKAO_REFRESH_TOKEN SECRET\n", 1),
        (b"A=1\n\nexport KAKAO_SECRET\n", 3),
        (b"A=\xffSECRET", None),
    ],
)
def test_a_broken_env_file_is_told_without_quoting_it(
    content: bytes, line: int | None, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, MESSAGE)
    (config.parent / ".env").write_bytes(content)

    assert run(["tick"]) == 2
    told = capsys.readouterr().err
    assert (f"{config.parent}/.env:{line}:" if line else f"{config.parent}/.env") in told
    assert "SECRET" not in told


@pytest.mark.parametrize("line", ["rest_api_key = {0}", "client_secret = [{0}]", "[{0}", "x={0}!"])
def test_no_secret_of_the_configuration_is_quoted(
    line: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, f"[kakao]\n{line.format('12345678901234567890')}\n")

    assert run(["tick"]) == 2
    assert "1234567890" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["tock"],
        ["tick", "now"],
        ["tick", "--fast"],
        ["send"],
        ["send", "a", "b"],
        ["send", "a", "--message", "b"],
        ["history", "--state", "fine"],
        ["history", "--days", "0"],
        ["history", "--days", "ten"],
        ["next", "-n", "0"],
        ["show"],
        ["config"],
        ["config", "chekc"],
        ["ledger", "prune"],
        ["ledger", "prune", "--days", "0"],
        ["--nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_in_one_line(
    arguments: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, MESSAGE)

    assert run(arguments) == 2
    told = capsys.readouterr()
    if arguments != ["config"]:  # that prints its help
        assert told.err.count("\n") == 1
    assert "Traceback" not in told.err + told.out
    assert ledger_is_untouched(config)


@pytest.mark.parametrize(
    "id_",
    [
        "x",
        "report@20261123T0931",
        "report@20261399T0930",
        "../../etc/passwd",
        "a@b",
        "",
        "@",
        "\x1b[31m",
    ],
)
def test_an_id_that_is_none_is_told(
    id_: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, MESSAGE)

    assert run(["show", id_]) == 2
    told = capsys.readouterr().err
    assert "kakaocron history" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize(
    "text", ["", " ", "가" * 201, "\ud800"], ids=["empty", "blank", "201", "half a pair"]
)
def test_a_text_that_kakao_would_not_take_is_refused_before_the_ledger(
    text: str, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, MESSAGE)

    assert run(["send", text]) == 2
    assert capsys.readouterr().err.startswith("Cannot send this: ")
    assert ledger_is_untouched(config)


@pytest.mark.parametrize("arguments", [["--image", "none.png"], ["--link", "shop.example.com"]])
def test_a_text_whose_picture_or_link_is_wrong_is_refused_in_korean_too(
    arguments: list[str],
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(config, MESSAGE)
    monkeypatch.setenv("KAKAOCRON_LANGUAGE", "ko")

    assert run(["send", "aaa", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert ledger_is_untouched(config)


@pytest.mark.parametrize("command", [["send", "aaa"], ["schedule", "aaa", "--in", "5m"]])
def test_a_receiver_who_is_no_friend_is_refused_before_the_ledger(
    command: list[str], config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, MESSAGE)

    assert run([*command, "--to", "mom"]) == 2
    assert capsys.readouterr().err == (
        "'mom' is neither in [friends] nor a uuid. See: kakaocron friends\n"
    )
    assert ledger_is_untouched(config)


@pytest.mark.parametrize("command", [["send", "-"], ["schedule", "-", "--in", "5m"]])
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_a_stdin_that_is_no_text_is_told(
    command: list[str],
    errors: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(config, MESSAGE)
    stdin = io.TextIOWrapper(io.BytesIO(b"\xff\xfe bad"), "utf-8", errors)
    monkeypatch.setattr("sys.stdin", stdin)

    assert run(command) == 2
    assert capsys.readouterr().err == "stdin is not UTF-8 text; nothing was done\n"


def test_a_note_that_is_no_text_pauses_nothing(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, MESSAGE)

    assert run(["pause", "--note", os.fsdecode(b"\xff")]) == 2
    assert capsys.readouterr().err == "--note is not UTF-8 text; nothing was done\n"
    assert not (config.parent / "data" / "pauses.json").exists()


def test_wrong_usage_names_the_commands_own_help(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["schedule", "a", "--next", "foo"]) == 2
    told = capsys.readouterr().err
    assert "Value error" not in told
    assert told.endswith(" Try: kakaocron schedule --help\n")
    assert run(["tock"]) == 2
    assert capsys.readouterr().err.endswith(" Try: kakaocron --help\n")


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ("config show --no", "config show"),
        ("cron install --nope", "cron install"),
        ("ledger prune", "ledger prune"),
        ("ledger prune --days many", "ledger prune"),
        ("config nope", "config"),
        ("--config x.toml history --days 0", "history"),
        ("--config x.toml send 안녕 --nope", "send"),
        ("--nope", ""),
    ],
)
def test_wrong_usage_points_to_the_help_of_that_very_command(
    arguments: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments.split()) == 2
    told = capsys.readouterr().err
    assert told.endswith(f" Try: {f'kakaocron {command}'.strip()} --help\n")
    assert ("kakaocron send -- '-text'" in told) == (command == "send")


def test_the_folders_of_the_log_are_private(config: Path, tmp_path: Path) -> None:
    log_to_file(tmp_path / "state" / "log" / "kakaocron.log")
    for folder in (tmp_path / "state", tmp_path / "state" / "log"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_log_on_a_full_disk_can_be_closed_and_opened_anew(config: Path, tmp_path: Path) -> None:
    (tmp_path / "kakaocron.log").symlink_to("/dev/full")
    for _ in range(2):
        log_to_file(tmp_path / "kakaocron.log")
        log.error("this does not fit")


def test_a_message_that_is_not_there_is_told_with_those_that_are(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(config, MESSAGE)

    assert run(["send", "--message", "reprot"]) == 2
    told = capsys.readouterr().err
    assert "'reprot'" in told
    assert "report" in told.replace("reprot", "")


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace"))
)
def test_any_bytes_are_a_configuration_or_one_line(config: Path, content: bytes) -> None:
    config.write_bytes(content)
    try:
        load_config(config)
    except UsageError as error:
        assert str(config) in str(error)
        assert "\n" not in str(error)


_VALUES = st.recursive(
    st.sampled_from(["0", "-1", "1.5", "true", '"x"', "nan", "2026-11-23", '"09:00-10:00"', "[]"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]")
        | inner.map(lambda item: f"{{ a = {item} }}")
    ),
    max_leaves=4,
)


@given(
    st.sampled_from(
        [
            "kakao.link",
            "kakao.timeout",
            "schedule.regular_minutes",
            "schedule.days",
            "schedule.quiet",
            "delivery",
            "delivery.retry_delays",
            "delivery.max_retries",
            "friends",
            "monitor.alert_urls",
            "message",
            "profile",
            "profile.testing",
            "ledger.keep_days",
            "kakao.client_secret",
            "schedule.peak_hours",
        ]
    ),
    _VALUES,
)
def test_any_value_of_any_key_is_taken_or_refused_with_its_line(key: str, value: str) -> None:
    try:
        parse_config(f"\n{key} = {value}\n", "config.toml")
    except UsageError as error:
        assert str(error).startswith("config.toml:2: ")
        assert "\n" not in str(error)


def test_a_whole_process_ends_with_2_and_one_line(config: Path) -> None:
    write(config, "[kakoa]\n")
    ended = subprocess.run(
        [sys.executable, "-m", "kakaocron", "tick"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"{config}:1: kakoa: unknown key; did you mean 'kakao'?\n"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("blank", [" ", "\t"])
def test_tabs_line_ends_and_byte_order_marks_are_no_faults(
    config: Path, ends: str, mark: str, blank: str
) -> None:
    text = '[friends]\n"지우" = "uuid-aaa" # “친구”\n' + MESSAGE + 'to = ["지우"]\n'
    write(config, mark + text.replace(" ", blank).replace("\n", ends))

    assert load_config(config).message[0].to == ("지우",)
    assert run(["config", "check"]) == 0


CHECKED = [
    ("scrap_url", '"www.naver.com"', "must be an address such as https://"),
    ("scrap_url", '"https:/www.naver.com"', "must be an address"),
    ("scrap_url", '"https://www.naver.com/a b"', "must be an address"),
    ("scrap_url", '"ftp://www.naver.com"', "must be an address"),
    ("scrap_url", '"naver.com/{date}"', "must be an address"),
    ("file", '"C:\\temp\\new.txt"', "control character"),
    ("data_file", '"C:\\temp\\new.json"', "control character"),
    (
        "template",
        '{ object_type = "text", text = "x", link = { web_url = "www.x.kr" } }',
        "address",
    ),
    (
        "template",
        '{ object_type = "text", text = "x", link = { web_url = "https://" } }',
        "address",
    ),
    (
        "template",
        '{ object_type = "feed", content = { link = { web_url = "https://x.kr" }, '
        'image_url = "x.kr/a.png" } }',
        "address",
    ),
]


@pytest.mark.parametrize(("key", "value", "said"), CHECKED)
def test_the_check_finds_addresses_and_files_that_are_none(
    config: Path, capsys: pytest.CaptureFixture[str], key: str, value: str, said: str
) -> None:
    head = '[[message]]\nname = "report"\nslots = ["regular"]\n'
    text = 'text = "x"\n' if key == "data_file" else ""
    write(config, f"{head}{key} = {value}\n{text}")

    assert run(["config", "check"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{config}:4: message[1].{key}")
    assert said in told


def test_an_address_that_begins_with_a_placeholder_waits_for_its_data(config: Path) -> None:
    head = '[[message]]\nname = "report"\nslots = ["regular"]\n'
    write(config, head + 'scrap_url = "{page}"\ndata = { page = "https://x.kr" }\n')
    assert run(["config", "check"]) == 0
    assert run(["preview"]) == 0
    write(config, head + 'scrap_url = "{page}"\ndata = { page = "x.kr" }\n')
    assert run(["preview"]) == 1


@pytest.mark.parametrize("uuid", ["…", "uuid aaa", "uuid-aaa ", "", "지우", "me"])
def test_the_check_finds_a_friend_without_a_uuid(
    config: Path, capsys: pytest.CaptureFixture[str], uuid: str
) -> None:
    write(config, f'[friends]\nmum = "{uuid}"\n{MESSAGE}')

    assert run(["config", "check"]) == 2
    assert capsys.readouterr().err.startswith(f"{config}:2: friends.mum: is no uuid")


COMMANDS = [
    ('["./report.sh"]', b"#!/bin/sh\necho x\n", 0o600, "chmod +x"),
    ('["./report.sh"]', b"echo x\n", 0o700, "names no interpreter"),
    ('["./report.sh"]', b"#!/bin/sh\r\necho x\r\n", 0o700, "end as on Windows"),
    ('["./report.sh"]', b"#!/nowhere/python\nprint()\n", 0o700, "'/nowhere/python'"),
    ('["report.sh"]', b"#!/bin/sh\n", 0o700, "write './report.sh'"),
    ('["sh report.sh"]', b"#!/bin/sh\n", 0o700, 'as in ["sh", …]'),
    ('["./other.sh"]', b"#!/bin/sh\n", 0o700, "there is no command './other.sh'"),
]


@pytest.mark.parametrize(("argv", "script", "mode", "said"), COMMANDS)
def test_a_script_that_cannot_be_run_says_what_to_do(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    argv: str,
    script: bytes,
    mode: int,
    said: str,
) -> None:
    write(config, f'[[message]]\nname = "report"\nslots = ["regular"]\ncommand = {argv}\n')
    path = config.parent / "report.sh"
    path.write_bytes(script)
    path.chmod(mode)

    assert run(["config", "check"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"{config}:4: message[1].command: ")
    assert said in told
    if argv == '["./report.sh"]':  # what the message itself says, when its time comes
        assert run(["preview"]) == 1
        assert said in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("crontab", "exit_code", "is_told"),
    [
        ("* * * * * kakaocron tick --config {config}", 2, True),
        ("PATH={here}:/usr/bin\n* * * * * kakaocron tick --config {config}", 0, False),
        ("PATH=/usr/bin\n* * * * * PATH={here} kakaocron tick --config {config}", 0, False),
        ("", 0, True),  # something else may start the ticks
    ],
)
def test_the_check_looks_for_programs_where_cron_does(
    config: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    crontab: str,
    exit_code: int,
    is_told: bool,
) -> None:
    write(config, '[[message]]\nname = "report"\nslots = ["regular"]\ncommand = ["scores"]\n')
    here = config.parent / "bin"
    here.mkdir()
    lines = crontab.format(config=config, here=here)
    for name, script in (("scores", "echo x"), ("crontab", f"printf '%s\\n' '{lines}'")):
        (here / name).write_text(f"#!/bin/sh\n{script}\n")
        (here / name).chmod(0o700)
    monkeypatch.setenv("PATH", f"{here}:{os.environ['PATH']}")

    assert run(["config", "check"]) == exit_code
    told = "message[1].command: there is no command 'scores'; give its absolute path (cron's PATH"
    assert (told in capsys.readouterr().err) is is_told
    (here / "scores").unlink()
    assert run(["config", "check"]) == 2
    assert capsys.readouterr().err.startswith(f"{config}:4: message[1].command: there is no comm")


def test_a_secret_whose_file_is_not_there_says_what_to_do(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(config, MESSAGE)
    monkeypatch.setenv("KAKAO_REST_API_KEY_FILE", "/no/such/key")
    for command in (["config", "check"], ["tick"]):
        assert run(command) == 2
        told = capsys.readouterr().err
        assert "KAKAO_REST_API_KEY_FILE: cannot read '/no/such/key' (No such file" in told
        assert "or take KAKAO_REST_API_KEY_FILE out of the .env or environment" in told
    assert run(["doctor", "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    (found,) = (one for one in findings if one["name"] == "config")
    assert found["what"].endswith("cannot read '/no/such/key' (No such file or directory)")
    assert found["mend"].startswith("Put the secret into that file")


def test_a_script_with_its_x_bit_is_run(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = '[[message]]\nname = "report"\nslots = ["regular"]\n'
    write(config, head + 'command = ["./report.sh"]\n')
    (config.parent / "report.sh").write_text("#!/bin/sh\necho 보고\n")
    (config.parent / "report.sh").chmod(0o700)

    assert run(["config", "check"]) == 0
    assert run(["preview"]) == 0
    assert "보고" in capsys.readouterr().out
