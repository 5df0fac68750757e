"""Many histories: configurations and dials drawn by seed, run one after the other."""

from __future__ import annotations

import random
from functools import cache

from kakaocron.config import Config, parse_config
from kakaocron.simulation.chaos import dials_for
from kakaocron.simulation.rules import probing
from kakaocron.simulation.world import Outcome, World

_HEAD = '[kakao]\nrest_api_key = "sandbox-rest-api-key"\nclient_secret = "sandbox-client-secret"\n'
_REPORT = '[[message]]\nname = "report"\nslots = ["regular", "peak"]\ntext = "x"\n'
_MORE = (
    '[[message]]\nname = "orders"\nslots = ["peak"]\ntext = "x"\n'
    'to = ["me", "uuid-a", "uuid-b", "uuid-c", "uuid-d", "uuid-e", "uuid-f"]\n'
)
_OFTEN = (
    "[schedule]\nregular_minutes = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55]\n"
    "peak_minutes = [0, 3, 6, 9]\n"
)
_EACH_MINUTE = f"[schedule]\nregular_minutes = {list(range(60))}\n"
_QUIET = '[schedule]\nquiet = ["23:00-06:30", "12:10-12:40"]\ndays = ["mon", "wed", "sat", "sun"]\n'
_SHORT = "[delivery]\nexpire_after = 90\nretry_delays = [5, 10]\nmax_retries = 2\n"
_LONG = "[delivery]\nexpire_after = 3600\n"
_RESEND = 'on_unknown = "resend"\n'
_PLAIN = "[delivery]\n"


@cache
def _configs() -> tuple[tuple[Config, ...], ...]:
    """Return groups of configurations between which a history's user may change."""
    texts: list[list[str]] = []
    for rules in (_PLAIN, _SHORT, _LONG):
        for unknown in ("", "", _RESEND):
            texts.append([rules + unknown + _REPORT, rules + unknown + _OFTEN + _REPORT + _MORE])
            texts.append([rules + unknown + _OFTEN + _REPORT, rules + unknown + _QUIET + _REPORT])
            texts.append([rules + unknown + _EACH_MINUTE + _REPORT])
    return tuple(
        tuple(probing(parse_config(_HEAD + text, "simulated")) for text in group) for group in texts
    )


def play(seed: int, minutes: int, config: Config | None = None) -> Outcome:
    """Play the history that a seed stands for: on the user's configuration, or on a drawn one."""
    rng = random.Random(f"history {seed}")  # noqa: S311 - to be replayed, no secret
    groups = _configs()
    configs = [probing(config)] if config else list(groups[rng.randrange(len(groups))])
    return World(seed, configs, dials_for(rng), minutes).play()
