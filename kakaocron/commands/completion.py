"""What the shell offers after TAB: nothing where nothing can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from kakaocron.commands.lazy import typer
from kakaocron.delivery.orders import RETRYABLE, WAITING
from kakaocron.errors import KakaocronError
from kakaocron.installation import Installation, find_installation
from kakaocron.kst import DAY
from kakaocron.ledger.lookup import recent
from kakaocron.states import State
from kakaocron.watching.coming import coming

DAYS = 7
SLOTS = 20

Offer = tuple[str, str]  # the word, and what the shells that can show beside it
Offers = Callable[[typer.Context, str], list[Offer]]


def _offered(of: Callable[[Installation], Iterable[Offer]]) -> Offers:
    """Make a completion of what an installation has, in its order."""

    def offers(context: typer.Context, incomplete: str) -> list[Offer]:
        found: Iterable[Offer] = ()
        with suppress(KakaocronError):  # whoever runs the command is told
            found = of(find_installation(context.params.get("config")))
        return [one for one in dict(found).items() if one[0].startswith(incomplete)]

    return offers


def _ids(installation: Installation, states: frozenset[State]) -> list[Offer]:
    today = installation.clock.now().date()
    return [
        (one.id, one.state.spoken)
        for one in reversed(recent(installation.ledger, today, DAYS, states))
    ]


def _waiting(installation: Installation) -> list[Offer]:
    seen = installation.snapshot_ahead()
    yesterday = seen.now.date() - DAY
    known = [one for day in seen.view.days if day >= yesterday for one in seen.on(day)]
    waiting = [(one.id, one.state.spoken) for one in known if one.state in WAITING]
    following = coming(seen, installation.plan.series, installation.config, SLOTS)
    return [*waiting, *((one.id, one.why) for one in following)]


def _messages(installation: Installation) -> list[Offer]:
    return [(one.name, "") for one in installation.config.message]


def _receivers(installation: Installation) -> list[Offer]:
    contacts = installation.config.contacts
    groups = [(name, ", ".join(members)) for name, members in contacts.groups.items()]
    rooms = [(name, "") for name in contacts.rooms]
    named = (*contacts.friends.items(), *contacts.phones.items())
    return [("me", ""), *named, *_accounts(installation), *groups, *rooms]


def _accounts(installation: Installation) -> list[Offer]:
    return [(name, "") for name in installation.config.account]


ids = _offered(partial(_ids, states=frozenset()))
bad_ids = _offered(partial(_ids, states=RETRYABLE))
unknown_ids = _offered(partial(_ids, states=frozenset({State.UNKNOWN})))
waiting_ids = _offered(_waiting)
messages = _offered(_messages)
receivers = _offered(_receivers)
accounts = _offered(_accounts)
