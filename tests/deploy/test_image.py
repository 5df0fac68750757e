"""The image: built by the Dockerfile's own text, run by an engine without a daemon.

buildah builds and podman runs it (Debian's, with crun). The base image's name stands for a Debian
13 of the test's own, whose Python is 3.13 too. Takes some minutes: pytest -m deploy
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kakaocron.host.crontab import Job
from kakaocron.host.systemd import units_of
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.deploy.machines import ALONE, PATH, REPOSITORY, make_root, need
from tests.fakes import kakao_section

DEPLOY = REPOSITORY / "deploy"
USER = 1000
EVERY_MINUTE = (
    f"[schedule]\nregular_minutes = {list(range(60))}\npeak_hours = []\nearly_start = false\n"
    '[[message]]\nname = "report"\nslots = ["regular"]\ntext = "보고 {time:%H:%M}"\n'
)
# As compose.yaml has it: nobody's root, no capability, nothing of the image can be written.
HARDENED = (f"--user={USER}", "--cap-drop=all", "--read-only", "--security-opt=no-new-privileges")
KINDS = {"cron as root": (), "hardened": HARDENED}


@dataclass(frozen=True)
class Engine:
    """buildah and podman, with images and containers in a folder of the test's own.

    They run in a mount namespace that sees cgroup v2 alone, which is all that crun takes; `holder`
    keeps it.
    """

    folder: Path
    holder: int

    def command(self, program: str, *words: str) -> list[str]:
        inside = ["nsenter", "--mount", f"--target={self.holder}", program]
        places = [f"--root={self.folder}/images", f"--runroot={self.folder}/run"]
        return [*inside, *places, "--storage-driver=overlay", *words]

    def buildah(self, *words: str) -> str:
        return output(self.command("buildah", *words))

    def podman(self, *words: str, check: bool = True) -> str:
        options = ("--cgroup-manager=cgroupfs", "--events-backend=none")
        return output(self.command("podman", *options, *words), check=check)

    def run(self, *words: str, check: bool = True) -> str:
        """Run a container; without a cgroup, a network or larger limits of its own."""
        options = ("--network=host", "--cgroups=disabled", "--no-healthcheck")
        limits = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096")
        return self.podman("run", *options, *limits, *words, check=check)


def output(command: list[str], *, check: bool = True) -> str:
    """Return what a command prints, on stderr too."""
    done = subprocess.run(
        command,
        env={"PATH": PATH, "HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"{command}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that has the image `kakaocron`."""
    need("buildah", "podman", "crun", packages="buildah podman crun")
    folder = tmp_path_factory.mktemp("engine")
    base = make_root(folder / "base", "trixie")
    alone = [*ALONE, "sh", "-c", "mount -t cgroup2 cgroup2 /sys/fs/cgroup; exec sleep 3600"]
    with subprocess.Popen(alone) as holder:
        engine = Engine(folder, holder.pid)
        try:
            wait_for_the_mount(holder.pid)
            dockerfile = (DEPLOY / "Dockerfile").read_text()
            named = re.search(r"^FROM (python:3\.13-slim)$", dockerfile, re.MULTILINE)
            assert named
            container = engine.buildah("from", "scratch").strip()
            engine.buildah("add", "--quiet", container, str(base), "/")
            engine.buildah("config", "--env", f"PATH={PATH}", container)
            engine.buildah("commit", "--quiet", "--rm", container, f"docker.io/library/{named[1]}")
            build = ("--isolation=chroot", "--pull-never", "--format=docker", "--tag=kakaocron")
            engine.buildah("build", *build, f"--file={DEPLOY}/Dockerfile", str(REPOSITORY))
            yield engine
        finally:
            engine.podman("rm", "--all", "--force", "--time=0", check=False)
            holder.kill()


def wait_for_the_mount(pid: int) -> None:
    mounts = Path(f"/proc/{pid}/mounts")
    deadline = time.monotonic() + 20
    while "cgroup2 /sys/fs/cgroup cgroup2" not in mounts.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Folders to be mounted into a container, the ticks' user's own: config, secrets, data."""
    for name in ("config", "secrets", "data"):
        (tmp_path / name).mkdir(mode=0o700)
        os.chown(tmp_path / name, USER, USER)
    return tmp_path


def mounts(folders: Path) -> tuple[str, ...]:
    return (
        f"--volume={folders}/config:/config:ro",
        f"--volume={folders}/secrets:/run/secrets:ro",
        f"--volume={folders}/data:/data",
    )


def write_private(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o400)
    os.chown(path, USER, USER)


def configure(folders: Path, sandbox: SandboxServer) -> str:
    """Write configuration and secrets, logged in to the sandbox; return the refresh token."""
    settings = sandbox.kakao.settings
    token = sandbox.kakao.issue_login(SystemClock().now()).refresh_token
    write_private(folders / "secrets" / "kakao_rest_api_key", settings.rest_api_key + "\n")
    write_private(folders / "secrets" / "kakao_client_secret", f"{settings.client_secret}\n")
    write_private(folders / "secrets" / "kakao_refresh_token", token + "\n")
    kept = [
        line
        for line in kakao_section(sandbox, timeout=8).splitlines()
        if not line.startswith(("rest_api_key", "client_secret"))
    ]
    write_private(folders / "config" / "config.toml", "\n".join(kept) + "\n" + EVERY_MINUTE)
    return token


def wait_for_deliveries(sandbox: SandboxServer, count: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while len(sandbox.deliveries) < count and time.monotonic() < deadline:
        time.sleep(0.05)


@pytest.mark.deploy
@pytest.mark.parametrize("kind", KINDS)
def test_a_container_sends_each_minute_once_is_healthy_and_stops_in_flight(
    engine: Engine, folders: Path, kind: str
) -> None:
    clock = SystemClock()
    options = (*KINDS[kind], *mounts(folders))
    with SandboxServer(Kakao(seed=9), clock.now) as sandbox:
        token = configure(folders, sandbox)
        name = engine.run("--detach", *options, "kakaocron").strip().splitlines()[-1]
        wait_for_deliveries(sandbox, 2, 260)
        checked = engine.podman("image", "inspect", "kakaocron", "--format={{json .HealthCheck}}")
        healthcheck = json.loads(checked)["Test"][1:]
        health = engine.podman("exec", name, *healthcheck)
        doctor = engine.podman("exec", name, "entrypoint.sh", "kakaocron", "doctor", "--json")
        findings = json.loads(doctor)["findings"]
        sandbox.faults.replace(script=["slow=4"])
        wait_for_deliveries(sandbox, len(sandbox.deliveries) + 1, 90)
        began = time.monotonic()
        engine.podman("stop", "--time=30", name)
        took = time.monotonic() - began
        said = engine.podman("logs", name)
        ended = engine.podman("inspect", name, "--format={{.State.ExitCode}}").strip()
        texts = [one.text for one in sandbox.deliveries]
        late = [(one.received_at_ns or 0) / 1e9 % 60 for one in sandbox.deliveries]
    history = engine.run("--rm", *options, "kakaocron", "kakaocron", "history", "--json")
    print(f"\n{kind}: {len(texts)} messages, seconds after the minute: {late}")
    print(f"{kind}: {health.strip()}; stopped in flight after {took:.1f} s with {ended}: {said!r}")
    for finding in findings:
        if finding["status"] != "ok":
            print(f"{kind}: doctor: {finding['name']}: {finding['what']}")
    assert len(texts) >= 3, said
    assert len(set(texts)) == len(texts)
    assert {one["state"] for one in json.loads(history)} == {"confirmed"}
    assert ended == "0"
    owners = {path.stat().st_uid for path in (folders / "data").rglob("*")}
    assert owners == {USER}
    assert token not in said
    assert not any(token in path.read_text() for path in folders.glob("data/log/*.log"))


@pytest.mark.deploy
def test_without_capabilities_root_sends_nothing_and_says_why(engine: Engine) -> None:
    said = engine.run("--rm", "--cap-drop=all", "kakaocron", "kakaocron", "--version", check=False)
    assert "setpriv: setresuid failed" in said


@pytest.mark.deploy
def test_the_image_has_what_a_configuration_may_ask_for(engine: Engine, folders: Path) -> None:
    python = ("/opt/kakaocron/bin/python", "-c")
    code = "import apprise, holidays, starlette, uvicorn; print(holidays.__version__)"
    print("\nholidays", engine.run("--rm", "kakaocron", *python, code))
    with SandboxServer(Kakao(seed=9), SystemClock().now) as sandbox:
        configure(folders, sandbox)
        config = folders / "config" / "config.toml"
        write_private(config, config.read_text() + "skip_holidays = true\n")
        options = (*HARDENED, *mounts(folders))
        engine.run("--rm", *options, "kakaocron", "kakaocron", "config", "check")


@pytest.mark.deploy
def test_init_writes_the_configuration_into_a_mounted_folder(engine: Engine, folders: Path) -> None:
    options = (*HARDENED, f"--volume={folders}/config:/config", f"--volume={folders}/data:/data")
    keys = ("--env=KAKAO_REST_API_KEY=key-of-the-test", "--env=KAKAO_CLIENT_SECRET=")
    print(engine.run("--rm", *options, *keys, "kakaocron", "kakaocron", "init", "--yes"))
    status = (folders / "config" / "config.toml").stat()
    assert (status.st_uid, status.st_mode & 0o777) == (USER, 0o600)


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


def test_the_dockerfile_copies_what_there_is() -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    for source in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        assert all((REPOSITORY / name).exists() for name in source.split())


def test_the_units_are_those_that_are_installed() -> None:
    job = Job(("/opt/kakaocron/bin/kakaocron",), Path("/home/me/.config/kakaocron/config.toml"))
    for name, text in units_of(job).items():
        assert (DEPLOY / "systemd" / name).read_text() == text
