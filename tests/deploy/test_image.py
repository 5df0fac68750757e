"""The image: the Dockerfile's own steps in a plain Debian root, its cron, and what arrives.

There is no Docker engine on the machines that build this. Takes some minutes: pytest -m deploy
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kakaocron.host.crontab import Job
from kakaocron.host.systemd import units_of
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.deploy.machines import REPOSITORY, copy_root, inside
from tests.fakes import kakao_section

DEPLOY = REPOSITORY / "deploy"
USER = 1000
EVERY_MINUTE = (
    f"[schedule]\nregular_minutes = {list(range(60))}\npeak_hours = []\nearly_start = false\n"
    '[[message]]\nname = "report"\nslots = ["regular"]\ntext = "보고 {time:%H:%M}"\n'
)


@dataclass
class Image:
    """What the Dockerfile says, carried out in `root`."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)

    def build(self, dockerfile: str) -> None:
        for line in dockerfile.replace("\\\n", " ").splitlines():
            word, _, rest = line.strip().partition(" ")
            if word and not word.startswith("#"):
                getattr(self, f"_{word.lower()}")(rest.strip())

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            inside(self.root, *command),
            env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def _from(self, base: str) -> None:
        assert re.fullmatch(r"python:3\.\d+-slim", base)  # the plain Debian root stands in for it

    def _run(self, command: str) -> None:
        done = self.run(["/bin/sh", "-c", command])
        assert done.returncode == 0, done.stdout

    def _copy(self, paths: str) -> None:
        *sources, target = paths.split()
        place = self.root / target.lstrip("/")
        for name in sources:
            source = REPOSITORY / name
            if source.is_dir():
                shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                into = place / source.name if target.endswith("/") else place
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, into)

    def _env(self, setting: str) -> None:
        name, _, value = setting.partition("=")
        self.environment[name] = value

    def _volume(self, path: str) -> None:
        assert (self.root / path.lstrip("/")).is_dir()

    def _entrypoint(self, command: str) -> None:
        self.entrypoint = json.loads(command)

    def _healthcheck(self, options: str) -> None:
        self.healthcheck = json.loads(options.partition("CMD ")[2])


@pytest.fixture
def debian(plain_debian: Path, tmp_path: Path) -> Path:
    """The test's own copy: it becomes the image."""
    return copy_root(plain_debian, tmp_path / "image")


def secret_file(root: Path, name: str, value: str) -> None:
    path = root / "run" / "secrets" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value + "\n")
    path.chmod(0o400)
    os.chown(path, USER, USER)


@pytest.mark.deploy
def test_a_container_sends_each_minute_once_and_is_healthy(debian: Path, tmp_path: Path) -> None:
    image = Image(debian)
    image.build((DEPLOY / "Dockerfile").read_text())
    clock = SystemClock()
    log = tmp_path / "container.log"
    with SandboxServer(Kakao(seed=9), clock.now) as sandbox:
        settings = sandbox.kakao.settings
        secret_file(debian, "kakao_rest_api_key", settings.rest_api_key)
        secret_file(debian, "kakao_client_secret", settings.client_secret or "")
        token = sandbox.kakao.issue_login(clock.now()).refresh_token
        secret_file(debian, "kakao_refresh_token", token)
        config = debian / "config" / "config.toml"
        config.parent.mkdir()
        kept = [
            line
            for line in kakao_section(sandbox, timeout=5).splitlines()
            if not line.startswith(("rest_api_key", "client_secret"))
        ]
        config.write_text("\n".join(kept) + "\n" + EVERY_MINUTE)
        with container(image, log):
            deadline = time.monotonic() + 260
            while len(sandbox.deliveries) < 2 and time.monotonic() < deadline:
                time.sleep(0.5)
            health = image.run(image.healthcheck)
            history = image.run([*image.entrypoint, "kakaocron", "history", "--json"])
        texts = [delivery.text for delivery in sandbox.deliveries]
    said = log.read_text()
    assert len(texts) >= 2, said
    assert len(set(texts)) == len(texts)
    assert health.returncode == 0, health.stdout
    assert {one["state"] for one in json.loads(history.stdout)} == {"confirmed"}
    owners = {path.stat().st_uid for path in (debian / "data").rglob("*")}
    assert owners == {USER}
    assert token not in said
    assert not any(token in path.read_text() for path in debian.glob("data/log/*.log"))


@contextlib.contextmanager
def container(image: Image, log: Path) -> Iterator[None]:
    """Run the entry point in process and mount namespaces of its own, as a container does."""
    options = ("--fork", "--pid", "--kill-child")
    command = inside(image.root, *image.entrypoint, options=options)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            env={"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **image.environment},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_the_crontab_says_what_the_dockerfile_says() -> None:
    """cron's jobs do not see the image's environment: both must name the same places."""
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    crontab = (DEPLOY / "crontab").read_text()
    for name, value in re.findall(r"^ENV (\w+)=(.*)$", dockerfile, re.MULTILINE):
        assert f"\n{name}={value}\n" in crontab
    job = crontab.splitlines()[-1].split(None, 6)
    assert job[:5] == ["*"] * 5
    assert job[5] == "kakaocron"
    assert shlex.split(job[6])[:2] == ["/opt/kakaocron/bin/kakaocron", "tick"]
    assert crontab.endswith("\n")


def test_every_instruction_of_the_dockerfile_is_carried_out_by_the_test() -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    words = {line.split()[0].lower() for line in text.splitlines() if line and line[0] != "#"}
    assert words <= {name.removeprefix("_") for name in dir(Image)}
    for source in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        assert all((REPOSITORY / name).exists() for name in source.split())


def test_the_units_are_those_that_are_installed() -> None:
    job = Job(("/opt/kakaocron/bin/kakaocron",), Path("/home/me/.config/kakaocron/config.toml"))
    for name, text in units_of(job).items():
        assert (DEPLOY / "systemd" / name).read_text() == text
