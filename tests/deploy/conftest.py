"""Roots that several tests start from; each copies what it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.machines import SYSTEMD, make_root, run_inside


@pytest.fixture(scope="session")
def plain_debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain Debian with Python, as the base image has it."""
    return make_root(tmp_path_factory.mktemp("debian"))


@pytest.fixture(scope="session")
def debian_with_systemd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Debian that `booted` can boot, with a user `me`."""
    root = make_root(tmp_path_factory.mktemp("debian-systemd"), packages=SYSTEMD)
    run_inside(root, "useradd", "--create-home", "--shell", "/bin/bash", "me")
    return root
