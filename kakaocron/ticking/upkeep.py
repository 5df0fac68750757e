"""What a tick does for its logins once its sending is done, so that no slot waits for one."""

from __future__ import annotations

from datetime import timedelta

from kakaocron.delivery.tick import TickReport
from kakaocron.errors import KakaocronError, LoginError
from kakaocron.installation import Installation
from kakaocron.kakao.causes import named
from kakaocron.kakao.login import Login
from kakaocron.kakao.tokens import AT_THE_LATEST, Tokens
from kakaocron.language.words import _
from kakaocron.schedule.slots import slots_between
from kakaocron.system.log import log
from kakaocron.watching.incidents import of_login, with_account

IDLE = timedelta(minutes=1)
LONGEST_SECONDS = 30.0


def look_after_login(installation: Installation, report: TickReport) -> dict[str, str]:
    """Renew tokens if it is time to; return sentences for the user, by stable keys."""
    found: dict[str, str] = {}
    for account, login in installation.logins.items():
        found |= _look_after(account, login, installation, report)
    return found


def _look_after(
    account: str, login: Login, installation: Installation, report: TickReport
) -> dict[str, str]:
    if login.credentials.access_token:
        return {}
    tokens = Tokens()
    try:
        tokens = login.read()
        now = installation.clock.now()
        is_late = not tokens.is_fresh(now, AT_THE_LATEST)
        if tokens.wants_renewal(now) and (is_late or _is_idle(installation, report)):
            try:
                _renew(login, installation)
            finally:
                tokens = login.read()  # a refusal is noted there, too
    except LoginError as error:
        incident = of_login(error, account)
        return {incident.key: incident.sentence} | _out_of_date(account, login, tokens)
    except KakaocronError as error:
        log.warning("%s", named(account, f"the token is not renewed: {error}"))
    return _out_of_date(account, login, tokens) | _ends_soon(account, installation, tokens)


def _out_of_date(account: str, login: Login, tokens: Tokens) -> dict[str, str]:
    """Return a sentence on a variable whose token Kakao has replaced."""
    said = login.old_variable(tokens)
    return {f"login-variable:{login.path}": named(account, said)} if said else {}


def _is_idle(installation: Installation, report: TickReport) -> bool:
    now = installation.clock.now()
    soon = (
        slot
        for one in installation.plan.series
        for slot in slots_between(one.name, one.timetable, now, now + IDLE)
    )
    return not report.due and next(soon, None) is None


def _renew(login: Login, installation: Installation) -> None:
    """Renew in a worker: an interrupt must not cut in between Kakao's answer and the disk."""
    failed: list[KakaocronError] = []

    def renew() -> None:
        try:
            login.renew_ahead()
        except KakaocronError as error:
            failed.append(error)

    workers, clock = installation.engine.workers, installation.clock
    deadline = clock.monotonic() + LONGEST_SECONDS
    task = f"renew {login.path}"
    workers.start(task, renew)
    while task not in workers.wait(max(0.0, deadline - clock.monotonic())):
        if clock.monotonic() >= deadline:
            return
    if failed:
        raise failed[0]


def _ends_soon(account: str, installation: Installation, tokens: Tokens) -> dict[str, str]:
    end = tokens.refresh_expires_at
    if end is None or tokens.is_dead or not tokens.ends_soon(installation.clock.now()):
        return {}
    said = _(
        "The Kakao login ends on {end:%Y-%m-%d} and is not being renewed. Run: kakaocron login"
    ).format(end=end)
    return {f"login-ends:{with_account(account, f'{end:%Y-%m-%d}')}": named(account, said)}
