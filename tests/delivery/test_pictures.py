"""A message with a picture: what arrives, whatever becomes of the upload, and when."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from kakaocron.installation import Installation
from kakaocron.ledger.deliveries import Delivery
from kakaocron.rehearsal.sandbox.pictures import draw
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.states import Reason, State
from kakaocron.watching.sentences import detail_of
from tests import fakes
from tests.fakes import FakeClock, run_tick

ID = "report@20261123T0930"
UPLOAD = "@/v2/api/talk/message/image/upload"
CHART = draw(300, 200)
MOST = 5 * 1024 * 1024
WORDS = """
[[message]]
name = "report"
slots = ["regular", "peak"]
text = "📊 {time:%H:%M} 보고\\n1위 민수\\n2위 지영"
"""
PLAIN = "📊 09:30 보고\n1위 민수\n2위 지영"
PICTURED = WORDS + 'image = "chart.png"\n'
REQUIRED = PICTURED + "image_required = true\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chart.png").write_bytes(CHART.content)
    return tmp_path


def install(folder: Path, sandbox: SandboxServer, clock: FakeClock, config: str) -> Installation:
    here = fakes.install(folder, sandbox, clock, config)
    here.login.access_token()  # else two wait for it, by a clock that their waiting moves
    return here


def tick(installation: Installation, id_: str = ID) -> Delivery:
    return run_tick(installation).ended[id_]


def shown(sandbox: SandboxServer) -> list[tuple[str, bool]]:
    """Return what each arrival says in full, and whether the chart is seen with it."""
    return [(_words(one.template), one.picture is not None) for one in sandbox.deliveries]


def _words(template: Any) -> str:
    if template["object_type"] == "text":
        return str(template["text"])
    content = template["content"]
    return "\n".join(content[name] for name in ("title", "description") if name in content)


def test_the_picture_stands_above_the_whole_text(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    delivery = tick(install(folder, sandbox, clock, PICTURED))

    [arrived], [kept] = sandbox.deliveries, sandbox.kakao.images
    link = dict.fromkeys(("web_url", "mobile_web_url"), "https://developers.kakao.com")
    assert arrived.template == {
        "object_type": "feed",
        "content": {
            "title": "📊 09:30 보고",
            "description": "1위 민수\n2위 지영",
            "image_url": f"{sandbox.url}{kept.path}",
            "image_width": 300,
            "image_height": 200,
            "link": link,
        },
    }
    assert arrived.picture == kept.path
    assert (kept.content_type, kept.length) == ("image/png", len(CHART.content))
    assert (delivery.state, delivery.reason, delivery.text) == (State.CONFIRMED, None, PLAIN)


# How an upload fails, and what is said of it.
MISHAPS = {
    "refuse": "cut",
    "cut-before": "cut",
    "cut-after": "cut",
    "half": "broke off",
    "html": "not Kakao's answer",
    "empty": "not Kakao's answer",
    "no-address": "not Kakao's answer",
    "503": "HTTP 503",
    "-602": "(-602)",
    "-911": "(-911)",
    "-603": "(-603)",
    "-401": "(-401)",
}


@pytest.mark.parametrize(("mishap", "said"), MISHAPS.items())
def test_without_its_picture_the_text_goes_once_and_it_is_said(
    folder: Path, sandbox: SandboxServer, clock: FakeClock, mishap: str, said: str
) -> None:
    here = install(folder, sandbox, clock, PICTURED)
    sandbox.faults.replace(mishap + UPLOAD)

    delivery = tick(here)
    clock.set("09:31:01")
    run_tick(here)

    assert shown(sandbox) == [(PLAIN, False)]
    assert (delivery.state, delivery.reason) == (State.CONFIRMED, Reason.PICTURE_LEFT_OUT)
    words = detail_of(delivery) or ""
    assert words.startswith("the picture could not be uploaded: ")
    assert said in words


def test_an_upload_that_fails_once_is_repeated(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("cut-after" + UPLOAD)

    delivery = tick(install(folder, sandbox, clock, PICTURED))

    assert shown(sandbox) == [(PLAIN, True)]
    assert (delivery.state, delivery.reason) == (State.CONFIRMED, None)


def test_a_picture_that_is_gone_when_it_is_looked_at_leaves_the_text(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    sandbox.faults.enqueue("picture-gone")

    delivery = tick(install(folder, sandbox, clock, PICTURED))

    assert shown(sandbox) == [(PLAIN, False)]
    assert (delivery.state, delivery.reason) == (State.CONFIRMED, None)  # nobody can know


@pytest.mark.parametrize("mishap", ["stall", "slow=30", "drip=1", "unread"])
def test_a_slow_upload_is_not_waited_for(
    folder: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    mishap: str,
) -> None:
    monkeypatch.setattr("kakaocron.delivery.enclosing.MOMENT_SECONDS", 0.3)
    (folder / "chart.png").write_bytes(CHART.content + bytes(5_000_000))  # more than buffers take
    here = install(folder, sandbox, clock, PICTURED)
    sandbox.faults.replace(mishap + UPLOAD)

    began = time.monotonic()
    delivery = tick(here)
    took = time.monotonic() - began

    assert shown(sandbox) == [(PLAIN, False)]
    assert (delivery.state, delivery.reason) == (State.CONFIRMED, Reason.PICTURE_LEFT_OUT)
    assert took < 3  # the server's own time-out, of 3 s, was not waited for


def test_nothing_follows_a_feed_of_which_nobody_knows_whether_it_arrived(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = install(folder, sandbox, clock, PICTURED)
    sandbox.faults.enqueue("cut-after")

    delivery = tick(here)
    clock.set("09:32:01")
    run_tick(here)

    assert shown(sandbox) == [(PLAIN, True)]
    assert delivery.state is State.UNKNOWN


def test_what_must_have_its_picture_is_tried_again_until_its_time_is_over(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = install(folder, sandbox, clock, REQUIRED)
    sandbox.faults.replace("503" + UPLOAD)
    first = tick(here)
    nothing = shown(sandbox)
    sandbox.faults.replace("")
    clock.set("09:31:01")
    second = tick(here)

    assert (first.state, first.reason, nothing) == (State.RETRYING, Reason.CONTENT_FAILED, [])
    assert "could not be uploaded: HTTP 503" in (detail_of(first) or "")
    assert shown(sandbox) == [(PLAIN, True)]
    assert (second.state, second.reason) == (State.CONFIRMED, None)


def test_what_must_have_its_picture_is_never_late(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = install(folder, sandbox, clock, REQUIRED + "[delivery]\nexpire_after = 60\n")
    sandbox.faults.replace("503" + UPLOAD)
    clock.set("09:30:01")
    tick(here)
    clock.set("09:31:00")
    ended = tick(here)

    assert shown(sandbox) == []
    assert (ended.state, ended.reason) == (State.FAILED, Reason.EXPIRED)


def test_the_fallback_stands_in_for_a_picture_that_must_be_there(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = REQUIRED + 'fallback_text = "그림을 못 올렸어요"\n[delivery]\nexpire_after = 60\n'
    sandbox.faults.replace("503" + UPLOAD)

    delivery = tick(install(folder, sandbox, clock, config))

    assert shown(sandbox) == [("그림을 못 올렸어요", False)]
    assert delivery.state is State.CONFIRMED


@pytest.mark.parametrize("config", [PICTURED, REQUIRED])
def test_a_dead_login_is_said_and_not_the_picture(
    folder: Path, sandbox: SandboxServer, clock: FakeClock, config: str
) -> None:
    here = install(folder, sandbox, clock, config)
    sandbox.kakao.revoke_access_tokens()
    sandbox.kakao.revoke_refresh_tokens()
    report = run_tick(here)

    delivery = report.ended[ID]
    assert (delivery.state, delivery.reason) == (State.FAILED, Reason.NOT_LOGGED_IN)
    assert report.exit_code == 3
    assert shown(sandbox) == []


@pytest.mark.parametrize(("config", "hour", "asked"), [(PICTURED, 9, 1), (PICTURED, 11, 2)])
def test_a_refused_picture_costs_one_token_an_hour(
    folder: Path, sandbox: SandboxServer, clock: FakeClock, config: str, hour: int, asked: int
) -> None:
    here = install(folder, sandbox, clock, config)
    sandbox.faults.replace("-401" + UPLOAD)
    clock.set(f"{hour}:30:01")
    run_tick(here)

    assert [one.path for one in sandbox.requests].count("/oauth/token") == asked
    assert shown(sandbox)[-1][1] is False


# What cannot be a picture, and what is said of it.
NO_PICTURES = {
    "it is not there": (None, "No such file"),
    "it is empty": (b"", "no picture that Kakao takes"),
    "it is a text": (b"PNG", "no picture that Kakao takes"),
    "it is an SVG": (b"<svg/>", "no picture that Kakao takes"),
    "it is a byte too long": (
        CHART.content.ljust(5 * 1024 * 1024 + 1, b"\0"),
        "longer than 5242880",
    ),
}


@pytest.mark.parametrize(("content", "said"), NO_PICTURES.values(), ids=NO_PICTURES)
def test_what_is_no_picture_is_left_out_before_it_is_uploaded(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "chart.png").write_bytes(content)

    delivery = tick(install(tmp_path, sandbox, clock, PICTURED))
    required = tick(
        install(tmp_path / "required", sandbox, clock, REQUIRED.replace("chart", "../chart"))
    )

    assert shown(sandbox) == [(PLAIN, False)]
    assert delivery.reason is Reason.PICTURE_LEFT_OUT
    assert said in (detail_of(delivery) or "")
    assert (required.state, required.reason) == (State.RETRYING, Reason.CONTENT_FAILED)
    assert not any("upload" in one.path for one in sandbox.requests)


@pytest.mark.parametrize("length", [MOST - 1, MOST])
def test_up_to_five_megabytes_are_sent_whole(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, length: int
) -> None:
    (tmp_path / "chart.png").write_bytes(CHART.content.ljust(length, b"\0"))

    tick(install(tmp_path, sandbox, clock, PICTURED))

    assert [one.length for one in sandbox.kakao.images] == [length]
    assert shown(sandbox) == [(PLAIN, True)]


def test_its_name_says_nothing(folder: Path, sandbox: SandboxServer, clock: FakeClock) -> None:
    (folder / "chart.png").rename(folder / "chart.txt")

    tick(install(folder, sandbox, clock, PICTURED.replace("chart.png", "chart.txt")))

    assert shown(sandbox) == [(PLAIN, True)]


def test_a_command_prints_the_picture(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    tick(install(folder, sandbox, clock, WORDS + 'image_command = ["cat", "chart.png"]\n'))

    assert shown(sandbox) == [(PLAIN, True)]


def test_a_command_that_fails_leaves_the_text(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    delivery = tick(install(folder, sandbox, clock, WORDS + 'image_command = ["false"]\n'))

    assert shown(sandbox) == [(PLAIN, False)]
    assert detail_of(delivery) == "'false' ended with exit code 1"


def test_of_a_split_text_the_first_part_has_the_picture(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = PICTURED.replace("2위 지영", "가" * 250) + 'overflow = "split"\n'

    tick(install(folder, sandbox, clock, config))

    assert [has_picture for _, has_picture in shown(sandbox)] == [True, False]


def test_each_attempt_uploads_it_again(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = install(folder, sandbox, clock, PICTURED)
    sandbox.faults.enqueue("429")
    tick(here)
    clock.set("09:31:01")
    tick(here)

    first, second = sandbox.kakao.images
    assert [one.picture for one in sandbox.deliveries] == [second.path]
    assert first.path != second.path


def test_friends_who_get_it_later_get_the_same_text_with_the_picture(
    folder: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = PICTURED + 'to = ["uuid-aaa", "me"]\n'
    here = install(folder, sandbox, clock, config)
    sandbox.faults.enqueue("-502@/v1/api/talk/friends/message")
    tick(here)
    (folder / "config.toml").unlink(missing_ok=True)
    changed = install(folder, sandbox, clock, config.replace("민수", "서연"))
    clock.set("09:31:01")
    delivery = tick(changed)

    assert shown(sandbox) == [(PLAIN, True), (PLAIN, True)]
    assert [one.receiver for one in sandbox.deliveries] == ["me", "uuid-aaa"]
    assert delivery.state is State.CONFIRMED
    kept = (folder / "data" / "ledger" / "2026-11-23.jsonl").read_text()
    assert "/dn/" not in kept  # the address of a picture is not kept: it is not for ever
    assert "chart.png" not in kept
