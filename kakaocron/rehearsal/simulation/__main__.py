"""Play many histories, or one again: python -m kakaocron.rehearsal.simulation --minutes 1000000."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable
from functools import partial
from itertools import islice
from multiprocessing import get_context

from kakaocron.errors import UsageError
from kakaocron.rehearsal.simulation.campaign import (
    Tally,
    play,
    play_by_dealer,
    play_by_hosts,
)
from kakaocron.rehearsal.simulation.world import HistoryResult

LENGTH = 720


def span(text: str) -> tuple[int, int]:
    """Return the fewest and the most hosts. Raises ArgumentTypeError."""
    fewest, _, most = text.partition("-")
    try:
        found = int(fewest), int(most or fewest)
    except ValueError:
        found = 0, 0
    if not 2 <= found[0] <= found[1]:  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"'{text}' is not 2 or more, as in 2 or 2-5")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m kakaocron.rehearsal.simulation", description=__doc__
    )
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--minutes", type=int, help="play histories until so many; else one")
    parser.add_argument("--length", type=int, default=LENGTH, help="minutes of each history")
    parser.add_argument(
        "--receipts", action="store_true", help="by a dealer that tells later what arrived"
    )
    parser.add_argument(
        "--hosts",
        type=span,
        metavar="N-M",
        help="so many hosts (2, or 2-5: drawn by the seed) over one database that is cut off, "
        "restarted and failed over; needs the extra postgres",
    )
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    count = -(-given.minutes // given.length) if given.minutes else 1
    seeds = range(given.seed, given.seed + count)
    tally = Tally()
    play_one: Callable[..., HistoryResult] = play_by_dealer if given.receipts else play
    if given.hosts:
        try:
            import kakaocron.rehearsal.simulation.hosts  # noqa: F401, PLC0415 - an extra
        except UsageError as error:
            parser.error(str(error))
        fewest, most = given.hosts
        play_one = partial(play_by_hosts, fewest=fewest, most=most)
    # To look through all objects at each 700th new one is a third of the time.
    with get_context("spawn").Pool(given.processes, gc.set_threshold, (100_000,)) as pool:
        outcomes = pool.imap(partial(play_one, minutes=given.length), seeds, chunksize=4)
        for outcome in islice(outcomes, count):
            tally.add(outcome)
            if tally.histories % 50 == 0 or outcome.breaches:
                done = f"{tally.minutes:,} minutes, seed {outcome.seed}"
                print(done, *outcome.breaches[:3], file=sys.stderr, flush=True)
            if given.minutes is None:
                print(*outcome.breaches, sep="\n")
    print(*tally.lines(), sep="\n")
    return 1 if tally.broken else 0


if __name__ == "__main__":
    sys.exit(main())
