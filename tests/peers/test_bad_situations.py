"""What the programs that send do when something goes wrong: what they say, and what arrives.

docs/reliability.md has the table. Run: pytest -m peers
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import wait_for_a_minute_with
from tests.peers.peers import REPOSITORY, Ended, Peers
from tests.peers.test_peers import (
    KEY,
    SECRET,
    configure_kakaome,
    kakaome,
    pytestmark,
    python_client,
    settings,
)

__all__ = ["pytestmark"]

Said = str
Run = Callable[[Peers, Path, Any], tuple[Said, Ended]]
FIRST: dict[str, Any] = {"is_logged_in": True}


def apprise(peers: Peers, place: Path, more: Any) -> tuple[Said, Ended]:
    ended = python_client(peers, place, "run_apprise.py", "me", **more)
    return "sent" if ended.told[-1:] == [True] else "failed", ended


def pykakao(peers: Peers, place: Path, more: Any) -> tuple[Said, Ended]:
    ended = python_client(peers, place, "run_pykakao.py", **more)
    if ended.exit:
        return "error", ended
    return "sent" if "성공" in ended.told[-1] else "failed", ended


def kakaome_run(peers: Peers, place: Path, more: Any) -> tuple[Said, Ended]:
    if more.get("is_logged_in"):
        configure_kakaome(peers, place)
    more = {name: value for name, value in more.items() if name != "is_logged_in"}
    ended = kakaome(peers, place, "send", "09:00 약 먹기", **more)
    if "Traceback" in ended.err:
        return "error", ended
    return "failed" if ended.exit else "sent", ended


def airflow(peers: Peers, place: Path, more: Any) -> tuple[Said, Ended]:
    ended = python_client(peers, place, "run_airflow.py", "text", **more)
    if ended.exit:
        return "error", ended
    return "sent" if ended.told == ["success"] else "failed", ended


def kakaocron(peers: Peers, place: Path, more: Any) -> tuple[Said, Ended]:
    config = place / "config.toml"
    if not config.exists():
        config.write_text(f'[kakao]\nrest_api_key = "{KEY}"\nclient_secret = "{SECRET}"\n')
        config.chmod(0o600)
    variables = {
        "account": place.name,
        "settings": settings(),
        "PYTHONPATH": str(REPOSITORY),
        "KAKAOCRON_CONFIG": str(config),
        "KAKAOCRON_DATA_DIR": str(place / "data"),
        "KAKAOCRON_LOG_DIR": str(place / "log"),
    }
    command = [sys.executable, "-m", "kakaocron", "send", more.get("TEXT", "09:00 약 먹기")]
    ended = peers.run(place, *command, **{**variables, **more})
    if ended.exit == 0:
        return "sent", ended
    return "refused" if "already" in ended.err else "unknown", ended


SENDERS: dict[str, Run] = {
    "apprise": apprise,
    "PyKakao": pykakao,
    "kakaome": kakaome_run,
    "airflow-provider-kakao": airflow,
    "kakaocron": kakaocron,
}

# Said at once and delivered, then said by a second run in good weather and delivered in all.
EXPECTED = {
    ("html", "apprise"): ("sent", 0, "sent", 1),
    ("html", "PyKakao"): ("error", 0, "sent", 1),
    ("html", "kakaome"): ("error", 0, "sent", 1),
    ("html", "airflow-provider-kakao"): ("error", 0, "sent", 1),
    ("html", "kakaocron"): ("unknown", 0, "refused", 0),
    ("cut-after", "apprise"): ("failed", 1, "sent", 2),
    ("cut-after", "PyKakao"): ("failed", 1, "sent", 2),
    ("cut-after", "kakaome"): ("error", 1, "sent", 2),
    ("cut-after", "airflow-provider-kakao"): ("error", 1, "sent", 2),
    ("cut-after", "kakaocron"): ("unknown", 1, "refused", 1),
    ("error-in-200", "apprise"): ("sent", 0, "sent", 1),
    ("error-in-200", "PyKakao"): ("error", 0, "sent", 1),
    ("error-in-200", "kakaome"): ("failed", 0, "sent", 1),
    ("error-in-200", "airflow-provider-kakao"): ("sent", 0, "sent", 1),
    ("error-in-200", "kakaocron"): ("unknown", 0, "refused", 0),
}


@pytest.mark.parametrize(("fault", "name"), EXPECTED)
def test_what_is_said_and_what_arrives(peers: Peers, tmp_path: Path, fault: str, name: str) -> None:
    if name == "kakaocron":  # which takes a text for another one in another minute
        wait_for_a_minute_with(20)
    sender = SENDERS[name]
    said, first = sender(peers, tmp_path, FIRST | {"faults": (fault,)})
    assert first.pending == []
    said_again, second = sender(peers, tmp_path, again(first))

    delivered = len(first.deliveries)
    total = delivered + len(second.deliveries)
    assert (said, delivered, said_again, total) == EXPECTED[fault, name]


def again(first: Ended) -> dict[str, Any]:
    """Return what a second run is given: what it was set up with."""
    return dict(first.login)


# Whether it goes on sending, hours after Kakao handed out a new refresh token and killed the old.
GOES_ON = {"apprise": True, "kakaome": True, "airflow-provider-kakao": False, "kakaocron": True}


@pytest.mark.parametrize("name", GOES_ON)
def test_whether_a_new_refresh_token_is_kept(peers: Peers, tmp_path: Path, name: str) -> None:
    sender = SENDERS[name]
    first_login = FIRST
    if name == "kakaome":  # it logs in by itself, and refreshes hours later
        configure_kakaome(peers, tmp_path)
        hours_later(tmp_path)
        first_login = {}
    said, first = sender(peers, tmp_path, first_login | {"faults": ("rotate",)})
    assert (said, first.pending) == ("sent", [])
    hours_later(tmp_path)

    more = {"is_access_dead": True, "LATER": "1", "TEXT": "18:00 약 먹기", **again(first)}
    said, second = sender(peers, tmp_path, more)

    assert (said == "sent") is GOES_ON[name]
    assert len(second.deliveries) == GOES_ON[name]


def hours_later(place: Path) -> None:
    """Let the access token that kakaome keeps run out."""
    config = place / ".config" / "kakaome" / "config.json"
    if config.exists():
        config.write_text(json.dumps(json.loads(config.read_text()) | {"expires_at": 0}))
