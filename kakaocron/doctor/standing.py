"""Where one stands on the way from nothing to messages by the minute, and the one next step."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kakaocron.doctor.cron import beats_of, has_a_line
from kakaocron.doctor.finding import Bench, Finding, Status, fail, ok, warn
from kakaocron.errors import KakaocronError
from kakaocron.installation import Installation
from kakaocron.kst import DAY
from kakaocron.ledger.lookup import recent
from kakaocron.states import BAD, State
from kakaocron.watching.causes import in_words
from kakaocron.watching.health import LastTick, are_running, last_tick, tick_problem
from kakaocron.watching.overview import login_of

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
    name, path = "configuration", bench.places.config
    if bench.refusal is not None:
        return fail(name, bench.refusal.what, bench.refusal.mend or DOCTOR)
    if bench.installation is None:
        if not os.path.lexists(path):
            return warn(name, f"none yet at '{path}'", INIT)
        return fail(name, str(bench.config_error or "cannot be read"), CHECK)
    count = len(bench.installation.config.message)
    return ok(name, f"{path}, {count} message{'s' if count != 1 else ''}")


def _login(bench: Bench, installation: Installation) -> Finding:
    name, login = "login", installation.login
    if not (login.credentials.rest_api_key or login.credentials.access_token):
        mend = f"put rest_api_key into [kakao] of '{bench.places.config}', then: {LOGIN}"
        return fail(name, "the app's REST API key is missing", mend)
    _, problem = login_of(login, bench.now)
    if problem is not None:
        return fail(name, in_words(problem).partition(". ")[0], LOGIN)
    return ok(name, "there")


def _ticks(bench: Bench, installation: Installation) -> Finding:
    name, last = "cron", last_tick(beats_of(installation, bench.now))
    problem = tick_problem(last, bench.now)
    if last is not None and problem is None:
        return ok(name, f"runs; the last tick was at {last.at:%H:%M:%S}")
    if are_running(last, bench.now) and problem is not None:
        return fail(name, problem.what, DOCTOR)
    if last is None and has_a_line(bench):
        return warn(name, "has its line; no tick has come yet", f"wait a minute, then: {DOCTOR}")
    if last is None:
        return warn(name, "does not run kakaocron yet", INSTALL)
    return fail(name, _silent(last), DOCTOR if has_a_line(bench) else INSTALL)


def _silent(last: LastTick) -> str:
    return f"no tick has come since {last.at:%Y-%m-%d %H:%M:%S}"


def _last_message(installation: Installation) -> Finding:
    name, today = "last message", installation.clock.now().date()
    try:
        seen = recent(installation.ledger, today, DAYS)
        last = next((one for one in reversed(seen) if one.state is not State.SCHEDULED), None)
        if last is None and all(today - day >= DAYS * DAY for day in installation.ledger.days()):
            return warn(name, "none yet", FIRST)
    except KakaocronError as error:
        return fail(name, error.what, error.mend or DOCTOR)
    if last is None:
        return ok(name, f"none in the last {DAYS} days")
    said = f"{last.id}: {last.state}" + (f" ({last.reason})" if last.reason else "")
    if last.state in BAD and not last.was_meant:
        return fail(name, said, f"kakaocron explain {last.id}")
    return ok(name, said)
