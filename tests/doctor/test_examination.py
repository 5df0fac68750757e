"""`doctor`: each thing that can be wrong is seen, and each finding says how to fix it."""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kakaocron.cli import run
from kakaocron.config.reading import parse_config
from kakaocron.doctor.examination import examine
from kakaocron.doctor.finding import Bench, Finding, Status, fields, worst
from kakaocron.host.crontab import Crontab, CrontabError, Job, with_block
from kakaocron.host.probe import CommandResult, Machine, _cron_at
from kakaocron.host.systemd import units_of
from kakaocron.installation import Installation, assemble
from kakaocron.kakao.tokens import Tokens
from kakaocron.ledger.beats import Word
from kakaocron.rehearsal.sandbox.pictures import draw
from kakaocron.rehearsal.sandbox.server import SandboxServer
from tests.fakes import MESSAGE, FakeClock, install, kakao_section, run_tick, write_config
from tests.host.test_crontab import FakeCrontab

JOB = Job(("/opt/kakaocron",), Path("/etc/kakaocron/config.toml"))


class FakeMachine(Machine):
    """A machine on which all is well but for what a test changes."""

    def __init__(self, **facts: Any) -> None:
        self.facts = facts

    def which(self, program: str) -> list[str]:
        default = {"crontab": ["/usr/bin/crontab"], "kakaocron": ["/opt/kakaocron"]}
        return list({**default, **self.facts.get("programs", {})}[program])

    def cron_processes(self) -> list[str]:
        return list(self.facts.get("crons", ["cron"]))

    def run(self, command: str, environment: Mapping[str, str]) -> CommandResult:
        assert command.endswith("tick --config /etc/kakaocron/config.toml --dry-run")
        assert set(environment) == {"HOME", "LOGNAME", "SHELL", "PATH"}
        assert environment["PATH"] == "/usr/bin:/bin"
        ended: CommandResult = self.facts.get("ended", CommandResult(0, "nothing is due"))
        return ended

    def is_program(self, path: str) -> bool:
        return path not in self.facts.get("gone", [])

    def found_on(self, search_path: str, program: str) -> str | None:
        found: dict[str, str] = self.facts.get("on", {})
        return found.get(search_path)

    def user(self) -> str:
        return "me"

    def is_user(self, name: str) -> bool:
        return name in {"me", "root"}

    def system_crontabs(self) -> list[tuple[str, bytes]]:
        return list(self.facts.get("system_crontabs", []))

    def timer_service(self) -> str | None:
        service: str | None = self.facts.get("timer_service")
        return service

    def lingers(self) -> bool:
        return bool(self.facts.get("lingers", True))

    def file_system(self, path: str) -> str:
        return str(self.facts.get("file_system", "ext4"))

    def free(self, path: str) -> tuple[int, int]:
        found: tuple[int, int] = self.facts.get("free", (1 << 34, 1 << 20))
        return found


CONFIG = (
    MESSAGE + '[monitor]\nping_url = "http://127.0.0.1:9/ping"\nalert_urls = ["ntfy://x"]\n'
    "[schedule]\nearly_start = true\n"
)


ONLY_KAKAOTALK = MESSAGE + '[monitor]\nalert_urls = ["kakaotalk://t"]\n'


@pytest.fixture
def well(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> Bench:
    """An installation that works: logged in, ticking, on a sound machine."""
    config = CONFIG.replace('alert_urls = ["ntfy://x"]\n', "")
    installation = install(tmp_path, sandbox, clock, config)
    run_tick(installation)
    crontab = FakeCrontab(with_block(b"", JOB))
    return Bench(installation.places, FakeMachine(), crontab, JOB, clock.now(), installation)


def without_cron(installation: Installation) -> Bench:
    """Return an installation on a sound machine, for which no crontab was set up."""
    now = installation.clock.now()
    return Bench(installation.places, FakeMachine(), FakeCrontab(None), JOB, now, installation)


def found(bench: Bench, name: str) -> Finding:
    return next(finding for finding in examine(bench) if finding.name == name)


def test_at_least_25_findings_and_none_fails_where_all_is_well(well: Bench) -> None:
    findings = list(examine(well))
    assert len(findings) >= 25
    assert len({finding.name for finding in findings}) == len(findings)
    assert [f for f in findings if f.status is Status.FAIL] == []
    assert all(finding.mend for finding in findings if finding.status is not Status.OK)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy", "SSL_CERT_FILE"])
def test_what_only_the_shell_knows_of_the_network_is_named(
    well: Bench, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("https_proxy")
    monkeypatch.delenv("no_proxy")
    assert found(well, "environment").status is Status.OK
    monkeypatch.setenv(name, "http://me:secret@127.0.0.1:9")

    finding = found(well, "environment")
    assert (finding.status, finding.what.split(":")[0]) == (Status.WARN, name)
    assert ".env" in finding.mend
    assert "secret" not in finding.what + finding.mend
    (well.places.config.parent / ".env").write_text(f"{name.upper()}=http://127.0.0.1:9\n")
    assert found(well, "environment").status is Status.OK


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("http://me:secret@127.0.0.1:9", Status.OK, "requests to Kakao go through 127.0.0.1:9"),
        ("socks5://me:secret@127.0.0.1:9", Status.FAIL, "Only HTTP proxies can be used"),
    ],
)
def test_the_proxy_on_the_way_to_kakao_is_told(
    well: Bench, address: str, status: Status, said: str
) -> None:
    places = replace(well.places, variables={**well.places.variables, "HTTPS_PROXY": address})
    assert well.installation is not None
    config = parse_config(MESSAGE, "config.toml")  # whose servers are Kakao's own
    away = assemble(places, config, well.installation.edges)
    finding = found(replace(well, places=places, installation=away), "proxy")

    assert finding.status is status
    assert said in finding.what
    assert "secret" not in finding.what + finding.mend


MachineFacts = dict[str, Any]


@pytest.mark.parametrize(
    ("facts", "name", "status"),
    [
        ({"file_system": "nfs4"}, "file-system", "fail"),
        ({"file_system": "fuse.sshfs"}, "file-system", "fail"),
        ({"file_system": "tmpfs"}, "file-system", "warn"),
        ({"free": (0, 10**6)}, "room", "fail"),
        ({"free": (50 << 20, 10**6)}, "room", "warn"),
        ({"free": (1 << 40, 3)}, "room", "warn"),
        ({"crons": []}, "cron-running", "warn"),
        ({"programs": {"crontab": []}}, "cron-program", "warn"),
        ({"programs": {"kakaocron": ["/usr/bin/kakaocron"]}}, "installations", "warn"),
        ({"ended": CommandResult(127, "kakaocron: not found")}, "cron-command", "fail"),
        ({"ended": CommandResult(None, "no end after 30 s")}, "cron-command", "fail"),
    ],
)
def test_what_is_wrong_with_the_machine(
    well: Bench, facts: MachineFacts, name: str, status: str
) -> None:
    finding = found(replace(well, machine=FakeMachine(**facts)), name)
    assert finding.status == status
    assert finding.mend


class BrokenCrontab(FakeCrontab):
    def read(self) -> bytes | None:
        raise CrontabError("'crontab -l' failed (no way)")


@pytest.mark.parametrize(
    ("crontab", "name", "status"),
    [
        (FakeCrontab(None), "crontab", "warn"),
        (FakeCrontab(b"* * * * * /opt/kakaocron tick\n"), "crontab", "warn"),
        (FakeCrontab(b"* * * * * /old/kakaocron tick\n"), "crontab", "warn"),
        (FakeCrontab(with_block(b"", Job(("/old",), JOB.config))), "crontab", "fail"),
        (FakeCrontab(with_block(b"* * * * * kakaocron tick\n", JOB)), "crontab-twice", "warn"),
        (BrokenCrontab(None), "crontab", "warn"),
    ],
)
def test_what_is_wrong_with_the_crontab(
    well: Bench, crontab: Crontab, name: str, status: str
) -> None:
    assert found(replace(well, crontab=crontab), name).status == status


def change_tokens(bench: Bench, **change: Any) -> None:
    assert bench.installation
    login = bench.installation.login
    login.write(replace(login.read(), **change))


def revoke(bench: Bench) -> None:
    change_tokens(bench, refused="KOE322", refused_until=None)


def chmod(path: str, mode: int) -> Callable[[Bench], None]:
    return lambda bench: Path(getattr(bench.places, path)).chmod(mode)


@pytest.mark.parametrize(
    ("harm", "name", "status"),
    [
        (revoke, "login", "fail"),
        (lambda b: change_tokens(b, client_id="another"), "login-key", "fail"),
        (
            lambda b: change_tokens(b, refused="KOE010", refused_until=b.now),
            "client-secret",
            "fail",
        ),
        (
            lambda b: change_tokens(b, refresh_expires_at=b.now + timedelta(days=13)),
            "login-days",
            "warn",
        ),
        (lambda b: change_tokens(b, refresh_expires_at=b.now), "login-days", "ok"),
        (
            lambda b: change_tokens(b, refreshed_at=b.now - timedelta(days=9)),
            "renewal",
            "warn",
        ),
        (chmod("tokens", 0o644), "token-mode", "fail"),
        (chmod("data", 0o755), "data-mode", "warn"),
        (lambda b: Path(b.places.tokens).write_text("{"), "login", "fail"),
    ],
)
def test_what_is_wrong_with_the_login_and_its_files(
    well: Bench, harm: Callable[[Bench], None], name: str, status: str
) -> None:
    harm(well)
    if (name, status) == ("login-days", "ok"):  # its very end: past, not merely near
        well = replace(well, now=well.now + timedelta(days=1))
        status = "fail"
    assert found(well, name).status == status


@pytest.mark.parametrize(
    ("config", "name", "status"),
    [
        (MESSAGE, "me", "warn"),
        (MESSAGE, "alerts", "warn"),
        (MESSAGE, "link", "warn"),
        (MESSAGE, "servers", "warn"),
        (CONFIG, "me", "ok"),
        (CONFIG, "alerts", "ok"),
        (ONLY_KAKAOTALK, "alerts", "warn"),
        (ONLY_KAKAOTALK, "me", "warn"),
        (ONLY_KAKAOTALK.replace("talk://", "://"), "alerts", "warn"),
        (ONLY_KAKAOTALK.replace("talk://", "TALK://"), "alerts", "warn"),
        (ONLY_KAKAOTALK + 'ping_url = "http://127.0.0.1:9/ping"\n', "alerts", "ok"),
        (ONLY_KAKAOTALK + 'alert_command = ["true"]\n', "alerts", "ok"),
        (ONLY_KAKAOTALK.replace('t"]', 't", "ntfy://x"]'), "alerts", "ok"),
        (MESSAGE + 'to = ["uuid-aaa"]\n', "quota", "fail"),
        (MESSAGE + 'to = ["uuid-aaa"]\n', "permission", "warn"),
        (MESSAGE + 'to = ["uuid-aaa"]\n', "me", "ok"),
        (MESSAGE + 'to = ["uuid-aaa"]\n', "receivers", "ok"),
        (MESSAGE + 'to = ["uuid-ccc"]\n', "receivers", "fail"),
        (MESSAGE + 'to = ["uuid-zzz"]\n', "receivers", "fail"),
        ("", "messages", "fail"),
        ("", "next-slot", "fail"),
        (MESSAGE + '[delivery]\non_unknown = "resend"\n', "on-unknown", "warn"),
    ],
)
def test_what_is_wrong_with_the_plan(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, config: str, name: str, status: str
) -> None:
    installation = install(tmp_path, sandbox, clock, config)
    bench = without_cron(installation)
    assert found(bench, name).status == status


@pytest.mark.parametrize(
    ("last", "status", "said"),
    [
        (2025, "warn", "2026-11-23: the list of holidays ends with 2025"),
        (2026, "warn", "2027-01-02: the list of holidays ends with 2026"),
        (2027, "ok", "known until 2027"),
    ],
)
def test_a_slot_past_the_list_of_holidays(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, monkeypatch: pytest.MonkeyPatch,
    last: int, status: str, said: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("kakaocron.schedule.holidays.last_year", lambda: last)
    installation = install(tmp_path, sandbox, clock, MESSAGE + "skip_holidays = true\n")
    finding = found(without_cron(installation), "holidays")
    assert (finding.status, finding.what) == (status, said)


def test_sound_is_said_with_both_ways_out(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    bench = without_cron(installation)
    finding = found(bench, "me")
    assert "no sound" in finding.what
    assert "second Kakao account" in finding.mend
    assert "alert_urls" in finding.mend


def test_a_scope_that_was_not_agreed_to(
    well: Bench, sandbox: SandboxServer, clock: FakeClock
) -> None:
    login = sandbox.kakao.issue_login(clock.now(), scopes=["friends"])
    change_tokens(well, access_token=login.access_token)
    finding = found(well, "scope-message")
    assert finding.status is Status.FAIL
    assert "kakaocron login" in finding.mend


def test_ticks_that_do_not_come(well: Bench) -> None:
    assert found(well, "ticks").status is Status.OK
    assert found(replace(well, now=well.now + timedelta(minutes=4)), "ticks").status is Status.FAIL


def test_ticks_that_fail(well: Bench) -> None:
    assert well.installation
    well.installation.heartbeat.beat(well.now, Word.FAIL, 74)
    well.installation.heartbeat.beat(well.now, Word.FAIL, 70)
    well.installation.heartbeat.beat(well.now, Word.FAIL, 74)
    ends, ticks = found(well, "tick-ends"), found(well, "ticks")
    assert ends.status is Status.WARN
    assert ends.what.endswith("1 with exit 70, 2 with exit 74")
    assert ticks.status is Status.FAIL
    assert "read-only" in ticks.mend


def test_a_damaged_ledger(well: Bench) -> None:
    path = next(Path(well.places.ledger).glob("*.jsonl"))
    path.write_bytes(b"garbage\n" + path.read_bytes())
    assert found(well, "ledger").status is Status.FAIL


def test_a_clock_that_is_wrong(well: Bench, sandbox: SandboxServer, clock: FakeClock) -> None:
    assert found(well, "clock").status is Status.OK
    sandbox.faults.enqueue("date=+91@/", "date=+91@/")
    assert found(well, "clock").status is Status.FAIL
    clock.at -= timedelta(hours=1)
    behind = replace(well, now=clock.now())
    assert found(behind, "clock-ledger").status is Status.FAIL


def test_without_a_network_the_rest_is_still_looked_at(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    installation = install(tmp_path, sandbox, clock)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{probe.getsockname()[1]}"
        kakao = replace(installation.config.kakao, api_url=dead, auth_url=dead)
        config = replace(installation.config, kakao=kakao)
        offline = replace(installation, config=config)
        findings = {finding.name: finding for finding in examine(without_cron(offline))}
    assert findings["kapi"].status is Status.FAIL
    assert findings["token-accepted"].what.startswith("not checked")
    assert findings["ledger"].status is Status.OK
    assert len(findings) >= 25


def test_a_broken_configuration_leaves_the_rest(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_config(home, "[kakao\n")
    path.chmod(0o644)
    assert run(["doctor", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["status"] == "fail"
    by_name = {finding["name"]: finding for finding in said["findings"]}
    assert by_name["config"]["status"] == "fail"
    assert "config check" in by_name["config"]["mend"]
    assert by_name["config-mode"]["status"] == "warn"
    assert "room" in by_name


def test_an_access_token_from_the_environment_is_not_a_login(
    home: Path,
    sandbox: SandboxServer,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_config(home, kakao_section(sandbox) + MESSAGE)
    token = sandbox.kakao.issue_login(clock.now()).access_token
    monkeypatch.setenv("KAKAO_ACCESS_TOKEN", token)
    assert run(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "dies within hours" in said
    assert "set in this shell only" in said
    assert token not in said
    assert "checks:" in said


def test_the_json_has_a_fixed_form(well: Bench) -> None:
    document = json.loads(json.dumps(fields(list(examine(well)))))
    assert set(document) == {"status", "findings"}
    assert {tuple(item) for item in document["findings"]} == {("name", "status", "what", "mend")}
    assert document["status"] == worst(list(examine(well)))


def test_nobody_is_logged_in(tmp_path: Path, sandbox: SandboxServer, clock: FakeClock) -> None:
    installation = install(tmp_path, sandbox, clock, variables={})
    bench = without_cron(installation)
    assert installation.login.read() == Tokens()
    assert found(bench, "login").status is Status.FAIL
    assert "kakaocron login" in found(bench, "login").mend


def test_the_versions_come_first(well: Bench) -> None:
    first = next(examine(well))
    assert first.name == "versions"
    for name in ("kakaocron", "Python", "certifi", "typer", "rich", "msgspec", "apprise"):
        assert re.search(rf"(^|, ){name} \d+\.\d+", first.what), name
    assert "pytest" not in first.what


@pytest.mark.parametrize(
    ("word", "status", "said"),
    [
        ("warn", "ok", "WARNING"),
        ("INFO", "ok", "INFO"),
        ("", "ok", "INFO"),
        ("LOUD", "warn", "LOG_LEVEL is 'LOUD'"),
    ],
)
def test_a_log_level_that_is_none_is_named(well: Bench, word: str, status: str, said: str) -> None:
    places = replace(well.places, variables={"LOG_LEVEL": word})
    finding = found(replace(well, places=places), "log-level")
    assert finding.status == status
    assert said in finding.what


def test_a_shell_of_another_language_than_the_ticks_have_is_named(well: Bench) -> None:
    """cron has no LANG: alarms would come in English to somebody whose shell is Korean."""
    korean = replace(well, places=replace(well.places, variables={"LANG": "ko_KR.UTF-8"}))
    finding = found(korean, "language")
    assert (finding.status, "'ko'" in finding.what) == ("warn", True)
    assert finding.mend == 'Write language = "ko" at the top of config.toml'
    (well.places.config.parent / ".env").write_text("KAKAOCRON_LANGUAGE=ko\n")
    assert found(korean, "language").status == "ok"


def test_lines_of_the_env_file_that_are_none_are_named(well: Bench) -> None:
    path = well.places.config.parent / ".env"
    assert found(well, "env-lines").status == "ok"
    path.write_text("A=1\nwhat is this\n# a comment\n\nB: 2\nexport C\n")
    finding = found(well, "env-lines")
    assert finding.status == "warn"
    assert finding.what.endswith("NAME=value: 2, 5")
    path.write_bytes(b"A=\xff\n")
    assert found(well, "env-lines").status == "fail"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("ext4", "ok"),
        ("btrfs", "ok"),
        ("fuseblk", "ok"),  # a local disk of Windows' or a camera's
        ("", "ok"),
        ("fuse.mergerfs", "warn"),
        ("fuse.gocryptfs", "warn"),
        ("fuse", "warn"),
        ("overlay", "warn"),
        ("fuse.fuse-overlayfs", "warn"),
        ("virtiofs", "warn"),
        ("ceph", "fail"),
        ("fuse.rclone", "fail"),
    ],
)
def test_where_two_mounts_share_no_lock_it_is_said(well: Bench, kind: str, status: str) -> None:
    finding = found(replace(well, machine=FakeMachine(file_system=kind)), "file-system")
    assert finding.status == status
    assert status == "ok" or "lock" in finding.what


def test_a_folder_behind_a_link_is_judged_by_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/shm")
    assert Machine().file_system(str(tmp_path / "link" / "data")) == "tmpfs"


class Other(FakeMachine):
    """Sees what it is told as root's; all else is this user's."""

    def not_mine(self, paths: Sequence[str]) -> list[tuple[str, str]]:
        return [(path, "root") for path in paths if path.endswith(tuple(self.facts["roots"]))]


@pytest.mark.parametrize(
    "roots",
    [
        ["ledger/2026-11-23.jsonl"],
        ["ticks/2026-11-23"],
        ["ledger.lock"],
        ["kakaocron.log"],
        ["ledger/damaged", "ledger/damaged/2026-11-22.jsonl"],
        ["data"],
    ],
)
def test_every_file_of_ours_has_an_owner_who_is_named(well: Bench, roots: list[str]) -> None:
    (well.places.log / "kakaocron.log").touch()
    (Path(well.places.ledger) / "damaged").mkdir()
    (Path(well.places.ledger) / "damaged" / "2026-11-22.jsonl").touch()
    finding = found(replace(well, machine=Other(roots=roots)), "owner")
    assert finding.status is Status.FAIL
    for root in roots:
        assert f"{root}' is root's" in finding.what
    assert finding.mend.count("chown") == 1
    assert finding.mend.endswith(roots[0])


def test_files_of_others_beside_ours_do_not_matter(well: Bench) -> None:
    for folder in (well.places.data, well.places.log):
        (folder / "of-another-program").mkdir()
    machine = Other(roots=["of-another-program"])
    assert found(replace(well, machine=machine), "owner").status is Status.OK


def test_one_run_as_root_is_seen_in_the_real_files(well: Bench) -> None:
    if os.geteuid() != 0:
        pytest.skip("files are given away as root")
    day = next(Path(well.places.ledger).glob("*.jsonl"))
    os.chown(day, 1, 1)
    finding = found(well, "owner")
    assert f"'{day}' is daemon's" in finding.what


def test_a_read_only_file_system_is_no_matter_of_owners(well: Bench) -> None:
    class ReadOnly(FakeMachine):
        def may_write(self, folder: str) -> bool:
            return False

        def is_read_only(self, path: str) -> bool:
            return True

    finding = found(replace(well, machine=ReadOnly()), "data-folder")
    assert "read-only" in finding.what
    assert "chown" not in finding.mend
    places = replace(well.places, data=well.places.data / "not/there")
    finding = found(replace(well, machine=ReadOnly(), places=places), "data-folder")
    assert f"'{well.places.data}' is on a file system that is read-only" in finding.what
    assert f"findmnt -T {well.places.data}," in finding.mend  # a folder that is there
    assert "set KAKAOCRON_DATA_DIR to a folder elsewhere" in finding.mend


HELD = "KAKAOCRON_DATA_DIR={data} KAKAOCRON_LOG_DIR={log} "
RUN = "/opt/kakaocron tick --config /etc/kakaocron/config.toml"
LINE = f"* * * * * {HELD}{RUN}"
WHOLE = (
    f"* * * * * export KAKAOCRON_CONFIG=/etc/kakaocron/config.toml {HELD.strip()}; "
    "/opt/python -I -S /opt/lib/is_idle.py 2>/dev/null || /opt/kakaocron tick"
)


class Listening(FakeMachine):
    """Keeps what it is to run."""

    def run(self, command: str, environment: Mapping[str, str]) -> CommandResult:
        self.facts.setdefault("ran", []).append((command, dict(environment)))
        return CommandResult(0, "nothing is due")


def with_lines(bench: Bench, lines: str, **facts: Any) -> Bench:
    places = bench.places
    text = lines.replace("{data}", str(places.data)).replace("{log}", str(places.log)) + "\n"
    return replace(bench, crontab=FakeCrontab(text.encode()), machine=Listening(**facts))


@pytest.mark.parametrize(
    "lines",
    [
        LINE,
        WHOLE,
        LINE.replace("* * * * *", "*/1 * * * *"),
        "HOME=/srv/x\n" + LINE,
        'TZ=Asia/Seoul\nCRON_TZ=UTC\nMAILTO=""\n' + LINE,
        "KAKAOCRON_DATA_DIR={data}\nKAKAOCRON_LOG_DIR = {log}\n* * * * * " + RUN,
        f"XDG_DATA_HOME=/x\nKAKAOCRON_CONFIG=/etc/kakaocron/config.toml\n* * * * * {HELD}"
        "/opt/kakaocron tick",
        f"{LINE} >/dev/null 2>&1",
        "# * * * * * /old/kakaocron tick\n" + LINE,
        f"* * * * * {HELD}nice -n 5 {RUN}",
        f"* * * * * cd /opt && {HELD}./kakaocron tick --config /etc/kakaocron/config.toml",
        f"* * * * * cd /etc/kakaocron && {HELD}/opt/kakaocron tick --config config.toml",
        f"HOME=/etc\n* * * * * {HELD}/opt/kakaocron tick --config kakaocron/config.toml",
    ],
)
def test_lines_that_run_this_installation_each_minute(well: Bench, lines: str) -> None:
    assert found(with_lines(well, lines), "crontab") == Finding(
        "crontab", Status.OK, "has the line of this installation"
    )


@pytest.mark.parametrize(
    ("lines", "status", "said"),
    [
        (LINE.replace("* * * * *", "@hourly"), "fail", "'@hourly' is not every minute"),
        (LINE.replace("* * * * *", "0 9 * * *"), "fail", "'0 9 * * *' is not every minute"),
        (LINE.replace("* * * * *", "*/5 * * * *"), "fail", "'*/5 * * * *' is not every minute"),
        (LINE.replace("* * * * *", "*/2 * * * *"), "fail", "is not every minute"),
        (LINE.replace("* * * * *", "* * * * 1-5"), "fail", "is not every minute"),
        (LINE.replace("/etc/", "/other/"), "warn", "another kakaocron, with /other/kakaocron/"),
        ("#" + LINE, "fail", "commented out"),
        ("# " + LINE, "fail", "commented out"),
        (f"* * * * * root {RUN}", "fail", "'root' is taken for the command"),
        (f"* * * * * me {RUN}", "fail", "'me' is taken for the command"),
        (f"HOME=/srv/x\n* * * * * {RUN}", "fail", "(HOME=/srv/x above it)"),
        (f"XDG_DATA_HOME=/srv/x\n* * * * * {RUN}", "fail", "(XDG_DATA_HOME=/srv/x above it)"),
        (f"XDG_STATE_HOME=/srv/x\n* * * * * {RUN}", "fail", "log folder is '/srv/x/kakaocron/log'"),
        (f"KAKAOCRON_DATA_DIR=/x\n* * * * * {RUN}", "fail", "data folder is '/x' (KAKAOCRON_DATA"),
        (f"* * * * * KAKAOCRON_DATA_DIR=/x {RUN}", "fail", "data folder is '/x', and not"),
        (LINE.replace("/opt/", "/old/"), "fail", "runs '/old/kakaocron', and not"),
        (WHOLE.replace("/opt/k", "/old/k"), "fail", "runs '/old/kakaocron', and not"),
        (WHOLE.replace("_LOG_DIR={log}", "_LOG_DIR=/x"), "fail", "log folder is '/x', and not"),
        (LINE.replace("/opt/", ""), "fail", "PATH (/usr/bin:/bin) has no 'kakaocron'"),
        ("PATH=/x\n" + LINE.replace("/opt/", ""), "fail", "PATH (/x) has no 'kakaocron'"),
        (LINE.replace("/opt/", "/gone/"), "fail", "there is no program '/gone/kakaocron'"),
        (f"{LINE} # 100% sure", "fail", "at a % without a backslash"),
        (f"{LINE} --dry-run", "fail", "--dry-run sends nothing"),
        (LINE.replace("tick", "tick --dry-run"), "fail", "--dry-run sends nothing"),
        (f"* * * * * cd /x && {RUN.replace('/etc/kakaocron/', '')}", "warn", "with /x/config.toml"),
        ("* * * * * echo kakaocron", "warn", "no line of kakaocron"),
    ],
)
def test_lines_that_do_not_are_told_with_why(
    well: Bench, lines: str, status: str, said: str
) -> None:
    finding = found(with_lines(well, lines, gone=["/gone/kakaocron"]), "crontab")
    assert said in finding.what
    assert finding.status == status
    assert finding.mend


HALVES = ("*/2 * * * *", "1-59/2 * * * *")


@pytest.mark.parametrize(
    ("schedules", "status", "said"),
    [
        (HALVES, "ok", "its 2 lines together run it every minute"),
        (("0-29 * * * *", "30-59 0-11 * * *", "30-59 12-23 * * *"), "ok", "its 3 lines together"),
        (("* * * * 1-5", "* * * * sat,sun"), "ok", "its 2 lines together"),
        (("* * * * *", "*/2 * * * *"), "ok", "has the line of this installation"),
        (("*/2 * * * *", "*/3 * * * *"), "fail", "' are together not every minute, which is"),
        (("* * 1-30 * *", "* * * * 1-6"), "fail", "are together not every minute"),
    ],
)
def test_lines_are_judged_by_what_they_run_together(
    well: Bench, schedules: tuple[str, ...], status: str, said: str
) -> None:
    lines = "\n".join(LINE.replace("* * * * *", one) for one in schedules)
    bench = with_lines(well, lines)
    finding = found(bench, "crontab")
    assert (finding.status, said in finding.what) == (status, True), finding
    twice = found(bench, "crontab-twice")
    assert twice.status == ("ok" if "together run" in finding.what else "warn")


def test_of_two_halves_one_that_cannot_run_is_named(well: Bench) -> None:
    lines = "\n".join(LINE.replace("* * * * *", one) for one in HALVES)
    finding = found(
        with_lines(well, lines.replace("/opt/", "/gone/", 1), gone=["/gone/kakaocron"]), "crontab"
    )
    assert finding.status is Status.FAIL
    assert "'1-59/2 * * * *' is not every minute" in finding.what
    assert "there is no program '/gone/kakaocron'" in finding.what


@pytest.mark.parametrize(
    ("setting", "config"),
    [
        ("HOME=/srv/x", "/srv/x/.config/kakaocron/config.toml"),
        ("XDG_CONFIG_HOME=/srv/c", "/srv/c/kakaocron/config.toml"),
        ("KAKAOCRON_CONFIG=/srv/k.toml", "/srv/k.toml"),
    ],
)
@pytest.mark.parametrize("above", [True, False])
def test_a_setting_that_leads_a_line_to_another_configuration_is_named(
    well: Bench, setting: str, config: str, above: bool
) -> None:
    mine = Path.home() / ".config/kakaocron/config.toml"
    here = replace(well, job=replace(JOB, config=mine))
    line = f"{setting}\n* * * * * {{}}" if above else f"* * * * * {setting} {{}}"
    finding = found(with_lines(here, line.format("/opt/kakaocron tick")), "crontab")
    assert finding.status is Status.FAIL
    assert f"with {config} ({setting}) and not '{mine}'" in finding.what

    finding = found(with_lines(here, line.format(RUN.replace("/etc/", "/other/"))), "crontab")
    assert finding.status is Status.WARN  # it names what it means
    assert f"with /other/kakaocron/config.toml and not '{mine}'" in finding.what


def test_a_block_of_the_version_before_is_told_and_installed_anew(well: Bench) -> None:
    folders = (("KAKAOCRON_DATA_DIR", "/d"), ("KAKAOCRON_LOG_DIR", "/l"))
    crontab = FakeCrontab(b"HOME=/srv/x\n" + with_block(b"", JOB))
    bench = replace(well, crontab=crontab, job=replace(JOB, variables=folders))
    finding = found(bench, "crontab")
    assert finding.status is Status.FAIL
    assert finding.mend == "kakaocron cron install"


@pytest.mark.parametrize(
    ("facts", "name", "status", "said"),
    [
        ({"system_crontabs": [("/etc/cron.d/k", f"* * * * * root {RUN}\n".encode())]},
         "crontab-others", "fail", "as root"),
        ({"system_crontabs": [("/etc/cron.d/k", f"#* * * * * root {RUN}\n".encode())]},
         "crontab-others", "ok", ""),
        ({"system_crontabs": [("/etc/cron.d/k", b"* * * * * root kakaocron tick --config /o\n")]},
         "crontab-others", "ok", ""),
        ({"timer_service": ""}, "timer", "fail", "something else"),
        ({"timer_service": "ExecStart=/old tick"}, "timer", "fail", "/old tick"),
        ({"timer_service": units_of(JOB)["kakaocron.service"]}, "timer", "warn", "both"),
        ({"timer_service": units_of(JOB)["kakaocron.service"], "lingers": False},
         "timer", "warn", "log out"),
    ],
)  # fmt: skip
def test_what_else_may_run_the_ticks(
    well: Bench, facts: MachineFacts, name: str, status: str, said: str
) -> None:
    finding = found(replace(well, machine=FakeMachine(**facts)), name)
    assert finding.status == status
    assert said in finding.what


def test_a_timer_in_place_of_cron_is_well(well: Bench) -> None:
    machine = FakeMachine(timer_service=units_of(JOB)["kakaocron.service"])
    bench = replace(well, machine=machine, crontab=FakeCrontab(None))
    assert [found(bench, name).status for name in ("crontab", "timer")] == ["ok", "ok"]


def test_a_line_of_our_own_in_the_machines_crontab_is_well(well: Bench) -> None:
    line = f"* * * * * me {HELD}{RUN}\n".replace("{data}", str(well.places.data))
    line = line.replace("{log}", str(well.places.log))
    machine = FakeMachine(system_crontabs=[("/etc/cron.d/kakaocron", line.encode())])
    bench = replace(well, machine=machine, crontab=FakeCrontab(None))
    assert found(bench, "crontab").status is Status.OK


def test_the_command_is_tried_with_what_the_crontab_sets(well: Bench) -> None:
    bench = with_lines(well, "SHELL=/bin/bash\nPATH=/opt\nENVIRONMENT=testing\n" + LINE)
    assert found(bench, "cron-command").status is Status.OK
    assert isinstance(bench.machine, Listening)
    command, environment = bench.machine.facts["ran"][-1]
    assert command.endswith(f"{RUN} --dry-run")
    assert (environment["SHELL"], environment["PATH"]) == ("/bin/bash", "/opt")
    settings = found(bench, "crontab-settings")
    assert settings.status is Status.WARN
    assert settings.what.endswith(": ENVIRONMENT")
    assert f"'{bench.places.env_file}'" in settings.mend


def test_a_link_to_the_configuration_has_its_env_file_beside_the_real_one(
    well: Bench, tmp_path: Path
) -> None:
    link = tmp_path / "elsewhere" / "config.toml"
    link.parent.mkdir()
    link.symlink_to(well.places.config)
    linked = replace(well, places=replace(well.places, config=link))
    bench = with_lines(linked, "ENVIRONMENT=testing\n" + LINE)
    assert f"'{well.places.env_file}'" in found(bench, "crontab-settings").mend
    machine = Other(roots=[f"{well.places.env_file.parent.name}/.env"])
    assert f"'{well.places.env_file}'" in found(replace(linked, machine=machine), "owner").what


def test_only_a_cron_daemon_of_this_machine_that_lives_is_one(tmp_path: Path) -> None:
    def process(name: str, state: str = "S", ids: str = "7", command: bytes = b"") -> Path:
        folder = tmp_path / f"{name}-{state}-{ids}-{len(command)}"
        folder.mkdir()
        (folder / "comm").write_text(f"{name}\n")
        (folder / "cmdline").write_bytes(command)
        (folder / "status").write_text(f"Name:\t{name}\nState:\t{state} (x)\nNSpid:\t{ids}\n")
        return folder

    assert _cron_at(process("cron")) == "cron"
    assert _cron_at(process("crond")) == "crond"
    assert _cron_at(process("bcron-sched")) == "bcron-sched"
    assert _cron_at(process("busybox", command=b"busybox\0crond\0-f\0")) == "crond"
    assert _cron_at(process("busybox", command=b"busybox\0sh\0")) is None
    assert _cron_at(process("cron", state="Z")) is None
    assert _cron_at(process("cron", ids="7\t1")) is None
    assert _cron_at(process("anacron")) is None
    assert _cron_at(tmp_path / "ended") is None


def test_a_command_that_leaves_a_child_with_its_output_does_not_hold_the_doctor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kakaocron.host.probe.COMMAND_SECONDS", 0.5)
    environment = {"HOME": "/", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"}
    assert Machine().run("sleep 60 & sleep 60", environment).code is None


def bench_of(
    folder: Path, sandbox: SandboxServer, clock: FakeClock, config: str, **variables: str
) -> Bench:
    installation = install(folder, sandbox, clock, config)
    installation.places.config.write_text(config)
    places = replace(installation.places, variables={**installation.places.variables, **variables})
    return without_cron(replace(installation, places=places))


def a_message(content: str) -> str:
    return f'[[message]]\nname = "report"\nslots = ["regular", "peak"]\n{content}\n'


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        ('command = ["false"]', "fail", "'false' ended with exit code 1"),
        ('command = ["sh", "-c", "echo no >&2; exit 3"]', "fail", "exit code 3: no"),
        ('command = ["sleep", "60"]\ntimeout = 1', "fail", "took longer than 1 s"),
        ('command = ["true"]', "fail", "report"),
        ('text = "{score}"\ndata_command = ["echo", "[1]"]', "fail", "no object"),
        ('text = "{score}"\ndata_command = ["echo", \'{"other": 5}\']', "fail", "score"),
        ('command = ["no-such-program"]', "fail", "no-such-program"),
        ('text = "x"\nimage_command = ["false"]', "warn", "without its picture: 'false' ended"),
        ('command = ["echo", "12,300"]', "ok", "as cron makes it"),
        ('text = "{score}"\ndata_command = ["echo", \'{"score": 5}\']', "ok", ""),
    ],
)
def test_each_message_is_made_as_cron_would(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock, content: str, status: str, said: str
) -> None:
    finding = found(bench_of(tmp_path, sandbox, clock, a_message(content)), "contents")
    assert (finding.status, said in finding.what) == (status, True)


def test_a_picture_that_was_left_out_is_named(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    (tmp_path / "chart.png").write_bytes(draw(300, 200).content)
    config = a_message('text = "x"\nimage = "chart.png"')
    sandbox.faults.enqueue("-911@/v2/api/talk/message/image/upload")
    run_tick(install(tmp_path, sandbox, clock, config))
    finding = found(bench_of(tmp_path, sandbox, clock, config), "contents")

    assert finding.status is Status.WARN
    assert "went without its picture: the picture could not be uploaded: " in finding.what


def a_program(folder: Path, name: str, prints: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho {prints}\n")
    (folder / name).chmod(0o755)
    return folder


def test_a_program_that_is_another_for_cron_is_named_with_both_paths(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    bin_ = a_program(tmp_path / "venv", "false", "well")
    config = a_message('command = ["false"]')
    bench = bench_of(tmp_path, sandbox, clock, config, PATH=f"{bin_}:/usr/bin:/bin")
    programs = found(bench, "programs")
    assert programs.status is Status.WARN
    assert f"'{bin_}/false'" in programs.what
    assert "/usr/bin/false'" in programs.what
    assert found(bench, "contents").status is Status.FAIL

    crontab = FakeCrontab(f"PATH={bin_}:/bin\n* * * * * {RUN}\n".encode())
    bench = replace(bench, crontab=crontab, machine=Listening())
    assert found(bench, "programs").status is Status.OK
    assert found(bench, "contents").status is Status.OK


def test_a_program_that_cron_does_not_find_is_named(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    bin_ = a_program(tmp_path / "venv", "only-here", "well")
    config = a_message('command = ["only-here"]')
    bench = bench_of(tmp_path, sandbox, clock, config, PATH=f"{bin_}:/usr/bin:/bin")
    assert "not to be found for cron (/usr/bin:/bin)" in found(bench, "programs").what
    assert found(bench, "contents").status is Status.FAIL


def test_what_failed_at_its_slot_is_not_called_well_because_it_works_now(
    tmp_path: Path, sandbox: SandboxServer, clock: FakeClock
) -> None:
    config = a_message('file = "report.txt"') + "[delivery]\nmax_retries = 0\n"
    run_tick(install(tmp_path, sandbox, clock, config))
    (tmp_path / "report.txt").write_text("12,300")
    bench = bench_of(tmp_path, sandbox, clock, config)
    contents, last = found(bench, "contents"), found(bench, "last-slots")
    assert (contents.status, last.status) == ("warn", "warn"), (contents, last)
    assert "report@20261123T0930" in contents.what
    assert "report@20261123T0930 failed, retries-spent" in last.what
    assert "report.txt" in last.what
    clock.set("09:45:01")
    run_tick(install(tmp_path, sandbox, clock, config))
    bench = bench_of(tmp_path, sandbox, clock, config)
    assert [found(bench, name).status for name in ("contents", "last-slots")] == ["ok", "ok"]


def test_preview_makes_a_message_as_cron_does_and_says_where_this_shell_differs(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bin_ = a_program(home / "venv", "echo", "by-the-venv")
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
    write_config(home, a_message('command = ["echo", "by-the-system"]'))
    assert run(["preview"]) == 0
    said = capsys.readouterr()
    assert "by-the-system" in said.out
    assert f"'{bin_}/echo' in this shell" in said.err
    assert "/usr/bin/echo' for cron" in said.err


# --- each cron daemon --------------------------------------------------------------------------

UNQUOTED = LINE.replace("/etc/kakaocron", r"'/etc/a b'\%'c'")
QUOTED = LINE.replace("/etc/kakaocron", r"'/etc/a b\%c'")


@pytest.mark.parametrize(
    ("daemon", "line", "status"),
    [
        ("cron", UNQUOTED, "ok"),
        ("crond", UNQUOTED, "ok"),
        ("bcron-sched", UNQUOTED, "ok"),
        ("busybox-crond", UNQUOTED, "ok"),
        ("systemd-cron", UNQUOTED, "ok"),
        ("cron", QUOTED, "ok"),
        ("crond", QUOTED, "ok"),
        ("bcron-sched", QUOTED, "warn"),
        ("busybox-crond", QUOTED, "warn"),
        ("systemd-cron", QUOTED, "warn"),
    ],
)
def test_a_percent_sign_in_a_path_is_read_as_the_daemon_reads_it(
    well: Bench, daemon: str, line: str, status: str
) -> None:
    there = replace(well, job=replace(JOB, config=Path("/etc/a b%c/config.toml")))
    finding = found(with_lines(there, line, crons=[daemon]), "crontab")
    assert finding.status == status
    if status == "warn":
        assert r"with /etc/a b\%c/config.toml" in finding.what


def test_the_very_line_is_tried_as_the_daemon_hands_it_to_the_shell(well: Bench) -> None:
    there = replace(well, job=replace(JOB, config=Path("/etc/a b%c/config.toml")))
    for daemon, handed in (("cron", "'/etc/a b'%'c'"), ("bcron-sched", r"'/etc/a b'\%'c'")):
        bench = with_lines(there, f"{UNQUOTED} >/dev/null 2>&1", crons=[daemon])
        assert found(bench, "cron-command").status is Status.OK
        assert isinstance(bench.machine, Listening)
        command, _ = bench.machine.facts["ran"][-1]
        assert command.endswith(
            f"/opt/kakaocron tick --dry-run --config {handed}/config.toml >/dev/null 2>&1"
        )


def test_busybox_runs_commands_by_roots_shell_and_without_what_is_set_above(
    well: Bench,
) -> None:
    class Busy(Listening):
        def roots_shell(self) -> str:
            return "/usr/sbin/nologin"

    for above, shell in (("", "/usr/sbin/nologin"), ("SHELL=/bin/sh\n", "/bin/sh")):
        bench = with_lines(well, f"PATH=/opt\n{above}{LINE}", crons=["busybox-crond"])
        bench = replace(bench, machine=Busy(crons=["busybox-crond"]))
        assert found(bench, "cron-command").status is Status.OK
        assert isinstance(bench.machine, Busy)
        _, environment = bench.machine.facts["ran"][-1]
        assert (environment["SHELL"], environment["PATH"]) == (shell, "/usr/bin:/bin")

    moved = f"KAKAOCRON_CONFIG={JOB.config}\n* * * * * {HELD}/opt/kakaocron tick"
    assert found(with_lines(well, moved), "crontab").status is Status.OK
    assert found(with_lines(well, moved, crons=["busybox-crond"]), "crontab").status is Status.WARN


@pytest.mark.parametrize(
    ("facts", "status", "said"),
    [
        ({"crons": ["cron"]}, "ok", "cron"),
        ({"crons": ["busybox-crond"]}, "ok", "one tick at a time"),
        ({"crons": ["bcron-sched"]}, "ok", "second minute"),
        ({"crons": ["systemd-cron"]}, "warn", "a minute late"),
        (
            {"crons": ["systemd-cron"], "timer_service": units_of(JOB)["kakaocron.service"]},
            "ok",
            "systemd-cron",
        ),
        ({"crons": []}, "warn", "anacron is none"),
    ],
)
def test_the_limits_of_the_daemon_are_said(
    well: Bench, facts: MachineFacts, status: str, said: str
) -> None:
    finding = found(replace(well, machine=FakeMachine(**facts)), "cron-running")
    assert (finding.status, said in finding.what) == (status, True), finding


@pytest.mark.parametrize(
    ("crontab", "facts", "mend"),
    [
        (FakeCrontab(None), {}, "kakaocron cron install --wait"),
        (FakeCrontab(with_block(b"", JOB)), {}, "systemctl restart cron"),
        (FakeCrontab(with_block(b"", JOB)), {"crons": ["systemd-cron"]}, "cron-update.service"),
        (FakeCrontab(with_block(b"", JOB)), {"crons": []}, "start a cron daemon"),
        (
            FakeCrontab(None),
            {"timer_service": units_of(JOB)["kakaocron.service"]},
            "systemctl --user status kakaocron.timer",
        ),
    ],
)
@pytest.mark.parametrize("has_ticked", [True, False])
def test_where_no_tick_comes_nothing_is_advised_that_was_done(
    well: Bench, crontab: Crontab, facts: MachineFacts, mend: str, has_ticked: bool
) -> None:
    if has_ticked:
        well = replace(well, now=well.now + timedelta(minutes=4))
    else:
        for path in (well.places.log / "ticks").iterdir():
            path.unlink()
    finding = found(replace(well, crontab=crontab, machine=FakeMachine(**facts)), "ticks")
    assert finding.status is Status.FAIL
    assert mend in finding.mend
    assert finding.mend != "kakaocron cron install"


@pytest.mark.parametrize("name", ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"])
def test_a_folder_above_a_line_that_no_cron_expands_is_named(well: Bench, name: str) -> None:
    lines = f"{name}=$HOME/x\n* * * * * {RUN}"
    finding = found(with_lines(well, lines), "crontab")
    assert finding.status is Status.FAIL
    assert f"{name} above it is '$HOME/x', and cron expands nothing" in finding.what
