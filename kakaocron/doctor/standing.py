"""Where one stands on the way from nothing to messages by the minute, and the one next step."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kakaocron.doctor.cron import beats_of, has_a_line
from kakaocron.doctor.finding import Bench, Finding, Status, fail, ok, warn
from kakaocron.errors import KakaocronError
from kakaocron.installation import Installation
from kakaocron.kakao.causes import for_account, named
from kakaocron.kakao.login import Login
from kakaocron.kst import DAY
from kakaocron.language.words import _, ngettext
from kakaocron.ledger.lookup import recent
from kakaocron.states import BAD, State
from kakaocron.watching.causes import in_words
from kakaocron.watching.health import LastTick, are_running, last_tick, tick_problem
from kakaocron.watching.overview import problem_of

INIT, LOGIN, CHECK, DOCTOR = (
    f"kakaocron {name}" for name in ("init", "login", "config check", "doctor")
)
FIRST, INSTALL = "kakaocron send 안녕", "kakaocron cron install"
DAYS = 7


def standing(bench: Bench) -> list[Finding]:
    """Return what there is, in the order in which it is set up; where a step is missing or
    something is wrong, `mend` is what to do. None raises."""
    found = _configuration(bench)
    if bench.installation is None or bench.refusal is not None:
        return [found]
    login, runs = _login(bench, bench.installation), _ticks(bench, bench.installation)
    last = _last_message(bench.installation)
    # A first message is tried before cron sends more of them.
    return [found, login, *((last, runs) if last.mend == FIRST else (runs, last))]


def next_step(findings: Sequence[Finding]) -> str | None:
    """Return the one thing to do next, what is wrong before what is not there yet; None if all is
    set up and well."""
    for status in (Status.FAIL, Status.WARN):
        if mends := [one.mend for one in findings if one.status is status]:
            return mends[0]
    return None


def _configuration(bench: Bench) -> Finding:
    name, path = _("configuration"), bench.places.config
    if bench.refusal is not None:
        return fail(name, bench.refusal.what, bench.refusal.mend or DOCTOR)
    if bench.installation is None:
        if not os.path.lexists(path):
            return warn(name, _("none yet at '{path}'").format(path=path), INIT)
        return fail(name, str(bench.config_error), CHECK)
    count = len(bench.installation.config.message)
    said = ngettext("{path}, {count} message", "{path}, {count} messages", count)
    return ok(name, said.format(path=path, count=count))


def _login(bench: Bench, installation: Installation) -> Finding:
    for account, login in installation.logins.items():
        found = _login_of(bench, account, login)
        if found.status is not Status.OK:
            break
    return found


def _login_of(bench: Bench, account: str, login: Login) -> Finding:
    name = _("login")
    if not login.is_needed:
        return ok(name, _("not needed: no message goes by it"))
    if not (login.credentials.rest_api_key or login.credentials.access_token):
        mend = _("put rest_api_key into [kakao] of '{path}', then: {command}")
        mend = mend.format(path=bench.places.config, command=LOGIN)
        return fail(name, _("the app's REST API key is missing"), mend)
    problem = problem_of(login, login.found(), bench.now)
    if problem is not None:
        said = in_words(problem).partition(". ")[0]
        return fail(name, named(account, said), for_account(account, LOGIN))
    return ok(name, _("there"))


def _ticks(bench: Bench, installation: Installation) -> Finding:
    name, last = _("cron"), last_tick(beats_of(installation, bench.now))
    problem = tick_problem(last, bench.now)
    if last is not None and problem is None:
        return ok(name, _("runs; the last tick was at {at:%H:%M:%S}").format(at=last.at))
    if are_running(last, bench.now) and problem is not None:
        return fail(name, problem.what, DOCTOR)
    if last is None and has_a_line(bench):
        wait = _("wait a minute, then: {command}").format(command=DOCTOR)
        return warn(name, _("has its line; no tick has come yet"), wait)
    if last is None:
        return warn(name, _("does not run kakaocron yet"), INSTALL)
    return fail(name, _silent(last), DOCTOR if has_a_line(bench) else INSTALL)


def _silent(last: LastTick) -> str:
    return _("no tick has come since {at:%Y-%m-%d %H:%M:%S}").format(at=last.at)


def _last_message(installation: Installation) -> Finding:
    name, today = _("last message"), installation.clock.now().date()
    try:
        seen = recent(installation.ledger, today, DAYS)
        last = next((one for one in reversed(seen) if one.state is not State.SCHEDULED), None)
        if last is None and all(today - day >= DAYS * DAY for day in installation.ledger.days()):
            return warn(name, _("none yet"), FIRST)
    except KakaocronError as error:
        return fail(name, error.what, error.mend or DOCTOR)
    if last is None:
        return ok(name, _("none in the last {count} days").format(count=DAYS))
    if last.state not in BAD:  # an older one may still wait for a person's word
        last = next((one for one in reversed(seen) if one.state is State.UNKNOWN), last)
    said = f"{last.id}: {last.state.beside}"
    said += f" ({last.reason.beside})" if last.reason else ""
    if last.state in BAD and not last.was_meant:
        return fail(name, said, f"kakaocron explain {last.id}")
    return ok(name, said)
