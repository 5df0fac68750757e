"""The units under a real systemd, booted as PID 1 of a machine of the test's own.

Takes a quarter of an hour; with -s it prints what was measured.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.clock import SystemClock
from tests.deploy.machines import REPOSITORY, Machine, add_kakaocron, booted, copy_root
from tests.deploy.units import KAKAOCRON, every_minute, install_units, wait_until, write_config
from tests.fakes import wait_for_a_minute_with

pytestmark = pytest.mark.deploy

UNITS = REPOSITORY / "deploy" / "systemd"
MEASURED_MINUTES = 10


@pytest.fixture(scope="module")
def installed(debian_with_systemd: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Debian with systemd and kakaocron; whoever changes it copies it."""
    root = copy_root(debian_with_systemd, tmp_path_factory.mktemp("installed") / "root")
    add_kakaocron(root)
    return root


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    """A sandbox in real time, as the machine's is."""
    clock = SystemClock()
    with SandboxServer(Kakao(seed=9), clock.now) as server:
        yield server


@pytest.fixture
def root(installed: Path, tmp_path: Path) -> Path:
    return copy_root(installed, tmp_path / "root")


def states(machine: Machine, user: str) -> list[tuple[str, str | None]]:
    """Return state and reason of what the slots before now have become."""
    said = machine.run(KAKAOCRON, "history", "--json", user=user)
    return [(one["state"], one["reason"]) for one in json.loads(said)]


@contextlib.contextmanager
def session(machine: Machine, user: str) -> Iterator[Callable[[str], str]]:
    """Log a user in, as at a terminal; gives what runs a command line in the session."""
    command = ["nsenter", f"--target={machine.leader}", "--all", "--wd=/", "su", "-l", user]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as su:
        assert su.stdin
        assert su.stdout

        def run(line: str) -> str:
            assert su.stdin
            assert su.stdout
            su.stdin.write(f"{line} 2>&1; echo; echo --end--\n")
            su.stdin.flush()
            return "".join(iter(su.stdout.readline, "--end--\n")).strip()

        yield run
        su.stdin.close()


def lateness_seconds(sandbox: SandboxServer, name: str) -> list[float]:
    """Return how long after its minute each message of this name was there, slot by slot.

    Fails where one came twice, or none came for a minute between the first and the last.
    """
    came: dict[int, float] = {}
    for one in sandbox.deliveries:
        sent, _, slot = one.text.partition(" ")
        if sent == name:
            hours, minutes = map(int, slot.split(":"))
            minute = hours * 60 + minutes
            assert minute not in came, f"twice: {one.text}"
            assert one.received_at_ns is not None
            kst_seconds = (one.received_at_ns / 1e9 + 9 * 3600) % 86400
            came[minute] = (kst_seconds - minute * 60 + 43200) % 86400 - 43200
    first = next(iter(came))
    assert list(came) == [(first + n) % 1440 for n in range(len(came))]
    return list(came.values())


def quantiles(values: list[float]) -> str:
    ordered = sorted(values)
    p50, p99 = (ordered[round((len(ordered) - 1) * share)] for share in (0.5, 0.99))
    return f"n {len(ordered)}, min {ordered[0]:.3f}, p50 {p50:.3f}, p99 {p99:.3f} s"


def test_a_real_systemd_comes_up_twice_side_by_side(
    debian_with_systemd: Path, tmp_path: Path
) -> None:
    roots = [copy_root(debian_with_systemd, tmp_path / name) for name in ("one", "other")]
    with booted(roots[0]) as machine, booted(roots[1]) as other:
        machine.linger("me")
        for one, user in ((machine, None), (machine, "me"), (other, None)):
            scope = ("--user",) if user else ()
            said = one.run("systemctl", *scope, "is-system-running", "--wait", user=user)
            assert said == "running\n"
        assert machine.run("cat", "/proc/1/comm") == "systemd\n"


def test_user_timers_send_each_minute_once_with_nobody_logged_in(
    root: Path, sandbox: SandboxServer
) -> None:
    """As installed; with systemd's own accuracy; with early_start, then with late answers too."""
    slow_sandbox = SandboxServer(Kakao(seed=10), SystemClock().now, answer_delay_seconds=1.5)
    users = {"plain": sandbox, "coarse": sandbox, "early": sandbox, "slow": slow_sandbox}
    with slow_sandbox, booted(root) as machine:
        for user, server in users.items():
            machine.run("useradd", "--create-home", user)
            write_config(machine, user, server, every_minute(user, user in {"early", "slow"}))
            machine.linger(user)
            install_units(machine, user)
        machine.run(
            "sh",
            "-c",
            "mkdir ~/.config/systemd/user/kakaocron.timer.d\n"
            r"printf '[Timer]\nAccuracySec=1min\n' >~/.config/systemd/user/kakaocron.timer.d/a.conf"
            "\nsystemctl --user daemon-reload; systemctl --user restart kakaocron.timer",
            user="coarse",
        )
        # From here on nobody does anything.
        time.sleep(MEASURED_MINUTES * 60 + 30)
        print("\n" + machine.run("systemctl", "--version").splitlines()[0])
        for user, server in users.items():
            assert {state for state, _ in states(machine, user)} <= {"confirmed", "sending"}
            starts = started_after_the_minute(machine, user)
            print(f"{user}: the timer's starts after the minute: {quantiles(starts)}")
            late = lateness_seconds(server, user)
            print(f"{user}: messages at the sandbox after the minute: {quantiles(late)}")
            assert min(late) >= 0
            assert len(late) >= MEASURED_MINUTES - 1


def started_after_the_minute(machine: Machine, user: str) -> list[float]:
    """Return, from the journal, the second of the minute in which each tick was started."""
    lines = machine.run(
        "journalctl", "--user", "--unit=kakaocron.service", "--output=json", user=user
    ).splitlines()
    entries = [json.loads(line) for line in lines]
    return [
        int(entry["_SOURCE_REALTIME_TIMESTAMP"]) / 1e6 % 60
        for entry in entries
        if entry["MESSAGE"].startswith("Starting")
    ]


def uid(machine: Machine, user: str) -> str:
    return machine.run("id", "-u", user).strip()


def test_a_user_timer_ends_with_the_session_unless_the_user_lingers(
    root: Path, sandbox: SandboxServer
) -> None:
    with booted(root) as machine:
        write_config(machine, "me", sandbox, every_minute("report"))
        manager = f"user@{uid(machine, 'me')}.service"

        def is_up() -> bool:
            return machine.run("systemctl", "is-active", manager, check=False) == "active\n"

        def timer_finding() -> str:
            said = machine.run(KAKAOCRON, "doctor", "--json", user="me", check=False)
            found = {one["name"]: one for one in json.loads(said)["findings"]}
            return str(found["timer"]["status"])

        with session(machine, "me") as run:
            run(f"{KAKAOCRON} cron install --systemd")
            run("systemctl --user daemon-reload && systemctl --user enable --now kakaocron.timer")
            assert is_up()
            assert timer_finding() == "warn"
        wait_until(lambda: not is_up(), 60, "the manager ends with the last session")
        with session(machine, "me") as run:
            print("\nin a session, without polkit:", run("loginctl enable-linger"))
        machine.run("loginctl", "enable-linger", "me")
        wait_until(is_up, 30, "the manager comes for a user who lingers")
        assert timer_finding() == "ok"
        # Enabled in the session, it runs by itself now.
        listed = machine.run("systemctl", "--user", "is-active", "kakaocron.timer", user="me")
        assert listed == "active\n"
        with session(machine, "me"):
            pass
        time.sleep(15)  # a user's manager is stopped 10 seconds after the last session
        assert is_up()


def test_a_system_unit_gets_its_keys_as_credentials(root: Path, sandbox: SandboxServer) -> None:
    with booted(root) as machine:
        folder = write_config(machine, "me", sandbox, every_minute("report"))
        secrets = sandbox.kakao.settings.rest_api_key, sandbox.kakao.settings.client_secret or ""
        config = folder / "config.toml"
        kept = [
            line
            for line in config.read_text().splitlines()
            if not line.startswith(("rest_api_key", "client_secret"))
        ]
        config.write_text("\n".join(kept) + "\n")
        for name, secret in zip(
            ("kakao_rest_api_key", "kakao_client_secret"), secrets, strict=True
        ):
            path = root / "etc" / "kakaocron" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(secret + "\n")
            path.chmod(0o400)
        system = root / "etc/systemd/system"
        for name in ("kakaocron.service", "kakaocron.timer"):
            shutil.copy(UNITS / name, system)
        (system / "kakaocron.service.d").mkdir()
        shutil.copy(UNITS / "system.conf", system / "kakaocron.service.d")
        machine.run("systemctl", "daemon-reload")
        units = [f"/etc/systemd/system/{name}" for name in ("kakaocron.service", "kakaocron.timer")]
        assert machine.run("systemd-analyze", "verify", *units) == ""
        machine.run("systemctl", "enable", "--now", "kakaocron.timer")
        wait_until(lambda: len(sandbox.deliveries) >= 2, 150, "two ticks")
        assert {state for state, _ in states(machine, "me")} == {"confirmed"}
        # What others of the machine can ask for holds no key.
        shown = machine.run("systemctl", "show", "kakaocron.service", user="me")
        journal = machine.run("journalctl", "--no-pager")
        assert not [secret for secret in secrets if secret in shown + journal]
        # By hand, with the same keys.
        asked = ["--wait", "--pipe", "--quiet", "-p", "User=me"]
        for name in ("kakao_rest_api_key", "kakao_client_secret"):
            asked += ["-p", f"LoadCredential={name}:/etc/kakaocron/{name}"]
        said = machine.run("systemd-run", *asked, KAKAOCRON, "send", "by hand")
        print(f"\n{said}")
        assert "by hand" in [one.text for one in sandbox.deliveries]


def test_user_units_take_credentials_too(root: Path, sandbox: SandboxServer) -> None:
    with booted(root) as machine:
        folder = write_config(machine, "me", sandbox, every_minute("report"))
        secret = folder / "refresh-token"
        secret.write_text((folder / ".env").read_text().partition("=")[2])
        (folder / ".env").unlink()
        drop_in = folder.parent / "systemd/user/kakaocron.service.d/keys.conf"
        drop_in.parent.mkdir(parents=True)
        drop_in.write_text("[Service]\nLoadCredential=kakao_refresh_token:%h/refresh-token\n")
        secret.rename(root / "home/me/refresh-token")
        machine.run("chown", "-R", "me:", "/home/me")
        machine.linger("me")
        install_units(machine, "me")
        machine.run("systemctl", "--user", "start", "kakaocron.service", user="me")
        assert states(machine, "me") == [("confirmed", None)]


def test_a_failed_tick_is_a_failed_unit_and_the_next_one_is_not(
    root: Path, sandbox: SandboxServer
) -> None:
    with booted(root) as machine:
        write_config(machine, "me", sandbox, every_minute("report"))
        sandbox.faults.replace(script=["-532"])  # refused for today: nothing goes out
        machine.linger("me")
        install_units(machine, "me")
        folder = root / "home/me/.config/systemd/user"
        drop_in = folder / "kakaocron.service.d/tell.conf"
        drop_in.parent.mkdir()
        line = next(
            line.removeprefix("# ")
            for line in (folder / "kakaocron.service").read_text().splitlines()
            if line.startswith("# OnFailure=")
        )
        drop_in.write_text(f"[Unit]\n{line}\n")
        (folder / "kakaocron-failed@.service").write_text(
            "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo %i >>%h/told'\n"
        )
        machine.run("systemctl", "--user", "daemon-reload", user="me")
        wait_until((root / "home/me/told").exists, 150, "a failed tick is told")
        assert (root / "home/me/told").read_text() == "kakaocron.service\n"
        shown = ("show", "--property=Result,ExecMainStatus", "--value", "kakaocron.service")
        assert machine.run("systemctl", "--user", *shown, user="me") == "exit-code\n1\n"
        assert machine.run("systemctl", "--user", "is-system-running", user="me", check=False) == (
            "degraded\n"
        )
        assert states(machine, "me")[0][0] == "failed"
        asked = ("systemctl", "--user", "is-system-running")
        wait_until(
            lambda: machine.run(*asked, user="me", check=False) == "running\n",
            90,
            "the timer goes on, and its next tick is well",
        )
        assert sandbox.deliveries


@pytest.mark.parametrize(("fault", "state"), [("slow=4", "confirmed"), ("stall-after", "unknown")])
def test_a_stop_in_flight_is_recorded(
    root: Path, sandbox: SandboxServer, fault: str, state: str
) -> None:
    """SIGTERM while Kakao has the message and has not answered yet."""
    with booted(root) as machine:
        write_config(machine, "me", sandbox, every_minute("report"))
        machine.linger("me")
        machine.run(KAKAOCRON, "cron", "install", "--systemd", user="me")
        machine.run("systemctl", "--user", "daemon-reload", user="me")
        sandbox.faults.replace(script=[fault])
        wait_for_a_minute_with(20)
        machine.run("systemctl", "--user", "start", "--no-block", "kakaocron.service", user="me")
        wait_until(lambda: sandbox.deliveries, 30, "the message is at Kakao's")
        began = time.monotonic()
        machine.run("systemctl", "--user", "stop", "kakaocron.service", user="me")
        took = time.monotonic() - began
        print(f"\n{fault}: stopped after {took:.1f} s")
        failed = machine.run(
            "systemctl", "--user", "is-failed", "kakaocron.service", user="me", check=False
        )
        assert failed == "inactive\n"
        assert [one for one, _ in states(machine, "me")] == [state]
        assert len(sandbox.deliveries) == 1


def test_a_shutdown_in_flight_sends_nothing_twice(root: Path, sandbox: SandboxServer) -> None:
    with booted(root) as machine:
        write_config(machine, "me", sandbox, every_minute("report"))
        machine.linger("me")
        machine.run(KAKAOCRON, "cron", "install", "--systemd", user="me")
        machine.run("systemctl", "--user", "daemon-reload", user="me")
        sandbox.faults.replace(script=["slow=3"])
        wait_for_a_minute_with(40)
        machine.run("systemctl", "--user", "start", "--no-block", "kakaocron.service", user="me")
        wait_until(lambda: sandbox.deliveries, 30, "the message is at Kakao's")
    with booted(root) as machine:
        wait_until(
            lambda: machine.run("ls", "/run/user").strip() == uid(machine, "me"), 30, "lingering"
        )
        assert states(machine, "me") == [("confirmed", None)]
        machine.run("systemctl", "--user", "start", "kakaocron.service", user="me")
        texts = [one.text for one in sandbox.deliveries]
        assert len(set(texts)) == len(texts)
