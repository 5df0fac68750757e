"""Play many histories, or one again: python -m kakaocron.rehearsal.simulation --minutes 1000000."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from itertools import islice
from multiprocessing import get_context

from kakaocron.rehearsal.simulation.campaign import Tally, play, play_by_dealer

LENGTH = 720


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
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args()
    count = -(-given.minutes // given.length) if given.minutes else 1
    seeds = range(given.seed, given.seed + count)
    tally, play_one = Tally(), play_by_dealer if given.receipts else play
    with get_context("spawn").Pool(given.processes) as pool:
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
