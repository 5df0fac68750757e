"""What tests of 알림톡 begin with: the two dealers as they are configured, and one installation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from kakaocron.installation import Installation
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import DealerSettings
from tests.fakes import FakeClock, install

ACCOUNT = DealerSettings()
NUMBER, NOBODY, SILENT, UNCERTAIN, TURNS = (
    "01012345678",
    "01000000001",
    "01000000003",
    "01000000004",
    "01000000005",
)
TEXT = "민수님, 09:30 보고입니다."
ID = "report@20261123T0930"
DEALERS = ("nhn", "solapi")
both = pytest.mark.parametrize("dealer", DEALERS)

MESSAGE = """
[[message]]
name = "report"
slots = ["regular"]
alimtalk = "KC_REPORT_01"
variables = { "이름" = "민수", "시간" = "{time:%H:%M}" }
to = ["010-1234-5678"]
"""
KEYS: Mapping[str, Mapping[str, str]] = {
    "nhn": {"app_key": ACCOUNT.app_key, "sender_key": ACCOUNT.sender_key},
    "solapi": {
        "api_key": ACCOUNT.api_key,
        "pf_id": ACCOUNT.pf_id,
        "sender_number": "02-1234-5678",
    },
}
SECRETS = {
    "ALIMTALK_SECRET_KEY": ACCOUNT.secret_key,
    "ALIMTALK_API_SECRET": ACCOUNT.api_secret,
}


def table(dealer: str, url: str, more: str = "", **keys: str) -> str:
    """Return the table [alimtalk] of a dealer; what follows it may be further keys."""
    wanted = {"dealer": dealer, **KEYS[dealer], "url": url, **keys}
    lines = "\n".join(f'{name} = "{value}"' for name, value in wanted.items())
    return f"[alimtalk]\n{lines}\n{more}\n"


def phone(
    folder: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    dealer: str = "nhn",
    *,
    message: str = MESSAGE,
    more: str = "",
    secrets: Mapping[str, str] = SECRETS,
    keys: Mapping[str, str] | None = None,
) -> Installation:
    """Assemble an installation that sends by a dealer of the sandbox."""
    config = table(dealer, sandbox.url, more, **(keys or {})) + message
    return install(folder, sandbox, clock, config, variables=secrets)


def arrived(sandbox: SandboxServer) -> list[tuple[str, str]]:
    """Return who got what, in order."""
    return [(one.receiver, one.text) for one in sandbox.deliveries]
