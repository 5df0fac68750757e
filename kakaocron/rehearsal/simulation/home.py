"""Where a simulated user keeps his files, and the login among them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from zlib import crc32

from kakaocron.config.schema import Message
from kakaocron.delivery.parcel import Enclosure
from kakaocron.kakao.tokens import Tokens
from kakaocron.messages.making import Contents
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.pictures import GREY
from kakaocron.rehearsal.sandbox.settings import SandboxBot
from kakaocron.system.http import Stream
from kakaocron.system.places import Places

HOME = "/sim"


class LinkFreePlaces(Places, frozen=True):
    """Places on a disk without links: the real one is not asked for any."""

    @property
    def folder(self) -> Path:
        return Path(f"{HOME}/config")

    @property
    def note(self) -> Path:
        return Path(f"{HOME}/config/.config.toml.ledgers")


PLACES = LinkFreePlaces(
    Path(f"{HOME}/config/config.toml"),
    Path(f"{HOME}/data"),
    Path(f"{HOME}/log"),
    {"XDG_RUNTIME_DIR": f"{HOME}/run", "KAKAO_BOT_TOKEN": SandboxBot().token},
)


class SimulatedContents(Contents, frozen=True):
    """Contents whose pictures are all the same one: the real disk is not asked for any."""

    def _enclosed(self, source: Mapping[str, str], message: Message | None) -> Enclosure:
        is_required = message is not None and message.image_required
        picture = Stream(len(GREY.content), lambda: iter((GREY.content,)))
        return Enclosure(source, is_required, "image/png", picture)


def url_of(account: str) -> str:
    """Return where an account finds Kakao: its requests are known by the host that they name."""
    return f"https://account-{crc32(account.encode()):08x}.simulated"


def person_of(account: str) -> str | None:
    """Return the uuid of who has an account, None for the user's own."""
    return f"uuid-of-{account}" if account else None


def logged_in(
    kakao: Kakao, at: datetime, host_time: datetime | None = None, account: str = ""
) -> Tokens:
    """Log in at the sandbox; return what kakaocron would keep of it, by its host's clock."""
    login = kakao.issue_login(at, uuid=person_of(account))
    return Tokens(
        login.access_token,
        login.access_expires_at,
        login.refresh_token,
        login.refresh_expires_at,
        kakao.settings.rest_api_key,
        host_time or at,
    )
