"""Many histories: configurations and dials drawn by seed, run one after the other."""

from __future__ import annotations

import dataclasses
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from msgspec.structs import replace

from kakaocron.config.reading import parse_config
from kakaocron.config.schema import Config
from kakaocron.language.words import _
from kakaocron.rehearsal.sandbox.settings import Settings
from kakaocron.rehearsal.simulation.chaos import BY_HAND, LOGINS_DIE, dials_for
from kakaocron.rehearsal.simulation.dealer import DIALS, DealerWorld
from kakaocron.rehearsal.simulation.rules import pictured, probing, with_accounts, with_rooms
from kakaocron.rehearsal.simulation.world import HistoryResult, SoFar, World
from kakaocron.text.causes import Templates

_APP = Settings()
_HEAD = f'[kakao]\nrest_api_key = "{_APP.rest_api_key}"\nclient_secret = "{_APP.client_secret}"\n'
_REPORT = '[[message]]\nname = "report"\nslots = ["regular", "peak"]\ntext = "x"\n'
_MORE = (
    '[[message]]\nname = "orders"\nslots = ["peak"]\ntext = "x"\n'
    'to = ["me", "uuid-a", "uuid-b", "uuid-c", "uuid-d", "uuid-e", "uuid-f"]\n'
)
_OFTEN = (
    "[schedule]\nregular_minutes = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55]\n"
    "peak_minutes = [0, 3, 6, 9]\n"
)
_QUIET = '[schedule]\nquiet = ["23:00-06:30", "12:10-12:40"]\ndays = ["mon", "wed", "sat", "sun"]\n'
_SHORT = "[delivery]\nexpire_after = 90\nretry_delays = [5, 10]\nmax_retries = 2\n"
_LONG = '[monitor]\nalert_command = ["tell"]\n[delivery]\nexpire_after = 3600\n'
_RESEND = 'on_unknown = "resend"\n'
_PLAIN = "[delivery]\n"
SHORT_SECONDS = 90


@cache
def _configs() -> tuple[tuple[Config, ...], ...]:
    """Return groups of configurations between which a history's user may change."""
    texts: list[list[str]] = []
    for rules in (_PLAIN, _SHORT, _LONG):
        for unknown in ("", "", _RESEND):
            texts.append([rules + unknown + _REPORT, rules + unknown + _OFTEN + _REPORT + _MORE])
            texts.append([rules + unknown + _OFTEN + _REPORT, rules + unknown + _QUIET + _REPORT])
    return tuple(
        tuple(probing(parse_config(_HEAD + text, "simulated")) for text in group) for group in texts
    )


@cache
def _configs_of_hosts() -> tuple[tuple[Config, ...], ...]:
    """Return the groups, those half as often of which a tick of several hosts never leaves at once:
    they cost the most."""
    often = [group for group in _configs() if group[0].delivery.expire_after > SHORT_SECONDS]
    return (*_configs(), *often)


def play(
    seed: int,
    minutes: int,
    config: Config | None = None,
    on_progress: Callable[[SoFar], None] | None = None,
) -> HistoryResult:
    """Play the history that a seed stands for: on the user's configuration, or on a drawn one.

    `on_progress` is called once a simulated minute, from any thread.
    """
    rng = random.Random(f"history {seed}")  # noqa: S311 - to be replayed, no secret
    has_two = config is None and has_accounts(seed)
    by_hand = BY_HAND if has_a_person(seed) else 0.0
    dials = dials_for(rng, by_hand, LOGINS_DIE if has_two else 0.0)
    drawn = [probing(config)] if config else configs(seed)
    if config is None and starts_early(seed):
        drawn = [early(one) for one in drawn]
    if has_two:
        drawn = [with_accounts(one) for one in drawn]
    if config is None and has_rooms(seed):
        drawn = [with_rooms(one) for one in drawn]
    if config is None and has_pictures(seed):
        drawn = [pictured(one) for one in drawn]
    try:
        return World(seed, drawn, dials, minutes, on_progress).play()
    except (
        Exception
    ) as error:  # the simulator's own: one history's, and no reason to end a campaign
        broken = (f"bug: {type(error).__name__} in the simulator: {error}",)
        return HistoryResult(seed, minutes, 0, 0, 0, 0, 0, broken, "")


def play_by_dealer(seed: int, minutes: int) -> HistoryResult:
    """Play the history by a dealer that a seed stands for."""
    to = ("", 'to = ["me", "uuid-a", "uuid-b"]\n')[seed % 2]
    drawn = probing(parse_config(f"{_HEAD}{_PLAIN}{_REPORT}{to}", "simulated"))
    if seed % 5 == 4:  # noqa: PLR2004
        drawn = early(drawn)
    try:
        return DealerWorld(seed, [drawn], DIALS, minutes).play()
    except Exception as error:
        broken = (f"bug: {type(error).__name__} in the simulator: {error}",)
        return HistoryResult(seed, minutes, 0, 0, 0, 0, 0, broken, "", is_by_dealer=True)


def play_by_hosts(seed: int, minutes: int, fewest: int = 2, most: int = 5) -> HistoryResult:
    """Play the history of several hosts over one database that a seed stands for."""
    from kakaocron.rehearsal.simulation.hosts import (  # noqa: PLC0415 - an extra
        HostsWorld,
        dials_of_host,
        draw_database,
    )

    rng = random.Random(f"history of hosts {seed}")  # noqa: S311 - to be replayed, no secret
    count = min(rng.randint(fewest, most) for _ in range(2))  # each one costs as much as the first
    config = rng.choice(rng.choice(_configs_of_hosts()))
    if starts_early(seed):
        config = early(config)
    by_hand = BY_HAND if has_a_person(seed) else 0.0
    dials = [dials_of_host(dials_for(rng, by_hand / count)) for _ in range(count)]
    database, line = draw_database(rng)
    is_login_shared = rng.random() < 0.5  # noqa: PLR2004
    try:
        world = HostsWorld(
            seed, config, dials, minutes, database, line, is_login_shared=is_login_shared
        )
        played = world.play()
    except Exception as error:
        broken = (f"bug: {type(error).__name__} in the simulator: {error}",)
        played = HistoryResult(seed, minutes, 0, 0, 0, 0, 0, broken, "", hosts=count)
    return dataclasses.replace(played, hosts_of=f"{fewest}-{most}")


def starts_early(seed: int) -> bool:
    return seed // len(_configs()) % 5 == 4  # noqa: PLR2004


def has_accounts(seed: int) -> bool:
    return seed // len(_configs()) % 7 in {1, 3, 5}


def has_rooms(seed: int) -> bool:
    return seed // len(_configs()) % 11 in {2, 5, 8}


def has_pictures(seed: int) -> bool:
    return seed // len(_configs()) % 3 == 2  # noqa: PLR2004


def has_a_person(seed: int) -> bool:
    return seed // len(_configs()) % 4 == 3  # noqa: PLR2004


def early(config: Config) -> Config:
    return replace(config, schedule=replace(config.schedule, early_start=True))


def configs(seed: int) -> list[Config]:
    groups = _configs()
    return list(groups[seed % len(groups)])


def replay_command(outcome: HistoryResult) -> str:
    command = "python -m kakaocron.rehearsal.simulation"
    how = " --receipts" if outcome.is_by_dealer else ""
    if outcome.hosts > 1:
        how = f" --hosts {outcome.hosts_of}"
    return f"{command} --seed {outcome.seed} --length {outcome.minutes}{how}"


@dataclass
class Tally:
    """Histories added up. `broken` are the replay commands of those that broke a promise."""

    histories: int = 0
    minutes: int = 0
    ticks: int = 0
    messages: int = 0
    mishaps: int = 0
    slots: int = 0
    confirmed: int = 0
    orders: int = 0
    stopped_at_the_write: int = 0
    ambiguous: int = 0
    settled: int = 0
    by_hosts: Counter[int] = field(default_factory=Counter)  # histories by the number of hosts
    broken: list[str] = field(default_factory=list)
    breaches: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: HistoryResult) -> None:
        self.histories += 1
        self.minutes += outcome.minutes
        self.ticks += outcome.ticks
        self.messages += outcome.messages
        self.mishaps += outcome.mishaps
        self.slots += outcome.slots
        self.confirmed += outcome.confirmed
        self.orders += outcome.orders
        self.stopped_at_the_write += outcome.stopped_at_the_write
        self.ambiguous += outcome.ambiguous
        self.settled += outcome.settled
        self.by_hosts[outcome.hosts] += 1
        self.breaches.update(breach.partition(":")[0] for breach in outcome.breaches)
        if outcome.breaches:
            self.broken.append(f"{replay_command(outcome)}  # {outcome.breaches[0]}")

    def lines(self) -> list[str]:
        said = _(
            "{minutes:,} minutes in {histories:,} histories: {ticks:,} ticks, {mishaps:,} mishaps, "
            "{orders:,} orders by hand, {slots:,} slots judged, {confirmed:,} confirmed, "
            "{messages:,} messages at the receiver"
        )
        late = _(
            "sent out of time by a process stopped between its last look at the clock and the "
            "write, which no program can avoid"
        )
        settled = _(
            "{settled:,} of {ambiguous:,} sends of which nobody knew at first settled before their "
            "slot's expiry, by look-ups"
        )
        shared = _("of these, histories of {hosts} hosts over one database")
        several = [
            f"{count:>6} {shared.format(hosts=hosts)}"
            for hosts, count in sorted(self.by_hosts.items())
            if hosts > 1
        ]
        by_dealer = [settled.format(settled=self.settled, ambiguous=self.ambiguous)]
        return [
            said.format(
                minutes=self.minutes,
                histories=self.histories,
                ticks=self.ticks,
                mishaps=self.mishaps,
                orders=self.orders,
                slots=self.slots,
                confirmed=self.confirmed,
                messages=self.messages,
            ),
            *several,
            *(f"{self.breaches[key]:>6} {_(text)}" for key, text in BREACHES.items()),
            f"{sum(self.breaches.values()):>6} {_('breaches in all')}",
            f"{self.stopped_at_the_write:>6} {late}",
            *(by_dealer if self.ambiguous else []),
            *self.broken,
        ]


# What a history must not do, by the word that the judge begins with.
BREACHES: Templates = {
    "twice": "slots twice at the receiver",
    "lost": "slots lost that could have been sent",
    "no final state": "slots without a final state",
    "two states": "slots in two states",
    "early": "sent early",
    "past expiry": "sent past expiry",
    "no slot": "sent for no slot",
    "before its times": "sent for a slot older than its times",
    "not delivered": "confirmed and not delivered",
    "unclaimed": "sent without a durable claim",
    "claimed twice": "claimed by two processes",
    "cancelled": "sent after it was cancelled by hand",
    "paused": "sent while it was paused by hand",
    "out of order": "lines out of order",
    "clock apart": "sent by a host whose clock was too far off",
    "bug": "bugs and undocumented exit codes",
}
