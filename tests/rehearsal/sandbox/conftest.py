"""A sandbox with a login."""

import pytest

from kakaocron.rehearsal.sandbox.account import ReadyLogin
from kakaocron.rehearsal.sandbox.kakao import Kakao
from tests.rehearsal.sandbox.support import NOW


@pytest.fixture
def kakao() -> Kakao:
    return Kakao(seed=7)


@pytest.fixture
def login(kakao: Kakao) -> ReadyLogin:
    return kakao.issue_login(NOW)


@pytest.fixture
def token(login: ReadyLogin) -> str:
    return login.access_token
