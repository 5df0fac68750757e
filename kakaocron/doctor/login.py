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

# The login


def login(bench: Bench) -> Iterator[Finding]:
    for account, login in installed(bench).logins.items():
        yield from of_account(account, _login(bench, login))


def _login(bench: Bench, login: Login) -> Iterator[Finding]:
    key, client_secret = login.credentials.rest_api_key, login.credentials.client_secret
    if key:
        yield ok("rest-api-key", "there")
    else:
        mend = "Set rest_api_key in [kakao]: console, [App] > [Platform key] > [REST API key]"
        yield fail("rest-api-key", "none", mend)
    try:
        tokens = login.read()
    except LoginError as error:
        yield fail("login", error.what, UPGRADE if error.mend == UPGRADE else LOG_IN_AGAIN)
        return
    yield _client_secret(client_secret is not None, tokens)
    if login.credentials.access_token:
        what = "KAKAO_ACCESS_TOKEN is used as it is: it dies within hours and is not renewed"
        yield fail("access-token", what, f"Unset it. {LOG_IN}")
        return
    yield _login_finding(tokens)
    if key and tokens.client_id not in {None, key}:
        what = "the login was made with another REST API key than is configured now"
        yield fail("login-key", what, LOG_IN_AGAIN)
    elif tokens.refresh_token:
        yield ok("login-key", "the login belongs to this key")
    yield _access_token(tokens, bench.now)
    yield _days_left(tokens, bench.now)
    if tokens.refresh_token:
        yield _renewed(tokens, bench.now)
    mode = bench.machine.mode(login.path)
    if mode is not None and mode & OTHERS:
        mend = f"Make it private: chmod 600 {shlex.quote(login.path)}"
        yield fail("token-mode", "the token file can be read by others", mend)
    else:
        yield ok("token-mode", "the token file is private" if mode else "no token file yet")


def _client_secret(is_there: bool, tokens: Tokens) -> Finding:
    page = "console, [App] > [Platform key] > [REST API key] > client secret"
    if tokens.refused == "KOE010":
        return fail("client-secret", "Kakao says that it is wrong or missing (KOE010)", page)
    if is_there:
        return ok("client-secret", "there")
    return ok("client-secret", f"none; right only if it is switched off: {page}")


def _login_finding(tokens: Tokens) -> Finding:
    if tokens.is_dead:
        return fail("login", f"Kakao has ended it ({tokens.refused})", LOG_IN_AGAIN)
    if tokens.refresh_token is None:
        return fail("login", "not logged in", LOG_IN_AGAIN)
    if tokens.refused:
        until = f"{tokens.refused_until:%H:%M:%S}" if tokens.refused_until else "later"
        what = f"Kakao refused the last renewal ({tokens.refused}); the next try is at {until}"
        return warn("login", what, "Wait; if it stays so, see: kakaocron login")
    return ok("login", "there")


def _access_token(tokens: Tokens, now: datetime) -> Finding:
    end = tokens.access_expires_at
    if tokens.is_fresh(now) and end:
        return ok("access-token", f"good until {end:%m-%d %H:%M}; renewed in time")
    what = "none that is good now; the next tick gets one"
    return (
        ok("access-token", what)
        if tokens.refresh_token
        else fail("access-token", "none", LOG_IN_AGAIN)
    )


def _days_left(tokens: Tokens, now: datetime) -> Finding:
    end = tokens.refresh_expires_at
    if end is None:
        return ok("login-days", "not known until Kakao renews the refresh token")
    days = (end - now).days
    if days < 0:
        return fail("login-days", f"the login ended on {end:%Y-%m-%d}", LOG_IN_AGAIN)
    if days < WARNING_DAYS:
        what = f"the login ends in {days} days; Kakao renews it in its last month, and did not"
        return warn("login-days", what, LOG_IN_AGAIN)
    return ok("login-days", f"{days} more, and it is renewed in its last month")


def _renewed(tokens: Tokens, now: datetime) -> Finding:
    at = tokens.refreshed_at
    if at and now - at > RENEWED_EVERY + timedelta(days=1):
        what = f"the token was last renewed on {at:%Y-%m-%d}"
        return warn("renewal", what, "Ticks renew it: kakaocron cron install")
    return ok("renewal", f"last on {at:%Y-%m-%d %H:%M}" if at else "not yet")
