"""Links and buttons on plain texts, as they arrive at the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kakaocron.cli import run
from kakaocron.doctor.finding import Status
from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.doctor.test_examination import found, without_cron
from tests.fakes import FakeClock, install, run_tick
from tests.messages.test_making import HEAD, python
from tests.test_cli import Shell, shell

__all__ = ["shell"]

KAKAOS = "https://developers.kakao.com"
SHOP = "https://shop.example.com"


def to(url: str) -> dict[str, str]:
    return {"web_url": url, "mobile_web_url": url}


def arrived(
    folder: Path, sandbox: SandboxServer, clock: FakeClock, config: str
) -> list[dict[str, Any]]:
    run_tick(install(folder, sandbox, clock, HEAD + config))
    return [dict(one.template) for one in sandbox.deliveries]


def test_a_button_of_that_title_leads_where_the_text_does(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = f'''
text = "주문 {{n}}건"
data = {{ n = 3 }}
link = "{SHOP}/orders?day={{date}}&n={{n}}"
button = "주문 {{n}}건 보기"
'''
    assert arrived(tmp_path, sandbox, clock, config) == [
        {
            "object_type": "text",
            "text": "주문 3건",
            "link": to(f"{SHOP}/orders?day=2026-11-23&n=3"),
            "button_title": "주문 3건 보기",
        }
    ]


def test_two_buttons_lead_each_to_its_own_place_and_the_text_where_kakao_has_it(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    (tmp_path / "words.txt").write_text("안녕")
    config = f'''
file = "words.txt"
buttons = [
    {{ title = "주문", link = "{SHOP}/{{time:%H%M}}" }},
    {{ title = "재고", link = "https://stock.example.com" }},
]
'''
    (template,) = arrived(tmp_path, sandbox, clock, config)
    assert template["link"] == to(KAKAOS)
    assert template["buttons"] == [
        {"title": "주문", "link": to(f"{SHOP}/0930")},
        {"title": "재고", "link": to("https://stock.example.com")},
    ]


def test_every_part_of_a_long_text_leads_there(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = f"""command = {python("print('가' * 300)")}
overflow = "split"
link = "{SHOP}/{{date}}"
button = "열기"
"""
    found = arrived(tmp_path, sandbox, clock, config)
    assert [(one["link"], one["button_title"]) for one in found] == [
        (to(f"{SHOP}/2026-11-23"), "열기")
    ] * 2


def test_a_summary_leads_there_too(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    (template,) = arrived(tmp_path, sandbox, clock, f'report = "day"\nlink = "{SHOP}/{{date}}"')
    assert template["link"] == to(f"{SHOP}/2026-11-23")


@pytest.mark.parametrize(
    ("link", "led"), [(f"{SHOP}/{{date}}", f"{SHOP}/2026-11-23"), (f"{SHOP}/{{n}}", KAKAOS)]
)
def test_the_text_in_place_of_one_that_cannot_be_made_leads_there_if_that_is_known(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, link: str, led: str
) -> None:
    config = f'text = "{{n}}"\ndata_file = "absent"\nlink = "{link}"\nfallback_text = "없음"'
    clock.set("09:39:00")
    (template,) = arrived(tmp_path, sandbox, clock, config + "\n[delivery]\nexpire_after = 570")
    assert (template["text"], template["link"]) == ("없음", to(led))


CHECKS = [
    ('link = "shop.example.com"', "message[1].link: must be an address such as"),
    (f'link = "{SHOP}/{{ab sent}}"', "message[1].link: must be an address"),
    (f'link = "{SHOP}/{{absent}}"', "message[1].link: no value for '{absent}'"),
    ('link = "https://me:pw@shop.example.com"', "message[1].link: holds a user or password"),
    (f'link = "{SHOP}"\nbutton = ""', "message[1].button: must have at least 1 characters"),
    (f'buttons = [{{ link = "{SHOP}" }}]', "message[1].buttons[1].title: is missing"),
    ('buttons = [{ title = "a", link = "b" }]', "message[1].buttons[1].link: must be an address"),
    (
        f'buttons = [{{ title = "{{a}}", link = "{SHOP}" }}]',
        "message[1].buttons[1].title: no value for '{a}'",
    ),
    (
        "buttons = [" + f'{{ title = "a", link = "{SHOP}" }},' * 3 + "]",
        "message[1].buttons: must have at most 2 elements",
    ),
    (
        f'button = "a"\nbuttons = [{{ title = "a", link = "{SHOP}" }}]',
        "message[1]: may have one of button and buttons",
    ),
]


@pytest.mark.parametrize(("config", "said"), CHECKS)
def test_config_check_names_the_key_of_a_bad_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], config: str, said: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f'{HEAD}text = "안녕"\n{config}', "utf-8")
    assert run(["config", "check", "--config", str(path)]) == 2
    error = capsys.readouterr().err
    assert f": {said}" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("key", [f'link = "{SHOP}"', 'button = "a"'])
def test_a_template_has_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"{HEAD}template_id = 3\n{key}", "utf-8")
    assert run(["config", "check", "--config", str(path)]) == 2
    assert "goes with text, file, command, report only" in capsys.readouterr().err


def test_what_data_make_of_a_link_must_be_one(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = f'text = "안녕"\ndata = {{ path = "a b" }}\nlink = "{SHOP}/{{path}}"'
    assert arrived(tmp_path, sandbox, clock, config) == []


def test_a_text_is_sent_by_hand_with_its_link_and_button(shell: Shell) -> None:
    assert shell.run("send", "안녕", "--link", f"{SHOP}/a", "--button", "보기")[0] == 0
    assert shell.run("send", "둘", "--button", "보기")[0] == 0
    first, second = (dict(one.template) for one in shell.sandbox.deliveries)
    assert (first["link"], first["button_title"]) == (to(f"{SHOP}/a"), "보기")
    assert (second["link"], second["button_title"]) == (to(KAKAOS), "보기")


@pytest.mark.parametrize(
    "words",
    [
        ("안녕", "--link", "shop.example.com"),
        ("안녕", "--button", " "),
        ("--message", "report", "--link", SHOP),
        ("--message", "report", "--button", "보기"),
    ],
)
def test_what_cannot_be_sent_by_hand_is_refused_in_a_line(
    shell: Shell, words: tuple[str, ...]
) -> None:
    exit_code, out, err = shell.run("send", *words)
    assert (exit_code, out, err.count("\n")) == (2, "", 1)
    assert not shell.sandbox.deliveries


def test_preview_shows_the_buttons_below_the_text(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    config = f'text = "안녕"\nbuttons = [{{ title = "주문", link = "{SHOP}" }}]'
    path.write_text(HEAD + config, "utf-8")
    lines = shell.run("preview")[1].splitlines()
    assert lines[2].startswith("│ 안녕")
    assert lines[3].startswith("│ [ 주문 ]")


def test_doctor_names_the_domains_that_must_be_registered(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = f"""
text = "안녕"
link = "{SHOP}/{{date}}"
buttons = [{{ title = "a", link = "https://a.example.com?x" }}, {{ title = "b", link = "{SHOP}" }}]
[[message]]
name = "list"
slots = ["regular"]
[message.template]
object_type = "list"
header_title = "목록"
header_link.web_url = "http://b.example.com/#x"
contents = [
    {{ title = "하나", link = {{ mobile_web_url = "https://{{slot}}/1" }} }},
    {{ title = "둘", link = {{ web_url = "{KAKAOS}/x" }} }},
]
"""
    bench = without_cron(install(tmp_path, sandbox, clock, HEAD + config))
    finding = found(bench, "domains")
    assert finding.status is Status.OK
    assert finding.what.startswith(
        f"{SHOP}, https://a.example.com, http://b.example.com, https://{{slot}}: "
    )
