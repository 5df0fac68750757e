"""Where a simulated user keeps his files, and the login among them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from kakaocron.kakao.tokens import Tokens
from kakaocron.rehearsal.sandbox.kakao import Kakao
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
    {"XDG_RUNTIME_DIR": f"{HOME}/run"},
)


def logged_in(kakao: Kakao, at: datetime, host_time: datetime | None = None) -> Tokens:
    """Log in at the sandbox; return what kakaocron would keep of it, by its host's clock."""
    login = kakao.issue_login(at)
    return Tokens(
        login.access_token,
        login.access_expires_at,
        login.refresh_token,
        login.refresh_expires_at,
        kakao.settings.rest_api_key,
        host_time or at,
    )
