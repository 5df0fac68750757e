"""The configuration and what it asks for."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from msgspec.structs import replace

from kakaocron.config.contacts import is_room
from kakaocron.config.reading import MAKE_ONE, located
from kakaocron.config.schema import Config, KakaoSettings, Message, wanted_scopes
from kakaocron.config.starter import DEFAULT_LINK
from kakaocron.doctor.cron import crons_variables
from kakaocron.doctor.finding import OTHERS, Bench, Finding, fail, installed, of_account, ok, warn
from kakaocron.errors import ContentError, KakaocronError, UsageError
from kakaocron.installation import Installation, make_http
from kakaocron.kakao.quota import BEFORE_PERMISSION
from kakaocron.kst import DAY, KST
from kakaocron.language import catalogue
from kakaocron.language.choice import AUTO, CHOICES, VARIABLE, chosen_language
from kakaocron.language.words import _
from kakaocron.ledger.deliveries import Delivery
from kakaocron.ledger.lookup import deliveries_of
from kakaocron.ledger.stats import slots_on
from kakaocron.messages.faults import faults, quota_faults
from kakaocron.messages.making import Contents
from kakaocron.schedule.slots import HORIZON, Slot, next_slot
from kakaocron.states import BAD, FINAL, ME, Reason, State
from kakaocron.system.env_file import passed_over
from kakaocron.system.log import LEVELS, known_level
from kakaocron.system.places import env_file_passed_over, only_in_shell
from kakaocron.system.programs import USUAL, Programs, which
from kakaocron.text.phones import is_number
from kakaocron.watching.causes import in_words
from kakaocron.watching.health import newest_of_each
from kakaocron.watching.sentences import detail_of

ENDED = (FINAL | {State.SENT, State.RETRYING}) - {State.CANCELLED}
NOT_MADE = frozenset({Reason.CONTENT_FAILED, Reason.RETRIES_SPENT, Reason.EXPIRED})
WANTED = frozenset({Reason.PAUSED, Reason.QUIET, Reason.DAY_OFF})

# The configuration and what it asks for


def configuration(bench: Bench) -> Iterator[Finding]:
    places = bench.places
    if bench.config_error:
        is_there = os.path.lexists(places.config)
        mend = _("Fix it: kakaocron config check") if is_there else MAKE_ONE
        yield fail("config", bench.config_error.what, bench.config_error.mend or mend)
    else:
        yield ok("config", _("'{config}' is read and sound").format(config=places.config))
    if bench.refusal:
        yield fail("installation", bench.refusal.what, bench.refusal.mend)
    elif not bench.config_error:
        yield ok(
            "installation",
            _("'{data}' is this configuration's data folder").format(data=places.data),
        )
    yield _passed_over(bench)
    for name, path in (("config-mode", places.config), ("env-mode", places.env_file)):
        mode = bench.machine.mode(str(path))
        if mode is not None and mode & OTHERS:
            mend = _("Make it private: chmod 600 {path}").format(path=shlex.quote(str(path)))
            yield warn(
                name,
                _("'{path}' can be read by others, and may hold secrets").format(path=path),
                mend,
            )
        else:
            yield ok(
                name,
                _("'{path}' is private").format(path=path)
                if mode is not None
                else _("no '{path}'").format(path=path),
            )
    yield _env_lines(places.env_file)
    yield _log_level(places.variables.get("LOG_LEVEL") or "INFO")
    yield _language(bench)
    names: list[str] = []
    with suppress(UsageError):  # a `.env` that cannot be read has been told of above
        names = only_in_shell(places)
    if names:
        yield warn(
            "environment",
            _("{names}: set in this shell only; cron does not have it").format(
                names=", ".join(names)
            ),
            _("Put it into '{env_file}', which every tick reads").format(env_file=places.env_file),
        )
    else:
        yield ok("environment", _("no secret, proxy or certificate depends on this shell"))


def _passed_over(bench: Bench) -> Finding:
    places, name = bench.places, "env-file"
    beside = env_file_passed_over(places)
    if beside is None:
        return ok(
            name, _("'{env_file}' is where a .env is looked for").format(env_file=places.env_file)
        )
    what = _(
        "'{beside}' is not read: '{config}' is a link, and the real file's folder counts"
    ).format(beside=beside, config=places.config)
    return warn(
        name,
        what,
        _("Move what is needed to '{env_file}', and remove the other").format(
            env_file=places.env_file
        ),
    )


def _env_lines(path: Path) -> Finding:
    """Name the lines of the `.env` that are no statements: python-dotenv passes them over too."""
    name = "env-lines"
    try:
        lines = passed_over(str(path))
    except UsageError as error:
        return fail(name, str(error), _("Fix the line, or take it out"))
    if lines:
        numbers = ", ".join(map(str, lines[:5])) + (" …" if len(lines) > 5 else "")  # noqa: PLR2004
        what = _("'{path}' has lines that are not of the form NAME=value: {numbers}").format(
            path=path, numbers=numbers
        )
        return warn(name, what, _("They are passed over. Fix them, or begin them with #"))
    return ok(name, _("every line of the .env is understood"))


def _log_level(word: str) -> Finding:
    if level := known_level(word):
        return ok("log-level", level)
    what = _("LOG_LEVEL is '{word}', which is none of {levels}; INFO holds").format(
        word=word, levels=", ".join(LEVELS)
    )
    return warn("log-level", what, _("Set LOG_LEVEL to one of them, or unset it"))


def _language(bench: Bench) -> Finding:
    variables, here = bench.places.variables, bench.installation
    word = variables.get(VARIABLE) or AUTO
    if word not in CHOICES:
        what = _("KAKAOCRON_LANGUAGE is '{word}', which is none of {choices}; it counts as none")
        mend = _("Set KAKAOCRON_LANGUAGE to one of them, or unset it")
        return warn("language", what.format(word=word, choices=", ".join(CHOICES)), mend)
    configured = here.config.language if here else None
    shells = chosen_language(variables, configured)
    ticks = chosen_language(crons_variables(bench), configured)
    if "ko" in {shells, ticks} and not catalogue.is_sound():
        what = _("'{path}' is missing or broken, so that all is said in English")
        mend = _("Install kakaocron again")
        return warn("language", what.format(path=catalogue.FOLDER / catalogue.NAME), mend)
    if shells == ticks:
        return ok("language", ticks)
    what = _("this shell speaks '{shells}', the ticks and their alarms '{ticks}': cron has no LANG")
    mend = _('Write language = "{shells}" at the top of config.toml')
    return warn("language", what.format(shells=shells, ticks=ticks), mend.format(shells=shells))


def plan(bench: Bench) -> Iterator[Finding]:
    installation = installed(bench)
    config = installation.config
    if not config.message:
        yield fail("messages", _("no message is configured"), _("Add a [[message]] to config.toml"))
    else:
        yield ok("messages", _("{count} configured").format(count=len(config.message)))
    deliveries = _of_two_days(installation, bench.now)
    yield from _contents(bench, deliveries)
    yield _last_slots(deliveries)
    yield _next_slot(bench, installation)
    yield from _holidays(bench, installation)
    yield _link(config.kakao)
    yield from _domains(config)
    yield _server(config.kakao)
    yield from _of_accounts(config)
    yield _me(config)
    too_many = quota_faults(config, bench.now.date())
    if too_many:
        yield fail("quota", " · ".join(too_many), _("Fewer slots, or other receivers"))
    else:
        yield ok("quota", _("the plan fits Kakao's daily quotas"))
    yield _permission(config)
    yield _alerts(config)
    if config.delivery.on_unknown == "resend":
        what = _('[delivery] on_unknown = "resend": what Kakao did not confirm may arrive twice')
        yield warn("on-unknown", what, _('Set it to "hold" for: never twice'))
    else:
        yield ok("on-unknown", _("what Kakao did not confirm is not sent twice"))
    if config.schedule.early_start:
        yield ok("early-start", _("slots are prepared a minute ahead and leave on the second"))
    else:
        what = _("slots leave when cron's tick has started, a second or so after the minute")
        yield ok(
            "early-start",
            _("{what}; [schedule] early_start = true is more exact").format(what=what),
        )


def _contents(bench: Bench, deliveries: Sequence[Delivery]) -> Iterator[Finding]:
    """Make each message as cron's next tick would, by running its command."""
    name, config, variables = "contents", installed(bench).config, crons_variables(bench)
    contents = contents_by_cron(bench, variables)
    differing = other_programs(bench, config.message, variables)
    if differing:
        mend = _("Give the program's absolute path, so that both run the same")
        yield warn("programs", " · ".join(differing), mend)
    else:
        yield ok("programs", _("cron finds the same programs as this shell"))
    for keys, fault in faults(contents, variables.get("PATH")):
        what = str(located(bench.places.config, keys, fault))
        yield fail(name, what, _("Fix it, then: kakaocron config check"))
        return
    minute = bench.now.replace(second=0, microsecond=0)
    totals = slots_on(deliveries, minute.date())
    read: list[str] = []
    for message in config.message:
        kind = message.slots[0] if message.slots else "cron"
        try:
            made = contents.of_message(message, Slot(message.name, minute, kind), totals)
            read += [in_words(made.read)] if made.read else []
        except ContentError as error:
            what = _("message '{name}', made as cron would: {error}").format(
                name=message.name, error=error
            )
            yield fail(
                name,
                what,
                _("Try it: kakaocron preview --message {name}").format(name=message.name),
            )
            return
        if made.enclosure and (cause := made.enclosure.left_out):
            what = _("message '{name}' goes without its picture: {why}").format(
                name=message.name, why=in_words(cause)
            )
            yield warn(
                name, what, _("See: kakaocron preview --message {name}").format(name=message.name)
            )
            return
    if read:
        yield ok("data", " · ".join(read))
    newest = list(newest_of_each(one for one in deliveries if one.state in ENDED))
    last = [
        one for one in newest if one.state in BAD and one.text is None and one.reason in NOT_MADE
    ]
    bare = [one for one in newest if one.reason is Reason.PICTURE_LEFT_OUT]
    if bare:
        what = _("{id} went without its picture: {why}").format(
            id=bare[0].id, why=detail_of(bare[0])
        )
        yield warn(name, what, _("See: kakaocron show {id}").format(id=bare[0].id))
    elif last:
        why = detail_of(last[0]) or _("it failed")
        what = _("made as cron would now, but not for {id}: {why}").format(id=last[0].id, why=why)
        yield warn(name, what, _("See: kakaocron show {id}").format(id=last[0].id))
    else:
        yield ok(name, _("every message can be made as cron makes it"))


def _of_two_days(installation: Installation, now: datetime) -> Sequence[Delivery]:
    """Return the deliveries of today and yesterday, none where the ledger cannot be read."""
    configured = {message.name for message in installation.config.message}
    try:
        days = [deliveries_of(installation.ledger, day) for day in (now.date() - DAY, now.date())]
    except KakaocronError:  # told elsewhere
        return []
    return [one for day in days for one in day if one.message in configured]


def contents_by_cron(bench: Bench, variables: Mapping[str, str]) -> Contents:
    """Return the messages' contents as cron's ticks make them: with cron's variables, not this
    shell's."""
    places, here = replace(bench.places, variables=variables), installed(bench)
    by_cron = partial(make_http, places, here.edges)
    return replace(here.contents, programs=Programs(variables), make_http=by_cron)


def other_programs(
    bench: Bench, messages: Sequence[Message], variables: Mapping[str, str]
) -> list[str]:
    """Say of each message's program if this shell finds another one than cron does by its
    variables."""
    here, cron = bench.places.variables.get("PATH"), variables.get("PATH")
    commands = ((one.command, one.data_command, one.image_command) for one in messages)
    names = {argv[0] for several in commands for argv in several if argv}
    said = []
    for name in sorted(name for name in names if "/" not in name):
        by_shell, by_cron = (which(name, path or USUAL["PATH"]) for path in (here, cron))
        if by_shell and by_shell != by_cron:
            there = f"'{by_cron}'" if by_cron else _("not to be found")
            said.append(
                _("'{name}' is '{by_shell}' in this shell, and {there} for cron ({cron})").format(
                    name=name, by_shell=by_shell, there=there, cron=cron
                )
            )
    return said


def _last_slots(deliveries: Sequence[Delivery]) -> Finding:
    """Show how each message's last slot ended, if it was not delivered."""
    ended = [one for one in deliveries if one.state in ENDED]
    bad = [one for one in newest_of_each(ended) if one.state in BAD and one.reason not in WANTED]
    if not bad:
        return ok("last-slots", _("the last slot of no message failed"))
    said = [
        f"{one.id} {one.state}" + "".join(f", {why}" for why in (one.reason, detail_of(one)) if why)
        for one in bad
    ]
    return warn("last-slots", " · ".join(said), _("See: kakaocron show {id}").format(id=bad[0].id))


def _next_slot(bench: Bench, installation: Installation) -> Finding:
    found = [next_slot(one.name, one.timetable, bench.now) for one in installation.plan.series]
    slots = [slot for slot in found if slot]
    if not slots:
        mend = _("Look at days, quiet and the minutes in [schedule]; kakaocron next names the days")
        return fail("next-slot", _("no slot is due within a year"), mend)
    return ok("next-slot", _("{at:%Y-%m-%d %H:%M} KST").format(at=min(slot.at for slot in slots)))


def _holidays(bench: Bench, installation: Installation) -> Iterator[Finding]:
    """Look whether a slot of the coming year lies past the end of the list of holidays, where a
    message skips them."""
    name = "holidays"
    series = {one.name: one for one in installation.plan.series}
    skipping = [series[one.name] for one in installation.config.message if one.skip_holidays]
    if not skipping:
        return
    from kakaocron.schedule.holidays import last_year  # noqa: PLC0415 - an extra

    year = last_year()
    past = datetime(year + 1, 1, 1, tzinfo=KST) - timedelta.resolution
    found = [next_slot(one.name, one.timetable, max(past, bench.now)) for one in skipping]
    slots = [slot for slot in found if slot and slot.at <= bench.now + HORIZON]
    if not slots:
        yield ok(name, _("known until {year}").format(year=year))
        return
    what = _("{day:%Y-%m-%d}: the list of holidays ends with {year}").format(
        day=min(slot.at for slot in slots), year=year
    )
    yield warn(
        name, what, _("From then on no day is skipped. A newer list: pip install -U holidays")
    )


def _link(kakao: KakaoSettings) -> Finding:
    domain = urlsplit(kakao.link).netloc
    if kakao.link == DEFAULT_LINK:
        what = _("link is the default one; a tap on a message leads to Kakao's developer pages")
        return warn("link", what, _("Set link in [kakao] to a page of yours"))
    return ok(
        "link",
        _(
            "{domain}; no API tells whether it is registered. If a tap does nothing: "
            "console, [App] > [Product Link] > web domain"
        ).format(domain=domain),
    )


def _of_accounts(config: Config) -> Iterator[Finding]:
    """Look at what accounts have that [kakao] has not."""
    usual = config.kakao
    for account in config.account:
        own = config.kakao_of(account)
        if own.link != usual.link:
            yield from of_account(account, [_link(own)])
        if (own.api_url, own.auth_url) != (usual.api_url, usual.auth_url):
            yield from of_account(account, [_server(own)])


def _domains(config: Config) -> Iterator[Finding]:
    """Name the domains to which messages lead beside [kakao] link; each has to be registered, as
    scheme and host, or a tap does nothing, of which Kakao's answer says nothing."""
    urls = [url for message in config.message for url in _links_of(message)]
    known = _domain(config.kakao.link)
    domains = [one for one in dict.fromkeys(map(_domain, urls)) if one != known]
    if domains:
        what = _(
            "{domains}: messages lead there, and no API tells whether they are registered. If a "
            "tap does nothing: console, [App] > [Product Link] > web domain"
        )
        yield ok("domains", what.format(domains=", ".join(domains)))


def _domain(url: str) -> str:
    scheme, _sep, rest = url.partition("://")
    return f"{scheme}://{re.split('[/?#]', rest)[0]}" if rest else url


def _links_of(message: Message) -> Iterator[str]:
    if message.link is not None:
        yield message.link
    yield from (one.link for one in message.buttons)
    yield from _web_urls(message.template)


def _web_urls(value: object) -> Iterator[str]:
    """Yield the addresses in the links of a template."""
    if isinstance(value, dict):
        for key, one in value.items():
            is_link = key in {"web_url", "mobile_web_url"} and isinstance(one, str)
            yield from [one] if is_link else _web_urls(one)
    elif isinstance(value, list):
        for one in value:
            yield from _web_urls(one)


def _server(kakao: KakaoSettings) -> Finding:
    standard = KakaoSettings()
    if (kakao.api_url, kakao.auth_url) == (standard.api_url, standard.auth_url):
        return ok("servers", _("Kakao's own"))
    what = _("api_url is {api_url}, auth_url is {auth_url}: a rehearsal, not Kakao").format(
        api_url=kakao.api_url, auth_url=kakao.auth_url
    )
    return warn("servers", what, _("For real messages take both out of [kakao]"))


def _me(config: Config) -> Finding:
    receivers = {one for message in config.message for one in config.contacts.receivers(message.to)}
    if receivers and all(map(is_room, receivers)):
        return ok("me", _("messages go to rooms; Kakao does not say whether they make a sound"))
    if receivers and all(is_number(one) or is_room(one) for one in receivers):
        return ok("me", _("messages go to phones and rooms"))
    if receivers.isdisjoint({ME, *config.account}):
        return ok("me", _("messages go to friends, whose phones ring"))
    if config.monitor.urls_elsewhere:
        return ok("me", _("KakaoTalk makes no sound for them; alert_urls can tell of failures"))
    return warn(
        "me",
        _("KakaoTalk makes no sound and shows no push for a message to yourself"),
        _(
            "Two ways out: log in with a second Kakao account and send to your real one as a "
            "friend (kakaocron friends), or be told by another service: alert_urls in [monitor]"
        ),
    )


def _permission(config: Config) -> Finding:
    if not any("friends" in wanted_scopes(config, one) for one in ("", *config.account)):
        return ok("permission", _("messages to oneself need no permission of Kakao's"))
    return warn(
        "permission",
        _(
            "before Kakao's permission messages to friends reach members of the app only, "
            "and (reported) {most} a day"
        ).format(most=BEFORE_PERMISSION),
        _("Add each receiver: console, [App] > [Members]"),
    )


def _alerts(config: Config) -> Finding:
    monitor = config.monitor
    if not monitor.tells_somebody:
        return warn(
            "alerts",
            _("nobody is told when KakaoTalk itself is broken"),
            _("Set ping_url, alert_urls or alert_command in [monitor]"),
        )
    if not (monitor.ping_url or monitor.tells_elsewhere):
        return warn(
            "alerts",
            _("alert_urls lead to KakaoTalk alone, and nobody is told when KakaoTalk is broken"),
            _("Add another service to them, or set ping_url or alert_command in [monitor]"),
        )
    if monitor.alert_urls and find_spec("apprise") is None:
        mend = _("Install it: pip install 'kakaocron[alerts]'")
        return fail("alerts", _("alert_urls need Apprise, which is not installed"), mend)
    return ok("alerts", _("a failure is told by another way than KakaoTalk"))
