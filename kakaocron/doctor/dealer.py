"""The dealer of 알림톡: its keys and its clock. Nothing is sent by asking."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

from kakaocron.config.contacts import ALIMTALK
from kakaocron.delivery.tick import LARGEST_CLOCK_ERROR
from kakaocron.delivery.verdicts import Meaning
from kakaocron.doctor.finding import Bench, Finding, fail, installed, ok, warn
from kakaocron.installation import Installation
from kakaocron.language.words import _


def dealer(bench: Bench) -> Iterator[Finding]:
    installation = installed(bench)
    if installation.config.alimtalk is None:
        return
    from kakaocron.alimtalk.causes import in_words  # noqa: PLC0415 - few have a dealer
    from kakaocron.alimtalk.channel import Alimtalk  # noqa: PLC0415

    channel = installation.engine.channels[ALIMTALK]
    assert isinstance(channel, Alimtalk)  # noqa: S101 - its name says so
    name, probe = channel.dealer.name, channel.dealer.probe()
    yield _clock(installation, name, probe.date)
    verdict = probe.verdict
    if verdict.meaning is Meaning.CONFIRMED:
        said = _("{dealer} takes the keys; the sender and the templates show with a message")
        yield ok("alimtalk", said.format(dealer=name))
        return
    what = in_words(verdict.cause) if verdict.cause else _("not checked")
    if verdict.meaning is Meaning.NOT_SENT:
        mend = _("Look at the network, DNS and any proxy")
    else:
        secret = installation.config.alimtalk.secret_name
        mend = _("Fix the keys in [alimtalk] and {name}").format(name=secret)
    yield fail("alimtalk", what, mend)


def _clock(installation: Installation, dealer: str, date: str | None) -> Finding:
    offset = _offset(installation, date)
    if offset is None:
        what = _("not checked: {dealer} has not told its time").format(dealer=dealer)
        return warn("alimtalk-clock", what, _("Try again when it can be reached"))
    seconds = offset.total_seconds()
    if abs(offset) > LARGEST_CLOCK_ERROR:
        what = _("this clock is {seconds:+.0f} s off {dealer}'s").format(
            seconds=seconds, dealer=dealer
        )
        return fail("alimtalk-clock", what, _("Set it: timedatectl set-ntp true"))
    said = _("within {seconds:.0f} s of {dealer}'s")
    return ok("alimtalk-clock", said.format(seconds=abs(seconds), dealer=dealer))


def _offset(installation: Installation, date: str | None) -> timedelta | None:
    try:
        return installation.clock.now() - parsedate_to_datetime(date or "")
    except (ValueError, TypeError):
        return None
