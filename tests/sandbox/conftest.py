"""A sandbox with a login."""

import pytest

from kakaocron.sandbox.kakao import Kakao, Login

from .support import NOW


@pytest.fixture
def kakao() -> Kakao:
    return Kakao(seed=7)


@pytest.fixture
def login(kakao: Kakao) -> Login:
    return kakao.issue_login(NOW)


@pytest.fixture
def token(login: Login) -> str:
    return login.access_token
