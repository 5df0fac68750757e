"""A sandbox with a login."""

import pytest

from kakaocron.rehearsal.sandbox.account import Login
from kakaocron.rehearsal.sandbox.kakao import Kakao
from tests.rehearsal.sandbox.support import NOW


@pytest.fixture
def kakao() -> Kakao:
    return Kakao(seed=7)


@pytest.fixture
def login(kakao: Kakao) -> Login:
    return kakao.issue_login(NOW)


@pytest.fixture
def token(login: Login) -> str:
    return login.access_token
