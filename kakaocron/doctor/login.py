"""The login."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime, timedelta

from kakaocron.doctor.finding import (
    LOG_IN_AGAIN,
    OTHERS,
    Bench,
    Finding,
    fail,
    installed,
    of_account,
    ok,
    warn,
)
from kakaocron.errors import UPGRADE, LoginError
from kakaocron.kakao.causes import LOG_IN
from kakaocron.kakao.login import Login
from kakaocron.kakao.tokens import RENEWED_EVERY, WARNING_DAYS, Tokens
from kakaocron.language.words import _

# The login


def login(bench: Bench) -> Iterator[Finding]:
    for account, login in installed(bench).logins.items():
        if login.is_needed:
            yield from of_account(account, _login(bench, login))
        else:
            yield ok("login", _("not needed: no message goes by it"))


def _login(bench: Bench, login: Login) -> Iterator[Finding]:
    key, client_secret = login.credentials.rest_api_key, login.credentials.client_secret
    if key:
        yield ok("rest-api-key", _("there"))
    else:
        mend = _("Set rest_api_key in [kakao]: console, [App] > [Platform key] > [REST API key]")
        yield fail("rest-api-key", _("none"), mend)
    try:
        tokens = login.read()
    except LoginError as error:
        is_later = error.cause.code == "later-login-file"
        yield fail("login", error.what, UPGRADE if is_later else LOG_IN_AGAIN)
        return
    yield _client_secret(client_secret is not None, tokens)
    if login.credentials.access_token:
        what = _("KAKAO_ACCESS_TOKEN is used as it is: it dies within hours and is not renewed")
        yield fail("access-token", what, _("Unset it. {log_in}").format(log_in=_(LOG_IN)))
        return
    yield _login_finding(tokens)
    if key and tokens.client_id not in {None, key}:
        what = _("the login was made with another REST API key than is configured now")
        yield fail("login-key", what, LOG_IN_AGAIN)
    elif tokens.refresh_token:
        yield ok("login-key", _("the login belongs to this key"))
    yield _access_token(tokens, bench.now)
    yield _days_left(tokens, bench.now)
    if tokens.refresh_token:
        yield _renewed(tokens, bench.now)
    mode = bench.machine.mode(login.path)
    if mode is not None and mode & OTHERS:
        mend = _("Make it private: chmod 600 {path}").format(path=shlex.quote(login.path))
        yield fail("token-mode", _("the token file can be read by others"), mend)
    else:
        yield ok("token-mode", _("the token file is private") if mode else _("no token file yet"))


def _client_secret(is_there: bool, tokens: Tokens) -> Finding:
    page = _("console, [App] > [Platform key] > [REST API key] > client secret")
    if tokens.refused == "KOE010":
        return fail("client-secret", _("Kakao says that it is wrong or missing (KOE010)"), page)
    if is_there:
        return ok("client-secret", _("there"))
    return ok(
        "client-secret", _("none; right only if it is switched off: {page}").format(page=page)
    )


def _login_finding(tokens: Tokens) -> Finding:
    if tokens.is_dead:
        return fail(
            "login",
            _("Kakao has ended it ({refused})").format(refused=tokens.refused),
            LOG_IN_AGAIN,
        )
    if tokens.refresh_token is None:
        return fail("login", _("not logged in"), LOG_IN_AGAIN)
    if tokens.refused:
        until = f"{tokens.refused_until:%H:%M:%S}" if tokens.refused_until else "later"
        what = _("Kakao refused the last renewal ({refused}); the next try is at {until}").format(
            refused=tokens.refused, until=until
        )
        return warn("login", what, _("Wait; if it stays so, see: kakaocron login"))
    return ok("login", _("there"))


def _access_token(tokens: Tokens, now: datetime) -> Finding:
    end = tokens.access_expires_at
    if tokens.is_fresh(now) and end:
        return ok(
            "access-token", _("good until {end:%m-%d %H:%M}; renewed in time").format(end=end)
        )
    what = _("none that is good now; the next tick gets one")
    return (
        ok("access-token", what)
        if tokens.refresh_token
        else fail("access-token", _("none"), LOG_IN_AGAIN)
    )


def _days_left(tokens: Tokens, now: datetime) -> Finding:
    end = tokens.refresh_expires_at
    if end is None:
        return ok("login-days", _("not known until Kakao renews the refresh token"))
    days = (end - now).days
    if days < 0:
        return fail(
            "login-days", _("the login ended on {end:%Y-%m-%d}").format(end=end), LOG_IN_AGAIN
        )
    if days < WARNING_DAYS:
        what = _(
            "the login ends in {days} days; Kakao renews it in its last month, and did not"
        ).format(days=days)
        return warn("login-days", what, LOG_IN_AGAIN)
    return ok("login-days", _("{days} more, and it is renewed in its last month").format(days=days))


def _renewed(tokens: Tokens, now: datetime) -> Finding:
    at = tokens.refreshed_at
    if at and now - at > RENEWED_EVERY + timedelta(days=1):
        what = _("the token was last renewed on {at:%Y-%m-%d}").format(at=at)
        return warn("renewal", what, _("Ticks renew it: kakaocron cron install"))
    return ok("renewal", _("last on {at:%Y-%m-%d %H:%M}").format(at=at) if at else _("not yet"))
