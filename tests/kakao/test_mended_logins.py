"""A login that was refused for its key, its secret or its variable, and what a person mended."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from kakaocron.errors import LoginError
from kakaocron.installation import Installation
from kakaocron.kakao.login import Credentials, Login
from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.fakes import MESSAGE, FakeClock, ended_tick, install


def with_credentials(login: Login, **given: str) -> Login:
    return replace(login, credentials=replace(login.credentials, **given))


@pytest.mark.parametrize("fault", ["KOE010", "KOE101", "KOE322"])
def test_another_key_or_secret_is_tried_at_once_and_the_same_ones_are_not(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, fault: str
) -> None:
    login = install(tmp_path, sandbox, clock).login
    sandbox.faults.enqueue(fault)
    for _ in range(2):
        with pytest.raises(LoginError, match=fault):
            login.renew(None)

    right = sandbox.kakao.settings.client_secret
    with pytest.raises(LoginError, match="KOE010"):
        with_credentials(login, client_secret="x").renew(None)
    mended = with_credentials(login, client_secret=right or "")
    assert mended.renew(None)
    assert mended.read().refused is None


def rotated(installation: Installation) -> str:
    """Save a newer refresh token than the variable holds, as Kakao's rotation does."""
    login = installation.login
    login.renew(None)
    newer = "N" * 40
    login.write(replace(login.read(), refresh_token=newer))
    return newer


def test_a_variable_that_a_rotation_left_behind_is_named_once(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, capsys: pytest.CaptureFixture[str]
) -> None:
    installation = install(tmp_path, sandbox, clock, MESSAGE)
    rotated(installation)
    for at in ("09:31:01", "09:32:01", "09:33:01"):
        clock.set(at)
        ended_tick(installation)
    assert capsys.readouterr().err.count("KAKAO_REFRESH_TOKEN is out of date") == 1


def test_an_old_variable_is_blamed_where_there_is_nothing_else(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    here = install(tmp_path, sandbox, clock, variables={"KAKAO_REFRESH_TOKEN": "old" * 12})
    for _ in range(2):
        with pytest.raises(LoginError, match="no longer accepts KAKAO_REFRESH_TOKEN"):
            here.login.renew(None)


def test_what_tells_keys_apart_gives_none_away() -> None:
    one = Credentials("key", "secret")
    assert one.digest() != Credentials("key", "secre").digest()
    assert "secret" not in one.digest()
