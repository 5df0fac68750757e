"""What the tests of rooms share: a configuration over the sandbox's rooms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kakaocron.installation import Installation
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.rehearsal.sandbox.settings import SandboxBot
from tests.fakes import MESSAGE, FakeClock, UnsyncedDisk, install

BOT = SandboxBot()
DRIVERS, ORDERS, QUIET, LEFT = (one.name for one in BOT.rooms)
KEYS = {one.name: one.key for one in BOT.rooms}
ID = "report@20261123T0930"


def config(
    sandbox: SandboxServer,
    *to: str,
    message: str = MESSAGE,
    more: str = "",
    url: str | None = None,
    rooms: Mapping[str, str] = MappingProxyType(KEYS),
) -> str:
    """Return everything but [kakao]: a message to rooms."""
    keys = "".join(f'"{name}" = "{key}"\n' for name, key in rooms.items())
    table = f"[rooms]\n{keys}" if rooms else ""
    to = to or (DRIVERS,)
    receivers = f"to = {json.dumps(list(to), ensure_ascii=False)}\n"
    return f'{more}[bot]\nurl = "{url or sandbox.url}"\n{table}{message}{receivers}'


def with_rooms(
    folder: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    *to: str,
    token: str | None = BOT.token,
    login: bool = True,
    **more: Any,
) -> Installation:
    """Assemble an installation whose message goes to rooms of the sandbox."""
    variables = {"KAKAO_BOT_TOKEN": token} if token else {}
    saved = folder / "refresh-token"
    if login and not saved.exists():
        folder.mkdir(parents=True, exist_ok=True)
        saved.write_text(sandbox.kakao.issue_login(clock.now()).refresh_token)
    if login:
        variables["KAKAO_REFRESH_TOKEN"] = saved.read_text()
    written = config(sandbox, *to, **more)
    return install(
        folder, sandbox, clock, written, variables=variables, disk=UnsyncedDisk(), timeout=1
    )


def in_rooms(sandbox: SandboxServer) -> list[tuple[str, str]]:
    """Return what was posted, in order: the room's name and the text."""
    names = {key: name for name, key in KEYS.items()}
    return [(names.get(one.receiver, one.receiver), one.text) for one in sandbox.deliveries]
