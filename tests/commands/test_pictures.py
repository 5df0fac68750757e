"""What people see of pictures: sent by hand, previewed, and left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from kakaocron.rehearsal.sandbox.pictures import draw
from tests.delivery.test_pictures import CHART, PICTURED, PLAIN, UPLOAD, shown
from tests.fakes import kakao_section
from tests.test_cli import Shell, shell

__all__ = ["shell"]

REFUSED = "the picture could not be uploaded: the image format is not supported (-911)"


@pytest.fixture
def chart(tmp_path: Path, shell: Shell) -> Path:
    config = tmp_path / "config.toml"
    config.write_text(kakao_section(shell.sandbox) + PICTURED, "utf-8")
    (tmp_path / "chart.png").write_bytes(CHART.content)
    return tmp_path / "chart.png"


def test_send_takes_a_picture(shell: Shell, chart: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(chart.parent)
    exit_code, out, _ = shell.run("send", "오늘의 차트\n9시", "--image", "chart.png")

    assert exit_code == 0
    assert out.splitlines()[0].endswith("@20261123T0930: confirmed")
    assert shown(shell.sandbox) == [("오늘의 차트\n9시", True)]


def test_send_says_that_the_picture_was_left_out(shell: Shell, chart: Path) -> None:
    shell.sandbox.faults.enqueue("-911" + UPLOAD)
    exit_code, out, _ = shell.run("send", "안녕", "--image", str(chart))

    assert exit_code == 0
    assert out.splitlines()[0].endswith(f": confirmed, without its picture: {REFUSED}")
    assert shown(shell.sandbox) == [("안녕", False)]


@pytest.mark.parametrize("arguments", [["안녕"], ["--message", "report"]])
def test_what_send_cannot_take_is_refused_before_anything_leaves(
    shell: Shell, chart: Path, arguments: list[str]
) -> None:
    chart.write_text("no picture")
    exit_code, _, err = shell.run("send", *arguments, "--image", str(chart))

    assert exit_code == 2
    assert ("no picture that Kakao takes" in err) == (arguments == ["안녕"])
    assert shell.sandbox.deliveries == []


def test_retry_sends_the_picture_of_a_manual_send_again(shell: Shell, chart: Path) -> None:
    shell.sandbox.faults.enqueue("-3")
    shell.run("send", "안녕", "--image", str(chart))
    nothing = shown(shell.sandbox)
    shell.clock.set("09:31:01")
    shell.run("tick")

    assert nothing == []
    assert ("안녕", True) in shown(shell.sandbox)


def test_everything_that_tells_of_it_says_that_the_picture_was_left_out(
    shell: Shell, chart: Path
) -> None:
    shell.sandbox.faults.enqueue("-911" + UPLOAD)
    exit_code, out, err = shell.run("tick")

    assert (exit_code, out, err) == (0, "", "")
    [in_history] = shell.json("history")
    [today] = shell.json("status")["today"]
    for one in (in_history, today):
        assert (one["state"], one["reason"]) == ("confirmed", "picture-left-out")
    [explained] = shell.json("explain", "09:30")["messages"]
    assert explained["why"] == "it went out without its picture"
    assert explained["detail"] == REFUSED
    for command in (["status"], ["history"], ["show", in_history["id"]], ["explain", "09:30"]):
        assert "picture" in shell.run(*command)[1], command
    assert shell.json("health")["status"] == "healthy"


def test_preview_shows_the_message_as_it_is_sent(shell: Shell, chart: Path) -> None:
    [found] = shell.json("preview")
    _, out, _ = shell.run("preview")

    assert found["text"] == PLAIN
    assert found["image"] == {"content_type": "image/png", "bytes": len(CHART.content)}
    assert '"object_type": "feed"' in found["parts"][0]["fields"]["template_object"]
    assert f"a picture: PNG, {len(CHART.content)} bytes" in out
    assert "1위 민수" in out
    assert "▀" not in out  # in a pipe
    assert shell.sandbox.requests == []


@pytest.mark.parametrize(("more", "is_said"), [("", False), ("\\n4", False), ("\\n4\\n5", True)])
def test_preview_says_that_a_text_is_too_long_for_a_picture(
    shell: Shell, chart: Path, more: str, is_said: bool
) -> None:
    message = PICTURED.replace("2위 지영", f"2위 지영{more}")
    (chart.parent / "config.toml").write_text(kakao_section(shell.sandbox) + message, "utf-8")

    said = "KakaoTalk shows about 4 lines below a picture; this text has 5"
    assert (said in shell.run("preview")[1]) == is_said


def test_preview_says_that_there_is_no_picture(shell: Shell, chart: Path) -> None:
    chart.unlink()
    [found] = shell.json("preview")
    _, out, _ = shell.run("preview")

    assert "No such file" in found["image"]["left_out"]
    assert "its picture cannot be made: cannot read " in out
    assert "the text goes alone" in out


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('image = "a.png"\n', "message[1].image: there is no file"),
        ('image_command = ["nobody-has-this"]\n', "there is no command 'nobody-has-this'"),
        ('image = "chart.png"\nimage_command = ["cat"]\n', "may have one of image, image_command"),
        ("image_required = true\n", "image_required goes with image or image_command only"),
        (
            'image = "chart.png"\ntemplate_id = 1\n',
            "image goes with text, file, command, report only; it has template_id",
        ),
        ('image_command = [""]\n', "must be a text of at least 1 character"),
    ],
)
def test_config_check_finds_what_is_wrong_with_a_picture(
    shell: Shell, chart: Path, config: str, said: str
) -> None:
    message = PICTURED.replace('image = "chart.png"\n', config)
    if "template_id" in config:
        message = "\n".join(line for line in message.splitlines() if not line.startswith("text"))
    (chart.parent / "config.toml").write_text(kakao_section(shell.sandbox) + message, "utf-8")
    exit_code, out, err = shell.run("config", "check")

    assert exit_code == 2
    assert said in out + err


def test_a_command_for_a_picture_keeps_its_secrets(shell: Shell, chart: Path) -> None:
    secret = "https://me:hunter2@example.com/chart.png?key=s3cret"
    message = PICTURED.replace('image = "chart.png"', f'image_command = ["curl", "{secret}"]')
    (chart.parent / "config.toml").write_text(kakao_section(shell.sandbox) + message, "utf-8")
    shell.run("tick")
    ledger = (chart.parent / "data" / "ledger" / "2026-11-23.jsonl").read_text()

    assert "hunter2" not in ledger + shell.run("config", "show")[1]


def test_half_blocks_show_the_upper_and_the_lower_pixel() -> None:
    pytest.importorskip("PIL")
    from kakaocron.show.half_blocks import half_blocks  # noqa: PLC0415 - needs what may be absent

    rows = half_blocks(draw(4, 4, grey=0x33).content, 10)

    assert rows is not None
    assert rows.plain == "▀▀▀▀\n▀▀▀▀\n"
    assert {str(span.style) for span in rows.spans} == {"#333333 on #333333"}
    odd = half_blocks(draw(1, 3, grey=0).content, 10)
    assert odd is not None
    assert [str(span.style) for span in odd.spans] == ["#000000 on #000000", "#000000 on #ffffff"]
    wide = half_blocks(draw(900, 30).content, 46)
    assert wide is not None
    assert [len(line) for line in wide.plain.splitlines()] == [46]
    assert half_blocks(draw(4, 4).content[:40], 10) is None
    assert half_blocks(b"", 10) is None
