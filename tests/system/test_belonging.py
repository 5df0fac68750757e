"""Which installation is this: two configurations, one configuration by two ways, a disk that is
not there. By real processes, counted at the receiver."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import pytest

from kakaocron.idle import is_idle_tick
from kakaocron.rehearsal.sandbox.kakao import Kakao
from kakaocron.rehearsal.sandbox.server import SandboxServer
from kakaocron.system.belonging import OtherInstallationError, claim, settled
from kakaocron.system.clock import SystemClock
from kakaocron.system.disk import RealDisk
from kakaocron.system.places import Places, find_places
from tests.fakes import kakao_section, wait_for_a_minute_with
from tests.prefork import Prefork

pytestmark = pytest.mark.usefixtures("uncounted")  # half a thousand processes of one kind

EVERY_MINUTE = f"""
[schedule]
regular_minutes = {list(range(60))}
peak_hours = []

[[message]]
name = "report"
slots = ["regular"]
text = "TEXT {{time:%H:%M}}"
"""


@dataclass
class Person:
    """Somebody at a shell, with a home, and Kakao at the other end."""

    home: Path
    sandbox: SandboxServer
    token: str
    prefork: Prefork
    variables: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str = "a", env: str | None = None) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(kakao_section(self.sandbox) + EVERY_MINUTE.replace("TEXT", text), "utf-8")
        if env is not None:
            (path.parent / ".env").write_text(env, "utf-8")
        return path

    def run(
        self, *arguments: str | Path, cwd: Path | None = None, more: Mapping[str, str] | None = None
    ) -> tuple[int, str, str]:
        environ = {
            **os.environ,
            "HOME": str(self.home),
            "KAKAO_ACCESS_TOKEN": self.token,
            **self.variables,
            **(more or {}),
        }
        return self.prefork.run([*map(str, arguments)], environ, cwd or self.home)

    def tick(
        self,
        config: Path,
        cwd: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        wait_for_a_minute_with(8)
        exit_code, _, said = self.run("tick", "--config", config, cwd=cwd, more=more)
        return exit_code, said

    @property
    def arrived(self) -> Counter[str]:
        """Count what is in the chat. Each text names its slot, so that two are one twice."""
        return Counter(one.text for one in self.sandbox.deliveries)

    def has(self, text: str) -> int:
        assert max(self.arrived.values(), default=1) == 1, self.arrived
        return sum(one.startswith(f"{text} ") for one in self.arrived)


@pytest.fixture
def person(home: Path, prefork: Prefork) -> Iterator[Person]:
    with SandboxServer(Kakao(seed=7), SystemClock().now) as server:
        token = server.kakao.issue_login(SystemClock().now()).access_token
        yield Person(home, server, token, prefork)


def data_of(person: Person) -> Path:
    return person.home / ".local/share/kakaocron"


def content_of(folder: Path) -> Mapping[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# Two configurations over one data folder.


def test_another_configuration_over_the_same_data_folder_is_refused(person: Person) -> None:
    a, b = person.write("a/config.toml", "a"), person.write("b/config.toml", "b")
    assert person.tick(a) == (0, "")
    before = content_of(person.home / ".local")

    exit_code, said = person.tick(b)

    assert exit_code == 2
    for words in (str(a), str(b), "KAKAOCRON_DATA_DIR", f"config adopt --config {b}"):
        assert words in said
    assert said.count("\n") == 1
    assert person.tick(b) == (2, "")  # told once
    for command in (
        ["send", "x"], ["schedule", "x", "--in", "5m"], ["status"], ["history"], ["next"],
        ["show", "report@20260101T0000"], ["explain", "10:30"], ["pause"], ["resume"],
        ["cancel", "x"], ["retry", "x"], ["login", "--no-browser"], ["logout"], ["report"],
        ["metrics"], ["preview"], ["friends"], ["ledger", "verify"],
        ["ledger", "prune", "--days", "7"], ["cron", "install"], ["tick", "--dry-run"],
    ):  # fmt: skip
        exit_code, _, said = person.run(*command, "--config", b)
        assert (exit_code, str(a) in said, str(b) in said) == (2, True, True), command
    exit_code, shown, _ = person.run("health", "--config", b)
    assert (exit_code, str(a) in shown) == (1, True)
    exit_code, shown, _ = person.run("doctor", "--json", "--config", b)
    findings = {one["name"]: one for one in json.loads(shown)["findings"]}
    assert (exit_code, findings["installation"]["status"]) == (2, "fail")
    assert str(a) in findings["installation"]["what"]
    assert content_of(person.home / ".local") == before  # nothing of a's was touched
    assert (person.has("a"), person.has("b")) == (1, 0)


def test_a_data_folder_of_its_own_is_enough(person: Person) -> None:
    """The log folder may be shared: each ledger has its own heartbeats in it."""
    a = person.write("a/config.toml", "a")
    b = person.write("b/config.toml", "b", "KAKAOCRON_DATA_DIR=data\n")
    for _ in range(2):
        assert person.tick(a) == (0, "")
        assert person.tick(b) == (0, "")

    assert person.has("a") >= 1
    assert person.has("b") >= 1
    assert (b.parent / "data/owner.json").exists()
    ticks = {path.name[:6] for path in (person.home / ".local/state/kakaocron/log").iterdir()}
    assert "ticks-" in ticks
    for config in (a, b):
        _, shown, _ = person.run("status", "--json", "--config", config)
        assert json.loads(shown)["is_running"] is True


def test_the_same_file_by_another_way_is_the_same_configuration(person: Person) -> None:
    real = person.write("real/config.toml", "a")
    link, hard = person.home / "linked/config.toml", person.home / "hard.toml"
    link.parent.symlink_to(real.parent)
    hard.hardlink_to(real)
    (person.home / "one.toml").symlink_to(real)
    assert person.tick(real) == (0, "")

    for other in (link, hard, person.home / "one.toml", person.home / "x/../real/config.toml"):
        (person.home / "x").mkdir(exist_ok=True)
        assert person.tick(other) == (0, "")
    assert person.tick(Path("config.toml"), cwd=real.parent) == (0, "")
    person.variables["KAKAOCRON_CONFIG"] = str(link)
    assert person.run("tick")[0] == 0
    assert person.has("a") >= 1


def test_a_link_that_leads_to_a_new_file_is_the_same_configuration(person: Person) -> None:
    """As Kubernetes and Nix replace a configuration."""
    first, second = person.write("1/config.toml", "a"), person.write("2/config.toml", "b")
    link = person.home / "config.toml"
    link.symlink_to(first)
    assert person.tick(link) == (0, "")
    link.unlink()
    link.symlink_to(second)

    assert person.tick(link)[0] == 0


def test_a_moved_file_names_the_command_that_works(person: Person) -> None:
    old = person.write("a/config.toml", "a")
    assert person.tick(old) == (0, "")
    new = person.home / "b c.toml"
    old.rename(new)

    exit_code, said = person.tick(new)
    assert (exit_code, str(old) in said, str(new) in said) == (2, True, True)
    command = said.rpartition("kakaocron config adopt")[2].strip()
    assert person.run("config", "adopt", *shlex.split(command))[0] == 0
    assert person.tick(new) == (0, "")
    assert person.has("a") >= 1


def test_nobody_takes_the_folder_of_a_configuration_that_is_there(person: Person) -> None:
    a, b = person.write("a/config.toml", "a"), person.write("b/config.toml", "b")
    assert person.tick(a) == (0, "")

    exit_code, _, said = person.run("config", "adopt", "--config", b)

    assert (exit_code, str(a) in said, str(b) in said) == (2, True, True)
    assert person.tick(a) == (0, "")


def test_the_data_of_an_earlier_version_are_taken_by_the_first(person: Person) -> None:
    a, b = person.write("a/config.toml", "a"), person.write("b/config.toml", "b")
    assert person.tick(a) == (0, "")
    (data_of(person) / "owner.json").unlink()
    (a.parent / ".config.toml.ledgers").unlink()

    assert person.tick(a) == (0, "")
    assert person.tick(b)[0] == 2
    assert person.has("a") >= 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"v":1}', '{"v":1,"id":1,"config":"x"}', "\0"])
def test_an_owner_that_cannot_be_read_stops_all(person: Person, content: str) -> None:
    a = person.write("a/config.toml", "a")
    assert person.tick(a) == (0, "")
    (data_of(person) / "owner.json").write_text(content)
    for ledger in (data_of(person) / "ledger").iterdir():
        assert ledger.exists()

    exit_code, said = person.tick(a)
    assert (exit_code, "owner.json" in said, "config adopt" in said) == (74, True, True)
    assert person.run("config", "adopt", "--config", a)[0] == 0
    assert person.tick(a)[0] == 0
    assert person.has("a") >= 1


def test_a_later_version_of_the_owner_is_refused(person: Person) -> None:
    a = person.write("a/config.toml", "a")
    assert person.tick(a) == (0, "")
    (data_of(person) / "owner.json").write_text('{"v":2,"id":"x","config":"y"}')

    exit_code, said = person.tick(a)

    assert (exit_code, "later kakaocron" in said) == (74, True)


def test_an_idle_tick_asks_too(person: Person) -> None:
    a = person.write("a/config.toml", "a")
    a.write_text(a.read_text().replace(str(list(range(60))), "[0]"))
    owner = data_of(person) / "owner.json"
    for _ in range(2):
        assert person.tick(a)[0] == 0
    owner.write_text(owner.read_text().replace(str(a), str(person.write("b/config.toml", "b"))))

    assert person.tick(a)[0] == 2


# One configuration, one ledger.


@pytest.mark.parametrize("value", ["./data", "data", "../a/data", "~/a/data"])
def test_a_path_in_the_env_file_starts_at_its_folder(person: Person, value: str) -> None:
    config = person.write("a/config.toml", "a", f"KAKAOCRON_DATA_DIR={value}\n")
    for cwd in (config.parent, person.home, Path("/")):
        assert person.tick(config, cwd) == (0, "")

    assert person.has("a") >= 1
    assert [path.parent for path in person.home.rglob("owner.json")] == [config.parent / "data"]


def test_a_command_may_lie_in_a_home(person: Person) -> None:
    config = person.write("a/config.toml", "a")
    (person.home / "report.sh").write_text("#!/bin/sh\necho from a command\n")
    (person.home / "report.sh").chmod(0o700)
    text = config.read_text().replace('text = "a {time:%H:%M}"', 'command = ["~/report.sh"]')
    config.write_text(text)

    assert person.run("config", "check", "--config", config)[0] == 0
    assert person.tick(config) == (0, "")
    assert sum(person.arrived.values()) == 1


def test_a_relative_folder_in_the_environment_starts_there_too(person: Person) -> None:
    config = person.write("a/config.toml", "a")
    folders = {"KAKAOCRON_DATA_DIR": "data", "KAKAOCRON_LOG_DIR": "./log"}
    for cwd in (config.parent, person.home, Path("/")):
        assert person.tick(config, cwd, folders)[0] == 0

    assert person.has("a") >= 1
    assert len(list(person.home.rglob("owner.json"))) == 1
    assert (config.parent / "log/kakaocron.log").exists()


@pytest.mark.parametrize("name", ["XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"])
@pytest.mark.parametrize("value", ["data", "./data", "~/data"])
def test_a_platform_folder_that_is_not_absolute_is_refused(
    person: Person, name: str, value: str
) -> None:
    config = person.write("a/config.toml", "a")
    exit_code, said = person.tick(config, more={name: value})
    assert (exit_code, name in said, value in said) == (2, True, True)

    config = person.write("a/config.toml", "a", f"{name}={value}\n")
    assert person.tick(config)[0] == 2
    assert not person.arrived


def test_the_home_of_nobody_is_refused(person: Person) -> None:
    config = person.write("a/config.toml", "a", "KAKAOCRON_DATA_DIR=~nobody-at-all/x\n")

    assert person.tick(config)[0] == 2
    assert person.tick(config, more={"HOME": "relative"})[0] == 2


@pytest.mark.parametrize(
    "away",
    [{"HOME": "other"}, {"XDG_DATA_HOME": "other"}, {"KAKAOCRON_DATA_DIR": "other"}],
    ids="".join,
)
def test_an_environment_that_leads_to_another_ledger_is_refused(
    person: Person, away: dict[str, str]
) -> None:
    """As a crontab with HOME=/srv/x above the line."""
    config = person.write("a/config.toml", "a")
    assert person.tick(config) == (0, "")
    other = {name: str(person.home / value) for name, value in away.items()}

    exit_code, said = person.tick(config, more=other)

    assert exit_code == 2
    for words in (str(config), str(data_of(person)), str(person.home / "other"), "config adopt"):
        assert words in said
    assert not (person.home / "other").exists()
    assert person.run("config", "adopt", "--config", config, more=other)[0] == 0
    assert person.tick(config, more=other)[0] in {0, 1}


def test_a_copy_of_the_ledger_is_not_used_beside_it(person: Person) -> None:
    config = person.write("a/config.toml", "a")
    assert person.tick(config) == (0, "")
    shutil.copytree(data_of(person), person.home / "copy")
    copy = {"KAKAOCRON_DATA_DIR": str(person.home / "copy")}

    exit_code, said = person.tick(config, more=copy)
    assert (exit_code, "a copy" in said) == (2, True)

    shutil.rmtree(data_of(person))  # now it is the ledger, moved
    assert person.tick(config, more=copy) == (0, "")
    assert person.has("a") >= 1


def test_a_project_that_is_copied_without_its_data_is_a_new_one(person: Person) -> None:
    config = person.write("a/config.toml", "a", "KAKAOCRON_DATA_DIR=data\nKAKAOCRON_LOG_DIR=log\n")
    assert person.tick(config) == (0, "")
    shutil.copytree(config.parent, person.home / "b", ignore=shutil.ignore_patterns("data", "log"))
    (person.home / "b/config.toml").write_text(config.read_text().replace("a {time", "b {time"))

    assert person.tick(person.home / "b/config.toml") == (0, "")
    assert (person.has("a"), person.has("b")) == (1, 1)


# A disk that is not there.


@pytest.mark.parametrize("log", [True, False], ids=["data and log", "data only"])
@pytest.mark.parametrize("is_empty", [True, False], ids=["empty", "gone"])
def test_a_data_folder_that_is_gone_is_not_a_new_one(
    person: Person, log: bool, is_empty: bool
) -> None:
    disk = person.home / "mnt"
    env = f"KAKAOCRON_DATA_DIR={disk}/data\nKAKAOCRON_LOG_DIR={disk if log else person.home}/log\n"
    config = person.write("a/config.toml", "a", env)
    assert person.tick(config) == (0, "")
    disk.rename(person.home / "away")
    disk.mkdir()
    if is_empty:
        (disk / "data").mkdir()
    before = sorted(disk.rglob("*"))

    exit_code, said = person.tick(config)
    assert exit_code == 74
    for words in (f"{disk}/data", "not mounted", f"config adopt --config {config}"):
        assert words in said
    assert person.tick(config) == (74, "")  # told once
    for command in (["send", "x"], ["status"], ["cron", "install"], ["login"], ["pause"]):
        assert person.run(*command, "--config", config)[0] == 74
    exit_code, shown, _ = person.run("doctor", "--config", config)
    assert (exit_code, "not mounted" in " ".join(shown.split())) == (1, True)
    assert sorted(disk.rglob("*")) == before  # nothing was made below the mount point

    shutil.rmtree(disk)
    (person.home / "away").rename(disk)
    folder = disk if log else person.home
    (folder / "log/idle").unlink(missing_ok=True)  # let the tick be a full one
    assert person.tick(config) == (0, "")
    disk.rename(person.home / "away")
    assert person.tick(config)[1] != ""  # it is told of again
    assert person.has("a") >= 1


@pytest.mark.parametrize("log", [True, False], ids=["log stays", "log is gone too"])
def test_a_ledger_that_is_gone_from_its_data_folder_is_not_a_new_one(
    person: Person, log: bool
) -> None:
    config = person.write("a/config.toml", "a")
    assert person.tick(config) == (0, "")
    ledger, away = data_of(person) / "ledger", person.home / "away"
    ledger.rename(away)
    if not log:
        shutil.rmtree(person.home / ".local/state")

    exit_code, said = person.tick(config)
    assert exit_code == 74
    for words in (f"'{ledger}' is not there", "not mounted", f"config adopt --config {config}"):
        assert words in said
    assert person.tick(config) == (74, "")  # told once
    for command in (["send", "x"], ["status"], ["schedule", "x", "--in", "5m"], ["pause"]):
        assert person.run(*command, "--config", config)[0] == 74, command
    for command in (["doctor"], ["health"]):
        exit_code, shown, _ = person.run(*command, "--config", config)
        assert (exit_code, f"'{ledger}' is not there" in " ".join(shown.split())) == (1, True)
    assert not ledger.exists()

    away.rename(ledger)
    assert person.tick(config) == (0, "")
    assert person.has("a") >= 1
    shutil.rmtree(ledger)
    exit_code, shown, _ = person.run("config", "adopt", "--config", config)
    assert (exit_code, "its ledger is new" in shown) == (0, True)
    assert person.tick(config)[0] in {0, 1}  # what the heartbeats know of is not sent again
    assert person.has("a") >= 1


def test_the_ledger_of_an_earlier_version_is_missed_from_its_first_tick_on(person: Person) -> None:
    config = person.write("a/config.toml", "a")
    assert person.tick(config) == (0, "")
    owner = data_of(person) / "owner.json"
    fields = json.loads(owner.read_text())
    assert fields.pop("has_ledger") is True
    owner.write_text(json.dumps(fields))
    assert person.tick(config) == (0, "")
    assert json.loads(owner.read_text()) == {**fields, "has_ledger": True}

    shutil.rmtree(data_of(person) / "ledger")
    assert person.tick(config)[0] == 74


def test_a_log_folder_that_is_gone_is_made_again(person: Person) -> None:
    config = person.write("a/config.toml", "a")
    assert person.tick(config) == (0, "")
    shutil.rmtree(person.home / ".local/state")

    assert person.tick(config) == (0, "")
    assert person.tick(config) == (0, "")
    assert person.has("a") >= 1


def test_a_new_ledger_in_place_of_a_lost_one_is_a_conscious_act(person: Person) -> None:
    config = person.write("a/config.toml", "a")
    assert person.tick(config) == (0, "")
    data_of(person).rename(person.home / "away")

    assert person.tick(config)[0] == 74
    assert person.run("config", "adopt", "--config", config)[0] == 0
    assert person.tick(config)[0] in {0, 1}  # what the heartbeats know of is not sent again
    assert person.has("a") >= 1

    shutil.rmtree(data_of(person))
    (person.home / "away").rename(data_of(person))  # the old disk is back after all
    assert person.tick(config)[0] == 2


def test_a_backup_of_all_put_back_goes_on(person: Person) -> None:
    config = person.write("a/config.toml", "a", "KAKAOCRON_DATA_DIR=data\nKAKAOCRON_LOG_DIR=log\n")
    assert person.tick(config) == (0, "")
    shutil.copytree(config.parent, person.home / "backup")
    shutil.rmtree(config.parent)
    shutil.copytree(person.home / "backup", config.parent)

    assert person.tick(config) == (0, "")
    assert person.has("a") >= 1


def test_a_note_that_cannot_be_written_is_kept_elsewhere(person: Person) -> None:
    config = person.write("a/config.toml", "a")
    note = config.parent / ".config.toml.ledgers"
    note.with_name(note.name + ".new").mkdir()  # stands in the way, as root may write everywhere
    assert person.tick(config) == (0, "")
    assert not note.exists()
    shutil.rmtree(data_of(person))

    assert person.tick(config)[0] == 74


# A configuration that is a link.


def test_what_lies_beside_the_real_file_counts(person: Person) -> None:
    real = person.write("real/config.toml", "a", "KAKAOCRON_DATA_DIR=data\n")
    (real.parent / "text.txt").write_text("from the file {time:%H:%M}")
    real.write_text(real.read_text().replace('text = "a {time:%H:%M}"', 'file = "text.txt"'))
    link = person.home / "linked/config.toml"
    link.parent.mkdir()
    link.symlink_to(real)
    (link.parent / ".env").write_text("OTHER=1\n")

    assert person.tick(link) == (0, "")
    assert person.tick(real) == (0, "")
    assert (real.parent / "data/owner.json").exists()
    assert person.has("from the file") >= 1
    _, shown, _ = person.run("doctor", "--json", "--config", link)
    findings = {one["name"]: one for one in json.loads(shown)["findings"]}
    assert findings["env-file"]["status"] == "warn"
    assert str(link.parent / ".env") in findings["env-file"]["what"]

    (link.parent / ".env").write_text("KAKAOCRON_DATA_DIR=elsewhere\n")
    exit_code, said = person.tick(link)
    assert (exit_code, str(link.parent / ".env") in said) == (2, True)
    assert not (link.parent / "elsewhere").exists()


def test_init_writes_through_a_link(person: Person) -> None:
    real = person.write("real/config.toml")
    link = person.home / "config.toml"
    link.symlink_to(real)

    assert person.run("init", "--yes", "--force", "--config", link)[0] == 0
    assert link.is_symlink()
    assert "[[message]]" in real.read_text()


# Between any two lines, and two at once.


class _Killed(BaseException):
    pass


class _Dying(RealDisk):
    """A disk whose process is killed before its nth call."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def __getattribute__(self, name: str) -> object:
        if name in {"open", "write", "fsync", "replace", "mkdir", "try_lock", "truncate"}:
            self.calls -= 1
            if self.calls < 0:
                raise _Killed
        return super().__getattribute__(name)


def places_in(folder: Path, name: str = "config.toml") -> Places:
    (folder / name).touch()
    return Places(folder / name, folder / "data", folder / "log", {})


def test_a_process_that_dies_while_it_claims_harms_nobody(tmp_path: Path) -> None:
    clock = SystemClock()
    for calls in range(60):
        folder = tmp_path / str(calls)
        folder.mkdir()
        a, b = places_in(folder, "a.toml"), places_in(folder, "b.toml")
        try:
            claim(a, _Dying(calls), clock, "1")
        except _Killed:
            has_died = True
        else:
            has_died = False

        settled(a, RealDisk())
        claim(a, RealDisk(), clock, "2")
        assert settled(a, RealDisk()).ticks == "ticks"
        with pytest.raises(OtherInstallationError):
            claim(b, RealDisk(), clock, "3")
        if not has_died:
            return
    raise AssertionError("a claim takes more calls than were tried")


def _claimed(places: Places, new_id: str) -> str:
    try:
        claim(places, RealDisk(), SystemClock(), new_id)
    except OtherInstallationError:
        return ""
    return str(places.config)


def test_of_two_at_once_one_wins(tmp_path: Path) -> None:
    with get_context("fork").Pool(8) as pool:
        for turn in range(10):
            folder = tmp_path / str(turn)
            folder.mkdir()
            rivals = [(places_in(folder, f"{n}.toml"), str(n)) for n in range(8)]
            won = [one for one in pool.starmap(_claimed, rivals) if one]
            owner = json.loads((folder / "data/owner.json").read_bytes())
            assert won == [owner["config"]]


@pytest.mark.parametrize(
    ("environ", "env_file"),
    [
        ({}, ""),
        ({"KAKAOCRON_LOG_DIR": "log"}, ""),
        ({}, "KAKAOCRON_LOG_DIR=./log\n"),
        ({}, "KAKAOCRON_LOG_DIR=~/log\n"),
        ({"XDG_STATE_HOME": "HOME/state"}, ""),
        ({}, "XDG_STATE_HOME=HOME/state\nXDG_DATA_HOME=HOME/data\n"),
    ],
)
def test_idle_ticks_look_where_full_ones_leave_their_plan(
    person: Person, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], env_file: str
) -> None:
    config = person.write("a/config.toml", "a", env_file.replace("HOME", str(person.home)))
    config.write_text(config.read_text().replace("[[message]]", "").split("name =")[0])
    given = {name: value.replace("HOME", str(person.home)) for name, value in environ.items()}
    for name, value in {**given, "KAKAO_ACCESS_TOKEN": person.token}.items():
        monkeypatch.setenv(name, value)
    for _ in range(2):
        assert person.tick(config, more=given)[0] == 0

    monkeypatch.chdir("/")
    assert is_idle_tick(["tick", "--config", str(config)], os.environ)
    assert (find_places(config).log / "idle").exists()
