"""What Debian's cron mails of a tick that speaks, through a real MTA (exim4) into a mailbox."""

from __future__ import annotations

import contextlib
import email
import email.policy
import mailbox
import subprocess
import time
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.deploy.machines import PATH, add_kakaocron, add_packages, copy_root, inside, run_inside

# A tick that cannot work says which file is wrong. Its folder has a Korean name.
TICK = "* * * * * /opt/kakaocron/bin/kakaocron tick --config /home/ko/설정/config.toml\n"
CRONTABS = {
    "plain": TICK,
    "lang": "LANG=ko_KR.UTF-8\nLC_ALL=C.UTF-8\n" + TICK,
    "typed": 'CONTENT_TYPE="text/plain; charset=UTF-8"\n' + TICK,
}


@pytest.mark.deploy
def test_cron_mails_korean_readably_where_its_content_type_is_set(
    plain_debian: Path, tmp_path: Path
) -> None:
    root = copy_root(plain_debian, tmp_path / "root")
    add_packages(root, "cron", "exim4-daemon-light")
    add_kakaocron(root)
    for user, crontab in CRONTABS.items():
        run_inside(root, "useradd", "--create-home", user)
        (root / "tmp" / "crontab").write_text(crontab)
        run_inside(root, "crontab", "-u", user, "/tmp/crontab")
    print("\n" + run_inside(root, "dpkg-query", "-W", "cron", "exim4-daemon-light"))
    command = inside(root, "cron", "-f", options=("--fork", "--pid", "--kill-child"))
    with subprocess.Popen(command, env={"PATH": PATH}) as cron:
        mails = {user: first_mail(root / "var" / "mail" / user) for user in CRONTABS}
        cron.kill()
    for user, mail in mails.items():
        print(user, mail["Content-Type"], mail["Content-Transfer-Encoding"], mail["Subject"])
    assert {user: mail.get_content_charset() for user, mail in mails.items()} == {
        "plain": "us-ascii",
        "lang": "us-ascii",
        "typed": "utf-8",
    }
    assert {
        user: "/home/ko/설정/config.toml" in mail.get_content() for user, mail in mails.items()
    } == {
        "plain": False,
        "lang": False,
        "typed": True,
    }


def first_mail(path: Path) -> EmailMessage:
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        if path.exists():
            with contextlib.closing(mailbox.mbox(path)) as box:
                for key in box.keys():  # noqa: SIM118 - iterating gives messages
                    mail = email.message_from_bytes(box.get_bytes(key), policy=email.policy.default)
                    assert isinstance(mail, EmailMessage)
                    return mail
        time.sleep(0.5)
    pytest.fail(f"no mail in {path}")
