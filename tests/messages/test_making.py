"""Every kind of content, as it arrives at the sandbox; and what goes wrong with it."""

from __future__ import annotations

import json
import sys
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as changed

from kakaocron import actions
from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.errors import ContentError
from kakaocron.installation import Installation
from kakaocron.kst import KST
from kakaocron.language.catalogue import catalogue_of
from kakaocron.language.words import speak
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.lookup import find_delivery
from kakaocron.ledger.stats import Slots
from kakaocron.messages.faults import faults
from kakaocron.messages.making import Contents
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.schedule.slots import Slot
from kakaocron.states import Reason, State
from kakaocron.system.programs import Programs
from kakaocron.text.placeholders import BUILT_IN
from kakaocron.text.plain import utf16_units
from kakaocron.watching.sentences import detail_of
from tests.fakes import MESSAGE, FakeClock, day_file, install, run_tick, texts
from tests.test_actions import at

HEAD = '[[message]]\nname = "m"\nslots = ["regular"]\n'


def arrived(folder: Path, sandbox: SandboxServer, clock: FakeClock, config: str) -> list[str]:
    installation = install(folder, sandbox, clock, HEAD + config)
    run_tick(installation)
    return texts(sandbox)


def python(code: str) -> str:
    return json.dumps([sys.executable, "-c", code])


def test_a_file_is_filled_and_sent(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    (tmp_path / "words.txt").write_text("{time:%H:%M} 안녕\n", "utf-8")
    assert arrived(tmp_path, sandbox, clock, 'file = "words.txt"') == ["09:30 안녕"]


def test_what_a_command_prints_is_sent_as_it_is(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = f"command = {python('print(chr(123) + chr(0xAC00))')}"
    assert arrived(tmp_path, sandbox, clock, config) == ["{가"]


PRINT_DATA = "import pathlib; print(pathlib.Path('data.json').read_text('utf-8'))"


@pytest.mark.parametrize(
    "data",
    [
        'data_file = "data.json"',
        f"data_command = {python(PRINT_DATA)}",
        'data = { score = 1200, riders = ["가", "나"] }',
    ],
)
def test_data_fill_placeholders(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, data: str
) -> None:
    (tmp_path / "data.json").write_text('{"score": 1200, "riders": ["가", "나"]}', "utf-8")
    config = f'text = "📈 총점: {{score:,}}점 {{riders}}"\n{data}'
    assert arrived(tmp_path, sandbox, clock, config) == ['📈 총점: 1,200점 ["가", "나"]']


def test_a_template_goes_out_with_its_buttons(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = """
data = { price = 9900 }
template.object_type = "commerce"
template.content = { title = "{name} 특가", link = { web_url = "https://example.com" } }
template.commerce = { regular_price = "{price}", product_name = "우유" }
template.buttons = [{ title = "사기", link = { web_url = "https://example.com/{price}" } }]
"""
    assert arrived(tmp_path, sandbox, clock, config) == ["m 특가"]


def test_a_custom_template_and_a_scrap_are_sent(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = (
        'template_id = 3135\ntemplate_args = { score = "{score}점", n = 3 }\ndata = {score = 7}'
    )
    second = HEAD.replace('"m"', '"s"') + 'scrap_url = "https://example.com/{date}"'
    arrived(tmp_path, sandbox, clock, f"{config}\n{second}")
    found = sorted((d.path, dict(d.template)) for d in sandbox.deliveries)
    assert found == [
        ("/v2/api/talk/memo/scrap/send", {"request_url": "https://example.com/2026-11-23"}),
        (
            "/v2/api/talk/memo/send",
            {"template_id": "3135", "template_args": {"score": "7점", "n": "3"}},
        ),
    ]


def test_todays_totals_are_placeholders(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = (
        'text = "{completed_count} 성공, {failed_count} 실패, {success_rate}, {success_rate:.0%}"'
    )
    installation = install(tmp_path, sandbox, clock, HEAD + config)
    sandbox.faults.enqueue("-2")
    for clock_time in ("09:30", "10:00", "10:30"):
        clock.set(clock_time)
        run_tick(installation)
    assert texts(sandbox) == ["0 성공, 1 실패, 0.0%, 0%", "1 성공, 1 실패, 50.0%, 50%"]


def test_a_long_text_arrives_in_numbered_parts_in_order(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    whole = "동해 물과 백두산이 " * 40
    found = arrived(tmp_path, sandbox, clock, f'text = "{whole}"\noverflow = "split"')
    assert [text[:6] for text in found] == [
        f"({n}/{len(found)}) " for n in range(1, len(found) + 1)
    ]
    assert "".join(text[6:] for text in found) == whole


def test_parts_that_arrived_are_not_sent_again_and_the_rest_is_of_the_same_text(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    counter = tmp_path / "count"
    counter.write_text("0")
    code = (
        "import pathlib; p = pathlib.Path('count'); n = int(p.read_text()) + 1; "
        "p.write_text(str(n)); print(str(n) * 500)"
    )
    installation = install(
        tmp_path, sandbox, clock, HEAD + f'command = {python(code)}\noverflow = "split"'
    )
    sandbox.faults.enqueue("date=0", "-10")
    run_tick(installation)
    assert len(texts(sandbox)) == 1
    clock.set("09:31")
    run_tick(installation)
    assert "".join(text[6:] for text in texts(sandbox)) == "1" * 500
    assert one(installation, "m@20261123T0930").state is State.CONFIRMED


def one(installation: Installation, id_: str) -> Delivery:
    return find_delivery(installation.ledger, id_)


WRONG = [
    ("command", "import time; time.sleep(60)", "took longer"),
    ("command", "for _ in range(1024): print('x' * (1 << 20))", "more than"),
    ("command", "raise SystemExit(3)", "exit code 3"),
    ("command", "import sys; sys.stdout.buffer.write(b'\\xff\\xfe')", "not UTF-8"),
    ("command", "pass", "the text is empty"),
    ("command", "print('x' * 500)", "500 characters"),
    ("data_command", "print('no json')", "gives no JSON"),
    ("data_command", "print('[1]')", "no object"),
    ("data_command", "print('[' * 50000)", "gives no JSON"),
    ("data_command", "print('{}')", "no value for '{score}'"),
]


@pytest.mark.parametrize(("key", "code", "said"), WRONG)
def test_wrong_content_is_a_reason_in_the_ledger_and_other_messages_go_out(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, key: str, code: str, said: str
) -> None:
    seconds = 0.5 if said == "took longer" else 20
    wrong = f"timeout = {seconds}\n{key} = {python(code)}\n"
    wrong += 'text = "{score}"\n' if key == "data_command" else ""
    installation = install(tmp_path, sandbox, clock, HEAD + wrong + MESSAGE)
    run_tick(installation)
    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    found = one(installation, "m@20261123T0930")
    assert (found.state, found.reason) == (State.RETRYING, Reason.CONTENT_FAILED)
    assert said in (detail_of(found) or "")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('file = "absent.txt"', "No such file"),
        ('template = { object_type = "text", text = "안녕" }', "template.link: is missing"),
        ('text = "{absent}"', "no value for '{absent}'"),
        ('text = "' + "가" * 201 + '"', "201 characters"),
    ],
)
def test_a_fault_of_the_configuration_keeps_only_its_own_message_back(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, config: str, said: str
) -> None:
    installation = install(tmp_path, sandbox, clock, f"{HEAD}{config}\n{MESSAGE}")
    run_tick(installation)
    assert texts(sandbox) == ["보고 2026-11-23 09:30"]
    found = one(installation, "m@20261123T0930")
    assert found.reason is Reason.CONTENT_FAILED
    assert said in (detail_of(found) or "")


def test_content_that_recovers_is_sent_by_a_retry(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, HEAD + 'file = "late.txt"')
    run_tick(installation)
    (tmp_path / "late.txt").write_text("드디어")
    clock.set("09:31")
    run_tick(installation)
    assert texts(sandbox) == ["드디어"]


def test_the_fallback_is_sent_by_the_last_tick_before_the_expiry(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = HEAD + 'file = "never.txt"\nfallback_text = "{time:%H:%M} 자료 없음"'
    installation = install(tmp_path, sandbox, clock, config)
    for minute in range(30, 41):
        clock.set(f"09:{minute}:01")
        run_tick(installation)
        if minute == 38:
            assert texts(sandbox) == []
    assert texts(sandbox) == ["09:30 자료 없음"]
    found = one(installation, "m@20261123T0930")
    assert (found.state, found.text) == (State.CONFIRMED, "09:30 자료 없음")
    assert found.confirmed_at
    assert found.confirmed_at < at("09:40")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            'template = { object_type = "text", text = "a", link = { web_url = "https://a.kr" }, '
            'colour = "red" }',
            "template.colour: is no field of this template",
        ),
        (
            'text = "' + "\U0001f642" * 101 + '"',
            "101 characters count 202 (an emoji two or more): ",
        ),
    ],
)
def test_what_is_wrong_with_a_content_is_stored_in_no_language(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, config: str, said: str
) -> None:
    installation = install(tmp_path, sandbox, clock, HEAD + config)
    speak(catalogue_of("ko"))
    run_tick(installation)
    speak(None)
    found = one(installation, "m@20261123T0930")
    assert found.reason is Reason.CONTENT_FAILED
    assert said in str(detail_of(found))
    stored = day_file(installation).read_bytes()
    assert stored.isascii()
    assert b" " not in stored


CHECKS = [
    ('file = "absent.txt"', "message[1].file: there is no file"),
    ('command = ["no-such-program"]', "message[1].command: there is no command 'no-such-program'"),
    ('data_file = "absent.json"\ntext = "{a}"', "message[1].data_file: there is no file"),
    ('text = "{scor}"\ndata = { score = 1 }', "message[1].text: no value for '{scor}'"),
    ('text = "{time.year}"', "message[1].text: '{time.year}' is not a plain name"),
    (
        'text = "안녕"\nto = ["me", "지우우"]\n[friends]\n"지우" = "uuid-aaa"',
        "did you mean '지우'?",
    ),
    ('text = "안녕"\nto = ["mom"]', "'mom' is neither in [friends] nor a uuid"),
    ('template = { object_type = "text", text = "안녕" }', "message[1].template.link: is missing"),
    (
        'template = { object_type = "list", header_title = "a", header_link = { web_url = '
        '"https://a.kr" }, contents = [{ link = {} }, { link = {} }] }',
        "message[1].template.contents[1].link: needs one of",
    ),
    ('template = { object_type = "audio" }', "object_type must be text, feed"),
    ('text = "a"\nfile = "b"', "needs exactly one of"),
    ("", "needs exactly one of"),
    ('text = "a"\ncron = "0 9 * * *"', "needs either slots or cron"),
    ('text = "a"\ndata = { time = 1 }', "'time' is kakaocron's own placeholder"),
    ('text = "' + "가" * 201 + '"', "message[1].text: the text has 201 characters"),
]


@pytest.mark.parametrize(("config", "said"), CHECKS)
def test_config_check_says_in_one_line_what_can_be_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], config: str, said: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(HEAD + config, "utf-8")
    assert run(["config", "check", "--config", str(path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"{path}:")
    assert said in error
    assert error.count("\n") == 1


def test_an_unknown_friend_is_told_in_the_ledger_and_the_others_get_it(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = HEAD + 'text = "안녕"\nto = ["me", "uuid-aaa", "모르는사람"]'
    installation = install(tmp_path, sandbox, clock, config)
    run_tick(installation)
    found = one(installation, "m@20261123T0930")
    assert {name: result.state for name, result in found.targets.items()} == {
        "me": State.CONFIRMED,
        "uuid-aaa": State.CONFIRMED,
        "모르는사람": State.FAILED,
    }
    assert (found.state, found.reason) == (State.FAILED, Reason.REFUSED)


def test_preview_shows_the_bubble_its_length_and_its_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(HEAD + 'text = "{time:%H:%M} 안녕"', "utf-8")
    assert run(["preview", "--config", str(path), "--at", "내일 9시"]) == 0
    shown = capsys.readouterr().out
    assert "│ 09:00 안녕" in shown
    assert "8 of 200 characters" in shown
    assert '"object_type": "text"' in shown
    path.write_text(HEAD + f'text = "{"동해 물과 " * 60}"\noverflow = "split"', "utf-8")
    assert run(["preview", "--config", str(path)]) == 0
    shown = capsys.readouterr().out
    assert shown.count("╭") == 2
    assert sum(line.count("동해") for line in shown.splitlines() if line[:1] == "│") == 60
    assert run(["preview", "--config", str(path), "--message", "m", "--json"]) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert document["message"] == "m"


FIELDS = st.dictionaries(
    st.text(max_size=5),
    st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=300), st.lists(st.text())),
    max_size=3,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(
    st.one_of(st.text(min_size=1, max_size=900), st.sampled_from(["{a}" * 50, "{time:%c}{a:>90}"])),
    FIELDS,
    st.sampled_from(["error", "split", "truncate"]),
)
def test_whatever_is_made_fits_and_nothing_but_a_content_error_is_raised(
    tmp_path: Path, text: str, fields: dict[str, Any], overflow: str
) -> None:
    config = parse_config(HEAD + 'file = "words"\ndata_file = "data"', "config.toml")
    (tmp_path / "words").write_bytes(text.encode("utf-8", "surrogatepass"))
    (tmp_path / "data").write_text(json.dumps({**fields, "a": "가" * 100}))
    message = changed(config.message[0], overflow=overflow)
    slot = Slot("m", datetime(2026, 11, 23, 9, 30, tzinfo=KST), "regular")
    try:
        parcel = Contents(config, tmp_path, Programs()).of_message(message, slot, Slots())
    except ContentError:
        return
    for part in parcel.parts:
        sent = json.loads(part.fields["template_object"])["text"]
        assert utf16_units(sent) <= 200
        assert overflow == "error" or sent.strip()


NFD = unicodedata.normalize("NFD", "보고 점수")
DIRTY = f"\ufeff\x1b[31m{NFD}\x1b[0m\r\n\x00둘\t셋\x07\r\n"
TIDY = "보고 점수\n둘\t셋"
AS_JSON = json.dumps({"v": DIRTY.strip(), unicodedata.normalize("NFD", "이름"): NFD})
PRINT = "import sys; sys.stdout.buffer.write({}.encode())"
LINKED = 'link = { web_url = "https://example.com" }'
SOURCES = {
    "text": f"text = {json.dumps(DIRTY.strip())}",
    "file": 'file = "words.txt"',
    "command": f"command = {python(PRINT.format(ascii(DIRTY)))}",
    "data": f'text = "{{v}}"\ndata = {{ v = {json.dumps(DIRTY.strip())} }}',
    "data_file": 'text = "{v}"\ndata_file = "data.json"',
    "data_command": f'text = "{{v}}"\ndata_command = {python(PRINT.format(ascii(AS_JSON)))}',
    "fallback_text": f"command = ['false']\nfallback_text = {json.dumps(DIRTY.strip())}",
    "template": f"template = {{ object_type = 'text', {LINKED}, text = {json.dumps(DIRTY)} }}",
}  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_a_text_is_composed_and_has_no_control_characters_wherever_it_comes_from(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, source: str
) -> None:
    (tmp_path / "words.txt").write_bytes(DIRTY.encode())
    (tmp_path / "data.json").write_bytes(b"\xef\xbb\xbf" + AS_JSON.encode())
    installation = install(tmp_path, sandbox, clock, HEAD + SOURCES[source])
    for minute in range(30, 40):  # the text that stands in for another goes out at the end
        clock.set(f"09:{minute}:01")
        run_tick(installation)
    assert [text.rstrip() for text in texts(sandbox)] == [TIDY]


def test_arguments_of_templates_and_pages_are_composed_too(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = f"template_id = 3\ntemplate_args = {{ a = {json.dumps(DIRTY.strip())} }}\n"
    config += HEAD.replace('"m"', '"s"') + f'scrap_url = "https://example.com/{NFD.split()[0]}"'
    arrived(tmp_path, sandbox, clock, config)
    found = sorted((d.path, dict(d.template)) for d in sandbox.deliveries)
    assert found == [
        ("/v2/api/talk/memo/scrap/send", {"request_url": "https://example.com/보고"}),
        ("/v2/api/talk/memo/send", {"template_id": "3", "template_args": {"a": TIDY}}),
    ]


def test_a_field_typed_on_a_mac_fills_its_placeholder(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    (tmp_path / "data.json").write_text(AS_JSON, "utf-8")
    config = 'text = "{이름}"\ndata_file = "data.json"'
    assert arrived(tmp_path, sandbox, clock, config) == ["보고 점수"]


def test_sent_and_scheduled_texts_are_composed_and_are_the_same_text(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock, MESSAGE)
    actions.send_now(installation, text=DIRTY.strip())
    assert texts(sandbox) == [TIDY]
    actions.schedule(installation, at("09:40"), text=DIRTY.strip())
    with pytest.raises(actions.DuplicateError):
        actions.schedule(installation, at("09:40"), text=TIDY)
    clock.set("09:40")
    run_tick(installation)
    assert texts(sandbox) == [TIDY, TIDY]


def test_decomposed_hangul_counts_as_composed(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    long = unicodedata.normalize("NFD", "한" * 200)
    template = f"template = {{ object_type = 'text', text = '{long}', {LINKED} }}"
    config = f"text = '{long}'\n" + HEAD.replace('"m"', '"t"') + template
    installation = install(tmp_path, sandbox, clock, HEAD + config)
    assert list(faults(installation.contents, None)) == []
    run_tick(installation)
    assert texts(sandbox) == ["한" * 200] * 2


def test_names_typed_on_a_mac_are_the_same_names() -> None:
    mac = unicodedata.normalize(
        "NFD", '[friends]\n"지우" = "uuid-aaa"\n[[message]]\nname = "보고"\n'
    )
    config = parse_config(mac + 'slots = ["regular"]\ntext = "x"\nto = ["지우"]\n', "config.toml")
    assert config.message[0].name == "보고"
    assert config.contacts.receivers(config.message[0].to) == ("uuid-aaa",)
    assert config.contacts.stranger(unicodedata.normalize("NFD", "지우")) is None
    assert config.contacts.receivers([unicodedata.normalize("NFD", "지우")]) == ("uuid-aaa",)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
@pytest.mark.parametrize("source", ["data_file", "data_command"])
def test_a_field_named_as_a_placeholder_of_kakaocrons_own_is_refused(
    tmp_path: Path, name: str, source: str
) -> None:
    (tmp_path / "data.json").write_text(json.dumps({"ok": 1, name: "지우"}), "utf-8")
    data = {
        "data_file": 'data_file = "data.json"',
        "data_command": 'data_command = ["cat", "data.json"]',
    }
    config = parse_config(HEAD + f'text = "{{ok}}"\n{data[source]}\n', "config.toml")
    contents = Contents(config, tmp_path, Programs({"PATH": "/usr/bin:/bin"}))
    slot = Slot("m", at("09:30"), "regular")
    with pytest.raises(ContentError, match=f"has a field '{name}', which is kakaocron's own"):
        contents.of_message(config.message[0], slot, Slots())


def test_fields_that_only_look_like_placeholders_of_its_own_are_the_users(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    (tmp_path / "data.json").write_text('{"Name": "지우", "rider": {"name": "민"}}', "utf-8")
    config = 'text = "{Name} {rider}"\ndata_file = "data.json"'
    assert arrived(tmp_path, sandbox, clock, config) == ['지우 {"name": "민"}']
