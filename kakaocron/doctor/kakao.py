"""Kakao itself: servers, clock, scopes, receivers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

from kakaocron.config.schema import wanted_scopes
from kakaocron.delivery.tick import LARGEST_CLOCK_ERROR
from kakaocron.doctor.finding import (
    LOG_IN_AGAIN,
    Bench,
    Finding,
    fail,
    installed,
    of_account,
    ok,
    warn,
)
from kakaocron.errors import KakaocronError, UsageError
from kakaocron.installation import Installation
from kakaocron.kakao.account import owner, scopes_of
from kakaocron.kakao.codes import FRIENDS, SENDING, box_of
from kakaocron.kakao.friends import friends_of
from kakaocron.kakao.login import Login
from kakaocron.language.words import _
from kakaocron.states import BY, ME
from kakaocron.system.http import Answer, Failure, Request
from kakaocron.system.proxies import proxy_for

# Kakao itself


def online(bench: Bench) -> Iterator[Finding]:
    installation = installed(bench)
    if not any(login.is_needed for login in installation.logins.values()):
        return
    reached, offset = True, None
    yield _proxy(installation)
    for name, url in _servers(installation):
        answer = installation.login.http.ask(Request(f"{url}/"))
        if isinstance(answer, Failure):
            reached = False
            yield fail(name, f"{url}: {answer.detail}", _("Look at the network, DNS and any proxy"))
        else:
            offset = offset or _offset(installation, answer)
            yield ok(name, _("{url} answers").format(url=url))
    yield _clock(offset)
    if not reached:
        mend = _("Try again when Kakao can be reached")
        for name in ("token-accepted", "scope-message", "scope-friends", "receivers"):
            yield warn(name, _("not checked: Kakao cannot be reached"), mend)
        return
    owners: dict[tuple[str | None, int], str] = {}  # by the app's key and Kakao's number
    for account, login in installation.logins.items():
        if not login.is_needed:
            continue
        yield from of_account(account, _account(installation, account, login, owners))


def _servers(installation: Installation) -> Iterator[tuple[str, str]]:
    """Yield the servers of all accounts, each once."""
    config = installation.config
    found = [config.kakao_of(account) for account in installation.logins]
    for name, urls in (
        ("kauth", [one.auth_url for one in found]),
        ("kapi", [one.api_url for one in found]),
    ):
        yield from ((name, url) for url in dict.fromkeys(urls))


def _account(
    installation: Installation,
    account: str,
    login: Login,
    owners: dict[tuple[str | None, int], str],
) -> Iterator[Finding]:
    api_url = installation.config.kakao_of(account).api_url
    try:
        token = login.access_token()
        id_ = owner(login.http, api_url, token)
        yield ok("token-accepted", _("by Kakao, for account {id}").format(id=id_))
        key = (login.credentials.rest_api_key, id_ or 0)
        if id_ is not None and owners.setdefault(key, account) != account:
            other = owners[key] or ME
            what = _("'{other}' is logged in as the same Kakao account").format(other=other)
            yield fail("login-person", what, LOG_IN_AGAIN)
        yield from _scopes(installation, account, login, token)
        yield _receivers(installation, account, login, token)
    except KakaocronError as error:
        yield fail("token-accepted", error.what, error.mend or LOG_IN_AGAIN)


def _proxy(installation: Installation) -> Finding:
    variables = installation.places.variables
    try:
        proxies = {proxy_for(url, variables) for _name, url in _servers(installation)} - {None}
    except UsageError as error:
        return fail(
            "proxy", str(error), _("Unset it, or put another into the `.env`: docs/set-up.md")
        )
    if not proxies:
        return ok("proxy", _("none on the way to Kakao"))
    return ok(
        "proxy",
        _("requests to Kakao go through {proxies}").format(
            proxies=", ".join(sorted(map(str, proxies)))
        ),
    )


def _offset(installation: Installation, answer: Answer) -> timedelta | None:
    try:
        return installation.clock.now() - parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError, TypeError):
        return None


def _clock(offset: timedelta | None) -> Finding:
    if offset is None:
        mend = _("Try again when Kakao can be reached")
        return warn("clock", _("not checked: no server has told its time"), mend)
    seconds = offset.total_seconds()
    if abs(offset) > LARGEST_CLOCK_ERROR:
        what = _("this clock is {seconds:+.0f} s off Kakao's").format(seconds=seconds)
        return fail("clock", what, _("Set it: timedatectl set-ntp true"))
    return ok("clock", _("within {seconds:.0f} s of Kakao's").format(seconds=abs(seconds)))


def _scopes(
    installation: Installation, account: str, login: Login, token: str
) -> Iterator[Finding]:
    agreed = scopes_of(login.http, installation.config.kakao_of(account).api_url, token)
    wanted = wanted_scopes(installation.config, account)
    for name, scope in (("scope-message", SENDING), ("scope-friends", FRIENDS)):
        if agreed.get(scope):
            yield ok(name, _("the account has agreed to {scope}").format(scope=scope))
        elif scope not in wanted:
            yield ok(name, _("{scope} is not needed").format(scope=scope))
        elif scope in agreed:
            mend = _("Tick {box}: kakaocron login").format(box=box_of([scope]))
            yield fail(name, _("the account has not agreed to {scope}").format(scope=scope), mend)
        else:
            mend = _(
                "Switch it on: console, [Kakao Login] > [Consent items]; then: kakaocron login"
            )
            yield fail(name, _("the app does not ask for {scope}").format(scope=scope), mend)


def _receivers(installation: Installation, account: str, login: Login, token: str) -> Finding:
    config = installation.config
    receivers = {receiver for one in config.series() for receiver in one.to}
    wanted = {
        one.partition(BY)[0] for one in receivers if config.contacts.sender_of(one) == account
    }
    if not wanted:
        return ok("receivers", _("yourself"))
    found = {f.uuid: f for f in friends_of(login.http, config.kakao_of(account).api_url, token)}
    unknown = sorted(wanted - found.keys())
    refusing = sorted(uuid for uuid in wanted & found.keys() if not found[uuid].is_allowed)
    if unknown:
        mend = _("See who is: kakaocron friends. A receiver must be a friend, and use the app too")
        return fail(
            "receivers",
            _("not among the friends: {unknown}").format(unknown=", ".join(unknown)),
            mend,
        )
    if refusing:
        what = _("refuse messages: {refusing}").format(refusing=", ".join(refusing))
        return fail("receivers", what, _("They allow it in KakaoTalk's settings"))
    return ok("receivers", _("{count} friends, all allow messages").format(count=len(wanted)))
