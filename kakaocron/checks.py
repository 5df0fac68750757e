"""Everything that a user can get wrong, looked at once: what `kakaocron doctor` shows."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kakaocron.config import Config, Kakao
from kakaocron.config_file import fault_line
from kakaocron.contents import Contents, faults
from kakaocron.core.answers import Answer, Failure
from kakaocron.core.calendar import next_slot
from kakaocron.core.health import RUNNING_WITHIN, last_word, tick_problem
from kakaocron.core.heartbeat import Beat, Word
from kakaocron.core.quota import BEFORE_PERMISSION, ME, plan_faults
from kakaocron.core.tokens import LONGEST_REST, WARNING_DAYS, Tokens
from kakaocron.crontab import Crontab, Job, other_lines, with_block
from kakaocron.errors import SEE_DOCTOR, KakaocronError, LoginError, UsageError
from kakaocron.friends import friends_of
from kakaocron.http import Request
from kakaocron.login import LOG_IN
from kakaocron.login_flow import ask, id_in, scopes_of, wanted_scopes
from kakaocron.machine import Machine
from kakaocron.outside import RealOutside
from kakaocron.paths import Places, only_in_shell
from kakaocron.template import DEFAULT_LINK
from kakaocron.tick import LARGEST_CLOCK_ERROR
from kakaocron.verify import verify_ledger
from kakaocron.wiring import Installation

LOG_IN_AGAIN = "Log in: kakaocron login"
MAKE_CONFIG = "Make one: kakaocron init"
LITTLE_ROOM_BYTES = 100 << 20
NO_ROOM_BYTES = 5 << 20
LITTLE_INODES = 1000
OTHERS = 0o077
ON_THE_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "afs", "fuse.rclone", "drvfs"}
)
IN_MEMORY = frozenset({"tmpfs", "ramfs"})


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it is, and how to mend it where it is not well."""

    name: str
    status: Status
    what: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Bench:
    """What the checks work on; `installation` is None where the configuration cannot be read."""

    places: Places
    machine: Machine
    crontab: Crontab
    job: Job
    now: datetime
    installation: Installation | None = None
    config_error: str | None = None


def examine(bench: Bench) -> list[Finding]:
    """Look at everything. A check that cannot be made says so; none raises."""
    checks: list[Callable[[Bench], Iterator[Finding]]] = [_configuration, _files, _cron]
    if bench.installation is not None:
        checks += [_plan, _login, _online, _ledger, _ticks]
    return [finding for check in checks for finding in check(bench)]


def _ok(name: str, what: str) -> Finding:
    return Finding(name, Status.OK, what)


def _warn(name: str, what: str, mend: str) -> Finding:
    return Finding(name, Status.WARN, what, mend)


def _fail(name: str, what: str, mend: str) -> Finding:
    return Finding(name, Status.FAIL, what.removesuffix(f". {SEE_DOCTOR}"), mend)


# The configuration and what it asks for


def _configuration(bench: Bench) -> Iterator[Finding]:
    places = bench.places
    if bench.config_error:
        is_there = os.path.lexists(places.config)
        mend = "Mend it: kakaocron config check" if is_there else MAKE_CONFIG
        yield _fail("config", bench.config_error.removesuffix(MAKE_CONFIG).strip(), mend)
    else:
        yield _ok("config", f"'{places.config}' is read and sound")
    for name, path in (("config-mode", places.config), ("env-mode", places.config.parent / ".env")):
        mode = bench.machine.mode(str(path))
        if mode is not None and mode & OTHERS:
            mend = f"Make it private: chmod 600 {shlex.quote(str(path))}"
            yield _warn(name, f"'{path}' can be read by others, and may hold secrets", mend)
        else:
            yield _ok(name, f"'{path}' is private" if mode is not None else f"no '{path}'")
    names: list[str] = []
    with suppress(UsageError):  # a `.env` that cannot be read has been told of above
        names = only_in_shell(places)
    if names:
        yield _warn(
            "environment",
            f"{', '.join(names)}: set in this shell only; cron does not have it",
            f"Put it into '{places.config.parent / '.env'}', which every tick reads",
        )
    else:
        yield _ok("environment", "no secret depends on this shell")


def _plan(bench: Bench) -> Iterator[Finding]:
    installation = _installed(bench)
    config, today = installation.config, bench.now.date()
    if not config.message:
        yield _fail("messages", "no message is configured", "Add a [[message]] to config.toml")
    else:
        yield _ok("messages", f"{len(config.message)} configured")
    yield _contents(bench, config)
    yield _next_slot(bench, installation)
    yield _link(config.kakao)
    yield _server(config.kakao)
    yield _me(config)
    names = {uuid: name for name, uuid in config.friends.items()}
    too_many = plan_faults(config.series(), today, names)
    if too_many:
        yield _fail("quota", " · ".join(too_many), "Fewer slots, or other receivers")
    else:
        yield _ok("quota", "the plan fits Kakao's daily quotas")
    yield _permission(config)
    yield _alerts(config)
    if config.delivery.on_unknown == "resend":
        what = '[delivery] on_unknown = "resend": what Kakao did not confirm may arrive twice'
        yield _warn("on-unknown", what, 'Set it to "hold" for: never twice')
    else:
        yield _ok("on-unknown", "what Kakao did not confirm is not sent twice")
    if config.schedule.early_start:
        yield _ok("early-start", "slots are prepared a minute ahead and leave on the second")
    else:
        what = "slots leave when cron's tick has started, a second or so after the minute"
        yield _ok("early-start", f"{what}; [schedule] early_start = true is more exact")


def _contents(bench: Bench, config: Config) -> Finding:
    variables = bench.places.variables
    contents = Contents(config, bench.places.config.parent, RealOutside(variables))
    for keys, fault in faults(contents, variables.get("PATH")):
        what = fault_line(bench.places.config, keys, fault)
        return _fail("contents", what, "Mend it, then: kakaocron config check")
    return _ok("contents", "every message can be made")


def _next_slot(bench: Bench, installation: Installation) -> Finding:
    found = [next_slot(one.name, one.timetable, bench.now) for one in installation.plan.series]
    slots = [slot for slot in found if slot]
    if not slots:
        mend = "Look at days, quiet and the minutes in [schedule]"
        return _fail("next-slot", "no slot is due within a year", mend)
    return _ok("next-slot", f"{min(slot.at for slot in slots):%Y-%m-%d %H:%M} KST")


def _link(kakao: Kakao) -> Finding:
    domain = urlsplit(kakao.link).netloc
    if kakao.link == DEFAULT_LINK:
        what = "link is the default one; a tap on a message leads to Kakao's developer pages"
        return _warn("link", what, "Set link in [kakao] to a page of yours")
    return _ok(
        "link",
        f"{domain}; no API tells whether it is registered. If a tap does nothing: console, "
        "[App] > [Product Link] > web domain",
    )


def _server(kakao: Kakao) -> Finding:
    standard = Kakao()
    if (kakao.api_url, kakao.auth_url) == (standard.api_url, standard.auth_url):
        return _ok("servers", "Kakao's own")
    what = f"api_url is {kakao.api_url}, auth_url is {kakao.auth_url}: a rehearsal, not Kakao"
    return _warn("servers", what, "For real messages take both out of [kakao]")


def _me(config: Config) -> Finding:
    receivers = {receiver for message in config.message for receiver in message.to}
    if ME not in receivers:
        return _ok("me", "messages go to friends, whose phones ring")
    if config.monitor.alert_urls:
        return _ok("me", "KakaoTalk makes no sound for them; alert_urls can tell of failures")
    return _warn(
        "me",
        "KakaoTalk makes no sound and shows no push for a message to yourself",
        "Two ways out: log in with a second Kakao account and send to your real one as a friend "
        "(kakaocron friends), or be told by another service: alert_urls in [monitor]",
    )


def _permission(config: Config) -> Finding:
    if "friends" not in wanted_scopes(config):
        return _ok("permission", "messages to oneself need no permission of Kakao's")
    return _warn(
        "permission",
        "before Kakao's permission messages to friends reach members of the app only, and "
        f"(reported) {BEFORE_PERMISSION} a day",
        "Add each receiver: console, [App] > [Members]",
    )


def _alerts(config: Config) -> Finding:
    monitor = config.monitor
    if not monitor.tells_somebody:
        return _warn(
            "alerts",
            "nobody is told when KakaoTalk itself is broken",
            "Set ping_url, alert_urls or alert_command in [monitor]",
        )
    if monitor.alert_urls and find_spec("apprise") is None:
        mend = "Install it: pip install 'kakaocron[alerts]'"
        return _fail("alerts", "alert_urls need Apprise, which is not installed", mend)
    return _ok("alerts", "a failure is told by another way than KakaoTalk")


# The login


def _login(bench: Bench) -> Iterator[Finding]:
    installation = _installed(bench)
    login = installation.login
    key, client_secret = login.credentials.rest_api_key, login.credentials.client_secret
    if key:
        yield _ok("rest-api-key", "there")
    else:
        mend = "Set rest_api_key in [kakao]: console, [App] > [Platform key] > [REST API key]"
        yield _fail("rest-api-key", "none", mend)
    try:
        tokens = login.read()
    except LoginError as error:
        yield _fail("login", str(error), LOG_IN_AGAIN)
        return
    yield _client_secret(client_secret is not None, tokens)
    if login.credentials.access_token:
        what = "KAKAO_ACCESS_TOKEN is used as it is: it dies within hours and is not renewed"
        yield _fail("access-token", what, f"Unset it. {LOG_IN}")
        return
    yield _login_finding(tokens)
    if key and tokens.client_id not in {None, key}:
        what = "the login was made with another REST API key than is configured now"
        yield _fail("login-key", what, LOG_IN_AGAIN)
    elif tokens.refresh_token:
        yield _ok("login-key", "the login belongs to this key")
    yield _access_token(tokens, bench.now)
    yield _days_left(tokens, bench.now)
    if tokens.refresh_token:
        yield _renewed(tokens, bench.now)
    mode = bench.machine.mode(installation.places.tokens)
    if mode is not None and mode & OTHERS:
        mend = f"Make it private: chmod 600 {shlex.quote(installation.places.tokens)}"
        yield _fail("token-mode", "the token file can be read by others", mend)
    else:
        yield _ok("token-mode", "the token file is private" if mode else "no token file yet")


def _client_secret(is_there: bool, tokens: Tokens) -> Finding:
    page = "console, [App] > [Platform key] > [REST API key] > client secret"
    if tokens.refused == "KOE010":
        return _fail("client-secret", "Kakao says that it is wrong or missing (KOE010)", page)
    if is_there:
        return _ok("client-secret", "there")
    return _ok("client-secret", f"none; right only if it is switched off: {page}")


def _login_finding(tokens: Tokens) -> Finding:
    if tokens.is_dead:
        return _fail("login", f"Kakao has ended it ({tokens.refused})", LOG_IN_AGAIN)
    if tokens.refresh_token is None:
        return _fail("login", "not logged in", LOG_IN_AGAIN)
    if tokens.refused:
        until = f"{tokens.refused_until:%H:%M:%S}" if tokens.refused_until else "later"
        what = f"Kakao refused the last renewal ({tokens.refused}); the next try is at {until}"
        return _warn("login", what, "Wait; if it stays so, see: kakaocron login")
    return _ok("login", "there")


def _access_token(tokens: Tokens, now: datetime) -> Finding:
    end = tokens.access_expires_at
    if tokens.is_fresh(now) and end:
        return _ok("access-token", f"good until {end:%m-%d %H:%M}; renewed in time")
    what = "none that is good now; the next tick gets one"
    return (
        _ok("access-token", what)
        if tokens.refresh_token
        else _fail("access-token", "none", LOG_IN_AGAIN)
    )


def _days_left(tokens: Tokens, now: datetime) -> Finding:
    end = tokens.refresh_expires_at
    if end is None:
        return _ok("login-days", "not known until Kakao renews the refresh token")
    days = (end - now).days
    if days < 0:
        return _fail("login-days", f"the login ended on {end:%Y-%m-%d}", LOG_IN_AGAIN)
    if days < WARNING_DAYS:
        what = f"the login ends in {days} days; Kakao renews it in its last month, and did not"
        return _warn("login-days", what, LOG_IN_AGAIN)
    return _ok("login-days", f"{days} more, and it is renewed in its last month")


def _renewed(tokens: Tokens, now: datetime) -> Finding:
    at = tokens.refreshed_at
    if at and now - at > LONGEST_REST + timedelta(days=1):
        what = f"the token was last renewed on {at:%Y-%m-%d}"
        return _warn("renewal", what, "Ticks renew it: kakaocron cron install")
    return _ok("renewal", f"last on {at:%Y-%m-%d %H:%M}" if at else "not yet")


# Kakao itself


def _online(bench: Bench) -> Iterator[Finding]:
    installation = _installed(bench)
    login, kakao = installation.login, installation.config.kakao
    reached, offset = True, None
    for name, url in (("kauth", kakao.auth_url), ("kapi", kakao.api_url)):
        answer = login.http.ask(Request(f"{url}/"))
        if isinstance(answer, Failure):
            reached = False
            yield _fail(name, f"{url}: {answer.detail}", "Look at the network, DNS and any proxy")
        else:
            offset = offset or _offset(installation, answer)
            yield _ok(name, f"{url} answers")
    yield _clock(offset)
    if not reached:
        mend = "Try again when Kakao can be reached"
        for name in ("token-accepted", "scope-message", "scope-friends", "receivers"):
            yield _warn(name, "not checked: Kakao cannot be reached", mend)
        return
    try:
        token = login.access_token()
        user = ask(login.http, f"{kakao.api_url}/v1/user/access_token_info", token)
        yield _ok("token-accepted", f"by Kakao, for account {id_in(user)}")
        yield from _scopes(installation, token)
        yield _receivers(installation, token)
    except KakaocronError as error:
        yield _fail("token-accepted", str(error), LOG_IN_AGAIN)


def _offset(installation: Installation, answer: Answer) -> timedelta | None:
    try:
        return installation.clock.now() - parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError, TypeError):
        return None


def _clock(offset: timedelta | None) -> Finding:
    if offset is None:
        mend = "Try again when Kakao can be reached"
        return _warn("clock", "not checked: no server has told its time", mend)
    seconds = offset.total_seconds()
    if abs(offset) > LARGEST_CLOCK_ERROR:
        what = f"this clock is {seconds:+.0f} s off Kakao's"
        return _fail("clock", what, "Set it: timedatectl set-ntp true")
    return _ok("clock", f"within {abs(seconds):.0f} s of Kakao's")


def _scopes(installation: Installation, token: str) -> Iterator[Finding]:
    agreed = scopes_of(installation.login.http, installation.config.kakao.api_url, token)
    wanted = wanted_scopes(installation.config)
    for name, scope in (("scope-message", "talk_message"), ("scope-friends", "friends")):
        if agreed.get(scope):
            yield _ok(name, f"the account has agreed to {scope}")
        elif scope not in wanted:
            yield _ok(name, f"{scope} is not needed")
        elif scope in agreed:
            mend = f"Tick the box for {scope}: kakaocron login"
            yield _fail(name, f"the account has not agreed to {scope}", mend)
        else:
            mend = "Switch it on: console, [Kakao Login] > [Consent items]; then: kakaocron login"
            yield _fail(name, f"the app does not ask for {scope}", mend)


def _receivers(installation: Installation, token: str) -> Finding:
    config = installation.config
    wanted = {uuid for one in config.series() for uuid in one.to} - {ME}
    if not wanted:
        return _ok("receivers", "yourself")
    found = {f.uuid: f for f in friends_of(installation.login.http, config.kakao.api_url, token)}
    unknown = sorted(wanted - found.keys())
    refusing = sorted(uuid for uuid in wanted & found.keys() if not found[uuid].is_allowed)
    if unknown:
        mend = "See who is: kakaocron friends. A receiver must be a friend, and use the app too"
        return _fail("receivers", f"not among the friends: {', '.join(unknown)}", mend)
    if refusing:
        what = f"refuse messages: {', '.join(refusing)}"
        return _fail("receivers", what, "They allow it in KakaoTalk's settings")
    return _ok("receivers", f"{len(wanted)} friends, all allow messages")


# Files


def _files(bench: Bench) -> Iterator[Finding]:
    places, machine = bench.places, bench.machine
    data, log = str(places.data), str(places.log)
    for name, folder in (("data-folder", data), ("log-folder", log)):
        if machine.may_write(folder):
            yield _ok(name, f"'{folder}' can be written")
        else:
            mend = f"Give it to this user: sudo chown -R $(id -un) {shlex.quote(folder)}"
            yield _fail(name, f"'{folder}' cannot be written", mend)
    mode = machine.mode(data)
    if mode is not None and mode & OTHERS:
        mend = f"Make it private: chmod 700 {shlex.quote(data)}"
        yield _warn("data-mode", f"'{data}' is open to others", mend)
    else:
        yield _ok("data-mode", f"'{data}' is private")
    yield _owner(bench)
    yield _file_system(machine, data)
    yield _room(machine, data)
    held = [p for p in (f"{places.ledger}.lock", f"{places.tokens}.lock") if machine.is_locked(p)]
    if held:
        mend = f"If it stays so, see who holds it: fuser -v {shlex.quote(held[0])}"
        yield _warn("locks", f"another process holds '{held[0]}' now", mend)
    else:
        yield _ok("locks", "free")


def _owner(bench: Bench) -> Finding:
    places, uid = bench.places, bench.machine.uid()
    paths = [str(places.config), str(places.data), places.ledger, places.tokens, str(places.log)]
    foreign = [path for path in paths if bench.machine.owner(path) not in {None, uid}]
    if foreign:
        mend = "Run kakaocron as one user only; to take the files: sudo chown -R $(id -un) PATH"
        return _fail("owner", f"not this user's: {', '.join(foreign)}", mend)
    return _ok("owner", "all files are this user's")


def _file_system(machine: Machine, data: str) -> Finding:
    kind = machine.file_system(data)
    if kind in ON_THE_NETWORK:
        mend = "Use a local disk: KAKAOCRON_DATA_DIR in the .env beside config.toml"
        return _fail("file-system", f"the ledger is on {kind}, where locks may not hold", mend)
    if kind in IN_MEMORY:
        mend = "Use a disk: KAKAOCRON_DATA_DIR in the .env beside config.toml"
        return _warn("file-system", f"the ledger is on {kind} and is lost at a restart", mend)
    return _ok("file-system", kind or "of a kind that cannot be told")


def _room(machine: Machine, data: str) -> Finding:
    free, inodes = machine.free(data)
    what = f"{free >> 20} MiB free"
    mend = "Make room: without it nothing is sent. Old days go by: kakaocron ledger prune --days 30"
    if free < NO_ROOM_BYTES:
        return _fail("room", what, mend)
    if free < LITTLE_ROOM_BYTES or inodes < LITTLE_INODES:
        return _warn("room", f"{what}, {inodes} files", mend)
    return _ok("room", what)


def _ledger(bench: Bench) -> Iterator[Finding]:
    installation = _installed(bench)
    try:
        checked, found = verify_ledger(installation.ledger)
        damage = [one for one in found if one.is_damage]
        today = bench.now.date()
        days = [day for day in installation.ledger.days() if day >= today - timedelta(days=1)]
        last = installation.ledger.read(days).last_event_at
    except KakaocronError as error:
        yield _fail("ledger", str(error), "Look at the folder's permissions")
        return
    if damage:
        what = f"{damage[0].path}: {damage[0].what}"
        yield _fail("ledger", what, "The next tick sets it aside. See: kakaocron ledger verify")
    else:
        yield _ok("ledger", f"{checked.days} days, {checked.lines} lines, sound")
    if last and last > bench.now + LARGEST_CLOCK_ERROR:
        what = f"the ledger's last entry is of {last:%Y-%m-%d %H:%M:%S}: the clock was set back"
        yield _fail("clock-ledger", what, "Set the clock: timedatectl set-ntp true")
    else:
        yield _ok("clock-ledger", "no entry is of the future")


# cron and its ticks


def _cron(bench: Bench) -> Iterator[Finding]:
    machine = bench.machine
    if machine.which("crontab"):
        yield _ok("cron-program", "installed")
    else:
        mend = "apt-get install cron, or: kakaocron cron install --systemd"
        yield _warn("cron-program", "there is no 'crontab' program", mend)
    running = machine.cron_processes()
    if running:
        yield _ok("cron-running", running[0])
    else:
        mend = "systemctl enable --now cron; without systemd: service cron start"
        yield _warn("cron-running", "no cron daemon is seen (a container's host may have it)", mend)
    yield from _crontab(bench)
    yield _bare_command(bench)
    found = machine.which("kakaocron")
    others = [path for path in found if os.path.realpath(path) != _program(bench.job)]
    if others:
        what = f"also on the PATH: {', '.join(others)}; cron runs {bench.job.program[0]}"
        yield _warn("installations", what, "Keep one of them")
    else:
        yield _ok("installations", bench.job.program[0])


def _program(job: Job) -> str:
    return os.path.realpath(job.program[0])


def _crontab(bench: Bench) -> Iterator[Finding]:
    job, mend = bench.job, "kakaocron cron install"
    try:
        content = bench.crontab.read() or b""
        others = other_lines(content, job)
        is_there = with_block(content, job) == content
    except (KakaocronError, UsageError) as error:
        yield _warn("crontab", str(error), "If a systemd timer runs the ticks, all is well")
        return
    by_hand = [line for line in others if _runs(line, job)]
    if is_there or by_hand:
        yield _ok("crontab", "has the line of this installation")
    elif job.mark in content:
        yield _fail("crontab", "its line is of another path", mend)
    elif others:
        yield _warn("crontab", f"runs another kakaocron: {others[0]}", mend)
    else:
        yield _warn("crontab", "has no line of kakaocron", mend)
    if is_there and others:
        what = f"{len(others)} more lines run a tick: {others[0]}"
        yield _warn("crontab-twice", what, "No harm, but take one out: crontab -e")
    else:
        yield _ok("crontab-twice", "no second line runs a tick")


def _runs(line: str, job: Job) -> bool:
    return bool(re.search(rf"(^|[\s'\"]){re.escape(job.program[0])}['\"]?\s+tick\b", line))


def _bare_command(bench: Bench) -> Finding:
    """Run the command as cron will, with cron's bare environment."""
    machine, name = bench.machine, "cron-command"
    environment = {
        "HOME": machine.home(),
        "LOGNAME": Path(machine.home()).name,
        "SHELL": "/bin/sh",
        "PATH": "/usr/bin:/bin",
    }
    try:
        _ = bench.job.line
    except UsageError as error:
        return _fail(name, str(error), "Move it, then: kakaocron cron install")
    command = f"{bench.job.command} --dry-run"
    ended = machine.run(command, environment)
    if ended.code == 0:
        return _ok(name, "runs in cron's bare environment")
    said = " ".join(ended.said.split())[:300]
    return _fail(name, f"fails in cron's bare environment: {said}", f"Try it: env -i {command}")


END_MENDS = {
    2: "kakaocron config check",
    3: "kakaocron login",
    74: "See whether the data folder's disk is full or read-only: df -h; mount",
    75: "See which process hangs: ps aux | grep kakaocron",
    130: "If nobody stopped it: see what ends it, as a shutdown or a time limit around cron's job",
}


def _ticks(bench: Bench) -> Iterator[Finding]:
    beats = _beats(_installed(bench), bench.now)
    last = last_word(beats)
    problem = tick_problem(last, bench.now)
    if last is None:
        yield _fail("ticks", "no tick has been seen yet", "kakaocron cron install, then wait")
    elif problem is None:
        yield _ok("ticks", f"the last was at {last.at:%H:%M:%S}")
    elif bench.now - last.at > RUNNING_WITHIN:
        yield _fail("ticks", problem, "See whether cron runs: kakaocron cron show")
    else:
        mend = END_MENDS.get(last.exit_code, "See the log: kakaocron.log in the log folder")
        yield _fail("ticks", problem, mend)
    hour = [b for b in beats if bench.now - b.at <= timedelta(hours=1) and b.word is not Word.START]
    bad = [beat for beat in hour if beat.exit_code not in {0, 1}]
    if bad:
        codes = Counter(beat.exit_code for beat in bad)
        counts = ", ".join(f"{count} with exit {code}" for code, count in sorted(codes.items()))
        what = f"{len(bad)} of the last hour's {len(hour)} failed: {counts}"
        yield _warn("tick-ends", what, "See the log: kakaocron.log in the log folder")
    else:
        yield _ok("tick-ends", f"none of {len(hour)} in the last hour failed")


def _beats(installation: Installation, now: datetime) -> list[Beat]:
    days: Sequence[Any] = (now.date() - timedelta(days=1), now.date())
    beats = [beat for day in days for beat in installation.heartbeat.read(day)]
    return sorted((beat for beat in beats if beat.at <= now), key=lambda beat: beat.at)


def _installed(bench: Bench) -> Installation:
    assert bench.installation is not None  # noqa: S101 - `examine` has seen to it
    return bench.installation


def worst(findings: Sequence[Finding]) -> Status:
    found = {finding.status for finding in findings}
    return next((status for status in (Status.FAIL, Status.WARN) if status in found), Status.OK)


def fields(findings: Sequence[Finding]) -> Mapping[str, Any]:
    """Return the object that `doctor --json` prints."""
    return {
        "status": worst(findings),
        "findings": [
            {"name": f.name, "status": f.status, "what": f.what, "mend": f.mend or None}
            for f in findings
        ],
    }
