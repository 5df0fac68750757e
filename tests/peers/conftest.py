"""The installed programs and their ground, once for all tests here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.peers.peers import Peers, real_environment

ENVIRONMENT = real_environment()  # before a test's own takes its place


@pytest.fixture(scope="session")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peers]:
    peers = Peers(tmp_path_factory.mktemp("peers"), ENVIRONMENT)
    peers.install()
    peers.open()
    yield peers
    peers.close()
